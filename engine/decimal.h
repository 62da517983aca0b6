// Decimal digits of a double and back, correctly rounded: the arithmetic under every number's text.
//
// What a text looks like ("1.0e+15", what counts as a number) is number_text.c's and fn/fn_printf.c's affair.
#pragma once

#include "../io/base.h"

enum { DECIMAL_POWER_MIN = -342, DECIMAL_POWER_MAX = 342 };
struct decimal_power {
    u64 high, low;
};
extern const struct decimal_power DECIMAL_POWER[DECIMAL_POWER_MAX - DECIMAL_POWER_MIN + 1];

enum decimal_special { DECIMAL_FINITE, DECIMAL_INFINITE, DECIMAL_NAN };
// The value 0.DIGITS * 10^point.
struct decimal {
    bool negative;
    u8 special; // enum decimal_special; no digits unless DECIMAL_FINITE
    s32 count, point;
    char *digits; // into room; not terminated
    char room[25];
};

// The digits of r without trailing zeros, rounded half up: to `round` significant digits when it is positive, to
// -round places behind the point otherwise; never more than digits_max of them (19 at most are known).
void decimal_from_real(struct decimal *d, double r, s32 round, s32 digits_max);
// digits[0..count) * 10^exponent as the nearest double (ties to even); digits are '0'..'9'.
double decimal_to_real(const u8 *digits, u32 count, s64 exponent);
// The same of a number of at most 19 digits.
double decimal_scale(u64 digits, s64 exponent);
