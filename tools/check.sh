#!/bin/sh
# All checks that run no database. Every one runs, so that one go shows everything; the exit status is 1 if any failed.
set -u
cd "$(dirname "$0")/.."
PATH=$PWD/.venv/bin:$PATH
failed=

check() {
    echo "[check] $1"
    shift
    "$@" || failed="$failed
  $*"
}

check "ruff: rules" ruff check --quiet .
check "ruff: format" ruff format --quiet --check .
check "mypy" mypy
check "pyright" pyright --pythonpath .venv/bin/python
check "import-linter: layers" lint-imports --no-logo
check "sync twins" python tools/unasync.py --check
check "public names" python -m pytest --quiet --no-header tests/test_public_api.py

[ -z "$failed" ] || {
    echo "[check] FAILED:$failed"
    exit 1
}
echo "[check] all is well"
