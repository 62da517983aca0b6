// Goal: an INSERT that is run by the program of one that differed in its literals inserts, answers and fails as one that is
// compiled. libFuzzer; the input is what follows "VALUES(".
#include "fuzz.h"

#define BEGIN "INSERT INTO t VALUES("

void fuzz_seeds(void)
{
    static const char *const TEXTS[] = {"1, 'a', 2.5)", "-5, x'00ff', -2.5); SELECT 1", " 4 ,/* a comment */'it''s', - 1e3)", "007, '', 999999999999999999);", "NULL, 'a', -0.0);", "(0 AND 1), (2), 3);",
                                        "0x1f, \"b\", 1_000)", "NULL, ';', .5e-3) RETURNING a", "9223372036854775808, 'a' || 'b', -9223372036854775808), (1, 2, 3)"};
    for (u32 i = 0; i < COUNT_OF(TEXTS); i++) fuzz_seed(TEXTS[i], strlen(TEXTS[i]));
}

struct outcome {
    int prepared, stepped;
    size_t used;
    s64 offset;
    char error[300], rows[3000];
};

static int row_add(void *context, struct skerry_stmt *stmt)
{
    char *rows = context;
    size_t at = strlen(rows);
    snprintf(rows + at, 3000 - at, "%s|", skerry_column_text(stmt, 0, NULL));
    return 0;
}

static void outcome_error(struct outcome *o, struct skerry *db, int result)
{
    if (result == SKERRY_OK || result == SKERRY_DONE || result == SKERRY_ROW) return;
    const struct err *err = skerry_error(db);
    snprintf(o->error, sizeof o->error, "%s", err->text);
    o->offset = err->offset;
}

// Runs the first statement of the text; its size is `size`, and nothing may be read behind.
static void insert_run(struct fuzz *f, const char *text, size_t size, struct outcome *o)
{
    struct skerry_stmt *stmt = NULL;
    *o = (struct outcome){.stepped = SKERRY_DONE};
    while ((o->prepared = skerry_prepare(f->db, text, size, &stmt, &o->used)) == SKERRY_WAIT) skerry_wait(f->db);
    outcome_error(o, f->db, o->prepared);
    if (!stmt) return;
    size_t sql_size;
    const char *sql = skerry_sql(stmt, &sql_size);
    FUZZ_CHECK(sql_size == o->used && memcmp(sql, text, sql_size) == 0);
    while ((o->stepped = skerry_step(stmt)) == SKERRY_WAIT) skerry_wait(f->db);
    outcome_error(o, f->db, o->stepped);
    while (skerry_reset(stmt) == SKERRY_WAIT) skerry_wait(f->db);
    FUZZ_CHECK(skerry_exec(f->db, "SELECT quote(a) || quote(b) || quote(c) || typeof(a) || typeof(c) FROM t", row_add, o->rows) == SKERRY_OK);
    skerry_finalize(stmt);
    FUZZ_CHECK(skerry_exec(f->db, "DELETE FROM t", NULL, NULL) == SKERRY_OK);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    static struct outcome kept, compiled;
    // With a semicolon and without, with NULL for the rowid and with another.
    static const char *const before[] = {BEGIN "NULL, 2, -3);", BEGIN "1, NULL, 'x');", BEGIN "NULL, 1, 2)", BEGIN "3, 1, 2)"};
    struct skerry_statement_cache c;
    struct fuzz f;
    size_t text_size = sizeof BEGIN - 1 + size;
    char *text = malloc(text_size); // exactly as large
    memcpy(text, BEGIN, sizeof BEGIN - 1);
    if (size) memcpy(text + sizeof BEGIN - 1, data, size);
    fuzz_open(&f, fuzz_io(), "/fuzz.db");
    FUZZ_CHECK(skerry_exec(f.db, "CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT, c REAL CHECK(c <> 5))", NULL, NULL) == SKERRY_OK);
    for (u32 i = 0; i < COUNT_OF(before); i++) {
        fuzz_run(&f, before[i], strlen(before[i]), 1);
        fuzz_run(&f, before[i], strlen(before[i]), 1);
    }
    FUZZ_CHECK(skerry_exec(f.db, "DELETE FROM t", NULL, NULL) == SKERRY_OK);
    skerry_statement_cache(f.db, &c);
    FUZZ_CHECK(c.count == COUNT_OF(before));
    u64 hits = c.hits;
    insert_run(&f, text, text_size, &kept);
    skerry_statement_cache(f.db, &c);
    if (c.hits > hits) {
        skerry_limit(f.db, SKERRY_LIMIT_STATEMENT_CACHE, 0);
        insert_run(&f, text, text_size, &compiled);
        FUZZ_CHECK(memcmp(&kept, &compiled, sizeof kept) == 0);
    }
    free(text);
    fuzz_close(&f);
    return 0;
}
