// Numbers: abs, round, sign and the mathematical functions.
#include "../decimal.h"
#include "fn_internal.h"

#include <math.h>

#define ARGUMENTS struct function_context *ctx, u32 argc, const struct value **argv

static void abs_fn(ARGUMENTS)
{
    const struct value *v = argv[0];
    if (v->type == VALUE_NULL) return;
    if (v->type == VALUE_INTEGER) {
        if (v->integer == INT64_MIN) {
            result_error(ctx, "integer overflow");
            return;
        }
        result_integer(ctx, v->integer < 0 ? -v->integer : v->integer);
        return;
    }
    double r = function_real(ctx, v);
    result_real(ctx, r < 0 ? -r : r);
}

static void round_fn(ARGUMENTS)
{
    s64 places = 0;
    if (argc == 2) {
        if (argv[1]->type == VALUE_NULL) return;
        places = MAX(MIN(function_integer(ctx, argv[1]), 30), 0);
    }
    if (argv[0]->type == VALUE_NULL) return;
    double r = function_real(ctx, argv[0]);
    if (fabs(r) > 4503599627370496.0) {
        // nothing behind the point
    } else if (places == 0) {
        r = (double)(s64)(r + (r < 0 ? -0.5 : 0.5));
    } else {
        struct decimal d;
        decimal_from_real(&d, r, (s32)-places, 20);
        double rounded = 0.0; // when no digit is left of the last place
        if (d.point + places > 0) rounded = decimal_to_real((const u8 *)d.digits, (u32)d.count, d.point - d.count);
        r = r < 0 ? -rounded : rounded;
    }
    result_real(ctx, r);
}

static bool numeric(const struct function_context *ctx, const struct value *v, double *r)
{
    struct number_text n;
    enum value_type type = function_numeric(ctx, v, &n);
    *r = type == VALUE_INTEGER ? (double)n.integer : n.real; // "-0" is the integer
    return type == VALUE_INTEGER || type == VALUE_REAL;
}

static void sign_fn(ARGUMENTS)
{
    double r;
    if (numeric(ctx, argv[0], &r)) result_integer(ctx, r < 0 ? -1 : r > 0);
}

enum rounding { ROUND_CEIL, ROUND_FLOOR, ROUND_TRUNC };

static void ceiling_fn(ARGUMENTS)
{
    struct number_text n;
    switch (function_numeric(ctx, argv[0], &n)) {
    case VALUE_INTEGER: result_integer(ctx, n.integer); break;
    case VALUE_REAL:
        switch ((enum rounding)ctx->def->user) {
        case ROUND_CEIL: result_real(ctx, ceil(n.real)); break;
        case ROUND_FLOOR: result_real(ctx, floor(n.real)); break;
        case ROUND_TRUNC: result_real(ctx, trunc(n.real)); break;
        }
        break;
    case VALUE_TEXT:
    case VALUE_BLOB:
    case VALUE_NULL: break;
    }
}

enum math_function {
    MATH_LN, MATH_LOG10, MATH_LOG2, MATH_EXP, MATH_SQRT, MATH_ACOS, MATH_ASIN, MATH_ATAN, MATH_COS, MATH_SIN,
    MATH_TAN, MATH_ACOSH, MATH_ASINH, MATH_ATANH, MATH_COSH, MATH_SINH, MATH_TANH, MATH_RADIANS, MATH_DEGREES,
    MATH_POW, MATH_MOD, MATH_ATAN2,
};

static void math1_fn(ARGUMENTS)
{
    double x, r = 0;
    if (!numeric(ctx, argv[0], &x)) return;
    enum math_function f = ctx->def->user;
    if (f <= MATH_LOG2 && x <= 0) return;
    switch (f) {
    case MATH_LN: r = log(x); break;
    case MATH_LOG10: r = log10(x); break;
    case MATH_LOG2: r = log2(x); break;
    case MATH_EXP: r = exp(x); break;
    case MATH_SQRT: r = sqrt(x); break;
    case MATH_ACOS: r = acos(x); break;
    case MATH_ASIN: r = asin(x); break;
    case MATH_ATAN: r = atan(x); break;
    case MATH_COS: r = cos(x); break;
    case MATH_SIN: r = sin(x); break;
    case MATH_TAN: r = tan(x); break;
    case MATH_ACOSH: r = acosh(x); break;
    case MATH_ASINH: r = asinh(x); break;
    case MATH_ATANH: r = atanh(x); break;
    case MATH_COSH: r = cosh(x); break;
    case MATH_SINH: r = sinh(x); break;
    case MATH_TANH: r = tanh(x); break;
    case MATH_RADIANS: r = x * (M_PI / 180.0); break;
    case MATH_DEGREES: r = x * (180.0 / M_PI); break;
    case MATH_POW:
    case MATH_MOD:
    case MATH_ATAN2: break;
    }
    result_real(ctx, r);
}

static void math2_fn(ARGUMENTS)
{
    double x, y;
    if (!numeric(ctx, argv[0], &x) || !numeric(ctx, argv[1], &y)) return;
    enum math_function f = ctx->def->user;
    result_real(ctx, f == MATH_POW ? pow(x, y) : f == MATH_MOD ? fmod(x, y) : atan2(x, y));
}

static void log_base_fn(ARGUMENTS)
{
    double base, x;
    if (!numeric(ctx, argv[0], &base) || base <= 0 || log(base) <= 0) return;
    x = function_real(ctx, argv[1]);
    if (x > 0) result_real(ctx, log(x) / log(base));
}

static void pi_fn(ARGUMENTS)
{
    result_real(ctx, M_PI);
}

#define PURE FN_DETERMINISTIC
const struct fn_def FN_MATH[] = {
    {"abs", 1, PURE, 0, abs_fn},
    {"round", 1, PURE, 0, round_fn},
    {"round", 2, PURE, 0, round_fn},
    {"sign", 1, PURE, 0, sign_fn},
    {"ceil", 1, PURE, ROUND_CEIL, ceiling_fn},
    {"ceiling", 1, PURE, ROUND_CEIL, ceiling_fn},
    {"floor", 1, PURE, ROUND_FLOOR, ceiling_fn},
    {"trunc", 1, PURE, ROUND_TRUNC, ceiling_fn},
    {"ln", 1, PURE, MATH_LN, math1_fn},
    {"log", 1, PURE, MATH_LOG10, math1_fn},
    {"log10", 1, PURE, MATH_LOG10, math1_fn},
    {"log2", 1, PURE, MATH_LOG2, math1_fn},
    {"log", 2, PURE, 0, log_base_fn},
    {"exp", 1, PURE, MATH_EXP, math1_fn},
    {"sqrt", 1, PURE, MATH_SQRT, math1_fn},
    {"acos", 1, PURE, MATH_ACOS, math1_fn},
    {"asin", 1, PURE, MATH_ASIN, math1_fn},
    {"atan", 1, PURE, MATH_ATAN, math1_fn},
    {"cos", 1, PURE, MATH_COS, math1_fn},
    {"sin", 1, PURE, MATH_SIN, math1_fn},
    {"tan", 1, PURE, MATH_TAN, math1_fn},
    {"acosh", 1, PURE, MATH_ACOSH, math1_fn},
    {"asinh", 1, PURE, MATH_ASINH, math1_fn},
    {"atanh", 1, PURE, MATH_ATANH, math1_fn},
    {"cosh", 1, PURE, MATH_COSH, math1_fn},
    {"sinh", 1, PURE, MATH_SINH, math1_fn},
    {"tanh", 1, PURE, MATH_TANH, math1_fn},
    {"radians", 1, PURE, MATH_RADIANS, math1_fn},
    {"degrees", 1, PURE, MATH_DEGREES, math1_fn},
    {"pow", 2, PURE, MATH_POW, math2_fn},
    {"power", 2, PURE, MATH_POW, math2_fn},
    {"mod", 2, PURE, MATH_MOD, math2_fn},
    {"atan2", 2, PURE, MATH_ATAN2, math2_fn},
    {"pi", 0, PURE, 0, pi_fn},
    {0},
};
