// The whole of the C test harness. A test program is a table of tests:
//
//   TEST(btree_insert_splits_root) { ... CHECK_EQ(got, want); ... }
//   int main(int argc, char **argv) { return test_main(argc, argv); }
//
// It prints "ok NAME", "FAIL NAME" (after the lines that say why) or "skip NAME: why", and ends with
// "N passed, N failed, N skipped". Arguments select tests by substring; SEED=n fixes test_seed(); STOP_AT_FAILURE=1 leaves
// the tests behind one that has failed out.
#pragma once

#include "../io/base.h"

struct test {
    const char *name;
    void (*run)(void);
    struct test *next;
};
void test_register(struct test *t);
void test_fail(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));
void test_skip(const char *format, ...) __attribute__((format(printf, 1, 2))); // then return from the test
u64 test_seed(void);             // from SEED, else from the clock; printed when a test fails
u64 test_random(u64 *state);     // splitmix64
// With ASan, which takes ten times as long, every how manieth of many alike cases is tried.
#ifdef __SANITIZE_ADDRESS__
enum { TEST_STRIDE = 6 };
#else
enum { TEST_STRIDE = 1 };
#endif
u32 test_worlds(u32 usual);      // how many seeds a simulation takes: SIM_WORLDS, else the usual number, every TEST_STRIDE-th
bool test_failed(void);           // the running test, so far
const char *test_dir(void);      // a fresh directory for this test, removed when it passed
int test_main(int argc, char **argv);

#define TEST(id)                                                                                   \
    static void test_##id(void);                                                                   \
    __attribute__((constructor)) static void test_register_##id(void)                              \
    {                                                                                              \
        static struct test t = {#id, test_##id, NULL};                                             \
        test_register(&t);                                                                         \
    }                                                                                              \
    static void test_##id(void)

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) test_fail(__FILE__, __LINE__, "%s", #condition);                         \
    } while (0)
#define CHECK_EQ(got, want)                                                                        \
    do {                                                                                           \
        long long got_ = (long long)(got), want_ = (long long)(want);                              \
        if (got_ != want_)                                                                         \
            test_fail(__FILE__, __LINE__, "%s is %lld, want %lld", #got, got_, want_);             \
    } while (0)
#define CHECK_STR(got, want)                                                                       \
    do {                                                                                           \
        const char *got_ = (got), *want_ = (want);                                                 \
        if (!got_ || strcmp(got_, want_) != 0)                                                     \
            test_fail(__FILE__, __LINE__, "%s is \"%s\", want \"%s\"", #got, got_ ? got_ : "(null)", want_); \
    } while (0)
#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            test_fail(__FILE__, __LINE__, "%s", #condition);                                       \
            return;                                                                                \
        }                                                                                          \
    } while (0)
