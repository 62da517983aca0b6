#include "dialect.h"

static const char *const types[] = {"", "INTEGER", "TEXT", "REAL", "NUMERIC", "BLOB", "INT", "VARCHAR(10)", "DOUBLE", "BOOLEAN"};
static const char *const strict_types[] = {"INTEGER", "TEXT", "REAL", "BLOB", "ANY", "INT"};
static const char *const conflicts[] = {"", "", "", " ON CONFLICT REPLACE", " ON CONFLICT IGNORE", " ON CONFLICT FAIL",
                                        " ON CONFLICT ROLLBACK"};
static const char *const collations[] = {"", "", " COLLATE NOCASE", " COLLATE RTRIM"};

static void scope_self(struct dialect *d, const struct dialect_table *t)
{
    static struct dialect_table self;
    self = *t;
    d->scope_count = 0;
    d->scope[0].table = &self;
    memcpy(d->scope[0].name, self.name, sizeof self.name);
    d->scope_count = 1;
}

// An expression of the table's own columns, without subqueries.
static void self_expr(struct dialect *d, const struct dialect_table *t, bool condition)
{
    scope_self(d, t);
    d->constant_only = true;
    if (condition) dialect_condition(d, 1);
    else dialect_expr(d, 1 + (int)dialect_pick(d, 2));
    d->constant_only = false;
    d->scope_count = 0;
}

static const char *action(struct dialect *d, bool own)
{
    static const char *const actions[] = {"CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT", "NO ACTION"};
    const char *picked = dialect_one(d, actions);
    // SQLite does not look for the parent of a row that replaces others when it has coded SET NULL for them (docs/sql.md).
    return own && strcmp(picked, "SET NULL") == 0 ? "CASCADE" : picked;
}

static void references_to(struct dialect *d, const struct dialect_table *t, const char *parent, const char *column, const char *second)
{
    bool own = strcmp(parent, t->name) == 0;
    d->own_reference |= own;
    dialect_add(d, " REFERENCES %s", parent);
    if (second) dialect_add(d, "(%s, %s)", column, second);
    else if (column) dialect_add(d, "(%s)", column);
    if (dialect_chance(d, 60)) dialect_add(d, " ON DELETE %s", action(d, own));
    if (dialect_chance(d, 50)) dialect_add(d, " ON UPDATE %s", action(d, own));
    if (dialect_chance(d, 25)) dialect_add(d, " DEFERRABLE INITIALLY DEFERRED");
}

static void references(struct dialect *d, const struct dialect_table *t)
{
    const char *parent = d->table_count ? d->tables[dialect_pick(d, d->table_count)].name : "t1";
    references_to(d, t, parent, dialect_chance(d, 50) ? "a" : NULL, NULL);
}

// Where it is written.
static size_t default_value(struct dialect *d)
{
    dialect_add(d, " DEFAULT ");
    size_t at = d->size;
    dialect_value(d);
    if (!strchr(d->text + at, '(') && !dialect_chance(d, 15)) return at;
    d->size = at;
    dialect_add(d, "(1 + ");
    dialect_value(d);
    dialect_add(d, ")");
    return at;
}

static void create_table(struct dialect *d)
{
    if (d->table_count == DIALECT_TABLES) return;
    struct dialect_table t = {.count = 2 + dialect_pick(d, DIALECT_COLUMNS - 1)};
    t.temp = dialect_chance(d, 8);
    t.other = d->attached && !t.temp && dialect_chance(d, 35);
    t.strict = dialect_chance(d, 12);
    t.without_rowid = dialect_chance(d, 18);
    snprintf(t.name, sizeof t.name, "t%u", ++d->object_count);
    for (u32 i = 0; i < t.count; i++) snprintf(t.columns[i], sizeof t.columns[i], "%c", "abcdef"[i]);
    static const char *const odd[] = {"\"a b\"", "\"order\"", "oid", "\"x\"\"y\"", "\"\u00e9\"", "rowid", "[B]", "'q'", "`a.b`"};
    if (dialect_chance(d, 8)) snprintf(t.columns[1], sizeof t.columns[1], "%s", dialect_one(d, odd));
    if (d->newest && dialect_chance(d, 4)) { // 3.40 gives columns of compound queries other types
        bool ordered;
        t.without_rowid = t.strict = false;
        dialect_add(d, "CREATE %sTABLE %s AS ", t.temp ? "TEMP " : "", dialect_table_name(d, &t, false));
        t.count = MIN(t.count, 3u);
        for (u32 i = 0; i < t.count; i++) snprintf(t.columns[i], sizeof t.columns[i], "c%u", i);
        d->depth = 2;
        dialect_add(d, "SELECT * FROM (");
        dialect_select(d, 2, t.count, &ordered);
        dialect_add(d, ") ORDER BY ");
        for (u32 i = 0; i < t.count; i++) dialect_add(d, "%squote(c%u)", i ? ", " : "", i);
        d->tables[d->table_count++] = t;
        return;
    }
    dialect_add(d, "CREATE %sTABLE %s%s(", t.temp ? "TEMP " : "", dialect_chance(d, 5) ? "IF NOT EXISTS " : "", dialect_table_name(d, &t, false));
    bool key = false, is_virtual = false;
    for (u32 i = 0; i < t.count; i++) {
        const char *type = t.strict ? dialect_one(d, strict_types) : dialect_one(d, types);
        bool primary = i == 0 && dialect_chance(d, t.without_rowid ? 70 : 45);
        if (primary && dialect_chance(d, 50)) type = "INTEGER";
        const bool real = strcmp(type, "REAL") == 0 || strcmp(type, "DOUBLE") == 0;
        t.no_excluded |= is_virtual && real;
        dialect_add(d, "%s%s %s", i ? ", " : "", t.columns[i], type);
        if (primary) {
            dialect_add(d, " PRIMARY KEY%s%s", dialect_chance(d, 15) ? " DESC" : "", dialect_one(d, conflicts));
            if (strcmp(type, "INTEGER") == 0 && !t.without_rowid && dialect_chance(d, 15)) dialect_add(d, " AUTOINCREMENT");
            key = true;
            t.fixed_key = t.without_rowid && strcmp(type, "INTEGER") == 0;
        }
        dialect_add(d, "%s", dialect_one(d, collations));
        if (dialect_chance(d, 10)) dialect_add(d, " NOT NULL%s", dialect_one(d, conflicts));
        if (i && dialect_chance(d, 12)) dialect_add(d, " UNIQUE%s", dialect_one(d, conflicts));
        if (i > 1 && dialect_chance(d, 15)) {
            bool stored = dialect_chance(d, 50);
            // SQLite gives a virtual column of type REAL as an integer now and then.
            if (real) stored = true;
            is_virtual |= !stored;
            t.generated = true;
            dialect_add(d, " %sAS (", dialect_chance(d, 50) ? "GENERATED ALWAYS " : "");
            struct dialect_table before = t;
            before.count = i;
            self_expr(d, &before, false);
            dialect_add(d, ")%s", stored ? " STORED" : "");
        } else if (dialect_chance(d, 20)) {
            default_value(d);
        }
        if (dialect_chance(d, 6)) {
            dialect_add(d, " CHECK(");
            self_expr(d, &t, true);
            dialect_add(d, ")");
        }
        if (dialect_chance(d, 12)) references(d, &t);
    }
    if (!key && (t.without_rowid || dialect_chance(d, 25)))
        dialect_add(d, ", PRIMARY KEY(%s%s, %s%s)%s", t.columns[1], dialect_chance(d, 20) ? " COLLATE NOCASE" : "", t.columns[0],
                    dialect_chance(d, 20) ? " DESC" : "", dialect_one(d, conflicts));
    if (dialect_chance(d, 15))
        dialect_add(d, ", UNIQUE(%s, %s)%s", t.columns[0], t.columns[t.count - 1], dialect_one(d, conflicts));
    if (dialect_chance(d, 8) && d->table_count) {
        const struct dialect_table *p = &d->tables[dialect_pick(d, d->table_count)];
        dialect_add(d, ", FOREIGN KEY(%s, %s)", t.columns[0], t.columns[1]);
        references_to(d, &t, p->name, p->columns[0], p->columns[1 % p->count]);
    }
    if (dialect_chance(d, 10)) {
        dialect_add(d, ", CONSTRAINT k CHECK(");
        self_expr(d, &t, true);
        dialect_add(d, ")");
    }
    dialect_add(d, ")%s%s%s", t.without_rowid ? " WITHOUT ROWID" : "", t.without_rowid && t.strict ? "," : "",
                t.strict ? " STRICT" : "");
    d->tables[d->table_count++] = t;
}

static void create_index(struct dialect *d)
{
    const struct dialect_table *t = &d->tables[dialect_pick(d, d->table_count)];
    struct dialect_index *made = &d->indexes[d->index_count++ % COUNT_OF(d->indexes)];
    snprintf(made->name, sizeof made->name, "i%u", ++d->object_count);
    memcpy(made->table, t->name, sizeof made->table);
    dialect_add(d, "CREATE %sINDEX %s%s ON %s(", dialect_chance(d, 25) ? "UNIQUE " : "", t->other ? "other." : "", made->name, t->name);
    for (u32 i = 1 + dialect_pick(d, 3), first = i; i; i--) {
        if (i != first) dialect_add(d, ", ");
        if (dialect_chance(d, 20)) self_expr(d, t, false);
        else dialect_add(d, "%s", t->columns[dialect_pick(d, t->count)]);
        dialect_add(d, "%s%s", dialect_one(d, collations), dialect_chance(d, 25) ? " DESC" : "");
    }
    dialect_add(d, ")");
    if (dialect_chance(d, 25)) {
        dialect_add(d, " WHERE ");
        self_expr(d, t, true);
    }
}

static void create_view(struct dialect *d)
{
    if (d->table_count == DIALECT_TABLES) return;
    struct dialect_table t = {.count = 1 + dialect_pick(d, 3), .view = true, .temp = dialect_chance(d, 15)};
    t.other = d->attached && !t.temp && dialect_chance(d, 20);
    snprintf(t.name, sizeof t.name, "v%u", ++d->object_count);
    bool named = dialect_chance(d, 50), ordered;
    dialect_add(d, "CREATE %sVIEW %s", t.temp ? "TEMP " : "", dialect_table_name(d, &t, false));
    for (u32 i = 0; i < t.count; i++)
        snprintf(t.columns[i], sizeof t.columns[i], named ? "%c" : "c%u", named ? (u32)"abcdef"[i] : i);
    if (named) {
        dialect_add(d, "(");
        for (u32 i = 0; i < t.count; i++) dialect_add(d, "%s%s", i ? ", " : "", t.columns[i]);
        dialect_add(d, ")");
    }
    dialect_add(d, " AS ");
    d->depth = 2;
    dialect_select(d, 2, t.count, &ordered);
    t.pattern = dialect_has_pattern(d, 0);
    d->tables[d->table_count++] = t;
}

void dialect_trigger(struct dialect *d)
{
    static const char *const events[] = {"INSERT", "UPDATE", "DELETE"};
    static const char *const raises[] = {"RAISE(IGNORE)", "RAISE(ABORT, 'aborted')", "RAISE(FAIL, 'failed')", "RAISE(ROLLBACK, 'back')"};
    if (!d->table_count) {
        create_table(d);
        return;
    }
    d->trigger_table = dialect_pick(d, d->table_count);
    const struct dialect_table *t = &d->tables[d->trigger_table];
    u32 event = dialect_pick(d, 3);
    bool temp = t->temp || dialect_chance(d, 10);
    const bool before = (dialect_chance(d, 50) && !(t->generated && event == 1)) || (d->own_reference && event == 0);
    dialect_add(d, "CREATE %sTRIGGER %sr%u %s %s", temp ? "TEMP " : "", t->other && !temp ? "other." : "", ++d->object_count,
                t->view ? "INSTEAD OF" : before ? "BEFORE" : "AFTER", events[event]);
    if (event == 1 && dialect_chance(d, 40)) {
        dialect_add(d, " OF %s", t->columns[dialect_pick(d, t->count)]);
        if (dialect_chance(d, 30)) dialect_add(d, ", %s", t->columns[dialect_pick(d, t->count)]);
    }
    dialect_add(d, " ON %s%s", t->other && temp ? "other." : "", t->name);
    d->in_trigger_new = event != 2;
    d->in_trigger_old = event != 0;
    if (dialect_chance(d, 60)) {
        dialect_add(d, " WHEN ");
        dialect_condition(d, 1);
    }
    dialect_add(d, " BEGIN ");
    for (u32 i = 1 + dialect_pick(d, 2); i; i--) {
        u32 kind = dialect_pick(d, 10);
        d->scope_count = 0;
        if (kind < 4) dialect_insert(d, true);
        else if (kind < 6) dialect_update(d, true);
        else if (kind < 8) dialect_delete(d, true);
        else {
            dialect_add(d, "SELECT CASE WHEN ");
            dialect_condition(d, 1);
            if (d->newest && dialect_chance(d, 20)) {
                dialect_add(d, " THEN RAISE(ABORT, ");
                dialect_expr(d, 1);
                dialect_add(d, ") END");
            } else {
                const char *raise = dialect_one(d, raises);
                d->temp_ignores |= temp && raise == raises[0];
                dialect_add(d, " THEN %s END", raise);
            }
        }
        dialect_add(d, "; ");
    }
    dialect_add(d, "END");
    d->in_trigger_new = d->in_trigger_old = false;
    d->scope_count = 0;
}

static void drop(struct dialect *d)
{
    static const char *const kinds[] = {"TABLE", "INDEX", "VIEW", "TRIGGER"};
    static const char letters[] = {'t', 'i', 'v', 'r'};
    u32 kind = dialect_pick(d, 4), number = 1 + dialect_pick(d, d->object_count + 1);
    char name[24];
    snprintf(name, sizeof name, "%c%u", letters[kind], number);
    dialect_add(d, "DROP %s %s%s%s", kinds[kind], dialect_chance(d, 50) ? "IF EXISTS " : "",
                d->attached && dialect_chance(d, 10) ? "other." : "", name);
    for (u32 i = 0; i < d->table_count; i++)
        if (strcmp(d->tables[i].name, name) == 0) {
            d->tables[i] = d->tables[--d->table_count];
            break;
        }
}

void dialect_create(struct dialect *d)
{
    if (!d->table_count || dialect_chance(d, 30)) create_table(d);
    else if (dialect_chance(d, 55)) create_index(d);
    else if (dialect_chance(d, 50)) create_view(d);
    else if (dialect_chance(d, 30)) drop(d);
    else dialect_trigger(d);
}

void dialect_alter(struct dialect *d)
{
    static const char *const others[] = {"ANALYZE", "REINDEX", "REINDEX NOCASE", "VACUUM"};
    if (!d->table_count || dialect_chance(d, 20)) {
        dialect_add(d, "%s", dialect_one(d, others));
        return;
    }
    struct dialect_table *t = &d->tables[dialect_pick(d, d->table_count)];
    u32 column = dialect_pick(d, t->count);
    const char *type;
    switch (dialect_pick(d, 4)) {
    case 0: {
        char name[24];
        snprintf(name, sizeof name, "%c%u", t->view ? 'v' : 't', ++d->object_count);
        if (d->excluded_in_trigger) { // SQLite renames "excluded" as well
            dialect_add(d, "REINDEX");
            break;
        }
        dialect_add(d, "ALTER TABLE %s RENAME TO %s", dialect_table_name(d, t, false), name);
        if (!t->view) memcpy(t->name, name, sizeof t->name);
        break;
    }
    case 1: {
        char name[12];
        snprintf(name, sizeof name, "g%u", dialect_pick(d, 30));
        if (t->fixed_key && column == 0) column = 1;
        dialect_add(d, "ALTER TABLE %s RENAME COLUMN %s TO %s", dialect_table_name(d, t, false), t->columns[column], name);
        if (!t->view) memcpy(t->columns[column], name, sizeof name);
        break;
    }
    case 2:
        type = dialect_one(d, types);
        if (t->count == DIALECT_COLUMNS) {
            if (t->temp && !d->newest) dialect_add(d, "REINDEX temp.%s", t->name); // 3.40 looks in main alone
            else dialect_add(d, "REINDEX %s", dialect_table_name(d, t, false));
            break;
        }
        t->no_excluded = t->generated = true; // if it is such a one
        dialect_add(d, "ALTER TABLE %s ADD COLUMN h%u %s", dialect_table_name(d, t, false), dialect_pick(d, 30), type);
        if (dialect_chance(d, 40)) {
            size_t value = default_value(d);
            // 3.40 gives the rows before it a number, whatever the column's type.
            if (!d->newest && (strcmp(d->text + value, "TRUE") == 0 || strcmp(d->text + value, "FALSE") == 0)) {
                d->size = value;
                dialect_add(d, "NULL");
            }
        }
        if (dialect_chance(d, 10)) dialect_add(d, " NOT NULL");
        if (dialect_chance(d, 15)) dialect_add(d, "%s", dialect_one(d, collations));
        if (dialect_chance(d, 10)) {
            dialect_add(d, " CHECK(");
            self_expr(d, t, true);
            dialect_add(d, ")");
        }
        if (dialect_chance(d, 10) && strcmp(type, "REAL") != 0 && strcmp(type, "DOUBLE") != 0) {
            dialect_add(d, " AS (");
            self_expr(d, t, false);
            dialect_add(d, ")");
        }
        if (dialect_chance(d, 10)) references(d, t);
        break;
    default:
        dialect_add(d, "ALTER TABLE %s DROP COLUMN %s", dialect_table_name(d, t, false), t->columns[column]);
        if (!t->view && t->count > 1) memcpy(t->columns[column], t->columns[--t->count], sizeof t->columns[0]);
    }
}
