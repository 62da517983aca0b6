// Recursive common table expressions: a queue of rows, each of which is given and fed to the recursive terms.
#include "select.h"

void select_recursive(struct compile *c, struct select *s, struct select_dest *dest)
{
    int count = (int)s->columns->count;
    if (select_has_window(s)) compile_fail(c, ERR_ERROR, -1, "cannot use window functions in recursive queries"); // of the last term alone
    int break_label = emit_label(c);
    if (dest->kind == DEST_EPHEMERAL) {
        emit(c, OP_OpenEphemeral, dest->parm, count, 0);
        dest->kind = DEST_TABLE;
    }
    s->limit_register = s->offset_register = 0;
    s->rows_estimate = SELECT_ROWS_UNKNOWN;
    select_limit_code(c, s, break_label);
    int limit = s->limit_register, offset = s->offset_register;
    struct expr *limit_expr = s->limit, *offset_expr = s->limit_offset;
    s->limit = s->limit_offset = NULL;
    s->limit_register = s->offset_register = 0;
    struct expr_list *order_by = s->order_by;
    s->order_by = NULL;
    int current = -1;
    bool distinct = false;
    struct select *first_recursive = NULL;
    for (struct select *t = s; t && t->flags & SELECT_F_RECURSIVE; t = t->prior) {
        if (t->flags & SELECT_F_AGGREGATE) compile_fail(c, ERR_ERROR, -1, "recursive aggregate queries not supported");
        for (u32 i = 0; t->from && i < t->from->count; i++)
            if (t->from->items[i].recursive) current = t->from->items[i].cursor;
        first_recursive = t;
        distinct |= t->op == SELECT_UNION;
    }
    struct select *setup = first_recursive->prior;
    int queue = cursor_alloc(c);
    struct select_dest into;
    select_dest_init(&into, distinct ? DEST_DISTINCT_QUEUE : DEST_QUEUE, queue);
    if (distinct) into.parm2 = cursor_alloc(c);
    into.order_by = order_by;
    int row = reg_alloc(c);
    emit(c, OP_OpenPseudo, current, row, count);
    if (order_by) {
        struct key_info *key = key_info_of_list(c, order_by, 0, 2);
        for (u32 i = 0; i < order_by->count; i++)
            if (order_by->items[i].expr->kind != EXPR_COLLATE)
                key->collations[i] = compound_collation(c, s, order_by->items[i].order_by_column - 1u);
        // The sequence number takes part, so that equal ones keep their order.
        key->field_count = (u16)(order_by->count + 1);
        emit_key(c, OP_OpenEphemeral, queue, (int)order_by->count + 2, 0, key);
    } else {
        emit(c, OP_OpenEphemeral, queue, count, 0);
    }
    if (distinct) {
        struct key_info *key = key_info_make(c, (u32)count, 0);
        for (int i = 0; i < count; i++) key->collations[i] = compound_collation(c, s, (u32)i);
        emit_key(c, OP_OpenEphemeral, into.parm2, count, 0, key);
    }
    setup->next = NULL;
    explain_push(c, "SETUP");
    select_code(c, setup, &into);
    explain_pop(c);
    into.reg = into.reg_count = 0;
    int top;
    if (order_by) {
        top = emit(c, OP_Rewind, queue, break_label, 0);
        emit(c, OP_NullRow, current, 0, 0);
        emit(c, OP_Column, queue, (int)order_by->count + 1, row);
        emit(c, OP_Delete, queue, 0, 0);
    } else {
        top = emit(c, OP_QueueGet, queue, break_label, row);
        emit(c, OP_NullRow, current, 0, 0);
    }
    int continue_label = emit_label(c);
    select_offset_code(c, offset, continue_label);
    select_row_code(c, s, current, NULL, NULL, dest, continue_label, break_label);
    if (limit) emit(c, OP_DecrJumpZero, limit, break_label, 0);
    emit_place(c, continue_label);
    // The recursive terms alone.
    first_recursive->prior = NULL;
    for (struct select *t = s; t; t = t->prior) {
        t->flags &= ~(u32)SELECT_F_RECURSIVE;
        t->op = SELECT_UNION_ALL;
    }
    explain_push(c, "RECURSIVE STEP");
    select_code(c, s, &into);
    explain_pop(c);
    for (struct select *t = s; t; t = t->prior) t->flags |= SELECT_F_RECURSIVE;
    first_recursive->prior = setup;
    emit_goto(c, top);
    emit_place(c, break_label);
    s->order_by = order_by;
    s->limit = limit_expr;
    s->limit_offset = offset_expr;
}
