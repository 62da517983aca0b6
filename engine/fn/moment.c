// Moments: the calendar, reading them from texts and numbers, and modifiers.
#include "moment.h"

#include <math.h>
#include <time.h>

#define JD_MS_MAX 464269060799999ll // 9999-12-31 23:59:59.999

static void moment_fail(struct moment *m)
{
    *m = (struct moment){.failed = true};
}

void moment_clear_date_time(struct moment *m)
{
    m->has_date = m->has_time = false;
    m->zone = 0;
}

void moment_need_jd(struct moment *m)
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
    m->jd_ms = (s64)(x1 + x2 + d + b) * DAY_MS - 3049 * (s64)(DAY_MS / 2); // days begin at midnight, Julian ones at noon
    m->has_jd = true;
    if (!m->has_time) return;
    m->jd_ms += m->hour * 3600000 + m->minute * 60000 + (s64)(m->second * 1000 + 0.5);
    if (m->zone) {
        m->jd_ms -= m->zone * 60000;
        moment_clear_date_time(m);
        m->utc = true;
        m->local = false;
    }
}

static bool jd_valid(s64 jd_ms)
{
    return jd_ms >= 0 && jd_ms <= JD_MS_MAX;
}

// The date of a day by its Julian number. Years are counted from March on, so that the leap day is a year's last, and from
// the beginning of 400 of them.
static void date_of_day(struct moment *m, u32 julian)
{
    u32 day = julian + 32044, era = day / 146097; // from March 1st of the year -4800 on
    day %= 146097;
    u32 year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    day -= 365 * year + year / 4 - year / 100;
    u32 month = (5 * day + 2) / 153; // March is 0; five of them have 153 days
    m->day = (s32)(day - (153 * month + 2) / 5 + 1);
    m->month = (s32)(month < 10 ? month + 3 : month - 9);
    m->year = (s32)(year + 400 * era + (month >= 10)) - 4800;
}

void moment_need_date(struct moment *m)
{
    if (m->has_date) return;
    if (!m->has_jd) {
        m->year = 2000;
        m->month = m->day = 1;
    } else if (!jd_valid(m->jd_ms)) {
        moment_fail(m);
        return;
    } else {
        date_of_day(m, (u32)((m->jd_ms + DAY_MS / 2) / DAY_MS));
    }
    m->has_date = true;
}

void moment_need_time(struct moment *m)
{
    if (m->has_time) return;
    moment_need_jd(m);
    s32 day_ms = (s32)((m->jd_ms + DAY_MS / 2) % DAY_MS);
    m->second = (day_ms % 60000) / 1000.0;
    m->minute = day_ms / 60000 % 60;
    m->hour = day_ms / 3600000;
    m->raw = false;
    m->has_time = true;
}

void moment_need_date_time(struct moment *m)
{
    moment_need_date(m);
    moment_need_time(m);
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
            if (isinf(scale)) return false; // as many digits are no number to SQLite
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
    if (m->zone) moment_need_jd(m);
    return true;
}

#define WORD_MAX 63 // bytes of what times and modifiers mostly are

// Where z goes on behind the word that it begins with; NULL: it does not. word: of small letters.
static inline const u8 *word_behind(const u8 *z, const char *word)
{
    while (*word && (*z | 0x20) == *word) z++, word++;
    return *word ? NULL : z;
}

static inline bool word_is(const u8 *z, const char *word)
{
    const u8 *behind = word_behind(z, word);
    return behind && !*behind;
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
    moment_clear_date_time(m);
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
    moment_need_jd(m);
    if (m->jd_ms < 2108667600 * (s64)100000 || m->jd_ms > 2130141456 * (s64)100000) {
        struct moment x = *m;
        moment_need_date_time(&x);
        shift = 2000 + x.year % 4 - x.year;
        x.year += shift;
        x.has_jd = false;
        moment_need_jd(&x);
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
    moment_need_jd(m);
    s64 wanted = m->jd_ms, guess = wanted, off = 0;
    for (int i = 0; i < 4; i++) {
        guess -= off;
        struct moment x = {.jd_ms = guess, .has_jd = true};
        if (!to_local(ctx, &x)) return false;
        moment_need_jd(&x);
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
    moment_need_date(m);
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
    moment_need_date_time(m);
    m->zone = 0;
    m->has_jd = false;
    moment_need_jd(m);
    s64 today = (m->jd_ms + 129600000) / DAY_MS % 7, wanted = (s64)r;
    if (today > wanted) today -= 7;
    m->jd_ms += (wanted - today) * DAY_MS;
    moment_clear_date_time(m);
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
    moment_need_date_time(m);
    m->has_jd = false;
    m->year += negative ? -years : years;
    m->month += negative ? -months : months;
    month_normalize(m);
    note_floor(m);
    moment_need_jd(m);
    m->has_time = m->has_date = false;
    m->jd_ms += (negative ? -(s64)days : days) * DAY_MS;
    return true;
}

static bool modify_time(struct moment *m, const u8 *z, bool negative)
{
    struct moment t = {0};
    if (!time_read(z, &t)) return false;
    moment_need_jd(&t);
    s64 ms = t.jd_ms - DAY_MS / 2;
    ms -= ms / DAY_MS * DAY_MS;
    moment_need_jd(m);
    moment_clear_date_time(m);
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
    moment_need_jd(m);
    double rounder = r < 0 ? -0.5 : 0.5;
    m->floor_days = 0;
    bool found = false;
    for (u32 i = 0; i < COUNT_OF(UNITS); i++) {
        if (word_behind(unit, UNITS[i].name) != unit + n || !(r > -UNITS[i].limit && r < UNITS[i].limit)) continue;
        if (i >= 4) {
            moment_need_date_time(m);
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
        moment_need_jd(m);
        m->jd_ms += (s64)(r * 1000.0 * UNITS[i].seconds + rounder);
        found = true;
        break;
    }
    moment_clear_date_time(m);
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
            moment_clear_date_time(m);
            m->jd_ms = (s64)(ms + 0.5);
            m->has_jd = true;
            m->raw = false;
        } else if (!m->raw || m->has_jd) {
            m->raw = false;
        }
        return true;
    }
    if (word_is(z, "ceiling")) {
        moment_need_jd(m);
        moment_clear_date_time(m);
        m->floor_days = 0;
        return true;
    }
    if (word_is(z, "floor")) {
        moment_need_jd(m);
        m->jd_ms -= (s64)m->floor_days * DAY_MS;
        moment_clear_date_time(m);
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
        moment_clear_date_time(m);
        m->jd_ms = (s64)(ms + 0.5);
        m->has_jd = true;
        m->raw = false;
        return true;
    }
    if (word_is(z, "utc")) return impure_allowed(ctx) && to_utc(ctx, m);
    if (c == 'w' && strncasecmp((const char *)z, "weekday ", 8) == 0) return modify_weekday(m, z + 8);
    if (c == 's' && strncasecmp((const char *)z, "start of ", 9) == 0) return modify_start_of(m, z + 9);
    if (word_is(z, "subsec") || word_is(z, "subsecond")) {
        m->subsecond = true;
        return true;
    }
    return false;
}

bool moment_of(struct function_context *ctx, u32 argc, const struct value **argv, struct moment *m)
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
        const u8 *z = NULL;
        u8 word[WORD_MAX + 1];
        if (argv[i]->type == VALUE_TEXT && argv[i]->flags & VALUE_TERMINATED) {
            z = argv[i]->bytes;
        } else if (argv[i]->type == VALUE_TEXT && argv[i]->size <= WORD_MAX) {
            memcpy(word, argv[i]->bytes, argv[i]->size);
            word[argv[i]->size] = 0;
            z = word;
        } else if (argv[i]->type != VALUE_NULL) {
            err_code code = value_copy(&text, argv[i]);
            if (code == ERR_OK) code = value_cast(&text, AFFINITY_TEXT, ctx->encoding);
            if (code == ERR_OK) code = value_terminate(&text);
            if (code == ERR_OK) z = text.bytes;
            else result_nomem(ctx);
        }
        bool valid = z && (i == 0 ? moment_read(ctx, z, m) : modify(ctx, m, z, i));
        value_deinit(&text);
        if (!valid) return false;
    }
    moment_need_jd(m);
    if (m->failed || !jd_valid(m->jd_ms)) return false;
    if (argc == 1 && m->has_date && m->day > 28) m->has_date = false; // February 31st is March 3rd
    return true;
}
