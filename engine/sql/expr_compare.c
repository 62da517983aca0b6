// Whether two expressions are the same.
#include "expr.h"

static bool text_same(const struct expr *a, const struct expr *b, bool any_case)
{
    if (!a->text || !b->text) return a->text == b->text;
    if (any_case) return name_equal(a->text, b->text);
    if (a->kind == EXPR_TEXT || a->kind == EXPR_BLOB)
        return a->text_size == b->text_size && memcmp(a->text, b->text, a->text_size) == 0;
    return strcmp(a->text, b->text) == 0;
}

static bool window_same(struct compile *c, const struct window *a, const struct window *b)
{
    if (!a || !b) return a == b;
    if (a->unit != b->unit || a->start != b->start || a->end != b->end || a->exclude != b->exclude) return false;
    if ((a->start_expr || b->start_expr) &&
        (!a->start_expr || !b->start_expr || expr_compare(c, a->start_expr, b->start_expr, -1)))
        return false;
    if ((a->end_expr || b->end_expr) && (!a->end_expr || !b->end_expr || expr_compare(c, a->end_expr, b->end_expr, -1)))
        return false;
    if (expr_list_compare(c, a->partition, b->partition, -1) || expr_list_compare(c, a->order_by, b->order_by, -1))
        return false;
    if (a->name && b->name && a->reference && b->reference && !name_equal(a->name, b->name)) return false;
    return true;
}

static int value_compare_literal(const struct expr *a, const struct expr *b)
{
    switch (a->kind) {
    case EXPR_INTEGER:
    case EXPR_BOOLEAN:
        return a->integer == b->integer ? 0 : 2;
    case EXPR_VARIABLE:
        return a->variable == b->variable && a->variable ? 0 : 2;
    case EXPR_REAL:
        return memcmp(&a->real, &b->real, sizeof a->real) == 0 && text_same(a, b, false) ? 0 : 2;
    case EXPR_NULL:
        return 0;
    }
    return text_same(a, b, false) ? 0 : 2;
}

int expr_compare(struct compile *c, const struct expr *a, const struct expr *b, int cursor)
{
    if (!a || !b) return a == b ? 0 : 2;
    u8 kind = a->kind == EXPR_FIXED ? EXPR_COLUMN : a->kind, other = b->kind == EXPR_FIXED ? EXPR_COLUMN : b->kind;
    if (kind != other || kind == EXPR_RAISE) {
        if (a->kind == EXPR_COLLATE && expr_compare(c, a->left, b, cursor) < 2) return 1;
        if (b->kind == EXPR_COLLATE && expr_compare(c, a, b->left, cursor) < 2) return 1;
        if (kind == EXPR_AGG_COLUMN && other == EXPR_COLUMN && b->cursor < 0 && a->cursor == cursor) {
            // an aggregated column against a column of the schema's expression
        } else {
            return 2;
        }
    }
    switch (kind) {
    case EXPR_INTEGER:
    case EXPR_BOOLEAN:
    case EXPR_VARIABLE:
    case EXPR_REAL:
    case EXPR_TEXT:
    case EXPR_BLOB:
    case EXPR_NULL:
        return value_compare_literal(a, b);
    case EXPR_COLLATE:
        if (!text_same(a, b, true)) return 2;
        break;
    case EXPR_FUNCTION:
    case EXPR_AGG_FUNCTION:
        if (!text_same(a, b, true)) return 2;
        if ((a->flags ^ b->flags) & EXPR_F_WINDOW_FUNCTION) return 2;
        if (!window_same(c, a->window, b->window)) return 2;
        if ((a->filter || b->filter) && (!a->filter || !b->filter || expr_compare(c, a->filter, b->filter, cursor)))
            return 2;
        if (expr_list_compare(c, a->order_by, b->order_by, cursor)) return 2;
        break;
    case EXPR_COLUMN:
    case EXPR_AGG_COLUMN:
        if (a->column != b->column) return 2;
        if (a->cursor != b->cursor && !(a->cursor == cursor && b->cursor < 0)) return 2;
        return 0;
    case EXPR_TRIGGER:
        return a->column == b->column && a->cursor == b->cursor ? 0 : 2;
    case EXPR_REGISTER:
        return a->reg == b->reg ? 0 : 2;
    case EXPR_NAME:
        if (!text_same(a, b, true)) return 2;
        break;
    case EXPR_CAST:
    case EXPR_CURRENT:
        if (!text_same(a, b, true)) return 2;
        break;
    case EXPR_TRUTH:
        if (a->kind2 != b->kind2) return 2;
        break;
    case EXPR_IN:
    case EXPR_SELECT:
    case EXPR_EXISTS:
        if (a->flags & EXPR_F_SELECT || a->kind != EXPR_IN) return 2;
        break;
    case EXPR_SELECT_COLUMN:
        if (a->column != b->column) return 2;
        break;
    }
    if ((a->flags & (EXPR_F_DISTINCT | EXPR_F_COMMUTED)) != (b->flags & (EXPR_F_DISTINCT | EXPR_F_COMMUTED))) return 2;
    if (a->select || b->select) return 2;
    if ((a->left || b->left) && (!a->left || !b->left || expr_compare(c, a->left, b->left, cursor))) return 2;
    if ((a->right || b->right) && (!a->right || !b->right || expr_compare(c, a->right, b->right, cursor))) return 2;
    if (expr_list_compare(c, a->list, b->list, cursor)) return 2;
    return 0;
}

int expr_list_compare(struct compile *c, const struct expr_list *a, const struct expr_list *b, int cursor)
{
    if (!a || !b) return a == b ? 0 : 1;
    if (a->count != b->count) return 1;
    for (u32 i = 0; i < a->count; i++) {
        if (a->items[i].descending != b->items[i].descending ||
            expr_item_nulls_big(&a->items[i]) != expr_item_nulls_big(&b->items[i]))
            return 1;
        int result = expr_compare(c, a->items[i].expr, b->items[i].expr, cursor);
        if (result) return result;
    }
    return 0;
}

struct expr *expr_and(struct arena *a, struct expr *left, struct expr *right)
{
    if (!left) return right;
    if (!right) return left;
    const u32 computed = EXPR_F_OUTER_ON | EXPR_F_INNER_ON | EXPR_F_HAS_FUNCTION;
    if ((expr_always_false(left) || expr_always_false(right)) && !((left->flags | right->flags) & computed)) return expr_integer(a, 0);
    return expr_binary(a, EXPR_AND, left, right);
}
