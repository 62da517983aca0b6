// Object stores: named, immutable runs of bytes in a directory or a bucket.
//
// Keys are '/'-separated and relative to the store's prefix. Four operations: put (plain or only
// when the name is free), get (whole or a range), list (keys under a folder, after a key, in byte
// order), delete. An operation is tried once; whoever asks decides about retries
// (object_error_passes tells whether another try is worth it, object_backoff_ms how long to wait).
//
// Stores: "file:///path" or a plain path: a directory; an object appears whole or not at all
// (written aside, synced, linked into place, folder synced). "s3://bucket/prefix": S3 and what
// speaks it.
#pragma once

#include "../io/http_client.h"
#include "../io/io.h"

struct object_store;

#define OBJECT_KEY_MAX 512

struct object_store_options {
    const char *url;
    // S3. Empty strings and NULL mean unset.
    const char *endpoint; // "https://s3.eu-central-1.amazonaws.com"; NULL: AWS's, by region
    const char *region;   // NULL: us-east-1
    const char *access_key, *secret_key, *session_token;
    bool virtual_host_style; // bucket in the host name; default for AWS itself
    const char *ca_file;
};

enum object_kind { OBJECT_PUT, OBJECT_PUT_IF_ABSENT, OBJECT_GET, OBJECT_LIST, OBJECT_DELETE };

struct object_entry {
    char *key; // relative to the store, whole
    u64 size;
};

struct object_request {
    // Filled in by the owner.
    enum object_kind kind;
    char key[OBJECT_KEY_MAX]; // LIST: the folder, ending in '/'
    const void *body;         // PUT: the caller's until done
    size_t body_size;
    u64 range_offset, range_size; // GET: range_size 0 = from the offset to the end
    size_t answer_size_max;       // GET: more is an error; 0 = 256 MiB
    char after[OBJECT_KEY_MAX];   // LIST: only keys behind this one ("" = all)
    void *context;

    // Filled in by the store.
    struct completion done; // 0, or negative with err set
    struct err err;         // ERR_STORE_MISSING, _EXISTS, _DENIED, _UNAVAILABLE, ERR_NETWORK, ...
    u8 *answer;             // GET; freed by object_request_deinit
    size_t answer_size;
    struct object_entry *entries; // LIST: all of them, in order
    u32 entry_count, entry_capacity;
    // The backend's.
    struct object_store *store;
    bool running; // started and not finished
    u32 step;
    void *private_;
};

// NULL with *err set (ERR_USAGE) when the URL or the settings are off. Contacts nothing.
struct object_store *object_store_open(struct io *io, struct io_http *http,
                                       const struct object_store_options *options, struct err *err);
void object_store_close(struct object_store *s);            // nothing may be under way
const char *object_store_url(const struct object_store *s); // without secrets, for messages

void object_request_init(struct object_request *r, void (*callback)(struct completion *),
                         void *context);
// Starts (again) what the owner filled in; the answer of an earlier start is dropped.
void object_start(struct object_store *s, struct object_request *r);
void object_request_deinit(struct object_request *r); // not while it is under way
// Started, and its callback has not run yet.
bool object_request_busy(const struct object_request *r);
// Makes a request that is under way complete soon, with an error unless it was done already.
void object_cancel(struct object_request *r);

bool object_error_passes(const struct err *err);
// Full jitter between 0 and min(300 s, 0.5 s * 2^attempt).
u64 object_backoff_ms(struct io *io, u32 attempt);

// ---- for the backends
// ---------------------------------------------------------------------------------

struct object_store_ops {
    void (*start)(struct object_store *s, struct object_request *r);
    void (*cancel)(struct object_request *r);
    void (*drop)(struct object_request *r); // frees private_
    void (*close)(struct object_store *s);
};
struct object_store {
    const struct object_store_ops *ops;
    struct io *io;
    char *url;
};
struct object_store *object_directory_open(struct io *io, const char *path, struct err *err);
struct object_store *object_s3_open(struct io *io, struct io_http *http,
                                    const struct object_store_options *options, struct err *err);
void object_finish(struct object_request *r); // result from r->err
bool object_entry_add(struct object_request *r, const char *key, u64 size);
