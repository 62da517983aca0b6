// The map of what is here, and making it durable: the data first, then the map.
#include "remote_private.h"

#include <errno.h>
#include <sodium.h>

#define SAVE_PAGES 16384 // the map is made durable when so many have come, or after
#define SAVE_NS    1000000000ull
#define MAP_HASH   (REMOTE_MAP_HEADER_SIZE - 16)

// The map's header (REMOTE_HEADER_): magic, u32 page size, u32 pages, u64 lineage, u64 tx, s64 time, 16 bytes database
// id, u64 epoch of who wrote that state, zeros, and at its end BLAKE2b-128 of all before. Then a bit a page, the first
// page's the lowest, in whole chunks; then a chunk with the u64 of remote_changes and BLAKE2b-128 of it, or zeros.
static const char MAGIC[8] = {'S', 'K', 'R', 'Y', 'M', 'A', 'P', '2'};

void remote_mark(struct remote *r, u32 first, u32 last)
{
    for (u32 page = first; page <= MIN(last, r->page_count); page++) {
        u8 *byte = &r->map[(page - 1) / 8], bit = (u8)(1u << ((page - 1) % 8));
        if (*byte & bit) continue;
        *byte |= bit;
        r->map_dirty[(page - 1) / 8 / REMOTE_MAP_CHUNK] = 1;
        r->here++;
    }
}

void remote_came(struct remote *r, u32 first, u32 last)
{
    remote_mark(r, first, last);
    for (u32 page = first; page <= last; page++) r->came[(page - 1) / 8] |= (u8)(1u << ((page - 1) % 8));
    r->unsaved += last - first + 1;
}

void remote_wrote(struct remote *r, u32 first, u32 last)
{
    remote_mark(r, first, last);
    for (u32 page = first; page <= MIN(last, r->page_count); page++) {
        u8 bit = (u8)(1u << ((page - 1) % 8));
        r->written[(page - 1) / 8] |= bit;
        r->came[(page - 1) / 8] &= (u8)~bit;
    }
}

// ---- whether anything was written
// ------------------------------------------------------------------------------------------------

static u8 *changes(const struct remote *r)
{
    return r->map + (size_t)r->map_chunks * REMOTE_MAP_CHUNK;
}

static void changes_put(struct remote *r)
{
    io_random(r->io, changes(r), 8);
    crypto_generichash(changes(r) + 8, 16, changes(r), 8, NULL, 0);
}

void remote_changed(struct remote *r)
{
    if (r->changed) return;
    r->changed = true;
    changes_put(r);
    r->map_dirty[r->map_chunks] = 1;
}

void remote_changes_take(struct remote *r)
{
    u8 hash[16];
    crypto_generichash(hash, 16, changes(r), 8, NULL, 0);
    if (be64_get(changes(r)) && memcmp(hash, changes(r) + 8, 16) != 0) changes_put(r); // torn: it is none that anybody knows
}

u64 remote_changes(const struct remote *r)
{
    return be64_get(changes(r));
}

// ---- making it durable
// ------------------------------------------------------------------------------------------------

void remote_header_make(const struct remote *r, u8 out[REMOTE_MAP_HEADER_SIZE])
{
    memset(out, 0, REMOTE_MAP_HEADER_SIZE);
    memcpy(out, MAGIC, 8);
    be32_put(out + REMOTE_HEADER_PAGE_SIZE, r->page_size);
    be32_put(out + REMOTE_HEADER_PAGES, r->page_count);
    be64_put(out + REMOTE_HEADER_LINEAGE, r->chain.catalog.lineage);
    be64_put(out + REMOTE_HEADER_TX, r->chain.tx);
    be64_put(out + REMOTE_HEADER_TIME, (u64)r->chain.time_ms);
    memcpy(out + REMOTE_HEADER_DATABASE, r->chain.catalog.database_id, 16);
    crypto_generichash(out + MAP_HASH, 16, out, MAP_HASH, NULL, 0);
}

bool remote_header_good(const u8 *h)
{
    u8 hash[16];
    crypto_generichash(hash, 16, h, MAP_HASH, NULL, 0);
    return memcmp(h, MAGIC, 8) == 0 && memcmp(hash, h + MAP_HASH, 16) == 0 && be32_get(h + REMOTE_HEADER_PAGE_SIZE) >= 512 &&
           be32_get(h + REMOTE_HEADER_PAGES) > 0;
}

static void syncs_release(struct remote *r, s64 result)
{
    for (struct held *h = r->syncs, *next; h; h = next) {
        next = h->next;
        completion_release(r->io, h->outer, result);
        free(h);
    }
    r->syncs = NULL;
}

static void map_round(struct remote *r)
{
    r->syncs = r->syncs_next;
    r->syncs_next = NULL;
    r->map_again = false;
    r->map_last = r->here == r->page_count && !r->closing && !r->unclaimed; // at the next start, else: what others know of the file is from before
    r->unsaved = 0;
    u32 count = 0;
    for (u32 i = 0; i <= r->map_chunks; i++) count += r->map_dirty[i];
    free(r->map_list);
    free(r->map_copy);
    r->map_list = malloc((count + 1) * sizeof *r->map_list);
    r->map_copy = malloc((count + 1) * (size_t)REMOTE_MAP_CHUNK);
    r->map_count = r->map_next = 0;
    if (!r->map_list || !r->map_copy) {
        syncs_release(r, -ENOMEM);
        return;
    }
    for (u32 i = 0; i <= r->map_chunks; i++) {
        if (!r->map_dirty[i]) continue;
        r->map_dirty[i] = 0;
        memcpy(r->map_copy + (size_t)r->map_count * REMOTE_MAP_CHUNK, r->map + (size_t)i * REMOTE_MAP_CHUNK, REMOTE_MAP_CHUNK);
        r->map_list[r->map_count++] = i;
    }
    r->map_step = MAP_DATA;
    io_file_sync(r->native, IO_SYNC_DATA, &r->map_done);
}

// What the round's map has is on the disk.
static void data_synced(struct remote *r)
{
    for (u32 i = 0; i < r->map_count; i++) {
        if (r->map_list[i] == r->map_chunks) continue; // that of remote_changes
        u8 *came = r->came + (size_t)r->map_list[i] * REMOTE_MAP_CHUNK;
        for (u32 k = 0; k < REMOTE_MAP_CHUNK; k++) came[k] &= (u8)~r->map_copy[(size_t)i * REMOTE_MAP_CHUNK + k];
    }
}

// What the sync should have covered may be lost although a later one succeeds. What came is fetched again; what was written is in
// the log as long as no sync is told to have covered it.
static void data_lost(struct remote *r, s64 result)
{
    for (u32 i = 0; i < r->map_chunks * REMOTE_MAP_CHUNK; i++) {
        r->map[i] &= (u8)~r->came[i];
        r->here -= (u32)__builtin_popcount(r->came[i]);
        r->came[i] = 0;
    }
    remote_pulls_lost(r);
    struct held **end = &r->syncs;
    while (*end) end = &(*end)->next;
    *end = r->syncs_next;
    r->syncs_next = NULL;
    if (!r->syncs) r->lost = result;
}

static void map_end(struct remote *r, s64 result)
{
    r->map_step = MAP_IDLE;
    if (result < 0) {
        for (u32 i = 0; i < r->map_count; i++) r->map_dirty[r->map_list[i]] = 1;
        remote_log(r, SYNC_LOG_ERROR, "hydrate.map", "%s cannot be written: %s", r->map_path, strerror((int)-result));
    }
    syncs_release(r, result < 0 ? result : 0);
    remote_run(r);
}

static void on_map(struct completion *c)
{
    struct remote *r = c->context;
    if (r->map_step == MAP_DATA) {
        if (c->result < 0)
            data_lost(r, c->result);
        else
            data_synced(r);
    }
    if (c->result < 0 && r->map_step < MAP_UNLINK) {
        map_end(r, c->result);
        return;
    }
    switch (r->map_step) {
    case MAP_IDLE: break;
    case MAP_DATA:
    case MAP_CHUNK:
        if (r->map_next < r->map_count) {
            u32 i = r->map_next++;
            r->map_step = MAP_CHUNK;
            io_file_write(r->map_file, r->map_copy + (size_t)i * REMOTE_MAP_CHUNK, REMOTE_MAP_CHUNK,
                          REMOTE_MAP_HEADER_SIZE + (u64)r->map_list[i] * REMOTE_MAP_CHUNK, &r->map_done);
            break;
        }
        r->map_step = MAP_SYNC;
        io_file_sync(r->map_file, IO_SYNC_DATA, &r->map_done);
        break;
    case MAP_SYNC:
        if (!r->map_last) {
            map_end(r, 0);
            break;
        }
        r->map_step = MAP_UNLINK;
        io_path_unlink(r->io, r->map_path, &r->map_done);
        break;
    case MAP_UNLINK:
        r->map_step = MAP_UNLINK_SYNC;
        io_path_sync_dir(r->io, r->folder, &r->map_done);
        break;
    case MAP_UNLINK_SYNC:
        r->map_step = MAP_CLOSE;
        io_file_close(r->map_file, &r->map_done);
        break;
    case MAP_CLOSE:
        r->map_file = NULL;
        r->whole = true;
        remote_log(r, SYNC_LOG_INFO, "hydrate.done", "all %u pages are here", r->page_count);
        map_end(r, 0);
        break;
    }
}

void remote_map_save(struct remote *r)
{
    r->map_again = true;
    remote_run(r);
}

void remote_claimed(struct remote *r)
{
    r->unclaimed = false;
    remote_run(r);
}

void remote_map_run(struct remote *r)
{
    if (r->map_step != MAP_IDLE) return;
    if (!r->map_file) {
        r->syncs = r->syncs_next; // the map went meanwhile: a sync of the data alone is left to do
        r->syncs_next = NULL;
        if (r->here == r->page_count) r->whole = true;
        if (r->syncs) {
            r->map_count = r->map_next = 0;
            r->map_last = false;
            r->map_step = MAP_SYNC;
            io_file_sync(r->native, IO_SYNC_DATA, &r->map_done);
        }
        return;
    }
    if (r->unsaved && !r->closing && r->save.state != COMPLETION_PENDING) io_timeout(r->io, SAVE_NS, &r->save);
    bool all = r->here == r->page_count && !remote_pulls_busy(r) && !r->closing && !r->unclaimed;
    if (r->map_again || r->syncs_next || r->unsaved >= SAVE_PAGES || all) map_round(r);
}

static void on_save_timer(struct completion *c)
{
    struct remote *r = c->context;
    if (!r->closing && r->unsaved && r->map_file) remote_map_save(r);
}

void remote_map_init(struct remote *r)
{
    completion_init(&r->map_done, on_map, r);
    completion_init(&r->save, on_save_timer, r);
}
