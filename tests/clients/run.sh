#!/bin/bash
# Starts a node, runs the real clients' suites against it, over io_uring and over posix, and adds up their counts.
set -u
cd "$(dirname "$0")"
program=$PWD/../../build/release/skerry
npm install --no-audit --no-fund --silent || { echo "npm install failed"; exit 1; }
work=$(mktemp -d)
pid=
trap '[ -n "$pid" ] && kill $pid; wait; rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0

serve() { # name, then flags
    local name=$1
    shift
    "$program" serve --data "$work/$name" --listen 127.0.0.1:0 "$@" 2>"$work/$name.log" &
    pid=$!
    for _ in $(seq 100); do
        port=$(grep -o 'event=node.listening.* port=[0-9]*' "$work/$name.log" | grep -o '[0-9]*$')
        [ -n "$port" ] && return 0
        sleep 0.1
    done
    echo "FAIL the node did not start:"
    cat "$work/$name.log"
    exit 1
}

run() { # suite, label
    local last p f s _
    TOKEN=$token SLOW=1 STRICT=1 node "$1" "http://127.0.0.1:$port" >"$work/out" 2>&1
    last=$(tail -n 1 "$work/out")
    grep -v '^PASS' "$work/out" | sed "s/^FAIL/FAIL $2/"
    if ! [[ $last =~ ^[0-9]+\ passed ]]; then
        echo "FAIL $2 $1 ended without counts"
        failed=$((failed + 1))
        return
    fi
    read -r p _ f _ s _ <<<"$last"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

token=secret-token-for-tests
for vfs in io_uring posix; do
    serve $vfs --vfs $vfs --auth-token $token
    for suite in libsql_http.mjs turso_serverless.mjs; do run $suite $vfs; done
    kill $pid && wait $pid
    status=$?
    pid=
    if [ $status -eq 0 ]; then passed=$((passed + 1)); else echo "FAIL $vfs stopped with status $status" && failed=$((failed + 1)); fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
