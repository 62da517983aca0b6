#include "dml.h"

u32 table_index_count(const struct table *t)
{
    u32 count = 0;
    for (const struct index *i = t->indexes; i; i = i->next) count++;
    return count;
}

void target_open(struct compile *c, struct write_target *target, enum opcode opcode, int base, const bool *open)
{
    const struct table *t = target->table;
    target->index_count = table_index_count(t);
    if (base < 0) {
        base = c->cursor_count;
        c->cursor_count += 1 + (int)target->index_count;
    }
    target->data_cursor = base;
    target->index_cursor = base + 1;
    if (table_has_rowid(t) && (!open || open[0])) open_table(c, base, target->database, t, opcode);
    u32 n = 0;
    for (const struct index *i = t->indexes; i; i = i->next, n++) {
        int cursor = target->index_cursor + (int)n;
        if (i == t->primary_key) target->data_cursor = cursor;
        if (!open || open[n + 1]) open_index(c, cursor, target->database, i, opcode);
    }
}

struct key_info *primary_key_info(struct compile *c, const struct table *t, int columns)
{
    const struct index *pk = t->primary_key;
    const struct key_info *whole = key_info_of_index(c, pk);
    struct key_info *info = key_info_new(c->arena, pk->key_count, (u32)columns, whole->encoding);
    for (u32 i = 0; i < pk->key_count; i++) {
        info->collations[i] = whole->collations[i];
        info->orders[i] = whole->orders[i];
    }
    return info;
}

const char *index_affinities(struct compile *c, const struct index *i)
{
    char *letters = arena_alloc(c->arena, i->column_count + 1u);
    for (u32 k = 0; k < i->column_count; k++) {
        char affinity = AFFINITY_BLOB;
        if (i->columns[k] >= 0)
            affinity = (char)i->table->columns[i->columns[k]].affinity;
        else if (i->columns[k] == COLUMN_ROWID)
            affinity = AFFINITY_INTEGER;
        else
            affinity = expr_affinity(self_expr(c, i->table, i->exprs[k], 0));
        letters[k] = MIN(MAX(affinity, AFFINITY_BLOB), AFFINITY_NUMERIC);
    }
    return letters;
}

void index_record(struct compile *c, const struct index *i, int first, int count, int record)
{
    char *letters = NULL;
    for (int k = 0; k < count; k++) {
        if (i->columns[k] < 0 || i->table->columns[i->columns[k]].affinity != AFFINITY_REAL) continue;
        if (!letters) memset(letters = arena_alloc(c->arena, (size_t)count + 1), AFFINITY_BLOB, (size_t)count);
        letters[k] = AFFINITY_REAL;
    }
    emit(c, OP_MakeRecord, first, count, record);
    if (letters) set_p4_text(c, letters);
}

int index_key_code(struct compile *c, const struct index *i, int data_cursor, bool prefix_only, int *field_count,
                   int *skip_label)
{
    const struct table *t = i->table;
    int outer = c->self_cursor;
    c->self_cursor = data_cursor + 1;
    *skip_label = 0;
    if (i->where) {
        *skip_label = label_new(c);
        expr_jump_if_false(c, self_expr(c, t, i->where, NAME_PARTIAL_INDEX), *skip_label, true);
    }
    int count = prefix_only && i->unique_not_null ? i->key_count : i->column_count;
    int first = reg_temp_range(c, count);
    for (int k = 0; k < count; k++) {
        if (i->columns[k] == COLUMN_EXPR)
            expr_code(c, self_expr(c, t, i->exprs[k], NAME_INDEX_EXPR), first + k);
        else
            column_code(c, t, data_cursor, i->columns[k] == t->rowid_column ? COLUMN_ROWID : i->columns[k],
                        first + k);
    }
    c->self_cursor = outer;
    reg_release_range(c, first, count);
    *field_count = count;
    return first;
}

void index_entries_delete(struct compile *c, const struct write_target *target, const int *regs, int except)
{
    const struct table *t = target->table;
    u32 n = 0;
    for (const struct index *i = t->indexes; i; i = i->next, n++) {
        int cursor = target->index_cursor + (int)n;
        if ((regs && regs[n] == 0) || i == t->primary_key || cursor == except) continue;
        int count, skip;
        int first = index_key_code(c, i, target->data_cursor, true, &count, &skip);
        emit(c, OP_IdxDelete, cursor, first, count);
        if (skip) label_place(c, skip);
    }
}

void row_write(struct compile *c, const struct write_target *target, int reg_new, u32 flags)
{
    const struct table *t = target->table;
    u32 n = 0;
    for (const struct index *i = t->indexes; i; i = i->next, n++) {
        int reg = target->index_regs[n];
        if (reg == 0) continue;
        int skip = 0;
        if (i->where) {
            skip = label_new(c);
            emit(c, OP_IsNull, reg, skip, 0);
        }
        emit(c, OP_IdxInsert, target->index_cursor + (int)n, reg, reg + 1);
        set_p4_int(c, i->unique_not_null ? i->key_count : i->column_count);
        int p5 = flags & ROW_WRITE_USE_SEEK ? WRITE_USE_SEEK_RESULT : 0;
        if (i == t->primary_key) {
            p5 |= WRITE_COUNT_CHANGE;
            if (flags & ROW_WRITE_SAVE_POSITION) p5 |= WRITE_SAVE_POSITION;
        }
        set_p5(c, p5);
        if (skip) label_place(c, skip);
    }
    if (!table_has_rowid(t)) return;
    int p5 = WRITE_COUNT_CHANGE;
    if (flags & ROW_WRITE_UPDATE)
        p5 |= WRITE_IS_UPDATE;
    else
        p5 |= WRITE_LAST_ROWID;
    if (flags & ROW_WRITE_SAVE_POSITION) p5 |= WRITE_SAVE_POSITION;
    if (flags & ROW_WRITE_APPEND) p5 |= WRITE_APPEND;
    if (flags & ROW_WRITE_USE_SEEK) p5 |= WRITE_USE_SEEK_RESULT;
    emit(c, OP_Insert, target->data_cursor, target->index_regs[n], reg_new);
    set_p4_table(c, t);
    set_p5(c, p5);
}
