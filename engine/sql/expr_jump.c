// Expressions as conditions: jumps instead of values.
#include "emit.h"
#include "expr.h"

static void value_jump(struct compile *c, struct expr *e, int label, bool want, bool jump_if_null)
{
    int temp = 0;
    int reg = expr_code_temp(c, e, &temp);
    emit(c, want ? OP_If : OP_IfNot, reg, label, jump_if_null);
    reg_release(c, temp);
}

static u8 opposite(u8 kind)
{
    switch (kind) {
    case EXPR_EQ:
        return EXPR_NE;
    case EXPR_NE:
        return EXPR_EQ;
    case EXPR_LT:
        return EXPR_GE;
    case EXPR_LE:
        return EXPR_GT;
    case EXPR_GT:
        return EXPR_LE;
    }
    return EXPR_LT;
}

static void comparison_jump(struct compile *c, struct expr *e, u8 kind, int label, int p5)
{
    int t1 = 0, t2 = 0;
    int r1 = expr_code_temp(c, e->left, &t1);
    int r2 = expr_code_temp(c, e->right, &t2);
    compare_code(c, e->left, e->right, kind, r1, r2, label, p5, e->flags & EXPR_F_COMMUTED);
    reg_release(c, t1);
    reg_release(c, t2);
}

static void in_jump(struct compile *c, struct expr *e, int label, bool want, bool jump_if_null)
{
    int other = emit_label(c);
    if (want) {
        in_code(c, e, other, jump_if_null ? label : other);
        emit_goto(c, label);
        emit_place(c, other);
    } else if (jump_if_null) {
        in_code(c, e, label, label);
    } else {
        in_code(c, e, label, other);
        emit_place(c, other);
    }
}

// What an AND or OR comes to where one side is a constant, which leaves the other side or itself uncomputed, as SQLite does.
static struct expr *simplified(struct expr *e)
{
    if ((e->kind != EXPR_AND && e->kind != EXPR_OR) || e->flags & EXPR_F_SIMPLE) return e;
    struct expr *left = simplified(e->left), *right = simplified(e->right);
    const bool both = e->kind == EXPR_AND;
    if (expr_always_true(left) || expr_always_false(right)) return both ? right : left;
    if (expr_always_true(right) || expr_always_false(left)) return both ? left : right;
    e->flags |= EXPR_F_SIMPLE; // not looked at again for each of the terms of a long chain
    return e;
}

void expr_jump_if_true(struct compile *c, struct expr *e, int label, bool jump_if_null)
{
    e = simplified(e);
    int p5 = jump_if_null ? COMPARE_JUMP_IF_NULL : 0;
    u8 kind = e->kind;
    switch (kind) {
    case EXPR_AND: {
        int out = emit_label(c);
        expr_jump_if_false(c, e->left, out, !jump_if_null);
        bool factoring = c->factoring;
        c->factoring = factoring && !(e->right->flags & EXPR_F_HAS_SELECT);
        expr_jump_if_true(c, e->right, label, jump_if_null);
        c->factoring = factoring;
        emit_place(c, out);
        return;
    }
    case EXPR_OR:
        expr_jump_if_true(c, e->left, label, jump_if_null);
        expr_jump_if_true(c, e->right, label, jump_if_null);
        return;
    case EXPR_NOT:
        expr_jump_if_false(c, e->left, label, jump_if_null);
        return;
    case EXPR_TRUTH: {
        bool normal = e->kind2 == EXPR_IS, is_true = e->right->integer != 0;
        if (normal) {
            if (is_true) expr_jump_if_true(c, e->left, label, false);
            else expr_jump_if_false(c, e->left, label, false);
        } else {
            if (is_true) expr_jump_if_false(c, e->left, label, true); // IS NOT TRUE
            else expr_jump_if_true(c, e->left, label, true);          // IS NOT FALSE
        }
        return;
    }
    case EXPR_IS:
    case EXPR_IS_NOT:
        if (expr_is_vector(e->left)) break;
        comparison_jump(c, e, kind == EXPR_IS ? EXPR_EQ : EXPR_NE, label, COMPARE_NULL_EQUAL);
        return;
    case EXPR_LT:
    case EXPR_LE:
    case EXPR_GT:
    case EXPR_GE:
    case EXPR_NE:
    case EXPR_EQ:
        if (expr_is_vector(e->left)) break;
        comparison_jump(c, e, kind, label, p5);
        return;
    case EXPR_IS_NULL:
    case EXPR_NOT_NULL: {
        int temp = 0;
        int reg = expr_null_code(c, e->left, &temp);
        emit(c, kind == EXPR_IS_NULL ? OP_IsNull : OP_NotNull, reg, label, 0);
        reg_release(c, temp);
        return;
    }
    case EXPR_BETWEEN:
        between_jump(c, e, label, true, jump_if_null);
        return;
    case EXPR_IN:
        in_jump(c, e, label, true, jump_if_null);
        return;
    }
    if (expr_always_true(e)) emit_goto(c, label);
    else if (!expr_always_false(e)) value_jump(c, e, label, true, jump_if_null);
}

void expr_jump_if_false(struct compile *c, struct expr *e, int label, bool jump_if_null)
{
    e = simplified(e);
    int p5 = jump_if_null ? COMPARE_JUMP_IF_NULL : 0;
    u8 kind = e->kind;
    switch (kind) {
    case EXPR_AND:
        expr_jump_if_false(c, e->left, label, jump_if_null);
        expr_jump_if_false(c, e->right, label, jump_if_null);
        return;
    case EXPR_OR: {
        int out = emit_label(c);
        expr_jump_if_true(c, e->left, out, !jump_if_null);
        bool factoring = c->factoring;
        c->factoring = factoring && !(e->right->flags & EXPR_F_HAS_SELECT);
        expr_jump_if_false(c, e->right, label, jump_if_null);
        c->factoring = factoring;
        emit_place(c, out);
        return;
    }
    case EXPR_NOT:
        expr_jump_if_true(c, e->left, label, jump_if_null);
        return;
    case EXPR_TRUTH: {
        bool normal = e->kind2 == EXPR_IS, is_true = e->right->integer != 0;
        if (normal) {
            if (is_true) expr_jump_if_false(c, e->left, label, true);  // not (x IS TRUE)
            else expr_jump_if_true(c, e->left, label, true);           // not (x IS FALSE)
        } else {
            if (is_true) expr_jump_if_true(c, e->left, label, false);  // not (x IS NOT TRUE)
            else expr_jump_if_false(c, e->left, label, false);         // not (x IS NOT FALSE)
        }
        return;
    }
    case EXPR_IS:
    case EXPR_IS_NOT:
        if (expr_is_vector(e->left)) break;
        comparison_jump(c, e, kind == EXPR_IS ? EXPR_NE : EXPR_EQ, label, COMPARE_NULL_EQUAL);
        return;
    case EXPR_LT:
    case EXPR_LE:
    case EXPR_GT:
    case EXPR_GE:
    case EXPR_NE:
    case EXPR_EQ:
        if (expr_is_vector(e->left)) break;
        comparison_jump(c, e, opposite(kind), label, p5);
        return;
    case EXPR_IS_NULL:
    case EXPR_NOT_NULL: {
        int temp = 0;
        int reg = expr_null_code(c, e->left, &temp);
        emit(c, kind == EXPR_IS_NULL ? OP_NotNull : OP_IsNull, reg, label, 0);
        reg_release(c, temp);
        return;
    }
    case EXPR_BETWEEN:
        between_jump(c, e, label, false, jump_if_null);
        return;
    case EXPR_IN:
        in_jump(c, e, label, false, jump_if_null);
        return;
    }
    if (expr_always_false(e)) emit_goto(c, label);
    else if (!expr_always_true(e)) value_jump(c, e, label, false, jump_if_null);
}
