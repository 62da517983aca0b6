#include "dml.h"

#include "../connection.h"

// Two counters of violations are kept while a statement runs (OP_FkCounter): one for immediate keys, looked at
// when the statement ends, one for deferred ones, looked at when the transaction does. A child row that comes
// without parent adds one, one that goes takes one away; a parent row that goes adds one for each child, one that
// comes takes as many away. Nothing is subtracted while a counter is zero (OP_FkIfZero).

static bool keys_enforced(struct compile *c, const struct table *t)
{
    return connection_flag(c->db, CONNECTION_FOREIGN_KEYS) && t->kind == TABLE_ORDINARY;
}

static bool all_deferred(struct compile *c)
{
    return connection_flag(c->db, CONNECTION_DEFER_FOREIGN_KEYS);
}

static const struct foreign_key *foreign_key_referring(struct compile *c, const struct table *t, int database,
                                                       struct foreign_key_place *place)
{
    const struct schema *s = compile_schema(c, database);
    const struct foreign_key *key = place->key ? place->key->next : NULL;
    if (!place->key) {
        place->table = 0;
        key = s->table_count ? s->tables[s->table_count - 1]->foreign_keys : NULL;
    }
    for (;;) {
        for (; key; key = key->next) {
            if (!name_equal(key->parent, t->name)) continue;
            place->key = key;
            return key;
        }
        if (++place->table >= s->table_count) return NULL;
        key = s->tables[s->table_count - 1 - place->table]->foreign_keys;
    }
}

// The unique index of the parent that the key refers to (*index NULL: its rowid), and for each of the index's
// columns the child's column. False: "foreign key mismatch".
static bool parent_index_find(struct compile *c, const struct table *parent, const struct foreign_key *key,
                              const struct index **index, s16 **child_columns)
{
    const char *first = key->columns[0].parent;
    s16 *columns = arena_alloc(c->arena, key->column_count * sizeof(*columns));
    *index = NULL;
    *child_columns = columns;
    columns[0] = key->columns[0].child;
    if (key->column_count == 1 && parent->rowid_column >= 0 &&
        (!first || name_equal(first, parent->columns[parent->rowid_column].name)))
        return true;
    for (const struct index *i = parent->indexes; i; i = i->next) {
        if (i->key_count != key->column_count || i->conflict == CONFLICT_NONE || i->where) continue;
        if (!first) {
            if (i->kind != INDEX_PRIMARY_KEY) continue;
            for (u32 k = 0; k < key->column_count; k++) columns[k] = key->columns[k].child;
            *index = i;
            return true;
        }
        u32 matched = 0;
        for (; matched < key->column_count; matched++) {
            s16 column = i->columns[matched];
            if (column < 0) break;
            const char *own = parent->columns[column].collation;
            if (!name_equal(i->collations[matched] ? i->collations[matched] : "BINARY", own ? own : "BINARY")) break;
            u32 k = 0;
            while (k < key->column_count && !name_equal(key->columns[k].parent, parent->columns[column].name)) k++;
            if (k == key->column_count) break;
            columns[matched] = key->columns[k].child;
        }
        if (matched == key->column_count) {
            *index = i;
            return true;
        }
    }
    return false;
}

_Noreturn static void mismatch_fail(struct compile *c, const struct foreign_key *key)
{
    compile_fail(c, ERR_ERROR, -1, "foreign key mismatch - \"%s\" referencing \"%s\"", key->child->name, key->parent);
}

static bool child_changes(const struct table *t, const struct foreign_key *key, const int *changes, bool key_changes)
{
    for (u32 i = 0; i < key->column_count; i++) {
        s16 column = key->columns[i].child;
        if (changes[column] >= 0 || (column == t->rowid_column && key_changes)) return true;
    }
    return false;
}

static bool parent_changes(const struct table *t, const struct foreign_key *key, const int *changes, bool key_changes)
{
    for (u32 i = 0; i < key->column_count; i++) {
        const char *name = key->columns[i].parent;
        for (s32 k = 0; k < t->column_count; k++) {
            if (changes[k] < 0 && !(k == t->rowid_column && key_changes)) continue;
            if (name ? name_equal(t->columns[k].name, name) : (t->columns[k].flags & COLUMN_PRIMARY_KEY) != 0)
                return true;
        }
    }
    return false;
}

int foreign_key_required(struct compile *c, const struct table *t, int database, const int *changes, bool key_changes)
{
    if (!keys_enforced(c, t)) return 0;
    struct foreign_key_place place = {0};
    const struct foreign_key *key;
    if (!changes) return t->foreign_keys || foreign_key_referring(c, t, database, &place) ? 1 : 0;
    int required = 0;
    for (key = t->foreign_keys; key; key = key->next) {
        if (!child_changes(t, key, changes, key_changes)) continue;
        required = MAX(required, name_equal(t->name, key->parent) ? 2 : 1);
    }
    while ((key = foreign_key_referring(c, t, database, &place))) {
        if (!parent_changes(t, key, changes, key_changes)) continue;
        if (key->on_update != FK_NO_ACTION) return 2;
        required = MAX(required, 1);
    }
    return required;
}

// ---- checks --------------------------------------------------------------------------------------------------

struct lookup {
    const struct table *parent;
    const struct index *index;
    const struct foreign_key *key;
    const s16 *child_columns;
    int database, reg_row;
    int increment; // +1: the child row comes, -1: it goes
};

static int child_reg(const struct lookup *l, u32 i)
{
    const struct table *t = l->key->child;
    s16 column = l->child_columns[i];
    if (column == t->rowid_column) return l->reg_row;
    return l->reg_row + 1 + t->columns[column].storage;
}

static void violation_code(struct compile *c, const struct foreign_key *key, int increment)
{
    if (!key->deferred && !all_deferred(c) && c->top == c && !c->multi_row_write) {
        // One row is inserted, and no statement savepoint will be there to undo it.
        constraint_halt(c, ERR_CONSTRAINT_FOREIGNKEY, CONFLICT_ABORT, NULL, HALT_FOREIGN_KEY);
        return;
    }
    if (increment > 0 && !key->deferred) c->top->may_abort = true;
    emit(c, OP_FkCounter, key->deferred, increment, 0);
}

static void rowid_lookup(struct compile *c, const struct lookup *l, int cursor, int found, int missing)
{
    // A copy: the child's value must not take on the parent's affinity.
    int reg = reg_temp(c);
    emit(c, OP_SCopy, child_reg(l, 0), reg, 0);
    emit(c, OP_MustBeInt, reg, missing, 0);
    if (l->parent == l->key->child && l->increment > 0) {
        emit(c, OP_Eq, l->reg_row, found, reg);
    }
    open_table(c, cursor, l->database, l->parent, OP_OpenRead);
    emit(c, OP_NotExists, cursor, missing, reg);
    if (l->increment > 0) emit(c, OP_FkRefer, cursor, reg, 0);
    emit(c, OP_Goto, 0, found, 0);
    reg_release(c, reg);
}

static void index_lookup(struct compile *c, const struct lookup *l, int cursor, int found, int missing)
{
    const struct table *t = l->parent;
    int count = l->key->column_count;
    int first = reg_temp_range(c, count);
    open_index(c, cursor, l->database, l->index, OP_OpenRead);
    for (int i = 0; i < count; i++) emit(c, OP_Copy, child_reg(l, (u32)i), first + i, 0);
    if (t == l->key->child && l->increment > 0) {
        // A row may be its own parent.
        int other = label_new(c);
        for (int i = 0; i < count; i++) {
            s16 column = l->index->columns[i];
            int own = column == t->rowid_column ? l->reg_row : l->reg_row + 1 + t->columns[column].storage;
            emit(c, OP_Ne, child_reg(l, (u32)i), other, own);
            set_p5(c, COMPARE_JUMP_IF_NULL);
        }
        emit(c, OP_Goto, 0, found, 0);
        label_place(c, other);
    }
    emit(c, OP_Affinity, first, count, 0);
    set_p4_text(c, arena_format(c->arena, "%.*s", count, index_affinities(c, l->index)));
    emit(c, OP_NotFound, cursor, missing, first);
    set_p4_int(c, count);
    if (l->increment > 0) {
        emit(c, OP_FkRefer, cursor, first, 0);
        set_p4_int(c, count);
    }
    emit(c, OP_Goto, 0, found, 0);
    reg_release_range(c, first, count);
}

static void parent_lookup(struct compile *c, const struct lookup *l)
{
    int cursor = cursor_alloc(c), found = label_new(c), missing = label_new(c);
    if (l->increment < 0) emit(c, OP_FkIfZero, l->key->deferred, found, 0);
    for (u32 i = 0; i < l->key->column_count; i++) emit(c, OP_IsNull, child_reg(l, i), found, 0);
    if (l->index)
        index_lookup(c, l, cursor, found, missing);
    else
        rowid_lookup(c, l, cursor, found, missing);
    label_place(c, missing);
    violation_code(c, l->key, l->increment);
    label_place(c, found); // the cursor stays open for the next row
}

// The parent's value as an expression; column COLUMN_ROWID: the rowid.
static struct expr *parent_value(struct compile *c, const struct table *t, int reg_row, s16 column)
{
    struct expr *e = expr_new(c->arena, EXPR_REGISTER, OFFSET_NONE);
    if (column < 0 || column == t->rowid_column) {
        e->reg = reg_row;
        e->affinity = AFFINITY_INTEGER;
        return e;
    }
    e->reg = reg_row + 1 + t->columns[column].storage;
    e->affinity = t->columns[column].affinity;
    struct expr *collate = expr_new(c->arena, EXPR_COLLATE, OFFSET_NONE);
    collate->text = t->columns[column].collation ? t->columns[column].collation : "BINARY";
    collate->text_size = (u32)strlen(collate->text);
    collate->left = e;
    expr_summarize(collate);
    return collate;
}

// Counts the children of a parent row that goes (increment +1) or comes (-1).
static void children_scan(struct compile *c, struct lookup *l)
{
    const struct table *t = l->parent, *child = l->key->child;
    int none = label_new(c);
    if (l->increment < 0) emit(c, OP_FkIfZero, l->key->deferred, none, 0);
    struct source_list *sources = NULL;
    struct source *source = source_list_add(c->arena, &sources);
    source->name = child->name;
    source->table = child;
    source->database = l->database;
    source->cursor = cursor_alloc(c);

    struct expr *where = NULL;
    for (u32 i = 0; i < l->key->column_count; i++) {
        struct expr *value = parent_value(c, t, l->reg_row, l->index ? l->index->columns[i] : COLUMN_ROWID);
        struct expr *column = expr_name(c->arena, child->columns[l->child_columns[i]].name);
        where = expr_and(c->arena, where, expr_binary(c->arena, EXPR_EQ, value, column));
    }
    if (t == child && l->increment > 0) {
        // Not the row itself.
        if (table_has_rowid(t)) {
            struct expr *rowid = expr_new(c->arena, EXPR_COLUMN, OFFSET_NONE);
            rowid->cursor = source->cursor;
            rowid->column = COLUMN_ROWID;
            rowid->table = t;
            struct expr *own = parent_value(c, t, l->reg_row, COLUMN_ROWID);
            where = expr_and(c->arena, where, expr_binary(c->arena, EXPR_NE, own, rowid));
        } else {
            struct expr *same = NULL;
            for (u32 i = 0; i < l->index->key_count; i++) {
                s16 column = l->index->columns[i];
                struct expr *own = parent_value(c, t, l->reg_row, column);
                struct expr *name = expr_name(c->arena, t->columns[column].name);
                same = expr_and(c->arena, same, expr_binary(c->arena, EXPR_IS, own, name));
            }
            where = expr_and(c->arena, where, expr_binary(c->arena, EXPR_NOT, same, NULL));
        }
    }
    struct name_context names = {.c = c, .sources = sources};
    resolve_expr(&names, where);
    struct where_info *w = where_begin(c, sources, where, NULL, NULL, NULL, 0, 0);
    emit(c, OP_FkCounter, l->key->deferred, l->increment, 0);
    where_end(w);
    label_place(c, none);
}

// Whether it is the action SET NULL of this very key that is being compiled: the row then refers to nothing.
static const void *action_key(const struct foreign_key *key, bool update)
{
    return (const char *)key + update;
}

static bool in_set_null(struct compile *c, const struct foreign_key *key)
{
    const void *own = c->program->key;
    return own && ((own == action_key(key, false) && key->on_delete == FK_SET_NULL) ||
                   (own == action_key(key, true) && key->on_update == FK_SET_NULL));
}

static void child_checks(struct compile *c, const struct table *t, int database, int reg_old, int reg_new,
                         const int *changes, bool key_changes)
{
    bool dropping = c->triggers_disabled;
    for (const struct foreign_key *key = t->foreign_keys; key; key = key->next) {
        if (changes && !name_equal(t->name, key->parent) && !child_changes(t, key, changes, key_changes)) continue;
        int found;
        const struct table *parent =
            locate_table(c, compile_database_name(c, database), key->parent, -1, dropping, &found);
        struct lookup l = {.parent = parent, .key = key, .database = database};
        s16 *columns = NULL;
        if (!parent) {
            // The table is dropped and its parent was before it: all its rows are violations, which end.
            int null = label_new(c);
            for (u32 i = 0; i < key->column_count; i++)
                emit(c, OP_IsNull, reg_old + 1 + t->columns[key->columns[i].child].storage, null, 0);
            emit(c, OP_FkCounter, key->deferred, -1, 0);
            label_place(c, null);
            continue;
        }
        if (!parent_index_find(c, parent, key, &l.index, &columns)) {
            if (dropping) continue;
            mismatch_fail(c, key);
        }
        l.child_columns = columns;
        if (reg_old) {
            l.reg_row = reg_old;
            l.increment = -1;
            parent_lookup(c, &l);
        }
        if (reg_new && !in_set_null(c, key)) {
            l.reg_row = reg_new;
            l.increment = 1;
            parent_lookup(c, &l);
        }
    }
}

static void parent_checks(struct compile *c, const struct table *t, int database, int reg_old, int reg_new,
                          const int *changes, bool key_changes)
{
    struct foreign_key_place place = {0};
    const struct foreign_key *key;
    while ((key = foreign_key_referring(c, t, database, &place))) {
        if (changes && !parent_changes(t, key, changes, key_changes)) continue;
        // A single new row has no children that could be waiting, but for deferred keys.
        if (!key->deferred && !all_deferred(c) && c->top == c && !c->multi_row_write) continue;
        struct lookup l = {.parent = t, .key = key, .database = database};
        s16 *columns = NULL;
        if (!parent_index_find(c, t, key, &l.index, &columns)) {
            if (c->triggers_disabled) continue;
            mismatch_fail(c, key);
        }
        l.child_columns = columns;
        if (reg_new) {
            l.reg_row = reg_new;
            l.increment = -1;
            children_scan(c, &l);
        }
        if (reg_old) {
            l.reg_row = reg_old;
            l.increment = 1;
            children_scan(c, &l);
            u8 action = changes ? key->on_update : key->on_delete;
            if (!key->deferred && action != FK_CASCADE && action != FK_SET_NULL) c->top->may_abort = true;
        }
    }
}

void foreign_key_check(struct compile *c, const struct table *t, int database, int reg_old, int reg_new,
                       const int *changes, bool key_changes)
{
    if (!keys_enforced(c, t)) return;
    child_checks(c, t, database, reg_old, reg_new, changes, key_changes);
    parent_checks(c, t, database, reg_old, reg_new, changes, key_changes);
}

void foreign_key_require_parents(struct compile *c, const struct table *t, int database)
{
    if (!keys_enforced(c, t) || c->triggers_disabled) return;
    struct foreign_key_place place = {0};
    const struct foreign_key *key;
    while ((key = foreign_key_referring(c, t, database, &place))) {
        const struct index *index;
        s16 *columns;
        if (!parent_index_find(c, t, key, &index, &columns)) mismatch_fail(c, key);
    }
}

// ---- actions ---------------------------------------------------------------------------------------------------

static struct expr *row_column(struct compile *c, const char *row, const char *column)
{
    return expr_binary(c->arena, EXPR_DOT, expr_name(c->arena, row), expr_name(c->arena, column));
}

static struct expr *action_value(struct compile *c, const struct foreign_key *key, enum foreign_key_action action,
                                 const char *parent_column, s16 child_column)
{
    const struct column *column = &key->child->columns[child_column];
    if (action == FK_CASCADE) return row_column(c, "new", parent_column);
    if (action == FK_SET_DEFAULT && column->default_value && !(column->flags & COLUMN_GENERATED))
        return expr_copy(c->arena, column->default_value);
    return expr_new(c->arena, EXPR_NULL, OFFSET_NONE);
}

static struct source_list *child_source(struct compile *c, const struct foreign_key *key)
{
    struct source_list *list = NULL;
    source_list_add(c->arena, &list)->name = key->child->name;
    return list;
}

static struct stmt *action_step(struct compile *c, const struct foreign_key *key, enum foreign_key_action action,
                                bool update, struct expr *where, struct expr_list *set)
{
    if (action == FK_RESTRICT) {
        struct stmt_select *s = arena_alloc(c->arena, sizeof(*s));
        struct expr *text = expr_new(c->arena, EXPR_TEXT, OFFSET_NONE);
        text->text = "FOREIGN KEY constraint failed";
        text->text_size = (u32)strlen(text->text);
        struct expr *raise = expr_new(c->arena, EXPR_RAISE, OFFSET_NONE);
        raise->conflict = CONFLICT_ABORT;
        raise->left = text;
        s->stmt.kind = STMT_SELECT;
        s->select = arena_alloc(c->arena, sizeof(*s->select));
        expr_list_add(c->arena, &s->select->columns, raise);
        s->select->from = child_source(c, key);
        s->select->where = where;
        return &s->stmt;
    }
    if (action == FK_CASCADE && !update) {
        struct stmt_delete *s = arena_alloc(c->arena, sizeof(*s));
        s->stmt.kind = STMT_DELETE;
        s->target = child_source(c, key);
        s->where = where;
        return &s->stmt;
    }
    struct stmt_update *s = arena_alloc(c->arena, sizeof(*s));
    s->stmt.kind = STMT_UPDATE;
    s->target = child_source(c, key);
    s->set = set;
    s->where = where;
    return &s->stmt;
}

// NULL: the parent is dropped, and has no key that the child could refer to.
static struct trigger *action_make(struct compile *c, const struct table *t, const struct foreign_key *key,
                                   enum foreign_key_action action, bool update)
{
    const struct index *index;
    s16 *child_columns;
    if (!parent_index_find(c, t, key, &index, &child_columns)) {
        if (c->triggers_disabled) return NULL;
        mismatch_fail(c, key);
    }
    struct expr *where = NULL, *same = NULL;
    struct expr_list *set = NULL;
    for (u32 i = 0; i < key->column_count; i++) {
        const char *parent = t->columns[index ? index->columns[i] : t->rowid_column].name;
        s16 child = child_columns[i];
        // The parent's value stands left: its collation and affinity count.
        where = expr_and(c->arena, where,
                         expr_binary(c->arena, EXPR_EQ, row_column(c, "old", parent),
                                     expr_name(c->arena, key->child->columns[child].name)));
        if (update)
            same = expr_and(
                c->arena, same,
                expr_binary(c->arena, EXPR_IS, row_column(c, "old", parent), row_column(c, "new", parent)));
        if (action == FK_RESTRICT || (action == FK_CASCADE && !update)) continue;
        struct expr_item *item = expr_list_add(c->arena, &set, action_value(c, key, action, parent, child));
        item->name = key->child->columns[child].name;
    }
    struct trigger *made = arena_alloc(c->arena, sizeof(*made));
    made->time = TRIGGER_AFTER;
    made->event = update ? TRIGGER_UPDATE : TRIGGER_DELETE;
    made->when = same ? expr_binary(c->arena, EXPR_NOT, same, NULL) : NULL;
    made->steps = action_step(c, key, action, update, where, set);
    return made;
}

void foreign_key_actions(struct compile *c, const struct table *t, int database, bool update, int reg_old,
                         const int *changes, bool key_changes)
{
    if (!connection_flag(c->db, CONNECTION_FOREIGN_KEYS)) return; // a view can be named as a parent: that is a mismatch
    struct foreign_key_place place = {0};
    const struct foreign_key *key;
    while ((key = foreign_key_referring(c, t, database, &place))) {
        if (changes && !parent_changes(t, key, changes, key_changes)) continue;
        enum foreign_key_action action = update ? key->on_update : key->on_delete;
        if (action == FK_NO_ACTION || (action == FK_RESTRICT && all_deferred(c))) continue;
        const struct trigger *made = action_make(c, t, key, action, update);
        if (made) trigger_fire_steps(c, action_key(key, update), made, t, database, reg_old);
    }
}

void foreign_key_drop_table(struct compile *c, const struct table *t, int database)
{
    if (!keys_enforced(c, t)) return;
    struct foreign_key_place place = {0};
    int skip = 0;
    if (!foreign_key_referring(c, t, database, &place)) {
        const struct foreign_key *key = t->foreign_keys;
        while (key && !key->deferred && !all_deferred(c)) key = key->next;
        if (!key) return;
        skip = label_new(c);
        emit(c, OP_FkIfZero, 1, skip, 0);
    }
    struct stmt_delete *s = arena_alloc(c->arena, sizeof(*s));
    s->stmt.kind = STMT_DELETE;
    struct source *source = source_list_add(c->arena, &s->target);
    source->name = t->name;
    source->schema_name = compile_database_name(c, database);
    c->triggers_disabled = true;
    delete_code(c, s);
    c->triggers_disabled = false;
    if (!all_deferred(c)) {
        int none = label_new(c);
        emit(c, OP_FkIfZero, 0, none, 0);
        constraint_halt(c, ERR_CONSTRAINT_FOREIGNKEY, CONFLICT_ABORT, NULL, HALT_FOREIGN_KEY);
        label_place(c, none);
    }
    if (skip) label_place(c, skip);
}
