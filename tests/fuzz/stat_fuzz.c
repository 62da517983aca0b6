// sqlite_stat1 may say anything: statements are planned by it, or without, and give the rows that they give without.
// The input's lines are what the rows for the table and its indexes say.
#include "fuzz.h"

static const char MAKE[] =
    "CREATE TABLE t(a, b, c, d); CREATE INDEX ab ON t(a, b); CREATE UNIQUE INDEX cd ON t(c, d); CREATE INDEX part ON t(b) "
    "WHERE d > 3;"
    "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40) INSERT INTO t SELECT i % 4, i % 5, i % 8, i FROM n;"
    "CREATE TABLE u(k PRIMARY KEY, v) WITHOUT ROWID; INSERT INTO u SELECT d, a FROM t; ANALYZE; DELETE FROM sqlite_stat1;";
static const char *const PLACES[] = {"('t', 'ab'", "('t', 'cd'", "('t', 'part'", "('u', 'u'", "('t', NULL", "('t', 'none'"};
// How many rows each gives is known from what is in the tables.
static const struct {
    const char *sql;
    s64 want;
} QUERIES[] = {
    {"SELECT count(*) FROM t WHERE a = 1 AND b > 2", 4},
    {"SELECT count(*) FROM t WHERE b = 1", 8},
    {"SELECT count(*) FROM t JOIN u ON u.k = t.d WHERE c = 3 OR a = 2", 15},
    {"SELECT count(*) FROM t x JOIN t y ON x.a = y.a AND x.b = y.b JOIN u ON u.v = y.c", 400},
    {"SELECT count(*) FROM (SELECT DISTINCT a, b FROM t WHERE c BETWEEN 2 AND 5 ORDER BY b, a)", 20},
    {"SELECT count(*) FROM t WHERE d > 3 AND b IN (1, 2, 3)", 21},
};

void fuzz_seeds(void)
{
    static const char *const TEXTS[] = {
        "40 10 2\n40 5 1\n37 8\n40 1\n40",
        "40 40 40 unordered\n40 1 1 sz=12\n1 1 noskipscan\n0 0",
        "1000000 1 1\n\n-1 5\n99999999999999999999 2\nx",
        "40 10 2 sz=0\n40  5   1\n40\n40 1 1 1 1 1 1\n9223372036854775807",
        "\xff\n 1\n1e3 2\n0x10 1",
    };
    for (u32 i = 0; i < COUNT_OF(TEXTS); i++) fuzz_seed(TEXTS[i], strlen(TEXTS[i]));
}

static int row_count(void *context, struct skerry_stmt *stmt)
{
    *(s64 *)context = skerry_column_integer(stmt, 0);
    return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    static const char AGAIN[] = "ANALYZE sqlite_schema";
    struct fuzz f;
    fuzz_open(&f, fuzz_io(), "/fuzz.db");
    fuzz_run(&f, MAKE, sizeof MAKE - 1, 10);
    const u8 *at = data, *end = data + size;
    for (u32 i = 0; i < COUNT_OF(PLACES) && at <= end; i++) {
        const u8 *line = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        if (!line) line = end;
        char sql[100];
        snprintf(sql, sizeof sql, "INSERT INTO sqlite_stat1 VALUES%s, ?1)", PLACES[i]);
        struct skerry_stmt *stmt = NULL;
        size_t used;
        int rc;
        while ((rc = skerry_prepare(f.db, sql, strlen(sql), &stmt, &used)) == SKERRY_WAIT) skerry_wait(f.db);
        FUZZ_CHECK(rc == SKERRY_OK);
        skerry_bind_text(stmt, 1, (const char *)at, (size_t)(line - at));
        fuzz_step(&f, stmt, 1);
        skerry_finalize(stmt);
        at = line + 1;
    }
    fuzz_run(&f, AGAIN, sizeof AGAIN - 1, 10);
    for (u32 i = 0; i < COUNT_OF(QUERIES); i++) {
        s64 got = -1;
        FUZZ_CHECK(skerry_exec(f.db, QUERIES[i].sql, row_count, &got) == SKERRY_OK);
        if (got != QUERIES[i].want) fprintf(stderr, "%s: %lld rows\n", QUERIES[i].sql, (long long)got);
        FUZZ_CHECK(got == QUERIES[i].want);
    }
    fuzz_close(&f);
    return 0;
}
