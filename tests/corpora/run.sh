#!/bin/bash
# Goal: SQLite's own answers, at `skerry sql`. Method: the three runners of a folder of conformance cases (its README
# tells what they are) replay all their cases; what fails is told apart by tests/corpora/known_failures.txt: a case
# listed there counts as skipped, any other as a failure. Cases of the list that pass are named, so that it shrinks.
# usage: tests/corpora/run.sh CORPORA_DIR [--update]     --update writes the list anew from this run
set -u
here=$(cd "$(dirname "$0")" && pwd)
corpora=$(cd "${1:?the folder of the cases}" && pwd) || exit 2
program=${SKERRY:-$here/../../build/release/skerry}
program=$(realpath "$program")
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# Runs one runner; its last line is the line of counts.
run() {
    local name=$1
    shift
    python3 "$corpora/run_$name.py" --engine "$program sql -batch {db}" --jobs 2 --quiet --show 0 \
        --json "$out/$name.json" "$@" "$corpora/$name" >"$out/$name.log" 2>&1
    echo "$name: $(tail -n 1 "$out/$name.log")"
}

run slt
run sqltest --only "$corpora/sqltest/pass.txt" --fixtures "$corpora/fixtures"
run tcl
python3 "$here/judge.py" "$out" "$here/known_failures.txt" "${2:-}"
