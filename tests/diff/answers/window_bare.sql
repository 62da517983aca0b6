# The column beside min() and max() is of the row of the last one: in the order of the result, ORDER BY, the first window's PARTITION
# and ORDER BY, and what its functions read
CREATE TABLE t(a, b);
INSERT INTO t VALUES(1, 9), (2, 3), (3, 7), (4, 3), (5, 11);
SELECT min('x'), min(b), a FROM t;
SELECT max(a), min(b), a, b FROM t;
SELECT first_value(min('x')) OVER (ORDER BY min((b))), a FROM t;
SELECT first_value(min(b)) OVER (ORDER BY min('x')), a FROM t;
SELECT first_value(1) OVER (ORDER BY min(b)), a FROM t;
SELECT first_value(min(b)) OVER (), a FROM t;
SELECT first_value(max(a)) OVER (ORDER BY min(b)), a FROM t;
SELECT first_value(min(a)) OVER (ORDER BY min(b)), a FROM t;
SELECT first_value(min(a)) OVER (PARTITION BY max(b) ORDER BY min(b)), a FROM t;
SELECT first_value(1) OVER (PARTITION BY max(b) ORDER BY min(b)), a FROM t;
SELECT first_value(1) OVER (PARTITION BY min(b) ORDER BY max(b)), a FROM t;
SELECT first_value(max(a)) OVER (ORDER BY min(b)), max(b), a FROM t;
SELECT sum(max(a)) OVER (PARTITION BY min(b)), a FROM t;
SELECT a, sum(max(b)) OVER (ORDER BY min(b)) FROM t GROUP BY a > 2 ORDER BY min(a);
SELECT a, sum(max(b)) FILTER (WHERE min(b) > 1) OVER (ORDER BY count(*)) FROM t GROUP BY a > 2;
SELECT a, sum(max(b)) OVER (ORDER BY min(b)), row_number() OVER (ORDER BY min(a)) FROM t;
SELECT a, row_number() OVER (ORDER BY min(a)), sum(max(b)) OVER (ORDER BY min(b)) FROM t;
SELECT first_value(min('x')) OVER (ORDER BY min(b)), a FROM t GROUP BY b > 5 ORDER BY a;
SELECT lag(max(b), min(a), min(b)) OVER (ORDER BY max(a) DESC), a FROM t GROUP BY b > 5;
SELECT max(a) OVER (ORDER BY a), b FROM t ORDER BY max(b) OVER (PARTITION BY a > 2 ORDER BY b DESC), b;
