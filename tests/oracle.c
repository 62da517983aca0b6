#include "oracle_same.h"

#include "../io/sim.h"

#include <sqlite3.h>
#include <stdarg.h>
#include <unistd.h>

// What SQLite's library leaks (3.40 does where full-text tables have others' content) is none of ours.
const char *__lsan_default_suppressions(void);
const char *__lsan_default_options(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libsqlite3";
}

const char *__lsan_default_options(void)
{
    return "print_suppressions=0";
}

void rows_add(struct rows *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char piece[600];
    int n = vsnprintf(piece, sizeof(piece), format, args);
    va_end(args);
    if (n < 0) return;
    size_t size = MIN((size_t)n, sizeof(piece) - 1);
    if (r->size + size + 1 > r->capacity) {
        r->capacity = (r->capacity + size + 1) * 2;
        r->text = realloc(r->text, r->capacity);
    }
    memcpy(r->text + r->size, piece, size + 1);
    r->size += size;
}

static void rows_add_bytes(struct rows *r, char kind, const u8 *bytes, size_t size)
{
    rows_add(r, "%c:", kind);
    for (size_t i = 0; i < size && i < 200; i++)
        rows_add(r, bytes[i] >= 32 && bytes[i] < 127 ? "%c" : "\\x%02x", bytes[i]);
    if (size > 200) rows_add(r, "...(%zu)", size);
    rows_add(r, "|");
}

void outcome_clear(struct outcome *o)
{
    free(o->rows.text);
    free(o->columns.text);
    *o = (struct outcome){0};
}

void run_sqlite(sqlite3 *db, const char *sql, size_t size, struct outcome *out)
{
    sqlite3_stmt *stmt = NULL;
    const char *tail = sql + size;
    out->code = sqlite3_prepare_v2(db, sql, (int)size, &stmt, &tail);
    out->used = (size_t)(tail - sql);
    out->offset = out->code ? sqlite3_error_offset(db) : -1;
    for (int i = 0; i < sqlite3_column_count(stmt); i++) rows_add(&out->columns, "%s|", sqlite3_column_name(stmt, i));
    out->ran = out->code == SQLITE_OK;
    while (stmt && (out->code = sqlite3_step(stmt)) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(stmt); i++) {
            switch (sqlite3_column_type(stmt, i)) {
            case SQLITE_INTEGER:
                rows_add(&out->rows, "I:%lld|", sqlite3_column_int64(stmt, i));
                break;
            case SQLITE_FLOAT:
                rows_add(&out->rows, "R:%.17g|", sqlite3_column_double(stmt, i));
                break;
            case SQLITE_TEXT:
                rows_add_bytes(&out->rows, 'T', sqlite3_column_text(stmt, i), (size_t)sqlite3_column_bytes(stmt, i));
                break;
            case SQLITE_BLOB:
                rows_add_bytes(&out->rows, 'B', sqlite3_column_blob(stmt, i), (size_t)sqlite3_column_bytes(stmt, i));
                break;
            default:
                rows_add(&out->rows, "N|");
            }
        }
        rows_add(&out->rows, "\n");
    }
    if (out->code == SQLITE_DONE) out->code = SQLITE_OK;
    if (out->code != SQLITE_OK) {
        out->code = sqlite3_extended_errcode(db);
        snprintf(out->error, sizeof(out->error), "%s", sqlite3_errmsg(db));
    }
    sqlite3_finalize(stmt);
    out->changes = sqlite3_changes64(db);
    out->total_changes = sqlite3_total_changes64(db);
    out->last_rowid = sqlite3_last_insert_rowid(db);
}

// Of processor time for a statement: what takes SQLite a fraction of a second must not take ours for ever.
enum { OURS_SECONDS_MAX = 60 };

void run_skerry(struct skerry *db, const char *sql, size_t size, struct outcome *out)
{
    struct skerry_stmt *stmt = NULL;
    out->used = size;
    while ((out->code = skerry_prepare(db, sql, size, &stmt, &out->used)) == SKERRY_WAIT) skerry_wait(db);
    out->offset = out->code ? (int)skerry_error(db)->offset : -1;
    for (u32 i = 0; stmt && i < skerry_column_count(stmt); i++) rows_add(&out->columns, "%s|", skerry_column_name(stmt, i));
    out->ran = out->code == SKERRY_OK;
    const clock_t begun = clock();
    while (out->code == SKERRY_OK && stmt) {
        int code = skerry_step(stmt);
        if (code == SKERRY_WAIT) {
            if (clock() - begun > OURS_SECONDS_MAX * CLOCKS_PER_SEC) skerry_interrupt(db);
            skerry_wait(db);
            continue;
        }
        if (code == SKERRY_DONE) break;
        if (code != SKERRY_ROW) {
            out->code = code;
            break;
        }
        for (u32 i = 0; i < skerry_column_count(stmt); i++) {
            const struct value *v = skerry_column(stmt, i);
            switch (skerry_column_type(stmt, i)) {
            case VALUE_INTEGER:
                rows_add(&out->rows, "I:%lld|", (long long)v->integer);
                break;
            case VALUE_REAL:
                rows_add(&out->rows, "R:%.17g|", v->real);
                break;
            case VALUE_TEXT:
                rows_add_bytes(&out->rows, 'T', v->bytes, v->size);
                break;
            case VALUE_BLOB: {
                size_t blob_size;
                const void *bytes = skerry_column_blob(stmt, i, &blob_size);
                rows_add_bytes(&out->rows, 'B', bytes, blob_size);
                break;
            }
            case VALUE_NULL:
                rows_add(&out->rows, "N|");
                break;
            }
        }
        rows_add(&out->rows, "\n");
    }
    if (out->code != SKERRY_OK) {
        out->code = skerry_errcode(db);
        snprintf(out->error, sizeof(out->error), "%s", skerry_error(db)->text);
    }
    if (stmt) {
        int code;
        while ((code = skerry_reset(stmt)) == SKERRY_WAIT) skerry_wait(db);
        if (code != SKERRY_OK && out->code == SKERRY_OK) {
            out->code = skerry_errcode(db);
            snprintf(out->error, sizeof(out->error), "%s", skerry_error(db)->text);
        }
        skerry_finalize(stmt);
    }
    out->changes = skerry_changes(db);
    out->total_changes = skerry_total_changes(db);
    out->last_rowid = skerry_last_insert_rowid(db);
}

static int line_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void rows_sort(struct rows *r)
{
    u32 count = 0;
    for (size_t i = 0; i < r->size; i++) count += r->text[i] == '\n';
    if (count < 2) return;
    char **lines = malloc(count * sizeof(*lines)), *copy = strdup(r->text), *next = copy;
    for (u32 i = 0; i < count; i++) {
        lines[i] = next;
        next = strchr(next, '\n');
        *next++ = 0;
    }
    qsort(lines, count, sizeof(*lines), line_compare);
    r->size = 0;
    for (u32 i = 0; i < count; i++) {
        size_t size = strlen(lines[i]);
        memcpy(r->text + r->size, lines[i], size);
        r->text[r->size + size] = '\n';
        r->size += size + 1;
    }
    r->text[r->size] = 0;
    free(lines);
    free(copy);
}

static bool open_skerry(struct oracle *o)
{
    struct err err = ERR_CLEAR;
    if (skerry_open(o->engine, o->path, SKERRY_OPEN_CREATE, &o->db, &err)) return true;
    test_fail(__FILE__, __LINE__, "cannot open %s: %s", o->path, err.text);
    return false;
}

static void beside_end(struct oracle *o, u32 i)
{
    struct skerry_stmt *s = o->beside[i];
    o->beside[i] = NULL;
    if (!s) return;
    while (skerry_reset(s) == SKERRY_WAIT) skerry_wait(o->db);
    skerry_finalize(s);
}

// Each query under way goes on by a row; which rows is not said, since what changes under it may or may not be seen.
static void beside_step(struct oracle *o)
{
    for (u32 i = 0; i < ORACLE_BESIDE; i++) {
        if (!o->beside[i]) continue;
        int code;
        while ((code = skerry_step(o->beside[i])) == SKERRY_WAIT) skerry_wait(o->db);
        if (code != SKERRY_ROW) beside_end(o, i);
    }
}

static void beside_add(struct oracle *o, const char *sql, size_t size)
{
    u32 i = o->beside_count++ % ORACLE_BESIDE;
    size_t used;
    int code;
    beside_end(o, i);
    while ((code = skerry_prepare(o->db, sql, size, &o->beside[i], &used)) == SKERRY_WAIT) skerry_wait(o->db);
    if (code != SKERRY_OK) o->beside[i] = NULL;
}

// What is under way forbids some statements; those run alone.
static bool beside_forbids(const struct outcome *ours)
{
    int primary = ours->code & 255;
    return primary == SQLITE_LOCKED || primary == SQLITE_BUSY || strstr(ours->error, "SQL statements in progress") ||
           strstr(ours->error, " is locked");
}

static bool is_on(struct outcome *flag)
{
    bool on = flag->rows.text && strcmp(flag->rows.text, "I:1|\n") == 0;
    outcome_clear(flag);
    return on;
}

// PRAGMA defer_foreign_keys holds until a transaction ends, also that of a query that only the oracle runs.
bool keys_deferred(struct oracle *o)
{
    struct outcome flag = {0};
    run_sqlite(o->sqlite, "PRAGMA defer_foreign_keys", 25, &flag);
    return is_on(&flag);
}

void keys_defer(struct oracle *o) { sqlite3_exec(o->sqlite, "PRAGMA defer_foreign_keys = ON", NULL, NULL, NULL); }

static bool our_keys_deferred(struct oracle *o)
{
    struct outcome flag = {0};
    run_skerry(o->db, "PRAGMA defer_foreign_keys", 25, &flag);
    return is_on(&flag);
}

static void our_keys_defer(struct oracle *o, bool on)
{
    struct outcome done = {0};
    run_skerry(o->db, on ? "PRAGMA defer_foreign_keys = 1" : "PRAGMA defer_foreign_keys = 0", 29, &done);
    outcome_clear(&done);
}

static void run_interleaved(struct oracle *o, const char *sql, size_t size, struct outcome *ours)
{
    bool deferred = our_keys_deferred(o);
    beside_step(o);
    if (deferred) our_keys_defer(o, true);
    run_skerry(o->db, sql, size, ours);
    if (beside_forbids(ours)) {
        for (u32 i = 0; i < ORACLE_BESIDE; i++) beside_end(o, i);
        outcome_clear(ours);
        if (deferred) our_keys_defer(o, true);
        run_skerry(o->db, sql, size, ours);
    }
    if (!is_query(sql) || ours->code) return;
    deferred = our_keys_deferred(o);
    beside_add(o, sql, size);
    if (deferred) our_keys_defer(o, true);
}

static void close_skerry(struct oracle *o)
{
    for (u32 i = 0; o->db && i < ORACLE_BESIDE; i++) beside_end(o, i);
    while (o->db && skerry_close(o->db, NULL) == SKERRY_WAIT) skerry_wait(o->db);
    o->db = NULL;
}

static bool open_both(struct oracle *o, const struct skerry_engine_options *options)
{
    struct err err = ERR_CLEAR;
    if (!skerry_engine_create(options, &o->engine, &err)) {
        test_fail(__FILE__, __LINE__, "no engine: %s", err.text);
        return false;
    }
    if (sqlite3_open(":memory:", &o->sqlite) != SQLITE_OK) return false;
    sqlite3_extended_result_codes(o->sqlite, 1);
    enum { FP_DIGITS = 1023 }; // SQLITE_DBCONFIG_FP_DIGITS of release 3.53, which would give 17; older ones do not know it
    sqlite3_db_config(o->sqlite, FP_DIGITS, 15, NULL);
    return open_skerry(o);
}

bool oracle_open_cached(struct oracle *o, const char *name, u64 cache_bytes)
{
    *o = (struct oracle){.context = name};
    snprintf(o->path, sizeof(o->path), "%s/%s.db", test_dir(), name);
    for (char *p = strrchr(o->path, '/') + 1; *p; p++)
        if (*p == ' ' || *p == '/') *p = '_';
    remove(o->path);
    return open_both(o, &(struct skerry_engine_options){.backend = IO_BACKEND_POSIX, .cache_bytes = cache_bytes});
}

bool oracle_open_deferring(struct oracle *o, u64 seed)
{
    struct err err = ERR_CLEAR;
    *o = (struct oracle){.context = "deferring", .path = "/db"};
    o->sim = sim_create(seed);
    o->io = io_create(&(struct io_options){.backend = IO_BACKEND_SIM, .sim = o->sim, .seed = seed}, &err);
    if (!o->io) {
        test_fail(__FILE__, __LINE__, "no loop: %s", err.text);
        return false;
    }
    return open_both(o, &(struct skerry_engine_options){.io = o->io, .cache_bytes = 12 * 4096, .checkpoint_frames = 50});
}

bool oracle_open(struct oracle *o, const char *name)
{
    return oracle_open_cached(o, name, 0);
}

static bool keys_enforced(struct oracle *o)
{
    int on = 0;
    sqlite3_db_config(o->sqlite, SQLITE_DBCONFIG_ENABLE_FKEY, -1, &on);
    return on;
}

// The hash by which statements about all tables take them is another one in later releases (docs/sql.md).
static bool tables_reordered(const char *sql)
{
    static const char *const all[] = {"table_list", "foreign_key_check", "integrity_check", "quick_check", "sqlite_stat"};
    for (u32 i = 0; i < COUNT_OF(all) && sqlite3_libversion_number() >= 3041000; i++)
        if (strcasestr(sql, all[i])) return true;
    return false;
}

bool oracle_run(struct oracle *o, const char *sql)
{
    u32 before = o->differences;
    size_t left = strlen(sql);
    while (left > 0) {
        for (; left > 1 && *sql == ' '; left--) sql++;
        struct outcome ours = {0}, theirs = {0};
        if (o->doubt == ORACLE_DOUBT_SELECTED && selected_is_disputed(o, sql)) {
            o->doubted = o->gave_up = true;
            return false;
        }
        // A default computed once for all rows would be of the type of the keys that reference it, from the second row on.
        enum { FACTORING = 8 }; // SQLITE_FactorOutConst
        // What "excluded" is hangs on it too.
        const bool factoring_off = o->lenient_order && !is_query(sql) && !strstr(sql, "excluded.") && keys_enforced(o);
        const u32 left_out = o->doubt == ORACLE_DOUBT_PLANS ? 0xffffffff : factoring_off ? FACTORING : 0;
        sqlite3_test_control(SQLITE_TESTCTRL_OPTIMIZATIONS, o->sqlite, left_out);
        run_sqlite(o->sqlite, sql, left, &theirs);
        sqlite3_test_control(SQLITE_TESTCTRL_OPTIMIZATIONS, o->sqlite, 0);
        // Where it failed may be in the middle.
        size_t used = theirs.used && !(theirs.code && (o->columns || sql[theirs.used - 1] != ';')) ? theirs.used : left;
        if (theirs.code == SQLITE_INTERRUPT) { // of oracle_limit: ours would have as much to do
            o->gave_up = true;
            outcome_clear(&theirs);
            return false;
        }
        if (o->interleaved) run_interleaved(o, sql, used, &ours);
        else run_skerry(o->db, sql, used, &ours);
        o->statements++;
        o->refused = (theirs.code & 255) == SQLITE_ERROR;
        o->ours_refused = (ours.code & 255) == SQLITE_ERROR;
        if (ours.code == SQLITE_INTERRUPT) o->timed_out = o->gave_up = true;
        if ((o->any_order && !is_plan(sql)) || tables_reordered(sql)) {
            rows_sort(&ours.rows);
            rows_sort(&theirs.rows);
        }
        if (is_plan(sql)) {
            plan_number(&ours.rows, sqlite3_libversion_number() < 3041000);
            plan_number(&theirs.rows, false);
        }
        const bool deferred = keys_deferred(o);
        bool equal = outcomes_same(o, sql, used, &ours, &theirs);
        if (deferred) keys_defer(o);
        const bool undone = theirs.code && used >= 5 && strncasecmp(sql, "ALTER", 5) == 0 && !oracle_in_transaction(o);
        outcome_clear(&ours);
        outcome_clear(&theirs);
        // Ours sees before it begins what SQLite sees once it is at it, which ends the deferring.
        if (undone && !deferred) our_keys_defer(o, false);
        if (!equal || o->gave_up) return false; // what follows would only echo it
        sql += used;
        left -= used;
    }
    return o->differences == before;
}

void oracle_answer(struct oracle *o, const char *sql, char *out, size_t size)
{
    struct outcome ours = {0}, theirs = {0};
    run_skerry(o->db, sql, strlen(sql), &ours);
    run_sqlite(o->sqlite, sql, strlen(sql), &theirs); // what it changes counts for what comes after
    outcome_clear(&theirs);
    if (is_plan(sql)) plan_number(&ours.rows, false);
    if (ours.code) snprintf(out, size, "error: %s", ours.error);
    else snprintf(out, size, "%s", ours.rows.text ? ours.rows.text : "");
    for (char *p = out; *p; p++)
        if (*p == '\n') *p = p[1] ? ' ' : 0;
    o->reopened = true; // it counts on its own from here on
    outcome_clear(&ours);
}

// How a full-text index is cut into segments is each one's own matter.
#define EACH_TABLE                                                                                                     \
    "SELECT name FROM main.sqlite_schema WHERE type='table' AND name NOT LIKE 'sqlite_stat%' AND "                          \
    "name NOT IN ('t_data', 't_idx') AND sql NOT LIKE '%, origin INTEGER)' ORDER BY name"

static bool has_rowid(struct oracle *o, const char *table)
{
    char sql[400];
    sqlite3_stmt *stmt = NULL;
    snprintf(sql, sizeof(sql), "SELECT rowid FROM main.\"%s\"", table);
    int code = sqlite3_prepare_v2(o->sqlite, sql, -1, &stmt, NULL);
    sqlite3_finalize(stmt);
    return code == SQLITE_OK;
}

static int give_up(void *context)
{
    enum { BYTES_MAX = 64 << 20 }; // of all databases: in triggers values grow twofold at each turn, and a simulated disk keeps many states
    struct oracle *o = context;
    int bytes = 0, most;
    sqlite3_db_status(o->sqlite, SQLITE_DBSTATUS_CACHE_USED, &bytes, &most, 0);
    return --o->instructions_left < 0 || bytes > BYTES_MAX || clock() > o->gives_up_at;
}

void oracle_limit(struct oracle *o, int instructions)
{
    o->instructions_left = instructions / 1000;
    o->gives_up_at = clock() + 10 * CLOCKS_PER_SEC; // few of them may take long: texts that grow, in a queue that is sorted
    sqlite3_progress_handler(o->sqlite, 1000, give_up, o);
    // Opening the cursors of triggers within triggers takes it the square of their depth.
    enum { TRIGGER_DEPTH_MAX = 60 };
    sqlite3_limit(o->sqlite, SQLITE_LIMIT_TRIGGER_DEPTH, TRIGGER_DEPTH_MAX);
    skerry_limit(o->db, SKERRY_LIMIT_TRIGGER_DEPTH, TRIGGER_DEPTH_MAX);
}

bool oracle_in_transaction(struct oracle *o)
{
    return !sqlite3_get_autocommit(o->sqlite);
}

bool oracle_compare_contents(struct oracle *o)
{
    u32 before = o->differences;
    sqlite3_stmt *tables = NULL;
    bool lenient = o->lenient_order;
    o->lenient_order = o->either_number;
    sqlite3_progress_handler(o->sqlite, 0, NULL, NULL); // what oracle_limit leaves is for statements
    if (sqlite3_prepare_v2(o->sqlite, EACH_TABLE, -1, &tables, NULL) != SQLITE_OK) return false;
    while (sqlite3_step(tables) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(tables, 0);
        char sql[400];
        snprintf(sql, sizeof(sql), "SELECT %s* FROM main.\"%s\"", has_rowid(o, name) && !o->vacuumed ? "rowid, " : "", name);
        struct outcome ours = {0}, theirs = {0};
        run_sqlite(o->sqlite, sql, strlen(sql), &theirs);
        run_skerry(o->db, sql, strlen(sql), &ours);
        rows_sort(&ours.rows);
        rows_sort(&theirs.rows);
        outcomes_same(o, sql, strlen(sql), &ours, &theirs);
        outcome_clear(&ours);
        outcome_clear(&theirs);
    }
    sqlite3_finalize(tables);
    o->lenient_order = lenient;
    return o->differences == before;
}

// The simulated disk's file where SQLite finds it.
static void sim_export(struct oracle *o, const char *path, const char *suffix)
{
    char from[700], to[700];
    u64 size;
    snprintf(from, sizeof from, "%s%s", o->path, suffix);
    snprintf(to, sizeof to, "%s%s", path, suffix);
    remove(to);
    u8 *bytes = sim_file_get(o->sim, from, &size);
    FILE *f = bytes ? fopen(to, "wb") : NULL;
    if (f) {
        fwrite(bytes, 1, size, f);
        fclose(f);
    }
    free(bytes);
}

bool oracle_check_file(struct oracle *o)
{
    u32 before = o->differences;
    char path[600];
    snprintf(path, sizeof path, "%s", o->path);
    close_skerry(o);
    if (o->sim) {
        snprintf(path, sizeof path, "%s/deferring.db", test_dir());
        sim_export(o, path, "");
        sim_export(o, path, "-wal");
    }
    sqlite3 *file = NULL;
    struct outcome check = {0}, own = {0};
    run_sqlite(o->sqlite, "PRAGMA integrity_check", 22, &own);
    if (access(path, F_OK) != 0) o->gave_up = true; // nothing was ever written
    if (own.code || (own.rows.text && strcmp(own.rows.text, "T:ok|\n") != 0)) o->gave_up = true; // it harmed itself
    // An index or CHECK by LIKE is of what PRAGMA case_sensitive_like said then; where it is set SQLite does not read such an index.
    static const char CASED[] = "SELECT 'a' NOT LIKE 'A' AND max(instr(upper(sql), 'LIKE')) > 0 FROM sqlite_schema WHERE type IN ('index', 'table')";
    struct outcome cased = {0};
    run_sqlite(o->sqlite, CASED, strlen(CASED), &cased);
    if (cased.rows.text && strcmp(cased.rows.text, "I:1|\n") == 0) o->gave_up = true;
    outcome_clear(&cased);
    int code = sqlite3_open_v2(path, &file, SQLITE_OPEN_READWRITE, NULL);
    // What was let in is told by neither.
    struct outcome unchecked = {0};
    run_sqlite(o->sqlite, "PRAGMA ignore_check_constraints", 31, &unchecked);
    if (code == SQLITE_OK && strcmp(unchecked.rows.text, "I:1|\n") == 0)
        sqlite3_exec(file, "PRAGMA ignore_check_constraints = ON", NULL, NULL, NULL);
    outcome_clear(&unchecked);
    if (code == SQLITE_OK) run_sqlite(file, "PRAGMA integrity_check", 22, &check);
    if (o->gave_up) {
        // Nothing to compare with.
    } else if (code != SQLITE_OK || check.code || !check.rows.text || strcmp(check.rows.text, "T:ok|\n") != 0) {
        o->differences++;
        if (!o->quiet)
            test_fail(__FILE__, __LINE__, "%s: integrity_check: %d %s %s", o->context, code ? code : check.code, check.error,
                  check.rows.text ? check.rows.text : "");
    }
    outcome_clear(&check);
    outcome_clear(&own);
    sqlite3_stmt *tables = NULL;
    if (sqlite3_prepare_v2(o->sqlite, EACH_TABLE, -1, &tables, NULL) == SQLITE_OK) {
        while (sqlite3_step(tables) == SQLITE_ROW) {
            char sql[400];
            snprintf(sql, sizeof(sql), "SELECT * FROM main.\"%s\"", (const char *)sqlite3_column_text(tables, 0));
            struct outcome ours = {0}, theirs = {0};
            run_sqlite(o->sqlite, sql, strlen(sql), &theirs);
            run_sqlite(file, sql, strlen(sql), &ours);
            rows_sort(&ours.rows);
            rows_sort(&theirs.rows);
            ours.changes = theirs.changes;
            ours.total_changes = theirs.total_changes;
            ours.last_rowid = theirs.last_rowid;
            outcomes_same(o, sql, strlen(sql), &ours, &theirs);
            outcome_clear(&ours);
            outcome_clear(&theirs);
        }
        sqlite3_finalize(tables);
    }
    sqlite3_close(file);
    if (!open_skerry(o)) return false;
    o->reopened = true;
    static const char *const settings[] = {"foreign_keys", "recursive_triggers"};
    for (u32 i = 0; i < COUNT_OF(settings); i++) {
        char sql[100];
        struct outcome value = {0}, ours = {0};
        snprintf(sql, sizeof(sql), "PRAGMA %s", settings[i]);
        run_sqlite(o->sqlite, sql, strlen(sql), &value);
        snprintf(sql, sizeof(sql), "PRAGMA %s = %c", settings[i], value.rows.text ? value.rows.text[2] : '0');
        run_skerry(o->db, sql, strlen(sql), &ours);
        outcome_clear(&value);
        outcome_clear(&ours);
    }
    return o->differences == before;
}

bool oracle_has_table(struct oracle *o, const char *name)
{
    char sql[100];
    sqlite3_stmt *stmt = NULL;
    snprintf(sql, sizeof(sql), "SELECT 1 FROM \"%s\"", name);
    int code = sqlite3_prepare_v2(o->sqlite, sql, -1, &stmt, NULL);
    sqlite3_finalize(stmt);
    return code == SQLITE_OK;
}

void oracle_close(struct oracle *o)
{
    close_skerry(o);
    if (o->engine) skerry_engine_destroy(o->engine);
    if (o->io) io_destroy(o->io);
    if (o->sim) sim_destroy(o->sim);
    sqlite3_close(o->sqlite);
}

// All statements on Skerry alone, with the rows wanted.
static void script_alone(struct oracle *o, const struct oracle_script *script)
{
    struct rows all = {0};
    rows_add(&all, "%s", "");
    const char *sql = script->sql;
    for (size_t left = strlen(sql); left;) {
        struct outcome ours = {0};
        run_skerry(o->db, sql, left, &ours);
        if (ours.rows.text)
            for (const char *c = ours.rows.text; *c; c++) rows_add(&all, "%c", *c);
        if (ours.code) rows_add(&all, "%s\n", ours.error);
        sql += ours.used;
        left -= ours.used;
        if (!ours.used) left = 0;
        outcome_clear(&ours);
    }
    if (strcmp(all.text, script->want) != 0)
        test_fail(__FILE__, __LINE__, "%s: gives\n%swant\n%s", script->name, all.text, script->want);
    free(all.text);
}

void oracle_run_scripts(const struct oracle_script *scripts, u32 count)
{
    for (u32 i = 0; i < count; i++) {
        struct oracle o;
        if (!oracle_open(&o, scripts[i].name)) return;
        if (scripts[i].want) script_alone(&o, &scripts[i]);
        if (scripts[i].want && sqlite3_libversion_number() < 3050000) {
            oracle_close(&o);
            continue;
        }
        if (scripts[i].want) {
            oracle_close(&o);
            if (!oracle_open(&o, scripts[i].name)) return;
        }
        if (oracle_run(&o, scripts[i].sql) && !oracle_in_transaction(&o)) {
            oracle_compare_contents(&o);
            oracle_check_file(&o);
        }
        oracle_close(&o);
    }
}
