// HTTP client: libcurl's multi interface, its sockets and timeouts polled through the loop, so that
// a request completes as a read does.
//
// The owner fills a request in, keeps it alive, and starts it; `done` completes with 0 when a whole
// answer (whatever its status) has come, or with a negative errno and request->err. Bodies go out
// of memory and come into a buffer with a limit, or piecewise to on_body. Redirects are not
// followed.
#pragma once

#include "io.h"

struct io_http;

struct io_http_header {
    const char *name, *value;
};

struct io_http_request {
    // Filled in by the owner.
    const char *method; // "GET"
    const char *url;
    const struct io_http_header *headers;
    u32 header_count;
    const void *body; // or NULL; Content-Length is always sent, Expect never
    size_t body_size;
    size_t answer_size_max; // more is an error (-EMSGSIZE); 0 = 64 MiB
    u8 *room;               // the owner's memory of room_size, where an answer goes that is smaller; or NULL
    size_t room_size;
    u32 connect_timeout_ms, idle_timeout_ms, total_timeout_ms; // 0 = 10 s, 30 s, none
    const char *ca_file;                                       // PEM, or NULL for the system's
    u64 send_rate_max, receive_rate_max; // bytes per second; 0 = no limit
    bool insecure;                                             // for tests: no certificate check
    // When set, body bytes go here as they come and not into `answer`; a negative value cancels.
    int (*on_body)(struct io_http_request *r, const void *bytes, size_t size);
    void *context;

    // Filled in by the client.
    struct completion done;
    int status;
    u8 *answer; // freed by io_http_request_deinit, unless it is room
    size_t answer_size;
    struct err err;
    struct io_http_private *private_;
};

struct io_http *io_http_create(struct io *io, struct err *err);
void io_http_destroy(struct io_http *http); // cancels what is under way
void io_http_start(struct io_http *http, struct io_http_request *r);
void io_http_cancel(struct io_http *http, struct io_http_request *r);
// A header of the answer by lower-case name, or NULL; valid until deinit.
const char *io_http_answer_header(const struct io_http_request *r, const char *name);
void io_http_request_deinit(struct io_http_request *r);
