#!/bin/bash
# Goal: SQLite's own answers, at `skerry sql`. Method: the three runners of a folder of conformance cases (its README
# tells what they are) replay all their cases, those that newer releases answer otherwise with the newer answer (newer.py).
# What fails is told apart by tests/corpora/known_failures.txt: a case listed there counts as skipped (docs/sql.md says
# why they are), any other as a failure. Cases of the list that pass are named, so that it shrinks. Records of the .test
# files that are marked as other databases' (onlyif mysql) are none of SQLite's, and not counted.
# usage: tests/corpora/run.sh CORPORA_DIR [--update]     --update writes the list anew from this run
set -u
here=$(cd "$(dirname "$0")" && pwd)
corpora=$(cd "${1:?the folder of the cases}" && pwd) || exit 2
program=${SKERRY:-$here/../../build/release/skerry}
program=$(realpath "$program")
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# Runs one runner on a folder of cases; its last line is the line of counts.
run() {
    local name=$1 cases=$2
    shift 2
    python3 "$corpora/run_$name.py" --engine "$program sql -batch {db}" --jobs 2 --quiet --show 0 \
        --json "$out/$name.json" "$@" "$cases" >"$out/$name.log" 2>&1
    echo "$name: $(tail -n 1 "$out/$name.log")"
}

mkdir "$out/cases"
python3 "$here/newer.py" overlay "$corpora" "$out/cases" || exit 2
run slt "$corpora/slt"
run sqltest "$corpora/sqltest" --only "$corpora/sqltest/pass.txt" --fixtures "$corpora/fixtures"
run tcl "$out/cases"
python3 "$here/judge.py" "$out" "$here/known_failures.txt" "$corpora/slt" "${2:-}"
