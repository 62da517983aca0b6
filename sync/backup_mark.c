#include "names.h"
#include "small_file.h"

#include <errno.h>
#include <sodium.h>

static const char MARK_MAGIC[8] = {'S', 'K', 'R', 'Y', 'B', 'K', 'P', '2'};

#define MARK_CHECK_OFFSET 496

bool backup_mark_claims(const struct backup_mark *m)
{
    return !sodium_is_zero(m->claim, sizeof m->claim);
}

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
    be32_put(out + 128, m->unclaimed);
    memcpy(out + 132, m->claim, sizeof m->claim);
    be64_put(out + 148, m->own_epoch);
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
    out->unclaimed = be32_get(bytes + 128) != 0;
    memcpy(out->claim, bytes + 132, sizeof out->claim);
    out->own_epoch = be64_get(bytes + 148);
    if (!out->own_epoch) out->own_epoch = out->epoch - backup_mark_claims(out);
    return true;
}

void backup_mark_path(const char *database_path, char out[4096])
{
    snprintf(out, 4096, "%s-backup", database_path);
}

// ---- outside of the loop
// ---------------------------------------------------------------------------------------

static void wait_for(struct io *io, struct completion *c)
{
    while (c->state == COMPLETION_PENDING)
        if (io_step(io, UINT64_MAX) < 0) break;
}

static void wake_nobody(void *context)
{
}

u8 *backup_file_read(struct io *io, const char *path, size_t *size)
{
    struct small_file f;
    struct err err = ERR_CLEAR;
    io_status status;
    small_file_init(&f, io, wake_nobody, NULL);
    while ((status = small_file_read(&f, path, 1u << 30, &err)) == IO_WAIT) wait_for(io, &f.c);
    if (status == IO_FAIL) small_file_deinit(&f);
    *size = f.size;
    return f.bytes;
}

bool backup_file_write(struct io *io, const char *path, const void *bytes, size_t size)
{
    struct small_file f;
    struct err err = ERR_CLEAR;
    io_status status;
    small_file_init(&f, io, wake_nobody, NULL);
    while ((status = small_file_write(&f, path, bytes, size, &err)) == IO_WAIT) wait_for(io, &f.c);
    small_file_deinit(&f);
    return status == IO_DONE;
}

bool backup_mark_read(struct io *io, const char *database_path, struct backup_mark *out)
{
    char path[4096];
    size_t size;
    backup_mark_path(database_path, path);
    u8 *bytes = backup_file_read(io, path, &size);
    struct backup_mark m;
    bool found = false;
    for (u64 at = 0; bytes && at < BACKUP_MARK_SLOTS * BACKUP_MARK_SLOT && at + BACKUP_MARK_SIZE <= size; at += BACKUP_MARK_SLOT) {
        if (!backup_mark_decode(bytes + at, &m) || (found && m.serial <= out->serial)) continue;
        *out = m;
        found = true;
    }
    free(bytes);
    return found;
}

bool backup_mark_write(struct io *io, const char *database_path, const struct backup_mark *m, struct err *err)
{
    char path[4096], folder[4096];
    u8 bytes[BACKUP_MARK_SIZE];
    struct iovec iov = {bytes, sizeof bytes};
    struct io_file *file = NULL;
    struct completion c;
    backup_mark_path(database_path, path);
    io_path_folder(database_path, folder, sizeof folder);
    backup_mark_encode(m, bytes);
    completion_init(&c, NULL, NULL);
    io_file_open(io, path, IO_OPEN_WRITE | IO_OPEN_CREATE, &file, &c);
    wait_for(io, &c);
    s64 result = c.result;
    if (result >= 0) {
        io_file_writev_sync(file, &iov, 1, backup_mark_offset(m), &c);
        wait_for(io, &c);
        result = c.result;
        io_file_close(file, &c);
        wait_for(io, &c);
    }
    if (result >= 0) {
        io_path_sync_dir(io, folder, &c);
        wait_for(io, &c);
        result = c.result;
    }
    if (result < 0) err_set_errno(err, ERR_IOERR_WRITE, (int)-result, __func__, "%s: cannot be written: %s", path, strerror((int)-result));
    return result >= 0;
}

bool backup_file_identity(struct io *io, const char *path, u64 *size, u64 *modified_ns)
{
    struct io_path_info info = {0};
    struct completion c;
    completion_init(&c, NULL, NULL);
    io_path_stat(io, path, &info, &c);
    wait_for(io, &c);
    *size = info.size;
    *modified_ns = (u64)info.modified_ns;
    return c.result >= 0;
}
