#!/usr/bin/env python3
"""Goal: a disk that fills up, or whose syncs fail, in the middle of everything costs no acknowledged transaction and no
half of one; who asks is told clearly; and the node goes on when there is space again, or when it is started again after
a failed sync.
Method: writers (plain and concurrent), a reader, checkpoints and VACUUM on a node whose data and backup are on a small
file system that is filled and emptied, the node killed in between; a node whose fdatasync and fsync fail on demand
(a library in LD_PRELOAD, since no file system does). Pairs of rows as in crash_test.py.
ROUNDS=n fills the disk n times."""
import os
import random
import shutil
import subprocess
import sys
import threading
import time

from bad_input_test import Mount
from node import PROGRAM, Node, SqlError, Tests, check, equal, sqlite3, until

ROUNDS = int(os.environ.get("ROUNDS", "4"))
PATIENCE = 60
HALVES = "SELECT count(*) FROM (SELECT 1 FROM t GROUP BY pair HAVING count(*) <> 2)"
FAILING_SYNC = """
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
static int call(long number, int fd)
{
    if (access(getenv("SYNC_FAILS"), F_OK) == 0) { errno = EIO; return -1; }
    return (int)syscall(number, fd);
}
int fdatasync(int fd) { return call(SYS_fdatasync, fd); }
int fsync(int fd) { return call(SYS_fsync, fd); }
"""


class Load:
    """Clients that go on whatever happens, and note what they were told."""

    def __init__(self, node):
        self.node, self.stop = node, threading.Event()
        self.acknowledged, self.errors, self.halves = [], [], []
        kinds = [("BEGIN IMMEDIATE", self.write)] * 2 + [("BEGIN CONCURRENT", self.write)] * 2
        kinds += [(None, self.read), (None, self.maintain)]
        self.threads = [threading.Thread(target=self.run, args=(f, begin)) for begin, f in kinds]
        for t in self.threads:
            t.start()

    def run(self, f, begin):
        session = None
        while not self.stop.is_set():
            try:
                session = session or self.node.session()
                f(session, begin)
            except SqlError as e:
                self.errors.append(str(e))
                session = None
                time.sleep(0.02)
            except Exception:  # noqa: BLE001: the node was killed
                session = None
                time.sleep(0.02)

    def write(self, session, begin):
        pair = f"{random.getrandbits(60):x}"
        session.batch(f"INSERT INTO t(pair, half, body) VALUES ('{pair}', 1, hex(randomblob({random.randrange(3000)})))",
                      f"INSERT INTO t(pair, half) VALUES ('{pair}', 2)", begin=begin)
        self.acknowledged.append(pair)

    def read(self, session, _):
        self.halves += [n for (n,) in session.execute(HALVES) if n]
        time.sleep(0.01)

    def maintain(self, session, _):
        session.execute(random.choice(["PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA wal_checkpoint", "VACUUM"]))
        time.sleep(0.1)

    def end(self):
        self.stop.set()
        for t in self.threads:
            t.join()

    def wait(self, what, done):
        end = time.time() + PATIENCE
        while not done():
            check(time.time() < end, f"{what} never came; the last errors: {self.errors[-3:]}, log: {self.node.log()[-600:]}")
            time.sleep(0.02)


def schema(node):
    node.sql("CREATE TABLE t(id INTEGER PRIMARY KEY, pair TEXT, half INT, body TEXT)", "CREATE INDEX t_pair ON t(pair)")


def survived(node, acknowledged):
    rows = node.sql("SELECT pair, count(*) FROM t GROUP BY pair")
    equal([pair for pair, n in rows if n != 2], [], "torn transactions")
    equal(sorted(set(acknowledged) - {pair for pair, _ in rows}), [], "acknowledged and lost")
    equal(node.sql("PRAGMA integrity_check"), [["ok"]], "integrity_check")


def fill(path):
    with open(path, "ab", buffering=0) as f:
        for size in (1 << 16, 4096):
            try:
                while True:
                    f.write(bytes(size))
            except OSError:
                pass


def is_full(error):
    return "full" in error or "space" in error


def fills_under_load(tests):
    with Mount(tests.path("small"), "48m") as m:
        filler, node = m.path + "/filler", Node(m.path + "/data", "--push-interval-ms", "100")
        node.log_path = tests.path("small.log")
        node.start()
        schema(node)
        load = Load(node)
        try:
            for i in range(ROUNDS):
                load.wait("a commit", lambda n=len(load.acknowledged): len(load.acknowledged) > n + 20)
                before = len(load.errors)
                fill(filler)
                load.wait("the error of a full disk", lambda b=before: any(map(is_full, load.errors[b:])))
                time.sleep(random.uniform(0, 0.5))
                if i % 2:
                    node.kill()
                    node.start()
                    time.sleep(0.2)
                os.remove(filler)
            load.wait("a commit after the last time", lambda n=len(load.acknowledged): len(load.acknowledged) > n + 20)
            load.end()
            equal(load.halves, [], "halves of transactions that a reader saw")
            strange = [e for e in load.errors if not is_full(e) and "locked" not in e and "conflict" not in e and "changed" not in e]
            equal(strange, [], "errors that are neither of a full disk nor of a busy database")
            survived(node, load.acknowledged)
            m.remount("size=200m")
            check(node.wait_pushed(PATIENCE), "the backup did not catch up: " + str(node.health()))
            equal(node.stop(), 0, "exit status")
            equal(sqlite3(m.path + "/data/default.db", "PRAGMA integrity_check").stdout, "ok\n", "SQLite's integrity_check")
            out = tests.path("small-restored.db")
            subprocess.run([PROGRAM, "restore", "--store", m.path + "/data/store", out], check=True, capture_output=True)
            restored = set(sqlite3(out, "SELECT pair FROM t WHERE half = 2").stdout.split())
            equal(sorted(set(load.acknowledged) - restored), [], "acknowledged and not in the backup")
            print(f"  {len(load.acknowledged)} transactions acknowledged, {sum(map(is_full, load.errors))} refused by the full disk")
        finally:
            load.end()
            node.kill()


def replica_fills(tests, how):
    """A replica's disk is full: at its first copy, while it follows, at a start, when it is promoted. It says so, shows what it
    has, and goes on."""
    store, sums = tests.path("fills-store-" + how), "SELECT count(*), sum(id), sum(length(body)) FROM t"
    writer = Node(tests.path("fills-writer-" + how), "--store", store if how == "store" else "none", "--push-interval-ms", "50").start()
    writer.sql("CREATE TABLE t(id INTEGER PRIMARY KEY, body BLOB)")

    def insert(count=200):
        writer.sql(f"WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) INSERT INTO t(body) SELECT randomblob(4000) FROM n")
        if how == "store":
            check(writer.wait_pushed(PATIENCE), "not pushed")

    def arrives():
        until(lambda: replica.sql(sums), writer.sql(sums), "rows of the replica", PATIENCE)
        until(lambda: replica.health()["replica"]["state"], "following", "state", PATIENCE)
        check(not replica.health()["replica"].get("error"), str(replica.health()["replica"]))

    def fill_up():
        fill(filler)
        end = time.time() + PATIENCE
        while not complains():  # the log has room of its own for a while
            check(time.time() < end, f"no error of a full disk: {replica.health()['replica']}, {replica.sql(sums)}")
            insert()
            time.sleep(0.1)

    def complains():
        return is_full(replica.health()["replica"].get("error", ""))

    insert(2000)
    with Mount(tests.path("fills-" + how), "48m") as m:
        filler = m.path + "/filler"
        replica = Node(m.path + "/data", "--follow", store if how == "store" else f"http://127.0.0.1:{writer.port}", "--follow-poll-ms", "50",
                       *(() if how == "store" else ("--store", "none")))
        replica.log_path = tests.path(f"fills-{how}.log")
        try:
            fill(filler)
            os.truncate(filler, os.path.getsize(filler) - (3 << 20))
            replica.start(wait=False)
            equal(replica.process.wait(timeout=PATIENCE), 1, "status of a start without room for the first copy")
            check("No space left" in replica.log() and "free some space" in replica.log(), replica.log()[-600:])
            os.remove(filler)
            replica.start()
            arrives()
            for i in range(ROUNDS):
                fill_up()
                shown = replica.sql(sums)
                if i % 2:
                    replica.kill() if i % 4 == 1 else equal(replica.stop(), 0, "exit status")
                    replica.start()
                    check(replica.sql(sums) >= shown, f"{replica.sql(sums)} after a start on a full disk, {shown} before")
                os.remove(filler)
                arrives()
            insert()
            arrives()
            if how == "store":
                fill_up()
                want = writer.sql(sums)
                writer.kill()
                refused = subprocess.run([PROGRAM, "promote", f"http://127.0.0.1:{replica.port}"], capture_output=True, text=True, check=False)
                check(refused.returncode == 1 and is_full(refused.stderr), refused.stderr)
                os.remove(filler)
                subprocess.run([PROGRAM, "promote", f"http://127.0.0.1:{replica.port}"], check=True, capture_output=True)
                equal(replica.sql(sums), want, "rows of the new writer")
            equal(replica.stop(), 0, "exit status")
            equal(sqlite3(m.path + "/data/default.db", "PRAGMA integrity_check").stdout, "ok\n", "SQLite's integrity_check")
        finally:
            replica.kill()
            writer.kill()


def sync_fails(tests, preload, kill):
    flag = tests.path("sync-fails")
    node = Node(tests.path(f"sync-{kill}"), "--vfs", "posix", "--push-interval-ms", "100",
                env={"LD_PRELOAD": preload, "SYNC_FAILS": flag}).start()
    load = None
    try:
        schema(node)
        load = Load(node)
        load.wait("a commit", lambda: len(load.acknowledged) > 20)
        open(flag, "w", encoding="utf-8").close()
        load.wait("the error of a failed sync", lambda: any("opened again" in e for e in load.errors))
        load.end()
        os.remove(flag)
        equal(load.halves, [], "halves of transactions that a reader saw")
        # The disk is well again, and what it holds is unknown all the same: no write until the file is opened anew.
        try:
            node.sql("INSERT INTO t(pair) VALUES('late')")
            check(False, "a write went through after a failed sync")
        except SqlError as e:
            check("disk I/O error" in str(e) and "opened again" in str(e), f"the error does not say what to do: {e}")
        status, body = node.get("/health")
        equal(status, 503, "status of /health")
        check(b'"status":"wal_failed"' in body, f"/health says {body!r}")
        check(b"skerry_wal_failed 1" in node.get("/metrics")[1], "the metrics do not have it")
        asked = subprocess.run([PROGRAM, "health", "--url", f"http://127.0.0.1:{node.port}"], capture_output=True, check=False)
        equal(asked.returncode, 1, "status of skerry health")
        rows = node.sql("SELECT pair, count(*) FROM t GROUP BY pair")  # reading goes on, of what is durable
        equal(sorted(set(load.acknowledged) - {pair for pair, _ in rows}), [], "acknowledged and not to be read")
        if kill:
            node.kill()
        else:
            node.stop()
        node.start()
        equal(node.get("/health")[0], 200, "status of /health of the node that was started again")
        survived(node, load.acknowledged)
        node.sql("INSERT INTO t(pair, half) VALUES('late', 1)")
        check(node.wait_pushed(PATIENCE), "the backup did not catch up: " + str(node.health()))
        equal(node.stop(), 0, "exit status")
    finally:
        if load:
            load.end()
        if os.path.exists(flag):
            os.remove(flag)
        node.kill()


def main():
    tests = Tests(sys.argv[1:])
    compiler = shutil.which("gcc") or shutil.which("cc")
    preload = tests.path("failing_sync.so")
    subprocess.run([compiler, "-shared", "-fPIC", "-x", "c", "-", "-o", preload], input=FAILING_SYNC.encode(), check=True)
    for kill in (False, True):
        tests.run("sync_fails_and_the_node_is_" + ("killed" if kill else "stopped"), sync_fails, tests, preload, kill)
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode != 0:
        tests.skip("disk_fills_under_load", "mounting a small file system needs root")
    else:
        tests.run("disk_fills_under_load", fills_under_load, tests)
        for how in ("store", "stream"):
            tests.run("replica_fills_" + how, replica_fills, tests, how)
    tests.finish()


main()
