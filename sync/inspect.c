#include "inspect.h"

#include "backup_compact.h"
#include "chain.h"

#include <sodium.h>
#include <stdarg.h>

#define TRIES      6u
#define LEARN_MAX  8u
#define ORPHAN_MS  86400000
#define LISTED_MAX 200000u

typedef unsigned long long ull;

struct listed {
    char *key;
    u64 size;
    s64 modified_ms;
};
struct inspect {
    struct inspect_options o;
    struct catalog catalog;
    struct listed *objects; // of the lineage's levels
    u32 object_count, object_capacity;
    struct segment_scratch scratch;
};

static void wake_nobody(void *context)
{
}

__attribute__((format(printf, 3, 4))) static void report(struct inspect *x, bool bad, const char *format, ...)
{
    char text[1200];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (x->o.report) x->o.report(x->o.context, bad, text);
}

static void request_done(struct completion *c)
{
}

static bool request_run(struct inspect *x, struct object_request *r, struct err *err)
{
    r->tries_max = TRIES;
    object_start(x->o.objects, r);
    while (object_request_busy(r) || r->done.state == COMPLETION_PENDING)
        if (io_step(x->o.io, 1000000000) < 0) break;
    if (r->err.code != ERR_OK && err->code == ERR_OK) *err = r->err;
    return r->err.code == ERR_OK;
}

static bool list_add(struct inspect *x, const struct object_entry *e)
{
    if (x->object_count == x->object_capacity) {
        u32 capacity = x->object_capacity ? x->object_capacity * 2 : 256;
        struct listed *bigger = realloc(x->objects, capacity * sizeof *bigger);
        if (!bigger) return false;
        x->objects = bigger;
        x->object_capacity = capacity;
    }
    x->objects[x->object_count] = (struct listed){strdup(e->key), e->size, e->modified_ms};
    return x->objects[x->object_count++].key != NULL;
}

static bool objects_list(struct inspect *x, struct err *err)
{
    struct object_request r;
    object_request_init(&r, request_done, NULL);
    bool good = true;
    for (u32 level = 0; level < LEVEL_COUNT && good; level++) {
        memset(&r.key, 0, sizeof r.key);
        r.kind = OBJECT_LIST;
        name_level(x->o.database, x->catalog.lineage, level, r.key);
        good = request_run(x, &r, err);
        for (u32 i = 0; i < r.entry_count && good; i++)
            if (!list_add(x, &r.entries[i])) {
                err_set(err, ERR_NOMEM, __func__, "out of memory");
                good = false;
            }
    }
    object_request_deinit(&r);
    return good;
}

// When each segment was made is in its trailer.
static bool times_learn(struct inspect *x, struct err *err)
{
    struct object_request requests[LEARN_MAX];
    u32 segments[LEARN_MAX], next = 0, busy = 0;
    bool good = true, used[LEARN_MAX] = {false};
    for (u32 i = 0; i < LEARN_MAX; i++) object_request_init(&requests[i], request_done, NULL);
    while ((next < x->catalog.count && good) || busy) {
        for (u32 i = 0; i < LEARN_MAX; i++) {
            struct object_request *r = &requests[i];
            if (used[i] && !object_request_busy(r) && r->done.state != COMPLETION_PENDING) {
                struct segment_header h;
                used[i] = false;
                busy--;
                if (r->err.code == ERR_STORE_MISSING) continue; // let go meanwhile
                if (r->err.code != ERR_OK) {
                    if (good) *err = r->err;
                    good = false;
                } else {
                    struct err why = ERR_CLEAR;
                    if (!catalog_learn(&x->catalog.segments[segments[i]], r->answer, r->answer_size, r->key, &h, &why)) report(x, true, "%s", why.text);
                }
            }
            if (used[i] || next == x->catalog.count || !good) continue;
            const struct catalog_segment *s = &x->catalog.segments[next];
            segments[i] = next++;
            used[i] = true;
            busy++;
            r->kind = OBJECT_GET;
            name_segment(x->o.database, x->catalog.lineage, s->level, s->tx_min, s->tx_max, r->key);
            r->range_offset = s->size - MIN(s->size, (u64)SEGMENT_TRAILER_SIZE);
            r->range_size = SEGMENT_TRAILER_SIZE;
            r->tries_max = TRIES;
            object_start(x->o.objects, r);
        }
        if (busy && io_step(x->o.io, 1000000000) < 0) break;
    }
    for (u32 i = 0; i < LEARN_MAX; i++) object_request_deinit(&requests[i]);
    return good;
}

struct inspect *inspect_open(const struct inspect_options *options, struct err *err)
{
    struct inspect *x = calloc(1, sizeof *x);
    struct catalog_load l;
    if (!x) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return NULL;
    }
    x->o = *options;
    catalog_load_init(&l, &x->catalog, x->o.objects, x->o.database, &x->o.key, TRIES, wake_nobody, NULL);
    l.lineage = options->lineage;
    io_status status;
    while ((status = catalog_load_run(&l, err)) == IO_WAIT || catalog_load_busy(&l))
        if (io_step(x->o.io, 1000000000) < 0) break;
    catalog_load_deinit(&l);
    if (status == IO_DONE && objects_list(x, err) && times_learn(x, err)) return x;
    inspect_close(x);
    return NULL;
}

void inspect_close(struct inspect *x)
{
    if (!x) return;
    for (u32 i = 0; i < x->object_count; i++) free(x->objects[i].key);
    free(x->objects);
    catalog_deinit(&x->catalog);
    segment_scratch_deinit(&x->scratch);
    sodium_memzero(x, sizeof *x);
    free(x);
}

u32 inspect_count(const struct inspect *x)
{
    return x->catalog.count;
}

void inspect_segment_get(const struct inspect *x, u32 i, struct inspect_segment *out)
{
    const struct catalog_segment *s = &x->catalog.segments[i];
    *out = (struct inspect_segment){s->level, s->flags, s->tx_min, s->tx_max, s->size, s->time_min_ms, s->time_max_ms};
    char key[OBJECT_KEY_MAX];
    name_segment("", 0, s->level, s->tx_min, s->tx_max, key);
    const char *name = strrchr(key, '/') + 1;
    size_t size = strlen(name);
    for (u32 k = 0; s->flags & SEGMENT_SHARDED && k < x->object_count; k++) {
        const char *other = strrchr(x->objects[k].key, '/') + 1;
        if (strncmp(other, name, size) == 0 && other[size] == '.' && strstr(x->objects[k].key, "/L") && x->objects[k].key[strlen(x->objects[k].key) - strlen(other) - 2] == (char)('0' + s->level))
            out->bytes += x->objects[k].size;
    }
}

void inspect_summary_get(const struct inspect *x, struct inspect_summary *out)
{
    const struct catalog *c = &x->catalog;
    struct catalog_segment **chain;
    *out = (struct inspect_summary){.lineage = c->lineage, .epoch = c->head.epoch, .objects = x->object_count, .encrypted = c->key.given};
    for (u32 i = 0; i < x->object_count; i++) out->bytes += x->objects[i].size;
    for (u32 i = 0; i < c->count; i++) {
        const struct catalog_segment *s = &c->segments[i];
        out->segments[s->level]++;
        if (s->level == LEVEL_IMAGE && s->known && (!out->oldest_ms || s->time_max_ms < out->oldest_ms)) out->oldest_ms = s->time_max_ms;
    }
    out->chain = catalog_chain(c, UINT64_MAX, &chain);
    for (u32 i = 0; i < out->chain; i++) out->chain_bytes += chain[i]->size;
    if (out->chain) out->tx = chain[out->chain - 1]->tx_max, out->time_ms = chain[out->chain - 1]->time_max_ms;
    free(chain);
}

// ---- verify
// ------------------------------------------------------------------------------------------------

struct state_end {
    u64 tx, sum;
    u8 tip[SEGMENT_HASH_SIZE], parent[SEGMENT_HASH_SIZE];
    u64 tx_min, sum_before;
    u32 level, flags;
    char key[OBJECT_KEY_MAX];
};

// One object, whole. ends: what it is, for the check that states follow each other.
static u64 object_verify(struct inspect *x, const struct object_request *r, const struct listed *l, struct state_end *end)
{
    struct segment_reader reader;
    struct segment_name n;
    struct err err = ERR_CLEAR;
    u64 faults = 0, sum = 0;
    u32 page, level = 0, pages = 0;
    const u8 *data;
    const char *at = strrchr(l->key, '/');
    if (at && at[-2] == 'L') level = (u32)(at[-1] - '0');
    if (!name_parse(l->key, level, &n)) {
        report(x, true, "%s: this is not the name of a part of a backup", l->key);
        return 1;
    }
    bool open = segment_reader_open(&reader, r->answer, r->answer_size, l->key, &x->catalog.key, &err);
    const struct segment_header *h = &reader.index.header;
    while (open && segment_reader_next(&reader, &page, &data, &err)) sum ^= segment_page_sum(page, data, h->page_size), pages++;
    if (open && err.code == ERR_OK) {
        bool shard = h->flags & SEGMENT_SHARD;
        if (h->level != level || h->tx_min != n.tx_min || h->tx_max != n.tx_max || shard != n.is_shard || (shard && (h->shard != n.shard || h->epoch != n.epoch)) ||
            h->lineage != x->catalog.lineage)
            err_set(&err, ERR_STORE_CORRUPT, __func__, "object %s is another than its name says", l->key);
        else if (pages != reader.index.page_count)
            err_set(&err, ERR_STORE_CORRUPT, __func__, "object %s holds %u pages and says %u", l->key, pages, reader.index.page_count);
        else if ((shard || (h->flags & SEGMENT_IMAGE && !(h->flags & SEGMENT_SHARDED))) && sum != h->sum_after)
            err_set(&err, ERR_STORE_CORRUPT, __func__, "object %s: its pages do not match its sum", l->key);
        // Shards that a table names must be there; their own bytes are read when their turn comes.
        for (u32 i = 0; h->flags & SEGMENT_SHARDED && i < reader.index.shard_count; i++) {
            char key[OBJECT_KEY_MAX];
            bool there = false;
            name_shard(x->o.database, x->catalog.lineage, &reader.index.shards[i], key);
            for (u32 k = 0; k < x->object_count && !there; k++) there = strcmp(x->objects[k].key, key) == 0 && x->objects[k].size == reader.index.shards[i].size;
            if (!there) {
                report(x, true, "object %s is missing, or of another size than %s says", key, l->key);
                faults++;
            }
        }
        *end = (struct state_end){.tx = h->tx_max, .sum = h->sum_after, .tx_min = h->tx_min, .sum_before = h->sum_before, .level = level, .flags = h->flags};
        memcpy(end->tip, level == 0 ? reader.index.hash : h->tip, sizeof end->tip);
        memcpy(end->parent, h->parent, sizeof end->parent);
        snprintf(end->key, sizeof end->key, "%s", l->key);
        if (shard) end->tx = 0;
    }
    segment_reader_deinit(&reader);
    if (err.code != ERR_OK) {
        report(x, true, "%s", err.text);
        faults++;
        end->tx = 0;
    }
    return faults;
}

// Whoever begins where another ends must follow it.
static u64 states_check(struct inspect *x, const struct state_end *ends, u32 count)
{
    u64 faults = 0;
    for (u32 i = 0; i < count; i++) {
        const struct state_end *s = &ends[i];
        if (!s->tx || s->level == LEVEL_IMAGE || s->flags & SEGMENT_BASE) continue;
        for (u32 k = 0; k < count; k++) {
            const struct state_end *before = &ends[k];
            if (before->tx != s->tx_min - 1 || !before->tx) continue;
            bool base = before->flags & SEGMENT_BASE; // its sum may be the image's or none
            if (memcmp(before->tip, s->parent, sizeof s->parent) != 0 || (!base && before->sum != s->sum_before)) {
                report(x, true, "object %s does not follow %s", s->key, before->key);
                faults++;
            }
        }
    }
    // And the newest state must be one that can be put together.
    struct catalog_segment **chain;
    u32 n = catalog_chain(&x->catalog, UINT64_MAX, &chain);
    u64 newest = catalog_newest(&x->catalog);
    if (!n || chain[n - 1]->tx_max < newest) {
        report(x, true, "the newest state, transaction %llu, cannot be put together: what follows transaction %llu is missing", (ull)newest,
               n ? (ull)chain[n - 1]->tx_max : 0ull);
        faults++;
    }
    free(chain);
    return faults;
}

static u64 others_verify(struct inspect *x, struct object_request *r)
{
    struct err err = ERR_CLEAR;
    u64 faults = 0;
    // The head and the wrapped key were read to get here. Claims:
    r->kind = OBJECT_LIST;
    r->range_size = 0;
    snprintf(r->key, sizeof r->key, "%s/claim/", x->o.database);
    if (!request_run(x, r, &err)) {
        report(x, true, "%s", err.text);
        return 1;
    }
    u32 count = r->entry_count;
    char **keys = calloc(count + 1u, sizeof *keys);
    for (u32 i = 0; keys && i < count; i++) keys[i] = strdup(r->entries[i].key);
    for (u32 i = 0; keys && i < count; i++) {
        r->kind = OBJECT_GET;
        snprintf(r->key, sizeof r->key, "%s", keys[i]);
        err_clear(&err);
        if (!request_run(x, r, &err) ? err.code != ERR_STORE_MISSING : !claim_check(r->answer, r->answer_size)) {
            report(x, true, "object %s is damaged: it is no claim", keys[i]);
            faults++;
        }
        free(keys[i]);
    }
    free(keys);
    return faults;
}

u64 inspect_verify(struct inspect *x)
{
    struct object_request r;
    u64 faults = 0, bytes = 0;
    struct state_end *ends = calloc(x->object_count + 1u, sizeof *ends);
    if (!ends) return 1;
    object_request_init(&r, request_done, NULL);
    for (u32 i = 0; i < x->object_count; i++) {
        struct err err = ERR_CLEAR;
        r.kind = OBJECT_GET;
        snprintf(r.key, sizeof r.key, "%s", x->objects[i].key);
        if (!request_run(x, &r, &err)) {
            if (err.code == ERR_STORE_MISSING) continue; // let go since it was listed
            report(x, true, "%s", err.text);
            faults++;
            continue;
        }
        bytes += r.answer_size;
        faults += object_verify(x, &r, &x->objects[i], &ends[i]);
        if (x->o.progress) x->o.progress(x->o.context, i + 1, x->object_count, bytes);
    }
    faults += others_verify(x, &r);
    faults += states_check(x, ends, x->object_count);
    object_request_deinit(&r);
    free(ends);
    return faults;
}

// ---- prune
// ------------------------------------------------------------------------------------------------

static bool segment_of(const char *key, struct segment_name *n, u32 *level)
{
    const char *at = strrchr(key, '/');
    *level = at && at[-2] == 'L' ? (u32)(at[-1] - '0') : LEVEL_COUNT;
    return *level < LEVEL_COUNT && name_parse(key, *level, n);
}

static int key_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// Names of all shards that segments which stay refer to; sorted. False: one of them cannot be read.
static bool shards_kept(struct inspect *x, const bool *gone, char ***out, u32 *count, struct err *err)
{
    struct object_request r;
    u32 capacity = 0;
    bool good = true;
    object_request_init(&r, request_done, NULL);
    for (u32 i = 0; i < x->catalog.count && good; i++) {
        const struct catalog_segment *s = &x->catalog.segments[i];
        if (gone[i] || !(s->flags & SEGMENT_SHARDED)) continue;
        struct segment_reader reader;
        r.kind = OBJECT_GET;
        name_segment(x->o.database, x->catalog.lineage, s->level, s->tx_min, s->tx_max, r.key);
        if (!(good = request_run(x, &r, err))) break;
        good = segment_reader_open(&reader, r.answer, r.answer_size, r.key, &x->catalog.key, err);
        for (u32 k = 0; good && k < reader.index.shard_count; k++) {
            char key[OBJECT_KEY_MAX];
            name_shard(x->o.database, x->catalog.lineage, &reader.index.shards[k], key);
            if (*count == capacity) {
                capacity = capacity ? capacity * 2 : 256;
                char **bigger = realloc(*out, capacity * sizeof *bigger);
                if (!bigger) {
                    good = false;
                    break;
                }
                *out = bigger;
            }
            (*out)[(*count)++] = strdup(key);
        }
        segment_reader_deinit(&reader);
    }
    object_request_deinit(&r);
    if (*count) qsort(*out, *count, sizeof **out, key_compare);
    return good;
}

#define LINEAGES_MAX 256u

// But the one that was looked at, and the head's.
static bool lineages_list(struct inspect *x, u64 lineages[LINEAGES_MAX], u32 *count, struct err *err)
{
    struct object_request r;
    object_request_init(&r, request_done, NULL);
    r.kind = OBJECT_LIST;
    r.list_folders = true;
    snprintf(r.key, sizeof r.key, "%s/", x->o.database);
    bool good = request_run(x, &r, err);
    *count = 0;
    for (u32 i = 0; i < r.entry_count && good && *count < LINEAGES_MAX; i++) {
        const char *name = r.entries[i].key + strlen(x->o.database) + 1;
        char *end;
        u64 lineage = strtoull(name, &end, 16);
        if (end == name + 16 && strcmp(end, "/") == 0 && lineage != x->catalog.lineage && lineage != x->catalog.head.lineage) lineages[(*count)++] = lineage;
    }
    object_request_deinit(&r);
    return good;
}

// Lineages that the head does not name, whose newest object is older than images are kept.
static bool lineages_find(struct inspect *x, s64 horizon_ms, struct inspect *into, struct err *err)
{
    struct object_request r;
    char folder[OBJECT_KEY_MAX];
    u64 lineages[LINEAGES_MAX];
    u32 count;
    bool good = lineages_list(x, lineages, &count, err);
    object_request_init(&r, request_done, NULL);
    r.kind = OBJECT_LIST;
    for (u32 i = 0; i < count && good; i++) {
        u32 before = into->object_count;
        s64 newest = 0;
        for (u32 level = 0; level <= LEVEL_COUNT && good; level++) {
            if (level < LEVEL_COUNT) name_level(x->o.database, lineages[i], level, folder);
            else snprintf(folder, sizeof folder, "%s/%016llx/", x->o.database, (ull)lineages[i]);
            snprintf(r.key, sizeof r.key, "%s", folder);
            good = request_run(x, &r, err);
            for (u32 k = 0; k < r.entry_count && good; k++) {
                newest = MAX(newest, r.entries[k].modified_ms);
                good = list_add(into, &r.entries[k]);
            }
        }
        if (newest > horizon_ms)
            while (into->object_count > before) free(into->objects[--into->object_count].key);
    }
    object_request_deinit(&r);
    return good;
}

// The name of a push keeps an earlier writer from putting its own, for a while after it was seen to be there.
static void pushes_stay(struct inspect *x, const struct inspect *doomed)
{
    bool any = false;
    for (u32 i = 0; i < doomed->object_count; i++) any |= strstr(doomed->objects[i].key, "/L0/") != NULL;
    struct completion timer;
    completion_init(&timer, NULL, NULL);
    if (any) io_timeout(x->o.io, FENCE_MS * 1000000ull, &timer);
    while (timer.state == COMPLETION_PENDING)
        if (io_step(x->o.io, 1000000000) < 0) break;
}

bool inspect_prune(struct inspect *x, const struct inspect_rules *rules, u64 *objects, u64 *bytes, struct err *err)
{
    struct retain_rules plan = {.image_ms = rules->image_ms, .history_factor = rules->history_factor};
    memcpy(plan.keep_ms, rules->keep_ms, sizeof plan.keep_ms);
    s64 now = io_wall_ms(x->o.io);
    bool *gone = calloc(x->catalog.count + 1u, sizeof *gone);
    char **kept = NULL;
    u32 kept_count = 0;
    struct inspect doomed = {0};
    if (!gone) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return false;
    }
    retain_plan(&x->catalog, &plan, now, gone);
    bool good = shards_kept(x, gone, &kept, &kept_count, err);
    for (u32 i = 0; i < x->object_count && good; i++) {
        const struct listed *l = &x->objects[i];
        struct segment_name n;
        u32 level;
        bool goes = false;
        if (!segment_of(l->key, &n, &level)) continue;
        const struct catalog_segment *s = n.is_shard ? NULL : catalog_find(&x->catalog, level, n.tx_min, n.tx_max);
        if (s) goes = gone[s - x->catalog.segments];
        // A shard that nobody names: of what goes, or left of what was never finished.
        const char *key = l->key;
        if (n.is_shard) goes = !(kept_count && bsearch(&key, kept, kept_count, sizeof *kept, key_compare)) && now - l->modified_ms > ORPHAN_MS;
        if (goes) good = list_add(&doomed, &(struct object_entry){.key = l->key, .size = l->size, .modified_ms = l->modified_ms});
    }
    good = good && lineages_find(x, now - (s64)rules->keep_ms[LEVEL_IMAGE], &doomed, err);
    *objects = doomed.object_count;
    *bytes = 0;
    for (u32 i = 0; i < doomed.object_count; i++) {
        *bytes += doomed.objects[i].size;
        report(x, false, "%s  %llu bytes", doomed.objects[i].key, (ull)doomed.objects[i].size);
    }
    if (good && rules->carry_out) pushes_stay(x, &doomed);
    struct object_request r;
    object_request_init(&r, request_done, NULL);
    for (u32 at = 0; good && rules->carry_out && at < doomed.object_count;) {
        const char *keys[500];
        u32 count = 0;
        while (count < 500 && at < doomed.object_count) keys[count++] = doomed.objects[at++].key;
        r.kind = OBJECT_DELETE_MANY;
        r.key[0] = 0;
        r.keys = keys;
        r.key_count = count;
        good = request_run(x, &r, err);
    }
    object_request_deinit(&r);
    for (u32 i = 0; i < doomed.object_count; i++) free(doomed.objects[i].key);
    for (u32 i = 0; i < kept_count; i++) free(kept[i]);
    free(doomed.objects);
    free(kept);
    free(gone);
    return good;
}

// ---- keys
// -------------------------------------------------------------------------------------------------

static bool key_get(struct inspect *x, struct object_request *r, u64 lineage, struct err *err)
{
    r->kind = OBJECT_GET;
    r->answer_size_max = 4096;
    name_key(x->o.database, lineage, r->key);
    return request_run(x, r, err);
}

static bool key_put(struct inspect *x, struct object_request *r, u64 lineage, const struct segment_key *data, const struct master_key *to, struct err *err)
{
    u8 object[KEYRING_OBJECT_SIZE];
    struct err put_err = ERR_CLEAR, get_err = ERR_CLEAR;
    if (keyring_wrap(to, data, lineage, object, err) != ERR_OK) return false;
    r->kind = OBJECT_PUT;
    name_key(x->o.database, lineage, r->key);
    r->body = object;
    r->body_size = sizeof object;
    if (request_run(x, r, &put_err)) return true;
    // It may be there, and only the answers were lost.
    bool known = key_get(x, r, lineage, &get_err);
    if (known && r->answer_size == sizeof object && memcmp(r->answer, object, sizeof object) == 0) return true;
    err_set(err, put_err.code, __func__, "%s%s", put_err.text, known ? "" : "; whether the new key is valid is not known: try it, and then the old one");
    return false;
}

// Of a lineage that the head does not name, or not yet: it stays when it is another key's.
static bool other_rekey(struct inspect *x, struct object_request *r, u64 lineage, const struct master_key *to, struct err *err)
{
    struct segment_key data = {0};
    struct err why = ERR_CLEAR, ignored = ERR_CLEAR;
    if (!key_get(x, r, lineage, &why)) {
        if (why.code != ERR_STORE_MISSING) *err = why;
        return why.code == ERR_STORE_MISSING; // not encrypted, or not begun yet
    }
    bool good = true;
    if (keyring_unwrap(&x->o.key, lineage, r->answer, r->answer_size, r->key, &data, &why) == ERR_OK)
        good = key_put(x, r, lineage, &data, to, err);
    else if (keyring_unwrap(to, lineage, r->answer, r->answer_size, r->key, &data, &ignored) != ERR_OK)
        report(x, false, "lineage %016llx keeps its key: %s", (ull)lineage, why.text);
    sodium_memzero(&data, sizeof data);
    return good;
}

// Of all lineages: each start of a writer may have begun one, the running one's may be about to become the newest. The one that
// restores read comes last, so that what was cut off can be begun again with the old key.
bool inspect_rekey(struct inspect *x, const struct master_key *to, struct err *err)
{
    u64 lineages[LINEAGES_MAX];
    u32 count = 0;
    if (!x->catalog.key.given) {
        err_set(err, ERR_USAGE, __func__, "the backup of '%s' is not encrypted: there is no key to wrap anew", x->o.database);
        return false;
    }
    bool good = x->o.lineage || lineages_list(x, lineages, &count, err);
    struct object_request r;
    object_request_init(&r, request_done, NULL);
    for (u32 i = 0; i < count && good; i++) good = other_rekey(x, &r, lineages[i], to, err);
    good = good && key_put(x, &r, x->catalog.lineage, &x->catalog.key, to, err);
    object_request_deinit(&r);
    return good;
}
