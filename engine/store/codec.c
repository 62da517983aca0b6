#include "codec.h"

#include <sodium.h>

#define NONCE_SIZE 24u
#define TAG_SIZE   16u

_Static_assert(CODEC_SEALED_SIZE == NONCE_SIZE + TAG_SIZE, "the reserved end of a sealed page");
_Static_assert(NONCE_SIZE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "XChaCha20's nonce");
_Static_assert(SEALED_HEADER_SIZE == STORE_SEALED_HEADER, "where page 1 of a sealed file is");
_Static_assert(TAG_SIZE == crypto_aead_xchacha20poly1305_ietf_ABYTES, "Poly1305's tag");

u32 codec_reserved(enum codec_kind kind)
{
    switch (kind) {
    case CODEC_PLAIN: return 0;
    case CODEC_CHECKSUM: return CODEC_CHECKSUM_SIZE;
    case CODEC_SEALED: return CODEC_SEALED_SIZE;
    }
    return 0;
}

static u32 le32_get(const u8 *p)
{
    return __builtin_bswap32(be32_get(p));
}

static void sums_make(const u8 *page, u32 size, u8 out[CODEC_CHECKSUM_SIZE])
{
    u32 s1 = 0, s2 = 0;
    for (u32 i = 0; i < size; i += 8) {
        s1 += le32_get(page + i) + s2;
        s2 += le32_get(page + i + 4) + s1;
    }
    be32_put(out, __builtin_bswap32(s1));
    be32_put(out + 4, __builtin_bswap32(s2));
}

static void associated_make(const struct codec *c, pgno no, u8 out[SEALED_ID_SIZE + 4])
{
    memcpy(out, c->slot.id, SEALED_ID_SIZE);
    be32_put(out + SEALED_ID_SIZE, no);
}

void codec_encode(const struct codec *c, pgno no, const u8 *page, u8 *out)
{
    u32 body = c->page_size - codec_reserved(c->kind);
    switch (c->kind) {
    case CODEC_PLAIN:
        if (out != page) memcpy(out, page, body);
        return;
    case CODEC_CHECKSUM:
        if (out != page) memcpy(out, page, body);
        sums_make(out, body, out + body);
        return;
    case CODEC_SEALED: {
        u8 associated[SEALED_ID_SIZE + 4];
        u8 *nonce = out + body;
        associated_make(c, no, associated);
        be32_put(nonce, c->slot.generation);
        io_random(c->io, nonce + 4, NONCE_SIZE - 4);
        crypto_aead_xchacha20poly1305_ietf_encrypt_detached(out, nonce + NONCE_SIZE, NULL, page, body, associated,
                                                            sizeof associated, NULL, nonce, c->slot.keys[0]);
        return;
    }
    }
}

bool codec_decode(const struct codec *c, pgno no, u8 *page)
{
    u32 body = c->page_size - codec_reserved(c->kind);
    switch (c->kind) {
    case CODEC_PLAIN: return true;
    case CODEC_CHECKSUM: {
        u8 sums[CODEC_CHECKSUM_SIZE];
        if (c->unchecked) return true;
        sums_make(page, body, sums);
        return memcmp(sums, page + body, sizeof sums) == 0;
    }
    case CODEC_SEALED: {
        u8 associated[SEALED_ID_SIZE + 4];
        const u8 *nonce = page + body;
        u32 generation = be32_get(nonce);
        bool old = c->slot.previous && generation == c->slot.previous;
        if (generation != c->slot.generation && !old) return false;
        associated_make(c, no, associated);
        if (crypto_aead_xchacha20poly1305_ietf_decrypt_detached(page, NULL, page, body, nonce + NONCE_SIZE, associated,
                                                                sizeof associated, nonce, c->slot.keys[old]) != 0)
            return false;
        memset(page + body, 0, CODEC_SEALED_SIZE);
        return true;
    }
    }
    return false;
}
