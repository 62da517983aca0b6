#!/bin/bash
# Everything that shows how fast Skerry is: `make bench` runs it, in about twenty minutes. It installs what is missing (as
# root), builds, and prints one table for each area, with ratios measured in the same run. What cannot run says why.
# usage: tests/bench/run.sh [AREA...]      areas: io commit write storage sql http remote backup image
#   io       the ring                          commit   durable commits of 1, 8 and 64 writers
#   write    bulk insert and its peak memory, a checkpoint, 8 clients that read and write, opening a file, Turso
#   storage  cold and warm reads, memory       sql      queries in the page cache, TPC-H
# Environment, with what it is unless it says else:
#   STORAGE_MIB=1024     size of the file of the area "storage"
#   WRITE_ROWS=1000000   rows of the bulk inserts of the area "write"
#   WRITE_MIB=100        log that its checkpoint moves
#   WRITE_SECONDS=0.7    of each round of its mix
#   WRITE_ROUNDS=3       of which the median counts, three times as many of the mix
#   REMOTE_MB=1024       size of the database of the area "remote"
#   PUSH_PAIRS=4         rounds with and without pushes, each of the area's three loads twice
#   SIZE_MB=256          size of the database that the area "backup" restores
set -u
cd "$(dirname "$0")/../.."
areas=" ${*:-io commit write storage sql http remote backup image} "
scratch=build/bench
mkdir -p "$scratch"

need() { # COMMAND PACKAGE
    command -v "$1" >/dev/null && return 0
    if [ "$(id -u)" = 0 ]; then
        { apt-get install -y "$2" || { apt-get update && apt-get install -y "$2"; }; } >"$scratch/apt.log" 2>&1
    fi
    command -v "$1" >/dev/null || { echo "$1 is not installed: apt-get install $2"; return 1; }
}
wants() { [[ $areas == *" $1 "* ]]; }
heading() { printf '\n== %s\n' "$*"; }

need npm npm && { [ -d tests/bench/node_modules/better-sqlite3 ] && [ -d tests/bench/node_modules/@tursodatabase/database ] ||
    (cd tests/bench && npm install --ignore-scripts --no-audit --no-fund) >"$scratch/npm.log" 2>&1 ||
    { echo "npm install failed:"; tail -n 5 "$scratch/npm.log"; }; }
make -s -j"$(nproc)" all build/release/bench_io || exit 1
echo "$(nproc) processors, load $(cut -d' ' -f1-3 /proc/loadavg), $(uname -sr)"

if wants io; then
    heading "the ring"
    need fio fio
    need strace strace
    build/release/bench_io --dir "$scratch" --size 256 --rounds 3 --seconds 0.7
    rm -f "$scratch/bench_io.data"
fi
if wants commit || wants sql; then
    make -s -j"$(nproc)" build/release/bench_sql build/release/bench_sql_commit || exit 1
fi
if wants commit; then
    heading "commits"
    build/release/bench_sql_commit --dir "$scratch"
fi
if wants write; then
    heading "writing"
    make -s -j"$(nproc)" build/release/bench_write || exit 1
    build/release/bench_write --dir "$scratch" --rows "${WRITE_ROWS:-1000000}" --mib "${WRITE_MIB:-100}" --seconds "${WRITE_SECONDS:-0.7}" \
        --rounds "${WRITE_ROUNDS:-3}"
fi
if wants storage; then
    heading "storage"
    make -s -j"$(nproc)" build/release/bench_storage || exit 1
    build/release/bench_storage --dir "$scratch" --mib "${STORAGE_MIB:-1024}"
    rm -rf "$scratch/idle"
    build/release/skerry serve --data "$scratch/idle" --listen 127.0.0.1:18092 --store none 2>"$scratch/idle.log" &
    node=$!
    for _ in $(seq 500); do grep -q node.listening "$scratch/idle.log" && break; sleep 0.01; done
    sleep 0.3
    echo "a node that has nothing to do: $(awk '/VmRSS/ {printf "%.1f MiB, of which its own %s", $2 / 1024, ""} /RssAnon/ {printf "%.1f MiB\n", $2 / 1024}' "/proc/$node/status")"
    kill "$node"
    wait "$node"
    rm -rf "$scratch/idle"
fi
if wants sql; then
    heading "SQL"
    build/release/bench_sql --dir "$scratch"
fi
if wants http; then
    heading "HTTP"
    need wrk wrk && need curl curl && tests/bench/http.sh 6
fi
if wants remote; then
    heading "databases in a store, replicas"
    tests/bench/remote.py "${REMOTE_MB:-1024}"
fi
if wants backup; then
    heading "backup"
    need sqlite3 sqlite3 && need curl curl && need wrk wrk
    if [ "$(id -u)" = 0 ] && command -v radosgw >/dev/null; then
        export RGW_DIR=$PWD/$scratch/rgw
        tests/s3/ceph-rgw.sh start >"$scratch/rgw.log" 2>&1 || unset RGW_DIR
    fi
    make -s -j"$(nproc)" build/release/bench_push || exit 1
    build/release/bench_push --dir "$scratch" --sets 2 --pairs "${PUSH_PAIRS:-4}"
    python3 tests/bench/backup.py "$scratch"
    [ -n "${RGW_DIR:-}" ] && tests/s3/ceph-rgw.sh wipe
    make -s build/release/tests/sync/backup_test && build/release/tests/sync/backup_test hour day_of
fi
if wants image; then
    heading "image"
    size=$(docker image inspect skerry --format '{{.Size}}' 2>/dev/null)
    if [ -n "$size" ]; then
        awk -v s="$size" 'BEGIN { printf "skerry: %.1f MB\n", s / 1e6 }'
    else
        echo "docker has no image called skerry: docker build -t skerry -f docker/Dockerfile ."
    fi
    echo "program: $(($(stat -c %s build/release/skerry) / 1024)) KiB, stripped $(strip -o "$scratch/stripped" build/release/skerry && stat -c %s "$scratch/stripped" | awk '{print int($1 / 1024)}') KiB"
fi
