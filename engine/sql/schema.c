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

static void *slot_find(const struct schema *s, const struct schema_slot *slots, const char *name,
                       size_t name_offset)
{
    if (!slots) return NULL;
    u32 hash = name_hash(name);
    for (u32 i = hash & s->slot_mask; slots[i].object; i = (i + 1) & s->slot_mask) {
        if (slots[i].hash != hash) continue;
        const char *have = *(const char *const *)((const char *)slots[i].object + name_offset);
        if (name_equal(have, name)) return slots[i].object;
    }
    return NULL;
}

static void slot_add(struct schema *s, struct schema_slot *slots, const char *name, void *object)
{
    u32 hash = name_hash(name);
    u32 i = hash & s->slot_mask;
    while (slots[i].object) i = (i + 1) & s->slot_mask;
    slots[i] = (struct schema_slot){hash, object};
}

struct table *schema_table(const struct schema *s, const char *name)
{
    struct table *t = slot_find(s, s->table_slots, name, offsetof(struct table, name));
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
    return slot_find(s, s->index_slots, name, offsetof(struct index, name));
}

struct trigger *schema_trigger(const struct schema *s, const char *name)
{
    return slot_find(s, s->trigger_slots, name, offsetof(struct trigger, name));
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

bool schema_index_names(struct schema *s)
{
    u32 count = 0;
    for (u32 i = 0; i < s->table_count; i++) {
        const struct table *t = s->tables[i];
        count++;
        for (const struct index *x = t->indexes; x; x = x->next) count++;
        for (const struct trigger *x = t->triggers; x; x = x->next) count++;
    }
    for (const struct trigger *x = s->foreign_triggers; x; x = x->next) count++;
    s->object_count = count;
    u32 size = 8;
    while (size < count * 2) size *= 2;
    s->slot_mask = size - 1;
    struct schema_slot *slots = arena_alloc(&s->arena, (size_t)size * 3 * sizeof *slots);
    if (!slots) return false;
    s->table_slots = slots;
    s->index_slots = slots + size;
    s->trigger_slots = slots + 2 * (size_t)size;
    for (u32 i = 0; i < s->table_count; i++) {
        struct table *t = s->tables[i];
        if (!table_owns_foreign_triggers(t)) slot_add(s, s->table_slots, t->name, t);
        for (struct index *x = t->indexes; x; x = x->next) slot_add(s, s->index_slots, x->name, x);
        for (struct trigger *x = t->triggers; x; x = x->next) slot_add(s, s->trigger_slots, x->name, x);
    }
    for (struct trigger *x = s->foreign_triggers; x; x = x->next) slot_add(s, s->trigger_slots, x->name, x);
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
