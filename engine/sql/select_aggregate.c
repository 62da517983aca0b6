// GROUP BY and aggregates.
#include "select.h"

// ---- accumulators ---------------------------------------------------------------------------------------------

static void registers_assign(struct compile *c, struct aggregate_info *a)
{
    a->first_reg = reg_alloc_range(c, (int)(a->column_count + a->function_count + a->key_count) + 1); // the last: GROUP BY's use flag
    int reg = a->first_reg;
    for (u32 i = 0; i < a->column_count; i++) a->columns[i].reg = reg++;
    for (u32 i = 0; i < a->function_count; i++) a->functions[i].reg = reg++;
    a->first_key = reg;
}

static void accumulators_reset(struct compile *c, struct aggregate_info *a)
{
    int count = (int)(a->column_count + a->function_count);
    if (count == 0) return;
    emit(c, OP_Null, 0, a->first_reg, a->first_reg + count - 1);
    for (u32 i = 0; i < a->function_count; i++) {
        struct aggregate_function *f = &a->functions[i];
        if (f->distinct_cursor >= 0 && a->distinct) {
            if (a->distinct->kind == ROW_DISTINCT_ORDERED) emit(c, OP_Null, 1, a->distinct->previous, 0);
        } else if (f->distinct_cursor >= 0) {
            struct expr_list *list = f->expr->list;
            struct key_info *key = key_info_of_list(c, list, 0, 0);
            emit_key(c, OP_OpenEphemeral, f->distinct_cursor, 0, 0, key);
            if (f->distinct_hash < 0 && keys_hashable(key)) f->distinct_hash = cursor_alloc(c);
            if (f->distinct_hash >= 0) emit_key(c, OP_GroupOpen, f->distinct_hash, 0, 0, key);
            explain_row(c, "USE TEMP B-TREE FOR %s(DISTINCT)", f->def->name);
        }
        if (f->order_cursor >= 0) {
            struct expr_list *list = f->expr->order_by;
            int extra = f->order_payload ? (int)f->expr->list->count + 1 : 0;
            if (!f->order_unique) extra++;
            if (f->use_subtype) extra += (int)f->expr->list->count;
            struct key_info *key = key_info_of_list(c, list, 0, (u32)extra);
            if (!f->order_unique && !f->order_payload) key->field_count++;
            emit_key(c, OP_OpenEphemeral, f->order_cursor, (int)list->count + extra, 0, key);
            explain_row(c, "USE TEMP B-TREE FOR %s(ORDER BY)", f->def->name);
        }
    }
}

static void aggregate_collation(struct compile *c, struct aggregate_function *f, int hit)
{
    if (!(f->def->flags & FN_NEEDS_COLLATION)) return;
    const struct collation *k = NULL;
    struct expr_list *list = f->expr->list;
    for (u32 i = 0; list && i < list->count && !k; i++) k = expr_collation_or_null(c, list->items[i].expr);
    emit_collation(c, OP_CollSeq, hit, 0, 0, k ? k : &COLLATION_BINARY);
}

static bool has_min_max(const struct aggregate_info *a, bool filtered)
{
    for (u32 i = 0; i < a->function_count; i++)
        if (a->functions[i].def->flags & FN_MIN_MAX && (filtered || !a->functions[i].expr->filter)) return true;
    return false;
}

// count(x) of a column, which has just been read, asks no more of it than whether it is NULL: the row then goes on at `null`, and is
// one of count(*)'s otherwise, which is given. NULL: it is no such column.
static const struct fn_def *count_of_column(struct compile *c, s32 from, int reg, int null)
{
    bool exists;
    struct instruction *in = program_last(c->program);
    const struct fn_def *rows = compile_function(c, "count", 0, &exists);
    if (program_address(c->program) != from + 1 || in->opcode != OP_Column || in->p3 != reg || in->p5 || !rows || !(rows->flags & FN_COUNT))
        return NULL;
    in->opcode = OP_IsType;
    in->p3 = in->p2;
    in->p2 = null;
    in->p5 = 1 << (VALUE_NULL - 1);
    if (in->p4_kind == P4_VALUE) program_p4_integer(c->program, -1, in->p4.value->type);
    return rows;
}

// One row: every aggregate steps, and the bare columns take their values.
static void accumulators_update(struct compile *c, struct aggregate_info *a, int hit_used)
{
    int hit = 0, hit_skip = 0;
    a->direct_mode = true;
    for (u32 i = 0; i < a->function_count; i++) {
        struct aggregate_function *f = &a->functions[i];
        struct expr *e = f->expr;
        struct expr_list *list = e->list;
        const struct fn_def *def = f->def;
        int next = 0, reg = 0, count = 0;
        if (e->filter) {
            if (a->accumulator_count && f->def->flags & FN_MIN_MAX && hit_used) {
                // A row that the filter refuses gives the plain columns their values only when it is the first.
                if (!hit) hit = reg_alloc(c);
                emit(c, OP_Copy, hit_used, hit, 0);
            }
            next = emit_label(c);
            expr_jump_if_false(c, e->filter, next, true);
        }
        if (f->order_cursor >= 0) {
            // Kept until the group is complete: keys, sequence, arguments, their subtypes.
            int keys = (int)e->order_by->count, args = (int)list->count;
            int total = keys;
            if (!f->order_unique) total++;
            if (f->order_payload) total += args;
            if (f->use_subtype) total += args;
            int base = reg_alloc_range(c, total);
            expr_list_code(c, e->order_by, base, 0, LIST_CODE_DUP);
            int at = base + keys;
            if (!f->order_unique) emit(c, OP_Sequence, f->order_cursor, at++, 0);
            if (f->order_payload) expr_list_code(c, list, at, 0, LIST_CODE_DUP);
            int subtypes = base + total - args, argument = f->order_payload ? at : base;
            for (int k = 0; f->use_subtype && k < args; k++) emit(c, OP_GetSubtype, argument + k, subtypes + k, 0);
            if (f->distinct_cursor >= 0) {
                if (!next) next = emit_label(c);
                if (a->distinct) distinct_code(c, list, a->distinct, at, next);
                else distinct_key_code(c, f->distinct_cursor, f->distinct_hash, at, args, next);
            }
            int record = reg_temp(c);
            emit(c, OP_MakeRecord, base, total, record);
            emit_int(c, OP_IdxInsert, f->order_cursor, record, base, total);
            reg_release(c, record);
        } else {
            if (list) {
                count = (int)list->count;
                reg = reg_temp_range(c, count);
                s32 from = program_address(c->program);
                expr_list_code(c, list, reg, 0, LIST_CODE_DUP);
                if (def->flags & FN_COUNT_VALUES && f->distinct_cursor < 0) {
                    if (!next) next = emit_label(c);
                    const struct fn_def *rows = count_of_column(c, from, reg, next);
                    if (rows) def = rows;
                }
            }
            if (f->distinct_cursor >= 0 && list) {
                if (!next) next = emit_label(c);
                if (a->distinct) distinct_code(c, list, a->distinct, reg, next);
                else distinct_key_code(c, f->distinct_cursor, f->distinct_hash, reg, count, next);
            }
            if (f->def->flags & FN_NEEDS_COLLATION) {
                if (!hit && a->accumulator_count && f->def->flags & FN_MIN_MAX) hit = reg_alloc(c);
                aggregate_collation(c, f, f->def->flags & FN_MIN_MAX ? hit : 0);
            }
            program_emit_function(c->program, OP_AggStep, 0, reg, f->reg, def, def == f->def ? (u32)count : 0);
            if (list) reg_release_range(c, reg, count);
        }
        if (next) emit_place(c, next);
    }
    if (!hit && a->accumulator_count) hit = hit_used;
    if (hit) hit_skip = emit(c, OP_If, hit, 0, 0);
    for (u32 i = 0; i < a->accumulator_count; i++) expr_code(c, a->columns[i].expr, a->columns[i].reg);
    a->direct_mode = false;
    if (hit_skip) emit_jump_here(c, hit_skip);
}

static void accumulators_finish(struct compile *c, struct aggregate_info *a)
{
    for (u32 i = 0; i < a->function_count; i++) {
        struct aggregate_function *f = &a->functions[i];
        struct expr *e = f->expr;
        u32 count = e->list ? e->list->count : 0;
        if (f->order_cursor >= 0) {
            int keys = (int)e->order_by->count;
            int reg = reg_temp_range(c, (int)count);
            int top = emit(c, OP_Rewind, f->order_cursor, 0, 0);
            int at = f->order_payload ? keys + (f->order_unique ? 0 : 1) : 0;
            for (u32 j = 0; j < count; j++) emit(c, OP_Column, f->order_cursor, at + (int)j, reg + (int)j);
            if (f->use_subtype) {
                int subtype = reg_temp(c), first = keys + (f->order_unique ? 0 : 1) + (f->order_payload ? (int)count : 0);
                for (u32 j = 0; j < count; j++) {
                    emit(c, OP_Column, f->order_cursor, first + (int)j, subtype);
                    emit(c, OP_SetSubtype, subtype, reg + (int)j, 0);
                }
                reg_release(c, subtype);
            }
            aggregate_collation(c, f, 0);
            program_emit_function(c->program, OP_AggStep, 0, reg, f->reg, f->def, count);
            emit(c, OP_Next, f->order_cursor, top + 1, 0);
            emit_jump_here(c, top);
            reg_release_range(c, reg, (int)count);
        }
        program_emit_function(c->program, OP_AggFinal, f->reg, (int)count, 0, f->def, count);
        emit_op(c, emit_here(c) - 1)->p2 = (int)count;
    }
}

// ---- min() and max() by an index ------------------------------------------------------------------------------------

static u32 min_max_query(struct compile *c, struct aggregate_info *a, struct expr_list **order_by)
{
    if (a->function_count != 1) return 0;
    struct expr *e = a->functions[0].expr;
    if (!(a->functions[0].def->flags & FN_MIN_MAX) || !e->list || e->list->count != 1 || e->flags & EXPR_F_WINDOW_FUNCTION ||
        e->filter)
        return 0;
    bool min = name_equal(e->text, "min");
    struct expr_item item = {.expr = expr_copy(c->arena, e->list->items[0].expr)};
    struct expr argument = *item.expr;
    if (argument.kind == EXPR_AGG_COLUMN) argument.kind = EXPR_COLUMN;
    if (min && expr_can_be_null(&argument)) item.nulls_said = item.nulls_last = true;
    if (!min) item.descending = true;
    *order_by = NULL;
    struct expr_item *added = expr_list_add(c->arena, order_by, item.expr);
    struct expr *copy = added->expr;
    *added = item;
    added->expr = copy;
    return min ? WHERE_ORDER_BY_MIN : WHERE_ORDER_BY_MAX;
}

// ---- the whole -----------------------------------------------------------------------------------------------------

static void arguments_analyze(struct name_context *n, struct aggregate_info *a)
{
    for (u32 i = 0; i < a->function_count; i++) {
        struct expr *e = a->functions[i].expr;
        n->flags |= NAME_IN_AGGREGATE;
        expr_list_analyze_aggregates(n, e->list);
        expr_list_analyze_aggregates(n, e->order_by);
        if (e->filter) expr_analyze_aggregates(n, e->filter);
        n->flags &= ~(u32)NAME_IN_AGGREGATE;
    }
}

static void analyze(struct name_context *n, struct select *s, struct aggregate_info *a, struct expr_list *order_by)
{
    expr_list_analyze_aggregates(n, s->columns);
    expr_list_analyze_aggregates(n, order_by);
    if (s->having) expr_analyze_aggregates(n, s->having);
    a->accumulator_count = a->column_count;
    arguments_analyze(n, a);
}

// Once the loops' indexes are known: what of the arguments their expressions are.
static void arguments_analyze_again(struct name_context *n, struct aggregate_info *a)
{
    a->column_count = a->accumulator_count;
    a->sorting_columns = (int)a->group_by->count;
    for (u32 i = 0; i < a->column_count; i++) a->sorting_columns = MAX(a->sorting_columns, a->columns[i].sorter_column + 1);
    arguments_analyze(n, a);
}

// HAVING terms that name only GROUP BY columns can go to WHERE.
struct having {
    struct select *s;
    struct compile *c;
    bool not_constant;
};
static enum walk_result having_expr(struct walker *w, struct expr *e)
{
    struct having *h = w->context;
    for (u32 i = 0; i < h->s->group_by->count; i++) {
        struct expr *g = h->s->group_by->items[i].expr;
        if (expr_compare(h->c, e, g, -1) < 2 && expr_collation(h->c, g) == &COLLATION_BINARY) return WALK_PRUNE;
    }
    if (e->kind == EXPR_COLUMN || e->kind == EXPR_AGG_COLUMN || e->kind == EXPR_AGG_FUNCTION || e->kind == EXPR_SELECT ||
        e->kind == EXPR_EXISTS || (e->kind == EXPR_FUNCTION && !(e->flags & EXPR_F_CONSTANT_FUNCTION)) || e->flags & EXPR_F_SELECT) {
        h->not_constant = true;
        return WALK_ABORT;
    }
    return WALK_CONTINUE;
}
static void having_to_where(struct compile *c, struct select *s, struct expr **term)
{
    if ((*term)->kind == EXPR_AND) {
        having_to_where(c, s, &(*term)->left);
        having_to_where(c, s, &(*term)->right);
        return;
    }
    struct having h = {.s = s, .c = c};
    struct walker w = {.expr = having_expr, .context = &h};
    int n;
    if (expr_is_integer(*term, &n)) return;
    walk_expr(&w, *term);
    if (h.not_constant) return;
    struct expr *moved = *term;
    *term = expr_integer(c->arena, 1);
    s->where = expr_and(c->arena, s->where, moved);
}

// Whether groups can be kept beside each other while rows come in any order: their states must be small, their keys
// be hashed, and what is computed for a row be coded twice (for rows of groups that have no room, too).
static enum walk_result no_select(struct walker *w, struct expr *e)
{
    if (!(e->flags & (EXPR_F_HAS_SELECT | EXPR_F_SELECT))) return WALK_CONTINUE;
    *(bool *)w->context = true;
    return WALK_ABORT;
}

// ---- GROUP BY's terms as results --------------------------------------------------------------------------------

// The result that a term of GROUP BY is, unless it is a column, which goes by the rules of bare ones. NULL: none.
static struct expr *key_result(const struct select *s, u32 term)
{
    u16 column = s->group_by->items[term].order_by_column;
    if (!column) return NULL;
    struct expr *e = expr_skip_collate(s->columns->items[column - 1].expr);
    while (e->kind == EXPR_IF_NULL_ROW) e = expr_skip_collate(e->left);
    return e->kind == EXPR_AGG_COLUMN || e->kind == EXPR_REGISTER ? NULL : e;
}

static void keys_find(struct compile *c, const struct select *s, struct aggregate_info *a)
{
    a->keys = arena_alloc(c->arena, s->group_by->count * sizeof *a->keys);
    for (u32 i = 0; i < s->group_by->count; i++)
        if (key_result(s, i)) a->keys[a->key_count++] = (u16)i;
}

// Of the group's first row, whose terms are in registers from `terms` on.
static void keys_take(struct compile *c, const struct aggregate_info *a, int terms, int use_flag)
{
    if (!a->key_count) return;
    int known = emit(c, OP_If, use_flag, 0, 0);
    for (u32 i = 0; i < a->key_count; i++) emit(c, OP_Copy, terms + a->keys[i], a->first_key + (int)i, 0);
    emit_jump_here(c, known);
}

// Whether a result is a key that rows are sorted by: it is computed as that, of the row that bare columns are of.
static bool is_sorted_by(const struct sort *sort, u16 column)
{
    for (u32 i = 0; sort->order_by && i < sort->order_by->count; i++)
        if (sort->order_by->items[i].order_by_column == column) return true;
    return false;
}

static void keys_give(const struct select *s, const struct aggregate_info *a, const struct sort *sort, const struct distinct *d,
                      const struct select_dest *dest)
{
    const bool sorts = d->kind == ROW_DISTINCT_NONE && dest->kind != DEST_EPHEMERAL && dest->kind != DEST_TABLE;
    for (u32 i = 0; i < a->key_count; i++) {
        struct expr *e = key_result(s, a->keys[i]);
        if (!e) continue; // of two terms that are the same result
        if (sorts && is_sorted_by(sort, s->group_by->items[a->keys[i]].order_by_column)) continue;
        e->kind2 = e->kind;
        e->kind = EXPR_REGISTER;
        e->reg = a->first_key + (int)i;
        e->flags &= ~(u32)EXPR_F_SKIP;
    }
}

static bool groups_hashable(const struct aggregate_info *a, struct expr_list *group_by, const struct key_info *key)
{
    bool select = false;
    struct walker w = {.expr = no_select, .context = &select};
    if (!keys_hashable(key)) return false;
    for (u32 i = 0; i < group_by->count; i++) walk_expr(&w, group_by->items[i].expr);
    for (u32 i = 0; i < a->function_count; i++) {
        const struct aggregate_function *f = &a->functions[i];
        if (f->distinct_cursor >= 0 || f->order_cursor >= 0 || !(f->def->quick || f->def->flags & FN_MIN_MAX)) return false;
        for (u32 k = 0; f->expr->list && k < f->expr->list->count; k++) walk_expr(&w, f->expr->list->items[k].expr);
        if (f->expr->filter) walk_expr(&w, f->expr->filter);
    }
    for (u32 i = 0; i < a->column_count; i++) walk_expr(&w, a->columns[i].expr);
    return !select;
}

// What loops that bring rows of the groups one after the other would have to bring in order besides, so that the only function's
// DISTINCT needs no table: its argument. NULL: there is no such function.
static struct expr_list *distinct_in_groups(struct compile *c, const struct expr_list *group_by, const struct aggregate_info *a)
{
    const struct aggregate_function *only = a->function_count == 1 ? &a->functions[0] : NULL;
    if (!only || only->distinct_cursor < 0 || !only->expr->list) return NULL;
    struct expr_list *terms = expr_list_copy(c->arena, group_by);
    expr_list_add(c->arena, &terms, expr_copy(c->arena, only->expr->list->items[0].expr));
    return terms;
}

// Whether the loops bring the arguments of the only function's DISTINCT one after the other, or each once: no table is needed.
static bool distinct_by_loops(const struct where_info *w, struct distinct *d)
{
    if (where_distinct(w) != DISTINCT_ORDERED && where_distinct(w) != DISTINCT_UNIQUE) return false;
    d->kind = where_distinct(w) == DISTINCT_ORDERED ? ROW_DISTINCT_ORDERED : ROW_DISTINCT_UNIQUE;
    return true;
}

static void group_by_code(struct name_context *n, struct select *s, struct select_dest *dest, struct sort *sort,
                          struct distinct *d, struct aggregate_info *a, bool order_by_group)
{
    struct compile *c = n->c;
    struct expr_list *group_by = s->group_by;
    int groups = (int)group_by->count;
    int accumulators = (int)(a->column_count + a->function_count + a->key_count) + 1;
    int use_flag = a->first_reg + accumulators - 1, abort_flag = reg_alloc(c);
    int hash = -1, rest = emit_label(c); // the table of groups; where those that are left there are taken
    int output_return = reg_alloc(c), reset_return = reg_alloc(c);
    int output = emit_label(c), reset = emit_label(c), address_end = emit_label(c);
    int current = reg_alloc_range(c, groups);
    int previous = reg_alloc_range(c, groups);
    a->sorting_cursor = cursor_alloc(c);
    struct key_info *key = key_info_of_list(c, group_by, 0, a->column_count);
    int sort_open = emit_key(c, OP_SorterOpen, a->sorting_cursor, a->sorting_columns, 0, key);
    int hash_open = -1;
    if (groups_hashable(a, group_by, key)) {
        hash = cursor_alloc(c);
        hash_open = emit_key(c, OP_GroupOpen, hash, a->first_reg, accumulators, key);
        emit_set_p5(c, a->accumulator_count > 0 || has_min_max(a, true));
    }
    emit(c, OP_Integer, 0, abort_flag, 0);
    emit(c, OP_Null, 0, previous, previous + groups - 1);
    emit(c, OP_Gosub, reset_return, reset, 0);
    struct expr_list *terms = distinct_in_groups(c, group_by, a);
    u32 flags = WHERE_GROUP_BY | (order_by_group ? WHERE_SORT_BY_GROUP : 0) | (terms ? WHERE_WANT_DISTINCT : 0);
    const struct column_source *outer = c->index_exprs;
    struct where_info *w = where_begin(c, s->from, s->where, group_by, terms, s, flags, 0);
    struct distinct in_order = {.cursor = -1, .hash = -1, .open_address = -1};
    if (terms && distinct_by_loops(w, &in_order)) a->distinct = &in_order;
    if (c->index_exprs != outer) arguments_analyze_again(n, a);
    bool group_sorted;
    if (where_ordered_count(w) == groups) {
        group_sorted = false;
        emit_nop(c, sort_open);
        if (hash >= 0) emit_nop(c, hash_open);
        hash = -1;
    } else {
        explain_temp_btree(c, s->flags & SELECT_F_DISTINCT_GROUPED ? "DISTINCT" : "GROUP BY");
        group_sorted = true;
        int count = groups;
        for (u32 i = 0; i < a->column_count; i++)
            if (a->columns[i].sorter_column >= groups) count++;
        int base = reg_temp_range(c, count);
        expr_list_code(c, group_by, base, 0, LIST_CODE_DUP);
        if (hash >= 0) {
            int no_room = emit(c, OP_GroupFind, hash, 0, base);
            for (u32 i = 0; i < a->key_count; i++) emit(c, OP_ClrSubtype, base + a->keys[i], 0, 0);
            keys_take(c, a, base, use_flag);
            a->no_subtypes = true;
            accumulators_update(c, a, use_flag);
            a->no_subtypes = false;
            emit(c, OP_Integer, 1, use_flag, 0);
            emit_goto(c, where_continue_label(w));
            emit_jump_here(c, no_room);
        }
        a->direct_mode = true;
        int at = groups;
        for (u32 i = 0; i < a->column_count; i++)
            if (a->columns[i].sorter_column >= at) {
                expr_code(c, a->columns[i].expr, base + a->columns[i].sorter_column);
            }
        a->direct_mode = false;
        int record = reg_temp(c);
        emit(c, OP_MakeRecord, base, count, record);
        emit(c, OP_SorterInsert, a->sorting_cursor, record, 0);
        reg_release(c, record);
        reg_release_range(c, base, count);
        where_end(w);
        a->sorting_cursor_pseudo = cursor_alloc(c);
        int out = reg_alloc(c);
        emit(c, OP_OpenPseudo, a->sorting_cursor_pseudo, out, count);
        if (hash >= 0) emit(c, OP_GroupSort, hash, 0, 0);
        emit(c, OP_SorterSort, a->sorting_cursor, hash >= 0 ? rest : address_end, 0);
        a->use_sorting = true;
        sort->row_cursor_count = out;
    }
    // ORDER BY that is the GROUP BY's needs no sorting of its own.
    bool by_order = order_by_group && (group_sorted || where_sorted(w));
    if (by_order) {
        sort->order_by = NULL;
        if (sort->open_address >= 0) emit_nop(c, sort->open_address);
    }
    int top = emit_here(c);
    if (group_sorted) {
        emit(c, OP_SorterData, a->sorting_cursor, sort->row_cursor_count, a->sorting_cursor_pseudo);
    }
    for (int j = 0; j < groups; j++) {
        if (group_sorted) {
            emit(c, OP_Column, a->sorting_cursor_pseudo, j, current + j);
        } else {
            a->direct_mode = true;
            expr_code(c, group_by->items[j].expr, current + j);
            a->direct_mode = false;
        }
    }
    emit_key(c, OP_Compare, previous, current, groups, key);
    int jump = emit(c, OP_Jump, emit_here(c) + 1, 0, emit_here(c) + 1);
    emit(c, OP_Move, current, previous, groups);
    emit(c, OP_Gosub, output_return, output, 0);
    emit(c, OP_IfPos, abort_flag, address_end, 0);
    if (hash >= 0) {
        int next = emit(c, OP_GroupNext, hash, 0, previous);
        emit(c, OP_Gosub, output_return, output, 0);
        emit(c, OP_IfPos, abort_flag, address_end, 0);
        emit_goto(c, next);
        emit_jump_here(c, next);
    }
    emit(c, OP_Gosub, reset_return, reset, 0);
    emit_jump_here(c, jump);
    keys_take(c, a, previous, use_flag);
    a->direct_mode = true;
    accumulators_update(c, a, use_flag);
    emit(c, OP_Integer, 1, use_flag, 0);
    if (group_sorted) emit(c, OP_SorterNext, a->sorting_cursor, top, 0);
    else where_end(w);
    a->use_sorting = false;
    emit(c, OP_Gosub, output_return, output, 0);
    if (hash >= 0) {
        emit(c, OP_IfPos, abort_flag, address_end, 0);
        emit_place(c, rest);
        int next = emit(c, OP_GroupNext, hash, address_end, 0);
        emit(c, OP_Gosub, output_return, output, 0);
        emit(c, OP_IfPos, abort_flag, address_end, 0);
        emit_goto(c, next);
    } else {
        emit_place(c, rest);
        emit_goto(c, address_end);
    }
    // Output of one group, and the beginning of the next, as subroutines.
    int set_abort = emit_here(c);
    emit(c, OP_Integer, 1, abort_flag, 0);
    emit(c, OP_Return, output_return, 0, 0);
    emit_place(c, output);
    int output_top = emit_here(c);
    emit(c, OP_IfPos, use_flag, output_top + 2, 0);
    emit(c, OP_Return, output_return, 0, 0);
    accumulators_finish(c, a);
    keys_give(s, a, sort, d, dest);
    bool factoring = c->factoring;
    if (s->having) expr_jump_if_false(c, s->having, output_top + 1, true);
    select_row_code(c, s, -1, sort, d, dest, output_top + 1, set_abort);
    c->factoring = factoring;
    emit(c, OP_Return, output_return, 0, 0);
    emit_place(c, reset);
    accumulators_reset(c, a);
    a->distinct = NULL;
    emit(c, OP_Integer, 0, use_flag, 0);
    emit(c, OP_Return, reset_return, 0, 0);
    emit_place(c, address_end);
    if (d->kind == ROW_DISTINCT_UNORDERED) explain_temp_btree(c, "DISTINCT");
    reg_forget_temps(c);
}

void select_aggregate(struct compile *c, struct select *s, struct select_dest *dest, struct sort *sort,
                      struct distinct *d, int end)
{
    struct aggregate_info *a = arena_alloc(c->arena, sizeof *a);
    a->sorting_columns = s->group_by ? (int)s->group_by->count : 0;
    a->group_by = s->group_by;
    struct name_context n = {.c = c, .sources = s->from, .aggregates = a, .select = s};
    struct expr_list *order_by = sort->order_by;
    bool order_by_group = false;
    s->rows_estimate = s->group_by ? MIN(s->rows_estimate, 66) : 0; // a hundred groups
    if (s->group_by) {
        // ORDER BY that a GROUP BY in that order fulfils: the groups are made in ORDER BY's directions.
        if (order_by && order_by->count == s->group_by->count) {
            bool same = true;
            for (u32 i = 0; i < order_by->count; i++) s->group_by->items[i].descending = order_by->items[i].descending;
            for (u32 i = 0; i < order_by->count; i++)
                same &= expr_compare(c, order_by->items[i].expr, s->group_by->items[i].expr, -1) == 0 &&
                        !order_by->items[i].nulls_said;
            order_by_group = same;
        }
        if (s->having && s->where != s->having) having_to_where(c, s, &s->having);
    }
    analyze(&n, s, a, order_by);
    if (s->group_by) keys_find(c, s, a);
    struct expr_list *min_max_order = NULL;
    u32 min_max = 0;
    if (!s->group_by && !s->having && s->from) min_max = min_max_query(c, a, &min_max_order);
    registers_assign(c, a);
    if (s->group_by) {
        group_by_code(&n, s, dest, sort, d, a, order_by_group);
        return;
    }
    if (select_count_shortcut(c, s, a, dest)) {
        // count is there
    } else {
        int accumulate = 0;
        bool bare = a->accumulator_count > 0;
        if (bare && !has_min_max(a, false)) {
            // Bare columns take the first row's values, or those of a min() or max() that its filter lets see some row.
            accumulate = reg_alloc(c);
            emit(c, OP_Integer, 0, accumulate, 0);
        }
        // count(DISTINCT x): by the order of an index, where there is one.
        struct aggregate_function *only = a->function_count == 1 && !bare ? &a->functions[0] : NULL;
        bool distinct = only && only->distinct_cursor >= 0 && only->expr->list;
        struct distinct d_only = {.cursor = distinct ? only->distinct_cursor : -1, .open_address = emit_here(c) + 1};
        accumulators_reset(c, a);
        struct where_info *w = where_begin(c, s->from, s->where, min_max_order, distinct ? only->expr->list : NULL, s,
                                           min_max | (distinct ? WHERE_WANT_DISTINCT : 0), 0);
        if (distinct && distinct_by_loops(w, &d_only)) {
            d_only.hash = only->distinct_hash;
            a->distinct = &d_only;
            if (c->explain_query_plan) emit_nop(c, d_only.open_address + (only->distinct_hash >= 0) + 1);
        }
        accumulators_update(c, a, accumulate);
        if (accumulate) emit(c, OP_Integer, 1, accumulate, 0);
        if (min_max && where_ordered_count(w) > 0) emit_goto(c, where_min_max_label(w)); // the first row decides
        a->distinct = NULL;
        where_end(w);
        accumulators_finish(c, a);
    }
    sort->order_by = NULL;
    if (sort->open_address >= 0) emit_nop(c, sort->open_address);
    if (s->having) expr_jump_if_false(c, s->having, end, true);
    if (d->wanted) {
        explain_temp_btree(c, "DISTINCT"); // as SQLite says it, for its single row
        d->kind = ROW_DISTINCT_NONE;
        emit_nop(c, d->open_address);
        if (d->hash >= 0) emit_nop(c, d->open_address + 1);
    }
    select_row_code(c, s, -1, NULL, NULL, dest, end, end);
}
