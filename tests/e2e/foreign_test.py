#!/usr/bin/env python3
"""Goal: sqlite3 and Skerry on one file never harm each other: while one has the file, the other is told "database is
locked" for all that would, and goes on when it is free; what keeps a node's log long is told and limited.
Method: the real sqlite3 and real nodes and shells on the same files, in both journal modes, reading, writing, vacuuming
and changing the mode; the refused one must leave every byte as it was, and sqlite3 judges the file at the end."""
import glob
import hashlib
import json
import os
import signal
import subprocess
import sys
import time

from node import PROGRAM, Node, Tests, check, equal, sqlite3

# What a foreign process may want of a file.
FOREIGN = ("SELECT count(*) FROM t", "INSERT INTO t VALUES(99, 'foreign')", "CREATE TABLE foreign_table(x)", "VACUUM",
           "PRAGMA journal_mode=DELETE", "PRAGMA journal_mode=WAL", "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA user_version=7",
           "BEGIN EXCLUSIVE", "PRAGMA locking_mode=EXCLUSIVE; SELECT count(*) FROM t", "PRAGMA integrity_check")


class Shell:
    """A shell that is kept open, to hold a file while others come."""

    def __init__(self, path, *program):
        self.process = subprocess.Popen([*(program or ("sqlite3",)), "-batch", path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        self.seen, self.marks = b"", 0

    def run(self, sql):
        """Gives what was printed."""
        self.marks += 1
        mark = f"mark-{self.marks}\n"
        self.process.stdin.write(f"{sql};\nSELECT 'mark-' || {self.marks};\n".encode())
        self.process.stdin.flush()
        while not self.seen.endswith(mark.encode()):
            piece = os.read(self.process.stdout.fileno(), 65536)
            check(piece, f"the shell ended after {sql!r}: {self.seen!r}")
            self.seen += piece
        out, self.seen = self.seen[:-len(mark)].decode(), b""
        return out

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait(timeout=30)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


NODES = []


def node_make(*args, **options):
    """Those of tests that fail are ended with the program."""
    NODES.append(Node(*args, **options))
    return NODES[-1]


def skerry(path, sql):
    return subprocess.run([PROGRAM, "sql", "-batch", path, sql], capture_output=True, text=True, timeout=60, check=False)


def state(path):
    """Every byte of the database, its log and its journal."""
    out = {}
    for suffix in ("", "-wal", "-journal"):
        if os.path.exists(path + suffix):
            with open(path + suffix, "rb") as f:
                out[suffix] = hashlib.sha256(f.read()).hexdigest()
    return out


def make(tests, name, mode):
    path = tests.path(name + ".db")
    r = sqlite3(path, f"PRAGMA journal_mode={mode}; CREATE TABLE t(a INTEGER PRIMARY KEY, b); INSERT INTO t VALUES(1, 'one'), (2, 'two');")
    equal(r.returncode, 0, r.stderr)
    return path


def sound(path, rows):
    equal(sqlite3(path, "PRAGMA integrity_check; SELECT group_concat(a) FROM (SELECT a FROM t ORDER BY a)").stdout, f"ok\n{rows}\n",
          "what sqlite3 finds at the end")


def locked(answer, what):
    check(answer.returncode != 0 and "database is locked" in answer.stderr, f"{what}: {answer.returncode} {answer.stdout} {answer.stderr}")


# ---- we have the file ---------------------------------------------------------------------------------------

def refused_by_the_shell(tests, mode, written):
    """In a rollback journal file that nobody has written yet, in one that was, and in a WAL file."""
    path = make(tests, f"ours-{mode}-{written}", mode)
    ours = Shell(path, PROGRAM, "sql")
    if written:
        ours.run("INSERT INTO t VALUES(3, 'three')")
    else:
        equal(ours.run("SELECT count(*) FROM t"), "2\n", "rows")
    time.sleep(0.3)  # zeros may still be written ahead of the log
    before = state(path)
    for sql in FOREIGN:
        locked(sqlite3(path, sql), sql)
        locked(subprocess.run(["sqlite3", "-readonly", path, "SELECT count(*) FROM t"], capture_output=True, text=True, check=False),
               "a reader that does not write")
        equal(state(path), before, f"the files after {sql!r}")
    check(not os.path.exists(path + "-shm"), "a foreign process has begun to share the log")
    ours.run("INSERT INTO t VALUES(4, 'four')")
    equal(ours.close(), 0, "status of the shell")
    sound(path, "1,2,3,4" if written else "1,2,4")
    equal(sqlite3(path, "INSERT INTO t VALUES(5, 'five')").returncode, 0, "a foreign write afterwards")


def refused_by_a_node(tests):
    node = node_make(tests.path("held"), "--store", "none").start()
    node.sql("CREATE TABLE t(a INTEGER PRIMARY KEY, b)", "INSERT INTO t VALUES(1, 'one')")
    (path,) = glob.glob(tests.path("held") + "/*.db")
    time.sleep(0.3)
    before = state(path)
    for sql in FOREIGN:
        locked(sqlite3(path, sql), sql)
    locked(skerry(path, "SELECT 1 FROM t"), "another Skerry")
    equal(state(path), before, "the files")
    node.sql("INSERT INTO t VALUES(2, 'two')")
    equal(node.stop(), 0, "status of the node")
    sound(path, "1,2")


def one_that_waits_gets_it(tests):
    path = make(tests, "waits", "wal")
    ours = Shell(path, PROGRAM, "sql")
    ours.run("INSERT INTO t VALUES(3, 'three')")
    waiting = subprocess.Popen(["sqlite3", "-cmd", ".timeout 20000", path, "INSERT INTO t VALUES(4, 'four')"])
    time.sleep(0.5)
    equal(waiting.poll(), None, "status of one that waits")
    ours.close()
    equal(waiting.wait(timeout=30), 0, "status of one that has waited")
    sound(path, "1,2,3,4")


# A connection of sqlite3's that was open before, without a lock; it finds the file as we left it, in the other mode.
def one_that_was_open_before(tests):
    path = make(tests, "before", "delete")
    theirs = Shell(path)
    equal(theirs.run("SELECT count(*) FROM t"), "2\n", "rows")
    ours = Shell(path, PROGRAM, "sql")
    ours.run("INSERT INTO t VALUES(3, 'three')")
    check("database is locked" in theirs.run("SELECT count(*) FROM t"), "it reads a file that we have")
    check("database is locked" in theirs.run("INSERT INTO t VALUES(9, 'nine')"), "it writes a file that we have")
    ours.close()
    equal(theirs.run("SELECT count(*) FROM t"), "3\n", "rows afterwards")
    equal(theirs.run("INSERT INTO t VALUES(4, 'four')"), "", "a write afterwards")
    theirs.close()
    sound(path, "1,2,3,4")


# ---- they have it -------------------------------------------------------------------------------------------

HOLDS = {
    "reading": "BEGIN; SELECT count(*) FROM t",
    "reserved": "BEGIN IMMEDIATE",
    "written": "BEGIN; INSERT INTO t VALUES(3, 'three')",
    "exclusive": "BEGIN EXCLUSIVE",
    "locking_mode": "PRAGMA locking_mode=EXCLUSIVE; BEGIN; INSERT INTO t VALUES(3, 'three'); COMMIT",
}


def refused_by_sqlite3(tests, mode, hold):
    path = make(tests, f"theirs-{mode}-{hold}", mode)
    theirs = Shell(path)
    theirs.run(HOLDS[hold])
    before = state(path)
    for sql in ("SELECT count(*) FROM t", "INSERT INTO t VALUES(99, 'ours')", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
        locked(skerry(path, sql), sql)
        equal(state(path), before, f"the files after {sql!r}")
    if hold != "locking_mode":
        theirs.run("COMMIT")
    theirs.close()
    equal(skerry(path, "INSERT INTO t VALUES(5, 'five')").stderr, "", "our write afterwards")
    sound(path, "1,2,3,5" if hold in ("written", "locking_mode") else "1,2,5")


def node_does_not_start(tests):
    data = tests.path("taken")
    node = node_make(data, "--store", "none").start()
    node.sql("CREATE TABLE t(a INTEGER PRIMARY KEY, b)", "INSERT INTO t VALUES(1, 'one')")
    equal(node.stop(), 0, "status")
    (path,) = glob.glob(data + "/*.db")
    theirs = Shell(path)
    theirs.run("BEGIN IMMEDIATE; INSERT INTO t VALUES(2, 'two')")
    before = state(path)
    again = node_make(data, "--store", "none").start(wait=False)
    check(again.process.wait(timeout=30) != 0, "the node has started on a file that another has")
    check("database is locked" in again.log(), again.log()[-500:])
    equal(state(path), before, "the files")
    theirs.run("COMMIT")
    theirs.close()
    node.start()
    equal(node.sql("SELECT count(*) FROM t"), [[2]], "rows")
    node.stop()


# Its pages were on the way to the file: they are taken back.
def killed_in_a_transaction(tests):
    path = make(tests, "killed", "delete")
    sqlite3(path, "WITH n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO t SELECT i, printf('%.300c', 'x') FROM n")
    want = sqlite3(path, "SELECT count(*), sum(a), max(b) FROM t").stdout
    theirs = Shell(path)
    theirs.run("PRAGMA cache_size=5; BEGIN; UPDATE t SET b = 'gone'; DELETE FROM t WHERE a % 2")
    check(os.path.getsize(path + "-journal") > 100000, "there is no journal")
    locked(skerry(path, "SELECT count(*) FROM t"), "while it lives")
    theirs.kill()
    equal(skerry(path, "SELECT count(*), sum(a), max(b) FROM t").stdout, want, "what was committed")
    check(not os.path.exists(path + "-journal"), "the journal is still there")
    equal(sqlite3(path, "PRAGMA integrity_check; SELECT count(*), sum(a), max(b) FROM t").stdout, "ok\n" + want, "what sqlite3 finds")


# ---- what holds the log ----------------------------------------------------------------------------------------

BIG = "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2200) INSERT INTO t(b) SELECT zeroblob(4000) FROM n"


def wal_of(node):
    return node.health()["wal"]


def metric(node, name):
    for line in node.get("/metrics")[1].decode().splitlines():
        if line.startswith(f"skerry_{name} "):
            return float(line.split()[1])
    raise AssertionError(f"there is no skerry_{name}")


def reader_opened(session):
    """A transaction that has read, and its baton."""
    out = session.pipeline({"type": "execute", "stmt": {"sql": "BEGIN"}}, {"type": "execute", "stmt": {"sql": "SELECT count(*) FROM t"}})
    check(all(r["type"] == "ok" for r in out["results"]), str(out))
    return out["baton"]


def reader_holds_the_log(tests):
    node = node_make(tests.path("reader"), "--store", "none", "--stream-idle-ms", "600000").start()
    node.sql("CREATE TABLE t(a INTEGER PRIMARY KEY, b)")
    equal("held_by" in wal_of(node), False, "whether it is held at first")
    session = node.session()
    baton = reader_opened(session)
    for _ in range(4):
        node.sql(BIG, "DELETE FROM t")
    wal = wal_of(node)
    equal(wal["held_by"], "reader", "who holds it")
    check(wal["held_ms"] >= 0 and wal["frames"] > 4000, str(wal))
    equal((metric(node, "wal_held_by_reader"), metric(node, "wal_held_by_backup")), (1, 0), "who holds it by the metrics")
    out = session.pipeline({"type": "execute", "stmt": {"sql": "SELECT count(*) FROM t"}}, {"type": "execute", "stmt": {"sql": "COMMIT"}},
                           {"type": "close"}, baton=baton)
    equal(out["results"][0]["response"]["result"]["rows"], [[{"type": "integer", "value": "0"}]], "what the reader still sees")
    session.close()
    for _ in range(3):
        node.sql(BIG, "DELETE FROM t")
        time.sleep(0.2)
    equal("held_by" in wal_of(node), False, "whether it is held when the reader is gone")
    equal(metric(node, "wal_held_by_reader"), 0, "the metric")
    log = node.log()
    equal((log.count("event=wal.held by=reader"), log.count("event=wal.free")), (1, 1), "lines in the log, once an episode each")
    node.stop()


def backup_holds_the_log(tests):
    node = node_make(tests.path("backup"), "--store", "hub+http://127.0.0.1:9/nodes/x", "--push-interval-ms", "100",
                env={"SKERRY_STORE_TOKEN": "0123456789abcdef0123456789abcdef"})
    node.flags += ["--restore", "never"]
    node.start()
    node.sql("CREATE TABLE t(a INTEGER PRIMARY KEY, b)")
    for _ in range(4):
        node.sql(BIG, "DELETE FROM t")
    equal(wal_of(node).get("held_by"), "backup", "who holds it")
    equal(metric(node, "wal_held_by_backup"), 1, "the metric")
    equal(node.log().count("event=wal.held by=backup"), 1, "lines in the log")
    node.kill()


def reader_is_let_go(tests):
    node = node_make(tests.path("limit"), "--store", "none", "--stream-idle-ms", "600000", "--wal-bytes-max", "20m").start()
    node.sql("CREATE TABLE t(a INTEGER PRIMARY KEY, b)")
    session = node.session()
    baton = reader_opened(session)
    for _ in range(12):
        node.sql(BIG, "DELETE FROM t")
    out = session.pipeline({"type": "execute", "stmt": {"sql": "SELECT max(b) FROM t"}}, {"type": "execute", "stmt": {"sql": "ROLLBACK"}},
                           {"type": "execute", "stmt": {"sql": "SELECT count(*) FROM t"}}, {"type": "close"}, baton=baton)
    first, _, third, _ = out["results"]
    equal(first["type"], "error", "what the reader is told")
    check("SQLITE_BUSY" in json.dumps(first) and "begin it again" in json.dumps(first), str(first))
    equal(third["type"], "ok", "what the next transaction is told")
    session.close()
    equal(metric(node, "wal_readers_let_go_total"), 1, "the metric")
    check(node.log().count("event=wal.readers_let_go") == 1, "the log does not say so")
    for _ in range(3):
        node.sql(BIG, "DELETE FROM t")
        time.sleep(0.2)
    check(wal_of(node)["frames"] < 9000, str(wal_of(node)))
    equal("held_by" in wal_of(node), False, "whether it is held then")
    node.stop()


def checkpoints_over_hrana(tests):
    node = node_make(tests.path("hrana"), "--store", "none", "--busy-timeout-ms", "50", "--stream-idle-ms", "600000").start()
    node.sql("CREATE TABLE t(a INTEGER PRIMARY KEY, b)", "INSERT INTO t VALUES(1, 1)")
    equal(node.sql("PRAGMA wal_checkpoint(TRUNCATE)"), [[0, 0, 0]], "TRUNCATE")
    node.sql("INSERT INTO t VALUES(2, 2)")
    equal(node.sql("PRAGMA wal_checkpoint(NOOP)"), [[0, 1, 0]], "NOOP")
    session = node.session()
    baton = reader_opened(session)
    node.sql("INSERT INTO t VALUES(3, 3)")
    equal(node.sql("PRAGMA wal_checkpoint"), [[0, 2, 1]], "PASSIVE beside a reader")
    equal(node.sql("PRAGMA wal_checkpoint(FULL)"), [[1, 2, 1]], "FULL beside a reader")
    session.pipeline({"type": "execute", "stmt": {"sql": "COMMIT"}}, {"type": "close"}, baton=baton)
    session.close()
    equal(node.sql("PRAGMA wal_checkpoint(RESTART)"), [[0, 2, 2]], "RESTART")
    equal(node.sql("PRAGMA journal_mode"), [["wal"]], "journal_mode")
    equal(node.sql("PRAGMA journal_mode = delete"), [["wal"]], "journal_mode = delete")
    equal(node.sql("PRAGMA wal_autocheckpoint"), [[1000]], "wal_autocheckpoint")
    equal(node.sql("PRAGMA journal_size_limit"), [[-1]], "journal_size_limit")
    equal(node.sql("PRAGMA synchronous"), [[2]], "synchronous")
    equal(node.sql("PRAGMA locking_mode"), [["normal"]], "locking_mode")
    equal(node.sql("PRAGMA mmap_size"), [[0]], "mmap_size")
    node.stop()


def main():
    tests = Tests(sys.argv[1:])
    for mode, written in (("delete", False), ("delete", True), ("wal", False), ("wal", True)):
        tests.run(f"refused_by_the_shell {mode} {written}", refused_by_the_shell, tests, mode, written)
    for f in (refused_by_a_node, one_that_waits_gets_it, one_that_was_open_before, node_does_not_start, killed_in_a_transaction):
        tests.run(f.__name__, f, tests)
    for mode in ("delete", "wal"):
        for hold in HOLDS:
            tests.run(f"refused_by_sqlite3 {mode} {hold}", refused_by_sqlite3, tests, mode, hold)
    for f in (reader_holds_the_log, backup_holds_the_log, reader_is_let_go, checkpoints_over_hrana):
        tests.run(f.__name__, f, tests)
    for node in NODES:
        if node.process and node.process.poll() is None:
            node.kill()
    tests.finish()


if __name__ == "__main__":
    main()
