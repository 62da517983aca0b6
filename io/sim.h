// The simulated backend: a seeded world of files that outlives the loops that use it, so that a
// test can crash a node and open its files again.
//
//   struct sim *sim = sim_create(seed);
//   struct io *io = io_create(&(struct io_options){.backend = IO_BACKEND_SIM, .sim = sim}, &err);
//   ... io_step(io, ...) ...          sim_fault_at(sim, SIM_CRASH, 17);
//   if (sim_is_down(io)) { io_destroy(io); io = io_create(...); ... recover ... }
//
// The same seed and the same calls give the same run. Every operation completes in a later step,
// after a delay on a virtual clock that jumps to the next event; operations under way overtake each
// other; transfers happen in pieces. A step in which nothing is due takes a microsecond.
//
// What survives a crash: a file's bytes as of its last sync (a sync covers what had completed when
// it was asked for), and a name as of its directory's last sync (syncing a file does not make its
// name durable). What was not synced is by seed kept, lost, or torn at sectors of 512 bytes; names
// are kept in order up to some point. After a failed sync, what it should have covered may be lost
// even when a later sync succeeds, as on Linux.
//
// A crash ends every loop of the world: its operations complete with -EIO and change nothing, and
// closing still works, so that the code under test can wind down. Locks die with their loop's
// crash.
//
// Not simulated: sockets (they complete with -EOPNOTSUPP).
#pragma once

#include "io.h"

struct sim;

enum sim_fault {
    SIM_OPEN_ERROR,  // EMFILE
    SIM_READ_ERROR,  // EIO
    SIM_WRITE_ERROR, // EIO, after part of it was written
    SIM_WRITE_FULL,  // ENOSPC, likewise; also allocate
    SIM_SYNC_ERROR,  // EIO, of files and directories
    SIM_NAME_ERROR,  // EIO: unlink, rename, link, mkdir
    SIM_CRASH,       // before a write, sync, truncate, allocate or change of a name
    SIM_FAULT_COUNT,
};

struct sim_counters {
    u64 operations;
    u64 overtaken; // completed while an older one was still under way
    u64 delayed;   // took many times longer than others
    u64 shortened; // transfers in pieces
    u64 faults[SIM_FAULT_COUNT];
    u64 writes_kept, writes_lost, writes_torn; // at crashes: what was not synced
    u64 names_kept, names_lost;
    u64 syncs_lost; // changes that a failed sync dropped
};

// NULL when out of memory.
struct sim *sim_create(u64 seed);
// After its loops.
void sim_destroy(struct sim *sim);
// Each operation of the fault's kind meets it with this probability; 0 at first.
void sim_fault_rate(struct sim *sim, enum sim_fault fault, u32 per_million);
// The nth operation of the fault's kind from now meets it, once (1: the next; 0: none).
void sim_fault_at(struct sim *sim, enum sim_fault fault, u64 nth);
void sim_crash(struct sim *sim);
// Direct transfers give EINVAL, as on a file system without them. Others want whole sectors.
void sim_direct_refuse(struct sim *sim, bool refused);
// Wall clocks go on from now + ms; the monotonic clock does not jump.
void sim_wall_jump(struct sim *sim, s64 ms);
// Each look at the monotonic clock takes so long, as if work had been done since the one before; 0 at first.
void sim_work(struct sim *sim, u64 ns);
// True when the world crashed after this loop was created.
bool sim_is_down(const struct io *io);
void sim_counters_get(const struct sim *sim, struct sim_counters *out);
// Operations of the fault's kind so far: a test crashes a run at each of them in turn.
u64 sim_operations(const struct sim *sim, enum sim_fault fault);

// A file as it is now (right after a crash: as it survived), to be freed; NULL when missing.
u8 *sim_file_get(const struct sim *sim, const char *path, u64 *size);
// Puts a durable file there, its directories included. False when out of memory.
bool sim_file_put(struct sim *sim, const char *path, const void *bytes, u64 size);
