#!/bin/sh
# Installs Debian packages. Where this user may not, it says what to install.
# Usage: scripts/apt-install.sh PACKAGE...
set -eu
as_root=
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "please install: $*" >&2; exit 1; }
  as_root=sudo
fi
command -v apt-get >/dev/null || { echo "please install: $*" >&2; exit 1; }
$as_root apt-get update -qq
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
