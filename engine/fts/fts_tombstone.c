// Rows that are gone from a table whose texts nobody keeps (contentless_delete=1). Their terms cannot be found to be
// deleted one by one, so each segment has a hash of rowids that no longer count, until it is merged. NAME_docsize tells
// of each row the origin, a number that counts segments as they are flushed; a segment has those from one to another.
//
// The hash is in pages (segment + 65536) << 37 | page, a rowid in page rowid % pages:
//   u8 size of a key, 4 or 8; u8 1: rowid 0 is gone (page 0); u16 0; u32 keys; slots: rowids, 0: free
// It is at most half full; a key's first slot is (rowid / pages) % slots, then those that follow.
#include "fts_internal.h"

#define SLOTS_MIN 32u

enum page_add { ADD_DONE, ADD_FULL, ADD_WIDER };

static u32 key_size(const u8 *page) { return page[0] == 4 ? 4 : 8; }
static u32 slot_count(const u8 *page, u32 size) { return (size - 8) / key_size(page); }

static u64 slot_get(const u8 *page, u32 slot)
{
    return page[0] == 4 ? be32_get(page + 8 + slot * 4) : be64_get(page + 8 + slot * 8);
}

// The slot of the rowid, or the free one where it would be; the count of slots: neither.
static u32 slot_find(const u8 *page, u32 size, u32 pages, u64 rowid)
{
    u32 count = slot_count(page, size), slot = (u32)(rowid / pages % count);
    for (u32 i = 0; i < count; i++) {
        u64 key = slot_get(page, slot);
        if (key == rowid || !key) return slot;
        slot = (slot + 1) % count;
    }
    return count;
}

static bool page_has(const u8 *page, u32 size, u32 pages, u64 rowid)
{
    if (!rowid) return page[1] != 0;
    u32 slot = slot_find(page, size, pages, rowid);
    return slot < slot_count(page, size) && slot_get(page, slot) == rowid;
}

static enum page_add page_put(u8 *page, u32 size, u32 pages, u64 rowid, bool force)
{
    if (key_size(page) == 4 && rowid > UINT32_MAX) return ADD_WIDER;
    if (!rowid) {
        page[1] = 1;
        return ADD_DONE;
    }
    u32 keys = be32_get(page + 4), count = slot_count(page, size);
    if (!force && keys >= count / 2) return ADD_FULL;
    u32 slot = slot_find(page, size, pages, rowid);
    if (slot == count) return ADD_FULL;
    be32_put(page + 4, keys + 1);
    if (key_size(page) == 4)
        be32_put(page + 8 + slot * 4, (u32)rowid);
    else
        be64_put(page + 8 + slot * 8, rowid);
    return ADD_DONE;
}

static s64 page_id(const struct fts_segment *g, u32 page) { return (((s64)g->id + FTS_TOMBSTONE_IDS) << FTS_PAGE_BITS) + page; }

// Reads a page into *out, which is empty before.
static io_status page_read(struct fts_table *x, struct op *op, struct fts_reader *reader, const struct fts_segment *g,
                           u32 page, struct fts_buffer *out)
{
    const u8 *bytes;
    u32 size;
    bool found;
    IO_TRY(fts_block_read(x, op, reader, FTS_SHADOW_DATA, page_id(g, page), &bytes, &size, &found));
    if (!found || size < 16) return fts_corrupt(op, x, "a page of deleted rows is damaged");
    return fts_buffer_add(out, bytes, size) ? IO_DONE : fts_no_memory(op);
}

io_status fts_tombstone_find(struct fts_iter *i, struct op *op, bool *found)
{
    const struct fts_segment *g = &i->segment;
    *found = false;
    if (!g->tombstone_pages) return IO_DONE;
    if (!i->tombstones) {
        i->tombstones = calloc(g->tombstone_pages, sizeof *i->tombstones);
        if (!i->tombstones) return fts_no_memory(op);
    }
    u32 page = (u32)((u64)i->rowid % g->tombstone_pages);
    struct fts_buffer *b = &i->tombstones[page];
    if (!b->size) IO_TRY(page_read(i->table, op, &i->reader, g, page, b));
    *found = page_has(b->data, b->size, g->tombstone_pages, (u64)i->rowid);
    return IO_DONE;
}

// ---- adding one --------------------------------------------------------------------------------------------------------

enum tombstone_step { TOMBSTONE_STRUCTURE, TOMBSTONE_READ, TOMBSTONE_WRITE, TOMBSTONE_STRUCTURE_PUT };

struct fts_tombstone {
    struct fts_table *table;
    enum tombstone_step step;
    struct fts_reader reader;
    struct fts_structure structure;
    bool counted;      // in one segment: it is one row
    u32 level, at;     // the segment under way
    u32 first, count;  // the pages in hand: of the hash as it is, or as it shall be written
    u32 written;
    struct fts_buffer *pages;
    bool whole;        // all pages of the segment must be read
    struct fts_buffer block;
    struct skerry_stmt *put;
};

static void pages_free(struct fts_buffer *pages, u32 count)
{
    for (u32 i = 0; pages && i < count; i++) fts_buffer_free(&pages[i]);
    free(pages);
}

static void pages_drop(struct fts_tombstone *t)
{
    pages_free(t->pages, t->count);
    t->pages = NULL;
    t->count = t->written = 0;
}

void fts_tombstone_free(struct fts_tombstone *t)
{
    if (!t) return;
    pages_drop(t);
    fts_reader_free(&t->reader);
    fts_structure_free(&t->structure);
    fts_buffer_free(&t->block);
    fts_sql_give(t->table, FTS_SQL_DATA_PUT, &t->put);
    free(t);
}

static bool pages_reserve(struct fts_tombstone *t, u32 count)
{
    if (t->pages) return true;
    t->pages = calloc(count, sizeof *t->pages);
    t->count = t->pages ? count : 0;
    return t->pages != NULL;
}

static struct fts_buffer *pages_new(u32 count, u32 slots, u32 key)
{
    struct fts_buffer *pages = calloc(count, sizeof *pages);
    bool ok = pages != NULL;
    for (u32 i = 0; ok && i < count; i++) {
        u32 size = 8 + slots * key;
        ok = fts_buffer_reserve(&pages[i], size);
        if (!ok) break;
        memset(pages[i].data, 0, size);
        pages[i].size = size;
        pages[i].data[0] = (u8)key;
    }
    if (ok) return pages;
    pages_free(pages, count);
    return NULL;
}

// Whether all that the old pages say has a place in the new ones.
static bool pages_move(const struct fts_tombstone *t, struct fts_buffer *to, u32 to_count)
{
    for (u32 i = 0; i < t->count; i++) {
        const struct fts_buffer *p = &t->pages[i];
        if (p->data[1]) to[0].data[1] = p->data[1];
        for (u32 k = 0; k < slot_count(p->data, p->size); k++) {
            u64 key = slot_get(p->data, k);
            if (!key) continue;
            struct fts_buffer *b = &to[key % to_count];
            if (page_put(b->data, b->size, to_count, key, false) != ADD_DONE) return false;
        }
    }
    return true;
}

// A larger hash in place of the pages in hand, which are all that the segment has. False: out of memory.
static bool pages_rebuild(struct fts_tombstone *t, u64 rowid)
{
    u32 key = t->count ? key_size(t->pages[0].data) : 4;
    if (rowid > UINT32_MAX) key = 8;
    u32 slots_max = MAX(SLOTS_MIN, (t->table->settings.page_size - 8) / key), slots = SLOTS_MIN, count = 1;
    if (t->count == 1) slots = MAX(SLOTS_MIN, be32_get(t->pages[0].data + 4) * 4);
    if (t->count > 1 || slots > slots_max) {
        count = t->count * 2 + 1;
        slots = slots_max;
    }
    for (;; count = count * 2 + 1, slots = slots_max) {
        struct fts_buffer *pages = pages_new(count, slots, key);
        if (!pages) return false;
        if (!pages_move(t, pages, count)) {
            pages_free(pages, count);
            continue;
        }
        struct fts_buffer *b = &pages[rowid % count];
        (void)page_put(b->data, b->size, count, rowid, true);
        pages_drop(t);
        t->pages = pages;
        t->count = count;
        return true;
    }
}

static bool segment_next(struct fts_tombstone *t, s64 origin)
{
    for (; t->level < t->structure.level_count; t->level++, t->at = 0)
        for (; t->at < t->structure.levels[t->level].count; t->at++) {
            const struct fts_segment *g = &t->structure.levels[t->level].segments[t->at];
            if (g->origin_first <= (u64)origin && (u64)origin <= g->origin_last) return true;
        }
    return false;
}

// The page that the rowid belongs to takes it, or all pages are made anew.
static io_status segment_read(struct fts_tombstone *t, struct op *op, struct fts_segment *g, u64 rowid)
{
    if (g->tombstone_pages && !t->whole) {
        u32 page = t->first = (u32)(rowid % g->tombstone_pages);
        if (!pages_reserve(t, 1)) return fts_no_memory(op);
        struct fts_buffer *b = &t->pages[0];
        if (!b->size) IO_TRY(page_read(t->table, op, &t->reader, g, page, b));
        if (page_put(b->data, b->size, g->tombstone_pages, rowid, false) == ADD_DONE) return IO_DONE;
        pages_drop(t);
    }
    t->whole = true;
    t->first = 0;
    if (g->tombstone_pages && !pages_reserve(t, g->tombstone_pages)) return fts_no_memory(op);
    for (u32 i = 0; i < g->tombstone_pages; i++)
        if (!t->pages[i].size) IO_TRY(page_read(t->table, op, &t->reader, g, i, &t->pages[i]));
    if (!pages_rebuild(t, rowid)) return fts_no_memory(op);
    g->tombstone_pages = t->count;
    return IO_DONE;
}

static io_status block_put(struct fts_tombstone *t, struct op *op, s64 id, const struct fts_buffer *b)
{
    if (!t->put) IO_TRY(fts_sql_take(t->table, op, FTS_SQL_DATA_PUT, &t->put));
    if (!skerry_stmt_busy(t->put) && (skerry_bind_integer(t->put, 1, id) || skerry_bind_blob(t->put, 2, b->data, b->size)))
        return fts_no_memory(op);
    bool row;
    return fts_sql_step(t->put, op, &row);
}

static io_status steps(struct fts_tombstone *t, struct op *op, s64 origin, s64 rowid)
{
    for (;;) {
        struct fts_segment *g = t->step == TOMBSTONE_READ || t->step == TOMBSTONE_WRITE
                                    ? &t->structure.levels[t->level].segments[t->at]
                                    : NULL;
        switch (t->step) {
        case TOMBSTONE_STRUCTURE:
            IO_TRY(fts_structure_read(t->table, op, &t->reader, &t->structure));
            t->step = segment_next(t, origin) ? TOMBSTONE_READ : TOMBSTONE_STRUCTURE_PUT;
            break;
        case TOMBSTONE_READ:
            IO_TRY(segment_read(t, op, g, (u64)rowid));
            if (!t->counted) g->tombstones++;
            t->counted = true;
            t->step = TOMBSTONE_WRITE;
            break;
        case TOMBSTONE_WRITE:
            for (; t->written < t->count; t->written++)
                IO_TRY(block_put(t, op, page_id(g, t->first + t->written), &t->pages[t->written]));
            pages_drop(t);
            t->whole = false;
            t->at++;
            t->step = segment_next(t, origin) ? TOMBSTONE_READ : TOMBSTONE_STRUCTURE_PUT;
            break;
        case TOMBSTONE_STRUCTURE_PUT:
            if (!t->counted) return IO_DONE;
            if (!t->block.size && !fts_structure_encode(&t->structure, &t->block)) return fts_no_memory(op);
            return block_put(t, op, FTS_ID_STRUCTURE, &t->block);
        }
    }
}

io_status fts_tombstone_add(struct fts_tombstone **job, struct fts_table *x, struct op *op, s64 origin, s64 rowid)
{
    if (!*job) {
        *job = calloc(1, sizeof **job);
        if (!*job) return fts_no_memory(op);
        (*job)->table = x;
    }
    IO_TRY(steps(*job, op, origin, rowid));
    if ((*job)->counted) {
        x->tombstones_changed = true;
        x->generation++;
    }
    fts_tombstone_free(*job);
    *job = NULL;
    return IO_DONE;
}
