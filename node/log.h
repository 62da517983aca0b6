// The node's log: one line an event on standard error, logfmt, no secrets.
//
//   time=2026-11-21T00:00:00.123Z level=info event=node.listening address=127.0.0.1:8080
#pragma once

#include "../io/base.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
void log_level_set(enum log_level level);
bool log_level_parse(const char *name, enum log_level *out);
// Fields are a printf format of "key=value" pairs; values that may have spaces or quotes are the caller's to give to
// log_quote (texts) or log_value (paths, URLs).
void log_event(enum log_level level, const char *event, const char *fields, ...)
    __attribute__((format(printf, 3, 4)));
// Writes text in double quotes, escaped, into out; gives out.
const char *log_quote(const char *text, char *out, size_t out_size);
// The text itself when it can stand there as it is, else as log_quote.
const char *log_value(const char *text, char *out, size_t out_size);
