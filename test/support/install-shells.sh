#!/usr/bin/env bash
# Makes zsh and fish available on Debian, from the machine's own packages. Quick, and without network, when they are there.
set -Eeuo pipefail
trap 'echo "install-shells.sh: line $LINENO failed" >&2' ERR

exec 1>&2

have_shells() { command -v zsh >/dev/null && command -v fish >/dev/null; }
die() {
  echo "install-shells.sh: $*"
  echo "install-shells.sh: install zsh and fish"
  exit 1
}

if have_shells; then exit 0; fi
command -v apt-get >/dev/null || die 'a shell is missing, and there is no apt-get to install it with'
[[ $(id -u) == 0 ]] || die 'a shell is missing; run this as root to install it'

# The same lock as that of the other installations: apt allows one at a time.
exec 9>/run/lock/trueup-test-postgres.lock
flock 9

export DEBIAN_FRONTEND=noninteractive
install_shells() {
  apt-get install --yes --quiet=2 --no-install-recommends -o Dpkg::Options::=--force-confold zsh fish </dev/null
}
# Lists that are there already may do.
install_shells || { apt-get update --quiet=2 </dev/null && install_shells; }
have_shells || die 'the packages are installed, but a shell was not found'
