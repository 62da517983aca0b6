#include "utf16.h"

#include "utf8.h"

u64 utf16_size_of_utf8(const u8 *text, u64 size)
{
    const u8 *at = text, *end = text + size;
    u64 total = 0;
    while (at < end) {
        if (*at < 0x80) {
            at++;
            total += 2;
        } else {
            total += utf8_read(&at, end) > 0xffff ? 4 : 2;
        }
    }
    return total;
}

static inline void unit_put(u8 *out, u32 unit, bool big_endian)
{
    out[big_endian ? 0 : 1] = (u8)(unit >> 8);
    out[big_endian ? 1 : 0] = (u8)unit;
}

u64 utf16_from_utf8(const u8 *text, u64 size, bool big_endian, u8 *out, u64 out_size)
{
    const u8 *at = text, *end = text + size;
    u64 done = 0;
    while (at < end && done + 2 <= out_size) {
        u32 c = utf8_read(&at, end);
        if (c <= 0xffff) {
            unit_put(out + done, c, big_endian);
            done += 2;
            continue;
        }
        if (done + 4 > out_size) break;
        unit_put(out + done, 0xd800 | ((c - 0x10000) >> 10 & 0x3ff), big_endian);
        unit_put(out + done + 2, 0xdc00 | (c & 0x3ff), big_endian);
        done += 4;
    }
    return done;
}

u64 utf8_from_utf16(const u8 *text, u64 size, bool big_endian, u8 *out)
{
    const u8 *at = text, *end = text + (size & ~(u64)1);
    u8 *to = out;
    u32 high = big_endian ? 0 : 1, low = 1 - high;
    while (at < end) {
        u32 c = (u32)at[high] << 8 | at[low];
        at += 2;
        if (c >= 0xd800 && c < 0xe000 && at < end) {
            u32 second = (u32)at[high] << 8 | at[low];
            at += 2;
            c = (second & 0x3ff) + ((c & 0x3f) << 10) + (((c & 0x3c0) + 0x40) << 10);
        }
        to += utf8_write(to, c);
    }
    return (u64)(to - out);
}

// The next character as the bytes of its one or two units.
static u32 bytes_next(const u8 **at, const u8 *end, bool big_endian, u8 out[4])
{
    u32 c = utf8_read(at, end);
    if (c <= 0xffff) {
        unit_put(out, c, big_endian);
        return 2;
    }
    unit_put(out, 0xd800 | ((c - 0x10000) >> 10 & 0x3ff), big_endian);
    unit_put(out + 2, 0xdc00 | (c & 0x3ff), big_endian);
    return 4;
}

int utf16_compare(const u8 *a, u64 a_size, const u8 *b, u64 b_size, bool big_endian)
{
    const u8 *a_end = a + a_size, *b_end = b + b_size;
    while (a < a_end && b < b_end) {
        if (*a == *b && *a < 0x80) {
            a++, b++;
            continue;
        }
        u8 x[4], y[4];
        u32 x_size = bytes_next(&a, a_end, big_endian, x), y_size = bytes_next(&b, b_end, big_endian, y);
        int order = memcmp(x, y, MIN(x_size, y_size));
        if (order) return order;
        if (x_size != y_size) return x_size < y_size ? -1 : 1; // a unit of a pair is no character by itself
    }
    return (a < a_end) - (b < b_end);
}

err_code utf16_value_to_blob(struct value *v, bool big_endian)
{
    if (v->type != VALUE_TEXT) return ERR_OK;
    struct value out;
    u64 size = utf16_size_of_utf8(v->bytes, v->size);
    if (size > UINT32_MAX - 1) return ERR_TOOBIG;
    value_init(&out);
    err_code code = value_reserve(&out, (u32)size + 1);
    if (code != ERR_OK) return code;
    utf16_from_utf8(v->bytes, v->size, big_endian, out.buffer, size);
    code = value_set_blob(v, out.buffer, (u32)size);
    value_deinit(&out);
    return code;
}

err_code utf16_value_to_text(struct value *v, bool big_endian)
{
    if (v->type != VALUE_BLOB) return ERR_OK;
    err_code code = value_expand(v);
    if (code != ERR_OK) return code;
    struct value out;
    u64 bound = utf8_size_bound(v->size);
    if (bound > UINT32_MAX - 1) return ERR_TOOBIG;
    value_init(&out);
    code = value_reserve(&out, (u32)bound + 1);
    if (code != ERR_OK) return code;
    u64 size = utf8_from_utf16(v->bytes, v->size, big_endian, out.buffer);
    code = value_set_text(v, out.buffer, (u32)size);
    value_deinit(&out);
    return code;
}

u32 utf16_number(const struct value *blob, bool big_endian, u8 out[UTF16_NUMBER_MAX])
{
    const u8 *at = blob->bytes, *end = at + (blob->size & ~1u);
    u32 high = big_endian ? 0 : 1, low = 1 - high, count = 0;
    bool digits = false; // after the first one zeros count
    for (; at < end && !at[high] && at[low] && at[low] < 0x80 && count < UTF16_NUMBER_MAX; at += 2) {
        u8 c = at[low];
        if (!count && (c == ' ' || (c >= '\t' && c <= '\r'))) continue;
        if (!digits && c == '0' && at + 2 < end && !at[2 + high] && (u8)(at[2 + low] - '0') < 10) continue;
        digits |= c != '-' && c != '+';
        out[count++] = c;
    }
    return count;
}
