#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: tools/fuzz.sh SECONDS [TARGET]...
# Builds tests/fuzz with clang's libFuzzer, ASan and UBSan in build-fuzz, and runs each target (or
# the named ones) for SECONDS, as many at once as there are processors.  Inputs that were new are
# kept in build-fuzz/corpus, what failed in build-fuzz/crash-*.
set -eu
build=build-fuzz

# usage: one SECONDS TARGET
one() {
    mkdir -p "$build/corpus/$2"
    if "$build/tests/fuzz/fuzz_$2" -max_total_time="$1" -timeout=20 \
        -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$build/crash-$2-" \
        "$build/corpus/$2" "tests/fuzz/corpus/$2" >"$build/$2.log" 2>&1 </dev/null
    then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$2.log")
        echo "fuzz $2: $runs inputs, nothing found"
    else
        tail -n 60 "$build/$2.log"
        echo "fuzz $2: FAILED"
        return 1
    fi
}
if [ "$1" = --one ]; then
    one "$2" "$3"
    exit
fi
seconds=$1
shift
if [ ! -e $build/build.ninja ]; then
    CC=clang meson setup $build --buildtype=debugoptimized -Dfuzzing=true \
        -Db_sanitize=address,undefined -Db_lundef=false -Db_pie=false >/dev/null
fi
ls tests/fuzz/fuzz_*.c >/dev/null 2>&1 || exit 0
ninja -C $build fuzz-targets >$build/ninja.log || { tail -n 30 $build/ninja.log; exit 1; }
[ $# -gt 0 ] || set -- $(ls tests/fuzz/fuzz_*.c 2>/dev/null | sed 's,.*/fuzz_,,; s,\.c$,,')
printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 "$0" --one "$seconds"
