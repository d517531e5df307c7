#!/usr/bin/env bash
# Builds the stand-in extensions and installs them into the server that a pg_config describes:
#
#   install.sh PG_CONFIG
#
# One file, one compiler call: not every server brings PGXS, and every one that brings headers can be built for. Does
# nothing when what is installed was made from the same sources.
set -euo pipefail

pg_config=${1:?usage: install.sh PG_CONFIG}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
libraries=$("$pg_config" --pkglibdir)
extensions=$("$pg_config" --sharedir)/extension

sum=$({ "$pg_config" --version; cat "$here"/trueup_standin.c "$here"/extension/*; } | sha256sum | cut -d ' ' -f 1)
stamp=$libraries/trueup_standin.sum
if [[ -e $stamp && $(<"$stamp") == "$sum" ]]; then exit 0; fi

# A server that has the real one keeps it.
for control in "$here"/extension/*.control; do
  installed=$extensions/$(basename "$control")
  if [[ -e $installed ]] && ! grep --quiet 'stand-in for tests' "$installed"; then
    echo "install.sh: $installed is no stand-in: not replaced" >&2
    exit 1
  fi
done

if ! command -v cc >/dev/null; then
  [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null || { echo 'install.sh: a C compiler is needed' >&2; exit 1; }
  apt-get update --quiet=2 </dev/null >&2
  apt-get install --yes --quiet=2 --no-install-recommends gcc libc6-dev </dev/null >&2
fi

# Into a file of its own first: a server may have the old one mapped.
built=$(mktemp "$libraries/trueup_standin.XXXXXX")
trap 'rm -f "$built"' EXIT
cc -O1 -fPIC -shared -Wall -Wno-unused-parameter \
  -I "$("$pg_config" --includedir-server)" -I "$("$pg_config" --includedir)" \
  -o "$built" "$here/trueup_standin.c"
chmod 755 "$built"
mv -f "$built" "$libraries/trueup_standin.so"
install -m 644 "$here"/extension/* "$extensions/"
echo "$sum" >"$stamp"
