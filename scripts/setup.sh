# Sourced by the other scripts: makes .venv and installs the package into it, again only when its needs changed.
# Usage: set_up EXTRAS            for example: set_up dev,encoders

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

find_python() {
    local candidate
    for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11 python; do
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "irisrec needs Python 3.11 or newer; none was found (set PYTHON=/path/to/python3)" >&2
    return 1
}

set_up() {
    local extras=$1 wanted stamp
    stamp=.venv/.installed-${extras//,/-}
    [ -x .venv/bin/python ] || {
        echo "creating .venv" >&2
        "$(find_python)" -m venv .venv
    }
    wanted=$(cat pyproject.toml constraints.txt | cksum)
    if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ]; then
        echo "installing irisrec[$extras] into .venv (a few minutes the first time)" >&2
        .venv/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[$extras]" --constraint constraints.txt
        echo "$wanted" >"$stamp"
    fi
    export PATH="$PWD/.venv/bin:$PATH"
}
