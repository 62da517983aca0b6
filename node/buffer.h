// A growing run of bytes with a limit, for answers. Running out of memory or over the limit is
// remembered in `failed` and checked once, when the answer is done.
#pragma once

#include "../io/base.h"

struct buffer {
    char *bytes;
    size_t size, capacity, max; // max 0: no limit
    bool failed;
};
void buffer_deinit(struct buffer *b);
void buffer_add(struct buffer *b, const void *bytes, size_t size);
void buffer_text(struct buffer *b, const char *text);
void buffer_format(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
// A JSON string, quoted; what is not valid UTF-8 becomes U+FFFD.
void buffer_json_string(struct buffer *b, const void *bytes, size_t size);
void buffer_base64(struct buffer *b, const u8 *bytes, size_t size); // standard alphabet, no padding
// Decodes standard or URL-safe base64, padded or not, into out (at least 3/4 of size, plus 3);
// false: malformed.
bool base64_decode(const char *text, size_t size, u8 *out, size_t *out_size);
