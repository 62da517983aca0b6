#include "sorter_internal.h"

#include <math.h>

struct sorter *sorter_new(const struct key_info *info, u32 fields, u64 budget, const char *directory, bool sealed)
{
    struct sorter *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->info = info;
    s->fields = fields ? fields : info->field_count;
    s->err = ERR_CLEAR;
    s->budget = budget;
    s->directory = directory;
    s->sealed = sealed;
    s->key = calloc(s->fields + 1u, sizeof *s->key);
    if (!s->key) {
        free(s);
        return NULL;
    }
    s->prefix_exact = true;
    return s;
}

void sorter_memory_clear(struct sorter *s)
{
    struct sorter_block *kept = s->blocks && !s->blocks->next ? s->blocks : NULL; // the next rows are as many, mostly
    for (struct sorter_block *b = kept ? NULL : s->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    s->blocks = kept;
    sorter_seen_clear(s);
    if (kept)
        s->next = kept->data;
    else
        s->next = s->end = NULL;
    s->count = s->at = 0;
    s->bytes = s->capacity * sizeof *s->entries + (kept ? (u64)(s->end - s->next) : 0);
    s->sorted = false;
}

void sorter_clear(struct sorter *s)
{
    sorter_memory_clear(s);
    sorter_runs_clear(s);
    s->prefix_exact = true;
}

void sorter_free(struct sorter *s)
{
    if (!s) return;
    sorter_clear(s);
    free(s->blocks);
    for (u32 i = 0; i <= s->fields; i++) value_deinit(&s->key[i]);
    free(s->key);
    free(s->entries);
    free(s->seen);
    free(s);
}

// ---- prefixes ----------------------------------------------------------------------------------------------

// 2 bits of class (NULL, number, text, blob), then 62 bits that sort as the value does.
static u64 real_prefix(double r)
{
    u64 bits;
    if (r == 0) r = 0; // no -0.0
    memcpy(&bits, &r, 8);
    bits = bits >> 63 ? ~bits : bits | 1ull << 63;
    return 1ull << 62 | bits >> 2;
}

static u64 bytes_prefix(const u8 *p, u64 size, bool fold, bool *exact)
{
    u64 v = 0;
    if (size > 7 || (size && (fold ? memchr(p, 0, size) != NULL : p[size - 1] == 0))) *exact = false; // the zeros behind it are not its own
    for (u32 i = 0; i < 8; i++) {
        u8 b = i < size ? p[i] : 0;
        if (fold && b == 0) size = 0; // behind a NUL only the sizes count
        if (fold && b >= 'A' && b <= 'Z') b += 32;
        v = v << 8 | b;
    }
    return v >> 2;
}

static u64 value_prefix(const struct value *v, const struct key_info *info, u32 field, bool *exact)
{
    u64 prefix = 0;
    switch ((enum value_type)v->type) {
    case VALUE_NULL: break;
    case VALUE_INTEGER:
        // Within 2^51 a double's 62 upper bits hold the integer exactly.
        if (v->integer > 1ll << 50 || v->integer < -(1ll << 50)) *exact = false;
        prefix = real_prefix((double)v->integer);
        break;
    case VALUE_REAL:
        *exact = false;
        prefix = real_prefix(v->real);
        break;
    case VALUE_TEXT: {
        const struct collation *c = info->collations[field];
        bool binary = !c || c == &COLLATION_BINARY, fold = c == &COLLATION_NOCASE;
        prefix = 2ull << 62;
        if ((binary || fold) && info->encoding <= 1)
            prefix |= bytes_prefix(v->bytes, v->size, fold, exact);
        else
            *exact = false;
        break;
    }
    case VALUE_BLOB:
        prefix = 3ull << 62 | bytes_prefix(v->bytes, v->size, false, exact);
        if (v->flags & VALUE_ZERO_TAIL) *exact = false;
        break;
    }
    u8 order = info->orders[field];
    if (order & KEY_NULLS_LAST && prefix == 0) return order & KEY_DESC ? 0 : UINT64_MAX;
    if (order & KEY_DESC) prefix = ~prefix;
    return prefix;
}

u64 sorter_value_prefix(const struct value *v, const struct key_info *info, bool *exact)
{
    return value_prefix(v, info, 0, exact);
}

bool sorter_text_behind(const struct value *v, const struct key_info *info, const u8 *other, u32 other_size)
{
    const struct collation *c = info->collations[0] ? info->collations[0] : &COLLATION_BINARY;
    if (v->type != VALUE_TEXT || info->encoding > 1 || (c != &COLLATION_BINARY && c != &COLLATION_NOCASE)) return false;
    u32 size = MIN(v->size, other_size);
    int order = c->compare(c->context, v->bytes, size, other, size);
    return info->orders[0] & KEY_DESC ? order < 0 : order > 0;
}

// A field as it lies in the record.
struct raw_field {
    u64 type, size;
    const u8 *bytes;
};

static bool field_find(const u8 *record, u64 size, u32 field, struct raw_field *out)
{
    u64 header;
    u32 n = varint_get_checked(record, record + size, &header);
    if (!n || header > size) return false;
    const u8 *type_at = record + n, *data = record + header;
    out->size = 0;
    for (u32 i = 0; i <= field; i++) {
        data += out->size;
        out->type = 0;
        n = varint_get_checked(type_at, record + header, &out->type);
        out->size = out->type < 12 ? serial_type_size(out->type) : (out->type - 12) / 2;
        if (!n || out->size > size - (u64)(data - record)) return false;
        type_at += n;
    }
    out->bytes = data;
    return true;
}

static u64 field_prefix(const struct raw_field *f, const struct key_info *info, u32 field, bool *exact)
{
    struct value v = {.type = VALUE_NULL};
    if (f->type >= 12) { // text as it is in the record, whatever the encoding
        v.type = f->type & 1 ? VALUE_TEXT : VALUE_BLOB;
        v.bytes = f->bytes;
        v.size = (u32)f->size;
    } else if (serial_get(f->bytes, f->type, info->encoding, &v) != ERR_OK) {
        return 0;
    }
    return value_prefix(&v, info, field, exact);
}

u64 sorter_prefix(const u8 *record, u64 size, const struct key_info *info, bool *exact)
{
    struct raw_field f;
    return field_find(record, size, 0, &f) ? field_prefix(&f, info, 0, exact) : 0;
}

// ---- adding ------------------------------------------------------------------------------------------------

static io_status no_memory(struct op *op)
{
    return IO_ERROR(&op->err, ERR_NOMEM, "%s", err_default_text(ERR_NOMEM));
}

// Room for an entry and so many bytes; in memory as far as the budget goes.
static io_status sorter_room(struct sorter *s, struct op *op, u64 room)
{
    bool entry = s->count == s->capacity, block = (u64)(s->end - s->next) < room;
    u64 capacity = !entry ? s->capacity : s->capacity ? s->capacity * 2 : 256;
    u64 block_size = block ? MAX(room, (u64)SORTER_BLOCK_SIZE) : 0;
    // Sorting takes as much again for the entries.
    u64 want = s->bytes + (capacity - s->capacity + s->count) * sizeof *s->entries + block_size;
    if (s->writing || (s->count && want > s->budget)) {
        if (s->writing || !sorter_condense(s)) IO_TRY(sorter_run_write(s, op));
        entry = s->count == s->capacity;
        block = (u64)(s->end - s->next) < room;
        block_size = block ? MAX(room, (u64)SORTER_BLOCK_SIZE) : 0;
        capacity = s->capacity ? s->capacity : 256;
    }
    if (entry) {
        struct sorter_entry *grown = realloc(s->entries, capacity * sizeof *grown);
        if (!grown) return no_memory(op);
        s->entries = grown;
        s->bytes += (capacity - s->capacity) * sizeof *grown;
        s->capacity = capacity;
    }
    if (block) {
        struct sorter_block *b = malloc(sizeof *b + block_size);
        if (!b) return no_memory(op);
        b->next = s->blocks;
        s->blocks = b;
        s->next = b->data;
        s->end = b->data + block_size;
        s->bytes += block_size;
    }
    return IO_DONE;
}

io_status sorter_add(struct sorter *s, struct op *op, const u8 *record, u64 size)
{
    u64 room = sorter_record_room(size);
    struct seen_slot *slot = NULL;
    if (UNLIKELY(s->seen != NULL) && sorter_seen(s, record, size, &slot)) return IO_DONE;
    if (UNLIKELY(s->count == s->capacity || (u64)(s->end - s->next) < room)) IO_TRY(sorter_room(s, op, room));
    u32 size32 = (u32)size;
    memcpy(s->next, &size32, 4);
    memcpy(s->next + 4, record, size);
    s->entries[s->count++] = (struct sorter_entry){
        .prefix = sorter_prefix(record, size, s->info, &s->prefix_exact), .record = s->next + 4};
    s->next += room;
    if (UNLIKELY(slot != NULL)) sorter_seen_put(slot, s->next - room + 4);
    return IO_DONE;
}

// ---- sorting -----------------------------------------------------------------------------------------------

static int records_compare(struct sorter *s, const u8 *a, const u8 *b)
{
    return record_compare_records(a, sorter_record_size(a), b, sorter_record_size(b), s->info, s->fields, &s->err);
}

static inline bool entry_after(struct sorter *s, const struct sorter_entry *a, const struct sorter_entry *b,
                               bool prefix_only)
{
    if (a->prefix != b->prefix) return a->prefix > b->prefix;
    return !prefix_only && records_compare(s, a->record, b->record) > 0;
}

// Stable: insertion sort of runs, then merging back and forth between two arrays of that size. Returns the one with the result.
static struct sorter_entry *entries_merge_sort(struct sorter *s, struct sorter_entry *from, struct sorter_entry *to, u64 count,
                                               bool prefix_only)
{
    enum { RUN = 12 };
    for (u64 start = 0; start < count; start += RUN) {
        u64 stop = MIN(start + RUN, count);
        for (u64 i = start + 1; i < stop; i++) {
            struct sorter_entry e = from[i];
            u64 j = i;
            for (; j > start && entry_after(s, &from[j - 1], &e, prefix_only); j--) from[j] = from[j - 1];
            from[j] = e;
        }
    }
    for (u64 width = RUN; width < count; width *= 2) {
        for (u64 start = 0; start < count; start += 2 * width) {
            u64 a = start, middle = MIN(start + width, count), b = middle, stop = MIN(start + 2 * width, count);
            u64 out = start;
            if (middle < stop && !entry_after(s, &from[middle - 1], &from[middle], prefix_only)) {
                memcpy(to + start, from + start, (stop - start) * sizeof *to);
                continue;
            }
            while (a < middle && b < stop)
                to[out++] = entry_after(s, &from[a], &from[b], prefix_only) ? from[b++] : from[a++];
            while (a < middle) to[out++] = from[a++];
            while (b < stop) to[out++] = from[b++];
        }
        struct sorter_entry *swap = from;
        from = to;
        to = swap;
    }
    return from;
}

// Stable, by the prefixes alone: a pass for each of their bytes that is not the same in all, the least first. Returns as
// entries_merge_sort does.
static struct sorter_entry *entries_radix_sort(struct sorter_entry *from, struct sorter_entry *to, u64 count)
{
    u64 places[8][256] = {{0}};
    for (u64 i = 0; i < count; i++)
        for (u32 byte = 0; byte < 8; byte++) places[byte][from[i].prefix >> (8 * byte) & 255]++;
    for (u32 byte = 0; byte < 8; byte++) {
        u64 *place = places[byte], sum = 0;
        if (place[from[0].prefix >> (8 * byte) & 255] == count) continue;
        for (u32 i = 0; i < 256; i++) {
            u64 here = place[i];
            place[i] = sum;
            sum += here;
        }
        for (u64 i = 0; i < count; i++) to[place[from[i].prefix >> (8 * byte) & 255]++] = from[i];
        struct sorter_entry *swap = from;
        from = to;
        to = swap;
    }
    return from;
}

static bool entries_ordered(struct sorter *s, const struct sorter_entry *entries, u64 count, bool prefix_only)
{
    for (u64 i = 1; i < count; i++)
        if (entry_after(s, &entries[i - 1], &entries[i], prefix_only)) return false;
    return true;
}

static bool entry_field(const struct sorter_entry *e, u32 field, struct raw_field *out)
{
    return field_find(e->record, sorter_record_size(e->record), field, out);
}

static bool field_compares_as_bytes(const struct sorter *s, const struct raw_field *f, u32 field)
{
    const struct collation *c = s->info->collations[field];
    return f->type >= 12 && (!(f->type & 1) || (s->info->encoding <= 1 && (!c || c == &COLLATION_BINARY)));
}

enum deepened { DEEPEN_NONE, DEEPEN_DONE, DEEPEN_EQUAL };

// Entries whose prefixes are the same, and whose fields before *field are, get new ones: from behind what all texts of the field
// begin with, or of the next field when they are equal in this one. DEEPEN_NONE: there is no more to be had. DEEPEN_EQUAL: they are
// equal in all fields. *exact: equal prefixes mean equal fields from now on.
static enum deepened entries_deepen(const struct sorter *s, struct sorter_entry *entries, u64 count, u32 *field, bool *exact)
{
    struct raw_field first, f;
    if (!entry_field(&entries[0], *field, &first)) return DEEPEN_NONE;
    bool equal = true;
    u64 common = first.size;
    for (u64 i = 1; i < count; i++) {
        if (!entry_field(&entries[i], *field, &f)) return DEEPEN_NONE;
        if (equal && f.type == first.type && memcmp(f.bytes, first.bytes, f.size) == 0) continue;
        if (!field_compares_as_bytes(s, &f, *field)) return DEEPEN_NONE;
        equal = false;
        u64 same = 0, most = MIN(common, f.size);
        while (same < most && f.bytes[same] == first.bytes[same]) same++;
        common = same;
    }
    if (equal && ++*field == s->fields) return DEEPEN_EQUAL;
    u64 flip = s->info->orders[*field] & KEY_DESC ? UINT64_MAX : 0;
    *exact = true;
    for (u64 i = 0; i < count; i++) {
        if (!entry_field(&entries[i], *field, &f)) return DEEPEN_NONE;
        u64 prefix = 0;
        for (u64 at = common; !equal && at < common + 8; at++) prefix = prefix << 8 | (at < f.size ? f.bytes[at] : 0);
        if (!equal && f.size > common && (f.size > common + 8 || f.bytes[f.size - 1] == 0)) *exact = false;
        entries[i].prefix = equal ? field_prefix(&f, s->info, *field, exact) : prefix ^ flip;
    }
    *exact &= *field + 1 == s->fields;
    return DEEPEN_DONE;
}

// By prefixes first: many entries by radix, without comparisons, whose outcome no processor foresees. Those of the same prefix are
// sorted among themselves then, by what comes behind it. Those of a few are compared whole.
static struct sorter_entry *entries_sort(struct sorter *s, struct sorter_entry *from, struct sorter_entry *to, u64 count,
                                         bool prefix_only, u32 field, u32 depth)
{
    enum { RADIX_MIN = 2000, DEEPEN_MIN = 32, DEPTH_MAX = 32 };
    if (count < DEEPEN_MIN || depth == DEPTH_MAX) return entries_merge_sort(s, from, to, count, prefix_only);
    struct sorter_entry *sorted = count >= RADIX_MIN ? entries_radix_sort(from, to, count) : entries_merge_sort(s, from, to, count, true);
    struct sorter_entry *other = sorted == from ? to : from;
    for (u64 start = 0, stop; !prefix_only && start < count; start = stop) {
        for (stop = start + 1; stop < count && sorted[stop].prefix == sorted[start].prefix; stop++) {}
        u64 same = stop - start;
        struct sorter_entry *group = sorted + start, *part = group;
        if (same == 1 || entries_ordered(s, group, same, false)) continue;
        u32 next_field = field;
        bool exact;
        enum deepened d = same < DEEPEN_MIN ? DEEPEN_NONE : entries_deepen(s, group, same, &next_field, &exact);
        if (d == DEEPEN_DONE)
            part = entries_sort(s, group, other + start, same, exact, next_field, depth + 1);
        else if (d == DEEPEN_NONE)
            part = entries_merge_sort(s, group, other + start, same, false);
        if (part != group) memcpy(group, part, same * sizeof *part);
    }
    return sorted;
}

bool sorter_sort_memory(struct sorter *s)
{
    bool prefix_only = s->prefix_exact && s->fields == 1;
    u64 count = s->count;
    s->at = 0;
    if (s->sorted || entries_ordered(s, s->entries, count, prefix_only)) {
        s->sorted = true;
        return s->err.code == ERR_OK;
    }
    struct sorter_entry *other = malloc(count * sizeof *other);
    if (!other) {
        err_set(&s->err, ERR_NOMEM, __func__, "%s", err_default_text(ERR_NOMEM));
        return false;
    }
    if (entries_sort(s, s->entries, other, count, prefix_only, 0, 0) == other) {
        free(s->entries);
        s->entries = other;
        s->bytes -= (s->capacity - count) * sizeof *other;
        s->capacity = count;
    } else {
        free(other);
    }
    s->sorted = true;
    return s->err.code == ERR_OK;
}

io_status sorter_sort(struct sorter *s, struct op *op)
{
    if (UNLIKELY(s->run_count || s->writing)) return sorter_merge_begin(s, op);
    if (sorter_sort_memory(s)) return IO_DONE;
    op->err = s->err;
    return IO_FAIL;
}

int sorter_compare(struct sorter *s, const u8 *record, u64 size, u32 fields)
{
    u32 own_size;
    const u8 *own = sorter_record(s, &own_size);
    u32 count;
    if (record_decode(record, size, s->info->encoding, s->key, MIN(fields, s->fields), &count, &s->err) != ERR_OK)
        return 0;
    for (u32 i = 0; i < count; i++)
        if (s->key[i].type == VALUE_NULL) return -1;
    return record_compare_records(own, own_size, record, size, s->info, fields, &s->err);
}
