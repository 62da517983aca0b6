#!/bin/bash
# Everything that shows that Skerry works: `make test` runs it. On a fresh Debian 12 it installs what is missing (as
# root), builds, runs every suite, and ends with one line "N passed, N failed, N skipped". What cannot run says why.
# usage: tests/run.sh [SUITE...]     suites: see below; without any: all
# ROUNDS=n: of kills in the suite s3 (3; 50 before a release, which takes half an hour).
set -u
cd "$(dirname "$0")/.."
# Random tests take the same road every time here, so that a red run is this change's doing; SEED=n or
# SEED=$RANDOM looks elsewhere, and so does each test program when it is run by itself.
export SEED=${SEED:-7}
suites="unit asan mutation s3 clients http crash disk restart backup remote foreign replica bad_input encryption fuzz shell container corpora"
for name in "$@"; do
    [[ " $suites " == *" $name "* ]] && continue
    echo "there is no suite '$name'; there are: $suites" >&2
    exit 2
done
selected=" ${*:-$suites} "
passed=0 failed=0 skipped=0
started=$(date +%s)
logs=build/test-logs
mkdir -p "$logs"

say() { printf '%s\n' "== [$(($(date +%s) - started)) s] $*"; }
skip() { say "skipped $1: $2"; skipped=$((skipped + 1)); }

# What this machine lacks for a suite: nothing is printed when it can run.
lacks() {
    case $1 in
        s3)
            [ "$(id -u)" -eq 0 ] && command -v radosgw >/dev/null ||
                echo "Ceph RGW needs root and the packages ceph-mon ceph-osd radosgw ceph-common"
            ;;
        clients) command -v npm >/dev/null || echo "npm is not installed" ;;
        container)
            [ "$(id -u)" -eq 0 ] && command -v dockerd >/dev/null ||
                echo "it needs root and the packages docker.io docker-compose debootstrap"
            ;;
        corpora) [ -d ../shared/corpora ] || echo "../shared/corpora is not there" ;;
    esac
}

# Runs a suite and shows what of it is no pass. Its counts are in its log's last line: see count.
run() {
    local name=$1 rc limit=900 command=(python3 "tests/e2e/$1_test.py")
    case $name in
        unit) command=(make -s unit) ;;
        asan) limit=1500 command=(make -s unit MODE=asan) ;;
        mutation) command=(tests/mutation/run.sh) ;;
        s3) limit=$((600 + 90 * ${ROUNDS:-3})) command=(tests/s3/run.sh) ;;
        clients) command=(tests/clients/run.sh) ;;
        fuzz) command=(tests/fuzz/run.sh runs) ;;
        container) command=(tests/docker/run.sh) ;;
        corpora) command=(tests/corpora/run.sh ../shared/corpora) ;;
    esac
    say "$name"
    timeout --kill-after=10 "$limit" "${command[@]}" >"$logs/$name.log" 2>&1 </dev/null
    rc=$?
    echo $rc >"$logs/$name.status"
    grep -E '^(FAIL|SKIP|skip|== )|died|Sanitizer' "$logs/$name.log" | grep -v ', 0 failed, 0 skipped$' | head -n 60
    if counts "$name" >/dev/null; then
        grep -B 8 -E '^FAIL' "$logs/$name.log" | head -n 120
        say "$name: $(counts "$name")$([ $rc -eq 0 ] || echo ", status $rc")"
    else
        say "$name ended with status $rc and no counts; the end of $logs/$name.log:"
        tail -n 30 "$logs/$name.log"
    fi
}

counts() { grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$logs/$1.log" | tail -n 1 | grep .; }

# Adds up the counts of suites that have run.
count() {
    local name p f s _
    for name in "$@"; do
        read -r p _ f _ s _ <<<"$(counts "$name" || echo "0 passed, 1 failed, 0 skipped")"
        [ "$(cat "$logs/$name.status")" -ne 0 ] && [ "$f" -eq 0 ] && f=1
        passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    done
}

# Of the suites named, those that are wanted and can run are in `able`; what cannot is told.
able_of() {
    local name why
    able=()
    for name in "$@"; do
        wants "$name" || continue
        why=$(lacks "$name")
        if [ -n "$why" ]; then skip "$name" "$why"; else able+=("$name"); fi
    done
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

wants unit && run unit && count unit
if wants asan; then
    if make -s -j"$(nproc)" MODE=asan tests >"$logs/build-asan.log" 2>&1; then
        run asan
        count asan
    else
        tail -n 20 "$logs/build-asan.log"
        say "the build with the sanitizers failed"
        failed=$((failed + 1))
    fi
fi
# The first lane works; the others wait more than they work. A lane's suites run one after another.
lanes=("mutation fuzz corpora" "restart backup http crash disk foreign bad_input encryption shell s3 clients" "remote replica container")
ran=()
for lane in "${lanes[@]}"; do
    # shellcheck disable=SC2086
    able_of $lane
    for name in "${able[@]}"; do run "$name"; done &
    ran+=("${able[@]}")
done
wait
count "${ran[@]}"
say "done"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
