// Terms of the rows that were changed since the last flush: a hash of terms, each with its doclist.
#include "fts_internal.h"

static u32 hash(u8 prefix, const u8 *token, u32 size)
{
    u32 h = 2166136261u ^ prefix;
    for (u32 i = 0; i < size; i++) h = (h ^ token[i]) * 16777619u;
    return h ^ h >> 15;
}

static bool grow(struct fts_pending *p)
{
    if (p->count < p->slot_count) return true;
    u32 slots = p->slot_count ? p->slot_count * 2 : 256;
    struct fts_term **grown = calloc(slots, sizeof(struct fts_term *));
    if (!grown) return false;
    for (u32 i = 0; i < p->slot_count; i++) {
        struct fts_term *next;
        for (struct fts_term *t = p->slots[i]; t; t = next) {
            next = t->next;
            struct fts_term **slot = &grown[hash(t->bytes[0], t->bytes + 1, t->size - 1) & (slots - 1)];
            t->next = *slot;
            *slot = t;
        }
    }
    free(p->slots);
    p->slots = grown;
    p->slot_count = slots;
    return true;
}

static struct fts_term *term_get(struct fts_pending *p, u8 prefix, const u8 *token, u32 size)
{
    if (!grow(p)) return NULL;
    struct fts_term **slot = &p->slots[hash(prefix, token, size) & (p->slot_count - 1)];
    for (struct fts_term *t = *slot; t; t = t->next)
        if (t->size == size + 1 && t->bytes[0] == prefix && memcmp(t->bytes + 1, token, size) == 0) return t;
    struct fts_term *t = calloc(1, sizeof *t + size + 1);
    if (!t) return NULL;
    t->size = size + 1;
    t->bytes[0] = prefix;
    if (size) memcpy(t->bytes + 1, token, size);
    t->closed = true;
    t->next = *slot;
    *slot = t;
    p->count++;
    p->bytes += sizeof *t + size;
    return t;
}

// Writes the size of the row under way before its positions.
static bool row_close(struct fts_term *t)
{
    if (t->closed) return true;
    u32 size = t->doclist.size - t->size_at - 1;
    u64 head = size * 2ull + t->deleted;
    u32 n = varint_size(head);
    if (!fts_buffer_reserve(&t->doclist, n - 1)) return false;
    u8 *at = t->doclist.data + t->size_at;
    memmove(at + n, at + 1, size);
    varint_put(at, head);
    t->doclist.size += n - 1;
    t->closed = true;
    return true;
}

static bool row_open(struct fts_term *t, const struct fts_pending *p)
{
    static const u8 no_size;
    if (!row_close(t) || !fts_buffer_varint(&t->doclist, (u64)p->rowid)) return false;
    t->size_at = t->doclist.size;
    if (!fts_buffer_add(&t->doclist, &no_size, 1)) return false;
    t->rowid = p->rowid;
    t->deleted = false;
    t->closed = false;
    t->column = 0;
    t->position = 0;
    return true;
}

bool fts_pending_add(struct fts_pending *p, const struct fts_config *c, u8 prefix, const u8 *token, u32 size, u32 column,
                     u32 position)
{
    struct fts_term *t = term_get(p, prefix, token, size);
    if (!t) return false;
    u64 before = t->doclist.size;
    if ((!t->doclist.size || t->rowid != p->rowid || t->closed) && !row_open(t, p)) return false;
    bool ok = true;
    if (p->deleting) {
        t->deleted = true;
    } else if (c->detail == FTS_DETAIL_FULL) {
        if (column != t->column) {
            ok = fts_buffer_varint(&t->doclist, 1) && fts_buffer_varint(&t->doclist, column);
            t->column = column;
            t->position = 0;
        }
        // A prefix may come twice at the same place only in different columns.
        ok = ok && fts_buffer_varint(&t->doclist, (u64)position - (u64)t->position + 2);
        t->position = position;
    } else if (c->detail == FTS_DETAIL_COLUMN) {
        u64 here = column + 1ull; // 0: none yet
        if ((u64)t->position != here) ok = fts_buffer_varint(&t->doclist, column - (t->position ? (u64)t->position - 1 : 0) + 2);
        t->position = (s64)here;
    } else {
        // Any byte stands for "it is there".
        if (t->doclist.size == t->size_at + 1) ok = fts_buffer_varint(&t->doclist, 2);
    }
    p->bytes += t->doclist.size - before;
    p->any = true;
    return ok;
}

void fts_pending_begin(struct fts_pending *p, bool deleting, s64 rowid)
{
    p->rowid = rowid;
    p->deleting = deleting;
    p->any = true;
    p->rows += !deleting;
}

static int term_compare(const void *a, const void *b)
{
    const struct fts_term *x = *(struct fts_term *const *)a, *y = *(struct fts_term *const *)b;
    int k = memcmp(x->bytes, y->bytes, MIN(x->size, y->size));
    return k ? k : x->size < y->size ? -1 : x->size > y->size;
}

struct fts_term **fts_pending_sorted(struct fts_pending *p, u32 *count)
{
    struct fts_term **all = malloc((p->count + 1) * sizeof(struct fts_term *));
    if (!all) return NULL;
    *count = 0;
    for (u32 i = 0; i < p->slot_count; i++)
        for (struct fts_term *t = p->slots[i]; t; t = t->next) {
            if (!row_close(t)) {
                free(all);
                return NULL;
            }
            all[(*count)++] = t;
        }
    qsort(all, *count, sizeof *all, term_compare);
    return all;
}

void fts_pending_clear(struct fts_pending *p)
{
    for (u32 i = 0; i < p->slot_count; i++) {
        struct fts_term *next;
        for (struct fts_term *t = p->slots[i]; t; t = next) {
            next = t->next;
            fts_buffer_free(&t->doclist);
            free(t);
        }
    }
    free(p->slots);
    *p = (struct fts_pending){0};
}
