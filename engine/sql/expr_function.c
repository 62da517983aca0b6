// Calls of functions, and which aggregates an expression holds.
#include "../fn/fn.h"
#include "../fts/fts_table.h"
#include "emit.h"
#include "expr.h"

// Inline functions: gives the register, or 0 when the function is an ordinary one.
static int inline_function_code(struct compile *c, struct expr *e, int target)
{
    const char *name = e->text;
    struct expr_list *list = e->list;
    u32 count = list ? list->count : 0;
    if (!(e->function->flags & FN_INLINE)) return 0; // an application's of that name
    if ((name_equal(name, "coalesce") || name_equal(name, "ifnull")) && count >= 2) {
        int end = emit_label(c);
        bool factoring = c->factoring;
        expr_code(c, list->items[0].expr, target);
        for (u32 i = 1; i < count; i++) {
            emit(c, OP_NotNull, target, end, 0);
            c->factoring = false;
            expr_code(c, list->items[i].expr, target);
            c->factoring = factoring;
        }
        emit_place(c, end);
        return target;
    }
    if ((name_equal(name, "iif") || name_equal(name, "if")) && count >= 2) {
        struct expr choice = {.kind = EXPR_CASE, .list = list, .on_cursor = -1, .offset = e->offset};
        return expr_code_target(c, &choice, target);
    }
    if (e->flags & EXPR_F_UNLIKELY) return expr_code_target(c, list->items[0].expr, target);
    return 0;
}

// Whether the first argument is the column that stands for a full-text table as a whole.
static bool full_text_call(const struct expr *e)
{
    if (!e->list || !e->list->count) return false;
    const struct expr *table = e->list->items[0].expr;
    return table->kind == EXPR_COLUMN && table->table && table->table->fts && table->cursor >= 0 &&
           table->column == table->table->column_count - 2;
}

static int full_text_code(struct compile *c, struct expr *e, int target)
{
    const struct fn_def *own = connection_full_text_function(c->db, e->function->name);
    enum fts_function f = FTS_BM25;
    (void)fts_function_find(e->function->name, &f);
    int count = (int)e->list->count - 1, first = count ? reg_alloc_range(c, count) : 0;
    for (int i = 0; i < count; i++) expr_code(c, e->list->items[i + 1].expr, first + i);
    int address = emit(c, OP_VFunction, e->list->items[0].expr->cursor, first, target);
    if (own)
        program_p4_pointer(c->program, address, own);
    else
        program_p4_integer(c->program, address, f);
    emit_set_p5(c, (u16)count);
    return target;
}

int function_code(struct compile *c, struct expr *e, int target)
{
    if (e->flags & EXPR_F_WINDOW_FUNCTION && e->window) return e->window->reg_result;
    const struct fn_def *def = e->function;
    // In the schema, which is read whatever functions there are, or a default value, which nothing has resolved.
    if (!def || (def->step && !def->scalar)) compile_fail_at(c, e, "unknown function: %s()", e->text);
    if (c->factoring && expr_is_constant_not_join(c, e)) return expr_code_once(c, e);
    int done = inline_function_code(c, e, target);
    if (done) return done;
    struct expr_list *list = e->list;
    u32 count = list ? list->count : 0;
    if (def->flags & FN_FULL_TEXT && full_text_call(e)) return full_text_code(c, e, target);
    if (def->flags & FN_FULL_TEXT && connection_full_text_function(c->db, def->name) == def)
        compile_fail_at(c, e, "unable to use function %s in the requested context", def->name);
    u32 constant_mask = 0;
    const struct collation *collation = NULL;
    for (u32 i = 0; i < count; i++) {
        if (i < 32 && expr_is_constant(c, list->items[i].expr)) constant_mask |= 1u << i;
        if (def->flags & FN_NEEDS_COLLATION && !collation) collation = expr_collation_or_null(c, list->items[i].expr);
    }
    int first = 0;
    if (count) {
        if (constant_mask) {
            // Constants stay in their registers from row to row.
            first = reg_alloc_range(c, (int)count);
        } else {
            first = reg_temp_range(c, (int)count);
        }
        s32 from = program_address(c->program);
        expr_list_code(c, list, first, 0, LIST_CODE_FACTOR | LIST_CODE_DUP);
        if (def->flags & (FN_LENGTH | FN_TYPE))
            column_read_less(c, from, first, (def->flags & FN_LENGTH ? COLUMN_LENGTH_ONLY : 0) | (def->flags & FN_TYPE ? COLUMN_TYPE_ONLY : 0));
    }
    if (def->flags & FN_NEEDS_COLLATION) {
        if (!collation) collation = &COLLATION_BINARY;
        emit_collation(c, OP_CollSeq, 0, 0, 0, collation);
    }
    enum opcode op = c->self_cursor && def->flags & FN_SLOW_CHANGE ? OP_PureFunc : OP_Function;
    s32 at = program_emit_function(c->program, op, (int)constant_mask, first, target, def, count);
    c->top->may_abort = true; // it may fail
    if (op == OP_PureFunc) {
        const char *what = c->generated ? "a generated column" : c->self_what;
        program_function_pure(c->program, at, what ? what : "an index");
    }
    if (count && !constant_mask) reg_release_range(c, first, (int)count);
    return target;
}

int current_time_code(struct compile *c, struct expr *e, int target)
{
    bool exists;
    const struct fn_def *def = compile_function(c, e->text, 0, &exists);
    if (!def) compile_fail_at(c, e, "no such function: %s", e->text);
    program_emit_function(c->program, OP_Function, 0, 0, target, def, 0);
    return target;
}

// ---- defaults -------------------------------------------------------------------------------------------------

static void numeric_negate(struct value *v)
{
    if (v->type == VALUE_NULL) return;
    (void)value_apply_affinity(v, AFFINITY_NUMERIC); // '1e3' is an integer here
    value_to_numeric(v, 0);
    if (v->type == VALUE_INTEGER && v->integer != INT64_MIN) value_set_integer(v, -v->integer);
    else value_set_real(v, -value_to_real(v));
}

// One minus or two of them. A blob is read as UTF-8 here, whatever the database has.
static void numeric_signed(struct value *v, bool minus)
{
    numeric_negate(v);
    if (!minus) numeric_negate(v);
}

bool value_from_expr(struct compile *c, const struct expr *e, char affinity, struct value *out)
{
    bool minus = false, signs = false, computed = false; // computed: not a literal with at most one sign
    err_code code = ERR_OK;
    while (e->kind == EXPR_PLUS || e->kind == EXPR_NEGATE || e->kind == EXPR_COLLATE) {
        if (e->kind == EXPR_NEGATE) {
            minus = !minus;
            signs = true;
            computed |= e->left->kind != EXPR_REAL;
        }
        e = e->left;
    }
    switch (e->kind) {
    case EXPR_NULL:
        value_set_null(out);
        return true;
    case EXPR_INTEGER:
    case EXPR_BOOLEAN:
        if (signs && e->integer == INT64_MIN)
            value_set_real(out, minus ? -(double)INT64_MIN : (double)INT64_MIN);
        else
            value_set_integer(out, minus ? -e->integer : e->integer);
        break;
    case EXPR_REAL:
        if (minus && e->flags & EXPR_F_BIG_INTEGER && strcmp(e->text, "9223372036854775808") == 0) {
            value_set_integer(out, INT64_MIN);
        } else if (affinity == AFFINITY_TEXT && !computed) { // as it is written
            code = value_set_text(out, minus ? arena_format(c->arena, "-%s", e->text) : e->text, e->text_size + minus);
        } else if (affinity == AFFINITY_TEXT) {
            code = value_set_text(out, e->text, e->text_size);
            if (code == ERR_OK) numeric_signed(out, minus);
        } else {
            value_set_real(out, minus ? -e->real : e->real);
        }
        break;
    case EXPR_TEXT:
    case EXPR_NAME:
        if (expr_is_true_or_false(e)) {
            value_set_integer(out, name_equal(e->text, "true"));
            break;
        }
        code = value_set_text(out, e->text, e->kind == EXPR_NAME ? strlen(e->text) : e->text_size);
        if (signs && code == ERR_OK) numeric_signed(out, minus);
        break;
    case EXPR_BLOB:
        code = value_set_blob(out, e->text, e->text_size);
        if (signs && code == ERR_OK) numeric_signed(out, minus);
        break;
    case EXPR_CAST:
        if (!value_from_expr(c, e->left, (char)affinity_of_cast(e->text), out)) return false;
        code = value_cast(out, affinity_of_cast(e->text), 0);
        if (signs && code == ERR_OK) numeric_signed(out, minus);
        break;
    default:
        return false;
    }
    if (code == ERR_OK) code = value_apply_affinity(out, affinity);
    if (code != ERR_OK) compile_fail(c, code, -1, "out of memory");
    return true;
}

// ---- declared types ---------------------------------------------------------------------------------------------

const char *expr_decltype(struct compile *c, struct name_context *n, const struct expr *e)
{
    switch (e->kind) {
    case EXPR_COLUMN:
    case EXPR_AGG_COLUMN:
        if (!e->table) return NULL;
        if (e->column < 0) {
            int key = e->table->rowid_column;
            return key >= 0 && e->table->columns[key].type[0] ? e->table->columns[key].type : "INTEGER";
        }
        if (e->table->flags & TABLE_EPHEMERAL) return e->table->columns[e->column].default_text;
        return column_decltype(&e->table->columns[e->column]);
    case EXPR_SELECT:
        if (!e->select || !e->select->columns) return NULL;
        return expr_decltype(c, n, e->select->columns->items[0].expr);
    }
    return NULL;
}

// ---- aggregates ---------------------------------------------------------------------------------------------------

struct analyze {
    struct name_context *n;
    int depth;
};

static int column_add(struct compile *c, struct aggregate_info *a, struct expr *e)
{
    for (u32 i = 0; i < a->column_count; i++) {
        struct aggregate_column *column = &a->columns[i];
        if (column->expr == e) return (int)i;
        if (column->cursor == e->cursor && column->column == e->column && e->kind != EXPR_IF_NULL_ROW) return (int)i;
    }
    a->columns = arena_grow(c->arena, a->columns, a->column_count, &a->column_capacity, sizeof *a->columns);
    struct aggregate_column *column = &a->columns[a->column_count];
    *column = (struct aggregate_column){.table = e->table, .expr = e, .cursor = e->cursor, .column = e->column, .sorter_column = -1};
    if (e->kind == EXPR_IF_NULL_ROW) column->cursor = -1; // no column of the table is the same
    if (a->group_by && e->kind != EXPR_IF_NULL_ROW)
        for (u32 i = 0; i < a->group_by->count; i++) {
            const struct expr *g = a->group_by->items[i].expr;
            if ((g->kind == EXPR_COLUMN || g->kind == EXPR_AGG_COLUMN) && g->cursor == e->cursor && g->column == e->column)
                column->sorter_column = (int)i;
        }
    if (column->sorter_column < 0) column->sorter_column = a->sorting_columns++;
    return (int)a->column_count++;
}

static enum walk_result plain_column(struct walker *w, struct expr *e)
{
    if (e->kind == EXPR_AGG_COLUMN) e->kind = EXPR_COLUMN;
    return WALK_CONTINUE;
}

// An argument, or a part of one, that an index of the loops under way has becomes a column of its own: so the table's need
// not be read.
static bool indexed_argument(struct name_context *n, struct aggregate_info *a, struct expr *e)
{
    struct compile *c = n->c;
    if (e->flags & (EXPR_F_HAS_COLLATE | EXPR_F_SUBTYPE_WANTED | EXPR_F_LEAF)) return false;
    const struct column_source *s = c->index_exprs;
    bool own = false;
    for (; s; s = s->next) {
        own = false;
        for (u32 i = 0; i < n->sources->count; i++) own |= n->sources->items[i].cursor == s->table_cursor;
        if (own && expr_compare(c, e, s->expr, s->table_cursor) == 0) break;
    }
    if (!s) return false;
    u32 i;
    for (i = a->accumulator_count; i < a->column_count; i++)
        if (!a->columns[i].table && expr_compare(c, e, a->columns[i].expr, s->table_cursor) == 0) break;
    if (i == a->column_count) {
        struct expr *copy = expr_copy(c->arena, e);
        walk_expr(&(struct walker){.expr = plain_column}, copy);
        a->columns = arena_grow(c->arena, a->columns, a->column_count, &a->column_capacity, sizeof *a->columns);
        a->columns[a->column_count++] =
            (struct aggregate_column){.expr = copy, .cursor = -1, .column = -1, .sorter_column = a->sorting_columns++};
    }
    *e = (struct expr){.kind = EXPR_AGG_COLUMN, .affinity = (u8)expr_affinity(e), .cursor = -1, .column = -1, .on_cursor = -1,
                       .aggregate = a, .aggregate_index = (s32)i};
    return true;
}

static enum walk_result analyze_expr(struct walker *w, struct expr *e)
{
    struct analyze *k = w->context;
    struct name_context *n = k->n;
    struct compile *c = n->c;
    struct aggregate_info *a = n->aggregates;
    switch (e->kind) {
    case EXPR_IF_NULL_ROW:
    case EXPR_COLUMN:
    case EXPR_AGG_COLUMN:
        if (!n->sources) return WALK_CONTINUE;
        for (u32 i = 0; i < n->sources->count; i++) {
            if (n->sources->items[i].cursor != e->cursor) continue;
            e->aggregate_index = column_add(c, a, e);
            e->aggregate = a;
            if (e->kind != EXPR_IF_NULL_ROW) e->kind = EXPR_AGG_COLUMN;
            break;
        }
        return WALK_CONTINUE;
    case EXPR_AGG_FUNCTION: {
        if (n->flags & NAME_IN_AGGREGATE || k->depth != e->aggregate_level || e->aggregate) return WALK_CONTINUE;
        u32 i;
        for (i = 0; i < a->function_count; i++)
            if (a->functions[i].expr == e || expr_compare(c, a->functions[i].expr, e, -1) == 0) break;
        if (i == a->function_count) {
            a->functions =
                arena_grow(c->arena, a->functions, a->function_count, &a->function_capacity, sizeof *a->functions);
            struct aggregate_function *f = &a->functions[a->function_count++];
            *f = (struct aggregate_function){.expr = e, .def = e->function, .distinct_cursor = -1, .distinct_hash = -1, .order_cursor = -1};
            if (e->order_by && !(e->function->flags & FN_MIN_MAX) && !(e->function->flags & FN_COUNT)) {
                f->order_cursor = cursor_alloc(c);
                f->order_payload = true;
                if (e->order_by->count == 1 && e->list && e->list->count == 1 &&
                    expr_compare(c, e->order_by->items[0].expr, e->list->items[0].expr, -1) == 0)
                    f->order_payload = false;
                f->order_unique = e->flags & EXPR_F_DISTINCT;
                f->use_subtype = f->def->flags & FN_READS_SUBTYPE;
                if (f->order_payload && e->flags & EXPR_F_DISTINCT) {
                    f->distinct_cursor = cursor_alloc(c);
                    f->order_unique = false;
                }
            } else if (e->flags & EXPR_F_DISTINCT && e->list) {
                f->distinct_cursor = cursor_alloc(c);
            }
            if (e->flags & EXPR_F_DISTINCT && (!e->list || e->list->count != 1))
                compile_fail_at(c, e, "DISTINCT aggregates must have exactly one argument");
        }
        e->aggregate_index = (s32)i;
        e->aggregate = a;
        return WALK_PRUNE;
    }
    }
    if (n->flags & NAME_IN_AGGREGATE && c->index_exprs && n->sources && indexed_argument(n, a, e)) return WALK_PRUNE;
    return WALK_CONTINUE;
}

static enum walk_result analyze_select(struct walker *w, struct select *s)
{
    struct analyze *k = w->context;
    k->depth++;
    return WALK_CONTINUE;
}

static void analyze_select_done(struct walker *w, struct select *s)
{
    struct analyze *k = w->context;
    k->depth--;
}

void expr_analyze_aggregates(struct name_context *n, struct expr *e)
{
    if (!e) return;
    struct analyze k = {.n = n};
    struct walker w = {.expr = analyze_expr, .select = analyze_select, .select_done = analyze_select_done, .context = &k};
    walk_expr(&w, e);
}

void expr_list_analyze_aggregates(struct name_context *n, struct expr_list *list)
{
    if (list)
        for (u32 i = 0; i < list->count; i++) expr_analyze_aggregates(n, list->items[i].expr);
}
