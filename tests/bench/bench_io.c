// What the ring gains, as ratios measured in one run: random 4 KiB direct reads at depth 32 through
// io against one-at-a-time pread and against fio's io_uring engine; durable 4 KiB overwrites (write
// and data sync) at depth 1 and 8 against pwrite + fdatasync; system calls per operation from io's
// counters and from strace. Rounds of all contenders alternate, and the median counts, because
// machines are noisy.
//
// usage: bench_io [--dir DIR] [--seconds S] [--rounds N] [--size MIB] [--depth N] [--sqpoll]
// [--iopoll]
#include "../../io/io.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BLOCK_SIZE 4096u
#define DEPTH_MAX  256u
#define ROUNDS_MAX 25u

static struct {
    char path[400];
    double seconds;
    u32 rounds, size_mib, depth;
    bool sqpoll, iopoll;
    u64 reads_only; // for strace: this many reads through io, and nothing else
} settings = {.seconds = 1, .rounds = 5, .size_mib = 512, .depth = 32};

static u64 random_state = 42;

_Noreturn static void fail(const char *what, const char *why)
{
    fprintf(stderr, "bench_io: %s: %s\n", what, why);
    exit(1);
}

static u64 random_block(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % ((u64)settings.size_mib * (1048576 / BLOCK_SIZE));
}

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void *aligned(size_t size)
{
    void *memory = aligned_alloc(BLOCK_SIZE, size);
    if (!memory) fail("memory", "out of it");
    memset(memory, 0x5a, size);
    return memory;
}

// Written blocks everywhere: neither holes nor unwritten extents, which are cheaper to read.
static void file_prepare(void)
{
    int fd = open(settings.path, O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0644);
    if (fd < 0) fail(settings.path, strerror(errno));
    if (lseek(fd, 0, SEEK_END) != (off_t)settings.size_mib << 20) {
        u8 *bytes = aligned(1 << 20);
        for (u32 i = 0; i < settings.size_mib; i++)
            if (pwrite(fd, bytes, 1 << 20, (off_t)i << 20) != 1 << 20)
                fail(settings.path, strerror(errno));
        free(bytes);
        fsync(fd);
    }
    close(fd);
}

// ---- contenders: operations per second

static double synchronous(bool writes)
{
    int fd = open(settings.path, O_RDWR | O_DIRECT | O_CLOEXEC);
    if (fd < 0) fail(settings.path, strerror(errno));
    u8 *bytes = aligned(BLOCK_SIZE);
    u64 count = 0;
    double start = now_seconds(), end = start + settings.seconds, now;
    do {
        off_t offset = (off_t)(random_block() * BLOCK_SIZE);
        bool right = writes
                         ? pwrite(fd, bytes, BLOCK_SIZE, offset) == BLOCK_SIZE && fdatasync(fd) == 0
                         : pread(fd, bytes, BLOCK_SIZE, offset) == BLOCK_SIZE;
        if (!right) fail(settings.path, strerror(errno));
        count++;
        now = now_seconds();
    } while (now < end);
    free(bytes);
    close(fd);
    return (double)count / (now - start);
}

struct load {
    struct io *io;
    struct io_file *file;
    bool writes, stopping;
    u64 started, finished, limit;
};
struct load_slot {
    struct completion c;
    struct load *load;
    struct iovec iov;
};

static void slot_start(struct load_slot *slot)
{
    struct load *load = slot->load;
    u64 offset = random_block() * BLOCK_SIZE;
    load->started++;
    if (load->writes)
        io_file_writev_sync(load->file, &slot->iov, 1, offset, &slot->c);
    else
        io_file_read(load->file, slot->iov.iov_base, BLOCK_SIZE, offset, &slot->c);
}

static void slot_done(struct completion *c)
{
    struct load_slot *slot = c->context;
    if (c->result != BLOCK_SIZE) fail("io", c->result < 0 ? strerror((int)-c->result) : "short");
    slot->load->finished++;
    if (!slot->load->stopping && slot->load->started < slot->load->limit) slot_start(slot);
}

static s64 await(struct io *io, struct completion *c)
{
    while (c->state == COMPLETION_PENDING)
        if (io_step(io, UINT64_MAX) < 0) fail("io_step", strerror(errno));
    return c->result;
}

static double through_io(bool writes, u32 depth, u64 limit, struct io_counters *used)
{
    struct io_options options = {
        .backend = IO_BACKEND_RING, .sqpoll = settings.sqpoll, .iopoll = settings.iopoll};
    struct err err = ERR_CLEAR;
    struct load load = {.io = io_create(&options, &err), .writes = writes, .limit = limit};
    if (!load.io) fail("io_create", err.text);
    static struct load_slot slots[DEPTH_MAX];
    struct completion c;
    completion_init(&c, NULL, NULL);
    io_file_open(load.io, settings.path, IO_OPEN_WRITE | IO_OPEN_DIRECT, &load.file, &c);
    if (await(load.io, &c) < 0) fail(settings.path, strerror((int)-c.result));
    u8 *memory = io_buffers_alloc(load.io, (size_t)depth * BLOCK_SIZE);
    if (!memory) fail("memory", "out of it");
    memset(memory, 0x5a, (size_t)depth * BLOCK_SIZE);

    struct io_counters before;
    io_counters_get(load.io, &before);
    double start = now_seconds(), end = start + settings.seconds, now;
    for (u32 i = 0; i < depth; i++) {
        slots[i] = (struct load_slot){.load = &load, .iov = {memory + i * BLOCK_SIZE, BLOCK_SIZE}};
        completion_init(&slots[i].c, slot_done, &slots[i]);
        slot_start(&slots[i]);
    }
    do {
        if (io_step(load.io, UINT64_MAX) < 0) fail("io_step", strerror(errno));
        now = now_seconds();
        load.stopping = limit == UINT64_MAX && now >= end;
    } while (!load.stopping && io_busy(load.io));
    double rate = (double)load.finished / (now - start);
    while (io_busy(load.io))
        if (io_step(load.io, UINT64_MAX) < 0) fail("io_step", strerror(errno));
    io_counters_get(load.io, used);
    used->enters -= before.enters;
    used->completions -= before.completions;
    io_file_close(load.file, &c);
    (void)await(load.io, &c);
    io_buffers_free(load.io, memory, (size_t)depth * BLOCK_SIZE);
    io_destroy(load.io);
    return rate;
}

// Its reads per second, or 0 when there is no fio.
static double through_fio(const char *more)
{
    char command[1200], line[4000];
    snprintf(command, sizeof command,
             "fio --name=bench --filename='%s' --size=%uM --rw=randread --bs=4k --direct=1 "
             "--ioengine=io_uring --iodepth=%u --time_based --runtime=%g %s --norandommap "
             "--minimal 2>/dev/null",
             settings.path, settings.size_mib, settings.depth, settings.seconds, more);
    FILE *out = popen(command, "r");
    double rate = 0;
    // Terse version 3: the eighth field is the reads' IOPS.
    while (out && fgets(line, sizeof line, out)) {
        char *field = line;
        if (line[0] != '3') continue;
        for (u32 i = 0; i < 7 && field; i++)
            field = strchr(field, ';') ? strchr(field, ';') + 1 : NULL;
        if (field) rate = strtod(field, NULL);
    }
    if (out) pclose(out);
    return rate;
}

// All system calls of a process that makes many reads, less those of one that makes one.
static double strace_per_read(const char *self)
{
    enum { MANY = 50000 };
    double calls[2] = {0};
    for (u32 i = 0; i < 2; i++) {
        char command[1200], line[400];
        snprintf(
            command, sizeof command,
            "strace -c -f -o /dev/stdout '%s' --file '%s' --size %u --depth %u%s%s --reads-only %u "
            "2>/dev/null",
            self, settings.path, settings.size_mib, settings.depth,
            settings.sqpoll ? " --sqpoll" : "", settings.iopoll ? " --iopoll" : "",
            i == 0 ? MANY + 1 : 1);
        FILE *out = popen(command, "r");
        while (out && fgets(line, sizeof line, out)) {
            double share, seconds;
            unsigned long each, count;
            if (strstr(line, "total") &&
                sscanf(line, "%lf %lf %lu %lu", &share, &seconds, &each, &count) == 4)
                calls[i] = (double)count;
        }
        if (!out || pclose(out) != 0) return -1;
    }
    return (calls[0] - calls[1]) / MANY;
}

// ---- the report

static int double_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *values)
{
    qsort(values, settings.rounds, sizeof *values, double_compare);
    return values[settings.rounds / 2];
}

static void settings_read(int argc, char **argv)
{
    char dir[300] = ".";
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";
        i++;
        if (strcmp(name, "--dir") == 0) {
            snprintf(dir, sizeof dir, "%s", value);
        } else if (strcmp(name, "--file") == 0) {
            snprintf(settings.path, sizeof settings.path, "%s", value);
        } else if (strcmp(name, "--seconds") == 0) {
            settings.seconds = atof(value);
        } else if (strcmp(name, "--rounds") == 0) {
            settings.rounds = MIN((u32)atoi(value), ROUNDS_MAX);
        } else if (strcmp(name, "--size") == 0) {
            settings.size_mib = (u32)atoi(value);
        } else if (strcmp(name, "--depth") == 0) {
            settings.depth = MIN((u32)atoi(value), DEPTH_MAX);
        } else if (strcmp(name, "--reads-only") == 0) {
            settings.reads_only = strtoull(value, NULL, 10);
        } else if (strcmp(name, "--sqpoll") == 0) {
            settings.sqpoll = true;
            i--;
        } else if (strcmp(name, "--iopoll") == 0) {
            settings.iopoll = true;
            i--;
        } else {
            fail(name, "unknown; see the head of tests/bench/bench_io.c");
        }
    }
    if (!settings.path[0]) snprintf(settings.path, sizeof settings.path, "%s/bench_io.data", dir);
    if (settings.seconds <= 0 || !settings.rounds || !settings.size_mib || !settings.depth)
        fail("settings", "all numbers must be above zero");
}

static void row(const char *name, double rate, double base)
{
    printf("  %-44s %9.0f /s   %5.2f x\n", name, rate, rate / base);
}

int main(int argc, char **argv)
{
    settings_read(argc, argv);
    struct io_counters used;
    if (settings.reads_only) {
        through_io(false, settings.depth, settings.reads_only, &used);
        return 0;
    }
    file_prepare();
    enum { PREAD, IO, FIO, FIO_TUNED, PWRITE, WRITE_1, WRITE_8, CONTENDERS };
    static double rates[CONTENDERS][ROUNDS_MAX];
    double enters = 0, enters_write = 0;
    // The first round only warms the device up: the second takes its place.
    for (u32 round = 0; round <= settings.rounds; round++) {
        u32 i = round ? round - 1 : 0;
        rates[PREAD][i] = synchronous(false);
        rates[IO][i] = through_io(false, settings.depth, UINT64_MAX, &used);
        enters = (double)used.enters / (double)used.completions;
        rates[FIO][i] = through_fio("");
        rates[FIO_TUNED][i] = through_fio("--fixedbufs --registerfiles");
        rates[PWRITE][i] = synchronous(true);
        rates[WRITE_1][i] = through_io(true, 1, UINT64_MAX, &used);
        enters_write = (double)used.enters / (double)used.completions;
        rates[WRITE_8][i] = through_io(true, 8, UINT64_MAX, &used);
    }
    for (u32 i = 0; i < CONTENDERS; i++) rates[i][0] = median(rates[i]);

    printf("random 4 KiB direct reads, depth %u, median of %u rounds\n", settings.depth,
           settings.rounds);
    row("pread, one at a time", rates[PREAD][0], rates[PREAD][0]);
    row("io (ring)", rates[IO][0], rates[PREAD][0]);
    if (rates[FIO][0] > 0) {
        row("fio io_uring", rates[FIO][0], rates[PREAD][0]);
        row("fio io_uring, fixed buffers and files", rates[FIO_TUNED][0], rates[PREAD][0]);
        printf("  io (ring) / fio io_uring: %.2f, / tuned: %.2f\n", rates[IO][0] / rates[FIO][0],
               rates[IO][0] / rates[FIO_TUNED][0]);
    } else {
        printf("  fio is not installed: not compared\n");
    }
    printf("  system calls per read: %.3f by io's counters", enters);
    char self[400] = {0};
    double traced =
        readlink("/proc/self/exe", self, sizeof self - 1) > 0 ? strace_per_read(self) : -1;
    if (traced >= 0)
        printf(", %.3f by strace (which slows the loop down, so that batches grow)\n", traced);
    else
        printf("; strace is not installed or not allowed\n");
    printf("durable 4 KiB overwrites (write and data sync)\n");
    row("pwrite + fdatasync", rates[PWRITE][0], rates[PWRITE][0]);
    row("io (ring) writev_sync, depth 1", rates[WRITE_1][0], rates[PWRITE][0]);
    row("io (ring) writev_sync, depth 8", rates[WRITE_8][0], rates[PWRITE][0]);
    printf("  system calls per durable write at depth 1: %.3f (2 for pwrite + fdatasync)\n",
           enters_write);
    return 0;
}
