// The interpreter's loop. What is short or hot is here; the rest is called (vm.h says where it is).
//
// `in` is the instruction under way, PC its address. TRY leaves the loop at an instruction that waits or failed; NEXT
// and JUMP go on.
#include "vm.h"
#include "../fts/fts_table.h"
#include "../fts/fts_vocab.h"
#include "dbstat.h"

#include <math.h>

#include "../fn/table_function.h"
#include "../sql/ast.h"
#include "../sql/compile.h"
#include "../store/btree_inline.h"
#include "../store/pager.h"
#include "../utf16.h"
#include "key_filter.h"
#include "vm_column.h"

// Jumps back between two looks at interrupts and the loop.
#define SLICE_JUMPS 20000
#define SLICE_BYTES (1 << 20) // or so much for functions to look at, some milliseconds' work
#define SORTER_BUDGET_MIN (1 << 20)

io_status vm_no_memory(struct skerry_stmt *s)
{
    return vm_value_error(s, ERR_NOMEM);
}

io_status vm_value_error(struct skerry_stmt *s, err_code code)
{
    err_set(&s->op.err, code, __func__, "%s", err_default_text(code));
    return IO_FAIL;
}

io_status vm_memory_check(struct skerry_stmt *s)
{
    u64 limit = (u64)s->db->limits[SKERRY_LIMIT_STATEMENT_MEMORY];
    if (LIKELY(!limit)) return IO_DONE;
    u64 used = s->sorter_bytes;
    if (s->ephemeral_begun) used += (u64)txn_page_count(s->ephemeral->txn) * txn_page_size(s->ephemeral->txn);
    if (used <= limit) return IO_DONE;
    return IO_ERROR(&s->op.err, ERR_FULL, "sorters and temporary tables take more than the %llu bytes that a statement may use",
                    (unsigned long long)limit);
}

// ---- operators -----------------------------------------------------------------------------------------------

static void integer_arithmetic_overflow(u8 opcode, s64 a, s64 b, struct value *out)
{
    double x = (double)a, y = (double)b;
    switch (opcode) {
    case OP_Add: value_set_real(out, x + y); break;
    case OP_Subtract: value_set_real(out, y - x); break;
    case OP_Multiply: value_set_real(out, x * y); break;
    default: value_set_real(out, y / x); break;
    }
}

static inline bool integer_arithmetic(u8 opcode, s64 a, s64 b, struct value *out)
{
    s64 r;
    switch (opcode) {
    case OP_Add:
        if (__builtin_add_overflow(b, a, &r)) return false;
        break;
    case OP_Subtract:
        if (__builtin_sub_overflow(b, a, &r)) return false;
        break;
    case OP_Multiply:
        if (__builtin_mul_overflow(b, a, &r)) return false;
        break;
    case OP_Divide:
        if (a == 0) {
            value_set_null(out);
            return true;
        }
        if (a == -1 && b == INT64_MIN) return false;
        r = b / a;
        break;
    default:
        if (a == 0) {
            value_set_null(out);
            return true;
        }
        r = a == -1 ? 0 : b % a;
        break;
    }
    value_set_integer(out, r);
    return true;
}

// The register as a numeric operand; numbers are not copied.
static const struct value *numeric_operand(const struct value *v, struct value *scratch, u8 encoding)
{
    if (v->type == VALUE_INTEGER || v->type == VALUE_REAL || v->type == VALUE_NULL) return v;
    value_init(scratch);
    value_borrow(scratch, v);
    value_to_numeric(scratch, encoding);
    return scratch;
}

// A number as a real one, and whether it is a number.
static inline bool number_real(const struct value *v, double *out)
{
    if (v->type != VALUE_REAL && v->type != VALUE_INTEGER) return false;
    *out = v->type == VALUE_REAL ? v->real : (double)v->integer;
    return true;
}

static void arithmetic(u8 opcode, const struct value *left, const struct value *right, u8 encoding, struct value *out)
{
    struct value scratch[2];
    const struct value *divisor = left, *dividend = right; // as they are: of a remainder text counts as far as it is an integer
    left = numeric_operand(left, &scratch[0], encoding);
    right = numeric_operand(right, &scratch[1], encoding);
    if (left->type == VALUE_NULL || right->type == VALUE_NULL) {
        value_set_null(out);
        return;
    }
    if (left->type == VALUE_INTEGER && right->type == VALUE_INTEGER) {
        s64 a = left->integer, b = right->integer;
        if (!integer_arithmetic(opcode, a, b, out)) integer_arithmetic_overflow(opcode, a, b, out);
        return;
    }
    // '-0' is an integer among integers, -0.0 among reals.
    double a, b;
    if (!number_real(divisor, &a)) a = value_to_real_in(divisor, encoding);
    if (!number_real(dividend, &b)) b = value_to_real_in(dividend, encoding);
    switch (opcode) {
    case OP_Add: value_set_real(out, b + a); break;
    case OP_Subtract: value_set_real(out, b - a); break;
    case OP_Multiply: value_set_real(out, b * a); break;
    case OP_Divide:
        if (a == 0)
            value_set_null(out);
        else
            value_set_real(out, b / a);
        break;
    default: {
        s64 x = value_to_integer_in(divisor, encoding), y = value_to_integer_in(dividend, encoding);
        if (x == 0)
            value_set_null(out);
        else
            value_set_real(out, x == -1 ? 0 : (double)(y % x));
        break;
    }
    }
}

static s64 operand_integer(const struct value *v, u8 encoding)
{
    return v->type == VALUE_INTEGER ? v->integer : value_to_integer_in(v, encoding);
}

static s64 bits(u8 opcode, s64 a, s64 b)
{
    switch (opcode) {
    case OP_BitAnd: return b & a;
    case OP_BitOr: return b | a;
    default: break;
    }
    bool left = opcode == OP_ShiftLeft;
    if (a < 0) {
        left = !left;
        a = a > -64 ? -a : 64;
    }
    if (a >= 64) return b >= 0 || left ? 0 : -1;
    if (left) return (s64)((u64)b << a);
    return b >> a;
}

// In a UTF-16 database a blob's bytes are put beside those that the text has there.
static io_status concat_wide(struct skerry_stmt *s, const struct value *left, const struct value *right, struct value *out)
{
    const struct value *operands[2] = {left, right};
    struct value parts[2], whole;
    err_code code = ERR_OK;
    value_init(&whole);
    for (u32 i = 0; i < 2; i++) {
        value_init(&parts[i]);
        if (code == ERR_OK) code = value_copy(&parts[i], operands[i]);
        if (code == ERR_OK) code = value_expand(&parts[i]);
        if (code == ERR_OK) code = value_cast(&parts[i], AFFINITY_BLOB, s->encoding);
    }
    u64 total = (u64)parts[0].size + parts[1].size;
    if (code == ERR_OK && total > (u64)s->db->limits[SKERRY_LIMIT_LENGTH]) code = ERR_TOOBIG;
    if (code == ERR_OK) code = value_reserve(&whole, (u32)total + 1);
    if (code == ERR_OK) {
        if (parts[0].size) memcpy(whole.buffer, parts[0].bytes, parts[0].size);
        if (parts[1].size) memcpy(whole.buffer + parts[0].size, parts[1].bytes, parts[1].size);
        code = value_set_blob(out, whole.buffer, (u32)total);
    }
    if (code == ERR_OK) code = utf16_value_to_text(out, s->encoding == 3);
    value_deinit(&parts[0]);
    value_deinit(&parts[1]);
    value_deinit(&whole);
    return code == ERR_OK ? IO_DONE : vm_value_error(s, code);
}

static bool lies_in(const u8 *bytes, const struct value *v)
{
    return (uintptr_t)bytes - (uintptr_t)v->buffer < v->capacity;
}

// Text and an integer or text, in the room that there is for the result.
static bool concat_quick(const struct value *left, const struct value *right, u64 size_max, struct value *out)
{
    enum { DIGITS_MAX = 20 };
    bool number = right->type == VALUE_INTEGER;
    if (left->type != VALUE_TEXT || (!number && right->type != VALUE_TEXT)) return false;
    u32 size = left->size;
    u64 most = (u64)size + (number ? DIGITS_MAX : right->size);
    if (most >= out->capacity || most > size_max || (!number && lies_in(right->bytes, out))) return false;
    if (left->bytes != out->buffer) {
        if (lies_in(left->bytes, out)) return false;
        if (size) memcpy(out->buffer, left->bytes, size);
    }
    u8 *end = out->buffer + size;
    if (number) {
        size += integer_to_text(right->integer, (char *)end);
    } else {
        if (right->size) memcpy(end, right->bytes, right->size);
        size += right->size;
        out->buffer[size] = 0;
    }
    out->type = VALUE_TEXT;
    out->flags = VALUE_TERMINATED;
    out->bytes = out->buffer;
    out->size = size;
    return true;
}

static io_status concat(struct skerry_stmt *s, struct value *left, struct value *right, struct value *out)
{
    if (LIKELY(concat_quick(left, right, (u64)s->db->limits[SKERRY_LIMIT_LENGTH], out))) return IO_DONE;
    if (left->type == VALUE_NULL || right->type == VALUE_NULL) {
        value_set_null(out);
        return IO_DONE;
    }
    if (UNLIKELY(s->encoding > 1 && (left->type == VALUE_BLOB || right->type == VALUE_BLOB))) return concat_wide(s, left, right, out);
    char number[2][32];
    const u8 *bytes[2];
    u32 size[2];
    struct value *operands[2] = {left, right};
    for (int i = 0; i < 2; i++) {
        struct value *v = operands[i];
        if (v->type == VALUE_INTEGER) {
            size[i] = integer_to_text(v->integer, number[i]);
            bytes[i] = (const u8 *)number[i];
        } else if (v->type == VALUE_REAL) {
            size[i] = real_to_text(v->real, number[i]);
            bytes[i] = (const u8 *)number[i];
        } else {
            if (v->flags & VALUE_ZERO_TAIL) VALUE_TRY(s, value_expand(v));
            size[i] = v->size;
            bytes[i] = v->bytes;
        }
    }
    u64 total = (u64)size[0] + size[1];
    if (total > (u64)s->db->limits[SKERRY_LIMIT_LENGTH]) return vm_value_error(s, ERR_TOOBIG);
    bool fits = total < out->capacity && !lies_in(bytes[1], out);
    if (fits && bytes[0] == out->buffer) {
        memcpy(out->buffer + size[0], bytes[1], size[1]);
    } else if (fits && !lies_in(bytes[0], out)) {
        if (size[0]) memcpy(out->buffer, bytes[0], size[0]);
        if (size[1]) memcpy(out->buffer + size[0], bytes[1], size[1]);
    } else {
        struct value fresh;
        value_init(&fresh);
        VALUE_TRY(s, value_reserve(&fresh, (u32)total + 1));
        if (size[0]) memcpy(fresh.buffer, bytes[0], size[0]);
        if (size[1]) memcpy(fresh.buffer + size[0], bytes[1], size[1]);
        free(out->buffer);
        out->buffer = fresh.buffer;
        out->capacity = fresh.capacity;
    }
    out->buffer[total] = 0;
    out->type = VALUE_TEXT;
    out->flags = VALUE_TERMINATED;
    out->bytes = out->buffer;
    out->size = (u32)total;
    return IO_DONE;
}

// ---- comparisons ---------------------------------------------------------------------------------------------

// Whether digits are followed by what may go on a number: most text that is none ("1994-01-01") ends here.
static bool number_possible(const u8 *text, u32 size)
{
    u32 i = 0;
    while (i < size && (text[i] == ' ' || (text[i] >= '\t' && text[i] <= '\r'))) i++;
    if (i < size && (text[i] == '-' || text[i] == '+')) i++;
    while (i < size && text[i] >= '0' && text[i] <= '9') i++;
    return i == size || text[i] == '.' || text[i] == 'e' || text[i] == 'E' || text[i] == ' ' || (text[i] >= '\t' && text[i] <= '\r');
}

// Text that is a number, as numeric affinity sees it; others stay.
static const struct value *compare_numeric(const struct value *v, struct value *scratch)
{
    if (v->type != VALUE_TEXT || !number_possible(v->bytes, v->size)) return v;
    struct number_text n = number_parse(v->bytes, v->size);
    if (!n.whole || n.kind == NUMBER_NONE) return v;
    value_init(scratch);
    if (n.kind == NUMBER_INTEGER)
        value_set_integer(scratch, n.integer);
    else
        value_set_real(scratch, n.real);
    return scratch;
}

static const struct value *compare_text(const struct value *v, struct value *scratch, char text[32])
{
    if (v->type != VALUE_INTEGER && v->type != VALUE_REAL) return v;
    value_init(scratch);
    u32 size = v->type == VALUE_INTEGER ? integer_to_text(v->integer, text) : real_to_text(v->real, text);
    value_borrow_text(scratch, text, size);
    return scratch;
}

// BINARY of a UTF-16 database goes by the bytes that its text has.
static int encoded_compare(const struct skerry_stmt *s, const struct value *a, const struct value *b, const struct collation *collation)
{
    if (UNLIKELY(s->encoding > 1) && a->type == VALUE_TEXT && b->type == VALUE_TEXT && (!collation || collation == &COLLATION_BINARY))
        return utf16_compare(a->bytes, a->size, b->bytes, b->size, s->encoding == 3);
    return value_compare(a, b, collation);
}

static int compare(const struct skerry_stmt *s, const struct instruction *in, const struct value *a, const struct value *b)
{
    struct value scratch[2];
    char text[2][32];
    u8 affinity = in->p5 & COMPARE_AFFINITY_MASK;
    if (affinity >= AFFINITY_NUMERIC) {
        if (a->type == VALUE_TEXT && b->type != VALUE_BLOB) a = compare_numeric(a, &scratch[0]);
        if (b->type == VALUE_TEXT && a->type != VALUE_BLOB) b = compare_numeric(b, &scratch[1]);
    } else if (affinity == AFFINITY_TEXT && (a->type == VALUE_TEXT || b->type == VALUE_TEXT)) {
        a = compare_text(a, &scratch[0], text[0]);
        b = compare_text(b, &scratch[1], text[1]);
    }
    return encoded_compare(s, a, b, in->p4_kind == P4_COLLATION ? in->p4.collation : NULL);
}

// One of them is NULL, and NULL equals NULL.
static int null_compare(const struct value *a, const struct value *b)
{
    if (a->type == VALUE_NULL && b->type == VALUE_NULL && !(a->flags & VALUE_CLEARED)) return 0;
    return a->type == VALUE_NULL ? -1 : 1;
}

static int registers_compare(struct skerry_stmt *s, const struct instruction *in)
{
    const struct value *a = &s->frame->registers[in->p1], *b = &s->frame->registers[in->p2];
    const struct key_info *info = in->p4_kind == P4_KEY_INFO ? in->p4.key_info : NULL;
    const s32 *permutation = in->p5 & 1 ? s->permutation : NULL;
    int result = 0;
    for (s32 i = 0; i < in->p3 && !result; i++) {
        s32 field = permutation ? permutation[i + 1] : i;
        const struct value *x = &a[field], *y = &b[field];
        const struct collation *collation = info && i < info->all_count ? info->collations[i] : NULL;
        u8 order = info && i < info->all_count ? info->orders[i] : 0;
        result = encoded_compare(s, x, y, collation);
        if (result && order) {
            if ((order & KEY_NULLS_LAST) && (x->type == VALUE_NULL || y->type == VALUE_NULL)) result = -result;
            if (order & KEY_DESC) result = -result;
        }
    }
    s->permutation = NULL;
    return result;
}

// ---- halting -------------------------------------------------------------------------------------------------

static void halt_error(struct skerry_stmt *s, const struct instruction *in)
{
    static const char *const words[] = {NULL, "NOT NULL", "UNIQUE", "CHECK", "FOREIGN KEY"};
    err_code code = (err_code)in->p1;
    const char *text = in->p4_kind == P4_TEXT ? in->p4.text : NULL;
    if (!text && in->p3 && in->opcode == OP_Halt) {
        // What RAISE() computed: NULL says nothing.
        struct value *v = &s->frame->registers[in->p3];
        text = "";
        if (v->type != VALUE_NULL && value_cast(v, AFFINITY_TEXT, s->encoding) == ERR_OK && value_terminate(v) == ERR_OK)
            text = (const char *)v->bytes;
    }
    const char *words_before = in->p5 < COUNT_OF(words) ? words[in->p5] : NULL;
    if (in->opcode == OP_HaltIfNull && !words_before) words_before = words[HALT_NOT_NULL];
    if (words_before)
        err_set(&s->op.err, code, __func__, "%s constraint failed%s%s", words_before, text ? ": " : "", text ? text : "");
    else
        err_set(&s->op.err, code, __func__, "%s", text ? text : err_default_text(code));
}

// ---- sets ----------------------------------------------------------------------------------------------------

static struct row_set *row_set_of(struct skerry_stmt *s, struct value *v)
{
    if (v->flags & VALUE_POINTER) return v->pointer;
    struct row_set *r = row_set_new(&s->row_sets);
    if (!r) {
        (void)vm_no_memory(s);
        return NULL;
    }
    value_set_null(v);
    v->flags = VALUE_POINTER;
    v->pointer = r;
    return r;
}

// ---- what is too rare for the loop ---------------------------------------------------------------------------

static io_status must_be_integer(struct skerry_stmt *s, const struct instruction *in, bool *jump)
{
    struct value *v = &s->frame->registers[in->p1];
    *jump = false;
    VALUE_TRY(s, value_apply_affinity(v, AFFINITY_NUMERIC));
    if (v->type == VALUE_INTEGER) return IO_DONE;
    if (!in->p2) return IO_ERROR(&s->op.err, ERR_MISMATCH, "datatype mismatch");
    *jump = true;
    return IO_DONE;
}

// What a sorter may hold in memory: as much as the page cache may.
static u64 sorter_budget(const struct skerry_stmt *s)
{
    const struct skerry *db = s->db;
    if (db->settings[SETTING_TEMP_STORE] == 2) return UINT64_MAX; // in memory, as was asked for
    u64 budget = connection_cache_bytes(db, DATABASE_MAIN), limit = (u64)db->limits[SKERRY_LIMIT_STATEMENT_MEMORY];
    if (limit) budget = MIN(budget, limit / 2);
    return MAX(budget, (u64)SORTER_BUDGET_MIN);
}

static io_status sorter_open(struct skerry_stmt *s, const struct instruction *in)
{
    struct vm_cursor *c = vm_cursor_new(s, in->p1, VM_CURSOR_SORTER, (u32)MAX(in->p2, in->p4.key_info->all_count));
    if (!c) return IO_FAIL;
    c->key_info = in->p4.key_info;
    c->sorter = sorter_new(in->p4.key_info, (u32)MAX(in->p3, 0), sorter_budget(s), s->db->engine->temp_dir, connection_sealed(s->db));
    if (!c->sorter) return vm_no_memory(s);
    if (in->p5 & SORTER_REPEATS) sorter_drop_repeats(c->sorter);
    return IO_DONE;
}

static io_status filter_open(struct skerry_stmt *s, const struct instruction *in)
{
    struct vm_cursor *c = vm_cursor_new(s, in->p1, VM_CURSOR_FILTER, 0);
    if (!c) return IO_FAIL;
    c->filter = key_filter_new(in->p4.key_info, (u64)in->p2);
    return c->filter ? IO_DONE : vm_no_memory(s);
}

static io_status group_open(struct skerry_stmt *s, const struct instruction *in)
{
    struct vm_cursor *c = vm_cursor_new(s, in->p1, VM_CURSOR_GROUPS, 0);
    if (!c) return IO_FAIL;
    c->pseudo_register = in->p2;
    // The sorter beside it takes the other half. Text that is ordered by its UTF-16 is left to it altogether.
    u64 budget = s->encoding > 1 ? 0 : sorter_budget(s) / 2;
    c->groups = group_table_new(in->p4.key_info, (u32)in->p3, budget, in->p5 ? vm_accumulator_bytes : NULL);
    return c->groups ? IO_DONE : vm_no_memory(s);
}

static io_status group_seek(struct skerry_stmt *s, const struct instruction *in, bool *jump)
{
    struct vm_cursor *c = s->frame->cursors[in->p1];
    struct value *key = &s->frame->registers[in->p3];
    for (u32 i = 0; i < c->groups->keys; i++)
        if (UNLIKELY(key[i].flags & VALUE_ZERO_TAIL)) VALUE_TRY(s, value_expand(&key[i]));
    u64 before = c->groups->bytes;
    enum group_found found = group_find(c->groups, key, &s->frame->registers[c->pseudo_register]);
    *jump = found == GROUP_NO_ROOM;
    if (UNLIKELY(c->groups->bytes != before)) {
        s->sorter_bytes += c->groups->bytes - before;
        IO_TRY(vm_memory_check(s));
    }
    return found == GROUP_NO_MEMORY ? vm_no_memory(s) : IO_DONE;
}

static io_status sorter_insert(struct skerry_stmt *s, struct vm_cursor *c, struct value *record)
{
    if (record->flags & VALUE_ZERO_TAIL) VALUE_TRY(s, value_expand(record));
    u64 before = c->sorter->bytes;
    io_status status = sorter_add(c->sorter, &s->op, record->bytes, record->size);
    if (LIKELY(c->sorter->bytes == before)) return status;
    s->sorter_bytes += c->sorter->bytes - before;
    return status == IO_DONE ? vm_memory_check(s) : status;
}

static io_status sorter_start(struct skerry_stmt *s, struct vm_cursor *c)
{
    c->row_valid = false;
    u64 before = c->sorter->bytes;
    io_status status = sorter_sort(c->sorter, &s->op);
    s->sorter_bytes += c->sorter->bytes - before;
    if (status != IO_DONE) return status;
    c->null_row = false;
    s->counters.sorts++;
    return IO_DONE;
}

static io_status row_set(struct skerry_stmt *s, struct value *v, const u8 *record, u32 size)
{
    VALUE_TRY(s, value_set_blob(v, record, size));
    return IO_DONE;
}

static io_status size_between(struct skerry_stmt *s, const struct instruction *in, bool *jump)
{
    struct vm_cursor *c = s->frame->cursors[in->p1];
    u64 count = 0;
    IO_TRY(cursor_first(&c->c, &s->op));
    s64 size = -1;
    if (c->c.state == CURSOR_VALID) {
        IO_TRY(btree_count_estimate(&c->c, &s->op, &count));
        size = logest_of(MAX(count, 1u));
    }
    *jump = in->p3 <= size && size <= in->p4.integer;
    return IO_DONE;
}

__attribute__((noinline)) static io_status rowid_get(struct skerry_stmt *s, struct vm_cursor *c, struct value *out)
{
    if (c->deferred) {
        value_set_integer(out, c->deferred_rowid);
        return IO_DONE;
    }
    if (c->null_row) {
        value_set_null(out);
        return IO_DONE;
    }
    if (UNLIKELY(c->kind == VM_CURSOR_VIRTUAL)) {
        if (c->fts) {
            value_set_integer(out, fts_cursor_rowid(c->fts));
            return IO_DONE;
        }
        if (c->vocab) {
            value_set_integer(out, fts_vocab_rowid(c->vocab));
            return IO_DONE;
        }
        if (c->dbstat) {
            value_set_integer(out, dbstat_rowid(c->dbstat));
            return IO_DONE;
        }
        value_set_integer(out, c->rows ? table_rows_rowid(c->rows) : (s64)c->sequence);
        return IO_DONE;
    }
    if (UNLIKELY(c->c.state != CURSOR_VALID)) {
        IO_TRY(vm_column_row(s, c));
        if (c->null_row) {
            value_set_null(out);
            return IO_DONE;
        }
    }
    IO_TRY(cursor_entry_inline(&c->c, &s->op));
    value_set_integer(out, c->c.rowid);
    return IO_DONE;
}

static io_status deferred_seek(struct skerry_stmt *s, const struct instruction *in)
{
    struct vm_cursor *index = s->frame->cursors[in->p1], *table = s->frame->cursors[in->p3];
    if (UNLIKELY(index->c.state == CURSOR_SAVED)) IO_TRY(vm_column_row(s, index)); // a row of NULLs: its entry is gone
    if (in->opcode == OP_IdxRowid) {
        struct value *out = &s->frame->registers[in->p2];
        s64 found = 0;
        if (index->null_row) {
            value_set_null(out);
            return IO_DONE;
        }
        IO_TRY(vm_index_rowid(s, index, &found));
        value_set_integer(out, found);
        return IO_DONE;
    }
    if (index->null_row) {
        table->null_row = true;
        table->deferred = false;
        return IO_DONE;
    }
    s64 rowid = 0;
    IO_TRY(vm_index_rowid(s, index, &rowid));
    table->deferred = true;
    table->null_row = false;
    table->row_valid = false;
    table->deferred_rowid = rowid;
    table->alternative = index;
    table->deferred_by = in;
    table->alternative_map = in->p4_kind == P4_INT_ARRAY ? in->p4.ints : NULL;
    return IO_DONE;
}

static void null_row(struct skerry_stmt *s, const struct instruction *in)
{
    struct vm_cursor *c = s->frame->cursors[in->p1];
    if (!c) {
        c = vm_cursor_new(s, in->p1, VM_CURSOR_PSEUDO, 0);
        if (!c) return;
        c->pseudo_register = 0;
    }
    c->null_row = true;
    c->gone = false;
    c->row_valid = false;
    c->deferred = false;
}

// In a snapshot of its own, which must have the schema that its program is for.
static io_status read_on(struct skerry_stmt *s)
{
    for (u32 i = 0; i < s->db->database_count; i++) {
        struct txn *t = s->db->databases[i].txn;
        if (!(s->program->reads >> i & 1) || !t) continue;
        u32 cookie;
        IO_TRY(connection_begin_read(s->db, &s->op, i));
        IO_TRY(txn_meta_get(t, &s->op, META_SCHEMA_COOKIE, &cookie));
        if (s->program->schemas[i] && cookie != s->program->schemas[i]->cookie)
            return IO_ERROR(&s->op.err, ERR_ABORT_ROLLBACK, "%s", err_default_text(ERR_ABORT_ROLLBACK));
    }
    s->rolled_back = false;
    return IO_DONE;
}

static s32 slice_jumps(const struct skerry *db)
{
    return UNLIKELY(db->hooks.progress_loops) ? (s32)MIN(db->hooks.progress_loops, (u32)SLICE_JUMPS) : SLICE_JUMPS;
}

static bool stopped(struct skerry_stmt *s)
{
    if (s->db->interrupted)
        err_set(&s->op.err, ERR_INTERRUPT, __func__, "interrupted");
    else if (s->deadline_ns && io_now_ns(s->op.io) > s->deadline_ns)
        err_set(&s->op.err, ERR_INTERRUPT, __func__, "interrupted: the statement ran longer than its limit");
    return s->op.err.code != ERR_OK;
}

static bool slice_over(struct skerry_stmt *s)
{
    const struct connection_hooks *h = &s->db->hooks;
    if (stopped(s)) return true;
    if (UNLIKELY(h->progress_loops) && h->progress(h->progress_context))
        err_set(&s->op.err, ERR_INTERRUPT, __func__, "interrupted");
    return s->op.err.code != ERR_OK;
}

void vm_turn(struct skerry_stmt *s)
{
    if (!s->slice_pending) completion_post(s->op.io, &s->slice, 0);
    s->slice_pending = true;
}

// ---- the loop ------------------------------------------------------------------------------------------------

#define TRY(call)                                                                                  \
    do {                                                                                           \
        io_status try_ = (call);                                                                   \
        if (UNLIKELY(try_ != IO_DONE)) {                                                           \
            if (try_ == IO_WAIT) goto wait;                                                        \
            goto fail;                                                                             \
        }                                                                                          \
    } while (0)
#define VALUE(call)                                                                                \
    do {                                                                                           \
        err_code value_ = (call);                                                                  \
        if (UNLIKELY(value_ != ERR_OK)) {                                                          \
            (void)vm_value_error(s, value_);                                                       \
            goto fail;                                                                             \
        }                                                                                          \
    } while (0)
// Every instruction jumps to the next by itself, so that each has its own place in the branch predictor.
#define CASE(name) case OP_##name: label_##name
#define LABEL(name, flag) &&label_##name,
#define DISPATCH goto *labels[in->opcode]
#define NEXT                                                                                       \
    do {                                                                                           \
        in++;                                                                                      \
        DISPATCH;                                                                                  \
    } while (0)
// What was executed is counted at jumps: the bytes of instructions from where the last one led to.
#define GO_TO(address)                                                                             \
    do {                                                                                           \
        const struct instruction *to_ = &code[address];                                            \
        executed += (uintptr_t)(in + 1) - (uintptr_t)to_;                                          \
        in = to_;                                                                                  \
    } while (0)
#define JUMP(address)                                                                              \
    do {                                                                                           \
        GO_TO(address);                                                                            \
        DISPATCH;                                                                                  \
    } while (0)
// A jump that may close a loop.
#define JUMP_BACK(address)                                                                         \
    do {                                                                                           \
        GO_TO(address);                                                                            \
        if (UNLIKELY(--jumps <= 0)) goto slice;                                                    \
        DISPATCH;                                                                                  \
    } while (0)
#define PC ((s32)(in - code))
#define COMPARE(operator)                                                                          \
    do {                                                                                           \
        const struct value *a = &regs[in->p3], *b = &regs[in->p1];                                 \
        if (LIKELY(a->type == VALUE_INTEGER && b->type == VALUE_INTEGER)) {                        \
            if (a->integer operator b->integer) JUMP(in->p2);                                      \
        } else if (a->type == VALUE_REAL && b->type == VALUE_REAL) {                               \
            if (a->real operator b->real) JUMP(in->p2);                                            \
        } else if (a->type == VALUE_NULL || b->type == VALUE_NULL) {                               \
            if (in->p5 & COMPARE_NULL_EQUAL ? null_compare(a, b) operator 0 : in->p5 & COMPARE_JUMP_IF_NULL) JUMP(in->p2); \
        } else if (compare(s, in, a, b) operator 0) {                                                 \
            JUMP(in->p2);                                                                          \
        }                                                                                          \
        NEXT;                                                                                      \
    } while (0)
#define ARITHMETIC(opcode, expression)                                                                 \
    do {                                                                                               \
        const struct value *left = &regs[in->p1], *right = &regs[in->p2];                              \
        double a, b;                                                                                   \
        if (left->type == VALUE_INTEGER && right->type == VALUE_INTEGER) {                             \
            if (UNLIKELY(!integer_arithmetic((opcode), left->integer, right->integer, &regs[in->p3]))) \
                arithmetic((opcode), left, right, s->encoding, &regs[in->p3]);                         \
        } else if (number_real(left, &a) && number_real(right, &b)) {                                  \
            value_set_real(&regs[in->p3], expression);                                                 \
        } else {                                                                                       \
            arithmetic((opcode), left, right, s->encoding, &regs[in->p3]);                             \
        }                                                                                              \
        NEXT;                                                                                          \
    } while (0)
// A program that uses what it has not opened is wrong; that must not take the others down with it.
#define CURSOR(number)                                                                             \
    do {                                                                                           \
        c = cursors[number];                                                                       \
        if (UNLIKELY(!c)) goto not_open;                                                           \
    } while (0)
#define LOAD_FRAME()                                                                               \
    do {                                                                                           \
        regs = s->frame->registers;                                                                \
        cursors = s->frame->cursors;                                                               \
        code = s->frame->program->code;                                                            \
    } while (0)

enum vm_result vm_run(struct skerry_stmt *s)
{
    struct skerry *db = s->db;
    struct value *regs;
    struct vm_cursor **cursors;
    const struct instruction *code, *in;
    struct vm_cursor *c;
    s32 jumps = slice_jumps(db);
    uintptr_t executed; // modulo its size: a program's instructions may lie before those of another
    static const void *const labels[] = {OPCODE_LIST(LABEL)};
    bool jump = false;
    enum vm_result result;

    LOAD_FRAME();
    if (UNLIKELY(s->aborted)) {
        err_set(&s->op.err, ERR_ABORT_ROLLBACK, __func__, "%s", err_default_text(ERR_ABORT_ROLLBACK));
        return VM_FAIL;
    }
    if (UNLIKELY(s->rolled_back)) {
        io_status status = read_on(s);
        if (status != IO_DONE) return status == IO_WAIT ? VM_WAIT : VM_FAIL;
    }
    // What waits again and again inside of an instruction, and never comes to a jump, ends here.
    if (UNLIKELY(db->interrupted || s->deadline_ns) && stopped(s)) return VM_FAIL;
    in = &code[s->pc];
    executed = -(uintptr_t)in;
    switch ((enum opcode)in->opcode) {
    // -- flow of control
    CASE(Init): JUMP(in->p2 ? in->p2 : PC + 1);
    CASE(Goto): JUMP_BACK(in->p2);
    CASE(Gosub):
        value_set_integer(&regs[in->p1], PC);
        JUMP(in->p2);
    CASE(Return):
        if (regs[in->p1].type == VALUE_INTEGER) JUMP((s32)regs[in->p1].integer + 1);
        NEXT;
    CASE(BeginSubrtn): value_set_null(&regs[in->p2]); NEXT;
    CASE(InitCoroutine):
        value_set_integer(&regs[in->p1], in->p3 - 1);
        JUMP(in->p2 ? in->p2 : PC + 1);
    CASE(EndCoroutine): {
        s32 caller = (s32)regs[in->p1].integer;
        value_set_integer(&regs[in->p1], PC - 1);
        JUMP(code[caller].p2);
    }
    CASE(Yield): {
        s32 to = (s32)regs[in->p1].integer + 1;
        value_set_integer(&regs[in->p1], PC);
        JUMP_BACK(to);
    }
    CASE(HaltIfNull):
        if (regs[in->p3].type != VALUE_NULL) NEXT;
        __attribute__((fallthrough));
    CASE(Halt):
        if (in->p1 == 0 && s->frame->parent) {
            bool ignore = in->p2 == CONFLICT_IGNORE;
            vm_frame_leave(s);
            LOAD_FRAME();
            JUMP(ignore ? code[s->pc].p2 : s->pc + 1);
        }
        s->error_action = (u8)in->p2;
        executed += sizeof *in;
        if (in->p1 == 0) {
            result = VM_DONE;
            goto leave;
        }
        halt_error(s, in);
        result = VM_FAIL;
        goto leave;
    CASE(Jump):
        JUMP(s->compare_result < 0 ? in->p1 : s->compare_result == 0 ? in->p2 : in->p3);
    CASE(Once): {
        u8 *once = &s->frame->once[PC / 8], bit = (u8)(1 << (PC & 7));
        if (*once & bit) JUMP(in->p2);
        *once |= bit;
        NEXT;
    }
    CASE(If):
        if (regs[in->p1].type == VALUE_INTEGER ? regs[in->p1].integer != 0 : value_to_bool_in(&regs[in->p1], in->p3 != 0, s->encoding))
            JUMP(in->p2);
        NEXT;
    CASE(IfNot):
        if (regs[in->p1].type == VALUE_INTEGER ? regs[in->p1].integer == 0 : !value_to_bool_in(&regs[in->p1], in->p3 == 0, s->encoding))
            JUMP(in->p2);
        NEXT;
    CASE(IsType):
        if (in->p1 < 0) {
            jump = in->p5 >> (regs[in->p3].type - 1) & 1;
        } else {
            CURSOR(in->p1);
            if (LIKELY(column_ready(c, (u32)in->p3)) || LIKELY(vm_column_quick(s, c, (u32)in->p3)))
                jump = in->p5 & serial_mask(c->fields[in->p3].type);
            else
                TRY(vm_is_type(s, in, &jump));
        }
        if (jump) JUMP(in->p2);
        NEXT;
    CASE(IsNull):
        if (regs[in->p1].type == VALUE_NULL) JUMP(in->p2);
        NEXT;
    CASE(NotNull):
        if (regs[in->p1].type != VALUE_NULL) JUMP(in->p2);
        NEXT;
    CASE(ZeroOrNull):
        if (regs[in->p1].type == VALUE_NULL || regs[in->p3].type == VALUE_NULL)
            value_set_null(&regs[in->p2]);
        else
            value_set_integer(&regs[in->p2], 0);
        NEXT;
    CASE(IfNullRow):
        if (cursors[in->p1] && cursors[in->p1]->null_row && !cursors[in->p1]->deferred) {
            if (in->p3) value_set_null(&regs[in->p3]);
            JUMP(in->p2);
        }
        NEXT;
    CASE(IfPos):
        if (regs[in->p1].integer > 0) {
            regs[in->p1].integer -= in->p3;
            JUMP(in->p2);
        }
        NEXT;
    CASE(OffsetLimit): {
        s64 limit = regs[in->p1].integer, offset = MAX(regs[in->p3].integer, 0), sum;
        if (limit <= 0 || __builtin_add_overflow(limit, offset, &sum)) sum = -1;
        value_set_integer(&regs[in->p2], sum);
        NEXT;
    }
    CASE(IfNotZero):
        if (regs[in->p1].integer) {
            if (regs[in->p1].integer > 0) regs[in->p1].integer--;
            JUMP(in->p2);
        }
        NEXT;
    CASE(DecrJumpZero):
        if (regs[in->p1].integer > INT64_MIN) regs[in->p1].integer--;
        if (regs[in->p1].integer == 0) JUMP(in->p2);
        NEXT;
    CASE(MustBeInt):
        if (LIKELY(regs[in->p1].type == VALUE_INTEGER)) NEXT;
        TRY(must_be_integer(s, in, &jump));
        if (jump) JUMP(in->p2);
        NEXT;
    CASE(MemMax): {
        struct vm_frame *root = s->frame;
        while (root->parent) root = root->parent;
        struct value *largest = &root->registers[in->p1];
        s64 other = operand_integer(&regs[in->p2], s->encoding), own = operand_integer(largest, s->encoding);
        value_set_integer(largest, MAX(own, other));
        NEXT;
    }
    CASE(Noop):
    CASE(Explain):
    CASE(Trace):
    CASE(Abortable):
    CASE(CursorHint):
    CASE(ReleaseReg):
    CASE(TableLock):
    CASE(CursorLock):
    CASE(CursorUnlock):
    CASE(ColumnsUsed):
    CASE(VBegin): NEXT;

    // -- values
    CASE(Integer): value_set_integer(&regs[in->p2], in->p1); NEXT;
    CASE(Int64): value_set_integer(&regs[in->p2], in->p4.integer); NEXT;
    CASE(Real): value_set_real(&regs[in->p2], in->p4.real); NEXT;
    CASE(String8):
    CASE(String):
        value_borrow_text(&regs[in->p2], in->p4.text, (u32)in->p1);
        regs[in->p2].flags |= VALUE_TERMINATED;
        NEXT;
    CASE(Null): {
        s32 last = MAX(in->p2, in->p3);
        for (s32 i = in->p2; i <= last; i++) {
            if (UNLIKELY(regs[i].flags & VALUE_POINTER)) vm_pointer_release(s, &regs[i]);
            value_set_null(&regs[i]);
            if (in->p1) regs[i].flags = VALUE_CLEARED;
        }
        NEXT;
    }
    CASE(SoftNull): value_set_null(&regs[in->p1]); NEXT;
    CASE(Blob):
        if (in->p4_kind == P4_TEXT)
            value_borrow_blob(&regs[in->p2], in->p4.text, (u32)in->p1);
        else
            VALUE(value_set_zero_blob(&regs[in->p2], (u64)in->p1));
        NEXT;
    CASE(Variable): value_borrow(&regs[in->p2], &s->parameters[in->p1]); NEXT;
    CASE(Move):
        for (s32 i = 0; i < in->p3; i++) value_move(&regs[in->p2 + i], &regs[in->p1 + i]);
        NEXT;
    CASE(Copy):
        for (s32 i = 0; i <= in->p3; i++) {
            VALUE(value_copy(&regs[in->p2 + i], &regs[in->p1 + i]));
            if (in->p5 & 2) regs[in->p2 + i].flags &= ~VALUE_SUBTYPE;
        }
        NEXT;
    CASE(SCopy): value_borrow(&regs[in->p2], &regs[in->p1]); NEXT;
    CASE(IntCopy): value_set_integer(&regs[in->p2], regs[in->p1].integer); NEXT;
    CASE(Param): {
        const struct vm_frame *f = s->frame;
        value_borrow(&regs[in->p2], &f->parent->registers[in->p1 + f->parent->program->code[f->pc].p1]);
        NEXT;
    }

    // -- operators
    CASE(Concat): TRY(concat(s, &regs[in->p2], &regs[in->p1], &regs[in->p3])); NEXT;
    CASE(Add): ARITHMETIC(OP_Add, b + a);
    CASE(Subtract): ARITHMETIC(OP_Subtract, b - a);
    CASE(Multiply): ARITHMETIC(OP_Multiply, b * a);
    CASE(Divide):
    CASE(Remainder): {
        const struct value *a = &regs[in->p1], *b = &regs[in->p2];
        if (LIKELY(a->type == VALUE_INTEGER && b->type == VALUE_INTEGER) &&
            LIKELY(integer_arithmetic(in->opcode, a->integer, b->integer, &regs[in->p3])))
            NEXT;
        arithmetic(in->opcode, a, b, s->encoding, &regs[in->p3]);
        NEXT;
    }
    CASE(BitAnd):
    CASE(BitOr):
    CASE(ShiftLeft):
    CASE(ShiftRight): {
        const struct value *a = &regs[in->p1], *b = &regs[in->p2];
        if (a->type == VALUE_NULL || b->type == VALUE_NULL)
            value_set_null(&regs[in->p3]);
        else
            value_set_integer(&regs[in->p3], bits(in->opcode, operand_integer(a, s->encoding), operand_integer(b, s->encoding)));
        NEXT;
    }
    CASE(AddImm): value_set_integer(&regs[in->p1], (s64)((u64)operand_integer(&regs[in->p1], s->encoding) + (u64)(s64)in->p2)); NEXT;
    CASE(And): {
        bool a_null = regs[in->p1].type == VALUE_NULL, b_null = regs[in->p2].type == VALUE_NULL;
        bool a = value_to_bool_in(&regs[in->p1], true, s->encoding), b = value_to_bool_in(&regs[in->p2], true, s->encoding);
        if (!a || !b)
            value_set_integer(&regs[in->p3], 0);
        else if (a_null || b_null)
            value_set_null(&regs[in->p3]);
        else
            value_set_integer(&regs[in->p3], 1);
        NEXT;
    }
    CASE(Or): {
        bool a_null = regs[in->p1].type == VALUE_NULL, b_null = regs[in->p2].type == VALUE_NULL;
        bool a = value_to_bool_in(&regs[in->p1], false, s->encoding), b = value_to_bool_in(&regs[in->p2], false, s->encoding);
        if (a || b)
            value_set_integer(&regs[in->p3], 1);
        else if (a_null || b_null)
            value_set_null(&regs[in->p3]);
        else
            value_set_integer(&regs[in->p3], 0);
        NEXT;
    }
    CASE(Not):
        if (regs[in->p1].type == VALUE_NULL)
            value_set_null(&regs[in->p2]);
        else
            value_set_integer(&regs[in->p2], !value_to_bool_in(&regs[in->p1], false, s->encoding));
        NEXT;
    CASE(BitNot):
        if (regs[in->p1].type == VALUE_NULL)
            value_set_null(&regs[in->p2]);
        else
            value_set_integer(&regs[in->p2], ~operand_integer(&regs[in->p1], s->encoding));
        NEXT;
    CASE(IsTrue):
        value_set_integer(&regs[in->p2], value_to_bool_in(&regs[in->p1], in->p3 != 0, s->encoding) ^ (in->p4.integer != 0));
        NEXT;
    CASE(CollSeq):
        s->collation = in->p4_kind == P4_COLLATION ? in->p4.collation : NULL;
        if (in->p1) value_set_integer(&regs[in->p1], 0);
        s->min_max_register = in->p1;
        NEXT;
    CASE(RealAffinity):
        if (regs[in->p1].type == VALUE_INTEGER) value_set_real(&regs[in->p1], (double)regs[in->p1].integer);
        else if (regs[in->p1].type == VALUE_REAL) regs[in->p1].flags = 0;
        NEXT;
    CASE(Cast):
        VALUE(value_expand(&regs[in->p1]));
        VALUE(value_cast(&regs[in->p1], (enum affinity)in->p2, s->encoding));
        NEXT;
    CASE(Eq): COMPARE(==);
    CASE(Ne): COMPARE(!=);
    CASE(Lt): COMPARE(<);
    CASE(Le): COMPARE(<=);
    CASE(Gt): COMPARE(>);
    CASE(Ge): COMPARE(>=);
    CASE(Permutation): s->permutation = in->p4.ints; NEXT;
    CASE(Compare): s->compare_result = registers_compare(s, in); NEXT;
    CASE(Affinity): {
        err_code failed = ERR_OK;
        const char *letters = in->p4.text;
        for (s32 i = 0; i < in->p2 && letters[i]; i++) vm_affinity_apply(&regs[in->p1 + i], letters[i], &failed);
        VALUE(failed);
        NEXT;
    }
    CASE(TypeCheck): TRY(vm_type_check(s, in)); NEXT;
    CASE(Function): {
        const struct function_call *call = in->p4.call;
        if (call->def->quick_scalar) {
            const void *kept = s->frame->aux[call->number].data;
            if (LIKELY(kept) && LIKELY(call->def->quick_scalar(kept, (u32)in->p1, in->p5, &regs[in->p2], &regs[in->p3]))) NEXT;
        }
    }
        __attribute__((fallthrough));
    CASE(PureFunc):
        TRY(vm_function(s, in));
        if (UNLIKELY(s->slice_bytes > SLICE_BYTES)) {
            in++;
            goto slice;
        }
        NEXT;
    CASE(ClrSubtype): regs[in->p1].flags &= ~VALUE_SUBTYPE; NEXT;
    CASE(GetSubtype):
        if (regs[in->p1].flags & VALUE_SUBTYPE)
            value_set_integer(&regs[in->p2], regs[in->p1].subtype);
        else
            value_set_null(&regs[in->p2]);
        NEXT;
    CASE(SetSubtype):
        if (regs[in->p1].type == VALUE_NULL) {
            regs[in->p2].flags &= ~VALUE_SUBTYPE;
        } else {
            regs[in->p2].flags |= VALUE_SUBTYPE;
            regs[in->p2].subtype = (u8)regs[in->p1].integer;
        }
        NEXT;
    CASE(AggStep): {
        const struct fn_def *def = in->p4.call->def;
        struct value *accumulator = &regs[in->p3];
        if (LIKELY(def->quick)) {
            struct vm_aggregate *a = accumulator->flags & VALUE_POINTER ? accumulator->pointer : vm_aggregate_new(s, accumulator, def);
            if (UNLIKELY(!a)) goto fail;
            if (UNLIKELY(!a->state.at)) aggregate_state_small(&a->state, def->quick_size);
            if (LIKELY(def->quick(a->state.at, &regs[in->p2]))) NEXT;
        }
        TRY(vm_aggregate_step(s, in, false));
        NEXT;
    }
    CASE(AggInverse): TRY(vm_aggregate_step(s, in, true)); NEXT;
    CASE(AggValue): TRY(vm_aggregate_value(s, in, false)); NEXT;
    CASE(AggFinal): TRY(vm_aggregate_value(s, in, true)); NEXT;

    // -- rows out
    CASE(ResultRow):
        s->row = &regs[in->p1];
        in++;
        result = VM_ROW;
        goto leave;
    CASE(MakeRecord): TRY(vm_make_record(s, in)); NEXT;
    CASE(ChangeCount): value_set_integer(&regs[in->p2], s->changes); NEXT;
    CASE(ResetCount):
        db->changes = s->changes;
        db->total_changes += s->changes;
        s->changes = 0;
        NEXT;

    // -- transactions and schema
    CASE(Transaction): TRY(vm_transaction(s, in)); NEXT;
    CASE(Savepoint): TRY(vm_savepoint(s, in)); NEXT;
    CASE(AutoCommit): TRY(vm_autocommit(s, in)); NEXT;
    CASE(FkCheck):
        if (!vm_foreign_keys_hold(s, false)) goto fail_as_set;
        NEXT;
    CASE(FkCounter):
        if (in->p1)
            db->deferred_violations += in->p2;
        else if (connection_flag(db, CONNECTION_DEFER_FOREIGN_KEYS))
            db->deferred_immediate_violations += in->p2;
        else
            s->foreign_violations += in->p2;
        NEXT;
    CASE(FkRefer):
        TRY(vm_foreign_key_refer(s, in));
        NEXT;
    CASE(FkIfZero):
        if ((in->p1 ? db->deferred_violations : s->foreign_violations) == 0 && db->deferred_immediate_violations == 0)
            JUMP(in->p2);
        NEXT;
    CASE(ReadCookie):
    CASE(SetCookie):
    CASE(ParseSchema):
    CASE(CheckSchema):
    CASE(LoadAnalysis):
    CASE(DropTable):
    CASE(DropIndex):
    CASE(DropTrigger):
    CASE(CreateBtree):
    CASE(Destroy):
    CASE(Clear):
    CASE(SqlExec):
    CASE(Expire):
    CASE(IntegrityCk):
    CASE(Pagecount):
    CASE(MaxPgcnt):
    CASE(Checkpoint):
    CASE(JournalMode):
    CASE(Vacuum):
    CASE(Rekey):
    CASE(IncrVacuum):
    CASE(Attach):
    CASE(Detach):
    CASE(SetFlag):
    CASE(Setting):
    CASE(DatabaseSetting):
        s->pc = PC;
        TRY(vm_schema_op(s, in));
        NEXT;

    // -- cursors
    CASE(OpenRead):
    CASE(ReopenIdx):
    CASE(OpenWrite): TRY(vm_open(s, in)); NEXT;
    CASE(OpenDup): TRY(vm_open_dup(s, in)); NEXT;
    CASE(OpenAutoindex):
        s->counters.auto_indexes++;
        __attribute__((fallthrough));
    CASE(OpenEphemeral): TRY(vm_open_ephemeral(s, in)); NEXT;
    CASE(FilterOpen): TRY(filter_open(s, in)); NEXT;
    CASE(FilterAdd): key_filter_add(cursors[in->p1]->filter, &regs[in->p3]); NEXT;
    CASE(Filter): {
        const struct value *key = &regs[in->p3];
        // Text that is made a number is left to the search.
        if (in->p5 & FILTER_ROWID && UNLIKELY(key->type > VALUE_REAL)) NEXT;
        if (!key_filter_may_have(cursors[in->p1]->filter, key)) JUMP(in->p2);
        NEXT;
    }
    CASE(SorterOpen): TRY(sorter_open(s, in)); NEXT;
    CASE(GroupOpen): TRY(group_open(s, in)); NEXT;
    CASE(GroupFind):
        TRY(group_seek(s, in, &jump));
        if (jump) JUMP(in->p2);
        NEXT;
    CASE(GroupSeen):
        if (cursors[in->p1]->groups->seen) JUMP(in->p2);
        NEXT;
    CASE(GroupSort):
        c = cursors[in->p1];
        if (!group_sort(c->groups, &regs[c->pseudo_register])) VALUE(ERR_NOMEM);
        s->counters.sorts++;
        NEXT;
    CASE(GroupNext):
        c = cursors[in->p1];
        if (!group_next(c->groups, in->p3 ? &regs[in->p3] : NULL, &regs[c->pseudo_register])) JUMP(in->p2);
        NEXT;
    CASE(QueuePut): CURSOR(in->p1);
        TRY(vm_queue_put(s, in)); NEXT;
    CASE(QueueGet): CURSOR(in->p1);
        TRY(vm_queue_get(s, in, &jump));
        if (jump) JUMP(in->p2);
        NEXT;
    CASE(SequenceTest):
        if (cursors[in->p1]->sequence++ == 0) JUMP(in->p2);
        NEXT;
    CASE(OpenPseudo):
        c = vm_cursor_new(s, in->p1, VM_CURSOR_PSEUDO, (u32)in->p3);
        if (!c) goto fail;
        c->pseudo_register = in->p2;
        c->null_row = false;
        NEXT;
    CASE(Close):
        if (cursors[in->p1]) vm_cursor_free(s, cursors[in->p1]);
        cursors[in->p1] = NULL;
        NEXT;
    CASE(SeekGE):
    CASE(SeekGT):
    CASE(SeekLT):
    CASE(SeekLE):
        CURSOR(in->p1);
        TRY(vm_seek(s, in, &jump));
        if (jump) JUMP(in->p2);
        NEXT;
    CASE(IfNotOpen):
        c = cursors[in->p1];
        if (!c || (c->null_row && !c->deferred)) JUMP(in->p2);
        NEXT;
    CASE(SeekIn):
        CURSOR(in->p1);
        TRY(vm_seek_in(s, in, &jump));
        if (jump) JUMP(in->p2);
        NEXT;
    CASE(NoConflict):
    CASE(NotFound):
    CASE(Found):
        CURSOR(in->p1);
        TRY(vm_found(s, in, &jump));
        if (jump) JUMP(in->p2);
        NEXT;
    CASE(SeekRowid):
    CASE(NotExists):
        CURSOR(in->p1);
        if (LIKELY(regs[in->p3].type == VALUE_INTEGER) && c->lookup_by != in && cursor_seek_near_inline(&c->c, regs[in->p3].integer)) {
            c->deferred = c->row_valid = c->null_row = false;
            c->seek_result = 0;
            s->counters.rows_read++;
            NEXT;
        }
        TRY(vm_seek_rowid(s, in, &jump));
        if (jump) JUMP(in->p2);
        NEXT;
    CASE(Sequence): value_set_integer(&regs[in->p2], (s64)cursors[in->p1]->sequence++); NEXT;
    CASE(NewRowid): CURSOR(in->p1);
        TRY(vm_new_rowid(s, in)); NEXT;
    CASE(Insert): CURSOR(in->p1);
        TRY(vm_insert(s, in)); NEXT;
    CASE(RowCell): TRY(vm_row_cell(s, in)); NEXT;
    CASE(Delete): CURSOR(in->p1);
        TRY(vm_delete(s, in)); NEXT;
    CASE(Rowid): CURSOR(in->p1);
        if (LIKELY(c->kind == VM_CURSOR_TREE && c->c.state == CURSOR_VALID && !c->deferred && !c->null_row)) {
            TRY(cursor_entry_inline(&c->c, &s->op));
            value_set_integer(&regs[in->p2], c->c.rowid);
        } else {
            TRY(rowid_get(s, c, &regs[in->p2]));
        }
        NEXT;
    CASE(Offset): value_set_null(&regs[in->p3]); NEXT;
    CASE(Column):
        CURSOR(in->p1);
        if (LIKELY(column_fast(s, c, (u32)in->p2, &regs[in->p3]))) NEXT;
        TRY(vm_column(s, in));
        NEXT;
    CASE(RowData): CURSOR(in->p1); TRY(vm_row_data(s, in)); NEXT;
    CASE(NullRow): null_row(s, in); NEXT;
    CASE(SeekEnd):
        CURSOR(in->p1);
        c->row_valid = c->deferred = false;
        TRY(cursor_last(&c->c, &s->op));
        c->null_row = c->c.state != CURSOR_VALID;
        c->seek_result = -1;
        NEXT;
    CASE(Last):
        CURSOR(in->p1);
        c->row_valid = c->deferred = false;
        TRY(cursor_last(&c->c, &s->op));
        s->counters.rows_read++;
        c->null_row = c->c.state != CURSOR_VALID;
        if (c->null_row && in->p2) JUMP(in->p2);
        NEXT;
    CASE(LastLE):
        CURSOR(in->p1);
        if (LIKELY(c->last_known)) {
            bool exact = c->last_exact && in->p4.integer == 1;
            u64 prefix = sorter_value_prefix(&regs[in->p3], c->key_info, &exact);
            if (prefix > c->last_prefix || (prefix == c->last_prefix && exact)) JUMP(in->p2);
            if (prefix == c->last_prefix && c->last_text_size &&
                sorter_text_behind(&regs[in->p3], c->key_info, c->last_text, c->last_text_size))
                JUMP(in->p2);
        }
        TRY(vm_last_compare(s, in, &jump));
        if (jump) JUMP(in->p2);
        NEXT;
    CASE(IfSizeBetween):
        TRY(size_between(s, in, &jump));
        if (jump) JUMP(in->p2);
        NEXT;
    CASE(IfEmpty):
        CURSOR(in->p1);
        c->row_valid = false;
        TRY(cursor_first(&c->c, &s->op));
        if (c->c.state != CURSOR_VALID) JUMP(in->p2);
        NEXT;
    CASE(SorterSort):
    CASE(Sort):
    CASE(Rewind):
        CURSOR(in->p1);
        if (c->kind == VM_CURSOR_SORTER) {
            TRY(sorter_start(s, c));
            if (!sorter_valid(c->sorter)) {
                c->null_row = true;
                if (in->p2) JUMP(in->p2);
            }
            NEXT;
        }
        if (in->opcode != OP_Rewind) s->counters.sorts++;
        c->row_valid = c->deferred = false;
        TRY(cursor_first(&c->c, &s->op));
        c->null_row = c->c.state != CURSOR_VALID;
        if (c->null_row && in->p2) JUMP(in->p2);
        if (!c->null_row) s->counters.rows_read++;
        NEXT;
    CASE(SorterNext):
        CURSOR(in->p1);
        c->row_valid = false;
        TRY(sorter_next(c->sorter, &s->op));
        if (sorter_valid(c->sorter)) JUMP_BACK(in->p2);
        c->null_row = true;
        NEXT;
    CASE(Next):
        CURSOR(in->p1);
        if (UNLIKELY(c->null_row)) {
            if (!c->gone) NEXT; // the null row of an outer join comes last
            c->null_row = false;
        }
        TRY(cursor_next_inline(&c->c, &s->op));
        c->row_valid = false;
        if (LIKELY(c->c.state == CURSOR_VALID)) {
            s->counters.rows_read++;
            JUMP_BACK(in->p2);
        }
        c->null_row = true;
        NEXT;
    CASE(Prev):
        CURSOR(in->p1);
        if (UNLIKELY(c->null_row && !c->gone)) NEXT;
        TRY(cursor_previous(&c->c, &s->op));
        c->row_valid = false;
        if (LIKELY(c->c.state == CURSOR_VALID)) {
            c->null_row = false;
            s->counters.rows_read++;
            JUMP_BACK(in->p2);
        }
        c->null_row = true;
        NEXT;
    CASE(SorterCompare):
        c = cursors[in->p1];
        if (sorter_compare(c->sorter, regs[in->p3].bytes, regs[in->p3].size, (u32)in->p4.integer)) JUMP(in->p2);
        NEXT;
    CASE(SorterData): {
        u32 size;
        const u8 *record = sorter_record(cursors[in->p1]->sorter, &size);
        if (LIKELY(!cursors[in->p1]->sorter->merged))
            value_borrow_blob(&regs[in->p2], record, size);
        else
            TRY(row_set(s, &regs[in->p2], record, size)); // it is compared with the next one
        cursors[in->p3]->row_valid = false;
        NEXT;
    }
    CASE(SorterInsert): TRY(sorter_insert(s, cursors[in->p1], &regs[in->p2])); NEXT;
    CASE(IdxInsert):
        if (cursors[in->p1]->kind == VM_CURSOR_SORTER)
            TRY(sorter_insert(s, cursors[in->p1], &regs[in->p2]));
        else
            TRY(vm_index_insert(s, in));
        NEXT;
    CASE(IdxDelete): CURSOR(in->p1);
        TRY(vm_index_delete(s, in)); NEXT;
    CASE(DeferredSeek):
    CASE(IdxRowid): CURSOR(in->p1);
        TRY(deferred_seek(s, in)); NEXT;
    CASE(FinishSeek):
        if (cursors[in->p1]->deferred) TRY(vm_deferred_seek(s, cursors[in->p1]));
        NEXT;
    CASE(CursorPin):
        cursors[in->p1]->c.pinned = in->p2;
        NEXT;
    CASE(IdxLE):
    CASE(IdxGT):
    CASE(IdxLT):
    CASE(IdxGE):
        CURSOR(in->p1);
        TRY(vm_index_compare(s, in, &jump));
        if (jump) JUMP(in->p2);
        NEXT;
    CASE(Count): CURSOR(in->p1);
        TRY(vm_count(s, in)); NEXT;
    CASE(ResetSorter): TRY(vm_reset_sorter(s, in)); NEXT;

    // -- sets
    CASE(RowSetAdd): {
        struct row_set *r = row_set_of(s, &regs[in->p1]);
        if (!r) goto fail;
        if (!row_set_add(r, regs[in->p2].integer)) VALUE(ERR_NOMEM);
        NEXT;
    }
    CASE(RowSetRead): {
        struct value *v = &regs[in->p1];
        s64 row;
        if (!(v->flags & VALUE_POINTER) || !row_set_read(v->pointer, &row)) {
            if (v->flags & VALUE_POINTER) row_set_leave(&s->row_sets, v->pointer);
            value_set_null(v);
            JUMP(in->p2);
        }
        value_set_integer(&regs[in->p3], row);
        if (UNLIKELY(--jumps <= 0)) {
            in++;
            goto slice;
        }
        NEXT;
    }
    CASE(RowSetTest): {
        struct row_set *r = row_set_of(s, &regs[in->p1]);
        if (!r) goto fail;
        if (in->p4.integer) {
            bool found;
            if (!row_set_test(r, (s32)in->p4.integer, regs[in->p3].integer, &found)) VALUE(ERR_NOMEM);
            if (found) JUMP(in->p2);
        }
        if (in->p4.integer >= 0 && !row_set_add(r, regs[in->p3].integer)) VALUE(ERR_NOMEM);
        NEXT;
    }

    // -- triggers
    CASE(Program):
        s->pc = PC;
        TRY(vm_frame_enter(s, in, &jump));
        if (jump) NEXT;
        LOAD_FRAME();
        JUMP(0);

    // -- table-valued functions
    CASE(VOpen): TRY(vm_virtual_open(s, in)); NEXT;
    CASE(VFilter):
        CURSOR(in->p1);
        TRY(vm_virtual_filter(s, in, &jump));
        if (jump) JUMP(in->p2);
        NEXT;
    CASE(VFunction): TRY(vm_virtual_function(s, in)); NEXT;
    CASE(VUpdate): TRY(vm_virtual_update(s, in)); NEXT;
    CASE(VCheck): TRY(vm_virtual_check(s, in)); NEXT;
    CASE(VColumn): CURSOR(in->p1);
        TRY(vm_virtual_column(s, in)); NEXT;
    CASE(VNext):
        s->counters.rows_read++;
        TRY(vm_virtual_next(s, in, &jump));
        if (jump) JUMP_BACK(in->p2);
        NEXT;

    CASE(ElseEq):
    CASE(IFindKey):
    CASE(VInitIn):
    CASE(VCreate):
    CASE(VDestroy):
    CASE(VRename):
    case OP_COUNT:
        err_set(&s->op.err, ERR_ERROR, __func__, "%s is not supported by this version", opcode_name((enum opcode)in->opcode));
        goto fail;
    }
    __builtin_unreachable();

not_open:
    err_set(&s->op.err, ERR_INTERNAL, __func__, "cursor %d is not open at %s, address %d", in->p1,
            opcode_name((enum opcode)in->opcode), PC);
    goto fail;
slice:
    jumps = slice_jumps(db);
    s->slice_bytes = 0;
    if (slice_over(s)) goto fail;
    if (!s->nested) {
        vm_turn(s);
        result = VM_WAIT;
        goto leave;
    }
    DISPATCH;
wait:
    result = VM_WAIT;
    goto leave;
fail:
    s->error_action = CONFLICT_ABORT;
fail_as_set:
    executed += sizeof *in;
    result = VM_FAIL;
leave:
    s->pc = PC;
    s->counters.instructions += (executed + (uintptr_t)in) / sizeof *in;
    return result;
}
