// Groups of GROUP BY in a hash table: each has its key and the registers of its accumulators, which are in the frame
// while it is the current one and in the table while it is not. When all rows were seen they are taken out in the
// order of the key_info.
//
// The table takes no group beyond its budget, nor (if it has accumulators) when most rows bring a group of their
// own, for which sorting is better: rows of groups that then have no place are left to the caller (who sorts them; a group is either here or
// there). Keys are hashed so that equal ones hash alike, under the built-in collations.
#pragma once

#include "../store/record.h"

struct group {
    u64 hash;
    u64 held; // bytes of the accumulators' contents when they were last put aside
    struct value values[]; // of the key, then of the accumulators
};
struct group_table {
    const struct key_info *info;
    u32 keys, accumulators;
    struct group **slots; // open addressing
    u64 slot_mask;
    struct group **groups; // in the order they came; sorted at the end
    u64 count, capacity, at;
    bool seen; // what the last group_find looked for was there
    struct group *current; // its accumulators are in the registers
    u64 rows, bytes, budget;
    u64 (*held)(const struct value *accumulator);
};

bool group_collation_known(const struct collation *c); // that keys with it can be hashed
// Of the first fields of a key, whose blobs have no zero tails.
u64 group_hash(const struct key_info *info, u32 keys, const struct value *key);
// held: the bytes behind an accumulator; NULL when they are all small.
struct group_table *group_table_new(const struct key_info *info, u32 accumulators, u64 budget, u64 (*held)(const struct value *));
void group_table_free(struct group_table *t); // NULL is fine
enum group_found { GROUP_FOUND, GROUP_NEW, GROUP_NO_ROOM, GROUP_NO_MEMORY };
// Makes the group of that key the current one: the accumulators in registers go to their group, and its own come.
// GROUP_NEW: it was made, and its accumulators are NULL.
enum group_found group_find(struct group_table *t, const struct value *key, struct value *registers);
bool group_sort(struct group_table *t, struct value *registers); // false: out of memory
// The next group's accumulators into registers, if there is one and (key not NULL) it comes before that key.
bool group_next(struct group_table *t, const struct value *key, struct value *registers);
