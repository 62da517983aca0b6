#!/usr/bin/env python3
"""Goal: backup and restore keep their promises over restarts, second nodes, keys, foreign changes and lost stores.
Method: real nodes on one store: a directory, another node as the hub, or S3 (a bucket of tests/s3/fakes3.py; S3_ENDPOINT,
S3_KEY and S3_SECRET name another server, then only the tests that need no fault of the server run)."""
import glob
import os
import secrets
import subprocess
import sys
import time
import urllib.request

from node import PROGRAM, ROOT, Node, SqlError, Tests, check, equal, sqlite3

CONTRACT = os.path.join(os.path.dirname(PROGRAM), "tests/sync/object_store_test")
ROWS = "SELECT count(*), coalesce(sum(a), 0) FROM t"


class DirectoryStore:
    name = "directory"

    def __init__(self, tests, label):
        self.url, self.env = tests.path("store-" + label), {}


class S3Store:
    name = "s3"

    def __init__(self, _tests, label):
        self.url = f"s3://skerry-test/{label}-{secrets.token_hex(4)}"
        self.env = {"SKERRY_S3_ENDPOINT": S3["endpoint"], "SKERRY_S3_ACCESS_KEY": S3["key"],
                    "SKERRY_S3_SECRET_KEY": S3["secret"]}


class HubStore:
    name = "hub"
    node, token = None, secrets.token_hex(16)

    def __init__(self, tests, label):
        if not HubStore.node:
            HubStore.node = Node(tests.path("hub"), "--store", "none", "--hub-dir", tests.path("hub-objects"),
                                 env={"SKERRY_HUB_TOKEN": HubStore.token}).start()
        self.url = f"hub+http://127.0.0.1:{HubStore.node.port}/nodes/{label}"
        self.env = {"SKERRY_STORE_TOKEN": HubStore.token}


S3 = {"endpoint": os.environ.get("S3_ENDPOINT"), "key": os.environ.get("S3_KEY", "testak"),
      "secret": os.environ.get("S3_SECRET", "testsk1234567890")}


def restore(store, out, *flags):
    return subprocess.run([PROGRAM, "restore", "--store", store.url, *flags, out], capture_output=True, text=True,
                          env=dict(os.environ, **store.env), check=False)


def fill(node, first, last):
    node.sql("CREATE TABLE IF NOT EXISTS t(a INTEGER PRIMARY KEY, b TEXT)",
             f"WITH RECURSIVE s(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM s WHERE n < {last}) "
             "INSERT INTO t SELECT n, 'row ' || n FROM s")


def total(first, last):
    return [[last - first + 1, (first + last) * (last - first + 1) // 2]]


def pushed_and_restored(tests, kind):
    store = kind(tests, "plain")
    node = Node(tests.path("plain-" + kind.name), "--store", store.url, env=store.env).start()
    fill(node, 1, 2000)
    check(node.wait_pushed(), "not pushed: " + str(node.health()))
    check("backup.unencrypted" in node.log(), "the node does not say that the backup is not encrypted")
    out = tests.path("plain-" + kind.name + ".db")
    r = restore(store, out)
    equal(r.returncode, 0, "restore: " + r.stderr)
    equal(sqlite3(out, "PRAGMA integrity_check").stdout.strip(), "ok", "integrity_check")
    equal(sqlite3(out, ROWS).stdout.strip(), "2000|2001000", "rows in the restored file")
    equal(restore(store, out).returncode, 1, "status of a restore onto a file that is there")
    # What comes later is in the next restore.
    fill(node, 2001, 3000)
    check(node.wait_pushed(), "not pushed")
    equal(node.stop(), 0, "exit status")
    later = restore(store, out + ".2")
    equal(later.returncode, 0, "restore: " + later.stderr)
    equal(sqlite3(out + ".2", ROWS).stdout.strip(), "3000|4501500", "rows in the later file")


def goes_on_where_it_was(tests, kind):
    store = kind(tests, "on")
    node = Node(tests.path("on-" + kind.name), "--store", store.url, env=store.env).start()
    fill(node, 1, 1000)
    check(node.wait_pushed(), "not pushed")
    equal(node.stop(), 0, "exit status")
    node.start()
    fill(node, 1001, 1100)
    check(node.wait_pushed(), "not pushed after a restart")
    node.kill()
    node.start()
    fill(node, 1101, 1200)
    check(node.wait_pushed(), "not pushed after a kill")
    node.sql("PRAGMA wal_checkpoint(TRUNCATE)")
    fill(node, 1201, 1300)
    check(node.wait_pushed(), "not pushed after the WAL began anew")
    node.kill()
    node.start()
    fill(node, 1301, 1400)
    check(node.wait_pushed(), "not pushed after a kill on the new WAL")
    node.stop()
    equal(node.log().count("event=backup.image"), 1, "whole images pushed (only the first start needs one)")
    out = tests.path("on-" + kind.name + ".db")
    equal(restore(store, out).returncode, 0, "restore")
    equal(sqlite3(out, ROWS).stdout.strip(), "1400|980700", "rows in the restored file")
    equal(sqlite3(out, "PRAGMA integrity_check").stdout.strip(), "ok", "integrity_check")


def second_node_takes_over(tests, kind):
    store = kind(tests, "second")
    first = Node(tests.path("first-" + kind.name), "--store", store.url, env=store.env).start()
    fill(first, 1, 500)
    equal(first.stop(), 0, "exit status")  # SIGTERM right after the commit: the last push is made on the way out
    second = Node(tests.path("second-" + kind.name), "--store", store.url, env=store.env).start()
    equal(second.sql(ROWS), total(1, 500), "rows on the second node")
    fill(second, 501, 600)
    check(second.wait_pushed(), "not pushed: " + str(second.health()))
    # The first comes back: it has been replaced, says so, overwrites nothing, and still serves.
    first.start()
    for _ in range(100):
        if first.health()["backup"]["state"] == "refused":
            break
        time.sleep(0.05)
    equal(first.health()["backup"]["state"], "refused", "backup state of the replaced node")
    check("epoch" in first.health()["backup"]["error"], "the reason does not name the epoch")
    equal(first.sql(ROWS), total(1, 500), "rows on the first node")
    first.stop()
    fill(second, 601, 700)
    check(second.wait_pushed(), "not pushed after the first came back")
    second.stop()
    out = tests.path("second-" + kind.name + ".db")
    equal(restore(store, out).returncode, 0, "restore")
    equal(sqlite3(out, ROWS).stdout.strip(), "700|245350", "rows in the restored file")


def encrypted(tests, kind):
    store, key = kind(tests, "key"), secrets.token_hex(32)
    key_file = tests.path("key-" + kind.name)
    with open(key_file, "w", encoding="ascii") as f:
        f.write(key + "\n")
    node = Node(tests.path("key-data-" + kind.name), "--store", store.url,
                env=dict(store.env, SKERRY_KEY_FILE=key_file)).start()
    node.sql("CREATE TABLE t(a, b)", "INSERT INTO t VALUES (7, 'a very secret sentence that must not be readable')")
    check(node.wait_pushed(), "not pushed")
    node.stop()
    check("backup.unencrypted" not in node.log(), "the node says that the backup is not encrypted")
    out = tests.path("key-out-" + kind.name + ".db")
    none, wrong = restore(store, out), restore(store, out, "--key", secrets.token_hex(32))
    equal(none.returncode, 1, "status without a key")
    check("encrypted" in none.stderr, none.stderr)
    equal(wrong.returncode, 1, "status with a wrong key")
    check("another key" in wrong.stderr, wrong.stderr)
    check(not os.path.exists(out), "a failed restore left a file")
    good = restore(store, out, "--key", key)
    equal(good.returncode, 0, good.stderr)
    equal(sqlite3(out, "SELECT b FROM t").stdout.strip(), "a very secret sentence that must not be readable", "the row")
    if kind is DirectoryStore:
        for folder, _, files in os.walk(store.url):
            for name in files:
                with open(os.path.join(folder, name), "rb") as f:
                    check(b"secret sentence" not in f.read(), f"{name} can be read")


def changed_by_sqlite3_meanwhile(tests, kind):
    store = kind(tests, "foreign")
    node = Node(tests.path("foreign-" + kind.name), "--store", store.url, env=store.env).start()
    fill(node, 1, 100)
    locked = sqlite3(node.data + "/default.db", "INSERT INTO t VALUES (-1, 'x')")
    check("locked" in locked.stderr, "sqlite3 could write while the node has the file open: " + locked.stdout)
    node.stop()
    done = sqlite3(node.data + "/default.db", "INSERT INTO t VALUES (-1, 'by sqlite3')")
    equal(done.stderr, "", "sqlite3 on the stopped node's file")
    node.start()
    equal(node.sql("SELECT b FROM t WHERE a = -1"), [["by sqlite3"]], "sqlite3's row")
    check(node.wait_pushed(), "not pushed: " + str(node.health()))
    node.stop()
    out = tests.path("foreign-" + kind.name + ".db")
    equal(restore(store, out).returncode, 0, "restore")
    equal(sqlite3(out, "SELECT b FROM t WHERE a = -1").stdout.strip(), "by sqlite3", "sqlite3's row in the backup")


def anothers_backup(tests, kind):
    store = kind(tests, "another")
    node = Node(tests.path("one-" + kind.name), "--store", store.url, env=store.env).start()
    fill(node, 1, 10)
    check(node.wait_pushed(), "not pushed")
    node.stop()
    other = Node(tests.path("other-" + kind.name), "--store", store.url, "--restore", "never", env=store.env).start()
    other.sql("CREATE TABLE mine(x)", "INSERT INTO mine VALUES (1)")
    for _ in range(100):
        if other.health()["backup"]["state"] == "refused":
            break
        time.sleep(0.05)
    equal(other.health()["backup"]["state"], "refused", "backup state")
    check("another database" in other.health()["backup"]["error"], other.health()["backup"]["error"])
    equal(other.sql("SELECT x FROM mine"), [[1]], "its own rows")
    other.stop()
    out = tests.path("another-" + kind.name + ".db")
    equal(restore(store, out).returncode, 0, "restore")
    equal(sqlite3(out, ROWS).stdout.strip(), "10|55", "the first database's backup")


def image_of_many_segments(tests, kind):
    store = kind(tests, "big")
    node = Node(tests.path("big-" + kind.name), "--store", store.url, env=store.env).start()
    node.sql("CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)",
             "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 10000) "
             "INSERT INTO t SELECT n, randomblob(4000) FROM s")
    check(node.wait_pushed(60), "not pushed: " + str(node.health()))
    if kind is DirectoryStore:
        shards = [f for _, _, files in os.walk(store.url) for f in files if "." in f]
        check(len(shards) >= 3, f"40 MB went into fewer than three shards: {shards}")
    want = node.sql("SELECT count(*), sum(length(b)) FROM t")
    node.stop()
    out = tests.path("big-" + kind.name + ".db")
    r = restore(store, out)
    equal(r.returncode, 0, r.stderr)
    equal(sqlite3(out, "PRAGMA integrity_check").stdout.strip(), "ok", "integrity_check")
    equal([[int(x) for x in sqlite3(out, "SELECT count(*), sum(length(b)) FROM t").stdout.strip().split("|")]], want, "rows")


def damaged_object(tests):
    store = DirectoryStore(tests, "damaged")
    node = Node(tests.path("damaged"), "--store", store.url).start()
    fill(node, 1, 300)
    check(node.wait_pushed(), "not pushed")
    node.stop()
    images = glob.glob(os.path.join(store.url, "default", "*", "L4", "*"))
    equal(len(images), 1, "images")
    path, name = images[0], os.path.basename(images[0])
    with open(path, "r+b") as f:
        f.seek(os.path.getsize(path) // 2)
        byte = f.read(1)
        f.seek(-1, os.SEEK_CUR)
        f.write(bytes([byte[0] ^ 1]))
    r = restore(store, tests.path("damaged.db"))
    equal(r.returncode, 1, "status")
    check(name in r.stderr and "damaged" in r.stderr, r.stderr)
    check(not os.path.exists(tests.path("damaged.db")), "a failed restore left a file")
    os.remove(path)
    missing = restore(store, tests.path("damaged.db"))
    equal(missing.returncode, 1, "status of a restore without the image")
    check("no complete image" in missing.stderr, missing.stderr)
    # Nor is there nothing: an empty database would look like the one that is lost.
    for how in ("full", "lazy"):
        data = tests.path(f"damaged-{how}")
        r = subprocess.run([PROGRAM, "serve", "--data", data, "--listen", "127.0.0.1:0", "--store", store.url, "--hydrate", how], capture_output=True, text=True,
                           timeout=30, check=False)
        equal(r.returncode, 1, f"status of a start without the image, {how}")
        check("no complete image" in r.stderr, r.stderr)
        check(not os.path.exists(data + "/default.db"), "an empty database was made")


def metric(node, name):
    return float(dict(line.rsplit(" ", 1) for line in node.get("/metrics")[1].decode().splitlines() if not line.startswith("#"))[name])


def admin(path):
    urllib.request.urlopen(urllib.request.Request(S3["endpoint"] + path, method="POST"), timeout=10).read()


def faults_of_s3(tests):
    store = S3Store(tests, "faults")
    node = Node(tests.path("faults"), "--store", store.url, env=store.env).start()
    fill(node, 1, 50)
    check(node.wait_pushed(), "not pushed")
    for fault in ("match=PUT&do=503&n=2", "match=PUT&do=lost&n=1", "match=PUT&do=drop&n=3", "match=.&do=500&n=2"):
        admin("/_fault?" + fault)
        node.sql("INSERT INTO t(b) VALUES ('after a fault')")
        check(node.wait_pushed(60), f"not pushed after {fault}: " + str(node.health()))
    equal(node.sql("SELECT count(*) FROM t"), [[54]], "rows")
    metrics = dict(line.rsplit(" ", 1) for line in node.get("/metrics")[1].decode().splitlines() if not line.startswith("#"))
    check(float(metrics['skerry_store_errors_total{kind="unavailable"}']) > 0, "503 is not counted")
    check(float(metrics["skerry_store_uploaded_bytes_total"]) > 0, "uploads are not counted")
    node.stop()
    out = tests.path("faults.db")
    equal(restore(store, out).returncode, 0, "restore")
    equal(sqlite3(out, "SELECT count(*) FROM t").stdout.strip(), "54", "rows in the restored file")


def store_that_is_away(tests):
    env = {"SKERRY_S3_ENDPOINT": "http://127.0.0.1:1", "SKERRY_S3_ACCESS_KEY": "k", "SKERRY_S3_SECRET_KEY": "s"}
    empty = Node(tests.path("away"), "--store", "s3://b/p", env=env)
    empty.start(wait=False)
    equal(empty.process.wait(timeout=60), 1, "status of an empty node whose store is away")
    check("--restore never" in empty.log(), "the way out is not named")
    node = Node(tests.path("away"), "--store", "s3://b/p", "--restore", "never", env=env).start()
    node.sql("CREATE TABLE t(a)", "INSERT INTO t VALUES (1)")
    equal(node.sql("SELECT a FROM t"), [[1]], "rows without a store")
    check(node.health()["backup"]["error"] != "", "health does not tell")
    equal(node.stop(), 0, "exit status")
    node = Node(tests.path("away"), "--store", DirectoryStore(tests, "away").url).start()
    check(node.wait_pushed(), "not pushed once there is a store")
    node.stop()
    equal(restore(DirectoryStore(tests, "away"), tests.path("away.db")).returncode, 0, "restore")
    equal(sqlite3(tests.path("away.db"), "SELECT a FROM t").stdout.strip(), "1", "rows")


def full_log_refuses_commits(tests):
    away = {"SKERRY_S3_ENDPOINT": "http://127.0.0.1:1", "SKERRY_S3_ACCESS_KEY": "k", "SKERRY_S3_SECRET_KEY": "s3cr3t-of-the-store"}
    flags = ("--wal-bytes-max", "1m", "--wal-full", "refuse")
    node = Node(tests.path("full"), "--store", "s3://b/p", "--restore", "never", *flags, env=away).start()
    node.sql("CREATE TABLE t(a INTEGER PRIMARY KEY, b)")
    refused, rows = "", 0
    for _ in range(100):
        try:
            node.sql("INSERT INTO t(b) VALUES (randomblob(50000))")
        except SqlError as e:
            refused = str(e)
            break
        rows += 1
    check("wal-bytes-max" in refused, f"after {rows} rows of 50 kB: {refused!r}")
    equal(node.sql("SELECT count(*) FROM t"), [[rows]], "rows that can be read")
    check(node.health()["backup"].get("refusing_commits"), str(node.health()))
    equal(metric(node, "skerry_backup_refusing_commits"), 1, "metric")
    check(metric(node, "skerry_backup_lag_seconds") > 0 and metric(node, "skerry_backup_lag_bytes") > 500000, "the lag in /metrics")
    node.stop()
    check("s3cr3t-of-the-store" not in node.log(), "a secret is in the log")
    # With a store again it pushes, and commits go on.
    store = DirectoryStore(tests, "full")
    node = Node(tests.path("full"), "--store", store.url, *flags).start()
    check(node.wait_pushed(), "not pushed: " + str(node.health()))
    node.sql("INSERT INTO t(b) VALUES (1)")
    check(node.wait_pushed(), "not pushed: " + str(node.health()))
    equal(metric(node, "skerry_backup_refusing_commits"), 0, "metric")
    node.stop()
    out = tests.path("full.db")
    equal(restore(store, out).returncode, 0, "restore")
    equal(sqlite3(out, "SELECT count(*) FROM t").stdout.strip(), str(rows + 1), "rows in the restored file")


def hub_keeps_the_contract(tests):
    HubStore(tests, "contract")
    r = subprocess.run([CONTRACT, "hub_store_over_named_server"], capture_output=True, text=True, cwd=ROOT, check=False,
                       env=dict(os.environ, SKERRY_TEST_HUB=f"hub+http://127.0.0.1:{HubStore.node.port},{HubStore.token}"))
    equal(r.returncode, 0, r.stdout + r.stderr)
    check("ok hub_store_over_named_server" in r.stdout, r.stdout)


def hub_that_goes_away(tests):
    hub = Node(tests.path("leaving-hub"), "--store", "none", "--hub-dir", tests.path("leaving-objects"),
               env={"SKERRY_HUB_TOKEN": HubStore.token}).start()
    address = f"127.0.0.1:{hub.port}"
    store = HubStore(tests, "unused")
    store.url = f"hub+http://{address}/one"
    node = Node(tests.path("left-behind"), "--store", store.url, env=store.env).start()
    fill(node, 1, 100)
    check(node.wait_pushed(), "not pushed: " + str(node.health()))
    for i in range(3):
        hub.kill()
        fill(node, 101 + 100 * i, 200 + 100 * i)
        time.sleep(1.5)
        check(node.health()["backup"]["behind_ms"] > 0, "pushed to a hub that is dead")
        hub.flags = hub.flags[:] + ["--listen", address]
        hub.start()
        check(node.wait_pushed(60), "not pushed after the hub came back: " + str(node.health()))
    node.stop()
    out = tests.path("left-behind.db")
    equal(restore(store, out).returncode, 0, "restore")
    equal(sqlite3(out, ROWS).stdout.strip(), "400|80200", "rows in the restored file")
    wrong = restore(store, out + ".2", "--store-token", "not the hub's token at all")
    equal(wrong.returncode, 1, "status with another token")
    check("--store-token-file" in wrong.stderr, wrong.stderr)
    hub.stop()


def bad_starts(tests):
    def status(*flags, env=None):
        r = subprocess.run([PROGRAM, "serve", *flags], capture_output=True, text=True, timeout=30,
                           env=dict(os.environ, **(env or {})), check=False)
        return r.returncode, r.stderr

    not_db = tests.path("not-a-db")
    os.makedirs(not_db)
    with open(not_db + "/default.db", "w", encoding="ascii") as f:
        f.write("this is a text file, longer than a header. " * 200)
    before = os.path.getsize(not_db + "/default.db")
    rc, text = status("--data", not_db, "--listen", "127.0.0.1:0", "--store", "none")
    equal(rc, 1, "status for a file that is not a database: " + text)
    check("not a database" in text, text)
    equal(os.path.getsize(not_db + "/default.db"), before, "size of the file that is not a database")
    for flags, word in ((["--nope", "1"], "--nope"), (["--vfs", "floppy"], "floppy"), (["--push-interval-ms", "x"], "push"),
                        (["--store", "ftp://x"], "ftp"), (["--hub-dir", "/x", "--store", "none"], "hub-token"), (["--key", "zz"], "hexadecimal"), (["--data"], "value")):
        rc, text = status("--data", tests.path("usage"), *flags) if flags != ["--data"] else status("--data")
        equal(rc, 2, f"status of {flags}: {text}")
        check(word in text, text)
    if os.geteuid() != 0:
        os.makedirs(tests.path("ro"), mode=0o500)
        rc, text = status("--data", tests.path("ro"))
        equal(rc, 1, "status for a data directory that cannot be written")
    rc, text = status("--help")
    equal(rc, 0, "status of --help")


def main():
    tests = Tests(sys.argv[1:])
    server = None
    if not S3["endpoint"]:
        port = 21000 + os.getpid() % 9000
        S3["endpoint"] = f"http://127.0.0.1:{port}"
        server = subprocess.Popen([sys.executable, os.path.join(ROOT, "tests/s3/fakes3.py"), str(port)],
                                  env=dict(os.environ, FAKES3_BUCKETS="skerry-test"), stdout=subprocess.DEVNULL)
        for _ in range(100):
            try:
                urllib.request.urlopen(S3["endpoint"] + "/_stats", timeout=1).read()
                break
            except OSError:
                time.sleep(0.1)
    try:
        for kind in (DirectoryStore, HubStore, S3Store) if server else (S3Store,):
            for test in (pushed_and_restored, goes_on_where_it_was, second_node_takes_over, encrypted, changed_by_sqlite3_meanwhile,
                         anothers_backup, image_of_many_segments):
                tests.run(f"{test.__name__}_{kind.name}", test, tests, kind)
        if server:
            for test in (hub_keeps_the_contract, hub_that_goes_away, damaged_object, faults_of_s3, store_that_is_away, full_log_refuses_commits, bad_starts):
                tests.run(test.__name__, test, tests)
    finally:
        if server:
            server.kill()
        if HubStore.node:
            tests.run("hub_stops", lambda: equal(HubStore.node.stop(), 0, "exit status of the hub"))
    tests.finish()


main()
