// What SQLite's changes, triggers and keys have wrong.
#include "oracle_same.h"

#include <sqlite3.h>

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
// miss a table of a WITH next. With the view's own name there is no mistake, or the one that is told here.
bool view_misses_alias(struct oracle *o, const char *sql, const struct outcome *ours, const struct outcome *theirs)
{
    char alias[60], before[80];
    const char *const deleted = strstr(sql, "UPDATE ") ? NULL : strstr(sql, "DELETE FROM "), *at = deleted ? NULL : strstr(sql, " SET ");
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
        if (!*c) break;
        const bool here = c > at && strncmp(c, before, named) == 0 && (c[-1] == ' ' || c[-1] == '(' || c[-1] == '+' || c[-1] == '-' || c[-1] == '~');
        if (here) rows_add(&text, "%.*s", (int)(at - view), view);
        if (here) c += named - 1;
        rows_add(&text, "%c", *c);
    }
    sqlite3_stmt *stmt = NULL;
    const bool right = sqlite3_prepare_v2(o->sqlite, text.text, -1, &stmt, NULL) == SQLITE_OK;
    const bool same = ours->code == SQLITE_ERROR ? !right && strcmp(sqlite3_errmsg(o->sqlite), ours->error) == 0 : right;
    sqlite3_finalize(stmt);
    free(text.text);
    return same;
}

// Subqueries of RETURNING that read the changed table run for each row, but a view or a query in their FROM SQLite computes once:
// it is as the table was behind the first row.
bool returning_from_view(const char *sql, const char *ours, const char *theirs)
{
    const char *at = strstr(sql, " RETURNING ");
    if (!at || !strstr(at, "(SELECT ") || line_count(ours) != line_count(theirs)) return false;
    return strstr(at, "FROM v") || strstr(at, "JOIN v") || strstr(at, ", v") || strstr(at, "FROM (") || strstr(at, "JOIN (") ||
           strstr(at, ", (SELECT ") || strstr(at, "WITH w");
}

// Looking for a row that references the new one, SQLite gives the new one's values the affinity of the columns that do: RETURNING
// shows it, and RESTRICT of a key that changes from 0 to '0' finds it as it was; the table has what was written.
bool keys_have_types(struct oracle *o, const char *sql)
{
    static const char keys[] =
        "SELECT 1 FROM pragma_foreign_keys AS f, (SELECT name FROM sqlite_schema UNION ALL SELECT name FROM sqlite_temp_schema) AS s, pragma_foreign_key_list(s.name) AS k, pragma_table_info(s.name) AS c,"
        " pragma_table_info(k.\"table\") AS p WHERE f.foreign_keys AND c.name = k.\"from\" COLLATE NOCASE AND c.type <> p.type"
        " AND CASE WHEN k.\"to\" IS NULL THEN p.pk ELSE p.name = k.\"to\" COLLATE NOCASE END AND instr(%Q, k.\"table\")";
    char *query = sqlite3_mprintf(keys, sql);
    bool any = sqlite_has_rows(o, query);
    sqlite3_free(query);
    return any;
}

// UPDATE ... FROM of a view that takes a subquery's rows up to a LIMIT, or rows of no table: what the view's triggers see as old is NULL (3.40 to 3.53).
bool update_loses_old(struct oracle *o, const char *sql)
{
    if (!strstr(sql, "UPDATE ") || !strstr(sql, " FROM ")) return false;
    char *query = sqlite3_mprintf("SELECT 1 FROM (SELECT * FROM sqlite_schema UNION ALL SELECT * FROM sqlite_temp_schema) WHERE type = 'view'"
                                  " AND (sql LIKE '%%FROM (%%) %%LIMIT %%' OR sql NOT LIKE '%%FROM %%') AND (instr(%Q, ' ' || name || ' ') OR instr(%Q, '.' || name || ' '))", sql, sql);
    bool any = sqlite_has_rows(o, query);
    sqlite3_free(query);
    return any && schema_has(o, " INSTEAD OF UPDATE ");
}

// UPDATE view SET rowid = ... FROM, which a trigger may run: SQLite takes what the view's row is for the number (3.50, 3.53), without
// FROM it does not.
bool takes_row_for_rowid(struct oracle *o, const char *sql)
{
    char *query = sqlite3_mprintf("SELECT 1 FROM (SELECT %Q AS sql UNION ALL SELECT sql FROM sqlite_schema UNION ALL SELECT sql FROM sqlite_temp_schema)"
                                  " WHERE sql LIKE '%%UPDATE %% SET %%rowid%% FROM %%' OR sql LIKE '%%UPDATE %% SET %%oid%% FROM %%'", sql);
    bool any = schema_has(o, " INSTEAD OF UPDATE ") && sqlite_has_rows(o, query);
    sqlite3_free(query);
    return any;
}

// From the fifth temp trigger on, which that of RETURNING can be, SQLite's hash of them is one of buckets, and those of one table come in
// another order (3.50).
bool triggers_reordered(struct oracle *o)
{
    return sqlite_has_rows(o, "SELECT 1 FROM sqlite_temp_schema WHERE type = 'trigger' GROUP BY tbl_name HAVING count(*) > 1"
                              " AND (SELECT count(*) FROM sqlite_temp_schema WHERE type = 'trigger') >= 4");
}

bool trigger_replaces(struct oracle *o)
{
    return sqlite_has_rows(o, "SELECT 1 FROM (SELECT type, sql FROM sqlite_schema UNION ALL SELECT type, sql FROM sqlite_temp_schema)"
                              " WHERE type = 'trigger' AND sql LIKE '%REPLACE%'");
}

// A trigger does not let a row WITHOUT ROWID go that UPDATE OR REPLACE replaces: where its key has several columns, SQLite writes the
// new one over it all the same (3.50, 3.53); otherwise it says that the key is taken, as it does for INSERT.
bool keeps_replaced(struct oracle *o, const char *sql)
{
    return (strstr(sql, "UPDATE ") || schema_has(o, "UPDATE ")) && schema_has(o, "RAISE(IGNORE)") && schema_has(o, " BEFORE DELETE ") &&
           schema_has(o, " WITHOUT ROWID");
}

// A trigger that deletes while an upsert updates can leave SQLite with rows out of order (3.40 to 3.53), as it says itself.
bool rows_out_of_order(struct oracle *o)
{
    struct outcome harm = {0};
    run_sqlite(o->sqlite, "PRAGMA integrity_check", 22, &harm);
    bool any = harm.rows.text && strstr(harm.rows.text, " out of order");
    outcome_clear(&harm);
    return any;
}

// Whether an UPDATE fails, and at which row, hangs on the way through the table, and older releases go by partial or covering indexes
// where later ones do not. So does what it did so far, when FAIL leaves that.
bool stops_elsewhere(struct oracle *o, const char *sql, const struct outcome *ours, const struct outcome *theirs)
{
    bool any = (ours->code & 255) == SQLITE_CONSTRAINT || (theirs->code & 255) == SQLITE_CONSTRAINT || theirs->code == SQLITE_MISMATCH;
    return any && o->any_order && sqlite3_libversion_number() < 3050000 && (strncasecmp(sql, "UPDATE", 6) == 0 || strstr(sql, " DO UPDATE ")) &&
           (ours->code != theirs->code || strstr(sql, " OR FAIL ") || schema_has(o, " CONFLICT FAIL"));
}

// A view that has a trigger of another kind can be changed by a statement with RETURNING, to SQLite, which then does nothing and returns
// rows all the same (3.50, 3.53). Without RETURNING it says what ours says.
bool view_is_changed(struct oracle *o, const char *sql, const struct outcome *ours)
{
    const char *returning = strstr(sql, " RETURNING ");
    if (!returning || !strstr(ours->error, "because it is a view")) return false;
    struct outcome without = {0};
    run_sqlite(o->sqlite, sql, (size_t)(returning - sql), &without);
    bool same = strcmp(without.error, ours->error) == 0;
    outcome_clear(&without);
    return same;
}

// If they are still there: what else the statement did may have missed them.
bool rows_were_out_of_order(struct oracle *o, const char *sql)
{
    if (is_query(sql)) return false;
#define TRIGGERS_LIKE                                                                                                                \
    "SELECT 1 FROM (SELECT type, sql FROM sqlite_schema UNION ALL SELECT type, sql FROM sqlite_temp_schema) WHERE type = 'trigger'" \
    " AND sql LIKE "
    return (strstr(sql, " DO UPDATE ") || sqlite_has_rows(o, TRIGGERS_LIKE "'% DO UPDATE %'")) &&
           sqlite_has_rows(o, TRIGGERS_LIKE "'% BEFORE UPDATE %BEGIN %DELETE FROM %'");
#undef TRIGGERS_LIKE
}

// A row that replaces others while triggers run for these, or keys refer to them: SQLite looks for conflicts again, and an UPDATE then
// meets the row itself (3.40 to 3.53). Without the triggers and keys it does not.
bool update_meets_itself(struct oracle *o, const char *sql, size_t size, const struct outcome *ours, const struct outcome *theirs)
{
    if (strncmp(theirs->error, "UNIQUE constraint failed: ", 26) != 0 || !(strstr(sql, "UPDATE ") || schema_has(o, "UPDATE "))) return false;
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
    const bool refused = !again.code && ((keys && ours->code == SQLITE_CONSTRAINT_FOREIGNKEY) || ours->code == SQLITE_CONSTRAINT_TRIGGER); // by what was left out
    const bool endless = triggers && strcmp(ours->error, "too many levels of trigger recursion") == 0; // once the row was not met
    bool meets = refused || endless || ((triggers || keys) && again.code == ours->code && strcmp(again.error, ours->error) == 0);
    outcome_clear(&on);
    outcome_clear(&again);
    return meets;
}

// With secure-delete, SQLite takes other rows' entries along from an index with detail=none, as it says itself when it is asked.
bool index_lost_entries(struct oracle *o)
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
bool trigger_has_both(struct oracle *o, const char *sql, const struct outcome *ours, const struct outcome *theirs)
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
// at behind the trigger, whatever mends it then): asked for each table, SQLite says itself that it has some that ours has not, or that it has committed some.
bool lets_orphans_in(struct oracle *o)
{
    static const char unwatched[] =
        "SELECT 1 FROM sqlite_schema AS s, pragma_foreign_key_list(s.name) AS k, (SELECT type, sql FROM sqlite_schema UNION ALL SELECT type, sql FROM sqlite_temp_schema) AS r"
        " WHERE s.type = 'table' AND r.type = 'trigger' AND 'SET NULL' IN (k.on_delete, k.on_update)"
        " AND (r.sql LIKE '%DELETE FROM ' || k.\"table\" || ' %' OR r.sql LIKE '%REPLACE INTO ' || k.\"table\" || ' %')";
    if (sqlite_has_rows(o, unwatched)) return true;
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
bool lets_own_parents_in(struct oracle *o)
{
    return sqlite_has_rows(o, "SELECT 1 FROM (SELECT name, sql FROM sqlite_schema UNION ALL SELECT name, sql FROM sqlite_temp_schema) AS s,"
                              " pragma_foreign_key_list(s.name) AS k, pragma_table_info(s.name) AS c, pragma_table_info(s.name) AS p"
                              " WHERE k.\"table\" = s.name COLLATE NOCASE AND 'SET NULL' IN (k.on_delete, k.on_update)"
                              " AND c.name = k.\"from\" COLLATE NOCASE AND (c.type <> p.type OR s.sql LIKE '% COLLATE %')"
                              " AND CASE WHEN k.\"to\" IS NULL THEN p.pk ELSE p.name = k.\"to\" COLLATE NOCASE END");
}
