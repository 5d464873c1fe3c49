#!/bin/sh
# Installs Debian packages if possible (root and apt-get); otherwise prints which are missing.
#
#   scripts/debian.sh WHAT PACKAGE...
#
# WHAT describes the effect of a missing package ("their tests are skipped"). The script never fails.
set -u

what=$1
shift
missing=
for package; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

tell() {
    echo "not installed:$missing; $what ($1). To install, as root: apt-get install --no-install-recommends$missing" >&2
    exit 0
}

command -v apt-get >/dev/null || tell "no apt-get here"
[ "$(id -u)" = 0 ] || tell "not root"
echo "installing$missing" >&2
log=$(mktemp) || tell "no room for a temporary file"
trap 'rm -f "$log"' EXIT
# RUNLEVEL=1 keeps packages from starting services. The lock timeout waits for another apt-get.
export RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # a list of names
{
    apt-get -o DPkg::Lock::Timeout=600 update -qq &&
        apt-get -o DPkg::Lock::Timeout=600 install -y -qq --no-install-recommends $missing
} >"$log" 2>&1 || tell "apt-get failed: $(grep -E '^E:' "$log" | tail -n 1)"
