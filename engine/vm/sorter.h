// The sorter: records in, the same records out in the order of a key_info; equal ones in the order they came.
//
// Records stay in memory, in big blocks; an entry holds a prefix of the first key field that sorts as the field
// does, so that most comparisons touch nothing else.
#pragma once

#include "../store/record.h"

struct sorter_entry {
    u64 prefix;
    const u8 *record; // [size] before it
};
struct sorter_block;
struct sorter {
    const struct key_info *info;
    u32 fields; // that count
    struct sorter_block *blocks;
    u8 *next, *end;
    struct sorter_entry *entries;
    u64 count, capacity, at;
    u64 bytes; // held
    bool sorted;
    bool prefix_exact; // equal prefixes mean equal first fields
    struct value *key; // scratch of comparisons
    struct err err;
};

struct sorter *sorter_new(const struct key_info *info, u32 fields); // NULL: out of memory
void sorter_free(struct sorter *s);                                 // NULL is fine
void sorter_clear(struct sorter *s);
bool sorter_add(struct sorter *s, const u8 *record, u64 size); // copies; false: out of memory
// Sorts and stands on the first; false: out of memory or a malformed record (s->err).
bool sorter_sort(struct sorter *s);
static inline bool sorter_valid(const struct sorter *s) { return s->at < s->count; }
static inline void sorter_next(struct sorter *s) { s->at++; }
static inline const u8 *sorter_record(const struct sorter *s, u32 *size)
{
    const u8 *record = s->entries[s->at].record;
    memcpy(size, record - 4, 4);
    return record;
}
// Compares the current record with another by the first `fields` fields; NULL in a field: not equal.
int sorter_compare(struct sorter *s, const u8 *record, u64 size, u32 fields);
