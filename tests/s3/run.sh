#!/bin/bash
# The object store's contract, backups with restore, databases opened from the store, replicas, and SIGKILL of node and
# gateway, against Ceph's object gateway.
# ROUNDS=n: of kills (3).
set -u
cd "$(dirname "$0")/../.."
export RGW_DIR=${RGW_DIR:-$(mktemp -d)/rgw}
trap 'tests/s3/ceph-rgw.sh wipe >/dev/null 2>&1' EXIT
tests/s3/ceph-rgw.sh start || { echo "FAIL Ceph RGW does not start"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
endpoint=http://127.0.0.1:${RGW_PORT:-7480}
curl -fsS -X PUT --user testak:testsk1234567890 --aws-sigv4 aws:amz:us-east-1:s3 \
    -H "x-amz-content-sha256: $(printf '' | sha256sum | cut -d' ' -f1)" "$endpoint/skerry-test" ||
    echo "FAIL the bucket cannot be made"
SKERRY_TEST_S3=$endpoint,testak,testsk1234567890 build/release/tests/sync/object_store_test s3_store_over_named_server >build/s3.log 2>&1
contract=$?
cat build/s3.log
if [ $contract -eq 0 ] && grep -q '^ok s3_store_over_named_server' build/s3.log; then
    passed=1 failed=0
else
    echo "FAIL the store's contract over Ceph RGW"
    passed=0 failed=1
fi
export S3_ENDPOINT=$endpoint S3_KEY=testak S3_SECRET=testsk1234567890 ROUNDS=${ROUNDS:-3}
skipped=0
for test in "e2e/restart" "e2e/remote killed" "e2e/replica follows promoted_s3" "s3/kill"; do
    read -r name only <<<"$test"
    log=build/s3-${name#*/}.log
    # shellcheck disable=SC2086 # parts of the names of its tests
    python3 "tests/${name}_test.py" $only >"$log" 2>&1
    grep -v '^ok' "$log"
    read -r p _ f _ s _ <<<"$(tail -n 1 "$log")"
    passed=$((passed + ${p:-0})) failed=$((failed + ${f:-1})) skipped=$((skipped + ${s:-0}))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
