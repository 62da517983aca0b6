// The life of a restore: what is there already, the chain, the pages, and the file's name at the end.
#include "restore_private.h"

#include "sync.h"

#include <errno.h>
#include <sodium.h>

#define SAVE_INTERVAL_NS 3000000000u
#define CHECK_SIZE       (1u << 20)
#define STATE_SIZE_MAX   (1u << 29)
#define REPLANS_MAX      10u

typedef unsigned long long ull;

static void on_any(struct completion *c)
{
    restore_run(c->context);
}

// ---- what an earlier restore left
// -------------------------------------------------------------------------------

// OUT.restoring.state: magic, u64 lineage, u64 tx, u32 pages, u32 page size, 32 bytes hash of the level 0 segment of
// tx, a bit a page, and BLAKE2b-256 of all before.
#define STATE_HEADER 64u
static const char STATE_MAGIC[8] = {'S', 'K', 'R', 'Y', 'R', 'S', 'T', '2'};

// What is written, durable or not yet, as bytes to keep in the state file.
static u8 *restore_state_encode(const struct restore *r, size_t *size)
{
    const struct restore_private *p = r->private_;
    size_t bits = ((size_t)r->page_count + 7) / 8;
    *size = STATE_HEADER + bits + 32;
    u8 *bytes = calloc(*size, 1);
    if (!bytes) return NULL;
    memcpy(bytes, STATE_MAGIC, 8);
    be64_put(bytes + 8, p->chain.catalog.lineage);
    be64_put(bytes + 16, r->tx);
    be32_put(bytes + 24, r->page_count);
    be32_put(bytes + 28, r->page_size);
    memcpy(bytes + 32, p->chain.tip, 32);
    memcpy(bytes + STATE_HEADER, p->done, bits);
    crypto_generichash(bytes + STATE_HEADER + bits, 32, bytes, STATE_HEADER + bits, NULL, 0);
    return bytes;
}

// Takes over what an earlier restore wrote, when that is part of what is asked for now.
static bool restore_state_take(struct restore *r, const u8 *bytes, size_t size)
{
    struct restore_private *p = r->private_;
    u8 hash[32];
    if (size < STATE_HEADER + 32 || memcmp(bytes, STATE_MAGIC, 8) != 0) return false;
    u32 pages = be32_get(bytes + 24);
    size_t bits = ((size_t)pages + 7) / 8;
    if (size != STATE_HEADER + bits + 32) return false;
    crypto_generichash(hash, sizeof hash, bytes, STATE_HEADER + bits, NULL, 0);
    u64 tx = be64_get(bytes + 16);
    if (memcmp(hash, bytes + STATE_HEADER + bits, sizeof hash) != 0 || be64_get(bytes + 8) != p->chain.catalog.lineage ||
        be32_get(bytes + 28) != r->page_size || tx > r->tx || p->chain.members[0].tx_max > tx)
        return false;
    if (tx == r->tx && memcmp(bytes + 32, p->chain.tip, 32) != 0) return false;
    // Pages of segments behind that state are written again; the others are what they were.
    for (p->resume_member = p->chain.count; p->chain.members[p->resume_member - 1].tx_max > tx;) p->resume_member--;
    p->resume_pages = MIN(pages, r->page_count);
    p->resume = malloc(bits + 1);
    if (!p->resume) return false;
    memcpy(p->resume, bytes + STATE_HEADER, bits);
    return true;
}

// ---- steps
// ----------------------------------------------------------------------------------------------------

// Runs one operation of a step: submitted the first time, its result the second.
static bool arrived(struct restore_private *p)
{
    if (p->c.state == COMPLETION_PENDING) return false;
    p->submitted = false;
    return true;
}

// A log that is left of what had this name would be taken for the new file's.
static io_status step_look(struct restore *r)
{
    struct restore_private *p = r->private_;
    const char *const paths[] = {p->out_path, p->wal, p->journal};
    for (; p->look < COUNT_OF(paths) && !p->options.overwrite; p->look++) {
        if (!p->submitted) {
            p->submitted = true;
            io_path_stat(p->io, paths[p->look], &p->info, &p->c);
            return IO_WAIT;
        }
        if (!arrived(p)) return IO_WAIT;
        if (p->c.result < 0) continue;
        if (p->look)
            return IO_ERROR(&r->err, ERR_CANTOPEN, "%s is there, left of another database; move it away, or restore with --overwrite",
                            paths[p->look]);
        return IO_ERROR(&r->err, ERR_CANTOPEN, "%s is there already; a restore overwrites a file only when told to (--overwrite)",
                        p->out_path);
    }
    p->step = RESTORE_STATE;
    return IO_DONE;
}

static io_status step_state(struct restore *r)
{
    struct restore_private *p = r->private_;
    struct err err = ERR_CLEAR;
    io_status status = small_file_read(&p->small, p->state_path, STATE_SIZE_MAX, &err);
    if (status == IO_WAIT) return status;
    if (status == IO_DONE) {
        p->state = p->small.bytes;
        p->state_size = p->small.size;
        p->small.bytes = NULL;
    }
    p->step = RESTORE_CHAIN;
    return IO_DONE;
}

static io_status step_chain(struct restore *r)
{
    struct restore_private *p = r->private_;
    if (!p->chain_started) {
        p->chain_started = true;
        completion_init(&p->chain.done, on_any, r);
        chain_start(&p->chain, &(struct chain_options){.io = p->io,
                                                       .objects = p->options.objects,
                                                       .database = p->name,
                                                       .master = &p->options.key,
                                                       .tx = p->options.tx,
                                                       .time_ms = p->options.time_ms,
                                                       .lineage = p->options.lineage,
                                                       .known = p->key,
                                                       .known_lineage = p->key_lineage,
                                                       .tries = RESTORE_TRIES});
        return IO_WAIT;
    }
    if (p->chain.done.state == COMPLETION_PENDING || p->chain.done.state == COMPLETION_IDLE) return IO_WAIT;
    if (p->chain.err.code != ERR_OK) {
        r->err = p->chain.err;
        return IO_FAIL;
    }
    p->step = RESTORE_PREPARE;
    return IO_DONE;
}

static io_status step_prepare(struct restore *r)
{
    struct restore_private *p = r->private_;
    const struct chain *c = &p->chain;
    r->tx = c->tx;
    r->time_ms = c->time_ms;
    r->page_count = c->page_count;
    r->page_size = c->page_size;
    r->segments = c->count;
    u32 lock = segment_lock_page(r->page_size);
    r->pages_total = r->page_count - (r->page_count >= lock);
    if (!p->workers && !(p->workers = workers_create(p->io, MIN(p->options.threads, WORKER_THREADS_MAX), &r->err))) return IO_FAIL;
    if (!restore_pages_prepare(r)) return IO_ERROR(&r->err, ERR_NOMEM, "out of memory");
    // A sealed file has a data key of its own, which is not kept outside of it: it is begun anew.
    p->resumed = p->state && !p->sealed && restore_state_take(r, p->state, p->state_size);
    free(p->state);
    p->state = NULL;
    p->step = p->options.discard ? RESTORE_PAGES : RESTORE_CREATE;
    return IO_DONE;
}

static io_status step_create(struct restore *r)
{
    struct restore_private *p = r->private_;
    if (!p->submitted) {
        p->submitted = true;
        io_file_open(p->io, p->aside, IO_OPEN_WRITE | IO_OPEN_CREATE, &p->file, &p->c);
        return IO_WAIT;
    }
    if (!arrived(p)) return IO_WAIT;
    if (p->c.result < 0) {
        p->file = NULL;
        return IO_ERROR(&r->err, ERR_CANTOPEN, "%s cannot be created: %s", p->aside, strerror((int)-p->c.result));
    }
    if (io_file_lock(p->file, 0x40000000u, 1, IO_LOCK_EXCLUSIVE) != 0)
        return IO_ERROR(&r->err, ERR_BUSY, "%s is being written by another restore", p->aside);
    if (store_seals(&p->database_key, r->page_count)) {
        struct io_file *sealed = store_sealed_file(p->file, r->page_size, &p->database_key, &r->err);
        if (!sealed) return IO_FAIL;
        p->file = sealed;
    }
    p->saved_ns = io_now_ns(p->io);
    p->step = RESTORE_ALLOCATE;
    return IO_DONE;
}

static io_status step_allocate(struct restore *r)
{
    struct restore_private *p = r->private_;
    u64 size = (u64)r->page_count * r->page_size;
    if (!p->submitted) {
        p->submitted = true;
        io_file_allocate(p->file, 0, size, &p->c);
        return IO_WAIT;
    }
    if (!arrived(p)) return IO_WAIT;
    if (p->c.result == -ENOSPC || p->c.result == -EDQUOT || p->c.result == -EFBIG)
        return IO_ERROR(&r->err, ERR_FULL, "%s cannot be as large as the database, %llu bytes: %s", p->aside, (ull)size, strerror((int)-p->c.result));
    p->step = !p->sealed && r->page_size % ITEM_ALIGNMENT == 0 ? RESTORE_DIRECT : RESTORE_PAGES;
    return IO_DONE;
}

static io_status step_direct(struct restore *r)
{
    struct restore_private *p = r->private_;
    if (!p->submitted) {
        p->submitted = true;
        io_file_open(p->io, p->aside, IO_OPEN_WRITE | IO_OPEN_DIRECT, &p->direct, &p->c);
        return IO_WAIT;
    }
    if (!arrived(p)) return IO_WAIT;
    if (p->c.result < 0) p->direct = NULL;
    p->step = RESTORE_PAGES;
    return IO_DONE;
}

static io_status write_failed(struct restore *r, const char *path, s64 result)
{
    err_code code = result == -EEXIST ? ERR_CANTOPEN : result == -ENOSPC ? ERR_FULL : ERR_IOERR_WRITE;
    return IO_ERROR(&r->err, code, "%s cannot be written: %s", path, strerror((int)-result));
}

// Notes what is written, now and then, beside the restoring. That it cannot be noted costs a later restore some time.
static bool save_run(struct restore *r, bool again)
{
    struct restore_private *p = r->private_;
    struct err err = ERR_CLEAR;
    switch (p->save) {
    case SAVE_NONE:
        if (!again || p->options.discard || p->sealed || p->resume) return true;
        if (!(p->save_bytes = restore_state_encode(r, &p->save_size))) return true;
        p->save = SAVE_SYNC;
        io_file_sync(p->file, IO_SYNC_DATA, &p->save_sync);
        return false;
    case SAVE_SYNC:
        if (p->save_sync.state == COMPLETION_PENDING) return false;
        p->save = SAVE_WRITE;
        // What it should have covered may be lost although a later one succeeds: nothing that was written is gone on with.
        if (p->save_sync.result < 0) {
            p->lost = true;
            (void)write_failed(r, p->aside, p->save_sync.result);
            break;
        }
        // fall through
    case SAVE_WRITE:
        if (small_file_write(&p->small, p->state_path, p->save_bytes, p->save_size, &err) == IO_WAIT) return false;
        break;
    }
    free(p->save_bytes);
    p->save_bytes = NULL;
    p->save = SAVE_NONE;
    p->saved_ns = io_now_ns(p->io);
    return true;
}

static io_status step_pages(struct restore *r)
{
    struct restore_private *p = r->private_;
    bool saved = p->options.discard || save_run(r, io_now_ns(p->io) - p->saved_ns > SAVE_INTERVAL_NS);
    if (p->lost) return IO_FAIL;
    IO_TRY(restore_pages(r));
    if (!saved) return IO_WAIT;
    if (r->pages_done != r->pages_total)
        return IO_ERROR(&r->err, ERR_STORE_CORRUPT, "the segments of '%s' hold only %llu of its %llu pages; run skerry backup verify",
                        p->name, (ull)r->pages_done, (ull)r->pages_total);
    if (!p->resumed && p->sum != p->chain.sum)
        return IO_ERROR(&r->err, ERR_STORE_CORRUPT, "what was restored of '%s' does not match the database's sum; run skerry backup verify",
                        p->name);
    p->check_page = 1;
    p->sum = 0;
    p->step = p->resumed ? RESTORE_CHECK : p->options.discard ? RESTORE_FINISHED : RESTORE_TRUNCATE;
    return IO_DONE;
}

static io_status step_check(struct restore *r)
{
    struct restore_private *p = r->private_;
    u32 pages = CHECK_SIZE / r->page_size, lock = segment_lock_page(r->page_size);
    if (!p->check_bytes && !(p->check_bytes = malloc(CHECK_SIZE))) return IO_ERROR(&r->err, ERR_NOMEM, "out of memory");
    if (p->check_page > r->page_count) {
        if (p->sum == p->chain.sum) {
            p->step = RESTORE_TRUNCATE;
            return IO_DONE;
        }
        return IO_ERROR(&r->err, ERR_STORE_CORRUPT,
                        "what this restore and an earlier one wrote to %s does not match the database's sum; both are thrown away: "
                        "restore again",
                        p->aside);
    }
    u32 count = MIN(pages, r->page_count - p->check_page + 1);
    if (!p->submitted) {
        p->submitted = true;
        io_file_read(p->file, p->check_bytes, (size_t)count * r->page_size, (u64)(p->check_page - 1) * r->page_size, &p->c);
        return IO_WAIT;
    }
    if (!arrived(p)) return IO_WAIT;
    if (p->c.result != (s64)((u64)count * r->page_size) && p->check_page + count - 1 != lock)
        return IO_ERROR(&r->err, ERR_IOERR_READ, "%s cannot be read back: %s", p->aside,
                        p->c.result < 0 ? strerror((int)-p->c.result) : "it ends too early");
    for (u32 i = 0; i < count; i++)
        if (p->check_page + i != lock)
            p->sum ^= segment_page_sum(p->check_page + i, p->check_bytes + (size_t)i * r->page_size, r->page_size);
    p->check_page += count;
    return IO_DONE;
}

static enum restore_step step_after(const struct restore_private *p)
{
    switch (p->step) {
    case RESTORE_TRUNCATE: return RESTORE_SYNC;
    case RESTORE_SYNC: return RESTORE_CLOSE;
    case RESTORE_CLOSE: return p->file ? RESTORE_CLOSE : p->options.overwrite ? RESTORE_UNLINK_WAL : RESTORE_NAME;
    case RESTORE_UNLINK_WAL: return RESTORE_UNLINK_JOURNAL;
    case RESTORE_UNLINK_JOURNAL: return RESTORE_NAME;
    case RESTORE_NAME: return p->link ? RESTORE_UNLINK_ASIDE : RESTORE_SYNC_DIR;
    case RESTORE_UNLINK_ASIDE: return RESTORE_SYNC_DIR;
    case RESTORE_SYNC_DIR: return RESTORE_UNLINK_STATE;
    case RESTORE_FAIL_SYNC: return p->keep ? RESTORE_FAIL_STATE : RESTORE_FAIL_CLOSE;
    case RESTORE_FAIL_CLOSE: return p->file ? RESTORE_FAIL_CLOSE : p->keep ? RESTORE_FINISHED : RESTORE_FAIL_UNLINK;
    case RESTORE_FAIL_UNLINK: return RESTORE_FAIL_UNLINK_STATE;
    default: return RESTORE_FINISHED;
    }
}

static void operation_submit(struct restore *r)
{
    struct restore_private *p = r->private_;
    struct io_file **open = p->direct ? &p->direct : &p->file;
    switch (p->step) {
    case RESTORE_TRUNCATE: io_file_truncate(p->file, (u64)r->page_count * r->page_size, &p->c); break;
    case RESTORE_SYNC: io_file_sync(p->file, IO_SYNC_FULL, &p->c); break;
    case RESTORE_FAIL_SYNC: io_file_sync(p->file, IO_SYNC_DATA, &p->c); break;
    case RESTORE_CLOSE:
    case RESTORE_FAIL_CLOSE:
        io_file_close(*open, &p->c);
        *open = NULL;
        break;
    case RESTORE_UNLINK_WAL: io_path_unlink(p->io, p->wal, &p->c); break;
    case RESTORE_UNLINK_JOURNAL: io_path_unlink(p->io, p->journal, &p->c); break;
    case RESTORE_NAME:
        if (p->options.overwrite)
            io_path_rename(p->io, p->aside, p->out_path, &p->c);
        else if (p->link)
            io_path_link(p->io, p->aside, p->out_path, &p->c);
        else
            io_path_rename_new(p->io, p->aside, p->out_path, &p->c);
        break;
    case RESTORE_UNLINK_ASIDE: io_path_unlink(p->io, p->aside, &p->c); break;
    case RESTORE_SYNC_DIR: io_path_sync_dir(p->io, p->folder, &p->c); break;
    case RESTORE_UNLINK_STATE:
    case RESTORE_FAIL_UNLINK_STATE: io_path_unlink(p->io, p->state_path, &p->c); break;
    case RESTORE_FAIL_UNLINK: io_path_unlink(p->io, p->aside, &p->c); break;
    default: ASSERT(false);
    }
}

// The steps that are one operation each, in order.
static io_status step_operation(struct restore *r)
{
    struct restore_private *p = r->private_;
    if (!p->submitted) {
        p->submitted = true;
        operation_submit(r);
        return IO_WAIT;
    }
    if (!arrived(p)) return IO_WAIT;
    if (p->step == RESTORE_NAME && !p->link && (p->c.result == -EINVAL || p->c.result == -ENOSYS)) {
        p->link = true; // a file system that cannot rename so
        return IO_DONE;
    }
    bool unlinks = p->step == RESTORE_UNLINK_WAL || p->step == RESTORE_UNLINK_JOURNAL;
    bool must = p->step == RESTORE_TRUNCATE || p->step == RESTORE_SYNC || p->step == RESTORE_CLOSE || p->step == RESTORE_NAME ||
                p->step == RESTORE_SYNC_DIR || unlinks;
    if (p->c.result < 0 && must && !(unlinks && p->c.result == -ENOENT)) {
        const char *path = unlinks ? p->step == RESTORE_UNLINK_WAL ? p->wal : p->journal : p->out_path;
        return write_failed(r, path, p->c.result);
    }
    if (p->c.result < 0 && p->step == RESTORE_FAIL_SYNC) p->keep = false;
    p->step = step_after(p);
    return IO_DONE;
}

static io_status step_fail_state(struct restore *r)
{
    struct restore_private *p = r->private_;
    struct err err = ERR_CLEAR;
    if (!p->resume && !p->save_bytes) p->save_bytes = restore_state_encode(r, &p->save_size);
    if (p->save_bytes && small_file_write(&p->small, p->state_path, p->save_bytes, p->save_size, &err) == IO_WAIT) return IO_WAIT;
    p->step = RESTORE_FAIL_CLOSE;
    return IO_DONE;
}

// ---- running
// --------------------------------------------------------------------------------------------------

static io_status step_run(struct restore *r)
{
    switch (r->private_->step) {
    case RESTORE_LOOK: return step_look(r);
    case RESTORE_STATE: return step_state(r);
    case RESTORE_CHAIN: return step_chain(r);
    case RESTORE_PREPARE: return step_prepare(r);
    case RESTORE_CREATE: return step_create(r);
    case RESTORE_ALLOCATE: return step_allocate(r);
    case RESTORE_DIRECT: return step_direct(r);
    case RESTORE_PAGES: return step_pages(r);
    case RESTORE_CHECK: return step_check(r);
    case RESTORE_FAIL_STATE: return step_fail_state(r);
    case RESTORE_TRUNCATE:
    case RESTORE_SYNC:
    case RESTORE_CLOSE:
    case RESTORE_UNLINK_WAL:
    case RESTORE_UNLINK_JOURNAL:
    case RESTORE_NAME:
    case RESTORE_UNLINK_ASIDE:
    case RESTORE_SYNC_DIR:
    case RESTORE_UNLINK_STATE:
    case RESTORE_FAIL_SYNC:
    case RESTORE_FAIL_CLOSE:
    case RESTORE_FAIL_UNLINK:
    case RESTORE_FAIL_UNLINK_STATE: return step_operation(r);
    case RESTORE_FINISHED: return IO_WAIT;
    }
    return IO_WAIT;
}

static bool busy(struct restore *r)
{
    struct restore_private *p = r->private_;
    bool chain = p->chain_started && p->chain.done.state != COMPLETION_DONE;
    return restore_pages_busy(r) || chain || small_file_busy(&p->small) || p->save_sync.state == COMPLETION_PENDING ||
           p->c.state == COMPLETION_PENDING;
}

// After an error everything that is under way comes back before anything else is done.
static bool fail_settle(struct restore *r)
{
    struct restore_private *p = r->private_;
    if (!p->failing) {
        p->failing = true;
        restore_pages_cancel(r);
        if (p->chain_started) chain_cancel(&p->chain);
    }
    if (busy(r)) return false;
    if (p->save != SAVE_NONE && !save_run(r, false)) return false;
    p->submitted = false;
    p->replan = r->err.code == ERR_STORE_MISSING && p->step == RESTORE_PAGES && r->replans < REPLANS_MAX;
    bool resumable = p->file && !p->lost && p->step == RESTORE_PAGES && r->pages_done && !p->sealed &&
                     (p->replan || object_error_passes(&r->err) || r->err.code == ERR_CANCELLED || r->err.code == ERR_STORE_DENIED);
    bool foreign = r->err.code == ERR_BUSY; // another restore's file
    bool before = p->step < RESTORE_CREATE;
    bool earlier = p->resumed && p->step >= RESTORE_CREATE && p->step < RESTORE_PAGES; // what another wrote, and this one has not touched
    p->keep = resumable || foreign || earlier;
    p->step = resumable ? RESTORE_FAIL_SYNC
              : before  ? RESTORE_FINISHED
              : p->file ? RESTORE_FAIL_CLOSE
              : p->keep ? RESTORE_FINISHED
                        : RESTORE_FAIL_UNLINK;
    return true;
}

// An object of the chain was merged into others, or let go: what is there now is planned anew, as by a restore that goes on
// with what this one has written.
static void plan_again(struct restore *r)
{
    struct restore_private *p = r->private_;
    restore_pages_deinit(r);
    p->key = p->chain.catalog.key;
    p->key_lineage = p->chain.catalog.lineage;
    chain_deinit(&p->chain);
    free(p->resume);
    free(p->save_bytes);
    p->resume = p->save_bytes = NULL;
    p->chain_started = p->resumed = p->failing = p->settled = p->keep = p->replan = p->lost = false;
    p->sum = 0;
    r->pages_done = r->pages_resumed = 0;
    r->replans++;
    err_clear(&r->err);
    p->step = p->options.discard ? RESTORE_CHAIN : RESTORE_STATE;
}

void restore_run(struct restore *r)
{
    struct restore_private *p = r->private_;
    if (p->running || p->step == RESTORE_FINISHED) return;
    p->running = true;
    io_status status = IO_DONE;
    while (status == IO_DONE && p->step != RESTORE_FINISHED) {
        if (p->cancelled && !p->settled && r->err.code == ERR_OK) err_set(&r->err, ERR_CANCELLED, __func__, "cancelled");
        if (r->err.code != ERR_OK && !p->settled) {
            if (!fail_settle(r)) break;
            p->settled = true;
            continue;
        }
        status = step_run(r);
        if (status == IO_FAIL) status = IO_DONE; // r->err says why
        if (p->step == RESTORE_FINISHED && p->replan) plan_again(r);
    }
    p->running = false;
    if (p->step != RESTORE_FINISHED) return;
    completion_post(p->io, &r->done, r->err.code == ERR_OK ? 0 : -EIO);
}

void restore_start(struct restore *r, const struct restore_options *options)
{
    struct restore_private *p = calloc(1, sizeof *p);
    const char *out = options->out_path ? options->out_path : "";
    struct completion done = r->done;
    *r = (struct restore){.done = done, .err = ERR_CLEAR, .private_ = p};
    if (!p || asprintf(&p->aside, "%s.restoring", out) < 0 || asprintf(&p->state_path, "%s.restoring.state", out) < 0 ||
        asprintf(&p->wal, "%s-wal", out) < 0 || asprintf(&p->journal, "%s-journal", out) < 0 || !(p->out_path = strdup(out)) ||
        !(p->name = strdup(options->name)) || !(p->folder = malloc(strlen(out) + 2))) {
        err_set(&r->err, ERR_NOMEM, __func__, "out of memory");
        completion_post(options->io, &r->done, -ENOMEM);
        return;
    }
    io_path_folder(out, p->folder, strlen(out) + 2);
    p->options = *options;
    p->sealed = options->database_key && options->database_key->kind != STORE_KEY_NONE && !options->discard;
    if (p->sealed) p->database_key = *options->database_key;
    p->options.database_key = NULL;
    p->io = options->io;
    completion_init(&p->c, on_any, r);
    completion_init(&p->save_sync, on_any, r);
    small_file_init(&p->small, p->io, restore_wake, r);
    p->step = options->discard ? RESTORE_CHAIN : RESTORE_LOOK;
    restore_run(r);
}

void restore_cancel(struct restore *r)
{
    struct restore_private *p = r->private_;
    if (!p || p->step == RESTORE_FINISHED) return;
    p->cancelled = true;
    restore_run(r);
}

void restore_deinit(struct restore *r)
{
    struct restore_private *p = r->private_;
    if (!p) return;
    if (p->io) {
        restore_pages_deinit(r);
        workers_destroy(p->workers);
        if (p->chain_started) chain_deinit(&p->chain);
        small_file_deinit(&p->small);
    }
    free(p->state);
    free(p->resume);
    free(p->save_bytes);
    free(p->check_bytes);
    free(p->name);
    free(p->out_path);
    free(p->aside);
    free(p->state_path);
    free(p->folder);
    free(p->wal);
    free(p->journal);
    sodium_memzero(p, sizeof *p);
    free(p);
    r->private_ = NULL;
}

bool restore_bind(struct restore *r)
{
    struct restore_private *p = r->private_;
    struct backup_mark old, m = {.serial = 1,
                            .tx = r->tx,
                            .epoch = p->chain.catalog.epoch,
                            .clean = true,
                            .unclaimed = true,
                            .lineage = p->chain.catalog.lineage,
                            .sum = p->chain.sum};
    memcpy(m.database_id, p->chain.catalog.database_id, sizeof m.database_id);
    memcpy(m.hash, p->chain.tip, sizeof m.hash);
    if (backup_mark_read(p->io, p->out_path, &old)) m.serial += old.serial; // of a database that is gone
    if (backup_file_identity(p->io, p->out_path, &m.file_size, &m.file_modified_ns) && backup_mark_write(p->io, p->out_path, &m, &r->err)) return true;
    err_set(&r->err, ERR_IOERR, __func__, "%s cannot be bound to its backup", p->out_path);
    return false;
}
