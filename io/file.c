// The front of files and paths: fills an operation in and submits it.
#include "backend.h"

#include <errno.h>

struct native_file *native_file_create(struct io *io, int fd, u32 flags)
{
    struct native_file *f = calloc(1, sizeof *f);
    if (!f) return NULL;
    f->file = (struct io_file){.ops = &native_file_ops, .io = io};
    f->fd = fd;
    f->slot = f->lock_fd = -1;
    f->flags = flags;
    f->next = io->files;
    if (f->next) f->next->prev = f;
    io->files = f;
    return f;
}

void native_file_free(struct native_file *f)
{
    if (f->prev)
        f->prev->next = f->next;
    else
        f->file.io->files = f->next;
    if (f->next) f->next->prev = f->prev;
    free(f);
}

static void file_submit(struct io_file *f, struct completion *c, enum op_kind kind)
{
    c->op.file = f;
    c->op.fd = ((struct native_file *)f)->fd;
    io_submit(f->io, c, kind);
}

static void file_readv(struct io_file *f, const struct iovec *iov, u32 iov_count, u64 offset,
                       struct completion *c)
{
    op_iov_set(c, iov, iov_count);
    c->op.offset = offset;
    file_submit(f, c, OP_READ);
}

static void file_writev(struct io_file *f, const struct iovec *iov, u32 iov_count, u64 offset,
                        struct completion *c)
{
    op_iov_set(c, iov, iov_count);
    c->op.offset = offset;
    file_submit(f, c, OP_WRITE);
}

static void file_writev_sync(struct io_file *f, const struct iovec *iov, u32 iov_count, u64 offset,
                             struct completion *c)
{
    op_iov_set(c, iov, iov_count);
    c->op.offset = offset;
    file_submit(f, c, OP_WRITE_SYNC);
}

static void file_sync(struct io_file *f, enum io_sync_kind kind, struct completion *c)
{
    c->op.mode = kind;
    file_submit(f, c, OP_SYNC);
}

static void file_truncate(struct io_file *f, u64 size, struct completion *c)
{
    c->op.offset = size;
    file_submit(f, c, OP_TRUNCATE);
}

static void file_allocate(struct io_file *f, u64 offset, u64 size, struct completion *c)
{
    c->op.offset = offset;
    c->op.iov_one = (struct iovec){.iov_len = size};
    file_submit(f, c, OP_ALLOCATE);
}

static void file_size(struct io_file *f, u64 *out, struct completion *c)
{
    c->op.out = out;
    file_submit(f, c, OP_SIZE);
}

static void file_close(struct io_file *f, struct completion *c)
{
    file_submit(f, c, OP_CLOSE);
}

static int file_lock(struct io_file *f, u64 offset, u64 size, enum io_lock_kind kind)
{
    return f->io->backend->lock((struct native_file *)f, offset, size, kind);
}

const struct io_file_ops native_file_ops = {
    .readv = file_readv,
    .writev = file_writev,
    .writev_sync = file_writev_sync,
    .sync = file_sync,
    .truncate = file_truncate,
    .allocate = file_allocate,
    .size = file_size,
    .close = file_close,
    .lock = file_lock,
};

// These serve every kind of file: iov_one is the completion's own.
void io_file_read(struct io_file *f, void *buffer, size_t size, u64 offset, struct completion *c)
{
    c->op.iov_one = (struct iovec){.iov_base = buffer, .iov_len = size};
    f->ops->readv(f, &c->op.iov_one, 1, offset, c);
}

void io_file_write(struct io_file *f, const void *buffer, size_t size, u64 offset,
                   struct completion *c)
{
    c->op.iov_one = (struct iovec){.iov_base = (void *)buffer, .iov_len = size};
    f->ops->writev(f, &c->op.iov_one, 1, offset, c);
}

// ---- paths

static void path_submit(struct io *io, const char *path, const char *to, struct completion *c,
                        enum op_kind kind)
{
    c->op.path = path;
    c->op.path_to = to;
    c->op.file = NULL;
    c->op.fd = -1;
    io_submit(io, c, kind);
}

static struct io_mount *mount_of(struct io *io, const char *path)
{
    struct io_mount *m = io->mounts;
    while (m && !(m->takes ? m->takes(m, path) : strcmp(m->path, path) == 0)) m = m->next;
    return m;
}

const char *io_path_why(struct io *io, const char *path)
{
    struct io_mount *m = mount_of(io, path);
    return m && m->why ? m->why(m) : NULL;
}

void io_file_open(struct io *io, const char *path, u32 flags, struct io_file **out,
                  struct completion *c)
{
    struct io_mount *m = mount_of(io, path);
    if (m) {
        m->open(m, path, flags, out, c);
        return;
    }
    c->op.mode = flags;
    c->op.out = out;
    path_submit(io, path, NULL, c, OP_OPEN);
}

void io_mount(struct io *io, struct io_mount *m)
{
    m->next = io->mounts;
    io->mounts = m;
}

void io_unmount(struct io *io, struct io_mount *m)
{
    struct io_mount **at = &io->mounts;
    while (*at && *at != m) at = &(*at)->next;
    if (*at) *at = m->next;
}

void io_path_unlink(struct io *io, const char *path, struct completion *c)
{
    path_submit(io, path, NULL, c, OP_UNLINK);
}

void io_path_rename(struct io *io, const char *from, const char *to, struct completion *c)
{
    c->op.mode = 0;
    path_submit(io, from, to, c, OP_RENAME);
}

void io_path_rename_new(struct io *io, const char *from, const char *to, struct completion *c)
{
    c->op.mode = IO_OPEN_EXCLUSIVE;
    path_submit(io, from, to, c, OP_RENAME);
}

void io_path_stat(struct io *io, const char *path, struct io_path_info *out, struct completion *c)
{
    c->op.out = out;
    path_submit(io, path, NULL, c, OP_STAT);
}

void io_path_link(struct io *io, const char *from, const char *to, struct completion *c)
{
    path_submit(io, from, to, c, OP_LINK);
}

void io_path_mkdir(struct io *io, const char *path, struct completion *c)
{
    path_submit(io, path, NULL, c, OP_MKDIR);
}

void io_path_sync_dir(struct io *io, const char *path, struct completion *c)
{
    path_submit(io, path, NULL, c, OP_SYNC_DIR);
}

void io_path_folder(const char *path, char *out, size_t size)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        snprintf(out, size, ".");
    else
        snprintf(out, size, "%.*s", (int)(slash == path ? 1 : slash - path), path);
}

void io_path_list(struct io *io, const char *path, struct io_dir_listing *out, struct completion *c)
{
    *out = (struct io_dir_listing){0};
    c->op.out = out;
    path_submit(io, path, NULL, c, OP_LIST);
}

bool io_dir_listing_add(struct io_dir_listing *listing, u32 *capacity, const char *name, u64 size,
                        s64 modified_ms, bool is_dir)
{
    if (listing->count == *capacity) {
        u32 more = *capacity ? *capacity * 2 : 32;
        struct io_dir_entry *entries = realloc(listing->entries, more * sizeof *entries);
        if (!entries) return false;
        listing->entries = entries;
        *capacity = more;
    }
    char *copy = strdup(name);
    if (!copy) return false;
    listing->entries[listing->count++] = (struct io_dir_entry){
        .name = copy, .size = size, .modified_ms = modified_ms, .is_dir = is_dir};
    return true;
}

static int entry_compare(const void *a, const void *b)
{
    return strcmp(((const struct io_dir_entry *)a)->name, ((const struct io_dir_entry *)b)->name);
}

void io_dir_listing_sort(struct io_dir_listing *listing)
{
    if (listing->count > 1)
        qsort(listing->entries, listing->count, sizeof *listing->entries, entry_compare);
}

void io_dir_listing_free(struct io_dir_listing *listing)
{
    for (u32 i = 0; i < listing->count; i++) free(listing->entries[i].name);
    free(listing->entries);
    *listing = (struct io_dir_listing){0};
}
