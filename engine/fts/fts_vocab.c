// fts5vocab: the terms of a full-text table as a table.
#include "fts_vocab.h"

#include <strings.h>

#include "fts_internal.h"

enum { VOCAB_COLUMNS_MAX = 4 };
static const char *const columns[][VOCAB_COLUMNS_MAX + 1] = {
    [FTS_VOCAB_ROW] = {"term", "doc", "cnt"},
    [FTS_VOCAB_COLUMN] = {"term", "col", "doc", "cnt"},
    [FTS_VOCAB_INSTANCE] = {"term", "doc", "col", "offset"},
};

struct fts_vocab_cursor {
    struct skerry *db;
    u32 database; // of the full-text table
    const struct fts_vocab *vocab;
    struct table *table, *own; // references
    struct fts_table *x;
    struct fts_reader reader;
    struct fts_structure structure;
    u64 generation;
    struct fts_merge *merge;
    bool filtering, flushed, reading; // what is under way
    bool started, ended, eof;
    struct fts_entry next; // the entry that follows; term NULL: not there yet
    // The row it stands on: a term, or an entry of it.
    struct fts_buffer low, high; // bounds of terms
    bool high_known;
    struct fts_buffer term;
    s64 rowid, number;
    u64 rows, tokens;                 // FTS_VOCAB_ROW
    u64 *column_rows, *column_tokens; // FTS_VOCAB_COLUMN
    u32 column;
    u64 *positions;
    u32 position_count, position_capacity, position;
};

// ---- the definition ------------------------------------------------------------------------------------------------

struct fts_vocab *fts_vocab_parse(struct arena *a, bool temp, const char *const *arguments, u32 count, const char **error)
{
    static const char *const kinds[] = {"row", "col", "instance"};
    struct fts_vocab *v = arena_alloc(a, sizeof *v);
    *error = NULL;
    if (!v) return NULL;
    bool other = temp && count == 3;
    if (!other && count != 2) {
        *error = "wrong number of vtable arguments";
        return NULL;
    }
    const char *texts[3];
    for (u32 i = 0; i < count; i++)
        if (!(texts[i] = fts_dequoted(a, arguments[i]))) return NULL;
    v->database = other ? texts[0] : NULL;
    v->table = texts[count - 2];
    for (u32 i = 0; i < COUNT_OF(kinds); i++) {
        if (strcasecmp(texts[count - 1], kinds[i]) != 0) continue;
        v->kind = (u8)i;
        return v;
    }
    *error = arena_format(a, "fts5vocab: unknown table type: '%s'", texts[count - 1]);
    return NULL;
}

const char *fts_vocab_column(const struct fts_vocab *v, u32 index) { return columns[v->kind][index]; }

// ---- cursors ---------------------------------------------------------------------------------------------------------

io_status fts_vocab_open(struct skerry *db, u32 database, const struct table *own, struct op *op, struct fts_vocab_cursor **out)
{
    const struct fts_vocab *v = own->vocab;
    int at = v->database ? connection_database_find(db, v->database) : (int)database;
    const struct table *t = at >= 0 && db->databases[at].schema ? schema_table(db->databases[at].schema, v->table) : NULL;
    if (!t || !t->fts)
        return IO_ERROR(&op->err, ERR_ERROR, "no such fts5 table: %s.%s", v->database ? v->database : db->databases[database].name,
                        v->table);
    struct fts_table *x;
    IO_TRY(fts_table_get(db, (u32)at, t, op, &x));
    struct fts_vocab_cursor *c = calloc(1, sizeof *c);
    if (!c) return fts_no_memory(op);
    u32 count = t->fts->column_count + 1;
    *c = (struct fts_vocab_cursor){.db = db, .database = (u32)at, .vocab = v, .x = x, .eof = true};
    c->table = table_ref((struct table *)(uintptr_t)t);
    c->own = table_ref((struct table *)(uintptr_t)own);
    c->column_rows = calloc(count, sizeof *c->column_rows);
    c->column_tokens = calloc(count, sizeof *c->column_tokens);
    *out = c;
    if (c->column_rows && c->column_tokens) return IO_DONE;
    fts_vocab_close(c);
    *out = NULL;
    return fts_no_memory(op);
}

void fts_vocab_close(struct fts_vocab_cursor *c)
{
    if (!c) return;
    fts_merge_free(c->merge);
    fts_reader_free(&c->reader);
    fts_structure_free(&c->structure);
    fts_buffer_free(&c->term);
    fts_buffer_free(&c->low);
    fts_buffer_free(&c->high);
    free(c->column_rows);
    free(c->column_tokens);
    free(c->positions);
    table_unref(c->table);
    table_unref(c->own);
    free(c);
}

static io_status damaged(struct fts_vocab_cursor *c, struct op *op) { return fts_corrupt(op, c->x, "the index is damaged"); }

static bool is_next_term(const struct fts_vocab_cursor *c)
{
    return c->next.starts && (c->next.term_size != c->term.size || memcmp(c->next.term, c->term.data, c->term.size) != 0);
}

static bool is_beyond(const struct fts_entry *e, const struct fts_buffer *high)
{
    int k = memcmp(e->term, high->data, MIN(e->term_size, high->size));
    return k > 0 || (k == 0 && e->term_size > high->size);
}

// The entry after the last one goes to c->next. A reader whose segments were written or merged meanwhile ends, or it
// would meet what it gives rise to.
static io_status entry_next(struct fts_vocab_cursor *c, struct op *op)
{
    if (c->started && c->generation != c->x->generation)
        return IO_ERROR(&op->err, ERR_ABORT, "%s", err_default_text(ERR_ABORT));
    if (!c->started) {
        fts_merge_free(c->merge);
        c->merge = NULL;
        IO_TRY(fts_structure_read(c->x, op, &c->reader, &c->structure));
        c->generation = c->x->generation;
        c->started = true;
    }
    do {
        bool known = c->term.size > 0;
        IO_TRY(fts_merge_next(&c->merge, c->x, op, &c->structure, known ? c->term.data : c->low.data,
                              known ? c->term.size : c->low.size, &c->next));
    } while (c->next.term && !is_next_term(c) && c->next.rowid <= c->rowid);
    bool ended = c->next.term && c->next.starts &&
                 (c->next.term[0] != FTS_MAIN_PREFIX || (c->high_known && is_beyond(&c->next, &c->high)));
    if (ended) c->next.term = NULL;
    return IO_DONE;
}

static bool position_keep(struct fts_vocab_cursor *c, u64 position)
{
    return fts_position_add(&c->positions, &c->position_count, &c->position_capacity, position);
}

// Counts c->next, whose term the cursor stands on.
static io_status entry_count(struct fts_vocab_cursor *c, struct op *op)
{
    const struct fts_config *config = c->table->fts;
    const u8 *at = c->next.positions, *end = at + c->next.positions_size;
    u64 position, last = UINT64_MAX;
    c->rowid = c->next.rowid;
    c->rows++;
    c->position_count = c->position = 0;
    if (config->detail == FTS_DETAIL_NONE) {
        c->column_rows[0]++;
        return position_keep(c, 0) ? IO_DONE : fts_no_memory(op);
    }
    struct fts_position_reader reader = {0};
    bool columns_count = c->vocab->kind == FTS_VOCAB_COLUMN, keep = c->vocab->kind == FTS_VOCAB_INSTANCE;
    u64 tokens = 0;
    for (; at < end; tokens++) {
        if (!fts_position_next(config, &reader, &at, end, &position)) return damaged(c, op);
        u64 column = position >> 32;
        if (column >= config->column_count) return damaged(c, op);
        if (columns_count) {
            c->column_rows[column] += column != last;
            c->column_tokens[column] += config->detail == FTS_DETAIL_FULL;
            last = column;
        }
        if (keep && !position_keep(c, position)) return fts_no_memory(op);
    }
    if (config->detail == FTS_DETAIL_FULL) c->tokens += tokens;
    return IO_DONE;
}

static io_status term_begin(struct fts_vocab_cursor *c, struct op *op)
{
    u32 count = c->table->fts->column_count;
    c->term.size = 0;
    if (!fts_buffer_add(&c->term, c->next.term, c->next.term_size)) return fts_no_memory(op);
    c->rows = c->tokens = 0;
    memset(c->column_rows, 0, count * sizeof *c->column_rows);
    memset(c->column_tokens, 0, count * sizeof *c->column_tokens);
    c->column = 0;
    return IO_DONE;
}

// To the first entry that is not counted yet; whole: counts all of its term.
static io_status entries_read(struct fts_vocab_cursor *c, struct op *op)
{
    bool whole = c->vocab->kind != FTS_VOCAB_INSTANCE;
    for (;;) {
        if (!c->next.term) {
            IO_TRY(entry_next(c, op));
            if (!c->next.term) {
                c->ended = true;
                return IO_DONE;
            }
        }
        if (is_next_term(c)) {
            if (c->rows && whole) return IO_DONE;
            IO_TRY(term_begin(c, op));
        }
        IO_TRY(entry_count(c, op));
        c->next.term = NULL;
        if (!whole) return IO_DONE;
    }
}

// To the next row out of what is counted already; false: there is none.
static bool counted_next(struct fts_vocab_cursor *c)
{
    if (c->vocab->kind == FTS_VOCAB_COLUMN) {
        u32 count = c->table->fts->detail == FTS_DETAIL_NONE ? 1 : c->table->fts->column_count;
        for (u32 k = c->column + 1; k < count; k++) {
            if (!c->column_rows[k]) continue;
            c->column = k;
            return true;
        }
    }
    if (c->vocab->kind != FTS_VOCAB_INSTANCE || c->position + 1 >= c->position_count) return false;
    c->position++;
    return true;
}

io_status fts_vocab_next(struct fts_vocab_cursor *c, struct op *op)
{
    if (!c->reading && c->rows && counted_next(c)) {
        c->number++;
        return IO_DONE;
    }
    if (!c->reading) c->rows = 0;
    c->reading = true;
    if (!c->ended) IO_TRY(entries_read(c, op));
    c->reading = false;
    c->eof = !c->rows;
    while (!c->eof && c->vocab->kind == FTS_VOCAB_COLUMN && !c->column_rows[c->column]) c->column++;
    c->number++;
    return IO_DONE;
}

// The argument as a term, with the byte of its index.
static bool bound_set(struct fts_buffer *out, const struct value *v)
{
    static const u8 first = FTS_MAIN_PREFIX;
    struct value scratch;
    value_init(&scratch);
    const u8 *text = NULL;
    u32 size = 0;
    out->size = 0;
    bool ok = fts_buffer_add(out, &first, 1) && (!v || fts_value_text(v, &scratch, &text, &size)) && fts_buffer_add(out, text, size);
    value_deinit(&scratch);
    return ok;
}

static bool bounds_set(struct fts_vocab_cursor *c, u32 plan, const struct value *argv, bool *none)
{
    const struct value *low = NULL, *high = NULL;
    if (plan & FTS_VOCAB_TERM_EQ) low = high = argv++;
    *none = low && low->type != VALUE_TEXT; // terms are texts, and equal nothing else
    if (plan & FTS_VOCAB_TERM_GE) low = argv++;
    if (plan & FTS_VOCAB_TERM_LE) high = argv++;
    c->high_known = high != NULL;
    return bound_set(&c->low, low) && bound_set(&c->high, high);
}

io_status fts_vocab_filter(struct fts_vocab_cursor *c, struct op *op, u32 plan, const struct value *argv)
{
    if (!c->filtering) {
        bool none;
        if (!bounds_set(c, plan, argv, &none)) return fts_no_memory(op);
        c->eof = true;
        if (none) return IO_DONE;
        c->filtering = true;
        fts_merge_free(c->merge);
        c->merge = NULL;
        c->flushed = c->reading = c->started = c->ended = false;
        c->next.term = NULL;
        c->term.size = 0;
        c->rows = 0;
        // FTS5 numbers instances from 0 where there are no positions, else from 1.
        c->number = c->vocab->kind == FTS_VOCAB_INSTANCE && c->table->fts->detail == FTS_DETAIL_NONE ? -1 : 0;
    }
    if (!c->flushed) {
        IO_TRY(fts_table_get(c->db, c->database, c->table, op, &c->x));
        IO_TRY(fts_flush_run(c->x, op, FTS_FLUSH_PENDING));
        c->flushed = true;
    }
    IO_TRY(fts_vocab_next(c, op));
    c->filtering = false;
    return IO_DONE;
}

bool fts_vocab_eof(const struct fts_vocab_cursor *c) { return c->eof; }
s64 fts_vocab_rowid(const struct fts_vocab_cursor *c) { return c->number; }

// What was not counted is NULL.
static void count_set(struct value *out, u64 count)
{
    if (count) value_set_integer(out, (s64)count);
}

static bool text_set(struct value *out, const void *bytes, u32 size) { return value_set_text(out, bytes, size) == ERR_OK; }

io_status fts_vocab_column_get(struct fts_vocab_cursor *c, struct op *op, u32 column, struct value *out)
{
    const struct fts_config *config = c->table->fts;
    u64 position = c->position < c->position_count ? c->positions[c->position] : 0;
    bool ok = true;
    value_set_null(out);
    if (column == 0) {
        ok = text_set(out, c->term.data + 1, c->term.size - 1);
    } else if (c->vocab->kind == FTS_VOCAB_ROW) {
        count_set(out, column == 1 ? c->rows : c->tokens);
    } else if (c->vocab->kind == FTS_VOCAB_COLUMN) {
        if (column == 1) {
            const char *name = config->columns[c->column];
            if (config->detail != FTS_DETAIL_NONE) ok = text_set(out, name, (u32)strlen(name));
        } else {
            count_set(out, (column == 2 ? c->column_rows : c->column_tokens)[c->column]);
        }
    } else if (column == 1) {
        value_set_integer(out, c->rowid);
    } else if (column == 2) {
        const char *name = config->columns[position >> 32];
        if (config->detail != FTS_DETAIL_NONE) ok = text_set(out, name, (u32)strlen(name));
    } else if (config->detail == FTS_DETAIL_FULL) {
        value_set_integer(out, (s64)(position & UINT32_MAX));
    }
    return ok ? IO_DONE : fts_no_memory(op);
}
