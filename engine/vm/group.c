#include "group.h"

#include "hash.h"

#define SLOTS_MIN  16
#define TRIAL      8192 // groups after which it shows whether rows share them
#define ROWS_SHARE 3    // rows a group, at least

// ---- hashing -------------------------------------------------------------------------------------------------

bool group_collation_known(const struct collation *c)
{
    return !c || c == &COLLATION_BINARY || c == &COLLATION_NOCASE || c == &COLLATION_RTRIM;
}

static u64 text_hash(const struct value *v, const struct collation *c, u64 h)
{
    u32 size = v->size;
    if (c == &COLLATION_NOCASE) {
        for (u32 i = 0; i < size && v->bytes[i]; i++) { // behind a NUL only the sizes count
            u8 b = v->bytes[i];
            if (b >= 'A' && b <= 'Z') b += 'a' - 'A';
            h = (h ^ b) * 0x100000001b3u;
        }
        return hash_mix(h ^ size);
    }
    if (c == &COLLATION_RTRIM)
        while (size && v->bytes[size - 1] == ' ') size--;
    return hash_bytes(v->bytes, size, h);
}

u64 group_hash(const struct key_info *info, u32 keys, const struct value *key)
{
    u64 h = 0x9e3779b97f4a7c15u;
    for (u32 i = 0; i < keys; i++) {
        const struct value *v = &key[i];
        switch ((enum value_type)v->type) {
        case VALUE_NULL: h = hash_mix(h + 1); break;
        case VALUE_INTEGER: {
            double r = (double)v->integer;
            h = hash_mix(h ^ (u64)(r < 0x1p63 ? (s64)r : INT64_MIN));
            break;
        }
        case VALUE_REAL: {
            // As the integer that it equals; what no integer equals by its bits.
            u64 bits;
            double r = v->real == 0 ? 0 : v->real;
            memcpy(&bits, &r, 8);
            if (r >= -9223372036854775808.0 && r < 9223372036854775808.0 && r == (double)(s64)r) bits = (u64)(s64)r;
            h = hash_mix(h ^ bits);
            break;
        }
        case VALUE_TEXT: h = text_hash(v, info->collations ? info->collations[i] : NULL, h + 3); break;
        case VALUE_BLOB: h = hash_bytes(v->bytes, v->size, h + 4); break; // zero tails are written out
        }
    }
    return h;
}

static inline bool value_equal(const struct value *a, const struct value *b, const struct collation *c)
{
    if (a->type == VALUE_INTEGER && b->type == VALUE_INTEGER) return a->integer == b->integer;
    if (a->type == VALUE_TEXT && b->type == VALUE_TEXT && (!c || c == &COLLATION_BINARY))
        return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
    return value_compare(a, b, c) == 0;
}

static bool key_equal(const struct group_table *t, const struct value *a, const struct value *b)
{
    for (u32 i = 0; i < t->keys; i++)
        if (!value_equal(&a[i], &b[i], t->info->collations ? t->info->collations[i] : NULL)) return false;
    return true;
}

// ---- the table -----------------------------------------------------------------------------------------------

struct group_table *group_table_new(const struct key_info *info, u32 accumulators, u64 budget, u64 (*held)(const struct value *))
{
    struct group_table *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    t->info = info;
    t->keys = info->field_count;
    t->accumulators = accumulators;
    t->budget = budget;
    t->held = held;
    t->slot_mask = SLOTS_MIN - 1;
    t->slots = calloc(SLOTS_MIN, sizeof *t->slots);
    if (!t->slots) {
        free(t);
        return NULL;
    }
    return t;
}

void group_table_free(struct group_table *t)
{
    if (!t) return;
    for (u64 i = 0; i < t->count; i++) {
        for (u32 k = 0; k < t->keys + t->accumulators; k++) free(t->groups[i]->values[k].buffer);
        free(t->groups[i]);
    }
    free(t->groups);
    free(t->slots);
    free(t);
}

static bool table_grow(struct group_table *t)
{
    if (t->count == t->capacity) {
        u64 capacity = t->capacity ? t->capacity * 2 : SLOTS_MIN / 2;
        struct group **grown = realloc(t->groups, capacity * sizeof *grown);
        if (!grown) return false;
        t->groups = grown;
        t->bytes += (capacity - t->capacity) * sizeof *grown;
        t->capacity = capacity;
    }
    if ((t->count + 1) * 2 <= t->slot_mask) return true;
    u64 size = (t->slot_mask + 1) * 2;
    struct group **slots = calloc(size, sizeof *slots);
    if (!slots) return false;
    for (u64 i = 0; i < t->count; i++) {
        u64 at = t->groups[i]->hash & (size - 1);
        while (slots[at]) at = (at + 1) & (size - 1);
        slots[at] = t->groups[i];
    }
    free(t->slots);
    t->slots = slots;
    t->bytes += size / 2 * sizeof *slots;
    t->slot_mask = size - 1;
    return true;
}

// Registers own their buffers as groups do, so that moving is exchanging. What is left behind holds nothing.
static void exchange(struct group_table *t, struct group *g, struct value *registers)
{
    size_t size = t->accumulators * sizeof *registers;
    if (t->current) {
        memcpy(&t->current->values[t->keys], registers, size);
        if (t->held) {
            u64 held = 0;
            for (u32 i = 0; i < t->accumulators; i++) held += t->held(&registers[i]);
            t->bytes += held - t->current->held;
            t->current->held = held;
        }
    } else if (g) {
        for (u32 i = 0; i < t->accumulators; i++) free(registers[i].buffer); // of a group that was sorted
    }
    if (g) {
        memcpy(registers, &g->values[t->keys], size);
        for (u32 i = 0; i < t->accumulators; i++) value_init(&g->values[t->keys + i]);
    } else if (t->current) {
        for (u32 i = 0; i < t->accumulators; i++) value_init(&registers[i]);
    }
    t->current = g;
}

static struct group *group_new(struct group_table *t, u64 hash, const struct value *key)
{
    u32 values = t->keys + t->accumulators;
    struct group *g = malloc(sizeof *g + values * sizeof *g->values);
    if (!g) return NULL;
    g->hash = hash;
    g->held = 0;
    for (u32 i = 0; i < values; i++) value_init(&g->values[i]);
    for (u32 i = 0; i < t->keys; i++) {
        if (value_copy(&g->values[i], &key[i]) != ERR_OK) {
            while (i-- > 0) free(g->values[i].buffer);
            free(g);
            return NULL;
        }
        t->bytes += g->values[i].capacity;
    }
    // The accumulators' states are about as big as their registers.
    t->bytes += sizeof *g + (t->keys + 3 * t->accumulators) * sizeof *g->values;
    return g;
}

enum group_found group_find(struct group_table *t, const struct value *key, struct value *registers)
{
    u64 hash = group_hash(t->info, t->keys, key);
    t->rows++;
    t->seen = true;
    struct group *current = t->current;
    if (current && current->hash == hash && key_equal(t, current->values, key)) return GROUP_FOUND;
    u64 at = hash & t->slot_mask;
    for (struct group *g; (g = t->slots[at]); at = (at + 1) & t->slot_mask) {
        if (g->hash != hash || !key_equal(t, g->values, key)) continue;
        exchange(t, g, registers);
        return GROUP_FOUND;
    }
    t->seen = false;
    if (t->count == TRIAL && t->accumulators && t->rows < TRIAL * ROWS_SHARE) t->budget = 0;
    if (t->bytes >= t->budget) return GROUP_NO_ROOM;
    if (!table_grow(t)) return GROUP_NO_MEMORY;
    struct group *g = group_new(t, hash, key);
    if (!g) return GROUP_NO_MEMORY;
    t->groups[t->count++] = g;
    at = hash & t->slot_mask;
    while (t->slots[at]) at = (at + 1) & t->slot_mask;
    t->slots[at] = g;
    exchange(t, g, registers);
    return GROUP_NEW;
}

// ---- the groups in order ---------------------------------------------------------------------------------------

static int keys_compare(const struct group_table *t, const struct value *a, const struct value *b)
{
    for (u32 i = 0; i < t->keys; i++) {
        int c = value_compare(&a[i], &b[i], t->info->collations ? t->info->collations[i] : NULL);
        if (!c) continue;
        u8 order = t->info->orders ? t->info->orders[i] : 0;
        if ((order & KEY_NULLS_LAST) && (a[i].type == VALUE_NULL || b[i].type == VALUE_NULL)) c = -c;
        return order & KEY_DESC ? -c : c;
    }
    return 0;
}

bool group_sort(struct group_table *t, struct value *registers)
{
    exchange(t, NULL, registers);
    t->at = 0;
    if (t->count < 2) return true;
    struct group **other = malloc(t->count * sizeof *other);
    if (!other) return false;
    struct group **from = t->groups, **to = other;
    for (u64 width = 1; width < t->count; width *= 2) {
        for (u64 start = 0; start < t->count; start += 2 * width) {
            u64 a = start, middle = MIN(start + width, t->count), b = middle, stop = MIN(start + 2 * width, t->count);
            u64 out = start;
            while (a < middle && b < stop)
                to[out++] = keys_compare(t, from[a]->values, from[b]->values) <= 0 ? from[a++] : from[b++];
            while (a < middle) to[out++] = from[a++];
            while (b < stop) to[out++] = from[b++];
        }
        struct group **swap = from;
        from = to;
        to = swap;
    }
    t->groups = from;
    t->capacity = t->count;
    free(to);
    return true;
}

bool group_next(struct group_table *t, const struct value *key, struct value *registers)
{
    if (t->at == t->count || (key && keys_compare(t, t->groups[t->at]->values, key) > 0)) {
        exchange(t, NULL, registers);
        return false;
    }
    exchange(t, t->groups[t->at++], registers);
    return true;
}
