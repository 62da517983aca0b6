// Finding the rows of a query: every node can be asked for its first row at or after a rowid. Asking again for the same
// one, or for an earlier one, changes nothing, so a call that met a wait is simply made again.
#include "fts_query.h"

struct fts_expr *fts_expr_new(const struct fts_config *c)
{
    struct fts_expr *e = calloc(1, sizeof *e);
    if (!e) return NULL;
    e->config = c;
    arena_init(&e->arena, NULL, NULL);
    return e;
}

bool fts_expr_phrase_add(struct fts_expr *e, struct fts_phrase *p)
{
    e->phrases = arena_grow(&e->arena, e->phrases, e->phrase_count, &e->phrase_capacity, sizeof(struct fts_phrase *));
    if (!e->phrases) return false;
    e->phrases[e->phrase_count++] = p;
    return true;
}

static void source_close(struct fts_source *s)
{
    for (u32 i = 0; i < s->count; i++) fts_iter_free(&s->iters[i]);
    free(s->iters);
    fts_hits_free(s->hits);
    fts_merge_free(s->collecting);
    *s = (struct fts_source){0};
}

static void node_leave(struct fts_node *n)
{
    n->on = n->eof = n->positions_known = false;
    for (u32 i = 0; i < n->child_count; i++) node_leave(n->children[i]);
}

// Lets go of the iterators.
static void fts_expr_close(struct fts_expr *e)
{
    for (u32 i = 0; i < e->phrase_count; i++)
        for (u32 k = 0; k < e->phrases[i]->term_count; k++) source_close(&e->phrases[i]->terms[k].source);
    if (e->root) node_leave(e->root);
}

void fts_expr_free(struct fts_expr *e)
{
    if (!e) return;
    fts_expr_close(e);
    for (u32 i = 0; i < e->phrase_count; i++) {
        struct fts_phrase *p = e->phrases[i];
        for (u32 k = 0; k < p->term_count; k++) {
            fts_buffer_free(&p->terms[k].raw);
            free(p->terms[k].positions);
        }
        free(p->positions);
    }
    arena_deinit(&e->arena);
    free(e);
}

u32 fts_expr_phrase_count(const struct fts_expr *e) { return e->phrase_count; }
u32 fts_expr_phrase_size(const struct fts_expr *e, u32 phrase) { return e->phrases[phrase]->term_count; }

struct fts_expr *fts_expr_phrase_clone(const struct fts_expr *e, u32 phrase)
{
    const struct fts_phrase *from = e->phrases[phrase];
    struct fts_expr *out = fts_expr_new(e->config);
    if (!out) return NULL;
    struct fts_node *n = arena_alloc(&out->arena, sizeof *n);
    struct fts_phrase *p = arena_alloc(&out->arena, sizeof *p), **list = arena_alloc(&out->arena, sizeof(struct fts_phrase *));
    struct fts_query_term *terms = arena_alloc(&out->arena, (from->term_count + 1) * sizeof *terms);
    if (!n || !p || !list || !terms || !fts_expr_phrase_add(out, p)) {
        arena_deinit(&out->arena);
        free(out);
        return NULL;
    }
    for (u32 i = 0; i < from->term_count; i++)
        terms[i] = (struct fts_query_term){.text = from->terms[i].text, .size = from->terms[i].size, .prefix = from->terms[i].prefix};
    *p = (struct fts_phrase){.terms = terms, .term_count = from->term_count, .first = from->first, .node = n};
    list[0] = p;
    *n = (struct fts_node){.kind = FTS_NODE_NEAR, .phrases = list, .phrase_count = 1, .near = 10,
                           .columns = from->node ? from->node->columns : NULL};
    out->root = n;
    return out;
}

static void phrases_know(struct fts_node *n)
{
    n->single = n->kind == FTS_NODE_NEAR && n->phrase_count == 1 && n->phrases[0]->term_count == 1;
    for (u32 i = 0; i < n->phrase_count; i++) n->phrases[i]->node = n;
    for (u32 i = 0; i < n->child_count; i++) phrases_know(n->children[i]);
}

void fts_expr_open(struct fts_expr *e, struct fts_table *x, const struct fts_structure *s)
{
    fts_expr_close(e);
    e->table = x;
    e->structure = s;
    if (e->root) phrases_know(e->root);
}

// ---- terms ---------------------------------------------------------------------------------------------------------------

// A prefix of as many characters as a prefix index has is a whole term there.
static bool prefix_index_use(const struct fts_config *c, struct fts_query_term *t)
{
    u32 characters = 0;
    for (u32 i = 1; i < t->size; i++) characters += (t->text[i] & 0xc0) != 0x80;
    for (u32 i = 0; i < c->prefix_count; i++) {
        if (c->prefixes[i] != characters) continue;
        ((u8 *)(uintptr_t)t->text)[0] = (u8)(FTS_MAIN_PREFIX + 1 + i);
        t->prefix = false;
        return true;
    }
    return false;
}

static io_status source_open(struct fts_expr *e, struct op *op, struct fts_query_term *t)
{
    struct fts_source *s = &t->source;
    const struct fts_structure *all = e->structure;
    if (t->prefix && !s->table && prefix_index_use(e->config, t)) t->prefix = false;
    s->table = e->table;
    if (t->prefix) {
        if (!s->hits) IO_TRY(fts_merge_prefix(&s->collecting, e->table, op, all, t->text, t->size, &s->hits));
        s->ready = true;
        return IO_DONE;
    }
    if (!s->iters) {
        u32 count = fts_structure_segments(all);
        s->iters = calloc(count + 1, sizeof *s->iters);
        if (!s->iters) return fts_no_memory(op);
        for (u32 i = 0; i < all->level_count; i++)
            for (u32 k = all->levels[i].count; k-- > 0;)
                fts_iter_init(&s->iters[s->count++], e->table, &all->levels[i].segments[k]);
    }
    while (s->started < s->count) {
        struct fts_iter *i = &s->iters[s->started];
        IO_TRY(fts_iter_seek(i, op, t->text, t->size));
        if (i->valid && (i->term.size != t->size || memcmp(i->term.data, t->text, t->size) != 0)) i->valid = false;
        i->term_ended = false;
        s->started++;
    }
    s->lone = s->count == 1 && !s->iters[0].segment.tombstone_pages;
    s->ready = true;
    return IO_DONE;
}

// Several terms of one row follow each other among the hits.
static void hits_seek(struct fts_source *s, s64 target)
{
    while (s->hit < s->hits->count && s->hits->hits[s->hit].rowid < target) s->hit++;
    s->eof = s->hit == s->hits->count;
    if (!s->eof) s->rowid = s->hits->hits[s->hit].rowid;
}

// To a row in the page of the one segment, as nearly all are. False: term_seek goes on from there.
ALWAYS_INLINE bool term_forward(struct fts_source *s, s64 target)
{
    if (!s->lone || !s->on || s->eof) return false;
    struct fts_iter *i = s->iters;
    if (!i->valid || i->rowid >= target || !fts_iter_forward_short(i, target) || !i->positions_size) return false;
    s->rowid = i->rowid;
    return true;
}

static io_status term_seek(struct fts_expr *e, struct op *op, struct fts_query_term *t, s64 target)
{
    struct fts_source *s = &t->source;
    if (UNLIKELY(!s->ready)) IO_TRY(source_open(e, op, t));
    if (s->eof || (s->on && s->rowid >= target)) return IO_DONE;
    if (s->hits) {
        hits_seek(s, target);
        s->on = !s->eof;
        return IO_DONE;
    }
    for (;;) {
        // Iterators that have left a deleted row no longer say that it is one.
        if (s->passed_any && target <= s->passed) target = s->passed + 1;
        struct fts_iter *least = NULL;
        for (u32 i = 0; i < s->count; i++) {
            struct fts_iter *k = &s->iters[i];
            if (k->valid && k->rowid < target) IO_TRY(fts_iter_forward(k, op, target));
            if (k->valid && (!least || k->rowid < least->rowid)) least = k;
        }
        bool gone = false;
        if (least && least->segment.tombstone_pages) IO_TRY(fts_tombstone_find(least, op, &gone));
        s->eof = !least;
        s->on = least != NULL;
        if (!least) return IO_DONE;
        s->winner = least;
        s->rowid = least->rowid;
        if (least->positions_size && !gone) return IO_DONE;
        // Deleted since; older entries of the row no longer count.
        s->on = false;
        if (least->rowid == INT64_MAX) {
            s->eof = true;
            return IO_DONE;
        }
        s->passed_any = true;
        s->passed = least->rowid;
    }
}

bool fts_position_add(u64 **positions, u32 *count, u32 *capacity, u64 v)
{
    if (*count == *capacity) {
        u32 grown_capacity = *capacity ? *capacity * 2 : 16;
        u64 *grown = realloc(*positions, grown_capacity * sizeof *grown);
        if (!grown) return false;
        *positions = grown;
        *capacity = grown_capacity;
    }
    (*positions)[(*count)++] = v;
    return true;
}

bool fts_position_next_long(const struct fts_config *c, struct fts_position_reader *r, const u8 **at, const u8 *end,
                            u64 *out)
{
    u64 v;
    u32 n = varint_get_checked(*at, end, &v);
    if (!n) return false;
    *at += n;
    if (c->detail == FTS_DETAIL_COLUMN) {
        if (v < 2) return false;
        r->column += v - 2;
    } else {
        if (v == 1) {
            n = varint_get_checked(*at, end, &v);
            if (!n || v > FTS_COLUMNS_MAX) return false;
            *at += n;
            r->column = v;
            r->position = 0;
            n = varint_get_checked(*at, end, &v);
            if (!n) return false;
            *at += n;
        }
        if (v < 2) return false;
        r->position += v - 2;
    }
    if (r->position > INT32_MAX || r->column > INT32_MAX) return false;
    *out = r->column << 32 | r->position;
    return true;
}

// Adds what a position list says; false: out of memory, or *bad.
static bool positions_decode(const struct fts_config *c, const u8 *p, u32 size, struct fts_query_term *t, bool *bad)
{
    const u8 *end = p + size;
    struct fts_position_reader reader = {0};
    if (t->position_capacity - t->position_count < size) {
        u32 capacity = MAX(t->position_count + size, t->position_capacity * 2);
        u64 *grown = realloc(t->positions, capacity * sizeof *grown);
        if (!grown) return false;
        t->positions = grown;
        t->position_capacity = capacity;
    }
    while (p < end) {
        *bad = !fts_position_next(c, &reader, &p, end, &t->positions[t->position_count]);
        if (*bad) return false;
        t->position_count++;
    }
    return true;
}

static int u64_compare(const void *a, const void *b)
{
    u64 x = *(const u64 *)a, y = *(const u64 *)b;
    return x < y ? -1 : x > y;
}

void fts_positions_sort(u64 *positions, u32 *count)
{
    bool sorted = true;
    for (u32 i = 1; i < *count && sorted; i++) sorted = positions[i - 1] < positions[i];
    if (sorted) return;
    qsort(positions, *count, sizeof *positions, u64_compare);
    u32 kept = 0;
    for (u32 i = 0; i < *count; i++)
        if (i == 0 || positions[i] != positions[kept - 1]) positions[kept++] = positions[i];
    *count = kept;
}

static io_status term_positions(struct fts_expr *e, struct op *op, struct fts_query_term *t)
{
    struct fts_source *s = &t->source;
    bool bad = false, ok = true;
    t->position_count = 0;
    if (s->hits) {
        for (u32 i = s->hit; ok && i < s->hits->count && s->hits->hits[i].rowid == s->rowid; i++) {
            const struct fts_hit *h = &s->hits->hits[i];
            ok = positions_decode(e->config, h->positions, h->positions_size, t, &bad);
        }
        fts_positions_sort(t->positions, &t->position_count);
    } else {
        const u8 *positions;
        IO_TRY(fts_iter_positions(s->winner, op, &t->raw, &positions));
        ok = positions_decode(e->config, positions, s->winner->positions_size, t, &bad);
    }
    if (bad) return fts_corrupt(op, e->table, "a position list is damaged");
    return ok ? IO_DONE : fts_no_memory(op);
}

// ---- phrases ---------------------------------------------------------------------------------------------------------------

static bool column_wanted(const struct fts_columns *set, u64 column)
{
    return !set || (column / 64 < set->words && set->bits[column / 64] >> column % 64 & 1);
}

static bool columns_beyond(const struct fts_columns *set, u64 column)
{
    for (u64 i = column / 64; i < set->words; i++)
        if (set->bits[i] >> (i == column / 64 ? column % 64 : 0)) return false;
    return true;
}

// One term that need only be in some columns. What else is asked of positions waits until somebody wants them.
static bool columns_suffice(const struct fts_expr *e, const struct fts_node *n)
{
    const struct fts_phrase *p = n->phrases[0];
    return n->columns && n->single && !p->first && !p->terms[0].source.hits && e->config->detail == FTS_DETAIL_FULL;
}

static io_status columns_test(struct fts_expr *e, struct op *op, struct fts_node *n, bool *matches)
{
    struct fts_query_term *t = &n->phrases[0]->terms[0];
    const u8 *at;
    IO_TRY(fts_iter_positions(t->source.winner, op, &t->raw, &at));
    const u8 *end = at + t->source.winner->positions_size;
    *matches = false;
    for (bool wanted = column_wanted(n->columns, 0); at < end && !*matches;) {
        u64 v;
        u32 size = varint_get_checked(at, end, &v);
        at += size;
        if (size && v == 1) {
            size = varint_get_checked(at, end, &v);
            at += size;
            wanted = column_wanted(n->columns, v);
            if (!wanted && size && columns_beyond(n->columns, v)) return IO_DONE; // they come in order
        } else {
            *matches = wanted;
        }
        if (!size) return fts_corrupt(op, e->table, "a position list is damaged");
    }
    return IO_DONE;
}

// Where all terms of the phrase follow each other.
static bool phrase_match(struct fts_phrase *p, const struct fts_columns *columns)
{
    u32 at[64] = {0}, *cursor = p->term_count <= COUNT_OF(at) ? at : calloc(p->term_count, sizeof *cursor);
    if (!cursor) return false;
    bool ok = true;
    p->position_count = 0;
    for (u32 i = 0; ok && i < p->terms[0].position_count; i++) {
        u64 first = p->terms[0].positions[i];
        if (!column_wanted(columns, first >> 32) || (p->first && (u32)first != 0)) continue;
        bool all = true;
        for (u32 k = 1; all && k < p->term_count; k++) {
            const struct fts_query_term *t = &p->terms[k];
            while (cursor[k] < t->position_count && t->positions[cursor[k]] < first + k) cursor[k]++;
            all = cursor[k] < t->position_count && t->positions[cursor[k]] == first + k;
        }
        if (all) ok = fts_position_add(&p->positions, &p->position_count, &p->position_capacity, first);
    }
    if (cursor != at) free(cursor);
    return ok;
}

// Keeps of each phrase the places that are near enough to one of every other phrase. *any: there are some.
static bool near_match(struct fts_node *n, bool *any)
{
    u32 count = n->phrase_count;
    u32 *at = calloc(count * 2, sizeof *at), *kept = at + count;
    *any = false;
    if (!at) return false;
    for (;;) {
        bool together;
        u64 max = n->phrases[0]->positions[at[0]];
        do {
            together = true;
            for (u32 i = 0; i < count; i++) {
                struct fts_phrase *p = n->phrases[i];
                u64 reach = p->term_count + n->near, min = max >= reach ? max - reach : 0;
                u64 here = p->positions[at[i]];
                if (here >= min && here <= max) continue;
                together = false;
                while (at[i] < p->position_count && p->positions[at[i]] < min) at[i]++;
                if (at[i] == p->position_count) goto out;
                if (p->positions[at[i]] > max) max = p->positions[at[i]];
            }
        } while (!together);
        // The one that has the nearest place to come goes on.
        u32 least = 0;
        u64 nearest = UINT64_MAX;
        for (u32 i = 0; i < count; i++) {
            struct fts_phrase *p = n->phrases[i];
            u64 here = p->positions[at[i]];
            // kept[i] <= at[i]: the places are moved to the front.
            if (kept[i] == 0 || p->positions[kept[i] - 1] != here) p->positions[kept[i]++] = here;
            u64 next = at[i] + 1 < p->position_count ? p->positions[at[i] + 1] : UINT64_MAX;
            if (next < nearest) {
                nearest = next;
                least = i;
            }
        }
        *any = true;
        if (++at[least] == n->phrases[least]->position_count) break;
    }
out:
    for (u32 i = 0; i < count; i++) n->phrases[i]->position_count = kept[i];
    free(at);
    return true;
}

static io_status near_positions(struct fts_expr *e, struct op *op, struct fts_node *n, bool *matches)
{
    for (u32 i = 0; i < n->phrase_count; i++)
        for (u32 k = 0; k < n->phrases[i]->term_count; k++) IO_TRY(term_positions(e, op, &n->phrases[i]->terms[k]));
    *matches = true;
    for (u32 i = 0; i < n->phrase_count; i++) {
        if (!phrase_match(n->phrases[i], n->columns)) return fts_no_memory(op);
        *matches &= n->phrases[i]->position_count > 0;
    }
    if (*matches && n->phrase_count > 1 && !near_match(n, matches)) return fts_no_memory(op);
    n->positions_known = true;
    return IO_DONE;
}

// Whether finding it takes a look at positions.
static bool positions_matter(const struct fts_expr *e, const struct fts_node *n)
{
    if (e->config->detail == FTS_DETAIL_NONE) return false;
    return n->columns || !n->single || n->phrases[0]->first;
}

// All of its terms are in the row: whether they are where they are to be.
static inline io_status near_test(struct fts_expr *e, struct op *op, struct fts_node *n, bool *matches)
{
    *matches = true;
    n->positions_known = false;
    if (!positions_matter(e, n)) return IO_DONE;
    return columns_suffice(e, n) ? columns_test(e, op, n, matches) : near_positions(e, op, n, matches);
}

// Of one phrase of one term.
static __attribute__((noinline)) io_status single_seek(struct fts_expr *e, struct op *op, struct fts_node *n, s64 target)
{
    struct fts_query_term *t = &n->phrases[0]->terms[0];
    for (bool matches = false; !matches; target++) {
        if (UNLIKELY(!term_forward(&t->source, target))) {
            IO_TRY(term_seek(e, op, t, target));
            n->eof = t->source.eof;
            if (n->eof) return IO_DONE;
        }
        target = t->source.rowid;
        IO_TRY(near_test(e, op, n, &matches));
        n->eof = !matches && target == INT64_MAX;
        if (n->eof) return IO_DONE;
    }
    n->rowid = t->source.rowid;
    n->on = true;
    return IO_DONE;
}

static io_status near_seek(struct fts_expr *e, struct op *op, struct fts_node *n, s64 target)
{
    for (;;) {
        bool together = true, first = true; // the first one says where the others are to be
        for (u32 i = 0; i < n->phrase_count && together; i++) {
            struct fts_phrase *p = n->phrases[i];
            if (!p->term_count) {
                n->eof = true;
                return IO_DONE;
            }
            for (u32 k = 0; k < p->term_count && together; k++) {
                struct fts_source *s = &p->terms[k].source;
                IO_TRY(term_seek(e, op, &p->terms[k], target));
                if (s->eof) {
                    n->eof = true;
                    return IO_DONE;
                }
                together = first || s->rowid == target;
                target = s->rowid;
                first = false;
            }
        }
        if (!together) continue;
        bool matches;
        IO_TRY(near_test(e, op, n, &matches));
        if (matches) {
            n->rowid = target;
            n->on = true;
            return IO_DONE;
        }
        if (target == INT64_MAX) {
            n->eof = true;
            return IO_DONE;
        }
        target++;
    }
}

// ---- nodes -----------------------------------------------------------------------------------------------------------------

static io_status group_seek(struct fts_expr *e, struct op *op, struct fts_node *n, s64 target);

ALWAYS_INLINE io_status node_seek(struct fts_expr *e, struct op *op, struct fts_node *n, s64 target)
{
    if (n->eof || (n->on && n->rowid >= target)) return IO_DONE;
    return n->single ? single_seek(e, op, n, target) : group_seek(e, op, n, target);
}

// The phrases below a node that is through no longer count, wherever they stand.
static void node_end(struct fts_node *n)
{
    n->eof = true;
    for (u32 i = 0; i < n->child_count; i++) node_end(n->children[i]);
}

static io_status and_seek(struct fts_expr *e, struct op *op, struct fts_node *n, s64 target)
{
    for (u32 i = 0; i < n->child_count;) {
        struct fts_node *c = n->children[i];
        IO_TRY(node_seek(e, op, c, target));
        if (c->eof) {
            node_end(n);
            return IO_DONE;
        }
        i = c->rowid == target ? i + 1 : 0;
        target = c->rowid;
    }
    n->rowid = target;
    n->on = true;
    return IO_DONE;
}

static io_status or_seek(struct fts_expr *e, struct op *op, struct fts_node *n, s64 target)
{
    bool any = n->on;
    s64 least = INT64_MAX;
    for (u32 i = 0; i < n->child_count && !n->on; i++) { // whether there is a row at all
        IO_TRY(node_seek(e, op, n->children[i], INT64_MIN));
        any |= !n->children[i]->eof;
    }
    if (!any) {
        node_end(n);
        return IO_DONE;
    }
    any = false;
    for (u32 i = 0; i < n->child_count; i++) {
        struct fts_node *c = n->children[i];
        IO_TRY(node_seek(e, op, c, target));
        if (c->eof) continue;
        any = true;
        least = MIN(least, c->rowid);
    }
    n->eof = !any;
    n->on = true;
    n->rowid = least;
    return IO_DONE;
}

static io_status not_seek(struct fts_expr *e, struct op *op, struct fts_node *n, s64 target)
{
    struct fts_node *left = n->children[0], *right = n->children[1];
    if (!left->on) IO_TRY(node_seek(e, op, left, INT64_MIN));
    if (!left->on) { // no row has it: to SQLite the other side stands at its first one then, where it counts
        IO_TRY(node_seek(e, op, right, INT64_MIN));
        n->eof = true;
        return IO_DONE;
    }
    for (;;) {
        IO_TRY(node_seek(e, op, left, target));
        if (left->eof) break;
        IO_TRY(node_seek(e, op, right, left->rowid));
        if (right->eof || right->rowid != left->rowid) {
            n->rowid = left->rowid;
            n->on = true;
            return IO_DONE;
        }
        if (left->rowid == INT64_MAX) break;
        target = left->rowid + 1;
    }
    node_end(n);
    return IO_DONE;
}

static io_status group_seek(struct fts_expr *e, struct op *op, struct fts_node *n, s64 target)
{
    switch ((enum fts_node_kind)n->kind) {
    case FTS_NODE_NEAR: return near_seek(e, op, n, target);
    case FTS_NODE_AND: return and_seek(e, op, n, target);
    case FTS_NODE_OR: return or_seek(e, op, n, target);
    case FTS_NODE_NOT: return not_seek(e, op, n, target);
    }
    return IO_DONE;
}

io_status fts_expr_seek(struct fts_expr *e, struct op *op, s64 rowid, bool *found, s64 *out)
{
    *found = false;
    if (!e->root) return IO_DONE;
    IO_TRY(node_seek(e, op, e->root, rowid));
    *found = !e->root->eof;
    *out = e->root->rowid;
    return IO_DONE;
}

// ---- the row it stands on ----------------------------------------------------------------------------------------------------

static bool node_here(const struct fts_expr *e, const struct fts_node *n)
{
    return e->root->on && !e->root->eof && n->on && !n->eof && n->rowid == e->root->rowid;
}

static io_status node_positions_load(struct fts_expr *e, struct op *op, struct fts_node *n)
{
    bool matches;
    if (n->kind == FTS_NODE_NEAR && node_here(e, n) && !n->positions_known && e->config->detail != FTS_DETAIL_NONE)
        IO_TRY(near_positions(e, op, n, &matches));
    for (u32 i = 0; i < n->child_count; i++) IO_TRY(node_positions_load(e, op, n->children[i]));
    return IO_DONE;
}

io_status fts_expr_positions_load(struct fts_expr *e, struct op *op)
{
    return e->root ? node_positions_load(e, op, e->root) : IO_DONE;
}

u32 fts_expr_positions(const struct fts_expr *e, u32 phrase, const u64 **out)
{
    const struct fts_phrase *p = e->phrases[phrase];
    *out = p->positions;
    return p->node && node_here(e, p->node) ? p->position_count : 0;
}

bool fts_expr_token_matches(const struct fts_expr *e, u32 phrase, u32 column, u32 position, const u8 *token, u32 size)
{
    const struct fts_phrase *p = e->phrases[phrase];
    if (p->term_count != 1 || !p->node || !node_here(e, p->node) || !column_wanted(p->node->columns, column)) return false;
    if (p->first && position) return false;
    const struct fts_query_term *t = &p->terms[0];
    bool prefix = t->prefix || t->text[0] != FTS_MAIN_PREFIX;
    if (prefix ? size < t->size - 1 : size != t->size - 1) return false;
    return memcmp(token, t->text + 1, t->size - 1) == 0;
}
