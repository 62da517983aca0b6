#include "schema.h"

#include "schema_internal.h"

#include <strings.h>

struct schema_slot {
    u32 hash;
    void *object; // NULL: free
};

// ---- the schema table itself ------------------------------------------------------------------------------

static struct column schema_columns[] = {
    {.name = "type", .type = "TEXT", .affinity = AFFINITY_TEXT, .flags = COLUMN_HAS_TYPE, .storage = 0},
    {.name = "name", .type = "TEXT", .affinity = AFFINITY_TEXT, .flags = COLUMN_HAS_TYPE, .storage = 1},
    {.name = "tbl_name", .type = "TEXT", .affinity = AFFINITY_TEXT, .flags = COLUMN_HAS_TYPE, .storage = 2},
    {.name = "rootpage", .type = "INT", .affinity = AFFINITY_INTEGER, .flags = COLUMN_HAS_TYPE, .storage = 3},
    {.name = "sql", .type = "TEXT", .affinity = AFFINITY_TEXT, .flags = COLUMN_HAS_TYPE, .storage = 4},
};
#define SCHEMA_TABLE(table_name, more)                                                             \
    {                                                                                              \
        .name = (table_name), .references = 1, .flags = TABLE_SYSTEM | TABLE_SCHEMA_TABLE | (more), .root = 1, \
        .column_count = 5, .stored_count = 5, .rowid_column = -1, .columns = schema_columns,       \
        .row_estimate = 1048576                                                                    \
    }
static struct table schema_tables[2] = {SCHEMA_TABLE("sqlite_master", 0),
                                        SCHEMA_TABLE("sqlite_temp_master", TABLE_TEMP)};

// ---- lookups ----------------------------------------------------------------------------------------------

static void *names_find(const struct schema_names *n, const char *name, size_t name_offset)
{
    if (!n->slots) return NULL;
    u32 hash = name_hash(name);
    for (u32 i = hash & n->mask; n->slots[i].object; i = (i + 1) & n->mask) {
        if (n->slots[i].hash != hash) continue;
        const char *have = *(const char *const *)((const char *)n->slots[i].object + name_offset);
        if (name_equal(have, name)) return n->slots[i].object;
    }
    return NULL;
}

static void names_put(struct schema_names *n, u32 hash, void *object)
{
    u32 i = hash & n->mask;
    while (n->slots[i].object) i = (i + 1) & n->mask;
    n->slots[i] = (struct schema_slot){hash, object};
    n->count++;
}

static void names_add(struct schema_names *n, const char *name, void *object) { names_put(n, name_hash(name), object); }

static void names_remove(struct schema_names *n, const char *name, const void *object)
{
    u32 i = name_hash(name) & n->mask;
    while (n->slots[i].object && n->slots[i].object != object) i = (i + 1) & n->mask;
    if (!n->slots[i].object) return;
    // Those behind it move up, unless they stand before the place where looking for them begins.
    for (u32 k = (i + 1) & n->mask; n->slots[k].object; k = (k + 1) & n->mask) {
        if (((k - n->slots[k].hash) & n->mask) < ((k - i) & n->mask)) continue;
        n->slots[i] = n->slots[k];
        i = k;
    }
    n->slots[i].object = NULL;
    n->count--;
}

// Takes over those of `from`, with place for more.
static bool names_init(struct schema_names *n, struct arena *arena, const struct schema_names *from, u32 more)
{
    u32 size = 8;
    while (size < (from->count + more) * 2) size *= 2;
    *n = (struct schema_names){.slots = arena_alloc(arena, size * sizeof *n->slots), .mask = size - 1};
    if (!n->slots) return false;
    if (from->slots && from->mask == n->mask) {
        memcpy(n->slots, from->slots, size * sizeof *n->slots);
        n->count = from->count;
        return true;
    }
    for (u32 i = 0; from->slots && i <= from->mask; i++)
        if (from->slots[i].object) names_put(n, from->slots[i].hash, from->slots[i].object);
    return true;
}

struct table *schema_table(const struct schema *s, const char *name)
{
    struct table *t = names_find(&s->table_names, name, offsetof(struct table, name));
    if (t) return t;
    if ((name[0] | 0x20) != 's' || strncasecmp(name, "sqlite_", 7) != 0) return NULL;
    name += 7;
    if (s->is_temp) {
        if (strncasecmp(name, "temp_", 5) != 0) return NULL;
        name += 5;
    }
    return name_equal(name, "master") || name_equal(name, "schema") ? s->tables[0] : NULL;
}

struct table *schema_table_qualified(const struct schema *s, const char *name)
{
    struct table *t = schema_table(s, name);
    if (t || !s->is_temp) return t;
    return name_equal(name, "sqlite_master") || name_equal(name, "sqlite_schema") ? s->tables[0] : NULL;
}

struct index *schema_index(const struct schema *s, const char *name)
{
    return names_find(&s->index_names, name, offsetof(struct index, name));
}

struct trigger *schema_trigger(const struct schema *s, const char *name)
{
    return names_find(&s->trigger_names, name, offsetof(struct trigger, name));
}

s32 table_column(const struct table *t, const char *name)
{
    for (u16 i = 0; i < t->column_count; i++)
        if (name_equal(t->columns[i].name, name)) return i;
    return -1;
}

bool name_is_rowid(const char *name)
{
    return name_equal(name, "rowid") || name_equal(name, "oid") || name_equal(name, "_rowid_");
}

s32 index_column_place(const struct index *i, s32 column)
{
    for (u16 k = 0; k < i->column_count; k++)
        if (i->columns[k] == column) return k;
    return -1;
}

s32 table_storage_column(const struct table *t, s32 storage)
{
    for (u16 i = 0; i < t->column_count; i++)
        if (t->columns[i].storage == storage) return i;
    return -1;
}

// ---- references -------------------------------------------------------------------------------------------

struct table *table_ref(struct table *t)
{
    t->references++;
    return t;
}

void table_unref(struct table *t)
{
    if (--t->references > 0) return;
    struct arena arena = t->arena;
    arena_deinit(&arena);
    free(t);
}

struct schema *schema_ref(struct schema *s)
{
    s->references++;
    return s;
}

void schema_unref(struct schema *s)
{
    if (!s || --s->references > 0) return;
    for (u32 i = 1; i < s->table_count; i++) table_unref(s->tables[i]);
    struct arena arena = s->arena;
    arena_deinit(&arena);
    free(s);
}

struct name_counts {
    u32 tables, indexes, triggers;
};

static void names_count(const struct table *t, struct name_counts *n)
{
    n->tables++;
    for (const struct index *x = t->indexes; x; x = x->next) n->indexes++;
    for (const struct trigger *x = t->triggers; x; x = x->next) n->triggers++;
}

static bool names_init_all(struct schema *s, const struct schema *from, const struct name_counts *more)
{
    return names_init(&s->table_names, &s->arena, &from->table_names, more->tables) &&
           names_init(&s->index_names, &s->arena, &from->index_names, more->indexes) &&
           names_init(&s->trigger_names, &s->arena, &from->trigger_names, more->triggers);
}

static void names_add_table(struct schema *s, struct table *t)
{
    if (!table_owns_foreign_triggers(t)) names_add(&s->table_names, t->name, t);
    for (struct index *x = t->indexes; x; x = x->next) names_add(&s->index_names, x->name, x);
    for (struct trigger *x = t->triggers; x; x = x->next) names_add(&s->trigger_names, x->name, x);
}

bool schema_index_names(struct schema *s)
{
    struct name_counts counts = {0};
    for (u32 i = 0; i < s->table_count; i++) names_count(s->tables[i], &counts);
    for (const struct trigger *x = s->foreign_triggers; x; x = x->next) counts.triggers++;
    if (!names_init_all(s, &(const struct schema){0}, &counts)) return false;
    for (u32 i = 0; i < s->table_count; i++) names_add_table(s, s->tables[i]);
    for (struct trigger *x = s->foreign_triggers; x; x = x->next) names_add(&s->trigger_names, x->name, x);
    return true;
}

bool schema_index_names_from(struct schema *s, const struct schema *previous, struct table *const *gone, u32 gone_count,
                             struct table *const *made, u32 made_count)
{
    struct name_counts counts = {0};
    for (u32 i = 0; i < made_count; i++) names_count(made[i], &counts);
    if (!names_init_all(s, previous, &counts)) return false;
    for (u32 i = 0; i < gone_count; i++) {
        const struct table *t = gone[i];
        names_remove(&s->table_names, t->name, t);
        for (const struct index *x = t->indexes; x; x = x->next) names_remove(&s->index_names, x->name, x);
        for (const struct trigger *x = t->triggers; x; x = x->next) names_remove(&s->trigger_names, x->name, x);
    }
    for (u32 i = 0; i < made_count; i++) names_add_table(s, made[i]);
    return true;
}

struct schema *schema_new(bool is_temp, u32 table_capacity)
{
    struct schema *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    arena_init(&s->arena, NULL, NULL);
    s->references = 1;
    s->is_temp = is_temp;
    s->file_format = 4;
    s->tables = arena_alloc(&s->arena, (size_t)(table_capacity + 1) * sizeof *s->tables);
    if (!s->tables) {
        free(s);
        return NULL;
    }
    s->tables[0] = &schema_tables[is_temp];
    s->table_count = 1;
    return s;
}

void schema_changes_add(struct schema_changes *changes, s64 rowid)
{
    for (u32 i = 0; i < changes->count; i++)
        if (changes->rowids[i] == rowid) return;
    if (changes->count < COUNT_OF(changes->rowids))
        changes->rowids[changes->count++] = rowid;
    else
        changes->unknown = true;
}

struct schema *schema_empty(bool is_temp)
{
    struct schema *s = schema_new(is_temp, 0);
    if (s && schema_index_names(s)) return s;
    schema_unref(s);
    return NULL;
}

struct table *schema_table_new(void)
{
    struct table *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    t->references = 1;
    t->rowid_column = -1;
    arena_init(&t->arena, NULL, NULL);
    return t;
}
