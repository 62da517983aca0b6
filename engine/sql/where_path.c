// The order of the loops: dynamic programming over the sources, keeping the few cheapest paths of each length.
#include "select.h"
#include "where.h"

// ---- does a path deliver ORDER BY? -------------------------------------------------------------------------------

// By which collation the rows of a query in FROM are in order.
static const struct collation *order_collation(struct compile *c, struct select *s, const struct expr_item *item)
{
    if (!s->prior || item->expr->kind == EXPR_COLLATE) return expr_collation(c, item->expr);
    const struct collation *found = compound_collation(c, s, item->order_by_column - 1u);
    return found ? found : &COLLATION_BINARY;
}

// Its rows come in the order of its own ORDER BY: adds the terms of order_by that this delivers. False: none. The ORDER BY of a
// recursive query says which row is next to go on from; what comes of it is behind it.
static bool subquery_order_satisfies(struct where_info *w, const struct where_loop *loop, u32 number, const struct expr_list *order_by,
                                     u32 flags, bitmask *satisfied, bitmask *reverse)
{
    struct source *source = &w->sources->items[loop->source];
    if (!source->select || !source->select->order_by || source->recursive || source->select->flags & SELECT_F_RECURSIVE) return false;
    const struct expr_list *own = source->select->order_by;
    u32 at = 0, n = 0;
    bool backwards = false;
    while (*satisfied & 1ull << at) at++;
    for (; n < own->count && at < order_by->count; n++, at++) {
        const struct expr_item *inner = &own->items[n], *outer = &order_by->items[at];
        const struct expr *e = outer->expr;
        if (!inner->order_by_column || (e->kind != EXPR_COLUMN && e->kind != EXPR_AGG_COLUMN)) break;
        if (e->cursor != source->cursor || e->column != inner->order_by_column - 1) break;
        if (!name_equal(expr_collation(w->c, e)->name, order_collation(w->c, source->select, inner)->name)) break;
        if (!(flags & WHERE_GROUP_BY)) {
            if (expr_item_nulls_big(inner) != expr_item_nulls_big(outer)) break;
            if (n == 0) {
                backwards = inner->descending != outer->descending;
                if (backwards && loop->flags & LOOP_COROUTINE) break;
                if (backwards) *reverse |= 1ull << number;
            } else if ((backwards ^ inner->descending) != outer->descending) {
                break;
            }
        }
        *satisfied |= 1ull << at;
    }
    return n > 0;
}

// Terms of order_by that the path with `last` behind it delivers in order: the number of leading ones, all of
// them when it equals the count, -1 when more loops may still complete it.
static int where_order_satisfied(struct where_info *w, struct expr_list *order_by, struct where_path *path, u32 flags,
                                 u32 count, struct where_loop *last, bitmask *reverse)
{
    struct compile *c = w->c;
    u32 terms = order_by->count;
    if (terms > 63) return 0;
    bool order_distinct = true;
    bitmask done = (1ull << terms) - 1, satisfied = 0, distinct_mask = 0, ready = 0;
    u16 equal = WO_EQ | WO_IS | WO_IS_NULL;
    if (flags & (WHERE_ORDER_LIMIT_INNER | WHERE_ORDER_BY_MAX | WHERE_ORDER_BY_MIN)) equal |= WO_IN;
    bool limit_mode = flags & WHERE_ORDER_LIMIT_INNER;
    struct where_loop *loop = NULL;
    for (u32 n = 0; order_distinct && satisfied < done && n <= count; n++) {
        if (n > 0) ready |= loop->self;
        if (n < count) {
            loop = path->loops[n];
            if (limit_mode) continue;
        } else {
            loop = last;
        }
        if (loop->flags & LOOP_VIRTUAL) {
            if (loop->in_order && w->order_by == order_by && !(flags & WHERE_DISTINCT_BY))
                satisfied = done;
            break;
        }
        int cursor = w->cursors[loop->source];
        // Columns that equal something known need no order.
        for (u32 i = 0; i < terms; i++) {
            if (satisfied & 1ull << i) continue;
            struct expr *e = expr_skip_collate(order_by->items[i].expr);
            if (e->kind != EXPR_COLUMN && e->kind != EXPR_AGG_COLUMN) continue;
            if (e->cursor != cursor) continue;
            struct where_term *t = where_find_term(&w->clause, cursor, e->column, ~ready, equal, NULL);
            if (!t) continue;
            if (t->operators == WO_IN) {
                u32 j;
                for (j = 0; j < loop->term_count && t != loop->terms[j]; j++) {
                }
                if (j >= loop->term_count) continue;
            }
            if (t->operators & (WO_EQ | WO_IS) && e->column >= 0) {
                const struct collation *k1 = expr_collation(c, order_by->items[i].expr);
                const struct expr *x = t->expr;
                const bool commuted = x->flags & EXPR_F_COMMUTED;
                const struct collation *k2 = compare_collation_or_null(c, commuted ? x->right : x->left, commuted ? x->left : x->right);
                if (!k2 || !name_equal(k1->name, k2->name)) continue; // of two rowids it has none, with which SQLite does not go on
            }
            satisfied |= 1ull << i;
        }
        if (!(loop->flags & LOOP_ONE_ROW)) {
            struct where_index *x = NULL;
            int keys, columns;
            if (loop->flags & LOOP_ROWID) {
                keys = 0;
                columns = 1;
                if (subquery_order_satisfies(w, loop, n, order_by, flags, &satisfied, reverse)) {
                    columns = 0;
                    order_distinct = false;
                }
            } else if (!(x = loop->index) || (x->index && x->index->unordered)) {
                return 0;
            } else {
                keys = x->key_count;
                columns = x->column_count;
                order_distinct = x->unique && !(loop->flags & LOOP_SKIP_SCAN);
            }
            bool rev = false, rev_set = false, distinct_columns = false;
            for (int j = 0; j < columns; j++) {
                bool once = true;
                if (j < loop->eq_count && j >= loop->skip_count) {
                    u16 op = loop->terms[j]->operators;
                    if (op & equal) {
                        if (op & (WO_IS_NULL | WO_IS)) order_distinct = false;
                        continue;
                    } else if (op & WO_IN) {
                        struct expr *in = loop->terms[j]->expr;
                        for (int i = j + 1; i < loop->eq_count; i++)
                            if (loop->terms[i]->expr == in) {
                                once = false;
                                break;
                            }
                    }
                }
                int column = COLUMN_ROWID;
                bool index_rev = false;
                if (x) {
                    column = x->columns[j];
                    index_rev = x->descending[j];
                    if (column == x->table->rowid_column && column >= 0) column = COLUMN_ROWID;
                }
                if (order_distinct) {
                    if (column >= 0 && j >= loop->eq_count && x->table->columns[column].not_null == CONFLICT_NONE)
                        order_distinct = false;
                    if (column == COLUMN_EXPR) order_distinct = false;
                }
                bool match = false;
                u32 i;
                for (i = 0; once && i < terms; i++) {
                    if (satisfied & 1ull << i) continue;
                    struct expr *e = expr_skip_collate(order_by->items[i].expr);
                    if (!(flags & (WHERE_GROUP_BY | WHERE_DISTINCT_BY))) once = false;
                    if (column >= COLUMN_ROWID) {
                        if (e->kind != EXPR_COLUMN && e->kind != EXPR_AGG_COLUMN) continue;
                        if (e->cursor != cursor || e->column != column) continue;
                    } else if (expr_compare(c, e, x->exprs[j], cursor) != 0) {
                        continue;
                    }
                    if (column != COLUMN_ROWID) {
                        const struct collation *k = expr_collation(c, order_by->items[i].expr);
                        const char *own = x->collations[j] ? x->collations[j] : "BINARY";
                        if (!name_equal(k->name, own)) continue;
                    }
                    if (flags & WHERE_DISTINCT_BY) loop->distinct_count = (u16)(j + 1);
                    match = true;
                    break;
                }
                if (match && !(flags & WHERE_GROUP_BY)) {
                    bool descending = order_by->items[i].descending;
                    if (rev_set) {
                        if ((rev ^ index_rev) != descending) match = false;
                    } else {
                        rev = index_rev ^ descending;
                        if (rev) *reverse |= 1ull << n;
                        rev_set = true;
                    }
                }
                // NULLs at the other end: two passes over the column behind the equalities.
                if (match && expr_item_nulls_big(&order_by->items[i])) {
                    if (j == loop->eq_count) loop->flags |= LOOP_BIG_NULL;
                    else match = false;
                }
                if (match) {
                    if (column == COLUMN_ROWID) distinct_columns = true;
                    satisfied |= 1ull << i;
                } else {
                    if (j == 0 || j < keys) order_distinct = false;
                    break;
                }
            }
            if (distinct_columns) order_distinct = true;
        }
        if (order_distinct) {
            distinct_mask |= loop->self;
            for (u32 i = 0; i < terms; i++) {
                if (satisfied & 1ull << i) continue;
                struct expr *e = order_by->items[i].expr;
                bitmask usage = expr_usage(w, e);
                if (usage == 0 && !expr_is_constant(c, e)) continue;
                if (!(usage & ~distinct_mask)) satisfied |= 1ull << i;
            }
        }
    }
    if (satisfied == done) return (int)terms;
    if (!order_distinct) {
        for (u32 i = terms - 1; i > 0; i--) {
            bitmask m = (1ull << i) - 1;
            if ((satisfied & m) == m) return (int)i;
        }
        return 0;
    }
    return -1;
}

static logest sorting_cost(const struct where_info *w, logest rows, u32 terms, int sorted)
{
    u32 columns = w->select && w->select->columns ? w->select->columns->count : 1;
    logest cost = rows + logest_of((columns + 59) / 30);
    if (sorted > 0) cost += logest_of((terms - (u32)sorted) * 100 / terms) - 66;
    if (w->flags & WHERE_USE_LIMIT) {
        cost += 10;
        if (sorted) cost += 6;
        if (w->limit < rows) rows = w->limit;
    } else if (w->flags & WHERE_WANT_DISTINCT) {
        if (rows > 10) rows -= 10;
    }
    return cost + logest_log(rows);
}

// ---- the solver ---------------------------------------------------------------------------------------------------

static bool loop_no_better(const struct where_loop *candidate, const struct where_loop *baseline)
{
    if (!(candidate->flags & LOOP_INDEXED) || !(baseline->flags & LOOP_INDEXED)) return true;
    return candidate->index->row_size >= baseline->index->row_size;
}

// A star: one table (the fact) from which at least four others (its dimensions) are looked up, or three, where tables are large. Scanning a small
// dimension is so cheap that all the paths that are kept would begin with a cross product of dimensions, and the good
// one, whose first step is the fact table, be gone. So no scan of a dimension is cheaper than the fact table's dearest
// loop. Outer and cross joins separate stars. Costs are changed once.
static bool star_weigh(struct where_info *w)
{
    const u32 few = w->large ? 3 : 4;
    if (w->star_weighed || w->level_count <= few) return w->star;
    w->star_weighed = true;
    u32 first = 0; // source from which on dimensions are looked for
    bitmask not_dimensions = 0;
    for (u32 fact = 0; fact < w->level_count; fact++) {
        const struct source *f = &w->sources->items[fact];
        if (f->join & (JOIN_OUTER | JOIN_CROSS)) {
            if (fact + few > w->level_count) break;
            first = fact + 1;
        }
        u32 stop = w->level_count;
        for (u32 i = w->level_count; i-- > first;)
            if (w->sources->items[i].join & (JOIN_OUTER | JOIN_CROSS)) stop = i;
        bitmask dimensions = 0;
        logest dearest = INT16_MIN;
        for (const struct where_loop *l = w->loops; l; l = l->next) {
            if (l->source == fact) dearest = MAX(dearest, l->run);
            if (l->source < first || l->source >= stop || !(l->prereq & 1ull << fact) || l->self & (dimensions | not_dimensions)) continue;
            if (w->sources->items[l->source].table == f->table)
                not_dimensions |= 1ull << fact;
            else
                dimensions |= l->self;
        }
        if ((u32)__builtin_popcountll(dimensions) < few) continue;
        w->star = true;
        for (struct where_loop *l = w->loops; l; l = l->next)
            if (l->self & dimensions && !l->term_count) l->run = MAX(l->run, dearest + 1);
    }
    return w->star;
}

// Between the two rounds of a query with ORDER BY: sources that the first round looks up by equality from the
// outermost loop on are not scanned in another order to save sorting.
void where_scans_forbid(struct where_info *w)
{
    for (u32 i = 0; i < w->level_count; i++) {
        const struct where_loop *chosen = w->levels[i].loop;
        if (!chosen || chosen->flags & LOOP_VIRTUAL || !(chosen->flags & (LOOP_COLUMN_EQ | LOOP_COLUMN_NULL | LOOP_COLUMN_IN))) return;
        for (struct where_loop *l = w->loops; l; l = l->next)
            if (l->source == chosen->source && !(l->flags & (LOOP_CONSTRAINT | LOOP_AUTO_INDEX))) l->prereq = ~0ull;
    }
}

// Costs take a row that an index names as near the last one. When the loop comes to half of a large table's rows and
// more, in the order of another table, that is wrong by so much that a scan of the table and look-ups in the other are
// better: each row is then sought from the root on, in pages that are not in the processor's caches. A LIMIT ends a loop
// that delivers ORDER BY before that. Where the outermost table is looked up by equality itself, how many rows there will be is
// a guess that few values agree with: then the scan is not risked.
static logest run_cost(const struct where_info *w, const struct where_loop *loop, const struct where_path *p)
{
    if (!loop->scattered || !p->mask || p->loops[0]->flags & (LOOP_COLUMN_EQ | LOOP_COLUMN_NULL | LOOP_COLUMN_IN)) return loop->run;
    bool ends = w->flags & WHERE_USE_LIMIT && w->order_by && (p->ordered < 0 || (u32)p->ordered == w->order_by->count);
    logest rows = ends ? MIN(p->rows, w->limit) : p->rows;
    if (rows + loop->fetched < loop->index->rows[0] - 10) return loop->run;
    return loop->scattered;
}

// A single table whose row is named outright, by its rowid or by a unique index, needs no weighing.
bool where_short_cut(struct where_info *w)
{
    struct source *s = w->sources->items;
    if (w->sources->count != 1 || w->flags & WHERE_OR_SUBCLAUSE || s->index || s->not_indexed || !w->indexes[0]) return false;
    for (struct where_index *x = w->indexes[0]; x; x = x->next) {
        struct where_term *terms[3];
        bool rowid = x->kind == WHERE_INDEX_ROWID;
        if (!rowid && (!x->unique || x->partial || x->key_count > (int)COUNT_OF(terms))) continue;
        u16 operators = rowid || x->unique_not_null ? WO_EQ | WO_IS : WO_EQ;
        int found = 0;
        bool transitive = false;
        for (; found < x->key_count; found++) {
            struct where_scan scan;
            struct where_term *t = where_scan_first(&scan, &w->clause, s->cursor, found, operators, x);
            while (t && t->prereq_right) t = where_scan_next(&scan);
            if (!t) break;
            terms[found] = t;
            transitive |= scan.equivalent > 1;
        }
        if (found < x->key_count) continue;
        struct where_loop *loop = arena_alloc(w->c->arena, sizeof *loop);
        loop->flags = LOOP_COLUMN_EQ | LOOP_ONE_ROW | (rowid ? LOOP_ROWID : LOOP_INDEXED) | (transitive ? LOOP_TRANSITIVE : 0);
        if (!rowid && (x->covering_all || !(s->columns_used & x->not_indexed))) loop->flags |= LOOP_INDEX_ONLY;
        loop->index = x;
        loop->self = 1;
        loop->run = rowid ? 33 : 39; // of 10 and 15 rows
        loop->rows = 1;
        loop->eq_count = (u16)found;
        loop->terms = arena_alloc(w->c->arena, sizeof *loop->terms * (u32)found);
        memcpy(loop->terms, terms, sizeof *terms * (u32)found);
        loop->term_count = loop->term_capacity = (u16)found;
        w->levels[0].loop = loop;
        w->levels[0].source = 0;
        w->levels[0].table_cursor = w->cursors[0];
        w->rows_out = 1;
        if (w->order_by) w->ordered = (int)w->order_by->count;
        if (w->flags & WHERE_WANT_DISTINCT) w->distinct = DISTINCT_UNIQUE;
        return true;
    }
    return false;
}

void where_solve(struct where_info *w, logest row_estimate)
{
    struct compile *c = w->c;
    u32 count = w->level_count;
    u32 choices = count <= 1 ? 1 : count == 2 ? 5 : star_weigh(w) ? 18 : 12;
    u32 terms = !w->order_by || row_estimate == 0 ? 0 : w->order_by->count;
    struct where_path *to = arena_alloc(c->arena, sizeof *to * choices);
    struct where_path *from = arena_alloc(c->arena, sizeof *from * choices);
    for (u32 i = 0; i < choices; i++) {
        to[i].loops = arena_alloc(c->arena, sizeof(struct where_loop *) * (count + 1));
        from[i].loops = arena_alloc(c->arena, sizeof(struct where_loop *) * (count + 1));
    }
    logest *sort_costs = arena_alloc(c->arena, sizeof *sort_costs * (terms + 1));
    u32 from_count = 1, to_count = 0;
    from[0] = (struct where_path){.loops = from[0].loops, .rows = MIN(c->query_loops, 48)};
    if (terms) from[0].ordered = count > 0 ? -1 : (s8)MIN(terms, 127);
    logest worst_cost = 0, worst_unsorted = 0;
    u32 worst = 0;
    for (u32 n = 0; n < count; n++) {
        to_count = 0;
        for (u32 f = 0; f < from_count; f++) {
            struct where_path *p = &from[f];
            for (struct where_loop *loop = w->loops; loop; loop = loop->next) {
                if (loop->prereq & ~p->mask || loop->self & p->mask) continue;
                if (loop->flags & LOOP_AUTO_INDEX && p->rows < 3) continue;
                bitmask reverse;
                logest unsorted = run_cost(w, loop, p) + p->rows;
                if (loop->setup) unsorted = logest_add(loop->setup, unsorted);
                unsorted = logest_add(unsorted, p->unsorted);
                logest rows = p->rows + loop->rows;
                bitmask mask = p->mask | loop->self;
                int ordered = p->ordered;
                if (ordered < 0) {
                    reverse = 0;
                    ordered = where_order_satisfied(w, w->order_by, p, w->flags, n, loop, &reverse);
                } else {
                    reverse = p->reverse;
                }
                logest cost;
                if (ordered >= 0 && (u32)ordered < terms) {
                    if (!sort_costs[ordered]) sort_costs[ordered] = sorting_cost(w, row_estimate, terms, ordered);
                    cost = logest_add(unsorted, sort_costs[ordered]) + 3;
                } else {
                    cost = unsorted;
                    unsorted -= 2;
                }
                u32 j;
                struct where_path *t = NULL;
                for (j = 0; j < to_count; j++) {
                    t = &to[j];
                    if (t->mask == mask && (((t->ordered ^ ordered) & 0x80) == 0 || n == count - 1)) break;
                }
                if (j >= to_count) {
                    if (to_count >= choices && (cost > worst_cost || (cost == worst_cost && unsorted >= worst_unsorted)))
                        continue;
                    j = to_count < choices ? to_count++ : worst;
                    t = &to[j];
                } else if (t->cost < cost || (t->cost == cost && t->rows < rows) ||
                           (t->cost == cost && t->rows == rows && t->unsorted < unsorted) ||
                           (t->cost == cost && t->rows == rows && t->unsorted == unsorted &&
                            loop_no_better(loop, t->loops[n]))) {
                    continue;
                }
                t->mask = mask;
                t->reverse = reverse;
                t->rows = rows;
                t->cost = cost;
                t->unsorted = unsorted;
                t->ordered = (s8)ordered;
                memcpy(t->loops, p->loops, sizeof(struct where_loop *) * n);
                t->loops[n] = loop;
                if (to_count >= choices) {
                    worst = 0;
                    worst_cost = to[0].cost;
                    worst_unsorted = to[0].rows;
                    for (u32 k = 1; k < choices; k++)
                        if (to[k].cost > worst_cost || (to[k].cost == worst_cost && to[k].unsorted > worst_unsorted)) {
                            worst_cost = to[k].cost;
                            worst_unsorted = to[k].unsorted;
                            worst = k;
                        }
                }
            }
        }
        struct where_path *swap = to;
        to = from;
        from = swap;
        from_count = to_count;
    }
    if (from_count == 0) compile_fail(c, ERR_ERROR, -1, "no query solution");
    struct where_path *best = &from[0];
    for (u32 i = 1; i < from_count; i++)
        if (best->cost > from[i].cost) best = &from[i];
    for (u32 i = 0; i < count; i++) {
        struct where_level *level = &w->levels[i];
        level->loop = best->loops[i];
        level->source = level->loop->source;
        level->table_cursor = w->cursors[level->source];
    }
    struct where_loop *last = count ? best->loops[count - 1] : NULL;
    if (w->flags & WHERE_WANT_DISTINCT && !(w->flags & WHERE_DISTINCT_BY) && w->distinct == DISTINCT_NONE && row_estimate && count) {
        bitmask unused = 0;
        int n = where_order_satisfied(w, w->results, best, WHERE_DISTINCT_BY, count - 1, last, &unused);
        if (n == (int)w->results->count) w->distinct = DISTINCT_ORDERED;
    }
    w->ordered_inner = false;
    if (w->order_by) {
        w->ordered = best->ordered;
        if (w->flags & WHERE_DISTINCT_BY) {
            if (best->ordered == (int)w->order_by->count) w->distinct = DISTINCT_ORDERED;
            if (w->select && w->select->order_by && w->ordered > (int)w->select->order_by->count)
                w->ordered = (int)w->select->order_by->count;
        } else {
            w->reverse_mask = best->reverse;
            if (w->ordered <= 0) {
                w->ordered = 0;
                if (count > 0 && !(last->flags & LOOP_ONE_ROW) &&
                    (last->flags & (LOOP_ROWID | LOOP_COLUMN_IN)) != (LOOP_ROWID | LOOP_COLUMN_IN)) {
                    bitmask m = 0;
                    int n = where_order_satisfied(w, w->order_by, best, WHERE_ORDER_LIMIT_INNER, count - 1, last, &m);
                    if (n == (int)w->order_by->count) {
                        w->ordered_inner = true;
                        w->reverse_mask = m;
                    }
                }
            } else if (count && w->ordered == 1 && w->flags & (WHERE_ORDER_BY_MIN | WHERE_ORDER_BY_MAX)) {
                w->ordered_inner = true;
            }
        }
        if (w->flags & WHERE_SORT_BY_GROUP && w->ordered == (int)w->order_by->count && count) {
            bitmask reverse = 0;
            int n = where_order_satisfied(w, w->order_by, best, 0, count - 1, last, &reverse);
            if (n == (int)w->order_by->count) {
                w->sorted = true;
                w->reverse_mask = reverse;
            }
        }
    } else if (count == 0) {
        w->ordered = 0;
    } else if (w->arrival && !compile_connection_flag(c, CONNECTION_REVERSE_UNORDERED_SELECTS)) {
        bitmask reverse = 0;
        int n = where_order_satisfied(w, w->arrival, best, 0, count - 1, last, &reverse);
        if (n == (int)w->arrival->count && !reverse) w->ordered = n;
    }
    w->rows_out = best->rows;
}
