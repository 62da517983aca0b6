#include "../utf16.h"
#include "fn_internal.h"

void text_buffer_deinit(struct text_buffer *b)
{
    if (!b->lent) free(b->bytes);
    *b = (struct text_buffer){.failed = b->failed};
}

bool text_reserve_slow(struct text_buffer *b, size_t more)
{
    if (b->failed != ERR_OK) return false;
    if (b->capacity - b->size >= more) return true;
    if (more > VALUE_SIZE_MAX || b->size + more > (size_t)VALUE_SIZE_MAX + 1) {
        b->failed = ERR_TOOBIG;
        return false;
    }
    size_t capacity = MAX(b->size + more, MIN(b->capacity * 2, (size_t)VALUE_SIZE_MAX + 1));
    if (capacity < 64) capacity = 64;
    u8 *bytes = realloc(b->lent ? NULL : b->bytes, capacity);
    if (!bytes) {
        b->failed = ERR_NOMEM;
        return false;
    }
    if (b->lent) memcpy(bytes, b->bytes, b->size);
    b->lent = false;
    b->bytes = bytes;
    b->capacity = capacity;
    return true;
}

void text_append_slow(struct text_buffer *b, const void *bytes, size_t size)
{
    if (!text_reserve(b, size)) return;
    if (size) memcpy(b->bytes + b->size, bytes, size);
    b->size += size;
}

void text_append_repeated(struct text_buffer *b, u8 c, size_t count)
{
    if (count == 0 || !text_reserve(b, count)) return;
    memset(b->bytes + b->size, c, count);
    b->size += count;
}

void text_append_string(struct text_buffer *b, const char *s)
{
    text_append(b, s, strlen(s));
}

static void append_wide(struct text_buffer *b, const struct value *v, bool big_endian)
{
    struct value text;
    value_init(&text);
    value_borrow(&text, v);
    err_code code = utf16_value_to_text(&text, big_endian);
    if (code == ERR_OK) text_append(b, text.bytes, text.size);
    else if (b->failed == ERR_OK) b->failed = code;
    value_deinit(&text);
}

void text_append_value(struct text_buffer *b, const struct value *v, u8 encoding)
{
    char text[32];
    switch ((enum value_type)v->type) {
    case VALUE_INTEGER: text_append(b, text, integer_to_text(v->integer, text)); break;
    case VALUE_REAL: text_append(b, text, real_to_text(v->real, text)); break;
    case VALUE_BLOB:
        if (encoding > 1) {
            append_wide(b, v, encoding == 3);
            break;
        }
        text_append(b, v->bytes, v->size);
        if (v->flags & VALUE_ZERO_TAIL) text_append_repeated(b, 0, v->zero_count);
        break;
    case VALUE_TEXT: text_append(b, v->bytes, v->size); break;
    case VALUE_NULL: break;
    }
}

static bool eight_characters(const u8 *z, const u8 *end)
{
    u64 eight;
    return end - z >= 8 && (memcpy(&eight, z, 8), (eight & 0x8080808080808080u) == 0);
}

const u8 *utf8_forward(const u8 *z, const u8 *end, u64 count)
{
    while (z < end && count) {
        if (count >= 8 && eight_characters(z, end)) {
            z += 8;
            count -= 8;
            continue;
        }
        z = utf8_skip(z, end);
        count--;
    }
    return z;
}

u64 utf8_length(const u8 *z, u32 size)
{
    const u8 *end = z + text_length(z, size);
    u64 n = 0;
    while (z < end) {
        if (eight_characters(z, end)) {
            z += 8;
            n += 8;
            continue;
        }
        z = utf8_skip(z, end);
        n++;
    }
    return n;
}
