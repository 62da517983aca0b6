// A pager in memory for tests of the B-tree, strict about the contract of pager.h: it waits and fails at random,
// refuses reading while mutating and taking or writing while not, hands out each version in memory of its own (so
// that a sanitizer sees a byte too far), and counts pins. Included by a test program, whose definitions then stand
// in for the library's.
#pragma once

#include "engine/op.h"
#include "engine/store/btree.h"
#include "engine/store/change.h"
#include "engine/store/pager.h"
#include "engine/store/store.h"
#include "tests/test.h"

struct txn {
    u32 page_size, reserved;
    struct page **pages; // by number
    pgno page_count;
    u32 capacity;
    pgno *freed;
    u32 freed_count, freed_capacity, reserve;
    bool free_in_hand; // the freelist in the file is not what counts
    struct cursor_list cursors;
    u64 seed;
    u32 wait_percent, fail_permille;
    u64 pins, waits, fails;
};

static inline struct page *memory_page_new(struct txn *t, pgno no)
{
    struct page *p = calloc(1, sizeof *p);
    p->data = calloc(1, t->page_size);
    p->no = no;
    p->frame = (void *)t;
    return p;
}

static inline void memory_page_drop(struct page *p) // no longer current
{
    p->version = UINT64_MAX;
    if (p->pins == 0) {
        free(p->data);
        free(p);
    }
}

static inline void memory_page_set(struct txn *t, struct page *p)
{
    if (p->no >= t->capacity) {
        u32 capacity = MAX(p->no + 1, t->capacity * 2 + 64);
        t->pages = realloc(t->pages, capacity * sizeof *t->pages);
        memset(t->pages + t->capacity, 0, (capacity - t->capacity) * sizeof *t->pages);
        t->capacity = capacity;
    }
    if (t->pages[p->no]) memory_page_drop(t->pages[p->no]);
    t->pages[p->no] = p;
    t->page_count = MAX(t->page_count, p->no);
}

static inline struct txn *memory_txn(u32 page_size, u32 reserved, u64 seed)
{
    struct txn *t = calloc(1, sizeof *t);
    t->page_size = page_size;
    t->reserved = reserved;
    t->seed = seed;
    memory_page_set(t, memory_page_new(t, 1));
    return t;
}

static inline void memory_txn_destroy(struct txn *t)
{
    CHECK_EQ(t->pins, 0);
    CHECK(!t->cursors.first);
    for (u32 i = 0; i < t->capacity; i++) {
        if (t->pages[i]) memory_page_drop(t->pages[i]);
    }
    free(t->pages);
    free(t->freed);
    free(t);
}

// From here on every change needs a fresh private copy.
static inline void memory_txn_commit(struct txn *t)
{
    for (u32 i = 0; i < t->capacity; i++) {
        if (t->pages[i]) t->pages[i]->writable = false;
    }
}

static inline io_status memory_chance(struct txn *t, struct op *op)
{
    u64 r = test_random(&t->seed);
    if (t->wait_percent && r % 100 < t->wait_percent) {
        t->waits++;
        return IO_WAIT;
    }
    if (t->fail_permille && (r >> 20) % 1000 < t->fail_permille) {
        t->fails++;
        return IO_ERROR(&op->err, ERR_IOERR_READ, "the test's disk failed");
    }
    return IO_DONE;
}

static inline io_status page_current(struct txn *t, struct op *op, pgno no, struct page **out)
{
    ASSERT(!op->mutating);
    if (no < 1 || no > t->page_count || !t->pages[no])
        return IO_ERROR(&op->err, ERR_CORRUPT, "database disk image is malformed: page %u is not in the file", no);
    IO_TRY(memory_chance(t, op));
    *out = t->pages[no];
    return IO_DONE;
}

io_status txn_page(struct txn *t, struct op *op, pgno no, struct page **out)
{
    IO_TRY(page_current(t, op, no, out));
    page_pin(*out);
    return IO_DONE;
}

void page_pin(struct page *p)
{
    p->pins++;
    ((struct txn *)(void *)p->frame)->pins++;
}

void page_unpin(struct page *p)
{
    ASSERT(p->pins > 0);
    ((struct txn *)(void *)p->frame)->pins--;
    if (--p->pins == 0 && p->version == UINT64_MAX) {
        free(p->data);
        free(p);
    }
}

// The numbers come from pages of the file; which of them are asked for twice is nobody's business.
u32 txn_pages_prefetch(struct txn *t, pgno *pages, u32 count)
{
    return (u32)(test_random(&t->seed) % (count + 1));
}
u32 txn_ahead_max(const struct txn *t)
{
    return 4 + t->page_count % 60;
}
struct page *txn_page_peek(struct txn *t, pgno no)
{
    if (no < 1 || no > t->page_count || test_random(&t->seed) % 4 == 0) return NULL;
    return t->pages[no];
}

static inline void op_hold(struct op *op, struct page *p)
{
    for (u32 i = 0; i < op->pin_count; i++) {
        if (op->pins[i] == p) return;
    }
    if (op->pin_count == op->pin_capacity) {
        op->pin_capacity = op->pin_capacity * 2 + 16;
        op->pins = realloc(op->pins, op->pin_capacity * sizeof *op->pins);
    }
    op->pins[op->pin_count++] = p;
    page_pin(p);
}

io_status txn_page_write(struct txn *t, struct op *op, pgno no, struct page **out)
{
    struct page *p;
    IO_TRY(page_current(t, op, no, &p));
    if (!p->writable) {
        struct page *copy = memory_page_new(t, no);
        memcpy(copy->data, p->data, t->page_size);
        copy->writable = true;
        memory_page_set(t, copy);
        p = copy;
    }
    op_hold(op, p);
    *out = p;
    return IO_DONE;
}

bool txn_page_ready(struct txn *t, struct page *p)
{
    if (!p->writable || test_random(&t->seed) % 4 == 0) return false;
    ASSERT(p->pins > 0 && t->pages[p->no] == p);
    return true;
}

io_status txn_reserve(struct txn *t, struct op *op, u32 count)
{
    ASSERT(!op->mutating);
    IO_TRY(memory_chance(t, op));
    t->reserve = MAX(t->reserve, count);
    return IO_DONE;
}

struct page *txn_page_take(struct txn *t, struct op *op, pgno near)
{
    (void)near; // any free page will do
    ASSERT(op->mutating);
    ASSERT(t->reserve > 0);
    t->reserve--;
    pgno no = t->freed_count ? t->freed[--t->freed_count] : t->page_count + 1;
    struct page *p = memory_page_new(t, no);
    p->writable = true;
    memory_page_set(t, p);
    op_hold(op, p);
    return p;
}

void txn_page_free(struct txn *t, struct op *op, pgno no)
{
    ASSERT(op->mutating);
    for (u32 i = 0; i < t->freed_count; i++) {
        if (t->freed[i] == no) return; // only damaged files do this
    }
    if (t->freed_count == t->freed_capacity) {
        t->freed_capacity = t->freed_capacity * 2 + 16;
        t->freed = realloc(t->freed, t->freed_capacity * sizeof *t->freed);
    }
    t->freed[t->freed_count++] = no;
    memory_page_set(t, memory_page_new(t, no));
}

bool txn_free_pages_get(const struct txn *t, struct txn_free_pages *out)
{
    *out = (struct txn_free_pages){.pages = t->freed, .count = t->freed_count};
    return t->free_in_hand;
}

// Never an auto-vacuum file.
bool txn_auto_vacuum(const struct txn *t)
{
    return false;
}
void txn_page_mark(struct txn *t, struct page *p, enum page_role role) { (void)t, (void)p, (void)role; }
io_status txn_map_sync(struct txn *t, struct op *op)
{
    return IO_DONE;
}
pgno txn_page_after(const struct txn *t, pgno no)
{
    return no + 1;
}
pgno txn_page_before(const struct txn *t, pgno no)
{
    return no - 1;
}
io_status txn_page_clear_way(struct txn *t, struct op *op, pgno no)
{
    return IO_DONE;
}
struct page *txn_page_take_at(struct txn *t, struct op *op, pgno no)
{
    return txn_page_take(t, op, no);
}
io_status txn_meta_get(struct txn *t, struct op *op, enum txn_meta field, u32 *out)
{
    *out = 0;
    return IO_DONE;
}

u32 txn_page_size(const struct txn *t) { return t->page_size; }
u32 txn_usable_size(const struct txn *t) { return t->page_size - t->reserved; }
pgno txn_page_count(const struct txn *t) { return t->page_count; }
pgno txn_lock_page(const struct txn *t) { return 0x40000000u / t->page_size + 1; }
struct cursor_list *txn_cursors(struct txn *t) { return &t->cursors; }

// Nobody is concurrent: changes are not listed.
bool change_recording(const struct txn *t)
{
    return false;
}
void change_begin(struct txn *t) { (void)t; }
void change_keep(struct txn *t) { (void)t; }
void change_whole(struct txn *t) { (void)t; }
void change_replaces(struct txn *t, bool replaces)
{
}
io_status change_insert_gather(struct cursor *c, struct op *op, const struct btree_entry *e, u32 flags)
{
    return IO_DONE;
}
io_status change_delete_gather(struct cursor *c, struct op *op)
{
    return IO_DONE;
}
io_status change_clear_gather(struct txn *t, struct op *op, pgno root)
{
    return IO_DONE;
}

void op_init(struct op *op, struct io *io, void (*wake)(struct waiter *w))
{
    *op = (struct op){.io = io, .err = ERR_CLEAR, .waiter = {.wake = wake}};
}

void op_unpin(struct op *op)
{
    for (u32 i = 0; i < op->pin_count; i++) page_unpin(op->pins[i]);
    op->pin_count = 0;
}

void op_deinit(struct op *op)
{
    op_settle(op);
    free(op->pins);
}

void op_mutate(struct op *op)
{
    ASSERT(!op->mutating);
    op->mutating = true;
}

// The database as a file, its free pages in a freelist; page 1 has the file header already.
static inline u8 *memory_txn_image(struct txn *t, size_t *size)
{
    *size = (size_t)t->page_count * t->page_size;
    u8 *image = calloc(1, *size);
    for (pgno no = 1; no <= t->page_count; no++)
        memcpy(image + (size_t)(no - 1) * t->page_size, t->pages[no]->data, t->page_size);
    u32 room = (t->page_size - t->reserved) / 4 - 2;
    pgno trunk = 0;
    u32 leaves = 0;
    be32_put(image + 28, t->page_count);
    be32_put(image + 32, 0);
    be32_put(image + 36, t->freed_count);
    for (u32 i = 0; i < t->freed_count; i++) {
        u8 *page = image + (size_t)(t->freed[i] - 1) * t->page_size;
        memset(page, 0, t->page_size);
        if (trunk && leaves < room) {
            u8 *at = image + (size_t)(trunk - 1) * t->page_size;
            be32_put(at + 8 + 4 * leaves, t->freed[i]);
            be32_put(at + 4, ++leaves);
        } else {
            be32_put(page, trunk);
            trunk = t->freed[i];
            leaves = 0;
            be32_put(image + 32, trunk);
        }
    }
    return image;
}

// A transaction on a copy of a file's bytes.
static inline struct txn *memory_txn_of_image(const u8 *image, size_t size, u64 seed)
{
    u32 page_size = be16_get(image + 16);
    if (page_size == 1) page_size = 65536;
    struct txn *t = memory_txn(page_size, image[20], seed);
    for (pgno no = 1; (size_t)no * page_size <= size; no++) {
        struct page *p = memory_page_new(t, no);
        memcpy(p->data, image + (size_t)(no - 1) * page_size, page_size);
        memory_page_set(t, p);
    }
    return t;
}

// The freelist of the file goes into the transaction's hand (damaged lists are cut where they leave the file).
static inline void memory_txn_absorb_freelist(struct txn *t)
{
    t->free_in_hand = true;
    pgno trunk = be32_get(t->pages[1]->data + 32);
    for (u32 steps = 0; trunk > 1 && trunk <= t->page_count && steps < t->page_count; steps++) {
        const u8 *at = t->pages[trunk]->data;
        u32 count = MIN(be32_get(at + 4), txn_usable_size(t) / 4 - 2);
        struct op op = {.mutating = true};
        for (u32 i = 0; i < count; i++) {
            pgno no = be32_get(at + 8 + 4 * i);
            if (no > 1 && no <= t->page_count && no != trunk) txn_page_free(t, &op, no);
        }
        pgno next = be32_get(at);
        txn_page_free(t, &op, trunk);
        trunk = next;
    }
}

// Runs a cooperative call until it no longer waits.
#define RUN(call)                                                                                  \
    ({                                                                                             \
        io_status run_;                                                                            \
        while ((run_ = (call)) == IO_WAIT) {}                                                      \
        run_;                                                                                      \
    })
