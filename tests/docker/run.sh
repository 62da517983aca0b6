#!/bin/bash
# Goal: `docker compose up` gives a working, confined, backed-up node. Method: a real Docker engine (started here when
# none runs), the repository's compose file; where no registry can be reached debian:bookworm-slim is made by debootstrap.
set -u
cd "$(dirname "$0")/../.."
passed=0 failed=0
work=$(mktemp -d)
export COMPOSE_PROJECT_NAME=skerrytest$$ SKERRY_PUBLISH=127.0.0.1:18080
url=http://127.0.0.1:18080
engine_pid=

ok() { passed=$((passed + 1)); echo "ok $1"; }
bad() { failed=$((failed + 1)); echo "  $2"; echo "FAIL $1"; }
expect() { # name, got, want
    if [ "$2" = "$3" ]; then ok "$1"; else bad "$1" "got '$2', want '$3'"; fi
}
compose() {
    if docker compose version >/dev/null 2>&1; then docker compose "$@"; else docker-compose "$@"; fi
}
finish() {
    compose --profile s3 down -v --remove-orphans >/dev/null 2>&1
    docker rm -f "$COMPOSE_PROJECT_NAME-nouring" >/dev/null 2>&1
    [ -n "$engine_pid" ] && kill "$engine_pid" && wait "$engine_pid" 2>/dev/null
    rm -rf "$work"
}
trap finish EXIT

if ! docker info >/dev/null 2>&1; then
    dockerd >"$work/dockerd.log" 2>&1 &
    engine_pid=$!
    for _ in $(seq 100); do docker info >/dev/null 2>&1 && break; sleep 0.2; done
    docker info >/dev/null 2>&1 || { tail -n 5 "$work/dockerd.log"; echo "FAIL dockerd does not start"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
fi

if ! docker image inspect debian:bookworm-slim >/dev/null 2>&1 && ! timeout 60 docker pull -q debian:bookworm-slim >/dev/null 2>&1; then
    echo "no registry: making debian:bookworm-slim with debootstrap"
    debootstrap --variant=minbase bookworm "$work/root" >"$work/debootstrap.log" 2>&1 || { tail -n 5 "$work/debootstrap.log"; echo "FAIL debootstrap"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
    tar -C "$work/root" -c . | docker import - debian:bookworm-slim >/dev/null
    rm -rf "$work/root"
fi

container() { compose ps -q skerry; }
wait_healthy() {
    for _ in $(seq 300); do
        curl -fs -o /dev/null "$url/health" && return 0
        sleep 0.1
    done
    compose logs skerry | tail -n 20
    return 1
}
sql() { # SQL; the first column of the first row
    curl -fs -X POST "$url/v3/pipeline" -d "{\"requests\":[{\"type\":\"execute\",\"stmt\":{\"sql\":\"$1\"}},{\"type\":\"close\"}]}" |
        python3 -c 'import json,sys
r = json.load(sys.stdin)["results"][0]
print(r["error"]["message"] if r["type"] == "error" else (r["response"]["result"]["rows"] or [[{"value": ""}]])[0][0].get("value"))'
}
wait_pushed() {
    for _ in $(seq 100); do
        curl -fs "$url/health" | grep -q '"state":"idle".*"behind_ms":0' && return 0
        sleep 0.2
    done
    curl -fs "$url/health"
    return 1
}

echo "building the image"
if compose build >"$work/build.log" 2>&1; then ok image_builds; else
    tail -n 30 "$work/build.log"
    bad image_builds "docker compose build failed"
    echo "$passed passed, $failed failed, 0 skipped"
    exit 1
fi
size=$(docker image inspect -f '{{.Size}}' skerry)
echo "image size: $((size / 1000)) kB unpacked"
[ "$size" -lt 25000000 ] && ok image_under_25_MB || bad image_under_25_MB "$size bytes"

compose up -d >"$work/up.log" 2>&1 || cat "$work/up.log"
wait_healthy && ok comes_up || bad comes_up "no answer on $url"
expect uses_io_uring "$(curl -fs $url/health | grep -o '"io":"[a-z_]*"')" '"io":"io_uring"'
expect user "$(docker inspect -f '{{.Config.User}}' "$(container)")" 65532:65532
expect read_only_root "$(docker inspect -f '{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}}' "$(container)")" "true [ALL]"
grep -q 'Seccomp:.*2' "/proc/$(docker inspect -f '{{.State.Pid}}' "$(container)")/status" && ok seccomp_filter_on || bad seccomp_filter_on "no filter"
expect no_new_privileges "$(awk '/NoNewPrivs/ {print $2}' "/proc/$(docker inspect -f '{{.State.Pid}}' "$(container)")/status")" 1
expect no_capabilities "$(awk '/CapEff/ {print $2}' "/proc/$(docker inspect -f '{{.State.Pid}}' "$(container)")/status")" 0000000000000000

sql "CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT)" >/dev/null
sql "INSERT INTO t(b) VALUES ('one'), ('two'), ('three')" >/dev/null
expect serves_rows "$(sql 'SELECT count(*) FROM t')" 3
wait_pushed && ok pushes_to_the_store_volume || bad pushes_to_the_store_volume "see above"
if [ -d tests/clients/node_modules ]; then
    (cd tests/clients && timeout 120 node libsql_http.mjs $url) >"$work/clients.log" 2>&1
    expect libsql_client "$(tail -n 1 "$work/clients.log" | grep -o ' 0 failed')" " 0 failed"
    grep -E '^FAIL' "$work/clients.log" | sed 's/^FAIL/  failed:/'
fi
for _ in $(seq 40); do
    state=$(docker inspect -f '{{.State.Health.Status}}' "$(container)")
    [ "$state" = healthy ] && break
    sleep 0.5
done
expect healthcheck "$state" healthy

docker kill -s KILL "$(container)" >/dev/null
compose up -d >/dev/null 2>&1
wait_healthy
expect rows_after_kill "$(sql 'SELECT count(*) FROM t')" 3

wait_pushed
compose rm -sf skerry >/dev/null 2>&1
docker volume rm "${COMPOSE_PROJECT_NAME}_data" >/dev/null
compose up -d >/dev/null 2>&1
wait_healthy
expect empty_volume_restores_itself "$(sql 'SELECT group_concat(b) FROM t')" one,two,three

started=$(date +%s%N)
compose stop >/dev/null 2>&1
expect stops_by_itself "$(docker inspect -f '{{.State.ExitCode}}' "$(compose ps -q -a skerry 2>/dev/null || compose ps -q skerry)")" 0
echo "stopped in $((($(date +%s%N) - started) / 1000000)) ms"
compose down -v >/dev/null 2>&1

# The same node on S3.
printf testak >"$work/access" && printf testsk1234567890 >"$work/secret" && chmod 644 "$work"/access "$work"/secret && chmod 755 "$work"
cat >"$work/secrets.yaml" <<Y
services:
  skerry:
    volumes:
      - $work/access:/run/secrets/access:ro
      - $work/secret:/run/secrets/secret:ro
Y
export SKERRY_STORE=s3://skerry/device1 SKERRY_S3_ENDPOINT=http://s3:7484
export SKERRY_S3_ACCESS_KEY_FILE=/run/secrets/access SKERRY_S3_SECRET_KEY_FILE=/run/secrets/secret
export SKERRY_KEY=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
with_s3() { compose -f compose.yaml -f "$work/secrets.yaml" --profile s3 "$@"; }
with_s3 up -d >"$work/s3.log" 2>&1 || cat "$work/s3.log"
wait_healthy && ok comes_up_with_s3 || bad comes_up_with_s3 "$(with_s3 logs skerry | tail -n 5)"
sql "CREATE TABLE s(a)" >/dev/null
sql "INSERT INTO s VALUES (42)" >/dev/null
wait_pushed && ok pushes_to_s3 || bad pushes_to_s3 "see above"
with_s3 rm -sf skerry >/dev/null 2>&1
docker volume rm "${COMPOSE_PROJECT_NAME}_data" >/dev/null
with_s3 up -d >/dev/null 2>&1
wait_healthy
expect restores_from_s3 "$(sql 'SELECT a FROM s')" 42
with_s3 down -v >/dev/null 2>&1
unset SKERRY_STORE SKERRY_S3_ENDPOINT SKERRY_S3_ACCESS_KEY_FILE SKERRY_S3_SECRET_KEY_FILE SKERRY_KEY

# The profile: what it does not list fails; without io_uring the node goes on and says so.
gcc -O1 -static -o "$work/forbidden" tests/docker/forbidden.c && chmod 755 "$work/forbidden"
docker run --rm --security-opt no-new-privileges --security-opt seccomp=seccomp.json --cap-drop ALL --read-only \
    -v "$work/forbidden:/forbidden:ro" --entrypoint /forbidden skerry >"$work/forbidden.log" 2>&1 &&
    ok other_calls_are_refused || bad other_calls_are_refused "$(cat "$work/forbidden.log")"
python3 - seccomp.json "$work/nouring.json" <<'P'
import json, sys
profile = json.load(open(sys.argv[1]))
for group in profile["syscalls"]:
    group["names"] = [n for n in group["names"] if not n.startswith("io_uring")]
profile["syscalls"] = [g for g in profile["syscalls"] if g["names"]]
json.dump(profile, open(sys.argv[2], "w"))
P
docker run -d --name "$COMPOSE_PROJECT_NAME-nouring" --security-opt no-new-privileges --security-opt "seccomp=$work/nouring.json" \
    --cap-drop ALL --read-only -p "$SKERRY_PUBLISH:8080" skerry >/dev/null
wait_healthy
expect without_io_uring_posix "$(curl -fs $url/health | grep -o '"io":"[a-z_]*"')" '"io":"posix"'
expect without_io_uring_says_so "$(docker logs "$COMPOSE_PROJECT_NAME-nouring" 2>&1 | grep -c event=io.fallback)" 1
expect without_io_uring_serves "$(sql 'SELECT 40 + 2')" 42

echo "$passed passed, $failed failed, 0 skipped"
[ $failed -eq 0 ]
