// A Bloom filter of keys of an index: what it does not have is not in the index, and need not be sought.
// It grows with its keys (to 256 KiB), or is made for as many as are told (up to 8 MiB). Keys are hashed so that equal ones hash
// alike, under the built-in collations; with others it has everything.
#pragma once

#include "../store/record.h"

struct key_filter;

// NULL: out of memory. info: as the index has it, of which every key has all fields. rows: about as many keys, 0: who knows.
struct key_filter *key_filter_new(const struct key_info *info, u64 rows);
void key_filter_free(struct key_filter *f); // NULL is fine
void key_filter_clear(struct key_filter *f);
// Values as they are compared: affinities applied. What does not fit into memory makes a filter that has everything.
void key_filter_add(struct key_filter *f, const struct value *key);
bool key_filter_may_have(const struct key_filter *f, const struct value *key);
