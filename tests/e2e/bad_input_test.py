#!/usr/bin/env python3
"""Goal: bad files and bad disks give a clear sentence, never a crash, a hang or a lost commit.
Method: the real program meets full, read-only and vanishing directories, files that are no databases, databases and
WALs with random damage (SQLite's own answers on the same bytes are the expected ones), hot journals and foreign
settings. SEED=n repeats a run's damage."""
import os
import random
import shutil
import sqlite3 as library
import subprocess
import time

from node import PROGRAM, Node, SqlError, Tests, check, equal, sqlite3

SEED = int(os.environ.get("SEED", "1"))
DAMAGES = int(os.environ.get("DAMAGES", "120"))
QUESTION = "SELECT count(*), sum(id), count(DISTINCT body), max(body) FROM t"


def shell(path, sql, *flags):
    """Skerry's shell on a file: status, output, errors. A crash or a hang fails the test."""
    r = subprocess.run([PROGRAM, "sql", *flags, path, sql], capture_output=True, timeout=30, check=False)
    out, err = r.stdout.decode(errors="replace"), r.stderr.decode(errors="replace")
    check(0 <= r.returncode < 100, f"'{sql}' ended with status {r.returncode}: {err[-500:]}")
    check("internal error" not in err, err[-500:])
    if r.returncode != 0:
        check(len(err.strip()) > 10, f"'{sql}' failed without a sentence")
    return r.returncode, out, err


def fails(path, sql, *words):
    status, out, err = shell(path, sql)
    check(status != 0, f"'{sql}' did not fail; it gave {out[:200]!r}")
    for word in words:
        check(word in err, f"the error of '{sql}' does not say '{word}': {err!r}")


def serve_fails(data, *words):
    r = subprocess.run([PROGRAM, "serve", "--data", data, "--listen", "127.0.0.1:0", "--store", "none"],
                       capture_output=True, timeout=30, check=False)
    text = r.stderr.decode(errors="replace")
    check(r.returncode > 0, f"serve ended with status {r.returncode}: {text[-500:]}")
    for word in words:
        check(word in text, f"the message of serve does not say '{word}': {text[-500:]!r}")


def sample(path, pragmas="", rows=400):
    db = library.connect(path, isolation_level=None)
    db.executescript(pragmas + "CREATE TABLE t(id INTEGER PRIMARY KEY, body TEXT); CREATE INDEX i ON t(body);")
    db.execute("BEGIN")
    db.executemany("INSERT INTO t VALUES(?, ?)", ((i, f"row {i} " + "x" * (i * 7 % 300)) for i in range(rows)))
    db.execute("COMMIT")
    db.close()
    return path


def no_database(tests):
    path = tests.path("text.db")
    with open(path, "w", encoding="utf-8") as f:
        f.write("this is a letter, not a database\n" * 100)
    fails(path, "SELECT * FROM sqlite_schema", "not a database")
    fails(path, "CREATE TABLE t(a)", "not a database")
    data = tests.path("text-data")
    os.mkdir(data)
    shutil.copy(path, data + "/default.db")
    serve_fails(data, "default.db", "not a database")
    with open(path, encoding="utf-8") as f:
        check(f.read().startswith("this is a letter"), "the file was changed")
    # A file without a byte is an empty database.
    open(path, "w", encoding="utf-8").close()
    equal(shell(path, "CREATE TABLE t(a); SELECT count(*) FROM t")[:2], (0, "0\n"), "an empty file")


def directory_for_file(tests):
    data = tests.path("dir-data")
    os.makedirs(data + "/default.db")
    fails(data + "/default.db", "SELECT * FROM sqlite_schema", "default.db")
    serve_fails(data, "default.db")
    path = sample(tests.path("wal-is-dir.db"))
    os.mkdir(path + "-wal")
    fails(path, "INSERT INTO t(body) VALUES('a')", "the WAL of " + path)


def missing_directory(tests):
    fails(tests.path("nowhere/x.db"), "CREATE TABLE t(a)", "nowhere/x.db")
    path = tests.path("plain")
    open(path, "w", encoding="utf-8").close()
    serve_fails(path + "/data", path)


class Mount:
    """A small file system of its own."""

    def __init__(self, path, size):
        self.path = path
        os.makedirs(path, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "skerry-test", path], check=True, capture_output=True)

    def remount(self, options):
        subprocess.run(["mount", "-o", "remount," + options, self.path], check=True, capture_output=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.path], check=False)


def read_only(tests):
    with Mount(tests.path("ro"), "8m") as m:
        path = sample(m.path + "/a.db")
        sample(m.path + "/default.db", "PRAGMA journal_mode=wal;")
        m.remount("ro")
        want = sqlite3(path, QUESTION).stdout
        for name in ("a.db", "default.db"):
            if name == "a.db":
                equal(shell(m.path + "/" + name, QUESTION)[:2], (0, want), "reading " + name)
            equal(shell(m.path + "/" + name, QUESTION, "-readonly")[:2], (0, want), "reading read-only " + name)
            fails(m.path + "/" + name, "INSERT INTO t(body) VALUES('a')")
        fails(m.path + "/new.db", "CREATE TABLE t(a)", "new.db")
        serve_fails(m.path, m.path, "cannot be written")


def full_disk(tests):
    with Mount(tests.path("full"), "6m") as m:
        node = Node(m.path + "/data", "--store", "none")
        node.log_path = tests.path("full.log")
        node.start()
        try:
            node.sql("CREATE TABLE t(id INTEGER PRIMARY KEY, body TEXT)")
            with open(m.path + "/filler", "wb") as f:
                f.write(bytes(2 << 20))
            for turn in range(3):
                acknowledged, error = node.sql("SELECT count(*) FROM t")[0][0], None
                session = node.session()
                for _ in range(3000):
                    try:
                        session.execute("INSERT INTO t(body) VALUES(hex(randomblob(1500)))")
                        acknowledged += 1
                    except SqlError as e:
                        error = str(e)
                        break
                check(error, "the disk did not fill")
                check("full" in error or "space" in error, f"the error does not name the disk: {error!r}")
                # It answers questions meanwhile, and goes on failing clearly.
                equal(node.sql("SELECT count(*) FROM t")[0][0], acknowledged, "rows on the full disk")
                try:
                    session.execute("INSERT INTO t(body) VALUES(hex(zeroblob(200000)))")
                    check(False, "a big row went onto a full disk")
                except SqlError as e:
                    check("full" in str(e) or "space" in str(e), f"the second error does not name the disk: {e!r}")
                session.close()
                if turn == 0:
                    os.remove(m.path + "/filler")
                else:
                    m.remount(f"size={6 + turn * 6}m")
                node.sql("INSERT INTO t(body) VALUES('there is room again')")
                equal(node.sql("SELECT count(*) FROM t")[0][0], acknowledged + 1, "rows after there was room")
            m.remount("size=64m")
            acknowledged += 1
            node.kill()
            node.start()
            equal(node.sql("SELECT count(*) FROM t")[0][0], acknowledged, "rows after a kill")
            equal(node.sql("PRAGMA integrity_check"), [["ok"]], "integrity_check")
            equal(node.stop(), 0, "exit status")
            equal(sqlite3(m.path + "/data/default.db", "PRAGMA integrity_check").stdout, "ok\n", "SQLite's integrity_check")
        finally:
            node.kill()


def damaged(tests, source, suffix, how, rng, index):
    """A copy of the source with damage in the file of that suffix."""
    path = tests.path(f"damaged-{index % 4}.db")
    for s in ("", "-wal", "-journal", "-shm"):
        if os.path.exists(path + s):
            os.remove(path + s)
        if os.path.exists(source + s) and s != "-shm":
            shutil.copy(source + s, path + s)
    with open(path + suffix, "r+b") as f:
        size = os.path.getsize(path + suffix)
        if how == "cut":
            f.truncate(rng.randrange(size))
        else:
            for _ in range(rng.choice((1, 1, 3, 20))):
                at = rng.randrange(min(size, 100) if rng.random() < 0.2 else size)
                f.seek(at)
                byte = f.read(1)[0]
                f.seek(at)
                f.write(bytes([rng.choice((byte ^ 1 << rng.randrange(8), 0, 255, rng.randrange(256)))]))
    return path


def damaged_pages(tests):
    source, rng, unnoticed, noticed = sample(tests.path("pages.db"), "PRAGMA page_size=1024;"), random.Random(SEED), [], 0
    for i in range(DAMAGES):
        path = damaged(tests, source, "", rng.choice(("cut", "flip", "flip", "flip")), rng, i)
        keep = tests.path("damaged-before.db")
        shutil.copy(path, keep)
        theirs = subprocess.run(["sqlite3", "-readonly", keep, "PRAGMA integrity_check"], capture_output=True, check=False)
        status, out, _ = shell(path, "PRAGMA integrity_check")
        if theirs.stdout != b"ok\n":
            noticed += 1
            if status == 0 and out == "ok\n":
                unnoticed.append((i, theirs.stdout[:200], theirs.stderr[:200]))
        shell(path, QUESTION)
        shell(path, "SELECT * FROM t ORDER BY body")
        shell(path, "DELETE FROM t WHERE id % 3 = 0; INSERT INTO t(body) SELECT body FROM t; UPDATE t SET body = 'new' WHERE id > 100")
        shell(path, "VACUUM; PRAGMA integrity_check")
    equal(unnoticed, [], "damage that SQLite notices and integrity_check here does not")
    check(noticed > DAMAGES / 5, "hardly any damage was damage: it shows little")


def damaged_wal(tests):
    source = sample(tests.path("walled.db"), "PRAGMA page_size=1024; PRAGMA journal_mode=wal;")
    db = library.connect(source, isolation_level=None)
    db.execute("PRAGMA wal_autocheckpoint=0")
    for i in range(20):
        db.execute("INSERT INTO t(body) SELECT 'wal ' || id || hex(zeroblob(20)) FROM t LIMIT 10")
        db.execute("DELETE FROM t WHERE id = ?", (i,))
    copy = tests.path("walled-copy.db")
    shutil.copy(source, copy)
    shutil.copy(source + "-wal", copy + "-wal")
    db.close()
    rng, counts = random.Random(SEED + 1), set()
    for i in range(DAMAGES):
        path = damaged(tests, copy, "-wal", rng.choice(("cut", "flip")), rng, i)
        twin = tests.path("twin.db")
        for s in ("", "-wal", "-shm"):
            if os.path.exists(twin + s):
                os.remove(twin + s)
            if os.path.exists(path + s):
                shutil.copy(path + s, twin + s)
        want = sqlite3(twin, QUESTION)
        equal(shell(path, QUESTION)[:2], (want.returncode, want.stdout), f"the answer with damaged WAL {i}")
        equal(shell(path, "INSERT INTO t(body) VALUES('after'); PRAGMA integrity_check")[:2], (0, "ok\n"), f"writing after damaged WAL {i}")
        equal(sqlite3(path, "PRAGMA integrity_check; SELECT count(*) FROM t WHERE body = 'after'").stdout, "ok\n1\n", f"SQLite on file {i}")
        counts.add(want.stdout)
    check(len(counts) > 5, "hardly any two WALs ended at different commits: it shows little")


def hot_journal(tests):
    live = sample(tests.path("live.db"), "PRAGMA page_size=1024;")
    want = sqlite3(live, QUESTION).stdout
    db = library.connect(live, isolation_level=None)
    db.execute("PRAGMA cache_size=5")
    db.execute("BEGIN")
    db.execute("UPDATE t SET body = 'new' || hex(zeroblob(150))")
    db.execute("DELETE FROM t WHERE id > 250")
    data = tests.path("hot-data")
    os.mkdir(data)
    for target in (tests.path("hot.db"), data + "/default.db"):
        shutil.copy(live, target)
        shutil.copy(live + "-journal", target + "-journal")
    raw = tests.path("hot-raw.db")
    shutil.copy(live, raw)
    db.execute("ROLLBACK")
    db.close()
    check(sqlite3(raw, QUESTION).stdout != want, "nothing of the transaction is in the file: it shows nothing")
    for path in (tests.path("hot.db"),):
        equal(shell(path, QUESTION)[:2], (0, want), "the rows after rolling back")
        equal(sqlite3(path, "PRAGMA integrity_check").stdout, "ok\n", "integrity after rolling back")
    node = Node(data, "--store", "none").start()
    try:
        equal("|".join(str(v) for v in node.sql(QUESTION)[0]) + "\n", want, "the node's rows after rolling back")
        node.sql("INSERT INTO t(body) VALUES('after')")
        equal(node.stop(), 0, "exit status")
    finally:
        node.kill()
    equal(sqlite3(data + "/default.db", "PRAGMA integrity_check; SELECT count(*) FROM t WHERE body = 'after'").stdout, "ok\n1\n", "SQLite on it")
    # Damaged journals: whatever they say, an end with rows or a sentence.
    rng = random.Random(SEED + 2)
    for i in range(DAMAGES // 3):
        source = tests.path("hot-source.db")
        shutil.copy(raw, source)
        with open(source + "-journal", "wb") as f:
            f.write(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + rng.randbytes(rng.choice((4, 20, 504, 4000))))
        path = damaged(tests, source, "-journal", "flip" if rng.random() < 0.7 else "cut", rng, i)
        shell(path, QUESTION)
        shell(path, "INSERT INTO t(body) VALUES('a'); PRAGMA integrity_check")


def auto_vacuum(tests):
    for mode in ("full", "incremental"):
        path = sample(tests.path(f"auto-{mode}.db"), f"PRAGMA page_size=1024; PRAGMA auto_vacuum={mode};")
        want = sqlite3(path, QUESTION).stdout
        equal(shell(path, QUESTION)[:2], (0, want), "reading an auto_vacuum file")
        equal(shell(path, "PRAGMA integrity_check")[:2], (0, "ok\n"), "integrity_check of an auto_vacuum file")
        # SQLite itself, on a copy, says what the rows are afterwards and how many pages they take.
        change = "DELETE FROM t WHERE id % 3 = 1; INSERT INTO t(id, body) SELECT id + 1000, body || 'again' FROM t WHERE id < 100; " \
                 "PRAGMA incremental_vacuum; SELECT count(*) FROM t"
        twin = tests.path(f"auto-{mode}-twin.db")
        shutil.copy(path, twin)
        count = sqlite3(twin, change).stdout
        equal(shell(path, change)[:2], (0, count), "writing an auto_vacuum file")
        state = "PRAGMA integrity_check; PRAGMA auto_vacuum; PRAGMA freelist_count; " + QUESTION
        equal(sqlite3(path, state).stdout, sqlite3(twin, state).stdout, "SQLite on the file afterwards")
        check(sqlite3(path, state).stdout.startswith("ok\n"), "SQLite's integrity_check")
        # Entries of the first pointer-map page, which is page 2: a type and a parent of 5 bytes for each page from 3 on.
        pages = int(sqlite3(path, "PRAGMA page_count").stdout)
        rng, noticed = random.Random(SEED + 3), 0
        for i in range(DAMAGES // 4):
            broken, keep = tests.path("auto-damaged.db"), tests.path("auto-before.db")
            shutil.copy(path, broken)
            with open(broken, "r+b") as f:
                at = 1024 + rng.randrange(min(5 * (pages - 2), 1024 // 5 * 5))
                f.seek(at)
                byte = f.read(1)[0]
                f.seek(at)
                f.write(bytes([byte ^ 1 << rng.randrange(8)]))
            shutil.copy(broken, keep)
            theirs = sqlite3(keep, "PRAGMA integrity_check").stdout
            status, out, _ = shell(broken, "PRAGMA integrity_check")
            equal((status, out == "ok\n"), (0, theirs == "ok\n"), f"damage at {at} of the pointer map: {theirs[:200]!r} and {out[:200]!r}")
            noticed += out != "ok\n"
            equal(shell(broken, QUESTION)[1], sqlite3(keep, QUESTION).stdout, "rows are read without the pointer map")
            shell(broken, "DELETE FROM t WHERE id % 2; VACUUM; PRAGMA integrity_check")
        check(noticed > DAMAGES // 8, "hardly any damage was noticed: it shows little")


def utf16(tests):
    for encoding in ("UTF-16le", "UTF-16be"):
        path = sample(tests.path(encoding + ".db"), f"PRAGMA encoding='{encoding}';")
        want = sqlite3(path, QUESTION).stdout
        equal(shell(path, QUESTION)[:2], (0, want), "reading " + encoding)
        equal(shell(path, "INSERT INTO t(body) VALUES('ca' || char(233, 0x1f600)); SELECT body FROM t WHERE body > 'ca' AND body < 'cb'")[:2],
              (0, "ca\u00e9\U0001f600\n"), "writing " + encoding)
        bytes_of = "SELECT hex(body), length(body) FROM t WHERE body LIKE 'ca%'"
        after = sqlite3(path, "PRAGMA integrity_check; PRAGMA encoding; " + bytes_of).stdout
        hexed = "ca\u00e9\U0001f600".encode(encoding.lower()).hex().upper()
        equal(after, f"ok\n{encoding}\n{hexed}|4\n", "SQLite on it")
        equal(shell(path, "SELECT length(body) FROM t WHERE body LIKE 'ca%'")[:2], (0, "4\n"), "reading it again")


def wait_for(what, condition, seconds=30):
    end = time.time() + seconds
    while not condition():
        check(time.time() < end, f"{what}: not after {seconds} s")
        time.sleep(0.05)


def restored_count(tests, store, name):
    out = tests.path(name)
    r = subprocess.run([PROGRAM, "restore", "--store", store, out], capture_output=True, text=True, timeout=60, check=False)
    equal(r.returncode, 0, "status of restore: " + r.stderr[-300:])
    equal(sqlite3(out, "PRAGMA integrity_check").stdout, "ok\n", "integrity of what was restored")
    return sqlite3(out, "SELECT count(*) FROM t").stdout.strip()


def store_disappears(tests):
    store, away = tests.path("store"), tests.path("store-away")
    node = Node(tests.path("away-data"), "--store", store, "--push-interval-ms", "50").start()
    try:
        node.sql("CREATE TABLE t(id INTEGER PRIMARY KEY, body TEXT)", "INSERT INTO t(body) VALUES('one')")
        check(node.wait_pushed(), "the first push")
        os.rename(store, away)
        with open(store, "w", encoding="utf-8") as f:
            f.write("in the way")
        for i in range(50):
            node.sql(f"INSERT INTO t(body) VALUES('away {i}')")
        wait_for("the missing store in the health", lambda: node.health()["backup"].get("error"))
        equal(node.health()["status"], "ok", "health without the store")
        os.remove(store)
        os.rename(away, store)
        check(node.wait_pushed(60), "it did not catch up: " + str(node.health()))
        equal(node.stop(), 0, "exit status")
    finally:
        node.kill()
    equal(restored_count(tests, store, "away-restored.db"), "51", "restored rows")


def store_fills(tests):
    with Mount(tests.path("small-store"), "1m") as m:
        store = m.path + "/store"
        node = Node(tests.path("fills-data"), "--store", store, "--push-interval-ms", "50").start()
        try:
            node.sql("CREATE TABLE t(id INTEGER PRIMARY KEY, body BLOB)")
            for _ in range(40):
                node.sql("INSERT INTO t(body) VALUES(randomblob(100000))")
            wait_for("the full store in the health", lambda: node.health()["backup"].get("error"))
            error = node.health()["backup"]["error"]
            check("space" in error, f"the error does not name the disk: {error!r}")
            equal(node.sql("SELECT count(*) FROM t")[0][0], 40, "rows with the store full")
            m.remount("size=64m")
            check(node.wait_pushed(60), "it did not catch up: " + str(node.health()))
            equal(node.stop(), 0, "exit status")
        finally:
            node.kill()
        equal(restored_count(tests, store, "fills-restored.db"), "40", "restored rows")


def main():
    tests = Tests()
    for name, f in (("a file that is no database", no_database), ("a directory where the file should be", directory_for_file),
                    ("a directory that is not there", missing_directory), ("damaged pages", damaged_pages),
                    ("damaged WALs", damaged_wal), ("hot journals", hot_journal), ("auto_vacuum files", auto_vacuum),
                    ("UTF-16 databases", utf16), ("a store that disappears", store_disappears)):
        tests.run(name, f, tests)
    for name, f in (("a read-only directory", read_only), ("a full disk", full_disk), ("a store that fills up", store_fills)):
        if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode != 0:
            tests.skip(name, "mounting a small file system needs root")
        else:
            tests.run(name, f, tests)
    tests.finish()


if __name__ == "__main__":
    main()
