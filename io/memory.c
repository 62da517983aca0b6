// The memory backend: files live in this io and are shared by path; sockets and time are posix's.
//
// A path is a key, normalized (no empty or "." components); directories exist where something made them
// or something is in them, so a file may be created anywhere. Locks are granted, since nobody else can
// have these files open.
#include "backend.h"

#include <errno.h>
#include <limits.h>

struct memory_node {
    u32 holders; // names and open files
    u8 *bytes;
    u64 size, capacity; // bytes from size to capacity are zero
    s64 modified_ms;
};

struct memory_name {
    char *path;
    struct memory_node *node; // NULL: a directory
};

struct memory_state {
    struct memory_name *names; // sorted by path
    u32 name_count, name_capacity;
};

// ---- nodes ----------------------------------------------------------------------------------------

static void node_release(struct memory_node *node)
{
    if (--node->holders > 0) return;
    free(node->bytes);
    free(node);
}

static bool node_reserve(struct memory_node *node, u64 size)
{
    if (size <= node->capacity) return true;
    if (size > SIZE_MAX / 2) return false;
    u64 capacity = MAX(size, node->capacity + node->capacity / 2);
    capacity = (capacity + 4095) & ~(u64)4095;
    u8 *bytes = realloc(node->bytes, capacity);
    if (!bytes) return false;
    memset(bytes + node->capacity, 0, capacity - node->capacity);
    node->bytes = bytes;
    node->capacity = capacity;
    return true;
}

static s64 node_resize(struct memory_node *node, u64 size)
{
    if (!node_reserve(node, size)) return -ENOSPC;
    if (size < node->size) memset(node->bytes + size, 0, node->size - size);
    node->size = size;
    return 0;
}

// ---- names ----------------------------------------------------------------------------------------

static bool path_normalize(const char *path, char *out)
{
    size_t size = 0;
    bool absolute = path[0] == '/';
    if (absolute) out[size++] = '/';
    while (*path) {
        size_t length = strcspn(path, "/");
        if (length > 0 && !(length == 1 && path[0] == '.')) {
            if (size + length + 2 > PATH_MAX) return false;
            if (size > 0 && out[size - 1] != '/') out[size++] = '/';
            memcpy(out + size, path, length);
            size += length;
        }
        path += length;
        while (*path == '/') path++;
    }
    out[size] = 0;
    return true;
}

// The index of path, or of the first name after it.
static u32 name_search(const struct memory_state *state, const char *path, bool *found)
{
    u32 low = 0, high = state->name_count;
    while (low < high) {
        u32 middle = (low + high) / 2;
        if (strcmp(state->names[middle].path, path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = low < state->name_count && strcmp(state->names[low].path, path) == 0;
    return low;
}

static bool name_is_under(const char *path, const char *dir)
{
    size_t size = strlen(dir);
    if (size == 0) return path[0] != '/';
    if (strncmp(path, dir, size) != 0) return false;
    return dir[size - 1] == '/' ? path[size] != 0 : path[size] == '/';
}

static s64 name_insert(struct memory_state *state, const char *path, struct memory_node *node)
{
    if (state->name_count == state->name_capacity) {
        u32 capacity = state->name_capacity ? state->name_capacity * 2 : 16;
        struct memory_name *names = realloc(state->names, capacity * sizeof *names);
        if (!names) return -ENOMEM;
        state->names = names;
        state->name_capacity = capacity;
    }
    char *copy = strdup(path);
    if (!copy) return -ENOMEM;
    bool found;
    u32 index = name_search(state, path, &found);
    ASSERT(!found);
    memmove(&state->names[index + 1], &state->names[index],
            (state->name_count - index) * sizeof *state->names);
    state->names[index] = (struct memory_name){.path = copy, .node = node};
    state->name_count++;
    if (node) node->holders++;
    return 0;
}

static void name_delete(struct memory_state *state, u32 index)
{
    free(state->names[index].path);
    if (state->names[index].node) node_release(state->names[index].node);
    state->name_count--;
    memmove(&state->names[index], &state->names[index + 1],
            (state->name_count - index) * sizeof *state->names);
}

// ---- operations -----------------------------------------------------------------------------------

static s64 memory_open(struct io *io, struct completion *c)
{
    struct memory_state *state = io->state;
    char path[PATH_MAX];
    u32 flags = c->op.mode;
    struct memory_node *node = NULL;
    bool found = false;
    if (!(flags & IO_OPEN_TEMPORARY)) {
        if (!path_normalize(c->op.path, path)) return -ENAMETOOLONG;
        u32 index = name_search(state, path, &found);
        if (!found && !(flags & IO_OPEN_CREATE)) return -ENOENT;
        if (found && flags & IO_OPEN_CREATE && flags & IO_OPEN_EXCLUSIVE) return -EEXIST;
        if (found && !state->names[index].node) return -EISDIR;
        if (found) node = state->names[index].node;
    }
    struct native_file *f = native_file_create(io, -1, flags);
    if (!f) return -ENOMEM;
    if (!node) {
        node = calloc(1, sizeof *node);
        if (!node) {
            native_file_free(f);
            return -ENOMEM;
        }
        node->modified_ms = io_wall_ms(io);
        s64 rc = flags & IO_OPEN_TEMPORARY ? 0 : name_insert(state, path, node);
        if (rc < 0) {
            free(node);
            native_file_free(f);
            return rc;
        }
    }
    if (flags & IO_OPEN_TRUNCATE) (void)node_resize(node, 0);
    node->holders++;
    f->node = node;
    *(struct io_file **)c->op.out = &f->file;
    return 0;
}

static s64 memory_read(struct io *io, struct completion *c, struct memory_node *node)
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

static s64 memory_write(struct io *io, struct completion *c, struct memory_node *node)
{
    if (!(((struct native_file *)c->op.file)->flags & (IO_OPEN_WRITE | IO_OPEN_TEMPORARY)))
        return -EBADF;
    u64 size = 0;
    for (u32 i = 0; i < c->op.iov_count; i++) size += c->op.iov[i].iov_len;
    if (size == 0) return 0;
    if (c->op.offset > (u64)INT64_MAX - size) return -EFBIG;
    if (!node_reserve(node, c->op.offset + size)) return -ENOSPC;
    u64 offset = c->op.offset;
    for (u32 i = 0; i < c->op.iov_count; i++) {
        if (c->op.iov[i].iov_len == 0) continue;
        memcpy(node->bytes + offset, c->op.iov[i].iov_base, c->op.iov[i].iov_len);
        offset += c->op.iov[i].iov_len;
    }
    node->size = MAX(node->size, offset);
    node->modified_ms = io_wall_ms(io);
    io->counters.written_bytes += size;
    if (c->op.kind == OP_WRITE_SYNC) io->counters.syncs++;
    return (s64)size;
}

static s64 memory_unlink(struct memory_state *state, const char *path)
{
    bool found;
    u32 index = name_search(state, path, &found);
    if (!found) return -ENOENT;
    if (!state->names[index].node) return -EISDIR;
    name_delete(state, index);
    return 0;
}

// Links or renames a file; directories stay where they are.
static s64 memory_move(struct memory_state *state, const char *from, const char *to, bool keep)
{
    bool found_from, found_to;
    u32 index = name_search(state, from, &found_from);
    if (!found_from) return -ENOENT;
    struct memory_node *node = state->names[index].node;
    if (!node) return keep ? -EPERM : -EISDIR;
    u32 index_to = name_search(state, to, &found_to);
    if (found_to && keep) return -EEXIST;
    if (found_to && !state->names[index_to].node) return -EISDIR;
    if (found_to && state->names[index_to].node == node) return 0;
    if (found_to) {
        node->holders++;
        node_release(state->names[index_to].node);
        state->names[index_to].node = node;
    } else {
        s64 rc = name_insert(state, to, node);
        if (rc < 0) return rc;
    }
    if (!keep) name_delete(state, name_search(state, from, &found_from));
    return 0;
}

static s64 memory_mkdir(struct memory_state *state, const char *path)
{
    char partial[PATH_MAX];
    size_t size = strlen(path);
    memcpy(partial, path, size + 1);
    for (size_t i = 1; i <= size; i++) {
        if (partial[i] != '/' && partial[i] != 0) continue;
        char saved = partial[i];
        partial[i] = 0;
        bool found;
        u32 index = name_search(state, partial, &found);
        if (found && state->names[index].node) return -ENOTDIR;
        s64 rc = found ? 0 : name_insert(state, partial, NULL);
        if (rc < 0) return rc;
        partial[i] = saved;
    }
    return 0;
}

static bool dir_exists(const struct memory_state *state, const char *path)
{
    bool found;
    u32 index = name_search(state, path, &found);
    if (found) return state->names[index].node == NULL;
    for (u32 i = 0; i < state->name_count; i++)
        if (name_is_under(state->names[i].path, path)) return true;
    return path[0] == 0 || strcmp(path, "/") == 0;
}

static s64 memory_list(struct memory_state *state, const char *path, struct io_dir_listing *out)
{
    bool found;
    u32 index = name_search(state, path, &found);
    if (found && state->names[index].node) return -ENOTDIR;
    if (!dir_exists(state, path)) return -ENOENT;
    size_t skip = strlen(path);
    if (skip > 0 && path[skip - 1] != '/') skip++;
    u32 capacity = 0;
    for (u32 i = 0; i < state->name_count; i++) {
        const struct memory_name *name = &state->names[i];
        if (!name_is_under(name->path, path)) continue;
        char first[PATH_MAX];
        size_t size = strcspn(name->path + skip, "/");
        memcpy(first, name->path + skip, size);
        first[size] = 0;
        bool is_dir = name->path[skip + size] == '/' || !name->node, known = false;
        for (u32 j = 0; j < out->count && !known; j++)
            known = strcmp(out->entries[j].name, first) == 0;
        if (known) continue;
        if (!io_dir_listing_add(out, &capacity, first, is_dir ? 0 : name->node->size,
                                is_dir ? 0 : name->node->modified_ms, is_dir)) {
            io_dir_listing_free(out);
            return -ENOMEM;
        }
    }
    io_dir_listing_sort(out);
    return out->count;
}

static s64 memory_execute_path(struct io *io, struct completion *c)
{
    struct memory_state *state = io->state;
    char path[PATH_MAX], to[PATH_MAX];
    if (!path_normalize(c->op.path, path)) return -ENAMETOOLONG;
    if (c->op.path_to && !path_normalize(c->op.path_to, to)) return -ENAMETOOLONG;
    if (c->op.kind == OP_UNLINK) return memory_unlink(state, path);
    if (c->op.kind == OP_RENAME || c->op.kind == OP_LINK)
        return memory_move(state, path, to, c->op.kind == OP_LINK);
    if (c->op.kind == OP_MKDIR) return memory_mkdir(state, path);
    if (c->op.kind == OP_LIST) return memory_list(state, path, c->op.out);
    ASSERT(c->op.kind == OP_SYNC_DIR);
    io->counters.syncs++;
    return dir_exists(state, path) ? 0 : -ENOENT;
}

static void memory_file_drop(struct native_file *f)
{
    node_release(f->node);
}

static s64 memory_execute(struct io *io, struct completion *c)
{
    struct native_file *f = (struct native_file *)c->op.file;
    struct memory_node *node = f ? f->node : NULL;
    switch ((enum op_kind)c->op.kind) {
    case OP_OPEN: return memory_open(io, c);
    case OP_READ: return memory_read(io, c, node);
    case OP_WRITE:
    case OP_WRITE_SYNC: return memory_write(io, c, node);
    case OP_SYNC: io->counters.syncs++; return 0;
    case OP_TRUNCATE: return node_resize(node, c->op.offset);
    case OP_ALLOCATE:
        return node->size >= c->op.offset + c->op.iov_one.iov_len
                   ? 0
                   : node_resize(node, c->op.offset + c->op.iov_one.iov_len);
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
    case OP_LIST: return memory_execute_path(io, c);
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

// ---- the backend ----------------------------------------------------------------------------------

static int memory_init(struct io *io, const struct io_options *options)
{
    io->state = calloc(1, sizeof(struct memory_state));
    return io->state ? 0 : -ENOMEM;
}

static void memory_deinit(struct io *io)
{
    struct memory_state *state = io->state;
    while (state->name_count > 0) name_delete(state, state->name_count - 1);
    free(state->names);
    free(state);
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
