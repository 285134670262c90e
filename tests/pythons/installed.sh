#!/bin/sh
# Run `make test` with each CPython from 3.11 up that this machine has, each in its own venv.
set -eu

candidates=$(ls /usr/bin/python3.1[1-9] /usr/local/bin/python3.1[1-9] \
    "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin/python3.1[1-9] 2>/dev/null || true)
[ -n "$candidates" ] || candidates=$(command -v "$PYTHON")

tested=" "
failed=
for python in $candidates; do
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    case "$tested" in *" $version "*) continue ;; esac
    tested="$tested$version "
    echo "== Python $version: $python"
    make --no-print-directory test PYTHON="$python" VENV=".venv-$version" || failed="$failed $version"
done

[ -z "$failed" ] || { echo "failed on:$failed"; exit 1; }
echo "passed on:$tested"
