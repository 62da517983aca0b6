// The order in which statements about all tables take them: that of SQLite's hash of a schema's tables, a list.
//
// A name that is added stands in front of all, or in front of the names of its bucket where there are buckets.
// These are made when there are ten names and more than two a bucket, two for each name but 64 at most; the names are then
// added anew, first to last. What became of tables since dropped, which may have left more buckets, is not remembered.
#include "schema.h"

enum { NAMES_MIN = 10, BUCKETS_MAX = 64 };

struct order_list {
    const struct schema *schema;
    u32 *next, *before; // tables by number + 1; 0: none
    u32 first, bucket_count;
    u32 buckets[BUCKETS_MAX]; // the first of each
};

static u32 bucket_of(const struct order_list *l, u32 table)
{
    u32 hash = 0;
    for (const char *c = l->schema->tables[table]->name; *c; c++) {
        hash += (u8)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
        hash *= 0x9e3779b1;
    }
    return hash % l->bucket_count;
}

static void list_add(struct order_list *l, u32 table)
{
    u32 *bucket = l->bucket_count ? &l->buckets[bucket_of(l, table)] : NULL;
    u32 after = bucket && *bucket ? *bucket : l->first, number = table + 1;
    u32 before = after ? l->before[after - 1] : 0;
    if (bucket) *bucket = number;
    l->next[table] = after;
    l->before[table] = before;
    if (after) l->before[after - 1] = number;
    if (before) l->next[before - 1] = number;
    else l->first = number;
}

static void buckets_make(struct order_list *l, u32 count)
{
    count = MIN(count, BUCKETS_MAX);
    if (count == l->bucket_count) return;
    l->bucket_count = count;
    memset(l->buckets, 0, sizeof l->buckets);
    u32 number = l->first;
    l->first = 0;
    while (number) {
        u32 next = l->next[number - 1];
        list_add(l, number - 1);
        number = next;
    }
}

const struct table **schema_tables_ordered(const struct schema *s, struct arena *arena, u32 *count)
{
    struct order_list l = {.schema = s};
    const struct table **tables = arena_alloc(arena, s->table_count * sizeof *tables);
    l.next = arena_alloc(arena, s->table_count * sizeof *l.next);
    l.before = arena_alloc(arena, s->table_count * sizeof *l.before);
    u32 added = 0;
    for (u32 i = 0; i < s->table_count; i++) {
        if (table_owns_foreign_triggers(s->tables[i])) continue;
        added++;
        if (added >= NAMES_MIN && added > 2 * l.bucket_count) buckets_make(&l, 2 * added);
        list_add(&l, i);
    }
    *count = 0;
    for (u32 number = l.first; number; number = l.next[number - 1]) tables[(*count)++] = s->tables[number - 1];
    return tables;
}
