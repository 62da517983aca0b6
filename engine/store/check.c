#include "check.h"
#include "btree_inline.h"

#include <stdarg.h>

enum prefix { PREFIX_NONE, PREFIX_FREELIST, PREFIX_PAGE, PREFIX_CELL, PREFIX_RIGHT };
enum pointer_kind { POINTER_ROOT = 1, POINTER_FREE = 2, POINTER_OVERFLOW_FIRST = 3, POINTER_OVERFLOW = 4,
                    POINTER_CHILD = 5 };

// A page of the tree whose checking is under way.
struct check_frame {
    pgno no;
    s32 cell;  // the one at hand, counted down
    s32 depth; // of the subtrees, -1: not known yet
    s64 rowid_max;
    enum { FRAME_ENTER, FRAME_RIGHT, FRAME_CELL, FRAME_OVERFLOW, FRAME_CHILD } step;
    bool may_equal; // the next rowid may equal rowid_max
    bool coverage;  // all cells lie where cells may: look for overlaps
    u32 prefix, page, index; // of the messages, to go back to
};

void check_deinit(struct check *c)
{
    free(c->text);
    free(c->counts);
    free(c->used);
    free(c->ranges);
    free(c->ends);
    free(c->frames);
    *c = (struct check){0};
}

// ---- messages ---------------------------------------------------------------------------------------

static void text_add(struct check *c, const char *format, va_list args)
{
    char line[300];
    int size = vsnprintf(line, sizeof line, format, args);
    if (size < 0) return;
    u64 length = MIN((u64)size, sizeof line - 1);
    if (c->text_size + length + 1 > c->text_capacity) {
        u64 capacity = MAX(c->text_capacity * 2, c->text_size + length + 200);
        char *grown = realloc(c->text, capacity);
        if (!grown) {
            c->out_of_memory = true;
            return;
        }
        c->text = grown;
        c->text_capacity = capacity;
    }
    memcpy(c->text + c->text_size, line, length + 1);
    c->text_size += length;
}

__attribute__((format(printf, 2, 3))) static void text_format(struct check *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    text_add(c, format, args);
    va_end(args);
}

static bool check_full(const struct check *c) { return c->error_count >= c->errors_max; }

__attribute__((format(printf, 2, 3))) static void message(struct check *c, const char *format, ...)
{
    if (check_full(c)) return;
    c->error_count++;
    if (c->text_size) text_format(c, "\n");
    switch ((enum prefix)c->prefix) {
    case PREFIX_NONE: break;
    case PREFIX_FREELIST: text_format(c, "Freelist: "); break;
    case PREFIX_PAGE: text_format(c, "Tree %u page %u: ", c->tree, c->page); break;
    case PREFIX_CELL: text_format(c, "Tree %u page %u cell %u: ", c->tree, c->page, c->cell); break;
    case PREFIX_RIGHT: text_format(c, "Tree %u page %u right child: ", c->tree, c->page); break;
    }
    va_list args;
    va_start(args, format);
    text_add(c, format, args);
    va_end(args);
}

// ---- pages ------------------------------------------------------------------------------------------

static bool page_used(const struct check *c, pgno no) { return c->used[no / 8] >> (no % 8) & 1; }
static void page_use(struct check *c, pgno no) { c->used[no / 8] |= (u8)(1 << (no % 8)); }

// Claims a page; false, with a message, when it is not in the file or taken.
static bool page_claim(struct check *c, pgno no)
{
    if (no == 0 || no > c->page_count) {
        message(c, "invalid page number %u", no);
        return false;
    }
    if (page_used(c, no)) {
        message(c, "2nd reference to page %u", no);
        return false;
    }
    page_use(c, no);
    return true;
}

// A page to read; *code says why not when the file is to blame.
static io_status check_page(struct check *c, struct op *op, pgno no, struct page **out, err_code *code)
{
    *code = ERR_OK;
    io_status status = txn_page(c->txn, op, no, out);
    if (status != IO_FAIL) return status;
    int primary = err_primary(op->err.code);
    if (primary != ERR_CORRUPT && primary != ERR_IOERR) return IO_FAIL;
    *code = op->err.code;
    err_clear(&op->err);
    return IO_DONE;
}

// Auto-vacuum files: page `no` has an entry in a pointer map that says what refers to it. wanted = 0: no such entry
// is expected.
static io_status pointer_check(struct check *c, struct op *op, pgno no, u32 kind, pgno parent)
{
    if (!c->auto_vacuum) return IO_DONE;
    u32 usable = txn_usable_size(c->txn), per_map = usable / 5 + 1;
    pgno map = no < 2 ? 0 : (no - 2) / per_map * per_map + 2;
    if (map == txn_lock_page(c->txn)) map++;
    struct page *p = NULL;
    err_code code = ERR_CORRUPT;
    if (map > 0 && map < no) IO_TRY(check_page(c, op, map, &p, &code));
    if (code != ERR_OK || 5 * (no - map - 1) + 5 > usable) {
        if (code == ERR_OK) page_unpin(p);
        message(c, "Failed to read ptrmap key=%u", no);
        return IO_DONE;
    }
    const u8 *entry = p->data + 5 * (no - map - 1);
    u32 got_kind = entry[0];
    pgno got_parent = be32_get(entry + 1);
    page_unpin(p);
    if (got_kind != kind || got_parent != parent)
        message(c, "Bad ptr map entry key=%u expected=(%u,%u) got=(%u,%u)", no, kind, parent, got_kind, got_parent);
    return IO_DONE;
}

// ---- lists of pages: the freelist and overflow chains ------------------------------------------------------

static void list_begin(struct check *c, bool freelist, pgno first, u32 count)
{
    c->list = (struct check_list){.active = true, .freelist = freelist, .page = first, .left = count,
                                  .expected = count, .errors_before = c->error_count};
}

static void list_end(struct check *c)
{
    struct check_list *l = &c->list;
    l->active = false;
    if (l->left && c->error_count == l->errors_before)
        message(c, "%s is %u but should be %u", l->freelist ? "size" : "overflow list length",
                l->expected - l->left, l->expected);
}

// One page of the list. l->leaf: 0 the page is new, 1 it is claimed, 2 + n: n leaves of the trunk have been seen.
static io_status list_step(struct check *c, struct op *op)
{
    struct check_list *l = &c->list;
    if (l->page == 0 || check_full(c)) {
        list_end(c);
        return IO_DONE;
    }
    bool in_range = l->page <= c->page_count;
    struct page *p = NULL;
    err_code code = ERR_OK;
    if (in_range) IO_TRY(check_page(c, op, l->page, &p, &code)); // before the claim: this may be called again
    if (l->leaf == 0) {
        bool claimed = page_claim(c, l->page);
        if (claimed) l->left--;
        if (claimed && code != ERR_OK) message(c, "failed to get page %u", l->page);
        if (!claimed || code != ERR_OK) {
            if (p && code == ERR_OK) page_unpin(p);
            list_end(c);
            return IO_DONE;
        }
        l->leaf = 1;
    }
    io_status status = IO_DONE;
    u32 leaves = l->freelist ? be32_get(p->data + 4) : 0;
    if (l->leaf == 1) {
        if (l->freelist) status = pointer_check(c, op, l->page, POINTER_FREE, 0);
        if (status == IO_DONE) l->leaf = 2;
    }
    if (status == IO_DONE && leaves > txn_usable_size(c->txn) / 4 - 2) { // no wait after this message
        message(c, "freelist leaf count too big on page %u", l->page);
        l->left--;
        leaves = 0;
    }
    for (; status == IO_DONE && l->leaf - 2 < leaves; l->leaf++) {
        pgno leaf = be32_get(p->data + 8 + 4 * (l->leaf - 2));
        status = pointer_check(c, op, leaf, POINTER_FREE, 0);
        if (status != IO_DONE) break;
        page_claim(c, leaf);
    }
    pgno next = be32_get(p->data);
    if (status == IO_DONE && !l->freelist && l->left > 0)
        status = pointer_check(c, op, next, POINTER_OVERFLOW, l->page);
    page_unpin(p);
    if (status != IO_DONE) return status;
    l->left -= leaves;
    l->leaf = 0;
    l->page = next;
    return IO_DONE;
}

// ---- trees ------------------------------------------------------------------------------------------

// What a page's parent learns: the depth below it.
static void frame_return(struct check *c, s32 depth, bool keyed, s64 rowid_max)
{
    if (c->frame_count == 0) return;
    struct check_frame *f = &c->frames[c->frame_count - 1];
    if (keyed) f->rowid_max = rowid_max;
    f->may_equal = false;
    if (f->step == FRAME_CHILD) {
        if (depth != f->depth) message(c, "Child page depth differs");
        f->cell--;
    }
    f->depth = depth;
    f->step = FRAME_CELL;
}

static void frame_leave(struct check *c, bool keyed)
{
    struct check_frame f = c->frames[--c->frame_count];
    c->prefix = f.prefix;
    c->page = f.page;
    c->cell = f.index;
    frame_return(c, f.depth + 1, keyed, f.rowid_max);
}

static void frame_enter(struct check *c, pgno no, s64 rowid_max)
{
    if (no == 0 || !page_claim(c, no)) {
        frame_return(c, 0, false, 0);
        return;
    }
    if (c->frame_count == c->frame_capacity) {
        u32 capacity = c->frame_capacity * 2 + 16;
        struct check_frame *grown = realloc(c->frames, capacity * sizeof *grown);
        if (!grown) {
            c->out_of_memory = true;
            return;
        }
        c->frames = grown;
        c->frame_capacity = capacity;
    }
    c->frames[c->frame_count++] = (struct check_frame){
        .no = no, .depth = -1, .rowid_max = rowid_max, .step = FRAME_ENTER, .may_equal = true, .coverage = true,
        .prefix = c->prefix, .page = c->page, .index = c->cell,
    };
    c->prefix = PREFIX_PAGE;
    c->page = no;
}

// SQLite's test of the free blocks and their sum.
static bool free_space_sound(const struct page *p)
{
    const struct btree_node *n = &p->node;
    const u8 *header = p->data + n->header_offset;
    u32 usable = n->usable_size, at = be16_get(header + 1), sum = header[7] + n->content_start;
    if (at > 0) {
        if (at < n->content_start) return false;
        for (;;) {
            if (at > usable - 4) return false;
            u32 next = be16_get(p->data + at), size = be16_get(p->data + at + 2);
            sum += size;
            if (next <= at + size + 3) {
                if (next > 0 || at + size > usable) return false;
                break;
            }
            at = next;
        }
    }
    return sum <= usable && sum >= n->cells_offset + 2u * n->cell_count;
}

static void frame_begin(struct check *c, struct check_frame *f, const struct page *p)
{
    if (!p->node.valid) {
        message(c, "btreeInitPage() returns error code %d", ERR_CORRUPT);
        frame_leave(c, false);
        return;
    }
    if (!free_space_sound(p)) {
        message(c, "free space corruption");
        frame_leave(c, false);
        return;
    }
    c->prefix = PREFIX_CELL;
    c->range_count = 0;
    if (p->node.leaf || !p->node.rowid_tree) c->counts[c->root_next - 1] += p->node.cell_count;
    f->cell = p->node.cell_count - 1;
    f->step = p->node.leaf ? FRAME_CELL : FRAME_RIGHT;
}

static io_status frame_right(struct check *c, struct op *op, struct check_frame *f, const struct page *p)
{
    if (c->auto_vacuum) c->prefix = PREFIX_RIGHT; // as SQLite, for the page's cells too
    IO_TRY(pointer_check(c, op, page_right_child(p), POINTER_CHILD, f->no));
    frame_enter(c, page_right_child(p), f->rowid_max);
    return IO_DONE;
}

static void range_add(struct check *c, u32 start, u32 size) { c->ranges[c->range_count++] = start << 16 | (start + size - 1); }

// Whether one range after the other, with as many bytes between them as the header says, leads through all of them.
static bool ranges_sound(struct check *c, const struct page *p)
{
    u32 usable = p->node.usable_size, met = 0, between = 0, empty = 0;
    for (u32 i = 0; i < c->range_count; i++) {
        u32 start = c->ranges[i] >> 16, last = c->ranges[i] & 0xffff;
        empty += last < start;
        c->ends[start] = (u16)last;
    }
    for (u32 at = p->node.content_start; at < usable && !empty;) {
        u32 last = c->ends[at];
        met += last > 0;
        between += last == 0;
        at = last ? last + 1 : at + 1;
    }
    for (u32 i = 0; i < c->range_count; i++) c->ends[c->ranges[i] >> 16] = 0;
    return !empty && met == c->range_count && between == p->data[p->node.header_offset + 7];
}

static int range_compare(const void *a, const void *b)
{
    u32 x = *(const u32 *)a, y = *(const u32 *)b;
    return (x > y) - (x < y);
}

// Cells and free blocks must not overlap, and what lies between them is the header's count of fragments. The walk has
// left a leaf's cells in c->ranges.
static void coverage_check(struct check *c, const struct page *p)
{
    const struct btree_node *n = &p->node;
    if (!n->leaf) c->range_count = 0;
    for (u32 i = 0; i < n->cell_count && !n->leaf; i++) {
        struct cell cell;
        if (!cell_parse(p, i, &cell)) return;
        range_add(c, (u32)(cell.start - p->data), MAX(cell.size, CELL_SIZE_MIN));
    }
    for (u32 at = be16_get(p->data + n->header_offset + 1); at; at = be16_get(p->data + at))
        range_add(c, at, be16_get(p->data + at + 2));
    if (ranges_sound(c, p)) return;
    qsort(c->ranges, c->range_count, sizeof *c->ranges, range_compare);
    u32 fragmented = 0, previous = n->content_start - 1;
    for (u32 i = 0; i < c->range_count; i++) {
        u32 start = c->ranges[i] >> 16;
        if (previous >= start) {
            message(c, "Multiple uses for byte %u of page %u", start, p->no);
            if (i + 1 < c->range_count) return; // SQLite counts the fragments when it was the last
            break;
        }
        fragmented += start - previous - 1;
        previous = c->ranges[i] & 0xffff;
    }
    fragmented += n->usable_size - previous - 1;
    u32 reported = p->data[n->header_offset + 7];
    if (fragmented != reported)
        message(c, "Fragmentation of %u bytes reported as %u on page %u", fragmented, reported, p->no);
}

static void frame_end(struct check *c, struct check_frame *f, const struct page *p)
{
    c->prefix = PREFIX_NONE;
    if (f->coverage && !check_full(c)) coverage_check(c, p);
    frame_leave(c, true);
}

static bool cell_bounds(struct check *c, struct check_frame *f, const struct page *p, struct cell *cell)
{
    u32 offset = page_cell_offset(p, (u32)f->cell), last = p->node.usable_size - 4;
    c->cell = (u32)f->cell;
    if (offset < p->node.content_start || offset > last)
        message(c, "Offset %u out of range %u..%u", offset, p->node.content_start, last);
    else if (!cell_parse_at(p, offset, cell))
        message(c, "Extends off end of page");
    else
        return true;
    f->coverage = false;
    return false;
}

static void frame_cell(struct check *c, struct check_frame *f, const struct page *p)
{
    struct cell cell;
    if (f->cell >= 8) __builtin_prefetch(p->data + page_cell_offset(p, (u32)f->cell - 8));
    if (!cell_bounds(c, f, p, &cell)) {
        f->cell--;
        return;
    }
    if (p->node.rowid_tree) {
        if (f->may_equal ? cell.rowid > f->rowid_max : cell.rowid >= f->rowid_max)
            message(c, "Rowid %lld out of order", (long long)cell.rowid);
        f->rowid_max = cell.rowid;
        f->may_equal = false;
    }
    if (p->node.leaf) range_add(c, (u32)(cell.start - p->data), MAX(cell.size, CELL_SIZE_MIN));
    if (cell.payload_size > cell.local_size)
        f->step = FRAME_OVERFLOW;
    else if (p->node.leaf)
        f->cell--;
    else
        f->step = FRAME_CHILD;
}

// Of a leaf's cells those that lie whole in their page and are in order, up to the first of which more is to be seen.
static void frame_plain_cells(struct check *c, struct check_frame *f, const struct page *p)
{
    const struct btree_node *n = &p->node;
    const u8 *end = p->data + n->usable_size;
    s64 rowid_max = f->rowid_max;
    bool may_equal = f->may_equal;
    s32 i = f->cell;
    for (; i >= 0; i--) {
        u32 offset = page_cell_offset(p, (u32)i);
        u64 payload_size, rowid;
        if (i >= 8) __builtin_prefetch(p->data + page_cell_offset(p, (u32)i - 8));
        if (offset < n->content_start || offset > n->usable_size - 4) break;
        const u8 *at = leaf_cell_head(p, offset, &payload_size, &rowid);
        if (!at || payload_size > n->local_max || payload_size > (u64)(end - at)) break;
        if (n->rowid_tree) {
            if (may_equal ? (s64)rowid > rowid_max : (s64)rowid >= rowid_max) break;
            rowid_max = (s64)rowid;
            may_equal = false;
        }
        range_add(c, offset, MAX((u32)(at - p->data) + (u32)payload_size - offset, (u32)CELL_SIZE_MIN));
    }
    f->cell = i;
    f->rowid_max = rowid_max;
    f->may_equal = may_equal;
}

static io_status frame_overflow(struct check *c, struct op *op, struct check_frame *f, const struct page *p)
{
    struct cell cell;
    bool sound = cell_parse(p, (u32)f->cell, &cell);
    ASSERT(sound); // frame_cell has seen it
    IO_TRY(pointer_check(c, op, cell.overflow, POINTER_OVERFLOW_FIRST, f->no));
    f->step = FRAME_CHILD;
    list_begin(c, false, cell.overflow,
               payload_overflow_count(p->node.usable_size, cell.payload_size, cell.local_size));
    return IO_DONE;
}

static io_status frame_child(struct check *c, struct op *op, struct check_frame *f, const struct page *p)
{
    if (p->node.leaf) {
        f->cell--;
        f->step = FRAME_CELL;
        return IO_DONE;
    }
    pgno child = page_child(p, (u32)f->cell);
    IO_TRY(pointer_check(c, op, child, POINTER_CHILD, f->no));
    frame_enter(c, child, f->rowid_max);
    return IO_DONE;
}

static io_status frame_step(struct check *c, struct op *op, struct check_frame *f, const struct page *p)
{
    switch (f->step) {
    case FRAME_ENTER: frame_begin(c, f, p); break;
    case FRAME_RIGHT: return frame_right(c, op, f, p);
    case FRAME_CELL:
        if (p->node.leaf) frame_plain_cells(c, f, p);
        if (f->cell < 0)
            frame_end(c, f, p);
        else
            frame_cell(c, f, p);
        break;
    case FRAME_OVERFLOW: return frame_overflow(c, op, f, p);
    case FRAME_CHILD: return frame_child(c, op, f, p);
    }
    return IO_DONE;
}

// The page on top, as far as no other one is to be looked at.
static io_status tree_step(struct check *c, struct op *op)
{
    u32 depth = c->frame_count;
    struct check_frame *f = &c->frames[depth - 1];
    struct page *p;
    err_code code;
    IO_TRY(check_page(c, op, f->no, &p, &code));
    if (code != ERR_OK) {
        message(c, "unable to get the page. error code=%d", code);
        frame_leave(c, false);
        return IO_DONE;
    }
    // The page's own notion of its cells is stricter than this walk wants it.
    struct page view = {.data = p->data, .no = f->no};
    page_header_read(&view, txn_usable_size(c->txn));
    io_status status = IO_DONE;
    while (status == IO_DONE && c->frame_count == depth && !c->list.active && !c->out_of_memory) {
        if (check_full(c))
            frame_leave(c, false);
        else
            status = frame_step(c, op, f, &view);
    }
    page_unpin(p);
    return status;
}

// ---- the whole file ---------------------------------------------------------------------------------

static io_status check_start(struct check *c, struct op *op)
{
    struct page *p = NULL;
    IO_TRY(txn_map_sync(c->txn, op));
    c->page_count = txn_page_count(c->txn);
    if (c->page_count) IO_TRY(txn_page(c->txn, op, 1, &p));
    c->auto_vacuum = p && be32_get(p->data + 52) != 0;
    pgno trunk = p ? be32_get(p->data + 32) : 0;
    u32 free_count = p ? be32_get(p->data + 36) : 0;
    if (p) page_unpin(p);
    c->used = calloc(c->page_count / 8 + 1, 1);
    c->ranges = calloc(txn_page_size(c->txn) / 2, sizeof *c->ranges);
    c->ends = calloc(txn_page_size(c->txn), sizeof *c->ends);
    c->counts = calloc(c->root_count + 1, sizeof *c->counts);
    if (!c->used || !c->ranges || !c->ends || !c->counts) {
        c->out_of_memory = true;
        return IO_DONE;
    }
    if (c->page_count == 0) {
        c->stage = CHECK_DONE;
        return IO_DONE;
    }
    if (txn_lock_page(c->txn) <= c->page_count) page_use(c, txn_lock_page(c->txn));
    struct txn_free_pages in_hand;
    if (txn_free_pages_get(c->txn, &in_hand)) { // a transaction that writes has taken over part of the freelist
        trunk = in_hand.trunk;
        free_count = in_hand.trunk_count;
        for (u32 i = 0; i < in_hand.count; i++) {
            if (in_hand.pages[i] <= c->page_count) page_use(c, in_hand.pages[i]);
        }
    }
    c->stage = CHECK_FREELIST;
    if (c->partial && c->skip_freelist) return IO_DONE;
    c->prefix = PREFIX_FREELIST;
    list_begin(c, true, trunk, free_count);
    return IO_DONE;
}

static io_status check_header(struct check *c, struct op *op)
{
    c->prefix = PREFIX_NONE;
    if (c->partial) {
        c->stage = CHECK_ROOTS;
        return IO_DONE;
    }
    struct page *p;
    IO_TRY(txn_page(c->txn, op, 1, &p));
    pgno wanted = be32_get(p->data + 52), largest = 0;
    u32 incremental = be32_get(p->data + 64);
    page_unpin(p);
    for (u32 i = 0; i < c->root_count; i++) largest = MAX(largest, c->roots[i]);
    if (c->auto_vacuum && largest != wanted)
        message(c, "max rootpage (%u) disagrees with header (%u)", largest, wanted);
    else if (!c->auto_vacuum && incremental)
        message(c, "incremental_vacuum enabled with a max rootpage of zero");
    c->stage = CHECK_ROOTS;
    return IO_DONE;
}

static io_status check_root(struct check *c, struct op *op)
{
    if (c->root_next == c->root_count || check_full(c)) {
        c->stage = CHECK_UNUSED;
        return IO_DONE;
    }
    pgno root = c->roots[c->root_next];
    if (root > 1 && !c->partial) IO_TRY(pointer_check(c, op, root, POINTER_ROOT, 0));
    c->root_next++;
    c->tree = root;
    c->stage = CHECK_TREE;
    if (root) frame_enter(c, root, INT64_MAX);
    return IO_DONE;
}

static void check_unused(struct check *c)
{
    c->stage = CHECK_DONE;
    if (c->partial) return;
    u32 per_map = txn_usable_size(c->txn) / 5 + 1;
    for (pgno no = 1; no <= c->page_count && !check_full(c); no++) {
        pgno map = no < 2 ? 0 : (no - 2) / per_map * per_map + 2;
        if (map == txn_lock_page(c->txn)) map++;
        bool is_map = c->auto_vacuum && map == no;
        if (!page_used(c, no) && !is_map) message(c, "Page %u: never used", no);
        if (page_used(c, no) && is_map) message(c, "Page %u: pointer map referenced", no);
    }
}

io_status check_run(struct check *c, struct op *op)
{
    while (c->stage != CHECK_DONE) {
        if (c->out_of_memory) return IO_ERROR(&op->err, ERR_NOMEM, "%s", err_default_text(ERR_NOMEM));
        if (c->list.active) {
            IO_TRY(list_step(c, op));
            continue;
        }
        switch (c->stage) {
        case CHECK_START: IO_TRY(check_start(c, op)); break;
        case CHECK_FREELIST: IO_TRY(check_header(c, op)); break;
        case CHECK_ROOTS: IO_TRY(check_root(c, op)); break;
        case CHECK_TREE:
            if (c->frame_count)
                IO_TRY(tree_step(c, op));
            else
                c->stage = CHECK_ROOTS;
            break;
        case CHECK_UNUSED: check_unused(c); break;
        case CHECK_DONE: break;
        }
    }
    return IO_DONE;
}
