// Goal: whatever happens to a node, its clock and its store, what the backup restores is a state that the database had:
// the newest is not older than what was told to be pushed, each transaction and moment gives the state of then,
// a clone never mixes its history with another's, and what is stored stays within bounds.
// Method: one seed makes a world: lives of a node (an engine with its backup) on a simulated disk, beside a simulated
// store (tests/sim/cloud.h) with lost replies, 503s, dropped connections, partial lists and outages of up to weeks;
// volumes are lost, and the database is opened from the store while its pages come; a volume whose node ended before it had
// claimed the backup is started again, after another node wrote to it or not; lives end by a crash at some operation of the disk, or cleanly; clocks jump, by years in some worlds, where transactions are larger than the
// cache now and then; a copy of the volume goes on by itself,
// while the first node or the copy stands still, or neither.
// In some worlds listings are up to five minutes behind what was put and deleted, at all times (SIM_STALE=1: in each).
// In some worlds the disk is full now and then, and syncs fail, while a node lives and while a restore is cut off.
// The database holds the number of its newest transaction, so that a restored file, read and checked by SQLite's
// library, says which state of the model it must equal. Events are counted: one that never came fails the test.
// The kinds of world (what the store can, objects in shards or not, with a key or without, files encrypted at rest or not, disks that refuse direct writes) come in turns, so that
// twelve in a row, from any seed on, have each. SIM_WORLDS=n runs n worlds from SEED on (12).
#include "../../engine/skerry.h"
#include "../../io/sim.h"
#include "../../sync/inspect.h"
#include "../../sync/names.h"
#include "../../sync/remote.h"
#include "../../sync/restore.h"
#include "../../sync/sync.h"
#include "cloud.h"
#include "events.h"

#include <sqlite3.h>
#include <unistd.h>

#define ROWS      120u
#define STEPS_MAX 1200u
#define SECOND_NS 1000000000ull

// States of one writer: what each row held after its k-th transaction (0: not there).
struct history {
    u16 rows[STEPS_MAX][ROWS]; // the transaction that wrote it
    u8 writer[STEPS_MAX][ROWS];
    s64 at_ms[STEPS_MAX];
    u32 count; // the newest
};
struct counters {
    u64 lives, crashes, clean_stops, commits, restores, restores_tx, restores_time, resumed, fenced, clones, images, merges, deleted, outages, jumps,
        discontinuous, let_go, large, cut_off, named, refusing, accepting, refused_commits, missing, encrypted, sealed, unconditional, volumes_lost, lazy_lives, lazy_pushes,
        not_arrived, disk_faults, hydrated, no_database, started_again, written_meanwhile, behind, overtaken, stood_still, shards, rekeyed, rekeys_failed, restored_at_once, cancelled;
};
struct node {
    struct world *w;
    char path[64];
    u32 writer;
    struct skerry_engine *engine;
    struct skerry *db;
    struct object_store *store;
    struct backup *backup;
    struct remote *remote; // its pages come from the store
    u64 segments;          // pushed, when it was looked at last
    bool refused; // the newest statement, because too much waits for the store, or a page cannot be had from it
};
struct world {
    struct sim *sim;
    struct io *io;
    struct cloud cloud;
    u64 seed, start_seed;
    struct history *histories[4];
    u32 writers;
    struct master_key key;
    struct store_key database_key; // of its files
    struct counters *counters;
    u32 row_size;
    bool large; // some transactions are larger than the cache
    bool years; // clocks jump by years, and begin in 1970
    bool rekeys;
    bool disk;  // it is full, and its syncs fail, now and then
    bool failed, jumped, rewind; // rewind: the volume was lost, and what was in the store is not known yet
    bool between;   // the life of another node, before this one's claim
    u64 pause_ns;   // so long the next node stands still before its claim
    bool unclaimed; // the new volume's node, when it was looked at last: it has not served
    u32 restore_number;
    u64 pushed[4]; // of each writer: the newest transaction that was told to be in the store
};

static void world_failed(struct world *w, const char *what, const char *why)
{
    if (getenv("SIM_LOG") && !w->failed) cloud_show(&w->cloud, io_now_ns(w->io));
    test_fail(__FILE__, __LINE__, "seed %llu: %s: %s", (unsigned long long)w->start_seed, what, why);
    w->failed = true;
}

static void turn(struct world *w, u64 ns)
{
    for (u64 end = io_now_ns(w->io) + ns; io_now_ns(w->io) < end && !sim_is_down(w->io);) io_step(w->io, end - io_now_ns(w->io));
}

static void on_log(void *context, enum sync_log_level level, const char *event, const char *text)
{
    struct node *n = context;
    if (getenv("SIM_LOG")) printf("    [%llu] %s %s: %s\n", (unsigned long long)(io_now_ns(n->w->io) / 1000000), n->path, event, text);
    if (strcmp(event, "backup.discontinuous") == 0) n->w->counters->discontinuous++;
    if (strcmp(event, "backup.wal_limit") == 0) n->w->counters->let_go++;
    if (strcmp(event, "backup.refusing_commits") == 0) n->w->counters->refusing++;
    if (strcmp(event, "backup.accepting_commits") == 0) n->w->counters->accepting++;
    if (strcmp(event, "backup.contended") == 0 && strstr(text, "after this one had looked")) n->w->counters->overtaken++;
}

// ---- the database
// ------------------------------------------------------------------------------------------

static int meta_row(void *context, struct skerry_stmt *s)
{
    u64 *out = context;
    out[0] = (u64)skerry_column_integer(s, 0);
    out[1] = (u64)skerry_column_integer(s, 1);
    return 0;
}

static void disk_weather(struct world *w, bool bad)
{
    sim_fault_rate(w->sim, SIM_WRITE_FULL, bad && w->disk ? 10000 : 0);
    sim_fault_rate(w->sim, SIM_SYNC_ERROR, bad && w->disk ? 40000 : 0);
}

static bool disk_failed(const struct world *w, const struct err *err)
{
    return w->disk && (err->code == ERR_FULL || (err->code & 0xff) == ERR_IOERR);
}

static bool exec(struct node *n, const char *sql)
{
    int rc = skerry_exec(n->db, sql, NULL, NULL);
    struct backup_status s;
    n->refused = false;
    if (rc == SKERRY_OK) return true;
    backup_status_get(n->backup, &s);
    if (s.refusing && skerry_error(n->db)->code == ERR_FULL) {
        n->w->counters->refused_commits++;
        n->refused = true;
        return false;
    }
    if (n->remote && strstr(skerry_error(n->db)->text, "has not arrived yet")) {
        n->w->counters->not_arrived++;
        n->refused = true;
        (void)skerry_exec(n->db, "ROLLBACK", NULL, NULL);
        return false;
    }
    if (!sim_is_down(n->w->io) && disk_failed(n->w, skerry_error(n->db))) {
        n->w->counters->disk_faults++;
        n->refused = strcmp(sql, "COMMIT") != 0 && strcmp(sql, "VACUUM") != 0 && !strstr(skerry_error(n->db)->text, "takes no more writes");
        if (n->refused)
            (void)skerry_exec(n->db, "ROLLBACK", NULL, NULL);
        else
            sim_crash(n->w->sim); // whether it is there is known at the next start
        return false;
    }
    if (!sim_is_down(n->w->io)) world_failed(n->w, sql, skerry_error(n->db)->text);
    return false;
}

// Bytes of row `id` as transaction k of a writer wrote it, as SQL.
static u32 row_size(const struct world *w, u32 writer, u32 k, u32 id)
{
    u64 state = writer * 1000003ull + k * 7919ull + id;
    return 20 + (u32)(test_random(&state) % w->row_size);
}

static bool commit(struct node *n)
{
    struct world *w = n->w;
    struct history *h = w->histories[n->writer];
    u32 k = h->count + 1, changes = 1 + (u32)(test_random(&w->seed) % 6);
    if (k >= STEPS_MAX) return true;
    memcpy(h->rows[k], h->rows[k - 1], sizeof h->rows[k]);
    memcpy(h->writer[k], h->writer[k - 1], sizeof h->writer[k]);
    char sql[300];
    if (!exec(n, "BEGIN IMMEDIATE")) return n->refused; // nothing has changed, and life goes on
    if (test_random(&w->seed) % 40 == 0) {
        // Many rows go, and the file shrinks later.
        if (!exec(n, "DELETE FROM t WHERE id > 20")) return n->refused;
        for (u32 id = 21; id < ROWS; id++) h->rows[k][id] = 0;
    }
    for (u32 i = 0; i < changes; i++) {
        u32 id = 1 + (u32)(test_random(&w->seed) % (ROWS - 1));
        if (test_random(&w->seed) % 8 == 0) {
            snprintf(sql, sizeof sql, "DELETE FROM t WHERE id = %u", id);
            h->rows[k][id] = 0;
        } else {
            snprintf(sql, sizeof sql, "INSERT OR REPLACE INTO t VALUES (%u, '%u:%u:' || hex(zeroblob(%u)))", id, n->writer, k, row_size(w, n->writer, k, id));
            h->rows[k][id] = (u16)k;
            h->writer[k][id] = (u8)n->writer;
        }
        if (!exec(n, sql)) return n->refused;
    }
    if (test_random(&w->seed) % 3 == 0) {
        snprintf(sql, sizeof sql, "UPDATE pad SET k = %u, v = zeroblob(%u) WHERE id = %u", k, (u32)(test_random(&w->seed) % 12000), (u32)(test_random(&w->seed) % 65));
        if (!exec(n, sql)) return n->refused;
    }
    if (w->large && k % 20 == 7) {
        snprintf(sql, sizeof sql, "UPDATE pad SET k = %u, v = zeroblob(%u)", k, 8000 + k * 7919 % 5000); // more than the cache holds
        if (!exec(n, sql)) return n->refused;
        w->counters->large++;
    }
    snprintf(sql, sizeof sql, "UPDATE meta SET writer = %u, k = %u", n->writer, k);
    if (!exec(n, sql) || !exec(n, "COMMIT")) return n->refused;
    h->count = k;
    h->at_ms[k] = io_wall_ms(w->io);
    w->counters->commits++;
    return true;
}

// What SQLite says of the node's own files: a fault there is not the backup's.
static void source_show(struct world *w)
{
    static const char *const FILES[] = {"", "-wal"};
    char from[80], copy[600];
    for (u32 i = 0; i < COUNT_OF(FILES); i++) {
        u64 size = 0;
        snprintf(from, sizeof from, "/data/a.db%s", FILES[i]);
        snprintf(copy, sizeof copy, "%s/source.db%s", test_dir(), FILES[i]);
        u8 *bytes = sim_file_get(w->sim, from, &size);
        FILE *f = fopen(copy, "wb");
        if (f && bytes && size) (void)!fwrite(bytes, size, 1, f);
        if (f) fclose(f);
        free(bytes);
    }
    snprintf(copy, sizeof copy, "%s/source.db", test_dir());
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;
    sqlite3_open(copy, &db);
    if (sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        printf("  the node's own file: %.300s\n", (const char *)sqlite3_column_text(s, 0));
    sqlite3_finalize(s);
    sqlite3_close(db);
}

// The restored file, by SQLite's library: is it the state that it says it is? k of it, or -1.
static s64 file_check(struct world *w, const char *path, u32 *writer)
{
    u64 size;
    u8 *bytes = sim_file_get(w->sim, path, &size);
    char copy[600];
    snprintf(copy, sizeof copy, "%s/restored.db", test_dir());
    FILE *f = fopen(copy, "wb");
    if (!bytes || !f || (size && fwrite(bytes, size, 1, f) != 1)) {
        world_failed(w, "the restored file", "is not there");
        free(bytes);
        if (f) fclose(f);
        return -1;
    }
    fclose(f);
    free(bytes);
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;
    s64 k = -1;
    char why[200] = "";
    sqlite3_open(copy, &db);
    if (sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &s, NULL) != SQLITE_OK || sqlite3_step(s) != SQLITE_ROW)
        snprintf(why, sizeof why, "integrity_check: %s", sqlite3_errmsg(db));
    else if (strcmp((const char *)sqlite3_column_text(s, 0), "ok") != 0)
        snprintf(why, sizeof why, "integrity_check: %s", (const char *)sqlite3_column_text(s, 0));
    sqlite3_finalize(s);
    s = NULL;
    if (!why[0] && sqlite3_prepare_v2(db, "SELECT writer, k FROM meta", -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW) {
        *writer = (u32)sqlite3_column_int(s, 0);
        k = sqlite3_column_int64(s, 1);
    } else {
        k = 0; // before the tables were made
        *writer = 0;
    }
    sqlite3_finalize(s);
    s = NULL;
    const struct history *h = *writer < w->writers ? w->histories[*writer] : NULL;
    if (!h || k > (s64)STEPS_MAX) snprintf(why, sizeof why, "writer %u, transaction %lld", *writer, (long long)k);
    u32 found = 0, want = 0;
    for (u32 id = 0; h && id < ROWS; id++) want += h->rows[k][id] != 0;
    if (!why[0] && sqlite3_prepare_v2(db, "SELECT id, v FROM t", -1, &s, NULL) == SQLITE_OK)
        while (!why[0] && sqlite3_step(s) == SQLITE_ROW) {
            u32 id = (u32)sqlite3_column_int(s, 0), by, at;
            const char *text = (const char *)sqlite3_column_text(s, 1);
            int used = 0;
            if (sscanf(text, "%u:%u:%n", &by, &at, &used) != 2 || id >= ROWS || h->rows[k][id] != at || h->writer[k][id] != by ||
                strlen(text) - (size_t)used != 2 * row_size(w, by, at, id))
                snprintf(why, sizeof why, "row %u of state %lld of writer %u is %.30s, want %u:%u", id, (long long)k, *writer, text, h->writer[k][id % ROWS], h->rows[k][id % ROWS]);
            found++;
        }
    sqlite3_finalize(s);
    sqlite3_close(db);
    unlink(copy);
    if (!why[0] && found != want) snprintf(why, sizeof why, "%u rows of state %lld, want %u", found, (long long)k, want);
    if (why[0]) {
        world_failed(w, "the restored database", why);
        source_show(w);
        return -1;
    }
    return k;
}

// ---- restores
// ----------------------------------------------------------------------------------------------

struct restored {
    s64 k;
    u32 writer;
    u64 tx;
    s64 time_ms;
    enum { RESTORED, RESTORE_MISSING, RESTORE_FAILED, RESTORE_DOWN } how;
    struct err err; // why it is missing
};

static struct restored restore_one(struct world *w, u64 tx, s64 time_ms, bool cancelled)
{
    struct restored out = {.k = -1, .how = RESTORE_DOWN};
    struct object_store *store = cloud_open(&w->cloud, w->io);
    char path[64];
    u64 size;
    // One that a crash ended goes on; a file that has its name is whole.
    snprintf(path, sizeof path, "/data/out-%u.db", w->restore_number);
    u8 *there = sim_file_get(w->sim, path, &size);
    free(there);
    if (there) {
        w->counters->named++;
        (void)file_check(w, path, &out.writer);
        w->restore_number++;
    }
    for (u32 i = 0; i < (cancelled ? 2u : 1u); i++) {
        struct restore r = {0};
        struct restore_options o = {.io = w->io, .objects = store, .name = "db", .out_path = path, .key = w->key, .decrypt = true, .tx = tx, .time_ms = time_ms, .parallel = 3};
        snprintf(path, sizeof path, "/data/out-%u.db", w->restore_number);
        completion_init(&r.done, NULL, NULL);
        restore_start(&r, &o);
        while (r.done.state != COMPLETION_DONE && !sim_is_down(w->io)) {
            io_step(w->io, SECOND_NS);
            if (cancelled && i == 0 && r.pages_done > 3) restore_cancel(&r);
        }
        while (r.done.state != COMPLETION_DONE) io_step(w->io, SECOND_NS);
        if (cancelled && i == 0 && r.err.code == ERR_CANCELLED) {
            restore_deinit(&r);
            continue;
        }
        if (r.pages_resumed) w->counters->resumed++;
        out.tx = r.tx, out.time_ms = r.time_ms;
        if (sim_is_down(w->io)) {
            w->counters->cut_off += r.pages_done > 0;
            out.how = RESTORE_DOWN;
        } else if (r.err.code == ERR_STORE_MISSING || r.err.code == ERR_STORE_EMPTY) {
            out.how = RESTORE_MISSING;
            out.err = r.err;
            w->counters->missing++;
        } else if (r.err.code != ERR_OK) {
            out.how = RESTORE_FAILED;
            if (disk_failed(w, &r.err)) w->counters->disk_faults++;
            else if (!object_error_passes(&r.err)) world_failed(w, "restore", r.err.text);
        } else {
            out.how = RESTORED;
            out.k = file_check(w, path, &out.writer);
            w->counters->restores++;
        }
        restore_deinit(&r);
        break;
    }
    if (out.how != RESTORE_DOWN) w->restore_number++;
    object_store_close(store);
    return out;
}

// Whose states restores give.
static u64 head_lineage(struct world *w)
{
    const struct cloud_object *o = cloud_find(&w->cloud, "db/head");
    struct head h = {0};
    u64 lineage = o && head_decode(o->bytes, o->size, &h) ? h.lineage : 0;
    head_deinit(&h);
    return lineage;
}

static void restore_some(struct world *w)
{
    u64 lineage = head_lineage(w);
    u32 chance = w->cloud.lost_reply;
    bool quiet = !chance && !w->cloud.partial_list && !w->cloud.away;
    struct restored newest = restore_one(w, 0, 0, test_random(&w->seed) % 3 == 0);
    if (quiet && newest.how == RESTORE_MISSING && w->pushed[0]) world_failed(w, "the newest restore", newest.err.text);
    if (w->failed || newest.how != RESTORED) return;
    if (quiet && newest.k < (s64)w->pushed[newest.writer]) {
        char why[100];
        snprintf(why, sizeof why, "state %lld of writer %u, and %llu was told to be pushed", (long long)newest.k, newest.writer, (unsigned long long)w->pushed[newest.writer]);
        world_failed(w, "the newest restore", why);
    }
    u64 tx = 1 + test_random(&w->seed) % newest.tx;
    struct restored then = restore_one(w, tx, 0, false);
    if (then.how == RESTORED && head_lineage(w) == lineage) { // a writer that goes on meanwhile may begin another, with tx of its own
        w->counters->restores_tx++;
        if (then.tx != tx || (then.writer == newest.writer && then.k > newest.k)) world_failed(w, "restore of a transaction", "is of another");
    }
    // A moment of the life of the database: not newer than it, and nothing that was pushed long before is missing.
    const struct history *h = w->histories[newest.writer];
    u32 k = 1 + (u32)(test_random(&w->seed) % MAX(h->count, 1u));
    s64 at = h->at_ms[k];
    if (!at || w->failed) return;
    struct restored moment = restore_one(w, 0, at, false);
    if (moment.how != RESTORED) return;
    w->counters->restores_time++;
    if (moment.time_ms > at) world_failed(w, "restore of a moment", "is of a later one");
    if (!w->jumped && moment.writer == newest.writer && moment.k > (s64)k && h->at_ms[moment.k] > at) world_failed(w, "restore of a moment", "holds a later commit");
}

// ---- lives
// -------------------------------------------------------------------------------------------------

static const struct backup_options SMALL = {
    .interval_ms = 500,
    .head_interval_ms = 2000,
    .period_ms = {0, 4000, 20000, 80000, 200000},
    .keep_ms = {10000, 40000, 160000, 300000, 2000000},
    .cpu_percent = 100,
};

// The database's file, with its pages in the store: of a volume that was lost, or one that is not all here yet.
static bool remote_begin(struct world *w, struct node *n, bool fresh, bool *none)
{
    struct err err = ERR_CLEAR;
    struct completion done;
    completion_init(&done, NULL, NULL);
    remote_open(&n->remote,
                &(struct remote_options){.io = w->io, .objects = n->store, .name = "db", .path = n->path, .key = w->key, .database_key = &w->database_key, .keep = true,
                                         .hydrate = test_random(&w->seed) % 2, .log = on_log, .log_context = n},
                &done, &err);
    while (done.state != COMPLETION_DONE) io_step(w->io, SECOND_NS);
    *none = !n->remote && err.code == ERR_STORE_EMPTY;
    if (!n->remote && !*none && !sim_is_down(w->io)) world_failed(w, fresh ? "opening from the store" : "opening what is here", err.text);
    if (n->remote) w->counters->lazy_lives++;
    return n->remote || *none;
}

// A new volume holds what the store had: all that was told to be pushed, and nothing of what was not.
static bool history_rewind(struct world *w, struct node *n)
{
    u64 meta[2] = {0};
    struct history *h = w->histories[n->writer];
    char why[100];
    int rc = skerry_exec(n->db, "SELECT writer, k FROM meta", meta_row, meta);
    if (sim_is_down(w->io) || (rc != SKERRY_OK && strstr(skerry_error(n->db)->text, "has not arrived yet"))) return false;
    if (meta[1] > h->count || meta[1] < w->pushed[n->writer]) {
        snprintf(why, sizeof why, "it is at %llu; %llu were pushed, %u made", (unsigned long long)meta[1], (unsigned long long)w->pushed[n->writer], h->count);
        world_failed(w, "the database that was opened from the store", why);
        return false;
    }
    h->count = (u32)meta[1];
    w->rewind = false;
    return true;
}

static void life_between(struct world *w);

// As a node does before it serves: so that nothing that the earlier writer pushed is passed over. *behind: something was.
static bool claim(struct node *n, bool *behind)
{
    struct world *w = n->w;
    struct backup_status s;
    if (!w->between && cloud_find(&w->cloud, "db/head") && test_random(&w->seed) % 3 == 0) life_between(w);
    bool ends = !w->between && test_random(&w->seed) % 2; // before it is the writer, or at about that time
    u64 end = io_now_ns(w->io) + (ends ? test_random(&w->seed) % (SECOND_NS / 3) : 600 * SECOND_NS);
    if (!exec(n, "SELECT count(*) FROM sqlite_schema")) return false; // opens it
    backup_start(n->backup, skerry_store(n->db));
    do {
        io_step(w->io, ends ? SECOND_NS / 1000 : SECOND_NS);
        backup_status_get(n->backup, &s);
    } while (!s.claimed && s.state != BACKUP_REFUSED && !sim_is_down(w->io) && io_now_ns(w->io) < end);
    if (sim_is_down(w->io)) return false;
    *behind = !s.claimed && s.behind;
    w->counters->behind += *behind;
    if (!s.claimed && !s.behind && !ends) world_failed(w, "the claim of a node that was opened from the store", s.error);
    w->unclaimed = !s.claimed;
    return s.claimed;
}

static bool node_begin(struct world *w, struct node *n, const char *path, u32 writer, u64 wal_bytes_max, bool lost, bool *behind)
{
    struct err err = ERR_CLEAR;
    *n = (struct node){.w = w, .writer = writer};
    snprintf(n->path, sizeof n->path, "%s", path);
    n->store = cloud_open(&w->cloud, w->io);
    cloud_pause(n->store, "/claim/", w->pause_ns);
    w->pause_ns = 0;
    bool none = false;
    if (lost || remote_is_partial(w->io, path)) {
        if (!remote_begin(w, n, lost, &none)) return false;
        if (lost && none) { // there is nothing yet: nothing was pushed
            w->counters->no_database++;
            if (w->pushed[writer]) world_failed(w, "opening from the store", "there is no backup, and one was told to be there");
        }
    }
    struct skerry_engine_options engine = {.io = w->io, .key = &w->database_key, .cache_bytes = 100 * 4096, .checkpoint_frames = 60, .temp_dir = "/tmp"};
    if (!skerry_engine_create(&engine, &n->engine, &err) || !skerry_open(n->engine, n->path, SKERRY_OPEN_CREATE, &n->db, &err)) abort();
    struct backup_options o = SMALL;
    o.io = w->io, o.objects = n->store, o.name = "db", o.database_path = n->path, o.key = w->key, o.log = on_log, o.log_context = n;
    o.wal_bytes_max = wal_bytes_max;
    o.remote = n->remote;
    o.wal_full = test_random(&w->seed) % 2 ? BACKUP_WAL_REFUSE : BACKUP_WAL_RESTART;
    n->backup = backup_create(&o, &err);
    if (!n->backup) abort();
    bool fresh = w->unclaimed = backup_unclaimed(n->backup);
    if (fresh && !claim(n, behind)) return false;
    struct history *h = w->histories[writer];
    if (w->rewind && !history_rewind(w, n)) return false;
    if (!exec(n, "CREATE TABLE IF NOT EXISTS t(id INTEGER PRIMARY KEY, v TEXT)") || !exec(n, "CREATE TABLE IF NOT EXISTS meta(writer, k)") ||
        !exec(n, "INSERT INTO meta SELECT 0, 0 WHERE NOT EXISTS (SELECT 1 FROM meta)") ||
        // Pages enough for some to be far away.
        !exec(n, "CREATE TABLE IF NOT EXISTS pad(id INTEGER PRIMARY KEY, k, v)") ||
        !exec(n, "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 64) INSERT INTO pad SELECT i, 0, zeroblob(9000) FROM s WHERE NOT EXISTS (SELECT 1 FROM pad)"))
        return false;
    u64 meta[2] = {0};
    if (skerry_exec(n->db, "SELECT writer, k FROM meta", meta_row, meta) != SKERRY_OK) return false;
    // A commit that was not answered may be there all the same.
    if (meta[0] == writer && meta[1] == h->count + 1) h->at_ms[meta[1]] = io_wall_ms(w->io), h->count++;
    if (meta[1] != h->count && !(meta[1] == 0 && h->count == 0)) {
        char why[100];
        snprintf(why, sizeof why, "it holds transaction %llu of writer %llu, want %u", (unsigned long long)meta[1], (unsigned long long)meta[0], h->count);
        world_failed(w, "the database after recovery", why);
        return false;
    }
    if (!fresh) backup_start(n->backup, skerry_store(n->db));
    return true;
}

static void pushed_note(struct node *n)
{
    struct backup_status s;
    backup_status_get(n->backup, &s);
    if (n->remote && !remote_whole(n->remote)) n->w->counters->lazy_pushes += s.pushed_segments - n->segments;
    n->segments = s.pushed_segments;
    if (s.state != BACKUP_REFUSED && !s.behind_since_ms && s.tx && s.state == BACKUP_IDLE) n->w->pushed[n->writer] = n->w->histories[n->writer]->count;
}

static void node_close(struct node *n, bool clean)
{
    struct world *w = n->w;
    struct completion done;
    struct backup_status s;
    completion_init(&done, NULL, NULL);
    if (!n->backup) { // its life ended before it was open
        remote_close(n->remote);
        object_store_close(n->store);
        return;
    }
    backup_stop(n->backup, io_now_ns(w->io) + (clean ? 20 : 0) * SECOND_NS, &done);
    while (done.state != COMPLETION_DONE) io_step(w->io, SECOND_NS);
    backup_status_get(n->backup, &s);
    if (n->remote) {
        struct remote_status r;
        remote_status_get(n->remote, &r);
        w->counters->hydrated += r.whole;
    }
    w->counters->fenced += s.state == BACKUP_REFUSED;
    w->counters->images += s.images;
    w->counters->merges += s.merges;
    w->counters->deleted += s.deleted_objects;
    struct err err = ERR_CLEAR;
    while (skerry_close(n->db, &err) == SKERRY_WAIT) io_step(w->io, SECOND_NS);
    skerry_engine_destroy(n->engine);
    backup_destroy(n->backup);
    remote_close(n->remote);
    object_store_close(n->store);
}

static bool node_open(struct world *w, struct node *n, char path[64], u32 writer, u64 wal_bytes_max, bool lost)
{
    for (u32 i = 0;; i++) {
        bool behind = false;
        if (node_begin(w, n, path, writer, wal_bytes_max, lost, &behind)) return true;
        if (!behind || w->failed) return false;
        if (i == 60) world_failed(w, "the claim of a node that was opened from the store", "something newer is there, again and again");
        if (w->failed) return false;
        node_close(n, false);
        snprintf(path, 64, "/data/again-%u-%u.db", w->restore_number, i);
        lost = true;
    }
}

static void weather(struct world *w, bool clear)
{
    struct cloud *c = &w->cloud;
    bool bad = !clear && test_random(&w->seed) % 2;
    c->lost_reply = bad ? 60 : 0;
    c->unavailable = bad ? (u32)(test_random(&w->seed) % 300) : 0;
    c->dropped = bad ? 60 : 0;
    c->partial_list = !clear && test_random(&w->seed) % 4 == 0 ? 300 : 0;
    c->away = false;
}

// The lineage that restores read opens with it.
static bool key_opens(struct world *w, const struct master_key *key)
{
    char name[OBJECT_KEY_MAX];
    struct segment_key data;
    struct err err = ERR_CLEAR;
    u64 lineage = head_lineage(w);
    name_key("db", lineage, name);
    const struct cloud_object *o = cloud_find(&w->cloud, name);
    return o && keyring_unwrap(key, lineage, o->bytes, o->size, name, &data, &err) == ERR_OK;
}

// The node that runs knows the key from before; who comes later, or restores, has the one that the command said is valid.
// When it said none, the one that is tried first and opens the backup.
static void rekey(struct world *w)
{
    struct err err = ERR_CLEAR;
    struct object_store *store = cloud_open(&w->cloud, w->io);
    struct master_key to = {.given = true};
    for (u32 i = 0; i < 32; i++) to.bytes[i] = (u8)test_random(&w->seed);
    struct inspect *x = inspect_open(&(struct inspect_options){.io = w->io, .objects = store, .database = "db", .key = w->key}, &err);
    bool good = x && inspect_rekey(x, &to, &err);
    if (getenv("SIM_LOG")) printf("    [%llu] rekey: %s\n", (unsigned long long)(io_now_ns(w->io) / 1000000), good ? "done" : err.text);
    inspect_close(x);
    object_store_close(store);
    w->counters->rekeyed += good;
    w->counters->rekeys_failed += !good;
    if (good || key_opens(w, &to)) w->key = to;
    if (!good && (err.code == ERR_STORE_KEY || err.code == ERR_STORE_CORRUPT)) world_failed(w, "rekey", err.text);
}

static void life_act(struct node *n)
{
    struct world *w = n->w;
    s64 jump;
    switch (test_random(&w->seed) % 24) {
    case 0: weather(w, false); break;
    case 1:
        turn(w, (1 + test_random(&w->seed) % 120) * SECOND_NS); // nothing happens for a while
        break;
    case 2:
        (void)exec(n, test_random(&w->seed) % 2 ? "PRAGMA wal_checkpoint(TRUNCATE)" : "VACUUM");
        break;
    case 3:
        w->cloud.away = true;
        w->counters->outages++;
        for (u32 i = 0; i < 12 && commit(n); i++) turn(w, test_random(&w->seed) % (test_random(&w->seed) % 4 ? 20 : 86400) * SECOND_NS);
        w->cloud.away = false;
        break;
    case 4:
        if (test_random(&w->seed) % 3) break;
        w->counters->jumps++;
        w->jumped = true;
        jump = (s64)(test_random(&w->seed) % 200000) - 100000;
        if (w->years) jump = jump < 0 ? 5000 - io_wall_ms(w->io) : jump * 3000000; // to 1970, or by up to ten years
        sim_wall_jump(w->sim, jump);
        break;
    case 5: restore_some(w); break;
    case 6:
        if (w->rekeys) rekey(w);
        break;
    default:
        if (commit(n)) turn(w, test_random(&w->seed) % (3 * SECOND_NS));
        pushed_note(n);
    }
}

// One goes on while the other stands still; the copy is then told that its commits are in the store only when they are, and
// the first one that its commit is not.
static void stand_still(struct world *w, struct node *awake, struct node *still, u64 ns)
{
    struct backup_status s;
    u64 late = w->cloud.counters.late_puts;
    backup_status_get(still->backup, &s);
    u64 segments = s.pushed_segments;
    for (u64 end = io_now_ns(w->io) + ns; io_now_ns(w->io) < end && commit(awake) && !sim_is_down(w->io);) turn(w, test_random(&w->seed) % (2 * SECOND_NS));
    weather(w, true);
    turn(w, 20 * SECOND_NS);
    struct node *copy = still->writer ? still : awake;
    if (sim_is_down(w->io) || w->failed || !commit(copy)) return;
    turn(w, 150 * SECOND_NS);
    backup_status_get(copy->backup, &s);
    if (sim_is_down(w->io)) return;
    // A copy of a volume that was not all here stood still for longer than the store keeps what it lacks.
    if (copy == still && copy->remote && !remote_whole(copy->remote) && strstr(s.error, "is not in the backup by itself (any more)")) return;
    if (s.state != BACKUP_IDLE || s.behind_since_ms) world_failed(w, "a copy beside a node that stood still, or that did", s.error);
    struct restored newest = restore_one(w, 0, 0, false);
    if (newest.how == RESTORED && (newest.writer != copy->writer || newest.k != w->histories[copy->writer]->count))
        world_failed(w, "one of two nodes stood still", "what the later one was told to be pushed is not what is restored");
    if (copy == still || sim_is_down(w->io)) return;
    late = w->cloud.counters.late_puts - late;
    w->counters->stood_still += late;
    backup_status_get(still->backup, &s);
    if (late && s.pushed_segments != segments) world_failed(w, "a node that stood still in a push", "is told that it is in the store");
    if (s.state != BACKUP_REFUSED) world_failed(w, "a node that stood still in a push", "is not told that another has gone on");
    if (!late || w->failed) return;
    // What it put is nobody's, and does not stay.
    char stray[OBJECT_KEY_MAX];
    snprintf(stray, sizeof stray, "%s", w->cloud.late_key);
    for (u32 i = 0; i < 80 && cloud_find(&w->cloud, stray) && commit(copy) && !sim_is_down(w->io); i++) turn(w, 5 * SECOND_NS);
    if (!sim_is_down(w->io) && !w->failed && cloud_find(&w->cloud, stray)) world_failed(w, "a late push is not let go", stray);
}

// A copy of the volume goes on by itself, beside the first: one of the two is told to stop.
static void clone_life(struct world *w, struct node *first)
{
    static const char *const FILES[] = {"", "-wal", "-backup", "-hydrate"};
    char from[80], to[80];
    struct history *h = w->histories[first->writer];
    u32 writer = w->writers++;
    w->histories[writer] = malloc(sizeof *h);
    if (!w->histories[writer]) abort();
    memcpy(w->histories[writer], h, sizeof *h);
    for (u32 i = 0; i < COUNT_OF(FILES); i++) {
        u64 size;
        snprintf(from, sizeof from, "%s%s", first->path, FILES[i]);
        snprintf(to, sizeof to, "/data/clone%u.db%s", writer, FILES[i]);
        u8 *bytes = sim_file_get(w->sim, from, &size);
        if (bytes) sim_file_put(w->sim, to, bytes, size);
        free(bytes);
    }
    struct node clone;
    snprintf(to, sizeof to, "/data/clone%u.db", writer);
    // One of them may stand still: the first in a push, or the copy before its claim.
    u64 pause_ns = (40 + test_random(&w->seed) % 60) * SECOND_NS;
    struct backup_status was;
    backup_status_get(first->backup, &was);
    u32 still = (u32)(test_random(&w->seed) % 3);
    if (!was.claimed || was.state == BACKUP_REFUSED) still = 0; // the first one's claim would be the later one
    if (still == 1) {
        // Names that are free again are met only by who stands still for longer than nothing is let go after a start.
        pause_ns += test_random(&w->seed) % 2 * 300 * SECOND_NS;
        weather(w, true);
        cloud_pause(first->store, "/L0/", pause_ns);
        if (commit(first)) turn(w, 2 * SECOND_NS);
    }
    if (still == 2) w->pause_ns = pause_ns;
    bool good = node_open(w, &clone, to, writer, 1u << 24, false);
    w->counters->clones++;
    if (good && still) stand_still(w, still == 1 ? &clone : first, still == 1 ? first : &clone, pause_ns);
    for (u32 i = 0; i < 25 && good && !w->failed && !sim_is_down(w->io); i++) {
        if (!commit(&clone) || !commit(first)) break;
        turn(w, test_random(&w->seed) % (2 * SECOND_NS));
    }
    if (good && !w->failed && !sim_is_down(w->io)) {
        weather(w, true);
        turn(w, 150 * SECOND_NS);
        if (commit(first) && commit(&clone)) turn(w, 150 * SECOND_NS); // who was idle finds out with its next commit
        restore_some(w);
        struct backup_status a, b;
        backup_status_get(first->backup, &a);
        backup_status_get(clone.backup, &b);
        bool one = (a.state == BACKUP_REFUSED) != (b.state == BACKUP_REFUSED);
        if (!sim_is_down(w->io) && !one) world_failed(w, "two writers", a.state == BACKUP_REFUSED ? "both were told to stop" : "none was told to stop");
    }
    node_close(&clone, false);
}

// A restore is cut off by crashes, again and again, and goes on to a state of then.
static void restore_cut_off(struct world *w)
{
    struct err err = ERR_CLEAR;
    weather(w, true);
    w->cloud.delay_ns_max = 2 * SECOND_NS; // what is written is noted every few seconds
    for (u32 i = 0; i < 8 && !w->failed; i++) {
        w->io = io_create(&(struct io_options){.backend = IO_BACKEND_SIM, .sim = w->sim}, &err);
        if (i < 7) sim_fault_at(w->sim, SIM_CRASH, 1 + test_random(&w->seed) % (i % 2 ? 20 : 200));
        disk_weather(w, i < 7);
        (void)restore_one(w, 0, 0, false);
        sim_fault_at(w->sim, SIM_CRASH, 0);
        io_destroy(w->io);
    }
}

// Several restores at once, of the newest state and others, are cut off by crashes of the machine, or one by itself, on a disk that is
// full now and then, and are begun again until each is there.
static void restores_at_once(struct world *w)
{
    enum { MANY = 3, ROUNDS = 10 };
    struct err err = ERR_CLEAR;
    char paths[MANY][64];
    bool there[MANY] = {false};
    u64 tx[MANY] = {0}, size;
    u32 writer, left = MANY;
    for (u32 i = 0; i < MANY; i++) snprintf(paths[i], sizeof paths[i], "/data/many-%u-%u.db", w->restore_number, i);
    w->disk = true;
    w->cloud.delay_ns_max = 2 * SECOND_NS;
    for (u32 round = 0; round < ROUNDS && left && !w->failed; round++) {
        bool last = round == ROUNDS - 1;
        struct restore r[MANY] = {0};
        struct object_store *stores[MANY] = {NULL};
        w->io = io_create(&(struct io_options){.backend = IO_BACKEND_SIM, .sim = w->sim}, &err);
        if (!last && test_random(&w->seed) % 2) sim_fault_at(w->sim, SIM_CRASH, 1 + test_random(&w->seed) % 400);
        weather(w, last);
        disk_weather(w, !last);
        for (u32 i = 0; i < MANY; i++) {
            u8 *named = there[i] ? NULL : sim_file_get(w->sim, paths[i], &size); // its name came right before the crash
            free(named);
            if (named) (void)file_check(w, paths[i], &writer), there[i] = true, left--;
            if (there[i]) continue;
            stores[i] = cloud_open(&w->cloud, w->io);
            completion_init(&r[i].done, NULL, NULL);
            restore_start(&r[i], &(struct restore_options){.io = w->io, .objects = stores[i], .name = "db", .out_path = paths[i], .key = w->key, .decrypt = true,
                                                           .tx = tx[i], .parallel = 3});
        }
        for (bool busy = left; busy;) {
            io_step(w->io, SECOND_NS);
            busy = false;
            for (u32 i = 0; i < MANY; i++) {
                if (!stores[i] || r[i].done.state == COMPLETION_DONE) continue;
                busy = true;
                if (!last && test_random(&w->seed) % 300 == 0) restore_cancel(&r[i]);
            }
        }
        for (u32 i = 0; i < MANY; i++) {
            if (!stores[i]) continue;
            bool down = sim_is_down(w->io), good = r[i].err.code == ERR_OK;
            w->counters->restored_at_once += good && !down;
            w->counters->resumed += r[i].pages_resumed > 0;
            w->counters->cancelled += r[i].err.code == ERR_CANCELLED;
            if (good && !down) (void)file_check(w, paths[i], &writer), there[i] = true, left--;
            bool none = r[i].err.code == ERR_STORE_MISSING || r[i].err.code == ERR_STORE_EMPTY;
            if (none && !down) there[i] = true, left--;
            else if (!good && !down && (last || (r[i].err.code != ERR_CANCELLED && !disk_failed(w, &r[i].err) && !object_error_passes(&r[i].err))))
                world_failed(w, "one of several restores", r[i].err.text);
            if (!i && !tx[1] && r[0].tx > 1) // others than the newest
                for (u32 k = 1; k < MANY; k++) tx[k] = k == 1 ? r[0].tx : r[0].tx - 1;
            restore_deinit(&r[i]);
            object_store_close(stores[i]);
        }
        sim_fault_at(w->sim, SIM_CRASH, 0);
        disk_weather(w, false);
        io_destroy(w->io);
    }
}

// Another node opens the database from the store, writes to it, and is gone.
static void life_between(struct world *w)
{
    struct node n;
    char path[64];
    snprintf(path, sizeof path, "/data/between-%u.db", w->restore_number++);
    weather(w, true);
    w->between = true;
    if (node_open(w, &n, path, 0, 1u << 24, true)) {
        for (u32 i = 0; i < 5 && commit(&n) && !w->failed; i++) turn(w, test_random(&w->seed) % (3 * SECOND_NS));
        turn(w, 20 * SECOND_NS);
        pushed_note(&n);
        w->counters->written_meanwhile++;
    }
    node_close(&n, true);
    w->between = false;
    w->unclaimed = w->rewind = true;
}

static void world_run(u64 seed, struct counters *counters, struct cloud_counters *clouds)
{
    struct world w = {.sim = sim_create(seed), .seed = seed ^ 0xbac0ffee, .start_seed = seed, .writers = 1, .counters = counters};
    w.histories[0] = calloc(1, sizeof *w.histories[0]);
    if (!w.sim || !w.histories[0]) abort();
    cloud_init(&w.cloud, seed + 1);
    cloud_shards(seed);
    w.row_size = test_random(&w.seed) % 4 ? 300 : 6000;
    w.cloud.conditions_ignored = seed % 6 == 0;
    w.large = w.years = seed % 7 == 4;
    w.disk = seed % 9 == 4;
    if (seed % 11 == 5 || getenv("SIM_STALE")) w.cloud.stale_ms = 20000 + test_random(&w.seed) % 280000;
    sim_direct_refuse(w.sim, seed % 4 == 1);
    counters->unconditional += w.cloud.conditions_ignored;
    if (seed / 6 % 2) {
        w.key.given = true;
        memset(w.key.bytes, 7, 32);
        counters->encrypted++;
        w.rekeys = seed % 4 < 2;
        if (seed % 2) {
            w.database_key.kind = STORE_KEY_BYTES;
            memset(w.database_key.bytes, 9, 32);
            counters->sealed++;
        }
    }
    char path[64] = "/data/a.db";
    for (u32 life = 0; life < 7 && !w.failed; life++) {
        struct err err = ERR_CLEAR;
        w.io = io_create(&(struct io_options){.backend = IO_BACKEND_SIM, .sim = w.sim}, &err);
        struct completion c;
        completion_init(&c, NULL, NULL);
        for (u32 i = 0; i < 3; i++) {
            if (i < 2) io_path_mkdir(w.io, i ? "/tmp" : "/data", &c);
            else io_path_sync_dir(w.io, "/", &c);
            while (c.state == COMPLETION_PENDING) io_step(w.io, SECOND_NS);
        }
        counters->lives++;
        static const u32 within[] = {30, 200, 900, 3000};
        if (test_random(&w.seed) % 3) sim_fault_at(w.sim, SIM_CRASH, 1 + test_random(&w.seed) % within[test_random(&w.seed) % COUNT_OF(within)]);
        struct node n;
        bool again = w.unclaimed && test_random(&w.seed) % 4;
        if (again) {
            counters->started_again++;
            // It may have been the writer by then, and not have been told: it comes back as one.
            struct backup_mark mark;
            bool writer = backup_mark_read(w.io, path, &mark) && !mark.unclaimed;
            if (!writer && cloud_find(&w.cloud, "db/head") && test_random(&w.seed) % 2) life_between(&w);
        } else if (w.unclaimed || (life > 1 && test_random(&w.seed) % 2)) { // the volume, and what was not pushed
            snprintf(path, sizeof path, "/data/a%u.db", life);
            counters->volumes_lost++;
            w.rewind = true;
            w.unclaimed = false;
        }
        u64 size;
        u8 *there = sim_file_get(w.sim, path, &size);
        bool lost = life > 1 && !there;
        free(there);
        bool good = node_open(&w, &n, path, 0, test_random(&w.seed) % 3 ? 1u << 24 : 40 * 4096, lost);
        weather(&w, false);
        u32 acts = 10 + (u32)(test_random(&w.seed) % 120);
        disk_weather(&w, true);
        for (u32 i = 0; good && i < acts && !w.failed && !sim_is_down(w.io); i++) life_act(&n);
        disk_weather(&w, false);
        if (good && life > 3 && w.writers == 1 && !w.cloud.conditions_ignored && !w.failed && !sim_is_down(w.io)) clone_life(&w, &n);
        bool down = sim_is_down(w.io), clean = !down && test_random(&w.seed) % 4;
        if (good && !w.failed && clean) {
            weather(&w, true);
            turn(&w, 150 * SECOND_NS);
            struct backup_status s;
            backup_status_get(n.backup, &s);
            if (!sim_is_down(w.io) && s.state != BACKUP_IDLE && s.state != BACKUP_REFUSED) world_failed(&w, "the backup does not come to rest", s.error);
            pushed_note(&n);
            restore_some(&w);
        }
        counters->crashes += sim_is_down(w.io);
        counters->clean_stops += clean;
        if (w.failed) sim_crash(w.sim);
        node_close(&n, clean);
        io_destroy(w.io);
        sim_fault_at(w.sim, SIM_CRASH, 0);
        // What is left when the node is gone is read by another machine.
        w.io = io_create(&(struct io_options){.backend = IO_BACKEND_SIM, .sim = w.sim}, &err);
        weather(&w, true);
        if (!w.failed) restore_some(&w);
        io_destroy(w.io);
        if (w.writers > 1) break; // the clone may have won: the first one has nothing more to say
    }
    if (!w.failed) restore_cut_off(&w);
    if (!w.failed && seed % 3 == 1) restores_at_once(&w);
    if (w.failed) printf("  again: SEED=%llu SIM_WORLDS=1 build/release/tests/sim/backup_sim_test worlds\n", (unsigned long long)seed);
    const u64 *from = (const u64 *)&w.cloud.counters;
    for (size_t i = 0; i < sizeof w.cloud.counters / sizeof(u64); i++) ((u64 *)clouds)[i] += from[i];
    for (u32 i = 0; i < w.cloud.count; i++) counters->shards += strstr(w.cloud.objects[i].key, "/L") && strchr(w.cloud.objects[i].key, '.');
    cloud_deinit(&w.cloud);
    sim_destroy(w.sim);
    for (u32 i = 0; i < w.writers; i++) free(w.histories[i]);
}

#define EVENT(name) {#name, &name, 12}
#define RARE(name) {#name, &name, 60} // that many worlds may do without

// A world is full of large blocks that come and go, which AddressSanitizer is slow with.
TEST(worlds_restore)
{
    u32 worlds = test_worlds(12);
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("  %u worlds from seed %llu on\n", worlds, (unsigned long long)test_seed());
    struct counters all = {0};
    struct cloud_counters cloud = {0};
    const struct event events[] = {
        EVENT(all.lives),   EVENT(all.crashes), EVENT(all.clean_stops),  EVENT(all.commits),        EVENT(all.restores),      EVENT(all.restores_tx),
        EVENT(all.restores_time), EVENT(all.resumed), EVENT(all.fenced), EVENT(all.clones),         EVENT(all.images),        EVENT(all.merges),
        EVENT(all.deleted), EVENT(all.outages), EVENT(all.jumps),        EVENT(all.discontinuous),  EVENT(all.let_go),        EVENT(all.missing),        EVENT(all.refusing), EVENT(all.accepting), EVENT(all.refused_commits),
        EVENT(all.volumes_lost), EVENT(all.lazy_lives), EVENT(all.lazy_pushes), RARE(all.not_arrived), RARE(all.disk_faults), EVENT(all.hydrated), RARE(all.started_again), EVENT(all.written_meanwhile), RARE(all.overtaken), RARE(all.stood_still), RARE(all.behind), EVENT(all.cut_off), EVENT(all.large), RARE(all.named), EVENT(all.encrypted), EVENT(all.shards), RARE(all.sealed), RARE(all.rekeyed), RARE(all.rekeys_failed), EVENT(all.restored_at_once), RARE(all.cancelled), RARE(all.unconditional), EVENT(cloud.puts), EVENT(cloud.gets),       EVENT(cloud.lists),       EVENT(cloud.deletes),
        EVENT(cloud.lost_replies), EVENT(cloud.unavailable), EVENT(cloud.dropped), EVENT(cloud.away), EVENT(cloud.partial_lists), EVENT(cloud.refused_puts), EVENT(cloud.stale_lists),
    };
    for (u32 i = 0; !test_failed() && events_more(events, COUNT_OF(events), worlds, i); i++) world_run(test_seed() + i, &all, &cloud);
    events_check(events, COUNT_OF(events), worlds, false);
}

// Worlds that something was found in (a build that orders things otherwise, as the sanitizers' does, goes another way in them).
TEST(found)
{
    static const u64 seeds[] = {
        26112143, // another node wrote and merged between the opening from the store and the claim, which did not look again
        1795881002975744, // listings lacked a push that the mark of a node that had crashed knew: it came behind itself, and was told to stop
        1795884100131, // an image was put between a look at what images are made of and one at what is there, and lost its shards
        6795884100015, // pages' sums of a state that listings, which were behind, had were taken for those of the newest push
        3795884100162, // a node whose pages came from the store began another lineage, and looked up in the first what pages had been
        1795881002975953, // all pulls were taken when a sum was asked for, and whoever asked was not woken: no push ever came
        820011002, // a writer that had been replaced had a listing with an image of the later one, did not know what that is made of, and let it go
        1795950572052682, // a file that was not whole was written to while the store was away, and taken for what a stop before had left
    };
    struct counters all = {0};
    struct cloud_counters cloud = {0};
    for (u32 i = 0; i < COUNT_OF(seeds); i++) world_run(seeds[i], &all, &cloud);
    CHECK(all.lives > 1 && all.commits > 0);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
