// Whether both gave the same; what SQLite has wrong by its own word or documentation is told apart, each with the reason.
#include "oracle_same.h"

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

// From the fourth on, columns of one name get a number by chance.
static bool same_but_numbered(const char *a, const char *b)
{
    const char *end = strrchr(a, ':');
    return end && strncmp(a, b, (size_t)(end - a) + 1) == 0 && end[1] && !end[1 + strspn(end + 1, "0123456789")] &&
           !b[end - a + 1 + (ptrdiff_t)strspn(b + (end - a) + 1, "0123456789")];
}

// Changes nothing: WITH may stand before what does.
bool is_query(const char *sql)
{
    static const char *const changes[] = {" INSERT ", " REPLACE INTO ", " UPDATE ", " DELETE FROM "};
    if (strncasecmp(sql, "SELECT", 6) == 0 || strncasecmp(sql, "VALUES", 6) == 0) return true;
    if (strncasecmp(sql, "WITH", 4) != 0) return false;
    for (u32 i = 0; i < COUNT_OF(changes); i++)
        if (strstr(sql, changes[i])) return false;
    return true;
}

static bool has_set_operator(const char *sql)
{
    return strstr(sql, " UNION ") || strstr(sql, " INTERSECT ") || strstr(sql, " EXCEPT ");
}

// Whether SQLite's plan for the query says so.
static bool plan_has(struct oracle *o, const char *sql, const char *text)
{
    char **found = NULL, *query = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql);
    int rows = 0, columns;
    bool has = false;
    if (sqlite3_get_table(o->sqlite, query, &found, &rows, &columns, NULL) == SQLITE_OK)
        for (int i = 1; i <= rows; i++) has |= strstr(found[4 * i + 3], text) != NULL;
    sqlite3_free_table(found);
    sqlite3_free(query);
    return has;
}

static bool has_aggregate(const char *sql)
{
    static const char *const names[] = {"min(", "max(", "sum(", "count(", "avg(", "total(", "group_concat("};
    for (u32 i = 0; i < COUNT_OF(names); i++)
        if (strcasestr(sql, names[i])) return true;
    return false;
}

// A side of OR or NOT in a full-text query that may have come to a row that it does not match.
static bool ranks_by_sides(const char *sql)
{
    static const char *const parts[] = {"NEAR(", " : ", "^"};
    bool in_part = strstr(sql, "rank") || strstr(sql, "bm25(") || strstr(sql, "highlight(") || strstr(sql, "snippet("), place = false;
    for (u32 i = 0; i < COUNT_OF(parts); i++) place |= strstr(sql, parts[i]) != NULL;
    return in_part && place && (strstr(sql, " OR ") || strstr(sql, " NOT "));
}

static bool begins(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

// Mistakes that are found as code is made.
static bool of_code(const char *error)
{
    return strcmp(error, "row value misused") == 0 || begins(error, "misuse of aggregate: ") || begins(error, "sub-select returns ") ||
           begins(error, "HAVING clause on a non-aggregate query") || begins(error, "misuse of window function ") ||
           begins(error, "RETURNING may not use ");
}

static bool has_several_conflicts(const char *sql)
{
    const char *const clause = strstr(sql, " ON CONFLICT ");
    return clause && strstr(clause + 1, " ON CONFLICT ");
}

// The end of what stands before `end`, a set operator that does not stand within the term that ends there; NULL: there is none.
static const char *last_set_operator(const char *sql, const char *end)
{
    static const char *const operators[] = {" UNION ", " INTERSECT ", " EXCEPT "};
    const char *last = NULL;
    for (u32 i = 0; i < COUNT_OF(operators); i++)
        for (const char *at = sql; (at = strstr(at, operators[i])) && at < end; at++)
            if (at > last) last = at;
    return last;
}

// Whether the ORDER BY of a compound has a COLLATE: its last term's DISTINCT, GROUP BY and HAVING are of the whole to SQLite. The first
// ORDER BY from *at on is looked at, *at then stands behind it.
static bool orders_collated(const char *sql, const char **at, bool *whole)
{
    const char *const order = *at, *const next = strstr(order + 1, "ORDER BY "), *const collate = strstr(order, "COLLATE");
    const char *const last = last_set_operator(sql, order);
    *at = next;
    if (!last || !collate || (next && collate > next)) return false;
    const char *const parts[] = {strstr(last, "GROUP BY "), strstr(last, "HAVING "), strstr(last, "SELECT DISTINCT ")};
    for (u32 i = 0; i < COUNT_OF(parts); i++) *whole |= parts[i] && parts[i] < order;
    return true;
}

// What of it (docs/sql.md) shows in an error, and in rows: in a common table expression and a view both are merged by that collation, too.
static bool merges_collated(const char *sql, bool rows)
{
    bool any = false, whole = false;
    for (const char *order = strstr(sql, "ORDER BY "); order;) any |= orders_collated(sql, &order, &whole);
    return whole || (any && rows && begins(sql, "WITH "));
}

// One that SQLite finds before or behind others (docs/sql.md, "Which of several mistakes is told").
static bool another_mistake(struct oracle *o, const char *sql, const struct outcome *ours, const struct outcome *theirs)
{
    static const char collation[] = "no such collation sequence: ", right[] = "ON clause references tables to its right";
    // ALTER looks for the tables of triggers, views and indexes in other databases as well.
    const char *const error = theirs->code ? theirs->error : ours->error;
    if (begins(sql, "ALTER ") && begins(error, "error in ") && strcmp(ours->error, theirs->error) != 0 &&
        sqlite_has_rows(o, "SELECT 1 FROM pragma_database_list WHERE seq > 2"))
        return true;
    if (theirs->code && !ours->code && merges_collated(sql, false)) return true;
    if (!ours->code || !theirs->code || strcmp(ours->error, theirs->error) == 0) return false;
    if (of_code(theirs->error) && strstr(sql, "VALUES")) return true;
    if (of_code(theirs->error) && of_code(ours->error)) return true;
    if (strcmp(ours->error, "row value misused") == 0 && strstr(sql, "SELECT *") && !is_query(sql)) return true; // of which SQLite does not know the width yet
    if (begins(ours->error, "generated column loop on ") && begins(theirs->error, "generated column loop on ")) return true;
    if (begins(ours->error, collation) || begins(theirs->error, collation)) return true;
    if ((begins(ours->error, "a JOIN clause is required before ") || begins(ours->error, "DISTINCT is not supported for ")) &&
        (begins(theirs->error, "near ") || strcmp(theirs->error, "incomplete input") == 0)) return true;
    if (has_several_conflicts(sql)) return true;
    // Behind a `*` of nothing the search goes on, up to a view whose columns SQLite has not asked for since the schema was read.
    if (strcmp(theirs->error, "no tables specified") == 0 && sqlite_has_rows(o, "SELECT 1 FROM sqlite_schema WHERE type = 'view'")) return true;
    if (strcmp(ours->error, right) == 0 || strcmp(theirs->error, right) == 0) return true;
    return o->windows && (begins(theirs->error, "frame ") || begins(ours->error, "frame "));
}

bool is_plan(const char *sql) { return strncasecmp(sql + strspn(sql, " ;"), "EXPLAIN QUERY PLAN", 18) == 0; }

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
        function_failed(ours->code == SQLITE_ERROR ? ours->error : theirs->error)) {
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
    if ((o->documented && another_mistake(o, sql, ours, theirs)) || ((o->documented || o->lenient_order) && view_misses_alias(o, sql, ours, theirs))) return o->gave_up = true;
    if (o->rows_misused && !theirs->code && (strcmp(ours->error, "row value misused") == 0 || strncmp(ours->error, "sub-select returns ", 19) == 0)) {
        o->gave_up = true;
        return true;
    }
    // An aggregate of the query around, in a subquery beside window functions: SQLite has lost track of it. Or it stands in the ON of a
    // table that is not joined at all, unless 3.50 has taken DISTINCT out of a compound's term, as 3.53 does not.
    if ((o->lenient_order || o->documented) && (ours->code & 255) != SQLITE_ERROR && strncmp(theirs->error, "misuse of aggregate", 19) == 0 &&
        (o->windows || sqlite3_libversion_number() < 3050000 || (strstr(sql, "SELECT DISTINCT ") && has_set_operator(sql)))) {
        o->gave_up = !is_query(sql);
        return true;
    }
    // What a number in GROUP BY stands for is a number itself: beside window functions it is taken for another column's.
    if (o->documented && !ours->code && o->windows && strstr(theirs->error, " GROUP BY term out of range - should be between ")) return true;
    // Where such a query is divided into partitions, the WHERE around it becomes a HAVING that it then refuses (3.40 to 3.53).
    if (o->lenient_order && o->several_mistakes && (ours->code & 255) != SQLITE_ERROR &&
        strstr(theirs->error, "HAVING clause on a non-aggregate query")) { // of the statement, or in a trigger
        o->gave_up = !is_query(sql);
        return true;
    }
    // Likewise in a subquery that SQLite leaves out because it finds beforehand that no row can come of it, and of windows in the
    // ORDER BY of IN and EXISTS.
    if ((o->lenient_order || (o->documented && o->windows && strstr(sql, "ORDER BY"))) &&
        (!theirs->code || theirs->code & ~255) && begins(ours->error, "misuse of aggregate: ")) { // or has run
        o->gave_up = !is_query(sql);
        return true;
    }
    // So does 3.40 where a row replaces none, and it tells of a schema that changed.
    if (o->lenient_order && sqlite3_libversion_number() < 3050000 && !ours->code && theirs->code == SQLITE_CONSTRAINT_FOREIGNKEY) o->gave_up = true;
    if (o->lenient_order && ours->code == SQLITE_ERROR && theirs->code == SQLITE_SCHEMA && strcmp(ours->error, theirs->error) == 0) return true;
    const bool refused = ours->code == SQLITE_CONSTRAINT_FOREIGNKEY; // with FAIL:
    const bool failed = strstr(theirs->error, " constraint failed: ") || theirs->code == SQLITE_CONSTRAINT_TRIGGER;
    if (refused && (!theirs->code || failed) && (lets_orphans_in(o) || (!failed && lets_own_parents_in(o)))) return o->gave_up = true;
    // VACUUM numbers rows anew in SQLite, and keeps their numbers here.
    if (o->vacuumed && !ours->code != !theirs->code && strstr(ours->code ? ours->error : theirs->error, ".rowid")) return o->gave_up = true;
    if (o->lenient_order && !is_query(sql) && update_loses_old(o, sql)) return o->gave_up = true;
    // A new value that has the type of a key that references it is another one to CASCADE of a table that references itself, for ever.
    if (o->lenient_order && !ours->code && strcmp(theirs->error, "too many levels of trigger recursion") == 0 && keys_have_types(o, sql))
        return o->gave_up = true;
    // Or one that the search of children has made of it: rows that refer to another key are in the way of a DELETE then.
    // So they are of a row that is replaced, which RESTRICT says as a trigger does.
    const bool denied = strcmp(theirs->error, "FOREIGN KEY constraint failed") == 0;
    if (o->lenient_order && denied && ours->code != theirs->code && (!ours->code || refused) &&
        (strstr(sql, "DELETE ") || strstr(sql, "REPLACE ")) && keys_have_types(o, sql))
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
    if (o->documented && !ours->code && strcmp(theirs->error, right) == 0) return true;
    if (o->lenient_order && ((ours->code != SQLITE_ERROR && strcmp(theirs->error, right) == 0) ||
                             (strcmp(theirs->error, right) == 0 && strcmp(ours->error, "no query solution") == 0 && refuses_unoptimized(o, sql, ours->error)) ||
                             (theirs->code != SQLITE_ERROR && strstr(ours->error, right) &&
                              (refuses_unoptimized(o, sql, right) || a_view_is_wrong(o, right) || strncmp(ours->error, "error in trigger ", 17) == 0)))) {
        o->gave_up = !is_query(sql);
        return true;
    }
    // FTS5 of 3.40 goes on with a structure of its index that was rolled back, and takes what it reads for damaged; later releases do not.
    if (!ours->code && theirs->code == SQLITE_CORRUPT_VTAB && sqlite3_libversion_number() < 3042000) return o->gave_up = true;
    if ((o->lenient_order || o->documented) && (ours->code == SQLITE_MISMATCH || theirs->code == SQLITE_MISMATCH) &&
        (ours->code != theirs->code || ours->total_changes != theirs->total_changes) && takes_row_for_rowid(o, sql))
        return o->gave_up = true;
    if (o->lenient_order && !ours->code && (rename_left_table(sql, theirs) || alter_misses_column(o, sql, theirs))) return o->gave_up = true;
    if (o->lenient_order && (rename_misses_join(o, sql, ours, theirs) || (!ours->code && alter_takes_string(o, sql, theirs)))) {
        o->gave_up = true;
        return true;
    }
    if (o->lenient_order && ((theirs->code != SQLITE_ERROR && view_is_lost(o, ours)) || (ours->code != SQLITE_ERROR && values_lost_names(o, theirs)) ||
                             (!ours->code && (alter_lost_names(o, sql, theirs) || count_asks_index(o, sql, theirs))))) {
        o->gave_up = true;
        return true;
    }
    if (o->lenient_order && !ours->code && (!theirs->code || strstr(theirs->error, " after rename: no such column: ")) && rename_left_with(o, sql))
        o->gave_up = true;
    if (o->lenient_order && !ours->code && !theirs->code && alter_makes_string_of_name(o, sql)) o->gave_up = true;
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
    if (o->lenient_order && !ours->code && !strstr(sql, "SET (") && strstr(theirs->error, " columns assigned "))
        return o->gave_up = true; // told where there is no mistake
    // What fails in a new column, computed for the rows that are there, is no more to SQLite.
    if (o->lenient_order && (ours->code & 255) == SQLITE_ERROR && strcmp(theirs->error, "SQL logic error") == 0 &&
        strncasecmp(sql, "ALTER TABLE ", 12) == 0 && strstr(sql, " ADD "))
        return true;
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
    if (o->lenient_order && strstr(theirs->error, "UNIQUE constraint failed: ") && (!ours->code || ((ours->code & 255) == SQLITE_CONSTRAINT && ours->code != theirs->code))) {
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
    bool texts = o->quiet_texts || strcmp(ours->error, theirs->error) == 0 || same_but_numbered(ours->error, theirs->error) ||
                 (strlen(ours->error) > 890 && begins(theirs->error, ours->error)); // ours are at most 1,000 bytes long
    // A path that is JSON which a function made: the binary form of what it was made of.
    if (!texts && strstr(sql, "jsonb(json_")) texts = begins(ours->error, "bad JSON path: ") && begins(theirs->error, "bad JSON path: ");
    // Of several it may be another, where code is made in another order.
    static const char misuse[] = "misuse of aggregate: ";
    if (!texts && o->lenient_order && strncmp(ours->error, misuse, sizeof misuse - 1) == 0)
        texts = strncmp(theirs->error, misuse, sizeof misuse - 1) == 0;
    bool codes = o->quiet_texts ? !ours->code == !theirs->code : ours->code == theirs->code;
    if (!codes && o->lenient_order && ours->code == SQLITE_CONSTRAINT_TRIGGER && theirs->code == SQLITE_CONSTRAINT_FOREIGNKEY)
        codes = keys_have_types(o, sql);
    if (o->lenient_order && ours->code && strcmp(theirs->error, "too many levels of trigger recursion") == 0 && keys_have_types(o, sql)) return o->gave_up = true;
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
    // A column beside an aggregate is a number for all of the row where IN compares it with numbers.
    if (!rows && o->documented && is_query(sql) && strstr(sql, " IN (") && (has_aggregate(sql) || schema_has(o, "GROUP BY"))) rows = same_without(without_types, our_rows, their_rows);
    if (!rows && o->documented && ranks_by_sides(sql)) rows = line_count(our_rows) == line_count(their_rows);
    if (!rows && o->long_digits) rows = same_without(without_last_digits, our_rows, their_rows);
    if (!rows && strstr(sql, "%!.20")) rows = same_without(without_scale, our_rows, their_rows);
    if (!rows) rows = same_without(without_far_digits, our_rows, their_rows);
    if (!rows && (strstr(sql, "concat") || strstr(sql, "||"))) rows = same_but_neighbours(our_rows, their_rows);
    if (!rows && o->lenient_order && strncasecmp(sql, "PRAGMA", 6) == 0 && strstr(sql, "table_list"))
        rows = same_without(without_view_widths, our_rows, their_rows);
    if (!rows && o->lenient_order) rows = distinct_misses_pass(o, sql, our_rows, their_rows);
    if (!rows && o->documented && is_plan(sql) && strstr(our_rows, "REUSE LIST SUBQUERY")) rows = same_without(without_reused_lists, our_rows, their_rows);
    if (!rows && o->documented && is_plan(sql) && (strstr(sql, " IN (") || strstr(sql, " OR "))) rows = same_without(without_rowid_search, our_rows, their_rows);
    if (!rows && o->documented && is_query(sql)) rows = same_without_order(o, sql, our_rows);
    // EXCLUDE NO OTHERS is what holds anyway, but then SQLite adds each frame up anew: the sum of one that a text was in may be an
    // integer, and that of one that an infinity has left a number. Without it, SQLite says what ours says.
    if (!rows && o->lenient_order && (strstr(sql, EXCLUDE_NO_OTHERS) || schema_has(o, EXCLUDE_NO_OTHERS)))
        rows = same_without(without_kinds, our_rows, their_rows) || same_without_text(o, sql, EXCLUDE_NO_OTHERS, our_rows);
    if (!rows && o->lenient_order && is_query(sql)) rows = same_unoptimized(o, sql, size, our_rows) || same_without_rowids(o, sql, our_rows) || same_without_ties(o, sql) || same_without_empty_indexes(o, sql, our_rows);
    if (!rows && is_query(sql)) rows = same_without_memory(o, sql, our_rows);
    if (!rows && o->lenient_order && is_query(sql) && line_count(our_rows) == line_count(their_rows)) rows = aggregate_beside_window(sql);
    // SQLite counts rows of the shadow tables that it makes before it fails.
    if (theirs->code && size >= 14 && strncasecmp(sql, "CREATE VIRTUAL", 14) == 0) o->reopened = true;
    bool counts = o->reopened || (ours->changes == theirs->changes && ours->total_changes == theirs->total_changes &&
                                  (o->rowid_unknown || ours->last_rowid == theirs->last_rowid));
    o->rowids_stored |= o->vacuumed && !is_query(sql) && strstr(sql, "rowid");
    if ((!rows || !counts) && o->rowids_stored) return o->gave_up = true;
    if ((!rows || !counts) && o->vacuumed && (strstr(sql, "rowid") || strstr(sql, "foreign_key_check") || schema_has(o, ".rowid"))) return o->gave_up = true;
    const char *our_columns = ours->columns.text ? ours->columns.text : "",
               *their_columns = theirs->columns.text ? theirs->columns.text : "";
    bool altered = size >= 5 && strncasecmp(sql, "ALTER", 5) == 0; // carried out by SELECTs of SQLite's own
    const bool of_several = o->documented && (of_code(ours->error) || has_several_conflicts(sql)); // as SQLite tells the last, it may be of another place
    bool columns = altered || of_several || !o->columns || ((ours->code || strcmp(our_columns, their_columns) == 0) && (ours->offset == theirs->offset || theirs->offset < 0 || strcmp(ours->error, theirs->error) != 0)); // SQLite does not always say where
    if (!columns && o->lenient_order && !theirs->code) columns = values_lost_names(o, theirs);
    if (!columns && o->documented && !ours->code) columns = same_without(without_numbers, our_columns, their_columns);
    if (!columns && o->documented && !ours->code && numbered_at_random(their_columns)) return o->gave_up = true; // NATURAL does not find them
    // FTS5's secure-delete makes an index that older releases cannot read (docs/sql.md).
    if (!rows && strcmp(sql, "SELECT * FROM main.\"t_config\"") == 0) rows = same_without(without_fts_version, our_rows, their_rows);
    // 3.40 takes the NULL that a row has in the place of its INTEGER PRIMARY KEY for one, once ALTER TABLE has written the rows anew.
    if (!rows && o->lenient_order && sqlite3_libversion_number() < 3050000 && strncasecmp(sql, "PRAGMA", 6) == 0 && strstr(sql, "_check"))
        rows = strcmp(our_rows, "T:ok|\n") == 0 && strncmp(their_rows, "T:NULL value in ", 16) == 0;
    // How full pages are is each engine's own matter.
    if (!rows && o->lenient_order && strncasecmp(sql, "PRAGMA freelist_count", 21) == 0) rows = true;
    const bool shows_roots = strcasestr(sql, "SELECT * FROM") || strcasestr(sql, "rootpage");
    if (!rows && o->roots_vary && shows_roots && (strstr(sql, "sqlite_master") || strstr(sql, "sqlite_schema"))) rows = same_without(without_numbers, our_rows, their_rows);
    if (stops_elsewhere(o, sql, ours, theirs)) return o->gave_up = true;
    if (texts && codes && rows && counts && columns) return true;
    if ((o->any_order || o->lenient_order) && (rows_out_of_order(o) || view_is_changed(o, sql, ours))) return o->gave_up = true;
    if (o->lenient_order && (rows_were_out_of_order(o, sql) || triggers_reordered(o) || (o->rowid_unknown && schema_has(o, "last_insert_rowid(")))) return o->gave_up = true;
    // A statement that SQLite reads the schema again for has RETURNING before the temp triggers, which may leave the row out.
    if (o->lenient_order && reads_schema && !rows && strstr(sql, " RETURNING ") &&
        sqlite_has_rows(o, "SELECT 1 FROM sqlite_temp_schema WHERE type = 'trigger' AND sql LIKE '%RAISE(IGNORE)%'"))
        return o->gave_up = true;
    if (strstr(theirs->error, "ambiguous column name: *.") && strstr(theirs->error, "-ROW VALUES CLAUSE.")) return o->gave_up = true;
    // The range that LIKE stands for loses rows of outer joins, and a table that is searched by OR is asked what WHERE says of others too
    // early; in random scripts a query is asked again without.
    const bool outer_join = strstr(sql, " RIGHT JOIN ") || strstr(sql, " FULL JOIN ");
    if ((!is_query(sql) || !o->lenient_order) && (outer_join || strstr(sql, " LEFT JOIN ")) && (strstr(sql, " LIKE ") || strstr(sql, " GLOB ")))
        return o->gave_up = true;
    if (o->documented && outer_join && plan_has(o, sql, "MULTI-INDEX OR")) return o->gave_up = true;
    // ALTER TABLE of one of several databases renames in triggers that mean a table of another one.
    if (o->documented && !rows && strstr(sql, "temp.sqlite_schema") && strstr(their_rows, "CREATE TRIGGER ") && line_count(our_rows) == line_count(their_rows) &&
        sqlite_has_rows(o, "SELECT 1 FROM pragma_database_list WHERE seq > 2")) return o->gave_up = true;
    if (o->lenient_order && has_long_blobs(o)) return o->gave_up = true;
    if (o->documented && merges_collated(sql, true)) return o->gave_up = true;
    if (update_meets_itself(o, sql, size, ours, theirs) || index_lost_entries(o) || (o->lenient_order && selected_is_disputed(o, sql))) return o->gave_up = true;
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
