// Columns of the entry a cursor is on. The record's header is parsed as far as a column needs it, and kept until
// the cursor moves (row_valid).
#include "vm.h"

#include "../store/btree_inline.h"
#include "vm_column.h"

#define HEADER_MAX 98307u // bytes that may have to be gathered, as in SQLite

static io_status malformed(struct skerry_stmt *s, const struct vm_cursor *c)
{
    return IO_ERROR(&s->op.err, ERR_CORRUPT,
                    "database disk image is malformed: a field of a record of %u bytes ends outside it", c->row_size);
}

static void row_set_bytes(struct vm_cursor *c, const u8 *row, u32 available, u32 size)
{
    c->row = row;
    c->row_available = available;
    c->row_size = size;
    c->parsed_count = 0;
    c->header_at = 0;
    c->head_count = 0;
    c->row_valid = true;
}

// A number without its first bytes, as they lie in memory; zeros behind.
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define BYTES_SKIP(number, count) ((number) >> 8 * (count))
#else
#define BYTES_SKIP(number, count) ((number) << 8 * (count))
#endif

// Of the bytes of two numbers, as they lie in memory: how many agree from the first on.
static inline u32 bytes_agreeing(u64 a, u64 b)
{
    if (a == b) return 8;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return (u32)__builtin_ctzll(a ^ b) / 8;
#else
    return (u32)__builtin_clzll(a ^ b) / 8;
#endif
}

// The first 16 bytes of a row, or all of it and zeros behind.
struct row_head {
    u64 words[2];
};

// Something is in front of the row in its page.
static inline struct row_head row_head(const u8 *row, u32 size, const u8 *page_end)
{
    struct row_head h = {{0, 0}};
    if (LIKELY(row + sizeof h.words <= page_end)) { // what is behind a short row does not matter
        memcpy(h.words, row, sizeof h.words);
    } else if (size >= 8) {
        memcpy(h.words, row, 8);
        memcpy(&h.words[1], row + size - 8, 8);
        h.words[1] = size >= 16 ? h.words[1] : size > 8 ? BYTES_SKIP(h.words[1], 16 - size) : 0;
    } else {
        memcpy(h.words, row + size - 8, 8);
        h.words[0] = BYTES_SKIP(h.words[0], 8 - size);
    }
    return h;
}

// Parses types up to the column, and as far as was asked for of other rows: from the i-th on, which is at `at`, when nothing is
// unusual about them.
static bool header_parse(struct vm_cursor *c, u32 column, u32 i, u32 at)
{
    u32 want = MAX(c->columns_wanted, column + 1), end = c->header_size;
    struct vm_field *fields = c->fields;
    const u8 *row = c->row;
    u64 data = fields[i].offset;
    bool short_types = c->head_count == i;
    c->columns_wanted = want;
    for (; i < want && at < end; i++) {
        u32 type = row[at++];
        if (UNLIKELY(type >= 0x80)) {
            if (short_types) c->head_count = MIN(i, (u32)sizeof c->header_head - 1);
            short_types = false;
            type = (type & 0x7f) << 7;
            if (UNLIKELY(at >= end || row[at] >= 0x80)) {
                at--;
                break;
            }
            type |= row[at++];
        }
        fields[i].type = type;
        data += serial_size(type);
        fields[i + 1].offset = (u32)data;
    }
    if (short_types) c->head_count = MIN(i, (u32)sizeof c->header_head - 1);
    if (UNLIKELY(data > c->row_size || (at == end && data != c->row_size))) {
        c->row_valid = false;
        c->head_count = 0;
        return false;
    }
    c->header_at = at;
    c->parsed_count = i;
    return i > column;
}

// How many fields are known of a row that begins so: those of the row before whose types the same bytes say.
static inline u32 fields_known(const struct vm_cursor *c, struct row_head head)
{
    u32 agreeing = bytes_agreeing(head.words[0], c->header_head[0]);
    if (UNLIKELY(agreeing == 8)) agreeing += bytes_agreeing(head.words[1], c->header_head[1]);
    return agreeing ? MIN(agreeing - 1, c->head_count) : 0;
}

// A row that is all in hand is the cursor's; so many of its fields are known.
static inline void row_take(struct vm_cursor *c, const u8 *row, u32 size, struct row_head head, u32 known)
{
    // Also when all that is wanted is known: what is behind may be read yet, and be another's.
    memcpy(c->header_head, head.words, sizeof head.words);
    c->head_count = known;
    c->row = row;
    c->row_available = c->row_size = size;
    c->row_valid = true;
}

// Parses the header of a row that is all in hand; it is not empty.
static bool header_begin(struct vm_cursor *c, u32 column, const u8 *row, u32 size, struct row_head head, u32 known)
{
    u32 header = row[0];
    c->row_valid = false;
    if (UNLIKELY(header >= 0x80 || header > size || header == 0)) return false;
    if (known == 0) c->fields[0].offset = header;
    row_take(c, row, size, head, known);
    c->header_size = header;
    return header_parse(c, column, known, known + 1);
}

// The same of a row that was begun with.
static bool header_go_on(struct vm_cursor *c, u32 column)
{
    if (UNLIKELY(c->header_at == 0 || c->header_size > c->row_available)) return false;
    return header_parse(c, column, c->parsed_count, c->header_at);
}

// The same of the record that a pseudo cursor stands for.
static bool pseudo_column(struct skerry_stmt *s, struct vm_cursor *c, u32 column)
{
    if (c->kind != VM_CURSOR_PSEUDO || c->null_row || column >= c->field_count) return false;
    if (c->row_valid) return header_go_on(c, column);
    const struct value *record = &s->frame->registers[c->pseudo_register];
    struct row_head head = {{0, 0}};
    if (UNLIKELY(record->type != VALUE_BLOB || record->size == 0)) return false;
    memcpy(head.words, record->bytes, MIN(record->size, (u32)sizeof head.words));
    return header_begin(c, column, record->bytes, record->size, head, fields_known(c, head));
}

// Rows mostly have headers that begin as the row's before did: what these bytes said need not be parsed again.
bool vm_column_quick(struct skerry_stmt *s, struct vm_cursor *c, u32 column)
{
    if (UNLIKELY(c->kind != VM_CURSOR_TREE)) return pseudo_column(s, c, column);
    if (UNLIKELY(c->null_row || c->deferred || column >= c->field_count || c->c.state != CURSOR_VALID)) return false;
    if (!c->c.cell_parsed) {
        c->row_valid = false; // also when the entry is there only the next time
        if (UNLIKELY(cursor_entry_inline(&c->c, &s->op) != IO_DONE)) return false;
    } else if (c->row_valid) {
        return header_go_on(c, column);
    }
    const struct page *p = c->c.path[c->c.depth];
    const u8 *row = c->c.local;
    u32 size = c->c.local_size;
    if (UNLIKELY(size < c->c.payload_size || size == 0)) return false;
    struct row_head head = row_head(row, size, p->data + p->node.usable_size);
    u32 known = fields_known(c, head), end = c->fields[known].offset;
    if (known < c->columns_wanted || column >= known || UNLIKELY(known + 1 < c->header_size ? end > size : end != size))
        return header_begin(c, column, row, size, head, known);
    row_take(c, row, size, head, known);
    c->header_at = known + 1;
    c->parsed_count = known;
    return true;
}

io_status vm_column_row(struct skerry_stmt *s, struct vm_cursor *c)
{
    switch ((enum vm_cursor_kind)c->kind) {
    case VM_CURSOR_TREE: {
        if (UNLIKELY(c->deferred)) IO_TRY(vm_deferred_seek(s, c));
        if (c->row_valid && LIKELY(c->c.cell_parsed)) return IO_DONE;
        if (UNLIKELY(c->c.state != CURSOR_VALID)) {
            if (c->c.state == CURSOR_SAVED) {
                bool moved;
                IO_TRY(cursor_restore(&c->c, &s->op, &moved));
                if (moved) {
                    c->null_row = c->gone = true;
                    return IO_DONE;
                }
            }
            if (c->c.state == CURSOR_SKIP || c->c.state == CURSOR_INVALID) {
                c->null_row = c->gone = true;
                return IO_DONE;
            }
        }
        IO_TRY(cursor_entry_inline(&c->c, &s->op));
        if (UNLIKELY(c->c.payload_size > VALUE_SIZE_MAX)) return malformed(s, c);
        row_set_bytes(c, c->c.local, c->c.local_size, (u32)c->c.payload_size);
        return IO_DONE;
    }
    case VM_CURSOR_SORTER:
        if (!c->row_valid) {
            u32 size;
            const u8 *row = sorter_record(c->sorter, &size);
            row_set_bytes(c, row, size, size);
        }
        return IO_DONE;
    case VM_CURSOR_PSEUDO:
        if (!c->row_valid) {
            const struct value *v = &s->frame->registers[c->pseudo_register];
            row_set_bytes(c, v->bytes, v->size, v->size);
        }
        return IO_DONE;
    case VM_CURSOR_VIRTUAL:
    case VM_CURSOR_GROUPS:
    case VM_CURSOR_FILTER: break;
    }
    return IO_DONE;
}

io_status vm_row_gather(struct skerry_stmt *s, struct vm_cursor *c, u32 size, const u8 **out)
{
    if (LIKELY(size <= c->row_available)) {
        *out = c->row;
        return IO_DONE;
    }
    if (c->row_buffer_size < size) {
        u8 *grown = realloc(c->row_buffer, size);
        if (!grown) return vm_no_memory(s);
        c->row_buffer = grown;
        c->row_buffer_size = size;
    }
    IO_TRY(cursor_read(&c->c, &s->op, 0, size, c->row_buffer));
    *out = c->row_buffer;
    return IO_DONE;
}

// Parses the header up to that column, if the record has it: then parsed_count > column.
static io_status vm_column_header(struct skerry_stmt *s, struct vm_cursor *c, u32 column)
{
    if (UNLIKELY(c->header_at == 0)) {
        u64 header;
        u32 n = varint_get_checked(c->row, c->row + c->row_available, &header);
        if (UNLIKELY(!n || header > c->row_size || header < n)) {
            if (c->row_size == 0) { // an empty record has no columns
                c->header_size = c->header_at = 1;
                return IO_DONE;
            }
            return malformed(s, c);
        }
        c->header_size = (u32)header;
        c->header_at = n;
        c->fields[0].offset = (u32)header;
    }
    const u8 *header = NULL;
    if (UNLIKELY(c->header_size > c->row_available && (c->header_size > c->row_size || c->header_size > HEADER_MAX))) return malformed(s, c);
    IO_TRY(vm_row_gather(s, c, c->header_size, &header));
    const u8 *at = header + c->header_at, *end = header + c->header_size;
    u32 i = c->parsed_count, count = MIN(column + 1, c->field_count);
    u64 data = c->fields[i].offset;
    while (i < count && at < end) {
        u64 type = 0;
        u32 n = varint_get_checked(at, end, &type);
        if (UNLIKELY(!n || type > UINT32_MAX)) return malformed(s, c);
        at += n;
        c->fields[i].type = (u32)type;
        data += serial_size((u32)type);
        c->fields[++i].offset = (u32)data;
    }
    // Offsets do not wrap before this is seen: a header has at most HEADER_MAX types.
    if (UNLIKELY(data > c->row_size || (at == end && data != c->row_size && c->kind == VM_CURSOR_TREE))) return malformed(s, c);
    c->header_at = (u32)(at - header);
    c->parsed_count = i;
    return IO_DONE;
}

static err_code text_set(struct value *v, const u8 *bytes, u32 size)
{
    if (v->capacity <= size) {
        err_code code = value_reserve(v, size + 1);
        if (code != ERR_OK) return code;
    }
    memcpy(v->buffer, bytes, size);
    v->buffer[size] = 0;
    v->bytes = v->buffer;
    v->size = size;
    return ERR_OK;
}

static io_status column_bytes(struct skerry_stmt *s, struct vm_cursor *c, u32 type, u32 offset, u16 flags,
                              struct value *out)
{
    u32 size = serial_size(type);
    if (LIKELY(offset + size <= c->row_available)) {
        if (UNLIKELY((type & 1) && c->encoding > 1)) {
            VALUE_TRY(s, serial_get(c->row + offset, type, c->encoding, out));
            VALUE_TRY(s, value_own(out));
            return IO_DONE;
        }
        VALUE_TRY(s, text_set(out, c->row + offset, size));
    } else {
        bool length = flags & COLUMN_LENGTH_ONLY, kind = flags & COLUMN_TYPE_ONLY;
        if (kind && !length && type & 1) {
            value_borrow_text(out, "", 0);
            return IO_DONE;
        }
        // Of a blob or in octet_length() neither type nor length needs the bytes.
        if (flags && c->encoding <= 1 && (kind || !(type & 1))) {
            VALUE_TRY(s, value_set_zero_blob(out, length ? size : 0));
            return IO_DONE;
        }
        VALUE_TRY(s, value_reserve(out, size + 1));
        IO_TRY(cursor_read(&c->c, &s->op, offset, size, out->buffer));
        if (UNLIKELY((type & 1) && c->encoding > 1)) {
            struct value wide = *out;
            value_init(out);
            err_code code = serial_get(wide.buffer, type, c->encoding, out);
            if (code == ERR_OK) code = value_own(out);
            free(wide.buffer);
            VALUE_TRY(s, code);
            return IO_DONE;
        }
        out->buffer[size] = 0;
        out->bytes = out->buffer;
        out->size = size;
    }
    out->type = type & 1 ? VALUE_TEXT : VALUE_BLOB;
    out->flags = type & 1 ? VALUE_TERMINATED : 0;
    return IO_DONE;
}

// Of a deferred cursor: the index that has the column, or the row is sought.
static io_status deferred_column(struct skerry_stmt *s, struct vm_cursor **cursor, u32 *column)
{
    struct vm_cursor *c = *cursor;
    const s32 *map = c->alternative_map;
    if (!map || (s32)*column >= map[0] || map[*column + 1] <= 0) return vm_deferred_seek(s, c);
    *column = (u32)(map[*column + 1] - 1);
    *cursor = c->alternative;
    return IO_DONE;
}

// A pseudo cursor without a register stands for a cursor that was never opened.
static bool on_null_row(const struct vm_cursor *c)
{
    return UNLIKELY(c->null_row && (c->kind != VM_CURSOR_PSEUDO || !c->pseudo_register) && c->kind != VM_CURSOR_SORTER);
}

io_status vm_column(struct skerry_stmt *s, const struct instruction *in)
{
    struct vm_cursor *c = s->frame->cursors[in->p1];
    struct value *out = &s->frame->registers[in->p3];
    u32 column = (u32)in->p2;
    if (UNLIKELY(c->deferred)) {
        IO_TRY(deferred_column(s, &c, &column));
        if (LIKELY(column_fast(s, c, column, out))) return IO_DONE;
    }
    if (on_null_row(c)) {
        value_set_null(out);
        return IO_DONE;
    }
    if (!c->row_valid || (c->kind == VM_CURSOR_TREE && UNLIKELY(!c->c.cell_parsed))) {
        c->row_valid = false;
        IO_TRY(vm_column_row(s, c));
        if (UNLIKELY(!c->row_valid)) { // the entry is gone
            value_set_null(out);
            return IO_DONE;
        }
    }
    if (column >= c->parsed_count) {
        IO_TRY(vm_column_header(s, c, column));
        if (UNLIKELY(column >= c->parsed_count)) {
            if (in->p4_kind == P4_VALUE)
                value_borrow(out, in->p4.value);
            else
                value_set_null(out);
            return IO_DONE;
        }
    }
    u32 type = c->fields[column].type, offset = c->fields[column].offset;
    if (type >= 12) return column_bytes(s, c, type, offset, in->p5 & (COLUMN_LENGTH_ONLY | COLUMN_TYPE_ONLY), out);
    u8 few[8];
    const u8 *bytes = c->row + offset;
    u32 size = serial_size(type);
    if (UNLIKELY(offset + size > c->row_available)) {
        IO_TRY(cursor_read(&c->c, &s->op, offset, size, few));
        bytes = few;
    }
    number_decode(bytes, type, out);
    return IO_DONE;
}

io_status vm_row_data(struct skerry_stmt *s, const struct instruction *in)
{
    struct vm_cursor *c = s->frame->cursors[in->p1];
    struct value *out = &s->frame->registers[in->p2];
    IO_TRY(vm_column_row(s, c));
    if (!c->row_valid) {
        value_set_null(out);
        return IO_DONE;
    }
    if (c->row_available == c->row_size) {
        VALUE_TRY(s, value_set_blob(out, c->row, c->row_size));
        return IO_DONE;
    }
    VALUE_TRY(s, value_reserve(out, c->row_size + 1));
    IO_TRY(cursor_read(&c->c, &s->op, 0, c->row_size, out->buffer));
    out->type = VALUE_BLOB;
    out->flags = 0;
    out->bytes = out->buffer;
    out->size = c->row_size;
    return IO_DONE;
}

io_status vm_is_type(struct skerry_stmt *s, const struct instruction *in, bool *jump)
{
    struct vm_cursor *c = s->frame->cursors[in->p1];
    u32 column = (u32)in->p3, type = VALUE_NULL;
    if (UNLIKELY(c->deferred)) IO_TRY(deferred_column(s, &c, &column));
    bool there = !on_null_row(c);
    if (there && !column_ready(c, column) && !vm_column_quick(s, c, column)) {
        IO_TRY(vm_column_row(s, c));
        there = c->row_valid; // else the entry is gone
        if (there && column >= c->parsed_count) IO_TRY(vm_column_header(s, c, column));
    }
    if (there && column < c->parsed_count) {
        *jump = in->p5 & serial_mask(c->fields[column].type);
        return IO_DONE;
    }
    if (there && in->p4_kind == P4_INTEGER && in->p4.integer) type = (u32)in->p4.integer;
    *jump = in->p5 >> (type - 1) & 1;
    return IO_DONE;
}
