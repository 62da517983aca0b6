// JSON inside the functions: always JSONB, SQLite's binary form. Text is parsed into it, answers are rendered from
// it, paths are followed and edits are made in it.
//
// An element is a header and its payload. The header's first byte holds the type in its low four bits and in the
// high four the payload's size (0..11), or 12, 13, 14, 15 when the size follows in 1, 2, 4 or 8 bytes. Arrays hold
// their elements one after the other, objects label and value in turn. Numbers and text are kept as they were
// written. Blobs come from anywhere: every size is checked against its surroundings.
#pragma once

#include "fn_internal.h"

enum json_type {
    JSON_NULL, JSON_TRUE, JSON_FALSE,
    JSON_INT, JSON_INT5,     // decimal, hexadecimal
    JSON_FLOAT, JSON_FLOAT5, // JSON5: ".5", "5."
    JSON_TEXT,               // needs no escapes, neither in JSON nor in SQL
    JSON_TEXTJ,              // JSON escapes
    JSON_TEXT5,              // JSON5 escapes
    JSON_TEXTRAW,            // SQL text that may need escapes as JSON
    JSON_ARRAY, JSON_OBJECT,
};
enum { JSON_DEPTH_MAX = 1000, JSON_SUBTYPE = 'J' };

struct json_view {
    const u8 *bytes;
    u32 size;
};
struct json_element {
    enum json_type type;
    u32 at, payload, end; // header, payload and the byte behind it
};
// The element at `at`, which must end at or before `limit`; false when it is malformed.
bool json_element_read_long(struct json_view v, u32 at, u32 limit, struct json_element *e);
static inline bool json_element_read(struct json_view v, u32 at, u32 limit, struct json_element *e)
{
    if (UNLIKELY(at + 1 >= v.size) || v.bytes[at] >> 4 > 12) return json_element_read_long(v, at, limit, e);
    u32 size = v.bytes[at] >> 4, header = size == 12 ? 2 : 1, end = at + header + (size == 12 ? v.bytes[at + 1] : size);
    *e = (struct json_element){.type = v.bytes[at] & 15, .at = at, .payload = at + header, .end = end};
    return end <= MIN(limit, v.size) && e->type <= JSON_OBJECT;
}
const char *json_type_name(enum json_type type);

// Appends an element; bytes may be NULL when payload_size is 0.
void json_append_element(struct text_buffer *b, enum json_type type, const void *payload, u32 payload_size);
// A container: begin gives its place, everything appended until json_container_end is in it.
size_t json_container_begin(struct text_buffer *b, enum json_type type);
void json_container_end(struct text_buffer *b, size_t place);
// Of one that was changed: what is of the same size keeps its header, which may be wider than it need be.
void json_container_end_as(struct text_buffer *b, size_t place, struct json_view v, const struct json_element *before);
// Appends the element v where there was one of place_size bytes. As SQLite does it, its header becomes wider if v then fills the
// place, so that nothing behind it need move.
void json_append_instead(struct text_buffer *b, struct json_view v, u32 place_size);

struct json_parse {
    struct text_buffer blob;
    bool json5;     // it uses what plain JSON does not have
    u32 error_at;   // byte offset, when it failed
    bool failed;
};
// Parses JSON or JSON5 up to the first NUL. *p is zero or was parsed into before: the room of its blob is used again, which is the
// caller's to free.
void json_parse_text(struct json_parse *p, const u8 *text, u32 size);

enum json_status { JSON_FOUND, JSON_MISSING, JSON_MALFORMED, JSON_PATH_ERROR, JSON_TOO_DEEP };
// Minified text; false when malformed or too deep (*status).
enum json_status json_render(struct json_view v, u32 at, struct text_buffer *out);
enum json_status json_render_pretty(struct json_view v, struct text_buffer *out, const u8 *indent, u32 indent_size);
// Appends SQL text as a JSON string.
void json_append_string(struct text_buffer *out, const u8 *z, u32 size);
// Follows a path behind its '$'. label: place of the label when the element is an object's value, else 0.
enum json_status json_lookup(struct json_view v, const u8 *path, u32 path_size, u32 *at, u32 *label);

// Looking into text without parsing it (json_scan.c).
struct json_step {
    bool key;
    const u8 *label; // of a key
    u32 label_size;
    u32 index;
};
struct json_span { // of an element in the text
    const u8 *bytes;
    u32 size;
    enum json_type type;
};
#define JSON_STEPS_MAX 8u
// The steps of a path behind its '$'; -1 when it has others than plain labels and places, too many, or is none.
s32 json_path_steps(const u8 *path, u32 path_size, struct json_step steps[JSON_STEPS_MAX]);
enum json_scan_result { JSON_SCAN_FOUND, JSON_SCAN_MISSING, JSON_SCAN_UNSURE };
// Finds what the path leads to; text[size] is 0. JSON_SCAN_UNSURE: it is not plain JSON, json_parse_text knows.
// `checked`: it was seen to be plain JSON before.
enum json_scan_result json_scan(const u8 *text, u32 size, bool checked, const struct json_step *steps, u32 step_count,
                                struct json_span *found);

// The elements of an array or object that json_scan found.
struct json_walk {
    const u8 *next, *end;
    bool object, over;
    struct json_span label, value; // a label is without its quotes
};
void json_walk_begin(struct json_walk *w, const struct json_span *container);
void json_walk_next(struct json_walk *w);

enum json_edit { JSON_EDIT_INSERT, JSON_EDIT_REPLACE, JSON_EDIT_SET, JSON_EDIT_REMOVE };
// Writes v with the edit at path made to out. JSON_MISSING: nothing to do, out is unspecified.
enum json_status json_edit(struct json_view v, const u8 *path, u32 path_size, enum json_edit edit,
                           struct json_view value, struct text_buffer *out);
// RFC 7396.
enum json_status json_merge_patch(struct json_view target, struct json_view patch, struct text_buffer *out);
// 0 when every byte is right, else the place of the first wrong one, from 1.
u32 json_check(struct json_view v, u32 at, u32 end, u32 depth);
// Whether a value is a blob that looks like JSONB.
bool json_is_blob(const struct value *v, struct json_view *out);
// One escape, *z at its backslash: moves behind it. JSON_NO_CHARACTER when it is none.
#define JSON_NO_CHARACTER 0x99999u
u32 json_unescape(const u8 **z, const u8 *end);

// ---- arguments and results of the functions (fn_json.c) ------------------------------------------------

// A document argument, parsed or borrowed.
struct json_document {
    struct json_view view;
    struct json_parse parse;
    struct value scratch;
    const u8 *text; // what was parsed
    u32 text_size;
    struct function_context *keeper; // takes the parsed form when the document is closed, or has lent it
    bool lent;
};
enum json_argument { JSON_ARGUMENT_OK, JSON_ARGUMENT_NULL, JSON_ARGUMENT_MALFORMED, JSON_ARGUMENT_FAILED };
enum json_argument json_document_open(struct function_context *ctx, const struct value *v, struct json_document *d);
void json_document_close(struct json_document *d);
// The element as an SQL value: containers as JSON text with the subtype, or as JSONB.
bool json_element_value(struct function_context *ctx, struct json_view v, u32 at, bool as_blob);
// The same of an element in the text; `as_json`: as -> gives it.
void json_span_value(struct function_context *ctx, const struct json_span *e, bool as_blob, bool as_json);
void json_result_error(struct function_context *ctx, enum json_status status, const u8 *path, u32 path_size);
// A value inside JSON text; false: *ctx has the error.
bool json_append_value(struct function_context *ctx, struct text_buffer *out, const struct value *v);
bool json_value_element(struct function_context *ctx, const struct value *v, struct text_buffer *out);
