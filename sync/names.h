// Names in the store, the head object, and the mark beside the database. Internal to sync; the
// layout is in docs/backup-format.md.
#pragma once

#include "object_store.h"
#include "segment.h"

#define LEVEL_COUNT 5
#define LEVEL_IMAGE 4
#define NAME_MAX_DB 128

struct segment_name {
    u32 level;
    u64 tx_min, tx_max;
    bool is_shard;
    u32 shard;
    u64 epoch; // of a shard
};
void name_head(const char *database, char out[OBJECT_KEY_MAX]);
void name_level(const char *database, u64 lineage, u32 level, char out[OBJECT_KEY_MAX]);
void name_segment(const char *database, u64 lineage, u32 level, u64 tx_min, u64 tx_max,
                  char out[OBJECT_KEY_MAX]);
void name_shard(const char *database, u64 lineage, const struct segment_shard *shard,
                char out[OBJECT_KEY_MAX]);
void name_claim(const char *database, u64 epoch, char out[OBJECT_KEY_MAX]);
// What is in a claim: random bytes, and BLAKE2b-128 of them.
#define CLAIM_SIZE 40u
void claim_make(struct io *io, u8 out[CLAIM_SIZE]);
bool claim_check(const u8 *bytes, size_t size);
void name_key(const char *database, u64 lineage, char out[OBJECT_KEY_MAX]);
// Of a key that name_level, name_segment or name_shard would make for this level; false: it is none.
bool name_parse(const char *key, u32 level, struct segment_name *out);

// ---- the head
// ------------------------------------------------------------------------------------------------

// Names the newest state and the segments that make it up. It is a hint: a push may be newer.
#define HEAD_SIZE_MAX     262144
#define HEAD_SEGMENTS_MAX 2000
struct head_segment {
    u32 level, flags;
    u64 tx_min, tx_max, size;
    s64 time_ms; // of tx_max
};
struct head {
    u8 database_id[16];
    u64 lineage, epoch, tx;
    s64 time_ms;
    u32 page_size, page_count;
    struct head_segment *segments; // in the order in which they follow each other
    u32 segment_count;
};
// Text of the head, to be freed; NULL: out of memory. key may be NULL.
char *head_encode(const struct head *h, const struct segment_key *key, size_t *size);
// Reads what is there without knowing the key yet; false: it is no head. Free with head_deinit.
bool head_decode(const u8 *bytes, size_t size, struct head *out);
// Its last line against the rest.
bool head_check(const u8 *bytes, size_t size, const struct segment_key *key);
void head_deinit(struct head *h);

// ---- the mark
// -----------------------------------------------------------------------------------------------

// The file PATH-backup: four slots, of which the valid one with the highest serial counts. The first two are
// overwritten in turn and not synced (but while pages are in the store only): a power cut may tear both, the one
// from before and the one in between. So each start writes one of the others durably, the epoch says which, and none of
// its pushes touches them: whose database this is, and its epoch, are never lost. Slots are 4096 bytes apart, which is
// what devices write at once. A slot: magic "SKRYBKP2", u64 serial,
// u64 tx, u64 epoch, 16 bytes database id, 32 bytes hash of the newest level 0 segment, u32 wal salt
// 1, u32 wal salt 2, u32 wal frame, u32 clean, u64 file size, u64 file modification time in ns,
// u64 lineage, u64 sum of the database, u32 unclaimed, 16 bytes of the claim under way, u64 own epoch (0: marks had none), 0..., and
// from 496 on BLAKE2b-128 of all before.
#define BACKUP_MARK_SIZE  512
#define BACKUP_MARK_SLOT  4096u
#define BACKUP_MARK_SLOTS 4u
struct backup_mark {
    u64 serial, tx, epoch;
    u8 database_id[16];
    u8 hash[SEGMENT_HASH_SIZE];
    u32 wal_salt[2], wal_frame;
    bool clean; // the next two hold: the file is exactly what was pushed, and there is no WAL
    u64 file_size, file_modified_ns;
    u64 lineage, sum;
    // All that the database has came from the store: a replica's, or restored or opened from there, until this node has
    // claimed the backup. Never pushed over what the store has beyond it.
    bool unclaimed;
    u8 claim[16]; // how the claim of `epoch` begins that was not answered yet, or 0: whose the epoch is, the store knows
    // All pushes of it, and of lower ones, are of states that this database had. Lower than `epoch` until a push of that is there:
    // another's of an epoch in between may come before it.
    u64 own_epoch;
};
bool backup_mark_claims(const struct backup_mark *m); // its claim was not answered yet
void backup_mark_encode(const struct backup_mark *m, u8 out[BACKUP_MARK_SIZE]);
bool backup_mark_decode(const u8 bytes[BACKUP_MARK_SIZE], struct backup_mark *out);
static inline u64 backup_mark_offset(const struct backup_mark *m)
{
    return (m->serial & 1) * BACKUP_MARK_SLOT;
}
static inline u64 backup_mark_offset_durable(const struct backup_mark *m)
{
    return (2 + (m->epoch & 1)) * BACKUP_MARK_SLOT;
}
void backup_mark_path(const char *database_path, char out[4096]);
// At start and at the end, when nothing else runs in the loop: these turn it until they are done. The newest slot;
// the one that is due, durably; size and modification time of the database file (false: it is not there).
bool backup_mark_read(struct io *io, const char *database_path, struct backup_mark *out);
bool backup_mark_write(struct io *io, const char *database_path, const struct backup_mark *m, struct err *err);
bool backup_file_identity(struct io *io, const char *path, u64 *size, u64 *modified_ns);
// A whole file; NULL: it is not there, or cannot be read.
u8 *backup_file_read(struct io *io, const char *path, size_t *size);
bool backup_file_write(struct io *io, const char *path, const void *bytes, size_t size);
