// Reading a schema: the rows of sqlite_schema and sqlite_stat1 are gathered first, which may wait; then the
// tables are made of them, which does not. Where it is known which rows have changed, only these are read, and only the
// tables are made that one of them belongs or belonged to.
#include "schema_internal.h"

#include "../store/store.h"
#include "parse.h"

#include <setjmp.h>
#include <strings.h>

struct stat_row {
    const char *table, *index, *stat;
};

struct schema_load {
    enum { LOAD_META, LOAD_CHANGED, LOAD_ROWS_OPEN, LOAD_ROWS, LOAD_STAT_OPEN, LOAD_STAT, LOAD_MAKE } step;
    struct cursor cursor;
    bool cursor_open, started, taken;
    u8 *buffer; // a row that is not whole in its page
    u64 buffer_size;
    struct arena arena; // of what follows
    struct schema_row *rows;
    u32 row_count, row_capacity;
    struct stat_row *stats;
    u32 stat_count, stat_capacity;
    u32 cookie, format, encoding, cache_size;
    pgno stat_root;
    bool partial;       // the rows are those that have changed
    u32 changed_next;

    // Making.
    bool lenient;
    jmp_buf *exit;
    err_code code;
    char *text;
    struct schema *schema;
    struct table *table; // being made: not in the schema yet
    struct trigger *trigger; // that was made
};

static void load_cursor_close(struct schema_load *l)
{
    if (l->cursor_open) cursor_deinit(&l->cursor);
    l->cursor_open = false;
    l->started = false;
}

void schema_load_free(struct schema_load *l)
{
    if (!l) return;
    load_cursor_close(l);
    if (l->table) table_unref(l->table);
    schema_unref(l->schema);
    free(l->buffer);
    arena_deinit(&l->arena);
    free(l);
}

// ---- gathering --------------------------------------------------------------------------------------------

// The text of a value, copied; NULL for anything but text.
static const char *load_text(struct schema_load *l, const struct value *v)
{
    if (v->type != VALUE_TEXT && v->type != VALUE_BLOB) return NULL;
    return arena_copy(&l->arena, v->bytes, v->size);
}

static io_status load_record(struct schema_load *l, struct op *op, struct value *values, u32 max, u32 *count)
{
    IO_TRY(cursor_entry(&l->cursor, op));
    const u8 *record = l->cursor.local;
    u64 size = l->cursor.payload_size;
    if (size > l->cursor.local_size) {
        if (size > VALUE_SIZE_MAX) return IO_ERROR(&op->err, ERR_CORRUPT, "database disk image is malformed");
        if (l->buffer_size < size) {
            u8 *buffer = realloc(l->buffer, size);
            if (!buffer) return IO_ERROR(&op->err, ERR_NOMEM, "out of memory");
            l->buffer = buffer;
            l->buffer_size = size;
        }
        IO_TRY(cursor_read(&l->cursor, op, 0, size, l->buffer));
        record = l->buffer;
    }
    if (record_decode(record, size, (u8)l->encoding, values, max, count, &op->err) != ERR_OK) return IO_FAIL;
    return IO_DONE;
}

static io_status load_row(struct schema_load *l, struct op *op)
{
    struct value v[5];
    u32 count = 0;
    for (u32 i = 0; i < 5; i++) value_init(&v[i]);
    io_status status = load_record(l, op, v, 5, &count);
    if (status == IO_DONE) {
        l->rows = arena_grow(&l->arena, l->rows, l->row_count, &l->row_capacity, sizeof *l->rows);
        if (l->rows) {
            struct schema_row *r = &l->rows[l->row_count++];
            *r = (struct schema_row){
                .type = load_text(l, &v[0]),
                .name = load_text(l, &v[1]),
                .table = load_text(l, &v[2]),
                .root = value_to_integer(&v[3]),
                .sql = load_text(l, &v[4]),
                .rowid = l->cursor.rowid,
            };
        } else {
            status = IO_ERROR(&op->err, ERR_NOMEM, "out of memory");
        }
    }
    for (u32 i = 0; i < 5; i++) value_deinit(&v[i]);
    return status;
}

static io_status load_stat(struct schema_load *l, struct op *op)
{
    struct value v[3];
    u32 count = 0;
    for (u32 i = 0; i < 3; i++) value_init(&v[i]);
    io_status status = load_record(l, op, v, 3, &count);
    if (status == IO_DONE && v[0].type == VALUE_TEXT && v[2].type != VALUE_NULL) {
        l->stats = arena_grow(&l->arena, l->stats, l->stat_count, &l->stat_capacity, sizeof *l->stats);
        if (l->stats && value_to_text(&v[2]) == ERR_OK)
            l->stats[l->stat_count++] = (struct stat_row){load_text(l, &v[0]), load_text(l, &v[1]), load_text(l, &v[2])};
        else
            status = IO_ERROR(&op->err, ERR_NOMEM, "out of memory");
    }
    for (u32 i = 0; i < 3; i++) value_deinit(&v[i]);
    return status;
}

// One call of `row` for each entry of the tree. `taken`: the entry under the cursor has been had.
static io_status load_tree(struct schema_load *l, struct op *op, io_status (*row)(struct schema_load *, struct op *))
{
    if (!l->started) {
        IO_TRY(cursor_first(&l->cursor, op));
        l->started = true;
        l->taken = false;
    }
    while (cursor_valid(&l->cursor)) {
        if (!l->taken) IO_TRY(row(l, op));
        l->taken = true;
        IO_TRY(cursor_next(&l->cursor, op));
        l->taken = false;
    }
    return IO_DONE;
}

static void load_cursor_open(struct schema_load *l, struct txn *t, pgno root)
{
    load_cursor_close(l);
    cursor_init(&l->cursor, t, root, NULL, false);
    l->cursor_open = true;
}

// ---- making -----------------------------------------------------------------------------------------------

static bool text_equal(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool row_equal(const struct schema_row *a, const struct schema_row *b)
{
    return a->root == b->root && a->rowid == b->rowid && text_equal(a->type, b->type) && text_equal(a->name, b->name) &&
           text_equal(a->table, b->table) && text_equal(a->sql, b->sql);
}

static _Noreturn void load_fail(struct schema_load *l, err_code code, const char *text)
{
    l->code = code;
    l->text = strdup(text);
    longjmp(*l->exit, 1);
}

static _Noreturn void load_out_of_memory(struct schema_load *l)
{
    l->code = ERR_NOMEM;
    longjmp(*l->exit, 1);
}

static void arena_out_of_memory(struct arena *a) { load_out_of_memory(a->context); }

// "malformed database schema (NAME) - WHY".
static _Noreturn void load_malformed(struct schema_load *l, const char *name, const char *why)
{
    char text[ERR_TEXT_MAX];
    snprintf(text, sizeof text, "malformed database schema (%s)%s%s", name ? name : "?", why && *why ? " - " : "",
             why ? why : "");
    load_fail(l, ERR_CORRUPT, text);
}

struct parse_context {
    struct schema_load *load;
    const struct schema_row *row;
};

static void row_parse_fail(struct parse *p, err_code code, u32 offset, const char *text)
{
    struct parse_context *context = p->context;
    if (code == ERR_NOMEM) load_out_of_memory(context->load);
    load_malformed(context->load, context->row->name, text);
}

static struct stmt *parse_row(struct schema_load *l, struct arena *arena, struct parse *p, struct parse_context *context,
                              const struct schema_row *row)
{
    // Trees refer to the text: it lives as long as they do.
    if (!row->sql || !*row->sql) load_malformed(l, row->name, "orphan index"); // only an index's row may have none
    size_t size = strlen(row->sql);
    if (strncasecmp(row->sql, "cr", 2) != 0) load_malformed(l, row->name, "");
    context->load = l;
    context->row = row;
    *p = (struct parse){.arena = arena, .sql = arena_copy(arena, row->sql, size),
                        .size = (u32)size, .schema = true, .fail = row_parse_fail, .context = context};
    parse_statement(p);
    if (!p->stmt) load_malformed(l, row->name, "");
    return p->stmt;
}

enum row_class { ROW_TABLE, ROW_INDEX, ROW_TRIGGER, ROW_OTHER };

static enum row_class classify(const struct schema_row *r)
{
    if (!r->type) return ROW_OTHER;
    if (strcasecmp(r->type, "table") == 0 || strcasecmp(r->type, "view") == 0) return ROW_TABLE;
    if (strcasecmp(r->type, "index") == 0) return ROW_INDEX;
    if (strcasecmp(r->type, "trigger") == 0) return ROW_TRIGGER;
    return ROW_OTHER;
}

// The rows that make up one table, those of its indexes and triggers behind its own.
struct group {
    u32 count, capacity;
    u32 *rows;
};

static void make_table(struct schema_load *l, const struct schema_row *row)
{
    struct parse p;
    struct parse_context context;
    struct stmt *s = parse_row(l, &l->table->arena, &p, &context, row);
    struct table *t = l->table;
    struct schema_build b = {.parse = &p, .load = true, .file_format = (u8)l->format};
    switch ((enum stmt_kind)s->kind) {
    case STMT_CREATE_TABLE: {
        struct stmt_create_table *create = (struct stmt_create_table *)s;
        if (create->select) load_malformed(l, row->name, "");
        if (row->root < 2) load_malformed(l, row->name, "invalid rootpage");
        table_build(&b, t, create);
        break;
    }
    case STMT_CREATE_VIEW: view_build(&b, t, (struct stmt_create_view *)s); break;
    case STMT_CREATE_VIRTUAL_TABLE: {
        // One whose module is not there, or does not take its arguments, stands in the schema without columns.
        virtual_table_build(t, (struct stmt_create_virtual_table *)s);
        (void)virtual_table_columns(&t->arena, t, l->schema->is_temp);
        break;
    }
    default: load_malformed(l, row->name, "");
    }
    bool view = s->kind == STMT_CREATE_VIEW;
    bool same = name_equal(t->name, row->name) && (l->lenient || (row->table && name_equal(row->table, row->name) && (strcasecmp(row->type, "view") == 0) == view));
    if (!same) load_malformed(l, row->name, "");
    t->root = (pgno)row->root;
    t->row = row->rowid;
    t->sql = p.sql;
    if (l->schema->is_temp) t->flags |= TABLE_TEMP;
    if (t->primary_key) t->primary_key->root = t->root;
}

// The table that the text of an index or a trigger names must be the row's, and stand before it.
static void check_table(struct schema_load *l, const struct schema_row *row, const char *named)
{
    if (l->lenient || (l->table && l->table->row < row->rowid && name_equal(named, row->table))) return;
    bool exists = false;
    for (u32 i = 0; i < l->row_count && l->rows[i].rowid < row->rowid && !exists; i++)
        exists = classify(&l->rows[i]) == ROW_TABLE && l->rows[i].name && name_equal(l->rows[i].name, named);
    load_malformed(l, row->name, exists ? "" : arena_format(&l->arena, "no such table: main.%s", named));
}

static void make_index(struct schema_load *l, const struct schema_row *row)
{
    struct table *t = l->table;
    for (const struct index *i = t->indexes; i; i = i->next)
        if (i->root == row->root && !name_equal(i->name, row->name)) load_malformed(l, row->name, "invalid rootpage");
    if (!row->sql || !*row->sql) {
        struct index *i = t->indexes;
        while (i && !name_equal(i->name, row->name)) i = i->next;
        if (!i) load_malformed(l, row->name, "orphan index");
        if (row->root < 2) load_malformed(l, row->name, "invalid rootpage");
        i->root = (pgno)row->root;
        return;
    }
    struct parse p;
    struct parse_context context;
    struct stmt *s = parse_row(l, &l->table->arena, &p, &context, row);
    if (s->kind != STMT_CREATE_INDEX) load_malformed(l, row->name, "");
    if (row->root < 2) load_malformed(l, row->name, "invalid rootpage");
    check_table(l, row, ((struct stmt_create_index *)s)->table);
    for (const struct index *i = t->indexes; i && !l->lenient; i = i->next)
        if (name_equal(i->name, row->name)) load_malformed(l, row->name, arena_format(&l->arena, "index %s already exists", i->name));
    struct schema_build b = {.parse = &p, .load = true, .file_format = (u8)l->format};
    struct index *i = index_build(&b, t, (struct stmt_create_index *)s);
    if (!l->lenient && !name_equal(i->name, row->name)) load_malformed(l, row->name, "");
    i->root = (pgno)row->root;
    i->sql = p.sql;
    index_link(t, i);
}

static struct trigger *make_trigger(struct schema_load *l, const struct schema_row *row)
{
    struct parse p;
    struct parse_context context;
    struct stmt *s = parse_row(l, &l->table->arena, &p, &context, row);
    if (s->kind != STMT_CREATE_TRIGGER) load_malformed(l, row->name, "");
    struct schema_build b = {.parse = &p, .load = true, .file_format = (u8)l->format};
    if (!l->schema->is_temp) check_table(l, row, ((struct stmt_create_trigger *)s)->table.name);
    struct trigger *trigger = trigger_build(&b, (struct stmt_create_trigger *)s);
    if (!l->lenient && !name_equal(trigger->name, row->name)) load_malformed(l, row->name, "");
    trigger->sql = p.sql;
    trigger->of_temp = l->schema->is_temp;
    return trigger;
}

// The numbers and words of one sqlite_stat1 row.
static void apply_stat(struct table *t, const struct stat_row *row)
{
    struct index *i = NULL;
    if (row->index) {
        for (i = t->indexes; i; i = i->next)
            if (name_equal(i->name, row->index)) break;
        if (!i && t->primary_key && name_equal(row->index, t->name)) i = t->primary_key;
        if (!i) return;
    }
    const char *z = row->stat ? row->stat : "";
    u32 count = 0, max = i ? i->key_count + 1u : 1u;
    u64 first = 0;
    while (*z && count < max) {
        if (*z < '0' || *z > '9') break;
        u64 v = 0;
        while (*z >= '0' && *z <= '9') v = v * 10 + (u64)(*z++ - '0');
        if (count == 0) first = v;
        if (i) i->stat[count] = v;
        count++;
        if (*z == ' ') z++;
    }
    if (i) {
        i->has_stat = count > 0;
        while (*z) {
            if (strncmp(z, "unordered", 9) == 0)
                i->unordered = true;
            else if (strncmp(z, "noskipscan", 10) == 0)
                i->no_skip_scan = true;
            else if (strncmp(z, "sz=", 3) == 0)
                i->size_row = (u32)strtoul(z + 3, NULL, 10);
            while (*z && *z != ' ') z++;
            while (*z == ' ') z++;
        }
    }
    if (count > 0 && (!i || !i->where)) {
        t->row_estimate = first;
        t->has_stat = true;
    }
}

// Takes the table over from the previous schema when nothing that made it has changed.
static struct table *reuse(struct schema_load *l, const struct schema *previous, const struct group *g)
{
    const struct schema_row *row = &l->rows[g->rows[0]];
    struct table *t = row->name ? schema_table(previous, row->name) : NULL;
    if (!t || t->row_count != g->count || t->flags & TABLE_SCHEMA_TABLE) return NULL;
    for (u32 i = 0; i < g->count; i++)
        if (!row_equal(&t->rows[i], &l->rows[g->rows[i]])) return NULL;
    t->references++;
    return t;
}

static void keep_rows(struct schema_load *l, struct table *t, const struct group *g)
{
    struct arena *a = &t->arena;
    t->rows = arena_alloc(a, (size_t)g->count * sizeof *t->rows);
    t->row_count = g->count;
    for (u32 i = 0; i < g->count; i++) {
        const struct schema_row *r = &l->rows[g->rows[i]];
#define KEEP(text) ((text) ? arena_copy(a, (text), strlen(text)) : NULL)
        t->rows[i] = (struct schema_row){KEEP(r->type), KEEP(r->name), KEEP(r->table), KEEP(r->sql), r->root, r->rowid};
#undef KEEP
    }
}

// Makes what `make` makes; false when the row makes no sense and that is let pass.
static bool make_or_skip(struct schema_load *l, void (*make)(struct schema_load *, const void *), const void *context)
{
    jmp_buf here, *outer = l->exit;
    if (!l->lenient) {
        make(l, context);
        return true;
    }
    l->exit = &here;
    if (setjmp(here) == 0) {
        make(l, context);
        l->exit = outer;
        return true;
    }
    l->exit = outer;
    if (l->code == ERR_NOMEM) longjmp(*outer, 1);
    free(l->text);
    l->text = NULL;
    return false;
}

static void make_table_row(struct schema_load *l, const void *row) { make_table(l, row); }
static void make_index_row(struct schema_load *l, const void *row) { make_index(l, row); }
static void make_trigger_row(struct schema_load *l, const void *row) { l->trigger = make_trigger(l, row); }

static void make_group(struct schema_load *l, const struct schema *previous, const struct group *g)
{
    struct table *t = schema_table_new();
    if (!t) load_out_of_memory(l);
    l->table = t;
    t->arena.out_of_memory = arena_out_of_memory;
    t->arena.context = l;
    if (!make_or_skip(l, make_table_row, &l->rows[g->rows[0]])) {
        t->arena.out_of_memory = NULL;
        table_unref(t);
        l->table = NULL;
        return;
    }
    struct trigger **last = &t->triggers;
    for (u32 i = 1; i < g->count; i++) {
        const struct schema_row *r = &l->rows[g->rows[i]];
        if (classify(r) == ROW_INDEX) {
            make_or_skip(l, make_index_row, r);
        } else if (make_or_skip(l, make_trigger_row, r)) {
            *last = l->trigger;
            last = &(*last)->next;
        }
    }
    keep_rows(l, t, g);
    const struct table *before = previous ? schema_table(previous, t->name) : NULL;
    if (before) t->statistics_wanted = before->statistics_wanted;
    for (u32 i = 0; i < l->stat_count; i++)
        if (l->stats[i].table && name_equal(l->stats[i].table, t->name)) apply_stat(t, &l->stats[i]);
    t->arena.out_of_memory = NULL;
    l->schema->tables[l->schema->table_count++] = t;
    l->table = NULL;
}

// Whether sqlite_stat1 says about the table what it said when it was made.
static bool stats_unchanged(const struct schema_load *l, const struct table *t)
{
    bool now = false;
    for (u32 i = 0; i < l->stat_count && !now; i++) now = l->stats[i].table && name_equal(l->stats[i].table, t->name);
    return !now && !t->has_stat;
}

// Triggers of the temp schema whose table is elsewhere: one nameless table owns them.
static void make_foreign_triggers(struct schema_load *l, const u32 *rows, u32 count)
{
    struct table *t = schema_table_new();
    if (!t) load_out_of_memory(l);
    l->table = t;
    t->arena.out_of_memory = arena_out_of_memory;
    t->arena.context = l;
    t->name = "";
    t->kind = TABLE_VIEW;
    struct trigger **last = &l->schema->foreign_triggers;
    for (u32 i = 0; i < count; i++) {
        if (!make_or_skip(l, make_trigger_row, &l->rows[rows[i]])) continue;
        *last = l->trigger;
        last = &(*last)->next;
    }
    t->arena.out_of_memory = NULL;
    l->schema->tables[l->schema->table_count++] = t;
    l->table = NULL;
}

// Whether a temp trigger says that its table is in another database.
static bool trigger_is_elsewhere(struct schema_load *l, const struct schema_row *row)
{
    struct parse_context context;
    struct parse p;
    if (!row->sql) return false;
    if (l->lenient) return false; // what its text says, if anything, is asked when it is made
    const struct stmt *s = parse_row(l, &l->arena, &p, &context, row);
    if (s->kind != STMT_CREATE_TRIGGER) return false;
    const char *schema = ((const struct stmt_create_trigger *)s)->table.schema;
    return schema && !name_equal(schema, "temp");
}

// An index or a trigger whose row names no table.
static _Noreturn void load_orphan(struct schema_load *l, const struct schema_row *row)
{
    struct parse_context context;
    struct parse p;
    const struct stmt *s = parse_row(l, &l->arena, &p, &context, row);
    if (s->kind == STMT_CREATE_INDEX) check_table(l, row, ((const struct stmt_create_index *)s)->table);
    if (s->kind == STMT_CREATE_TRIGGER) check_table(l, row, ((const struct stmt_create_trigger *)s)->table.name);
    load_malformed(l, row->name, "");
}

// Groups by the name of the table, in the order of the tables' rows; triggers of the temp schema that stand on other tables.
struct groups {
    struct group *list;
    u32 count;
    u32 *foreign;
    u32 foreign_count;
};

// The name of the table that an index or a trigger belongs to: that of a constraint's index is in its own.
static const char *row_table(struct schema_load *l, const struct schema_row *row)
{
    static const char PREFIX[] = "sqlite_autoindex_";
    const size_t size = sizeof PREFIX - 1;
    if (classify(row) != ROW_INDEX || (row->sql && *row->sql) || strncasecmp(row->name, PREFIX, size) != 0) return row->table;
    const char *number = strrchr(row->name + size, '_');
    return number ? arena_copy(&l->arena, row->name + size, (size_t)(number - row->name) - size) : row->table;
}

// Rows by class and name, without the indexes of constraints, which have no text of their own.
struct row_names {
    u32 *slots; // row + 1
    u32 mask;
};

// The slot of the row, or the free one where it belongs.
static u32 *name_slot(const struct schema_load *l, const struct row_names *names, enum row_class class, const char *name)
{
    u32 at = name_hash(name) & names->mask;
    for (; names->slots[at]; at = (at + 1) & names->mask) {
        const struct schema_row *r = &l->rows[names->slots[at] - 1];
        if (classify(r) == class && name_equal(r->name, name)) break;
    }
    return &names->slots[at];
}

// Damage can make a row the copy of another one; where that is let pass, the first has the name.
static struct row_names make_names(struct schema_load *l)
{
    struct row_names names = {.mask = 15};
    while (names.mask < l->row_count * 2) names.mask = names.mask * 2 + 1;
    names.slots = arena_alloc(&l->arena, (size_t)(names.mask + 1) * sizeof *names.slots);
    for (u32 i = 0; i < l->row_count; i++) {
        const struct schema_row *r = &l->rows[i];
        enum row_class class = classify(r);
        if (class == ROW_OTHER || !r->name || (class == ROW_INDEX && !r->sql)) continue;
        u32 *slot = name_slot(l, &names, class, r->name);
        const bool told = !l->lenient && r->sql;
        if (told && *slot) load_malformed(l, r->name, arena_format(&l->arena, "%s %s already exists", l->rows[*slot - 1].type, r->name));
        if (told && class == ROW_TABLE && *name_slot(l, &names, ROW_INDEX, r->name))
            load_malformed(l, r->name, arena_format(&l->arena, "there is already an index named %s", r->name));
        if (!*slot) *slot = i + 1;
    }
    return names;
}

static void make_groups(struct schema_load *l, struct groups *all)
{
    const struct row_names names = make_names(l);
    u32 *group_of = arena_alloc(&l->arena, (size_t)(l->row_count + 1) * sizeof *group_of); // of a table's row
    struct group *groups = arena_alloc(&l->arena, (size_t)(l->row_count + 1) * sizeof *groups);
    u32 *foreign = arena_alloc(&l->arena, (size_t)(l->row_count + 1) * sizeof *foreign);
    u32 group_count = 0, foreign_count = 0;
    for (u32 i = 0; i < l->row_count; i++) {
        const struct schema_row *r = &l->rows[i];
        if (classify(r) != ROW_TABLE) continue;
        if (!r->name && l->lenient) continue;
        if (!r->name) load_malformed(l, NULL, "");
        group_of[i] = group_count;
        struct group *g = &groups[group_count++];
        g->rows = arena_grow(&l->arena, g->rows, g->count, &g->capacity, sizeof *g->rows);
        g->rows[g->count++] = i;
    }
    for (u32 i = 0; i < l->row_count; i++) {
        const struct schema_row *r = &l->rows[i];
        enum row_class class = classify(r);
        if (class == ROW_TABLE) continue;
        if (class == ROW_OTHER || !r->name || !r->table) {
            if (l->lenient) continue;
            load_malformed(l, r->name, "");
        }
        bool elsewhere = class == ROW_TRIGGER && l->schema->is_temp && trigger_is_elsewhere(l, r);
        u32 table = elsewhere ? 0 : *name_slot(l, &names, ROW_TABLE, row_table(l, r));
        if (!table) {
            if (class == ROW_TRIGGER && l->schema->is_temp) {
                foreign[foreign_count++] = i;
                continue;
            }
            if (l->lenient) continue;
            load_orphan(l, r);
        }
        struct group *g = &groups[group_of[table - 1]];
        g->rows = arena_grow(&l->arena, g->rows, g->count, &g->capacity, sizeof *g->rows);
        g->rows[g->count++] = i;
    }
    *all = (struct groups){groups, group_count, foreign, foreign_count};
}

static void make_schema(struct schema_load *l, const struct schema *previous)
{
    struct schema *s = l->schema;
    struct groups groups;
    make_groups(l, &groups);
    for (u32 i = 0; i < groups.count; i++) {
        const struct group *g = &groups.list[i];
        struct table *t = previous && previous->file_format == l->format && !previous->lenient ? reuse(l, previous, g) : NULL;
        if (t && !stats_unchanged(l, t)) {
            table_unref(t);
            t = NULL;
        }
        if (t)
            s->tables[s->table_count++] = t;
        else
            make_group(l, previous, g);
    }
    if (groups.foreign_count) make_foreign_triggers(l, groups.foreign, groups.foreign_count);
    if (!schema_index_names(s)) load_out_of_memory(l);
}

// ---- making what has changed ------------------------------------------------------------------------------

static bool row_changed(const struct schema_changes *changes, s64 rowid)
{
    for (u32 i = 0; i < changes->count; i++)
        if (changes->rowids[i] == rowid) return true;
    return false;
}

struct table_list {
    struct table **list;
    u32 count, capacity;
};

static bool list_has(const struct table_list *tables, const struct table *t)
{
    for (u32 i = 0; i < tables->count; i++)
        if (tables->list[i] == t) return true;
    return false;
}

static void list_add(struct schema_load *l, struct table_list *tables, struct table *t)
{
    tables->list = arena_grow(&l->arena, tables->list, tables->count, &tables->capacity, sizeof *tables->list);
    tables->list[tables->count++] = t;
}

// The tables that had one of the rows, and those that have one now.
static void find_changed(struct schema_load *l, const struct schema *previous, const struct schema_changes *changes,
                         struct table_list *changed)
{
    s64 first = INT64_MAX;
    for (u32 i = 0; i < changes->count; i++) first = MIN(first, changes->rowids[i]);
    if (first <= previous->row_last) {
        for (u32 i = 1; i < previous->table_count; i++) {
            struct table *t = previous->tables[i];
            bool any = false;
            for (u32 k = 0; k < t->row_count && !any; k++)
                any = t->rows[k].rowid >= first && row_changed(changes, t->rows[k].rowid);
            if (any) list_add(l, changed, t);
        }
    }
    for (u32 i = 0; i < l->row_count; i++) {
        const struct schema_row *r = &l->rows[i];
        const char *name = classify(r) == ROW_TABLE ? r->name : r->table;
        struct table *t = name ? schema_table(previous, name) : NULL;
        if (t && !(t->flags & TABLE_SCHEMA_TABLE) && !list_has(changed, t)) list_add(l, changed, t);
    }
}

static int row_compare(const void *a, const void *b)
{
    s64 x = ((const struct schema_row *)a)->rowid, y = ((const struct schema_row *)b)->rowid;
    return (x > y) - (x < y);
}

static void make_changed(struct schema_load *l, const struct schema *previous, const struct schema_changes *changes)
{
    struct schema *s = l->schema;
    struct table_list changed = {0}, made = {0};
    find_changed(l, previous, changes, &changed);
    for (u32 i = 0; i < changed.count; i++) {
        for (u32 k = 0; k < changed.list[i]->row_count; k++) {
            const struct schema_row *r = &changed.list[i]->rows[k];
            if (row_changed(changes, r->rowid)) continue;
            l->rows = arena_grow(&l->arena, l->rows, l->row_count, &l->row_capacity, sizeof *l->rows);
            l->rows[l->row_count++] = *r;
        }
    }
    if (l->row_count) qsort(l->rows, l->row_count, sizeof *l->rows, row_compare);
    struct groups groups;
    make_groups(l, &groups);
    u32 next = 0;
    for (u32 i = 1; i <= previous->table_count; i++) {
        struct table *t = i < previous->table_count ? previous->tables[i] : NULL;
        for (; next < groups.count && (!t || l->rows[groups.list[next].rows[0]].rowid < t->row); next++) {
            make_group(l, previous, &groups.list[next]);
            list_add(l, &made, s->tables[s->table_count - 1]);
        }
        if (t && !list_has(&changed, t)) s->tables[s->table_count++] = table_ref(t);
    }
    if (!schema_index_names_from(s, previous, changed.list, changed.count, made.list, made.count)) load_out_of_memory(l);
}

static io_status load_make(struct schema_load *l, struct op *op, bool is_temp, struct schema *previous,
                           const struct schema_changes *changes, struct schema **out)
{
    jmp_buf exit;
    l->exit = &exit;
    if (setjmp(exit)) {
        err_code code = l->code;
        err_set(&op->err, code, __func__, "%s", l->text ? l->text : "out of memory");
        free(l->text);
        l->text = NULL;
        return IO_FAIL;
    }
    l->arena.out_of_memory = arena_out_of_memory;
    l->arena.context = l;
    l->schema = schema_new(is_temp, l->row_count + 1 + (l->partial ? previous->table_count : 0));
    struct schema *s = l->schema;
    if (!s) load_out_of_memory(l);
    s->lenient = l->lenient;
    s->cookie = l->cookie;
    s->file_format = (u8)l->format;
    s->encoding = (u8)l->encoding;
    s->cache_size = (s32)l->cache_size;
    s->row_last = l->partial ? previous->row_last : INT64_MIN;
    for (u32 i = 0; i < l->row_count; i++) s->row_last = MAX(s->row_last, l->rows[i].rowid);
    if (l->partial)
        make_changed(l, previous, changes);
    else
        make_schema(l, previous);
    *out = s;
    l->schema = NULL;
    return IO_DONE;
}

// Where sqlite_stat1 is among the rows, 0: nowhere.
static pgno find_stat_root(const struct schema_load *l)
{
    for (u32 i = 0; i < l->row_count; i++) {
        const struct schema_row *r = &l->rows[i];
        if (classify(r) == ROW_TABLE && r->name && name_equal(r->name, "sqlite_stat1") && r->root >= 2)
            return (pgno)r->root;
    }
    return 0;
}

// Whether the changed rows will do. Statistics are of tables that are made, so these may not have changed.
static bool may_be_partial(const struct schema_load *l, bool is_temp, const struct schema *previous,
                           const struct schema_changes *changes)
{
    if (is_temp || l->lenient || !previous || previous->lenient || changes->unknown || changes->cookie != l->cookie) return false;
    if (previous->file_format != l->format || previous->encoding != l->encoding) return false;
    const struct table *stat = schema_table(previous, "sqlite_stat1");
    return !stat || !row_changed(changes, stat->row);
}

io_status schema_load_run(struct schema_load **load, struct txn *t, struct op *op, bool is_temp, bool lenient,
                          struct schema *previous, const struct schema_changes *changes, struct schema **out)
{
    struct schema_load *l = *load;
    if (!l) {
        l = *load = calloc(1, sizeof *l);
        if (!l) return IO_ERROR(&op->err, ERR_NOMEM, "out of memory");
        arena_init(&l->arena, NULL, NULL);
        l->lenient = lenient;
    }
    for (;;) {
        switch (l->step) {
        case LOAD_META:
            IO_TRY(txn_meta_get(t, op, META_SCHEMA_COOKIE, &l->cookie));
            IO_TRY(txn_meta_get(t, op, META_FILE_FORMAT, &l->format));
            IO_TRY(txn_meta_get(t, op, META_TEXT_ENCODING, &l->encoding));
            IO_TRY(txn_meta_get(t, op, META_DEFAULT_CACHE_SIZE, &l->cache_size));
            if (l->format > 4) return IO_ERROR(&op->err, ERR_ERROR, "unsupported file format");
            if (l->encoding || l->format) l->encoding = text_encoding(l->encoding);
            l->partial = may_be_partial(l, is_temp, previous, changes);
            if (l->partial) load_cursor_open(l, t, ROOT_SCHEMA);
            // A database without a format has never had a table.
            l->step = l->format == 0 ? LOAD_MAKE : l->partial ? LOAD_CHANGED : LOAD_ROWS_OPEN;
            if (l->format == 0) l->format = 4;
            break;
        case LOAD_CHANGED:
            for (; l->changed_next < changes->count; l->changed_next++) {
                int compare = -1;
                IO_TRY(cursor_seek_rowid(&l->cursor, op, changes->rowids[l->changed_next], &compare));
                if (l->cursor.state == CURSOR_VALID && compare == 0) IO_TRY(load_row(l, op));
            }
            load_cursor_close(l);
            if (find_stat_root(l)) {
                l->partial = false;
                l->row_count = 0;
                l->step = LOAD_ROWS_OPEN;
                break;
            }
            const struct table *stat = schema_table(previous, "sqlite_stat1");
            l->stat_root = stat && changes->count ? stat->root : 0;
            l->step = l->stat_root ? LOAD_STAT_OPEN : LOAD_MAKE;
            break;
        case LOAD_ROWS_OPEN:
            load_cursor_open(l, t, ROOT_SCHEMA);
            l->step = LOAD_ROWS;
            break;
        case LOAD_ROWS:
            IO_TRY(load_tree(l, op, load_row));
            load_cursor_close(l);
            l->stat_root = find_stat_root(l);
            l->step = l->stat_root ? LOAD_STAT_OPEN : LOAD_MAKE;
            break;
        case LOAD_STAT_OPEN:
            load_cursor_open(l, t, l->stat_root);
            l->step = LOAD_STAT;
            break;
        case LOAD_STAT:
            IO_TRY(load_tree(l, op, load_stat));
            load_cursor_close(l);
            l->step = LOAD_MAKE;
            break;
        case LOAD_MAKE:
            IO_TRY(load_make(l, op, is_temp, previous, changes, out));
            schema_load_free(l);
            *load = NULL;
            return IO_DONE;
        }
    }
}
