// Inside WHERE: terms, candidate loops, paths, and the loops that were chosen.
//
//   where_terms.c   the WHERE clause as a conjunction of terms, and terms derived from them
//   where_or.c      terms with OR: what of their alternatives an index can find
//   where_like.c    LIKE and GLOB as ranges
//   where_scan.c    finding the terms about a column
//   where_derive.c  terms that an OR implies, in joins of large tables
//   where_index.c   indexes as the planner sees them
//   where_loops.c   every way to run each source's loop, with its cost
//   where_virtual.c the same of tables that are computed, and their code
//   where_path.c    the cheapest order of loops, and what of ORDER BY it delivers
//   where_code.c    code of one loop
//   where_filter.c  Bloom filters of what inner loops search
//   where_explain.c what EXPLAIN QUERY PLAN says of them
//   where.c         the interface: where_begin, where_end
//
// Costs and row counts are 10 * log2 (logest), so that multiplying is adding. The numbers are SQLite's, so that
// plans are.
#pragma once

#include <stdarg.h>

#include "../connection.h"
#include "emit.h"
#include "expr.h"

typedef u64 bitmask; // of sources, in the order of FROM

enum term_operator {
    WO_IN = 0x1,
    WO_EQ = 0x2,
    WO_LT = 0x4,
    WO_LE = 0x8,
    WO_GT = 0x10,
    WO_GE = 0x20,
    WO_IS = 0x80,
    WO_IS_NULL = 0x100,
    WO_MATCH = 0x40,
    WO_OR = 0x200,
    WO_AND = 0x400,
    WO_EQUIV = 0x800,
    WO_NOOP = 0x1000,
    WO_ROW_VALUE = 0x2000,
    WO_ALL = 0x3fff,
    WO_SINGLE = 0x1ff,
};
enum term_flags {
    TERM_VIRTUAL = 1,   // derived: not coded on its own
    TERM_CODED = 2,
    TERM_COPIED = 4,    // has children that stand for it
    TERM_OR_INFO = 8,
    TERM_AND_INFO = 16,
    TERM_VNULL = 32,    // made of NOT NULL: x > NULL
    TERM_LIKE_OPT = 64, // range made of a LIKE
    TERM_IS = 256,
    TERM_HEURISTIC = 512,
    TERM_SLICE = 1024,  // field of a vector
    TERM_DERIVED = 2048, // of where_derive: its likelihood is a guess, which an index knows better
};

struct where_clause;
struct where_term {
    struct expr *expr;
    struct where_clause *clause;
    u16 operators, flags;
    int left_cursor, left_column; // X of "X op expr"; column may be COLUMN_ROWID, COLUMN_EXPR
    int field;                    // 1-based field of a row value IN
    logest truth;                 // <= 0: likelihood; 1: unknown
    int parent;                   // -1: none
    u8 children;
    bitmask prereq_right, prereq_all;
    struct where_clause *sub; // WO_OR, WO_AND: its terms
    bitmask indexable;        // WO_OR: tables that could use an index for every alternative
};
struct where_clause {
    struct where_info *info;
    struct where_clause *outer;
    u8 op; // EXPR_AND or EXPR_OR
    bool has_or;
    int count, base_count;
    u32 capacity;
    struct where_term **terms; // by pointer: terms are referred to while the array grows
};

// An index as the planner sees it: also the table itself (rowid) and an automatic one.
enum where_index_kind { WHERE_INDEX_ROWID, WHERE_INDEX_ORDINARY, WHERE_INDEX_PRIMARY, WHERE_INDEX_AUTOMATIC };
struct where_index {
    enum where_index_kind kind;
    const struct index *index; // ORDINARY, PRIMARY
    const struct table *table;
    const char *name;
    int key_count, column_count;
    s16 *columns;
    const char **collations;
    u8 *descending;
    struct expr **exprs; // resolved with cursor -1, or NULL
    struct expr *partial;
    logest *rows; // [key_count + 1]
    int row_size; // relative, as table->...
    bool unique, unique_not_null, has_stat, has_expr, has_virtual;
    bitmask not_indexed; // columns of the table not in it
    bool covering_all;
    struct where_index *next;
};

enum loop_flags {
    LOOP_COLUMN_EQ = 1,
    LOOP_COLUMN_RANGE = 2,
    LOOP_COLUMN_IN = 4,
    LOOP_COLUMN_NULL = 8,
    LOOP_CONSTRAINT = 15,
    LOOP_TOP = 16,
    LOOP_BOTTOM = 32,
    LOOP_BOTH = 48,
    LOOP_INDEX_ONLY = 64,
    LOOP_ROWID = 256,
    LOOP_INDEXED = 512,
    LOOP_VIRTUAL = 1024,
    LOOP_IN_ABLE = 2048,
    LOOP_ONE_ROW = 4096,
    LOOP_MULTI_OR = 8192,
    LOOP_AUTO_INDEX = 16384,
    LOOP_SKIP_SCAN = 32768,
    LOOP_UNIQUE_WANTED = 65536,
    LOOP_PARTIAL = 131072,
    LOOP_TRANSITIVE = 1 << 18, // a key is what a column equal to its own is equal to
    LOOP_BIG_NULL = 1 << 20, // the column behind the equalities: its NULLs behind all else in the column's ascending order
    LOOP_SELF_CULL = 1 << 21,
    LOOP_OMIT_OFFSET = 1 << 22,
    LOOP_COROUTINE = 1 << 23,
    LOOP_EXPR_INDEX = 1 << 24, // its expressions probably make it a covering one: the table is open, but not read
    LOOP_FILTER = 1 << 25, // a Bloom filter of its keys is made first
};
struct where_loop {
    bitmask prereq, self;
    u8 source, sort_index;
    logest setup, run, rows;
    // Through an index of a large table: rows of the table that a run fetches; what it costs when they lie anywhere in it.
    logest fetched, scattered; // scattered 0: not so
    u16 eq_count, bottom_count, top_count, distinct_count, skip_count;
    struct where_index *index;
    u32 flags;
    u32 term_count, term_capacity;
    struct where_term **terms; // NULL entries: skipped columns
    // LOOP_VIRTUAL on a full-text table: enum fts_plan, or fts_vocab_plan; terms of MATCH and patterns; its rows come as
    // ORDER BY wants them.
    u32 fts_plan, match_count;
    bool in_order;
    struct where_loop *next;
};

// From so many rows on (10 * log2) that are known, not guessed, a table is large: plans of joins with one then differ from
// SQLite's where that makes them better.
#define WHERE_LARGE 133

struct where_path {
    bitmask mask, reverse;
    logest rows, cost, unsorted;
    s8 ordered; // terms of ORDER BY delivered, -1: not known yet
    struct where_loop **loops;
};

// A value of IN that drives a loop.
struct in_loop {
    int cursor;
    int top;      // address of the instruction that reads the value
    u8 end_op;    // OP_Next, OP_Prev, OP_Noop
    int seek;     // address of the SeekIn before that; 0: every value is sought
    int prefix;   // columns of the index before it
};
struct where_level {
    struct where_loop *loop;
    int source, table_cursor, index_cursor;
    int left_join;    // register: a match was seen; 0: no LEFT JOIN
    int filter;       // cursor of the Bloom filter of its keys; 0: none, or tested further out
    int big_null;     // LOOP_BIG_NULL: register, 1 in the first pass, 0 in the second; 0: one pass
    int big_null_label; // the pass is done
    int merged_label;   // no value of the last IN is left that the index may have; 0: no in_is_merged
    int break_label, next_label, continue_label, null_label;
    int explained;  // address of its line in EXPLAIN QUERY PLAN
    int body_start; // address where the body, or what is coded of the loop's end, begins
    int body, first_body;
    enum opcode op;
    int p1, p2, p3;
    u16 p5;
    u32 in_count, in_capacity;
    struct in_loop *ins;
    struct where_index *covering; // multi-index OR: all used this one
    // RIGHT JOIN: keys that matched, and the subroutine of the body
    int right_match, right_return, right_address;
    int skip_address; // skip-scan: the search for the next value
    bitmask not_ready;
};

struct where_info {
    struct compile *c;
    struct source_list *sources;
    struct expr_list *order_by, *results, *arrival; // arrival: of WHERE_ARRIVAL
    struct select *select;
    u32 flags;
    int aux;
    int continue_label, break_label;
    int one_pass_cursors[2];
    enum one_pass one_pass;
    enum where_distinct distinct;
    bool deferred_seek, sorted, ordered_inner;
    bool star, star_weighed; // where_path.c: the join is a star
    bool large;              // a join with a table of known size from WHERE_LARGE on
    int ordered;
    bitmask reverse_mask, one_row_mask;
    logest rows_out, limit;
    struct where_clause clause;
    u32 level_count;
    struct where_level *levels;
    int cursors[64]; // cursor of each source, -1 when none
    struct where_loop *loops;
    struct where_index **indexes; // per source: the table and its indexes
    struct expr *where;
    struct column_source *saved_index_exprs, *saved_index_constants;
    bool untested; // a term waits for a source that is not ready
    int end_where; // address behind the loops' beginnings
};

// ---- terms ----
bitmask where_mask(const struct where_info *w, int cursor);
bitmask expr_usage(const struct where_info *w, const struct expr *e);
bitmask expr_list_usage(const struct where_info *w, const struct expr_list *list);
void source_label(const struct source *s, char *out, size_t size);
void where_clause_init(struct where_clause *wc, struct where_info *w);
void where_split(struct where_clause *wc, struct expr *e, u8 op);
struct where_term *where_term_add(struct where_clause *wc, struct expr *e, u16 flags);
// What the term compares and which sources it needs; terms that it implies are added behind the others.
void where_term_analyze(struct where_clause *wc, int at);
void where_analyze_all(struct where_clause *wc);
void where_or_analyze(struct where_clause *wc, int at);
void where_like_analyze(struct where_clause *wc, int at);
void where_term_mark_child(struct where_clause *wc, int child, int parent); // it stands for a part of the parent
void where_copy_join_marks(struct expr *to, const struct expr *from);
void where_table_function_terms(struct where_clause *wc, struct source *s);
void where_derive(struct where_info *w); // between where_split and where_analyze_all

struct where_scan {
    struct where_clause *original, *clause;
    const char *collation;
    struct expr *index_expr;
    int at;
    char affinity;
    u16 operators;
    u32 equivalents, equivalent;
    int cursors[11], columns[11];
};
struct where_term *where_scan_first(struct where_scan *s, struct where_clause *wc, int cursor, int column, u16 operators,
                                    const struct where_index *index);
struct where_term *where_scan_next(struct where_scan *s);
struct where_term *where_find_term(struct where_clause *wc, int cursor, int column, bitmask not_ready, u16 operators,
                                   const struct where_index *index);
// How a term asks a full-text index: FTS_MATCH_LIKE, FTS_MATCH_GLOB, or 0 for MATCH and all else.
s32 where_fts_pattern(const struct where_term *t);
// What a full-text table makes of a term: one of enum fts_plan; 0: nothing.
u32 where_fts_kind(const struct source *s, const struct where_term *t);
bool where_term_outer_ok(const struct where_term *t, const struct source *s);

// ---- indexes ----
logest where_table_rows(const struct where_info *w, const struct table *t);
logest where_source_rows(const struct where_info *w, const struct source *s);
void where_sizes_know(struct where_info *w); // sets w->large, asks for sizes that are not known
void where_indexes_make(struct where_info *w);
const char *index_column_affinity(struct compile *c, const struct where_index *x);
bool where_usable_partial(struct where_info *w, int cursor, u8 join, struct where_clause *wc, struct expr *partial);
// A column that a term of a partial index's WHERE fixes to a constant; NULL: none. *column is its number.
struct expr *where_partial_constant(struct compile *c, const struct where_index *x, struct expr *term, int *column);
// All of them.
bitmask where_partial_constants(struct compile *c, const struct where_index *x, struct expr *partial);
// Whether all columns of the table that the expression names are in the index.
bool where_covered_by_columns(const struct expr *e, int cursor, const struct where_index *x);
// Whether the index has all that the query reads of the table, with its expressions: LOOP_INDEX_ONLY, LOOP_EXPR_INDEX, 0: no.
u32 where_covers_by_expressions(struct where_info *w, const struct where_index *x, int cursor);

// ---- loops, path ----
void where_loops_add(struct where_info *w);
bool where_short_cut(struct where_info *w);
void where_solve(struct where_info *w, logest row_estimate);
void where_scans_forbid(struct where_info *w);
bool where_term_drives_index(const struct where_info *w, const struct where_term *t, const struct source *s, bitmask not_ready);

// ---- code ----
bitmask where_level_code(struct where_info *w, u32 level_index, bitmask not_ready);
const char *index_column_name(const struct where_index *x, int i);
void where_level_explain(struct where_info *w, struct where_level *level);
void where_level_explain_again(struct where_info *w, struct where_level *level); // it has turned out to read the table
// The value of one equality (==, IS, IS NULL, IN) of the loop: gives its register.
int where_equality_code(struct where_info *w, struct where_term *t, struct where_level *level, int eq, bool reverse, int target);
// All equalities of the loop into consecutive registers, with room for `extra` more; gives the first.
int where_equalities_code(struct where_info *w, struct where_level *level, bool reverse, int extra, char **affinities);
void where_virtual_loop_code(struct where_info *w, struct where_level *level, struct source *s);
// The loop makes sure of the term: it, and what it stands for, is not tested again.
void where_term_disable(struct where_level *level, struct where_term *t);
void where_affinity_code(struct compile *c, int base, int count, const char *affinities);
// What is asked of the level's source alone, and keeps its rows out of the join; NULL: nothing. constant: something is asked of none.
struct expr *where_own_terms(struct where_info *w, const struct where_level *level, bool *constant);

// ---- Bloom filters ----
void where_filters_choose(struct where_info *w);
// The filter of a level whose loop wants one, and of those further in that can be tested with it.
void where_filters_code(struct where_info *w, u32 level_index, bitmask not_ready);
// For an automatic index: opened, then filled beside it.
void where_filter_open(struct where_info *w, struct where_level *level, const struct collation *const *collations);
void where_filter_add(struct where_info *w, const struct where_level *level, int base);
// Before the level's search: goes to `next` when the key, or that of a loop further in, is in no row.
void where_filter_test(struct where_info *w, u32 level_index, int base, int next);

// ---- loops on the way (where_loops.c, where_virtual.c) -------------------------------------------------------------

struct loop_builder {
    struct where_info *w;
    struct where_clause *clause;
    struct where_loop *loop; // template
    struct or_set *or_set;   // collecting for an OR: loops are not kept
    bool key_part, key_whole; // terms were found for a part of the index's key; for all of a unique one's
    u32 plan_limit;
    bitmask behind; // tables that outer and cross joins keep behind a computed one
};
// Keeps a copy of the loop, unless one that is known is better; those that it betters go.
void where_loop_insert(struct loop_builder *b, struct where_loop *t);
void where_terms_reserve(struct loop_builder *b, u32 count); // room for that many terms in the template
void where_virtual_loops_add(struct loop_builder *b, bitmask prereq);
