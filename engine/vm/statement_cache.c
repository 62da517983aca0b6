// Statements that were finalized, kept for the next prepare of the same text.
#include "statement.h"

// The end of a text tells most apart that are of the same size.
static u64 text_end(const char *sql, size_t size)
{
    u64 end = 0;
    size_t count = MIN(size, sizeof end);
    memcpy(&end, sql + size - count, count);
    return end;
}

static void slot_remove(struct statement_cache *c, u32 i)
{
    c->bytes -= c->slots[i].bytes;
    c->slots[i] = c->slots[--c->count];
}

static void slot_drop(struct statement_cache *c, u32 i)
{
    struct skerry_stmt *s = c->slots[i].stmt;
    slot_remove(c, i);
    statement_destroy(s);
}

static void oldest_drop(struct statement_cache *c)
{
    u32 oldest = 0;
    for (u32 i = 1; i < c->count; i++)
        if (c->slots[i].used_at < c->slots[oldest].used_at) oldest = i;
    slot_drop(c, oldest);
}

void statement_cache_clear(struct skerry *db)
{
    while (db->cache.count) slot_drop(&db->cache, db->cache.count - 1);
}

static bool compiled_as_now(const struct skerry_stmt *s)
{
    return s->generation == s->db->generation && s->shape == s->db->shape;
}

bool statement_cache_keep(struct skerry_stmt *s)
{
    struct skerry *db = s->db;
    struct statement_cache *c = &db->cache;
    if (s->nested || !s->program || !s->program->reusable || s->slice_pending || s->expired || db->close_began) return false;
    if (!s->sql_size || !compiled_as_now(s)) return false;
    u64 bytes_max = (u64)db->limits[SKERRY_LIMIT_STATEMENT_CACHE], bytes = bytes_max ? statement_bytes(s) : 0;
    if (bytes >= bytes_max / 4) return false;
    while (c->count == STATEMENT_CACHE_COUNT || (c->count && c->bytes + bytes > bytes_max)) oldest_drop(c);
    skerry_clear_bindings(s);
    s->state = STMT_STATE_READY;
    s->row = NULL;
    s->cached = true;
    c->slots[c->count++] =
        (struct statement_cached){.stmt = s, .end = text_end(s->sql, s->sql_size), .bytes = bytes, .used_at = ++c->clock};
    c->bytes += bytes;
    return true;
}

// The same text; or more of it, where the statement was ended by a semicolon.
static bool slot_fits(const struct statement_cached *slot, const char *sql, size_t size)
{
    const struct skerry_stmt *s = slot->stmt;
    if (s->sql_size != size && (s->sql_size > size || !s->program->semicolon)) return false;
    return slot->end == text_end(sql, s->sql_size) && memcmp(s->sql, sql, s->sql_size) == 0;
}

struct skerry_stmt *statement_cache_take(struct skerry *db, const char *sql, size_t size)
{
    struct statement_cache *c = &db->cache;
    for (u32 i = 0; i < c->count; i++) {
        struct skerry_stmt *s = c->slots[i].stmt;
        if (!slot_fits(&c->slots[i], sql, size)) continue;
        if (!compiled_as_now(s)) break;
        slot_remove(c, i);
        s->cached = false;
        s->counters = (struct skerry_stmt_counters){0};
        s->reprepare_count = 0;
        c->hits++;
        return s;
    }
    c->misses++;
    // Programs hold on to the schema that they were compiled for.
    for (u32 i = c->count; i-- > 0;)
        if (!compiled_as_now(c->slots[i].stmt)) slot_drop(c, i);
    return NULL;
}
