// SQLite's record format: header of serial types, then the values (fileformat2, "Record Format").
#pragma once

#include "../op.h"
#include "../value.h"

typedef u32 pgno;

enum key_order { KEY_DESC = 1, KEY_NULLS_LAST = 2 /* NULLs sort as the largest */ };

// How the keys of an index tree compare. Fields beyond field_count compare as BINARY, ascending.
struct key_info {
    u16 field_count; // that take part in comparison of full keys
    u16 all_count;   // with what follows (rowid)
    u16 unique_count; // index trees: no two entries are equal in the first so many fields, NULLs aside; 0: not unique
    u8 encoding;     // of text in the database: 1 UTF-8, 2 UTF-16le, 3 UTF-16be
    const struct collation **collations; // [all_count], NULL entry = BINARY
    u8 *orders;                          // [all_count] enum key_order bits
};

// Whether field i of one kind of key is in the order of field j of another.
static inline bool key_fields_alike(const struct key_info *a, u32 i, const struct key_info *b, u32 j)
{
    const struct collation *x = a->collations[i], *y = b->collations[j];
    return a->orders[i] == b->orders[j] && (x ? x : &COLLATION_BINARY) == (y ? y : &COLLATION_BINARY);
}

// A key to look for. default_result decides when all of its fields are equal to a longer record's:
// <0, 0, >0 = the record is taken as smaller, equal, larger than the key.
struct search_key {
    const struct key_info *info;
    const struct value *values;
    u16 count;
    s8 default_result;
    bool equal_seen; // set by comparison when all fields were equal
};

u32 varint_get_long(const u8 *p, u64 *out); // any length
// Gives the bytes read, 1..9; the caller guarantees 9 readable bytes.
static inline u32 varint_get(const u8 *p, u64 *out)
{
    if (LIKELY(p[0] < 0x80)) {
        *out = p[0];
        return 1;
    }
    if (p[1] < 0x80) {
        *out = (u64)(p[0] & 0x7f) << 7 | p[1];
        return 2;
    }
    if (p[2] < 0x80) {
        *out = (u64)(p[0] & 0x7f) << 14 | (u64)(p[1] & 0x7f) << 7 | p[2];
        return 3;
    }
    return varint_get_long(p, out);
}
static inline u32 varint_size(u64 v)
{
    return v >> 56 ? 9 : (u32)(63 - __builtin_clzll(v | 1)) / 7 + 1;
}
u32 varint_put_long(u8 *p, u64 v); // any
// Gives the bytes written, 1..9.
static inline u32 varint_put(u8 *p, u64 v)
{
    if (v < 0x80) {
        p[0] = (u8)v;
        return 1;
    }
    if (v < 0x4000) {
        p[0] = (u8)(v >> 7 | 0x80);
        p[1] = (u8)(v & 0x7f);
        return 2;
    }
    return varint_put_long(p, v);
}
u32 varint_get_checked_long(const u8 *p, const u8 *end, u64 *out); // any length
// As varint_get but within [p, end): 0 when it does not fit.
static inline u32 varint_get_checked(const u8 *p, const u8 *end, u64 *out)
{
    if (UNLIKELY(p >= end || *p >= 0x80)) return varint_get_checked_long(p, end, out);
    *out = *p;
    return 1;
}

u32 serial_type_size(u64 serial_type);
// Decodes one value; text and blob are borrowed from bytes (UTF-16 text is converted and owned).
err_code serial_get(const u8 *bytes, u64 serial_type, u8 encoding, struct value *out);

// Size of the record of these values; encode writes exactly that many bytes (zero tails written out unless
// they are the last value and zero_tail is not NULL, which then receives their length).
u64 record_size(const struct value *values, u32 count, u8 encoding, u64 *zero_tail);
err_code record_encode(const struct value *values, u32 count, u8 encoding, u8 *out, u64 size);
// Both of them into out's buffer: a blob, with the last value's zero tail as its own. ERR_TOOBIG: over size_max bytes.
err_code record_compose(const struct value *values, u32 count, u8 encoding, u64 size_max, struct value *out);
// Decodes at most max values of a whole record in memory; count is how many there were.
err_code record_decode(const u8 *record, u64 size, u8 encoding, struct value *values, u32 max, u32 *count,
                       struct err *err);
// Compares a whole record with a key: <0 when the record sorts before it. ERR_CORRUPT sets *err and gives 0.
int record_compare(const u8 *record, u64 size, struct search_key *key, struct err *err);
// As record_compare when only the first `available` bytes are in hand: sets *undecided when they do not settle it.
int record_compare_partial(const u8 *record, u64 available, u64 size, struct search_key *key, bool *undecided,
                           struct err *err);
// Compares two whole records by the first `fields` fields of info.
int record_compare_records(const u8 *a, u64 a_size, const u8 *b, u64 b_size, const struct key_info *info,
                           u32 fields, struct err *err);
