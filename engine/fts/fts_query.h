// The tree of a MATCH query. Internal to fts_parse.c and fts_query.c.
#pragma once

#include "fts_internal.h"

// Where a term is: its entries in the segments, or, for a prefix, all of them collected.
struct fts_source {
    struct fts_table *table;
    u32 count;
    struct fts_iter *iters; // newest first
    u32 started;
    bool ready; // all are, or the hits are there
    bool lone;  // one segment, whose rows are all there
    struct fts_merge *collecting;
    struct fts_hits *hits; // prefix without an index of its own
    u32 hit;
    s64 rowid;
    bool on, eof;
    bool passed_any; // a deleted row: no row up to `passed` is one, also when a wait begins the search anew
    s64 passed;
    struct fts_iter *winner;
};

struct fts_query_term {
    const u8 *text; // with the prefix byte of its index
    u32 size;
    bool prefix;
    struct fts_source source;
    struct fts_buffer raw;  // position list of the row
    u64 *positions;         // decoded
    u32 position_count, position_capacity;
};

struct fts_phrase {
    struct fts_query_term *terms;
    u32 term_count, term_capacity;
    bool first; // ^: at the beginning of a column
    struct fts_node *node;
    u64 *positions; // in the row that its node stands on
    u32 position_count, position_capacity;
};

struct fts_columns {
    u32 words;
    u64 bits[];
};

enum fts_node_kind { FTS_NODE_NEAR, FTS_NODE_AND, FTS_NODE_OR, FTS_NODE_NOT };
struct fts_node {
    u8 kind;     // enum fts_node_kind
    u32 height;
    u32 child_count, child_capacity;
    struct fts_node **children;
    // FTS_NODE_NEAR: phrases within `near` tokens of each other
    u32 phrase_count, phrase_capacity;
    struct fts_phrase **phrases;
    u64 near;
    struct fts_columns *columns; // NULL: all
    bool single;                 // one phrase of one term
    bool positions_known;        // of rowid
    // Where it stands.
    bool on, eof;
    s64 rowid;
};

struct fts_expr {
    const struct fts_config *config;
    struct arena arena;
    struct fts_node *root; // NULL: matches nothing
    u32 phrase_count, phrase_capacity;
    struct fts_phrase **phrases;
    bool opened;
    const struct fts_structure *structure;
    struct fts_table *table;
};

struct fts_expr *fts_expr_new(const struct fts_config *c);
bool fts_expr_phrase_add(struct fts_expr *e, struct fts_phrase *p);
