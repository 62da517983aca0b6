// The world of the replica's simulation (replica_sim_test.c): a writer and a replica, each a machine with a clock, and what is
// between them; what the writer was told is kept, and what the replica shows is compared with it.
#pragma once

#include "../../node/follower.h"
#include "cloud.h"
#include "machine.h"
#include "wire.h"

#define ROWS       50u
#define SERIAL_MAX 3000u
#define EVENTS_MAX 6000u
#define MS         1000000ull
#define SECOND_NS  1000000000ull

struct counters {
    struct wire_counters wire;
    struct cloud_counters cloud;
    u64 promotions, promotions_failed, promotions_cut, of_dead_writers, fenced, restored, from_store, pushes_noted;
    u64 commits, observed, converged, writer_crashes, writer_stops, writer_rolled_back, replica_crashes, replica_stops, replica_rolled_back, replica_lost,
        foreign_writes, vacuums, checkpoints, log_restarts, in_doubt, first_copies, first_copies_failed, first_copies_spared, whole, parts_again, parts_again_first, disk_full;
};
struct world {
    u64 seed, start_seed;
    struct counters *counters;
    struct machine writer, replica_machine;
    struct feed *feed;
    struct follower *replica;
    // The store that the writer pushes to.
    bool stores, follows_store; // the replica follows it, and not the writer
    struct cloud cloud;
    u32 pushed_event; // the newest that was told to be there
    bool unplaced; // the replica's machine has crashed, or its volume was put back, and it has not heard of the writer since
    bool promotes;
    u32 cut_at; // operation of the disk, from the promotion on, at which the replica's machine crashes; 0: by chance
    int promotion; // the status that a promotion was answered with; 0: it goes on
    bool replica_started;
    u64 now_ns;
    bool turning; // the writer's loop, from within the replica's
    // The writer's states.
    u16 rows[SERIAL_MAX][ROWS];
    u32 serial, current, doubt; // doubt: a commit that was not answered; 0: none
    u32 events[EVENTS_MAX], event_count; // which state it was in, one after the other
    u32 seen_event;
    bool seen_doubt, strange; // strange: another program wrote to the replica
    struct volume writer_volume, replica_volume;
    struct wire wire;
    bool failed;
};
struct world *world_create(u64 seed, struct counters *counters);
void world_destroy(struct world *w);
void world_failed(struct world *w, const char *what, const char *why);
u64 chance(struct world *w, u64 n); // below n, by the world's seed
void note(struct world *w, const char *what);
void turn(struct world *w, u64 ns); // both clocks go on by so much
// By chance at some operation of the disk to come.
void crash_soon(struct world *w, struct machine *m, u32 one_in);
void weather(struct world *w, bool clear);

// The writer.
void writer_up(struct world *w);
void writer_down(struct world *w);
void writer_crashed(struct world *w);   // if it has: it comes up again
void writer_roll_back(struct world *w); // its volume, to the state that was kept
void commit(struct world *w);
// The next state, from the current one.
void commit_on(struct world *w, struct machine *m);
// What the writer says that is in the store.
void pushed_note(struct world *w);

// The replica.
void replica_up(struct world *w);
void replica_down(struct world *w);
void replica_crashed(struct world *w); // if it has
void writer_instead(struct world *w);  // the replica's machine comes up as a writer
bool replica_is(struct world *w, const char *state); // what its health says
// What it shows now must be a state that the writer had, no older one than it showed before.
void observe(struct world *w);

// Statements on either. A failure fails the world, unless the machine is down.
bool exec(struct world *w, struct machine *m, const char *sql);
int number_row(void *context, struct skerry_stmt *s); // into a u32
// Rows of "SELECT k, id, v FROM meta LEFT JOIN t".
struct view {
    u32 k, rows;
    u16 ids[ROWS];
};
int view_row(void *context, struct skerry_stmt *s);
