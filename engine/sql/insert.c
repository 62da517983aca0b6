#include "dml.h"
#include "select.h"

#include "../connection.h"

struct insert_job {
    struct stmt_insert *stmt;
    const struct table *table;
    bool is_view, is_virtual;
    struct write_target target;
    enum conflict conflict;
    struct trigger_set triggers;
    struct returning *returning;
    int reg_rowid; // the new row: rowid, then columns
    int reg_sequence;
    int end_of_row; // label
    // Where values come from: one row of expressions, or rows of a coroutine, directly or through a table.
    struct expr_list *values;
    int value_count;
    int reg_source, reg_yield; // coroutine; 0: none
    bool through_table;
    int table_cursor;
    // Which value goes where.
    int *items;     // per table column: 1 + number of the value; 0: default
    int rowid_item; // number of the value that is the rowid, or -1
    bool in_order;  // values come in the order of the record
    const struct table *copied; // of "SELECT * FROM table", that table
    s32 *literals; // per value of `values`: as the program keeps them; 0: not computed. NULL: they are not all literals
};

static const char *source_text(struct compile *c, const struct source *s)
{
    if (s->alias) return s->alias;
    if (s->schema_name && !s->from_ddl) return arena_format(c->arena, "%s.%s", s->schema_name, s->name);
    return s->name;
}

void table_require_writable(struct compile *c, const struct table *t, const struct trigger_set *triggers)
{
    bool system = (t->flags & TABLE_SCHEMA_TABLE) && !connection_flag(c->db, CONNECTION_WRITABLE_SCHEMA) &&
                  !c->top->nested;
    if (system || (t->kind == TABLE_VIRTUAL && !t->fts)) compile_fail(c, ERR_ERROR, -1, "table %s may not be modified", t->name);
    if (table_is_view(t) && triggers->count == 0)
        compile_fail(c, ERR_ERROR, -1, "cannot modify %s because it is a view", t->name);
}

static bool takes_no_value(const struct column *column)
{
    return column->flags & (COLUMN_GENERATED | COLUMN_HIDDEN);
}

static void column_list_resolve(struct compile *c, struct insert_job *job)
{
    const struct table *t = job->table;
    const struct name_list *columns = job->stmt->columns;
    job->items = arena_alloc(c->arena, t->column_count * sizeof(int));
    job->rowid_item = -1;
    job->in_order = !(t->flags & TABLE_HAS_STORED);
    for (int i = 0; columns && i < (int)columns->count; i++) {
        const char *name = columns->items[i].name;
        s32 column = table_column(t, name);
        if (column < 0) {
            if (!name_is_rowid(name) || !table_has_rowid(t))
                compile_fail(c, ERR_ERROR, -1, "table %s has no column named %s",
                             source_text(c, &job->stmt->target->items[0]), name);
            job->rowid_item = i;
            job->in_order = false;
            continue;
        }
        if (job->items[column] == 0) job->items[column] = i + 1;
        if (i != column) job->in_order = false;
        if (column == t->rowid_column) job->rowid_item = i;
        if (t->columns[column].flags & COLUMN_GENERATED)
            compile_fail(c, ERR_ERROR, -1, "cannot INSERT into generated column \"%s\"", t->columns[column].name);
    }
}

// INSERT INTO t SELECT * FROM u takes all of u when it is as t is: u's generated columns are computed anew.
static bool copies_generated(struct compile *c, const struct insert_job *job)
{
    const struct table *t = job->table, *from = job->copied;
    if (!from || from == t || from->kind != TABLE_ORDINARY || job->value_count != (int)t->column_count || from->column_count != t->column_count ||
        from->rowid_column != t->rowid_column || !table_has_rowid(from) || !table_has_rowid(t) || (t->flags & ~from->flags & TABLE_STRICT))
        return false;
    for (u32 i = 0; i < t->column_count; i++) {
        const struct column *a = &t->columns[i], *b = &from->columns[i];
        if ((a->flags ^ b->flags) & COLUMN_GENERATED || a->affinity != b->affinity) return false;
        if (a->generated && expr_compare(c, self_expr(c, t, a->generated, NAME_GENERATED), self_expr(c, from, b->generated, NAME_GENERATED), -1) != 0)
            return false;
    }
    return true;
}

static const struct table *table_copied(struct compile *c, const struct select *s)
{
    if (!s || s->prior || s->with || s->where || s->order_by || s->group_by || s->limit || s->flags & SELECT_F_DISTINCT ||
        s->columns->count != 1 || s->columns->items[0].expr->kind != EXPR_STAR || !s->from || s->from->count != 1 || !s->from->items[0].name)
        return NULL;
    int database;
    return locate_table(c, s->from->items[0].schema_name, s->from->items[0].name, -1, true, &database);
}

static void value_count_check(struct compile *c, struct insert_job *job)
{
    const struct table *t = job->table;
    const struct name_list *columns = job->stmt->columns;
    if (columns) {
        if (job->value_count != (int)columns->count)
            compile_fail(c, ERR_ERROR, -1, "%d values for %d columns", job->value_count, (int)columns->count);
        return;
    }
    if (job->value_count == 0) return;
    if (table_has_generated(t) && copies_generated(c, job)) {
        job->rowid_item = t->rowid_column;
        for (u32 i = 0; i < t->column_count; i++) job->items[i] = (int)i + 1;
        return;
    }
    int count = 0;
    for (u32 i = 0; i < t->column_count; i++) {
        if (takes_no_value(&t->columns[i])) continue;
        if ((s32)i == t->rowid_column) job->rowid_item = count;
        job->items[i] = ++count;
    }
    if (count != job->value_count)
        compile_fail(c, ERR_ERROR, -1, "table %s has %d columns but %d values were supplied",
                     source_text(c, &job->stmt->target->items[0]), count, job->value_count);
}

// ---- sources -----------------------------------------------------------------------------------------------

// Several rows of VALUES: each is computed in its turn, whatever their number.
static void values_coroutine(struct compile *c, struct insert_job *job)
{
    struct select *first = job->stmt->select;
    u32 rows = 0;
    for (struct select *row = first; row; row = row->prior) {
        first = row;
        rows += 1 + (row->rows ? row->rows->count : 0);
    }
    job->value_count = (int)first->columns->count;
    explain_row(c, "SCAN %u CONSTANT ROW%s", rows, rows == 1 ? "" : "S");
    job->reg_source = job->in_order && job->value_count <= job->table->column_count
                          ? job->reg_rowid + 1
                          : reg_alloc_range(c, job->value_count);
    resolve_rows(c, job->stmt->select);
    struct expr constant = *expr_new(c->arena, EXPR_NULL, OFFSET_NONE);
    for (struct select *row = first; row; row = row->next) {
        for (int i = 0; i < job->value_count; i++) expr_code(c, row->columns->items[i].expr, job->reg_source + i);
        emit(c, OP_Yield, job->reg_yield, 0, 0);
        for (u32 i = 0; row->rows && i < row->rows->count; i++) {
            for (int k = 0; k < job->value_count; k++) {
                expr_from_constant(&constant, &row->rows->values[i * row->rows->width + (u32)k]);
                expr_code(c, &constant, job->reg_source + k);
            }
            emit(c, OP_Yield, job->reg_yield, 0, 0);
        }
    }
}

// Whether the code so far reads the table or one of its indexes.
static bool program_reads(struct compile *c, const struct table *t, int database)
{
    for (int address = 1; address < here(c); address++) {
        const struct instruction *i = instruction_at(c, address);
        if (i->opcode == OP_VOpen && i->p4.table == t) return true;
        if (i->opcode != OP_OpenRead || i->p3 != database) continue;
        if ((pgno)i->p2 == t->root) return true;
        for (const struct index *k = t->indexes; k; k = k->next)
            if ((pgno)i->p2 == k->root) return true;
    }
    return false;
}

static bool one_row(const struct stmt_insert *s)
{
    return !s->select || ((s->select->flags & SELECT_F_VALUES) && !s->select->prior && !s->select->rows);
}

static enum walk_result find_aggregate(struct walker *w, struct expr *e)
{
    bool exists;
    if (e->kind != EXPR_FUNCTION) return WALK_CONTINUE;
    const struct fn_def *def = compile_call_function(w->context, e, &exists);
    return def && (def->step || def->flags & FN_AGGREGATE) ? WALK_ABORT : WALK_CONTINUE;
}

// Whether rows of VALUES are to be computed as queries: where one has an aggregate, and that is no mistake.
static bool rows_are_queries(struct compile *c, const struct select *s)
{
    struct walker w = {.expr = find_aggregate, .context = c};
    if (s->flags & SELECT_F_MULTI_VALUE && !(s->flags & SELECT_F_ROWS_APART)) return false;
    for (; s; s = s->prior)
        if (walk_expr_list(&w, s->columns) == WALK_ABORT) return true;
    return false;
}

static void source_code(struct compile *c, struct insert_job *job)
{
    struct select *s = job->stmt->select;
    if (!s) return;
    if (one_row(job->stmt) && select_is_values(s)) {
        job->values = s->columns;
        job->value_count = (int)s->columns->count;
        struct name_context names = {.c = c};
        resolve_expr_list(&names, job->values);
        return;
    }
    job->reg_yield = reg_alloc(c);
    int end = label_new(c);
    emit(c, OP_InitCoroutine, job->reg_yield, end, here(c) + 1);
    if (select_is_values(s) && !rows_are_queries(c, s)) {
        values_coroutine(c, job);
    } else {
        struct select_dest dest;
        select_dest_init(&dest, DEST_COROUTINE, job->reg_yield);
        if (job->in_order) {
            dest.reg = job->reg_rowid + 1;
            dest.reg_count = job->table->column_count;
        }
        select_code(c, s, &dest);
        job->reg_source = dest.reg;
        job->value_count = (int)s->columns->count;
    }
    coding_mistake_tell(c);
    emit(c, OP_EndCoroutine, job->reg_yield, 0, 0);
    label_place(c, end);

    // What the SELECT reads must not change under it.
    job->through_table = job->triggers.count || job->returning || program_reads(c, job->table, job->target.database);
    if (!job->through_table) return;
    job->table_cursor = cursor_alloc(c);
    int record = reg_temp(c), rowid = reg_temp(c), full = label_new(c);
    emit(c, OP_OpenEphemeral, job->table_cursor, job->value_count, 0);
    int loop = here(c);
    emit(c, OP_Yield, job->reg_yield, full, 0);
    emit(c, OP_MakeRecord, job->reg_source, job->value_count, record);
    emit(c, OP_NewRowid, job->table_cursor, rowid, 0);
    emit(c, OP_Insert, job->table_cursor, record, rowid);
    emit(c, OP_Goto, 0, loop, 0);
    label_place(c, full);
    reg_release(c, record);
    reg_release(c, rowid);
}

// ---- one row -------------------------------------------------------------------------------------------------

static bool is_literal(const struct expr *e)
{
    if (e->offset == OFFSET_NONE) return false; // what was computed as it was read, as (0 AND a)
    enum expr_kind kind = (enum expr_kind)e->kind;
    if (kind == EXPR_NEGATE) return e->left->kind == EXPR_INTEGER || e->left->kind == EXPR_REAL;
    return kind == EXPR_INTEGER || kind == EXPR_REAL || kind == EXPR_TEXT || kind == EXPR_BLOB || kind == EXPR_NULL;
}

static void literals_begin(struct compile *c, struct insert_job *job)
{
    const struct expr_list *values = job->values;
    if (!values || c->outer || !c->parse) return;
    for (u32 i = 0; i < values->count; i++)
        if (!is_literal(values->items[i].expr)) return;
    job->literals = arena_alloc(c->arena, values->count * sizeof *job->literals);
}

// Nothing but the instruction of each depends on what the literals are; and, where the rowid is NULL, that it is.
static void literals_end(struct compile *c, struct insert_job *job)
{
    const struct expr_list *values = job->values;
    if (!job->literals) return;
    const struct expr *first = values->items[0].expr;
    u32 at = first->offset - (first->kind == EXPR_NEGATE);
    if (first->kind == EXPR_NEGATE && c->sql[at] != '-') return; // something stands between
    if (job->rowid_item >= 0 && values->items[job->rowid_item].expr->kind == EXPR_NULL) job->literals[job->rowid_item] = LITERAL_NULL;
    for (u32 i = 0; i < values->count; i++)
        if (!job->literals[i]) return;
    c->program->literals = job->literals;
    c->program->literal_count = values->count;
    c->program->literals_at = at;
}

// Of the only row.
static void value_code(struct compile *c, struct insert_job *job, int item, int reg)
{
    int at = here(c);
    expr_code(c, job->values->items[item].expr, reg);
    if (!job->literals) return;
    if (job->literals[item] || here(c) != at + 1)
        job->literals = NULL;
    else
        job->literals[item] = at;
}

static void item_code(struct compile *c, struct insert_job *job, int item, int reg)
{
    if (job->through_table) {
        emit(c, OP_Column, job->table_cursor, item, reg);
    } else if (job->reg_yield) {
        if (job->reg_source + item != reg) emit(c, OP_SCopy, job->reg_source + item, reg, 0);
    } else {
        value_code(c, job, item, reg);
    }
}

static void columns_code(struct compile *c, struct insert_job *job)
{
    const struct table *t = job->table;
    for (u32 i = 0; i < t->column_count; i++) {
        const struct column *column = &t->columns[i];
        int reg = job->reg_rowid + 1 + column->storage;
        if ((s32)i == t->rowid_column) {
            // Its value is the rowid; the record has NULL in its place.
            emit(c, OP_Null, 0, reg, 0);
        } else if (column->flags & COLUMN_GENERATED) {
            if ((column->flags & COLUMN_STORED) && job->triggers.before) emit(c, OP_Null, 0, reg, 0);
        } else if (job->items[i] == 0) {
            column_default_code(c, t, i, reg);
        } else {
            item_code(c, job, job->items[i] - 1, reg);
        }
    }
}

// The row as BEFORE triggers see it; a rowid that is not known yet is -1.
static void before_triggers_code(struct compile *c, struct insert_job *job)
{
    const struct table *t = job->table;
    int first = reg_temp_range(c, t->column_count + 1);
    if (job->rowid_item < 0) {
        emit(c, OP_Integer, -1, first, 0);
    } else {
        int known = label_new(c);
        if (job->through_table) {
            emit(c, OP_Column, job->table_cursor, job->rowid_item, first);
        } else {
            if (!job->reg_yield) value_code(c, job, job->rowid_item, job->reg_rowid);
            emit(c, OP_Copy, job->reg_rowid, first, 0);
        }
        emit(c, OP_NotNull, first, known, 0);
        emit(c, OP_Integer, -1, first, 0);
        label_place(c, known);
        emit(c, OP_MustBeInt, first, 0, 0);
    }
    emit(c, OP_Copy, job->reg_rowid + 1, first + 1, t->stored_count - 1);
    if (table_has_generated(t)) generated_code(c, t, first + 1);
    if (!job->is_view) row_affinity(c, t, first + 1, false);
    trigger_fire(c, &job->triggers, TRIGGER_BEFORE, t, job->target.database, first - t->column_count - 1,
                 job->conflict, job->end_of_row);
    reg_release_range(c, first, t->column_count + 1);
}

// Whether the rowid is a new one that can be made once it is known that the row does not conflict with others. Columns, other than
// generated ones, are computed without it.
static bool rowid_later(const struct insert_job *job)
{
    const struct table *t = job->table;
    return table_has_rowid(t) && job->rowid_item < 0 && !job->reg_sequence && !table_has_generated(t);
}

// Gives whether the row is likely to become the last.
static bool rowid_code(struct compile *c, struct insert_job *job)
{
    const struct table *t = job->table;
    int cursor = job->target.data_cursor, reg = job->reg_rowid;
    bool append = false;
    if (!table_has_rowid(t)) {
        emit(c, OP_Null, 0, reg, 0);
        return false;
    }
    if (job->rowid_item < 0 || (job->values && job->values->items[job->rowid_item].expr->kind == EXPR_NULL)) {
        emit(c, OP_NewRowid, cursor, reg, job->reg_sequence);
        append = true;
    } else {
        int known = label_new(c);
        if (job->through_table)
            emit(c, OP_Column, job->table_cursor, job->rowid_item, reg);
        else if (!job->reg_yield && !job->triggers.before) // what a trigger has seen stays: it may have changed what a subquery reads
            value_code(c, job, job->rowid_item, reg);
        emit(c, OP_NotNull, reg, known, 0);
        emit(c, OP_NewRowid, cursor, reg, job->reg_sequence);
        label_place(c, known);
        emit(c, OP_MustBeInt, reg, 0, 0);
    }
    if (job->reg_sequence) emit(c, OP_MemMax, job->reg_sequence, reg, 0);
    return append;
}

static void row_code(struct compile *c, struct insert_job *job)
{
    const struct table *t = job->table;
    columns_code(c, job);
    if (job->is_virtual) {
        if (job->rowid_item < 0)
            emit(c, OP_Null, 0, job->reg_rowid, 0);
        else
            item_code(c, job, job->rowid_item, job->reg_rowid);
        emit(c, OP_Null, 0, job->reg_rowid - 1, 0);
        virtual_update_emit(c, t, job->target.database, job->reg_rowid - 1, t->column_count + 2, job->conflict);
        compile_row_count(c);
        if (job->returning) returning_collect(c, job->returning, job->reg_rowid);
        return;
    }
    if (job->triggers.before) before_triggers_code(c, job);
    if (job->is_view) {
        emit(c, OP_Integer, -1, job->reg_rowid, 0);
    } else {
        bool later = rowid_later(job), append = later || rowid_code(c, job);
        if (table_has_generated(t)) generated_code(c, t, job->reg_rowid + 1);
        struct constraint_job checks = {.target = &job->target,
                                        .reg_new = job->reg_rowid,
                                        .key_changes = job->rowid_item >= 0,
                                        .rowid_later = later,
                                        .conflict = job->conflict,
                                        .ignore_label = job->end_of_row,
                                        .upsert = job->stmt->upsert,
                                        .returning = job->returning};
        constraint_checks(c, &checks);
        foreign_key_check(c, t, job->target.database, 0, job->reg_rowid, NULL, false);
        u32 flags = append ? ROW_WRITE_APPEND : 0;
        // Replacing may run programs that move the cursors.
        if (!checks.may_replace) flags |= ROW_WRITE_USE_SEEK;
        row_write(c, &job->target, job->reg_rowid, flags);
    }
    compile_row_count(c);
    int reg = job->reg_rowid - t->column_count - 1;
    trigger_fire_after(c, &job->triggers, job->returning, job->reg_rowid, t, job->target.database, reg, job->conflict, job->end_of_row);
}

// ---- the statement -------------------------------------------------------------------------------------------

static void upsert_begin(struct compile *c, struct insert_job *job)
{
    struct upsert *upsert = job->stmt->upsert;
    if (!upsert) return;
    if (job->is_view) compile_fail(c, ERR_ERROR, -1, "cannot UPSERT a view");
    if (job->is_virtual) compile_fail(c, ERR_ERROR, -1, "UPSERT not implemented for virtual table \"%s\"", job->table->name);
    job->stmt->target->items[0].cursor = job->target.data_cursor;
    upsert_resolve(c, upsert, job->stmt->target);
}

static void registers_alloc(struct compile *c, struct write_target *target)
{
    target->index_regs = arena_alloc(c->arena, (target->index_count + 1) * sizeof(int));
    u32 n = 0;
    for (const struct index *i = target->table->indexes; i; i = i->next)
        target->index_regs[n++] = reg_alloc_range(c, i->column_count + 1);
    target->index_regs[n] = reg_alloc(c);
}

void insert_code(struct compile *c, struct stmt_insert *s, enum conflict conflict)
{
    struct insert_job job = {.stmt = s, .conflict = conflict};
    if (conflict == CONFLICT_DEFAULT) job.conflict = s->conflict == CONFLICT_NONE ? CONFLICT_DEFAULT : s->conflict;
    struct source *source = &s->target->items[0];
    job.table = locate_source(c, source);
    job.target = (struct write_target){.table = job.table, .database = source->database};
    trigger_set_find(c, &job.triggers, job.table, source->database, TRIGGER_INSERT, NULL);
    job.is_view = table_is_view(job.table);
    job.is_virtual = job.table->kind == TABLE_VIRTUAL;
    const struct table *named = job.table;
    if (job.is_view) job.table = job.target.table = view_columns(c, job.table, source->database);
    table_require_writable(c, named, &job.triggers);
    compile_write_database(c, source->database, !one_row(s) || job.triggers.count || s->returning);
    if (!c->top->nested) c->program->changes_counted = true;
    job.returning = returning_begin(c, s->returning, job.table, source->database);
    job.reg_sequence = autoincrement_register(c, job.table, source->database);
    job.reg_rowid = reg_alloc_range(c, job.table->column_count + 1 + job.is_virtual) + job.is_virtual;
    column_list_resolve(c, &job);
    if (table_has_generated(job.table)) job.copied = table_copied(c, s->select);
    source_code(c, &job);
    value_count_check(c, &job);
    if (!job.is_view && !job.is_virtual) {
        target_open(c, &job.target, OP_OpenWrite, -1, NULL);
        registers_alloc(c, &job.target);
    }
    upsert_begin(c, &job);
    returning_check(c, s->returning);

    int done = label_new(c), loop = 0;
    job.end_of_row = label_new(c);
    if (job.through_table) {
        emit(c, OP_Rewind, job.table_cursor, done, 0);
        loop = here(c);
    } else if (job.reg_yield) {
        loop = here(c);
        emit(c, OP_Yield, job.reg_yield, done, 0);
        if (job.rowid_item >= 0) emit(c, OP_Copy, job.reg_source + job.rowid_item, job.reg_rowid, 0);
    }
    literals_begin(c, &job);
    row_code(c, &job);
    literals_end(c, &job);
    label_place(c, job.end_of_row);
    if (job.through_table) {
        emit(c, OP_Next, job.table_cursor, loop, 0);
        label_place(c, done);
        emit(c, OP_Close, job.table_cursor, 0, 0);
    } else if (job.reg_yield) {
        emit(c, OP_Goto, 0, loop, 0);
        label_place(c, done);
    }
    autoincrement_end(c);
    returning_end(c, job.returning);
}

void insert_statement(struct compile *c, struct stmt_insert *s)
{
    with_push(c, s->with);
    insert_code(c, s, CONFLICT_DEFAULT);
}
