// Images that take longer than the node runs, or than the log may wait: a shard that an image before this one put, and
// that nothing names yet, is named by this one when its pages are the same.
#include "backup_private.h"

static struct segment_shard *find(struct backup *b, u32 shard)
{
    for (u32 i = 0; i < b->part_count; i++)
        if (b->parts[i].shard == shard) return &b->parts[i];
    return NULL;
}

bool backup_part_note(struct backup *b, const struct segment_shard *s)
{
    struct segment_shard *there = find(b, s->shard);
    if (!there) return shards_add(&b->parts, &b->part_count, &b->part_capacity, s);
    *there = *s;
    return true;
}

bool backup_part_same(struct backup *b, struct segment_shard *s)
{
    const struct segment_shard *there = find(b, s->shard);
    if (!there || there->sum != s->sum || there->page_count != s->page_count) return false;
    *s = *there;
    return true;
}

// The newest one that an earlier life left behind the newest image: nobody lets that go while no image follows.
static const char *left_behind(struct backup *b, u32 shard, struct segment_name *out)
{
    const struct catalog *c = &b->catalog;
    const char *key = NULL;
    u64 image = 0;
    for (u32 i = 0; i < c->count; i++)
        if (c->segments[i].level == LEVEL_IMAGE) image = MAX(image, c->segments[i].tx_max);
    for (u32 i = 0; i < c->shard_count; i++) {
        struct segment_name n;
        if (!name_parse(c->shards[i], LEVEL_IMAGE, &n) || !n.is_shard || n.shard != shard || n.epoch >= b->mark.epoch || n.tx_max <= image) continue;
        if (key && (n.tx_max < out->tx_max || (n.tx_max == out->tx_max && n.epoch < out->epoch))) continue;
        key = c->shards[i];
        *out = n;
    }
    return key;
}

void backup_part_reset(struct backup *b)
{
    if (b->part_step == PART_READ) segment_index_deinit(&b->part);
    b->part_step = PART_UNKNOWN;
}

// Its header and its hash; what is damaged or of another is none.
static io_status part_read(struct backup *b, const char *key, const struct segment_name *n)
{
    struct err why = ERR_CLEAR;
    struct segment_index *x = &b->part;
    enum segment_answer answer;
    while ((answer = segment_index_open(x, &b->part_where, &why)) == SEGMENT_FETCH) {
        if (fetch_idle(&b->fetch)) fetch_get(&b->fetch, key, b->part_where.offset, b->part_where.size, b->part_where.size);
        IO_TRY(fetch_run(&b->fetch, &b->op.err));
        if (!segment_index_give(x, &b->part_where, b->fetch.request.answer, b->fetch.request.answer_size, &why)) break;
    }
    const struct segment_header *h = &x->header;
    bool good = answer == SEGMENT_FOUND && h->flags & SEGMENT_SHARD && h->level == LEVEL_IMAGE && h->shard == n->shard && h->tx_max == n->tx_max &&
                h->epoch == n->epoch && h->lineage == b->mark.lineage && h->page_size == b->page_size &&
                memcmp(h->database_id, b->mark.database_id, sizeof h->database_id) == 0;
    struct segment_shard s = {.shard = n->shard, .level = LEVEL_IMAGE, .tx_min = n->tx_min, .tx_max = n->tx_max, .epoch = n->epoch,
                              .size = b->part_size, .page_count = x->page_count, .sum = h->sum_after};
    memcpy(s.hash, x->hash, sizeof s.hash);
    if (good && !backup_part_note(b, &s)) return IO_ERROR(&b->op.err, ERR_NOMEM, "out of memory");
    if (why.code != ERR_OK) backup_log(b, SYNC_LOG_WARN, "backup.image", "a part of an earlier image is not used: %s", why.text);
    backup_part_reset(b);
    b->part_step = PART_NONE;
    return IO_DONE;
}

io_status backup_part_look(struct backup *b)
{
    struct segment_name n = {0};
    if (b->part_step == PART_NONE) return IO_DONE;
    const char *key = find(b, b->shard) ? NULL : left_behind(b, b->shard, &n);
    if (!key) {
        backup_part_reset(b);
        b->part_step = PART_NONE;
        return IO_DONE;
    }
    if (b->part_step == PART_UNKNOWN) {
        if (fetch_idle(&b->fetch)) fetch_head(&b->fetch, key);
        io_status status = fetch_run(&b->fetch, &b->op.err);
        if (status == IO_FAIL && b->op.err.code == ERR_STORE_MISSING) {
            err_clear(&b->op.err);
            b->part_step = PART_NONE;
            return IO_DONE;
        }
        IO_TRY(status);
        b->part_size = b->fetch.request.size;
        segment_index_init(&b->part, key, b->part_size, &b->catalog.key, &b->part_scratch);
        b->part_step = PART_READ;
    }
    return part_read(b, key, &n);
}

void backup_parts_deinit(struct backup *b)
{
    backup_part_reset(b);
    free(b->parts);
    b->parts = NULL;
    b->part_count = b->part_capacity = b->parts_used = 0;
    b->part_named = false;
    segment_scratch_deinit(&b->part_scratch);
}
