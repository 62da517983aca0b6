# the order of short texts and blobs: NULs at their ends and in them, letters of either case, many of a kind
CREATE TABLE t(a, b);
INSERT INTO t VALUES ('a', 1), ('a' || char(0), 2), ('', 3), (char(0), 4), (x'', 5), (x'00', 6), (x'0000', 7), ('A', 8), ('b', 9),
  ('a' || char(0) || 'b', 10), ('A' || char(0) || 'c', 11), ('abcdefg', 12), ('abcdefgh', 13), ('abcdefg' || char(0), 14), ('abcdefG', 15),
  (zeroblob(2), 16), (zeroblob(1), 17), (zeroblob(0), 18), (NULL, 19), (1, 20), ('1', 21), (1.0, 22), ('abcdefgi', 23), ('abcdefgj', 24);
SELECT b FROM t ORDER BY a, b;
SELECT b FROM t ORDER BY a DESC, b;
SELECT b FROM t ORDER BY a COLLATE NOCASE, b;
SELECT hex(a), count(*) FROM t GROUP BY a;
SELECT hex(a), count(*) FROM t GROUP BY a COLLATE NOCASE ORDER BY min(b);
SELECT b FROM t ORDER BY a NULLS LAST;
SELECT b FROM t ORDER BY a DESC NULLS FIRST;
INSERT INTO t SELECT a, b + 100 FROM t;
INSERT INTO t SELECT a, b + 200 FROM t;
INSERT INTO t SELECT a, b + 400 FROM t;
SELECT group_concat(b) FROM (SELECT b FROM t ORDER BY a);
SELECT group_concat(b) FROM (SELECT b FROM t ORDER BY a DESC);
SELECT group_concat(b) FROM (SELECT b FROM t ORDER BY a COLLATE NOCASE);
SELECT group_concat(b) FROM (SELECT b FROM t ORDER BY a COLLATE RTRIM);
SELECT group_concat(b) FROM (SELECT 'the same text at first ' || a AS x, b FROM t WHERE typeof(a) = 'text' ORDER BY x);
SELECT group_concat(b) FROM (SELECT 'the same text at first ' || a AS x, b FROM t WHERE typeof(a) = 'text' ORDER BY x DESC);
SELECT group_concat(b) FROM (SELECT 'the same text at first ' || a AS x, b FROM t WHERE typeof(a) = 'text' ORDER BY x DESC, b DESC);
CREATE INDEX ta ON t(a);
CREATE INDEX tn ON t(a COLLATE NOCASE);
CREATE INDEX td ON t(a DESC, b);
PRAGMA integrity_check;
INSERT INTO t SELECT a, b + 800 FROM t;
INSERT INTO t SELECT a, b + 1600 FROM t;
INSERT INTO t SELECT a, b + 3200 FROM t;
INSERT INTO t SELECT a, b + 6400 FROM t;
REINDEX;
PRAGMA integrity_check;
SELECT sum(b * r) FROM (SELECT b, row_number() OVER (ORDER BY a, b) AS r FROM t);
SELECT count(*), sum(b) FROM (SELECT a, b FROM t INTERSECT SELECT a, b FROM t WHERE b % 3 = 0);
SELECT count(*), sum(b) FROM (SELECT a, b FROM t EXCEPT SELECT a, b FROM t WHERE b % 3 = 0);
