// 'integrity-check': the index must say what the rows say. Both sides are summed up place by place.
#include "fts_internal.h"

struct fts_check {
    struct fts_table *table;
    struct fts_reader reader;
    struct fts_structure structure;
    bool structure_read, index_done;
    struct fts_merge *merge;
    u64 index_sum, rows_sum, rows;
    u64 *sizes, *tokens;
    s64 rowid;
    u64 *places; // hashes of the row's, where a term may come to the same one again: not of detail=full
    u32 place_count, place_capacity;
    struct skerry_stmt *scan, *sizes_scan;
    bool row, rows_done; // row: one of the content is to be summed up
    u64 sizes_rows;
};

void fts_check_free(struct fts_check *c)
{
    if (!c) return;
    fts_reader_free(&c->reader);
    fts_structure_free(&c->structure);
    fts_merge_free(c->merge);
    free(c->sizes);
    free(c->tokens);
    free(c->places);
    fts_sql_give(c->table, FTS_SQL_CONTENT_SCAN, &c->scan);
    fts_sql_give(c->table, FTS_SQL_DOCSIZE_SCAN, &c->sizes_scan);
    free(c);
}

static bool term_sum(void *context, const struct fts_config *config, u8 prefix, const u8 *token, u32 size, u32 column,
                     u32 position)
{
    struct fts_check *c = context;
    u64 entry = fts_hash_mix(fts_hash(prefix, token, size), (u64)c->rowid);
    u64 in_column = config->detail == FTS_DETAIL_NONE ? 0 : (u64)column << 32;
    if (config->detail != FTS_DETAIL_FULL)
        return fts_position_add(&c->places, &c->place_count, &c->place_capacity, fts_place_hash(entry, in_column));
    c->rows_sum ^= fts_place_hash(entry, in_column | position);
    return true;
}

static io_status malformed(struct op *op) { return IO_ERROR(&op->err, ERR_CORRUPT_VTAB, "%s", err_default_text(ERR_CORRUPT)); }

static io_status row_sum(struct fts_check *c, struct op *op)
{
    const struct fts_config *config = c->table->config;
    IO_TRY(fts_tokenizer_require(config, op));
    c->rowid = value_to_integer(skerry_column(c->scan, 0));
    const u8 *bytes = NULL;
    u32 size = 0;
    bool found = false;
    if (config->column_size) {
        IO_TRY(fts_block_read(c->table, op, &c->reader, FTS_SHADOW_DOCSIZE, c->rowid, &bytes, &size, &found));
        if (!found) return malformed(op);
    }
    c->place_count = 0;
    bool ok = fts_row_terms(term_sum, c, config, skerry_column(c->scan, 1), c->sizes);
    fts_positions_sort(c->places, &c->place_count);
    for (u32 i = 0; i < c->place_count; i++) c->rows_sum ^= c->places[i];
    if (!ok) return fts_no_memory(op);
    const u8 *end = bytes + size;
    for (u32 i = 0; i < config->column_count; i++) {
        c->tokens[i] += c->sizes[i];
        u64 told;
        u32 n = found ? varint_get_checked(bytes, end, &told) : 0;
        if (found && (!n || (told != c->sizes[i] && !config->unindexed[i]))) return malformed(op);
        bytes += n;
    }
    c->rows++;
    return IO_DONE;
}

// There is a size for each row and for no other one.
static io_status sizes_count(struct fts_check *c, struct fts_table *x, struct op *op)
{
    if (!x->config->column_size) return IO_DONE;
    if (!c->sizes_scan) {
        IO_TRY(fts_sql_take(x, op, FTS_SQL_DOCSIZE_SCAN, &c->sizes_scan));
        if (skerry_bind_integer(c->sizes_scan, 1, INT64_MIN) || skerry_bind_integer(c->sizes_scan, 2, INT64_MAX))
            return fts_no_memory(op);
    }
    for (bool row = true; row;) {
        IO_TRY(fts_sql_step(c->sizes_scan, op, &row));
        c->sizes_rows += row;
        if (row && c->sizes_rows % FTS_TURN_ROWS == 0) return fts_turn(op);
    }
    return c->sizes_rows == x->totals.rows ? IO_DONE : malformed(op);
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
    if (!c->scan && !c->rows_done) {
        IO_TRY(fts_sql_take(x, op, FTS_SQL_CONTENT_SCAN, &c->scan));
        if (skerry_bind_integer(c->scan, 1, INT64_MIN) || skerry_bind_integer(c->scan, 2, INT64_MAX)) return fts_no_memory(op);
    }
    while (!c->rows_done) {
        if (!c->row) IO_TRY(fts_content_step(x, c->scan, op, &c->row));
        c->rows_done = !c->row;
        if (c->rows_done) break;
        IO_TRY(row_sum(c, op));
        c->row = false;
        if (c->rows % FTS_TURN_ROWS == 0) return fts_turn(op);
    }
    IO_TRY(fts_totals_read(x, op, &c->reader));
    bool same = c->rows == x->totals.rows;
    for (u32 i = 0; i < config->column_count; i++) same &= c->tokens[i] == x->totals.tokens[i];
    if (!same) return malformed(op);
    IO_TRY(sizes_count(c, x, op));
    if (c->index_sum != c->rows_sum)
        return IO_ERROR(&op->err, ERR_CORRUPT_VTAB, "fts5: checksum mismatch for table \"%s\"", config->name);
    return IO_DONE;
}
