#!/bin/sh
# Compiles both requirement files from pyproject.toml: every version and hash, for every platform and Python we support, and no
# address of a package index. Versions stay as they are unless pyproject.toml asks otherwise or UPGRADE is set.
set -eu
cd "$(dirname "$0")/.."

compile() {
    .venv/bin/python -m uv pip compile --quiet --universal --python-version 3.11 \
        --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
        ${UPGRADE:+--upgrade} pyproject.toml "$@" > /dev/null
}

UV_PYTHON_DOWNLOADS=never
export UV_PYTHON_DOWNLOADS
compile --output-file requirements.txt
compile --extra dev --constraint requirements.txt --output-file requirements-dev.txt
echo "Wrote requirements.txt and requirements-dev.txt."
