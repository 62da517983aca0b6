// Goal: what a restore says of its rate and of its end is so: how it went over the last lines, not since it began, and
// without what an earlier restore left. Method: a made clock and pages that come at known rates; the lines are read, and
// rates and times reckoned from the rule.
#include "../../node/progress.h"
#include "../test.h"

#define PAGE_SIZE 4096u
#define HALF_NS   500000000ull
#define WALL      ((time_t)1767225600)

struct told {
    double percent, done_mb, total_mb, rate, fetched;
    unsigned long long left;
    char at[9];
    bool has_end;
};

static struct told line(struct progress *p, const struct progress_state *s, u64 now_ns)
{
    char text[200];
    struct told t = {0};
    progress_line(p, s, now_ns, WALL + (time_t)(now_ns / 1000000000), text, sizeof text);
    int count = sscanf(text, "%lf %%  %lf of %lf MB written, %lf MB/s (%lf MB/s fetched), %llu s left, done at %8s", &t.percent, &t.done_mb, &t.total_mb,
                       &t.rate, &t.fetched, &t.left, t.at);
    if (count != 5 && count != 7) test_fail(__FILE__, __LINE__, "a line that is none: %s", text);
    t.has_end = count == 7;
    return t;
}

static bool near(double got, double want)
{
    return got > want - 0.06 && got < want + 0.06; // one decimal is shown
}

static void clock_text(time_t at, char out[9])
{
    struct tm tm;
    localtime_r(&at, &tm);
    strftime(out, 9, "%H:%M:%S", &tm);
}

TEST(a_steady_rate_is_told_with_its_end)
{
    // 1,000 pages a second (4.1 MB/s), fetched as half as many bytes; 100,000 in all.
    struct progress p = {0};
    for (u32 i = 1; i <= 60; i++) {
        u64 now = i * HALF_NS;
        struct progress_state s = {.pages_total = 100000, .pages_done = i * 500, .bytes_done = (u64)i * 500 * PAGE_SIZE / 2, .page_size = PAGE_SIZE};
        struct told t = line(&p, &s, now);
        CHECK(near(t.total_mb, 409.6) && near(t.done_mb, i * 500 * PAGE_SIZE / 1e6));
        CHECK(t.percent > i * 0.5 - 0.51 && t.percent < i * 0.5 + 0.51);
        CHECK_EQ(t.has_end, i > 1); // the first has nothing to compare with
        if (i == 1) continue;
        char at[9];
        u64 left = (100000 - i * 500 + 500) / 1000;
        clock_text(WALL + (time_t)(now / 1000000000 + left), at);
        CHECK(near(t.rate, 4.096) && near(t.fetched, 2.048));
        CHECK_EQ(t.left, left);
        CHECK_STR(t.at, at);
    }
}

TEST(the_rate_is_that_of_the_last_lines)
{
    // Fast for a minute, then ten times slower: after as many lines as are looked back to, nothing of the fast time is in the rate.
    struct progress p = {0};
    struct progress_state s = {.pages_total = 1000000, .page_size = PAGE_SIZE};
    u64 now = 0;
    struct told t = {0};
    for (u32 i = 0; i < 120; i++, now += HALF_NS, s.pages_done += 5000) t = line(&p, &s, now);
    CHECK(near(t.rate, 40.96));
    double before = t.rate;
    for (u32 i = 0; i < PROGRESS_SAMPLES; i++, now += HALF_NS, s.pages_done += 500) {
        t = line(&p, &s, now);
        CHECK(t.rate <= before);
        before = t.rate;
    }
    t = line(&p, &s, now);
    CHECK(near(t.rate, 4.096));
    CHECK_EQ(t.left, (1000000 - s.pages_done + 500) / 1000);
}

TEST(what_was_there_already_is_no_rate)
{
    // 90 of 100 thousand pages are taken over from an earlier restore at once, while 100 a second come.
    struct progress p = {0};
    struct progress_state s = {.pages_total = 100000, .page_size = PAGE_SIZE};
    u64 now = HALF_NS;
    for (u32 i = 0; i < 4; i++, now += HALF_NS, s.pages_done += 50) line(&p, &s, now);
    s.pages_done += 90000, s.pages_resumed = 90000;
    struct told t = line(&p, &s, now);
    CHECK(near(t.rate, 100 * PAGE_SIZE / 1e6));
    CHECK_EQ(t.left, (100000 - 90200) / 100);
    CHECK(t.percent > 89.5 && t.percent < 90.5);
}

TEST(nothing_that_comes_has_no_end)
{
    struct progress p = {0};
    struct progress_state s = {.pages_total = 1000, .pages_done = 10, .page_size = PAGE_SIZE};
    struct told t = {0};
    for (u32 i = 1; i <= 40; i++) {
        t = line(&p, &s, i * HALF_NS);
        CHECK(!t.has_end && near(t.rate, 0));
    }
    struct progress empty = {0};
    s.pages_total = s.pages_done = 0;
    line(&empty, &s, HALF_NS);
    t = line(&empty, &s, 2 * HALF_NS);
    CHECK(near(t.percent, 0) && !t.has_end);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
