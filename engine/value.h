// SQL values: what registers, records, functions and parameters hold.
//
// Text is UTF-8 (whatever the database's encoding: records are converted at the border), need not be
// valid UTF-8, may contain NUL bytes, and is not NUL-terminated unless VALUE_TERMINATED says so.
#pragma once

#include "../io/base.h"
#include "../io/err.h"

enum value_type { // SQLite's numbers
    VALUE_INTEGER = 1,
    VALUE_REAL = 2,
    VALUE_TEXT = 3,
    VALUE_BLOB = 4,
    VALUE_NULL = 5,
};

enum value_flags {
    VALUE_TERMINATED = 1, // bytes[size] is 0
    VALUE_ZERO_TAIL = 2,  // blob: `zero_count` zero bytes follow bytes[0..size)
    VALUE_BORROWED = 4,   // bytes belong to someone else and live as long as the owner of this value expects
    VALUE_SUBTYPE = 8,    // `subtype` is set (JSON: 'J')
    VALUE_POINTER = 16,   // NULL with a pointer behind it (pointer passing, aggregates, row sets)
    VALUE_CLEARED = 32,   // NULL that stands for "no value yet" in comparisons of the sorter
    VALUE_WHOLE = 64,     // real that a record has as an integer (fileformat2: REAL columns); copies do not have it
};

struct value {
    union {
        s64 integer;
        double real;
        u32 zero_count;
        void *pointer;
    };
    u8 type; // enum value_type
    u8 flags;
    u8 subtype;
    u32 size; // bytes of text or blob, zero tail not counted
    const u8 *bytes;
    u8 *buffer; // own allocation, kept for reuse; bytes may point into it
    u32 capacity;
};

#define VALUE_SIZE_MAX 1000000000u // SQLITE_MAX_LENGTH

static inline void value_init(struct value *v)
{
    *v = (struct value){.type = VALUE_NULL};
}
void value_deinit(struct value *v); // frees the buffer
// The setters keep the buffer for reuse. Those that allocate give ERR_NOMEM or ERR_TOOBIG.
static inline void value_set_null(struct value *v)
{
    v->type = VALUE_NULL;
    v->flags = 0;
}
static inline void value_set_integer(struct value *v, s64 i)
{
    v->type = VALUE_INTEGER;
    v->flags = 0;
    v->integer = i;
}
static inline void value_set_real(struct value *v, double r) // NaN becomes NULL
{
    // Foreseen so surely that the type is stored without waiting for the comparison.
    v->type = __builtin_expect_with_probability(r == r, 1, 0.999) ? VALUE_REAL : VALUE_NULL;
    v->flags = 0;
    v->real = r;
}
// For a column of reals: -0.0 is 0.0 there, and whole numbers of up to six bytes are stored as integers.
static inline void value_set_column_real(struct value *v, double r)
{
    v->type = VALUE_REAL;
    v->real = r + 0.0;
    v->flags = r >= -0x1p47 && r < 0x1p47 && r == (double)(s64)r ? VALUE_WHOLE : 0;
}
err_code value_set_text(struct value *v, const void *bytes, size_t size);   // copies
err_code value_set_blob(struct value *v, const void *bytes, size_t size);   // copies
void value_borrow_text(struct value *v, const void *bytes, u32 size);
void value_borrow_blob(struct value *v, const void *bytes, u32 size);
err_code value_set_zero_blob(struct value *v, u64 size);
err_code value_copy_bytes(struct value *to, const struct value *from); // of text and blobs
static inline err_code value_copy(struct value *to, const struct value *from) // deep
{
    if (from->type == VALUE_TEXT || from->type == VALUE_BLOB) return value_copy_bytes(to, from);
    to->integer = from->integer;
    to->flags = from->flags & (u8)~VALUE_WHOLE;
    to->type = from->type;
    to->subtype = from->subtype;
    return ERR_OK;
}
void value_borrow(struct value *to, const struct value *from);         // shallow: `from` must outlive `to`
void value_move(struct value *to, struct value *from);                 // `from` becomes NULL
err_code value_own(struct value *v);             // borrowed bytes are copied into the buffer
err_code value_expand(struct value *v);          // the zero tail is written out
err_code value_terminate(struct value *v);       // bytes[size] = 0
err_code value_reserve(struct value *v, u32 size); // buffer of at least size bytes; contents are lost

// ---- conversion (SQLite's rules, exactly) -----------------------------------------------------------

enum affinity { // SQLite's letters, in SQLite's order: numeric ones are >= AFFINITY_NUMERIC
    AFFINITY_NONE = '@',
    AFFINITY_BLOB = 'A',
    AFFINITY_TEXT = 'B',
    AFFINITY_NUMERIC = 'C',
    AFFINITY_INTEGER = 'D',
    AFFINITY_REAL = 'E',
    AFFINITY_FLEXNUM = 'F',
};
// Where an encoding is asked for, it is the database's, 1 to 3 (0: UTF-8): the bytes of a blob are text in it.

// Column affinity as on storing; never fails but for memory.
err_code value_apply_affinity(struct value *v, enum affinity affinity);
err_code value_cast(struct value *v, enum affinity affinity, u8 encoding); // CAST(v AS ...)
// CAST-like readings that leave the value alone.
s64 value_to_integer_in(const struct value *v, u8 encoding);
double value_to_real_in(const struct value *v, u8 encoding);
bool value_to_bool_in(const struct value *v, bool if_null, u8 encoding);
static inline s64 value_to_integer(const struct value *v) { return value_to_integer_in(v, 0); }
static inline double value_to_real(const struct value *v) { return value_to_real_in(v, 0); }
// Number to text in place ("1.0e+15", 15 significant digits, "%!.15g"); ERR_NOMEM.
err_code value_to_text(struct value *v);
// Text that looks like a number becomes one (as a numeric operand: "12abc" -> 12); NULL and numbers stay.
void value_to_numeric(struct value *v, u8 encoding);

enum number_kind { NUMBER_NONE, NUMBER_INTEGER, NUMBER_REAL };
struct number_text {
    enum number_kind kind; // of the longest numeric prefix; NUMBER_NONE when there is none
    bool whole;            // nothing but white space around it
    s64 integer;           // when NUMBER_INTEGER
    double real;           // always: the value as a double, correctly rounded
};
struct number_text number_parse(const u8 *text, u32 size);
struct number_text number_parse_in(const struct value *v, u8 encoding); // of text or a blob
// Writes SQLite's text of a double (at most 32 bytes, with the terminating 0); gives its length.
u32 real_to_text(double r, char out[32]);
u32 integer_to_text(s64 i, char out[24]);

// ---- comparison -------------------------------------------------------------------------------------

struct collation {
    const char *name;
    int (*compare)(void *context, const u8 *a, u32 a_size, const u8 *b, u32 b_size);
    void *context;
};
extern const struct collation COLLATION_BINARY, COLLATION_NOCASE, COLLATION_RTRIM;

// NULL < numbers < text < blob; integers against reals exactly. collation NULL means BINARY.
int value_compare(const struct value *a, const struct value *b, const struct collation *collation);
int integer_real_compare(s64 i, double r);
