#!/bin/bash
# Runs C test programs, as many at a time as there are processors, and adds up their counts.
# usage: tests/run_unit.sh PROGRAM...
set -u
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
printf '%s\n' "$@" | xargs -P "$(nproc)" -I{} bash -c '
    log=$1/$(echo "$2" | tr / _); timeout 600 "$2" >"$log" 2>&1; echo $? >"$log.rc"' _ "$out" {}
passed=0 failed=0 skipped=0
for program in "$@"; do
    log=$out/$(echo "$program" | tr / _)
    rc=$(cat "$log.rc" 2>/dev/null || echo 255)
    last=$(tail -n 1 "$log" | grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$')
    echo "== $program: ${last:-died with status $rc}"
    grep -vE '^ok |passed, [0-9]+ failed' "$log"
    if [ -n "$last" ]; then
        read -r p _ f _ s _ <<<"$last"
        passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
        [ "$rc" -ne 0 ] && [ "$f" -eq 0 ] && failed=$((failed + 1))
    else
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
