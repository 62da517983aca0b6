// Cursors over full-text tables.
#include "fts_cursor.h"

#include <strings.h>

enum filter_step { FILTER_FLUSH, FILTER_STRUCTURE, FILTER_SETTINGS, FILTER_SORT, FILTER_FIRST };

io_status fts_cursor_open(struct skerry *db, u32 database, const struct table *t, struct op *op, struct fts_cursor **out)
{
    struct fts_table *x;
    IO_TRY(fts_table_get(db, database, t, op, &x));
    struct fts_cursor *c = calloc(1, sizeof *c);
    if (!c) return fts_no_memory(op);
    c->db = db;
    c->id = ++db->fts_cursor_id;
    c->database = database;
    c->table = table_ref((struct table *)(uintptr_t)t);
    c->config = t->fts;
    c->x = x;
    c->eof = true;
    u32 values = t->fts->column_count * 2;
    c->columns = calloc(values + 1, sizeof *c->columns);
    if (!c->columns) {
        table_unref(c->table);
        free(c);
        return fts_no_memory(op);
    }
    for (u32 i = 0; i < values; i++) value_init(&c->columns[i]);
    *out = c;
    return IO_DONE;
}

static void query_drop(struct fts_cursor *c)
{
    fts_ranking_free(&c->ranking);
    fts_expr_free(c->expr);
    c->expr = NULL;
    c->special = false;
    skerry_finalize(c->sorter);
    c->sorter = NULL;
    if (c->scan) fts_sql_give(c->x, c->scan_kind, &c->scan);
    fts_rank_free(&c->rank);
    c->content_ready = c->instances_ready = false;
}

void fts_cursor_close(struct fts_cursor *c)
{
    if (!c) return;
    query_drop(c);
    fts_sql_give(c->x, FTS_SQL_CONTENT_GET, &c->content);
    fts_structure_free(&c->structure);
    fts_reader_free(&c->reader);
    for (u32 i = 0; i < c->config->column_count * 2; i++) value_deinit(&c->columns[i]);
    free(c->columns);
    free(c->sizes);
    free(c->instances);
    table_unref(c->table);
    free(c);
}

// ---- starting ------------------------------------------------------------------------------------------------------------

bool fts_quoted_add(struct fts_buffer *b, const void *text, size_t size)
{
    bool ok = fts_buffer_add(b, "\"", 1);
    for (const char *at = text, *end = at + size; ok && at < end; at++) {
        if (*at == '"') ok = fts_buffer_add(b, "\"", 1);
        ok = ok && fts_buffer_add(b, at, 1);
    }
    return ok && fts_buffer_add(b, "\"", 1);
}

// The tokenizers make nothing of a locale.
static bool query_text(const struct value *v, struct value *scratch, const u8 **text, u32 *size)
{
    struct fts_localized l;
    if (!fts_locale_split(v, &l)) return fts_value_text(v, scratch, text, size);
    *text = l.text;
    *size = l.text_size;
    return true;
}

// "*id", "*reads": what follows a star asks for something inside.
static io_status special_ask(struct fts_cursor *c, struct op *op, const u8 *text, u32 size)
{
    const char *word = (const char *)text + 1, *end = (const char *)text + size;
    while (word < end && *word == ' ') word++;
    int n = 0;
    while (word + n < end && word[n] && word[n] != ' ') n++;
    bool reads = n == 5 && strncasecmp(word, "reads", 5) == 0;
    if (!reads && !(n == 2 && strncasecmp(word, "id", 2) == 0))
        return IO_ERROR(&op->err, ERR_ERROR, "unknown special query: %.*s", n, word);
    c->special = true;
    c->special_answer = reads ? (s64)c->x->reads : c->id;
    return IO_DONE;
}

// One MATCH term alone: a mistake in it is told as its own.
static io_status query_parse_one(struct fts_cursor *c, struct op *op, s32 column, const struct value *argument)
{
    struct value scratch;
    value_init(&scratch);
    const u8 *text;
    u32 size;
    bool ok = query_text(argument, &scratch, &text, &size);
    s32 only = column < (s32)c->config->column_count ? column : -1;
    bool special = ok && size && text[0] == '*';
    io_status status = special ? special_ask(c, op, text, size) : IO_DONE;
    if (ok && !special) c->expr = fts_expr_parse(c->config, only, size ? text : (const u8 *)"", size, &op->err);
    value_deinit(&scratch);
    if (special) return status;
    return !ok ? fts_no_memory(op) : c->expr ? IO_DONE : IO_FAIL;
}

static const u8 *character_end(const u8 *p, const u8 *end)
{
    for (p++; p < end && (*p & 0xc0) == 0x80;) p++;
    return p;
}

// What a pattern asks of the index: the text between its wildcards, each a phrase; without positions in the index every three
// characters in a row of it (trigrams).
static bool pattern_add(struct fts_buffer *out, const u8 *p, const u8 *end, bool glob, bool positions)
{
    const u8 *run[3]; // of the text, where the last three characters begin; with positions the first two stay
    u32 count = 0;
    bool ok = true;
    while (ok) {
        bool over = p >= end || !*p;
        const u8 *next = over ? p : character_end(p, end);
        if (over || (glob ? *p == '*' || *p == '?' || *p == '[' : *p == '%' || *p == '_')) {
            if (positions && count == 3) ok = fts_quoted_add(out, run[0], (size_t)(p - run[0])) && fts_buffer_add(out, " ", 1);
            if (over) break;
            if (*p == '[') {
                if (next < end && *next == '^') next++;
                if (next < end) next++; // ] is one of the set there
                while (next < end && *next != ']') next++;
                if (next < end) next++;
            }
            count = 0;
        } else {
            if (count == 3 && !positions) memmove(run, run + 1, 2 * sizeof run[0]);
            count = MIN(count + 1, 3u);
            run[count - 1] = p;
            if (count == 3 && !positions) ok = fts_quoted_add(out, run[0], (size_t)(next - run[0])) && fts_buffer_add(out, " ", 1);
        }
        p = next;
    }
    return ok;
}

// The term in parentheses, for its column. Patterns that the index cannot help with add nothing.
static bool term_add(struct fts_buffer *out, const struct fts_config *config, s32 match, const u8 *text, u32 size)
{
    s32 column = match & ~(FTS_MATCH_LIKE | FTS_MATCH_GLOB);
    struct fts_buffer pattern = {0};
    bool is_pattern = column != match, positions = config->detail == FTS_DETAIL_FULL;
    bool ok = !is_pattern || pattern_add(&pattern, text, text + size, match & FTS_MATCH_GLOB, positions);
    if (ok && (!is_pattern || pattern.size)) {
        bool all = column >= (s32)config->column_count || (is_pattern && config->detail == FTS_DETAIL_NONE);
        ok = !out->size || fts_buffer_add(out, " AND ", 5);
        if (ok && !all) ok = fts_quoted_add(out, config->columns[column], strlen(config->columns[column])) && fts_buffer_add(out, ":", 1);
        ok = ok && fts_buffer_add(out, "(", 1) &&
             fts_buffer_add(out, is_pattern ? pattern.data : text, is_pattern ? pattern.size : size) && fts_buffer_add(out, ")", 1);
    }
    fts_buffer_free(&pattern);
    return ok;
}

// Several MATCH terms are one query: all of them hold, and FTS5 numbers the phrases of the last one first. c->expr NULL:
// patterns alone, which the index cannot help with.
static io_status query_parse(struct fts_cursor *c, struct op *op, const s32 *matches, u32 count, const struct value *argv)
{
    struct fts_buffer text = {0};
    struct value scratch;
    value_init(&scratch);
    bool ok = true;
    io_status status = IO_DONE;
    for (u32 i = 0; status == IO_DONE && !c->special && i < count; i++) {
        if (matches[i] >= FTS_MATCH_LIKE) continue;
        status = query_parse_one(c, op, matches[i], &argv[i]);
        if (count == 1) break;
        fts_expr_free(c->expr);
        c->expr = NULL;
    }
    for (u32 i = count; ok && status == IO_DONE && !c->expr && !c->special && i-- > 0;) {
        const u8 *one;
        u32 size;
        ok = query_text(&argv[i], &scratch, &one, &size) && term_add(&text, c->config, matches[i], one, size);
    }
    value_deinit(&scratch);
    if (ok && status == IO_DONE && !c->expr && !c->special && text.size) {
        c->expr = fts_expr_parse(c->config, -1, text.data, text.size, &op->err);
        if (!c->expr) status = IO_FAIL;
    }
    fts_buffer_free(&text);
    return ok ? status : fts_no_memory(op);
}

// rank MATCH '...'
static io_status rank_take(struct fts_cursor *c, struct op *op, const struct value *v)
{
    struct value scratch;
    value_init(&scratch);
    const u8 *bytes = NULL;
    u32 size = 0;
    char *text = fts_value_text(v, &scratch, &bytes, &size) ? strndup(bytes ? (const char *)bytes : "", size) : NULL;
    value_deinit(&scratch);
    if (!text) return fts_no_memory(op);
    io_status status = IO_DONE;
    if (!fts_rank_parse(&c->rank, text)) status = IO_ERROR(&op->err, ERR_ERROR, "parse error in rank function: %s", text);
    free(text);
    return status;
}

// An integer that `v` is compared with; false: no row fits. `above`: the bound for > and >= of a real number.
static bool rowid_bound(const struct value *v, bool lower, bool strict, s64 *out)
{
    struct value n;
    value_init(&n);
    bool ok = true;
    s64 i = 0;
    bool exact = true;
    if (v->type == VALUE_NULL) return false;
    if (value_copy(&n, v) == ERR_OK) (void)value_apply_affinity(&n, AFFINITY_NUMERIC);
    if (n.type == VALUE_INTEGER) {
        i = n.integer;
    } else if (n.type == VALUE_REAL) {
        double r = n.real;
        if (r >= 9223372036854775808.0 || r < -9223372036854775808.0) {
            // Beyond all rowids.
            bool high = r > 0;
            ok = lower != high;
            i = lower ? INT64_MIN : INT64_MAX;
            strict = false;
        } else {
            i = (s64)r;
            exact = (double)i == r;
            if (!exact && lower && (double)i < r) i++;
            if (!exact && !lower && (double)i > r) i--;
        }
    } else {
        // Text and blobs are larger than every number.
        ok = !lower;
        i = INT64_MAX;
        strict = false;
    }
    value_deinit(&n);
    if (ok && strict && exact) {
        if (lower ? i == INT64_MAX : i == INT64_MIN) return false;
        i += lower ? 1 : -1;
    }
    *out = i;
    return ok;
}

static bool bounds_set(struct fts_cursor *c, u32 plan, const struct value *argv)
{
    s64 v;
    c->low = INT64_MIN;
    c->high = INT64_MAX;
    if (plan & FTS_PLAN_RANK) argv++;
    for (u32 bit = FTS_PLAN_ROWID_EQ; bit <= FTS_PLAN_ROWID_LT; bit <<= 1) {
        if (!(plan & bit)) continue;
        bool lower = bit & (FTS_PLAN_ROWID_EQ | FTS_PLAN_ROWID_GE | FTS_PLAN_ROWID_GT);
        bool upper = bit & (FTS_PLAN_ROWID_EQ | FTS_PLAN_ROWID_LE | FTS_PLAN_ROWID_LT);
        bool strict = bit & (FTS_PLAN_ROWID_GT | FTS_PLAN_ROWID_LT);
        if (lower) {
            if (!rowid_bound(argv, true, strict, &v)) return false;
            c->low = MAX(c->low, v);
        }
        if (upper) {
            if (!rowid_bound(argv, false, strict, &v)) return false;
            c->high = MIN(c->high, v);
        }
        argv++;
    }
    return c->low <= c->high;
}

static void row_left(struct fts_cursor *c)
{
    c->content_ready = c->instances_ready = false;
    if (c->content && skerry_stmt_busy(c->content)) (void)skerry_reset(c->content);
}

static io_status match_seek(struct fts_cursor *c, struct op *op, s64 from)
{
    bool found;
    s64 rowid = 0;
    IO_TRY(fts_expr_seek(c->expr, op, from, &found, &rowid));
    row_left(c);
    c->eof = !found || rowid > c->high;
    c->rowid = rowid;
    return IO_DONE;
}

static io_status scan_step(struct fts_cursor *c, struct op *op)
{
    const struct fts_config *config = c->config;
    if (!c->scan) {
        if (config->content == FTS_CONTENT_NONE && !config->column_size)
            return IO_ERROR(&op->err, ERR_ERROR, "%s: table does not support scanning", config->name);
        c->scan_kind = config->content == FTS_CONTENT_NONE ? c->down ? FTS_SQL_DOCSIZE_SCAN_DOWN : FTS_SQL_DOCSIZE_SCAN
                                                           : c->down ? FTS_SQL_CONTENT_SCAN_DOWN : FTS_SQL_CONTENT_SCAN;
        IO_TRY(fts_sql_take(c->x, op, c->scan_kind, &c->scan));
        if (skerry_bind_integer(c->scan, 1, c->low) || skerry_bind_integer(c->scan, 2, c->high)) return fts_no_memory(op);
    }
    bool row;
    IO_TRY(fts_content_step(c->x, c->scan, op, &row));
    row_left(c);
    c->eof = !row;
    if (row) c->rowid = value_to_integer(skerry_column(c->scan, 0));
    return IO_DONE;
}

static io_status sorted_step(struct fts_cursor *c, struct op *op)
{
    IO_TRY(fts_sorter_step(c, op));
    row_left(c);
    return IO_DONE;
}

static io_status row_first(struct fts_cursor *c, struct op *op)
{
    if (c->special) {
        c->rowid = 0;
        c->eof = false;
        return IO_DONE;
    }
    if (c->sorter) return sorted_step(c, op);
    return c->expr ? match_seek(c, op, c->low) : scan_step(c, op);
}

io_status fts_cursor_filter(struct fts_cursor *c, struct op *op, u32 plan, const s32 *matches, u32 match_count,
                            const struct value *argv)
{
    const struct value *more = argv + match_count;
    switch ((enum filter_step)c->step) {
    case FILTER_FLUSH:
        IO_TRY(fts_table_get(c->db, c->database, c->table, op, &c->x));
        if (c->x->content_steps) return IO_ERROR(&op->err, ERR_ERROR, "recursively defined fts5 content table");
        IO_TRY(fts_flush_run(c->x, op, FTS_FLUSH_PENDING));
        query_drop(c);
        c->eof = true;
        c->step = FILTER_STRUCTURE;
        // fall through
    case FILTER_STRUCTURE:
        IO_TRY(fts_structure_read(c->x, op, &c->reader, &c->structure));
        c->generation = c->x->generation;
        if (!c->x->totals_changed) c->x->totals_known = false; // another connection may have written since
        c->step = FILTER_SETTINGS;
        // fall through
    case FILTER_SETTINGS:
        IO_TRY(fts_settings_read(c->x, op, c->structure.cookie));
        if (!bounds_set(c, plan, more)) {
            c->step = FILTER_FLUSH;
            return IO_DONE;
        }
        if (match_count) {
            io_status status = query_parse(c, op, matches, match_count, argv);
            if (status == IO_DONE && c->expr && plan & FTS_PLAN_RANK) status = rank_take(c, op, more);
            if (status == IO_DONE && c->expr && plan & FTS_PLAN_BY_RANK) status = fts_cursor_rank_find(c, op);
            if (status != IO_DONE) {
                c->step = FILTER_FLUSH;
                return status;
            }
            if (c->expr) fts_expr_open(c->expr, c->x, &c->structure);
        }
        c->down = plan & FTS_PLAN_DOWN;
        c->step = FILTER_SORT;
        // fall through
    case FILTER_SORT:
        if (match_count && plan & (FTS_PLAN_BY_RANK | FTS_PLAN_DOWN) && !c->sorter && !c->special) {
            io_status status = fts_sorter_prepare(c, op, plan, matches, match_count, argv);
            if (status == IO_FAIL) c->step = FILTER_FLUSH;
            IO_TRY(status);
        }
        c->step = FILTER_FIRST;
        // fall through
    case FILTER_FIRST: {
        io_status status = row_first(c, op);
        if (status != IO_WAIT) c->step = FILTER_FLUSH;
        return status;
    }
    }
    return IO_DONE;
}

io_status fts_cursor_next(struct fts_cursor *c, struct op *op)
{
    c->eof |= c->special;
    if (c->special) return IO_DONE;
    if (c->sorter) return sorted_step(c, op);
    if (!c->expr) return scan_step(c, op);
    if (c->rowid == INT64_MAX) {
        c->eof = true;
        return IO_DONE;
    }
    if (c->generation != c->x->generation) {
        // Segments were written or merged meanwhile: the query finds its place in them as they are now.
        IO_TRY(fts_structure_read(c->x, op, &c->reader, &c->structure));
        fts_expr_open(c->expr, c->x, &c->structure);
        c->generation = c->x->generation;
    }
    return match_seek(c, op, c->rowid + 1);
}

bool fts_cursor_eof(const struct fts_cursor *c) { return c->eof; }
s64 fts_cursor_rowid(const struct fts_cursor *c) { return c->rowid; }

// ---- columns -------------------------------------------------------------------------------------------------------------

io_status fts_cursor_content(struct fts_cursor *c, struct op *op)
{
    const struct fts_config *config = c->config;
    if (c->content_ready) return IO_DONE;
    if (config->content == FTS_CONTENT_NONE) {
        for (u32 i = 0; i < config->column_count; i++) value_set_null(&c->columns[i]);
        c->content_ready = true;
        return IO_DONE;
    }
    struct skerry_stmt *s = c->scan;
    if (!s) {
        if (!c->content) IO_TRY(fts_sql_take(c->x, op, FTS_SQL_CONTENT_GET, &c->content));
        s = c->content;
        if (!skerry_stmt_busy(s) && skerry_bind_integer(s, 1, c->rowid)) return fts_no_memory(op);
        bool row;
        IO_TRY(fts_content_step(c->x, s, op, &row));
        if (!row) {
            return IO_ERROR(&op->err, ERR_CORRUPT_VTAB, "fts5: missing row %lld from content table '%s'.'%s'",
                            (long long)c->rowid, c->db->databases[c->database].name, config->content_table);
        }
    }
    u32 count = config->locale ? config->column_count * 2 : config->column_count;
    for (u32 i = 0; i < count; i++)
        if (value_copy(&c->columns[i], skerry_column(s, i + 1)) != ERR_OK) return fts_no_memory(op);
    if (!c->scan) (void)skerry_reset(s);
    c->content_ready = true;
    return IO_DONE;
}

static err_code localized_get(const struct fts_cursor *c, u32 column, bool whole, struct value *out)
{
    const struct value *v = &c->columns[column], *locale = &c->columns[c->config->column_count + column];
    struct fts_localized l;
    if (!whole) return fts_locale_split(v, &l) ? value_set_text(out, l.text, l.text_size) : value_copy(out, v);
    if (locale->type != VALUE_TEXT || !locale->size) return value_copy(out, v);
    struct value scratch;
    value_init(&scratch);
    const u8 *text;
    u32 size;
    u64 all = 0;
    u8 *made = fts_value_text(v, &scratch, &text, &size) ? fts_locale_make(locale->bytes, locale->size, text, size, &all) : NULL;
    err_code code = made ? value_set_blob(out, made, all) : ERR_NOMEM;
    free(made);
    value_deinit(&scratch);
    return code;
}

io_status fts_cursor_column(struct fts_cursor *c, struct op *op, u32 column, bool whole, struct value *out)
{
    const struct fts_config *config = c->config;
    value_set_null(out);
    if (column == config->column_count + 1) {
        if (!c->expr) return IO_DONE;
        if (c->sorter && c->sorter_ranks)
            return value_copy(out, skerry_column(c->sorter, 1)) == ERR_OK ? IO_DONE : fts_no_memory(op);
        return fts_cursor_rank(c, op, out);
    }
    if (column == config->column_count) {
        if (fts_nested(op)) return fts_cursor_instances(c, op, out);
        value_set_integer(out, c->special ? c->special_answer : c->id);
        return IO_DONE;
    }
    if (c->special) return IO_DONE;
    IO_TRY(fts_cursor_content(c, op));
    if (config->locale) return localized_get(c, column, whole, out) == ERR_OK ? IO_DONE : fts_no_memory(op);
    return value_copy(out, &c->columns[column]) == ERR_OK ? IO_DONE : fts_no_memory(op);
}
