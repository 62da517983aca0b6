// Columns: where the value of one is read from, the table, an index, registers or an aggregate's state.
#include "../fn/fn.h"
#include "emit.h"
#include "expr.h"

struct generated_scope {
    const struct table *table;
    int column;
    u32 height; // of the expressions up to this one
    const struct generated_scope *outer;
};

#define GENERATED_HEIGHT_MAX 4000 // what the C stack has room for: a column of a sum each, computed from the one before, as many as a table has

static void virtual_column_code(struct compile *c, const struct table *t, int column, int target)
{
    for (const struct generated_scope *g = c->generated; g; g = g->outer)
        if (g->table == t && g->column == column)
            compile_fail(c, ERR_ERROR, -1, "generated column loop on \"%s\"", t->columns[column].name);
    // The expression reads its own table's row: self_cursor says where that is.
    struct expr *e = expr_copy(c->arena, t->columns[column].generated);
    const struct generated_scope scope = {t, column, e->height + (c->generated ? c->generated->height : 0), c->generated};
    if (scope.height > GENERATED_HEIGHT_MAX) compile_fail(c, ERR_ERROR, -1, "generated columns are nested too deeply");
    c->generated = &scope;
    int done = 0;
    if (c->self_cursor > 0) done = emit(c, OP_IfNullRow, c->self_cursor - 1, 0, target);
    resolve_self(c, t, NAME_GENERATED | NAME_FROM_SCHEMA, e, NULL);
    bool factoring = c->factoring;
    c->factoring = false;
    expr_code(c, e, target);
    c->factoring = factoring;
    char affinity = (char)t->columns[column].affinity;
    if (affinity >= AFFINITY_TEXT) emit_text_n(c, OP_Affinity, target, 1, 0, &affinity, 1);
    if (done) emit_jump_here(c, done);
    c->generated = scope.outer;
}

// The default of a column that rows written before ALTER TABLE ADD COLUMN lack.
static bool added_default(struct compile *c, const struct table *t, int column, struct value *out)
{
    const struct column *k = &t->columns[column];
    return t->kind == TABLE_ORDINARY && !(t->flags & TABLE_EPHEMERAL) && k->default_value &&
           value_from_expr(c, k->default_value, (char)k->affinity, out);
}

// As p4 of the Column just emitted.
static void default_code(struct compile *c, const struct table *t, int column, int reg)
{
    struct value v;
    value_init(&v);
    if (added_default(c, t, column, &v)) program_p4_value(c->program, -1, &v);
    value_deinit(&v);
    if (t->kind == TABLE_ORDINARY && t->columns[column].affinity == AFFINITY_REAL) emit(c, OP_RealAffinity, reg, 0, 0);
}

static int column_place(const struct table *t, int column)
{
    return t->flags & TABLE_WITHOUT_ROWID ? index_column_place(t->primary_key, column) : t->columns[column].storage;
}

void column_code(struct compile *c, const struct table *t, int cursor, int column, int reg)
{
    if (column < 0 || column == t->rowid_column) {
        emit(c, OP_Rowid, cursor, reg, 0);
        return;
    }
    if (t->kind == TABLE_VIRTUAL) {
        emit(c, OP_VColumn, cursor, column, reg);
        return;
    }
    const struct column *col = &t->columns[column];
    if (col->flags & COLUMN_VIRTUAL) {
        int saved = c->self_cursor;
        c->self_cursor = cursor + 1;
        virtual_column_code(c, t, column, reg);
        c->self_cursor = saved;
        return;
    }
    emit(c, OP_Column, cursor, column_place(t, column), reg);
    default_code(c, t, column, reg);
}

int column_type_code(struct compile *c, const struct table *t, int cursor, int column, u16 types)
{
    int address = emit(c, OP_IsType, cursor, 0, column_place(t, column));
    emit_set_p5(c, types);
    struct value v;
    value_init(&v);
    if (added_default(c, t, column, &v)) program_p4_integer(c->program, address, v.type);
    value_deinit(&v);
    return address;
}

static enum walk_result subtype_find(struct walker *w, struct expr *e)
{
    return e->kind == EXPR_FUNCTION && e->function && e->function->flags & FN_RESULT_SUBTYPE ? WALK_ABORT : WALK_CONTINUE;
}

// An index holds the value, but not its subtype.
int indexed_expression(struct compile *c, struct expr *e, int target)
{
    for (struct column_source *s = c->index_exprs; s; s = s->next) {
        if (s->table_cursor < 0) continue;
        if (expr_compare(c, e, s->expr, s->table_cursor) != 0) continue;
        if (e->flags & EXPR_F_SUBTYPE_WANTED && walk_expr(&(struct walker){.expr = subtype_find}, e) == WALK_ABORT) continue;
        char affinity = expr_affinity(e);
        if ((affinity <= AFFINITY_BLOB && s->affinity != AFFINITY_BLOB) ||
            (affinity == AFFINITY_TEXT && s->affinity != AFFINITY_TEXT) ||
            (affinity >= AFFINITY_NUMERIC && s->affinity != AFFINITY_NUMERIC))
            continue;
        if (s->may_be_null_row) {
            int address = emit_here(c);
            emit(c, OP_IfNullRow, s->index_cursor, address + 3, target);
            emit(c, OP_Column, s->index_cursor, s->index_column, target);
            emit_goto(c, 0);
            struct column_source *saved = c->index_exprs;
            c->index_exprs = NULL;
            expr_code(c, e, target);
            c->index_exprs = saved;
            emit_jump_here(c, address + 2);
        } else {
            emit(c, OP_Column, s->index_cursor, s->index_column, target);
        }
        return target;
    }
    return -1;
}

// All rows of the partial index that the loop under way reads have the value in that column.
static int indexed_constant(struct compile *c, const struct expr *e, int target)
{
    for (const struct column_source *s = c->index_constants; s; s = s->next) {
        if (e->column != s->index_column || e->cursor != s->table_cursor) continue;
        int null_row = s->may_be_null_row ? emit(c, OP_IfNullRow, s->index_cursor, 0, target) : 0;
        expr_code(c, s->expr, target);
        char affinity = (char)s->affinity;
        emit_text_n(c, OP_Affinity, target, 1, 0, &affinity, 1);
        if (null_row) emit_jump_here(c, null_row);
        return target;
    }
    return -1;
}

int column_expr_code(struct compile *c, struct expr *e, int target)
{
    int cursor = e->cursor;
    if (cursor < 0) {
        if (c->self_cursor < 0) {
            // The row is in registers: the rowid in the first, the columns behind it.
            int first = -c->self_cursor;
            if (e->column < 0) {
                emit(c, OP_SCopy, first - 1, target, 0);
                return first - 1;
            }
            int reg = first + e->table->columns[e->column].storage;
            if (e->table->columns[e->column].affinity == AFFINITY_REAL &&
                !(e->table->columns[e->column].flags & COLUMN_GENERATED)) {
                emit(c, OP_SCopy, reg, target, 0);
                emit(c, OP_RealAffinity, target, 0, 0);
                return target;
            }
            return reg;
        }
        cursor = c->self_cursor - 1;
    } else if (c->index_constants) {
        int found = indexed_constant(c, e, target);
        if (found >= 0) return found;
    }
    column_code(c, e->table, cursor, e->column, target);
    if (e->flags & EXPR_F_KEPT) emit_set_p5(c, 1);
    return target;
}

int aggregate_column_code(struct compile *c, struct expr *e, int target)
{
    struct aggregate_info *a = e->aggregate;
    if (!a || e->aggregate_index < 0 || (u32)e->aggregate_index >= a->column_count) {
        return column_expr_code(c, e, target);
    }
    struct aggregate_column *column = &a->columns[e->aggregate_index];
    if (!a->direct_mode) return column->reg;
    if (a->use_sorting) {
        emit(c, OP_Column, a->sorting_cursor_pseudo, column->sorter_column, target);
        const struct table *t = column->table;
        if (t && column->column >= 0 && e->kind == EXPR_AGG_COLUMN && t->columns[column->column].affinity == AFFINITY_REAL)
            emit(c, OP_RealAffinity, target, 0, 0);
        return target;
    }
    if (!e->table) return expr_code_target(c, column->expr, target); // an expression that an index has
    int reg = column_expr_code(c, e, target);
    if (a->no_subtypes && e->table->kind == TABLE_VIRTUAL) emit(c, OP_ClrSubtype, reg, 0, 0);
    return reg;
}
