#!/usr/bin/env python3
"""Goal: a node or an S3 gateway that dies in the middle of a push costs nothing: what was acknowledged is in the backup, and
the backup is the database, byte for byte.
Method: a node pushes every few milliseconds to Ceph RGW while threads insert pairs of rows, each pair one transaction. At a
random moment the node, the gateway, or both are killed with SIGKILL and come back; the writers begin again; then the node is
stopped cleanly and its backup restored. The restored file must equal the node's own file byte for byte, SQLite must find it
sound, and it must hold every acknowledged pair and no half of one. At the end `skerry backup verify` reads every object.
ROUNDS=n for more rounds (50 before a release), SEED=n to repeat a run's timing. RGW_DIR is what tests/s3/ceph-rgw.sh was
started with."""
import os
import random
import secrets
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))
from node import PROGRAM, ROOT, Node, SqlError, Tests, check, equal, sqlite3  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "4"))
SEED = int(os.environ.get("SEED", str(int(time.time()))))
RGW_DIR = os.environ["RGW_DIR"]
GATEWAY = os.path.join(ROOT, "tests/s3/ceph-rgw.sh")
WRITERS = 3


class Writers:
    """Threads that insert pairs until they are stopped or the node dies."""

    def __init__(self, node, acknowledged):
        self.node, self.acknowledged, self.stop_now = node, acknowledged, threading.Event()
        self.threads = [threading.Thread(target=self.write, args=(i,)) for i in range(WRITERS)]
        for t in self.threads:
            t.start()

    def write(self, number):
        s = self.node.session()
        while not self.stop_now.is_set():
            pair = f"{number}-{random.getrandbits(60):x}"
            try:
                s.batch(f"INSERT INTO t(pair, half, body) VALUES ('{pair}', 1, hex(randomblob({random.randrange(3000)})))",
                        f"INSERT INTO t(pair, half) VALUES ('{pair}', 2)")
            except (OSError, SqlError, ValueError):
                return
            except Exception:  # noqa: BLE001: http.client's own errors when the node dies
                return
            self.acknowledged.append(pair)
            time.sleep(0.005)

    def stop(self):
        self.stop_now.set()
        for t in self.threads:
            t.join()


def gateway_pid():
    with open(os.path.join(RGW_DIR, "client.rgw.a.pid"), encoding="ascii") as f:
        return int(f.read())


def gateway_kill():
    pid = gateway_pid()
    with open(f"/proc/{pid}/comm", encoding="ascii") as f:
        check("radosgw" in f.read(), "the pid file does not name the gateway")
    os.kill(pid, signal.SIGKILL)
    while os.path.exists(f"/proc/{pid}"):
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            if f.read().rsplit(")", 1)[1].split()[0] == "Z":  # nobody waits for it here
                break
        time.sleep(0.01)
    os.remove(os.path.join(RGW_DIR, "client.rgw.a.pid"))  # it looks alive to the script as long as nobody has waited for it


def gateway_start():
    subprocess.run([GATEWAY, "start"], check=True, capture_output=True)


def uploaded(node):
    for line in node.get("/metrics")[1].decode().splitlines():
        if line.startswith("skerry_store_uploaded_bytes_total"):
            return float(line.split()[1])
    return 0.0


def same_bytes(a, b):
    with open(a, "rb") as f, open(b, "rb") as g:
        while True:
            x, y = f.read(1 << 20), g.read(1 << 20)
            if x != y:
                return False
            if not x:
                return True


def round_run(tests, node, store, acknowledged, index):
    what = ("node", "gateway", "both")[index % 3]
    node.start()
    node.sql("CREATE TABLE IF NOT EXISTS t(id INTEGER PRIMARY KEY, pair TEXT, half INT, body TEXT)",
             "CREATE INDEX IF NOT EXISTS t_pair ON t(pair)")
    before, at_start = len(acknowledged), uploaded(node)
    writers = Writers(node, acknowledged)
    end = time.time() + 30
    while (uploaded(node) == at_start or len(acknowledged) == before) and time.time() < end:
        time.sleep(0.01)
    check(uploaded(node) > at_start, "nothing was pushed before the kill: this round shows nothing")
    time.sleep(random.uniform(0, 1.0))
    if what in ("gateway", "both"):
        gateway_kill()
        time.sleep(random.uniform(0, 0.7))  # pushes fail, commits go on
    if what in ("node", "both"):
        node.kill()
    writers.stop()
    check(len(acknowledged) > before, "no transaction was acknowledged in this round")
    if what in ("gateway", "both"):
        gateway_start()
    if what in ("node", "both"):
        node.start()
    writers = Writers(node, acknowledged)
    time.sleep(random.uniform(0, 0.5))
    writers.stop()
    if not node.wait_pushed(8):  # it waits for its next try, minutes perhaps: another death makes it begin at once
        node.kill()
        node.start()
    check(node.wait_pushed(400), "the backup did not catch up: " + str(node.health()))
    equal(node.stop(), 0, "exit status after SIGTERM")
    out = tests.path(f"restored-{index}.db")
    r = subprocess.run([PROGRAM, "restore", *store, out], capture_output=True, text=True, check=False)
    equal(r.returncode, 0, "restore: " + r.stderr)
    check(same_bytes(out, node.data + "/default.db"), "the restored file is not the node's, byte for byte")
    equal(sqlite3(out, "PRAGMA integrity_check").stdout.strip(), "ok", "SQLite's integrity_check of the restored file")
    rows = dict(line.split("|") for line in sqlite3(out, "SELECT pair, count(*) FROM t GROUP BY pair").stdout.split())
    equal([pair for pair, n in rows.items() if n != "2"], [], "torn transactions in the backup")
    equal(sorted(set(acknowledged) - set(rows)), [], "acknowledged and not in the backup")
    os.remove(out)


def everything_is_sound(store):
    r = subprocess.run([PROGRAM, "backup", "verify", *store, "--restored"], capture_output=True, text=True, check=False)
    equal(r.returncode, 0, "verify: " + r.stdout + r.stderr)
    print("  " + r.stdout.strip().splitlines()[-1])


def main():
    random.seed(SEED)
    print(f"SEED={SEED}")
    tests, acknowledged = Tests(), []
    key_file = tests.path("key")
    with open(key_file, "w", encoding="ascii") as f:
        f.write(secrets.token_hex(32))
    store = ["--store", f"s3://skerry-test/kill-{secrets.token_hex(4)}", "--s3-endpoint", os.environ["S3_ENDPOINT"],
             "--s3-access-key", os.environ["S3_KEY"], "--s3-secret-key", os.environ["S3_SECRET"], "--key-file", key_file]
    for i in range(ROUNDS):
        node = Node(tests.path("data"), "--push-interval-ms", "30", "--head-interval-ms", "200", *store)
        tests.run(f"kill_{i}_{('node', 'gateway', 'both')[i % 3]}", round_run, tests, node, store, acknowledged, i)
        if tests.failed:
            if node.process and node.process.poll() is None:
                node.kill()
            break
    if not tests.failed:
        tests.run("everything_is_sound", everything_is_sound, store)
    print(f"{len(acknowledged)} transactions acknowledged")
    tests.finish()


main()
