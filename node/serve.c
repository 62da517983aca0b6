#include "log.h"
#include "metrics.h"
#include "node.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
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
        char text[sizeof n->store_url + 100], quoted[2 * sizeof text];
        snprintf(text, sizeof text, "no --store is given: the backup goes to %s, on the same disk as the database", n->store_url);
        log_event(LOG_WARN, "backup.same_disk", "msg=%s", log_quote(text, quoted, sizeof quoted));
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

static bool past_open(struct node *n, struct err *err)
{
    if (!n->objects) return true;
    n->past = past_create(&(struct past_options){.io = n->io,
                                                 .objects = n->objects,
                                                 .name = config_text(&n->config, SETTING_DATABASE),
                                                 .folder = config_text(&n->config, SETTING_DATA),
                                                 .key = n->key,
                                                 .database_key = &n->database.key,
                                                 .log = node_sync_log},
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
    char quoted[4200];
    if (n->hub) log_event(LOG_INFO, "hub.open", "directory=%s", log_value(directory, quoted, sizeof quoted));
    return n->hub != NULL;
}

struct serve_number {
    enum setting setting;
    u64 min, max;
};

static bool numbers_get(struct node *n, const struct serve_number *numbers, u32 count, u64 *out, struct err *err)
{
    for (u32 i = 0; i < count; i++)
        if (!config_number(&n->config, numbers[i].setting, numbers[i].min, numbers[i].max, &out[i], err)) return false;
    return true;
}

// A start whose address another has is over before it opens the database, which is then not closed either: its log stays
// for the replicas.
static bool server_open(struct node *n, struct err *err)
{
    static const struct serve_number NUMBERS[] = {
        {SETTING_CONNECTIONS_MAX, 1, 1 << 20},    {SETTING_HEADER_SIZE_MAX, 1 << 10, 1 << 24}, {SETTING_BODY_SIZE_MAX, 1 << 10, 1ull << 34},
        {SETTING_HEADER_TIMEOUT_MS, 1, 86400000}, {SETTING_BODY_TIMEOUT_MS, 1, 86400000},      {SETTING_IDLE_TIMEOUT_MS, 1, 86400000},
        {SETTING_SEND_TIMEOUT_MS, 1, 86400000},   {SETTING_HUB_OBJECT_SIZE_MAX, 1 << 10, 1ull << 44},
    };
    u64 v[COUNT_OF(NUMBERS)];
    if (!numbers_get(n, NUMBERS, COUNT_OF(NUMBERS), v, err)) return false;
    struct http_server_options o = {.address = config_text(&n->config, SETTING_LISTEN),
                                    .connections_max = (u32)v[0],
                                    .header_size_max = (u32)v[1],
                                    .body_size_max = v[2],
                                    .header_timeout_ms = (u32)v[3],
                                    .body_timeout_ms = (u32)v[4],
                                    .idle_timeout_ms = (u32)v[5],
                                    .send_timeout_ms = (u32)v[6],
                                    .streams = streams,
                                    .stream_size_max = v[7],
                                    .handle = handle,
                                    .context = n};
    n->server = http_server_open(n->io, &o, err);
    return n->server != NULL;
}

static bool server_start(struct node *n, struct err *err)
{
    static const struct serve_number NUMBERS[] = {
        {SETTING_BUSY_TIMEOUT_MS, 0, 86400000},      {SETTING_STREAM_IDLE_MS, 100, 86400000}, {SETTING_STREAMS_MAX, 1, 1 << 20},
        {SETTING_ANSWER_SIZE_MAX, 1 << 10, 1ull << 34}, {SETTING_STATEMENT_MS_MAX, 0, 86400000},
    };
    u64 v[COUNT_OF(NUMBERS)];
    if (!numbers_get(n, NUMBERS, COUNT_OF(NUMBERS), v, err)) return false;
    struct hrana_options h = {.io = n->io,
                              .engine = n->engine,
                              .path = n->path,
                              .busy_timeout_ms = (u32)v[0],
                              .stream_idle_ms = (u32)v[1],
                              .streams_max = (u32)v[2],
                              .answer_size_max = v[3],
                              .statement_ms_max = v[4]};
    n->hrana = hrana_create(&h, err);
    return n->hrana && http_server_start(n->server, err);
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
        if (!n->started && n->objects) object_store_interrupt(n->objects); // what a start waits for; the next one goes on with it
        return;
    }
    if (!n->stopping) io_poll(n->io, n->signal_fd, POLLIN, &n->signal_ready);
}

// Answers what is under way, rolls back what is open, pushes what waits, and lets go of everything.
static void node_stop(struct node *n)
{
    struct completion done;
    u64 now = n->io ? io_now_ns(n->io) : 0, deadline = n->started ? now + n->shutdown_ms * 1000000 : now;
    n->stopping = true;
    if (n->follower) follower_stop(n->follower);
    if (n->feed) feed_stop(n->feed);
    if (n->server) {
        completion_init(&done, NULL, NULL);
        http_server_stop(n->server, now + n->shutdown_ms * 1000000 / 2, &done);
        node_wait(n, &done);
        http_server_close(n->server);
    }
    while (n->hub && hub_busy(n->hub))
        if (io_step(n->io, 100000000) < 0) break;
    if (n->hrana) {
        completion_init(&done, NULL, NULL);
        hrana_stop(n->hrana, &done);
        node_wait(n, &done);
        hrana_destroy(n->hrana);
    }
    node_backup_end(n, deadline);
    node_database_close(n);
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
    io_poll(n->io, n->signal_fd, POLLIN, &n->signal_ready);
    static bool (*const STEPS[])(struct node *n, struct err *err) = {
        data_open,         server_open, backup_open,        encryption_check, node_view_begin, node_restore,
        node_source_begin, past_open,   node_database_open, node_claim,       hub_open,        server_start,
    };
    if (!config_database(&n->config, &n->database, err)) return false;
    for (u32 i = 0; i < COUNT_OF(STEPS); i++)
        if (n->stopping || !STEPS[i](n, err)) return false;
    return true;
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
        n->started = true;
        if (!n->view) wal_watch_start(&n->wal_watch, skerry_store(n->keeper));
        if (n->backup && !n->backup_started) backup_start(n->backup, skerry_store(n->keeper));
        if (n->follower) follower_start(n->follower, skerry_store(n->keeper));
        char path[4200], url[4200];
        log_event(LOG_INFO, "node.listening", "address=%s port=%u io=%s database=%s store=%s auth=%s",
                  config_text(&n->config, SETTING_LISTEN), http_server_port(n->server), io_backend_name(n->io),
                  log_value(n->path, path, sizeof path),
                  n->objects ? log_value(object_store_url(n->objects), url, sizeof url) : "none", n->has_token ? "token" : "none");
        while (!n->stopping) {
            struct backup *backup = NULL;
            if (io_step(n->io, UINT64_MAX) < 0) break;
            if (n->past) past_turn(n->past);
            if (n->unclaimed) node_claim_turn(n);
            if (n->follower && follower_turn(n->follower, &backup)) node_promoted(n, backup);
        }
        if (n->failed) status = EXIT_FAILED;
    } else if (!n->stopping) {
        char quoted[2400];
        log_event(LOG_ERROR, "node.failed", "msg=%s", log_quote(err.text, quoted, sizeof quoted));
        status = err.code == ERR_USAGE ? EXIT_USAGE : EXIT_FAILED;
    }
    node_stop(n);
    if (!status) log_event(LOG_INFO, "node.stopped", " ");
    free(n);
    return status;
}
