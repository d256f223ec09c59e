#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: tools/fuzz.sh SECONDS [TARGET]...
# Builds tests/fuzz with clang's libFuzzer, ASan and UBSan in build-fuzz, and runs each target (or
# the named ones) for SECONDS.  Inputs that were new are kept in build-fuzz/corpus, what failed in
# build-fuzz/crash-*.
set -eu
seconds=$1
shift
build=build-fuzz
if [ ! -e $build/build.ninja ]; then
    CC=clang meson setup $build --buildtype=debugoptimized -Dfuzzing=true \
        -Db_sanitize=address,undefined -Db_lundef=false -Db_pie=false >/dev/null
fi
ls tests/fuzz/fuzz_*.c >/dev/null 2>&1 || exit 0
ninja -C $build fuzz-targets >$build/ninja.log || { tail -n 30 $build/ninja.log; exit 1; }
[ $# -gt 0 ] || set -- $(ls tests/fuzz/fuzz_*.c 2>/dev/null | sed 's,.*/fuzz_,,; s,\.c$,,')
bad=0
for target in "$@"; do
    mkdir -p "$build/corpus/$target"
    if "$build/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=20 \
        -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$build/crash-$target-" \
        "$build/corpus/$target" "tests/fuzz/corpus/$target" >"$build/$target.log" 2>&1 </dev/null
    then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$target.log")
        echo "fuzz $target: $runs inputs, nothing found"
    else
        tail -n 60 "$build/$target.log"
        echo "fuzz $target: FAILED"
        bad=1
    fi
done
exit $bad
