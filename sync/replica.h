// A read-only copy of a database that follows another: a backup in a store, or a node over HTTP.
//
// From a store: segments are applied in their order, each as one transaction of whole pages
// (txn_image_begin), so that readers keep their snapshots and see states that the writer pushed. The
// next push is asked for by its name; the head and the listings only when it is not there for a while,
// since it may have been merged away. The sum of the database is checked after each.
//
// From a node: its answer is the pages that changed since a position in its log, as of now, and is
// held back until there are some. A position that it does not know any more gives all pages, of which
// those are applied that differ.
//
// PATH-backup is kept as a writer's is (names.h), so a replica becomes the writer by starting a backup
// on it; PATH-replica holds the position in a node's log. A replica that was killed finds its place.
//
// Not here: who may write (store_refuse_writes is the owner's), claiming the backup (sync.h).
#pragma once

#include "../io/http_client.h"
#include "sync.h"

struct replica;

struct replica_options {
    struct io *io;
    struct object_store *objects; // the backup to follow; with a node, what is promoted to, or NULL
    struct io_http *http;
    const char *node;  // "http://HOST:PORT" to follow; NULL: the backup
    const char *token; // of the node; "" = none
    const char *ca_file;
    const char *name;  // of the database in the store
    const char *path;  // of the local file
    struct master_key key;
    const struct store_key *database_key; // of the local file; NULL: none; for replica_create
    u32 poll_ms; // of the store; 0 = 1000
    const bool *stopping; // replica_create gives up when it becomes true, and the next one goes on; NULL: never
    sync_log log;
    void *log_context;
};
struct replica_status {
    bool failed;         // needs a person
    bool connected;      // the newest question was answered
    u64 tx, newest_tx;   // of the store: applied, known to be there
    s64 time_ms;         // when the state was made; 0: not known
    s64 current_ms;      // Unix time at which nothing newer was there; 0: not yet
    u64 applied, pages, bytes; // transactions, pages put, bytes fetched
    char error[ERR_TEXT_MAX];  // of the newest failure; "" = none since the last success
};

// With a node and without a file: copies the database first. Before the database is opened; turns the loop.
struct replica *replica_create(const struct replica_options *options, struct err *err);
// The database is open. Goes on until stopped.
void replica_start(struct replica *r, struct store *store);
void replica_status_get(const struct replica *r, struct replica_status *out);
// Applies what is there now and ends following: `done` completes with 0, or negative when the source could not
// be asked, and *err; the replica then goes on. The backup's mark is then what a writer can go on from.
// From until_ns on it ends after any transaction, for a source that has new ones all the time.
// With a node: what the node has if it answers, then what the store has that the node had not sent.
void replica_drain(struct replica *r, u64 until_ns, struct completion *done, struct err *err);
// After a drain: the mark from which a backup goes on is written. Turns the loop.
bool replica_settle(struct replica *r, struct err *err);
// After a drain: another has pushed since; goes on. Turns the loop.
void replica_resume(struct replica *r);
void replica_stop(struct replica *r); // turns the loop; before the database is closed
void replica_destroy(struct replica *r);
