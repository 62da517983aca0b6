// The short way to a column: of a row whose header is parsed that far, and which is all in its page.
#pragma once

#include "../store/btree_inline.h"
#include "vm.h"

static inline u32 serial_size(u32 type)
{
    static const u8 small[12] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};
    return type < 12 ? small[type] : (type - 12) / 2;
}

// The bit of a type in the mask of IsType.
static inline u32 serial_mask(u32 type)
{
    static const u8 small[12] = {16, 1, 1, 1, 1, 1, 1, 2, 1, 1, 16, 16};
    return type < 12 ? small[type] : type & 1 ? 4 : 8;
}

// Serial types below 12.
static inline void number_decode(const u8 *bytes, u32 type, struct value *out)
{
    s64 i;
    if (type == 7) {
        u64 bits = be64_get(bytes);
        double r;
        memcpy(&r, &bits, 8);
        value_set_real(out, r);
        return;
    }
    switch (type) {
    case 1: i = (s8)bytes[0]; break;
    case 2: i = (s16)be16_get(bytes); break;
    case 3: i = (s32)((u32)bytes[0] << 24 | (u32)bytes[1] << 16 | (u32)bytes[2] << 8) >> 8; break;
    case 4: i = (s32)be32_get(bytes); break;
    case 5: i = (s64)(s16)be16_get(bytes) * 0x100000000 + be32_get(bytes + 2); break;
    case 6: i = (s64)be64_get(bytes); break;
    case 8: i = 0; break;
    case 9: i = 1; break;
    default: value_set_null(out); return;
    }
    value_set_integer(out, i);
}

// Whether the cursor's row is in hand and parsed as far as that column. row_valid says that the cursor is neither on its
// null row nor deferred; a tree's cursor that was saved has forgotten its cell.
ALWAYS_INLINE bool column_ready(const struct vm_cursor *c, u32 column)
{
    return c->row_valid && column < c->parsed_count && (c->c.cell_parsed || c->kind != VM_CURSOR_TREE);
}

// Of a column that is ready. False: vm_column has to be called.
ALWAYS_INLINE bool column_get(const struct vm_cursor *c, u32 column, struct value *out)
{
    const struct vm_field *f = &c->fields[column];
    u32 type = f->type, offset = f->offset, end = f[1].offset, size = end - offset;
    if (UNLIKELY(end > c->row_available)) return false;
    const u8 *bytes = c->row + offset;
    if (type < 12) {
        // In a page there are a page's and a record's header before the field.
        if (LIKELY(c->c.cell_parsed && c->row != c->row_buffer && type - 1 < 6))
            value_set_integer(out, (s64)(be64_get(bytes + size - 8) << (64 - 8 * size)) >> (64 - 8 * size));
        else
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

// Neither waits nor fails. False: vm_column has to be called.
ALWAYS_INLINE bool column_fast(struct skerry_stmt *s, struct vm_cursor *c, u32 column, struct value *out)
{
    if (UNLIKELY(!column_ready(c, column)) && UNLIKELY(!vm_column_quick(s, c, column))) return false;
    return column_get(c, column, out);
}
