// A session: one connection to the database, lent to one stream at a time and kept for the next when it holds no
// state. Its connection keeps the statements that were run (skerry_prepare), so that a client's next request with
// the same text finds it compiled.
#pragma once

#include "../engine/skerry.h"

struct session {
    struct skerry *db;
    bool tainted; // PRAGMA, ATTACH, TEMP: not to be lent to anyone else
    void (*wake)(void *context);
    void *context;
    struct session *next;
};

struct session *session_open(struct skerry_engine *e, const char *path, u32 busy_timeout_ms,
                             struct err *err);
// The statement of exactly this text (one statement, perhaps trailing space and comments), to be finalized.
// SKERRY_OK, SKERRY_WAIT, or an error; *out NULL with SKERRY_OK: there was no statement; *tail:
// bytes of another statement follow.
int session_prepare(struct session *s, const char *sql, size_t size, struct skerry_stmt **out, bool *tail);
// Notes that this text was run on the connection by other means.
void session_note(struct session *s, const char *sql, size_t size);
// Ends a transaction and everything under way; true when the session may be lent again.
bool session_clear(struct session *s);
// SKERRY_OK when it is gone; SKERRY_WAIT: call again after a wake.
int session_close(struct session *s);
