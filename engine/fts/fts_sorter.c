// Rows of a query by rank, or from the last rowid on: a statement over the same table finds and sorts them. It brings along
// where the phrases are, since the index is not asked again; columns are looked up row by row, of those that are wanted.
#include "fts_cursor.h"

static bool text_add(struct fts_buffer *b, const char *text) { return fts_buffer_add(b, text, (u32)strlen(text)); }
static bool name_add(struct fts_buffer *b, const char *name) { return fts_quoted_add(b, name, strlen(name)); }

static bool number_add(struct fts_buffer *b, u32 n)
{
    char text[12];
    snprintf(text, sizeof text, "%u", n);
    return text_add(b, text);
}

static bool sql_make(const struct fts_cursor *c, u32 plan, const s32 *matches, u32 match_count, struct fts_buffer *out)
{
    const struct fts_config *config = c->config;
    bool by_rank = plan & FTS_PLAN_BY_RANK;
    bool ok = text_add(out, by_rank ? "SELECT rowid, +rank, " : "SELECT rowid, NULL, ") && name_add(out, config->name) &&
              text_add(out, " FROM ") && name_add(out, c->db->databases[c->database].name) && text_add(out, ".") &&
              name_add(out, config->name) && text_add(out, " WHERE rowid>=?1 AND rowid<=?2");
    // Terms are found from the last one on, and their phrases are to be counted as the cursor's.
    for (u32 i = match_count; ok && i--;) {
        s32 column = matches[i] & ~(FTS_MATCH_LIKE | FTS_MATCH_GLOB);
        ok = text_add(out, " AND ") && name_add(out, column < (s32)config->column_count ? config->columns[column] : config->name) &&
             text_add(out, matches[i] & FTS_MATCH_LIKE ? " LIKE ?" : matches[i] & FTS_MATCH_GLOB ? " GLOB ?" : " MATCH ?") &&
             number_add(out, i + 3);
    }
    if (ok && plan & FTS_PLAN_RANK) ok = text_add(out, " AND rank MATCH ?") && number_add(out, match_count + 3);
    return ok && text_add(out, by_rank ? " ORDER BY +rank" : " ORDER BY +rowid") && text_add(out, plan & FTS_PLAN_DOWN ? " DESC" : "");
}

io_status fts_sorter_prepare(struct fts_cursor *c, struct op *op, u32 plan, const s32 *matches, u32 match_count,
                             const struct value *argv)
{
    struct fts_buffer sql = {0};
    size_t used;
    io_status status = sql_make(c, plan, matches, match_count, &sql)
                           ? statement_prepare(c->db, op, (const char *)sql.data, sql.size, true, &c->sorter, &used)
                           : fts_no_memory(op);
    fts_buffer_free(&sql);
    IO_TRY(status);
    bool ok = !skerry_bind_integer(c->sorter, 1, c->low) && !skerry_bind_integer(c->sorter, 2, c->high);
    u32 count = match_count + !!(plan & FTS_PLAN_RANK);
    for (u32 i = 0; ok && i < count; i++) ok = !skerry_bind(c->sorter, i + 3, &argv[i]);
    c->sorter_ranks = plan & FTS_PLAN_BY_RANK;
    if (ok) return IO_DONE;
    skerry_finalize(c->sorter);
    c->sorter = NULL;
    return fts_no_memory(op);
}

io_status fts_sorter_step(struct fts_cursor *c, struct op *op)
{
    bool row;
    IO_TRY(fts_sql_step(c->sorter, op, &row));
    c->eof = !row;
    if (row) c->rowid = value_to_integer(skerry_column(c->sorter, 0));
    return IO_DONE;
}
