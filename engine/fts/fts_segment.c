// Reading one segment. An iterator's place changes only when all that the next place needs is in memory: the pages from
// the one it stands on up to that place are kept, and a call that met a wait starts over from the old place.
#include "fts_internal.h"

void fts_iter_init(struct fts_iter *i, struct fts_table *x, const struct fts_segment *segment)
{
    *i = (struct fts_iter){.table = x, .segment = *segment, .bare = x->config->detail == FTS_DETAIL_NONE};
}

static void pages_drop(struct fts_iter *i, u32 count)
{
    // Their memory goes to the end, for the pages to come.
    for (; count; count--) {
        struct fts_page first = i->pages[0];
        memmove(i->pages, i->pages + 1, (i->page_capacity - 1) * sizeof *i->pages);
        i->pages[i->page_capacity - 1] = first;
        i->page_count--;
    }
}

void fts_iter_free(struct fts_iter *i)
{
    for (u32 k = 0; k < i->page_capacity; k++) free(i->pages[k].data);
    free(i->pages);
    fts_buffer_free(&i->term);
    fts_reader_free(&i->reader);
    for (u32 k = 0; i->tombstones && k < i->segment.tombstone_pages; k++) fts_buffer_free(&i->tombstones[k]);
    free(i->tombstones);
    i->tombstones = NULL;
    i->pages = NULL;
    i->page_count = i->page_capacity = 0;
    i->valid = false;
}

static io_status page_fill(struct fts_iter *i, struct op *op, struct fts_page *p, const u8 *bytes, u32 size)
{
    if (p->capacity < size) {
        u8 *data = realloc(p->data, size);
        if (!data) return fts_no_memory(op);
        p->data = data;
        p->capacity = size;
    }
    memcpy(p->data, bytes, size);
    p->size = size;
    p->leaf_size = be16_get(p->data + 2);
    if (p->leaf_size < 4 || p->leaf_size > size) return fts_corrupt(op, i->table, "a page of the index is damaged");
    return IO_DONE;
}

static io_status page_get(struct fts_iter *i, struct op *op, u32 page_no, const u8 **bytes, u32 *size)
{
    bool found;
    s64 id = ((s64)i->segment.id << FTS_PAGE_BITS) + page_no;
    IO_TRY(fts_block_read(i->table, op, &i->reader, FTS_SHADOW_DATA, id, bytes, size, &found));
    if (found && *size >= 4) return IO_DONE;
    return IO_ERROR(&op->err, ERR_CORRUPT_VTAB, "fts5: corruption found reading blob %lld from table \"%s\"", (long long)id,
                    i->table->config->name);
}

io_status fts_iter_page(struct fts_iter *i, struct op *op, u32 k)
{
    while (i->page_count <= k) {
        if (i->page_count == i->page_capacity) {
            u32 capacity = i->page_capacity ? i->page_capacity * 2 : 2;
            struct fts_page *grown = realloc(i->pages, capacity * sizeof *grown);
            if (!grown) return fts_no_memory(op);
            memset(grown + i->page_capacity, 0, (capacity - i->page_capacity) * sizeof *grown);
            i->pages = grown;
            i->page_capacity = capacity;
        }
        const u8 *bytes;
        u32 size;
        IO_TRY(page_get(i, op, i->page_no + i->page_count, &bytes, &size));
        IO_TRY(page_fill(i, op, &i->pages[i->page_count], bytes, size));
        i->page_count++;
    }
    return IO_DONE;
}

static bool page_is_last(const struct fts_iter *i, u32 k) { return i->page_no + k >= i->segment.last; }

bool fts_page_term_first(const struct fts_page *p, u32 *offset, u32 *footer)
{
    *offset = *footer = p->leaf_size;
    if (p->size == p->leaf_size) return true;
    u64 v;
    u32 n = varint_get_checked(p->data + p->leaf_size, p->data + p->size, &v);
    if (!n || v < 4 || v >= p->leaf_size) return false;
    *offset = (u32)v;
    *footer = p->leaf_size + n;
    return true;
}

bool fts_page_term_next(const struct fts_page *p, u32 term, u32 *offset, u32 *footer)
{
    *offset = p->leaf_size;
    if (*footer >= p->size) return true;
    u64 v;
    u32 n = varint_get_checked(p->data + *footer, p->data + p->size, &v);
    if (!n || v == 0 || v > p->leaf_size || term + v >= p->leaf_size) return false;
    *offset = term + (u32)v;
    *footer += n;
    return true;
}

// ---- entries ---------------------------------------------------------------------------------------------------------

struct entry {
    u32 page, at; // behind its head
    s64 rowid;
    bool deleted;
    u32 positions_size;
};

// The head of an entry at `at` of a page; `base`: the rowid before, or NULL where it stands as it is. Leaves `page` alone.
static inline __attribute__((always_inline)) bool entry_decode(const u8 *data, bool none, u32 at, u32 end, const s64 *base,
                                                               struct entry *e)
{
    const u8 *p = data + at, *limit = data + end;
    u64 v, head;
    u32 n = varint_get_checked(p, limit, &v);
    if (!n) return false;
    p += n;
    if (none) {
        e->deleted = p < limit && *p == 0;
        e->positions_size = !e->deleted;
        if (e->deleted) {
            p++;
            if (p < limit && *p == 0) {
                p++;
                e->positions_size = 1;
            }
        }
    } else {
        n = varint_get_checked(p, limit, &head);
        if (!n || head / 2 > VALUE_SIZE_MAX) return false;
        p += n;
        e->deleted = head & 1;
        e->positions_size = (u32)(head / 2);
    }
    e->rowid = base ? (s64)((u64)*base + v) : (s64)v;
    e->at = (u32)(p - data);
    return true;
}

static bool entry_on(const struct fts_iter *i, u32 page, u32 at, u32 end, const s64 *base, struct entry *e)
{
    e->page = page;
    return entry_decode(i->pages[page].data, i->table->config->detail == FTS_DETAIL_NONE, at, end, base, e);
}

static void entry_take(struct fts_iter *i, const struct entry *e)
{
    if (e->page) {
        pages_drop(i, e->page);
        i->page_no += e->page;
    }
    i->rowid = e->rowid;
    i->deleted = e->deleted;
    i->positions_size = e->positions_size;
    i->positions_at = e->at;
    i->valid = true;
    i->term_ended = false;
}

static io_status damaged(struct fts_iter *i, struct op *op) { return fts_corrupt(op, i->table, "the index is damaged"); }

// Moves (page, at) over `size` bytes of positions, which go on over pages.
static io_status skip(struct fts_iter *i, struct op *op, u32 *page, u32 *at, u32 size)
{
    while (size > i->pages[*page].leaf_size - *at) {
        size -= i->pages[*page].leaf_size - *at;
        if (page_is_last(i, *page)) return damaged(i, op);
        ++*page;
        IO_TRY(fts_iter_page(i, op, *page));
        *at = 4;
    }
    *at += size;
    return IO_DONE;
}

static u32 stored_size(const struct fts_iter *i)
{
    return i->bare ? 0 : i->positions_size;
}

// Where the doclist goes on, or ends, behind (page, at): *end is the end of the doclist's part in that page.
static io_status continuation(struct fts_iter *i, struct op *op, u32 *page, u32 *at, u32 *end, bool *ended)
{
    *ended = false;
    for (;;) {
        const struct fts_page *p = &i->pages[*page];
        u32 footer;
        if (*page == 0)
            *end = i->term_next;
        else if (!fts_page_term_first(p, end, &footer))
            return damaged(i, op);
        if (*at < *end) return IO_DONE;
        if (*at > *end) return damaged(i, op);
        if (*end < p->leaf_size || page_is_last(i, *page)) {
            *ended = true;
            return IO_DONE;
        }
        ++*page;
        IO_TRY(fts_iter_page(i, op, *page));
        *at = 4;
    }
}

// To the next entry and on to the first whose rowid is at least that, as far as they are on the same page, as nearly all
// are. Whether it is there.
static bool forward_here(struct fts_iter *i, s64 rowid)
{
    do {
        if (fts_iter_forward_short(i, rowid)) return true;
        const u8 *data = i->pages[0].data;
        u32 size = i->bare ? 0 : i->positions_size, at = i->positions_at;
        if (size > i->pages[0].leaf_size - at || at + size >= i->term_next || at + size == be16_get(data)) return false;
        struct entry e;
        if (!entry_decode(data, i->bare, at + size, i->term_next, &i->rowid, &e)) return false;
        i->rowid = e.rowid;
        i->deleted = e.deleted;
        i->positions_size = e.positions_size;
        i->positions_at = e.at;
    } while (i->rowid < rowid);
    return true;
}

io_status fts_iter_next_far(struct fts_iter *i, struct op *op)
{
    ASSERT(i->valid);
    if (i->positions_at + (u64)stored_size(i) == i->term_next && i->term_next < i->pages[0].leaf_size) {
        i->valid = false;
        i->term_ended = true;
        return IO_DONE;
    }
    if (LIKELY(forward_here(i, INT64_MIN))) return IO_DONE;
    u32 page = 0, at = i->positions_at, end;
    bool ended;
    IO_TRY(skip(i, op, &page, &at, stored_size(i)));
    IO_TRY(continuation(i, op, &page, &at, &end, &ended));
    if (ended) {
        i->valid = false;
        i->term_ended = true;
        return IO_DONE;
    }
    struct entry e;
    bool absolute = at == be16_get(i->pages[page].data);
    if (!entry_on(i, page, at, end, absolute ? NULL : &i->rowid, &e)) return damaged(i, op);
    if (page) {
        u32 next, footer;
        if (!fts_page_term_first(&i->pages[page], &next, &footer)) return damaged(i, op);
        i->term_next = next;
        i->footer_at = footer;
        i->term_first = true;
    }
    entry_take(i, &e);
    return IO_DONE;
}

// ---- terms -------------------------------------------------------------------------------------------------------------

// The term that starts at `at` of pages[page] and its first entry. `first`: of the page; others share a prefix with
// i->term.
static io_status term_read(struct fts_iter *i, struct op *op, u32 page, u32 at, u32 footer, bool first)
{
    const struct fts_page *p = &i->pages[page];
    const u8 *limit = p->data + p->leaf_size;
    u64 prefix = 0, size;
    u32 n, begin = at, next;
    if (!first) {
        if (!(n = varint_get_checked(p->data + at, limit, &prefix)) || prefix > i->term.size) return damaged(i, op);
        at += n;
    }
    if (!(n = varint_get_checked(p->data + at, limit, &size)) || size > p->leaf_size - at - n) return damaged(i, op);
    at += n;
    // Its doclist ends where the next term starts.
    if (!fts_page_term_next(p, begin, &next, &footer)) return damaged(i, op);
    u32 term_at = at, end = next, entry_page = page, start = at + (u32)size;
    struct entry e;
    if (start == p->leaf_size) {
        // Its doclist starts on a later page: 'secure-delete' leaves empty ones.
        do {
            if (page_is_last(i, entry_page)) return damaged(i, op);
            IO_TRY(fts_iter_page(i, op, ++entry_page));
            if (!fts_page_term_first(&i->pages[entry_page], &end, &footer)) return damaged(i, op);
        } while (i->pages[entry_page].leaf_size == 4);
        p = &i->pages[page]; // the array may have moved
        start = 4;
        next = end;
    }
    if (!entry_on(i, entry_page, start, end, NULL, &e)) return damaged(i, op);
    if (!fts_buffer_reserve(&i->term, size + sizeof i->term_head)) return fts_no_memory(op);
    i->term.size = (u32)prefix;
    (void)fts_buffer_add(&i->term, p->data + term_at, (u32)size);
    memset(i->term.data + i->term.size, 0, sizeof i->term_head);
    i->term_head = be64_get(i->term.data);
    i->term_next = next;
    i->footer_at = footer;
    i->term_first = entry_page != page;
    i->doclist_last = 0;
    entry_take(i, &e);
    return IO_DONE;
}

// From page `page` on: the first term of the first page that has one.
static io_status term_on_page(struct fts_iter *i, struct op *op, u32 page)
{
    for (;; page++) {
        IO_TRY(fts_iter_page(i, op, page));
        u32 at, footer;
        if (!fts_page_term_first(&i->pages[page], &at, &footer)) return damaged(i, op);
        if (at < i->pages[page].leaf_size) return term_read(i, op, page, at, footer, true);
        if (page_is_last(i, page)) break;
        if (page) {
            // Nothing on it is wanted: a long doclist is not kept in memory.
            pages_drop(i, page);
            i->page_no += page;
            i->term_next = i->pages[0].leaf_size;
            i->footer_at = i->pages[0].size;
            page = 0;
        }
    }
    i->valid = false;
    i->term_ended = false;
    return IO_DONE;
}

io_status fts_iter_next_term(struct fts_iter *i, struct op *op)
{
    if (i->term_next < i->pages[0].leaf_size)
        return term_read(i, op, 0, i->term_next, i->footer_at, i->term_first);
    if (page_is_last(i, 0)) {
        i->valid = i->term_ended = false;
        return IO_DONE;
    }
    return term_on_page(i, op, 1);
}

static void to_page(struct fts_iter *i, u32 page_no)
{
    if (i->page_no == page_no && i->page_count) return;
    i->page_no = page_no;
    i->page_count = 0;
    i->term.size = 0;
}

io_status fts_iter_first(struct fts_iter *i, struct op *op)
{
    i->valid = false;
    if (fts_segment_emptied(&i->segment)) return IO_DONE;
    to_page(i, i->segment.first);
    return term_on_page(i, op, 0);
}

// The page of NAME_idx's last entry at or before the term (`behind`: of the first one behind it), 0 when there is none.
static io_status page_of_term(struct fts_iter *i, struct op *op, const u8 *term, u32 size, bool behind, u32 *page)
{
    struct fts_table *x = i->table;
    const struct database *d = &x->db->databases[x->database];
    const struct table *t = fts_shadow_table(x, FTS_SHADOW_IDX);
    if (!t || !t->primary_key) return fts_corrupt(op, x, "NAME_idx is missing");
    static const struct collation *const collations[2] = {NULL, NULL};
    u8 orders[2] = {0, 0};
    struct key_info info = {.field_count = 2, .all_count = 2, .encoding = connection_encoding(x->db),
                            .collations = (const struct collation **)(uintptr_t)collations, .orders = orders};
    struct value key[2];
    value_init(&key[0]);
    value_init(&key[1]);
    value_set_integer(&key[0], i->segment.id);
    value_borrow_blob(&key[1], term, size);
    struct search_key search = {.info = &info, .values = key, .count = 2, .default_result = -1};
    struct cursor c;
    cursor_init(&c, d->txn, t->root, &info, false);
    int compare = 0;
    io_status status = cursor_seek_key(&c, op, &search, &compare);
    if (status == IO_DONE && cursor_valid(&c) && behind && compare <= 0) status = cursor_next(&c, op);
    if (status == IO_DONE && cursor_valid(&c) && !behind && compare > 0) status = cursor_previous(&c, op);
    *page = 0;
    u8 record[64];
    if (status == IO_DONE && cursor_valid(&c)) status = cursor_entry(&c, op);
    if (status == IO_DONE && cursor_valid(&c)) {
        u64 record_bytes = c.payload_size;
        u8 *bytes = record_bytes <= sizeof record ? record : malloc(record_bytes);
        if (!bytes) status = fts_no_memory(op);
        if (status == IO_DONE) status = cursor_read(&c, op, 0, record_bytes, bytes);
        if (status == IO_DONE) {
            struct value fields[3];
            u32 count = 0;
            for (u32 k = 0; k < 3; k++) value_init(&fields[k]);
            if (record_decode(bytes, record_bytes, info.encoding, fields, 3, &count, &op->err) != ERR_OK)
                status = IO_FAIL;
            else if (count == 3 && value_to_integer(&fields[0]) == i->segment.id)
                *page = (u32)(value_to_integer(&fields[2]) >> 1);
            for (u32 k = 0; k < 3; k++) value_deinit(&fields[k]);
        }
        if (bytes != record) free(bytes);
    }
    cursor_deinit(&c);
    return status;
}

// From the beginning of pages[0] to the first term >= `term` of that page, or of a page that follows. Terms before it are
// passed by what they share with each other: `same` is what the last one, of last_size bytes, shares with the one wanted.
static io_status page_seek(struct fts_iter *i, struct op *op, const u8 *term, u32 size)
{
    IO_TRY(fts_iter_page(i, op, 0));
    const struct fts_page *p = &i->pages[0];
    const u8 *limit = p->data + p->leaf_size;
    u32 at, footer, next, same = 0, last_size = 0;
    if (!fts_page_term_first(p, &at, &footer)) return damaged(i, op);
    i->valid = false;
    for (bool first = true; at < p->leaf_size; first = false, at = next) {
        const u8 *t = p->data + at;
        u64 prefix = 0, rest;
        u32 n, footer_here = footer;
        if (!first) {
            if (!(n = varint_get_checked(t, limit, &prefix)) || prefix > last_size) return damaged(i, op);
            t += n;
        }
        if (!(n = varint_get_checked(t, limit, &rest)) || rest > (u64)(limit - t) - n) return damaged(i, op);
        t += n;
        last_size = (u32)(prefix + rest);
        bool behind = prefix < same;
        if (prefix == same) {
            u32 common = 0, most = (u32)MIN(rest, size - same);
            while (common < most && t[common] == term[same + common]) common++;
            behind = common < most ? t[common] > term[same + common] : same + common == size;
            if (!behind) same += common;
        }
        if (behind) {
            i->term.size = 0;
            if (!fts_buffer_add(&i->term, term, (u32)prefix)) return fts_no_memory(op);
            return term_read(i, op, 0, at, footer_here, first);
        }
        if (!fts_page_term_next(p, at, &next, &footer)) return damaged(i, op);
    }
    i->term.size = 0;
    if (!page_is_last(i, 0)) return term_on_page(i, op, 1);
    i->term_ended = false;
    return IO_DONE;
}

static int term_compare(const struct fts_buffer *a, const u8 *b, u32 size)
{
    int k = a->size && size ? memcmp(a->data, b, MIN(a->size, size)) : 0;
    return k ? k : a->size < size ? -1 : a->size > size;
}

io_status fts_iter_seek(struct fts_iter *i, struct op *op, const u8 *term, u32 size)
{
    if (fts_segment_emptied(&i->segment)) {
        i->valid = false;
        return IO_DONE;
    }
    // A seek that met a wait goes on from the term that it had reached, when that is still before the one wanted.
    if (!i->valid || term_compare(&i->term, term, size) >= 0) {
        u32 page;
        IO_TRY(page_of_term(i, op, term, size, false, &page));
        if (page > i->segment.last) return damaged(i, op);
        to_page(i, MAX(page, i->segment.first));
        IO_TRY(page_seek(i, op, term, size));
    }
    while (i->valid && term_compare(&i->term, term, size) < 0) IO_TRY(fts_iter_next_term(i, op));
    return IO_DONE;
}

// The first rowid of a page that has nothing but a part of a doclist; false: it has other things, or no rowid.
static bool page_rowid(const u8 *bytes, u32 size, s64 *rowid)
{
    u32 at = be16_get(bytes), leaf_size = be16_get(bytes + 2);
    u64 v;
    if (at < 4 || at >= leaf_size || leaf_size != size) return false;
    if (!varint_get_checked(bytes + at, bytes + leaf_size, &v)) return false;
    *rowid = (s64)v;
    return true;
}

// On over the pages of a long doclist to the last one that begins at or before the rowid.
static io_status pages_skip(struct fts_iter *i, struct op *op, s64 rowid)
{
    if (!i->doclist_last) {
        u32 page;
        IO_TRY(page_of_term(i, op, i->term.data, i->term.size, true, &page));
        i->doclist_last = page ? page - 1 : i->segment.last;
    }
    u32 low = i->page_no, high = MIN(i->doclist_last, i->segment.last) + 1, size;
    const u8 *bytes;
    s64 first;
    for (u32 step = 1; low + 1 < high; step = step ? step * 2 : 0) {
        u32 middle = step && step < high - low ? low + step : low + (high - low) / 2;
        IO_TRY(page_get(i, op, middle, &bytes, &size));
        if (page_rowid(bytes, size, &first) && first <= rowid) {
            low = middle;
        } else {
            high = middle;
            step = 0; // they are between these from now on
        }
    }
    if (low == i->page_no) return IO_DONE;
    IO_TRY(page_get(i, op, low, &bytes, &size));
    IO_TRY(page_fill(i, op, &i->pages[0], bytes, size));
    i->page_no = low;
    i->page_count = 1;
    struct entry e;
    if (!entry_on(i, 0, be16_get(bytes), i->pages[0].leaf_size, NULL, &e)) return damaged(i, op);
    i->term_next = i->footer_at = i->pages[0].leaf_size;
    i->term_first = true;
    entry_take(i, &e);
    return IO_DONE;
}

io_status fts_iter_forward(struct fts_iter *i, struct op *op, s64 rowid)
{
    while (i->valid && i->rowid < rowid) {
        if (forward_here(i, rowid)) break;
        u32 page_no = i->page_no;
        IO_TRY(fts_iter_next(i, op));
        // Where a whole page was passed there may be more to come.
        if (i->valid && i->rowid < rowid && i->page_no != page_no && !forward_here(i, rowid) &&
            i->term_next == i->pages[0].leaf_size)
            IO_TRY(pages_skip(i, op, rowid));
    }
    return IO_DONE;
}

io_status fts_iter_positions_long(struct fts_iter *i, struct op *op, struct fts_buffer *scratch, const u8 **out)
{
    ASSERT(i->valid);
    u32 page = 0, at = i->positions_at, size = stored_size(i);
    if (LIKELY(size <= i->pages[0].leaf_size - at)) {
        *out = i->pages[0].data + at;
        return IO_DONE;
    }
    IO_TRY(skip(i, op, &page, &at, size)); // all of it is in memory now
    scratch->size = 0;
    if (!fts_buffer_reserve(scratch, size)) return fts_no_memory(op);
    page = 0;
    at = i->positions_at;
    while (size) {
        u32 here = MIN(size, i->pages[page].leaf_size - at);
        (void)fts_buffer_add(scratch, i->pages[page].data + at, here);
        size -= here;
        page++;
        at = 4;
    }
    *out = scratch->data;
    return IO_DONE;
}
