#include "names.h"

#include <sodium.h>

typedef unsigned long long ull;

void name_head(const char *database, char out[OBJECT_KEY_MAX])
{
    snprintf(out, OBJECT_KEY_MAX, "%s/head", database);
}

void name_level(const char *database, u64 lineage, u32 level, char out[OBJECT_KEY_MAX])
{
    snprintf(out, OBJECT_KEY_MAX, "%s/%016llx/L%u/", database, (ull)lineage, level);
}

void name_segment(const char *database, u64 lineage, u32 level, u64 tx_min, u64 tx_max,
                  char out[OBJECT_KEY_MAX])
{
    snprintf(out, OBJECT_KEY_MAX, "%s/%016llx/L%u/%016llx-%016llx", database, (ull)lineage, level,
             (ull)tx_min, (ull)tx_max);
}

void name_shard(const char *database, u64 lineage, const struct segment_shard *s,
                char out[OBJECT_KEY_MAX])
{
    snprintf(out, OBJECT_KEY_MAX, "%s/%016llx/L%u/%016llx-%016llx.%08x.%016llx", database,
             (ull)lineage, s->level, (ull)s->tx_min, (ull)s->tx_max, s->shard, (ull)s->epoch);
}

void name_claim(const char *database, u64 epoch, char out[OBJECT_KEY_MAX])
{
    snprintf(out, OBJECT_KEY_MAX, "%s/claim/%016llx", database, (ull)epoch);
}

void claim_make(struct io *io, u8 out[CLAIM_SIZE])
{
    io_random(io, out, 24);
    crypto_generichash(out + 24, 16, out, 24, NULL, 0);
}

bool claim_check(const u8 *bytes, size_t size)
{
    u8 hash[16];
    if (size != CLAIM_SIZE) return false;
    crypto_generichash(hash, sizeof hash, bytes, 24, NULL, 0);
    return memcmp(hash, bytes + 24, sizeof hash) == 0;
}

void name_key(const char *database, u64 lineage, char out[OBJECT_KEY_MAX])
{
    snprintf(out, OBJECT_KEY_MAX, "%s/%016llx/key", database, (ull)lineage);
}

// Exactly `digits` lower-case hexadecimal digits at *p, and moves behind them.
static bool hex_read(const char **p, u32 digits, u64 *out)
{
    *out = 0;
    for (u32 i = 0; i < digits; i++) {
        char c = *(*p)++;
        if (c >= '0' && c <= '9')
            *out = *out << 4 | (u64)(c - '0');
        else if (c >= 'a' && c <= 'f')
            *out = *out << 4 | (u64)(c - 'a' + 10);
        else
            return false;
    }
    return true;
}

bool name_parse(const char *key, u32 level, struct segment_name *out)
{
    const char *p = strrchr(key, '/');
    u64 shard;
    p = p ? p + 1 : key;
    *out = (struct segment_name){.level = level};
    if (!hex_read(&p, 16, &out->tx_min) || *p++ != '-' || !hex_read(&p, 16, &out->tx_max)) return false;
    if (out->tx_min == 0 || out->tx_min > out->tx_max) return false;
    if (*p == 0) return true;
    out->is_shard = true;
    if (*p++ != '.' || !hex_read(&p, 8, &shard) || *p++ != '.' || !hex_read(&p, 16, &out->epoch) || *p)
        return false;
    out->shard = (u32)shard;
    return true;
}

// ---- the head
// ------------------------------------------------------------------------------------------------

#define HEAD_CHECK_SIZE 69 // "sum ", 64 digits, line end

static void head_sum(const u8 *bytes, size_t size, const struct segment_key *key, char out[65])
{
    struct segment_keys keys;
    u8 hash[32];
    segment_keys_derive(key, &keys);
    crypto_generichash(hash, sizeof hash, bytes, size, keys.given ? keys.hash : NULL, keys.given ? 32 : 0);
    sodium_bin2hex(out, 65, hash, sizeof hash);
    sodium_memzero(&keys, sizeof keys);
}

char *head_encode(const struct head *h, const struct segment_key *key, size_t *size)
{
    char *text = NULL, id[33], sum[65];
    FILE *f = open_memstream(&text, size);
    if (!f) return NULL;
    sodium_bin2hex(id, sizeof id, h->database_id, 16);
    fprintf(f, "skerry 2\ndatabase %s\nlineage %016llx\nepoch %llu\ntx %llu\ntime %lld\npages %u %u\n", id,
            (ull)h->lineage, (ull)h->epoch, (ull)h->tx, (long long)h->time_ms, h->page_count, h->page_size);
    for (u32 i = 0; i < h->segment_count; i++) {
        const struct head_segment *s = &h->segments[i];
        fprintf(f, "segment %u %u %llu %llu %llu %lld\n", s->level, s->flags, (ull)s->tx_min,
                (ull)s->tx_max, (ull)s->size, (long long)s->time_ms);
    }
    if (fflush(f) != 0) {
        fclose(f);
        free(text);
        return NULL;
    }
    head_sum((u8 *)text, *size, key, sum);
    fprintf(f, "sum %s\n", sum);
    if (fclose(f) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

bool head_check(const u8 *bytes, size_t size, const struct segment_key *key)
{
    char sum[65];
    if (size < HEAD_CHECK_SIZE) return false;
    const u8 *line = bytes + size - HEAD_CHECK_SIZE;
    if (memcmp(line, "sum ", 4) != 0 || bytes[size - 1] != '\n') return false;
    head_sum(bytes, size - HEAD_CHECK_SIZE, key, sum);
    return memcmp(line + 4, sum, 64) == 0;
}

void head_deinit(struct head *h)
{
    free(h->segments);
    *h = (struct head){0};
}

static bool head_segments_read(char *rest, struct head *out)
{
    u32 capacity = 0;
    for (char *line; (line = strsep(&rest, "\n")) && strncmp(line, "segment ", 8) == 0;) {
        struct head_segment s;
        ull tx_min, tx_max, size;
        long long time_ms;
        int used = 0;
        if (sscanf(line, "segment %u %u %llu %llu %llu %lld%n", &s.level, &s.flags, &tx_min, &tx_max,
                   &size, &time_ms, &used) != 6 ||
            line[used] || s.level >= LEVEL_COUNT || tx_min == 0 || tx_min > tx_max)
            return false;
        s.tx_min = tx_min, s.tx_max = tx_max, s.size = size, s.time_ms = time_ms;
        if (out->segment_count == capacity) {
            capacity = capacity ? capacity * 2 : 64;
            struct head_segment *bigger = realloc(out->segments, capacity * sizeof *bigger);
            if (!bigger) return false;
            out->segments = bigger;
        }
        out->segments[out->segment_count++] = s;
    }
    return true;
}

bool head_decode(const u8 *bytes, size_t size, struct head *out)
{
    *out = (struct head){0};
    if (size > HEAD_SIZE_MAX || memchr(bytes, 0, size)) return false;
    char *text = malloc(size + 1), id[33] = "";
    if (!text) return false;
    memcpy(text, bytes, size);
    text[size] = 0;
    ull lineage, epoch, tx;
    long long time_ms;
    int used = 0;
    bool good = sscanf(text,
                       "skerry 2\ndatabase %32[0-9a-f]\nlineage %16llx\nepoch %llu\ntx %llu\ntime %lld\npages %u %u%n",
                       id, &lineage, &epoch, &tx, &time_ms, &out->page_count, &out->page_size, &used) == 7 &&
                text[used] == '\n' && strlen(id) == 32 &&
                sodium_hex2bin(out->database_id, 16, id, 32, NULL, NULL, NULL) == 0;
    if (good) {
        out->lineage = lineage, out->epoch = epoch, out->tx = tx, out->time_ms = time_ms;
        good = head_segments_read(text + used + 1, out);
    }
    free(text);
    if (!good) head_deinit(out);
    return good;
}
