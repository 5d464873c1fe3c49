#!/bin/sh
# Creates the virtual environment of the make targets.
#
#   scripts/venv.sh FOLDER REQUIREMENT
#
# FOLDER: its place (.venv); REQUIREMENT: installed by pip in editable form, such as '.[dev]'.
# PYTHON names the interpreter; by default the first of python3, python3.13, 3.12 and 3.11 that is 3.11 or newer.
# pip's output goes to FOLDER.log. A failure is one line on standard error and exit status 2.
set -u

folder=$1 requirement=$2 log=$1.log
NEEDED_MB=1500 # disk space of a complete environment

refuse() {
    echo "venv.sh: $*" >&2
    exit 2
}

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        new_enough "$PYTHON" || refuse "PYTHON=$PYTHON is no Python 3.11 or newer; name another interpreter"
        echo "$PYTHON"
        return
    fi
    for name in python3 python3.13 python3.12 python3.11; do
        if new_enough "$name"; then
            echo "$name"
            return
        fi
    done
    refuse "no Python 3.11 or newer in PATH; install one (apt-get install python3.11 python3.11-venv) or name it with PYTHON="
}

room_mb() { df -Pm "$1" | awk 'NR == 2 { print $4 }'; }

# The reason of a failure, from pip's output.
reason() {
    if grep -qi 'no space left' "$log" || [ "$(room_mb "$(dirname "$folder")")" -lt 5 ]; then
        echo "the disk is full: $(room_mb "$(dirname "$folder")") MB left in $(dirname "$folder"), some $NEEDED_MB MB needed"
    elif grep -iE '^ *(warning|error)' "$log" |
        grep -qiE 'connection|retrying|resolution|timed out|SSL|proxy|HTTP error|no matching distribution'; then
        echo "the package index does not answer or lacks a package; check the network, PIP_INDEX_URL and $log"
    elif grep -qi 'ensurepip' "$log"; then
        echo "$python has no ensurepip; install its venv package (apt-get install python3-venv)"
    else
        echo "pip failed: $(grep -iE '^ *(error|exception)' "$log" | tail -n 1); see $log"
    fi
}

python=$(find_python) || exit 2

# Two makes at once: the second waits, then finds the work done.
if ! (: >>"$folder.lock") 2>/dev/null; then refuse "cannot write $folder.lock: the disk is full or the folder is read-only"; fi
exec 9>>"$folder.lock"
if command -v flock >/dev/null && ! flock -n 9; then
    echo "venv.sh: another make is installing $folder; waiting for it" >&2
    flock 9
    if [ "$folder/installed" -nt pyproject.toml ] && [ "$folder/installed" -nt constraints.txt ]; then exit 0; fi
fi

room=$(room_mb "$(dirname "$folder")")
if [ ! -e "$folder/bin/python" ] && [ "$room" -lt "$NEEDED_MB" ]; then
    refuse "the disk is nearly full: $room MB left in $(dirname "$folder"), some $NEEDED_MB MB needed"
fi
echo "installing $requirement in $folder with $python" >&2
{
    "$python" -m venv "$folder" &&
        "$folder/bin/python" -m pip install --disable-pip-version-check --no-input --progress-bar off \
            -c constraints.txt -e "$requirement"
} >"$log" 2>&1 || refuse "$(reason)"
touch "$folder/installed" || refuse "cannot write $folder/installed"
