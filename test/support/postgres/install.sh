#!/usr/bin/env bash
# Makes a PostgreSQL server with the extensions vector (pgvector) and pg_trgm available on Debian, and prints the
# directory of its programs as the last line of standard output. Installs only what is missing: quick, and without
# network, when all is there. Everything else that it says goes to standard error.
#
# TRUEUP_TEST_POSTGRES_BIN names a bin directory to use instead of looking for one.
set -Eeuo pipefail
trap 'echo "install.sh: line $LINENO failed" >&2' ERR

# The Debian suite whose pgvector source is built where the machine's own suite has no package of it.
pgvector_suite=trixie

exec 3>&1 1>&2

say() { echo "install.sh: $*"; }
die() {
  say "$*"
  say "Install PostgreSQL 15 or newer with pgvector and name its bin directory in TRUEUP_TEST_POSTGRES_BIN,"
  say "or set TRUEUP_TEST_DATABASE_URL to a server that has it (as a superuser)."
  exit 1
}
finish() {
  echo "$1" >&3
  exit 0
}

has_server() { [[ -x $1/initdb && -x $1/postgres && -x $1/psql && -x $1/pg_config ]]; }

has_extensions() {
  local share
  share=$("$1/pg_config" --sharedir) || return 1
  [[ -f $share/extension/vector.control && -f $share/extension/pg_trgm.control ]]
}

# Bin directories of installed servers from 15 on, the newest first; one on the PATH last.
servers() {
  local version
  for version in $(cd /usr/lib/postgresql 2>/dev/null && printf '%s\n' * | grep -E '^[0-9]+$' | sort -rn); do
    if ((version >= 15)) && has_server "/usr/lib/postgresql/$version/bin"; then echo "/usr/lib/postgresql/$version/bin"; fi
  done
  local found
  if found=$(command -v initdb); then
    found=$(dirname "$(readlink -f "$found")")
    if has_server "$found"; then echo "$found"; fi
  fi
}

finish_when_ready() {
  local bin
  for bin in $(servers); do
    if has_extensions "$bin"; then finish "$bin"; fi
  done
}

if [[ -n ${TRUEUP_TEST_POSTGRES_BIN:-} ]]; then
  has_server "$TRUEUP_TEST_POSTGRES_BIN" || die "$TRUEUP_TEST_POSTGRES_BIN holds no PostgreSQL server"
  has_extensions "$TRUEUP_TEST_POSTGRES_BIN" || die "the server in $TRUEUP_TEST_POSTGRES_BIN lacks vector or pg_trgm"
  finish "$TRUEUP_TEST_POSTGRES_BIN"
fi

finish_when_ready

command -v apt-get >/dev/null || die 'no PostgreSQL server with pgvector found, and no apt-get to install one with'
[[ $(id -u) == 0 ]] || die 'no PostgreSQL server with pgvector found; run this as root to install one'

# Two test runs at once must not build into the same place.
exec 9>/run/lock/trueup-test-postgres.lock
flock 9
finish_when_ready

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# apt fetches as an unprivileged user, who must be able to enter.
chmod 755 "$work"

export DEBIAN_FRONTEND=noninteractive
install_packages() {
  say "installing $*"
  apt-get install --yes --quiet=2 --no-install-recommends -o Dpkg::Options::=--force-confold "$@" </dev/null
}

# A container without an init system must not get a default cluster that then fails to start.
if [[ ! -e /etc/postgresql-common/createcluster.conf ]]; then
  mkdir -p /etc/postgresql-common
  echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
fi

say 'updating the package lists'
apt-get update --quiet=2 </dev/null

# The suite's own package of pgvector, where it has one.
packaged=$(apt-cache --names-only search '^postgresql-[0-9]+-pgvector$' |
  sed -nE 's/^postgresql-([0-9]+)-pgvector .*/\1/p' | sort -n | tail -n 1)
if [[ -n $packaged ]] && ((packaged >= 15)); then
  install_packages "postgresql-$packaged" "postgresql-$packaged-pgvector"
  finish_when_ready
  die "postgresql-$packaged-pgvector is installed, but its server was not found"
fi

# No package: build it against a server that is there already, or the suite's own version.
mapfile -t found < <(servers)
if [[ ${found[0]:-} =~ ^/usr/lib/postgresql/([0-9]+)/bin$ ]]; then
  version=${BASH_REMATCH[1]}
else
  version=$(apt-cache depends postgresql | sed -nE 's/^ *Depends: postgresql-([0-9]+)$/\1/p' | tail -n 1)
  [[ -n $version ]] || die 'the package lists hold no PostgreSQL'
fi
((version >= 15)) || die "the package lists hold PostgreSQL $version only"
bin=/usr/lib/postgresql/$version/bin
install_packages "postgresql-$version" "postgresql-server-dev-$version" make gcc libc6-dev

# The newer suite comes from the mirror that the machine uses already, verified by the machine's own keyring. Lists of
# its own keep it out of the machine's package selection.
. /etc/os-release
mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
  awk -v suite="${VERSION_CODENAME:-}" '$2 == suite && $3 == "main" { print $1 }' | tail -n 1)
[[ -n $mirror ]] || die 'no Debian mirror found in the configuration of apt'
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/source"
echo "deb-src $mirror $pgvector_suite main" >"$work/sources.list"
chmod -R a+rX "$work"
if id _apt >/dev/null 2>&1; then chown -R _apt "$work/lists" "$work/cache" "$work/source"; fi
newer_apt() {
  apt-get --quiet=2 \
    -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=- \
    -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" \
    "$@" </dev/null
}
say "fetching the source of pgvector from $pgvector_suite"
newer_apt update
# apt checks each file against the sha256 of the signed index.
(cd "$work/source" && newer_apt source --download-only pgvector)

mkdir "$work/build"
tar --extract --auto-compress --file "$(echo "$work"/source/pgvector_*.orig.tar.*z)" --directory "$work/build" --strip-components 1
say "building pgvector for PostgreSQL $version"
# OPTFLAGS: the default, -march=native, would break a copy of this machine on an older processor.
# with_llvm: bitcode is of no use to tests.
make --silent --directory "$work/build" --jobs 2 PG_CONFIG="$bin/pg_config" OPTFLAGS= with_llvm=no
make --silent --directory "$work/build" install PG_CONFIG="$bin/pg_config" OPTFLAGS= with_llvm=no

finish_when_ready
die 'pgvector was built, but its server does not see it'
