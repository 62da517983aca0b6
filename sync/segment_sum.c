// Sums that tell that bytes are what they were: of a page, and of a stored run that nobody sealed. Neither is meant
// to withstand a person who wants two things to have one sum: that is what a key is for.
#include "segment.h"

static inline u64 le64(const u8 *p)
{
    u64 v;
    memcpy(&v, p, 8);
    return v;
}

// A zero factor does not lose the chain, because the factors go into the result as well.
static inline u64 mix(u64 a, u64 b)
{
    __uint128_t product = (__uint128_t)a * b;
    return a ^ b ^ (u64)product ^ (u64)(product >> 64);
}

// Four chains of multiplications, so that they run side by side.
struct lanes {
    u64 a, b, c, d;
};

static inline void lanes_take(struct lanes *l, const u8 *p)
{
    l->a = mix(le64(p) ^ 0x2d358dccaa6c78a5u, le64(p + 8) ^ l->a);
    l->b = mix(le64(p + 16) ^ 0x8bb84b93962eacc9u, le64(p + 24) ^ l->b);
    l->c = mix(le64(p + 32) ^ 0x4b33a62ed433d4a3u, le64(p + 40) ^ l->c);
    l->d = mix(le64(p + 48) ^ 0x4d5a2da51de1aa47u, le64(p + 56) ^ l->d);
}

u64 segment_page_sum(u32 number, const u8 *data, u32 page_size)
{
    struct lanes l = {number ^ 0x9e3779b97f4a7c15u, 0xa0761d6478bd642fu, 0xe7037ed1a0b428dbu, 0x8ebc6af09c88c6e3u};
    for (u32 i = 0; i < page_size; i += 64) lanes_take(&l, data + i);
    u64 left = mix(l.a ^ 0xd6e8feb86659fd93u, l.b), right = mix(l.c ^ 0xcaf649a9e94ad4a7u, l.d);
    return mix(left ^ 0x589965cc75374cc3u, right ^ number);
}

void segment_checksum(const u8 associated[SEGMENT_ASSOCIATED_SIZE], const u8 *data, size_t size, u8 out[SEGMENT_TAG_SIZE])
{
    struct lanes l = {0x9e3779b97f4a7c15u, 0xa0761d6478bd642fu, 0xe7037ed1a0b428dbu, 0x8ebc6af09c88c6e3u};
    u8 first[64] = {0}, last[64] = {0};
    memcpy(first, associated, SEGMENT_ASSOCIATED_SIZE);
    be64_put(first + 56, size);
    lanes_take(&l, first);
    size_t whole = size & ~(size_t)63;
    for (size_t i = 0; i < whole; i += 64) lanes_take(&l, data + i);
    memcpy(last, data + whole, size - whole);
    lanes_take(&l, last);
    u64 left = mix(l.a ^ 0xd6e8feb86659fd93u, l.b), right = mix(l.c ^ 0xcaf649a9e94ad4a7u, l.d);
    be64_put(out, mix(left ^ 0x589965cc75374cc3u, right));
    left = mix(l.b ^ 0xd6e8feb86659fd93u, l.c), right = mix(l.d ^ 0xcaf649a9e94ad4a7u, l.a);
    be64_put(out + 8, mix(left ^ 0x589965cc75374cc3u, right));
}
