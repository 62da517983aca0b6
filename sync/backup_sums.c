#include "backup_private.h"

#include <sodium.h>

bool sums_resize(struct sums *s, u32 pages)
{
    u32 shift = s->shift;
    while (((u64)pages + (1u << shift) - 1) >> shift > SUMS_GROUPS_MAX) shift++;
    for (; s->shift < shift; s->shift++) {
        for (u32 i = 0; i < s->count; i += 2)
            s->groups[i / 2] = s->groups[i] ^ (i + 1 < s->count ? s->groups[i + 1] : 0);
        s->count = (s->count + 1) / 2;
    }
    u32 count = pages ? ((pages - 1) >> shift) + 1 : 0;
    while (s->count > count) s->total ^= s->groups[--s->count];
    if (count > s->count) {
        u64 *bigger = realloc(s->groups, count * sizeof *bigger);
        if (!bigger) return false;
        memset(bigger + s->count, 0, (count - s->count) * sizeof *bigger);
        s->groups = bigger;
        s->count = count;
    }
    s->pages = pages;
    return true;
}

void sums_set(struct sums *s, u32 group, u64 value)
{
    s->total ^= s->groups[group] ^ value;
    s->groups[group] = value;
}

void sums_deinit(struct sums *s)
{
    free(s->groups);
    *s = (struct sums){0};
}

// ---- PATH-backup-sums, kept from one run to the next
// -------------------------------------------------------------------------------

// 64 bytes: magic, u64 lineage, u64 tx, u64 sum, u32 shift, u32 count, u32 pages, u32 0, 16 bytes
// BLAKE2b of the groups; then the groups as they are in memory.
#define SUMS_HEADER 64
static const char MAGIC[8] = {'S', 'K', 'R', 'Y', 'S', 'U', 'M', '1'};

static void header_make(const struct sums *s, const struct backup_mark *m, u8 out[SUMS_HEADER])
{
    memset(out, 0, SUMS_HEADER);
    memcpy(out, MAGIC, 8);
    be64_put(out + 8, m->lineage);
    be64_put(out + 16, m->tx);
    be64_put(out + 24, s->total);
    be32_put(out + 32, s->shift);
    be32_put(out + 36, s->count);
    be32_put(out + 40, s->pages);
    crypto_generichash(out + 48, 16, (const u8 *)s->groups, s->count * sizeof *s->groups, NULL, 0);
}

u8 *sums_encode(const struct sums *s, const struct backup_mark *m, size_t *size)
{
    if (!s->valid || s->total != m->sum) return NULL;
    *size = SUMS_HEADER + (size_t)s->count * sizeof *s->groups;
    u8 *bytes = malloc(*size);
    if (!bytes) return NULL;
    header_make(s, m, bytes);
    if (s->count) memcpy(bytes + SUMS_HEADER, s->groups, (size_t)s->count * sizeof *s->groups);
    return bytes;
}

bool sums_decode(struct sums *s, const u8 *bytes, size_t size, const struct backup_mark *m)
{
    u8 want[SUMS_HEADER];
    if (size < SUMS_HEADER) return false;
    struct sums read = {.valid = true,
                        .total = be64_get(bytes + 24),
                        .shift = be32_get(bytes + 32),
                        .count = be32_get(bytes + 36),
                        .pages = be32_get(bytes + 40)};
    if (read.count > SUMS_GROUPS_MAX || read.shift > 31 || read.total != m->sum || size != SUMS_HEADER + (size_t)read.count * sizeof *read.groups ||
        !(read.groups = malloc(((size_t)read.count + 1) * sizeof *read.groups)))
        return false;
    u64 total = 0;
    memcpy(read.groups, bytes + SUMS_HEADER, size - SUMS_HEADER);
    for (u32 i = 0; i < read.count; i++) total ^= read.groups[i];
    header_make(&read, m, want);
    if (total != read.total || memcmp(bytes, want, sizeof want) != 0) {
        free(read.groups);
        return false;
    }
    sums_deinit(s);
    *s = read;
    return true;
}
