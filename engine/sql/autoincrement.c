#include "dml.h"

// Four registers for each AUTOINCREMENT table that a statement (or a trigger of it) inserts into: its name, its
// largest rowid so far, the rowid of its row in sqlite_sequence, and what that row said at first.
struct autoincrement {
    struct autoincrement *next;
    const struct table *table;
    int database;
    int reg_max;
};

static const struct table *sequence_table(struct compile *c, int database)
{
    const struct table *t = schema_table(compile_schema(c, database), "sqlite_sequence");
    if (!t || !table_has_rowid(t) || t->kind != TABLE_ORDINARY || t->column_count != 2)
        compile_fail(c, ERR_CORRUPT, -1, "%s", err_default_text(ERR_CORRUPT));
    return t;
}

int autoincrement_register(struct compile *c, const struct table *t, int database)
{
    if (!(t->flags & TABLE_AUTOINCREMENT)) return 0;
    struct compile *top = c->top;
    sequence_table(c, database);
    for (struct autoincrement *a = top->autoincrements; a; a = a->next)
        if (a->table == t && a->database == database) return a->reg_max;
    struct autoincrement *a = arena_alloc(c->arena, sizeof(*a));
    *a = (struct autoincrement){.next = top->autoincrements, .table = t, .database = database};
    a->reg_max = reg_alloc_range(top, 4) + 1;
    top->autoincrements = a;
    return a->reg_max;
}

void autoincrement_begin(struct compile *c)
{
    for (struct autoincrement *a = c->autoincrements; a; a = a->next) {
        int cursor = cursor_alloc(c), max = a->reg_max;
        int none = label_new(c), next = label_new(c), done = label_new(c);
        open_table(c, cursor, a->database, sequence_table(c, a->database), OP_OpenRead);
        program_emit_text(c->program, max - 1, a->table->name, strlen(a->table->name));
        emit(c, OP_Null, 0, max, max + 2);
        emit(c, OP_Rewind, cursor, none, 0);
        int loop = here(c);
        emit(c, OP_Column, cursor, 0, max);
        emit(c, OP_Ne, max - 1, next, max);
        set_p5(c, COMPARE_JUMP_IF_NULL);
        emit(c, OP_Rowid, cursor, max + 1, 0);
        emit(c, OP_Column, cursor, 1, max);
        emit(c, OP_AddImm, max, 0, 0);
        emit(c, OP_Copy, max, max + 2, 0);
        emit(c, OP_Goto, 0, done, 0);
        label_place(c, next);
        emit(c, OP_Next, cursor, loop, 0);
        label_place(c, none);
        emit(c, OP_Integer, 0, max, 0);
        label_place(c, done);
        emit(c, OP_Close, cursor, 0, 0);
    }
}

void autoincrement_end(struct compile *c)
{
    if (c->top != c || c->nested) return;
    for (struct autoincrement *a = c->autoincrements; a; a = a->next) {
        int cursor = cursor_alloc(c), max = a->reg_max, record = reg_temp(c);
        int unchanged = label_new(c), known = label_new(c);
        emit(c, OP_Le, max + 2, unchanged, max);
        open_table(c, cursor, a->database, sequence_table(c, a->database), OP_OpenWrite);
        emit(c, OP_NotNull, max + 1, known, 0);
        emit(c, OP_NewRowid, cursor, max + 1, 0);
        label_place(c, known);
        emit(c, OP_MakeRecord, max - 1, 2, record);
        emit(c, OP_Insert, cursor, record, max + 1);
        set_p5(c, WRITE_APPEND | WRITE_SEQUENCE);
        emit(c, OP_Close, cursor, 0, 0);
        label_place(c, unchanged);
        reg_release(c, record);
    }
}
