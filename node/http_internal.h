// What the files of the HTTP server share: http_server.c connections, http_request.c reading,
// http_answer.c answers.
#pragma once

#include "http_server.h"

#include <http_parser.h>

#define RECV_SIZE       HTTP_PIECE_SIZE
#define HEADERS_MAX     64
#define ANSWER_HEAD_MAX 1024

enum connection_state {
    CONNECTION_IDLE,   // between requests
    CONNECTION_HEADER, // in a request's header
    CONNECTION_BODY,
    CONNECTION_HANDLER, // complete, with the handler
    CONNECTION_CLOSING,
};

struct http_header_field {
    u32 name, name_size, value, value_size; // offsets into text
};

struct http_exchange {
    struct http_server *server;
    struct http_exchange *next, *prev;
    int fd;
    enum connection_state state;
    http_parser parser;
    struct completion recv_done, send_done;
    bool receiving, sending, peer_gone, parse_error, keep_alive;
    u64 deadline_ns; // of the state it is in; 0 = none
    int refuse_status;

    u8 recv_buffer[RECV_SIZE];
    size_t recv_size, recv_used; // bytes that were read and not parsed yet

    char *text; // URL and headers, NUL-terminated pieces
    u32 text_size, text_capacity;
    u32 url_size;
    struct http_header_field headers[HEADERS_MAX];
    u32 header_count;
    bool in_value;
    char *body;
    size_t body_size, body_capacity;
    bool body_streamed, body_ended;
    u8 *piece; // where the handler wants more of it
    struct completion *piece_done;

    // The answer.
    bool answered, streaming, stream_ended, chunked;
    char head[ANSWER_HEAD_MAX];
    char chunk_head[24];
    void *out_owned;
    struct iovec out[4];
    u32 out_count;
    struct completion *drained;
    void (*on_gone)(void *context);
    void *on_gone_context;
};

struct http_server {
    struct http_server_options options;
    struct io *io;
    int listen_fd;
    struct completion accept_done, sweep;
    bool accepting, stopping;
    u64 stop_deadline_ns;
    struct completion *stop_done;
    struct http_exchange *connections;
    struct http_server_stats stats;
};

u64 http_deadline_in(struct http_exchange *x, u32 ms); // 0 ms: none
// Closes once nothing of it is under way: neither an operation nor a handler.
void http_connection_close(struct http_exchange *x);
// Goes on with the connection when nothing of the last request is left.
void http_connection_next(struct http_exchange *x);
void http_receive(struct http_exchange *x,
                  size_t offset); // into what is free of recv_buffer from there on
void http_piece_complete(struct http_exchange *x,
                         s64 result); // of who waits for more of a streamed body
void http_on_recv(struct completion *c);
void http_on_sent(struct completion *c);
