// Text of UTF-16 databases: converted where it enters and leaves records, by SQLite's rules for broken
// sequences (what cannot be a character becomes U+FFFD). Internal to engine/store.
#pragma once

#include "record.h"

// Bytes of the UTF-16 form of UTF-8 text.
u64 utf16_size_of_utf8(const u8 *text, u64 size);
// Writes at most out_size bytes; gives the number written.
u64 utf16_from_utf8(const u8 *text, u64 size, bool big_endian, u8 *out, u64 out_size);
// Upper bound of the UTF-8 form of `size` bytes of UTF-16.
static inline u64 utf8_size_bound(u64 size) { return size / 2 * 3; }
// Gives the number of bytes written, at most utf8_size_bound(size). An odd last byte is dropped.
u64 utf8_from_utf16(const u8 *text, u64 size, bool big_endian, u8 *out);
