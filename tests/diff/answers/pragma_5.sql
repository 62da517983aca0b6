# the limits of memory: of the process to SQLite, so that no later topic may ask for them
PRAGMA soft_heap_limit=5000000000;
PRAGMA hard_heap_limit=4000000000;
PRAGMA soft_heap_limit;
PRAGMA soft_heap_limit=5000000000;
PRAGMA soft_heap_limit=0;
PRAGMA soft_heap_limit=3500000000;
PRAGMA hard_heap_limit=0;
PRAGMA hard_heap_limit=9000000000;
PRAGMA hard_heap_limit=3700000000;
PRAGMA soft_heap_limit;
PRAGMA hard_heap_limit=3400000000;
PRAGMA soft_heap_limit;
PRAGMA soft_heap_limit=-1;
%%
# LIKE that a PRAGMA has replaced is a function like an application's
CREATE TABLE t(a,b); CREATE TABLE u(a, b AS (a LIKE 'x'), CHECK (a LIKE 'y'));
CREATE INDEX i ON t(a) WHERE b LIKE 'a%'; CREATE INDEX j ON t(a LIKE 'x'); CREATE TABLE w(a, CHECK(a LIKE 'y'));
INSERT INTO t VALUES('x', 'ab'); INSERT INTO u VALUES('Y');
PRAGMA case_sensitive_like = OFF;
CREATE INDEX k ON t(b) WHERE a LIKE 'x';
CREATE INDEX k ON t(b LIKE 'x');
CREATE INDEX k ON t(b) WHERE like('a', b);
CREATE INDEX k ON t(b GLOB 'x');
CREATE TABLE x(a, b AS (a LIKE 'x'));
CREATE TABLE x(a, CHECK (a LIKE 'x'));
INSERT INTO x VALUES('X'), ('x');
INSERT INTO x VALUES('Y');
INSERT INTO t VALUES('y', 'ac');
INSERT INTO u VALUES('z');
SELECT a FROM t INDEXED BY i WHERE b LIKE 'a%' ORDER BY a;
SELECT a FROM t INDEXED BY j WHERE (a LIKE 'x') = 1;
SELECT a, b FROM u;
SELECT 'A' LIKE 'a';
PRAGMA case_sensitive_like = ON;
SELECT 'A' LIKE 'a';
CREATE INDEX l ON t(b) WHERE a LIKE 'x';
