// Sizes of tables that ANALYZE has not looked at, guessed from a few pages of each when a join of them is prepared.
//
// The planner finds that it does not know a table's size, plans without, and leaves the table on the connection's list;
// prepare then measures what is there, which may wait, and compiles once more. What is measured stays with the table, for
// all connections, until the file has twice or half as many pages. Files of few pages are not measured: plans for them are
// SQLite's, which takes every such table for one of a million rows.
#include <assert.h>

#include "connection.h"
#include "sql/schema.h"
#include "store/btree.h"
#include "store/pager.h"

#define MEASURE_PAGES_MIN 1024u

static_assert(sizeof(((struct index *)NULL)->measured) == sizeof(u64) * BTREE_SAMPLE_FIELDS, "what is sampled is kept");

static pgno database_pages(const struct database *d)
{
    if (!d->store || !d->txn) return 0;
    if (txn_state_get(d->txn) != TXN_NONE) return txn_page_count(d->txn);
    struct store_position position;
    store_position_get(d->store, &position, NULL);
    return position.page_count;
}

void connection_measure_want(struct skerry *db, u32 index, struct table *t)
{
    pgno pages = database_pages(&db->databases[index]);
    if (pages < MEASURE_PAGES_MIN) {
        t->measured_pages = 0;
        t->measured_rows = 0;
        return;
    }
    if (t->measured_pages / 2 <= pages && pages / 2 <= t->measured_pages) return;
    for (u32 i = 0; i < db->measure_count; i++)
        if (db->measures[i].table == t) return;
    if (db->measure_count == COUNT_OF(db->measures)) return; // the others have to do
    db->measures[db->measure_count++] = (struct measure){.table = table_ref(t), .database = index};
}

static io_status tree_measure(struct txn *t, struct op *op, pgno root, const struct key_info *info, struct btree_sample *out)
{
    struct cursor c;
    cursor_init(&c, t, root, info, false);
    io_status status = btree_sample(&c, op, out);
    cursor_deinit(&c);
    return status;
}

static io_status index_measure(struct txn *t, struct op *op, struct index *x, u8 encoding, struct btree_sample *out)
{
    // How keys are ordered does not matter here, and collations little.
    const struct collation *collations[BTREE_SAMPLE_FIELDS] = {0};
    u8 orders[BTREE_SAMPLE_FIELDS] = {0};
    u16 fields = (u16)MIN(x->column_count, BTREE_SAMPLE_FIELDS);
    struct key_info info = {.field_count = fields, .all_count = fields, .encoding = encoding, .collations = collations, .orders = orders};
    IO_TRY(tree_measure(t, op, x->root, &info, out));
    memcpy(x->measured, out->equal, sizeof x->measured);
    return IO_DONE;
}

static io_status table_measure(struct skerry *db, struct op *op, u32 index, struct table *t)
{
    struct database *d = &db->databases[index];
    if (txn_state_get(d->txn) == TXN_NONE) d->load_began_read = true;
    IO_TRY(connection_begin_read(db, op, index));
    u8 encoding = connection_encoding(db);
    struct btree_sample sample;
    u64 rows = 0;
    for (struct index *x = t->indexes; x; x = x->next) IO_TRY(index_measure(d->txn, op, x, encoding, &sample));
    if (t->primary_key)
        IO_TRY(index_measure(d->txn, op, t->primary_key, encoding, &sample));
    else
        IO_TRY(tree_measure(d->txn, op, t->root, NULL, &sample));
    rows = sample.entries;
    t->measured_pages = txn_page_count(d->txn);
    t->measured_rows = MAX(rows, 1u);
    return IO_DONE;
}

static void measure_drop(struct skerry *db, u32 i)
{
    table_unref(db->measures[i].table);
    db->measures[i] = db->measures[--db->measure_count];
}

void connection_measure_clear(struct skerry *db)
{
    while (db->measure_count) measure_drop(db, 0);
}

io_status connection_measure(struct skerry *db, struct op *op)
{
    while (db->measure_count) {
        const struct measure *m = &db->measures[0];
        struct database *d = &db->databases[m->database];
        if (m->database < db->database_count && d->txn && d->schema && schema_table(d->schema, m->table->name) == m->table) {
            io_status status = table_measure(db, op, m->database, m->table);
            if (status == IO_WAIT) return status;
            if (db->active_count == 0 && d->load_began_read && txn_state_get(d->txn) == TXN_READ) txn_end_read(d->txn);
            d->load_began_read = false;
            if (status == IO_FAIL) { // who reads the table is told; the plan does without
                err_clear(&op->err);
                m->table->measured_pages = MAX(database_pages(d), 1u);
                m->table->measured_rows = 0;
            }
        }
        measure_drop(db, 0);
    }
    return IO_DONE;
}
