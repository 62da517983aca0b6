// Bloom filters of joins: a set of hashes of the keys that a loop searches by. What it does not have is in no row, and need
// not be sought. A filter of an automatic index is filled beside it; another's table is walked once, before its loop, or
// before an outer one that can test it in its place.
#include "dml.h"
#include "where.h"

// Where searches outnumber rows of a table of known size and find none for some.
void where_filters_choose(struct where_info *w)
{
    if (w->level_count < 2) return;
    s32 searches = 0;
    for (u32 i = 0; i < w->level_count; i++) {
        struct where_loop *loop = w->levels[i].loop;
        const struct table *t = w->sources->items[loop->source].table;
        if (!t->has_stat) break;
        u32 wanted = LOOP_SELF_CULL | LOOP_COLUMN_EQ;
        if (i >= 1 && (loop->flags & wanted) == wanted && searches > where_table_rows(w, t)) {
            loop->flags |= LOOP_FILTER;
            loop->flags &= ~(u32)LOOP_INDEX_ONLY; // its table is open for the filter
        }
        searches += loop->rows;
    }
}

static void filter_explain(struct where_info *w, const struct where_level *level)
{
    struct compile *c = w->c;
    if (!c->explain_query_plan) return;
    const struct where_loop *loop = level->loop;
    const struct source *s = &w->sources->items[level->source];
    char text[800], name[300];
    source_label(s, name, sizeof name);
    size_t size = (size_t)snprintf(text, sizeof text, "BLOOM FILTER ON %s (", name);
    int first = loop->flags & LOOP_ROWID ? 0 : loop->skip_count,
        end = loop->flags & LOOP_ROWID ? 1 : loop->eq_count;
    for (int i = first; i < end && size < sizeof text; i++) {
        const char *column = !(loop->flags & LOOP_ROWID) ? index_column_name(loop->index, i)
                             : s->table->rowid_column >= 0
                                 ? s->table->columns[s->table->rowid_column].name
                                 : "rowid";
        size += (size_t)snprintf(text + size, sizeof text - size, "%s%s=?",
                                 i > first ? " AND " : "", column);
    }
    explain_row(c, "%s)", text);
}

void where_filter_open(struct where_info *w, struct where_level *level,
                       const struct collation *const *collations)
{
    struct compile *c = w->c;
    filter_explain(w, level);
    const struct where_loop *loop = level->loop;
    const struct table *t = w->sources->items[level->source].table;
    u32 count = loop->flags & LOOP_ROWID ? 1 : loop->eq_count;
    struct key_info *key = key_info_make(c, count, 0);
    for (u32 i = 0; i < count; i++) key->collations[i] = collations ? collations[i] : NULL;
    level->filter = cursor_alloc(c);
    emit_key(c, OP_FilterOpen, level->filter,
             t->has_stat ? (int)MIN(t->row_estimate, (u64)INT32_MAX) : 0, 0, key);
}

void where_filter_add(struct where_info *w, const struct where_level *level, int base)
{
    const struct where_loop *loop = level->loop;
    if (level->filter)
        emit_int(w->c, OP_FilterAdd, level->filter, 0, base,
                 loop->flags & LOOP_ROWID ? 1 : loop->eq_count);
}

static void filter_code(struct where_info *w, struct where_level *level)
{
    struct compile *c = w->c;
    struct where_loop *loop = level->loop;
    struct where_index *x = loop->flags & LOOP_ROWID ? NULL : loop->index;
    const struct table *t = w->sources->items[level->source].table;
    int cursor = level->table_cursor, count = x ? loop->eq_count : 1;
    loop->flags &= ~(u32)LOOP_FILTER;
    where_filter_open(w, level, x ? key_info_of_index(c, x->index)->collations : NULL);
    int top = emit(c, OP_Rewind, cursor, 0, 0), skip = emit_label(c);
    bool constant;
    struct expr *own = where_own_terms(w, level, &constant);
    if (own) expr_jump_if_false(c, own, skip, true);
    int reg = reg_temp_range(c, count), outer = c->self_cursor;
    c->self_cursor = cursor + 1;
    for (int i = 0; i < count; i++) {
        if (x && x->columns[i] == COLUMN_EXPR)
            expr_code(c, self_expr(c, t, x->index->exprs[i], NAME_INDEX_EXPR), reg + i);
        else
            column_code(c, t, cursor, x ? x->columns[i] : COLUMN_ROWID, reg + i);
    }
    c->self_cursor = outer;
    where_filter_add(w, level, reg);
    reg_release_range(c, reg, count);
    emit_place(c, skip);
    emit(c, OP_Next, cursor, top + 1, 0);
    emit_jump_here(c, top);
}

void where_filters_code(struct where_info *w, u32 level_index, bitmask not_ready)
{
    struct compile *c = w->c;
    struct column_source *index_exprs = c->index_exprs, *index_constants = c->index_constants;
    c->index_exprs = c->index_constants = NULL;
    int once = emit(c, OP_Once, 0, 0, 0);
    filter_code(w, &w->levels[level_index]);
    for (u32 i = level_index + 1; i < w->level_count; i++) {
        const struct where_loop *loop = w->levels[i].loop;
        if (w->sources->items[w->levels[i].source].join & (JOIN_LEFT | JOIN_LEFT_OF_RIGHT) ||
            loop->prereq & not_ready)
            continue;
        if ((loop->flags & (LOOP_FILTER | LOOP_COLUMN_IN)) == LOOP_FILTER)
            filter_code(w, &w->levels[i]);
    }
    emit_jump_here(c, once);
    c->index_exprs = index_exprs;
    c->index_constants = index_constants;
}

static void filter_test_emit(struct compile *c, const struct where_level *level, int base, int next)
{
    bool rowid = level->loop->flags & LOOP_ROWID;
    emit_int(c, OP_Filter, level->filter, next, base, rowid ? 1 : level->loop->eq_count);
    emit_set_p5(c, rowid ? FILTER_ROWID : 0);
}

// The key of a loop further in, whose values are all there.
static void filter_test_early(struct where_info *w, struct where_level *level, int next)
{
    struct compile *c = w->c;
    const struct where_loop *loop = level->loop;
    level->break_label = next;
    int base;
    if (loop->flags & LOOP_ROWID) {
        base = where_equality_code(w, loop->terms[0], level, 0, false, reg_alloc(c));
    } else {
        char *affinity;
        base = where_equalities_code(w, level, false, 0, &affinity);
        where_affinity_code(c, base, loop->eq_count, affinity);
    }
    filter_test_emit(c, level, base, next);
    level->filter = 0;
    level->break_label = 0;
}

void where_filter_test(struct where_info *w, u32 level_index, int base, int next)
{
    struct where_level *level = &w->levels[level_index];
    if (!level->filter) return;
    filter_test_emit(w->c, level, base, next);
    for (u32 i = level_index; i < w->level_count; i++) {
        // Whose rows without a match are rows too has to see its matches.
        if (w->sources->items[w->levels[i].source].join & JOIN_RIGHT) break;
        if (i > level_index && w->levels[i].filter && !w->levels[i].loop->skip_count)
            filter_test_early(w, &w->levels[i], next);
    }
}
