#!/bin/sh
# Makes Chromium and playwright-core, which drives it, available to tests-clients/node.
# Usage: scripts/setup-chromium.sh; CHROMIUM may name another executable.
set -eu
cd "$(dirname "$0")/.."
command -v "${CHROMIUM:-chromium}" >/dev/null || scripts/apt-install.sh chromium fonts-dejavu-core
scripts/setup-node.sh
