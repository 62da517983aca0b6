// Vectors as libSQL and Turso keep them. A blob of floats (little-endian, four bytes each) is a vector32; an odd
// last byte names other kinds: 1 is vector32 too, 2 is vector64 (eight bytes each).
#include "fn_internal.h"

#include <math.h>

#define ARGUMENTS struct function_context *ctx, u32 argc, const struct value **argv

enum { VECTOR_DIMENSION_MAX = 65536 };
enum vector_kind { VECTOR_32 = 1, VECTOR_64 = 2 };

struct vector {
    enum vector_kind kind;
    u32 count;
    const u8 *bytes; // unaligned
    struct text_buffer own; // when it was made of text
};

static double vector_at(const struct vector *v, u32 i)
{
    if (v->kind == VECTOR_64) {
        double d;
        memcpy(&d, v->bytes + (size_t)i * 8, 8);
        return d;
    }
    float f;
    memcpy(&f, v->bytes + (size_t)i * 4, 4);
    return (double)f;
}

static void append_number(struct text_buffer *b, enum vector_kind kind, double d)
{
    float f = (float)d;
    if (kind == VECTOR_32) {
        text_append(b, &f, 4);
    } else {
        text_append(b, &d, 8);
    }
}

// "[1, 2.5, -3e4]"
static bool vector_parse(struct function_context *ctx, const u8 *z, u32 size, enum vector_kind kind, struct vector *v)
{
    const u8 *end = z + size;
    while (z < end && is_space(*z)) z++;
    while (end > z && is_space(end[-1])) end--;
    if (end - z < 2 || *z != '[' || end[-1] != ']') {
        result_error(ctx, "invalid vector: it must look like [1, 2, 3]");
        return false;
    }
    z++;
    end--;
    *v = (struct vector){.kind = kind};
    while (z < end && is_space(*z)) z++;
    while (z < end) {
        const u8 *comma = memchr(z, ',', (size_t)(end - z));
        const u8 *stop = comma ? comma : end;
        struct number_text n = number_parse(z, (u32)(stop - z));
        if (n.kind == NUMBER_NONE || !n.whole || !isfinite(n.real) || (comma && comma + 1 == end)) {
            result_error(ctx, "invalid vector: element %u is not a finite number", v->count + 1);
            return false;
        }
        if (v->count == VECTOR_DIMENSION_MAX) {
            result_error(ctx, "invalid vector: more than %d elements", VECTOR_DIMENSION_MAX);
            return false;
        }
        append_number(&v->own, kind, n.real);
        v->count++;
        z = comma ? comma + 1 : end;
    }
    if (v->own.failed != ERR_OK) {
        result_nomem(ctx);
        return false;
    }
    v->bytes = v->own.bytes;
    return true;
}

static bool vector_read(struct function_context *ctx, const struct value *value, enum vector_kind text_kind,
                        struct vector *v)
{
    *v = (struct vector){.kind = text_kind};
    if (value->type == VALUE_TEXT) return vector_parse(ctx, value->bytes, value->size, text_kind, v);
    if (value->type != VALUE_BLOB || value->flags & VALUE_ZERO_TAIL) {
        result_error(ctx, "invalid vector: neither text nor blob");
        return false;
    }
    u32 size = value->size;
    v->bytes = value->bytes;
    v->kind = VECTOR_32;
    if (size % 2) {
        size--;
        u8 kind = value->bytes[size];
        if (kind != VECTOR_32 && kind != VECTOR_64) {
            result_error(ctx, "invalid vector: unknown type %u", kind);
            return false;
        }
        v->kind = kind;
    }
    u32 width = v->kind == VECTOR_64 ? 8 : 4;
    if (size % width) {
        result_error(ctx, "invalid vector: %u bytes are not whole elements", size);
        return false;
    }
    v->count = size / width;
    return true;
}

static void vector_fn(ARGUMENTS)
{
    struct vector v;
    struct text_buffer b = {0};
    enum vector_kind kind = ctx->def->user;
    if (argv[0]->type == VALUE_NULL) return;
    if (vector_read(ctx, argv[0], kind, &v)) {
        for (u32 i = 0; i < v.count; i++) append_number(&b, kind, vector_at(&v, i));
        if (kind == VECTOR_64) text_append_char(&b, VECTOR_64);
        result_blob_buffer(ctx, &b);
    }
    text_buffer_deinit(&v.own);
}

// With as many digits as it takes to read the same number back.
static void append_shortest(struct text_buffer *b, enum vector_kind kind, double d)
{
    char text[40];
    int n = 0;
    for (int digits = kind == VECTOR_32 ? 6 : 15; digits <= 17; digits++) {
        n = snprintf(text, sizeof text, "%.*g", digits, d);
        double back = number_parse((const u8 *)text, (u32)n).real;
        if (kind == VECTOR_32 ? (float)back == (float)d : back == d) break;
    }
    text_append(b, text, (size_t)n);
}

static void vector_extract_fn(ARGUMENTS)
{
    struct vector v;
    struct text_buffer b = {0};
    if (argv[0]->type == VALUE_NULL) return;
    if (vector_read(ctx, argv[0], VECTOR_32, &v)) {
        text_append_char(&b, '[');
        for (u32 i = 0; i < v.count; i++) {
            if (i) text_append_char(&b, ',');
            append_shortest(&b, v.kind, vector_at(&v, i));
        }
        text_append_char(&b, ']');
        result_text_buffer(ctx, &b);
    }
    text_buffer_deinit(&v.own);
}

enum { DISTANCE_COS, DISTANCE_L2 };

// Loads of floats that need not be aligned; several sums at once let the compiler use wide registers.
static void sums32(const struct vector *a, const struct vector *b, bool cosine, double out[3])
{
    enum { LANES = 8 };
    float dot[LANES] = {0}, aa[LANES] = {0}, bb[LANES] = {0};
    u32 i = 0;
    for (; i + LANES <= a->count; i += LANES) {
        float x[LANES], y[LANES];
        memcpy(x, a->bytes + (size_t)i * 4, sizeof x);
        memcpy(y, b->bytes + (size_t)i * 4, sizeof y);
        for (u32 k = 0; k < LANES; k++) {
            if (cosine) {
                dot[k] += x[k] * y[k];
                aa[k] += x[k] * x[k];
                bb[k] += y[k] * y[k];
            } else {
                dot[k] += (x[k] - y[k]) * (x[k] - y[k]);
            }
        }
    }
    for (u32 k = 0; k < LANES; k++) {
        out[0] += (double)dot[k];
        out[1] += (double)aa[k];
        out[2] += (double)bb[k];
    }
    for (; i < a->count; i++) {
        double x = vector_at(a, i), y = vector_at(b, i);
        out[0] += cosine ? x * y : (x - y) * (x - y);
        out[1] += x * x;
        out[2] += y * y;
    }
}

static void vector_distance_fn(ARGUMENTS)
{
    struct vector a, b = {0};
    if (argv[0]->type == VALUE_NULL || argv[1]->type == VALUE_NULL) return;
    bool cosine = ctx->def->user == DISTANCE_COS;
    if (vector_read(ctx, argv[0], VECTOR_32, &a) && vector_read(ctx, argv[1], a.kind, &b)) {
        if (a.kind != b.kind) {
            result_error(ctx, "%s: vectors must have the same type", ctx->def->name);
        } else if (a.count != b.count) {
            result_error(ctx, "%s: vectors must have the same length: %u != %u", ctx->def->name, a.count, b.count);
        } else {
            double sums[3] = {0}; // product or squared distance, and the squared lengths
            if (a.kind == VECTOR_32) {
                sums32(&a, &b, cosine, sums);
            } else {
                for (u32 i = 0; i < a.count; i++) {
                    double x = vector_at(&a, i), y = vector_at(&b, i);
                    sums[0] += cosine ? x * y : (x - y) * (x - y);
                    sums[1] += x * x;
                    sums[2] += y * y;
                }
            }
            result_real(ctx, cosine ? 1.0 - sums[0] / sqrt(sums[1] * sums[2]) : sqrt(sums[0]));
        }
    }
    text_buffer_deinit(&a.own);
    text_buffer_deinit(&b.own);
}

const struct fn_def FN_VECTOR[] = {
    {"vector", 1, FN_DETERMINISTIC, VECTOR_32, vector_fn},
    {"vector32", 1, FN_DETERMINISTIC, VECTOR_32, vector_fn},
    {"vector64", 1, FN_DETERMINISTIC, VECTOR_64, vector_fn},
    {"vector_extract", 1, FN_DETERMINISTIC, 0, vector_extract_fn},
    {"vector_distance_cos", 2, FN_DETERMINISTIC, DISTANCE_COS, vector_distance_fn},
    {"vector_distance_l2", 2, FN_DETERMINISTIC, DISTANCE_L2, vector_distance_fn},
    {0},
};
