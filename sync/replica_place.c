// The file PATH-replica: at which position of a node's log the database is, and what that node had pushed then.
//
// It is written before each commit, with both positions, the one before it and the one after it, with the place in this
// database's own log, and with the sum of the commit's pages: at a start that log has nothing after the place, or that
// commit, or else no position is known, since another was here or one that failed is there all the same. Not synced: an
// older file is found out in the same way.
#include "replica_private.h"

#include <sodium.h>

// Two marks (names.h), before and after, and behind them a block: magic, two positions of 64 bytes, before and after, at
// 136 the place: 2 u32 wal salts, u32 wal frame, u32 clean, u64 file size, u64 file modification time in ns; 2 u32 salts of the
// log that the commit goes to, u64 XOR of the sums of its pages (segment_page_sum), 0..., and from 496 on BLAKE2b-128 of all
// before, marks and all. A position: u64 instance, u64 lsn, 2 u32 wal salts, u32 wal frame, 2 u32 wal checksum, u64 sole epoch, u32 claimed by
// this start, 0... .
// While no commit is meant the second mark and position are zeros.
#define BLOCK       (2 * BACKUP_MARK_SIZE)
#define POSITION    64
#define CHECK_AT    (BLOCK + 496)
#define PLACE_BYTES 136
static const char MAGIC[8] = {'S', 'K', 'R', 'Y', 'R', 'E', 'P', '4'};

static void position_encode(const struct replica_position *p, u8 *b)
{
    be64_put(b, p->instance);
    be64_put(b + 8, p->lsn);
    be32_put(b + 16, p->wal_salt[0]);
    be32_put(b + 20, p->wal_salt[1]);
    be32_put(b + 24, p->wal_frame);
    be32_put(b + 28, p->wal_sum[0]);
    be32_put(b + 32, p->wal_sum[1]);
    be64_put(b + 36, p->sole_epoch);
    be32_put(b + 44, p->sole_by_start);
}

static struct replica_position position_decode(const u8 *b)
{
    return (struct replica_position){.instance = be64_get(b), .lsn = be64_get(b + 8), .wal_salt = {be32_get(b + 16), be32_get(b + 20)},
                                     .wal_frame = be32_get(b + 24), .wal_sum = {be32_get(b + 28), be32_get(b + 32)},
                                     .sole_epoch = be64_get(b + 36), .sole_by_start = be32_get(b + 44) != 0};
}

void replica_place_encode(const struct replica *r, u8 out[REPLICA_PLACE_SIZE])
{
    const struct replica_place *p = &r->place;
    u8 *b = out + BLOCK + PLACE_BYTES;
    struct backup_mark next_mark = {0};
    struct replica_position next = {0};
    if (r->begun) { // a commit is meant
        next_mark = r->next_mark;
        next = r->next_position;
    }
    memset(out, 0, REPLICA_PLACE_SIZE);
    backup_mark_encode(&r->mark, out);
    backup_mark_encode(&next_mark, out + BACKUP_MARK_SIZE);
    memcpy(out + BLOCK, MAGIC, 8);
    position_encode(&r->position, out + BLOCK + 8);
    position_encode(&next, out + BLOCK + 8 + POSITION);
    be32_put(b, p->wal_salt[0]);
    be32_put(b + 4, p->wal_salt[1]);
    be32_put(b + 8, p->wal_frame);
    be32_put(b + 12, p->clean);
    be64_put(b + 16, p->file_size);
    be64_put(b + 24, p->file_modified_ns);
    be32_put(b + 32, p->commit_salt[0]);
    be32_put(b + 36, p->commit_salt[1]);
    be64_put(b + 40, p->commit_sum);
    crypto_generichash(out + CHECK_AT, 16, out, CHECK_AT, NULL, 0);
}

void replica_place_decode(struct replica *r, const u8 *bytes, size_t size)
{
    u8 check[16];
    const u8 *b = bytes + BLOCK + PLACE_BYTES;
    struct replica_place *p = &r->place;
    u64 file_size, modified_ns;
    if (size < REPLICA_PLACE_SIZE) return;
    crypto_generichash(check, sizeof check, bytes, CHECK_AT, NULL, 0);
    if (memcmp(bytes + BLOCK, MAGIC, 8) != 0 || memcmp(check, bytes + CHECK_AT, 16) != 0) return;
    if (!backup_mark_decode(bytes, &r->mark) || !backup_mark_decode(bytes + BACKUP_MARK_SIZE, &r->next_mark)) return;
    r->position = position_decode(bytes + BLOCK + 8);
    r->next_position = position_decode(bytes + BLOCK + 8 + POSITION);
    *p = (struct replica_place){.wal_salt = {be32_get(b), be32_get(b + 4)}, .wal_frame = be32_get(b + 8), .clean = be32_get(b + 12) != 0,
                                .file_size = be64_get(b + 16), .file_modified_ns = be64_get(b + 24),
                                .commit_salt = {be32_get(b + 32), be32_get(b + 36)}, .commit_sum = be64_get(b + 40)};
    r->file_is_clean = p->clean && backup_file_identity(r->io, r->path, &file_size, &modified_ns) && file_size == p->file_size &&
                       modified_ns == p->file_modified_ns;
}

static bool salts_equal(const u32 a[2], const u32 b[2])
{
    return a[0] == b[0] && a[1] == b[1];
}

static bool is_at(struct replica *r, const struct store_position *at, const u32 salt[2], u32 frame)
{
    struct store_position found;
    return store_position_find(r->store, salt, frame, &found) && found.lsn == at->lsn;
}

// Is exactly one commit in the log after that frame?
static bool one_commit(struct replica *r, const struct store_position *at, u32 after)
{
    struct store_position found;
    for (u32 frame = after + 1; frame < at->wal_frame; frame++)
        if (store_position_find(r->store, at->wal_salt, frame, &found)) return false;
    return at->wal_frame > after;
}

// Of the pages of that commit.
static io_status commit_sum(struct replica *r, const struct store_position *at, u32 after, u64 *sum)
{
    struct err err = ERR_CLEAR;
    u64 from = at->lsn - (at->wal_frame - after);
    if (!r->commit_pages && store_pages_changed(r->store, from, at->lsn, &r->commit_pages, &r->commit_count) != ERR_OK) return IO_FAIL;
    return replica_pages_sum(r, r->commit_pages, r->commit_count, sum, &err);
}

io_status replica_place_find(struct replica *r)
{
    const struct replica_place *p = &r->place;
    struct store_position at;
    u64 sum;
    store_position_get(r->store, &at, NULL);
    u32 begins = salts_equal(p->wal_salt, p->commit_salt) ? p->wal_frame : 0;
    bool before = (p->clean && r->file_is_clean && at.wal_frame == 0) || is_at(r, &at, p->wal_salt, p->wal_frame) || is_at(r, &at, p->commit_salt, begins);
    bool after = false;
    if (!before && salts_equal(at.wal_salt, p->commit_salt) && one_commit(r, &at, begins)) {
        io_status status = commit_sum(r, &at, begins, &sum);
        if (status == IO_WAIT) return IO_WAIT;
        after = status == IO_DONE && sum == p->commit_sum;
    }
    if (!before) {
        r->position = after ? r->next_position : (struct replica_position){0};
        r->mark = after ? r->next_mark : (struct backup_mark){0};
    }
    replica_apply_abandon(r);
    r->step = REPLICA_ASK;
    return IO_DONE;
}

void replica_place_take(struct replica *r)
{
    struct store_position now;
    store_position_get(r->store, &now, NULL);
    // While nothing is committed the log may begin anew here, and still be the one before on the disk.
    if (now.lsn != r->before.lsn) r->before = now;
}

void replica_place_note(struct replica *r)
{
    struct store_position now;
    struct replica_place *p = &r->place;
    store_position_get(r->store, &now, NULL);
    replica_place_take(r);
    // The file is as it was clean until the first commit of this life.
    p->clean = p->clean && r->file_is_clean && r->before.wal_frame == 0 && r->before.lsn == 0;
    p->wal_salt[0] = r->before.wal_salt[0];
    p->wal_salt[1] = r->before.wal_salt[1];
    p->wal_frame = r->before.wal_frame;
    p->commit_salt[0] = now.wal_salt[0];
    p->commit_salt[1] = now.wal_salt[1];
    p->commit_sum = r->put_sum;
}
