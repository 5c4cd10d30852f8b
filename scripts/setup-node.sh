#!/bin/sh
# Makes Node.js 20 or newer available, with the packages of the directories that are named.
# Usage: scripts/setup-node.sh [DIRECTORY...]; without one, tests-clients/node.
set -eu
cd "$(dirname "$0")/.."

is_new_enough() {
  command -v npm >/dev/null && node -e 'process.exit(process.versions.node.split(".")[0] >= 20 ? 0 : 1)' 2>/dev/null
}

is_new_enough || scripts/apt-install.sh nodejs npm
is_new_enough || { echo "Node.js 20 or newer is needed, found $(node --version)" >&2; exit 1; }

[ $# -gt 0 ] || set -- tests-clients/node
for directory; do
  if cmp -s "$directory/package-lock.json" "$directory/node_modules/.installed-lock"; then continue; fi
  npm ci --prefix "$directory" --no-audit --no-fund --loglevel=error
  cp "$directory/package-lock.json" "$directory/node_modules/.installed-lock"
done
