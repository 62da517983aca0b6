// What ALTER TABLE of SQLite has wrong.
#include "oracle_same.h"

#include <sqlite3.h>

#define JOIN_IN_PARENTHESES                                                                                             \
    "sql GLOB '*JOIN ([\"a-z]*' OR sql GLOB '*FROM ([\"a-z]*' OR sql GLOB '*, ([\"a-z]* JOIN *'"                       \
    " OR sql GLOB '*, ([tvw][0-9]* AS q*' OR sql GLOB '*, (other.* AS q*' OR sql GLOB '*, ([a-z]*_[a-z]*(* AS q*, *' OR sql GLOB '*[NM,] ((*'"

// A view or trigger has a join in parentheses. ALTER TABLE looks its tables' names up as if there were no such tables: what SQLite
// selects from a moment before is to it a mistake then or means a column of a query around, and what it finds ambiguous none (3.40 to 3.53).
bool rename_misses_join(struct oracle *o, const char *sql, const struct outcome *ours, const struct outcome *theirs)
{
    if (strncasecmp(sql, "ALTER", 5) != 0 || (ours->code == SQLITE_ERROR) == (theirs->code == SQLITE_ERROR)) return false;
    const char *error = theirs->code ? theirs->error : ours->error;
    const bool nameless = strcmp(error, "SQL logic error") == 0; // PRAGMA legacy_alter_table
    if (!nameless && (strncmp(error, "error in ", 9) != 0 ||
                      (!strstr(error, ": ambiguous column name: ") && (!theirs->code || !strstr(error, ": no such column: ")))))
        return false;
    const char *other = oracle_has_table(o, OTHER_SCHEMA) ? " UNION ALL SELECT * FROM other.sqlite_schema" : "";
    char *query = sqlite3_mprintf("WITH RECURSIVE objects AS (SELECT * FROM sqlite_schema UNION ALL SELECT * FROM sqlite_temp_schema%s)"
                                  ", used AS (SELECT name, sql FROM objects WHERE %d OR instr(%Q, ' ' || name)"
                                  // and the views that it uses
                                  " UNION SELECT o.name, o.sql FROM used, objects AS o WHERE o.type = 'view' AND instr(used.sql, o.name))"
                                  " SELECT 1 FROM used WHERE " JOIN_IN_PARENTHESES,
                                  other, nameless, error);
    bool any = sqlite_has_rows(o, query);
    sqlite3_free(query);
    return any;
}

// It makes a string of a quoted name there, too: 'x y' of "x y". The names are those of dialect_schema.c: to ask for them in a transaction
// would keep other databases from DETACH.
bool alter_makes_string_of_name(struct oracle *o, const char *sql)
{
    static const char *const names[] = {"'a b'", "'order'", "'x\"y'", "'\u00e9'"};
    bool any = false;
    for (u32 i = 0; i < COUNT_OF(names) && strncasecmp(sql, "ALTER", 5) == 0 && !any; i++) {
        char *query = sqlite3_mprintf("SELECT 1 FROM (SELECT sql FROM sqlite_schema UNION ALL SELECT sql FROM sqlite_temp_schema)"
                                      " WHERE instr(sql, %Q) AND (" JOIN_IN_PARENTHESES ")", names[i]);
        any = sqlite_has_rows(o, query);
        sqlite3_free(query);
    }
    return any;
}

// An index on a string: ALTER TABLE makes 'x' of "x" wherever it stands in the schema, which is a name in the list of an index then.
bool alter_takes_string(struct oracle *o, const char *sql, const struct outcome *theirs)
{
    static const char name[] = "no such column: ";
    char quoted[100];
    const char *at = strstr(theirs->error, name);
    if (strncasecmp(sql, "ALTER", 5) != 0 || strncmp(theirs->error, "error in index ", 15) != 0 || !at) return false;
    snprintf(quoted, sizeof quoted, "\"%s\"", at + sizeof name - 1);
    return schema_has(o, quoted);
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
// parentheses is to it (rename_misses_join), and in the attached database a table of another one.
bool rename_left_with(struct oracle *o, const char *sql)
{
    static const char texts[] = "SELECT sql, %d OR " JOIN_IN_PARENTHESES " FROM (%s) WHERE sql LIKE '%%WITH %%' AND instr(lower(sql), lower(%Q))";
    char table[60] = "";
    if (strncasecmp(sql, "ALTER", 5) != 0 || !(strstr(sql, " RENAME ") || strstr(sql, " DROP "))) return false; // both make strings of "x"
    bool any = false;
    const int last = sscanf(sql, "ALTER TABLE other.%*[\"`[]%59[^]\"`]", table) == 1 || sscanf(sql, "ALTER TABLE other.%59s ", table) == 1; // to ask the attached database in a transaction would keep it from DETACH
    for (int attached = 0; attached <= last && !any; attached++) {
        char *query = sqlite3_mprintf(texts, attached, attached ? "SELECT sql FROM other.sqlite_schema" : "SELECT sql FROM sqlite_schema UNION ALL SELECT sql FROM sqlite_temp_schema", attached ? table : "");
        char **found = NULL; // asking in a view's text would end a query under way
        int rows = 0, columns;
        if (sqlite3_get_table(o->sqlite, query, &found, &rows, &columns, NULL) == SQLITE_OK)
            for (int i = 1; i <= rows && !any; i++) any = strcmp(found[2 * i + 1], "1") == 0 || with_is_wrong(o, found[2 * i]);
        sqlite3_free_table(found);
        sqlite3_free(query);
    }
    return any;
}

// "error in view v after rename: no such table: main.OLD" (of a temporary view just OLD): SQLite has left the old name where it stood,
// which a mistake in a WITH, or a join in parentheses there, makes it do (3.40 to 3.53).
bool rename_left_table(const char *sql, const struct outcome *theirs)
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
bool alter_misses_column(struct oracle *o, const char *sql, const struct outcome *theirs)
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
