// Names in the store and the file beside the database (sync.h describes both). Internal to sync.
#pragma once

#include "sync.h"

// Flags of a segment in the log: one of several that make up a commit, and not the last.
#define LOG_MORE SEGMENT_SHARD

// The file PATH-backup: two slots of 512 bytes, overwritten in turn, so that a torn write leaves
// the other. The valid slot with the higher serial counts. A slot: magic "SKRYBKP1", u64 serial,
// u64 sequence, u64 epoch, 16 bytes database id, 32 bytes hash of the newest segment, u32 wal salt
// 1, u32 wal salt 2, u32 wal frame, u32 clean, u64 file size, u64 file modification time in ns,
// 0..., and from 496 on BLAKE2b-128 of all before.
#define BACKUP_MARK_SIZE 512
struct backup_mark {
    u64 serial, sequence, epoch;
    u8 database_id[16];
    u8 hash[SEGMENT_HASH_SIZE];
    u32 wal_salt[2], wal_frame;
    bool clean; // the next two hold: the file is exactly what was pushed, and there is no WAL
    u64 file_size, file_modified_ns;
};
void backup_mark_encode(const struct backup_mark *m, u8 out[BACKUP_MARK_SIZE]);
bool backup_mark_decode(const u8 bytes[BACKUP_MARK_SIZE], struct backup_mark *out);
static inline u64 backup_mark_offset(const struct backup_mark *m)
{
    return (m->serial & 1) * BACKUP_MARK_SIZE;
}
// Reads the newest slot, or durably writes the one that is due, at start and at the end; while the
// node serves, the backup writes slots through its loop.
bool backup_mark_read(const char *database_path, struct backup_mark *out);
bool backup_mark_write(const char *database_path, const struct backup_mark *m, struct err *err);
void backup_mark_path(const char *database_path, char out[4096]);
// Size and modification time of the database file; false when it is not there.
bool backup_file_identity(const char *database_path, u64 *size, u64 *modified_ns);

void log_key(const char *name, u64 sequence, char out[OBJECT_KEY_MAX]);
// The sequence of a log key; false when it is none.
bool log_key_parse(const char *name, const char *key, u64 *sequence);
void log_head_key(const char *name, char out[OBJECT_KEY_MAX]);
size_t log_head_encode(u64 base, char out[64]);
bool log_head_decode(const u8 *bytes, size_t size, u64 *base);
