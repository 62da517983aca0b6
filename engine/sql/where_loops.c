// Candidate loops: every index and every prefix of its columns that terms constrain, with what it costs.
#include "../fn/fn.h"
#include "where.h"

// ---- the set of loops -----------------------------------------------------------------------------------------

static bool cheaper_proper_subset(const struct where_loop *x, const struct where_loop *y)
{
    if (x->run > y->run && x->rows > y->rows) return false;
    if (x->eq_count < y->eq_count && x->index == y->index && x->index && x->skip_count == 0 && y->skip_count == 0) {
        return true;
    }
    if (x->term_count - x->skip_count >= y->term_count - y->skip_count) return false;
    if (y->skip_count > x->skip_count) return false;
    for (int i = (int)x->term_count - 1; i >= 0; i--) {
        if (!x->terms[i]) continue;
        int j;
        for (j = (int)y->term_count - 1; j >= 0; j--)
            if (y->terms[j] == x->terms[i]) break;
        if (j < 0) return false;
    }
    if (x->flags & LOOP_INDEX_ONLY && !(y->flags & LOOP_INDEX_ONLY)) return false;
    return true;
}

static void adjust_cost(struct where_info *w, struct where_loop *t)
{
    if (!(t->flags & LOOP_INDEXED)) return;
    for (struct where_loop *p = w->loops; p; p = p->next) {
        if (p->source != t->source || !(p->flags & LOOP_INDEXED)) continue;
        if (cheaper_proper_subset(p, t)) {
            t->run = MIN(p->run, t->run);
            t->rows = MIN(p->rows - 1, t->rows);
        } else if (cheaper_proper_subset(t, p)) {
            t->run = MAX(p->run, t->run);
            t->rows = MAX(p->rows + 1, t->rows);
        }
    }
}

// The loop in the list that the template makes superfluous; NULL-ended; *drop: the template is the worse one.
static struct where_loop **find_lesser(struct where_loop **at, const struct where_loop *t, bool *drop)
{
    *drop = false;
    struct where_loop *p;
    for (p = *at; p; at = &p->next, p = *at) {
        if (p->source != t->source || p->sort_index != t->sort_index) continue;
        if (p->flags & LOOP_AUTO_INDEX && t->skip_count == 0 && t->flags & LOOP_INDEXED && t->flags & LOOP_COLUMN_EQ &&
            (p->prereq & t->prereq) == t->prereq)
            break;
        if ((p->prereq & t->prereq) == p->prereq && p->setup <= t->setup && p->run <= t->run && p->rows <= t->rows) {
            *drop = true;
            return NULL;
        }
        if ((p->prereq & t->prereq) == t->prereq && p->run >= t->run && p->rows >= t->rows) break;
    }
    return at;
}

struct or_cost {
    bitmask prereq;
    logest run, rows;
};
struct or_set {
    u32 count;
    struct or_cost costs[3];
};

static bool or_insert(struct or_set *set, bitmask prereq, logest run, logest rows)
{
    u32 i;
    struct or_cost *p;
    for (i = 0; i < set->count; i++) {
        p = &set->costs[i];
        if (run <= p->run && (prereq & p->prereq) == prereq) {
            p->prereq = prereq;
            p->run = run;
            if (p->rows > rows) p->rows = rows;
            return true;
        }
        if (p->run <= run && (p->prereq & prereq) == p->prereq) return false;
    }
    if (set->count < COUNT_OF(set->costs)) {
        p = &set->costs[set->count++];
        p->rows = rows;
    } else {
        p = &set->costs[0];
        for (i = 1; i < set->count; i++)
            if (p->run > set->costs[i].run) p = &set->costs[i];
        if (p->run <= run) return false;
    }
    p->prereq = prereq;
    p->run = run;
    if (p->rows > rows) p->rows = rows;
    return true;
}

void where_loop_insert(struct loop_builder *b, struct where_loop *t)
{
    struct where_info *w = b->w;
    if (b->plan_limit == 0) {
        if (b->or_set) b->or_set->count = 0;
        return;
    }
    b->plan_limit--;
    adjust_cost(w, t);
    if (b->or_set) {
        if (t->term_count) or_insert(b->or_set, t->prereq, t->run, t->rows);
        return;
    }
    bool drop;
    struct where_loop **at = find_lesser(&w->loops, t, &drop);
    if (drop) return;
    struct where_loop *p = *at;
    if (!p) {
        p = arena_alloc(w->c->arena, sizeof *p);
        *at = p;
        p->next = NULL;
    } else {
        // What else the new one makes superfluous goes too.
        struct where_loop **tail = &p->next;
        while (*tail) {
            tail = find_lesser(tail, t, &drop);
            if (!tail || drop) break;
            struct where_loop *remove = *tail;
            if (!remove) break;
            *tail = remove->next;
        }
    }
    struct where_loop *next = p->next;
    *p = *t;
    p->next = next;
    p->terms = arena_alloc(w->c->arena, sizeof *p->terms * (t->term_count + 1));
    if (t->term_count) memcpy(p->terms, t->terms, sizeof *p->terms * t->term_count);
    p->term_capacity = t->term_count + 1;
}

void where_terms_reserve(struct loop_builder *b, u32 count)
{
    struct where_loop *t = b->loop;
    while (t->term_capacity < count)
        t->terms = arena_grow(b->w->c->arena, t->terms, t->term_capacity, &t->term_capacity, sizeof *t->terms);
}

// ---- what terms that the loop does not use still filter ----------------------------------------------------------

static void output_adjust(struct where_clause *wc, struct where_loop *loop, logest rows)
{
    bitmask not_allowed = ~(loop->prereq | loop->self);
    logest reduce = 0;
    for (int i = 0; i < wc->base_count; i++) {
        struct where_term *t = wc->terms[i];
        if (t->prereq_all & not_allowed) continue;
        if (!(t->prereq_all & loop->self)) continue;
        if (t->flags & TERM_VIRTUAL) continue;
        int j;
        for (j = (int)loop->term_count - 1; j >= 0; j--) {
            struct where_term *x = loop->terms[j];
            if (!x) continue;
            if (x == t) break;
            if (x->parent >= 0 && x->parent < wc->count && wc->terms[x->parent] == t) break; // SQLite counts so in whatever clause x is, too
        }
        if (j >= 0) continue;
        if (loop->self == t->prereq_all) {
            const struct source *s = &wc->info->sources->items[loop->source];
            if (t->operators & 0x3f || !(s->join & (JOIN_LEFT | JOIN_LEFT_OF_RIGHT))) loop->flags |= LOOP_SELF_CULL;
        }
        if (t->truth <= 0) {
            loop->rows += t->truth;
        } else {
            loop->rows--;
            if (t->operators & (WO_EQ | WO_IS)) {
                int k = 0;
                if (t->expr->right && expr_is_integer(t->expr->right, &k) && k >= -1 && k <= 1) k = 10;
                else k = 20;
                if (reduce < k) reduce = (logest)k;
            }
        }
    }
    if (loop->rows > rows - reduce) loop->rows = rows - reduce;
}

static bool column_not_null(const struct where_index *x, int i)
{
    int column = x->columns[i];
    if (column >= 0) return x->table->columns[column].not_null != CONFLICT_NONE || column == x->table->rowid_column;
    return column == COLUMN_ROWID;
}

// Leading fields of "(a, b) > (1, 2)" that fit the index from column `eq` on.
static int range_vector_length(struct where_info *w, int cursor, const struct where_index *x, int eq,
                               const struct where_term *t)
{
    struct compile *c = w->c;
    int compare = expr_vector_size(t->expr->left);
    compare = MIN(compare, x->column_count - eq);
    int i;
    for (i = 1; i < compare; i++) {
        if (t->expr->left->kind != EXPR_ROW) break;
        const struct expr *left = t->expr->left->list->items[i].expr;
        struct expr *right = t->expr->right;
        if (right->kind == EXPR_SELECT) right = right->select->columns->items[i].expr;
        else right = right->list->items[i].expr;
        if (!expr_stands_for_column(left) || left->cursor != cursor) break;
        int column = x->columns[i + eq];
        if (column == x->table->rowid_column && column >= 0) column = COLUMN_ROWID;
        if (left->column != column || x->descending[i + eq] != x->descending[eq]) break;
        char affinity = compare_affinity(right, expr_affinity(left));
        if (affinity != table_column_affinity(x->table, left->column)) break;
        const struct collation *k = compare_collation(c, left, right);
        const char *own = x->collations[i + eq] ? x->collations[i + eq] : "BINARY";
        if (!name_equal(k->name, own)) break;
    }
    return i;
}

static logest range_adjust(const struct where_term *t, logest rows)
{
    if (!t) return rows;
    if (t->truth <= 0) return rows + t->truth;
    if (!(t->flags & TERM_VNULL)) return rows - 20;
    return rows;
}

static void range_estimate(struct where_term *lower, struct where_term *upper, struct where_loop *loop)
{
    logest before = loop->rows;
    logest rows = range_adjust(lower, before);
    rows = range_adjust(upper, rows);
    // Both ends given and unknown: 1/64 rather than 1/16.
    if (lower && lower->truth > 0 && upper && upper->truth > 0) rows -= 20;
    logest out = before;
    out -= (lower != NULL) + (upper != NULL);
    if (rows < 10) rows = 10;
    if (rows < out) out = rows;
    loop->rows = out;
}

// Rows to expect once the first `eq` columns are known: with those of the rowid or primary key behind an index's own, one.
static logest index_rows(const struct where_index *x, int eq)
{
    return eq <= x->key_count ? x->rows[eq] : 0;
}

static void add_index_loops(struct loop_builder *b, struct source *s, struct where_index *x, logest in_multiplier)
{
    struct where_info *w = b->w;
    struct where_loop *new = b->loop;
    struct where_loop saved = *new;
    u16 mask;
    if (new->flags & LOOP_BOTTOM) mask = WO_LT | WO_LE;
    else mask = WO_EQ | WO_IN | WO_GT | WO_GE | WO_LT | WO_LE | WO_IS_NULL | WO_IS;
    if (x->index && x->index->unordered) mask &= (u16) ~(WO_GT | WO_GE | WO_LT | WO_LE);
    struct where_scan scan;
    struct where_term *term = where_scan_first(&scan, b->clause, s->cursor, saved.eq_count, mask, x);
    new->setup = 0;
    new->scattered = 0;
    logest size = x->rows[0], log_size = logest_log(size);
    struct where_term *top = NULL, *bottom = NULL;
    logest table_size = where_table_row_size(x->table);
    for (; term; term = where_scan_next(&scan)) {
        u16 op = term->operators;
        logest in_rows = 0;
        if ((op == WO_IS_NULL || term->flags & TERM_VNULL) && column_not_null(x, saved.eq_count)) continue;
        if (term->prereq_right & new->self) continue;
        if (term->flags & TERM_LIKE_OPT && term->operators == WO_LT) continue;
        if (s->join & (JOIN_LEFT | JOIN_LEFT_OF_RIGHT | JOIN_RIGHT) && !where_term_outer_ok(term, s)) continue;
        b->key_whole |= x->unique && saved.eq_count + 1 == x->key_count;
        b->key_part |= !(x->unique && saved.eq_count + 1 == x->key_count);
        u32 keep_capacity = new->term_capacity;
        struct where_term **keep_terms = new->terms;
        new->flags = saved.flags;
        new->eq_count = saved.eq_count;
        new->bottom_count = saved.bottom_count;
        new->top_count = saved.top_count;
        new->term_count = saved.term_count;
        new->term_capacity = keep_capacity;
        new->terms = keep_terms;
        where_terms_reserve(b, new->term_count + 2);
        new->terms[new->term_count++] = term;
        new->prereq = (saved.prereq | term->prereq_right) & ~new->self;
        if (op & WO_IN) {
            struct expr *e = term->expr;
            if (e->flags & EXPR_F_SELECT) {
                in_rows = 46;
                bool redundant = false;
                for (u32 i = 0; i + 1 < new->term_count; i++)
                    if (new->terms[i] && new->terms[i]->expr == e) {
                        in_rows = 0;
                        if (new->terms[i]->field == term->field) redundant = true;
                    }
                if (redundant) {
                    new->term_count--;
                    continue;
                }
            } else if (e->list && e->list->count) {
                in_rows = logest_of(e->list->count);
            }
            if (x->has_stat && log_size >= 10) {
                logest m = x->rows[saved.eq_count], log_k = logest_log(in_rows);
                logest gain = (logest)(m + log_k + 10 - (in_rows + log_size));
                // A scan of the rows with the columns before is cheaper than that many searches, but a search that begins where the last one ended.
                if (gain < 0 && in_multiplier >= 2) continue;
            }
            new->flags |= LOOP_COLUMN_IN;
        } else if (op & (WO_EQ | WO_IS)) {
            int column = x->columns[saved.eq_count];
            new->flags |= LOOP_COLUMN_EQ | (scan.equivalent > 1 ? LOOP_TRANSITIVE : 0);
            if (column == COLUMN_ROWID || (column >= 0 && in_multiplier == 0 && saved.eq_count == x->key_count - 1)) {
                if (column == COLUMN_ROWID || x->unique_not_null || (x->key_count == 1 && x->unique && op & WO_EQ))
                    new->flags |= LOOP_ONE_ROW;
                else
                    new->flags |= LOOP_UNIQUE_WANTED;
            }
        } else if (op & WO_IS_NULL) {
            new->flags |= LOOP_COLUMN_NULL;
        } else {
            int length = range_vector_length(w, s->cursor, x, saved.eq_count, term);
            if (op & (WO_GT | WO_GE)) {
                new->flags |= LOOP_COLUMN_RANGE | LOOP_BOTTOM;
                new->bottom_count = (u16)length;
                bottom = term;
                top = NULL;
                if (term->flags & TERM_LIKE_OPT) {
                    // The other end was added right behind it.
                    int at = 0;
                    while (term->clause->terms[at] != term) at++;
                    top = term->clause->terms[at + 1];
                    new->terms[new->term_count++] = top;
                    new->flags |= LOOP_TOP;
                    new->top_count = 1;
                }
            } else {
                new->flags |= LOOP_COLUMN_RANGE | LOOP_TOP;
                new->top_count = (u16)length;
                top = term;
                bottom = new->flags & LOOP_BOTTOM ? new->terms[new->term_count - 2] : NULL;
            }
        }
        if (new->flags & LOOP_COLUMN_RANGE) {
            range_estimate(bottom, top, new);
        } else {
            int eq = ++new->eq_count;
            if (term->truth <= 0 && x->columns[saved.eq_count] >= 0) {
                new->rows += term->truth;
                new->rows -= in_rows;
            } else {
                new->rows += index_rows(x, eq) - index_rows(x, eq - 1);
                if (op & WO_IS_NULL) new->rows += 10;
            }
        }
        logest cost = x->kind == WHERE_INDEX_ROWID ? new->rows + 16 : new->rows + 1 + (15 * x->row_size) / table_size;
        cost = logest_add(log_size, cost);
        new->run = cost;
        new->scattered = 0;
        if (!(new->flags & (LOOP_INDEX_ONLY | LOOP_ROWID | LOOP_EXPR_INDEX))) {
            logest all = where_table_rows(w, x->table);
            if (w->large && all >= WHERE_LARGE) {
                new->scattered = logest_add(new->run, new->rows + logest_log(all) + 10) + in_multiplier + in_rows;
                new->fetched = new->rows + in_multiplier + in_rows;
            }
            new->run = logest_add(new->run, new->rows + 16);
        }
        logest unadjusted = new->rows;
        new->run += in_multiplier + in_rows;
        new->rows += in_multiplier + in_rows;
        output_adjust(b->clause, new, size);
        where_loop_insert(b, new);
        new->rows = new->flags & LOOP_COLUMN_RANGE ? saved.rows : unadjusted;
        if (!(new->flags & LOOP_TOP) && new->eq_count < x->column_count &&
            (new->eq_count < x->key_count || x->kind != WHERE_INDEX_PRIMARY))
            add_index_loops(b, s, x, in_multiplier + in_rows);
        new->rows = saved.rows;
    }
    new->prereq = saved.prereq;
    new->eq_count = saved.eq_count;
    new->bottom_count = saved.bottom_count;
    new->top_count = saved.top_count;
    new->skip_count = saved.skip_count;
    new->flags = saved.flags;
    new->rows = saved.rows;
    new->term_count = saved.term_count;
    // Skip-scan: try every value of a column that no term constrains, when it has few.
    if (saved.eq_count == saved.skip_count && saved.eq_count + 1 < x->key_count && saved.eq_count == new->term_count &&
        x->has_stat && !(x->index && x->index->no_skip_scan) && x->rows[saved.eq_count + 1] >= 42) {
        where_terms_reserve(b, new->term_count + 1);
        new->eq_count++;
        new->skip_count++;
        new->terms[new->term_count++] = NULL;
        new->flags |= LOOP_SKIP_SCAN;
        logest iterations = x->rows[saved.eq_count] - x->rows[saved.eq_count + 1];
        new->rows -= iterations;
        iterations += 5;
        add_index_loops(b, s, x, iterations + in_multiplier);
        new->rows = saved.rows;
        new->eq_count = saved.eq_count;
        new->skip_count = saved.skip_count;
        new->flags = saved.flags;
        new->term_count = saved.term_count;
    }
}

// ---- one source -------------------------------------------------------------------------------------------------

static bool might_help_order(struct loop_builder *b, struct where_index *x, int cursor)
{
    struct where_info *w = b->w;
    struct expr_list *order_by = w->order_by;
    if (!order_by || (x->index && x->index->unordered)) return false;
    for (u32 i = 0; i < order_by->count; i++) {
        struct expr *e = expr_skip_collate(order_by->items[i].expr);
        if ((e->kind == EXPR_COLUMN || e->kind == EXPR_AGG_COLUMN) && e->cursor == cursor) {
            if (e->column < 0) return true;
            for (int j = 0; j < x->key_count; j++)
                if (e->column == x->columns[j]) return true;
        } else if (x->exprs) {
            for (int j = 0; j < x->key_count; j++)
                if (x->columns[j] == COLUMN_EXPR && expr_compare(w->c, e, x->exprs[j], cursor) < 2) return true;
        }
    }
    return false;
}

// An automatic index on a column that an index begins with, or that ANALYZE has found to tell few rows apart behind others,
// does not pay.
static bool indexing_pays(const struct table *t, int column)
{
    for (const struct index *x = t->indexes; x; x = x->next)
        for (u16 k = 0; k < x->key_count; k++) {
            if (x->columns[k] != column) continue;
            if (k == 0 || (x->has_stat && logest_of(x->stat[k + 1]) > 20)) return false;
            break;
        }
    return true;
}

bool where_term_drives_index(const struct where_info *w, const struct where_term *t, const struct source *s,
                             bitmask not_ready)
{
    if (t->left_cursor != s->cursor || !(t->operators & (WO_EQ | WO_IS))) return false;
    if (s->join & (JOIN_LEFT | JOIN_LEFT_OF_RIGHT | JOIN_RIGHT) && !where_term_outer_ok(t, s)) return false;
    if (t->prereq_right & not_ready) return false;
    if (t->left_column < 0) return false;
    return expr_index_affinity_ok(t->expr, 0, table_column_affinity(s->table, t->left_column)) &&
           indexing_pays(s->table, t->left_column);
}

static void add_source_loops(struct loop_builder *b, bitmask prereq)
{
    struct where_info *w = b->w;
    struct where_loop *new = b->loop;
    struct source *s = &w->sources->items[new->source];
    const struct table *t = s->table;
    logest rows = where_source_rows(w, s);
    logest table_size = where_table_row_size(t);
    if (!b->or_set && !(w->flags & (WHERE_RIGHT_JOIN | WHERE_OR_SUBCLAUSE)) &&
        compile_connection_flag(w->c, CONNECTION_AUTOMATIC_INDEX) && !s->index && !s->not_indexed && !s->correlated &&
        !s->recursive && !(s->join & JOIN_RIGHT)) {
        logest log_size = logest_log(rows);
        for (int i = 0; i < b->clause->count; i++) {
            struct where_term *term = b->clause->terms[i];
            if (term->prereq_right & new->self) continue;
            if (!where_term_drives_index(w, term, s, 0)) continue;
            where_terms_reserve(b, 1);
            new->eq_count = 1;
            new->bottom_count = new->top_count = new->skip_count = 0;
            new->index = NULL;
            new->term_count = 1;
            new->terms[0] = term;
            new->scattered = 0;
            new->setup = log_size + rows;
            if (!(t->flags & TABLE_EPHEMERAL)) new->setup += 28;
            else new->setup -= 25;
            if (new->setup < 0) new->setup = 0;
            new->rows = 43;
            new->run = logest_add(log_size, new->rows);
            new->flags = LOOP_AUTO_INDEX; // its sort_index is that of the source before it, as in SQLite's
            new->prereq = prereq | term->prereq_right;
            where_loop_insert(b, new);
        }
    }
    int sort_index = 1;
    for (struct where_index *x = w->indexes[new->source]; x; x = x->next, sort_index++) {
        if (s->index && x->index != s->index) continue;
        if (s->not_indexed && x->kind == WHERE_INDEX_ORDINARY && table_has_rowid(t)) continue; // else it asks in vain, as in SQLite
        if (x->partial && !where_usable_partial(w, s->cursor, s->join, b->clause, x->partial)) continue;
        rows = x->rows[0];
        new->eq_count = new->bottom_count = new->top_count = new->distinct_count = new->skip_count = 0;
        new->term_count = 0;
        new->sort_index = 0;
        new->setup = 0;
        new->scattered = 0;
        new->prereq = prereq;
        new->rows = rows;
        new->index = x;
        bool helps = might_help_order(b, x, s->cursor);
        if (x->kind == WHERE_INDEX_ROWID) {
            new->flags = LOOP_ROWID;
            new->sort_index = helps ? (u8)sort_index : 0;
            new->run = rows + 16;
            output_adjust(b->clause, new, rows);
            if (s->select && s->via_coroutine) new->flags |= LOOP_COROUTINE;
            where_loop_insert(b, new);
            new->rows = rows;
        } else {
            bitmask missing;
            if (x->covering_all) {
                missing = 0;
                new->flags = LOOP_INDEX_ONLY | LOOP_INDEXED;
            } else {
                missing = s->columns_used & x->not_indexed;
                if (x->partial) missing &= ~where_partial_constants(w->c, x, x->partial);
                new->flags = LOOP_INDEXED;
                if (missing == 1ull << 63 || (x->has_expr && !x->has_virtual && missing != 0)) {
                    u32 covering = where_covers_by_expressions(w, x, s->cursor);
                    if (covering) {
                        missing = 0;
                        new->flags |= covering;
                    }
                } else if (missing == 0 && (table_has_rowid(t) || w->select)) {
                    new->flags = LOOP_INDEX_ONLY | LOOP_INDEXED;
                }
            }
            if (helps || !table_has_rowid(t) || x->partial || s->index ||
                (missing == 0 && !(x->index && x->index->unordered) && x->row_size < table_size &&
                 !(w->flags & WHERE_ONE_PASS))) {
                new->sort_index = helps ? (u8)sort_index : 0;
                new->run = rows + 1 + (15 * x->row_size) / table_size;
                if (missing) {
                    logest lookup = rows + 16;
                    struct where_clause *wc = &w->clause;
                    for (int i = 0; i < wc->count; i++) {
                        struct where_term *term = wc->terms[i];
                        if (!where_covered_by_columns(term->expr, s->cursor, x)) break;
                        if (term->truth <= 0) {
                            lookup += term->truth;
                        } else {
                            lookup--;
                            if (term->operators & (WO_EQ | WO_IS)) lookup -= 19;
                        }
                    }
                    new->run = logest_add(new->run, lookup);
                }
                output_adjust(b->clause, new, rows);
                if (!(s->join & JOIN_RIGHT && x->has_expr)) where_loop_insert(b, new);
                new->rows = rows;
            }
        }
        b->key_part = b->key_whole = false;
        add_index_loops(b, s, x, 0);
        // How many rows have a part of a key in common is what ANALYZE finds out.
        if (b->key_part && !b->key_whole && !t->statistics_wanted) ((struct table *)(uintptr_t)t)->statistics_wanted = true;
    }
}

// ---- OR: the union of loops for its alternatives -------------------------------------------------------------------

static void add_or_loops(struct loop_builder *b, bitmask prereq)
{
    struct where_info *w = b->w;
    struct where_loop *new = b->loop;
    struct where_clause *wc = b->clause;
    struct source *s = &w->sources->items[new->source];
    if (s->join & JOIN_RIGHT) return;
    if (s->recursive || (s->table->kind == TABLE_VIRTUAL && !s->table->fts)) return;
    for (int n = 0; n < wc->count; n++) {
        struct where_term *term = wc->terms[n];
        if (!(term->operators & WO_OR) || !(term->indexable & new->self)) continue;
        struct where_clause *or_clause = term->sub;
        bool once = true;
        struct or_set sum = {0};
        for (int i = 0; i < or_clause->count; i++) {
            struct where_term *o = or_clause->terms[i];
            struct where_clause temp = {.info = w, .outer = wc, .op = EXPR_AND};
            struct or_set current = {0};
            struct loop_builder sub = *b;
            struct where_loop loop = {.source = new->source, .self = new->self};
            struct where_term *one[1];
            if (o->operators & WO_AND) {
                sub.clause = o->sub;
                sub.clause->outer = wc;
            } else if (o->left_cursor == s->cursor) {
                one[0] = o;
                temp.terms = one;
                temp.count = 1;
                temp.base_count = 1;
                sub.clause = &temp;
            } else {
                continue;
            }
            sub.loop = &loop;
            sub.or_set = &current;
            if (s->table->fts)
                where_virtual_loops_add(&sub, prereq);
            else
                add_source_loops(&sub, prereq);
            b->plan_limit = sub.plan_limit;
            if (sub.clause->has_or) {
                sub.loop = &loop;
                add_or_loops(&sub, prereq);
            }
            if (current.count == 0) {
                sum.count = 0;
                break;
            }
            if (once) {
                sum = current;
                once = false;
            } else {
                struct or_set before = sum;
                sum.count = 0;
                for (u32 x = 0; x < before.count; x++)
                    for (u32 y = 0; y < current.count; y++)
                        or_insert(&sum, before.costs[x].prereq | current.costs[y].prereq,
                                  logest_add(before.costs[x].run, current.costs[y].run),
                                  logest_add(before.costs[x].rows, current.costs[y].rows));
            }
        }
        where_terms_reserve(b, 1);
        new->term_count = 1;
        new->terms[0] = term;
        new->flags = LOOP_MULTI_OR;
        new->setup = 0;
        new->scattered = 0;
        new->sort_index = 0;
        new->index = NULL;
        new->eq_count = new->bottom_count = new->top_count = new->skip_count = 0;
        for (u32 i = 0; i < sum.count; i++) {
            // A little dearer than it seems: the row set must keep duplicates out.
            new->run = sum.costs[i].run + 1;
            new->rows = sum.costs[i].rows;
            new->prereq = sum.costs[i].prereq;
            where_loop_insert(b, new);
        }
    }
}

void where_loops_add(struct where_info *w)
{
    struct where_loop template = {0};
    struct loop_builder b = {.w = w, .clause = &w->clause, .loop = &template, .plan_limit = 20000};
    bitmask prereq = 0, prior = 0;
    bool first_past_right = false, has_right = false;
    for (u32 i = 0; i < w->level_count; i++) {
        struct source *s = &w->sources->items[i];
        bitmask this_prereq = 0;
        template = (struct where_loop){.source = (u8)i, .self = 1ull << i, .sort_index = template.sort_index,
                                        .terms = template.terms, .term_capacity = template.term_capacity};
        b.plan_limit += 1000;
        if (first_past_right || s->join & (JOIN_OUTER | JOIN_CROSS | JOIN_LEFT_OF_RIGHT)) {
            // What is to the left must come before, and before a right join's neighbour; nothing that may have no row in a
            // right join moves out of its left side.
            if (s->join & JOIN_LEFT_OF_RIGHT) has_right = true;
            prereq |= prior;
            first_past_right = (s->join & JOIN_RIGHT) != 0;
        } else if (!has_right) {
            prereq = 0;
        }
        this_prereq = prereq;
        if (s->table->kind == TABLE_VIRTUAL) {
            b.behind = 0;
            for (u32 k = i + 1; k < w->level_count; k++)
                if (b.behind || w->sources->items[k].join & (JOIN_OUTER | JOIN_CROSS)) b.behind |= 1ull << k;
            where_virtual_loops_add(&b, this_prereq);
            if (w->clause.has_or && s->table->fts) add_or_loops(&b, this_prereq);
        } else {
            add_source_loops(&b, this_prereq);
            if (w->clause.has_or) add_or_loops(&b, this_prereq);
        }
        prior |= 1ull << i;
    }
}
