// Backup of one database to an object store, and its restore. The façade of this folder together
// with object_store.h and segment.h's key.
//
// docs/backup-format.md says what is in the store. In short: every push is a segment of its own, number by
// number without a gap, put only if its name is free, so two writers can never mix: of two that put the same
// number one wins. Each start of a writer claims the backup with a segment of a higher epoch; a writer that
// meets a higher epoch than its own has been replaced (ERR_STORE_FENCED) and stops. No clock and no lease.
// Segments are merged in the background into levels of 30 s, 5 min and 1 h, and into images of the whole.
// Where the store does not honour put-if-absent, each start writes to a lineage of its own.
//
// Beside the database lies PATH-backup: which backup this database belongs to, and up to where it was
// pushed.
#pragma once

#include "../engine/op.h"
#include "../engine/store/store.h"
#include "object_store.h"
#include "keyring.h"

#define SYNC_NAME_MAX 128

enum sync_log_level { SYNC_LOG_INFO, SYNC_LOG_WARN, SYNC_LOG_ERROR };
typedef void (*sync_log)(void *context, enum sync_log_level level, const char *event,
                         const char *text);

// ---- backup
// -------------------------------------------------------------------------------------------

struct backup;
struct remote;

// What becomes of commits when more waits to be pushed than may be kept.
enum backup_wal_full {
    BACKUP_WAL_RESTART, // the log is let go; the backup starts anew from an image, loudly
    BACKUP_WAL_REFUSE,  // commits are refused with ERR_FULL until the store has taken some
};

#define BACKUP_LEVELS 5 // raw, three merged ones, images

struct backup_options {
    struct io *io;
    struct object_store *objects;
    const char *name;          // of the database in the store
    const char *database_path; // PATH-backup is kept beside it
    struct master_key key;
    u32 interval_ms;      // commits wait at most so long before they are pushed; 0 = 1000
    u32 head_interval_ms; // the head follows pushes at most so often; 0 = 10000
    int zstd_level;       // of images and merges of level 3; 0 = 3
    int push_zstd_level;  // of pushes and merges of levels 1 and 2, which are soon merged again; 0 = 1
    u64 wal_bytes_max;    // kept for a store that cannot be reached; 0 = 1 GiB
    enum backup_wal_full wal_full;
    // Windows of time that levels 1 to 3 merge, and the time between images; 0 = 30 s, 5 min, 1 h, 24 h.
    u64 period_ms[BACKUP_LEVELS];
    // How long restores can be as fine as a level: to each push, to 30 s, ..., to an image; 0 = 5 min, 1 h,
    // 6 h, 2 days, 14 days.
    u64 keep_ms[BACKUP_LEVELS];
    u32 history_factor; // levels 0 to 3 take at most about so many times the newest image; 0 = 8
    u32 cpu_percent;    // of one core, for merging and images; 0 = 25
    // Becomes the writer although another may be at work: the backup's epoch is claimed first, by which that one stops; then,
    // as by all whose database came from the store, a push is made before anything else, which is refused (`behind`) while
    // the store has pushes that this database has not. Whoever asks for this then gets them, and tries again.
    bool promote;
    u64 epoch_claimed; // by this node's promotion, when it was refused before (backup_status); 0: none
    // The database's file, while its pages come from this same backup (remote.h): pushes need only what changed. Stays
    // open until backup_destroy.
    struct remote *remote;
    sync_log log;
    void *log_context;
};

enum backup_state {
    BACKUP_CONTACTING, // has not reached the store yet
    BACKUP_IDLE,       // everything is pushed
    BACKUP_PUSHING,
    BACKUP_RETRYING, // the newest try failed; goes on by itself
    BACKUP_REFUSED,  // another database's backup, wrong key, or fenced: needs a person
};
struct backup_status {
    enum backup_state state;
    u64 lineage, tx, epoch; // newest pushed
    u64 lag_bytes;          // of WAL that wait
    s64 pushed_at_ms;       // Unix time of the newest push, 0 = none
    s64 behind_since_ms;    // since when what waits to be pushed has waited, 0 = nothing waits
    u64 pushed_bytes, pushed_segments, failures;
    u64 wal_bytes;          // of WAL whose pages were pushed
    u64 merges, merged_bytes, images, deleted_objects; // merged_bytes: written by merges and images
    u64 stored_bytes, stored_segments; // in the store, by what is known here
    bool refusing;          // commits, because too much waits
    bool claimed;           // a push of this start is in the store, and the mark says so: every earlier writer is fenced
    bool behind;            // refused, while unclaimed: the store has newer pushes
    u64 epoch_claimed;      // before that: the earlier writer finds it, and stops; 0: none
    char error[ERR_TEXT_MAX]; // of the newest failure, "" = none since the last success
};

// The newest push that is in this database: what a replica of this node has to know to go on with its backup. All zeros: none
// yet. After a power cut it may be an earlier one; epoch: all pushes of this one and of lower ones are of states that
// this database had; sole_epoch: of this one as well, which this node has claimed (0: none is known). By this start: its pushes
// are made since, in this log or one that began anew behind it; else all were made before.
struct backup_place {
    u8 database_id[16];
    u64 lineage, tx, epoch, sum;
    u8 hash[32];
    u64 sole_epoch;
    bool sole_by_start;
};
void backup_place_get(const struct backup *b, struct backup_place *out);

// Remembers whether the file was touched since it was last pushed: call it before the database is
// opened.
struct backup *backup_create(const struct backup_options *options, struct err *err);
// The database is open: starts pushing. Goes on until stopped.
void backup_start(struct backup *b, struct store *store);
void backup_status_get(struct backup *b, struct backup_status *out);
// All that the database has came from the store, and this node has not claimed the backup: nobody may write to it until
// the status says that it has (`claimed`), or `behind`.
bool backup_unclaimed(const struct backup *b);
// And it is a state that is in the store, unchanged: nothing goes when a newer one takes its place.
bool backup_replaceable(const struct backup *b);
// Pushes what waits, at once, until it is all there or deadline_ns; `done` then completes. Call
// before the database is closed.
void backup_stop(struct backup *b, u64 deadline_ns, struct completion *done);
// After the database is closed (the file is in its final state): notes that, so that the next start
// need not push the whole image again.
void backup_destroy(struct backup *b);

