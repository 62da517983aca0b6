#include "object_store.h"

#include <errno.h>

#define OBJECT_BACKOFF_FIRST_MS 500
#define OBJECT_BACKOFF_MAX_MS   300000

struct object_store *object_store_open(struct io *io, struct io_http *http,
                                       const struct object_store_options *options, struct err *err)
{
    const char *url = options->url;
    struct object_store *s = NULL;
    if (!url || !url[0]) {
        err_set(err, ERR_USAGE, __func__,
                "no store is given: use a directory, file:///path or s3://bucket/prefix");
    } else if (strncmp(url, "s3://", 5) == 0) {
        s = object_s3_open(io, http, options, err);
    } else if (strncmp(url, "file://", 7) == 0) {
        if (url[7] == '/')
            s = object_directory_open(io, url + 7, err);
        else
            err_set(err, ERR_USAGE, __func__,
                    "store '%s': a file URL has three slashes, as in file:///backup", url);
    } else if (strstr(url, "://")) {
        err_set(err, ERR_USAGE, __func__,
                "store '%s': the scheme is not known; use a directory, file:///path or "
                "s3://bucket/prefix",
                url);
    } else {
        s = object_directory_open(io, url, err);
    }
    if (!s) return NULL;
    s->io = io;
    s->url = strdup(url);
    if (!s->url) {
        s->ops->close(s);
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return NULL;
    }
    return s;
}

void object_store_close(struct object_store *s)
{
    if (!s) return;
    free(s->url);
    s->ops->close(s);
}

const char *object_store_url(const struct object_store *s)
{
    return s->url;
}

void object_request_init(struct object_request *r, void (*callback)(struct completion *),
                         void *context)
{
    memset(r, 0, sizeof *r);
    r->context = context;
    r->err = ERR_CLEAR;
    completion_init(&r->done, callback, r);
}

void object_cancel(struct object_request *r)
{
    if (r->running && r->private_) r->store->ops->cancel(r);
}

static void answer_drop(struct object_request *r)
{
    free(r->answer);
    r->answer = NULL;
    r->answer_size = 0;
    for (u32 i = 0; i < r->entry_count; i++) free(r->entries[i].key);
    free(r->entries);
    r->entries = NULL;
    r->entry_count = r->entry_capacity = 0;
}

void object_start(struct object_store *s, struct object_request *r)
{
    object_request_deinit(r);
    r->err = ERR_CLEAR;
    r->store = s;
    r->step = 0;
    r->running = true;
    s->ops->start(s, r);
}

void object_request_deinit(struct object_request *r)
{
    ASSERT(!object_request_busy(r));
    answer_drop(r);
    if (r->store && r->private_) r->store->ops->drop(r);
    r->private_ = NULL;
}

bool object_request_busy(const struct object_request *r)
{
    return r->running || r->done.state == COMPLETION_PENDING;
}

void object_finish(struct object_request *r)
{
    r->running = false;
    completion_post(r->store->io, &r->done, r->err.code == ERR_OK ? 0 : -EIO);
}

bool object_entry_add(struct object_request *r, const char *key, u64 size)
{
    if (r->entry_count == r->entry_capacity) {
        u32 capacity = r->entry_capacity ? r->entry_capacity * 2 : 64;
        struct object_entry *bigger = realloc(r->entries, capacity * sizeof *bigger);
        if (!bigger) return false;
        r->entries = bigger;
        r->entry_capacity = capacity;
    }
    char *copy = strdup(key);
    if (!copy) return false;
    r->entries[r->entry_count++] = (struct object_entry){copy, size};
    return true;
}

bool object_error_passes(const struct err *err)
{
    return err->code == ERR_STORE_UNAVAILABLE || err->code == ERR_NETWORK ||
           err->code == ERR_TIMEOUT || err->code == ERR_FULL || err->code == ERR_IOERR ||
           err->code == ERR_NOMEM;
}

u64 object_backoff_ms(struct io *io, u32 attempt)
{
    u64 ceiling = attempt >= 10
                      ? OBJECT_BACKOFF_MAX_MS
                      : MIN((u64)OBJECT_BACKOFF_MAX_MS, (u64)OBJECT_BACKOFF_FIRST_MS << attempt);
    u32 random;
    io_random(io, &random, sizeof random);
    return random % (ceiling + 1);
}
