// Arenas: memory that is released all at once. One for compiling a statement, one for its program.
#pragma once

#include "../io/base.h"

struct arena_block;
struct arena {
    struct arena_block *blocks;
    u8 *next, *end;
    size_t total;
    // Called when memory runs out; must not return (compile: longjmp to the statement's error exit). When it
    // is NULL, arena_alloc gives NULL instead.
    void (*out_of_memory)(struct arena *a);
    void *context;
};
void arena_init(struct arena *a, void (*out_of_memory)(struct arena *a), void *context);
void arena_deinit(struct arena *a);
static inline size_t arena_round(size_t size) { return (size + 15) & ~(size_t)15; }
void *arena_alloc_block(struct arena *a, size_t size); // arena_alloc's, when the block has no place for it
// Zeroed, aligned to 16.
static inline void *arena_alloc(struct arena *a, size_t size)
{
    size = arena_round(size);
    if (UNLIKELY((size_t)(a->end - a->next) < size)) return arena_alloc_block(a, size);
    void *p = a->next;
    a->next += size;
    return p;
}
// Whether what was handed out from there on is all of the newest block: then it can be given back, zeroed.
bool arena_in_newest(const struct arena *a, const void *from);
void arena_give_back(struct arena *a, void *from);
void *arena_copy(struct arena *a, const void *bytes, size_t size); // with a NUL behind
char *arena_format(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
void *arena_grow_array(struct arena *a, void *array, u32 *capacity, size_t element_size);
// Grows an array in the arena: doubles the capacity when count has reached it (the old one stays behind, unless it is
// the arena's newest).
static inline void *arena_grow(struct arena *a, void *array, u32 count, u32 *capacity, size_t element_size)
{
    return LIKELY(count < *capacity) ? array : arena_grow_array(a, array, capacity, element_size);
}
