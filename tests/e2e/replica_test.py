#!/usr/bin/env python3
"""Goal: a replica shows what its writer pushed (from a store) or committed (from a node), refuses writes, and becomes the
writer without losing a push; the earlier writer can push no more. Method: two and three real nodes on a directory, on
tests/s3/fakes3.py, and over HTTP, killed with -9 in turn; files are compared by sqlite3, restores by their rows."""
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

from fakes3 import FakeS3, NamedS3
from node import PROGRAM, WAIT, Node, SqlError, Tests, check, equal, own_port, refused, restored_rows, rows_of, sqlite3, until

SUMS = "SELECT count(*), coalesce(sum(a), 0), coalesce(sum(length(b)), 0) FROM t"


def wait_equal(replica, writer, sql=SUMS, seconds=WAIT):
    """Until the replica shows what the writer shows."""
    end = time.time() + seconds
    want = got = None
    while time.time() < end:
        try:
            want, got = writer.sql(sql), replica.sql(sql)
        except SqlError as e:
            got = str(e)
        if got == want and not isinstance(got, str):
            return got
        time.sleep(0.05)
    raise AssertionError(f"the replica has {got}, the writer {want}: {replica.health()}")


def insert(node, first, count, size=300):
    node.sql(f"WITH RECURSIVE s(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM s WHERE n < {first + count - 1}) "
             f"INSERT INTO t SELECT n, randomblob({size}) FROM s")


def promote(node, token=None):
    return subprocess.run([PROGRAM, "promote", f"http://127.0.0.1:{node.port}"], capture_output=True, text=True, check=False,
                          env=dict(os.environ, **({"SKERRY_AUTH_TOKEN": token} if token else {})))


FAST = ("--push-interval-ms", "50", "--follow-poll-ms", "50")


def writer_of(tests, label, url, env, *flags):
    w = Node(tests.path("writer-" + label), "--store", url, *FAST[:2], *flags, env=env).start()
    w.sql("CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)")
    return w


def replica_of(tests, label, url, env, *flags):
    return Node(tests.path("replica-" + label), "--follow", url, *FAST, *flags, env=env)


def follows(tests, label, url, env):
    """Rows, schema changes, deletions, VACUUM; a reader's snapshot stays; restarts by stop and by kill -9."""
    w = writer_of(tests, label, url, env)
    insert(w, 1, 5000)
    check(w.wait_pushed(), "not pushed")
    r = replica_of(tests, label, url, env).start()
    wait_equal(r, w)
    refused(r, "INSERT INTO t VALUES (0, 'x')", ("readonly", "replica"), "a replica took a write")
    refused(r, "BEGIN IMMEDIATE", ("replica",), "a replica took a write")
    s = r.session()
    out = s.pipeline({"type": "execute", "stmt": {"sql": "BEGIN"}}, {"type": "execute", "stmt": {"sql": SUMS}})
    before = out["results"][1]["response"]["result"]["rows"]
    w.sql("CREATE INDEX t_b ON t(b)", "DELETE FROM t WHERE a % 3 = 0", "CREATE TABLE u(x)", "INSERT INTO u VALUES ('new')")
    wait_equal(r, w)
    wait_equal(r, w, "SELECT * FROM u")
    after = s.pipeline({"type": "execute", "stmt": {"sql": SUMS}}, baton=out["baton"])
    equal(after["results"][0]["response"]["result"]["rows"], before, "a snapshot that was open")
    s.close()
    w.sql("VACUUM")
    insert(w, 100000, 200)
    wait_equal(r, w)
    h = r.health()["replica"]
    check(h["state"] == "following" and h["lag_seconds"] < 10, str(h))
    metrics = r.get("/metrics")[1].decode()
    check("skerry_replica_lag_seconds" in metrics and "skerry_replica_connected 1" in metrics, "metrics of a replica")
    for i in range(4):  # killed while it applies; the writer goes on
        for k in range(5):
            insert(w, 200000 + 1000 * (5 * i + k), 50)
        r.kill() if i % 2 else equal(r.stop(), 0, "exit status")
        insert(w, 300000 + 1000 * i, 50)
        check(w.wait_pushed(), "not pushed")
        r.start()
        wait_equal(r, w)
    w.kill()
    w.start()
    insert(w, 900000, 10)
    want = wait_equal(r, w)
    equal(r.stop(), 0, "exit status")
    path = r.data + "/default.db"
    equal(sqlite3(path, "PRAGMA integrity_check").stdout.strip(), "ok", "integrity_check")
    equal([[int(v) for v in sqlite3(path, SUMS).stdout.strip().split("|")]], want, "rows of the file")
    equal(w.stop(), 0, "exit status")


def stops_while_applying(tests):
    """A clean stop at any moment, also while a transaction goes into the log: the next start knows what is here."""
    url = tests.path("store-stops")
    w = writer_of(tests, "stops", url, {})
    r = replica_of(tests, "stops", url, {}).start()
    for i in range(8):
        insert(w, 1 + 5000 * i, 3000, 1000)
        pages = metric(r, "skerry_replica_pages_total")
        until(lambda was=pages: metric(r, "skerry_replica_pages_total") > was, True, "pages arrive")
        time.sleep(i * 0.003)
        equal(r.stop(), 0, "exit status")
        insert(w, 4000 + 5000 * i, 10)
        check(w.wait_pushed(), "not pushed")
        r.start()
        wait_equal(r, w)
    equal(r.stop(), 0, "exit status")
    equal(sqlite3(r.data + "/default.db", "PRAGMA integrity_check").stdout.strip(), "ok", "integrity_check")
    w.stop()


def starts_empty(tests):
    """A replica of a store that has nothing yet."""
    url = tests.path("store-empty")
    r = replica_of(tests, "empty", url, {}).start()
    p = promote(r)
    check(p.returncode == 1 and "nothing has come" in p.stderr, "a replica that has nothing is promoted: " + p.stderr)
    w = writer_of(tests, "empty", url, {})
    insert(w, 1, 100)
    wait_equal(r, w)
    equal(r.stop(), 0, "exit status")
    equal(sqlite3(r.data + "/default.db", "PRAGMA integrity_check").stdout.strip(), "ok", "integrity_check")
    w.stop()


def writer_empty(tests):
    """Replicas of a store, and of a writer, whose database has no page yet; each file is encrypted with a key of its own."""
    store, keys = tests.path("store-no-page"), [secrets.token_hex(32) for _ in range(4)]
    env = {"SKERRY_KEY": keys[0], "SKERRY_DB_KEY": keys[1]}
    w = Node(tests.path("writer-no-page"), "--store", store, "--push-interval-ms", "50", "--listen", f"127.0.0.1:{own_port()}", env=env).start()
    until(lambda: os.path.exists(store + "/default/head"), True, "the empty database is pushed")
    by_store = replica_of(tests, "no-page-store", store, {"SKERRY_KEY": keys[0], "SKERRY_DB_KEY": keys[2]}).start()
    by_stream = replica_of(tests, "no-page-stream", f"http://127.0.0.1:{w.port}", {"SKERRY_DB_KEY": keys[3]}, "--store", "none").start()
    equal(by_store.sql("SELECT count(*) FROM sqlite_schema"), [[0]], "tables at the start")
    w.sql("CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)")
    insert(w, 1, 100)
    for r in (by_store, by_stream):
        wait_equal(r, w)
        equal(r.stop(), 0, "exit status")
        r.start()
        wait_equal(r, w)
        with open(r.data + "/default.db", "rb") as f:
            check(not f.read(16).startswith(b"SQLite format 3"), "the file is not encrypted")
        equal(r.stop(), 0, "exit status")
    equal(w.stop(), 0, "exit status")


def far_behind(tests):
    """Away while pushes were merged and let go: levels, or an image, lead on from there. Encrypted."""
    url, env = tests.path("store-behind"), {"SKERRY_KEY": secrets.token_hex(32)}
    w = writer_of(tests, "behind", url, env)
    insert(w, 1, 2000)
    check(w.wait_pushed(), "not pushed")
    r = replica_of(tests, "behind", url, env).start()
    wait_equal(r, w)
    r.kill()
    for i in range(30):
        insert(w, 10000 + 100 * i, 20)
        time.sleep(0.06)
    check(w.wait_pushed(), "not pushed")
    r.start()
    wait_equal(r, w)
    # The store that is followed loses what leads on, so that an image has to do.
    r.kill()
    insert(w, 20000, 10)
    check(w.wait_pushed(), "not pushed")
    equal(w.stop(), 0, "exit status")
    r.start()
    until(lambda: r.sql("SELECT count(*) FROM t"), [[2000 + 600 + 10]], "rows")
    equal(r.stop(), 0, "exit status")


def promoted(tests, label, url, env):
    """The writer is alive: nothing that it pushed is lost, and it can push no more."""
    w = writer_of(tests, label, url, env)
    insert(w, 1, 1000)
    check(w.wait_pushed(), "not pushed")
    r = replica_of(tests, label, url, env).start()
    third = replica_of(tests, label + "-third", url, env).start()
    wait_equal(r, w)
    pushed = 0
    for i in range(10):
        insert(w, 10000 + 100 * i, 10)
    check(w.wait_pushed(), "not pushed")
    pushed = w.sql(SUMS)
    p = promote(r)
    equal(p.returncode, 0, p.stderr)
    equal(r.sql(SUMS), pushed, "rows of the new writer")
    check("replica" not in r.health(), "still a replica: " + str(r.health()))
    insert(r, 50000, 100)
    check(r.wait_pushed(), "the new writer does not push: " + str(r.health()))
    # The old one finds out when it pushes; what it took since is only there.
    w.sql("INSERT INTO t VALUES (77777, 'only in the old one')")
    h = w.wait_state("backup", "refused")
    check("another node" in h["error"], str(h))
    wait_equal(third, r)  # others follow the new one
    want = r.sql(SUMS)
    equal(promote(r).returncode, 1, "status of a promotion of the writer")
    equal(r.stop(), 0, "exit status")
    w.kill()
    third.kill()
    equal(restored_rows(tests, url, env, SUMS), want, "restored rows")
    # The old writer as a replica: it holds a commit that was never pushed, and says so.
    old = Node(w.data, "--follow", url, *FAST, env=env).start()
    h = old.wait_state("replica", "failed")
    check("never pushed" in h["error"], str(h))
    old.kill()


def promoted_under_fire(tests, label, url, env, s3=None):
    """The writer pushes all the time while the replica is promoted; what it was told is pushed stays. With s3: each request
    takes a while, so that the writer has always pushed again when the replica knows what it has to go on from."""
    w = writer_of(tests, label, url, env, "--head-interval-ms", "300")
    r = replica_of(tests, label, url, env).start()
    insert(w, 1, 1000)
    check(w.wait_pushed(), "not pushed")
    wait_equal(r, w)
    if s3:
        s3.admin("/_fault?match=.&do=slow&n=1000000")
    p = subprocess.Popen([PROGRAM, "promote", f"http://127.0.0.1:{r.port}"], stderr=subprocess.PIPE, text=True)
    done, n = 0, 100000
    while p.poll() is None:
        n += 1
        w.sql(f"INSERT INTO t VALUES ({n}, 'x')")
        b = w.health()["backup"]
        if b["state"] == "idle" and b["behind_ms"] == 0:
            done = n
        time.sleep(0.01)
    equal(p.returncode, 0, p.stderr.read())
    if s3:
        s3.admin("/_nofault")
    # What the writer had pushed, as it said, before it was fenced.
    if done:
        equal(r.sql(f"SELECT count(*) FROM t WHERE a = {done}"), [[1]], f"row {done}, which was pushed")
    insert(r, 500000, 5)
    check(r.wait_pushed(), "the new writer does not push: " + str(r.health()))
    want = r.sql(SUMS)
    equal(r.stop(), 0, "exit status")
    w.kill()
    equal(restored_rows(tests, url, env, SUMS), want, "restored rows")


def killed_writer(tests):
    """The writer dies; the replica takes over; the writer comes back and is refused. The new writer is killed, too."""
    url = tests.path("store-killed")
    w = writer_of(tests, "killed", url, {})
    insert(w, 1, 500)
    check(w.wait_pushed(), "not pushed")
    r = replica_of(tests, "killed", url, {}).start()
    wait_equal(r, w)
    want = w.sql(SUMS)
    w.kill()
    equal(promote(r).returncode, 0, "status of the promotion")
    equal(r.sql(SUMS), want, "rows of the new writer")
    insert(r, 1000, 10)
    check(r.wait_pushed(), "not pushed")
    w.start()
    w.wait_state("backup", "refused")
    w.kill()
    insert(r, 2000, 10)
    want = r.sql(SUMS)
    r.kill()
    r.flags = ["--store", url, *FAST[:2]]  # the writer now, also after a restart
    r.start()
    equal(r.sql(SUMS), want, "rows after kill -9")
    insert(r, 3000, 1)
    check(r.wait_pushed(), "not pushed: " + str(r.health()))
    want = r.sql(SUMS)
    equal(r.stop(), 0, "exit status")
    equal(restored_rows(tests, url, {}, SUMS), want, "restored rows")


def lag(replica, writer, count=30):
    """From the answer to a commit until the replica shows it, in ms: the median and the largest."""
    times = []
    for i in range(count):
        a = 7000000 + i
        writer.sql(f"INSERT INTO t VALUES ({a}, 'x')")
        start = time.time()
        while replica.sql(f"SELECT count(*) FROM t WHERE a = {a}") != [[1]]:
            if time.time() - start > WAIT:
                raise AssertionError("a commit does not arrive: " + str(replica.health()))
            time.sleep(0.002)
        times.append((time.time() - start) * 1000)
    times.sort()
    return times[count // 2], times[-1]


def streams(tests):
    """From a node whose store is away: commits come at once; either side is killed or stopped; the log begins anew."""
    token = secrets.token_hex(16)
    env = {"SKERRY_AUTH_TOKEN": token}
    address = f"127.0.0.1:{own_port()}"
    w = Node(tests.path("writer-streams"), "--store", "s3://b/p", "--restore", "never", "--listen", address,
             env={"SKERRY_S3_ENDPOINT": "http://127.0.0.1:1", "SKERRY_S3_ACCESS_KEY": "k", "SKERRY_S3_SECRET_KEY": "s"}).start()
    w.sql("CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)")
    insert(w, 1, 20000, 1000)  # several parts
    url = "http://" + address
    r = Node(tests.path("replica-streams"), "--store", "none", "--follow", url, env=env).start()
    r2 = Node(tests.path("replica-streams-2"), "--store", "none", "--follow", url + "/").start()

    def both(want_of=SUMS):
        for replica in (r, r2):
            out = authorized(replica, token if replica is r else None)
            until(lambda ask=out: ask(want_of), w.sql(want_of), "rows of a replica")
    both()
    refused(r2, "INSERT INTO t VALUES (0, 'x')", ("readonly", "write to " + url), "a replica took a write")
    median, worst = lag(r2, w)
    print(f"  a commit is on the replica after {median:.0f} ms (median), {worst:.0f} ms (worst)", flush=True)
    w.sql("PRAGMA wal_checkpoint(TRUNCATE)", "DELETE FROM t WHERE a % 2 = 0", "VACUUM", "CREATE INDEX t_b ON t(length(b))")
    both()
    whole = metric(w, "skerry_feed_whole_total")
    for i in range(4):
        for k in range(5):
            insert(w, 100000 + 1000 * (5 * i + k), 30)
        (w, r, r2, w)[i].kill()
        if i in (1, 2):
            insert(w, 200000 + 1000 * i, 30)
        (w, r, r2, w)[i].start()
        insert(w, 300000 + 1000 * i, 30)
        both()
    equal(metric(w, "skerry_feed_whole_total"), 0, f"whole copies after kill -9 (before: {whole})")
    equal(w.stop(), 0, "exit status")
    equal(authorized(r, token)("SELECT count(*) > 0 FROM t"), [[1]], "rows without the writer")
    w.start()
    insert(w, 900000, 10)
    both()
    for replica in (r, r2):
        equal(replica.stop(), 0, "exit status")
        path = replica.data + "/default.db"
        equal(sqlite3(path, "PRAGMA integrity_check").stdout.strip(), "ok", "integrity_check")
        equal([[int(v) for v in sqlite3(path, SUMS).stdout.strip().split("|")]], w.sql(SUMS), "rows of the file")
    w.kill()


def authorized(node, token):
    def sql(text):
        s = node.session()
        try:
            headers = {"Content-Type": "application/json", **({"Authorization": "Bearer " + token} if token else {})}
            body = json.dumps({"requests": [{"type": "execute", "stmt": {"sql": text}}, {"type": "close"}]})
            s.c.request("POST", "/v3/pipeline", body, headers)
            return rows_of(json.loads(s.c.getresponse().read())["results"][0])
        finally:
            s.close()
    return sql


def metric(node, name):
    for line in node.get("/metrics")[1].decode().splitlines():
        if line.startswith(name + " "):
            return int(float(line.split()[1]))
    return 0


def streams_rolled_back(tests):
    """The writer's volume is put back to an earlier state, and the same places of the log get other commits: while the replica
    is there, and while it was killed too. The replica is what the writer is."""
    w = Node(tests.path("writer-rolled"), "--store", "none", "--listen", f"127.0.0.1:{own_port()}").start()
    w.sql("CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)")
    insert(w, 1, 300)
    r = Node(tests.path("replica-rolled"), "--store", "none", "--follow", f"http://127.0.0.1:{w.port}").start()
    everything = "SELECT count(*), sum(a), group_concat(CASE typeof(b) WHEN 'text' THEN a || b END, '; ') FROM t"
    for i, replica_killed in enumerate((False, True)):
        wait_equal(r, w, everything)
        w.kill()  # the log stays
        old = tests.path(f"old-{i}")
        shutil.copytree(w.data, old)
        w.start()
        w.sql("UPDATE t SET b = 'taken back' WHERE a % 100 = 7")
        wait_equal(r, w, everything)
        w.kill()
        if replica_killed:
            r.kill()
        shutil.rmtree(w.data)
        shutil.copytree(old, w.data)
        w.start()
        w.sql(f"UPDATE t SET b = 'instead {i}' WHERE a % 100 = 9")
        if replica_killed:
            r.start()
        wait_equal(r, w, everything)
        until(lambda: r.health()["replica"]["state"], "following", "state of the replica")
    equal(r.stop(), 0, "exit status")
    equal(sqlite3(r.data + "/default.db", "PRAGMA integrity_check").stdout.strip(), "ok", "integrity_check")
    w.kill()


def streams_resumed(tests):
    """After a short absence, by stop or by kill -9 of either, only what has changed is sent, whatever the size of the database; and
    all of it when another program has written to the replica's file meanwhile."""
    w = Node(tests.path("writer-resumed"), "--store", "none", "--listen", f"127.0.0.1:{own_port()}").start()
    w.sql("CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)")
    insert(w, 1, 20000)  # 7 MB that nothing compresses
    r = Node(tests.path("replica-resumed"), "--store", "none", "--follow", f"http://127.0.0.1:{w.port}").start()
    wait_equal(r, w)
    for i, end in enumerate((r.stop, r.kill, w.kill, r.stop, r.kill)):
        insert(w, 30000 + 100 * i, 3)
        wait_equal(r, w)
        end()
        if end == w.kill:  # and a start that comes to nothing leaves the log as it is
            busy = Node(w.data, "--store", "none", "--listen", f"127.0.0.1:{r.port}").start(wait=False)
            equal(busy.process.wait(timeout=WAIT), 1, "status of a start whose address another has")
            w.start()
        sent, whole = metric(w, "skerry_feed_bytes_total"), metric(w, "skerry_feed_whole_total")
        insert(w, 30050 + 100 * i, 3)
        if end != w.kill:
            r.start()
        wait_equal(r, w)
        equal(metric(w, "skerry_feed_whole_total") - whole, 0, f"comparisons of all pages ({i})")
        sent = metric(w, "skerry_feed_bytes_total") - sent
        check(0 < sent < 200000, f"{sent} bytes were sent for three rows ({i})")
    equal(r.stop(), 0, "exit status")
    equal(sqlite3(r.data + "/default.db", "UPDATE t SET b = 'changed' WHERE a % 1000 = 0").returncode, 0, "status of sqlite3")
    busy = Node(r.data, *r.flags, "--listen", f"127.0.0.1:{w.port}").start(wait=False)
    equal(busy.process.wait(timeout=WAIT), 1, "status of a start that comes to nothing, and must not take the file for its own")
    r.start()
    until(lambda: r.sql("SELECT count(*) FROM t WHERE b = 'changed'"), [[0]], "rows that the writer does not have")
    insert(w, 50000, 3)
    wait_equal(r, w)
    check(metric(w, "skerry_feed_whole_total") > 0, "nobody noticed")
    w.kill()
    r.kill()


def writer_rekeyed(tests):
    """The writer's db-key is replaced under a replica of its store and one of itself, each encrypted with a key of its own, and
    killed in the middle of it; then the backup's key is, and the replica of the store is promoted with what it has in memory."""
    store, keys, words = tests.path("store-rekeyed"), [secrets.token_hex(32) for _ in range(7)], tests.path("new-words")
    env = {"SKERRY_KEY": keys[0], "SKERRY_DB_KEY": keys[1]}
    w = Node(tests.path("writer-rekeyed"), "--store", store, "--push-interval-ms", "50", "--listen", f"127.0.0.1:{own_port()}", env=env).start()
    w.sql("CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)")
    insert(w, 1, 5000, 2000)
    by_store = replica_of(tests, "rekeyed-store", store, {"SKERRY_KEY": keys[0], "SKERRY_DB_KEY": keys[2]}).start()
    by_stream = replica_of(tests, "rekeyed-stream", f"http://127.0.0.1:{w.port}", {"SKERRY_DB_KEY": keys[3]}, "--store", "none").start()
    replicas = (by_store, by_stream)
    for i, key in enumerate((keys[4], keys[5])):
        w.kill() if i else equal(w.stop(), 0, "exit status")
        w.env.update(SKERRY_DB_KEY=key, SKERRY_DB_KEY_PREVIOUS=w.env["SKERRY_DB_KEY"])
        w.start()
        for k in range(20):  # while its pages are written again
            insert(w, 10000 * (i + 1) + 10 * k, 10)
            w.sql(f"DELETE FROM t WHERE a % 100 = {k}")
            if k == 10:
                w.kill()
                w.start()
        for r in replicas:
            wait_equal(r, w)
        until(lambda: w.sql("PRAGMA rekey"), [[0]], "pages that are still to be done")
        insert(w, 10000 * (i + 1) + 5000, 10)
        for r in replicas:
            wait_equal(r, w)
            r.kill() if i else equal(r.stop(), 0, "exit status")
            r.start()
            wait_equal(r, w)
            equal(r.sql("PRAGMA integrity_check"), [["ok"]], "integrity_check")
    check(w.wait_pushed(), "not pushed")
    with open(words, "w", encoding="ascii") as f:
        f.write("correct horse battery " + secrets.token_hex(4))
    done = subprocess.run([PROGRAM, "backup", "rekey", "--store", store, "--new-passphrase-file", words], env=dict(os.environ, SKERRY_KEY=keys[0]),
                          capture_output=True, text=True, check=False)
    equal(done.returncode, 0, "status of the rekey: " + done.stderr)
    insert(w, 90000, 10)
    want = wait_equal(by_store, w)
    check(w.wait_pushed(), "not pushed")
    # Started again, only the new one opens the backup, and nothing is lost by a start with the old one.
    equal(by_store.stop(), 0, "exit status")
    by_store.start()
    until(lambda: "key" in by_store.health()["replica"].get("error", ""), True, "an error that names the key")
    equal(by_store.sql(SUMS), want, "rows with the old key")
    by_store.stop()
    del by_store.env["SKERRY_KEY"]
    by_store.env["SKERRY_PASSPHRASE_FILE"] = words
    by_store.start()
    insert(w, 91000, 10)
    want = wait_equal(by_store, w)
    check(w.wait_pushed(), "not pushed")
    w.kill()
    p = promote(by_store)
    equal(p.returncode, 0, "status of the promotion: " + p.stderr)
    insert(by_store, 92000, 10)
    check(by_store.wait_pushed(), "the new writer does not push")
    equal(by_stream.sql(SUMS), want, "rows of the replica whose writer is gone")
    for r in replicas:
        equal(r.stop(), 0, "exit status")
    out = tests.path("rekeyed-restored.db")
    subprocess.run([PROGRAM, "restore", "--store", store, "--passphrase-file", words, "--decrypt", out], check=True, capture_output=True)
    equal(sqlite3(out, "SELECT count(*) FROM t").stdout.strip(), str(want[0][0] + 10), "rows of the backup")


def first_copy_goes_on(tests, sealed):
    """Stopped and killed in the middle of its first copy, while the writer goes on: what is here is not sent again, and the
    copy is the writer's page for page. Encrypted with a key of its own or not."""
    label = "sealed" if sealed else "plain"
    keys = [{"SKERRY_DB_KEY": secrets.token_hex(32)} if sealed else {} for _ in range(2)]
    w = Node(tests.path("writer-cut-" + label), "--store", "none", "--listen", f"127.0.0.1:{own_port()}", env=keys[0]).start()
    w.sql("CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)")
    insert(w, 1, 28000, 4000)  # 115 MB that nothing compresses
    r = Node(tests.path("replica-cut-" + label), "--store", "none", "--follow", f"http://127.0.0.1:{w.port}", env=keys[1])
    path, here = r.data + "/default.db", 0
    w.process.send_signal(signal.SIGSTOP)  # a node that says nothing keeps nobody
    r.start(wait=False)
    until(lambda: os.path.exists(path + ".following"), True, "the copy's file is there")
    equal(r.stop(), 0, "exit status")
    w.process.send_signal(signal.SIGCONT)
    for i in range(2):
        r.start(wait=False)
        end = time.time() + WAIT
        while here < (i + 1) * 25000000:
            check(time.time() < end, "nothing comes: " + r.log()[-500:])
            here = os.path.getsize(path + ".following") if os.path.exists(path + ".following") else 0
            time.sleep(0.002)
        if i:
            r.kill()
        else:
            equal(r.stop(), 0, "exit status")
            check("event=node.failed" not in r.log(), r.log()[-1000:])
        check(not os.path.exists(path), "the copy was whole: nothing was tested")
        here = os.path.getsize(path + ".following")
        w.sql("UPDATE t SET b = randomblob(5000) WHERE a % 1000 = 3", "DELETE FROM t WHERE a % 900 = 5")
        insert(w, 100000 + 1000 * i, 50)
    sent = metric(w, "skerry_feed_bytes_total")
    r.start()
    wait_equal(r, w)
    sent, whole = metric(w, "skerry_feed_bytes_total") - sent, w.sql("PRAGMA page_count")[0][0] * 4096
    check("event=replica.copy_resumed" in r.log(), r.log()[-1000:])
    check(sent < whole - here + 4000000, f"{sent} bytes were sent of {whole}, of which {here} were here")
    equal(r.sql("PRAGMA integrity_check"), [["ok"]], "integrity_check")
    insert(w, 200000, 50)
    wait_equal(r, w)
    w.sql("PRAGMA wal_checkpoint(TRUNCATE)")
    for node in (r, w):
        equal(node.stop(), 0, "exit status")
    if not sealed:
        equal(subprocess.run(["cmp", path, w.data + "/default.db"], check=False).returncode, 0, "status of cmp")
    check(not os.path.exists(path + ".following"), "what was being copied is left")


def restore_goes_on(tests, s3):
    """A replica of a store that is killed while it restores does not fetch again what is here (which is noted every 3 s)."""
    url = "s3://skerry-test/replica-restores"
    w = writer_of(tests, "restores", url, s3.env)
    insert(w, 1, 14000, 4000)
    check(w.wait_pushed(), "not pushed")
    r = Node(tests.path("replica-restores"), "--follow", url, "--store-download-rate", "8m", env=s3.env)
    state, path = r.data + "/default.db.restoring.state", r.data + "/default.db"
    r.start(wait=False)
    until(lambda: os.path.exists(state), True, "a note of what is here")
    r.kill()
    check(not os.path.exists(path), "all was restored: nothing was tested")
    r.flags = r.flags[:2]
    r.start()
    insert(w, 100000, 100)
    wait_equal(r, w)
    fetched, whole = metric(r, "skerry_store_downloaded_bytes_total"), os.path.getsize(path)
    check(0 < fetched < whole * 0.8, f"{fetched} bytes were fetched for {whole} of which a third was here")
    equal(r.stop(), 0, "exit status")
    equal(sqlite3(path, "PRAGMA integrity_check").stdout.strip(), "ok", "integrity_check")
    w.kill()


def streams_with_token(tests):
    token = secrets.token_hex(16)
    w = Node(tests.path("writer-token"), "--store", "none", env={"SKERRY_AUTH_TOKEN": token}).start()
    wrong = Node(tests.path("replica-token"), "--store", "none", "--follow", f"http://127.0.0.1:{w.port}")
    wrong.start(wait=False)
    equal(wrong.process.wait(timeout=60), 1, "status without the token")
    check("--follow-token-file" in wrong.log(), wrong.log())
    authorized(w, token)("CREATE TABLE t(a INTEGER PRIMARY KEY, b)")
    r = Node(tests.path("replica-token"), "--store", "none", "--follow", f"http://127.0.0.1:{w.port}",
             env={"SKERRY_FOLLOW_TOKEN": token}).start()
    authorized(w, token)("INSERT INTO t VALUES (1, 'x')")
    until(lambda: r.sql("SELECT count(*) FROM t"), [[1]], "rows")
    equal(r.sql("SELECT a FROM t"), [[1]], "rows")
    equal(promote(r).returncode, 0, "status of a promotion without a store")
    r.sql("INSERT INTO t VALUES (2, 'y')")
    equal(r.stop(), 0, "exit status")
    w.kill()


def stream_promoted(tests, how):
    """A replica of a node takes the node's backup over: with commits that were not pushed, with exactly those that were, or
    without pushes that it had not got."""
    label = how
    url = tests.path("store-stream-" + label)
    w = writer_of(tests, "stream-" + label, url, {}, "--push-interval-ms", "3000" if how == "ahead" else "100")
    insert(w, 1, 1000)
    check(w.wait_pushed(), "not pushed")
    r = Node(tests.path("replica-stream-" + label), "--store", url, "--follow", f"http://127.0.0.1:{w.port}", *FAST[:2]).start()
    wait_equal(r, w)
    if how == "behind":
        r.kill()
        insert(w, 5000, 100)
        w.sql("UPDATE t SET b = 'late' WHERE a < 10")
        check(w.wait_pushed(), "not pushed")
        want = w.sql(SUMS)
        w.kill()
        r.start()
    else:
        insert(w, 5000, 100)
        want = wait_equal(r, w)
        check(how == "ahead" or w.wait_pushed(), "not pushed")
        w.kill()
    p = promote(r)
    equal(p.returncode, 0, p.stderr)
    equal(r.sql(SUMS), want, "rows of the new writer")
    insert(r, 9000, 10)
    check(r.wait_pushed(), "not pushed: " + str(r.health()))
    if how != "ahead":  # its state was the store's newest: nothing is pushed again
        check("pushing a whole image" not in r.log(), "a whole image was pushed")
    want = r.sql(SUMS)
    w.start()
    w.wait_state("backup", "refused")
    w.kill()
    equal(r.stop(), 0, "exit status")
    equal(restored_rows(tests, url, {}, SUMS), want, "restored rows")


def stream_of_a_fenced_writer(tests):
    """A node that was replaced goes on by itself, and its replica follows it; promoted, that has the new writer's state, and nothing
    of the old one's commits between its pages."""
    url = tests.path("store-fenced")
    w = writer_of(tests, "fenced", url, {})
    insert(w, 1, 3000)
    check(w.wait_pushed(), "not pushed")
    new = replica_of(tests, "fenced-new", url, {}).start()
    r = Node(tests.path("replica-fenced"), "--store", url, "--follow", f"http://127.0.0.1:{w.port}", *FAST[:2]).start()
    wait_equal(new, w)
    wait_equal(r, w)
    equal(promote(new).returncode, 0, "status of the promotion")
    insert(w, 10000, 2000)
    w.sql("UPDATE t SET b = 'the old one' WHERE a % 10 = 1", "CREATE INDEX t_b ON t(b)")
    w.wait_state("backup", "refused")
    wait_equal(r, w)
    new.sql("UPDATE t SET b = 'the new one' WHERE a % 500 = 2", "INSERT INTO t VALUES (20000, 'the new one')")
    check(new.wait_pushed(), "not pushed")
    everything = SUMS.replace(" FROM", ", count(b = 'the old one' OR NULL), count(b = 'the new one' OR NULL) FROM")
    want = new.sql(everything)
    w.kill()
    p = promote(r)
    equal(p.returncode, 0, p.stderr)
    equal(r.sql(everything), want, "rows of the newest writer")
    equal(r.sql("PRAGMA integrity_check"), [["ok"]], "integrity_check")
    insert(r, 30000, 10)
    check(r.wait_pushed(), "not pushed: " + str(r.health()))
    want = r.sql(everything)
    equal(r.stop(), 0, "exit status")
    new.kill()
    equal(restored_rows(tests, url, {}, everything), want, "restored rows")


def promoted_again(tests, s3):
    """A promotion that ends after its claim leaves no writer, and says so: the next one makes this replica, or another, the writer."""
    url = "s3://skerry-test/promoted-again"
    w = writer_of(tests, "again", url, s3.env)
    insert(w, 1, 1000)
    check(w.wait_pushed(), "not pushed")
    replicas = [replica_of(tests, f"again-{i}", url, s3.env).start() for i in range(2)]
    r = replicas[0]
    for replica in replicas:
        wait_equal(replica, w)
    want = w.sql(SUMS)
    for i, end in enumerate((r.stop, r.kill)):
        s3.admin("/_fault?match=PUT.*/L0/&do=503&n=1000000")
        p = subprocess.Popen([PROGRAM, "promote", f"http://127.0.0.1:{r.port}"], stderr=subprocess.PIPE, text=True)
        until(lambda n=i: r.log().count("event=replica.claimed") > n, True, "the claim")
        refused(r, "DELETE FROM t", ("replica",), "a write before it is the writer")
        end()
        text = p.communicate(timeout=WAIT)[1]
        equal(p.returncode, 1, "status of a promotion that was cut off")
        check(end == r.kill or "run skerry promote again" in text, "it does not say what to do: " + text)
        r.start()
        wait_equal(r, replicas[1])
        s3.admin("/_nofault")
    p = promote(replicas[1])
    equal(p.returncode, 0, p.stderr)
    equal(replicas[1].sql(SUMS), want, "rows of the new writer")
    w.sql("INSERT INTO t VALUES (77777, 'only in the old one')")
    w.wait_state("backup", "refused")
    insert(replicas[1], 5000, 10)
    check(replicas[1].wait_pushed(), "not pushed: " + str(replicas[1].health()))
    want = wait_equal(r, replicas[1])
    for node in (w, *replicas):
        node.kill()
    equal(restored_rows(tests, url, s3.env, SUMS), want, "restored rows")


def store_goes_away(tests, s3):
    url = "s3://skerry-test/replica-away"
    w = writer_of(tests, "away", url, s3.env)
    insert(w, 1, 100)
    check(w.wait_pushed(), "not pushed")
    r = replica_of(tests, "away", url, s3.env).start()
    wait_equal(r, w)
    s3.admin("/_fault?match=.&do=503&n=1000000")
    insert(w, 1000, 10)
    time.sleep(1)
    equal(r.sql("SELECT count(*) FROM t"), [[100]], "rows without a store")
    h = r.wait_state("replica", "disconnected")
    check(h["error"], str(h))
    p = promote(r)
    equal(p.returncode, 1, "status of a promotion without a store")
    refused(r, "DELETE FROM t", ("replica",), "a replica took a write")
    s3.admin("/_nofault")
    wait_equal(r, w)
    equal(r.stop(), 0, "exit status")
    w.stop()


def idle_costs_one_request_a_look(tests, s3):
    """An idle database: its writer asks and uploads nothing; a look of its follower is one GET that brings nothing."""
    url, poll_ms = "s3://skerry-test/replica-idle", 100
    w = writer_of(tests, "idle", url, s3.env, "--level-periods", "1000d,2000d,3000d,4000d")
    insert(w, 1, 100)
    check(w.wait_pushed(), "not pushed")
    s3.quiet(4)
    r = Node(tests.path("replica-idle"), "--follow", url, "--follow-poll-ms", str(poll_ms), env=s3.env).start()
    wait_equal(r, w)

    def heads():
        return s3.counts().get("GET 304", 0)
    was = heads()
    until(lambda: heads() > was, True, "looks and nothing else")
    began, before = time.monotonic(), s3.counts()
    until(lambda: heads() - before["GET 304"] >= 3, True, "looks at the head")
    now = s3.counts()
    most = (time.monotonic() - began) * 1000 / poll_ms + 1
    kinds = {k: n - before.get(k, 0) for k, n in now.items() if n != before.get(k, 0)}
    equal(sorted(kinds), ["GET", "GET 304", "GET 404"], "kinds of requests")
    check(kinds["GET"] <= most, f"{kinds['GET']} requests in {most:.1f} looks")
    insert(w, 1000, 10)
    wait_equal(r, w)
    equal(r.stop(), 0, "exit status")
    w.stop()


def main():
    tests = Tests(sys.argv[1:])
    if NamedS3.given():
        s3 = NamedS3()
        for f in (follows, promoted, promoted_under_fire):
            tests.run(f.__name__ + "_s3", f, tests, f.__name__, s3.url(f.__name__), s3.env)
        tests.finish()
    s3 = FakeS3()
    try:
        for f in (follows, promoted, promoted_under_fire):
            tests.run(f.__name__ + "_directory", f, tests, "directory-" + f.__name__, tests.path("store-" + f.__name__), {})
            tests.run(f.__name__ + "_s3", f, tests, "s3-" + f.__name__, "s3://skerry-test/" + f.__name__, s3.env)
        tests.run("promoted_under_fire_slow", promoted_under_fire, tests, "slow", "s3://skerry-test/promoted-slow", s3.env, s3)
        tests.run("starts_empty", starts_empty, tests)
        tests.run("writer_empty", writer_empty, tests)
        tests.run("stops_while_applying", stops_while_applying, tests)
        tests.run("far_behind", far_behind, tests)
        tests.run("killed_writer", killed_writer, tests)
        tests.run("streams", streams, tests)
        tests.run("streams_rolled_back", streams_rolled_back, tests)
        tests.run("streams_resumed", streams_resumed, tests)
        tests.run("writer_rekeyed", writer_rekeyed, tests)
        for sealed in (False, True):
            tests.run("first_copy_goes_on" + "_sealed" * sealed, first_copy_goes_on, tests, sealed)
        tests.run("restore_goes_on", restore_goes_on, tests, s3)
        tests.run("streams_with_token", streams_with_token, tests)
        for how in ("ahead", "equal", "behind"):
            tests.run("stream_promoted_" + how, stream_promoted, tests, how)
        tests.run("stream_of_a_fenced_writer", stream_of_a_fenced_writer, tests)
        tests.run("promoted_again", promoted_again, tests, s3)
        tests.run("store_goes_away", store_goes_away, tests, s3)
        tests.run("idle_costs_one_request_a_look", idle_costs_one_request_a_look, tests, s3)
    finally:
        s3.process.kill()
    tests.finish()


main()
