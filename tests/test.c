#include "test.h"

#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <time.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
// ASan looks at the whole haystack at each memmem(), which makes replace() of a large text quadratic, and is slow with
// large blocks that come and go.
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "intercept_memmem=0:quarantine_size_mb=32:max_malloc_fill_size=0";
}
#endif

static struct test *tests_first, **tests_last = &tests_first;
static bool failed_now, skipped_now, seed_used;
static u64 seed;
static char skip_reason[400], dir_path[200], death[200];

void test_register(struct test *t)
{
    *tests_last = t;
    tests_last = &t->next;
}

void test_fail(const char *file, int line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("  %s:%d: ", file, line);
    vprintf(format, args);
    printf("\n");
    va_end(args);
    failed_now = true;
}

bool test_failed(void)
{
    return failed_now;
}

void test_skip(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(skip_reason, sizeof skip_reason, format, args);
    va_end(args);
    skipped_now = true;
}

u64 test_seed(void)
{
    seed_used = true;
    return seed;
}

u32 test_worlds(u32 usual)
{
    const char *wanted = getenv("SIM_WORLDS");
    return wanted ? (u32)strtoul(wanted, NULL, 0) : (usual + TEST_STRIDE - 1) / TEST_STRIDE;
}

u64 test_random(u64 *state)
{
    u64 z = (*state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

const char *test_dir(void)
{
    if (!dir_path[0]) {
        const char *base = getenv("TMPDIR");
        snprintf(dir_path, sizeof dir_path, "%s/skerry-test-XXXXXX", base ? base : "/tmp");
        if (!mkdtemp(dir_path)) abort();
    }
    return dir_path;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

// What a test that dies leaves behind: its name and how to have it again.
static void on_death(int signal)
{
    if (write(STDERR_FILENO, death, strlen(death)) < 0) _exit(128 + signal);
    raise(signal); // the disposition was put back when this was called
}

static void deaths_told(void)
{
#ifdef __SANITIZE_ADDRESS__
    static const int signals[] = {SIGABRT}; // the others are the sanitizer's, which says more
#else
    static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
#endif
    for (u32 i = 0; i < COUNT_OF(signals); i++) sigaction(signals[i], &(struct sigaction){.sa_handler = on_death, .sa_flags = SA_RESETHAND}, NULL);
}

int test_main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    deaths_told();
    const char *fixed = getenv("SEED");
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    seed = fixed ? strtoull(fixed, NULL, 0) : (u64)now.tv_sec * 1000003u ^ (u64)now.tv_nsec;
    u32 passed = 0, failed = 0, skipped = 0;
    for (struct test *t = tests_first; t; t = t->next) {
        bool selected = argc < 2;
        for (int i = 1; i < argc; i++) selected |= strstr(t->name, argv[i]) != NULL;
        if (!selected) continue;
        failed_now = skipped_now = seed_used = false;
        dir_path[0] = 0;
        snprintf(death, sizeof death, "  %s died; rerun with SEED=%llu\n", t->name, (unsigned long long)seed);
        t->run();
        if (failed_now) {
            failed++;
            if (seed_used) printf("  rerun with SEED=%llu\n", (unsigned long long)seed);
            printf("FAIL %s\n", t->name);
        } else if (skipped_now) {
            skipped++;
            printf("skip %s: %s\n", t->name, skip_reason);
        } else {
            passed++;
            printf("ok %s\n", t->name);
        }
        if (dir_path[0] && !failed_now) nftw(dir_path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
        if (failed_now && getenv("STOP_AT_FAILURE")) break;
    }
    printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
    return failed ? 1 : 0;
}
