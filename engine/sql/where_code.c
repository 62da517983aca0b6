// Code of one loop.
#include "where.h"

// ---- constraints ----------------------------------------------------------------------------------------------

void where_term_disable(struct where_level *level, struct where_term *t)
{
    while (!(t->flags & TERM_CODED) && (!level->left_join || t->expr->flags & EXPR_F_OUTER_ON) &&
           !(level->not_ready & t->prereq_all)) {
        t->flags |= TERM_CODED;
        if (t->parent < 0) break;
        t = t->clause->terms[t->parent];
        if (--t->children != 0) break;
    }
}

void where_affinity_code(struct compile *c, int base, int count, const char *affinities)
{
    // Leading and trailing ones that change nothing are left out.
    while (count > 0 && affinities[0] <= AFFINITY_BLOB) {
        count--;
        base++;
        affinities++;
    }
    while (count > 1 && affinities[count - 1] <= AFFINITY_BLOB) count--;
    if (count > 0) emit_text_n(c, OP_Affinity, base, count, 0, affinities, (u32)count);
}

// Affinities that the range's operand has already, or that cannot change it, become BLOB.
static void range_affinity(struct expr *right, int count, char *affinities)
{
    for (int i = 0; i < count; i++) {
        struct expr *e = expr_vector_field_subexpr(right, i);
        if (compare_affinity(e, affinities[i]) == AFFINITY_BLOB || expr_needs_no_affinity(e, affinities[i]))
            affinities[i] = AFFINITY_BLOB;
    }
}

// For "(a, b) IN (SELECT x, y ...)" where an index serves only some of the fields: those alone.
static struct expr *reduced_in(struct where_loop *loop, int eq, struct compile *c, struct expr *in)
{
    struct expr *out = expr_copy(c->arena, in);
    struct select *s = out->select;
    struct expr_list *left = NULL;
    for (struct select *row = s; row; row = row->prior) { // several of VALUES
        struct expr_list *columns = NULL;
        for (int i = eq; i < (int)loop->term_count; i++) {
            if (!loop->terms[i] || loop->terms[i]->expr != in) continue;
            int field = loop->terms[i]->field - 1;
            if (field < 0) continue;
            struct expr_item *column = expr_list_add(c->arena, &columns, row->columns->items[field].expr);
            struct expr *e = column->expr;
            *column = row->columns->items[field];
            column->expr = e;
            if (row == s) expr_list_add(c->arena, &left, out->left->list->items[field].expr);
        }
        row->columns = columns;
        row->id = ++c->top->select_id_next; // another one than the whole: as SQLite numbers it
        for (u32 i = 0; row->group_by && i < row->group_by->count; i++) row->group_by->items[i].order_by_column = 0;
    }
    s->flags &= ~(u32)SELECT_F_DISTINCT_GROUPED;
    if (s->order_by)
        for (u32 i = 0; i < s->order_by->count; i++) s->order_by->items[i].order_by_column = 0;
    if (left->count == 1) out->left = left->items[0].expr;
    else out->left->list = left;
    return out;
}

static struct in_loop *in_loop_add(struct compile *c, struct where_level *level)
{
    level->ins = arena_grow(c->arena, level->ins, level->in_count, &level->in_capacity, sizeof *level->ins);
    struct in_loop *in = &level->ins[level->in_count++];
    *in = (struct in_loop){0};
    return in;
}

// Whether the values of IN for a column of the level's index, when they come in its order, and its entries are sought from what
// the other has next: for the last IN.
static bool in_is_merged(const struct where_level *level, const struct expr *in, int eq)
{
    enum { WORTH = 16 }; // values: as many searches take no longer
    const struct where_loop *loop = level->loop;
    if (!(in->flags & EXPR_F_SELECT) && in->list->count < WORTH) return false;
    if (loop->flags & (LOOP_VIRTUAL | LOOP_ROWID | LOOP_BIG_NULL) || !loop->index || loop->index->kind == WHERE_INDEX_ROWID || loop->skip_count > 0 ||
        level->index_cursor > UINT16_MAX)
        return false;
    for (int i = eq + 1; i < loop->eq_count; i++)
        if (loop->terms[i]->operators & WO_IN) return false;
    return true;
}

int where_equality_code(struct where_info *w, struct where_term *t, struct where_level *level, int eq, bool reverse, int target)
{
    struct compile *c = w->c;
    struct expr *e = t->expr;
    int reg;
    if (e->kind == EXPR_EQ || e->kind == EXPR_IS) {
        reg = expr_code_target(c, e->right, target);
    } else if (e->kind == EXPR_IS_NULL) {
        reg = target;
        emit(c, OP_Null, 0, reg, 0);
    } else {
        struct where_loop *loop = level->loop;
        reg = target;
        if (!(loop->flags & (LOOP_VIRTUAL)) && loop->index && loop->index->descending[eq]) reverse = !reverse;
        for (int i = 0; i < eq; i++)
            if (loop->terms[i] && loop->terms[i]->expr == e) {
                where_term_disable(level, t);
                return target;
            }
        int count = 0;
        for (int i = eq; i < (int)loop->term_count; i++)
            if (loop->terms[i] && loop->terms[i]->expr == e) count++;
        enum in_kind kind;
        int cursor;
        int *map = NULL;
        if (!(e->flags & EXPR_F_SELECT) || e->select->columns->count == 1) {
            kind = in_index_find(c, e, IN_LOOP, NULL, NULL, &cursor);
        } else {
            struct expr *reduced = reduced_in(loop, eq, c, e);
            map = arena_alloc(c->arena, sizeof(int) * (size_t)count);
            kind = in_index_find(c, reduced, IN_LOOP, NULL, map, &cursor);
        }
        if (kind == IN_INDEX_DESC) reverse = !reverse;
        const bool merged = !reverse && count == 1 && !map && in_is_merged(level, e, eq);
        if (merged) emit(c, OP_NullRow, level->index_cursor, 0, 0); // where another pass has left it says nothing
        emit(c, reverse ? OP_Last : OP_Rewind, cursor, 0, 0);
        const int seek = merged ? emit_int(c, OP_SeekIn, cursor, 0, target - eq, eq) : 0;
        if (merged) {
            emit_set_p5(c, (u16)level->index_cursor);
            level->merged_label = emit_label(c);
        }
        loop->flags |= LOOP_IN_ABLE;
        if (level->in_count == 0) level->next_label = emit_label(c);
        int field = 0;
        for (int i = eq; i < (int)loop->term_count; i++) {
            if (!loop->terms[i] || loop->terms[i]->expr != e) continue;
            int out = reg + i - eq;
            struct in_loop *in = in_loop_add(c, level);
            if (kind == IN_ROWID) in->top = emit(c, OP_Rowid, cursor, out, 0);
            else in->top = emit(c, OP_Column, cursor, map ? map[field++] : 0, out);
            emit(c, OP_IsNull, out, 0, 0);
            if (i == eq) {
                in->cursor = cursor;
                in->end_op = reverse ? OP_Prev : OP_Next;
                in->prefix = i;
                in->seek = seek;
            } else {
                in->end_op = OP_Noop;
            }
        }
    }
    // As an optimization a term is not tested again; but a row value's IN only when all of it was used, and an equality that may have
    // been the key of a column equal to its own is.
    if (!(level->loop->flags & LOOP_VIRTUAL) && !(level->loop->flags & LOOP_TRANSITIVE && t->operators & WO_EQUIV)) {
        if (!(e->kind == EXPR_IN && e->flags & EXPR_F_SELECT && expr_is_vector(e->left)) || t->field) where_term_disable(level, t);
    }
    return reg;
}

int where_equalities_code(struct where_info *w, struct where_level *level, bool reverse, int extra, char **affinities)
{
    struct compile *c = w->c;
    struct where_loop *loop = level->loop;
    int eq = loop->eq_count, skip = loop->skip_count;
    int base = reg_alloc_range(c, eq + extra);
    char *affinity = arena_alloc(c->arena, (size_t)loop->index->column_count + 2);
    memcpy(affinity, index_column_affinity(c, loop->index), (size_t)loop->index->column_count);
    if (skip) {
        int cursor = level->index_cursor;
        emit(c, OP_Null, 0, base, base + skip - 1);
        emit(c, reverse ? OP_Last : OP_Rewind, cursor, 0, 0);
        int jump = emit(c, OP_Goto, 0, 0, 0);
        level->skip_address = emit_int(c, reverse ? OP_SeekLT : OP_SeekGT, cursor, 0, base, skip);
        emit_jump_here(c, jump);
        for (int j = 0; j < skip; j++) emit(c, OP_Column, cursor, j, base + j);
    }
    for (int j = skip; j < eq; j++) {
        struct where_term *t = loop->terms[j];
        int reg = where_equality_code(w, t, level, j, reverse, base + j);
        if (reg != base + j) {
            if (eq == 1 && extra == 0) base = reg;
            else emit(c, OP_Copy, reg, base + j, 0);
        }
    }
    for (int j = skip; j < eq; j++) {
        struct where_term *t = loop->terms[j];
        if (t->operators & WO_IN) {
            if (t->expr->flags & EXPR_F_SELECT) affinity[j] = AFFINITY_BLOB;
        } else if (!(t->operators & WO_IS_NULL)) {
            struct expr *right = t->expr->right;
            if (!(t->flags & TERM_IS) && expr_can_be_null(right)) emit(c, OP_IsNull, base + j, level->break_label, 0);
            if (compare_affinity(right, affinity[j]) == AFFINITY_BLOB) affinity[j] = AFFINITY_BLOB;
            if (expr_needs_no_affinity(right, affinity[j])) affinity[j] = AFFINITY_BLOB;
        }
    }
    *affinities = affinity;
    return base;
}

// A range's operand, maybe a row value, into target...
static void range_operand_code(struct compile *c, struct expr *e, int count, int target)
{
    if (expr_is_vector(e)) {
        if (e->kind == EXPR_SELECT) {
            int reg = subselect_code(c, e);
            emit(c, OP_Copy, reg, target, count - 1);
        } else {
            for (int i = 0; i < count; i++) expr_code(c, e->list->items[i].expr, target + i);
        }
    } else {
        expr_code(c, e, target);
    }
}

// The table's cursor follows the index when a column that the index lacks is read.
static void deferred_seek_code(struct where_info *w, const struct where_index *x, int cursor, int index_cursor)
{
    struct compile *c = w->c;
    w->deferred_seek = true;
    emit(c, OP_DeferredSeek, index_cursor, 0, cursor);
    if (w->flags & (WHERE_OR_SUBCLAUSE | WHERE_RIGHT_JOIN) && c->top == c) {
        const struct table *t = x->table;
        s32 *map = arena_alloc(c->arena, sizeof(s32) * ((size_t)t->column_count + 1));
        for (int i = 0; i < x->column_count - 1; i++)
            if (x->columns[i] >= 0) map[t->columns[x->columns[i]].storage] = i + 1;
        program_p4_ints(c->program, -1, map, t->column_count);
    }
}

// ---- the kinds of loops -----------------------------------------------------------------------------------------

static void coroutine_loop(struct where_info *w, struct where_level *level, struct source *s)
{
    struct compile *c = w->c;
    emit(c, OP_InitCoroutine, s->reg_return, 0, s->address_fill);
    level->p2 = emit(c, OP_Yield, s->reg_return, level->break_label, 0);
    level->op = OP_Goto;
}

static void rowid_equal_loop(struct where_info *w, u32 level_index, struct where_level *level, bool reverse)
{
    struct compile *c = w->c;
    struct where_term *t = level->loop->terms[0];
    int target = reg_alloc(c);
    int reg = where_equality_code(w, t, level, 0, reverse, target);
    where_filter_test(w, level_index, reg, level->next_label);
    emit(c, OP_SeekRowid, level->table_cursor, level->next_label, reg);
    level->op = OP_Noop;
}

static void rowid_range_loop(struct where_info *w, struct where_level *level, bool reverse)
{
    struct compile *c = w->c;
    struct where_loop *loop = level->loop;
    int cursor = level->table_cursor;
    u32 j = 0;
    struct where_term *start = NULL, *end = NULL;
    if (loop->flags & LOOP_BOTTOM) start = loop->terms[j++];
    if (loop->flags & LOOP_TOP) end = loop->terms[j++];
    if (reverse) {
        struct where_term *t = start;
        start = end;
        end = t;
    }
    enum opcode test = OP_Noop;
    int end_reg = 0;
    if (start) {
        struct expr *e = start->expr;
        int temp = 0, reg, op_index;
        // (x, y) > (1, 2): only the first field chooses, and so it is never strict.
        static const enum opcode moves[] = {OP_SeekGT, OP_SeekLE, OP_SeekLT, OP_SeekGE};
        int base = e->kind == EXPR_GT ? 0 : e->kind == EXPR_LE ? 1 : e->kind == EXPR_LT ? 2 : 3;
        if (expr_is_vector(e->right)) {
            reg = temp = reg_temp(c);
            range_operand_code(c, e->right, 1, reg);
            op_index = base == 0 ? 3 : base == 2 ? 1 : base;
        } else {
            reg = expr_code_temp(c, e->right, &temp);
            where_term_disable(level, start);
            op_index = base;
        }
        emit(c, moves[op_index], cursor, level->break_label, reg);
        reg_release(c, temp);
    } else {
        emit(c, reverse ? OP_Last : OP_Rewind, cursor, level->break_label, 0);
    }
    if (end) {
        struct expr *e = end->expr;
        end_reg = reg_alloc(c);
        range_operand_code(c, e->right, 1, end_reg);
        if (!expr_is_vector(e->right) && (e->kind == EXPR_LT || e->kind == EXPR_GT)) test = reverse ? OP_Le : OP_Ge;
        else test = reverse ? OP_Lt : OP_Gt;
        if (!expr_is_vector(e->right)) where_term_disable(level, end);
    }
    int top = emit_here(c);
    level->op = reverse ? OP_Prev : OP_Next;
    level->p1 = cursor;
    level->p2 = top;
    if (test != OP_Noop) {
        int rowid = reg_alloc(c);
        emit(c, OP_Rowid, cursor, rowid, 0);
        emit(c, test, end_reg, level->break_label, rowid);
        emit_set_p5(c, AFFINITY_NUMERIC | COMPARE_JUMP_IF_NULL);
    }
}

// Terms that a partial index implies need no test.
static void partial_terms_disable(struct where_info *w, struct expr *partial, int cursor)
{
    for (; partial->kind == EXPR_AND; partial = partial->right) partial_terms_disable(w, partial->left, cursor);
    for (int i = 0; i < w->clause.count; i++) {
        struct where_term *t = w->clause.terms[i];
        if (!(t->flags & TERM_CODED) && expr_compare(w->c, t->expr, partial, cursor) == 0) t->flags |= TERM_CODED;
    }
}

static void index_loop(struct where_info *w, u32 level_index, struct where_level *level, bool reverse, bool *omit_table_out)
{
    struct compile *c = w->c;
    struct where_loop *loop = level->loop;
    struct where_index *x = loop->index;
    int cursor = level->table_cursor, index_cursor = level->index_cursor;
    int eq = loop->eq_count, bottom = loop->bottom_count, top = loop->top_count;
    int extra = 0;
    u32 j = (u32)eq;
    struct where_term *start = NULL, *end = NULL;
    bool seek_past_null = false, stop_at_null = false;
    if (loop->flags & LOOP_BOTTOM) {
        start = loop->terms[j++];
        extra = MAX(extra, bottom);
    }
    if (loop->flags & LOOP_TOP) {
        end = loop->terms[j++];
        extra = MAX(extra, top);
        if (!start) {
            int column = x->columns[eq];
            if ((column >= 0 && x->table->columns[column].not_null == CONFLICT_NONE) || column == COLUMN_EXPR)
                seek_past_null = true;
        }
    }
    // NULLs at the other end of ORDER BY: the rows with one are a pass of their own, before or behind the others'.
    if (loop->flags & LOOP_BIG_NULL && !(loop->flags & (LOOP_BOTTOM | LOOP_TOP))) {
        extra = 1;
        seek_past_null = true;
        level->big_null = reg_alloc(c);
        level->big_null_label = emit_label(c);
        // The row of NULLs that a LEFT JOIN adds may come when no pass has begun.
        if (level->left_join) emit(c, OP_Integer, 0, level->big_null, 0);
    }
    // A descending index column swaps the ends.
    bool swap = (eq < x->column_count && reverse == (x->descending[eq] == 0)) || (reverse && x->column_count == eq);
    int start_count = bottom, end_count = top;
    if (swap) {
        struct where_term *t = start;
        start = end;
        end = t;
        int n = start_count;
        start_count = end_count;
        end_count = n;
        bool b = seek_past_null;
        seek_past_null = stop_at_null;
        stop_at_null = b;
    }
    char *affinity;
    int base = where_equalities_code(w, level, reverse, extra, &affinity);
    char *end_affinity = NULL;
    if (end && end_count) end_affinity = arena_copy(c->arena, affinity + eq, (size_t)end_count);
    // IN has its own next value to go on with, and two passes the second one.
    int next = level->next_label, pass_end = level->big_null ? level->big_null_label : next;
    bool start_equal = !start || start->operators & (WO_LE | WO_GE);
    bool end_equal = !end || end->operators & (WO_LE | WO_GE);
    bool start_constraints = start || eq > 0;
    int constraints = eq;
    if (start) {
        struct expr *right = start->expr->right;
        range_operand_code(c, right, start_count, base + eq);
        if (!(start->flags & TERM_VNULL) && expr_can_be_null(right))
            emit(c, OP_IsNull, base + eq, next, 0);
        range_affinity(right, start_count, affinity + eq);
        constraints += start_count;
        if (!expr_is_vector(right)) where_term_disable(level, start);
        else start_equal = true;
    } else if (seek_past_null) {
        emit(c, OP_Null, 0, base + eq, 0);
        start_equal = false;
        start_constraints = true;
        constraints++;
    } else if (level->big_null) {
        emit(c, OP_Null, 0, base + eq, 0);
        start_constraints = true;
        constraints++;
    }
    where_affinity_code(c, base, constraints - (seek_past_null && !start ? 1 : 0), affinity);
    where_filter_test(w, level_index, base, next);
    static const enum opcode seeks[2][2] = {{OP_SeekGT, OP_SeekLT}, {OP_SeekGE, OP_SeekLE}}; // [equal][reverse]
    const enum opcode from_end = reverse ? OP_Last : OP_Rewind;
    enum opcode op = start_constraints ? seeks[start_equal][reverse] : from_end;
    if (level->big_null) emit(c, OP_Integer, 1, level->big_null, 0);
    emit_int(c, op, index_cursor, level->merged_label ? level->merged_label : pass_end, base, constraints);
    if (level->big_null) {
        emit_goto(c, emit_here(c) + 2);
        // The second pass: behind or before the NULLs, from the end of the equalities' rows on.
        op = constraints > 1 ? seeks[true][reverse] : from_end;
        emit_int(c, op, index_cursor, pass_end, base, constraints - start_equal);
    }
    // Where it ends.
    constraints = eq;
    if (end) {
        struct expr *right = end->expr->right;
        range_operand_code(c, right, end_count, base + eq);
        if (!(end->flags & TERM_VNULL) && expr_can_be_null(right))
            emit(c, OP_IsNull, base + eq, next, 0);
        if (end_affinity) {
            range_affinity(right, end_count, end_affinity);
            where_affinity_code(c, base + eq, end_count, end_affinity);
        }
        constraints += end_count;
        if (!expr_is_vector(right)) where_term_disable(level, end);
        else end_equal = true;
    } else if (stop_at_null) {
        if (!level->big_null) {
            emit(c, OP_Null, 0, base + eq, 0);
            end_equal = false;
        }
        constraints++;
    }
    level->p2 = emit_here(c);
    static const enum opcode end_ops[4] = {OP_IdxGE, OP_IdxGT, OP_IdxLE, OP_IdxLT}; // [reverse][equal]
    if (constraints) {
        if (level->big_null) emit(c, OP_IfNot, level->big_null, emit_here(c) + 3, 0);
        emit_int(c, end_ops[reverse * 2 + end_equal], index_cursor, pass_end, base, constraints);
    }
    if (level->big_null) {
        emit(c, OP_If, level->big_null, emit_here(c) + 2, 0);
        emit_int(c, end_ops[reverse * 2 + seek_past_null], index_cursor, pass_end, base, constraints + seek_past_null);
    }
    bool omit_table = loop->flags & LOOP_INDEX_ONLY && !(w->flags & (WHERE_OR_SUBCLAUSE | WHERE_RIGHT_JOIN));
    if (omit_table) {
        // Nothing is read of the table.
    } else if (table_has_rowid(x->table)) {
        deferred_seek_code(w, x, cursor, index_cursor);
    } else if (cursor != index_cursor) {
        const struct index *primary = x->table->primary_key;
        int reg = reg_temp_range(c, primary->key_count);
        for (int i = 0; i < primary->key_count; i++) {
            int place = -1;
            for (int k = 0; k < x->column_count; k++)
                if (x->columns[k] == primary->columns[i]) {
                    place = k;
                    break;
                }
            emit(c, OP_Column, index_cursor, place, reg + i);
        }
        emit_int(c, OP_NotFound, cursor, level->continue_label, reg, primary->key_count);
        reg_release_range(c, reg, primary->key_count);
    }
    // Of outer joins they say which rows find each other.
    if (x->partial && !level->left_join && !level->right_match) partial_terms_disable(w, x->partial, cursor);
    if (loop->flags & LOOP_ONE_ROW) level->op = OP_Noop;
    else level->op = reverse ? OP_Prev : OP_Next;
    level->p1 = index_cursor;
    level->p3 = 0;
    *omit_table_out = omit_table;
}

static void full_scan_loop(struct where_info *w, struct where_level *level, struct source *s, bool reverse)
{
    struct compile *c = w->c;
    if (s->recursive) {
        // Every row of the queue is a table of one row.
        level->op = OP_Noop;
        return;
    }
    level->op = reverse ? OP_Prev : OP_Next;
    level->p1 = level->table_cursor;
    level->p2 = 1 + emit(c, reverse ? OP_Last : OP_Rewind, level->table_cursor, level->break_label, 0);
}

// ---- multi-index OR -----------------------------------------------------------------------------------------------

static void or_loop(struct where_info *w, u32 level_index, struct where_level *level, struct source *s)
{
    struct compile *c = w->c;
    struct where_loop *loop = level->loop;
    struct where_term *term = loop->terms[0];
    struct where_clause *or_clause = term->sub;
    const struct table *t = s->table;
    int cursor = level->table_cursor;
    level->op = OP_Return;
    int return_reg = reg_alloc(c);
    level->p1 = return_reg;
    // The alternatives' loops run over this source alone; the others are there so that terms about those not yet ready are
    // known for such.
    struct source_list *one = arena_alloc(c->arena, sizeof *one);
    one->items = arena_alloc(c->arena, sizeof *one->items * w->level_count);
    one->items[one->count++] = *s;
    one->items[0].join = 0;
    one->items[0].left_of_or = s->join & JOIN_LEFT;
    for (u32 i = level_index + 1; i < w->level_count; i++) one->items[one->count++] = w->sources->items[w->levels[i].source];
    one->capacity = one->count;
    bool untested = false;
    int rowset = 0, rowid = 0;
    if (!(w->flags & WHERE_DUPLICATES_OK)) {
        if (table_has_rowid(t)) {
            rowset = reg_alloc(c);
            emit(c, OP_Null, 0, rowset, 0);
        } else {
            rowset = cursor_alloc(c);
            emit_key(c, OP_OpenEphemeral, rowset, t->primary_key->key_count, 0, key_info_make(c, t->primary_key->key_count, 0));
        }
        rowid = reg_alloc(c);
    }
    int body = emit_label(c);
    int init = emit(c, OP_Integer, 0, return_reg, 0);
    // Terms of the rest of the clause narrow every alternative.
    struct expr *and_expr = NULL;
    if (w->clause.count > 1) {
        for (int i = 0; i < w->clause.count; i++) {
            struct where_term *x = w->clause.terms[i];
            if (x == term || x->flags & (TERM_VIRTUAL | TERM_CODED | TERM_SLICE)) continue;
            if (!(x->operators & WO_ALL)) continue;
            if (x->expr->flags & EXPR_F_HAS_SELECT) continue;
            // WHERE is about the joined row, which may be one of NULLs for want of another only; so are the ONs of other joins.
            if (s->join & (JOIN_LEFT | JOIN_LEFT_OF_RIGHT | JOIN_RIGHT) && !where_term_outer_ok(x, s)) continue;
            and_expr = expr_and(c->arena, and_expr, expr_copy(c->arena, x->expr));
        }
    }
    explain_push(c, "MULTI-INDEX OR");
    struct where_index *covering = NULL;
    bool first = true, same_covering = true;
    int index_cursor = cursor_alloc(c);
    for (int i = 0; i < or_clause->count; i++) {
        struct where_term *o = or_clause->terms[i];
        if (o->left_cursor != cursor && !(o->operators & WO_AND)) continue;
        struct expr *e = expr_copy(c->arena, o->expr);
        if (level->left_join || s->join & JOIN_LEFT) expr_unset_join(e, -1, true);
        if (and_expr) e = expr_and(c->arena, e, expr_copy(c->arena, and_expr));
        explain_push(c, "INDEX %d", i + 1);
        int own_index = index_cursor;
        struct where_info *sub = where_begin(c, one, e, NULL, NULL, NULL, WHERE_OR_SUBCLAUSE, own_index);
        where_level_explain(sub, &sub->levels[0]); // behind its subqueries, as SQLite does
        int jump = 0;
        if (!(w->flags & WHERE_DUPLICATES_OK)) {
            int set = i == or_clause->count - 1 ? -1 : i;
            if (table_has_rowid(t)) {
                column_code(c, t, cursor, -1, rowid);
                jump = emit_int(c, OP_RowSetTest, rowset, 0, rowid, set);
            } else {
                const struct index *primary = t->primary_key;
                int count = primary->key_count;
                int r = reg_temp_range(c, count);
                for (int k = 0; k < count; k++) column_code(c, t, cursor, primary->columns[k], r + k);
                if (set) jump = emit_int(c, OP_Found, rowset, 0, r, count);
                if (set >= 0) {
                    emit(c, OP_MakeRecord, r, count, rowid);
                    emit_int(c, OP_IdxInsert, rowset, rowid, r, count);
                }
                reg_release_range(c, r, count);
            }
        }
        emit(c, OP_Gosub, return_reg, body, 0);
        if (jump) emit_jump_here(c, jump);
        struct where_loop *used = sub->levels[0].loop;
        if (used->flags & LOOP_INDEXED && (first || (covering && used->index->index == covering->index)) &&
            (table_has_rowid(t) || used->index->kind != WHERE_INDEX_PRIMARY))
            covering = used->index;
        else
            same_covering = false;
        if (!same_covering) covering = NULL;
        if (sub->deferred_seek) w->deferred_seek = true;
        if (sub->untested) untested = true;
        first = false;
        where_end(sub);
        explain_pop(c);
    }
    explain_pop(c);
    level->covering = covering;
    if (covering) level->index_cursor = index_cursor;
    emit_op(c, init)->p1 = emit_here(c);
    emit_goto(c, level->break_label);
    emit_place(c, body);
    level->p2 = emit_here(c);
    if (!untested) where_term_disable(level, term);
    // The body is entered from several places.
    reg_forget_temps(c);
}

// ---- one level ------------------------------------------------------------------------------------------------------

static enum walk_result correlated_find(struct walker *k, struct expr *e)
{
    return e->flags & EXPR_F_CORRELATED ? WALK_ABORT : WALK_CONTINUE;
}

static bool has_correlated(struct expr *e)
{
    return e->flags & EXPR_F_HAS_SELECT && walk_expr(&(struct walker){.expr = correlated_find}, e) == WALK_ABORT;
}

// A correlated subquery of a large join is tested further in, when all that comes until then are look-ups of one row, some of which
// may find that there is none: then it runs less often.
static bool subquery_waits(const struct where_info *w, u32 level_index, bitmask not_ready, struct expr *e)
{
    if (!w->large || level_index + 1 >= w->level_count || e->flags & EXPR_F_OUTER_ON) return false;
    for (u32 i = level_index + 1; i < w->level_count; i++) {
        const struct source *s = &w->sources->items[w->levels[i].source];
        if (!(w->levels[i].loop->flags & LOOP_ONE_ROW) || s->join & (JOIN_LEFT | JOIN_LEFT_OF_RIGHT | JOIN_RIGHT)) return false;
    }
    bool tested = false; // by more than what its row is found with
    for (int i = 0; i < w->clause.base_count && !tested; i++) {
        const struct where_term *t = w->clause.terms[i];
        if (t->flags & (TERM_VIRTUAL | TERM_CODED) || !(t->prereq_all & not_ready) || t->expr->flags & EXPR_F_HAS_SELECT) continue;
        tested = true;
        for (u32 k = level_index + 1; k < w->level_count; k++) {
            const struct where_loop *loop = w->levels[k].loop;
            for (u32 n = 0; n < loop->term_count; n++) tested &= loop->terms[n] != t && (!loop->terms[n] || loop->terms[n]->expr != t->expr);
        }
    }
    return tested && has_correlated(e);
}

bitmask where_level_code(struct where_info *w, u32 level_index, bitmask not_ready)
{
    struct compile *c = w->c;
    struct where_level *level = &w->levels[level_index];
    struct where_loop *loop = level->loop;
    struct source *s = &w->sources->items[level->source];
    int cursor = s->cursor;
    level->not_ready = not_ready & ~where_mask(w, cursor);
    bool reverse = w->reverse_mask >> level_index & 1;
    bool omit_table = loop->flags & LOOP_INDEX_ONLY && !(w->flags & WHERE_OR_SUBCLAUSE);
    // break: the loop is done; next: its next row; continue: the next value of its innermost IN.
    level->break_label = level->null_label = emit_label(c);
    level->next_label = level->break_label;
    level->continue_label = emit_label(c);
    if (level->source > 0 && s->join & JOIN_LEFT) {
        level->left_join = reg_alloc(c);
        emit(c, OP_Integer, 0, level->left_join, 0);
    }
    if (s->via_coroutine) {
        coroutine_loop(w, level, s);
    } else if (loop->flags & LOOP_VIRTUAL) {
        where_virtual_loop_code(w, level, s);
    } else if (loop->flags & LOOP_ROWID && loop->flags & (LOOP_COLUMN_IN | LOOP_COLUMN_EQ)) {
        rowid_equal_loop(w, level_index, level, reverse);
    } else if (loop->flags & LOOP_ROWID && loop->flags & LOOP_COLUMN_RANGE) {
        rowid_range_loop(w, level, reverse);
    } else if (loop->flags & (LOOP_INDEXED | LOOP_AUTO_INDEX) && loop->index) {
        index_loop(w, level_index, level, reverse, &omit_table);
    } else if (loop->flags & LOOP_MULTI_OR) {
        or_loop(w, level_index, level, s);
    } else {
        full_scan_loop(w, level, s, reverse);
    }
    // Tests that can be made now: first those that the index alone answers, correlated subqueries last.
    int pass = omit_table || !(loop->flags & LOOP_INDEXED) ? 2 : 1;
    while (pass > 0) {
        int later = 0;
        for (int i = 0; i < w->clause.count; i++) {
            struct where_term *t = w->clause.terms[i];
            if (t->flags & (TERM_VIRTUAL | TERM_CODED)) continue;
            if (t->prereq_all & level->not_ready) {
                w->untested = true;
                continue;
            }
            struct expr *e = t->expr;
            if (s->join & (JOIN_LEFT | JOIN_LEFT_OF_RIGHT | JOIN_RIGHT)) {
                if (!(e->flags & (EXPR_F_OUTER_ON | EXPR_F_INNER_ON))) {
                    // WHERE is about the joined row: tested once the null row may have been made.
                    continue;
                } else if (s->join & JOIN_LEFT && !(e->flags & EXPR_F_OUTER_ON)) {
                    continue;
                } else {
                    bitmask m = where_mask(w, e->on_cursor);
                    if (m & level->not_ready) continue;
                }
            }
            if (pass == 1 && loop->index && !where_covered_by_columns(e, cursor, loop->index)) {
                later = 2;
                continue;
            }
            if (pass < 3 && has_correlated(e)) {
                if (!later) later = 3;
                continue;
            }
            if (pass == 3 && subquery_waits(w, level_index, level->not_ready, e)) continue;
            expr_jump_if_false(c, e, level->continue_label, true);
            t->flags |= TERM_CODED;
        }
        pass = later;
    }
    // x = y and y = const give x = const, which an outer loop may have used for y alone.
    for (int i = w->clause.base_count; i > 0; i--) {
        struct where_term *t = w->clause.terms[i - 1];
        if (t->flags & (TERM_VIRTUAL | TERM_CODED)) continue;
        if (!(t->operators & (WO_EQ | WO_IS)) || !(t->operators & WO_EQUIV)) continue;
        if (t->left_cursor != cursor || s->join & (JOIN_LEFT | JOIN_LEFT_OF_RIGHT | JOIN_RIGHT)) continue;
        // Not from the ON of an outer join further right, which depends on all tables to its left: this one too.
        struct where_term *alt = where_find_term(&w->clause, cursor, t->left_column, not_ready, WO_EQ | WO_IN | WO_IS, NULL);
        if (!alt || alt->flags & TERM_CODED) continue;
        struct expr *e = alt->expr, *left = e->left;
        // The constant is compared as the other column's collation and affinity have it. That of a number matters only where a
        // subquery's rows, which have none, take it.
        if (!name_equal(expr_collation(c, t->expr->left)->name, expr_collation(c, left)->name)) continue;
        if (alt->operators & WO_IN && e->flags & EXPR_F_SELECT) {
            const struct expr *column = e->select->columns->items[0].expr;
            if (e->select->columns->count > 1 ||
                compare_affinity(column, expr_affinity(left)) != compare_affinity(column, expr_affinity(t->expr->left)))
                continue;
        }
        e->left = t->expr->left;
        expr_jump_if_false(c, e, level->continue_label, true);
        e->left = left;
        alt->flags |= TERM_CODED;
    }
    if (s->join & JOIN_RIGHT && level->right_match) {
        // This row has met its partner.
        const struct table *t = s->table;
        int record = reg_temp(c), r, count;
        if (table_has_rowid(t)) {
            r = reg_temp_range(c, 2);
            column_code(c, t, cursor, -1, r + 1);
            count = 1;
        } else {
            const struct index *primary = t->primary_key;
            count = primary->key_count;
            r = reg_temp_range(c, count + 1);
            for (int i = 0; i < count; i++) column_code(c, t, cursor, primary->columns[i], r + 1 + i);
        }
        int jump = emit_int(c, OP_Found, level->right_match, 0, r + 1, count);
        emit(c, OP_MakeRecord, r + 1, count, record);
        emit_int(c, OP_IdxInsert, level->right_match, record, r + 1, count);
        emit_jump_here(c, jump);
        reg_release(c, record);
        reg_release_range(c, r, count + 1);
    }
    if (level->left_join) {
        level->first_body = emit_here(c);
        emit(c, OP_Integer, 1, level->left_join, 0);
        level->body = emit_here(c);
    }
    // A RIGHT JOIN's body is a subroutine, which its unmatched rows enter too.
    if (s->join & JOIN_RIGHT && level->right_match) {
        level->right_address = emit(c, OP_BeginSubrtn, 0, level->right_return, 0) + 1;
    }
    if (level->left_join || level->right_match) {
        // What WHERE asks of the joined row.
        for (int i = 0; i < w->clause.base_count; i++) {
            struct where_term *t = w->clause.terms[i];
            if (t->flags & (TERM_VIRTUAL | TERM_CODED)) continue;
            if (t->prereq_all & level->not_ready) continue;
            if (s->join & JOIN_LEFT_OF_RIGHT) continue;
            expr_jump_if_false(c, t->expr, level->continue_label, true);
            t->flags |= TERM_CODED;
        }
    }
    return level->not_ready;
}
