#include "cache.h"

#define ARENA_BYTES          262144u
#define ARENA_BYTES_RESIDENT 32768u

#define FRAMES_MIN 16u

bool cache_init(struct cache *c, struct io *io, u32 page_size, u32 frames_max, bool resident)
{
    *c = (struct cache){.io = io, .page_size = page_size, .resident = resident};
    c->frames_max = MAX(frames_max, FRAMES_MIN);
    c->arena_frames = MAX((resident ? ARENA_BYTES_RESIDENT : ARENA_BYTES) / page_size, 4);
    u32 buckets = 256;
    while (!resident && buckets < c->frames_max && buckets < 1u << 20) buckets *= 2;
    c->buckets = calloc(buckets, sizeof *c->buckets);
    c->bucket_mask = buckets - 1;
    if (resident) return c->buckets != NULL;
    c->ghosts = calloc(buckets, sizeof *c->ghosts);
    c->ghost_mask = buckets - 1;
    return c->buckets && c->ghosts;
}

// Pages that are never read or written need no memory fit for that.
static void *arena_alloc_pages(struct cache *c, size_t size)
{
    return c->resident ? malloc(size) : io_buffers_alloc(c->io, size);
}

static void arena_free_pages(struct cache *c, struct cache_arena *a)
{
    if (c->resident)
        free(a->memory);
    else
        io_buffers_free(c->io, a->memory, a->size);
    free(a->frames);
}

void cache_deinit(struct cache *c)
{
    for (u32 i = 0; i < c->arena_count; i++) arena_free_pages(c, &c->arenas[i]);
    free(c->arenas);
    free(c->buckets);
    free(c->ghosts);
    *c = (struct cache){0};
}

static struct pager_frame *cache_frame(const struct cache *c, u32 index)
{
    return &c->arenas[index / c->arena_frames].frames[index % c->arena_frames];
}

static void free_push(struct cache *c, struct pager_frame *f)
{
    f->state = FRAME_FREE;
    f->orphan = false;
    f->next = c->free;
    c->free = f;
    c->free_count++;
}

// Keeps the chains short as the cache grows beyond its soft limit. Failing to is no harm.
static void buckets_grow(struct cache *c)
{
    u32 count = (c->bucket_mask + 1) * 2;
    struct pager_frame **buckets = calloc(count, sizeof *buckets);
    if (!buckets) return;
    for (u32 i = 0; i <= c->bucket_mask; i++) {
        struct pager_frame *next;
        for (struct pager_frame *f = c->buckets[i]; f; f = next) {
            next = f->next;
            f->next = buckets[f->page.no & (count - 1)];
            buckets[f->page.no & (count - 1)] = f;
        }
    }
    free(c->buckets);
    c->buckets = buckets;
    c->bucket_mask = count - 1;
}

static bool cache_grow(struct cache *c)
{
    if (c->arena_count == c->arena_capacity) {
        u32 capacity = c->arena_capacity ? c->arena_capacity * 2 : 8;
        struct cache_arena *arenas = realloc(c->arenas, capacity * sizeof *arenas);
        if (!arenas) return false;
        c->arenas = arenas;
        c->arena_capacity = capacity;
    }
    struct cache_arena a = {.size = (size_t)c->arena_frames * c->page_size};
    a.frames = calloc(c->arena_frames, sizeof *a.frames);
    if (!a.frames) return false;
    a.memory = arena_alloc_pages(c, a.size);
    if (!a.memory) {
        free(a.frames);
        return false;
    }
    for (u32 i = c->arena_frames; i-- > 0;) {
        struct pager_frame *f = &a.frames[i];
        f->page.data = a.memory + (size_t)i * c->page_size;
        f->page.frame = f;
        free_push(c, f);
    }
    c->arenas[c->arena_count++] = a;
    if (c->arena_count * c->arena_frames > 2 * (c->bucket_mask + 1)) buckets_grow(c);
    return true;
}

static pgno *ghost_of(const struct cache *c, pgno no)
{
    return &c->ghosts[(no * 2654435761u >> 7) & c->ghost_mask];
}

// Whether the hand leaves the frame. Unless `hard`, kept ones within their share are not looked at.
static bool frame_stays(struct cache *c, struct pager_frame *f, u32 kept_max, bool hard)
{
    if (f->kept) {
        if (!hard && c->kept_count <= kept_max) return true;
        if (f->used_at == f->seen_at) return false;
        f->seen_at = f->used_at;
        return true;
    }
    if (f->state != FRAME_READY || f->used_at - f->first_at <= c->frames_max / 4) return false;
    cache_keep(c, f);
    return true;
}

// Moves the hand until it has freed a frame; false when all are in use.
static bool cache_evict(struct cache *c)
{
    u32 total = c->arena_count * c->arena_frames, kept_max = MIN(total, c->frames_max) / 4 * 3;
    for (u64 steps = 0; steps < 4ull * total; steps++) {
        struct pager_frame *f = cache_frame(c, c->hand);
        c->hand = c->hand + 1 == total ? 0 : c->hand + 1;
        if (f->page.pins > 0 || f->orphan) continue;
        if (f->state != FRAME_READY && f->state != FRAME_AHEAD && f->state != FRAME_FAILED) continue;
        if (f->state != FRAME_FAILED && frame_stays(c, f, kept_max, steps >= total)) continue;
        if (f->state == FRAME_READY && c->ghosts) *ghost_of(c, f->page.no) = f->page.no;
        cache_remove(c, f);
        free_push(c, f);
        c->evictions++;
        return true;
    }
    return false;
}

static void orphans_collect(struct cache *c)
{
    struct pager_frame **link = &c->orphans;
    while (*link) {
        struct pager_frame *f = *link;
        if (f->page.pins > 0 || f->state == FRAME_LOADING) {
            link = &f->next;
            continue;
        }
        *link = f->next;
        free_push(c, f);
    }
}

static struct pager_frame *frame_take(struct cache *c, bool spare)
{
    if (!c->free) orphans_collect(c);
    if (!c->free) {
        u32 clean = c->arena_count * c->arena_frames - c->private_count;
        bool full = !c->resident && clean >= c->frames_max;
        if (!(full && cache_evict(c)) && ((spare && full) || !cache_grow(c)) && (c->resident || !cache_evict(c)))
            return NULL;
    }
    struct pager_frame *f = c->free;
    c->free = f->next;
    c->free_count--;
    ASSERT(f->page.pins == 0);
    f->page.node = (struct btree_node){0};
    f->page.writable = false;
    f->page.version = 0;
    f->page.no = 0;
    f->next = NULL;
    f->superseded = FRAME_NEWEST;
    f->state = FRAME_PRIVATE;
    f->used = f->kept = f->orphan = f->freed = f->touched = f->stale = false;
    f->role = PAGE_ROLE_TREE;
    f->saved_serial = 0;
    f->stub = false;
    f->spill_slot = f->victim = 0;
    f->incoming = NULL;
    f->pinned_by = NULL;
    f->loaders = (struct wait_list){0};
    f->result = 0;
    c->private_count++;
    return f;
}

struct pager_frame *cache_frame_take(struct cache *c)
{
    return frame_take(c, false);
}

struct pager_frame *cache_frame_take_spare(struct cache *c)
{
    return frame_take(c, true);
}

void cache_wanted(struct cache *c, struct pager_frame *f)
{
    f->state = FRAME_READY;
    f->first_at = f->used_at = f->seen_at = (u32)c->hits;
    if (!c->ghosts || *ghost_of(c, f->page.no) != f->page.no) return;
    *ghost_of(c, f->page.no) = 0;
    cache_keep(c, f);
}

void cache_loaded(struct cache *c, struct pager_frame *f, bool ahead)
{
    if (ahead || f->orphan)
        f->state = ahead ? FRAME_AHEAD : FRAME_READY;
    else
        cache_wanted(c, f);
}

void cache_keep(struct cache *c, struct pager_frame *f)
{
    c->kept_count += !f->kept;
    f->kept = true;
}

void cache_frame_give(struct cache *c, struct pager_frame *f)
{
    if (f->state == FRAME_PRIVATE) c->private_count--;
    if (f->page.pins > 0 || f->state == FRAME_LOADING) {
        if (f->state == FRAME_PRIVATE) f->state = FRAME_READY;
        f->orphan = true;
        f->next = c->orphans;
        c->orphans = f;
    } else {
        free_push(c, f);
    }
}

static void arena_release(struct cache *c, u32 index)
{
    struct cache_arena *a = &c->arenas[index];
    arena_free_pages(c, a);
    *a = c->arenas[--c->arena_count];
}

void cache_trim(struct cache *c)
{
    u32 keep = (c->resident ? 0 : c->frames_max / c->arena_frames) + 2;
    if (c->arena_count <= keep) return;
    orphans_collect(c);
    if (c->resident && c->free_count < c->arena_count * c->arena_frames / 2) return;
    // Frames of arenas that can go are marked as orphans, to tell them in the list of free ones.
    for (u32 i = keep; i < c->arena_count; i++) {
        struct pager_frame *frames = c->arenas[i].frames;
        u32 free_frames = 0;
        for (u32 k = 0; k < c->arena_frames; k++) {
            struct pager_frame *f = &frames[k];
            if (!c->resident && f->page.pins == 0 && !f->orphan &&
                (f->state == FRAME_READY || f->state == FRAME_AHEAD || f->state == FRAME_FAILED)) {
                cache_remove(c, f);
                free_push(c, f);
            }
            free_frames += f->state == FRAME_FREE;
        }
        if (free_frames < c->arena_frames) continue;
        for (u32 k = 0; k < c->arena_frames; k++) frames[k].orphan = true;
    }
    struct pager_frame **link = &c->free;
    while (*link) {
        if ((*link)->orphan) {
            *link = (*link)->next;
            c->free_count--;
        } else {
            link = &(*link)->next;
        }
    }
    for (u32 i = c->arena_count; i-- > keep;) {
        struct pager_frame *first = c->arenas[i].frames;
        if (first->state == FRAME_FREE && first->orphan) arena_release(c, i);
    }
    c->hand = 0;
}

void cache_resize(struct cache *c, u32 frames_max)
{
    c->frames_max = MAX(frames_max, FRAMES_MIN);
    cache_trim(c);
}

void cache_insert(struct cache *c, struct pager_frame *f, enum frame_state state)
{
    ASSERT(f->state == FRAME_PRIVATE);
    f->state = state;
    c->private_count--;
    struct pager_frame **bucket = &c->buckets[f->page.no & c->bucket_mask];
    f->next = *bucket;
    *bucket = f;
    f->first_at = f->used_at = f->seen_at = (u32)c->hits;
}

static void stale_remove(struct cache *c, struct pager_frame *f)
{
    if (!f->stale) return;
    f->stale = false;
    *(f->stale_prev ? &f->stale_prev->stale_next : &c->stale_first) = f->stale_next;
    *(f->stale_next ? &f->stale_next->stale_prev : &c->stale_last) = f->stale_prev;
}

void cache_remove(struct cache *c, struct pager_frame *f)
{
    struct pager_frame **link = &c->buckets[f->page.no & c->bucket_mask];
    while (*link != f) link = &(*link)->next;
    *link = f->next;
    f->next = NULL;
    c->kept_count -= f->kept;
    f->kept = false;
    stale_remove(c, f);
}

struct pager_frame *cache_find_before(struct cache *c, pgno no, u64 version)
{
    struct pager_frame *f = c->buckets[no & c->bucket_mask];
    while (f && !(f->page.no == no && f->superseded == version)) f = f->next;
    return f;
}

void cache_supersede(struct cache *c, struct pager_frame *f, u64 version)
{
    ASSERT(!f->stale && f->superseded == FRAME_NEWEST);
    f->superseded = version;
    f->stale = true;
    f->stale_next = NULL;
    f->stale_prev = c->stale_last;
    *(c->stale_last ? &c->stale_last->stale_next : &c->stale_first) = f;
    c->stale_last = f;
}

void cache_unsupersede(struct cache *c, struct pager_frame *f)
{
    stale_remove(c, f);
    f->superseded = FRAME_NEWEST;
}

static void cache_drop(struct cache *c, struct pager_frame *f)
{
    cache_remove(c, f);
    cache_frame_give(c, f);
}

void cache_stale_drop(struct cache *c, u64 horizon)
{
    while (c->stale_first && c->stale_first->superseded <= horizon) cache_drop(c, c->stale_first);
}

void cache_drop_before(struct cache *c, pgno no, u64 version)
{
    struct pager_frame *next;
    for (struct pager_frame *f = c->buckets[no & c->bucket_mask]; f; f = next) {
        next = f->next;
        if (f->page.no == no && f->superseded <= version) cache_drop(c, f);
    }
}

void cache_page_settle(struct cache *c, pgno no)
{
    struct pager_frame *next;
    for (struct pager_frame *f = c->buckets[no & c->bucket_mask]; f; f = next) {
        next = f->next;
        if (f->page.no != no) continue;
        if (f->superseded == FRAME_NEWEST)
            f->page.version = 0;
        else
            cache_drop(c, f);
    }
}
