#!/bin/sh
# Installs simbench into a separate virtual environment, from a checkout or from a wheel.
#
#   scripts/install.sh [TARGET] [SOURCE]
#
# TARGET: folder of the environment (default /opt/simbench); SOURCE: a wheel, or a checkout (default: this one).
# PYTHON names the interpreter (default python3, 3.11 or newer); EXTRAS names optional parts, such as "console,plan", or "all".
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
usage() { sed -n '2,7s/^# \{0,1\}//p' "$0"; }
case ${1:-} in
    -h | --help) usage; exit 0 ;;
    -*) echo "install.sh: $1 is no option" >&2; usage >&2; exit 2 ;;
esac
target=${1:-/opt/simbench}
source=${2:-$here}
python=${PYTHON:-python3}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "install.sh: $python is older than 3.11; name another one with PYTHON=" >&2
    exit 2
}
if [ -e "$target" ] && [ ! -f "$target/pyvenv.cfg" ] && [ -n "$(ls -A "$target" 2>/dev/null || echo file)" ]; then
    echo "install.sh: $target exists and is not a Python environment; choose a new folder" >&2
    exit 2
fi
"$python" -m venv "$target"
pins=
if [ -f "$here/constraints.txt" ]; then pins="-c $here/constraints.txt"; fi
# shellcheck disable=SC2086 # no pins, no option
"$target/bin/python" -m pip install --quiet --disable-pip-version-check $pins "$source${EXTRAS:+[$EXTRAS]}"
"$target/bin/simbench" --version
echo "installed: $target/bin/simbench"
