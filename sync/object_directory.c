// A directory as a store: opening, reading, listing, deleting. Writing is in directory_put.c.
#include "directory_store.h"

#include <errno.h>
#include <fcntl.h>

static void on_done(struct completion *c)
{
    struct directory_request *d = c->context;
    d->next(d, c->result);
}

// ---- ends
// ---------------------------------------------------------------------------------------------

static void end_next(struct directory_request *d, s64 result)
{
    struct io *io = d->request->store->io;
    if (d->unlink_other) {
        d->unlink_other = false;
        io_path_unlink(io, d->other, &d->c);
    } else if (d->file) {
        struct io_file *f = d->file;
        d->file = NULL;
        io_file_close(f, &d->c);
    } else if (d->lock) {
        struct io_file *f = d->lock;
        d->lock = NULL;
        io_file_close(f, &d->c);
    } else {
        object_finish(d->request);
    }
}

void directory_end(struct directory_request *d)
{
    d->next = end_next;
    end_next(d, 0);
}

void directory_fail(struct directory_request *d, s64 result, const char *what, const char *path)
{
    struct object_request *r = d->request;
    int e = (int)-result;
    err_code code = ERR_IOERR;
    const char *hint = "";
    bool writes = r->kind != OBJECT_GET && r->kind != OBJECT_HEAD;
    switch (e) {
    case ENOENT:
    case ENOTDIR:
        code = writes && r->kind != OBJECT_UPLOAD_PART && r->kind != OBJECT_UPLOAD_PARTS
                   ? ERR_STORE_UNAVAILABLE
                   : ERR_STORE_MISSING;
        if (code == ERR_STORE_UNAVAILABLE)
            hint = "; was the store's disk taken out, or its folder removed?";
        break;
    case EEXIST: code = ERR_STORE_EXISTS; break;
    case ENOSPC:
    case EDQUOT:
        code = ERR_FULL;
        hint = "; make room on the store's disk";
        break;
    case EACCES:
    case EPERM:
        code = ERR_STORE_DENIED;
        hint = "; let the node's user write there";
        break;
    case EROFS:
        code = ERR_STORE_DENIED;
        hint = "; the disk may have been set read-only after an error: check it";
        break;
    case EIO:
    case ENODEV:
    case ENXIO:
    case ESTALE:
    case ENOTCONN:
    case ESHUTDOWN: hint = "; was the store's disk taken out, or is it failing?"; break;
    default: break;
    }
    err_set_errno(&r->err, code, e, "store", "%s: cannot %s: %s%s", path, what, strerror(e), hint);
    directory_end(d);
}

void directory_version(const struct io_path_info *info, char out[OBJECT_VERSION_MAX])
{
    snprintf(out, OBJECT_VERSION_MAX, "%llx-%llx-%llx", (unsigned long long)info->identity,
             (unsigned long long)info->modified_ns, (unsigned long long)info->size);
}

// Sets path and folder to a key's.
static void directory_place(struct directory_request *d, const char *key)
{
    snprintf(d->path, sizeof d->path, "%s/%s", directory_of(d)->root, key);
    snprintf(d->folder, sizeof d->folder, "%s", d->path);
    *strrchr(d->folder, '/') = 0;
}

// ---- get and head
// -------------------------------------------------------------------------------------

static void get_read(struct directory_request *d, s64 result)
{
    struct object_request *r = d->request;
    if (result < 0) {
        directory_fail(d, result, "read", d->path);
        return;
    }
    if ((u64)result != r->answer_size)
        err_set(&r->err, ERR_IOERR, "store", "%s: the file is shorter than its size says", d->path);
    directory_end(d);
}

static void get_sized(struct directory_request *d, s64 result)
{
    struct object_request *r = d->request;
    if (result < 0) {
        directory_fail(d, result, "read the size of", d->path);
        return;
    }
    size_t max = r->answer_size_max ? r->answer_size_max : 256u << 20;
    u64 from = MIN(r->range_offset, d->size), size = d->size - from;
    if (r->range_size) size = MIN(size, r->range_size);
    r->size = d->size;
    if (size > max)
        err_set(&r->err, ERR_LIMIT, "store", "%s: the object is larger than expected", d->path);
    else if (!(r->answer = size < r->room_size ? r->room : malloc(size + 1)))
        err_set(&r->err, ERR_NOMEM, "store", "out of memory");
    if (r->err.code != ERR_OK || !size) {
        directory_end(d);
        return;
    }
    r->answer_size = size;
    d->next = get_read;
    io_file_read(d->file, r->answer, size, from, &d->c);
}

static void get_opened(struct directory_request *d, s64 result)
{
    if (result < 0) {
        d->file = NULL;
        directory_fail(d, result, "open", d->path);
        return;
    }
    d->next = get_sized;
    io_file_size(d->file, &d->size, &d->c);
}

// The version is asked for before the bytes: when a put comes between the two it is an older one,
// and the next conditional get gets the bytes again.
static void get_known(struct directory_request *d, s64 result)
{
    struct object_request *r = d->request;
    if (result >= 0 && d->info.is_dir) result = -ENOENT;
    if (result < 0) {
        directory_fail(d, result, "open", d->path);
        return;
    }
    directory_version(&d->info, r->version);
    r->size = d->info.size;
    r->modified_ms = d->info.modified_ns / 1000000;
    r->unchanged = r->kind == OBJECT_GET && r->if_version[0] && strcmp(r->if_version, r->version) == 0;
    if (r->kind == OBJECT_HEAD || r->unchanged) {
        directory_end(d);
        return;
    }
    d->next = get_opened;
    io_file_open(r->store->io, d->path, IO_OPEN_READ, &d->file, &d->c);
}

// ---- list
// ---------------------------------------------------------------------------------------------

static void list_read(struct directory_request *d, s64 result)
{
    struct object_request *r = d->request;
    // A folder that is not there has nothing in it.
    if (result < 0 && result != -ENOENT && result != -ENOTDIR) {
        directory_fail(d, result, "list", d->path);
        return;
    }
    for (u32 i = 0; i < d->listing.count && r->err.code == ERR_OK; i++) {
        const struct io_dir_entry *e = &d->listing.entries[i];
        char key[OBJECT_KEY_MAX + 256];
        snprintf(key, sizeof key, "%s%s%s", r->key, e->name, e->is_dir ? "/" : "");
        if ((e->is_dir && !r->list_folders) || strcmp(key, ".tmp/") == 0) continue;
        if (strcmp(key, r->after) <= 0) continue;
        if (!object_entry_add(r, key, e->is_dir ? 0 : e->size, e->is_dir ? 0 : e->modified_ms, NULL))
            err_set(&r->err, ERR_NOMEM, "store", "out of memory");
    }
    object_entries_sort(r);
    r->more = r->list_limit && r->entry_count > r->list_limit;
    while (r->more && r->entry_count > r->list_limit) free(r->entries[--r->entry_count].key);
    directory_end(d);
}

// ---- delete
// -------------------------------------------------------------------------------------------

static void delete_next(struct directory_request *d, s64 result);

static void delete_synced(struct directory_request *d, s64 result)
{
    if (result < 0 && result != -ENOENT && result != -EINVAL) {
        directory_fail(d, result, "sync the folder", d->folder);
        return;
    }
    d->index++;
    delete_next(d, 0);
}

static void delete_unlinked(struct directory_request *d, s64 result)
{
    struct object_request *r = d->request;
    if (result < 0 && result != -ENOENT && result != -ENOTDIR) {
        directory_fail(d, result, "delete", d->path);
        return;
    }
    // One sync for each run of keys in the same folder.
    if (r->kind == OBJECT_DELETE_MANY && d->index + 1 < r->key_count) {
        const char *key = r->keys[d->index], *other = r->keys[d->index + 1];
        const char *a = strrchr(key, '/'), *b = strrchr(other, '/');
        size_t n = a ? (size_t)(a - key) : 0, m = b ? (size_t)(b - other) : 0;
        if (n == m && memcmp(key, other, n) == 0) {
            d->index++;
            delete_next(d, 0);
            return;
        }
    }
    d->next = delete_synced;
    io_path_sync_dir(r->store->io, d->folder, &d->c);
}

static void delete_next(struct directory_request *d, s64 result)
{
    struct object_request *r = d->request;
    bool many = r->kind == OBJECT_DELETE_MANY;
    if (d->index == (many ? r->key_count : 1)) {
        directory_end(d);
        return;
    }
    directory_place(d, many ? r->keys[d->index] : r->key);
    d->next = delete_unlinked;
    io_path_unlink(r->store->io, d->path, &d->c);
}

// ---- the store
// ----------------------------------------------------------------------------------------

static void directory_start(struct object_store *s, struct object_request *r)
{
    struct directory_request *d = calloc(1, sizeof *d);
    if (!d) {
        err_set(&r->err, ERR_NOMEM, __func__, "out of memory");
        object_finish(r);
        return;
    }
    r->private_ = d;
    d->request = r;
    completion_init(&d->c, on_done, d);
    directory_place(d, r->key);
    switch (r->kind) {
    case OBJECT_PUT:
    case OBJECT_PUT_IF_ABSENT: directory_put_start(d); break;
    case OBJECT_GET:
    case OBJECT_HEAD:
        d->next = get_known;
        io_path_stat(s->io, d->path, &d->info, &d->c);
        break;
    case OBJECT_LIST:
        d->next = list_read;
        io_path_list(s->io, d->path, &d->listing, &d->c);
        break;
    case OBJECT_DELETE:
    case OBJECT_DELETE_MANY: delete_next(d, 0); break;
    case OBJECT_UPLOAD_BEGIN:
    case OBJECT_UPLOAD_PART:
    case OBJECT_UPLOAD_PARTS:
    case OBJECT_UPLOAD_FINISH:
    case OBJECT_UPLOAD_ABORT:
    case OBJECT_UPLOAD_LIST: directory_upload_start(d); break;
    case OBJECT_KIND_COUNT: ASSERT(false);
    }
}

static void directory_cancel(struct object_request *r)
{
    (void)r; // a local disk answers soon enough
}

static void directory_drop(struct object_request *r)
{
    struct directory_request *d = r->private_;
    io_dir_listing_free(&d->listing);
    free(d->piece);
    free(d);
}

static void directory_close(struct object_store *s)
{
    free(CONTAINER_OF(s, struct directory_store, store));
}

static const struct object_store_ops DIRECTORY_OPS = {directory_start, directory_cancel,
                                                      directory_drop, directory_close};

struct object_store *object_directory_open(struct io *io, const char *path, struct err *err)
{
    struct directory_store *s = calloc(1, sizeof *s);
    if (!s) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return NULL;
    }
    s->store.ops = &DIRECTORY_OPS;
    if ((size_t)snprintf(s->root, sizeof s->root, "%s", path) >= sizeof s->root) {
        err_set(err, ERR_USAGE, __func__, "the store's path is longer than %zu bytes",
                sizeof s->root - 1);
        free(s);
        return NULL;
    }
    io_random(io, &s->instance, sizeof s->instance);
    for (size_t n = strlen(s->root); n > 1 && s->root[n - 1] == '/'; n--) s->root[n - 1] = 0;
    snprintf(s->temporary, sizeof s->temporary, "%s/.tmp", s->root);
    return &s->store;
}
