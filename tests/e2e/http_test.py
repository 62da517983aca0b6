#!/usr/bin/env python3
"""Goal: whatever a peer sends gets a clear answer or a closed connection, and nobody else notices.
Method: raw sockets against a real node with small limits; after each case the node must still answer."""
import json
import socket
import time

from node import Node, Tests, check, equal, rows_of

EXECUTE = {"requests": [{"type": "execute", "stmt": {"sql": "SELECT 41 + 1"}}, {"type": "close"}]}


def raw(node, data, seconds=5, keep=False):
    """Sends bytes, gives what comes back until the peer closes or is silent."""
    s = socket.create_connection(("127.0.0.1", node.port), timeout=seconds)
    if data:
        s.sendall(data)
    out = b""
    try:
        while True:
            piece = s.recv(65536)
            if not piece:
                break
            out += piece
            if keep and b"\r\n\r\n" in out:
                break
    except (socket.timeout, ConnectionResetError):
        pass
    if keep:
        return s, out
    s.close()
    return out


def status(answer):
    return int(answer.split()[1]) if answer.startswith(b"HTTP/1.1 ") else None


def post(path, body, extra=""):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode() + body


def close(request):
    return request.replace(b"\r\nHost: x\r\n", b"\r\nHost: x\r\nConnection: close\r\n", 1)


def malformed_http(node):
    for data in (b"nonsense\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                 b"POST /v2/pipeline HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
                 b"POST /v2/pipeline HTTP/1.1\r\nContent-Length: abc\r\n\r\n",
                 b"POST /v2/pipeline HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"):
        equal(status(raw(node, data)), 400, f"answer to {data[:40]!r}")
    equal(status(raw(node, b"GET / HTTP/9.9\r\n\r\n")), 505, "answer to HTTP/9.9")


def too_large(node):
    equal(status(raw(node, b"POST /v2/pipeline HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\n" + b"x" * 100000)), 413,
          "a request of 1 GB by its header")
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    s = socket.create_connection(("127.0.0.1", node.port), timeout=5)
    s.sendall(b"POST /v2/pipeline HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    try:
        for _ in range(64):
            s.sendall(chunk)
    except OSError:
        pass
    equal(status(s.recv(4096)), 413, "a request of 4 MB in chunks, the limit being 1 MB")
    s.close()
    equal(status(raw(node, b"GET /health HTTP/1.1\r\nX: " + b"a" * 100000 + b"\r\n\r\n")), 431, "a header of 100 kB")
    many = b"".join(b"H%d: v\r\n" % i for i in range(500))
    equal(status(raw(node, b"GET /health HTTP/1.1\r\n" + many + b"\r\n")), 431, "500 headers")


def malformed_bodies(node):
    for body in (b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"requests":5}', b'{"requests":[5]}', b'{"baton":5,"requests":[]}',
                 b'{"baton":"AAAA","requests":[]}', b"[" * 100000):
        answer = raw(node, close(post("/v3/pipeline", body)))
        equal(status(answer), 400, f"answer to {body[:40]!r}")
    for request in ({"type": "nope"}, {"type": "execute"}, {"type": "execute", "stmt": {"sql": 5}}, {},
                    {"type": "execute", "stmt": {"sql": "SELECT ?", "args": [{"type": "blob", "base64": "!!"}]}},
                    {"type": "execute", "stmt": {"sql": "SELECT ?", "args": [{"type": "integer", "value": "x"}]}},
                    {"type": "store_sql"}, {"type": "batch", "batch": {}}, {"type": "sequence", "sql_id": 77}):
        answer = raw(node, close(post("/v3/pipeline", {"requests": [request, {"type": "close"}]})))
        equal(status(answer), 200, f"answer to {request}")
        result = json.loads(answer.split(b"\r\n\r\n", 1)[1])["results"][0]
        equal(result["type"], "error", f"result of {request}")
        check(result["error"]["message"] and result["error"]["code"], f"{request} gets an error without words")
    later = {"steps": [{"stmt": {"sql": "SELECT 1"}, "condition": {"type": "ok", "step": 0}}]}
    equal(status(raw(node, close(post("/v3/cursor", {"batch": later})))), 400, "a condition on a later step")


def paths_and_methods(node):
    for method, path, want in (("GET", "/", 404), ("GET", "/nope", 404), ("GET", "/v2/pipeline", 405), ("DELETE", "/health", 404),
                               ("GET", "/health?x=1", 200), ("HEAD", "/health", 200), ("GET", "/metrics", 200)):
        equal(status(raw(node, f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())), want, f"{method} {path}")
    old = raw(node, b"GET /version HTTP/1.0\r\n\r\n")
    check(old.startswith(b"HTTP/1.1 200") and b"skerry" in old, "HTTP/1.0 is not served")


def pipelined(node):
    answer = raw(node, post("/v3/pipeline", EXECUTE) * 3 + close(post("/v3/pipeline", EXECUTE)))
    equal(answer.count(b"HTTP/1.1 200"), 4, "answers to four requests sent at once")
    byte_by_byte = socket.create_connection(("127.0.0.1", node.port), timeout=5)
    for b in post("/v3/pipeline", EXECUTE):
        byte_by_byte.sendall(bytes([b]))
    check(b'"value":"42"' in byte_by_byte.recv(65536), "a request that comes byte by byte")
    byte_by_byte.close()


def batons(node):
    def ask(body):
        answer = raw(node, close(post("/v3/pipeline", body)))
        return status(answer), answer.split(b"\r\n\r\n", 1)[1]

    begin = {"requests": [{"type": "execute", "stmt": {"sql": "BEGIN"}}]}
    baton = json.loads(ask(begin)[1])["baton"]
    used = {"baton": baton, "requests": [{"type": "get_autocommit"}]}
    first = ask(used)
    equal(json.loads(first[1])["results"][0]["response"]["is_autocommit"], False, "the transaction on its stream")
    equal(ask(used)[0], 400, "a baton used twice")
    flipped = ("B" if baton[0] == "A" else "A") + baton[1:]
    equal(ask({"baton": flipped, "requests": []})[0], 400, "a baton that was changed")
    # Streams are closed after two seconds here: one in a transaction is gone, one without state goes on.
    baton = json.loads(first[1])["baton"]
    plain = json.loads(ask({"requests": []})[1])["baton"]
    time.sleep(5)
    code, text = ask({"baton": baton, "requests": []})
    equal(code, 400, "an expired baton in a transaction")
    equal(json.loads(text)["code"], "STREAM_EXPIRED", "its code")
    code, text = ask({"baton": plain, "requests": EXECUTE["requests"]})
    equal(code, 200, "an expired baton of a stream without state")


def cursor_begun(node, *statements):
    """A cursor that is at work, with its baton: its connection, and what waits for the stream on one of its own."""
    cursor = socket.create_connection(("127.0.0.1", node.port), timeout=60)
    cursor.sendall(post("/v3/cursor", {"batch": {"steps": [{"stmt": {"sql": sql}} for sql in statements]}}))
    got = b""
    while b'"base_url":null}\n' not in got:
        got += cursor.recv(4096)
    baton = json.loads(next(line for line in got.split(b"\n") if line.startswith(b'{"baton"')))["baton"]
    request = close(post("/v3/pipeline", {"baton": baton, "requests": [{"type": "get_autocommit"}]}))
    waiting = socket.create_connection(("127.0.0.1", node.port), timeout=60)
    waiting.sendall(request)
    time.sleep(0.1)
    return cursor, waiting, request


def baton_while_the_cursor_is_at_work(node):
    """Who stops at the first error of a cursor uses its baton before the cursor's end, and waits for it."""
    rows = "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {}) SELECT {} FROM s"
    cursor, waiting, request = cursor_begun(node, "BEGIN", rows.format(1000, "hex(zeroblob(50))"), "SELECT * FROM nowhere",
                                            rows.format(3000000, "count(*)"))
    equal(status(raw(node, request)), 400, "a baton for which another request waits, or which it has used")
    answer = waiting.makefile("rb").read()
    equal(status(answer), 200, "the request that waits for the cursor")
    check(b'"is_autocommit":false' in answer, f"the cursor's transaction: {answer}")
    cursor.close()
    waiting.close()
    endless = "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s) SELECT hex(zeroblob(200)) FROM s"
    cursor, waiting, _ = cursor_begun(node, "BEGIN", endless)
    cursor.close()
    answer = waiting.makefile("rb").read()
    equal(status(answer), 400, "the request whose stream was closed before its turn")
    check(b"STREAM_EXPIRED" in answer, f"its text: {answer}")
    waiting.close()
    cursor, waiting, _ = cursor_begun(node, "BEGIN", endless)
    waiting.close()
    cursor.close()


def concurrent_transactions(node):
    """Two streams write at once; who meets the other's row learns which, and may try again on the same stream."""
    session, batons = node.session(), {}

    def ask(stream, *statements):
        out = session.pipeline(*({"type": "execute", "stmt": {"sql": sql}} for sql in statements), baton=batons.get(stream))
        batons[stream] = out["baton"]
        last = out["results"][-1]
        return last["error"] if last["type"] == "error" else rows_of(last)

    node.sql("CREATE TABLE IF NOT EXISTS account(id INTEGER PRIMARY KEY, balance)", "DELETE FROM account",
             "INSERT INTO account VALUES (1, 10), (2, 20)")
    equal(ask("a", "BEGIN CONCURRENT", "UPDATE account SET balance = 11 WHERE id = 1"), [], "a's update")
    equal(ask("b", "BEGIN CONCURRENT", "UPDATE account SET balance = 21 WHERE id = 2"), [], "b's update, not waiting for a")
    equal(ask("a", "COMMIT"), [], "a's commit")
    equal(ask("b", "COMMIT"), [], "b's commit of another row")
    ask("a", "BEGIN CONCURRENT", "UPDATE account SET balance = balance + 1 WHERE id = 1")
    ask("b", "BEGIN CONCURRENT", "UPDATE account SET balance = balance + 1 WHERE id = 1", "COMMIT")
    error = ask("a", "COMMIT")
    equal(error["code"], "SQLITE_BUSY_SNAPSHOT", "the conflict's code")
    check("row 1 of table account" in error["message"], f"the conflict's message: {error['message']}")
    again = ask("a", "ROLLBACK", "BEGIN CONCURRENT", "UPDATE account SET balance = balance + 1 WHERE id = 1", "COMMIT",
                "SELECT id, balance FROM account")
    equal(again, [[1, 13], [2, 21]], "rows after trying again")
    session.pipeline({"type": "close"}, baton=batons["a"])
    session.pipeline({"type": "close"}, baton=batons["b"])
    session.close()


def slow_peers(node):
    s = socket.create_connection(("127.0.0.1", node.port), timeout=10)
    s.sendall(b"GET /health HTTP/1.1\r\nX: ")
    started = time.time()
    equal(s.recv(100), b"", "what a peer gets that never ends its header")
    check(time.time() - started < 8, "it took too long")
    s.close()
    s = socket.create_connection(("127.0.0.1", node.port), timeout=10)
    s.sendall(b"POST /v2/pipeline HTTP/1.1\r\nContent-Length: 100\r\n\r\n{")
    equal(s.recv(100), b"", "what a peer gets that never ends its body")
    s.close()


def peer_that_stops_reading(node):
    endless = {"batch": {"steps": [{"stmt": {"sql": "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s) "
                                                    "SELECT n, hex(zeroblob(200)) FROM s"}}]}}
    silent = []
    for _ in range(4):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(("127.0.0.1", node.port))
        s.sendall(post("/v3/cursor", endless))
        silent.append(s)
    time.sleep(0.3)
    check(b'"value":"42"' in raw(node, close(post("/v3/pipeline", EXECUTE))), "others wait for one who does not read")
    end = time.time() + 15
    while time.time() < end and b"\nskerry_streams 0\n" not in node.get("/metrics")[1]:
        time.sleep(0.2)
    check(b"\nskerry_streams 0\n" in node.get("/metrics")[1], "the streams of peers that do not read are still open")
    for s in silent:
        s.close()


def too_many_connections(node):
    held = [socket.create_connection(("127.0.0.1", node.port), timeout=5) for _ in range(40)]
    time.sleep(0.2)
    equal(status(held[-1].recv(4096)), 503, "the connection over the limit")
    for s in held:
        s.close()
    time.sleep(0.3)


def gone_in_the_middle(node):
    slow = {"requests": [{"type": "execute", "stmt": {"sql": "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s "
                                                             "WHERE n < 500000000) SELECT count(*) FROM s"}}]}
    for _ in range(3):
        s = socket.create_connection(("127.0.0.1", node.port), timeout=5)
        s.sendall(post("/v3/pipeline", slow))
        time.sleep(0.1)
        s.close()
    end = time.time() + 10
    while time.time() < end and b"\nskerry_streams 0\n" not in node.get("/metrics")[1]:
        time.sleep(0.2)
    check(b"\nskerry_streams 0\n" in node.get("/metrics")[1], "a statement goes on after its client has gone")


def token(tests):
    node = Node(tests.path("token"), "--store", "none", env={"SKERRY_AUTH_TOKEN": "s3cret"}).start()
    for header, want in (("", 401), ("Authorization: Bearer wrong\r\n", 401), ("Authorization: Bearer s3cre\r\n", 401),
                         ("Authorization: Basic s3cret\r\n", 401), ("Authorization: Bearer s3cret\r\n", 200),
                         ("authorization: bearer s3cret\r\n", 200)):
        equal(status(raw(node, close(post("/v3/pipeline", EXECUTE, header)))), want, f"answer with {header!r}")
    equal(node.get("/health")[0], 200, "/health without a token")
    equal(node.get("/metrics")[0], 401, "/metrics without a token")
    check("s3cret" not in node.log(), "the token is in the log")
    equal(node.stop(), 0, "exit status")


def main():
    tests = Tests()
    for vfs in ("io_uring", "posix"):
        node = Node(tests.path(vfs), "--vfs", vfs, "--store", "none", "--body-size-max", "1m", "--header-size-max", "16k",
                    "--header-timeout-ms", "1000", "--body-timeout-ms", "1000", "--send-timeout-ms", "1500",
                    "--stream-idle-ms", "2000", "--connections-max", "32").start()
        for test in (malformed_http, too_large, malformed_bodies, paths_and_methods, pipelined, batons, baton_while_the_cursor_is_at_work,
                     concurrent_transactions, slow_peers, peer_that_stops_reading, gone_in_the_middle, too_many_connections):
            tests.run(f"{test.__name__}_{vfs}", test, node)
        tests.run(f"answers_at_the_end_{vfs}", lambda n=node: equal(n.sql("SELECT 42"), [[42]], "answer"))
        tests.run(f"stops_{vfs}", lambda n=node: equal(n.stop(), 0, "exit status"))
    tests.run("token", token, tests)
    tests.finish()


main()
