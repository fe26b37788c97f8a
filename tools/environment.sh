#!/bin/sh
# Makes .venv, or brings it up to date: this checkout (editable) with everything in its `dev` extra, in the versions of
# constraints.txt. With uv if it is there, else with venv and pip. PYTHON names the interpreter; without it the first
# one found that is new enough serves, and an existing .venv keeps its own.
set -eu
cd "$(dirname "$0")/.."
started=$(date +%s)

say() { echo "[environment] $*"; }
fail() {
    say "$*" >&2
    exit 1
}
is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
can_make_environments() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }
version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])'; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        is_new_enough "$PYTHON" || fail "PYTHON=$PYTHON is not a Python 3.11 or newer."
        echo "$PYTHON"
        return
    fi
    almost=
    for python in python3 python python3.14 python3.13 python3.12 python3.11 \
        "${PYENV_ROOT:-${HOME:-/nonexistent}/.pyenv}"/versions/3.*/bin/python; do
        is_new_enough "$python" || continue
        if [ -n "$uv" ] || can_make_environments "$python"; then
            echo "$python"
            return
        fi
        almost=${almost:-$python}
    done
    echo "$almost"
}

# Debian keeps venv and ensurepip in packages of their own.
install_venv_module() {
    package="python$(version_of "$1")-venv"
    command -v apt-get >/dev/null || fail "$1 has no venv or ensurepip module. Install them, or uv."
    [ "$(id -u)" = 0 ] || fail "$1 has no venv or ensurepip module. Run: sudo apt-get install $package (or install uv)."
    say "Installing $package (about 20 s) ..."
    { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y install "$package"; } >/dev/null </dev/null ||
        fail "apt-get could not install $package."
}

uv=$(command -v uv || true)
if [ -x .venv/bin/python ] && is_new_enough .venv/bin/python &&
    { [ -z "${PYTHON:-}" ] || [ "$(version_of "$PYTHON")" = "$(version_of .venv/bin/python)" ]; }; then
    say "Bringing the environment in .venv up to date (about 10 s) ..."
else
    python=$(find_python)
    rm -rf .venv
    if [ -n "$uv" ]; then
        say "Making the environment in .venv with uv (about 5 s) ..."
        "$uv" --quiet venv --python "${python:->=3.11}" .venv ||
            fail "uv could not make .venv. SQLSpec needs Python 3.11 or newer."
    else
        [ -n "$python" ] || fail "No Python 3.11 or newer found. Install one, or name it: make PYTHON=/path/to/python ..."
        can_make_environments "$python" || install_venv_module "$python"
        say "Making the environment in .venv with $(command -v "$python") (about 40 s) ..."
        "$python" -m venv .venv
    fi
fi

if [ -n "$uv" ]; then
    VIRTUAL_ENV=$PWD/.venv "$uv" --quiet pip install --constraint constraints.txt --editable '.[dev]'
else
    .venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null # made by uv: no pip in it
    .venv/bin/python -m pip install -qq --disable-pip-version-check --no-input \
        --constraint constraints.txt --editable '.[dev]'
fi
say "Ready after $(($(date +%s) - started)) s: Python $(version_of .venv/bin/python)."
