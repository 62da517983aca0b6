// The sum of a page as the store has it, for a writer that does not have all pages: what it pushed itself is noted, what
// came and was not written over since is read from the file, the rest is fetched.
#include "remote_private.h"

#define PUSHED_MAX (1u << 20) // pages noted: then the newest segments are looked up instead

static bool bit(const u8 *map, u32 page)
{
    return map[(page - 1) / 8] >> ((page - 1) % 8) & 1;
}

void remote_sums_reset(struct remote *r)
{
    r->sum_tx = r->chain.tx;
    r->pushed_count = 0;
    if (r->pushed) memset(r->pushed, 0, r->pushed_capacity * sizeof *r->pushed);
    memset(r->found, 0, sizeof r->found);
    if (r->written) memcpy(r->written, r->map, (size_t)r->map_chunks * REMOTE_MAP_CHUNK);
}

void remote_sums_deinit(struct remote *r)
{
    free(r->pushed);
    r->pushed = NULL;
}

bool remote_sum_local(const struct remote *r, u32 page)
{
    return page <= r->page_count && bit(r->map, page) && !bit(r->written, page) && !remote_page_arriving(r, page);
}

void remote_sum_found(struct remote *r, u32 page, u64 sum)
{
    r->found[page % REMOTE_SUMS] = (struct page_sum){page, sum};
}

// ---- what was pushed
// -----------------------------------------------------------------------------------------

static struct page_sum *pushed_slot(struct remote *r, u32 page)
{
    u32 i = page * 2654435761u;
    while (r->pushed[i &= r->pushed_capacity - 1].page && r->pushed[i].page != page) i++;
    return &r->pushed[i];
}

static bool pushed_grow(struct remote *r)
{
    if (r->pushed_count < r->pushed_capacity / 2) return true;
    u32 before = r->pushed_capacity;
    struct page_sum *old = r->pushed, *bigger = calloc(before ? before * 2 : 1024, sizeof *bigger);
    if (!bigger) return false;
    r->pushed = bigger;
    r->pushed_capacity = before ? before * 2 : 1024;
    for (u32 i = 0; i < before; i++)
        if (old[i].page) *pushed_slot(r, old[i].page) = old[i];
    free(old);
    return true;
}

void remote_pushed(struct remote *r, u64 tx, u64 epoch, const u32 *pages, const u64 *sums, u32 count, bool others)
{
    // The chain may have been made anew after the sums of this push were asked for, of a state before the one that it follows.
    bool follows = r->sum_tx == tx - 1 || r->sum_tx == tx, noted = follows && !r->whole && !others && r->pushed_count <= PUSHED_MAX;
    r->state_tx = tx;
    r->epoch = epoch;
    r->sum_tx = tx;
    r->reloaded_for = 0;
    for (u32 i = 0; i < count && noted; i++) {
        if (!(noted = pushed_grow(r))) break;
        struct page_sum *s = pushed_slot(r, pages[i]);
        r->pushed_count += !s->page;
        *s = (struct page_sum){pages[i], sums[i]};
    }
    if (!noted) r->sum_tx = 0; // the next one that is asked for loads the newest segments
}

void remote_known(struct remote *r, u64 tx)
{
    r->state_tx = MAX(r->state_tx, tx);
}

// ---- asking
// ---------------------------------------------------------------------------------------------------

static bool known(struct remote *r, u32 page, u64 *out)
{
    const struct page_sum *s = r->pushed_count ? pushed_slot(r, page) : NULL;
    if (!s || !s->page) s = &r->found[page % REMOTE_SUMS];
    if (s->page != page) return false;
    *out = s->sum;
    return true;
}

static io_status waits(struct remote *r, struct waiter *w)
{
    wait_list_add(&r->sums_wait, w);
    return IO_WAIT;
}

io_status remote_page_sum(struct remote *r, u64 tx, const u32 *pages, u32 count, u64 *out, struct waiter *w, struct err *err)
{
    if (r->chain_state == CHAIN_RUNS || r->replan) return waits(r, w);
    if (r->sum_err.code != ERR_OK || r->chain_state == CHAIN_FAILED) {
        const struct err *why = r->sum_err.code != ERR_OK ? &r->sum_err : &r->failure;
        err_set_errno(err, why->code, why->sys_errno, __func__, "what page %u was is needed for the next push: %s", pages[0], why->text);
        err_clear(&r->sum_err);
        return IO_FAIL;
    }
    if (tx != r->sum_tx) {
        if (r->reloaded_for == tx) {
            r->reloaded_for = 0;
            return IO_ERROR(err, ERR_STORE_UNAVAILABLE, "the store has transaction %llu where %llu was pushed", (unsigned long long)r->chain.tx,
                            (unsigned long long)tx);
        }
        r->reloaded_for = tx;
        r->replan = true;
        remote_run(r);
        return waits(r, w);
    }
    bool there = known(r, pages[0], out);
    u64 ignored;
    for (u32 i = there; i < count; i++)
        if (!known(r, pages[i], &ignored) && !remote_pull_sum(r, pages[i])) break;
    remote_run(r);
    return there ? IO_DONE : waits(r, w);
}

bool remote_is_of(const struct remote *r, u64 lineage)
{
    return be64_get(r->header + REMOTE_HEADER_LINEAGE) == lineage;
}

bool remote_whole(const struct remote *r)
{
    return r->whole;
}
