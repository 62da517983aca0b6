// Indexes as the planner sees them: their sizes, whether a partial one can be used, and what of a query they cover.
#include "resolve.h"
#include "where.h"

// ---- sizes -----------------------------------------------------------------------------------------------------

static bool ordinary(const struct table *t) { return t && t->kind == TABLE_ORDINARY && !(t->flags & TABLE_EPHEMERAL); }

// What is known of its size: by ANALYZE, or else measured; 0: nothing.
static u64 rows_known(const struct table *t)
{
    if (!ordinary(t)) return 0;
    return t->has_stat ? t->row_estimate : t->measured_rows;
}

void where_sizes_know(struct where_info *w)
{
    if (w->sources->count < 2 || w->flags & (WHERE_OR_SUBCLAUSE | WHERE_RIGHT_JOIN)) return;
    for (u32 i = 0; i < w->sources->count; i++) {
        const struct source *s = &w->sources->items[i];
        if (ordinary(s->table) && !s->table->has_stat)
            connection_measure_want(w->c->db, (u32)s->database, (struct table *)(uintptr_t)s->table);
        w->large |= logest_of(rows_known(s->table)) >= WHERE_LARGE;
    }
}

static bool measured(const struct where_info *w, const struct table *t)
{
    return w->large && ordinary(t) && !t->has_stat && t->measured_rows;
}

logest where_table_rows(const struct where_info *w, const struct table *t)
{
    if (measured(w, t)) return logest_of(t->measured_rows);
    if (!ordinary(t)) return t->row_estimate ? logest_of(t->row_estimate) : LOGEST_ROWS_UNKNOWN;
    logest rows = t->has_stat || t->row_estimate ? logest_of(t->row_estimate ? t->row_estimate : 1) : LOGEST_ROWS_UNKNOWN;
    if (rows >= 99) return rows;
    // A table with an index that nothing is known of has a thousand rows and more.
    if (t->primary_key && !t->primary_key->has_stat) return 99;
    for (const struct index *i = t->indexes; i; i = i->next)
        if (!i->has_stat) return 99;
    return rows;
}

logest where_source_rows(const struct where_info *w, const struct source *s)
{
    bool known = s->select && s->rows_estimated;
    // VALUES, and what was computed for another place that names it, is to SQLite a table of which nothing is known.
    if (!w->large) known &= !s->rows_elsewhere;
    for (const struct select *x = s->select; x && !w->large; x = x->prior) known &= !select_begins_rows(x);
    if (known && s->view && !w->large) return s->view->rows;
    return known ? s->rows_estimate : where_table_rows(w, s->table);
}

s16 where_table_row_size(const struct table *t)
{
    return logest_of((u64)(t->row_width ? t->row_width : table_row_width(t)) * 4);
}

s16 where_index_row_size(const struct index *i)
{
    return logest_of(i->size_row ? i->size_row : (u64)i->row_width * 4);
}

// ---- making them -----------------------------------------------------------------------------------------------

static struct where_index *index_make(struct where_info *w, const struct index *i, const struct table *t,
                                      logest table_row_count)
{
    struct compile *c = w->c;
    struct where_index *x = arena_alloc(c->arena, sizeof *x);
    x->index = i;
    x->table = t;
    x->name = i->name;
    x->kind = i == t->primary_key ? WHERE_INDEX_PRIMARY : WHERE_INDEX_ORDINARY;
    x->key_count = i->key_count;
    x->column_count = i->column_count;
    x->columns = i->columns;
    x->collations = i->collations;
    x->descending = i->descending;
    x->unique = i->conflict != CONFLICT_NONE;
    x->unique_not_null = i->unique_not_null;
    x->has_stat = i->has_stat;
    x->not_indexed = i->columns_not_indexed;
    x->covering_all = i->covering_all || x->kind == WHERE_INDEX_PRIMARY;
    if (i->exprs) {
        x->exprs = arena_alloc(c->arena, sizeof *x->exprs * i->key_count);
        for (int j = 0; j < i->key_count; j++) {
            if (i->columns[j] != COLUMN_EXPR) continue;
            x->has_expr = true;
            x->exprs[j] = expr_copy(c->arena, i->exprs[j]);
            resolve_self(c, t, NAME_INDEX_EXPR | NAME_FROM_SCHEMA, x->exprs[j], NULL);
        }
    }
    for (int j = 0; j < i->key_count; j++)
        if (i->columns[j] >= 0 && t->columns[i->columns[j]].flags & COLUMN_VIRTUAL) x->has_virtual = true;
    if (i->where) {
        x->partial = expr_copy(c->arena, i->where);
        resolve_self(c, t, NAME_PARTIAL_INDEX | NAME_FROM_SCHEMA, x->partial, NULL);
    }
    // Defaults: 10 rows per value of the first column, then 9, 8, 7, 6, 5.
    x->rows = arena_alloc(c->arena, sizeof *x->rows * (size_t)(i->key_count + 1));
    if (i->has_stat && i->stat) {
        for (int j = 0; j <= i->key_count; j++) x->rows[j] = logest_of(i->stat[j]);
    } else if (measured(w, t) && i->measured[0]) {
        x->rows[0] = table_row_count;
        for (int j = 1; j <= i->key_count; j++)
            x->rows[j] = MIN(x->rows[j - 1], logest_of(i->measured[MIN(j, (int)COUNT_OF(i->measured)) - 1]));
        if (x->unique) x->rows[i->key_count] = 0;
    } else {
        static const logest guesses[5] = {33, 32, 30, 28, 26};
        logest first = table_row_count;
        if (first < 99) first = 99;
        if (i->where) first = (logest)(first - 10);
        x->rows[0] = first;
        for (int j = 1; j <= i->key_count; j++) x->rows[j] = j <= 5 ? guesses[j - 1] : 23;
        if (x->unique) x->rows[i->key_count] = 0;
    }
    x->row_size = where_index_row_size(i);
    return x;
}

static struct where_index *rowid_index_make(struct where_info *w, const struct table *t, logest rows)
{
    struct compile *c = w->c;
    struct where_index *x = arena_alloc(c->arena, sizeof *x);
    x->kind = WHERE_INDEX_ROWID;
    x->table = t;
    x->name = "";
    x->key_count = x->column_count = 1;
    x->columns = arena_alloc(c->arena, sizeof *x->columns);
    x->columns[0] = COLUMN_ROWID;
    x->collations = arena_alloc(c->arena, sizeof *x->collations);
    x->descending = arena_alloc(c->arena, 1);
    x->rows = arena_alloc(c->arena, sizeof *x->rows * 2);
    x->rows[0] = rows;
    x->rows[1] = 0;
    x->row_size = 3;
    x->unique = true;
    return x;
}

void where_indexes_make(struct where_info *w)
{
    struct compile *c = w->c;
    u32 count = w->sources->count;
    w->indexes = arena_alloc(c->arena, sizeof *w->indexes * (count + 1));
    for (u32 i = 0; i < count; i++) {
        const struct table *t = w->sources->items[i].table;
        if (!t || t->kind == TABLE_VIRTUAL) continue;
        logest rows = where_source_rows(w, &w->sources->items[i]);
        struct where_index **tail = &w->indexes[i];
        if (table_has_rowid(t)) {
            *tail = rowid_index_make(w, t, rows);
            tail = &(*tail)->next;
        }
        for (const struct index *x = t->indexes; x; x = x->next) {
            *tail = index_make(w, x, t, rows);
            tail = &(*tail)->next;
        }
        if (t->primary_key) {
            bool listed = false;
            for (const struct index *x = t->indexes; x; x = x->next) listed |= x == t->primary_key;
            if (!listed) *tail = index_make(w, t->primary_key, t, rows);
        }
    }
}

const char *index_column_affinity(struct compile *c, const struct where_index *x)
{
    char *out = arena_alloc(c->arena, (size_t)x->column_count + 1);
    for (int i = 0; i < x->column_count; i++) {
        char affinity;
        if (x->columns[i] >= 0) affinity = table_column_affinity(x->table, x->columns[i]);
        else if (x->columns[i] == COLUMN_ROWID) affinity = AFFINITY_INTEGER;
        else affinity = expr_affinity(x->exprs[i]);
        if (affinity < AFFINITY_BLOB) affinity = AFFINITY_BLOB;
        if (affinity > AFFINITY_NUMERIC) affinity = AFFINITY_NUMERIC;
        out[i] = affinity;
    }
    return out;
}

// ---- partial ones ----------------------------------------------------------------------------------------------

bool where_usable_partial(struct where_info *w, int cursor, u8 join, struct where_clause *wc, struct expr *partial)
{
    if (join & JOIN_LEFT_OF_RIGHT) return false;
    while (partial->kind == EXPR_AND) {
        if (!where_usable_partial(w, cursor, join, wc, partial->left)) return false;
        partial = partial->right;
    }
    for (int i = 0; i < wc->count; i++) {
        struct expr *e = wc->terms[i]->expr;
        if (e->flags & EXPR_F_OUTER_ON && e->on_cursor != cursor) continue;
        if (join & JOIN_OUTER && !(e->flags & EXPR_F_OUTER_ON)) continue;
        if (!expr_implies(w->c, e, partial, cursor) || wc->terms[i]->flags & TERM_VNULL) continue;
        if (!expr_implies(w->c, e, partial, -1)) return true; // what is of no column says nothing of the table
    }
    return false;
}

struct expr *where_partial_constant(struct compile *c, const struct where_index *x, struct expr *term, int *column)
{
    if ((term->kind != EXPR_EQ && term->kind != EXPR_IS) || term->left->kind != EXPR_COLUMN || term->left->column < 0) return NULL;
    *column = term->left->column;
    // Not of a column that keeps what it is given: 1 and 1.0 are equal.
    if (table_column_affinity(x->table, *column) < AFFINITY_TEXT || !expr_is_constant(c, term->right) ||
        expr_compare_collation(c, term) != &COLLATION_BINARY)
        return NULL;
    return term->right;
}

bitmask where_partial_constants(struct compile *c, const struct where_index *x, struct expr *partial)
{
    if (partial->kind == EXPR_AND) return where_partial_constants(c, x, partial->left) | where_partial_constants(c, x, partial->right);
    int column;
    return where_partial_constant(c, x, partial, &column) && column < 63 ? 1ull << column : 0;
}

// ---- what they cover -------------------------------------------------------------------------------------------

struct covered {
    int cursor;
    const struct where_index *x;
    bool not_covered;
};
static enum walk_result covered_expr(struct walker *walker, struct expr *e)
{
    struct covered *k = walker->context;
    if (expr_stands_for_column(e) && e->cursor == k->cursor) {
        int column = e->column;
        for (int i = 0; i < k->x->column_count; i++)
            if (k->x->columns[i] == column) return WALK_CONTINUE;
        if (column == -1 && table_has_rowid(k->x->table)) return WALK_CONTINUE;
        k->not_covered = true;
        return WALK_ABORT;
    }
    return WALK_CONTINUE;
}
bool where_covered_by_columns(const struct expr *e, int cursor, const struct where_index *x)
{
    struct covered k = {.cursor = cursor, .x = x};
    // Not what its subqueries ask of the table: they count for nothing in estimates, as in SQLite's, and correlated ones are tested last.
    struct walker walker = {.expr = covered_expr, .context = &k};
    walk_expr(&walker, (struct expr *)e);
    return !k.not_covered;
}

// Whether an index has all that is read of a table: every use of a column that it lacks is inside an expression that it has.
// LOOP_EXPR_INDEX: as far as can be told before it is coded.
struct covering {
    struct where_info *w;
    const struct where_index *x;
    int cursor;
    bool uncovered, expr_used;
};

static enum walk_result covering_expr(struct walker *walker, struct expr *e)
{
    struct covering *k = walker->context;
    if ((expr_stands_for_column(e) || e->kind == EXPR_AGG_COLUMN) && e->cursor == k->cursor) {
        for (int i = 0; i < k->x->column_count; i++)
            if (k->x->columns[i] == e->column) return WALK_CONTINUE;
        k->uncovered = true;
        return WALK_ABORT;
    }
    if (k->x->exprs)
        for (int i = 0; i < k->x->key_count; i++)
            if (k->x->columns[i] == COLUMN_EXPR && expr_compare(k->w->c, e, k->x->exprs[i], k->cursor) == 0) {
                k->expr_used = true;
                return WALK_PRUNE;
            }
    return WALK_CONTINUE;
}

static enum walk_result covering_select(struct walker *walker, struct select *s)
{
    return WALK_CONTINUE;
}

u32 where_covers_by_expressions(struct where_info *w, const struct where_index *x, int cursor)
{
    if (!w->select) return 0;
    if (!x->has_expr) {
        int i;
        for (i = 0; i < x->column_count; i++)
            if (x->columns[i] >= 63) break;
        if (i >= x->column_count) return 0;
    }
    struct covering k = {.w = w, .x = x, .cursor = cursor};
    struct walker walker = {.expr = covering_expr, .select = covering_select, .context = &k};
    walk_select(&walker, w->select);
    if (w->where) walk_expr(&walker, w->where);
    if (k.uncovered) return 0;
    return k.expr_used ? LOOP_EXPR_INDEX : LOOP_INDEX_ONLY;
}
