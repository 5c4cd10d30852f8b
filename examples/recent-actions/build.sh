#!/bin/sh
# Builds the three functions and packs each into dist/VARIANT/FUNCTION.zip, ready for Lambda.
# Usage: build.sh [rust|node]...; without an argument, rust. Needs cargo, or Node.js 20 and npm.
set -eu
cd "$(dirname "$0")"
functions="deposit withdrawal recent-actions-writer"

build_rust() { # the executable is called bootstrap, as the runtime provided.al2023 wants it
  cargo build --quiet --release --locked --manifest-path functions/Cargo.toml --target-dir functions/target
  for function in $functions; do
    pack rust "$function" "functions/target/release/$function" bootstrap
  done
}

build_node() { # each function is one file that holds what it imports
  ../../scripts/setup-node.sh examples/recent-actions/functions-ts
  npm run --silent --prefix functions-ts build -- --log-level=warning
  for function in $functions; do
    pack node "$function" "functions-ts/dist/$function/index.js" index.js
  done
}

pack() { # variant, function, file, name in the package
  staging=dist/$1/$2
  rm -rf "$staging" "$staging.zip"
  mkdir -p "$staging"
  cp "$3" "$staging/$4"
  if command -v zip >/dev/null; then
    zip -q -X -j "$staging.zip" "$staging/$4"
  elif command -v python3 >/dev/null; then
    python3 -m zipfile -c "$staging.zip" "$staging/$4"
  else
    echo "please install zip or python3" >&2
    exit 1
  fi
}

[ $# -gt 0 ] || set -- rust
for variant; do
  case $variant in
    rust | node) "build_$variant" ;;
    *) echo "unknown variant: $variant" >&2; exit 2 ;;
  esac
done
