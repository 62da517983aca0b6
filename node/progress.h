// The line that tells how far a restore is, at which rate it goes, and when it will end at that rate: that of the last
// PROGRESS_SAMPLES lines, so that it is how things go now. What an earlier restore left was not written at any rate.
#pragma once

#include "../io/base.h"

#include <time.h>

#define PROGRESS_SAMPLES 16u

struct progress {
    struct progress_sample {
        u64 at_ns, pages, bytes; // pages: that were written, without those that were there; bytes: fetched
    } samples[PROGRESS_SAMPLES];
    u32 count; // of all that were taken
};
struct progress_state {
    u64 pages_total, pages_done, pages_resumed; // done: resumed ones among them
    u64 bytes_done;
    u32 page_size;
};
// Of local time `wall` and of now_ns, which is monotonic; a sample is taken with each line. The first has no rate.
void progress_line(struct progress *p, const struct progress_state *s, u64 now_ns, time_t wall, char *out, size_t size);
