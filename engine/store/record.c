#include "record.h"
#include "record_serial.h"
#include "../utf16.h"

// ---- varints: seven bits a byte, most significant first; a ninth byte holds eight -------------------------

u32 varint_get_long(const u8 *p, u64 *out)
{
    u64 v = 0;
    for (u32 i = 0; i < 8; i++) {
        v = v << 7 | (p[i] & 0x7f);
        if (p[i] < 0x80) {
            *out = v;
            return i + 1;
        }
    }
    *out = v << 8 | p[8];
    return 9;
}

u32 varint_get_checked_long(const u8 *p, const u8 *end, u64 *out)
{
    if (LIKELY(end - p >= 9)) return varint_get(p, out);
    u64 v = 0;
    for (u32 i = 0; p + i < end; i++) { // fewer than 9 bytes are there
        v = v << 7 | (p[i] & 0x7f);
        if (p[i] < 0x80) {
            *out = v;
            return i + 1;
        }
    }
    return 0;
}

u32 varint_put_long(u8 *p, u64 v)
{
    if (v >> 56) {
        p[8] = (u8)v;
        v >>= 8;
        for (int i = 7; i >= 0; i--) {
            p[i] = (u8)(v | 0x80);
            v >>= 7;
        }
        return 9;
    }
    u32 size = varint_size(v);
    for (u32 i = size; i-- > 0;) {
        p[i] = (u8)(v | 0x80);
        v >>= 7;
    }
    p[size - 1] &= 0x7f;
    return size;
}

// ---- serial types -----------------------------------------------------------------------------------

static const u8 serial_type_size_small[12] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};

u32 serial_type_size(u64 serial_type)
{
    if (serial_type < 12) return serial_type_size_small[serial_type];
    u64 size = (serial_type - 12) / 2;
    return size > UINT32_MAX ? UINT32_MAX : (u32)size;
}

err_code serial_get(const u8 *bytes, u64 serial_type, u8 encoding, struct value *out)
{
    switch (serial_type) {
    case 0:
    case 10: // reserved: read as NULL
    case 11: value_set_null(out); return ERR_OK;
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
    case 8:
    case 9: value_set_integer(out, serial_integer(bytes, serial_type)); return ERR_OK;
    case 7: value_set_real(out, serial_real(bytes)); return ERR_OK;
    default: break;
    }
    u32 size = serial_type_size(serial_type);
    if (!(serial_type & 1)) {
        value_borrow_blob(out, bytes, size);
        return ERR_OK;
    }
    if (LIKELY(encoding <= 1) || size < 2) {
        value_borrow_text(out, bytes, encoding <= 1 ? size : 0);
        return ERR_OK;
    }
    u64 bound = utf8_size_bound(size);
    if (bound > UINT32_MAX) return ERR_TOOBIG;
    err_code code = value_reserve(out, (u32)bound);
    if (code != ERR_OK) return code;
    u64 length = utf8_from_utf16(bytes, size, encoding == 3, out->buffer);
    out->type = VALUE_TEXT;
    out->flags = 0;
    out->bytes = out->buffer;
    out->size = (u32)length;
    return ERR_OK;
}

static inline s64 stored_integer(const struct value *v)
{
    return v->type == VALUE_REAL ? (s64)v->real : v->integer;
}

// The serial type of a value and its bytes in the record, a blob's zero tail included.
static inline u64 value_serial_type(const struct value *v, u8 encoding, u64 *size)
{
    *size = 0;
    switch ((enum value_type)v->type) {
    case VALUE_NULL: return 0;
    case VALUE_REAL:
        if (!(v->flags & VALUE_WHOLE)) {
            *size = 8;
            return 7;
        }
        // fall through
    case VALUE_INTEGER: {
        s64 i = stored_integer(v);
        u64 magnitude = i < 0 ? ~(u64)i : (u64)i;
        if (magnitude <= 127) {
            if ((i & 1) == i) return 8 + (u64)i;
            *size = 1;
            return 1;
        }
        if (magnitude <= 32767) return *size = 2;
        if (magnitude <= 8388607) return *size = 3;
        if (magnitude <= 2147483647) return *size = 4;
        if (magnitude <= 0x7fffffffffff) {
            *size = 6;
            return 5;
        }
        *size = 8;
        return 6;
    }
    case VALUE_TEXT:
        *size = LIKELY(encoding <= 1) ? v->size : utf16_size_of_utf8(v->bytes, v->size);
        return *size * 2 + 13;
    case VALUE_BLOB:
        *size = v->size + (v->flags & VALUE_ZERO_TAIL ? (u64)v->zero_count : 0);
        return *size * 2 + 12;
    }
    return 0;
}

// ---- records ----------------------------------------------------------------------------------------

// The header's first varint counts itself.
static u64 header_size(u64 types_size)
{
    if (types_size <= 126) return types_size + 1;
    u32 own = varint_size(types_size);
    if (varint_size(types_size + own) > own) own++;
    return types_size + own;
}

static bool value_has_zero_tail(const struct value *v)
{
    return v->type == VALUE_BLOB && (v->flags & VALUE_ZERO_TAIL) && v->zero_count;
}

u64 record_size(const struct value *values, u32 count, u8 encoding, u64 *zero_tail)
{
    u64 types = 0, data = 0;
    for (u32 i = 0; i < count; i++) {
        u64 size;
        types += varint_size(value_serial_type(&values[i], encoding, &size));
        data += size;
    }
    if (zero_tail) {
        *zero_tail = count && value_has_zero_tail(&values[count - 1]) ? values[count - 1].zero_count : 0;
        data -= *zero_tail;
    }
    return header_size(types) + data;
}

static u8 *serial_put(u8 *at, u8 *end, const struct value *v, u64 serial_type, u64 size, u8 encoding)
{
    switch ((enum value_type)v->type) {
    case VALUE_NULL: return at;
    case VALUE_REAL:
        if (serial_type == 7) {
            u64 bits;
            memcpy(&bits, &v->real, 8);
            be64_put(at, bits);
            return at + 8;
        }
        // fall through
    case VALUE_INTEGER: {
        u64 i = (u64)stored_integer(v);
        for (u64 n = size; n-- > 0;) {
            at[n] = (u8)i;
            i >>= 8;
        }
        return at + size;
    }
    case VALUE_TEXT:
        if (UNLIKELY(encoding > 1))
            utf16_from_utf8(v->bytes, v->size, encoding == 3, at, size);
        else if (size)
            memcpy(at, v->bytes, size);
        return at + size;
    case VALUE_BLOB:
        if (v->size) memcpy(at, v->bytes, v->size);
        at += v->size;
        size = MIN(size - v->size, (u64)(end - at)); // the zeros, unless they are left to the caller
        memset(at, 0, size);
        return at + size;
    }
    return at;
}

err_code record_encode(const struct value *values, u32 count, u8 encoding, u8 *out, u64 size)
{
    u64 types = 0, unused;
    for (u32 i = 0; i < count; i++) types += varint_size(value_serial_type(&values[i], encoding, &unused));
    u64 header = header_size(types);
    if (header > size) return ERR_INTERNAL;
    u8 *type_at = out + varint_put(out, header), *at = out + header, *end = out + size;
    for (u32 i = 0; i < count; i++) {
        u64 value_size, type = value_serial_type(&values[i], encoding, &value_size);
        type_at += varint_put(type_at, type);
        u64 room = (u64)(end - at);
        bool tail_apart = i + 1 == count && value_has_zero_tail(&values[i]);
        if (room < (tail_apart ? values[i].size : value_size)) return ERR_INTERNAL;
        at = serial_put(at, end, &values[i], type, value_size, encoding);
    }
    return at == end ? ERR_OK : ERR_INTERNAL;
}

#define TYPES_MAX 64u

// Serial type of an integer; its size is that of the type.
static inline u32 integer_type(s64 i)
{
    if ((u64)i <= 1) return 8 + (u32)i;
    static const u8 types[65] = {[0 ... 7] = 1, [8 ... 15] = 2, [16 ... 23] = 3, [24 ... 31] = 4, [32 ... 47] = 5, [48 ... 64] = 6};
    return types[64 - __builtin_clzll((u64)(i ^ i >> 63) << 1 | 1) - 1]; // bits without the sign
}

// A value's bytes at `at`, and its serial type. Integers and reals are written as eight bytes, more than they may need. Gives where
// the next goes; NULL: there is no room for it before `end`, or it is a blob with a zero tail or of more than bytes_max.
ALWAYS_INLINE u8 *compose_value(const struct value *v, u8 *at, const u8 *end, u32 bytes_max, u64 *type)
{
    if (v->type == VALUE_INTEGER || v->type == VALUE_REAL) {
        bool whole = v->type == VALUE_INTEGER || v->flags & VALUE_WHOLE;
        s64 n = v->flags & VALUE_WHOLE ? (s64)v->real : v->integer; // a real's bits are where an integer is
        u32 t = whole ? integer_type(n) : 7, size = serial_type_size_small[t];
        if (UNLIKELY(end - at < 8)) return NULL;
        be64_put(at, (u64)n << (-8 * size & 63));
        *type = t;
        return at + size;
    }
    if (v->type == VALUE_TEXT || v->type == VALUE_BLOB) {
        if (UNLIKELY(v->size > bytes_max || (u64)(end - at) < v->size || v->flags & VALUE_ZERO_TAIL)) return NULL;
        if (v->size) memcpy(at, v->bytes, v->size);
        *type = (u64)v->size * 2 + (v->type == VALUE_TEXT ? 13 : 12);
        return at + v->size;
    }
    *type = 0;
    return at;
}

static inline bool composed(u8 *at, const u8 *end, u64 size_max, struct value *out)
{
    if (UNLIKELY((u64)(end - at) > size_max)) return false;
    out->type = VALUE_BLOB;
    out->flags = 0;
    out->bytes = at;
    out->size = (u32)(end - at);
    return true;
}

// Records with headers of up to eight bytes, made in a register and written at once: what was written piece by piece cannot be
// read as a whole soon. False: it is none of these, or has no room in `out`.
ALWAYS_INLINE bool compose_short(const struct value *values, u32 count, u64 size_max, struct value *out)
{
    enum { HEADER_MAX = 8, BYTES_MAX = 8000 }; // types of one or two bytes
    if (UNLIKELY(count >= HEADER_MAX || out->capacity < HEADER_MAX)) return false;
    u8 *data = out->buffer + HEADER_MAX, *at = data;
    u64 header = 0; // its bytes, the last one on top
    u32 size = 1;
    for (u32 i = 0; i < count; i++) {
        u64 type;
        at = compose_value(&values[i], at, out->buffer + out->capacity, BYTES_MAX, &type);
        if (UNLIKELY(!at)) return false;
        if (LIKELY(type < 0x80)) {
            header = header >> 8 | type << 56;
            size++;
        } else {
            header = header >> 16 | (type >> 7 | 0x80) << 48 | (type & 0x7f) << 56;
            size += 2;
        }
    }
    if (UNLIKELY(size > HEADER_MAX)) return false;
    header |= (u64)size << 8 * (HEADER_MAX - size);
    be64_put(data - HEADER_MAX, __builtin_bswap64(header));
    return composed(data - size, at, size_max, out);
}

// Records of few fields, without zero tails, of UTF-8 text, that fit into the buffer that `out` has. The header is put
// before the values when its size is known. False: it is none of these, or longer than size_max.
ALWAYS_INLINE bool compose_plain(const struct value *values, u32 count, u64 size_max, struct value *out)
{
    u8 types[8 + 5 * TYPES_MAX], *types_end = types + 8;
    u32 room = 8 + 2 + 5 * count; // in front of the values
    if (UNLIKELY(count > TYPES_MAX || out->capacity < room)) return false;
    u8 *at = out->buffer + room, *end = at;
    for (u32 i = 0; i < count; i++) {
        u64 type;
        end = compose_value(&values[i], end, out->buffer + out->capacity, UINT32_MAX, &type);
        if (UNLIKELY(!end)) return false;
        types_end += varint_put(types_end, type);
    }
    u32 types_size = (u32)(types_end - types) - 8;
    for (u32 done = 0; done < types_size; done += 8) memcpy(at - 8 - done, types_end - 8 - done, 8);
    at -= types_size;
    u32 header = (u32)header_size(types_size);
    at -= header - types_size;
    varint_put(at, header);
    return composed(at, end, size_max, out);
}

__attribute__((noinline)) static err_code compose_any(const struct value *values, u32 count, u8 encoding, u64 size_max, struct value *out)
{
    u64 zero_tail, total = record_size(values, count, encoding, &zero_tail);
    if (UNLIKELY(total + zero_tail > size_max)) return ERR_TOOBIG;
    err_code code = value_reserve(out, (u32)total + 1);
    if (code == ERR_OK) code = record_encode(values, count, encoding, out->buffer, total);
    if (code != ERR_OK) return code;
    out->type = VALUE_BLOB;
    out->flags = zero_tail ? VALUE_ZERO_TAIL : 0;
    if (zero_tail) out->zero_count = (u32)zero_tail;
    out->bytes = out->buffer;
    out->size = (u32)total;
    return ERR_OK;
}

// Makes room for a register's first record, or one that is longer than those before. False: that would not help, or failed.
__attribute__((noinline)) static bool compose_reserve(const struct value *values, u32 count, struct value *out)
{
    u64 room = 18 + 5 * (u64)count;
    if (count > TYPES_MAX) return false;
    for (u32 i = 0; i < count; i++) room += values[i].type == VALUE_TEXT || values[i].type == VALUE_BLOB ? values[i].size : 8;
    return room > out->capacity && room <= VALUE_SIZE_MAX && value_reserve(out, (u32)room) == ERR_OK;
}

err_code record_compose(const struct value *values, u32 count, u8 encoding, u64 size_max, struct value *out)
{
    if (LIKELY(encoding <= 1)) {
        do
            if (LIKELY(compose_short(values, count, size_max, out)) || compose_plain(values, count, size_max, out)) return ERR_OK;
        while (compose_reserve(values, count, out));
    }
    return compose_any(values, count, encoding, size_max, out);
}

err_code record_decode(const u8 *record, u64 size, u8 encoding, struct value *values, u32 max, u32 *count,
                       struct err *err)
{
    *count = 0;
    const u8 *end = record + size;
    u64 header;
    u32 n = varint_get_checked(record, end, &header);
    if (n == 0 || header < n || header > size) {
        err_set(err, ERR_CORRUPT, __func__,
                "database disk image is malformed: a record's header of %llu bytes is longer than the record",
                n ? (unsigned long long)header : 0ull);
        return ERR_CORRUPT;
    }
    const u8 *type_at = record + n, *header_end = record + header, *data = header_end;
    while (type_at < header_end && *count < max) {
        u64 type = 0;
        n = varint_get_checked(type_at, header_end, &type);
        u64 value_size = type < 12 ? serial_type_size(type) : (type - 12) / 2;
        if (n == 0 || value_size > (u64)(end - data)) {
            err_set(err, ERR_CORRUPT, __func__,
                    "database disk image is malformed: field %u of a record of %llu bytes ends outside it",
                    *count, (unsigned long long)size);
            return ERR_CORRUPT;
        }
        err_code code = serial_get(data, type, encoding, &values[*count]);
        if (code != ERR_OK) {
            err_set(err, code, __func__, "%s", err_default_text(code));
            return code;
        }
        type_at += n;
        data += value_size;
        (*count)++;
    }
    return ERR_OK;
}
