// An object store in memory that outlives the loops that use it, and that does by seed what real ones do: answers
// late, loses replies of what it has done, answers 503, drops connections, is away for a time, forgets the newest
// objects in a listing, lists what was put or deleted minutes later only, ignores put-if-absent.
#pragma once

#include "../../sync/object_store.h"

struct cloud_counters {
    u64 puts, put_bytes, gets, get_bytes, lists, deletes, heads;
    u64 unchanged; // gets of what was as it was known
    u64 lost_replies, unavailable, dropped, away, partial_lists, refused_puts, late_puts, full, stale_lists;
};
struct cloud {
    u64 seed;
    // Chances in a thousand tries.
    u32 lost_reply, unavailable, dropped, partial_list;
    s64 unlisted_ms; // partial listings lack what was put within so long; 0: 3000
    u64 stale_ms; // listings come to know of each put and each deletion after a time of its own, up to so long; 0: at once
    const u64 *now_ns; // the clock for that, when several machines use it; NULL: the one who asks has it
    bool (*silent)(const char *key); // what is put under it is there, but the reply is lost; NULL: by chance alone
    bool away;
    bool conditions_ignored;
    u64 bytes_max; // puts beyond are refused; 0: it has room
    u64 delay_ns_max; // 0: 20 ms
    struct cloud_counters counters;
    char late_key[OBJECT_KEY_MAX]; // of the newest late put
    // Its own.
    struct cloud_object {
        char *key;
        u8 *bytes;
        u64 size, version, put_ns;
        s64 modified_ms;
    } *objects; // by key
    u32 count, capacity;
    struct cloud_ghost { // deleted, and listings may not know it yet
        char *key;
        u64 size, from_ns, until_ns;
        s64 modified_ms;
    } *ghosts;
    u32 ghost_count;
    u64 versions;
};
void cloud_init(struct cloud *c, u64 seed);
void cloud_shards(u64 seed); // in every other pair of worlds what small databases put is in shards, too: of 16 pages
void cloud_deinit(struct cloud *c);
// A node's way to it; ends before the cloud.
struct object_store *cloud_open(struct cloud *c, struct io *io);
// The next put of a name with `part` in it leaves this node so much later, as of one that stood still; late_puts: it was done.
void cloud_pause(struct object_store *store, const char *part, u64 ns);
void cloud_far(struct object_store *store, u64 delay_ns); // this node's requests take so much longer
u64 cloud_bytes(const struct cloud *c);
struct cloud_object *cloud_find(struct cloud *c, const char *key); // NULL: none
void cloud_show(const struct cloud *c, u64 now_ns); // what is in it, and of that what listings do not know
