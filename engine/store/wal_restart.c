// The log's restart: when all of it is in the database file and nobody reads it, it begins again at its first
// frame. In memory only; the file is overwritten by the next flush. As with SQLite, that is done by the first
// writer who finds it so.
//
// What keeps a long log from that is told (store_stats.wal_held): an old reader, or a hold of the backup's. Readers are let
// go when the log has come to store_options.wal_bytes_max: first those whose snapshot is in its older half, at twice
// the length all that hold it back. What they ask for next gives ERR_BUSY_SNAPSHOT.
#include "store_private.h"

#define GATE_FACTOR 4u
#define HELD_FACTOR 16u

// A hold that follows closely behind a steady stream of commits would never let the WAL start
// again. When it has become very long the rest behind the hold is remembered instead, by the
// numbers of the changed pages.
bool store_wal_held(const struct store *s)
{
    u64 newest = s->durable.lsn;
    if (s->hold >= newest) return false;
    return s->wal.frame_count < HELD_FACTOR * (u64)s->options.checkpoint_frames ||
           newest - s->hold > s->wal.frame_count / 4;
}

// Remembers what the frames behind the hold changed. False when out of memory.
static bool past_keep(struct store *s)
{
    const struct wal *w = &s->wal;
    u64 end = w->base + w->frame_count;
    if (s->hold >= end) {
        s->past_count = 0;
        return true;
    }
    u32 old = s->hold < w->base ? s->past_count : 0, first = 0;
    if (s->hold > w->base) first = (u32)(s->hold - w->base);
    u32 count = w->frame_count - first;
    pgno *past = realloc(s->past, ((size_t)old + count) * sizeof *past);
    if (!past) return false;
    for (u32 i = 0; i < count; i++) past[old + i] = w->frames[first + i].no;
    s->past = past;
    s->past_count = old + count;
    return true;
}

// Nothing but the file's overwriting is left to be done.
bool store_wal_restartable(const struct store *s)
{
    u64 newest = s->appended.lsn;
    return s->backfilled == newest && s->durable.lsn == newest && store_horizon(s) == newest && !store_wal_held(s) &&
           s->wal_reads_pending == 0 && !flush_busy(s) && !checkpoint_busy(s) && !s->flush_failed;
}

void store_wal_reset_try(struct store *s)
{
    struct wal *w = &s->wal;
    if (w->frame_count == 0 || s->in_memory || s->read_only) return;
    if (!store_wal_restartable(s) || !past_keep(s)) return;
    for (u32 i = 0; i < w->frame_count; i++) {
        if (w->frames[i].previous == 0) cache_page_settle(&s->cache, w->frames[i].no);
    }
    u32 salt;
    io_random(s->io, &salt, sizeof salt);
    wal_restart(w, salt);
    s->wal_held_by = STORE_WAL_FREE;
}

// Writers in a steady stream would never leave the WAL a moment in which all of it is in the
// database file. When it has grown to several times the length at which a checkpoint starts, the
// next writer waits for the flush and the checkpoint under way; unless a reader or a hold would
// keep the WAL from starting again all the same, or that writer wants no checkpoints (frames is 0).
bool store_wal_gate(struct store *s, u32 frames)
{
    struct wal *w = &s->wal;
    if (!frames || w->frame_count < (u64)GATE_FACTOR * frames || s->gate_broken || s->flush_failed) return false;
    if (store_wal_held(s) || store_horizon(s) < s->durable.lsn) return false;
    if (flush_busy(s) || checkpoint_busy(s) || s->wal_reads_pending > 0) return true;
    if (s->appended.lsn == s->durable.lsn && s->backfilled == s->durable.lsn) {
        store_wal_reset_try(s);
        return false;
    }
    if (checkpoint_start(s)) return true;
    s->gate_broken = true; // until a checkpoint goes well
    return false;
}

// ---- its length ------------------------------------------------------------------------------------------------

static u64 wal_bytes(const struct wal *w)
{
    return wal_frame_offset(w, w->frame_count + 1);
}

static void reader_let_go(struct txn *t)
{
    struct store *s = t->store;
    struct err err = ERR_CLEAR;
    err_set(&err, ERR_BUSY_SNAPSHOT, __func__,
            "database is locked: this transaction's snapshot was let go, since it has kept %s from being shortened and "
            "that has come to its limit of %llu bytes; begin it again",
            s->path_wal, (unsigned long long)s->options.wal_bytes_max);
    txn_doom(t, &err);
    txn_snapshot_drop(t);
    s->readers_let_go++;
}

static void readers_limit(struct store *s)
{
    const struct wal *w = &s->wal;
    u64 bytes = wal_bytes(w), max = s->options.wal_bytes_max;
    if (!max || bytes <= max) return;
    u64 keep = bytes > 2 * max ? s->durable.lsn : w->base + w->frame_count / 2;
    // The list's first ones are the oldest; who has the write slot stands on the newest commit.
    while (s->snapshots_first && s->snapshots_first->snapshot.lsn < keep) reader_let_go(s->snapshots_first);
}

void store_wal_watch(struct store *s)
{
    readers_limit(s);
    enum store_wal_held by = STORE_WAL_FREE;
    if (s->wal.frame_count >= GATE_FACTOR * (u64)s->options.checkpoint_frames) {
        if (store_wal_held(s)) by = STORE_WAL_HELD_BACKUP;
        if (store_horizon(s) < s->durable.lsn) by = STORE_WAL_HELD_READER;
    }
    // Once held, it is until it starts again.
    if (by == STORE_WAL_FREE) return;
    if (s->wal_held_by == STORE_WAL_FREE) s->wal_held_since_ns = io_now_ns(s->io);
    s->wal_held_by = by;
}

// PRAGMA journal_size_limit, as SQLite does it: the file is cut after the first commit to a log that has started again.
static void wal_truncated(struct completion *c)
{
    struct store *s = CONTAINER_OF(c, struct store, wal_truncation);
    if (c->result >= 0) s->wal.allocated = s->wal_truncate_to;
    s->wal_truncating = false;
    wait_list_wake_all(&s->waiters);
}

void store_wal_truncate(struct store *s, u64 size)
{
    ASSERT(!s->wal_truncating && !flush_ahead_busy(s));
    s->wal_truncating = true; // flushes wait
    s->wal_truncate_to = size;
    completion_init(&s->wal_truncation, wal_truncated, NULL);
    io_file_truncate(s->wal.file, size, &s->wal_truncation);
}
