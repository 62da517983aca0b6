// Opening and closing: one sequence of steps per store, driven by whoever calls; all who wait are
// woken after each.
#include "store_private.h"

#include <errno.h>
#include <sodium.h>
#include <sys/stat.h>

#define FOREIGN_RETRY_NS 50000000u

// The stores of this thread's loops, so that a file that is opened twice is shared: OFD locks would
// not notice.
static _Thread_local struct store *stores_first;

static void registry_remove(struct store *s)
{
    struct store **link = &stores_first;
    while (*link && *link != s) link = &(*link)->next;
    if (*link) *link = s->next;
}

static bool native_files(const struct io *io)
{
    return io_backend(io) == IO_BACKEND_RING || io_backend(io) == IO_BACKEND_POSIX;
}

static void identity_get(struct store *s)
{
    struct stat st;
    if (!native_files(s->io) || stat(s->path, &st) < 0) return;
    s->device = st.st_dev;
    s->inode = st.st_ino;
}

static struct store *registry_find(struct io *io, const char *path)
{
    struct stat st;
    bool known = native_files(io) && stat(path, &st) == 0;
    for (struct store *s = stores_first; s; s = s->next) {
        if (s->io != io) continue;
        if (known && s->inode ? s->device == st.st_dev && s->inode == st.st_ino
                              : strcmp(s->path, path) == 0)
            return s;
    }
    return NULL;
}

// ---- memory ------------------------------------------------------------------------------------

static bool key_copy(struct store_key **to, const struct store_key *from)
{
    if (!from || from->kind == STORE_KEY_NONE) return true;
    *to = malloc(sizeof **to);
    if (!*to) return false;
    **to = *from;
    return true;
}

// Who opens the file again must have the same key; that is not derived anew to find out.
static void key_digest_make(const struct store *s, const struct store_key *key, u8 out[32])
{
    if (!key || key->kind == STORE_KEY_NONE) {
        memset(out, 0, 32);
        return;
    }
    u8 kind = (u8)key->kind;
    crypto_generichash_state state;
    crypto_generichash_init(&state, s->key_salt, sizeof s->key_salt, 32);
    crypto_generichash_update(&state, &kind, 1);
    if (key->kind == STORE_KEY_BYTES)
        crypto_generichash_update(&state, key->bytes, sizeof key->bytes);
    else
        crypto_generichash_update(&state, (const u8 *)key->passphrase, strlen(key->passphrase));
    crypto_generichash_final(&state, out, 32);
}

void store_key_digest(struct store *s, const struct store_key *key)
{
    key_digest_make(s, key, s->key_digest);
}

static bool key_same(const struct store *s, const struct store_key *key)
{
    u8 digest[32];
    key_digest_make(s, key, digest);
    return sodium_memcmp(digest, s->key_digest, sizeof digest) == 0;
}

static void store_free(struct store *s)
{
    registry_remove(s);
    flush_destroy(s);
    checkpoint_destroy(s);
    store_recovery_free(s);
    store_journal_free(s);
    if (s->blank) cache_frame_give(&s->cache, s->blank);
    change_index_free(s);
    cache_deinit(&s->cache);
    wal_deinit(&s->wal);
    store_reads_free(s);
    rekey_destroy(s);
    store_key_free(&s->key);
    store_key_free(&s->key_previous);
    key_slot_wipe(&s->codec.slot);
    free(s->first_page);
    free(s->past);
    free(s->scratch);
    free(s->path);
    free(s->path_wal);
    free(s->path_journal);
    free(s->path_shm);
    free(s->spill_dir);
    free(s);
}

static char *path_with(const char *path, const char *suffix)
{
    size_t size = strlen(path), more = strlen(suffix);
    char *out = malloc(size + more + 1);
    if (!out) return NULL;
    memcpy(out, path, size);
    memcpy(out + size, suffix, more + 1);
    return out;
}

static void store_step_done(struct completion *c)
{
    struct store *s = CONTAINER_OF(c, struct store, completion);
    wait_list_wake_all(&s->waiters);
}

static struct store *store_create(struct io *io, const char *path,
                                  const struct store_options *options)
{
    struct store *s = calloc(1, sizeof *s);
    if (!s || sodium_init() < 0) {
        free(s);
        return NULL;
    }
    s->io = io;
    s->options = *options;
    s->options.key = s->options.key_previous = NULL;
    s->options.key_of = NULL;
    io_random(io, s->key_salt, sizeof s->key_salt);
    store_key_digest(s, options->key);
    if (!s->options.checkpoint_frames) s->options.checkpoint_frames = CHECKPOINT_DEFAULT;
    s->wal_size_limit = -1;
    s->page_size = options->page_size ? options->page_size : PAGE_SIZE_DEFAULT;
    s->usable_size = s->page_size;
    s->read_only = options->read_only;
    s->in_memory = options->in_memory;
    s->references = 1;
    s->hold = s->holds[STORE_HOLD_BACKUP] = s->holds[STORE_HOLD_REPLICAS] = UINT64_MAX;
    s->err = s->flush_err = ERR_CLEAR;
    s->path = strdup(options->in_memory ? ":memory:" : path);
    s->path_wal = path_with(s->path ? s->path : "", "-wal");
    s->path_journal = path_with(s->path ? s->path : "", "-journal");
    s->path_shm = path_with(s->path ? s->path : "", "-shm");
    completion_init(&s->completion, store_step_done, NULL);
    completion_init(&s->grant, store_grant, NULL);
    s->codec.io = io;
    s->codec.page_size = s->page_size;
    s->wal.codec = &s->codec;
    if (options->key_of) s->codec.slot = options->key_of->codec.slot;
    if (!s->path || !s->path_wal || !s->path_journal || !s->path_shm ||
        (!s->in_memory && (!key_copy(&s->key, options->key) || !key_copy(&s->key_previous, options->key_previous))) ||
        (!s->in_memory && !(s->scratch = malloc(SCRATCH_SIZE)))) {
        store_free(s);
        return NULL;
    }
    if (s->in_memory) {
        s->step = STEP_READY;
    } else {
        identity_get(s);
        s->next = stores_first;
        stores_first = s;
    }
    return s;
}

// ---- what page 1 says --------------------------------------------------------------------------

static io_status header_check(struct store *s, const u8 *h, struct op *op)
{
    u32 page_size = be16_get(h + HEADER_PAGE_SIZE) == 1 ? 65536 : be16_get(h + HEADER_PAGE_SIZE);
    bool sound = memcmp(h, "SQLite format 3", 16) == 0 && h[HEADER_READ_VERSION] <= 2 &&
                 h[HEADER_FRACTIONS] == 64 && h[HEADER_FRACTIONS + 1] == 32 &&
                 h[HEADER_FRACTIONS + 2] == 32 && page_size >= 512 &&
                 (page_size & (page_size - 1)) == 0 && page_size - h[HEADER_RESERVED] >= 480;
    if (!sound) return IO_ERROR(&op->err, ERR_NOTADB, "file is not a database");
    if (s->wal.frame_count > 0 && page_size != s->wal.page_size)
        return IO_ERROR(
            &op->err, ERR_CORRUPT,
            "database disk image is malformed: pages of %s have %u bytes, those of its WAL %u",
            s->path, page_size, s->wal.page_size);
    if (h[HEADER_WRITE_VERSION] > 2) s->read_only = true; // a format to come
    bool sealed = s->codec.kind == CODEC_SEALED;
    if (!sealed && s->key)
        return IO_ERROR(&op->err, ERR_NOTADB,
                        "%s is not encrypted, and a key was given: open it without, and VACUUM INTO an encrypted one",
                        s->path);
    if (sealed && (page_size != s->codec.page_size || h[HEADER_RESERVED] != CODEC_SEALED_SIZE))
        return IO_ERROR(&op->err, ERR_CORRUPT,
                        "database disk image is malformed: page 1 of %s and its key slot do not agree on the page size",
                        s->path);
    if (!sealed) s->codec.kind = h[HEADER_RESERVED] == CODEC_CHECKSUM_SIZE ? CODEC_CHECKSUM : CODEC_PLAIN;
    s->page_size = s->codec.page_size = page_size;
    s->usable_size = page_size - h[HEADER_RESERVED];
    u64 pages_size = s->file_size - MIN(s->file_size, codec_offset(&s->codec, 1));
    s->file_pages = (u32)((pages_size + page_size - 1) / page_size);
    if (s->wal.frame_count == 0) {
        pgno count = be32_get(h + HEADER_PAGE_COUNT);
        bool valid =
            count > 0 && be32_get(h + HEADER_CHANGE_COUNTER) == be32_get(h + HEADER_VALID_FOR);
        s->durable.page_count = s->appended.page_count = valid ? count : s->file_pages;
    }
    return IO_DONE;
}

// A new file whose first page was being written when the power went: nothing was ever committed to
// it.
static bool bytes_zero(const u8 *bytes, u64 size)
{
    for (u64 i = 0; i < size; i++) {
        if (bytes[i]) return false;
    }
    return true;
}

static bool scratch_zero(const struct store *s, u64 size)
{
    return size == s->file_size && bytes_zero(s->scratch, size);
}

// The first SEALED_HEADER_SIZE bytes, or what there is of them, are in scratch.
static io_status slots_check(struct store *s, u64 size, struct op *op, struct completion *c)
{
    struct key_slot slot;
    s->step = STEP_JOURNAL;
    if (!key_slots_there(s->scratch)) {
        // An encrypted one whose first page was being written when the power went.
        bool began = s->key && s->file_size <= SEALED_HEADER_SIZE + s->page_size && bytes_zero(s->scratch, size);
        if (began) {
            s->file_size = 0;
            s->step = STEP_READY;
        }
        return IO_DONE;
    }
    if (key_slots_open(s->scratch, s->path, s->key, s->key_previous, &slot, &s->rekey_wanted, &op->err) != ERR_OK)
        return IO_FAIL;
    // SQLite does not know these files: a journal is no part of them.
    s->step = STEP_HEADER;
    if (slot.sequence == 1) {
        s->file_size = 0;
        s->rekey_wanted = false;
        s->step = STEP_READY;
    } else {
        s->codec.slot = slot;
        s->codec.kind = CODEC_SEALED;
        s->page_size = s->codec.page_size = slot.page_size;
        if (!s->read_only && !key_slots_agree(s->scratch, &slot)) {
            s->step = STEP_SLOT_WRITTEN;
            key_slot_write(&s->codec.slot, s->io, s->file, s->scratch, &s->slot_iov, c);
        }
    }
    key_slot_wipe(&slot);
    return IO_DONE;
}

// A file that is empty becomes what the options say.
static io_status empty_prepare(struct store *s, struct op *op)
{
    bool sealed = s->key || s->codec.slot.generation;
    s->codec.kind = sealed ? CODEC_SEALED : s->options.checksums ? CODEC_CHECKSUM : CODEC_PLAIN;
    s->usable_size = s->page_size - codec_reserved(s->codec.kind);
    if (!sealed) return IO_DONE;
    if (s->page_size < CODEC_SEALED_PAGE_MIN)
        return IO_ERROR(&op->err, ERR_ERROR, "pages of an encrypted database have at least %u bytes",
                        CODEC_SEALED_PAGE_MIN);
    key_slot_fresh(&s->codec.slot, s->page_size, s->io);
    if (s->key && key_slot_master(&s->codec.slot, s->key, s->io, &op->err) != ERR_OK) return IO_FAIL;
    return IO_DONE;
}

// ---- opening -----------------------------------------------------------------------------------

io_status store_step_wait(struct store *s, struct op *op)
{
    wait_list_add(&s->waiters, &op->waiter);
    return IO_WAIT;
}

static io_status open_error(struct store *s, struct op *op, err_code code, s64 result,
                            const char *what)
{
    const char *why = s->file && s->file->ops->why ? s->file->ops->why(s->file) : NULL;
    err_set_errno(&op->err, code, (int)-result, __func__, "%s: %s of %s failed%s%s",
                  err_default_text(code), what, s->path, why ? ": " : "", why ? why : "");
    return IO_FAIL;
}

// Takes SQLite's lock bytes. 0, or the error.
static int store_lock(struct store *s)
{
    if (s->read_only)
        return io_file_lock(s->file, LOCK_SHARED_OFFSET, LOCK_SHARED_SIZE, IO_LOCK_SHARED);
    return io_file_lock(s->file, LOCK_OFFSET, 2 + LOCK_SHARED_SIZE, IO_LOCK_EXCLUSIVE);
}

static io_status open_ready(struct store *s, struct op *op)
{
    struct wal *w = &s->wal;
    if (s->file_size == 0 && !s->in_memory) IO_TRY(empty_prepare(s, op));
    u64 cache_bytes = s->options.cache_bytes ? s->options.cache_bytes : CACHE_BYTES_DEFAULT;
    u32 frames = (u32)MIN(cache_bytes / s->page_size, UINT32_MAX / 2);
    if (w->frame_count == 0) {
        // A new log gets salts of its own; those of a file that will be written over do not come
        // again.
        u32 salts[2];
        io_random(s->io, salts, sizeof salts);
        w->salt[0] = salts[0];
        w->page_size = s->page_size;
        w->checkpoint_number = UINT32_MAX;
        wal_restart(w, salts[1]);
    }
    if (!cache_init(&s->cache, s->io, s->page_size, frames, s->in_memory) ||
        (!s->in_memory && (!flush_create(s) || !checkpoint_create(s))))
        return IO_ERROR(&op->err, ERR_NOMEM, "out of memory to open %s", s->path);
    free(s->scratch);
    s->scratch = NULL;
    if (!s->rekey_wanted) store_key_free(&s->key);
    store_key_free(&s->key_previous);
    s->state = STORE_OPEN;
    rekey_resume(s);
    return IO_DONE;
}

static io_status open_advance(struct store *s, struct op *op)
{
    struct completion *c = &s->completion;
    struct wal *w = &s->wal;
    s64 result = c->result;
    switch (s->step) {
    case STEP_FILE:
        s->step = STEP_FILE_OPENED;
        u32 flags =
            s->read_only ? IO_OPEN_READ : IO_OPEN_WRITE | (s->options.create ? IO_OPEN_CREATE : 0);
        io_file_open(s->io, s->path, flags, &s->file, c);
        return IO_DONE;
    case STEP_FILE_OPENED:
        if (result < 0) s->file = NULL;
        if ((result == -EACCES || result == -EPERM || result == -EROFS) && !s->read_only) {
            s->read_only = true;
            s->step = STEP_FILE;
            return IO_DONE;
        }
        if (result < 0) return open_error(s, op, ERR_CANTOPEN, result, "opening");
        identity_get(s);
        s->step = STEP_LOCK;
        return IO_DONE;
    case STEP_LOCK: {
        int rc = store_lock(s);
        if ((rc == -EAGAIN || rc == -EACCES) && s->options.busy_foreign_wait) {
            io_timeout(s->io, FOREIGN_RETRY_NS, c);
            return IO_DONE;
        }
        if (rc == -EAGAIN || rc == -EACCES)
            return IO_ERROR(&op->err, ERR_BUSY, "database is locked");
        if (rc < 0) return open_error(s, op, ERR_IOERR, rc, "locking");
        s->step = STEP_SHM;
        return IO_DONE;
    }
    case STEP_SHM:
        // Nobody else has the file open: an index of the WAL that was left behind is of no use.
        s->step = STEP_SIZE;
        if (!s->read_only) io_path_unlink(s->io, s->path_shm, c);
        return IO_DONE;
    case STEP_SIZE:
        s->step = STEP_SIZED;
        io_file_size(s->file, &s->file_size, c);
        return IO_DONE;
    case STEP_SIZED:
        if (result < 0) return open_error(s, op, ERR_IOERR, result, "reading the size");
        s->step = s->file_size > 0 ? STEP_SLOTS : STEP_JOURNAL;
        return IO_DONE;
    case STEP_SLOTS:
        s->step = STEP_SLOTS_READ;
        memset(s->scratch, 0, SEALED_HEADER_SIZE);
        io_file_read(s->file, s->scratch, SEALED_HEADER_SIZE, 0, c);
        return IO_DONE;
    case STEP_SLOTS_READ:
        if (result < 0) return open_error(s, op, ERR_IOERR_READ, result, "reading the header");
        return slots_check(s, (u64)result, op, c);
    case STEP_SLOT_WRITTEN:
        if (result < 0) return open_error(s, op, ERR_IOERR_WRITE, result, "writing a key slot");
        s->step = STEP_HEADER;
        return IO_DONE;
    case STEP_JOURNAL:
        IO_TRY(store_rollback_journal(s, op));
        s->step = s->file_size > 0 ? STEP_HEADER : STEP_READY;
        return IO_DONE;
    case STEP_HEADER:
        s->step = STEP_HEADER_READ;
        memset(s->scratch, 0, SCRATCH_SIZE);
        io_file_read(s->file, s->scratch, s->codec.kind == CODEC_SEALED ? s->page_size : SCRATCH_SIZE,
                     codec_offset(&s->codec, 1), c);
        return IO_DONE;
    case STEP_HEADER_READ:
        if (result < 0) return open_error(s, op, ERR_IOERR_READ, result, "reading the header");
        if (scratch_zero(s, (u64)result)) {
            s->file_size = 0;
            s->step = STEP_READY;
        } else {
            s->step = STEP_WAL_OPEN;
        }
        return IO_DONE;
    case STEP_WAL_OPEN:
        s->step = STEP_WAL_OPENED;
        io_file_open(s->io, s->path_wal, s->read_only ? IO_OPEN_READ : IO_OPEN_WRITE, &w->file, c);
        return IO_DONE;
    case STEP_WAL_OPENED:
        if (result < 0) w->file = NULL;
        if (result < 0 && result != -ENOENT)
            return open_error(s, op, ERR_CANTOPEN, result, "opening the WAL");
        s->step = result < 0 ? STEP_WAL_HEADER : STEP_WAL_RECOVER;
        return IO_DONE;
    case STEP_WAL_RECOVER:
        IO_TRY(store_recover_wal(s, op));
        s->step = STEP_WAL_HEADER;
        return IO_DONE;
    case STEP_WAL_HEADER: {
        u32 frame = wal_find(w, 1, w->frame_count);
        s->step = STEP_WAL_HEADER_READ;
        if (frame)
            io_file_read(w->file, s->scratch, w->page_size, wal_frame_offset(w, frame) + WAL_FRAME_HEADER_SIZE, c);
        else
            c->result = HEADER_SIZE;
        return IO_DONE;
    }
    case STEP_WAL_HEADER_READ:
        if (result < 0) return open_error(s, op, ERR_IOERR_READ, result, "reading the header");
        if (result < HEADER_SIZE) return IO_ERROR(&op->err, ERR_NOTADB, "file is not a database");
        if (s->codec.kind == CODEC_SEALED && !codec_decode(&s->codec, 1, s->scratch))
            return IO_ERROR(&op->err, ERR_CORRUPT,
                            "database disk image is malformed: page 1 of %s is damaged, or was sealed with another key",
                            s->path);
        IO_TRY(header_check(s, s->scratch, op));
        s->step = STEP_READY;
        return IO_DONE;
    case STEP_READY: return open_ready(s, op);
    case STEP_CLOSE_SETTLE:
    case STEP_CLOSE_CHECKPOINT:
    case STEP_CLOSE_WAL:
    case STEP_CLOSE_WAL_CLOSED:
    case STEP_CLOSE_FILE:
    case STEP_CLOSE_DONE: break;
    }
    ASSERT(!"a step of opening");
    return IO_DONE;
}

// Closes what is open, one file after the other, then frees the store.
static void store_teardown(struct completion *c)
{
    struct store *s = CONTAINER_OF(c, struct store, completion);
    struct io_file *file = store_journal_file_take(s);
    if (!file && (file = s->wal.direct)) s->wal.direct = NULL;
    if (!file && (file = s->wal.file)) s->wal.file = NULL;
    if (!file && (file = s->file)) s->file = NULL;
    if (file)
        io_file_close(file, &s->completion);
    else
        store_free(s);
}

// Opening failed: all who wait are told when they call again; the last one takes the store down.
static io_status open_failed(struct store *s, struct op *op, struct store **out)
{
    *out = NULL;
    if (s->state == STORE_OPENING) {
        s->state = STORE_FAILED;
        s->err = op->err;
        registry_remove(s);
        if (s->file) io_file_lock(s->file, LOCK_OFFSET, 2 + LOCK_SHARED_SIZE, IO_UNLOCK);
        wait_list_wake_all(&s->waiters);
    } else if (op->err.code == ERR_OK) {
        op->err = s->err;
    }
    if (--s->references == 0) {
        completion_init(&s->completion, store_teardown, NULL);
        completion_post(s->io, &s->completion, 0);
    }
    return IO_FAIL;
}

static io_status open_run(struct store *s, struct op *op, struct store **out)
{
    while (s->state == STORE_OPENING) {
        if (s->completion.state == COMPLETION_PENDING) return store_step_wait(s, op);
        io_status status = open_advance(s, op);
        if (status == IO_WAIT) return status;
        if (status == IO_FAIL) return open_failed(s, op, out);
    }
    return s->state == STORE_FAILED ? open_failed(s, op, out) : IO_DONE;
}

static bool options_sound(const struct store_options *o)
{
    u32 size = o->page_size ? o->page_size : PAGE_SIZE_DEFAULT;
    return size >= 512 && size <= 65536 && (size & (size - 1)) == 0;
}

io_status store_open(struct io *io, const char *path, const struct store_options *options,
                     struct op *op, struct store **out)
{
    if (*out) return open_run(*out, op, out);
    if (!options_sound(options))
        return IO_ERROR(&op->err, ERR_MISUSE, "page size %u is not a power of 2 from 512 to 65536",
                        options->page_size);
    struct store *s = options->in_memory ? NULL : registry_find(io, path);
    if (s && s->state == STORE_CLOSING) return store_step_wait(s, op); // then it is opened anew
    if (s && !options->key_of && !key_same(s, options->key))
        return IO_ERROR(&op->err, ERR_NOTADB, "%s is open with another key", path);
    if (s)
        s->references++;
    else
        s = store_create(io, path, options);
    if (!s) return IO_ERROR(&op->err, ERR_NOMEM, "out of memory to open %s", path);
    *out = s;
    return open_run(s, op, out);
}

// ---- closing -----------------------------------------------------------------------------------

static bool store_settled(const struct store *s)
{
    return !rekey_busy(s) && !flush_busy(s) && !flush_ahead_busy(s) && !checkpoint_busy(s) && !s->wal_truncating &&
           s->reads_pending == 0 && s->spill_count == 0 &&
           s->grant.state != COMPLETION_PENDING && s->completion.state != COMPLETION_PENDING;
}

// The WAL goes when the database file holds all of it and nobody wants the log.
static bool wal_removable(const struct store *s)
{
    return !s->read_only && !s->flush_failed && s->backfilled == s->durable.lsn &&
           (s->hold == UINT64_MAX || s->hold >= s->durable.lsn);
}

static io_status close_advance(struct store *s, struct op *op)
{
    struct completion *c = &s->completion;
    switch (s->step) {
    case STEP_CLOSE_SETTLE:
        if (!store_settled(s)) return store_step_wait(s, op);
        s->step = s->close_tried || s->in_memory || !checkpoint_start(s) ? STEP_CLOSE_CHECKPOINT
                                                                         : STEP_CLOSE_SETTLE;
        s->close_tried = true;
        return IO_DONE;
    case STEP_CLOSE_CHECKPOINT:
        if (s->checkpoint) s->err = *checkpoint_err(s);
        s->step = s->wal.file ? STEP_CLOSE_WAL : STEP_CLOSE_FILE;
        return IO_DONE;
    case STEP_CLOSE_WAL:
        if (s->wal.direct) {
            io_file_close(s->wal.direct, c);
            s->wal.direct = NULL;
            return IO_DONE;
        }
        s->step = STEP_CLOSE_WAL_CLOSED;
        io_file_close(s->wal.file, c);
        s->wal.file = NULL;
        return IO_DONE;
    case STEP_CLOSE_WAL_CLOSED:
        s->step = STEP_CLOSE_FILE;
        if (wal_removable(s)) io_path_unlink(s->io, s->path_wal, c);
        return IO_DONE;
    case STEP_CLOSE_FILE:
        s->step = STEP_CLOSE_DONE;
        if (!s->file) return IO_DONE;
        io_file_close(s->file, c); // the locks go with it
        s->file = NULL;
        return IO_DONE;
    case STEP_CLOSE_DONE:
    case STEP_FILE:
    case STEP_FILE_OPENED:
    case STEP_LOCK:
    case STEP_SHM:
    case STEP_SIZE:
    case STEP_SIZED:
    case STEP_SLOTS:
    case STEP_SLOTS_READ:
    case STEP_SLOT_WRITTEN:
    case STEP_JOURNAL:
    case STEP_HEADER:
    case STEP_HEADER_READ:
    case STEP_WAL_OPEN:
    case STEP_WAL_OPENED:
    case STEP_WAL_RECOVER:
    case STEP_WAL_HEADER:
    case STEP_WAL_HEADER_READ:
    case STEP_READY: break;
    }
    ASSERT(!"a step of closing");
    return IO_DONE;
}

io_status store_close(struct store *s, struct op *op)
{
    if (s->references > 1) {
        s->references--;
        return IO_DONE;
    }
    if (s->state == STORE_OPENING) {
        // Given up while opening: what was submitted comes back to the teardown.
        registry_remove(s);
        s->completion.callback = store_teardown;
        if (s->completion.state != COMPLETION_PENDING) completion_post(s->io, &s->completion, 0);
        return IO_DONE;
    }
    if (s->state == STORE_OPEN) {
        rekey_stop(s);
        ASSERT(s->snapshot_count == 0 && !s->writer && !s->queue_first);
        s->state = STORE_CLOSING;
        s->step = STEP_CLOSE_SETTLE;
    }
    while (s->step != STEP_CLOSE_DONE || s->completion.state == COMPLETION_PENDING) {
        if (s->completion.state == COMPLETION_PENDING) return store_step_wait(s, op);
        IO_TRY(close_advance(s, op));
    }
    registry_remove(s);
    wait_list_wake_all(&s->waiters);
    while (s->on_commit.first) waiter_remove(s->on_commit.first);
    bool failed = s->err.code != ERR_OK;
    if (failed) op->err = s->err;
    store_free(s);
    return failed ? IO_FAIL : IO_DONE;
}
