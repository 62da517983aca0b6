// The page codec: what a page is on the disk, in the database file and in the WAL. Internal to engine/store.
//
// Pages in memory are plain. Where a file has a codec, it uses the end of each page that the database header
// reserves, which the B-tree leaves alone:
//   plain      nothing; stock SQLite's
//   checksum   8 bytes reserved, as SQLite's "cksumvfs" extension has it: two sums over the little-endian words of
//              the page before them, s1 += word + s2, s2 += next word + s1
//   sealed     40 bytes reserved: a nonce of 24, whose first 4 are the number of the key (big-endian), and the tag
//              of 16 bytes of XChaCha20-Poly1305 (the IETF construction) over all before them. Associated data: the
//              database's id (16 bytes) and the page's number (big-endian), so that a page is of no use elsewhere.
// In the WAL, frames hold pages in that same form, and their sums are over it. A sealed file begins with its key
// slots (key_slot.h): page 1 follows at SEALED_HEADER_SIZE. That an older version of a page was put back in its place
// is not noticed.
#pragma once

#include "key_slot.h"
#include "store.h"

enum codec_kind { CODEC_PLAIN, CODEC_CHECKSUM, CODEC_SEALED };
#define CODEC_CHECKSUM_SIZE   8u
#define CODEC_SEALED_SIZE     STORE_SEALED_RESERVED
#define CODEC_SEALED_PAGE_MIN 1024u // smaller pages cannot spare the bytes: SQLite wants 480 for itself

struct codec {
    enum codec_kind kind;
    struct io *io; // for nonces
    u32 page_size;
    bool unchecked; // sums that do not match are let through
    struct key_slot slot; // of a sealed file
};

u32 codec_reserved(enum codec_kind kind);
// Where page `no` stands in the database file.
static inline u64 codec_offset(const struct codec *c, pgno no)
{
    return (u64)(no - 1) * c->page_size + (c->kind == CODEC_SEALED ? SEALED_HEADER_SIZE : 0);
}
static inline bool codec_active(const struct codec *c)
{
    return c->kind != CODEC_PLAIN;
}
// The page as it is written; out may be the page itself.
void codec_encode(const struct codec *c, pgno no, const u8 *page, u8 *out);
// In place. False: it is not what was written there with this key, or its sum does not match.
bool codec_decode(const struct codec *c, pgno no, u8 *page);
