// A Bloom filter of keys beside an ephemeral index: what it does not have is not in the index, and need not be sought.
// It grows with its keys (to 256 KiB). Keys are hashed so that equal ones hash alike, under the built-in collations.
#pragma once

#include "../store/record.h"

struct key_filter;

// NULL: out of memory. info: as the index has it, of which every key has all fields.
struct key_filter *key_filter_new(const struct key_info *info);
void key_filter_free(struct key_filter *f); // NULL is fine
void key_filter_clear(struct key_filter *f);
// Values as they are compared: affinities applied. What does not fit into memory makes a filter that has everything.
void key_filter_add(struct key_filter *f, const struct value *key);
bool key_filter_may_have(const struct key_filter *f, const struct value *key);
