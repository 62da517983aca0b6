// Numbers as SQL text, both ways.
#include "decimal.h"
#include "value.h"

#include <math.h>

static inline bool is_space(u8 c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

// Adds the digits at z to *mantissa, which is right up to 19 of them. The end of the digits.
static inline const u8 *digits_read(const u8 *z, const u8 *end, u64 *mantissa)
{
    const u8 *few = end - z > 20 ? z + 20 : end;
    while (z < few && (u8)(*z - '0') < 10) *mantissa = *mantissa * 10 + (u8)(*z++ - '0');
    if (z == few)
        while (z < end && (u8)(*z - '0') < 10) z++;
    return z;
}

// Of a number with digits on both sides of its point, of any length.
static double real_of_long(const u8 *whole, u32 whole_count, const u8 *fraction, u32 fraction_count, s64 exponent)
{
    u8 room[1100];
    u32 count = MIN(whole_count, (u32)sizeof room);
    memcpy(room, whole, count);
    exponent += whole_count - count;
    for (; count == 0 && *fraction == '0'; fraction++, fraction_count--) exponent--;
    const u32 more = MIN(fraction_count, (u32)sizeof room - 1 - MIN(count, (u32)sizeof room - 1));
    memcpy(room + count, fraction, more);
    count += more;
    // What did not fit can only break a tie.
    if (count >= sizeof room - 1) room[count - 1] = '1';
    return decimal_to_real(room, count, exponent - more);
}

struct number_text number_parse(const u8 *text, u32 size)
{
    struct number_text n = {.kind = NUMBER_NONE};
    const u8 *z = text, *end = text + size;
    while (z < end && is_space(*z)) z++;
    bool negative = false;
    if (z < end && (*z == '-' || *z == '+')) negative = *z++ == '-';

    const u8 *const first = z;
    while (z < end && *z == '0') z++;
    const u8 *const whole_digits = z;
    u64 mantissa = 0;
    z = digits_read(z, end, &mantissa);
    const u32 whole_count = (u32)(z - whole_digits);
    bool integer = true;
    const u8 *fraction_digits = z;
    u32 fraction_count = 0;
    if (z < end && *z == '.') {
        fraction_digits = ++z;
        z = digits_read(z, end, &mantissa);
        fraction_count = (u32)(z - fraction_digits);
        integer = false;
    }
    if (z == first + !integer) { // no digit
        n.real = negative ? -0.0 : 0;
        return n;
    }

    s64 exponent = 0;
    if (z < end && (*z == 'e' || *z == 'E')) {
        const u8 *e = z + 1;
        bool down = false;
        if (e < end && (*e == '-' || *e == '+')) down = *e++ == '-';
        if (e < end && (u8)(*e - '0') < 10) {
            for (; e < end && (u8)(*e - '0') < 10; e++) {
                if (exponent < 1000000000000) exponent = exponent * 10 + (*e - '0');
            }
            if (down) exponent = -exponent;
            integer = false;
            z = e;
        }
    }
    while (z < end && is_space(*z)) z++;
    // A lone "e" or sign behind the digits leaves z on it: not whole.
    n.whole = z == end;

    double r;
    if (whole_count + fraction_count <= 19) {
        r = decimal_scale(mantissa, exponent - fraction_count);
    } else {
        while (fraction_count && fraction_digits[fraction_count - 1] == '0') fraction_count--;
        r = fraction_count ? real_of_long(whole_digits, whole_count, fraction_digits, fraction_count, exponent)
                           : decimal_to_real(whole_digits, whole_count, exponent);
    }
    n.real = negative ? -r : r;
    n.kind = NUMBER_REAL;
    if (integer && whole_count <= 19) {
        if (mantissa <= INT64_MAX) {
            n.kind = NUMBER_INTEGER;
            n.integer = negative ? -(s64)mantissa : (s64)mantissa;
        } else if (negative && mantissa == 1ull << 63) {
            n.kind = NUMBER_INTEGER;
            n.integer = INT64_MIN;
        }
    }
    return n;
}

static u32 digits_count(u64 v)
{
    static const u64 powers[] = {0, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000,
                                 100000000000, 1000000000000, 10000000000000, 100000000000000, 1000000000000000,
                                 10000000000000000, 100000000000000000, 1000000000000000000, 10000000000000000000u};
    u32 about = (64 - (u32)__builtin_clzll(v | 1)) * 1233 >> 12; // of the bits, times log10(2)
    return about + (v >= powers[about]);
}

u32 integer_to_text(s64 i, char out[24])
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748"
                                "49505152535455565758596061626364656667686970717273747576777879808182838485868788899091929394959697"
                                "9899";
    u64 v = i < 0 ? -(u64)i : (u64)i;
    u32 n = digits_count(v) + (i < 0);
    char *z = out + n;
    out[0] = '-';
    *z = 0;
    for (; v >= 10; v /= 100) memcpy(z -= 2, pairs + 2 * (v % 100), 2);
    if ((n - (i < 0)) & 1) z[-1] = (char)('0' + v);
    return n;
}

// "%!.15g" of SQLite's printf.
u32 real_to_text(double r, char out[32])
{
    if (fabs(r) < 2e9 && r == (s32)r) {
        u32 n = integer_to_text((s32)r, out);
        memcpy(out + n, ".0", 3);
        return n + 2;
    }
    struct decimal d;
    decimal_from_real(&d, r, 15, 20);
    char *z = out;
    if (d.special == DECIMAL_NAN) {
        memcpy(out, "NaN", 4);
        return 3;
    }
    if (d.negative) *z++ = '-';
    if (d.special == DECIMAL_INFINITE) {
        memcpy(z, "Inf", 4);
        return (u32)(z + 3 - out);
    }
    s32 e = d.point - 1;
    if (e < -4 || e > 14) {
        *z++ = d.digits[0];
        *z++ = '.';
        if (d.count == 1) *z++ = '0';
        for (s32 i = 1; i < d.count; i++) *z++ = d.digits[i];
        *z++ = 'e';
        *z++ = e < 0 ? '-' : '+';
        if (e < 0) e = -e;
        if (e >= 100) *z++ = (char)('0' + e / 100);
        *z++ = (char)('0' + e / 10 % 10);
        *z++ = (char)('0' + e % 10);
    } else if (e < 0) {
        *z++ = '0';
        *z++ = '.';
        for (s32 i = -1; i > e; i--) *z++ = '0';
        for (s32 i = 0; i < d.count; i++) *z++ = d.digits[i];
    } else {
        for (s32 i = 0; i <= e; i++) *z++ = i < d.count ? d.digits[i] : '0';
        *z++ = '.';
        if (d.count <= e + 1) *z++ = '0';
        for (s32 i = e + 1; i < d.count; i++) *z++ = d.digits[i];
    }
    *z = 0;
    return (u32)(z - out);
}
