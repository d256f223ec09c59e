#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: tools/onnxruntime.sh
# Gets the library ONNX Runtime, which runs the networks for faces, where the system has none: out of
# the npm package onnxruntime-node, into the user's cache, where antigone finds it.  Does nothing when
# it is there.  Never asks anything, and runs no script of the package (it would download more).
set -eu
version=1.30.0
case $(uname -m) in
x86_64) arch=x64 sum=ffb75a925ba05e47b235bb66e3e3911714a80b328a9c9425539feb204aa32a23 ;;
aarch64) arch=arm64 sum=1f549d46250b005580b597f4164984aaf75b3bcb9f3aeb07c7f8a8fe60b23c76 ;;
*)
    echo "The npm package onnxruntime-node has no library for $(uname -m): install ONNX Runtime and" \
        "name it in ANTIGONE_ONNXRUNTIME." >&2
    exit 1
    ;;
esac
folder=${XDG_CACHE_HOME:-$HOME/.cache}/antigone/onnxruntime
file=$folder/libonnxruntime.so.1
is_it() { [ -f "$1" ] && [ "$(sha256sum <"$1" | cut -d' ' -f1)" = $sum ]; }

is_it "$file" && exit 0
if ! command -v npm >/dev/null 2>&1; then
    echo "npm is missing: install it (Debian: apt-get install npm), or name a library of ONNX Runtime" \
        "in ANTIGONE_ONNXRUNTIME. Without it everything but faces works." >&2
    exit 1
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
echo "Installing ONNX Runtime $version" >&2
npm install --prefix "$scratch" --ignore-scripts --no-audit --no-fund --loglevel=error \
    "onnxruntime-node@$version" </dev/null >&2
new=$(ls "$scratch"/node_modules/onnxruntime-node/bin/napi-*/linux/$arch/libonnxruntime.so.1)
if ! is_it "$new"; then
    echo "The library in onnxruntime-node $version is not the one that is known: it is not taken." >&2
    exit 1
fi
mkdir -p "$folder"
# renamed into place, so that whoever runs the old one goes on with it
cp "$new" "$file.new"
mv "$file.new" "$file"
