#!/usr/bin/env python3
"""Goal: what was acknowledged survives kill -9 at any moment, whole transactions only, and the backup catches up.
Method: threads insert pairs of rows, each pair one transaction, and note what was acknowledged; the node is killed at
a random time; SQLite checks a copy of the files as they were left; the node starts again and must hold every
acknowledged pair and no half of one; at the end the restored backup must hold the same rows.
ROUNDS=n for more rounds, SEED=n to repeat a run's timing."""
import os
import random
import shutil
import subprocess
import threading
import time

from node import PROGRAM, Node, SqlError, Tests, check, equal, sqlite3

ROUNDS = int(os.environ.get("ROUNDS", "12"))
SEED = int(os.environ.get("SEED", str(int(time.time()))))
WRITERS = 4


def writer(node, number, acknowledged, stop):
    s = node.session()
    while not stop.is_set():
        pair = f"{number}-{random.getrandbits(60):x}"
        try:
            s.batch(f"INSERT INTO t(pair, half, body) VALUES ('{pair}', 1, hex(randomblob({random.randrange(2000)})))",
                    f"INSERT INTO t(pair, half) VALUES ('{pair}', 2)")
        except (OSError, SqlError, ValueError):
            return
        except Exception:  # noqa: BLE001: http.client's own errors when the node dies
            return
        acknowledged.append(pair)


def round_run(tests, node, acknowledged, index):
    node.start()
    if index == 0:
        node.sql("CREATE TABLE IF NOT EXISTS t(id INTEGER PRIMARY KEY, pair TEXT, half INT, body TEXT)",
                 "CREATE INDEX IF NOT EXISTS t_pair ON t(pair)")
    stop, before = threading.Event(), len(acknowledged)
    threads = [threading.Thread(target=writer, args=(node, i, acknowledged, stop)) for i in range(WRITERS)]
    for t in threads:
        t.start()
    time.sleep(random.uniform(0.05, 0.8))
    patience = time.time() + 20
    while len(acknowledged) == before and time.time() < patience:
        time.sleep(0.005)
    node.kill()
    stop.set()
    for t in threads:
        t.join()
    check(len(acknowledged) > before, "no transaction was acknowledged in this round: it shows nothing")
    copy = tests.path("copy.db")
    for suffix in ("", "-wal"):
        source = os.path.join(node.data, "default.db" + suffix)
        if os.path.exists(source):
            shutil.copyfile(source, copy + suffix)
    equal(sqlite3(copy, "PRAGMA integrity_check").stdout.strip(), "ok", "SQLite's integrity_check of the files as left")
    for suffix in ("", "-wal", "-shm"):
        if os.path.exists(copy + suffix):
            os.remove(copy + suffix)
    node.start()
    rows = node.sql("SELECT pair, count(*) FROM t GROUP BY pair")
    torn = [pair for pair, n in rows if n != 2]
    equal(torn, [], "torn transactions")
    lost = set(acknowledged) - {pair for pair, _ in rows}
    equal(sorted(lost), [], "acknowledged and lost")
    node.kill()


def backup_catches_up(tests, node, acknowledged):
    node.start()
    check(node.wait_pushed(60), "the backup did not catch up: " + str(node.health()))
    out = tests.path("restored.db")
    subprocess.run([PROGRAM, "restore", "--store", node.data + "/store", out], check=True, capture_output=True)
    equal(sqlite3(out, "PRAGMA integrity_check").stdout.strip(), "ok", "integrity of the restored file")
    restored = set(sqlite3(out, "SELECT pair FROM t WHERE half = 2").stdout.split())
    equal(sorted(set(acknowledged) - restored), [], "acknowledged and not in the backup")
    equal(node.stop(), 0, "exit status after SIGTERM")


def main():
    random.seed(SEED)
    print(f"SEED={SEED}")
    tests = Tests()
    acknowledged = []
    for i in range(ROUNDS):
        node = Node(tests.path("data"), "--vfs", "posix" if i % 3 == 2 else "io_uring")
        tests.run(f"kill_{i}", round_run, tests, node, acknowledged, i)
    tests.run("backup_catches_up", backup_catches_up, tests, Node(tests.path("data")), acknowledged)
    print(f"{len(acknowledged)} transactions acknowledged")
    tests.finish()


main()
