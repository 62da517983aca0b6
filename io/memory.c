// The memory backend: files live in this io and are shared by path; sockets and time are posix's.
//
// Directories exist where something made them or something is in them, so a file may be created
// anywhere. Locks are granted, since nobody else can have these files open.
#include "backend.h"
#include "tree.h"

#include <errno.h>

// ---- operations

static s64 memory_open(struct io *io, struct completion *c)
{
    struct tree *tree = io->state;
    char path[PATH_MAX];
    u32 flags = c->op.mode;
    struct tree_name *name = NULL;
    if (!(flags & IO_OPEN_TEMPORARY)) {
        if (!tree_path_normalize(c->op.path, path)) return -ENAMETOOLONG;
        name = tree_find(tree, path);
        if (!name && !(flags & IO_OPEN_CREATE)) return -ENOENT;
        if (name && flags & IO_OPEN_CREATE && flags & IO_OPEN_EXCLUSIVE) return -EEXIST;
        if (name && !name->node) return -EISDIR;
    }
    struct native_file *f = native_file_create(io, -1, flags);
    struct tree_node *node = name ? name->node : calloc(1, sizeof *node);
    if (!f || !node) {
        if (f) native_file_free(f);
        if (!name) free(node);
        return -ENOMEM;
    }
    tree_node_hold(node);
    if (!name) {
        node->modified_ms = io_wall_ms(io);
        if (!(flags & IO_OPEN_TEMPORARY) && !tree_set(tree, path, node)) {
            tree_node_release(node);
            native_file_free(f);
            return -ENOMEM;
        }
    }
    if (flags & IO_OPEN_TRUNCATE) tree_node_resize(node, 0);
    f->node = node;
    *(struct io_file **)c->op.out = &f->file;
    return 0;
}

static s64 memory_read(struct io *io, struct completion *c, struct tree_node *node)
{
    u64 offset = c->op.offset;
    for (u32 i = 0; i < c->op.iov_count && offset < node->size; i++) {
        u64 size = MIN(c->op.iov[i].iov_len, node->size - offset);
        if (size > 0) memcpy(c->op.iov[i].iov_base, node->bytes + offset, size);
        offset += size;
        c->op.done_size += size;
    }
    io->counters.read_bytes += c->op.done_size;
    return (s64)c->op.done_size;
}

static s64 memory_write(struct io *io, struct completion *c, struct tree_node *node)
{
    if (!(((struct native_file *)c->op.file)->flags & (IO_OPEN_WRITE | IO_OPEN_TEMPORARY)))
        return -EBADF;
    u64 size = 0;
    for (u32 i = 0; i < c->op.iov_count; i++) size += c->op.iov[i].iov_len;
    if (size == 0) return 0;
    if (c->op.offset > (u64)INT64_MAX - size) return -EFBIG;
    if (!tree_node_reserve(node, c->op.offset + size)) return -ENOSPC;
    u64 offset = c->op.offset;
    for (u32 i = 0; i < c->op.iov_count; offset += c->op.iov[i++].iov_len)
        if (!tree_node_write(node, c->op.iov[i].iov_base, c->op.iov[i].iov_len, offset))
            return -ENOSPC;
    node->modified_ms = io_wall_ms(io);
    io->counters.written_bytes += size;
    if (c->op.kind == OP_WRITE_SYNC) io->counters.syncs++;
    return (s64)size;
}

static s64 memory_move(struct tree *tree, const char *from, const char *to, bool keep, bool new)
{
    s64 may = tree_may_move(tree, from, to, keep, new);
    if (may <= 0) return may;
    if (!tree_set(tree, to, tree_find(tree, from)->node)) return -ENOMEM;
    if (!keep) tree_delete(tree, from);
    return 0;
}

static s64 memory_mkdir(struct tree *tree, const char *path)
{
    char missing[PATH_MAX];
    s64 rc;
    while ((rc = tree_dir_missing(tree, path, missing)) > 0)
        if (!tree_set(tree, missing, NULL)) return -ENOMEM;
    return rc;
}

static s64 memory_unlink(struct tree *tree, const char *path)
{
    const struct tree_name *name = tree_find(tree, path);
    if (!name) return -ENOENT;
    if (!name->node) return -EISDIR;
    tree_delete(tree, path);
    return 0;
}

static s64 memory_execute_path(struct io *io, struct completion *c)
{
    struct tree *tree = io->state;
    char path[PATH_MAX], to[PATH_MAX];
    if (!tree_path_normalize(c->op.path, path)) return -ENAMETOOLONG;
    if (c->op.path_to && !tree_path_normalize(c->op.path_to, to)) return -ENAMETOOLONG;
    if (c->op.kind == OP_UNLINK) return memory_unlink(tree, path);
    if (c->op.kind == OP_RENAME || c->op.kind == OP_LINK)
        return memory_move(tree, path, to, c->op.kind == OP_LINK,
                           c->op.kind == OP_LINK || c->op.mode & IO_OPEN_EXCLUSIVE);
    if (c->op.kind == OP_MKDIR) return memory_mkdir(tree, path);
    if (c->op.kind == OP_LIST) return tree_list(tree, path, true, c->op.out);
    if (c->op.kind == OP_STAT) return tree_stat(tree, path, true, c->op.out);
    ASSERT(c->op.kind == OP_SYNC_DIR);
    io->counters.syncs++;
    return tree_dir_exists(tree, path, true) ? 0 : -ENOENT;
}

static void memory_file_drop(struct native_file *f)
{
    tree_node_release(f->node);
}

static s64 memory_execute(struct io *io, struct completion *c)
{
    struct native_file *f = (struct native_file *)c->op.file;
    struct tree_node *node = f ? f->node : NULL;
    switch ((enum op_kind)c->op.kind) {
    case OP_OPEN: return memory_open(io, c);
    case OP_READ: return memory_read(io, c, node);
    case OP_WRITE:
    case OP_WRITE_SYNC: return memory_write(io, c, node);
    case OP_SYNC: io->counters.syncs++; return 0;
    case OP_TRUNCATE: return tree_node_resize(node, c->op.offset) ? 0 : -ENOSPC;
    case OP_ALLOCATE:
        if (node->size >= c->op.offset + c->op.iov_one.iov_len) return 0;
        return tree_node_resize(node, c->op.offset + c->op.iov_one.iov_len) ? 0 : -ENOSPC;
    case OP_SIZE: *(u64 *)c->op.out = node->size; return 0;
    case OP_CLOSE:
        memory_file_drop(f);
        native_file_free(f);
        return 0;
    case OP_UNLINK:
    case OP_RENAME:
    case OP_LINK:
    case OP_MKDIR:
    case OP_SYNC_DIR:
    case OP_LIST:
    case OP_STAT: return memory_execute_path(io, c);
    case OP_NONE:
    case OP_POST:
    case OP_GROUP:
    case OP_TIMEOUT:
    case OP_POLL:
    case OP_ACCEPT:
    case OP_RECV:
    case OP_SEND:
    case OP_CONNECT:
    case OP_COUNT: ASSERT(!"a file operation");
    }
    return -EINVAL;
}

// ---- the backend

static int memory_init(struct io *io, const struct io_options *options)
{
    io->state = calloc(1, sizeof(struct tree));
    return io->state ? 0 : -ENOMEM;
}

static void memory_deinit(struct io *io)
{
    tree_clear(io->state);
    free(io->state);
}

static int memory_step(struct io *io, u64 wait_ns)
{
    return posix_step_with(io, wait_ns, memory_execute);
}

static int memory_lock(struct native_file *f, u64 offset, u64 size, enum io_lock_kind kind)
{
    return 0;
}

const struct io_backend io_backend_memory = {
    .kind = IO_BACKEND_MEMORY,
    .name = "memory",
    .init = memory_init,
    .deinit = memory_deinit,
    .submit = posix_submit,
    .cancel = posix_cancel,
    .step = memory_step,
    .lock = memory_lock,
    .file_drop = memory_file_drop,
    .now_ns = posix_now_ns,
    .wall_ms = posix_wall_ms,
    .random = posix_random,
    .buffers_alloc = posix_buffers_alloc,
    .buffers_free = posix_buffers_free,
};
