#!/usr/bin/env bash
# Makes Chromium available on Debian, and prints the path of its program as the last line of standard output. Installs
# only what is missing: quick, and without network, when it is there. Everything else that it says goes to standard error.
#
# TRUEUP_TEST_CHROMIUM names a program to use instead of looking for one.
set -Eeuo pipefail
trap 'echo "install.sh: line $LINENO failed" >&2' ERR

exec 3>&1 1>&2

say() { echo "install.sh: $*"; }
die() {
  say "$*"
  say "Install Chromium or Chrome, and name its program in TRUEUP_TEST_CHROMIUM."
  exit 1
}
finish() {
  echo "$1" >&3
  exit 0
}

finish_when_ready() {
  local name found
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if found=$(command -v "$name"); then finish "$found"; fi
  done
}

if [[ -n ${TRUEUP_TEST_CHROMIUM:-} ]]; then
  [[ -x $TRUEUP_TEST_CHROMIUM ]] || die "$TRUEUP_TEST_CHROMIUM is no program"
  finish "$TRUEUP_TEST_CHROMIUM"
fi

finish_when_ready

command -v apt-get >/dev/null || die 'no Chromium found, and no apt-get to install it with'
[[ $(id -u) == 0 ]] || die 'no Chromium found; run this as root to install it'

# Two test runs at once must not wait for apt's own lock and fail.
exec 9>/run/lock/trueup-test-browser.lock
flock 9
finish_when_ready

export DEBIAN_FRONTEND=noninteractive
say 'updating the package lists'
apt-get update --quiet=2 </dev/null
say 'installing chromium'
# A font as well: without any, text has no width.
apt-get install --yes --quiet=2 --no-install-recommends chromium fonts-liberation </dev/null

finish_when_ready
die 'chromium is installed, but was not found'
