// The structure record:
//   u32 cookie; varints: levels, segments, pages written so far; for each level: segments being merged, segments;
//   for each of these: id, first page, last page
// A form for contentless_delete begins with ff 00 00 01 behind the cookie and has more for each segment: the first and
// the last origin of its rows, pages of tombstones, tombstones, rows that were written (fts_tombstone.c).
#include "fts_internal.h"

#define FORM_2 0xff000001u
#define TOMBSTONE_PAGES_MAX (1u << 20)

bool fts_buffer_grow(struct fts_buffer *b, u64 more)
{
    u64 want = b->size + more, capacity = MAX(want, MAX(b->capacity * 2ull, 64));
    if (capacity > VALUE_SIZE_MAX) return false;
    u8 *data = realloc(b->data, capacity);
    if (!data) return false;
    b->data = data;
    b->capacity = (u32)capacity;
    return true;
}

void fts_buffer_free(struct fts_buffer *b)
{
    free(b->data);
    *b = (struct fts_buffer){0};
}

struct reading {
    const u8 *at, *end;
    bool bad;
};

static u64 get(struct reading *r)
{
    u64 v = 0;
    u32 n = varint_get_checked(r->at, r->end, &v);
    if (!n) r->bad = true;
    r->at += n;
    return v;
}

bool fts_structure_add(struct fts_structure *s, u32 level, const struct fts_segment *segment)
{
    ASSERT(level < FTS_LEVELS_MAX);
    struct fts_level *l = &s->levels[level];
    if (l->count == l->capacity) {
        u32 capacity = l->capacity ? l->capacity * 2 : 8;
        struct fts_segment *grown = realloc(l->segments, capacity * sizeof *grown);
        if (!grown) return false;
        l->segments = grown;
        l->capacity = capacity;
    }
    l->segments[l->count++] = *segment;
    s->level_count = MAX(s->level_count, level + 1);
    return true;
}

bool fts_structure_decode(const u8 *bytes, u32 size, struct fts_structure *out, struct err *err)
{
    fts_structure_free(out);
    struct reading r = {bytes + MIN(size, 4u), bytes + size, size < 4};
    if (!r.bad) out->cookie = be32_get(bytes);
    bool form_2 = size >= 8 && be32_get(bytes + 4) == FORM_2;
    if (form_2) r.at += 4;
    u64 levels = r.bad ? 0 : get(&r), segments = r.bad ? 0 : get(&r), seen = 0;
    out->write_count = r.bad ? 0 : get(&r);
    if (levels > FTS_LEVELS_MAX || segments > FTS_SEGMENTS_MAX) r.bad = true;
    for (u32 i = 0; !r.bad && i < levels; i++) {
        (void)get(&r); // being merged by somebody, slice by slice: they are segments as others
        u64 count = get(&r);
        if (r.bad || (seen += count) > segments) r.bad = true;
        for (u64 k = 0; !r.bad && k < count; k++) {
            struct fts_segment g = {.id = (u32)get(&r), .first = (u32)get(&r), .last = (u32)get(&r)};
            if (form_2) {
                g.origin_first = get(&r);
                g.origin_last = get(&r);
                u64 pages = get(&r);
                g.tombstones = get(&r);
                g.entries = get(&r);
                r.bad |= pages > TOMBSTONE_PAGES_MAX;
                g.tombstone_pages = (u32)pages;
                out->origin_next = MAX(out->origin_next, g.origin_last);
            }
            if (r.bad || g.id == 0 || g.id > 65535 || g.last < g.first) {
                r.bad = true;
            } else if (!fts_structure_add(out, i, &g)) {
                fts_structure_free(out);
                err_set(err, ERR_NOMEM, __func__, "out of memory");
                return false;
            }
        }
        out->level_count = MAX(out->level_count, i + 1);
    }
    if (form_2) out->origin_next++;
    if (r.bad) {
        fts_structure_free(out);
        err_set(err, ERR_CORRUPT_VTAB, __func__, "database disk image is malformed");
        return false;
    }
    return true;
}

bool fts_structure_encode(const struct fts_structure *s, struct fts_buffer *out)
{
    u8 cookie[4];
    be32_put(cookie, s->cookie);
    out->size = 0;
    bool form_2 = s->origin_next > 0;
    bool ok = fts_buffer_add(out, cookie, 4) && (!form_2 || fts_buffer_add(out, (const u8[]){0xff, 0, 0, 1}, 4)) &&
              fts_buffer_varint(out, s->level_count) &&
              fts_buffer_varint(out, fts_structure_segments(s)) && fts_buffer_varint(out, s->write_count);
    for (u32 i = 0; ok && i < s->level_count; i++) {
        const struct fts_level *l = &s->levels[i];
        ok = fts_buffer_varint(out, 0) && fts_buffer_varint(out, l->count);
        for (u32 k = 0; ok && k < l->count; k++) {
            const struct fts_segment *g = &l->segments[k];
            ok = fts_buffer_varint(out, g->id) && fts_buffer_varint(out, g->first) && fts_buffer_varint(out, g->last);
            if (ok && form_2)
                ok = fts_buffer_varint(out, g->origin_first) && fts_buffer_varint(out, g->origin_last) &&
                     fts_buffer_varint(out, g->tombstone_pages) && fts_buffer_varint(out, g->tombstones) &&
                     fts_buffer_varint(out, g->entries);
        }
    }
    return ok;
}

bool fts_structure_copy(struct fts_structure *to, const struct fts_structure *from)
{
    fts_structure_free(to);
    to->cookie = from->cookie;
    to->write_count = from->write_count;
    to->origin_next = from->origin_next;
    to->level_count = from->level_count;
    for (u32 i = 0; i < from->level_count; i++)
        for (u32 k = 0; k < from->levels[i].count; k++)
            if (!fts_structure_add(to, i, &from->levels[i].segments[k])) {
                fts_structure_free(to);
                return false;
            }
    return true;
}

void fts_structure_free(struct fts_structure *s)
{
    for (u32 i = 0; i < FTS_LEVELS_MAX; i++) free(s->levels[i].segments);
    memset(s, 0, sizeof *s);
}

u32 fts_structure_segments(const struct fts_structure *s)
{
    u32 count = 0;
    for (u32 i = 0; i < s->level_count; i++) count += s->levels[i].count;
    return count;
}

u32 fts_structure_free_id(const struct fts_structure *s)
{
    u8 used[(FTS_SEGMENTS_MAX + 8) / 8] = {0};
    for (u32 i = 0; i < s->level_count; i++)
        for (u32 k = 0; k < s->levels[i].count; k++) {
            u32 id = s->levels[i].segments[k].id;
            if (id <= FTS_SEGMENTS_MAX) used[id / 8] |= (u8)(1u << id % 8);
        }
    for (u32 id = 1; id <= FTS_SEGMENTS_MAX; id++)
        if (!(used[id / 8] >> id % 8 & 1)) return id;
    return 0;
}
