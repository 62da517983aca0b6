#include "events.h"

bool events_more(const struct event *events, u32 count, u32 worlds, u32 run)
{
    bool missing = false;
    for (u32 i = 0; i < count; i++) missing |= worlds >= events[i].worlds && !*events[i].count;
    return run < worlds || (missing && run < 3 * worlds);
}

void events_check(const struct event *events, u32 count, u32 worlds, bool shown)
{
    bool failed = test_failed();
    for (u32 i = 0; i < count; i++) {
        const struct event *e = &events[i];
        if (shown || getenv("SIM_SHOW")) printf("  %-32s %llu\n", e->name, (unsigned long long)*e->count);
        if (worlds >= e->worlds && !failed && !*e->count) test_fail(__FILE__, __LINE__, "%s: it never came", e->name);
    }
}
