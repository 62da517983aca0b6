// 'integrity-check': the index must say what the rows say. Both sides are summed up entry by entry.
#include "fts_internal.h"

struct fts_check {
    struct fts_table *table;
    struct fts_reader reader;
    struct fts_structure structure;
    bool structure_read, index_done;
    struct fts_merge *merge;
    u64 index_sum, rows_sum, rows;
    u64 *sizes, *tokens;
    struct fts_pending pending; // terms of rows that are not summed up yet
    struct skerry_stmt *scan;
};

#define PENDING_MAX (1u << 16) // of a processor's cache

void fts_check_free(struct fts_check *c)
{
    if (!c) return;
    fts_reader_free(&c->reader);
    fts_structure_free(&c->structure);
    fts_merge_free(c->merge);
    free(c->sizes);
    free(c->tokens);
    fts_pending_clear(&c->pending);
    fts_sql_give(c->table, FTS_SQL_CONTENT_SCAN, &c->scan);
    free(c);
}

static void term_sum(struct fts_check *c, const struct fts_term *t)
{
    bool none = c->table->config->detail == FTS_DETAIL_NONE;
    u64 term = fts_hash(0, t->bytes, t->size);
    for (u32 at = 0; at < t->doclist.size;) {
        struct fts_pending_entry e = fts_pending_entry(t, &at);
        c->rows_sum ^= fts_entry_hash(term, e.rowid, e.positions, none ? 0 : e.size);
    }
}

// What the rows since the last time say.
static bool pending_sum(struct fts_check *c)
{
    bool ok = fts_pending_close(&c->pending);
    for (u32 i = 0; ok && i < c->pending.slot_count; i++)
        for (const struct fts_term *t = c->pending.slots[i]; t; t = t->next) term_sum(c, t);
    fts_pending_clear(&c->pending);
    return ok;
}

static io_status row_sum(struct fts_check *c, struct op *op)
{
    const struct fts_config *config = c->table->config;
    fts_pending_begin(&c->pending, false, value_to_integer(skerry_column(c->scan, 0)));
    bool ok = fts_row_terms(&c->pending, config, skerry_column(c->scan, 1), c->sizes);
    for (u32 i = 0; i < config->column_count; i++) c->tokens[i] += c->sizes[i];
    c->rows++;
    if (ok && c->pending.bytes > PENDING_MAX) ok = pending_sum(c);
    return ok ? IO_DONE : fts_no_memory(op);
}

io_status fts_check_run(struct fts_check **check, struct fts_table *x, struct op *op, bool external)
{
    const struct fts_config *config = x->config;
    if (!*check) {
        struct fts_check *new = *check = calloc(1, sizeof **check);
        if (!new) return fts_no_memory(op);
        new->table = x;
        new->sizes = calloc(config->column_count + 1, sizeof *new->sizes);
        new->tokens = calloc(config->column_count + 1, sizeof *new->tokens);
        if (!new->sizes || !new->tokens) return fts_no_memory(op);
    }
    struct fts_check *c = *check;
    if (!c->structure_read) {
        IO_TRY(fts_structure_read(x, op, &c->reader, &c->structure));
        c->structure_read = true;
    }
    if (!c->index_done) {
        IO_TRY(fts_merge_sum(&c->merge, x, op, &c->structure, &c->index_sum));
        c->index_done = true;
    }
    bool compare = config->content == FTS_CONTENT_NORMAL || (config->content == FTS_CONTENT_EXTERNAL && external);
    if (!compare) return IO_DONE;
    if (!c->scan) {
        IO_TRY(fts_sql_take(x, op, FTS_SQL_CONTENT_SCAN, &c->scan));
        if (skerry_bind_integer(c->scan, 1, INT64_MIN) || skerry_bind_integer(c->scan, 2, INT64_MAX)) return fts_no_memory(op);
    }
    for (bool row = true; row;) {
        IO_TRY(fts_sql_step(c->scan, op, &row));
        if (row) IO_TRY(row_sum(c, op));
        if (row && c->rows % FTS_TURN_ROWS == 0) return fts_turn(op);
    }
    if (!pending_sum(c)) return fts_no_memory(op);
    IO_TRY(fts_totals_read(x, op, &c->reader));
    bool same = c->rows == x->totals.rows;
    for (u32 i = 0; i < config->column_count; i++) same &= c->tokens[i] == x->totals.tokens[i];
    if (!same) return IO_ERROR(&op->err, ERR_CORRUPT_VTAB, "%s", err_default_text(ERR_CORRUPT));
    if (c->index_sum != c->rows_sum)
        return IO_ERROR(&op->err, ERR_CORRUPT_VTAB, "fts5: checksum mismatch for table \"%s\"", config->name);
    return IO_DONE;
}
