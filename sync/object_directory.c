// A directory as a store. An object is written to a temporary file in the store's "tmp" folder,
// synced, and then linked (put-if-absent) or renamed (put) to its name; the folder is synced before
// put says it is done.
#include "object_store.h"

#include <errno.h>

#define DIRECTORY_PATH_MAX 2048

struct directory_store {
    struct object_store store;
    char root[1024], temporary[1040];
    u64 temporary_count;
};

struct directory_request {
    struct object_request *request;
    struct completion c;
    struct io_file *file;
    u64 size;
    char path[DIRECTORY_PATH_MAX], folder[DIRECTORY_PATH_MAX], temporary[DIRECTORY_PATH_MAX];
    struct io_dir_listing listing;
    struct err err; // kept while a file is closed or removed after a failure
};

enum directory_step {
    PUT_MKDIR_TMP,
    PUT_MKDIR,
    PUT_OPEN,
    PUT_WRITE,
    PUT_CLOSE,
    PUT_NAME,
    PUT_UNLINK,
    PUT_SYNC_DIR,
    PUT_SYNC_PARENT,
    PUT_FAIL_CLOSE,
    PUT_FAIL_UNLINK,
    GET_OPEN,
    GET_SIZE,
    GET_READ,
    GET_CLOSE,
    LIST_READ,
    DELETE_UNLINK,
    DELETE_SYNC_DIR,
    DIRECTORY_FINISHED,
};

static void directory_next(struct completion *c);

static struct directory_store *directory_of(struct object_request *r)
{
    return CONTAINER_OF(r->store, struct directory_store, store);
}

static void error_from_errno(struct err *err, s64 result, const char *what, const char *path)
{
    int e = (int)-result;
    err_code code = e == ENOENT                               ? ERR_STORE_MISSING
                    : e == EEXIST                             ? ERR_STORE_EXISTS
                    : e == ENOSPC || e == EDQUOT              ? ERR_FULL
                    : e == EACCES || e == EPERM || e == EROFS ? ERR_STORE_DENIED
                                                              : ERR_IOERR;
    const char *hint = code == ERR_FULL           ? "; make room in the store's directory"
                       : code == ERR_STORE_DENIED ? "; let the node's user write there"
                                                  : "";
    err_set_errno(err, code, e, "store", "%s: cannot %s: %s%s", path, what, strerror(e), hint);
}

// After a failed put: close and remove the temporary file, then report the first error.
static void put_fail(struct directory_request *d, s64 result, const char *what, const char *path)
{
    error_from_errno(&d->err, result, what, path);
    d->request->step = d->file ? PUT_FAIL_CLOSE : PUT_FAIL_UNLINK;
    if (d->file)
        io_file_close(d->file, &d->c);
    else
        io_path_unlink(d->request->store->io, d->temporary, &d->c);
    d->file = NULL;
}

static void put_next(struct directory_request *d, s64 result)
{
    struct object_request *r = d->request;
    struct io *io = r->store->io;
    switch ((enum directory_step)r->step) {
    case PUT_MKDIR_TMP:
        if (result < 0) {
            error_from_errno(&r->err, result, "make the folder", directory_of(r)->root);
            r->step = DIRECTORY_FINISHED;
            return;
        }
        r->step = PUT_MKDIR;
        io_path_mkdir(io, d->folder, &d->c);
        return;
    case PUT_MKDIR:
        if (result < 0) {
            error_from_errno(&r->err, result, "make the folder", d->folder);
            r->step = DIRECTORY_FINISHED;
            return;
        }
        r->step = PUT_OPEN;
        io_file_open(io, d->temporary, IO_OPEN_WRITE | IO_OPEN_CREATE | IO_OPEN_EXCLUSIVE, &d->file,
                     &d->c);
        return;
    case PUT_OPEN:
        if (result < 0) {
            d->file = NULL;
            error_from_errno(&r->err, result, "create", d->temporary);
            r->step = DIRECTORY_FINISHED;
            return;
        }
        r->step = PUT_WRITE;
        if (r->body_size == 0) {
            io_file_sync(d->file, IO_SYNC_FULL, &d->c);
        } else {
            io_file_write(d->file, r->body, r->body_size, 0, &d->c);
        }
        return;
    case PUT_WRITE:
        if (result < 0) {
            put_fail(d, result, "write", d->temporary);
            return;
        }
        r->step = PUT_CLOSE;
        io_file_sync(d->file, IO_SYNC_FULL, &d->c);
        return;
    case PUT_CLOSE:
        if (result < 0) {
            put_fail(d, result, "sync", d->temporary);
            return;
        }
        r->step = PUT_NAME;
        io_file_close(d->file, &d->c);
        d->file = NULL;
        return;
    case PUT_NAME:
        r->step = PUT_UNLINK;
        if (r->kind == OBJECT_PUT_IF_ABSENT)
            io_path_link(io, d->temporary, d->path, &d->c);
        else
            io_path_rename(io, d->temporary, d->path, &d->c);
        return;
    case PUT_UNLINK:
        if (result < 0) {
            put_fail(d, result, "name the object", d->path);
            return;
        }
        r->step = PUT_SYNC_DIR;
        if (r->kind == OBJECT_PUT_IF_ABSENT)
            io_path_unlink(io, d->temporary, &d->c);
        else
            completion_post(io, &d->c, 0);
        return;
    case PUT_SYNC_DIR:
        r->step = PUT_SYNC_PARENT;
        io_path_sync_dir(io, d->folder, &d->c);
        return;
    case PUT_SYNC_PARENT:
        if (result < 0) error_from_errno(&r->err, result, "sync the folder", d->folder);
        r->step = DIRECTORY_FINISHED;
        return;
    case PUT_FAIL_CLOSE:
        r->step = PUT_FAIL_UNLINK;
        io_path_unlink(io, d->temporary, &d->c);
        return;
    case PUT_FAIL_UNLINK:
        r->err = d->err;
        r->step = DIRECTORY_FINISHED;
        return;
    case GET_OPEN:
    case GET_SIZE:
    case GET_READ:
    case GET_CLOSE:
    case LIST_READ:
    case DELETE_UNLINK:
    case DELETE_SYNC_DIR:
    case DIRECTORY_FINISHED: ASSERT(false);
    }
}

static void get_next(struct directory_request *d, s64 result)
{
    struct object_request *r = d->request;
    switch ((enum directory_step)r->step) {
    case GET_OPEN:
        if (result < 0) {
            d->file = NULL;
            error_from_errno(&r->err, result, "open", d->path);
            r->step = DIRECTORY_FINISHED;
            return;
        }
        r->step = GET_SIZE;
        io_file_size(d->file, &d->size, &d->c);
        return;
    case GET_SIZE: {
        size_t max = r->answer_size_max ? r->answer_size_max : 256u << 20;
        u64 from = MIN(r->range_offset, d->size), size = d->size - from;
        if (r->range_size) size = MIN(size, r->range_size);
        if (result < 0)
            error_from_errno(&r->err, result, "read the size of", d->path);
        else if (size > max)
            err_set(&r->err, ERR_LIMIT, "store", "%s: the object is larger than expected", d->path);
        else if (!(r->answer = malloc(size + 1)))
            err_set(&r->err, ERR_NOMEM, "store", "out of memory");
        if (r->err.code != ERR_OK) {
            r->step = GET_CLOSE;
            io_file_close(d->file, &d->c);
            d->file = NULL;
            return;
        }
        r->step = GET_READ;
        r->answer_size = size;
        if (size)
            io_file_read(d->file, r->answer, size, from, &d->c);
        else
            completion_post(r->store->io, &d->c, 0);
        return;
    }
    case GET_READ:
        if (result < 0)
            error_from_errno(&r->err, result, "read", d->path);
        else
            r->answer_size = (size_t)result;
        r->step = GET_CLOSE;
        io_file_close(d->file, &d->c);
        d->file = NULL;
        return;
    case GET_CLOSE: r->step = DIRECTORY_FINISHED; return;
    case PUT_MKDIR_TMP:
    case PUT_MKDIR:
    case PUT_OPEN:
    case PUT_WRITE:
    case PUT_CLOSE:
    case PUT_NAME:
    case PUT_UNLINK:
    case PUT_SYNC_DIR:
    case PUT_SYNC_PARENT:
    case PUT_FAIL_CLOSE:
    case PUT_FAIL_UNLINK:
    case LIST_READ:
    case DELETE_UNLINK:
    case DELETE_SYNC_DIR:
    case DIRECTORY_FINISHED: ASSERT(false);
    }
}

static void list_next(struct directory_request *d, s64 result)
{
    struct object_request *r = d->request;
    r->step = DIRECTORY_FINISHED;
    if (result < 0) {
        if (result != -ENOENT) error_from_errno(&r->err, result, "list", d->path);
        return; // a folder that is not there has nothing in it
    }
    for (u32 i = 0; i < d->listing.count; i++) {
        char key[OBJECT_KEY_MAX + 256];
        snprintf(key, sizeof key, "%s%s", r->key, d->listing.entries[i].name);
        if (d->listing.entries[i].is_dir || strcmp(key, r->after) <= 0) continue;
        if (!object_entry_add(r, key, d->listing.entries[i].size)) {
            err_set(&r->err, ERR_NOMEM, "store", "out of memory");
            break;
        }
    }
    io_dir_listing_free(&d->listing);
}

static void delete_next(struct directory_request *d, s64 result)
{
    struct object_request *r = d->request;
    if (r->step == DELETE_UNLINK && (result >= 0 || result == -ENOENT)) {
        r->step = DELETE_SYNC_DIR;
        io_path_sync_dir(r->store->io, d->folder, &d->c);
        return;
    }
    if (result < 0 && result != -ENOENT) error_from_errno(&r->err, result, "delete", d->path);
    r->step = DIRECTORY_FINISHED;
}

static void directory_next(struct completion *c)
{
    struct directory_request *d = c->context;
    struct object_request *r = d->request;
    s64 result = c->result;
    switch (r->kind) {
    case OBJECT_PUT:
    case OBJECT_PUT_IF_ABSENT: put_next(d, result); break;
    case OBJECT_GET: get_next(d, result); break;
    case OBJECT_LIST: list_next(d, result); break;
    case OBJECT_DELETE: delete_next(d, result); break;
    }
    if (r->step == DIRECTORY_FINISHED) object_finish(r);
}

static void directory_start(struct object_store *s, struct object_request *r)
{
    struct directory_store *store = CONTAINER_OF(s, struct directory_store, store);
    struct directory_request *d = calloc(1, sizeof *d);
    if (!d) {
        err_set(&r->err, ERR_NOMEM, __func__, "out of memory");
        object_finish(r);
        return;
    }
    r->private_ = d;
    d->request = r;
    d->err = ERR_CLEAR;
    completion_init(&d->c, directory_next, d);
    snprintf(d->path, sizeof d->path, "%s/%s", store->root, r->key);
    snprintf(d->folder, sizeof d->folder, "%s", d->path);
    char *slash = strrchr(d->folder, '/');
    if (slash) *slash = 0;
    switch (r->kind) {
    case OBJECT_PUT:
    case OBJECT_PUT_IF_ABSENT: {
        u64 random;
        io_random(s->io, &random, sizeof random);
        snprintf(d->temporary, sizeof d->temporary, "%s/%016llx-%llu", store->temporary,
                 (unsigned long long)random, (unsigned long long)store->temporary_count++);
        r->step = PUT_MKDIR_TMP;
        io_path_mkdir(s->io, store->temporary, &d->c);
        return;
    }
    case OBJECT_GET:
        r->step = GET_OPEN;
        io_file_open(s->io, d->path, IO_OPEN_READ, &d->file, &d->c);
        return;
    case OBJECT_LIST:
        r->step = LIST_READ;
        io_path_list(s->io, d->path, &d->listing, &d->c);
        return;
    case OBJECT_DELETE:
        r->step = DELETE_UNLINK;
        io_path_unlink(s->io, d->path, &d->c);
        return;
    }
}

static void directory_cancel(struct object_request *r)
{
    (void)r; // a local disk answers soon enough
}

static void directory_drop(struct object_request *r)
{
    free(r->private_);
}

static void directory_close(struct object_store *s)
{
    free(CONTAINER_OF(s, struct directory_store, store));
}

static const struct object_store_ops DIRECTORY_OPS = {directory_start, directory_cancel,
                                                      directory_drop, directory_close};

struct object_store *object_directory_open(struct io *io, const char *path, struct err *err)
{
    (void)io;
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
    for (size_t n = strlen(s->root); n > 1 && s->root[n - 1] == '/'; n--) s->root[n - 1] = 0;
    snprintf(s->temporary, sizeof s->temporary, "%s/tmp", s->root);
    return &s->store;
}
