#include "backup_private.h"

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

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

// ---- kept from one run to the next
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

void sums_save(const struct sums *s, const char *database_path, const struct backup_mark *m)
{
    char path[4200];
    u8 header[SUMS_HEADER];
    snprintf(path, sizeof path, "%s-backup-sums", database_path);
    if (!s->valid || s->total != m->sum) return;
    header_make(s, m, header);
    FILE *f = fopen(path, "we");
    if (!f) return;
    bool good = fwrite(header, sizeof header, 1, f) == 1 &&
                fwrite(s->groups, sizeof *s->groups, s->count, f) == s->count;
    if (fclose(f) != 0 || !good) unlink(path);
}

bool sums_load(struct sums *s, const char *database_path, const struct backup_mark *m)
{
    char path[4200];
    u8 header[SUMS_HEADER], want[SUMS_HEADER];
    snprintf(path, sizeof path, "%s-backup-sums", database_path);
    FILE *f = fopen(path, "re");
    if (!f) return false;
    struct sums read = {0};
    bool good = fread(header, sizeof header, 1, f) == 1;
    if (good) {
        read.total = be64_get(header + 24);
        read.shift = be32_get(header + 32);
        read.count = be32_get(header + 36);
        read.pages = be32_get(header + 40);
        good = read.count <= SUMS_GROUPS_MAX && read.shift < 32 && read.total == m->sum &&
               (read.groups = malloc((read.count + 1u) * sizeof *read.groups)) &&
               fread(read.groups, sizeof *read.groups, read.count, f) == read.count;
    }
    fclose(f);
    if (good) {
        u64 total = 0;
        for (u32 i = 0; i < read.count; i++) total ^= read.groups[i];
        header_make(&read, m, want);
        good = total == read.total && memcmp(header, want, sizeof want) == 0;
    }
    if (!good) {
        free(read.groups);
        return false;
    }
    read.valid = true;
    sums_deinit(s);
    *s = read;
    return true;
}
