// What is the same for all stores: URLs, keys, limits, repeated tries, counters.
#include "object_backend.h"

#include <errno.h>

#define OBJECT_BACKOFF_FIRST_MS 500
#define OBJECT_BACKOFF_MAX_MS   60000
#define OBJECT_RETRY_AFTER_MAX  3600000
#define NS_PER_S                1000000000ull
#define PIECES_PER_S            4

static void try_start(struct object_request *r);

// ---- stores
// -------------------------------------------------------------------------------------------

bool object_url_needs_http(const char *url)
{
    return strncmp(url, "s3://", 5) == 0 || strncmp(url, "hub+", 4) == 0;
}

static void bucket_init(struct object_bucket *b, u64 per_s, u64 burst_ns)
{
    *b = (struct object_bucket){.per_s = per_s, .burst_ns = burst_ns};
}

struct object_store *object_store_open(struct io *io, struct io_http *http,
                                       const struct object_store_options *options, struct err *err)
{
    const char *url = options->url;
    struct object_store *s = NULL;
    if (!url || !url[0]) {
        err_set(err, ERR_USAGE, __func__,
                "no store is given: use a directory, file:///path, s3://bucket/prefix or "
                "hub+https://host:port/prefix");
    } else if (strncmp(url, "s3://", 5) == 0) {
        s = object_s3_open(io, http, options, err);
    } else if (strncmp(url, "hub+http://", 11) == 0 || strncmp(url, "hub+https://", 12) == 0) {
        s = object_hub_open(io, http, options, err);
    } else if (strncmp(url, "file://", 7) == 0) {
        if (url[7] == '/')
            s = object_directory_open(io, url + 7, err);
        else
            err_set(err, ERR_USAGE, __func__,
                    "store '%s': a file URL has three slashes, as in file:///backup", url);
    } else if (strstr(url, "://")) {
        err_set(err, ERR_USAGE, __func__,
                "store '%s': the scheme is not known; use a directory, file:///path, "
                "s3://bucket/prefix or hub+https://host:port/prefix",
                url);
    } else {
        s = object_directory_open(io, url, err);
    }
    if (!s) return NULL;
    s->io = io;
    bucket_init(&s->upload, options->upload_bytes_per_s, 0);
    bucket_init(&s->download, options->download_bytes_per_s, 0);
    bucket_init(&s->requests, options->requests_per_s, NS_PER_S);
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

u64 object_store_piece(const struct object_store *s, u64 size_min, u64 size_max)
{
    u64 rate = s->download.per_s;
    return rate ? MIN(MAX(rate / PIECES_PER_S, size_min), size_max) : size_max;
}

void object_store_stats_get(const struct object_store *s, struct object_store_stats *out)
{
    *out = s->stats;
}

enum object_conditions object_store_conditions(const struct object_store *s)
{
    return s->conditions;
}

const char *object_kind_name(enum object_kind kind)
{
    static const char *const NAMES[OBJECT_KIND_COUNT] = {
        "put",         "put_if_absent", "get",           "head",         "list",
        "delete",      "delete_many",   "upload_begin",  "upload_part",  "upload_parts",
        "upload_finish", "upload_abort", "upload_list"};
    return NAMES[kind];
}

const char *object_error_class_name(enum object_error_class kind)
{
    static const char *const NAMES[OBJECT_ERROR_CLASS_COUNT] = {"network", "timeout", "unavailable",
                                                                "denied",  "full",    "other"};
    return NAMES[kind];
}

const char *object_conditions_name(enum object_conditions conditions)
{
    switch (conditions) {
    case OBJECT_CONDITIONS_UNKNOWN: return "unknown";
    case OBJECT_CONDITIONS_HONOURED: return "honoured";
    case OBJECT_CONDITIONS_IGNORED: return "ignored";
    case OBJECT_CONDITIONS_RACY: return "racy";
    case OBJECT_CONDITIONS_REFUSED: return "refused";
    }
    return "unknown";
}

// ---- keys
// ---------------------------------------------------------------------------------------------

static bool path_valid(const char *path, size_t size)
{
    if (size >= OBJECT_KEY_MAX || strncmp(path, ".tmp/", 5) == 0) return false;
    for (const char *at = path, *end = path + size; at <= end;) {
        const char *slash = memchr(at, '/', (size_t)(end - at)), *stop = slash ? slash : end;
        size_t n = (size_t)(stop - at);
        if (n == 0 || n > 255 || (n == 1 && at[0] == '.') || (n == 2 && at[0] == '.' && at[1] == '.'))
            return false;
        for (size_t i = 0; i < n; i++)
            if ((u8)at[i] < 32 || (u8)at[i] == 127) return false;
        at = stop + 1;
    }
    return true;
}

bool object_key_valid(const char *key)
{
    size_t size = strnlen(key, OBJECT_KEY_MAX);
    return strcmp(key, ".tmp") != 0 && path_valid(key, size);
}

static bool folder_valid(const char *folder)
{
    size_t size = strnlen(folder, OBJECT_KEY_MAX);
    return size == 0 || (folder[size - 1] == '/' && path_valid(folder, size - 1));
}

static bool request_valid(struct object_request *r)
{
    const char *bad = NULL;
    if (r->kind == OBJECT_LIST || r->kind == OBJECT_UPLOAD_LIST) {
        if (!folder_valid(r->key)) bad = r->key;
    } else if (r->kind == OBJECT_DELETE_MANY) {
        for (u32 i = 0; i < r->key_count && !bad; i++)
            if (!object_key_valid(r->keys[i])) bad = r->keys[i];
    } else if (!object_key_valid(r->key)) {
        bad = r->key;
    }
    if (bad) {
        err_set(&r->err, ERR_USAGE, "store", "'%.100s' cannot name an object", bad);
        return false;
    }
    if (r->kind == OBJECT_UPLOAD_PART && r->part >= OBJECT_PARTS_MAX) {
        err_set(&r->err, ERR_LIMIT, "store", "%s: an upload has at most %d parts", r->key,
                OBJECT_PARTS_MAX);
        return false;
    }
    return true;
}

// ---- answers
// ------------------------------------------------------------------------------------------

static void answer_drop(struct object_request *r)
{
    if (r->answer != r->room) free(r->answer);
    r->answer = NULL;
    r->answer_size = 0;
    r->size = 0;
    r->modified_ms = 0;
    r->version[0] = 0;
    r->unchanged = r->more = false;
    for (u32 i = 0; i < r->entry_count; i++) free(r->entries[i].key);
    free(r->entries);
    r->entries = NULL;
    r->entry_count = r->entry_capacity = 0;
}

bool object_entry_add(struct object_request *r, const char *key, u64 size, s64 modified_ms,
                      const char *upload)
{
    if (r->entry_count == r->entry_capacity) {
        u32 capacity = r->entry_capacity ? r->entry_capacity * 2 : 64;
        struct object_entry *bigger = realloc(r->entries, capacity * sizeof *bigger);
        if (!bigger) return false;
        r->entries = bigger;
        r->entry_capacity = capacity;
    }
    size_t key_size = strlen(key) + 1, upload_size = upload ? strlen(upload) + 1 : 0;
    char *copy = malloc(key_size + upload_size);
    if (!copy) return false;
    memcpy(copy, key, key_size);
    if (upload) memcpy(copy + key_size, upload, upload_size);
    r->entries[r->entry_count++] =
        (struct object_entry){copy, size, modified_ms, upload ? copy + key_size : NULL};
    return true;
}

static int entry_compare(const void *a, const void *b)
{
    return strcmp(((const struct object_entry *)a)->key, ((const struct object_entry *)b)->key);
}

void object_entries_sort(struct object_request *r)
{
    if (r->entry_count > 1) qsort(r->entries, r->entry_count, sizeof *r->entries, entry_compare);
}

struct object_part *object_part_at(struct object_upload *u, u32 part)
{
    if (part >= OBJECT_PARTS_MAX) return NULL;
    if (part >= u->part_capacity) {
        u32 capacity = MIN(MAX(u->part_capacity * 2, MAX(part + 1, 16u)), (u32)OBJECT_PARTS_MAX);
        struct object_part *bigger = realloc(u->parts, capacity * sizeof *bigger);
        if (!bigger) return NULL;
        memset(bigger + u->part_capacity, 0, (capacity - u->part_capacity) * sizeof *bigger);
        u->parts = bigger;
        u->part_capacity = capacity;
    }
    u->part_count = MAX(u->part_count, part + 1);
    return &u->parts[part];
}

void object_upload_deinit(struct object_upload *u)
{
    free(u->parts);
    *u = (struct object_upload){0};
}

// ---- limits
// -------------------------------------------------------------------------------------------

// Books `units` of a rate and gives the moment from which on they may be used: the order of asking
// is the order of being served.
static u64 bucket_book(struct object_bucket *b, u64 now, u64 units)
{
    if (!b->per_s || !units) return now;
    u64 at = MAX(b->free_ns, now);
    u64 start = at - now > b->burst_ns ? at - b->burst_ns : now;
    b->free_ns = at + (u64)((double)units * (double)NS_PER_S / (double)b->per_s);
    return start;
}

static u64 bytes_expected(const struct object_request *r)
{
    return r->kind == OBJECT_GET ? MAX(r->range_size, 1u) : 0; // whole objects wait for those before them, too
}

static u64 body_bytes(const struct object_request *r)
{
    bool sends = r->kind == OBJECT_PUT || r->kind == OBJECT_PUT_IF_ABSENT ||
                 r->kind == OBJECT_UPLOAD_PART;
    return sends ? r->body_size : 0;
}

// Runs the backend's start now, or when the limits let it.
static void admit(struct object_request *r, u64 up, u64 down)
{
    struct object_store *s = r->store;
    u64 now = io_now_ns(s->io), free_ns = MAX(MAX(s->requests.free_ns, s->upload.free_ns), s->download.free_ns);
    if (r->patient && (up || down) && free_ns > now) { // nothing is booked, so that whoever comes meanwhile does not wait
        s->stats.limited_ms += (free_ns - now) / 1000000;
        r->timer_for = OBJECT_TIMER_PATIENCE;
        io_timeout(s->io, free_ns - now, &r->timer);
        return;
    }
    u64 at = bucket_book(&s->requests, now, 1);
    at = MAX(at, bucket_book(&s->upload, now, up));
    at = MAX(at, bucket_book(&s->download, now, down));
    if (at <= now) {
        s->ops->start(s, r);
        return;
    }
    s->stats.limited_ms += (at - now) / 1000000;
    r->timer_for = OBJECT_TIMER_ADMISSION;
    io_timeout(s->io, at - now, &r->timer);
}

void object_continue(struct object_request *r)
{
    admit(r, 0, 0);
}

// ---- tries
// --------------------------------------------------------------------------------------------

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

static void request_end(struct object_request *r)
{
    if (r->cancelled) {
        err_clear(&r->err);
        err_set(&r->err, ERR_CANCELLED, "store", "%s %s: cancelled", object_kind_name(r->kind),
                r->key);
    }
    r->running = false;
    *r->link = r->next;
    if (r->next) r->next->link = r->link;
    completion_post(r->store->io, &r->done, r->err.code == ERR_OK ? 0 : -EIO);
}

static void error_count(struct object_store *s, const struct err *err)
{
    enum object_error_class kind = OBJECT_ERROR_OTHER;
    if (err->code == ERR_OK || err->code == ERR_STORE_MISSING || err->code == ERR_STORE_EXISTS ||
        err->code == ERR_CANCELLED)
        return;
    if (err->code == ERR_NETWORK) kind = OBJECT_ERROR_NETWORK;
    if (err->code == ERR_TIMEOUT) kind = OBJECT_ERROR_TIMEOUT;
    if (err->code == ERR_STORE_UNAVAILABLE) kind = OBJECT_ERROR_UNAVAILABLE;
    if (err->code == ERR_STORE_DENIED) kind = OBJECT_ERROR_DENIED;
    if (err->code == ERR_FULL) kind = OBJECT_ERROR_FULL;
    s->stats.errors[kind]++;
}

// A name that is taken after a reply was lost may hold our own bytes.
static void on_checked(struct completion *c)
{
    struct object_request *check = c->context, *r = check->context;
    bool same = check->err.code == ERR_OK && check->answer_size == r->body_size &&
                (r->body_size == 0 || memcmp(check->answer, r->body, r->body_size) == 0);
    if (same) {
        err_clear(&r->err);
        memcpy(r->version, check->version, sizeof r->version);
    } else if (check->err.code != ERR_OK && check->err.code != ERR_LIMIT &&
               check->err.code != ERR_STORE_MISSING) {
        r->err = check->err;
    }
    object_request_deinit(check);
    free(check);
    r->check = NULL;
    request_end(r);
}

static bool check_start(struct object_request *r)
{
    struct object_request *check = malloc(sizeof *check);
    if (!check) return false;
    object_request_init(check, on_checked, r);
    check->kind = OBJECT_GET;
    memcpy(check->key, r->key, sizeof check->key);
    check->answer_size_max = r->body_size ? r->body_size : 1;
    check->tries_max = r->tries_max;
    r->check = check;
    object_start(r->store, check);
    return true;
}

void object_finish(struct object_request *r)
{
    struct object_store *s = r->store;
    s->stats.downloaded_bytes += r->answer_size;
    u64 expected = bytes_expected(r);
    if (r->answer_size > expected)
        bucket_book(&s->download, io_now_ns(s->io), r->answer_size - expected);
    if (r->err.code == ERR_OK) s->stats.uploaded_bytes += body_bytes(r);
    if (r->cancelled && r->err.code != ERR_OK) {
        request_end(r);
        return;
    }
    r->cancelled = false; // it was done before the cancellation came
    error_count(s, &r->err);
    if (object_error_passes(&r->err) && r->attempt + 1 < r->tries_max) {
        u64 ms = object_backoff_ms(s->io, r->attempt);
        ms = MAX(ms, MIN(r->retry_after_ms, (u64)OBJECT_RETRY_AFTER_MAX));
        if (r->attempt < UINT32_MAX - 1) r->attempt++;
        s->stats.retries++;
        r->timer_for = OBJECT_TIMER_RETRY;
        io_timeout(s->io, ms * 1000000, &r->timer);
        if (r->on_retry) r->on_retry(r, ms);
        return;
    }
    if (r->err.code == ERR_STORE_EXISTS && r->tries_max > 1 && !r->source && check_start(r)) return;
    request_end(r);
}

static void on_timer(struct completion *c)
{
    struct object_request *r = c->context;
    bool retry = r->timer_for == OBJECT_TIMER_RETRY, yielded = r->timer_for == OBJECT_TIMER_PATIENCE;
    r->timer_for = OBJECT_TIMER_NONE;
    if (c->result < 0) r->cancelled = true;
    if (r->cancelled)
        request_end(r);
    else if (retry)
        try_start(r);
    else if (yielded)
        admit(r, body_bytes(r), bytes_expected(r));
    else
        r->store->ops->start(r->store, r);
}

static void try_start(struct object_request *r)
{
    struct object_store *s = r->store;
    answer_drop(r);
    if (r->private_) s->ops->drop(r);
    r->private_ = NULL;
    err_clear(&r->err);
    r->step = 0;
    r->retry_after_ms = 0;
    s->stats.requests[r->kind]++;
    admit(r, body_bytes(r), bytes_expected(r));
}

void object_request_init(struct object_request *r, void (*callback)(struct completion *),
                         void *context)
{
    memset(r, 0, sizeof *r);
    r->context = context;
    r->err = ERR_CLEAR;
    completion_init(&r->done, callback, r);
    completion_init(&r->timer, on_timer, r);
}

void object_start(struct object_store *s, struct object_request *r)
{
    object_request_deinit(r);
    r->err = ERR_CLEAR;
    r->store = s;
    r->attempt = 0;
    r->cancelled = s->interrupted;
    r->running = true;
    r->next = s->under_way;
    r->link = &s->under_way;
    if (r->next) r->next->link = &r->next;
    s->under_way = r;
    if (!r->cancelled && request_valid(r))
        try_start(r);
    else
        request_end(r);
}

void object_cancel(struct object_request *r)
{
    if (!r->running || r->cancelled) return;
    r->cancelled = true;
    if (r->check)
        object_cancel(r->check);
    else if (r->timer_for != OBJECT_TIMER_NONE)
        io_cancel(r->store->io, &r->timer);
    else if (r->private_)
        r->store->ops->cancel(r);
}

void object_store_interrupt(struct object_store *s)
{
    s->interrupted = true;
    for (struct object_request *r = s->under_way; r;) {
        bool again = !r->cancelled;
        object_cancel(r);
        r = again ? s->under_way : r->next; // others may have ended with it
    }
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

bool object_request_yields(const struct object_request *r)
{
    return r->running && r->timer_for == OBJECT_TIMER_PATIENCE;
}
