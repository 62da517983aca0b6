#include "wal_watch.h"

#include "log.h"

typedef unsigned long long ull;

const char *wal_held_name(enum store_wal_held held)
{
    switch (held) {
    case STORE_WAL_FREE: return NULL;
    case STORE_WAL_HELD_READER: return "reader";
    case STORE_WAL_HELD_BACKUP: return "backup";
    }
    return NULL;
}

static void on_commit(struct waiter *waiter)
{
    struct wal_watch *w = CONTAINER_OF(waiter, struct wal_watch, commit);
    struct store_position position;
    struct store_stats s;
    store_position_get(w->store, &position, &w->commit);
    store_stats_get(w->store, &s);
    if (s.wal_held != STORE_WAL_FREE && !w->telling)
        log_event(LOG_WARN, "wal.held", "by=%s bytes=%llu frames=%llu readers=%u msg=%s", wal_held_name(s.wal_held), (ull)s.wal_bytes,
                  (ull)s.wal_frames, s.readers,
                  s.wal_held == STORE_WAL_HELD_READER ? "\"a transaction that reads an old state keeps the log from being shortened\""
                                                      : "\"the log is kept until the backup has pushed it\"");
    if (s.wal_held == STORE_WAL_FREE && w->telling) log_event(LOG_INFO, "wal.free", "bytes=%llu frames=%llu", (ull)s.wal_bytes, (ull)s.wal_frames);
    w->telling = s.wal_held != STORE_WAL_FREE;
    if (s.readers_let_go > w->readers_let_go)
        log_event(LOG_WARN, "wal.readers_let_go", "readers=%llu bytes=%llu msg=%s", (ull)(s.readers_let_go - w->readers_let_go), (ull)s.wal_bytes,
                  "\"the log has come to --wal-bytes-max: transactions that kept it long get SQLITE_BUSY_SNAPSHOT\"");
    w->readers_let_go = s.readers_let_go;
}

void wal_watch_start(struct wal_watch *w, struct store *store)
{
    struct store_position position;
    *w = (struct wal_watch){.commit = {.wake = on_commit}, .store = store};
    store_position_get(store, &position, &w->commit);
}
