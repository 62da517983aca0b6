// The date and time functions.
#include "moment.h"

#include <math.h>

#define ARGUMENTS struct function_context *ctx, u32 argc, const struct value **argv

static void julianday_fn(ARGUMENTS)
{
    struct moment m;
    if (moment_of(ctx, argc, argv, &m)) result_real(ctx, (double)m.jd_ms / 86400000.0);
}

static void unixepoch_fn(ARGUMENTS)
{
    struct moment m;
    if (!moment_of(ctx, argc, argv, &m)) return;
    if (m.subsecond) {
        result_real(ctx, (double)(m.jd_ms - EPOCH_MS) / 1000.0);
    } else {
        result_integer(ctx, m.jd_ms / 1000 - EPOCH_MS / 1000);
    }
}

static u8 *digits_put(u8 *out, u32 v, u32 count)
{
    for (u32 i = count; i-- > 0; v /= 10) out[i] = (u8)('0' + v % 10);
    return out + count;
}

static u8 *digits_put_before(u8 *out, u32 v, u32 count, u8 mark)
{
    out = digits_put(out, v, count);
    *out++ = mark;
    return out;
}

static u8 *date_put(u8 *out, const struct moment *m)
{
    if (m->year < 0) *out++ = '-';
    out = digits_put_before(out, (u32)abs(m->year), 4, '-');
    out = digits_put_before(out, (u32)m->month, 2, '-');
    return digits_put(out, (u32)m->day, 2);
}

static u8 *time_put(u8 *out, const struct moment *m)
{
    out = digits_put_before(out, (u32)m->hour, 2, ':');
    out = digits_put_before(out, (u32)m->minute, 2, ':');
    if (!m->subsecond) return digits_put(out, (u32)m->second, 2);
    u32 ms = (u32)(1000.0 * m->second + 0.5);
    out = digits_put_before(out, ms / 1000, 2, '.');
    return digits_put(out, ms % 1000, 3);
}

enum { SHOW_DATE = 1, SHOW_TIME = 2 };

static void datetime_fn(ARGUMENTS)
{
    struct moment m;
    u8 text[32], *end = text;
    if (!moment_of(ctx, argc, argv, &m)) return;
    if (ctx->def->user & SHOW_DATE) {
        moment_need_date(&m);
        end = date_put(end, &m);
    }
    if (ctx->def->user == (SHOW_DATE | SHOW_TIME)) *end++ = ' ';
    if (ctx->def->user & SHOW_TIME) {
        moment_need_time(&m);
        end = time_put(end, &m);
    }
    result_text(ctx, text, (size_t)(end - text));
}

static s32 days_after_january_first(const struct moment *m)
{
    struct moment first = *m;
    first.has_jd = false;
    first.month = first.day = 1;
    moment_need_jd(&first);
    return (s32)((m->jd_ms - first.jd_ms + DAY_MS / 2) / DAY_MS);
}

static s32 days_after_monday(const struct moment *m)
{
    return (s32)((m->jd_ms + DAY_MS / 2) / DAY_MS % 7);
}

static s32 days_after_sunday(const struct moment *m)
{
    return (s32)((m->jd_ms + 129600000) / DAY_MS % 7);
}

// The Thursday of the same week: its year is the week's year.
static struct moment week_thursday(const struct moment *m)
{
    struct moment t = *m;
    t.jd_ms += (s64)(3 - days_after_monday(m)) * DAY_MS;
    t.has_date = false;
    moment_need_date(&t);
    return t;
}

// printf's %0WIDTHlld, or with another padding %WIDTHlld.
static void number_put(struct text_buffer *b, s64 v, u32 width, u8 padding)
{
    u8 out[32];
    u64 left = v < 0 ? 0 - (u64)v : (u64)v;
    u32 at = sizeof out;
    do out[--at] = (u8)('0' + left % 10);
    while (left /= 10);
    bool zeros = padding == '0';
    if (v < 0 && !zeros) out[--at] = '-';
    while (sizeof out - at + (v < 0 && zeros) < width) out[--at] = padding;
    if (v < 0 && zeros) out[--at] = '-';
    text_append(b, out + at, sizeof out - at);
}

// "%06.3f"
static void second_put(struct text_buffer *b, double second)
{
    double ms = second * 1000.0;
    u32 whole = (u32)(ms + 0.5);
    u8 digits[8];
    if (fabs(ms - whole) < 1e-4) { // far from where rounding would have to be exact
        text_append(b, digits, (size_t)(digits_put(digits_put_before(digits, whole / 1000, 2, '.'), whole % 1000, 3) - digits));
        return;
    }
    char text[32];
    text_append(b, text, (size_t)snprintf(text, sizeof text, "%06.3f", second));
}

static void clock_put(struct text_buffer *b, const struct moment *m, bool seconds)
{
    number_put(b, m->hour, 2, '0');
    text_append_char(b, ':');
    number_put(b, m->minute, 2, '0');
    if (!seconds) return;
    text_append_char(b, ':');
    number_put(b, (s32)m->second, 2, '0');
}

static bool strftime_put(struct text_buffer *b, const struct moment *m, u8 letter)
{
    s32 hour12 = m->hour % 12 ? m->hour % 12 : 12;
    switch (letter) {
    case 'd': number_put(b, m->day, 2, '0'); break;
    case 'e': number_put(b, m->day, 2, ' '); break;
    case 'f': second_put(b, MIN(m->second, 59.999)); break;
    case 'F':
        number_put(b, m->year, 4, '0');
        text_append_char(b, '-');
        number_put(b, m->month, 2, '0');
        text_append_char(b, '-');
        number_put(b, m->day, 2, '0');
        break;
    case 'G': number_put(b, week_thursday(m).year, 4, '0'); break;
    case 'g': number_put(b, week_thursday(m).year % 100, 2, '0'); break;
    case 'H': number_put(b, m->hour, 2, '0'); break;
    case 'k': number_put(b, m->hour, 2, ' '); break;
    case 'I': number_put(b, hour12, 2, '0'); break;
    case 'l': number_put(b, hour12, 2, ' '); break;
    case 'j': number_put(b, days_after_january_first(m) + 1, 3, '0'); break;
    case 'J': {
        struct value v;
        const struct value *argv[] = {&v};
        value_init(&v);
        value_set_real(&v, (double)m->jd_ms / 86400000.0);
        text_append_format(b, (const u8 *)"%.16g", 5, 1, argv, 0);
        break;
    }
    case 'm': number_put(b, m->month, 2, '0'); break;
    case 'M': number_put(b, m->minute, 2, '0'); break;
    case 'p': text_append(b, m->hour >= 12 ? "PM" : "AM", 2); break;
    case 'P': text_append(b, m->hour >= 12 ? "pm" : "am", 2); break;
    case 'R': clock_put(b, m, false); break;
    case 's': {
        char text[40];
        if (m->subsecond)
            text_append(b, text, (size_t)snprintf(text, sizeof text, "%.3f", (double)(m->jd_ms - EPOCH_MS) / 1000.0));
        else
            number_put(b, m->jd_ms / 1000 - EPOCH_MS / 1000, 1, '0');
        break;
    }
    case 'S': number_put(b, (s32)m->second, 2, '0'); break;
    case 'T': clock_put(b, m, true); break;
    case 'u':
    case 'w': {
        s32 day = days_after_sunday(m);
        number_put(b, day == 0 && letter == 'u' ? 7 : day, 1, '0');
        break;
    }
    case 'U': number_put(b, (days_after_january_first(m) - days_after_sunday(m) + 7) / 7, 2, '0'); break;
    case 'V': {
        struct moment thursday = week_thursday(m);
        number_put(b, days_after_january_first(&thursday) / 7 + 1, 2, '0');
        break;
    }
    case 'W': number_put(b, (days_after_january_first(m) - days_after_monday(m) + 7) / 7, 2, '0'); break;
    case 'Y': number_put(b, m->year, 4, '0'); break;
    case '%': text_append_char(b, '%'); break;
    default: return false;
    }
    return true;
}

static void strftime_fn(ARGUMENTS)
{
    struct value scratch = {.type = VALUE_NULL};
    struct moment m;
    u32 size;
    const u8 *z = argc ? function_text(ctx, argv[0], &scratch, &size) : NULL;
    if (!z || !moment_of(ctx, argc - 1, argv + 1, &m)) goto done;
    moment_need_date_time(&m);
    struct text_buffer b = text_buffer_of_result(ctx);
    const u8 *end = z + text_length(z, size);
    bool valid = true;
    while (z < end && valid) {
        const u8 *percent = memchr(z, '%', (size_t)(end - z));
        if (!percent) percent = end;
        text_append(&b, z, (size_t)(percent - z));
        if (percent == end) break;
        valid = percent + 1 < end && strftime_put(&b, &m, percent[1]);
        z = percent + 2;
    }
    if (valid) {
        result_text_buffer(ctx, &b);
    } else {
        text_buffer_deinit(&b);
    }
done:
    value_deinit(&scratch);
}

// Years and months first, counted on the calendar, then what is left in days and time.
static void timediff_fn(ARGUMENTS)
{
    struct moment a, b;
    if (!moment_of(ctx, 1, argv, &a) || !moment_of(ctx, 1, argv + 1, &b)) return;
    moment_need_date_time(&a);
    moment_need_date_time(&b);
    bool ahead = a.jd_ms >= b.jd_ms;
    s32 years = ahead ? a.year - b.year : b.year - a.year;
    if (years) {
        b.year = a.year;
        b.has_jd = false;
        moment_need_jd(&b);
    }
    s32 months = ahead ? a.month - b.month : b.month - a.month;
    if (months < 0) {
        years--;
        months += 12;
    }
    if (months) {
        b.month = a.month;
        b.has_jd = false;
        moment_need_jd(&b);
    }
    while (ahead ? a.jd_ms < b.jd_ms : a.jd_ms > b.jd_ms) {
        if (--months < 0) {
            months = 11;
            years--;
        }
        b.month += ahead ? -1 : 1;
        if (b.month < 1) {
            b.month = 12;
            b.year--;
        } else if (b.month > 12) {
            b.month = 1;
            b.year++;
        }
        b.has_jd = false;
        moment_need_jd(&b);
    }
    // The rest is told as a time after the first day of a month.
    a.jd_ms = (ahead ? a.jd_ms - b.jd_ms : b.jd_ms - a.jd_ms) + 1486995408 * (s64)100000;
    a.has_jd = true;
    moment_clear_date_time(&a);
    moment_need_date_time(&a);
    struct text_buffer t = text_buffer_of_result(ctx);
    text_append_char(&t, ahead ? '+' : '-');
    number_put(&t, years, 4, '0');
    text_append_char(&t, '-');
    number_put(&t, months, 2, '0');
    text_append_char(&t, '-');
    number_put(&t, a.day - 1, 2, '0');
    text_append_char(&t, ' ');
    clock_put(&t, &a, false);
    text_append_char(&t, ':');
    second_put(&t, a.second);
    result_text_buffer(ctx, &t);
}

#define DATE (FN_DETERMINISTIC | FN_SLOW_CHANGE)
const struct fn_def FN_DATE[] = {
    {"julianday", -1, DATE, 0, julianday_fn},
    {"unixepoch", -1, DATE, 0, unixepoch_fn},
    {"date", -1, DATE, SHOW_DATE, datetime_fn},
    {"time", -1, DATE, SHOW_TIME, datetime_fn},
    {"datetime", -1, DATE, SHOW_DATE | SHOW_TIME, datetime_fn},
    {"strftime", -1, DATE, 0, strftime_fn},
    {"timediff", 2, DATE, 0, timediff_fn},
    {"current_time", 0, FN_SLOW_CHANGE, SHOW_TIME, datetime_fn},
    {"current_timestamp", 0, FN_SLOW_CHANGE, SHOW_DATE | SHOW_TIME, datetime_fn},
    {"current_date", 0, FN_SLOW_CHANGE, SHOW_DATE, datetime_fn},
    {0},
};
