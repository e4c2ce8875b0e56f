#!/bin/sh
# Makes the environment in .venv from requirements-dev.txt, or leaves it alone when it is already so (--quiet: then silently).
# PYTHON=/path/to/python3 picks the interpreter. What goes wrong is said in one line; the whole log is var/install.log.
set -u
cd "$(dirname "$0")/.." || exit 1

LOG=var/install.log
STAMP=.venv/installed-from
LOCK=requirements-dev.txt
NEEDED="import sys, venv, ssl, sqlite3, zlib; sys.exit(sys.version_info < (3, 11))"

fail() {
    printf 'CalSync was not installed: %s\n' "$1" >&2
    exit 1
}

logged() {
    "$@" >>"$LOG" 2>&1
}

version_of() {
    "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null
}

# Names alone prove nothing: a version manager may have put a python3.12 on the path that only prints an error.
candidates() {
    if [ -n "${PYTHON:-}" ]; then
        printf '%s\n' "$PYTHON"
        return
    fi
    for name in python3 python3.13 python3.12 python3.11 python3.14 python; do
        command -v "$name"
    done
    for path in /usr/bin/python3 /usr/local/bin/python3 "${HOME:-/}"/.pyenv/versions/3.*/bin/python3; do
        [ -x "$path" ] && printf '%s\n' "$path"
    done
}

# Sets python to the first interpreter that can build an environment, or fails and says what was found instead.
find_python() {
    found=""
    without_pip=""
    old_ifs=$IFS
    IFS='
'
    for python in $(candidates); do
        IFS=$old_ifs
        if ! "$python" -c "$NEEDED" >/dev/null 2>&1; then
            version=$(version_of "$python") && found="$found $python ($version)"
        elif "$python" -c 'import ensurepip' >/dev/null 2>&1; then
            return 0
        else
            without_pip=${without_pip:-$python}
        fi
    done
    IFS=$old_ifs
    if [ -n "$without_pip" ]; then
        fail "$without_pip lacks the ensurepip module; on Debian and Ubuntu: apt-get install python3-venv."
    elif [ -n "${PYTHON:-}" ]; then
        fail "PYTHON=$PYTHON is not a working Python 3.11 or newer with ssl and sqlite3."
    elif [ -n "$found" ]; then
        fail "it needs Python 3.11 or newer with ssl and sqlite3; found only$found. Install one, or name it: make install PYTHON=/path/to/python3"
    fi
    fail "it needs Python 3.11 or newer and found none. Install one, or name it: make install PYTHON=/path/to/python3"
}

make_venv() {
    .venv/bin/python -c "$NEEDED" >/dev/null 2>&1 && .venv/bin/python -m pip --version >/dev/null 2>&1 && return 0
    find_python
    printf 'Making the environment in .venv with Python %s ...\n' "$(version_of "$python")"
    logged "$python" -m venv --clear .venv || fail "the environment could not be made: $(cause)"
}

# uv installs in seconds what takes pip a minute. It does not read pip's configuration, so where an index is set there pip does it.
install_packages() {
    sed -n '/^uv==/,/[^\\]$/p' "$LOCK" >var/uv-requirement.txt
    echo "Installing $(grep -c '^[A-Za-z0-9].*==' "$LOCK") packages ..."
    if logged pip_install --require-hashes -r var/uv-requirement.txt; then
        logged .venv/bin/python -m uv pip sync --python .venv/bin/python --require-hashes "$LOCK" && return 0
        echo "uv could not; trying pip, which takes a minute or two ..."
    fi
    : >"$LOG"
    logged pip_install --require-hashes -r "$LOCK" || fail "$(cause)"
}

pip_install() {
    .venv/bin/python -m pip install --disable-pip-version-check --no-input --retries 2 "$@"
}

log_says() {
    grep -qiE "$1" "$LOG"
}

# One line for a person out of what the installers wrote.
cause() {
    if log_says 'no space left on device'; then
        echo "the disk is full. Log: $LOG"
    elif log_says 'permission denied|read-only file system'; then
        echo "this folder cannot be written. Log: $LOG"
    elif log_says "(gcc|clang|cc1?|cl\.exe|cargo|rustc)['\"]? (failed|is not installed|not found)|no such file or directory: '[^']*(gcc|cc|clang)|unable to find[^.]*compiler|can't find rust compiler|no acceptable c compiler"; then
        echo "a package has no ready-made build for this machine and no compiler is here to build it. Install a C compiler, or use Python 3.11 to 3.13. Log: $LOG"
    elif log_says 'do not match the hashes|hash mismatch'; then
        echo "a package differs from the one in $LOCK, so it was refused. Log: $LOG"
    elif log_says 'connection (refused|reset|timed out|broken)|failed to establish|name resolution|name or service not known|nodename nor servname|network is unreachable|no route to host|timed out|proxyerror|ssl(error|: )|certificate_verify|dns error|error sending request|no matching distribution'; then
        echo "the package index could not be reached. Check the network (or the index and proxy settings of pip), then run it again. Log: $LOG"
    else
        echo "the packages could not be installed. Log: $LOG"
    fi
}

[ -f "$LOCK" ] || fail "$LOCK is missing; clone the repository again."
wanted=$(cksum <"$LOCK")
if [ "$(cat "$STAMP" 2>/dev/null)" = "$wanted" ] && .venv/bin/python -c "" >/dev/null 2>&1; then
    [ "${1:-}" = --quiet ] || echo "The environment in .venv is up to date."
    exit 0
fi

{ mkdir -p var && : >"$LOG"; } 2>/dev/null || fail "the folder $(pwd) cannot be written."
UV_PYTHON_DOWNLOADS=never
UV_NO_PROGRESS=1
make_venv
install_packages
printf '%s\n' "$wanted" >"$STAMP" || fail "the folder $(pwd)/.venv cannot be written."
echo "The environment in .venv is ready."
