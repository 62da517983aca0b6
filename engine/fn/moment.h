// A moment: what the date and time functions read out of their arguments, SQLite's proleptic Gregorian calendar of Julian day
// numbers in milliseconds.
#pragma once

#include "fn_internal.h"

#define DAY_MS     86400000
#define EPOCH_MS   210866760000000ll // 1970-01-01 as a Julian day

// One moment in up to three forms: the Julian day, the date, the time of day. Each may be missing; what is needed
// is worked out from the others.
struct moment {
    s64 jd_ms;
    s32 year, month, day, hour, minute, zone; // zone: minutes east
    double second;                            // or, when raw, the number that was given
    s32 floor_days;                           // days that "floor" takes back
    bool has_jd, has_date, has_time;
    bool raw, failed, subsecond, utc, local;
};
// The moment that a function's arguments name, its Julian day known; false: the result is NULL (or an error was set).
bool moment_of(struct function_context *ctx, u32 argc, const struct value **argv, struct moment *m);
void moment_need_jd(struct moment *m);
void moment_need_date(struct moment *m);
void moment_need_time(struct moment *m);
void moment_need_date_time(struct moment *m);
void moment_clear_date_time(struct moment *m);
