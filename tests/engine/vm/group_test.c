// Goal: GROUP BY and DISTINCT give SQLite's groups with SQLite's values in SQLite's order, whether the groups fit in the table in
// memory, some of them are sorted because they do not, or all have to be.
// Method: random queries on 24,000 rows of mixed types, ties under collations, and numbers that are equal as integer
// and real, run on both and compared in order; with memory for all groups and with the least. Statements that are left
// in the middle and grouped subqueries that run many times.
#include "../../oracle.h"

static const char *const data[] = {
    "CREATE TABLE g(id INTEGER PRIMARY KEY, n INT, t TEXT, r REAL, x)",
    "INSERT INTO g WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 24000)"
    " SELECT i, i * 7919 % 3001, CASE i % 5 WHEN 0 THEN 'Word' || i % 1500 WHEN 1 THEN 'word' || i % 1500 || '  '"
    "   WHEN 2 THEN 'WORD' || i % 1500 || ' ' WHEN 3 THEN NULL ELSE 'w' || i % 11 END,"
    " i % 977 / 4.0, CASE i % 7 WHEN 0 THEN i % 50 WHEN 1 THEN i % 50 + 0.0 WHEN 2 THEN i % 50 || ''"
    "   WHEN 3 THEN CAST(i % 50 AS BLOB) WHEN 4 THEN NULL WHEN 5 THEN zeroblob(i % 5) ELSE -0.0 END FROM s",
    "UPDATE g SET x = 9223372036854775807 WHERE id % 501 = 0",
    "UPDATE g SET x = 9223372036854775807.0 WHERE id % 502 = 0",
    "CREATE TABLE k(a INTEGER PRIMARY KEY)",
    "INSERT INTO k VALUES(1),(2),(3),(5),(8)",
};

static bool open_data(struct oracle *o, const char *name)
{
    if (!oracle_open(o, name)) return false;
    for (u32 i = 0; i < COUNT_OF(data); i++)
        if (!oracle_run(o, data[i])) return false;
    return true;
}

static const char *const keys[] = {
    "n", "n % 13", "t", "t COLLATE NOCASE", "t COLLATE RTRIM", "r", "CAST(r AS INT)", "x", "id", "id / 2", "typeof(x)", "x || ''",
    "substr(t, 1, 5)", "n % 2",
};
static const char *const values[] = {
    "count(*)", "count(x)", "sum(n)", "total(r)", "avg(n)", "min(t)", "max(x)", "min(r)", "t", "id", "x", "sum(n) FILTER (WHERE id % 3)",
    "max(n) FILTER (WHERE n % 2)", "count(*) * 2 + sum(n)", "max(t COLLATE NOCASE)",
};
static const char *const tails[] = {
    "", "", "", "HAVING count(*) > 1", "HAVING sum(n) % 2", "ORDER BY 1", "ORDER BY 1 DESC", "ORDER BY 2, 1", "LIMIT 7", "ORDER BY 1, 2 LIMIT 5 OFFSET 3",
};

#define PICK(s, of) of[test_random(s) % COUNT_OF(of)]

static void random_groups(const char *name, const char *pragma)
{
    struct oracle o = {0};
    REQUIRE(open_data(&o, name));
    oracle_run(&o, pragma);
    u64 seed = test_seed();
    for (u32 i = 0; i < 60; i++) {
        char sql[700], by[200];
        const char *one = PICK(&seed, keys), *two = PICK(&seed, keys);
        bool both = test_random(&seed) % 3 == 0;
        snprintf(by, sizeof by, both ? "%s, %s" : "%s", one, two);
        snprintf(sql, sizeof sql, "SELECT %s, %s, %s, %s FROM g WHERE id > %u GROUP BY %s %s", one, PICK(&seed, values), PICK(&seed, values),
                 PICK(&seed, values), (u32)(test_random(&seed) % 2 * (test_random(&seed) % 24000)), by, PICK(&seed, tails));
        o.context = sql;
        if (!oracle_run(&o, sql)) break;
    }
    oracle_close(&o);
}

TEST(group_random) { random_groups("group", "PRAGMA cache_size = 100000"); }

TEST(group_random_least_memory) { random_groups("least", "PRAGMA cache_size = 1"); }

TEST(group_nested)
{
    static const char *const q[] = {
        "SELECT a, (SELECT count(*) || ':' || n FROM g WHERE id % 50 = a GROUP BY n % 9 LIMIT 1) FROM k",
        "SELECT a, EXISTS(SELECT sum(n) FROM g WHERE id < a * 3 GROUP BY n % 4 HAVING sum(n) > 8000) FROM k",
        "SELECT a, c FROM k, (SELECT n % 9 AS m, count(*) AS c FROM g GROUP BY 1) WHERE m = a",
        "SELECT a, c FROM k LEFT JOIN (SELECT n AS m, max(t) AS c, x FROM g GROUP BY n HAVING c > 'w') ON m = a LIMIT 3",
        "SELECT count(*), sum(c) FROM (SELECT x, t, count(*) AS c FROM g GROUP BY x, t)",
        "SELECT n % 3, count(*) FROM g GROUP BY n % 3 UNION ALL SELECT typeof(x), max(id) FROM g GROUP BY typeof(x)",
        "SELECT n % 3, count(DISTINCT x), group_concat(DISTINCT typeof(x)) FROM g GROUP BY n % 3",
        "SELECT abs(-9223372036854775808 + (n > 2990)) , count(*) FROM g GROUP BY n % 3000",
        "SELECT count(DISTINCT x), count(DISTINCT t), sum(DISTINCT r), avg(DISTINCT n), count(DISTINCT t COLLATE NOCASE) FROM g",
        "SELECT n % 700, count(DISTINCT x), count(DISTINCT id) FROM g GROUP BY 1",
        "SELECT a, (SELECT count(DISTINCT n % (a + 3)) FROM g WHERE id < a * 100) FROM k",
        "SELECT DISTINCT x FROM g",
        "SELECT DISTINCT t COLLATE NOCASE, x FROM g",
        "SELECT DISTINCT t COLLATE RTRIM AS q, n % 3 FROM g ORDER BY n % 3, q LIMIT 900",
        "SELECT DISTINCT id, x FROM g LIMIT 20 OFFSET 9000",
        "SELECT a, (SELECT group_concat(y) FROM (SELECT DISTINCT n % a AS y FROM g WHERE id < 100)) FROM k",
        "SELECT DISTINCT count(*) FROM g GROUP BY n % 70",
        "SELECT DISTINCT n % 5, sum(n) OVER (PARTITION BY n % 5) FROM g WHERE id < 500",
        "SELECT 1 FROM g WHERE 0 GROUP BY n",
        "SELECT max(n), t FROM g WHERE id < 0 GROUP BY t",
    };
    struct oracle o = {0};
    REQUIRE(open_data(&o, "nested"));
    for (u32 least = 0; least < 2; least++) {
        if (least) oracle_run(&o, "PRAGMA cache_size = 1");
        for (u32 i = 0; i < COUNT_OF(q); i++) {
            o.context = q[i];
            oracle_run(&o, q[i]);
        }
    }
    oracle_close(&o);
}

// The order of groups is that of the database's own bytes of text.
TEST(group_utf16)
{
    static const char *const q[] = {
        "PRAGMA encoding = 'UTF-16le'",
        "CREATE TABLE w(t TEXT, n INT)",
        "INSERT INTO w VALUES('b', 1), ('Ω', 2), (char(65536), 3), (char(65535), 4), ('ab', 5), ('b', 6), (char(256), 7)",
        "SELECT t, count(*), sum(n) FROM w GROUP BY t",
        "SELECT DISTINCT t FROM w",
        "SELECT t, count(DISTINCT t COLLATE NOCASE) FROM w GROUP BY t || ''",
    };
    struct oracle o = {0};
    REQUIRE(oracle_open(&o, "utf16"));
    for (u32 i = 0; i < COUNT_OF(q); i++) {
        o.context = q[i];
        oracle_run(&o, q[i]);
    }
    oracle_close(&o);
}

// Leaving before the first row, between groups, and running again must not leak (the sanitizer looks) nor go wrong.
TEST(group_left_in_the_middle)
{
    struct oracle o = {0};
    REQUIRE(open_data(&o, "left"));
    struct skerry_stmt *s = NULL;
    size_t used;
    static const char sql[] = "SELECT n, max(t), sum(r), x FROM g GROUP BY n";
    int rc;
    while ((rc = skerry_prepare(o.db, sql, strlen(sql), &s, &used)) == SKERRY_WAIT) skerry_wait(o.db);
    REQUIRE(rc == SKERRY_OK);
    for (u32 rows = 0; rows < 4; rows++) {
        for (u32 i = 0; i < rows; i++) {
            while ((rc = skerry_step(s)) == SKERRY_WAIT) skerry_wait(o.db);
            CHECK(rc == SKERRY_ROW);
            CHECK(skerry_column_integer(s, 0) == (s64)i);
        }
        while ((rc = skerry_reset(s)) == SKERRY_WAIT) skerry_wait(o.db);
    }
    skerry_finalize(s);
    oracle_close(&o);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
