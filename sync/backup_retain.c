// Retention: which segments no restore within the rules needs any more, and their deletion.
#include "backup_private.h"

#include <errno.h>

#define DELETE_BATCH   500u
#define TABLE_SIZE_MAX (64u << 20)
#define HISTORY_MIN    (4ull << 20)

typedef unsigned long long ull;

// ---- the plan
// -------------------------------------------------------------------------------------------------

static int image_compare(const void *a, const void *b)
{
    const struct catalog_segment *x = *(struct catalog_segment *const *)a, *y = *(struct catalog_segment *const *)b;
    return x->tx_max < y->tx_max ? -1 : x->tx_max > y->tx_max;
}

static int place_compare(const void *a, const void *b)
{
    const struct catalog_segment *x = *(const struct catalog_segment *const *)a, *y = *(const struct catalog_segment *const *)b;
    return x->tx_max != y->tx_max ? (x->tx_max < y->tx_max ? -1 : 1) : (x->level > y->level) - (x->level < y->level);
}

// When each was made. A clock may have been wrong for a while, as that of a device without a battery is until it has asked for the
// time: what is later than now, or earlier than what it follows, is as old as that. NULL: out of memory.
static s64 *ages_make(const struct catalog *c, s64 now_ms)
{
    const struct catalog_segment **order = calloc(c->count + 1u, sizeof *order);
    s64 *ages = calloc(c->count + 1u, sizeof *ages), made_ms = INT64_MIN;
    for (u32 i = 0; order && i < c->count; i++) order[i] = &c->segments[i];
    if (order) qsort(order, c->count, sizeof *order, place_compare);
    for (u32 i = 0; order && ages && i < c->count; i++) {
        if (order[i]->known && order[i]->time_max_ms <= now_ms) made_ms = MAX(made_ms, order[i]->time_max_ms);
        ages[order[i] - c->segments] = made_ms == INT64_MIN ? 0 : now_ms - made_ms;
    }
    if (!order) free(ages), ages = NULL;
    free(order);
    return ages;
}

// The image that everything from `base` on stands on: history up to it serves no restore within the rules. *forced: there is too
// much of it.
static u64 base_find(const struct catalog *c, struct catalog_segment **images, u32 count, const struct retain_rules *rules, const s64 *ages, bool *forced)
{
    u64 base = 0, history = 0;
    for (u32 i = 0; i < count; i++)
        if (images[i]->known && ages[images[i] - c->segments] > (s64)rules->keep_ms[LEVEL_IMAGE - 1]) base = images[i]->tx_max;
    u64 limit = MAX(rules->history_factor * images[count - 1]->size, HISTORY_MIN);
    for (u32 i = count; i-- > 0 && images[i]->tx_max > base;) {
        history = 0;
        for (u32 k = 0; k < c->count; k++)
            if (c->segments[k].level < LEVEL_IMAGE && c->segments[k].tx_max > images[i]->tx_max) history += c->segments[k].size;
        if (history <= limit) continue;
        // This image's history is too much; that of the next one is not, or there is no next.
        *forced = true;
        return i + 1 < count ? images[i + 1]->tx_max : images[i]->tx_max;
    }
    return base;
}

static bool covered(const struct catalog *c, const struct catalog_segment *s, const struct retain_rules *rules, const s64 *ages)
{
    for (u32 i = 0; i < c->count; i++) {
        const struct catalog_segment *o = &c->segments[i];
        if (o->level > s->level && o->level < LEVEL_IMAGE && o->known && !o->unnamed && o->tx_min <= s->tx_min && o->tx_max >= s->tx_max &&
            ages[i] > (s64)rules->keep_ms[s->level])
            return true;
    }
    return false;
}

// History goes on through an image: a segment reaches over its transaction, and is no base.
static bool passed_through(const struct catalog *c, u64 tx, const bool *gone)
{
    for (u32 i = 0; i < c->count; i++) {
        const struct catalog_segment *s = &c->segments[i];
        if (s->level < LEVEL_IMAGE && !gone[i] && s->known && !(s->flags & SEGMENT_BASE) && s->tx_min <= tx && s->tx_max >= tx) return true;
    }
    return false;
}

bool retain_plan(const struct catalog *c, const struct retain_rules *rules, s64 now_ms, bool *gone)
{
    u32 count = 0;
    bool forced = false;
    struct catalog_segment **images = calloc(c->count + 1u, sizeof *images);
    s64 *ages = ages_make(c, now_ms);
    memset(gone, 0, c->count * sizeof *gone);
    for (u32 i = 0; images && ages && i < c->count; i++)
        if (c->segments[i].level == LEVEL_IMAGE && !c->segments[i].unnamed) images[count++] = &c->segments[i];
    if (!count) { // without an image everything is needed
        free(images);
        free(ages);
        return false;
    }
    qsort(images, count, sizeof *images, image_compare);
    u64 base = base_find(c, images, count, rules, ages, &forced), newest = catalog_newest(c);
    u64 first = MAX(base, images[0]->tx_max); // up to there nothing but an image is part of any state
    for (u32 i = 0; i < c->count; i++) {
        const struct catalog_segment *s = &c->segments[i];
        if (s->level == 0 && s->tx_max == newest) continue; // what the next push follows
        if (s->level < LEVEL_IMAGE) gone[i] = s->tx_max <= first || (s->known && covered(c, s, rules, ages));
    }
    // Of the images that stand alone, one a period stays, until it is too old; and those that history goes on from.
    s64 horizon = (s64)MAX(rules->keep_ms[LEVEL_IMAGE], rules->keep_ms[LEVEL_IMAGE - 1]), image_ms = (s64)rules->image_ms;
    for (u32 i = 0; i + 1 < count; i++) {
        const struct catalog_segment *s = images[i], *next = images[i + 1];
        if (!s->known || !next->known || s->tx_max == base) continue;
        s64 age = ages[s - c->segments], next_age = ages[next - c->segments];
        bool twin = (now_ms - age) / image_ms == (now_ms - next_age) / image_ms;
        if (s->tx_max > base && !passed_through(c, s->tx_max, gone)) continue;
        if (twin || next_age >= horizon) gone[s - c->segments] = true;
    }
    free(images);
    free(ages);
    return forced;
}

// ---- carrying it out
// --------------------------------------------------------------------------------------------

static bool text_add(char ***list, u32 *count, u32 *capacity, const char *text)
{
    if (*count == *capacity) {
        u32 more = *capacity ? *capacity * 2 : 64;
        char **bigger = realloc(*list, more * sizeof *bigger);
        if (!bigger) return false;
        *list = bigger;
        *capacity = more;
    }
    (*list)[*count] = strdup(text);
    return (*list)[(*count)++] != NULL;
}

static bool doom(struct compact *c, const char *key)
{
    return text_add(&c->doomed, &c->doomed_count, &c->doomed_capacity, key);
}

void retain_reset(struct compact *c)
{
    for (u32 i = 0; i < c->doomed_count; i++) free(c->doomed[i]);
    for (u32 i = 0; i < c->kept_count; i++) free(c->kept[i]);
    free(c->doomed);
    free(c->kept);
    c->doomed = c->kept = NULL;
    c->doomed_count = c->doomed_capacity = c->doomed_at = c->kept_count = c->kept_capacity = c->table_count = 0;
    c->list_levels = 0;
}

static bool is_doomed(const struct compact *c, const char *key)
{
    for (u32 i = 0; i < c->doomed_count; i++)
        if (strcmp(c->doomed[i], key) == 0) return true;
    return false;
}

// The name of a push keeps others from putting theirs (backup_claim.c): it stays for that long, by no clock that can be set, and
// whatever the rules say. So does the image that one under way is made of, when another came meanwhile; and all images, until each that
// is listed was read: what it is made of is not known.
static void some_stay(struct backup *b, bool *gone)
{
    u64 now = io_now_ns(b->io), made_of = 0;
    bool known = true;
    for (u32 i = 0; i < b->catalog.count; i++) {
        struct catalog_segment *s = &b->catalog.segments[i];
        if (!s->seen_ns) s->seen_ns = now;
        if (s->level == 0 && now - s->seen_ns < FENCE_MS * 1000000ull) gone[i] = false;
        if (s->level == LEVEL_IMAGE && s->tx_max < b->imager.tx) made_of = MAX(made_of, s->tx_max);
        known &= s->level != LEVEL_IMAGE || s->known;
    }
    for (u32 i = 0; i < b->catalog.count; i++)
        if (b->catalog.segments[i].level == LEVEL_IMAGE && (!known || b->catalog.segments[i].tx_max == made_of)) gone[i] = false;
}

bool retain_start(struct backup *b)
{
    struct compact *c = &b->compact;
    struct catalog *k = &b->catalog;
    struct retain_rules rules = {.image_ms = b->options.period_ms[LEVEL_IMAGE], .history_factor = b->options.history_factor};
    memcpy(rules.keep_ms, b->options.keep_ms, sizeof rules.keep_ms);
    bool *gone = calloc(k->count + 1u, sizeof *gone), good = gone != NULL;
    if (!good) return false;
    // What the head in the store names stays: listings may lack what came in its place.
    for (u32 i = 0; i < k->count; i++) k->segments[i].unnamed = !k->segments[i].in_head;
    bool forced = retain_plan(k, &rules, io_wall_ms(b->io), gone);
    some_stay(b, gone);
    for (u32 i = 0; i < k->count && good; i++) {
        const struct catalog_segment *s = &k->segments[i];
        char key[OBJECT_KEY_MAX];
        name_segment(b->name, b->mark.lineage, s->level, s->tx_min, s->tx_max, key);
        if (gone[i]) good = doom(c, key);
        if (gone[i] && s->flags & SEGMENT_SHARDED) c->list_levels |= 1u << s->level;
    }
    // Parts of pushes that were never finished: no push of that number can come any more.
    for (u32 i = 0; i < k->shard_count && good; i++) {
        struct segment_name n;
        if (!name_parse(k->shards[i], 0, &n) || n.epoch >= b->mark.epoch || !strstr(k->shards[i], "/L0/")) continue;
        if (!catalog_find(k, 0, n.tx_min, n.tx_max)) good = doom(c, k->shards[i]);
    }
    for (u32 i = 0; i < k->shard_count; i++) free(k->shards[i]);
    k->shard_count = 0;
    c->image_tx = 0;
    for (u32 i = 0; i < k->count && c->table_count < COUNT_OF(c->tables) && c->list_levels & 1u << LEVEL_IMAGE; i++) {
        if (k->segments[i].level != LEVEL_IMAGE) continue;
        c->image_tx = MAX(c->image_tx, k->segments[i].tx_max);
        if (!gone[i] && k->segments[i].flags & SEGMENT_SHARDED) c->tables[c->table_count++].tx = k->segments[i].tx_max;
    }
    if (b->imager.tx) c->image_tx = MIN(c->image_tx, b->imager.tx - 1);
    if (c->table_count == COUNT_OF(c->tables)) good = false;
    free(gone);
    if (!good || !c->doomed_count) {
        retain_reset(c);
        return false;
    }
    for (u32 i = 0; i < c->table_count; i++) c->tables[i].read = false;
    if (forced)
        backup_log(b, SYNC_LOG_WARN, "backup.history", "what is beside the newest image is more than %u times as large as it (--history-factor): restores "
                   "cannot go back as far as --keep says", b->options.history_factor);
    // A push that was under way while another node took over may be there since, under a name that was free again.
    u64 now = io_now_ns(b->io);
    if (now - c->listed_ns >= b->options.period_ms[LEVEL_IMAGE - 1] * 1000000) {
        c->listed_ns = now;
        c->list_levels |= 1;
    }
    c->step = COMPACT_TABLES;
    return true;
}

// What the images that stay are made of.
static io_status retain_tables(struct backup *b)
{
    struct compact *c = &b->compact;
    for (u32 i = 0; i < c->table_count; i++) {
        char key[OBJECT_KEY_MAX];
        if (c->tables[i].read) continue;
        if (fetch_idle(&c->fetch)) {
            name_segment(b->name, b->mark.lineage, LEVEL_IMAGE, 1, c->tables[i].tx, key);
            fetch_get(&c->fetch, key, 0, 0, TABLE_SIZE_MAX);
        }
        IO_TRY(fetch_run(&c->fetch, &c->err));
        struct segment_reader r;
        const struct object_request *q = &c->fetch.request;
        bool good = segment_reader_open(&r, q->answer, q->answer_size, q->key, &b->catalog.key, &c->err);
        for (u32 k = 0; good && k < r.index.shard_count; k++) {
            name_shard(b->name, b->mark.lineage, &r.index.shards[k], key);
            good = text_add(&c->kept, &c->kept_count, &c->kept_capacity, key);
        }
        segment_reader_deinit(&r);
        if (!good) return c->err.code == ERR_OK ? IO_ERROR(&c->err, ERR_NOMEM, "out of memory") : IO_FAIL;
        c->tables[i].read = true;
    }
    c->step = COMPACT_SHARDS;
    return IO_DONE;
}

static int text_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// What was put late by who is not the writer any more goes as what this node has put does.
static bool strays_add(struct backup *b)
{
    const struct object_request *q = &b->compact.fetch.request;
    for (u32 i = 0; i < q->entry_count; i++) {
        struct segment_name n;
        const struct object_entry *e = &q->entries[i];
        if (!name_parse(e->key, 0, &n) || n.is_shard || n.tx_max >= b->mark.tx || catalog_find(&b->catalog, 0, n.tx_min, n.tx_max)) continue;
        if (!catalog_add(&b->catalog, 0, n.tx_min, n.tx_max, e->size)) return false;
    }
    return true;
}

// Only of the images that were known when this began, whose tables were read: what is behind them, an image that was put since or that
// is being made may name. One that is there and not known (no answer ever came to its put) goes with its shards.
static bool image_part_goes(struct backup *b, const struct object_entry *e, const struct segment_name *n)
{
    struct compact *c = &b->compact;
    if (n->tx_max > c->image_tx) return false;
    if (!n->is_shard) return !catalog_find(&b->catalog, LEVEL_IMAGE, n->tx_min, n->tx_max);
    return !c->kept_count || !bsearch(&e->key, c->kept, c->kept_count, sizeof *c->kept, text_compare);
}

// Shards of what goes, of pushes that can never be finished, and of images those that no image that stays is made of.
static io_status retain_shards(struct backup *b)
{
    struct compact *c = &b->compact;
    for (u32 level = 0; level <= LEVEL_IMAGE; level++) {
        if (!(c->list_levels & 1u << level)) continue;
        if (fetch_idle(&c->fetch)) {
            char folder[OBJECT_KEY_MAX];
            name_level(b->name, b->mark.lineage, level, folder);
            fetch_list(&c->fetch, folder);
        }
        IO_TRY(fetch_run(&c->fetch, &c->err));
        if (level == 0 && !strays_add(b)) return IO_ERROR(&c->err, ERR_NOMEM, "out of memory");
        if (c->kept_count) qsort(c->kept, c->kept_count, sizeof *c->kept, text_compare);
        for (u32 i = 0; i < c->fetch.request.entry_count; i++) {
            const struct object_entry *e = &c->fetch.request.entries[i];
            struct segment_name n;
            char table[OBJECT_KEY_MAX];
            if (!name_parse(e->key, level, &n) || (!n.is_shard && level != LEVEL_IMAGE)) continue;
            name_segment(b->name, b->mark.lineage, level, n.tx_min, n.tx_max, table);
            bool goes = level == LEVEL_IMAGE ? image_part_goes(b, e, &n) : is_doomed(c, table);
            if (level == 0) goes |= n.epoch < b->mark.epoch && n.tx_max <= b->mark.tx && !catalog_find(&b->catalog, 0, n.tx_min, n.tx_max);
            if (goes && !doom(c, e->key)) return IO_ERROR(&c->err, ERR_NOMEM, "out of memory");
        }
        c->list_levels &= ~(1u << level);
    }
    c->step = COMPACT_CLAIM;
    return IO_DONE;
}

// Whoever has gone on with the backup since may make its images of what is about to go; this node finds out when it pushes.
static io_status retain_claim(struct backup *b)
{
    struct compact *c = &b->compact;
    if (b->conditions) {
        if (fetch_idle(&c->fetch)) backup_claim_get(b, &c->fetch, b->mark.epoch + 1);
        io_status status = fetch_run(&c->fetch, &c->err);
        if (status == IO_DONE) {
            retain_reset(c);
            c->step = COMPACT_IDLE;
            return IO_DONE;
        }
        if (status == IO_WAIT || c->err.code != ERR_STORE_MISSING) return status;
        err_clear(&c->err);
    }
    c->step = COMPACT_DELETE;
    return IO_DONE;
}

static io_status retain_delete(struct backup *b)
{
    struct compact *c = &b->compact;
    while (c->doomed_at < c->doomed_count) {
        u32 count = MIN(DELETE_BATCH, c->doomed_count - c->doomed_at);
        if (fetch_idle(&c->fetch)) {
            c->fetch.request.kind = OBJECT_DELETE_MANY;
            c->fetch.request.key[0] = 0;
            c->fetch.request.keys = (const char *const *)(c->doomed + c->doomed_at);
            c->fetch.request.key_count = count;
        }
        IO_TRY(fetch_run(&c->fetch, &c->err));
        for (u32 i = 0; i < count; i++) {
            for (u32 level = 0; level <= LEVEL_IMAGE; level++) {
                struct segment_name n;
                char key[OBJECT_KEY_MAX];
                if (!name_parse(c->doomed[c->doomed_at + i], level, &n) || n.is_shard) continue;
                name_segment(b->name, b->mark.lineage, level, n.tx_min, n.tx_max, key);
                struct catalog_segment *s = strcmp(key, c->doomed[c->doomed_at + i]) == 0 ? catalog_find(&b->catalog, level, n.tx_min, n.tx_max) : NULL;
                if (s) catalog_remove(&b->catalog, s);
            }
        }
        c->doomed_at += count;
        b->status.deleted_objects += count;
    }
    retain_reset(c);
    c->step = COMPACT_IDLE;
    return IO_DONE;
}

io_status retain_run(struct backup *b)
{
    if (b->compact.step == COMPACT_TABLES) return retain_tables(b);
    if (b->compact.step == COMPACT_SHARDS) return retain_shards(b);
    if (b->compact.step == COMPACT_CLAIM) return retain_claim(b);
    return retain_delete(b);
}
