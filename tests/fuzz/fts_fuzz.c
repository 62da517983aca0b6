// The shadow tables of full-text indexes hold any bytes, and any text is asked for: queries, changes, merges and checks end,
// with rows or an error. The first byte says which table, the second how many edits follow (at most 16): a byte that says
// which row of the shadow tables and a byte how (0: bytes in place of others, 1: between others, 2: the end is cut off, 3:
// nothing else is left), two bytes of offset, one of size, and so many bytes. What is left is what is asked for.
#include "fuzz.h"

#define EDITS_MAX 16u

static const char *const TABLES[] = {
    "CREATE VIRTUAL TABLE t USING fts5(a, b, prefix='1 2'); CREATE VIRTUAL TABLE v USING fts5vocab(t, instance);",
    "CREATE VIRTUAL TABLE t USING fts5(a, b, detail=none); CREATE VIRTUAL TABLE v USING fts5vocab(t, row);",
    "CREATE VIRTUAL TABLE t USING fts5(a, b, detail=column, tokenize='porter ascii'); CREATE VIRTUAL TABLE v USING "
    "fts5vocab(t, col);",
    "CREATE VIRTUAL TABLE t USING fts5(a, b, content='', contentless_delete=1); CREATE VIRTUAL TABLE v USING fts5vocab(t, "
    "col);",
    "CREATE VIRTUAL TABLE t USING fts5(a, b, tokenize=trigram, columnsize=0); CREATE VIRTUAL TABLE v USING fts5vocab(t, "
    "row);",
    "CREATE TABLE c(a, b); INSERT INTO c VALUES('one two', 'three'), ('two', 'one one'); CREATE VIRTUAL TABLE t USING "
    "fts5(a, b, content=c); INSERT INTO t(t) VALUES('rebuild'); CREATE VIRTUAL TABLE v USING fts5vocab(t, instance);",
};
// Pages of 64 bytes, so that doclists and position lists go over several; four segments on two levels.
static const char FILL[] =
    "INSERT INTO t(t, rank) VALUES('pgsz', 64); INSERT INTO t(t, rank) VALUES('automerge', 0);"
    "INSERT INTO t(rowid, a, b) VALUES(1, 'one two three', 'four one'), (2, 'three abandon abandoned able', 'one'), (700, "
    "'two', '');"
    "WITH n(i) AS (SELECT 10 UNION ALL SELECT i + 3 FROM n WHERE i < 40) INSERT INTO t(rowid, a, b) SELECT i, 'one ' || i, "
    "'one two one two one two one two one two one two one two' FROM n; INSERT INTO t(t, rank) VALUES('merge', 8);"
    "DELETE FROM t WHERE rowid IN (2, 13, 16); INSERT INTO t(rowid, a, b) VALUES(-5, 'one', 'caf\xc3\xa9'), (13, 'two "
    "three', 'ten');"
    "INSERT INTO t(rowid, a, b) VALUES(1000000, 'zebra one', 'z');";
static const char WRITES[] =
    "INSERT INTO t(t) VALUES('integrity-check'); DELETE FROM t WHERE rowid IN (1, 22, 700); INSERT INTO t(rowid, a, b) "
    "VALUES(22, 'one new', 'three'); INSERT INTO t(t, rank) VALUES('merge', 4); INSERT INTO t(t, rank) "
    "VALUES('secure-delete', 1); "
    "DELETE FROM t WHERE rowid IN (10, 19, 31, 1000000); INSERT INTO t(t, rank) VALUES('merge', -2); INSERT INTO t(t) "
    "VALUES('optimize'); "
    "INSERT INTO t(t) VALUES('rebuild'); INSERT INTO t(t) VALUES('integrity-check')";
static const char *const ASK[] = {
    "SELECT rowid, highlight(t, 0, '[', ']'), snippet(t, -1, '<', '>', '..', 3), bm25(t) FROM t WHERE t MATCH ?1 ORDER BY "
    "rank",
    "SELECT * FROM t WHERE t MATCH ?1 AND rowid > 12 ORDER BY rowid DESC",
    "SELECT count(*) FROM t(?1)",
    "SELECT * FROM v WHERE term >= ?1",
    "SELECT rowid FROM t WHERE a LIKE ?1",
};

struct edit {
    u8 row, how;
    u16 offset;
    u8 size;
    const u8 *bytes;
};

static void seed(u8 table, const struct edit *edits, u8 count, const char *ask)
{
    u8 bytes[512] = {table, count};
    size_t size = 2;
    for (u32 i = 0; i < count; i++) {
        const u8 head[5] = {edits[i].row, edits[i].how, (u8)(edits[i].offset >> 8), (u8)edits[i].offset, edits[i].size};
        memcpy(bytes + size, head, 5);
        memcpy(bytes + size + 5, edits[i].bytes, edits[i].size);
        size += 5u + edits[i].size;
    }
    memcpy(bytes + size, ask, strlen(ask));
    fuzz_seed(bytes, size + strlen(ask));
}

void fuzz_seeds(void)
{
    static const char *const TEXTS[] = {"one",
                                        "one + two",
                                        "\"one two\" OR zebra NOT three",
                                        "NEAR(one two, 4) AND b: (two)",
                                        "^one",
                                        "tw*",
                                        "{a b} : th* AND ten",
                                        "-a : one"};
    for (u8 t = 0; t < COUNT_OF(TABLES); t++)
        for (u32 i = 0; i < COUNT_OF(TEXTS); i++) {
            // What pages are full of: sizes and distances of all lengths, in places that differ.
            static const u8 BYTES[4] = {0x81, 0x00, 0xff, 0x02};
            const struct edit edits[3] = {{(u8)(3 * i + t), (u8)(i % 4), (u16)(5 * i), 2, BYTES},
                                          {(u8)(7 * i + 2), 0, 3, 1, BYTES + i % 4},
                                          {1, 0, (u16)(4 + i), 1, BYTES + 3}};
            seed(t, edits, (u8)(i % 4), TEXTS[i]);
        }
}

struct rows {
    char table[128][16];
    s64 id[128];
    u32 count;
};

static int row_add(void *context, struct skerry_stmt *stmt)
{
    struct rows *r = context;
    if (r->count == COUNT_OF(r->id)) return 0;
    snprintf(r->table[r->count], sizeof r->table[0], "%s", skerry_column_text(stmt, 0, NULL));
    r->id[r->count++] = skerry_column_integer(stmt, 1);
    return 0;
}

static struct skerry_stmt *prepared(struct fuzz *f, const char *sql)
{
    struct skerry_stmt *stmt = NULL;
    size_t used;
    int rc;
    while ((rc = skerry_prepare(f->db, sql, strlen(sql), &stmt, &used)) == SKERRY_WAIT) skerry_wait(f->db);
    if (rc != SKERRY_OK) FUZZ_CHECK(skerry_error(f->db)->text[0]);
    return rc == SKERRY_OK ? stmt : NULL;
}

static void edit_run(struct fuzz *f, const struct rows *rows, const struct edit *e)
{
    static const char *const HOW[4] = {"substr(X, 1, ?1) || ?2 || substr(X, ?1 + ?3 + 1)",
                                       "substr(X, 1, ?1) || ?2 || substr(X, ?1 + 1)", "substr(X, 1, ?1)", "?2"};
    char sql[300];
    if (!rows->count) return;
    const char *table = rows->table[e->row % rows->count];
    const char *column = strcmp(table, "t_data") == 0      ? "block"
                         : strcmp(table, "t_docsize") == 0 ? "sz"
                         : strcmp(table, "t_idx") == 0     ? "term"
                                                           : "v";
    char value[160] = "";
    for (const char *p = HOW[e->how % 4]; *p; p++)
        if (*p == 'X')
            strcat(value, column);
        else
            strncat(value, p, 1);
    snprintf(sql, sizeof sql, "UPDATE %s SET %s = CAST(%s AS %s) WHERE _rowid_ = ?4", table, column, value,
             strcmp(table, "t_config") == 0 ? "TEXT" : "BLOB");
    if (strcmp(table, "t_idx") == 0)
        snprintf(sql, sizeof sql, "UPDATE OR REPLACE t_idx SET %s = CAST(%s AS BLOB) WHERE (segid << 20) + pgno = ?4",
                 column, value);
    if (strcmp(table, "t_config") == 0)
        snprintf(sql, sizeof sql, "UPDATE t_config SET v = CAST(%s AS BLOB) WHERE k = 'pgsz'", value);
    struct skerry_stmt *stmt = prepared(f, sql);
    if (!stmt) return;
    skerry_bind_integer(stmt, 1, e->offset % 200);
    skerry_bind_blob(stmt, 2, e->bytes, e->size);
    skerry_bind_integer(stmt, 3, e->size);
    skerry_bind_integer(stmt, 4, rows->id[e->row % rows->count]);
    fuzz_step(f, stmt, 1);
    skerry_finalize(stmt);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    static const char LIST[] = "SELECT 't_data', id FROM t_data UNION ALL SELECT 't_docsize', id FROM t_docsize UNION ALL "
                               "SELECT 't_idx', (segid << 20) + pgno FROM t_idx UNION ALL SELECT 't_config', 0",
                      LIST_NO_SIZES[] =
                          "SELECT 't_data', id FROM t_data UNION ALL SELECT 't_idx', (segid << 20) + pgno FROM t_idx";
    if (size < 2) return 0;
    struct fuzz f;
    struct rows rows = {.count = 0};
    u8 kind = data[0] % COUNT_OF(TABLES);
    fuzz_open(&f, fuzz_io(), "/fuzz.db");
    fuzz_run(&f, TABLES[kind], strlen(TABLES[kind]), 10);
    fuzz_run(&f, FILL, sizeof FILL - 1, 10);
    FUZZ_CHECK(skerry_exec(f.db, strstr(TABLES[kind], "columnsize=0") ? LIST_NO_SIZES : LIST, row_add, &rows) == SKERRY_OK);
    u32 count = MIN(data[1], EDITS_MAX);
    data += 2, size -= 2;
    for (; count && size >= 5; count--) {
        struct edit e = {.row = data[0],
                         .how = data[1],
                         .offset = (u16)(data[2] << 8 | data[3]),
                         .size = (u8)MIN(data[4], size - 5),
                         .bytes = data + 5};
        edit_run(&f, &rows, &e);
        data += 5 + e.size, size -= 5u + e.size;
    }
    char *text = malloc(size ? size : 1); // exactly as large, so that reading behind it is seen
    memcpy(text, data, size);
    for (u32 i = 0; i < COUNT_OF(ASK); i++) {
        struct skerry_stmt *stmt = prepared(&f, ASK[i]);
        if (!stmt) continue;
        skerry_bind_text(stmt, 1, text, size);
        fuzz_step(&f, stmt, 200);
        skerry_finalize(stmt);
    }
    free(text);
    for (const char *at = WRITES, *end; *at;
         at = end) { // each by itself: one that fails does not keep the others from coming
        end = strchr(at, ';') ? strchr(at, ';') + 1 : at + strlen(at);
        fuzz_run(&f, at, (size_t)(end - at), 10);
    }
    fuzz_close(&f);
    return 0;
}
