// Says which row or key two transactions met at: the store knows trees and records, the schema their names.
#include "connection.h"
#include "sql/schema.h"

#define KEY_TEXT_MAX 60

static const char *const ADVICE = "roll back and run the transaction again";

struct tree_name {
    const struct table *table;
    const struct index *index; // NULL: the table's rows
};

static struct tree_name tree_find(const struct schema *schema, pgno root)
{
    for (u32 i = 0; schema && i < schema->table_count; i++) {
        const struct table *t = schema->tables[i];
        if (t->kind != TABLE_ORDINARY) continue;
        if (t->root == root && table_has_rowid(t)) return (struct tree_name){t, NULL};
        for (const struct index *x = t->indexes; x; x = x->next)
            if (x->root == root) return (struct tree_name){t, x};
    }
    return (struct tree_name){0};
}

static void value_text(const struct value *v, char *out, size_t size)
{
    char number[32];
    switch ((enum value_type)v->type) {
    case VALUE_NULL: snprintf(out, size, "NULL"); break;
    case VALUE_INTEGER: snprintf(out, size, "%lld", (long long)v->integer); break;
    case VALUE_REAL:
        real_to_text(v->real, number);
        snprintf(out, size, "%s", number);
        break;
    case VALUE_TEXT: {
        // Cut between characters.
        u32 take = MIN(v->size, (u32)size - 6);
        while (take < v->size && take && (v->bytes[take] & 0xc0) == 0x80) take--;
        snprintf(out, size, "'%.*s'%s", (int)take, (const char *)v->bytes, take < v->size ? "..." : "");
        break;
    }
    case VALUE_BLOB: snprintf(out, size, "a blob of %u bytes", v->size); break;
    }
}

// "a = 1, b = 'x'": the unique columns of an index and what the record has for them.
static void key_text(const struct index *x, const struct txn_conflict *k, char *out, size_t size)
{
    struct value values[8];
    u32 count = MIN((u32)x->key_count, (u32)COUNT_OF(values)), found = 0;
    struct err err = ERR_CLEAR;
    size_t used = 0;
    for (u32 i = 0; i < count; i++) value_init(&values[i]);
    out[0] = 0;
    bool known = k->key && k->info &&
                 record_decode(k->key, k->key_size, k->info->encoding, values, count, &found, &err) == ERR_OK;
    for (u32 i = 0; i < count && used < size; i++) {
        s16 column = x->columns[i];
        const char *name = column == COLUMN_EXPR ? "an expression" : column < 0 ? "rowid" : x->table->columns[column].name;
        used += (size_t)snprintf(out + used, size - used, "%s%.60s", i ? ", " : "", name);
        if (!known || i >= found || used >= size) continue;
        char text[KEY_TEXT_MAX];
        value_text(&values[i], text, sizeof text);
        used += (size_t)snprintf(out + used, size - used, " = %s", text);
    }
    for (u32 i = 0; i < count; i++) value_deinit(&values[i]);
}

static void place_text(const struct schema *schema, const struct txn_conflict *k, char *out, size_t size)
{
    struct tree_name name = tree_find(schema, k->root);
    char key[400];
    if (!name.table) {
        snprintf(out, size, k->root == 1 ? "the schema" : "the tree of page %u", k->root);
    } else if (k->kind == TXN_CONFLICT_TREE && name.index && name.index != name.table->primary_key) {
        snprintf(out, size, "index %.100s of table %.100s", name.index->name, name.table->name);
    } else if (k->kind == TXN_CONFLICT_TREE) {
        snprintf(out, size, "table %.100s", name.table->name);
    } else if (!name.index) {
        snprintf(out, size, "row %lld of table %.100s", (long long)k->rowid, name.table->name);
    } else if (name.index == name.table->primary_key) {
        key_text(name.index, k, key, sizeof key);
        snprintf(out, size, "the row of table %.100s with %s", name.table->name, key);
    } else {
        key_text(name.index, k, key, sizeof key);
        snprintf(out, size, "the key %s of the unique index %.100s of table %.100s", key, name.index->name,
                 name.table->name);
    }
}

void connection_conflict_tell(const struct skerry *db, u32 index, struct err *err)
{
    const struct database *d = &db->databases[index];
    const struct txn_conflict *k = txn_conflict_get(d->txn);
    char place[700];
    if (err->code != ERR_BUSY_SNAPSHOT) return;
    place_text(d->schema, k, place, sizeof place);
    err_clear(err);
    switch (k->kind) {
    case TXN_CONFLICT_NONE:
        err_set(err, ERR_BUSY_SNAPSHOT, __func__, "database is locked");
        break;
    case TXN_CONFLICT_KEY:
        err_set(err, ERR_BUSY_SNAPSHOT, __func__, "conflict: another transaction has changed %s meanwhile; %s", place, ADVICE);
        break;
    case TXN_CONFLICT_REFERRED_GONE:
        err_set(err, ERR_BUSY_SNAPSHOT, __func__,
                "conflict: another transaction has deleted %s meanwhile, which a foreign key refers to; %s", place, ADVICE);
        break;
    case TXN_CONFLICT_REFERRED:
        err_set(err, ERR_BUSY_SNAPSHOT, __func__,
                "conflict: another transaction has added a row meanwhile that refers to %s, which was deleted; %s", place,
                ADVICE);
        break;
    case TXN_CONFLICT_TREE:
        err_set(err, ERR_BUSY_SNAPSHOT, __func__, "conflict: another transaction has changed %s meanwhile, as a whole or where it was emptied; %s",
                place, ADVICE);
        break;
    case TXN_CONFLICT_SCHEMA:
        err_set(err, ERR_BUSY_SNAPSHOT, __func__, "conflict: another transaction has changed the schema of %s meanwhile; %s",
                d->name, ADVICE);
        break;
    case TXN_CONFLICT_SCHEMA_OWN:
        err_set(err, ERR_BUSY_SNAPSHOT, __func__,
                "conflict: the transaction changes the schema of %s, and others have committed meanwhile; %s", d->name,
                ADVICE);
        break;
    case TXN_CONFLICT_UNKNOWN:
        err_set(err, ERR_BUSY_SNAPSHOT, __func__,
                "conflict: what others have changed in %s meanwhile is not known to the row; %s", d->name, ADVICE);
        break;
    }
}
