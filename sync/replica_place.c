// The file PATH-replica: at which position of a node's log the database is, and what that node had pushed then.
//
// It is written before each commit, with both positions, the one before it and the one after it, and with the place in
// this database's own log: at a start that log has nothing after the place, or one commit, or else another was here and
// no position is known. Not synced, since an older file is found out in the same way; but when the own log begins anew.
// A commit that failed may be found there like the one that was tried in its place: then that has no position.
#include "replica_private.h"

#include <sodium.h>

// Two marks (names.h), before and after, and behind them a block: magic, two positions of 64 bytes, before and after, at
// 136 the place: 2 u32 wal salts, u32 wal frame, u32 clean, u64 file size, u64 file modification time in ns, 0..., and from
// 496 on BLAKE2b-128 of all before, marks and all. A position: u64 instance, u64 lsn, 2 u32 wal salts, u32 wal frame,
// 2 u32 wal checksum, 0... .
#define BLOCK       (2 * BACKUP_MARK_SIZE)
#define POSITION    64
#define CHECK_AT    (BLOCK + 496)
#define PLACE_BYTES 136
static const char MAGIC[8] = {'S', 'K', 'R', 'Y', 'R', 'E', 'P', '3'};

static void position_encode(const struct replica_position *p, u8 *b)
{
    be64_put(b, p->instance);
    be64_put(b + 8, p->lsn);
    be32_put(b + 16, p->wal_salt[0]);
    be32_put(b + 20, p->wal_salt[1]);
    be32_put(b + 24, p->wal_frame);
    be32_put(b + 28, p->wal_sum[0]);
    be32_put(b + 32, p->wal_sum[1]);
}

static struct replica_position position_decode(const u8 *b)
{
    return (struct replica_position){.instance = be64_get(b), .lsn = be64_get(b + 8), .wal_salt = {be32_get(b + 16), be32_get(b + 20)},
                                     .wal_frame = be32_get(b + 24), .wal_sum = {be32_get(b + 28), be32_get(b + 32)}};
}

void replica_place_encode(const struct replica *r, u8 out[REPLICA_PLACE_SIZE])
{
    const struct replica_place *p = &r->place;
    u8 *b = out + BLOCK + PLACE_BYTES;
    memset(out, 0, REPLICA_PLACE_SIZE);
    static const struct backup_mark NO_MARK;
    static const struct replica_position NO_POSITION;
    bool doubt = r->before_taken && r->in_doubt;
    backup_mark_encode(&r->mark, out);
    backup_mark_encode(doubt ? &NO_MARK : r->before_taken ? &r->next_mark : &r->mark, out + BACKUP_MARK_SIZE);
    memcpy(out + BLOCK, MAGIC, 8);
    position_encode(&r->position, out + BLOCK + 8);
    position_encode(doubt ? &NO_POSITION : r->before_taken ? &r->next_position : &r->position, out + BLOCK + 8 + POSITION);
    be32_put(b, p->wal_salt[0]);
    be32_put(b + 4, p->wal_salt[1]);
    be32_put(b + 8, p->wal_frame);
    be32_put(b + 12, p->clean);
    be64_put(b + 16, p->file_size);
    be64_put(b + 24, p->file_modified_ns);
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
                                .file_size = be64_get(b + 16), .file_modified_ns = be64_get(b + 24)};
    r->file_is_clean = p->clean && backup_file_identity(r->io, r->path, &file_size, &modified_ns) && file_size == p->file_size &&
                       modified_ns == p->file_modified_ns;
}

// Is exactly one commit in the log after that frame?
static bool one_commit(struct replica *r, const struct store_position *at, u32 after)
{
    struct store_position found;
    for (u32 frame = after + 1; frame < at->wal_frame; frame++)
        if (store_position_find(r->store, at->wal_salt, frame, &found)) return false;
    return at->wal_frame > after;
}

void replica_place_find(struct replica *r)
{
    const struct replica_place *p = &r->place;
    struct store_position at;
    store_position_get(r->store, &at, NULL);
    // A log that begins anew counts its first salt up.
    u32 anew = at.wal_salt[0] - p->wal_salt[0];
    bool same = !anew && at.wal_salt[1] == p->wal_salt[1];
    if ((p->clean && r->file_is_clean && at.wal_frame == 0) || (same && at.wal_frame == p->wal_frame)) return;
    bool after = (same && one_commit(r, &at, p->wal_frame)) || (anew == 1 && one_commit(r, &at, 0));
    r->position = after ? r->next_position : (struct replica_position){0};
    r->mark = after ? r->next_mark : (struct backup_mark){0};
}

void replica_place_take(struct replica *r)
{
    if (r->before_taken) return;
    store_position_get(r->store, &r->before, NULL);
    r->before_taken = true;
}

void replica_place_note(struct replica *r)
{
    struct store_position now;
    store_position_get(r->store, &now, NULL);
    const struct store_position *at = r->before_taken ? &r->before : &now;
    // The file is as it was clean until the first commit of this life.
    bool untouched = r->place.clean && r->file_is_clean && at->wal_frame == 0 && at->lsn == 0;
    r->place.clean = untouched;
    r->place.wal_salt[0] = at->wal_salt[0];
    r->place.wal_salt[1] = at->wal_salt[1];
    r->place.wal_frame = at->wal_frame;
    r->place.anew = now.wal_salt[0] != at->wal_salt[0];
}
