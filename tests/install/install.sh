#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: install.sh BUILD-FOLDER SOURCE-FOLDER
# Installs into a scratch folder and uses what lies there as somebody else would.  Prints TAP.
set -u
build=$1
source=$2
dest=$(mktemp -d)
trap 'rm -rf "$dest"' EXIT
n=0
bad=0

check() {
    local name=$1
    shift
    n=$((n + 1))
    if "$@" >"$dest/log" 2>&1; then
        echo "ok $n - $name"
    else
        echo "not ok $n - $name"
        sed 's/^/# /' "$dest/log"
        bad=1
    fi
}

installs() {
    meson install -C "$build" --no-rebuild --quiet --destdir "$dest/image"
}
everything_is_there() {
    local found=0
    for pattern in bin/antigone 'lib*/libantigone.so.0' 'lib*/libantigone.a' \
        'pkgconfig/antigone.pc' include/antigone/antigone.h man1/antigone.1 \
        libexec/antigone/antigone-worker man8/antigone-worker.8 \
        bash-completion/completions/antigone site-functions/_antigone antigone.fish; do
        if ! find "$dest/image" -path "*/$pattern" | grep -q .; then
            echo "missing: $pattern"
            found=1
        fi
    done
    return $found
}
flags() {
    local folder
    folder=$(dirname "$(find "$dest/image" -name antigone.pc)")
    PKG_CONFIG_LIBDIR=$folder:$(pkg-config --variable pc_path pkg-config) \
        PKG_CONFIG_SYSROOT_DIR=$dest/image pkg-config "$@" antigone |
        # the libraries of the system do not lie in the scratch folder
        sed "s,$dest/image/usr/include,/usr/include,g; s,-L$dest/image/usr/lib,-L/usr/lib,g"
}
program() {
    cat >"$dest/user.c" <<'END'
#include <antigone/antigone.h>
#include <stdio.h>

int main(void) {
    atg_params params = atg_params_default();
    atg_str name = atg_marker_usual_name(ATG_STR("THO1"));

    printf("%.*s %g\n", ATG_FMT(name), params.threshold);
    return 0;
}
END
}
links_shared() {
    local so
    # shellcheck disable=SC2046
    cc -Wall -Wextra -Werror "$dest/user.c" -o "$dest/user" $(flags --cflags --libs) || return 1
    so=$(find "$dest/image" -name libantigone.so.0)
    [ "$(LD_LIBRARY_PATH=$(dirname "$so") "$dest/user")" = "TH01 0.9995" ]
}
# the archive, with the libraries that it needs as shared ones: their static forms need more
links_static() {
    local archive needed
    archive=$(find "$dest/image" -name libantigone.a)
    needed=$(sed -n 's/^Requires.private: *//p' "$(find "$dest/image" -name antigone.pc)")
    # shellcheck disable=SC2046,SC2086
    cc -Wall -Wextra -Werror "$dest/user.c" -o "$dest/user-static" $(flags --cflags) "$archive" \
        $(pkg-config --libs ${needed//,/ }) -lm -lpthread || return 1
    [ "$("$dest/user-static")" = "TH01 0.9995" ]
}
exports_only_the_api() {
    local others
    others=$(nm -D --defined-only "$(find "$dest/image" -name libantigone.so.0)" |
        awk '$3 !~ /^atg_/ { print $3 }')
    [ -z "$others" ] || { echo "exported too: $others"; return 1; }
}
exports_the_whole_api() {
    local so declared missing
    so=$(find "$dest/image" -name libantigone.so.0)
    # every function that a header declares is there
    declared=$(cat "$source"/include/antigone/*.h | tr '\n' ' ' | grep -oE 'ATG_API [^;]*;' |
        grep -oE 'atg_[a-z0-9_]+\(' | tr -d '(' | sort -u)
    missing=$(comm -23 <(echo "$declared") <(nm -D --defined-only "$so" | awk '{ print $3 }' | sort -u))
    [ -z "$missing" ] || { echo "declared and not there: $missing"; return 1; }
}
headers_stand_alone() {
    local header
    for header in "$dest"/image/usr/*/include/antigone/*.h "$dest"/image/usr/include/antigone/*.h; do
        [ -e "$header" ] || continue
        echo "#include <antigone/$(basename "$header")>" |
            cc -xc -std=gnu11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only \
                -I"$(dirname "$(dirname "$header")")" - || return 1
    done
}
manual_and_completions_are_well_formed() {
    local root=$dest/image
    bash -n "$(find "$root" -path '*/completions/antigone')" &&
        grep -q '^\.SH "EXIT STATUS"' "$(find "$root" -name antigone.1)" &&
        grep -q '^#compdef antigone' "$(find "$root" -name _antigone)"
}
completion_offers_commands_and_options() {
    # shellcheck disable=SC1090
    . "$(find "$dest/image" -path '*/completions/antigone')"
    COMP_WORDS=(antigone fam) COMP_CWORD=1
    _antigone
    [ "${COMPREPLY[*]}" = families ] || return 1
    COMP_WORDS=(antigone families '') COMP_CWORD=2
    _antigone
    [ "${COMPREPLY[*]}" = "check power" ] || return 1
    COMP_WORDS=(antigone families power --sim) COMP_CWORD=3
    _antigone
    [ "${COMPREPLY[*]}" = --simulations ]
}

program
check "meson installs into a folder of choice" installs
check "program, library, headers, manual and completions are there" everything_is_there
check "a program links with the shared library through pkg-config" links_shared
check "a program links with the static library" links_static
check "the shared library exports nothing but the API" exports_only_the_api
check "every declared function is in the shared library" exports_the_whole_api
check "each public header stands alone" headers_stand_alone
check "manual and completions are well formed" manual_and_completions_are_well_formed
check "completion offers commands, second words and options" completion_offers_commands_and_options
echo "1..$n"
exit $bad
