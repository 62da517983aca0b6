// What is the node's: serve.c (its life, requests) and database.c (where its database comes from). Private to these two.
#pragma once

#include "command.h"
#include "feed.h"
#include "follower.h"
#include "hrana.h"
#include "hub.h"
#include "past.h"
#include "wal_watch.h"

#include "../sync/remote.h"
#include "../sync/sync.h"

#include <sodium.h>

struct node {
    struct config config;
    struct io *io;
    struct io_http *http_client;
    struct object_store *objects;
    struct master_key key;
    struct backup *backup;
    bool backup_started;
    u64 epoch_claimed; // before the database that is opened lazily was the store's newest
    struct skerry_engine *engine;
    struct skerry *keeper; // holds the database open
    struct wal_watch wal_watch;
    struct hrana *hrana;
    struct http_server *server;
    struct hub *hub;
    struct database_config database;
    struct remote *remote; // the database's file, while it is not all here
    bool view;             // a past state is served, to be read only
    bool again;            // it was behind, and the newer state was taken
    bool unclaimed;        // it is served, and is not this node's to write yet
    struct past *past; // past states, to be attached
    struct feed *feed;         // to replicas of this node; NULL: none has asked yet
    struct follower *follower; // while this node is a replica
    const char *follow;        // what it follows; "" = nothing
    bool follow_node;
    char path[4096], store_url[4096];
    u8 token_hash[crypto_generichash_BYTES];
    bool has_token;
    int signal_fd;
    struct completion signal_ready;
    bool started, stopping, failed; // started: it serves
    u64 shutdown_ms;
};

// database.c. All but the last turn the loop.
void node_wait(struct node *n, struct completion *c);
bool node_view_begin(struct node *n, struct err *err);     // --at, --tx: a past state
bool node_restore(struct node *n, struct err *err);        // an empty volume
bool node_source_begin(struct node *n, struct err *err);   // before the database is opened: a replica, or a backup
bool node_database_open(struct node *n, struct err *err);
bool node_claim(struct node *n, struct err *err);          // before it is served
void node_promoted(struct node *n, struct backup *backup); // a replica is the writer now
void node_backup_end(struct node *n, u64 deadline_ns);
void node_database_close(struct node *n);
void node_claim_turn(struct node *n); // while the claim is not answered, after each turn of the loop
void node_sync_log(void *context, enum sync_log_level level, const char *event, const char *text);
