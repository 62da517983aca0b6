#include "replica_world.h"

#include "../../node/feed.h"
#include "../../node/log.h"
#include "../test.h"

void world_failed(struct world *w, const char *what, const char *why)
{
    if (getenv("SIM_LOG") && w->stores && !w->failed) cloud_show(&w->cloud, w->now_ns);
    if (!w->failed) test_fail(__FILE__, __LINE__, "seed %llu, at %llu ms: %s: %s", (unsigned long long)w->start_seed, (unsigned long long)(w->now_ns / MS), what, why);
    w->failed = true;
}

u64 chance(struct world *w, u64 n)
{
    return test_random(&w->seed) % n;
}

static void on_log(void *context, enum sync_log_level level, const char *event, const char *text)
{
    struct world *w = context;
    if (strcmp(event, "replica.part_again") == 0) ++*(w->replica_started ? &w->counters->parts_again : &w->counters->parts_again_first);
    u32 pages, came;
    bool copied = strcmp(event, "replica.copied") == 0 && sscanf(text, "%u pages from %*s of which %u came", &pages, &came) == 2;
    w->counters->first_copies_spared += copied && came < pages;
    if (getenv("SIM_LOG")) printf("    [%llu] %s: %s\n", (unsigned long long)(w->now_ns / MS), event, text);
}

void note(struct world *w, const char *what)
{
    on_log(w, SYNC_LOG_INFO, "world", what);
}

// ---- clocks
// ------------------------------------------------------------------------------------------------

// The writer's clock comes up with the replica's.
static void writer_turn(struct world *w)
{
    if (w->turning || !w->replica_machine.io || sim_is_down(w->replica_machine.io)) return;
    w->turning = true;
    machine_turn(&w->writer, machine_now(&w->replica_machine));
    w->turning = false;
}

static void follower_run(struct world *w)
{
    struct machine *m = &w->replica_machine;
    if (!w->replica_started || sim_is_down(m->io) || !follower_turn(w->replica, &m->backup)) return;
    follower_stop(w->replica);
    follower_destroy(w->replica);
    w->replica = NULL;
    w->replica_started = false;
}

static void clocks_meet(struct world *w)
{
    if (w->replica_machine.io && !sim_is_down(w->replica_machine.io)) w->now_ns = MAX(w->now_ns, machine_now(&w->replica_machine));
    if (w->writer.io && !sim_is_down(w->writer.io)) w->now_ns = MAX(w->now_ns, machine_now(&w->writer));
    machine_turn(&w->replica_machine, w->now_ns);
    machine_turn(&w->writer, w->now_ns);
    follower_run(w);
}

void turn(struct world *w, u64 ns)
{
    u64 end = w->now_ns + ns;
    while (w->now_ns < end) {
        w->now_ns = MIN(end, w->now_ns + 10 * MS);
        clocks_meet(w);
    }
}

// ---- the network
// -----------------------------------------------------------------------------------------------

static struct io *client_io(void *context)
{
    return ((struct world *)context)->replica_machine.io;
}

static u64 client_now_ns(void *context)
{
    return machine_now(&((struct world *)context)->replica_machine);
}

static void server_turn(void *context)
{
    writer_turn(context);
}

static void serve(void *context, struct http_exchange *x)
{
    struct world *w = context;
    feed_handle(w->feed, x, w->writer.backup);
}

// ---- machines
// -----------------------------------------------------------------------------------------------

void crash_soon(struct world *w, struct machine *m, u32 one_in)
{
    static const u32 within[] = {5, 40, 300};
    sim_fault_at(m->sim, SIM_CRASH, chance(w, one_in) ? 0 : 1 + chance(w, within[chance(w, COUNT_OF(within))]));
}

// ---- the writer
// ----------------------------------------------------------------------------------------------------

static void event_add(struct world *w, u32 serial)
{
    w->current = serial;
    if (w->event_count < EVENTS_MAX) w->events[w->event_count++] = serial;
}

bool exec(struct world *w, struct machine *m, const char *sql)
{
    if (skerry_exec(m->db, sql, NULL, NULL) == SKERRY_OK) return true;
    if (!sim_is_down(m->io)) world_failed(w, sql, skerry_error(m->db)->text);
    return false;
}

int number_row(void *context, struct skerry_stmt *s)
{
    *(u32 *)context = (u32)skerry_column_integer(s, 0);
    return 0;
}

void writer_down(struct world *w)
{
    struct counters *n = w->counters;
    wire_server_down(&w->wire);
    if (w->feed) {
        struct buffer text = {0};
        feed_metrics(w->feed, &text);
        buffer_add(&text, "", 1);
        const char *at = text.bytes ? strstr(text.bytes, "\nskerry_feed_whole_total ") : NULL;
        if (at) n->whole += strtoull(at + 25, NULL, 10);
        buffer_deinit(&text);
        feed_stop(w->feed);
    }
    machine_down(&w->writer);
    feed_destroy(w->feed);
    w->feed = NULL;
    if (w->wire.exchanges) world_failed(w, "the feed", "an exchange was never answered");
}

static bool backup_make(struct world *w, struct machine *m, bool promote, u64 epoch_claimed, struct backup **out)
{
    struct err err = ERR_CLEAR;
    *out = backup_create(&(struct backup_options){.io = m->io, .objects = m->objects, .name = "db", .database_path = MACHINE_PATH,
                                                  .interval_ms = 500, .head_interval_ms = 2000, .cpu_percent = 100,
                                                  .period_ms = {0, 4000, 20000, 80000, 200000},
                                                  .keep_ms = {10000, 40000, 160000, 300000, 2000000}, .promote = promote,
                                                  .epoch_claimed = epoch_claimed, .log = on_log, .log_context = w},
                         &err);
    return *out != NULL;
}

void pushed_note(struct world *w)
{
    struct backup_status s;
    if (!w->feed || !w->writer.backup || w->doubt || sim_is_down(w->writer.io)) return;
    backup_status_get(w->writer.backup, &s);
    if (s.state != BACKUP_IDLE || s.behind_since_ms || !s.tx) return;
    w->counters->pushes_noted += w->pushed_event != w->event_count - 1;
    w->pushed_event = w->event_count - 1;
}

void writer_up(struct world *w)
{
    struct machine *m = &w->writer;
    struct err err = ERR_CLEAR;
    for (u32 i = 0; i < 50 && !w->feed && !w->failed; i++) {
        if (!m->io) machine_up(m, w->now_ns);
        crash_soon(w, m, 8);
        if (w->stores) m->objects = cloud_open(&w->cloud, m->io);
        if (w->stores && !backup_make(w, m, false, 0, &m->backup)) abort();
        machine_open(m);
        u32 serial = 0;
        bool good = exec(w, m, "CREATE TABLE IF NOT EXISTS t(id INTEGER PRIMARY KEY, v TEXT)") && exec(w, m, "CREATE TABLE IF NOT EXISTS meta(k)") &&
                    exec(w, m, "INSERT INTO meta SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM meta)") &&
                    skerry_exec(m->db, "SELECT k FROM meta", number_row, &serial) == SKERRY_OK;
        if (!good && !w->failed && !sim_is_down(m->io)) world_failed(w, "the writer", skerry_error(m->db)->text);
        if (!good) {
            w->counters->writer_crashes++;
            if (m->backup) backup_destroy(m->backup); // it was not started
            m->backup = NULL;
            machine_down(m);
            continue;
        }
        if (serial != w->current && serial != w->doubt) world_failed(w, "the writer after recovery", "it is in another state than it was told");
        if (w->seen_doubt && serial != w->doubt) world_failed(w, "the writer after recovery", "a commit that it had sent is not there");
        if (serial != w->current || !w->event_count) event_add(w, serial);
        w->doubt = 0;
        w->seen_doubt = false;
        if (m->backup) backup_start(m->backup, skerry_store(m->db));
        w->feed = feed_create(m->io, skerry_store(m->db), 30000, &err);
        if (!w->feed) abort();
        w->wire.listens = true;
    }
}

void writer_crashed(struct world *w)
{
    if (!w->writer.io || !sim_is_down(w->writer.io)) return;
    note(w, "the writer crashes");
    w->counters->writer_crashes++;
    writer_down(w);
    turn(w, chance(w, 3) * chance(w, 60 * SECOND_NS));
    writer_up(w);
}

void commit_on(struct world *w, struct machine *m)
{
    char sql[300];
    u32 k = w->serial + 1, changes = 1 + (u32)chance(w, chance(w, 10) ? 4 : ROWS);
    if (k >= SERIAL_MAX || w->event_count + 2 >= EVENTS_MAX) return;
    w->serial = k;
    memcpy(w->rows[k], w->rows[w->current], sizeof w->rows[k]);
    bool good = exec(w, m, "BEGIN IMMEDIATE");
    for (u32 i = 0; i < changes && good; i++) {
        u32 id = (u32)chance(w, ROWS);
        bool goes = chance(w, 8) == 0;
        w->rows[k][id] = goes ? 0 : (u16)k;
        if (goes) snprintf(sql, sizeof sql, "DELETE FROM t WHERE id = %u", id);
        else snprintf(sql, sizeof sql, "INSERT OR REPLACE INTO t VALUES (%u, '%u:' || hex(randomblob(%u)))", id, k, (u32)chance(w, chance(w, 5) ? 300 : 9000));
        good = exec(w, m, sql);
    }
    snprintf(sql, sizeof sql, "UPDATE meta SET k = %u", k);
    good = good && exec(w, m, sql);
    if (!good) return;
    w->doubt = k;
    if (!exec(w, m, "COMMIT")) {
        w->counters->in_doubt++;
        return;
    }
    w->doubt = 0;
    w->seen_doubt = false;
    w->counters->commits++;
    event_add(w, k);
    clocks_meet(w);
}

void commit(struct world *w)
{
    commit_on(w, &w->writer);
}

void writer_roll_back(struct world *w)
{
    if (!w->writer_volume.there) return;
    note(w, "the writer's volume is put back");
    w->counters->writer_rolled_back++;
    sim_crash(w->writer.sim);
    writer_down(w);
    volume_put(&w->writer, &w->writer_volume);
    w->doubt = 0;
    w->seen_doubt = false;
    event_add(w, w->writer_volume.at);
    writer_up(w);
    // Other commits come to the places of those that are gone, before the replica can ask.
    bool away = w->wire.away;
    w->wire.away = w->wire.away || chance(w, 2);
    for (u64 i = chance(w, 30); i && w->feed && !sim_is_down(w->writer.io); i--) commit(w);
    w->wire.away = away;
}

// ---- the replica
// ----------------------------------------------------------------------------------------------------

void replica_down(struct world *w)
{
    struct machine *m = &w->replica_machine;
    if (w->replica_started) follower_stop(w->replica);
    w->replica_started = false;
    machine_close(m);
    follower_destroy(w->replica);
    w->replica = NULL;
    if (m->io) {
        if (w->wire.call) world_failed(w, "the replica", "a request outlives it");
        if (sim_is_down(m->io)) w->unplaced = true; // it may have crashed while it stopped
        machine_down(m);
    }
}

static bool promoted_backup(void *context, u64 epoch_claimed, struct backup **out, struct err *err)
{
    struct world *w = context;
    return backup_make(w, &w->replica_machine, true, epoch_claimed, out);
}

void replica_up(struct world *w)
{
    struct machine *m = &w->replica_machine;
    struct err err = ERR_CLEAR;
    u64 size;
    machine_up(m, w->now_ns);
    u8 *there = sim_file_get(m->sim, MACHINE_PATH, &size);
    bool first = !there && !w->follows_store;
    free(there);
    crash_soon(w, m, first ? 2 : 4);
    if (w->stores) m->objects = cloud_open(&w->cloud, m->io);
    struct replica_options r = {.io = m->io, .objects = m->objects, .http = (struct io_http *)w, .name = "db", .path = MACHINE_PATH, .log = on_log,
                                .log_context = w, .node = w->follows_store ? NULL : "http://writer"};
    w->replica = follower_create(&(struct follower_options){.replica = r, .backup_create = promoted_backup, .context = w}, &err);
    if (w->replica && first) w->counters->first_copies++;
    if (!w->replica) {
        w->counters->first_copies_failed += first;
        if (!first && !sim_is_down(m->io)) world_failed(w, "the replica does not start", err.text);
        replica_down(w);
        return;
    }
    machine_open(m);
    if (skerry_exec(m->db, "SELECT count(*) FROM sqlite_schema", NULL, NULL) != SKERRY_OK) {
        if (!sim_is_down(m->io)) world_failed(w, "the replica's database", skerry_error(m->db)->text);
        w->counters->replica_crashes++;
        replica_down(w);
        return;
    }
    follower_start(w->replica, skerry_store(m->db));
    w->replica_started = true;
}

void writer_instead(struct world *w)
{
    struct machine *m = &w->replica_machine;
    machine_up(m, w->now_ns);
    sim_fault_at(m->sim, SIM_CRASH, 0);
    m->objects = cloud_open(&w->cloud, m->io);
    if (!backup_make(w, m, false, 0, &m->backup)) abort();
    machine_open(m);
    if (exec(w, m, "SELECT count(*) FROM sqlite_schema")) backup_start(m->backup, skerry_store(m->db));
}

void replica_crashed(struct world *w)
{
    if (!w->replica_machine.io || !sim_is_down(w->replica_machine.io)) return;
    note(w, "the replica crashes");
    w->unplaced = true;
    w->counters->replica_crashes++;
    replica_down(w);
    turn(w, chance(w, 3) * chance(w, 60 * SECOND_NS));
}

int view_row(void *context, struct skerry_stmt *s)
{
    struct view *v = context;
    v->k = (u32)skerry_column_integer(s, 0);
    if (skerry_column_type(s, 1) == VALUE_NULL) return 0;
    u32 id = (u32)skerry_column_integer(s, 1), by = 0;
    size_t size;
    const char *text = skerry_column_text(s, 2, &size);
    v->rows++;
    if (id < ROWS && text && sscanf(text, "%u:", &by) == 1) v->ids[id] = (u16)by;
    return 0;
}

bool replica_is(struct world *w, const char *state)
{
    struct buffer health = {0};
    char want[60];
    snprintf(want, sizeof want, "\"state\":\"%s\"", state);
    follower_health(w->replica, &health);
    buffer_add(&health, "", 1);
    bool is = strstr(health.bytes, want) != NULL;
    if (strstr(health.bytes, "\"state\":\"failed\"")) world_failed(w, "the replica", health.bytes);
    buffer_deinit(&health);
    return is;
}

static bool empty(struct machine *m)
{
    u32 count = 1;
    return skerry_exec(m->db, "SELECT count(*) FROM sqlite_schema WHERE name = 'meta'", number_row, &count) == SKERRY_OK && !count;
}

void observe(struct world *w)
{
    struct machine *m = &w->replica_machine;
    struct view v = {0};
    char why[200];
    if (!m->engine || (w->follows_store && empty(m)) || sim_is_down(m->io) || w->strange) return;
    if (skerry_exec(m->db, "SELECT k, id, v FROM meta LEFT JOIN t", view_row, &v) != SKERRY_OK) {
        if (!sim_is_down(m->io)) world_failed(w, "reading the replica", skerry_error(m->db)->text);
        return;
    }
    w->counters->observed++;
    if (v.k > w->serial || memcmp(v.ids, w->rows[v.k], sizeof v.ids) != 0) {
        snprintf(why, sizeof why, "its rows are not those of state %u", v.k);
        world_failed(w, "the replica", why);
        return;
    }
    if (w->doubt && v.k == w->doubt) { // durable, and not told yet
        w->seen_doubt = true;
        return;
    }
    // Where it is in the writer's log may be lost by a crash: without the writer, what is found in the store has to do, and what
    // was pushed is here when the promotion has ended.
    if (w->replica_started && replica_is(w, "following")) w->unplaced = false;
    if (w->unplaced && w->promotes && !w->follows_store) w->seen_event = 0;
    u32 e = w->seen_event;
    while (e < w->event_count && w->events[e] != v.k) e++;
    if (e == w->event_count) {
        snprintf(why, sizeof why, "it shows state %u, and showed %u before; the writer is at %u", v.k, w->events[w->seen_event], w->current);
        world_failed(w, "the replica goes back, or shows what was never told", why);
        return;
    }
    w->seen_event = e;
}

void weather(struct world *w, bool clear)
{
    bool bad = !clear && chance(w, 3);
    w->wire.lost_request = bad ? (u32)chance(w, 200) : 0;
    w->wire.lost_reply = bad ? (u32)chance(w, 200) : 0;
    w->wire.cut = bad ? (u32)chance(w, 300) : 0;
    w->wire.repeat = bad ? (u32)chance(w, 300) : 0;
    w->wire.slow = bad ? (u32)chance(w, 300) : 0;
    w->wire.away = !clear && chance(w, 6) == 0;
    struct cloud *c = &w->cloud;
    bool storm = w->stores && !clear && chance(w, 3) == 0;
    c->lost_reply = storm ? (u32)chance(w, 150) : 0;
    c->unavailable = storm ? (u32)chance(w, 400) : 0;
    c->dropped = storm ? (u32)chance(w, 100) : 0;
    c->partial_list = storm ? (u32)chance(w, 500) : 0;
    c->away = w->stores && !clear && chance(w, 10) == 0;
}

// ---- its beginning and end
// ------------------------------------------------------------------------------------------------

struct world *world_create(u64 seed, struct counters *counters)
{
    struct world *w = calloc(1, sizeof *w);
    if (!w) abort();
    w->seed = seed ^ 0x4e91ca;
    w->start_seed = seed;
    w->counters = counters;
    w->wire = (struct wire){.seed = &w->seed, .counters = &counters->wire, .context = w, .client = client_io, .client_now_ns = client_now_ns,
                            .server_turn = server_turn, .serve = serve};
    wire_init(&w->wire);
    log_level_set((enum log_level)(LOG_ERROR + 1)); // the follower's; on_log has what is of interest
    w->writer.sim = sim_create(2 * seed);
    w->replica_machine.sim = sim_create(2 * seed + 1);
    if (!w->writer.sim || !w->replica_machine.sim) abort();
    w->stores = chance(w, 2);
    w->follows_store = w->stores && chance(w, 2);
    cloud_init(&w->cloud, seed);
    cloud_shards(seed);
    w->cloud.now_ns = &w->now_ns;
    if (seed % 5 == 2 || getenv("SIM_STALE")) w->cloud.stale_ms = 20000 + chance(w, 280000);
    return w;
}

void world_destroy(struct world *w)
{
    struct counters *n = w->counters;
    replica_down(w);
    if (w->writer.io) writer_down(w);
    volume_free(&w->writer_volume);
    volume_free(&w->replica_volume);
    sim_destroy(w->writer.sim);
    sim_destroy(w->replica_machine.sim);
    wire_deinit(&w->wire);
    for (size_t i = 0; i < sizeof n->cloud / sizeof(u64); i++) ((u64 *)&n->cloud)[i] += ((const u64 *)&w->cloud.counters)[i];
    cloud_deinit(&w->cloud);
    free(w);
}
