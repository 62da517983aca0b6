// Goal: full-text tables answer as SQLite's FTS5 does, and each reads and writes what the other wrote.
// Method: random tables (options of every kind), documents over a small vocabulary, changes, transactions, savepoints,
// commands and queries run on both; rows, highlights, snippets, ranks and errors must be the same. At the end of a round
// SQLite checks Skerry's file with its own 'integrity-check', and Skerry goes on with a file that SQLite wrote. SEED=n
// repeats a run.
#include "../oracle.h"

#include <sqlite3.h>
#include <stdarg.h>
#include <time.h>

#define SECONDS 4

struct generator {
    u64 state;
    char text[8000];
    size_t size;
    u32 columns;
    bool external, contentless, full, prefix, columnsize;
    bool deletable; // contentless_delete=1
    bool marks; // what is shown of a row depends on all phrases: which of an OR's or NOT's count is FTS5's accident
    FILE *script;
};

static u32 pick(struct generator *g, u32 n) { return (u32)(test_random(&g->state) % n); }
static bool chance(struct generator *g, u32 percent) { return pick(g, 100) < percent; }

static void add(struct generator *g, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct generator *g, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(g->text + g->size, sizeof(g->text) - g->size, format, args);
    va_end(args);
    g->size = MIN(g->size + (size_t)MAX(n, 0), sizeof(g->text) - 1);
}

static bool newest(void) { return sqlite3_libversion_number() >= 3050000; }

static void start(struct generator *g)
{
    g->size = 0;
    g->text[0] = 0;
}

static void run(struct generator *g, struct oracle *o)
{
    fprintf(g->script, "%s;\n", g->text);
    oracle_run(o, g->text);
}

static void one(struct generator *g, struct oracle *o, const char *sql)
{
    start(g);
    add(g, "%s", sql);
    run(g, o);
}

static const char *const words[] = {"alpha", "beta",   "gamma", "alpine", "al",   "running", "runs",    "run",  "Über",
                                    "uber",  "naïve",  "x",     "y",      "zeta", "one-two", "connect", "connection",
                                    "ÀÉ",    "hopping", "日本",  "42",     "4.5",  "a.b",     "betamax", "relational"};

static void add_document(struct generator *g)
{
    static const char *const breaks[] = {" ", " ", " ", " ", ". ", ", ", ": ", "  ", "-", "\n"};
    if (chance(g, 4)) {
        add(g, "%s", chance(g, 50) ? "NULL" : chance(g, 50) ? "12345" : "2.5");
        return;
    }
    add(g, "'");
    for (u32 i = pick(g, chance(g, 10) ? 60 : 12); i > 0; i--)
        add(g, "%s%s", words[pick(g, COUNT_OF(words))], breaks[pick(g, COUNT_OF(breaks))]);
    add(g, "'");
}

static void add_term(struct generator *g)
{
    const char *word = words[pick(g, COUNT_OF(words))];
    u32 kind = pick(g, 10);
    if (kind < 6 && !strpbrk(word, "-.")) {
        add(g, "%s", word);
        if (chance(g, 15)) add(g, "*");
    } else if (kind < 8) {
        add(g, "\"%s %s\"", word, words[pick(g, COUNT_OF(words))]);
    } else {
        add(g, "\"%s\"", word);
        if (chance(g, 20)) add(g, " *");
    }
}

static void add_query(struct generator *g, u32 depth)
{
    u32 kind = pick(g, depth > 2 ? 4 : 12);
    switch (kind) {
    case 4: add_query(g, depth + 1), add(g, " AND "), add_query(g, depth + 1); break;
    case 5: add_query(g, depth + 1), add(g, g->marks ? " AND " : " OR "), add_query(g, depth + 1); break;
    case 6: add_query(g, depth + 1), add(g, g->marks ? " AND " : " NOT "), add_query(g, depth + 1); break;
    case 7: add(g, "("), add_query(g, depth + 1), add(g, ")"); break;
    case 8:
        if (g->full) {
            add(g, "NEAR("), add_term(g), add(g, " "), add_term(g);
            if (chance(g, 30)) add(g, " "), add_term(g);
            if (chance(g, 60)) add(g, ", %u", pick(g, 5));
            add(g, ")");
            break;
        }
        // fall through
    case 9:
        if (chance(g, 50))
            add(g, "%sc%u : ", chance(g, 20) ? "-" : "", pick(g, g->columns));
        else
            add(g, "%s{c%u c%u} : ", chance(g, 20) ? "- " : "", pick(g, g->columns), pick(g, g->columns));
        if (chance(g, 50))
            add(g, "("), add_query(g, depth + 1), add(g, ")");
        else
            add_term(g);
        break;
    case 10:
        if (g->full) add(g, "^ ");
        add_term(g);
        break;
    case 11: add_term(g), add(g, " + "), add_term(g); break;
    default:
        add_term(g);
        if (chance(g, 25)) add(g, " "), add_term(g);
    }
}

static const char *const vocabularies[] = {"row", "col", "instance"};

static void make_table(struct generator *g, struct oracle *o)
{
    static const char *const tokenizers[] = {"unicode61",
                                             "porter",
                                             "porter ascii",
                                             "ascii",
                                             "unicode61 remove_diacritics 0",
                                             "unicode61 remove_diacritics 2",
                                             "unicode61 tokenchars ''-.''",
                                             "unicode61 separators ''a''",
                                             "unicode61 categories ''L*''",
                                             "trigram",
                                             "trigram case_sensitive 1"};
    start(g);
    g->columns = 1 + pick(g, 3);
    g->full = chance(g, 80);
    g->columnsize = true;
    u32 content = pick(g, 10);
    g->external = content == 0;
    g->contentless = content == 1;
    if (g->external) {
        add(g, "CREATE TABLE source(id INTEGER PRIMARY KEY");
        for (u32 i = 0; i < g->columns; i++) add(g, ", c%u", i);
        add(g, ")");
        run(g, o);
        start(g);
    }
    add(g, "CREATE VIRTUAL TABLE t USING fts5(");
    for (u32 i = 0; i < g->columns; i++) add(g, "%sc%u%s", i ? ", " : "", i, i && g->full && chance(g, 15) ? " UNINDEXED" : "");
    if (g->external) add(g, ", content='source', content_rowid='id'");
    if (g->contentless) add(g, ", content=''");
    g->deletable = g->contentless && newest() && chance(g, 70);
    if (g->deletable) add(g, ", contentless_delete=1");
    g->prefix = chance(g, 30);
    if (g->prefix) add(g, ", prefix='2 %u'", 1 + 2 * pick(g, 2));
    if (chance(g, 60)) add(g, ", tokenize='%s'", tokenizers[pick(g, COUNT_OF(tokenizers))]);
    if (!g->full) {
        o->quiet_texts = true; // of several things that are not supported, which is said first
        add(g, ", detail=%s", chance(g, 50) ? "column" : "none");
    }
    if (chance(g, 10) && !g->deletable) {
        g->columnsize = false;
        add(g, ", columnsize=0");
    }
    add(g, ")");
    run(g, o);
    for (u32 i = 0; i < COUNT_OF(vocabularies); i++) {
        start(g);
        add(g, "CREATE VIRTUAL TABLE v%u USING fts5vocab(%s, %s)", i, chance(g, 50) ? "t" : "'t'", vocabularies[i]);
        run(g, o);
    }
    if (chance(g, 50)) {
        start(g);
        add(g, "INSERT INTO t(t, rank) VALUES('pgsz', %u)", 32 + pick(g, 200));
        run(g, o);
    }
    if (newest() && chance(g, 40)) one(g, o, "INSERT INTO t(t, rank) VALUES('secure-delete', 1)");
}

static void add_columns(struct generator *g)
{
    for (u32 i = 0; i < g->columns; i++) {
        if (i) add(g, ", ");
        add_document(g);
    }
}

static void add_names(struct generator *g)
{
    for (u32 i = 0; i < g->columns; i++) add(g, ", c%u", i);
}

// Rows of an external content table change together with the index, as its triggers would have it.
static void external_change(struct generator *g, struct oracle *o, u32 rowid)
{
    bool insert = chance(g, 60);
    if (!insert || chance(g, 50)) {
        start(g);
        add(g, "INSERT INTO t(t, rowid");
        add_names(g);
        add(g, ") SELECT 'delete', id");
        add_names(g);
        add(g, " FROM source WHERE id = %u", rowid);
        run(g, o);
        start(g);
        add(g, "DELETE FROM source WHERE id = %u", rowid);
        run(g, o);
    }
    if (!insert) return;
    start(g);
    add(g, "INSERT OR IGNORE INTO source VALUES(%u, ", rowid + 100);
    add_columns(g);
    add(g, ")");
    run(g, o);
    if (skerry_changes(o->db) == 0) return;
    start(g);
    add(g, "INSERT INTO t(rowid");
    add_names(g);
    add(g, ") SELECT id");
    add_names(g);
    add(g, " FROM source WHERE id = %u", rowid + 100);
    run(g, o);
}

static void change(struct generator *g, struct oracle *o)
{
    static const char *const conflicts[] = {"", "OR REPLACE ", "OR ABORT ", "OR IGNORE ", "OR FAIL "}; // 3.40 aborts
    u32 rowid = 1 + pick(g, 30), kind = pick(g, 100);
    if (g->external && kind < 85) {
        external_change(g, o, rowid);
        return;
    }
    start(g);
    if (kind < 45 || (g->contentless && !g->deletable)) {
        bool given = g->contentless || chance(g, 60);
        static u32 next = 1000; // contentless rows cannot be told from each other: each has its own
        bool again = g->deletable && chance(g, 30); // a row of that number may be there: it must be replaced
        add(g, "INSERT %sINTO t(%s", conflicts[again ? 1 : pick(g, newest() ? 5 : 3)], given ? "rowid" : "c0");
        for (u32 i = given ? 0 : 1; i < g->columns; i++) add(g, ", c%u", i);
        add(g, ") VALUES(");
        if (given) add(g, "%u, ", g->contentless && !again ? next++ : rowid);
        add_columns(g);
        add(g, ")");
        if (chance(g, 15) && !given) {
            add(g, ", (");
            add_columns(g);
            add(g, ")");
        }
    } else if (kind < 65 && g->deletable) {
        add(g, "UPDATE t SET ");
        for (u32 i = 0; i < g->columns; i++) {
            if (i && chance(g, 10)) break; // not all: refused
            add(g, "%sc%u = ", i ? ", " : "", i);
            add_document(g);
        }
        if (chance(g, 20)) add(g, ", rowid = rowid + 10000");
        add(g, " WHERE %s", chance(g, 50) ? "t MATCH 'alpha'" : "rowid > 1020");
    } else if (kind < 65) {
        add(g, "UPDATE t SET c%u = ", pick(g, g->columns));
        add_document(g);
        bool moves = chance(g, 10);
        if (moves) add(g, ", rowid = rowid + %u", pick(g, 3));
        if (moves || chance(g, 70))
            add(g, " WHERE rowid = %u", rowid);
        else
            add(g, " WHERE t MATCH 'alpha'");
    } else if (kind < 85) {
        add(g, "DELETE FROM t WHERE ");
        if (chance(g, 80))
            add(g, "rowid %s %u", chance(g, 80) ? "=" : ">", rowid);
        else
            add(g, "t MATCH 'beta'");
    } else {
        static const char *const other[] = {"INSERT INTO t(t) VALUES('optimize')", "INSERT INTO t(t, rank) VALUES('merge', 100)",
                                            "INSERT INTO t(t, rank) VALUES('automerge', 2)",
                                            "INSERT INTO t(t, rank) VALUES('crisismerge', 3)",
                                            "INSERT INTO t(t) VALUES('integrity-check')", "INSERT INTO t(t) VALUES('rebuild')",
                                            "INSERT INTO t(t) VALUES('nonsense')", "INSERT INTO t(t, rank) VALUES('rank', 'bm25(2.0)')"};
        // (SQLite keeps a rank in mind that was rolled back; before 3.50 it may lose one in any rollback.)
        add(g, "%s", other[pick(g, COUNT_OF(other) - (oracle_in_transaction(o) || !newest()))]);
    }
    run(g, o);
}

static void vocabulary_query(struct generator *g, struct oracle *o)
{
    u32 kind = pick(g, COUNT_OF(vocabularies));
    start(g);
    bool some = chance(g, 40);
    add(g, "SELECT %s FROM v%u", some ? "*" : "rowid, *", kind); // SQLite counts from where it begins
    if (some) add(g, " WHERE term %s '%c'", chance(g, 50) ? ">=" : "<", "abdmst"[pick(g, 6)]);
    if (chance(g, 20)) add(g, " ORDER BY %s", chance(g, 50) ? "term DESC, 3, 4" : "doc, 1");
    if (chance(g, 20)) add(g, " LIMIT %u", 1 + pick(g, 10));
    run(g, o);
}

static void query(struct generator *g, struct oracle *o)
{
    if (chance(g, 10)) {
        vocabulary_query(g, o);
        return;
    }
    start(g);
    add(g, "SELECT rowid");
    bool text = !g->contentless;
    g->marks = chance(g, 60);
    if (text && chance(g, 30)) add(g, ", c%u", pick(g, g->columns));
    if (g->marks && chance(g, 30)) add(g, ", CAST(round(rank * 10000) AS INT)");
    if (g->marks && chance(g, 20) && g->columnsize) add(g, ", CAST(round(10000 * bm25(t, %u.0, 0.5)) AS INT)", pick(g, 4));
    if (g->marks && text && chance(g, 30)) add(g, ", highlight(t, %u, '[', ']')", pick(g, g->columns));
    if (g->marks && text && chance(g, 30)) add(g, ", snippet(t, %d, '<', '>', '...', %d)", (int)pick(g, g->columns + 1) - 1,
                                           newest() ? (int)pick(g, 16) - 1 : 3 + (int)pick(g, 12));
    add(g, " FROM t");
    u32 kind = pick(g, 20);
    if (kind >= 17 && !newest() && strstr(g->text, "snippet")) kind = 0; // without a query it was all of the text
    if (kind < 15) {
        add(g, chance(g, 80) ? " WHERE t MATCH '" : " WHERE c0 MATCH '");
        add_query(g, 0);
        add(g, "'");
        // (SQLite 3.40 fails to find the positions of several MATCH where the index has none.)
        if (chance(g, 15) && (g->full || !g->marks)) {
            add(g, " AND t MATCH '");
            add_term(g);
            add(g, "'");
        }
        if (chance(g, 15)) add(g, " AND rowid %s %u", chance(g, 50) ? "<=" : ">", pick(g, 30));
        // (SQLite would rather scan for ORDER BY rowid, which a table without content and sizes refuses.)
        if (!g->marks && (text || g->columnsize) && chance(g, 10)) {
            if (chance(g, 50))
                add(g, " OR rowid = %u", pick(g, 30));
            else
                add(g, " OR t MATCH '"), add_term(g), add(g, "'");
        }
    } else if (kind < 17) {
        add(g, "('");
        add_query(g, 1);
        add(g, "')");
    } else if (text) {
        add(g, " WHERE rowid %s %u", chance(g, 50) ? "=" : ">=", pick(g, 30));
    }
    if (kind >= 17 && !text) return;
    if (chance(g, 30)) add(g, " ORDER BY %s", chance(g, 50) || !g->marks ? "rowid DESC" : "round(rank, 6), rowid");
    run(g, o);
}

static bool sqlite_check(const char *path, const char *context)
{
    sqlite3 *db;
    char *error = NULL;
    bool ok = sqlite3_open(path, &db) == SQLITE_OK &&
              sqlite3_exec(db, "INSERT INTO t(t) VALUES('integrity-check')", NULL, NULL, &error) == SQLITE_OK;
    if (!ok) test_fail(__FILE__, __LINE__, "%s: SQLite's integrity-check: %s", context, error ? error : sqlite3_errmsg(db));
    sqlite3_free(error);
    sqlite3_close(db);
    return ok;
}

static bool skerry_exec_ok(struct skerry *db, const char *sql, const char *context)
{
    if (skerry_exec(db, sql, NULL, NULL) == SKERRY_OK) return true;
    test_fail(__FILE__, __LINE__, "%s: %s: %s", context, sql, skerry_error(db)->text);
    return false;
}

static int count_row(void *context, struct skerry_stmt *s)
{
    *(s64 *)context = skerry_column_integer(s, 0);
    return 0;
}

static int sqlite_count_row(void *context, int count, char **values, char **names)
{
    *(s64 *)context = atoll(values[0]);
    return 0;
}

// A copy of SQLite's file: Skerry finds the same rows in it, changes it, and SQLite agrees with that.
static bool skerry_goes_on(struct generator *g, struct oracle *o, const char *context)
{
    char path[700], sql[800];
    snprintf(path, sizeof path, "%s.theirs", o->path);
    remove(path);
    snprintf(sql, sizeof sql, "VACUUM INTO '%s'", path);
    if (sqlite3_exec(o->sqlite, sql, NULL, NULL, NULL) != SQLITE_OK) {
        test_fail(__FILE__, __LINE__, "%s: %s", context, sqlite3_errmsg(o->sqlite));
        return false;
    }
    struct skerry *db;
    struct err err = ERR_CLEAR;
    if (!skerry_open(o->engine, path, 0, &db, &err)) return false;
    bool ok = true;
    for (u32 i = 0; ok && i < COUNT_OF(words); i++) {
        s64 ours = -1, theirs = -2;
        snprintf(sql, sizeof sql, "SELECT count(*) FROM t WHERE t MATCH '\"%s\"'", words[i]);
        ok = skerry_exec(db, sql, count_row, &ours) == SKERRY_OK;
        bool theirs_ok = sqlite3_exec(o->sqlite, sql, sqlite_count_row, &theirs, NULL) == SQLITE_OK;
        if (!ok && !theirs_ok) ok = true; // a phrase where the index has no positions
        else if (ours != theirs) {
            test_fail(__FILE__, __LINE__, "%s: in SQLite's file %s gives %lld, want %lld", context, sql, (long long)ours, (long long)theirs);
            ok = false;
        }
    }
    ok = ok && skerry_exec_ok(db, "INSERT INTO t(rowid, c0) VALUES(5000, 'alpha new')", context) &&
         skerry_exec_ok(db, "INSERT INTO t(t) VALUES('optimize')", context);
    if (ok && !g->contentless && !g->external)
        ok = skerry_exec_ok(db, "DELETE FROM t WHERE rowid % 3 = 0", context) &&
             skerry_exec_ok(db, "INSERT INTO t(t) VALUES('integrity-check')", context);
    while (skerry_close(db, &err) == SKERRY_WAIT) io_step(skerry_engine_io(o->engine), UINT64_MAX);
    return ok && sqlite_check(path, context);
}

static bool round_run(u64 seed, u32 statements)
{
    struct generator g = {.state = seed};
    struct oracle o;
    char context[64], *script = NULL;
    size_t script_size = 0;
    if (!oracle_open(&o, "fts")) return false;
    snprintf(context, sizeof(context), "seed %llu", (unsigned long long)seed);
    o.context = context;
    g.script = open_memstream(&script, &script_size);
    o.any_order = true;
    o.reopened = true; // nested changes count in SQLite
    make_table(&g, &o);
    u32 transaction = 0;
    for (u32 i = 0; i < statements && o.differences == 0 && !o.gave_up; i++) {
        u32 kind = pick(&g, 100);
        if (kind < 45) {
            change(&g, &o);
        } else if (kind < 92) {
            query(&g, &o);
        } else {
            static const char *const control[] = {"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT s", "ROLLBACK TO s", "RELEASE s"};
            one(&g, &o, control[pick(&g, 6)]);
            transaction++;
        }
    }
    one(&g, &o, "COMMIT");
    if (o.differences == 0 && !o.gave_up && !g.contentless && !g.external) one(&g, &o, "INSERT INTO t(t) VALUES('integrity-check')");
    if (o.differences == 0 && !o.gave_up) oracle_check_file(&o);
    bool equal = o.differences == 0;
    char path[600];
    snprintf(path, sizeof path, "%s", o.path);
    if (equal && !o.gave_up) equal = skerry_goes_on(&g, &o, context);
    oracle_close(&o);
    if (equal) equal = sqlite_check(path, context);
    fclose(g.script);
    if (!equal) printf("%s", script);
    free(script);
    return equal;
}

static const struct {
    const char *name, *sql;
} mistakes[] = {
    {"empty queries", "CREATE VIRTUAL TABLE t USING fts5(a, b); INSERT INTO t VALUES ('one two', 'three'), ('two', 'one');"
                      "SELECT rowid FROM t WHERE t MATCH ''; SELECT rowid FROM t WHERE t MATCH '  '; SELECT rowid FROM t WHERE t MATCH NULL;"
                      "SELECT rowid FROM t WHERE a MATCH ''; SELECT rowid FROM t WHERE t MATCH '\"\"'; SELECT rowid FROM t WHERE t MATCH '()';"
                      "SELECT rowid FROM t WHERE t MATCH '- one'; SELECT rowid FROM t WHERE t MATCH 'a:'"},
    {"filters of filters", "CREATE VIRTUAL TABLE t USING fts5(a, b); INSERT INTO t VALUES ('one two', 'three'), ('two', 'one');"
                           "SELECT rowid FROM t WHERE t MATCH 'a:b:one'; SELECT rowid FROM t WHERE t MATCH 'b: {a b}: one';"
                           "SELECT rowid FROM t WHERE t MATCH '{a}: (b: one)'; SELECT rowid FROM t WHERE t MATCH 'b: (a: one OR b: one)';"
                           "SELECT rowid FROM t WHERE t MATCH '- a: - b: one'; SELECT rowid FROM t WHERE t MATCH 'a: one b: three'"},
    {"columns that cannot be", "CREATE VIRTUAL TABLE t USING fts5(); CREATE VIRTUAL TABLE t USING fts5(a, A); CREATE VIRTUAL TABLE t USING fts5(x, t);"
                               "CREATE VIRTUAL TABLE t USING fts5(tokenize=ascii); SELECT count(*) FROM sqlite_schema"},
    {"returning", "CREATE VIRTUAL TABLE t USING fts5(a); INSERT INTO t VALUES ('one') RETURNING a, 5; DELETE FROM t RETURNING a;"
                  "UPDATE t SET a = 'two' RETURNING a; DELETE FROM t WHERE nothing RETURNING a; SELECT * FROM t"},
    {"rank functions",
     "CREATE VIRTUAL TABLE t USING fts5(a, b, c); INSERT INTO t VALUES ('x', 'y', 'z'), ('x y', 'y', 'z z z'), ('a', 'b', 'c');"
     "SELECT rowid, round(rank, 9) FROM t('x y') WHERE rank MATCH 'bm25(1,2.5,-.5)' ORDER BY 2;"
     "SELECT rowid, round(rank, 9) FROM t('x') WHERE rank MATCH '  bm25 ( +1 , null, x''31'' ) what follows';"
     "SELECT rowid, rank FROM t('x') WHERE rank MATCH 'bm25(1.5e3)'; SELECT rowid, rank FROM t('x') WHERE rank MATCH 'bm25(1';"
     "SELECT rowid, rank FROM t('x') WHERE rank MATCH 'bm25'; SELECT rowid, rank FROM t('x') WHERE rank MATCH 'snippet(1)';"
     "SELECT rowid, rank FROM t('x') WHERE rank MATCH 'abs(1)'; SELECT rowid, rank FROM t WHERE rank MATCH 'bm25(1.5e3)';"
     "SELECT rowid, rank FROM t('x') WHERE rank MATCH 'highlight(0, ''it''''s'', null)'; SELECT rowid FROM t('x') WHERE rank MATCH 'abs(1)';"
     "SELECT rowid, rank FROM t('x', 'snippet(0, ''<'', ''>'', ''.'', 5)') ORDER BY rank; SELECT rowid FROM t('x', 'bm25()', 3);"
     "INSERT INTO t(t, rank) VALUES ('rank', 'highlight(0, ''<'', ''>'')'); SELECT rowid, rank FROM t('x') ORDER BY rank"},
    {"settings that cannot be",
     "CREATE VIRTUAL TABLE t USING fts5(a); INSERT INTO t(t, rank) VALUES ('rank', 'nonsense'); INSERT INTO t(t, rank) VALUES ('rank', 5);"
     "INSERT INTO t(t, rank) VALUES ('pgsz', 5); INSERT INTO t(t, rank) VALUES ('pgsz', '64'); INSERT INTO t(t, rank) VALUES ('pgsz', 'x');"
     "INSERT INTO t(t, rank) VALUES ('hashsize', 0); INSERT INTO t(t, rank) VALUES ('automerge', -1); INSERT INTO t(t, rank) VALUES ('automerge', 65);"
     "INSERT INTO t(t, rank) VALUES ('usermerge', 1); INSERT INTO t(t, rank) VALUES ('usermerge', 17); INSERT INTO t(t, rank) VALUES ('crisismerge', -1);"
     "INSERT INTO t(t, rank) VALUES ('version', 4); INSERT INTO t(t) VALUES ('delete'); INSERT INTO t(t) VALUES ('delete-all'); INSERT INTO t(t) VALUES (5);"
     "INSERT INTO t(t, rank) VALUES ('rank', 'nosuch()'); SELECT * FROM t_config"},
};

TEST(mistakes_in_queries_and_tables)
{
    for (u32 i = 0; i < COUNT_OF(mistakes); i++) {
        struct oracle o;
        if (!oracle_open(&o, "fts_mistake")) return;
        o.context = mistakes[i].name;
        o.reopened = true; // nested changes count in SQLite
        if (oracle_run(&o, mistakes[i].sql)) oracle_check_file(&o);
        oracle_close(&o);
    }
}

static bool both(struct oracle *o, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool both(struct oracle *o, const char *format, ...)
{
    char rest[900], sql[1000], answers[2][4000];
    va_list args;
    va_start(args, format);
    vsnprintf(rest, sizeof rest, format, args);
    va_end(args);
    for (u32 i = 0; i < 2; i++) {
        size_t n = 0;
        for (const char *c = rest; *c && n + 2 < sizeof sql; c++) sql[n++] = *c == '@' ? i ? 'b' : 'a' : *c;
        sql[n] = 0;
        oracle_answer(o, sql, answers[i], sizeof answers[i]);
    }
    if (strcmp(answers[0], answers[1]) == 0 && strncmp(answers[0], "error", 5) != 0) return true;
    test_fail(__FILE__, __LINE__, "%s: %s: without the texts %s, with them %s", o->context, sql, answers[0], answers[1]);
    return false;
}

// A table that keeps no text forgets rows as one that does: the library's FTS5 may be too old to be asked.
TEST(rows_leave_a_contentless_table)
{
    static const char *const numbers[] = {"%u", "-%u", "50000000%02u", "%u * 4294967296"};
    u64 state = test_seed();
    struct generator g = {.state = state};
    char context[64];
    snprintf(context, sizeof context, "seed %llu", (unsigned long long)state);
    for (u32 round = 0; round < 4; round++) {
        struct oracle o;
        if (!oracle_open(&o, "fts_contentless")) return;
        o.context = context;
        char out[100];
        oracle_answer(&o, "CREATE VIRTUAL TABLE a USING fts5(c0, c1, content='', contentless_delete=1)", out, sizeof out);
        oracle_answer(&o, "CREATE VIRTUAL TABLE b USING fts5(c0, c1)", out, sizeof out);
        bool ok = both(&o, "INSERT INTO @(@, rank) VALUES('pgsz', %u)", round % 2 ? 32 : 200) &&
             (round < 2 || both(&o, "INSERT INTO @(@, rank) VALUES('deletemerge', 0)"));
        for (u32 i = 0; ok && i < 400; i++) {
            char rowid[40], document[2][300];
            snprintf(rowid, sizeof rowid, numbers[pick(&g, round + 1)], pick(&g, 100));
            for (u32 k = 0; k < 2; k++) {
                start(&g);
                add_document(&g);
                snprintf(document[k], sizeof document[k], "%.290s", strlen(g.text) < 290 ? g.text : "'long'");
            }
            u32 kind = pick(&g, 100);
            if (kind < 40)
                ok = both(&o, "INSERT OR REPLACE INTO @(rowid, c0, c1) VALUES(%s, %s, %s)", rowid, document[0], document[1]);
            else if (kind < 70)
                ok = both(&o, "DELETE FROM @ WHERE rowid = %s", rowid);
            else if (kind < 76)
                ok = both(&o, "UPDATE @ SET c0 = %s, c1 = 'moved' WHERE rowid = %s", document[0], rowid);
            else if (kind < 78)
                ok = both(&o, "DELETE FROM @ WHERE @ MATCH 'naive AND alpha'");
            else if (kind < 80)
                ok = both(&o, "INSERT INTO @(@) VALUES('optimize')");
            else if (kind < 83)
                oracle_answer(&o, i % 2 ? "COMMIT" : "BEGIN", out, sizeof out);
            else
                ok = both(&o, "SELECT group_concat(rowid) FROM @('%s%s')", pick(&g, 2) ? "run" : "al", pick(&g, 2) ? "*" : "");
        }
        oracle_answer(&o, "COMMIT", out, sizeof out);
        for (u32 i = 0; ok && i < COUNT_OF(words); i++)
            ok = both(&o, "SELECT count(*), sum(rowid / 7), min(rowid) FROM @('\"%s\"')", words[i]);
        ok = ok && both(&o, "SELECT rowid FROM @ ORDER BY 1") && both(&o, "INSERT INTO @(@) VALUES('integrity-check')");
        oracle_close(&o);
        if (!ok) return;
    }
}

// FTS5 merges in slices. What is left of a segment meanwhile begins behind its first page, or is nothing.
static const char UNFINISHED[] =
    "CREATE VIRTUAL TABLE t USING fts5(c0);"
    "INSERT INTO t(t, rank) VALUES('pgsz', 32); INSERT INTO t(t, rank) VALUES('automerge', 0);"
    "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 40) INSERT INTO t SELECT 'a' || i || ' word' FROM s;"
    "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 3) INSERT INTO t SELECT 'a' || i || ' b' FROM s;"
    "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 40) INSERT INTO t SELECT 'c' || i || ' word' FROM s;"
    "INSERT INTO t(t, rank) VALUES('usermerge', 2); INSERT INTO t(t, rank) VALUES('merge', 1);"
    "INSERT INTO t(t, rank) VALUES('merge', 1); INSERT INTO t(t, rank) VALUES('merge', 4); INSERT INTO t(t, rank) VALUES('merge', 4)";

static bool counts_are(struct skerry *db, const char *context, const s64 *want)
{
    static const char *const queries[] = {"word", "b", "a1", "a1*", "c3*", "word NOT a2"};
    for (u32 i = 0; i < COUNT_OF(queries); i++) {
        char sql[100];
        s64 count = -1;
        snprintf(sql, sizeof sql, "SELECT count(*) FROM t('%s')", queries[i]);
        if (skerry_exec(db, sql, count_row, &count) == SKERRY_OK && count == want[i]) continue;
        test_fail(__FILE__, __LINE__, "%s: %s gives %lld, want %lld", context, sql, (long long)count, (long long)want[i]);
        return false;
    }
    return true;
}

TEST(a_merge_that_sqlite_began)
{
    static const char *const next[] = {"INSERT INTO t(t) VALUES('optimize')", "INSERT INTO t(t, rank) VALUES('merge', 4)",
                                       "INSERT INTO t(t, rank) VALUES('merge', -4)",
                                       "INSERT INTO t(t, rank) VALUES('automerge', 2); INSERT INTO t VALUES('none')"};
    for (u32 i = 0; i < COUNT_OF(next); i++) {
        struct oracle o;
        if (!oracle_open(&o, "fts_merge")) return;
        char path[700];
        snprintf(path, sizeof path, "%s.theirs", o.path);
        remove(path);
        sqlite3 *theirs;
        s64 emptied = 0;
        bool ok = sqlite3_open(path, &theirs) == SQLITE_OK && sqlite3_exec(theirs, UNFINISHED, NULL, NULL, NULL) == SQLITE_OK &&
                  sqlite3_exec(theirs, "SELECT instr(hex(block), '020000') FROM t_data WHERE id = 10", sqlite_count_row, &emptied, NULL) == SQLITE_OK;
        sqlite3_close(theirs);
        struct skerry *db = NULL;
        struct err err = ERR_CLEAR;
        CHECK(ok && emptied && skerry_open(o.engine, path, 0, &db, &err));
        ok = skerry_exec_ok(db, "INSERT INTO t(t) VALUES('integrity-check')", "unfinished") &&
             counts_are(db, "unfinished", (const s64[]){80, 3, 2, 12, 11, 79}) &&
             skerry_exec_ok(db, "INSERT INTO t VALUES('a1 new word'); DELETE FROM t WHERE rowid IN (1, 3, 41, 80)", next[i]) &&
             skerry_exec_ok(db, next[i], next[i]) && counts_are(db, next[i], (const s64[]){78, 2, 1, 11, 10, 77}) &&
             skerry_exec_ok(db, "INSERT INTO t(t) VALUES('integrity-check')", next[i]);
        while (skerry_close(db, &err) == SKERRY_WAIT) io_step(skerry_engine_io(o.engine), UINT64_MAX);
        ok = ok && sqlite_check(path, next[i]);
        oracle_close(&o);
        if (!ok) return;
    }
}

TEST(random_full_text)
{
    u64 state = test_seed();
    time_t end = time(NULL) + SECONDS;
    const char *rounds = getenv("ROUNDS");
    u32 left = rounds ? (u32)atoi(rounds) : UINT32_MAX;
    bool fixed = getenv("SEED") != NULL && !rounds;
    do {
        u64 seed = fixed ? state : test_random(&state);
        if (!round_run(seed, 80)) return;
    } while (!fixed && --left && (rounds || time(NULL) < end));
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
