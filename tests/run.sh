#!/bin/bash
# Everything that shows that Skerry works: `make test` runs it. On a fresh Debian 12 it installs what is missing (as
# root), builds, runs every suite, and ends with one line "N passed, N failed, N skipped". What cannot run says why.
# usage: tests/run.sh [SUITE...]     suites: unit asan mutation s3 clients http crash disk restart backup remote foreign replica bad_input encryption fuzz shell container corpora
# ROUNDS=n: of kills in the suite s3 (3; 50 before a release, which takes half an hour).
set -u
cd "$(dirname "$0")/.."
# Random tests take the same road every time here, so that a red run is this change's doing; SEED=n or
# SEED=$RANDOM looks elsewhere, and so does each test program when it is run by itself.
export SEED=${SEED:-7}
selected=" ${*:-unit asan mutation s3 clients http crash disk restart backup remote foreign replica bad_input encryption fuzz shell container corpora} "
passed=0 failed=0 skipped=0
started=$(date +%s)
logs=build/test-logs
mkdir -p "$logs"

say() { printf '%s\n' "== [$(($(date +%s) - started)) s] $*"; }
skip() { say "skipped $1: $2"; skipped=$((skipped + 1)); }

run() { # NAME SECONDS COMMAND...
    local name=$1 limit=$2
    shift 2
    timeout --kill-after=10 "$limit" "$@" >"$logs/$name.log" 2>&1 </dev/null
    echo $? >"$logs/$name.status"
}

# Shows what is not a pass of a suite that has run, and adds its counts up, with which it ends.
report() {
    local name=$1 rc last p f s _
    rc=$(cat "$logs/$name.status")
    last=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$logs/$name.log" | tail -n 1)
    grep -E '^(FAIL|SKIP|skip|INFO-SHOW|== )|died|Sanitizer' "$logs/$name.log" | grep -v ', 0 failed, 0 skipped$' | head -n 60
    if [ -z "$last" ]; then
        say "$name ended with status $rc and no counts; the end of $logs/$name.log:"
        tail -n 30 "$logs/$name.log"
        failed=$((failed + 1))
        return
    fi
    read -r p _ f _ s _ <<<"$last"
    [ "$rc" -ne 0 ] && [ "$f" -eq 0 ] && f=1
    [ "$f" -gt 0 ] && grep -B 8 -E '^FAIL' "$logs/$name.log" | head -n 120
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    say "$name: $p passed, $f failed, $s skipped"
}

suite() {
    say "$1"
    run "$@"
    report "$1"
}

wants() { [[ "$selected" == *" $1 "* ]]; }

install_packages() {
    local missing=()
    while read -r package; do
        case $package in '' | '#'*) continue ;; esac
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done <tests/packages.txt
    # A node.js that did not come from Debian serves as well.
    if command -v node >/dev/null && command -v npm >/dev/null; then
        missing=($(printf '%s\n' "${missing[@]}" | grep -vxE 'npm|nodejs'))
    fi
    [ ${#missing[@]} -eq 0 ] && return 0
    if [ "$(id -u)" -ne 0 ]; then
        say "not root, so not installed: ${missing[*]}"
        return 0
    fi
    say "installing ${missing[*]}"
    # Keeps the packages' services from starting by themselves.
    local policy=/usr/sbin/policy-rc.d made=
    [ -e $policy ] || { printf '#!/bin/sh\nexit 101\n' >$policy && chmod +x $policy && made=1; }
    apt-get update -q >"$logs/apt.log" 2>&1
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >>"$logs/apt.log" 2>&1
    local rc=$?
    [ -n "$made" ] && rm -f $policy
    [ $rc -eq 0 ] || { say "apt-get failed:"; tail -n 5 "$logs/apt.log"; }
    return $rc
}

install_packages || { failed=$((failed + 1)); }
say "building"
if ! make -s -j"$(nproc)" all tests >"$logs/build.log" 2>&1; then
    tail -n 40 "$logs/build.log"
    say "the build failed"
    echo "$passed passed, $((failed + 1)) failed, $skipped skipped"
    exit 1
fi

wants unit && suite unit 900 make -s unit
if wants asan; then
    if make -s -j"$(nproc)" MODE=asan tests >"$logs/build-asan.log" 2>&1; then
        suite asan 1500 make -s unit MODE=asan
    else
        tail -n 20 "$logs/build-asan.log"
        failed=$((failed + 1))
    fi
fi
# These wait more than they work: they run beside the others, one after another.
waiting=()
for name in restart backup remote replica http crash disk foreign bad_input encryption shell; do wants $name && waiting+=("$name"); done
if [ ${#waiting[@]} -gt 0 ]; then
    say "${waiting[*]}, beside the others"
    for name in "${waiting[@]}"; do run "$name" 900 python3 "tests/e2e/${name}_test.py"; done &
fi
wants mutation && suite mutation 900 tests/mutation/run.sh
if wants s3; then
    if [ "$(id -u)" -eq 0 ] && command -v radosgw >/dev/null; then
        suite s3 $((600 + 90 * ${ROUNDS:-3})) tests/s3/run.sh
    else
        skip s3 "Ceph RGW needs root and the packages ceph-mon ceph-osd radosgw ceph-common"
    fi
fi
if wants clients; then
    if command -v npm >/dev/null; then
        suite clients 600 tests/clients/run.sh
    else
        skip clients "npm is not installed"
    fi
fi
wants fuzz && suite fuzz 900 tests/fuzz/run.sh runs
if wants container; then
    if [ "$(id -u)" -eq 0 ] && command -v dockerd >/dev/null; then
        suite container 900 tests/docker/run.sh
    else
        skip container "it needs root and the packages docker.io docker-compose debootstrap"
    fi
fi
if wants corpora; then
    if [ -d ../shared/corpora ]; then
        suite corpora 900 tests/corpora/run.sh ../shared/corpora
    else
        skip corpora "../shared/corpora is not there"
    fi
fi
wait
for name in "${waiting[@]}"; do report "$name"; done
say "done"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
