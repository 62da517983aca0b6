#include "names.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

static const char MARK_MAGIC[8] = {'S', 'K', 'R', 'Y', 'B', 'K', 'P', '2'};

#define MARK_CHECK_OFFSET 496

void backup_mark_encode(const struct backup_mark *m, u8 out[BACKUP_MARK_SIZE])
{
    memset(out, 0, BACKUP_MARK_SIZE);
    memcpy(out, MARK_MAGIC, 8);
    be64_put(out + 8, m->serial);
    be64_put(out + 16, m->tx);
    be64_put(out + 24, m->epoch);
    memcpy(out + 32, m->database_id, 16);
    memcpy(out + 48, m->hash, SEGMENT_HASH_SIZE);
    be32_put(out + 80, m->wal_salt[0]);
    be32_put(out + 84, m->wal_salt[1]);
    be32_put(out + 88, m->wal_frame);
    be32_put(out + 92, m->clean);
    be64_put(out + 96, m->file_size);
    be64_put(out + 104, m->file_modified_ns);
    be64_put(out + 112, m->lineage);
    be64_put(out + 120, m->sum);
    crypto_generichash(out + MARK_CHECK_OFFSET, 16, out, MARK_CHECK_OFFSET, NULL, 0);
}

bool backup_mark_decode(const u8 bytes[BACKUP_MARK_SIZE], struct backup_mark *out)
{
    u8 check[16];
    if (memcmp(bytes, MARK_MAGIC, 8) != 0) return false;
    crypto_generichash(check, sizeof check, bytes, MARK_CHECK_OFFSET, NULL, 0);
    if (memcmp(check, bytes + MARK_CHECK_OFFSET, 16) != 0) return false;
    out->serial = be64_get(bytes + 8);
    out->tx = be64_get(bytes + 16);
    out->epoch = be64_get(bytes + 24);
    memcpy(out->database_id, bytes + 32, 16);
    memcpy(out->hash, bytes + 48, SEGMENT_HASH_SIZE);
    out->wal_salt[0] = be32_get(bytes + 80);
    out->wal_salt[1] = be32_get(bytes + 84);
    out->wal_frame = be32_get(bytes + 88);
    out->clean = be32_get(bytes + 92) != 0;
    out->file_size = be64_get(bytes + 96);
    out->file_modified_ns = be64_get(bytes + 104);
    out->lineage = be64_get(bytes + 112);
    out->sum = be64_get(bytes + 120);
    return true;
}

void backup_mark_path(const char *database_path, char out[4096])
{
    snprintf(out, 4096, "%s-backup", database_path);
}

bool backup_mark_read(const char *database_path, struct backup_mark *out)
{
    char path[4096];
    u8 bytes[2 * BACKUP_MARK_SIZE] = {0};
    backup_mark_path(database_path, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t size = pread(fd, bytes, sizeof bytes, 0);
    close(fd);
    struct backup_mark a, b;
    bool has_a = size > 0 && backup_mark_decode(bytes, &a);
    bool has_b = size > 0 && backup_mark_decode(bytes + BACKUP_MARK_SIZE, &b);
    if (!has_a && !has_b) return false;
    *out = has_a && (!has_b || a.serial > b.serial) ? a : b;
    return true;
}

bool backup_mark_write(const char *database_path, const struct backup_mark *m, struct err *err)
{
    char path[4096], folder[4096];
    u8 bytes[BACKUP_MARK_SIZE];
    backup_mark_path(database_path, path);
    snprintf(folder, sizeof folder, "%s", database_path);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = 0;
    else
        snprintf(folder, sizeof folder, ".");
    backup_mark_encode(m, bytes);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    bool good =
        fd >= 0 &&
        pwrite(fd, bytes, sizeof bytes, (off_t)backup_mark_offset(m)) == (ssize_t)sizeof bytes &&
        fsync(fd) == 0;
    int saved = errno;
    if (fd >= 0) close(fd);
    int dir = good ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (dir >= 0) {
        if (fsync(dir) != 0) good = false, saved = errno;
        close(dir);
    }
    if (!good)
        err_set_errno(err, ERR_IOERR_WRITE, saved, __func__, "%s: cannot be written: %s", path,
                      strerror(saved));
    return good;
}

bool backup_file_identity(const char *database_path, u64 *size, u64 *modified_ns)
{
    struct stat st;
    if (stat(database_path, &st) != 0) return false;
    *size = (u64)st.st_size;
    *modified_ns = (u64)st.st_mtim.tv_sec * 1000000000u + (u64)st.st_mtim.tv_nsec;
    return true;
}

