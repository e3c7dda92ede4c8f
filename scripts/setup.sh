#!/bin/sh
# Creates .venv and installs the lock into it, every package checked against its hash; then geoflow, editable.
# Writes .venv/.ready, by which make knows that nothing is left to do.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

# The first Python that is new enough and really starts (a pyenv shim may exist without a version behind it).
# 3.11 comes first because it is the one the book is tested on.
find_python() {
    for candidate in ${PYTHON_FOR_VENV:-} python3.11 python3.12 python3.13 python3.14 python3 python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s' "$candidate"
            return
        fi
    done
    say 'setup: no Python 3.11 or newer was found on PATH.'
    say '       Install one (Debian: apt install python3 python3-pip), or name it: make PYTHON_FOR_VENV=/path/to/python3'
    exit 1
}

# Debian ships venv without ensurepip; the system's pip then installs into the new environment.
create_venv() {
    python=$(find_python)
    say "setup: creating .venv with $("$python" --version)"
    if "$python" -c 'import ensurepip' 2>/dev/null; then
        "$python" -m venv .venv
    elif "$python" -m pip --version >/dev/null 2>&1; then
        "$python" -m venv --without-pip .venv
    else
        say 'setup: this Python has neither ensurepip nor pip. Debian: apt install python3-venv'
        exit 1
    fi
}

[ -x .venv/bin/python ] || create_venv

pip() {
    if .venv/bin/python -c 'import pip' 2>/dev/null; then
        .venv/bin/python -m pip --disable-pip-version-check "$@"
    else
        "$(find_python)" -m pip --disable-pip-version-check --python .venv/bin/python "$@"
    fi
}

# An unchanged lock is not installed again when only pyproject.toml changed.
lock=$(.venv/bin/python -c 'import hashlib; print(hashlib.sha256(open("requirements.txt", "rb").read()).hexdigest())')
if [ "$(cat .venv/.lock 2>/dev/null || true)" != "$lock" ]; then
    say 'setup: installing requirements.txt (a first time takes some minutes)'
    # The lock is complete: nothing is to be resolved. Python compiles what is imported, and most of Jupyter never is.
    pip install --quiet --no-deps --no-compile --require-hashes --requirement requirements.txt
    printf '%s' "$lock" > .venv/.lock
fi

# No dependencies: the lock brought them. No build isolation: setuptools is in the lock too.
pip install --quiet --no-deps --no-build-isolation --editable .
touch .venv/.ready
