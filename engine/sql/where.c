// The interface: loops are planned and opened, then closed around what the caller put in between.
#include "../fts/fts_vocab.h"
#include "where.h"

int where_continue_label(const struct where_info *w) { return w->continue_label; }
int where_break_label(const struct where_info *w) { return w->break_label; }
int where_ordered_count(const struct where_info *w) { return w->ordered; }
enum where_distinct where_distinct(const struct where_info *w) { return w->distinct; }
bool where_uses_deferred_seek(const struct where_info *w) { return w->deferred_seek; }
s16 where_row_estimate(const struct where_info *w) { return w->rows_out; }
bool where_sorted(const struct where_info *w) { return w->sorted; }

enum one_pass where_one_pass(const struct where_info *w, int cursors[2])
{
    cursors[0] = w->one_pass_cursors[0];
    cursors[1] = w->one_pass_cursors[1];
    return w->one_pass;
}

// Where to go when ORDER BY ... LIMIT has all that the innermost loop can still give.
int where_order_limit_label(const struct where_info *w)
{
    if (!w->ordered_inner || w->level_count == 0) return w->continue_label;
    const struct where_level *inner = &w->levels[w->level_count - 1];
    if (inner->right_match) return w->continue_label;
    return inner->next_label;
}

// Where to go when the first row has decided a min() or max(). Rows are in order for one value of an IN: its others follow.
int where_min_max_label(const struct where_info *w)
{
    for (u32 i = w->level_count; i-- > 0;)
        if (w->levels[i].loop->flags & LOOP_COLUMN_IN) return w->levels[i].next_label;
    return w->break_label;
}

// ---- DISTINCT that is no work --------------------------------------------------------------------------------------

static int find_index_column(struct compile *c, const struct expr_list *list, int cursor, const struct where_index *x, int i)
{
    const char *collation = x->collations[i] ? x->collations[i] : "BINARY";
    for (u32 j = 0; j < list->count; j++) {
        struct expr *e = expr_skip_collate(list->items[j].expr);
        if ((e->kind == EXPR_COLUMN || e->kind == EXPR_AGG_COLUMN) && e->column == x->columns[i] && e->cursor == cursor) {
            const struct collation *k = expr_collation(c, list->items[j].expr);
            if (name_equal(k->name, collation)) return (int)j;
        }
    }
    return -1;
}

static bool distinct_redundant(struct where_info *w, const struct expr_list *results)
{
    if (w->sources->count != 1 || (!w->indexes[0] && !w->sources->items[0].table->fts)) return false;
    struct compile *c = w->c;
    int cursor = w->cursors[0];
    for (u32 i = 0; i < results->count; i++) {
        struct expr *e = expr_skip_collate(results->items[i].expr);
        if ((e->kind == EXPR_COLUMN || e->kind == EXPR_AGG_COLUMN) && e->cursor == cursor && e->column < 0) return true;
    }
    for (struct where_index *x = w->indexes[0]; x; x = x->next) {
        if (!x->unique || x->partial || x->kind == WHERE_INDEX_ROWID) continue;
        int i;
        for (i = 0; i < x->key_count; i++) {
            if (where_find_term(&w->clause, cursor, i, ~0ull, WO_EQ, x)) continue;
            if (find_index_column(c, results, cursor, x, i) < 0) break;
            int column = x->columns[i];
            if (column < 0 || x->table->columns[column].not_null == CONFLICT_NONE) break;
        }
        if (i == x->key_count) return true;
    }
    return false;
}

// ---- outer joins that add nothing ----------------------------------------------------------------------------------

// A LEFT JOIN whose columns nothing asks for and that cannot give a row twice (or may, for DISTINCT) is left out. Gives
// the sources that are.
static bitmask joins_omit(struct where_info *w)
{
    bitmask omitted = 0;
    if (w->level_count < 2 || !w->results || w->flags & WHERE_OR_SUBCLAUSE || (w->select && w->select->flags & SELECT_F_AGGREGATE))
        return 0;
    bitmask used = expr_list_usage(w, w->results) | expr_list_usage(w, w->order_by);
    for (u32 i = w->level_count; --i >= 1;) {
        const struct where_loop *loop = w->levels[i].loop;
        const struct source *s = &w->sources->items[loop->source];
        if ((s->join & (JOIN_LEFT | JOIN_RIGHT)) != JOIN_LEFT || used & loop->self) continue;
        if (!(w->flags & WHERE_WANT_DISTINCT) && !(loop->flags & LOOP_ONE_ROW)) continue;
        bool needed = false;
        for (int k = 0; k < w->clause.count && !needed; k++) {
            const struct where_term *t = w->clause.terms[k];
            needed = t->prereq_all & loop->self && !(t->expr->flags & EXPR_F_OUTER_ON && t->expr->on_cursor == s->cursor);
        }
        if (needed) continue;
        omitted |= loop->self;
        for (int k = 0; k < w->clause.count; k++) {
            struct where_term *t = w->clause.terms[k];
            if (!(t->prereq_all & loop->self)) continue;
            t->flags |= TERM_CODED;
            t->prereq_all = 0;
        }
        bitmask before = (1ull << i) - 1;
        w->reverse_mask = (before & w->reverse_mask) | ((w->reverse_mask >> 1) & ~before);
        memmove(&w->levels[i], &w->levels[i + 1], (w->level_count - 1 - i) * sizeof *w->levels);
        w->level_count--;
    }
    return omitted;
}

// ---- automatic indexes ---------------------------------------------------------------------------------------------

// Whether the term is of the ON of a source before this one that a RIGHT JOIN may leave without a row.
static bool on_left_of_right(const struct where_info *w, const struct expr *e, const struct source *s)
{
    if (!(e->flags & EXPR_F_INNER_ON)) return false;
    for (const struct source *x = w->sources->items; x < s; x++)
        if (x->cursor == e->on_cursor) return x->join & JOIN_LEFT_OF_RIGHT;
    return false;
}

// Rows of the source that do not fulfil it are in no row of the join but as an outer join has them without.
static bool chooses_rows(const struct where_info *w, const struct expr *e, const struct source *s)
{
    if (s->join & (JOIN_RIGHT | JOIN_LEFT_OF_RIGHT)) return false;
    if (s->join & JOIN_LEFT) return e->flags & EXPR_F_OUTER_ON && e->on_cursor == s->cursor;
    return !(e->flags & EXPR_F_OUTER_ON) && !on_left_of_right(w, e, s);
}

struct expr *where_own_terms(struct where_info *w, const struct where_level *level, bool *constant)
{
    struct compile *c = w->c;
    const struct source *s = &w->sources->items[level->source];
    struct expr *own = NULL;
    for (int i = 0; i < w->clause.count; i++) {
        const struct where_term *term = w->clause.terms[i];
        if (term->flags & TERM_VIRTUAL || term->prereq_all & ~level->loop->self || !chooses_rows(w, term->expr, s) ||
            term->expr->flags & EXPR_F_HAS_SELECT || !expr_is_constant_for(c, term->expr, s->cursor))
            continue;
        if (term->prereq_all) own = expr_and(c->arena, own, expr_copy(c->arena, term->expr));
        else *constant = true;
    }
    return own;
}

// Reads of a coroutine's cursor become copies of its registers.
static void translate_coroutine(struct compile *c, int from, int to, int cursor, int reg)
{
    for (int k = from; k < to; k++) {
        struct instruction *op = emit_op(c, k);
        if (op->p1 != cursor) continue;
        if (op->opcode == OP_Column) {
            op->opcode = OP_Copy;
            op->p1 = op->p2 + reg;
            op->p2 = op->p3;
            op->p3 = 0;
            op->p5 = 2;
        } else if (op->opcode == OP_IsType) {
            op->p1 = -1;
            op->p3 += reg;
        } else if (op->opcode == OP_Rowid) {
            op->opcode = OP_Null;
            op->p1 = 0;
            op->p3 = 0;
        }
    }
}

static void where_auto_index_code(struct where_info *w, struct where_level *level, bitmask not_ready)
{
    struct compile *c = w->c;
    struct where_loop *loop = level->loop;
    struct source *s = &w->sources->items[level->source];
    const struct table *t = s->table;
    int once = emit(c, OP_Once, 0, 0, 0);
    loop->term_count = 0;
    // Key columns: what is compared for equality; then every other column that is read.
    struct where_index *x = arena_alloc(c->arena, sizeof *x);
    int capacity = t->column_count + 2;
    x->kind = WHERE_INDEX_AUTOMATIC;
    x->table = t;
    x->name = "auto-index";
    x->columns = arena_alloc(c->arena, sizeof *x->columns * (size_t)capacity);
    x->collations = arena_alloc(c->arena, sizeof *x->collations * (size_t)capacity);
    x->descending = arena_alloc(c->arena, (size_t)capacity);
    int n = 0;
    bool filter = false, constant = false;
    struct expr *partial = where_own_terms(w, level, &constant);
    for (int i = 0; i < w->clause.count; i++) {
        struct where_term *term = w->clause.terms[i];
        if (!where_term_drives_index(w, term, s, not_ready)) continue;
        int column = term->left_column;
        bool seen = false;
        for (int j = 0; j < n; j++) seen |= x->columns[j] == column;
        if (seen) continue;
        if (loop->term_count >= loop->term_capacity)
            loop->terms = arena_grow(c->arena, loop->terms, loop->term_count, &loop->term_capacity, sizeof *loop->terms);
        loop->terms[loop->term_count++] = term;
        x->columns[n] = (s16)column;
        const struct collation *k = expr_compare_collation(c, term->expr);
        x->collations[n] = k->name;
        n++;
        filter |= expr_affinity(term->expr->left) != AFFINITY_TEXT;
    }
    loop->eq_count = (u16)loop->term_count;
    loop->flags = LOOP_COLUMN_EQ | LOOP_INDEX_ONLY | LOOP_INDEXED | LOOP_AUTO_INDEX;
    if (partial || constant) loop->flags |= LOOP_PARTIAL; // as SQLite says it
    x->key_count = n;
    for (int column = 0; column < t->column_count; column++) {
        u64 bit = column >= 63 ? 1ull << 63 : 1ull << column;
        // As in any other index, the key of a table WITHOUT ROWID is there in any case.
        bool key = t->primary_key && !table_has_rowid(t) && t->columns[column].flags & COLUMN_PRIMARY_KEY;
        if (!(s->columns_used & bit) && !key && !((s->was_view || (s->select && !s->cte)) && column < 63)) continue; // of a query all, as in SQLite: so rows alike come in their order
        bool seen = false;
        for (int j = 0; j < n; j++) seen |= x->columns[j] == column;
        if (seen) continue;
        x->columns[n] = (s16)column;
        x->collations[n] = NULL;
        n++;
    }
    x->columns[n] = COLUMN_ROWID;
    n++;
    x->column_count = n;
    x->covering_all = true;
    loop->index = x;
    level->index_cursor = cursor_alloc(c);
    struct key_info *key = key_info_make(c, (u32)n, 0);
    for (int i = 0; i < n; i++)
        key->collations[i] = x->collations[i] && !name_equal(x->collations[i], "BINARY") ? find_collation(c, x->collations[i]) : NULL;
    emit_key(c, OP_OpenAutoindex, level->index_cursor, n, 0, key);
    if (filter) where_filter_open(w, level, key->collations);
    // Fill it.
    int top;
    int base = reg_alloc_range(c, n), record = reg_alloc(c);
    int skip = 0;
    if (s->via_coroutine) {
        int reg = s->reg_return;
        emit(c, OP_InitCoroutine, reg, 0, s->address_fill);
        top = emit(c, OP_Yield, reg, 0, 0);
        if (partial) {
            skip = emit_label(c);
            int from = emit_here(c);
            expr_jump_if_false(c, partial, skip, true);
            translate_coroutine(c, from, emit_here(c), level->table_cursor, s->reg_result);
        }
        for (int i = 0; i < n - 1; i++) emit(c, OP_SCopy, s->reg_result + x->columns[i], base + i, 0);
        emit(c, OP_Sequence, level->index_cursor, base + n - 1, 0);
        where_filter_add(w, level, base);
        emit(c, OP_MakeRecord, base, n, record);
        emit(c, OP_IdxInsert, level->index_cursor, record, 0);
        if (skip) emit_place(c, skip);
        emit_goto(c, top);
        emit_jump_here(c, top);
        s->via_coroutine = false;
        level->null_label = 0;
    } else {
        top = emit(c, OP_Rewind, level->table_cursor, 0, 0);
        if (partial) {
            skip = emit_label(c);
            expr_jump_if_false(c, partial, skip, true);
        }
        // Without a rowid a number tells equal entries apart.
        bool numbered = t->primary_key && !table_has_rowid(t);
        for (int i = 0; i < n - numbered; i++) column_code(c, t, level->table_cursor, x->columns[i], base + i);
        if (numbered) emit(c, OP_Sequence, level->index_cursor, base + n - 1, 0);
        where_filter_add(w, level, base);
        emit(c, OP_MakeRecord, base, n, record);
        emit(c, OP_IdxInsert, level->index_cursor, record, 0);
        if (skip) emit_place(c, skip);
        emit(c, OP_Next, level->table_cursor, top + 1, 0);
        emit_set_p5(c, 0);
        emit_jump_here(c, top);
    }
    emit_jump_here(c, once);
}

// ---- begin -----------------------------------------------------------------------------------------------------------

static void index_constants_add(struct compile *c, const struct source *s, const struct where_index *x, struct expr *partial, int cursor)
{
    if (partial->kind == EXPR_AND) {
        index_constants_add(c, s, x, partial->right, cursor);
        index_constants_add(c, s, x, partial->left, cursor);
        return;
    }
    int column;
    struct expr *constant = where_partial_constant(c, x, partial, &column);
    if (!constant) return;
    struct column_source *source = arena_alloc(c->arena, sizeof *source);
    source->next = c->index_constants;
    source->expr = constant;
    source->table_cursor = s->cursor;
    source->index_cursor = cursor;
    source->index_column = column;
    source->may_be_null_row = s->join & (JOIN_LEFT | JOIN_LEFT_OF_RIGHT);
    source->affinity = (u8)table_column_affinity(x->table, column);
    c->index_constants = source;
}

static void open_sources(struct where_info *w)
{
    struct compile *c = w->c;
    for (u32 i = 0; i < w->level_count; i++) {
        struct where_level *level = &w->levels[i];
        struct source *s = &w->sources->items[level->source];
        const struct table *t = s->table;
        struct where_loop *loop = level->loop;
        if (t->kind == TABLE_VIRTUAL) {
            compile_use_database(c, t->flags & TABLE_EPONYMOUS ? DATABASE_MAIN : s->database); // which ends defer_foreign_keys, as in SQLite
            int other = t->vocab && t->vocab->database ? compile_database_find(c, t->vocab->database) : -1;
            if (other >= 0) compile_use_database(c, other);
            int address = emit(c, OP_VOpen, s->cursor, s->database, 0);
            program_p4_table(c->program, address, t);
        } else if (t->flags & TABLE_EPHEMERAL) {
            // Open already: a materialized subquery.
        } else if ((!(loop->flags & LOOP_INDEX_ONLY) && !(w->flags & WHERE_OR_SUBCLAUSE)) ||
                   (s->join & (JOIN_LEFT_OF_RIGHT | JOIN_RIGHT) && !(w->flags & WHERE_OR_SUBCLAUSE))) {
            enum opcode op = OP_OpenRead;
            if (w->one_pass != ONE_PASS_OFF) {
                op = OP_OpenWrite;
                w->one_pass_cursors[0] = s->cursor;
            }
            open_table(c, s->cursor, s->database, t, op);
            // From the third source on: no row at all ends the whole before it begins.
            bool outer = false;
            for (u32 k = 0; k <= i; k++) outer |= (w->sources->items[w->levels[k].source].join & (JOIN_LEFT | JOIN_RIGHT | JOIN_LEFT_OF_RIGHT)) != 0;
            if (i >= 2 && !outer && w->one_pass == ONE_PASS_OFF && !(w->flags & WHERE_OR_SUBCLAUSE))
                emit(c, OP_IfEmpty, s->cursor, w->break_label, 0);
        } else {
            compile_use_database(c, s->database);
        }
        if (loop->flags & LOOP_INDEXED) {
            struct where_index *x = loop->index;
            enum opcode op = OP_OpenRead;
            int cursor;
            bool open = true;
            if (x->kind == WHERE_INDEX_PRIMARY) {
                cursor = level->table_cursor;
                // Index-only is the table itself here.
                open = loop->flags & LOOP_INDEX_ONLY && !(w->flags & WHERE_OR_SUBCLAUSE) && !(s->join & (JOIN_LEFT_OF_RIGHT | JOIN_RIGHT));
                if (open && w->one_pass != ONE_PASS_OFF) {
                    op = OP_OpenWrite;
                    w->one_pass_cursors[0] = w->one_pass_cursors[1] = cursor;
                }
            } else if (w->one_pass != ONE_PASS_OFF) {
                cursor = w->aux;
                const struct index *j = t->indexes;
                while (j && j != x->index) {
                    cursor++;
                    j = j->next;
                }
                op = OP_OpenWrite;
                w->one_pass_cursors[1] = cursor;
            } else if (w->aux && w->flags & WHERE_OR_SUBCLAUSE) {
                cursor = w->aux;
                op = OP_ReopenIdx;
            } else {
                cursor = cursor_alloc(c);
                if (x->partial && !(s->join & JOIN_RIGHT)) index_constants_add(c, s, x, x->partial, cursor);
            }
            level->index_cursor = cursor;
            if (open) open_index(c, cursor, s->database, x->index, op);
            // Expressions that the index holds are read from it.
            if (x->has_expr && !(w->flags & WHERE_OR_SUBCLAUSE) && w->one_pass == ONE_PASS_OFF) {
                for (int j = 0; j < x->key_count; j++) {
                    if (x->columns[j] != COLUMN_EXPR || expr_is_constant(c, x->exprs[j])) continue;
                    struct column_source *source = arena_alloc(c->arena, sizeof *source);
                    source->next = c->index_exprs;
                    source->expr = x->exprs[j];
                    source->table_cursor = s->cursor;
                    source->index_cursor = cursor;
                    source->index_column = j;
                    source->may_be_null_row = s->join & (JOIN_LEFT | JOIN_LEFT_OF_RIGHT | JOIN_RIGHT);
                    char affinity = expr_affinity(x->exprs[j]);
                    if (affinity < AFFINITY_BLOB) affinity = AFFINITY_BLOB;
                    if (affinity > AFFINITY_NUMERIC) affinity = AFFINITY_NUMERIC;
                    source->affinity = (u8)affinity;
                    c->index_exprs = source;
                }
            }
        }
        if (s->join & JOIN_RIGHT && !(w->flags & WHERE_RIGHT_JOIN)) {
            level->right_match = cursor_alloc(c);
            level->right_return = reg_alloc(c);
            emit(c, OP_Null, 0, level->right_return, 0);
            u32 keys = table_has_rowid(t) ? 1 : t->primary_key->key_count;
            struct key_info *key = key_info_make(c, keys, 0);
            if (!table_has_rowid(t)) {
                struct key_info *own = key_info_of_index(c, t->primary_key);
                for (u32 k = 0; k < keys; k++) key->collations[k] = own->collations[k];
            }
            emit_key(c, OP_OpenEphemeral, level->right_match, (int)keys, 0, key);
            loop->flags &= ~(u32)LOOP_INDEX_ONLY;
            w->ordered = 0;
            w->distinct = DISTINCT_UNORDERED;
        }
    }
}

// Once more, now that it is known how many rows there are to be sorted.
static void solve_order(struct where_info *w)
{
    where_solve(w, w->rows_out < 0 ? 1 : w->rows_out + 1);
}

// A table that would be read by rowid is read in the order asked for by an index of these keys alone, if that is cheaper than
// sorting: rows of equal keys come by rowid as well.
static void arrival_by_index(struct where_info *w)
{
    const u32 others = LOOP_INDEXED | LOOP_AUTO_INDEX | LOOP_VIRTUAL | LOOP_MULTI_OR | LOOP_COLUMN_IN | LOOP_SKIP_SCAN;
    const struct table *t = w->sources->items[0].table;
    if (w->levels[0].loop->flags & others || t->kind != TABLE_ORDINARY || t->flags & TABLE_WITHOUT_ROWID) return;
    if (w->clause.has_or || compile_connection_flag(w->c, CONNECTION_REVERSE_UNORDERED_SELECTS)) return;
    struct where_loop *loops = w->loops;
    w->loops = NULL;
    w->order_by = w->arrival;
    where_loops_add(w);
    where_solve(w, 0);
    solve_order(w);
    const struct where_loop *l = w->levels[0].loop;
    if (w->ordered == (int)w->arrival->count && !w->reverse_mask && (l->flags & others) == LOOP_INDEXED && l->index->key_count == (int)w->arrival->count)
        return;
    w->loops = loops;
    w->order_by = NULL;
    w->ordered = 0;
    w->reverse_mask = 0;
    where_solve(w, 0);
}

static enum walk_result function_check(struct walker *w, struct expr *e)
{
    (void)w;
    return e->kind == EXPR_FUNCTION && !(e->flags & EXPR_F_CONSTANT_FUNCTION) ? WALK_ABORT : WALK_CONTINUE;
}

static bool is_deterministic(struct expr *e)
{
    return !(e->flags & EXPR_F_HAS_FUNCTION) || walk_expr(&(struct walker){.expr = function_check}, e) != WALK_ABORT;
}

struct where_info *where_begin(struct compile *c, struct source_list *sources, struct expr *where,
                               struct expr_list *order_by, struct expr_list *results, struct select *select,
                               u32 flags, int aux)
{
    static struct source_list none = {0};
    struct where_info *w = arena_alloc(c->arena, sizeof *w);
    if (!sources) sources = &none;
    if (sources->count > 64) compile_fail(c, ERR_ERROR, -1, "at most 64 tables in a join");
    if (order_by && order_by->count >= 64) {
        order_by = NULL;
        flags &= ~(u32)(WHERE_WANT_DISTINCT);
    }
    w->c = c;
    w->sources = sources;
    if (flags & WHERE_ARRIVAL) {
        w->arrival = order_by;
        order_by = NULL;
    }
    w->order_by = order_by;
    w->results = results;
    w->select = select;
    w->flags = flags;
    w->aux = aux;
    w->where = where;
    w->ordered = 0;
    w->one_pass_cursors[0] = w->one_pass_cursors[1] = -1;
    w->limit = select && flags & WHERE_USE_LIMIT ? (logest)aux : 0;
    w->saved_index_exprs = c->index_exprs;
    w->saved_index_constants = c->index_constants;
    w->level_count = flags & WHERE_OR_SUBCLAUSE ? 1 : sources->count;
    w->levels = arena_alloc(c->arena, sizeof *w->levels * (sources->count + 1));
    for (u32 i = 0; i < sources->count; i++) w->cursors[i] = sources->items[i].cursor;
    w->break_label = w->continue_label = emit_label(c);
    where_sizes_know(w);
    where_indexes_make(w);
    where_clause_init(&w->clause, w);
    where_split(&w->clause, where, EXPR_AND);
    for (u32 i = 0; i < sources->count; i++) where_table_function_terms(&w->clause, &sources->items[i]);
    if (sources->count == 0) {
        if (order_by) w->ordered = (int)order_by->count;
        if (flags & WHERE_WANT_DISTINCT) w->distinct = DISTINCT_UNIQUE;
        explain_row(c, "SCAN CONSTANT ROW");
    }
    where_derive(w);
    where_analyze_all(&w->clause);
    coding_mistake_tell(c);
    // What no source has a part in is asked once.
    for (int i = 0; i < w->clause.base_count; i++) {
        struct where_term *t = w->clause.terms[i];
        if (t->flags & TERM_VIRTUAL || t->prereq_all != 0) continue;
        // Subqueries wait for the first loop, as in SQLite.
        if (sources->count && t->expr->flags & (EXPR_F_HAS_SELECT | EXPR_F_SELECT)) continue;
        if (sources->count && !is_deterministic(t->expr)) continue;
        if (t->expr->flags & EXPR_F_OUTER_ON) continue;
        // ON of an inner join says nothing about the rows that a RIGHT JOIN behind it adds.
        if (t->expr->flags & EXPR_F_INNER_ON && sources->count && sources->items[0].join & JOIN_LEFT_OF_RIGHT) continue;
        expr_jump_if_false(c, t->expr, w->break_label, true);
        t->flags |= TERM_CODED;
    }
    if (flags & WHERE_WANT_DISTINCT) {
        if (distinct_redundant(w, results)) {
            w->distinct = DISTINCT_UNIQUE;
        } else if (!order_by && sources->count) {
            w->flags |= WHERE_DISTINCT_BY;
            w->order_by = results;
        }
    }
    if (sources->count) {
        for (u32 i = 0; i < sources->count; i++)
            if (!sources->items[i].table) compile_fail(c, ERR_ERROR, -1, "no such table: %s", sources->items[i].name);
        if (!where_short_cut(w)) {
            where_loops_add(w);
            where_solve(w, 0);
            if (w->order_by) {
                where_scans_forbid(w);
                solve_order(w);
            } else if (w->arrival && w->level_count == 1 && !w->ordered) {
                arrival_by_index(w);
            }
            if (flags & WHERE_WANT_DISTINCT) w->rows_out -= 30; // an eighth of the rows
        }
    }
    coding_mistake_tell(c);
    bitmask omitted = joins_omit(w);
    where_filters_choose(w);
    if (!w->order_by && compile_connection_flag(c, CONNECTION_REVERSE_UNORDERED_SELECTS)) w->reverse_mask = ~0ull;
    c->query_loops += w->rows_out;
    if (flags & WHERE_ONE_PASS && w->level_count) {
        u32 loop_flags = w->levels[0].loop->flags;
        bool one_row = loop_flags & LOOP_ONE_ROW;
        if (one_row || (flags & WHERE_ONE_PASS_MULTI && sources->items[0].table->kind == TABLE_ORDINARY &&
                        (!(loop_flags & LOOP_MULTI_OR) || flags & WHERE_DUPLICATES_OK))) {
            w->one_pass = one_row ? ONE_PASS_SINGLE : ONE_PASS_MULTI;
            if (table_has_rowid(sources->items[0].table)) w->levels[0].loop->flags &= ~(u32)LOOP_INDEX_ONLY;
        }
    }
    open_sources(w);
    bitmask not_ready = ~omitted;
    for (u32 i = 0; i < w->level_count; i++) {
        struct where_level *level = &w->levels[i];
        struct source *s = &sources->items[level->source];
        // A materialized subquery that only this level's loop needs is filled here, once.
        if (s->select && !s->via_coroutine && s->address_fill && !s->materialized) {
            int once = 0;
            if (!s->correlated) once = emit(c, OP_Once, 0, 0, 0);
            emit(c, OP_Gosub, s->reg_return, s->address_fill, 0);
            if (once) emit_jump_here(c, once);
        }
        if (level->loop->flags & LOOP_AUTO_INDEX) {
            where_auto_index_code(w, level, not_ready);
        } else if (level->loop->flags & LOOP_FILTER) {
            where_filters_code(w, i, not_ready);
        }
        if (!(flags & WHERE_OR_SUBCLAUSE)) where_level_explain(w, level);
        level->first_body = 0;
        level->body_start = emit_here(c);
        not_ready = where_level_code(w, i, not_ready);
        w->continue_label = level->continue_label;
    }
    w->end_where = emit_here(c);
    return w;
}

// ---- end -------------------------------------------------------------------------------------------------------------

// Reads of the table's cursor between the addresses become reads of the index.
static void translate_columns(struct where_info *w, struct where_level *level, const struct where_index *x, int from, int to)
{
    struct compile *c = w->c;
    const struct table *t = x->table;
    int table_cursor = level->table_cursor, index_cursor = level->index_cursor;
    if (table_cursor == index_cursor) return;
    for (int k = from; k < to; k++) {
        struct instruction *op = emit_op(c, k);
        if (op->p1 != table_cursor) continue;
        if (op->opcode == OP_Column || op->opcode == OP_IsType) {
            s32 *read = op->opcode == OP_Column ? &op->p2 : &op->p3;
            int place = *read, column;
            if (x->kind == WHERE_INDEX_AUTOMATIC && t->flags & TABLE_EPHEMERAL) {
                column = place;
            } else if (!table_has_rowid(t)) {
                column = t->primary_key->columns[place];
            } else {
                column = table_storage_column(t, place);
            }
            int at = -1;
            for (int i = 0; i < x->column_count; i++)
                if (x->columns[i] == column) {
                    at = i;
                    break;
                }
            if (at >= 0) {
                *read = at;
                op->p1 = index_cursor;
                continue;
            }
            ASSERT(!(level->loop->flags & LOOP_INDEX_ONLY)); // the table is not open
            if (level->loop->flags & LOOP_EXPR_INDEX) {
                level->loop->flags &= ~(u32)LOOP_EXPR_INDEX;
                where_level_explain_again(w, level);
            }
        } else if (op->opcode == OP_Rowid) {
            op->p1 = index_cursor;
            op->opcode = OP_IdxRowid;
        } else if (op->opcode == OP_IfNullRow) {
            op->p1 = index_cursor;
        }
    }
}

static void where_right_join_code(struct where_info *w, u32 level_index, struct where_level *level)
{
    struct compile *c = w->c;
    struct source *s = &w->sources->items[level->source];
    const struct table *t = s->table;
    // By the name of the table or the view, whatever it is called here.
    const char *name = !s->select ? t->name : s->name ? s->name : s->alias ? s->alias : t->name;
    explain_push(c, "RIGHT-JOIN %s", name);
    bitmask all = 0;
    for (u32 k = 0; k < level_index; k++) {
        struct where_level *outer = &w->levels[k];
        struct source *o = &w->sources->items[outer->source];
        all |= outer->loop->self;
        if (o->via_coroutine) {
            emit(c, OP_Null, 0, o->reg_result, o->reg_result + o->table->column_count - 1);
            continue;
        }
        emit(c, OP_NullRow, outer->table_cursor, 0, 0);
        const bool indexed = outer->loop->flags & (LOOP_INDEXED | LOOP_AUTO_INDEX) || (outer->loop->flags & LOOP_MULTI_OR && outer->covering);
        if (indexed && outer->index_cursor != outer->table_cursor) emit(c, OP_NullRow, outer->index_cursor, 0, 0);
    }
    struct expr *where = NULL;
    if (!(s->join & JOIN_LEFT_OF_RIGHT)) {
        all |= level->loop->self;
        for (int k = 0; k < w->clause.count; k++) {
            struct where_term *term = w->clause.terms[k];
            if (term->flags & (TERM_VIRTUAL | TERM_SLICE) && term->operators != WO_ROW_VALUE) break;
            if (term->prereq_all & ~all) continue;
            if (term->expr->flags & (EXPR_F_OUTER_ON | EXPR_F_INNER_ON)) continue;
            where = expr_and(c->arena, where, expr_copy(c->arena, term->expr));
        }
    }
    struct source_list *one = arena_alloc(c->arena, sizeof *one);
    one->count = one->capacity = 1;
    one->items = arena_alloc(c->arena, sizeof *one->items);
    one->items[0] = *s;
    one->items[0].join = 0;
    struct where_info *sub = where_begin(c, one, where, NULL, NULL, NULL, WHERE_RIGHT_JOIN, 0);
    int count, r;
    if (table_has_rowid(t)) {
        count = 1;
        r = reg_alloc(c);
        column_code(c, t, level->table_cursor, -1, r);
    } else {
        const struct index *primary = t->primary_key;
        count = primary->key_count;
        r = reg_alloc_range(c, count);
        for (int i = 0; i < count; i++) column_code(c, t, level->table_cursor, primary->columns[i], r + i);
    }
    emit_int(c, OP_Found, level->right_match, where_continue_label(sub), r, count);
    emit(c, OP_Gosub, level->right_return, level->right_address, 0);
    where_end(sub);
    explain_pop(c);
}

void where_end(struct where_info *w)
{
    struct compile *c = w->c;
    int end = emit_here(c);
    for (int i = (int)w->level_count - 1; i >= 0; i--) {
        struct where_level *level = &w->levels[i];
        struct where_loop *loop = level->loop;
        if (level->right_match) {
            // The body's subroutine ends here.
            emit_place(c, level->continue_label);
            level->continue_label = 0;
            emit(c, OP_Return, level->right_return, level->right_address, 1);
        }
        if (level->op != OP_Noop) {
            int seek = 0;
            if (w->distinct == DISTINCT_ORDERED && i == (int)w->level_count - 1 && loop->flags & LOOP_INDEXED &&
                loop->index->has_stat && loop->distinct_count > 0 && loop->distinct_count <= loop->index->key_count &&
                loop->index->rows[loop->distinct_count] >= 36 && !level->right_match && level->in_count == 0 &&
                loop->skip_count == 0) {
                // One row of each value is enough: search for the next value.
                int r1 = reg_alloc_range(c, loop->distinct_count);
                for (int j = 0; j < loop->distinct_count; j++) emit(c, OP_Column, level->index_cursor, j, r1 + j);
                seek = emit_int(c, level->op == OP_Prev ? OP_SeekLT : OP_SeekGT, level->index_cursor, 0, r1, loop->distinct_count);
                emit(c, OP_Goto, 1, level->p2, 0);
            }
            if (level->continue_label) emit_place(c, level->continue_label);
            emit(c, level->op, level->p1, level->p2, level->p3);
            emit_set_p5(c, level->p5);
            if (seek) emit_jump_here(c, seek);
            if (level->big_null) {
                emit_place(c, level->big_null_label);
                emit(c, OP_DecrJumpZero, level->big_null, level->p2 - 1, 0);
            }
        } else if (level->continue_label) {
            emit_place(c, level->continue_label);
        }
        if (loop->flags & LOOP_IN_ABLE && level->in_count > 0) {
            emit_place(c, level->next_label);
            for (u32 j = level->in_count; j > 0; j--) {
                struct in_loop *in = &level->ins[j - 1];
                // The IsNull behind the read, and the Rewind before it.
                const int first = in->seek ? in->seek : in->top;
                emit_jump_here(c, in->top + 1);
                // The row of NULLs of a LEFT JOIN comes here too: the list may not have been made where there is nothing for a column
                // before, or not read to its end.
                int unopened = (in->prefix || in->seek) && level->left_join ? emit(c, OP_IfNotOpen, in->cursor, 0, 0) : 0;
                if (in->end_op != OP_Noop) emit(c, in->end_op, in->cursor, first, 0);
                if (in->seek) {
                    int over = unopened ? emit(c, OP_Goto, 0, 0, 0) : 0;
                    emit_jump_here(c, in->seek);
                    emit_place(c, level->merged_label);
                    if (unopened) emit(c, OP_NullRow, in->cursor, 0, 0);
                    if (unopened) emit_jump_here(c, over);
                }
                if (unopened) emit_jump_here(c, unopened);
                emit_jump_here(c, first - 1);
            }
        }
        emit_place(c, level->break_label);
        if (level->skip_address) {
            emit_goto(c, level->skip_address);
            emit_jump_here(c, level->skip_address);
            emit_jump_here(c, level->skip_address - 2);
        }
        if (level->left_join) {
            struct source *s = &w->sources->items[level->source];
            int positive = emit(c, OP_IfPos, level->left_join, 0, 0);
            if (!(loop->flags & LOOP_INDEX_ONLY)) {
                if (s->via_coroutine) emit(c, OP_Null, 0, s->reg_result, s->reg_result + s->table->column_count - 1);
                emit(c, OP_NullRow, level->table_cursor, 0, 0);
            }
            if ((loop->flags & LOOP_INDEXED || (loop->flags & LOOP_MULTI_OR && level->covering)) && level->index_cursor != level->table_cursor) {
                if (loop->flags & LOOP_MULTI_OR) {
                    emit_key(c, OP_ReopenIdx, level->index_cursor, (int)level->covering->index->root, s->database,
                             key_info_of_index(c, level->covering->index));
                }
                emit(c, OP_NullRow, level->index_cursor, 0, 0);
            } else if (loop->flags & LOOP_INDEX_ONLY && level->index_cursor == level->table_cursor) {
                emit(c, OP_NullRow, level->table_cursor, 0, 0);
            }
            if (level->op == OP_Return) emit(c, OP_Gosub, level->p1, level->first_body, 0);
            else emit_goto(c, level->first_body);
            emit_jump_here(c, positive);
        }
    }
    for (u32 i = 0; i < w->level_count; i++) {
        struct where_level *level = &w->levels[i];
        struct where_loop *loop = level->loop;
        struct source *s = &w->sources->items[level->source];
        if (level->right_match) {
            where_right_join_code(w, i, level);
            continue;
        }
        if (s->via_coroutine) {
            translate_coroutine(c, level->body_start, end, level->table_cursor, s->reg_result);
            continue;
        }
        const struct where_index *x = NULL;
        if (loop->flags & (LOOP_INDEXED | LOOP_INDEX_ONLY)) x = loop->index;
        else if (loop->flags & LOOP_MULTI_OR) x = level->covering;
        if (x && !(w->flags & WHERE_OR_SUBCLAUSE)) {
            int last = w->one_pass == ONE_PASS_OFF || !table_has_rowid(x->table) ? end : w->end_where;
            translate_columns(w, level, x, level->body_start, last);
        }
    }
    emit_place(c, w->break_label);
    c->index_exprs = w->saved_index_exprs;
    c->index_constants = w->saved_index_constants;
    c->query_loops -= w->rows_out;
}
