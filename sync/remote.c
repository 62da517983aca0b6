// Opening and closing, the map of what is here, and the rest in the background.
#include "remote_private.h"

#include <errno.h>
#include <sodium.h>
#include <stdarg.h>

#define DEMAND_NS  100000000ull // the background keeps still so long after a read that waited
#define BACKGROUND_BLOCKS 8
#define WAL_HEADER_SIZE   32

void remote_log(struct remote *r, enum sync_log_level level, const char *event, const char *format, ...)
{
    char text[1200];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (r->options.log) r->options.log(r->options.log_context, level, event, text);
}

// ---- the rest
// --------------------------------------------------------------------------------------------

static void on_retry_timer(struct completion *c)
{
    struct remote *r = c->context;
    if (!r->closing) remote_run(r);
}

static u32 next_missing(const struct remote *r, u32 page)
{
    while (page <= r->page_count) {
        if ((page - 1) % 8 == 0 && r->map[(page - 1) / 8] == 0xff) {
            page += 8;
            continue;
        }
        if (!remote_has(r, page)) return page;
        page++;
    }
    return 0;
}

static void background_run(struct remote *r)
{
    u64 now = io_now_ns(r->io);
    if (r->whole || r->closing || r->chain_state == CHAIN_RUNS) return;
    if (r->held && r->chain_state == CHAIN_READY) {
        r->not_before_ns = MAX(r->not_before_ns, now + DEMAND_NS);
        return;
    }
    if (!r->options.hydrate && r->chain_state != CHAIN_FAILED) return;
    if (now < r->not_before_ns) {
        if (r->retry.state != COMPLETION_PENDING) io_timeout(r->io, r->not_before_ns - now, &r->retry);
        return;
    }
    if (r->chain_state == CHAIN_FAILED) {
        remote_chain_again(r);
        return;
    }
    u64 piece = object_store_piece(r->options.objects, SEGMENT_BLOCK_SIZE, BACKGROUND_BLOCKS * SEGMENT_BLOCK_SIZE);
    u32 blocks = (u32)(piece / SEGMENT_BLOCK_SIZE);
    u32 run_pages = blocks * (u32)MAX(SEGMENT_BLOCK_SIZE / r->page_size, 1u);
    for (u32 i = 0; i < REMOTE_BACKGROUND_MAX; i++) {
        u32 page = next_missing(r, r->cursor);
        if (!page) {
            if (remote_pulls_busy(r)) return; // what they leave out is for another round
            r->cursor = 1;
            if (!(page = next_missing(r, 1))) return;
        }
        if (!remote_pull(r, page, false, blocks)) return;
        r->cursor = page + run_pages;
    }
}

void remote_run(struct remote *r)
{
    r->again = true;
    if (r->running) return;
    r->running = true;
    while (r->again) {
        r->again = false;
        if (remote_pulls_run(r)) r->again = true;
        if (r->replan && !remote_pulls_busy(r)) {
            r->replans++;
            remote_chain_again(r);
        }
        remote_held_run(r);
        background_run(r);
    }
    r->running = false;
    remote_map_run(r);
    if (!r->sums_ended) return;
    r->sums_ended = false;
    wait_list_wake_all(&r->sums_wait);
}

// ---- opening
// -------------------------------------------------------------------------------------------

enum {
    OPEN_MAP,
    OPEN_MAP_OPENED,
    OPEN_HEADER_READ,
    OPEN_CHAIN,
    OPEN_CHAIN_DONE,
    OPEN_MAP_CREATED,
    OPEN_MAP_EMPTIED,
    OPEN_MAP_WRITTEN,
    OPEN_MAP_SIZED,
    OPEN_MAP_SYNCED,
    OPEN_NATIVE,
    OPEN_NATIVE_OPENED,
    OPEN_SIZED,
    OPEN_TRUNCATED,
    OPEN_SYNCED,
    OPEN_FOLDER_SYNCED,
    OPEN_FINISH,
    OPEN_BITS_READ,
    OPEN_SLOTS_READ,
};

bool remote_is_partial(struct io *io, const char *path)
{
    char map[4200];
    u64 size, modified_ns;
    snprintf(map, sizeof map, "%s-hydrate", path);
    return backup_file_identity(io, map, &size, &modified_ns);
}

int remote_file_take(struct remote *r, struct io_file **out)
{
    r->opens++;
    *out = &r->file;
    return 0;
}

bool remote_in_use(const struct remote *r)
{
    return r->opens > 0;
}

static void mount_open(struct io_mount *m, const char *path, u32 flags, struct io_file **out, struct completion *c)
{
    struct remote *r = CONTAINER_OF(m, struct remote, mount);
    completion_post(r->io, c, remote_file_take(r, out));
}


static void open_end(struct remote *r)
{
    struct completion *done = r->open_done;
    struct err *err = r->open_err;
    r->options.database_key = r->options.database_key_previous = NULL;
    free(r->slots);
    r->slots = NULL;
    if (err->code == ERR_OK) {
        *r->out = r;
        r->opened = true;
        r->open_done = NULL;
        io_mount(r->io, &r->mount);
        completion_post(r->io, done, 0);
        if (r->resumed) remote_chain_again(r);
        r->not_before_ns = io_now_ns(r->io) + 3 * DEMAND_NS;
        remote_run(r);
        return;
    }
    struct io *io = r->io;
    remote_close(r);
    completion_post(io, done, -EIO);
}

static bool open_io_failed(struct remote *r, const char *what, const char *path)
{
    if (r->c.result >= 0) return false;
    int e = (int)-r->c.result;
    err_set_errno(r->open_err, e == ENOSPC ? ERR_FULL : ERR_CANTOPEN, e, "remote", "%s cannot be %s: %s", path, what, strerror(e));
    return true;
}

static bool memory_take(struct remote *r, struct err *err)
{
    r->map_chunks = (u32)(((u64)r->page_count + 8ull * REMOTE_MAP_CHUNK - 1) / (8 * REMOTE_MAP_CHUNK));
    r->map = calloc(r->map_chunks + 1, REMOTE_MAP_CHUNK);
    r->written = calloc(r->map_chunks, REMOTE_MAP_CHUNK);
    r->came = calloc(r->map_chunks, REMOTE_MAP_CHUNK);
    r->map_dirty = calloc(r->map_chunks + 1, 1);
    if (r->map && r->map_dirty && r->written && r->came) return true;
    err_set(err, ERR_NOMEM, "remote", "out of memory");
    return false;
}

static u64 wal_size(const struct remote *r)
{
    char wal[4200];
    u64 size = 0, modified_ns;
    snprintf(wal, sizeof wal, "%s-wal", r->path);
    return backup_file_identity(r->io, wal, &size, &modified_ns) ? size : 0;
}

// Up to where this node has pushed: what is not here has not changed until then. False when it never has, and holds
// nothing of its own: then the newest state is opened in its place.
static bool state_take(struct remote *r)
{
    struct backup_mark m;
    r->state_tx = be64_get(r->header + REMOTE_HEADER_TX);
    if (!backup_mark_read(r->io, r->path, &m)) return false;
    r->unclaimed = m.unclaimed;
    if (m.unclaimed && wal_size(r) <= WAL_HEADER_SIZE) return false;
    if (m.lineage != be64_get(r->header + REMOTE_HEADER_LINEAGE)) return true;
    r->state_tx = MAX(r->state_tx, m.tx);
    return true;
}

static void bits_take(struct remote *r)
{
    u32 extra = r->page_count % 8;
    if (extra) r->map[(r->page_count - 1) / 8] &= (u8)((1u << extra) - 1);
    r->here = 0;
    for (u32 i = 0; i < (r->page_count + 7) / 8; i++) r->here += (u32)__builtin_popcount(r->map[i]);
}

// So that the node goes on with this backup, as after a restore.
static void bind(struct remote *r)
{
    r->unclaimed = true;
    struct backup_mark old, m = {.serial = 1, .tx = r->chain.tx, .epoch = r->chain.catalog.epoch, .clean = true, .unclaimed = true,
                            .lineage = r->chain.catalog.lineage, .sum = r->chain.sum};
    memcpy(m.database_id, r->chain.catalog.database_id, sizeof m.database_id);
    memcpy(m.hash, r->chain.tip, sizeof m.hash);
    if (backup_mark_read(r->io, r->path, &old)) m.serial += old.serial; // of an opening that came to nothing
    m.file_size = remote_changes(r); // of a file that is not whole that is its identity
    if (!backup_mark_write(r->io, r->path, &m, r->open_err))
        err_set(r->open_err, ERR_IOERR, "remote", "%s cannot be bound to its backup", r->path);
}

// Where plain pages go. `header`: what a file begins with that was made before; NULL: it is begun now.
static bool plain_make(struct remote *r, const u8 *header, struct err *err)
{
    const struct store_key *key = r->options.database_key;
    bool given = store_seals(key, r->page_count);
    bool sealed = header ? store_sealed_header(header) : given;
    if (!sealed && given) {
        err_set(err, ERR_NOTADB, "remote", "%s is not encrypted, and a key was given: move it and %s away to begin anew", r->path, r->map_path);
        return false;
    }
    r->plain = !sealed  ? r->native
               : header ? store_sealed_file_again(r->native, header, r->path, key, r->options.database_key_previous, err)
                        : store_sealed_file(r->native, r->page_size, key, err);
    r->pages_at = sealed ? STORE_SEALED_HEADER : 0;
    return r->plain != NULL;
}

// One step; false: it waits, or has ended.
static bool open_step(struct remote *r)
{
    struct err *err = r->open_err;
    u32 step = r->step++;
    switch (step) {
    case OPEN_MAP:
        if (!r->options.keep) {
            r->step = OPEN_CHAIN;
            return true;
        }
        io_file_open(r->io, r->map_path, IO_OPEN_WRITE, &r->map_file, &r->c);
        return false;
    case OPEN_MAP_OPENED:
        if (r->c.result == -ENOENT) {
            r->map_file = NULL;
            r->step = OPEN_CHAIN;
            return true;
        }
        if (r->c.result < 0) r->map_file = NULL;
        if (open_io_failed(r, "opened", r->map_path)) return true;
        io_file_read(r->map_file, r->header, REMOTE_MAP_HEADER_SIZE, 0, &r->c);
        return false;
    case OPEN_HEADER_READ:
        if (open_io_failed(r, "read", r->map_path)) return true;
        // Without a mark it was not opened to its end.
        r->resumed = r->c.result == REMOTE_MAP_HEADER_SIZE && remote_header_good(r->header) && state_take(r);
        return true;
    case OPEN_CHAIN:
        if (r->resumed) {
            r->page_size = be32_get(r->header + REMOTE_HEADER_PAGE_SIZE);
            r->page_count = be32_get(r->header + REMOTE_HEADER_PAGES);
            r->step = OPEN_BITS_READ;
            if (!memory_take(r, err)) return true;
            io_file_read(r->map_file, r->map, (size_t)(r->map_chunks + 1) * REMOTE_MAP_CHUNK, REMOTE_MAP_HEADER_SIZE, &r->c);
            return false;
        }
        if (r->options.keep && wal_size(r) > WAL_HEADER_SIZE) {
            err_set(err, ERR_CANTOPEN, "remote", "%s-wal is there, left of another database: move it away", r->path);
            return true;
        }
        remote_chain_open(r);
        return false;
    case OPEN_CHAIN_DONE:
        if (r->chain.err.code != ERR_OK) {
            *err = r->chain.err;
            return true;
        }
        r->page_size = r->chain.page_size;
        r->page_count = r->chain.page_count;
        r->state_tx = r->chain.tx;
        remote_header_make(r, r->header);
        if (!memory_take(r, err)) return true;
        remote_sums_reset(r);
        if (!remote_sources_init(r)) {
            err_set(err, ERR_NOMEM, "remote", "out of memory");
            return true;
        }
        if (!r->options.keep) {
            r->step = OPEN_NATIVE;
            return true;
        }
        if (r->map_file) return true; // it was not written to its end
        io_file_open(r->io, r->map_path, IO_OPEN_WRITE | IO_OPEN_CREATE, &r->map_file, &r->c);
        return false;
    case OPEN_BITS_READ:
        r->step = OPEN_NATIVE;
        if (open_io_failed(r, "read", r->map_path)) return true;
        bits_take(r);
        remote_changes_take(r);
        return true;
    case OPEN_MAP_CREATED:
        if (r->c.result < 0 && !r->map_file) return open_io_failed(r, "created", r->map_path);
        io_file_truncate(r->map_file, 0, &r->c);
        return false;
    case OPEN_MAP_EMPTIED:
        if (open_io_failed(r, "emptied", r->map_path)) return true;
        io_file_write(r->map_file, r->header, REMOTE_MAP_HEADER_SIZE, 0, &r->c);
        return false;
    case OPEN_MAP_WRITTEN:
        if (open_io_failed(r, "written", r->map_path)) return true;
        io_file_truncate(r->map_file, REMOTE_MAP_HEADER_SIZE + (u64)(r->map_chunks + 1) * REMOTE_MAP_CHUNK, &r->c);
        return false;
    case OPEN_MAP_SIZED:
        if (open_io_failed(r, "written", r->map_path)) return true;
        io_file_sync(r->map_file, IO_SYNC_FULL, &r->c);
        return false;
    case OPEN_MAP_SYNCED:
        if (open_io_failed(r, "synced", r->map_path)) return true;
        io_path_sync_dir(r->io, r->folder, &r->c);
        return false;
    case OPEN_NATIVE:
        io_file_open(r->io, r->path, IO_OPEN_WRITE | IO_OPEN_CREATE | (r->options.keep ? 0 : IO_OPEN_EXCLUSIVE), &r->native,
                     &r->c);
        return false;
    case OPEN_NATIVE_OPENED:
        if (r->c.result < 0) r->native = NULL;
        if (open_io_failed(r, "created", r->path)) return true;
        io_file_size(r->native, &r->native_size, &r->c);
        return false;
    case OPEN_SIZED:
        if (open_io_failed(r, "read", r->path)) return true;
        if (r->native_size && r->resumed) {
            r->step = OPEN_SLOTS_READ;
            io_file_read(r->native, r->slots, STORE_SEALED_HEADER, 0, &r->c);
            return false;
        }
        memset(r->map, 0, (size_t)r->map_chunks * REMOTE_MAP_CHUNK);
        r->here = 0;
        if (!plain_make(r, NULL, err)) return true;
        io_file_truncate(r->plain, (u64)r->page_count * r->page_size, &r->c);
        return false;
    case OPEN_SLOTS_READ:
        r->step = OPEN_FINISH;
        if (!open_io_failed(r, "read", r->path)) plain_make(r, r->slots, err);
        return true;
    case OPEN_TRUNCATED:
        if (open_io_failed(r, "made so large", r->path)) return true;
        io_file_sync(r->native, IO_SYNC_FULL, &r->c); // the log counts on the file's size
        return false;
    case OPEN_SYNCED:
        if (open_io_failed(r, "synced", r->path)) return true;
        io_path_sync_dir(r->io, r->folder, &r->c);
        return false;
    case OPEN_FOLDER_SYNCED:
        if (open_io_failed(r, "made", r->path)) return true;
        if (r->options.keep && !r->resumed) bind(r);
        return true;
    case OPEN_FINISH: return false;
    }
    return false;
}

void remote_open_run(struct remote *r)
{
    while (r->open_err->code == ERR_OK && r->step != OPEN_FINISH)
        if (!open_step(r)) return;
    open_end(r);
}

static void on_open(struct completion *c)
{
    remote_open_run(c->context);
}

void remote_open(struct remote **out, const struct remote_options *options, struct completion *done, struct err *err)
{
    struct remote *r = calloc(1, sizeof *r);
    *out = NULL;
    bool memory = r && (r->header = malloc(REMOTE_MAP_HEADER_SIZE)) && (r->slots = calloc(1, STORE_SEALED_HEADER));
    if (!memory) {
        if (r) free(r->header);
        free(r);
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        completion_post(options->io, done, -ENOMEM);
        return;
    }
    r->options = *options;
    r->io = options->io;
    r->file = (struct io_file){.ops = &remote_file_ops, .io = r->io};
    r->out = out;
    r->open_done = done;
    r->open_err = err;
    r->held_last = &r->held;
    r->cursor = r->run_next = 1;
    snprintf(r->path, sizeof r->path, "%s", options->path);
    snprintf(r->map_path, sizeof r->map_path, "%s-hydrate", r->path);
    io_path_folder(r->path, r->folder, sizeof r->folder);
    r->mount = (struct io_mount){.path = r->path, .open = mount_open};
    completion_init(&r->c, on_open, r);
    remote_map_init(r);
    completion_init(&r->retry, on_retry_timer, r);
    remote_open_run(r);
}

// ---- closing
// -------------------------------------------------------------------------------------------

static void file_close(struct remote *r, struct io_file **f)
{
    struct completion c;
    if (!*f) return;
    completion_init(&c, NULL, NULL);
    io_file_close(*f, &c);
    while (c.state == COMPLETION_PENDING && io_step(r->io, 100000000) >= 0) continue;
    *f = NULL;
}

static void file_unlink(struct remote *r, const char *path)
{
    struct completion c;
    completion_init(&c, NULL, NULL);
    io_path_unlink(r->io, path, &c);
    while (c.state == COMPLETION_PENDING && io_step(r->io, 100000000) >= 0) continue;
}

void remote_close(struct remote *r)
{
    if (!r) return;
    bool opened = r->opened;
    ASSERT(!r->held);
    if (opened) io_unmount(r->io, &r->mount);
    r->closing = true;
    remote_pulls_cancel(r);
    if (r->chain_state == CHAIN_RUNS) chain_cancel(&r->chain);
    if (r->retry.state == COMPLETION_PENDING) io_cancel(r->io, &r->retry);
    if (r->save.state == COMPLETION_PENDING) io_cancel(r->io, &r->save);
    if (opened && !r->whole && r->map_file) remote_map_save(r);
    while (remote_pulls_busy(r) || r->chain_state == CHAIN_RUNS || r->map_step != MAP_IDLE || r->retry.state == COMPLETION_PENDING ||
           r->save.state == COMPLETION_PENDING) {
        if (opened) remote_run(r);
        if (io_step(r->io, 10000000) < 0) break;
    }
    if (!r->options.keep && r->native) file_unlink(r, r->path);
    file_close(r, r->plain ? &r->plain : &r->native); // with its plain view
    file_close(r, &r->map_file);
    remote_sources_deinit(r);
    chain_deinit(&r->chain);
    segment_scratch_deinit(&r->scratch);
    remote_sums_deinit(r);
    free(r->map);
    free(r->written);
    free(r->came);
    free(r->map_dirty);
    free(r->map_copy);
    free(r->map_list);
    free(r->header);
    free(r->slots);
    free(r);
}

void remote_status_get(const struct remote *r, struct remote_status *out)
{
    *out = (struct remote_status){.tx = be64_get(r->header + REMOTE_HEADER_TX),
                                  .time_ms = (s64)be64_get(r->header + REMOTE_HEADER_TIME), .page_size = r->page_size,
                                  .pages_total = r->page_count, .pages_here = r->here, .requests = r->requests, .bytes = r->bytes,
                                  .fresh = !r->resumed, .whole = r->whole};
    snprintf(out->error, sizeof out->error, "%s", r->failure.code == ERR_OK ? "" : r->failure.text);
}
