// Records that come again, of which a sorter may leave some out (sorter_drop_repeats): what was seen lately is not taken, and when
// memory is full, neighbours that are identical become one before anything is written.
#include "hash.h"
#include "sorter_internal.h"

// ---- those seen lately ---------------------------------------------------------------------------------------

#define SLOTS      4096 // a power of 2
#define HASHED     128  // bytes at a record's beginning, and at its end
#define TRIAL      8192 // records after which it shows whether they come again
#define HITS_SHARE 4    // one of so many, at least

struct seen_slot {
    const u8 *record; // [size] before it; NULL: none
    u32 hash;
};
struct sorter_seen {
    u32 records, hits;
    struct seen_slot slots[SLOTS];
};

static void seen_forget(struct sorter *s)
{
    free(s->seen);
    s->seen = NULL;
}

void sorter_drop_repeats(struct sorter *s)
{
    s->repeats = true;
    // Of records that are equal and differ (texts of other case) it counts which come first and last.
    for (u32 i = 0; i < s->fields; i++)
        if (s->info->collations[i] && s->info->collations[i] != &COLLATION_BINARY) return;
    s->seen = calloc(1, sizeof *s->seen); // without it they are found when memory is full
}

void sorter_seen_clear(struct sorter *s)
{
    if (s->seen) memset(s->seen->slots, 0, sizeof s->seen->slots);
}

// 1.0 equals 1.
static bool has_real(const u8 *record, u64 size)
{
    enum { SERIAL_REAL = 7 };
    u64 header, type;
    u32 n = varint_get_checked(record, record + size, &header);
    if (!n || header > size) return true;
    for (const u8 *at = record + n, *end = record + header; at < end; at += n)
        if (!(n = varint_get_checked(at, end, &type)) || type == SERIAL_REAL) return true;
    return false;
}

static bool identical(const u8 *a, const u8 *b)
{
    const u32 size = sorter_record_size(a);
    return size == sorter_record_size(b) && memcmp(a, b, size) == 0;
}

bool sorter_seen(struct sorter *s, const u8 *record, u64 size, struct seen_slot **slot)
{
    struct sorter_seen *seen = s->seen;
    if (seen->records == TRIAL) {
        if (seen->hits < TRIAL / HITS_SHARE) return seen_forget(s), false;
        seen->records = seen->hits = 0;
    }
    u64 head = MIN(size, (u64)HASHED), tail = MIN(size - head, (u64)HASHED);
    u32 hash = (u32)hash_bytes(record + size - tail, tail, hash_bytes(record, head, size));
    struct seen_slot *at = &seen->slots[hash & (SLOTS - 1)];
    seen->records++;
    if (at->record && at->hash == hash && sorter_record_size(at->record) == size && memcmp(at->record, record, size) == 0) {
        seen->hits++;
        return true;
    }
    if (has_real(record, size)) return seen_forget(s), false;
    at->record = NULL;
    at->hash = hash;
    *slot = at;
    return false;
}

void sorter_seen_put(struct seen_slot *slot, const u8 *record) { slot->record = record; }

// ---- those in memory -----------------------------------------------------------------------------------------

void sorter_entries_unite(struct sorter *s)
{
    u64 kept = 0;
    for (u64 i = 0; i < s->count; i++) {
        const struct sorter_entry *e = &s->entries[i];
        if (kept && s->entries[kept - 1].prefix == e->prefix && identical(s->entries[kept - 1].record, e->record)) continue;
        s->entries[kept++] = *e;
    }
    s->count = kept;
}

// The records move to blocks of their own, and the others go. Sorting has put other prefixes in the place of some.
static bool blocks_rebuild(struct sorter *s, u64 bytes)
{
    u64 size = MAX(bytes, (u64)SORTER_BLOCK_SIZE);
    struct sorter_block *b = malloc(sizeof *b + size);
    if (!b) return false;
    u8 *to = b->data;
    for (u64 i = 0; i < s->count; i++) {
        const u32 record_size = sorter_record_size(s->entries[i].record);
        memcpy(to, s->entries[i].record - 4, record_size + 4u);
        s->entries[i] = (struct sorter_entry){.prefix = sorter_prefix(to + 4, record_size, s->info, &s->prefix_exact), .record = to + 4};
        to += sorter_record_room(record_size);
    }
    for (struct sorter_block *old = s->blocks, *next; old; old = next) {
        next = old->next;
        free(old);
    }
    b->next = NULL;
    s->blocks = b;
    s->next = to;
    s->end = b->data + size;
    s->bytes = s->capacity * sizeof *s->entries + size;
    return true;
}

bool sorter_condense(struct sorter *s)
{
    if (!s->repeats || !sorter_sort_memory(s)) return false; // a failure shows when the run is sorted
    u64 before = s->count, bytes = 0;
    sorter_entries_unite(s);
    for (u64 i = 0; i < s->count; i++) bytes += sorter_record_room(sorter_record_size(s->entries[i].record));
    if (s->count > before / 2 || bytes > s->budget / 2) return false;
    if (!blocks_rebuild(s, bytes)) return false;
    s->sorted = false;
    sorter_seen_clear(s);
    return true;
}
