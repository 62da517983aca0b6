// A cursor over a full-text table. Internal to fts_table.c and fts_aux.c.
#pragma once

#include "fts_internal.h"
#include "fts_table.h"

struct fts_instance {
    u32 phrase, column, position; // token of the column
};

struct fts_ranking {
    bool ready;
    u32 phrase;
    struct fts_expr *counting; // rows with that phrase
    s64 counting_from;
    u64 count;
    double *weights; // inverse document frequency of each phrase
    double average;  // tokens in a row
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
    bool eof;
    s64 rowid, low, high;
    struct fts_expr *expr; // NULL: all rows
    struct skerry_stmt *scan; // content, or docsize when there is none
    enum fts_sql scan_kind;
    bool scan_row;
    // What is known of the row it stands on.
    struct skerry_stmt *content;
    bool content_ready, instances_ready;
    struct value *columns; // [column_count], from content
    struct fts_instance *instances;
    u32 instance_count, instance_capacity;
    struct fts_ranking ranking;
    char *rank; // function of this query: rank MATCH '...'
};

// The row's columns; contentless tables have NULLs.
io_status fts_cursor_content(struct fts_cursor *c, struct op *op);
void fts_ranking_free(struct fts_ranking *r);
// bm25 with these weights of columns (1.0 for those that are missing).
io_status fts_cursor_bm25(struct fts_cursor *c, struct op *op, const double *weights, u32 count, double *out);
// The same as the table's rank setting, or the query's, says.
io_status fts_cursor_rank(struct fts_cursor *c, struct op *op, double *out);
