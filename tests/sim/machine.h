// A simulated machine with one database: its disk outlives it, its clock begins with the world's when it comes up. What is on
// the disk can be copied, put back, and lost.
#pragma once

#include "../../engine/skerry.h"
#include "../../engine/store/store.h"
#include "../../io/sim.h"
#include "../../sync/sync.h"

#define MACHINE_PATH "/data/a.db"

struct machine {
    struct sim *sim;
    struct io *io; // NULL: it is down
    u64 begun_ns;  // of its clock, when the world's was at_ns
    u64 at_ns;
    struct skerry_engine *engine;
    struct skerry *db;
    struct object_store *objects; // NULL: none
    struct backup *backup;        // of this database, or NULL
};
void machine_up(struct machine *m, u64 now_ns);
void machine_open(struct machine *m); // the database
void machine_close(struct machine *m); // it, and its backup
void machine_down(struct machine *m); // closed first
u64 machine_now(const struct machine *m); // the world's clock, by its own
void machine_turn(struct machine *m, u64 until_ns);

#define VOLUME_FILES 5
struct volume {
    u8 *bytes[VOLUME_FILES];
    u64 size[VOLUME_FILES];
    u32 at; // the caller's
    bool there;
};
void volume_take(const struct machine *m, struct volume *v, u32 at);
void volume_free(struct volume *v);
// Of a machine that is down.
void volume_clear(struct machine *m);
void volume_put(struct machine *m, const struct volume *v);
