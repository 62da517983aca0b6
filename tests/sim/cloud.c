#include "cloud.h"

#include "../../sync/object_backend.h"
#include "../../sync/segment.h"
#include "../test.h"

struct cloud_store {
    struct object_store store;
    struct cloud *cloud;
    u64 delay_ns_min, pause_ns;
    const char *pause_part;
};
// One try under way: its deed comes after half of the delay, its reply after the rest.
struct cloud_try {
    struct object_request *r;
    struct completion timer;
    bool done, paused;
    struct err reply;
};

void cloud_init(struct cloud *c, u64 seed)
{
    *c = (struct cloud){.seed = seed};
}

void cloud_shards(u64 seed)
{
    segment_raw_max = seed / 2 % 2 ? 65536 : SEGMENT_RAW_MAX;
}

void cloud_deinit(struct cloud *c)
{
    for (u32 i = 0; i < c->count; i++) {
        free(c->objects[i].key);
        free(c->objects[i].bytes);
    }
    free(c->objects);
}

u64 cloud_bytes(const struct cloud *c)
{
    u64 sum = 0;
    for (u32 i = 0; i < c->count; i++) sum += c->objects[i].size;
    return sum;
}

static u32 rank(const struct cloud *c, const char *key)
{
    u32 low = 0, high = c->count;
    while (low < high) {
        u32 middle = low + (high - low) / 2;
        if (strcmp(c->objects[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct cloud_object *cloud_find(struct cloud *c, const char *key)
{
    u32 i = rank(c, key);
    return i < c->count && strcmp(c->objects[i].key, key) == 0 ? &c->objects[i] : NULL;
}

static void put(struct cloud *c, struct object_request *r)
{
    struct cloud_object *o = cloud_find(c, r->key);
    c->counters.puts++;
    c->counters.put_bytes += r->body_size;
    if (o && r->kind == OBJECT_PUT_IF_ABSENT && !c->conditions_ignored) {
        c->counters.refused_puts++;
        err_set(&r->err, ERR_STORE_EXISTS, "cloud", "%s is there", r->key);
        return;
    }
    if (c->bytes_max && cloud_bytes(c) + r->body_size > c->bytes_max) {
        c->counters.full++;
        err_set(&r->err, ERR_FULL, "cloud", "507 InsufficientStorage");
        return;
    }
    if (!o) {
        u32 i = rank(c, r->key);
        if (c->count == c->capacity) {
            c->capacity = c->capacity ? c->capacity * 2 : 64;
            c->objects = realloc(c->objects, c->capacity * sizeof *c->objects);
            if (!c->objects) abort();
        }
        memmove(&c->objects[i + 1], &c->objects[i], (c->count++ - i) * sizeof *c->objects);
        c->objects[i] = (struct cloud_object){.key = strdup(r->key)};
        o = &c->objects[i];
    }
    free(o->bytes);
    o->bytes = malloc(r->body_size + 1);
    if (!o->bytes || !o->key) abort();
    memcpy(o->bytes, r->body, r->body_size);
    o->size = r->body_size;
    o->version = ++c->versions;
    o->modified_ms = io_wall_ms(r->store->io);
    snprintf(r->version, sizeof r->version, "v%llu", (unsigned long long)o->version);
}

static void get(struct cloud *c, struct object_request *r)
{
    struct cloud_object *o = cloud_find(c, r->key);
    c->counters.gets += r->kind == OBJECT_GET;
    c->counters.heads += r->kind == OBJECT_HEAD;
    if (!o) {
        err_set(&r->err, ERR_STORE_MISSING, "cloud", "%s is not there", r->key);
        return;
    }
    snprintf(r->version, sizeof r->version, "v%llu", (unsigned long long)o->version);
    r->size = o->size;
    r->modified_ms = o->modified_ms;
    if (r->kind == OBJECT_HEAD) return;
    if ((r->unchanged = r->if_version[0] && strcmp(r->if_version, r->version) == 0)) {
        c->counters.unchanged++;
        return;
    }
    u64 from = MIN(r->range_offset, o->size), size = o->size - from;
    if (r->range_size) size = MIN(size, r->range_size);
    if (r->answer_size_max && size > r->answer_size_max) {
        err_set(&r->err, ERR_LIMIT, "cloud", "%s is larger than expected", r->key);
        return;
    }
    r->answer = malloc(size + 1);
    if (!r->answer) abort();
    memcpy(r->answer, o->bytes + from, size);
    r->answer_size = size;
    c->counters.get_bytes += size;
}

static void list(struct cloud *c, struct object_request *r)
{
    size_t folder = strlen(r->key);
    bool partial = test_random(&c->seed) % 1000 < c->partial_list;
    s64 now = io_wall_ms(r->store->io), unlisted_ms = c->unlisted_ms ? c->unlisted_ms : 3000;
    c->counters.lists++;
    for (u32 i = rank(c, r->key); i < c->count && strncmp(c->objects[i].key, r->key, folder) == 0; i++) {
        const struct cloud_object *o = &c->objects[i];
        if (strchr(o->key + folder, '/') || strcmp(o->key, r->after) <= 0) continue;
        if (partial && now - o->modified_ms < unlisted_ms) { // not there yet, for this one who asks
            c->counters.partial_lists++;
            continue;
        }
        if (r->list_limit && r->entry_count == r->list_limit) {
            r->more = true;
            break;
        }
        if (!object_entry_add(r, o->key, o->size, o->modified_ms, NULL)) abort();
    }
}

static void delete(struct cloud *c, const char *key)
{
    struct cloud_object *o = cloud_find(c, key);
    c->counters.deletes++;
    if (!o) return;
    free(o->key);
    free(o->bytes);
    u32 i = (u32)(o - c->objects);
    memmove(o, o + 1, (--c->count - i) * sizeof *o);
}

static bool happens(struct cloud *c, u32 per_thousand, u64 *counter)
{
    if (test_random(&c->seed) % 1000 >= per_thousand) return false;
    ++*counter;
    return true;
}

static void deed(struct cloud *c, struct cloud_try *t)
{
    struct object_request *r = t->r;
    if (c->away) {
        c->counters.away++;
        err_set(&t->reply, ERR_NETWORK, "cloud", "no connection");
        return;
    }
    if (happens(c, c->unavailable, &c->counters.unavailable)) {
        err_set(&t->reply, ERR_STORE_UNAVAILABLE, "cloud", "503 SlowDown");
        return;
    }
    if (happens(c, c->dropped, &c->counters.dropped)) {
        err_set(&t->reply, ERR_NETWORK, "cloud", "connection reset");
        return;
    }
    switch (r->kind) {
    case OBJECT_PUT:
    case OBJECT_PUT_IF_ABSENT:
        put(c, r);
        if (!t->paused || r->err.code != ERR_OK) break;
        c->counters.late_puts++;
        snprintf(c->late_key, sizeof c->late_key, "%s", r->key);
        break;
    case OBJECT_GET:
    case OBJECT_HEAD: get(c, r); break;
    case OBJECT_LIST: list(c, r); break;
    case OBJECT_DELETE: delete(c, r->key); break;
    case OBJECT_DELETE_MANY:
        for (u32 i = 0; i < r->key_count; i++) delete(c, r->keys[i]);
        break;
    default: ASSERT(false);
    }
    bool put = r->kind == OBJECT_PUT || r->kind == OBJECT_PUT_IF_ABSENT;
    if (happens(c, c->lost_reply, &c->counters.lost_replies) || (put && c->silent && c->silent(r->key))) {
        err_clear(&r->err);
        free(r->answer);
        r->answer = NULL;
        r->answer_size = 0;
        while (r->entry_count) free(r->entries[--r->entry_count].key);
        err_set(&t->reply, ERR_NETWORK, "cloud", "connection reset while waiting for the reply");
    }
}

static void delay(struct cloud_try *t)
{
    struct cloud_store *s = (struct cloud_store *)t->r->store;
    u64 max = s->cloud->delay_ns_max ? s->cloud->delay_ns_max : 20000000;
    u64 ns = 1 + s->delay_ns_min + test_random(&s->cloud->seed) % max;
    if (s->pause_ns && (t->r->kind == OBJECT_PUT || t->r->kind == OBJECT_PUT_IF_ABSENT) && strstr(t->r->key, s->pause_part)) {
        ns += s->pause_ns;
        s->pause_ns = 0;
        t->paused = true;
    }
    io_timeout(s->store.io, ns, &t->timer);
}

static void on_timer(struct completion *done)
{
    struct cloud_try *t = done->context;
    struct cloud_store *s = (struct cloud_store *)t->r->store;
    if (done->result < 0) { // the loop ends, or the try was cancelled
        err_set(&t->r->err, ERR_NETWORK, "cloud", "cancelled");
        object_finish(t->r);
        return;
    }
    if (!t->done) {
        t->done = true;
        deed(s->cloud, t);
        delay(t);
        return;
    }
    if (t->reply.code != ERR_OK) t->r->err = t->reply;
    object_finish(t->r);
}

static void cloud_start(struct object_store *s, struct object_request *r)
{
    struct cloud_try *t = calloc(1, sizeof *t);
    if (!t) abort();
    t->r = r;
    r->private_ = t;
    completion_init(&t->timer, on_timer, t);
    delay(t);
}

static void cloud_cancel(struct object_request *r)
{
    struct cloud_try *t = r->private_;
    if (t && t->timer.state == COMPLETION_PENDING) io_cancel(r->store->io, &t->timer);
}

static void cloud_drop(struct object_request *r)
{
    free(r->private_);
    r->private_ = NULL;
}

static void cloud_close(struct object_store *s)
{
    free(s);
}

static const struct object_store_ops OPS = {cloud_start, cloud_cancel, cloud_drop, cloud_close};

void cloud_pause(struct object_store *store, const char *part, u64 ns)
{
    struct cloud_store *s = (struct cloud_store *)store;
    s->pause_part = part;
    s->pause_ns = ns;
}

void cloud_far(struct object_store *store, u64 delay_ns)
{
    ((struct cloud_store *)store)->delay_ns_min = delay_ns / 2;
}

struct object_store *cloud_open(struct cloud *c, struct io *io)
{
    struct cloud_store *s = calloc(1, sizeof *s);
    if (!s) abort();
    s->store.ops = &OPS;
    s->store.io = io;
    s->store.url = strdup("cloud://test");
    s->cloud = c;
    return &s->store;
}
