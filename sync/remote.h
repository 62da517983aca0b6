// A database of a backup as a local file whose pages come when they are asked for.
//
// remote_open finds a state of the backup (the newest, a transaction's, a moment's), makes a sparse
// file of its size, and mounts it: who opens its path through io gets the file. A read of pages that
// are not there yet waits for the ranges of the store's objects that hold them, several at a time,
// with what lies beside them; what came is written to the file and stays. Writes are local. With
// `hydrate` the rest comes in the background, and when all of it is there the file is a file like any
// other. While the store is away, only what has not arrived gives an error.
//
// PATH-hydrate beside the file is the map of what is there: a page is on it only when its bytes are
// durable, so a node that was killed goes on. Without `keep` there is no map: a copy to read from,
// removed by remote_close.
//
// Not here: following a newer state (follow.h); a second process on the same file.
#pragma once

#include "sync.h"

struct remote;

struct remote_options {
    struct io *io;
    struct object_store *objects;
    const char *name; // of the database in the store
    const char *path; // of the local file
    struct master_key key;
    const struct store_key *database_key, *database_key_previous; // of the local file, as store_options has them; NULL: none
    u64 tx;       // 0: the newest
    s64 time_ms;  // 0: the newest
    bool keep;    // goes on after a restart; binds the file to its backup (PATH-backup)
    bool hydrate; // the rest comes in the background
    sync_log log;
    void *log_context;
};
struct remote_status {
    u64 tx;
    s64 time_ms;
    u32 page_size;
    u32 pages_total, pages_here; // of the state
    u64 requests, bytes;         // to and from the store, for pages
    bool fresh; // opened anew, not gone on with
    bool whole;
    char error[ERR_TEXT_MAX]; // of the newest failure; "" = none since the last success
};

// Its pages come from this lineage: sums and pushes are spoken of only by a backup that goes on with it.
bool remote_is_of(const struct remote *r, u64 lineage);
// For a writer that pushes while pages are missing. Pushed as `tx`: these pages, with these sums (segment_page_sum); or
// `others`, of which that is not known.
void remote_pushed(struct remote *r, u64 tx, u64 epoch, const u32 *pages, const u64 *sums, u32 count, bool others);
// The backup is this node's, durably: until then the map stays, so that a newer state can still take this one's place.
void remote_claimed(struct remote *r);
// A start found that the files hold all that was pushed up to this transaction, beyond what the mark knew.
void remote_known(struct remote *r, u64 tx);
// The sum of pages[0] as the store has it as of `tx`, this writer's newest push; those of the next `count` are begun
// to be looked for. Waits on w.
io_status remote_page_sum(struct remote *r, u64 tx, const u32 *pages, u32 count, u64 *out, struct waiter *w, struct err *err);
// What was found in the store when the newest state was opened: once, and false when it was not just now. The catalog
// has the segments of that state only; newest and hash are those of its last push.
struct catalog;
struct segment_header;
bool remote_contact(struct remote *r, struct catalog *out, struct segment_header *newest, u8 hash[SEGMENT_HASH_SIZE]);
bool remote_whole(const struct remote *r); // all pages are here
// Of a file that is not whole: another number for each life in which something of this node's own was written to it, durable
// before a sync of that is told to be done. 0: nothing ever was.
u64 remote_changes(const struct remote *r);

// True when PATH is a file that is not all here yet. Turns the loop.
bool remote_is_partial(struct io *io, const char *path);
// `done` completes with 0, or negative with *err set: ERR_STORE_EMPTY when there is no backup,
// ERR_STORE_MISSING when that state is not in it. Nothing is left behind then. Until remote_close the key's and the options' texts stay; the database's keys
// until `done`.
void remote_open(struct remote **out, const struct remote_options *options, struct completion *done,
                 struct err *err);
void remote_status_get(const struct remote *r, struct remote_status *out);
// The file, as who opens its path through io gets it: 0. To be closed; in use until then.
int remote_file_take(struct remote *r, struct io_file **out);
bool remote_in_use(const struct remote *r);
// The file must have been closed (by whoever opened it through io).
void remote_close(struct remote *r);
