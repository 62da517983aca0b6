// What is done with a row of the result.
#include "select.h"
#include "../vm/group.h"

void explain_temp_btree(struct compile *c, const char *what)
{
    explain_row(c, "USE TEMP B-TREE FOR %s", what);
}

void select_offset_code(struct compile *c, int offset_register, int continue_label)
{
    if (offset_register > 0) emit(c, OP_IfPos, offset_register, continue_label, 1);
}

// Registers for LIMIT and OFFSET, and their first values.
void select_limit_code(struct compile *c, struct select *s, int break_label)
{
    if (s->limit_register || !s->limit) return;
    int limit = s->limit_register = reg_alloc(c);
    int n;
    if (expr_is_integer(s->limit, &n)) {
        emit(c, OP_Integer, n, limit, 0);
        if (n == 0) {
            emit_goto(c, break_label);
        } else if (n > 0 && s->rows_estimate > logest_of((u64)n)) {
            s->rows_estimate = logest_of((u64)n);
            s->flags |= SELECT_F_FIXED_LIMIT;
        }
    } else {
        expr_code(c, s->limit, limit);
        emit(c, OP_MustBeInt, limit, 0, 0);
        emit(c, OP_IfNot, limit, break_label, 0);
    }
    if (s->limit_offset) {
        int offset = s->offset_register = reg_alloc(c);
        reg_alloc(c); // limit + offset
        expr_code(c, s->limit_offset, offset);
        emit(c, OP_MustBeInt, offset, 0, 0);
        emit(c, OP_OffsetLimit, limit, offset + 1, offset);
    }
}

// ---- sorting --------------------------------------------------------------------------------------------------

// The ORDER BY term that a result column is; -1: none.
static int term_of_column(const struct sort *sort, u32 column)
{
    for (u32 j = 0; j < sort->order_by->count; j++)
        if (sort->order_by->items[j].order_by_column == column + 1) return (int)j;
    return -1;
}

void select_source_init(struct sort *sort, struct compile *c, struct select *s)
{
    u32 count = s->columns->count;
    sort->source = arena_alloc(c->arena, sizeof *sort->source * (count + 1));
    sort->payload_count = 0;
    for (u32 i = 0; i < count; i++) {
        int key = term_of_column(sort, i);
        sort->source[i] = key >= sort->ordered ? key - sort->ordered : -1 - sort->payload_count++;
    }
}

void select_sort_begin(struct compile *c, struct select *s, struct sort *sort)
{
    int keys = (int)sort->order_by->count;
    if (sort->ordered == 0 || sort->ordered == keys) return;
    select_source_init(sort, c, s);
    struct instruction *open = emit_op(c, sort->open_address);
    open->p2 = keys - sort->ordered + 1 + sort->payload_count;
    open->p4.key_info = key_info_of_list(c, sort->order_by, (u32)sort->ordered, (u32)sort->payload_count);
    sort->block_label = emit_label(c);
    sort->done_label = emit_label(c);
    sort->block_return = reg_alloc(c);
}

// The loops deliver the leading terms, now in `leading`: when they change, the rows since the last change are all that come
// before this one, and go out. sequence_reg: 0 for the first row of all.
static void block_code(struct compile *c, struct sort *sort, int leading, int sequence_reg, int limit_register)
{
    int previous = reg_alloc_range(c, sort->ordered);
    int first = sequence_reg ? emit(c, OP_IfNot, sequence_reg, 0, 0) : emit(c, OP_SequenceTest, sort->cursor, 0, 0);
    emit_key(c, OP_Compare, leading, previous, sort->ordered, key_info_of_list(c, sort->order_by, 0, 0));
    int changed = emit_here(c) + 1, same = emit_label(c);
    emit(c, OP_Jump, changed, same, changed);
    emit(c, OP_Gosub, sort->block_return, sort->block_label, 0);
    emit(c, OP_ResetSorter, sort->cursor, 0, 0);
    if (limit_register) emit(c, OP_IfNot, limit_register, sort->done_label, 0);
    emit_jump_here(c, first);
    emit(c, OP_Copy, leading, previous, sort->ordered - 1);
    emit_place(c, same);
}

// The row goes into the sorter: keys, maybe a sequence number, then the columns that are no keys. Its columns are in
// row_reg, or (0) are computed here: those that are no keys only for rows that stay.
static void sorter_insert(struct compile *c, struct select *s, struct sort *sort, int row_reg, int limit_register)
{
    bool sequence = !sort->use_sorter;
    int terms = (int)sort->order_by->count, keys = terms - sort->ordered;
    int count = keys + sequence + sort->payload_count;
    int leading = reg_alloc_range(c, sort->ordered + count), base = leading + sort->ordered, sequence_reg = base + keys;
    int at = leading;
    for (int j = 0; j < terms; j++) {
        struct expr_item *item = &sort->order_by->items[j];
        bool column = item->order_by_column && item->order_by_column <= s->columns->count;
        if (column && row_reg) emit(c, OP_Copy, row_reg + item->order_by_column - 1, at++, 0);
        else expr_code(c, column ? s->columns->items[item->order_by_column - 1].expr : item->expr, at++);
    }
    int record = reg_alloc(c);
    int skip = 0;
    if (sequence && sort->ordered) emit(c, OP_Sequence, sort->cursor, sequence_reg, 0);
    if (sort->ordered) block_code(c, sort, leading, sequence ? sequence_reg : 0, limit_register);
    if (limit_register && !sort->use_sorter) {
        // Room for LIMIT + OFFSET rows: after that a row either is worse than the last or takes its place.
        emit(c, OP_IfNotZero, limit_register, emit_here(c) + 3, 0);
        skip = emit_int(c, OP_LastLE, sort->cursor, 0, base, keys);
        emit(c, OP_Delete, sort->cursor, 0, 0);
    }
    if (sequence && !sort->ordered) emit(c, OP_Sequence, sort->cursor, sequence_reg, 0);
    for (u32 i = 0; i < s->columns->count; i++) {
        if (sort->source[i] >= 0) continue;
        int to = sequence_reg + sequence + (-1 - sort->source[i]);
        int term = term_of_column(sort, i);
        if (row_reg || term >= 0) emit(c, OP_Copy, row_reg ? row_reg + (int)i : leading + term, to, 0);
        else expr_code(c, s->columns->items[i].expr, to);
    }
    emit(c, OP_MakeRecord, base, count, record);
    if (sort->use_sorter) emit(c, OP_SorterInsert, sort->cursor, record, 0);
    else emit_int(c, OP_IdxInsert, sort->cursor, record, base, count);
    if (skip) {
        int target = emit_here(c);
        emit_set_p2(c, skip, sort->order_limit_label && sort->ordered == 0 ? sort->order_limit_label : target);
    }
}

// ---- DISTINCT ---------------------------------------------------------------------------------------------------

bool keys_hashable(const struct key_info *key)
{
    for (u32 i = 0; i < key->field_count; i++)
        if (!group_collation_known(key->collations[i])) return false;
    return true;
}

void distinct_key_code(struct compile *c, int cursor, int hash, int reg, int count, int seen)
{
    int done = emit_label(c);
    if (hash >= 0) {
        int no_room = emit(c, OP_GroupFind, hash, 0, reg);
        emit(c, OP_GroupSeen, hash, seen, 0);
        emit_goto(c, done);
        emit_jump_here(c, no_room);
    }
    int record = reg_temp(c);
    emit_int(c, OP_Found, cursor, seen, reg, count);
    emit(c, OP_MakeRecord, reg, count, record);
    emit_int(c, OP_IdxInsert, cursor, record, reg, count);
    emit_set_p5(c, WRITE_USE_SEEK_RESULT);
    reg_release(c, record);
    emit_place(c, done);
}

void distinct_code(struct compile *c, const struct expr_list *list, struct distinct *d, int reg, int continue_label)
{
    int count = (int)list->count;
    if (d->hash >= 0 && (d->kind == ROW_DISTINCT_ORDERED || d->kind == ROW_DISTINCT_UNIQUE)) emit_nop(c, d->open_address + 1);
    if (d->kind == ROW_DISTINCT_ORDERED) {
        int previous = d->previous = reg_alloc_range(c, count);
        // In place of the temporary table: "no row yet", which equals nothing.
        if (d->open_address >= 0) *emit_op(c, d->open_address) = (struct instruction){.opcode = OP_Null, .p1 = 1, .p2 = previous};
        int here_after = emit_here(c) + count;
        for (int i = 0; i < count; i++) {
            const struct collation *k = expr_collation(c, list->items[i].expr);
            if (i < count - 1) emit_collation(c, OP_Ne, reg + i, here_after, previous + i, k);
            else emit_collation(c, OP_Eq, reg + i, continue_label, previous + i, k);
            emit_set_p5(c, COMPARE_NULL_EQUAL);
        }
        emit(c, OP_Copy, reg, previous, count - 1);
    } else if (d->kind == ROW_DISTINCT_UNIQUE) {
        if (d->open_address >= 0) emit_nop(c, d->open_address);
    } else {
        distinct_key_code(c, d->cursor, d->hash, reg, count, continue_label);
    }
}

// ---- where it goes ------------------------------------------------------------------------------------------------

void select_row_deliver(struct compile *c, struct select *s, struct select_dest *dest, int reg, int count, int break_label)
{
    int parm = dest->parm, r1, r2;
    switch (dest->kind) {
    case DEST_OUTPUT:
        emit(c, OP_ResultRow, reg, count, 0);
        break;
    case DEST_COROUTINE:
        if (dest->reg && dest->reg != reg) emit(c, OP_Copy, reg, dest->reg, count - 1);
        emit(c, OP_Yield, parm, 0, 0);
        break;
    case DEST_DISCARD:
        break;
    case DEST_EXISTS:
        emit(c, OP_Integer, 1, parm, 0);
        break;
    case DEST_SCALAR:
        if (reg != parm) emit(c, OP_Copy, reg, parm, count - 1);
        break;
    case DEST_SET:
        r1 = reg_temp(c);
        r2 = emit(c, OP_MakeRecord, reg, count, r1);
        if (dest->affinity) program_p4_text(c->program, r2, dest->affinity, count);
        emit_int(c, OP_IdxInsert, parm, r1, reg, count);
        if (dest->parm2) explain_row(c, "CREATE BLOOM FILTER");
        reg_release(c, r1);
        break;
    case DEST_EPHEMERAL:
    case DEST_TABLE:
        r1 = reg_temp(c);
        r2 = reg_temp(c);
        {
            int make = emit(c, OP_MakeRecord, reg, count, r1);
            if (dest->affinity) program_p4_text(c->program, make, dest->affinity, count);
        }
        emit(c, OP_NewRowid, parm, r2, 0);
        emit(c, OP_Insert, parm, r1, r2);
        emit_set_p5(c, WRITE_APPEND);
        reg_release(c, r1);
        reg_release(c, r2);
        break;
    case DEST_QUEUE:
    case DEST_DISTINCT_QUEUE: {
        int skip = 0;
        int seen = 0;
        if (dest->kind == DEST_DISTINCT_QUEUE) {
            seen = reg_temp(c);
            emit(c, OP_MakeRecord, reg, count, seen);
            skip = emit_int(c, OP_Found, dest->parm2, 0, reg, count);
            emit_int(c, OP_IdxInsert, dest->parm2, seen, reg, count);
            emit_set_p5(c, WRITE_USE_SEEK_RESULT);
        }
        struct expr_list *order_by = dest->order_by;
        if (order_by) {
            int keys = (int)order_by->count;
            int base = reg_alloc_range(c, keys + 2);
            int record = reg_temp(c);
            emit(c, OP_MakeRecord, reg, count, base + keys + 1);
            for (int i = 0; i < keys; i++) emit(c, OP_SCopy, reg + order_by->items[i].order_by_column - 1, base + i, 0);
            emit(c, OP_Sequence, parm, base + keys, 0);
            emit(c, OP_MakeRecord, base, keys + 2, record);
            emit_int(c, OP_IdxInsert, parm, record, base, keys + 2);
            reg_release(c, record);
        } else {
            r1 = reg_temp(c);
            emit(c, OP_MakeRecord, reg, count, r1);
            emit(c, OP_QueuePut, parm, r1, 0);
            reg_release(c, r1);
        }
        if (skip) emit_jump_here(c, skip);
        reg_release(c, seen);
        break;
    }
    }
}

// source_cursor >= 0: the row's columns are those of that cursor; else the expressions of the select.
void select_row_code(struct compile *c, struct select *s, int source_cursor, struct sort *sort, struct distinct *d,
                     struct select_dest *dest, int continue_label, int break_label)
{
    bool has_distinct = d && d->kind != ROW_DISTINCT_NONE;
    bool sorting = sort && sort->order_by;
    if (sorting && dest->kind == DEST_SET) dest->parm2 = 0;
    if (!sorting && !has_distinct) select_offset_code(c, s->offset_register, continue_label);
    int count = (int)s->columns->count;
    int reg;
    int limit = 0;
    if (sorting && s->limit_register) limit = s->offset_register ? s->offset_register + 1 : s->limit_register;
    if (limit && !sort->use_sorter && !has_distinct && source_cursor < 0) {
        sorter_insert(c, s, sort, 0, limit);
        return;
    }
    if (dest->reg == 0 || sorting) {
        reg = reg_alloc_range(c, count);
        if (!sorting) {
            dest->reg = reg;
            dest->reg_count = count;
        }
    } else {
        reg = dest->reg;
    }
    if (source_cursor >= 0) {
        for (int i = 0; i < count; i++) emit(c, OP_Column, source_cursor, i, reg + i);
    } else if (dest->kind != DEST_EXISTS || has_distinct || sorting) {
        u32 flags = dest->kind == DEST_OUTPUT || dest->kind == DEST_COROUTINE || dest->kind == DEST_SCALAR || sorting ? LIST_CODE_DUP : 0;
        expr_list_code(c, s->columns, reg, 0, flags);
    }
    if (has_distinct) {
        distinct_code(c, s->columns, d, reg, continue_label);
        if (!sorting) select_offset_code(c, s->offset_register, continue_label);
    }
    if (sorting) {
        sorter_insert(c, s, sort, reg, limit);
        return;
    }
    select_row_deliver(c, s, dest, reg, count, break_label);
    if (s->limit_register) emit(c, OP_DecrJumpZero, s->limit_register, break_label, 0);
}

void select_sort_tail(struct compile *c, struct select *s, struct sort *sort, int columns, struct select_dest *dest)
{
    int break_label = sort->ordered ? sort->done_label : emit_label(c), continue_label = emit_label(c);
    bool sequence = !sort->use_sorter;
    int keys = (int)sort->order_by->count - sort->ordered;
    if (sort->ordered > 0 && keys == 1) explain_row(c, "USE TEMP B-TREE FOR LAST TERM OF ORDER BY");
    else if (sort->ordered > 0) explain_row(c, "USE TEMP B-TREE FOR LAST %d TERMS OF ORDER BY", keys);
    else explain_row(c, "USE TEMP B-TREE FOR ORDER BY");
    int count = columns;
    int reg;
    if (dest->kind == DEST_OUTPUT || dest->kind == DEST_COROUTINE || dest->kind == DEST_SCALAR) {
        if (!dest->reg) {
            dest->reg = reg_alloc_range(c, count);
            dest->reg_count = count;
        }
        reg = dest->reg;
    } else {
        reg = reg_alloc_range(c, count);
    }
    if (sort->ordered) { // the last block
        emit(c, OP_Gosub, sort->block_return, sort->block_label, 0);
        emit_goto(c, break_label);
        emit_place(c, sort->block_label);
    }
    int read = sort->cursor, top;
    if (sort->use_sorter) {
        int record = reg_alloc(c);
        read = cursor_alloc(c);
        int once = sort->ordered ? emit(c, OP_Once, 0, 0, 0) : 0;
        emit(c, OP_OpenPseudo, read, record, keys + 1 + sort->payload_count);
        if (once) emit_jump_here(c, once);
        top = 1 + emit(c, OP_SorterSort, sort->cursor, break_label, 0);
        emit(c, OP_SorterData, sort->cursor, record, read);
        select_offset_code(c, s->offset_register, continue_label);
    } else {
        top = 1 + emit(c, OP_Sort, sort->cursor, break_label, 0);
        select_offset_code(c, s->offset_register, continue_label);
    }
    for (int i = 0; i < count; i++) {
        int source = sort->source[i];
        int column = source >= 0 ? source : keys + sequence + (-1 - source);
        emit(c, OP_Column, read, column, reg + i);
    }
    select_row_deliver(c, s, dest, reg, count, break_label);
    // With the sorter LIMIT is counted here; the temporary table holds no more than LIMIT + OFFSET rows.
    if (s->limit_register && sort->use_sorter) emit(c, OP_DecrJumpZero, s->limit_register, break_label, 0);
    emit_place(c, continue_label);
    emit(c, sort->use_sorter ? OP_SorterNext : OP_Next, sort->cursor, top, 0);
    if (sort->ordered) emit(c, OP_Return, sort->block_return, 0, 0);
    emit_place(c, break_label);
}
