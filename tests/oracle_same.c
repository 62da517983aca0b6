// Whether both gave the same; what SQLite has wrong by its own word or documentation is told apart, each with the reason.
#include "oracle_outcome.h"

#include <ctype.h>
#include <sqlite3.h>

// What functions make of their arguments: whether they are called is the optimizer's choice.
static bool function_failed(const char *error)
{
    static const char *const texts[] = {"malformed JSON", "JSON cannot hold BLOB values", "integer overflow", "JSON path error near",
                                        "bad JSON path", "json_object", "ESCAPE expression must be", "invalid Unicode escape",
                                        "LIKE or GLOB pattern too complex",
                                        "frame starting offset must", "frame ending offset must", "FLAGS parameter to json_valid() must be"};
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

// Of numbers as large or small as 1e100, whose 15 digits are rounded just here or there, SQLite's approximation may go the wrong way.
static char *without_far_digits(const char *rows)
{
    struct rows r = {0};
    rows_add(&r, "%s", "");
    for (const char *c = rows; *c;) {
        size_t size = strspn(c, "0123456789.");
        const bool far = size >= 16 && c[size] == 'e' && (c[size + 1] == '+' || c[size + 1] == '-') && strspn(c + size + 2, "0123456789") == 3;
        rows_add(&r, "%.*s", (int)(far ? 15 : MAX(size, 1u)), c);
        c += MAX(size, 1u);
    }
    return r.text;
}

// printf('%!.20f') of 1e300 is 1000 and so on or 9999: the first 15 digits of numbers, rounded.
static char *without_scale(const char *rows)
{
    struct rows r = {0};
    rows_add(&r, "%s", "");
    for (const char *c = rows; *c;) {
        char digits[32] = "";
        u32 count = 0, size = (u32)strspn(c, "0123456789.");
        for (u32 i = 0; i < size && count < 16; i++)
            if (c[i] != '.' && (count || c[i] != '0')) digits[count++] = c[i];
        if (count < 16) { // a short number
            size = MAX(size, 1);
            rows_add(&r, "%.*s", (int)size, c);
            c += size;
            continue;
        }
        snprintf(digits, sizeof digits, "%.14e", strtod(digits, NULL));
        rows_add(&r, "%.16s", digits);
        c += size;
        unsigned length;
        int used = 0;
        if (sscanf(c, "(%u)%n", &length, &used) == 1 || sscanf(c, "e+%u%n", &length, &used) == 1) c += used;
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

static char *without_fts_version(const char *rows)
{
    char *copy = strdup(rows), *at = strstr(copy, "T:version|I:5|");
    if (at) memcpy(at, "T:version|I:4", 13);
    return copy;
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
bool is_query(const char *sql)
{
    static const char *const changes[] = {" INSERT ", " REPLACE INTO ", " UPDATE ", " DELETE FROM "};
    if (strncasecmp(sql, "SELECT", 6) == 0) return true;
    if (strncasecmp(sql, "WITH", 4) != 0) return false;
    for (u32 i = 0; i < COUNT_OF(changes); i++)
        if (strstr(sql, changes[i])) return false;
    return true;
}

static bool has_set_operator(const char *sql)
{
    return strstr(sql, " UNION ") || strstr(sql, " INTERSECT ") || strstr(sql, " EXCEPT ");
}

bool is_plan(const char *sql) { return strncasecmp(sql, "EXPLAIN QUERY PLAN", 18) == 0; }

// Plans are trees: lines are numbered by where they stand, each program has its own addresses. as_old: without the filters that
// automatic indexes have since 3.41, and that IN has later.
void plan_number(struct rows *r, bool as_old)
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

static bool sqlite_has_rows(struct oracle *o, const char *query)
{
    struct outcome found = {0};
    run_sqlite(o->sqlite, query, strlen(query), &found);
    bool any = found.rows.size > 0;
    outcome_clear(&found);
    return any;
}

static bool schema_has(struct oracle *o, const char *text)
{
    char *query = sqlite3_mprintf("SELECT 1 FROM (SELECT sql FROM sqlite_schema UNION ALL SELECT sql FROM sqlite_temp_schema)"
                                  " WHERE instr(sql, %Q)", text);
    bool any = sqlite_has_rows(o, query);
    sqlite3_free(query);
    return any;
}

#define OTHER_SCHEMA "other\".\"sqlite_schema" // as a name in quotes

#define JOIN_IN_PARENTHESES                                                                                             \
    "sql GLOB '*JOIN ([\"a-z]*' OR sql GLOB '*FROM ([\"a-z]*' OR sql GLOB '*, ([\"a-z]* JOIN *'"                       \
    " OR sql GLOB '*, ([tvw][0-9]* AS q*' OR sql GLOB '*, (other.* AS q*' OR sql GLOB '*[NM,] ((*'"

// A view or trigger has a join in parentheses. ALTER TABLE looks its tables' names up as if there were no such tables: what SQLite
// selects from a moment before is to it a mistake then or means a column of a query around, and what it finds ambiguous none (3.40 to 3.53).
static bool rename_misses_join(struct oracle *o, const char *sql, const struct outcome *ours, const struct outcome *theirs)
{
    if (strncasecmp(sql, "ALTER", 5) != 0 || (ours->code == SQLITE_ERROR) == (theirs->code == SQLITE_ERROR)) return false;
    const char *error = theirs->code ? theirs->error : ours->error;
    const bool nameless = strcmp(error, "SQL logic error") == 0; // PRAGMA legacy_alter_table
    if (!nameless && (strncmp(error, "error in ", 9) != 0 ||
                      (!strstr(error, ": ambiguous column name: ") && (!theirs->code || !strstr(error, ": no such column: ")))))
        return false;
    const char *other = oracle_has_table(o, OTHER_SCHEMA) ? " UNION ALL SELECT * FROM other.sqlite_schema" : "";
    char *query = sqlite3_mprintf("WITH objects AS (SELECT * FROM sqlite_schema UNION ALL SELECT * FROM sqlite_temp_schema%s)"
                                  " SELECT 1 FROM objects AS o WHERE (%d OR instr(%Q, ' ' || name)) AND (" JOIN_IN_PARENTHESES
                                  // or the view that a trigger changes
                                  " OR EXISTS (SELECT 1 FROM objects WHERE type = 'view' AND instr(o.sql, name) AND (" JOIN_IN_PARENTHESES ")))",
                                  other, nameless, error);
    bool any = sqlite_has_rows(o, query);
    sqlite3_free(query);
    return any;
}

// An index on a string: ALTER TABLE makes 'x' of "x" wherever it stands in the schema, which is a name in the list of an index then.
static bool alter_takes_string(struct oracle *o, const char *sql, const struct outcome *theirs)
{
    static const char name[] = "no such column: ";
    char quoted[100];
    const char *at = strstr(theirs->error, name);
    if (strncasecmp(sql, "ALTER", 5) != 0 || strncmp(theirs->error, "error in index ", 15) != 0 || !at) return false;
    snprintf(quoted, sizeof quoted, "\"%s\"", at + sizeof name - 1);
    return schema_has(o, quoted);
}

// The end of what stands in parentheses from `open` on.
static const char *parentheses_end(const char *open)
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
static bool query_is_wrong(struct oracle *o, const char *sql, bool in_view)
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

// A WITH of the text has a mistake of its own: what uses it would not run.
static bool with_is_wrong(struct oracle *o, const char *text)
{
    bool wrong = false;
    const bool in_view = strncmp(text, "CREATE VIEW ", 12) == 0;
    for (const char *with = text; !wrong && (with = strstr(with, "WITH ")); with += 5) {
        const char *at = strncmp(with + 5, "RECURSIVE ", 10) == 0 ? with + 15 : with + 5;
        while (at) {
            int name = (int)strcspn(at, "(");
            const char *columns = parentheses_end(at), *query = columns ? strchr(columns, '(') : NULL;
            const char *end = query ? parentheses_end(query) : NULL;
            if (!end) break;
            char *sql = sqlite3_mprintf("%.*s SELECT 1 FROM %.*s", (int)(end - with), with, name, at);
            wrong |= query_is_wrong(o, sql, false) || (in_view && query_is_wrong(o, sql, true));
            sqlite3_free(sql);
            at = strncmp(end, ", ", 2) == 0 ? end + 2 : NULL;
        }
    }
    return wrong;
}

// RENAME goes through a WITH that nothing uses as well, but SQLite leaves what is behind a mistake in it as it was, which a join in
// parentheses is to it (rename_misses_join).
static bool rename_left_with(struct oracle *o, const char *sql)
{
    static const char texts[] = "SELECT sql, " JOIN_IN_PARENTHESES " FROM (SELECT sql FROM sqlite_schema UNION ALL"
                                " SELECT sql FROM sqlite_temp_schema) WHERE sql LIKE '%WITH %'";
    if (strncasecmp(sql, "ALTER", 5) != 0 || !strstr(sql, " RENAME ")) return false;
    bool any = false;
    char **table = NULL; // asking in a view's text would end a query under way
    int rows = 0, columns;
    if (sqlite3_get_table(o->sqlite, texts, &table, &rows, &columns, NULL) == SQLITE_OK)
        for (int i = 1; i <= rows && !any; i++) any = strcmp(table[2 * i + 1], "1") == 0 || with_is_wrong(o, table[2 * i]);
    sqlite3_free_table(table);
    return any;
}

// "error in view v after rename: no such table: main.OLD" (of a temporary view just OLD): SQLite has left the old name where it stood,
// which a mistake in a WITH, or a join in parentheses there, makes it do (3.40 to 3.53).
static bool rename_left_table(const char *sql, const struct outcome *theirs)
{
    static const char left[] = " after rename: no such table: ";
    const char *at = strstr(theirs->error, left);
    char table[60];
    if (!at || sscanf(sql, "ALTER TABLE %59s RENAME TO ", table) < 1) return false;
    const char *name = at + sizeof left - 1, *schema = strchr(name, '.'), *own = strchr(table, '.');
    return strcmp(schema ? schema + 1 : name, own ? own + 1 : table) == 0;
}

// A view of which SQLite says "error in view v: no such column: q.c" before ALTER TABLE has done anything: selecting from it, it finds
// nothing wrong. It has not found a table of a join in parentheses.
static bool alter_misses_column(struct oracle *o, const char *sql, const struct outcome *theirs)
{
    char view[60], table[60], column[60];
    if (strncasecmp(sql, "ALTER", 5) != 0 ||
        sscanf(theirs->error, "error in view %59[^:]: no such column: %59[^.].%59s", view, table, column) < 3)
        return false;
    char *query = sqlite3_mprintf("SELECT 1 FROM \"%w\"", view);
    bool wrong = query_is_wrong(o, query, false);
    sqlite3_free(query);
    return !wrong;
}

// The word that ends at `end`, when that introduction is before it.
static bool word_before(const char *text, const char *end, const char *introduction, char *word, size_t size)
{
    const char *start = end;
    while (start > text && start[-1] != ' ') start--;
    size_t before = strlen(introduction);
    if ((size_t)(end - start) >= size || (size_t)(start - text) < before || strncmp(start - before, introduction, before) != 0) return false;
    memcpy(word, start, (size_t)(end - start));
    word[end - start] = 0;
    return true;
}

// SQLite knows the name that UPDATE and DELETE give a view in SET, but not in WHERE (3.40 to 3.53). Having missed it, it goes on, and may
// miss a table of a WITH next. With the view's own name there is no mistake.
static bool view_misses_alias(struct oracle *o, const char *sql, const struct outcome *theirs)
{
    char alias[60], before[80];
    const char *at = strstr(sql, " SET ");
    const char *const deleted = at ? NULL : strstr(sql, "DELETE FROM ");
    int used = 0;
    if (is_query(sql) || !(at || deleted)) return false;
    if (at) {
        if (!word_before(sql, at, " AS ", alias, sizeof alias)) return false;
        at -= strlen(alias) + 4;
    } else {
        if (sscanf(deleted, "DELETE FROM %*s%n AS %50s WHERE ", &used, alias) < 1) return false;
        at = deleted + used;
    }
    snprintf(before, sizeof before, "no such column: %s.", alias);
    if (strncmp(theirs->error, before, strlen(before)) != 0 && strncmp(theirs->error, "no such table: ", 15) != 0) return false;
    const char *view = at;
    while (view > sql && view[-1] != ' ') view--;
    struct rows text = {0};
    snprintf(before, sizeof before, "%s.", alias);
    const size_t named = strlen(before);
    for (const char *c = sql; *c; c++) {
        if (c == at) c += strlen(alias) + 4;
        const bool here = c > at && strncmp(c, before, named) == 0 && (c[-1] == ' ' || c[-1] == '(' || c[-1] == '+' || c[-1] == '-' || c[-1] == '~');
        if (here) rows_add(&text, "%.*s", (int)(at - view), view);
        if (here) c += named - 1;
        rows_add(&text, "%c", *c);
    }
    sqlite3_stmt *stmt = NULL;
    const bool right = sqlite3_prepare_v2(o->sqlite, text.text, -1, &stmt, NULL) == SQLITE_OK;
    sqlite3_finalize(stmt);
    free(text.text);
    return right;
}

// A row of the first that the second has not.
static bool has_more(const char *rows, const char *others)
{
    for (const char *line = rows, *end; *line; line = end + 1) {
        end = strchr(line, '\n');
        const char *at = others;
        while ((at = memmem(at, strlen(at), line, (size_t)(end + 1 - line))) && at > others && at[-1] != '\n') at++;
        if (!at) return true;
    }
    return false;
}

// DISTINCT by an index that has statistics searches behind each value; behind the last there is nothing, and the rows that NULLS
// FIRST or LAST has come in a second pass are missing (all releases).
static bool distinct_misses_pass(struct oracle *o, const char *sql, const char *ours, const char *theirs)
{
    return strcasestr(sql, "distinct") && strcasestr(sql, "nulls ") && oracle_has_table(o, "sqlite_stat1") && !has_more(theirs, ours);
}

static u32 line_count(const char *rows)
{
    u32 count = 0;
    for (const char *c = rows; *c; c++) count += *c == '\n';
    return count;
}

// Subqueries of RETURNING that read the changed table run for each row, but a view or a query in their FROM SQLite computes once:
// it is as the table was behind the first row.
static bool returning_from_view(const char *sql, const char *ours, const char *theirs)
{
    const char *at = strstr(sql, " RETURNING ");
    if (!at || !strstr(at, "(SELECT ") || line_count(ours) != line_count(theirs)) return false;
    return strstr(at, "FROM v") || strstr(at, "JOIN v") || strstr(at, ", v") || strstr(at, "FROM (") || strstr(at, "JOIN (") ||
           strstr(at, ", (SELECT ") || strstr(at, "WITH w");
}

// Looking for a row that references the new one, SQLite gives the new one's values the affinity of the columns that do: RETURNING
// shows it, and RESTRICT of a key that changes from 0 to '0' finds it as it was; the table has what was written.
static bool keys_have_types(struct oracle *o, const char *sql)
{
    static const char keys[] =
        "SELECT 1 FROM pragma_foreign_keys AS f, sqlite_schema AS s, pragma_foreign_key_list(s.name) AS k, pragma_table_info(s.name) AS c,"
        " pragma_table_info(k.\"table\") AS p WHERE f.foreign_keys AND c.name = k.\"from\" COLLATE NOCASE AND c.type <> p.type"
        " AND CASE WHEN k.\"to\" IS NULL THEN p.pk ELSE p.name = k.\"to\" COLLATE NOCASE END AND instr(%Q, k.\"table\")";
    char *query = sqlite3_mprintf(keys, sql);
    bool any = sqlite_has_rows(o, query);
    sqlite3_free(query);
    return any;
}

// INDEXED BY of an index that has not all rows is no matter to SQLite when it counts them without looking at any, unless something
// else is in the way.
static bool count_asks_index(struct oracle *o, const char *sql, const struct outcome *theirs)
{
    return strcmp(theirs->error, "no query solution") == 0 && (strstr(sql, " INDEXED BY ") || schema_has(o, " INDEXED BY ")) &&
           (strstr(sql, "count(*)") || schema_has(o, "count(*)"));
}

// PRAGMA full_column_names is about the names of results, but it also takes those of several rows of VALUES away (3.50, 3.53).
static bool values_lost_names(struct oracle *o, const struct outcome *theirs)
{
    unsigned column;
    bool named = theirs->columns.text && strstr(theirs->columns.text, "-ROW VALUES CLAUSE.column");
    if (!named && sscanf(theirs->error, "no such column: column%u", &column) < 1 &&
        sscanf(theirs->error, "no such column: %*[^.].column%u", &column) < 1)
        return false;
    struct outcome found = {0};
    run_sqlite(o->sqlite, "PRAGMA short_column_names", 25, &found);
    bool off = found.rows.text && strcmp(found.rows.text, "I:0|\n") == 0;
    outcome_clear(&found);
    return off;
}

// What SQLite says of a statement when it is left as it is written.
static bool refuses_unoptimized(struct oracle *o, const char *sql, const char *error)
{
    sqlite3_stmt *stmt = NULL;
    sqlite3_test_control(SQLITE_TESTCTRL_OPTIMIZATIONS, o->sqlite, 0xffffffff);
    bool same = sqlite3_prepare_v2(o->sqlite, sql, -1, &stmt, NULL) == SQLITE_ERROR && strcmp(sqlite3_errmsg(o->sqlite), error) == 0;
    sqlite3_finalize(stmt);
    sqlite3_test_control(SQLITE_TESTCTRL_OPTIMIZATIONS, o->sqlite, 0);
    return same;
}

// What it says of a view when it is asked of the view itself.
static bool a_view_is_wrong(struct oracle *o, const char *error)
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

// What a view selects from is gone: SQLite, once it knows the columns of a view, goes on with its triggers, and does not look at a
// temporary one again. Asked of the view itself it says what ours says.
static bool view_is_lost(struct oracle *o, const struct outcome *ours)
{
    return ours->code == SQLITE_ERROR && strncmp(ours->error, "no such ", 8) == 0 && a_view_is_wrong(o, ours->error);
}

// The statement with patterns that are computed: no range stands for them.
static char *without_ranges(const char *sql, size_t size)
{
    static const char *const words[] = {" LIKE ", " GLOB "};
    struct rows r = {0};
    rows_add(&r, "%s", "");
    for (size_t i = 0; i < size; i++) {
        rows_add(&r, "%c", sql[i]);
        for (u32 k = 0; k < COUNT_OF(words); k++)
            if (i >= 5 && memcmp(sql + i - 5, words[k], 6) == 0) rows_add(&r, "''||");
    }
    return r.text;
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

// Whether SQLite gives these rows for the text.
static bool gives(struct oracle *o, const char *text, size_t size, const char *rows)
{
    struct outcome again = {0};
    run_sqlite(o->sqlite, text, size, &again);
    if (o->any_order) rows_sort(&again.rows);
    bool same = !again.code && strcmp(again.rows.text ? again.rows.text : "", rows) == 0;
    outcome_clear(&again);
    return same;
}

// NATURAL JOIN of two joins in parentheses is also by the rowids of their first tables (3.40 to 3.53): to SQLite these are columns
// of such a join, of one name.
static bool same_without_rowids(struct oracle *o, const char *sql, const char *ours)
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
    char *text = without_ranges(sql, size);
    static const u32 left_out[] = {0x10000000, 1, 0xffffffff}; // what later releases name SQLITE_OrderBySubq, SQLITE_QueryFlattener
    enum { RANGES = COUNT_OF(left_out), BACKWARDS, WAYS, REVERSE_SCANORDER = 1019 }; // of sqlite3_db_config(), from 3.44 on
    bool found = false;
    for (u32 i = 0; i < WAYS && !found; i++) {
        struct outcome again = {0};
        int backwards = 0;
        if (i < COUNT_OF(left_out)) sqlite3_test_control(SQLITE_TESTCTRL_OPTIMIZATIONS, o->sqlite, left_out[i]);
        sqlite3_db_config(o->sqlite, REVERSE_SCANORDER, -1, &backwards);
        if (i == BACKWARDS) sqlite3_db_config(o->sqlite, REVERSE_SCANORDER, !backwards, NULL);
        run_sqlite(o->sqlite, i == RANGES ? text : sql, i == RANGES ? strlen(text) : size, &again);
        sqlite3_test_control(SQLITE_TESTCTRL_OPTIMIZATIONS, o->sqlite, 0);
        sqlite3_db_config(o->sqlite, REVERSE_SCANORDER, backwards, NULL);
        if (o->any_order) rows_sort(&again.rows);
        found = !again.code && (strcmp(again.rows.text ? again.rows.text : "", rows) == 0) == same;
        outcome_clear(&again);
    }
    free(text);
    return found;
}

static bool same_unoptimized(struct oracle *o, const char *sql, size_t size, const char *ours) { return answers_again(o, sql, size, ours, true); }

// quote() tells nothing of what is behind a NUL in a text: what is in order by it may be in any. Where hex() decides as well, both say the same.
static bool same_without_ties(struct oracle *o, const char *sql)
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

// Whether SQLite contradicts itself so about what it selects for an INSERT.
static bool insert_is_disputed(struct oracle *o, const char *sql)
{
    const char *into = strstr(sql, " INTO "), *query = into ? strstr(into, " SELECT * FROM (") : NULL, *end = query ? parentheses_end(query) : NULL;
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
    bool disputed = !rows.code && answers_again(o, text, strlen(text), rows.rows.text ? rows.rows.text : "", false);
    o->any_order = any_order;
    outcome_clear(&rows);
    sqlite3_free(text);
    return disputed;
}

// In a database of UTF-16 SQLite takes a blob of more than 4,000 bytes that is on pages of its own for UTF-8 where a text is wanted; any
// other blob, and the same one in an index, it takes for the database's encoding (3.50, 3.53).
static bool has_long_blobs(struct oracle *o)
{
    if (sqlite_has_rows(o, "SELECT 1 FROM pragma_encoding WHERE encoding = 'UTF-8'")) return false;
    static const char columns[] = "SELECT t.schema, t.name, c.name FROM pragma_table_list AS t, pragma_table_xinfo(t.name, t.schema) AS c"
                                  " WHERE t.type = 'table' AND NOT t.wr";
    bool any = false;
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(o->sqlite, columns, -1, &stmt, NULL) == SQLITE_OK)
        while (!any && sqlite3_step(stmt) == SQLITE_ROW) {
            char *query = sqlite3_mprintf("SELECT 1 FROM \"%w\".\"%w\" WHERE typeof(\"%w\") = 'blob' AND octet_length(\"%w\") > 4000",
                                          sqlite3_column_text(stmt, 0), sqlite3_column_text(stmt, 1), sqlite3_column_text(stmt, 2),
                                          sqlite3_column_text(stmt, 2));
            any = sqlite_has_rows(o, query);
            sqlite3_free(query);
        }
    sqlite3_finalize(stmt);
    return any;
}

// The statement with blanks before JSON that one function makes for another that gives the binary form or looks for JSON5. Without them
// SQLite, where the text is longer than 100 bytes, remembers what it was made of and leaves characters in it as they are, which it
// escapes in shorter ones, or finds JSON5 in plain JSON that was made of it (3.50, 3.53).
static bool same_without_memory(struct oracle *o, const char *sql, const char *ours)
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

// UPDATE ... FROM of a view that takes a subquery's rows up to a LIMIT: what the view's triggers see as old is NULL (3.40 to 3.53).
static bool update_loses_old(struct oracle *o, const char *sql)
{
    if (!strstr(sql, "UPDATE ") || !strstr(sql, " FROM ")) return false;
    char *query = sqlite3_mprintf("SELECT 1 FROM (SELECT * FROM sqlite_schema UNION ALL SELECT * FROM sqlite_temp_schema) WHERE type = 'view'"
                                  " AND sql LIKE '%%FROM (%%) %%LIMIT %%' AND (instr(%Q, ' ' || name || ' ') OR instr(%Q, '.' || name || ' '))", sql, sql);
    bool any = sqlite_has_rows(o, query);
    sqlite3_free(query);
    return any && schema_has(o, " INSTEAD OF UPDATE ");
}

// Whether what stands from `text` to `end` names tables, but none that stands between `query` and `query_end`.
static bool is_of_outer(const char *text, const char *end, const char *query, const char *query_end)
{
    bool any = false;
    for (u32 alias; text < end; text++) {
        char name[20];
        int used = 0;
        if (sscanf(text, "q%u.%n", &alias, &used) < 1 || !used || isalnum((u8)text[-1])) continue;
        const int size = snprintf(name, sizeof name, " AS q%u", alias);
        for (const char *at = query; (at = strstr(at, name)) && at < query_end; at++)
            if (!isdigit((u8)at[size])) return false;
        any = true;
    }
    return any;
}

// An aggregate of the query around within EXISTS, beside window functions: SQLite has lost track of it (of a value's query it says "misuse
// of aggregate"), so that what is not aggregated is not of the row with the least or largest value.
static bool aggregate_beside_window(const char *sql)
{
    static const char *const names[] = {"min(", "max("};
    if (!strstr(sql, " OVER ")) return false;
    for (const char *exists = sql; (exists = strstr(exists, "EXISTS ("));) {
        const char *query = exists += 7, *end = parentheses_end(query);
        for (const char *at = query; end && at < end; at++)
            for (u32 i = 0; i < COUNT_OF(names); i++) {
                if (strncmp(at, names[i], 4) != 0 || isalnum((u8)at[-1])) continue;
                const char *close = parentheses_end(at + 3);
                if (close && is_of_outer(at + 3, close, query, end)) return true;
            }
    }
    return false;
}

// From the fifth temp trigger on, which that of RETURNING can be, SQLite's hash of them is one of buckets, and those of one table come in
// another order (3.50).
static bool triggers_reordered(struct oracle *o)
{
    return sqlite_has_rows(o, "SELECT 1 FROM sqlite_temp_schema WHERE type = 'trigger' GROUP BY tbl_name HAVING count(*) > 1"
                              " AND (SELECT count(*) FROM sqlite_temp_schema WHERE type = 'trigger') >= 4");
}

// A trigger does not let a row WITHOUT ROWID go that UPDATE OR REPLACE replaces: where its key has several columns, SQLite writes the
// new one over it all the same (3.50, 3.53); otherwise it says that the key is taken, as it does for INSERT.
static bool keeps_replaced(struct oracle *o, const char *sql)
{
    return (strstr(sql, "UPDATE ") || schema_has(o, "UPDATE ")) && schema_has(o, "RAISE(IGNORE)") && schema_has(o, " BEFORE DELETE ") &&
           schema_has(o, " WITHOUT ROWID");
}

// A trigger that deletes while an upsert updates can leave SQLite with rows out of order (3.50, 3.53), as it says itself; if they
// are still there: what else the statement did may have missed them.
static bool rows_out_of_order(struct oracle *o, const char *sql)
{
    struct outcome harm = {0};
    run_sqlite(o->sqlite, "PRAGMA integrity_check", 22, &harm);
    bool any = harm.rows.text && strstr(harm.rows.text, " out of order");
    outcome_clear(&harm);
    if (any || is_query(sql)) return any;
#define TRIGGERS_LIKE                                                                                                                \
    "SELECT 1 FROM (SELECT type, sql FROM sqlite_schema UNION ALL SELECT type, sql FROM sqlite_temp_schema) WHERE type = 'trigger'" \
    " AND sql LIKE "
    return (strstr(sql, " DO UPDATE ") || sqlite_has_rows(o, TRIGGERS_LIKE "'% DO UPDATE %'")) &&
           sqlite_has_rows(o, TRIGGERS_LIKE "'% BEFORE UPDATE %BEGIN %DELETE FROM %'");
#undef TRIGGERS_LIKE
}

// A row that replaces others while triggers run for these, or keys refer to them: SQLite looks for conflicts again, and an UPDATE then
// meets the row itself (3.40 to 3.53). Without the triggers and keys it does not.
static bool update_meets_itself(struct oracle *o, const char *sql, size_t size, const struct outcome *ours, const struct outcome *theirs)
{
    if (strncmp(theirs->error, "UNIQUE constraint failed: ", 26) != 0 || !strstr(sql, "UPDATE ")) return false;
    struct outcome on = {0}, again = {0};
    run_sqlite(o->sqlite, "SELECT recursive_triggers, foreign_keys FROM pragma_recursive_triggers, pragma_foreign_keys", 91, &on);
    const bool triggers = strncmp(on.rows.text, "I:1|", 4) == 0, keys = strcmp(on.rows.text + 4, "I:1|\n") == 0;
    if (triggers || keys) {
        sqlite3_db_config(o->sqlite, SQLITE_DBCONFIG_ENABLE_FKEY, 0, NULL); // the PRAGMA does nothing within a transaction
        sqlite3_exec(o->sqlite, "SAVEPOINT again; PRAGMA recursive_triggers = OFF", NULL, NULL, NULL);
        run_sqlite(o->sqlite, sql, size, &again);
        sqlite3_exec(o->sqlite, "ROLLBACK TO again; RELEASE again", NULL, NULL, NULL);
        if (triggers) sqlite3_exec(o->sqlite, "PRAGMA recursive_triggers = ON", NULL, NULL, NULL);
        sqlite3_db_config(o->sqlite, SQLITE_DBCONFIG_ENABLE_FKEY, keys, NULL);
    }
    bool meets = (triggers || keys) && again.code == ours->code && strcmp(again.error, ours->error) == 0;
    outcome_clear(&on);
    outcome_clear(&again);
    return meets;
}

// With secure-delete, SQLite takes other rows' entries along from an index with detail=none, as it says itself when it is asked.
static bool index_lost_entries(struct oracle *o)
{
    static const char check[] = "INSERT INTO t(t) VALUES('integrity-check')";
    if (!schema_has(o, "detail=none") || !sqlite_has_rows(o, "SELECT 1 FROM t_config WHERE k = 'secure-delete' AND v <> 0")) return false;
    struct outcome found = {0};
    run_sqlite(o->sqlite, check, sizeof check - 1, &found);
    bool lost = (found.code & 255) == SQLITE_CORRUPT;
    outcome_clear(&found);
    return lost;
}

// Of several mistakes of a trigger, or of a view that it changes, either may be told: neither is at a place of the statement's text,
// and without triggers SQLite tells none of them.
static bool trigger_has_both(struct oracle *o, const char *sql, const struct outcome *ours, const struct outcome *theirs)
{
    if (is_query(sql) || ours->code != SQLITE_ERROR || theirs->code != SQLITE_ERROR || ours->offset >= 0 || theirs->offset >= 0) return false;
    if (!schema_has(o, " TRIGGER ")) return false;
    sqlite3_stmt *stmt = NULL;
    sqlite3_db_config(o->sqlite, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    (void)sqlite3_prepare_v2(o->sqlite, sql, -1, &stmt, NULL);
    const char *own = sqlite3_errmsg(o->sqlite);
    bool both = strcmp(own, ours->error) != 0 && strcmp(own, theirs->error) != 0;
    sqlite3_finalize(stmt);
    sqlite3_db_config(o->sqlite, SQLITE_DBCONFIG_ENABLE_TRIGGER, 1, NULL);
    return both;
}

// REPLACE in a table that references itself with an action lets rows without a parent in, and so do an upsert of several rows where a
// trigger of UPDATE deletes parents, and a statement whose trigger changes the parent of a key with SET NULL (the key is then not looked
// at behind the trigger): asked for each table, SQLite says itself that it has some that ours has not, or that it has committed some.
static bool lets_orphans_in(struct oracle *o)
{
    static const char tables[] = "SELECT schema, name FROM pragma_table_list WHERE type = 'table'";
    const bool committed = sqlite3_get_autocommit(o->sqlite) && !skerry_autocommit(o->db);
    bool any = false;
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(o->sqlite, tables, -1, &stmt, NULL) == SQLITE_OK)
        while (!any && sqlite3_step(stmt) == SQLITE_ROW) {
            char *sql = sqlite3_mprintf("PRAGMA \"%w\".foreign_key_check(\"%w\")", sqlite3_column_text(stmt, 0), sqlite3_column_text(stmt, 1));
            struct outcome ours = {0}, theirs = {0};
            run_sqlite(o->sqlite, sql, strlen(sql), &theirs);
            if (theirs.rows.size && !committed) run_skerry(o->db, sql, strlen(sql), &ours);
            any = has_more(theirs.rows.text ? theirs.rows.text : "", ours.rows.text ? ours.rows.text : "");
            outcome_clear(&ours);
            outcome_clear(&theirs);
            sqlite3_free(sql);
        }
    sqlite3_finalize(stmt);
    return any;
}

// It says nothing of a row that is its own parent by the key's type or collation once it is there, which is none to either where
// SQLite does look.
static bool lets_own_parents_in(struct oracle *o)
{
    return sqlite_has_rows(o, "SELECT 1 FROM (SELECT name, sql FROM sqlite_schema UNION ALL SELECT name, sql FROM sqlite_temp_schema) AS s,"
                              " pragma_foreign_key_list(s.name) AS k, pragma_table_info(s.name) AS c, pragma_table_info(s.name) AS p"
                              " WHERE k.\"table\" = s.name COLLATE NOCASE AND 'SET NULL' IN (k.on_delete, k.on_update)"
                              " AND c.name = k.\"from\" COLLATE NOCASE AND (c.type <> p.type OR s.sql LIKE '% COLLATE %')"
                              " AND CASE WHEN k.\"to\" IS NULL THEN p.pk ELSE p.name = k.\"to\" COLLATE NOCASE END");
}

static bool same_without_text(struct oracle *o, const char *sql, const char *left_out, const char *ours)
{
    char *text = strdup(sql);
    for (char *at; (at = strstr(text, left_out));) memmove(at, at + strlen(left_out), strlen(at + strlen(left_out)) + 1);
    bool same = is_query(sql) && gives(o, text, strlen(text), ours);
    free(text);
    return same;
}

static bool trigger_replaces(struct oracle *o)
{
    return sqlite_has_rows(o, "SELECT 1 FROM (SELECT type, sql FROM sqlite_schema UNION ALL SELECT type, sql FROM sqlite_temp_schema)"
                              " WHERE type = 'trigger' AND sql LIKE '%REPLACE%'");
}

bool outcomes_same(struct oracle *o, const char *sql, size_t size, const struct outcome *ours, const struct outcome *theirs)
{
    const char *our_rows = ours->rows.text ? ours->rows.text : "", *their_rows = theirs->rows.text ? theirs->rows.text : "";
    // What SQLite gives up on: its own index of generated columns, triggers that move what REPLACE holds.
    if (theirs->code == SQLITE_CORRUPT_INDEX || theirs->code == SQLITE_CONSTRAINT_PINNED) o->gave_up = true;
    // And a whole schema that is read again, once PRAGMA case_sensitive_like has put another LIKE in the place of that in an index.
    if (strstr(theirs->error, "non-deterministic functions prohibited in ") &&
        (theirs->code == SQLITE_CORRUPT || strstr(theirs->error, " after ") || strstr(theirs->error, "malformed database schema ")))
        o->gave_up = true;
    if (o->gave_up) return true;
    const bool reads_schema = o->rolled_back;
    o->rolled_back = size >= 8 && strncasecmp(sql, "ROLLBACK", 8) == 0;
    o->windows |= strstr(sql, " OVER ") != NULL;
    o->long_digits |= strstr(sql, "quote(") || strstr(sql, "%!.20");
    bool vacuum = size >= 6 && strncasecmp(sql, "VACUUM", 6) == 0;
    o->vacuumed |= vacuum && !theirs->code;
    if (vacuum) o->rowid_unknown = true;
    else if (ours->last_rowid == theirs->last_rowid && !o->vacuumed) o->rowid_unknown = false;
    if (o->lenient_order && (ours->code == SQLITE_ERROR) != (theirs->code == SQLITE_ERROR) && (ours->ran || theirs->ran) &&
        function_failed(ours->code ? ours->error : theirs->error)) {
        o->gave_up = true;
        return true;
    }
    // BETWEEN does not know that functions are in its bounds: within another operator 3.50 computes it before all else, also where
    // CASE does not come to it.
    if (!o->lenient_order && theirs->ran && theirs->code == SQLITE_ERROR && ours->code != SQLITE_ERROR && strstr(sql, " BETWEEN ") &&
        function_failed(theirs->error)) {
        o->gave_up = true;
        return true;
    }
    if (o->rows_misused && !theirs->code && (strcmp(ours->error, "row value misused") == 0 || strncmp(ours->error, "sub-select returns ", 19) == 0)) {
        o->gave_up = true;
        return true;
    }
    // An aggregate of the query around, in a subquery beside window functions: SQLite has lost track of it. Or it stands in the ON of a
    // table that is not joined at all, unless 3.50 has taken DISTINCT out of a compound's term, as 3.53 does not.
    if (o->lenient_order && (ours->code & 255) != SQLITE_ERROR && strncmp(theirs->error, "misuse of aggregate", 19) == 0 &&
        (o->windows || sqlite3_libversion_number() < 3050000 || (strstr(sql, "SELECT DISTINCT ") && has_set_operator(sql)))) {
        o->gave_up = !is_query(sql);
        return true;
    }
    // Where such a query is divided into partitions, the WHERE around it becomes a HAVING that it then refuses (3.40 to 3.53).
    if (o->lenient_order && o->several_mistakes && (ours->code & 255) != SQLITE_ERROR &&
        strstr(theirs->error, "HAVING clause on a non-aggregate query")) { // of the statement, or in a trigger
        o->gave_up = !is_query(sql);
        return true;
    }
    // Likewise in a subquery that SQLite leaves out because it finds beforehand that no row can come of it.
    if (o->lenient_order && (!theirs->code || theirs->code & ~255) && strncmp(ours->error, "misuse of aggregate: ", 21) == 0) { // or has run
        o->gave_up = !is_query(sql);
        return true;
    }
    // So does 3.40 where a row replaces none, and it tells of a schema that changed.
    if (o->lenient_order && sqlite3_libversion_number() < 3050000 && !ours->code && theirs->code == SQLITE_CONSTRAINT_FOREIGNKEY) o->gave_up = true;
    if (o->lenient_order && ours->code == SQLITE_ERROR && theirs->code == SQLITE_SCHEMA && strcmp(ours->error, theirs->error) == 0) return true;
    const bool refused = ours->code == SQLITE_CONSTRAINT_FOREIGNKEY, failed = strstr(theirs->error, " constraint failed: "); // with FAIL
    if (refused && (!theirs->code || failed) && (lets_orphans_in(o) || (!failed && lets_own_parents_in(o)))) return o->gave_up = true;
    // VACUUM numbers rows anew in SQLite, and keeps their numbers here.
    if (o->vacuumed && !ours->code != !theirs->code && strstr(ours->code ? ours->error : theirs->error, ".rowid")) return o->gave_up = true;
    if (o->lenient_order && !is_query(sql) && update_loses_old(o, sql)) return o->gave_up = true;
    // A new value that has the type of a key that references it is another one to CASCADE of a table that references itself, for ever.
    if (o->lenient_order && !ours->code && strcmp(theirs->error, "too many levels of trigger recursion") == 0 && keys_have_types(o, sql))
        return o->gave_up = true;
    if (o->rowid_unknown && strstr(sql, "last_insert_rowid(")) {
        o->gave_up = !is_query(sql);
        return true;
    }
    // SQLite 3.50 forgets to check the type of a generated column of a STRICT table: it says so itself afterwards.
    if (o->lenient_order && ((!theirs->code && ours->code == SQLITE_CONSTRAINT_DATATYPE) ||
                             (!ours->code && strcmp(theirs->error, "type mismatch on DEFAULT") == 0))) { // ADD COLUMN finds it
        struct outcome harm = {0};
        run_sqlite(o->sqlite, "PRAGMA integrity_check", 22, &harm);
        o->gave_up = harm.rows.text && strcmp(harm.rows.text, "T:ok|\n") != 0;
        outcome_clear(&harm);
        if (o->gave_up) return true;
    }
    // Or it is told of a later one.
    if (o->lenient_order && ours->code == SQLITE_CONSTRAINT_DATATYPE && theirs->code && strcmp(ours->error, theirs->error) != 0 &&
        schema_has(o, " STORED"))
        return o->gave_up = true;
    // It also takes RIGHT JOIN beside a view that joins for a mistake now and then, and one that WHERE makes an inner join for none;
    // 3.53 does not. Where a view's rows are not asked for, 3.50 does not look, nor does ALTER into a trigger that cannot run for it.
    static const char right[] = "ON clause references tables to its right";
    if (o->lenient_order && ((ours->code != SQLITE_ERROR && strcmp(theirs->error, right) == 0) ||
                             (theirs->code != SQLITE_ERROR && strstr(ours->error, right) &&
                              (refuses_unoptimized(o, sql, right) || a_view_is_wrong(o, right) || strncmp(ours->error, "error in trigger ", 17) == 0)))) {
        o->gave_up = !is_query(sql);
        return true;
    }
    // UPDATE view SET rowid = ... FROM: SQLite takes what the view's row is for the number (3.50, 3.53), without FROM it does not.
    if (o->lenient_order && !ours->code && theirs->code == SQLITE_MISMATCH && strstr(sql, "UPDATE ") && strstr(sql, " SET rowid = ") &&
        strstr(sql, " FROM ") && schema_has(o, " INSTEAD OF UPDATE "))
        return o->gave_up = true;
    if (o->lenient_order && !ours->code && (rename_left_table(sql, theirs) || alter_misses_column(o, sql, theirs))) return o->gave_up = true;
    if (o->lenient_order && (rename_misses_join(o, sql, ours, theirs) || (!ours->code && alter_takes_string(o, sql, theirs)) || (ours->code != SQLITE_ERROR && view_misses_alias(o, sql, theirs)))) {
        o->gave_up = true;
        return true;
    }
    if (o->lenient_order && ((theirs->code != SQLITE_ERROR && view_is_lost(o, ours)) || (!ours->code && (values_lost_names(o, theirs) || count_asks_index(o, sql, theirs))))) {
        o->gave_up = true;
        return true;
    }
    if (o->lenient_order && !ours->code && (!theirs->code || strstr(theirs->error, " after rename: no such column: ")) && rename_left_with(o, sql))
        o->gave_up = true;
    if (o->gave_up) return true;
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
    // A query under way beside the others has read within the transaction that came later.
    if (o->interleaved && ours->code && !theirs->code && strstr(ours->error, " is locked")) return o->gave_up = true;
    // It may also take a query apart into one that makes no sense.
    if (o->lenient_order && is_query(sql) && !ours->code && theirs->code == SQLITE_ERROR &&
        same_unoptimized(o, sql, size, our_rows))
        return true;
    // Or leave out a WHERE beside a term with FULL JOIN (the rows are too many), and with it what is wrong there (3.40 to 3.53).
    if (o->lenient_order && is_query(sql) && !theirs->code && strcmp(ours->error, "no query solution") == 0 && strstr(sql, " JOIN ") &&
        strstr(sql, " UNION ALL ") && refuses_unoptimized(o, sql, ours->error))
        return true;
    // Or into a row that has lost its columns, in a change as well.
    if (o->lenient_order && !ours->code && !strstr(sql, "SET (") && strstr(theirs->error, " columns assigned ")) return o->gave_up = true;
    const bool of_trigger = o->lenient_order && trigger_has_both(o, sql, ours, theirs);
    // A statement with several mistakes may be told any of them, before or after a row went in.
    bool function = ours->code && theirs->code && (function_failed(ours->error) || function_failed(theirs->error));
    if ((o->several_mistakes || of_trigger) && (((ours->code & 255) == SQLITE_ERROR && (theirs->code & 255) == SQLITE_ERROR) || (o->lenient_order && function))) {
        if (ours->last_rowid != theirs->last_rowid) o->rowid_unknown = true;
        if (ours->total_changes != theirs->total_changes || ours->changes != theirs->changes) o->gave_up = true;
        o->gave_up |= o->db && skerry_autocommit(o->db) == oracle_in_transaction(o); // one is RAISE(ROLLBACK)
        return true;
    }
    // An INSERT OR IGNORE that its keys' check fails in the end leaves SQLite with the number of a row after the last one.
    if (o->lenient_order && ours->code == SQLITE_CONSTRAINT_FOREIGNKEY && theirs->code == ours->code && strstr(sql, "OR IGNORE"))
        o->rowid_unknown |= ours->last_rowid != theirs->last_rowid;
    // Where a row replaces others, SQLite looks for conflicts again after the actions of its keys: in a table that references
    // itself it then meets the row itself.
    if (o->lenient_order && strstr(theirs->error, "UNIQUE constraint failed: ") && (!ours->code || ours->code == SQLITE_CONSTRAINT_FOREIGNKEY)) {
        static const char own_keys[] = "SELECT s.sql LIKE '%REPLACE%' FROM (SELECT name, sql FROM sqlite_schema UNION ALL"
                                       " SELECT name, sql FROM sqlite_temp_schema) AS s, pragma_foreign_key_list(s.name) AS k WHERE k.\"table\" = s.name COLLATE NOCASE OR k.on_delete <> 'NO ACTION' OR k.on_update <> 'NO ACTION'";
        struct outcome keys = {0};
        run_sqlite(o->sqlite, own_keys, sizeof own_keys - 1, &keys);
        o->gave_up = keys.rows.text && strstr(keys.rows.text, strstr(sql, "REPLACE") || trigger_replaces(o) ? "I:" : "I:1");
        outcome_clear(&keys);
        if (o->gave_up) return true;
    }
    if (o->lenient_order && !theirs->code && (ours->code == SQLITE_CONSTRAINT_PRIMARYKEY || ours->code == SQLITE_CONSTRAINT_UNIQUE) && keeps_replaced(o, sql))
        return o->gave_up = true;
    bool texts = o->quiet_texts || strcmp(ours->error, theirs->error) == 0;
    // Of several ours tells the first that is met.
    static const char misuse[] = "misuse of aggregate: ";
    if (!texts && o->lenient_order && strncmp(ours->error, misuse, sizeof misuse - 1) == 0)
        texts = strncmp(theirs->error, misuse, sizeof misuse - 1) == 0;
    bool codes = o->quiet_texts ? !ours->code == !theirs->code : ours->code == theirs->code;
    if (!codes && o->lenient_order && ours->code == SQLITE_CONSTRAINT_TRIGGER && theirs->code == SQLITE_CONSTRAINT_FOREIGNKEY)
        codes = keys_have_types(o, sql);
    // A row given before an error is no promise.
    bool rows = (ours->code && theirs->code) || strcmp(our_rows, their_rows) == 0;
    if (o->lenient_order && (strstr(sql, "UNION") || strstr(sql, "INTERSECT") || strstr(sql, "EXCEPT"))) o->either_number = true;
    if (!rows && o->lenient_order && (o->either_number || strstr(sql, "RETURNING"))) rows = same_without(without_kinds, our_rows, their_rows);
    // A column of REAL that a subquery of RETURNING names is 1 to SQLite there where it is 1.0.
    const char *returning = strstr(sql, "RETURNING");
    if (!rows && o->lenient_order && returning && strstr(returning, "(SELECT")) rows = same_without(without_real, our_rows, their_rows);
    if (!rows && o->lenient_order)
        rows = returning_from_view(sql, our_rows, their_rows) ||
               (strstr(sql, " RETURNING ") && line_count(our_rows) == line_count(their_rows) && keys_have_types(o, sql));
    if (!rows && o->long_digits) rows = same_without(without_last_digits, our_rows, their_rows);
    if (!rows && strstr(sql, "%!.20")) rows = same_without(without_scale, our_rows, their_rows);
    if (!rows) rows = same_without(without_far_digits, our_rows, their_rows);
    if (!rows && o->lenient_order && strncasecmp(sql, "PRAGMA", 6) == 0 && strstr(sql, "table_list"))
        rows = same_without(without_view_widths, our_rows, their_rows);
    if (!rows && o->lenient_order) rows = distinct_misses_pass(o, sql, our_rows, their_rows);
    // EXCLUDE NO OTHERS is what holds anyway, but then SQLite adds each frame up anew: the sum of one that a text was in may be an
    // integer, and that of one that an infinity has left a number. Without it, SQLite says what ours says.
    static const char exclude[] = " EXCLUDE NO OTHERS";
    if (!rows && o->lenient_order && strstr(sql, exclude))
        rows = same_without(without_kinds, our_rows, their_rows) || same_without_text(o, sql, exclude, our_rows);
    if (!rows && o->lenient_order && is_query(sql)) rows = same_unoptimized(o, sql, size, our_rows) || same_without_rowids(o, sql, our_rows) || same_without_ties(o, sql);
    if (!rows && is_query(sql)) rows = same_without_memory(o, sql, our_rows);
    if (!rows && o->lenient_order && is_query(sql) && line_count(our_rows) == line_count(their_rows)) rows = aggregate_beside_window(sql);
    if (!rows && o->vacuumed && (strstr(sql, "rowid") || schema_has(o, ".rowid"))) o->gave_up = rows = true;
    // SQLite counts rows of the shadow tables that it makes before it fails.
    if (theirs->code && size >= 14 && strncasecmp(sql, "CREATE VIRTUAL", 14) == 0) o->reopened = true;
    bool counts = o->reopened || (ours->changes == theirs->changes && ours->total_changes == theirs->total_changes &&
                                  (o->rowid_unknown || ours->last_rowid == theirs->last_rowid));
    const char *our_columns = ours->columns.text ? ours->columns.text : "",
               *their_columns = theirs->columns.text ? theirs->columns.text : "";
    bool altered = size >= 5 && strncasecmp(sql, "ALTER", 5) == 0; // carried out by SELECTs of SQLite's own
    bool columns = altered || !o->columns || ((ours->code || strcmp(our_columns, their_columns) == 0) && (ours->offset == theirs->offset || theirs->offset < 0 || strcmp(ours->error, theirs->error) != 0)); // SQLite does not always say where
    if (!columns && o->lenient_order && !theirs->code) columns = values_lost_names(o, theirs);
    // FTS5's secure-delete makes an index that older releases cannot read (docs/sql.md).
    if (!rows && strcmp(sql, "SELECT * FROM main.\"t_config\"") == 0) rows = same_without(without_fts_version, our_rows, their_rows);
    // 3.40 takes the NULL that a row has in the place of its INTEGER PRIMARY KEY for one, once ALTER TABLE has written the rows anew.
    if (!rows && o->lenient_order && sqlite3_libversion_number() < 3050000 && strncasecmp(sql, "PRAGMA", 6) == 0 && strstr(sql, "_check"))
        rows = strcmp(our_rows, "T:ok|\n") == 0 && strncmp(their_rows, "T:NULL value in ", 16) == 0;
    // How full pages are is each engine's own matter.
    if (!rows && o->lenient_order && strncasecmp(sql, "PRAGMA freelist_count", 21) == 0) rows = true;
    if (texts && codes && rows && counts && columns) return true;
    if (o->lenient_order && (rows_out_of_order(o, sql) || triggers_reordered(o) || (o->rowid_unknown && schema_has(o, "last_insert_rowid(")))) return o->gave_up = true;
    // A statement that SQLite reads the schema again for has RETURNING before the temp triggers, which may leave the row out.
    if (o->lenient_order && reads_schema && !rows && strstr(sql, " RETURNING ") &&
        sqlite_has_rows(o, "SELECT 1 FROM sqlite_temp_schema WHERE type = 'trigger' AND sql LIKE '%RAISE(IGNORE)%'"))
        return o->gave_up = true;
    if (o->lenient_order && has_long_blobs(o)) return o->gave_up = true;
    if (update_meets_itself(o, sql, size, ours, theirs) || index_lost_entries(o) || (o->lenient_order && insert_is_disputed(o, sql))) return o->gave_up = true;
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
