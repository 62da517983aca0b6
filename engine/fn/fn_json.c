// JSON functions that make and read documents.
#include "json.h"

#include <math.h>

#define ARGUMENTS struct function_context *ctx, u32 argc, const struct value **argv

enum { USER_JSONB = 1, USER_ARROW = 2, USER_ARROW2 = 4 };

// ---- shared with the other JSON files ------------------------------------------------------------------

#define KEPT_SIZE_MAX 16384u

struct json_kept {
    u8 *text;
    u32 text_size, text_capacity;
    u32 lent; // documents that borrow the blob: it stays as it is meanwhile
    bool json5;
    struct text_buffer blob; // empty: the text was looked into `scans` times, and is plain JSON
    u32 scans;
};

void function_document_free(struct function_context *ctx)
{
    if (!ctx->document) return;
    free(ctx->document->text);
    text_buffer_deinit(&ctx->document->blob);
    free(ctx->document);
    ctx->document = NULL;
}

static bool kept_is(const struct json_kept *k, const u8 *text, u32 size)
{
    return k && size && k->text_size == size && memcmp(k->text, text, size) == 0;
}

static bool kept_borrow(struct function_context *ctx, const u8 *text, u32 size, struct json_document *d)
{
    struct json_kept *k = ctx->document;
    if (!kept_is(k, text, size) || !k->blob.size) return false;
    d->parse.json5 = k->json5;
    d->view = (struct json_view){k->blob.bytes, (u32)k->blob.size};
    d->keeper = ctx;
    d->lent = true;
    k->lent++;
    return true;
}

// A text to keep; NULL: it cannot be now.
static struct json_kept *kept_text_set(struct function_context *ctx, const u8 *text, u32 size)
{
    struct json_kept *k = ctx->document;
    if (!k) k = ctx->document = calloc(1, sizeof *k);
    if (!k || k->lent) return NULL;
    if (k->text_capacity < size) {
        u8 *grown = realloc(k->text, size * 2);
        if (!grown) return NULL;
        k->text = grown;
        k->text_capacity = size * 2;
    }
    memcpy(k->text, text, size);
    k->text_size = size;
    return k;
}

// The room of the kept blob, for one that is to be kept in its place.
static struct text_buffer kept_room_take(struct function_context *ctx)
{
    struct text_buffer room = {0};
    struct json_kept *k = ctx->document;
    if (!k || k->lent) return room;
    room = k->blob;
    k->blob = (struct text_buffer){0};
    k->text_size = 0;
    return room;
}

// The document's text and blob become the kept ones, whose memory the document takes to free.
static void kept_set(struct json_document *d)
{
    struct json_kept *k = kept_text_set(d->keeper, d->text, d->text_size);
    if (!k) return;
    k->json5 = d->parse.json5;
    struct text_buffer blob = k->blob;
    k->blob = d->parse.blob;
    d->parse.blob = blob;
}

enum json_argument json_document_open(struct function_context *ctx, const struct value *v, struct json_document *d)
{
    *d = (struct json_document){.scratch = {.type = VALUE_NULL}};
    if (v->type == VALUE_NULL) return JSON_ARGUMENT_NULL;
    if (json_is_blob(v, &d->view)) return JSON_ARGUMENT_OK;
    u32 size;
    const u8 *text = function_text(ctx, v, &d->scratch, &size);
    if (!text) return JSON_ARGUMENT_FAILED;
    if (kept_borrow(ctx, text, size, d)) return JSON_ARGUMENT_OK;
    bool keeps = ctx->keeps_document && size <= KEPT_SIZE_MAX;
    if (keeps) d->parse.blob = kept_room_take(ctx);
    json_parse_text(&d->parse, text, size);
    if (d->parse.blob.failed != ERR_OK) {
        result_nomem(ctx);
        return JSON_ARGUMENT_FAILED;
    }
    if (d->parse.failed) return JSON_ARGUMENT_MALFORMED;
    d->view = (struct json_view){d->parse.blob.bytes, (u32)d->parse.blob.size};
    d->text = text;
    d->text_size = size;
    if (keeps) d->keeper = ctx;
    return JSON_ARGUMENT_OK;
}

void json_document_close(struct json_document *d)
{
    if (d->lent)
        d->keeper->document->lent--;
    else if (d->keeper)
        kept_set(d);
    text_buffer_deinit(&d->parse.blob);
    value_deinit(&d->scratch);
}

// Most functions: NULL gives NULL and what is malformed an error.
static bool document_open(struct function_context *ctx, const struct value *v, struct json_document *d)
{
    enum json_argument a = json_document_open(ctx, v, d);
    if (a == JSON_ARGUMENT_MALFORMED) result_error(ctx, "malformed JSON");
    if (a != JSON_ARGUMENT_OK) json_document_close(d);
    return a == JSON_ARGUMENT_OK;
}

void json_result_error(struct function_context *ctx, enum json_status status, const u8 *path, u32 path_size)
{
    switch (status) {
    case JSON_FOUND:
    case JSON_MISSING: return;
    case JSON_MALFORMED: result_error(ctx, "malformed JSON"); return;
    case JSON_TOO_DEEP: result_error(ctx, "JSON nested too deep"); return;
    case JSON_PATH_ERROR: break;
    }
    struct value v;
    struct text_buffer b = {0};
    value_init(&v);
    value_borrow_text(&v, path, path_size);
    text_append_quoted(&b, &v, false);
    result_error(ctx, "bad JSON path: %.*s", (int)b.size, (const char *)b.bytes);
    text_buffer_deinit(&b);
}

static bool text_value(struct function_context *ctx, const u8 *z, u32 size, enum json_type type)
{
    struct text_buffer b = {0};
    const u8 *end = z + size;
    if (type == JSON_TEXT || type == JSON_TEXTRAW) {
        result_text(ctx, z, size);
        return true;
    }
    while (z < end) {
        const u8 *slash = memchr(z, '\\', (size_t)(end - z));
        if (!slash) slash = end;
        text_append(&b, z, (size_t)(slash - z));
        z = slash;
        if (z == end) break;
        u32 c = json_unescape(&z, end);
        u8 bytes[4];
        if (c != JSON_NO_CHARACTER) text_append(&b, bytes, utf8_write(bytes, c));
    }
    result_text_buffer(ctx, &b);
    return true;
}

static bool integer_value(struct function_context *ctx, const u8 *z, u32 size)
{
    bool negative = size && z[0] == '-';
    if (size - negative > 2 && z[negative] == '0' && (z[negative + 1] | 0x20) == 'x') {
        u64 v = 0;
        for (u32 i = negative + 2u; i < size; i++) {
            s32 h = hex_digit(z[i]);
            if (h < 0) return false;
            if (v >> 60) return false; // more than 64 bits
            v = v << 4 | (u32)h;
        }
        if (v > INT64_MAX) {
            result_real(ctx, negative ? -(double)v : (double)v);
        } else {
            result_integer(ctx, negative ? -(s64)v : (s64)v);
        }
        return true;
    }
    struct number_text n = number_parse(z, size);
    if (n.kind == NUMBER_NONE || !n.whole) return false;
    if (n.kind == NUMBER_INTEGER) {
        result_integer(ctx, n.integer);
    } else {
        result_real(ctx, n.real);
    }
    return true;
}

// Of no array or object; false: it is malformed.
static bool scalar_value(struct function_context *ctx, enum json_type type, const u8 *payload, u32 size)
{
    switch (type) {
    case JSON_NULL: result_null(ctx); return true;
    case JSON_TRUE: result_integer(ctx, 1); return true;
    case JSON_FALSE: result_integer(ctx, 0); return true;
    case JSON_INT:
    case JSON_INT5: return size && integer_value(ctx, payload, size);
    case JSON_FLOAT:
    case JSON_FLOAT5: {
        struct number_text n = number_parse(payload, size);
        if (n.kind == NUMBER_NONE || !n.whole) return false;
        result_real(ctx, n.real);
        return true;
    }
    case JSON_TEXT:
    case JSON_TEXTJ:
    case JSON_TEXT5:
    case JSON_TEXTRAW: return text_value(ctx, payload, size, type);
    case JSON_ARRAY:
    case JSON_OBJECT: break;
    }
    return false;
}

bool json_element_value(struct function_context *ctx, struct json_view v, u32 at, bool as_blob)
{
    struct json_element e;
    if (!json_element_read(v, at, v.size, &e)) goto malformed;
    if (e.type < JSON_ARRAY) {
        if (!scalar_value(ctx, e.type, v.bytes + e.payload, e.end - e.payload)) goto malformed;
        return true;
    }
    if (as_blob) {
        result_blob(ctx, v.bytes + at, e.end - at);
        return true;
    }
    struct text_buffer b = {0};
    enum json_status status = json_render(v, at, &b);
    if (status != JSON_FOUND) {
        text_buffer_deinit(&b);
        json_result_error(ctx, status, NULL, 0);
        return false;
    }
    result_text_buffer(ctx, &b);
    return !ctx->failed;
malformed:
    result_error(ctx, "malformed JSON");
    return false;
}

void json_span_value(struct function_context *ctx, const struct json_span *e, bool as_blob, bool as_json)
{
    if (e->type >= JSON_ARRAY) {
        struct json_parse p = {0};
        json_parse_text(&p, e->bytes, e->size);
        if (as_blob) {
            result_blob_buffer(ctx, &p.blob);
            return;
        }
        struct text_buffer text = {.failed = p.blob.failed};
        if (text.failed == ERR_OK) (void)json_render((struct json_view){p.blob.bytes, (u32)p.blob.size}, 0, &text);
        text_buffer_deinit(&p.blob);
        result_text_buffer(ctx, &text);
    } else if (as_json) {
        result_text(ctx, e->bytes, e->size);
    } else {
        u32 quote = e->type >= JSON_TEXT;
        (void)scalar_value(ctx, e->type, e->bytes + quote, e->size - 2 * quote);
    }
}

static void append_real(struct text_buffer *out, double r)
{
    char text[32];
    if (isinf(r)) {
        text_append_string(out, r < 0 ? "-9.0e+999" : "9.0e+999");
    } else {
        text_append(out, text, real_to_text(r, text));
    }
}

bool json_append_value(struct function_context *ctx, struct text_buffer *out, const struct value *v)
{
    struct json_view view;
    switch ((enum value_type)v->type) {
    case VALUE_NULL: text_append(out, "null", 4); return true;
    case VALUE_INTEGER: text_append_value(out, v, 0); return true;
    case VALUE_REAL: append_real(out, v->real); return true;
    case VALUE_TEXT:
        if (v->flags & VALUE_SUBTYPE && v->subtype == JSON_SUBTYPE) {
            text_append(out, v->bytes, v->size);
        } else {
            json_append_string(out, v->bytes, v->size);
        }
        return true;
    case VALUE_BLOB: break;
    }
    if (!json_is_blob(v, &view)) {
        result_error(ctx, "JSON cannot hold BLOB values");
        return false;
    }
    enum json_status status = json_render(view, 0, out);
    json_result_error(ctx, status, NULL, 0);
    return status == JSON_FOUND;
}

bool json_value_element(struct function_context *ctx, const struct value *v, struct text_buffer *out)
{
    struct json_view view;
    char text[32];
    switch ((enum value_type)v->type) {
    case VALUE_NULL: json_append_element(out, JSON_NULL, NULL, 0); return true;
    case VALUE_INTEGER: json_append_element(out, JSON_INT, text, integer_to_text(v->integer, text)); return true;
    case VALUE_REAL:
        if (isinf(v->real)) {
            const char *infinity = v->real < 0 ? "-9e999" : "9e999";
            json_append_element(out, JSON_FLOAT, infinity, (u32)strlen(infinity));
        } else {
            json_append_element(out, JSON_FLOAT, text, real_to_text(v->real, text));
        }
        return true;
    case VALUE_TEXT:
        if (v->flags & VALUE_SUBTYPE && v->subtype == JSON_SUBTYPE) {
            struct json_parse p = {0};
            json_parse_text(&p, v->bytes, v->size);
            if (!p.failed) text_append(out, p.blob.bytes, p.blob.size);
            text_buffer_deinit(&p.blob);
            if (p.failed) result_error(ctx, "malformed JSON");
            return !p.failed;
        }
        json_append_element(out, JSON_TEXTRAW, v->bytes, v->size);
        return true;
    case VALUE_BLOB: break;
    }
    if (!json_is_blob(v, &view)) {
        result_error(ctx, "JSON cannot hold BLOB values");
        return false;
    }
    text_append(out, view.bytes, view.size);
    return true;
}

// JSON text that was put together becomes the result: as text with the subtype, or as JSONB.
static void result_json(struct function_context *ctx, struct text_buffer *b)
{
    if (!(ctx->def->user & USER_JSONB)) {
        result_text_buffer(ctx, b);
        if (!ctx->failed) result_subtype(ctx, JSON_SUBTYPE);
        return;
    }
    struct json_parse p = {0};
    if (b->failed == ERR_OK) {
        json_parse_text(&p, b->bytes, (u32)b->size);
    } else {
        p.blob.failed = b->failed;
    }
    result_blob_buffer(ctx, &p.blob);
    text_buffer_deinit(b);
}

// ---- making ----------------------------------------------------------------------------------------------

static void json_quote_fn(ARGUMENTS)
{
    struct text_buffer b = {0};
    if (json_append_value(ctx, &b, argv[0])) {
        result_text_buffer(ctx, &b);
        result_subtype(ctx, JSON_SUBTYPE);
    }
    text_buffer_deinit(&b);
}

static void json_array_fn(ARGUMENTS)
{
    struct text_buffer b = {0};
    text_append_char(&b, '[');
    for (u32 i = 0; i < argc; i++) {
        if (i) text_append_char(&b, ',');
        if (!json_append_value(ctx, &b, argv[i])) {
            text_buffer_deinit(&b);
            return;
        }
    }
    text_append_char(&b, ']');
    result_json(ctx, &b);
    if (!ctx->failed) result_subtype(ctx, JSON_SUBTYPE); // JSONB has it too: CAST AS TEXT keeps it
}

static void json_object_fn(ARGUMENTS)
{
    if (argc % 2) {
        result_error(ctx, "json_object() requires an even number of arguments");
        return;
    }
    for (u32 i = 0; i < argc; i += 2) {
        if (argv[i]->type == VALUE_TEXT) continue;
        result_error(ctx, "json_object() labels must be TEXT"); // before any value that JSON cannot hold is told
        return;
    }
    struct text_buffer b = {0};
    text_append_char(&b, '{');
    for (u32 i = 0; i < argc; i += 2) {
        if (i) text_append_char(&b, ',');
        json_append_string(&b, argv[i]->bytes, argv[i]->size);
        text_append_char(&b, ':');
        if (!json_append_value(ctx, &b, argv[i + 1])) {
            text_buffer_deinit(&b);
            return;
        }
    }
    text_append_char(&b, '}');
    result_json(ctx, &b);
    if (!ctx->failed) result_subtype(ctx, JSON_SUBTYPE);
}

// ---- reading ---------------------------------------------------------------------------------------------

// The element of the document in argv[0] that the path in argv[1], if there is one, leads to. False: there is none, or an
// error; the document is closed then.
static bool element_open(ARGUMENTS, struct json_document *d, u32 *at)
{
    struct value scratch = {.type = VALUE_NULL};
    enum json_status status = JSON_FOUND;
    *at = 0;
    if (!document_open(ctx, argv[0], d)) return false;
    if (argc == 2) {
        u32 label, size;
        const u8 *path = function_text(ctx, argv[1], &scratch, &size);
        if (path) {
            size = text_length(path, size);
            status = size && path[0] == '$' ? json_lookup(d->view, path + 1, size - 1, at, &label) : JSON_PATH_ERROR;
            if (status != JSON_FOUND) json_result_error(ctx, status, path, size);
        } else {
            status = JSON_MISSING;
        }
    }
    value_deinit(&scratch);
    if (status != JSON_FOUND) json_document_close(d);
    return status == JSON_FOUND;
}

static void json_array_length_fn(ARGUMENTS)
{
    struct json_document d;
    struct json_element e, child;
    u32 at;
    s64 count = 0;
    if (!element_open(ctx, argc, argv, &d, &at)) return;
    if (json_element_read(d.view, at, d.view.size, &e) && e.type == JSON_ARRAY)
        for (u32 j = e.payload; j < e.end; j = child.end) {
            count++; // also what is malformed, which ends it
            if (!json_element_read(d.view, j, e.end, &child)) break;
        }
    result_integer(ctx, count);
    json_document_close(&d);
}

static bool all_word(const u8 *z, u32 size)
{
    for (u32 i = 0; i < size; i++) {
        if (!is_digit(z[i]) && (u8)((z[i] | 0x20) - 'a') >= 26 && z[i] != '_') return false;
    }
    return true;
}

// The path of -> and ->>: a number is an index, a plain word a label.
static void arrow_path(struct text_buffer *b, const struct value *v, const u8 *z, u32 size)
{
    if (v->type == VALUE_INTEGER) {
        text_append_char(b, '[');
        if (z[0] == '-') text_append_char(b, '#');
        text_append(b, z, size);
        text_append_char(b, ']');
    } else if (all_word(z, size)) {
        text_append_char(b, '.');
        text_append(b, z, size);
    } else if (z[0] == '[' && size >= 3 && z[size - 1] == ']') {
        text_append(b, z, size);
    } else {
        text_append(b, ".\"", 2);
        text_append(b, z, size);
        text_append_char(b, '"');
    }
}

static enum json_status extract_lookup(struct function_context *ctx, struct json_view v, const struct value *path,
                                       const u8 *z, u32 size, u32 *at)
{
    u32 label;
    if (size && z[0] == '$') return json_lookup(v, z + 1, size - 1, at, &label);
    if (!(ctx->def->user & (USER_ARROW | USER_ARROW2))) return JSON_PATH_ERROR;
    struct text_buffer b = {0};
    arrow_path(&b, path, z, size);
    enum json_status status = b.failed != ERR_OK ? JSON_PATH_ERROR : json_lookup(v, b.bytes, (u32)b.size, at, &label);
    text_buffer_deinit(&b);
    return status;
}

// What a path leads to in a text that was not parsed yet is looked for in the text itself, twice: who asks more often has
// it parsed. False: that is how it has to be done.
static bool extract_from_text(struct function_context *ctx, const struct value *v, const struct value *path)
{
    struct json_step steps[JSON_STEPS_MAX];
    struct json_span found;
    s32 count;
    bool arrow = ctx->def->user & (USER_ARROW | USER_ARROW2);
    if (v->type != VALUE_TEXT || !(v->flags & VALUE_TERMINATED) || v->size == 0 || !ctx->keeps_document) return false;
    if (path->type == VALUE_TEXT && path->size && path->bytes[0] == '$') {
        count = json_path_steps(path->bytes + 1, text_length(path->bytes, path->size) - 1, steps);
    } else if (path->type == VALUE_TEXT && arrow && path->size && all_word(path->bytes, path->size)) {
        count = 1;
        steps[0] = (struct json_step){.key = true, .label = path->bytes, .label_size = path->size};
    } else if (path->type == VALUE_INTEGER && arrow && path->integer == (s64)(u32)path->integer) {
        count = 1;
        steps[0] = (struct json_step){.index = (u32)path->integer};
    } else {
        return false;
    }
    if (count < 0) return false;
    struct json_kept *k = ctx->document;
    bool known = kept_is(k, v->bytes, v->size);
    if (known && (k->blob.size || ++k->scans > 2)) return false;
    enum json_scan_result result = json_scan(v->bytes, v->size, known, steps, (u32)count, &found);
    if (result == JSON_SCAN_UNSURE) return false;
    if (!known && v->size <= KEPT_SIZE_MAX) {
        k = kept_text_set(ctx, v->bytes, v->size);
        if (k) {
            k->scans = 1;
            k->json5 = false;
            k->blob.size = 0;
        }
    }
    if (result == JSON_SCAN_MISSING) return true;
    u32 user = ctx->def->user;
    bool as_json = user & USER_ARROW || (found.type >= JSON_ARRAY && !(user & (USER_JSONB | USER_ARROW2)));
    json_span_value(ctx, &found, user & USER_JSONB, user & USER_ARROW);
    if (as_json && !ctx->failed) result_subtype(ctx, JSON_SUBTYPE);
    return true;
}

static void json_extract_fn(ARGUMENTS)
{
    if (argc == 2 && extract_from_text(ctx, argv[0], argv[1])) return;

    struct json_document d;
    struct value scratch = {.type = VALUE_NULL};
    struct text_buffer b = {0};
    if (argc < 2 || !document_open(ctx, argv[0], &d)) return;
    if (argc > 2) text_append_char(&b, '[');
    for (u32 i = 1; i < argc; i++) {
        u32 size, at;
        const u8 *path = function_text(ctx, argv[i], &scratch, &size);
        if (!path) goto done;
        size = text_length(path, size);
        enum json_status status = extract_lookup(ctx, d.view, argv[i], path, size, &at);
        if (status != JSON_FOUND && status != JSON_MISSING) {
            json_result_error(ctx, status, path, size);
            goto done;
        }
        if (argc > 2) {
            if (i > 1) text_append_char(&b, ',');
            if (status == JSON_FOUND) {
                status = json_render(d.view, at, &b);
                if (status != JSON_FOUND) {
                    json_result_error(ctx, status, path, size);
                    goto done;
                }
            } else {
                text_append(&b, "null", 4);
            }
            continue;
        }
        if (status == JSON_MISSING) goto done;
        if (ctx->def->user & USER_ARROW) {
            status = json_render(d.view, at, &b);
            if (status == JSON_FOUND) {
                result_text_buffer(ctx, &b);
                result_subtype(ctx, JSON_SUBTYPE);
            } else {
                json_result_error(ctx, status, path, size);
            }
        } else if (json_element_value(ctx, d.view, at, ctx->def->user & USER_JSONB)) {
            bool container = (d.view.bytes[at] & 15) >= JSON_ARRAY;
            if (container && !(ctx->def->user & (USER_JSONB | USER_ARROW2))) result_subtype(ctx, JSON_SUBTYPE);
        }
        goto done;
    }
    text_append_char(&b, ']');
    result_json(ctx, &b);
done:
    text_buffer_deinit(&b);
    value_deinit(&scratch);
    json_document_close(&d);
}

static void json_type_fn(ARGUMENTS)
{
    struct json_document d;
    u32 at;
    if (!element_open(ctx, argc, argv, &d, &at)) return;
    const char *name = json_type_name(d.view.bytes[at] & 15);
    result_text(ctx, name, strlen(name));
    json_document_close(&d);
}

static void json_pretty_fn(ARGUMENTS)
{
    struct json_document d;
    struct value scratch = {.type = VALUE_NULL};
    struct text_buffer b = {0};
    u32 indent_size = 4;
    if (!document_open(ctx, argv[0], &d)) return;
    const u8 *indent = argc == 2 ? function_text(ctx, argv[1], &scratch, &indent_size) : NULL;
    if (indent) {
        indent_size = text_length(indent, indent_size);
    } else {
        indent = (const u8 *)"    ";
        indent_size = 4;
    }
    if (!ctx->failed) {
        enum json_status status = json_render_pretty(d.view, &b, indent, indent_size);
        if (status == JSON_FOUND) {
            result_text_buffer(ctx, &b);
        } else {
            json_result_error(ctx, status, NULL, 0);
        }
    }
    text_buffer_deinit(&b);
    value_deinit(&scratch);
    json_document_close(&d);
}

enum { VALID_JSON = 1, VALID_JSON5 = 2, VALID_BLOB = 4, VALID_BLOB_STRICT = 8 };

static void json_valid_fn(ARGUMENTS)
{
    s64 flags = argc == 2 ? function_integer(ctx, argv[1]) : VALID_JSON;
    if (flags < 1 || flags > 15) {
        result_error(ctx, "FLAGS parameter to json_valid() must be between 1 and 15");
        return;
    }
    struct json_view view;
    if (argv[0]->type == VALUE_NULL) return;
    if (json_is_blob(argv[0], &view)) {
        bool valid = flags & VALID_BLOB || (flags & VALID_BLOB_STRICT && json_check(view, 0, view.size, 1) == 0);
        result_integer(ctx, valid);
        return;
    }
    struct json_document d;
    enum json_argument a = flags & (VALID_JSON | VALID_JSON5) ? json_document_open(ctx, argv[0], &d)
                                                              : JSON_ARGUMENT_NULL;
    if (a == JSON_ARGUMENT_NULL) {
        result_integer(ctx, 0);
        return;
    }
    if (a != JSON_ARGUMENT_FAILED) {
        result_integer(ctx, a == JSON_ARGUMENT_OK && (flags & VALID_JSON5 || !d.parse.json5));
    }
    json_document_close(&d);
}

// Where the text stops being JSON, in characters from 1; 0 for a sound one.
static void json_error_position_fn(ARGUMENTS)
{
    struct json_view view;
    if (json_is_blob(argv[0], &view)) {
        result_integer(ctx, json_check(view, 0, view.size, 1));
        return;
    }
    struct json_document d;
    enum json_argument a = json_document_open(ctx, argv[0], &d);
    if (a == JSON_ARGUMENT_OK) result_integer(ctx, 0);
    if (a == JSON_ARGUMENT_MALFORMED) {
        const struct value *v = d.scratch.type == VALUE_NULL ? argv[0] : &d.scratch;
        s64 position = 1;
        for (u32 i = 0; i < d.parse.error_at && i < v->size; i++) position += (v->bytes[i] & 0xc0) != 0x80;
        result_integer(ctx, position);
    }
    json_document_close(&d);
}

#define PURE FN_DETERMINISTIC
#define READS (FN_DETERMINISTIC | FN_READS_SUBTYPE)
#define GIVES (FN_DETERMINISTIC | FN_RESULT_SUBTYPE)
const struct fn_def FN_JSON[] = {
    {"json_quote", 1, READS | GIVES, 0, json_quote_fn},
    {"json_array", -1, READS | GIVES, 0, json_array_fn},
    {"jsonb_array", -1, READS | GIVES, USER_JSONB, json_array_fn},
    {"json_object", -1, READS | GIVES, 0, json_object_fn},
    {"jsonb_object", -1, READS | GIVES, USER_JSONB, json_object_fn},
    {"json_array_length", 1, PURE, 0, json_array_length_fn},
    {"json_array_length", 2, PURE, 0, json_array_length_fn},
    {"json_extract", -1, GIVES, 0, json_extract_fn},
    {"jsonb_extract", -1, PURE, USER_JSONB, json_extract_fn},
    {"->", 2, GIVES, USER_ARROW, json_extract_fn},
    {"->>", 2, PURE, USER_ARROW2, json_extract_fn},
    {"json_type", 1, PURE, 0, json_type_fn},
    {"json_type", 2, PURE, 0, json_type_fn},
    {"json_pretty", 1, PURE, 0, json_pretty_fn},
    {"json_pretty", 2, PURE, 0, json_pretty_fn},
    {"json_valid", 1, PURE, 0, json_valid_fn},
    {"json_valid", 2, PURE, 0, json_valid_fn},
    {"json_error_position", 1, PURE, 0, json_error_position_fn},
    {0},
};
