// bm25, highlight and snippet.
#include <math.h>
#include <strings.h>

#include "fts_cursor.h"

// ---- where the phrases are -------------------------------------------------------------------------------------------------

static bool instance_add(struct fts_cursor *c, u32 phrase, u32 column, u32 position)
{
    if (c->instance_count == c->instance_capacity) {
        u32 capacity = c->instance_capacity ? c->instance_capacity * 2 : 32;
        struct full_text_instance *grown = realloc(c->instances, capacity * sizeof *grown);
        if (!grown) return false;
        c->instances = grown;
        c->instance_capacity = capacity;
    }
    c->instances[c->instance_count++] = (struct full_text_instance){phrase, column, position};
    return true;
}

static int instance_compare(const void *a, const void *b)
{
    const struct full_text_instance *x = a, *y = b;
    if (x->column != y->column) return x->column < y->column ? -1 : 1;
    if (x->token != y->token) return x->token < y->token ? -1 : 1;
    return x->phrase < y->phrase ? -1 : x->phrase > y->phrase;
}

struct retokenize {
    struct fts_cursor *cursor;
    u32 column, position;
};

static bool retokenize_sink(void *context, const u8 *token, u32 size, u32 begin, u32 end)
{
    struct retokenize *r = context;
    const struct fts_expr *e = r->cursor->expr;
    for (u32 i = 0; i < fts_expr_phrase_count(e); i++)
        if (fts_expr_token_matches(e, i, r->column, r->position, token, size) &&
            !instance_add(r->cursor, i, r->column, r->position))
            return false;
    r->position++;
    return true;
}

// An index without positions: the row's text is looked through.
static io_status instances_from_text(struct fts_cursor *c, struct op *op)
{
    const struct fts_config *config = c->config;
    IO_TRY(fts_cursor_content(c, op));
    struct value scratch;
    value_init(&scratch);
    bool ok = true;
    for (u32 i = 0; ok && i < config->column_count; i++) {
        struct retokenize r = {c, i, 0};
        const u8 *text;
        u32 size;
        // Columns that are not indexed too, as FTS5 does.
        ok = fts_column_text(config, &c->columns[i], &scratch, &text, &size);
        if (ok && text) ok = fts_tokenize(config->tokenizer, text, size, retokenize_sink, &r);
    }
    value_deinit(&scratch);
    return ok ? IO_DONE : fts_no_memory(op);
}

static io_status instances_load(struct fts_cursor *c, struct op *op)
{
    if (c->instances_ready) return IO_DONE;
    c->instance_count = 0;
    if (c->sorter) {
        const struct value *all = skerry_column(c->sorter, 2);
        const struct full_text_instance *from = (const void *)all->bytes;
        for (u32 i = 0; i < all->size / sizeof *from; i++) {
            struct full_text_instance x;
            memcpy(&x, from + i, sizeof x); // the bytes need not be aligned
            if (!instance_add(c, x.phrase, x.column, x.token)) return fts_no_memory(op);
        }
        c->instances_ready = true;
        return IO_DONE;
    }
    if (c->expr && c->config->detail != FTS_DETAIL_FULL) {
        IO_TRY(instances_from_text(c, op));
    } else if (c->expr) {
        IO_TRY(fts_expr_positions_load(c->expr, op));
        for (u32 i = 0; i < fts_expr_phrase_count(c->expr); i++) {
            const u64 *positions;
            u32 count = fts_expr_positions(c->expr, i, &positions);
            for (u32 k = 0; k < count; k++)
                if (!instance_add(c, i, (u32)(positions[k] >> 32), (u32)positions[k])) return fts_no_memory(op);
        }
    }
    if (c->instance_count) qsort(c->instances, c->instance_count, sizeof *c->instances, instance_compare);
    c->instances_ready = true;
    return IO_DONE;
}

io_status fts_cursor_instances(struct fts_cursor *c, struct op *op, struct value *out)
{
    IO_TRY(instances_load(c, op));
    static const struct full_text_instance none = {0};
    const struct full_text_instance *from = c->instances ? c->instances : &none;
    return value_set_blob(out, from, c->instance_count * sizeof *from) == ERR_OK ? IO_DONE : fts_no_memory(op);
}

// ---- bm25 ------------------------------------------------------------------------------------------------------------------

void fts_ranking_free(struct fts_ranking *r)
{
    fts_expr_free(r->counting);
    free(r->weights);
    free(r->rows);
    free(r->sizes);
    *r = (struct fts_ranking){0};
}

// Counts the rows of each phrase, once for a query.
static io_status ranking_prepare(struct fts_cursor *c, struct op *op)
{
    struct fts_ranking *r = &c->ranking;
    if (r->ready) return IO_DONE;
    IO_TRY(fts_totals_read(c->x, op, &c->reader));
    double rows = (double)c->x->totals.rows, tokens = 0;
    for (u32 i = 0; i < c->config->column_count; i++) tokens += (double)c->x->totals.tokens[i];
    u32 count = c->expr ? fts_expr_phrase_count(c->expr) : 0;
    if (!r->weights) r->weights = calloc(count + 1, sizeof *r->weights);
    if (!r->rows) r->rows = calloc(count + 1, sizeof *r->rows);
    if (!r->sizes) r->sizes = calloc(count + 1, sizeof *r->sizes);
    if (!r->weights || !r->rows || !r->sizes) return fts_no_memory(op);
    while (r->phrase < count) {
        if (!r->counting) {
            r->counting = fts_expr_phrase_clone(c->expr, r->phrase);
            if (!r->counting) return fts_no_memory(op);
            fts_expr_open(r->counting, c->x, &c->structure);
            r->counting_from = INT64_MIN;
            r->count = 0;
        }
        for (;;) {
            bool found;
            s64 rowid;
            IO_TRY(fts_expr_seek(r->counting, op, r->counting_from, &found, &rowid));
            if (!found) break;
            r->count++;
            if (rowid == INT64_MAX) break;
            r->counting_from = rowid + 1;
        }
        double hits = (double)r->count, weight = log((rows - hits + 0.5) / (hits + 0.5));
        r->rows[r->phrase] = r->count;
        r->sizes[r->phrase] = fts_expr_phrase_size(c->expr, r->phrase);
        r->weights[r->phrase] = weight > 0 ? weight : 1e-6;
        fts_expr_free(r->counting);
        r->counting = NULL;
        r->phrase++;
    }
    r->average = rows > 0 ? tokens / rows : 0;
    r->ready = true;
    return IO_DONE;
}

static bool count_sink(void *context, const u8 *token, u32 size, u32 begin, u32 end)
{
    ++*(u64 *)context;
    return true;
}

// Tokens in each column of the row, to c->sizes.
static io_status sizes_load(struct fts_cursor *c, struct op *op)
{
    const struct fts_config *config = c->config;
    if (!c->sizes && !(c->sizes = calloc(config->column_count + 1, sizeof *c->sizes))) return fts_no_memory(op);
    if (config->column_size) {
        const u8 *bytes;
        u32 size;
        bool found;
        IO_TRY(fts_block_read(c->x, op, &c->reader, FTS_SHADOW_DOCSIZE, c->rowid, &bytes, &size, &found));
        const u8 *end = bytes + size;
        for (u32 i = 0; i < config->column_count; i++) {
            u64 v = 0;
            u32 n = found ? varint_get_checked(bytes, end, &v) : 0;
            if (found && !n) return fts_corrupt(op, c->x, "the size of a row is damaged");
            bytes += n;
            c->sizes[i] = (s64)v;
        }
        return IO_DONE;
    }
    if (fts_contentless(config)) {
        // Nobody knows; FTS5 takes -1 for each column.
        for (u32 i = 0; i < config->column_count; i++) c->sizes[i] = config->unindexed[i] ? 0 : -1;
        return IO_DONE;
    }
    IO_TRY(fts_cursor_content(c, op));
    struct value scratch;
    value_init(&scratch);
    bool ok = true;
    for (u32 i = 0; ok && i < config->column_count; i++) {
        const u8 *text;
        u32 size;
        u64 tokens = 0;
        if (!config->unindexed[i]) {
            ok = fts_column_text(config, &c->columns[i], &scratch, &text, &size);
            if (ok && text) ok = fts_tokenize(config->tokenizer, text, size, count_sink, &tokens);
        }
        c->sizes[i] = (s64)tokens;
    }
    value_deinit(&scratch);
    return ok ? IO_DONE : fts_no_memory(op);
}

// weights: of the columns, 1.0 for those that are missing.
static io_status bm25(struct fts_cursor *c, struct op *op, const struct value *weights, u32 count, double *out)
{
    const double k1 = 1.2, b = 0.75;
    IO_TRY(ranking_prepare(c, op));
    IO_TRY(sizes_load(c, op));
    IO_TRY(instances_load(c, op));
    double size = 0;
    for (u32 i = 0; i < c->config->column_count; i++) size += (double)c->sizes[i];
    u32 phrases = c->expr ? fts_expr_phrase_count(c->expr) : 0;
    double score = 0, length = c->ranking.average > 0 ? b * size / c->ranking.average : 0; // multiplied first: the last bit hangs on it
    for (u32 p = 0; p < phrases; p++) {
        double frequency = 0;
        for (u32 i = 0; i < c->instance_count; i++) {
            const struct full_text_instance *x = &c->instances[i];
            if (x->phrase == p) frequency += x->column < count ? value_to_real(&weights[x->column]) : 1.0;
        }
        score += c->ranking.weights[p] * (frequency * (k1 + 1.0) / (frequency + k1 * (1 - b + length)));
    }
    *out = -1.0 * score;
    return IO_DONE;
}

// ---- text with marks ---------------------------------------------------------------------------------------------------------

struct span {
    u32 begin, end; // bytes
};
struct spans {
    struct span *items;
    u32 count, capacity;
};

static bool span_sink(void *context, const u8 *token, u32 size, u32 begin, u32 end)
{
    struct spans *s = context;
    if (s->count == s->capacity) {
        u32 capacity = s->capacity ? s->capacity * 2 : 64;
        struct span *grown = realloc(s->items, capacity * sizeof *grown);
        if (!grown) return false;
        s->items = grown;
        s->capacity = capacity;
    }
    s->items[s->count++] = (struct span){begin, end};
    return true;
}

// Runs of tokens that overlapping instances of a column cover, one after another.
struct runs {
    const struct fts_cursor *cursor;
    u32 column, next;
    s64 first, last; // first < 0: no more
};

static void run_next(struct runs *r)
{
    const struct fts_cursor *c = r->cursor;
    r->first = r->last = -1;
    for (; r->next < c->instance_count; r->next++) {
        const struct full_text_instance *i = &c->instances[r->next];
        if (i->column != r->column) continue;
        s64 begin = i->token, last = begin - 1 + fts_expr_phrase_size(c->expr, i->phrase);
        if (r->first < 0) {
            r->first = begin;
            r->last = last;
        } else if (begin <= r->last) {
            r->last = MAX(r->last, last);
        } else {
            break;
        }
    }
}

struct marks {
    const u8 *open, *close, *ellipsis;
    u32 open_size, close_size, ellipsis_size;
};

// The text with its runs marked; of the tokens [from, to] alone when to >= 0.
static bool marked(const u8 *text, const struct spans *tokens, struct runs *r, const struct marks *m, s64 from, s64 to,
                   u32 *copied, struct fts_buffer *out)
{
    bool open = false, ok = true;
    u32 at = 0;
    for (s64 i = 0; ok && i < tokens->count; i++) {
        const struct span *t = &tokens->items[i];
        if (to >= 0) {
            if (i < from || i > to) continue;
            if (from && i == from) at = t->begin;
        }
        if (open && (i <= r->first || r->first < 0) && t->begin > at) {
            ok = fts_buffer_add(out, m->close, m->close_size);
            open = false;
        }
        if (ok && i == r->first && !open) {
            ok = fts_buffer_add(out, text + at, t->begin - at) && fts_buffer_add(out, m->open, m->open_size);
            at = t->begin;
            open = true;
        }
        if (ok && i == r->last) {
            if (!open) ok = fts_buffer_add(out, m->open, m->open_size);
            open = true;
            if (ok && t->end > at) ok = fts_buffer_add(out, text + at, t->end - at);
            at = MAX(at, t->end);
            run_next(r);
        }
        if (ok && i == to) {
            if (open) {
                if (r->first >= 0 && i >= r->first && t->end > at) {
                    ok = fts_buffer_add(out, text + at, t->end - at);
                    at = t->end;
                }
                ok = ok && fts_buffer_add(out, m->close, m->close_size);
                open = false;
            }
            if (ok && t->end > at) ok = fts_buffer_add(out, text + at, t->end - at);
            at = MAX(at, t->end);
        }
    }
    if (ok && open) ok = fts_buffer_add(out, m->close, m->close_size);
    *copied = at;
    return ok;
}

static bool mark_text(const struct value *v, struct value *scratch, const u8 **text, u32 *size)
{
    return fts_value_text(v, scratch, text, size);
}

static io_status highlight(struct fts_cursor *c, struct op *op, const struct value *argv, struct value *out)
{
    s64 column = value_to_integer(&argv[0]);
    if (column < 0 || column >= c->config->column_count)
        return value_set_text(out, "", 0) == ERR_OK ? IO_DONE : fts_no_memory(op);
    IO_TRY(instances_load(c, op));
    IO_TRY(fts_cursor_content(c, op));
    struct value scratch[3];
    for (u32 i = 0; i < 3; i++) value_init(&scratch[i]);
    struct marks m = {0};
    struct spans tokens = {0};
    struct fts_buffer b = {0};
    const u8 *text;
    u32 size, copied;
    bool ok = mark_text(&argv[1], &scratch[0], &m.open, &m.open_size) &&
              mark_text(&argv[2], &scratch[1], &m.close, &m.close_size) &&
              fts_column_text(c->config, &c->columns[column], &scratch[2], &text, &size);
    if (ok && text) {
        struct runs r = {.cursor = c, .column = (u32)column};
        run_next(&r);
        ok = fts_tokenize(c->config->tokenizer, text, size, span_sink, &tokens) &&
             marked(text, &tokens, &r, &m, 0, -1, &copied, &b) && fts_buffer_add(&b, text + copied, size - copied) &&
             value_set_text(out, b.data ? b.data : (const u8 *)"", b.size) == ERR_OK;
    }
    free(tokens.items);
    fts_buffer_free(&b);
    for (u32 i = 0; i < 3; i++) value_deinit(&scratch[i]);
    return ok ? IO_DONE : fts_no_memory(op);
}

// ---- snippets ----------------------------------------------------------------------------------------------------------------

struct best {
    s64 score, column, from, size;
};

// A number of tokens that moves on over a column's text: the instances in it, how often each phrase is among them.
struct stretch {
    const struct fts_cursor *cursor;
    u32 first, end, column_end; // of the instances, which are in the order of their positions
    u32 *counts, distinct;
};

static void stretch_begin(struct stretch *w, const struct fts_cursor *c, u32 column, u32 *counts)
{
    *w = (struct stretch){.cursor = c, .counts = counts};
    memset(counts, 0, fts_expr_phrase_count(c->expr) * sizeof *counts);
    while (w->first < c->instance_count && c->instances[w->first].column < column) w->first++;
    w->end = w->column_end = w->first;
    while (w->column_end < c->instance_count && c->instances[w->column_end].column == column) w->column_end++;
}

// To `count` tokens from `from` on, which is no less than before. How much of the query stands there.
static s64 stretch_move(struct stretch *w, s64 from, s64 count)
{
    const struct full_text_instance *x = w->cursor->instances;
    for (; w->first < w->column_end && x[w->first].token < from; w->first++) {
        if (w->first == w->end)
            w->end++; // it was beyond the end
        else if (!--w->counts[x[w->first].phrase])
            w->distinct--;
    }
    for (; w->end < w->column_end && x[w->end].token < from + count; w->end++)
        if (!w->counts[x[w->end].phrase]++) w->distinct++;
    return (s64)w->distinct * 1000 + (w->end - w->first - w->distinct);
}

// Where those tokens would have the instances in their middle.
static s64 stretch_centre(const struct stretch *w, s64 count, s64 size)
{
    const struct full_text_instance *x = w->cursor->instances;
    s64 first = -1, last = 0;
    if (w->first < w->end) {
        first = x[w->first].token;
        last = (s64)x[w->end - 1].token + fts_expr_phrase_size(w->cursor->expr, x[w->end - 1].phrase);
    }
    s64 at = first - (count - (last - first)) / 2;
    if (at + count > size) at = size - count;
    return MAX(at, 0);
}

// Tokens that begin a sentence: the first, and those behind a full stop or a colon.
static bool begins_sentence(const u8 *text, const struct spans *tokens, u32 i)
{
    if (i == 0) return true;
    s64 at = (s64)tokens->items[i].begin - 1;
    u8 c = 0;
    for (; at >= 0; at--) {
        c = text[at];
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r') break;
    }
    return at != (s64)tokens->items[i].begin - 1 && (c == '.' || c == ':');
}

static void snippet_column(const struct fts_cursor *c, u32 column, const u8 *text, const struct spans *tokens, s64 count,
                           u32 *counts, struct best *best)
{
    s64 size = tokens->count, sentence = -1;
    u32 phrases = fts_expr_phrase_count(c->expr), token = 0;
    struct stretch here, there; // from the instance, and from the sentence before it
    stretch_begin(&here, c, column, counts);
    stretch_begin(&there, c, column, counts + phrases);
    for (u32 i = here.first; i < here.column_end; i++) {
        const struct full_text_instance *x = &c->instances[i];
        s64 score = stretch_move(&here, x->token, count);
        if (score > best->score) *best = (struct best){score, column, stretch_centre(&here, count, size), size};
        if (size <= count) continue;
        for (; token < tokens->count && token <= x->token; token++)
            if (begins_sentence(text, tokens, token)) sentence = token;
        if (sentence < 0 || sentence >= x->token) continue;
        score = stretch_move(&there, sentence, count) + (sentence == 0 ? 120 : 100);
        if (score > best->score) *best = (struct best){score, column, sentence, size};
    }
}

static bool column_tokens(const struct fts_cursor *c, u32 column, struct value *scratch, const u8 **text, u32 *size,
                          struct spans *tokens)
{
    tokens->count = 0;
    return fts_column_text(c->config, &c->columns[column], scratch, text, size) &&
           (!*text || fts_tokenize(c->config->tokenizer, *text, *size, span_sink, tokens));
}

static io_status snippet(struct fts_cursor *c, struct op *op, const struct value *argv, struct value *out)
{
    const struct fts_config *config = c->config;
    s64 only = value_to_integer(&argv[0]), count = value_to_integer(&argv[4]);
    if (only >= config->column_count) return IO_ERROR(&op->err, ERR_RANGE, "%s", err_default_text(ERR_RANGE));
    IO_TRY(instances_load(c, op));
    IO_TRY(fts_cursor_content(c, op));
    struct value scratch[4];
    for (u32 i = 0; i < 4; i++) value_init(&scratch[i]);
    struct marks m = {0};
    struct spans tokens = {0};
    struct fts_buffer b = {0};
    u32 *counts = calloc(c->expr ? 2 * (size_t)fts_expr_phrase_count(c->expr) + 1 : 1, sizeof *counts);
    const u8 *text = NULL;
    u32 size = 0, copied = 0;
    bool ok = counts && mark_text(&argv[1], &scratch[0], &m.open, &m.open_size) &&
              mark_text(&argv[2], &scratch[1], &m.close, &m.close_size) &&
              mark_text(&argv[3], &scratch[2], &m.ellipsis, &m.ellipsis_size);
    struct best best = {.score = 0, .column = only >= 0 ? only : 0};
    for (u32 i = 0; ok && c->expr && i < config->column_count; i++) {
        if (only >= 0 && only != i) continue;
        ok = column_tokens(c, i, &scratch[3], &text, &size, &tokens);
        if (ok && text) snippet_column(c, i, text, &tokens, count, counts, &best);
    }
    bool there = best.column < config->column_count;
    if (ok && there) ok = column_tokens(c, (u32)best.column, &scratch[3], &text, &size, &tokens);
    if (ok && there && text) {
        struct runs r = {.cursor = c, .column = (u32)best.column};
        run_next(&r);
        while (r.first >= 0 && r.first < best.from) run_next(&r);
        s64 to = best.from + count - 1;
        if (best.from > 0) ok = fts_buffer_add(&b, m.ellipsis, m.ellipsis_size);
        ok = ok && marked(text, &tokens, &r, &m, best.from, MAX(to, -1), &copied, &b);
        // No size is kept of a column that is not indexed.
        s64 last = config->unindexed[best.column] ? -1 : (s64)tokens.count - 1;
        if (ok && to >= last)
            ok = fts_buffer_add(&b, text + copied, size - copied);
        else if (ok)
            ok = fts_buffer_add(&b, m.ellipsis, m.ellipsis_size);
        ok = ok && value_set_text(out, b.data ? b.data : (const u8 *)"", b.size) == ERR_OK;
    }
    free(tokens.items);
    free(counts);
    fts_buffer_free(&b);
    for (u32 i = 0; i < 4; i++) value_deinit(&scratch[i]);
    return ok ? IO_DONE : fts_no_memory(op);
}

// ---- functions of the application ----------------------------------------------------------------------------------------------

io_status fts_cursor_row(struct fts_cursor *c, struct op *op, bool columns, struct full_text_row *out)
{
    IO_TRY(ranking_prepare(c, op));
    IO_TRY(sizes_load(c, op));
    IO_TRY(instances_load(c, op));
    if (columns) IO_TRY(fts_cursor_content(c, op));
    *out = (struct full_text_row){.rowid = c->rowid,
                                  .column_count = c->config->column_count,
                                  .phrase_count = c->expr ? fts_expr_phrase_count(c->expr) : 0,
                                  .instance_count = c->instance_count,
                                  .row_count = c->x->totals.rows,
                                  .column_totals = c->x->totals.tokens,
                                  .column_sizes = c->sizes,
                                  .columns = columns ? c->columns : NULL,
                                  .phrase_sizes = c->ranking.sizes,
                                  .phrase_rows = c->ranking.rows,
                                  .instances = c->instances};
    return IO_DONE;
}

// ---- locales -----------------------------------------------------------------------------------------------------------------

static io_status locale_get(struct fts_cursor *c, struct op *op, const struct value *argv, struct value *out)
{
    const struct fts_config *config = c->config;
    struct value column;
    value_init(&column);
    bool ok = value_copy(&column, &argv[0]) == ERR_OK && value_apply_affinity(&column, AFFINITY_NUMERIC) == ERR_OK;
    bool is_integer = column.type == VALUE_INTEGER && argv[0].type != VALUE_REAL; // 1.0 is none, as a text neither
    for (u32 i = 0; argv[0].type == VALUE_TEXT && i < argv[0].size; i++) is_integer &= !strchr(".eE", argv[0].bytes[i]);
    s64 i = is_integer ? column.integer : 0;
    value_deinit(&column);
    if (!ok) return fts_no_memory(op);
    if (!is_integer) return IO_ERROR(&op->err, ERR_ERROR, "non-integer argument passed to function fts5_get_locale()");
    if (i < 0 || i >= config->column_count) return IO_ERROR(&op->err, ERR_RANGE, "%s", err_default_text(ERR_RANGE));
    if (!config->locale || config->unindexed[i] || fts_contentless(config)) return IO_DONE;
    IO_TRY(fts_cursor_content(c, op));
    struct fts_localized l;
    err_code code = fts_locale_split(&c->columns[i], &l) ? value_set_text(out, l.locale, l.locale_size)
                                                         : value_copy(out, &c->columns[config->column_count + i]);
    return code == ERR_OK ? IO_DONE : fts_no_memory(op);
}

// ---- the functions -----------------------------------------------------------------------------------------------------------

static const char *const function_names[] = {"bm25", "highlight", "snippet", "fts5_get_locale"};

bool fts_function_find(const char *name, enum fts_function *out)
{
    for (u32 i = 0; i < COUNT_OF(function_names); i++) {
        if (strcasecmp(name, function_names[i]) != 0) continue;
        *out = (enum fts_function)i;
        return true;
    }
    return false;
}

io_status fts_cursor_function(struct fts_cursor *c, struct op *op, enum fts_function f, const struct value *argv, u32 argc,
                              struct value *out)
{
    value_set_null(out);
    IO_TRY(fts_tokenizer_require(c->config, op));
    switch (f) {
    case FTS_BM25: {
        double score = 0;
        IO_TRY(bm25(c, op, argv, argc, &score));
        value_set_real(out, score);
        return IO_DONE;
    }
    case FTS_HIGHLIGHT:
        if (argc != 3) break;
        return highlight(c, op, argv, out);
    case FTS_SNIPPET:
        if (argc != 5) break;
        return snippet(c, op, argv, out);
    case FTS_GET_LOCALE:
        if (argc != 1) break;
        return locale_get(c, op, argv, out);
    }
    return IO_ERROR(&op->err, ERR_ERROR, "wrong number of arguments to function %s()", function_names[f]);
}
