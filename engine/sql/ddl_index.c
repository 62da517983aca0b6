// CREATE INDEX and REINDEX.
#include "ddl.h"

#include <strings.h>

#include "parse.h"

// Fills an index (open for writing at a new cursor; root in reg_root when it is not 0) from its table.
static void index_refill(struct compile *c, const struct index *i, int database, int reg_root)
{
    const struct table *t = i->table;
    int table_cursor = cursor_alloc(c), index_cursor = cursor_alloc(c), sorter = cursor_alloc(c);
    int record = reg_alloc(c);
    struct key_info *info = key_info_of_index(c, i);
    compile_write_database(c, database, true);
    c->top->may_abort = true;

    // The keys of all rows, sorted; of equal ones the rows come in the order of their rowids already.
    emit_key(c, OP_SorterOpen, sorter, 0, table_has_rowid(t) ? i->key_count : i->column_count, info);
    open_table(c, table_cursor, database, t, OP_OpenRead);
    int end_rows = label_new(c);
    emit(c, OP_Rewind, table_cursor, end_rows, 0);
    int loop = here(c);
    int count, skip;
    reg_forget_temps(c);
    int first = index_key_code(c, i, table_cursor, false, &count, &skip);
    index_record(c, i, first, count, record);
    emit(c, OP_SorterInsert, sorter, record, 0);
    if (skip) label_place(c, skip);
    emit(c, OP_Next, table_cursor, loop, 0);
    label_place(c, end_rows);
    reg_forget_temps(c);

    // Into the index, in order; of equal keys in a unique index the second is one too many.
    if (!reg_root) emit(c, OP_Clear, (int)i->root, database, 0);
    emit_key(c, OP_OpenWrite, index_cursor, reg_root ? reg_root : (int)i->root, database, info);
    set_p5(c, OPEN_BULK | (reg_root ? OPEN_ROOT_IN_REGISTER : 0));
    int done = label_new(c);
    emit(c, OP_SorterSort, sorter, done, 0);
    int next;
    if (i->conflict != CONFLICT_NONE) {
        int differs = label_new(c);
        emit(c, OP_Goto, 0, differs, 0);
        next = here(c);
        emit(c, OP_SorterCompare, sorter, differs, record);
        set_p4_int(c, i->key_count);
        unique_halt(c, i, CONFLICT_ABORT);
        label_place(c, differs);
    } else {
        next = here(c);
    }
    emit(c, OP_SorterData, sorter, record, index_cursor);
    emit(c, OP_SeekEnd, index_cursor, 0, 0);
    emit(c, OP_IdxInsert, index_cursor, record, 0);
    set_p5(c, WRITE_USE_SEEK_RESULT);
    emit(c, OP_SorterNext, sorter, next, 0);
    label_place(c, done);
    emit(c, OP_Close, table_cursor, 0, 0);
    emit(c, OP_Close, index_cursor, 0, 0);
    emit(c, OP_Close, sorter, 0, 0);
}

// Names and collation of one column after the other, up to a name of no column.
static void check_columns(struct compile *c, const struct table *t, const struct expr_list *columns)
{
    for (u32 k = 0; k < columns->count; k++) {
        const struct expr *e = columns->items[k].expr, *bare = e;
        while (bare->kind == EXPR_COLLATE) bare = bare->left;
        if (index_column_missing(t, e)) return;
        if (bare->kind != EXPR_NAME && bare->kind != EXPR_TEXT) resolve_self(c, t, NAME_INDEX_EXPR, expr_copy(c->arena, bare), NULL);
        if (e->kind == EXPR_COLLATE) (void)find_collation(c, e->text);
    }
}

static const struct table *index_table(struct compile *c, const struct stmt_create_index *s, int *database)
{
    int found = -1;
    const struct table *t;
    if (s->name.schema) {
        *database = ddl_database(c, &s->name, DATABASE_MAIN);
    } else {
        *database = DATABASE_MAIN;
        t = locate_table(c, NULL, s->table, -1, true, &found);
        if (t && found == DATABASE_TEMP) *database = DATABASE_TEMP;
    }
    const char *schema = compile_database_name(c, *database);
    t = locate_table(c, schema, s->table, -1, true, &found);
    if (!t) {
        if (*database == DATABASE_TEMP) {
            t = locate_table(c, NULL, s->table, -1, true, &found);
            if (t) compile_fail(c, ERR_ERROR, -1, "cannot create a TEMP index on non-TEMP table \"%s\"", t->name);
            compile_fail(c, ERR_ERROR, -1, "no such table: %s", s->table);
        }
        compile_fail(c, ERR_ERROR, -1, "no such table: %s.%s", schema, s->table);
    }
    return t;
}

void create_index_statement(struct compile *c, struct stmt_create_index *s)
{
    int database;
    const struct table *t = index_table(c, s, &database);
    if ((strncasecmp(t->name, "sqlite_", 7) == 0 && !c->top->nested) || t->flags & TABLE_SCHEMA_TABLE)
        compile_fail(c, ERR_ERROR, -1, "table %s may not be indexed", t->name);
    if (table_is_view(t)) compile_fail(c, ERR_ERROR, -1, "views may not be indexed");
    if (t->kind == TABLE_VIRTUAL)
        compile_fail(c, ERR_ERROR, -1, "virtual tables may not be indexed");
    ddl_check_name(c, s->name.name);
    const struct schema *schema = compile_schema(c, database);
    if (schema_table(schema, s->name.name))
        compile_fail(c, ERR_ERROR, -1, "there is already a table named %s", s->name.name);
    if (schema_index(schema, s->name.name)) {
        if (!s->if_not_exists) compile_fail(c, ERR_ERROR, -1, "index %s already exists", s->name.name);
        compile_use_database(c, database);
        compile_may_write(c);
        return;
    }
    // What is wrong with WHERE is told first, unless something is wrong with the first column, its COLLATE apart.
    const struct expr *first = s->columns->items[0].expr;
    if (s->where && (first->kind == EXPR_COLLATE || !index_column_missing(t, first))) {
        resolve_self_next(c, t, NAME_PARTIAL_INDEX, expr_copy(c->arena, s->where));
        if (c->mistake && first->kind != EXPR_NAME && first->kind != EXPR_TEXT) resolve_self_next(c, t, NAME_INDEX_EXPR, expr_copy(c->arena, first));
        resolve_self_end(c);
    }
    check_columns(c, t, s->columns);
    struct parse p;
    struct schema_build b;
    ddl_build_init(c, &b, &p, database);
    struct index *i = index_build(&b, (struct table *)t, s);

    compile_write_database(c, database, true);
    schema_format_set(c, database);
    int cursor = schema_open(c, database), root = reg_alloc(c);
    emit(c, OP_CreateBtree, database, root, BTREE_INDEX);
    u32 size = s->sql.size;
    if (size && c->sql[s->sql.offset + size - 1] == ';') size--;
    schema_row_add(c, cursor, "index", i->name, t->name, root,
                   arena_format(c->arena, "CREATE%s INDEX %.*s", s->unique ? " UNIQUE" : "", (int)size,
                                c->sql + s->sql.offset));
    emit(c, OP_Close, cursor, 0, 0);
    index_refill(c, i, database, root);
    schema_changed(c, database);
}

// ---- REINDEX ----------------------------------------------------------------------------------------------

static bool index_uses(const struct index *i, const char *collation)
{
    for (u16 k = 0; k < i->column_count; k++)
        if (i->columns[k] != COLUMN_ROWID && name_equal(i->collations[k] ? i->collations[k] : "BINARY", collation))
            return true;
    return false;
}

static void reindex_table(struct compile *c, const struct table *t, int database, const char *collation)
{
    for (const struct index *i = t->indexes; i; i = i->next)
        if (i != t->primary_key && (!collation || index_uses(i, collation))) index_refill(c, i, database, 0);
}

static void reindex_all(struct compile *c, const char *collation)
{
    for (int d = 0; d < compile_database_count(c); d++) {
        const struct schema *s = compile_schema(c, d);
        for (u32 i = 1; s && i < s->table_count; i++) reindex_table(c, s->tables[i], d, collation);
    }
}

void reindex_statement(struct compile *c, struct stmt_reindex *s)
{
    if (!s->name.name) {
        reindex_all(c, NULL);
        return;
    }
    if (!s->name.schema && connection_collation(c->db, s->name.name)) {
        reindex_all(c, s->name.name);
        return;
    }
    int database = ddl_database(c, &s->name, -1), found = -1;
    const struct table *t =
        locate_table(c, database < 0 ? NULL : compile_database_name(c, database), s->name.name, -1, true, &found);
    if (t && !(t->flags & TABLE_EPONYMOUS)) {
        reindex_table(c, t, found, NULL);
        return;
    }
    for (int k = 0; k < compile_database_count(c); k++) {
        int d = k < 2 ? 1 - k : k;
        if (database >= 0 && d != database) continue;
        const struct schema *schema = d < compile_database_count(c) ? compile_schema(c, d) : NULL;
        const struct index *i = schema ? schema_index(schema, s->name.name) : NULL;
        if (!i) continue;
        if (i != i->table->primary_key) index_refill(c, i, d, 0);
        return;
    }
    compile_fail(c, ERR_ERROR, -1, "unable to identify the object to be reindexed");
}
