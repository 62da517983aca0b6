#include "key_filter.h"

#include "group.h"

#define BITS_MIN  512
#define BITS_MAX  (1u << 21)
#define BITS_EACH 32 // at least, up to BITS_MAX
#define GROWTH    8
#define BITS_ROW  8 // at least, when it is told how many keys come, up to BITS_MOST
#define BITS_MOST (1u << 26)

struct key_filter {
    const struct key_info *info;
    u8 *bits;
    u64 mask, count;
    bool unknown, everything; // unknown: equal keys may look different
};

struct key_filter *key_filter_new(const struct key_info *info, u64 rows)
{
    struct key_filter *f = calloc(1, sizeof *f);
    if (!f) return NULL;
    f->info = info;
    for (u32 i = 0; i < info->field_count; i++) f->unknown |= info->collations && !group_collation_known(info->collations[i]);
    f->everything = f->unknown;
    u64 bits = BITS_MIN;
    while (bits < BITS_MOST && bits < rows * BITS_ROW) bits *= 2;
    f->mask = bits - 1;
    f->bits = calloc(bits / 8, 1);
    if (f->bits) return f;
    free(f);
    return NULL;
}

void key_filter_free(struct key_filter *f)
{
    if (!f) return;
    free(f->bits);
    free(f);
}

void key_filter_clear(struct key_filter *f)
{
    f->mask = BITS_MIN - 1;
    f->count = 0;
    f->everything = f->unknown;
    memset(f->bits, 0, BITS_MIN / 8);
}

// A key may then be in any part: the share of bits that are set stays. So there are few steps, each a large one.
static bool grow(struct key_filter *f)
{
    u64 size = (f->mask + 1) / 8;
    u8 *more = realloc(f->bits, size * GROWTH);
    if (!more) return false;
    for (u32 i = 1; i < GROWTH; i++) memcpy(more + i * size, more, size);
    f->bits = more;
    f->mask = (f->mask + 1) * GROWTH - 1;
    return true;
}

static bool hashable(const struct key_filter *f, const struct value *key)
{
    for (u32 i = 0; i < f->info->field_count; i++)
        if (key[i].flags & VALUE_ZERO_TAIL) return false;
    return true;
}

void key_filter_add(struct key_filter *f, const struct value *key)
{
    f->count++;
    if (UNLIKELY(f->count * BITS_EACH > f->mask && f->mask < BITS_MAX - 1 && !grow(f))) f->everything = true;
    if (UNLIKELY(!hashable(f, key))) f->everything = true;
    if (f->everything) return;
    u64 bit = group_hash(f->info, f->info->field_count, key) & f->mask;
    f->bits[bit / 8] |= (u8)(1 << (bit & 7));
}

bool key_filter_may_have(const struct key_filter *f, const struct value *key)
{
    if (f->everything || !hashable(f, key)) return true;
    u64 bit = group_hash(f->info, f->info->field_count, key) & f->mask;
    return f->bits[bit / 8] >> (bit & 7) & 1;
}
