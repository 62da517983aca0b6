// Dates and times: SQLite's proleptic Gregorian calendar of Julian day numbers in milliseconds.
#include "fn_internal.h"

#include <math.h>
#include <time.h>

#define ARGUMENTS struct function_context *ctx, u32 argc, const struct value **argv

#define DAY_MS     86400000
#define EPOCH_MS   210866760000000ll // 1970-01-01 as a Julian day
#define JD_MS_MAX  464269060799999ll // 9999-12-31 23:59:59.999

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

static void moment_fail(struct moment *m)
{
    *m = (struct moment){.failed = true};
}

static void clear_date_time(struct moment *m)
{
    m->has_date = m->has_time = false;
    m->zone = 0;
}

static void need_jd(struct moment *m)
{
    if (m->has_jd) return;
    s32 y = 2000, mon = 1, d = 1;
    if (m->has_date) {
        y = m->year;
        mon = m->month;
        d = m->day;
    }
    if (y < -4713 || y > 9999 || m->raw) {
        moment_fail(m);
        return;
    }
    if (mon <= 2) {
        y--;
        mon += 12;
    }
    s32 a = (y + 4800) / 100, b = 38 - a + a / 4;
    s32 x1 = 36525 * (y + 4716) / 100, x2 = 306001 * (mon + 1) / 10000;
    m->jd_ms = (s64)((x1 + x2 + d + b - 1524.5) * DAY_MS);
    m->has_jd = true;
    if (!m->has_time) return;
    m->jd_ms += m->hour * 3600000 + m->minute * 60000 + (s64)(m->second * 1000 + 0.5);
    if (m->zone) {
        m->jd_ms -= m->zone * 60000;
        clear_date_time(m);
        m->utc = true;
        m->local = false;
    }
}

static bool jd_valid(s64 jd_ms)
{
    return jd_ms >= 0 && jd_ms <= JD_MS_MAX;
}

static void need_date(struct moment *m)
{
    if (m->has_date) return;
    if (!m->has_jd) {
        m->year = 2000;
        m->month = m->day = 1;
    } else if (!jd_valid(m->jd_ms)) {
        moment_fail(m);
        return;
    } else {
        s32 z = (s32)((m->jd_ms + DAY_MS / 2) / DAY_MS);
        s32 alpha = (s32)((z + 32044.75) / 36524.25) - 52;
        s32 a = z + 1 + alpha - (alpha + 100) / 4 + 25;
        s32 b = a + 1524;
        s32 c = (s32)((b - 122.1) / 365.25);
        s32 d = 36525 * (c & 32767) / 100;
        s32 e = (s32)((b - d) / 30.6001);
        m->day = b - d - (s32)(30.6001 * e);
        m->month = e < 14 ? e - 1 : e - 13;
        m->year = m->month > 2 ? c - 4716 : c - 4715;
    }
    m->has_date = true;
}

static void need_time(struct moment *m)
{
    if (m->has_time) return;
    need_jd(m);
    s32 day_ms = (s32)((m->jd_ms + DAY_MS / 2) % DAY_MS);
    m->second = (day_ms % 60000) / 1000.0;
    m->minute = day_ms / 60000 % 60;
    m->hour = day_ms / 3600000;
    m->raw = false;
    m->has_time = true;
}

static void need_date_time(struct moment *m)
{
    need_date(m);
    need_time(m);
}

// How far the day lies behind the end of its month.
static void note_floor(struct moment *m)
{
    static const u8 DAYS[] = {31, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    s32 days = DAYS[m->month];
    if (m->month == 2 && m->year % 4 == 0 && (m->year % 100 != 0 || m->year % 400 == 0)) days = 29;
    m->floor_days = MAX(m->day - days, 0);
}

// ---- reading -------------------------------------------------------------------------------------------

// A fixed number of digits within limits, at *z (NUL-terminated).
static bool digits_read(const u8 **z, u32 count, s32 low, s32 high, s32 *out)
{
    s32 v = 0;
    for (u32 i = 0; i < count; i++) {
        if (!is_digit((*z)[i])) return false;
        v = v * 10 + ((*z)[i] - '0');
    }
    if (v < low || v > high) return false;
    *z += count;
    *out = v;
    return true;
}

static bool byte_read(const u8 **z, u8 c)
{
    if (**z != c) return false;
    (*z)++;
    return true;
}

// [spaces] [Z | (+|-)HH:MM] [spaces], up to the end.
static bool zone_read(const u8 *z, struct moment *m)
{
    while (is_space(*z)) z++;
    m->zone = 0;
    u8 c = *z;
    if (c == 0) return true;
    s32 hours, minutes;
    z++;
    if (c == 'Z' || c == 'z') {
        m->local = false;
        m->utc = true;
    } else if (c == '+' || c == '-') {
        if (!digits_read(&z, 2, 0, 14, &hours) || !byte_read(&z, ':') || !digits_read(&z, 2, 0, 59, &minutes)) {
            return false;
        }
        m->zone = (c == '-' ? -1 : 1) * (hours * 60 + minutes);
        if (m->zone == 0) {
            m->local = false;
            m->utc = true;
        }
    } else {
        return false;
    }
    while (is_space(*z)) z++;
    return *z == 0;
}

// HH:MM[:SS[.FFF]][zone]
static bool time_read(const u8 *z, struct moment *m)
{
    s32 hour, minute, second = 0;
    double fraction = 0;
    if (!digits_read(&z, 2, 0, 24, &hour) || !byte_read(&z, ':') || !digits_read(&z, 2, 0, 59, &minute)) {
        return false;
    }
    if (byte_read(&z, ':')) {
        if (!digits_read(&z, 2, 0, 59, &second)) return false;
        if (*z == '.' && is_digit(z[1])) {
            double scale = 1;
            for (z++; is_digit(*z); z++) {
                fraction = fraction * 10 + (*z - '0');
                scale *= 10;
            }
            fraction = MIN(fraction / scale, 0.999); // never rounds up into the next second
        }
    }
    m->has_jd = m->raw = false;
    m->has_time = true;
    m->hour = hour;
    m->minute = minute;
    m->second = second + fraction;
    return zone_read(z, m);
}

// [-]YYYY-MM-DD[(T| )time]
static bool date_read(const u8 *z, struct moment *m)
{
    bool negative = byte_read(&z, '-');
    s32 year, month, day;
    if (!digits_read(&z, 4, 0, 9999, &year) || !byte_read(&z, '-') || !digits_read(&z, 2, 1, 12, &month) ||
        !byte_read(&z, '-') || !digits_read(&z, 2, 1, 31, &day)) {
        return false;
    }
    while (is_space(*z) || *z == 'T') z++;
    if (!time_read(z, m)) {
        if (*z) return false;
        m->has_time = false;
    }
    m->has_jd = false;
    m->has_date = true;
    m->year = negative ? -year : year;
    m->month = month;
    m->day = day;
    note_floor(m);
    if (m->zone) need_jd(m);
    return true;
}

#define WORD_MAX 63 // bytes of what times and modifiers mostly are

static bool word_is(const u8 *z, const char *word)
{
    return (z[0] | 0x20) == word[0] && strcasecmp((const char *)z, word) == 0;
}

static bool number_is(const u8 *z, u32 size, double *r)
{
    struct number_text n = number_parse(z, size);
    *r = n.real;
    return n.kind != NUMBER_NONE && n.whole;
}

static bool moment_set_now(struct function_context *ctx, struct moment *m)
{
    m->jd_ms = ctx->now_ms + EPOCH_MS;
    m->has_jd = m->utc = true;
    m->local = false;
    clear_date_time(m);
    return m->jd_ms > 0;
}

static void moment_set_number(struct moment *m, double r)
{
    m->second = r;
    m->raw = true;
    if (r >= 0 && r < 5373484.5) {
        m->jd_ms = (s64)(r * DAY_MS + 0.5);
        m->has_jd = true;
    }
}

// What depends on the clock or the time zone must not be stored in an index or checked by a constraint.
static bool impure_allowed(struct function_context *ctx)
{
    if (!ctx->pure_where) return true;
    result_error(ctx, "non-deterministic use of %s() in %s", ctx->def->name, ctx->pure_where);
    return false;
}

static bool moment_read(struct function_context *ctx, const u8 *z, struct moment *m)
{
    double r;
    if (date_read(z, m) || time_read(z, m)) return true;
    if (word_is(z, "now")) return impure_allowed(ctx) && moment_set_now(ctx, m);
    if (number_is(z, (u32)strlen((const char *)z), &r)) {
        moment_set_number(m, r);
        return true;
    }
    if (word_is(z, "subsec") || word_is(z, "subsecond")) {
        m->subsecond = true;
        return impure_allowed(ctx) && moment_set_now(ctx, m);
    }
    return false;
}

// ---- modifiers -----------------------------------------------------------------------------------------

// UTC to local time. The C library's rules hold for 1970 to 2037; other years take those of a year like them.
static bool to_local(struct function_context *ctx, struct moment *m)
{
    s32 shift = 0;
    s64 t;
    need_jd(m);
    if (m->jd_ms < 2108667600 * (s64)100000 || m->jd_ms > 2130141456 * (s64)100000) {
        struct moment x = *m;
        need_date_time(&x);
        shift = 2000 + x.year % 4 - x.year;
        x.year += shift;
        x.has_jd = false;
        need_jd(&x);
        t = x.jd_ms / 1000 - EPOCH_MS / 1000;
    } else {
        t = m->jd_ms / 1000 - EPOCH_MS / 1000;
    }
    struct tm tm;
    time_t seconds = t;
    if (!localtime_r(&seconds, &tm)) {
        result_error(ctx, "local time unavailable");
        return false;
    }
    m->year = tm.tm_year + 1900 - shift;
    m->month = tm.tm_mon + 1;
    m->day = tm.tm_mday;
    m->hour = tm.tm_hour;
    m->minute = tm.tm_min;
    m->second = tm.tm_sec + (double)(m->jd_ms % 1000) * 0.001;
    m->has_date = m->has_time = true;
    m->has_jd = m->raw = m->failed = false;
    m->zone = 0;
    return true;
}

static bool to_utc(struct function_context *ctx, struct moment *m)
{
    if (m->utc) return true;
    need_jd(m);
    s64 wanted = m->jd_ms, guess = wanted, off = 0;
    for (int i = 0; i < 4; i++) {
        guess -= off;
        struct moment x = {.jd_ms = guess, .has_jd = true};
        if (!to_local(ctx, &x)) return false;
        need_jd(&x);
        off = x.jd_ms - wanted;
        if (off == 0) break;
    }
    *m = (struct moment){.jd_ms = guess, .has_jd = true, .utc = true};
    return true;
}

// Months beyond 1..12 move the year.
static void month_normalize(struct moment *m)
{
    s32 years = m->month > 0 ? (m->month - 1) / 12 : (m->month - 12) / 12;
    m->year += years;
    m->month -= years * 12;
}

static bool modify_start_of(struct moment *m, const u8 *unit)
{
    if (!m->has_jd && !m->has_date && !m->has_time) return false;
    need_date(m);
    m->has_time = true;
    m->hour = m->minute = 0;
    m->second = 0;
    m->raw = m->has_jd = false;
    m->zone = 0;
    if (word_is(unit, "month")) {
        m->day = 1;
    } else if (word_is(unit, "year")) {
        m->day = m->month = 1;
    } else if (!word_is(unit, "day")) {
        return false;
    }
    return true;
}

static bool modify_weekday(struct moment *m, const u8 *number)
{
    double r;
    if (!number_is(number, (u32)strlen((const char *)number), &r) || !(r >= 0 && r < 7) || r != (s32)r) return false;
    need_date_time(m);
    m->zone = 0;
    m->has_jd = false;
    need_jd(m);
    s64 today = (m->jd_ms + 129600000) / DAY_MS % 7, wanted = (s64)r;
    if (today > wanted) today -= 7;
    m->jd_ms += (wanted - today) * DAY_MS;
    clear_date_time(m);
    return true;
}

// (+|-)YYYY-MM-DD: *z is behind the sign; left behind the date.
static bool modify_date(struct moment *m, const u8 **z, u32 year_digits, bool negative)
{
    s32 years, months, days;
    if (!digits_read(z, year_digits, 0, 14712, &years) || !byte_read(z, '-') || !digits_read(z, 2, 0, 11, &months) ||
        !byte_read(z, '-') || !digits_read(z, 2, 0, 30, &days)) {
        return false;
    }
    need_date_time(m);
    m->has_jd = false;
    m->year += negative ? -years : years;
    m->month += negative ? -months : months;
    month_normalize(m);
    note_floor(m);
    need_jd(m);
    m->has_time = m->has_date = false;
    m->jd_ms += (negative ? -(s64)days : days) * DAY_MS;
    return true;
}

static bool modify_time(struct moment *m, const u8 *z, bool negative)
{
    struct moment t = {0};
    if (!time_read(z, &t)) return false;
    need_jd(&t);
    s64 ms = t.jd_ms - DAY_MS / 2;
    ms -= ms / DAY_MS * DAY_MS;
    need_jd(m);
    clear_date_time(m);
    m->jd_ms += negative ? -ms : ms;
    return true;
}

static bool modify_units(struct moment *m, double r, const u8 *unit)
{
    static const struct {
        const char *name;
        double limit, seconds;
    } UNITS[] = {
        // The limits as SQLite's single-precision floats hold them.
        {"second", (float)4.6427e+14, 1.0}, {"minute", (float)7.7379e+12, 60.0}, {"hour", (float)1.2897e+11, 3600.0},
        {"day", 5373485.0, 86400.0},        {"month", 176546.0, 2592000.0},      {"year", 14713.0, 31536000.0},
    };
    size_t n = strlen((const char *)unit);
    if (n < 3 || n > 10) return false;
    if (ascii_lower(unit[n - 1]) == 's') n--;
    need_jd(m);
    double rounder = r < 0 ? -0.5 : 0.5;
    m->floor_days = 0;
    bool found = false;
    for (u32 i = 0; i < COUNT_OF(UNITS); i++) {
        if (strlen(UNITS[i].name) != n || strncasecmp(UNITS[i].name, (const char *)unit, n) != 0 ||
            !(r > -UNITS[i].limit && r < UNITS[i].limit)) {
            continue;
        }
        if (i >= 4) {
            need_date_time(m);
            s32 whole = (s32)r;
            if (i == 4) {
                m->month += whole;
                month_normalize(m);
            } else {
                m->year += whole;
            }
            if (!m->failed) note_floor(m);
            m->has_jd = false;
            r -= whole;
        }
        need_jd(m);
        m->jd_ms += (s64)(r * 1000.0 * UNITS[i].seconds + rounder);
        found = true;
        break;
    }
    clear_date_time(m);
    return found;
}

// What starts with a sign or a digit.
static bool modify_by_number(struct moment *m, const u8 *z)
{
    u8 sign = z[0];
    u32 n = 1, year_digits = 0;
    for (; z[n]; n++) {
        if (z[n] == ':' || is_space(z[n])) break;
        if (z[n] != '-' || (n != 5 && n != 6)) continue;
        const u8 *year = z + 1;
        s32 unused;
        if (digits_read(&year, n - 1, 0, 14712, &unused)) {
            year_digits = n - 1;
            break;
        }
    }
    double r;
    if (!number_is(z, n, &r)) return false;
    const u8 *time = sign == '+' || sign == '-' ? z + 1 : z;
    bool signed_ = time != z, negative = sign == '-';
    if (year_digits) {
        if (!signed_) return false;
        const u8 *rest = z + 1;
        if (!modify_date(m, &rest, year_digits, negative)) return false;
        if (*rest == 0) return true;
        s32 unused;
        const u8 *peek = rest + 1;
        if (!is_space(*rest) || !digits_read(&peek, 2, 0, 24, &unused) || *peek != ':') return false;
        return modify_time(m, rest + 1, negative);
    }
    if (z[n] == ':') return modify_time(m, time, negative);
    z += n;
    while (is_space(*z)) z++;
    return modify_units(m, r, z);
}

// index: which argument the modifier is; some must come straight after the number they are about.
static bool modify(struct function_context *ctx, struct moment *m, const u8 *z, u32 index)
{
    u8 c = ascii_lower(z[0]);
    if (is_digit(c) || c == '+' || c == '-') return modify_by_number(m, z);
    if (word_is(z, "auto")) {
        if (index > 1) return false;
        if (m->raw && !m->has_jd && m->second >= -210866760000.0 && m->second <= 253402300799.0) {
            double ms = m->second * 1000.0 + EPOCH_MS;
            clear_date_time(m);
            m->jd_ms = (s64)(ms + 0.5);
            m->has_jd = true;
            m->raw = false;
        } else if (!m->raw || m->has_jd) {
            m->raw = false;
        }
        return true;
    }
    if (word_is(z, "ceiling")) {
        need_jd(m);
        clear_date_time(m);
        m->floor_days = 0;
        return true;
    }
    if (word_is(z, "floor")) {
        need_jd(m);
        m->jd_ms -= (s64)m->floor_days * DAY_MS;
        clear_date_time(m);
        return true;
    }
    if (word_is(z, "julianday")) {
        if (index > 1 || !m->has_jd || !m->raw) return false;
        m->raw = false;
        return true;
    }
    if (word_is(z, "localtime")) {
        if (!impure_allowed(ctx) || (!m->local && !to_local(ctx, m))) return false;
        m->utc = false;
        m->local = true;
        return true;
    }
    if (word_is(z, "unixepoch") && m->raw) {
        double ms = m->second * 1000.0 + EPOCH_MS;
        if (index > 1 || !(ms >= 0 && ms < 464269060800000.0)) return false;
        clear_date_time(m);
        m->jd_ms = (s64)(ms + 0.5);
        m->has_jd = true;
        m->raw = false;
        return true;
    }
    if (word_is(z, "utc")) return impure_allowed(ctx) && to_utc(ctx, m);
    if (strncasecmp((const char *)z, "weekday ", 8) == 0) return modify_weekday(m, z + 8);
    if (strncasecmp((const char *)z, "start of ", 9) == 0) return modify_start_of(m, z + 9);
    if (word_is(z, "subsec") || word_is(z, "subsecond")) {
        m->subsecond = true;
        return true;
    }
    return false;
}

// The moment that a function's arguments name; false: the result is NULL (or an error was set).
static bool moment_of(struct function_context *ctx, u32 argc, const struct value **argv, struct moment *m)
{
    *m = (struct moment){0};
    if (argc == 0) {
        if (!impure_allowed(ctx)) return false;
        return moment_set_now(ctx, m);
    }
    for (u32 i = 0; i < argc; i++) {
        if (i == 0 && (argv[0]->type == VALUE_INTEGER || argv[0]->type == VALUE_REAL)) {
            moment_set_number(m, value_to_real(argv[0]));
            continue;
        }
        struct value text = {.type = VALUE_NULL};
        bool valid = false;
        u8 word[WORD_MAX + 1];
        if (argv[i]->type == VALUE_TEXT && argv[i]->size <= WORD_MAX) {
            memcpy(word, argv[i]->bytes, argv[i]->size);
            word[argv[i]->size] = 0;
            valid = i == 0 ? moment_read(ctx, word, m) : modify(ctx, m, word, i);
        } else if (argv[i]->type != VALUE_NULL) {
            err_code code = value_copy(&text, argv[i]);
            if (code == ERR_OK) code = value_cast(&text, AFFINITY_TEXT, ctx->encoding);
            if (code == ERR_OK) code = value_terminate(&text);
            if (code != ERR_OK) {
                result_nomem(ctx);
            } else {
                valid = i == 0 ? moment_read(ctx, text.bytes, m) : modify(ctx, m, text.bytes, i);
            }
        }
        value_deinit(&text);
        if (!valid) return false;
    }
    need_jd(m);
    if (m->failed || !jd_valid(m->jd_ms)) return false;
    if (argc == 1 && m->has_date && m->day > 28) m->has_date = false; // February 31st is March 3rd
    return true;
}

// ---- the functions -------------------------------------------------------------------------------------

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

static void digits_put(struct text_buffer *b, u32 v, u32 count)
{
    u8 out[8];
    for (u32 i = count; i-- > 0; v /= 10) out[i] = (u8)('0' + v % 10);
    text_append(b, out, count);
}

static void date_put(struct text_buffer *b, const struct moment *m)
{
    if (m->year < 0) text_append_char(b, '-');
    digits_put(b, (u32)abs(m->year), 4);
    text_append_char(b, '-');
    digits_put(b, (u32)m->month, 2);
    text_append_char(b, '-');
    digits_put(b, (u32)m->day, 2);
}

static void time_put(struct text_buffer *b, const struct moment *m)
{
    digits_put(b, (u32)m->hour, 2);
    text_append_char(b, ':');
    digits_put(b, (u32)m->minute, 2);
    text_append_char(b, ':');
    if (m->subsecond) {
        u32 ms = (u32)(1000.0 * m->second + 0.5);
        digits_put(b, ms / 1000, 2);
        text_append_char(b, '.');
        digits_put(b, ms % 1000, 3);
    } else {
        digits_put(b, (u32)m->second, 2);
    }
}

enum { SHOW_DATE = 1, SHOW_TIME = 2 };

static void datetime_fn(ARGUMENTS)
{
    struct moment m;
    struct text_buffer b = {0};
    if (!moment_of(ctx, argc, argv, &m)) return;
    need_date_time(&m);
    if (ctx->def->user & SHOW_DATE) date_put(&b, &m);
    if (ctx->def->user == (SHOW_DATE | SHOW_TIME)) text_append_char(&b, ' ');
    if (ctx->def->user & SHOW_TIME) time_put(&b, &m);
    result_text_buffer(ctx, &b);
}

static s32 days_after_january_first(const struct moment *m)
{
    struct moment first = *m;
    first.has_jd = false;
    first.month = first.day = 1;
    need_jd(&first);
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
    need_date(&t);
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
    if (fabs(ms - whole) < 1e-4) { // far from where rounding would have to be exact
        digits_put(b, whole / 1000, 2);
        text_append_char(b, '.');
        digits_put(b, whole % 1000, 3);
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
    struct text_buffer b = {0};
    struct moment m;
    u32 size;
    const u8 *z = argc ? function_text(ctx, argv[0], &scratch, &size) : NULL;
    if (!z || !moment_of(ctx, argc - 1, argv + 1, &m)) goto done;
    need_date_time(&m);
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
    need_date_time(&a);
    need_date_time(&b);
    bool ahead = a.jd_ms >= b.jd_ms;
    s32 years = ahead ? a.year - b.year : b.year - a.year;
    if (years) {
        b.year = a.year;
        b.has_jd = false;
        need_jd(&b);
    }
    s32 months = ahead ? a.month - b.month : b.month - a.month;
    if (months < 0) {
        years--;
        months += 12;
    }
    if (months) {
        b.month = a.month;
        b.has_jd = false;
        need_jd(&b);
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
        need_jd(&b);
    }
    // The rest is told as a time after the first day of a month.
    a.jd_ms = (ahead ? a.jd_ms - b.jd_ms : b.jd_ms - a.jd_ms) + 1486995408 * (s64)100000;
    a.has_jd = true;
    clear_date_time(&a);
    need_date_time(&a);
    struct text_buffer t = {0};
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
