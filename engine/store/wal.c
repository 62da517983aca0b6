#include "wal.h"

void wal_deinit(struct wal *w)
{
    free(w->frames);
    free(w->slots);
    free(w->pending);
    w->frames = NULL;
    w->slots = NULL;
    w->pending = NULL;
}

// ---- format ------------------------------------------------------------------------------------

void wal_sum_add(struct wal_sum *sum, const u8 *bytes, size_t size, bool big_endian)
{
    u32 s1 = sum->s1, s2 = sum->s2;
    const u8 *end = bytes + size;
    if (big_endian) {
        for (; bytes < end; bytes += 8) {
            s1 += be32_get(bytes) + s2;
            s2 += be32_get(bytes + 4) + s1;
        }
    } else {
        for (; bytes < end; bytes += 8) {
            s1 += __builtin_bswap32(be32_get(bytes)) + s2;
            s2 += __builtin_bswap32(be32_get(bytes + 4)) + s1;
        }
    }
    sum->s1 = s1;
    sum->s2 = s2;
}

void wal_restart(struct wal *w, u32 random_salt)
{
    w->base += w->frame_count;
    w->frame_count = w->foreign = 0;
    w->slot_count = 0;
    if (w->slots) memset(w->slots, 0, (w->slot_mask + 1ull) * sizeof *w->slots);
    w->checkpoint_number++;
    w->salt[0]++;
    w->salt[1] = random_salt;
    w->big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    w->header_written = false;
    w->unsynced = false;
}

void wal_header_encode(struct wal *w, u8 *out)
{
    be32_put(out, WAL_MAGIC | w->big_endian);
    be32_put(out + 4, WAL_VERSION);
    be32_put(out + 8, w->page_size);
    be32_put(out + 12, w->checkpoint_number);
    be32_put(out + 16, w->salt[0]);
    be32_put(out + 20, w->salt[1]);
    w->sum = (struct wal_sum){0};
    wal_sum_add(&w->sum, out, 24, w->big_endian);
    be32_put(out + 24, w->sum.s1);
    be32_put(out + 28, w->sum.s2);
}

bool wal_header_decode(struct wal *w, const u8 *in, u32 *page_size)
{
    u32 magic = be32_get(in), size = be32_get(in + 8);
    if ((magic & ~1u) != WAL_MAGIC || be32_get(in + 4) != WAL_VERSION) return false;
    if (size < 512 || size > 65536 || (size & (size - 1))) return false;
    bool big_endian = magic & 1;
    struct wal_sum sum = {0};
    wal_sum_add(&sum, in, 24, big_endian);
    if (sum.s1 != be32_get(in + 24) || sum.s2 != be32_get(in + 28)) return false;
    *page_size = size;
    w->big_endian = big_endian;
    w->checkpoint_number = be32_get(in + 12);
    w->salt[0] = be32_get(in + 16);
    w->salt[1] = be32_get(in + 20);
    w->sum = sum;
    return true;
}

void wal_frame_encode(struct wal *w, struct wal_sum *sum, u32 number, const u8 *page, u8 *out)
{
    struct wal_frame *f = &w->frames[number - 1];
    be32_put(out, f->no);
    be32_put(out + 4, f->page_count);
    be32_put(out + 8, w->salt[0]);
    be32_put(out + 12, w->salt[1]);
    codec_encode(w->codec, f->no, page, out + WAL_FRAME_HEADER_SIZE);
    wal_sum_add(sum, out, 8, w->big_endian);
    wal_sum_add(sum, out + WAL_FRAME_HEADER_SIZE, w->page_size, w->big_endian);
    be32_put(out + 16, sum->s1);
    be32_put(out + 20, sum->s2);
    f->sum = *sum;
}

bool wal_frame_decode(const struct wal *w, struct wal_sum *sum, const u8 *in, pgno *no,
                      pgno *page_count)
{
    if (be32_get(in + 8) != w->salt[0] || be32_get(in + 12) != w->salt[1]) return false;
    *no = be32_get(in);
    *page_count = be32_get(in + 4);
    if (*no == 0) return false;
    wal_sum_add(sum, in, 8, w->big_endian);
    wal_sum_add(sum, in + WAL_FRAME_HEADER_SIZE, w->page_size, w->big_endian);
    return sum->s1 == be32_get(in + 16) && sum->s2 == be32_get(in + 20);
}

// ---- index -------------------------------------------------------------------------------------

static u32 slot_start(const struct wal *w, pgno no)
{
    return (no * 0x9e3779b1u >> 7) & w->slot_mask;
}

// The page's slot, or the empty one where it would go.
static struct wal_slot *slot_find(const struct wal *w, pgno no)
{
    u32 i = slot_start(w, no);
    while (w->slots[i].no != 0 && w->slots[i].no != no) i = (i + 1) & w->slot_mask;
    return &w->slots[i];
}

static bool slots_reserve(struct wal *w, u32 more)
{
    u64 want = ((u64)w->slot_count + more) * 3 / 2;
    u64 count = w->slots ? w->slot_mask + 1ull : 0;
    if (want < count) return true;
    u64 grown = MAX(count, 1024);
    while (grown <= want) grown *= 2;
    struct wal_slot *slots = calloc(grown, sizeof *slots);
    if (!slots) return false;
    struct wal_slot *old = w->slots;
    w->slots = slots;
    w->slot_mask = (u32)(grown - 1);
    for (u64 i = 0; i < count; i++) {
        if (old[i].no) *slot_find(w, old[i].no) = old[i];
    }
    free(old);
    return true;
}

bool wal_reserve(struct wal *w, u32 more, bool pending)
{
    u64 want = (u64)w->frame_count + more;
    if (want > UINT32_MAX / 2) return false;
    if (want > w->frame_capacity) {
        u64 capacity = MAX(want, MAX(w->frame_capacity * 2ull, 1024));
        struct wal_frame *frames = realloc(w->frames, capacity * sizeof *frames);
        if (!frames) return false;
        w->frames = frames;
        w->frame_capacity = (u32)capacity;
    }
    want = (u64)w->pending_count + more;
    if (pending && want > w->pending_capacity) {
        u64 capacity = MAX(want, MAX(w->pending_capacity * 2ull, 64));
        struct page **pages = realloc(w->pending, capacity * sizeof *pages);
        if (!pages) return false;
        w->pending = pages;
        w->pending_capacity = (u32)capacity;
    }
    return slots_reserve(w, more);
}

void wal_append(struct wal *w, pgno no, pgno page_count)
{
    ASSERT(w->frame_count < w->frame_capacity);
    struct wal_slot *slot = slot_find(w, no);
    if (slot->no == 0) {
        *slot = (struct wal_slot){.no = no};
        w->slot_count++;
    }
    w->frames[w->frame_count++] =
        (struct wal_frame){.no = no, .previous = slot->frame, .page_count = page_count};
    slot->frame = w->frame_count;
}

void wal_truncate(struct wal *w, u32 frame_count)
{
    while (w->frame_count > frame_count) {
        const struct wal_frame *f = &w->frames[--w->frame_count];
        slot_find(w, f->no)->frame = f->previous; // 0: the slot stays, "no frame"
    }
}

u32 wal_find(const struct wal *w, pgno no, u32 limit)
{
    if (w->frame_count == 0) return 0;
    u32 frame = slot_find(w, no)->frame;
    while (frame > limit) frame = w->frames[frame - 1].previous;
    return frame;
}

u32 wal_find_after(const struct wal *w, pgno no, u32 after)
{
    if (w->frame_count == 0) return 0;
    u32 found = 0;
    for (u32 frame = slot_find(w, no)->frame; frame > after; frame = w->frames[frame - 1].previous)
        found = frame;
    return found;
}
