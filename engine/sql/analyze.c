// ANALYZE: sqlite_stat1. For each index its number of entries and, for each prefix of its key, how many entries
// share a value on average; for a table without a whole index its number of rows.
#include "ddl.h"

#include <strings.h>

// PRAGMA analysis_limit: after so many entries the next ones are passed over that have the same first field; once there
// are two values of that, what has been seen has to do for the averages.
struct analyze {
    struct compile *c;
    s64 limit; // 0: none
    int database;
    int stat_cursor;
    int reg_row; // 3 registers: tbl, idx, stat; then rowid and record
};

static void stat_row_add(struct analyze *a)
{
    struct compile *c = a->c;
    emit(c, OP_MakeRecord, a->reg_row, 3, a->reg_row + 4);
    set_p4_text(c, "BBB");
    emit(c, OP_NewRowid, a->stat_cursor, a->reg_row + 3, 0);
    emit(c, OP_Insert, a->stat_cursor, a->reg_row + 4, a->reg_row + 3);
    set_p5(c, WRITE_APPEND);
}

// stat = rows in all || ' ' || average for each prefix, of the rows that were looked at.
static void code_stat_text(struct analyze *a, const struct index *i, int all_rows, int rows, int distinct)
{
    struct compile *c = a->c;
    int stat = a->reg_row + 2, space = reg_alloc(c), average = reg_alloc(c), t1 = reg_alloc(c), t2 = reg_alloc(c);
    emit_string(c, " ", 1, space);
    emit_string(c, "", 0, stat);
    emit(c, OP_Concat, all_rows, stat, stat);
    for (u16 k = 0; k < i->key_count; k++) {
        // Rounded up; an average just above 1 counts as 1.
        emit(c, OP_Add, rows, distinct + k, average);
        emit(c, OP_AddImm, average, -1, 0);
        emit(c, OP_Divide, distinct + k, average, average);
        int not_two = label_new(c);
        emit(c, OP_Integer, 2, t1, 0);
        emit(c, OP_Ne, t1, not_two, average);
        emit(c, OP_Integer, 10, t1, 0);
        emit(c, OP_Multiply, rows, t1, t1);
        emit(c, OP_Integer, 11, t2, 0);
        emit(c, OP_Multiply, distinct + k, t2, t2);
        emit(c, OP_Gt, t2, not_two, t1);
        emit(c, OP_Integer, 1, average, 0);
        label_place(c, not_two);
        emit(c, OP_Concat, space, stat, stat);
        emit(c, OP_Concat, average, stat, stat);
    }
}

// Behind the limit: on with the next value of the first field, or to `done`.
static void code_limit(struct analyze *a, int cursor, int rows, int distinct, int previous, int bound, int loop, int done)
{
    struct compile *c = a->c;
    int within = label_new(c), t = reg_alloc(c);
    emit(c, OP_Le, bound, within, rows);
    program_emit_integer(c->program, t, a->limit);
    emit(c, OP_Add, t, bound, bound);
    emit(c, OP_Integer, 1, t, 0);
    emit(c, OP_Gt, t, done, distinct);
    emit(c, OP_SeekGT, cursor, done, previous);
    set_p4_int(c, 1);
    emit(c, OP_Goto, 0, loop, 0);
    label_place(c, within);
}

// Rows were passed over if the bound was moved: then they are counted.
static void code_all_rows(struct analyze *a, int cursor, int rows, int bound, int all_rows)
{
    struct compile *c = a->c;
    int t = reg_alloc(c), counted = label_new(c);
    emit(c, OP_SCopy, rows, all_rows, 0);
    program_emit_integer(c->program, t, a->limit);
    emit(c, OP_Eq, t, counted, bound);
    emit(c, OP_Count, cursor, all_rows, 0);
    label_place(c, counted);
}

static void analyze_index(struct analyze *a, const struct index *i)
{
    struct compile *c = a->c;
    const struct table *t = i->table;
    bool primary = i == t->primary_key;
    u16 columns = primary ? i->key_count : i->column_count;
    u16 tested = (u16)((primary || i->unique_not_null ? i->key_count : columns) - 1);
    const char *name = primary ? t->name : i->name;
    int cursor = cursor_alloc(c), rows = reg_alloc(c), distinct = reg_alloc_range(c, columns),
        previous = reg_alloc_range(c, columns), value = reg_alloc(c);
    open_index(c, cursor, a->database, i, OP_OpenRead);
    emit_string(c, name, (u32)strlen(name), a->reg_row + 1);
    int empty = label_new(c), done = label_new(c), bound = 0, all_rows = rows;
    emit(c, OP_Integer, 0, rows, 0);
    if (a->limit) {
        bound = reg_alloc(c);
        all_rows = reg_alloc(c);
        program_emit_integer(c->program, bound, a->limit);
    }
    emit(c, OP_Rewind, cursor, empty, 0);
    for (u16 k = 0; k < columns; k++) emit(c, OP_Integer, 0, distinct + k, 0);
    int *changed = arena_alloc(c->arena, (tested + 1u) * sizeof(int)), next = label_new(c);
    for (u16 k = 0; k <= tested; k++) changed[k] = label_new(c);
    emit(c, OP_Goto, 0, changed[0], 0);
    int loop = here(c), distinct_all = label_new(c);
    // Behind a value in a UNIQUE column all are distinct: to SQLite also the NULLs that come last in a descending one.
    if (tested == 1 && i->key_count == 1 && i->conflict != CONFLICT_NONE) emit(c, OP_NotNull, previous, distinct_all, 0);
    for (u16 k = 0; k < tested; k++) {
        emit(c, OP_Column, cursor, k, value);
        const char *collation = i->collations[k];
        emit_collation(c, OP_Ne, value, changed[k], previous + k, collation ? find_collation(c, collation) : NULL);
        set_p5(c, COMPARE_NULL_EQUAL);
    }
    emit(c, OP_Goto, 0, changed[tested], 0);
    // From the first column that changed on, the prefixes are new ones.
    for (u16 k = 0; k < tested; k++) {
        label_place(c, changed[k]);
        emit(c, OP_Column, cursor, k, previous + k);
        if (k == 0) label_place(c, distinct_all);
        emit(c, OP_AddImm, distinct + k, 1, 0);
    }
    label_place(c, changed[tested]);
    for (u16 k = tested; k < columns; k++) emit(c, OP_AddImm, distinct + k, 1, 0);
    emit(c, OP_AddImm, rows, 1, 0);
    label_place(c, next);
    if (a->limit) code_limit(a, cursor, rows, distinct, previous, bound, loop, done);
    emit(c, OP_Next, cursor, loop, 0);
    label_place(c, done);
    if (a->limit) code_all_rows(a, cursor, rows, bound, all_rows);
    code_stat_text(a, i, all_rows, rows, distinct);
    stat_row_add(a);
    label_place(c, empty);
    emit(c, OP_Close, cursor, 0, 0);
}

static void analyze_table(struct analyze *a, const struct table *t, const struct index *only)
{
    struct compile *c = a->c;
    if (t->kind != TABLE_ORDINARY || strncasecmp(t->name, "sqlite_", 7) == 0) return;
    emit_string(c, t->name, (u32)strlen(t->name), a->reg_row);
    bool whole = false;
    for (const struct index *i = t->indexes; i; i = i->next) {
        if (only && i != only) continue;
        if (!i->where) whole = true;
        analyze_index(a, i);
    }
    if (only || whole) return;
    int cursor = cursor_alloc(c), stat = a->reg_row + 2;
    open_table(c, cursor, a->database, t, OP_OpenRead);
    emit(c, OP_Count, cursor, stat, 0);
    int none = emit(c, OP_IfNot, stat, 0, 0);
    emit(c, OP_Null, 0, a->reg_row + 1, 0);
    stat_row_add(a);
    jump_here(c, none);
    emit(c, OP_Close, cursor, 0, 0);
}

// Opens sqlite_stat1, without the rows that are about to be made. True: it had to be made.
static bool open_stat(struct analyze *a, const char *column, const char *name)
{
    struct compile *c = a->c;
    const struct table *t = schema_table(compile_schema(c, a->database), "sqlite_stat1");
    a->stat_cursor = cursor_alloc(c);
    compile_write_database(c, a->database, true);
    if (t) {
        const char *schema = sql_quoted(c, compile_database_name(c, a->database));
        if (name)
            nested_sql(c, "DELETE FROM %s.sqlite_stat1 WHERE %s=%s", schema, column, sql_quoted(c, name));
        else
            emit(c, OP_Clear, (int)t->root, a->database, 0);
        open_table(c, a->stat_cursor, a->database, t, OP_OpenWrite);
        return false;
    }
    int root = reg_alloc(c);
    schema_format_set(c, a->database);
    int cursor = schema_open(c, a->database);
    emit(c, OP_CreateBtree, a->database, root, BTREE_TABLE);
    schema_row_add(c, cursor, "table", "sqlite_stat1", "sqlite_stat1", root, "CREATE TABLE sqlite_stat1(tbl,idx,stat)");
    emit(c, OP_Close, cursor, 0, 0);
    emit_int(c, OP_OpenWrite, a->stat_cursor, root, a->database, 3);
    set_p5(c, OPEN_ROOT_IN_REGISTER);
    return true;
}

static void analyze_some(struct compile *c, int database, const struct table *t, const struct index *index)
{
    struct analyze a = {.c = c, .database = database, .reg_row = reg_alloc_range(c, 5)};
    a.limit = c->db->settings[SETTING_ANALYSIS_LIMIT];
    bool made = open_stat(&a, index ? "idx" : "tbl", index ? index->name : t ? t->name : NULL);
    const struct schema *s = compile_schema(c, database);
    if (t)
        analyze_table(&a, t, index);
    else {
        u32 count;
        const struct table **tables = schema_tables_ordered(s, c->arena, &count);
        for (u32 i = 0; i < count; i++)
            if (!(tables[i]->flags & TABLE_SCHEMA_TABLE)) analyze_table(&a, tables[i], NULL);
    }
    emit(c, OP_Close, a.stat_cursor, 0, 0);
    if (made)
        schema_changed(c, database);
    else
        emit(c, OP_LoadAnalysis, database, 0, 0);
    emit(c, OP_Expire, 0, 0, 0);
}

void analyze_statement(struct compile *c, struct stmt_analyze *s)
{
    if (!s->name.name) {
        for (int d = 0; d < compile_database_count(c); d++)
            if (d != DATABASE_TEMP && compile_schema(c, d)) analyze_some(c, d, NULL, NULL);
        return;
    }
    if (!s->name.schema) {
        int database = compile_database_find(c, s->name.name);
        if (database >= 0) {
            analyze_some(c, database, NULL, NULL);
            return;
        }
    }
    int wanted = ddl_database(c, &s->name, -1);
    for (int k = 0; k < compile_database_count(c); k++) {
        int d = k < 2 ? 1 - k : k;
        if (d >= compile_database_count(c) || !compile_schema(c, d) || (wanted >= 0 && d != wanted)) continue;
        const struct index *i = schema_index(compile_schema(c, d), s->name.name);
        if (!i) continue;
        analyze_some(c, d, i->table, i);
        return;
    }
    int found;
    const struct table *t =
        locate_table(c, s->name.schema, s->name.name, s->name.schema ? -1 : -1, false, &found);
    analyze_some(c, found, t, NULL);
}
