// Goal: no statement that changes rows leaves Skerry and SQLite different.
// Method: random schemas (indexes, checks, triggers, foreign keys, generated columns, WITHOUT ROWID, STRICT) and
// random statements over a small domain of values, so that conflicts abound, run on both. SEED=n repeats a run.
#include "../oracle.h"

#include <stdarg.h>
#include <time.h>

#define SECONDS 4
#define COLUMNS_MAX 6

struct column {
    char name[4];
    const char *type;
    bool generated, virtual;
};
struct table {
    char name[4];
    struct column columns[COLUMNS_MAX];
    u32 count;
    bool without_rowid, integer_key, strict;
};
struct generator {
    u64 state;
    struct table tables[4];
    u32 table_count, object_count;
    bool foreign_keys;
    char text[4000];
    size_t size;
    FILE *script; // all statements of the round, for the report
};

static u32 pick(struct generator *g, u32 n) { return (u32)(test_random(&g->state) % n); }
static bool chance(struct generator *g, u32 percent) { return pick(g, 100) < percent; }

static void add(struct generator *g, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct generator *g, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(g->text + g->size, sizeof(g->text) - g->size, format, args);
    va_end(args);
    g->size = MIN(g->size + (size_t)MAX(n, 0), sizeof(g->text) - 1);
}

static void start(struct generator *g)
{
    g->size = 0;
    g->text[0] = 0;
}

static void run(struct generator *g, struct oracle *o, const char *sql)
{
    fprintf(g->script, "%s;\n", sql);
    oracle_run(o, sql);
}

static const char *conflict(struct generator *g)
{
    static const char *words[] = {"ABORT", "FAIL", "IGNORE", "REPLACE", "ROLLBACK"};
    return words[pick(g, 100) < 8 ? 4 : pick(g, 4)];
}

static void add_value(struct generator *g)
{
    static const char *values[] = {"NULL", "0", "1", "2", "3", "4", "5", "-1", "2.5", "1.0", "'a'", "'A'", "'b'", "'1'",
                                   "'2x'", "x'61'", "10", "7"};
    add(g, "%s", values[pick(g, COUNT_OF(values))]);
}

static const struct column *some_column(struct generator *g, const struct table *t)
{
    return &t->columns[pick(g, t->count)];
}

// Old and new rows' generated columns are not always there for BEFORE triggers in SQLite.
static const struct column *plain_column(struct generator *g, const struct table *t)
{
    const struct column *c = some_column(g, t);
    return c->generated ? &t->columns[0] : c;
}

static void add_expr(struct generator *g, const struct table *t, const char *prefix)
{
    switch (pick(g, 7)) {
    case 0:
        add(g, "%s%s", prefix, some_column(g, t)->name);
        break;
    case 1:
        add(g, "%s%s + %u", prefix, some_column(g, t)->name, pick(g, 3));
        break;
    case 2:
        add(g, "%s%s || 'z'", prefix, some_column(g, t)->name);
        break;
    case 3:
        add(g, "coalesce(%s%s, %u)", prefix, some_column(g, t)->name, pick(g, 4));
        break;
    default:
        add_value(g);
    }
}

static void add_condition(struct generator *g, const struct table *t)
{
    static const char *operators[] = {"=", "<", ">", "<=", "IS", "<>"};
    switch (pick(g, 6)) {
    case 0:
        add(g, "%s IS NOT NULL", some_column(g, t)->name);
        break;
    case 1:
        add(g, "%s IN (1, 2, 'a')", some_column(g, t)->name);
        break;
    case 2:
        add(g, "%s %s ", some_column(g, t)->name, operators[pick(g, 6)]);
        add_value(g);
        add(g, " AND %s IS NOT NULL", some_column(g, t)->name);
        break;
    default:
        add(g, "%s %s ", some_column(g, t)->name, operators[pick(g, 6)]);
        add_value(g);
    }
}

static void make_table(struct generator *g, struct oracle *o)
{
    static const char *types[] = {"", "INT", "TEXT", "REAL", "NUMERIC", "BLOB"};
    static const char *strict_types[] = {"ANY", "INT", "TEXT", "REAL", "INTEGER", "BLOB"};
    u32 number = g->table_count;
    struct table *t = &g->tables[number];
    *t = (struct table){.count = 2 + pick(g, 4)};
    snprintf(t->name, sizeof(t->name), "t%u", number);
    t->strict = chance(g, 12);
    u32 key = pick(g, 4); // none, INTEGER PRIMARY KEY, PRIMARY KEY, WITHOUT ROWID
    t->integer_key = key == 1;
    t->without_rowid = key == 3;
    start(g);
    add(g, "CREATE TABLE %s(", t->name);
    for (u32 i = 0; i < t->count; i++) {
        struct column *c = &t->columns[i];
        snprintf(c->name, sizeof(c->name), "%c", 'a' + (int)i);
        c->type = (t->strict ? strict_types : types)[pick(g, 6)];
        bool real = strcmp(c->type, "REAL") == 0;
        bool is_key = key && (i == 0 || (key == 3 && i == 1 && chance(g, 40)));
        add(g, "%s%s ", i ? ", " : "", c->name);
        if (i == 0 && t->integer_key) {
            add(g, "INTEGER PRIMARY KEY%s", chance(g, 20) ? " AUTOINCREMENT" : "");
            continue;
        }
        add(g, "%s", c->type);
        if (!is_key && i > 1 && !t->strict && !real && chance(g, 20)) {
            c->generated = true;
            c->virtual = chance(g, 50);
            add(g, " AS (%s || %s)%s", t->columns[0].name, t->columns[1].name, c->virtual ? "" : " STORED");
            continue;
        }
        if (chance(g, 15)) add(g, " COLLATE NOCASE");
        if (chance(g, 15)) {
            add(g, " NOT NULL");
            if (chance(g, 40)) add(g, " ON CONFLICT %s", conflict(g));
        }
        if (chance(g, 30)) add(g, " DEFAULT %u", pick(g, 4));
        if (!is_key && chance(g, 15)) {
            add(g, " UNIQUE");
            if (chance(g, 40)) add(g, " ON CONFLICT %s", conflict(g));
        }
        if (chance(g, 10)) add(g, " CHECK(%s IS NOT %u)", c->name, pick(g, 6));
        if (number > 0 && !is_key && !real && chance(g, 25)) { // 1.0 is no rowid in SQLite 3.40
            const struct table *parent = &g->tables[pick(g, number)];
            if (parent->integer_key) {
                static const char *actions[] = {"CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT", "NO ACTION"};
                add(g, " REFERENCES %s ON DELETE %s ON UPDATE %s%s", parent->name, actions[pick(g, 5)],
                    actions[pick(g, 5)], chance(g, 30) ? " DEFERRABLE INITIALLY DEFERRED" : "");
            }
        }
    }
    if (key == 2) add(g, ", PRIMARY KEY(a%s)", chance(g, 30) ? " DESC" : "");
    if (key == 3) add(g, ", PRIMARY KEY(%s)", chance(g, 40) ? "b, a" : "a");
    if (chance(g, 15)) add(g, ", UNIQUE(b, a)");
    add(g, ")");
    if (t->without_rowid) add(g, " WITHOUT ROWID");
    if (t->strict) add(g, "%s STRICT", t->without_rowid ? "," : "");
    run(g, o, g->text);
    // Both may have refused it.
    if (oracle_has_table(o, t->name)) g->table_count++;
}

static void make_index(struct generator *g, struct oracle *o)
{
    const struct table *t = &g->tables[pick(g, g->table_count)];
    start(g);
    add(g, "CREATE %sINDEX i%u ON %s(", chance(g, 25) ? "UNIQUE " : "", g->object_count++, t->name);
    if (chance(g, 20))
        add(g, "%s || %s", some_column(g, t)->name, some_column(g, t)->name);
    else
        add(g, "%s%s", some_column(g, t)->name, chance(g, 30) ? " DESC" : "");
    if (chance(g, 40)) add(g, ", %s%s", some_column(g, t)->name, chance(g, 20) ? " COLLATE NOCASE" : "");
    add(g, ")");
    if (chance(g, 25)) add(g, " WHERE %s IS NOT NULL", some_column(g, t)->name);
    run(g, o, g->text);
}

static void add_row(struct generator *g, const struct table *t, const char *prefix)
{
    bool first = true;
    for (u32 i = 0; i < t->count; i++) {
        if (t->columns[i].generated) continue;
        if (!first) add(g, ", ");
        first = false;
        if (prefix && chance(g, 50))
            add(g, "%s", prefix);
        else
            add_value(g);
    }
}

// To SQLite `excluded.` of such a column is another one (docs/sql.md).
static bool real_behind_virtual(const struct table *t)
{
    bool virtual = false;
    for (u32 i = 0; i < t->count; i++) {
        if (virtual && strcmp(t->columns[i].type, "REAL") == 0) return true;
        virtual |= t->columns[i].virtual;
    }
    return false;
}

static void add_set(struct generator *g, const struct table *t, const char *prefix)
{
    u32 count = 1 + pick(g, 2);
    for (u32 i = 0; i < count; i++) {
        add(g, "%s%s = ", i ? ", " : "", some_column(g, t)->name);
        add_expr(g, t, prefix);
    }
}

static void make_trigger(struct generator *g, struct oracle *o)
{
    static const char *events[] = {"INSERT", "UPDATE", "DELETE"};
    const struct table *t = &g->tables[pick(g, g->table_count)], *other = &g->tables[pick(g, g->table_count)];
    u32 event = pick(g, 3);
    const char *row = event == 2 ? "old" : "new";
    char value[32];
    start(g);
    add(g, "CREATE TRIGGER g%u %s %s ON %s ", g->object_count++, chance(g, 50) ? "BEFORE" : "AFTER", events[event],
        t->name);
    if (chance(g, 30)) add(g, "WHEN %s.%s IS NOT 1 ", row, plain_column(g, t)->name);
    snprintf(value, sizeof(value), "%s.%s", row, plain_column(g, t)->name);
    add(g, "BEGIN ");
    switch (pick(g, 4)) {
    case 0:
        add(g, "INSERT OR %s INTO %s VALUES(", conflict(g), other->name);
        add_row(g, other, value);
        add(g, ");");
        break;
    case 1:
        add(g, "UPDATE OR IGNORE %s SET %s = %s WHERE %s = %s.%s;", other->name, some_column(g, other)->name, value,
            some_column(g, other)->name, row, plain_column(g, t)->name);
        break;
    case 2:
        add(g, "DELETE FROM %s WHERE %s = %s;", other->name, some_column(g, other)->name, value);
        break;
    default:
        add(g, "SELECT CASE WHEN %s = 3 THEN RAISE(%s) END;", value, chance(g, 50) ? "IGNORE" : "ABORT, 'three'");
    }
    add(g, " END");
    run(g, o, g->text);
}

// Not with REAL columns: SQLite 3.40 gives integers stored in them back as integers.
static void add_returning(struct generator *g, const struct table *t)
{
    for (u32 i = 0; i < t->count; i++)
        if (strcmp(t->columns[i].type, "REAL") == 0) return;
    if (chance(g, 15)) add(g, " RETURNING *");
}

static void add_insert(struct generator *g)
{
    const struct table *t = &g->tables[pick(g, g->table_count)];
    add(g, "INSERT");
    bool upsert = chance(g, 15);
    if (!upsert && chance(g, 50)) add(g, " OR %s", conflict(g));
    if (chance(g, 15)) {
        const struct table *from = &g->tables[pick(g, g->table_count)];
        add(g, " INTO %s(%s) SELECT ", t->name, t->columns[0].name);
        add_expr(g, from, "");
        add(g, " FROM %s WHERE ", from->name);
        add_condition(g, from);
        add(g, " ORDER BY 1");
        add_returning(g, t);
        return;
    }
    add(g, " INTO %s VALUES(", t->name);
    u32 rows = 1 + (chance(g, 30) ? pick(g, 3) : 0);
    for (u32 i = 0; i < rows; i++) {
        if (i) add(g, "), (");
        add_row(g, t, NULL);
    }
    add(g, ")");
    if (upsert) {
        add(g, " ON CONFLICT");
        if (chance(g, 60)) add(g, "(%s)", chance(g, 70) ? "a" : some_column(g, t)->name);
        if (chance(g, 30)) {
            add(g, " DO NOTHING");
        } else {
            add(g, " DO UPDATE SET ");
            add_set(g, t, chance(g, 50) && !real_behind_virtual(t) ? "excluded." : "");
            if (chance(g, 20)) add(g, " WHERE excluded.%s IS NOT 2", some_column(g, t)->name);
        }
    }
    add_returning(g, t);
}

static void make_statement(struct generator *g, struct oracle *o)
{
    const struct table *t = &g->tables[pick(g, g->table_count)];
    start(g);
    u32 kind = pick(g, 100);
    if (kind < 50) {
        add_insert(g);
    } else if (kind < 75) {
        add(g, "UPDATE ");
        const char *action = conflict(g); // FAIL would show in which order rows are met
        if (chance(g, 40) && strcmp(action, "FAIL") != 0) add(g, "OR %s ", action);
        add(g, "%s SET ", t->name);
        add_set(g, t, "");
        if (chance(g, 80)) {
            add(g, " WHERE ");
            add_condition(g, t);
        }
        add_returning(g, t);
    } else if (kind < 88) {
        add(g, "DELETE FROM %s", t->name);
        if (chance(g, 95)) {
            add(g, " WHERE ");
            add_condition(g, t);
        }
        add_returning(g, t);
    } else {
        static const char *words[] = {"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT s", "ROLLBACK TO s", "RELEASE s"};
        add(g, "%s", words[pick(g, 6)]);
    }
    run(g, o, g->text);
}

static bool round_run(u64 seed, u32 statements)
{
    struct generator g = {.state = seed};
    struct oracle o;
    char context[64];
    char *script = NULL;
    size_t script_size = 0;
    snprintf(context, sizeof(context), "diff");
    if (!oracle_open(&o, context)) return false;
    snprintf(context, sizeof(context), "seed %llu", (unsigned long long)seed);
    o.context = context;
    g.script = open_memstream(&script, &script_size);
    o.any_order = true;
    oracle_limit(&o, 20000000); // SQLite may insert into what it reads for ever
    static const char *const encodings[] = {"UTF-8", "UTF-8", "UTF-16le", "UTF-16be"};
    char encoding[40];
    snprintf(encoding, sizeof encoding, "PRAGMA encoding='%s'", encodings[pick(&g, COUNT_OF(encodings))]);
    run(&g, &o, encoding);
    if (chance(&g, 50)) run(&g, &o, "PRAGMA foreign_keys = ON");
    if (chance(&g, 30)) run(&g, &o, "PRAGMA recursive_triggers = ON");
    for (u32 i = 1 + pick(&g, 3); i > 0; i--) make_table(&g, &o);
    bool equal, every = getenv("EVERY"); // to find the statement after which something was wrong
    if (g.table_count) {
        for (u32 i = pick(&g, 4); i > 0; i--) make_index(&g, &o);
        for (u32 i = pick(&g, 3); i > 0; i--) make_trigger(&g, &o);
        for (u32 i = 0; i < statements && o.differences == 0 && !o.gave_up; i++) {
            make_statement(&g, &o);
            if ((every || i % 8 == 7) && o.differences == 0) oracle_compare_contents(&o);
            if (every && o.differences == 0 && !oracle_in_transaction(&o)) oracle_check_file(&o);
        }
        run(&g, &o, "COMMIT");
        run(&g, &o, "ROLLBACK"); // when foreign keys forbade it
        if (o.differences == 0 && !o.gave_up) {
            oracle_compare_contents(&o);
            oracle_check_file(&o);
        }
    }
    equal = o.differences == 0;
    oracle_close(&o);
    fclose(g.script);
    if (!equal) printf("%s", script);
    free(script);
    return equal;
}

TEST(random_statements)
{
    u64 state = test_seed();
    time_t end = time(NULL) + SECONDS;
    const char *rounds = getenv("ROUNDS");
    u32 left = rounds ? (u32)atoi(rounds) : UINT32_MAX;
    bool fixed = getenv("SEED") != NULL && !rounds;
    do {
        u64 seed = fixed ? state : test_random(&state);
        if (!round_run(seed, 60)) return;
    } while (!fixed && --left && (rounds || time(NULL) < end));
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
