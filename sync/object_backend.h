// What a store is to object_store.c: the backends' side of object_store.h. Private to this folder.
#pragma once

#include "object_store.h"

struct object_store_ops {
    // Starts a try, or goes on with one after object_continue (private_ is set then). Ends in
    // object_finish.
    void (*start)(struct object_store *s, struct object_request *r);
    void (*cancel)(struct object_request *r);
    void (*drop)(struct object_request *r); // frees private_
    void (*close)(struct object_store *s);
};

// A rate, kept as the moment from which on it is unused.
struct object_bucket {
    u64 per_s; // 0: no limit
    u64 free_ns, burst_ns;
};

struct object_store {
    const struct object_store_ops *ops;
    struct io *io;
    char *url;
    struct object_bucket upload, download, requests;
    struct object_store_stats stats;
    enum object_conditions conditions;
    struct object_request *under_way; // all that were started and have not ended
    bool interrupted;
};

struct object_store *object_directory_open(struct io *io, const char *path, struct err *err);
struct object_store *object_s3_open(struct io *io, struct io_http *http,
                                    const struct object_store_options *options, struct err *err);
// The same protocol with a bearer token in place of the signature.
struct object_store *object_hub_open(struct io *io, struct io_http *http,
                                     const struct object_store_options *options, struct err *err);

void object_finish(struct object_request *r); // ends the try: result from r->err
// Calls start again once the limit of requests lets it: for the next page of an answer.
void object_continue(struct object_request *r);
// `upload` may be NULL. False: out of memory.
bool object_entry_add(struct object_request *r, const char *key, u64 size, s64 modified_ms,
                      const char *upload);
void object_entries_sort(struct object_request *r); // by key
// The part's place, made when it is not there. NULL: out of memory, or too many.
struct object_part *object_part_at(struct object_upload *u, u32 part);
