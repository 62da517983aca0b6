#!/usr/bin/env python3
"""How soon a database that is in the store answers, opened lazily against restored first, and how far a replica is behind.
Real nodes on a directory store; requests are those that the store counts. usage: tests/bench/remote.py [MB]"""
import os
import random
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))
from node import Node, SqlError, sqlite3  # noqa: E402

MB = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
ROW = 1000
POINTS = 1000


def requests_of(node):
    total = 0
    for line in node.get("/metrics")[1].decode().splitlines():
        if line.startswith("skerry_store_requests_total{"):
            total += int(float(line.split()[1]))
    return total


def points(node, rows):
    """1,000 rows by key, one statement each, on one connection."""
    s = node.session()
    rng = random.Random(7)
    start = time.time()
    for _ in range(POINTS):
        a = rng.randrange(1, rows + 1)
        if s.execute(f"SELECT c FROM t WHERE a = {a}") != [[a * 7 % 1000]]:
            raise AssertionError(f"row {a}")
    s.close()
    return time.time() - start


def opened(scratch, store, rows, *flags):
    """Seconds from the start of a node with an empty volume to its first row, for 1,000 more, and the requests of both."""
    node = Node(os.path.join(scratch, "reader" + "-".join(flags)), "--store", store, *flags)
    start = time.time()
    node.start(seconds=300)
    node.sql(f"SELECT c FROM t WHERE a = {rows // 2}")
    first, used = time.time() - start, requests_of(node)
    before = requests_of(node)
    more = points(node, rows)
    all_used = requests_of(node) - before
    node.stop()
    subprocess.run(["rm", "-rf", node.data], check=False)
    return first, used, more, all_used


def shows(replica, i):
    try:
        return replica.sql(f"SELECT count(*) FROM r WHERE a = {i}") == [[1]]
    except SqlError:
        return False  # the table is not there yet


def lag(writer, replica, base, count):
    times = []
    for i in range(base, base + count):
        writer.sql(f"INSERT INTO r VALUES ({i})")
        start = time.time()
        while not shows(replica, i):
            time.sleep(0.001)
        times.append((time.time() - start) * 1000)
    times = sorted(times[1:])  # the table has come, too, with the first
    count -= 1
    return times[count // 2], times[count * 95 // 100]


def main():
    scratch = tempfile.mkdtemp(prefix="skerry-bench-", dir=os.environ.get("TMPDIR", "build/bench"))
    store = os.path.join(scratch, "store")
    data = os.path.join(scratch, "writer")
    rows = MB * 1024 * 1024 // (ROW + 120)
    os.makedirs(data)
    nodes = []
    try:
        r = sqlite3(data + "/default.db", "PRAGMA journal_mode = off; PRAGMA synchronous = off; CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB, "
                    f"c INTEGER); WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {rows}) "
                    f"INSERT INTO t SELECT n, randomblob({ROW}), n * 7 % 1000 FROM s")
        if r.returncode:
            raise RuntimeError(r.stderr)
        size = os.path.getsize(data + "/default.db")
        writer = Node(data, "--store", store).start()
        nodes.append(writer)
        start = time.time()
        if not writer.wait_pushed(600):
            raise RuntimeError("not pushed")
        print(f"{size / 1048576:.0f} MiB, {rows} rows; its first image was pushed in {time.time() - start:.1f} s")
        # Who opens the store as a writer takes the backup over, so that comes last.
        writer.sql("CREATE TABLE r(a INTEGER PRIMARY KEY)")
        for name, count, flags in (("a replica that follows the node", 100, ("--store", "none", "--follow", f"http://127.0.0.1:{writer.port}")),
                                   ("a replica that follows the store", 12, ("--follow", store))):
            replica = Node(os.path.join(scratch, "replica"), *flags)
            start = time.time()
            replica.start(seconds=300)
            nodes.append(replica)
            ready = time.time() - start
            median, p95 = lag(writer, replica, 1000 * len(nodes), count)
            print(f"{name:<36}{median:>8.0f} ms behind (median), {p95:.0f} ms (95 %); {ready:.1f} s to copy the database first")
            replica.stop()
            subprocess.run(["rm", "-rf", replica.data], check=False)
        writer.stop()
        print(f"{'':36}{'first row':>12}{'requests':>10}{'1,000 rows':>13}{'requests':>10}{'both':>10}")
        for name, flags in (("restored, then opened", ("--restore", "auto")), ("--hydrate lazy", ("--hydrate", "lazy")),
                            ("--tx (a view: nothing in background)", ("--tx", str(newest(store))))):
            first, used, more, all_used = opened(scratch, store, rows, *flags)
            print(f"{name:<36}{first:>8.2f} s{used:>10}{more:>11.2f} s{all_used:>10}{first + more:>8.2f} s")
    finally:
        for node in nodes:
            node.kill()
        subprocess.run(["rm", "-rf", scratch], check=False)


def newest(store):
    levels = [int(f.split("-")[1], 16) for _, _, files in os.walk(store) for f in files if f.count("-") == 1 and "." not in f]
    return max(levels)


main()
