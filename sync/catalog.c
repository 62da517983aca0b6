#include "catalog.h"

#include <sodium.h>

static u32 segment_rank(const struct catalog *c, u64 tx_min, u32 level, u64 tx_max)
{
    u32 low = 0, high = c->count;
    while (low < high) {
        u32 middle = low + (high - low) / 2;
        const struct catalog_segment *s = &c->segments[middle];
        bool before = s->tx_min != tx_min ? s->tx_min < tx_min : s->level != level ? s->level < level : s->tx_max < tx_max;
        if (before)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct catalog_segment *catalog_find(struct catalog *c, u32 level, u64 tx_min, u64 tx_max)
{
    u32 i = segment_rank(c, tx_min, level, tx_max);
    if (i == c->count) return NULL;
    struct catalog_segment *s = &c->segments[i];
    return s->level == level && s->tx_min == tx_min && s->tx_max == tx_max ? s : NULL;
}

struct catalog_segment *catalog_add(struct catalog *c, u32 level, u64 tx_min, u64 tx_max, u64 size)
{
    struct catalog_segment *there = catalog_find(c, level, tx_min, tx_max);
    if (there) return there;
    if (c->count == c->capacity) {
        u32 capacity = c->capacity ? c->capacity * 2 : 64;
        struct catalog_segment *bigger = realloc(c->segments, capacity * sizeof *bigger);
        if (!bigger) return NULL;
        c->segments = bigger;
        c->capacity = capacity;
    }
    u32 i = segment_rank(c, tx_min, level, tx_max);
    memmove(&c->segments[i + 1], &c->segments[i], (c->count - i) * sizeof *c->segments);
    c->count++;
    c->segments[i] = (struct catalog_segment){.level = level, .tx_min = tx_min, .tx_max = tx_max, .size = size};
    c->bytes += size;
    return &c->segments[i];
}

void catalog_remove(struct catalog *c, struct catalog_segment *s)
{
    u32 i = (u32)(s - c->segments);
    c->bytes -= MIN(c->bytes, s->size);
    free(s->bytes);
    memmove(s, s + 1, (c->count - i - 1) * sizeof *s);
    c->count--;
}

void catalog_deinit(struct catalog *c)
{
    for (u32 i = 0; i < c->count; i++) free(c->segments[i].bytes);
    for (u32 i = 0; i < c->shard_count; i++) free(c->shards[i]);
    free(c->segments);
    free(c->shards);
    head_deinit(&c->head);
    *c = (struct catalog){0};
}

u64 catalog_newest(const struct catalog *c)
{
    u64 newest = 0;
    for (u32 i = 0; i < c->count; i++)
        if (c->segments[i].level == 0) newest = MAX(newest, c->segments[i].tx_max);
    return newest;
}

u32 catalog_chain(const struct catalog *c, u64 tx, struct catalog_segment ***out)
{
    struct catalog_segment *image = NULL;
    u32 count = 0;
    for (u32 i = 0; i < c->count; i++) {
        struct catalog_segment *s = &c->segments[i];
        if (s->level == LEVEL_IMAGE && !s->rejected && s->tx_max <= tx && (!image || s->tx_max > image->tx_max))
            image = s;
    }
    *out = image ? malloc((c->count + 1) * sizeof **out) : NULL;
    if (!*out) return 0;
    (*out)[count++] = image;
    for (u64 at = image->tx_max; at < tx;) {
        struct catalog_segment *best = NULL;
        for (u32 i = segment_rank(c, at + 1, 0, 0); i < c->count && c->segments[i].tx_min == at + 1; i++) {
            struct catalog_segment *s = &c->segments[i];
            if (s->level < LEVEL_IMAGE && !s->rejected && s->tx_max <= tx && (!best || s->tx_max >= best->tx_max)) best = s;
        }
        if (!best) break;
        (*out)[count++] = best;
        at = best->tx_max;
    }
    return count;
}

u32 catalog_forward(const struct catalog *c, u64 tx, struct catalog_segment ***out)
{
    u32 count = 0;
    u64 newest = catalog_newest(c);
    *out = newest > tx ? malloc((c->count + 1) * sizeof **out) : NULL;
    if (!*out) return 0;
    while (tx < newest) {
        struct catalog_segment *best = NULL;
        for (u32 i = 0; i < c->count && c->segments[i].tx_min <= tx + 1; i++) {
            struct catalog_segment *s = &c->segments[i];
            if (s->level < LEVEL_IMAGE && !s->rejected && s->tx_max > tx && (!best || s->tx_max > best->tx_max)) best = s;
        }
        // Only the first may begin before what is there: the others are checked to follow each other.
        if (!best || (count && best->tx_min != tx + 1)) break;
        (*out)[count++] = best;
        tx = best->tx_max;
    }
    if (tx >= newest) return count;
    free(*out);
    *out = NULL;
    return 0;
}

bool catalog_learn(struct catalog_segment *s, const u8 *trailer, size_t size, const char *name,
                   struct segment_header *h, struct err *err)
{
    if (size != SEGMENT_TRAILER_SIZE) {
        err_set(err, ERR_STORE_CORRUPT, __func__, "object %s is damaged: it is shorter than it was listed", name);
        return false;
    }
    if (!segment_trailer_read(trailer, s->size, name, h, err)) return false;
    if (h->level != s->level || h->tx_min != s->tx_min || h->tx_max != s->tx_max) {
        err_set(err, ERR_STORE_CORRUPT, __func__, "object %s is another segment than its name says; restore it from another copy of the store", name);
        return false;
    }
    s->known = true;
    s->flags = h->flags;
    s->time_min_ms = h->time_min_ms;
    s->time_max_ms = h->time_max_ms;
    s->page_count = be32_get(trailer + TRAILER_STORED_PAGES);
    return true;
}

bool shards_add(struct segment_shard **shards, u32 *count, u32 *capacity, const struct segment_shard *s)
{
    if (*count == *capacity) {
        u32 more = *capacity ? *capacity * 2 : 64;
        struct segment_shard *bigger = realloc(*shards, more * sizeof *bigger);
        if (!bigger) return false;
        *shards = bigger;
        *capacity = more;
    }
    (*shards)[(*count)++] = *s;
    return true;
}

// ---- loading
// -------------------------------------------------------------------------------------------

void catalog_load_init(struct catalog_load *l, struct catalog *c, struct object_store *objects, const char *database,
                       const struct master_key *master, u32 tries, void (*wake)(void *), void *context)
{
    *l = (struct catalog_load){.catalog = c, .database = database, .master = master};
    for (u32 i = 0; i < LEVEL_COUNT; i++) fetch_init(&l->fetches[i], objects, tries, wake, context);
}

void catalog_load_deinit(struct catalog_load *l)
{
    for (u32 i = 0; i < LEVEL_COUNT; i++) fetch_deinit(&l->fetches[i]);
    free(l->head_bytes);
    l->head_bytes = NULL;
    sodium_memzero(&l->known, sizeof l->known);
}

void catalog_load_cancel(struct catalog_load *l)
{
    for (u32 i = 0; i < LEVEL_COUNT; i++) fetch_cancel(&l->fetches[i]);
}

bool catalog_load_busy(const struct catalog_load *l)
{
    bool busy = false;
    for (u32 i = 0; i < LEVEL_COUNT; i++) busy |= fetch_busy(&l->fetches[i]);
    return busy;
}

static io_status go_without_head(struct catalog_load *l, u64 lineage)
{
    l->catalog->lineage = lineage;
    l->step = CATALOG_KEY;
    return IO_DONE;
}

static io_status load_head(struct catalog_load *l, struct err *err)
{
    struct catalog *c = l->catalog;
    struct fetch *f = &l->fetches[0];
    if (l->lineage && !l->named) return go_without_head(l, l->lineage);
    if (fetch_idle(f)) {
        char key[OBJECT_KEY_MAX];
        name_head(l->database, key);
        fetch_get(f, key, 0, 0, HEAD_SIZE_MAX);
    }
    io_status status = fetch_run(f, err);
    if (status == IO_FAIL && err->code == ERR_STORE_MISSING) {
        err_clear(err);
        if (l->lineage || l->lineage_headless) {
            l->quick = false;
            return go_without_head(l, l->lineage ? l->lineage : l->lineage_headless);
        }
        return IO_ERROR(err, ERR_STORE_EMPTY, "%s holds no backup of a database named '%s'",
                        object_store_url(f->objects), l->database);
    }
    IO_TRY(status);
    head_deinit(&c->head);
    bool good = head_decode(f->request.answer, f->request.answer_size, &c->head);
    if (l->lineage && (!good || c->head.lineage != l->lineage)) {
        head_deinit(&c->head);
        return go_without_head(l, l->lineage);
    }
    if (!good)
        return IO_ERROR(err, ERR_STORE_CORRUPT,
                        "object %s is damaged: it is not a backup's head; restore it from another copy of the store, or "
                        "name the lineage (the folder beside it) with --lineage",
                        f->request.key);
    free(l->head_bytes);
    l->head_bytes = f->request.answer;
    l->head_size = f->request.answer_size;
    f->request.answer = NULL;
    c->has_head = true;
    c->lineage = c->head.lineage;
    c->epoch = c->head.epoch;
    memcpy(c->database_id, c->head.database_id, 16);
    l->step = CATALOG_KEY;
    return IO_DONE;
}

static io_status load_key(struct catalog_load *l, struct err *err)
{
    struct catalog *c = l->catalog;
    struct fetch *f = &l->fetches[0];
    char key[OBJECT_KEY_MAX];
    if (l->known.given && l->known_lineage == c->lineage) {
        c->key = l->known;
        l->step = CATALOG_LISTS;
        return IO_DONE;
    }
    if (l->quick && !(l->master && l->master->given)) { // whether it is encrypted, the head's sum tells
        l->step = CATALOG_LISTS;
        return IO_DONE;
    }
    if (fetch_idle(f)) {
        name_key(l->database, c->lineage, key);
        fetch_get(f, key, 0, 0, 4096);
    }
    io_status status = fetch_run(f, err);
    if (status == IO_FAIL && err->code == ERR_STORE_MISSING) { // not encrypted
        err_clear(err);
        l->step = CATALOG_LISTS;
        return IO_DONE;
    }
    IO_TRY(status);
    static const struct master_key NONE;
    if (keyring_unwrap(l->master ? l->master : &NONE, c->lineage, f->request.answer, f->request.answer_size,
                       f->request.key, &c->key, err) != ERR_OK)
        return IO_FAIL;
    l->step = CATALOG_LISTS;
    return IO_DONE;
}

static bool listing_add(struct catalog *c, const struct object_request *r, u32 level)
{
    for (u32 i = 0; i < r->entry_count; i++) {
        struct segment_name n;
        if (!name_parse(r->entries[i].key, level, &n)) continue;
        if (!n.is_shard) {
            if (!catalog_add(c, level, n.tx_min, n.tx_max, r->entries[i].size)) return false;
            continue;
        }
        c->bytes += r->entries[i].size;
        if (c->shard_count == c->shard_capacity) {
            u32 capacity = c->shard_capacity ? c->shard_capacity * 2 : 64;
            char **bigger = realloc(c->shards, capacity * sizeof *bigger);
            if (!bigger) return false;
            c->shards = bigger;
            c->shard_capacity = capacity;
        }
        c->shards[c->shard_count] = strdup(r->entries[i].key);
        if (!c->shards[c->shard_count++]) return false;
    }
    return true;
}

// What the head names, and every push behind it without a gap; false: the listings have to tell.
static bool quick_add(struct catalog *c)
{
    u64 tx = c->head.tx;
    for (u32 i = 0; i < c->count; i++)
        if (c->segments[i].tx_min != ++tx) return false;
    for (u32 i = 0; i < c->head.segment_count; i++) {
        const struct head_segment *h = &c->head.segments[i];
        struct catalog_segment *s = catalog_add(c, h->level, h->tx_min, h->tx_max, h->size);
        if (!s) return false;
        s->flags = h->flags, s->time_max_ms = h->time_ms;
    }
    return true;
}

static io_status load_quickly(struct catalog_load *l, struct err *err)
{
    struct catalog *c = l->catalog;
    struct fetch *f = &l->fetches[0];
    bool whole = c->head.segment_count && c->head.segment_count < HEAD_SEGMENTS_MAX;
    if (whole && head_check(l->head_bytes, l->head_size, &c->key)) {
        if (fetch_idle(f)) {
            char key[OBJECT_KEY_MAX];
            name_level(l->database, c->lineage, 0, key);
            fetch_list(f, key);
            name_segment(l->database, c->lineage, 0, c->head.tx, c->head.tx, f->request.after);
        }
        IO_TRY(fetch_run(f, err));
        if (!listing_add(c, &f->request, 0)) return IO_ERROR(err, ERR_NOMEM, "out of memory");
        if (quick_add(c)) {
            l->step = CATALOG_LOADED;
            return IO_DONE;
        }
    }
    l->quick = false;
    l->step = CATALOG_KEY;
    return IO_DONE;
}

static io_status load_lists(struct catalog_load *l, struct err *err)
{
    struct catalog *c = l->catalog;
    bool waits = false;
    if (l->quick) return load_quickly(l, err);
    if (l->head_bytes && !head_check(l->head_bytes, l->head_size, &c->key)) {
        char key[OBJECT_KEY_MAX];
        name_head(l->database, key);
        if (!l->lineage)
            return IO_ERROR(err, ERR_STORE_CORRUPT,
                            "object %s is damaged: it does not match its checksum; restore it from another copy of the store, "
                            "or name the lineage (the folder beside it) with --lineage",
                            key);
        head_deinit(&c->head);
        c->has_head = false;
        free(l->head_bytes);
        l->head_bytes = NULL;
    }
    for (u32 i = 0; i < LEVEL_COUNT; i++) {
        struct fetch *f = &l->fetches[i];
        if (l->listed[i]) continue;
        if (fetch_idle(f)) {
            char key[OBJECT_KEY_MAX];
            name_level(l->database, c->lineage, i, key);
            fetch_list(f, key);
        }
        io_status status = fetch_run(f, err);
        if (status == IO_FAIL) return status;
        if (status == IO_WAIT) {
            waits = true;
            continue;
        }
        l->listed[i] = true;
        if (!listing_add(c, &f->request, i)) return IO_ERROR(err, ERR_NOMEM, "out of memory");
    }
    if (waits) return IO_WAIT;
    for (u32 i = 0; i < c->head.segment_count; i++) {
        const struct head_segment *h = &c->head.segments[i];
        struct catalog_segment *s = catalog_find(c, h->level, h->tx_min, h->tx_max);
        if (!s && l->named && !(s = catalog_add(c, h->level, h->tx_min, h->tx_max, h->size))) return IO_ERROR(err, ERR_NOMEM, "out of memory");
        if (s && s->size == h->size) s->flags = h->flags, s->time_max_ms = h->time_ms;
    }
    l->step = CATALOG_LOADED;
    return IO_DONE;
}

io_status catalog_load_run(struct catalog_load *l, struct err *err)
{
    for (;;) {
        switch (l->step) {
        case CATALOG_HEAD: IO_TRY(load_head(l, err)); break;
        case CATALOG_KEY: IO_TRY(load_key(l, err)); break;
        case CATALOG_LISTS: IO_TRY(load_lists(l, err)); break;
        case CATALOG_LOADED: return IO_DONE;
        }
    }
}
