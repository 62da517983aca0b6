// Expressions: their operands, subqueries, functions, row values.
#include "../connection.h"
#include "resolve.h"

#include <stdarg.h>
#include <stdio.h>

#include "../fn/fn.h"

#define ARGUMENTS_FEW 4 // of functions that take so many and no other number, at most

static void resolve_node(struct name_context *n, struct expr *e);

static const char *prohibited_in(u32 flags)
{
    if (flags & NAME_INDEX_EXPR) return "index expressions";
    if (flags & NAME_CHECK) return "CHECK constraints";
    if (flags & NAME_GENERATED) return "generated columns";
    return "partial index WHERE clauses";
}

// "subqueries prohibited in CHECK constraints" and its kin.
static void prohibit(struct name_context *n, const char *what, u32 where, struct expr *at)
{
    if (n->flags & where) compile_fail_at(n->c, at, "%s prohibited in %s", what, prohibited_in(n->flags));
}

// ---- subqueries -----------------------------------------------------------------------------------------

// The clauses where a window function of this context goes.
static void resolve_list_in(struct name_context *n, struct expr_list *list)
{
    if (list)
        for (u32 i = 0; i < list->count; i++)
            if (list->items[i].expr) resolve_node(n, list->items[i].expr);
}

static void resolve_subquery(struct name_context *n, struct expr *e)
{
    prohibit(n, "subqueries", NAME_SELF_TABLE, e);
    u32 before = n->reference_count;
    resolve_select(n->c, e->select, n);
    if (n->reference_count != before) {
        e->flags |= EXPR_F_CORRELATED;
        e->select->flags |= SELECT_F_CORRELATED;
    }
    n->flags |= NAME_HAS_SUBQUERY;
    e->flags |= EXPR_F_HAS_SELECT;
}

// ---- functions --------------------------------------------------------------------------------------------

// likelihood(x, p), unlikely(x), likely(x): the planner finds p * 2^27 in `cursor`. False: p is none.
static bool likelihood_note(struct expr *e)
{
    bool told = name_equal(e->text, "likelihood"), unlikely = name_equal(e->text, "unlikely");
    if (!told && !unlikely && !name_equal(e->text, "likely")) return true;
    e->flags |= EXPR_F_UNLIKELY | EXPR_F_SKIP;
    e->cursor = unlikely ? 8388608 : 125829120;
    if (!told) return true;
    const struct expr *p = e->list->items[1].expr;
    if (p->kind != EXPR_REAL || p->real > 1.0 || p->real < 0) return false;
    e->cursor = (int)(p->real * 134217728.0);
    return true;
}

struct reference_walk {
    struct compile *c;
    struct source_list *sources;
    int this_count, other_count;
    struct select **inner; // queries within the arguments
    u32 inner_count, inner_capacity;
};

static bool cursor_within(const struct source_list *list, int cursor)
{
    if (list)
        for (u32 i = 0; i < list->count; i++)
            if (list->items[i].cursor == cursor) return true;
    return false;
}

static enum walk_result reference_expr(struct walker *w, struct expr *e)
{
    struct reference_walk *r = w->context;
    if (e->kind != EXPR_COLUMN && e->kind != EXPR_AGG_COLUMN) return WALK_CONTINUE;
    if (e->kind2 == EXPR_REGISTER) return WALK_CONTINUE;
    if (cursor_within(r->sources, e->cursor)) {
        r->this_count++;
        return WALK_CONTINUE;
    }
    for (u32 i = 0; i < r->inner_count; i++)
        if (cursor_within(r->inner[i]->from, e->cursor)) return WALK_CONTINUE;
    r->other_count++;
    return WALK_CONTINUE;
}

static enum walk_result reference_select(struct walker *w, struct select *s)
{
    struct reference_walk *r = w->context;
    r->inner = arena_grow(r->c->arena, r->inner, r->inner_count, &r->inner_capacity, sizeof *r->inner);
    r->inner[r->inner_count++] = s;
    return WALK_CONTINUE;
}

// Whether an aggregate's arguments belong to these sources: 1 yes (or they name none at all), 0 no, -1 they name
// no column.
static int references_sources(struct compile *c, struct expr *e, struct source_list *sources)
{
    struct reference_walk r = {.c = c, .sources = sources};
    struct walker w = {.expr = reference_expr, .select = reference_select, .context = &r};
    walk_expr_list(&w, e->list);
    if (e->order_by) walk_expr_list(&w, e->order_by);
    if (e->filter) walk_expr(&w, e->filter);
    if (r.this_count > 0) return 1;
    return r.other_count > 0 ? 0 : -1;
}

// A function of that name is none for windows, with some number of arguments.
static bool never_window(struct compile *c, const char *name)
{
    bool exists;
    for (s32 count = 0; count <= ARGUMENTS_FEW; count++) {
        const struct fn_def *def = compile_function(c, name, count, &exists);
        if (def && !(def->flags & (FN_WINDOW | FN_WINDOW_ONLY))) return true;
    }
    return false;
}

void mistake_keep(struct compile *c, const char *text, s64 offset)
{
    c->mistake = arena_copy(c->arena, text, strlen(text));
    c->mistake_offset = offset;
}

void mistake_tell(struct compile *c)
{
    if (UNLIKELY(c->mistake)) compile_fail(c, ERR_ERROR, c->mistake_offset, "%s", c->mistake);
}

static void mistake_attempt(struct compile *c, void (*work)(void *context), void *context)
{
    struct err mistake;
    if (!compile_attempt(c, work, context, &mistake)) mistake_keep(c, mistake.text, mistake.offset);
    c->mistake_final = false;
}

// SQLite goes on behind what is wrong within a function or IS NULL: of names and functions in the operands to its right, and
// of functions within it, the last mistake is told; a literal or an operator ends the search.
struct operands {
    struct name_context *names;
    struct expr *expr;
    void (*resolve)(struct name_context *n, struct expr *e);
};

static void operands_resolve(void *context)
{
    const struct operands *o = context;
    o->resolve(o->names, o->expr);
}

static void resolve_within(struct name_context *n, struct expr *e, void (*resolve)(struct name_context *n, struct expr *e))
{
    struct operands o = {n, e, resolve};
    mistake_attempt(n->c, operands_resolve, &o);
}

static void resolve_arguments(struct name_context *n, struct expr *e) { resolve_list_in(n, e->list); }
static void resolve_arguments_order(struct name_context *n, struct expr *e) { resolve_list_in(n, e->order_by); }
static void resolve_partition(struct name_context *n, struct expr *e) { resolve_list_in(n, e->window->partition); }
static void resolve_window_order(struct name_context *n, struct expr *e) { resolve_list_in(n, e->window->order_by); }

static void resolve_definition(struct name_context *n, struct expr *e)
{
    window_assemble(n->c, n->select ? n->select->windows : NULL, e->window);
}

static void resolve_window(struct name_context *n, struct expr *e)
{
    if (!n->c->top->renaming) {
        const bool named = e->window->reference; // OVER name, and not OVER (name)
        resolve_within(n, e, resolve_definition);
        const char *mistake = named && n->c->mistake ? NULL : window_mistake(e->window, e->function, e->filter);
        if (mistake) mistake_keep(n->c, mistake, -1);
    }
    resolve_within(n, e, resolve_partition);
    resolve_within(n, e, resolve_window_order);
    if (e->filter) resolve_within(n, e->filter, resolve_node);
}

static void function_fail(struct name_context *n, struct expr *e, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char text[ERR_TEXT_MAX];
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    mistake_keep(n->c, text, e->offset == OFFSET_NONE ? -1 : (s64)e->offset);
    resolve_within(n, e, resolve_arguments);
}

// Whether nothing of the node is looked at any more.
static bool is_behind_mistake(struct compile *c, const struct expr *e)
{
    if (c->mistake_final) return true;
    switch ((enum expr_kind)e->kind) {
    case EXPR_FUNCTION:
    case EXPR_SELECT:
    case EXPR_EXISTS:
    case EXPR_IS_NULL:
    case EXPR_NOT_NULL:
    case EXPR_NAME:
    case EXPR_DOT:
    case EXPR_IN:
    case EXPR_IS:
    case EXPR_IS_NOT:
    case EXPR_EQ:
    case EXPR_NE:
    case EXPR_LT:
    case EXPR_LE:
    case EXPR_GT:
    case EXPR_GE:
    case EXPR_BETWEEN: return false;
    case EXPR_VARIABLE: c->mistake_final = true; return false;
    default: c->mistake_final = true; return true;
    }
}

// Whether the operands of the node, which was looked at itself, are not looked at any more.
static bool is_last_behind_mistake(struct compile *c)
{
    if (LIKELY(!c->mistake)) return false;
    return c->mistake_final = true;
}

// An offset that is no constant as it is written, a function's value say, is as good as NULL.
static void resolve_frame_offset(struct name_context *n, struct expr **offset)
{
    struct expr *e = *offset;
    if (!e) return;
    if (!expr_is_constant(n->c, e)) *offset = expr_new(n->c->arena, EXPR_NULL, OFFSET_NONE);
    else resolve_node(n, e);
}

static void resolve_window_call(struct name_context *n, struct expr *e)
{
    struct compile *c = n->c;
    struct window *window = e->window;
    resolve_window(n, e);
    if (UNLIKELY(c->mistake)) return;
    window->owner = e;
    window->function = e->function;
    window->filter = e->filter;
    resolve_frame_offset(n, &window->start_expr);
    resolve_frame_offset(n, &window->end_expr);
    if (!c->top->renaming) window_update(c, window, e->function);
    e->flags |= EXPR_F_WINDOW_FUNCTION | EXPR_F_HAS_WINDOW;
    if (n->select) select_link_window(c, n->select, e);
    n->flags |= NAME_HAS_WINDOW;
}

// An aggregate is one of the innermost query whose columns its arguments name.
static void resolve_aggregate(struct name_context *n, struct expr *e)
{
    struct compile *c = n->c;
    struct name_context *owner = n;
    if (e->filter) resolve_within(n, e->filter, resolve_node);
    e->kind = EXPR_AGG_FUNCTION;
    e->aggregate_level = 0;
    while (owner && owner->sources && references_sources(c, e, owner->sources) == 0) {
        e->aggregate_level = (s16)(e->aggregate_level + 1 + owner->nested);
        owner = owner->outer;
    }
    if (owner && !owner->sources && references_sources(c, e, NULL) == 0) {
        // A context without FROM between: arguments that name columns belong further out.
        while (owner && (!owner->sources || references_sources(c, e, owner->sources) == 0)) {
            e->aggregate_level = (s16)(e->aggregate_level + 1 + owner->nested);
            owner = owner->outer;
        }
    }
    if (!owner) return;
    e->aggregate_level = (s16)(e->aggregate_level + owner->nested);
    owner->flags |= NAME_HAS_AGGREGATE;
    if (e->function->flags & FN_MIN_MAX) owner->flags |= NAME_HAS_MIN_MAX;
    if (!(e->function->flags & FN_ANY_ORDER)) owner->flags |= NAME_ORDER_COUNTS;
    if (e->order_by) owner->flags |= NAME_ORDERED_AGGREGATE;
}

// Where ALTER TABLE only looks for names, what calls what how does not matter.
static void resolve_names_of_call(struct name_context *n, struct expr *e)
{
    resolve_list_in(n, e->list);
    resolve_list_in(n, e->order_by);
    if (e->window) resolve_window(n, e);
    else if (e->filter) resolve_node(n, e->filter);
}

static void resolve_function(struct name_context *n, struct expr *e)
{
    struct compile *c = n->c;
    const bool renaming = c->top->renaming;
    bool exists = false;
    const char *name = e->text;
    const struct fn_def *def = compile_call_function(c, e, &exists);
    bool is_aggregate = false;
    u32 saved = n->flags & (NAME_AGGREGATE_OK | NAME_WINDOW_OK);
    struct window *window = e->window;
    if (!def) {
        // An index or a table may call what this connection does not have, as long as a statement does not.
        bool unneeded = n->flags & NAME_FROM_SCHEMA && n->sources && !exists;
        if (renaming || unneeded) return resolve_names_of_call(n, e);
        if (!n->sources && n->flags & NAME_FROM_SCHEMA) compile_fail_at(c, e, "unknown function: %s()", name); // in a default
        if (exists && window && never_window(c, name)) return function_fail(n, e, "%s() may not be used as a window function", name);
        if (exists) return function_fail(n, e, "wrong number of arguments to function %s()", name);
        return function_fail(n, e, "no such function: %s", name);
    }
    is_aggregate = def->step != NULL || def->flags & (FN_AGGREGATE | FN_WINDOW | FN_WINDOW_ONLY);
    is_aggregate |= renaming && (window || e->filter || e->order_by);
    if (e->flags & EXPR_F_FROM_DDL && !renaming &&
        (def->flags & FN_DIRECT_ONLY || (def->flags & FN_UNSAFE && !connection_flag(c->db, CONNECTION_TRUSTED_SCHEMA))))
        compile_fail_at(c, e, "unsafe use of %s()", name);
    if (def->flags & FN_INLINE && !likelihood_note(e))
        return function_fail(n, e, "second argument to %s() must be a constant between 0.0 and 1.0", name);
    if (def->flags & (FN_DETERMINISTIC | FN_SLOW_CHANGE)) e->flags |= EXPR_F_CONSTANT_FUNCTION;
    if (def->flags & FN_READS_SUBTYPE || e->flags & EXPR_F_SUBTYPE_WANTED)
        for (u32 i = 0; e->list && i < e->list->count; i++) e->list->items[i].expr->flags |= EXPR_F_SUBTYPE_WANTED;
    bool in_use = n->flags & NAME_FROM_SCHEMA && def->flags & FN_LIKE; // LIKE that was replaced since
    if (!(def->flags & FN_DETERMINISTIC) && n->flags & NAME_SELF_TABLE && !in_use) {
        if (!(def->flags & FN_SLOW_CHANGE && n->flags & NAME_CHECK))
            prohibit(n, "non-deterministic functions", NAME_INDEX_EXPR | NAME_PARTIAL_INDEX | NAME_GENERATED, e);
    }
    if (is_aggregate && !renaming) {
        bool window_only = def->flags & FN_WINDOW_ONLY;
        if (window && !(def->flags & (FN_WINDOW | FN_WINDOW_ONLY)))
            return function_fail(n, e, "%s() may not be used as a window function", name);
        if ((!(n->flags & NAME_AGGREGATE_OK) && !window) || (window_only && !window) ||
            (window && !(n->flags & NAME_WINDOW_OK))) {
            const char *kind = window_only || window ? "window" : "aggregate";
            if (!n->sources && n->flags & NAME_FROM_SCHEMA) compile_fail_at(c, e, "unknown function: %s()", name); // in a default
            return function_fail(n, e, "misuse of %s function %s()", kind, name);
        }
        n->flags &= ~(u32)(window ? NAME_WINDOW_OK : NAME_WINDOW_OK | NAME_AGGREGATE_OK);
    } else if (!is_aggregate) {
        if (window) return function_fail(n, e, "%s() may not be used as a window function", name);
        if (e->filter) return function_fail(n, e, "FILTER may not be used with non-aggregate %s()", name);
        if (e->order_by) return function_fail(n, e, "ORDER BY may not be used with non-aggregate %s()", name);
    }
    resolve_within(n, e, resolve_arguments);
    if (is_aggregate) {
        if (e->order_by) resolve_within(n, e, resolve_arguments_order);
        if (UNLIKELY(c->mistake)) {
            if (e->filter) resolve_within(n, e->filter, resolve_node);
        } else if (window) {
            resolve_window_call(n, e);
        } else {
            resolve_aggregate(n, e);
            if (e->aggregate_level == 0 && saved & NAME_WINDOW_OK) n->flags |= NAME_PLAIN_AGGREGATE;
        }
        n->flags |= saved;
    }
}

// ---- the walk -------------------------------------------------------------------------------------------

static void resolve_operands(struct name_context *n, struct expr *e)
{
    if (e->left) resolve_node(n, e->left);
    if (e->right) resolve_node(n, e->right);
    resolve_list_in(n, e->list);
}

// Outside of queries their subqueries come to be known one by one.
static bool is_outside(const struct name_context *n)
{
    return n->c->resolving == RESOLVING_NOTHING && !n->select && !n->outer;
}

static void check_row_comparison(struct name_context *n, struct expr *e, bool resolved)
{
    int left = expr_vector_size(e->left);
    struct expr *right = e->right;
    if (resolved && n->c->mistake) return; // names are told before
    if (e->kind == EXPR_BETWEEN) {
        right = e->list->items[0].expr;
        if (left == expr_vector_size(right)) right = e->list->items[1].expr;
    }
    if (left == expr_vector_size(right)) return;
    if (resolved && left == 1 && is_outside(n)) {
        if (n->flags & NAME_REGISTERS) expr_row_fail(n->c, right); // RETURNING is a query as well
        return expr_row_mistake(n->c, right); // once code is made
    }
    compile_fail_at(n->c, e, "row value misused");
}

// Whether its width is known before its names are: no subquery with a star, which outside of queries is one column to SQLite.
static bool has_width(const struct name_context *n, const struct expr *e)
{
    if (e->kind != EXPR_SELECT || (is_outside(n) && !n->c->top->renaming)) return true;
    for (u32 i = 0; i < e->select->columns->count; i++)
        if (expr_is_star(e->select->columns->items[i].expr)) return false;
    return true;
}

static void operand_tables(struct compile *c, struct expr *e)
{
    if (e && e->kind == EXPR_SELECT) select_tables(c, e->select);
}

static void check_unresolved_comparison(struct name_context *n, struct expr *e)
{
    operand_tables(n->c, e->left);
    operand_tables(n->c, e->right);
    for (u32 i = 0; e->kind == EXPR_BETWEEN && i < e->list->count; i++) operand_tables(n->c, e->list->items[i].expr);
    check_row_comparison(n, e, false);
}

// What is wrong with the widths is told before what is wrong with names in the operands.
static void resolve_comparison(struct name_context *n, struct expr *e)
{
    const bool between = e->kind == EXPR_BETWEEN;
    const bool widths = has_width(n, e->left) && has_width(n, between ? e->list->items[0].expr : e->right) &&
                        (!between || has_width(n, e->list->items[1].expr));
    if (widths) check_row_comparison(n, e, false);
    else if (UNLIKELY(n->c->mistake) && n->c->resolving == RESOLVING_NAMES) check_unresolved_comparison(n, e);
    if (is_last_behind_mistake(n->c)) return;
    const bool clean = !n->c->mistake;
    struct operands o = {n, e, resolve_operands};
    struct err mistake;
    if (widths || n->c->resolving != RESOLVING_NAMES) {
        resolve_operands(n, e);
    } else {
        const bool done = compile_attempt(n->c, operands_resolve, &o, &mistake);
        if (UNLIKELY(!done || (clean && n->c->mistake))) check_unresolved_comparison(n, e); // an unknown function does not end it
        if (!done) compile_fail_again(n->c, &mistake);
    }
    check_row_comparison(n, e, true);
}

static void resolve_in(struct name_context *n, struct expr *e)
{
    bool subquery = e->flags & EXPR_F_SELECT;
    if (subquery) resolve_subquery(n, e);
    if (is_last_behind_mistake(n->c)) return;
    resolve_node(n, e->left);
    if (!subquery) resolve_list_in(n, e->list);
}

// A name to the right is looked at first: it may be TRUE or FALSE.
static void resolve_is(struct name_context *n, struct expr *e)
{
    struct expr *right = expr_skip_collate(e->right);
    if (right->kind == EXPR_NAME) resolve_node(n, right);
    if (expr_make_truth(e))
        resolve_node(n, e->left);
    else
        resolve_comparison(n, e);
}

// Names may be on their own, or below one or two dots.
static void resolve_dotted(struct name_context *n, struct expr *e)
{
    const char *schema = NULL, *table, *column;
    struct expr *right = e->right;
    if (right->kind == EXPR_DOT) {
        schema = e->left->text;
        table = right->left->text;
        column = right->right->text;
    } else {
        table = e->left->text;
        column = right->text;
    }
    if (e->offset == OFFSET_NONE) e->offset = e->left->offset;
    resolve_name(n, e, schema, table, column);
    if (n->flags & (NAME_INDEX_EXPR | NAME_GENERATED)) // and SQLite goes on
        mistake_keep(n->c, arena_format(n->c->arena, "the \".\" operator prohibited in %s", prohibited_in(n->flags)),
                     e->offset == OFFSET_NONE ? -1 : (s64)e->offset);
}

// What is never NULL has its answer; only in a WHERE, as elsewhere it may be a bare column of an aggregate without rows.
static void resolve_null_test(struct name_context *n, struct expr *e)
{
    u32 references[8], count = 0;
    bool where = !n->c->top->renaming;
    for (const struct name_context *x = n; x; x = x->outer) {
        if (count < COUNT_OF(references)) references[count++] = x->reference_count;
        where &= (x->flags & NAME_WHERE) != 0;
    }
    resolve_within(n, e, resolve_operands);
    if (!where || n->c->mistake || expr_can_be_null(e->left)) return;
    struct expr *known = expr_integer(n->c->arena, e->kind == EXPR_NOT_NULL);
    known->flags |= EXPR_F_SIMPLE | (e->flags & (EXPR_F_OUTER_ON | EXPR_F_INNER_ON));
    known->on_cursor = e->on_cursor;
    known->offset = e->offset;
    *e = *known;
    count = 0;
    for (struct name_context *x = n; x && count < COUNT_OF(references); x = x->outer) x->reference_count = references[count++];
}

static void resolve_node(struct name_context *n, struct expr *e)
{
    struct compile *c = n->c;
    if (UNLIKELY(c->mistake) && is_behind_mistake(c, e)) return;
    if (++c->expr_height > 1200) compile_fail_at(c, e, "Expression tree is too large (maximum depth 1000)");
    switch ((enum expr_kind)e->kind) {
    case EXPR_NAME:
        resolve_name(n, e, NULL, NULL, e->text);
        break;
    case EXPR_DOT:
        resolve_dotted(n, e);
        break;
    case EXPR_FUNCTION: {
        if (e->function && (e->flags & EXPR_F_LEAF)) break;
        const u32 collate = e->flags & EXPR_F_HAS_COLLATE; // as it was read: none that an alias stands for, as in SQLite
        resolve_function(n, e);
        c->mistake_final = false;
        expr_summarize(e);
        e->flags = (e->flags & ~(u32)EXPR_F_HAS_COLLATE) | collate;
        break;
    }
    case EXPR_SELECT:
    case EXPR_EXISTS:
        resolve_subquery(n, e);
        break;
    case EXPR_IN:
        resolve_in(n, e);
        break;
    case EXPR_VARIABLE:
        prohibit(n, "parameters", NAME_SELF_TABLE, e);
        break;
    case EXPR_IS:
    case EXPR_IS_NOT: resolve_is(n, e); break;
    case EXPR_EQ:
    case EXPR_NE:
    case EXPR_LT:
    case EXPR_LE:
    case EXPR_GT:
    case EXPR_GE:
    case EXPR_BETWEEN:
        resolve_comparison(n, e);
        break;
    case EXPR_STAR:
        compile_fail_at(c, e, "near \"*\": syntax error");
    case EXPR_ROW:
    case EXPR_RAISE:
    case EXPR_CURRENT:
    case EXPR_SELECT_COLUMN:
        if (e->kind == EXPR_CURRENT && n->flags & (NAME_INDEX_EXPR | NAME_PARTIAL_INDEX | NAME_GENERATED))
            prohibit(n, "non-deterministic functions", NAME_INDEX_EXPR | NAME_PARTIAL_INDEX | NAME_GENERATED, e);
        resolve_operands(n, e);
        if (e->kind == EXPR_SELECT_COLUMN && !e->integer && expr_vector_size(e->left) <= e->column)
            compile_fail_at(c, e, "row value misused");
        break;
    case EXPR_COLUMN:
    case EXPR_AGG_COLUMN:
    case EXPR_TRIGGER:
    case EXPR_REGISTER:
    case EXPR_IF_NULL_ROW:
    case EXPR_FIXED:
    case EXPR_AGG_FUNCTION:
    case EXPR_NULL:
    case EXPR_INTEGER:
    case EXPR_REAL:
    case EXPR_TEXT:
    case EXPR_BLOB:
    case EXPR_BOOLEAN:
        break;
    case EXPR_IS_NULL:
    case EXPR_NOT_NULL: resolve_null_test(n, e); break;
    case EXPR_OR:
    case EXPR_AND:
    case EXPR_BIT_AND:
    case EXPR_BIT_OR:
    case EXPR_SHIFT_LEFT:
    case EXPR_SHIFT_RIGHT:
    case EXPR_ADD:
    case EXPR_SUBTRACT:
    case EXPR_MULTIPLY:
    case EXPR_DIVIDE:
    case EXPR_REMAINDER:
    case EXPR_CONCAT:
    case EXPR_NOT:
    case EXPR_BIT_NOT:
    case EXPR_NEGATE:
    case EXPR_PLUS:
    case EXPR_TRUTH:
    case EXPR_COLLATE:
    case EXPR_CAST:
    case EXPR_CASE: resolve_operands(n, e); break;
    }
    if (e->kind != EXPR_FUNCTION && e->kind != EXPR_AGG_FUNCTION) {
        u32 mark = 0;
        if (e->left) mark |= e->left->flags;
        if (e->right) mark |= e->right->flags;
        if (e->list)
            for (u32 i = 0; i < e->list->count; i++) mark |= e->list->items[i].expr->flags;
        e->flags |= mark & EXPR_F_HAS_WINDOW;
    } else {
        if (e->list)
            for (u32 i = 0; i < e->list->count; i++)
                e->flags |= e->list->items[i].expr->flags & EXPR_F_HAS_WINDOW;
        if (e->window) e->flags |= EXPR_F_HAS_WINDOW | EXPR_F_WINDOW_FUNCTION;
    }
    c->expr_height--;
}

void resolve_expr(struct name_context *n, struct expr *e)
{
    if (!e) return;
    u32 found = n->flags & (NAME_HAS_AGGREGATE | NAME_HAS_WINDOW);
    u32 depth = n->c->expr_height;
    n->flags &= ~(u32)(NAME_HAS_AGGREGATE | NAME_HAS_WINDOW);
    n->c->expr_height = 0;
    resolve_node(n, e);
    mistake_tell(n->c);
    n->c->expr_height = depth;
    if (n->flags & NAME_HAS_AGGREGATE) e->flags |= EXPR_F_HAS_AGGREGATE; // of this query, not of one around it
    if (n->flags & NAME_HAS_WINDOW) e->flags |= EXPR_F_HAS_WINDOW;
    n->flags |= found;
}

void resolve_expr_list(struct name_context *n, struct expr_list *list)
{
    if (!list) return;
    for (u32 i = 0; i < list->count; i++) resolve_expr(n, list->items[i].expr);
}

void resolve_self(struct compile *c, const struct table *table, u32 flags, struct expr *e, struct expr_list *list)
{
    struct source source = {.table = table, .cursor = -1, .name = table ? table->name : NULL};
    struct source_list sources = {.count = 1, .capacity = 1, .items = &source};
    struct name_context n = {.c = c, .sources = table ? &sources : NULL, .flags = flags};
    if (table && !(flags & NAME_PARTIAL_INDEX)) source.database = table->flags & TABLE_TEMP ? 1 : 0;
    resolve_expr(&n, e);
    resolve_expr_list(&n, list);
}

struct self_trial {
    struct compile *c;
    const struct table *table;
    u32 flags;
    struct expr *expr;
};

static void self_resolve(void *context)
{
    const struct self_trial *t = context;
    resolve_self(t->c, t->table, t->flags, t->expr, NULL);
}

void resolve_self_next(struct compile *c, const struct table *table, u32 flags, struct expr *e)
{
    if (c->mistake && flags & NAME_GENERATED && e->kind == EXPR_NAME) return; // to SQLite it has an operator before it
    struct self_trial t = {c, table, flags, e};
    mistake_attempt(c, self_resolve, &t);
}

void resolve_self_end(struct compile *c) { mistake_tell(c); }
