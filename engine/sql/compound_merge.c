// UNION, INTERSECT and EXCEPT, and any compound with ORDER BY: both sides are coroutines that give their rows in that order
// (or of the columns from left to right), and are merged. A side whose index has the order needs no sorting, and with
// LIMIT neither side goes further than it must.
#include "resolve.h"
#include "select.h"

struct merge {
    struct compile *c;
    struct select *s;
    struct select_dest *dest;
    int count;               // columns
    int previous;            // register: there is a row before; it follows. 0: rows may come twice
    bool last, last_within;  // of equal rows the last one is given, not the first; in the sides
    bool repeats;            // identical rows of the sides are given once
    struct key_info *distinct;
    int end;                 // behind the rows
    int done;                // behind the last one that is given
};

// Terms of a distinct compound's ORDER BY cover all columns, so that equal rows meet; all say by which collation.
static struct expr_list *merge_keys(struct compile *c, struct select *s, struct expr_list *order_by)
{
    struct expr_list *keys = order_by ? expr_list_copy(c->arena, order_by) : NULL;
    u32 count = s->columns->count;
    struct select *whole = s; // without ORDER BY also of what is added behind
    while (!order_by && whole->next && !(whole->next->flags & SELECT_F_RECURSIVE)) whole = whole->next;
    for (u32 i = 1; s->op != SELECT_UNION_ALL && i <= count; i++) {
        bool there = false;
        for (u32 j = 0; keys && j < keys->count; j++) there |= keys->items[j].order_by_column == i;
        if (there) continue;
        expr_list_add(c->arena, &keys, expr_integer(c->arena, (int)i))->order_by_column = (u16)i;
    }
    for (u32 i = 0; i < keys->count; i++) {
        struct expr_item *item = &keys->items[i];
        if (item->expr->kind == EXPR_COLLATE) continue;
        const struct collation *found = compound_collation(c, whole, item->order_by_column - 1u);
        struct expr *collate = expr_new(c->arena, EXPR_COLLATE, item->expr->offset);
        collate->left = item->expr;
        collate->text = found ? found->name : "BINARY";
        collate->text_size = (u32)strlen(collate->text);
        expr_summarize(collate);
        item->expr = collate;
    }
    return keys;
}

// Goes on at the address that belongs to how the sides' rows compare.
static void merge_compare_code(struct compile *c, const struct expr_list *keys, int left, int right, int less, int equal, int greater)
{
    struct key_info *all = key_info_of_list(c, keys, 0, 0);
    bool straight = true;
    for (u32 i = 0; i < keys->count; i++) straight &= keys->items[i].order_by_column == i + 1;
    if (straight) {
        emit_key(c, OP_Compare, left, right, (int)keys->count, all);
        emit(c, OP_Jump, less, equal, greater);
        return;
    }
    for (u32 i = 0; i < keys->count; i++) {
        int column = keys->items[i].order_by_column - 1;
        emit_key(c, OP_Compare, left + column, right + column, 1, key_info_of_list(c, keys, i, 0));
        emit(c, OP_Jump, less, i + 1 < keys->count ? emit_here(c) + 1 : equal, greater);
    }
}

static void give_code(struct merge *m, int reg)
{
    struct compile *c = m->c;
    int skipped = emit_label(c);
    select_offset_code(c, m->s->offset_register, skipped);
    select_row_deliver(c, m->s, m->dest, reg, m->count, m->done);
    if (m->s->limit_register) emit(c, OP_DecrJumpZero, m->s->limit_register, m->done, 0);
    emit_place(c, skipped);
}

// A subroutine for a side's row: it is given unless it is the one before, or, when the last of equal rows counts, the one
// before is given unless it is this one.
static int output_code(struct merge *m, const struct select_dest *side, int return_reg)
{
    struct compile *c = m->c;
    int address = emit_here(c), same = emit_label(c), reg = m->last ? m->previous + 1 : side->reg;
    if (m->previous) {
        int first = emit(c, OP_IfNot, m->previous, 0, 0);
        emit_key(c, OP_Compare, side->reg, m->previous + 1, m->count, m->distinct);
        int next = emit_here(c) + 1;
        emit(c, OP_Jump, next, same, next);
        if (m->last) give_code(m, reg);
        emit_jump_here(c, first);
        if (m->last) emit_place(c, same);
        emit(c, OP_Copy, side->reg, m->previous + 1, m->count - 1);
        emit(c, OP_Integer, 1, m->previous, 0);
    }
    if (!m->last) {
        give_code(m, reg);
        emit_place(c, same);
    }
    emit(c, OP_Return, return_reg, 0, 0);
    return address;
}

static bool collates(struct compile *c, const struct expr_list *list)
{
    for (u32 i = 0; i < list->count; i++) { // which COLLATE says may not be there, and not be needed
        const struct expr *e = list->items[i].expr;
        if (e->flags & EXPR_F_HAS_COLLATE || expr_collation(c, e) != &COLLATION_BINARY) return true;
    }
    return false;
}

// Whether equal values of one of them may be 1 and 1.0; of its columns alone, in whose order an index may be.
static bool has_any_numbers(const struct expr_list *list, bool columns)
{
    for (u32 i = 0; i < list->count; i++) {
        const struct expr *e = list->items[i].expr;
        if (expr_affinity(e) <= AFFINITY_BLOB && (!columns || e->kind == EXPR_COLUMN)) return true;
    }
    return false;
}

// A term of which the last of equal rows counts. Rows that are equal may be different texts, or numbers: DISTINCT would give the first
// of them (and by the term's own collation rather than the compound's), and the order in which they come tells which is the last.
static void last_equal_wanted(struct compile *c, struct select *s, const struct expr_list *keys)
{
    const bool differ = collates(c, keys);
    if (differ || has_any_numbers(s->columns, true)) s->flags |= SELECT_F_ARRIVAL;
    if (differ || collates(c, s->columns) || has_any_numbers(s->columns, false)) s->flags &= ~(u32)SELECT_F_DISTINCT;
}

static void side_code(struct merge *m, struct select *s, struct expr_list *keys, int limit, const char *label,
                      struct select_dest *dest)
{
    struct compile *c = m->c;
    int start = emit_here(c) + 1, yield = reg_alloc(c);
    emit(c, OP_InitCoroutine, yield, 0, start);
    select_dest_init(dest, DEST_COROUTINE, yield);
    dest->reg = reg_alloc_range(c, m->count);
    dest->reg_count = m->count;
    s->order_by = expr_list_copy(c->arena, keys);
    s->repeats_merged = m->repeats;
    if (m->last_within) s->flags |= SELECT_F_LAST_EQUAL;
    if (m->last_within && !s->prior) last_equal_wanted(c, s, keys);
    if (!s->prior) select_order_by_results(c, s);
    explain_push(c, "%s", label);
    select_code_limited(c, s, dest, limit);
    explain_pop(c);
    emit(c, OP_EndCoroutine, yield, 0, 0);
    emit_jump_here(c, start - 1);
    reg_forget_temps(c);
}

// Where the right side begins: at the last term, or, of many terms of one kind, in their middle.
static struct select *split(struct select *s)
{
    if (s->op != SELECT_UNION_ALL && s->op != SELECT_UNION) return s;
    u32 terms = 1;
    for (struct select *t = s; t->prior && t->op == s->op; t = t->prior) terms++;
    if (terms <= 3) return s;
    struct select *at = s;
    for (u32 i = 2; i < terms; i += 2) at = at->prior;
    return at;
}

void select_merge(struct compile *c, struct select *s, struct select_dest *dest)
{
    enum select_op op = s->op;
    struct merge m = {.c = c, .s = s, .dest = dest, .count = (int)s->columns->count, .end = emit_label(c), .done = emit_label(c)};
    if (dest->kind == DEST_COROUTINE && !dest->reg) {
        dest->reg = reg_alloc_range(c, m.count);
        dest->reg_count = m.count;
    }
    struct expr_list *order_by = s->order_by, *keys = merge_keys(c, s, order_by);
    // Which of equal rows is given (they may differ in case, or be 1 and 1.0): SQLite's choice.
    m.last_within = !order_by || s->flags & SELECT_F_LAST_EQUAL;
    m.last = m.last_within && op != SELECT_UNION_ALL;
    m.repeats = op != SELECT_UNION_ALL || s->repeats_merged;
    if (op != SELECT_UNION_ALL) {
        m.previous = reg_alloc_range(c, m.count + 1);
        emit(c, OP_Integer, 0, m.previous, 0);
        m.distinct = key_info_make(c, (u32)m.count, 0);
        for (int i = 0; i < m.count; i++) m.distinct->collations[i] = compound_collation(c, s, (u32)i);
        // Without ORDER BY one collation holds for a column of all terms, also of those that are merged first.
        for (u32 i = 0; m.last_within && i < keys->count; i++)
            m.distinct->collations[keys->items[i].order_by_column - 1] = expr_collation(c, keys->items[i].expr);
    }
    struct select *middle = split(s), *left = middle->prior;
    s->rows_estimate = SELECT_ROWS_UNKNOWN;
    select_limit_code(c, s, m.done);
    struct expr *limit = s->limit, *limit_offset = s->limit_offset;
    int limit_register = s->limit_register, offset_register = s->offset_register, limits[2] = {0, 0};
    if (limit_register && op == SELECT_UNION_ALL)
        for (u32 i = 0; i < 2; i++) {
            limits[i] = reg_alloc(c);
            emit(c, OP_Copy, offset_register ? offset_register + 1 : limit_register, limits[i], 0);
        }
    s->limit = s->limit_offset = NULL;
    s->flags &= ~(u32)SELECT_F_FIXED_LIMIT;
    middle->prior = NULL;
    left->next = NULL;
    explain_push(c, "MERGE (%s)", select_op_name((u8)op));
    struct select_dest a, b;
    side_code(&m, left, keys, limits[0], "LEFT", &a);
    side_code(&m, s, keys, limits[1], "RIGHT", &b);
    explain_pop(c);
    bool both = op == SELECT_UNION_ALL || op == SELECT_UNION; // sides give rows
    if (both) s->rows_estimate = logest_add(s->rows_estimate, left->rows_estimate);
    if (op == SELECT_INTERSECT) s->rows_estimate = MIN(s->rows_estimate, left->rows_estimate);
    middle->prior = left;
    left->next = middle;
    s->op = op;
    s->order_by = order_by;
    s->limit = limit;
    s->limit_offset = limit_offset;
    s->limit_register = limit_register;
    s->offset_register = offset_register;

    int begin = emit(c, OP_Goto, 0, 0, 0), compare = emit_label(c);
    int return_a = reg_alloc(c), return_b = reg_alloc(c);
    int give_a = output_code(&m, &a, return_a), give_b = both ? output_code(&m, &b, return_b) : 0;
    // The left side has ended; so has the right one.
    int end_a = m.end, end_a_first = m.end;
    if (both) {
        end_a = emit(c, OP_Gosub, return_b, give_b, 0);
        end_a_first = emit(c, OP_Yield, b.parm, m.end, 0);
        emit_goto(c, end_a);
    }
    int end_b = end_a;
    if (op != SELECT_INTERSECT) {
        end_b = emit(c, OP_Gosub, return_a, give_a, 0);
        emit(c, OP_Yield, a.parm, m.end, 0);
        emit_goto(c, end_b);
    }
    // The left row is larger, equal, smaller: what is done for most rows comes last, before the next comparison.
    int greater = emit_here(c), equal = 0;
    if (both) emit(c, OP_Gosub, return_b, give_b, 0);
    emit(c, OP_Yield, b.parm, end_b, 0);
    emit_goto(c, compare);
    if (op == SELECT_UNION || op == SELECT_EXCEPT) {
        equal = emit(c, OP_Yield, a.parm, end_a, 0);
        emit_goto(c, compare);
    }
    emit_jump_here(c, begin);
    emit(c, OP_Yield, a.parm, end_a_first, 0);
    emit(c, OP_Yield, b.parm, end_b, 0);
    emit_goto(c, compare);
    int less = emit(c, OP_Gosub, return_a, give_a, 0);
    if (!equal) equal = less;
    int advance = emit(c, OP_Yield, a.parm, end_a, 0);
    if (op == SELECT_INTERSECT) less = advance;
    emit_place(c, compare);
    merge_compare_code(c, keys, a.reg, b.reg, less, equal, greater);
    emit_place(c, m.end);
    if (m.last) {
        emit(c, OP_IfNot, m.previous, m.done, 0);
        give_code(&m, m.previous + 1);
    }
    emit_place(c, m.done);
}
