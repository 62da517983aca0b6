// The sorter: records in, the same records out in the order of a key_info; equal ones in the order they came.
//
// Records stay in memory, in big blocks; an entry holds a prefix of the first key field that sorts as the field
// does, so that most comparisons touch nothing else. When they take more than the budget they are written, sorted,
// to a temporary file as a run, and runs are merged when rows are taken: up to `ways` at a time, so that with more
// of them passes over the whole come before (sorter_merge.c).
//
// Who gives equal rows once has no use for records that are the same byte by byte, and may have them left out
// (sorter_repeat.c): many rows of few values take the room of those few then.
#pragma once

#include "../store/record.h"
#include "spill.h"

enum { SORTER_AHEAD = 8 }; // records that are fetched into the processor's cache before they are asked for

struct sorter_entry {
    u64 prefix;
    const u8 *record; // [size] before it
};
struct sorter_run {
    u64 start, end; // in the file
};
struct sorter_block;
struct sorter_merge;
struct sorter_seen;
struct sorter {
    const struct key_info *info;
    u32 fields; // that count
    struct sorter_block *blocks;
    u8 *next, *end;
    struct sorter_entry *entries;
    u64 count, capacity, at;
    u64 bytes; // held
    u64 budget;
    bool sorted;
    bool prefix_exact; // equal prefixes mean equal first fields
    bool merged;       // standing on a record of runs, or behind the last
    struct value *key; // scratch of comparisons
    struct err err;
    bool repeats;             // identical records may be left out
    struct sorter_seen *seen; // lately; NULL: not remembered

    const char *directory; // of temporary files
    bool sealed;           // they are encrypted
    const u8 *merged_record; // NULL: behind the last
    u32 merged_size;
    struct spill *spill; // with the runs
    struct sorter_run *runs;
    u32 run_count, run_capacity, ways;
    struct sorter_merge *merge;
    struct spill_writer writer;
    bool writing, run_begun; // a run is being written; it is sorted, and has its place
    struct spill *pass; // where a merge pass writes
    u32 pass_from, pass_to;
    bool pass_put; // the record that the merge stands on is written
};

// What it holds in memory is about budget bytes. NULL: out of memory. The directory is not copied.
struct sorter *sorter_new(const struct key_info *info, u32 fields, u64 budget, const char *directory, bool sealed);
void sorter_free(struct sorter *s); // NULL is fine
// Before the first record: of identical records some may be given fewer times than they came, but once, and so that neither which is
// the first of equal ones nor which is the last is another.
void sorter_drop_repeats(struct sorter *s);
void sorter_clear(struct sorter *s);
// Copies; after IO_WAIT called again with the same record.
io_status sorter_add(struct sorter *s, struct op *op, const u8 *record, u64 size);
// Sorts and stands on the first.
io_status sorter_sort(struct sorter *s, struct op *op);
io_status sorter_merge_next(struct sorter *s, struct op *op);
static inline bool sorter_valid(const struct sorter *s)
{
    return UNLIKELY(s->merged) ? s->merged_record != NULL : s->at < s->count;
}
static inline io_status sorter_next(struct sorter *s, struct op *op)
{
    if (UNLIKELY(s->merged)) return sorter_merge_next(s, op);
    s->at++;
    // Records lie in the order that they came in: elsewhere than the last one.
    if (LIKELY(s->at + SORTER_AHEAD < s->count)) __builtin_prefetch(s->entries[s->at + SORTER_AHEAD].record - 4);
    return IO_DONE;
}
// Good until the next sorter_next when merged, else until the sorter is cleared.
static inline const u8 *sorter_record(const struct sorter *s, u32 *size)
{
    if (UNLIKELY(s->merged)) {
        *size = s->merged_size;
        return s->merged_record;
    }
    const u8 *record = s->entries[s->at].record;
    memcpy(size, record - 4, 4);
    return record;
}
// Compares the current record with another by the first `fields` fields; NULL in a field: not equal.
int sorter_compare(struct sorter *s, const u8 *record, u64 size, u32 fields);
// 64 bits that sort as the first field of keys does, equal ones aside: then, unless *exact is set to false, the fields
// are equal too.
u64 sorter_value_prefix(const struct value *first, const struct key_info *info, bool *exact);
// Whether a text of which the prefix is that of another is behind that one, by the bytes kept of it; false: not sure.
bool sorter_text_behind(const struct value *v, const struct key_info *info, const u8 *other, u32 other_size);
