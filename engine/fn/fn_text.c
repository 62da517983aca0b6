// Text and blob functions: length, substr, replace, trim, hex and their kin.
#include "../utf16.h"
#include "fn_internal.h"

#define ARGUMENTS struct function_context *ctx, u32 argc, const struct value **argv

static void length_fn(ARGUMENTS)
{
    const struct value *v = argv[0];
    char text[32];
    bool octets = ctx->def->user, wide = octets && ctx->encoding > 1;
    switch ((enum value_type)v->type) {
    case VALUE_NULL: break;
    case VALUE_INTEGER: result_integer(ctx, (s64)integer_to_text(v->integer, text) << wide); break;
    case VALUE_REAL: result_integer(ctx, (s64)real_to_text(v->real, text) << wide); break;
    case VALUE_BLOB:
        result_integer(ctx, (s64)v->size + (v->flags & VALUE_ZERO_TAIL ? v->zero_count : 0));
        break;
    case VALUE_TEXT:
        if (wide) result_integer(ctx, (s64)utf16_size_of_utf8(v->bytes, v->size));
        else result_integer(ctx, octets ? (s64)v->size : (s64)utf8_length(v->bytes, v->size));
        break;
    }
}

static void substr_fn(ARGUMENTS)
{
    struct value scratch = {.type = VALUE_NULL};
    u32 size;
    bool blob = argv[0]->type == VALUE_BLOB;
    const u8 *z = blob ? function_blob(ctx, argv[0], &scratch, &size) : function_text(ctx, argv[0], &scratch, &size);
    if (!z || argv[1]->type == VALUE_NULL || (argc == 3 && argv[2]->type == VALUE_NULL)) goto done;
    if (blob && size == 0) goto done; // NULL, as SQLite's

    s64 start = function_integer(ctx, argv[1]);
    s64 count = argc == 3 ? function_integer(ctx, argv[2]) : start < 0 ? function_limit(ctx, SKERRY_LIMIT_LENGTH) : VALUE_SIZE_MAX;
    s64 length = blob ? (s64)size : start < 0 ? (s64)utf8_length(z, size) : 0;
    // Position 0 is the place before the first character; it takes one of the count.
    if (start < 0) {
        start += length;
        if (start < 0) {
            count = count < 0 ? 0 : count + start;
            start = 0;
        }
    } else if (start > 0) {
        start--;
    } else if (count > 0) {
        count--;
    }
    if (count < 0) {
        count = count < -start ? start : -count;
        start -= count;
    }
    if (blob) {
        if (start >= length) start = count = 0;
        count = MIN(count, length - start);
        result_blob(ctx, z + start, (size_t)count);
        goto done;
    }
    const u8 *end = z + text_length(z, size);
    z = utf8_forward(z, end, (u64)start);
    const u8 *stop = utf8_forward(z, end, (u64)count);
    result_text(ctx, z, (size_t)(stop - z));
done:
    value_deinit(&scratch);
}

static void instr_fn(ARGUMENTS)
{
    struct value scratch[2] = {{.type = VALUE_NULL}, {.type = VALUE_NULL}};
    u32 size, needle_size;
    bool text = argv[0]->type != VALUE_BLOB || argv[1]->type != VALUE_BLOB;
    const u8 *(*bytes)(struct function_context *, const struct value *, struct value *, u32 *) = text ? function_text : function_blob;
    const u8 *z = bytes(ctx, argv[0], &scratch[0], &size);
    const u8 *needle = z ? bytes(ctx, argv[1], &scratch[1], &needle_size) : NULL;
    if (needle) {
        s64 position = 1;
        const u8 *found = z, *end = z + size;
        if (needle_size) {
            // A match in the middle of a character does not count.
            for (const u8 *from = z;; from = found + 1) {
                found = memmem(from, (size_t)(end - from), needle, needle_size);
                if (!found || !text || found == z || (*found & 0xc0) != 0x80) break;
            }
        }
        if (!found) {
            position = 0;
        } else if (!text) {
            position = found - z + 1;
        } else if (found > z) {
            // The first byte is a character whatever it is.
            for (const u8 *c = z + 1; c <= found; c++) position += (*c & 0xc0) != 0x80;
        }
        result_integer(ctx, position);
    }
    value_deinit(&scratch[0]);
    value_deinit(&scratch[1]);
}

static void case_fn(ARGUMENTS)
{
    struct value scratch = {.type = VALUE_NULL};
    u32 size = 0;
    const u8 *z = argv[0]->type == VALUE_NULL ? NULL : function_text(ctx, argv[0], &scratch, &size);
    if (!z) return;
    struct text_buffer b = text_buffer_of_result(ctx);
    text_append(&b, z, size);
    value_deinit(&scratch);
    u8 first = ctx->def->user ? 'A' : 'a';
    for (size_t i = 0; i < b.size; i++) b.bytes[i] ^= (u8)((u8)(b.bytes[i] - first) < 26 ? 0x20 : 0);
    result_text_buffer(ctx, &b);
}

static void hex_fn(ARGUMENTS)
{
    struct value scratch = {.type = VALUE_NULL};
    u32 size = 0;
    const u8 *z = function_blob(ctx, argv[0], &scratch, &size);
    if (!ctx->failed) {
        struct text_buffer b = text_buffer_of_result(ctx);
        if (text_reserve(&b, (size_t)size * 2)) {
            for (u32 i = 0; i < size; i++) {
                b.bytes[2 * i] = (u8) "0123456789ABCDEF"[z[i] >> 4];
                b.bytes[2 * i + 1] = (u8) "0123456789ABCDEF"[z[i] & 15];
            }
            b.size = (size_t)size * 2;
        }
        result_text_buffer(ctx, &b);
    }
    value_deinit(&scratch);
}

static bool has_character(const u8 *z, u32 size, u32 wanted)
{
    const u8 *end = z + size;
    while (z < end) {
        if (utf8_read(&z, end) == wanted) return true;
    }
    return false;
}

static void unhex_fn(ARGUMENTS)
{
    struct value scratch[2] = {{.type = VALUE_NULL}, {.type = VALUE_NULL}};
    u32 size, pass_size = 0;
    const u8 *z = function_text(ctx, argv[0], &scratch[0], &size);
    const u8 *pass = (const u8 *)"";
    if (argc == 2) pass = function_text(ctx, argv[1], &scratch[1], &pass_size);
    if (z && pass) {
        struct text_buffer b = text_buffer_of_result(ctx);
        const u8 *end = z + text_length(z, size);
        bool valid = true;
        while (z < end) {
            if (hex_digit(*z) < 0) {
                valid = has_character(pass, pass_size, utf8_read(&z, end));
                if (!valid) break;
                continue;
            }
            valid = z + 1 < end && hex_digit(z[1]) >= 0;
            if (!valid) break;
            text_append_char(&b, (u8)(hex_digit(z[0]) << 4 | hex_digit(z[1])));
            z += 2;
        }
        if (valid) {
            result_blob_buffer(ctx, &b);
        } else {
            text_buffer_deinit(&b);
        }
    }
    value_deinit(&scratch[0]);
    value_deinit(&scratch[1]);
}

static void replace_fn(ARGUMENTS)
{
    struct value scratch[3] = {{.type = VALUE_NULL}, {.type = VALUE_NULL}, {.type = VALUE_NULL}};
    u32 size, pattern_size, with_size;
    const u8 *z = function_text(ctx, argv[0], &scratch[0], &size);
    const u8 *pattern = z ? function_text(ctx, argv[1], &scratch[1], &pattern_size) : NULL;
    if (!pattern) goto done;
    if (pattern_size == 0 || pattern[0] == 0) {
        result_text(ctx, z, size);
        goto done;
    }
    const u8 *with = function_text(ctx, argv[2], &scratch[2], &with_size);
    if (!with) goto done;
    struct text_buffer b = text_buffer_of_result(ctx);
    const u8 *end = z + size;
    for (;;) {
        const u8 *found = memmem(z, (size_t)(end - z), pattern, pattern_size);
        if (!found) break;
        text_append(&b, z, (size_t)(found - z));
        text_append(&b, with, with_size);
        z = found + pattern_size;
    }
    text_append(&b, z, (size_t)(end - z));
    result_text_buffer(ctx, &b);
done:
    for (u32 i = 0; i < 3; i++) value_deinit(&scratch[i]);
}

// The size of the character of set that text starts (or, from_end, ends) with; 0 when it is none of them.
static u32 trim_match(const u8 *z, u32 size, const u8 *set, const u8 *set_end, bool from_end)
{
    while (set < set_end) {
        const u8 *next = utf8_skip(set, set_end);
        u32 n = (u32)(next - set);
        if (n <= size && memcmp(from_end ? z + size - n : z, set, n) == 0) return n;
        set = next;
    }
    return 0;
}

enum { TRIM_LEFT = 1, TRIM_RIGHT = 2 };

static void trim_fn(ARGUMENTS)
{
    struct value scratch[2] = {{.type = VALUE_NULL}, {.type = VALUE_NULL}};
    u32 size, set_size = 1, n;
    const u8 *set = (const u8 *)" ";
    const u8 *z = function_text(ctx, argv[0], &scratch[0], &size);
    if (z && argc == 2) set = function_text(ctx, argv[1], &scratch[1], &set_size);
    if (z && set) {
        const u8 *set_end = set + text_length(set, set_size);
        if (ctx->def->user & TRIM_LEFT) {
            while (size && (n = trim_match(z, size, set, set_end, false))) z += n, size -= n;
        }
        if (ctx->def->user & TRIM_RIGHT) {
            while (size && (n = trim_match(z, size, set, set_end, true))) size -= n;
        }
        result_text(ctx, z, size);
    }
    value_deinit(&scratch[0]);
    value_deinit(&scratch[1]);
}

static void concat(struct function_context *ctx, u32 argc, const struct value **argv, const u8 *separator,
                   u32 separator_size)
{
    struct text_buffer b = text_buffer_of_result(ctx);
    bool any = false;
    for (u32 i = 0; i < argc; i++) {
        if (argv[i]->type == VALUE_NULL) continue;
        if (any) text_append(&b, separator, separator_size);
        text_append_value(&b, argv[i], ctx->encoding);
        any = true;
    }
    result_text_buffer(ctx, &b);
}

static void concat_fn(ARGUMENTS)
{
    concat(ctx, argc, argv, (const u8 *)"", 0);
}

static void concat_ws_fn(ARGUMENTS)
{
    struct value scratch = {.type = VALUE_NULL};
    u32 size;
    const u8 *separator = function_text(ctx, argv[0], &scratch, &size);
    if (separator) concat(ctx, argc - 1, argv + 1, separator, size);
    value_deinit(&scratch);
}

static void unicode_fn(ARGUMENTS)
{
    struct value scratch = {.type = VALUE_NULL};
    u32 size;
    const u8 *z = function_text(ctx, argv[0], &scratch, &size);
    if (z && size && z[0]) {
        const u8 *c = z;
        result_integer(ctx, utf8_read(&c, z + size));
    }
    value_deinit(&scratch);
}

static void char_fn(ARGUMENTS)
{
    struct text_buffer b = text_buffer_of_result(ctx);
    for (u32 i = 0; i < argc; i++) {
        s64 c = function_integer(ctx, argv[i]);
        u8 bytes[4];
        const bool none = c < 0 || c > 0x10ffff || (ctx->encoding > 1 && ((c & ~0x7ffll) == 0xd800 || (c & ~1ll) == 0xfffe)); // in UTF-16
        text_append(&b, bytes, utf8_write(bytes, none ? 0xfffd : (u32)c));
    }
    result_text_buffer(ctx, &b);
}

static void zeroblob_fn(ARGUMENTS)
{
    result_zero_blob(ctx, (u64)MAX(function_integer(ctx, argv[0]), 0));
}

static void quote_fn(ARGUMENTS)
{
    struct text_buffer b = text_buffer_of_result(ctx);
    text_append_quoted(&b, argv[0], ctx->def->user);
    result_text_buffer(ctx, &b);
}

static bool hex_number(const u8 *z, const u8 *end, u32 digits, u32 *out)
{
    u32 v = 0;
    if ((size_t)(end - z) < digits) return false;
    for (u32 i = 0; i < digits; i++) {
        s32 h = hex_digit(z[i]);
        if (h < 0) return false;
        v = v << 4 | (u32)h;
    }
    *out = v;
    return true;
}

static void unistr_fn(ARGUMENTS)
{
    struct value scratch = {.type = VALUE_NULL};
    u32 size;
    const u8 *z = function_text(ctx, argv[0], &scratch, &size);
    if (!z) goto done;
    struct text_buffer b = text_buffer_of_result(ctx);
    const u8 *end = z + size, *nul = z + text_length(z, size); // behind a NUL all is as it stands
    while (z < end) {
        const u8 *slash = z < nul ? memchr(z, '\\', (size_t)(nul - z)) : NULL;
        if (!slash) slash = end;
        text_append(&b, z, (size_t)(slash - z));
        z = slash;
        if (z == end) break;
        u8 kind = z + 1 < end ? z[1] : 0;
        if (kind == '\\') {
            text_append_char(&b, '\\');
            z += 2;
            continue;
        }
        u32 digits = 4, skip = 2, c;
        if (hex_digit(kind) >= 0) {
            skip = 1;
        } else if (kind == '+') {
            digits = 6;
        } else if (kind == 'U') {
            digits = 8;
        } else if (kind != 'u') {
            digits = 0;
        }
        if (!digits || !hex_number(z + skip, end, digits, &c)) {
            result_error(ctx, "invalid Unicode escape");
            text_buffer_deinit(&b);
            goto done;
        }
        z += skip + digits;
        u8 bytes[4];
        text_append(&b, bytes, utf8_write(bytes, c));
    }
    result_text_buffer(ctx, &b);
done:
    value_deinit(&scratch);
}

static void soundex_fn(ARGUMENTS)
{
    static const char CODES[] = "01230120022455012623010202"; // of A..Z
    struct value scratch = {.type = VALUE_NULL};
    u32 size = 0;
    const u8 *z = function_text(ctx, argv[0], &scratch, &size);
    const u8 *end = z ? z + text_length(z, size) : NULL;
    while (z && z < end && (u8)(ascii_lower(*z) - 'a') >= 26) z++;
    if (!z || z == end) {
        result_text(ctx, "?000", 4);
    } else {
        char out[4] = {(char)(ascii_lower(*z) - 0x20), '0', '0', '0'};
        char previous = CODES[ascii_lower(*z) - 'a'];
        u32 n = 1;
        for (; z < end && n < 4; z++) {
            u8 letter = (u8)(ascii_lower(*z & 0x7f) - 'a'); // SQLite looks at seven bits
            char code = letter < 26 ? CODES[letter] : '0';
            if (code == '0') {
                previous = '0';
            } else if (code != previous) {
                out[n++] = previous = code;
            }
        }
        result_text(ctx, out, 4);
    }
    value_deinit(&scratch);
}

#define PURE FN_DETERMINISTIC
const struct fn_def FN_TEXT[] = {
    {"length", 1, PURE | FN_LENGTH, 0, length_fn},
    {"octet_length", 1, PURE | FN_LENGTH | FN_TYPE, 1, length_fn},
    {"substr", 2, PURE, 0, substr_fn},
    {"substr", 3, PURE, 0, substr_fn},
    {"substring", 2, PURE, 0, substr_fn},
    {"substring", 3, PURE, 0, substr_fn},
    {"instr", 2, PURE, 0, instr_fn},
    {"upper", 1, PURE, 0, case_fn},
    {"lower", 1, PURE, 1, case_fn},
    {"hex", 1, PURE, 0, hex_fn},
    {"unhex", 1, PURE, 0, unhex_fn},
    {"unhex", 2, PURE, 0, unhex_fn},
    {"replace", 3, PURE, 0, replace_fn},
    {"trim", 1, PURE, TRIM_LEFT | TRIM_RIGHT, trim_fn},
    {"trim", 2, PURE, TRIM_LEFT | TRIM_RIGHT, trim_fn},
    {"ltrim", 1, PURE, TRIM_LEFT, trim_fn},
    {"ltrim", 2, PURE, TRIM_LEFT, trim_fn},
    {"rtrim", 1, PURE, TRIM_RIGHT, trim_fn},
    {"rtrim", 2, PURE, TRIM_RIGHT, trim_fn},
    {"concat", FN_AT_LEAST(1), PURE, 0, concat_fn},
    {"concat_ws", FN_AT_LEAST(2), PURE, 0, concat_ws_fn},
    {"unicode", 1, PURE, 0, unicode_fn},
    {"char", -1, PURE, 0, char_fn},
    {"zeroblob", 1, PURE, 0, zeroblob_fn},
    {"quote", 1, PURE, 0, quote_fn},
    {"unistr", 1, PURE, 0, unistr_fn},
    {"unistr_quote", 1, PURE, 1, quote_fn},
    {"soundex", 1, PURE, 0, soundex_fn},
    {0},
};
