#include "unseal.h"

#include <sodium.h>

#define HEADER   8192u
#define RESERVED 40u
#define SLOT     512u

static u32 be32(const u8 *p)
{
    return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static void be32_write(u8 *p, u32 v)
{
    p[0] = (u8)(v >> 24), p[1] = (u8)(v >> 16), p[2] = (u8)(v >> 8), p[3] = (u8)v;
}

static const u8 *slot_find(const u8 *file, u64 size)
{
    const u8 *best = NULL;
    for (u32 i = 0; i < 2; i++) {
        const u8 *slot = file + i * (HEADER / 2);
        u8 sum[32];
        if (size < i * (HEADER / 2) + SLOT || memcmp(slot, "Skerry sealed 1", 16) != 0) continue;
        crypto_generichash(sum, sizeof sum, slot, 480, NULL, 0);
        if (memcmp(sum, slot + 480, sizeof sum) == 0 && (!best || be32(slot + 16) > be32(best + 16))) best = slot;
    }
    return best;
}

static bool page_open(const u8 *slot, const u8 keys[64], const u8 *in, u32 page_size, u32 no, u8 *out)
{
    const u8 *tail = in + page_size - RESERVED;
    u8 associated[20];
    u32 generation = be32(tail);
    if (generation != be32(slot + 40) && (generation != be32(slot + 44) || !generation)) return false;
    memcpy(associated, slot + 24, 16);
    be32_write(associated + 16, no);
    memset(out + page_size - RESERVED, 0, RESERVED);
    return crypto_aead_xchacha20poly1305_ietf_decrypt_detached(out, NULL, in, page_size - RESERVED, tail + 24, associated, 20, tail,
                                                               keys + (generation == be32(slot + 40) ? 0 : 32)) == 0;
}

// SQLite's WAL checksum.
static void sum_add(u32 sum[2], const u8 *p, u32 size, bool big)
{
    for (u32 i = 0; i < size; i += 8) {
        u32 a = be32(p + i), b = be32(p + i + 4);
        if (!big) a = __builtin_bswap32(a), b = __builtin_bswap32(b);
        sum[0] += a + sum[1];
        sum[1] += b + sum[0];
    }
}

static bool wal_open(const u8 *slot, const u8 keys[64], const u8 *wal, u64 size, u32 page_size, struct unsealed *out, char why[200])
{
    u32 sealed[2] = {0}, plain[2] = {0};
    if (size < 32 || be32(wal + 8) != page_size) return true;
    bool big = be32(wal) & 1;
    sum_add(sealed, wal, 24, big);
    if (sealed[0] != be32(wal + 24) || sealed[1] != be32(wal + 28)) return true;
    memcpy(plain, sealed, sizeof plain);
    out->wal = malloc(size);
    memcpy(out->wal, wal, 32);
    out->wal_size = 32;
    for (u64 at = 32; at + 24 + page_size <= size; at += 24 + page_size) {
        const u8 *frame = wal + at;
        u8 *to = out->wal + at;
        if (memcmp(frame + 8, wal + 16, 8) != 0) return true;
        sum_add(sealed, frame, 8, big);
        sum_add(sealed, frame + 24, page_size, big);
        if (sealed[0] != be32(frame + 16) || sealed[1] != be32(frame + 20)) return true;
        if (!page_open(slot, keys, frame + 24, page_size, be32(frame), to + 24)) {
            // A sound frame of an earlier key is only there while a newer one of its page follows: SQLite is not to read it.
            if (be32(frame + 24 + page_size - RESERVED) >= be32(slot + 40)) {
                snprintf(why, 200, "page %u in the log at %llu is not sealed as described", be32(frame), (unsigned long long)at);
                return false;
            }
            memset(to + 24, 0xee, page_size);
        }
        memcpy(to, frame, 16);
        sum_add(plain, to, 8, big);
        sum_add(plain, to + 24, page_size, big);
        be32_write(to + 16, plain[0]);
        be32_write(to + 20, plain[1]);
        out->wal_size = at + 24 + page_size;
        if (be32(frame + 4)) out->committed = out->wal_size;
    }
    return true;
}

static bool wal_has(const struct unsealed *u, u32 page_size, u32 no)
{
    for (u64 at = 32; at + 24 + page_size <= u->committed; at += 24 + page_size)
        if (be32(u->wal + at) == no) return true;
    return false;
}

// Of the newest commit: by its last frame in the log, else by page 1 of the file, which is open by then.
static u64 page_count(const struct unsealed *u, u32 page_size, u64 in_file)
{
    if (u->committed) return be32(u->wal + u->committed - page_size - 20);
    bool known = be32(u->database + 28) && be32(u->database + 24) == be32(u->database + 92);
    return known ? be32(u->database + 28) : in_file;
}

bool unseal(const u8 *database, u64 size, const u8 *wal, u64 wal_size, const u8 (*master)[32], u32 key_count, struct unsealed *out, char why[200])
{
    u8 keys[64];
    *out = (struct unsealed){.database = calloc(1, size + 1)};
    const u8 *slot = slot_find(database, size);
    if (!slot) {
        snprintf(why, 200, "there is no sound key slot");
        return false;
    }
    if (be32(slot + 16) == 1) return true; // nothing was committed yet
    u32 page_size = be32(slot + 20);
    out->generation = be32(slot + 40);
    out->previous = be32(slot + 44);
    for (out->key = 0; out->key < key_count; out->key++)
        if (crypto_aead_xchacha20poly1305_ietf_decrypt(keys, NULL, NULL, slot + 112, 80, slot, 88, slot + 88, master[out->key]) == 0) break;
    if (out->key == key_count) {
        snprintf(why, 200, "no key opens the slot");
        return false;
    }
    if (wal && !wal_open(slot, keys, wal, wal_size, page_size, out, why)) return false;
    u64 count = size > HEADER ? (size - HEADER) / page_size : 0;
    for (u32 no = 1; no <= count; no++) {
        if (!page_open(slot, keys, database + HEADER + (no - 1) * (u64)page_size, page_size, no, out->database + (no - 1) * (u64)page_size) &&
            no <= page_count(out, page_size, count) && !wal_has(out, page_size, no)) {
            snprintf(why, 200, "page %u of the file is not sealed as described", no);
            return false;
        }
    }
    out->database_size = count * page_size;
    return true;
}
