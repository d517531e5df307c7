#!/usr/bin/env bash
# Makes PgBouncer available on Debian, from the machine's own packages, and prints its program's path as the last line of
# standard output. Quick, and without network, when it is there. Everything else that it says goes to standard error.
#
# TRUEUP_TEST_PGBOUNCER names a program to use instead.
set -Eeuo pipefail
trap 'echo "install-pgbouncer.sh: line $LINENO failed" >&2' ERR

exec 3>&1 1>&2

die() {
  echo "install-pgbouncer.sh: $*"
  echo "install-pgbouncer.sh: install PgBouncer, or name its program in TRUEUP_TEST_PGBOUNCER"
  exit 1
}
finish_when_ready() {
  local program
  for program in "${TRUEUP_TEST_PGBOUNCER:-}" "$(command -v pgbouncer || true)" /usr/sbin/pgbouncer; do
    if [[ -n $program && -x $program ]]; then
      echo "$program" >&3
      exit 0
    fi
  done
}

finish_when_ready
[[ -z ${TRUEUP_TEST_PGBOUNCER:-} ]] || die "$TRUEUP_TEST_PGBOUNCER is no program"
command -v apt-get >/dev/null || die 'no PgBouncer found, and no apt-get to install one with'
[[ $(id -u) == 0 ]] || die 'no PgBouncer found; run this as root to install one'

# The same lock as that of install.sh: apt allows one at a time.
exec 9>/run/lock/trueup-test-postgres.lock
flock 9
finish_when_ready

export DEBIAN_FRONTEND=noninteractive
install_pgbouncer() {
  apt-get install --yes --quiet=2 --no-install-recommends -o Dpkg::Options::=--force-confold pgbouncer </dev/null
}
# Lists that are there already may do.
install_pgbouncer || { apt-get update --quiet=2 </dev/null && install_pgbouncer; }
finish_when_ready
die 'the package is installed, but its program was not found'
