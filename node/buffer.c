#include "buffer.h"

#include <sodium.h>
#include <stdarg.h>

void buffer_deinit(struct buffer *b)
{
    free(b->bytes);
    *b = (struct buffer){.max = b->max};
}

static bool buffer_reserve(struct buffer *b, size_t more)
{
    if (b->capacity - b->size >= more && b->bytes) return true;
    if (b->failed) return false;
    size_t need = b->size + more;
    if (need < b->size || (b->max && need > b->max)) {
        b->failed = true;
        return false;
    }
    size_t capacity = MAX(MAX(b->capacity * 2, need), (size_t)1024);
    if (b->max) capacity = MIN(capacity, b->max);
    char *bigger = realloc(b->bytes, capacity);
    if (!bigger) {
        b->failed = true;
        return false;
    }
    b->bytes = bigger;
    b->capacity = capacity;
    return true;
}

void buffer_add(struct buffer *b, const void *bytes, size_t size)
{
    if (!size || !buffer_reserve(b, size)) return;
    memcpy(b->bytes + b->size, bytes, size);
    b->size += size;
}

void buffer_text(struct buffer *b, const char *text)
{
    buffer_add(b, text, strlen(text));
}

void buffer_format(struct buffer *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    size_t room = b->bytes && !b->failed ? b->capacity - b->size : 0;
    int size = vsnprintf(room ? b->bytes + b->size : NULL, room, format, args);
    va_end(args);
    if (size > 0 && (size_t)size < room) {
        b->size += (size_t)size;
    } else if (size > 0 && buffer_reserve(b, (size_t)size + 1)) {
        vsnprintf(b->bytes + b->size, (size_t)size + 1, format, again);
        b->size += (size_t)size;
    }
    va_end(again);
}

// Length of the valid UTF-8 sequence at p, 0 when there is none.
static u32 utf8_length(const u8 *p, const u8 *end)
{
    if (p[0] < 0x80) return 1;
    u32 n = p[0] >= 0xc2 && p[0] < 0xe0   ? 2
            : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
            : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
                                          : 0;
    if (!n || (size_t)(end - p) < n) return 0;
    for (u32 i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    if (p[0] == 0xe0 && p[1] < 0xa0) return 0;
    if (p[0] == 0xed && p[1] > 0x9f) return 0; // surrogates
    if (p[0] == 0xf0 && p[1] < 0x90) return 0;
    if (p[0] == 0xf4 && p[1] > 0x8f) return 0;
    return n;
}

void buffer_json_string(struct buffer *b, const void *bytes, size_t size)
{
    static const char HEX[] = "0123456789abcdef";
    const u8 *p = bytes, *end = p + size, *plain = p;
    buffer_add(b, "\"", 1);
    while (p < end) {
        if (*p >= 0x20 && *p < 0x7f && *p != '"' && *p != '\\') {
            p++;
            continue;
        }
        u32 n = utf8_length(p, end);
        if (n > 1 || *p == 0x7f) {
            p += n;
            continue;
        }
        buffer_add(b, plain, (size_t)(p - plain));
        char escape[7] = {'\\', 'u', '0', '0', HEX[*p >> 4 & 15], HEX[*p & 15], 0};
        if (n == 0)
            buffer_text(b, "\xef\xbf\xbd");
        else if (*p == '"' || *p == '\\')
            buffer_add(b, (char[]){'\\', (char)*p}, 2);
        else if (*p == '\n')
            buffer_text(b, "\\n");
        else
            buffer_text(b, escape);
        plain = ++p;
    }
    buffer_add(b, plain, (size_t)(end - plain));
    buffer_add(b, "\"", 1);
}

void buffer_base64(struct buffer *b, const u8 *bytes, size_t size)
{
    size_t need = sodium_base64_encoded_len(size, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    if (!buffer_reserve(b, need)) return;
    sodium_bin2base64(b->bytes + b->size, need, bytes, size,
                      sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    b->size += need - 1;
}

bool base64_decode(const char *text, size_t size, u8 *out, size_t *out_size)
{
    while (size && text[size - 1] == '=') size--;
    bool url = memchr(text, '-', size) || memchr(text, '_', size);
    return sodium_base642bin(out, size / 4 * 3 + 3, text, size, NULL, out_size, NULL,
                             url ? sodium_base64_VARIANT_URLSAFE_NO_PADDING
                                 : sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0;
}
