#!/usr/bin/env python3
"""Goal: a database opened from the store answers at once and rightly, keeps what came, survives kill -9 and a store that
goes away, and shows past states. Method: real nodes on a directory and on tests/s3/fakes3.py, whose requests are counted
and which is stopped and started; the whole, once it is here, is judged by sqlite3."""
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time

from fakes3 import FakeS3, NamedS3
from node import PROGRAM, WAIT, Node, SqlError, Tests, check, equal, refused, restored_rows, rows_of, sqlite3, until

ROWS = 30000  # 2 KB each: about 65 MB
MAKE = ("CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB, c INTEGER)",
        f"WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {ROWS}) "
        "INSERT INTO t SELECT n, randomblob(2000), n * 7 % 1000 FROM s", "CREATE INDEX t_c ON t(c)")


def make(tests, label, url, env):
    node = Node(tests.path("writer-" + label), "--store", url, env=env).start()
    node.sql(*MAKE)
    check(node.wait_pushed(), "not pushed: " + str(node.health()))
    want = node.sql("SELECT count(*), sum(a), sum(length(b)), sum(c) FROM t")
    equal(node.stop(), 0, "exit status")
    return want


def wait_whole(node, seconds=WAIT):
    def missing():
        h = node.health().get("hydrate", {"pages": 0, "pages_here": 0})
        return h["pages"] - h["pages_here"]
    until(missing, 0, "the number of missing pages", seconds)


def lazy(tests, label, url, env):
    want = make(tests, label, url, env)
    node = Node(tests.path("lazy-" + label), "--store", url, "--hydrate", "lazy", env=env).start()
    equal(node.sql("SELECT a, c FROM t WHERE a = 20000"), [[20000, 0]], "a row")
    equal(node.sql("SELECT count(*), sum(a), sum(length(b)), sum(c) FROM t"), want, "sums")
    node.sql("UPDATE t SET c = -1 WHERE a % 1000 = 0", "DELETE FROM t WHERE a = 7", "INSERT INTO t VALUES (1000000, 'x', 5)")
    wait_whole(node)
    equal(node.sql("SELECT count(*) FROM t"), [[ROWS]], "rows")
    check(node.wait_pushed(), "not pushed: " + str(node.health()))
    equal(node.stop(), 0, "exit status")
    path = node.data + "/default.db"
    check(not os.path.exists(path + "-hydrate"), "the map is still there")
    equal(sqlite3(path, "PRAGMA integrity_check").stdout.strip(), "ok", "integrity_check")
    equal(sqlite3(path, "SELECT count(*), sum(c = -1) FROM t").stdout.strip(), f"{ROWS}|{ROWS // 1000}", "rows of the file")
    equal(restored_rows(tests, url, env, "SELECT count(*), sum(c = -1) FROM t"), [[ROWS, ROWS // 1000]], "restored rows")


def no_page(tests):
    """The backup is of a database without a page; the file that begins with it is encrypted with a key of its own."""
    store, keys = tests.path("store-no-page"), [secrets.token_hex(32) for _ in range(3)]
    w = Node(tests.path("writer-no-page"), "--store", store, "--push-interval-ms", "50", env={"SKERRY_KEY": keys[0], "SKERRY_DB_KEY": keys[1]}).start()
    until(lambda: os.path.exists(store + "/default/head"), True, "the empty database is pushed")
    equal(w.stop(), 0, "exit status")
    n = Node(tests.path("node-no-page"), "--store", store, "--hydrate", "lazy", env={"SKERRY_KEY": keys[0], "SKERRY_DB_KEY": keys[2]})
    for i in range(3):
        n.start()
        n.sql("CREATE TABLE IF NOT EXISTS t(a)", f"INSERT INTO t VALUES ({i})")
        equal(n.sql("SELECT group_concat(a) FROM t"), [[",".join(str(k) for k in range(i + 1))]], "rows")
        if i == 1:
            n.kill()
        else:
            check(n.wait_pushed(), "not pushed")
            equal(n.stop(), 0, "exit status")
    with open(n.data + "/default.db", "rb") as f:
        check(not f.read(16).startswith(b"SQLite format 3"), "the file is not encrypted")
    out = tests.path("no-page-restored.db")
    subprocess.run([PROGRAM, "restore", "--store", store, "--decrypt", out], env=dict(os.environ, SKERRY_KEY=keys[0]), check=True, capture_output=True)
    equal(sqlite3(out, "SELECT group_concat(a) FROM t; PRAGMA integrity_check").stdout.split(), ["0,1,2", "ok"], "the backup")


def killed(tests, label, url, env):
    """kill -9 again and again while pages come and rows are written: nothing is lost, nothing is old."""
    make(tests, label, url, env)
    limits = ["--store-download-rate", "8m"]
    node = Node(tests.path("killed-" + label), "--store", url, "--hydrate", "lazy", *limits, env=env)
    done = 0
    here = []
    for i in range(6):
        node.start()
        h = node.health()["hydrate"]
        here.append(h["pages_here"])
        for a in range(done + 1, done + 21):
            node.sql(f"UPDATE t SET c = {100000 + a}, b = 'new' WHERE a = {a * 37}")
        done += 20
        if i % 2:
            node.sql("PRAGMA wal_checkpoint(TRUNCATE)")
        time.sleep(0.3)
        node.kill()
    check(here[-1] > here[1], f"what came is not kept: {here}")
    check(here[-1] < h["pages"], "all was there before the last kill: nothing was tested")
    node.flags = [f for f in node.flags if f not in limits]
    node.start()
    wait_whole(node)
    equal(node.sql("SELECT count(*), count(DISTINCT c) FROM t WHERE c > 100000"), [[done, done]], "updated rows")
    check(node.wait_pushed(), "not pushed: " + str(node.health()))
    equal(node.stop(), 0, "exit status")
    path = node.data + "/default.db"
    equal(sqlite3(path, "PRAGMA integrity_check").stdout.strip(), "ok", "integrity_check")
    equal(sqlite3(path, "SELECT count(*) FROM t WHERE c > 100000 AND b = 'new'").stdout.strip(), str(done), "rows of the file")


def pushes_meanwhile(tests, label, url, env):
    """Commits of a node that has few pages yet are in the store, and restored rightly; whoever wrote before is fenced at
    once; kill -9 in between, and a clean stop."""
    make(tests, label, url, env)
    old = Node(tests.path("writer-" + label), "--store", url, "--push-interval-ms", "50", env=env).start()
    check(old.wait_pushed(), "not pushed")
    limits = ["--store-download-rate", "400k"]
    node = Node(tests.path("pushes-" + label), "--store", url, "--hydrate", "lazy", "--push-interval-ms", "50", *limits, env=env)
    node.start()
    old.sql("UPDATE t SET c = -7 WHERE a = 1")  # only there
    old.wait_state("backup", "refused")
    old.kill()
    sums = "SELECT count(*), sum(a), sum(c), sum(length(b)) FROM t WHERE c > 99999 OR a > 29800"
    for i in range(5):
        base = 100000 * (i + 1)
        for a in range(6):
            node.sql(f"UPDATE t SET c = {base + a}, b = 'new' WHERE a = {(i * 6 + a) * 991 + 1}", f"INSERT INTO t VALUES ({base + a}, zeroblob(5000), {a})")
        node.sql(f"DELETE FROM t WHERE a BETWEEN {29850 + i * 20} AND {29860 + i * 20}")
        check(node.wait_pushed(), "not pushed: " + str(node.health()))
        if i < 3:
            h = node.health()["hydrate"]
            check(h["pages_here"] < h["pages"], f"all is here: nothing is tested: {h}")
        equal(restored_rows(tests, url, env, sums), node.sql(sums), "restored rows")
        if i == 1:
            node.kill()
            node.start()
        elif i == 3:
            equal(node.stop(), 0, "exit status")
            node.start()
    check("backup.image" not in node.log(), "an image was pushed")
    node.stop()
    node.flags = [f for f in node.flags if f not in limits]
    node.start()
    wait_whole(node)
    node.sql("UPDATE t SET c = 999999 WHERE a = 2")
    check(node.wait_pushed(), "not pushed: " + str(node.health()))
    equal(restored_rows(tests, url, env, sums), node.sql(sums), "restored rows, all pages here")
    check("backup.image" not in node.log(), "an image was pushed")
    equal(node.stop(), 0, "exit status")


def first_query(tests, s3):
    url = "s3://skerry-test/first"
    want = make(tests, "first", url, s3.env)
    node = Node(tests.path("first"), "--store", url, "--at", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60)),
                env=s3.env)
    before = s3.stats()
    node.start()
    equal(node.sql("SELECT c FROM t WHERE a = 12345"), [[12345 * 7 % 1000]], "a row")
    used = s3.stats() - before
    print(f"  {used} requests from the start to the first row of {ROWS * 2} KB", flush=True)
    check(used <= 20, f"the first query took {used} requests")
    refused(node, "DELETE FROM t", ("readonly",), "a past state was written to")
    equal(node.sql("SELECT count(*), sum(a), sum(length(b)), sum(c) FROM t"), want, "sums")
    equal(node.stop(), 0, "exit status")
    equal([f for f in os.listdir(node.data) if ".view" in f], [], "files left behind")
    # A node that becomes the writer, claims included; encrypted and not.
    for label, env in (("plain", {}), ("encrypted", {"SKERRY_KEY": secrets.token_hex(32)})):
        url = "s3://skerry-test/first-" + label
        want = make(tests, "first-" + label, url, dict(s3.env, **env))
        node = Node(tests.path("first-lazy-" + label), "--store", url, "--hydrate", "lazy", env=dict(s3.env, **env))
        before = s3.stats()
        node.start()
        equal(node.sql("SELECT c FROM t WHERE a = 12345"), [[12345 * 7 % 1000]], "a row")
        used = s3.stats() - before
        print(f"  {used} requests of a {label} node from the start to the first row", flush=True)
        check(used <= 20, f"the first query took {used} requests")
        equal(node.sql("SELECT count(*), sum(a), sum(length(b)), sum(c) FROM t"), want, "sums")
        equal(node.stop(), 0, "exit status")


def shell_looks(tests):
    """skerry sql --store: the newest state, that of a transaction, that of a moment; encrypted; nothing left behind."""
    url, key = tests.path("looked-at"), secrets.token_hex(32)
    node = Node(tests.path("looked"), "--store", url, env={"SKERRY_KEY": key}).start()
    node.sql("CREATE TABLE t(a INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    check(node.wait_pushed(), "not pushed")
    first = node.health()["backup"]["tx"]
    time.sleep(1.1)
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    time.sleep(1.1)
    node.sql("INSERT INTO t VALUES (2)")
    check(node.wait_pushed(), "not pushed")
    equal(node.stop(), 0, "exit status")
    scratch = tests.path("scratch")
    os.makedirs(scratch)

    def look(*args):
        return subprocess.run([PROGRAM, "sql", "--store", url, *args], capture_output=True, text=True, check=False,
                              env=dict(os.environ, TMPDIR=scratch))
    sql = "SELECT group_concat(a) FROM t"
    for args, want in (((), "1,2"), (("--tx", str(first)), "1"), (("--at", moment), "1")):
        r = look("--key", key, *args, sql)
        equal((r.returncode, r.stdout.strip()), (0, want), f"{args}: {r.stderr}")
    equal(look("--key", key, "-json", sql).stdout.strip(), '[{"group_concat(a)":"1,2"}]', "JSON")
    for args, word in ((("--key", secrets.token_hex(32)), "key"), (("--key", key, "--tx", "99"), "99"),
                       (("--key", key, "--database", "other"), "other"), (("--key", key, "--at", "2001-01-01T00:00:00Z"), "back that far"),
                       (("--nope", "1"), "--nope")):
        r = look(*args, sql)
        check(r.returncode != 0 and word in r.stderr, f"{args}: {r.returncode} {r.stderr}")
    r = look("--key", key, "INSERT INTO t VALUES (3)")
    check(r.returncode != 0 and "readonly" in r.stderr, r.stderr)
    equal(os.listdir(scratch), [], "files left behind")


def attached(tests):
    """Past states beside the present, in one statement; shared, read-only, nothing left behind."""
    url = tests.path("store-attached")
    node = Node(tests.path("attached"), "--store", url, "--push-interval-ms", "20").start()
    node.sql("CREATE TABLE t(a INTEGER PRIMARY KEY, b)", "INSERT INTO t VALUES (1, 'one'), (2, 'two')")
    check(node.wait_pushed(), "not pushed")
    tx = node.health()["backup"]["tx"]
    time.sleep(1.1)
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    time.sleep(1.1)
    node.sql("DELETE FROM t WHERE a = 1", "UPDATE t SET b = 'changed' WHERE a = 2", "INSERT INTO t VALUES (3, 'three')")
    check(node.wait_pushed(), "not pushed")

    def ask(*statements):
        s = node.session()
        try:
            out = s.pipeline(*({"type": "execute", "stmt": {"sql": q}} for q in statements), {"type": "close"})
        finally:
            s.close()
        return [rows_of(r) if r["type"] == "ok" else r["error"]["message"] for r in out["results"][:-1]]
    for state in (moment, f"tx={tx}"):
        out = ask(f"ATTACH 'default@{state}' AS past", "SELECT a, b FROM past.t",
                  "SELECT p.a, p.b, t.b FROM past.t p LEFT JOIN main.t USING (a) WHERE t.b IS NOT p.b", "DELETE FROM past.t", "DETACH past")
        equal(out[1], [[1, "one"], [2, "two"]], "rows of " + state)
        equal(out[2], [[1, "one", None], [2, "two", "changed"]], "what changed since " + state)
        check("readonly" in str(out[3]), str(out[3]))
        equal(out[4], [], "DETACH")
    for state, why in (("2001-01-01T00:00:00Z", "back that far"), ("tx=99", "transaction 99"), ("yesterday", "no moment")):
        out = ask(f"ATTACH 'default@{state}' AS past", "SELECT * FROM past.t")
        check("unable to open" in str(out[0]) and why in str(out[0]), str(out))
    check("back that far" in node.log(), "the log does not say why")
    out = ask("ATTACH '/nowhere/x.db' AS past")
    equal(out[0], "unable to open database: /nowhere/x.db", "the error of a file")
    equal(ask("SELECT a FROM t"), [[[2], [3]]], "rows of the present")
    equal(node.stop(), 0, "exit status")
    equal([f for f in os.listdir(node.data) if "past" in f], [], "files left behind")


def merged_meanwhile(tests):
    """A view whose objects are merged into others, and let go, goes on with those; one that loses an object says which."""
    url = tests.path("store-merged")
    node = Node(tests.path("writer-merged"), "--store", url, "--push-interval-ms", "20").start()
    node.sql(*MAKE)
    check(node.wait_pushed(), "not pushed")
    if time.time() % 30 > 15:  # they are to be pushed in one window of time
        time.sleep(31 - time.time() % 30)
    for i in range(6):
        node.sql(f"UPDATE t SET c = {-1 - i} WHERE a BETWEEN {i * 4000 + 1} AND {i * 4000 + 40}")
        check(node.wait_pushed(), "not pushed")
    want = node.sql("SELECT count(*), sum(a), sum(length(b)), sum(c) FROM t")
    tx = node.health()["backup"]["tx"]
    view = Node(tests.path("view-merged"), "--store", url, "--tx", str(tx)).start()
    equal(view.sql("SELECT c FROM t WHERE a = 1"), [[-1]], "a row")
    folder = [os.path.join(d, "L0") for d, _, _ in os.walk(os.path.join(url, "default")) if os.path.isdir(os.path.join(d, "L0"))][0]

    # The pushes of half a minute, counted from the epoch, become one segment of level 1, those of five minutes of level 2;
    # here they are let go at once. (One alone in its window, on a slow machine, stays at level 0.)
    time.sleep(31 - time.time() % 30)
    end = time.time() + 30
    merges = []
    while not any(first <= tx <= last for first, last in merges) and time.time() < end:
        node.sql("INSERT INTO t VALUES (NULL, 'later', 0)")
        time.sleep(0.5)
        merges = [(int(f[:16], 16), int(f[17:33], 16)) for level in ("L1", "L2")
                  for f in (os.listdir(folder[:-2] + level) if os.path.isdir(folder[:-2] + level) else [])
                  if "." not in f]  # a part of one that is not whole yet
    check(any(first <= tx <= last for first, last in merges), "the pushes were not merged")
    for f in os.listdir(folder):
        if any(first <= int(f[:16], 16) <= last <= tx for first, last in merges):
            os.unlink(os.path.join(folder, f))
    equal(view.sql("SELECT count(*), sum(a), sum(length(b)), sum(c) FROM t"), want, "sums by the merged segment")
    equal(view.stop(), 0, "exit status")
    # What is lost indeed is an error, and not waited for.
    view.start()
    equal(view.sql("SELECT c FROM t WHERE a = 1"), [[-1]], "a row")
    for level, _, files in os.walk(os.path.dirname(folder)):  # whatever levels they have reached
        for f in files:
            if int(f[:16], 16) <= tx:
                os.unlink(os.path.join(level, f))
    refused(view, "SELECT sum(length(b)) FROM t", ("has not arrived yet",), "pages were read that are nowhere")
    equal(view.stop(), 0, "exit status")
    node.kill()


def network_goes_away(tests, s3):
    url = "s3://skerry-test/away"
    make(tests, "away", url, s3.env)
    node = Node(tests.path("away"), "--store", url, "--hydrate", "lazy", "--store-download-rate", "2m", env=s3.env).start()
    equal(node.sql("SELECT c FROM t WHERE a = 1"), [[7]], "a row")
    node.sql("SELECT max(a) FROM t", "SELECT a FROM t WHERE c = 1 ORDER BY a DESC LIMIT 1")  # where the new row will go
    s3.admin("/_fault?match=.&do=503&n=1000000")
    equal(node.sql("SELECT c FROM t WHERE a = 1"), [[7]], "a row that is here")
    node.sql("INSERT INTO t VALUES (1000001, 'offline', 1)")
    equal(node.sql("SELECT b FROM t WHERE a = 1000001"), [["offline"]], "a row written offline")
    refused(node, "SELECT sum(length(b)) FROM t", ("has not arrived yet",), "a scan succeeded without the store")
    equal(node.sql("SELECT c FROM t WHERE a = 1"), [[7]], "a row that is here, after the error")
    check("hydrate" in node.health() and node.health()["hydrate"]["error"], "health does not tell")
    # Killed, and started without the store: what is here is served, as before.
    time.sleep(3)
    node.kill()
    node.start()
    equal(node.sql("SELECT b FROM t WHERE a = 1000001"), [["offline"]], "a row written offline, after a restart")
    refused(node, "SELECT sum(length(b)) FROM t", ("has not arrived yet",), "a scan succeeded without the store")
    s3.admin("/_nofault")
    node.stop()
    node.flags = node.flags[:-2]
    node.start()
    wait_whole(node)
    equal(node.sql("SELECT count(*) FROM t"), [[ROWS + 1]], "rows")
    equal(node.stop(), 0, "exit status")
    equal(sqlite3(node.data + "/default.db", "PRAGMA integrity_check").stdout.strip(), "ok", "integrity_check")


def unclaimed(tests, s3, how):
    """A node that cannot claim the backup takes no writes; whatever is written elsewhere meanwhile is there afterwards."""
    url = "s3://skerry-test/unclaimed-" + how
    writer = Node(tests.path("unclaimed-writer-" + how), "--store", url, env=s3.env).start()
    writer.sql("CREATE TABLE t(a INTEGER PRIMARY KEY, b)", "INSERT INTO t VALUES (1, hex(randomblob(9000)))")
    check(writer.wait_pushed(), "not pushed: " + str(writer.health()))
    node = Node(tests.path("unclaimed-" + how), "--store", url, "--hydrate", how, env=s3.env)

    def begin():
        s3.admin("/_fault?match=PUT+.*/claim/&do=503&n=1000000")
        node.start()
        refused(node, "INSERT INTO t VALUES (999, 'too early')", ("it came from the store",), "a node that has not claimed the backup takes a write")

    def written(a):
        writer.sql(f"INSERT INTO t VALUES ({a}, 'meanwhile')")
        check(writer.wait_pushed(), "not pushed: " + str(writer.health()))

    # Killed, and the writer goes on: the next start takes what it has written.
    begin()
    equal(node.sql("SELECT a FROM t"), [[1]], "rows")
    node.kill()
    written(2)
    # Served while the writer goes on: it ends when it finds that out.
    begin()
    equal(node.sql("SELECT a FROM t"), [[1], [2]], "rows")
    written(3)
    s3.admin("/_nofault")
    check(node.process.wait(timeout=WAIT) not in (0, None), "the node that is behind ends as if all were well")
    # Nothing is written meanwhile: it takes writes as soon as the store answers.
    begin()
    equal(node.sql("SELECT a FROM t"), [[1], [2], [3]], "rows")
    s3.admin("/_nofault")

    def writes():
        try:
            node.sql("INSERT INTO t VALUES (4, 'claimed')")
        except SqlError as e:
            return str(e)
        return ""
    until(writes, "", "what is told to a writer")
    check(node.wait_pushed(), "not pushed: " + str(node.health()))
    writer.sql("INSERT INTO t VALUES (5, 'too late')")
    writer.wait_state("backup", "refused")
    equal(restored_rows(tests, url, s3.env, "SELECT a FROM t"), [[1], [2], [3], [4]], "restored rows")
    equal(node.stop(), 0, "exit status")
    writer.kill()


def stopped_while_it_starts(tests, s3):
    """SIGTERM while a start waits for the store, which is slow or says nothing at all: restoring, opening lazily, claiming. The
    node ends without having waited any longer, and the next start goes on with what is here."""
    url = "s3://skerry-test/stopped"
    want = make(tests, "stopped", url, s3.env)
    ask = "SELECT count(*), sum(a), sum(length(b)), sum(c) FROM t"
    full = Node(tests.path("stopped-full"), "--store", url, "--store-download-rate", "8m", env=s3.env)
    lazily = Node(tests.path("stopped-lazy"), "--store", url, "--hydrate", "lazy", "--store-download-rate", "8m", env=s3.env)

    def begun(node, event):
        before = node.log().count(event) if os.path.exists(node.log_path) else 0
        node.start(wait=False)
        until(lambda: node.log().count(event) > before, True, event)

    def ends(node):
        equal(node.stop(), 0, "exit status")
        check("event=node.failed" not in node.log() and "event=node.listening" not in node.log(), node.log()[-2000:])
    s3.process.send_signal(signal.SIGSTOP)
    for node in (full, lazily):
        begun(node, "event=backup.unencrypted")
        time.sleep(0.3)
        ends(node)
        check(not os.path.exists(node.data + "/default.db"), "there is a database that nobody has sent")
    s3.process.send_signal(signal.SIGCONT)
    # What was restored stays.
    full.start(wait=False)
    until(lambda: os.path.exists(full.data + "/default.db.restoring.state"), True, "a note of what is here")
    ends(full)
    check("event=restore.stopped" in full.log() and not os.path.exists(full.data + "/default.db"), full.log()[-2000:])
    full.flags = full.flags[:2]
    full.start()
    fetched = int(re.search(rb"^skerry_store_downloaded_bytes_total (\d+)", full.get("/metrics")[1], re.M)[1])
    check(0 < fetched < os.path.getsize(full.data + "/default.db") * 0.8, f"{fetched} bytes were fetched, a third was here")
    equal(full.sql(ask), want, "sums")
    equal(full.stop(), 0, "exit status")
    # Opened lazily, and then the store says nothing: the start waits for its claim, and a page that is not here.
    s3.admin("/_fault?match=PUT+.*/claim/&do=stall&n=1000000")
    begun(lazily, "event=hydrate.open")
    time.sleep(0.3)
    ends(lazily)
    s3.admin("/_nofault")
    s3.process.send_signal(signal.SIGSTOP)
    lazily.start(wait=False)
    time.sleep(1)
    ends(lazily)
    s3.process.send_signal(signal.SIGCONT)
    lazily.flags = lazily.flags[:4]
    lazily.start()
    equal(lazily.sql(ask), want, "sums")
    wait_whole(lazily)
    equal(lazily.stop(), 0, "exit status")
    equal(sqlite3(lazily.data + "/default.db", "PRAGMA integrity_check").stdout.strip(), "ok", "integrity_check")


def main():
    tests = Tests(sys.argv[1:])
    if NamedS3.given():
        s3 = NamedS3()
        for f in (lazy, killed, pushes_meanwhile):
            tests.run(f.__name__ + "_s3", f, tests, f.__name__, s3.url(f.__name__), s3.env)
        tests.finish()
    s3 = FakeS3()
    try:
        for f in (lazy, killed, pushes_meanwhile):
            tests.run(f.__name__ + "_directory", f, tests, "directory-" + f.__name__, tests.path("store-" + f.__name__), {})
            tests.run(f.__name__ + "_s3", f, tests, "s3-" + f.__name__, "s3://skerry-test/" + f.__name__, s3.env)
        tests.run("first_query", first_query, tests, s3)
        tests.run("no_page", no_page, tests)
        tests.run("attached", attached, tests)
        tests.run("merged_meanwhile", merged_meanwhile, tests)
        tests.run("shell_looks", shell_looks, tests)
        tests.run("network_goes_away", network_goes_away, tests, s3)
        tests.run("stopped_while_it_starts", stopped_while_it_starts, tests, s3)
        for how in ("lazy", "full"):
            tests.run("unclaimed_" + how, unclaimed, tests, s3, how)
    finally:
        s3.process.kill()
    tests.finish()


main()
