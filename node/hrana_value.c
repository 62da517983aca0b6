#include "hrana_value.h"

#include <math.h>
#include <stdarg.h>

void hrana_error_set(struct hrana_error *e, const char *code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(e->text, sizeof e->text, format, args);
    va_end(args);
    e->code = code;
}

void hrana_error_from_db(struct hrana_error *e, const struct skerry *db)
{
    const struct err *err = skerry_error(db);
    const char *text = err->text[0] ? err->text : err_default_text(err->code);
    // Clients know the primary codes. A conflict is told from a lock, since a COMMIT alone would be tried in vain.
    bool conflict = err->code == ERR_BUSY_SNAPSHOT;
    const char *code = err_name(conflict ? err->code : (err_code)err_primary(err->code));
    if (err->code == ERR_ERROR) {
        bool syntax = strstr(text, "syntax error") || strcmp(text, "incomplete input") == 0 ||
                      strncmp(text, "unrecognized token", 18) == 0;
        code = syntax                                    ? "SQL_PARSE_ERROR"
               : strncmp(text, "no such table", 13) == 0 ? "SQLITE_UNKNOWN"
               : err->offset >= 0                        ? "SQL_INPUT_ERROR"
                                                         : "SQLITE_ERROR";
    }
    hrana_error_set(e, code, "%s", text);
}

void hrana_error_write(struct buffer *out, const struct hrana_error *e)
{
    buffer_text(out, "{\"message\":");
    buffer_json_string(out, e->text, strlen(e->text));
    buffer_text(out, ",\"code\":");
    buffer_json_string(out, e->code, strlen(e->code));
    buffer_text(out, "}");
}

static void real_write(struct buffer *out, double r)
{
    // JSON has no infinity; every client's parser reads 1e999 as one.
    if (isinf(r)) {
        buffer_text(out, r > 0 ? "1e999" : "-1e999");
        return;
    }
    char text[40];
    snprintf(text, sizeof text, "%.15g", r);
    if (strtod(text, NULL) != r) snprintf(text, sizeof text, "%.17g", r);
    buffer_text(out, text);
}

static void hrana_value_write(struct buffer *out, const struct value *v)
{
    switch ((enum value_type)v->type) {
    case VALUE_NULL: buffer_text(out, "{\"type\":\"null\"}"); break;
    case VALUE_INTEGER: {
        char digits[24];
        u32 n = integer_to_text(v->integer, digits);
        buffer_text(out, "{\"type\":\"integer\",\"value\":\"");
        buffer_add(out, digits, n);
        buffer_text(out, "\"}");
        break;
    }
    case VALUE_REAL:
        buffer_text(out, "{\"type\":\"float\",\"value\":");
        real_write(out, v->real);
        buffer_text(out, "}");
        break;
    case VALUE_TEXT:
        buffer_text(out, "{\"type\":\"text\",\"value\":");
        buffer_json_string(out, v->bytes, v->size);
        buffer_text(out, "}");
        break;
    case VALUE_BLOB: {
        buffer_text(out, "{\"type\":\"blob\",\"base64\":\"");
        struct value whole;
        value_init(&whole);
        if (v->flags & VALUE_ZERO_TAIL) {
            if (value_copy(&whole, v) != ERR_OK || value_expand(&whole) != ERR_OK)
                out->failed = true;
            else
                buffer_base64(out, whole.bytes, whole.size);
        } else {
            buffer_base64(out, v->bytes, v->size);
        }
        value_deinit(&whole);
        buffer_text(out, "\"}");
        break;
    }
    }
}

// Binds one JSON value; NULL or what is wrong with it.
static const char *value_bind(struct skerry_stmt *stmt, u32 index, const json_t *v)
{
    const char *type = json_string_value(json_object_get(v, "type"));
    const json_t *value = json_object_get(v, "value");
    int rc;
    if (!type) return "a value has no type";
    if (strcmp(type, "null") == 0) {
        rc = skerry_bind_null(stmt, index);
    } else if (strcmp(type, "integer") == 0) {
        const char *text = json_string_value(value);
        char *end = NULL;
        long long i = text ? strtoll(text, &end, 10) : json_integer_value(value);
        if (text ? (!text[0] || *end) : !json_is_integer(value))
            return "an integer's value is a string of digits";
        rc = skerry_bind_integer(stmt, index, i);
    } else if (strcmp(type, "float") == 0) {
        if (!json_is_number(value)) return "a float's value is a number";
        rc = skerry_bind_real(stmt, index, json_number_value(value));
    } else if (strcmp(type, "text") == 0) {
        if (!json_is_string(value)) return "a text's value is a string";
        rc = skerry_bind_text(stmt, index, json_string_value(value), json_string_length(value));
    } else if (strcmp(type, "blob") == 0) {
        const json_t *base64 = json_object_get(v, "base64");
        if (!json_is_string(base64)) return "a blob's base64 is a string";
        size_t size = json_string_length(base64), got = 0;
        u8 *bytes = malloc(size / 4 * 3 + 4);
        if (!bytes) return "out of memory";
        bool good = base64_decode(json_string_value(base64), size, bytes, &got);
        rc = good ? skerry_bind_blob(stmt, index, bytes, got) : 0;
        free(bytes);
        if (!good) return "a blob's base64 is malformed";
    } else {
        return "a value's type is none of null, integer, float, text, blob";
    }
    return rc == SKERRY_OK ? NULL : "a value is too large";
}

static const json_t *named_find(const json_t *named, const char *parameter)
{
    size_t i;
    const json_t *entry;
    json_array_foreach(named, i, entry)
    {
        const char *name = json_string_value(json_object_get(entry, "name"));
        if (name && (strcmp(name, parameter) == 0 || strcmp(name, parameter + 1) == 0))
            return json_object_get(entry, "value");
    }
    return NULL;
}

bool hrana_bind(struct skerry_stmt *stmt, const json_t *statement, struct hrana_error *e)
{
    const json_t *args = json_object_get(statement, "args"),
                 *named = json_object_get(statement, "named_args");
    u32 count = skerry_parameter_count(stmt);
    size_t positional = json_array_size(args);
    if (positional && json_array_size(named)) {
        hrana_error_set(e, "ARGS_BOTH_POSITIONAL_AND_NAMED",
                        "give positional or named arguments, not both");
        return false;
    }
    if (positional > count) {
        hrana_error_set(e, "ARGS_INVALID",
                        "the statement has %u parameters, but %zu arguments were given", count,
                        positional);
        return false;
    }
    for (u32 i = 1; i <= count; i++) {
        const char *name = skerry_parameter_name(stmt, i), *wrong;
        const json_t *v = i <= positional ? json_array_get(args, i - 1)
                          : name          ? named_find(named, name)
                                          : NULL;
        if (!v) {
            if (name)
                hrana_error_set(e, "ARGS_INVALID", "no argument was given for parameter %s", name);
            else
                hrana_error_set(e, "ARGS_INVALID", "no argument was given for parameter %u", i);
            return false;
        }
        if ((wrong = value_bind(stmt, i, v))) {
            hrana_error_set(e, "ARGS_INVALID", "argument %u: %s", i, wrong);
            return false;
        }
    }
    return true;
}

void hrana_cols_write(struct buffer *out, const struct skerry_stmt *stmt)
{
    u32 count = skerry_column_count(stmt);
    buffer_text(out, "[");
    for (u32 i = 0; i < count; i++) {
        const char *name = skerry_column_name(stmt, i), *decltype = skerry_column_decltype(stmt, i);
        buffer_text(out, i ? ",{\"name\":" : "{\"name\":");
        if (name)
            buffer_json_string(out, name, strlen(name));
        else
            buffer_text(out, "null");
        buffer_text(out, ",\"decltype\":");
        if (decltype)
            buffer_json_string(out, decltype, strlen(decltype));
        else
            buffer_text(out, "null");
        buffer_text(out, "}");
    }
    buffer_text(out, "]");
}

void hrana_row_write(struct buffer *out, struct skerry_stmt *stmt)
{
    u32 count = skerry_column_count(stmt);
    buffer_text(out, "[");
    for (u32 i = 0; i < count; i++) {
        if (i) buffer_text(out, ",");
        hrana_value_write(out, skerry_column(stmt, i));
    }
    buffer_text(out, "]");
}
