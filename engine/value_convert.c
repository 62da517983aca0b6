// Conversions between the types of SQL values: affinity, casts, numeric operands.
#include "utf16.h"

static const double INTEGER_LIMIT = 9223372036854774784.0; // the greatest double below 2^63

static s64 real_to_integer(double r)
{
    if (r < -INTEGER_LIMIT) return INT64_MIN;
    if (r > INTEGER_LIMIT) return INT64_MAX;
    return (s64)r;
}

// Whether r, cut to i, lost nothing, and i is well within what doubles hold exactly.
static bool real_is_integer(double r, s64 i)
{
    return r == 0.0 || (r == (double)i && i >= -2251799813685248 && i < 2251799813685248);
}

static bool has_bytes(const struct value *v)
{
    return v->type == VALUE_TEXT || v->type == VALUE_BLOB;
}

static s64 text_to_integer(const u8 *z, u32 size)
{
    const u8 *end = z + size;
    while (z < end && (*z == ' ' || (*z >= '\t' && *z <= '\r'))) z++;
    bool negative = false;
    if (z < end && (*z == '-' || *z == '+')) negative = *z++ == '-';
    u64 i = 0, limit = (u64)INT64_MAX + negative;
    for (; z < end && (u8)(*z - '0') < 10; z++) {
        if (__builtin_mul_overflow(i, 10, &i) || __builtin_add_overflow(i, (u64)(*z - '0'), &i) || i > limit) {
            i = limit;
            break;
        }
    }
    return negative ? (s64)-i : (s64)i;
}

static bool is_wide(const struct value *v, u8 encoding)
{
    return UNLIKELY(v->type == VALUE_BLOB && encoding > 1);
}

// Apart from the readers of UTF-8, for the room that it takes.
static __attribute__((noinline)) struct number_text wide_parse(const struct value *v, bool big_endian)
{
    u8 text[UTF16_NUMBER_MAX];
    return number_parse(text, utf16_number(v, big_endian, text));
}

static __attribute__((noinline)) s64 wide_to_integer(const struct value *v, bool big_endian)
{
    u8 text[UTF16_NUMBER_MAX];
    return text_to_integer(text, utf16_number(v, big_endian, text));
}

struct number_text number_parse_in(const struct value *v, u8 encoding)
{
    return is_wide(v, encoding) ? wide_parse(v, encoding == 3) : number_parse(v->bytes, v->size);
}

s64 value_to_integer_in(const struct value *v, u8 encoding)
{
    switch ((enum value_type)v->type) {
    case VALUE_INTEGER: return v->integer;
    case VALUE_REAL: return real_to_integer(v->real);
    case VALUE_NULL: return 0;
    case VALUE_TEXT:
    case VALUE_BLOB: break;
    }
    return is_wide(v, encoding) ? wide_to_integer(v, encoding == 3) : text_to_integer(v->bytes, v->size);
}

double value_to_real_in(const struct value *v, u8 encoding)
{
    switch ((enum value_type)v->type) {
    case VALUE_INTEGER: return (double)v->integer;
    case VALUE_REAL: return v->real;
    case VALUE_NULL: return 0.0;
    case VALUE_TEXT:
    case VALUE_BLOB: break;
    }
    return number_parse_in(v, encoding).real;
}

bool value_to_bool_in(const struct value *v, bool if_null, u8 encoding)
{
    if (v->type == VALUE_INTEGER) return v->integer != 0;
    if (v->type == VALUE_NULL) return if_null;
    return value_to_real_in(v, encoding) != 0.0;
}

err_code value_to_text(struct value *v)
{
    if (v->type != VALUE_INTEGER && v->type != VALUE_REAL) return ERR_OK;
    err_code code = value_reserve(v, 32);
    if (code != ERR_OK) return code;
    char *text = (char *)v->buffer;
    v->size = v->type == VALUE_INTEGER ? integer_to_text(v->integer, text) : real_to_text(v->real, text);
    v->bytes = v->buffer;
    v->type = VALUE_TEXT;
    v->flags = VALUE_TERMINATED;
    return ERR_OK;
}

void value_to_numeric(struct value *v, u8 encoding)
{
    if (!has_bytes(v)) return;
    struct number_text n = number_parse_in(v, encoding);
    if (n.kind == NUMBER_REAL) {
        value_set_real(v, n.real);
    } else {
        value_set_integer(v, n.integer);
    }
}

// A real that is a whole number becomes an integer, the two extremes excepted.
static void real_integerize(struct value *v)
{
    s64 i = real_to_integer(v->real);
    if (v->real == (double)i && i > INT64_MIN && i < INT64_MAX) value_set_integer(v, i);
}

err_code value_apply_affinity(struct value *v, enum affinity affinity)
{
    switch (affinity) {
    case AFFINITY_NONE:
    case AFFINITY_BLOB: return ERR_OK;
    case AFFINITY_TEXT: return value_to_text(v);
    case AFFINITY_NUMERIC:
    case AFFINITY_INTEGER:
    case AFFINITY_REAL:
    case AFFINITY_FLEXNUM: break;
    }
    if (v->type == VALUE_TEXT) {
        // Most text that is no number shows it in its first byte.
        if (v->size == 0 || v->bytes[0] > '9') return ERR_OK;
        struct number_text n = number_parse(v->bytes, v->size);
        if (n.kind == NUMBER_NONE || !n.whole) return ERR_OK;
        if (n.kind == NUMBER_INTEGER) {
            value_set_integer(v, n.integer);
        } else {
            value_set_real(v, n.real);
            real_integerize(v);
        }
    } else if (v->type == VALUE_REAL && affinity != AFFINITY_FLEXNUM && affinity != AFFINITY_REAL) {
        real_integerize(v);
    }
    if (affinity == AFFINITY_REAL && v->type == VALUE_INTEGER) value_set_column_real(v, (double)v->integer);
    else if (affinity == AFFINITY_REAL && v->type == VALUE_REAL) value_set_column_real(v, v->real);
    return ERR_OK;
}

// What the bytes of text are in a UTF-16 database, before a cast.
static err_code cast_wide(struct value *v, enum affinity affinity, bool big_endian)
{
    const u8 known = v->flags & VALUE_SUBTYPE;
    if (affinity != AFFINITY_BLOB && affinity != AFFINITY_NONE) {
        err_code code = utf16_value_to_text(v, big_endian);
        v->flags |= known;
        return code;
    }
    err_code code = value_to_text(v); // its bytes are those of the database's text, unlike hex()'s
    return code == ERR_OK ? utf16_value_to_blob(v, big_endian) : code;
}

err_code value_cast(struct value *v, enum affinity affinity, u8 encoding)
{
    if (v->type == VALUE_NULL) return ERR_OK;
    err_code code = UNLIKELY(encoding > 1) ? cast_wide(v, affinity, encoding == 3) : ERR_OK;
    if (code != ERR_OK) return code;
    switch (affinity) {
    case AFFINITY_NONE:
    case AFFINITY_BLOB:
        code = value_to_text(v);
        if (code != ERR_OK) return code;
        v->type = VALUE_BLOB;
        v->flags &= VALUE_BORROWED | VALUE_ZERO_TAIL;
        return ERR_OK;
    case AFFINITY_TEXT:
        if (v->type == VALUE_TEXT) return ERR_OK; // what was known of it stays known
        code = v->type == VALUE_BLOB ? value_expand(v) : value_to_text(v);
        if (code != ERR_OK) return code;
        v->type = VALUE_TEXT;
        v->flags &= VALUE_BORROWED | VALUE_TERMINATED | VALUE_SUBTYPE;
        return ERR_OK;
    case AFFINITY_INTEGER: value_set_integer(v, value_to_integer(v)); return ERR_OK;
    case AFFINITY_REAL: value_set_real(v, value_to_real(v)); return ERR_OK;
    case AFFINITY_NUMERIC:
    case AFFINITY_FLEXNUM: break;
    }
    if (!has_bytes(v)) return ERR_OK;
    struct number_text n = number_parse(v->bytes, v->size);
    s64 i = n.kind == NUMBER_INTEGER ? n.integer : real_to_integer(n.real);
    if (n.kind == NUMBER_INTEGER || real_is_integer(n.real, i)) {
        value_set_integer(v, i);
    } else {
        value_set_real(v, n.real);
    }
    return ERR_OK;
}
