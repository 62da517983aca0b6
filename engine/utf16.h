// Text of UTF-16 databases. Values are UTF-8 in memory; they are converted where they enter and leave records, where SQL
// asks for their bytes, and where their bytes decide an order. SQLite's rules for broken sequences: what cannot be a
// character becomes U+FFFD.
#pragma once

#include "value.h"

// Bytes of the UTF-16 form of UTF-8 text.
u64 utf16_size_of_utf8(const u8 *text, u64 size);
// Writes at most out_size bytes; gives the number written.
u64 utf16_from_utf8(const u8 *text, u64 size, bool big_endian, u8 *out, u64 out_size);
// Upper bound of the UTF-8 form of `size` bytes of UTF-16.
static inline u64 utf8_size_bound(u64 size) { return size / 2 * 3; }
// Gives the number of bytes written, at most utf8_size_bound(size). An odd last byte is dropped.
u64 utf8_from_utf16(const u8 *text, u64 size, bool big_endian, u8 *out);
// Order of two texts in UTF-8 by the bytes of their UTF-16 forms.
int utf16_compare(const u8 *a, u64 a_size, const u8 *b, u64 b_size, bool big_endian);
// A text becomes the blob of its bytes in UTF-16; a blob becomes the text that its bytes are. Others stay.
err_code utf16_value_to_blob(struct value *v, bool big_endian);
err_code utf16_value_to_text(struct value *v, bool big_endian);
// What a blob begins with that can be part of a number, in ASCII; gives its size. Spaces before it are left out, and so are
// zeros that lead and whatever is behind the first UTF16_NUMBER_MAX characters.
#define UTF16_NUMBER_MAX 1100
u32 utf16_number(const struct value *blob, bool big_endian, u8 out[UTF16_NUMBER_MAX]);
