// Characters of UTF-8, as SQLite reads and writes them.
#pragma once

#include "../io/base.h"

// Reads one character as SQLite does: never fails, overlong forms and surrogates become U+FFFD. *z < end.
static inline u32 utf8_read(const u8 **z, const u8 *end)
{
    u32 c = *(*z)++;
    if (c < 0xc0) return c;
    c &= c < 0xe0 ? 0x1f : c < 0xf0 ? 0x0f : c < 0xf8 ? 0x07 : c < 0xfc ? 0x03 : c < 0xfe ? 0x01 : 0;
    while (*z < end && (**z & 0xc0) == 0x80) c = (c << 6) + (*(*z)++ & 0x3f);
    if (c < 0x80 || (c & 0xfffff800) == 0xd800 || (c & 0xfffffffe) == 0xfffe) c = 0xfffd;
    return c;
}
static inline const u8 *utf8_skip(const u8 *z, const u8 *end)
{
    if (*z++ >= 0xc0) {
        while (z < end && (*z & 0xc0) == 0x80) z++;
    }
    return z;
}
// Gives the number of bytes.
static inline u32 utf8_write(u8 out[4], u32 c)
{
    if (c < 0x80) {
        out[0] = (u8)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (u8)(0xc0 | c >> 6);
        out[1] = (u8)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (u8)(0xe0 | c >> 12);
        out[1] = (u8)(0x80 | (c >> 6 & 0x3f));
        out[2] = (u8)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (u8)(0xf0 | (c >> 18 & 7));
    out[1] = (u8)(0x80 | (c >> 12 & 0x3f));
    out[2] = (u8)(0x80 | (c >> 6 & 0x3f));
    out[3] = (u8)(0x80 | (c & 0x3f));
    return 4;
}
