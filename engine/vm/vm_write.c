// Writing: records, rows, index entries.
#include "vm.h"

#include "../sql/schema.h"
#include "key_filter.h"

static struct value *reg(struct skerry_stmt *s, s32 number)
{
    return &s->frame->registers[number];
}

// The bytes of a record that a register holds.
static void record_bytes(const struct value *v, const u8 **bytes, u64 *size, u64 *zero_tail)
{
    *bytes = v->bytes;
    *size = v->size;
    *zero_tail = v->flags & VALUE_ZERO_TAIL ? v->zero_count : 0;
}

io_status vm_make_record(struct skerry_stmt *s, const struct instruction *in)
{
    struct value *values = reg(s, in->p1), *out = reg(s, in->p3);
    u32 count = (u32)in->p2;
    if (in->p4_kind == P4_TEXT) {
        const char *affinity = in->p4.text;
        err_code failed = ERR_OK;
        for (u32 i = 0; i < count && affinity[i]; i++) vm_affinity_apply(&values[i], affinity[i], &failed);
        VALUE_TRY(s, failed);
    }
    VALUE_TRY(s, record_compose(values, count, s->encoding, (u64)s->db->limits[SKERRY_LIMIT_LENGTH], out));
    return IO_DONE;
}

// ---- rowids --------------------------------------------------------------------------------------------------

// Largest rowid taken: any that is free, found by trying.
static io_status rowid_random(struct skerry_stmt *s, struct vm_cursor *c, s64 *rowid)
{
    for (int tries = 0; tries < 100; tries++) {
        u64 random;
        int compare = -1;
        io_random(s->op.io, &random, sizeof random);
        s64 candidate = (s64)(random & (INT64_MAX >> 1)) + 1;
        // A wait starts over with other numbers: nothing has been promised yet.
        IO_TRY(cursor_seek_rowid(&c->c, &s->op, candidate, &compare));
        if (c->c.state == CURSOR_VALID && compare == 0) continue;
        *rowid = candidate;
        return IO_DONE;
    }
    return IO_ERROR(&s->op.err, ERR_FULL, "%s", err_default_text(ERR_FULL));
}

io_status vm_new_rowid(struct skerry_stmt *s, const struct instruction *in)
{
    struct vm_cursor *c = s->frame->cursors[in->p1];
    s64 rowid = 0;
    c->row_valid = false;
    IO_TRY(btree_rowid_last(&c->c, &s->op, &rowid));
    if (rowid < 0 && c->c.state != CURSOR_VALID) rowid = 0;
    struct value *largest = NULL;
    if (in->p3) {
        struct vm_frame *root = s->frame;
        while (root->parent) root = root->parent;
        largest = &root->registers[in->p3];
        rowid = MAX(rowid, value_to_integer(largest));
    }
    if (c->database >= 0) rowid = txn_rowid_last(c->c.txn, c->c.root, rowid);
    bool at_end = c->c.state == CURSOR_VALID && rowid < INT64_MAX;
    if (rowid < INT64_MAX)
        rowid++;
    else if (largest)
        return IO_ERROR(&s->op.err, ERR_FULL, "%s", err_default_text(ERR_FULL));
    else
        IO_TRY(rowid_random(s, c, &rowid));
    if (largest) value_set_integer(largest, rowid);
    c->deferred = false;
    c->seek_result = at_end ? -1 : 0; // the row comes after the one that the cursor is on, the last
    value_set_integer(reg(s, in->p2), rowid);
    return IO_DONE;
}

// ---- rows ----------------------------------------------------------------------------------------------------

static bool is_schema_row(const struct vm_cursor *c) { return UNLIKELY(c->c.root == ROOT_SCHEMA) && c->database >= 0; }

static u32 insert_flags(const struct vm_cursor *c, u16 p5)
{
    u32 flags = 0;
    if (p5 & WRITE_APPEND) flags |= CURSOR_APPEND;
    if (p5 & WRITE_SAVE_POSITION) flags |= CURSOR_SAVE_POSITION;
    if (p5 & WRITE_SEQUENCE) flags |= CURSOR_SEQUENCE;
    if ((p5 & WRITE_USE_SEEK_RESULT) && c->seek_result && c->c.state == CURSOR_VALID) flags |= CURSOR_SEEK_DONE;
    return flags;
}

io_status vm_row_cell(struct skerry_stmt *s, const struct instruction *in)
{
    struct vm_cursor *c = s->frame->cursors[in->p2];
    IO_TRY(vm_column_row(s, c));
    if (s->cell_capacity < c->row_size) {
        u8 *grown = realloc(s->cell, c->row_size);
        if (!grown) return vm_no_memory(s);
        s->cell = grown;
        s->cell_capacity = c->row_size;
    }
    IO_TRY(cursor_read(&c->c, &s->op, 0, c->row_size, s->cell));
    s->cell_size = c->row_size;
    return IO_DONE;
}

io_status vm_insert(struct skerry_stmt *s, const struct instruction *in)
{
    struct vm_cursor *c = s->frame->cursors[in->p1];
    struct btree_entry e = {.rowid = reg(s, in->p3)->integer};
    if (UNLIKELY(in->p5 & WRITE_NO_OP)) return IO_DONE;
    if (UNLIKELY(in->p5 & WRITE_PREFORMATTED)) {
        e.data = s->cell;
        e.size = s->cell_size;
    } else {
        record_bytes(reg(s, in->p2), &e.data, &e.size, &e.zero_tail);
    }
    c->row_valid = false;
    IO_TRY(cursor_insert(&c->c, &s->op, &e, insert_flags(c, in->p5), c->seek_result));
    c->deferred = false;
    c->seek_result = 0;
    if (is_schema_row(c)) schema_changes_add(&s->db->databases[c->database].schema_changes, e.rowid);
    if (in->p5 & WRITE_COUNT_CHANGE) {
        s->changes++;
        if (in->p5 & WRITE_LAST_ROWID) s->db->last_insert_rowid = e.rowid;
        if (UNLIKELY(s->db->hooks.changed) && c->database >= 0)
            connection_changed(s->db, (u32)c->database, c->c.root,
                               in->p5 & WRITE_IS_UPDATE ? SKERRY_CHANGE_UPDATE : SKERRY_CHANGE_INSERT, e.rowid);
    }
    if (c->database < 0) return vm_memory_check(s);
    s->counters.rows_written++;
    return IO_DONE;
}

io_status vm_delete(struct skerry_stmt *s, const struct instruction *in)
{
    struct vm_cursor *c = s->frame->cursors[in->p1];
    if (in->p2 & WRITE_NO_OP) return IO_DONE;
    if (UNLIKELY(c->deferred)) IO_TRY(vm_deferred_seek(s, c));
    c->row_valid = false;
    bool told = UNLIKELY(s->db->hooks.changed) && in->p2 & WRITE_COUNT_CHANGE && c->database >= 0 && c->table;
    bool named = told || is_schema_row(c), moved;
    if (named && c->c.state == CURSOR_SAVED) IO_TRY(cursor_restore(&c->c, &s->op, &moved));
    if (named && c->c.state == CURSOR_VALID) IO_TRY(cursor_entry(&c->c, &s->op));
    s64 rowid = c->c.rowid;
    IO_TRY(cursor_delete(&c->c, &s->op, in->p5 & WRITE_SAVE_POSITION ? CURSOR_SAVE_POSITION : 0));
    c->seek_result = 0;
    if (in->p2 & WRITE_COUNT_CHANGE) s->changes++;
    if (is_schema_row(c)) schema_changes_add(&s->db->databases[c->database].schema_changes, rowid);
    if (told) connection_changed(s->db, (u32)c->database, c->c.root, SKERRY_CHANGE_DELETE, rowid);
    if (c->database >= 0) s->counters.rows_written++;
    return IO_DONE;
}

// ---- index entries -------------------------------------------------------------------------------------------

io_status vm_index_insert(struct skerry_stmt *s, const struct instruction *in)
{
    struct vm_cursor *c = s->frame->cursors[in->p1];
    const struct value *record = reg(s, in->p2);
    struct value whole;
    struct btree_entry e = {0};
    if (UNLIKELY(record->flags & VALUE_ZERO_TAIL)) {
        value_init(&whole);
        VALUE_TRY(s, value_copy(&s->record, record));
        VALUE_TRY(s, value_expand(&s->record));
        record = &s->record;
    }
    e.data = record->bytes;
    e.size = record->size;
    struct search_key key = {.info = c->key_info};
    if (in->p4_kind == P4_INTEGER && in->p4.integer > 0) {
        key.values = reg(s, in->p3);
        key.count = (u16)MIN(in->p4.integer, c->key_info->all_count);
        e.key = &key;
    }
    c->row_valid = false;
    if (c->ephemeral && c->ephemeral->filter) key_filter_add(c->ephemeral->filter, key.values);
    IO_TRY(cursor_insert(&c->c, &s->op, &e, insert_flags(c, in->p5), c->seek_result));
    c->deferred = false;
    c->seek_result = 0;
    c->null_row = false;
    if (in->p5 & WRITE_COUNT_CHANGE) s->changes++;
    if (c->database < 0) return vm_memory_check(s);
    s->counters.rows_written++;
    return IO_DONE;
}

io_status vm_index_delete(struct skerry_stmt *s, const struct instruction *in)
{
    struct vm_cursor *c = s->frame->cursors[in->p1];
    struct search_key k = {.info = c->key_info, .values = reg(s, in->p2), .count = (u16)in->p3, .default_result = 0};
    int compare = -1;
    c->row_valid = false;
    c->deferred = false;
    IO_TRY(cursor_seek_key(&c->c, &s->op, &k, &compare));
    if (c->c.state == CURSOR_VALID && compare == 0) {
        IO_TRY(cursor_delete(&c->c, &s->op, 0));
    } else if (in->p5 && !connection_flag(s->db, CONNECTION_WRITABLE_SCHEMA)) {
        return IO_ERROR(&s->op.err, ERR_CORRUPT_INDEX, "database disk image is malformed");
    }
    c->seek_result = 0;
    return IO_DONE;
}

// ---- foreign keys ----------------------------------------------------------------------------------------------

io_status vm_foreign_key_refer(struct skerry_stmt *s, const struct instruction *in)
{
    const struct cursor *c = &s->frame->cursors[in->p1]->c;
    const struct value *key = reg(s, in->p2);
    if (!c->key_info) return txn_key_refer(c->txn, &s->op, c->root, key->integer, NULL);
    struct search_key k = {.info = c->key_info, .values = key, .count = (u16)in->p4.integer};
    return txn_key_refer(c->txn, &s->op, c->root, 0, &k);
}

// ---- STRICT tables -------------------------------------------------------------------------------------------

static const char *const type_names[] = {"", "INT", "REAL", "TEXT", "BLOB", "NULL"};

static io_status type_mismatch(struct skerry_stmt *s, const struct table *t, const struct column *column,
                               const struct value *v)
{
    static const char *const names[] = {"", "ANY", "BLOB", "INT", "INTEGER", "REAL", "TEXT"};
    return IO_ERROR(&s->op.err, ERR_CONSTRAINT_DATATYPE, "cannot store %s value in %s column %s.%s",
                    type_names[v->type], names[column->strict_type], t->name, column->name);
}

io_status vm_type_check(struct skerry_stmt *s, const struct instruction *in)
{
    const struct table *t = in->p4.table;
    u32 first = 0, count = t->column_count;
    if (in->p3 >= 2) {
        first = (u32)in->p3 - 2;
        count = first + 1;
    }
    for (u32 n = first; n < count; n++) {
        const struct column *column = &t->columns[n];
        if (in->p3 < 2 && (column->flags & COLUMN_GENERATED)) {
            if (column->flags & COLUMN_VIRTUAL) continue;
            if (in->p3 == 1) continue;
        }
        struct value *v = reg(s, in->p3 >= 2 ? in->p1 : in->p1 + column->storage);
        VALUE_TRY(s, value_apply_affinity(v, (enum affinity)column->affinity));
        if (v->type == VALUE_NULL) continue;
        bool good = true;
        switch ((enum column_type)column->strict_type) {
        case COLUMN_TYPE_BLOB: good = v->type == VALUE_BLOB; break;
        case COLUMN_TYPE_INT:
        case COLUMN_TYPE_INTEGER: good = v->type == VALUE_INTEGER; break;
        case COLUMN_TYPE_TEXT: good = v->type == VALUE_TEXT; break;
        case COLUMN_TYPE_REAL: good = v->type == VALUE_REAL; break;
        case COLUMN_TYPE_OTHER:
        case COLUMN_TYPE_ANY: break;
        }
        if (!good) return type_mismatch(s, t, column, v);
    }
    return IO_DONE;
}
