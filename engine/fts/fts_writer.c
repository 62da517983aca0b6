// Writing a segment: terms in order, with their entries in order. Full pages queue in memory until they are drained.
#include "fts_internal.h"

void fts_writer_init(struct fts_writer *w, struct fts_table *x, u32 segment)
{
    *w = (struct fts_writer){.table = x, .segment = segment, .page_size = x->settings.page_size, .page_no = 1,
                             .index_page = 1, .first_term_in_page = true, .first_rowid_in_page = true};
}

void fts_writer_free(struct fts_writer *w)
{
    while (w->out_first) {
        struct fts_out_page *p = w->out_first;
        w->out_first = p->next;
        free(p);
    }
    fts_buffer_free(&w->page);
    fts_buffer_free(&w->footer);
    fts_buffer_free(&w->term);
    fts_buffer_free(&w->separator);
    fts_sql_give(w->table, FTS_SQL_DATA_PUT, &w->put);
    fts_sql_give(w->table, FTS_SQL_IDX_PUT, &w->put_index);
}

static bool queue(struct fts_writer *w, bool index, s64 id, const struct fts_buffer *bytes)
{
    struct fts_out_page *p = malloc(sizeof *p + bytes->size);
    if (!p) return false;
    *p = (struct fts_out_page){.index = index, .id = id, .size = bytes->size};
    if (bytes->size) memcpy(p->bytes, bytes->data, bytes->size);
    if (w->out_last)
        w->out_last->next = p;
    else
        w->out_first = p;
    w->out_last = p;
    return true;
}

static bool page_begin(struct fts_writer *w)
{
    static const u8 head[4];
    w->page.size = w->footer.size = 0;
    w->footer_last = 0;
    w->first_term_in_page = w->first_rowid_in_page = true;
    return fts_buffer_add(&w->page, head, sizeof head);
}

static bool page_end(struct fts_writer *w)
{
    be16_put(w->page.data + 2, (u16)w->page.size);
    bool ok = fts_buffer_add(&w->page, w->footer.data, w->footer.size) &&
              queue(w, false, ((s64)w->segment << FTS_PAGE_BITS) + w->page_no, &w->page);
    w->page_no++;
    w->pages_written++;
    return ok && page_begin(w);
}

static bool index_end(struct fts_writer *w)
{
    if (!w->index_page) return true;
    bool ok = queue(w, true, (s64)w->index_page << 1, &w->separator);
    w->index_page = 0;
    return ok;
}

static u32 shared_prefix(const struct fts_buffer *a, const u8 *b, u32 size)
{
    u32 n = 0, max = MIN(a->size, size);
    while (n < max && a->data[n] == b[n]) n++;
    return n;
}

// Few bytes, mostly.
static inline u8 *bytes_append(u8 *to, const u8 *from, u32 size)
{
    if (size > 16) {
        memcpy(to, from, size);
    } else if (size >= 8) {
        u64 first, last;
        memcpy(&first, from, 8);
        memcpy(&last, from + size - 8, 8);
        memcpy(to, &first, 8);
        memcpy(to + size - 8, &last, 8);
    } else {
        for (u32 i = 0; i < size; i++) to[i] = from[i];
    }
    return to + size;
}

static bool page_full(const struct fts_writer *w, u32 more)
{
    return w->page.size + w->footer.size + more >= w->page_size;
}

bool fts_writer_term(struct fts_writer *w, const u8 *term, u32 size)
{
    if (!w->page.size && !page_begin(w)) return false;
    if (page_full(w, size + 2) && w->page.size > 4 && !page_end(w)) return false;
    if (!fts_buffer_varint(&w->footer, w->page.size - w->footer_last)) return false;
    w->footer_last = w->page.size;
    u32 shared = shared_prefix(&w->term, term, size);
    if (!fts_buffer_reserve(&w->page, size + 10ull)) return false;
    u8 *p = w->page.data + w->page.size;
    if (w->first_term_in_page) {
        if (w->page_no != 1) {
            // The shortest text that tells this page from the one before.
            if (!index_end(w)) return false;
            w->separator.size = 0;
            if (!fts_buffer_add(&w->separator, term, w->term.size ? MIN(shared + 1, size) : size)) return false;
            w->index_page = w->page_no;
        }
        p += varint_put(p, size);
        p = bytes_append(p, term, size);
    } else {
        p += varint_put(p, shared);
        p += varint_put(p, size - shared);
        p = bytes_append(p, term + shared, size - shared);
    }
    w->page.size = (u32)(p - w->page.data);
    if (!fts_buffer_reserve(&w->term, size)) return false;
    bytes_append(w->term.data + shared, term + shared, size - shared);
    w->term.size = size;
    w->first_term_in_page = w->first_rowid_in_page = false;
    w->first_rowid_in_doclist = true;
    return true;
}

// As many whole varints of the list as fit, but at least one.
static u32 whole_varints(const u8 *bytes, u32 size, u32 space)
{
    u32 used = 0;
    while (used < size) {
        u64 v;
        u32 n = varint_get_checked(bytes + used, bytes + size, &v);
        if (!n) return size;
        if (used && used + n > space) break;
        used += n;
    }
    return used;
}

bool fts_writer_entry(struct fts_writer *w, s64 rowid, bool deleted, const u8 *positions, u32 size)
{
    bool none = w->table->config->detail == FTS_DETAIL_NONE;
    if (page_full(w, 0) && !page_end(w)) return false;
    bool as_it_is = w->first_rowid_in_doclist || w->first_rowid_in_page;
    if (w->first_rowid_in_page) be16_put(w->page.data, (u16)w->page.size);
    if (!fts_buffer_varint(&w->page, as_it_is ? (u64)rowid : (u64)rowid - (u64)w->rowid)) return false;
    w->rowid = rowid;
    w->first_rowid_in_doclist = w->first_rowid_in_page = false;
    if (none) {
        static const u8 marks[2];
        return !deleted || fts_buffer_add(&w->page, marks, size ? 2 : 1);
    }
    if (!fts_buffer_varint(&w->page, size * 2ull + deleted)) return false;
    while (size) {
        u32 used = w->page.size + w->footer.size, space = used < w->page_size ? w->page_size - used : 0;
        u32 n = size <= space ? size : whole_varints(positions, size, space);
        if (n > space && space < 16 && w->page.size > 4) {
            if (!page_end(w)) return false;
            continue;
        }
        if (!fts_buffer_add(&w->page, positions, n)) return false;
        positions += n;
        size -= n;
        if (size && !page_end(w)) return false;
    }
    return true;
}

bool fts_writer_run(struct fts_writer *w, s64 rowid, bool deleted, const u8 *positions, u32 size, const struct fts_run *last)
{
    struct fts_buffer *b = &w->page;
    u32 all = (u32)(last->end - positions);
    ASSERT(all <= fts_writer_room(w));
    if (!fts_buffer_reserve(b, w->page_size - b->size)) return false;
    bool as_it_is = w->first_rowid_in_doclist || w->first_rowid_in_page;
    if (w->first_rowid_in_page) be16_put(b->data, (u16)b->size);
    u8 *p = b->data + b->size;
    p += varint_put(p, as_it_is ? (u64)rowid : (u64)rowid - (u64)w->rowid);
    p += varint_put(p, size * 2ull + deleted);
    p = bytes_append(p, positions, all);
    b->size = (u32)(p - b->data);
    w->rowid = last->rowid;
    w->first_rowid_in_doclist = w->first_rowid_in_page = false;
    return true;
}

bool fts_writer_finish(struct fts_writer *w)
{
    if (w->page.size > 4 && !page_end(w)) return false;
    return w->page_no == 1 || index_end(w);
}

io_status fts_writer_drain(struct fts_writer *w, struct op *op)
{
    while (w->out_first) {
        struct fts_out_page *p = w->out_first;
        struct skerry_stmt **s = p->index ? &w->put_index : &w->put;
        if (!*s) IO_TRY(fts_sql_take(w->table, op, p->index ? FTS_SQL_IDX_PUT : FTS_SQL_DATA_PUT, s));
        if (!skerry_stmt_busy(*s)) {
            int code = skerry_bind_integer(*s, 1, p->index ? (s64)w->segment : p->id);
            if (!code) code = skerry_bind_blob(*s, 2, p->bytes, p->size);
            if (!code && p->index) code = skerry_bind_integer(*s, 3, p->id);
            if (code) return fts_no_memory(op);
        }
        bool row;
        IO_TRY(fts_sql_step(*s, op, &row));
        w->out_first = p->next;
        if (!w->out_first) w->out_last = NULL;
        free(p);
    }
    return IO_DONE;
}
