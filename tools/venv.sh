#!/bin/sh
# Usage: venv.sh FOLDER [LOCK]: make the virtual environment FOLDER, install LOCK and this package.
# Run again after a failure it starts over: FOLDER/.unfinished marks an installation that broke off.
set -eu
folder=$1
lock=${2:-}

fits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }

choose() {
    for python in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if fits "$python"; then
            echo "$python"
            return
        fi
    done
    first=${PYTHON:-python3}
    echo "This book needs Python 3.11, 3.12 or 3.13, and '$first' is:" \
        "$("$first" --version 2>&1 || true). Name one, as in 'make book PYTHON=python3.12'." >&2
    return 1
}

whole() { [ ! -e "$folder/.unfinished" ] && fits "$folder/bin/python" &&
    "$folder/bin/python" -m pip --version >/dev/null 2>&1; }

if ! whole; then
    python=$(choose)
    "$python" -c 'import ensurepip, venv' 2>/dev/null || {
        echo "Python's venv is missing. On Debian: apt install python3-venv" >&2
        exit 1
    }
    rm -rf "$folder"
    mkdir "$folder"
    touch "$folder/.unfinished"
    "$python" -m venv "$folder"
fi

touch "$folder/.unfinished"
if [ -n "$lock" ]; then
    pip="$folder/bin/python -m pip --disable-pip-version-check"
    $pip install --quiet --require-hashes -r "$lock"
    # setuptools is in the lock, so the package is built with what is already here.
    $pip install --quiet --no-deps --no-build-isolation -e .
fi
rm "$folder/.unfinished"
