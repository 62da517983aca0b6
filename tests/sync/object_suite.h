// The contract that every store keeps, as one suite: object_store_test.c runs it over each of them.
#pragma once

#include "../../sync/object_store.h"
#include "../test.h"

struct world {
    struct io *io;
    struct io_http *http;
    struct object_store *store;
};

bool world_open(struct world *w, enum io_backend_kind backend,
                const struct object_store_options *options);
void world_close(struct world *w);
void wait_done(struct world *w, struct object_request *r);
// Runs a request of `kind` to its end; what else it needs is set in r before.
err_code run(struct world *w, struct object_request *r, enum object_kind kind, const char *key,
             const void *body, size_t size);
// part_size: of the multi-part tests; S3 takes no less than OBJECT_PART_SIZE_MIN.
void object_suite(struct world *w, u64 part_size);
