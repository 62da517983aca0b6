#include "log.h"

#include <stdarg.h>
#include <time.h>
#include <unistd.h>

static enum log_level threshold = LOG_INFO;
static const char *const LEVEL_NAMES[] = {"debug", "info", "warn", "error"};

void log_level_set(enum log_level level)
{
    threshold = level;
}

bool log_level_parse(const char *name, enum log_level *out)
{
    for (u32 i = 0; i < COUNT_OF(LEVEL_NAMES); i++) {
        if (strcmp(name, LEVEL_NAMES[i]) != 0) continue;
        *out = (enum log_level)i;
        return true;
    }
    return false;
}

void log_event(enum log_level level, const char *event, const char *fields, ...)
{
    if (level < threshold) return;
    char line[3000], stamp[32];
    struct timespec now;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &tm);
    int n = snprintf(line, sizeof line, "time=%s.%03dZ level=%s event=%s ", stamp,
                     (int)(now.tv_nsec / 1000000), LEVEL_NAMES[level], event);
    va_list args;
    va_start(args, fields);
    int m = vsnprintf(line + n, sizeof line - (size_t)n, fields, args);
    va_end(args);
    size_t size = MIN((size_t)n + (size_t)MAX(m, 0), sizeof line - 2);
    while (size && line[size - 1] == ' ') size--;
    line[size++] = '\n';
    if (write(STDERR_FILENO, line, size) < 0)
        return; // a log that cannot be written is not worth dying for
}

const char *log_quote(const char *text, char *out, size_t out_size)
{
    size_t n = 0;
    if (out_size < 3) return "";
    out[n++] = '"';
    for (const char *p = text; *p && n + 5 < out_size; p++) {
        if (*p == '"' || *p == '\\') {
            out[n++] = '\\';
            out[n++] = *p;
        } else if ((u8)*p < 0x20) {
            out[n++] = ' ';
        } else {
            out[n++] = *p;
        }
    }
    out[n++] = '"';
    out[n] = 0;
    return out;
}

const char *log_value(const char *text, char *out, size_t out_size)
{
    bool plain = *text;
    for (const char *p = text; *p; p++) plain &= (u8)*p > ' ' && *p != '"' && *p != '\\' && *p != '=';
    return plain ? text : log_quote(text, out, out_size);
}
