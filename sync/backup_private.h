// What the parts of a backup share: backup.c (its life), backup_claim.c (whose is what is in the
// store), backup_push.c (commits to segments), backup_parts.c (shards of
// images that were not finished), backup_sums.c (the database's sum), backup_compact.c
// (merging levels), backup_image.c (images beside the pushes), backup_retain.c (what goes).
#pragma once

#include "backup_compact.h"
#include "catalog.h"
#include "remote.h"
#include "sync.h"

// Each step is re-run from its top after a wait, and the next one is named only when it is done.
enum backup_step {
    STEP_LOAD,       // head, key, listings
    STEP_NEWEST_GET, // whose is the newest segment, and up to where is it?
    STEP_PROBE,      // does the store honour put-if-absent?
    STEP_DECIDE,     // go on with it, or start a whole image, or refuse
    STEP_OURS,       // an earlier start may have died with its claim under way: whose is its epoch?
    STEP_FENCE,      // a promotion claims its epoch before it looks whether it has everything
    STEP_GAP,        // pushes that the mark does not know
    STEP_ADOPT,
    STEP_KEY_PUT,    // the wrapped key of a new lineage
    STEP_MARK_OPEN,
    STEP_EPOCH_PUT,   // the claim that an earlier writer finds, however long it was away
    STEP_EPOCH_NOTE,  // the mark says that it is this node's, before anything is pushed by it
    STEP_EPOCH_CHECK, // is there a later claim?
    STEP_CLAIM, // a segment without pages, when an image has to follow
    STEP_IDLE,
    STEP_LISTS, // what else is in the store, when only the newest state was looked at
    STEP_SNAPSHOT, // a read transaction and the pages that changed since the last push
    STEP_SCAN,     // sums of all pages, when they are not known
    STEP_FILL,     // pages into a segment
    STEP_SHARD_PUT,
    STEP_PUT,
    STEP_NEWER_CHECK, // has another pushed since this start looked?
    STEP_PUT_CHECK, // the name was taken by another writer
    STEP_PUT_DONE,
    STEP_IMAGE_PUT,
    STEP_MARK_WRITE,
    STEP_HEAD_CHECK, // no put-if-absent: has another taken over?
    STEP_HEAD_PUT,
    STEP_STOPPED,
};

// XOR of page sums by groups of 2^shift pages, so that its memory is bounded.
#define SUMS_GROUPS_MAX (1u << 20)
struct sums {
    bool valid;
    u32 shift, count, pages;
    u64 *groups, total;
};
bool sums_resize(struct sums *s, u32 pages); // false: out of memory. New groups are 0.
void sums_set(struct sums *s, u32 group, u64 value);
static inline u32 sums_group(const struct sums *s, u32 page)
{
    return (page - 1) >> s->shift;
}
void sums_deinit(struct sums *s);
// PATH-backup-sums: written when the database was closed cleanly, believed when it is of this mark.
// Encoded; NULL: not worth it, or no memory.
u8 *sums_encode(const struct sums *s, const struct backup_mark *m, size_t *size);
bool sums_decode(struct sums *s, const u8 *bytes, size_t size, const struct backup_mark *m);

struct backup {
    struct backup_options options;
    char *name, *path;
    struct io *io;
    struct store *store;
    struct txn *txn;
    struct op op;
    struct waiter on_commit;
    struct completion push_timer, head_timer, retry_timer, turn, mark_done;
    struct fetch fetch;
    struct object_probe probe;
    bool probing;
    struct catalog_load load;
    bool loading;
    enum backup_step step;
    bool running;     // inside backup_run
    u32 attempt, head_attempt;
    u64 retry_at_ns;

    // The backup as it is in the store.
    struct catalog catalog;
    bool catalog_part; // it has the newest state alone: nothing is merged or let go
    bool catalog_whole; // it was listed again when listings had what was put before this start: from then on things are let go
    u64 lists_due_ns;
    struct catalog lists;
    bool fresh_lineage; // not known to the head yet
    bool head_there;    // there is a head
    bool conditions;    // put-if-absent works
    bool newest_known;
    u64 told_tx; // the newest push that the head and the mark name, until it was waited for long enough
    u64 unlisted_ns; // since when listings lack that; 0: they do not
    struct segment_header newest_header;
    u8 newest_hash[SEGMENT_HASH_SIZE];
    u64 gap_tx; // up to where pushes that the mark does not know were read
    u8 gap_hash[SEGMENT_HASH_SIZE];
    bool gap_base, gap_images; // the next one announces an image; one of them did
    pgno *extra; // what the next push holds in any case
    u32 extra_count;

    // This database's place in it.
    struct backup_mark mark;
    bool mark_read, file_is_clean; // as of backup_create
    struct io_file *mark_file;
    char mark_path[4096], sums_path[4200];
    u8 mark_bytes[BACKUP_MARK_SIZE];
    bool mark_in_flight;
    u32 mark_open_at;
    struct iovec mark_iov;
    char mark_folder[4096];
    struct sums sums;
    // While not all pages are here: the sum is kept by what the changed pages were in the store (only its total then).
    bool lazy; // this push
    u32 stored_pages; // of the database as it was pushed last
    u64 *page_sums; // of pages[], as they are pushed

    // The push under way.
    bool claimed;    // a segment of our epoch is in the store
    u64 verified_ns; // when there was no later claim
    s64 verified_ms;
    enum backup_step after_check;
    u64 looked_ns; // when it was last looked for, or this one's was put
    bool contended; // another claimed at the same time
    bool adopted; // it goes on from what it found in the store, and has put nothing behind it yet
    u64 newer_ns; // when it was last looked for pushes behind that
    s64 newer_ms;
    u64 fence_try, fenced_epoch; // claimed by this node before it had everything; 0: none
    u64 sole_epoch; // struct backup_place
    bool sole_by_start;
    u64 checked_ns, put_began_ns, epoch_tried;
    s64 checked_ms, put_began_ms;
    u8 claim[CLAIM_SIZE];
    bool need_full;  // the backup and the database have no common point
    bool full;       // this push is a whole image
    u64 held_from;   // the WAL is kept from here on: store_hold
    char refusal[200];
    bool log_let_go; // too much waited: the WAL no longer reaches back to what was pushed
    struct store_position at_start; // of the database when it was opened
    struct store_position at_clean; // and where its log has what a clean stop had left, when that is what the file is
    bool has_clean;
    struct store_position pushed, target;
    bool has_pushed;
    s64 target_ms;
    s64 newer_since_ms; // since when the database is newer than the target
    u64 push_due_ns, head_due_ns;
    bool head_dirty;
    pgno *pages;
    u32 page_total, page_next;
    u32 group_page;  // SCAN, FILL: the next page of the group that is summed up
    u64 group_sum;
    u32 group_at;    // FILL: the next place in pages whose group is to be summed
    u8 *page;
    u32 page_size;
    bool sharded, filled;
    struct segment_writer writer, record; // what holds the pages; the level 0 segment of an image
    u32 incompressible; // blocks in a row, of the segment before: a push has two of them, too few to find that out each time
    bool writer_open, record_open, sealed;
    struct segment_shard *shards;
    u32 shard_count, shard_capacity, shard;
    u64 shard_sum;
    // Images that take long survive what ends them: shards that are in the store already are not put again.
    struct segment_shard *parts; // of the images that were begun in this life
    u32 part_count, part_capacity;
    u32 parts_used;
    bool part_named; // a shard of the image under way is there: the next one needs names of its own
    enum { PART_UNKNOWN, PART_READ, PART_NONE } part_step; // of an earlier life
    u64 part_size;
    struct segment_index part;
    struct segment_where part_where;
    struct segment_scratch part_scratch;
    u8 hash[SEGMENT_HASH_SIZE];
    u8 *key_bytes;
    char *head_text;
    size_t head_size;

    struct work work;
    struct compact compact;
    struct imager imager;

    bool stopping, stop_reported;
    u64 stop_deadline_ns;
    struct completion stop_timer;
    struct completion *stop_done;
    struct backup_status status;
};

__attribute__((format(printf, 4, 5))) void backup_log(struct backup *b, enum sync_log_level level, const char *event,
                                                      const char *format, ...);
void backup_run(struct backup *b);
void backup_wake(void *b);
io_status backup_yield(struct backup *b);
void backup_stop_look(struct backup *b); // something that a stop waits for may have ended
void backup_status_update(struct backup *b);
void backup_hold(struct backup *b, u64 lsn); // store_hold, and commits that were refused may go on
void backup_push_abandon(struct backup *b);
// A segment that was just put is known, and kept for the merges to come when it is small.
void backup_catalog_note(struct backup *b, const struct segment_header *h, const struct segment_writer *w);

io_status backup_probe(struct backup *b);
io_status backup_load(struct backup *b);
io_status backup_lists(struct backup *b);
io_status backup_newest_get(struct backup *b);
io_status backup_decide(struct backup *b);
io_status backup_ours(struct backup *b);
io_status backup_fence(struct backup *b);
io_status backup_gap(struct backup *b);
io_status backup_adopt(struct backup *b);
io_status backup_epoch_put(struct backup *b);
io_status backup_epoch_note(struct backup *b);
io_status backup_epoch_check(struct backup *b);
// True when the claim has to be checked first: then the step is that, and `next` comes after it.
bool backup_epoch_due(struct backup *b, u64 age_ms_max, enum backup_step next);
bool backup_look_due(struct backup *b, enum backup_step next); // likewise, now and then while pushes go on
bool backup_newer_due(struct backup *b, u64 age_ms_max, enum backup_step next); // likewise, for pushes behind what was found
io_status backup_newer_check(struct backup *b);
io_status backup_key_put(struct backup *b);
io_status backup_mark_open(struct backup *b);
// A mark is on its way: in the slots of pushes, synced or not, or in one that no push touches, synced.
enum backup_mark_kind { MARK_HINT, MARK_SYNCED, MARK_OWN_SLOT };
void backup_mark_put(struct backup *b, const struct backup_mark *m, enum backup_mark_kind kind);
io_status backup_mark_put_end(struct backup *b); // waits for it
void backup_contact_again(struct backup *b);
// Begins to ask for the claim of an epoch; whoever asks says how often it tries.
void backup_claim_get(struct backup *b, struct fetch *f, u64 epoch);
io_status backup_fenced(struct backup *b, u64 epoch); // fails: the store has another's pushes of that epoch
io_status backup_foreign(struct backup *b);

io_status backup_claim(struct backup *b);
bool backup_log_restarted(const struct backup *b, const struct store_position *at); // after all of the old one was pushed
io_status backup_idle(struct backup *b);
io_status backup_snapshot(struct backup *b);
io_status backup_scan(struct backup *b);
io_status backup_fill(struct backup *b);
io_status backup_shard_put(struct backup *b);

// backup_parts.c. A shard of an image is in the store; *s is, or another with the same pages, which *s then names;
// whether an earlier life left one of the shard under way is found out; what is known of that is forgotten.
bool backup_part_note(struct backup *b, const struct segment_shard *s); // false: out of memory
bool backup_part_same(struct backup *b, struct segment_shard *s);
io_status backup_part_look(struct backup *b);
void backup_part_reset(struct backup *b);
void backup_parts_deinit(struct backup *b);

io_status backup_put(struct backup *b);
io_status backup_put_check(struct backup *b);
io_status backup_put_done(struct backup *b);
io_status backup_image_put(struct backup *b);
io_status backup_mark_step(struct backup *b);
bool backup_is_clean(const struct backup *b); // what was pushed is what a clean stop had left: nothing was committed since
io_status backup_head_check(struct backup *b);
io_status backup_head_put(struct backup *b);
