#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: package.sh [--update] BUILD-FOLDER SOURCE-FOLDER
# The Debian package of what BUILD-FOLDER would install (or, with --update, writes the list of its
# files anew).  Prints TAP.
set -u
update=
[ "${1:-}" = --update ] && update=1 && shift
build=$(realpath "$1")
source=$(realpath "$2")
list=$source/tests/install/package.list
scratch=$(mktemp -d)
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
export SOURCE_DATE_EPOCH=1790000000
n=0
bad=0

# check SENTENCE TOOL COMMAND...: skipped where there is no such tool
check() {
    local name=$1 tool=$2
    shift 2
    n=$((n + 1))
    if ! command -v "$tool" >/dev/null 2>&1; then
        echo "ok $n - $name # SKIP there is no $tool: tools/setup.sh dist"
    elif "$@" >"$scratch/log" 2>&1; then
        echo "ok $n - $name"
    else
        echo "not ok $n - $name"
        sed 's/^/# /' "$scratch/log"
        bad=1
    fi
}

# how it is made must not matter: mask, zone, language, folder, and when files were written
makes_a_package_twice() {
    "$source/tools/dist.sh" --build "$build" "$scratch/one" || return 1
    (
        umask 077
        export TZ=Pacific/Auckland LC_ALL=C TMPDIR="$scratch/elsewhere and deeper"
        mkdir "$TMPDIR"
        sleep 1
        "$source/tools/dist.sh" --build "$build" "$scratch/two"
    ) || return 1
    for file in "$scratch"/one/*; do
        cmp "$file" "$scratch/two/$(basename "$file")" || return 1
    done
    dpkg-deb -R "$scratch"/one/*.deb "$scratch/image"
}
# mode, owner, path, target, with what differs from one prefix or processor to the next left out
contents() {
    dpkg-deb -c "$(echo "$scratch"/one/*.deb)" | awk '{ print $1, $2, $6 $7 $8 }' |
        sed -E 's,\./usr/local/,./usr/,; s,lib/[a-z0-9_]+-linux-gnu[a-z0-9]*/,lib/TRIPLET/,'
}
holds_what_is_listed() {
    [ -z "$update" ] || contents >"$list"
    diff -u "$list" <(contents)
}
sums_are_right() {
    (cd "$scratch/image" && md5sum --quiet -c DEBIAN/md5sums) &&
        diff <(cut -c 35- "$scratch/image/DEBIAN/md5sums" | sort) \
            <(cd "$scratch/image" && find . -type f ! -path './DEBIAN/*' | cut -c 3- | sort)
}
names_no_place_of_this_machine() {
    find "$scratch/image" -name '*.gz' -exec gunzip {} +
    ! grep -rlaF -e "$source" -e "$build" -e "$scratch" "$scratch/image"
}
version_is_the_programs() {
    local project
    project=$("$build/antigone" version | head -n 1 | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1)
    dpkg-deb -f "$(echo "$scratch"/one/*.deb)" Version | tee /dev/stderr | grep -qF "$project-"
}
parts_are_told() {
    "$source/tests/install/sbom.py" "$(echo "$scratch"/one/*.spdx.json)" \
        "$(dpkg-deb -f "$(echo "$scratch"/one/*.deb)" Depends)" &&
        cmp "$scratch"/one/*.spdx.json "$(find "$scratch/image" -name '*.spdx.json')"
}
scripts_are_well_formed() {
    local script
    for script in postinst prerm postrm; do
        sh -n "$scratch/image/DEBIAN/$script" || return 1
    done
    ! grep -n 'rm -r\|rm -f\|deluser\|userdel' "$scratch"/image/DEBIAN/p*
}
units_are_closed() {
    local unit
    for unit in antigone antigone-match; do
        systemd-analyze security --offline=true --threshold=20 --no-pager \
            "$build/packaging/$unit.service" || return 1
    done
}

check "a package is made twice with the same bytes" dpkg-shlibdeps makes_a_package_twice
check "it holds what tests/install/package.list says" dpkg-shlibdeps holds_what_is_listed
check "each file has its right sum" dpkg-shlibdeps sums_are_right
check "no file names a folder of the machine that built it" dpkg-shlibdeps \
    names_no_place_of_this_machine
check "its version is the program's" dpkg-shlibdeps version_is_the_programs
check "the SPDX document has what the format asks for, and every library" dpkg-shlibdeps \
    parts_are_told
check "no maintainer script removes a file or a user" dpkg-shlibdeps scripts_are_well_formed
check "both units are at most 2.0 exposed" systemd-analyze units_are_closed
echo "1..$n"
exit $bad
