#include "oracle.h"

#include "../io/sim.h"

#include <sqlite3.h>
#include <stdarg.h>
#include <unistd.h>

// Rows as text, one value after the other: "I:1|T:'x'|".
struct rows {
    char *text;
    size_t size, capacity;
};

static void rows_add(struct rows *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void rows_add(struct rows *r, const char *format, ...)
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

struct outcome {
    int code;
    char error[ERR_TEXT_MAX];
    struct rows rows;
    s64 changes, total_changes, last_rowid;
    size_t used;
    int offset;
    bool ran; // it was compiled
    struct rows columns; // their names
};

static void outcome_clear(struct outcome *o)
{
    free(o->rows.text);
    free(o->columns.text);
    *o = (struct outcome){0};
}

static void run_sqlite(sqlite3 *db, const char *sql, size_t size, struct outcome *out)
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

static void run_skerry(struct skerry *db, const char *sql, size_t size, struct outcome *out)
{
    struct skerry_stmt *stmt = NULL;
    out->used = size;
    while ((out->code = skerry_prepare(db, sql, size, &stmt, &out->used)) == SKERRY_WAIT) skerry_wait(db);
    out->offset = out->code ? (int)skerry_error(db)->offset : -1;
    for (u32 i = 0; stmt && i < skerry_column_count(stmt); i++) rows_add(&out->columns, "%s|", skerry_column_name(stmt, i));
    out->ran = out->code == SKERRY_OK;
    while (out->code == SKERRY_OK && stmt) {
        int code = skerry_step(stmt);
        if (code == SKERRY_WAIT) {
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

static void rows_sort(struct rows *r)
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

// What functions make of their arguments: whether they are called is the optimizer's choice.
static bool function_failed(const char *error)
{
    static const char *const texts[] = {"malformed JSON", "JSON cannot hold BLOB values", "integer overflow", "JSON path error near",
                                        "bad JSON path", "json_object", "ESCAPE expression must be", "invalid Unicode escape",
                                        "LIKE or GLOB pattern too complex",
                                        "frame starting offset must", "frame ending offset must"};
    for (u32 i = 0; i < COUNT_OF(texts); i++)
        if (strncmp(error, texts[i], strlen(texts[i])) == 0) return true;
    return false;
}

// "R:1" is as good as "I:1".
static char *without_kinds(const char *rows)
{
    struct rows r = {0};
    rows_add(&r, "%s", "");
    for (const char *line = rows, *end; *line; line = end + 1) {
        end = strchr(line, '\n');
        for (const char *c = line; c <= end; c++) rows_add(&r, "%c", c[0] == 'R' && c[1] == ':' ? 'I' : c[0]);
    }
    rows_sort(&r);
    return r.text;
}

// Nor is "T:1.0" of "T:1".
static char *without_real(const char *rows)
{
    struct rows r = {0};
    char *kinds = without_kinds(rows);
    rows_add(&r, "%s", "");
    for (const char *c = kinds; *c; c++) {
        if (strncmp(c, ".0", 2) == 0 && !(c[2] >= '0' && c[2] <= '9')) c += 2;
        rows_add(&r, "%c", *c);
    }
    free(kinds);
    return r.text;
}

// Digits behind the 17th of a number are those of an approximation in SQLite (docs/sql.md).
static char *without_last_digits(const char *rows)
{
    struct rows r = {0};
    u32 digits = 0;
    rows_add(&r, "%s", "");
    for (const char *c = rows; *c; c++) {
        bool digit = *c >= '0' && *c <= '9';
        if (digit ? ++digits > 17 : *c != '.') {
            if (digit) continue;
            digits = 0;
        }
        rows_add(&r, "%c", *c);
    }
    return r.text;
}

// PRAGMA table_list looks at views until it meets one that makes no sense: which those are is a matter of SQLite's hash table.
static char *without_view_widths(const char *rows)
{
    static const char view[] = "|T:view|I:";
    struct rows r = {0};
    rows_add(&r, "%s", "");
    for (const char *c = rows; *c; c++) {
        rows_add(&r, "%c", *c);
        if (strncmp(c, view, sizeof view - 1) != 0) continue;
        rows_add(&r, "%s", view + 1);
        c += sizeof view - 1;
        c += strspn(c, "0123456789") - 1;
    }
    rows_sort(&r);
    return r.text;
}

static bool same_without(char *(*without)(const char *rows), const char *a, const char *b)
{
    char *x = without(a), *y = without(b);
    bool same = strcmp(x, y) == 0;
    free(x);
    free(y);
    return same;
}

// Changes nothing: WITH may stand before what does.
static bool is_query(const char *sql)
{
    static const char *const changes[] = {" INSERT ", " REPLACE INTO ", " UPDATE ", " DELETE FROM "};
    if (strncasecmp(sql, "SELECT", 6) == 0) return true;
    if (strncasecmp(sql, "WITH", 4) != 0) return false;
    for (u32 i = 0; i < COUNT_OF(changes); i++)
        if (strstr(sql, changes[i])) return false;
    return true;
}

static bool is_plan(const char *sql) { return strncasecmp(sql, "EXPLAIN QUERY PLAN", 18) == 0; }

// Plans are trees: lines are numbered by where they stand, each program has its own addresses. as_old: without the filters that
// automatic indexes have since 3.41, and that IN has later.
static void plan_number(struct rows *r, bool as_old)
{
    enum { LINES_MAX = 200 };
    int ids[LINES_MAX], count = 0;
    struct rows out = {0};
    for (const char *line = r->text, *end; line && *line && count < LINES_MAX; line = end + 1) {
        end = strchr(line, '\n');
        int parent, used = 0, place = 0;
        if (sscanf(line, "I:%d|I:%d|I:%*d|%n", &ids[count], &parent, &used) < 2 || !used) break;
        const char *automatic = strstr(end, " USING AUTOMATIC "), *next = strchr(end + 1, '\n');
        if (as_old && strncmp(line + used, "T:BLOOM FILTER", 14) == 0 && automatic && automatic < next) continue;
        if (as_old && strncmp(line + used, "T:CREATE BLOOM FILTER", 21) == 0) continue;
        count++;
        for (int i = 0; i < count; i++)
            if (ids[i] == parent) place = i + 1;
        rows_add(&out, "I:%d|I:%d|%.*s\n", count, place, (int)(end - line) - used, line + used);
    }
    free(r->text);
    *r = out;
}

// A view or trigger has a join in parentheses. ALTER TABLE looks its tables' names up as if there were no such tables: what SQLite
// selects from a moment before is to it a mistake then (3.40 to 3.53).
static bool rename_misses_join(struct oracle *o, const char *sql, const struct outcome *theirs)
{
    if (strncasecmp(sql, "ALTER", 5) != 0 || strncmp(theirs->error, "error in ", 9) != 0 || !strstr(theirs->error, ": no such column: "))
        return false;
    char *query = sqlite3_mprintf("SELECT name FROM (SELECT name, sql FROM sqlite_schema UNION ALL SELECT name, sql FROM sqlite_temp_schema)"
                                  " WHERE (sql GLOB '*JOIN ([a-z]*' OR sql GLOB '*FROM ([a-z]*' OR sql GLOB '*, ([a-z]* JOIN *')"
                                  " AND instr(%Q, ' ' || name)", theirs->error);
    struct outcome found = {0};
    run_sqlite(o->sqlite, query, strlen(query), &found);
    sqlite3_free(query);
    bool any = found.rows.size > 0;
    outcome_clear(&found);
    return any;
}

// SQLite knows the name that UPDATE and DELETE give a view in SET, but not in WHERE (3.40 to 3.53).
static bool view_misses_alias(struct oracle *o, const char *sql, const struct outcome *theirs)
{
    char alias[60], in_update[80], in_delete[80];
    if (is_query(sql) || sscanf(theirs->error, "no such column: %50[^.].", alias) < 1) return false;
    snprintf(in_update, sizeof in_update, " AS %s SET ", alias);
    snprintf(in_delete, sizeof in_delete, " AS %s WHERE ", alias);
    if (!strstr(sql, in_update) && !(strstr(sql, "DELETE FROM ") && strstr(sql, in_delete))) return false;
    static const char triggers[] = "SELECT name FROM (SELECT name, sql FROM sqlite_schema UNION ALL SELECT name, sql FROM sqlite_temp_schema)"
                                   " WHERE sql LIKE '% INSTEAD OF %'";
    struct outcome found = {0};
    run_sqlite(o->sqlite, triggers, sizeof triggers - 1, &found);
    bool any = found.rows.size > 0;
    outcome_clear(&found);
    return any;
}

// DISTINCT by an index that has statistics searches behind each value; behind the last there is nothing, and the rows that NULLS
// FIRST or LAST has come in a second pass are missing (all releases).
static bool distinct_misses_pass(struct oracle *o, const char *sql, const char *ours, const char *theirs)
{
    if (!strcasestr(sql, "distinct") || !strcasestr(sql, "nulls ") || !oracle_has_table(o, "sqlite_stat1")) return false;
    for (const char *line = theirs, *end; *line; line = end + 1) {
        end = strchr(line, '\n');
        const char *at = ours;
        while ((at = memmem(at, strlen(at), line, (size_t)(end + 1 - line))) && at > ours && at[-1] != '\n') at++;
        if (!at) return false;
    }
    return true;
}

static bool same(struct oracle *o, const char *sql, size_t size, const struct outcome *ours, const struct outcome *theirs)
{
    const char *our_rows = ours->rows.text ? ours->rows.text : "", *their_rows = theirs->rows.text ? theirs->rows.text : "";
    // What SQLite gives up on: its own index of generated columns, triggers that move what REPLACE holds.
    if (theirs->code == SQLITE_CORRUPT_INDEX || theirs->code == SQLITE_CONSTRAINT_PINNED) o->gave_up = true;
    if (o->gave_up) return true;
    o->windows |= strstr(sql, " OVER ") != NULL;
    bool vacuum = size >= 6 && strncasecmp(sql, "VACUUM", 6) == 0;
    o->vacuumed |= vacuum && !theirs->code;
    if (vacuum) o->rowid_unknown = true;
    else if (ours->last_rowid == theirs->last_rowid) o->rowid_unknown = false;
    if (o->lenient_order && (ours->code == SQLITE_ERROR) != (theirs->code == SQLITE_ERROR) && (ours->ran || theirs->ran) &&
        function_failed(ours->code ? ours->error : theirs->error)) {
        o->gave_up = true;
        return true;
    }
    if (o->rows_misused && !theirs->code && (strcmp(ours->error, "row value misused") == 0 || strncmp(ours->error, "sub-select returns ", 19) == 0)) {
        o->gave_up = true;
        return true;
    }
    // An aggregate of the query around, in a subquery beside window functions: SQLite has lost track of it.
    if (o->lenient_order && (ours->code & 255) != SQLITE_ERROR && strncmp(theirs->error, "misuse of aggregate", 19) == 0 &&
        (o->windows || sqlite3_libversion_number() < 3050000)) {
        o->gave_up = !is_query(sql);
        return true;
    }
    // Where such a query is divided into partitions, the WHERE around it becomes a HAVING that it then refuses (3.40 to 3.53).
    if (o->lenient_order && o->several_mistakes && (ours->code & 255) != SQLITE_ERROR &&
        strcmp(theirs->error, "HAVING clause on a non-aggregate query") == 0) {
        o->gave_up = !is_query(sql);
        return true;
    }
    // Likewise in a subquery that SQLite leaves out because it finds beforehand that no row can come of it.
    if (o->lenient_order && !theirs->code && strncmp(ours->error, "misuse of aggregate: ", 21) == 0) {
        o->gave_up = !is_query(sql);
        return true;
    }
    // So does 3.40 where a row replaces none, and it tells of a schema that changed.
    if (o->lenient_order && sqlite3_libversion_number() < 3050000 && !ours->code && theirs->code == SQLITE_CONSTRAINT_FOREIGNKEY) o->gave_up = true;
    if (o->lenient_order && ours->code == SQLITE_ERROR && theirs->code == SQLITE_SCHEMA && strcmp(ours->error, theirs->error) == 0) return true;
    // REPLACE in a table that references itself with an action lets rows without a parent in: SQLite says so itself.
    if (o->lenient_order && !theirs->code && ours->code == SQLITE_CONSTRAINT_FOREIGNKEY) {
        struct outcome orphans = {0};
        run_sqlite(o->sqlite, "PRAGMA foreign_key_check", 24, &orphans);
        o->gave_up = orphans.rows.text && orphans.rows.text[0];
        outcome_clear(&orphans);
        if (o->gave_up) return true;
    }
    if (o->rowid_unknown && strstr(sql, "last_insert_rowid(")) return true;
    // SQLite 3.50 forgets to check the type of a stored generated column of a STRICT table: it says so itself afterwards.
    if (o->lenient_order && !theirs->code && ours->code == SQLITE_CONSTRAINT_DATATYPE) {
        struct outcome harm = {0};
        run_sqlite(o->sqlite, "PRAGMA integrity_check", 22, &harm);
        o->gave_up = harm.rows.text && strcmp(harm.rows.text, "T:ok|\n") != 0;
        outcome_clear(&harm);
        if (o->gave_up) return true;
    }
    // It also takes RIGHT JOIN beside a view that joins for a mistake now and then; 3.53 does not.
    if (o->lenient_order && !ours->code && strcmp(theirs->error, "ON clause references tables to its right") == 0) {
        o->gave_up = !is_query(sql);
        return true;
    }
    if (o->lenient_order && !ours->code && (rename_misses_join(o, sql, theirs) || view_misses_alias(o, sql, theirs))) {
        o->gave_up = true;
        return true;
    }
    // An ALTER that fails within a transaction leaves SQLite's schema as if it had not.
    if (o->several_mistakes && theirs->code && size >= 5 && strncasecmp(sql, "ALTER", 5) == 0 && oracle_in_transaction(o)) o->gave_up = true;
    // Of a schema that is in disorder either may tell other things first.
    static const char *const disorder[] = {"no such table: main.", "foreign key mismatch", "no such table: other.", "no such table: temp.", "error in "};
    for (u32 i = 0; i < COUNT_OF(disorder) && o->lenient_order && ours->code && theirs->code; i++)
        if (strncmp(theirs->error, disorder[i], strlen(disorder[i])) == 0 || strncmp(ours->error, disorder[i], strlen(disorder[i])) == 0) return true;
    // A trigger or view that has lost a table is a mistake of its own.
    static const char missing[] = "no such table: ";
    if (o->lenient_order && ours->code && theirs->code && strncmp(theirs->error, missing, sizeof missing - 1) == 0 &&
        !strstr(sql, theirs->error + sizeof missing - 1))
        return true;
    // A statement with several mistakes may be told any of them, before or after a row went in.
    bool function = ours->code && theirs->code && (function_failed(ours->error) || function_failed(theirs->error));
    if (o->several_mistakes && (((ours->code & 255) == SQLITE_ERROR && (theirs->code & 255) == SQLITE_ERROR) || (o->lenient_order && function))) {
        if (ours->last_rowid != theirs->last_rowid) o->rowid_unknown = true;
        if (ours->total_changes != theirs->total_changes) o->gave_up = true;
        return true;
    }
    // An INSERT OR IGNORE that its keys' check fails in the end leaves SQLite with the number of a row after the last one.
    if (o->lenient_order && ours->code == SQLITE_CONSTRAINT_FOREIGNKEY && theirs->code == ours->code && strstr(sql, "OR IGNORE"))
        o->rowid_unknown |= ours->last_rowid != theirs->last_rowid;
    // Where a row replaces others, SQLite looks for conflicts again after the actions of its keys: in a table that references
    // itself it then meets the row itself.
    if (o->lenient_order && strstr(theirs->error, "UNIQUE constraint failed: ") && (!ours->code || ours->code == SQLITE_CONSTRAINT_FOREIGNKEY)) {
        static const char own_keys[] = "SELECT s.sql LIKE '%REPLACE%' FROM sqlite_schema AS s, pragma_foreign_key_list(s.name) AS k"
                                       " WHERE k.\"table\" = s.name COLLATE NOCASE";
        struct outcome keys = {0};
        run_sqlite(o->sqlite, own_keys, sizeof own_keys - 1, &keys);
        o->gave_up = keys.rows.text && strstr(keys.rows.text, strstr(sql, "REPLACE") ? "I:" : "I:1");
        outcome_clear(&keys);
        if (o->gave_up) return true;
    }
    bool texts = o->quiet_texts || strcmp(ours->error, theirs->error) == 0;
    bool codes = o->quiet_texts ? !ours->code == !theirs->code : ours->code == theirs->code;
    // A row given before an error is no promise.
    bool rows = (ours->code && theirs->code) || strcmp(our_rows, their_rows) == 0;
    if (o->lenient_order && (strstr(sql, "UNION") || strstr(sql, "INTERSECT") || strstr(sql, "EXCEPT"))) o->either_number = true;
    if (!rows && o->lenient_order && (o->either_number || strstr(sql, "RETURNING"))) rows = same_without(without_kinds, our_rows, their_rows);
    // A column of REAL that a subquery of RETURNING names is 1 to SQLite there where it is 1.0.
    const char *returning = strstr(sql, "RETURNING");
    if (!rows && o->lenient_order && returning && strstr(returning, "(SELECT")) rows = same_without(without_real, our_rows, their_rows);
    if (!rows && (strstr(sql, "quote(") || strstr(sql, "%!.20"))) rows = same_without(without_last_digits, our_rows, their_rows);
    if (!rows && o->lenient_order && strncasecmp(sql, "PRAGMA", 6) == 0 && strstr(sql, "table_list"))
        rows = same_without(without_view_widths, our_rows, their_rows);
    if (!rows && o->lenient_order) rows = distinct_misses_pass(o, sql, our_rows, their_rows);
    if (!rows && o->vacuumed && strstr(sql, "rowid")) o->gave_up = rows = true;
    // SQLite counts rows of the shadow tables that it makes before it fails.
    if (theirs->code && size >= 14 && strncasecmp(sql, "CREATE VIRTUAL", 14) == 0) o->reopened = true;
    bool counts = o->reopened || (ours->changes == theirs->changes && ours->total_changes == theirs->total_changes &&
                                  (o->rowid_unknown || ours->last_rowid == theirs->last_rowid));
    const char *our_columns = ours->columns.text ? ours->columns.text : "",
               *their_columns = theirs->columns.text ? theirs->columns.text : "";
    bool altered = size >= 5 && strncasecmp(sql, "ALTER", 5) == 0; // carried out by SELECTs of SQLite's own
    bool columns = altered || !o->columns || ((ours->code || strcmp(our_columns, their_columns) == 0) && (ours->offset == theirs->offset || theirs->offset < 0)); // SQLite does not always say where
    if (texts && codes && rows && counts && columns) return true;
    o->differences++;
    if (o->quiet) return false;
    if (!columns)
        fprintf(stderr, "  columns %s, offset %d; SQLite's %s, %d\n", our_columns, ours->offset, their_columns, theirs->offset);
    test_fail(__FILE__, __LINE__,
              "%s: %.*s\n  ours:   %d %s, changes %lld, total %lld, rowid %lld\n%s  sqlite: %d %s, changes %lld, total "
              "%lld, rowid %lld\n%s",
              o->context ? o->context : "", (int)MIN(size, 2000), sql, ours->code, ours->error, (long long)ours->changes,
              (long long)ours->total_changes, (long long)ours->last_rowid, rows ? "" : our_rows, theirs->code,
              theirs->error, (long long)theirs->changes, (long long)theirs->total_changes, (long long)theirs->last_rowid,
              rows ? "" : their_rows);
    return false;
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
    return primary == SQLITE_LOCKED || primary == SQLITE_BUSY || strstr(ours->error, "SQL statements in progress");
}

static void run_interleaved(struct oracle *o, const char *sql, size_t size, struct outcome *ours)
{
    beside_step(o);
    run_skerry(o->db, sql, size, ours);
    if (beside_forbids(ours)) {
        for (u32 i = 0; i < ORACLE_BESIDE; i++) beside_end(o, i);
        outcome_clear(ours);
        run_skerry(o->db, sql, size, ours);
    }
    if (is_query(sql) && !ours->code) beside_add(o, sql, size);
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

bool oracle_run(struct oracle *o, const char *sql)
{
    u32 before = o->differences;
    size_t left = strlen(sql);
    while (left > 0) {
        struct outcome ours = {0}, theirs = {0};
        run_sqlite(o->sqlite, sql, left, &theirs);
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
        if (o->any_order) {
            rows_sort(&ours.rows);
            rows_sort(&theirs.rows);
        }
        if (is_plan(sql)) {
            plan_number(&ours.rows, sqlite3_libversion_number() < 3041000);
            plan_number(&theirs.rows, false);
        }
        bool equal = same(o, sql, used, &ours, &theirs);
        outcome_clear(&ours);
        outcome_clear(&theirs);
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
    int *left = context;
    return --*left < 0;
}

void oracle_limit(struct oracle *o, int instructions)
{
    o->instructions_left = instructions / 1000;
    sqlite3_progress_handler(o->sqlite, 1000, give_up, &o->instructions_left);
    // Opening the cursors of triggers within triggers takes it the square of their depth.
    enum { TRIGGER_DEPTH_MAX = 60 };
    sqlite3_limit(o->sqlite, SQLITE_LIMIT_TRIGGER_DEPTH, TRIGGER_DEPTH_MAX);
    skerry_limit(o->db, SKERRY_LIMIT_TRIGGER_DEPTH, TRIGGER_DEPTH_MAX);
    // What takes SQLite a fraction of a second must not take ours for ever.
    skerry_limit(o->db, SKERRY_LIMIT_STATEMENT_MS, 120000);
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
        same(o, sql, strlen(sql), &ours, &theirs);
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
    if (own.rows.text && strcmp(own.rows.text, "T:ok|\n") != 0) o->gave_up = true; // it harmed itself
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
            same(o, sql, strlen(sql), &ours, &theirs);
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
