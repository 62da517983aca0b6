"""Starts, asks and kills real nodes, for the end-to-end tests. Python's standard library only."""
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.environ.get("SKERRY", os.path.join(ROOT, "build/release/skerry"))
WAIT = 90  # seconds: for what has to come, on a slow machine that does much else
RUNNING = []  # nodes that were started


class Node:
    """One `skerry serve`; its log goes to a file beside its data."""

    def __init__(self, data, *flags, env=None):
        self.data, self.flags, self.env = data, list(flags), dict(os.environ, **(env or {}))
        self.process = self.port = None
        self.log_path = data.rstrip("/") + ".log"

    def start(self, wait=True, seconds=WAIT):
        log = open(self.log_path, "ab")
        start = log.tell() if log.tell() else os.path.getsize(self.log_path)
        self.process = subprocess.Popen(
            [PROGRAM, "serve", "--data", self.data, "--listen", "127.0.0.1:0", *self.flags],
            stderr=log, stdin=subprocess.DEVNULL, env=self.env)
        log.close()
        if self not in RUNNING:
            RUNNING.append(self)
        if not wait:
            return self
        for _ in range(seconds * 50):
            with open(self.log_path, "rb") as f:
                f.seek(start)
                found = re.search(rb"event=node\.listening.* port=(\d+)", f.read())
            if found:
                self.port = int(found.group(1))
                return self
            if self.process.poll() is not None:
                with open(self.log_path, "rb") as f:
                    f.seek(start)
                    busy = b"Address already in use" in f.read()
                if busy and seconds > 1:  # the kernel lets a killed node's ring, and its port, go a little later
                    time.sleep(1)
                    return self.start(wait, seconds - 1)
                raise RuntimeError("the node did not start: " + self.log()[-2000:])
            time.sleep(0.02)
        raise RuntimeError("the node does not listen: " + self.log()[-2000:])

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """SIGTERM; gives the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=WAIT)

    def get(self, path, headers=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT)
        c.request("GET", path, headers=headers or {})
        r = c.getresponse()
        body = r.read()
        c.close()
        return r.status, body

    def health(self):
        return json.loads(self.get("/health")[1])

    def wait_pushed(self, seconds=WAIT):
        """Until every commit is in the store; False when the time is over."""
        end = time.time() + seconds
        while time.time() < end:
            b = self.health()["backup"]
            if b["state"] == "idle" and b["behind_ms"] == 0:
                return True
            time.sleep(0.05)
        return False

    def wait_state(self, part, want, seconds=WAIT):
        """Until /health says that its `part` (backup, replica) is in that state; gives the part."""
        until(lambda: self.health()[part]["state"], want, f"state of {part}", seconds)
        return self.health()[part]

    def session(self):
        return Session(self.port)

    def sql(self, *statements):
        s = self.session()
        try:
            return [s.execute(text) for text in statements][-1]
        finally:
            s.close()


def own_port():
    """A port to come back to after a restart: below those that the kernel gives to clients, one of whom may have it by then."""
    for _ in range(1000):
        port = random.randrange(10000, 20000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass
    raise RuntimeError("no port is free")


class SqlError(Exception):
    pass


class Session:
    """A kept-alive connection that sends Hrana pipelines."""

    def __init__(self, port):
        self.c = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT)

    def pipeline(self, *requests, baton=None):
        body = json.dumps({"baton": baton, "requests": list(requests)})
        self.c.request("POST", "/v3/pipeline", body, {"Content-Type": "application/json"})
        r = self.c.getresponse()
        text = r.read()
        if r.status != 200:
            raise SqlError(f"HTTP {r.status}: {text[:300]!r}")
        return json.loads(text)

    def execute(self, sql, args=()):
        out = self.pipeline({"type": "execute", "stmt": {"sql": sql, "args": [encode(a) for a in args]}}, {"type": "close"})
        return rows_of(out["results"][0])

    def batch(self, *statements, begin="BEGIN IMMEDIATE"):
        """All statements in one transaction."""
        steps = [{"stmt": {"sql": begin}}]
        for sql in statements:
            steps.append({"stmt": {"sql": sql}, "condition": {"type": "ok", "step": len(steps) - 1}})
        steps.append({"stmt": {"sql": "COMMIT"}, "condition": {"type": "ok", "step": len(steps) - 1}})
        out = self.pipeline({"type": "batch", "batch": {"steps": steps}}, {"type": "close"})
        result = out["results"][0]
        if result["type"] != "ok":
            raise SqlError(result["error"]["message"])
        errors = [e for e in result["response"]["result"]["step_errors"] if e]
        if errors:
            raise SqlError(errors[0]["message"])

    def close(self):
        self.c.close()


def encode(v):
    if v is None:
        return {"type": "null"}
    if isinstance(v, int):
        return {"type": "integer", "value": str(v)}
    if isinstance(v, float):
        return {"type": "float", "value": v}
    return {"type": "text", "value": v}


def rows_of(result):
    if result["type"] != "ok":
        raise SqlError(result["error"]["message"])
    rows = result["response"]["result"]["rows"]
    return [[int(v["value"]) if v["type"] == "integer" else v.get("value", v.get("base64")) for v in row] for row in rows]


def sqlite3(path, sql):
    """What SQLite's own shell says about a file."""
    return subprocess.run(["sqlite3", path, sql], capture_output=True, text=True, check=False)


def until(got, want, what, seconds=WAIT):
    """Asks until the answer is the one that is wanted."""
    end, now = time.time() + seconds, got()
    while now != want:
        check(time.time() < end, f"{what} is {now!r} after {seconds} s, want {want!r}")
        time.sleep(0.05)
        now = got()


def restored_rows(tests, url, env, sql):
    """Integers that SQLite's shell reads from a restored copy, which it must find sound."""
    out = tests.path(f"restored-{time.time_ns()}.db")
    r = subprocess.run([PROGRAM, "restore", "--store", url, out], capture_output=True, text=True, check=False, env=dict(os.environ, **env))
    equal(r.returncode, 0, r.stderr)
    equal(sqlite3(out, "PRAGMA integrity_check").stdout.strip(), "ok", "integrity_check of the restored file")
    rows = [[int(v) for v in line.split("|")] for line in sqlite3(out, sql).stdout.splitlines()]
    os.unlink(out)
    return rows


class Tests:
    """Counts, and a scratch directory that is kept when something failed."""

    def __init__(self, only=()):
        self.passed = self.failed = self.skipped = 0
        self.only = only  # parts of names; none: all
        self.dir = tempfile.mkdtemp(prefix="skerry-e2e-")

    def run(self, name, f, *args):
        if self.only and not any(part in name for part in self.only):
            return
        try:
            f(*args)
        except Exception as e:  # noqa: BLE001: whatever went wrong is what the test reports
            self.failed += 1
            print(f"  {type(e).__name__}: {e}\nFAIL {name}", flush=True)
            nodes_end()
        else:
            self.passed += 1
            print(f"ok {name}", flush=True)

    def skip(self, name, why):
        self.skipped += 1
        print(f"skip {name}: {why}", flush=True)

    def path(self, name):
        return os.path.join(self.dir, name)

    def finish(self):
        nodes_end()
        if self.failed:
            print(f"files are kept in {self.dir}")
        else:
            shutil.rmtree(self.dir, ignore_errors=True)
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        sys.exit(1 if self.failed else 0)


def nodes_end():
    """Those that a test has left running, because it failed."""
    for node in RUNNING:
        if node.process.poll() is None:
            node.kill()
    RUNNING.clear()


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def equal(got, want, what):
    if got != want:
        raise AssertionError(f"{what} is {got!r}, want {want!r}")


def refused(node, sql, words, otherwise):
    """The statement fails with a text that has all of the words; `otherwise` says what it means that it did not fail."""
    try:
        node.sql(sql)
    except SqlError as e:
        for word in words:
            check(word in str(e), f"'{word}' is not in: {e}")
    else:
        raise AssertionError(otherwise)
