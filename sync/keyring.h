// Keys. A master key (given by a person: 32 bytes, or a passphrase) wraps the data key of a lineage,
// which seals its objects; the wrapped key is an object of 128 bytes in the store. A new master key
// wraps the same data key anew: nothing else is written again.
//
// The object: magic "SKRYKEY1", u32 kind (0: key, 1: passphrase by Argon2id), u32 0, u64 operations,
// u64 memory in bytes, 16 bytes salt, 24 bytes nonce, XChaCha20-Poly1305 of the data key (48 bytes)
// with all before the nonce and u64 lineage as associated data, u64 0.
#pragma once

#include "segment.h"

#define KEYRING_OBJECT_SIZE 128

struct master_key {
    bool given, is_passphrase;
    u8 bytes[32];
    const char *passphrase; // the owner's
};

// A fresh data key for a lineage, or one that is there, sealed with the master key.
err_code keyring_wrap(const struct master_key *master, const struct segment_key *data, u64 lineage,
                      u8 out[KEYRING_OBJECT_SIZE], struct err *err);
void keyring_fresh(struct segment_key *data);
// ERR_STORE_KEY with a sentence when the key is another one; ERR_STORE_CORRUPT.
err_code keyring_unwrap(const struct master_key *master, u64 lineage, const u8 *bytes, size_t size,
                        const char *name, struct segment_key *data, struct err *err);
