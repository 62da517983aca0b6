// Makes of an encrypted database and its log what they would be without encryption, so that SQLite can judge them: by
// the description in engine/store/key_slot.h and codec.h alone, with nothing of their code.
#pragma once

#include "io/base.h"

struct unsealed {
    u8 *database, *wal; // malloc'd
    u64 database_size, wal_size;
    u64 committed;            // bytes of the log up to the end of its last commit
    u32 generation, previous; // numbers of data keys
    u32 key;                  // which of those given it was sealed with
};
// keys: 32 bytes each; the first that fits counts. False with a text in *why: a slot or a page is not what it should be.
// wal may be NULL. What follows the last sound frame of the log is left out. A page of the file is of account when the
// newest commit's database has it and no frame of a commit does: a file is cut short only by a later checkpoint.
bool unseal(const u8 *database, u64 size, const u8 *wal, u64 wal_size, const u8 (*keys)[32], u32 key_count, struct unsealed *out, char why[200]);
