// A session: one connection to the database with its prepared statements, lent to one stream at a
// time and kept for the next when it holds no state.
#pragma once

#include "../engine/skerry.h"

#define SESSION_STATEMENTS 64

struct session_statement {
    char *sql;
    size_t size;
    u64 hash, used_at;
    struct skerry_stmt *stmt;
    bool busy;
};
struct session {
    struct skerry *db;
    struct session_statement statements[SESSION_STATEMENTS];
    u64 clock;
    bool tainted; // PRAGMA, ATTACH, TEMP: not to be lent to anyone else
    void (*wake)(void *context);
    void *context;
    struct session *next;
};

struct session *session_open(struct skerry_engine *e, const char *path, u32 busy_timeout_ms,
                             struct err *err);
// The statement for exactly this text (one statement, perhaps trailing space and comments).
// SKERRY_OK, SKERRY_WAIT, or an error; *out NULL with SKERRY_OK: there was no statement; *tail:
// bytes of another statement follow.
int session_prepare(struct session *s, const char *sql, size_t size, struct session_statement **out,
                    bool *tail);
// Notes that this text was run on the connection by other means.
void session_note(struct session *s, const char *sql, size_t size);
// Gives the statement back after its run (reset it first).
void session_release(struct session_statement *st);
// Ends a transaction and everything under way; true when the session may be lent again.
bool session_clear(struct session *s);
// SKERRY_OK when it is gone; SKERRY_WAIT: call again after a wake.
int session_close(struct session *s);
