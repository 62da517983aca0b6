// The first copy of a node's database, before it is opened: PATH.following, which gets its name when it is whole. What an
// earlier life left of it is summed up by groups of pages; the node leaves those out that are what it has, so that a copy
// that was cut off, or whose machine lost some of what was not synced, goes on, and is a copy of one state all the same.
#include "replica_private.h"
#include "restore.h"

#include <errno.h>

#define TRIES    5 // without a page
#define SUMS_MAX 32768u
#define READ     64u // pages
#define TELL_NS  5000000000ull

static s64 await(struct replica *r, struct completion *c)
{
    while (c->state == COMPLETION_PENDING)
        if (io_step(r->io, 1000000000) < 0) break;
    return c->state == COMPLETION_PENDING ? -EIO : c->result;
}

static void file_unlink(struct replica *r, const char *path)
{
    struct completion c;
    completion_init(&c, NULL, NULL);
    io_path_unlink(r->io, path, &c);
    (void)await(r, &c);
}

// Durably.
static s64 file_rename(struct replica *r, const char *from, const char *to)
{
    struct completion c;
    char folder[4200];
    io_path_folder(to, folder, sizeof folder);
    completion_init(&c, NULL, NULL);
    io_path_rename(r->io, from, to, &c);
    s64 result = await(r, &c);
    if (result < 0) return result;
    completion_init(&c, NULL, NULL);
    io_path_sync_dir(r->io, folder, &c);
    return await(r, &c);
}

static s64 file_read(struct replica *r, void *out, u64 size, u64 offset)
{
    struct completion c;
    completion_init(&c, NULL, NULL);
    io_file_read(r->copy.file, out, size, offset, &c);
    return await(r, &c);
}

static s64 file_truncate(struct replica *r, u64 size)
{
    struct completion c;
    completion_init(&c, NULL, NULL);
    io_file_truncate(r->copy.file, size, &c);
    return await(r, &c);
}

static bool write_failed(struct replica *r, s64 result, struct err *err)
{
    if (result >= 0) return false;
    bool full = result == -ENOSPC || result == -EDQUOT;
    err_set_errno(err, full ? ERR_FULL : ERR_IOERR_WRITE, (int)-result, __func__, "%s.following cannot be written: %s%s", r->path,
                  strerror((int)-result), full ? "; free some space" : "");
    return true;
}

// ---- what is here of an earlier one
// -----------------------------------------------------------------------------------------------

// A group that cannot be read is one that is not here.
static u64 group_sum(struct replica *r, u32 first, u8 *pages)
{
    u32 page_size = r->copy.page_size, end = first + r->copy.group;
    u64 sum = 0;
    for (u32 at = first; at < end;) {
        u32 count = MIN(end - at, READ);
        if (file_read(r, pages, (u64)count * page_size, (u64)(at - 1) * page_size) != (s64)count * page_size) return 0;
        for (u32 i = 0; i < count; i++, at++)
            if (at != segment_lock_page(page_size)) sum ^= segment_page_sum(at, pages + (size_t)i * page_size, page_size);
    }
    return sum;
}

// The owner does not want to wait any longer; what is here stays.
static bool stopped(struct replica *r, struct err *err)
{
    if (!r->options.stopping || !*r->options.stopping) return false;
    err_clear(err);
    err_set(err, ERR_CANCELLED, __func__, "the copy was stopped");
    return true;
}

static bool sum_up(struct replica *r, u64 size, struct err *err)
{
    struct replica_copy *c = &r->copy;
    u32 pages = (u32)MIN(size / c->page_size, (u64)UINT32_MAX);
    c->group = pages / SUMS_MAX + 1;
    u32 count = pages / c->group;
    if (!count) return true;
    u8 *buffer = malloc((size_t)READ * c->page_size);
    free(c->sums);
    c->sums = malloc(8ul * count);
    if (!buffer || !c->sums) {
        free(buffer);
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return false;
    }
    for (u32 i = 0; i < count && !stopped(r, err); i++) be64_put(c->sums + 8ul * i, group_sum(r, i * c->group + 1, buffer));
    free(buffer);
    c->sum_count = count;
    return err->code == ERR_OK;
}

static u32 plain_page_size(const u8 *header)
{
    u32 size = (u32)header[16] << 8 | header[17];
    if (memcmp(header, "SQLite format 3", 16) != 0) return 0;
    return size == 1 ? 65536 : size >= 512 && (size & (size - 1)) == 0 ? size : 0;
}

// Opens what is there of the file, or begins it.
static bool file_open(struct replica *r, const char *path, struct err *err)
{
    struct replica_copy *copy = &r->copy;
    const struct store_key *key = r->options.database_key;
    bool seals = key && key->kind != STORE_KEY_NONE;
    u8 header[STORE_SEALED_HEADER] = {0};
    u64 size = 0;
    struct completion c;
    completion_init(&c, NULL, NULL);
    io_file_open(r->io, path, IO_OPEN_WRITE | IO_OPEN_CREATE, &copy->file, &c);
    s64 result = await(r, &c);
    if (result < 0) {
        err_set_errno(err, ERR_CANTOPEN, (int)-result, __func__, "%s cannot be made: %s", path, strerror((int)-result));
        return false;
    }
    completion_init(&c, NULL, NULL);
    io_file_size(copy->file, &size, &c);
    result = await(r, &c);
    copy->page_size = copy->sum_count = 0;
    if (result >= 0 && size >= sizeof header) result = file_read(r, header, sizeof header, 0);
    if (result >= 0 && seals && store_sealed_header(header)) {
        struct err other = ERR_CLEAR; // another key's, or damaged: it is begun anew
        struct io_file *sealed = store_sealed_file_again(copy->file, header, path, key, NULL, &other);
        if (sealed) {
            copy->file = sealed;
            copy->page_size = store_sealed_page_size(sealed);
            size -= sizeof header;
        }
    } else if (result >= 0 && !seals) {
        copy->page_size = plain_page_size(header);
    }
    if (result >= 0 && !copy->page_size && size) result = file_truncate(r, 0);
    bool good = !write_failed(r, result, err) && (!copy->page_size || sum_up(r, size, err));
    if (good) return true;
    completion_init(&c, NULL, NULL);
    io_file_close(copy->file, &c);
    await(r, &c);
    return false;
}

// ---- what comes
// -----------------------------------------------------------------------------------------------

// The first answer says which pages the file is of. An encrypted one begins with its keys, so that it can be gone on with.
static bool file_begin(struct replica *r, u32 page_size, bool seals, struct err *err)
{
    struct replica_copy *c = &r->copy;
    if (c->page_size && c->page_size != page_size) {
        char path[4200];
        snprintf(path, sizeof path, "%s.following", r->path);
        file_unlink(r, path);
        err_set(err, ERR_STORE_UNAVAILABLE, __func__, "%s sends pages of %u bytes, and %s has pages of %u: it is begun anew",
                r->node_url, page_size, path, c->page_size);
        return false;
    }
    if (c->page_size || !seals) {
        c->page_size = page_size;
        return true;
    }
    struct io_file *sealed = store_sealed_file(c->file, page_size, r->options.database_key, err);
    if (!sealed) return false;
    c->file = sealed;
    c->page_size = page_size;
    return !write_failed(r, file_truncate(r, 0), err);
}

// Only pages that were said to be here may be left out.
static bool page_follows(const struct replica *r, u32 page)
{
    const struct replica_copy *c = &r->copy;
    u32 here = MAX(c->last, c->sum_count * c->group), lock = segment_lock_page(c->page_size);
    return page > c->last && page <= here + 1 + (here + 1 == lock) && page != lock;
}

static bool part_write(struct replica *r, struct err *err)
{
    struct replica_copy *copy = &r->copy;
    u32 page;
    const u8 *data;
    const struct store_key *key = r->options.database_key;
    bool seals = key && key->kind != STORE_KEY_NONE;
    if (!replica_apply_open(r, r->request.answer, r->request.answer_size, r->node_url, err)) return false;
    const struct segment_header *h = &r->reader.index.header;
    replica_pushed_take(r, h);
    bool good = file_begin(r, h->page_size, store_seals(key, h->page_count), err);
    while (good && segment_reader_next(&r->reader, &page, &data, err)) {
        struct completion c;
        if (page == 1 && !restore_seal_fits(data, seals, err)) break;
        if (!page_follows(r, page)) {
            err_set(err, ERR_STORE_CORRUPT, __func__, "%s sends page %u after page %u", r->node_url, page, copy->last);
            break;
        }
        copy->last = page;
        completion_init(&c, NULL, NULL);
        io_file_write(copy->file, data, copy->page_size, (u64)(page - 1) * copy->page_size, &c);
        if (write_failed(r, await(r, &c), err)) break;
        copy->written++;
    }
    segment_reader_deinit(&r->reader);
    r->reader_open = false;
    return err->code == ERR_OK;
}

static void pause_ns(struct replica *r, u64 ns)
{
    struct completion c;
    completion_init(&c, NULL, NULL);
    io_timeout(r->io, ns, &c);
    (void)await(r, &c);
}

static void tell(struct replica *r)
{
    u64 now = io_now_ns(r->io);
    if (now - r->copy.told_ns < TELL_NS) return;
    r->copy.told_ns = now;
    replica_log(r, SYNC_LOG_INFO, "replica.copying", "page %u of %u", r->copy.last, r->goal.page_count);
}

static bool parts_copy(struct replica *r, struct err *err)
{
    r->more[0] = 0;
    r->part = r->copy.last = 0;
    r->position = (struct replica_position){0};
    do {
        replica_ask_start(r);
        while (r->request.done.state != COMPLETION_DONE) {
            io_step(r->io, 1000000000);
            if (r->options.stopping && *r->options.stopping) io_http_cancel(r->options.http, &r->request);
        }
        if (stopped(r, err)) return false;
        if (replica_ask_result(r, err) != IO_DONE) {
            if (!replica_part_again(r, err)) return false;
            pause_ns(r, REPLICA_PART_PAUSE_NS);
            continue;
        }
        if (r->request.status != 200) { // nothing is there to be sent
            err_set(err, ERR_STORE_UNAVAILABLE, __func__, "%s sends no pages", r->node_url);
            return false;
        }
        if (!part_write(r, err)) return false;
        tell(r);
    } while (r->more[0]);
    u32 last = r->goal.page_count - (r->goal.page_count == segment_lock_page(r->copy.page_size));
    if (r->copy.last > last || (r->copy.last < last && r->copy.sum_count * r->copy.group < last)) {
        err_set(err, ERR_STORE_CORRUPT, __func__, "%s sends %u pages of %u", r->node_url, r->copy.last, r->goal.page_count);
        return false;
    }
    replica_node_adopt(r);
    return true;
}

// All of it, which is durable then.
static bool copy_try(struct replica *r, const char *path, struct err *err)
{
    struct replica_copy *copy = &r->copy;
    struct completion c;
    if (!file_open(r, path, err)) return false;
    if (copy->sum_count)
        replica_log(r, SYNC_LOG_INFO, "replica.copy_resumed", "%u pages are compared with those of %s",
                    copy->sum_count * copy->group, r->node_url);
    bool good = parts_copy(r, err), synced = true;
    if (good) {
        s64 result = file_truncate(r, (u64)r->goal.page_count * copy->page_size);
        if (result >= 0) {
            completion_init(&c, NULL, NULL);
            io_file_sync(copy->file, IO_SYNC_FULL, &c);
            result = await(r, &c);
            synced = result >= 0;
        }
        good = !write_failed(r, result, err);
    }
    completion_init(&c, NULL, NULL);
    io_file_close(copy->file, &c);
    await(r, &c);
    if (!synced) file_unlink(r, path); // what it reads as may not be on the disk, and a later sync would not put it there
    return good;
}

bool replica_copy_database(struct replica *r, struct err *err)
{
    char temporary[4200], wal[4200], state[4200];
    u8 bytes[REPLICA_PLACE_SIZE];
    u64 size, modified_ns;
    snprintf(temporary, sizeof temporary, "%s.following", r->path);
    snprintf(wal, sizeof wal, "%s-wal", r->path);
    snprintf(state, sizeof state, "%s-replica", r->path);
    if (backup_file_identity(r->io, wal, &size, &modified_ns)) {
        err_set(err, ERR_CANTOPEN, __func__, "%s is there, left of another database; move it away", wal);
        return false;
    }
    bool good = false;
    r->copy.told_ns = io_now_ns(r->io);
    for (u32 i = 0; i < TRIES && !good; i++) {
        u64 before = r->copy.written;
        if (i) pause_ns(r, 1000000000);
        err_clear(err);
        good = copy_try(r, temporary, err);
        if (!good && !object_error_passes(err)) break;
        if (r->copy.written > before) i = 0;
        if (!good && i + 1 < TRIES) replica_log(r, SYNC_LOG_WARN, "replica.retry", "%s", err->text);
    }
    // The position first: without the database it is not looked at.
    if (good) {
        r->place = (struct replica_place){.clean = true};
        r->file_is_clean = backup_file_identity(r->io, temporary, &r->place.file_size, &r->place.file_modified_ns);
        replica_place_encode(r, bytes);
        s64 result = backup_file_write(r->io, state, bytes, sizeof bytes) ? file_rename(r, temporary, r->path) : -EIO;
        good = result >= 0;
        if (!good)
            err_set(err, ERR_IOERR_WRITE, __func__, "%s cannot be given its name: %s", temporary, strerror((int)-result));
    }
    if (good)
        replica_log(r, SYNC_LOG_INFO, "replica.copied", "%u pages from %s, of which %llu came", r->goal.page_count,
                    r->node_url, (unsigned long long)r->copy.written);
    free(r->copy.sums);
    r->copy = (struct replica_copy){0};
    r->options.database_key = NULL;
    return good;
}
