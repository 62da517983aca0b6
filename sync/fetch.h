// One object request at a time, asked for as a cooperative function is: called again after a wake,
// asking twice is free. Internal to sync.
#pragma once

#include "object_store.h"

struct fetch {
    struct object_request request; // filled in before fetch_run starts it
    struct object_store *objects;
    enum { FETCH_IDLE, FETCH_RUNNING, FETCH_ARRIVED } state;
    bool cancelled;
    void (*wake)(void *context);
    void *context;
};

// tries of each request: the store repeats what passes.
void fetch_init(struct fetch *f, struct object_store *objects, u32 tries, void (*wake)(void *), void *context);
// Nothing may be under way.
void fetch_deinit(struct fetch *f);
// Starts the request, or tells how it went: then the next call starts anew. On IO_FAIL the request's
// err says why and is copied to *err.
io_status fetch_run(struct fetch *f, struct err *err);
static inline bool fetch_idle(const struct fetch *f)
{
    return f->state == FETCH_IDLE;
}
bool fetch_busy(const struct fetch *f); // the store holds it
void fetch_cancel(struct fetch *f);     // ends soon; nothing starts from now on

// Fill in the usual requests; the owner then runs them.
void fetch_head(struct fetch *f, const char *key);
void fetch_get(struct fetch *f, const char *key, u64 offset, u64 size, u64 size_max);
void fetch_put(struct fetch *f, const char *key, const void *body, size_t size, bool if_absent);
void fetch_list(struct fetch *f, const char *folder);
