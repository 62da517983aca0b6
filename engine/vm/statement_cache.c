// Statements that were finalized, kept for the next prepare of the same text when it came a second time.
#include "statement.h"

// The end of a text tells most apart that are of the same size.
static u64 text_end(const char *sql, size_t size)
{
    u64 end = 0;
    if (LIKELY(size >= sizeof end))
        memcpy(&end, sql + size - sizeof end, sizeof end);
    else
        memcpy(&end, sql, size);
    return end;
}

static u64 text_hash(const char *sql, size_t size)
{
    u64 hash = (size ^ text_end(sql, size)) * 0x9e3779b97f4a7c15;
    for (size_t at = 0; at + sizeof hash < size; at += sizeof hash) {
        u64 part;
        memcpy(&part, sql + at, sizeof part);
        hash = (hash ^ hash >> 32 ^ part) * 0x9e3779b97f4a7c15;
    }
    return hash ^ hash >> 32;
}

// Whether a statement of this text, or one that differs in its literals, was finalized lately. Those that come once are not
// worth a place: the memory that they leave is the next one's, and in the processor's caches.
static bool text_ended_before(struct statement_cache *c, const struct skerry_stmt *s)
{
    u64 hash = text_hash(s->sql, s->program->literal_count ? s->program->literals_at : s->sql_size);
    u32 *ended = &c->ended[hash % STATEMENT_ENDED_COUNT], tag = (u32)(hash >> 32);
    bool before = *ended == tag;
    *ended = tag;
    return before;
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

// Lets go of those that the connection would compile otherwise now: programs hold on to their schemas.
static void cache_settle(struct skerry *db)
{
    struct statement_cache *c = &db->cache;
    if (LIKELY(c->generation == db->generation && c->shape == db->shape)) return;
    statement_cache_clear(db);
    c->generation = db->generation;
    c->shape = db->shape;
}

bool statement_cache_keep(struct skerry_stmt *s)
{
    struct skerry *db = s->db;
    struct statement_cache *c = &db->cache;
    if (s->nested || !s->program || !s->program->reusable || s->slice_pending || s->expired || db->close_began) return false;
    if (!s->sql_size || s->generation != db->generation || s->shape != db->shape) return false;
    cache_settle(db);
    u64 bytes_max = (u64)db->limits[SKERRY_LIMIT_STATEMENT_CACHE];
    if (!bytes_max || (!s->repeats && !text_ended_before(c, s))) return false;
    u64 bytes = statement_bytes(s);
    if (bytes >= bytes_max / 4) return false;
    while (c->count == STATEMENT_CACHE_COUNT || (c->count && c->bytes + bytes > bytes_max)) oldest_drop(c);
    skerry_clear_bindings(s);
    s->state = STMT_STATE_READY;
    s->row = NULL;
    s->cached = true;
    c->slots[c->count++] = (struct statement_cached){.stmt = s, .end = text_end(s->sql, s->sql_size), .size = s->sql_size,
                                                     .semicolon = s->program->semicolon, .literals = s->program->literal_count > 0,
                                                     .bytes = bytes, .used_at = ++c->clock};
    c->bytes += bytes;
    return true;
}

// The same text; or more of it, where the statement was ended by a semicolon.
static bool slot_fits(const struct statement_cached *slot, const char *sql, size_t size)
{
    if (slot->size != size && (slot->size > size || !slot->semicolon)) return false;
    return slot->end == text_end(sql, slot->size) && memcmp(slot->stmt->sql, sql, slot->size) == 0;
}

struct skerry_stmt *statement_cache_take(struct skerry *db, const char *sql, size_t size)
{
    struct statement_cache *c = &db->cache;
    cache_settle(db);
    for (u32 i = 0; i < c->count; i++) {
        struct skerry_stmt *s = c->slots[i].stmt;
        if (!slot_fits(&c->slots[i], sql, size) && !(c->slots[i].literals && statement_literals_set(s, sql, size))) continue;
        slot_remove(c, i);
        s->cached = false;
        s->repeats = true;
        s->counters = (struct skerry_stmt_counters){0};
        s->reprepare_count = 0;
        c->hits++;
        return s;
    }
    c->misses++;
    return NULL;
}
