#include "dml.h"

#include "../connection.h"

// One uniqueness check: of an index, or of the rowid.
struct unique_check {
    const struct index *index; // NULL: the rowid
    u32 number;                // of the index
    struct upsert *clause;     // ON CONFLICT clause that applies, or NULL
    enum conflict conflict;
    bool recheck; // a REPLACE whose triggers may bring the conflict back
};

struct checks {
    struct constraint_job *job;
    const struct table *table;
    struct write_target *target;
    bool affinity_done;
    int key_count; // fields of the table's key
    struct trigger_set delete_triggers;
    int reg_trigger_count; // counts rows replaced with triggers or foreign key actions; 0: there are none such
    bool rechecks;
};

static enum conflict conflict_choose(enum conflict statement, u8 own)
{
    if (statement != CONFLICT_DEFAULT) return statement;
    return own == CONFLICT_DEFAULT || own == CONFLICT_NONE ? CONFLICT_ABORT : (enum conflict)own;
}

void constraint_halt(struct compile *c, err_code code, enum conflict conflict, const char *text, int kind)
{
    if (conflict == CONFLICT_ABORT) c->top->may_abort = true;
    emit(c, OP_Halt, (int)code, conflict, 0);
    if (text) set_p4_text(c, text);
    set_p5(c, kind);
}

// "table.column": most inserts say it once a constraint, and printf takes longer than all the rest of that.
static char *column_path(struct compile *c, const struct table *t, const char *column)
{
    size_t table_size = strlen(t->name), column_size = strlen(column);
    char *text = arena_alloc(c->arena, table_size + column_size + 2);
    memcpy(text, t->name, table_size);
    text[table_size] = '.';
    memcpy(text + table_size + 1, column, column_size);
    return text;
}

static void rowid_halt(struct compile *c, const struct table *t, enum conflict conflict)
{
    bool named = t->rowid_column >= 0;
    const char *column = named ? t->columns[t->rowid_column].name : "rowid";
    constraint_halt(c, named ? ERR_CONSTRAINT_PRIMARYKEY : ERR_CONSTRAINT_ROWID, conflict,
                    column_path(c, t, column), HALT_UNIQUE);
}

void unique_halt(struct compile *c, const struct index *i, enum conflict conflict)
{
    const char *text = "";
    if (i->exprs) {
        text = arena_format(c->arena, "index '%s'", i->name);
    } else {
        for (u32 k = 0; k < i->key_count; k++) {
            const char *path = column_path(c, i->table, i->table->columns[i->columns[k]].name);
            text = k ? arena_format(c->arena, "%s, %s", text, path) : path;
        }
    }
    constraint_halt(c, i->kind == INDEX_PRIMARY_KEY ? ERR_CONSTRAINT_PRIMARYKEY : ERR_CONSTRAINT_UNIQUE, conflict,
                    text, HALT_UNIQUE);
}

static void not_null_check(struct compile *c, struct checks *k, u32 column, enum conflict conflict)
{
    const struct table *t = k->table;
    int reg = k->job->reg_new + 1 + t->columns[column].storage;
    if (conflict == CONFLICT_REPLACE) {
        int present = label_new(c);
        emit(c, OP_NotNull, reg, present, 0);
        expr_code(c, self_expr(c, NULL, t->columns[column].default_value, 0), reg);
        label_place(c, present);
        return;
    }
    if (conflict == CONFLICT_IGNORE) {
        emit(c, OP_IsNull, reg, k->job->ignore_label, 0);
        return;
    }
    if (conflict == CONFLICT_ABORT) c->top->may_abort = true;
    emit(c, OP_HaltIfNull, ERR_CONSTRAINT_NOTNULL, conflict, reg);
    set_p4_text(c, column_path(c, t, t->columns[column].name));
    set_p5(c, HALT_NOT_NULL);
}

// Plain columns first; then, since REPLACE may have put defaults in, generated ones, and those with REPLACE again.
static void not_null_checks(struct compile *c, struct checks *k)
{
    const struct table *t = k->table;
    bool replaced = false, generated = false;
    for (int pass = 1; pass <= 2; pass++) {
        for (u32 i = 0; i < t->column_count; i++) {
            const struct column *column = &t->columns[i];
            if (column->not_null == CONFLICT_NONE || (s32)i == t->rowid_column) continue;
            bool is_generated = column->flags & COLUMN_GENERATED;
            if (is_generated && pass == 1) {
                generated = true;
                continue;
            }
            if (k->job->changes && k->job->changes[i] < 0 && !is_generated) continue;
            enum conflict conflict = conflict_choose(k->job->conflict, column->not_null);
            if (conflict == CONFLICT_UPDATE) conflict = CONFLICT_ABORT;
            if (conflict == CONFLICT_REPLACE) {
                if (pass == 2 || !column->default_value || is_generated)
                    conflict = CONFLICT_ABORT;
                else
                    replaced = true;
            } else if (pass == 2 && !is_generated) {
                continue;
            }
            not_null_check(c, k, i, conflict);
        }
        if (!generated && !replaced) return;
        if (pass == 1 && replaced && table_has_generated(t)) generated_code(c, t, k->job->reg_new + 1);
    }
}

// The new rowid, if it is still to be made.
static void rowid_now(struct compile *c, struct checks *k)
{
    if (k->job->rowid_later) emit(c, OP_NewRowid, k->target->data_cursor, k->job->reg_new, 0);
    k->job->rowid_later = false;
}

static void affinity_once(struct compile *c, struct checks *k)
{
    if (!k->affinity_done) row_affinity(c, k->table, k->job->reg_new + 1, false);
    k->affinity_done = true;
}

// A constraint without a name is called by its text; SQLite dequotes that, so a leading quoted word is all of it.
static const char *check_name(struct compile *c, const struct check_constraint *check)
{
    if (check->name) return check->name;
    char quote = check->text[0] == '[' ? ']' : check->text[0];
    if (quote != '"' && quote != '\'' && quote != '`' && quote != ']') return check->text;
    char *out = arena_copy(c->arena, check->text, strlen(check->text)), *to = out;
    for (const char *at = check->text + 1; *at; at++) {
        if (*at == quote && *++at != quote) break;
        *to++ = *at;
    }
    *to = 0;
    return out;
}

static void check_checks(struct compile *c, struct checks *k)
{
    struct constraint_job *job = k->job;
    enum conflict conflict = conflict_choose(job->conflict, CONFLICT_ABORT);
    if (conflict == CONFLICT_REPLACE || conflict == CONFLICT_UPDATE) conflict = CONFLICT_ABORT;
    for (u32 i = 0; i < k->table->check_count; i++) {
        const struct check_constraint *check = &k->table->checks[i];
        if (job->changes && !expr_reads_changed(c, k->table, check->expr, job->changes, job->key_changes)) continue;
        affinity_once(c, k);
        int outer = c->self_cursor, holds = label_new(c);
        c->self_cursor = -(job->reg_new + 1);
        c->self_what = "a CHECK constraint";
        expr_jump_if_true(c, self_expr(c, k->table, check->expr, NAME_CHECK), holds, true);
        c->self_cursor = outer;
        c->self_what = NULL;
        if (conflict == CONFLICT_IGNORE)
            emit(c, OP_Goto, 0, job->ignore_label, 0);
        else
            constraint_halt(c, ERR_CONSTRAINT_CHECK, conflict, check_name(c, check), HALT_CHECK);
        label_place(c, holds);
    }
}

// ---- uniqueness ------------------------------------------------------------------------------------------

// Emits what jumps to `unique` unless another row has the new rowid.
static void rowid_conflict_code(struct compile *c, struct checks *k, int unique)
{
    struct constraint_job *job = k->job;
    if (job->reg_old) {
        emit(c, OP_Eq, job->reg_new, unique, job->reg_old);
    }
    emit(c, OP_NotExists, k->target->data_cursor, unique, job->reg_new);
}

static void rowid_check(struct compile *c, struct checks *k, struct unique_check *u)
{
    struct constraint_job *job = k->job;
    const struct table *t = k->table;
    int unique = label_new(c);
    rowid_conflict_code(c, k, unique);
    switch (u->conflict) {
    case CONFLICT_NONE:
    case CONFLICT_DEFAULT:
    case CONFLICT_ROLLBACK:
    case CONFLICT_ABORT:
    case CONFLICT_FAIL:
        rowid_halt(c, t, u->conflict);
        break;
    case CONFLICT_REPLACE:
        if (k->reg_trigger_count) {
            c->top->multi_row_write = true;
            row_delete(c, k->target, &k->delete_triggers, NULL, job->reg_new, 1, false, CONFLICT_REPLACE,
                       ONE_PASS_SINGLE, -1);
            emit(c, OP_AddImm, k->reg_trigger_count, 1, 0);
            k->rechecks = true;
        } else if (t->indexes) {
            // The row itself is overwritten by the insertion.
            c->top->multi_row_write = true;
            index_entries_delete(c, k->target, NULL, -1);
        }
        job->may_replace = true;
        break;
    case CONFLICT_UPDATE:
        upsert_update_code(c, job, NULL, k->target->data_cursor);
        emit(c, OP_Goto, 0, job->ignore_label, 0);
        break;
    case CONFLICT_IGNORE:
        emit(c, OP_Goto, 0, job->ignore_label, 0);
        break;
    }
    label_place(c, unique);
}

// Computes the fields of an index's new entry, behind regs[number], where its record goes; or leaves NULL there and goes to
// `skip` when a partial index has none.
static void index_entry_code(struct compile *c, struct checks *k, const struct index *i, u32 number, int skip)
{
    struct constraint_job *job = k->job;
    const struct table *t = k->table;
    int reg = k->target->index_regs[number];
    int outer = c->self_cursor;
    rowid_now(c, k);
    affinity_once(c, k);
    c->self_cursor = -(job->reg_new + 1);
    if (i->where) {
        emit(c, OP_Null, 0, reg, 0);
        expr_jump_if_false(c, self_expr(c, t, i->where, NAME_PARTIAL_INDEX), skip, true);
    }
    for (u32 f = 0; f < i->column_count; f++) {
        int field = reg + 1 + (int)f, column = i->columns[f];
        if (column == COLUMN_EXPR)
            expr_code(c, self_expr(c, t, i->exprs[f], NAME_INDEX_EXPR), field);
        else if (column == COLUMN_ROWID || column == t->rowid_column)
            emit(c, OP_IntCopy, job->reg_new, field, 0);
        else
            emit(c, OP_SCopy, job->reg_new + 1 + t->columns[column].storage, field, 0);
    }
    c->self_cursor = outer;
}

// Emits what jumps to `unique` unless another row has the same key, in registers from `fields` on; leaves that row's key in
// reg_key.. when the conflict is to be replaced.
static void index_conflict_code(struct compile *c, struct checks *k, const struct unique_check *u, int fields, int reg_key,
                                int unique)
{
    struct constraint_job *job = k->job;
    const struct table *t = k->table;
    const struct index *i = u->index;
    int cursor = k->target->index_cursor + (int)u->number;
    bool update = job->reg_old != 0;
    emit(c, OP_NoConflict, cursor, unique, fields);
    set_p4_int(c, i->key_count);
    if (!update && u->conflict != CONFLICT_REPLACE) return;
    if (table_has_rowid(t)) {
        emit(c, OP_IdxRowid, cursor, reg_key, 0);
        if (update) {
            emit(c, OP_Eq, reg_key, unique, job->reg_old);
        }
        return;
    }
    const struct index *pk = t->primary_key;
    if (i != pk) {
        for (u32 f = 0; f < pk->key_count; f++)
            emit(c, OP_Column, cursor, index_column_place(i, pk->columns[f]), reg_key + (int)f);
    }
    if (!update) return;
    // It is this very row when all of its old key is there.
    int other = label_new(c);
    for (u32 f = 0; f < pk->key_count; f++) {
        int old = job->reg_old + 1 + t->columns[pk->columns[f]].storage;
        bool last = f + 1 == pk->key_count;
        emit(c, last ? OP_Eq : OP_Ne, old, last ? unique : other, reg_key + (int)f);
        set_p4_collation(c, key_info_of_index(c, pk)->collations[f]);
    }
    label_place(c, other);
}

// Where the new row has the key of an index, when that is a single column of it; else 0. Then the entry's fields need not be
// there before the key was looked for.
static int key_in_row(const struct checks *k, const struct index *i)
{
    const struct table *t = k->table;
    s32 column = i->columns[0];
    if (i->key_count != 1 || i->where || column < 0 || column == t->rowid_column || i == t->primary_key) return 0;
    return k->job->reg_new + 1 + t->columns[column].storage;
}

// REPLACE on a WITHOUT ROWID table of a single index: inserting overwrites.
static bool replace_by_insertion(struct compile *c, struct checks *k, const struct unique_check *u)
{
    const struct table *t = k->table;
    return u->index == t->primary_key && u->conflict == CONFLICT_REPLACE && t->indexes == t->primary_key &&
           !t->primary_key->next && k->delete_triggers.count == 0 &&
           !foreign_key_required(c, t, k->target->database, NULL, false);
}

// DO UPDATE of the row that an index's cursor has found.
static void update_instead(struct compile *c, struct checks *k, const struct unique_check *u)
{
    struct constraint_job *job = k->job;
    int address = job->rowid_later ? emit(c, OP_Noop, 0, 0, 0) : 0;
    job->excluded_rowid_read = false;
    upsert_update_code(c, job, u->index, k->target->index_cursor + (int)u->number);
    if (address && job->excluded_rowid_read) {
        struct instruction *made = instruction_at(c, address);
        made->opcode = OP_NewRowid;
        made->p1 = k->target->data_cursor;
        made->p2 = job->reg_new;
    }
    emit(c, OP_Goto, 0, job->ignore_label, 0);
}

static void index_check(struct compile *c, struct checks *k, struct unique_check *u)
{
    struct constraint_job *job = k->job;
    const struct table *t = k->table;
    const struct index *i = u->index;
    int unique = label_new(c), no_entry = label_new(c), reg = k->target->index_regs[u->number];
    int key_there = key_in_row(k, i);
    if (key_there)
        affinity_once(c, k);
    else
        index_entry_code(c, k, i, u->number, no_entry);
    bool key_unchanged = job->reg_old && i == t->primary_key && !job->key_changes;
    if (key_unchanged || i->conflict == CONFLICT_NONE || replace_by_insertion(c, k, u)) {
        if (key_there) index_entry_code(c, k, i, u->number, no_entry);
        index_record(c, i, reg + 1, i->column_count, reg);
        label_place(c, no_entry);
        return;
    }
    if (u->conflict == CONFLICT_REPLACE) rowid_now(c, k); // of the table as it was
    bool is_key = i == t->primary_key;
    int reg_key = is_key ? reg + 1 : reg_temp_range(c, k->key_count);
    index_conflict_code(c, k, u, key_there ? key_there : reg + 1, reg_key, unique);
    switch (u->conflict) {
    case CONFLICT_NONE:
    case CONFLICT_DEFAULT:
    case CONFLICT_ROLLBACK:
    case CONFLICT_ABORT:
    case CONFLICT_FAIL:
        unique_halt(c, i, u->conflict);
        break;
    case CONFLICT_REPLACE:
        if (k->reg_trigger_count) c->top->multi_row_write = true;
        // Triggers that change the row being updated, or other rows of its table, would have it written from what it was.
        if (job->reg_old && k->delete_triggers.count) emit(c, OP_CursorPin, k->target->data_cursor, 1, 0);
        row_delete(c, k->target, &k->delete_triggers, NULL, reg_key, k->key_count, false, CONFLICT_REPLACE,
                   is_key ? ONE_PASS_SINGLE : ONE_PASS_OFF, k->target->index_cursor + (int)u->number);
        if (job->reg_old && k->delete_triggers.count) emit(c, OP_CursorPin, k->target->data_cursor, 0, 0);
        if (k->reg_trigger_count) {
            emit(c, OP_AddImm, k->reg_trigger_count, 1, 0);
            u->recheck = k->rechecks = true;
        }
        job->may_replace = true;
        break;
    case CONFLICT_UPDATE:
        update_instead(c, k, u);
        break;
    case CONFLICT_IGNORE:
        emit(c, OP_Goto, 0, job->ignore_label, 0);
        break;
    }
    label_place(c, unique);
    rowid_now(c, k);
    if (!is_key) reg_release_range(c, reg_key, k->key_count);
    if (key_there) index_entry_code(c, k, i, u->number, no_entry);
    index_record(c, i, reg + 1, i->column_count, reg); // by now the entry is wanted
    label_place(c, no_entry);
}

static enum conflict unique_conflict(const struct constraint_job *job, const struct unique_check *u)
{
    if (u->clause) return u->clause->update ? CONFLICT_UPDATE : CONFLICT_IGNORE;
    return conflict_choose(job->conflict, u->index ? u->index->conflict : job->target->table->rowid_conflict);
}

static void check_add(struct checks *k, struct unique_check *list, u32 *count, const struct index *i, u32 number)
{
    for (u32 n = 0; n < *count; n++)
        if (list[n].index == i) return;
    struct unique_check *u = &list[(*count)++];
    *u = (struct unique_check){.index = i, .number = number};
    u->clause = upsert_of_index(k->job->upsert, i);
    u->conflict = unique_conflict(k->job, u);
}

// The order: what ON CONFLICT clauses name, as they name it; the rowid; the indexes in the table's order (those
// with REPLACE stand last). A rowid's own REPLACE comes after all: what the others refuse must not delete a row.
static u32 checks_order(struct checks *k, struct unique_check *list)
{
    const struct table *t = k->table;
    struct constraint_job *job = k->job;
    bool rowid = job->key_changes && table_has_rowid(t);
    u32 count = 0, number;
    for (struct upsert *clause = job->upsert; clause && clause->target; clause = clause->next) {
        if (clause->is_rowid) {
            if (rowid) check_add(k, list, &count, NULL, 0);
            continue;
        }
        number = 0;
        for (const struct index *i = t->indexes; i; i = i->next, number++)
            if (i == clause->index) check_add(k, list, &count, i, number);
    }
    struct unique_check last = {.conflict = conflict_choose(job->conflict, t->rowid_conflict)};
    bool rowid_last = rowid && count == 0 && !upsert_of_index(job->upsert, NULL) &&
                      last.conflict == CONFLICT_REPLACE && job->conflict != CONFLICT_REPLACE && t->indexes;
    if (rowid && !rowid_last) check_add(k, list, &count, NULL, 0);
    number = 0;
    for (const struct index *i = t->indexes; i; i = i->next, number++)
        if (job->target->index_regs[number]) check_add(k, list, &count, i, number);
    if (rowid_last) check_add(k, list, &count, NULL, 0);
    return count;
}

// After triggers have run for replaced rows: nothing may conflict any more.
static void recheck_code(struct compile *c, struct checks *k, struct unique_check *list, u32 count)
{
    int done = label_new(c);
    emit(c, OP_IfNot, k->reg_trigger_count, done, 0);
    if (table_has_rowid(k->table)) {
        int unique = label_new(c);
        rowid_conflict_code(c, k, unique);
        rowid_halt(c, k->table, CONFLICT_ABORT);
        label_place(c, unique);
    }
    for (u32 n = 0; n < count; n++) {
        struct unique_check *u = &list[n];
        if (!u->recheck) continue;
        int unique = label_new(c), reg = k->target->index_regs[u->number];
        if (u->index->where) emit(c, OP_IsNull, reg, unique, 0);
        bool is_key = u->index == k->table->primary_key;
        int reg_key = is_key ? reg + 1 : reg_temp_range(c, k->key_count);
        index_conflict_code(c, k, u, reg + 1, reg_key, unique);
        if (!is_key) reg_release_range(c, reg_key, k->key_count);
        unique_halt(c, u->index, CONFLICT_ABORT);
        label_place(c, unique);
    }
    label_place(c, done);
}

static void replace_triggers_find(struct compile *c, struct checks *k)
{
    const struct table *t = k->table;
    if (connection_flag(c->db, CONNECTION_RECURSIVE_TRIGGERS))
        trigger_set_find(c, &k->delete_triggers, t, k->target->database, TRIGGER_DELETE, NULL);
    if (k->delete_triggers.count == 0 && !foreign_key_required(c, t, k->target->database, NULL, false)) return;
    k->reg_trigger_count = reg_alloc(c);
    emit(c, OP_Integer, 0, k->reg_trigger_count, 0);
}

void constraint_checks(struct compile *c, struct constraint_job *job)
{
    const struct table *t = job->target->table;
    struct checks k = {.job = job, .table = t, .target = job->target};
    k.key_count = table_has_rowid(t) ? 1 : t->primary_key->key_count;
    if (t->flags & TABLE_HAS_NOT_NULL) not_null_checks(c, &k);
    if (t->check_count && !connection_flag(c->db, CONNECTION_IGNORE_CHECKS)) {
        rowid_now(c, &k);
        check_checks(c, &k);
    }
    if (job->upsert && !job->upsert->target && !job->upsert->update) {
        job->conflict = CONFLICT_IGNORE;
        job->upsert = NULL;
    }
    replace_triggers_find(c, &k);
    struct unique_check *list = arena_alloc(c->arena, (job->target->index_count + 1) * sizeof(*list));
    u32 count = checks_order(&k, list);
    for (u32 n = 0; n < count; n++) {
        if (list[n].index)
            index_check(c, &k, &list[n]);
        else
            rowid_check(c, &k, &list[n]);
    }
    if (k.rechecks) recheck_code(c, &k, list, count);
    rowid_now(c, &k);
    if (table_has_rowid(t)) {
        row_record(c, t, job->reg_new + 1, k.affinity_done, job->target->index_regs[job->target->index_count]);
    }
}
