#include "dialect.h"

static const struct dialect_table *target(struct dialect *d)
{
    return &d->tables[dialect_pick(d, d->table_count)];
}

static void scope_target(struct dialect *d, const char *name, const struct dialect_table *t)
{
    struct dialect_source *s = &d->scope[d->scope_count++];
    s->table = t;
    memmove(s->name, name, strnlen(name, sizeof s->name - 1) + 1);
}

static const char *conflict(struct dialect *d)
{
    static const char *const words[] = {" OR REPLACE", " OR IGNORE", " OR ABORT", " OR FAIL", " OR ROLLBACK"};
    return dialect_chance(d, 30) ? dialect_one(d, words) : "";
}

static void returning(struct dialect *d, const struct dialect_table *t, bool in_trigger)
{
    // 3.40 returns values before their affinity is applied.
    if (!d->newest) return;
    // A view takes any change without effect when it has a trigger of another kind and RETURNING: an accident.
    if (in_trigger || t->view || d->temp_ignores || !dialect_chance(d, 20)) return;
    dialect_add(d, " RETURNING ");
    if (dialect_chance(d, 40)) {
        dialect_add(d, "*");
        return;
    }
    dialect_expr(d, 2);
    if (dialect_chance(d, 50)) {
        dialect_add(d, ", ");
        dialect_column(d);
    }
}

static void set_list(struct dialect *d, const struct dialect_table *t)
{
    if (t->count >= 2 && dialect_chance(d, 10)) {
        dialect_add(d, "(%s, %s) = ", t->columns[0], t->columns[1]);
        if (dialect_chance(d, 50)) {
            dialect_add(d, "(");
            dialect_expr(d, 1);
            dialect_add(d, ", ");
            dialect_expr(d, 1);
            dialect_add(d, ")");
        } else {
            dialect_add(d, "(SELECT ");
            dialect_expr(d, 1);
            dialect_add(d, ", ");
            dialect_expr(d, 1);
            dialect_add(d, ")");
        }
        return;
    }
    u32 n = 1 + dialect_pick(d, MIN(t->count, 2u)), first = dialect_pick(d, t->count);
    for (u32 i = 0; i < n; i++) {
        // A column that is set twice takes the last, and the first goes unchecked.
        dialect_add(d, "%s%s = ", i ? ", " : "", dialect_chance(d, 3) && !i ? "rowid" : t->columns[(first + i) % t->count]);
        dialect_expr(d, dialect_chance(d, 70) ? 1 : 2);
    }
}

// WITH before the statement, which may not be in a trigger. Gives what table_count is to be again.
static u32 with(struct dialect *d, bool in_trigger)
{
    u32 tables = d->table_count;
    d->depth = 2;
    if (!in_trigger && dialect_chance(d, 6)) dialect_with(d, 2);
    return tables;
}

// The name by which the statement's table goes in it, written behind it.
static const char *alias(struct dialect *d, const struct dialect_table *t)
{
    if (!dialect_chance(d, 6)) return t->name;
    dialect_add(d, " AS x");
    return "x";
}

// Enough rows for a tree of several pages.
static void insert_many(struct dialect *d, const struct dialect_table *t)
{
    static const char *const of_row[] = {"i", "i % 7", "-i", "'k' || i", "i * 0.5", "printf('%.*c', i * 5, 'x')", "zeroblob(i)",
                                         "NULL", "CAST(i AS TEXT)", "i / 10", "hex(i)", "(i * 7919) % 1000"};
    u32 count = 40 + dialect_pick(d, 160), from = dialect_pick(d, 200);
    dialect_add(d, "INSERT OR %s INTO %s(", dialect_chance(d, 70) ? "IGNORE" : "REPLACE", dialect_table_name(d, t, false));
    for (u32 i = 0; i < t->count; i++) dialect_add(d, "%s%s", i ? ", " : "", t->columns[i]);
    dialect_add(d, ") WITH RECURSIVE n(i) AS (VALUES(%u) UNION ALL SELECT i + 1 FROM n WHERE i < %u) SELECT ", from, from + count);
    for (u32 i = 0; i < t->count; i++) {
        const char *value = dialect_one(d, of_row);
        dialect_add(d, "%s%s", i ? ", " : "", d->wide && strcmp(value, "zeroblob(i)") == 0 ? "x'00'" : value); // as in dialect_expr.c
    }
    dialect_add(d, " FROM n");
}

void dialect_insert(struct dialect *d, bool in_trigger)
{
    const u32 tables = with(d, in_trigger);
    const struct dialect_table *t = target(d);
    u32 scope = d->scope_count;
    if (d->large && !in_trigger && tables == d->table_count && dialect_chance(d, 10)) {
        insert_many(d, t);
        return;
    }
    if (!in_trigger && dialect_chance(d, 3)) {
        dialect_add(d, "INSERT%s INTO %s DEFAULT VALUES", conflict(d), dialect_table_name(d, t, in_trigger));
        return;
    }
    bool replace = dialect_chance(d, 10);
    dialect_add(d, "%s%s INTO %s", replace ? "REPLACE" : "INSERT", replace ? "" : conflict(d), dialect_table_name(d, t, in_trigger));
    const char *name = alias(d, t);
    u32 columns = t->count;
    if (dialect_chance(d, 60)) {
        columns = 1 + dialect_pick(d, t->count);
        u32 first = dialect_pick(d, t->count);
        dialect_add(d, "(");
        const bool by_rowid = columns < 4 && dialect_chance(d, 4);
        if (by_rowid) dialect_add(d, "rowid, ");
        for (u32 i = 0; i < columns; i++) dialect_add(d, "%s%s", i ? ", " : "", t->columns[(first + i) % t->count]);
        dialect_add(d, ")");
        columns += by_rowid;
    }
    if (dialect_chance(d, 80)) {
        dialect_add(d, " VALUES ");
        d->no_truth = true;
        for (u32 i = 1 + dialect_pick(d, 3); i; i--) {
            dialect_add(d, "(");
            for (u32 k = 0; k < columns; k++) {
                if (k) dialect_add(d, ", ");
                if (dialect_chance(d, 85) && !in_trigger) dialect_value(d);
                else dialect_expr(d, 1);
            }
            dialect_add(d, i > 1 ? "), " : ")");
        }
        d->no_truth = false;
    } else {
        bool ordered;
        dialect_add(d, " SELECT * FROM (");
        u32 depth = (u32)d->depth;
        d->depth = 2;
        dialect_select(d, 2, columns, &ordered);
        d->depth = (int)depth;
        dialect_add(d, ") WHERE true ORDER BY ");
        for (u32 i = 0; i < columns; i++) dialect_add(d, "%squote(c%u)", i ? ", " : "", i);
        dialect_add(d, " LIMIT 4");
    }
    scope_target(d, name, t);
    // Of several in a trigger SQLite renames columns in the first alone.
    for (u32 i = dialect_chance(d, 25) ? 1 + dialect_pick(d, in_trigger ? 1 : 3) : 0; i; i--) {
        dialect_add(d, " ON CONFLICT");
        bool with = dialect_chance(d, 70);
        if (with) {
            dialect_add(d, "(%s", t->columns[dialect_pick(d, MIN(t->count, 3))]);
            if (dialect_chance(d, 10)) dialect_add(d, " COLLATE NOCASE");
            if (dialect_chance(d, 20)) dialect_add(d, ", %s", t->columns[dialect_pick(d, t->count)]);
            dialect_add(d, ")");
            if (dialect_chance(d, 10)) {
                dialect_add(d, " WHERE ");
                dialect_condition(d, 0);
            }
        }
        if (dialect_chance(d, 40)) {
            dialect_add(d, " DO NOTHING");
        } else {
            dialect_add(d, " DO UPDATE SET ");
            u32 inner = d->scope_count;
            if (!t->no_excluded) scope_target(d, "excluded", t);
            d->excluded_in_trigger |= in_trigger;
            set_list(d, t);
            if (dialect_chance(d, 30)) {
                dialect_add(d, " WHERE ");
                dialect_condition(d, 1);
            }
            d->scope_count = inner;
        }
        if (!with) break;
    }
    returning(d, t, in_trigger);
    d->scope_count = scope;
    d->table_count = tables;
}

void dialect_update(struct dialect *d, bool in_trigger)
{
    const u32 tables = with(d, in_trigger);
    const struct dialect_table *t = target(d);
    u32 scope = d->scope_count;
    dialect_add(d, "UPDATE%s %s", conflict(d), dialect_table_name(d, t, in_trigger));
    const char *name = alias(d, t);
    dialect_add(d, " SET ");
    scope_target(d, name, t);
    bool joined = dialect_chance(d, 10), by_rowid = joined && dialect_chance(d, 50);
    size_t start = d->size;
    char *from = NULL;
    if (joined) {
        // Of several matches one wins, whichever: one row alone, then.
        char alias[24];
        snprintf(alias, sizeof alias, "q%u", d->alias_count++);
        const struct dialect_table *of = target(d);
        by_rowid = by_rowid && !of->view && !of->without_rowid && !t->view && !t->without_rowid;
        if (by_rowid)
            dialect_add(d, " FROM (SELECT rowid AS a, %s AS b, %s AS c FROM %s) AS %s", of->columns[0], of->columns[1], of->name, alias);
        else dialect_add(d, " FROM (SELECT max(a) AS a, min(a) AS b, count(*) AS c FROM %s) AS %s", of->name, alias);
        from = strndup(d->text + start, d->size - start);
        static const struct dialect_table one = {.columns = {"a", "b", "c"}, .count = 3, .view = true};
        scope_target(d, alias, &one);
        d->size = start;
    }
    set_list(d, t);
    if (from) dialect_add(d, "%s", from);
    free(from);
    if (joined && by_rowid) dialect_add(d, " WHERE %s.rowid = q%u.a", name, d->alias_count - 1);
    if (dialect_chance(d, 75)) {
        dialect_add(d, joined && by_rowid ? " AND " : " WHERE ");
        dialect_condition(d, 2);
    }
    returning(d, t, in_trigger);
    d->scope_count = scope;
    d->table_count = tables;
}

void dialect_delete(struct dialect *d, bool in_trigger)
{
    const u32 tables = with(d, in_trigger);
    const struct dialect_table *t = target(d);
    u32 scope = d->scope_count;
    dialect_add(d, "DELETE FROM %s", dialect_table_name(d, t, in_trigger));
    scope_target(d, alias(d, t), t);
    if (dialect_chance(d, 96)) {
        dialect_add(d, " WHERE ");
        dialect_condition(d, 2);
        if (dialect_chance(d, 50)) {
            dialect_add(d, " AND ");
            dialect_condition(d, 1);
        }
    }
    returning(d, t, in_trigger);
    d->scope_count = scope;
    d->table_count = tables;
}

// ---- everything else --------------------------------------------------------------------------------------------

static void pragma(struct dialect *d)
{
    static const char *const plain[] = {
        "PRAGMA foreign_keys = ON", "PRAGMA foreign_keys = OFF", "PRAGMA recursive_triggers = ON", "PRAGMA recursive_triggers = OFF",
        "PRAGMA foreign_key_check", "PRAGMA integrity_check", "PRAGMA user_version", "PRAGMA user_version = 7",
        "PRAGMA application_id", "PRAGMA collation_list", "PRAGMA defer_foreign_keys = ON", "PRAGMA table_list", "PRAGMA encoding",
        "PRAGMA reverse_unordered_selects",
        "PRAGMA case_sensitive_like = ON", "PRAGMA case_sensitive_like = OFF", "PRAGMA ignore_check_constraints = ON",
        "PRAGMA ignore_check_constraints = OFF", "PRAGMA automatic_index = OFF", "PRAGMA legacy_alter_table = ON",
        "PRAGMA legacy_alter_table = OFF", "PRAGMA full_column_names = ON", "PRAGMA short_column_names = OFF", "PRAGMA quick_check",
        "PRAGMA trusted_schema", "PRAGMA auto_vacuum", "PRAGMA page_size", "DETACH other", "ATTACH ':memory:' AS other",
        "PRAGMA freelist_count", "PRAGMA query_only", "PRAGMA synchronous", "PRAGMA nonsense", "PRAGMA count_changes"};
    static const char *const of_table[] = {"table_info", "table_xinfo", "index_list", "foreign_key_list", "index_info", "index_xinfo",
                                           "foreign_key_check", "table_list"};
    if (dialect_chance(d, 50) || !d->table_count) dialect_add(d, "%s", plain[dialect_pick(d, COUNT_OF(plain))]);
    else {
        const struct dialect_table *t = target(d);
        // Types of a view's columns have changed since 3.40.
        bool table = dialect_chance(d, 70) && (d->newest || !t->view);
        dialect_add(d, "PRAGMA %s(%s)", dialect_one(d, of_table), table ? t->name : "i1");
    }
}

static void transaction(struct dialect *d)
{
    static const char *const words[] = {"BEGIN", "COMMIT", "ROLLBACK", "BEGIN IMMEDIATE", "END", "BEGIN EXCLUSIVE"};
    static const char *const nested[] = {"SAVEPOINT", "SAVEPOINT", "RELEASE", "ROLLBACK TO", "ROLLBACK TO"};
    if (dialect_chance(d, d->many_savepoints ? 15 : 50)) dialect_add(d, "%s", dialect_one(d, words));
    else dialect_add(d, "%s s%u", dialect_one(d, nested), 1 + dialect_pick(d, 3));
}

// What holds for the whole script.
static bool beginning(struct dialect *d, u32 number)
{
    static const char *const encodings[] = {"UTF-16le", "UTF-16be", "UTF-8"};
    if (number == 0 && dialect_chance(d, 10)) {
        u32 i = dialect_pick(d, COUNT_OF(encodings));
        dialect_add(d, "PRAGMA encoding = '%s'", encodings[i]);
        d->wide = i < 2;
    } else if (number == 0 && dialect_chance(d, 15)) dialect_add(d, "PRAGMA page_size = %u", 512u << dialect_pick(d, 4));
    else if (number == 0 && dialect_chance(d, 10)) dialect_add(d, "PRAGMA auto_vacuum = %s", dialect_chance(d, 50) ? "FULL" : "INCREMENTAL");
    else if (number == 1 && dialect_chance(d, 50)) dialect_add(d, "PRAGMA foreign_keys = ON");
    else if (number == 2 && dialect_chance(d, 25)) dialect_add(d, "PRAGMA recursive_triggers = ON");
    else if (number == 3 && dialect_chance(d, 25)) {
        dialect_add(d, "ATTACH ':memory:' AS other");
        d->attached = true;
    }
    if (number == 0) {
        d->many_savepoints = dialect_chance(d, 15);
        d->large = dialect_chance(d, 15);
    }
    return d->size;
}

void dialect_statement(struct dialect *d, u32 number, bool *ordered, bool *one_mistake)
{
    d->size = 0;
    d->text[0] = 0;
    d->scope_count = 0;
    d->alias_count = 0;
    d->constant_only = false;
    *ordered = *one_mistake = false;
    if (number < 4 && beginning(d, number)) return;
    if (number < 7 || !d->table_count || dialect_chance(d, 4)) {
        dialect_create(d);
        return;
    }
    u32 kind = dialect_pick(d, 100);
    if (number < 18 && kind > 12) kind = 12 + kind % 26;
    if (d->many_savepoints && dialect_chance(d, 25)) transaction(d);
    else if (d->newest && dialect_chance(d, 5)) {
        *one_mistake = true; // that is told
        if (dialect_chance(d, 70)) dialect_mistake(d);
        else dialect_mistakes(d);
    } else if (dialect_chance(d, 3)) {
        dialect_add(d, "SELECT type, name, tbl_name, sql FROM %s ORDER BY type, name",
                    d->attached && dialect_chance(d, 30) ? "other.sqlite_schema" : dialect_chance(d, 30) ? "sqlite_temp_schema" : "sqlite_schema");
        *ordered = true;
    } else if (kind < 4) dialect_create(d);
    else if (kind < 8) dialect_trigger(d);
    else if (kind < 11) dialect_alter(d);
    else if (kind < 34) dialect_insert(d, false);
    else if (kind < 46) dialect_update(d, false);
    else if (kind < 50) dialect_delete(d, false);
    else if (kind < 54) transaction(d);
    else if (kind < 57) pragma(d);
    else if (kind < 64) {
        // Constants alone: what functions and operators make of odd values.
        d->constant_only = true;
        dialect_add(d, "SELECT ");
        for (u32 i = 0; i < 4; i++) {
            if (i) dialect_add(d, ", ");
            dialect_expr(d, 3);
        }
    } else {
        d->depth = 2 + (int)dialect_pick(d, 2);
        dialect_select(d, d->depth, 0, ordered);
    }
}
