// Where the node's database comes from, and who may write to it: restored or opened from the store, or a past state of it; a replica
// that follows; a backup that is claimed before the first write.
#include "log.h"
#include "node.h"

#include "../sync/restore.h"

#include <sys/stat.h>
#include <unistd.h>

#define CLAIM_NS 5000000000ull // waited for before a database that came from the store is served, to be read only

void node_sync_log(void *context, enum sync_log_level level, const char *event, const char *text)
{
    char quoted[2600];
    enum log_level l = level == SYNC_LOG_INFO   ? LOG_INFO
                       : level == SYNC_LOG_WARN ? LOG_WARN
                                                : LOG_ERROR;
    log_event(l, event, "msg=%s", log_quote(text, quoted, sizeof quoted));
}

void node_wait(struct node *n, struct completion *c)
{
    while (c->state != COMPLETION_DONE)
        if (io_step(n->io, 100000000) < 0) break;
}

// The database's file as one whose pages come from the store.
static bool remote_begin(struct node *n, u64 tx, s64 time_ms, struct err *err)
{
    struct completion done;
    struct remote_status s;
    u64 started = io_now_ns(n->io);
    completion_init(&done, NULL, NULL);
    remote_open(&n->remote,
                &(struct remote_options){.io = n->io,
                                         .objects = n->objects,
                                         .name = config_text(&n->config, SETTING_DATABASE),
                                         .path = n->path,
                                         .key = n->key,
                                         .database_key = &n->database.key,
                                         .database_key_previous = &n->database.previous,
                                         .tx = tx,
                                         .time_ms = time_ms,
                                         .keep = !n->view,
                                         .hydrate = !n->view,
                                         .log = node_sync_log},
                &done, err);
    while (done.state != COMPLETION_DONE) io_step(n->io, 1000000000);
    if (!n->remote) return false;
    remote_status_get(n->remote, &s);
    log_event(LOG_INFO, "hydrate.open", "tx=%llu pages=%u/%u ms=%llu", (unsigned long long)s.tx, s.pages_here,
              s.pages_total, (unsigned long long)((io_now_ns(n->io) - started) / 1000000));
    return true;
}

// --at, --tx: a past state, beside the database and in nobody's way.
bool node_view_begin(struct node *n, struct err *err)
{
    u64 tx;
    s64 time_ms;
    if (!config_number(&n->config, SETTING_TX, 0, UINT64_MAX >> 1, &tx, err) ||
        !config_time(&n->config, SETTING_AT, &time_ms, err))
        return false;
    if (!tx && !time_ms) return true;
    if (!n->objects) {
        err_set(err, ERR_USAGE, __func__, "--at and --tx need a --store to read from");
        return false;
    }
    n->view = true;
    strcat(n->path, ".view"); // data_open has left room for it
    unlink(n->path);          // of a node that was killed
    return remote_begin(n, tx, time_ms, err);
}

// An empty volume and a store with a backup: the database comes from there.
bool node_restore(struct node *n, struct err *err)
{
    const char *when = config_text(&n->config, SETTING_RESTORE);
    bool automatic = strcmp(when, "auto") == 0;
    if (!automatic && strcmp(when, "never") != 0) {
        err_set(err, ERR_USAGE, __func__, "--restore is '%s'; it must be auto or never", when);
        return false;
    }
    const char *how = config_text(&n->config, SETTING_HYDRATE);
    bool lazy = strcmp(how, "lazy") == 0;
    if (!lazy && strcmp(how, "full") != 0) {
        err_set(err, ERR_USAGE, __func__, "--hydrate is '%s'; it must be full or lazy", how);
        return false;
    }
    struct stat st;
    if (lazy && n->follow[0]) {
        err_set(err, ERR_USAGE, __func__, "--follow and --hydrate lazy cannot be given together: a replica has all pages, since it changes each to the newest state");
        return false;
    }
    if (n->view || n->follow_node || io_backend(n->io) == IO_BACKEND_MEMORY) return true;
    if (remote_is_partial(n->io, n->path)) {
        if (n->follow[0]) {
            err_set(err, ERR_USAGE, __func__, "%s is not all here yet, and a replica has all pages: move it and %s-hydrate away", n->path, n->path);
            return false;
        }
        if (n->objects) return remote_begin(n, 0, 0, err);
        err_set(err, ERR_USAGE, __func__, "%s is not all here yet, and --store is none: name the store that it comes from", n->path);
        return false;
    }
    if (!n->objects || !automatic || stat(n->path, &st) == 0) return true;
    if (lazy) {
        if (remote_begin(n, 0, 0, err)) return true;
        if (err->code != ERR_STORE_EMPTY) return false;
        err_clear(err);
        log_event(LOG_INFO, "restore.nothing", "msg=\"the store holds no backup; an empty database is made\"");
        return true;
    }
    struct restore r = {0};
    completion_init(&r.done, NULL, NULL);
    u64 started = io_now_ns(n->io), told = started;
    restore_start(&r, &(struct restore_options){.io = n->io,
                                                .objects = n->objects,
                                                .key = n->key,
                                                .database_key = &n->database.key,
                                                .out_path = n->path,
                                                .name = config_text(&n->config, SETTING_DATABASE),
                                                .threads = (u32)MAX(sysconf(_SC_NPROCESSORS_ONLN), 1L)});
    while (r.done.state != COMPLETION_DONE) {
        io_step(n->io, 1000000000);
        if (n->stopping) restore_cancel(&r);
        if (io_now_ns(n->io) - told < 1000000000) continue;
        told = io_now_ns(n->io);
        log_event(LOG_INFO, "restore.progress", "pages=%llu/%llu bytes=%llu", (unsigned long long)r.pages_done,
                  (unsigned long long)r.pages_total, (unsigned long long)r.bytes_done);
    }
    bool good = r.err.code == ERR_OK && restore_bind(&r), absent = r.err.code == ERR_STORE_EMPTY;
    if (good)
        log_event(LOG_INFO, "restore.done", "tx=%llu pages=%u ms=%llu",
                  (unsigned long long)r.tx, r.page_count,
                  (unsigned long long)((io_now_ns(n->io) - started) / 1000000));
    else if (n->stopping)
        log_event(LOG_INFO, "restore.stopped", "pages=%llu/%llu msg=\"the next start goes on with it\"", (unsigned long long)r.pages_done,
                  (unsigned long long)r.pages_total);
    else if (absent)
        log_event(LOG_INFO, "restore.nothing",
                  "msg=\"the store holds no backup; an empty database is made\"");
    else if (r.err.code == ERR_FULL)
        err_set(err, r.err.code, __func__, "%s; free some space, and start again", r.err.text);
    else
        err_set(err, r.err.code, __func__,
                "%s; the database's file is missing and the store could not be asked for its "
                "backup. Start with "
                "--restore never to begin with an empty database",
                r.err.text);
    restore_deinit(&r);
    return good || absent;
}

bool node_database_open(struct node *n, struct err *err)
{
    u64 cache_bytes, wal_max;
    if (!config_number(&n->config, SETTING_CACHE_BYTES, 1 << 16, 1ull << 40, &cache_bytes, err) ||
        !config_number(&n->config, SETTING_WAL_BYTES_MAX, 1 << 20, 1ull << 44, &wal_max, err))
        return false;
    struct database_config *d = &n->database;
    struct skerry_engine_options o = {.io = n->io,
                                      .cache_bytes = cache_bytes,
                                      .wal_bytes_max = wal_max,
                                      .key = &d->key,
                                      .key_previous = &d->previous,
                                      .keys_fixed = true,
                                      .checksums = d->checksums};
    if (!n->engine && !skerry_engine_create(&o, &n->engine, err)) return false;
    if (!skerry_open(n->engine, n->path, n->view ? SKERRY_OPEN_READ_ONLY : SKERRY_OPEN_CREATE, &n->keeper, err)) return false;
    // Reading the schema opens the file: a file that is not a database shows here and not at the
    // first client.
    if (skerry_exec(n->keeper, "SELECT count(*) FROM sqlite_schema", NULL, NULL) != SKERRY_OK) {
        const struct err *why = skerry_error(n->keeper);
        err_set(err, why->code, __func__, "%s: %s", n->path,
                why->text[0] ? why->text : err_default_text(why->code));
        return false;
    }
    return true;
}

static bool backup_begin(struct node *n, bool promote, u64 epoch_claimed, struct err *err)
{
    if (!n->objects || n->view) return true;
    u64 interval, level, push_level, wal_max, head_interval, factor, cpu;
    struct backup_options o = {0};
    if (!config_number(&n->config, SETTING_PUSH_INTERVAL_MS, 1, 86400000, &interval, err) ||
        !config_number(&n->config, SETTING_ZSTD_LEVEL, 1, 19, &level, err) ||
        !config_number(&n->config, SETTING_PUSH_ZSTD_LEVEL, 1, 19, &push_level, err) ||
        !config_number(&n->config, SETTING_HISTORY_FACTOR, 1, 1000000, &factor, err) ||
        !config_number(&n->config, SETTING_MERGE_CPU, 1, 100, &cpu, err) ||
        !config_spans(&n->config, SETTING_LEVEL_PERIODS, o.period_ms + 1, BACKUP_LEVELS - 1, err) ||
        !config_spans(&n->config, SETTING_KEEP, o.keep_ms, BACKUP_LEVELS, err) ||
        !config_number(&n->config, SETTING_HEAD_INTERVAL_MS, 1, 86400000, &head_interval, err) ||
        !config_number(&n->config, SETTING_WAL_BYTES_MAX, 1 << 20, 1ull << 44, &wal_max, err))
        return false;
    const char *full = config_text(&n->config, SETTING_WAL_FULL);
    if (strcmp(full, "refuse") == 0) {
        o.wal_full = BACKUP_WAL_REFUSE;
    } else if (strcmp(full, "restart") != 0) {
        err_set(err, ERR_USAGE, __func__, "--wal-full is '%s'; it must be restart or refuse", full);
        return false;
    }
    o.io = n->io;
    o.objects = n->objects;
    o.key = n->key;
    o.name = config_text(&n->config, SETTING_DATABASE);
    o.database_path = n->path;
    o.interval_ms = (u32)interval;
    o.head_interval_ms = (u32)head_interval;
    o.zstd_level = (int)level;
    o.push_zstd_level = (int)push_level;
    o.wal_bytes_max = wal_max;
    o.history_factor = (u32)factor;
    o.cpu_percent = (u32)cpu;
    o.promote = promote;
    o.epoch_claimed = epoch_claimed;
    o.remote = n->remote;
    o.log = node_sync_log;
    o.log_context = n;
    n->backup = backup_create(&o, err);
    return n->backup != NULL;
}

static bool promoted_backup(void *context, u64 epoch_claimed, struct backup **out, struct err *err)
{
    struct node *n = context;
    bool good = backup_begin(n, true, epoch_claimed, err);
    *out = n->backup;
    n->backup = NULL; // the follower's until it is the writer's
    return good;
}

// A replica follows; a writer pushes.
bool node_source_begin(struct node *n, struct err *err)
{
    u64 poll_ms;
    if (!n->follow[0]) return backup_begin(n, n->again, n->epoch_claimed, err);
    if (n->view) {
        err_set(err, ERR_USAGE, __func__, "--follow and --at or --tx cannot be given together");
        return false;
    }
    if (!config_number(&n->config, SETTING_FOLLOW_POLL_MS, 10, 86400000, &poll_ms, err)) return false;
    n->follower = follower_create(
        &(struct follower_options){.replica = {.io = n->io,
                                               .objects = n->objects,
                                               .http = n->http_client,
                                               .node = n->follow_node ? n->follow : NULL,
                                               .token = config_text(&n->config, SETTING_FOLLOW_TOKEN),
                                               .ca_file = config_text(&n->config, SETTING_STORE_CA_FILE),
                                               .name = config_text(&n->config, SETTING_DATABASE),
                                               .path = n->path,
                                               .key = n->key,
                                               .database_key = &n->database.key,
                                               .poll_ms = (u32)poll_ms,
                                               .stopping = &n->stopping,
                                               .log = node_sync_log},
                                   .backup_create = promoted_backup,
                                   .context = n},
        err);
    return n->follower != NULL;
}

void node_promoted(struct node *n, struct backup *backup)
{
    follower_stop(n->follower);
    follower_destroy(n->follower);
    n->follower = NULL;
    n->backup = backup;
}

void node_database_close(struct node *n)
{
    struct err err = ERR_CLEAR;
    if (n->keeper)
        while (skerry_close(n->keeper, &err) == SKERRY_WAIT) io_step(n->io, 100000000);
    n->keeper = NULL;
    char quoted[2400];
    if (err.code != ERR_OK) log_event(LOG_ERROR, "node.close", "msg=%s", log_quote(err.text, quoted, sizeof quoted));
}

void node_backup_end(struct node *n, u64 deadline_ns)
{
    struct completion done;
    if (!n->backup) return;
    completion_init(&done, NULL, NULL);
    backup_stop(n->backup, deadline_ns, &done);
    node_wait(n, &done);
}

// The state that came from the store is not the newest any more, and nothing was written to it: the newer one takes its place.
static bool begin_again(struct node *n, struct err *err)
{
    static const char *const FILES[] = {"", "-hydrate", "-backup", "-wal"};
    char path[4200];
    struct stat st;
    bool lazy = n->remote != NULL;
    n->again = true;
    node_backup_end(n, io_now_ns(n->io));
    node_database_close(n);
    backup_destroy(n->backup);
    n->backup = NULL;
    remote_close(n->remote);
    n->remote = NULL;
    for (u32 i = 0; i < COUNT_OF(FILES); i++) {
        snprintf(path, sizeof path, "%s%s", n->path, FILES[i]);
        unlink(path);
    }
    if (!(lazy ? remote_begin(n, 0, 0, err) : node_restore(n, err))) return false;
    if (stat(n->path, &st) != 0) {
        err_set(err, ERR_STORE_MISSING, __func__, "the backup that %s came from is gone from the store", n->path);
        return false;
    }
    return node_source_begin(n, err) && node_database_open(n, err);
}

// A database that came from the store is written to when whoever wrote to its backup before is fenced, so that nothing
// that it pushed is passed over. While the store does not answer, it is there to be read.
bool node_claim(struct node *n, struct err *err)
{
    static const char REFUSAL[] = "attempt to write a readonly database: it came from the store, where another node may still write to its "
                                  "backup; writes are taken as soon as the store has answered to this node's claim (see /health)";
    u64 deadline = io_now_ns(n->io) + CLAIM_NS;
    while (n->backup && backup_unclaimed(n->backup)) {
        struct backup_status s;
        struct store *store = skerry_store(n->keeper);
        store_refuse_writes(store, ERR_READONLY, REFUSAL);
        backup_start(n->backup, store);
        n->backup_started = true;
        do {
            io_step(n->io, 10000000);
            backup_status_get(n->backup, &s);
            n->epoch_claimed = s.epoch_claimed;
        } while (!s.claimed && s.state != BACKUP_REFUSED && !n->stopping && io_now_ns(n->io) < deadline);
        if (n->stopping) return false;
        if (s.claimed) {
            store_refuse_writes(store, ERR_OK, NULL);
            return true;
        }
        if (s.state != BACKUP_REFUSED) { // goes on by itself
            log_event(LOG_WARN, "backup.unclaimed", "msg=\"the backup is not claimed yet: an earlier writer may still push to it, and this node does not write\"");
            n->unclaimed = true;
            return true;
        }
        if (!s.behind) {
            err_set(err, ERR_STORE_FOREIGN, __func__, "%s", s.error);
            return false;
        }
        bool automatic = n->remote || strcmp(config_text(&n->config, SETTING_RESTORE), "auto") == 0;
        if (!automatic || !backup_replaceable(n->backup)) {
            err_set(err, ERR_STORE_FOREIGN, __func__,
                    "%s: what %s has came from the store, which another node has written to since. Follow it (--follow) and run skerry promote, "
                    "or move the files away, so that the newest state is restored",
                    s.error, n->path);
            return false;
        }
        log_event(LOG_INFO, "backup.behind", "msg=\"another node has pushed meanwhile; the newer state is taken\"");
        if (!begin_again(n, err)) return false;
    }
    return true;
}

// The claim that was not answered in time.
void node_claim_turn(struct node *n)
{
    struct backup_status s;
    backup_status_get(n->backup, &s);
    if (s.claimed) {
        n->unclaimed = false;
        store_refuse_writes(skerry_store(n->keeper), ERR_OK, NULL);
        log_event(LOG_INFO, "backup.claimed", "msg=\"the backup is this node's; writes are taken\"");
    } else if (s.state == BACKUP_REFUSED) {
        char quoted[1500];
        log_event(LOG_ERROR, "node.failed", "msg=%s", log_quote(s.error, quoted, sizeof quoted));
        log_event(LOG_ERROR, "node.stopping", "msg=\"this node's state is not the newest, and nothing was written to it: the next start takes the newer one\"");
        n->stopping = n->failed = true;
    }
}
