// The store's small questions: what it is, positions in its log, statistics.
#include "store_private.h"

#include <errno.h>

bool store_disk_full(s64 result)
{
    return result == -ENOSPC || result == -EDQUOT || result == -EFBIG;
}

void store_auto_vacuum_set(struct store *s, enum auto_vacuum mode)
{
    s->options.auto_vacuum = (u8)mode;
}
enum auto_vacuum store_auto_vacuum(const struct store *s)
{
    return (enum auto_vacuum)s->options.auto_vacuum;
}
bool store_sealed(const struct store *s)
{
    return s->codec.kind == CODEC_SEALED;
}
void store_cache_resize(struct store *s, u64 bytes)
{
    if (s->state == STORE_OPEN && !s->in_memory) cache_resize(&s->cache, (u32)MIN(bytes / s->page_size, UINT32_MAX / 2));
}

void store_spill_seal(struct store *s)
{
    ASSERT(s->in_memory && s->appended.page_count == 0 && !s->writer);
    if (s->codec.kind == CODEC_SEALED) return;
    s->codec.kind = CODEC_SEALED;
    key_slot_fresh(&s->codec.slot, s->page_size, s->io);
    s->usable_size = s->page_size - codec_reserved(CODEC_SEALED);
}
bool store_read_only(const struct store *s)
{
    return s->read_only;
}

void store_refuse_writes(struct store *s, err_code code, const char *text)
{
    s->refusal_code = code;
    s->refusal = text;
}

// ---- the physical log --------------------------------------------------------------------------

static void position_make(const struct store *s, u64 lsn, pgno page_count,
                          struct store_position *out)
{
    u32 frame = lsn > s->wal.base ? (u32)(lsn - s->wal.base) : 0;
    struct wal_sum sum = frame && !s->in_memory ? s->wal.frames[frame - 1].sum : (struct wal_sum){0};
    *out = (struct store_position){
        .lsn = lsn,
        .wal_salt = {s->wal.salt[0], s->wal.salt[1]},
        .wal_frame = frame,
        .wal_sum = {sum.s1, sum.s2},
        .page_count = page_count,
    };
}

void store_position_get(struct store *s, struct store_position *out, struct waiter *on_commit)
{
    position_make(s, s->durable.lsn, s->durable.page_count, out);
    if (on_commit) wait_list_add(&s->on_commit, on_commit);
}

void txn_position_get(const struct txn *t, struct store_position *out)
{
    position_make(t->store, t->snapshot.lsn, t->snapshot.page_count, out);
}

bool store_position_find(struct store *s, const u32 wal_salt[2], u32 wal_frame,
                         struct store_position *out)
{
    const struct wal *w = &s->wal;
    bool begun = w->begun && wal_frame == 0 && w->base == 0 && memcmp(wal_salt, w->begun_salt, sizeof w->begun_salt) == 0;
    if (s->in_memory || wal_frame > s->durable.lsn - w->base) return false;
    if (memcmp(wal_salt, w->salt, sizeof w->salt) != 0 && !begun) return false;
    pgno page_count = wal_frame ? w->frames[wal_frame - 1].page_count : s->file_pages;
    if (page_count == 0) return false; // inside a commit
    position_make(s, w->base + wal_frame, page_count, out);
    return true;
}

static int pgno_compare(const void *a, const void *b)
{
    pgno x = *(const pgno *)a, y = *(const pgno *)b;
    return x < y ? -1 : x > y;
}

err_code store_pages_changed(struct store *s, u64 from_lsn, u64 to_lsn, pgno **out, u32 *count)
{
    const struct wal *w = &s->wal;
    *out = NULL;
    *count = 0;
    if (from_lsn == to_lsn) return ERR_OK;
    if (s->in_memory || from_lsn < w->base - s->past_count || to_lsn > s->durable.lsn ||
        from_lsn > to_lsn)
        return ERR_NOTFOUND;
    u32 size = (u32)(to_lsn - from_lsn), kept = 0;
    pgno *pages = malloc(size * sizeof *pages);
    if (!pages) return ERR_NOMEM;
    for (u32 i = 0; i < size; i++) {
        u64 lsn = from_lsn + i + 1;
        pages[i] = lsn > w->base ? w->frames[lsn - w->base - 1].no
                                 : s->past[s->past_count - (w->base - lsn) - 1];
    }
    qsort(pages, size, sizeof *pages, pgno_compare);
    for (u32 i = 0; i < size; i++) {
        if (i == 0 || pages[i] != pages[i - 1]) pages[kept++] = pages[i];
    }
    *out = pages;
    *count = kept;
    return ERR_OK;
}

void store_hold_by(struct store *s, enum store_holder holder, u64 lsn)
{
    s->holds[holder] = lsn;
    lsn = MIN(s->holds[STORE_HOLD_BACKUP], s->holds[STORE_HOLD_REPLICAS]);
    s->hold = lsn;
    // What the log's past holds of lsn and before is no longer wanted.
    u64 wanted = lsn < s->wal.base ? s->wal.base - lsn : 0;
    if (wanted >= s->past_count) return;
    memmove(s->past, s->past + (s->past_count - wanted), wanted * sizeof *s->past);
    s->past_count = (u32)wanted;
}

// ---- statistics --------------------------------------------------------------------------------

void store_stats_get(const struct store *s, struct store_stats *out)
{
    *out = (struct store_stats){
        .page_size = s->page_size,
        .cache_bytes_max = (u64)s->cache.frames_max * s->page_size,
        .cache_evictions = s->cache.evictions,
        .cache_bytes = (u64)s->cache.arena_count * s->cache.arena_frames * s->page_size,
        .cache_hits = s->cache.hits,
        .cache_misses = s->cache.misses,
        .wal_frames = s->wal.frame_count,
        .wal_bytes = s->wal.allocated,
        .commits = s->commits,
        .syncs = s->syncs,
        .checkpoints = s->checkpoints,
        .readers = s->snapshot_count,
        .oldest_reader_lsn = s->snapshots_first ? s->snapshots_first->snapshot.lsn : s->durable.lsn,
        .newest_lsn = s->durable.lsn,
        .hold_lsn = s->hold,
        .wal_failed = s->flush_failed,
        .wal_held = s->wal_held_by,
        .wal_held_ns = s->wal_held_by == STORE_WAL_FREE ? 0 : MAX(io_now_ns(s->io) - s->wal_held_since_ns, 1),
        .readers_let_go = s->readers_let_go,
    };
}
