#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: tools/dist.sh [--version VERSION] [--build BUILD-FOLDER] OUT-FOLDER
# Makes the Debian package and its SBOM in OUT-FOLDER: from a build of its own, or from what an
# existing build folder would install.  The same commit gives the same bytes.
set -eu
umask 022
version=
build=
while [ $# -gt 1 ]; do
    case $1 in
    --version) version=$2 ;;
    --build) build=$(realpath "$2") ;;
    *) sed -n 3p "$0" >&2; exit 2 ;;
    esac
    shift 2
done
mkdir -p "$1"
out=$(realpath "$1")
cd "$(dirname "$0")/.."
export LC_ALL=C.UTF-8 TZ=UTC
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) || {
        echo "tools/dist.sh: this is no git checkout: set SOURCE_DATE_EPOCH" >&2
        exit 1
    }
fi
export SOURCE_DATE_EPOCH
if [ -z "$build" ]; then
    build=$PWD/build-dist
    [ -e "$build/build.ninja" ] ||
        meson setup "$build" --prefix=/usr --libexecdir=libexec -Ddebug=false -Dtests=false >&2
    ninja -C "$build" >&2
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
meson install -C "$build" --no-rebuild --quiet --destdir "$scratch/root"
python3 -B tools/package.py "$scratch" packaging/debian "$out" \
    "${version:-$(sed -n '1s/.*(\(.*\)).*/\1/p' packaging/debian/changelog)}" \
    "$(git describe --always --abbrev=40 --dirty --exclude='*' 2>/dev/null || echo unknown)"
