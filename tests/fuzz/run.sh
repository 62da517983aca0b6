#!/bin/bash
# Runs fuzzers that are built in build/fuzz: each for a time on what earlier runs found (make fuzz), or a fixed number of
# runs from the seeds alone with a fixed seed (make test). Ends with "N passed, N failed, N skipped".
# usage: tests/fuzz/run.sh seconds N NAME_fuzz...
#        tests/fuzz/run.sh runs                     (builds them first)
set -u
cd "$(dirname "$0")/../.."
how=$1
out=build/fuzz
export ASAN_OPTIONS=${ASAN_OPTIONS:-allocator_may_return_null=1:max_allocation_size_mb=64:detect_stack_use_after_return=0}
export UBSAN_OPTIONS=print_stacktrace=1
passed=0 failed=0

# Runs enough to take a few seconds each: what is slow gets fewer.
runs_of() {
    case $1 in
        number_fuzz | json_fuzz | s3_xml_fuzz | credentials_fuzz | mark_fuzz | key_fuzz) echo 20000 ;;
        parse_fuzz) echo 20000 ;;
        config_fuzz | segment_fuzz) echo 5000 ;;
        function_fuzz) echo 2000 ;;
        http_fuzz | hub_fuzz | hrana_fuzz | stream_fuzz) echo 500 ;;
        fts_fuzz | stat_fuzz) echo 100 ;;
        *) echo 400 ;;
    esac
}

if [ "$how" = runs ]; then
    if ! command -v clang >/dev/null || ! ls /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-* >/dev/null 2>&1; then
        echo "skip fuzz: clang with libFuzzer is not installed (packages clang and libclang-rt-14-dev)"
        echo "0 passed, 0 failed, 1 skipped"
        exit 0
    fi
    if ! make -s -j"$(nproc)" MODE=fuzz fuzzers; then
        echo "FAIL fuzz: the fuzzers do not build"
        echo "0 passed, 1 failed, 0 skipped"
        exit 1
    fi
    names=(tests/fuzz/*_fuzz.c)
    names=("${names[@]##*/}")
    names=("${names[@]%.c}")
else
    seconds=$2
    shift 2
    names=("$@")
fi

for name in "${names[@]}"; do
    corpus=$out/corpus/$name seeds=$out/seeds/$name
    rm -rf "$seeds"
    mkdir -p "$corpus" "$seeds" "$out/crashes"
    "$out/$name" --seeds "$seeds" >"$out/$name.log" 2>&1 || { echo "FAIL $name: its seeds"; failed=$((failed + 1)); continue; }
    common=(-timeout=30 -rss_limit_mb=3000 -malloc_limit_mb=2500 -print_final_stats=0 "-artifact_prefix=$out/crashes/$name-")
    case $name in
        sql_fuzz | parse_fuzz) common+=(-dict=tests/fuzz/sql.dict) ;;
        import_fuzz) common+=(-close_fd_mask=2) ;; # what is odd is told, line by line
    esac
    if [ "$how" = runs ]; then
        nice "$out/$name" "${common[@]}" -seed=1 -max_len=8192 -runs="$(runs_of "$name")" "$seeds" >>"$out/$name.log" 2>&1
    else
        nice "$out/$name" "${common[@]}" -max_len=16384 -max_total_time="$seconds" "$corpus" "$seeds" >>"$out/$name.log" 2>&1
    fi
    if [ $? -eq 0 ]; then
        echo "ok $name ($(grep -cE '^#' "$out/$name.log") reports, $(grep -oE '^#[0-9]+' "$out/$name.log" | tail -n 1) runs)"
        passed=$((passed + 1))
    else
        tail -n 40 "$out/$name.log"
        echo "FAIL $name: $(ls -t "$out/crashes/$name-"* 2>/dev/null | head -n 1)"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
