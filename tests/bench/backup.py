#!/usr/bin/env python3
"""What backup costs and how fast restores are; each ratio is measured in one run. Python's standard library only.
usage: backup.py SCRATCH [cost] [restore]      SIZE_MB=n: of the database that is restored (256; 1024 for the whole thing). SECONDS=n a measurement (4),
PAIRS=n of commits with and without push (8), ROUNDS=n at a steady rate (8).
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
SIZE_MB, SECONDS, PAIRS = int(os.environ.get("SIZE_MB", "256")), float(os.environ.get("SECONDS", "4")), int(os.environ.get("PAIRS", "8"))
ROUNDS = int(os.environ.get("ROUNDS", "8"))
ENDPOINT, ACCESS, SECRET = "http://127.0.0.1:" + os.environ.get("RGW_PORT", "7480"), "testak", "testsk1234567890"


def metrics(node):
    return dict(line.rsplit(" ", 1) for line in node.get("/metrics")[1].decode().splitlines() if not line.startswith("#"))


def metric(node, name):
    return float(metrics(node)["skerry_" + name])


def processor_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wrk(node, script, connections, seconds, *arguments):
    return subprocess.Popen(["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "-s", os.path.join(HERE, script),
                             f"http://127.0.0.1:{node.port}", "--", *arguments], stdout=subprocess.DEVNULL)


def load(node, seconds):
    """Commits a second, as fast as four connections get them."""
    count = metric(node, "commits_total")
    if wrk(node, "commits.lua", 4, seconds).wait():
        raise RuntimeError("wrk failed")
    return (metric(node, "commits_total") - count) / max(1, round(seconds))


def pair(scratch, swapped=False):
    """A node with a store and one without, each with a table and warm."""
    nodes = {}
    for how in ("without", "with") if swapped else ("with", "without"):
        nodes[how] = Node(scratch + "/" + how, "--store", scratch + "/store" if how == "with" else "none").start()
        nodes[how].sql("CREATE TABLE t(a INTEGER PRIMARY KEY, b)")
    for n in nodes.values():
        load(n, 1)
    return nodes


def pair_end(scratch, nodes):
    for how, n in nodes.items():
        n.stop()
        shutil.rmtree(scratch + "/" + how)
    shutil.rmtree(scratch + "/store")


def cost(scratch):
    nodes = pair(scratch)
    rates = {"without": [], "with": []}
    for i in range(PAIRS):  # in turns, each going first as often
        for how in ("with", "without") if i % 2 else ("without", "with"):
            rates[how].append(load(nodes[how], SECONDS / 2))
    ratios = sorted(a / b for a, b in zip(rates["with"], rates["without"]))
    print(f"commits/s: {statistics.median(rates['with']):.0f} with push, {statistics.median(rates['without']):.0f} without: {statistics.median(ratios):.3f} of it "
          f"(median of {PAIRS} pairs; quarters {ratios[PAIRS // 4]:.2f} and {ratios[-1 - PAIRS // 4]:.2f})")
    node = nodes["with"]
    node.wait_pushed(60)
    print(f"bytes pushed: {metric(node, 'backup_bytes_total') / 1e6:.1f} MB for {metric(node, 'backup_wal_bytes_total') / 1e6:.1f} MB of WAL; "
          f"merges and images wrote {metric(node, 'backup_merged_bytes_total') / 1e6:.1f} MB")
    pair_end(scratch, nodes)
    steady(scratch)


def steady(scratch, want=1000):
    """Both at the same time have the same steady rate of commits: their processor time, and how old and how much is what waits
    to be pushed. Two processes of one kind differ by some percent, so each round has new ones."""
    lag, size, rates, us = [], [], [], {"with": [], "without": []}
    for i in range(ROUNDS):
        nodes = pair(scratch, i % 2 == 1)
        first, cpu, begun = {h: metric(n, "commits_total") for h, n in nodes.items()}, {h: processor_s(n.process.pid) for h, n in nodes.items()}, time.time()
        clients = [wrk(n, "steady.lua", 16, 2 * SECONDS, str(want)) for n in nodes.values()]
        while any(c.poll() is None for c in clients):
            m = metrics(nodes["with"])
            lag.append(float(m["skerry_backup_lag_seconds"]))
            size.append(float(m["skerry_backup_lag_bytes"]))
            metrics(nodes["without"])  # which then costs both the same
            time.sleep(0.05)
        if any(c.returncode for c in clients):
            raise RuntimeError("wrk failed")
        count = {h: metric(n, "commits_total") - first[h] for h, n in nodes.items()}
        rates.append(count["with"] / (time.time() - begun))
        for h, n in nodes.items():
            us[h].append((processor_s(n.process.pid) - cpu[h]) / count[h] * 1e6)
        pair_end(scratch, nodes)
    ratios = sorted(a / b for a, b in zip(us["with"], us["without"]))
    print(f"processor time a commit, {statistics.median(rates):.0f} a second each: {statistics.median(us['with']):.1f} us with push, "
          f"{statistics.median(us['without']):.1f} us without: {statistics.median(ratios):.3f} of it (median of {ROUNDS} rounds; quarters "
          f"{ratios[ROUNDS // 4]:.3f} and {ratios[-1 - ROUNDS // 4]:.3f}); merges in the background are in it")
    print(f"lag at {statistics.median(rates):.0f} commits/s, pushed every second: median {statistics.median(lag):.2f} s, "
          f"at most {max(lag):.2f} s; median {statistics.median(size) / 1e6:.2f} MB of WAL, at most {max(size) / 1e6:.2f} MB")


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
    scratch, parts = os.path.join(sys.argv[1], "backup"), sys.argv[2:] or ["cost", "restore"]
    shutil.rmtree(scratch, ignore_errors=True)
    os.makedirs(scratch + "/big")
    try:
        if "cost" in parts:
            cost(scratch)
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
