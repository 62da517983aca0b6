// Table-valued functions: json_each, json_tree and their JSONB forms, generate_series.
#include "json.h"
#include "table_function.h"

static bool no_memory(struct err *err)
{
    err_set(err, ERR_NOMEM, __func__, "out of memory");
    return false;
}

// ---- generate_series -----------------------------------------------------------------------------------

struct series {
    struct table_rows base;
    s64 start, stop, step;
    s64 value;
    u64 left, row; // values after this one; of the row's number
    bool ended;
};

enum { SERIES_VALUE, SERIES_START, SERIES_STOP, SERIES_STEP, SERIES_ARGUMENTS = 3 };

// The integers from *low to *high that compare with v so; a text or blob is behind all of them. False: there are none.
static bool bound_take(const struct value *v, bool is_low, s64 *low, s64 *high)
{
    const double limit = 9223372036854775808.0;
    if (!v || v->type == VALUE_TEXT || v->type == VALUE_BLOB) return true;
    if (v->type == VALUE_NULL) return false;
    if (v->type == VALUE_REAL && (is_low ? v->real < -limit : v->real >= limit)) return true;
    if (v->type == VALUE_REAL && (is_low ? v->real >= limit : v->real < -limit)) return false;
    *(is_low ? low : high) = v->type == VALUE_REAL ? (s64)v->real : v->integer;
    return true;
}

// Leaves out what stands before the first value that is wanted, and behind the last one.
static void series_bound(struct series *s, const struct value *low_bound, const struct value *high_bound)
{
    s64 low = INT64_MIN, high = INT64_MAX;
    if (!bound_take(low_bound, true, &low, &high) || !bound_take(high_bound, false, &low, &high)) s->ended = true;
    if (s->ended) return;
    const bool up = s->step > 0;
    const u64 step = up ? (u64)s->step : -(u64)s->step;
    if (up ? low > s->value : high < s->value) {
        const u64 away = up ? (u64)low - (u64)s->value : (u64)s->value - (u64)high, steps = away / step + (away % step != 0);
        if (steps > s->left) {
            s->ended = true;
            return;
        }
        s->value = (s64)((u64)s->value + steps * (u64)s->step);
        s->left -= steps;
        s->row += steps;
    }
    if (up ? high < s->value : low > s->value) {
        s->ended = true;
        return;
    }
    s->left = MIN(s->left, (up ? (u64)high - (u64)s->value : (u64)s->value - (u64)low) / step);
}

static struct table_rows *series_open(const struct table_function *f, const struct value *const *argv,
                                      struct err *err)
{
    struct series *s = calloc(1, sizeof *s);
    if (!s) {
        no_memory(err);
        return NULL;
    }
    s->base.function = f;
    s->stop = 4294967295;
    s->step = 1;
    for (u32 i = 0; i < SERIES_ARGUMENTS; i++) {
        if (argv[i] && argv[i]->type == VALUE_NULL) s->ended = true;
    }
    if (argv[0]) s->start = value_to_integer(argv[0]);
    if (argv[1]) s->stop = value_to_integer(argv[1]);
    if (argv[2]) s->step = value_to_integer(argv[2]);
    if (s->step == 0) s->step = 1;
    s->value = s->start;
    if (s->step > 0 ? s->start > s->stop : s->start < s->stop) s->ended = true;
    u64 span = s->step > 0 ? (u64)s->stop - (u64)s->start : (u64)s->start - (u64)s->stop;
    s->left = span / (s->step > 0 ? (u64)s->step : -(u64)s->step);
    s->row = 1;
    series_bound(s, argv[SERIES_ARGUMENTS], argv[SERIES_ARGUMENTS + 1]);
    return &s->base;
}

static bool series_next(struct table_rows *r, struct err *err)
{
    struct series *s = (struct series *)r;
    if (s->left == 0) {
        s->ended = true;
        return true;
    }
    s->left--;
    s->row++;
    s->value = (s64)((u64)s->value + (u64)s->step);
    return true;
}

static bool series_eof(const struct table_rows *r)
{
    return ((const struct series *)r)->ended;
}

static bool series_column(struct table_rows *r, u32 column, struct value *out, struct err *err)
{
    const struct series *s = (const struct series *)r;
    switch (column) {
    case SERIES_START: value_set_integer(out, s->start); break;
    case SERIES_STOP: value_set_integer(out, s->stop); break;
    case SERIES_STEP: value_set_integer(out, s->step); break;
    default: value_set_integer(out, s->value); break;
    }
    return true;
}

static s64 series_rowid(const struct table_rows *r)
{
    return (s64)((const struct series *)r)->row;
}

static void series_close(struct table_rows *r)
{
    free(r);
}

// ---- json_each, json_tree --------------------------------------------------------------------------------

enum { EACH_KEY, EACH_VALUE, EACH_TYPE, EACH_ATOM, EACH_ID, EACH_PARENT, EACH_FULLKEY, EACH_PATH, EACH_JSON, EACH_ROOT };

// A container that the current element is in.
struct each_parent {
    u32 head;  // the element with its label
    u32 value; // without
    u32 end;
    s64 index; // of the current element when it is an array
    size_t path_size; // to cut the path back to
};

struct each {
    struct table_rows base;
    struct json_document document;
    struct value input, root;
    bool tree, as_blob;
    bool in_text; // the rows are taken from the text; there is no document
    struct json_walk walk;
    enum json_type container; // that holds the current element: JSON_ARRAY, JSON_OBJECT; JSON_NULL: none
    u32 at, end;              // the current element (its label in an object)
    s64 row;
    u32 depth, depth_capacity;
    struct each_parent *parents;
    struct text_buffer path;
};

static u32 each_skip_label(const struct each *c)
{
    struct json_element e;
    if (c->container == JSON_OBJECT && json_element_read(c->document.view, c->at, c->end, &e)) return e.end;
    return c->at;
}

static void each_close(struct table_rows *r)
{
    struct each *c = (struct each *)r;
    json_document_close(&c->document);
    value_deinit(&c->input);
    value_deinit(&c->root);
    text_buffer_deinit(&c->path);
    free(c->parents);
    free(c);
}

static bool context_failed(struct function_context *ctx, struct err *err)
{
    err_set(err, ctx->code, __func__, "%.*s", (int)ctx->error.size, (const char *)ctx->error.bytes);
    value_deinit(&ctx->error);
    value_deinit(&ctx->result);
    return false;
}

static bool each_parent_push(struct each *c, const struct each_parent *p, struct err *err)
{
    if (c->depth == c->depth_capacity) {
        u32 capacity = c->depth_capacity * 2 + 4;
        struct each_parent *grown = realloc(c->parents, capacity * sizeof *grown);
        if (!grown) return no_memory(err);
        c->parents = grown;
        c->depth_capacity = capacity;
    }
    c->parents[c->depth++] = *p;
    return true;
}

static bool each_fail(struct each *c, struct function_context *ctx, struct err *err)
{
    if (ctx->failed) {
        context_failed(ctx, err);
    } else {
        err_set(err, ERR_ERROR, __func__, "malformed JSON");
    }
    each_close(&c->base);
    return false;
}

// Rows of json_each are taken from the text as it is, when that is plain JSON and the path leads to an array or object.
static bool each_in_text(struct each *c, bool has_root)
{
    struct json_step steps[JSON_STEPS_MAX];
    struct json_span found;
    const struct value *v = &c->input;
    s32 count = 0;
    if (c->tree || v->type != VALUE_TEXT || !v->size) return false;
    if (has_root) {
        if (c->root.type != VALUE_TEXT || !c->root.size || c->root.bytes[0] != '$') return false;
        count = json_path_steps(c->root.bytes + 1, text_length(c->root.bytes, c->root.size) - 1, steps);
        if (count < 0) return false;
    }
    enum json_scan_result result = json_scan(v->bytes, v->size, false, steps, (u32)count, &found);
    c->in_text = result == JSON_SCAN_MISSING || (result == JSON_SCAN_FOUND && found.type >= JSON_ARRAY);
    if (!c->in_text) return false;
    if (result == JSON_SCAN_MISSING)
        c->walk.over = true;
    else
        json_walk_begin(&c->walk, &found);
    if (has_root)
        text_append(&c->path, c->root.bytes, text_length(c->root.bytes, c->root.size));
    else
        text_append_char(&c->path, '$');
    return true;
}

// Sets the cursor to its first row. False: c is closed and *err set.
static bool each_start(struct each *c, bool has_root, struct err *err)
{
    struct function_context ctx = {.result = {.type = VALUE_NULL}, .error = {.type = VALUE_NULL}};
    switch (json_document_open(&ctx, &c->input, &c->document)) {
    case JSON_ARGUMENT_NULL: return true; // at == end: no rows
    case JSON_ARGUMENT_OK: break;
    case JSON_ARGUMENT_MALFORMED:
    case JSON_ARGUMENT_FAILED: return each_fail(c, &ctx, err);
    }
    u32 root = 0, label = 0, size = 1;
    const u8 *path = (const u8 *)"$";
    if (has_root) {
        if (c->root.type == VALUE_NULL) return true;
        if (value_cast(&c->root, AFFINITY_TEXT, 0) != ERR_OK) {
            each_close(&c->base);
            return no_memory(err);
        }
        path = c->root.bytes;
        size = text_length(path, c->root.size);
        enum json_status status = size && path[0] == '$' ? json_lookup(c->document.view, path + 1, size - 1, &root, &label)
                                                         : JSON_PATH_ERROR;
        if (status == JSON_MISSING) return true;
        if (status != JSON_FOUND) {
            json_result_error(&ctx, JSON_PATH_ERROR, path, size);
            return each_fail(c, &ctx, err);
        }
    }
    text_append(&c->path, path, size);
    struct json_element e;
    if (!json_element_read(c->document.view, root, c->document.view.size, &e)) return each_fail(c, &ctx, err);
    c->at = root;
    c->end = e.end;
    if (size > 1) {
        c->container = label ? JSON_OBJECT : JSON_ARRAY;
        if (label) c->at = label;
    }
    if (e.type >= JSON_ARRAY && !c->tree) {
        c->at = e.payload;
        c->container = e.type;
        struct each_parent p = {.head = e.payload, .value = root, .end = e.end};
        if (!each_parent_push(c, &p, err)) {
            each_close(&c->base);
            return false;
        }
    }
    return true;
}

static bool each_fill(struct each *c, const struct value *const *argv, struct err *err)
{
    if ((argv[0] && value_copy(&c->input, argv[0]) != ERR_OK) || (argv[1] && value_copy(&c->root, argv[1]) != ERR_OK)) {
        each_close(&c->base);
        return no_memory(err);
    }
    return each_in_text(c, argv[1] != NULL) || each_start(c, argv[1] != NULL, err);
}

static bool each_again(struct table_rows *r, const struct value *const *argv, struct err *err)
{
    struct each *c = (struct each *)r;
    json_document_close(&c->document);
    c->document = (struct json_document){.scratch = {.type = VALUE_NULL}};
    value_set_null(&c->input);
    value_set_null(&c->root);
    c->container = JSON_NULL;
    c->in_text = false;
    c->at = c->end = c->depth = 0;
    c->row = 0;
    c->path.size = 0;
    c->path.failed = ERR_OK;
    return each_fill(c, argv, err);
}

static struct table_rows *each_open(const struct table_function *f, const struct value *const *argv, struct err *err)
{
    struct each *c = calloc(1, sizeof *c);
    if (!c) {
        no_memory(err);
        return NULL;
    }
    c->base.function = f;
    value_init(&c->input);
    value_init(&c->root);
    value_init(&c->document.scratch);
    c->tree = f->name[strlen(f->name) - 1] == 'e';
    c->as_blob = f->name[4] == 'b';
    return each_fill(c, argv, err) ? &c->base : NULL;
}

static bool each_eof(const struct table_rows *r)
{
    const struct each *c = (const struct each *)r;
    return c->in_text ? c->walk.over : c->at >= c->end;
}

static bool plain_label(const u8 *z, u32 size)
{
    if (size == 0 || (u8)((z[0] | 0x20) - 'a') >= 26) return false;
    for (u32 i = 0; i < size; i++) {
        if (!is_digit(z[i]) && (u8)((z[i] | 0x20) - 'a') >= 26) return false;
    }
    return true;
}

// ".label" or "[3]" of the current element.
static void each_append_name(struct each *c)
{
    char text[40];
    struct json_element e;
    if (c->container == JSON_ARRAY) {
        int n = snprintf(text, sizeof text, "[%lld]", (long long)c->parents[c->depth - 1].index);
        text_append(&c->path, text, (size_t)n);
    } else if (json_element_read(c->document.view, c->at, c->end, &e)) {
        const u8 *label = c->document.view.bytes + e.payload;
        u32 size = e.end - e.payload;
        bool plain = plain_label(label, size);
        text_append_string(&c->path, plain ? "." : ".\"");
        text_append(&c->path, label, size);
        if (!plain) text_append_char(&c->path, '"');
    }
}

static bool malformed(struct err *err)
{
    err_set(err, ERR_ERROR, __func__, "malformed JSON");
    return false;
}

static bool each_next(struct table_rows *r, struct err *err)
{
    struct each *c = (struct each *)r;
    if (c->in_text) {
        c->row++;
        json_walk_next(&c->walk);
        return true;
    }
    struct json_view v = c->document.view;
    struct json_element e;
    u32 value = each_skip_label(c);
    if (!json_element_read(v, value, c->end, &e)) return malformed(err);
    c->row++;
    if (!c->tree) {
        c->at = e.end;
        if (c->container == JSON_ARRAY && c->depth) c->parents[c->depth - 1].index++;
        return true;
    }
    if (e.type >= JSON_ARRAY) {
        if (c->depth > JSON_DEPTH_MAX) return malformed(err);
        struct each_parent p = {.head = c->at, .value = value, .end = e.end, .index = -1, .path_size = c->path.size};
        if (c->container != JSON_NULL && c->depth) each_append_name(c);
        if (!each_parent_push(c, &p, err)) return false;
        c->at = e.payload;
        c->container = e.type;
    } else {
        c->at = e.end;
    }
    while (c->depth && c->at >= c->parents[c->depth - 1].end) {
        c->path.size = c->parents[--c->depth].path_size;
        c->container = JSON_NULL;
        if (c->depth) c->container = v.bytes[c->parents[c->depth - 1].value] & 15;
    }
    if (c->container == JSON_ARRAY && c->depth) c->parents[c->depth - 1].index++;
    return c->path.failed == ERR_OK || no_memory(err);
}

// Size of the path that leads to the parent of the first row of a tree.
static size_t each_path_size(struct each *c)
{
    size_t n = c->path.size;
    if (c->row != 0 || !c->tree || n < 2) return n;
    while (n > 1) {
        n--;
        if (c->path.bytes[n] != '[' && c->path.bytes[n] != '.') continue;
        u32 at, label;
        struct json_element e;
        if (json_lookup(c->document.view, c->path.bytes + 1, (u32)n - 1, &at, &label) != JSON_FOUND) continue;
        if (!json_element_read(c->document.view, at, c->document.view.size, &e)) continue;
        if (e.payload <= c->at && c->at < e.end) break;
    }
    return n;
}

static bool each_set_key(struct each *c, struct function_context *ctx)
{
    if (c->depth) {
        if (c->container == JSON_OBJECT) return json_element_value(ctx, c->document.view, c->at, false);
        result_integer(ctx, c->parents[c->depth - 1].index);
        return true;
    }
    // The root itself: its name is the last step of the path that led there.
    size_t root_size = c->path.size, from = each_path_size(c);
    if (root_size == 1 || from == root_size) return true;
    const u8 *z = c->path.bytes + from;
    size_t n = root_size - from;
    if (z[0] == '[') {
        struct value v;
        value_init(&v);
        value_borrow_text(&v, z + 1, (u32)n - 1);
        result_integer(ctx, value_to_integer(&v));
    } else if (n > 2 && z[1] == '"') {
        result_text(ctx, z + 2, n - 3);
    } else {
        result_text(ctx, z + 1, n - 1);
    }
    return true;
}

// Ids are places in the parsed document: it is made, and gone on with.
static bool each_parse(struct each *c, struct err *err)
{
    struct function_context ctx = {.result = {.type = VALUE_NULL}, .error = {.type = VALUE_NULL}};
    struct json_element e, child;
    u32 root = 0, label = 0;
    bool well = json_document_open(&ctx, &c->input, &c->document) == JSON_ARGUMENT_OK &&
                (c->path.size < 2 || json_lookup(c->document.view, c->path.bytes + 1, (u32)c->path.size - 1, &root, &label) == JSON_FOUND) &&
                json_element_read(c->document.view, root, c->document.view.size, &e);
    if (!well) return ctx.failed ? context_failed(&ctx, err) : malformed(err);
    struct each_parent p = {.head = e.payload, .value = root, .end = e.end, .index = c->row};
    if (!each_parent_push(c, &p, err)) return false;
    c->in_text = false;
    c->at = e.payload;
    c->end = e.end;
    c->container = e.type;
    s64 before = e.type == JSON_OBJECT ? 2 * c->row : c->row;
    for (; before > 0 && json_element_read(c->document.view, c->at, e.end, &child); before--) c->at = child.end;
    return true;
}

// What can be told from the text alone; false: it is another column.
static bool each_text_column(struct each *c, u32 column, struct function_context *ctx)
{
    const struct json_walk *w = &c->walk;
    bool container = w->value.type >= JSON_ARRAY;
    switch (column) {
    case EACH_KEY:
        if (w->object) {
            struct json_span whole = {w->label.bytes - 1, w->label.size + 2, w->label.type};
            json_span_value(ctx, &whole, false, false);
        } else {
            result_integer(ctx, c->row);
        }
        return true;
    case EACH_VALUE:
        json_span_value(ctx, &w->value, c->as_blob, false);
        if (container && !c->as_blob && !ctx->failed) result_subtype(ctx, JSON_SUBTYPE);
        return true;
    case EACH_ATOM:
        if (!container) json_span_value(ctx, &w->value, false, false);
        return true;
    case EACH_TYPE: result_text(ctx, json_type_name(w->value.type), strlen(json_type_name(w->value.type))); return true;
    case EACH_PARENT: return true;
    case EACH_PATH: result_text(ctx, c->path.bytes, c->path.size); return true;
    case EACH_JSON: result_value(ctx, &c->input); return true;
    default: return false;
    }
}

static bool each_column(struct table_rows *r, u32 column, struct value *out, struct err *err)
{
    struct each *c = (struct each *)r;
    struct function_context ctx = {.result = {.type = VALUE_NULL}, .error = {.type = VALUE_NULL}};
    if (c->in_text) {
        if (each_text_column(c, column, &ctx)) goto done;
        if (!each_parse(c, err)) return false;
    }
    struct json_view v = c->document.view;
    u32 value = each_skip_label(c);
    struct json_element e;
    if (!json_element_read(v, value, c->end, &e)) return malformed(err);
    switch (column) {
    case EACH_KEY: each_set_key(c, &ctx); break;
    case EACH_VALUE:
        if (json_element_value(&ctx, v, value, c->as_blob) && e.type >= JSON_ARRAY && !c->as_blob) {
            result_subtype(&ctx, JSON_SUBTYPE);
        }
        break;
    case EACH_TYPE: {
        const char *name = json_type_name(e.type);
        result_text(&ctx, name, strlen(name));
        break;
    }
    case EACH_ATOM:
        if (e.type < JSON_ARRAY) json_element_value(&ctx, v, value, false);
        break;
    case EACH_ID: result_integer(&ctx, c->at); break;
    case EACH_PARENT:
        if (c->depth && c->tree) result_integer(&ctx, c->parents[c->depth - 1].head);
        break;
    case EACH_FULLKEY: {
        size_t size = c->path.size;
        if (c->depth) each_append_name(c);
        result_text(&ctx, c->path.bytes, c->path.size);
        c->path.size = size;
        break;
    }
    case EACH_PATH: result_text(&ctx, c->path.bytes, each_path_size(c)); break;
    case EACH_JSON:
        if (c->input.type == VALUE_BLOB && !c->document.text) { // JSONB
            result_value(&ctx, &c->input);
        } else {
            struct text_buffer text = {0};
            text_append_value(&text, &c->input, 0);
            result_text_buffer(&ctx, &text);
        }
        break;
    case EACH_ROOT:
        if (c->root.type == VALUE_NULL) {
            result_text(&ctx, "$", 1);
        } else {
            result_value(&ctx, &c->root);
        }
        break;
    }
done:
    if (ctx.failed) return context_failed(&ctx, err);
    value_move(out, &ctx.result);
    value_deinit(&ctx.result);
    return true;
}

static s64 each_rowid(const struct table_rows *r)
{
    return ((const struct each *)r)->row;
}

// ---- the table -------------------------------------------------------------------------------------------

static const struct table_function_methods SERIES = {series_open, series_next, series_eof, series_column, series_rowid,
                                                     series_close, NULL};
static const struct table_function_methods EACH = {each_open, each_next, each_eof, each_column, each_rowid, each_close, each_again};

static const char *const SERIES_COLUMNS[] = {"value", "start", "stop", "step"};
static const char *const EACH_COLUMNS[] = {"key", "value", "type", "atom", "id", "parent", "fullkey", "path", "json", "root"};

static const struct table_function FUNCTIONS[] = {
    {"json_each", 10, 2, EACH_COLUMNS, 0, &EACH, .by_rowid = true},
    {"json_tree", 10, 2, EACH_COLUMNS, 0, &EACH, .by_rowid = true},
    {"jsonb_each", 10, 2, EACH_COLUMNS, 0, &EACH, .by_rowid = true},
    {"jsonb_tree", 10, 2, EACH_COLUMNS, 0, &EACH, .by_rowid = true},
    {"generate_series", 4, SERIES_ARGUMENTS, SERIES_COLUMNS, 1, &SERIES, .bounded = true},
};

const struct table_function *table_function_table(u32 index)
{
    return index < COUNT_OF(FUNCTIONS) ? &FUNCTIONS[index] : NULL;
}

const struct table_function *table_function_find(const char *name, size_t size)
{
    for (u32 i = 0; i < COUNT_OF(FUNCTIONS); i++) {
        if (strlen(FUNCTIONS[i].name) == size && strncasecmp(FUNCTIONS[i].name, name, size) == 0) return &FUNCTIONS[i];
    }
    return NULL;
}

static bool arguments_check(const struct table_function *f, const struct value *const *argv, struct err *err)
{
    for (u32 i = 0; i < f->needed_count; i++) {
        if (argv[i]) continue;
        err_set(err, ERR_ERROR, __func__, "first argument to \"%s()\" missing or unusable", f->name);
        return false;
    }
    return true;
}

bool table_rows_open(const struct table_function *f, const struct value *const *argv, struct table_rows **out,
                     struct err *err)
{
    *out = NULL;
    if (!arguments_check(f, argv, err)) return false;
    *out = f->methods->open(f, argv, err);
    return *out != NULL;
}

bool table_rows_again(struct table_rows **rows, const struct value *const *argv, struct err *err)
{
    struct table_rows *r = *rows;
    const struct table_function *f = r->function;
    *rows = NULL;
    if (!f->methods->again) {
        table_rows_close(r);
        return table_rows_open(f, argv, rows, err);
    }
    if (!arguments_check(f, argv, err)) {
        table_rows_close(r);
        return false;
    }
    if (!f->methods->again(r, argv, err)) return false;
    *rows = r;
    return true;
}

bool table_rows_next(struct table_rows *r, struct err *err)
{
    return r->function->methods->next(r, err);
}

bool table_rows_eof(const struct table_rows *r)
{
    return r->function->methods->eof(r);
}

bool table_rows_column(struct table_rows *r, u32 column, struct value *out, struct err *err)
{
    return r->function->methods->column(r, column, out, err);
}

s64 table_rows_rowid(const struct table_rows *r)
{
    return r->function->methods->rowid(r);
}

void table_rows_close(struct table_rows *r)
{
    if (r) r->function->methods->close(r);
}
