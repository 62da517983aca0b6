// SQLite is asked again, in another way: of a statement, a view, what the schema has.
#include "oracle_same.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

bool oracle_newer_agrees(const char *settings)
{
    char command[300];
    const char *newer = getenv("NEWER");
    snprintf(command, sizeof command, "LD_LIBRARY_PATH=\"$NEWER\" NEWER= %s /proc/%d/exe >/dev/null 2>&1", settings, (int)getpid());
    return newer && newer[0] && system(command) == 0;
}

bool sqlite_has_rows(struct oracle *o, const char *query)
{
    const bool deferred = keys_deferred(o);
    struct outcome found = {0};
    run_sqlite(o->sqlite, query, strlen(query), &found);
    bool any = found.rows.size > 0;
    outcome_clear(&found);
    if (deferred) keys_defer(o);
    return any;
}

bool schema_has(struct oracle *o, const char *text)
{
    char *query = sqlite3_mprintf("SELECT 1 FROM (SELECT sql FROM sqlite_schema UNION ALL SELECT sql FROM sqlite_temp_schema)"
                                  " WHERE instr(sql, %Q)", text);
    bool any = sqlite_has_rows(o, query);
    sqlite3_free(query);
    return any;
}

// The end of what stands in parentheses from `open` on.
const char *parentheses_end(const char *open)
{
    int depth = 0;
    for (const char *c = open; *c; c++) {
        if (*c == '\'' || *c == '"') {
            const char *end = strchr(c + 1, *c);
            if (!end) break;
            c = end;
        } else if (*c == '(') depth++;
        else if (*c == ')' && --depth == 0) return c + 1;
    }
    return NULL;
}

// Whether SQLite refuses the query, in the text of a main database's view if that is where it stands: temporary tables are none there.
bool query_is_wrong(struct oracle *o, const char *sql, bool in_view)
{
    static const char undo[] = "ROLLBACK TO asked; RELEASE asked";
    sqlite3_stmt *stmt = NULL;
    char *view = in_view ? sqlite3_mprintf("SAVEPOINT asked; CREATE VIEW main.asked AS %s", sql) : NULL;
    bool wrong = in_view && sqlite3_exec(o->sqlite, view, NULL, NULL, NULL) != SQLITE_OK;
    wrong |= sqlite3_prepare_v2(o->sqlite, in_view ? "SELECT 1 FROM main.asked" : sql, -1, &stmt, NULL) != SQLITE_OK;
    sqlite3_finalize(stmt);
    if (in_view) sqlite3_exec(o->sqlite, undo, NULL, NULL, NULL);
    sqlite3_free(view);
    return wrong;
}

// What SQLite says of a statement when it is left as it is written.
bool refuses_unoptimized(struct oracle *o, const char *sql, const char *error)
{
    sqlite3_stmt *stmt = NULL;
    const char *query = strncmp(sql, "CREATE ", 7) == 0 ? strstr(sql, " AS SELECT ") : NULL; // the table is there by now
    sqlite3_test_control(SQLITE_TESTCTRL_OPTIMIZATIONS, o->sqlite, 0xffffffff);
    bool same = sqlite3_prepare_v2(o->sqlite, query ? query + 4 : sql, -1, &stmt, NULL) == SQLITE_ERROR &&
                (strcmp(sqlite3_errmsg(o->sqlite), error) == 0 || strstr(sqlite3_errmsg(o->sqlite), " columns assigned ")); // said last, of a row value's subquery
    sqlite3_finalize(stmt);
    sqlite3_test_control(SQLITE_TESTCTRL_OPTIMIZATIONS, o->sqlite, 0);
    return same;
}

// What it says of a view when it is asked of the view itself.
bool a_view_is_wrong(struct oracle *o, const char *error)
{
    static const char views[] = "SELECT name FROM (SELECT name, type FROM sqlite_schema UNION ALL SELECT name, type FROM sqlite_temp_schema)"
                                " WHERE type = 'view'";
    bool any = false;
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(o->sqlite, views, -1, &stmt, NULL) == SQLITE_OK)
        while (!any && sqlite3_step(stmt) == SQLITE_ROW) {
            char *sql = sqlite3_mprintf("SELECT 1 FROM \"%w\"", sqlite3_column_text(stmt, 0));
            any = refuses_unoptimized(o, sql, error);
            sqlite3_free(sql);
        }
    sqlite3_finalize(stmt);
    return any;
}

// Whether SQLite gives these rows for the text, in this connection.
static bool gives_in(struct oracle *o, sqlite3 *db, const char *text, size_t size, const char *rows)
{
    struct outcome again = {0};
    run_sqlite(db, text, size, &again);
    if (o->any_order) rows_sort(&again.rows);
    bool same = !again.code && strcmp(again.rows.text ? again.rows.text : "", rows) == 0;
    outcome_clear(&again);
    return same;
}

static bool gives(struct oracle *o, const char *text, size_t size, const char *rows) { return gives_in(o, o->sqlite, text, size, rows); }

// LIKE and GLOB, by a statement of the connection asked about.
static void pattern_match(sqlite3_context *context, int count, sqlite3_value **values)
{
    sqlite3_stmt *stmt = sqlite3_user_data(context);
    for (int i = 0; i < count; i++) sqlite3_bind_value(stmt, i + 1, values[i]);
    if (sqlite3_step(stmt) == SQLITE_ROW) sqlite3_result_value(context, sqlite3_column_value(stmt, 0));
    else sqlite3_result_error(context, sqlite3_errmsg(sqlite3_db_handle(stmt)), -1);
    sqlite3_reset(stmt);
}

static void pattern_forget(void *stmt) { sqlite3_finalize(stmt); }

static void copy_database(sqlite3 *copy, sqlite3 *from, const char *name, const char *to)
{
    sqlite3_int64 size = 0;
    unsigned char *image = sqlite3_serialize(from, name, &size, 0);
    if (image && size > 19) image[18] = image[19] = 1; // without a log
    if (image && size) (void)sqlite3_deserialize(copy, to, image, size, size, SQLITE_DESERIALIZE_FREEONCLOSE);
    else sqlite3_free(image);
}

// The main database, the temporary one and the attached one, in a connection of its own.
static sqlite3 *copy_of(struct oracle *o)
{
    sqlite3 *copy = NULL;
    if (sqlite3_open(":memory:", &copy) != SQLITE_OK) return copy;
    copy_database(copy, o->sqlite, "main", "main");
    if (oracle_has_table(o, OTHER_SCHEMA) && sqlite3_exec(copy, "ATTACH ':memory:' AS other", NULL, NULL, NULL) == SQLITE_OK)
        copy_database(copy, o->sqlite, "other", "other");
    // Within a transaction there is no backup from the temporary one, and nowhere can it be deserialized.
    sqlite3 *between = NULL;
    if (sqlite3_open(":memory:", &between) != SQLITE_OK) return copy;
    copy_database(between, o->sqlite, "temp", "main");
    sqlite3_backup *temp = sqlite3_backup_init(copy, "temp", between, "main");
    if (temp) (void)sqlite3_backup_step(temp, -1);
    (void)sqlite3_backup_finish(temp);
    sqlite3_close(between);
    return copy;
}

// The statement where LIKE and GLOB are an application's, for which no range stands, in its views as well. A connection would not have
// its own functions back, so it is another one's.
static void run_without_ranges(struct oracle *o, const char *sql, size_t size, struct outcome *again)
{
    static const struct {
        const char *name, *query;
        int count;
    } functions[] = {{"like", "SELECT like(?1, ?2)", 2}, {"like", "SELECT like(?1, ?2, ?3)", 3}, {"glob", "SELECT glob(?1, ?2)", 2}};
    sqlite3 *copy = copy_of(o);
    for (u32 i = 0; i < COUNT_OF(functions); i++) {
        sqlite3_stmt *stmt = NULL;
        if (sqlite3_prepare_v2(o->sqlite, functions[i].query, -1, &stmt, NULL) == SQLITE_OK)
            (void)sqlite3_create_function_v2(copy, functions[i].name, functions[i].count, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
                                             stmt, pattern_match, NULL, NULL, pattern_forget);
    }
    run_sqlite(copy, sql, size, again);
    sqlite3_close(copy);
}

// The query where ANALYZE has said nothing of partial indexes without entries, as with releases up to 3.45.
bool same_without_empty_indexes(struct oracle *o, const char *sql, const char *ours)
{
    static const char forget[] = "DELETE FROM %s.sqlite_stat1 WHERE stat GLOB '0 0*'; ANALYZE %s.sqlite_schema";
    static const char *const schemas[] = {"main", "other", "temp"};
    if (!oracle_has_table(o, "sqlite_stat1") && !oracle_has_table(o, OTHER_SCHEMA)) return false;
    sqlite3 *copy = copy_of(o);
    int forgotten = 0;
    for (u32 i = 0; i < COUNT_OF(schemas); i++) {
        char *text = sqlite3_mprintf(forget, schemas[i], schemas[i]);
        const int before = sqlite3_total_changes(copy);
        (void)sqlite3_exec(copy, text, NULL, NULL, NULL);
        forgotten += sqlite3_total_changes(copy) - before;
        sqlite3_free(text);
    }
    const bool same = forgotten && gives_in(o, copy, sql, strlen(sql), ours);
    sqlite3_close(copy);
    return same;
}

// The statement with its tables as queries, which have no rowids.
static char *without_rowids(const char *sql)
{
    struct rows r = {0};
    rows_add(&r, "%s", "");
    for (const char *c = sql; *c;) {
        size_t size = c == sql || c[-1] == ' ' || c[-1] == '(' ? strspn(c, "abcdefghijklmnopqrstuvwxyz0123456789.") : 0;
        u32 alias;
        int used = 0;
        if (!size || strncmp(c + size, " AS q", 5) != 0 || sscanf(c + size, " AS q%u%n", &alias, &used) < 1) {
            rows_add(&r, "%c", *c++);
            continue;
        }
        rows_add(&r, "(SELECT * FROM %.*s) AS q%u", (int)size, c, alias);
        c += size + (size_t)used;
        used = 0;
        if (strncmp(c, " NOT INDEXED", 12) == 0) c += 12;
        else if (sscanf(c, " INDEXED BY %*[^ )]%n", &used) == 0 && used) c += used;
    }
    return r.text;
}

// NATURAL JOIN of two joins in parentheses is also by the rowids of their first tables (3.40 to 3.53): to SQLite these are columns
// of such a join, of one name.
bool same_without_rowids(struct oracle *o, const char *sql, const char *ours)
{
    if (!strstr(sql, "NATURAL ") || !strstr(sql, " JOIN (")) return false;
    char *text = without_rowids(sql);
    bool same = gives(o, text, strlen(text), ours);
    free(text);
    return same;
}

// Whether SQLite gives the same rows, or others, when it leaves out an optimization: the sorting of subqueries (before 3.53 it takes the
// order in which a recursive query goes on for the order of its rows: groups then come twice, windows are of rows in another order),
// flattening (LIKE then loses rows of outer joins before 3.51), all of them; ranges for patterns; or when it goes through tables
// backwards.
static bool answers_again(struct oracle *o, const char *sql, size_t size, const char *rows, bool same)
{
    static const u32 left_out[] = {0x10000000, 1, 0xffffffff}; // what later releases name SQLITE_OrderBySubq, SQLITE_QueryFlattener
    enum { RANGES = COUNT_OF(left_out), BACKWARDS, WAYS, REVERSE_SCANORDER = 1019 }; // of sqlite3_db_config(), from 3.44 on
    bool found = false;
    for (u32 i = 0; i < WAYS && !found; i++) {
        struct outcome again = {0};
        int backwards = 0;
        if (i < COUNT_OF(left_out)) sqlite3_test_control(SQLITE_TESTCTRL_OPTIMIZATIONS, o->sqlite, left_out[i]);
        sqlite3_db_config(o->sqlite, REVERSE_SCANORDER, -1, &backwards);
        if (i == BACKWARDS) sqlite3_db_config(o->sqlite, REVERSE_SCANORDER, !backwards, NULL);
        if (i == RANGES) run_without_ranges(o, sql, size, &again);
        else run_sqlite(o->sqlite, sql, size, &again);
        sqlite3_test_control(SQLITE_TESTCTRL_OPTIMIZATIONS, o->sqlite, 0);
        sqlite3_db_config(o->sqlite, REVERSE_SCANORDER, backwards, NULL);
        if (o->any_order) rows_sort(&again.rows);
        found = !again.code && (strcmp(again.rows.text ? again.rows.text : "", rows) == 0) == same;
        outcome_clear(&again);
    }
    return found;
}

bool same_unoptimized(struct oracle *o, const char *sql, size_t size, const char *ours) { return answers_again(o, sql, size, ours, true); }

// quote() tells nothing of what is behind a NUL in a text: what is in order by it may be in any. Where hex() decides as well, both say the same.
bool same_without_ties(struct oracle *o, const char *sql)
{
    struct rows text = {0};
    rows_add(&text, "%s", "");
    for (const char *c = sql; *c; c++) {
        const bool listed = c > sql + 9 && (strncmp(c - 2, ", quote(", 8) == 0 || strncmp(c - 9, "ORDER BY quote(", 15) == 0);
        const char *const end = listed ? parentheses_end(c + 5) : NULL;
        if (end && strncmp(end, " AS ", 4) != 0)
            for (const char *k = c + 5; k < end; k++) rows_add(&text, k == c + 5 ? "hex%c" : k + 1 == end ? "%c, " : "%c", *k);
        rows_add(&text, "%c", *c);
    }
    struct outcome ours = {0};
    run_skerry(o->db, text.text, text.size, &ours);
    if (o->any_order) rows_sort(&ours.rows);
    const bool same = !ours.code && strcmp(text.text, sql) != 0 && gives(o, text.text, text.size, ours.rows.text ? ours.rows.text : "");
    outcome_clear(&ours);
    free(text.text);
    return same;
}

// The statement with blanks before JSON that one function makes for another that gives the binary form or looks for JSON5. Without them
// SQLite, where the text is longer than 100 bytes, remembers what it was made of and leaves characters in it as they are, which it
// escapes in shorter ones, or finds JSON5 in plain JSON that was made of it (3.50, 3.53).
bool same_without_memory(struct oracle *o, const char *sql, const char *ours)
{
    struct rows r = {0};
    rows_add(&r, "%s", "");
    for (const char *c = sql; *c; c++) {
        rows_add(&r, "%c", *c);
        int used = 0;
        if (strncmp(c, "json", 4) != 0) continue;
        (void)sscanf(c, "jsonb%*[_a-z](json_%n", &used);
        if (!used) (void)sscanf(c, "jsonb(json_%n", &used);
        if (!used) (void)sscanf(c, "json_valid(json_%n", &used);
        if (!used) continue;
        used -= 5;
        rows_add(&r, "%.*s' '||", used - 1, c + 1);
        c += used - 1;
    }
    bool same = strcmp(r.text, sql) != 0 && gives(o, r.text, r.size, ours);
    free(r.text);
    return same;
}

// The statement without its ORDER BY: a window function there is another one to SQLite, beside which a column has lost its collation.
bool same_without_order(struct oracle *o, const char *sql, const char *ours)
{
    const char *order = NULL;
    int depth = 0;
    for (const char *c = sql; *c; c++) {
        depth += (*c == '(') - (*c == ')');
        if (!depth && strncmp(c, " ORDER BY ", 10) == 0) order = c;
    }
    if (!order || strstr(order, " LIMIT ") || !strstr(sql, " OVER ")) return false;
    const bool any_order = o->any_order;
    struct rows sorted = {0};
    rows_add(&sorted, "%s", ours);
    rows_sort(&sorted);
    o->any_order = true;
    const bool same = gives(o, sql, (size_t)(order - sql), sorted.text);
    o->any_order = any_order;
    free(sorted.text);
    return same;
}

// Of its views, too, which are another connection's then.
bool same_without_text(struct oracle *o, const char *sql, const char *left_out, const char *ours)
{
    if (!is_query(sql)) return false;
    const bool in_schema = schema_has(o, left_out);
    char *text = strdup(sql);
    for (char *at; (at = strstr(text, left_out));) memmove(at, at + strlen(left_out), strlen(at + strlen(left_out)) + 1);
    bool same = !in_schema && gives(o, text, strlen(text), ours);
    if (in_schema) {
        sqlite3 *copy = copy_of(o);
        char *shorter = sqlite3_mprintf("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, %Q, ''); "
                                        "UPDATE sqlite_temp_schema SET sql = replace(sql, %Q, ''); PRAGMA writable_schema = RESET", left_out, left_out);
        sqlite3_exec(copy, shorter, NULL, NULL, NULL);
        sqlite3_free(shorter);
        same = gives_in(o, copy, text, strlen(text), ours);
        sqlite3_close(copy);
    }
    free(text);
    return same;
}

// Whether SQLite contradicts itself so about what it selects for an INSERT or a table.
bool selected_is_disputed(struct oracle *o, const char *sql)
{
    const char *into = strncmp(sql, "CREATE T", 8) == 0 ? strstr(sql, " AS SELECT ") : strstr(sql, " INTO ");
    const char *query = into ? strstr(into, " SELECT * FROM (") : NULL, *end = query ? parentheses_end(query) : NULL;
    if (!end) return false;
    const char *change = sql; // behind a WITH
    for (const char *at = sql; (at = strstr(at, ") INSERT ")) && at < into; at++) change = at + 1;
    for (const char *at = sql; (at = strstr(at, ") REPLACE ")) && at < into; at++) change = at + 1;
    char *text = sqlite3_mprintf("%.*s%.*s", (int)(change - sql), sql, (int)(end - query), query);
    const bool any_order = o->any_order;
    struct outcome rows = {0};
    run_sqlite(o->sqlite, text, strlen(text), &rows);
    rows_sort(&rows.rows);
    o->any_order = true;
    const char *selected = rows.rows.text ? rows.rows.text : "";
    bool disputed = !rows.code && (answers_again(o, text, strlen(text), selected, false) ||
                                   (strstr(text, EXCLUDE_NO_OTHERS) && !same_without_text(o, text, EXCLUDE_NO_OTHERS, selected)));
    o->any_order = any_order;
    outcome_clear(&rows);
    sqlite3_free(text);
    return disputed;
}
