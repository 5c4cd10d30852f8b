#!/bin/sh
# Installs the cargo tools that CI uses, each only if its version is not there: into .tools/bin.
# Usage: scripts/setup-rust-tools.sh [nextest] [deny]; without a name, both.
set -eu
cd "$(dirname "$0")/.."
nextest_version=0.9.151
deny_version=0.20.2

ensure() { # crate, version
  .tools/bin/"$1" --version 2>/dev/null | grep -qF "$2" && return
  # Unoptimised: it is built far faster than it could make up for by running.
  cargo install --quiet --locked --debug --root .tools --version "$2" "$1"
}

[ $# -gt 0 ] || set -- nextest deny
for tool; do
  case $tool in
    nextest) cargo nextest --version >/dev/null 2>&1 || ensure cargo-nextest "$nextest_version" ;;
    deny) ensure cargo-deny "$deny_version" ;;
    *) echo "unknown tool: $tool" >&2; exit 2 ;;
  esac
done
