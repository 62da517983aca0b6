// Window functions computed: a partition's rows are gathered in a temporary table, each with the number of its
// peer group behind its columns; then two cursors, the frame's start and end, follow the current row through it.
//
// What enters the frame is stepped into the functions' accumulators, what leaves it is taken out again (of min() and max()
// by fn_sliding_extreme). Functions that cannot take out, and frames with EXCLUDE, scan the frame for each row. Positions
// are rowids, from 1: the frame is start_position..end_position.
#include "select.h"

struct frame {
    struct compile *c;
    struct select *s;
    struct window *first;
    const struct table *t;
    int columns;          // of the inner query; the group number is column `columns`
    int partitions, orders;
    int current, start, end, scan; // cursors
    int start_position, end_position, start_offset, end_offset;
    int position, group;  // of the current row
    int last_group;       // of the row before
    bool scanning;        // some function scans the frame
};

static bool is_call(const struct window *w, const char *name)
{
    return strcmp(w->function->name, name) == 0;
}

// lag, lead, first_value, nth_value: read from the row that they mean.
static bool is_positional(const struct window *w, bool exclude)
{
    if (is_call(w, "lag") || is_call(w, "lead")) return true;
    return !exclude && (is_call(w, "first_value") || is_call(w, "nth_value"));
}

static bool is_scanned(const struct window *w)
{
    if (is_positional(w, w->exclude != EXCLUDE_NO_OTHERS)) return false;
    if (w->exclude != EXCLUDE_NO_OTHERS) return true;
    return !w->function->inverse && w->start != BOUND_UNBOUNDED_PRECEDING;
}

static u32 argument_count(const struct window *w)
{
    return w->owner->list ? w->owner->list->count : 0;
}

struct row_cursor {
    s32 from, to;
};

static enum walk_result row_cursor_set(struct walker *w, struct expr *e)
{
    const struct row_cursor *cursor = w->context;
    if (e->kind == EXPR_COLUMN && e->cursor == cursor->from) e->cursor = cursor->to;
    return WALK_CONTINUE;
}

// The arguments for the row under the cursor. A copy of each is coded: a function steps rows in several places.
static void arguments_compute(struct frame *f, struct window *w, int cursor, int reg)
{
    struct row_cursor row = {.from = f->first->cursor, .to = cursor};
    struct walker walker = {.expr = row_cursor_set, .select = walk_into_select, .context = &row};
    for (u32 i = 0; i < argument_count(w); i++) {
        struct expr *argument = expr_copy(f->c->arena, w->owner->list->items[i].expr);
        walk_expr(&walker, argument);
        expr_code(f->c, argument, reg + (int)i);
    }
}

// Steps (or takes out) the row under the cursor for one function.
static void step_code(struct frame *f, struct window *w, int cursor, bool inverse)
{
    struct compile *c = f->c;
    u32 count = argument_count(w);
    int reg = count ? reg_temp_range(c, (int)count) : 0;
    int skip = 0;
    const u32 stored = window_computes(w) ? 0 : count;
    if (w->filter) {
        int test = reg_temp(c);
        emit(c, OP_Column, cursor, w->argument_column + (int)stored, test);
        skip = emit(c, OP_IfNot, test, 0, 1);
        reg_release(c, test);
    }
    if (stored < count) arguments_compute(f, w, cursor, reg);
    for (u32 i = 0; i < stored; i++) {
        // Which of the frame's rows nth_value() is to give is the current row's to say.
        int from = i == 1 && is_call(w, "nth_value") ? f->current : cursor;
        emit(c, OP_Column, from, w->argument_column + (int)i, reg + (int)i);
    }
    if (w->function->flags & FN_NEEDS_COLLATION && count) {
        const struct collation *k = expr_collation(c, w->owner->list->items[0].expr);
        emit_collation(c, OP_CollSeq, 0, 0, 0, k);
    }
    program_emit_function(c->program, inverse ? OP_AggInverse : OP_AggStep, 0, reg, w->reg_accumulator, w->function, count);
    if (skip) emit_jump_here(c, skip);
    if (count) reg_release_range(c, reg, (int)count);
}

static void steps_code(struct frame *f, int cursor, bool inverse)
{
    for (struct window *w = f->first; w; w = w->next_function)
        if (!is_scanned(w) && !is_positional(w, w->exclude != EXCLUDE_NO_OTHERS)) step_code(f, w, cursor, inverse);
}

// Fails unless the frame's offset is a number that may be one.
static void check_offset(struct compile *c, int reg, int which, bool range)
{
    static const char *const texts[] = {
        "frame starting offset must be a non-negative integer", "frame ending offset must be a non-negative integer",
        "second argument to nth_value must be a positive integer", "frame starting offset must be a non-negative number",
        "frame ending offset must be a non-negative number"};
    static const enum opcode tests[] = {OP_Ge, OP_Ge, OP_Gt, OP_Ge, OP_Ge};
    int zero = reg_temp(c);
    if (range) which += 3;
    emit(c, OP_Integer, 0, zero, 0);
    int fail = 0;
    if (range) {
        int text = reg_temp(c);
        emit_string(c, "", 0, text);
        fail = emit(c, OP_Ge, text, 0, reg);
        emit_set_p5(c, AFFINITY_NUMERIC | COMPARE_JUMP_IF_NULL);
        reg_release(c, text);
    } else {
        fail = emit(c, OP_MustBeInt, reg, 0, 0);
    }
    int good = emit(c, tests[which], zero, 0, reg);
    emit_set_p5(c, AFFINITY_NUMERIC);
    emit_jump_here(c, fail);
    int halt = emit(c, OP_Halt, ERR_ERROR, CONFLICT_ABORT, 0);
    c->top->may_abort = true;
    program_p4_text(c->program, halt, texts[which], -1);
    emit_jump_here(c, good);
    reg_release(c, zero);
}

static const struct expr_item *order_item(const struct frame *f)
{
    return &f->first->order_by->items[0];
}

// RANGE with an offset: jumps to label when  value(a) +/- offset  OP  value(b)  holds for the only ORDER BY column.
static void range_test(struct frame *f, enum opcode op, bool add, int a, int offset, int b, int label)
{
    struct compile *c = f->c;
    const struct expr_item *item = order_item(f);
    int column = f->first->buffer_columns + f->partitions;
    int ra = reg_temp(c), rb = reg_temp(c), text = reg_temp(c);
    int done = emit_label(c);
    emit(c, OP_Column, a, column, ra);
    emit(c, OP_Column, b, column, rb);
    if (expr_item_nulls_big(item)) {
        // NULL is the largest here.
        int a_value = emit(c, OP_NotNull, ra, 0, 0);
        if (op == OP_Ge) emit_goto(c, label);
        else if (op == OP_Gt) emit(c, OP_NotNull, rb, label, 0);
        else if (op == OP_Le) emit(c, OP_IsNull, rb, label, 0);
        emit_goto(c, done);
        emit_jump_here(c, a_value);
        emit(c, OP_IsNull, rb, op == OP_Lt || op == OP_Le ? label : done, 0);
    }
    emit_string(c, "", 0, text);
    int no_sum = emit(c, OP_Ge, text, 0, ra);
    // NULL +/- offset is NULL; text stays as it is.
    if ((op == OP_Ge && add) || (op == OP_Le && !add)) {
        emit(c, op, rb, label, ra);
    }
    emit(c, add ? OP_Add : OP_Subtract, offset, ra, ra);
    emit_jump_here(c, no_sum);
    emit_collation(c, op, rb, label, ra, expr_collation_or_null(c, item->expr));
    emit_set_p5(c, COMPARE_NULL_EQUAL);
    emit_place(c, done);
    reg_release(c, ra);
    reg_release(c, rb);
    reg_release(c, text);
}

// Jumps to `label` when the row under f->end is within the frame's end, to `past` or on when it is not. The sums of
// RANGE are taken on the side where SQLite takes them, since they may leave the range of integers.
static void end_test(struct frame *f, int label, int past)
{
    struct compile *c = f->c;
    const struct window *w = f->first;
    int bound = reg_temp(c), own = reg_temp(c);
    if (w->end == BOUND_UNBOUNDED_FOLLOWING) {
        emit_goto(c, label);
    } else if (w->unit == FRAME_RANGE && w->end != BOUND_CURRENT_ROW) {
        bool descending = order_item(f)->descending;
        if (w->end == BOUND_FOLLOWING) {
            // current + n >= end's, or, descending, current - n <= end's
            range_test(f, descending ? OP_Le : OP_Ge, !descending, f->current, f->end_offset, f->end, label);
        } else {
            range_test(f, descending ? OP_Lt : OP_Gt, !descending, f->end, f->end_offset, f->current, past);
            emit_goto(c, label);
        }
    } else {
        bool rows = w->unit == FRAME_ROWS;
        int base = rows ? f->position : f->group;
        if (rows) emit(c, OP_Rowid, f->end, own, 0);
        else emit(c, OP_Column, f->end, f->columns, own);
        if (w->end == BOUND_CURRENT_ROW) emit(c, OP_SCopy, base, bound, 0);
        else if (w->end == BOUND_FOLLOWING) emit(c, OP_Add, f->end_offset, base, bound);
        else emit(c, OP_Subtract, f->end_offset, base, bound);
        emit(c, OP_Le, bound, label, own); // own <= bound
    }
    reg_release(c, bound);
    reg_release(c, own);
}

// Jumps to `label` when the row under f->start is before the frame, to `in` or on when it is not.
static void start_test(struct frame *f, int label, int in)
{
    struct compile *c = f->c;
    const struct window *w = f->first;
    int bound = reg_temp(c), own = reg_temp(c);
    if (w->unit == FRAME_RANGE && w->start != BOUND_CURRENT_ROW) {
        bool descending = order_item(f)->descending;
        if (w->start == BOUND_FOLLOWING)
            range_test(f, descending ? OP_Ge : OP_Le, !descending, f->current, f->start_offset, f->start, in);
        else
            range_test(f, descending ? OP_Le : OP_Ge, !descending, f->start, f->start_offset, f->current, in);
        emit_goto(c, label);
    } else {
        bool rows = w->unit == FRAME_ROWS;
        int base = rows ? f->position : f->group;
        if (rows) emit(c, OP_Rowid, f->start, own, 0);
        else emit(c, OP_Column, f->start, f->columns, own);
        if (w->start == BOUND_CURRENT_ROW) emit(c, OP_SCopy, base, bound, 0);
        else if (w->start == BOUND_FOLLOWING) emit(c, OP_Add, f->start_offset, base, bound);
        else emit(c, OP_Subtract, f->start_offset, base, bound);
        emit(c, OP_Lt, bound, label, own); // own < bound
    }
    reg_release(c, bound);
    reg_release(c, own);
}

static void advance_end(struct frame *f)
{
    struct compile *c = f->c;
    int loop = emit_label(c), within = emit_label(c), done = emit_label(c), moved = emit_label(c);
    emit_place(c, loop);
    int at = reg_temp(c);
    // NULL once past the last row.
    emit(c, OP_Rowid, f->end, at, 0);
    emit(c, OP_IsNull, at, done, 0);
    reg_release(c, at);
    end_test(f, within, done);
    emit_goto(c, done);
    emit_place(c, within);
    emit(c, OP_AddImm, f->end_position, 1, 0);
    emit(c, OP_Lt, f->start_position, moved, f->end_position); // left the frame before it entered
    steps_code(f, f->end, false);
    emit_place(c, moved);
    emit(c, OP_Next, f->end, loop, 0);
    emit(c, OP_NullRow, f->end, 0, 0);
    emit_place(c, done);
}

static void advance_start(struct frame *f)
{
    struct compile *c = f->c;
    if (f->first->start == BOUND_UNBOUNDED_PRECEDING) return;
    int loop = emit_label(c), before = emit_label(c), done = emit_label(c), moved = emit_label(c);
    emit_place(c, loop);
    int at = reg_temp(c);
    emit(c, OP_Rowid, f->start, at, 0);
    emit(c, OP_IsNull, at, done, 0);
    reg_release(c, at);
    start_test(f, before, done);
    emit_goto(c, done);
    emit_place(c, before);
    emit(c, OP_Gt, f->end_position, moved, f->start_position); // it has not entered
    steps_code(f, f->start, true);
    emit_place(c, moved);
    emit(c, OP_AddImm, f->start_position, 1, 0);
    emit(c, OP_Next, f->start, loop, 0);
    emit(c, OP_NullRow, f->start, 0, 0);
    emit_place(c, done);
}

// The frame from its first row to its last, for the functions that need that.
static void scan_code(struct frame *f)
{
    struct compile *c = f->c;
    u8 exclude = f->first->exclude;
    for (struct window *w = f->first; w; w = w->next_function)
        if (is_scanned(w)) emit(c, OP_Null, 0, w->reg_accumulator, 0);
    int done = emit_label(c), next = emit_label(c), loop = emit_label(c);
    int rowid = reg_alloc(c), group = reg_alloc(c);
    emit(c, OP_SeekGE, f->scan, done, f->start_position);
    emit_place(c, loop);
    emit(c, OP_Rowid, f->scan, rowid, 0);
    emit(c, OP_Gt, f->end_position, done, rowid);
    if (exclude == EXCLUDE_CURRENT_ROW) {
        emit(c, OP_Eq, f->position, next, rowid);
    } else if (exclude != EXCLUDE_NO_OTHERS) {
        int keep = 0;
        if (exclude == EXCLUDE_TIES) keep = emit(c, OP_Eq, f->position, 0, rowid);
        emit(c, OP_Column, f->scan, f->columns, group);
        emit(c, OP_Eq, f->group, next, group);
        if (keep) emit_jump_here(c, keep);
    }
    for (struct window *w = f->first; w; w = w->next_function)
        if (is_scanned(w)) step_code(f, w, f->scan, false);
    emit_place(c, next);
    emit(c, OP_Next, f->scan, loop, 0);
    emit_place(c, done);
    for (struct window *w = f->first; w; w = w->next_function) {
        if (!is_scanned(w)) continue;
        u32 count = argument_count(w);
        program_emit_function(c->program, OP_AggFinal, w->reg_accumulator, (int)count, 0, w->function, count);
        emit(c, OP_Copy, w->reg_accumulator, w->reg_result, 0);
        emit(c, OP_Null, 0, w->reg_accumulator, 0);
    }
}

static void positional_code(struct frame *f, struct window *w)
{
    struct compile *c = f->c;
    u32 count = argument_count(w);
    int at = reg_alloc(c);
    emit(c, OP_Null, 0, w->reg_result, 0);
    int none = emit_label(c);
    if (is_call(w, "lag") || is_call(w, "lead")) {
        bool lead = is_call(w, "lead");
        if (count < 2) {
            emit(c, OP_Copy, f->position, at, 0);
            emit(c, OP_AddImm, at, lead ? 1 : -1, 0);
        } else {
            int offset = reg_temp(c);
            emit(c, OP_Column, f->current, w->argument_column + 1, offset);
            emit(c, lead ? OP_Add : OP_Subtract, offset, f->position, at);
            reg_release(c, offset);
        }
        if (count > 2) emit(c, OP_Column, f->current, w->argument_column + 2, w->reg_result);
        if (!lead) {
            // lag()'s frame ends at the current row; SQLite has read one row more.
            int last = reg_temp(c);
            emit(c, OP_Copy, f->position, last, 0);
            emit(c, OP_AddImm, last, 1, 0);
            emit(c, OP_Gt, last, none, at);
            reg_release(c, last);
        }
    } else {
        emit(c, OP_Copy, f->start_position, at, 0);
        if (is_call(w, "nth_value")) {
            int n = reg_temp(c);
            emit(c, OP_Column, f->current, w->argument_column + 1, n);
            check_offset(c, n, 2, false);
            emit(c, OP_Add, n, at, at);
            emit(c, OP_AddImm, at, -1, 0);
            reg_release(c, n);
        }
        emit(c, OP_Gt, f->end_position, none, at);
    }
    emit(c, OP_SeekRowid, f->scan, none, at);
    emit(c, OP_Column, f->scan, w->argument_column, w->reg_result);
    emit_place(c, none);
}

static void values_code(struct frame *f)
{
    struct compile *c = f->c;
    if (f->scanning) scan_code(f);
    for (struct window *w = f->first; w; w = w->next_function)
        if (!is_scanned(w) && is_positional(w, w->exclude != EXCLUDE_NO_OTHERS)) positional_code(f, w);
    // Peers share a frame that is not one of rows, and its values: they are asked for once (rank() counts on it).
    int shared = 0;
    if (f->first->unit != FRAME_ROWS) {
        shared = emit(c, OP_Eq, f->last_group, 0, f->group);
        emit(c, OP_Copy, f->group, f->last_group, 0);
    }
    for (struct window *w = f->first; w; w = w->next_function) {
        if (is_scanned(w) || is_positional(w, w->exclude != EXCLUDE_NO_OTHERS)) continue;
        u32 count = argument_count(w);
        program_emit_function(c->program, OP_AggValue, w->reg_accumulator, (int)count, w->reg_result, w->function, count);
    }
    if (shared) emit_jump_here(c, shared);
}

// Whether rows leave the frame before others enter it: as in SQLite, since sums may overflow or round on the way.
static bool leaves_first(const struct window *w)
{
    if (w->start == BOUND_FOLLOWING) return w->unit != FRAME_RANGE && w->end == BOUND_FOLLOWING;
    return !(w->unit == FRAME_RANGE && w->start == BOUND_PRECEDING && w->end == BOUND_PRECEDING);
}

// Frames that are behind the current row: SQLite steps the rows before the first of them too, and takes each out again, of which sums
// of reals and infinities keep something. As if rows came before the first, up to the one whose frame begins to reach the partition.
static void approach_code(struct frame *f)
{
    struct compile *c = f->c;
    const struct window *w = f->first;
    if (w->unit == FRAME_RANGE || w->start != BOUND_FOLLOWING || w->end != BOUND_FOLLOWING) return;
    int base = w->unit == FRAME_ROWS ? f->position : f->group, done = emit_label(c), loop = emit_label(c), reg = reg_temp(c);
    emit(c, OP_Gt, f->end_offset, done, f->start_offset); // no frame has a row
    emit(c, OP_Integer, 1, reg, 0);
    emit(c, OP_Subtract, f->end_offset, reg, base);
    emit_place(c, loop);
    emit(c, OP_Integer, 1, reg, 0);
    emit(c, OP_Ge, reg, done, base);
    emit(c, OP_Rowid, f->end, reg, 0);
    emit(c, OP_IsNull, reg, done, 0);
    reg_release(c, reg);
    advance_start(f);
    advance_end(f);
    emit(c, OP_AddImm, base, 1, 0);
    emit_goto(c, loop);
    emit_place(c, done);
}

void select_window_rows(struct compile *c, struct select *s, struct where_info *where, struct select_dest *dest,
                        struct sort *sort, struct distinct *d, int end)
{
    struct window *first = s->functions;
    struct source *item = &s->from->items[0];
    struct frame f = {.c = c, .s = s, .first = first, .t = item->table, .columns = item->table->column_count};
    f.partitions = first->partition ? (int)first->partition->count : 0;
    f.orders = first->order_by ? (int)first->order_by->count : 0;
    f.current = first->cursor;
    f.start = cursor_alloc(c);
    f.end = cursor_alloc(c);
    f.scan = cursor_alloc(c);
    f.start_position = reg_alloc(c);
    f.end_position = reg_alloc(c);
    f.start_offset = reg_alloc(c);
    f.end_offset = reg_alloc(c);
    f.position = reg_alloc(c);
    f.group = reg_alloc(c);
    f.last_group = reg_alloc(c);
    for (struct window *w = first; w; w = w->next_function) {
        w->reg_accumulator = reg_alloc(c);
        w->reg_result = reg_alloc(c);
        bool slides = w->start != BOUND_UNBOUNDED_PRECEDING && w->exclude == EXCLUDE_NO_OTHERS;
        if (slides && w->function->flags & FN_MIN_MAX) w->function = fn_sliding_extreme(w->function);
        f.scanning |= is_scanned(w);
    }
    int group_count = reg_alloc(c), return_reg = reg_alloc(c);
    int flush = emit_label(c), finished = emit_label(c);
    int rows = item->reg_result;
    int record = reg_alloc(c), rowid = reg_alloc(c);
    int previous_partition = f.partitions ? reg_alloc_range(c, f.partitions) : 0;
    int previous_order = f.orders ? reg_alloc_range(c, f.orders) : 0;
    int row = reg_alloc_range(c, f.columns + 1);
    int opened = first->reg_one;

    // The loop over the inner query is under way: tables are opened at its first row.
    int once = emit(c, OP_If, opened, 0, 0);
    emit(c, OP_OpenEphemeral, f.current, f.columns + 1, 0);
    emit(c, OP_OpenDup, f.start, f.current, 0);
    emit(c, OP_OpenDup, f.end, f.current, 0);
    emit(c, OP_OpenDup, f.scan, f.current, 0);
    emit(c, OP_Integer, 1, opened, 0);
    emit(c, OP_Integer, 0, group_count, 0);
    int first_row = emit_label(c);
    if (f.partitions) emit(c, OP_Copy, rows + first->buffer_columns, previous_partition, f.partitions - 1);
    emit_goto(c, first_row);
    emit_jump_here(c, once);
    int new_group = emit_label(c), same_group = emit_label(c);
    if (f.partitions) {
        struct key_info *key = key_info_of_list(c, first->partition, 0, 0);
        emit_key(c, OP_Compare, previous_partition, rows + first->buffer_columns, f.partitions, key);
        int same = emit(c, OP_Jump, emit_here(c) + 1, emit_here(c) + 4, emit_here(c) + 1);
        emit(c, OP_Gosub, return_reg, flush, 0);
        emit(c, OP_Copy, rows + first->buffer_columns, previous_partition, f.partitions - 1);
        emit_goto(c, first_row);
        emit_op(c, same)->p2 = emit_here(c);
    }
    if (f.orders) {
        struct key_info *key = key_info_of_list(c, first->order_by, 0, 0);
        emit_key(c, OP_Compare, previous_order, rows + first->buffer_columns + f.partitions, f.orders, key);
        emit(c, OP_Jump, new_group, same_group, new_group);
    } else {
        emit_goto(c, same_group);
    }
    emit_place(c, first_row);
    emit_place(c, new_group);
    emit(c, OP_AddImm, group_count, 1, 0);
    if (f.orders) emit(c, OP_Copy, rows + first->buffer_columns + f.partitions, previous_order, f.orders - 1);
    emit_place(c, same_group);
    emit(c, OP_Copy, rows, row, f.columns - 1);
    emit(c, OP_Copy, group_count, row + f.columns, 0);
    emit(c, OP_MakeRecord, row, f.columns + 1, record);
    emit(c, OP_NewRowid, f.current, rowid, 0);
    emit(c, OP_Insert, f.current, record, rowid);
    emit_set_p5(c, WRITE_APPEND);
    where_end(where);
    // No row at all: no table was opened.
    emit(c, OP_IfNot, opened, finished, 1);
    emit(c, OP_Gosub, return_reg, flush, 0);
    emit_goto(c, finished);

    emit_place(c, flush);
    int leave = emit_label(c);
    emit(c, OP_Rewind, f.current, leave, 0);
    emit(c, OP_Rewind, f.end, leave, 0);
    emit(c, OP_Rewind, f.start, leave, 0);
    emit(c, OP_Integer, 1, f.start_position, 0);
    emit(c, OP_Integer, 0, f.end_position, 0);
    emit(c, OP_Integer, 0, f.last_group, 0);
    for (struct window *w = first; w; w = w->next_function) emit(c, OP_Null, 0, w->reg_accumulator, 0);
    bool range = first->unit == FRAME_RANGE;
    bool factoring = c->factoring;
    if (first->start_expr) {
        expr_code_copy(c, first->start_expr, f.start_offset);
        check_offset(c, f.start_offset, 0, range);
    }
    if (first->end_expr) {
        expr_code_copy(c, first->end_expr, f.end_offset);
        check_offset(c, f.end_offset, 1, range);
    }
    c->factoring = factoring;
    approach_code(&f);
    int top = emit_here(c), next = emit_label(c);
    emit(c, OP_Rowid, f.current, f.position, 0);
    emit(c, OP_Column, f.current, f.columns, f.group);
    if (leaves_first(first)) {
        advance_start(&f);
        advance_end(&f);
    } else {
        advance_end(&f);
        advance_start(&f);
    }
    values_code(&f);
    select_row_code(c, s, -1, sort, d, dest, next, end);
    emit_place(c, next);
    emit(c, OP_Next, f.current, top, 0);
    emit_place(c, leave);
    emit(c, OP_ResetSorter, f.current, 0, 0);
    emit(c, OP_Integer, 0, group_count, 0);
    emit(c, OP_Return, return_reg, 0, 0);
    emit_place(c, finished);
    if (d->kind == ROW_DISTINCT_UNORDERED) explain_temp_btree(c, "DISTINCT");
    reg_forget_temps(c);
}
