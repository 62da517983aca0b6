// A node's engine and backup on a simulated disk and clock, beside a store in memory (tests/sim/cloud.h).
#pragma once

#include "../../engine/skerry.h"
#include "../../io/sim.h"
#include "../../sync/restore.h"
#include "../../sync/sync.h"
#include "../sim/cloud.h"
#include "../test.h"

#define SECOND_NS 1000000000ull

struct node {
    struct sim *sim;
    struct io *io;
    struct cloud cloud;
    struct skerry_engine *engine;
    struct skerry *db;
    struct object_store *store;
    struct backup *backup;
    struct master_key key;
    const char *path; // of the database; NULL: /data/a.db
};

static inline void turn(struct node *n, u64 ns)
{
    for (u64 end = io_now_ns(n->io) + ns; io_now_ns(n->io) < end;) io_step(n->io, end - io_now_ns(n->io));
}

static inline void exec(struct node *n, const char *sql)
{
    if (skerry_exec(n->db, sql, NULL, NULL) != SKERRY_OK) test_fail(__FILE__, __LINE__, "%s: %s", sql, skerry_error(n->db)->text);
}

static inline void node_open(struct node *n, const struct backup_options *options)
{
    struct err err = ERR_CLEAR;
    struct skerry_engine_options engine = {.io = n->io, .temp_dir = "/tmp"};
    struct backup_options o = *options;
    if (!n->path) n->path = "/data/a.db";
    o.io = n->io, o.objects = n->store, o.name = "db", o.database_path = n->path, o.key = n->key;
    if (!skerry_engine_create(&engine, &n->engine, &err) || !skerry_open(n->engine, n->path, SKERRY_OPEN_CREATE, &n->db, &err) ||
        !(n->backup = backup_create(&o, &err)))
        abort();
    exec(n, "CREATE TABLE IF NOT EXISTS t(id INTEGER PRIMARY KEY, v BLOB)");
    backup_start(n->backup, skerry_store(n->db));
}

static inline void node_begin(struct node *n, const struct backup_options *options)
{
    struct err err = ERR_CLEAR;
    struct completion c;
    n->sim = sim_create(test_seed());
    n->io = io_create(&(struct io_options){.backend = IO_BACKEND_SIM, .sim = n->sim}, &err);
    cloud_init(&n->cloud, 5);
    completion_init(&c, NULL, NULL);
    for (u32 i = 0; i < 3; i++) {
        if (i < 2) io_path_mkdir(n->io, i ? "/tmp" : "/data", &c);
        else io_path_sync_dir(n->io, "/", &c);
        while (c.state == COMPLETION_PENDING) io_step(n->io, SECOND_NS);
    }
    n->store = cloud_open(&n->cloud, n->io);
    node_open(n, options);
}

static inline void node_stop(struct node *n)
{
    struct completion done;
    struct err err = ERR_CLEAR;
    completion_init(&done, NULL, NULL);
    backup_stop(n->backup, io_now_ns(n->io) + 60 * SECOND_NS, &done);
    while (done.state != COMPLETION_DONE) io_step(n->io, SECOND_NS);
    while (skerry_close(n->db, &err) == SKERRY_WAIT) io_step(n->io, SECOND_NS);
    skerry_engine_destroy(n->engine);
    backup_destroy(n->backup);
}

static inline void node_end(struct node *n)
{
    object_store_close(n->store);
    io_destroy(n->io);
    sim_destroy(n->sim);
    cloud_deinit(&n->cloud);
}

static inline err_code restore(struct node *n, char text[ERR_TEXT_MAX])
{
    struct restore r = {0};
    completion_init(&r.done, NULL, NULL);
    restore_start(&r, &(struct restore_options){.io = n->io, .objects = n->store, .name = "db", .key = n->key, .discard = true, .parallel = 2});
    while (r.done.state != COMPLETION_DONE) io_step(n->io, SECOND_NS);
    err_code code = r.err.code;
    snprintf(text, ERR_TEXT_MAX, "%s", r.err.text);
    restore_deinit(&r);
    return code;
}
