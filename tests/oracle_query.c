// What SQLite's queries have wrong.
#include "oracle_same.h"

#include <ctype.h>
#include <sqlite3.h>

// DISTINCT by an index that has statistics searches behind each value; behind the last there is nothing, and the rows that NULLS
// FIRST or LAST has come in a second pass are missing (all releases).
bool distinct_misses_pass(struct oracle *o, const char *sql, const char *ours, const char *theirs)
{
    return strcasestr(sql, "distinct") && strcasestr(sql, "nulls ") && oracle_has_table(o, "sqlite_stat1") && !has_more(theirs, ours);
}

// INDEXED BY of an index that has not all rows is no matter to SQLite when it counts them without looking at any, unless something
// else is in the way.
bool count_asks_index(struct oracle *o, const char *sql, const struct outcome *theirs)
{
    return strcmp(theirs->error, "no query solution") == 0 && (strstr(sql, " INDEXED BY ") || schema_has(o, " INDEXED BY ")) &&
           (strstr(sql, "count(*)") || schema_has(o, "count(*)"));
}

static bool names_are_long(struct oracle *o)
{
    struct outcome found = {0};
    run_sqlite(o->sqlite, "PRAGMA short_column_names", 25, &found);
    bool off = found.rows.text && strcmp(found.rows.text, "I:0|\n") == 0;
    outcome_clear(&found);
    return off;
}

// PRAGMA full_column_names is about the names of results, but ALTER TABLE does not find columns behind joins in parentheses then, which
// queries do.
bool alter_lost_names(struct oracle *o, const char *sql, const struct outcome *theirs)
{
    return strncmp(sql, "ALTER TABLE ", 12) == 0 && strncmp(theirs->error, "error in ", 9) == 0 && names_are_long(o) &&
           (schema_has(o, "JOIN (") || schema_has(o, "FROM ("));
}

// It also takes those of several rows of VALUES away (3.50, 3.53).
bool values_lost_names(struct oracle *o, const struct outcome *theirs)
{
    unsigned column;
    bool named = theirs->columns.text && strstr(theirs->columns.text, "-ROW VALUES CLAUSE.column");
    if (!named && sscanf(theirs->error, "no such column: column%u", &column) < 1 &&
        sscanf(theirs->error, "no such column: %*[^.].column%u", &column) < 1)
        return false;
    return names_are_long(o);
}

// What a view selects from is gone: SQLite, once it knows the columns of a view, goes on with its triggers, and does not look at a
// temporary one again. Asked of the view itself it says what ours says.
bool view_is_lost(struct oracle *o, const struct outcome *ours)
{
    return ours->code == SQLITE_ERROR && strncmp(ours->error, "no such ", 8) == 0 && a_view_is_wrong(o, ours->error);
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
bool aggregate_beside_window(const char *sql)
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

// In a database of UTF-16 SQLite takes a blob of more than 4,000 bytes that is on pages of its own for UTF-8 where a text is wanted; any
// other blob, and the same one in an index, it takes for the database's encoding (3.50, 3.53).
bool has_long_blobs(struct oracle *o)
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
