// The short way to a column: of a row whose header is parsed that far, and which is all in its page.
#pragma once

#include "../store/btree_inline.h"
#include "vm.h"

static inline u32 serial_size(u32 type)
{
    static const u8 small[12] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};
    return type < 12 ? small[type] : (type - 12) / 2;
}

// Serial types below 12.
static inline void number_decode(const u8 *bytes, u32 type, struct value *out)
{
    s64 i;
    switch (type) {
    case 1: i = (s8)bytes[0]; break;
    case 2: i = (s16)be16_get(bytes); break;
    case 3: i = (s32)((u32)bytes[0] << 24 | (u32)bytes[1] << 16 | (u32)bytes[2] << 8) >> 8; break;
    case 4: i = (s32)be32_get(bytes); break;
    case 5: i = (s64)(s16)be16_get(bytes) * 0x100000000 + be32_get(bytes + 2); break;
    case 6: i = (s64)be64_get(bytes); break;
    case 7: {
        u64 bits = be64_get(bytes);
        double r;
        memcpy(&r, &bits, 8);
        value_set_real(out, r);
        return;
    }
    case 8: i = 0; break;
    case 9: i = 1; break;
    default: value_set_null(out); return;
    }
    value_set_integer(out, i);
}

// Parses the header of the entry under a table's cursor up to that column, when nothing is unusual about it.
static inline bool column_row_fast(struct vm_cursor *c, struct op *op, u32 column)
{
    if (UNLIKELY(c->kind != VM_CURSOR_TREE || c->null_row || c->deferred || c->c.state != CURSOR_VALID ||
                 column >= c->field_count))
        return false;
    u32 i, at;
    u64 data;
    if (!c->row_valid || !c->c.cell_parsed) {
        if (!c->c.cell_parsed) {
            if (!c->table || cursor_entry_inline(&c->c, op) != IO_DONE) return false;
        }
        if (UNLIKELY(c->c.local_size < c->c.payload_size || c->c.local_size == 0)) return false;
        c->row = c->c.local;
        c->row_available = c->row_size = c->c.local_size;
        u32 header = c->row[0];
        if (UNLIKELY(header >= 0x80 || header > c->row_size || header == 0)) return false;
        c->header_size = header;
        c->row_valid = true;
        i = 0;
        at = 1;
        data = header;
    } else {
        i = c->parsed_count;
        at = c->header_at;
        data = c->data_at;
        if (UNLIKELY(at == 0 || c->header_size > c->row_available)) return false;
    }
    const u8 *row = c->row;
    u32 end = c->header_size;
    for (; i <= column && at < end; i++) {
        u32 type = row[at++];
        if (UNLIKELY(type >= 0x80)) {
            type = (type & 0x7f) << 7;
            if (UNLIKELY(at >= end || row[at] >= 0x80)) {
                at--;
                break;
            }
            type |= row[at++];
        }
        c->types[i] = type;
        c->offsets[i] = (u32)data;
        data += serial_size(type);
    }
    if (UNLIKELY(data > c->row_size)) {
        c->row_valid = false;
        return false;
    }
    c->header_at = at;
    c->data_at = (u32)data;
    c->parsed_count = i;
    return true;
}

// False: vm_column has to be called.
static inline bool column_fast(const struct vm_cursor *c, u32 column, struct value *out)
{
    // row_valid says that the cursor is neither on its null row nor deferred; a tree's cursor that was saved has
    // forgotten its cell.
    if (UNLIKELY(!c->row_valid || column >= c->parsed_count)) return false;
    if (UNLIKELY(!c->c.cell_parsed && c->kind == VM_CURSOR_TREE)) return false;
    u32 type = c->types[column], offset = c->offsets[column], size = serial_size(type);
    if (UNLIKELY(offset + size > c->row_available)) return false;
    const u8 *bytes = c->row + offset;
    if (type < 12) {
        number_decode(bytes, type, out);
        return true;
    }
    if (UNLIKELY(out->capacity <= size || c->encoding > 1)) return false;
    memcpy(out->buffer, bytes, size);
    out->buffer[size] = 0;
    out->bytes = out->buffer;
    out->size = size;
    out->type = type & 1 ? VALUE_TEXT : VALUE_BLOB;
    out->flags = type & 1 ? VALUE_TERMINATED : 0;
    return true;
}
