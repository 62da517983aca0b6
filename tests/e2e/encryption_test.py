#!/usr/bin/env python3
"""Goal: an encrypted database through the program: keys by flag, variable and file, for the node and the shell; nothing
of the contents in the data directory or the store; a wrong or missing key is a sentence and changes nothing; a backup
comes back encrypted; a key is replaced.
Method: real nodes and shells; files are looked through for a text that was written, and compared before and after what
must not change them; what is restored unencrypted is read by sqlite3."""
import hashlib
import os
import subprocess
import time

from node import PROGRAM, Node, Tests, check, equal, rows_of, sqlite3

KEY, OTHER, STORE_KEY = "a1" * 32, "b2" * 32, "c3" * 32
SECRET = "the quick brown fox"


def run(*args, **env):
    r = subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **env})
    check(0 <= r.returncode < 100, f"{args}: status {r.returncode}: {r.stderr[-500:]}")
    return r.returncode, r.stdout, r.stderr


def fails(*args, words=(), status=None, **env):
    code, out, err = run(*args, **env)
    check(code != 0, f"{args} did not fail: {out[-200:]!r}")
    if status is not None:
        equal(code, status, f"status of {args}: {err}")
    for word in words:
        check(word in err, f"the error of {args} does not say '{word}': {err!r}")
    check(KEY not in err and OTHER not in err, "the error tells the key")


def sums(folder):
    out = {}
    for root, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(root, name), "rb") as f:
                out[name] = hashlib.sha256(f.read()).hexdigest()
    return out


def secret_in(folder):
    for root, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(root, name), "rb") as f:
                text = f.read()
                if SECRET.encode() in text or b"CREATE TABLE" in text:
                    return name
    return None


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def the_shell(tests):
    folder = tests.path("shell")
    os.mkdir(folder)
    path, key_file = folder + "/a.db", write(tests.path("db.key"), KEY + "\n")
    words_file = write(tests.path("words"), "correct horse battery\n")
    make = f"CREATE TABLE t(a); INSERT INTO t VALUES('{SECRET}'); SELECT count(*) FROM t"
    equal(run("sql", "--db-key-file", key_file, path, make)[:2], (0, "1\n"), "making one")
    equal(secret_in(folder), None, "a file that tells the text")
    before, ask = sums(folder), "SELECT a FROM t"
    for args, env in ((("--db-key", KEY), {}), ((), {"SKERRY_DB_KEY": KEY}), ((), {"SKERRY_DB_KEY_FILE": key_file})):
        equal(run("sql", *args, path, ask, **env)[:2], (0, SECRET + "\n"), f"reading with {args} {env}")
    equal(run("sql", f"file:{path}?hexkey={KEY}", ask)[:2], (0, SECRET + "\n"), "the key in the name")
    fails("sql", path, ask, words=("is encrypted: give its key",))
    fails("sql", path, "CREATE TABLE u(a)", words=("is encrypted: give its key",))
    fails("sql", "--db-key", OTHER, path, "DELETE FROM t", words=("is encrypted with another key",))
    fails("sql", "--db-passphrase", "x", path, ask, words=("is encrypted with a key, and a passphrase was given",))
    fails("sql", "--db-key", KEY[1:], path, ask, words=("--db-key is not 64 hexadecimal digits",))
    fails("sql", "--db-key", KEY, "--db-passphrase", "x", path, ask, words=("both",))
    fails("sql", "--db-key-previous", KEY, path, ask, words=("no new one",))
    equal(sums(folder), before, "files that no key opened")
    plain = tests.path("plain.db")
    sqlite3(plain, "CREATE TABLE t(a)")
    fails("sql", "--db-key", KEY, plain, ask, words=("is not encrypted", "VACUUM INTO"))
    # A passphrase, and from one to the other by VACUUM INTO and ATTACH.
    words = folder + "/words.db"
    equal(run("sql", "--db-passphrase-file", words_file, words, make)[:2], (0, "1\n"), "making one with a passphrase")
    equal(run("sql", words, ask, SKERRY_DB_PASSPHRASE="correct horse battery")[:2], (0, SECRET + "\n"), "reading it")
    fails("sql", words, ask, words=("another passphrase",), SKERRY_DB_PASSPHRASE="correct horse batterz")
    equal(run("sql", ":memory:", f"ATTACH '{words}' AS w KEY 'correct horse battery'; SELECT a FROM w.t")[:2], (0, SECRET + "\n"), "attached")
    equal(secret_in(folder), None, "a file that tells the text")
    # Another key: from the shell, and by the flags of the next start.
    equal(run("sql", "--db-key", KEY, path, f"PRAGMA hexrekey='{OTHER}'; SELECT a FROM t")[:2], (0, SECRET + "\n"), "replacing the key")
    fails("sql", "--db-key", KEY, path, ask, words=("is encrypted with another key",))
    equal(run("sql", "--db-key", OTHER, path, "PRAGMA rekey; " + ask)[:2], (0, f"0\n{SECRET}\n"), "all of it has the new key")
    equal(run("sql", "--db-key", KEY, "--db-key-previous", OTHER, path, ask)[:2], (0, SECRET + "\n"), "replacing it by the flags")
    fails("sql", "--db-key", OTHER, path, ask, words=("is encrypted with another key",))
    equal(run("sql", "--db-key", KEY, path, ask + "; PRAGMA integrity_check")[:2], (0, SECRET + "\nok\n"), "the new one")
    # The checksum option: a flipped bit is told, by page and offset.
    summed = tests.path("summed.db")
    equal(run("sql", "--db-checksums", "on", summed, make)[:2], (0, "1\n"), "making one with checksums")
    equal(sqlite3(summed, "PRAGMA integrity_check; SELECT a FROM t").stdout, f"ok\n{SECRET}\n", "SQLite on it")
    with open(summed, "r+b") as f:
        f.seek(4096 + 2000)
        f.write(b"\x01")
    fails("sql", summed, ask, words=("page 2 of", "offset 4096", "checksum"))


def the_node(tests):
    data, store = tests.path("data"), tests.path("store")
    db_key, backup_key = write(tests.path("db.key"), KEY), write(tests.path("backup.key"), STORE_KEY)
    serve = ("serve", "--data", data, "--listen", "127.0.0.1:0")
    fails(*serve, "--store", store, "--db-key-file", db_key, words=("its backup would not be",), status=2)
    check(not os.path.exists(data + "/default.db"), "a refused start made the file")
    keys = ("--db-key-file", db_key, "--key-file", backup_key, "--push-interval-ms", "20")
    node = Node(data, "--store", store, *keys).start()
    try:
        node.sql("CREATE TABLE t(id INTEGER PRIMARY KEY, body TEXT)")
        for i in range(50):
            node.sql(f"INSERT INTO t(body) VALUES('{SECRET} {i}')")
        # What does not fit in memory is sorted in temporary files.
        equal(node.sql("WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) SELECT count(*) FROM "
                       "(SELECT i, hex(zeroblob(9000)) || i AS x FROM n ORDER BY x LIMIT 1999)"), [[1999]], "a big sort")
        check(node.wait_pushed(30), "the push")
        equal(secret_in(data), None, "a file of the data directory that tells the text")
        equal(secret_in(store), None, "an object that tells the text")
        try:
            node.sql("PRAGMA hexrekey='" + OTHER + "'")
            check(False, "a client replaced the key")
        except Exception as e:  # pylint: disable=broad-except
            check("--db-key" in str(e), str(e))
        node.kill()
        before = sums(data)
        for args, words in (((), "is encrypted: give its key"), (("--db-key", OTHER), "encrypted with another key")):
            fails(*serve, "--store", "none", *args, words=(words, "default.db"), status=1)
        equal({k: v for k, v in sums(data).items() if k.startswith("default.db")}, {k: v for k, v in before.items() if k.startswith("default.db")},
              "the files after starts with wrong keys")
        node.start()
        equal(node.sql("SELECT count(*) FROM t"), [[50]], "rows after the kill")
        check(node.wait_pushed(30), "the push")
        equal(node.stop(), 0, "exit status")
    finally:
        node.kill()
    # The backup, to a file that is encrypted with whatever key is given, or, when told to, is not.
    restore = ("restore", "--store", store, "--key-file", backup_key)
    out = tests.path("restored.db")
    fails(*restore, out, words=("was encrypted", "--db-key", "--decrypt"))
    check(not os.path.exists(out), "a refused restore left a file")
    equal(run(*restore, "--db-key", OTHER, out)[0], 0, "restoring with another key")
    ask = f"SELECT count(*) FROM t WHERE body LIKE '{SECRET}%'; PRAGMA integrity_check"
    equal(run("sql", "--db-key", OTHER, out, ask)[:2], (0, "50\nok\n"), "what was restored")
    with open(out, "rb") as f:
        check(SECRET.encode() not in f.read(), "the restored file tells the text")
    plain = tests.path("decrypted.db")
    code, _, err = run(*restore, "--decrypt", plain)
    equal(code, 0, "restoring without a key: " + err)
    equal(sqlite3(plain, ask).stdout, "50\nok\n", "SQLite on it")
    # An empty volume restores itself encrypted.
    again = tests.path("again")
    node = Node(again, "--store", store, *keys).start()
    try:
        equal(node.sql("SELECT count(*) FROM t"), [[50]], "rows on the new volume")
        equal(secret_in(again), None, "a file of the new volume that tells the text")
        node.sql("INSERT INTO t(body) VALUES('more')")
        check(node.wait_pushed(30), "the push")
        equal(node.stop(), 0, "exit status")
    finally:
        node.kill()
    # A backup of what was not encrypted has no room for it.
    bare, bare_store = tests.path("bare"), tests.path("bare-store")
    node = Node(bare, "--store", bare_store, "--push-interval-ms", "20").start()
    try:
        node.sql("CREATE TABLE t(a)")
        check(node.wait_pushed(30), "the push")
        equal(node.stop(), 0, "exit status")
    finally:
        node.kill()
    fails("restore", "--store", bare_store, "--db-key", KEY, tests.path("bare.db"), words=("was not encrypted", "VACUUM INTO"))


def wait_rows(node, want, seconds=30):
    end = time.time() + seconds
    while node.sql("SELECT count(*) FROM t") != [[want]]:
        check(time.time() < end, f"not {want} rows: {node.health()}")
        time.sleep(0.05)


def from_the_store(tests):
    """Opened lazily, looked at as it was, followed: what comes is kept encrypted, whatever key is given."""
    store, data = tests.path("lazy-store"), tests.path("lazy-writer")
    backup = ("--store", store, "--key", STORE_KEY)
    keys = ("--db-key", KEY, *backup, "--push-interval-ms", "20")
    writer = Node(data, *keys).start()
    nodes = [writer]
    ask = "SELECT count(*), sum(length(body)), min(id), max(id) FROM t"
    try:
        writer.sql("CREATE TABLE t(id INTEGER PRIMARY KEY, body TEXT)",
                   "INSERT INTO t SELECT value, '" + SECRET + "' || hex(randomblob(1000)) FROM generate_series(1, 20000)")
        check(writer.wait_pushed(60), "the push")
        tx = writer.health()["backup"]["tx"]
        want = writer.sql(ask)
        # Replicas: of the store, of the node; each with a key of its own.
        of_store = Node(tests.path("of-store"), "--follow", store, "--key", STORE_KEY, "--db-passphrase", "some words", "--follow-poll-ms", "50").start()
        nodes.append(of_store)
        of_node = Node(tests.path("of-node"), "--follow", f"http://127.0.0.1:{writer.port}", "--store", "none", "--db-key", OTHER).start()
        nodes.append(of_node)
        writer.sql("INSERT INTO t VALUES(100001, 'x')", "DELETE FROM t WHERE id IN (5, 6)")
        for replica in (of_store, of_node):
            wait_rows(replica, 19999)
            equal(replica.sql("SELECT max(id) FROM t"), [[100001]], "the newest row of a replica")
            equal(secret_in(replica.data), None, "a file of a replica that tells the text")
            replica.kill()
            replica.start()
            wait_rows(replica, 19999)
            equal(replica.stop(), 0, "exit status")
        equal(run("sql", "--db-key", OTHER, of_node.data + "/default.db", "PRAGMA integrity_check")[:2], (0, "ok\n"), "the replica's file")
        fails("serve", "--data", tests.path("bare-replica"), "--listen", "127.0.0.1:0", "--store", "none", "--follow",
              f"http://127.0.0.1:{writer.port}", words=("was encrypted where it comes from",), status=2)
        # A past state, attached and served; through the shell.
        s = writer.session()
        out = s.pipeline(*({"type": "execute", "stmt": {"sql": q}} for q in (f"ATTACH 'default@tx={tx}' AS past", ask.replace("FROM t", "FROM past.t"))),
                         {"type": "close"})
        equal(rows_of(out["results"][1]), want, "the past state")
        equal(secret_in(data), None, "a file of the data directory that tells the text")
        s.close()
        check(writer.wait_pushed(60), "the push")
        equal(writer.stop(), 0, "exit status")
        view = Node(tests.path("view"), *keys, "--tx", str(tx)).start()
        nodes.append(view)
        equal(view.sql(ask), want, "the past state, served")
        equal(secret_in(view.data), None, "a file of a view that tells the text")
        equal(view.stop(), 0, "exit status")
        text = "|".join(str(v) for v in want[0]) + "\n"
        equal(run("sql", *backup, "--db-key", OTHER, "--tx", str(tx), ask)[:2], (0, text), "the past state, in the shell")
        fails("sql", *backup, ask, words=("was encrypted where it comes from", "--db-key"))
        # Lazily: killed while pages come, a wrong key between, another key for the file; then whole.
        node = Node(tests.path("lazy"), *keys, "--hydrate", "lazy", "--store-download-rate", "500k").start()
        nodes.append(node)
        equal(node.sql("SELECT count(*) FROM t WHERE id BETWEEN 10 AND 100"), [[91]], "rows")
        equal(secret_in(node.data), None, "a file of the lazy node that tells the text")
        total = 19999
        for i in range(3):
            node.sql(f"INSERT INTO t VALUES({200000 + i}, 'y')", f"UPDATE t SET body = body || 'z' WHERE id = {1000 * i + 7}")
            if i == 1:
                node.sql("PRAGMA wal_checkpoint(TRUNCATE)")
            total += 1
            h = node.health()["hydrate"]
            check(h["pages_here"] < h["pages"], f"all is here: nothing is tested: {h}")
            node.kill()
            if i == 0:
                before = sums(node.data)
                for args, words in (((), "is encrypted: give its key"), (("--db-key", OTHER), "encrypted with another key")):
                    fails("serve", "--data", node.data, "--listen", "127.0.0.1:0", *backup, *args, words=(words, "default.db"), status=1)
                equal(sums(node.data), before, "files after starts with wrong keys")
            if i == 2:
                node.flags[node.flags.index(KEY)] = OTHER
                node.flags += ["--db-key-previous", KEY]
                node.flags[node.flags.index("500k")] = "0"
            node.start()
            equal(node.sql("SELECT count(*) FROM t WHERE id >= 200000"), [[i + 1]], "rows after the kill")
        end = time.time() + 60
        while node.health().get("hydrate", {"pages": 0, "pages_here": 0})["pages_here"] != node.health().get("hydrate", {"pages": 0})["pages"]:
            check(time.time() < end, f"not whole: {node.health()}")
            time.sleep(0.1)
        equal(node.sql("SELECT count(*) FROM t"), [[total]], "rows")
        check(node.wait_pushed(60), "the push")
        equal(node.stop(), 0, "exit status")
        check(not os.path.exists(node.data + "/default.db-hydrate"), "the map is still there")
        equal(secret_in(node.data), None, "a file of the lazy node that tells the text")
        equal(run("sql", "--db-key", OTHER, node.data + "/default.db", "PRAGMA integrity_check; SELECT count(*) FROM t")[:2], (0, f"ok\n{total}\n"), "the file")
        out = tests.path("from-lazy.db")
        equal(run("restore", *backup, "--decrypt", out)[0], 0, "restoring")
        equal(sqlite3(out, "PRAGMA integrity_check; SELECT count(*) FROM t").stdout, f"ok\n{total}\n", "SQLite on what it pushed")
        fails("serve", "--data", tests.path("lazy-bare"), "--listen", "127.0.0.1:0", *backup, "--hydrate", "lazy",
              words=("was encrypted where it comes from", "--db-key"))
    finally:
        for n in nodes:
            n.kill()


def main():
    tests = Tests()
    for name, f in (("the shell", the_shell), ("the node, its store and restores", the_node), ("from the store: lazily, past states, replicas", from_the_store)):
        tests.run(name, f, tests)
    tests.finish()


if __name__ == "__main__":
    main()
