#include "sim_world.h"

#include <errno.h>

#define SIM_WALL_START_MS 1700000000000 // 2023-11-14: far enough from both ends
#define SIM_PER_MILLION   1000000

// Fields of a completion in this backend: op.deadline_ns when it is due, op.sync_result its number
// in the order of submission, op.part_result the last change that its sync covers.
enum sim_op_flag {
    SIM_OP_STARTED = 1, // faults have been considered
    SIM_OP_WRITTEN = 2, // write and sync: only the sync is left
};

// ---- the world from outside

struct sim *sim_create(u64 seed)
{
    struct sim *sim = calloc(1, sizeof *sim);
    if (!sim) return NULL;
    sim->random_state = seed;
    sim->io_random_state = sim_random(sim);
    sim->name_changes_last = &sim->name_changes;
    return sim;
}

void sim_destroy(struct sim *sim)
{
    if (!sim) return;
    ASSERT(!sim->loops);
    sim_names_sync(sim, "", UINT64_MAX);
    while (sim->name_changes) {
        char dir[PATH_MAX];
        const struct sim_name_change *change = sim->name_changes;
        tree_path_parent(change->set ? change->set : change->deleted, dir);
        sim_names_sync(sim, dir, UINT64_MAX);
    }
    tree_clear(&sim->names);
    tree_clear(&sim->names_durable);
    ASSERT(!sim->nodes);
    free(sim);
}

void sim_fault_rate(struct sim *sim, enum sim_fault fault, u32 per_million)
{
    sim->faults[fault].per_million = per_million;
}

void sim_fault_at(struct sim *sim, enum sim_fault fault, u64 nth)
{
    sim->faults[fault].at = nth;
}

void sim_direct_refuse(struct sim *sim, bool refused)
{
    sim->direct_refused = refused;
}

u64 sim_operations(const struct sim *sim, enum sim_fault fault)
{
    return sim->faults[fault].seen;
}

void sim_counters_get(const struct sim *sim, struct sim_counters *out)
{
    *out = sim->counters;
}

bool sim_is_down(const struct io *io)
{
    ASSERT(io->backend->kind == IO_BACKEND_SIM);
    return ((struct sim_loop *)io->state)->down;
}

u8 *sim_file_get(const struct sim *sim, const char *path, u64 *size)
{
    char key[PATH_MAX];
    if (!tree_path_normalize(path, key)) return NULL;
    const struct tree_name *name = tree_find(&sim->names, key);
    if (!name || !name->node) return NULL;
    *size = name->node->size;
    u8 *bytes = malloc(MAX(*size, 1));
    if (bytes && *size > 0) memcpy(bytes, name->node->bytes, *size);
    return bytes;
}

static s64 sim_mkdir(struct sim *sim, const char *path);

bool sim_file_put(struct sim *sim, const char *path, const void *bytes, u64 size)
{
    char key[PATH_MAX], dir[PATH_MAX];
    if (!tree_path_normalize(path, key)) return false;
    tree_path_parent(key, dir);
    struct sim_node *node = sim_node_create(sim);
    if (!node) return false;
    tree_node_hold(&node->now);
    bool done = sim_mkdir(sim, dir) == 0 && sim_node_write(node, bytes, size, 0) &&
                sim_name_change(sim, NULL, key, node);
    if (done) {
        sim_node_sync(node, sim->number);
        while (dir[0] && strcmp(key, "/") != 0) {
            tree_path_parent(key, dir);
            sim_names_sync(sim, dir, sim->number);
            strcpy(key, dir);
        }
        sim_names_sync(sim, "", sim->number);
    }
    tree_node_release(&node->now);
    return done;
}

// ---- faults

static bool fault_hits(struct sim *sim, enum sim_fault fault)
{
    sim->faults[fault].seen++;
    bool hit = sim->faults[fault].at > 0 && --sim->faults[fault].at == 0;
    if (!hit && sim->faults[fault].per_million > 0)
        hit = sim_below(sim, SIM_PER_MILLION) < sim->faults[fault].per_million;
    sim->counters.faults[fault] += hit;
    return hit;
}

static bool is_change(const struct completion *c)
{
    switch ((enum op_kind)c->op.kind) {
    case OP_WRITE:
    case OP_WRITE_SYNC:
    case OP_SYNC:
    case OP_TRUNCATE:
    case OP_ALLOCATE:
    case OP_UNLINK:
    case OP_RENAME:
    case OP_LINK:
    case OP_MKDIR:
    case OP_SYNC_DIR: return true;
    case OP_OPEN: return c->op.mode & (IO_OPEN_CREATE | IO_OPEN_TRUNCATE);
    case OP_NONE:
    case OP_POST:
    case OP_GROUP:
    case OP_TIMEOUT:
    case OP_POLL:
    case OP_ACCEPT:
    case OP_RECV:
    case OP_SEND:
    case OP_CONNECT:
    case OP_READ:
    case OP_SIZE:
    case OP_CLOSE:
    case OP_LIST:
    case OP_STAT:
    case OP_COUNT: return false;
    }
    return false;
}

// ---- operations

static struct sim_node *op_node(const struct completion *c)
{
    return c->op.file ? ((struct native_file *)c->op.file)->node : NULL;
}

static s64 sim_open(struct io *io, struct sim *sim, struct completion *c)
{
    char path[PATH_MAX], dir[PATH_MAX];
    u32 flags = c->op.mode;
    if (fault_hits(sim, SIM_OPEN_ERROR)) return -EMFILE;
    if (!tree_path_normalize(c->op.path, path)) return -ENAMETOOLONG;
    const struct tree_name *name = NULL;
    if (flags & IO_OPEN_TEMPORARY) {
        if (!tree_dir_exists(&sim->names, path, false)) return -ENOENT;
    } else {
        name = tree_find(&sim->names, path);
        if (!name && tree_dir_exists(&sim->names, path, false)) return -EISDIR;
        if (!name && !(flags & IO_OPEN_CREATE)) return -ENOENT;
        if (name && flags & IO_OPEN_CREATE && flags & IO_OPEN_EXCLUSIVE) return -EEXIST;
        if (name && !name->node) return -EISDIR;
        tree_path_parent(path, dir);
        if (!tree_dir_exists(&sim->names, dir, false)) return -ENOENT;
    }
    struct sim_node *node = name ? (struct sim_node *)name->node : sim_node_create(sim);
    if (!node) return -ENOMEM;
    tree_node_hold(&node->now);
    struct native_file *f = native_file_create(io, -1, flags);
    bool done = f != NULL;
    if (done && !name && !(flags & IO_OPEN_TEMPORARY))
        done = sim_name_change(sim, NULL, path, node);
    if (done && flags & IO_OPEN_TRUNCATE && node->now.size > 0) done = sim_node_resize(node, 0);
    if (!done) {
        if (f) native_file_free(f);
        tree_node_release(&node->now);
        return -ENOMEM;
    }
    if (!name) node->now.modified_ms = io_wall_ms(io);
    f->node = node;
    *(struct io_file **)c->op.out = &f->file;
    return 0;
}

static u64 op_size_left(const struct completion *c)
{
    u64 size = c->op.iov_rest.iov_len;
    for (u32 i = 0; i < c->op.iov_count; i++) size += c->op.iov[i].iov_len;
    return size;
}

// Part of a transfer, ending at a boundary of sectors: within one, old and new never mix.
static u64 part_size(struct sim *sim, const struct completion *c)
{
    u64 left = op_size_left(c), start = c->op.offset + c->op.done_size;
    u64 end = start + sim_below(sim, left + 1);
    end -= end % SIM_SECTOR_SIZE;
    return end > start ? end - start : 0;
}

// How much of a transfer happens now; the rest follows later.
static u64 piece_size(struct sim *sim, const struct completion *c)
{
    u64 part = sim_below(sim, 8) == 0 ? part_size(sim, c) : 0, left = op_size_left(c);
    if (part == 0 || part == left) return left;
    sim->counters.shortened++;
    return part;
}

static s64 transfer_read(struct io *io, struct completion *c, u64 size)
{
    const struct tree_node *node = &op_node(c)->now;
    while (size > 0) {
        u32 count;
        const struct iovec *iov = op_iov(c, &count);
        u64 offset = c->op.offset + c->op.done_size;
        u64 n = MIN(iov->iov_len, size);
        u64 there = offset < node->size ? MIN(n, node->size - offset) : 0;
        if (there > 0) memcpy(iov->iov_base, node->bytes + offset, there);
        io->counters.read_bytes += there;
        op_iov_advance(c, there);
        if (there < n) { // the end of the file ends the transfer
            op_iov_set(c, NULL, 0);
            break;
        }
        size -= n;
    }
    return 0;
}

static s64 transfer_write(struct io *io, struct completion *c, u64 size)
{
    struct sim_node *node = op_node(c);
    while (size > 0) {
        u32 count;
        const struct iovec *iov = op_iov(c, &count);
        u64 n = MIN(iov->iov_len, size);
        if (!sim_node_write(node, iov->iov_base, n, c->op.offset + c->op.done_size)) return -ENOSPC;
        io->counters.written_bytes += n;
        op_iov_advance(c, n);
        size -= n;
    }
    node->now.modified_ms = io_wall_ms(io);
    return 0;
}

// As the kernel, which wants all of a direct transfer in whole sectors, or wants none at all.
static bool direct_refused(const struct sim *sim, const struct completion *c)
{
    if (!(((const struct native_file *)c->op.file)->flags & IO_OPEN_DIRECT)) return false;
    bool aligned = c->op.offset % SIM_SECTOR_SIZE == 0;
    for (u32 i = 0; i < c->op.iov_count; i++)
        aligned &= ((uintptr_t)c->op.iov[i].iov_base | c->op.iov[i].iov_len) % SIM_SECTOR_SIZE == 0;
    return !aligned || sim->direct_refused;
}

static s64 sim_read(struct io *io, struct sim *sim, struct completion *c, bool *again)
{
    if (!(c->op.flags & SIM_OP_STARTED) && direct_refused(sim, c)) return -EINVAL;
    if (!(c->op.flags & SIM_OP_STARTED) && fault_hits(sim, SIM_READ_ERROR)) return -EIO;
    s64 rc = transfer_read(io, c, piece_size(sim, c));
    if (rc < 0) return rc;
    *again = op_size_left(c) > 0;
    return (s64)c->op.done_size;
}

static s64 sim_sync(struct sim *sim, struct completion *c)
{
    if (fault_hits(sim, SIM_SYNC_ERROR)) {
        sim_node_sync_failed(op_node(c), (u64)c->op.part_result);
        return -EIO;
    }
    sim_node_sync(op_node(c), (u64)c->op.part_result);
    if (c->op.kind == OP_SYNC && c->op.mode == IO_SYNC_FULL) op_node(c)->durable_modified_ms = op_node(c)->now.modified_ms;
    return 0;
}

static s64 sim_write(struct io *io, struct sim *sim, struct completion *c, bool *again)
{
    if (!(((struct native_file *)c->op.file)->flags & (IO_OPEN_WRITE | IO_OPEN_TEMPORARY)))
        return -EBADF;
    if (c->op.flags & SIM_OP_WRITTEN) {
        s64 rc = sim_sync(sim, c);
        return rc < 0 ? rc : (s64)c->op.done_size;
    }
    if (!(c->op.flags & SIM_OP_STARTED)) {
        if (direct_refused(sim, c)) return -EINVAL;
        bool broken = fault_hits(sim, SIM_WRITE_ERROR), full = fault_hits(sim, SIM_WRITE_FULL);
        if (broken || full) {
            s64 rc = transfer_write(io, c, part_size(sim, c));
            return rc < 0 ? rc : broken ? -EIO : -ENOSPC;
        }
    }
    s64 rc = transfer_write(io, c, piece_size(sim, c));
    if (rc < 0) return rc;
    *again = op_size_left(c) > 0;
    if (!*again && c->op.kind == OP_WRITE_SYNC) {
        c->op.flags |= SIM_OP_WRITTEN;
        c->op.part_result = (s64)sim->number;
        io->counters.syncs++;
        *again = true;
    }
    return (s64)c->op.done_size;
}

static s64 sim_allocate(struct sim *sim, struct completion *c)
{
    u64 size = c->op.offset + c->op.iov_one.iov_len;
    if (fault_hits(sim, SIM_WRITE_FULL)) return -ENOSPC;
    return sim_node_grow(op_node(c), size) ? 0 : -ENOSPC;
}

static s64 sim_close(struct io *io, struct completion *c, bool *again)
{
    struct native_file *f = (struct native_file *)c->op.file;
    // Operations that were asked for before end before.
    for (const struct completion *other = io->waiting.first; other; other = other->op.next) {
        if (other == c || other->op.file != c->op.file) continue;
        *again = true;
        return 0;
    }
    io->backend->file_drop(f);
    native_file_free(f);
    return 0;
}

// ---- paths

static s64 sim_mkdir(struct sim *sim, const char *path)
{
    char missing[PATH_MAX];
    s64 rc;
    while ((rc = tree_dir_missing(&sim->names, path, missing)) > 0)
        if (!sim_name_change(sim, NULL, missing, NULL)) return -ENOMEM;
    return rc;
}

static s64 sim_unlink(struct sim *sim, const char *path)
{
    const struct tree_name *name = tree_find(&sim->names, path);
    if (!name) return -ENOENT;
    if (!name->node) return -EISDIR;
    return sim_name_change(sim, path, NULL, NULL) ? 0 : -ENOMEM;
}

static s64 sim_move(struct sim *sim, const char *from, const char *to, bool keep, bool new)
{
    char dir[PATH_MAX];
    tree_path_parent(to, dir);
    s64 may = tree_dir_exists(&sim->names, dir, false) ? tree_may_move(&sim->names, from, to, keep, new) : -ENOENT;
    if (may <= 0) return may;
    struct sim_node *node = (struct sim_node *)tree_find(&sim->names, from)->node;
    return sim_name_change(sim, keep ? NULL : from, to, node) ? 0 : -ENOMEM;
}

static s64 sim_sync_dir(struct io *io, struct sim *sim, struct completion *c, const char *path)
{
    io->counters.syncs++;
    if (fault_hits(sim, SIM_SYNC_ERROR)) return -EIO;
    if (!tree_dir_exists(&sim->names, path, false)) return -ENOENT;
    sim_names_sync(sim, path, (u64)c->op.part_result);
    return 0;
}

static s64 sim_path(struct io *io, struct sim *sim, struct completion *c)
{
    char path[PATH_MAX], to[PATH_MAX];
    if (!tree_path_normalize(c->op.path, path)) return -ENAMETOOLONG;
    if (c->op.path_to && !tree_path_normalize(c->op.path_to, to)) return -ENAMETOOLONG;
    if (c->op.kind == OP_LIST) return tree_list(&sim->names, path, false, c->op.out);
    if (c->op.kind == OP_STAT) return tree_stat(&sim->names, path, false, c->op.out);
    if (c->op.kind == OP_SYNC_DIR) return sim_sync_dir(io, sim, c, path);
    if (fault_hits(sim, SIM_NAME_ERROR)) return -EIO;
    if (c->op.kind == OP_UNLINK) return sim_unlink(sim, path);
    if (c->op.kind == OP_MKDIR) return sim_mkdir(sim, path);
    ASSERT(c->op.kind == OP_RENAME || c->op.kind == OP_LINK);
    return sim_move(sim, path, to, c->op.kind == OP_LINK,
                    c->op.kind == OP_LINK || c->op.mode & IO_OPEN_EXCLUSIVE);
}

// *again: not finished, due once more later.
static s64 sim_execute(struct io *io, struct completion *c, bool *again)
{
    struct sim_loop *loop = io->state;
    struct sim *sim = loop->sim;
    bool new_change =
        is_change(c) && (!(c->op.flags & SIM_OP_STARTED) || c->op.flags & SIM_OP_WRITTEN);
    if (!loop->down && new_change && fault_hits(sim, SIM_CRASH)) sim_crash(sim);
    if (c->op.kind == OP_CLOSE) return sim_close(io, c, again);
    if (loop->down) return -EIO;
    s64 result = 0;
    switch ((enum op_kind)c->op.kind) {
    case OP_OPEN: result = sim_open(io, sim, c); break;
    case OP_READ: result = sim_read(io, sim, c, again); break;
    case OP_WRITE:
    case OP_WRITE_SYNC: result = sim_write(io, sim, c, again); break;
    case OP_SYNC:
        io->counters.syncs++;
        result = sim_sync(sim, c);
        break;
    case OP_TRUNCATE: result = sim_node_resize(op_node(c), c->op.offset) ? 0 : -ENOSPC; break;
    case OP_ALLOCATE: result = sim_allocate(sim, c); break;
    case OP_SIZE: *(u64 *)c->op.out = op_node(c)->now.size; break;
    case OP_UNLINK:
    case OP_RENAME:
    case OP_LINK:
    case OP_MKDIR:
    case OP_SYNC_DIR:
    case OP_LIST:
    case OP_STAT: result = sim_path(io, sim, c); break;
    case OP_NONE:
    case OP_POST:
    case OP_GROUP:
    case OP_TIMEOUT:
    case OP_POLL:
    case OP_ACCEPT:
    case OP_RECV:
    case OP_SEND:
    case OP_CONNECT:
    case OP_CLOSE:
    case OP_COUNT: ASSERT(!"a file operation");
    }
    c->op.flags |= SIM_OP_STARTED;
    return result;
}

// ---- crashing

// What was under way may or may not have reached the disk.
static void loop_add_pending(struct sim_loop *loop)
{
    struct sim *sim = loop->sim;
    for (struct completion *c = loop->io->waiting.first; c; c = c->op.next) {
        if (!is_change(c) || sim_below(sim, 2)) continue;
        if (c->op.kind == OP_SYNC || c->op.flags & SIM_OP_WRITTEN)
            sim_node_sync(op_node(c), (u64)c->op.part_result);
        else if (c->op.kind == OP_WRITE || c->op.kind == OP_WRITE_SYNC)
            (void)transfer_write(loop->io, c, op_size_left(c));
        else if (c->op.kind == OP_UNLINK || c->op.kind == OP_RENAME || c->op.kind == OP_LINK)
            (void)sim_path(loop->io, sim, c);
    }
}

void sim_wall_jump(struct sim *sim, s64 ms)
{
    sim->wall_jump_ms += ms;
}

void sim_work(struct sim *sim, u64 ns)
{
    sim->work_ns = ns;
}

void sim_crash(struct sim *sim)
{
    for (struct sim_loop *loop = sim->loops; loop; loop = loop->next)
        if (!loop->down) loop_add_pending(loop);
    for (struct sim_loop *loop = sim->loops; loop; loop = loop->next) loop->down = true;
    sim_world_crash(sim);
}

// ---- the backend

static int sim_init(struct io *io, const struct io_options *options)
{
    struct sim_loop *loop = calloc(1, sizeof *loop);
    if (!loop) return -ENOMEM;
    *loop = (struct sim_loop){.sim = options->sim, .io = io};
    if (!loop->sim) {
        loop->sim = sim_create(options->seed);
        loop->owns_sim = true;
    }
    if (!loop->sim) {
        free(loop);
        return -ENOMEM;
    }
    loop->next = loop->sim->loops;
    if (loop->next) loop->next->prev = loop;
    loop->sim->loops = loop;
    io->state = loop;
    return 0;
}

static void sim_deinit(struct io *io)
{
    struct sim_loop *loop = io->state;
    if (loop->prev)
        loop->prev->next = loop->next;
    else
        loop->sim->loops = loop->next;
    if (loop->next) loop->next->prev = loop->prev;
    if (loop->owns_sim) sim_destroy(loop->sim);
    free(loop);
}

static void sim_schedule(struct sim *sim, struct completion *c)
{
    u64 delay_ns = 5000 + sim_below(sim, 500000);
    if (sim_below(sim, 16) == 0) {
        delay_ns *= 20;
        sim->counters.delayed++;
    }
    c->op.deadline_ns = sim->now_ns + delay_ns;
}

static void sim_submit(struct io *io, struct completion *c)
{
    struct sim *sim = ((struct sim_loop *)io->state)->sim;
    if (c->op.kind == OP_TIMEOUT) {
        timer_add(io, c);
        return;
    }
    if (c->op.kind >= OP_POLL && c->op.kind <= OP_SEND) {
        io_finish(io, c, -EOPNOTSUPP);
        return;
    }
    c->op.sync_result = (s64)sim->counters.operations++;
    c->op.part_result = (s64)sim->number;
    sim_schedule(sim, c);
    c->op.place = PLACE_WAITING;
    completion_list_add(&io->waiting, c);
}

static void sim_cancel(struct io *io, struct completion *c)
{
    struct sim *sim = ((struct sim_loop *)io->state)->sim;
    if (sim_below(sim, 2)) return; // too late
    completion_list_remove(&io->waiting, c);
    io_finish(io, c, -ECANCELED);
}

static struct completion *sim_earliest(const struct io *io)
{
    struct completion *earliest = NULL;
    for (struct completion *c = io->waiting.first; c; c = c->op.next)
        if (!earliest || c->op.deadline_ns < earliest->op.deadline_ns) earliest = c;
    return earliest;
}

static void sim_run(struct io *io, struct completion *c)
{
    struct sim *sim = ((struct sim_loop *)io->state)->sim;
    bool again = false;
    s64 result = sim_execute(io, c, &again);
    if (again) {
        sim_schedule(sim, c);
        return;
    }
    completion_list_remove(&io->waiting, c);
    for (const struct completion *other = io->waiting.first; other; other = other->op.next) {
        if (other->op.sync_result > c->op.sync_result) continue;
        sim->counters.overtaken++;
        break;
    }
    io_finish(io, c, result);
}

static int sim_step(struct io *io, u64 wait_ns)
{
    struct sim *sim = ((struct sim_loop *)io->state)->sim;
    u64 limit_ns = wait_ns > UINT64_MAX - sim->now_ns ? UINT64_MAX : sim->now_ns + wait_ns;
    struct completion *c = sim_earliest(io);
    if (c && c->op.deadline_ns <= limit_ns) {
        sim->now_ns = MAX(sim->now_ns, c->op.deadline_ns);
        for (; c && c->op.deadline_ns <= sim->now_ns; c = sim_earliest(io)) sim_run(io, c);
    } else if (limit_ns != UINT64_MAX) {
        sim->now_ns += MAX(wait_ns, 1000);
    }
    return 0;
}

static int sim_lock(struct native_file *f, u64 offset, u64 size, enum io_lock_kind kind)
{
    const struct sim_loop *loop = f->file.io->state;
    if (loop->down) return -EIO;
    u64 end = size == 0 || size > UINT64_MAX - offset ? UINT64_MAX : offset + size; // as fcntl's
    return sim_node_lock(f, offset, end, kind);
}

static void sim_file_drop(struct native_file *f)
{
    struct sim_node *node = f->node;
    sim_node_unlock_all(node, f);
    tree_node_release(&node->now);
}

static u64 sim_now_ns(const struct io *io)
{
    struct sim *sim = ((const struct sim_loop *)io->state)->sim;
    return sim->now_ns += sim->work_ns;
}

static s64 sim_wall_ms(const struct io *io)
{
    const struct sim *sim = ((const struct sim_loop *)io->state)->sim;
    return SIM_WALL_START_MS + (s64)(sim->now_ns / 1000000) + sim->wall_jump_ms;
}

static void sim_io_random(struct io *io, void *out, size_t size)
{
    struct sim *sim = ((struct sim_loop *)io->state)->sim;
    u8 *bytes = out;
    u64 what_happens = sim->random_state;
    sim->random_state = sim->io_random_state;
    for (size_t i = 0; i < size; i += 8) {
        u64 word = sim_random(sim);
        memcpy(bytes + i, &word, MIN(8, size - i));
    }
    sim->io_random_state = sim->random_state;
    sim->random_state = what_happens;
}

const struct io_backend io_backend_sim = {
    .kind = IO_BACKEND_SIM,
    .name = "simulated",
    .init = sim_init,
    .deinit = sim_deinit,
    .submit = sim_submit,
    .cancel = sim_cancel,
    .step = sim_step,
    .lock = sim_lock,
    .file_drop = sim_file_drop,
    .now_ns = sim_now_ns,
    .wall_ms = sim_wall_ms,
    .random = sim_io_random,
    .buffers_alloc = posix_buffers_alloc,
    .buffers_free = posix_buffers_free,
};
