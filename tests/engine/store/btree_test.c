// Goal: trees keep exactly the entries that were put in, in order, through every kind of change, wait and failure;
// cursors keep their place; and SQLite agrees with every file.
// Method: random operations against a sorted array, over a strict pager in memory that waits and fails at random;
// files come from and go to libsqlite3, which checks their integrity and lists their rows.
#include "engine/store/btree_inline.h"
#include "memory_pager.h"
#include "sqlite_image.h"

// ---- the model --------------------------------------------------------------------------------------

struct entry {
    s64 rowid;   // table: the key
    u8 key_type; // index: the key, enum value_type, then `tie`
    s64 number;
    u8 *bytes;
    u32 size;
    s64 tie;
    u8 *record;
    u64 record_size;
    struct entry *next_made;
};

struct model {
    bool table;
    struct entry **entries;
    u32 count, capacity;
    struct entry *made; // all ever made: held cursors remember deleted ones
};

static int entry_compare(const struct model *m, const struct entry *a, const struct entry *b)
{
    if (m->table) return (a->rowid > b->rowid) - (a->rowid < b->rowid);
    if (a->key_type != b->key_type) return a->key_type < b->key_type ? -1 : 1; // INTEGER < TEXT < BLOB
    int c = 0;
    if (a->key_type == VALUE_INTEGER) {
        c = (a->number > b->number) - (a->number < b->number);
    } else {
        u32 common = MIN(a->size, b->size);
        c = common ? memcmp(a->bytes, b->bytes, common) : 0;
        if (c == 0) c = (a->size > b->size) - (a->size < b->size);
    }
    return c ? c : (a->tie > b->tie) - (a->tie < b->tie);
}

// Index of the first entry >= e.
static u32 model_find(const struct model *m, const struct entry *e, bool *equal)
{
    u32 low = 0, high = m->count;
    *equal = false;
    while (low < high) {
        u32 middle = (low + high) / 2;
        int c = entry_compare(m, m->entries[middle], e);
        if (c < 0) {
            low = middle + 1;
        } else {
            high = middle;
            *equal |= c == 0;
        }
    }
    return low;
}

static void model_put(struct model *m, struct entry *e)
{
    bool equal;
    u32 at = model_find(m, e, &equal);
    if (equal) {
        m->entries[at] = e;
        return;
    }
    if (m->count == m->capacity) {
        m->capacity = m->capacity * 2 + 64;
        m->entries = realloc(m->entries, m->capacity * sizeof *m->entries);
    }
    memmove(m->entries + at + 1, m->entries + at, (m->count - at) * sizeof *m->entries);
    m->entries[at] = e;
    m->count++;
}

static void model_remove(struct model *m, u32 at)
{
    m->count--;
    memmove(m->entries + at, m->entries + at + 1, (m->count - at) * sizeof *m->entries);
}

static void model_free(struct model *m)
{
    while (m->made) {
        struct entry *next = m->made->next_made;
        free(m->made->bytes);
        free(m->made->record);
        free(m->made);
        m->made = next;
    }
    free(m->entries);
}

// ---- the world --------------------------------------------------------------------------------------

#define HELD 4

struct world {
    struct txn *t;
    struct op op;
    struct model m;
    struct cursor writer, held[HELD];
    struct entry *held_at[HELD]; // NULL: on nothing
    pgno root;
    u64 random;
    u32 size_style;
    s64 next_tie;
};

static const struct key_info KEY_INFO = {.field_count = 2, .all_count = 2, .encoding = 1};

static u64 pick(struct world *w, u64 below) { return test_random(&w->random) % below; }

static u32 size_pick(struct world *w)
{
    u32 page = w->t->page_size;
    switch (w->size_style) {
    case 0: return (u32)pick(w, 20);
    case 1: return (u32)pick(w, 120);
    case 2: return (u32)pick(w, page / 3);
    default:
        switch (pick(w, 8)) {
        case 0: return (u32)pick(w, page * 6);
        case 1: return (u32)pick(w, page * 2);
        case 2: return page - 60 + (u32)pick(w, 80);
        default: return (u32)pick(w, 100);
        }
    }
}

static struct entry *entry_make(struct world *w, s64 rowid)
{
    struct entry *e = calloc(1, sizeof *e);
    e->next_made = w->m.made;
    w->m.made = e;
    e->rowid = rowid;
    e->size = size_pick(w);
    e->bytes = malloc(e->size + 1);
    u64 fill = test_random(&w->random);
    for (u32 i = 0; i < e->size; i++) e->bytes[i] = (u8)('a' + (fill >> (i % 8 * 8)) % 7 + i / 300 % 3);
    struct value values[2] = {0};
    if (w->m.table) {
        value_init(&values[0]);
        value_borrow_blob(&values[1], e->bytes, e->size);
    } else {
        u64 kind = pick(w, 4);
        e->key_type = kind == 0 ? VALUE_INTEGER : kind == 1 ? VALUE_BLOB : VALUE_TEXT;
        e->number = (s64)pick(w, 1000) - 500;
        e->tie = pick(w, 3) ? w->next_tie++ : (s64)pick(w, 10);
        if (kind == 0)
            value_set_integer(&values[0], e->number);
        else if (kind == 1)
            value_borrow_blob(&values[0], e->bytes, e->size);
        else
            value_borrow_text(&values[0], e->bytes, e->size);
        value_set_integer(&values[1], e->tie);
    }
    e->record_size = record_size(values, 2, 1, NULL);
    e->record = malloc(e->record_size);
    err_code code = record_encode(values, 2, 1, e->record, e->record_size);
    ASSERT(code == ERR_OK);
    return e;
}

static bool failed(struct world *w, io_status status)
{
    if (status == IO_DONE) return false;
    if (w->op.err.code != ERR_IOERR_READ) test_fail(__FILE__, __LINE__, "failed: %s", w->op.err.text);
    op_settle(&w->op);
    w->op.err = ERR_CLEAR;
    return true;
}

static io_status seek(struct world *w, struct cursor *c, const struct entry *e, int *compare)
{
    if (w->m.table) return RUN(cursor_seek_rowid(c, &w->op, e->rowid, compare));
    struct value values[2] = {0};
    if (e->key_type == VALUE_INTEGER)
        value_set_integer(&values[0], e->number);
    else if (e->key_type == VALUE_TEXT)
        value_borrow_text(&values[0], e->bytes, e->size);
    else
        value_borrow_blob(&values[0], e->bytes, e->size);
    value_set_integer(&values[1], e->tie);
    struct search_key key = {.info = &KEY_INFO, .values = values, .count = 2};
    return RUN(cursor_seek_key(c, &w->op, &key, compare));
}

// Whether the cursor stands on e; false when the reading failed.
static bool entry_check(struct world *w, struct cursor *c, const struct entry *e)
{
    if (failed(w, RUN(cursor_entry(c, &w->op)))) return false;
    if (w->m.table) CHECK_EQ(c->rowid, e->rowid);
    CHECK_EQ(c->payload_size, e->record_size);
    if (c->payload_size != e->record_size) return true;
    u8 *copy = malloc(e->record_size + 1);
    bool done = !failed(w, RUN(cursor_read(c, &w->op, 0, e->record_size, copy)));
    if (done) CHECK(memcmp(copy, e->record, e->record_size) == 0);
    u64 from = pick(w, e->record_size), size = pick(w, e->record_size - from + 1);
    done = done && !failed(w, RUN(cursor_read(c, &w->op, from, size, copy)));
    if (done) CHECK(memcmp(copy, e->record + from, size) == 0);
    free(copy);
    return done;
}

static void scan_check(struct world *w)
{
    u32 wait = w->t->wait_percent, fail = w->t->fail_permille;
    w->t->wait_percent = w->t->fail_permille = 0;
    struct cursor c;
    cursor_init(&c, w->t, w->root, w->m.table ? NULL : &KEY_INFO, false);
    u32 i = 0;
    CHECK_EQ(RUN(cursor_first(&c, &w->op)), IO_DONE);
    for (; cursor_valid(&c) && i < w->m.count; i++) {
        entry_check(w, &c, w->m.entries[i]);
        if (RUN(cursor_next_inline(&c, &w->op)) != IO_DONE) break;
    }
    CHECK(!cursor_valid(&c));
    CHECK_EQ(i, w->m.count);
    CHECK_EQ(RUN(cursor_last(&c, &w->op)), IO_DONE);
    for (; cursor_valid(&c) && i > 0; i--) {
        entry_check(w, &c, w->m.entries[i - 1]);
        if (RUN(cursor_previous(&c, &w->op)) != IO_DONE) break;
    }
    CHECK(!cursor_valid(&c));
    CHECK_EQ(i, 0);
    struct btree_walk walk = {0};
    CHECK_EQ(RUN(btree_count(&c, &w->op, &walk)), IO_DONE);
    CHECK_EQ(walk.count, w->m.count);
    btree_walk_deinit(&walk);
    cursor_deinit(&c);
    op_settle(&w->op);
    w->t->wait_percent = wait;
    w->t->fail_permille = fail;
}

// ---- operations -------------------------------------------------------------------------------------

static void do_insert(struct world *w, s64 rowid, u32 flags)
{
    struct entry *e = entry_make(w, rowid);
    struct btree_entry b = {.rowid = rowid, .data = e->record, .size = e->record_size};
    int compare = 0;
    if (pick(w, 2)) {
        if (failed(w, seek(w, &w->writer, e, &compare))) return;
        flags |= CURSOR_SEEK_DONE;
    }
    if (pick(w, 2)) flags |= CURSOR_SAVE_POSITION;
    if (failed(w, RUN(cursor_insert(&w->writer, &w->op, &b, flags, compare)))) return;
    model_put(&w->m, e);
    if (flags & CURSOR_SAVE_POSITION) {
        bool moved;
        if (failed(w, RUN(cursor_restore(&w->writer, &w->op, &moved)))) return;
        CHECK(!moved);
        entry_check(w, &w->writer, e);
    }
}

// One step of a cursor that was at `from`; *at follows. From an entry that is gone the step leads to its neighbour.
// False: it failed and nothing moved.
static bool step_check(struct world *w, struct cursor *c, struct entry **at, bool forward)
{
    bool equal;
    u32 i = model_find(&w->m, *at, &equal);
    if (failed(w, forward ? RUN(cursor_next(c, &w->op)) : RUN(cursor_previous(c, &w->op)))) return false;
    struct entry *want = NULL;
    if (forward)
        want = i + equal < w->m.count ? w->m.entries[i + equal] : NULL;
    else
        want = i > 0 ? w->m.entries[i - 1] : NULL;
    CHECK_EQ(cursor_valid(c), want != NULL);
    *at = cursor_valid(c) ? want : NULL;
    if (*at) entry_check(w, c, want);
    return true;
}

static void do_delete(struct world *w)
{
    if (w->m.count == 0) return;
    u32 i = (u32)pick(w, w->m.count);
    u32 flags = pick(w, 2) ? CURSOR_SAVE_POSITION : 0;
    struct entry *e = w->m.entries[i];
    int compare;
    if (failed(w, seek(w, &w->writer, e, &compare))) return;
    CHECK_EQ(compare, 0);
    u32 run = pick(w, 20) ? 1 : 1 + (u32)pick(w, 60);
    while (e && run--) {
        if (failed(w, RUN(cursor_delete(&w->writer, &w->op, flags)))) return;
        bool equal;
        model_remove(&w->m, model_find(&w->m, e, &equal));
        CHECK(equal);
        if (!flags) return;
        if (!step_check(w, &w->writer, &e, pick(w, 4) > 0)) return;
    }
}

static void do_held(struct world *w)
{
    u32 k = (u32)pick(w, HELD);
    struct cursor *c = &w->held[k];
    if (w->held_at[k] && pick(w, 4)) {
        if (pick(w, 4) == 0) { // still where it was, unless the entry is gone
            bool moved, equal;
            model_find(&w->m, w->held_at[k], &equal);
            if (failed(w, RUN(cursor_restore(c, &w->op, &moved)))) return;
            if (equal) CHECK(!moved);
        }
        step_check(w, c, &w->held_at[k], pick(w, 2));
        return;
    }
    w->held_at[k] = NULL;
    if (w->m.count == 0) return;
    struct entry *e = w->m.entries[pick(w, w->m.count)];
    int compare;
    if (failed(w, seek(w, c, e, &compare))) return;
    CHECK_EQ(compare, 0);
    w->held_at[k] = e;
    entry_check(w, c, e);
}

static void do_seek_missing(struct world *w)
{
    struct entry *e = entry_make(w, (s64)pick(w, 5000) - 100);
    bool equal;
    u32 i = model_find(&w->m, e, &equal);
    int compare;
    struct cursor *c = &w->writer;
    if (failed(w, seek(w, c, e, &compare))) return;
    CHECK_EQ(cursor_valid(c), w->m.count > 0);
    if (!cursor_valid(c)) return;
    CHECK_EQ(compare == 0, equal);
    u32 at = compare < 0 ? i - 1 : i;
    CHECK(at < w->m.count);
    if (at < w->m.count) entry_check(w, c, w->m.entries[at]);
}

// ---- files of libsqlite3 ----------------------------------------------------------------------------

static void sqlite_check(struct world *w)
{
    size_t size;
    u8 *image = memory_txn_image(w->t, &size);
    sqlite3 *db = sqlite_open_image(image, size);
    free(image);
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, "PRAGMA integrity_check(5)", -1, &stmt, NULL);
    CHECK_EQ(rc, SQLITE_OK);
    while (stmt && sqlite3_step(stmt) == SQLITE_ROW) CHECK_STR((const char *)sqlite3_column_text(stmt, 0), "ok");
    sqlite3_finalize(stmt);
    stmt = NULL;
    sqlite3_prepare_v2(db, w->m.table ? "SELECT a, b FROM t ORDER BY a" : "SELECT v, k FROM w ORDER BY k, v", -1,
                       &stmt, NULL);
    u32 i = 0;
    for (; stmt && sqlite3_step(stmt) == SQLITE_ROW && i < w->m.count; i++) {
        const struct entry *e = w->m.entries[i];
        s64 number = sqlite3_column_int64(stmt, 0);
        CHECK_EQ(number, w->m.table ? e->rowid : e->tie);
        if (e->key_type == VALUE_INTEGER && !w->m.table) continue;
        const void *bytes = sqlite3_column_blob(stmt, 1);
        CHECK_EQ(sqlite3_column_bytes(stmt, 1), e->size);
        if ((u32)sqlite3_column_bytes(stmt, 1) == e->size && e->size) CHECK(memcmp(bytes, e->bytes, e->size) == 0);
    }
    CHECK_EQ(i, w->m.count);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
}

static void world_init(struct world *w, bool table, u32 page_size, u32 reserved, u32 size_style, u64 seed)
{
    *w = (struct world){.m.table = table, .random = seed, .size_style = size_style, .next_tie = 10};
    size_t size;
    u8 *image = sqlite_image(page_size, reserved,
                             "CREATE TABLE t(a INTEGER PRIMARY KEY, b);"
                             "CREATE TABLE w(k, v, PRIMARY KEY(k, v)) WITHOUT ROWID",
                             &size);
    w->t = memory_txn_of_image(image, size, seed + 1);
    memory_txn_absorb_freelist(w->t);
    free(image);
    CHECK_EQ(w->t->page_size, page_size);
    CHECK_EQ(w->t->reserved, reserved);
    op_init(&w->op, NULL, NULL);
    w->root = table ? 2 : 3;
    const struct key_info *info = table ? NULL : &KEY_INFO;
    cursor_init(&w->writer, w->t, w->root, info, true);
    for (u32 i = 0; i < HELD; i++) cursor_init(&w->held[i], w->t, w->root, info, false);
}

static void world_deinit(struct world *w)
{
    for (u32 i = 0; i < HELD; i++) cursor_deinit(&w->held[i]);
    cursor_deinit(&w->writer);
    op_deinit(&w->op);
    memory_txn_destroy(w->t);
    model_free(&w->m);
}

static void random_run(struct world *w, u32 steps)
{
    s64 last = 0;
    for (u32 i = 0; i < steps; i++) {
        // Phases of growing and of shrinking, so that trees get deep and flat again.
        u32 grow = i / (steps / 4 + 1) % 2 ? 25 : 60;
        u64 what = pick(w, 100);
        if (what < grow) {
            u64 run = pick(w, 40) ? 1 : 1 + pick(w, 80);
            if (run > 1) last = w->m.count && w->m.table ? w->m.entries[w->m.count - 1]->rowid : 0;
            if (run == 1) do_insert(w, (s64)pick(w, 4000) - 100, 0);
            for (; run > 1; run--) do_insert(w, ++last, CURSOR_APPEND);
        } else if (what < 85) {
            do_delete(w);
        } else if (what < 95) {
            do_held(w);
        } else if (what < 99) {
            do_seek_missing(w);
        } else {
            memory_txn_commit(w->t);
        }
    }
}

static void random_case(bool table, u32 page_size, u32 reserved, u32 style, u32 steps)
{
    struct world w;
    world_init(&w, table, page_size, reserved, style, test_seed() + page_size + style);
    for (u32 round = 0; round < 4; round++) {
        w.t->wait_percent = round % 2 ? 20 : 0;
        w.t->fail_permille = round == 3 ? 10 : 0;
        random_run(&w, steps / 4);
        scan_check(&w);
        sqlite_check(&w);
    }
    world_deinit(&w);
}

static const struct {
    u32 page_size, reserved, style, steps;
} RANDOM_CASES[] = {
    {512, 0, 0, 6000},   {512, 0, 1, 6000},   {512, 0, 2, 6000},   {512, 0, 3, 5000},    {512, 32, 3, 4000},
    {1024, 0, 0, 6000},  {1024, 0, 3, 5000},  {2048, 0, 2, 5000},  {4096, 0, 0, 8000},   {4096, 0, 1, 8000},
    {4096, 0, 2, 6000},  {4096, 48, 3, 4000}, {8192, 0, 1, 5000},  {16384, 0, 3, 2000},  {32768, 0, 2, 2000},
    {65536, 0, 0, 8000}, {65536, 0, 2, 2000}, {65536, 0, 3, 1500},
};

TEST(btree_table_random)
{
    for (u32 i = 0; i < COUNT_OF(RANDOM_CASES); i++)
        random_case(true, RANDOM_CASES[i].page_size, RANDOM_CASES[i].reserved, RANDOM_CASES[i].style,
                    RANDOM_CASES[i].steps);
}

TEST(btree_index_random)
{
    for (u32 i = 0; i < COUNT_OF(RANDOM_CASES); i++)
        random_case(false, RANDOM_CASES[i].page_size, RANDOM_CASES[i].reserved, RANDOM_CASES[i].style,
                    RANDOM_CASES[i].steps);
}

// The space of one page: whatever is put in and taken out, cells and free blocks cover it exactly.
TEST(btree_page_space)
{
    u64 random = test_seed();
    for (u32 round = 0; round < 40; round++) {
        struct txn *t = memory_txn(round % 2 ? 512 : 4096, 0, 1);
        struct page *p = t->pages[1];
        struct err err = ERR_CLEAR;
        u8 bytes[200];
        bool leaf = round % 3;
        page_build(p, t->page_size, leaf ? PAGE_INDEX_LEAF : PAGE_TABLE_INTERIOR, NULL, 0, 7);
        for (u32 i = 0; i < 3000; i++) {
            u32 size = 1 + (u32)(test_random(&random) % (round % 5 ? 12 : 100));
            memset(bytes, 0, sizeof bytes);
            if (leaf) {
                bytes[0] = (u8)(size - 1);
            } else {
                size = varint_put(bytes, test_random(&random) >> test_random(&random) % 64);
            }
            struct cell_item item = {bytes, size, 9};
            if (item_weight(size, leaf) <= p->node.free_size && test_random(&random) % 100 < 60)
                page_insert(p, (u32)(test_random(&random) % (p->node.cell_count + 1u)), &item);
            else if (p->node.cell_count)
                page_remove(p, (u32)(test_random(&random) % p->node.cell_count), 1);
            u32 free_size = p->node.free_size;
            p->node.valid = false;
            CHECK_EQ(page_check(p, t->page_size, &err), ERR_OK);
            p->node.free_size = NODE_FREE_UNKNOWN;
            if (page_check_space(p, &err) != ERR_OK) {
                test_fail(__FILE__, __LINE__, "round %u step %u: %s", round, i, err.text);
                break;
            }
            CHECK_EQ(p->node.free_size, free_size);
        }
        memory_txn_destroy(t);
    }
}

// Rows in ascending order leave full pages behind: as few as the rows need.
TEST(btree_append_fills_pages)
{
    struct world w;
    world_init(&w, true, 4096, 0, 1, test_seed());
    u64 bytes = 0;
    for (s64 rowid = 1; rowid <= 20000; rowid++) {
        struct entry *e = entry_make(&w, rowid);
        struct btree_entry b = {.rowid = rowid, .data = e->record, .size = e->record_size};
        REQUIRE(RUN(cursor_insert(&w.writer, &w.op, &b, CURSOR_APPEND, 0)) == IO_DONE);
        bytes += e->record_size + 2 + 1 + varint_size((u64)rowid);
        model_put(&w.m, e);
    }
    u64 leaves = bytes / 4088 + 1;
    CHECK(w.t->page_count <= 4 + leaves * 104 / 100);
    scan_check(&w);
    sqlite_check(&w);
    world_deinit(&w);
}

// A row far larger than its page, most of it zeros that are not in memory, read in pieces and replaced by a short one.
TEST(btree_large_row_with_zero_tail)
{
    struct world w;
    world_init(&w, true, 1024, 0, 0, test_seed());
    enum { TAIL = 5000000 };
    u8 head[40];
    u32 at = varint_put(head + 2, 12 + 2 * (u64)(TAIL + 10)) + 2;
    head[0] = (u8)at;
    head[1] = 0;
    memset(head + at, 'x', 10);
    struct btree_entry b = {.rowid = 7, .data = head, .size = at + 10, .zero_tail = TAIL};
    w.t->wait_percent = 1;
    REQUIRE(RUN(cursor_insert(&w.writer, &w.op, &b, 0, 0)) == IO_DONE);
    CHECK_EQ(w.t->page_count, 3 + 1 + (at + 10 + TAIL - 1 - 2) / 1020); // about: the local part is below one page
    int compare;
    REQUIRE(RUN(cursor_seek_rowid(&w.held[0], &w.op, 7, &compare)) == IO_DONE);
    REQUIRE(RUN(cursor_entry(&w.held[0], &w.op)) == IO_DONE);
    CHECK_EQ(w.held[0].payload_size, at + 10 + TAIL);
    u8 *all = malloc(at + 10 + TAIL);
    memset(all, 1, at + 10 + TAIL);
    CHECK_EQ(RUN(cursor_read(&w.held[0], &w.op, 0, at + 10 + TAIL, all)), IO_DONE);
    CHECK(memcmp(all, head, at + 10) == 0);
    u64 set = 0;
    for (u32 i = at + 10; i < at + 10 + TAIL; i++) set += all[i];
    CHECK_EQ(set, 0);
    memset(all, 1, 3000);
    CHECK_EQ(RUN(cursor_read(&w.held[0], &w.op, 4000000, 3000, all)), IO_DONE);
    CHECK(all[0] == 0 && all[2999] == 0 && all[3000] == 0);
    free(all);
    u32 pages = w.t->page_count;
    b = (struct btree_entry){.rowid = 7, .data = (const u8 *)"\x03\x00\x0e" "a", .size = 4};
    CHECK_EQ(RUN(cursor_insert(&w.writer, &w.op, &b, 0, 0)), IO_DONE);
    CHECK_EQ(w.t->freed_count, pages - 3);
    world_deinit(&w);
}

TEST(btree_clear_and_drop_free_every_page)
{
    for (u32 table = 0; table < 2; table++) {
        struct world w;
        world_init(&w, table, 1024, 0, 3, test_seed());
        for (s64 rowid = 1; rowid <= 1500; rowid++) do_insert(&w, rowid, 0);
        u32 count = w.m.count;
        w.t->wait_percent = 30;
        struct btree_walk walk = {0};
        CHECK_EQ(RUN(btree_clear(w.t, &w.op, w.root, &walk)), IO_DONE);
        CHECK_EQ(walk.count, count);
        btree_walk_deinit(&walk);
        w.t->wait_percent = 0;
        CHECK_EQ(w.t->freed_count + 3, w.t->page_count);
        w.m.count = 0;
        scan_check(&w);
        sqlite_check(&w);
        pgno extra, moved;
        CHECK_EQ(RUN(btree_create(w.t, &w.op, BTREE_TABLE, &extra)), IO_DONE);
        CHECK_EQ(RUN(btree_drop(w.t, &w.op, extra, &walk, &moved)), IO_DONE);
        CHECK_EQ(moved, 0);
        CHECK_EQ(w.t->freed_count + 3, w.t->page_count);
        btree_walk_deinit(&walk);
        world_deinit(&w);
    }
}

int main(int argc, char **argv) { return test_main(argc, argv); }
