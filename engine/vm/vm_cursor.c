// Cursors of programs: opening, and finding an entry.
#include "vm.h"

#include "../fn/table_function.h"
#include "../fts/fts_table.h"
#include "../fts/fts_vocab.h"
#include "dbstat.h"
#include "../sql/schema.h"
#include "../store/btree_inline.h"
#include "key_filter.h"
#include "vm_column.h"

// ---- making and freeing --------------------------------------------------------------------------------------

static void ephemeral_unref(struct vm_ephemeral *e)
{
    if (!e || --e->references) return;
    key_filter_free(e->filter);
    free(e); // the tree goes with the statement's ephemeral transaction
}

void vm_cursor_free(struct skerry_stmt *s, struct vm_cursor *c)
{
    if (c->sorter) s->sorter_bytes -= c->sorter->bytes;
    cursor_deinit(&c->c);
    if (c->walk) {
        btree_walk_deinit(c->walk);
        free(c->walk);
    }
    vm_queue_free(s, c);
    ephemeral_unref(c->ephemeral);
    sorter_free(c->sorter);
    if (UNLIKELY(c->groups != NULL)) {
        s->sorter_bytes -= c->groups->bytes;
        vm_groups_free(s, c->groups);
    }
    key_filter_free(c->filter);
    table_rows_close(c->rows);
    fts_cursor_close(c->fts);
    fts_vocab_close(c->vocab);
    dbstat_close(c->dbstat);
    skerry_finalize(c->inner);
    for (u32 i = 0; i < COUNT_OF(c->pragma_arguments); i++) value_deinit(&c->pragma_arguments[i]);
    free(c->row_buffer);
    c->next_free = s->free_cursors;
    s->free_cursors = c;
}

void vm_cursors_release(struct skerry_stmt *s)
{
    for (struct vm_cursor *c = s->free_cursors, *next; c; c = next) {
        next = c->next_free;
        free(c);
    }
    s->free_cursors = NULL;
}

// Zeroed, with room for that many fields.
static struct vm_cursor *cursor_alloc(struct skerry_stmt *s, u32 field_count)
{
    for (struct vm_cursor **link = &s->free_cursors; *link; link = &(*link)->next_free) {
        struct vm_cursor *c = *link;
        if (c->field_capacity < field_count) continue;
        u32 capacity = c->field_capacity;
        *link = c->next_free;
        memset(c, 0, sizeof *c);
        c->field_capacity = capacity;
        return c;
    }
    struct vm_cursor *c = calloc(1, sizeof *c + ((size_t)field_count + 1) * sizeof(struct vm_field));
    if (c) c->field_capacity = field_count;
    return c;
}

struct vm_cursor *vm_cursor_new(struct skerry_stmt *s, s32 number, enum vm_cursor_kind kind, u32 field_count)
{
    ASSERT(number >= 0 && number < s->frame->program->cursor_count);
    struct vm_cursor **slot = &s->frame->cursors[number];
    if (*slot) vm_cursor_free(s, *slot);
    *slot = NULL;
    struct vm_cursor *c = cursor_alloc(s, field_count);
    if (!c) {
        (void)vm_no_memory(s);
        return NULL;
    }
    c->kind = (u8)kind;
    c->field_count = field_count;
    c->fields = (struct vm_field *)(void *)(c + 1);
    c->database = -1;
    c->encoding = s->encoding;
    c->null_row = true;
    for (u32 i = 0; i < COUNT_OF(c->pragma_arguments); i++) value_init(&c->pragma_arguments[i]);
    *slot = c;
    return c;
}

static void cursor_unpark(struct vm_frame *f, s32 number)
{
    struct vm_cursor *c = f->parked[number];
    f->parked[number] = NULL;
    f->cursors[number] = c;
    cursor_idle_end(&c->c);
    c->c.ahead = c->lookups = (struct read_ahead){0};
    c->seek_result = 0;
    c->seek_misses = c->seek_pause = 0;
    c->sequence = 0;
}

io_status vm_open(struct skerry_stmt *s, const struct instruction *in)
{
    struct vm_frame *f = s->frame;
    pgno root = (pgno)in->p2;
    if (in->p5 & OPEN_ROOT_IN_REGISTER) root = (pgno)f->registers[in->p2].integer;
    if (in->opcode == OP_ReopenIdx) {
        struct vm_cursor *old = f->cursors[in->p1];
        if (old && old->kind == VM_CURSOR_TREE && old->c.root == root && old->database == in->p3) {
            old->row_valid = false;
            cursor_reset(&old->c);
            return IO_DONE;
        }
    }
    struct database *d = &s->db->databases[in->p3];
    ASSERT(d->txn && txn_state_get(d->txn) != TXN_NONE);
    // A constraint's index of which the schema table holds no row.
    if (!root) return IO_ERROR(&s->op.err, ERR_CORRUPT, "database disk image is malformed: the schema names no tree for an index of a table");
    struct vm_cursor *same = f->cursors[in->p1];
    bool again = same && in->opcode == OP_OpenRead;
    if (!same) {
        same = f->parked[in->p1];
        again = same != NULL;
    }
    if (again && same->opened_by == in && same->c.txn == d->txn && same->c.root == root) {
        // A subquery opens its cursors at each run; where they stand is a good place to search from.
        if (same->c.idle) cursor_unpark(f, in->p1);
        same->row_valid = same->deferred = false;
        same->null_row = true;
        return IO_DONE;
    }
    const struct key_info *info = in->p4_kind == P4_KEY_INFO ? in->p4.key_info : NULL;
    u32 fields = info ? info->all_count : in->p4_kind == P4_INTEGER ? (u32)in->p4.integer : 0;
    struct vm_cursor *c = vm_cursor_new(s, in->p1, VM_CURSOR_TREE, fields);
    if (!c) return IO_FAIL;
    c->table = !info;
    c->key_info = info;
    c->database = (s8)in->p3;
    c->writable = in->opcode == OP_OpenWrite;
    cursor_init(&c->c, d->txn, root, info, c->writable);
    if (in->opcode != OP_ReopenIdx) c->opened_by = in;
    return IO_DONE;
}

// The statement's store for ephemeral tables, in a write transaction.
static io_status vm_ephemeral_txn(struct skerry_stmt *s, struct txn **out)
{
    if (!s->ephemeral) {
        if (s->db->ephemeral_free) {
            s->ephemeral = s->db->ephemeral_free;
            s->db->ephemeral_free = s->ephemeral->next;
        } else {
            s->ephemeral = calloc(1, sizeof *s->ephemeral);
            if (!s->ephemeral) return vm_no_memory(s);
        }
        s->ephemeral->next = NULL;
    }
    struct vm_ephemeral_store *e = s->ephemeral;
    if (!e->txn) {
        struct store_options options = {.in_memory = true, .create = true, .temp_dir = s->db->engine->temp_dir};
        IO_TRY(store_open(s->op.io, "", &options, &s->op, &e->store));
        e->txn = txn_create(e->store);
        if (!e->txn) return vm_no_memory(s);
    }
    if (!s->ephemeral_begun) {
        if (txn_state_get(e->txn) == TXN_NONE && connection_sealed(s->db)) store_spill_seal(e->store);
        IO_TRY(txn_begin_write(e->txn, &s->op, 0));
        s->ephemeral_begun = true;
    }
    *out = e->txn;
    return IO_DONE;
}

static io_status cursor_empty(struct skerry_stmt *s, struct vm_cursor *c)
{
    c->last_known = false;
    if (!c->walk) {
        c->walk = calloc(1, sizeof *c->walk);
        if (!c->walk) return vm_no_memory(s);
    }
    cursor_reset(&c->c);
    io_status status = btree_clear(c->c.txn, &s->op, c->c.root, c->walk);
    if (status == IO_WAIT) return status;
    btree_walk_deinit(c->walk);
    *c->walk = (struct btree_walk){0};
    c->row_valid = false;
    c->null_row = true;
    return status;
}

io_status vm_open_ephemeral(struct skerry_stmt *s, const struct instruction *in)
{
    struct vm_frame *f = s->frame;
    if (!f->cursors[in->p1] && f->parked[in->p1] && f->parked[in->p1]->ephemeral) {
        f->cursors[in->p1] = f->parked[in->p1];
        f->parked[in->p1] = NULL;
    }
    struct vm_cursor *c = f->cursors[in->p1];
    if (c && c->ephemeral && c->ephemeral->references == 1) { // again: emptied
        IO_TRY(cursor_empty(s, c));
        vm_queue_free(s, c);
        if (c->ephemeral->filter) key_filter_clear(c->ephemeral->filter);
        c->sequence = 0;
        return IO_DONE;
    }
    struct txn *t = NULL;
    IO_TRY(vm_ephemeral_txn(s, &t));
    const struct key_info *info = in->p4_kind == P4_KEY_INFO ? in->p4.key_info : NULL;
    pgno root;
    IO_TRY(btree_create(t, &s->op, info ? BTREE_INDEX : BTREE_TABLE, &root));
    u32 fields = MAX((u32)in->p2, info ? info->all_count : 0u);
    c = vm_cursor_new(s, in->p1, VM_CURSOR_TREE, fields);
    struct vm_ephemeral *e = c ? calloc(1, sizeof *e) : NULL;
    if (!e) return vm_no_memory(s);
    *e = (struct vm_ephemeral){.references = 1, .root = root};
    c->ephemeral = e;
    if (in->p5 & OPEN_WITH_FILTER && !(e->filter = key_filter_new(info, 0))) return vm_no_memory(s);
    c->table = !info;
    c->key_info = info;
    c->writable = true;
    cursor_init(&c->c, t, root, info, true);
    return IO_DONE;
}

io_status vm_open_dup(struct skerry_stmt *s, const struct instruction *in)
{
    struct vm_cursor *of = s->frame->cursors[in->p2];
    struct vm_cursor *c = vm_cursor_new(s, in->p1, VM_CURSOR_TREE, of->field_count);
    if (!c) return IO_FAIL;
    c->ephemeral = of->ephemeral;
    c->ephemeral->references++;
    c->table = of->table;
    c->key_info = of->key_info;
    c->encoding = of->encoding;
    c->writable = true;
    cursor_init(&c->c, of->c.txn, of->c.root, of->key_info, true);
    return IO_DONE;
}

io_status vm_reset_sorter(struct skerry_stmt *s, const struct instruction *in)
{
    struct vm_cursor *c = s->frame->cursors[in->p1];
    if (c->kind == VM_CURSOR_SORTER) {
        s->sorter_bytes -= c->sorter->bytes;
        sorter_clear(c->sorter);
        s->sorter_bytes += c->sorter->bytes;
        return IO_DONE;
    }
    return cursor_empty(s, c);
}

io_status vm_count(struct skerry_stmt *s, const struct instruction *in)
{
    struct vm_cursor *c = s->frame->cursors[in->p1];
    u64 count = 0;
    if (in->p3) {
        IO_TRY(btree_count_estimate(&c->c, &s->op, &count));
    } else {
        io_status status = btree_count(&c->c, &s->op, &s->walk);
        if (status == IO_WAIT) return status;
        count = s->walk.count;
        btree_walk_deinit(&s->walk);
        s->walk = (struct btree_walk){0};
        IO_TRY(status);
        s->counters.rows_read += count;
    }
    value_set_integer(&s->frame->registers[in->p2], (s64)count);
    return IO_DONE;
}

// ---- seeks ---------------------------------------------------------------------------------------------------

io_status vm_deferred_seek(struct skerry_stmt *s, struct vm_cursor *c)
{
    int compare;
    struct vm_cursor *walk = c->alternative;
    if (UNLIKELY(walk->lookups.window)) vm_lookup_ahead(s, walk, c->deferred_by, -1, &c->c, false);
    io_status status = cursor_seek_rowid(&c->c, &s->op, c->deferred_rowid, &compare);
    if (UNLIKELY(status != IO_DONE)) {
        if (status == IO_WAIT) vm_lookup_ahead(s, walk, c->deferred_by, -1, &c->c, true);
        return status;
    }
    if (UNLIKELY(walk->lookups.left)) walk->lookups.left--;
    if (c->c.state != CURSOR_VALID || compare != 0)
        return IO_ERROR(&s->op.err, ERR_CORRUPT,
                        "database disk image is malformed: an index names row %lld, which its table lacks",
                        (long long)c->deferred_rowid);
    c->deferred = false;
    c->row_valid = false;
    c->null_row = false;
    s->counters.rows_read++;
    return IO_DONE;
}

static bool direction_forward(u8 opcode)
{
    return opcode == OP_SeekGE || opcode == OP_SeekGT;
}

// What is compared with rowids: text that is a number as that.
static struct value rowid_key(const struct value *key)
{
    struct value v;
    value_init(&v);
    value_borrow(&v, key);
    if (v.type != VALUE_TEXT) return v;
    struct number_text n = number_parse(v.bytes, v.size);
    if (n.whole && n.kind == NUMBER_INTEGER) value_set_integer(&v, n.integer);
    else if (n.whole && n.kind == NUMBER_REAL) value_set_real(&v, n.real);
    return v;
}

// The rowid to look for in a table, out of any value; the bound may become strict or not with a real.
// Returns 0: use *rowid with *opcode; 1: every row qualifies (from the end); -1: none does.
static int rowid_bound(const struct value *key, u8 *opcode, s64 *rowid)
{
    struct value v = rowid_key(key);
    if (v.type == VALUE_INTEGER) {
        *rowid = v.integer;
        return 0;
    }
    if (v.type == VALUE_NULL) return -1;
    if (v.type != VALUE_REAL) { // text and blobs are larger than every integer
        return direction_forward(*opcode) ? -1 : 1;
    }
    *rowid = value_to_integer(&v);
    int c = integer_real_compare(*rowid, v.real);
    if (c > 0) { // the real lies below the integer
        if (*opcode == OP_SeekGT) *opcode = OP_SeekGE;
        if (*opcode == OP_SeekLE) *opcode = OP_SeekLT;
    } else if (c < 0) {
        if (*opcode == OP_SeekLT) *opcode = OP_SeekLE;
        if (*opcode == OP_SeekGE) *opcode = OP_SeekGT;
    }
    return 0;
}

io_status vm_seek(struct skerry_stmt *s, const struct instruction *in, bool *jump)
{
    struct vm_cursor *c = s->frame->cursors[in->p1];
    const struct value *key = &s->frame->registers[in->p3];
    u8 opcode = in->opcode;
    int compare;
    *jump = false;
    c->null_row = false;
    c->deferred = false;
    c->row_valid = false;
    c->lookups = (struct read_ahead){0};
    if (c->table) {
        s64 rowid = 0;
        int bound = rowid_bound(key, &opcode, &rowid);
        if (bound < 0) {
            *jump = true;
            return IO_DONE;
        }
        if (bound > 0) {
            IO_TRY(cursor_last(&c->c, &s->op));
            *jump = c->c.state != CURSOR_VALID;
            return IO_DONE;
        }
        IO_TRY(cursor_seek_rowid(&c->c, &s->op, rowid, &compare));
    } else {
        struct search_key k = {.info = c->key_info, .values = key, .count = (u16)in->p4.integer,
                               .default_result = opcode == OP_SeekGE || opcode == OP_SeekLT ? 1 : -1};
        IO_TRY(cursor_seek_key(&c->c, &s->op, &k, &compare));
    }
    s->counters.rows_read++;
    if (c->c.state != CURSOR_VALID) {
        *jump = true;
        return IO_DONE;
    }
    bool step;
    if (direction_forward(opcode))
        step = compare < 0 || (compare == 0 && opcode == OP_SeekGT);
    else
        step = compare > 0 || (compare == 0 && opcode == OP_SeekLT);
    if (step) {
        if (direction_forward(opcode))
            IO_TRY(cursor_next(&c->c, &s->op));
        else
            IO_TRY(cursor_previous(&c->c, &s->op));
        *jump = c->c.state != CURSOR_VALID;
    }
    return IO_DONE;
}

io_status vm_found(struct skerry_stmt *s, const struct instruction *in, bool *jump)
{
    struct vm_cursor *c = s->frame->cursors[in->p1];
    struct value *key = &s->frame->registers[in->p3];
    u32 count = (u32)in->p4.integer;
    struct value *decoded = NULL;
    c->deferred = false;
    c->row_valid = false;
    bool null_in_key = false;
    if (c->ephemeral && c->ephemeral->filter && !key_filter_may_have(c->ephemeral->filter, key)) {
        c->null_row = true;
        *jump = in->opcode != OP_Found;
        return IO_DONE;
    }
    if (count == 0) {
        u32 max = c->key_info->all_count;
        if (UNLIKELY(key->flags & VALUE_ZERO_TAIL)) VALUE_TRY(s, value_expand(key));
        decoded = calloc(max + 1, sizeof *decoded);
        if (!decoded) return vm_no_memory(s);
        if (record_decode(key->bytes, key->size, c->key_info->encoding, decoded, max, &count, &s->op.err) != ERR_OK) {
            free(decoded);
            return IO_FAIL;
        }
        key = decoded;
    }
    if (in->opcode == OP_NoConflict) {
        for (u32 i = 0; i < count && !null_in_key; i++) null_in_key = key[i].type == VALUE_NULL;
    }
    struct search_key k = {.info = c->key_info, .values = key, .count = (u16)count, .default_result = 0};
    int compare = -1;
    io_status status = IO_DONE;
    if (!null_in_key) status = cursor_seek_key(&c->c, &s->op, &k, &compare);
    if (decoded) {
        for (u32 i = 0; i < count; i++) value_deinit(&decoded[i]);
        free(decoded);
    }
    IO_TRY(status);
    s->counters.rows_read++;
    bool found = !null_in_key && c->c.state == CURSOR_VALID && compare == 0;
    c->null_row = !found;
    c->seek_result = null_in_key ? 0 : compare; // nothing was sought
    *jump = in->opcode == OP_Found ? found : !found;
    return IO_DONE;
}

io_status vm_seek_rowid(struct skerry_stmt *s, const struct instruction *in, bool *jump)
{
    struct vm_cursor *c = s->frame->cursors[in->p1];
    const struct value *key = &s->frame->registers[in->p3];
    s64 rowid;
    *jump = false;
    if (LIKELY(key->type == VALUE_INTEGER)) {
        rowid = key->integer;
    } else {
        struct value v = rowid_key(key);
        if (v.type == VALUE_REAL && integer_real_compare(value_to_integer(&v), v.real) == 0)
            value_set_integer(&v, value_to_integer(&v));
        if (v.type != VALUE_INTEGER) {
            c->row_valid = false;
            c->null_row = true;
            *jump = true;
            if (!in->p2) return IO_ERROR(&s->op.err, ERR_CORRUPT, "database disk image is malformed");
            return IO_DONE;
        }
        rowid = v.integer;
    }
    c->deferred = false;
    c->row_valid = false;
    int compare = -1;
    struct vm_cursor *walk = UNLIKELY(c->lookup_by == in) ? s->frame->cursors[c->lookup_walk] : NULL;
    if (UNLIKELY(walk && walk->lookups.window)) vm_lookup_ahead(s, walk, in, c->lookup_column, &c->c, false);
    io_status status = cursor_seek_rowid(&c->c, &s->op, rowid, &compare);
    if (UNLIKELY(status != IO_DONE)) {
        if (status == IO_WAIT && vm_lookup_find(s, c, in))
            vm_lookup_ahead(s, s->frame->cursors[c->lookup_walk], in, c->lookup_column, &c->c, true);
        return status;
    }
    if (UNLIKELY(walk && walk->lookups.left)) walk->lookups.left--;
    s->counters.rows_read++;
    bool found = c->c.state == CURSOR_VALID && compare == 0;
    c->null_row = !found;
    c->seek_result = compare;
    if (!found) {
        if (!in->p2) return IO_ERROR(&s->op.err, ERR_CORRUPT, "database disk image is malformed");
        *jump = true;
    }
    return IO_DONE;
}

// ---- index entries ---------------------------------------------------------------------------------------------

// The entry's record, when the cursor stands on one that lies in its page as a whole; else NULL.
ALWAYS_INLINE const u8 *entry_in_page(struct skerry_stmt *s, struct vm_cursor *c, u32 *size)
{
    if (UNLIKELY(c->kind != VM_CURSOR_TREE || c->deferred || c->c.state != CURSOR_VALID)) return NULL;
    if (cursor_entry_inline(&c->c, &s->op) != IO_DONE || c->c.local_size < c->c.payload_size) return NULL;
    *size = c->c.local_size;
    return c->c.local;
}

io_status vm_index_compare(struct skerry_stmt *s, const struct instruction *in, bool *jump)
{
    struct vm_cursor *c = s->frame->cursors[in->p1];
    if (c->kind == VM_CURSOR_SORTER) {
        *jump = false;
        return IO_DONE;
    }
    u32 size = 0;
    const u8 *record = entry_in_page(s, c, &size);
    if (UNLIKELY(!record)) {
        IO_TRY(vm_column_row(s, c));
        size = c->row_size;
        IO_TRY(vm_row_gather(s, c, size, &record));
    }
    struct search_key k = {.info = c->key_info, .values = &s->frame->registers[in->p3],
                           .count = (u16)in->p4.integer,
                           .default_result = in->opcode == OP_IdxLE || in->opcode == OP_LastLE || in->opcode == OP_IdxGT ? -1 : 0};
    int compare = record_compare(record, size, &k, &s->op.err);
    if (UNLIKELY(s->op.err.code != ERR_OK)) return IO_FAIL;
    switch (in->opcode) {
    case OP_LastLE:
    case OP_IdxLE: *jump = compare <= 0; break;
    case OP_IdxLT: *jump = compare < 0; break;
    case OP_IdxGT: *jump = compare > 0; break;
    default: *jump = compare >= 0; break;
    }
    return IO_DONE;
}

// ---- IN beside an index ----------------------------------------------------------------------------------------

enum { SEEK_IN_COLUMNS = 8, SEEK_IN_PAUSE = 8 };

// What the set of IN would need to reach to find the index's entry again, where it has not come as far: between the two the
// index has nothing. Only what is at hand in the pages is looked at. *past: no value can be found any more.
static bool seek_in_target(struct skerry_stmt *s, const struct instruction *in, struct vm_cursor *set, struct vm_cursor *x,
                           struct value *target, bool *past)
{
    const u32 column = (u32)in->p4.integer;
    u32 size = 0, set_size = 0, count = 0;
    const u8 *record = entry_in_page(s, x, &size);
    if (!record || column >= SEEK_IN_COLUMNS || x->key_info->orders[column]) return false;
    if (!set->table && !key_fields_alike(set->key_info, 0, x->key_info, column)) return false;
    struct search_key prefix = {.info = x->key_info, .values = &s->frame->registers[in->p3], .count = (u16)column};
    int compare = column ? record_compare(record, size, &prefix, &s->op.err) : 0;
    *past = compare > 0;
    if (compare) return false;
    struct value fields[SEEK_IN_COLUMNS];
    for (u32 i = 0; i <= column; i++) value_init(&fields[i]);
    (void)record_decode(record, size, x->key_info->encoding, fields, column + 1, &count, &s->op.err);
    bool behind = count > column;
    if (behind && set->table) {
        behind = fields[column].type == VALUE_INTEGER && (set->c.state != CURSOR_VALID || set->c.rowid < fields[column].integer);
    } else if (behind && set->c.state == CURSOR_VALID) {
        const u8 *at = entry_in_page(s, set, &set_size);
        struct search_key key = {.info = set->key_info, .values = &fields[column], .count = 1};
        behind = at && record_compare(at, set_size, &key, &s->op.err) < 0;
    }
    for (u32 i = 0; i < column + !behind; i++) value_deinit(&fields[i]);
    if (behind) *target = fields[column];
    return behind;
}

// Merges a set in order with an index in order: each is sought from what the other one has next.
io_status vm_seek_in(struct skerry_stmt *s, const struct instruction *in, bool *jump)
{
    struct vm_cursor *set = s->frame->cursors[in->p1], *x = s->frame->cursors[in->p5];
    struct value target;
    *jump = false;
    if (x->null_row) { // the first value
        set->seek_misses = set->seek_pause = 0;
        return IO_DONE;
    }
    const bool under_way = set->c.state != CURSOR_VALID; // it waited for a page
    if (!under_way && set->seek_pause) {
        set->seek_pause--;
        return IO_DONE;
    }
    if (!seek_in_target(s, in, set, x, &target, jump)) {
        if (s->op.err.code != ERR_OK) return IO_FAIL;
        set->seek_misses = MIN(set->seek_misses + 1, SEEK_IN_PAUSE);
        set->seek_pause = set->seek_misses;
        return IO_DONE;
    }
    int compare;
    struct search_key key = {.info = set->key_info, .values = &target, .count = 1, .default_result = 1};
    io_status status = set->table ? cursor_seek_rowid(&set->c, &s->op, target.integer, &compare) : cursor_seek_key(&set->c, &s->op, &key, &compare);
    value_deinit(&target);
    IO_TRY(status);
    set->seek_misses = 0;
    set->row_valid = set->deferred = false;
    if (set->c.state == CURSOR_VALID && compare < 0) IO_TRY(cursor_next(&set->c, &s->op));
    *jump = set->c.state != CURSOR_VALID;
    return IO_DONE;
}

// Which rows come behind the last one that is kept is mostly seen from the first field; the last one's is remembered.
io_status vm_last_compare(struct skerry_stmt *s, const struct instruction *in, bool *jump)
{
    struct vm_cursor *c = s->frame->cursors[in->p1];
    c->row_valid = c->deferred = false;
    IO_TRY(cursor_last(&c->c, &s->op));
    c->null_row = c->c.state != CURSOR_VALID;
    IO_TRY(vm_index_compare(s, in, jump));
    c->last_known = false;
    if (!*jump) return IO_DONE;
    struct value first;
    u32 count;
    value_init(&first);
    IO_TRY(vm_column_row(s, c));
    if (c->row_available < c->row_size || c->key_info->encoding > 1) return IO_DONE;
    if (record_decode(c->row, c->row_size, 1, &first, 1, &count, &s->op.err) != ERR_OK) return IO_FAIL;
    c->last_exact = true;
    c->last_prefix = sorter_value_prefix(&first, c->key_info, &c->last_exact);
    c->last_text_size = 0;
    if (first.type == VALUE_TEXT) {
        c->last_text_size = (u8)MIN(first.size, (u32)LAST_TEXT_MAX);
        memcpy(c->last_text, first.bytes, c->last_text_size);
    }
    value_deinit(&first);
    c->last_known = true;
    return IO_DONE;
}

// The last field of the entry.
io_status vm_index_rowid(struct skerry_stmt *s, struct vm_cursor *c, s64 *rowid)
{
    u64 header = 0, type = 0;
    u32 row_size = 0, available;
    const u8 *record = entry_in_page(s, c, &row_size);
    available = row_size;
    if (UNLIKELY(!record)) {
        IO_TRY(vm_column_row(s, c));
        record = c->row;
        row_size = c->row_size;
        available = c->row_available;
    }
    u32 n = varint_get_checked(record, record + available, &header);
    if (UNLIKELY(!n || header < 2 || header > row_size)) goto malformed;
    struct value v = {.type = VALUE_NULL};
    if (LIKELY(available == row_size)) {
        // The type of an integer is one byte: the header's last.
        type = record[header - 1];
        u32 size = serial_type_size(type);
        if (UNLIKELY(type > 9 || type == 0 || type == 7 || size > row_size - header)) goto malformed;
        number_decode(record + row_size - size, (u32)type, &v);
    } else {
        u8 tail[8];
        u8 last;
        IO_TRY(cursor_read(&c->c, &s->op, header - 1, 1, &last));
        u32 size = serial_type_size(last);
        if (last > 9 || last == 0 || last == 7 || size > row_size - header) goto malformed;
        IO_TRY(cursor_read(&c->c, &s->op, row_size - size, size, tail));
        number_decode(tail, last, &v);
    }
    *rowid = v.integer;
    return IO_DONE;
malformed:
    return IO_ERROR(&s->op.err, ERR_CORRUPT, "database disk image is malformed: an index entry ends without a rowid");
}
