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
    for (u32 i = 0; i < c->ghost_count; i++) free(c->ghosts[i].key);
    free(c->ghosts);
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

// ---- what listings know
// -----------------------------------------------------------------------------------------------

static u64 now_ns(const struct cloud *c, const struct object_request *r)
{
    return c->now_ns ? *c->now_ns : io_now_ns(r->store->io);
}

static u64 known_ns(const struct cloud *c, const char *key, u64 at_ns)
{
    u64 state = at_ns;
    for (const char *p = key; *p; p++) state = state * 1099511628211u + (u8)*p;
    return c->stale_ms ? at_ns + test_random(&state) % (c->stale_ms * 1000000) : at_ns;
}

static void ghost_add(struct cloud *c, const struct cloud_object *o, u64 now)
{
    u32 kept = 0;
    for (u32 i = 0; i < c->ghost_count; i++) {
        if (c->ghosts[i].until_ns <= now) free(c->ghosts[i].key);
        else c->ghosts[kept++] = c->ghosts[i];
    }
    c->ghosts = realloc(c->ghosts, (kept + 1) * sizeof *c->ghosts);
    if (!c->ghosts) abort();
    c->ghosts[kept] = (struct cloud_ghost){.key = strdup(o->key), .size = o->size, .modified_ms = o->modified_ms,
                                           .from_ns = known_ns(c, o->key, o->put_ns), .until_ns = known_ns(c, o->key, now)};
    c->ghost_count = kept + 1;
}

static int entry_compare(const void *a, const void *b)
{
    return strcmp(((const struct object_entry *)a)->key, ((const struct object_entry *)b)->key);
}

// ---- requests
// ---------------------------------------------------------------------------------------------------

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
        c->objects[i] = (struct cloud_object){.key = strdup(r->key), .put_ns = now_ns(c, r)};
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

static bool list_has(const struct object_request *r, const char *key)
{
    size_t folder = strlen(r->key);
    return strncmp(key, r->key, folder) == 0 && !strchr(key + folder, '/') && strcmp(key, r->after) > 0;
}

static void list_folders(struct cloud *c, struct object_request *r)
{
    size_t folder = strlen(r->key);
    c->counters.lists++;
    for (u32 i = rank(c, r->key); i < c->count && strncmp(c->objects[i].key, r->key, folder) == 0; i++) {
        char name[OBJECT_KEY_MAX];
        const struct cloud_object *o = &c->objects[i];
        const char *end = strchr(o->key + folder, '/');
        snprintf(name, sizeof name, "%.*s", end ? (int)(end + 1 - o->key) : 0, o->key);
        bool known = r->entry_count && strcmp(r->entries[r->entry_count - 1].key, name) == 0;
        if (end && !known && !object_entry_add(r, name, 0, o->modified_ms, NULL)) abort();
    }
}

static void list(struct cloud *c, struct object_request *r)
{
    bool partial = test_random(&c->seed) % 1000 < c->partial_list;
    u64 now = now_ns(c, r), unlisted_ns = (u64)(c->unlisted_ms ? c->unlisted_ms : 3000) * 1000000;
    c->counters.lists++;
    for (u32 i = rank(c, r->key); i < c->count && strncmp(c->objects[i].key, r->key, strlen(r->key)) == 0; i++) {
        const struct cloud_object *o = &c->objects[i];
        bool unlisted = partial && now - o->put_ns < unlisted_ns, unknown = now < known_ns(c, o->key, o->put_ns);
        if (!list_has(r, o->key)) continue;
        c->counters.partial_lists += unlisted; // not there yet, for this one who asks
        c->counters.stale_lists += unknown;
        if (!unlisted && !unknown && !object_entry_add(r, o->key, o->size, o->modified_ms, NULL)) abort();
    }
    for (u32 i = 0; i < c->ghost_count; i++) {
        const struct cloud_ghost *g = &c->ghosts[i];
        if (!list_has(r, g->key) || now < g->from_ns || now >= g->until_ns || cloud_find(c, g->key)) continue;
        c->counters.stale_lists++;
        if (!object_entry_add(r, g->key, g->size, g->modified_ms, NULL)) abort();
    }
    if (r->entry_count) qsort(r->entries, r->entry_count, sizeof *r->entries, entry_compare);
    r->more = r->list_limit && r->entry_count > r->list_limit;
    while (r->more && r->entry_count > r->list_limit) free(r->entries[--r->entry_count].key);
}

static void delete(struct cloud *c, const char *key, u64 now)
{
    struct cloud_object *o = cloud_find(c, key);
    c->counters.deletes++;
    if (!o) return;
    if (c->stale_ms) ghost_add(c, o, now);
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
    case OBJECT_LIST: (r->list_folders ? list_folders : list)(c, r); break;
    case OBJECT_DELETE: delete(c, r->key, now_ns(c, r)); break;
    case OBJECT_DELETE_MANY:
        for (u32 i = 0; i < r->key_count; i++) delete(c, r->keys[i], now_ns(c, r));
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

void cloud_show(const struct cloud *c, u64 now_ns)
{
    for (u32 i = 0; i < c->count; i++) {
        const struct cloud_object *o = &c->objects[i];
        bool head = strstr(o->key, "/head") != NULL;
        printf("    %s %llu bytes, put at %llu ms%s\n%.*s", o->key, (unsigned long long)o->size, (unsigned long long)(o->put_ns / 1000000),
               now_ns < known_ns(c, o->key, o->put_ns) ? ", not listed" : "", head ? (int)o->size : 0, (const char *)o->bytes);
    }
    for (u32 i = 0; i < c->ghost_count; i++)
        if (now_ns < c->ghosts[i].until_ns) printf("    %s is listed\n", c->ghosts[i].key);
}
