// A node that is a replica: it follows, refuses writes, and becomes the writer when it is told to
// (POST /promote): what the source has is applied, the backup is claimed, and then writes are taken.
#pragma once

#include "buffer.h"
#include "http_server.h"

#include "../sync/replica.h"

struct follower;

struct follower_options {
    struct replica_options replica;
    // Makes the backup that the promoted node writes to; NULL in *out: it has no store.
    bool (*backup_create)(void *context, u64 epoch_claimed, struct backup **out, struct err *err);
    void *context;
};

struct follower *follower_create(const struct follower_options *options, struct err *err);
void follower_start(struct follower *f, struct store *store);
void follower_promote(struct follower *f, struct http_exchange *x); // answers it, now or later
// After every turn of the loop, outside of its callbacks. True: this node is the writer now; *backup (or NULL) has
// been started, and the follower is to be stopped and destroyed.
bool follower_turn(struct follower *f, struct backup **backup);
void follower_health(const struct follower *f, struct buffer *out);  // ,"replica":{...}
void follower_metrics(const struct follower *f, struct buffer *out); // in Prometheus's format
void follower_stop(struct follower *f);    // turns the loop; before the database is closed
void follower_destroy(struct follower *f); // after
