#!/usr/bin/env python3
"""Goal: the commands of backups say what is true of a store, and change nothing that they do not say: status, list, verify,
prune, rekey, and restores of a moment, of a transaction, on a terminal, interrupted, and in little memory. No secret is in
what anybody prints, and the metrics are those of docs/backup.md.
Method: a real node's backups in directories and in tests/s3/fakes3.py, whose every object is damaged in turn; restored files
are read by sqlite3 and compared byte by byte."""
import datetime
import glob
import os
import pty
import re
import resource
import secrets
import signal
import subprocess
import sys
import time

from fakes3 import FakeS3
from node import PROGRAM, ROOT, WAIT, Node, Tests, check, equal, sqlite3, until

TOLD = []  # all that anybody printed
SECRETS = []


def secret(text):
    SECRETS.append(text)
    return text


def run(*args, env=None):
    r = subprocess.run([PROGRAM, *args], capture_output=True, text=True, env=dict(os.environ, **(env or {})), check=False, timeout=10 * WAIT)
    TOLD.append(r.stdout + r.stderr)
    return r


def good(*args, env=None):
    r = run(*args, env=env)
    equal(r.returncode, 0, f"status of {args}: {r.stderr}")
    return r.stdout


def bad(words, *args, env=None):
    r = run(*args, env=env)
    equal(r.returncode, 1, f"status of {args}")
    for word in words:
        check(word in r.stderr, f"{args} does not say {word!r}: {r.stderr}")


def node_of(tests, name, *flags, env=None):
    node = Node(tests.path(name), "--push-interval-ms", "50", "--head-interval-ms", "100", *flags, env=env).start()
    node.sql("CREATE TABLE IF NOT EXISTS t(a INTEGER PRIMARY KEY, b)")
    return node


def insert(node, count=1, size=100):
    node.sql(f"WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {count}) INSERT INTO t(b) SELECT randomblob({size}) FROM s")
    check(node.wait_pushed(), "not pushed: " + str(node.health()))
    return node.health()["backup"]["tx"]


def objects(store):
    return sorted(f for f in glob.glob(store + "/**/*", recursive=True) if os.path.isfile(f) and "/.tmp" not in f)


def moments(tests):
    store = tests.path("moments-store")
    node = node_of(tests, "moments", "--store", store)
    states = []
    for i in range(4):
        states.append((insert(node), time.time()))
        time.sleep(2.1)  # moments are given in seconds
    node.stop()
    flags = ("--store", store)
    status, listed = good("backup", "status", *flags), good("backup", "list", *flags)
    check(re.search(rf"newest +transaction {states[-1][0]},", status), status)
    pushes = [int(m[0]) for m in re.findall(r"^push +(\d+) +(\d+) ", listed, re.M)]
    for tx, _ in states:
        check(tx in pushes, f"transaction {tx} is not listed:\n{listed}")
    check("image" in listed, listed)
    for i, (tx, at) in enumerate(states):
        for how in (("--tx", str(tx)), ("--at", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at + 1)))):
            out = tests.path(f"moment-{i}{how[0]}.db")
            good("restore", *flags, *how, out)
            equal(sqlite3(out, "SELECT count(*) FROM t").stdout.strip(), str(i + 1), f"rows of {how}")
    bad(("does not reach back that far",), "restore", *flags, "--at", "2001-01-01T00:00:00Z", tests.path("none.db"))
    check(not os.path.exists(tests.path("none.db")), "a failed restore left a file")
    # What is there stays unless told.
    out = tests.path("moment-0--tx.db")
    bad((out,), "restore", *flags, out)
    equal(sqlite3(out, "SELECT count(*) FROM t").stdout.strip(), "1", "rows of the file that was there")
    good("restore", *flags, "--overwrite", out)
    equal(sqlite3(out, "SELECT count(*) FROM t").stdout.strip(), "4", "rows of the file that was overwritten")


def every_object_counts(tests):
    store, key = tests.path("each-store"), secret(secrets.token_hex(32))
    env = {"SKERRY_KEY": key}
    node = node_of(tests, "each", "--store", store, "--level-periods", "1s,5s,1h,24h", env=env)
    for _ in range(25):
        insert(node)
        time.sleep(0.1)
    until(lambda: len(glob.glob(store + "/*/*/L1/*")) > 0, True, "a merged segment")
    node.stop()
    flags = ("--store", store)
    check(": sound" in good("backup", "verify", "--restored", *flags, env=env), "verify does not say that all is sound")
    kinds = set()
    for path in objects(store):
        kinds.add(re.sub(r"[0-9a-f]{16}", "", os.path.relpath(path, store)))
        with open(path, "r+b") as f:
            before = f.read()
            f.seek(len(before) // 2)
            f.write(bytes([before[len(before) // 2] ^ 4]))
        bad((os.path.relpath(path, store),), "backup", "verify", *flags, env=env)
        with open(path, "wb") as f:
            f.write(before)
    for kind in ("default/head", "default/claim/", "default//key", "default//L0/-", "default//L1/-", "default//L4/-"):
        check(kind in kinds, f"no {kind} in {kinds}")
    good("backup", "verify", *flags, env=env)


def segments_of(store):
    """(level, from, to) of each segment in a directory, parts apart, by the names alone."""
    found = []
    for path in objects(store):
        m = re.search(r"/L(\d)/([0-9a-f]{16})-([0-9a-f]{16})$", path)
        if m:
            found.append((int(m[1]), int(m[2], 16), int(m[3], 16)))
    return found


def status_is_true(tests):
    """Each line of the status, against the files of the store."""
    store, env = tests.path("status-store"), {"SKERRY_KEY": secret(secrets.token_hex(32))}
    began = time.time()
    node = node_of(tests, "status", "--store", store, "--level-periods", "1s,5s,1h,24h", env=env)
    for _ in range(25):
        tx = insert(node)
        time.sleep(0.1)
    until(lambda: len(glob.glob(store + "/*/*/L1/*")) > 0, True, "a merged segment")
    node.stop()
    node.start()  # another claim
    tx = insert(node)
    node.stop()
    lines = dict(line.split(None, 1) for line in good("backup", "status", "--store", store, env=env).replace("a restore", "restore").splitlines())
    equal((lines["store"], lines["database"], lines["encrypted"]), (store, "default", "yes"), "store, database, encrypted")
    lineage = os.path.basename(os.path.dirname(glob.glob(store + "/default/*/L0")[0]))
    claims = [int(os.path.basename(f), 16) for f in glob.glob(store + "/default/claim/*")]
    equal(lines["lineage"], f"{lineage}, epoch {max(claims)}", "lineage")
    check(max(claims) >= 2, str(claims))
    m = re.fullmatch(r"transaction (\d+), (\S+)Z, (\d+) s ago", lines["newest"])
    equal(int(m[1]), tx, "newest transaction")
    made, oldest = (datetime.datetime.fromisoformat(t).replace(tzinfo=datetime.timezone.utc).timestamp() for t in (m[2], lines["oldest"][:-1]))
    check(began - 1 <= oldest <= made <= time.time() and made + int(m[3]) <= time.time() + 1, str(lines))
    found, files = segments_of(store), [f for f in objects(store) if re.search(r"/L\d/", f)]
    count = [sum(s[0] == level for s in found) for level in range(5)]
    equal(lines["stored"], f"{sum(os.path.getsize(f) for f in files)} bytes in {len(files)} objects: {count[4]} images; "
          f"{count[3]}, {count[2]} and {count[1]} merged; {count[0]} pushes", "stored")
    check(count[0] > 0 and count[1] > 0 and count[4] > 0, str(count))
    at, steps = max(s[2] for s in found if s[0] == 4), 1
    while at < tx:
        at, steps = max(s[2] for s in found if s[0] < 4 and s[1] == at + 1), steps + 1
    equal(lines["restore"], f"reads {steps} segments", "what a restore reads")
    bad(("no backup",), "backup", "status", "--store", tests.path("status-none"))


def status_of_the_node(tests, s3):
    """What /health and /metrics say of the backup: all there; while the store is away; when it is back."""
    node = node_of(tests, "away", "--store", f"s3://skerry-test/away-{secrets.token_hex(4)}", env=s3.env)
    tx = insert(node)

    def metric(name):
        return float(re.search(rf"^skerry_backup_{name} (\S+)$", node.get("/metrics")[1].decode(), re.M)[1])

    def is_idle(what):
        equal({k: v for k, v in node.health()["backup"].items() if k != "tx"}, {"state": "idle", "behind_ms": 0, "encrypted": False}, what)
        equal([metric(n) for n in ("up_to_date", "lag_seconds", "lag_bytes", "refused")], [1, 0, 0, 0], what)
    is_idle("status")
    pushed_at, failures = metric("last_push_timestamp_seconds"), metric("failures_total")
    check(abs(pushed_at - time.time()) < WAIT, str(pushed_at))
    s3.admin("/_fault?match=.&do=503&n=1000000")
    node.sql("INSERT INTO t(b) VALUES (zeroblob(100000))")
    h = node.wait_state("backup", "retrying")
    check(h["tx"] == tx and h["behind_ms"] > 0 and h["error"], str(h))
    check(metric("up_to_date") == 0 and metric("lag_seconds") > 0 and metric("lag_bytes") > 100000, node.get("/metrics")[1].decode())
    check(metric("failures_total") > failures and metric("last_push_timestamp_seconds") == pushed_at, "failures, or the time of the newest push")
    s3.admin("/_nofault")
    check(node.wait_pushed(), "not pushed: " + str(node.health()))
    is_idle("status when the store is back")
    check(node.health()["backup"]["tx"] > tx, str(node.health()))
    node.stop()


def pruned(tests):
    store = tests.path("prune-store")
    node = node_of(tests, "prune", "--store", store, "--level-periods", "1s,5s,1h,24h")
    for _ in range(20):
        tx = insert(node)
        time.sleep(0.15)
    node.stop()
    flags = ("--store", store, "--level-periods", "1s,5s,1h,24h", "--keep", "1ms,2ms,6h,2d,14d")
    before = objects(store)
    shown = good("backup", "prune", *flags)
    count = int(re.search(r"(\d+) objects, \d+ bytes would be deleted", shown)[1])
    check(count > 0, shown)
    equal(objects(store), before, "the objects after prune without --yes")
    equal(int(re.search(r"deleted (\d+) objects", good("backup", "prune", "--yes", *flags))[1]), count, "deleted objects")
    equal(len(objects(store)), len(before) - count, "objects that are left")
    good("backup", "verify", "--restored", "--store", store)
    good("restore", "--store", store, "--tx", str(tx), tests.path("pruned.db"))
    equal(sqlite3(tests.path("pruned.db"), "SELECT count(*) FROM t").stdout.strip(), "20", "rows")


def rekeyed(tests):
    store, key, new = tests.path("rekey-store"), secret(secrets.token_hex(32)), tests.path("new-words")
    with open(new, "w", encoding="ascii") as f:
        f.write(secret("correct horse battery " + secrets.token_hex(4)))
    node = node_of(tests, "rekey", "--store", store, env={"SKERRY_KEY": key})
    insert(node)
    node.stop()
    bad(("--key-file",), "backup", "status", "--store", store)
    bad(("another key",), "backup", "rekey", "--store", store, "--key", secret(secrets.token_hex(32)), "--new-passphrase-file", new)
    before = {p: os.stat(p).st_mtime_ns for p in objects(store)}
    good("backup", "rekey", "--store", store, "--new-passphrase-file", new, env={"SKERRY_KEY": key})
    after = {p: os.stat(p).st_mtime_ns for p in objects(store)}
    equal([os.path.basename(p) for p in after if after[p] != before.get(p)], ["key"], "objects that were written")
    bad((), "restore", "--store", store, tests.path("rekeyed.db"), env={"SKERRY_KEY": key})
    good("restore", "--store", store, "--passphrase-file", new, tests.path("rekeyed.db"))
    # A node with the wrong one touches nothing, and says so.
    node = Node(tests.path("rekey"), "--store", store, env={"SKERRY_KEY": key}).start()
    until(lambda: node.health()["backup"]["state"], "refused", "state with the old key")
    node.stop()
    equal({p: os.stat(p).st_mtime_ns for p in objects(store)}, after, "the store after a node with the old key")


def restores(tests, s3):
    """Large enough to be interrupted: little memory, a bar on a terminal, killed and gone on with (what is here is noted every 3 s)."""
    url, env = f"s3://skerry-test/big-{secrets.token_hex(4)}", s3.env
    secret(env["SKERRY_S3_SECRET_KEY"])
    node = node_of(tests, "big", "--store", url, env=env)
    node.sql("WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 20000) INSERT INTO t(b) SELECT randomblob(4000) FROM s")
    check(node.wait_pushed(10 * WAIT), "not pushed: " + str(node.health()))
    node.stop()
    source, out = node.data + "/default.db", tests.path("big.db")
    command = [PROGRAM, "restore", "--store", url, "--store-download-rate", "8m", out]
    full = dict(os.environ, **env)
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(PROGRAM, command, full)
    shown = b""
    while not re.search(rb"[6-9]\d %", shown):
        shown += os.read(fd, 4096)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(fd)
    bar = shown.decode()
    TOLD.append(bar)
    check(re.search(r"\d+ %  [\d.]+ of 8\d\.\d MB written, [\d.]+ MB/s", bar), bar)
    check(not os.path.exists(out), "a file that is not whole has its name already")
    p = subprocess.Popen([*command[:4], out], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=full)
    told, error = p.communicate(timeout=10 * WAIT)
    TOLD.append(told + error)
    equal(p.returncode, 0, error)
    check(int(re.search(r"(\d+) pages of it were there already", told)[1]) > 0, told)
    check(subprocess.run(["cmp", out, source], check=False).returncode == 0, "the restored file is another")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"  peak memory of a restore of {os.path.getsize(source) / 1e6:.0f} MB: {peak:.0f} MiB")
    check(peak < 64, f"a restore took {peak} MiB")


def metrics_are_documented(tests):
    with open(os.path.join(ROOT, "docs/backup.md"), encoding="utf-8") as f:
        table = f.read().split("## What to watch")[1]
    names = set(re.findall(r"`((?:backup|store)_[a-z_]+)(?:\{kind\})?`", table))
    check(len(names) > 10, str(names))
    node = node_of(tests, "metrics", "--store", tests.path("metrics-store"))
    insert(node)
    text = node.get("/metrics")[1].decode()
    node.stop()
    there = set(re.findall(r"^skerry_((?:backup|store)_[a-z_]+)", text, re.M))
    equal(sorted(names - there), [], "metrics that are documented and not there")
    equal(sorted(n for n in there - names if n.startswith("backup_")), [], "metrics that are there and not documented")


def no_secret_is_told(tests):
    for path in glob.glob(tests.path("*.log")):
        with open(path, encoding="utf-8", errors="replace") as f:
            TOLD.append(f.read())
    check(len(TOLD) > 20 and len(SECRETS) > 4, "nothing was told")
    for text in TOLD:
        for s in SECRETS + ["Signature=", "AWS4-HMAC", "Bearer "]:
            check(s not in text, f"{s} is in: {text[:2000]}")


def main():
    tests, s3 = Tests(sys.argv[1:]), FakeS3()
    try:
        for test in (moments, every_object_counts, status_is_true, pruned, rekeyed, metrics_are_documented):
            tests.run(test.__name__, test, tests)
        tests.run("status_of_the_node", status_of_the_node, tests, s3)
        tests.run("restores", restores, tests, s3)
        tests.run("no_secret_is_told", no_secret_is_told, tests)
    finally:
        s3.process.kill()
    tests.finish()


main()
