#include "row_set.h"

#include "hash.h"

struct row_set *row_set_new(struct row_sets *sets)
{
    struct row_set *r = sets->idle;
    if (r) {
        sets->idle = r->next_idle;
        return r;
    }
    r = calloc(1, sizeof *r);
    if (!r) return NULL;
    r->next = sets->all;
    sets->all = r;
    return r;
}

void row_set_leave(struct row_sets *sets, struct row_set *r)
{
    ASSERT(r->count == 0 && !r->table);
    r->next_idle = sets->idle;
    sets->idle = r;
}

void row_sets_free(struct row_sets *sets)
{
    for (struct row_set *r = sets->all, *next; r; r = next) {
        next = r->next;
        free(r->rows);
        free(r->table);
        free(r->used);
        free(r);
    }
    *sets = (struct row_sets){0};
}

bool row_set_add(struct row_set *r, s64 row)
{
    if (r->count == r->capacity) {
        u64 capacity = r->capacity ? r->capacity * 2 : 64;
        s64 *grown = realloc(r->rows, capacity * sizeof *grown);
        if (!grown) return false;
        r->rows = grown;
        r->capacity = capacity;
    }
    r->rows[r->count++] = row;
    r->sorted = false;
    return true;
}

static int row_compare(const void *a, const void *b)
{
    s64 x = *(const s64 *)a, y = *(const s64 *)b;
    return (x > y) - (x < y);
}

bool row_set_read(struct row_set *r, s64 *row)
{
    if (!r->sorted) {
        bool ascending = true;
        for (u64 i = 1; i < r->count && ascending; i++) ascending = r->rows[i - 1] <= r->rows[i];
        if (!ascending) qsort(r->rows, r->count, sizeof *r->rows, row_compare);
        r->sorted = true;
        r->at = 0;
    }
    if (r->at == r->count) {
        r->at = r->count = 0;
        return false;
    }
    *row = r->rows[r->at++];
    while (r->at < r->count && r->rows[r->at] == *row) r->at++;
    return true;
}

static void table_put(struct row_set *r, s64 row)
{
    u64 i = hash_mix((u64)row) & r->table_mask;
    while (r->used[i]) {
        if (r->table[i] == row) return;
        i = (i + 1) & r->table_mask;
    }
    r->used[i] = 1;
    r->table[i] = row;
    r->table_count++;
}

static bool table_reserve(struct row_set *r, u64 count)
{
    u64 size = r->table ? r->table_mask + 1 : 64;
    while (size < (r->table_count + count) * 2) size *= 2;
    if (r->table && size == r->table_mask + 1) return true;
    s64 *table = malloc(size * sizeof *table);
    u8 *used = calloc(size, 1);
    if (!table || !used) {
        free(table);
        free(used);
        return false;
    }
    struct row_set old = *r;
    r->table = table;
    r->used = used;
    r->table_mask = size - 1;
    r->table_count = 0;
    if (old.table) {
        for (u64 i = 0; i <= old.table_mask; i++)
            if (old.used[i]) table_put(r, old.table[i]);
    }
    free(old.table);
    free(old.used);
    return true;
}

bool row_set_test(struct row_set *r, s32 batch, s64 row, bool *found)
{
    *found = false;
    if (batch != r->batch) {
        if (!table_reserve(r, r->count - r->hashed)) return false;
        for (; r->hashed < r->count; r->hashed++) table_put(r, r->rows[r->hashed]);
        r->batch = batch;
    }
    if (!r->table) return true;
    for (u64 i = hash_mix((u64)row) & r->table_mask; r->used[i]; i = (i + 1) & r->table_mask) {
        if (r->table[i] == row) {
            *found = true;
            break;
        }
    }
    return true;
}
