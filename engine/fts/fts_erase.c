// secure-delete: an entry leaves the pages that hold it, which are then as if it had never been written. Pages only shrink,
// so that none has to be split. Where it would take more than that the segment is written again without it: a page without
// terms or empty, a position list over more than two pages, pages that FTS5 wrote an index of the first rowids of.
#include "fts_internal.h"

#define DOCLIST_INDEX_BIT 36 // of ids of NAME_data: an index of a long doclist

void fts_erase_free(struct fts_erase *e, struct fts_table *x)
{
    if (e->open) fts_iter_free(&e->iter);
    fts_reader_free(&e->reader);
    fts_buffer_free(&e->scratch);
    fts_buffer_free(&e->pages[0]);
    fts_buffer_free(&e->pages[1]);
    fts_sql_give(x, FTS_SQL_DATA_PUT, &e->put);
    fts_sql_give(x, FTS_SQL_CONFIG_PUT, &e->version_put);
    *e = (struct fts_erase){0};
}

// ---- where it is ---------------------------------------------------------------------------------------------------------

struct place {
    u32 own;         // offset of its term; 0: that is on an earlier page
    bool own_first;  // of the page's terms
    u32 shared;      // bytes that its term shares with the one before
    u32 next_term;   // leaf_size: none
    u32 head, end;   // of the entry, as far as it is on the page
    u32 beyond;      // bytes on the next page
    bool first;      // of the doclist's entries on the page
    s64 before;      // rowid of the one before
};

// *at is moved behind the varint.
static bool varint_at(const u8 *data, u32 *at, u32 end, u64 *v)
{
    u32 n = varint_get_checked(data + *at, data + end, v);
    *at += n;
    return n > 0;
}

static bool doclist_at(const struct fts_page *p, struct place *w, u32 *at)
{
    u64 v = 0;
    *at = be16_get(p->data);
    if (!w->own) return *at >= 4;
    *at = w->own;
    if (!w->own_first && !varint_at(p->data, at, p->leaf_size, &v)) return false;
    w->shared = (u32)MIN(v, FTS_TOKEN_SIZE_MAX + 1);
    if (!varint_at(p->data, at, p->leaf_size, &v) || v > p->leaf_size - *at) return false;
    *at += (u32)v;
    return true;
}

// False: the page is damaged.
static bool place_find(const struct fts_iter *i, struct place *w)
{
    const struct fts_page *p = &i->pages[0];
    bool none = i->table->config->detail == FTS_DETAIL_NONE;
    u32 at, footer;
    *w = (struct place){.first = true};
    if (!fts_page_term_first(p, &at, &footer)) return false;
    for (bool first = true; at < p->leaf_size && at < i->positions_at; first = false) {
        w->own = at;
        w->own_first = first;
        if (!fts_page_term_next(p, at, &at, &footer)) return false;
    }
    w->next_term = at;
    if (!doclist_at(p, w, &at)) return false;
    for (;;) {
        u64 delta, head = 0;
        w->head = at;
        if (at >= w->next_term || !varint_at(p->data, &at, w->next_term, &delta)) return false;
        if (none) {
            if (at < w->next_term && p->data[at] == 0 && ++at < w->next_term && p->data[at] == 0) at++;
        } else if (!varint_at(p->data, &at, w->next_term, &head)) {
            return false;
        }
        if (at == i->positions_at) break;
        if (at > i->positions_at || head / 2 > w->next_term - at) return false;
        at += (u32)(head / 2);
        w->before = (s64)((u64)w->before + delta);
        w->first = false;
    }
    u32 size = none ? 0 : i->positions_size;
    w->end = MIN(size, w->next_term - at) + at;
    w->beyond = size - (w->end - at);
    return !w->beyond || w->next_term == p->leaf_size;
}

// ---- pages without it ----------------------------------------------------------------------------------------------------

// The page that its position list ends on.
static bool tail_cut(const struct fts_page *p, u32 size, struct fts_buffer *out)
{
    u32 term, footer, first = be16_get(p->data);
    if (!fts_page_term_first(p, &term, &footer) || size >= p->leaf_size - 4) return false;
    if (term < 4 + size || (first && (first != 4 + size || first >= term))) return false;
    out->size = 0;
    bool ok = fts_buffer_add(out, p->data, 4) && fts_buffer_add(out, p->data + 4 + size, p->leaf_size - 4 - size);
    if (ok && p->size > p->leaf_size)
        ok = fts_buffer_varint(out, term - size) && fts_buffer_add(out, p->data + footer, p->size - footer);
    if (!ok) return false;
    be16_put(out->data, (u16)(first ? first - size : 0));
    be16_put(out->data + 2, (u16)(p->leaf_size - size));
    return true;
}

// Whether entries of the doclist follow on the next page; false where that is not clear.
static bool goes_on(const struct fts_iter *i, const struct place *w, bool *on)
{
    const struct fts_page *p = &i->pages[0], *next = &i->pages[1];
    *on = false;
    if (w->end < p->leaf_size || i->page_no == i->segment.last) return !w->beyond;
    u32 term, footer;
    if (i->page_count < 2 || !fts_page_term_first(next, &term, &footer)) return false;
    *on = be16_get(next->data) != 0;
    return *on ? be16_get(next->data) == 4 + w->beyond : term == 4 + w->beyond;
}

// The term that follows it takes its place; *rest: what is behind that one's text.
static bool term_drop(const struct fts_iter *i, const struct place *w, struct fts_buffer *out, u32 *rest)
{
    const struct fts_page *p = &i->pages[0];
    u32 at = w->next_term;
    out->size = w->own;
    *rest = at;
    if (at == p->leaf_size) return !w->own_first; // NAME_idx names the page: it must keep a term
    u64 shared, size;
    if (!varint_at(p->data, &at, p->leaf_size, &shared) || !varint_at(p->data, &at, p->leaf_size, &size)) return false;
    if (shared > i->term.size || size > p->leaf_size - at) return false;
    u32 kept = w->own_first ? 0 : MIN(w->shared, (u32)shared);
    bool ok = w->own_first || fts_buffer_varint(out, kept);
    ok = ok && fts_buffer_varint(out, shared - kept + size) && fts_buffer_add(out, i->term.data + kept, (u32)shared - kept);
    *rest = at + (u32)size;
    return ok && fts_buffer_add(out, p->data + at, (u32)size);
}

static bool footer_write(const struct fts_iter *i, const struct place *w, bool dropped, struct fts_buffer *out)
{
    const struct fts_page *p = &i->pages[0];
    u32 size = out->size, shrunk = p->leaf_size - size, at, footer, last = 0;
    bool ok = fts_page_term_first(p, &at, &footer);
    while (ok && at < p->leaf_size) {
        u32 now = at <= w->own ? at : dropped && at == w->next_term ? w->own : at - shrunk;
        if (!dropped || at != w->own) {
            ok = fts_buffer_varint(out, now - last);
            last = now;
        }
        ok = ok && fts_page_term_next(p, at, &at, &footer);
    }
    be16_put(out->data + 2, (u16)size);
    return ok;
}

// Makes e->pages of those of the iterator, without the entry that it is on; false: that cannot be.
static bool entry_cut(struct fts_erase *e)
{
    const struct fts_iter *i = &e->iter;
    const struct fts_page *p = &i->pages[0];
    struct fts_buffer *out = &e->pages[0];
    struct place w;
    bool on;
    if (!place_find(i, &w) || !goes_on(i, &w, &on)) return false;
    if (w.beyond && !tail_cut(&i->pages[1], w.beyond, &e->pages[1])) return false;
    bool more = w.end < w.next_term, dropped = !more && w.first && w.own && !on;
    if (e->begins && !w.own && !more && !on) return false; // its term ends the page before
    u32 rest = w.end;
    out->size = 0;
    bool ok = fts_buffer_add(out, p->data, w.head);
    if (more) {
        u64 delta;
        if (!varint_at(p->data, &rest, w.next_term, &delta)) return false;
        u64 next = (u64)i->rowid + delta;
        ok = ok && fts_buffer_varint(out, w.first ? next : next - (u64)w.before);
    } else if (dropped) {
        ok = ok && term_drop(i, &w, out, &rest);
    }
    ok = ok && fts_buffer_add(out, p->data + rest, p->leaf_size - rest) && out->size > 4;
    if (!ok || !footer_write(i, &w, dropped, out)) return false;
    if (!w.own && w.first && !more) be16_put(out->data, 0);
    e->page_count = w.beyond ? 2 : 1;
    return true;
}

// ---- segment by segment --------------------------------------------------------------------------------------------------

static io_status doclist_index_find(struct fts_erase *e, struct fts_table *x, struct op *op, bool *found)
{
    s64 first = ((s64)e->iter.segment.id << FTS_PAGE_BITS) + (1ll << DOCLIST_INDEX_BIT);
    struct fts_reader *r = &e->reader;
    const struct database *d = &x->db->databases[x->database];
    if (!r->open) cursor_init(&r->cursor, d->txn, fts_shadow_table(x, FTS_SHADOW_DATA)->root, NULL, false);
    r->open = true;
    int compare = 0;
    IO_TRY(cursor_seek_rowid(&r->cursor, op, first, &compare));
    if (cursor_valid(&r->cursor) && compare < 0) IO_TRY(cursor_next(&r->cursor, op));
    *found = cursor_valid(&r->cursor);
    if (*found) IO_TRY(cursor_entry(&r->cursor, op));
    *found = *found && r->cursor.rowid >> DOCLIST_INDEX_BIT == first >> DOCLIST_INDEX_BIT;
    cursor_deinit(&r->cursor);
    r->open = false;
    return IO_DONE;
}

static io_status entry_find(struct fts_erase *e, struct op *op, const u8 *term, u32 size, s64 rowid, bool *found)
{
    struct fts_iter *i = &e->iter;
    *found = false;
    IO_TRY(fts_iter_seek(i, op, term, size));
    if (!i->valid || i->term.size != size || memcmp(i->term.data, term, size) != 0) return IO_DONE;
    e->begins = i->rowid == rowid;
    IO_TRY(fts_iter_forward(i, op, rowid));
    if (!i->valid || i->rowid != rowid) return IO_DONE;
    const u8 *positions;
    IO_TRY(fts_iter_positions(i, op, &e->scratch, &positions)); // all of its pages are in memory
    u32 stored = i->table->config->detail == FTS_DETAIL_NONE ? 0 : i->positions_size;
    bool at_end = stored >= i->pages[0].leaf_size - i->positions_at;
    if (at_end && i->page_no < i->segment.last) IO_TRY(fts_iter_page(i, op, 1));
    *found = true;
    return IO_DONE;
}

static io_status pages_put(struct fts_erase *e, struct fts_table *x, struct op *op)
{
    for (; e->page_next < e->page_count; e->page_next++) {
        const struct fts_buffer *b = &e->pages[e->page_next];
        s64 id = ((s64)e->iter.segment.id << FTS_PAGE_BITS) + e->iter.page_no + e->page_next;
        if (!e->put) IO_TRY(fts_sql_take(x, op, FTS_SQL_DATA_PUT, &e->put));
        if (!skerry_stmt_busy(e->put) &&
            (skerry_bind_integer(e->put, 1, id) || skerry_bind_blob(e->put, 2, b->data, b->size)))
            return fts_no_memory(op);
        x->generation++;
        bool row;
        IO_TRY(fts_sql_step(e->put, op, &row));
    }
    return IO_DONE;
}

static io_status segment_erase(struct fts_erase *e, struct fts_table *x, struct op *op, struct fts_segment *g,
                               const u8 *term, u32 size, s64 rowid)
{
    if (!e->page_count) {
        bool found, indexed = false;
        IO_TRY(entry_find(e, op, term, size, rowid, &found));
        if (!found) return IO_DONE;
        bool begins = be16_get(e->iter.pages[0].data) || e->iter.page_count > 1;
        if (begins) IO_TRY(doclist_index_find(e, x, op, &indexed));
        if (indexed || !entry_cut(e)) {
            g->rewrite = true;
            return IO_DONE;
        }
    }
    return pages_put(e, x, op);
}

// Segments with erased entries are not for readers of version 4.
static io_status version_raise(struct fts_erase *e, struct fts_table *x, struct op *op)
{
    if (x->version != FTS_VERSION) return IO_DONE;
    if (!e->version_put) IO_TRY(fts_sql_take(x, op, FTS_SQL_CONFIG_PUT, &e->version_put));
    static const char key[] = "version";
    if (!skerry_stmt_busy(e->version_put) &&
        (skerry_bind_text(e->version_put, 1, key, sizeof key - 1) || skerry_bind_integer(e->version_put, 2, FTS_VERSION + 1)))
        return fts_no_memory(op);
    bool row;
    IO_TRY(fts_sql_step(e->version_put, op, &row));
    x->version = FTS_VERSION + 1;
    return IO_DONE;
}

io_status fts_erase_entry(struct fts_erase *e, struct fts_table *x, struct op *op, struct fts_structure *s, const u8 *term,
                          u32 size, s64 rowid)
{
    IO_TRY(version_raise(e, x, op));
    while (e->level < s->level_count) {
        const struct fts_level *l = &s->levels[e->level];
        if (e->segment == l->count) {
            e->segment = 0;
            e->level++;
            continue;
        }
        struct fts_segment *g = &l->segments[e->segment];
        if (!e->open) fts_iter_init(&e->iter, x, g);
        e->open = true;
        if (!g->rewrite) IO_TRY(segment_erase(e, x, op, g, term, size, rowid));
        fts_iter_free(&e->iter);
        e->open = false;
        e->page_count = e->page_next = 0;
        e->segment++;
    }
    e->level = 0;
    return IO_DONE;
}
