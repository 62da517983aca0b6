// Taking an encrypted file from one key to another while it is in use.
//
// The new master key counts as soon as both key slots are written: they name a new data key, made at random, beside the
// one before. From then on pages are sealed with the new one wherever they are written, and slice after slice, each an
// ordinary commit, the others are written again as they are. How far that has come is noted in a slot now and then, so
// that a process that is killed goes on there. When a checkpoint has brought the last of it into the database file, no
// page is left that needs the key before, and the slots are written without it.
//
// A file that is opened with its previous key, or whose slots say that this was under way, is gone on with in the
// background. Whoever reads holds it up only in the last step.
#include "pager.h"
#include "store_private.h"

#include <sodium.h>

#define SLICE_PAGES     64u
#define SLICES_PER_NOTE 16u
#define RETRY_NS        50000000u

enum rekey_step {
    REKEY_IDLE,
    REKEY_FIRST_SLOT, // of `next`
    REKEY_SECOND_SLOT,
    REKEY_PAGES,
    REKEY_COMMIT,
    REKEY_NOTE,
    REKEY_CHECKPOINT,
    REKEY_LAST_SLOT,
    REKEY_LAST_SLOT_TOO,
};

struct rekey {
    struct store *store;
    struct completion completion;
    struct op op;
    enum rekey_step step;
    struct key_slot next; // on its way to the disk
    bool fresh;           // it has a new data key
    struct store_key *wanted; // a further key, for when the slice under way is over
    struct txn *txn;
    pgno at;  // the first page that may be sealed with the key before
    pgno read; // the next page of the slice to read; UINT32_MAX: all are
    u64 done; // lsn of the last slice
    u32 slices;
    bool stopping;
    const struct op *asked_by;
    struct err err;
    u8 *buffer;
    struct iovec iov;
};

static void rekey_run(struct completion *c);

static void rekey_wake(struct waiter *w)
{
    struct rekey *r = CONTAINER_OF(w, struct rekey, op.waiter);
    if (r->completion.state != COMPLETION_PENDING) completion_post(r->store->io, &r->completion, 0);
}

static bool rekey_create(struct store *s)
{
    if (s->rekey) return true;
    struct rekey *r = calloc(1, sizeof *r);
    if (r) r->buffer = io_buffers_alloc(s->io, KEY_SLOT_SIZE);
    if (!r || !r->buffer) {
        free(r);
        return false;
    }
    r->store = s;
    r->err = ERR_CLEAR;
    completion_init(&r->completion, rekey_run, NULL);
    op_init(&r->op, s->io, rekey_wake);
    s->rekey = r;
    return true;
}

void rekey_destroy(struct store *s)
{
    struct rekey *r = s->rekey;
    if (!r) return;
    ASSERT(r->completion.state != COMPLETION_PENDING);
    txn_destroy(r->txn);
    op_deinit(&r->op);
    key_slot_wipe(&r->next);
    store_key_free(&r->wanted);
    io_buffers_free(s->io, r->buffer, KEY_SLOT_SIZE);
    free(r);
    s->rekey = NULL;
}

bool rekey_busy(const struct store *s)
{
    return s->rekey && (s->rekey->step != REKEY_IDLE || s->rekey->completion.state == COMPLETION_PENDING);
}

u32 store_rekey_left(const struct store *s)
{
    const struct rekey *r = s->rekey;
    if (!r || !s->codec.slot.previous) return 0;
    return s->durable.page_count >= r->at ? s->durable.page_count - r->at + 1 : 1;
}

// ---- slots -----------------------------------------------------------------------------------------

static void slot_write(struct rekey *r, enum rekey_step step)
{
    struct store *s = r->store;
    r->step = step;
    key_slot_write(&r->next, s->io, s->file, r->buffer, &r->iov, &r->completion);
}

// The slots with another master key, and with a new data key unless pages still have the one before the current one.
static err_code slots_begin(struct rekey *r, const struct store_key *key)
{
    struct store *s = r->store;
    r->next = s->codec.slot;
    if (key_slot_master(&r->next, key, s->io, &r->err) != ERR_OK) return r->err.code;
    r->fresh = !r->next.previous;
    if (r->fresh) {
        memcpy(r->next.keys[1], r->next.keys[0], sizeof r->next.keys[0]);
        io_random(s->io, r->next.keys[0], sizeof r->next.keys[0]);
        r->next.previous = r->next.generation++;
        r->next.progress = r->at = 1;
    }
    store_key_digest(s, key);
    slot_write(r, REKEY_FIRST_SLOT);
    return ERR_OK;
}

static void rekey_end(struct rekey *r)
{
    r->step = REKEY_IDLE;
    r->read = 0;
    if (r->txn) txn_rollback(r->txn);
    op_settle(&r->op);
    waiter_remove(&r->op.waiter);
    wait_list_wake_all(&r->store->waiters);
}

static void rekey_fail(struct rekey *r, s64 result, const char *what)
{
    if (result < 0) err_set_errno(&r->err, ERR_IOERR_WRITE, (int)-result, __func__, "disk I/O error: %s of %s failed", what, r->store->path);
    rekey_end(r);
}

// ---- pages -----------------------------------------------------------------------------------------

static void turn_later(struct rekey *r)
{
    io_timeout(r->store->io, RETRY_NS, &r->completion);
}

// Reads first, so that the write slot is then held for a moment only.
static io_status slice_read(struct rekey *r)
{
    struct txn *t = r->txn;
    IO_TRY(txn_begin_read(t, &r->op));
    pgno end = MIN((u64)txn_page_count(t), (u64)r->at + SLICE_PAGES - 1);
    for (pgno no = MAX(r->at, r->read); no <= end; no++) {
        struct page *p;
        if (no == txn_lock_page(t)) continue;
        IO_TRY(txn_page(t, &r->op, no, &p));
        page_unpin(p);
        r->read = no + 1;
    }
    txn_end_read(t);
    r->read = UINT32_MAX;
    return IO_DONE;
}

static io_status slice_gather(struct rekey *r)
{
    struct txn *t = r->txn;
    if (r->read != UINT32_MAX) IO_TRY(slice_read(r));
    IO_TRY(txn_begin_write(t, &r->op, UINT64_MAX));
    pgno end = MIN((u64)txn_page_count(t), (u64)r->at + SLICE_PAGES - 1);
    for (pgno no = r->at; no <= end; no++)
        if (no != txn_lock_page(t)) IO_TRY(txn_page_rewrite(t, &r->op, no));
    r->step = REKEY_COMMIT;
    r->read = 0;
    r->slices++;
    return IO_DONE;
}

static void slices_run(struct rekey *r)
{
    struct store *s = r->store;
    if (!r->txn) r->txn = txn_create(s);
    if (!r->txn) {
        turn_later(r);
        return;
    }
    while (r->step == REKEY_PAGES || r->step == REKEY_COMMIT) {
        bool pages = r->step == REKEY_PAGES;
        pgno count = pages ? 0 : MIN((u64)SLICE_PAGES, UINT32_MAX - (u64)r->at);
        io_status status = pages ? slice_gather(r) : txn_commit(r->txn, &r->op);
        if (status == IO_WAIT) return;
        op_settle(&r->op);
        if (status == IO_FAIL) {
            // Another life may do better; the key before is kept until then.
            if (r->err.code == ERR_OK) r->err = r->op.err;
            err_clear(&r->op.err);
            rekey_end(r);
            return;
        }
        if (pages) continue;
        r->at += count;
        r->done = s->durable.lsn;
        r->step = r->at > s->durable.page_count ? REKEY_CHECKPOINT : REKEY_PAGES;
        if (r->wanted || (r->step == REKEY_PAGES && r->slices % SLICES_PER_NOTE == 0)) break;
        if (r->step == REKEY_PAGES) { // others have their turn
            completion_post(s->io, &r->completion, 0);
            return;
        }
    }
    if (r->wanted || r->step != REKEY_PAGES) {
        completion_post(s->io, &r->completion, 0);
        return;
    }
    r->next = s->codec.slot;
    r->next.progress = r->at;
    slot_write(r, REKEY_NOTE);
}

// ---- the end ---------------------------------------------------------------------------------------

static void checkpoint_await(struct rekey *r)
{
    struct store *s = r->store;
    if (s->backfilled < r->done) {
        if (!checkpoint_busy(s) && !flush_busy(s)) (void)checkpoint_start(s);
        turn_later(r);
        return;
    }
    r->next = s->codec.slot;
    r->next.previous = r->next.progress = 0;
    sodium_memzero(r->next.keys[1], sizeof r->next.keys[1]);
    slot_write(r, REKEY_LAST_SLOT);
}

// ---- running ---------------------------------------------------------------------------------------

static void rekey_advance(struct rekey *r, s64 result)
{
    struct store *s = r->store;
    struct key_slot *slot = &s->codec.slot;
    switch (r->step) {
    case REKEY_IDLE: return;
    case REKEY_FIRST_SLOT:
        if (result < 0)
            rekey_fail(r, result, "writing a key slot");
        else
            slot_write(r, REKEY_SECOND_SLOT);
        return;
    case REKEY_SECOND_SLOT:
        // The first one counts already, whatever became of the second.
        if (result < 0) err_set_errno(&r->err, ERR_IOERR_WRITE, (int)-result, __func__, "disk I/O error: writing a key slot of %s failed", s->path);
        *slot = r->next;
        if (result < 0) slot->sequence--;
        r->step = r->stopping ? REKEY_IDLE : REKEY_PAGES;
        wait_list_wake_all(&s->waiters);
        if (r->stopping) return;
        break;
    case REKEY_NOTE:
        if (result < 0) {
            rekey_fail(r, result, "writing a key slot");
            return;
        }
        *slot = r->next;
        if (r->stopping) {
            rekey_end(r);
            return;
        }
        r->step = REKEY_PAGES;
        break;
    case REKEY_LAST_SLOT:
        if (result < 0)
            rekey_fail(r, result, "writing a key slot");
        else
            slot_write(r, REKEY_LAST_SLOT_TOO);
        return;
    case REKEY_LAST_SLOT_TOO:
        *slot = r->next;
        if (result < 0)
            rekey_fail(r, result, "writing a key slot");
        else
            rekey_end(r);
        if (result < 0) slot->sequence--;
        return;
    case REKEY_PAGES:
    case REKEY_COMMIT:
    case REKEY_CHECKPOINT: break;
    }
    if (r->wanted && r->step != REKEY_COMMIT && !(r->txn && txn_state_get(r->txn) != TXN_NONE)) {
        struct store_key *key = r->wanted;
        r->wanted = NULL;
        if (slots_begin(r, key) != ERR_OK) rekey_end(r);
        store_key_free(&key);
        return;
    }
    if (r->step == REKEY_CHECKPOINT)
        checkpoint_await(r);
    else
        slices_run(r);
}

static bool slot_under_way(const struct rekey *r)
{
    return r->step == REKEY_FIRST_SLOT || r->step == REKEY_SECOND_SLOT || r->step == REKEY_NOTE || r->step == REKEY_LAST_SLOT ||
           r->step == REKEY_LAST_SLOT_TOO;
}

// The next life goes on where this one was.
static void rekey_note_last(struct rekey *r)
{
    rekey_end(r);
    if (!r->store->codec.slot.previous || r->at <= r->store->codec.slot.progress || r->store->flush_failed) return;
    r->next = r->store->codec.slot;
    r->next.progress = r->at;
    slot_write(r, REKEY_NOTE);
}

static void rekey_run(struct completion *c)
{
    struct rekey *r = CONTAINER_OF(c, struct rekey, completion);
    if (r->stopping && !slot_under_way(r))
        rekey_note_last(r);
    else
        rekey_advance(r, c->result);
}

// Before closing: what is being written is waited for (rekey_busy), the rest is for the next life.
void rekey_stop(struct store *s)
{
    struct rekey *r = s->rekey;
    if (!r || r->stopping) return;
    r->stopping = true;
    if (r->step == REKEY_IDLE || slot_under_way(r)) return;
    if (r->txn) txn_rollback(r->txn);
    waiter_remove(&r->op.waiter);
    op_settle(&r->op);
    if (r->completion.state == COMPLETION_PENDING)
        io_cancel(s->io, &r->completion);
    else
        rekey_note_last(r);
}

void rekey_resume(struct store *s)
{
    const struct key_slot *slot = &s->codec.slot;
    if (s->codec.kind != CODEC_SEALED || s->read_only || !slot->sequence || (!s->rekey_wanted && !slot->previous) || !rekey_create(s)) return;
    struct rekey *r = s->rekey;
    r->at = MAX(slot->progress, 1u);
    r->step = REKEY_PAGES;
    if (s->rekey_wanted) {
        r->wanted = s->key;
        s->key = NULL;
        s->rekey_wanted = false;
    }
    completion_post(s->io, &r->completion, 0);
}

static io_status rekey_begin(struct store *s, struct op *op, const struct store_key *key)
{
    struct rekey *r = s->rekey;
    err_clear(&r->err);
    if (r->step == REKEY_IDLE && s->codec.slot.previous) r->step = REKEY_PAGES; // one that had failed
    if (r->step != REKEY_IDLE) {
        r->wanted = malloc(sizeof *r->wanted);
        if (!r->wanted) return IO_ERROR(&op->err, ERR_NOMEM, "out of memory");
        *r->wanted = *key;
        if (r->completion.state != COMPLETION_PENDING && !r->op.waiter.list) completion_post(s->io, &r->completion, 0);
    } else if (slots_begin(r, key) != ERR_OK) {
        op->err = r->err;
        return IO_FAIL;
    }
    r->asked_by = op;
    return store_step_wait(s, op);
}

io_status store_rekey(struct store *s, struct op *op, const struct store_key *key)
{
    if (s->codec.kind != CODEC_SEALED)
        return IO_ERROR(&op->err, ERR_ERROR, "%s is not encrypted: VACUUM INTO 'file:...?key=...' makes an encrypted copy",
                        s->in_memory ? "a database in memory" : s->path);
    if (key->kind == STORE_KEY_NONE)
        return IO_ERROR(&op->err, ERR_ERROR, "%s stays encrypted: VACUUM INTO 'file:...?key=' makes a copy that is not", s->path);
    if (s->read_only) return IO_ERROR(&op->err, ERR_READONLY, "attempt to write a readonly database");
    if (s->codec.slot.sequence < 2) {
        if (flush_busy(s) || s->first_page) return store_step_wait(s, op); // it is being made
        IO_TRY(key_slot_master(&s->codec.slot, key, s->io, &op->err) == ERR_OK ? IO_DONE : IO_FAIL);
        store_key_digest(s, key);
        return IO_DONE;
    }
    if (!rekey_create(s)) return IO_ERROR(&op->err, ERR_NOMEM, "out of memory");
    struct rekey *r = s->rekey;
    if (r->asked_by == op) {
        if (r->wanted || r->step == REKEY_FIRST_SLOT || r->step == REKEY_SECOND_SLOT) return store_step_wait(s, op);
        r->asked_by = NULL;
        if (r->err.code == ERR_OK) return IO_DONE;
        op->err = r->err;
        return IO_FAIL;
    }
    if (r->wanted || r->asked_by || slot_under_way(r)) return store_step_wait(s, op); // another's
    return rekey_begin(s, op, key);
}
