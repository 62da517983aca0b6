#include "sim_world.h"

#include <errno.h>

u64 sim_random(struct sim *sim)
{
    u64 z = (sim->random_state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

u64 sim_below(struct sim *sim, u64 limit)
{
    return sim_random(sim) % limit;
}

// ---- files

static void changes_free(struct sim_node *node)
{
    while (node->changes) {
        struct sim_change *change = node->changes;
        node->changes = change->next;
        free(change);
    }
    node->changes_last = &node->changes;
}

static void sim_node_free(struct tree_node *base)
{
    struct sim_node *node = (struct sim_node *)base;
    changes_free(node);
    while (node->locks) {
        struct sim_lock *lock = node->locks;
        node->locks = lock->next;
        free(lock);
    }
    if (node->prev)
        node->prev->next = node->next;
    else
        node->sim->nodes = node->next;
    if (node->next) node->next->prev = node->prev;
    free(node->durable);
    free(node);
}

struct sim_node *sim_node_create(struct sim *sim)
{
    struct sim_node *node = calloc(1, sizeof *node);
    if (!node) return NULL;
    node->now.free = sim_node_free;
    node->changes_last = &node->changes;
    node->sim = sim;
    node->next = sim->nodes;
    if (node->next) node->next->prev = node;
    sim->nodes = node;
    return node;
}

static struct sim_change *change_create(struct sim *sim, u64 size)
{
    struct sim_change *change = malloc(sizeof *change + size);
    if (change) *change = (struct sim_change){.number = ++sim->number, .size = size};
    return change;
}

static void change_append(struct sim_node *node, struct sim_change *change)
{
    *node->changes_last = change;
    node->changes_last = &change->next;
}

// A durable image can hold what the file holds, so that surviving never runs out of memory.
static bool durable_reserve(struct sim_node *node, u64 size)
{
    if (size <= node->durable_capacity) return true;
    u64 capacity = MAX(size, node->durable_capacity * 2);
    u8 *bytes = realloc(node->durable, capacity);
    if (!bytes) return false;
    memset(bytes + node->durable_capacity, 0, capacity - node->durable_capacity);
    node->durable = bytes;
    node->durable_capacity = capacity;
    return true;
}

bool sim_node_write(struct sim_node *node, const void *bytes, u64 size, u64 offset)
{
    if (size == 0) return true;
    if (offset > (u64)INT64_MAX - size || !durable_reserve(node, offset + size)) return false;
    struct sim_change *change = change_create(node->sim, size);
    if (!change) return false;
    if (!tree_node_write(&node->now, bytes, size, offset)) {
        free(change);
        return false;
    }
    change->kind = SIM_CHANGE_WRITE;
    change->offset = offset;
    memcpy(change->bytes, bytes, size);
    change_append(node, change);
    return true;
}

static bool node_size_set(struct sim_node *node, u64 size, int kind)
{
    if (size > INT64_MAX || !durable_reserve(node, size)) return false;
    struct sim_change *change = change_create(node->sim, 0);
    if (!change) return false;
    if (!tree_node_resize(&node->now, size)) {
        free(change);
        return false;
    }
    change->kind = kind;
    change->size = size;
    change_append(node, change);
    return true;
}

bool sim_node_resize(struct sim_node *node, u64 size)
{
    return node_size_set(node, size, SIM_CHANGE_RESIZE);
}

bool sim_node_grow(struct sim_node *node, u64 size)
{
    return node->now.size >= size || node_size_set(node, size, SIM_CHANGE_GROW);
}

static void durable_resize(struct sim_node *node, u64 size)
{
    if (size < node->durable_size) memset(node->durable + size, 0, node->durable_size - size);
    node->durable_size = size;
}

static void durable_write(struct sim_node *node, const u8 *bytes, u64 size, u64 offset)
{
    memcpy(node->durable + offset, bytes, size);
    node->durable_size = MAX(node->durable_size, offset + size);
}

static void change_apply(struct sim_node *node, const struct sim_change *change)
{
    switch (change->kind) {
    case SIM_CHANGE_WRITE: durable_write(node, change->bytes, change->size, change->offset); break;
    case SIM_CHANGE_RESIZE: durable_resize(node, change->size); break;
    case SIM_CHANGE_GROW: node->durable_size = MAX(node->durable_size, change->size); break;
    }
}

static struct sim_change *change_take(struct sim_node *node, u64 number)
{
    struct sim_change *change = node->changes;
    if (!change || change->number > number) return NULL;
    node->changes = change->next;
    if (!node->changes) node->changes_last = &node->changes;
    return change;
}

void sim_node_sync(struct sim_node *node, u64 number)
{
    struct sim_change *change;
    while ((change = change_take(node, number)) != NULL) {
        change_apply(node, change);
        free(change);
    }
}

void sim_node_sync_failed(struct sim_node *node, u64 number)
{
    struct sim_change *change;
    while ((change = change_take(node, number)) != NULL) {
        if (sim_below(node->sim, 2))
            change_apply(node, change);
        else
            node->sim->counters.syncs_lost++;
        free(change);
    }
}

// ---- names

static void name_change_free(struct sim_name_change *change)
{
    if (change->node) tree_node_release(&change->node->now);
    free(change->deleted);
    free(change->set);
    free(change);
}

bool sim_name_change(struct sim *sim, const char *deleted, const char *set, struct sim_node *node)
{
    struct sim_name_change *change = calloc(1, sizeof *change);
    if (!change) return false;
    change->deleted = deleted ? strdup(deleted) : NULL;
    change->set = set ? strdup(set) : NULL;
    if ((deleted && !change->deleted) || (set && !change->set) ||
        (set && !tree_set(&sim->names, set, node ? &node->now : NULL))) {
        name_change_free(change);
        return false;
    }
    if (deleted) tree_delete(&sim->names, change->deleted);
    change->number = ++sim->number;
    change->node = node;
    if (node) tree_node_hold(&node->now);
    *sim->name_changes_last = change;
    sim->name_changes_last = &change->next;
    return true;
}

// A name that memory runs out for is lost: that is what a crash may do.
static void name_change_apply(struct sim *sim, const struct sim_name_change *change)
{
    if (change->set &&
        !tree_set(&sim->names_durable, change->set, change->node ? &change->node->now : NULL))
        return;
    if (change->deleted) tree_delete(&sim->names_durable, change->deleted);
}

static bool path_in(const char *path, const char *dir)
{
    char parent[PATH_MAX];
    if (!path) return false;
    tree_path_parent(path, parent);
    return strcmp(parent, dir) == 0;
}

void sim_names_sync(struct sim *sim, const char *dir, u64 number)
{
    // A rename between directories carries all before it along, so that the order of names is kept.
    bool all = false;
    for (struct sim_name_change *c = sim->name_changes; c && c->number <= number; c = c->next)
        all |= c->deleted && c->set && path_in(c->deleted, dir) != path_in(c->set, dir);
    struct sim_name_change **link = &sim->name_changes;
    while (*link && (*link)->number <= number) {
        struct sim_name_change *change = *link;
        if (!all && !path_in(change->deleted, dir) && !path_in(change->set, dir)) {
            link = &change->next;
            continue;
        }
        name_change_apply(sim, change);
        *link = change->next;
        if (!*link) sim->name_changes_last = link;
        name_change_free(change);
    }
}

// ---- crashes

// How a crash treats what was not synced: mostly mixed, sometimes all or nothing.
enum crash_mood { CRASH_LOSES, CRASH_KEEPS, CRASH_MIXES, CRASH_MIXES_TOO, CRASH_MOODS };

// Which sectors of a torn write survive: each by itself, or those before or after some place, as devices write in runs.
enum tear { TEAR_ANY, TEAR_BEFORE, TEAR_AFTER, TEAR_KINDS };

static void change_tear(struct sim_node *node, const struct sim_change *change)
{
    enum tear tear = (enum tear)sim_below(node->sim, TEAR_KINDS);
    u64 place = sim_below(node->sim, change->size), position = 0;
    while (position < change->size) {
        u64 to_boundary = SIM_SECTOR_SIZE - (change->offset + position) % SIM_SECTOR_SIZE;
        u64 size = MIN(to_boundary, change->size - position);
        bool kept = tear == TEAR_ANY ? sim_below(node->sim, 2) != 0 : (position < place) == (tear == TEAR_BEFORE);
        if (kept) durable_write(node, change->bytes + position, size, change->offset + position);
        position += size;
    }
}

// Only what spans sectors can tear.
static bool change_can_tear(const struct sim_change *change)
{
    return change->kind == SIM_CHANGE_WRITE &&
           change->offset / SIM_SECTOR_SIZE !=
               (change->offset + change->size - 1) / SIM_SECTOR_SIZE;
}

static void node_crash(struct sim_node *node, enum crash_mood mood)
{
    struct sim *sim = node->sim;
    struct sim_change *change;
    while ((change = change_take(node, UINT64_MAX)) != NULL) {
        u64 fate = mood == CRASH_LOSES ? 0 : mood == CRASH_KEEPS ? 1 : sim_below(sim, 3);
        if (fate == 2 && !change_can_tear(change)) fate = 1;
        if (fate == 1) change_apply(node, change);
        if (fate == 2) change_tear(node, change);
        sim->counters.writes_lost += fate == 0;
        sim->counters.writes_kept += fate == 1;
        sim->counters.writes_torn += fate == 2;
        free(change);
    }
    if (mood == CRASH_LOSES) node->now.modified_ms = node->durable_modified_ms;
    node->durable_modified_ms = node->now.modified_ms;
    // Cannot fail for lack of memory: what survives was in memory before, file and image alike.
    bool fits = tree_node_resize(&node->now, 0) && tree_node_resize(&node->now, node->durable_size);
    ASSERT(fits);
    if (node->durable_size > 0) memcpy(node->now.bytes, node->durable, node->durable_size);
}

static void names_crash(struct sim *sim, enum crash_mood mood)
{
    u64 count = 0, kept = 0;
    for (struct sim_name_change *c = sim->name_changes; c; c = c->next) count++;
    if (mood == CRASH_KEEPS) kept = count;
    if (mood != CRASH_KEEPS && mood != CRASH_LOSES) kept = sim_below(sim, count + 1);
    for (u64 i = 0; i < count; i++) {
        struct sim_name_change *change = sim->name_changes;
        sim->name_changes = change->next;
        if (i < kept) name_change_apply(sim, change);
        name_change_free(change);
    }
    sim->name_changes_last = &sim->name_changes;
    sim->counters.names_kept += kept;
    sim->counters.names_lost += count - kept;

    // Names whose directory did not survive are out of reach. Directories come before what is in
    // them.
    tree_clear(&sim->names);
    for (u32 i = 0; i < sim->names_durable.count; i++) {
        const struct tree_name *name = &sim->names_durable.names[i];
        char parent[PATH_MAX];
        tree_path_parent(name->path, parent);
        if (tree_dir_exists(&sim->names, parent, false)) {
            bool set = tree_set(&sim->names, name->path, name->node);
            ASSERT(set);
        }
    }
    tree_clear(&sim->names_durable);
    for (u32 i = 0; i < sim->names.count; i++) {
        bool set =
            tree_set(&sim->names_durable, sim->names.names[i].path, sim->names.names[i].node);
        ASSERT(set);
    }
}

void sim_world_crash(struct sim *sim)
{
    enum crash_mood mood = (enum crash_mood)sim_below(sim, CRASH_MOODS);
    for (struct sim_node *node = sim->nodes; node; node = node->next) {
        while (node->locks) {
            struct sim_lock *lock = node->locks;
            node->locks = lock->next;
            free(lock);
        }
        node_crash(node, mood);
    }
    names_crash(sim, (enum crash_mood)sim_below(sim, CRASH_MOODS));
}

// ---- locks

static bool lock_overlaps(const struct sim_lock *lock, u64 start, u64 end)
{
    return lock->start < end && start < lock->end;
}

int sim_node_lock(struct native_file *f, u64 start, u64 end, enum io_lock_kind kind)
{
    struct sim_node *node = f->node;
    for (struct sim_lock *l = node->locks; l && kind != IO_UNLOCK; l = l->next)
        if (l->file != f && lock_overlaps(l, start, end) &&
            (kind == IO_LOCK_EXCLUSIVE || l->kind == IO_LOCK_EXCLUSIVE))
            return -EAGAIN;
    // The file's own locks there give way: at most one is split in two, and one is added.
    struct sim_lock *fresh[2] = {malloc(sizeof *fresh[0]), malloc(sizeof *fresh[1])};
    if (!fresh[0] || !fresh[1]) {
        free(fresh[0]);
        free(fresh[1]);
        return -ENOLCK;
    }
    u32 used = 0;
    for (struct sim_lock **link = &node->locks; *link;) {
        struct sim_lock *l = *link;
        if (l->file != f || !lock_overlaps(l, start, end)) {
            link = &l->next;
        } else if (l->start < start && l->end > end) {
            *fresh[used] = (struct sim_lock){l->next, f, end, l->end, l->kind};
            l->end = start;
            l->next = fresh[used++];
            link = &l->next->next;
        } else if (l->start < start) {
            l->end = start;
            link = &l->next;
        } else if (l->end > end) {
            l->start = end;
            link = &l->next;
        } else {
            *link = l->next;
            free(l);
        }
    }
    if (kind != IO_UNLOCK) {
        *fresh[used] = (struct sim_lock){node->locks, f, start, end, kind};
        node->locks = fresh[used++];
    }
    while (used < 2) free(fresh[used++]);
    return 0;
}

void sim_node_unlock_all(struct sim_node *node, const struct native_file *f)
{
    for (struct sim_lock **link = &node->locks; *link;) {
        struct sim_lock *l = *link;
        if (l->file == f) {
            *link = l->next;
            free(l);
        } else {
            link = &l->next;
        }
    }
}
