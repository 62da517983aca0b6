#!/usr/bin/env python3
"""What is pushed and when, and how fast restores are; each ratio is measured in one run. Python's standard library only.
usage: backup.py SCRATCH [pushes] [restore]      SIZE_MB=n: of the database that is restored (256; 1024 for the whole thing). SECONDS=n a measurement (4).
With RGW_DIR set (tests/s3/ceph-rgw.sh start), restores from Ceph RGW are measured as well, beside plain curl."""
import os
import shutil
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))
from node import PROGRAM, Node  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
SIZE_MB, SECONDS = int(os.environ.get("SIZE_MB", "256")), float(os.environ.get("SECONDS", "4"))
ENDPOINT, ACCESS, SECRET = "http://127.0.0.1:" + os.environ.get("RGW_PORT", "7480"), "testak", "testsk1234567890"


def metrics(node):
    return dict(line.rsplit(" ", 1) for line in node.get("/metrics")[1].decode().splitlines() if not line.startswith("#"))


def metric(node, name):
    return float(metrics(node)["skerry_" + name])


def wrk(node, script, connections, seconds, *arguments):
    return subprocess.Popen(["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "-s", os.path.join(HERE, script),
                             f"http://127.0.0.1:{node.port}", "--", *arguments], stdout=subprocess.DEVNULL)


def load(node, seconds):
    """Commits a second, as fast as four connections get them."""
    count = metric(node, "commits_total")
    if wrk(node, "commits.lua", 4, seconds).wait():
        raise RuntimeError("wrk failed")
    return (metric(node, "commits_total") - count) / max(1, round(seconds))


def pushes(scratch, want=1000):
    """Bytes pushed of commits as fast as they come, and then, at a steady rate, how old and how much is what waits to be pushed.
    What pushes cost commits, bench_push measures in one process."""
    node, lag, size = Node(scratch + "/with", "--store", scratch + "/store").start(), [], []
    node.sql("CREATE TABLE t(a INTEGER PRIMARY KEY, b)")
    rate = load(node, 2 * SECONDS)
    node.wait_pushed(60)
    print(f"bytes pushed at {rate:.0f} commits/s: {metric(node, 'backup_bytes_total') / 1e6:.1f} MB for {metric(node, 'backup_wal_bytes_total') / 1e6:.1f} MB of WAL; "
          f"merges and images wrote {metric(node, 'backup_merged_bytes_total') / 1e6:.1f} MB")
    first, begun = metric(node, "commits_total"), time.time()
    client = wrk(node, "steady.lua", 16, 5 * SECONDS, str(want))
    while client.poll() is None:
        m = metrics(node)
        lag.append(float(m["skerry_backup_lag_seconds"]))
        size.append(float(m["skerry_backup_lag_bytes"]))
        time.sleep(0.05)
    if client.returncode:
        raise RuntimeError("wrk failed")
    rate = (metric(node, "commits_total") - first) / (time.time() - begun)
    print(f"lag at {rate:.0f} commits/s, pushed every second: median {statistics.median(lag):.2f} s, "
          f"at most {max(lag):.2f} s; median {statistics.median(size) / 1e6:.2f} MB of WAL, at most {max(size) / 1e6:.2f} MB")
    node.stop()
    shutil.rmtree(scratch + "/with")
    shutil.rmtree(scratch + "/store")


def timed(command):
    """Seconds, and the largest resident size in MiB."""
    begun = time.time()
    p = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    error = p.stderr.read()
    _, status, usage = os.wait4(p.pid, 0)
    if status:
        raise RuntimeError(f"{command[0]}: {error.decode()[-500:]}")
    return time.time() - begun, usage.ru_maxrss / 1024


def curl(*arguments):
    return timed(["curl", "-fsS", "--user", f"{ACCESS}:{SECRET}", "--aws-sigv4", "aws:amz:us-east-1:s3", *arguments])


def restores(scratch, name, store, what, plain):
    """Restores in turns with plain copies of the same file, as they are and with what is on the disk waited for, as restores do."""
    data = scratch + "/big"
    node = Node(data, *store, "--push-interval-ms", "100", "--restore", "never").start()
    begun = time.time()
    if not node.wait_pushed(1800):
        raise RuntimeError("not pushed: " + str(node.health()))
    size = os.path.getsize(data + "/default.db") / 1e6
    print(f"{name}: {size:.0f} MB pushed in {time.time() - begun:.1f} s")
    node.stop()
    for f in os.listdir(data):
        if f.startswith("default.db-backup"):
            os.remove(data + "/" + f)
    rates, peak = {"restore": [], what: [], what + " and sync": []}, 0
    out, copy = scratch + "/restored.db", scratch + "/copied.db"
    for _ in range(5):
        for how, rate in rates.items():
            path = out if how == "restore" else copy
            if os.path.exists(path):
                os.remove(path)
            os.sync()  # what others have left to write is nobody's cost
            if how == "restore":
                s, rss = timed([PROGRAM, "restore", *store, out])
                peak = max(peak, rss)
            else:
                s, _ = timed(["sh", "-c", plain(data + "/default.db", copy) + (f" && sync {copy}" if how != what else "")])
            rate.append(size / s)
    if subprocess.run(["cmp", out, data + "/default.db"], check=False).returncode:
        raise RuntimeError("the restored file is another")
    print(f"{name}: restore {statistics.median(rates['restore']):.0f} MB/s, peak memory {peak:.0f} MiB, the same bytes")
    for how in (what, what + " and sync"):
        ratios = sorted(a / b for a, b in zip(rates["restore"], rates[how]))
        print(f"{name}: {how} {statistics.median(rates[how]):.0f} MB/s: restore has {ratios[2]:.2f} of it (median of 5 pairs, {ratios[0]:.2f} to {ratios[4]:.2f})")


def main():
    scratch, parts = os.path.join(sys.argv[1], "backup"), sys.argv[2:] or ["pushes", "restore"]
    shutil.rmtree(scratch, ignore_errors=True)
    os.makedirs(scratch + "/big")
    try:
        if "pushes" in parts:
            pushes(scratch)
        if "restore" not in parts:
            return
        subprocess.run(["sqlite3", scratch + "/big/default.db", "PRAGMA journal_mode=off; CREATE TABLE t(a INTEGER PRIMARY KEY, b); "
                        f"WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {SIZE_MB * 256}) INSERT INTO t SELECT n, randomblob(4000) FROM s"],
                       check=True, stdout=subprocess.DEVNULL)
        restores(scratch, "directory", ["--store", scratch + "/store-big"], "cp", lambda a, b: f"cp --reflink=never {a} {b}")
        shutil.rmtree(scratch + "/store-big")
        if os.environ.get("RGW_DIR"):
            curl("-X", "PUT", "-H", "x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", ENDPOINT + "/bench")
            curl("-T", scratch + "/big/default.db", "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD", ENDPOINT + "/bench/plain")
            store = ["--store", "s3://bench/backup", "--s3-endpoint", ENDPOINT, "--s3-access-key", ACCESS, "--s3-secret-key", SECRET]
            restores(scratch, "Ceph RGW", store, "curl",
                     lambda _, b: f"curl -fsS --user {ACCESS}:{SECRET} --aws-sigv4 aws:amz:us-east-1:s3 -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' -o {b} {ENDPOINT}/bench/plain")
        else:
            print("Ceph RGW: skipped, RGW_DIR is not set")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


main()
