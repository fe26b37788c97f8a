#!/bin/sh
# The web tests on the oldest Starlette and FastAPI that are supported, laid over the environment in a folder beside it.
# They need no other package than the newest ones do, but use some that are deprecated by now, and 0.40's own
# BaseHTTPMiddleware leaves a stream unclosed: those two kinds of warnings are not ours, and not errors here.
set -eu
cd "$(dirname "$0")/.."
old=.venv/oldest-web
versions="starlette==0.40.0 fastapi==0.115.3"

if [ ! -e "$old/made" ]; then
    echo "[oldest web] Installing $versions (about 5 s) ..."
    rm -rf "$old"
    if command -v uv >/dev/null; then
        # shellcheck disable=SC2086
        VIRTUAL_ENV=$PWD/.venv uv --quiet pip install --no-deps --target "$old" $versions
    else
        # shellcheck disable=SC2086
        .venv/bin/python -m pip install -qq --disable-pip-version-check --no-input --no-deps --target "$old" $versions
    fi
    touch "$old/made"
fi
PYTHONPATH="$old${PYTHONPATH:+:$PYTHONPATH}" exec .venv/bin/python -m pytest tests/web \
    -W ignore::DeprecationWarning -W ignore::pytest.PytestUnraisableExceptionWarning "$@"
