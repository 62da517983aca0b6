#include "md5.h"

#include <sodium.h>

// floor(2^32 * |sin(i + 1)|), RFC 1321 section 3.4.
static const u32 SINES[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};
static const u8 SHIFTS[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

static void md5_block(struct md5 *m, const u8 *bytes)
{
    u32 a = m->state[0], b = m->state[1], c = m->state[2], d = m->state[3], words[16];
    memcpy(words, bytes, sizeof words); // little-endian, as all that we run on
    for (u32 i = 0; i < 64; i++) {
        u32 f, word;
        switch (i / 16) {
        case 0: f = (b & c) | (~b & d), word = i; break;
        case 1: f = (d & b) | (~d & c), word = (5 * i + 1) % 16; break;
        case 2: f = b ^ c ^ d, word = (3 * i + 5) % 16; break;
        default: f = c ^ (b | ~d), word = 7 * i % 16; break;
        }
        u32 sum = a + f + SINES[i] + words[word], shift = SHIFTS[i / 16][i % 4];
        a = d;
        d = c;
        c = b;
        b += sum << shift | sum >> (32 - shift);
    }
    m->state[0] += a;
    m->state[1] += b;
    m->state[2] += c;
    m->state[3] += d;
}

void md5_init(struct md5 *m)
{
    *m = (struct md5){.state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}};
}

void md5_update(struct md5 *m, const void *bytes, size_t size)
{
    const u8 *at = bytes;
    size_t filled = m->size % 64;
    m->size += size;
    if (filled) {
        size_t n = MIN(size, 64 - filled);
        memcpy(m->block + filled, at, n);
        at += n;
        size -= n;
        if (filled + n < 64) return;
        md5_block(m, m->block);
    }
    for (; size >= 64; at += 64, size -= 64) md5_block(m, at);
    if (size) memcpy(m->block, at, size);
}

void md5_final(struct md5 *m, u8 out[MD5_SIZE])
{
    static const u8 PADDING[64] = {0x80};
    u64 bits = m->size * 8;
    md5_update(m, PADDING, 64 - (m->size + 8) % 64);
    md5_update(m, &bits, 8);
    memcpy(out, m->state, MD5_SIZE);
}

void md5_base64(const u8 digest[MD5_SIZE], char out[25])
{
    sodium_bin2base64(out, 25, digest, MD5_SIZE, sodium_base64_VARIANT_ORIGINAL);
}
