// A cursor over a full-text table. Internal to fts_table.c and fts_aux.c.
#pragma once

#include "../function.h"
#include "fts_internal.h"
#include "fts_table.h"

struct fts_ranking {
    bool ready;
    u32 phrase;
    struct fts_expr *counting; // rows with that phrase
    s64 counting_from;
    u64 count;
    double *weights; // inverse document frequency of each phrase
    u64 *rows;       // with it
    u32 *sizes;      // its tokens
    double average;  // tokens in a row
};

struct fts_rank {
    char *name; // of the function; NULL: not known yet
    u32 argc;
    struct value *argv;
};

struct fts_cursor {
    struct skerry *db;
    u32 database;
    struct table *table; // a reference
    const struct fts_config *config;
    struct fts_table *x;
    struct fts_structure structure;
    struct fts_reader reader;
    u64 generation; // of the segments that the iterators are over
    bool filtered;  // filter has run
    u8 step;        // of a filter under way
    bool eof, down;
    s64 id;       // what the column that stands for the table says
    bool special; // MATCH '*id' and the like: one row, whose answer is special_answer
    s64 special_answer;
    s64 rowid, low, high;
    struct fts_expr *expr; // NULL: all rows
    struct skerry_stmt *scan; // content, or docsize when there is none
    enum fts_sql scan_kind;
    bool scan_row;
    struct skerry_stmt *sorter; // fts_sorter.c: rows in another order than that of the index
    bool sorter_ranks;          // and their ranks
    // What is known of the row it stands on.
    struct skerry_stmt *content;
    bool content_ready, instances_ready;
    struct value *columns; // [column_count * 2], from content: columns, and their locales
    struct full_text_instance *instances;
    u32 instance_count, instance_capacity;
    struct fts_ranking ranking;
    s64 *sizes; // [column_count] tokens in the row
    struct fts_rank rank; // the table's, or of this query: rank MATCH '...'
};

// Appends "name", with its quotes doubled.
bool fts_quoted_add(struct fts_buffer *b, const void *text, size_t size);
// The statement that finds the rows of a query and sorts them; stepped to one after another.
io_status fts_sorter_prepare(struct fts_cursor *c, struct op *op, u32 plan, const s32 *matches, u32 match_count,
                             const struct value *argv);
io_status fts_sorter_step(struct fts_cursor *c, struct op *op);
// Where the phrases are in the row that it stands on, as bytes: of fts_sorter.c's statement.
io_status fts_cursor_instances(struct fts_cursor *c, struct op *op, struct value *out);
// All that a function of the application may ask.
io_status fts_cursor_row(struct fts_cursor *c, struct op *op, bool columns, struct full_text_row *out);
// The row's columns; contentless tables have NULLs.
io_status fts_cursor_content(struct fts_cursor *c, struct op *op);
void fts_ranking_free(struct fts_ranking *r);

// ---- the column rank (fts_rank.c) ------------------------------------------------------------------------------------------

// False: that is no function with literals, or memory ran out.
bool fts_rank_parse(struct fts_rank *out, const char *text);
void fts_rank_free(struct fts_rank *r);
// Finds the function that ranks: the query's, or the table's setting; an error when it is not there.
io_status fts_cursor_rank_find(struct fts_cursor *c, struct op *op);
// What it says of the row.
io_status fts_cursor_rank(struct fts_cursor *c, struct op *op, struct value *out);
