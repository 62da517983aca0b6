// The keys of a sealed database file. A data key made at random seals the pages; the master key, which a person gives
// as 32 bytes or as a passphrase (Argon2id), seals the data key. Internal to engine/store.
//
// A sealed file begins with SEALED_HEADER_SIZE bytes: two slots of KEY_SLOT_SIZE, at 0 and at SEALED_HEADER_SIZE / 2,
// the rest zeros. The sound one with the higher sequence number counts; a change is written to the other (odd numbers
// to the first), so that a write that is cut short leaves the old one. Big-endian:
//    0  "Skerry sealed 1" and a zero byte
//   16  sequence; 1 means that page 1 may be missing: nothing was committed yet
//   20  page size
//   24  id of the database, 16 bytes at random
//   40  number of the key (pages say which one they are sealed with); number of the key before, or 0 when no page is
//       left that needs it; all pages before this one are sealed with the newer key; 0: master key, 1: passphrase
//   56  Argon2id: operations (8 bytes), memory in bytes (8 bytes), salt (16 bytes)
//   88  nonce, 24 bytes
//  112  XChaCha20-Poly1305 by the master key of the two data keys (64 bytes) with all before as associated data; tag
//  192  zeros
//  480  BLAKE2b-256 of all before
#pragma once

#include "record.h"

#define SEALED_HEADER_SIZE 8192u
#define SEALED_ID_SIZE     16u
#define KEY_SLOT_SIZE      512u

struct store_key;
struct key_slot {
    u32 sequence, page_size;
    u8 id[SEALED_ID_SIZE];
    u32 generation, previous;
    pgno progress;
    bool passphrase;
    u64 kdf_operations, kdf_memory;
    u8 salt[16];
    u8 master[32];
    u8 keys[2][32]; // the newer one, the one before
};

// Whether the file is a sealed one: both slots' places, SEALED_HEADER_SIZE bytes.
bool key_slots_there(const u8 *header);
// Takes the newest slot apart. ERR_NOTADB with a sentence: another key, or no sound slot. `previous` may be NULL: a key
// that is tried when the first does not fit; *used_previous then.
err_code key_slots_open(const u8 *header, const char *path, const struct store_key *key,
                        const struct store_key *previous, struct key_slot *out, bool *used_previous, struct err *err);
// Whether the other slot has the same keys: what the newest one says is then on the disk, too. Otherwise it may have been read from
// memory of the system alone, after a write that failed, and has to be written again before anything is sealed by it.
bool key_slots_agree(const u8 *header, const struct key_slot *newest);
// Of a new file: an id and a data key of its own; what is there of the master key stays.
void key_slot_fresh(struct key_slot *slot, u32 page_size, struct io *io);
// Sets the master key.
err_code key_slot_master(struct key_slot *slot, const struct store_key *key, struct io *io, struct err *err);
// Writes the next one of the sequence over the older of the two, durably. buffer[KEY_SLOT_SIZE] and iov are in use until c completes.
void key_slot_write(struct key_slot *slot, struct io *io, struct io_file *file, u8 *buffer, struct iovec *iov, struct completion *c);
void key_slot_encode(const struct key_slot *slot, struct io *io, u8 out[KEY_SLOT_SIZE]);
static inline u64 key_slot_offset(const struct key_slot *slot)
{
    return slot->sequence & 1 ? 0 : SEALED_HEADER_SIZE / 2;
}
void key_slot_wipe(struct key_slot *slot);
