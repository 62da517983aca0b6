#include "btree_page.h"

#define PAGE_USABLE_MAX 65536

err_code page_error(struct err *err, const struct page *p, const char *what)
{
    err_set(err, ERR_CORRUPT, __func__, "database disk image is malformed: page %u: %s", p->no, what);
    return ERR_CORRUPT;
}

err_code cell_error(struct err *err, const struct page *p, u32 i)
{
    u32 offset = i < p->node.cell_count ? page_cell_offset(p, i) : 0;
    err_set(err, ERR_CORRUPT, __func__,
            "database disk image is malformed: page %u, cell %u at offset %u points outside the page", p->no, i,
            offset);
    return ERR_CORRUPT;
}

static bool node_init(struct btree_node *n, u8 header_offset, u8 kind, u32 usable_size)
{
    *n = (struct btree_node){.header_offset = header_offset, .usable_size = usable_size};
    switch (kind) {
    case PAGE_TABLE_LEAF: n->leaf = n->rowid_tree = true; break;
    case PAGE_TABLE_INTERIOR: n->rowid_tree = true; break;
    case PAGE_INDEX_LEAF: n->leaf = true; break;
    case PAGE_INDEX_INTERIOR: break;
    default: return false;
    }
    n->cells_offset = header_offset + (n->leaf ? 8 : 12);
    n->local_min = (u16)((usable_size - 12) * 32 / 255 - 23);
    n->local_max = (u16)(n->rowid_tree ? usable_size - 35 : (usable_size - 12) * 64 / 255 - 23);
    n->free_size = NODE_FREE_UNKNOWN;
    return true;
}

void page_header_read(struct page *p, u32 usable_size)
{
    struct btree_node *n = &p->node;
    const u8 *header = p->data + (p->no == 1 ? 100 : 0);
    bool known = node_init(n, p->no == 1 ? 100 : 0, header[0], usable_size);
    n->cell_count = be16_get(header + 3);
    n->content_start = be16_get(header + 5);
    if (n->content_start == 0) n->content_start = 65536;
    n->valid = known && n->cell_count <= (usable_size - 8) / 6;
}

err_code page_check_contents(struct page *p, u32 usable_size, struct err *err)
{
    struct btree_node n;
    u8 header_offset = p->no == 1 ? 100 : 0;
    const u8 *header = p->data + header_offset;
    if (!node_init(&n, header_offset, header[0], usable_size)) {
        err_set(err, ERR_CORRUPT, __func__,
                "database disk image is malformed: page %u is not a B-tree page (kind %u at offset %u)", p->no,
                header[0], header_offset);
        return ERR_CORRUPT;
    }
    n.cell_count = be16_get(header + 3);
    n.content_start = be16_get(header + 5);
    if (n.content_start == 0) n.content_start = 65536;
    u32 pointers_end = n.cells_offset + 2u * n.cell_count;
    if (pointers_end > usable_size) return page_error(err, p, "the cell pointers do not fit");
    u32 last = usable_size - (n.leaf ? 4 : 5);
    bool bad = false;
    const u8 *pointers = p->data + n.cells_offset;
    for (u32 i = 0; i < n.cell_count; i++) {
        u32 offset = be16_get(pointers + 2 * i);
        bad |= (offset < pointers_end) | (offset > last);
    }
    if (bad) {
        for (u32 i = 0; i < n.cell_count; i++) {
            u32 offset = be16_get(pointers + 2 * i);
            if (offset >= pointers_end && offset <= last) continue;
            err_set(err, ERR_CORRUPT, __func__,
                    "database disk image is malformed: page %u, cell %u points outside the page (offset %u)", p->no,
                    i, offset);
            return ERR_CORRUPT;
        }
    }
    n.valid = true;
    p->node = n;
    return ERR_OK;
}

bool cell_parse_at(const struct page *p, u32 offset, struct cell *c)
{
    const struct btree_node *n = &p->node;
    const u8 *end = p->data + n->usable_size, *at = p->data + offset;
    c->start = at;
    c->child = c->overflow = 0;
    c->payload = NULL;
    c->payload_size = c->local_size = 0;
    c->rowid = 0;
    if (!n->leaf) {
        if (end - at < 5) return false;
        c->child = be32_get(at);
        at += 4;
        if (n->rowid_tree) {
            u64 key;
            u32 size = varint_get_checked(at, end, &key);
            c->rowid = (s64)key;
            c->size = 4 + size;
            return size > 0;
        }
    }
    u64 payload_size;
    u32 size = varint_get_checked(at, end, &payload_size);
    if (size == 0 || payload_size > PAYLOAD_SIZE_MAX) return false;
    at += size;
    if (n->rowid_tree) {
        u64 rowid;
        size = varint_get_checked(at, end, &rowid);
        if (size == 0) return false;
        c->rowid = (s64)rowid;
        at += size;
    }
    u32 local = payload_local_size(n, payload_size);
    bool overflows = local < payload_size;
    if ((u64)local + (overflows ? 4 : 0) > (u64)(end - at)) return false;
    c->payload = at;
    c->payload_size = payload_size;
    c->local_size = local;
    if (overflows) c->overflow = be32_get(at + local);
    c->size = (u32)(at - c->start) + local + (overflows ? 4 : 0);
    return end - c->start >= CELL_SIZE_MIN;
}

// ---- free space -------------------------------------------------------------------------------------

// Marks [from, from + size) as used; false when part of it already was.
static bool bits_claim(u64 *bits, u32 from, u32 size)
{
    u32 end = from + size;
    while (from < end) {
        u32 word = from / 64, bit = from % 64, take = MIN(64 - bit, end - from);
        u64 mask = (take == 64 ? ~(u64)0 : ((u64)1 << take) - 1) << bit;
        if (bits[word] & mask) return false;
        bits[word] |= mask;
        from += take;
    }
    return true;
}

static void header_put(struct page *p, u32 freeblock, u32 fragmented)
{
    u8 *header = p->data + p->node.header_offset;
    be16_put(header + 1, (u16)freeblock);
    be16_put(header + 3, p->node.cell_count);
    be16_put(header + 5, (u16)p->node.content_start);
    header[7] = (u8)fragmented;
}

err_code page_check_space(struct page *p, struct err *err)
{
    struct btree_node *n = &p->node;
    if (n->free_size != NODE_FREE_UNKNOWN) return ERR_OK;
    u32 usable = n->usable_size, pointers_end = n->cells_offset + 2u * n->cell_count;
    if (n->content_start < pointers_end || n->content_start > usable)
        return page_error(err, p, "the cell content area starts outside the page");
    u64 bits[PAGE_USABLE_MAX / 64];
    memset(bits, 0, (usable + 63) / 64 * 8);
    u32 used = pointers_end;
    for (u32 i = 0; i < n->cell_count; i++) {
        struct cell c;
        if (!cell_parse(p, i, &c)) return cell_error(err, p, i);
        u32 size = MAX(c.size, CELL_SIZE_MIN), offset = (u32)(c.start - p->data);
        if (offset < n->content_start) return cell_error(err, p, i);
        if (!bits_claim(bits, offset, size)) return page_error(err, p, "two cells overlap");
        used += size;
    }
    u32 free_size = n->content_start - pointers_end, previous_end = 0;
    for (u32 at = be16_get(p->data + n->header_offset + 1); at; at = be16_get(p->data + at)) {
        if (at < n->content_start || at + 4 > usable || at < previous_end)
            return page_error(err, p, "a free block is out of place");
        u32 size = be16_get(p->data + at + 2);
        if (size < 4 || at + size > usable || !bits_claim(bits, at, size))
            return page_error(err, p, "a free block overlaps something else");
        free_size += size;
        previous_end = at + size;
    }
    if (usable - used - free_size != p->data[n->header_offset + 7])
        return page_error(err, p, "the count of fragmented bytes is wrong");
    n->free_size = usable - used;
    return ERR_OK;
}

static void page_defragment(struct page *p)
{
    struct btree_node *n = &p->node;
    u8 copy[PAGE_USABLE_MAX];
    u32 usable = n->usable_size, to = usable, from_min = n->content_start;
    memcpy(copy + from_min, p->data + from_min, usable - from_min);
    for (u32 i = 0; i < n->cell_count; i++) {
        u32 offset = page_cell_offset(p, i);
        struct cell c;
        struct page view = {.data = copy, .no = p->no, .node = *n};
        bool sound = cell_parse_at(&view, offset, &c);
        ASSERT(sound); // page_check_space has seen it
        u32 size = MAX(c.size, CELL_SIZE_MIN);
        to -= size;
        memcpy(p->data + to, copy + offset, size);
        be16_put(p->data + n->cells_offset + 2 * i, (u16)to);
    }
    n->content_start = to;
    header_put(p, 0, 0);
    u32 pointers_end = n->cells_offset + 2u * n->cell_count;
    memset(p->data + pointers_end, 0, to - pointers_end);
    ASSERT(n->free_size == to - pointers_end);
}

// Gives `size` bytes back. free_size is the caller's to adjust.
static void space_release(struct page *p, u32 offset, u32 size)
{
    struct btree_node *n = &p->node;
    u8 *data = p->data, *header = data + n->header_offset;
    if (offset == n->content_start) { // at the edge of the gap: the gap grows, over a free block too
        u32 next = be16_get(header + 1), end = offset + size;
        if (next == 0) {
            n->content_start = end;
            be16_put(header + 5, (u16)end);
            return;
        }
        if (next < end + 4 && next - end <= header[7]) {
            header[7] -= (u8)(next - end);
            n->content_start = next + be16_get(data + next + 2);
            be16_put(header + 1, be16_get(data + next));
        } else if (next >= end + 4) {
            n->content_start = end;
        } else {
            goto list;
        }
        be16_put(header + 5, (u16)n->content_start);
        return;
    }
list:;
    u32 previous = 0, next = be16_get(header + 1), end = offset + size;
    while (next && next < offset) {
        previous = next;
        next = be16_get(data + next);
    }
    // Up to 3 bytes between neighbours are fragments: they join the block.
    if (next && next < end + 4 && next - end <= header[7]) {
        header[7] -= (u8)(next - end);
        end = next + be16_get(data + next + 2);
        next = be16_get(data + next);
    }
    if (previous) {
        u32 previous_end = previous + be16_get(data + previous + 2);
        if (offset < previous_end + 4 && offset - previous_end <= header[7]) {
            header[7] -= (u8)(offset - previous_end);
            be16_put(data + previous, (u16)next);
            be16_put(data + previous + 2, (u16)(end - previous));
            return;
        }
    }
    be16_put(previous ? data + previous : header + 1, (u16)offset);
    be16_put(data + offset, (u16)next);
    be16_put(data + offset + 2, (u16)(end - offset));
}

// Takes `size` bytes while the pointer array is about to grow by 2. There is room: maybe scattered.
static u32 space_take(struct page *p, u32 size)
{
    struct btree_node *n = &p->node;
    u8 *data = p->data, *header = data + n->header_offset;
    u32 pointers_end = n->cells_offset + 2u * n->cell_count + 2;
    if (pointers_end <= n->content_start) {
        u32 previous = n->header_offset + 1;
        for (u32 at = be16_get(data + previous); at; previous = at, at = be16_get(data + at)) {
            u32 block = be16_get(data + at + 2);
            if (block < size) continue;
            u32 rest = block - size;
            if (rest >= 4) {
                be16_put(data + at + 2, (u16)rest);
                return at + rest;
            }
            if (header[7] + rest > 60) break;
            memcpy(data + previous, data + at, 2);
            header[7] += (u8)rest;
            return at;
        }
    }
    if (pointers_end + size > n->content_start) page_defragment(p);
    ASSERT(pointers_end + size <= n->content_start);
    n->content_start -= size;
    be16_put(header + 5, (u16)n->content_start);
    return n->content_start;
}

// ---- changing a page --------------------------------------------------------------------------------

void page_remove(struct page *p, u32 first, u32 count)
{
    struct btree_node *n = &p->node;
    ASSERT(n->free_size != NODE_FREE_UNKNOWN);
    ASSERT(first + count <= n->cell_count);
    if (count == n->cell_count) {
        n->cell_count = 0;
        n->content_start = n->usable_size;
        n->free_size = n->usable_size - n->cells_offset;
        header_put(p, 0, 0);
        return;
    }
    for (u32 i = first; i < first + count; i++) {
        struct cell c;
        bool sound = cell_parse(p, i, &c);
        ASSERT(sound);
        u32 size = MAX(c.size, CELL_SIZE_MIN);
        space_release(p, (u32)(c.start - p->data), size);
        n->free_size += size + 2;
    }
    u8 *pointers = p->data + n->cells_offset;
    memmove(pointers + 2 * first, pointers + 2 * (first + count), 2u * (n->cell_count - first - count));
    n->cell_count -= (u16)count;
    be16_put(p->data + n->header_offset + 3, n->cell_count);
}

void page_remove_cell(struct page *p, u32 i, u32 offset, u32 size)
{
    struct btree_node *n = &p->node;
    ASSERT(n->free_size != NODE_FREE_UNKNOWN);
    if (n->cell_count == 1) {
        page_remove(p, 0, 1);
        return;
    }
    size = MAX(size, CELL_SIZE_MIN);
    space_release(p, offset, size);
    n->free_size += size + 2;
    n->cell_count--;
    u8 *pointer = p->data + n->cells_offset + 2 * i;
    memmove(pointer, pointer + 2, 2u * (n->cell_count - i));
    be16_put(p->data + n->header_offset + 3, n->cell_count);
}

static void item_write(u8 *to, const struct cell_item *item, bool leaf)
{
    if (leaf) {
        if (UNLIKELY(item->size < CELL_SIZE_MIN)) memset(to, 0, CELL_SIZE_MIN);
    } else {
        be32_put(to, item->child);
        to += 4;
    }
    if (item->size - 8 <= 8) { // 8 to 16 bytes: most cells of indexes and interior pages
        u64 head, tail;
        memcpy(&head, item->bytes, 8);
        memcpy(&tail, item->bytes + item->size - 8, 8);
        memcpy(to, &head, 8);
        memcpy(to + item->size - 8, &tail, 8);
        return;
    }
    memcpy(to, item->bytes, item->size);
}

u8 *page_cell_make(struct page *p, u32 i, u32 size)
{
    struct btree_node *n = &p->node;
    ASSERT(size + 2 <= n->free_size);
    ASSERT(i <= n->cell_count);
    u32 offset = space_take(p, size);
    u8 *pointer = p->data + n->cells_offset + 2 * i;
    if (i < n->cell_count) memmove(pointer + 2, pointer, 2u * (n->cell_count - i));
    be16_put(pointer, (u16)offset);
    n->cell_count++;
    be16_put(p->data + n->header_offset + 3, n->cell_count);
    n->free_size -= size + 2;
    return p->data + offset;
}

void page_insert(struct page *p, u32 i, const struct cell_item *item)
{
    item_write(page_cell_make(p, i, item_weight(item->size, p->node.leaf) - 2), item, p->node.leaf);
}

void page_build(struct page *p, u32 usable_size, enum page_kind kind, const struct cell_item *items, u32 count,
                pgno right_child)
{
    struct btree_node *n = &p->node;
    u8 header_offset = p->no == 1 ? 100 : 0;
    bool known = node_init(n, header_offset, (u8)kind, usable_size);
    ASSERT(known);
    p->data[header_offset] = (u8)kind;
    u32 to = usable_size;
    u8 *pointer = p->data + n->cells_offset;
    for (u32 i = 0; i < count; i++) {
        u32 size = item_weight(items[i].size, n->leaf) - 2;
        ASSERT(to >= size + n->cells_offset + 2 * count);
        to -= size;
        item_write(p->data + to, &items[i], n->leaf);
        be16_put(pointer + 2 * i, (u16)to);
    }
    n->cell_count = (u16)count;
    n->content_start = to;
    n->free_size = to - n->cells_offset - 2 * count;
    n->valid = true;
    header_put(p, 0, 0);
    if (!n->leaf) be32_put(p->data + header_offset + 8, right_child);
}

void page_set_child(struct page *p, u32 i, pgno child)
{
    if (i < p->node.cell_count)
        be32_put(p->data + page_cell_offset(p, i), child);
    else
        be32_put(p->data + p->node.header_offset + 8, child);
}
