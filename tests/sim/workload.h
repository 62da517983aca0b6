// Clients of one engine in one simulated life: each a connection that goes on when it is woken and chooses by seed what
// to do next (transactions plain and concurrent, small and big, with savepoints, rolled back; readers held open;
// checkpoints of all four modes; VACUUM, full and incremental). What they do and are told is noted in a model. Several
// databases of one engine may have such clients at once, each its own.
#pragma once

#include "../../engine/skerry.h"
#include "model.h"

#define WORKLOAD_CLIENTS_MAX 8u

struct workload_counters {
    u64 acknowledged, failed, refused, rolled_back, savepoints_undone, big, concurrent;
    u64 readers_overtaken; // commits were acknowledged while it held its snapshot
    u64 passive, full, restart, truncate; // checkpoints, in the order of the modes
    u64 restarts;                         // of the log by them
    u64 vacuums, incremental_vacuums, errors_read, errors_full;
};
struct workload {
    struct skerry_engine *engine;
    const char *path;
    struct model *model;
    u64 *seed; // of what is chosen
    struct workload_counters *counters;
    u32 page_size, auto_vacuum; // of a file that is made
    u32 clients, txns;          // how many, and transactions of each
    bool quiet;           // no VACUUM and no big transactions: for short lives
    bool failed;          // a check did: reported
    bool (*stop)(void *); // true: the world has ended
    void *stop_context;
};
// Runs until all clients of all databases are through or the world has ended.
void workload_run(struct workload *w, u32 count);
// Makes the tables; false with a text in *err.
bool workload_create(struct workload *w, struct err *err);
// Reads all that the database holds through a connection of its own; false when that fails (*err says why).
bool workload_view(struct workload *w, struct model_view *v, struct err *err);
// The same by SQLite's library from files on a real disk, which it also checks.
bool workload_view_sqlite(const struct model *m, const char *path, struct model_view *v);
