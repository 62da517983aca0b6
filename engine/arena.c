#include "arena.h"

#include <stdarg.h>

#define ARENA_BLOCK_SIZE 8192
#define ARENA_GROWS_FROM 65536 // larger arenas take blocks of a half of what they have: fewer calls, pages that are zero already
#define ARENA_BLOCK_MAX (1u << 20)
#define CLEAR_MAX 1536 // at once: from 2 KB on memset takes an instruction that is slow to start

// What was not handed out yet is zero.
struct arena_block {
    struct arena_block *next;
    size_t size;
    _Alignas(16) u8 data[];
};

// Blocks that the thread's next arenas take: most statements need one or two of the usual size, for which malloc is slow, and
// memory for larger ones is slow to get from the system again. What was used of them is zeroed at once when they come back,
// which is faster than piece by piece.
#ifdef __SANITIZE_ADDRESS__
#define SPARE_MAX 0 // else what is used after an arena's end would go unseen
#define SPARE_LARGE_BYTES 0
#else
#define SPARE_MAX 16
#define SPARE_LARGE_BYTES (4u << 20)
#endif
static _Thread_local struct {
    struct arena_block *first;
    int count;
    struct arena_block *large; // larger than usual
    size_t large_bytes;
} spare;

void arena_init(struct arena *a, void (*out_of_memory)(struct arena *a), void *context)
{
    *a = (struct arena){.out_of_memory = out_of_memory, .context = context};
}

static bool spare_keep(struct arena_block *b, size_t used)
{
    bool usual = b->size == ARENA_BLOCK_SIZE;
    if (usual ? spare.count >= SPARE_MAX : b->size > SPARE_LARGE_BYTES - spare.large_bytes) return false;
    for (size_t at = 0; at < used; at += CLEAR_MAX) memset(b->data + at, 0, MIN(used - at, (size_t)CLEAR_MAX));
    struct arena_block **list = usual ? &spare.first : &spare.large;
    b->next = *list;
    *list = b;
    spare.count += usual;
    spare.large_bytes += usual ? 0 : b->size;
    return true;
}

// NULL: there is none that fits.
static struct arena_block *spare_take(size_t size)
{
    struct arena_block **best = NULL, *b;
    if (size == ARENA_BLOCK_SIZE) {
        if (spare.first) best = &spare.first;
        spare.count -= best != NULL;
    } else {
        for (struct arena_block **at = &spare.large; *at; at = &(*at)->next)
            if ((*at)->size >= size && (*at)->size / 2 <= size && (!best || (*at)->size < (*best)->size)) best = at;
        if (best) spare.large_bytes -= (*best)->size;
    }
    if (!best) return NULL;
    b = *best;
    *best = b->next;
    return b;
}

void arena_deinit(struct arena *a)
{
    u8 *used_end = a->next; // of the newest block; of the others little is unused
    for (struct arena_block *b = a->blocks, *next; b; b = next) {
        next = b->next;
        if (!spare_keep(b, used_end ? (size_t)(used_end - b->data) : b->size)) free(b);
        used_end = NULL;
    }
    a->blocks = NULL;
    a->next = a->end = NULL;
    a->total = 0;
}

static bool arena_new_block(struct arena *a, size_t size)
{
    size_t usual = a->total < ARENA_GROWS_FROM ? ARENA_BLOCK_SIZE : MIN(a->total / 2, (size_t)ARENA_BLOCK_MAX);
    size_t block_size = MAX(size, usual);
    struct arena_block *b = NULL;
    if (size <= SIZE_MAX / 2 && !(b = spare_take(block_size))) {
        b = calloc(1, sizeof *b + block_size);
        if (b) b->size = block_size;
    }
    if (!b) {
        if (a->out_of_memory) a->out_of_memory(a);
        return false;
    }
    b->next = a->blocks;
    a->blocks = b;
    a->next = b->data;
    a->end = b->data + b->size;
    a->total += b->size;
    return true;
}

void *arena_alloc_block(struct arena *a, size_t size)
{
    if (!arena_new_block(a, size)) return NULL;
    void *p = a->next;
    a->next += size;
    return p;
}

bool arena_in_newest(const struct arena *a, const void *from)
{
    return a->blocks && (const u8 *)from >= a->blocks->data && (const u8 *)from <= a->next;
}

void arena_give_back(struct arena *a, void *from)
{
    ASSERT(arena_in_newest(a, from));
    u8 *next = a->blocks->data + arena_round((size_t)((u8 *)from - a->blocks->data));
    if (next >= a->next) return;
    memset(next, 0, (size_t)(a->next - next));
    a->next = next;
}

void *arena_copy(struct arena *a, const void *bytes, size_t size)
{
    char *p = arena_alloc(a, size + 1);
    if (p && size) memcpy(p, bytes, size);
    return p;
}

char *arena_format(struct arena *a, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *p = arena_alloc(a, (size_t)size + 1);
    if (p) vsnprintf(p, (size_t)size + 1, format, again);
    va_end(again);
    return p;
}

void *arena_grow_array(struct arena *a, void *array, u32 *capacity, size_t element_size)
{
    u32 first = element_size > 128 ? 1 : element_size > 32 ? 4 : 8;
    u32 bigger = *capacity ? *capacity * 2 : first;
    size_t old = arena_round(*capacity * element_size), size = arena_round(bigger * element_size);
    if (array && (u8 *)array + old == a->next && (size_t)(a->end - a->next) >= size - old) {
        a->next += size - old;
        *capacity = bigger;
        return array;
    }
    void *p = arena_alloc(a, size);
    if (!p) return NULL;
    if (*capacity) memcpy(p, array, *capacity * element_size);
    *capacity = bigger;
    return p;
}
