// Goal: every backend keeps io.h's contract for completions, groups, waiters, timers, files and
// paths. Method: each test runs on each backend; what is expected comes from POSIX and from io.h.
#include "contract.h"

#include <sys/stat.h>
#include <unistd.h>

// ---- completions

struct order {
    struct io *io;
    u32 count;
    char text[64];
};
struct named {
    struct completion c;
    struct order *order;
    char name;
};

static void named_done(struct completion *c)
{
    struct named *n = c->context;
    n->order->text[n->order->count++] = n->name;
}

static void named_init(struct named *n, struct order *order, char name)
{
    completion_init(&n->c, named_done, n);
    n->order = order;
    n->name = name;
}

CONTRACT(post_runs_from_the_next_step)
{
    struct order order = {0};
    struct named a, b;
    named_init(&a, &order, 'a');
    named_init(&b, &order, 'b');
    completion_post(t->io, &a.c, 7);
    completion_post(t->io, &b.c, -EIO);
    CHECK_EQ(order.count, 0);
    CHECK(io_busy(t->io));
    CHECK_EQ(a.c.state, COMPLETION_PENDING);
    CHECK_EQ(io_step(t->io, UINT64_MAX), 2);
    CHECK_STR(order.text, "ab");
    CHECK_EQ(a.c.result, 7);
    CHECK_EQ(b.c.result, -EIO);
    CHECK_EQ(a.c.state, COMPLETION_DONE);
    CHECK(!io_busy(t->io));
    CHECK_EQ(io_step(t->io, 0), 0);
    CHECK_EQ(io_step(t->io, UINT64_MAX), 0); // nothing could ever come
}

static void post_again(struct completion *c)
{
    struct order *order = c->context;
    if (++order->count < 3) completion_post(order->io, c, order->count);
}

CONTRACT(callback_may_submit_its_own_completion)
{
    struct order order = {.io = t->io};
    struct completion c;
    completion_init(&c, post_again, &order);
    completion_post(t->io, &c, 0);
    // What a callback posts belongs to the next step, so that a step ends.
    for (u32 i = 1; i <= 3; i++) {
        CHECK_EQ(io_step(t->io, UINT64_MAX), 1);
        CHECK_EQ(order.count, i);
    }
    CHECK_EQ(c.result, 2);
    CHECK(!io_busy(t->io));
}

static u32 freed_count;
static void free_itself(struct completion *c)
{
    freed_count++;
    free(c);
}

CONTRACT(callback_may_free_its_completion)
{
    freed_count = 0;
    for (u32 i = 0; i < 3; i++) {
        struct completion *c = malloc(sizeof *c);
        REQUIRE(c);
        completion_init(c, free_itself, NULL);
        if (i == 0) completion_post(t->io, c, 0);
        if (i == 1) io_timeout(t->io, 0, c);
        if (i == 2) io_path_unlink(t->io, contract_path(t, "nothing"), c);
    }
    for (u32 i = 0; i < 100 && io_busy(t->io); i++) CHECK(io_step(t->io, UINT64_MAX) >= 0);
    CHECK_EQ(freed_count, 3);
}

// ---- timers

CONTRACT(timers_fire_in_order_of_deadline)
{
    struct order order = {0};
    struct named n[6];
    static const u64 delays_ms[] = {20, 5, 20, 0, 10, 5};
    for (u32 i = 0; i < 6; i++) {
        named_init(&n[i], &order, (char)('a' + i));
        io_timeout(t->io, delays_ms[i] * 1000000, &n[i].c);
    }
    u64 start_ns = io_now_ns(t->io);
    while (io_busy(t->io)) CHECK(io_step(t->io, UINT64_MAX) >= 0);
    CHECK_STR(order.text, "dbfeac"); // equal deadlines keep the order of submission, unless the
                                     // clock moved between them; it only moves forward
    CHECK(io_now_ns(t->io) - start_ns >= 15 * 1000000);
    for (u32 i = 0; i < 6; i++) CHECK_EQ(n[i].c.result, 0);
}

CONTRACT(timers_are_cancelled)
{
    struct order order = {0};
    struct named n[40];
    for (u32 i = 0; i < 40; i++) {
        named_init(&n[i], &order, (char)('0' + i));
        io_timeout(t->io, i % 2 ? 3600ull * 1000000000 : 1000000 * (40 - i), &n[i].c);
    }
    for (u32 i = 1; i < 40; i += 2) io_cancel(t->io, &n[i].c);
    while (io_busy(t->io)) CHECK(io_step(t->io, UINT64_MAX) >= 0);
    CHECK_EQ(order.count, 40);
    for (u32 i = 0; i < 40; i++) CHECK_EQ(n[i].c.result, i % 2 ? -ECANCELED : 0);
    io_cancel(t->io, &n[0].c); // done: nothing happens
    CHECK(!io_busy(t->io));
}

CONTRACT(step_waits_no_longer_than_told)
{
    struct completion c;
    completion_init(&c, NULL, NULL);
    io_timeout(t->io, 3600ull * 1000000000, &c);
    u64 start_ns = io_now_ns(t->io);
    CHECK_EQ(io_step(t->io, 0), 0);
    CHECK_EQ(io_step(t->io, 2000000), 0);
    CHECK(io_now_ns(t->io) - start_ns >= 2000000);
    CHECK_EQ(c.state, COMPLETION_PENDING);
    io_cancel(t->io, &c);
    CHECK_EQ(await(t->io, &c), -ECANCELED);
}

CONTRACT(huge_delay_does_not_overflow)
{
    struct completion c;
    completion_init(&c, NULL, NULL);
    io_timeout(t->io, UINT64_MAX, &c);
    CHECK_EQ(io_step(t->io, 1000), 0);
    io_cancel(t->io, &c);
    CHECK_EQ(await(t->io, &c), -ECANCELED);
}

// ---- groups

CONTRACT(group_empty_completes)
{
    struct completion_group g;
    completion_group_init(&g, t->io, false, NULL, NULL);
    CHECK_EQ(io_step(t->io, 0), 0);
    completion_group_seal(&g);
    CHECK(g.completion.state != COMPLETION_DONE);
    CHECK_EQ(io_step(t->io, UINT64_MAX), 1);
    CHECK_EQ(g.completion.state, COMPLETION_DONE);
    CHECK_EQ(g.completion.result, 0);
}

CONTRACT(group_child_finishes_before_sibling_joins)
{
    struct completion_group g;
    struct completion a, b;
    completion_group_init(&g, t->io, false, NULL, NULL);
    completion_init(&a, NULL, NULL);
    completion_init(&b, NULL, NULL);
    completion_group_join(&g, &a);
    completion_post(t->io, &a, 5);
    CHECK_EQ(await(t->io, &a), 5);
    CHECK_EQ(io_step(t->io, 0), 0);
    CHECK(g.completion.state != COMPLETION_DONE);
    completion_group_join(&g, &b);
    io_timeout(t->io, 1000, &b);
    completion_group_seal(&g);
    CHECK(g.completion.state != COMPLETION_DONE);
    CHECK_EQ(await(t->io, &b), 0);
    while (io_busy(t->io)) CHECK(io_step(t->io, UINT64_MAX) >= 0);
    CHECK_EQ(g.completion.state, COMPLETION_DONE);
    CHECK_EQ(g.completion.result, 0); // children's bytes are theirs
}

CONTRACT(group_failure_cancels_siblings_and_awaits_them)
{
    for (u32 cancels = 0; cancels < 2; cancels++) {
        struct completion_group g;
        struct completion failing, failing_too, slow;
        completion_group_init(&g, t->io, cancels, NULL, NULL);
        completion_init(&failing, NULL, NULL);
        completion_init(&failing_too, NULL, NULL);
        completion_init(&slow, NULL, NULL);
        completion_group_join(&g, &failing);
        completion_group_join(&g, &failing_too);
        completion_group_join(&g, &slow);
        io_timeout(t->io, cancels ? 3600ull * 1000000000 : 20000000, &slow);
        completion_post(t->io, &failing, -EIO);
        completion_post(t->io, &failing_too, -ENOSPC);
        completion_group_seal(&g);
        CHECK_EQ(await(t->io, &failing_too), -ENOSPC);
        CHECK(g.completion.state != COMPLETION_DONE);
        while (io_busy(t->io)) CHECK(io_step(t->io, UINT64_MAX) >= 0);
        CHECK_EQ(slow.result, cancels ? -ECANCELED : 0);
        CHECK_EQ(g.completion.state, COMPLETION_DONE);
        CHECK_EQ(g.completion.result, -EIO); // the first error stays
    }
}

CONTRACT(group_cancelled_cancels_later_children)
{
    struct completion_group g;
    struct completion early, late;
    completion_group_init(&g, t->io, true, NULL, NULL);
    completion_init(&early, NULL, NULL);
    completion_init(&late, NULL, NULL);
    completion_group_join(&g, &early);
    completion_post(t->io, &early, -EIO);
    CHECK_EQ(await(t->io, &early), -EIO);
    completion_group_join(&g, &late);
    io_timeout(t->io, 3600ull * 1000000000, &late);
    completion_group_seal(&g);
    CHECK_EQ(await(t->io, &late), -ECANCELED);
    while (io_busy(t->io)) CHECK(io_step(t->io, UINT64_MAX) >= 0);
    CHECK_EQ(g.completion.result, -EIO);
}

CONTRACT(group_nests)
{
    struct completion_group outer, inner;
    struct completion a, b;
    completion_group_init(&outer, t->io, false, NULL, NULL);
    completion_group_init(&inner, t->io, false, NULL, NULL);
    completion_init(&a, NULL, NULL);
    completion_init(&b, NULL, NULL);
    completion_group_join(&outer, &inner.completion);
    completion_group_join(&inner, &a);
    completion_group_join(&inner, &b);
    completion_group_seal(&outer);
    completion_post(t->io, &a, -ENOENT);
    io_timeout(t->io, 1000000, &b);
    completion_group_seal(&inner);
    while (io_busy(t->io)) CHECK(io_step(t->io, UINT64_MAX) >= 0);
    CHECK_EQ(b.result, 0);
    CHECK_EQ(inner.completion.result, -ENOENT);
    CHECK_EQ(outer.completion.state, COMPLETION_DONE);
    CHECK_EQ(outer.completion.result, -ENOENT);
}

CONTRACT(group_cancel_reaches_nested_children)
{
    struct completion_group outer, inner;
    struct completion a, b;
    completion_group_init(&outer, t->io, false, NULL, NULL);
    completion_group_init(&inner, t->io, false, NULL, NULL);
    completion_init(&a, NULL, NULL);
    completion_init(&b, NULL, NULL);
    completion_group_join(&outer, &a);
    completion_group_join(&outer, &inner.completion);
    completion_group_join(&inner, &b);
    io_timeout(t->io, 3600ull * 1000000000, &a);
    io_timeout(t->io, 3600ull * 1000000000, &b);
    completion_group_seal(&inner);
    completion_group_seal(&outer);
    CHECK_EQ(io_step(t->io, 0), 0);
    completion_group_cancel(&outer);
    while (io_busy(t->io)) CHECK(io_step(t->io, UINT64_MAX) >= 0);
    CHECK_EQ(a.result, -ECANCELED);
    CHECK_EQ(b.result, -ECANCELED);
    CHECK_EQ(outer.completion.state, COMPLETION_DONE);
    CHECK_EQ(outer.completion.result, -ECANCELED);
}

// ---- waiters

static struct wait_list *waiters_again;
static char waiters_text[16];
static u32 waiters_count;
struct named_waiter {
    struct waiter w;
    char name;
};
static void waiter_woken(struct waiter *w)
{
    struct named_waiter *n = CONTAINER_OF(w, struct named_waiter, w);
    waiters_text[waiters_count++] = n->name;
    waiters_text[waiters_count] = 0;
    if (n->name == 'b' && waiters_again) wait_list_add(waiters_again, w);
}

TEST(waiters_wake_in_order_and_once)
{
    struct wait_list list = {0}, other = {0};
    struct named_waiter n[4];
    for (u32 i = 0; i < 4; i++)
        n[i] = (struct named_waiter){.w = {.wake = waiter_woken}, .name = (char)('a' + i)};
    waiters_count = 0;
    for (u32 i = 0; i < 4; i++) wait_list_add(&list, &n[i].w);
    waiter_remove(&n[2].w);
    waiter_remove(&n[2].w);
    wait_list_wake_first(&list);
    CHECK_STR(waiters_text, "a");
    CHECK(!n[0].w.list);
    waiters_again = &list; // b waits again: not in this round
    wait_list_wake_all(&list);
    CHECK_STR(waiters_text, "abd");
    CHECK(n[1].w.list == &list);
    waiters_again = NULL;
    wait_list_add(&other, &n[1].w); // moves it
    CHECK(!list.first);
    wait_list_wake_all(&list);
    wait_list_wake_first(&list);
    CHECK_STR(waiters_text, "abd");
    wait_list_wake_all(&other);
    CHECK_STR(waiters_text, "abdb");
}

// ---- files

CONTRACT(file_reads_what_it_wrote)
{
    struct io_file *f = contract_open(t, "f", IO_OPEN_WRITE | IO_OPEN_CREATE);
    REQUIRE(f);
    char buffer[100];
    u64 size = 99;
    CHECK_EQ(DO(t, io_file_size(f, &size, &c)), 0);
    CHECK_EQ(size, 0);
    CHECK_EQ(DO(t, io_file_write(f, "hello, world", 12, 0, &c)), 12);
    memset(buffer, 0x55, sizeof buffer);
    static const struct {
        u64 offset;
        u32 size;
        s64 want;
        const char *text;
    } reads[] = {
        {0, 12, 12, "hello, world"},
        {7, 5, 5, "world"},
        {7, 100, 5, "world"}, // meets the end
        {12, 10, 0, ""},
        {500, 10, 0, ""},
        {0, 0, 0, ""},
    };
    for (u32 i = 0; i < COUNT_OF(reads); i++) {
        memset(buffer, 0x55, sizeof buffer);
        s64 n = DO(t, io_file_read(f, buffer, reads[i].size, reads[i].offset, &c));
        CHECK_EQ(n, reads[i].want);
        CHECK(memcmp(buffer, reads[i].text, (size_t)reads[i].want) == 0);
        CHECK_EQ(buffer[reads[i].want], 0x55);
    }
    // A gap reads as zeros.
    CHECK_EQ(DO(t, io_file_write(f, "x", 1, 20, &c)), 1);
    CHECK_EQ(DO(t, io_file_read(f, buffer, sizeof buffer, 10, &c)), 11);
    CHECK(memcmp(buffer, "ld\0\0\0\0\0\0\0\0x", 11) == 0);
    CHECK_EQ(DO(t, io_file_write(f, "", 0, 50, &c)), 0);
    CHECK_EQ(DO(t, io_file_size(f, &size, &c)), 0);
    CHECK_EQ(size, 21);
    contract_close(t, f);
}

CONTRACT(file_vectors)
{
    struct io_file *f = contract_open(t, "f", IO_OPEN_WRITE | IO_OPEN_CREATE);
    REQUIRE(f);
    struct iovec out[] = {{"ab", 2}, {NULL, 0}, {"cdefg", 5}, {"", 0}, {"h", 1}};
    CHECK_EQ(DO(t, io_file_writev(f, out, 5, 3, &c)), 8);
    char a[4] = {0}, b[4] = {0}, d[20] = {0};
    struct iovec in[] = {{a, 3}, {NULL, 0}, {b, 3}, {d, 20}};
    CHECK_EQ(DO(t, io_file_readv(f, in, 4, 2, &c)), 9);
    CHECK(memcmp(a, "\0ab", 3) == 0);
    CHECK_STR(b, "cde");
    CHECK_STR(d, "fgh");
    CHECK_EQ(out[0].iov_len, 2); // the caller's vectors are as they were
    CHECK_EQ(in[3].iov_len, 20);
    contract_close(t, f);
}

// More vectors than one system call takes, of uneven sizes.
CONTRACT(file_many_vectors)
{
    enum { COUNT = 2500 };
    struct io_file *f = contract_open(t, "f", IO_OPEN_WRITE | IO_OPEN_CREATE);
    u8 *bytes = malloc(COUNT * 20), *back = calloc(1, COUNT * 20);
    struct iovec *iov = malloc(COUNT * sizeof *iov);
    REQUIRE(f && bytes && back && iov);
    contract_fill(bytes, COUNT * 20, 4);
    size_t size = 0;
    for (u32 i = 0; i < COUNT; i++) {
        iov[i] = (struct iovec){bytes + size, i % 21};
        size += i % 21;
    }
    CHECK_EQ(DO(t, io_file_writev_sync(f, iov, COUNT, 11, &c)), size);
    for (u32 i = 0; i < COUNT; i++) iov[i].iov_base = back + ((u8 *)iov[i].iov_base - bytes);
    CHECK_EQ(DO(t, io_file_readv(f, iov, COUNT, 11, &c)), size);
    CHECK(memcmp(bytes, back, size) == 0);
    free(bytes);
    free(back);
    free(iov);
    contract_close(t, f);
}

CONTRACT(file_big_transfers)
{
    enum { SIZE = 5 * 1024 * 1024 + 123 };
    struct io_file *f = contract_open(t, "f", IO_OPEN_WRITE | IO_OPEN_CREATE);
    u8 *bytes = malloc(SIZE), *back = calloc(1, SIZE + 100);
    REQUIRE(f && bytes && back);
    contract_fill(bytes, SIZE, 5);
    CHECK_EQ(DO(t, io_file_write(f, bytes, SIZE, 0, &c)), SIZE);
    CHECK_EQ(DO(t, io_file_sync(f, IO_SYNC_FULL, &c)), 0);
    CHECK_EQ(DO(t, io_file_read(f, back, SIZE + 100, 0, &c)), SIZE);
    CHECK(memcmp(bytes, back, SIZE) == 0);
    free(bytes);
    free(back);
    contract_close(t, f);
}

CONTRACT(file_write_sync)
{
    struct io_file *f = contract_open(t, "f", IO_OPEN_WRITE | IO_OPEN_CREATE);
    REQUIRE(f);
    struct io_counters before, after;
    io_counters_get(t->io, &before);
    struct iovec out[] = {{"head", 4}, {"body", 4}};
    CHECK_EQ(DO(t, io_file_writev_sync(f, out, 2, 0, &c)), 8);
    CHECK_EQ(DO(t, io_file_writev_sync(f, out, 1, 8, &c)), 4);
    CHECK_EQ(DO(t, io_file_sync(f, IO_SYNC_DATA, &c)), 0);
    io_counters_get(t->io, &after);
    CHECK(after.syncs - before.syncs >= 3);
    CHECK_EQ(after.written_bytes - before.written_bytes, 12);
    char back[20] = {0};
    CHECK_EQ(DO(t, io_file_read(f, back, 20, 0, &c)), 12);
    CHECK_STR(back, "headbodyhead");
    contract_close(t, f);
}

CONTRACT(file_truncates_and_allocates)
{
    struct io_file *f = contract_open(t, "f", IO_OPEN_WRITE | IO_OPEN_CREATE);
    REQUIRE(f);
    u64 size = 0;
    char back[20];
    CHECK_EQ(DO(t, io_file_write(f, "abcdefgh", 8, 0, &c)), 8);
    CHECK_EQ(DO(t, io_file_truncate(f, 3, &c)), 0);
    CHECK_EQ(DO(t, io_file_truncate(f, 6, &c)), 0);
    CHECK_EQ(DO(t, io_file_read(f, back, 20, 0, &c)), 6);
    CHECK(memcmp(back, "abc\0\0\0", 6) == 0); // what was cut off does not come back
    CHECK_EQ(DO(t, io_file_allocate(f, 2, 98, &c)), 0);
    CHECK_EQ(DO(t, io_file_size(f, &size, &c)), 0);
    CHECK_EQ(size, 100);
    CHECK_EQ(DO(t, io_file_allocate(f, 0, 10, &c)), 0);
    CHECK_EQ(DO(t, io_file_size(f, &size, &c)), 0);
    CHECK_EQ(size, 100);
    CHECK_EQ(DO(t, io_file_read(f, back, 20, 0, &c)), 20);
    CHECK(memcmp(back, "abc\0\0\0\0\0", 8) == 0);
    contract_close(t, f);
}

CONTRACT(file_open_flags)
{
    struct io_file *f = NULL;
    const char *path = contract_path(t, "f");
    CHECK_EQ(DO(t, io_file_open(t->io, path, IO_OPEN_READ, &f, &c)), -ENOENT);
    CHECK_EQ(DO(t, io_file_open(t->io, path, IO_OPEN_WRITE, &f, &c)), -ENOENT);
    CHECK(!f);
    f = contract_open(t, "f", IO_OPEN_WRITE | IO_OPEN_CREATE | IO_OPEN_EXCLUSIVE);
    REQUIRE(f);
    CHECK_EQ(DO(t, io_file_write(f, "data", 4, 0, &c)), 4);
    contract_close(t, f);
    u32 exclusive = IO_OPEN_WRITE | IO_OPEN_CREATE | IO_OPEN_EXCLUSIVE;
    CHECK_EQ(DO(t, io_file_open(t->io, path, exclusive, &f, &c)), -EEXIST);

    u64 size = 0;
    char back[4];
    f = contract_open(t, "f", IO_OPEN_READ);
    REQUIRE(f);
    CHECK_EQ(DO(t, io_file_read(f, back, 4, 0, &c)), 4);
    CHECK_EQ(DO(t, io_file_write(f, "x", 1, 0, &c)), -EBADF);
    contract_close(t, f);
    f = contract_open(t, "f", IO_OPEN_WRITE | IO_OPEN_CREATE);
    REQUIRE(f);
    CHECK_EQ(DO(t, io_file_size(f, &size, &c)), 0);
    CHECK_EQ(size, 4);
    contract_close(t, f);
    f = contract_open(t, "f", IO_OPEN_WRITE | IO_OPEN_TRUNCATE);
    REQUIRE(f);
    CHECK_EQ(DO(t, io_file_size(f, &size, &c)), 0);
    CHECK_EQ(size, 0);
    contract_close(t, f);
    CHECK_EQ(DO(t, io_file_open(t->io, t->dir, IO_OPEN_WRITE, &f, &c)), -EISDIR);
    if (t->kind == IO_BACKEND_MEMORY) return; // its directories come with what is in them
    CHECK_EQ(DO(t, io_file_open(t->io, contract_path(t, "none/f"), exclusive, &f, &c)), -ENOENT);
}

CONTRACT(file_temporary_has_no_name)
{
    struct io_file *f = NULL, *g = NULL;
    CHECK_EQ(DO(t, io_file_open(t->io, t->dir, IO_OPEN_TEMPORARY, &f, &c)), 0);
    CHECK_EQ(DO(t, io_file_open(t->io, t->dir, IO_OPEN_TEMPORARY, &g, &c)), 0);
    REQUIRE(f && g);
    char back[4];
    CHECK_EQ(DO(t, io_file_write(f, "one", 3, 0, &c)), 3);
    CHECK_EQ(DO(t, io_file_read(g, back, 4, 0, &c)), 0);
    CHECK_EQ(DO(t, io_file_read(f, back, 4, 0, &c)), 3);
    struct io_dir_listing list;
    CHECK_EQ(DO(t, io_path_list(t->io, t->dir, &list, &c)), 0);
    io_dir_listing_free(&list);
    contract_close(t, f);
    contract_close(t, g);
}

CONTRACT(file_direct)
{
    struct io_file *f = contract_open(t, "f", IO_OPEN_WRITE | IO_OPEN_CREATE | IO_OPEN_DIRECT);
    u8 *memory = io_buffers_alloc(t->io, 16384);
    REQUIRE(f && memory);
    CHECK_EQ((uintptr_t)memory % 4096, 0);
    contract_fill(memory, 8192, 6);
    CHECK_EQ(DO(t, io_file_write(f, memory, 8192, 0, &c)), 8192);
    CHECK_EQ(DO(t, io_file_truncate(f, 5000, &c)), 0);
    CHECK_EQ(DO(t, io_file_read(f, memory + 8192, 8192, 0, &c)),
             5000); // the end is inside a sector
    CHECK(memcmp(memory, memory + 8192, 5000) == 0);
    contract_close(t, f);
    io_buffers_free(t->io, memory, 16384);
}

CONTRACT(file_buffers_inside_and_outside_an_arena)
{
    struct io_file *f = contract_open(t, "f", IO_OPEN_WRITE | IO_OPEN_CREATE);
    u8 *arena = io_buffers_alloc(t->io, 100000), *second = io_buffers_alloc(t->io, 1),
       *plain = malloc(9000);
    REQUIRE(f && arena && second && plain);
    contract_fill(arena, 50000, 7);
    struct iovec out[] = {{arena, 4096}, {arena + 8192, 4096}};
    CHECK_EQ(DO(t, io_file_write(f, arena, 50000, 0, &c)), 50000);
    CHECK_EQ(DO(t, io_file_read(f, plain, 9000, 1000, &c)), 9000);
    CHECK(memcmp(plain, arena + 1000, 9000) == 0);
    CHECK_EQ(DO(t, io_file_writev_sync(f, out, 2, 50000, &c)), 8192);
    CHECK_EQ(DO(t, io_file_writev_sync(f, out, 1, 60000, &c)), 4096);
    CHECK_EQ(DO(t, io_file_read(f, second, 4096, 50000 + 4096, &c)), 4096);
    CHECK(memcmp(second, arena + 8192, 4096) == 0);
    CHECK_EQ(DO(t, io_file_read(f, second, 4096, 60000, &c)), 4096);
    CHECK(memcmp(second, arena, 4096) == 0);
    io_buffers_free(t->io, arena, 100000);
    CHECK_EQ(DO(t, io_file_read(f, second, 4096, 0, &c)), 4096);
    io_buffers_free(t->io, second, 1);
    CHECK(!io_buffers_alloc(t->io, 0));
    CHECK(!io_buffers_alloc(t->io, SIZE_MAX));
    free(plain);
    contract_close(t, f);
}

CONTRACT(file_many_operations_at_once)
{
    enum { COUNT = 1500 }; // more than the submission queue holds
    struct io_file *f = contract_open(t, "f", IO_OPEN_WRITE | IO_OPEN_CREATE);
    struct completion *c = malloc(COUNT * sizeof *c);
    u32 *values = malloc(COUNT * 4), *back = calloc(COUNT, 4);
    REQUIRE(f && c && values && back);
    for (u32 pass = 0; pass < 2; pass++) {
        struct completion_group g;
        completion_group_init(&g, t->io, true, NULL, NULL);
        for (u32 i = 0; i < COUNT; i++) {
            completion_init(&c[i], NULL, NULL);
            completion_group_join(&g, &c[i]);
            values[i] = i * 7919;
            if (pass == 0)
                io_file_write(f, &values[i], 4, i * 4, &c[i]);
            else
                io_file_read(f, &back[i], 4, i * 4, &c[i]);
        }
        completion_group_seal(&g);
        while (io_busy(t->io)) CHECK(io_step(t->io, UINT64_MAX) >= 0);
        CHECK_EQ(g.completion.result, 0);
        for (u32 i = 0; i < COUNT; i++)
            if (c[i].result != 4) test_fail(__FILE__, __LINE__, "%u: %d", i, (int)c[i].result);
    }
    CHECK(memcmp(values, back, COUNT * 4) == 0);
    free(c);
    free(values);
    free(back);
    contract_close(t, f);
}

CONTRACT(file_operation_cancelled_completes_once)
{
    struct io_file *f = contract_open(t, "f", IO_OPEN_WRITE | IO_OPEN_CREATE);
    REQUIRE(f);
    for (u32 steps = 0; steps < 2; steps++) {
        struct completion c;
        completion_init(&c, NULL, NULL);
        io_file_write(f, "data", 4, 0, &c);
        if (steps > 0) CHECK(io_step(t->io, 0) >= 0);
        io_cancel(t->io, &c);
        s64 result = await(t->io, &c);
        CHECK(result == 4 || result == -ECANCELED);
        CHECK(!io_busy(t->io));
    }
    contract_close(t, f);
}

CONTRACT(file_locks)
{
    struct io_file *a = contract_open(t, "f", IO_OPEN_WRITE | IO_OPEN_CREATE);
    struct io_file *b = contract_open(t, "f", IO_OPEN_WRITE);
    REQUIRE(a && b);
    // Two opens of one loop exclude each other where there are locks; in memory all are granted.
    int refused = t->kind == IO_BACKEND_MEMORY ? 0 : -EAGAIN;
    CHECK_EQ(io_file_lock(a, 100, 10, IO_LOCK_SHARED), 0);
    CHECK_EQ(io_file_lock(b, 100, 10, IO_LOCK_SHARED), 0);
    CHECK_EQ(io_file_lock(a, 100, 10, IO_LOCK_EXCLUSIVE), refused);
    CHECK_EQ(io_file_lock(b, 100, 10, IO_UNLOCK), 0);
    CHECK_EQ(io_file_lock(a, 100, 10, IO_LOCK_EXCLUSIVE), 0);
    CHECK_EQ(io_file_lock(b, 105, 1, IO_LOCK_SHARED), refused);
    CHECK_EQ(io_file_lock(b, 110, 1, IO_LOCK_EXCLUSIVE), 0);
    contract_close(t, a); // and with it its locks
    CHECK_EQ(io_file_lock(b, 100, 10, IO_LOCK_EXCLUSIVE), 0);
    contract_close(t, b);
}

// ---- paths

static void path_put(struct contract *t, const char *name, const char *text)
{
    struct io_file *f = contract_open(t, name, IO_OPEN_WRITE | IO_OPEN_CREATE | IO_OPEN_TRUNCATE);
    if (!f) return;
    CHECK_EQ(DO(t, io_file_write(f, text, strlen(text), 0, &c)), strlen(text));
    contract_close(t, f);
}

static void path_check(struct contract *t, const char *name, const char *want)
{
    struct io_file *f = NULL;
    s64 rc = DO(t, io_file_open(t->io, contract_path(t, name), IO_OPEN_READ, &f, &c));
    CHECK_EQ(rc, want ? 0 : -ENOENT);
    if (!f) return;
    char text[100] = {0};
    CHECK(DO(t, io_file_read(f, text, 99, 0, &c)) >= 0);
    CHECK_STR(text, want);
    contract_close(t, f);
}

CONTRACT(path_unlink_rename_link)
{
    path_put(t, "a", "A");
    path_put(t, "b", "B");
    CHECK_EQ(DO(t, io_path_link(t->io, contract_path(t, "a"), contract_path(t, "b"), &c)), -EEXIST);
    CHECK_EQ(DO(t, io_path_link(t->io, contract_path(t, "a"), contract_path(t, "c"), &c)), 0);
    CHECK_EQ(DO(t, io_path_link(t->io, contract_path(t, "z"), contract_path(t, "y"), &c)), -ENOENT);
    CHECK_EQ(DO(t, io_path_rename(t->io, contract_path(t, "a"), contract_path(t, "b"), &c)), 0);
    path_check(t, "a", NULL);
    path_check(t, "b", "A");
    path_check(t, "c", "A");
    CHECK_EQ(DO(t, io_path_rename(t->io, contract_path(t, "a"), contract_path(t, "d"), &c)),
             -ENOENT);
    // A rename that must find the name free.
    path_put(t, "e", "E");
    CHECK_EQ(DO(t, io_path_rename_new(t->io, contract_path(t, "e"), contract_path(t, "b"), &c)),
             -EEXIST);
    path_check(t, "b", "A");
    CHECK_EQ(DO(t, io_path_rename_new(t->io, contract_path(t, "e"), contract_path(t, "f"), &c)), 0);
    path_check(t, "e", NULL);
    path_check(t, "f", "E");
    // A plain rename with the same completion replaces again.
    path_put(t, "e", "EE");
    CHECK_EQ(DO(t, io_path_rename(t->io, contract_path(t, "e"), contract_path(t, "f"), &c)), 0);
    path_check(t, "f", "EE");
    // An open file outlives its name.
    struct io_file *f = contract_open(t, "c", IO_OPEN_READ);
    CHECK_EQ(DO(t, io_path_unlink(t->io, contract_path(t, "c"), &c)), 0);
    CHECK_EQ(DO(t, io_path_unlink(t->io, contract_path(t, "c"), &c)), -ENOENT);
    REQUIRE(f);
    char text[4] = {0};
    CHECK_EQ(DO(t, io_file_read(f, text, 4, 0, &c)), 1);
    contract_close(t, f);
    path_put(t, "b", "again");
    path_check(t, "b", "again");
    CHECK_EQ(DO(t, io_path_sync_dir(t->io, t->dir, &c)), 0);
    CHECK_EQ(DO(t, io_path_sync_dir(t->io, contract_path(t, "none"), &c)), -ENOENT);
}

CONTRACT(path_stat_tells_files_apart)
{
    struct io_path_info first = {0}, second = {0}, dir = {0};
    path_put(t, "a", "12345");
    path_put(t, "b", "123456");
    CHECK_EQ(DO(t, io_path_stat(t->io, contract_path(t, "a"), &first, &c)), 0);
    CHECK_EQ(first.size, 5);
    CHECK(!first.is_dir);
    s64 age_ms = io_wall_ms(t->io) - first.modified_ns / 1000000;
    CHECK(age_ms > -60000 && age_ms < 3600000);
    CHECK_EQ(DO(t, io_path_rename(t->io, contract_path(t, "b"), contract_path(t, "a"), &c)), 0);
    CHECK_EQ(DO(t, io_path_stat(t->io, contract_path(t, "a"), &second, &c)), 0);
    CHECK_EQ(second.size, 6);
    CHECK(first.identity != second.identity);
    CHECK_EQ(DO(t, io_path_stat(t->io, contract_path(t, "b"), &second, &c)), -ENOENT);
    CHECK_EQ(DO(t, io_path_stat(t->io, t->dir, &dir, &c)), 0);
    CHECK(dir.is_dir);
}

CONTRACT(path_mkdir_with_parents)
{
    CHECK_EQ(DO(t, io_path_mkdir(t->io, contract_path(t, "x/y//z"), &c)), 0);
    CHECK_EQ(DO(t, io_path_mkdir(t->io, contract_path(t, "x/y/z/"), &c)), 0);
    path_put(t, "x/y/z/f", "deep");
    path_check(t, "x/y/z/f", "deep");
    path_check(t, "x//y/./z/f", "deep");
    CHECK_EQ(DO(t, io_path_mkdir(t->io, contract_path(t, "x/y/z/f/g"), &c)), -ENOTDIR);
    CHECK(DO(t, io_path_mkdir(t->io, contract_path(t, "x/y/z/f"), &c)) < 0);
}

CONTRACT(path_list_is_sorted)
{
    static const char *const names[] = {"b", "a.wal", "a", "sub", "Z", "long-name"};
    for (u32 i = 0; i < COUNT_OF(names); i++)
        if (strcmp(names[i], "sub") != 0) path_put(t, names[i], "12345");
    CHECK_EQ(DO(t, io_path_mkdir(t->io, contract_path(t, "sub/inner"), &c)), 0);
    struct io_dir_listing list;
    CHECK_EQ(DO(t, io_path_list(t->io, t->dir, &list, &c)), 6);
    static const char *const want[] = {"Z", "a", "a.wal", "b", "long-name", "sub"};
    REQUIRE(list.count == 6);
    for (u32 i = 0; i < 6; i++) {
        CHECK_STR(list.entries[i].name, want[i]);
        CHECK_EQ(list.entries[i].is_dir, i == 5);
        if (i != 5) {
            CHECK_EQ(list.entries[i].size, 5);
            s64 age_ms = io_wall_ms(t->io) - list.entries[i].modified_ms;
            CHECK(age_ms > -60000 && age_ms < 3600000);
        }
    }
    io_dir_listing_free(&list);
    CHECK_EQ(DO(t, io_path_list(t->io, contract_path(t, "sub/inner"), &list, &c)), 0);
    io_dir_listing_free(&list);
    CHECK_EQ(DO(t, io_path_list(t->io, contract_path(t, "none"), &list, &c)), -ENOENT);
    CHECK_EQ(list.count, 0);
    CHECK_EQ(DO(t, io_path_list(t->io, contract_path(t, "a"), &list, &c)), -ENOTDIR);
}

// ---- the loop

CONTRACT(random_differs)
{
    u8 a[40] = {0}, b[40] = {0};
    io_random(t->io, a, 33);
    io_random(t->io, b, 33);
    CHECK(memcmp(a, b, 33) != 0);
    CHECK_EQ(a[33], 0);
}

CONTRACT(destroy_completes_what_is_pending)
{
    struct order order = {0};
    struct named n[5];
    struct io_file *f = contract_open(t, "f", IO_OPEN_WRITE | IO_OPEN_CREATE);
    struct io_file *left_open = contract_open(t, "f", IO_OPEN_READ);
    REQUIRE(f && left_open);
    for (u32 i = 0; i < 5; i++) named_init(&n[i], &order, (char)('a' + i));
    io_timeout(t->io, 3600ull * 1000000000, &n[0].c);
    io_file_write(f, "data", 4, 0, &n[1].c);
    completion_post(t->io, &n[2].c, 3);
    io_file_close(f, &n[3].c);
    io_path_unlink(t->io, contract_path(t, "none"), &n[4].c);
    io_destroy(t->io);
    t->io = NULL;
    CHECK_EQ(order.count, 5);
    CHECK_EQ(n[0].c.result, -ECANCELED);
    CHECK(n[1].c.result == 4 || n[1].c.result == -ECANCELED);
    CHECK_EQ(n[2].c.result, 3);
    CHECK_EQ(n[3].c.result, 0);
}

static void resubmit(struct completion *c)
{
    struct order *order = c->context;
    order->count++;
    if (c->result >= 0) io_timeout(order->io, 3600ull * 1000000000, c);
}

CONTRACT(destroy_refuses_new_work)
{
    struct order order = {.io = t->io};
    struct completion c;
    completion_init(&c, resubmit, &order);
    completion_post(t->io, &c, 0); // its callback runs inside io_destroy and submits
    io_destroy(t->io);
    t->io = NULL;
    CHECK_EQ(order.count, 2);
    CHECK_EQ(c.result, -ECANCELED);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
