#include "progress.h"

typedef unsigned long long ull;

void progress_line(struct progress *p, const struct progress_state *s, u64 now_ns, time_t wall, char *out, size_t size)
{
    const struct progress_sample now = {now_ns, s->pages_done - s->pages_resumed, s->bytes_done};
    const struct progress_sample *oldest = &p->samples[p->count >= PROGRESS_SAMPLES ? p->count % PROGRESS_SAMPLES : 0];
    double seconds = p->count ? (double)(now_ns - oldest->at_ns) / 1e9 : 0, pages_s = 0, bytes_s = 0;
    if (seconds > 0) {
        pages_s = (double)(now.pages - oldest->pages) / seconds;
        bytes_s = (double)(now.bytes - oldest->bytes) / seconds;
    }
    char end[64] = "";
    if (pages_s > 0) {
        u64 left = (u64)((double)(s->pages_total - s->pages_done) / pages_s + 0.5);
        time_t at = wall + (time_t)left;
        struct tm tm;
        localtime_r(&at, &tm);
        snprintf(end, sizeof end, ", %llu s left, done at %02d:%02d:%02d", (ull)left, tm.tm_hour, tm.tm_min, tm.tm_sec);
    }
    double total = (double)s->pages_total * s->page_size / 1e6, done = (double)s->pages_done * s->page_size / 1e6;
    snprintf(out, size, "%3.0f %%  %.1f of %.1f MB written, %.1f MB/s (%.1f MB/s fetched)%s", s->pages_total ? 100 * done / total : 0, done, total,
             pages_s * s->page_size / 1e6, bytes_s / 1e6, end);
    p->samples[p->count++ % PROGRESS_SAMPLES] = now;
}
