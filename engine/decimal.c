#include "decimal.h"
#include "value.h"

#include <math.h>

typedef unsigned __int128 u128;

static inline const struct decimal_power *power_of(s64 q)
{
    return &DECIMAL_POWER[q - DECIMAL_POWER_MIN];
}

// floor(q * log2(10)) for every q of the table.
static inline s32 power_exponent(s32 q)
{
    return (217706 * q) >> 16;
}

// ---- digits to double -------------------------------------------------------------------------------

static double real_from_bits(u64 bits)
{
    double r;
    memcpy(&r, &bits, 8);
    return r;
}

// Eisel and Lemire's algorithm. False when 128 bits of the power do not decide the rounding.
static bool scale_fast(u64 w, s64 q, double *out)
{
    if (w == 0 || q < DECIMAL_POWER_MIN) {
        *out = 0.0;
        return true;
    }
    if (q > 308) {
        *out = HUGE_VAL;
        return true;
    }
    int lz = __builtin_clzll(w);
    w <<= lz;
    const struct decimal_power *p = power_of(q);
    u128 product = (u128)w * p->high;
    if (((u64)(product >> 64) & 0x1ff) == 0x1ff) product += (u64)(((u128)w * p->low) >> 64);
    u64 high = (u64)(product >> 64), low = (u64)product;
    if (low == UINT64_MAX && (q < -27 || q > 55)) return false;

    int upper = (int)(high >> 63), shift = upper + 64 - 52 - 3;
    u64 mantissa = high >> shift;
    s32 exponent = power_exponent((s32)q) + 63 + upper - lz + 1023;
    if (exponent <= 0) {
        if (1 - exponent >= 64) {
            *out = 0.0;
            return true;
        }
        mantissa >>= 1 - exponent;
        mantissa += mantissa & 1;
        mantissa >>= 1;
        *out = real_from_bits(mantissa); // a carry into bit 52 makes it the smallest normal number
        return true;
    }
    // Exactly half way is only possible for these exponents: then round to even.
    if (low <= 1 && q >= -4 && q <= 23 && (mantissa & 3) == 1 && mantissa << shift == high) mantissa &= ~1ull;
    mantissa += mantissa & 1;
    mantissa >>= 1;
    if (mantissa >= 2ull << 52) {
        mantissa = 1ull << 52;
        exponent++;
    }
    if (exponent >= 0x7ff) {
        *out = HUGE_VAL;
        return true;
    }
    *out = real_from_bits((mantissa & ~(1ull << 52)) | (u64)exponent << 52);
    return true;
}

static const double SMALL_POWERS[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

// No double needs more than 767 digits to tell it from a half-way point; what follows only matters when it
// is not zero.
enum { DIGITS_EXACT_MAX = 770 };

static double real_by_strtod(const u8 *digits, u32 count, s64 exponent)
{
    char text[DIGITS_EXACT_MAX + 32];
    u32 n = MIN(count, DIGITS_EXACT_MAX);
    memcpy(text, digits, n);
    exponent += count - n;
    for (u32 i = n; i < count; i++) {
        if (digits[i] == '0') continue;
        text[n++] = '1';
        exponent--;
        break;
    }
    // No decimal point, so the locale has no say.
    snprintf(text + n, sizeof text - n, "e%lld", (long long)exponent);
    return strtod(text, NULL);
}

double decimal_scale(u64 w, s64 q)
{
    if (w < 1ull << 53 && q >= -22 && q <= 22) {
        return q < 0 ? (double)w / SMALL_POWERS[-q] : (double)w * SMALL_POWERS[q];
    }
    double r;
    if (scale_fast(w, q, &r)) return r;
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)w);
    return real_by_strtod((const u8 *)digits, (u32)n, q);
}

double decimal_to_real(const u8 *digits, u32 count, s64 exponent)
{
    while (count && digits[0] == '0') digits++, count--;
    while (count && digits[count - 1] == '0') count--, exponent++;
    u64 w = 0;
    for (u32 i = 0; i < count && i < 19; i++) w = w * 10 + (digits[i] - '0');
    if (count <= 19) return decimal_scale(w, exponent);
    double low, high;
    s64 q = exponent + (count - 19);
    if (scale_fast(w, q, &low) && scale_fast(w + 1, q, &high) && low == high) return low;
    return real_by_strtod(digits, count, exponent);
}

// ---- double to digits -------------------------------------------------------------------------------

// 18 or 19 digits are taken: the most that stay below about 2^63. SQLite scales the number until the nearest double is at most
// 9223372036854774784, or, where it scales up, until it is 922337203685477504.
static u64 digits_limit(s32 k) { return k > 0 ? 9223372036854774399 : 9223372036854775295; }

// floor(r * 10^-exponent), at most digits_limit(-exponent), from the exact digits. *exact: nothing was cut off.
static u64 digits_exact(double r, s32 *exponent, bool *exact)
{
    char text[1100];
    snprintf(text, sizeof text, "%.1080e", r);
    u64 v = 0;
    s32 n = 0;
    const u64 limit = digits_limit(18 - atoi(strchr(text, 'e') + 1));
    const char *c = text;
    for (; *c != 'e' && n < 19; c++) {
        if (*c == '.') continue;
        u64 next = v * 10 + (u64)(*c - '0');
        if (n == 18 && next > limit) {
            n = 18;
            break;
        }
        v = next;
        n++;
    }
    c += strspn(c, "0");
    *exact = *c == 'e';
    c += strcspn(c, "e");
    *exponent = atoi(c + 1) - (n - 1);
    return v;
}

static u64 digits_of(double r, s32 *exponent, bool *exact)
{
    u64 bits;
    memcpy(&bits, &r, 8);
    s32 e = (s32)(bits >> 52);
    u64 m = bits & ((1ull << 52) - 1);
    if (e) {
        m |= 1ull << 52;
        e -= 1075;
    } else {
        e = -1074;
    }
    int lz = __builtin_clzll(m);
    // r is in 2^b .. 2^(b+1)
    s32 b = e + 63 - lz;
    s32 k = 18 - ((b * 315653) >> 20); // 18 - floor(b * log10(2)): r * 10^k is in 1e18 .. 2e19
    if (k < 0 && b < 126 && k >= -18) {
        u128 whole = e >= 0 ? (u128)m << e : (u128)m >> -e;
        u128 divisor = 1;
        for (s32 i = k; i < 0; i++) divisor *= 10;
        u128 v = whole / divisor;
        while (v > digits_limit(k)) v /= 10, divisor *= 10, k--;
        *exponent = -k;
        *exact = v * divisor == whole;
        return (u64)v;
    }
    m <<= lz;
    e -= lz;
    for (;; k--) {
        const struct decimal_power *p = power_of(k);
        u128 product = (u128)m * p->high + (u64)(((u128)m * p->low) >> 64);
        s32 shift = 63 - e - power_exponent(k);
        if (shift < 64) continue; // it does not fit
        u64 v = (u64)(product >> shift);
        if (v > digits_limit(k)) continue;
        if ((k < 0 || k > 55) &&
            ((u64)((product + 2) >> shift) != v || (u64)((product - 2) >> shift) != v)) {
            return digits_exact(r, exponent, exact);
        }
        *exponent = -k;
        *exact = k >= 0 && k <= 27 && !(product & (((u128)1 << shift) - 1));
        return v;
    }
}

void decimal_from_real(struct decimal *d, double r, s32 round, s32 digits_max)
{
    d->negative = r < 0;
    d->special = DECIMAL_FINITE;
    d->digits = d->room;
    if (!isfinite(r)) {
        d->special = isnan(r) ? DECIMAL_NAN : DECIMAL_INFINITE;
        d->count = d->point = 0;
        return;
    }
    if (r == 0) {
        d->room[0] = '0';
        d->count = d->point = 1;
        return;
    }
    s32 exponent;
    bool exact;
    u64 v = digits_of(fabs(r), &exponent, &exact);
    // SQLite 3.50 takes the digits from a sum of two doubles, the first of which is the nearest one to the value: what is
    // behind the last digit counts as one where that is above the value.
    const s32 kept = round > 0 ? round : (v < 1000000000000000000 ? 18 : 19) + exponent - round;
    if (kept > 17 && !exact && (u64)(double)(v | 1) > v) v++;
    // One place is left in front for a carry.
    char *z = d->room + 1;
    s32 n = (s32)integer_to_text((s64)v, z);
    d->point = n + exponent;
    if (round <= 0) {
        round = d->point - round;
        if (round == 0 && z[0] >= '5') {
            round = 1;
            *--z = '0';
            n++;
            d->point++;
        }
    }
    if (round > 0 && (round < n || n > digits_max)) {
        n = MIN(round, digits_max);
        if (z[n] >= '5') {
            s32 i = n - 1;
            while (i >= 0 && z[i] == '9') z[i--] = '0';
            if (i >= 0) {
                z[i]++;
            } else {
                *--z = '1';
                n++;
                d->point++;
            }
        }
    }
    while (n > 0 && z[n - 1] == '0') n--;
    d->digits = z;
    d->count = n;
}
