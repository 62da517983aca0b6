#include "btree_balance.h"

struct scratch_block {
    struct scratch_block *next;
    _Alignas(16) u8 bytes[];
};

void change_init(struct tree_change *ch, struct cursor *c)
{
    ch->cursor = c;
    ch->depth = (u32)c->depth;
    ch->new_pages = ch->owned_count = 0;
    ch->scratch = NULL;
    for (u32 i = 0; i <= ch->depth; i++) {
        struct tree_level *l = &ch->levels[i];
        l->page = c->path[i];
        l->index = c->index[i];
        l->edit.active = false;
        l->action = LEVEL_KEEP;
    }
}

void change_deinit(struct tree_change *ch)
{
    while (ch->owned_count) page_unpin(ch->owned[--ch->owned_count]);
    while (ch->scratch) {
        struct scratch_block *next = ch->scratch->next;
        free(ch->scratch);
        ch->scratch = next;
    }
}

void *change_alloc(struct tree_change *ch, size_t size, struct err *err)
{
    struct scratch_block *b = malloc(sizeof *b + size);
    if (!b) {
        err_set(err, ERR_NOMEM, __func__, "%s", err_default_text(ERR_NOMEM));
        return NULL;
    }
    b->next = ch->scratch;
    ch->scratch = b;
    return b->bytes;
}

io_status page_write(struct cursor *c, struct op *op, struct page *p, struct page **out)
{
    struct page *w;
    if (txn_page_ready(c->txn, p)) {
        *out = p;
        return IO_DONE;
    }
    IO_TRY(txn_page_write(c->txn, op, p->no, &w));
    if (!w->node.valid && p->node.valid) w->node = p->node; // the same contents
    if (page_check(w, txn_usable_size(c->txn), &op->err) != ERR_OK) return IO_FAIL;
    *out = w;
    return IO_DONE;
}

static bool on_path(const struct tree_change *ch, u32 above, pgno no)
{
    for (u32 i = 0; i < above; i++) {
        if (ch->levels[i].page->no == no) return true;
    }
    return false;
}

static io_status shared_page(struct op *op, pgno no)
{
    return IO_ERROR(&op->err, ERR_CORRUPT, "database disk image is malformed: page %u is in the tree twice", no);
}

io_status change_descend(struct tree_change *ch, struct op *op)
{
    struct cursor *c = ch->cursor;
    u32 usable = txn_usable_size(c->txn);
    while (!ch->levels[ch->depth].page->node.leaf) {
        struct tree_level *l = &ch->levels[ch->depth];
        pgno no = page_child(l->page, l->index);
        if (ch->depth + 1 >= BTREE_DEPTH_MAX || on_path(ch, ch->depth + 1, no)) return shared_page(op, no);
        struct page *p;
        IO_TRY(txn_page(c->txn, op, no, &p));
        ch->owned[ch->owned_count++] = p;
        if (page_check(p, usable, &op->err) != ERR_OK) return IO_FAIL;
        if (p->node.rowid_tree != l->page->node.rowid_tree || p->node.cell_count == 0) {
            (void)page_error(&op->err, p, "it is empty or of another kind than its parent");
            return IO_FAIL;
        }
        l = &ch->levels[++ch->depth];
        l->page = p;
        l->index = p->node.leaf ? p->node.cell_count - 1u : p->node.cell_count;
        l->edit.active = false;
        l->action = LEVEL_KEEP;
    }
    return IO_DONE;
}

// ---- planning ---------------------------------------------------------------------------------------

// Free space that the page will have when the edit is made in place; negative: it does not fit.
static err_code edit_room(struct tree_level *l, s64 *room, struct err *err)
{
    struct page *p = l->page;
    if (page_check_space(p, err) != ERR_OK) return err->code;
    const struct tree_edit *e = &l->edit;
    s64 total = p->node.free_size;
    for (u32 i = e->first; i < e->first + e->removed; i++) {
        struct cell c;
        if (!cell_parse(p, i, &c)) return cell_error(err, p, i);
        total += MAX(c.size, CELL_SIZE_MIN) + 2;
    }
    for (u32 i = 0; i < e->count; i++) total -= item_weight(e->items[i].size, p->node.leaf);
    *room = total;
    return ERR_OK;
}

static u32 page_capacity(const struct btree_node *n, u32 header_offset)
{
    return n->usable_size - header_offset - (n->leaf ? 8 : 12);
}

static void item_of_cell(struct cell_item *item, const struct cell *c, bool leaf)
{
    *item = leaf ? (struct cell_item){c->start, c->size, 0} : (struct cell_item){c->start + 4, c->size - 4, c->child};
}

// The usual cell, all of it in the page and not at its very end, without parsing more than its length.
static inline bool item_of_cell_quick(struct cell_item *item, const struct page *p, u32 offset)
{
    const struct btree_node *n = &p->node;
    if (UNLIKELY(offset + 4 + 18 > n->usable_size)) return false;
    const u8 *start = p->data + offset, *at;
    item->child = 0;
    if (!n->leaf) {
        item->child = be32_get(start);
        start += 4;
    }
    at = start;
    u64 payload_size = 0, skipped;
    if (n->leaf || !n->rowid_tree) at += varint_get(at, &payload_size);
    if (n->rowid_tree) at += varint_get(at, &skipped);
    if (UNLIKELY(payload_size > n->local_max || payload_size > (u64)(p->data + n->usable_size - at))) return false;
    item->bytes = start;
    item->size = (u32)(at - start) + (u32)payload_size;
    return true;
}

// Adds the cells of a page to the level's items, with the level's edit made when it is the edited page.
static err_code items_add_page(struct tree_level *l, const struct page *p, bool edited, struct err *err)
{
    const struct tree_edit *e = &l->edit;
    for (u32 i = 0; i <= p->node.cell_count; i++) {
        if (edited && i == e->first) {
            l->edit_at = l->item_count;
            for (u32 k = 0; k < e->count; k++) l->items[l->item_count++] = e->items[k];
            i += e->removed;
        }
        if (i >= p->node.cell_count) break;
        if (LIKELY(item_of_cell_quick(&l->items[l->item_count], p, page_cell_offset(p, i)))) {
            l->item_count++;
            continue;
        }
        struct cell c;
        if (!cell_parse(p, i, &c)) return cell_error(err, p, i);
        item_of_cell(&l->items[l->item_count++], &c, p->node.leaf);
    }
    return ERR_OK;
}

// The cells are read from a copy of the page, since the page itself is about to be made anew.
static err_code page_copy_view(struct tree_change *ch, const struct page *p, struct page *view, struct err *err)
{
    u8 *copy = change_alloc(ch, p->node.usable_size, err);
    if (!copy) return err->code;
    memcpy(copy, p->data, p->node.usable_size);
    *view = (struct page){.data = copy, .no = p->no, .node = p->node};
    return ERR_OK;
}

// Which siblings take part: l->old from child `first` of the parent on.
static u32 siblings_choose(const struct page *parent, u32 index, u32 *count)
{
    u32 children = parent->node.cell_count + 1u;
    *count = MIN(children, (u32)SIBLINGS_MAX);
    if (index == 0) return 0;
    return MIN(index - 1, children - *count);
}

// Makes the pages to be shared out writable and lists their cells, dividers included.
static io_status siblings_gather(struct tree_change *ch, struct op *op, u32 level, u32 first)
{
    struct tree_level *l = &ch->levels[level], *above = &ch->levels[level - 1];
    const struct page *parent = above->page;
    u32 total = l->edit.count;
    pgno siblings[SIBLINGS_MAX];
    for (u32 k = 0; k < l->old_count; k++) siblings[k] = page_child(parent, first + k);
    txn_pages_prefetch(ch->cursor->txn, siblings, l->old_count);
    for (u32 k = 0; k < l->old_count; k++) {
        pgno no = page_child(parent, first + k);
        if (on_path(ch, level, no)) return shared_page(op, no);
        for (u32 j = 0; j < k; j++) {
            if (l->old[j]->no == no) return shared_page(op, no);
        }
        struct page *w;
        IO_TRY(txn_page_write(ch->cursor->txn, op, no, &w));
        if (page_check(w, txn_usable_size(ch->cursor->txn), &op->err) != ERR_OK) return IO_FAIL;
        if (w->node.leaf != l->page->node.leaf || w->node.rowid_tree != l->page->node.rowid_tree) {
            (void)page_error(&op->err, w, "it is of another kind than its sibling");
            return IO_FAIL;
        }
        l->old[k] = w;
        total += w->node.cell_count + 1u;
    }
    l->items = change_alloc(ch, total * sizeof *l->items, &op->err);
    if (!l->items) return IO_FAIL;
    l->item_count = 0;
    for (u32 k = 0; k < l->old_count; k++) {
        struct page view;
        if (page_copy_view(ch, l->old[k], &view, &op->err) != ERR_OK) return IO_FAIL;
        if (items_add_page(l, &view, l->old[k]->no == l->page->no, &op->err) != ERR_OK) return IO_FAIL;
        pgno right = l->page->node.leaf ? 0 : page_right_child(&view);
        if (k + 1 == l->old_count) {
            l->last_child = right;
        } else if (l->divided) {
            struct cell_item *item = &l->items[l->item_count++];
            struct cell c;
            if (above->edit.active && above->edit.first == first + k) {
                *item = above->edit.items[0];
            } else if (cell_parse(parent, first + k, &c)) {
                item_of_cell(item, &c, false);
                u8 *copy = change_alloc(ch, item->size, &op->err); // the parent may be made anew of it
                if (!copy) return IO_FAIL;
                item->bytes = memcpy(copy, item->bytes, item->size);
            } else {
                (void)cell_error(&op->err, parent, first + k);
                return IO_FAIL;
            }
            item->child = right;
        }
    }
    return IO_DONE;
}

// Shares l->items out over as few pages as possible, then evens out from the right. False: a cell is too large.
static bool items_distribute(struct tree_level *l, u32 capacity)
{
    bool leaf = l->page->node.leaf;
    u32 sizes[SPREAD_MAX], count = 0, at = 0;
    do {
        u32 size = 0, start = at;
        if (count == SPREAD_MAX) break;
        while (at < l->item_count) {
            u32 weight = item_weight(l->items[at].size, leaf);
            if (size + weight > capacity) break;
            size += weight;
            at++;
        }
        // Not so many that only the divider would be left.
        if (l->divided && at + 1 == l->item_count && at > start + 1) {
            at--;
            size -= item_weight(l->items[at].size, leaf);
        }
        if (at == start && l->item_count > 0) break;
        l->start[count] = start;
        l->end[count] = at;
        sizes[count++] = size;
        if (l->divided && at < l->item_count) at++;
    } while (at < l->item_count);
    if (at < l->item_count || (l->divided && l->item_count && l->end[count - 1] != l->item_count)) return false;
    for (u32 k = count; k-- > 1;) {
        while (l->end[k - 1] > l->start[k - 1] + 1) {
            u32 last = l->end[k - 1] - 1, gained = l->divided ? l->end[k - 1] : last;
            u32 lost_weight = item_weight(l->items[last].size, leaf);
            u32 gained_weight = item_weight(l->items[gained].size, leaf);
            if (sizes[k] + gained_weight > sizes[k - 1] - lost_weight) break;
            sizes[k] += gained_weight;
            sizes[k - 1] -= lost_weight;
            l->end[k - 1]--;
            l->start[k]--;
        }
    }
    l->fresh_count = count;
    return true;
}

static io_status cells_too_large(struct op *op, const struct page *p)
{
    return IO_ERROR(&op->err, ERR_CORRUPT,
                    "database disk image is malformed: the cells around page %u cannot be shared out", p->no);
}

// The cell that goes up between page k and the next.
static err_code divider_make(struct tree_change *ch, struct tree_level *l, u32 k, struct cell_item *out,
                             struct err *err)
{
    *out = l->items[l->divided ? l->end[k] : l->end[k] - 1];
    out->child = 0;
    if (l->divided) return ERR_OK;
    u64 skipped, rowid; // the items were parsed when they were listed: the varints are whole
    const u8 *at = out->bytes, *end = out->bytes + out->size;
    at += varint_get_checked(at, end, &skipped);
    if (!varint_get_checked(at, end, &rowid)) return page_error(err, l->page, "a cell ends in its rowid");
    u8 *bytes = change_alloc(ch, 9, err);
    if (!bytes) return err->code;
    out->bytes = bytes;
    out->size = varint_put(bytes, rowid);
    return ERR_OK;
}

// What planned pages mean for the parent: `old_count` children from `first` on become l->fresh_count. A pending
// edit of the cell behind the group joins in; one of a cell inside it was taken into the group.
static err_code parent_edit(struct tree_change *ch, u32 level, u32 first, u32 old_count, struct err *err)
{
    struct tree_level *l = &ch->levels[level];
    struct tree_edit *e = &ch->levels[level - 1].edit;
    bool behind = e->active && e->first == first + old_count - 1;
    struct cell_item kept = e->items[0];
    e->active = true;
    e->first = first;
    e->removed = old_count - 1 + (behind ? 1 : 0);
    e->count = l->fresh_count - 1;
    e->after = 0;
    for (u32 k = 0; k + 1 < l->fresh_count; k++) {
        if (divider_make(ch, l, k, &e->items[k], err) != ERR_OK) return err->code;
    }
    if (behind) e->items[e->count++] = kept;
    return ERR_OK;
}

static bool edit_appends(const struct tree_change *ch, u32 level)
{
    const struct tree_level *l = &ch->levels[level], *above = &ch->levels[level - 1];
    const struct page *p = l->page;
    if (l->edit.removed > 0 || l->edit.first != p->node.cell_count || above->edit.active) return false;
    if (above->index != above->page->node.cell_count || p->node.cell_count < 1u + l->divided) return false;
    u32 total = 0;
    for (u32 i = 0; i < l->edit.count; i++) total += item_weight(l->edit.items[i].size, p->node.leaf);
    return total <= page_capacity(&p->node, 0);
}

// The last page of the parent is full and the edit is at its end: it stays full, the edit opens a new page.
static io_status append_plan(struct tree_change *ch, struct op *op, u32 level)
{
    struct tree_level *l = &ch->levels[level], *above = &ch->levels[level - 1];
    struct page *p = l->page;
    struct cell last;
    u32 i = p->node.cell_count - 1u;
    if (!cell_parse(p, i, &last)) {
        (void)cell_error(&op->err, p, i);
        return IO_FAIL;
    }
    struct tree_edit *e = &above->edit;
    *e = (struct tree_edit){.active = true, .first = above->index, .count = 1};
    u8 *bytes = change_alloc(ch, l->divided ? last.size : 9, &op->err);
    if (!bytes) return IO_FAIL;
    if (l->divided) {
        struct cell_item item;
        item_of_cell(&item, &last, p->node.leaf);
        memcpy(bytes, item.bytes, item.size);
        e->items[0] = (struct cell_item){bytes, item.size, 0};
        l->divider_child = item.child;
        IO_TRY(page_write(ch->cursor, op, p, &l->page));
        if (page_check_space(l->page, &op->err) != ERR_OK) return IO_FAIL;
    } else {
        e->items[0] = (struct cell_item){bytes, varint_put(bytes, (u64)last.rowid), 0};
    }
    l->action = LEVEL_APPEND;
    l->fresh_count = 1;
    ch->new_pages++;
    return IO_DONE;
}

static io_status spread_plan(struct tree_change *ch, struct op *op, u32 level, bool growing)
{
    struct tree_level *l = &ch->levels[level], *above = &ch->levels[level - 1];
    const struct page *parent = above->page;
    u32 first = siblings_choose(parent, above->index, &l->old_count);
    IO_TRY(siblings_gather(ch, op, level, first));
    u32 capacity = page_capacity(&l->page->node, 0);
    bool airy = growing && l->item_count >= l->old_count * 32;
    // Growing pages of small cells get some air, or they would be shared out again after a few more: measured with
    // random keys, the sixteenth left free costs 4% more pages and saves 40% of an insert.
    if (!(airy && items_distribute(l, capacity - capacity / 16)) && !items_distribute(l, capacity))
        return cells_too_large(op, l->page);
    l->action = LEVEL_SPREAD;
    if (level == 1 && l->fresh_count == 1 && parent->node.cell_count + 1u == l->old_count) {
        u32 size = 0;
        for (u32 i = 0; i < l->item_count; i++) size += item_weight(l->items[i].size, l->page->node.leaf);
        if (size <= page_capacity(&l->page->node, parent->node.header_offset)) {
            l->action = LEVEL_COLLAPSE;
            above->edit.active = false;
            above->action = LEVEL_KEEP;
            return page_write(ch->cursor, op, above->page, &above->page);
        }
    }
    if (l->fresh_count > l->old_count) ch->new_pages += l->fresh_count - l->old_count;
    return parent_edit(ch, level, first, l->old_count, &op->err) == ERR_OK ? IO_DONE : IO_FAIL;
}

static io_status deepen_plan(struct tree_change *ch, struct op *op)
{
    struct tree_level *l = &ch->levels[0];
    IO_TRY(page_write(ch->cursor, op, l->page, &l->page));
    struct page view;
    if (page_copy_view(ch, l->page, &view, &op->err) != ERR_OK) return IO_FAIL;
    l->items = change_alloc(ch, (view.node.cell_count + l->edit.count) * sizeof *l->items, &op->err);
    if (!l->items) return IO_FAIL;
    l->item_count = 0;
    if (items_add_page(l, &view, true, &op->err) != ERR_OK) return IO_FAIL;
    l->last_child = view.node.leaf ? 0 : page_right_child(&view);
    u32 capacity = page_capacity(&l->page->node, 0), last = 0;
    bool appends = l->edit.removed == 0 && l->edit.first == view.node.cell_count &&
                   view.node.cell_count >= 1u + l->divided && l->edit.count == 1;
    if (appends) { // as append_plan: the full page stays full
        last = l->item_count - 1;
        l->start[0] = 0;
        l->end[0] = l->divided ? last - 1 : last;
        l->start[1] = last;
        l->end[1] = l->item_count;
        l->fresh_count = 2;
    } else if (!items_distribute(l, capacity)) {
        return cells_too_large(op, l->page);
    }
    l->action = LEVEL_DEEPEN;
    l->old_count = 0;
    ch->new_pages += l->fresh_count;
    return IO_DONE;
}

static io_status level_plan(struct tree_change *ch, struct op *op, u32 level, bool may_empty)
{
    struct tree_level *l = &ch->levels[level];
    s64 room = 0;
    if (edit_room(l, &room, &op->err) != ERR_OK) return IO_FAIL;
    l->kind = page_kind(l->page);
    l->divided = l->kind != PAGE_TABLE_LEAF;
    bool fits = room >= 0;
    if (fits && (level == 0 || !may_empty || !page_too_empty(&l->page->node, (u32)room))) {
        IO_TRY(page_write(ch->cursor, op, l->page, &l->page));
        if (page_check_space(l->page, &op->err) != ERR_OK) return IO_FAIL;
        l->action = LEVEL_EDIT;
        return IO_DONE;
    }
    if (level == 0) return deepen_plan(ch, op);
    if (!fits && edit_appends(ch, level)) return append_plan(ch, op, level);
    return spread_plan(ch, op, level, !fits);
}

io_status change_plan(struct tree_change *ch, struct op *op, bool removing)
{
    for (u32 level = 1; level <= ch->depth; level++) {
        if (on_path(ch, level, ch->levels[level].page->no)) return shared_page(op, ch->levels[level].page->no);
    }
    for (u32 level = ch->depth + 1; level-- > 0;) {
        if (!ch->levels[level].edit.active) continue;
        IO_TRY(level_plan(ch, op, level, removing || level < ch->depth));
    }
    return IO_DONE;
}

// ---- applying ---------------------------------------------------------------------------------------

static void edit_apply(struct tree_level *l)
{
    struct tree_edit *e = &l->edit;
    if (e->removed) page_remove(l->page, e->first, e->removed);
    for (u32 k = 0; k < e->count; k++) page_insert(l->page, e->first + k, &e->items[k]);
    if (e->after) page_set_child(l->page, e->first + e->count, e->after);
}

// The child numbers that the level below has put into the edit.
static void items_patch(struct tree_level *l)
{
    const struct tree_edit *e = &l->edit;
    for (u32 k = 0; k < e->count; k++) l->items[l->edit_at + k].child = e->items[k].child;
    if (!e->after) return;
    if (l->edit_at + e->count < l->item_count)
        l->items[l->edit_at + e->count].child = e->after;
    else
        l->last_child = e->after;
}

// The edited page may be in the middle of the group: then what follows its cells is a divider, whose left child is
// the edited page's right child; items_patch relies on that.
static void fresh_build(struct tree_change *ch, struct op *op, struct tree_level *l)
{
    u32 usable = txn_usable_size(ch->cursor->txn);
    pgno last = l->page->no;
    for (u32 k = 0; k < l->fresh_count; k++) {
        l->fresh[k] = k < l->old_count ? l->old[k] : txn_page_take(ch->cursor->txn, op, last);
        last = k < l->old_count ? l->old[0]->no : l->fresh[k]->no; // as SQLite asks for them
    }
    for (u32 k = 0; k < l->fresh_count; k++) {
        pgno right = k + 1 == l->fresh_count || !l->divided ? l->last_child : l->items[l->end[k]].child;
        page_build(l->fresh[k], usable, l->kind, l->items + l->start[k], l->end[k] - l->start[k], right);
    }
}

static void parent_tell(struct tree_level *l, struct tree_edit *e)
{
    u32 k = 0;
    for (; k < l->fresh_count; k++) {
        if (k < e->count)
            e->items[k].child = l->fresh[k]->no;
        else
            e->after = l->fresh[k]->no;
    }
}

static void append_apply(struct tree_change *ch, struct op *op, u32 level)
{
    struct tree_level *l = &ch->levels[level];
    struct tree_edit *above = &ch->levels[level - 1].edit;
    l->fresh[0] = txn_page_take(ch->cursor->txn, op, 0);
    page_build(l->fresh[0], txn_usable_size(ch->cursor->txn), l->kind, l->edit.items, l->edit.count, l->edit.after);
    if (l->divided) {
        page_remove(l->page, l->page->node.cell_count - 1u, 1);
        if (!l->page->node.leaf) page_set_child(l->page, l->page->node.cell_count, l->divider_child);
    }
    above->items[0].child = l->page->no;
    above->after = l->fresh[0]->no;
}

static void deepen_apply(struct tree_change *ch, struct op *op)
{
    struct tree_level *l = &ch->levels[0];
    struct cell_item dividers[SPREAD_MAX];
    u8 rowids[SPREAD_MAX][9];
    fresh_build(ch, op, l);
    for (u32 k = 0; k + 1 < l->fresh_count; k++) {
        dividers[k] = l->items[l->divided ? l->end[k] : l->end[k] - 1];
        dividers[k].child = l->fresh[k]->no;
        if (l->divided) continue;
        s64 rowid = 0;
        bool sound = leaf_rowid(l->fresh[k], l->fresh[k]->node.cell_count - 1u, &rowid);
        ASSERT(sound);
        dividers[k].bytes = rowids[k];
        dividers[k].size = varint_put(rowids[k], (u64)rowid);
    }
    bool rowid_tree = l->kind == PAGE_TABLE_LEAF || l->kind == PAGE_TABLE_INTERIOR;
    page_build(l->page, txn_usable_size(ch->cursor->txn), rowid_tree ? PAGE_TABLE_INTERIOR : PAGE_INDEX_INTERIOR,
               dividers, l->fresh_count - 1, l->fresh[l->fresh_count - 1]->no);
}

void change_apply(struct tree_change *ch, struct op *op)
{
    struct txn *t = ch->cursor->txn;
    for (u32 level = ch->depth + 1; level-- > 0;) {
        struct tree_level *l = &ch->levels[level];
        switch (l->action) {
        case LEVEL_KEEP: break;
        case LEVEL_EDIT: edit_apply(l); break;
        case LEVEL_APPEND: append_apply(ch, op, level); break;
        case LEVEL_SPREAD:
            items_patch(l);
            fresh_build(ch, op, l);
            parent_tell(l, &ch->levels[level - 1].edit);
            for (u32 k = l->fresh_count; k < l->old_count; k++) txn_page_free(t, op, l->old[k]->no);
            break;
        case LEVEL_COLLAPSE:
            items_patch(l);
            page_build(ch->levels[level - 1].page, txn_usable_size(t), l->kind, l->items, l->item_count,
                       l->last_child);
            for (u32 k = 0; k < l->old_count; k++) txn_page_free(t, op, l->old[k]->no);
            break;
        case LEVEL_DEEPEN:
            items_patch(l);
            deepen_apply(ch, op);
            break;
        }
    }
}
