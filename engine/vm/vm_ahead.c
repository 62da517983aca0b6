// Rows that a loop will look up by their rowids, read before they are needed.
//
// A loop walks one cursor (entries of an index; the values of an IN; the outer table of a join) and looks up a row of
// another table for each. When such a look-up has to wait for the disk, the entries behind the one that the walk is on
// are looked at, as far as they are in memory, and the pages of their rows are asked for together. Rows still come in
// the order of the walk. The end of an index range is minded; other conditions are not known here.
#include "../store/btree_ahead.h"
#include "vm.h"

// An integer in a record that lies in its page: of column `column`, or with -1 the last one.
static bool entry_integer(const struct cell *e, s32 column, s64 *out)
{
    const u8 *record = e->payload, *end = record + e->payload_size;
    u64 header, type = 0, offset;
    if (e->local_size < e->payload_size) return false;
    u32 at = varint_get_checked(record, end, &header);
    if (!at || header < 2 || header > e->payload_size) return false;
    if (column < 0) {
        type = record[header - 1];
        offset = e->payload_size - MIN(e->payload_size, serial_type_size(type));
    } else {
        offset = header;
        for (s32 i = 0;; i++) {
            u32 n = at < header ? varint_get_checked(record + at, record + header, &type) : 0;
            if (!n) return false;
            if (i == column) break;
            at += n;
            offset += serial_type_size(type);
        }
    }
    u32 size = serial_type_size(type);
    if (type == 0 || type == 7 || type > 9 || offset < header || offset + size > e->payload_size) return false;
    struct value v = {0};
    if (serial_get(record + offset, type, 1, &v) != ERR_OK) return false;
    *out = v.integer;
    return true;
}

// Whether the walk ends before this entry: `in` is the loop's instruction behind its test of that, if it has one.
static bool entry_is_past(struct skerry_stmt *s, const struct instruction *in, const struct cell *e)
{
    const struct vm_frame *f = s->frame;
    const struct instruction *test = in - 1;
    if (test < f->program->code || test->p1 != in->p1) return false;
    bool low = test->opcode == OP_IdxLE || test->opcode == OP_IdxGT;
    if (!low && test->opcode != OP_IdxLT && test->opcode != OP_IdxGE) return false;
    struct err ignored = ERR_CLEAR;
    struct search_key k = {.info = f->cursors[in->p1]->key_info, .values = &f->registers[test->p3],
                           .count = (u16)test->p4.integer, .default_result = low ? -1 : 0};
    if (!k.info || e->local_size < e->payload_size) return false;
    int compare = record_compare(e->payload, e->payload_size, &k, &ignored);
    switch (test->opcode) {
    case OP_IdxLE: return compare <= 0;
    case OP_IdxLT: return compare < 0;
    case OP_IdxGT: return compare > 0;
    default: return compare >= 0;
    }
}

// Asks for the rows of the entries that come next.
static void lookups_ask(struct skerry_stmt *s, struct vm_cursor *walk, const struct instruction *in, s32 column,
                        const struct cursor *rows)
{
    struct read_ahead *a = &walk->lookups;
    s64 rowids[READ_AHEAD_MAX];
    u32 max = MIN(txn_ahead_max(rows->txn), READ_AHEAD_MAX), window = MIN(a->window, max), seen = 0, count = 0;
    struct cursor_peek k;
    struct cell e;
    cursor_peek_begin(&k, &walk->c, walk->lookups_backward);
    while (seen < window && cursor_peek_next(&k, &e)) {
        if (column < 0 && entry_is_past(s, in, &e)) break;
        if (seen++ < a->left) continue;
        if (entry_integer(&e, column, &rowids[count])) count++;
    }
    u32 asked = seen > a->left ? seen - a->left : 0;
    ahead_asked(a, rows->txn, asked, btree_rows_prefetch(rows->txn, rows->root, rowids, count));
}

void vm_lookup_ahead(struct skerry_stmt *s, struct vm_cursor *walk, const struct instruction *in, s32 column,
                     const struct cursor *rows, bool waits)
{
    const struct cursor *c = walk ? &walk->c : NULL;
    if (!walk || walk->kind != VM_CURSOR_TREE || c->state != CURSOR_VALID || c->depth < 0) return;
    struct read_ahead *a = &walk->lookups;
    pgno no = c->path[c->depth]->no;
    u32 index = c->index[c->depth];
    if (no == walk->lookups_page && index != walk->lookups_index) walk->lookups_backward = index < walk->lookups_index;
    bool first = walk->lookups_page == 0, again = no == walk->lookups_page && index == walk->lookups_index;
    walk->lookups_page = no;
    walk->lookups_index = (u16)index;
    if (a->window == 0) {
        if (!waits || first || again) return; // one row alone, or the first of some
        ahead_begin(a);
    }
    if (ahead_due(a)) lookups_ask(s, walk, in, column, rows);
}

bool vm_lookup_find(struct skerry_stmt *s, struct vm_cursor *c, const struct instruction *seek)
{
    const struct program *p = s->frame->program;
    for (const struct instruction *in = seek - 1; in >= p->code && seek - in <= 3; in--) {
        if ((in->opcode == OP_IsNull || in->opcode == OP_MustBeInt) && in->p1 == seek->p3) continue;
        if (in->opcode == OP_Filter) continue;
        if (in->opcode != OP_Column || in->p3 != seek->p3) return false;
        c->lookup_by = seek;
        c->lookup_walk = in->p1;
        c->lookup_column = in->p2;
        return true;
    }
    return false;
}
