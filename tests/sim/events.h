// What has to have come in simulated worlds, lest a test that tests nothing passes.
#pragma once

#include "../test.h"

struct event {
    const char *name;
    const u64 *count;
    u32 worlds; // so many have it, surely
};
// Whether one more world is to be run after so many: of `worlds`, and of up to three times as many while one that surely comes has
// not come by chance.
bool events_more(const struct event *events, u32 count, u32 worlds, u32 run);
// Prints all when `shown` or with SIM_SHOW; fails the test for those that never came, if there were worlds enough and it has
// not failed.
void events_check(const struct event *events, u32 count, u32 worlds, bool shown);
