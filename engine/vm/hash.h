// Hashes of bytes, for tables in memory.
#pragma once

#include <string.h>

#include "../../io/base.h"

static inline u64 hash_mix(u64 h)
{
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93u;
    h ^= h >> 32;
    return h;
}

static inline u64 hash_bytes(const u8 *p, u64 size, u64 h)
{
    u64 word;
    for (; size >= 8; p += 8, size -= 8) {
        memcpy(&word, p, 8);
        h = hash_mix(h ^ word);
    }
    word = size;
    for (u64 i = 0; i < size; i++) word = word << 8 | p[i];
    return hash_mix(h ^ word);
}
