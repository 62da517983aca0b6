// Aggregates: count, sum and its kin, min, max, group_concat, percentiles.
#include "fn_internal.h"

#include <math.h>

#define ARGUMENTS struct function_context *ctx, u32 argc, const struct value **argv

// ---- count -------------------------------------------------------------------------------------------

static void count_step(ARGUMENTS)
{
    s64 *n = function_aggregate(ctx, sizeof *n);
    if (n && (argc == 0 || argv[0]->type != VALUE_NULL)) (*n)++;
}

static bool count_rows_quick(void *state, const struct value *v)
{
    ++*(s64 *)state;
    return true;
}

static bool count_quick(void *state, const struct value *v)
{
    *(s64 *)state += v->type != VALUE_NULL;
    return true;
}

static void count_inverse(ARGUMENTS)
{
    s64 *n = function_aggregate(ctx, sizeof *n);
    if (n && (argc == 0 || argv[0]->type != VALUE_NULL)) (*n)--;
}

static void count_final(struct function_context *ctx)
{
    s64 *n = function_aggregate(ctx, 0);
    result_integer(ctx, n ? *n : 0);
}

// ---- sum, total, avg -----------------------------------------------------------------------------------

// Integers as long as all are and the sum fits, then doubles with the error that each addition made (Kahan,
// Babuska and Neumaier).
struct sum {
    double real, error;
    s64 integer, count;
    bool approximate, overflow;
};

static void sum_real(struct sum *s, double r)
{
    double old = s->real, new = old + r;
    s->error += fabs(old) > fabs(r) ? (old - new) + r : (r - new) + old;
    s->real = new;
}

// Integers that a double does not hold are added in two parts.
static void sum_integer(struct sum *s, s64 i)
{
    if (i <= -4503599627370496 || i >= 4503599627370496) {
        s64 small = i % 16384;
        sum_real(s, (double)(i - small));
        sum_real(s, (double)small);
    } else {
        sum_real(s, (double)i);
    }
}

static void sum_make_approximate(struct sum *s)
{
    s->approximate = true;
    s64 small = 0;
    if (s->integer <= -4503599627370496 || s->integer >= 4503599627370496) small = s->integer % 16384;
    s->real = (double)(s->integer - small);
    s->error = (double)small;
}

static void sum_step(ARGUMENTS)
{
    struct sum *s = function_aggregate(ctx, sizeof *s);
    struct number_text n;
    if (!s) return;
    enum value_type type = function_numeric(ctx, argv[0], &n);
    if (type == VALUE_NULL) return;
    s->count++;
    if (type != VALUE_INTEGER) {
        if (!s->approximate) sum_make_approximate(s);
        s->overflow = false;
        sum_real(s, n.real);
    } else if (s->approximate) {
        sum_integer(s, n.integer);
    } else if (__builtin_add_overflow(s->integer, n.integer, &s->integer)) {
        s->integer = (s64)((u64)s->integer - (u64)n.integer);
        s->overflow = true;
        sum_make_approximate(s);
        sum_integer(s, n.integer);
    }
}

static bool sum_quick(void *state, const struct value *v)
{
    struct sum *s = state;
    if (v->type == VALUE_REAL) {
        if (UNLIKELY(!s->approximate)) sum_make_approximate(s);
        s->overflow = false;
        sum_real(s, v->real);
    } else if (v->type != VALUE_INTEGER || s->approximate) {
        return false;
    } else {
        s64 sum;
        if (__builtin_add_overflow(s->integer, v->integer, &sum)) return false;
        s->integer = sum;
    }
    s->count++;
    return true;
}

static void sum_inverse(ARGUMENTS)
{
    struct sum *s = function_aggregate(ctx, sizeof *s);
    struct number_text n;
    if (!s) return;
    enum value_type type = function_numeric(ctx, argv[0], &n);
    if (type == VALUE_NULL) return;
    s->count--;
    if (!s->approximate) {
        if (!__builtin_sub_overflow(s->integer, n.integer, &s->integer)) return;
        s->integer = (s64)((u64)s->integer + (u64)n.integer);
        s->overflow = true;
        sum_make_approximate(s);
    }
    if (type != VALUE_INTEGER) {
        sum_real(s, -n.real);
    } else if (n.integer != INT64_MIN) {
        sum_integer(s, -n.integer);
    } else {
        sum_integer(s, INT64_MAX);
        sum_integer(s, 1);
    }
}

static double sum_value(const struct sum *s)
{
    if (!s->approximate) return (double)s->integer;
    return isfinite(s->error) ? s->real + s->error : s->real;
}

static void sum_final(struct function_context *ctx)
{
    struct sum *s = function_aggregate(ctx, 0);
    if (!s || s->count <= 0) return;
    if (!s->approximate) {
        result_integer(ctx, s->integer);
    } else if (s->overflow) {
        result_error(ctx, "integer overflow");
    } else {
        result_real(ctx, sum_value(s));
    }
}

static void total_final(struct function_context *ctx)
{
    struct sum *s = function_aggregate(ctx, 0);
    result_real(ctx, s ? sum_value(s) : 0.0);
}

static void avg_final(struct function_context *ctx)
{
    struct sum *s = function_aggregate(ctx, 0);
    if (s && s->count > 0) result_real(ctx, sum_value(s) / (double)s->count);
}

// ---- min, max ------------------------------------------------------------------------------------------

struct extreme {
    bool any;
    struct value value;
};

size_t fn_extreme_bytes(const void *state)
{
    const struct extreme *e = state;
    return e->any ? e->value.capacity : 0;
}

static void extreme_step(ARGUMENTS)
{
    struct extreme *e = function_aggregate(ctx, sizeof *e);
    if (!e) return;
    ctx->keep_row = false;
    if (argv[0]->type == VALUE_NULL) {
        ctx->keep_row = e->any;
        return;
    }
    if (e->any) {
        int c = function_compare(ctx, &e->value, argv[0]);
        if (ctx->def->user ? c >= 0 : c <= 0) {
            ctx->keep_row = true;
            return;
        }
    } else {
        value_init(&e->value);
    }
    if (value_copy(&e->value, argv[0]) != ERR_OK) result_nomem(ctx);
    e->any = true;
}

static void extreme_value(struct function_context *ctx)
{
    struct extreme *e = function_aggregate(ctx, 0);
    if (e && e->any) result_value(ctx, &e->value);
}

static void extreme_final(struct function_context *ctx)
{
    struct extreme *e = function_aggregate(ctx, 0);
    if (!e || !e->any) return;
    value_move(&ctx->result, &e->value);
    value_deinit(&e->value);
    e->any = false;
}

// ---- group_concat --------------------------------------------------------------------------------------

struct concat {
    struct text_buffer text;
    size_t start;           // what a window left behind lies before it
    s64 count;              // texts in it
    bool emptied;           // a window has left all of it behind but texts of no bytes: the next is as the first, as in SQLite
    u32 first_separator;    // size of the separators as long as all are alike
    u32 *separators;        // of each text but the first, once they differ
    size_t separator_start, separator_count, separator_capacity;
};

static void concat_remember(struct concat *c, u32 size)
{
    if (size == c->first_separator && !c->separators) return;
    if (c->separator_start + c->separator_count + (size_t)c->count + 1 > c->separator_capacity) {
        size_t capacity = (c->separator_start + c->separator_count + (size_t)c->count + 16) * 2;
        u32 *grown = realloc(c->separators, capacity * sizeof *grown);
        if (!grown) {
            c->text.failed = ERR_NOMEM;
            return;
        }
        if (!c->separators) {
            c->separator_count = (size_t)c->count - 1;
            for (size_t i = 0; i < c->separator_count; i++) grown[i] = c->first_separator;
        }
        c->separators = grown;
        c->separator_capacity = capacity;
    }
    c->separators[c->separator_start + c->separator_count++] = size;
}

static void concat_step(ARGUMENTS)
{
    if (argv[0]->type == VALUE_NULL) return;
    struct concat *c = function_aggregate(ctx, sizeof *c);
    if (!c) return;
    if (c->count == 0 || c->emptied) {
        c->emptied = false;
        struct text_buffer separator = {0};
        if (argc == 2) text_append_value(&separator, argv[1], ctx->encoding);
        c->first_separator = argc == 2 ? (u32)separator.size : 1;
        text_buffer_deinit(&separator);
    } else {
        size_t before = c->text.size;
        if (argc == 2) {
            text_append_value(&c->text, argv[1], ctx->encoding);
        } else {
            text_append_char(&c->text, ',');
        }
        concat_remember(c, (u32)(c->text.size - before));
    }
    c->count++;
    text_append_value(&c->text, argv[0], ctx->encoding);
    if ((s64)(c->text.size - c->start) > function_limit(ctx, SKERRY_LIMIT_LENGTH)) c->text.failed = ERR_TOOBIG;
    if (c->text.failed == ERR_TOOBIG) result_toobig(ctx);
    if (c->text.failed == ERR_NOMEM) result_nomem(ctx);
}

static void concat_inverse(ARGUMENTS)
{
    struct concat *c = function_aggregate(ctx, 0);
    if (!c || argv[0]->type == VALUE_NULL || c->text.failed != ERR_OK) return;
    struct text_buffer gone = {0};
    text_append_value(&gone, argv[0], ctx->encoding);
    size_t size = gone.size;
    text_buffer_deinit(&gone);
    c->count--;
    if (c->count > 0 && c->separators) {
        size += c->separators[c->separator_start++];
        c->separator_count--;
    } else if (c->count > 0) {
        size += c->first_separator;
    }
    c->start = MIN(c->start + size, c->text.size);
    if (c->count <= 0 || c->start == c->text.size) {
        c->start = c->text.size = 0;
        c->count = MAX(c->count, 0);
        c->emptied = true;
        free(c->separators);
        c->separators = NULL;
        c->separator_start = c->separator_count = c->separator_capacity = 0;
    } else if (c->start > c->text.size / 2) {
        c->text.size -= c->start;
        memmove(c->text.bytes, c->text.bytes + c->start, c->text.size);
        c->start = 0;
        if (c->separators) {
            memmove(c->separators, c->separators + c->separator_start, c->separator_count * sizeof *c->separators);
            c->separator_start = 0;
        }
    }
}

static void concat_value(struct function_context *ctx)
{
    struct concat *c = function_aggregate(ctx, 0);
    if (c && c->count) result_text(ctx, c->text.bytes ? c->text.bytes + c->start : (u8 *)"", c->text.size - c->start);
}

static void concat_final(struct function_context *ctx)
{
    struct concat *c = function_aggregate(ctx, 0);
    if (!c) return;
    if (c->count && c->start == 0) {
        result_text_buffer(ctx, &c->text);
    } else {
        concat_value(ctx);
    }
    text_buffer_deinit(&c->text);
    free(c->separators);
    *c = (struct concat){0};
}

// ---- percentiles ---------------------------------------------------------------------------------------

enum { PERCENT_DISCRETE = 1, PERCENT_OF_HUNDRED = 2 };

struct percentile {
    double *values;
    size_t count, capacity;
    double fraction;
    bool fraction_known, sorted, keep_sorted;
};

static int real_order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void percentile_sort(struct percentile *p)
{
    if (!p->sorted) qsort(p->values, p->count, sizeof *p->values, real_order);
    p->sorted = true;
}

// First place whose value is not below r.
static size_t percentile_place(const struct percentile *p, double r)
{
    size_t low = 0, high = p->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (p->values[middle] < r) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void percentile_step(ARGUMENTS)
{
    double fraction = 0.5;
    struct number_text n;
    if (argc == 2) {
        double limit = ctx->def->user & PERCENT_OF_HUNDRED ? 100.0 : 1.0;
        enum value_type type = function_numeric(ctx, argv[1], &n);
        fraction = n.real / limit;
        if ((type != VALUE_INTEGER && type != VALUE_REAL) || !(fraction >= 0 && fraction <= 1)) {
            result_error(ctx, "the fraction argument to %s() is not between 0.0 and %.1f", ctx->def->name, limit);
            return;
        }
    }
    struct percentile *p = function_aggregate(ctx, sizeof *p);
    if (!p) return;
    if (!p->fraction_known) {
        p->fraction = fraction;
        p->fraction_known = p->sorted = true;
    } else if (fabs(p->fraction - fraction) > 0.001) {
        result_error(ctx, "the fraction argument to %s() is not the same for all input rows", ctx->def->name);
        return;
    }
    if (argv[0]->type == VALUE_NULL) return;
    if (argv[0]->type != VALUE_INTEGER && argv[0]->type != VALUE_REAL) {
        result_error(ctx, "input to %s() is not numeric", ctx->def->name);
        return;
    }
    double r = value_to_real(argv[0]);
    if (isinf(r)) {
        result_error(ctx, "Inf input to %s()", ctx->def->name);
        return;
    }
    if (p->count == p->capacity) {
        size_t capacity = p->capacity * 2 + 250;
        double *grown = realloc(p->values, capacity * sizeof *grown);
        if (!grown) {
            result_nomem(ctx);
            return;
        }
        p->values = grown;
        p->capacity = capacity;
    }
    if (p->keep_sorted && p->sorted) {
        size_t at = percentile_place(p, r);
        memmove(p->values + at + 1, p->values + at, (p->count - at) * sizeof *p->values);
        p->values[at] = r;
        p->count++;
    } else {
        if (p->count && r < p->values[p->count - 1]) p->sorted = false;
        p->values[p->count++] = r;
    }
}

static void percentile_inverse(ARGUMENTS)
{
    struct percentile *p = function_aggregate(ctx, 0);
    if (!p || (argv[0]->type != VALUE_INTEGER && argv[0]->type != VALUE_REAL)) return;
    double r = value_to_real(argv[0]);
    percentile_sort(p);
    p->keep_sorted = true;
    size_t at = percentile_place(p, r);
    if (at == p->count || p->values[at] != r) return;
    p->count--;
    memmove(p->values + at, p->values + at + 1, (p->count - at) * sizeof *p->values);
}

static void percentile_value(struct function_context *ctx)
{
    struct percentile *p = function_aggregate(ctx, 0);
    if (!p) return;
    p->keep_sorted = true;
    if (p->count == 0) return;
    percentile_sort(p);
    double place = p->fraction * (double)(p->count - 1);
    size_t i = (size_t)place;
    double r = p->values[i];
    if (!(ctx->def->user & PERCENT_DISCRETE) && place != (double)i && i + 1 < p->count) {
        r += (p->values[i + 1] - r) * (place - (double)i);
    }
    result_real(ctx, r);
}

static void percentile_final(struct function_context *ctx)
{
    percentile_value(ctx);
    struct percentile *p = function_aggregate(ctx, 0);
    if (!p) return;
    free(p->values);
    *p = (struct percentile){0};
}

_Static_assert(sizeof(struct sum) <= sizeof(((struct aggregate_state *)0)->small), "quick states are small");

#define AGGREGATE (FN_DETERMINISTIC | FN_AGGREGATE | FN_WINDOW)
const struct fn_def FN_AGGREGATES[] = {
    {"count", 0, AGGREGATE | FN_COUNT | FN_ANY_ORDER, 0, NULL, count_step, count_inverse, count_final, count_final, .quick = count_rows_quick, .quick_size = sizeof(s64)},
    {"count", 1, AGGREGATE | FN_COUNT_VALUES | FN_ANY_ORDER, 0, NULL, count_step, count_inverse, count_final, count_final, .quick = count_quick, .quick_size = sizeof(s64)},
    {"sum", 1, AGGREGATE, 0, NULL, sum_step, sum_inverse, sum_final, sum_final, .quick = sum_quick, .quick_size = sizeof(struct sum)},
    {"total", 1, AGGREGATE, 0, NULL, sum_step, sum_inverse, total_final, total_final, .quick = sum_quick, .quick_size = sizeof(struct sum)},
    {"avg", 1, AGGREGATE, 0, NULL, sum_step, sum_inverse, avg_final, avg_final, .quick = sum_quick, .quick_size = sizeof(struct sum)},
    {"min", 1, AGGREGATE | FN_MIN_MAX | FN_ANY_ORDER | FN_NEEDS_COLLATION, 0, NULL, extreme_step, NULL, extreme_final, extreme_value},
    {"max", 1, AGGREGATE | FN_MIN_MAX | FN_ANY_ORDER | FN_NEEDS_COLLATION, 1, NULL, extreme_step, NULL, extreme_final, extreme_value},
    {"group_concat", 1, AGGREGATE | FN_ORDERED, 0, NULL, concat_step, concat_inverse, concat_final, concat_value},
    {"group_concat", 2, AGGREGATE | FN_ORDERED, 0, NULL, concat_step, concat_inverse, concat_final, concat_value},
    {"string_agg", 2, AGGREGATE | FN_ORDERED, 0, NULL, concat_step, concat_inverse, concat_final, concat_value},
    {"median", 1, AGGREGATE, 0, NULL, percentile_step, percentile_inverse, percentile_final, percentile_value},
    {"percentile", 2, AGGREGATE, PERCENT_OF_HUNDRED, NULL, percentile_step, percentile_inverse, percentile_final,
     percentile_value},
    {"percentile_cont", 2, AGGREGATE, 0, NULL, percentile_step, percentile_inverse, percentile_final,
     percentile_value},
    {"percentile_disc", 2, AGGREGATE, PERCENT_DISCRETE, NULL, percentile_step, percentile_inverse, percentile_final,
     percentile_value},
    {0},
};
