// Backup of one database to an object store, and its restore. The façade of this folder together
// with object_store.h and segment.h's key.
//
// In the store, under the database's name:
//   NAME/log/SSSSSSSSSSSSSSSS   segments, 16 hexadecimal digits of a sequence that has no gaps,
//   from 1 NAME/head                   text: "skerry 1\nbase SSSSSSSSSSSSSSSS\n": where the newest
//   whole image starts
// A segment is written once and only if its name is free, so two writers can never mix: of two that
// put the same number one wins. Each start of a writer claims the log with a segment of a higher
// epoch; a writer that meets a higher epoch than its own has been replaced (ERR_STORE_FENCED) and
// stops. Every segment carries its predecessor's hash.
//
// Beside the database lies PATH-backup: which log this database belongs to, and up to where it was
// pushed.
#pragma once

#include "../engine/op.h"
#include "../engine/store/store.h"
#include "object_store.h"
#include "segment.h"

#define SYNC_NAME_MAX 128

enum sync_log_level { SYNC_LOG_INFO, SYNC_LOG_WARN, SYNC_LOG_ERROR };
typedef void (*sync_log)(void *context, enum sync_log_level level, const char *event,
                         const char *text);

// ---- backup
// -------------------------------------------------------------------------------------------

struct backup;

struct backup_options {
    struct io *io;
    struct object_store *objects;
    const char *name;          // of the database in the store
    const char *database_path; // PATH-backup is kept beside it
    struct segment_key key;
    u32 interval_ms;   // commits wait at most so long before they are pushed; 0 = 1000
    int zstd_level;    // 0 = 3
    u64 wal_bytes_max; // kept for a store that cannot be reached; beyond: a new whole image later;
                       // 0 = 1 GiB
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
    u64 sequence, epoch; // newest pushed
    u64 pushed_lsn, newest_lsn;
    s64 pushed_at_ms;    // Unix time of the newest push, 0 = none
    s64 behind_since_ms; // since when something waits to be pushed, 0 = nothing waits
    u64 pushed_bytes, pushed_segments, failures;
    char error[ERR_TEXT_MAX]; // of the newest failure, "" = none since the last success
};

// Remembers whether the file was touched since it was last pushed: call it before the database is
// opened.
struct backup *backup_create(const struct backup_options *options, struct err *err);
// The database is open: starts pushing. Goes on until stopped.
void backup_start(struct backup *b, struct store *store);
void backup_status_get(struct backup *b, struct backup_status *out);
// Pushes what waits, at once, until it is all there or deadline_ns; `done` then completes. Call
// before the database is closed.
void backup_stop(struct backup *b, u64 deadline_ns, struct completion *done);
// After the database is closed (the file is in its final state): notes that, so that the next start
// need not push the whole image again.
void backup_destroy(struct backup *b);

// ---- restore
// ------------------------------------------------------------------------------------------

struct restore_options {
    struct io *io;
    struct object_store *objects;
    const char *name;
    const char *out_path; // must not exist
    struct segment_key key;
    bool bind; // also write OUT-backup, so that a node can go on with this log from there
};
struct restore {
    struct completion done; // 0, or negative with err set; ERR_STORE_MISSING: there is no backup
    struct err err;
    // Progress.
    u64 objects_total, objects_done, bytes_total, bytes_done;
    u64 sequence; // of the newest segment that was applied
    s64 time_ms;  // when it was made
    u32 page_count, page_size;
    struct restore_private *private_;
};
// The owner initialises r->done (completion_init) first.
void restore_start(struct restore *r, const struct restore_options *options);
void restore_deinit(struct restore *r);
