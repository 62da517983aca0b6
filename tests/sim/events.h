// What has to have come in simulated worlds, lest a test that tests nothing passes.
#pragma once

#include "../test.h"

struct event {
    const char *name;
    const u64 *count;
    u32 worlds; // so many have it, surely
};
// Prints all when `shown` or with SIM_SHOW; fails the test for those that never came, if there were worlds enough and it has
// not failed.
void events_check(const struct event *events, u32 count, u32 worlds, bool shown);
