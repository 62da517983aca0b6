// Sets of integers (rowids): what RowSet* instructions work on.
//
// A row set is either filled and then read out in ascending order without duplicates, or tested and filled in
// batches (RowSetTest): within a batch additions are not seen by the tests. Registers hold a pointer to the set;
// the statement owns it, and gives one that was read out to the next that asks (a trigger's run needs one each).
#pragma once

#include "../value.h"

struct row_set {
    struct row_set *next, *next_idle;
    s64 *rows;            // unsorted additions
    u64 count, capacity;
    u64 at;               // reading
    bool sorted;
    s64 *table;           // hash of the batches before, for tests
    u8 *used;
    u64 table_mask, table_count;
    u64 hashed;           // rows below this are in the table
    s32 batch;
};
struct row_sets { // of a statement
    struct row_set *all, *idle;
};
struct row_set *row_set_new(struct row_sets *sets); // empty; NULL: out of memory
void row_set_leave(struct row_sets *sets, struct row_set *r); // r was read out
void row_sets_free(struct row_sets *sets);
bool row_set_add(struct row_set *r, s64 row);  // false: out of memory
bool row_set_read(struct row_set *r, s64 *row); // false: empty
// *found: was added in an earlier batch. False: out of memory.
bool row_set_test(struct row_set *r, s32 batch, s64 row, bool *found);
