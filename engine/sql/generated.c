#include "dml.h"

struct expr *self_expr(struct compile *c, const struct table *t, const struct expr *e, u32 flags)
{
    struct expr *copy = expr_copy(c->arena, e);
    resolve_self(c, t, flags | NAME_FROM_SCHEMA, copy, NULL);
    return copy;
}

void column_default_code(struct compile *c, const struct table *t, u32 column, int reg)
{
    const struct expr *value = t->columns[column].default_value;
    if (!value) {
        emit(c, OP_Null, 0, reg, 0);
        return;
    }
    expr_code_factor(c, self_expr(c, NULL, value, 0), reg);
}

// The affinities of a row's stored columns as far as there are any but BLOB; NULL: none.
static const char *row_affinities(struct compile *c, const struct table *t, bool generated_later)
{
    char *letters = arena_alloc(c->arena, t->stored_count + 1u);
    u32 count = 0, used = 0;
    for (u32 i = 0; i < t->column_count; i++) {
        const struct column *column = &t->columns[i];
        if (column->flags & COLUMN_VIRTUAL) continue;
        bool later = generated_later && (column->flags & COLUMN_STORED);
        letters[count++] = (char)(later ? AFFINITY_NONE : column->affinity);
        if (!later && column->affinity > AFFINITY_BLOB) used = count;
    }
    letters[used] = 0;
    return used ? letters : NULL;
}

void row_affinity(struct compile *c, const struct table *t, int reg_first, bool generated_later)
{
    if (t->flags & TABLE_STRICT) {
        emit(c, OP_TypeCheck, reg_first, t->stored_count, generated_later);
        set_p4_table(c, t);
        return;
    }
    const char *letters = row_affinities(c, t, generated_later);
    if (!letters) return;
    emit(c, OP_Affinity, reg_first, (int)strlen(letters), 0);
    set_p4_text(c, letters);
}

void row_record(struct compile *c, const struct table *t, int reg_first, bool affinity_done, int record)
{
    if (!affinity_done && t->flags & TABLE_STRICT) row_affinity(c, t, reg_first, false);
    const char *letters = affinity_done || t->flags & TABLE_STRICT ? NULL : row_affinities(c, t, false);
    emit(c, OP_MakeRecord, reg_first, t->stored_count, record);
    if (letters) set_p4_text(c, letters);
}

struct dependency {
    const bool *available;
    bool missing;
};

static enum walk_result dependency_expr(struct walker *w, struct expr *e)
{
    struct dependency *d = w->context;
    if (e->kind == EXPR_COLUMN && e->column >= 0 && !d->available[e->column]) d->missing = true;
    return WALK_CONTINUE;
}

struct loop_search {
    struct compile *c;
    const struct table *table;
    u8 *state;  // of each column: enum loop_state
    u32 *names; // what its circle is told by
    bool found;
    u32 name;
};
enum loop_state { LOOP_UNSEEN, LOOP_BUSY, LOOP_NONE, LOOP_FOUND };

static enum walk_result loop_expr(struct walker *w, struct expr *e);

// Circles are told by the column that they come back to; of several by the one that is met last.
static void loop_column(struct loop_search *l, u32 column)
{
    if (!(l->table->columns[column].flags & COLUMN_VIRTUAL) || l->state[column] == LOOP_NONE) return;
    if (l->state[column] != LOOP_UNSEEN) {
        l->name = l->state[column] == LOOP_BUSY ? column : l->names[column];
        l->found = true;
        return;
    }
    l->state[column] = LOOP_BUSY;
    const bool before = l->found;
    l->found = false;
    struct walker w = {.expr = loop_expr, .context = l};
    walk_expr(&w, self_expr(l->c, l->table, l->table->columns[column].generated, NAME_GENERATED));
    l->state[column] = l->found ? LOOP_FOUND : LOOP_NONE;
    l->names[column] = l->name;
    l->found |= before;
}

static enum walk_result loop_expr(struct walker *w, struct expr *e)
{
    if (e->kind == EXPR_COLUMN && e->column >= 0) loop_column(w->context, (u32)e->column);
    return WALK_CONTINUE;
}

void generated_loop_check(struct compile *c, const struct table *t)
{
    struct loop_search l = {.c = c, .table = t, .state = arena_alloc(c->arena, t->column_count),
                            .names = arena_alloc(c->arena, t->column_count * sizeof(u32))};
    for (u32 i = 0; i < t->column_count; i++) {
        loop_column(&l, i);
        for (u32 k = 0; k < t->column_count; k++)
            if (l.state[k] == LOOP_FOUND) l.state[k] = LOOP_UNSEEN; // the next one may come back to another
    }
    if (l.found) compile_fail(c, ERR_ERROR, -1, "generated column loop on \"%s\"", t->columns[l.name].name);
}

// The columns may refer to one another, in any order but in circles.
void generated_code(struct compile *c, const struct table *t, int reg_first)
{
    row_affinity(c, t, reg_first, true);
    bool *available = arena_alloc(c->arena, t->column_count);
    struct expr **exprs = arena_alloc(c->arena, t->column_count * sizeof(*exprs));
    u32 left = 0;
    for (u32 i = 0; i < t->column_count; i++) {
        available[i] = !(t->columns[i].flags & COLUMN_GENERATED);
        if (available[i]) continue;
        exprs[i] = self_expr(c, t, t->columns[i].generated, NAME_GENERATED);
        left++;
    }
    int outer = c->self_cursor;
    c->self_cursor = -reg_first;
    c->self_what = "a generated column";
    while (left > 0) {
        u32 before = left, stuck = 0;
        for (u32 i = 0; i < t->column_count; i++) {
            if (available[i]) continue;
            struct dependency d = {.available = available};
            struct walker w = {.expr = dependency_expr, .context = &d};
            walk_expr(&w, exprs[i]);
            if (d.missing) {
                stuck = i;
                continue;
            }
            const struct column *column = &t->columns[i];
            int reg = reg_first + column->storage;
            expr_code(c, exprs[i], reg);
            if (column->affinity >= AFFINITY_TEXT) {
                emit(c, OP_Affinity, reg, 1, 0);
                set_p4_text(c, arena_format(c->arena, "%c", column->affinity));
            }
            available[i] = true;
            left--;
        }
        if (left == before)
            compile_fail(c, ERR_ERROR, -1, "generated column loop on \"%s\"", t->columns[stuck].name);
    }
    c->self_cursor = outer;
    c->self_what = NULL;
}

struct changed_walk {
    const int *changes;
    bool column, rowid;
};

static enum walk_result changed_expr(struct walker *w, struct expr *e)
{
    struct changed_walk *k = w->context;
    if (e->kind == EXPR_COLUMN) {
        if (e->column < 0)
            k->rowid = true;
        else if (k->changes[e->column] >= 0)
            k->column = true;
    }
    return WALK_CONTINUE;
}

bool expr_reads_changed(struct compile *c, const struct table *t, const struct expr *e, const int *changes,
                        bool rowid_changes)
{
    struct changed_walk k = {.changes = changes};
    struct walker w = {.expr = changed_expr, .context = &k};
    walk_expr(&w, self_expr(c, t, e, 0));
    return k.column || (k.rowid && rowid_changes);
}
