#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: tools/setup.sh [lint|dist|faces]
# Installs what building and testing need (with `lint`: what the linters and fuzzers need too; with
# `dist`: what making and trying out a package needs), by apt-get, and only when something is
# missing.  With `faces`: ONNX Runtime alone (tools/onnxruntime.sh).  Never asks anything.
set -eu
# what runs networks for faces is the user's own, and needs no administrator
[ "${1:-}" = faces ] && exec "$(dirname "$0")/onnxruntime.sh"
# where debootstrap lies, which is not in the PATH of everybody
PATH=$PATH:/usr/sbin

# thing to look for, and the Debian package that brings it
tools='gcc:gcc make:make meson:meson ninja:ninja-build pkg-config:pkg-config
    curl:curl'
libs='jansson:libjansson-dev libxml-2.0:libxml2-dev libsodium:libsodium-dev
    liboath:liboath-dev icu-i18n:libicu-dev libpq:libpq-dev sqlite3:libsqlite3-dev
    libmicrohttpd:libmicrohttpd-dev gnutls:libgnutls28-dev libqrencode:libqrencode-dev
    libcurl:libcurl4-gnutls-dev cmocka:libcmocka-dev vips:libvips-dev libseccomp:libseccomp-dev'
[ "${1:-}" = lint ] &&
    tools="$tools git:git clang:clang clang-tidy:clang-tidy clang-format:clang-format cppcheck:cppcheck"

[ "${1:-}" = dist ] && tools="$tools git:git dpkg-shlibdeps:dpkg-dev readelf:binutils
    debootstrap:debootstrap systemd-analyze:systemd"

find_missing() {
    for pair in $tools; do
        command -v "${pair%%:*}" >/dev/null 2>&1 || printf '%s ' "${pair#*:}"
    done
    for pair in $libs; do
        pkg-config --exists "${pair%%:*}" 2>/dev/null || printf '%s ' "${pair#*:}"
    done
    [ -e /usr/include/stdio.h ] || printf 'libc6-dev '
    # what the tests of the store start
    [ -e /usr/lib/postgresql/15/bin/initdb ] || printf 'postgresql-15 '
    if [ "$want" = lint ] && ! ls /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-* \
        >/dev/null 2>&1; then
        printf 'libclang-rt-dev '
    fi
}

want=${1:-}
missing=$(find_missing)
[ -z "$missing" ] && exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "Missing: $missing(names of Debian packages). This system has no apt-get:" \
        "install them with its own package manager, then run the command again." >&2
    exit 1
fi
sudo=
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null 2>&1 || ! sudo -n true 2>/dev/null; then
        # a terminal may be asked for the password by sudo itself; a script may not
        if [ ! -t 0 ] || ! command -v sudo >/dev/null 2>&1; then
            echo "Missing: $missing. Ask an administrator to run: apt-get install $missing" >&2
            exit 1
        fi
    fi
    sudo=sudo
fi
echo "Installing $missing" >&2
export DEBIAN_FRONTEND=noninteractive
install() {
    # shellcheck disable=SC2086
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        $missing </dev/null >&2
}
install || { $sudo apt-get update -q </dev/null >&2 && install; } || {
    echo "apt-get could not install: $missing. Without a network, copy these packages from a" \
        "machine that has one (apt-get download), or connect it, and run the command again." >&2
    exit 1
}
missing=$(find_missing)
[ -z "$missing" ] || { echo "Still missing after the installation: $missing" >&2; exit 1; }
