// Seeking: binary search from the root down, comparing keys as they lie in the pages.
#include "btree_cursor.h"
#include "record_serial.h"

static io_status cell_fail(struct op *op, const struct page *p, u32 i)
{
    (void)cell_error(&op->err, p, i);
    return IO_FAIL;
}

static void cursor_arrive(struct cursor *c, u32 index, int *compare, int result)
{
    c->index[c->depth] = (u16)index;
    c->state = CURSOR_VALID;
    c->skip = 0;
    cursor_moved(c);
    *compare = result;
}

// Where `part` of `range`, which is not 0, would be among `count` cells if they were spread evenly.
static inline u32 spread_guess(u64 part, u64 range, u32 count)
{
    if (UNLIKELY(range >> 44)) { // keep the product below in 64 bits
        range >>= 20;
        part >>= 20;
    }
    return (u32)MIN(part * count / range, (u64)count - 1);
}

// Where a rowid of (low_key, high_key] would be among `count` cells if they were spread evenly; rowids that were
// given in sequence are found at the first guess.
static inline u32 rowid_guess(s64 low_key, s64 high_key, u32 count, s64 rowid)
{
    u64 range = (u64)high_key - (u64)low_key, part = (u64)rowid - (u64)low_key - 1;
    return range <= count ? (u32)MIN(part, (u64)count - 1) : spread_guess(part, range, count);
}

bool leaf_rowid_at_end(const struct page *p, u32 offset, s64 *rowid)
{
    u64 payload_size, v;
    if (!leaf_cell_head(p, offset, &payload_size, &v)) return false;
    *rowid = (s64)v;
    return true;
}

// Rowids that those of a page's cells are among: (low, high]. INT64_MIN and INT64_MAX are not known, and say nothing about where
// they lie.
struct rowid_range {
    s64 low, high;
};

ALWAYS_INLINE bool cell_rowid(const struct page *p, bool leaf, u32 i, s64 *rowid)
{
    return leaf ? leaf_rowid(p, i, rowid) : interior_rowid(p, i, rowid);
}

// The first cell of the page, among those from low to high - 1, whose rowid is >= rowid; high when there is none. Starts from a
// guess and doubles its steps away from it; when two were wrong, it guesses once more from what they found, if it knows a range, and then
// doubles or halves. False: cell *index is malformed.
ALWAYS_INLINE bool rowid_search(const struct page *p, bool leaf, u32 low, u32 high, u32 guess, struct rowid_range *range, s64 rowid, u32 *index,
                                bool *equal)
{
    u32 probe = guess, step = 1;
    *equal = false;
    while (low < high) {
        s64 key;
        if (UNLIKELY(!cell_rowid(p, leaf, probe, &key))) {
            *index = probe;
            return false;
        }
        if (key == rowid) {
            *equal = true;
            low = probe;
            break;
        }
        u32 middle;
        if (key < rowid) {
            low = probe + 1;
            if (range) range->low = key;
            middle = low + (high - low) / 2;
            probe = MIN(probe + step, middle);
        } else {
            high = probe;
            if (range) range->high = key - 1;
            middle = low + (high - low) / 2;
            probe = probe >= low + step ? MAX(probe - step, middle) : middle;
        }
        if (range && step == 4 && high - low > 4) probe = low + rowid_guess(range->low, range->high, high - low, rowid);
        if (step < high) step *= 4;
    }
    *index = low;
    return true;
}

// The same of all cells of a page, of which there are some; what is not known of their range is read from the first and the last.
ALWAYS_INLINE bool page_search(const struct page *p, bool leaf, struct rowid_range range, s64 rowid, u32 *index, bool *equal)
{
    u32 low = 0, high = p->node.cell_count;
    *equal = false;
    if (range.high == INT64_MAX) {
        *index = high - 1;
        if (UNLIKELY(!cell_rowid(p, leaf, high - 1, &range.high))) return false;
        if (range.high <= rowid) {
            *equal = range.high == rowid;
            if (!*equal) *index = high;
            return true;
        }
        high--;
    }
    if (range.low == INT64_MIN && high) {
        *index = 0;
        if (UNLIKELY(!cell_rowid(p, leaf, 0, &range.low))) return false;
        if (range.low >= rowid) {
            *equal = range.low == rowid;
            return true;
        }
        low = 1;
    }
    u32 guess = low < high ? low + rowid_guess(range.low, range.high, high - low, rowid) : low;
    return rowid_search(p, leaf, low, high, guess, &range, rowid, index, equal);
}

// The cursor comes to the place on its leaf that was found, or to its last entry.
static io_status leaf_arrive(struct cursor *c, u32 index, bool equal, int *compare)
{
    if (equal)
        cursor_arrive(c, index, compare, 0);
    else if (index < c->path[c->depth]->node.cell_count)
        cursor_arrive(c, index, compare, 1);
    else
        cursor_arrive(c, index - 1, compare, -1);
    return IO_DONE;
}

// Tries the leaf the cursor is on: repeated, ascending and appending seeks end here.
static io_status leaf_seek_near(struct cursor *c, struct op *op, s64 rowid, int *compare, bool *found)
{
    const struct page *p = c->path[c->depth];
    u32 count = p->node.cell_count, i = c->index[c->depth];
    s64 here;
    if (i >= count || (c->bounds_known && (rowid <= c->bound_low || rowid > c->bound_high))) return IO_DONE;
    if (c->cell_parsed)
        here = c->rowid;
    else if (!leaf_rowid(p, i, &here))
        return cell_fail(op, p, i);
    *found = true;
    if (here == rowid) {
        cursor_arrive(c, i, compare, 0);
        return IO_DONE;
    }
    if (here < rowid && i + 1 == count && (c->bounds_known || cursor_on_last_path(c))) {
        cursor_arrive(c, i, compare, -1); // appending
        return IO_DONE;
    }
    if (!c->bounds_known) { // then see whether the leaf reaches as far
        u32 edge = here < rowid ? count - 1 : 0;
        s64 edge_rowid;
        if (!leaf_rowid(p, edge, &edge_rowid)) return cell_fail(op, p, edge);
        if (here < rowid ? edge_rowid < rowid : edge_rowid > rowid) {
            *found = here < rowid && cursor_on_last_path(c);
            if (*found) cursor_arrive(c, edge, compare, -1);
            return IO_DONE;
        }
    }
    u64 distance = here < rowid ? (u64)rowid - (u64)here : (u64)here - (u64)rowid;
    bool near = distance <= SEEK_NEAR, equal;
    u32 index;
    if (near) {
        u32 guess = here < rowid ? (u32)MIN(i + distance, count - 1) : (u32)(i - MIN(i, distance));
        if (UNLIKELY(!rowid_search(p, true, 0, count, guess, NULL, rowid, &index, &equal))) return cell_fail(op, p, index);
    } else {
        struct rowid_range range = {c->bounds_known ? c->bound_low : INT64_MIN, c->bounds_known ? c->bound_high : INT64_MAX};
        if (UNLIKELY(!page_search(p, true, range, rowid, &index, &equal))) return cell_fail(op, p, index);
    }
    IO_TRY(leaf_arrive(c, index, equal, compare));
    if (near && equal) (void)cursor_take_whole_cell(c, p, index); // the next may be as near
    return IO_DONE;
}

io_status cursor_seek_rowid(struct cursor *c, struct op *op, s64 rowid, int *compare)
{
    if (c->state == CURSOR_VALID && c->depth >= 0) {
        bool found = false;
        IO_TRY(leaf_seek_near(c, op, rowid, compare, &found));
        if (found) return IO_DONE;
    }
    c->state = CURSOR_INVALID;
    c->gap = false;
    c->ahead = (struct read_ahead){0};
    c->bounds_known = false;
    cursor_moved(c);
    if (cursor_of_empty_file(c)) return IO_DONE;
    pgno no = c->root;
    struct rowid_range range = {INT64_MIN, INT64_MAX};
    bool next_leaf = false; // after the one that was sought before
    for (u32 level = 0;; level++) {
        if ((s32)level > c->depth || c->path[level]->no != no) {
            IO_TRY(cursor_load(c, op, level, no));
        }
        const struct page *p = c->path[level];
        u32 count = p->node.cell_count, index = 0;
        bool equal = false;
        if (p->node.leaf) {
            cursor_release(c, (s32)level + 1);
            if (count == 0) {
                c->index[level] = 0;
                *compare = -1;
                return IO_DONE;
            }
            if (next_leaf) cursor_touch_next_leaf(c, 1);
            if (UNLIKELY(!page_search(p, true, range, rowid, &index, &equal))) return cell_fail(op, p, index);
            c->bound_low = range.low;
            c->bound_high = range.high;
            c->bounds_known = true; // INT64_MIN itself, outside every half-open range, is always sought from the root
            return leaf_arrive(c, index, equal, compare);
        }
        if (count && UNLIKELY(!page_search(p, false, range, rowid, &index, &equal))) return cell_fail(op, p, index);
        if (index > 0 && !interior_rowid(p, index - 1, &range.low)) return cell_fail(op, p, index - 1);
        if (index < count && !interior_rowid(p, index, &range.high)) return cell_fail(op, p, index);
        next_leaf = (s32)level < c->depth && index == c->index[level] + 1u;
        c->index[level] = (u16)index;
        no = page_child(p, index);
    }
}

// ---- index trees ------------------------------------------------------------------------------------

// What is looked for: a decoded key or a whole record.
struct target {
    struct search_key *key;
    const u8 *record;
    u64 size;
    u32 fields;
    u32 plain; // fields of the key, from the first on, that are integers and binary text: most probes need no call for them
    bool integer, descending; // the first field
    s64 first;
};

static inline void target_of_key(struct target *t, struct search_key *key)
{
    const struct key_info *info = key->info;
    const struct value *v = key->values;
    u32 plain = 0, count = key->count, all = info->all_count;
    for (; plain < count; plain++) {
        if (v[plain].type == VALUE_INTEGER) continue;
        const struct collation *collation = info->collations && plain < all ? info->collations[plain] : NULL;
        if (v[plain].type != VALUE_TEXT || info->encoding > 1 || (collation && collation != &COLLATION_BINARY)) break;
    }
    t->key = key;
    t->plain = plain;
    t->integer = count && v[0].type == VALUE_INTEGER;
    if (t->integer) {
        t->first = v[0].integer;
        t->descending = info->orders && all && info->orders[0] & KEY_DESC;
    }
}

// Of the serial types of integers; 255: no such type.
static const u8 INTEGER_SIZES[10] = {255, 1, 2, 3, 4, 6, 8, 255, 0, 0};

// Compares the record [at, end) by the key's plain fields. False: undecided, or the record's are of other kinds.
static inline bool plain_fields_compare(const struct target *t, const u8 *at, const u8 *end, int *compare)
{
    u32 header = at[0];
    const u8 *types = at + 1, *data = at + header;
    if (UNLIKELY(header < 2 || header > 0x7f || data > end)) return false;
    const struct value *v = t->key->values;
    for (u32 i = 0; i < t->plain; i++, v++) {
        if (UNLIKELY(at + header == types)) return false;
        u32 type = *types++, size;
        int c;
        if (v->type == VALUE_INTEGER) {
            if (type > 9 || data + (size = INTEGER_SIZES[type]) > end) return false;
            s64 integer = serial_integer(data, type);
            c = (integer > v->integer) - (integer < v->integer);
        } else {
            if (type < 13 || !(type & 1) || type > 0x7f) return false;
            size = (type - 13) / 2;
            if (data + size > end) return false;
            u32 common = MIN(size, v->size);
            c = common ? memcmp(data, v->bytes, common) : 0;
            if (c == 0) c = (size > v->size) - (size < v->size);
        }
        if (c) {
            const u8 *orders = t->key->info->orders;
            *compare = orders && i < t->key->info->all_count && (orders[i] & KEY_DESC) ? -c : c;
            return true;
        }
        data += size;
    }
    if (t->plain < t->key->count) return false;
    t->key->equal_seen = true;
    *compare = t->key->default_result;
    return true;
}

// The place where a key that overflows is collected: that of this search, or a new one.
static struct probe *probe_of(struct cursor *c, const struct cell *cell)
{
    for (u32 i = 0; i < c->probe_count; i++)
        if (c->probes[i].overflow == cell->overflow && c->probes[i].size == cell->payload_size) return &c->probes[i];
    if (c->probe_count == 0) // an earlier search may have had many
        for (u32 i = 1; i < c->probe_capacity; i++) {
            free(c->probes[i].bytes);
            c->probes[i] = (struct probe){0};
        }
    if (c->probe_count == c->probe_capacity) {
        struct probe *grown = realloc(c->probes, (c->probe_capacity + 1) * sizeof *grown);
        if (!grown) return NULL;
        c->probes = grown;
        c->probes[c->probe_capacity++] = (struct probe){0};
    }
    struct probe *probe = &c->probes[c->probe_count];
    if (probe->capacity < cell->payload_size) {
        u8 *grown = realloc(probe->bytes, cell->payload_size);
        if (!grown) return NULL;
        probe->bytes = grown;
        probe->capacity = cell->payload_size;
    }
    memcpy(probe->bytes, cell->payload, cell->local_size);
    probe->size = cell->payload_size;
    probe->done = cell->local_size;
    probe->overflow = cell->overflow;
    c->probe_count++;
    return probe;
}

// Collects a key that overflows; it goes on where it was after a wait.
static io_status probe_collect(struct cursor *c, struct op *op, const struct cell *cell, const u8 **record)
{
    struct probe *probe = probe_of(c, cell);
    if (!probe) return IO_ERROR(&op->err, ERR_NOMEM, "%s", err_default_text(ERR_NOMEM));
    u32 room = txn_usable_size(c->txn) - 4;
    while (probe->done < cell->payload_size) {
        u32 n = (u32)((probe->done - cell->local_size) / room);
        c->overflow_first = cell->overflow;
        IO_TRY(cursor_overflow_gather(c, op, n + 1));
        struct page *p;
        IO_TRY(txn_page(c->txn, op, c->overflow[n], &p));
        u64 take = MIN((u64)room, cell->payload_size - probe->done);
        memcpy(probe->bytes + probe->done, p->data + 4, take);
        page_unpin(p);
        probe->done += take;
    }
    *record = probe->bytes;
    return IO_DONE;
}

static int target_compare(const struct target *t, const struct cursor *c, const u8 *record, u64 size,
                          struct err *err)
{
    return t->key ? record_compare(record, size, t->key, err)
                  : record_compare_records(record, size, t->record, t->size, c->key_info, t->fields, err);
}

// Compares cell i of the page at a level with the target.
static io_status cell_compare(struct cursor *c, struct op *op, const struct target *t, u32 level, u32 i,
                              int *compare)
{
    const struct page *p = c->path[level];
    const struct btree_node *n = &p->node;
    u32 offset = page_cell_offset(p, i);
    const u8 *at = p->data + offset + (n->leaf ? 0 : 4);
    u64 size;
    u32 head = varint_get_checked(at, p->data + n->usable_size, &size);
    at += head;
    if (LIKELY(head && size <= n->local_max && size <= (u64)(p->data + n->usable_size - at))) { // the usual cell: all of it in the page
        *compare = target_compare(t, c, at, size, &op->err);
        return UNLIKELY(*compare == 0 && op->err.code != ERR_OK) ? IO_FAIL : IO_DONE;
    }
    struct cell cell;
    if (!cell_parse_at(p, offset, &cell)) return cell_fail(op, p, i);
    const u8 *record = cell.payload;
    if (cell.overflow) {
        if (t->key) {
            bool undecided = false;
            *compare = record_compare_partial(cell.payload, cell.local_size, cell.payload_size, t->key, &undecided,
                                              &op->err);
            if (op->err.code != ERR_OK) return IO_FAIL;
            if (!undecided) return IO_DONE;
        }
        if ((cell.payload_size - cell.local_size) / n->usable_size > txn_page_count(c->txn))
            return cell_fail(op, p, i);
        IO_TRY(probe_collect(c, op, &cell, &record));
    } else if (cell.local_size < cell.payload_size) {
        return cell_fail(op, p, i); // overflows to page 0
    }
    *compare = target_compare(t, c, record, cell.payload_size, &op->err);
    return *compare == 0 && op->err.code != ERR_OK ? IO_FAIL : IO_DONE;
}

// Whether the first field of a record in a page, an integer of that size, differs from the key's.
ALWAYS_INLINE bool first_integer_differs(const struct target *t, const u8 *record, u32 size, int *compare)
{
    u32 header = record[0], type = record[1], width;
    if (type - 1 >= 6 || header + (width = INTEGER_SIZES[type]) > size || header < 2) return false;
    // What is before it is read with it: there are a page's and a record's header.
    s64 integer = (s64)(be64_get(record + header + width - 8) << (64 - 8 * width)) >> (64 - 8 * width);
    if (integer == t->first) return false;
    *compare = (integer < t->first) == t->descending ? 1 : -1;
    return true;
}

// The record of the usual cell: short, all of it in the page. NULL: it is none.
ALWAYS_INLINE const u8 *cell_record_quick(const struct page *p, u32 i, u32 *size)
{
    const struct btree_node *n = &p->node;
    u32 offset = page_cell_offset(p, i) + (n->leaf ? 0 : 4);
    *size = p->data[offset];
    if (UNLIKELY(*size < 2 || *size > 0x7f || *size > n->local_max || offset + 1 + *size > n->usable_size)) return NULL;
    return p->data + offset + 1;
}

// Decides the usual cell.
ALWAYS_INLINE bool cell_compare_quick(const struct target *t, const struct page *p, u32 i, int *compare)
{
    u32 size;
    const u8 *at = cell_record_quick(p, i, &size);
    if (UNLIKELY(!at)) return false;
    if (t->integer && first_integer_differs(t, at, size, compare)) return true;
    return plain_fields_compare(t, at, at + size, compare);
}

enum near { NEAR_NOT, NEAR_BETWEEN, NEAR_AT };

// Whether the target is on the leaf that the cursor is on, by its plain fields: between two of its entries, then it is sought among those from
// *low to *high - 1, or entry *low itself. Worth a try while it has been right lately. Starts beside the cursor.
static enum near target_near(struct cursor *c, const struct target *t, u32 *low, u32 *high)
{
    enum { TRUST_MAX = 3, RETRY_AFTER = 24 };
    const struct page *p = c->path[c->depth];
    u32 count = p->node.cell_count, at = MIN(c->index[c->depth], count - 1u);
    if (t->plain == 0 || !p->node.leaf || count < 3) return NEAR_NOT;
    if (c->near_trust < 0) {
        if (--c->near_trust < -RETRY_AFTER) c->near_trust = 0;
        return NEAR_NOT;
    }
    int result, end;
    if (!cell_compare_quick(t, p, at, &result)) return NEAR_NOT;
    if (result < 0) {
        u32 from = at, step = 1;
        while (result < 0 && at + 1 < count) {
            // The last one says whether it is worth to go on behind the next.
            if (step == 4 && (!cell_compare_quick(t, p, count - 1, &end) || end < 0)) break;
            from = at + 1;
            at = MIN(at + step, count - 1);
            if (!cell_compare_quick(t, p, at, &result)) return NEAR_NOT;
            step *= 4;
        }
        *low = from;
    } else if (result > 0) {
        if (at == 0 || !cell_compare_quick(t, p, 0, &end) || end > 0) {
            result = -1;
        } else if (end == 0) {
            at = 0;
            result = 0;
        }
        *low = 1;
    }
    if (result < 0) {
        c->near_trust--;
        return NEAR_NOT;
    }
    c->near_trust = (s8)MIN(c->near_trust + 1, TRUST_MAX);
    *high = at;
    if (result == 0) *low = at;
    return result == 0 ? NEAR_AT : NEAR_BETWEEN;
}

// The first field of the usual cell, when it is an integer.
ALWAYS_INLINE bool cell_first_integer(const struct page *p, u32 i, s64 *first)
{
    u32 size;
    const u8 *at = cell_record_quick(p, i, &size);
    if (UNLIKELY(!at)) return false;
    u32 header = at[0], type = at[1];
    if (header < 2 || type > 9 || header + INTEGER_SIZES[type] > size) return false;
    *first = serial_integer(at + header, type);
    return true;
}

// First integers that those of a page's cells are among, when both are known.
struct first_range {
    s64 low, high;
    bool low_known, high_known;
};

// Where the target would be among all cells of the page if they were spread evenly; their middle when nothing is known of that,
// or many have the same first field. What is not known of their range is read from the first and the last.
ALWAYS_INLINE u32 target_guess(const struct target *t, const struct page *p, struct first_range *r, bool *guessed)
{
    enum { WORTH = 12, SAME_MAX = 8 };
    u32 count = p->node.cell_count;
    *guessed = false;
    if (count < WORTH) return count / 2;
    if (!r->low_known) r->low_known = cell_first_integer(p, 0, &r->low);
    if (!r->high_known) r->high_known = cell_first_integer(p, count - 1, &r->high);
    u64 range = (u64)r->high - (u64)r->low, part = (u64)t->first - (u64)r->low;
    if (!r->low_known || !r->high_known || r->high <= r->low || range < count / SAME_MAX) return count / 2;
    *guessed = true;
    if (t->first <= r->low) return 0;
    return t->first >= r->high ? count - 1 : spread_guess(part, range, count);
}

static io_status target_seek(struct cursor *c, struct op *op, const struct target *t, int *compare)
{
    if (c->state == CURSOR_VALID && cursor_on_last_path(c) &&
        c->index[c->depth] + 1 == c->path[c->depth]->node.cell_count) {
        // The last entry of the tree: appending needs no search.
        int result;
        u32 last = c->index[c->depth];
        if (t->plain == 0 || !cell_compare_quick(t, c->path[c->depth], last, &result))
            IO_TRY(cell_compare(c, op, t, (u32)c->depth, last, &result));
        if (result <= 0) {
            cursor_arrive(c, last, compare, result);
            c->probe_count = 0;
            return IO_DONE;
        }
    }
    u32 near_low = 0, near_high = 0;
    enum near near = c->state == CURSOR_VALID || c->gap ? target_near(c, t, &near_low, &near_high) : NEAR_NOT;
    c->state = CURSOR_INVALID;
    c->gap = false;
    c->ahead = (struct read_ahead){0};
    cursor_moved(c);
    if (near == NEAR_AT) {
        cursor_arrive(c, near_low, compare, 0);
        c->probe_count = 0;
        return IO_DONE;
    }
    if (cursor_of_empty_file(c)) return IO_DONE;
    pgno no = c->root;
    const bool guesses = !near && t->integer && !t->descending;
    struct first_range range = {0};
    for (u32 level = near ? (u32)c->depth : 0;; level++) {
        if (!near && ((s32)level > c->depth || c->path[level]->no != no)) {
            IO_TRY(cursor_load(c, op, level, no));
        }
        const struct page *p = c->path[level];
        u32 low = near ? near_low : 0, high = near ? near_high : p->node.cell_count, probe = (low + high) / 2, step = 0;
        if (guesses) {
            bool guessed;
            probe = target_guess(t, p, &range, &guessed);
            step = guessed;
        }
        while (low < high) {
            int result;
            if (!step) { // both cells that may come next are on their way while this one is compared
                __builtin_prefetch(p->data + page_cell_offset(p, (low + probe) / 2));
                __builtin_prefetch(p->data + page_cell_offset(p, (probe + 1 + high) / 2));
            }
            if (t->plain == 0 || !cell_compare_quick(t, p, probe, &result))
                IO_TRY(cell_compare(c, op, t, level, probe, &result));
            u32 from = probe;
            if (result < 0) {
                low = probe + 1;
                probe = (low + high) / 2;
                if (step) probe = MIN(from + step, probe);
            } else if (result > 0) {
                high = probe;
                probe = (low + high) / 2;
                if (step && from >= low + step) probe = MAX(from - step, probe);
            } else {
                cursor_release(c, (s32)level + 1);
                cursor_arrive(c, probe, compare, 0);
                c->probe_count = 0;
                return IO_DONE;
            }
            step *= 4;
        }
        if (p->node.leaf) {
            cursor_release(c, (s32)level + 1);
            c->probe_count = 0;
            if (p->node.cell_count == 0) {
                c->index[level] = 0;
                *compare = -1;
            } else if (low < p->node.cell_count) {
                cursor_arrive(c, low, compare, 1);
            } else {
                cursor_arrive(c, low - 1, compare, -1);
            }
            return IO_DONE;
        }
        if (guesses && low > 0) range.low_known = cell_first_integer(p, low - 1, &range.low);
        if (guesses && low < p->node.cell_count) range.high_known = cell_first_integer(p, low, &range.high);
        c->index[level] = (u16)low;
        no = page_child(p, low);
    }
}

static io_status target_seek_begin(struct cursor *c, struct op *op, const struct target *t, int *compare)
{
    io_status status = target_seek(c, op, t, compare);
    if (status == IO_FAIL) c->probe_count = 0;
    return status;
}

io_status cursor_seek_key(struct cursor *c, struct op *op, struct search_key *key, int *compare)
{
    key->equal_seen = false;
    struct target t;
    target_of_key(&t, key);
    return target_seek_begin(c, op, &t, compare);
}

io_status cursor_at_key(struct cursor *c, struct op *op, struct search_key *key, bool *at)
{
    struct target t;
    int result = 1;
    target_of_key(&t, key);
    if (c->state == CURSOR_VALID && c->skip == 0) {
        u32 index = c->index[c->depth];
        if (t.plain == 0 || !cell_compare_quick(&t, c->path[c->depth], index, &result))
            IO_TRY(cell_compare(c, op, &t, (u32)c->depth, index, &result));
    }
    *at = result == 0;
    return IO_DONE;
}

bool cursor_in_gap(struct cursor *c, struct search_key *key)
{
    if (c->state != CURSOR_SKIP || c->skip_saved || c->skip < 0 || !c->path[c->depth]->node.leaf) return false;
    struct target t;
    int before, behind;
    u32 at = c->index[c->depth];
    target_of_key(&t, key);
    if (at == 0 || t.plain == 0 || !cell_compare_quick(&t, c->path[c->depth], at - 1, &before) || before >= 0 ||
        !cell_compare_quick(&t, c->path[c->depth], at, &behind) || behind <= 0)
        return false;
    c->state = CURSOR_VALID;
    c->skip = 0;
    return true;
}

io_status cursor_seek_record(struct cursor *c, struct op *op, const u8 *record, u64 size, u32 fields,
                             int *compare)
{
    return target_seek_begin(c, op, &(struct target){.record = record, .size = size, .fields = fields}, compare);
}
