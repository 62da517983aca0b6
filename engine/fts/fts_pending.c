// Terms of the rows that were changed since the last flush: a hash of terms, each with its doclist.
#include "fts_internal.h"

static u32 hash(u8 prefix, const u8 *token, u32 size)
{
    u64 h = fts_hash(prefix, token, size);
    return (u32)(h ^ h >> 32);
}

static bool grow(struct fts_pending *p)
{
    if (p->count * 2 < p->slot_count) return true;
    u32 slots = p->slot_count ? p->slot_count * 2 : 256;
    struct fts_term **grown = arena_alloc(&p->arena, slots * sizeof(struct fts_term *));
    if (!grown) return false;
    for (u32 i = 0; i < p->slot_count; i++) {
        struct fts_term *next;
        for (struct fts_term *t = p->slots[i]; t; t = next) {
            next = t->next;
            struct fts_term **slot = &grown[t->hash & (slots - 1)];
            t->next = *slot;
            *slot = t;
        }
    }
    p->slots = grown;
    p->slot_count = slots;
    return true;
}

#define DOCLIST_FIRST 24 // bytes that a term has at once
#define PLACE_MAX     11 // of a column and a position

static struct fts_term *term_add(struct fts_pending *p, u32 h, u8 prefix, const u8 *token, u32 size)
{
    struct fts_term *t = grow(p) ? arena_alloc(&p->arena, sizeof *t + size + 1 + DOCLIST_FIRST) : NULL;
    if (!t) return NULL;
    t->hash = h;
    t->size = size + 1;
    t->bytes[0] = prefix;
    if (size) memcpy(t->bytes + 1, token, size);
    t->doclist.data = t->bytes + t->size;
    t->doclist.capacity = DOCLIST_FIRST;
    t->closed = true;
    struct fts_term **slot = &p->slots[h & (p->slot_count - 1)];
    t->next = *slot;
    *slot = t;
    p->count++;
    p->bytes += sizeof *t + size;
    return t;
}

// Of few bytes, mostly.
static inline bool same(const u8 *a, const u8 *b, u32 size)
{
    if (size > 8) return memcmp(a, b, size) == 0;
    while (size && a[size - 1] == b[size - 1]) size--;
    return !size;
}

static inline struct fts_term *term_get(struct fts_pending *p, u8 prefix, const u8 *token, u32 size)
{
    u32 h = hash(prefix, token, size);
    struct fts_term *t = p->slot_count ? p->slots[h & (p->slot_count - 1)] : NULL;
    while (t && !(t->hash == h && t->size == size + 1 && t->bytes[0] == prefix && same(t->bytes + 1, token, size))) t = t->next;
    return t ? t : term_add(p, h, prefix, token, size);
}

struct fts_pending_entry fts_pending_entry(const struct fts_term *t, u32 *at, s64 before)
{
    const u8 *p = t->doclist.data + *at;
    u64 rowid, head;
    p += varint_get(p, &rowid);
    p += varint_get(p, &head);
    if (*at) rowid += (u64)before;
    struct fts_pending_entry e = {(s64)rowid, head & 1, p, (u32)(head / 2)};
    *at = (u32)(p - t->doclist.data) + e.size;
    return e;
}

const struct fts_term *fts_pending_find(const struct fts_pending *p, const u8 *term, u32 size)
{
    const struct fts_term *t = p->slot_count && size ? p->slots[hash(term[0], term + 1, size - 1) & (p->slot_count - 1)] : NULL;
    while (t && (t->size != size || memcmp(t->bytes, term, size) != 0)) t = t->next;
    return t;
}

static bool doclist_reserve(struct fts_pending *p, struct fts_term *t, u32 more)
{
    struct fts_buffer *b = &t->doclist;
    if (LIKELY(b->capacity - b->size >= more)) return true;
    u64 capacity = MAX(b->capacity * 2ull, b->size + 2ull * more);
    u8 *data = capacity <= VALUE_SIZE_MAX ? arena_alloc(&p->arena, capacity) : NULL;
    if (!data) return false;
    memcpy(data, b->data, b->size);
    b->data = data;
    b->capacity = (u32)capacity;
    return true;
}

static void put(struct fts_buffer *b, u64 v) { b->size += varint_put(b->data + b->size, v); }

// Writes the size of the row under way before its positions.
static bool row_close(struct fts_pending *p, struct fts_term *t)
{
    if (t->closed) return true;
    u32 size = t->doclist.size - t->size_at - 1;
    u64 head = size * 2ull + t->deleted;
    u32 n = varint_size(head);
    if (n > 1) {
        if (!doclist_reserve(p, t, n - 1)) return false;
        u8 *at = t->doclist.data + t->size_at;
        memmove(at + n, at + 1, size);
    }
    varint_put(t->doclist.data + t->size_at, head);
    t->doclist.size += n - 1;
    t->closed = true;
    return true;
}

bool fts_pending_add(void *pending, const struct fts_config *c, u8 prefix, const u8 *token, u32 size, u32 column, u32 position)
{
    struct fts_pending *p = pending;
    struct fts_term *t = term_get(p, prefix, token, size);
    if (!t) return false;
    struct fts_buffer *b = &t->doclist;
    u32 before = b->size;
    if (!b->size || t->rowid != p->rowid || t->closed) {
        u64 distance = (u64)p->rowid - (b->size ? (u64)t->rowid : 0);
        if (!row_close(p, t) || !doclist_reserve(p, t, varint_size(distance) + 1 + PLACE_MAX)) return false;
        put(b, distance);
        t->size_at = b->size++;
        t->rowid = p->rowid;
        t->deleted = t->closed = false;
        t->column = 0;
        t->position = 0;
    } else if (!doclist_reserve(p, t, PLACE_MAX)) {
        return false;
    }
    if (p->deleting) {
        t->deleted = true;
    } else if (c->detail == FTS_DETAIL_FULL) {
        if (column != t->column) {
            put(b, 1);
            put(b, column);
            t->column = column;
            t->position = 0;
        }
        // A prefix may come twice at the same place only in different columns.
        put(b, (u64)position - t->position + 2);
        t->position = position;
    } else if (c->detail == FTS_DETAIL_COLUMN) {
        u32 here = column + 1; // 0: none yet
        if (t->position != here) put(b, column - (t->position ? t->position - 1ull : 0) + 2);
        t->position = here;
    } else if (b->size == t->size_at + 1) {
        put(b, 2); // any byte stands for "it is there"
    }
    p->bytes += b->size - before;
    p->any = true;
    return true;
}

void fts_pending_begin(struct fts_pending *p, bool deleting, s64 rowid)
{
    p->rowid = rowid;
    p->deleting = deleting;
    p->any = true;
    p->rows += !deleting;
}

// Most differ in their first bytes.
struct sorted {
    u64 head;
    struct fts_term *term;
};

static bool is_behind(const struct sorted *p, const struct sorted *q)
{
    if (p->head != q->head) return p->head > q->head;
    const struct fts_term *x = p->term, *y = q->term;
    int k = memcmp(x->bytes, y->bytes, MIN(x->size, y->size));
    return k ? k > 0 : x->size > y->size;
}

static u64 head_of(const struct fts_term *t)
{
    u8 bytes[8] = {0};
    memcpy(bytes, t->bytes, MIN(t->size, 8u));
    return be64_get(bytes);
}

// `other` has the first half of them meanwhile.
static void merge_sort(struct sorted *all, u32 count, struct sorted *other)
{
    if (count <= 8) {
        for (u32 i = 1; i < count; i++) {
            struct sorted one = all[i];
            u32 at = i;
            for (; at && is_behind(&all[at - 1], &one); at--) all[at] = all[at - 1];
            all[at] = one;
        }
        return;
    }
    u32 half = count / 2;
    merge_sort(all, half, other);
    merge_sort(all + half, count - half, other);
    if (!is_behind(&all[half - 1], &all[half])) return;
    memcpy(other, all, half * sizeof *all);
    for (u32 to = 0, left = 0, right = half; left < half; to++)
        all[to] = right < count && is_behind(&other[left], &all[right]) ? all[right++] : other[left++];
}

struct fts_term **fts_pending_sorted(struct fts_pending *p, u32 *count)
{
    struct sorted *all = arena_alloc(&p->arena, (p->count + p->count / 2 + 1) * sizeof *all);
    struct fts_term **out = (struct fts_term **)all;
    *count = 0;
    if (!all) return NULL;
    for (u32 i = 0; i < p->slot_count; i++)
        for (struct fts_term *t = p->slots[i]; t; t = t->next) {
            if (!row_close(p, t)) return NULL;
            all[(*count)++] = (struct sorted){head_of(t), t};
        }
    merge_sort(all, *count, all + *count);
    for (u32 i = 0; i < *count; i++) out[i] = all[i].term; // in their place: heads are not needed any more
    return out;
}

void fts_pending_clear(struct fts_pending *p)
{
    arena_deinit(&p->arena);
    *p = (struct fts_pending){0};
}
