// Guessing how many entries a tree has, and how many of them are equal, from one path through it.
#include <math.h>

#include "btree_cursor.h"

struct sampled_page {
    u32 cells;
    u32 distinct[BTREE_SAMPLE_FIELDS]; // runs of cells that are equal in so many fields + 1
};

// Neighbouring keys of the page, as far as they lie in it.
static io_status page_sample(struct cursor *c, struct op *op, const struct page *p, struct sampled_page *out)
{
    *out = (struct sampled_page){.cells = p->node.cell_count};
    if (!c->key_info) return IO_DONE;
    u32 fields = MIN((u32)BTREE_SAMPLE_FIELDS, c->key_info->all_count);
    struct cell cell, before = {0};
    for (u32 i = 0; i < out->cells; i++) {
        if (!cell_parse(p, i, &cell)) {
            (void)cell_error(&op->err, p, i);
            return IO_FAIL;
        }
        u32 same = 0; // leading fields that are as the cell's before
        if (i > 0 && !cell.overflow && !before.overflow)
            while (same < fields && record_compare_records(before.payload, before.local_size, cell.payload, cell.local_size, c->key_info,
                                                           same + 1, &op->err) == 0 && op->err.code == ERR_OK)
                same++;
        if (UNLIKELY(op->err.code != ERR_OK)) return IO_FAIL;
        for (u32 k = same; k < BTREE_SAMPLE_FIELDS; k++) out->distinct[k]++;
        before = cell;
    }
    return IO_DONE;
}

io_status btree_sample(struct cursor *c, struct op *op, struct btree_sample *out)
{
    enum { DISTINCT_ENOUGH = 4 }; // runs of a page that tell how long runs are
    struct sampled_page levels[BTREE_DEPTH_MAX];
    u32 depth = 0;
    *out = (struct btree_sample){0};
    if (cursor_of_empty_file(c)) return IO_DONE;
    pgno no = c->root;
    for (bool leaf = false; !leaf; depth++) {
        struct page *p;
        if (depth == BTREE_DEPTH_MAX)
            return IO_ERROR(&op->err, ERR_CORRUPT, "database disk image is malformed: the tree of page %u is deeper than %d", c->root,
                            BTREE_DEPTH_MAX);
        IO_TRY(txn_page(c->txn, op, no, &p));
        io_status status = page_check(p, txn_usable_size(c->txn), &op->err) == ERR_OK ? page_sample(c, op, p, &levels[depth]) : IO_FAIL;
        leaf = p->node.leaf;
        if (!leaf) no = page_child(p, p->node.cell_count / 2);
        page_unpin(p);
        IO_TRY(status);
    }
    double below = 1; // entries of the tree for each cell of the level
    for (u32 level = depth; level-- > 0;) {
        const struct sampled_page *p = &levels[level];
        for (u32 k = 0; k < BTREE_SAMPLE_FIELDS; k++) {
            bool sure = p->distinct[k] >= DISTINCT_ENOUGH || level == 0;
            if (out->equal[k] == 0 && sure && p->distinct[k]) out->equal[k] = (u64)fmax(1, below * p->cells / p->distinct[k]);
        }
        below *= level + 1 == depth ? p->cells : p->cells + 1;
    }
    out->entries = (u64)fmin(below, 1e18);
    return IO_DONE;
}
