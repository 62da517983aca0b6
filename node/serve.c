#include "command.h"
#include "feed.h"
#include "follower.h"
#include "hrana.h"
#include "hub.h"
#include "log.h"
#include "metrics.h"
#include "past.h"
#include "wal_watch.h"

#include "../sync/remote.h"
#include "../sync/restore.h"
#include "../sync/sync.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

static const enum setting SERVE_SETTINGS[] = {
    SETTING_DATA,
    SETTING_LISTEN,
    STORE_SETTINGS,
    SETTING_DATABASE,
    SETTING_RESTORE,
    SETTING_HYDRATE,
    SETTING_FOLLOW,
    SETTING_FOLLOW_TOKEN,
    SETTING_FOLLOW_POLL_MS,
    SETTING_AT,
    SETTING_TX,
    SETTING_VFS,
    SETTING_SQPOLL,
    SETTING_AUTH_TOKEN,
    SETTING_HUB_DIR,
    SETTING_HUB_TOKEN,
    SETTING_HUB_OBJECT_SIZE_MAX,
    SETTING_PUSH_INTERVAL_MS,
    SETTING_ZSTD_LEVEL,
    SETTING_PUSH_ZSTD_LEVEL,
    SETTING_WAL_BYTES_MAX,
    SETTING_WAL_FULL,
    SETTING_HEAD_INTERVAL_MS,
    SETTING_LEVEL_PERIODS,
    SETTING_KEEP,
    SETTING_HISTORY_FACTOR,
    SETTING_MERGE_CPU,
    SETTING_CACHE_BYTES,
    DATABASE_SETTINGS,
    SETTING_BUSY_TIMEOUT_MS,
    SETTING_STATEMENT_MS_MAX,
    SETTING_STREAM_IDLE_MS,
    SETTING_STREAMS_MAX,
    SETTING_CONNECTIONS_MAX,
    SETTING_HEADER_SIZE_MAX,
    SETTING_BODY_SIZE_MAX,
    SETTING_ANSWER_SIZE_MAX,
    SETTING_HEADER_TIMEOUT_MS,
    SETTING_BODY_TIMEOUT_MS,
    SETTING_IDLE_TIMEOUT_MS,
    SETTING_SEND_TIMEOUT_MS,
    SETTING_SHUTDOWN_MS,
    SETTING_LOG_LEVEL,
};
static const struct config_command SERVE = {"usage: skerry serve [--NAME VALUE]...\n\n"
                                            "Serves the database to libSQL and Turso clients over "
                                            "HTTP, and pushes every commit to the store.\n",
                                            SERVE_SETTINGS, COUNT_OF(SERVE_SETTINGS)};

#define CLAIM_NS 5000000000ull // waited for before a database that came from the store is served, to be read only

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
    bool stopping, failed;
    u64 shutdown_ms;
};

// ---- requests
// -----------------------------------------------------------------------------------------

// Hashes are compared, so that neither the time nor the length tells anything about the token.
static bool authorized(struct node *n, const struct http_exchange *x)
{
    if (!n->has_token) return true;
    const char *header = http_header(x, "authorization");
    if (!header || strncasecmp(header, "bearer ", 7) != 0) return false;
    u8 hash[crypto_generichash_BYTES];
    crypto_generichash(hash, sizeof hash, (const u8 *)header + 7, strlen(header + 7), NULL, 0);
    return sodium_memcmp(hash, n->token_hash, sizeof hash) == 0;
}

static void reply_json(struct http_exchange *x, int status, const char *text)
{
    http_reply(x, status, "application/json", text, strlen(text));
}

static const char *backup_state_name(enum backup_state state)
{
    switch (state) {
    case BACKUP_CONTACTING: return "contacting";
    case BACKUP_IDLE: return "idle";
    case BACKUP_PUSHING: return "pushing";
    case BACKUP_RETRYING: return "retrying";
    case BACKUP_REFUSED: return "refused";
    }
    return "unknown";
}

// Healthy means: the database takes reads and writes. A store that is away does not make the node
// ill; it is told.
static void reply_health(struct node *n, struct http_exchange *x)
{
    struct store_stats stats = {0};
    struct buffer out = {0};
    struct store *store = skerry_store(n->keeper);
    if (store) store_stats_get(store, &stats);
    buffer_format(&out, "{\"status\":\"%s\",\"io\":\"%s\"", stats.wal_failed ? "wal_failed" : "ok",
                  io_backend_name(n->io));
    if (io_backend_reason(n->io)) {
        buffer_text(&out, ",\"io_reason\":");
        buffer_json_string(&out, io_backend_reason(n->io), strlen(io_backend_reason(n->io)));
    }
    buffer_format(&out, ",\"wal\":{\"bytes\":%llu,\"frames\":%llu", (unsigned long long)stats.wal_bytes,
                  (unsigned long long)stats.wal_frames);
    if (stats.wal_held != STORE_WAL_FREE)
        buffer_format(&out, ",\"held_by\":\"%s\",\"held_ms\":%llu", wal_held_name(stats.wal_held),
                      (unsigned long long)stats.wal_held_ns / 1000000);
    buffer_text(&out, "}");
    if (n->backup) {
        struct backup_status b;
        backup_status_get(n->backup, &b);
        s64 behind_ms = b.behind_since_ms ? MAX(io_wall_ms(n->io) - b.behind_since_ms, (s64)1) : 0;
        buffer_format(
            &out,
            ",\"backup\":{\"state\":\"%s\",\"tx\":%llu,\"behind_ms\":%lld,\"encrypted\":%s",
            backup_state_name(b.state), (unsigned long long)b.tx, (long long)behind_ms,
            n->key.given ? "true" : "false");
        if (b.refusing) buffer_text(&out, ",\"refusing_commits\":true");
        if (b.error[0]) {
            buffer_text(&out, ",\"error\":");
            buffer_json_string(&out, b.error, strlen(b.error));
        }
        buffer_text(&out, "}");
    }
    if (n->remote) {
        struct remote_status r;
        remote_status_get(n->remote, &r);
        buffer_format(&out, ",\"hydrate\":{\"tx\":%llu,\"pages\":%u,\"pages_here\":%u,\"requests\":%llu",
                      (unsigned long long)r.tx, r.pages_total, r.pages_here, (unsigned long long)r.requests);
        if (r.error[0]) {
            buffer_text(&out, ",\"error\":");
            buffer_json_string(&out, r.error, strlen(r.error));
        }
        buffer_text(&out, "}");
    }
    if (n->follower) follower_health(n->follower, &out);
    buffer_text(&out, "}\n");
    http_reply(x, stats.wal_failed ? 503 : 200, "application/json", out.bytes, out.size);
    buffer_deinit(&out);
}

static void reply_metrics(struct node *n, struct http_exchange *x)
{
    struct metrics m = {.io = n->io, .has_backup = n->backup != NULL};
    struct store *store = skerry_store(n->keeper);
    if (store) store_stats_get(store, &m.store);
    if (n->backup) backup_status_get(n->backup, &m.backup);
    m.has_objects = n->objects != NULL;
    if (n->objects) object_store_stats_get(n->objects, &m.objects);
    m.has_hub = n->hub != NULL;
    if (n->hub) hub_stats_get(n->hub, &m.hub);
    hrana_stats_get(n->hrana, &m.hrana);
    http_server_stats_get(n->server, &m.http);
    struct buffer out = {0};
    metrics_write(&m, &out);
    if (n->follower) follower_metrics(n->follower, &out);
    if (n->feed) feed_metrics(n->feed, &out);
    http_reply(x, 200, "text/plain; version=0.0.4", out.bytes, out.size);
    buffer_deinit(&out);
}

static void handle(struct http_exchange *x)
{
    struct node *n = http_context(x);
    const char *method = http_method(x), *path = http_path(x);
    bool get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    if (get && strcmp(path, "/health") == 0) {
        reply_health(n, x);
        return;
    }
    if (get && strcmp(path, "/version") == 0) {
        char text[100];
        int size = snprintf(text, sizeof text, "skerry %s (SQLite %s)\n", skerry_version(),
                            skerry_sqlite_version());
        http_reply(x, 200, "text/plain", text, (size_t)size);
        return;
    }
    if (get && (strcmp(path, "/v2") == 0 || strcmp(path, "/v3") == 0)) {
        http_reply(x, 200, "text/plain", "", 0);
        return;
    }
    if (n->hub && hub_takes(path)) {
        hub_handle(n->hub, x);
        return;
    }
    if (!authorized(n, x)) {
        reply_json(
            x, 401,
            "{\"error\":\"Unauthorized: send the node's token as 'Authorization: Bearer TOKEN'\"}");
        return;
    }
    if (get && strcmp(path, "/metrics") == 0) {
        reply_metrics(n, x);
        return;
    }
    if (feed_takes(path) && !n->follower && !n->view) {
        struct err err = ERR_CLEAR;
        if (!n->feed) n->feed = feed_create(n->io, skerry_store(n->keeper), 0, &err);
        if (n->feed)
            feed_handle(n->feed, x, n->backup);
        else
            reply_json(x, 503, "{\"error\":\"out of memory\"}");
        return;
    }
    if (strcmp(path, "/promote") == 0 && strcmp(method, "POST") == 0) {
        if (n->follower)
            follower_promote(n->follower, x);
        else
            reply_json(x, 409, "{\"error\":\"this node is the writer: it follows nothing\"}");
        return;
    }
    bool pipeline = strcmp(path, "/v2/pipeline") == 0 || strcmp(path, "/v3/pipeline") == 0;
    bool cursor = strcmp(path, "/v3/cursor") == 0;
    if (!pipeline && !cursor) {
        reply_json(x, 404,
                   "{\"error\":\"there is nothing here; clients use /v2/pipeline, /v3/pipeline and "
                   "/v3/cursor\"}");
        return;
    }
    if (strcmp(method, "POST") != 0) {
        reply_json(x, 405, "{\"error\":\"this path takes POST only\"}");
        return;
    }
    hrana_handle(n->hrana, x, pipeline ? HRANA_PIPELINE : HRANA_CURSOR);
}

// The hub's bodies go to the disk as they come.
static bool streams(struct http_exchange *x)
{
    struct node *n = http_context(x);
    return n->hub && hub_takes(http_path(x));
}

// ---- start
// --------------------------------------------------------------------------------------------

static void on_backup_log(void *context, enum sync_log_level level, const char *event,
                          const char *text)
{
    (void)context;
    char quoted[2600];
    enum log_level l = level == SYNC_LOG_INFO   ? LOG_INFO
                       : level == SYNC_LOG_WARN ? LOG_WARN
                                                : LOG_ERROR;
    log_event(l, event, "msg=%s", log_quote(text, quoted, sizeof quoted));
}

static bool data_open(struct node *n, struct err *err)
{
    const char *data = config_text(&n->config, SETTING_DATA),
               *name = config_text(&n->config, SETTING_DATABASE);
    if (!name[0] || strlen(name) >= SYNC_NAME_MAX ||
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                     "0123456789_-.") != strlen(name) ||
        name[0] == '.') {
        err_set(err, ERR_USAGE, __func__,
                "--database is '%s'; it must be letters, digits, '_', '-' and '.'", name);
        return false;
    }
    int size = snprintf(n->path, sizeof n->path, "%s/%s.db", data, name);
    if (size < 0 || (size_t)size >= sizeof n->path - 16) {
        err_set(err, ERR_USAGE, __func__, "--data is too long a path");
        return false;
    }
    struct completion c;
    completion_init(&c, NULL, NULL);
    io_path_mkdir(n->io, data, &c);
    while (c.state == COMPLETION_PENDING) io_step(n->io, UINT64_MAX);
    bool in_memory = io_backend(n->io) == IO_BACKEND_MEMORY;
    if (c.result < 0 || (!in_memory && access(data, R_OK | W_OK | X_OK) != 0)) {
        int e = c.result < 0 ? (int)-c.result : errno;
        err_set_errno(err, ERR_CANTOPEN, e, __func__,
                      "the data directory %s cannot be written: %s; let user %u own it, or give "
                      "another with --data",
                      data, strerror(e), (unsigned)geteuid());
        return false;
    }
    return true;
}

static bool backup_open(struct node *n, struct err *err)
{
    const char *url = config_text(&n->config, SETTING_STORE);
    n->follow = config_text(&n->config, SETTING_FOLLOW);
    n->follow_node = strncmp(n->follow, "http://", 7) == 0 || strncmp(n->follow, "https://", 8) == 0;
    if (n->follow[0] && !n->follow_node) {
        if (url[0] && strcmp(url, n->follow) != 0) {
            err_set(err, ERR_USAGE, __func__, "--follow and --store name different stores; a replica of a backup has that one alone");
            return false;
        }
        url = n->follow;
    }
    if (n->follow_node && !(n->http_client = io_http_create(n->io, err))) return false;
    if (strcmp(url, "none") == 0) {
        log_event(LOG_WARN, "backup.off", "msg=\"--store is none: nothing leaves this machine\"");
        return true;
    }
    if (!url[0]) {
        snprintf(n->store_url, sizeof n->store_url, "%s/store",
                 config_text(&n->config, SETTING_DATA));
        log_event(
            LOG_WARN, "backup.same_disk",
            "msg=\"no --store is given: the backup goes to %s, on the same disk as the database\"",
            n->store_url);
        url = n->store_url;
    }
    // A directory needs no HTTP client, whose libraries would be a third of an idle node's memory.
    if (object_url_needs_http(url) && !n->http_client && !(n->http_client = io_http_create(n->io, err))) return false;
    n->objects = config_store_open(&n->config, url, n->io, n->http_client, err);
    if (!n->objects || !config_key(&n->config, &n->key, err)) return false;
    if (!n->key.given)
        log_event(LOG_WARN, "backup.unencrypted",
                  "msg=\"no key is given: the backup in the store can be read by whoever reads the "
                  "store; give one with "
                  "SKERRY_KEY_FILE\"");
    return true;
}

// What is encrypted here is encrypted in the store.
static bool encryption_check(struct node *n, struct err *err)
{
    if (n->database.key.kind == STORE_KEY_NONE || !n->objects || n->key.given) return true;
    err_set(err, ERR_USAGE, __func__,
            "the database is encrypted (--db-key or --db-passphrase), and its backup would not be: give the backup a key as well "
            "(--key or --passphrase), or --store none");
    return false;
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
                                         .log = on_backup_log},
                &done, err);
    while (done.state != COMPLETION_DONE) io_step(n->io, 1000000000);
    if (!n->remote) return false;
    remote_status_get(n->remote, &s);
    log_event(LOG_INFO, "hydrate.open", "tx=%llu pages=%u/%u ms=%llu", (unsigned long long)s.tx, s.pages_here,
              s.pages_total, (unsigned long long)((io_now_ns(n->io) - started) / 1000000));
    return true;
}

// --at, --tx: a past state, beside the database and in nobody's way.
static bool view_begin(struct node *n, struct err *err)
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
static bool restore_if_missing(struct node *n, struct err *err)
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
        if (err->code != ERR_STORE_MISSING) return false;
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
        if (io_now_ns(n->io) - told < 1000000000) continue;
        told = io_now_ns(n->io);
        log_event(LOG_INFO, "restore.progress", "pages=%llu/%llu bytes=%llu", (unsigned long long)r.pages_done,
                  (unsigned long long)r.pages_total, (unsigned long long)r.bytes_done);
    }
    bool good = r.err.code == ERR_OK && restore_bind(&r), absent = r.err.code == ERR_STORE_MISSING;
    if (good)
        log_event(LOG_INFO, "restore.done", "tx=%llu pages=%u ms=%llu",
                  (unsigned long long)r.tx, r.page_count,
                  (unsigned long long)((io_now_ns(n->io) - started) / 1000000));
    else if (absent)
        log_event(LOG_INFO, "restore.nothing",
                  "msg=\"the store holds no backup; an empty database is made\"");
    else
        err_set(err, r.err.code, __func__,
                "%s; the database's file is missing and the store could not be asked for its "
                "backup. Start with "
                "--restore never to begin with an empty database",
                r.err.text);
    restore_deinit(&r);
    return good || absent;
}

static bool database_open(struct node *n, struct err *err)
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
    o.log = on_backup_log;
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
static bool source_begin(struct node *n, struct err *err)
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
                                               .log = on_backup_log},
                                   .backup_create = promoted_backup,
                                   .context = n},
        err);
    return n->follower != NULL;
}

static void promoted(struct node *n, struct backup *backup)
{
    follower_stop(n->follower);
    follower_destroy(n->follower);
    n->follower = NULL;
    n->backup = backup;
}

static void wait_for(struct node *n, struct completion *c)
{
    while (c->state != COMPLETION_DONE)
        if (io_step(n->io, 100000000) < 0) break;
}

static void database_close(struct node *n)
{
    struct err err = ERR_CLEAR;
    if (n->keeper)
        while (skerry_close(n->keeper, &err) == SKERRY_WAIT) io_step(n->io, 100000000);
    n->keeper = NULL;
    if (err.code != ERR_OK) log_event(LOG_ERROR, "node.close", "msg=\"%s\"", err.text);
}

static void backup_end(struct node *n, u64 deadline_ns)
{
    struct completion done;
    if (!n->backup) return;
    completion_init(&done, NULL, NULL);
    backup_stop(n->backup, deadline_ns, &done);
    wait_for(n, &done);
}

// The state that came from the store is not the newest any more, and nothing was written to it: the newer one takes its place.
static bool begin_again(struct node *n, struct err *err)
{
    static const char *const FILES[] = {"", "-hydrate", "-backup", "-wal"};
    char path[4200];
    struct stat st;
    bool lazy = n->remote != NULL;
    n->again = true;
    backup_end(n, io_now_ns(n->io));
    database_close(n);
    backup_destroy(n->backup);
    n->backup = NULL;
    remote_close(n->remote);
    n->remote = NULL;
    for (u32 i = 0; i < COUNT_OF(FILES); i++) {
        snprintf(path, sizeof path, "%s%s", n->path, FILES[i]);
        unlink(path);
    }
    if (!(lazy ? remote_begin(n, 0, 0, err) : restore_if_missing(n, err))) return false;
    if (stat(n->path, &st) != 0) {
        err_set(err, ERR_STORE_MISSING, __func__, "the backup that %s came from is gone from the store", n->path);
        return false;
    }
    return source_begin(n, err) && database_open(n, err);
}

// A database that came from the store is written to when whoever wrote to its backup before is fenced, so that nothing
// that it pushed is passed over. While the store does not answer, it is there to be read.
static bool claim(struct node *n, struct err *err)
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
        } while (!s.claimed && s.state != BACKUP_REFUSED && io_now_ns(n->io) < deadline);
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
static void claim_turn(struct node *n)
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

static bool past_open(struct node *n, struct err *err)
{
    if (!n->objects) return true;
    n->past = past_create(&(struct past_options){.io = n->io,
                                                 .objects = n->objects,
                                                 .name = config_text(&n->config, SETTING_DATABASE),
                                                 .folder = config_text(&n->config, SETTING_DATA),
                                                 .key = n->key,
                                                 .database_key = &n->database.key,
                                                 .log = on_backup_log},
                          err);
    return n->past != NULL;
}

static bool hub_open(struct node *n, struct err *err)
{
    const char *directory = config_text(&n->config, SETTING_HUB_DIR),
               *token = config_text(&n->config, SETTING_HUB_TOKEN);
    if (!directory[0]) return true;
    if (strlen(token) < 16) {
        err_set(err, ERR_USAGE, __func__,
                "a hub (--hub-dir) needs a token of at least 16 characters: name its file with "
                "--hub-token-file (openssl rand -hex 32 makes one)");
        return false;
    }
    if (object_url_needs_http(directory)) {
        err_set(err, ERR_USAGE, __func__, "--hub-dir is '%s'; it must be a directory", directory);
        return false;
    }
    n->hub = hub_create(
        &(struct hub_options){.io = n->io, .directory = directory, .token = token}, err);
    if (n->hub) log_event(LOG_INFO, "hub.open", "directory=%s", directory);
    return n->hub != NULL;
}

static bool server_open(struct node *n, struct err *err)
{
    static const struct {
        enum setting setting;
        u64 min, max;
    } NUMBERS[] = {
        {SETTING_BUSY_TIMEOUT_MS, 0, 86400000},      {SETTING_STREAM_IDLE_MS, 100, 86400000},
        {SETTING_STREAMS_MAX, 1, 1 << 20},           {SETTING_ANSWER_SIZE_MAX, 1 << 10, 1ull << 34},
        {SETTING_STATEMENT_MS_MAX, 0, 86400000},     {SETTING_CONNECTIONS_MAX, 1, 1 << 20},
        {SETTING_HEADER_SIZE_MAX, 1 << 10, 1 << 24}, {SETTING_BODY_SIZE_MAX, 1 << 10, 1ull << 34},
        {SETTING_HEADER_TIMEOUT_MS, 1, 86400000},    {SETTING_BODY_TIMEOUT_MS, 1, 86400000},
        {SETTING_IDLE_TIMEOUT_MS, 1, 86400000},      {SETTING_SEND_TIMEOUT_MS, 1, 86400000},
        {SETTING_HUB_OBJECT_SIZE_MAX, 1 << 10, 1ull << 44},
    };
    u64 v[COUNT_OF(NUMBERS)];
    for (u32 i = 0; i < COUNT_OF(NUMBERS); i++)
        if (!config_number(&n->config, NUMBERS[i].setting, NUMBERS[i].min, NUMBERS[i].max, &v[i],
                           err))
            return false;
    struct hrana_options h = {.io = n->io,
                              .engine = n->engine,
                              .path = n->path,
                              .busy_timeout_ms = (u32)v[0],
                              .stream_idle_ms = (u32)v[1],
                              .streams_max = (u32)v[2],
                              .answer_size_max = v[3],
                              .statement_ms_max = v[4]};
    n->hrana = hrana_create(&h, err);
    if (!n->hrana) return false;
    struct http_server_options o = {.address = config_text(&n->config, SETTING_LISTEN),
                                    .connections_max = (u32)v[5],
                                    .header_size_max = (u32)v[6],
                                    .body_size_max = v[7],
                                    .header_timeout_ms = (u32)v[8],
                                    .body_timeout_ms = (u32)v[9],
                                    .idle_timeout_ms = (u32)v[10],
                                    .send_timeout_ms = (u32)v[11],
                                    .streams = streams,
                                    .stream_size_max = v[12],
                                    .handle = handle,
                                    .context = n};
    n->server = http_server_open(n->io, &o, err);
    return n->server != NULL;
}

// ---- stop
// ---------------------------------------------------------------------------------------------

static void on_signal(struct completion *c)
{
    struct node *n = c->context;
    struct signalfd_siginfo info;
    if (c->result >= 0 && read(n->signal_fd, &info, sizeof info) == sizeof info) {
        log_event(LOG_INFO, "node.stopping", "signal=%u", info.ssi_signo);
        n->stopping = true;
        return;
    }
    if (!n->stopping) io_poll(n->io, n->signal_fd, POLLIN, &n->signal_ready);
}

// Answers what is under way, rolls back what is open, pushes what waits, and lets go of everything.
static void node_stop(struct node *n)
{
    struct completion done;
    u64 now = n->io ? io_now_ns(n->io) : 0, deadline = now + n->shutdown_ms * 1000000;
    if (n->follower) follower_stop(n->follower);
    if (n->feed) feed_stop(n->feed);
    if (n->server) {
        completion_init(&done, NULL, NULL);
        http_server_stop(n->server, now + n->shutdown_ms * 1000000 / 2, &done);
        wait_for(n, &done);
        http_server_close(n->server);
    }
    while (n->hub && hub_busy(n->hub))
        if (io_step(n->io, 100000000) < 0) break;
    if (n->hrana) {
        completion_init(&done, NULL, NULL);
        hrana_stop(n->hrana, &done);
        wait_for(n, &done);
        hrana_destroy(n->hrana);
    }
    backup_end(n, deadline);
    database_close(n);
    feed_destroy(n->feed);
    if (n->engine) skerry_engine_destroy(n->engine);
    past_destroy(n->past);
    backup_destroy(n->backup);
    follower_destroy(n->follower);
    remote_close(n->remote);
    if (n->hub && !hub_busy(n->hub)) hub_destroy(n->hub);
    object_store_close(n->objects);
    io_http_destroy(n->http_client);
    if (n->io) {
        if (n->signal_ready.state == COMPLETION_PENDING) io_cancel(n->io, &n->signal_ready);
        io_destroy(n->io);
    }
    if (n->signal_fd >= 0) close(n->signal_fd);
    config_deinit(&n->config);
    sodium_memzero(&n->key, sizeof n->key);
    sodium_memzero(&n->database, sizeof n->database);
}

static bool node_start(struct node *n, struct err *err)
{
    enum log_level level;
    const char *level_name = config_text(&n->config, SETTING_LOG_LEVEL);
    if (!log_level_parse(level_name, &level)) {
        err_set(err, ERR_USAGE, __func__,
                "--log-level is '%s'; it must be debug, info, warn or error", level_name);
        return false;
    }
    log_level_set(level);
    if (!config_number(&n->config, SETTING_SHUTDOWN_MS, 0, 86400000, &n->shutdown_ms, err))
        return false;
    const char *token = config_text(&n->config, SETTING_AUTH_TOKEN);
    n->has_token = token[0] != 0;
    if (n->has_token)
        crypto_generichash(n->token_hash, sizeof n->token_hash, (const u8 *)token, strlen(token),
                           NULL, 0);
    n->io = config_io_open(&n->config, err);
    if (!n->io) return false;
    if (io_backend_reason(n->io)) {
        char quoted[600];
        log_event(LOG_WARN, "io.fallback", "backend=%s msg=%s", io_backend_name(n->io),
                  log_quote(io_backend_reason(n->io), quoted, sizeof quoted));
    }
    return config_database(&n->config, &n->database, err) && data_open(n, err) && backup_open(n, err) && encryption_check(n, err) && view_begin(n, err) && restore_if_missing(n, err) &&
           source_begin(n, err) && past_open(n, err) && database_open(n, err) && claim(n, err) && hub_open(n, err) && server_open(n, err);
}

int serve_command(int argc, char **argv)
{
    struct node *n = calloc(1, sizeof *n);
    struct err err = ERR_CLEAR;
    if (!n || sodium_init() < 0) {
        fprintf(stderr, "skerry: cannot start: no memory or no random numbers\n");
        return EXIT_FAILED;
    }
    n->signal_fd = -1;
    if (!config_load(&n->config, &SERVE, argc, argv, &err) ||
        (n->config.argument_count && !n->config.help)) {
        err_set(&err, ERR_USAGE, __func__, "serve takes no argument '%s'; see skerry serve --help",
                n->config.argument_count ? n->config.arguments[0] : "");
        config_deinit(&n->config);
        free(n);
        return command_failed(&err);
    }
    if (n->config.help) {
        config_help(&SERVE);
        config_deinit(&n->config);
        free(n);
        return 0;
    }
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    n->signal_fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    completion_init(&n->signal_ready, on_signal, n);
    int status = 0;
    if (node_start(n, &err)) {
        io_poll(n->io, n->signal_fd, POLLIN, &n->signal_ready);
        if (!n->view) wal_watch_start(&n->wal_watch, skerry_store(n->keeper));
        if (n->backup && !n->backup_started) backup_start(n->backup, skerry_store(n->keeper));
        if (n->follower) follower_start(n->follower, skerry_store(n->keeper));
        log_event(
            LOG_INFO, "node.listening", "address=%s port=%u io=%s database=%s store=%s auth=%s",
            config_text(&n->config, SETTING_LISTEN), http_server_port(n->server),
            io_backend_name(n->io), n->path, n->objects ? object_store_url(n->objects) : "none",
            n->has_token ? "token" : "none");
        while (!n->stopping) {
            struct backup *backup = NULL;
            if (io_step(n->io, UINT64_MAX) < 0) break;
            if (n->past) past_turn(n->past);
            if (n->unclaimed) claim_turn(n);
            if (n->follower && follower_turn(n->follower, &backup)) promoted(n, backup);
        }
        if (n->failed) status = EXIT_FAILED;
    } else {
        char quoted[2400];
        log_event(LOG_ERROR, "node.failed", "msg=%s", log_quote(err.text, quoted, sizeof quoted));
        status = err.code == ERR_USAGE ? EXIT_USAGE : EXIT_FAILED;
    }
    node_stop(n);
    if (!status) log_event(LOG_INFO, "node.stopped", " ");
    free(n);
    return status;
}
