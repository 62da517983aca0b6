// The order of SQL values and the built-in collations.
#include "value.h"

#include <math.h>

int integer_real_compare(s64 i, double r)
{
    if (isnan(r)) return 1; // NaN stands for NULL
    if (r < -9223372036854775808.0) return 1;
    if (r >= 9223372036854775808.0) return -1;
    s64 cut = (s64)r;
    if (i != cut) return i < cut ? -1 : 1;
    double exact = (double)i;
    return exact < r ? -1 : exact > r;
}

static int binary_compare(void *context, const u8 *a, u32 a_size, const u8 *b, u32 b_size)
{
    int c = memcmp(a, b, MIN(a_size, b_size));
    if (c) return c;
    return a_size < b_size ? -1 : a_size > b_size;
}

static inline u8 fold(u8 c)
{
    return c | (u8)((u8)(c - 'A') < 26 ? 0x20 : 0);
}

static int nocase_compare(void *context, const u8 *a, u32 a_size, const u8 *b, u32 b_size)
{
    u32 n = MIN(a_size, b_size);
    for (u32 i = 0; i < n; i++) {
        if (a[i] != b[i]) {
            u8 x = fold(a[i]), y = fold(b[i]);
            if (x != y) return x < y ? -1 : 1;
        } else if (a[i] == 0) {
            break; // as SQLite: behind a NUL only the sizes count
        }
    }
    return a_size < b_size ? -1 : a_size > b_size;
}

static int rtrim_compare(void *context, const u8 *a, u32 a_size, const u8 *b, u32 b_size)
{
    while (a_size && a[a_size - 1] == ' ') a_size--;
    while (b_size && b[b_size - 1] == ' ') b_size--;
    return binary_compare(context, a, a_size, b, b_size);
}

const struct collation COLLATION_BINARY = {"BINARY", binary_compare, NULL};
const struct collation COLLATION_NOCASE = {"NOCASE", nocase_compare, NULL};
const struct collation COLLATION_RTRIM = {"RTRIM", rtrim_compare, NULL};

static bool all_zero(const u8 *bytes, u32 size)
{
    for (u32 i = 0; i < size; i++) {
        if (bytes[i]) return false;
    }
    return true;
}

static u64 blob_size(const struct value *v)
{
    return (u64)v->size + (v->flags & VALUE_ZERO_TAIL ? v->zero_count : 0);
}

// Tails of zeros are compared without being written out.
static int blob_compare(const struct value *a, const struct value *b)
{
    u32 common = MIN(a->size, b->size);
    int c = memcmp(a->bytes, b->bytes, common);
    if (c) return c;
    u64 a_size = blob_size(a), b_size = blob_size(b);
    if (a->size > common && b_size > common) {
        if (!all_zero(a->bytes + common, (u32)MIN(a->size, b_size) - common)) return 1;
    } else if (b->size > common && a_size > common) {
        if (!all_zero(b->bytes + common, (u32)MIN(b->size, a_size) - common)) return -1;
    }
    return a_size < b_size ? -1 : a_size > b_size;
}

static int type_rank(const struct value *v)
{
    static const u8 RANK[] = {[VALUE_NULL] = 0, [VALUE_INTEGER] = 1, [VALUE_REAL] = 1, [VALUE_TEXT] = 2,
                              [VALUE_BLOB] = 3};
    return RANK[v->type];
}

int value_compare(const struct value *a, const struct value *b, const struct collation *collation)
{
    if (a->type != b->type) {
        if (a->type == VALUE_INTEGER && b->type == VALUE_REAL) return integer_real_compare(a->integer, b->real);
        if (a->type == VALUE_REAL && b->type == VALUE_INTEGER) return -integer_real_compare(b->integer, a->real);
        return type_rank(a) < type_rank(b) ? -1 : 1;
    }
    switch ((enum value_type)a->type) {
    case VALUE_NULL: return 0;
    case VALUE_INTEGER: return a->integer < b->integer ? -1 : a->integer > b->integer;
    case VALUE_REAL: return a->real < b->real ? -1 : a->real > b->real;
    case VALUE_TEXT:
        if (!collation || collation == &COLLATION_BINARY) return binary_compare(NULL, a->bytes, a->size, b->bytes, b->size);
        return collation->compare(collation->context, a->bytes, a->size, b->bytes, b->size);
    case VALUE_BLOB: return blob_compare(a, b);
    }
    return 0;
}
