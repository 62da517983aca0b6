// Goal: transactions of many connections, concurrent, plain and single statements mixed, are snapshot isolation: every read
// sees exactly its snapshot and what its own transaction did; a commit goes through if and only if nobody committed a
// conflicting change since the snapshot, and then changes nothing else; constraints hold; what was acknowledged survives
// crashes, and what was not is there as a whole or not at all.
// Method: random clients on the simulated backend, which defers and reorders all I/O, against the model in
// isolation_model.h. A snapshot and a commit are known by their place in the log. Some statements are let go while they
// wait. After each life, which a crash or a failing disk may have ended, the database equals one of the model's states,
// no older than the last acknowledged, and libsqlite3 finds it sound.
//
// SIM_WORLDS=n runs n seeds from SEED on.
#include "../../engine/connection.h"
#include "../../engine/skerry.h"
#include "../../engine/store/store_private.h"
#include "../../io/sim.h"
#include "../engine/store/store_driver.h"
#include "isolation_model.h"

#define DB_PATH         "/data/a.db"
#define CLIENTS         7
#define SAVEPOINTS_MAX  3
#define STATEMENTS_LIFE 700

enum kind { ALONE, CONCURRENT, IMMEDIATE };
enum doing { DOING_BEGIN, DOING_OPERATION, DOING_COMMIT, DOING_ROLLBACK, DOING_SAVEPOINT, DOING_ROLLBACK_TO, DOING_RELEASE };

struct client {
    struct run *run;
    struct skerry *db;
    struct skerry_stmt *stmt;
    u32 number;
    bool runnable, prepared;
    enum kind kind;
    enum doing doing;
    bool open, based, broken, recorded; // recorded: its commit is in the history
    u32 left; // operations until COMMIT
    struct operation operation;
    char sql[300], got[TEXT_SIZE];
    u64 base; // lsn of the snapshot
    struct view view, saved[SAVEPOINTS_MAX];
    u32 saved_count;
    u64 version_lsn; // of its commit
};

struct run {
    struct sim *sim;
    struct io *io;
    struct skerry_engine *engine;
    struct client clients[CLIENTS];
    struct history history, lost; // lost: taken back by a failed flush, and perhaps on the disk all the same
    u64 undone_at;                // lsn of the newest commit that stayed then
    u64 seed, first_seed;
    u32 statements;
    bool failed, faulty;
};

struct totals {
    u64 commits, replays, conflicts, busy, reads, constraint_errors, io_errors, lost_versions, recovered, abandoned;
    u64 kinds[16];
} totals;

#define FAIL(r, ...)                                                                                                   \
    do {                                                                                                               \
        test_fail(__FILE__, __LINE__, __VA_ARGS__);                                                                    \
        (r)->failed = true;                                                                                            \
    } while (0)

static void client_wake(void *context)
{
    ((struct client *)context)->runnable = true;
}

// ---- statements --------------------------------------------------------------------------------------------------

static void statement_set(struct client *k, enum doing doing, const char *sql)
{
    k->doing = doing;
    if (sql != k->sql) snprintf(k->sql, sizeof k->sql, "%s", sql);
    k->got[0] = 0;
    k->prepared = k->recorded = false;
}

static void operation_begin(struct client *k)
{
    k->operation = operation_random(&k->run->seed);
    operation_sql(&k->operation, k->sql, sizeof k->sql);
    statement_set(k, DOING_OPERATION, k->sql);
}

static void next_statement(struct client *k)
{
    u64 *seed = &k->run->seed;
    k->run->statements++;
    if (!k->open) {
        u32 dice = (u32)(test_random(seed) % 100);
        k->kind = dice < 60 ? CONCURRENT : dice < 75 ? IMMEDIATE : ALONE;
        k->left = 1 + (u32)(test_random(seed) % 5);
        k->based = k->broken = false;
        k->saved_count = 0;
        if (k->kind == ALONE)
            operation_begin(k);
        else
            statement_set(k, DOING_BEGIN, k->kind == CONCURRENT ? "BEGIN CONCURRENT" : "BEGIN IMMEDIATE");
        return;
    }
    u32 dice = (u32)(test_random(seed) % 100);
    if (k->broken || (k->left == 0 && dice < 10))
        statement_set(k, DOING_ROLLBACK, "ROLLBACK");
    else if (k->left == 0)
        statement_set(k, DOING_COMMIT, "COMMIT");
    else if (dice < 8 && k->based && k->saved_count < SAVEPOINTS_MAX)
        statement_set(k, DOING_SAVEPOINT, "SAVEPOINT x");
    else if (dice < 14 && k->saved_count)
        statement_set(k, DOING_ROLLBACK_TO, "ROLLBACK TO x");
    else if (dice < 18 && k->saved_count)
        statement_set(k, DOING_RELEASE, "RELEASE x");
    else {
        k->left--;
        operation_begin(k);
    }
}

// ---- the history ---------------------------------------------------------------------------------------------------

static void view_base(struct client *k)
{
    const struct txn *t = k->db->databases[0].txn;
    if (k->based) return;
    k->based = true;
    k->base = t->snapshot.lsn;
    memset(&k->view, 0, sizeof k->view);
    k->view.state = history_at(&k->run->history, k->base)->state;
}

// Its commit has got its place in the log: it must be one that the model allows.
static void commit_record(struct client *k)
{
    struct run *r = k->run;
    const struct txn *t = k->db->databases[0].txn;
    char text[TEXT_SIZE];
    if (k->recorded || !t || !t->committing || t->commit_failed) return;
    k->recorded = true;
    if (k->kind == ALONE) {
        view_base(k);
        int code = view_apply(&k->view, &k->operation, text);
        if (code) FAIL(r, "client %u commits \"%s\", want error %d", k->number, k->sql, code);
    }
    const char *conflict = history_conflict(&r->history, k->base, &k->view);
    bool newest = history_last(&r->history)->lsn <= k->base;
    if (k->kind != CONCURRENT && !newest) FAIL(r, "client %u: plain, on an old snapshot", k->number);
    if (conflict) FAIL(r, "client %u commits in spite of a conflict: %s", k->number, conflict);
    struct state merged = history_merge(&r->history, &k->view);
    k->version_lsn = t->commit.lsn;
    history_add(&r->history, t->commit.lsn, &merged, &k->view.writes);
    totals.commits++;
    totals.replays += !newest;
}

// Commits that a failed flush took back are gone.
static void history_undo(struct run *r)
{
    const struct store *s = skerry_store(r->clients[0].db);
    while (s && r->history.count > 1 && history_last(&r->history)->lsn > s->appended.lsn) {
        struct version *v = history_last(&r->history);
        if (v->acknowledged) FAIL(r, "an acknowledged commit is taken back");
        history_add(&r->lost, v->lsn, &v->state, &v->writes);
        r->history.count--;
        r->undone_at = s->appended.lsn;
        totals.lost_versions++;
    }
}

static void acknowledge(struct client *k)
{
    struct history *h = &k->run->history;
    if (!k->recorded) {
        if (writes_rows(&k->view.writes)) FAIL(k->run, "client %u: acknowledged, and never committed", k->number);
        return;
    }
    for (u32 i = h->count; i-- > 0;) {
        if (h->versions[i].lsn != k->version_lsn) continue;
        h->versions[i].acknowledged = true;
        k->run->lost.count = 0; // written over
        return;
    }
    FAIL(k->run, "client %u: acknowledged and taken back", k->number);
}

// ---- results -------------------------------------------------------------------------------------------------------

static void operation_done(struct client *k, int code)
{
    struct run *r = k->run;
    char want[TEXT_SIZE];
    if (k->recorded) { // ALONE, and committed: the model has made it already
        if (code)
            k->broken = true;
        else
            acknowledge(k);
        return;
    }
    view_base(k);
    struct view before = k->view;
    int want_code = view_apply(&k->view, &k->operation, want);
    if (code != want_code || (!code && strcmp(k->got, want) != 0))
        FAIL(r, "client %u (kind %d, snapshot %llu): \"%s\" gives %d \"%s\", want %d \"%s\"", k->number, k->kind,
             (unsigned long long)k->base, k->sql, code, k->got, want_code, want);
    if (code) k->view = before;
    if (k->kind == ALONE && writes_rows(&k->view.writes)) FAIL(r, "client %u: \"%s\" never committed", k->number, k->sql);
    totals.reads += operation_reads(&k->operation);
    totals.constraint_errors += code != 0;
}

static void savepoint_done(struct client *k)
{
    if (k->doing == DOING_SAVEPOINT) k->saved[k->saved_count++] = k->view;
    if (k->doing == DOING_ROLLBACK_TO) k->view = k->saved[k->saved_count - 1];
    if (k->doing == DOING_RELEASE) k->saved_count--;
}

static bool code_is_answer(int code)
{
    return code == 0 || code == ERROR_UNIQUE || code == ERROR_PRIMARY_KEY || code == ERROR_FOREIGN_KEY;
}

static void statement_done(struct client *k, int code)
{
    struct run *r = k->run;
    if (code == ERR_BUSY) {
        totals.busy++;
        if (k->doing == DOING_OPERATION && k->open) k->broken = true;
        if (k->doing == DOING_COMMIT) k->broken = test_random(&r->seed) % 2;
        if (k->kind == IMMEDIATE && k->doing == DOING_COMMIT) FAIL(r, "COMMIT of the slot's owner is busy");
    } else if (code == ERR_BUSY_SNAPSHOT) {
        totals.conflicts++;
        bool expected = k->doing == DOING_COMMIT && k->kind == CONCURRENT;
        // What a commit that was taken back had changed is taken as changed.
        if (!expected || (k->base >= r->undone_at && !history_conflict(&r->history, k->base, &k->view)))
            FAIL(r, "client %u, \"%s\": a conflict that is none: %s", k->number, k->sql, skerry_error(k->db)->text);
        if (skerry_autocommit(k->db)) FAIL(r, "a conflict closed the transaction");
        k->broken = true;
    } else if (!code_is_answer(code)) {
        totals.io_errors++;
        if (!r->faulty) FAIL(r, "client %u, \"%s\": %d %s", k->number, k->sql, code, skerry_error(k->db)->text);
        k->broken = true;
    } else {
        switch (k->doing) {
        case DOING_BEGIN: break;
        case DOING_OPERATION: operation_done(k, code); break;
        case DOING_COMMIT: acknowledge(k); break;
        case DOING_ROLLBACK: break;
        case DOING_SAVEPOINT: case DOING_ROLLBACK_TO: case DOING_RELEASE: savepoint_done(k); break;
        }
    }
    k->open = !skerry_autocommit(k->db);
}

// Lets go of a statement that waits. A commit that has its place in the log goes on by itself, else it is rolled back.
static void client_abandon(struct client *k)
{
    skerry_finalize(k->stmt);
    k->stmt = NULL;
    k->prepared = false;
    k->open = !skerry_autocommit(k->db);
    k->broken = true;
    if (k->doing == DOING_COMMIT && k->open) FAIL(k->run, "a COMMIT that was let go leaves the transaction open");
    totals.abandoned++;
}

static void client_run(struct client *k)
{
    if (!k->stmt && !k->prepared) next_statement(k);
    int rc = SKERRY_OK;
    if (!k->prepared) {
        size_t used;
        k->prepared = true;
        rc = skerry_prepare(k->db, k->sql, strlen(k->sql), &k->stmt, &used);
        if (rc == SKERRY_WAIT) {
            k->prepared = false;
            k->stmt = (void *)1; // the same text again
            k->runnable = false;
            return;
        }
    }
    while (rc == SKERRY_OK || rc == SKERRY_ROW) {
        rc = skerry_step(k->stmt);
        commit_record(k);
        if (rc == SKERRY_ROW) line_add(k->got, "%s ", skerry_column_text(k->stmt, 0, NULL));
    }
    if (rc == SKERRY_WAIT && test_random(&k->run->seed) % 100 == 0) {
        client_abandon(k);
        return;
    }
    if (rc == SKERRY_WAIT) {
        k->runnable = false;
        return;
    }
    int code = rc == SKERRY_DONE ? 0 : skerry_errcode(k->db);
    statement_done(k, code);
    skerry_finalize(k->stmt);
    k->stmt = NULL;
    k->prepared = false;
}

// ---- lives ---------------------------------------------------------------------------------------------------------

static void io_begin(struct run *r)
{
    struct err err = ERR_CLEAR;
    r->io = io_create(&(struct io_options){.backend = IO_BACKEND_SIM, .sim = r->sim}, &err);
    struct skerry_engine_options options = {.io = r->io, .checkpoint_frames = 60, .cache_bytes = 4096};
    if (!r->io || !skerry_engine_create(&options, &r->engine, &err)) abort();
}

static void io_end(struct run *r)
{
    skerry_engine_destroy(r->engine);
    io_destroy(r->io);
}

static void connection_close(struct run *r, struct skerry *db)
{
    for (u32 i = 0; skerry_close(db, NULL) == SKERRY_WAIT; i++) {
        if (i > 1000000) {
            FAIL(r, "closing waits for ever");
            return;
        }
        io_step(r->io, UINT64_MAX);
    }
}

static int row_add(void *context, struct skerry_stmt *s)
{
    line_add(context, "%s ", skerry_column_text(s, 0, NULL));
    return 0;
}

static bool life_begin(struct run *r)
{
    struct err err = ERR_CLEAR;
    io_begin(r);
    for (u32 i = 0; i < CLIENTS; i++) {
        struct client *k = &r->clients[i];
        *k = (struct client){.run = r, .number = i, .runnable = true};
        if (!skerry_open(r->engine, DB_PATH, SKERRY_OPEN_CREATE, &k->db, &err)) abort();
        if (i % 2) skerry_busy_timeout(k->db, 60000);
    }
    // From the first concurrent transaction on what plain ones write is known.
    bool good = true;
    for (u32 i = 0; i < CLIENTS && good; i++)
        good = skerry_exec(r->clients[i].db, "PRAGMA foreign_keys = on", NULL, NULL) == SKERRY_OK;
    good = good && skerry_exec(r->clients[0].db, "BEGIN CONCURRENT; SELECT count(*) FROM sqlite_schema; COMMIT", NULL, NULL) == SKERRY_OK;
    for (u32 i = 0; i < CLIENTS; i++) skerry_on_wake(r->clients[i].db, client_wake, &r->clients[i]);
    return good;
}

static void life_end(struct run *r)
{
    for (u32 i = 0; i < CLIENTS; i++) {
        struct client *k = &r->clients[i];
        if (k->stmt && k->stmt != (void *)1) skerry_finalize(k->stmt);
        skerry_on_wake(k->db, NULL, NULL);
        connection_close(r, k->db);
    }
    io_end(r);
}

static void life_run(struct run *r)
{
    u32 idle = 0;
    r->statements = 0;
    r->undone_at = 0;
    while (r->statements < STATEMENTS_LIFE && !r->failed && !sim_is_down(r->io)) {
        bool ran = false;
        u32 first = (u32)test_random(&r->seed);
        for (u32 i = 0; i < CLIENTS && !r->failed; i++) {
            struct client *k = &r->clients[(first + i) % CLIENTS];
            if (!k->runnable) continue;
            client_run(k);
            ran = true;
        }
        idle = ran ? 0 : idle + 1;
        if (idle > 100000) FAIL(r, "everyone waits for ever");
        if (!ran || test_random(&r->seed) % 3 == 0) io_step(r->io, ran ? 0 : UINT64_MAX);
        history_undo(r);
    }
}

// The world's file on a real disk, for SQLite to judge.
static void sqlite_check(struct run *r)
{
    char path[500], wal_path[520];
    snprintf(path, sizeof path, "%s/copy.db", test_dir());
    snprintf(wal_path, sizeof wal_path, "%s-wal", path);
    u64 size = 0;
    u8 *bytes = sim_file_get(r->sim, DB_PATH, &size);
    if (!bytes) return;
    file_save(path, bytes, size);
    free(bytes);
    unlink(wal_path);
    bytes = sim_file_get(r->sim, DB_PATH "-wal", &size);
    if (bytes) file_save(wal_path, bytes, size);
    free(bytes);
    static const char *const questions[][2] = {
        {"PRAGMA integrity_check", "ok"},
        {"SELECT count(*) FROM pragma_foreign_key_check", "0"},
        {"SELECT count(*) FROM s WHERE id > (SELECT seq FROM sqlite_sequence WHERE name = 's')", "0"},
        {"SELECT count(*) <= 1 FROM sqlite_sequence", "1"},
    };
    for (u32 i = 0; i < COUNT_OF(questions); i++) {
        const char *answer = sqlite_ask(path, questions[i][0]);
        if (strcmp(answer, questions[i][1]) != 0) FAIL(r, "SQLite, %s: %s", questions[i][0], answer);
    }
    unlink(path);
    unlink(wal_path);
}

// The newest version with these answers, no older than the last acknowledged.
static const struct version *history_find(const struct history *h, char got[][TEXT_SIZE])
{
    char want[TEXT_SIZE];
    for (u32 i = h->count; i-- > 0;) {
        bool same = true;
        for (u32 q = 0; q <= READ_COUNTS && same; q++) {
            state_read(&h->versions[i].state, (enum operation_kind)q, want);
            same = strcmp(got[q], want) == 0;
        }
        if (same) return &h->versions[i];
        if (h->versions[i].acknowledged) return NULL;
    }
    return NULL;
}

// The database is one of the states; the history starts again from it.
static void recovered_check(struct run *r)
{
    struct err err = ERR_CLEAR;
    struct skerry *db;
    char got[READ_COUNTS + 1][TEXT_SIZE];
    bool good = true;
    io_begin(r);
    if (!skerry_open(r->engine, DB_PATH, SKERRY_OPEN_CREATE, &db, &err)) abort();
    for (u32 i = 0; i <= READ_COUNTS && good; i++) {
        struct operation o = {.kind = (enum operation_kind)i};
        char sql[300];
        operation_sql(&o, sql, sizeof sql);
        got[i][0] = 0;
        good = skerry_exec(db, sql, row_add, got[i]) == SKERRY_OK;
        if (!good) FAIL(r, "after a crash, %s: %s", sql, skerry_error(db)->text);
    }
    connection_close(r, db);
    io_end(r);
    if (!good) return;
    const struct version *is = history_find(&r->lost, got);
    if (!is) is = history_find(&r->history, got);
    if (!is) {
        FAIL(r, "the database is none of the states that it may be after a crash; p is \"%s\"", got[READ_P]);
        return;
    }
    struct state s = is->state;
    r->history.count = r->lost.count = 0;
    history_add(&r->history, 0, &s, &(struct writes){0})->acknowledged = true;
    totals.recovered++;
}

static bool run_begin(struct run *r, u64 seed)
{
    static const char schema[] =
        "PRAGMA page_size = 16384; PRAGMA auto_vacuum = %u;"
        "CREATE TABLE p(id INTEGER PRIMARY KEY, v, k UNIQUE, pad DEFAULT (zeroblob(9000)));"
        "CREATE TABLE c(id INTEGER PRIMARY KEY, p REFERENCES p, v, pad DEFAULT (zeroblob(7000)));"
        "CREATE INDEX cp ON c(p); CREATE TABLE w(a PRIMARY KEY, v, pad DEFAULT (zeroblob(5000))) WITHOUT ROWID;"
        "CREATE TABLE a(id INTEGER PRIMARY KEY, n); CREATE TABLE s(id INTEGER PRIMARY KEY AUTOINCREMENT, n)";
    *r = (struct run){.sim = sim_create(seed), .seed = seed, .first_seed = seed};
    if (!r->sim) abort();
    io_begin(r);
    struct completion c;
    completion_init(&c, NULL, NULL);
    io_path_mkdir(r->io, "/data", &c);
    while (c.state == COMPLETION_PENDING) io_step(r->io, UINT64_MAX);
    io_path_sync_dir(r->io, "/", &c);
    while (c.state == COMPLETION_PENDING) io_step(r->io, UINT64_MAX);
    struct err err = ERR_CLEAR;
    struct skerry *db;
    if (!skerry_open(r->engine, DB_PATH, SKERRY_OPEN_CREATE, &db, &err)) abort();
    char sql[sizeof schema];
    snprintf(sql, sizeof sql, schema, (u32)(seed % 4 == 1)); // the pages of a quarter move at commits
    bool good = skerry_exec(db, sql, NULL, NULL) == SKERRY_OK;
    if (!good) FAIL(r, "%s", skerry_error(db)->text);
    connection_close(r, db);
    io_end(r);
    history_add(&r->history, 0, &(struct state){0}, &(struct writes){0})->acknowledged = true;
    return good;
}

enum trouble { TROUBLE_NONE, TROUBLE_CRASH, TROUBLE_DISK };

static void faults_set(struct run *r, enum trouble trouble)
{
    r->faulty = trouble != TROUBLE_NONE;
    sim_fault_at(r->sim, SIM_CRASH, trouble == TROUBLE_CRASH ? 1 + test_random(&r->seed) % 300 : 0);
    sim_fault_rate(r->sim, SIM_WRITE_ERROR, trouble == TROUBLE_DISK ? 20000 : 0);
    sim_fault_rate(r->sim, SIM_WRITE_FULL, trouble == TROUBLE_DISK ? 20000 : 0);
    sim_fault_rate(r->sim, SIM_SYNC_ERROR, trouble == TROUBLE_DISK ? 3000 : 0);
}

static void run_lives(u64 seed, u32 lives, enum trouble trouble)
{
    struct run r;
    if (run_begin(&r, seed)) {
        for (u32 life = 0; life < lives && !r.failed; life++) {
            faults_set(&r, trouble);
            if (life_begin(&r)) life_run(&r);
            life_end(&r);
            faults_set(&r, TROUBLE_NONE);
            if (!r.failed) sqlite_check(&r);
            if (!r.failed) recovered_check(&r);
        }
    }
    if (r.failed) printf("  seed %llu, trouble %d\n", (unsigned long long)seed, trouble);
    sim_destroy(r.sim);
    free(r.history.versions);
    free(r.lost.versions);
}

static void totals_print(void)
{
    printf("  %llu commits, %llu on an older snapshot; %llu conflicts, %llu busy, %llu reads, %llu constraint errors, "
           "%llu I/O errors, %llu commits taken back, %llu recoveries, %llu statements let go\n",
           (unsigned long long)totals.commits, (unsigned long long)totals.replays, (unsigned long long)totals.conflicts,
           (unsigned long long)totals.busy, (unsigned long long)totals.reads, (unsigned long long)totals.constraint_errors,
           (unsigned long long)totals.io_errors, (unsigned long long)totals.lost_versions,
           (unsigned long long)totals.recovered, (unsigned long long)totals.abandoned);
}

enum { USUAL = 25 }; // seeds; of fewer not every event is asked

TEST(isolation_holds)
{
    totals = (struct totals){0};
    u32 count = test_worlds(USUAL);
    for (u32 i = 0; i < count; i++) run_lives(test_seed() + i, 2, TROUBLE_NONE);
    totals_print();
    CHECK_EQ(totals.io_errors, 0);
    if (count < USUAL) return;
    CHECK(totals.commits > 100 * count / 10);
    CHECK(totals.replays > 0);
    CHECK(totals.conflicts > 0);
    CHECK(totals.busy > 0);
    CHECK(totals.abandoned > 0);
    CHECK(totals.constraint_errors > 0);
}

TEST(isolation_holds_over_crashes)
{
    totals = (struct totals){0};
    u32 count = test_worlds(USUAL);
    for (u32 i = 0; i < count; i++) run_lives(test_seed() + 1000 + i, 6, TROUBLE_CRASH);
    totals_print();
    if (count < USUAL) return;
    CHECK(totals.replays > 0);
    CHECK(totals.conflicts > 0);
    CHECK(totals.lost_versions > 0);
}

TEST(isolation_holds_on_a_failing_disk)
{
    totals = (struct totals){0};
    u32 count = test_worlds(USUAL);
    for (u32 i = 0; i < count; i++) run_lives(test_seed() + 2000 + i, 6, TROUBLE_DISK);
    totals_print();
    if (count < USUAL) return;
    CHECK(totals.replays > 0);
    CHECK(totals.lost_versions > 0);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
