// Opening and closing, the map of what is here, and the rest in the background.
#include "remote_private.h"

#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <unistd.h>

#define SAVE_PAGES 16384 // the map is made durable when so many have come, or after
#define SAVE_NS    1000000000ull
#define DEMAND_NS  100000000ull // the background keeps still so long after a read that waited
#define BACKGROUND_BLOCKS 8
#define CHAIN_AGAIN_NS 2000000000ull
#define MAP_HASH   (REMOTE_MAP_HEADER_SIZE - 16)

// The map's header: magic, u32 page size, u32 pages, u64 lineage, u64 tx, s64 time, 16 bytes database
// id, zeros, and at its end BLAKE2b-128 of all before. Then a bit a page, the first page's the lowest.
static const char MAGIC[8] = {'S', 'K', 'R', 'Y', 'M', 'A', 'P', '1'};

__attribute__((format(printf, 4, 5))) static void remote_log(struct remote *r, enum sync_log_level level, const char *event,
                                                            const char *format, ...)
{
    char text[1200];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (r->options.log) r->options.log(r->options.log_context, level, event, text);
}

// ---- the map
// --------------------------------------------------------------------------------------------

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

static void header_make(const struct remote *r, u8 out[REMOTE_MAP_HEADER_SIZE])
{
    memset(out, 0, REMOTE_MAP_HEADER_SIZE);
    memcpy(out, MAGIC, 8);
    be32_put(out + 8, r->page_size);
    be32_put(out + 12, r->page_count);
    be64_put(out + 16, r->chain.catalog.lineage);
    be64_put(out + 24, r->chain.tx);
    be64_put(out + 32, (u64)r->chain.time_ms);
    memcpy(out + 40, r->chain.catalog.database_id, 16);
    crypto_generichash(out + MAP_HASH, 16, out, MAP_HASH, NULL, 0);
}

static bool header_good(const u8 *h)
{
    u8 hash[16];
    crypto_generichash(hash, 16, h, MAP_HASH, NULL, 0);
    return memcmp(h, MAGIC, 8) == 0 && memcmp(hash, h + MAP_HASH, 16) == 0 && be32_get(h + 8) >= 512 && be32_get(h + 12) > 0;
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
    r->map_last = r->here == r->page_count;
    r->unsaved = 0;
    u32 count = 0;
    for (u32 i = 0; i < r->map_chunks; i++) count += r->map_dirty[i];
    free(r->map_list);
    free(r->map_copy);
    r->map_list = malloc((count + 1) * sizeof *r->map_list);
    r->map_copy = malloc((count + 1) * (size_t)REMOTE_MAP_CHUNK);
    r->map_count = r->map_next = 0;
    if (!r->map_list || !r->map_copy) {
        syncs_release(r, -ENOMEM);
        return;
    }
    for (u32 i = 0; i < r->map_chunks; i++) {
        if (!r->map_dirty[i]) continue;
        r->map_dirty[i] = 0;
        memcpy(r->map_copy + (size_t)r->map_count * REMOTE_MAP_CHUNK, r->map + (size_t)i * REMOTE_MAP_CHUNK, REMOTE_MAP_CHUNK);
        r->map_list[r->map_count++] = i;
    }
    r->map_step = MAP_DATA;
    io_file_sync(r->native, IO_SYNC_DATA, &r->map_done);
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

static void map_run(struct remote *r)
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
    bool all = r->here == r->page_count && !remote_pulls_busy(r);
    if (r->map_again || r->syncs_next || r->unsaved >= SAVE_PAGES || all) map_round(r);
}

static void chain_retry(struct remote *r);

// The same state, by the segments that there are now.
static void replan(struct remote *r)
{
    r->replan = false;
    r->replans++;
    if (!r->resumed) header_make(r, r->header);
    r->resumed = true;
    remote_sources_deinit(r);
    chain_retry(r);
}

// ---- the rest
// --------------------------------------------------------------------------------------------

static void on_save_timer(struct completion *c)
{
    struct remote *r = c->context;
    if (!r->closing && r->unsaved && r->map_file) remote_map_save(r);
}

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
    if (!r->options.hydrate || r->whole || r->closing) return;
    if (r->held) {
        r->not_before_ns = MAX(r->not_before_ns, now + DEMAND_NS);
        return;
    }
    if (r->chain_state == CHAIN_RUNS) return;
    if (now < r->not_before_ns) {
        if (r->retry.state != COMPLETION_PENDING) io_timeout(r->io, r->not_before_ns - now, &r->retry);
        return;
    }
    if (r->chain_state == CHAIN_FAILED) {
        chain_retry(r);
        return;
    }
    u32 run_pages = BACKGROUND_BLOCKS * (u32)MAX(SEGMENT_BLOCK_SIZE / r->page_size, 1u);
    for (u32 i = 0; i < REMOTE_BACKGROUND_MAX; i++) {
        u32 page = next_missing(r, r->cursor);
        if (!page) {
            if (remote_pulls_busy(r)) return; // what they leave out is for another round
            r->cursor = 1;
            if (!(page = next_missing(r, 1))) return;
        }
        if (!remote_pull(r, page, false, BACKGROUND_BLOCKS)) return;
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
        if (r->replan && !remote_pulls_busy(r)) replan(r);
        remote_held_run(r);
        background_run(r);
    }
    r->running = false;
    map_run(r);
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
    OPEN_MAP_WRITTEN,
    OPEN_MAP_SIZED,
    OPEN_MAP_SYNCED,
    OPEN_NATIVE,
    OPEN_NATIVE_OPENED,
    OPEN_SIZED,
    OPEN_TRUNCATED,
    OPEN_FOLDER_SYNCED,
    OPEN_FINISH,
    OPEN_BITS_READ,
};

bool remote_is_partial(const char *path)
{
    char map[4200];
    snprintf(map, sizeof map, "%s-hydrate", path);
    return access(map, F_OK) == 0;
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
    (void)path, (void)flags;
    completion_post(r->io, c, remote_file_take(r, out));
}

static void open_run(struct remote *r);
static void chain_begin(struct remote *r);

static void open_end(struct remote *r)
{
    struct completion *done = r->open_done;
    struct err *err = r->open_err;
    if (err->code == ERR_OK) {
        *r->out = r;
        r->open_done = NULL;
        io_mount(r->io, &r->mount);
        completion_post(r->io, done, 0);
        if (r->resumed) chain_begin(r);
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

static void on_chain(struct completion *c);

static void chain_begin(struct remote *r)
{
    bool exact = !r->resumed || !r->newer;
    r->chain_state = CHAIN_RUNS;
    completion_init(&r->chain.done, on_chain, r);
    chain_start(&r->chain, &(struct chain_options){.io = r->io,
                                                   .objects = r->options.objects,
                                                   .database = r->options.name,
                                                   .master = &r->options.key,
                                                   .tx = !exact ? 0 : r->resumed ? be64_get(r->header + 24) : r->options.tx,
                                                   .time_ms = r->resumed ? 0 : r->options.time_ms,
                                                   .lineage = r->resumed ? be64_get(r->header + 16) : 0,
                                                   .tries = r->resumed ? 2 : 0});
}

static bool memory_take(struct remote *r, struct err *err)
{
    r->map_chunks = (u32)(((u64)r->page_count + 8ull * REMOTE_MAP_CHUNK - 1) / (8 * REMOTE_MAP_CHUNK));
    r->map = calloc(r->map_chunks, REMOTE_MAP_CHUNK);
    r->map_dirty = calloc(r->map_chunks, 1);
    if (r->map && r->map_dirty) return true;
    err_set(err, ERR_NOMEM, "remote", "out of memory");
    return false;
}

// The chain of a file that was begun earlier: is it of the same backup, and this node's?
static void chain_check(struct remote *r, struct err *err)
{
    if (r->chain.page_size != r->page_size || memcmp(r->header + 40, r->chain.catalog.database_id, 16) != 0)
        err_set(err, ERR_STORE_FOREIGN, "remote",
                "%s is of another backup than the one in the store; move it and %s away to begin anew", r->path, r->map_path);
    else if (r->newer && (r->chain.tx > r->mark.tx + 1 || r->chain.catalog.epoch > r->mark.epoch))
        err_set(err, ERR_STORE_FENCED, "remote",
                "another node has taken over the backup of %s, and what has not arrived of it is gone: move %s and %s away to "
                "begin anew",
                r->options.name, r->path, r->map_path);
}

static void chain_retry(struct remote *r)
{
    chain_deinit(&r->chain);
    chain_begin(r);
}

// Of a file that was begun earlier; it is served meanwhile.
static void on_chain(struct completion *c)
{
    struct remote *r = c->context;
    struct err err = r->chain.err;
    if (!r->resumed) {
        r->chain_state = err.code == ERR_OK ? CHAIN_READY : CHAIN_FAILED;
        open_run(r);
        return;
    }
    // Compaction has merged that state into later ones. What this node pushed since is here, in its
    // log or its file, so the newest state serves as well, when it is this node's.
    if (err.code == ERR_STORE_MISSING && !r->newer && !r->closing && r->marked) {
        r->newer = true;
        chain_retry(r);
        return;
    }
    if (err.code == ERR_OK) chain_check(r, &err);
    if (err.code == ERR_OK && !remote_sources_init(r)) err_set(&err, ERR_NOMEM, "remote", "out of memory");
    if (err.code == ERR_OK) {
        r->chain_state = CHAIN_READY;
        err_clear(&r->failure);
    } else {
        r->chain_state = CHAIN_FAILED;
        err_clear(&r->failure);
        err_set(&r->failure, err.code, "remote", "it has not arrived yet, and the store cannot be asked for it: %s", err.text);
        r->not_before_ns = io_now_ns(r->io) + CHAIN_AGAIN_NS;
    }
    if (!r->closing) remote_run(r);
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
    struct backup_mark m = {.serial = 1, .tx = r->chain.tx, .epoch = r->chain.catalog.epoch, .clean = true,
                            .lineage = r->chain.catalog.lineage, .sum = r->chain.sum};
    memcpy(m.database_id, r->chain.catalog.database_id, sizeof m.database_id);
    memcpy(m.hash, r->chain.tip, sizeof m.hash);
    r->mark = m;
    r->marked = true;
    if (!backup_file_identity(r->io, r->path, &m.file_size, &m.file_modified_ns) || !backup_mark_write(r->io, r->path, &m, r->open_err))
        err_set(r->open_err, ERR_IOERR, "remote", "%s cannot be bound to its backup", r->path);
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
        r->resumed = r->c.result == REMOTE_MAP_HEADER_SIZE && header_good(r->header);
        return true;
    case OPEN_CHAIN:
        if (r->resumed) {
            r->page_size = be32_get(r->header + 8);
            r->page_count = be32_get(r->header + 12);
            r->step = OPEN_BITS_READ;
            r->marked = backup_mark_read(r->io, r->path, &r->mark);
            if (!memory_take(r, err)) return true;
            io_file_read(r->map_file, r->map, (size_t)r->map_chunks * REMOTE_MAP_CHUNK, REMOTE_MAP_HEADER_SIZE, &r->c);
            return false;
        }
        chain_begin(r);
        return false;
    case OPEN_CHAIN_DONE:
        if (r->chain.err.code != ERR_OK) {
            *err = r->chain.err;
            return true;
        }
        r->page_size = r->chain.page_size;
        r->page_count = r->chain.page_count;
        if (!memory_take(r, err)) return true;
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
        r->step = OPEN_NATIVE;
        return true;
    case OPEN_MAP_CREATED:
        if (r->c.result < 0 && !r->map_file) return open_io_failed(r, "created", r->map_path);
        header_make(r, r->header);
        io_file_write(r->map_file, r->header, REMOTE_MAP_HEADER_SIZE, 0, &r->c);
        return false;
    case OPEN_MAP_WRITTEN:
        if (open_io_failed(r, "written", r->map_path)) return true;
        io_file_truncate(r->map_file, REMOTE_MAP_HEADER_SIZE + (u64)r->map_chunks * REMOTE_MAP_CHUNK, &r->c);
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
        if (r->native_size) {
            r->step = OPEN_FINISH;
            return true;
        }
        memset(r->map, 0, (size_t)r->map_chunks * REMOTE_MAP_CHUNK);
        r->here = 0;
        io_file_truncate(r->native, (u64)r->page_count * r->page_size, &r->c);
        return false;
    case OPEN_TRUNCATED:
        if (open_io_failed(r, "made so large", r->path)) return true;
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

static void open_run(struct remote *r)
{
    while (r->open_err->code == ERR_OK && r->step != OPEN_FINISH)
        if (!open_step(r)) return;
    open_end(r);
}

static void on_open(struct completion *c)
{
    open_run(c->context);
}

void remote_open(struct remote **out, const struct remote_options *options, struct completion *done, struct err *err)
{
    struct remote *r = calloc(1, sizeof *r);
    *out = NULL;
    if (!r || !(r->header = malloc(REMOTE_MAP_HEADER_SIZE))) {
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
    snprintf(r->folder, sizeof r->folder, "%s", r->path);
    char *slash = strrchr(r->folder, '/');
    if (slash)
        slash[slash == r->folder] = 0;
    else
        strcpy(r->folder, ".");
    r->mount = (struct io_mount){.path = r->path, .open = mount_open};
    completion_init(&r->c, on_open, r);
    completion_init(&r->map_done, on_map, r);
    completion_init(&r->retry, on_retry_timer, r);
    completion_init(&r->save, on_save_timer, r);
    open_run(r);
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

void remote_close(struct remote *r)
{
    if (!r) return;
    bool opened = !r->open_done;
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
    if (!r->options.keep && r->native) unlink(r->path);
    file_close(r, &r->native);
    file_close(r, &r->map_file);
    remote_sources_deinit(r);
    chain_deinit(&r->chain);
    segment_scratch_deinit(&r->scratch);
    free(r->map);
    free(r->map_dirty);
    free(r->map_copy);
    free(r->map_list);
    free(r->header);
    free(r);
}

void remote_status_get(const struct remote *r, struct remote_status *out)
{
    bool known = r->chain_state == CHAIN_READY && !r->resumed;
    *out = (struct remote_status){.tx = known ? r->chain.tx : be64_get(r->header + 24),
                                  .time_ms = known ? r->chain.time_ms : (s64)be64_get(r->header + 32), .page_size = r->page_size,
                                  .pages_total = r->page_count, .pages_here = r->here, .requests = r->requests, .bytes = r->bytes,
                                  .whole = r->whole};
    snprintf(out->error, sizeof out->error, "%s", r->failure.code == ERR_OK ? "" : r->failure.text);
}
