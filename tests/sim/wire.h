// A connection between two simulated machines, in place of node/http_server.c and io/http_client.c: by seed, requests come
// late, twice, or not; replies are lost or cut off; the network is away. A program that links this has one of each
// machine; the client asks one thing at a time.
#pragma once

#include "../../io/http_client.h"
#include "../../node/http_server.h"

struct wire_counters {
    u64 asked, answered, no_news, more_parts, lost_requests, repeated, late_ghosts, lost_replies, cut_replies, away,
        timed_out, cancelled;
};
struct wire {
    u64 *seed;
    struct wire_counters *counters;
    // The machines.
    void *context;
    struct io *(*client)(void *context);
    u64 (*client_now_ns)(void *context);
    void (*server_turn)(void *context); // its clock comes up with the client's
    void (*serve)(void *context, struct http_exchange *x);
    bool listens;
    // Chances in a thousand.
    u32 lost_request, lost_reply, cut, repeat, slow;
    bool away;
    // Its own.
    u32 exchanges; // that are not answered
    struct wire_call *call;
    struct wire_ghost {
        u64 due_ns;
        char method[8], path[64], query[400];
        u8 *body;
        size_t size;
    } ghosts[8];
};
void wire_init(struct wire *w); // its owner has set seed, counters and machines
void wire_deinit(struct wire *w);
void wire_server_down(struct wire *w); // who asked it is told by its connection
// A request from elsewhere, which nothing happens to; `replied` is called once, and may free nothing of it.
struct http_exchange *wire_exchange(struct wire *w, const char *method, const char *path,
                                    void (*replied)(void *context, int status, const void *body, size_t size),
                                    void *context);
