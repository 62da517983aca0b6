// One SELECT.
#include "../connection.h"
#include "select.h"

// ---- names of the result ----------------------------------------------------------------------------------------

const char *result_name(struct compile *c, const struct expr_item *item, u32 i)
{
    if (item->name && item->name_kind == ITEM_ALIAS) return item->name;
    const struct expr *e = item->expr;
    bool full = compile_connection_flag(c, CONNECTION_FULL_COLUMN_NAMES);
    if ((full || compile_connection_flag(c, CONNECTION_SHORT_COLUMN_NAMES)) &&
        (e->kind == EXPR_COLUMN || e->kind == EXPR_AGG_COLUMN) && e->table) {
        int column = e->column;
        if (column < 0) column = e->table->rowid_column;
        const char *name = column < 0 ? "rowid" : e->table->columns[column].name;
        return full ? arena_format(c->arena, "%s.%s", e->table->name, name) : name;
    }
    if (item->span.size) return arena_copy(c->arena, c->sql + item->span.offset, item->span.size);
    return arena_format(c->arena, "column%u", i + 1);
}

struct origin_scope {
    const struct source_list *sources;
    const struct origin_scope *outer;
};

// The column of a table that a result's expression is, through subqueries.
static void result_origin(struct compile *c, const struct origin_scope *scope, const struct expr *e, u32 result)
{
    if (e->kind == EXPR_SELECT && e->select) {
        const struct select *s = e->select; // of several terms the last
        const struct origin_scope inner = {s->from, scope};
        if (s->columns && s->columns->count) result_origin(c, &inner, s->columns->items[0].expr, result);
        return;
    }
    if (e->kind != EXPR_COLUMN && e->kind != EXPR_AGG_COLUMN) return;
    for (; scope; scope = scope->outer) {
        for (u32 i = 0; scope->sources && i < scope->sources->count; i++) {
            const struct source *item = &scope->sources->items[i];
            if (item->cursor != e->cursor) continue;
            if (item->select) {
                const struct select *s = item->select;
                const struct origin_scope inner = {s->from, scope};
                if (e->column >= 0 && s->columns && (u32)e->column < s->columns->count)
                    result_origin(c, &inner, s->columns->items[e->column].expr, result);
                return;
            }
            const struct table *t = item->table;
            if (!t || (item->database < 0 && !item->recursive)) return;
            int column = e->column < 0 ? t->rowid_column : e->column;
            compile_result_origin(c, result, item->database, t, column);
            return;
        }
    }
}

void select_result_list(struct compile *c, const struct source_list *sources, const struct expr_list *list)
{
    const struct origin_scope scope = {sources, NULL};
    compile_result_columns(c, list->count);
    for (u32 i = 0; i < list->count; i++) {
        compile_result_column(c, i, result_name(c, &list->items[i], i), NULL);
        result_origin(c, &scope, list->items[i].expr, i);
    }
}

void select_result_columns(struct compile *c, struct select *s)
{
    while (s->prior) s = s->prior;
    select_result_list(c, s->from, s->columns);
    if (!(s->flags & SELECT_F_VALUES)) return;
    const struct origin_scope scope = {s->from, NULL};
    for (u32 i = 0; i < s->columns->count; i++) {
        compile_result_column(c, i, arena_format(c->arena, "column%u", i + 1), NULL);
        result_origin(c, &scope, s->columns->items[i].expr, i);
    }
}

void select_statement(struct compile *c, struct stmt_select *s)
{
    resolve_select(c, s->select, NULL);
    select_result_columns(c, s->select);
    struct select_dest dest;
    select_dest_init(&dest, DEST_OUTPUT, 0);
    select_code(c, s->select, &dest);
}

// ---- simplifications -----------------------------------------------------------------------------------------------

// A table whose null row WHERE refuses: its LEFT JOIN is an inner join, a FULL JOIN is a RIGHT JOIN, and the unmatched rows of RIGHT
// and FULL JOINs further right are not needed. What ON asks of it counts from then on, for the tables after it.
static void simplify_join(struct select *s, u32 index)
{
    struct source_list *from = s->from;
    struct source *item = &from->items[index];
    if (!s->where || !(item->join & (JOIN_LEFT | JOIN_LEFT_OF_RIGHT)) ||
        !expr_implies_not_null_row(s->where, item->cursor, item->join & JOIN_LEFT_OF_RIGHT))
        return;
    if (item->join & JOIN_LEFT) {
        if (item->join & JOIN_RIGHT) {
            item->join &= (u8)~JOIN_LEFT;
        } else {
            item->join &= (u8) ~(JOIN_LEFT | JOIN_OUTER);
            expr_unset_join(s->where, item->cursor, false);
        }
    }
    if (!(item->join & JOIN_LEFT_OF_RIGHT)) return;
    for (u32 i = index + 1; i < from->count; i++) {
        struct source *right = &from->items[i];
        if (!(right->join & JOIN_RIGHT)) continue;
        if (right->join & JOIN_LEFT) {
            right->join &= (u8)~JOIN_RIGHT;
        } else {
            right->join &= (u8) ~(JOIN_RIGHT | JOIN_OUTER);
            expr_unset_join(s->where, right->cursor, true);
        }
    }
    for (u32 i = from->count; i > 0; i--) {
        from->items[i - 1].join &= (u8)~JOIN_LEFT_OF_RIGHT;
        if (from->items[i - 1].join & JOIN_RIGHT) break;
    }
}

// "SELECT count(*) FROM t": the number of entries of a tree.
static bool count_shortcut(struct compile *c, struct select *s, struct aggregate_info *a, int *database,
                           const struct table **table)
{
    if (s->where || s->columns->count != 1 || !s->from || s->from->count != 1 || s->having) return false;
    struct source *item = &s->from->items[0];
    if (item->select || !item->table || item->table->kind != TABLE_ORDINARY || item->table->flags & TABLE_EPHEMERAL) return false;
    struct expr *e = s->columns->items[0].expr;
    if (e->kind != EXPR_AGG_FUNCTION || a->function_count != 1 || !(a->functions[0].def->flags & FN_COUNT)) return false;
    if (e->list && e->list->count) return false;
    if (e->flags & (EXPR_F_DISTINCT | EXPR_F_WINDOW_FUNCTION) || e->filter) return false;
    *database = item->database;
    *table = item->table;
    return true;
}

bool select_count_shortcut(struct compile *c, struct select *s, struct aggregate_info *a, struct select_dest *dest)
{
    int database;
    const struct table *t;
    if (!count_shortcut(c, s, a, &database, &t)) return false;
    int cursor = cursor_alloc(c);
    const struct index *best = NULL;
    if (!table_has_rowid(t)) best = t->primary_key;
    if (!s->from->items[0].not_indexed)
        for (const struct index *i = t->indexes; i; i = i->next) {
            s16 size = where_index_row_size(i);
            if (!i->unordered && !i->where && size < where_table_row_size(t) && (!best || size < where_index_row_size(best))) best = i;
        }
    compile_use_database(c, database);
    if (best) open_index(c, cursor, database, best, OP_OpenRead);
    else emit_int(c, OP_OpenRead, cursor, (int)t->root, database, 1);
    emit(c, OP_Count, cursor, a->functions[0].reg, 0);
    emit(c, OP_Close, cursor, 0, 0);
    explain_row(c, "SCAN %s%s%s", t->name, best && best != t->primary_key ? " USING COVERING INDEX " : "",
                best && best != t->primary_key ? best->name : "");
    return true;
}

static bool counts_rows(const struct expr *e)
{
    return e->kind == EXPR_AGG_FUNCTION && name_equal(e->text, "count") && !(e->list && e->list->count) && !e->filter &&
           !(e->flags & (EXPR_F_DISTINCT | EXPR_F_WINDOW_FUNCTION));
}

// The terms of a UNION ALL whose rows are those of their FROM clauses.
static bool gives_all_rows(const struct select *terms)
{
    for (const struct select *t = terms; t; t = t->prior)
        if ((t->prior && t->op != SELECT_UNION_ALL) || t->where || t->limit || t->group_by || t->rows ||
            t->flags & (SELECT_F_AGGREGATE | SELECT_F_DISTINCT | SELECT_F_VALUES | SELECT_F_RECURSIVE) || select_has_window(t))
            return false;
    return true;
}

// "SELECT count(*) FROM (SELECT ... UNION ALL SELECT ...)" is the sum of the terms' counts.
static void count_terms(struct compile *c, struct select *s)
{
    if (!(s->flags & SELECT_F_AGGREGATE) || s->columns->count != 1 || s->where || s->group_by || s->having || s->order_by ||
        !s->from || s->from->count != 1 || !counts_rows(s->columns->items[0].expr))
        return;
    struct source *item = &s->from->items[0];
    if (!item->select || !item->select->prior || item->cte || !gives_all_rows(item->select)) return;
    struct expr *count = s->columns->items[0].expr, *sum = NULL;
    for (struct select *t = item->select, *prior; t; t = prior) {
        prior = t->prior;
        t->prior = t->next = NULL;
        t->op = SELECT_SIMPLE;
        t->order_by = NULL;
        t->flags = (t->flags & ~(u32)SELECT_F_COMPOUND) | SELECT_F_AGGREGATE;
        t->columns = NULL;
        expr_list_add(c->arena, &t->columns, expr_copy(c->arena, count));
        struct expr *term = expr_new(c->arena, EXPR_SELECT, OFFSET_NONE);
        term->select = t;
        if (item->correlated) term->flags |= EXPR_F_CORRELATED;
        expr_summarize(term);
        sum = sum ? expr_binary(c->arena, EXPR_ADD, term, sum) : term;
    }
    s->columns->items[0].expr = sum;
    s->from = NULL;
    s->flags &= ~(u32)SELECT_F_AGGREGATE;
}

// ---- ORDER BY of subqueries ----------------------------------------------------------------------------------------

// ORDER BY of a subquery in FROM that comes to nothing: the query has its own, or joins the rows.
static bool order_in_vain(const struct select *s, const struct select *sub)
{
    const u32 sees = sub->prior ? SELECT_F_LAST_EQUAL : SELECT_F_ARRIVAL; // a compound with ORDER BY gives others of its equal rows
    const bool ordered = s->order_by && !(s->flags & sees);
    return sub->order_by && (ordered || s->from->count > 1) && !sub->limit && !(sub->flags & SELECT_F_RECURSIVE) &&
           !((s->flags | sub->flags) & (SELECT_F_WINDOW_ROWS | SELECT_F_ORDER_COUNTS)) && !select_has_window(s);
}

// The rows of a subquery in their order, for a query that computes things of them: they are not merged, so that what
// ORDER BY leaves out is not computed.
static bool keeps_order(const struct select *s, u32 from)
{
    const struct source_list *list = s->from;
    if (!list->items[from].select->order_by || from > 0) return false;
    if (list->count > 1 && !(list->items[1].join & (JOIN_OUTER | JOIN_CROSS))) return false;
    for (u32 i = 0; i < s->columns->count; i++)
        if (s->columns->items[i].expr->flags & (EXPR_F_HAS_FUNCTION | EXPR_F_HAS_SELECT | EXPR_F_SELECT)) return true;
    return false;
}

// ---- the select ---------------------------------------------------------------------------------------------------

static bool order_ignorable(const struct select_dest *dest)
{
    return dest->kind == DEST_EXISTS || dest->kind == DEST_DISCARD || dest->kind == DEST_DISTINCT_QUEUE || dest->kind == DEST_QUEUE;
}

static void simple_select(struct compile *c, struct select *s, struct select_dest *dest, struct sort *sort,
                          struct distinct *d, int end)
{
    u32 flags = (d->wanted ? WHERE_WANT_DISTINCT : 0) | (s->flags & SELECT_F_FIXED_LIMIT ? WHERE_USE_LIMIT : 0);
    if (s->functions) flags = 0;
    if (s->functions) {
        // Whether the window's tables are open: not yet, whenever the query is run.
        s->functions->reg_one = reg_alloc(c);
        emit(c, OP_Integer, 0, s->functions->reg_one, 0);
    }
    if (s->from && s->flags & SELECT_F_ARRIVAL && !s->functions) flags |= WHERE_ARRIVAL;
    struct where_info *w = where_begin(c, s->from, s->where, s->functions ? NULL : sort->order_by, s->columns, s, flags, s->rows_estimate);
    if (where_row_estimate(w) < s->rows_estimate) {
        s->rows_estimate = where_row_estimate(w);
        if (dest->kind == DEST_DISTINCT_QUEUE) s->rows_estimate -= 30;
    }
    if (d->wanted && !s->functions) {
        switch (where_distinct(w)) {
        case DISTINCT_UNIQUE:
            d->kind = ROW_DISTINCT_UNIQUE;
            break;
        case DISTINCT_ORDERED:
            d->kind = ROW_DISTINCT_ORDERED;
            break;
        case DISTINCT_NONE:
        case DISTINCT_UNORDERED:
            d->kind = ROW_DISTINCT_UNORDERED;
            break;
        }
    }
    if (sort->order_by && !s->functions) {
        sort->ordered = where_ordered_count(w);
        sort->order_limit_label = where_order_limit_label(w);
        if (sort->order_limit_label == where_continue_label(w)) sort->order_limit_label = 0;
        if (sort->ordered == (int)sort->order_by->count) {
            sort->order_by = NULL;
            emit_nop(c, sort->open_address);
        } else {
            select_sort_begin(c, s, sort);
        }
    }
    if (s->functions) {
        d->kind = d->wanted ? ROW_DISTINCT_UNORDERED : ROW_DISTINCT_NONE;
        select_window_rows(c, s, w, dest, sort, d, end);
        return;
    }
    select_row_code(c, s, -1, sort, d, dest, where_continue_label(w), where_break_label(w));
    where_end(w);
    if (d->kind == ROW_DISTINCT_UNORDERED) explain_temp_btree(c, "DISTINCT"); // after the loops, as SQLite says it
}

static void select_one(struct compile *c, struct select *s, struct select_dest *dest)
{
    if (order_ignorable(dest) && (!s->limit || dest->kind == DEST_EXISTS)) s->order_by = NULL;
    if (order_ignorable(dest) && dest->kind != DEST_QUEUE) s->flags &= ~(u32)SELECT_F_DISTINCT;
    if (!(s->flags & SELECT_F_WINDOW_REWRITTEN) && select_has_window(s)) {
        s->flags |= SELECT_F_WINDOW_REWRITTEN;
        select_window_rewrite(c, s, !(s->flags & SELECT_F_DISTINCT) && dest->kind != DEST_EPHEMERAL && dest->kind != DEST_TABLE);
    }
    count_terms(c, s);
    for (u32 i = 0; s->from && i < s->from->count; i++) {
        simplify_join(s, i);
        struct source *item = &s->from->items[i];
        struct select *sub = item->select;
        if (sub && sub->columns->count != item->table->column_count)
            compile_fail(c, ERR_ERROR, -1, "expected %u columns for '%s' but got %u", item->table->column_count, item->table->name, sub->columns->count);
        if (!sub || (item->cte && item->cte->materialize == CTE_MATERIALIZED) || sub->flags & SELECT_F_AGGREGATE || sub->group_by)
            continue;
        if (order_in_vain(s, sub)) {
            sub->order_dropped = sub->order_by;
            sub->order_by = NULL;
        }
        if (keeps_order(s, i)) continue;
        // To SQLite several rows of VALUES are a table within a subquery, which it merges: it looks at the joins before it again.
        if (sub->prior && select_is_values(sub) && !(item->join & JOIN_OUTER))
            for (u32 k = 0; k < i; k++) simplify_join(s, k);
        if (select_flatten(c, s, i, s->flags & SELECT_F_AGGREGATE)) {
            i = UINT32_MAX;
            if (s->prior) {
                select_compound(c, s, dest);
                return;
            }
        }
    }
    select_propagate_constants(c, s);
    select_sources_code(c, s);

    int end = emit_label(c);
    struct sort sort = {.order_by = s->order_by, .cursor = -1, .open_address = -1};
    struct distinct d = {.wanted = s->flags & SELECT_F_DISTINCT};
    // SELECT DISTINCT x ORDER BY x is GROUP BY x.
    if ((s->flags & (SELECT_F_DISTINCT | SELECT_F_AGGREGATE)) == SELECT_F_DISTINCT && s->order_by &&
        expr_list_compare(c, s->order_by, s->columns, -1) == 0 && !s->functions) {
        s->flags &= ~(u32)SELECT_F_DISTINCT;
        s->group_by = expr_list_copy(c->arena, s->columns);
        for (u32 i = 0; i < s->group_by->count; i++) s->group_by->items[i].order_by_column = (u16)(i + 1);
        s->flags |= SELECT_F_AGGREGATE | SELECT_F_DISTINCT_GROUPED;
        d.wanted = false;
        sort.order_by = s->order_by;
    }
    if (sort.order_by) {
        sort.cursor = cursor_alloc(c);
        select_source_init(&sort, c, s);
        struct key_info *key = key_info_of_list(c, sort.order_by, 0, (u32)sort.payload_count);
        sort.open_address = emit_key(c, OP_OpenEphemeral, sort.cursor,
                                     (int)sort.order_by->count + 1 + sort.payload_count, 0, key);
    }
    if (dest->kind == DEST_EPHEMERAL) emit(c, OP_OpenEphemeral, dest->parm, (int)s->columns->count, 0);
    if (!(s->flags & SELECT_F_FIXED_LIMIT)) s->rows_estimate = SELECT_ROWS_UNKNOWN;
    select_limit_code(c, s, end);
    if (!s->limit_register && sort.open_address >= 0) {
        emit_op(c, sort.open_address)->opcode = OP_SorterOpen;
        if (s->repeats_merged) emit_op(c, sort.open_address)->p5 = SORTER_REPEATS;
        sort.use_sorter = true;
    }
    if (d.wanted) {
        d.cursor = cursor_alloc(c);
        d.kind = ROW_DISTINCT_UNORDERED;
        struct key_info *key = key_info_of_list(c, s->columns, 0, 0);
        d.open_address = emit_key(c, OP_OpenEphemeral, d.cursor, 0, 0, key);
        d.hash = keys_hashable(key) ? cursor_alloc(c) : -1;
        if (d.hash >= 0) emit_key(c, OP_GroupOpen, d.hash, 0, 0, key);
        emit_set_p5(c, 0);
    }
    if (s->flags & SELECT_F_AGGREGATE || s->group_by) {
        select_aggregate(c, s, dest, &sort, &d, end);
    } else {
        simple_select(c, s, dest, &sort, &d, end);
    }
    if (sort.order_by) select_sort_tail(c, s, &sort, (int)s->columns->count, dest);
    emit_place(c, end);
}

void select_code(struct compile *c, struct select *s, struct select_dest *dest)
{
    if (!(s->flags & SELECT_F_RESOLVED)) resolve_select(c, s, NULL);
    select_code_limited(c, s, dest, 0);
}

void select_code_limited(struct compile *c, struct select *s, struct select_dest *dest, int limit_register)
{
    s->limit_register = limit_register;
    s->offset_register = 0;
    if (s->prior) {
        if (s->flags & SELECT_F_RECURSIVE) select_recursive(c, s, dest);
        else select_compound(c, s, dest);
        return;
    }
    select_one(c, s, dest);
}
