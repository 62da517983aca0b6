// The directory store's put. An object is written to a file in .tmp, synced, and then renamed to
// its name; its folder is synced before put says it is done. Put-if-absent renames so that the name
// must be free (RENAME_NOREPLACE). File systems without that (NFS) get link(2), and where neither is
// to be had, a lock that all processes take.
#include "directory_store.h"

#include <errno.h>
#include <fcntl.h>

#define UPLOAD_REMAINS_MS 86400000 // what an upload leaves behind is removed when it is so old
#define LOCK_WAIT_MS      10
#define LOCK_TRIES_MAX    1000

// ---- sweeping
// -----------------------------------------------------------------------------------------

static void sweep_next(struct directory_request *d, s64 result);

static void sweep_opened(struct directory_request *d, s64 result)
{
    if (result < 0) {
        d->file = NULL;
        sweep_next(d, 0);
        return;
    }
    // Whoever is still writing it holds the lock.
    d->next = sweep_next;
    if (io_file_lock(d->file, 0, 1, IO_LOCK_EXCLUSIVE) == 0)
        io_path_unlink(d->request->store->io, d->other, &d->c);
    else
        sweep_next(d, 0);
}

static bool listing_has(const struct io_dir_listing *l, const char *name)
{
    for (u32 i = 0; i < l->count; i++)
        if (strcmp(l->entries[i].name, name) == 0) return true;
    return false;
}

// An upload whose bytes have become an object, or went: the rest of it is of no use.
static bool is_remains(struct directory_request *d, const struct io_dir_entry *e)
{
    char data[64];
    if (strncmp(e->name, "u-", 2) != 0 || strlen(e->name) < 2 + DIRECTORY_ID_SIZE) return false;
    if (io_wall_ms(d->request->store->io) - e->modified_ms < UPLOAD_REMAINS_MS) return false;
    snprintf(data, sizeof data, "%.*s.data", 2 + DIRECTORY_ID_SIZE, e->name);
    return !listing_has(&d->listing, data);
}

static void sweep_next(struct directory_request *d, s64 result)
{
    struct directory_store *s = directory_of(d);
    struct io *io = s->store.io;
    char own[32];
    if (d->file) {
        struct io_file *f = d->file;
        d->file = NULL;
        d->next = sweep_next;
        io_file_close(f, &d->c);
        return;
    }
    snprintf(own, sizeof own, "t-%016llx-", (unsigned long long)s->instance);
    while (d->index < d->listing.count) {
        const struct io_dir_entry *e = &d->listing.entries[d->index++];
        bool put = strncmp(e->name, "t-", 2) == 0 && strncmp(e->name, own, strlen(own)) != 0;
        if (!put && !is_remains(d, e)) continue;
        snprintf(d->other, sizeof d->other, "%s/%s", s->temporary, e->name);
        if (put) {
            d->next = sweep_opened;
            io_file_open(io, d->other, IO_OPEN_WRITE, &d->file, &d->c);
        } else {
            d->next = sweep_next;
            io_path_unlink(io, d->other, &d->c);
        }
        return;
    }
    io_dir_listing_free(&d->listing);
    d->index = 0;
    s->swept = true;
    d->after(d, 0);
}

static void sweep_listed(struct directory_request *d, s64 result)
{
    if (result < 0)
        directory_fail(d, result, "list", directory_of(d)->temporary);
    else
        sweep_next(d, 0);
}

static void sweep_synced(struct directory_request *d, s64 result)
{
    if (result < 0 && result != -EINVAL && result != -EACCES) {
        directory_fail(d, result, "sync the folder above", directory_of(d)->root);
        return;
    }
    d->next = sweep_listed;
    io_path_list(d->request->store->io, directory_of(d)->temporary, &d->listing, &d->c);
}

static void sweep_made(struct directory_request *d, s64 result)
{
    if (result < 0) {
        directory_fail(d, result, "make the folder", directory_of(d)->temporary);
        return;
    }
    d->next = sweep_synced;
    // The store's own name is made durable with the first object's folders; .tmp's need not be.
    io_path_sync_dir(d->request->store->io, directory_of(d)->root, &d->c);
}

void directory_sweep(struct directory_request *d, directory_step after)
{
    struct directory_store *s = directory_of(d);
    if (s->swept) {
        after(d, 0);
        return;
    }
    d->after = after;
    d->next = sweep_made;
    io_path_mkdir(s->store.io, s->temporary, &d->c);
}

// ---- bytes
// --------------------------------------------------------------------------------------------

static void write_next(struct directory_request *d, s64 result);

static void write_synced(struct directory_request *d, s64 result)
{
    if (result < 0)
        directory_fail(d, result, d->request->source ? "sync" : "write", d->other);
    else
        d->after(d, 0);
}

static void source_gave(struct directory_request *d, s64 result)
{
    struct object_request *r = d->request;
    u64 done = d->offset - d->size, left = r->body_size - done;
    if (result < 0) {
        err_set(&r->err, ERR_NETWORK, "store", "%s: its bytes stopped coming", r->key);
        directory_end(d);
    } else if ((u64)result > left || (result == 0 && left)) {
        err_set(&r->err, ERR_NETWORK, "store", "%s: %llu bytes were announced and %llu came", r->key,
                (unsigned long long)r->body_size, (unsigned long long)(done + (u64)result));
        directory_end(d);
    } else if (result == 0) {
        d->next = write_synced;
        io_file_sync(d->file, IO_SYNC_DATA, &d->c);
    } else {
        d->next = write_next;
        io_file_write(d->file, d->piece, (size_t)result, d->offset, &d->c);
    }
}

// result: bytes that were just written.
static void write_next(struct directory_request *d, s64 result)
{
    struct object_request *r = d->request;
    if (result < 0) {
        directory_fail(d, result, "write", d->other);
        return;
    }
    d->offset += (u64)result;
    if (r->source) {
        d->next = source_gave;
        r->source->read(r->source, d->piece, DIRECTORY_PIECE_SIZE, &d->c);
    } else {
        d->body = (struct iovec){(void *)r->body, r->body_size};
        d->next = write_synced;
        io_file_writev_sync(d->file, &d->body, 1, d->offset, &d->c);
    }
}

void directory_write(struct directory_request *d, u64 offset, directory_step after)
{
    d->after = after;
    d->size = d->offset = offset;
    if (d->request->source && !d->piece && !(d->piece = malloc(DIRECTORY_PIECE_SIZE))) {
        err_set(&d->request->err, ERR_NOMEM, __func__, "out of memory");
        directory_end(d);
        return;
    }
    write_next(d, 0);
}

// ---- the name
// -----------------------------------------------------------------------------------------

static void name_try(struct directory_request *d, s64 result);

static void name_synced(struct directory_request *d, s64 result)
{
    if (result < 0 && result != -EINVAL && result != -EACCES) {
        directory_fail(d, result, "sync the folder", d->folder);
        return;
    }
    // Folders that were made are names in the folders above them, up to the store's own.
    char *slash = strrchr(d->folder, '/');
    if (d->folder_made && slash && slash != d->folder &&
        strlen(d->folder) >= strlen(directory_of(d)->root)) {
        *slash = 0;
        d->next = name_synced;
        io_path_sync_dir(d->request->store->io, d->folder, &d->c);
        return;
    }
    // The name was found taken: its folder is synced all the same, since who put it there may have
    // been us, and may have died before.
    if (d->exists)
        directory_fail(d, -EEXIST, "name the object", d->path);
    else
        d->after(d, 0);
}

static void name_sync(struct directory_request *d)
{
    d->next = name_synced;
    io_path_sync_dir(d->request->store->io, d->folder, &d->c);
}

static void name_unlinked(struct directory_request *d, s64 result)
{
    name_sync(d);
}

static void name_folder_made(struct directory_request *d, s64 result)
{
    if (result < 0) {
        directory_fail(d, result, "make the folder", d->folder);
        return;
    }
    d->folder_made = true;
    name_try(d, 0);
}

static void name_given(struct directory_request *d, s64 result)
{
    struct directory_store *s = directory_of(d);
    bool if_absent = d->request->kind == OBJECT_PUT_IF_ABSENT;
    bool unknown = result == -EINVAL || result == -ENOSYS || result == -EOPNOTSUPP;
    if (result == -ENOENT && !d->folder_made) {
        d->next = name_folder_made;
        io_path_mkdir(s->store.io, d->folder, &d->c);
    } else if (if_absent && s->naming == NAMING_RENAME_NEW && unknown) {
        s->naming = NAMING_LINK;
        name_try(d, 0);
    } else if (if_absent && s->naming == NAMING_LINK &&
               (unknown || result == -EPERM || result == -EMLINK)) {
        s->naming = NAMING_LOCKED;
        name_try(d, 0);
    } else if (result == -EEXIST && if_absent) {
        d->exists = true;
        name_sync(d);
    } else if (result < 0) {
        directory_fail(d, result, "name the object", d->path);
    } else if (if_absent && s->naming == NAMING_LINK) {
        d->unlink_other = false;
        d->next = name_unlinked;
        io_path_unlink(s->store.io, d->other, &d->c);
    } else {
        d->unlink_other = false;
        name_sync(d);
    }
}

static void name_looked(struct directory_request *d, s64 result)
{
    if (result != -ENOENT && result != -ENOTDIR) {
        name_given(d, result < 0 ? result : -EEXIST);
        return;
    }
    d->next = name_given;
    io_path_rename(d->request->store->io, d->other, d->path, &d->c);
}

// It is held for as long as a rename takes.
static void name_lock_try(struct directory_request *d, s64 result)
{
    struct io *io = d->request->store->io;
    if (io_file_lock(d->lock, 0, 1, IO_LOCK_EXCLUSIVE) == 0) {
        d->next = name_looked;
        io_path_stat(io, d->path, &d->info, &d->c);
    } else if (++d->lock_tries < LOCK_TRIES_MAX) {
        d->next = name_lock_try;
        io_timeout(io, LOCK_WAIT_MS * 1000000ull, &d->c);
    } else {
        err_set(&d->request->err, ERR_STORE_UNAVAILABLE, "store",
                "%s: another process has held the store's lock for %d s", d->path,
                LOCK_TRIES_MAX * LOCK_WAIT_MS / 1000);
        directory_end(d);
    }
}

static void name_lock_opened(struct directory_request *d, s64 result)
{
    if (result < 0) {
        d->lock = NULL;
        directory_fail(d, result, "open the lock in", directory_of(d)->temporary);
        return;
    }
    name_lock_try(d, 0);
}

static void name_try(struct directory_request *d, s64 result)
{
    struct directory_store *s = directory_of(d);
    struct io *io = s->store.io;
    d->next = name_given;
    if (d->request->kind != OBJECT_PUT_IF_ABSENT) {
        io_path_rename(io, d->other, d->path, &d->c);
        return;
    }
    switch (s->naming) {
    case NAMING_RENAME_NEW: io_path_rename_new(io, d->other, d->path, &d->c); break;
    case NAMING_LINK: io_path_link(io, d->other, d->path, &d->c); break;
    case NAMING_LOCKED: {
        if (d->lock) { // once more, after its folder was made
            name_looked(d, -ENOENT);
            break;
        }
        char lock[1100];
        snprintf(lock, sizeof lock, "%s/lock", s->temporary);
        free(d->piece);
        d->piece = (u8 *)strdup(lock); // io keeps the path until it is done
        if (!d->piece) {
            directory_fail(d, -ENOMEM, "open", lock);
            break;
        }
        d->next = name_lock_opened;
        io_file_open(io, (char *)d->piece, IO_OPEN_WRITE | IO_OPEN_CREATE, &d->lock, &d->c);
        break;
    }
    }
}

void directory_name(struct directory_request *d, directory_step after)
{
    d->after = after;
    name_try(d, 0);
}

// ---- put
// ----------------------------------------------------------------------------------------------

static void put_named(struct directory_request *d, s64 result)
{
    directory_end(d);
}

static void put_known(struct directory_request *d, s64 result)
{
    if (result < 0) {
        directory_fail(d, result, "look at", d->other);
        return;
    }
    directory_version(&d->info, d->request->version);
    directory_name(d, put_named);
}

static void put_written(struct directory_request *d, s64 result)
{
    d->next = put_known;
    io_path_stat(d->request->store->io, d->other, &d->info, &d->c);
}

static void put_opened(struct directory_request *d, s64 result)
{
    if (result < 0) {
        d->file = NULL;
        directory_fail(d, result, "create", d->other);
        return;
    }
    d->unlink_other = true;
    (void)io_file_lock(d->file, 0, 1, IO_LOCK_EXCLUSIVE); // a file system without locks has no sweep
    directory_write(d, 0, put_written);
}

static void put_begin(struct directory_request *d, s64 result)
{
    struct directory_store *s = directory_of(d);
    snprintf(d->other, sizeof d->other, "%s/t-%016llx-%llu", s->temporary,
             (unsigned long long)s->instance, (unsigned long long)s->temporary_count++);
    d->next = put_opened;
    io_file_open(s->store.io, d->other, IO_OPEN_WRITE | IO_OPEN_CREATE | IO_OPEN_EXCLUSIVE,
                 &d->file, &d->c);
}

void directory_put_start(struct directory_request *d)
{
    directory_sweep(d, put_begin);
}
