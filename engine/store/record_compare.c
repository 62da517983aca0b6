// Order of records. A record is compared as it lies in its page: a field is decoded only as far as the
// comparison needs it.
#include "record.h"
#include "record_serial.h"
#include "../utf16.h"

static int bytes_compare(const u8 *a, u64 a_size, const u8 *b, u64 b_size)
{
    u64 common = MIN(a_size, b_size);
    int c = common ? memcmp(a, b, common) : 0;
    return c ? c : (a_size > b_size) - (a_size < b_size);
}

static int integer_compare(s64 a, s64 b) { return (a > b) - (a < b); }

static int real_compare(double a, double b) { return (a > b) - (a < b); }

static bool type_is_integer(u64 type) { return (type >= 1 && type <= 6) || type == 8 || type == 9; }

// NULL < numbers < text < blob.
static int type_class(u64 type)
{
    if (type == 0 || type == 10 || type == 11) return 0;
    return type < 12 ? 1 : type & 1 ? 2 : 3;
}

static inline u64 type_size(u64 type) { return type < 12 ? serial_type_size(type) : (type - 12) / 2; }

static int order_apply(int c, const struct key_info *info, u32 field, bool null)
{
    u8 order = info->orders && field < info->all_count ? info->orders[field] : 0;
    if (UNLIKELY(order)) {
        bool descending = order & KEY_DESC;
        if (!(order & KEY_NULLS_LAST) || descending != null) c = -c;
    }
    return c;
}

static const struct collation *field_collation(const struct key_info *info, u32 field)
{
    const struct collation *collation =
        info->collations && field < info->all_count ? info->collations[field] : NULL;
    return collation == &COLLATION_BINARY ? NULL : collation;
}

static int malformed(struct err *err, u32 field, u64 size)
{
    err_set(err, ERR_CORRUPT, "record_compare",
            "database disk image is malformed: field %u of a record of %llu bytes ends outside it", field,
            (unsigned long long)size);
    return 0;
}

// Text of a UTF-16 database: BINARY compares its bytes as they are, other collations its UTF-8.
static int text_compare_utf16(const u8 *a, u64 a_size, const struct value *key, u8 encoding,
                              const struct collation *collation, struct err *err)
{
    u64 size = collation ? utf8_size_bound(a_size) : utf16_size_of_utf8(key->bytes, key->size);
    u8 *buffer = malloc(size + 1);
    if (!buffer) {
        err_set(err, ERR_NOMEM, __func__, "%s", err_default_text(ERR_NOMEM));
        return 0;
    }
    int c;
    if (collation) {
        u64 length = utf8_from_utf16(a, a_size, encoding == 3, buffer);
        c = collation->compare(collation->context, buffer, (u32)length, key->bytes, key->size);
    } else {
        utf16_from_utf8(key->bytes, key->size, encoding == 3, buffer, size);
        c = bytes_compare(a, a_size, buffer, size);
    }
    free(buffer);
    return c;
}

static int text_compare(const u8 *a, u64 a_size, const struct value *key, const struct key_info *info,
                        u32 field, struct err *err)
{
    const struct collation *collation = field_collation(info, field);
    if (UNLIKELY(info->encoding > 1)) return text_compare_utf16(a, a_size, key, info->encoding, collation, err);
    if (!collation) return bytes_compare(a, a_size, key->bytes, key->size);
    return collation->compare(collation->context, a, (u32)MIN(a_size, UINT32_MAX), key->bytes, key->size);
}

static int blob_compare(const u8 *a, u64 a_size, const struct value *key)
{
    if (LIKELY(!(key->flags & VALUE_ZERO_TAIL))) return bytes_compare(a, a_size, key->bytes, key->size);
    int c = bytes_compare(a, MIN(a_size, key->size), key->bytes, key->size);
    if (c) return c;
    u64 key_size = (u64)key->size + key->zero_count;
    for (u64 i = key->size; i < MIN(a_size, key_size); i++) {
        if (a[i]) return 1;
    }
    return (a_size > key_size) - (a_size < key_size);
}

int record_compare(const u8 *record, u64 size, struct search_key *key, struct err *err)
{
    return record_compare_partial(record, size, size, key, NULL, err);
}

int record_compare_partial(const u8 *record, u64 available, u64 size, struct search_key *key, bool *undecided,
                           struct err *err)
{
    const u8 *end = record + available;
    u64 header = 0;
    u32 n = varint_get_checked(record, end, &header);
    if (UNLIKELY(n == 0 || header > available || header < n)) {
        if (!undecided || header > size) return malformed(err, 0, size);
        *undecided = true;
        return 0;
    }
    const u8 *type_at = record + n, *header_end = record + header, *data = header_end;
    const struct key_info *info = key->info;
    for (u32 field = 0; field < key->count; field++) {
        if (UNLIKELY(type_at >= header_end)) return malformed(err, field, size); // no entry of this tree is shorter than a key
        u64 type;
        n = varint_get_checked(type_at, header_end, &type);
        if (n == 0) return malformed(err, field, size);
        type_at += n;
        u64 value_size = type_size(type);
        if (UNLIKELY(value_size > (u64)(end - data))) {
            if (!undecided || value_size > size) return malformed(err, field, size);
            *undecided = true;
            return 0;
        }
        const struct value *v = &key->values[field];
        int c;
        switch (v->type) {
        case VALUE_INTEGER:
            if (LIKELY(type_is_integer(type)))
                c = integer_compare(serial_integer(data, type), v->integer);
            else if (type == 7)
                c = -integer_real_compare(v->integer, serial_real(data));
            else
                c = type_class(type) - 1;
            break;
        case VALUE_REAL:
            if (type == 7)
                c = real_compare(serial_real(data), v->real);
            else if (type_is_integer(type))
                c = integer_real_compare(serial_integer(data, type), v->real);
            else
                c = type_class(type) - 1;
            break;
        case VALUE_TEXT:
            if (LIKELY(type >= 13 && (type & 1))) {
                c = text_compare(data, value_size, v, info, field, err);
                if (UNLIKELY(c == 0 && err->code != ERR_OK)) return 0;
            } else {
                c = type_class(type) - 2;
            }
            break;
        case VALUE_BLOB:
            c = type_class(type) == 3 ? blob_compare(data, value_size, v) : -1;
            break;
        default: c = type_class(type); break; // NULL
        }
        if (c) return order_apply(c, info, field, v->type == VALUE_NULL || type_class(type) == 0);
        data += value_size;
    }
    key->equal_seen = true;
    return key->default_result;
}

// ---- two records ------------------------------------------------------------------------------------

static int fields_compare(const u8 *a, u64 a_type, const u8 *b, u64 b_type, const struct key_info *info,
                          u32 field, struct err *err)
{
    int a_class = type_class(a_type), b_class = type_class(b_type);
    if (a_class != b_class) return a_class - b_class;
    if (a_class == 0) return 0;
    if (a_class == 3) return bytes_compare(a, type_size(a_type), b, type_size(b_type));
    if (a_class == 1) {
        if (a_type == 7)
            return b_type == 7 ? real_compare(serial_real(a), serial_real(b))
                               : -integer_real_compare(serial_integer(b, b_type), serial_real(a));
        if (b_type == 7) return integer_real_compare(serial_integer(a, a_type), serial_real(b));
        return integer_compare(serial_integer(a, a_type), serial_integer(b, b_type));
    }
    const struct collation *collation = field_collation(info, field);
    if (!collation) return bytes_compare(a, type_size(a_type), b, type_size(b_type));
    struct value key = {.type = VALUE_TEXT, .bytes = b, .size = (u32)MIN(type_size(b_type), UINT32_MAX)};
    u8 *converted = NULL;
    if (info->encoding > 1) {
        converted = malloc(utf8_size_bound(key.size) + 1);
        if (!converted) {
            err_set(err, ERR_NOMEM, __func__, "%s", err_default_text(ERR_NOMEM));
            return 0;
        }
        key.size = (u32)utf8_from_utf16(b, key.size, info->encoding == 3, converted);
        key.bytes = converted;
    }
    int c = text_compare(a, type_size(a_type), &key, info, field, err);
    free(converted);
    return c;
}

struct field_reader {
    const u8 *type_at, *header_end, *data, *end;
    u64 type, size;
};

static inline bool reader_open(struct field_reader *r, const u8 *record, u64 size)
{
    u64 header;
    u32 n = varint_get_checked(record, record + size, &header);
    if (n == 0 || header > size || header < n) return false;
    *r = (struct field_reader){record + n, record + header, record + header, record + size, 0, 0};
    return true;
}

// The next field's type and size; false when it is malformed.
static inline bool reader_next(struct field_reader *r)
{
    r->type = 0;
    u32 n = varint_get_checked(r->type_at, r->header_end, &r->type);
    r->size = type_size(r->type);
    r->type_at += n;
    return n > 0 && r->size <= (u64)(r->end - r->data);
}

int record_compare_records(const u8 *a, u64 a_size, const u8 *b, u64 b_size, const struct key_info *info,
                           u32 fields, struct err *err)
{
    struct field_reader ra, rb;
    if (!reader_open(&ra, a, a_size)) return malformed(err, 0, a_size);
    if (!reader_open(&rb, b, b_size)) return malformed(err, 0, b_size);
    for (u32 field = 0; field < fields; field++) {
        bool a_more = ra.type_at < ra.header_end, b_more = rb.type_at < rb.header_end;
        if (!a_more || !b_more) return (int)a_more - (int)b_more;
        if (!reader_next(&ra)) return malformed(err, field, a_size);
        if (!reader_next(&rb)) return malformed(err, field, b_size);
        int c = fields_compare(ra.data, ra.type, rb.data, rb.type, info, field, err);
        if (c) return order_apply(c, info, field, type_class(ra.type) == 0 || type_class(rb.type) == 0);
        if (UNLIKELY(err->code != ERR_OK)) return 0;
        ra.data += ra.size;
        rb.data += rb.size;
    }
    return 0;
}
