// What can be told of an expression without code: affinity, collation, constness, vectors.
#include "../fn/fn.h"
#include "compile.h"
#include "expr.h"

struct expr *expr_skip_collate(struct expr *e)
{
    while (e && (e->kind == EXPR_COLLATE || (e->kind == EXPR_FUNCTION && e->flags & EXPR_F_UNLIKELY)))
        e = e->kind == EXPR_COLLATE ? e->left : e->list->items[0].expr;
    return e;
}

bool expr_make_truth(struct expr *e)
{
    struct expr *right = expr_skip_collate(e->right);
    if (right->kind != EXPR_BOOLEAN) return false;
    e->right = right;
    e->kind2 = e->kind;
    e->kind = EXPR_TRUTH;
    return true;
}

char table_column_affinity(const struct table *t, int column)
{
    if (column < 0 || !t || column >= t->column_count) return AFFINITY_INTEGER;
    u8 affinity = t->columns[column].affinity;
    return affinity ? affinity : AFFINITY_NONE;
}

char expr_affinity_given(const struct expr *e)
{
    for (;;) {
        u8 kind = e->kind == EXPR_REGISTER ? e->kind2 : e->kind;
        switch (kind) {
        case EXPR_COLUMN:
        case EXPR_FIXED:
            return e->table ? table_column_affinity(e->table, e->column) : e->affinity;
        case EXPR_AGG_COLUMN:
            if (!e->table) return e->affinity;
            return table_column_affinity(e->table, e->column);
        case EXPR_SELECT:
            if (!e->select) return e->affinity;
            e = e->select->columns->items[0].expr;
            continue;
        case EXPR_CAST:
            return affinity_of_cast(e->text);
        case EXPR_SELECT_COLUMN:
            if (e->left->kind == EXPR_SELECT && e->left->select && e->column < expr_vector_size(e->left)) {
                e = e->left->select->columns->items[e->column].expr;
                continue;
            }
            return 0;
        case EXPR_ROW:
            e = e->list->items[0].expr;
            continue;
        case EXPR_COLLATE:
        case EXPR_IF_NULL_ROW:
            e = e->left;
            continue;
        case EXPR_FUNCTION:
            if (e->affinity != AFFINITY_OF_FIRST) return 0;
            e = e->list->items[0].expr;
            continue;
        }
        return e->affinity;
    }
}

char expr_affinity(const struct expr *e)
{
    const char affinity = expr_affinity_given(e);
    return affinity ? affinity : AFFINITY_NONE;
}

static const struct expr *collate_child(const struct expr *e)
{
    if (e->left && e->left->flags & EXPR_F_HAS_COLLATE) return e->left;
    if (e->list)
        for (u32 i = 0; i < e->list->count; i++)
            if (e->list->items[i].expr->flags & EXPR_F_HAS_COLLATE) return e->list->items[i].expr;
    return e->right;
}

const struct collation *expr_collation_or_null(struct compile *c, const struct expr *e)
{
    while (e) {
        u8 kind = e->kind == EXPR_REGISTER ? e->kind2 : e->kind;
        if ((kind == EXPR_COLUMN || kind == EXPR_FIXED || kind == EXPR_AGG_COLUMN || kind == EXPR_TRIGGER) && e->table)
            return column_collation(c, e->table, e->column);
        if (kind == EXPR_CAST || kind == EXPR_PLUS || kind == EXPR_IF_NULL_ROW) {
            e = e->left;
            continue;
        }
        if (kind == EXPR_ROW || (kind == EXPR_FUNCTION && e->affinity == AFFINITY_OF_FIRST)) {
            e = e->list->items[0].expr;
            continue;
        }
        if (kind == EXPR_COLLATE) return find_collation_at(c, e->text, e);
        if (!(e->flags & EXPR_F_HAS_COLLATE)) break;
        if (kind == EXPR_SELECT || kind == EXPR_EXISTS) break;
        e = collate_child(e);
    }
    return NULL;
}

const struct collation *expr_collation(struct compile *c, const struct expr *e)
{
    const struct collation *found = expr_collation_or_null(c, e);
    return found ? found : &COLLATION_BINARY;
}

char compare_affinity(const struct expr *e, char other)
{
    char own = expr_affinity(e);
    if (own > AFFINITY_NONE && other > AFFINITY_NONE)
        return own >= AFFINITY_NUMERIC || other >= AFFINITY_NUMERIC ? AFFINITY_NUMERIC : AFFINITY_BLOB;
    return own <= AFFINITY_NONE ? (other ? other : AFFINITY_NONE) : own;
}

const struct collation *compare_collation_or_null(struct compile *c, const struct expr *left,
                                                  const struct expr *right)
{
    if (left->flags & EXPR_F_HAS_COLLATE) return expr_collation_or_null(c, left);
    if (right && right->flags & EXPR_F_HAS_COLLATE) return expr_collation_or_null(c, right);
    const struct collation *found = expr_collation_or_null(c, left);
    if (!found && right) found = expr_collation_or_null(c, right);
    return found;
}

const struct collation *compare_collation(struct compile *c, const struct expr *left, const struct expr *right)
{
    const struct collation *found = compare_collation_or_null(c, left, right);
    return found ? found : &COLLATION_BINARY;
}

// A comparison's own collation; its operands may have been swapped.
const struct collation *expr_compare_collation(struct compile *c, const struct expr *e)
{
    if (e->flags & EXPR_F_COMMUTED) return compare_collation(c, e->right, e->left);
    return compare_collation(c, e->left, e->right);
}

// Affinity that a comparison, or IN, applies to its operands; of a row's IN: that of one field, from 0.
static char comparison_affinity(const struct expr *e, u32 field)
{
    const struct expr *left = e->left->kind == EXPR_ROW ? e->left->list->items[field].expr : e->left;
    char affinity = expr_affinity(left);
    if (e->right) return compare_affinity(e->right, affinity);
    if (e->flags & EXPR_F_SELECT) return compare_affinity(e->select->columns->items[field].expr, affinity);
    return affinity <= AFFINITY_NONE ? AFFINITY_BLOB : affinity;
}

// Whether an index on a column of that affinity can answer the comparison.
bool expr_index_affinity_ok(const struct expr *e, u32 field, char index_affinity)
{
    char affinity = comparison_affinity(e, field);
    if (affinity < AFFINITY_TEXT) return true;
    if (affinity == AFFINITY_TEXT) return index_affinity == AFFINITY_TEXT;
    return index_affinity >= AFFINITY_NUMERIC;
}

const struct collation *column_collation(struct compile *c, const struct table *t, int column)
{
    if (column < 0 || !t || column >= t->column_count) return NULL;
    const char *name = t->columns[column].collation;
    return name ? find_collation(c, name) : &COLLATION_BINARY;
}

// ---- constants ----------------------------------------------------------------------------------------

enum constant_mode { CONSTANT_ANY, CONSTANT_TABLE };
struct constant_walk {
    struct compile *c;
    enum constant_mode mode;
    int cursor;
    bool not_join;
};

static enum walk_result constant_expr(struct walker *w, struct expr *e)
{
    struct constant_walk *k = w->context;
    if (k->not_join && e->flags & EXPR_F_OUTER_ON) return WALK_ABORT;
    switch ((enum expr_kind)e->kind) {
    case EXPR_FUNCTION:
        if (e->flags & EXPR_F_WINDOW_FUNCTION || e->window) return WALK_ABORT;
        if (e->flags & EXPR_F_CONSTANT_FUNCTION) return WALK_CONTINUE;
        return WALK_ABORT;
    case EXPR_NAME: // not resolved yet
        return expr_is_true_or_false(e) ? WALK_CONTINUE : WALK_ABORT;
    case EXPR_DOT:
    case EXPR_COLUMN:
    case EXPR_AGG_COLUMN:
    case EXPR_AGG_FUNCTION:
        if (k->mode == CONSTANT_TABLE && e->kind == EXPR_COLUMN && e->cursor == k->cursor) return WALK_CONTINUE;
        return WALK_ABORT;
    case EXPR_TRIGGER:
    case EXPR_REGISTER:
    case EXPR_IF_NULL_ROW:
    case EXPR_RAISE:
    case EXPR_STAR:
    case EXPR_EXISTS:
    case EXPR_SELECT:
    case EXPR_SELECT_COLUMN:
    case EXPR_CURRENT:
        return WALK_ABORT;
    case EXPR_IN:
        return e->flags & EXPR_F_SELECT ? WALK_ABORT : WALK_CONTINUE;
    case EXPR_FIXED: // as what it is equal to
    case EXPR_VARIABLE:
    case EXPR_NULL:
    case EXPR_INTEGER:
    case EXPR_REAL:
    case EXPR_TEXT:
    case EXPR_BLOB:
    case EXPR_BOOLEAN:
    case EXPR_OR:
    case EXPR_AND:
    case EXPR_EQ:
    case EXPR_NE:
    case EXPR_LT:
    case EXPR_LE:
    case EXPR_GT:
    case EXPR_GE:
    case EXPR_IS:
    case EXPR_IS_NOT:
    case EXPR_BIT_AND:
    case EXPR_BIT_OR:
    case EXPR_SHIFT_LEFT:
    case EXPR_SHIFT_RIGHT:
    case EXPR_ADD:
    case EXPR_SUBTRACT:
    case EXPR_MULTIPLY:
    case EXPR_DIVIDE:
    case EXPR_REMAINDER:
    case EXPR_CONCAT:
    case EXPR_NOT:
    case EXPR_BIT_NOT:
    case EXPR_NEGATE:
    case EXPR_PLUS:
    case EXPR_IS_NULL:
    case EXPR_NOT_NULL:
    case EXPR_TRUTH:
    case EXPR_COLLATE:
    case EXPR_CAST:
    case EXPR_BETWEEN:
    case EXPR_CASE:
    case EXPR_ROW:
        return WALK_CONTINUE;
    }
    return WALK_ABORT;
}

static enum walk_result constant_select(struct walker *w, struct select *s)
{
    return WALK_ABORT;
}

static bool constant_check(struct compile *c, const struct expr *e, struct constant_walk k)
{
    k.c = c;
    struct walker w = {.expr = constant_expr, .select = constant_select, .context = &k};
    return walk_expr(&w, (struct expr *)e) != WALK_ABORT;
}

bool expr_is_constant(struct compile *c, const struct expr *e)
{
    return constant_check(c, e, (struct constant_walk){.mode = CONSTANT_ANY});
}

bool expr_is_constant_not_join(struct compile *c, const struct expr *e)
{
    return constant_check(c, e, (struct constant_walk){.mode = CONSTANT_ANY, .not_join = true});
}

bool expr_is_constant_for(struct compile *c, const struct expr *e, int cursor)
{
    return constant_check(c, e, (struct constant_walk){.mode = CONSTANT_TABLE, .cursor = cursor});
}

bool expr_is_integer64(const struct expr *e, s64 *value)
{
    switch (e->kind) {
    case EXPR_INTEGER:
    case EXPR_BOOLEAN:
        *value = e->integer;
        return true;
    case EXPR_PLUS:
        return expr_is_integer64(e->left, value);
    case EXPR_NEGATE: {
        s64 inner;
        if (!expr_is_integer64(e->left, &inner) || inner == INT64_MIN) return false;
        *value = -inner;
        return true;
    }
    }
    return false;
}

bool expr_is_integer(const struct expr *e, int *value)
{
    s64 wide;
    if (!e || !expr_is_integer64(e, &wide) || wide > INT32_MAX || wide < -INT32_MAX) return false;
    *value = (int)wide;
    return true;
}

bool expr_can_be_null(const struct expr *e)
{
    while (e->kind == EXPR_PLUS || e->kind == EXPR_NEGATE) e = e->left;
    u8 kind = e->kind == EXPR_REGISTER ? e->kind2 : e->kind;
    switch (kind) {
    case EXPR_INTEGER:
    case EXPR_TEXT:
    case EXPR_REAL:
    case EXPR_BLOB:
    case EXPR_BOOLEAN:
        return false;
    case EXPR_COLUMN:
        if (e->flags & EXPR_F_CAN_BE_NULL || !e->table) return true;
        if (e->column < 0) return false;
        if (e->table->flags & TABLE_EPHEMERAL || e->table->kind != TABLE_ORDINARY) return true;
        if (e->column >= e->table->column_count) return true;
        return e->table->columns[e->column].not_null == CONFLICT_NONE;
    }
    return true;
}

// A value of that form is unchanged by the affinity (so that OP_Affinity can be left out).
bool expr_needs_no_affinity(const struct expr *e, char affinity)
{
    if (affinity == AFFINITY_BLOB || affinity == AFFINITY_NONE) return true;
    bool minus = false;
    while (e->kind == EXPR_PLUS || e->kind == EXPR_NEGATE) {
        if (e->kind == EXPR_NEGATE) minus = true;
        e = e->left;
    }
    u8 kind = e->kind == EXPR_REGISTER ? e->kind2 : e->kind;
    switch (kind) {
    case EXPR_INTEGER:
    case EXPR_REAL:
        return affinity >= AFFINITY_NUMERIC;
    case EXPR_TEXT:
        return !minus && affinity == AFFINITY_TEXT;
    case EXPR_BLOB:
        return !minus;
    case EXPR_COLUMN:
        return affinity >= AFFINITY_NUMERIC && e->column < 0;
    }
    return false;
}

// ---- vectors ------------------------------------------------------------------------------------------

int expr_vector_size(const struct expr *e)
{
    u8 kind = e->kind == EXPR_REGISTER ? e->kind2 : e->kind;
    if (kind == EXPR_ROW) return (int)e->list->count;
    if (kind == EXPR_SELECT && e->select && e->select->columns) return (int)e->select->columns->count;
    return 1;
}

bool expr_is_vector(const struct expr *e)
{
    return expr_vector_size(e) > 1;
}

void expr_row_mistake(struct compile *c, const struct expr *e)
{
    if (e->kind != EXPR_SELECT) coding_mistake(c, NULL, "row value misused");
    else if (!c->coding_mistake) coding_mistake(c, e, "sub-select returns %d columns - expected 1", expr_vector_size(e)); // first or never
}

void expr_row_fail(struct compile *c, const struct expr *e)
{
    expr_row_mistake(c, e);
    compile_fail_again(c, c->coding_mistake);
}

struct expr *expr_vector_field_subexpr(struct expr *e, int field)
{
    if (!expr_is_vector(e)) return e;
    if (e->kind == EXPR_SELECT || (e->kind == EXPR_REGISTER && e->kind2 == EXPR_SELECT))
        return e->select->columns->items[field].expr;
    return e->list->items[field].expr;
}

// An expression for one field; for a subquery one that refers to the whole of it (coded once, in e).
struct expr *expr_vector_field(struct compile *c, struct expr *e, int field)
{
    if (e->kind == EXPR_SELECT) {
        struct expr *out = expr_new(c->arena, EXPR_SELECT_COLUMN, e->offset);
        out->left = e;
        out->column = (s16)field;
        return out;
    }
    if (e->kind == EXPR_ROW) return e->list->items[field].expr;
    return e;
}

// ---- implication, for partial indexes --------------------------------------------------------------------

static bool not_null_implied(struct compile *c, const struct expr *p, const struct expr *operand, int cursor, bool seen_not)
{
    if (expr_compare(c, p, operand, cursor) == 0) return operand->kind != EXPR_NULL;
    switch (p->kind) {
    case EXPR_IN:
        if (seen_not && p->flags & EXPR_F_SELECT) return false;
        return not_null_implied(c, p->left, operand, cursor, true);
    case EXPR_BETWEEN:
        if (seen_not) return false;
        if (not_null_implied(c, p->list->items[0].expr, operand, cursor, true) ||
            not_null_implied(c, p->list->items[1].expr, operand, cursor, true))
            return true;
        return not_null_implied(c, p->left, operand, cursor, true);
    case EXPR_EQ:
    case EXPR_NE:
    case EXPR_LT:
    case EXPR_LE:
    case EXPR_GT:
    case EXPR_GE:
    case EXPR_ADD:
    case EXPR_SUBTRACT:
    case EXPR_BIT_OR:
    case EXPR_SHIFT_LEFT:
    case EXPR_SHIFT_RIGHT:
    case EXPR_CONCAT:
        return not_null_implied(c, p->right, operand, cursor, true) ||
               not_null_implied(c, p->left, operand, cursor, true);
    case EXPR_MULTIPLY:
    case EXPR_DIVIDE:
    case EXPR_REMAINDER:
    case EXPR_BIT_AND:
        // True only if both operands are.
        return not_null_implied(c, p->right, operand, cursor, seen_not) ||
               not_null_implied(c, p->left, operand, cursor, seen_not);
    case EXPR_COLLATE:
    case EXPR_PLUS:
    case EXPR_NEGATE:
        return not_null_implied(c, p->left, operand, cursor, seen_not);
    case EXPR_NOT:
    case EXPR_BIT_NOT:
        return not_null_implied(c, p->left, operand, cursor, true);
    case EXPR_TRUTH:
        if (seen_not || p->kind2 != EXPR_IS) return false;
        return not_null_implied(c, p->left, operand, cursor, true);
    }
    return false;
}

// The condition that holds whenever CASE WHEN, or iif(), is true because it has no other branch that could be; or NULL.
static const struct expr *only_condition(const struct expr *e)
{
    bool choice = e->kind == EXPR_CASE && !e->left;
    if (e->kind == EXPR_FUNCTION && e->function && e->function->flags & FN_INLINE)
        choice = name_equal(e->text, "iif") || name_equal(e->text, "if");
    if (!choice || e->list->count < 2 || e->list->count > 3) return NULL;
    const struct expr *other = e->list->count == 3 ? e->list->items[2].expr : NULL;
    int v;
    if (other && other->kind != EXPR_NULL && !(other->kind == EXPR_BOOLEAN && !other->integer) &&
        !(expr_is_integer(other, &v) && v == 0))
        return NULL;
    return e->list->items[0].expr;
}

bool expr_implies(struct compile *c, const struct expr *premise, const struct expr *conclusion, int cursor)
{
    if (expr_compare(c, premise, conclusion, cursor) == 0) return true;
    if (conclusion->kind == EXPR_OR &&
        (expr_implies(c, premise, conclusion->left, cursor) || expr_implies(c, premise, conclusion->right, cursor)))
        return true;
    if (conclusion->kind == EXPR_NOT_NULL && not_null_implied(c, premise, conclusion->left, cursor, false)) return true;
    const struct expr *condition = only_condition(premise);
    return condition && expr_implies(c, condition, conclusion, cursor);
}

// ---- a filter that refuses null rows ------------------------------------------------------------------------

struct null_row_walk {
    int cursor;
    bool right_join;
    bool found;
};

// Whether the value is NULL for sure (or false, at the top) when all columns of the cursor are NULL.
static void null_row_visit(struct null_row_walk *w, const struct expr *e)
{
    if (w->found || (e->flags & EXPR_F_OUTER_ON) || (w->right_join && e->flags & EXPR_F_INNER_ON)) return;
    switch (e->kind) {
    case EXPR_COLUMN:
        if (e->cursor == w->cursor) w->found = true;
        return;
    case EXPR_EQ:
    case EXPR_NE:
    case EXPR_LT:
    case EXPR_LE:
    case EXPR_GT:
    case EXPR_GE:
        // A virtual table may treat NULL in ways of its own.
        if ((e->left->kind == EXPR_COLUMN && e->left->table && e->left->table->kind == TABLE_VIRTUAL) ||
            (e->right->kind == EXPR_COLUMN && e->right->table && e->right->table->kind == TABLE_VIRTUAL))
            return;
        null_row_visit(w, e->left);
        null_row_visit(w, e->right);
        return;
    case EXPR_ADD:
    case EXPR_SUBTRACT:
    case EXPR_MULTIPLY:
    case EXPR_DIVIDE:
    case EXPR_REMAINDER:
    case EXPR_CONCAT:
    case EXPR_BIT_OR:
    case EXPR_BIT_AND:
    case EXPR_SHIFT_LEFT:
    case EXPR_SHIFT_RIGHT:
        null_row_visit(w, e->left);
        null_row_visit(w, e->right);
        return;
    case EXPR_COLLATE:
    case EXPR_PLUS:
    case EXPR_NEGATE:
    case EXPR_BIT_NOT:
    case EXPR_NOT:
    case EXPR_CAST:
        null_row_visit(w, e->left);
        return;
    case EXPR_OR:
    case EXPR_AND: {
        // AND: both sides must, at this inner place; the caller splits the top-level ANDs.
        null_row_visit(w, e->left);
        if (!w->found) return;
        w->found = false;
        null_row_visit(w, e->right);
        return;
    }
    case EXPR_IN:
        if (!(e->flags & EXPR_F_SELECT) && e->list && e->list->count > 0) null_row_visit(w, e->left);
        return;
    case EXPR_BETWEEN: {
        null_row_visit(w, e->left);
        if (w->found) return;
        null_row_visit(w, e->list->items[0].expr);
        if (!w->found) return;
        w->found = false;
        null_row_visit(w, e->list->items[1].expr);
        return;
    }
    }
}

bool expr_implies_not_null_row(const struct expr *e, int cursor, bool right_join)
{
    e = expr_skip_collate((struct expr *)e);
    if (!e) return false;
    if (e->kind == EXPR_NOT_NULL)
        e = e->left;
    else
        while (e->kind == EXPR_AND) {
            if (expr_implies_not_null_row(e->left, cursor, right_join)) return true;
            e = e->right;
        }
    struct null_row_walk w = {.cursor = cursor, .right_join = right_join};
    null_row_visit(&w, e);
    return w.found;
}

// An ON/USING term's mark, all over it.
static enum walk_result mark_join(struct walker *w, struct expr *e)
{
    struct expr *mark = w->context;
    e->flags |= mark->flags;
    e->on_cursor = mark->on_cursor;
    return WALK_CONTINUE;
}

void expr_set_join(struct expr *e, int cursor, u32 flag)
{
    struct expr mark = {.flags = flag, .on_cursor = cursor};
    struct walker w = {.expr = mark_join, .context = &mark};
    walk_expr(&w, e);
}

static enum walk_result unmark_join(struct walker *w, struct expr *e)
{
    const struct null_row_walk *k = w->context;
    if (k->cursor < 0 || (e->flags & EXPR_F_OUTER_ON && e->on_cursor == k->cursor)) {
        e->flags &= ~(u32)(EXPR_F_OUTER_ON | EXPR_F_INNER_ON);
        if (k->cursor >= 0) e->flags |= EXPR_F_INNER_ON;
    }
    if (e->kind == EXPR_COLUMN && e->cursor == k->cursor && !k->right_join) e->flags &= ~(u32)EXPR_F_CAN_BE_NULL;
    return WALK_CONTINUE;
}

// The join of `cursor` became an inner one (cursor < 0: all of them).
void expr_unset_join(struct expr *e, int cursor, bool nullable)
{
    struct null_row_walk k = {.cursor = cursor, .right_join = nullable};
    struct walker w = {.expr = unmark_join, .context = &k};
    if (e) walk_expr(&w, e);
}

// As written: -1, a null test that came to 1 and 1_0 (EXPR_F_SIMPLE) are computed, and so is what stands beside them.
static bool always(const struct expr *e, bool truth)
{
    return !(e->flags & (EXPR_F_OUTER_ON | EXPR_F_SIMPLE)) && (e->kind == EXPR_INTEGER || e->kind == EXPR_BOOLEAN)
        && e->integer <= INT32_MAX && (e->integer != 0) == truth;
}

bool expr_always_true(const struct expr *e) { return always(e, true); }

bool expr_always_false(const struct expr *e) { return always(e, false); }
