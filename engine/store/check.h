// The structural part of PRAGMA integrity_check: every tree, overflow chain, the freelist, and that each page of the
// file is used once. Reads only, trusts nothing, and says what it finds in SQLite's words; what rows and index
// entries should hold is for SQL to check, with the counts that this walk gives.
//
// Zero a struct check, fill in its first part, call check_run until it no longer waits, read the results,
// check_deinit.
#pragma once

#include "record.h"

struct txn;
struct check_frame;

struct check {
    struct txn *txn;
    const pgno *roots; // of all trees, or of some of them
    u32 root_count;
    bool partial;       // not all trees: pages that none of them uses are no matter
    bool skip_freelist; // with partial
    u32 errors_max;     // stops after that many

    // Results.
    u32 error_count;
    char *text;  // the messages, a line each; NULL: none
    u64 *counts; // [root_count] entries

    // The walk's place.
    enum { CHECK_START, CHECK_FREELIST, CHECK_ROOTS, CHECK_TREE, CHECK_UNUSED, CHECK_DONE } stage;
    u32 root_next;
    u8 *used; // a bit per page
    u32 *ranges; // of a page: first << 16 | last byte of each cell and free block
    u32 range_count;
    u16 *ends; // by first bytes, while one page is looked at: the last ones
    struct check_frame *frames;
    u32 frame_count, frame_capacity;
    struct check_list {
        bool active, freelist;
        pgno page;
        u32 left, expected, errors_before, leaf;
    } list;
    u64 text_size, text_capacity;
    u32 prefix, tree, page, cell; // of the messages to come
    pgno page_count;
    bool auto_vacuum, out_of_memory;
};

io_status check_run(struct check *c, struct op *op);
void check_deinit(struct check *c);
