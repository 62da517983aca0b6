// What the sorter's files share: memory (sorter.c), runs and how they are merged (sorter_merge.c), records that come again
// (sorter_repeat.c).
#pragma once

#include "sorter.h"

enum { SORTER_BLOCK_SIZE = 64 * 1024 };

struct sorter_block {
    struct sorter_block *next;
    u8 data[];
};

static inline u32 sorter_record_size(const u8 *record)
{
    u32 size;
    memcpy(&size, record - 4, 4);
    return size;
}

// What a record takes in a block: its size, and bytes up to the next size.
static inline u64 sorter_record_room(u64 size) { return (size + 4 + 3) & ~(u64)3; }

// sorter.c
u64 sorter_prefix(const u8 *record, u64 size, const struct key_info *info, bool *exact);
bool sorter_sort_memory(struct sorter *s);
void sorter_memory_clear(struct sorter *s);
// sorter_merge.c
io_status sorter_run_write(struct sorter *s, struct op *op); // what is in memory becomes a run
io_status sorter_merge_begin(struct sorter *s, struct op *op);
void sorter_runs_clear(struct sorter *s);
// sorter_repeat.c
struct seen_slot; // where a record may be remembered
// Whether the record was seen lately and need not come again; else *slot is where it is to be remembered, or NULL.
bool sorter_seen(struct sorter *s, const u8 *record, u64 size, struct seen_slot **slot);
void sorter_seen_put(struct seen_slot *slot, const u8 *record);
void sorter_seen_clear(struct sorter *s); // the records go away
// Sorts what is in memory and leaves out what is there twice. Whether that made room: if not, it is a run to be written.
bool sorter_condense(struct sorter *s);
void sorter_entries_unite(struct sorter *s); // sorted ones: of neighbours that are identical one stays
