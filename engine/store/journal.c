// Rolling back a hot rollback journal, which a process that used SQLite's older way of committing
// left when it died.
//
// Format, big-endian: segments that start at multiples of the sector size. A segment's header, one
// sector: magic (8 bytes), number of records (0xffffffff: up to the end of the file), checksum
// seed, pages of the database before the transaction, sector size, page size. A record: page
// number, the page as it was, checksum = seed + every 200th byte counted down from page size - 200.
// At the end there may be the name of a super-journal: number of the lock page, name, its size, its
// checksum, magic; when that file is gone the transaction has committed.
#include "store_private.h"

#include <errno.h>
#include <libgen.h>

#define JOURNAL_HEADER_SIZE 28u
#define SUPER_NAME_MAX      1024u

static const u8 journal_magic[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};

enum journal_step {
    JOURNAL_OPEN,
    JOURNAL_OPENED,
    JOURNAL_SIZED,
    JOURNAL_HEAD_READ,
    JOURNAL_TAIL_READ,
    JOURNAL_SUPER_READ,
    JOURNAL_SUPER_OPENED,
    JOURNAL_SUPER_CLOSED,
    JOURNAL_SEGMENT,
    JOURNAL_SEGMENT_READ,
    JOURNAL_TRUNCATED,
    JOURNAL_RECORD,
    JOURNAL_RECORD_READ,
    JOURNAL_RECORD_WRITTEN,
    JOURNAL_SYNC,
    JOURNAL_SYNCED,
    JOURNAL_CLOSE,
    JOURNAL_CLOSED,
    JOURNAL_UNLINKED,
    JOURNAL_DIR_SYNCED,
    JOURNAL_DONE,
};

struct journal {
    enum journal_step step;
    struct io_file *file, *super;
    u64 size, offset;
    bool hot, first_seen;
    u32 record_count, record_next;
    u32 seed, sector_size, page_size;
    pgno page_count;
    u32 super_size;
    u8 *buffer; // SUPER_NAME_MAX, or a record
    char *directory;
};

void store_journal_free(struct store *s)
{
    struct journal *j = s->journal;
    if (!j) return;
    free(j->buffer);
    free(j->directory);
    free(j);
    s->journal = NULL;
}

struct io_file *store_journal_file_take(struct store *s)
{
    struct io_file *file = s->journal ? s->journal->file : NULL;
    if (s->journal) s->journal->file = NULL;
    return file;
}

static io_status journal_error(struct store *s, struct op *op, err_code code, s64 result,
                               const char *what)
{
    err_set_errno(&op->err, code, (int)-result, __func__,
                  "disk I/O error: %s while rolling back %s failed", what, s->path_journal);
    return IO_FAIL;
}

static bool segment_decode(struct journal *j, const u8 *h)
{
    if (memcmp(h, journal_magic, 8) != 0) return false;
    if (j->offset + (j->first_seen ? j->sector_size : 512) > j->size)
        return false; // not all of the sector is there
    u32 sector = be32_get(h + 20), page = be32_get(h + 24);
    j->record_count = be32_get(h + 8);
    j->seed = be32_get(h + 12);
    if (!j->first_seen) {
        if (sector < 32 || sector > 65536 || (sector & (sector - 1))) return false;
        if (page < 512 || page > 65536 || (page & (page - 1))) return false;
        j->page_count = be32_get(h + 16);
        j->sector_size = sector;
        j->page_size = page;
    }
    j->record_next = 0;
    j->offset += j->sector_size;
    if (j->record_count == UINT32_MAX)
        j->record_count = (u32)((j->size - MIN(j->size, j->offset)) / (j->page_size + 8));
    return true;
}

static bool record_sound(const struct journal *j)
{
    const u8 *page = j->buffer + 4;
    u32 sum = j->seed;
    for (s32 i = (s32)j->page_size - 200; i > 0; i -= 200) sum += page[i];
    return sum == be32_get(page + j->page_size);
}

static void super_decode_tail(struct journal *j)
{
    j->super_size = 0;
    if (memcmp(j->buffer + 8, journal_magic, 8) != 0) return;
    u32 size = be32_get(j->buffer);
    if (size == 0 || size >= SUPER_NAME_MAX - 16 || size + 20 > j->size) return;
    j->super_size = size;
    // Its checksum is the sum of the name's bytes, as signed characters.
    memcpy(j->buffer + SUPER_NAME_MAX - 4, j->buffer + 4, 4);
}

static bool super_name_sound(struct journal *j)
{
    u32 sum = 0;
    for (u32 i = 0; i < j->super_size; i++) sum += (u32)(s8)j->buffer[i];
    j->buffer[j->super_size] = 0;
    return sum == be32_get(j->buffer + SUPER_NAME_MAX - 4) &&
           strlen((char *)j->buffer) == j->super_size;
}

static io_status journal_begin(struct store *s, struct op *op)
{
    struct journal *j = s->journal = calloc(1, sizeof *s->journal);
    char *copy = strdup(s->path);
    if (j) j->buffer = malloc(65536 + 8);
    if (j && copy) j->directory = strdup(dirname(copy));
    free(copy);
    if (!j || !j->buffer || !j->directory) return IO_ERROR(&op->err, ERR_NOMEM, "out of memory");
    return IO_DONE;
}

// One step: sets j->step to what comes next; true when s->completion was submitted.
static io_status journal_advance(struct store *s, struct op *op, bool *submitted)
{
    struct journal *j = s->journal;
    struct completion *c = &s->completion;
    s64 result = c->result;
    *submitted = true;
    switch (j->step) {
    case JOURNAL_OPEN:
        j->step = JOURNAL_OPENED;
        io_file_open(s->io, s->path_journal, s->read_only ? IO_OPEN_READ : IO_OPEN_WRITE, &j->file,
                     c);
        return IO_DONE;
    case JOURNAL_OPENED:
        if (result < 0) {
            j->file = NULL;
            if (result != -ENOENT) return journal_error(s, op, ERR_CANTOPEN, result, "opening it");
            j->step = JOURNAL_DONE;
            break;
        }
        j->step = JOURNAL_SIZED;
        io_file_size(j->file, &j->size, c);
        return IO_DONE;
    case JOURNAL_SIZED:
        if (result < 0) return journal_error(s, op, ERR_IOERR_READ, result, "reading its size");
        if (j->size == 0) {
            j->step = JOURNAL_CLOSE;
            break;
        }
        j->step = JOURNAL_HEAD_READ;
        io_file_read(j->file, j->buffer, 1, 0, c);
        return IO_DONE;
    case JOURNAL_HEAD_READ:
        if (result < 0) return journal_error(s, op, ERR_IOERR_READ, result, "reading it");
        j->step = JOURNAL_CLOSE;
        if (result == 0 || j->buffer[0] == 0) break; // finished; its owner keeps the file
        if (s->read_only)
            return IO_ERROR(&op->err, ERR_READONLY,
                            "%s must be rolled back first: open the database for writing",
                            s->path_journal);
        j->hot = true;
        if (s->file_size == 0 || j->size < 16) break; // nothing to roll back
        j->step = JOURNAL_TAIL_READ;
        io_file_read(j->file, j->buffer, 16, j->size - 16, c);
        return IO_DONE;
    case JOURNAL_TAIL_READ:
        if (result < 0) return journal_error(s, op, ERR_IOERR_READ, result, "reading it");
        super_decode_tail(j);
        if (j->super_size == 0) {
            j->step = JOURNAL_SEGMENT;
            break;
        }
        j->step = JOURNAL_SUPER_READ;
        io_file_read(j->file, j->buffer, j->super_size, j->size - 16 - j->super_size, c);
        return IO_DONE;
    case JOURNAL_SUPER_READ:
        if (result < 0) return journal_error(s, op, ERR_IOERR_READ, result, "reading it");
        if (!super_name_sound(j)) {
            j->step = JOURNAL_SEGMENT;
            break;
        }
        j->step = JOURNAL_SUPER_OPENED;
        io_file_open(s->io, (char *)j->buffer, IO_OPEN_READ, &j->super, c);
        return IO_DONE;
    case JOURNAL_SUPER_OPENED:
        if (result == -ENOENT) {
            j->step = JOURNAL_CLOSE; // committed
            break;
        }
        if (result < 0)
            return journal_error(s, op, ERR_CANTOPEN, result, "opening its super-journal");
        j->step = JOURNAL_SUPER_CLOSED;
        io_file_close(j->super, c);
        return IO_DONE;
    case JOURNAL_SUPER_CLOSED: j->step = JOURNAL_SEGMENT; break;
    case JOURNAL_SEGMENT:
        if (j->first_seen)
            j->offset = (j->offset + j->sector_size - 1) / j->sector_size * j->sector_size;
        j->step = JOURNAL_SEGMENT_READ;
        io_file_read(j->file, j->buffer, JOURNAL_HEADER_SIZE, j->offset, c);
        return IO_DONE;
    case JOURNAL_SEGMENT_READ:
        if (result < 0) return journal_error(s, op, ERR_IOERR_READ, result, "reading it");
        if (result < JOURNAL_HEADER_SIZE || !segment_decode(j, j->buffer)) {
            j->step = JOURNAL_SYNC;
            break;
        }
        if (j->first_seen) {
            j->step = JOURNAL_RECORD;
            break;
        }
        j->first_seen = true;
        j->step = JOURNAL_TRUNCATED;
        io_file_truncate(s->file, (u64)j->page_count * j->page_size, c);
        return IO_DONE;
    case JOURNAL_TRUNCATED:
        if (result < 0)
            return journal_error(s, op, ERR_IOERR_TRUNCATE, result, "setting the database's size");
        j->step = JOURNAL_RECORD;
        break;
    case JOURNAL_RECORD:
        if (j->record_next == j->record_count) {
            j->step = JOURNAL_SEGMENT;
            break;
        }
        j->record_next++;
        j->step = JOURNAL_RECORD_READ;
        io_file_read(j->file, j->buffer, j->page_size + 8, j->offset, c);
        return IO_DONE;
    case JOURNAL_RECORD_READ: {
        if (result < 0) return journal_error(s, op, ERR_IOERR_READ, result, "reading it");
        pgno no = be32_get(j->buffer);
        // A record that was not completely written: then neither was the database changed after it.
        if (result < j->page_size + 8 || no == 0 || no == LOCK_OFFSET / j->page_size + 1 ||
            !record_sound(j)) {
            j->step = JOURNAL_SYNC;
            break;
        }
        j->offset += j->page_size + 8;
        j->step = JOURNAL_RECORD_WRITTEN;
        if (no > j->page_count) {
            j->step = JOURNAL_RECORD;
            break;
        }
        io_file_write(s->file, j->buffer + 4, j->page_size, (u64)(no - 1) * j->page_size, c);
        return IO_DONE;
    }
    case JOURNAL_RECORD_WRITTEN:
        if (result < 0)
            return journal_error(s, op, ERR_IOERR_WRITE, result, "writing the database");
        j->step = JOURNAL_RECORD;
        break;
    case JOURNAL_SYNC:
        j->step = JOURNAL_SYNCED;
        io_file_sync(s->file, IO_SYNC_FULL, c);
        return IO_DONE;
    case JOURNAL_SYNCED:
        if (result < 0)
            return journal_error(s, op, ERR_IOERR_FSYNC, result, "syncing the database");
        j->step = JOURNAL_CLOSE;
        break;
    case JOURNAL_CLOSE:
        j->step = JOURNAL_CLOSED;
        io_file_close(j->file, c);
        return IO_DONE;
    case JOURNAL_CLOSED:
        j->file = NULL;
        if (!j->hot) {
            j->step = JOURNAL_DONE;
            break;
        }
        j->step = JOURNAL_UNLINKED;
        io_path_unlink(s->io, s->path_journal, c);
        return IO_DONE;
    case JOURNAL_UNLINKED:
        if (result < 0 && result != -ENOENT)
            return journal_error(s, op, ERR_IOERR_WRITE, result, "removing it");
        j->step = JOURNAL_DIR_SYNCED;
        io_path_sync_dir(s->io, j->directory, c);
        return IO_DONE;
    case JOURNAL_DIR_SYNCED:
        if (result < 0)
            return journal_error(s, op, ERR_IOERR_FSYNC, result, "syncing its directory");
        s->file_size = j->first_seen ? (u64)j->page_count * j->page_size : s->file_size;
        j->step = JOURNAL_DONE;
        break;
    case JOURNAL_DONE: break;
    }
    *submitted = false;
    return IO_DONE;
}

io_status store_rollback_journal(struct store *s, struct op *op)
{
    if (!s->journal) IO_TRY(journal_begin(s, op));
    while (s->journal->step != JOURNAL_DONE) {
        bool submitted;
        IO_TRY(journal_advance(s, op, &submitted));
        if (submitted) return store_step_wait(s, op);
    }
    store_journal_free(s);
    return IO_DONE;
}
