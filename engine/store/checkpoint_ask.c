// Checkpoints that are asked for, as SQLite's modes have them. All but PASSIVE and NOOP hold the write slot, so that
// nothing comes to the log meanwhile, and wait for what keeps them until the deadline: the writer, then readers of
// older commits. A hold of the backup's is not waited for: it may last for days.
//
// Unlike SQLite's, RESTART and TRUNCATE are not kept by readers of the newest commit: these read the database file.
#include "store_private.h"

static void ask_result(const struct store *s, struct checkpoint_result *out)
{
    u64 end = s->wal.base + s->wal.frame_count;
    out->log = true;
    out->wal_frames = (u32)(MIN(s->durable.lsn, end) - s->wal.base);
    out->checkpointed_frames = (u32)(s->backfilled - s->wal.base);
}

static io_status ask_wait(struct txn *t, struct op *op)
{
    wait_list_add(&t->store->waiters, &op->waiter);
    return IO_WAIT;
}

// One checkpoint of what may be copied now, after the one that is under way.
static io_status ask_run(struct txn *t, struct op *op)
{
    struct store *s = t->store;
    if (checkpoint_busy(s)) return ask_wait(t, op);
    if (!t->ask.started && checkpoint_start(s)) {
        t->ask.started = true;
        return ask_wait(t, op);
    }
    // What failed before another's try began is that one's to tell.
    const struct err *err = checkpoint_err(s);
    if (err->code == ERR_OK) return IO_DONE;
    op->err = *err;
    return IO_FAIL;
}

// Whether what is older than the newest commit, and in the way of `mode`, goes away in time.
static io_status ask_readers(struct txn *t, struct op *op, enum checkpoint_mode mode, u64 deadline_ns, bool *gone)
{
    struct store *s = t->store;
    *gone = s->backfilled == s->appended.lsn && (mode == CHECKPOINT_FULL || store_wal_restartable(s));
    if (*gone || s->writer != t) return IO_DONE;
    bool old_reader = store_horizon(s) < s->appended.lsn;
    if (!old_reader && (s->wal_reads_pending > 0 || checkpoint_busy(s))) return ask_wait(t, op);
    if (!old_reader || io_now_ns(s->io) >= deadline_ns) return IO_DONE;
    if (!txn_slot_wait(t, op, deadline_ns)) return IO_ERROR(&op->err, ERR_NOMEM, "out of memory");
    return IO_WAIT;
}

static io_status ask_advance(struct txn *t, struct op *op, enum checkpoint_mode mode, u64 deadline_ns,
                             struct checkpoint_result *out)
{
    struct store *s = t->store;
    struct wal *w = &s->wal;
    switch (t->ask.step) {
    case ASK_SLOT:
        if (mode > CHECKPOINT_PASSIVE) {
            io_status status = txn_slot_take(t, op, deadline_ns);
            if (status == IO_WAIT) return status;
            if (status == IO_FAIL && op->err.code != ERR_BUSY) return status;
            t->ask.busy = status == IO_FAIL; // then it is a passive one
            err_clear(&op->err);
        }
        t->ask.step = ASK_SETTLE;
        // fallthrough
    case ASK_SETTLE:
        if (s->writer == t && (flush_busy(s) || flush_ahead_busy(s) || s->appended.lsn != s->durable.lsn))
            return ask_wait(t, op);
        t->ask.step = ASK_RUN;
        // fallthrough
    case ASK_RUN:
        IO_TRY(ask_run(t, op));
        if (mode > CHECKPOINT_PASSIVE && !t->ask.busy) {
            bool gone;
            bool more = store_horizon(s) > s->backfilled;
            if (more && t->ask.started) {
                t->ask.started = false;
                return ask_advance(t, op, mode, deadline_ns, out);
            }
            IO_TRY(ask_readers(t, op, mode, deadline_ns, &gone));
            t->ask.busy = !gone;
        }
        t->ask.step = ASK_TRUNCATE;
        // fallthrough
    case ASK_TRUNCATE:
        if (mode == CHECKPOINT_TRUNCATE && !t->ask.busy) {
            if (flush_ahead_busy(s) || s->wal_truncating) return ask_wait(t, op);
            store_wal_reset_try(s);
            if (w->file && w->allocated > 0) {
                store_wal_truncate(s, 0);
                t->ask.step = ASK_TRUNCATED;
                return ask_wait(t, op);
            }
        }
        break;
    case ASK_TRUNCATED:
        if (s->wal_truncating) return ask_wait(t, op);
        break;
    }
    ask_result(s, out);
    out->busy = t->ask.busy;
    return IO_DONE;
}

void txn_checkpoint_end(struct txn *t)
{
    if (!t->asking) return;
    t->asking = false;
    txn_slot_leave(t);
    if (t->store->writer == t) txn_slot_release(t);
}

io_status txn_checkpoint(struct txn *t, struct op *op, enum checkpoint_mode mode, u64 deadline_ns,
                         struct checkpoint_result *out)
{
    struct store *s = t->store;
    *out = (struct checkpoint_result){0};
    if (!t->asking) {
        if (txn_state_get(t) != TXN_NONE || t->queued) return IO_ERROR(&op->err, ERR_LOCKED, "database table is locked");
        if (s->in_memory) return IO_DONE;
        if (s->read_only) return IO_ERROR(&op->err, ERR_READONLY, "attempt to write a readonly database");
        if (mode == CHECKPOINT_NOOP) {
            ask_result(s, out);
            return IO_DONE;
        }
        if (s->flush_failed) {
            op->err = s->flush_err;
            return IO_FAIL;
        }
        t->asking = true;
        t->snapshot = (struct mark){0};
        t->ask = (struct checkpoint_ask){.step = ASK_SLOT};
    }
    io_status status = ask_advance(t, op, mode, deadline_ns, out);
    if (status != IO_WAIT) txn_checkpoint_end(t);
    return status;
}
