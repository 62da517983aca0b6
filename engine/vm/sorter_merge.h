// The sorter's runs: writing them, merging them. Internal to the sorter.
#pragma once

#include "sorter.h"

// sorter.c
u64 sorter_prefix(const u8 *record, u64 size, const struct key_info *info, bool *exact);
bool sorter_sort_memory(struct sorter *s);
void sorter_memory_clear(struct sorter *s);
// sorter_merge.c
io_status sorter_run_write(struct sorter *s, struct op *op); // what is in memory becomes a run
io_status sorter_merge_begin(struct sorter *s, struct op *op);
void sorter_runs_clear(struct sorter *s);
