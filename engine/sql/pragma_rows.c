// What pragmas say about schemas.
#include "pragma.h"

#include "../fn/table_function.h"

#include <stdarg.h>
#include <stdlib.h>

// ---- rows -------------------------------------------------------------------------------------------------

static struct value *row_new(struct pragma_rows *r)
{
    if (r->row_count == r->capacity) {
        u32 capacity = r->capacity ? r->capacity * 2 : 8;
        struct value *values = arena_alloc(r->arena, (size_t)capacity * r->column_count * sizeof *values);
        if (r->row_count) memcpy(values, r->values, (size_t)r->row_count * r->column_count * sizeof *values);
        r->values = values;
        r->capacity = capacity;
    }
    struct value *row = &r->values[(size_t)r->row_count++ * r->column_count];
    for (u32 i = 0; i < r->column_count; i++) value_init(&row[i]);
    return row;
}

static void put_text(struct value *v, const char *text)
{
    if (!text) return;
    value_borrow_text(v, text, (u32)strlen(text));
    v->flags |= VALUE_TERMINATED;
}

// One row: 'i' an integer (s64), 't' a text (may be NULL).
static void add_row(struct pragma_rows *r, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    struct value *row = row_new(r);
    for (u32 i = 0; format[i] && i < r->column_count; i++) {
        if (format[i] == 'i')
            value_set_integer(&row[i], va_arg(list, s64));
        else
            put_text(&row[i], va_arg(list, const char *));
    }
    va_end(list);
}

// ---- tables -----------------------------------------------------------------------------------------------

static const struct table *find_table(struct compile *c, const char *schema, const char *name, int *database)
{
    return name ? locate_table(c, schema, name, -1, true, database) : NULL;
}

static s64 primary_key_place(const struct table *t, u16 column)
{
    if (t->rowid_column == column) return 1;
    if (!(t->columns[column].flags & COLUMN_PRIMARY_KEY)) return 0;
    for (const struct index *i = t->indexes; i; i = i->next) {
        if (i->kind != INDEX_PRIMARY_KEY) continue;
        for (u16 k = 0; k < i->key_count; k++)
            if (i->columns[k] == column) return k + 1;
    }
    return 1;
}

static s64 hidden_kind(const struct column *k)
{
    if (k->flags & COLUMN_VIRTUAL) return 2;
    if (k->flags & COLUMN_STORED) return 3;
    return k->flags & COLUMN_HIDDEN ? 1 : 0;
}

static void collect_table_info(struct compile *c, const char *schema, const char *name, bool all,
                               struct pragma_rows *rows)
{
    int database;
    if (name) compile_use_named(c, schema);
    const struct table *t = find_table(c, schema, name, &database);
    if (!t) return;
    bool view = table_is_view(t);
    virtual_table_require(c, t);
    if (view) t = view_columns(c, t, database);
    s64 number = 0;
    for (u16 i = 0; i < t->column_count; i++) {
        const struct column *k = &t->columns[i];
        s64 hidden = hidden_kind(k);
        if (hidden && !all) continue;
        add_row(rows, all ? "ittitii" : "ittiti", all ? (s64)i : number, k->name, k->type ? k->type : "",
                (s64)(k->not_null != CONFLICT_NONE), view ? NULL : k->default_text,
                primary_key_place(t, i), hidden);
        number++;
    }
}

static const char *table_type(const struct schema *s, const struct table *t)
{
    if (table_is_shadow(s, t)) return "shadow";
    switch ((enum table_kind)t->kind) {
    case TABLE_VIEW: return "view";
    case TABLE_VIRTUAL: return "virtual";
    case TABLE_ORDINARY: break;
    }
    return "table";
}

struct view_count {
    const struct table *view;
    int database;
    u32 columns;
};

static void count_columns(struct compile *c, void *context)
{
    struct view_count *v = context;
    v->columns = view_columns(c, v->view, v->database)->column_count;
}

// A view that cannot be read has none.
static u32 view_column_count(struct compile *c, const struct table *view, int database)
{
    struct view_count v = {.view = view, .database = database};
    struct err ignored = ERR_CLEAR;
    if (compile_run(c->db, count_columns, &v, &ignored) != ERR_OK) return 0;
    return v.columns;
}

static void collect_table_list(struct compile *c, const char *schema, const char *name, struct pragma_rows *rows)
{
    compile_use_named(c, schema);
    for (int d = 0; d < compile_database_count(c); d++) {
        const struct schema *s = compile_schema(c, d);
        if (!s || (schema && !name_equal(schema, compile_database_name(c, d)))) continue;
        u32 count;
        const struct table **tables = schema_tables_ordered(s, c->arena, &count);
        for (u32 k = 0; k < count; k++) {
            const struct table *t = tables[k];
            if (name && !name_equal(name, t->name)) continue;
            u32 columns = table_is_view(t) ? view_column_count(c, t, d) : t->column_count;
            const char *label = t->flags & TABLE_SCHEMA_TABLE ? (d == DATABASE_TEMP ? "sqlite_temp_schema" : "sqlite_schema")
                                                              : t->name;
            add_row(rows, "tttiii", compile_database_name(c, d), label, table_type(s, t), (s64)columns,
                    (s64)!table_has_rowid(t), (s64)((t->flags & TABLE_STRICT) != 0));
        }
    }
}

// ---- indexes ----------------------------------------------------------------------------------------------

static void collect_index_list(struct compile *c, const char *schema, const char *name, struct pragma_rows *rows)
{
    static const char *const origins[] = {[INDEX_CREATED] = "c", [INDEX_UNIQUE] = "u", [INDEX_PRIMARY_KEY] = "pk"};
    int database;
    const struct table *t = find_table(c, schema, name, &database);
    if (!t) return;
    compile_use_database(c, database);
    s64 number = 0;
    for (const struct index *i = t->indexes; i; i = i->next)
        add_row(rows, "ititi", number++, i->name, (s64)(i->conflict != CONFLICT_NONE), origins[i->kind],
                (s64)(i->where != NULL));
}

static void collect_index_info(struct compile *c, const char *schema, const char *name, bool all,
                               struct pragma_rows *rows)
{
    const struct index *i = NULL;
    for (int k = 0; k < compile_database_count(c) && name && !i; k++) {
        int d = k < 2 ? 1 - k : k;
        if (d >= compile_database_count(c) || !compile_schema(c, d)) continue;
        if (schema && !name_equal(schema, compile_database_name(c, d))) continue;
        i = schema_index(compile_schema(c, d), name);
        if (i) compile_use_database(c, d);
    }
    if (!i) {
        // A WITHOUT ROWID table is an index of its own name.
        int database;
        const struct table *t = find_table(c, schema, name, &database);
        if (!t || table_has_rowid(t) || !t->primary_key) return;
        compile_use_database(c, database);
        i = t->primary_key;
    }
    u16 count = all ? i->column_count : i->key_count;
    for (u16 k = 0; k < count; k++) {
        s16 column = i->columns[k];
        if (column == i->table->rowid_column && column >= 0 && k >= i->key_count) column = COLUMN_ROWID;
        add_row(rows, all ? "iitiii" : "iit", (s64)k, (s64)column == COLUMN_ROWID ? (s64)-1 : (s64)column,
                NULL);
        struct value *row = &rows->values[(size_t)(rows->row_count - 1) * rows->column_count];
        if (column >= 0) put_text(&row[2], i->table->columns[column].name);
        if (!all) continue;
        value_set_integer(&row[3], i->descending[k]);
        put_text(&row[4], i->collations[k] ? i->collations[k] : "BINARY");
        value_set_integer(&row[5], k < i->key_count);
    }
}

// ---- foreign keys -----------------------------------------------------------------------------------------

static const char *action_name(u8 action)
{
    switch ((enum foreign_key_action)action) {
    case FK_SET_NULL: return "SET NULL";
    case FK_SET_DEFAULT: return "SET DEFAULT";
    case FK_CASCADE: return "CASCADE";
    case FK_RESTRICT: return "RESTRICT";
    case FK_NO_ACTION: break;
    }
    return "NO ACTION";
}

static void collect_foreign_keys(struct compile *c, const char *schema, const char *name, struct pragma_rows *rows)
{
    int database;
    const struct table *t = find_table(c, schema, name, &database);
    if (!t || !t->foreign_keys) return; // without any it reads nothing: what is deferred stays so
    compile_use_database(c, database);
    s64 number = 0;
    for (const struct foreign_key *f = t->foreign_keys; f; f = f->next, number++)
        for (u16 k = 0; k < f->column_count; k++)
            add_row(rows, "iitttttt", number, (s64)k, f->parent, t->columns[f->columns[k].child].name,
                    f->columns[k].parent, action_name(f->on_update), action_name(f->on_delete), "NONE");
}

// ---- the connection ---------------------------------------------------------------------------------------

static void collect_databases(struct compile *c, struct pragma_rows *rows)
{
    for (int d = 0; d < compile_database_count(c); d++) {
        const struct database *database = &c->db->databases[d];
        if (d == DATABASE_TEMP && !database->store) continue;
        const char *path = database->path ? database->path : "";
        if (strcmp(path, ":memory:") == 0 || d == DATABASE_TEMP) path = "";
        char *full = *path && *path != '/' ? realpath(path, NULL) : NULL; // of what is no file there is none
        if (full) path = arena_copy(rows->arena, full, strlen(full));
        free(full);
        add_row(rows, "itt", (s64)d, database->name, path);
    }
}

static void add_function(struct pragma_rows *rows, const struct fn_def *f, bool built_in)
{
    const char *type = f->flags & FN_WINDOW ? "w" : f->flags & FN_AGGREGATE ? "a" : "s";
    s64 flags = (f->flags & FN_DETERMINISTIC && !(f->flags & FN_AGGREGATE) ? 0x800 : 0) | (f->flags & FN_DIRECT_ONLY ? 0x80000 : 0) |
                (f->flags & FN_UNSAFE ? 0 : 0x200000);
    add_row(rows, "tittii", f->name, (s64)built_in, type, "utf8", (s64)f->argument_count, flags);
}

static void collect_functions(const struct skerry *db, struct pragma_rows *rows)
{
    const struct fn_def *f;
    for (u32 i = 0; (f = fn_table(i)); i++) add_function(rows, f, true);
    for (const struct own_function *own = db->functions; own; own = own->next) add_function(rows, &own->def, false);
}

// Those that a table may be made of, and those that are tables already.
static void collect_modules(const struct skerry *db, struct pragma_rows *rows)
{
    const struct table_function *f;
    add_row(rows, "t", "dbstat");
    add_row(rows, "t", "fts5");
    add_row(rows, "t", "fts5vocab");
    for (u32 i = 0; (f = table_function_table(i)); i++) add_row(rows, "t", f->name);
    for (const struct own_table_function *own = db->table_functions; own; own = own->next) add_row(rows, "t", own->function->name);
}

void pragma_collect(struct compile *c, const struct pragma_def *def, const char *schema, const char *value,
                    struct pragma_rows *rows)
{
    rows->column_count = pragma_column_count(def);
    const char *name = def->name;
    if (strcmp(name, "table_info") == 0) {
        collect_table_info(c, schema, value, false, rows);
    } else if (strcmp(name, "table_xinfo") == 0) {
        collect_table_info(c, schema, value, true, rows);
    } else if (strcmp(name, "table_list") == 0) {
        collect_table_list(c, schema, value, rows);
    } else if (strcmp(name, "index_list") == 0) {
        collect_index_list(c, schema, value, rows);
    } else if (strcmp(name, "index_info") == 0) {
        collect_index_info(c, schema, value, false, rows);
    } else if (strcmp(name, "index_xinfo") == 0) {
        collect_index_info(c, schema, value, true, rows);
    } else if (strcmp(name, "foreign_key_list") == 0) {
        collect_foreign_keys(c, schema, value, rows);
    } else if (strcmp(name, "database_list") == 0) {
        collect_databases(c, rows);
    } else if (strcmp(name, "function_list") == 0) {
        collect_functions(c->db, rows);
    } else if (strcmp(name, "collation_list") == 0) {
        const struct collation *k;
        for (u32 i = 0; (k = connection_collation_at(c->db, i)); i++) add_row(rows, "it", (s64)i, k->name);
    } else if (strcmp(name, "pragma_list") == 0) {
        const struct pragma_def *p;
        for (u32 i = 0; (p = pragma_at(i)); i++) add_row(rows, "t", p->name);
    } else if (strcmp(name, "compile_options") == 0) {
        const char *option;
        for (u32 i = 0; (option = fn_compile_option(i)); i++) add_row(rows, "t", option);
    } else if (strcmp(name, "module_list") == 0) {
        collect_modules(c->db, rows);
    }
}
