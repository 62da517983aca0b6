// SQL values: setting, copying, owning. Invariant: text and blobs without VALUE_BORROWED have their bytes in
// their own buffer.
#include "value.h"

void value_deinit(struct value *v)
{
    free(v->buffer);
    value_init(v);
}

err_code value_reserve(struct value *v, u32 size)
{
    if (size <= v->capacity) return ERR_OK;
    if (size > VALUE_SIZE_MAX + 1) return ERR_TOOBIG;
    u64 capacity = MAX((u64)size, MIN((u64)v->capacity * 2, VALUE_SIZE_MAX + 1));
    if (capacity < 32) capacity = 32;
    u8 *buffer = malloc(capacity);
    if (!buffer) return ERR_NOMEM;
    free(v->buffer);
    v->buffer = buffer;
    v->capacity = (u32)capacity;
    return ERR_OK;
}

// Bytes may lie in v's own buffer.
static err_code bytes_copy(struct value *v, const void *bytes, size_t size, size_t room)
{
    if (size > VALUE_SIZE_MAX || room > VALUE_SIZE_MAX + 1) return ERR_TOOBIG;
    if (room > v->capacity) {
        u8 *old = v->buffer;
        v->buffer = NULL;
        u32 old_capacity = v->capacity;
        v->capacity = 0;
        err_code code = value_reserve(v, (u32)room);
        if (code != ERR_OK) {
            v->buffer = old;
            v->capacity = old_capacity;
            return code;
        }
        if (size) memcpy(v->buffer, bytes, size);
        free(old);
    } else if (size) {
        memmove(v->buffer, bytes, size);
    }
    v->bytes = v->buffer;
    v->size = (u32)size;
    return ERR_OK;
}

err_code value_set_text(struct value *v, const void *bytes, size_t size)
{
    err_code code = bytes_copy(v, bytes, size, size + 1);
    if (code != ERR_OK) return code;
    v->buffer[size] = 0;
    v->type = VALUE_TEXT;
    v->flags = VALUE_TERMINATED;
    return ERR_OK;
}

err_code value_set_blob(struct value *v, const void *bytes, size_t size)
{
    err_code code = bytes_copy(v, bytes, size, size + 1);
    if (code != ERR_OK) return code;
    v->type = VALUE_BLOB;
    v->flags = 0;
    return ERR_OK;
}

void value_borrow_text(struct value *v, const void *bytes, u32 size)
{
    v->type = VALUE_TEXT;
    v->flags = VALUE_BORROWED;
    v->bytes = bytes;
    v->size = size;
}

void value_borrow_blob(struct value *v, const void *bytes, u32 size)
{
    v->type = VALUE_BLOB;
    v->flags = VALUE_BORROWED;
    v->bytes = bytes;
    v->size = size;
}

err_code value_set_zero_blob(struct value *v, u64 size)
{
    if (size > VALUE_SIZE_MAX) return ERR_TOOBIG;
    v->type = VALUE_BLOB;
    v->flags = VALUE_BORROWED | VALUE_ZERO_TAIL;
    v->bytes = (const u8 *)"";
    v->size = 0;
    v->zero_count = (u32)size;
    return ERR_OK;
}

err_code value_copy_bytes(struct value *to, const struct value *from)
{
    if (to == from) return ERR_OK;
    err_code code = bytes_copy(to, from->bytes, from->size, (size_t)from->size + 1);
    if (code != ERR_OK) return code;
    to->buffer[to->size] = 0;
    to->flags = (from->flags & ~VALUE_BORROWED) | (from->type == VALUE_TEXT ? VALUE_TERMINATED : 0);
    if (from->flags & VALUE_ZERO_TAIL) to->zero_count = from->zero_count;
    to->type = from->type;
    to->subtype = from->subtype;
    return ERR_OK;
}

void value_borrow(struct value *to, const struct value *from)
{
    if (to == from) return;
    to->integer = from->integer;
    to->type = from->type;
    to->flags = from->flags & (u8)~VALUE_WHOLE;
    to->subtype = from->subtype;
    if (from->type == VALUE_TEXT || from->type == VALUE_BLOB) {
        to->bytes = from->bytes;
        to->size = from->size;
        to->flags |= VALUE_BORROWED;
    }
}

void value_move(struct value *to, struct value *from)
{
    if (to == from) return;
    u8 *buffer = to->buffer;
    u32 capacity = to->capacity;
    *to = *from;
    from->buffer = buffer;
    from->capacity = capacity;
    value_set_null(from);
}

err_code value_own(struct value *v)
{
    if (!(v->flags & VALUE_BORROWED) || (v->type != VALUE_TEXT && v->type != VALUE_BLOB)) return ERR_OK;
    err_code code = bytes_copy(v, v->bytes, v->size, (size_t)v->size + 1);
    if (code != ERR_OK) return code;
    v->buffer[v->size] = 0;
    v->flags &= ~VALUE_BORROWED;
    if (v->type == VALUE_TEXT) v->flags |= VALUE_TERMINATED;
    return ERR_OK;
}

err_code value_expand(struct value *v)
{
    if (v->type != VALUE_BLOB || !(v->flags & VALUE_ZERO_TAIL)) return ERR_OK;
    u32 tail = v->zero_count;
    err_code code = bytes_copy(v, v->bytes, v->size, (size_t)v->size + tail + 1);
    if (code != ERR_OK) return code;
    memset(v->buffer + v->size, 0, (size_t)tail + 1);
    v->size += tail;
    v->flags &= ~(VALUE_BORROWED | VALUE_ZERO_TAIL);
    return ERR_OK;
}

err_code value_terminate(struct value *v)
{
    if (v->flags & VALUE_TERMINATED) return ERR_OK;
    err_code code = value_expand(v);
    if (code != ERR_OK) return code;
    code = bytes_copy(v, v->bytes, v->size, (size_t)v->size + 1);
    if (code != ERR_OK) return code;
    v->buffer[v->size] = 0;
    v->flags = (v->flags & ~VALUE_BORROWED) | VALUE_TERMINATED;
    return ERR_OK;
}
