// Loops over tables that are computed: full-text tables and what their indexes hold, dbstat, table-valued functions.
#include "../fn/fn.h"
#include "../fn/table_function.h"
#include "../fts/fts.h"
#include "../fts/fts_table.h"
#include "../fts/fts_vocab.h"
#include "../vm/dbstat.h"
#include "where.h"

static bool virtual_term_ok(const struct loop_builder *b, const struct where_term *t)
{
    const struct source *s = &b->w->sources->items[b->loop->source];
    if (t->prereq_right & b->loop->self) return false;
    return !(s->join & (JOIN_LEFT | JOIN_RIGHT | JOIN_LEFT_OF_RIGHT)) || where_term_outer_ok(t, s);
}

static bool virtual_term_take(struct loop_builder *b, struct where_term *t)
{
    struct where_loop *new = b->loop;
    if (!virtual_term_ok(b, t)) return false;
    where_terms_reserve(b, new->term_count + 1);
    new->terms[new->term_count++] = t;
    new->prereq |= t->prereq_right;
    return true;
}

static u32 vocab_kind(const struct where_term *t)
{
    if (t->left_column != 0) return 0;
    if (t->operators & (WO_EQ | WO_IN)) return FTS_VOCAB_TERM_EQ;
    return t->operators & (WO_GE | WO_GT) ? FTS_VOCAB_TERM_GE : t->operators & (WO_LE | WO_LT) ? FTS_VOCAB_TERM_LE : 0;
}

static u32 dbstat_kind(const struct table *t, int column)
{
    if (column == 0) return DBSTAT_NAME;
    int hidden = column - (t->column_count - DBSTAT_HIDDEN);
    return hidden == 0 ? DBSTAT_SCHEMA : hidden == 1 ? DBSTAT_AGGREGATE : DBSTAT_OTHER;
}

u32 where_fts_kind(const struct source *s, const struct where_term *t)
{
    static const struct {
        u16 operators;
        enum fts_plan bit;
    } bounds[] = {{WO_EQ | WO_IN, FTS_PLAN_ROWID_EQ}, {WO_GE, FTS_PLAN_ROWID_GE}, {WO_LE, FTS_PLAN_ROWID_LE},
                  {WO_GT, FTS_PLAN_ROWID_GT}, {WO_LT, FTS_PLAN_ROWID_LT}};
    if (t->left_cursor != s->cursor || t->field) return 0;
    if (s->table->vocab) return vocab_kind(t);
    if (s->table->dbstat) return t->operators & (WO_EQ | WO_IN) ? dbstat_kind(s->table, t->left_column) : 0;
    s32 all = s->table->column_count - 2;
    if (t->left_column == all + 1) return t->operators & (WO_MATCH | WO_EQ) ? FTS_PLAN_RANK : 0;
    if (t->operators & WO_MATCH || (t->operators & WO_EQ && t->left_column == all)) return FTS_PLAN_MATCH;
    for (u32 k = 0; t->left_column == COLUMN_ROWID && k < COUNT_OF(bounds); k++)
        if (t->operators & bounds[k].operators) return bounds[k].bit;
    return 0;
}

// What ORDER BY sorts by, in the order of these tables' columns.
static const struct expr *ordered_column(const struct expr_item *item)
{
    const struct expr *e = item->expr;
    while (e->kind == EXPR_COLLATE && name_equal(e->text, "binary")) e = e->left;
    return e;
}

// Whether its rows can come as ORDER BY wants them: enum fts_plan.
static u32 fts_order(const struct where_info *w, const struct where_loop *loop, const struct source *s)
{
    if (!w->order_by || w->order_by->count != 1) return 0;
    const struct expr_item *item = &w->order_by->items[0];
    const struct expr *e = ordered_column(item);
    if ((e->kind != EXPR_COLUMN && e->kind != EXPR_AGG_COLUMN) || e->cursor != s->cursor || expr_item_nulls_big(item)) return 0;
    u32 down = item->descending ? FTS_PLAN_DOWN : 0;
    if (e->column == s->table->column_count - 1) return loop->match_count ? FTS_PLAN_BY_RANK | down : 0;
    // Where the index has no positions, those of a row are searched in its text, which is not done for rows that nobody wants.
    if (e->column != COLUMN_ROWID || (down && loop->match_count && s->table->fts->detail != FTS_DETAIL_FULL)) return 0;
    if (down && s->table->fts->tokendata) return 0; // as FTS5
    return FTS_PLAN_IN_ORDER | down;
}

// A full-text table with terms of the tables in `usable` alone: MATCH, rank and one rowid, or one bound of it on each
// side. All that only the index can answer must be known when it is asked. The order of terms, and the costs, are FTS5's.
static void add_fts_loop(struct loop_builder *b, bitmask prereq, bitmask usable, bool with_in, bool *in)
{
    enum { PASS_TERMS, PASS_MATCH, PASS_BOUNDS, PASS_END };
    struct where_loop *new = b->loop;
    const struct source *s = &b->w->sources->items[new->source];
    const u32 bounds = FTS_PLAN_ROWID_LOW | FTS_PLAN_ROWID_HIGH;
    new->fts_plan = 0;
    new->term_count = new->match_count = 0;
    new->prereq = prereq;
    int count = b->clause->count;
    for (int pass = PASS_TERMS; pass < PASS_END; pass++)
        for (int i = 0; i < count; i++) {
            struct where_term *t = b->clause->terms[pass == PASS_MATCH ? count - 1 - i : i]; // it finds MATCH from the last one on
            u32 kind = where_fts_kind(s, t), taken = kind;
            if (!kind || pass != (kind & bounds ? PASS_BOUNDS : t->operators & WO_MATCH ? PASS_MATCH : PASS_TERMS)) continue;
            if (kind & FTS_PLAN_ROWID_LOW) taken = FTS_PLAN_ROWID_LOW;
            if (kind & FTS_PLAN_ROWID_HIGH) taken = FTS_PLAN_ROWID_HIGH;
            if (kind & bounds) taken |= FTS_PLAN_ROWID_EQ;
            if (new->fts_plan & taken || (t->operators & WO_IN && !with_in)) continue;
            if (t->operators & WO_MATCH && t->left_column == COLUMN_ROWID) return; // no plan has an answer to it
            if (t->prereq_right & ~usable) {
                if (kind & (FTS_PLAN_MATCH | FTS_PLAN_RANK) && !where_fts_pattern(t)) return;
                continue;
            }
            if (!virtual_term_take(b, t)) continue;
            *in |= (t->operators & WO_IN) != 0;
            if (kind & FTS_PLAN_MATCH)
                new->match_count++;
            else
                new->fts_plan |= kind;
        }
    new->fts_plan |= fts_order(b->w, new, s);
    new->in_order = !*in && new->fts_plan & (FTS_PLAN_IN_ORDER | FTS_PLAN_BY_RANK);
    // Of release 3.53 without MATCH: with those before, an OR of a rowid and a MATCH in a join finds no place for the MATCH.
    static const double costs[2][3] = {{3000000, 2250000, 750000}, {10000, 7500, 5000}};
    u32 sides = ((new->fts_plan & FTS_PLAN_ROWID_LOW) != 0) + ((new->fts_plan & FTS_PLAN_ROWID_HIGH) != 0);
    bool one = new->fts_plan & FTS_PLAN_ROWID_EQ;
    double cost = one ? new->match_count ? 1000 : 25 : costs[new->match_count > 0][sides];
    for (u32 i = 1; !one && i < new->match_count; i++) cost *= 0.4;
    new->rows = one || new->match_count ? 46 : logest_of((u64)cost / 4);
    new->run = logest_of((u64)cost);
    new->flags &= ~(u32)LOOP_ONE_ROW;
    if (one && !new->match_count && !*in) new->flags |= LOOP_ONE_ROW;
    where_loop_insert(b, new);
}

static bool is_ordered_by(const struct where_info *w, u32 i, const struct source *s, int column)
{
    const struct expr_item *item = &w->order_by->items[i];
    const struct expr *e = ordered_column(item);
    bool is_column = e->kind == EXPR_COLUMN || e->kind == EXPR_AGG_COLUMN;
    return is_column && e->cursor == s->cursor && e->column == column && !item->descending && !expr_item_nulls_big(item);
}

// fts5vocab: the last term = ?, or the last of each side. Costs and the plan's number are FTS5's.
static void add_vocab_loop(struct loop_builder *b, bitmask prereq, bitmask usable, bool with_in, bool *in)
{
    static const u32 kinds[] = {FTS_VOCAB_TERM_EQ, FTS_VOCAB_TERM_GE, FTS_VOCAB_TERM_LE};
    const struct where_info *w = b->w;
    struct where_loop *new = b->loop;
    const struct source *s = &w->sources->items[new->source];
    new->fts_plan = (u32)s->columns_used & 255;
    new->term_count = 0;
    new->prereq = prereq;
    for (u32 k = 0; k < COUNT_OF(kinds) && !(new->fts_plan & FTS_VOCAB_TERM_EQ); k++)
        for (int i = b->clause->count; i-- > 0 && !(new->fts_plan & kinds[k]);) {
            struct where_term *t = b->clause->terms[i];
            if (where_fts_kind(s, t) != kinds[k] || t->prereq_right & ~usable || (t->operators & WO_IN && !with_in)) continue;
            if (!virtual_term_take(b, t)) continue;
            *in |= (t->operators & WO_IN) != 0;
            new->fts_plan |= kinds[k];
        }
    double cost = new->fts_plan & FTS_VOCAB_TERM_EQ ? 100 : 1000000;
    if (new->fts_plan & FTS_VOCAB_TERM_GE) cost /= 2;
    if (new->fts_plan & FTS_VOCAB_TERM_LE) cost /= 2;
    new->run = logest_of((u64)cost);
    new->in_order = w->order_by && w->order_by->count == 1 && is_ordered_by(w, 0, s, 0) && !*in;
    where_loop_insert(b, new);
}

// dbstat: the last schema = ?, name = ?, aggregate = ?. Whatever its columns are equal to must be known.
static void add_dbstat_loop(struct loop_builder *b, bitmask prereq, bitmask usable, bool with_in, bool *in)
{
    static const u32 kinds[] = {DBSTAT_SCHEMA, DBSTAT_NAME, DBSTAT_AGGREGATE};
    const struct where_info *w = b->w;
    struct where_loop *new = b->loop;
    const struct source *s = &w->sources->items[new->source];
    new->fts_plan = 0;
    new->term_count = 0;
    new->prereq = prereq;
    for (int i = 0; i < b->clause->count; i++) {
        const struct where_term *t = b->clause->terms[i];
        if (where_fts_kind(s, t) && (t->prereq_right & ~usable || (t->operators & WO_IN && !with_in))) return;
    }
    for (u32 k = 0; k < COUNT_OF(kinds); k++)
        for (int i = b->clause->count; i-- > 0 && !(new->fts_plan & kinds[k]);) {
            struct where_term *t = b->clause->terms[i];
            if (where_fts_kind(s, t) != kinds[k] || !virtual_term_take(b, t)) continue;
            *in |= (t->operators & WO_IN) != 0;
            new->fts_plan |= kinds[k];
        }
    new->rows = 46;
    new->run = 0;
    u32 count = w->order_by ? w->order_by->count : 0;
    bool by_name = (count == 1 || count == 2) && is_ordered_by(w, 0, s, 0) && (count == 1 || is_ordered_by(w, 1, s, 1));
    if (by_name) new->fts_plan |= DBSTAT_IN_ORDER;
    new->in_order = by_name && !*in;
    where_loop_insert(b, new);
}

static u32 virtual_kind(const struct source *s, const struct where_term *t)
{
    if (s->table->fts || s->table->vocab || s->table->dbstat) return where_fts_kind(s, t);
    if (t->left_cursor != s->cursor || t->left_column < 0 || !(t->operators & (WO_EQ | WO_IN))) return 0;
    return s->table->columns[t->left_column].flags & COLUMN_HIDDEN;
}

// As SQLite has them: PRAGMAs are asked for what they tell of one table, JSON is cheap to take apart.
static void function_estimate(const struct table *t, struct where_loop *loop)
{
    loop->rows = 46;
    loop->run = 0;
    if (!t->pragma) {
        if (!loop->term_count) loop->run = 3280;
    } else if (t->columns[t->column_count - 1].flags & COLUMN_HIDDEN) {
        loop->rows = loop->run = loop->term_count ? 43 : 310;
    }
}

// Rows come by their rowids, behind which nothing else of them counts.
static bool by_rowid(const struct where_info *w, const struct source *s)
{
    if (!s->table->function || !s->table->function->by_rowid || !w->order_by || !is_ordered_by(w, 0, s, COLUMN_ROWID)) return false;
    for (u32 i = 1; i < w->order_by->count; i++) {
        const struct expr *e = ordered_column(&w->order_by->items[i]);
        if ((e->kind != EXPR_COLUMN && e->kind != EXPR_AGG_COLUMN) || e->cursor != s->cursor) return false;
    }
    return true;
}

static bool is_bound(const struct source *s, const struct where_term *t, u32 operators)
{
    return t->left_cursor == s->cursor && t->left_column == 0 && !t->field && t->operators & operators;
}

// Of a bounded function: what its first column is compared with from below, then from above, when it is known with the arguments.
static void bounds_take(struct loop_builder *b, const struct source *s)
{
    static const u16 sides[] = {WO_EQ | WO_GE | WO_GT, WO_EQ | WO_LE | WO_LT};
    for (u32 k = 0; k < COUNT_OF(sides); k++)
        for (int i = 0; i < b->clause->count; i++) {
            struct where_term *t = b->clause->terms[i];
            if (is_bound(s, t, sides[k]) && !(t->prereq_right & ~b->loop->prereq) && virtual_term_take(b, t)) break;
        }
}

// A function: terms on hidden columns are arguments, of several the last, which its parentheses have. IS is none; of an IN each
// value makes a call. What is asked of such a column must be known, by one of them.
static void add_function_loop(struct loop_builder *b, bitmask prereq, bitmask usable, bool with_in, bool *in)
{
    static const u16 kinds[] = {WO_EQ, WO_IN};
    struct where_loop *new = b->loop;
    const struct source *s = &b->w->sources->items[new->source];
    new->term_count = 0;
    new->prereq = prereq;
    for (int column = 0; column < s->table->column_count; column++) {
        bool taken = false, missing = false;
        for (u32 k = 0; k < COUNT_OF(kinds); k++)
            for (int i = b->clause->count; i-- > 0 && !taken;) {
                struct where_term *t = b->clause->terms[i];
                if (!virtual_kind(s, t) || t->left_column != column || !(t->operators & kinds[k]) || !virtual_term_ok(b, t)) continue;
                const bool known = !(t->prereq_right & ~usable) && (with_in || !(t->operators & WO_IN));
                taken = known && virtual_term_take(b, t);
                missing |= !known;
                *in |= taken && t->operators & WO_IN;
            }
        if (missing && !taken) return;
    }
    function_estimate(s->table, new);
    if (s->table->function && s->table->function->bounded) bounds_take(b, s);
    new->in_order = !*in && by_rowid(b->w, s);
    where_loop_insert(b, new);
}

// Gives whether it uses an IN.
static bool add_loop(struct loop_builder *b, bitmask prereq, bitmask usable, bool with_in)
{
    bool in = false;
    const struct table *t = b->w->sources->items[b->loop->source].table;
    if (t->vocab)
        add_vocab_loop(b, prereq, usable, with_in, &in);
    else if (t->dbstat)
        add_dbstat_loop(b, prereq, usable, with_in, &in);
    else if (t->fts)
        add_fts_loop(b, prereq, usable, with_in, &in);
    else
        add_function_loop(b, prereq, usable, with_in, &in);
    return in;
}

// With all terms, then without an IN, with the terms of some tables, and with those alone that must come before.
static void add_loops(struct loop_builder *b, bitmask prereq)
{
    struct where_loop *new = b->loop;
    const struct source *s = &b->w->sources->items[new->source];
    bool in = add_loop(b, prereq, ~0ull, true), free = false, free_of_in = false;
    bitmask best = new->prereq & ~prereq, best_without = 0, last = 0;
    if (!best && !in) return;
    if (in) {
        (void)add_loop(b, prereq, ~0ull, false);
        best_without = new->prereq & ~prereq;
        free = free_of_in = !best_without;
    }
    for (;;) {
        bitmask next = ~0ull;
        for (int i = 0; i < b->clause->count; i++) {
            const struct where_term *t = b->clause->terms[i];
            bitmask mine = t->prereq_right & ~prereq;
            if (virtual_kind(s, t) && mine > last && mine < next) next = mine;
        }
        last = next;
        if (next == ~0ull) break;
        if (next == best || next == best_without) continue;
        in = add_loop(b, prereq, next | prereq, true);
        if (new->prereq != prereq) continue;
        free = true;
        free_of_in |= !in;
    }
    if (!free) free_of_in = !add_loop(b, prereq, prereq, true);
    if (!free_of_in) (void)add_loop(b, prereq, prereq, false);
}

// Terms that need a table behind this one are no arguments.
static void usable_terms(const struct loop_builder *b, struct where_clause *clause)
{
    *clause = *b->clause;
    if (!b->behind || !clause->count) return;
    clause->terms = arena_alloc(b->w->c->arena, sizeof *clause->terms * (size_t)clause->count);
    clause->count = 0;
    for (int i = 0; i < b->clause->count; i++)
        if (!(b->clause->terms[i]->prereq_right & b->behind)) clause->terms[clause->count++] = b->clause->terms[i];
}

static void virtual_loops_add(struct loop_builder *b, bitmask prereq)
{
    struct where_loop *new = b->loop;
    new->term_count = 0;
    new->setup = 0;
    new->eq_count = 0;
    new->index = NULL;
    new->flags = LOOP_VIRTUAL;
    new->in_order = false;
    new->rows = 46;
    new->run = 200;
    new->sort_index = 0;
    new->prereq = prereq;
    add_loops(b, prereq);
}

void where_virtual_loops_add(struct loop_builder *b, bitmask prereq)
{
    struct where_clause *all = b->clause, usable;
    usable_terms(b, &usable);
    b->clause = &usable;
    virtual_loops_add(b, prereq);
    b->clause = all;
}

// ---- code ---------------------------------------------------------------------------------------------------------

// What a term compares a column with; of an IN one value after another.
static void argument_code(struct where_info *w, struct where_level *level, struct where_term *t, int at, int reg)
{
    if (t->operators & WO_IN) {
        int got = where_equality_code(w, t, level, at, false, reg);
        ASSERT(got == reg);
        where_term_disable(level, t); // rows equal the value
    } else {
        expr_code(w->c, t->operators & WO_MATCH ? t->expr->list->items[0].expr : t->expr->right, reg);
    }
}

// The loop over what the table gives for the plan and the loop's terms, which are in the registers behind two for these. Gives the
// VFilter's address.
static int vfilter_code(struct compile *c, struct where_level *level, u32 plan, int reg)
{
    emit(c, OP_Integer, (int)plan, reg, 0);
    emit(c, OP_Integer, (int)level->loop->term_count, reg + 1, 0);
    int address = emit(c, OP_VFilter, level->table_cursor, level->next_label, reg);
    level->op = OP_VNext;
    level->p1 = level->table_cursor;
    level->p2 = emit_here(c);
    return address;
}

// fts5vocab, dbstat. Which database it is asked for is not asked again: its name may be spelled otherwise.
static void lookup_loop(struct where_info *w, struct where_level *level, const struct source *s)
{
    struct compile *c = w->c;
    struct where_loop *loop = level->loop;
    int count = (int)loop->term_count, reg = reg_alloc_range(c, count + 2);
    for (int i = 0; i < count; i++) {
        argument_code(w, level, loop->terms[i], i, reg + 2 + i);
        if (s->table->dbstat && where_fts_kind(s, loop->terms[i]) == DBSTAT_SCHEMA) where_term_disable(level, loop->terms[i]);
    }
    vfilter_code(c, level, loop->fts_plan, reg);
}

static void fts_loop(struct where_info *w, struct where_level *level, struct source *s)
{
    struct compile *c = w->c;
    struct where_loop *loop = level->loop;
    int count = (int)loop->term_count;
    int reg = reg_alloc_range(c, count + 2);
    s32 *columns = arena_alloc(c->arena, (loop->match_count + 1) * sizeof *columns);
    // Arguments: of MATCH, then by the plan's bits.
    int at = 0;
    for (u32 bit = 0; bit <= FTS_PLAN_ROWID_LT; bit = bit ? bit << 1 : 1)
        for (int i = 0; i < count; i++) {
            struct where_term *t = loop->terms[i];
            if (where_fts_kind(s, t) != (bit ? bit : FTS_PLAN_MATCH)) continue;
            argument_code(w, level, t, i, reg + 2 + at);
            s32 pattern = where_fts_pattern(t);
            if (!bit) columns[at] = t->left_column | pattern;
            at++;
            // Patterns are looked at again, and bounds of the rowid: they compare by affinity.
            if (!pattern && t->left_column >= 0) where_term_disable(level, t);
        }
    int address = vfilter_code(c, level, loop->fts_plan, reg);
    program_p4_ints(c->program, address, columns, loop->match_count);
}

void where_virtual_loop_code(struct where_info *w, struct where_level *level, struct source *s)
{
    if (s->table->fts) {
        fts_loop(w, level, s);
        return;
    }
    if (s->table->vocab || s->table->dbstat) {
        lookup_loop(w, level, s);
        return;
    }
    struct compile *c = w->c;
    struct where_loop *loop = level->loop;
    int count = (int)loop->term_count;
    int reg = reg_alloc_range(c, count + 2);
    // The plan: a bit for each hidden column given, from the first on, and for each bound; arguments in the order of columns.
    u32 plan = 0;
    int first_hidden = 0;
    while (first_hidden < s->table->column_count && !(s->table->columns[first_hidden].flags & COLUMN_HIDDEN)) first_hidden++;
    for (int i = 0; i < count; i++) {
        struct where_term *t = loop->terms[i];
        if (t->left_column >= first_hidden) {
            plan |= 1u << (t->left_column - first_hidden);
        } else {
            const u32 low = 1u << (s->table->column_count - first_hidden);
            plan |= t->operators & (WO_GE | WO_GT) || (t->operators & WO_EQ && !(plan & low)) ? low : low << 1;
        }
        argument_code(w, level, t, i, reg + 2 + i);
    }
    for (int i = 0; i < count; i++)
        if (loop->terms[i]->left_column >= first_hidden) where_term_disable(level, loop->terms[i]);
    vfilter_code(c, level, plan, reg);
}
