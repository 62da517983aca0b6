// Files and paths by synchronous calls: the posix backend's, and the ring's where the kernel lacks
// an operation.
#include "backend.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MODE 0644
#define DIR_MODE  0755

int posix_open_flags(u32 flags)
{
    int out = O_CLOEXEC | (flags & (IO_OPEN_WRITE | IO_OPEN_TEMPORARY) ? O_RDWR : O_RDONLY);
    if (flags & IO_OPEN_CREATE) out |= O_CREAT;
    if (flags & IO_OPEN_EXCLUSIVE) out |= O_EXCL;
    if (flags & IO_OPEN_TRUNCATE) out |= O_TRUNC;
    if (flags & IO_OPEN_DIRECT) out |= O_DIRECT;
    return out;
}

static int open_temporary(const char *dir)
{
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) return fd;
    char name[PATH_MAX];
    if (snprintf(name, sizeof name, "%s/skerry-XXXXXX", dir) >= (int)sizeof name) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0) unlink(name);
    return fd;
}

static s64 execute_open(struct io *io, struct completion *c)
{
    int flags = posix_open_flags(c->op.mode), fd;
    if (c->op.mode & IO_OPEN_TEMPORARY) {
        fd = open_temporary(c->op.path);
    } else {
        fd = open(c->op.path, flags, FILE_MODE);
        if (fd < 0 && errno == EINVAL && flags & O_DIRECT)
            fd = open(c->op.path, flags & ~O_DIRECT, FILE_MODE);
    }
    if (fd < 0) return -errno;
    struct native_file *f = native_file_create(io, fd, c->op.mode);
    if (!f) {
        close(fd);
        return -ENOMEM;
    }
    *(struct io_file **)c->op.out = &f->file;
    return 0;
}

static s64 execute_read(struct io *io, struct completion *c)
{
    while (op_iov_left(c)) {
        u32 count;
        const struct iovec *iov = op_iov(c, &count);
        ssize_t n = preadv(c->op.fd, iov, (int)count, (off_t)(c->op.offset + c->op.done_size));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        io->counters.read_bytes += (u64)n;
        bool more = op_iov_advance(c, (u64)n);
        // A direct read that stops inside a sector stopped at the end of the file.
        if (n == 0 ||
            (more && ((struct native_file *)c->op.file)->flags & IO_OPEN_DIRECT && n % 512))
            break;
        if (more) io->counters.resubmissions++;
    }
    return (s64)c->op.done_size;
}

static s64 execute_write(struct io *io, struct completion *c)
{
    while (op_iov_left(c)) {
        u32 count;
        const struct iovec *iov = op_iov(c, &count);
        ssize_t n = pwritev(c->op.fd, iov, (int)count, (off_t)(c->op.offset + c->op.done_size));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        io->counters.written_bytes += (u64)n;
        bool more = op_iov_advance(c, (u64)n);
        if (more && n == 0) return -EIO;
        if (more) io->counters.resubmissions++;
    }
    if (c->op.kind == OP_WRITE_SYNC) {
        io->counters.syncs++;
        if (fdatasync(c->op.fd) < 0) return -errno;
    }
    return (s64)c->op.done_size;
}

static s64 execute_allocate(struct completion *c)
{
    u64 size = c->op.iov_one.iov_len;
    if (fallocate(c->op.fd, 0, (off_t)c->op.offset, (off_t)size) == 0) return 0;
    if (errno != EOPNOTSUPP) return -errno;
    struct stat st;
    if (fstat(c->op.fd, &st) < 0) return -errno;
    if ((u64)st.st_size >= c->op.offset + size) return 0;
    return ftruncate(c->op.fd, (off_t)(c->op.offset + size)) < 0 ? -errno : 0;
}

static s64 execute_mkdir(const char *path)
{
    char partial[PATH_MAX];
    size_t size = strlen(path);
    if (size == 0) return -ENOENT;
    if (size >= sizeof partial) return -ENAMETOOLONG;
    memcpy(partial, path, size + 1);
    for (size_t i = 1; i <= size; i++) {
        if (partial[i] != '/' && partial[i] != 0) continue;
        char saved = partial[i];
        partial[i] = 0;
        if (mkdir(partial, DIR_MODE) < 0 && errno != EEXIST) {
            // A parent that is there but not ours to write in is no obstacle.
            int mkdir_errno = errno;
            struct stat st;
            if (stat(partial, &st) < 0 || !S_ISDIR(st.st_mode)) return -mkdir_errno;
        }
        partial[i] = saved;
    }
    struct stat st;
    if (stat(path, &st) < 0) return -errno;
    return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int posix_folder_open(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static s64 execute_sync_dir(struct io *io, const char *path)
{
    int fd = posix_folder_open(path);
    if (fd < 0) return fd;
    io->counters.syncs++;
    int rc = fsync(fd) < 0 ? -errno : 0;
    close(fd);
    return rc;
}

static s64 execute_list(const char *path, struct io_dir_listing *out)
{
    DIR *dir = opendir(path);
    if (!dir) return -errno;
    u32 capacity = 0;
    s64 rc = 0;
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(dir);
        if (!entry) {
            rc = -errno;
            break;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        struct stat st;
        if (fstatat(dirfd(dir), entry->d_name, &st, 0) < 0) continue; // gone meanwhile
        s64 modified_ms = (s64)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
        if (!io_dir_listing_add(out, &capacity, entry->d_name, (u64)st.st_size, modified_ms,
                                S_ISDIR(st.st_mode))) {
            rc = -ENOMEM;
            break;
        }
    }
    closedir(dir);
    if (rc < 0) {
        io_dir_listing_free(out);
        return rc;
    }
    io_dir_listing_sort(out);
    return out->count;
}

static s64 execute_stat(const char *path, struct io_path_info *out)
{
    struct stat st;
    if (stat(path, &st) < 0) return -errno;
    *out = (struct io_path_info){
        .size = (u64)st.st_size,
        .identity = (u64)st.st_ino,
        .modified_ns = (s64)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
        .is_dir = S_ISDIR(st.st_mode),
    };
    return 0;
}

s64 posix_execute(struct io *io, struct completion *c)
{
    struct stat st;
    int rc = 0;
    switch ((enum op_kind)c->op.kind) {
    case OP_OPEN: return execute_open(io, c);
    case OP_READ: return execute_read(io, c);
    case OP_WRITE:
    case OP_WRITE_SYNC: return execute_write(io, c);
    case OP_SYNC:
        io->counters.syncs++;
        rc = c->op.mode == IO_SYNC_DATA ? fdatasync(c->op.fd) : fsync(c->op.fd);
        break;
    case OP_TRUNCATE: rc = ftruncate(c->op.fd, (off_t)c->op.offset); break;
    case OP_ALLOCATE: return execute_allocate(c);
    case OP_SIZE:
        rc = fstat(c->op.fd, &st);
        if (rc == 0) *(u64 *)c->op.out = (u64)st.st_size;
        break;
    case OP_CLOSE: {
        struct native_file *f = (struct native_file *)c->op.file;
        rc = close(f->fd) < 0 ? -errno : 0;
        native_file_free(f);
        return rc == -EINTR ? 0 : rc;
    }
    case OP_UNLINK: rc = unlink(c->op.path); break;
    case OP_RENAME:
        rc = renameat2(AT_FDCWD, c->op.path, AT_FDCWD, c->op.path_to,
                       c->op.mode & IO_OPEN_EXCLUSIVE ? RENAME_NOREPLACE : 0);
        break;
    case OP_LINK: rc = link(c->op.path, c->op.path_to); break;
    case OP_MKDIR: return execute_mkdir(c->op.path);
    case OP_SYNC_DIR: return execute_sync_dir(io, c->op.path);
    case OP_LIST: return execute_list(c->op.path, c->op.out);
    case OP_STAT: return execute_stat(c->op.path, c->op.out);
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
    return rc < 0 ? -errno : 0;
}

int posix_lock(struct native_file *f, u64 offset, u64 size, enum io_lock_kind kind)
{
    struct flock lock = {.l_whence = SEEK_SET, .l_start = (off_t)offset, .l_len = (off_t)size};
    switch (kind) {
    case IO_UNLOCK: lock.l_type = F_UNLCK; break;
    case IO_LOCK_SHARED: lock.l_type = F_RDLCK; break;
    case IO_LOCK_EXCLUSIVE: lock.l_type = F_WRLCK; break;
    }
    if (fcntl(f->lock_fd >= 0 ? f->lock_fd : f->fd, F_OFD_SETLK, &lock) == 0) return 0;
    return errno == EACCES ? -EAGAIN : -errno;
}

void posix_file_drop(struct native_file *f)
{
    if (f->lock_fd >= 0) close(f->lock_fd);
    if (f->fd >= 0) close(f->fd);
}
