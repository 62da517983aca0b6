// Goal: functions, aggregates, window functions, collations and hooks of an application do as those of sqlite3.h.
// Method: the same ones, written against both interfaces, registered with both libraries; the same statements run on
// both, whose rows, codes and texts must be the same (tests/oracle.h), and the calls that the hooks saw, too.
#include "tests/oracle.h"
#include "tests/test.h"

#include <sqlite3.h>

#include "engine/fn/table_function.h"

// ---- the functions: NAME_s for SQLite's interface, NAME for Skerry's -----------------------------------------------

static void half(struct function_context *ctx, u32 argc, const struct value **argv)
{
    result_real(ctx, value_to_real(argv[0]) / 2);
}
static void half_s(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    sqlite3_result_double(ctx, sqlite3_value_double(argv[0]) / 2);
}

// Types and sizes of the arguments, as they come.
static void types(struct function_context *ctx, u32 argc, const struct value **argv)
{
    char text[200] = "";
    for (u32 i = 0; i < argc; i++) {
        struct value scratch;
        u32 size = 0;
        value_init(&scratch);
        if (argv[i]->type == VALUE_TEXT) (void)function_text(ctx, argv[i], &scratch, &size);
        if (argv[i]->type == VALUE_BLOB) (void)function_blob(ctx, argv[i], &scratch, &size);
        value_deinit(&scratch);
        snprintf(text + strlen(text), sizeof text - strlen(text), "%d:%u ", argv[i]->type, size);
    }
    result_text(ctx, text, strlen(text));
}
static void types_s(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    char text[200] = "";
    for (int i = 0; i < argc; i++) {
        int type = sqlite3_value_type(argv[i]);
        int size = type == SQLITE_TEXT || type == SQLITE_BLOB ? sqlite3_value_bytes(argv[i]) : 0;
        snprintf(text + strlen(text), sizeof text - strlen(text), "%d:%d ", type, size);
    }
    sqlite3_result_text(ctx, text, -1, SQLITE_TRANSIENT);
}

// fails(code, text): code 0 has no code, text NULL no text.
static void fails(struct function_context *ctx, u32 argc, const struct value **argv)
{
    int code = (int)value_to_integer(argv[0]);
    const char *text = argv[1]->type == VALUE_TEXT ? (const char *)argv[1]->bytes : err_default_text((err_code)code);
    int size = argv[1]->type == VALUE_TEXT ? (int)argv[1]->size : (int)strlen(text);
    if (code)
        result_error_code(ctx, (err_code)code, "%.*s", size, text);
    else
        result_error(ctx, "%.*s", size, text);
}
static void fails_s(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    int code = sqlite3_value_int(argv[0]);
    if (sqlite3_value_type(argv[1]) == SQLITE_TEXT)
        sqlite3_result_error(ctx, (const char *)sqlite3_value_text(argv[1]), sqlite3_value_bytes(argv[1]));
    if (code) sqlite3_result_error_code(ctx, code);
}

static void zeros(struct function_context *ctx, u32 argc, const struct value **argv)
{
    result_zero_blob(ctx, (u64)value_to_integer(argv[0]));
}
static void zeros_s(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    if (sqlite3_result_zeroblob64(ctx, (sqlite3_uint64)sqlite3_value_int64(argv[0])) != SQLITE_OK)
        sqlite3_result_error_toobig(ctx);
}

// Marks its argument with a subtype; tells it.
static void mark(struct function_context *ctx, u32 argc, const struct value **argv)
{
    result_value(ctx, argv[0]);
    result_subtype(ctx, 7);
}
static void mark_s(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    sqlite3_result_value(ctx, argv[0]);
    sqlite3_result_subtype(ctx, 7);
}
static void marked(struct function_context *ctx, u32 argc, const struct value **argv)
{
    result_integer(ctx, argv[0]->flags & VALUE_SUBTYPE ? argv[0]->subtype : 0);
}
static void marked_s(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    sqlite3_result_int(ctx, (int)sqlite3_value_subtype(argv[0]));
}

// How often this call has been made with what was kept for its first argument.
static void counted(struct function_context *ctx, u32 argc, const struct value **argv)
{
    int *count = function_kept(ctx, 0);
    if (!count) {
        count = calloc(1, sizeof *count);
        if (!count) return;
        *count = 1;
        result_integer(ctx, 1);
        function_keep(ctx, 0, count, free);
        return;
    }
    result_integer(ctx, ++*count);
}
static void counted_s(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    int *count = sqlite3_get_auxdata(ctx, 0);
    if (!count) {
        count = calloc(1, sizeof *count);
        if (!count) return;
        *count = 1;
        sqlite3_result_int(ctx, 1);
        sqlite3_set_auxdata(ctx, 0, count, free);
        return;
    }
    sqlite3_result_int(ctx, ++*count);
}

static void user(struct function_context *ctx, u32 argc, const struct value **argv)
{
    const char *text = function_user(ctx);
    result_text(ctx, text, strlen(text));
}
static void user_s(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    sqlite3_result_text(ctx, sqlite3_user_data(ctx), -1, SQLITE_STATIC);
}

// A sum that counts its rows, as an aggregate and as a window function; a row of 13 is an error.
struct total {
    s64 sum, rows;
};
static void total_step(struct function_context *ctx, u32 argc, const struct value **argv)
{
    struct total *t = function_aggregate(ctx, sizeof *t);
    if (!t) return;
    t->sum += value_to_integer(argv[0]);
    t->rows++;
    if (value_to_integer(argv[0]) == 13) result_error(ctx, "thirteen");
}
static void total_inverse(struct function_context *ctx, u32 argc, const struct value **argv)
{
    struct total *t = function_aggregate(ctx, sizeof *t);
    if (!t) return;
    t->sum -= value_to_integer(argv[0]);
    t->rows--;
}
static void total_tell(struct function_context *ctx)
{
    const struct total *t = function_aggregate(ctx, 0);
    char text[64];
    snprintf(text, sizeof text, "%lld/%lld", t ? (long long)t->sum : 0, t ? (long long)t->rows : 0);
    result_text(ctx, text, strlen(text));
}
static void total_step_s(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    struct total *t = sqlite3_aggregate_context(ctx, sizeof *t);
    if (!t) return;
    t->sum += sqlite3_value_int64(argv[0]);
    t->rows++;
    if (sqlite3_value_int64(argv[0]) == 13) sqlite3_result_error(ctx, "thirteen", -1);
}
static void total_inverse_s(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    struct total *t = sqlite3_aggregate_context(ctx, sizeof *t);
    if (!t) return;
    t->sum -= sqlite3_value_int64(argv[0]);
    t->rows--;
}
static void total_tell_s(sqlite3_context *ctx)
{
    const struct total *t = sqlite3_aggregate_context(ctx, 0);
    char text[64];
    snprintf(text, sizeof text, "%lld/%lld", t ? (long long)t->sum : 0, t ? (long long)t->rows : 0);
    sqlite3_result_text(ctx, text, -1, SQLITE_TRANSIENT);
}

// By the last byte first.
static int backwards(void *context, const u8 *a, u32 a_size, const u8 *b, u32 b_size)
{
    while (a_size && b_size) {
        int c = a[--a_size] - b[--b_size];
        if (c) return c;
    }
    return (a_size > b_size) - (a_size < b_size);
}
static int backwards_s(void *context, int a_size, const void *a, int b_size, const void *b)
{
    return backwards(context, a, (u32)a_size, b, (u32)b_size);
}

static void never_like(struct function_context *ctx, u32 argc, const struct value **argv) { result_integer(ctx, argc + 40); }
static void never_like_s(sqlite3_context *ctx, int argc, sqlite3_value **argv) { sqlite3_result_int(ctx, argc + 40); }

struct both {
    struct skerry_function f;
    void (*scalar)(sqlite3_context *, int, sqlite3_value **), (*step)(sqlite3_context *, int, sqlite3_value **),
        (*inverse)(sqlite3_context *, int, sqlite3_value **);
    void (*final)(sqlite3_context *), (*value)(sqlite3_context *);
};

static int destroyed, destroyed_s;
static void destroy(void *p) { destroyed++; }
static void destroy_s(void *p) { destroyed_s++; }

static void create(struct oracle *o, const struct both *b)
{
    const struct skerry_function *f = &b->f;
    int flags = SQLITE_UTF8 | (f->deterministic ? SQLITE_DETERMINISTIC : 0) | (f->direct_only ? SQLITE_DIRECTONLY : 0) |
                (f->innocuous ? SQLITE_INNOCUOUS : 0) | (f->reads_subtype || f->result_subtype ? SQLITE_SUBTYPE : 0);
    int ours = skerry_create_function(o->db, f);
    int its = b->value ? sqlite3_create_window_function(o->sqlite, f->name, f->argument_count, flags, f->user, b->step,
                                                        b->final, b->value, b->inverse, f->destroy ? destroy_s : NULL)
                       : sqlite3_create_function_v2(o->sqlite, f->name, f->argument_count, flags, f->user, b->scalar,
                                                    b->step, b->final, f->destroy ? destroy_s : NULL);
    CHECK_EQ(ours, its);
    if (its != SQLITE_MISUSE) CHECK_EQ(skerry_errcode(o->db) != 0 && ours, its != 0);
}

static const struct both BOTH[] = {
    {{"half", 1, .scalar = half}, half_s},
    {{"pure_half", 1, .deterministic = true, .innocuous = true, .scalar = half}, half_s},
    {{"direct", 1, .deterministic = true, .direct_only = true, .scalar = half}, half_s},
    {{"types", -1, .deterministic = true, .scalar = types}, types_s},
    {{"fails", 2, .scalar = fails}, fails_s},
    {{"zeros", 1, .scalar = zeros}, zeros_s},
    {{"mark", 1, .result_subtype = true, .scalar = mark}, mark_s},
    {{"marked", 1, .reads_subtype = true, .scalar = marked}, marked_s},
    {{"counted", 2, .scalar = counted}, counted_s},
    {{"who", 0, .user = "first", .scalar = user}, user_s},
    {{"tally", 1, .step = total_step, .final = total_tell}, NULL, total_step_s, NULL, total_tell_s},
    {{"wtally", 1, .step = total_step, .final = total_tell, .value = total_tell, .inverse = total_inverse},
     NULL, total_step_s, total_inverse_s, total_tell_s, total_tell_s},
};

static bool begin(struct oracle *o)
{
    if (!oracle_open(o, "function")) return false;
    for (u32 i = 0; i < COUNT_OF(BOTH); i++) create(o, &BOTH[i]);
    CHECK_EQ(skerry_create_collation(o->db, &(struct collation){"backwards", backwards, NULL}, NULL), 0);
    CHECK_EQ(sqlite3_create_collation_v2(o->sqlite, "backwards", SQLITE_UTF8, NULL, backwards_s, NULL), 0);
    return true;
}

TEST(function_answers_are_sqlites)
{
    static const char *const statements[] = {
        "SELECT half(3), half('7x'), half(NULL), half(x'31')",
        "SELECT types(), types(1), types(1.5, 'abc', x'0102', NULL, ''), types(zeroblob(9))",
        "SELECT half()", "SELECT half(1, 2)", "SELECT nothing(1)", "SELECT half(*)", "SELECT half(DISTINCT 1)",
        "SELECT half(1) OVER ()", "SELECT half(1) FILTER (WHERE 1)",
        "SELECT fails(0, 'plain words')", "SELECT fails(19, 'with a code')", "SELECT fails(2067, NULL)",
        "SELECT fails(9, NULL)", "SELECT fails(21, 'misused')", "SELECT fails(5, NULL)", "SELECT fails(1043, 'extended')",
        "SELECT length(zeros(10)), hex(zeros(3)), zeros(0)", "SELECT zeros(-1)", "SELECT zeros(1000000001)",
        "SELECT marked(mark(1)), marked(mark('x')), marked(1), marked(mark(NULL))",
        "SELECT marked(x) FROM (SELECT mark(5) AS x)",
        "CREATE TABLE t(a, b); INSERT INTO t VALUES (1, 'ax'), (2, 'bw'), (3, 'cv'), (4, 'du')",
        "SELECT a, counted('fixed', a) FROM t", "SELECT a, counted(a, 'fixed') FROM t",
        "SELECT counted('one', a), counted('two', a) FROM t", "SELECT who()",
        "SELECT tally(a), tally(a + 1), tally(NULL) FROM t", "SELECT tally(a) FROM t WHERE 0", "SELECT tally(DISTINCT a / 2) FROM t",
        "SELECT b > 'b', tally(a) FROM t GROUP BY 1", "SELECT tally(a) FILTER (WHERE a > 2) FROM t",
        "SELECT tally(a) OVER () FROM t", "SELECT tally(a, b) FROM t", "SELECT tally(*) FROM t",
        "SELECT tally(a + 10) FROM t", "SELECT wtally(a + 10) OVER (ORDER BY a) FROM t",
        "SELECT a, wtally(a) OVER (ORDER BY a ROWS 1 PRECEDING) FROM t",
        "SELECT a, wtally(a) OVER (ORDER BY a ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW) FROM t",
        "SELECT wtally(a) OVER (PARTITION BY a % 2 ORDER BY a) FROM t ORDER BY a", "SELECT wtally(a) FROM t",
        "SELECT wtally(a) OVER (ORDER BY a RANGE BETWEEN 1 FOLLOWING AND 2 FOLLOWING) FROM t",
        "SELECT b FROM t ORDER BY b COLLATE backwards", "SELECT max(b COLLATE backwards), min(b COLLATE backwards) FROM t",
        "SELECT count(*) FROM t WHERE b COLLATE backwards < 'aw'", "SELECT b FROM t ORDER BY b COLLATE forwards",
        "CREATE TABLE c(x COLLATE backwards PRIMARY KEY, y); INSERT INTO c SELECT b, a FROM t; SELECT * FROM c ORDER BY x",
        "SELECT * FROM c WHERE x BETWEEN 'zv' AND 'zx'", "CREATE TABLE d(x COLLATE sideways)", "CREATE INDEX di ON d(x)",
        "CREATE INDEX ti ON t(half(a))", "CREATE INDEX ti ON t(pure_half(a)); SELECT a FROM t WHERE pure_half(a) = 1.5",
        "CREATE INDEX tj ON t(direct(a))", "CREATE TABLE e(a, b AS (direct(a)))", "CREATE TABLE e(a CHECK (direct(a)))",
        "CREATE TABLE e(a, b DEFAULT (direct(3))); INSERT INTO e(a) VALUES (1)",
        "CREATE VIEW v AS SELECT direct(a) AS h, half(a) AS i FROM t", "SELECT i FROM v", "SELECT h FROM v",
        "CREATE VIEW w AS SELECT half(a) AS i, pure_half(a) AS j FROM t", "SELECT i, j FROM w",
        "PRAGMA trusted_schema = OFF", "SELECT i, j FROM w", "SELECT half(1)", "DROP VIEW w",
        "CREATE VIEW w AS SELECT pure_half(a) AS j FROM t; SELECT j FROM w", "PRAGMA trusted_schema = ON",
        "CREATE TRIGGER tr AFTER INSERT ON t BEGIN UPDATE t SET b = half(new.a) WHERE a = new.a; END",
        "INSERT INTO t(a) VALUES (9); SELECT a, b FROM t WHERE a = 9",
        "DROP TRIGGER tr; CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT fails(19, 'from a trigger'); END",
        "INSERT INTO t(a) VALUES (10)", "INSERT OR IGNORE INTO t(a) VALUES (10)", "SELECT count(*) FROM t",
        "SELECT name, builtin, type, narg, flags & 0x280800 FROM pragma_function_list WHERE name IN "
        "('half', 'pure_half', 'direct', 'types', 'tally', 'wtally') ORDER BY 1",
        "SELECT name FROM pragma_collation_list WHERE name = 'backwards'",
        "DROP TRIGGER tr",
        "INSERT INTO t(a, b) VALUES (50, fails(0, 'in the middle')), (51, 1)",
        "UPDATE t SET b = fails(0, 'a row') WHERE a > 2", "SELECT 1 WHERE fails(0, 'in WHERE')",
        "SELECT a FROM t GROUP BY fails(0, 'in GROUP BY')", "SELECT CASE WHEN 1 THEN 'fine' ELSE fails(0, 'x') END",
        "SELECT 0 AND fails(0, 'x')", "SELECT 1 UNION SELECT fails(0, 'second')",
    };
    struct oracle o = {.context = ""};
    if (!begin(&o)) return;
    for (u32 i = 0; i < COUNT_OF(statements); i++) oracle_run(&o, statements[i]);
    oracle_close(&o);
}

TEST(function_may_stand_in_for_a_built_in_one)
{
    struct oracle o = {.context = ""};
    if (!begin(&o)) return;
    static const char *const statements[] = {
        "SELECT abs(-3), 'a' LIKE 'a', 'a' NOT LIKE 'b', like('a', 'b'), ifnull(NULL, 2), 'abc' GLOB 'a*'",
        "DROP TABLE IF EXISTS t", "CREATE TABLE t(a TEXT COLLATE NOCASE UNIQUE); INSERT INTO t VALUES ('abc'), ('abd'), ('xyz')",
        "SELECT a FROM t WHERE a LIKE 'ab%'", "SELECT a FROM t WHERE a GLOB 'ab*'", "SELECT iif(0, 1, 2), coalesce(NULL, 3)",
        "SELECT max(a), count(a), sum(1) FROM t", "SELECT a MATCH 'x' FROM t", "SELECT 'a' REGEXP 'b'",
    };
    for (u32 i = 0; i < COUNT_OF(statements) - 2; i++) oracle_run(&o, statements[i]);
    static const struct both OVER[] = {
        {{"abs", 1, .scalar = half}, half_s},          {{"like", 2, .scalar = never_like}, never_like_s},
        {{"glob", 2, .scalar = never_like}, never_like_s}, {{"ifnull", 2, .scalar = never_like}, never_like_s},
        {{"coalesce", -1, .scalar = never_like}, never_like_s}, {{"iif", 3, .scalar = never_like}, never_like_s},
        {{"max", 1, .step = total_step, .final = total_tell}, NULL, total_step_s, NULL, total_tell_s},
        {{"count", 1, .step = total_step, .final = total_tell}, NULL, total_step_s, NULL, total_tell_s},
        {{"match", 2, .scalar = never_like}, never_like_s}, {{"regexp", 2, .scalar = never_like}, never_like_s},
    };
    for (u32 i = 0; i < COUNT_OF(OVER); i++) create(&o, &OVER[i]);
    for (u32 i = 0; i < COUNT_OF(statements); i++) oracle_run(&o, statements[i]);
    oracle_close(&o);
    // Deleted, the built-in ones are back (SQLite keeps a name without a function then): as with a new connection.
    if (!begin(&o)) return;
    for (u32 i = 0; i < COUNT_OF(OVER); i++) {
        CHECK_EQ(skerry_create_function(o.db, &OVER[i].f), SKERRY_OK);
        struct skerry_function none = {.name = OVER[i].f.name, .argument_count = OVER[i].f.argument_count};
        CHECK_EQ(skerry_create_function(o.db, &none), SKERRY_OK);
    }
    for (u32 i = 0; i < COUNT_OF(statements) - 2; i++) oracle_run(&o, statements[i]);
    oracle_close(&o);
}

TEST(function_is_replaced_deleted_and_destroyed_as_sqlites)
{
    struct oracle o = {.context = ""};
    destroyed = destroyed_s = 0;
    if (!begin(&o)) return;
    struct both b = {{"who", 0, .user = "second", .scalar = user, .destroy = destroy}, user_s};
    create(&o, &b);
    oracle_run(&o, "SELECT who()");
    // Not while a statement runs.
    struct skerry_stmt *s = NULL;
    sqlite3_stmt *t;
    size_t used;
    while (skerry_prepare(o.db, "SELECT who() UNION ALL SELECT 2", 31, &s, &used) == SKERRY_WAIT) skerry_wait(o.db);
    CHECK_EQ(sqlite3_prepare_v2(o.sqlite, "SELECT who() UNION ALL SELECT 2", -1, &t, NULL), 0);
    CHECK_EQ(skerry_step(s), sqlite3_step(t));
    b.f.user = "third";
    create(&o, &b);
    CHECK_EQ(destroyed, destroyed_s);
    CHECK_STR(skerry_error(o.db)->text, sqlite3_errmsg(o.sqlite));
    create(&o, &(struct both){{"whom", 0, .user = "other", .scalar = user}, user_s}); // a new one may come
    CHECK_EQ(skerry_create_collation(o.db, &(struct collation){"backwards", backwards, NULL}, NULL),
             sqlite3_create_collation(o.sqlite, "backwards", SQLITE_UTF8, NULL, backwards_s));
    CHECK_STR(skerry_error(o.db)->text, sqlite3_errmsg(o.sqlite));
    CHECK_EQ(skerry_step(s), sqlite3_step(t));
    CHECK_EQ(skerry_step(s), sqlite3_step(t));
    CHECK_EQ(skerry_reset(s), sqlite3_reset(t));
    create(&o, &b);
    CHECK_EQ(destroyed, destroyed_s);
    // What was prepared before calls the new one.
    CHECK_EQ(skerry_step(s), sqlite3_step(t));
    CHECK_STR(skerry_column_text(s, 0, NULL), (const char *)sqlite3_column_text(t, 0));
    skerry_finalize(s);
    sqlite3_finalize(t);
    static const struct skerry_function WRONG[] = {
        {"half", -2, .scalar = half},
        {"half", 1001, .scalar = half},
        {"half", 1, .step = total_step},
        {"half", 1, .scalar = half, .step = total_step, .final = total_tell},
        {"half", 1, .final = total_tell},
    };
    for (u32 i = 0; i < COUNT_OF(WRONG); i++) CHECK_EQ(skerry_create_function(o.db, &WRONG[i]), SQLITE_MISUSE);
    create(&o, &(struct both){.f = {.name = "who"}});
    CHECK_EQ(destroyed, destroyed_s);
    oracle_run(&o, "SELECT who()");
    b.f.name = "last";
    create(&o, &b);
    oracle_close(&o);
    CHECK_EQ(destroyed, destroyed_s);
}

// ---- hooks ------------------------------------------------------------------------------------------------------

struct heard {
    char text[20000];
    int refuse; // commits
};
static void hear(struct heard *h, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    size_t at = strlen(h->text);
    vsnprintf(h->text + at, sizeof h->text - at, format, list);
    va_end(list);
}
static void on_change(void *h, enum skerry_change kind, const char *database, const char *table, s64 rowid)
{
    hear(h, "%d %s.%s %lld\n", kind, database, table, (long long)rowid);
}
static void on_change_s(void *h, int kind, const char *database, const char *table, sqlite3_int64 rowid)
{
    hear(h, "%d %s.%s %lld\n", kind, database, table, (long long)rowid);
}
static bool on_commit(void *context)
{
    struct heard *h = context;
    hear(h, "commit\n");
    return h->refuse-- > 0;
}
static int on_commit_s(void *h) { return on_commit(h); }
static void on_rollback(void *h) { hear(h, "rollback\n"); }

TEST(function_hooks_hear_what_sqlites_do)
{
    static const char *const statements[] = {
        "CREATE TABLE t(a INTEGER PRIMARY KEY, b UNIQUE); CREATE TABLE w(a PRIMARY KEY) WITHOUT ROWID; CREATE TABLE u(a AUTOINCREMENT)",
        "CREATE TABLE u(a INTEGER PRIMARY KEY AUTOINCREMENT, b)",
        "INSERT INTO t VALUES (1, 'x'), (2, 'y'), (3, 'z')", "INSERT INTO w VALUES (1)", "INSERT INTO u(b) VALUES (7), (8)",
        "UPDATE t SET b = b || '!' WHERE a > 1", "UPDATE t SET a = a + 10 WHERE a = 3", "UPDATE OR IGNORE t SET b = 'x'",
        "INSERT OR REPLACE INTO t VALUES (1, 'q')", "INSERT INTO t VALUES (1, 'r') ON CONFLICT DO UPDATE SET b = excluded.b",
        "INSERT OR IGNORE INTO t VALUES (1, 's')", "DELETE FROM t WHERE a = 2", "DELETE FROM u",
        "BEGIN; INSERT INTO t VALUES (20, 'a'); COMMIT", "BEGIN; INSERT INTO t VALUES (21, 'b'); ROLLBACK",
        "BEGIN; SELECT 1; COMMIT", "BEGIN; ROLLBACK", "SAVEPOINT s; INSERT INTO t VALUES (22, 'c'); RELEASE s",
        "SAVEPOINT s; INSERT INTO t VALUES (23, 'd'); ROLLBACK TO s; RELEASE s",
        "INSERT INTO t VALUES (30, 'e'), (31, 'e')", "INSERT OR ROLLBACK INTO t VALUES (30, 'e'), (31, 'e')",
        "BEGIN; INSERT INTO t VALUES (40, 'f'); INSERT OR ROLLBACK INTO t VALUES (41, 'f')", "SELECT * FROM t",
        "CREATE TRIGGER tr AFTER DELETE ON t BEGIN INSERT INTO u(b) VALUES (old.a); DELETE FROM w; END", "DELETE FROM t WHERE a < 20",
        "CREATE TEMP TABLE p(a); INSERT INTO p VALUES (1)", "ATTACH ':memory:' AS other; CREATE TABLE other.o(a); INSERT INTO o VALUES (1)",
        "CREATE TABLE k(a REFERENCES t ON DELETE CASCADE); INSERT INTO k VALUES (20), (20); PRAGMA foreign_keys = ON; DELETE FROM t WHERE a = 20",
        "DELETE FROM t; SELECT count(*) FROM t",
    };
    static struct heard ours, its;
    struct oracle o = {.context = ""};
    if (!oracle_open(&o, "hooks")) return;
    skerry_on_change(o.db, on_change, &ours);
    skerry_on_commit(o.db, on_commit, &ours);
    skerry_on_rollback(o.db, on_rollback, &ours);
    sqlite3_update_hook(o.sqlite, on_change_s, &its);
    sqlite3_commit_hook(o.sqlite, on_commit_s, &its);
    sqlite3_rollback_hook(o.sqlite, on_rollback, &its);
    for (u32 i = 0; i < COUNT_OF(statements); i++) {
        ours.text[0] = its.text[0] = 0;
        oracle_run(&o, statements[i]);
        if (strcmp(ours.text, its.text) != 0)
            test_fail(__FILE__, __LINE__, "%s\nheard: %s\nSQLite: %s", statements[i], ours.text, its.text);
    }
    // A commit that is refused.
    static const char *const refused[] = {"INSERT INTO t VALUES (1, 2)", "BEGIN; INSERT INTO t VALUES (1, 2)", "COMMIT",
                                          "SELECT count(*) FROM t", "SAVEPOINT s; INSERT INTO t VALUES (1, 2)", "RELEASE s",
                                          "SELECT count(*) FROM t"};
    for (u32 i = 0; i < COUNT_OF(refused); i++) {
        ours.text[0] = its.text[0] = 0;
        ours.refuse = its.refuse = 1;
        oracle_run(&o, refused[i]);
        if (strcmp(ours.text, its.text) != 0)
            test_fail(__FILE__, __LINE__, "%s\nheard: %s\nSQLite: %s", refused[i], ours.text, its.text);
    }
    ours.refuse = its.refuse = 0;
    ours.text[0] = its.text[0] = 0;
    skerry_on_change(o.db, NULL, NULL);
    skerry_on_commit(o.db, NULL, NULL);
    skerry_on_rollback(o.db, NULL, NULL);
    oracle_run(&o, "INSERT INTO w VALUES (7)");
    CHECK_STR(ours.text, "");
    oracle_close(&o);
}

// ---- table-valued functions -------------------------------------------------------------------------------------------

// digits(n): the decimal digits of a number, the first one first; not beyond 9,999.
struct digits {
    struct table_rows base;
    char text[24];
    u32 at;
};
static struct table_rows *digits_open(const struct table_function *f, const struct value *const *argv, struct err *err)
{
    struct digits *d = calloc(1, sizeof *d);
    s64 n = value_to_integer(argv[0]);
    if (!d) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return NULL;
    }
    if (n < 0) {
        free(d);
        err_set(err, ERR_ERROR, __func__, "%s", (const char *)f->user);
        return NULL;
    }
    d->base.function = f;
    snprintf(d->text, sizeof d->text, "%lld", (long long)n);
    return &d->base;
}
static bool digits_next(struct table_rows *r, struct err *err)
{
    struct digits *d = (struct digits *)r;
    d->at++;
    if (d->at < 4 || !d->text[d->at]) return true;
    err_set(err, ERR_TOOBIG, __func__, "too many digits");
    return false;
}
static bool digits_eof(const struct table_rows *r)
{
    const struct digits *d = (const struct digits *)r;
    return !d->text[d->at];
}
static bool digits_column(struct table_rows *r, u32 column, struct value *out, struct err *err)
{
    const struct digits *d = (const struct digits *)r;
    if (column == 0)
        value_set_integer(out, d->text[d->at] - '0');
    else
        value_set_integer(out, atoll(d->text));
    return true;
}
static s64 digits_rowid(const struct table_rows *r) { return ((const struct digits *)r)->at + 1; }
static void digits_close(struct table_rows *r) { free(r); }

static int first_column(void *context, struct skerry_stmt *s)
{
    size_t at = strlen(context);
    snprintf((char *)context + at, 200 - at, "%s ", skerry_column_text(s, 0, NULL));
    return 0;
}

TEST(function_of_tables)
{
    static const struct table_function_methods methods = {digits_open, digits_next,  digits_eof, digits_column,
                                                          digits_rowid, digits_close, NULL};
    static const char *const columns[] = {"digit", "n"};
    static const struct table_function digits = {"digits", 2, 1, columns, 1, &methods, "no digits below zero"};
    static const struct {
        const char *sql, *want;
    } cases[] = {
        {"SELECT digit FROM digits(407)", "4 0 7 "},
        {"SELECT sum(digit) FROM digits WHERE n = 999", "27 "},
        {"SELECT a.digit || b.digit FROM digits(12) AS a, digits(a.digit * 11) AS b WHERE b.rowid = 2", "11 22 "},
        {"SELECT digit FROM digits(-1)", "no digits below zero"},
        {"SELECT digit FROM digits(12345)", "1 2 3 4 too many digits"},
        {"SELECT digit FROM digits", "first argument to \"digits()\" missing or unusable"},
        {"SELECT * FROM digits(5) JOIN generate_series(1, 2)", "5 5 "},
        {"INSERT INTO digits VALUES (1)", "table digits may not be modified"},
    };
    struct oracle o = {.context = ""};
    if (!oracle_open(&o, "tables")) return;
    CHECK_EQ(skerry_create_table_function(o.db, &digits), SKERRY_OK);
    CHECK_EQ(skerry_create_table_function(o.db, &digits), ERR_BUSY);
    for (u32 i = 0; i < COUNT_OF(cases); i++) {
        char got[400] = "";
        if (skerry_exec(o.db, cases[i].sql, first_column, got) != SKERRY_OK)
            snprintf(got + strlen(got), sizeof got - strlen(got), "%.150s", skerry_error(o.db)->text);
        if (strcmp(got, cases[i].want) != 0) test_fail(__FILE__, __LINE__, "%s gives %s", cases[i].sql, got);
    }
    oracle_close(&o);
}

// A comparison with the value ends a series, however long it is, and changes no row: `+value` is compared with each.
TEST(series_end_where_nothing_more_is_wanted)
{
    static const struct {
        const char *sql, *want;
    } endless[] = {
        {"SELECT value FROM generate_series(1) WHERE value <= 3", "1 2 3 "},
        {"SELECT value FROM generate_series(-9223372036854775808, 9223372036854775807, 2) WHERE value BETWEEN 0.5 AND 6.25", "2 4 6 "},
        {"SELECT value FROM generate_series(1, 9223372036854775807) WHERE value > 9223372036854775000.0 LIMIT 1", "9223372036854774785 "},
        {"SELECT value FROM generate_series(-9223372036854775808, 9223372036854775807) WHERE value > 9223372036854775806", "9223372036854775807 "},
        {"SELECT value FROM generate_series(9223372036854775807, -9223372036854775808, -3) WHERE value < 10 AND value > -4", "7 4 1 -2 "},
        {"SELECT value FROM generate_series(1, 9e18) WHERE 5 = value", "5 "},
        {"SELECT value FROM generate_series(1, 9e18) WHERE value BETWEEN 4 AND 1", ""},
        {"SELECT value FROM generate_series(1, 9e18) WHERE value > 1e19", ""},
        {"SELECT value FROM generate_series(1, 9e18) WHERE value < NULL", ""},
        {"SELECT (SELECT count(*) FROM generate_series(1, 9e18) WHERE value < x) FROM (SELECT 5 AS x UNION ALL SELECT 7)", "4 6 "},
    };
    static const char *const operators[] = {"<", "<=", ">", ">=", "="};
    static const char *const others[] = {"NULL", "'5'", "x'00'", "-1e300", "1e300", "2.5", "-2.5", "9223372036854775807", "-9223372036854775808"};
    struct oracle o = {.context = ""};
    if (!oracle_open(&o, "series")) return;
    for (u32 i = 0; i < COUNT_OF(endless); i++) {
        char got[400] = "";
        if (skerry_exec(o.db, endless[i].sql, first_column, got) != SKERRY_OK) test_fail(__FILE__, __LINE__, "%s: %s", endless[i].sql, skerry_error(o.db)->text);
        if (strcmp(got, endless[i].want) != 0) test_fail(__FILE__, __LINE__, "%s gives %s", endless[i].sql, got);
    }
    u64 random = test_seed();
    for (u32 i = 0; i < 20000 && !test_failed(); i++) {
        char sql[2][300], bound[2][60], got[2][400] = {"", ""};
        const int start = (int)(test_random(&random) % 21) - 10, stop = (int)(test_random(&random) % 21) - 10, step = (int)(test_random(&random) % 9) - 4;
        const char *const first = operators[test_random(&random) % COUNT_OF(operators)], *const second = operators[test_random(&random) % COUNT_OF(operators)];
        for (u32 k = 0; k < 2; k++) {
            if (test_random(&random) % 4 == 0)
                snprintf(bound[k], sizeof bound[k], "%s", others[test_random(&random) % COUNT_OF(others)]);
            else
                snprintf(bound[k], sizeof bound[k], "%d", (int)(test_random(&random) % 31) - 15);
        }
        for (u32 k = 0; k < 2; k++) {
            snprintf(sql[k], sizeof sql[k], "SELECT rowid || ':' || value FROM generate_series(%d, %d, %d) WHERE %svalue %s %s AND %svalue %s %s", start, stop, step,
                     k ? "+" : "", first, bound[0], k ? "+" : "", second, bound[1]);
            if (skerry_exec(o.db, sql[k], first_column, got[k]) != SKERRY_OK) test_fail(__FILE__, __LINE__, "%s: %s", sql[k], skerry_error(o.db)->text);
        }
        if (strcmp(got[0], got[1]) != 0) test_fail(__FILE__, __LINE__, "%s gives %s, with +value %s", sql[0], got[0], got[1]);
    }
    oracle_close(&o);
}

int main(int argc, char **argv) { return test_main(argc, argv); }
