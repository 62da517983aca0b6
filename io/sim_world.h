// The simulated world's inside: what sim.c (the backend) and sim_world.c (files, durability,
// crashes) share.
#pragma once

#include "backend.h"
#include "sim.h"
#include "tree.h"

#define SIM_SECTOR_SIZE 512

// A change that a crash may lose.
struct sim_change {
    struct sim_change *next;
    u64 number; // order in the world
    enum { SIM_CHANGE_WRITE, SIM_CHANGE_RESIZE, SIM_CHANGE_GROW } kind;
    u64 offset, size; // RESIZE, GROW: the new size
    u8 bytes[];
};
struct sim_lock {
    struct sim_lock *next;
    struct native_file *file;
    u64 start, end; // end is beyond the last byte
    enum io_lock_kind kind;
};
struct sim_node {
    struct tree_node now; // what everybody sees; first, so that the tree's nodes are these
    u8 *durable;
    u64 durable_size, durable_capacity;
    s64 durable_modified_ms; // a sync of the data alone leaves the time to chance
    struct sim_change *changes, **changes_last; // since the last sync, oldest first
    struct sim_lock *locks;
    struct sim *sim;
    struct sim_node *next, *prev; // all nodes of the world
};

// One change of names; a rename is both a deletion and a setting.
struct sim_name_change {
    struct sim_name_change *next;
    u64 number;
    char *deleted, *set;   // paths or NULL
    struct sim_node *node; // what `set` means; NULL: a directory
};

struct sim_loop {
    struct sim *sim;
    struct io *io;
    bool down, owns_sim;
    struct sim_loop *next, *prev;
};

struct sim {
    u64 random_state;    // what happens
    u64 io_random_state; // what io_random gives
    u64 now_ns, number;
    s64 wall_jump_ms;
    u64 work_ns; // a look at the clock takes
    struct sim_counters counters;
    bool direct_refused;
    struct {
        u32 per_million;
        u64 at, seen;
    } faults[SIM_FAULT_COUNT];
    struct tree names, names_durable;
    struct sim_name_change *name_changes, **name_changes_last;
    struct sim_node *nodes;
    struct sim_loop *loops;
};

u64 sim_random(struct sim *sim);
u64 sim_below(struct sim *sim, u64 limit); // 0 .. limit - 1

// False or NULL: out of memory; nothing has changed then.
struct sim_node *sim_node_create(struct sim *sim);
bool sim_node_write(struct sim_node *node, const void *bytes, u64 size, u64 offset);
bool sim_node_resize(struct sim_node *node, u64 size);
bool sim_node_grow(struct sim_node *node, u64 size); // never cuts off, even when an earlier cut is lost
// Makes the changes up to `number` durable.
void sim_node_sync(struct sim_node *node, u64 number);
// A sync that failed: some of what it covers will never be durable.
void sim_node_sync_failed(struct sim_node *node, u64 number);

bool sim_name_change(struct sim *sim, const char *deleted, const char *set, struct sim_node *node);
void sim_names_sync(struct sim *sim, const char *dir, u64 number);

// The world as it survived; what the loops had under way must have been added as changes before.
void sim_world_crash(struct sim *sim);
int sim_node_lock(struct native_file *f, u64 start, u64 end, enum io_lock_kind kind);
void sim_node_unlock_all(struct sim_node *node, const struct native_file *f);
