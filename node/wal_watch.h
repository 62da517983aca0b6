// Says in the log, once an episode, that a write-ahead log cannot be shortened and why, and when it was again.
#pragma once

#include "../engine/skerry.h"
#include "../engine/store/store.h"

struct wal_watch {
    struct waiter commit;
    struct store *store;
    bool telling;
    u64 readers_let_go;
};
void wal_watch_start(struct wal_watch *w, struct store *store); // until the store is closed
const char *wal_held_name(enum store_wal_held held);            // "reader", "backup"; NULL: nothing holds it
