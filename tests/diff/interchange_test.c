// Goal: a database goes back and forth between Skerry and SQLite, and neither ever loses a row or finds a fault in what
// the other wrote: page sizes, encodings, auto-vacuum modes, kinds of tables and keys, overflow, freelists, dropped
// trees, logs and hot journals left behind by a crash.
// Method: random databases by seed. The two take turns on one file; each statement also runs on a model, a database of
// SQLite's in memory. After each turn the contents of the file, as either reads it, equal the model's, and both check
// its integrity. Now and then the file changes hands as a power cut leaves it: copied with its -wal or -journal while
// it is open. INTERCHANGE=n: so many databases; TRACE=1: prints the statements.
#include "engine/skerry.h"
#include "tests/test.h"

#include <sqlite3.h>
#include <unistd.h>

struct world {
    u64 random, seed;
    struct skerry_engine *engine;
    struct skerry *skerry; // one of these two has the file open
    sqlite3 *sqlite;
    sqlite3 *model;
    char path[600];
    u32 copies;
    bool failed;
    char last[400]; // statement
};

static u64 pick(struct world *w, u64 below) { return test_random(&w->random) % below; }

__attribute__((format(printf, 2, 3))) static void complain(struct world *w, const char *format, ...)
{
    char text[1500];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!w->failed) test_fail(__FILE__, __LINE__, "database %llu: %s (after: %s)", (unsigned long long)w->seed, text, w->last);
    w->failed = true;
}

// ---- the two engines ------------------------------------------------------------------------------------

static void skerry_turn(struct world *w)
{
    struct err err = ERR_CLEAR;
    if (!skerry_open(w->engine, w->path, SKERRY_OPEN_CREATE, &w->skerry, &err)) complain(w, "open: %s", err.text);
}

static void skerry_turn_end(struct world *w)
{
    struct err err = ERR_CLEAR;
    while (skerry_close(w->skerry, &err) == SKERRY_WAIT) io_step(skerry_engine_io(w->engine), UINT64_MAX);
    if (err.code != ERR_OK) complain(w, "close: %s", err.text);
    w->skerry = NULL;
}

static void sqlite_turn(struct world *w)
{
    sqlite3_open(w->path, &w->sqlite);
    sqlite3_exec(w->sqlite, "PRAGMA synchronous=off", NULL, NULL, NULL);
}

static void sqlite_turn_end(struct world *w)
{
    if (sqlite3_close(w->sqlite) != SQLITE_OK) complain(w, "sqlite3_close: %s", sqlite3_errmsg(w->sqlite));
    w->sqlite = NULL;
}

// Runs on whoever has the file.
static void run(struct world *w, const char *sql)
{
    snprintf(w->last, sizeof w->last, "%s", sql);
    if (w->skerry) {
        if (skerry_exec(w->skerry, sql, NULL, NULL) != SKERRY_OK)
            complain(w, "skerry: %s", skerry_error(w->skerry)->text);
    } else if (sqlite3_exec(w->sqlite, sql, NULL, NULL, NULL) != SQLITE_OK) {
        complain(w, "sqlite: %s", sqlite3_errmsg(w->sqlite));
    }
}

static void run_both(struct world *w, const char *sql)
{
    if (getenv("TRACE")) fprintf(stderr, "%s: %s\n", w->skerry ? "skerry" : "sqlite", sql);
    run(w, sql);
    if (sqlite3_exec(w->model, sql, NULL, NULL, NULL) != SQLITE_OK) complain(w, "model: %s", sqlite3_errmsg(w->model));
}

static int integrity_row(void *context, struct skerry_stmt *s)
{
    const char *text = skerry_column_text(s, 0, NULL);
    if (text && strcmp(text, "ok") != 0) complain(context, "skerry's integrity_check: %s", text);
    return 0;
}

static int sqlite_integrity_row(void *context, int count, char **values, char **names)
{
    if (strcmp(values[0], "ok") != 0) complain(context, "sqlite's integrity_check: %s", values[0]);
    return 0;
}

static void integrity(struct world *w)
{
    if (getenv("TRACE")) fprintf(stderr, "integrity\n");
    static const char sql[] = "PRAGMA integrity_check";
    if (w->skerry) {
        if (skerry_exec(w->skerry, sql, integrity_row, w) != SKERRY_OK)
            complain(w, "skerry's integrity_check fails: %s", skerry_error(w->skerry)->text);
    } else if (sqlite3_exec(w->sqlite, sql, sqlite_integrity_row, w, NULL) != SQLITE_OK) {
        complain(w, "sqlite's integrity_check fails: %s", sqlite3_errmsg(w->sqlite));
    }
}

// ---- contents -------------------------------------------------------------------------------------------

struct digest {
    u64 hash, rows;
};

static void digest_add(struct digest *d, const void *bytes, size_t size)
{
    const u8 *at = bytes;
    for (size_t i = 0; i < size; i++) d->hash = (d->hash ^ at[i]) * 0x100000001b3;
    d->hash = (d->hash ^ size) * 0x100000001b3;
}

static void digest_value(struct digest *d, int type, s64 integer, double real, const void *bytes, size_t size)
{
    u8 head = (u8)type;
    digest_add(d, &head, 1);
    if (type == SQLITE_INTEGER) digest_add(d, &integer, sizeof integer);
    if (type == SQLITE_FLOAT) digest_add(d, &real, sizeof real);
    if (type == SQLITE_TEXT || type == SQLITE_BLOB) digest_add(d, bytes, size);
}

static struct digest sqlite_digest(struct world *w, sqlite3 *db, const char *sql)
{
    struct digest d = {0};
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &s, NULL);
    while (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        d.rows++;
        for (int i = 0; i < sqlite3_column_count(s); i++) {
            int type = sqlite3_column_type(s, i);
            const void *bytes = type == SQLITE_TEXT ? (const void *)sqlite3_column_text(s, i) : sqlite3_column_blob(s, i);
            digest_value(&d, type, sqlite3_column_int64(s, i), sqlite3_column_double(s, i), bytes,
                         (size_t)sqlite3_column_bytes(s, i));
        }
        rc = SQLITE_OK;
    }
    if (rc != SQLITE_DONE) complain(w, "sqlite: %s: %s", sql, sqlite3_errmsg(db));
    sqlite3_finalize(s);
    return d;
}

static int digest_row(void *context, struct skerry_stmt *s)
{
    static const int types[] = {[VALUE_NULL] = SQLITE_NULL, [VALUE_INTEGER] = SQLITE_INTEGER, [VALUE_REAL] = SQLITE_FLOAT,
                                [VALUE_TEXT] = SQLITE_TEXT, [VALUE_BLOB] = SQLITE_BLOB};
    struct digest *d = context;
    d->rows++;
    for (u32 i = 0; i < skerry_column_count(s); i++) {
        enum value_type type = skerry_column_type(s, i);
        size_t size = 0;
        const void *bytes = type == VALUE_TEXT ? skerry_column_text(s, i, &size) : skerry_column_blob(s, i, &size);
        digest_value(d, types[type], skerry_column_integer(s, i), skerry_column_real(s, i), bytes, size);
    }
    return 0;
}

static void contents_compare_one(struct world *w, const char *sql)
{
    struct digest want = sqlite_digest(w, w->model, sql), got = {0};
    if (w->sqlite)
        got = sqlite_digest(w, w->sqlite, sql);
    else if (skerry_exec(w->skerry, sql, digest_row, &got) != SKERRY_OK)
        complain(w, "skerry: %s: %s", sql, skerry_error(w->skerry)->text);
    if (got.hash != want.hash || got.rows != want.rows)
        complain(w, "%s reads %llu rows, or others than the %llu of the model: %s", w->sqlite ? "sqlite" : "skerry",
                 (unsigned long long)got.rows, (unsigned long long)want.rows, sql);
}

static const char *const TABLES[] = {"t", "u", "w", "x", "y"};

static void contents_compare(struct world *w)
{
    // SQLite's VACUUM, which the model does not run, leaves a sqlite_sequence out that no table needs.
    contents_compare_one(w, "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name <> 'sqlite_sequence' ORDER BY name");
    for (u32 i = 0; i < COUNT_OF(TABLES) && !w->failed; i++) {
        char sql[200];
        snprintf(sql, sizeof sql, "SELECT * FROM %s ORDER BY a", TABLES[i]);
        sqlite3_stmt *s = NULL;
        if (sqlite3_prepare_v2(w->model, sql, -1, &s, NULL) == SQLITE_OK) {
            contents_compare_one(w, sql);
            snprintf(sql, sizeof sql, "SELECT b, a FROM %s ORDER BY b DESC, a", TABLES[i]); // by an index, if there is one
            contents_compare_one(w, sql);
            snprintf(sql, sizeof sql, "SELECT a, hex(c), typeof(b), length(c) FROM %s WHERE b >= 'm' ORDER BY b, a", TABLES[i]);
            contents_compare_one(w, sql);
        }
        sqlite3_finalize(s);
    }
}

// ---- statements -----------------------------------------------------------------------------------------

static const char *const CREATE[] = {
    "CREATE TABLE IF NOT EXISTS t(a INTEGER PRIMARY KEY, b, c)",
    "CREATE TABLE IF NOT EXISTS u(a INTEGER PRIMARY KEY AUTOINCREMENT, b TEXT COLLATE NOCASE, c, UNIQUE(b, a))",
    "CREATE TABLE IF NOT EXISTS w(a, b TEXT, c, PRIMARY KEY(b DESC, a)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS x(a INT PRIMARY KEY, b COLLATE RTRIM, c) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS y(a INTEGER PRIMARY KEY, b TEXT, c ANY, d INT AS (length(c)) STORED) STRICT",
};
static const char *const INDEXES[] = {
    "CREATE INDEX IF NOT EXISTS i%u ON %s(b DESC)",
    "CREATE INDEX IF NOT EXISTS i%u ON %s(b COLLATE NOCASE, c DESC)",
    "CREATE INDEX IF NOT EXISTS i%u ON %s(c) WHERE b IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS i%u ON %s(lower(b), a DESC)",
    "CREATE INDEX IF NOT EXISTS i%u ON %s(c, b)",
};

static bool table_there(struct world *w, const char *table)
{
    char sql[100];
    sqlite3_stmt *s = NULL;
    snprintf(sql, sizeof sql, "SELECT a FROM %s", table);
    bool there = sqlite3_prepare_v2(w->model, sql, -1, &s, NULL) == SQLITE_OK;
    sqlite3_finalize(s);
    return there;
}

static void insert(struct world *w, const char *table)
{
    char sql[900];
    static const u32 lengths[] = {3, 20, 60, 300, 900, 5000, 70000};
    u32 length = 1 + (u32)pick(w, lengths[pick(w, pick(w, 20) ? 5 : 7)]);
    u32 rows = 1 + (u32)pick(w, length > 2000 ? 3 : 60);
    bool text_only = *table == 'y' || *table == 'w';
    const char *b = text_only ? "'k' || (i * 7919 % 1000) || substr('ÄßéЖ中🙂', 1 + i % 6)"
                              : "CASE i % 7 WHEN 0 THEN i * 1.25 WHEN 1 THEN -i * 1000003 WHEN 2 THEN x'00ff' || i WHEN 3 "
                                "THEN NULL ELSE 'K' || (i * 7919 % 1000) || substr('zÄßéЖ中🙂 ', 1 + i % 8) END";
    snprintf(sql, sizeof sql,
             "WITH n(i) AS (SELECT %u UNION ALL SELECT i + %u FROM n LIMIT %u) INSERT OR REPLACE INTO %s(a, b, c) SELECT i, %s, "
             "CASE WHEN i %% 3 THEN printf('%%.*c', %u + i %% 5, char(97 + i %% 26)) || substr('Жß🙂', 1 + i %% 3) ELSE "
             "zeroblob(%u) END FROM n",
             (u32)pick(w, 3000), 1 + (u32)pick(w, 40), rows, table, b, length, length);
    run_both(w, sql);
}

static void statement(struct world *w)
{
    const char *table = TABLES[pick(w, COUNT_OF(TABLES))];
    char sql[400];
    u32 from = (u32)pick(w, 3000), to = from + (u32)pick(w, pick(w, 6) ? 100 : 2500);
    if (!table_there(w, table)) {
        run_both(w, CREATE[strchr("tuwxy", *table) - "tuwxy"]);
        return;
    }
    switch (pick(w, 16)) {
    default: insert(w, table); return;
    case 0:
    case 1:
    case 2: snprintf(sql, sizeof sql, "DELETE FROM %s WHERE a BETWEEN %u AND %u", table, from, to); break;
    case 3:
    case 4:
        snprintf(sql, sizeof sql, "UPDATE %s SET c = substr(c || printf('%%.*c', %u, 'u'), 1 + %u) WHERE a BETWEEN %u AND %u",
                 table, (u32)pick(w, 3000), (u32)pick(w, 500), from, to);
        break;
    case 5:
        snprintf(sql, sizeof sql, INDEXES[pick(w, COUNT_OF(INDEXES))], (u32)pick(w, 6), table);
        break;
    case 6: snprintf(sql, sizeof sql, "DROP INDEX IF EXISTS i%u", (u32)pick(w, 6)); break;
    case 7:
        snprintf(sql, sizeof sql, pick(w, 3) ? "DELETE FROM %s" : "DROP TABLE %s", table);
        if (pick(w, 2)) return;
        break;
    case 8:
        snprintf(sql, sizeof sql, "PRAGMA incremental_vacuum(%u)", (u32)pick(w, 3) * 7);
        run(w, sql);
        return;
    case 9:
        if (*table != 'w') return;
        snprintf(sql, sizeof sql, "UPDATE w SET b = b || 'x' WHERE a BETWEEN %u AND %u", from, to);
        break;
    }
    run_both(w, sql);
}

static void statements(struct world *w, u32 count)
{
    while (count && !w->failed) {
        u32 together = pick(w, 3) ? 1 : 1 + (u32)pick(w, 6);
        together = MIN(count, together);
        bool rollback = together > 1 && pick(w, 4) == 0;
        if (together > 1) run_both(w, "BEGIN");
        for (u32 i = 0; i < together && !w->failed; i++) {
            bool nested = together > 1 && pick(w, 4) == 0;
            if (nested) run_both(w, "SAVEPOINT s");
            statement(w);
            if (nested && pick(w, 2)) run_both(w, "ROLLBACK TO s");
            if (nested) run_both(w, "RELEASE s");
        }
        if (together > 1) run_both(w, rollback ? "ROLLBACK" : "COMMIT");
        count -= together;
    }
}

// ---- the file changes hands -----------------------------------------------------------------------------

static void file_copy(const char *from, const char *to, const char *suffix)
{
    char a[700], b[700];
    snprintf(a, sizeof a, "%s%s", from, suffix);
    snprintf(b, sizeof b, "%s%s", to, suffix);
    unlink(b);
    FILE *in = fopen(a, "rb");
    if (!in) return;
    FILE *out = fopen(b, "wb");
    static char buffer[1 << 16];
    size_t size;
    while ((size = fread(buffer, 1, sizeof buffer, in)) > 0) fwrite(buffer, 1, size, out);
    fclose(in);
    fclose(out);
}

// From here on the world's file is what a power cut now would leave.
static void power_cut(struct world *w, char *path)
{
    snprintf(path, sizeof w->path, "%s/c%u.db", test_dir(), w->copies++ % 2);
    file_copy(w->path, path, "");
    file_copy(w->path, path, "-wal");
    file_copy(w->path, path, "-journal");
}

static void turn_of_sqlite(struct world *w)
{
    char cut[600] = "";
    sqlite_turn(w);
    contents_compare(w);
    integrity(w);
    u64 mode = pick(w, 3);
    run(w, mode ? "PRAGMA journal_mode=delete" : "PRAGMA journal_mode=wal");
    if (mode == 0 && pick(w, 2)) run(w, "PRAGMA wal_autocheckpoint=0");
    statements(w, 3 + (u32)pick(w, 12));
    if (mode == 0 && pick(w, 2)) {
        power_cut(w, cut);
    } else if (mode == 2) {
        // A transaction that was written to the file in part, and never ends.
        run(w, "PRAGMA cache_size=2; PRAGMA synchronous=full; BEGIN");
        for (u32 i = 0; i < COUNT_OF(TABLES); i++) {
            char sql[200];
            if (!table_there(w, TABLES[i])) continue;
            snprintf(sql, sizeof sql, "UPDATE OR IGNORE %s SET c = printf('%%.*c', 400, 'J'); DELETE FROM %s WHERE a %% 3 = 0", TABLES[i],
                     TABLES[i]);
            run(w, sql);
        }
        power_cut(w, cut);
        run(w, "ROLLBACK");
    }
    if (!*cut && mode && pick(w, 4) == 0) run(w, "VACUUM");
    sqlite_turn_end(w);
    if (*cut) snprintf(w->path, sizeof w->path, "%s", cut);
}

static void turn_of_skerry(struct world *w)
{
    char cut[600] = "";
    skerry_turn(w);
    contents_compare(w);
    integrity(w);
    statements(w, 3 + (u32)pick(w, 12));
    contents_compare(w);
    integrity(w);
    if (pick(w, 5) == 0) run(w, "VACUUM");
    if (pick(w, 5) == 0) run(w, "BEGIN; CREATE TABLE t2 AS SELECT 1; CREATE INDEX t3 ON t2(1); PRAGMA integrity_check; ROLLBACK");
    if (pick(w, 3) == 0) power_cut(w, cut);
    skerry_turn_end(w);
    if (*cut) snprintf(w->path, sizeof w->path, "%s", cut);
}

static void database_run(u64 seed)
{
    static const char *const encodings[] = {"UTF-8", "UTF-16le", "UTF-16be"};
    struct world *w = calloc(1, sizeof *w);
    w->random = w->seed = seed;
    struct err err = ERR_CLEAR;
    u32 page_size = 512u << pick(w, 8), vacuum = (u32)pick(w, 3);
    struct skerry_engine_options options = {.backend = IO_BACKEND_POSIX, .cache_bytes = pick(w, 2) ? 1 << 20 : 0};
    if (!skerry_engine_create(&options, &w->engine, &err)) complain(w, "engine: %s", err.text);
    snprintf(w->path, sizeof w->path, "%s/a.db", test_dir());
    unlink(w->path);
    char wal[700], sql[300];
    snprintf(wal, sizeof wal, "%s-wal", w->path);
    unlink(wal);
    sqlite3_open(":memory:", &w->model);
    // The page size of the model is not compared; its encoding decides what text is cut to.
    const char *encoding = encodings[pick(w, 3)];
    snprintf(sql, sizeof sql, "PRAGMA encoding='%s'", encoding);
    sqlite3_exec(w->model, sql, NULL, NULL, NULL);
    snprintf(sql, sizeof sql, "PRAGMA page_size=%u; PRAGMA encoding='%s'; PRAGMA auto_vacuum=%u; CREATE TABLE first(a)", page_size,
             encoding, vacuum);
    bool skerry_makes = pick(w, 2);
    if (skerry_makes)
        skerry_turn(w);
    else
        sqlite_turn(w);
    run(w, sql);
    sqlite3_exec(w->model, "CREATE TABLE first(a)", NULL, NULL, NULL);
    if (skerry_makes)
        skerry_turn_end(w);
    else
        sqlite_turn_end(w);
    for (u32 turn = 0; turn < 6 && !w->failed; turn++) {
        if (turn % 2 == skerry_makes)
            turn_of_skerry(w);
        else
            turn_of_sqlite(w);
    }
    if (w->skerry) skerry_turn_end(w);
    if (w->sqlite) sqlite3_close_v2(w->sqlite);
    sqlite3_close_v2(w->model);
    skerry_engine_destroy(w->engine);
    free(w);
}

TEST(interchange_with_sqlite)
{
    u32 count = getenv("INTERCHANGE") ? (u32)atoi(getenv("INTERCHANGE")) : 40;
    for (u32 i = 0; i < count; i++) database_run(test_seed() + i);
}

int main(int argc, char **argv) { return test_main(argc, argv); }
