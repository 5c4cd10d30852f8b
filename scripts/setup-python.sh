#!/bin/sh
# Installs the Python clients of the acceptance tests into .tools/python, if they are not there.
# Usage: scripts/setup-python.sh; afterwards .tools/python/bin/{pytest,aws,python} are ready.
set -eu
cd "$(dirname "$0")/.."
requirements=tests-clients/python/requirements.txt
installed=.tools/python/requirements.txt

if cmp -s "$requirements" "$installed"; then exit 0; fi

python3 -c 'import venv, ensurepip' 2>/dev/null || scripts/apt-install.sh python3 python3-venv
python3 -m venv .tools/python
.tools/python/bin/python -m pip install --quiet --disable-pip-version-check --requirement "$requirements"
cp "$requirements" "$installed"
