// Goal: what only the ring has: one system call a turn, short transfers taken up again, linked
// syncs that cannot lie, restrictions, and going on without a ring. Method: the kernel itself is
// made to cut transfers short (FIFOs, RLIMIT_FSIZE), to refuse (seccomp in a forked child) and to
// kill whoever makes a system call that a turn should not need. Where a test looks at a ring's
// inside it says so by including io/ring.h.
#include "../../io/ring.h"
#include "contract.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static bool ring_open_with(struct contract *t, struct io_options options)
{
    struct err err = ERR_CLEAR;
    options.backend = IO_BACKEND_RING;
    *t = (struct contract){
        .kind = IO_BACKEND_RING, .dir = test_dir(), .io = io_create(&options, &err)};
    if (!t->io) test_skip("%s", err.text);
    return t->io != NULL;
}

static bool ring_open(struct contract *t)
{
    return ring_open_with(t, (struct io_options){0});
}

// Runs `child` in a process of its own; its exit status, or minus the signal that ended it.
static int in_child(void (*child)(void))
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        child();
        _exit(0);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

// In children, whose CHECKs nobody counts.
#define CHILD_REQUIRE(condition)                                                                   \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "  %s:%d: %s\n", __FILE__, __LINE__, #condition);                      \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

#define ALLOW(number)                                                                              \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1),                                           \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define LOAD_NUMBER BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))

static void seccomp_install(struct sock_filter *filter, size_t count)
{
    struct sock_fprog program = {.len = (unsigned short)count, .filter = filter};
    CHILD_REQUIRE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHILD_REQUIRE(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

// ---- refusal

static void refuse_ring(int error)
{
    struct sock_filter filter[] = {
        LOAD_NUMBER,
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (u32)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    seccomp_install(filter, COUNT_OF(filter));
}

static void refused_child(int error, const char *want)
{
    refuse_ring(error);
    struct err err = ERR_CLEAR;
    struct io_options options = {.backend = IO_BACKEND_RING};
    CHILD_REQUIRE(!io_create(&options, &err));
    CHILD_REQUIRE(err.code == ERR_IOERR && err.sys_errno == error);
    options.fallback = true;
    err_clear(&err);
    struct contract t = {.io = io_create(&options, &err)};
    CHILD_REQUIRE(t.io);
    CHILD_REQUIRE(io_backend(t.io) == IO_BACKEND_POSIX);
    CHILD_REQUIRE(strcmp(io_backend_name(t.io), "posix") == 0);
    CHILD_REQUIRE(io_backend_reason(t.io) && strstr(io_backend_reason(t.io), want));
    CHILD_REQUIRE(DO(&t, io_timeout(t.io, 1000, &c)) == 0);
    io_destroy(t.io);
}

static void refused_eperm(void)
{
    refused_child(EPERM, "seccomp");
}

static void refused_enosys(void)
{
    refused_child(ENOSYS, "kernel");
}

static void refused_enomem(void)
{
    refused_child(ENOMEM, "RLIMIT_MEMLOCK");
}

TEST(ring_refused_goes_on_with_posix)
{
    CHECK_EQ(in_child(refused_eperm), 0);
    CHECK_EQ(in_child(refused_enosys), 0);
    CHECK_EQ(in_child(refused_enomem), 0);
}

TEST(ring_granted_has_no_reason)
{
    struct contract t;
    if (!ring_open_with(&t, (struct io_options){.fallback = true})) return;
    if (io_backend(t.io) == IO_BACKEND_RING) {
        CHECK_STR(io_backend_name(t.io), "io_uring");
        CHECK(!io_backend_reason(t.io));
    } else {
        test_skip("%s", io_backend_reason(t.io));
    }
    io_destroy(t.io);
}

// ---- system calls

static void idle_child(void)
{
    struct err err = ERR_CLEAR;
    struct io_options options = {.backend = IO_BACKEND_RING};
    struct io *io = io_create(&options, &err);
    if (!io) _exit(2);
    int fd = io_listen(io, "127.0.0.1:0", 5, &err);
    struct completion accepting, timer;
    completion_init(&accepting, NULL, NULL);
    completion_init(&timer, NULL, NULL);
    io_accept(io, fd, &accepting);
    CHILD_REQUIRE(io_step(io, 0) == 0);
    struct sock_filter filter[] = {
        LOAD_NUMBER,
        ALLOW(__NR_io_uring_enter),
        ALLOW(__NR_exit_group),
        ALLOW(__NR_write),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    seccomp_install(filter, COUNT_OF(filter));
    struct io_counters before, after;
    io_counters_get(io, &before);
    for (u32 i = 0; i < 10; i++) CHILD_REQUIRE(io_step(io, 1000000) == 0);
    io_counters_get(io, &after);
    CHILD_REQUIRE(after.enters - before.enters == 10);
    for (u32 i = 0; i < 100; i++) CHILD_REQUIRE(io_step(io, 0) == 0); // looking is free
    io_counters_get(io, &before);
    CHILD_REQUIRE(after.enters == before.enters);
    for (u32 i = 0; i < 5; i++) { // a timer is no operation of the kernel's
        io_timeout(io, 1000000, &timer);
        while (timer.state == COMPLETION_PENDING) CHILD_REQUIRE(io_step(io, UINT64_MAX) >= 0);
    }
    io_counters_get(io, &after);
    CHILD_REQUIRE(after.enters - before.enters <= 10);
}

TEST(ring_idle_turn_is_one_system_call)
{
#ifdef __SANITIZE_ADDRESS__
    test_skip("the sanitizer makes system calls of its own");
    return;
#endif
    int status = in_child(idle_child);
    if (status == 2) {
        test_skip("no ring here");
        return;
    }
    CHECK_EQ(status, 0); // -SIGSYS: a turn made another system call
}

TEST(ring_submits_a_turn_at_once)
{
    enum { COUNT = 200 };
    struct contract t;
    if (!ring_open(&t)) return;
    struct io_file *f = contract_open(&t, "f", IO_OPEN_WRITE | IO_OPEN_CREATE);
    REQUIRE(f);
    u8 bytes[COUNT] = {0};
    CHECK_EQ(DO(&t, io_file_write(f, bytes, COUNT, 0, &c)), COUNT);
    struct io_counters before, after;
    struct completion c[COUNT];
    io_counters_get(t.io, &before);
    for (u32 i = 0; i < COUNT; i++) {
        completion_init(&c[i], NULL, NULL);
        io_file_read(f, &bytes[i], 1, i, &c[i]);
    }
    s64 ran = io_step(t.io, 1000000000);
    io_counters_get(t.io, &after);
    CHECK(ran > 0);
    CHECK_EQ(after.enters - before.enters, 1);
    CHECK_EQ(after.submissions - before.submissions, COUNT);
    CHECK_EQ(after.batch_max, COUNT);
    while (io_busy(t.io)) CHECK(io_step(t.io, UINT64_MAX) >= 0);
    contract_close(&t, f);
    io_destroy(t.io);
}

// ---- short transfers

TEST(ring_short_reads_and_writes_are_taken_up_again)
{
    enum { SIZE = 300000 }; // more than a pipe holds
    struct contract t;
    if (!ring_open(&t)) return;
    CHECK_EQ(mkfifo(contract_path(&t, "fifo"), 0600), 0);
    struct io_file *f = contract_open(&t, "fifo", IO_OPEN_WRITE);
    u8 *bytes = malloc(SIZE), *back = calloc(1, SIZE);
    REQUIRE(f && bytes && back);
    contract_fill(bytes, SIZE, 3);
    struct iovec out[] = {{bytes, 100001}, {bytes + 100001, 1}, {bytes + 100002, SIZE - 100002}};
    struct iovec in[] = {{back, 7}, {back + 7, 200000}, {back + 200007, SIZE - 200007}};
    struct completion writing, reading;
    completion_init(&writing, NULL, NULL);
    completion_init(&reading, NULL, NULL);
    io_file_writev(f, out, 3, 0, &writing);
    io_file_readv(f, in, 3, 0, &reading);
    CHECK_EQ(await(t.io, &writing), SIZE);
    CHECK_EQ(await(t.io, &reading), SIZE);
    CHECK(memcmp(bytes, back, SIZE) == 0);
    struct io_counters counters;
    io_counters_get(t.io, &counters);
    CHECK(counters.resubmissions > 0);
    free(bytes);
    free(back);
    contract_close(&t, f);
    io_destroy(t.io);
}

static const char *limited_path;
static void limited_child(void)
{
    struct err err = ERR_CLEAR;
    struct io_options options = {.backend = IO_BACKEND_RING};
    struct contract t = {.io = io_create(&options, &err)};
    CHILD_REQUIRE(t.io);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {.rlim_cur = 8192, .rlim_max = 8192};
    CHILD_REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    struct io_file *f;
    u32 flags = IO_OPEN_WRITE | IO_OPEN_CREATE;
    CHILD_REQUIRE(DO(&t, io_file_open(t.io, limited_path, flags, &f, &c)) == 0);
    static u8 bytes[20000];
    struct iovec iov[] = {{bytes, 5000}, {bytes + 5000, 5000}};
    struct io_counters counters;
    // The first write is cut at 8192 and its sync may have run: that is no success.
    CHILD_REQUIRE(DO(&t, io_file_writev_sync(f, iov, 2, 0, &c)) == -EFBIG);
    io_counters_get(t.io, &counters);
    CHILD_REQUIRE(counters.resubmissions == 1);
    CHILD_REQUIRE(counters.written_bytes == 8192);
    CHILD_REQUIRE(DO(&t, io_file_write(f, bytes, 5000, 4096, &c)) == -EFBIG);
    CHILD_REQUIRE(DO(&t, io_file_writev_sync(f, iov, 1, 0, &c)) == 5000);
    CHILD_REQUIRE(DO(&t, io_file_writev_sync(f, iov, 1, 8192, &c)) == -EFBIG);
    CHILD_REQUIRE(DO(&t, io_file_close(f, &c)) == 0);
    io_destroy(t.io);
}

TEST(ring_short_write_is_no_successful_sync)
{
    struct contract t;
    if (!ring_open(&t)) return;
    limited_path = contract_path(&t, "f");
    CHECK_EQ(in_child(limited_child), 0);
    io_destroy(t.io);
}

TEST(ring_write_sync_in_stretches_syncs_after_the_last)
{
    enum { COUNT = 2500 };
    struct contract t;
    if (!ring_open(&t)) return;
    struct io_file *f = contract_open(&t, "f", IO_OPEN_WRITE | IO_OPEN_CREATE);
    REQUIRE(f);
    struct iovec iov[COUNT];
    for (u32 i = 0; i < COUNT; i++) iov[i] = (struct iovec){"abc", 3};
    struct io_counters before, after;
    io_counters_get(t.io, &before);
    CHECK_EQ(DO(&t, io_file_writev_sync(f, iov, COUNT, 0, &c)), COUNT * 3);
    io_counters_get(t.io, &after);
    CHECK_EQ(after.resubmissions - before.resubmissions, 2); // 1024 + 1024 + 452
    CHECK_EQ(after.syncs - before.syncs, 1);
    CHECK_EQ(DO(&t, io_file_writev_sync(f, iov, 0, 0, &c)), 0); // nothing to write: just the sync
    io_counters_get(t.io, &after);
    CHECK_EQ(after.syncs - before.syncs, 2);
    contract_close(&t, f);
    io_destroy(t.io);
}

// ---- full queues

TEST(ring_with_tiny_queues)
{
    enum { COUNT = 400 };
    struct contract t;
    if (!ring_open_with(&t, (struct io_options){.entries = 2})) return;
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    struct io_file *f = contract_open(&t, "f", IO_OPEN_WRITE | IO_OPEN_CREATE);
    REQUIRE(f);
    static struct completion polls[COUNT], writes[COUNT], hanging[COUNT];
    u8 byte = 'x', sink;
    struct iovec iov = {&byte, 1};
    for (u32 i = 0; i < COUNT; i++) {
        completion_init(&polls[i], NULL, NULL);
        completion_init(&writes[i], NULL, NULL);
        completion_init(&hanging[i], NULL, NULL);
        io_poll(t.io, ends[0], POLLOUT, &polls[i]); // answered at once: the answers overflow
        io_file_writev_sync(f, &iov, 1, i, &writes[i]);
        io_recv(t.io, ends[1], &sink, 1, &hanging[i]);
    }
    for (u32 i = 0; i < 20; i++) CHECK(io_step(t.io, 1000000) >= 0);
    for (u32 i = 0; i < COUNT; i++) io_cancel(t.io, &hanging[i]);
    for (u32 i = 0; i < COUNT; i++) {
        CHECK_EQ(await(t.io, &hanging[i]), -ECANCELED);
        CHECK_EQ(await(t.io, &polls[i]), POLLOUT);
        CHECK_EQ(await(t.io, &writes[i]), 1);
    }
    CHECK(!io_busy(t.io));
    contract_close(&t, f);
    io_destroy(t.io);
    close(ends[0]);
    close(ends[1]);
}

// ---- inside the ring

static s64 raw_submit(struct ring *r)
{
    struct io_uring_cqe *cqe;
    if (io_uring_submit_and_wait(&r->uring, 1) < 0 || io_uring_peek_cqe(&r->uring, &cqe) < 0)
        return -ETIME;
    s64 result = cqe->res;
    io_uring_cqe_seen(&r->uring, cqe);
    return result;
}

TEST(ring_is_restricted)
{
    struct contract t;
    if (!ring_open(&t)) return;
    struct ring *r = t.io->state;
    static const u8 forbidden[] = {IORING_OP_NOP,     IORING_OP_SOCKET,   IORING_OP_CONNECT,
                                   IORING_OP_SPLICE,  IORING_OP_OPENAT2,  IORING_OP_SYMLINKAT,
                                   IORING_OP_MKDIRAT, IORING_OP_MSG_RING, IORING_OP_URING_CMD};
    for (u32 i = 0; i < COUNT_OF(forbidden); i++) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&r->uring);
        io_uring_prep_rw(forbidden[i], sqe, -1, NULL, 0, 0);
        s64 result = raw_submit(r);
        if (result != -EACCES)
            test_fail(__FILE__, __LINE__, "opcode %u gives %d", forbidden[i], (int)result);
    }
    int pair[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    struct io_uring_sqe *sqe = io_uring_get_sqe(&r->uring);
    io_uring_prep_poll_add(sqe, pair[0], POLLOUT);
    sqe->flags |= IOSQE_ASYNC; // a flag that the node does not use
    CHECK_EQ(raw_submit(r), -EACCES);
    sqe = io_uring_get_sqe(&r->uring);
    io_uring_prep_poll_add(sqe, pair[0], POLLOUT); // one that it does
    CHECK_EQ(raw_submit(r), POLLOUT);
    CHECK_EQ(io_uring_register_eventfd(&r->uring, pair[0]), -EACCES);
    close(pair[0]);
    close(pair[1]);
    io_destroy(t.io);
}

TEST(ring_without_newer_operations_calls_synchronously)
{
    struct contract t;
    if (!ring_open(&t)) return;
    struct ring *r = t.io->state;
    static const u8 missing[] = {RING_OP_FTRUNCATE, IORING_OP_FALLOCATE, IORING_OP_OPENAT,
                                 IORING_OP_CLOSE,   IORING_OP_UNLINKAT,  IORING_OP_RENAMEAT,
                                 IORING_OP_LINKAT};
    for (u32 i = 0; i < COUNT_OF(missing); i++) {
        CHECK(r->supported[missing[i]]); // of kernels from 6.9 on
        r->supported[missing[i]] = false;
    }
    struct io_file *f = contract_open(&t, "f", IO_OPEN_WRITE | IO_OPEN_CREATE);
    REQUIRE(f);
    u64 size = 0;
    CHECK_EQ(DO(&t, io_file_write(f, "data", 4, 0, &c)), 4);
    CHECK_EQ(DO(&t, io_file_allocate(f, 0, 100, &c)), 0);
    CHECK_EQ(DO(&t, io_file_truncate(f, 50, &c)), 0);
    CHECK_EQ(DO(&t, io_file_size(f, &size, &c)), 0);
    CHECK_EQ(size, 50);
    contract_close(&t, f);
    CHECK_EQ(DO(&t, io_path_rename(t.io, contract_path(&t, "f"), contract_path(&t, "g"), &c)), 0);
    CHECK_EQ(DO(&t, io_path_link(t.io, contract_path(&t, "g"), contract_path(&t, "h"), &c)), 0);
    CHECK_EQ(DO(&t, io_path_unlink(t.io, contract_path(&t, "g"), &c)), 0);
    CHECK_EQ(DO(&t, io_path_unlink(t.io, contract_path(&t, "g"), &c)), -ENOENT);
    io_destroy(t.io);
}

TEST(ring_registers_files_and_buffers)
{
    struct contract t;
    if (!ring_open(&t)) return;
    struct ring *r = t.io->state;
    CHECK(r->files_registered);
    CHECK(r->buffers_registered);
    void *memory = io_buffers_alloc(t.io, 65536);
    REQUIRE(memory);
    CHECK(r->arenas[0].registered);
    // More files than there are slots, opened and closed twice over.
    struct io_file *files[RING_FILES_MAX + 10];
    for (u32 round = 0; round < 2; round++) {
        for (u32 i = 0; i < COUNT_OF(files); i++) {
            files[i] = contract_open(&t, "f", IO_OPEN_WRITE | IO_OPEN_CREATE);
            REQUIRE(files[i]);
            CHECK_EQ(((struct native_file *)files[i])->slot >= 0, i < RING_FILES_MAX);
        }
        for (u32 i = 0; i < COUNT_OF(files); i++) {
            memset(memory, (int)i, 1);
            CHECK_EQ(DO(&t, io_file_write(files[i], memory, 1, i, &c)), 1);
        }
        for (u32 i = 0; i < COUNT_OF(files); i++) contract_close(&t, files[i]);
    }
    io_buffers_free(t.io, memory, 65536);
    CHECK(!r->arenas[0].memory);
    io_destroy(t.io);
}

// ---- other ways to run

static void files_work(struct contract *t, u32 flags)
{
    struct io_file *f = contract_open(t, "f", IO_OPEN_WRITE | IO_OPEN_CREATE | flags);
    u8 *memory = io_buffers_alloc(t->io, 65536);
    REQUIRE(f && memory);
    contract_fill(memory, 32768, 8);
    struct iovec iov[] = {{memory, 16384}, {memory + 16384, 16384}};
    CHECK_EQ(DO(t, io_file_writev_sync(f, iov, 2, 0, &c)), 32768);
    CHECK_EQ(DO(t, io_file_write(f, memory, 4096, 32768, &c)), 4096);
    struct completion reads[8];
    for (u32 i = 0; i < 8; i++) {
        completion_init(&reads[i], NULL, NULL);
        io_file_read(f, memory + 32768 + i * 4096, 4096, i * 4096, &reads[i]);
    }
    for (u32 i = 0; i < 8; i++) CHECK_EQ(await(t->io, &reads[i]), 4096);
    CHECK(memcmp(memory, memory + 32768, 32768) == 0);
    CHECK_EQ(DO(t, io_timeout(t->io, 1000000, &c)), 0);
    contract_close(t, f);
    io_buffers_free(t->io, memory, 65536);
}

TEST(ring_with_a_polling_thread)
{
    struct contract t;
    if (!ring_open_with(&t, (struct io_options){.sqpoll = true})) return;
    files_work(&t, 0);
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    struct completion receiving;
    u8 bytes[4];
    struct iovec iov[] = {{"a", 1}, {"b", 1}};
    for (u32 i = 0; i < 50; i++) {
        completion_init(&receiving, NULL, NULL);
        io_recv(t.io, ends[0], bytes, 4, &receiving);
        if (i % 2) {
            io_cancel(t.io, &receiving);
            CHECK_EQ(await(t.io, &receiving), -ECANCELED);
        } else {
            CHECK_EQ(DO(&t, io_sendv(t.io, ends[1], iov, 2, &c)), 2);
            CHECK_EQ(await(t.io, &receiving), 2);
        }
    }
    io_destroy(t.io);
    close(ends[0]);
    close(ends[1]);
}

TEST(ring_with_polled_completions)
{
    struct contract t;
    if (!ring_open_with(&t, (struct io_options){.iopoll = true})) return;
    files_work(&t, IO_OPEN_DIRECT); // polled where the device can, else as ever
    files_work(&t, 0);
    io_destroy(t.io);
}

static int locked_fd;
static void locking_child(void)
{
    struct err err = ERR_CLEAR;
    struct io_options options = {.backend = IO_BACKEND_RING};
    struct contract t = {.io = io_create(&options, &err)};
    CHILD_REQUIRE(t.io);
    struct io_file *f;
    CHILD_REQUIRE(DO(&t, io_file_open(t.io, limited_path, IO_OPEN_WRITE, &f, &c)) == 0);
    CHILD_REQUIRE(io_file_lock(f, 0, 10, IO_LOCK_EXCLUSIVE) == 0);
    u8 byte;
    struct completion receiving;
    completion_init(&receiving, NULL, NULL);
    io_recv(t.io, locked_fd, &byte, 1, &receiving);
    CHILD_REQUIRE(io_step(t.io, 0) == 0);
    raise(SIGKILL);
}

TEST(ring_locks_end_with_their_process)
{
    struct contract t;
    if (!ring_open(&t)) return;
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    locked_fd = ends[0];
    struct io_file *f = contract_open(&t, "f", IO_OPEN_WRITE | IO_OPEN_CREATE);
    REQUIRE(f);
    limited_path = contract_path(&t, "f");
    for (u32 i = 0; i < 10; i++) {
        CHECK_EQ(in_child(locking_child), -SIGKILL);
        CHECK_EQ(io_file_lock(f, 0, 10, IO_LOCK_EXCLUSIVE), 0);
        CHECK_EQ(io_file_lock(f, 0, 10, IO_UNLOCK), 0);
    }
    contract_close(&t, f);
    io_destroy(t.io);
    close(ends[0]);
    close(ends[1]);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
