// PRAGMA integrity_check, quick_check and foreign_key_check.
#include "pragma.h"


// Registers of a check: how many problems may still be told, the text of one.
struct check_run {
    struct compile *c;
    int left, text, part;
    int done; // label
    bool quick;
    const char *only; // table, or NULL
};

static void tell(struct check_run *k)
{
    emit(k->c, OP_ResultRow, k->text, 1, 0);
    emit(k->c, OP_DecrJumpZero, k->left, k->done, 0);
}

static void tell_text(struct check_run *k, const char *text)
{
    emit_string(k->c, text, (u32)strlen(text), k->text);
    tell(k);
}

static void append(struct check_run *k, const char *text)
{
    emit_string(k->c, text, (u32)strlen(text), k->part);
    emit(k->c, OP_Concat, k->part, k->text, k->text);
}

enum type_mask { TYPE_INTEGER = 1, TYPE_REAL = 2, TYPE_TEXT = 4, TYPE_BLOB = 8, TYPE_NULL = 16 };

// Jumps, as column_type_code does, when the value is of one of these types. value: register with it, 0 while the row's header
// says enough.
static int type_jump(struct compile *c, const struct table *t, int cursor, u16 column, int value, u16 types)
{
    if (!value) return column_type_code(c, t, cursor, column, types);
    int address = emit(c, OP_IsType, -1, 0, value);
    set_p5(c, types);
    return address;
}

// Tells of rows whose value is of none of these types.
static void check_type(struct check_run *k, const struct table *t, int cursor, u16 column, int value, u16 types, const char *text)
{
    int fine = type_jump(k->c, t, cursor, column, value, types);
    tell_text(k, text);
    jump_here(k->c, fine);
}

static void check_columns(struct check_run *k, const struct table *t, int cursor)
{
    struct compile *c = k->c;
    static const char *const type_names[] = {[COLUMN_TYPE_BLOB] = "BLOB",       [COLUMN_TYPE_INT] = "INT",
                                             [COLUMN_TYPE_INTEGER] = "INTEGER", [COLUMN_TYPE_REAL] = "REAL",
                                             [COLUMN_TYPE_TEXT] = "TEXT"};
    static const u16 masks[] = {[COLUMN_TYPE_BLOB] = TYPE_BLOB | TYPE_NULL,
                                [COLUMN_TYPE_INT] = TYPE_INTEGER | TYPE_NULL,
                                [COLUMN_TYPE_INTEGER] = TYPE_INTEGER | TYPE_NULL,
                                [COLUMN_TYPE_REAL] = TYPE_INTEGER | TYPE_REAL | TYPE_NULL,
                                [COLUMN_TYPE_TEXT] = TYPE_TEXT | TYPE_NULL};
    for (u16 i = 0; i < t->column_count; i++) {
        const struct column *column = &t->columns[i];
        bool strict = t->flags & TABLE_STRICT;
        bool typed = strict && column->strict_type >= COLUMN_TYPE_BLOB;
        bool text = !strict && column->affinity == AFFINITY_TEXT, numeric = !strict && column->affinity >= AFFINITY_NUMERIC;
        if (i == t->rowid_column || (!typed && !text && !numeric && column->not_null == CONFLICT_NONE)) continue;
        int value = 0;
        if (column->flags & COLUMN_VIRTUAL) column_code(c, t, cursor, i, value = reg_temp(c));
        if (column->not_null != CONFLICT_NONE)
            check_type(k, t, cursor, i, value, TYPE_INTEGER | TYPE_REAL | TYPE_TEXT | TYPE_BLOB,
                       arena_format(c->arena, "NULL value in %s.%s", t->name, column->name));
        if (typed)
            check_type(k, t, cursor, i, value, masks[column->strict_type],
                       arena_format(c->arena, "non-%s value in %s.%s", type_names[column->strict_type], t->name, column->name));
        if (text)
            check_type(k, t, cursor, i, value, TYPE_TEXT | TYPE_BLOB | TYPE_NULL,
                       arena_format(c->arena, "NUMERIC value in %s.%s", t->name, column->name));
        if (numeric) { // text that is a number would have become one
            int fine = type_jump(c, t, cursor, i, value, TYPE_INTEGER | TYPE_REAL | TYPE_BLOB | TYPE_NULL);
            if (!value) column_code(c, t, cursor, i, value = reg_temp(c));
            emit(c, OP_Affinity, value, 1, 0);
            program_p4_text(c->program, -1, "C", 1);
            check_type(k, t, cursor, i, value, TYPE_TEXT | TYPE_BLOB | TYPE_NULL,
                       arena_format(c->arena, "TEXT value in %s.%s", t->name, column->name));
            jump_here(c, fine);
        }
        if (value) reg_release(c, value);
    }
    if (t->check_count == 0 || connection_flag(c->db, CONNECTION_IGNORE_CHECKS)) return;
    int outer = c->self_cursor, fails = label_new(c), fine = label_new(c);
    c->self_cursor = cursor + 1;
    for (u32 i = 0; i < t->check_count; i++)
        expr_jump_if_false(c, self_expr(c, t, t->checks[i].expr, NAME_CHECK), fails, false);
    c->self_cursor = outer;
    emit_goto(c, fine);
    label_place(c, fails);
    tell_text(k, arena_format(c->arena, "CHECK constraint failed in %s", t->name));
    label_place(c, fine);
}

// The last field that a row has in its record: its type is known when all of the record's header has been gone through.
static void check_record(struct check_run *k, const struct table *t, int cursor)
{
    u16 last = t->column_count;
    for (u16 i = 0; i < t->column_count; i++)
        if (!(t->columns[i].flags & COLUMN_VIRTUAL) && i != t->rowid_column) last = i;
    if (last < t->column_count) jump_here(k->c, column_type_code(k->c, t, cursor, last, 0));
}

// Rows of a table without rowids come in the order of its key, each once. previous: registers with the row before.
static void check_order(struct check_run *k, const struct table *t, int cursor, int previous)
{
    struct compile *c = k->c;
    const struct index *pk = t->primary_key;
    int fine = label_new(c);
    emit_int(c, OP_IdxGT, cursor, fine, previous, pk->key_count);
    emit(c, OP_IsNull, previous, fine, 0);
    tell_text(k, arena_format(c->arena, "row not in PRIMARY KEY order for %s", t->name));
    label_place(c, fine);
    for (u16 i = 0; i < pk->key_count; i++) column_code(c, t, cursor, pk->columns[i], previous + i);
}

// "row N ... INDEX", N being what is in the register.
static void tell_row(struct check_run *k, int rows, const char *text, const struct index *i)
{
    emit_string(k->c, "row ", 4, k->text);
    emit(k->c, OP_Concat, rows, k->text, k->text);
    append(k, arena_format(k->c->arena, " %s index %s", text, i->name));
    tell(k);
}

// The entry was found by collations that take different texts for the same: it must have the row's own.
static void check_texts(struct check_run *k, const struct index *i, int cursor, int first, int rows)
{
    struct compile *c = k->c;
    int differs = label_new(c), same = label_new(c), value = reg_temp(c);
    for (u16 x = 0; x < i->key_count; x++) {
        if (!i->collations[x] || name_equal(i->collations[x], "BINARY")) continue;
        emit(c, OP_Column, cursor, x, value);
        emit(c, OP_Ne, value, differs, first + x);
    }
    emit_goto(c, same);
    label_place(c, differs);
    tell_row(k, rows, "values differ from", i);
    label_place(c, same);
    reg_release(c, value);
}

static bool collates(const struct index *i)
{
    for (u16 x = 0; x < i->key_count; x++)
        if (i->collations[x] && !name_equal(i->collations[x], "BINARY")) return true;
    return false;
}

static void check_table(struct check_run *k, const struct table *t, int database)
{
    struct compile *c = k->c;
    struct write_target target = {.table = t, .database = database};
    target_open(c, &target, OP_OpenRead, -1, NULL);
    int rows = reg_alloc(c);
    bool ordered = !k->quick && t->primary_key && !table_has_rowid(t);
    int previous = ordered ? reg_alloc_range(c, t->primary_key->key_count) : 0;
    if (previous) emit(c, OP_Null, 0, previous, 0);
    emit(c, OP_Integer, 0, rows, 0);
    int end = label_new(c);
    emit(c, OP_Rewind, target.data_cursor, end, 0);
    int loop = here(c);
    reg_forget_temps(c);
    if (t->indexes && !k->quick) emit(c, OP_AddImm, rows, 1, 0);
    check_record(k, t, target.data_cursor);
    if (previous) check_order(k, t, target.data_cursor, previous);
    check_columns(k, t, target.data_cursor);
    u32 n = 0;
    for (const struct index *i = t->indexes; i && !k->quick; i = i->next, n++) {
        if (i == t->primary_key) continue;
        int fields, skip, cursor = target.index_cursor + (int)n;
        int first = index_key_code(c, i, target.data_cursor, false, &fields, &skip);
        int found = emit_int(c, OP_Found, cursor, 0, first, fields);
        tell_row(k, rows, "missing from", i);
        jump_here(c, found);
        if (collates(i)) check_texts(k, i, cursor, first, rows);
        if (i->conflict != CONFLICT_NONE) {
            // The next entry must differ, unless the key has a NULL.
            int unique = label_new(c);
            for (u16 x = 0; x < i->key_count; x++) {
                if (i->columns[x] >= 0 && t->columns[i->columns[x]].not_null != CONFLICT_NONE) continue;
                emit(c, OP_IsNull, first + x, unique, 0);
            }
            int more = emit(c, OP_Next, cursor, 0, 0);
            emit_goto(c, unique);
            jump_here(c, more);
            emit_int(c, OP_IdxGT, cursor, unique, first, i->key_count);
            tell_text(k, arena_format(c->arena, "non-unique entry in index %s", i->name));
            label_place(c, unique);
        }
        if (skip) label_place(c, skip);
    }
    emit(c, OP_Next, target.data_cursor, loop, 0);
    label_place(c, end);
    reg_forget_temps(c);
    emit(c, OP_Close, target.data_cursor, 0, 0);
    n = 0;
    for (const struct index *i = t->indexes; i; i = i->next, n++)
        if (i != t->primary_key) emit(c, OP_Close, target.index_cursor + (int)n, 0, 0);
}

static bool check_applies(const struct check_run *k, const struct table *t)
{
    return t->kind == TABLE_ORDINARY && (!k->only || name_equal(k->only, t->name));
}

// Indexes have an entry for each row, but those with a WHERE. counts: registers with the entries of all trees.
static void check_counts(struct check_run *k, const struct table *const *tables, u32 table_count, int counts)
{
    struct compile *c = k->c;
    for (u32 i = 0; i < table_count; i++) {
        const struct table *t = tables[i];
        if (!check_applies(k, t)) continue;
        int rows = counts++;
        for (const struct index *x = t->indexes; x; x = x->next) {
            if (x == t->primary_key) continue;
            int entries = counts++, fine = label_new(c);
            if (x->where) continue;
            emit(c, OP_Eq, entries, fine, rows);
            tell_text(k, arena_format(c->arena, "wrong # of entries in index %s", x->name));
            label_place(c, fine);
        }
    }
}

static void check_trees(struct check_run *k, int database)
{
    struct compile *c = k->c;
    const struct schema *s = compile_schema(c, database);
    u32 capacity = 1;
    for (u32 i = 0; i < s->table_count; i++) capacity += 1 + table_index_count(s->tables[i]);
    s32 *roots = arena_alloc(c->arena, (capacity + 1) * sizeof *roots);
    u32 count = 0;
    u32 table_count;
    const struct table **tables = schema_tables_ordered(s, c->arena, &table_count);
    for (u32 i = 0; i < table_count; i++) {
        const struct table *t = tables[i];
        if (!check_applies(k, t)) continue;
        roots[++count] = (s32)t->root;
        for (const struct index *x = t->indexes; x; x = x->next)
            if (x != t->primary_key) roots[++count] = (s32)x->root;
    }
    if (count == 0) return;
    roots[0] = (s32)count;
    int result = reg_alloc(c), counts = reg_alloc_range(c, (int)count);
    emit(c, OP_IntegrityCk, result, k->left, counts);
    program_p4_ints(c->program, -1, roots + 1, count);
    set_p5(c, database << 1 | (k->only != NULL));
    int fine = emit(c, OP_IsNull, result, 0, 0);
    const char *head = arena_format(c->arena, "*** in database %s ***\n", compile_database_name(c, database));
    emit_string(c, head, (u32)strlen(head), k->text);
    emit(c, OP_Concat, result, k->text, k->text);
    tell(k);
    jump_here(c, fine);
    check_counts(k, tables, table_count, counts);
}

static void check_full_text(struct check_run *k, const struct table *t, int database)
{
    struct compile *c = k->c;
    int address = emit(c, OP_VCheck, database, k->text, 0);
    program_p4_table(c->program, address, t);
    int fine = emit(c, OP_IsNull, k->text, 0, 0);
    tell(k);
    jump_here(c, fine);
}

void pragma_integrity_check(struct compile *c, int database, const struct stmt_pragma *pragma, bool quick)
{
    struct check_run k = {.c = c, .quick = quick};
    s64 limit = 100;
    const char *value = pragma->value;
    if (value) {
        s32 said;
        if (!pragma->quoted && pragma_int32(value + (*value == '-'), &said)) // its sign is not looked at
            limit = said > 0 ? said : 100;
        else
            k.only = value;
    }
    int found = -1;
    if (k.only) locate_table(c, database >= 0 ? compile_database_name(c, database) : NULL, k.only, -1, false, &found);
    k.left = reg_alloc(c);
    k.text = reg_alloc(c);
    k.part = reg_alloc(c);
    k.done = label_new(c);
    int start = reg_alloc(c);
    program_emit_integer(c->program, k.left, limit);
    program_emit_integer(c->program, start, limit);
    for (int d = 0; d < compile_database_count(c); d++) {
        const struct schema *s = compile_schema(c, d);
        if (!s || (database >= 0 && d != database) || (k.only && d != found)) continue;
        if (d == DATABASE_TEMP && s->table_count <= 1) continue;
        compile_use_database(c, d);
        check_trees(&k, d);
        u32 count;
        const struct table **tables = schema_tables_ordered(s, c->arena, &count);
        for (u32 i = 0; i < count; i++) {
            const struct table *t = tables[i];
            if (!check_applies(&k, t)) continue;
            check_table(&k, t, d);
        }
        for (u32 i = 0; i < s->table_count; i++) {
            const struct table *t = s->tables[i];
            if (t->fts && !(k.only && !name_equal(k.only, t->name))) check_full_text(&k, t, d);
        }
    }
    emit(c, OP_Ne, start, k.done, k.left);
    emit_string(c, "ok", 2, k.text);
    emit(c, OP_ResultRow, k.text, 1, 0);
    label_place(c, k.done);
}

// ---- foreign keys -----------------------------------------------------------------------------------------

// The parent's columns and the index that finds them (NULL: the rowid); false: the key does not fit the parent.
static bool find_parent_key(const struct table *parent, const struct foreign_key *f, const struct index **index,
                            u16 *order)
{
    *index = NULL;
    if (f->column_count == 1) {
        const char *name = f->columns[0].parent;
        if (parent->rowid_column >= 0 &&
            (!name || name_equal(name, parent->columns[parent->rowid_column].name))) {
            order[0] = 0;
            return true;
        }
    }
    for (const struct index *i = parent->indexes; i; i = i->next) {
        if (i->conflict == CONFLICT_NONE || i->where || i->exprs || i->key_count != f->column_count) continue;
        bool all = true;
        if (!f->columns[0].parent) {
            if (i->kind != INDEX_PRIMARY_KEY) continue;
            for (u16 k = 0; k < i->key_count; k++) order[k] = k;
        } else {
            for (u16 k = 0; k < i->key_count && all; k++) {
                all = false;
                const struct column *column = &parent->columns[i->columns[k]];
                const char *own = column->collation ? column->collation : "BINARY";
                if (!name_equal(own, i->collations[k] ? i->collations[k] : "BINARY")) break;
                for (u16 x = 0; x < f->column_count; x++)
                    if (name_equal(f->columns[x].parent, column->name)) {
                        order[k] = x;
                        all = true;
                    }
            }
        }
        if (!all) continue;
        *index = i;
        return true;
    }
    return false;
}

// A key of the table that is looked at, and where its parent's rows are found.
struct key_search {
    const struct foreign_key *key;
    const struct table *parent; // NULL: there is none
    const struct index *index;  // NULL: by rowid
    u16 *order;
    int cursor, reg; // of the parent or its index; the key's values
    int fine, missing; // labels; missing 0: what is told follows the search
};

static void key_search_open(struct compile *c, const struct table *t, int database, const struct foreign_key *f, struct key_search *k)
{
    *k = (struct key_search){.key = f, .parent = schema_table(compile_schema(c, database), f->parent), .cursor = -1};
    k->order = arena_alloc(c->arena, f->column_count * sizeof *k->order);
    k->reg = reg_alloc_range(c, f->column_count);
    if (!k->parent) return;
    if (!find_parent_key(k->parent, f, &k->index, k->order))
        compile_fail(c, ERR_ERROR, -1, "foreign key mismatch - \"%s\" referencing \"%s\"", t->name, f->parent);
    k->cursor = cursor_alloc(c);
    if (k->index)
        open_index(c, k->cursor, database, k->index, OP_OpenRead);
    else
        open_table(c, k->cursor, database, k->parent, OP_OpenRead);
}

// reg: of the result row.
static void tell_missing(struct compile *c, const struct table *t, const struct key_search *k, s64 number, int child_cursor, int reg)
{
    if (table_has_rowid(t))
        emit(c, OP_Rowid, child_cursor, reg + 1, 0);
    else
        emit(c, OP_Null, 0, reg + 1, 0);
    emit_string(c, t->name, (u32)strlen(t->name), reg);
    emit_string(c, k->key->parent, (u32)strlen(k->key->parent), reg + 2);
    program_emit_integer(c->program, reg + 3, number);
    emit(c, OP_ResultRow, reg, 4, 0);
}

static void check_foreign_key(struct compile *c, const struct table *t, struct key_search *k, s64 number, int child_cursor, int reg)
{
    const struct foreign_key *f = k->key;
    k->fine = label_new(c);
    for (u16 i = 0; i < f->column_count; i++) {
        s16 child = f->columns[k->parent ? k->order[i] : i].child;
        column_code(c, t, child_cursor, child == t->rowid_column ? COLUMN_ROWID : child, k->reg + i);
        emit(c, OP_IsNull, k->reg + i, k->fine, 0);
    }
    if (k->parent && !k->index) {
        k->missing = label_new(c); // behind the loop: most rows have a parent
        emit(c, OP_SeekRowid, k->cursor, k->missing, k->reg);
    } else if (k->parent) {
        emit(c, OP_Affinity, k->reg, f->column_count, 0);
        program_p4_text(c->program, -1, index_affinities(c, k->index), f->column_count);
        emit_int(c, OP_Found, k->cursor, k->fine, k->reg, f->column_count);
    }
    if (!k->missing) tell_missing(c, t, k, number, child_cursor, reg);
    label_place(c, k->fine);
}

static void check_foreign_keys(struct compile *c, const struct table *t, int database, int reg)
{
    u32 count = 0;
    for (const struct foreign_key *f = t->foreign_keys; f; f = f->next) count++;
    struct key_search *keys = arena_alloc(c->arena, count * sizeof *keys);
    int cursor = cursor_alloc(c), end = label_new(c);
    open_table(c, cursor, database, t, OP_OpenRead);
    u32 n = 0;
    for (const struct foreign_key *f = t->foreign_keys; f; f = f->next) key_search_open(c, t, database, f, &keys[n++]);
    emit(c, OP_Rewind, cursor, end, 0);
    int loop = here(c);
    for (n = 0; n < count; n++) check_foreign_key(c, t, &keys[n], n, cursor, reg);
    emit(c, OP_Next, cursor, loop, 0);
    emit_goto(c, end);
    for (n = 0; n < count; n++) {
        if (!keys[n].missing) continue;
        label_place(c, keys[n].missing);
        tell_missing(c, t, &keys[n], n, cursor, reg);
        emit_goto(c, keys[n].fine);
    }
    label_place(c, end);
    for (n = 0; n < count; n++)
        if (keys[n].cursor >= 0) emit(c, OP_Close, keys[n].cursor, 0, 0);
    emit(c, OP_Close, cursor, 0, 0);
}

void pragma_foreign_key_check(struct compile *c, int database, const char *value)
{
    int reg = reg_alloc_range(c, 4), found = -1;
    const struct table *only = NULL;
    if (value) {
        only = locate_table(c, database >= 0 ? compile_database_name(c, database) : NULL, value, -1, false, &found);
    }
    for (int d = 0; d < compile_database_count(c); d++) {
        const struct schema *s = compile_schema(c, d);
        if (!s || (database >= 0 ? d != database : only ? d != found : d != DATABASE_MAIN)) continue;
        u32 count;
        const struct table **tables = schema_tables_ordered(s, c->arena, &count);
        for (u32 i = 0; i < count; i++) {
            const struct table *t = tables[i];
            if (!t->foreign_keys || (only && t != only)) continue;
            compile_use_database(c, d); // others are not read, nor kept from DETACH
            check_foreign_keys(c, t, d, reg);
        }
    }
}
