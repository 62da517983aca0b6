#include "dml.h"

#define GENERATED_CHANGES 99999 // in changes[]: a generated column that reads a changing one

struct update_job {
    struct stmt_update *stmt;
    const struct table *table;
    const struct table *named; // the table, or the view as the schema has it
    bool is_view;
    struct source *source;
    struct write_target target;
    enum conflict conflict;
    struct trigger_set triggers;
    struct returning *returning;
    struct constraint_job *upsert; // the insertion whose conflict this update resolves; NULL: a statement
    // What changes.
    int *changes;   // per column: number of the SET item, or -1
    int rowid_item; // SET item of the rowid, or -1
    bool key_changes;
    int foreign_keys; // foreign_key_required
    bool may_replace;
    bool *open; // table and indexes that the update touches
    // The rows: reg_old, reg_new are rowids, the columns behind them.
    int reg_old, reg_new;
    int reg_key, key_count; // key of the row to be changed, as OP_NotFound takes it
    int base_cursor;
    int ephemeral; // keys of the rows to be changed; FROM: their new values too; views: all columns
    int item_offset; // FROM: where in ephemeral the SET values begin
    enum one_pass mode;
    int next_row, done; // labels
};

static bool is_primary_key_column(const struct table *t, s32 column)
{
    return !table_has_rowid(t) && (t->columns[column].flags & COLUMN_PRIMARY_KEY);
}

// ---- what changes ----------------------------------------------------------------------------------------

static struct name_context names_begin(struct compile *c, const struct update_job *job, struct source_list *sources)
{
    struct name_context names = {.c = c, .sources = sources};
    if (job->upsert) {
        names.excluded_table = job->table;
        names.excluded_cursor = job->upsert->reg_new;
        names.excluded_rowid_read = &job->upsert->excluded_rowid_read;
    }
    return names;
}

// Values of FROM are resolved with its query, those of a view's row once the row is had.
static void set_resolve(struct compile *c, struct update_job *job, struct source_list *sources)
{
    struct name_context names = names_begin(c, job, sources);
    bool values = !job->stmt->from && !job->is_view && job->table->kind != TABLE_VIRTUAL;
    const struct table *t = job->table;
    const struct expr_list *set = job->stmt->set;
    job->changes = arena_alloc(c->arena, t->column_count * sizeof(int));
    for (u32 i = 0; i < t->column_count; i++) job->changes[i] = -1;
    job->rowid_item = -1;
    for (int i = 0; i < (int)set->count; i++) {
        const char *name = set->items[i].name;
        if (values) resolve_expr(&names, set->items[i].expr);
        else if (job->is_view && !job->stmt->from) resolve_expr(&names, expr_copy(c->arena, set->items[i].expr)); // for its mistakes
        s32 column = table_column(t, name);
        if (column < 0) {
            if (!table_has_rowid(t) || !name_is_rowid(name))
                compile_fail(c, ERR_ERROR, -1, "no such column: %s", name);
            job->rowid_item = i;
            continue;
        }
        if (column == t->rowid_column)
            job->rowid_item = i;
        else if (is_primary_key_column(t, column))
            job->key_changes = true;
        else if (t->columns[column].flags & COLUMN_GENERATED)
            compile_fail(c, ERR_ERROR, -1, "cannot UPDATE generated column \"%s\"", t->columns[column].name);
        job->changes[column] = i;
    }
    if (job->rowid_item >= 0) job->key_changes = true;
    if (job->is_view || !table_has_generated(t)) return;
    for (bool more = true; more;) {
        more = false;
        for (u32 i = 0; i < t->column_count; i++) {
            if (job->changes[i] >= 0 || !(t->columns[i].flags & COLUMN_GENERATED)) continue;
            if (!expr_reads_changed(c, t, t->columns[i].generated, job->changes, job->rowid_item >= 0)) continue;
            job->changes[i] = GENERATED_CHANGES;
            more = true;
        }
    }
}

static bool index_changes(struct compile *c, const struct update_job *job, const struct index *i)
{
    const struct table *t = job->table;
    bool rowid = job->rowid_item >= 0;
    if (job->key_changes || job->foreign_keys > 1 || i == t->primary_key) return true;
    if (i->where && expr_reads_changed(c, t, i->where, job->changes, rowid)) return true;
    for (u32 k = 0; k < i->key_count; k++) {
        if (i->columns[k] >= 0 ? job->changes[i->columns[k]] >= 0
                               : i->columns[k] == COLUMN_EXPR &&
                                     expr_reads_changed(c, t, i->exprs[k], job->changes, rowid))
            return true;
    }
    return false;
}

static bool replaces(const struct update_job *job, u8 conflict)
{
    return job->conflict == CONFLICT_REPLACE || (job->conflict == CONFLICT_DEFAULT && conflict == CONFLICT_REPLACE);
}

static void indexes_choose(struct compile *c, struct update_job *job)
{
    const struct table *t = job->table;
    struct write_target *target = &job->target;
    u32 count = target->index_count, n = 0;
    job->open = arena_alloc(c->arena, count + 1);
    job->open[0] = true;
    target->index_regs = arena_alloc(c->arena, (count + 1) * sizeof(int));
    for (const struct index *i = t->indexes; i; i = i->next, n++) {
        if (!index_changes(c, job, i)) continue;
        target->index_regs[n] = reg_alloc_range(c, i->column_count + 1);
        job->open[n + 1] = true;
        if (i != t->primary_key || job->key_changes) job->may_replace |= replaces(job, i->conflict);
    }
    if (job->rowid_item >= 0) job->may_replace |= replaces(job, t->rowid_conflict);
    target->index_regs[n] = reg_alloc(c);
    if (job->may_replace) memset(job->open, true, count + 1);
}

// ---- which rows --------------------------------------------------------------------------------------------

static int item_count(const struct update_job *job)
{
    return (int)job->stmt->set->count;
}

static struct expr *source_column_expr(struct compile *c, const struct source *s, int column)
{
    struct expr *e = expr_new(c->arena, EXPR_COLUMN, OFFSET_NONE);
    e->cursor = s->cursor;
    e->table = s->table;
    e->database = s->database;
    e->column = (s16)column;
    return e;
}

static bool same_name(const char *a, const char *b)
{
    return a && b ? name_equal(a, b) : a == b;
}

// The target is no source of its own statement. SQLite tells this after what is wrong with names.
static void from_check(struct compile *c, const struct update_job *job, const struct source_list *from)
{
    const struct source *target = job->source;
    for (u32 i = 0; i < from->count; i++) {
        const struct source *other = &from->items[i];
        int database;
        if ((other->select && !other->was_view) || !same_name(target->alias, other->alias)) continue;
        if (locate_table(c, other->schema_name, other->name, -1, true, &database) != job->named) continue;
        compile_fail(c, ERR_ERROR, -1, "target object/alias may not appear in FROM clause: %s",
                     target->alias ? target->alias : target->table->name);
    }
}

// Adds the FROM clause behind the target. Several terms become one, so that their joins do not see the target.
static void from_add(struct compile *c, struct select *select, struct source_list *from)
{
    struct source *added = source_list_add(c->arena, &select->from);
    if (from->count == 1) {
        *added = from->items[0];
    } else {
        struct select *nested = arena_alloc(c->arena, sizeof(*nested));
        expr_list_add(c->arena, &nested->columns, expr_new(c->arena, EXPR_STAR, OFFSET_NONE));
        nested->from = from;
        nested->flags = SELECT_F_NESTED_FROM;
        added->select = nested;
        added->cursor = -1;
    }
    added->join = JOIN_INNER | JOIN_COMMA;
}

// "SELECT ... FROM target, FROM sources WHERE ... ORDER BY ... LIMIT ...", to which the columns are added.
static struct select *select_of_rows(struct compile *c, struct update_job *job)
{
    struct stmt_update *s = job->stmt;
    struct select *select = arena_alloc(c->arena, sizeof(*select));
    if (s->from) select->flags |= SELECT_F_UPDATE_FROM;
    struct source *target = source_list_add(c->arena, &select->from);
    *target = *job->source;
    target->cursor = cursor_alloc(c);
    target->database = job->target.database;
    if (job->is_view) {
        target->table = NULL; // to be expanded as in any SELECT
        target->schema_name = compile_database_name(c, target->database); // no CTE of that name hides it
        target->columns_used = UINT64_MAX;
    }
    if (s->from) from_add(c, select, s->from);
    if (!job->is_view) select->from->items[0].table = job->table;
    select->where = expr_copy(c->arena, s->where);
    if (s->order_by && !s->limit) compile_fail(c, ERR_ERROR, -1, "ORDER BY without LIMIT on UPDATE");
    select->order_by = expr_list_copy(c->arena, s->order_by);
    select->limit = expr_copy(c->arena, s->limit);
    select->limit_offset = expr_copy(c->arena, s->limit_offset);
    return select;
}

// Runs it as a coroutine whose rows are in *dest: the code stands behind its Yield on return, which is at the address that
// is given back, and jumps to `full` at the end.
static int rows_loop(struct compile *c, struct update_job *job, struct select *select, struct select_dest *dest, int full)
{
    int yield = reg_alloc(c), end = label_new(c);
    emit(c, OP_InitCoroutine, yield, end, here(c) + 1);
    select_dest_init(dest, DEST_COROUTINE, yield);
    if (job->stmt->from) {
        resolve_select(c, select, NULL);
        from_check(c, job, job->stmt->from);
        select_code(c, select, dest);
    } else {
        view_rows_code(c, select, dest, job->stmt->target, job->stmt->where);
    }
    emit(c, OP_EndCoroutine, yield, 0, 0);
    label_place(c, end);
    return emit(c, OP_Yield, yield, full, 0);
}

// The rows of "SELECT key..., SET values... FROM target, FROM sources WHERE ..." into the ephemeral table. When a
// row comes more than once, the last of its values stay.
static void rows_from_select(struct compile *c, struct update_job *job)
{
    struct stmt_update *s = job->stmt;
    const struct table *t = job->table;
    struct select *select = select_of_rows(c, job);
    struct source *target = &select->from->items[0];
    bool rowid = !job->is_view && table_has_rowid(t);
    int key = job->is_view ? t->column_count : rowid ? 1 : t->primary_key->key_count;
    for (int i = 0; i < key; i++) {
        // Each index has it: it does not say what the search must read.
        int column = job->is_view ? i : rowid ? COLUMN_ROWID : t->primary_key->columns[i];
        struct expr *e = source_column_expr(c, target, column);
        e->table = t;
        expr_list_add(c->arena, &select->columns, e);
    }
    const struct expr_list *set = s->from ? expr_list_copy(c->arena, s->set) : NULL;
    for (u32 i = 0; set && i < set->count; i++) expr_list_add(c->arena, &select->columns, set->items[i].expr);
    // The limit counts rows of the target.
    if (s->limit && s->from && !job->is_view)
        for (int i = 0; i < key; i++)
            expr_list_add(c->arena, &select->group_by, expr_copy(c->arena, select->columns->items[i].expr));
    job->item_offset = rowid ? 0 : key;

    int columns = key + (s->from ? item_count(job) : 0);
    job->ephemeral = cursor_alloc(c);
    emit(c, OP_OpenEphemeral, job->ephemeral, columns - rowid, 0);
    if (!rowid && !job->is_view) set_p4_key_info(c, primary_key_info(c, t, columns));

    struct select_dest dest;
    int full = label_new(c), loop = rows_loop(c, job, select, &dest, full), record = reg_temp(c), new_rowid = reg_temp(c);
    if (!job->is_view) emit(c, OP_IsNull, dest.reg, loop, 0); // the row that an aggregate has of no rows
    if (rowid) {
        emit(c, OP_MakeRecord, dest.reg + 1, columns - 1, record);
        emit(c, OP_Insert, job->ephemeral, record, dest.reg);
    } else if (job->is_view) {
        emit(c, OP_MakeRecord, dest.reg, columns, record);
        emit(c, OP_NewRowid, job->ephemeral, new_rowid, 0);
        emit(c, OP_Insert, job->ephemeral, record, new_rowid);
    } else {
        emit(c, OP_MakeRecord, dest.reg, columns, record);
        emit(c, OP_IdxInsert, job->ephemeral, record, dest.reg);
        set_p4_int(c, key);
    }
    emit(c, OP_Goto, 0, loop, 0);
    label_place(c, full);
    reg_release(c, record);
    reg_release(c, new_rowid);
}

// The same of a virtual table: "SELECT rowid, new rowid, columns...", in the order of the rows; one that comes more than
// once is changed more than once. The cursor of the ephemeral table.
static int virtual_rows_from_select(struct compile *c, struct update_job *job)
{
    struct stmt_update *s = job->stmt;
    const struct table *t = job->table;
    struct select *select = select_of_rows(c, job);
    struct source *target = &select->from->items[0];
    const struct expr_list *set = expr_list_copy(c->arena, s->set);
    expr_list_add(c->arena, &select->columns, source_column_expr(c, target, COLUMN_ROWID));
    expr_list_add(c->arena, &select->columns,
                  job->rowid_item >= 0 ? set->items[job->rowid_item].expr : source_column_expr(c, target, COLUMN_ROWID));
    for (int i = 0; i < t->column_count; i++) {
        struct expr *e = job->changes[i] >= 0                  ? set->items[job->changes[i]].expr
                         : t->columns[i].flags & COLUMN_HIDDEN ? expr_new(c->arena, EXPR_NULL, OFFSET_NONE)
                                                               : source_column_expr(c, target, i);
        if (e->kind == EXPR_COLUMN && job->changes[i] < 0) e->flags |= EXPR_F_KEPT;
        expr_list_add(c->arena, &select->columns, e);
    }
    int ephemeral = cursor_alloc(c), columns = t->column_count + 2;
    emit(c, OP_OpenEphemeral, ephemeral, columns, 0);
    struct select_dest dest;
    int full = label_new(c), loop = rows_loop(c, job, select, &dest, full), record = reg_temp(c), key = reg_temp(c);
    emit(c, OP_IsNull, dest.reg, loop, 0);
    emit(c, OP_MakeRecord, dest.reg, columns, record);
    emit(c, OP_NewRowid, ephemeral, key, 0);
    emit(c, OP_Insert, ephemeral, record, key);
    emit(c, OP_Goto, 0, loop, 0);
    label_place(c, full);
    reg_release(c, record);
    reg_release(c, key);
    return ephemeral;
}

// Opens the loop over the rows to be changed: on return the code stands inside of it, the row's key is in reg_key..
// and the data cursor stands on it.
static struct where_info *rows_loop_begin(struct compile *c, struct update_job *job, struct source_list *sources,
                                          int *loop)
{
    struct stmt_update *s = job->stmt;
    const struct table *t = job->table;
    bool rowid = table_has_rowid(t);
    struct write_target *target = &job->target;
    struct where_info *where = NULL;
    int record = reg_alloc(c), open_address = -1, cursors[2] = {-1, -1};
    *loop = 0;
    if (s->from) {
        c->top->multi_row_write = true;
        job->mode = ONE_PASS_OFF;
        rows_from_select(c, job);
    } else {
        job->ephemeral = cursor_alloc(c);
        open_address = emit(c, OP_OpenEphemeral, job->ephemeral, rowid ? 1 : job->key_count, 0);
        if (!rowid) set_p4_key_info(c, primary_key_info(c, t, job->key_count));
        int null = reg_temp(c);
        emit(c, OP_Null, 0, null, 0);
        if (rowid) emit(c, OP_MakeRecord, null, 1, record);
        reg_release(c, null);

        u32 flags = WHERE_ONE_PASS;
        bool subquery = s->where && (s->where->flags & EXPR_F_HAS_SELECT);
        if (!job->triggers.count && !job->returning && !job->foreign_keys && !job->key_changes &&
            !job->may_replace && !subquery)
            flags |= WHERE_ONE_PASS_MULTI;
        where = where_begin(c, sources, s->where, NULL, NULL, NULL, flags, job->base_cursor + 1);
        job->mode = where_one_pass(where, cursors);
        if (job->mode != ONE_PASS_SINGLE) c->top->multi_row_write = true;
        if (job->mode == ONE_PASS_MULTI && cursors[1] >= 0 && cursors[1] != target->data_cursor &&
            job->open[cursors[1] - job->base_cursor])
            job->mode = ONE_PASS_OFF; // the loop would meet what it changes in the index

        if (rowid) {
            emit(c, OP_Rowid, target->data_cursor, job->reg_old, 0);
        } else {
            for (int i = 0; i < job->key_count; i++)
                column_code(c, t, target->data_cursor, t->primary_key->columns[i], job->reg_key + i);
        }
        if (job->mode != ONE_PASS_OFF) {
            program_noop(c->program, open_address);
        } else if (rowid) {
            emit(c, OP_Insert, job->ephemeral, record, job->reg_old);
        } else {
            emit(c, OP_MakeRecord, job->reg_key, job->key_count, record);
            set_p4_text(c, arena_format(c->arena, "%.*s", job->key_count, index_affinities(c, t->primary_key)));
            emit(c, OP_IdxInsert, job->ephemeral, record, job->reg_key);
            set_p4_int(c, job->key_count);
        }
        if (job->mode != ONE_PASS_MULTI) where_end(where);
    }

    int once = 0;
    if (job->mode != ONE_PASS_OFF) {
        if (cursors[0] >= 0) job->open[cursors[0] - job->base_cursor] = false;
        if (cursors[1] >= 0) job->open[cursors[1] - job->base_cursor] = false;
        if (job->mode == ONE_PASS_MULTI && memchr(job->open, true, table_index_count(t) + 1)) {
            once = label_new(c);
            emit(c, OP_Once, 0, once, 0);
        }
    }
    target_open(c, target, OP_OpenWrite, job->base_cursor, job->open);
    if (once) label_place(c, once);

    job->next_row = job->done;
    if (job->mode != ONE_PASS_OFF) {
        if (cursors[0] != target->data_cursor && cursors[1] != target->data_cursor) {
            emit(c, OP_NotFound, target->data_cursor, job->done, job->reg_key);
            set_p4_int(c, job->key_count);
        }
        if (job->mode == ONE_PASS_MULTI)
            job->next_row = label_new(c);
        else // no row was found
            emit(c, OP_IsNull, rowid ? job->reg_old : job->reg_key, job->done, 0);
        return where;
    }
    job->next_row = label_new(c);
    emit(c, OP_Rewind, job->ephemeral, job->done, 0);
    *loop = here(c);
    if (rowid) {
        emit(c, OP_Rowid, job->ephemeral, job->reg_old, 0);
        emit(c, OP_NotExists, target->data_cursor, job->next_row, job->reg_old);
    } else {
        for (int i = 0; i < job->key_count; i++) emit(c, OP_Column, job->ephemeral, i, job->reg_key + i);
        emit(c, OP_NotFound, target->data_cursor, job->next_row, job->reg_key);
        set_p4_int(c, job->key_count);
    }
    return where;
}

// ---- one row -------------------------------------------------------------------------------------------------

// The register that has the column since its row was found, as one of its key; 0: none has.
static int held_key(const struct update_job *job, u32 column)
{
    if (job->mode == ONE_PASS_OFF || table_has_rowid(job->table)) return 0;
    for (int i = 0; i < job->key_count; i++)
        if (job->table->primary_key->columns[i] == (s32)column) return job->reg_key + i;
    return 0;
}

static void old_column_code(struct compile *c, struct update_job *job, u32 column, int reg)
{
    if (job->is_view) {
        emit(c, OP_Column, job->ephemeral, (int)column, reg);
        return;
    }
    const int held = held_key(job, column);
    if (held)
        emit(c, OP_Copy, held, reg, 0);
    else
        column_code(c, job->table, job->target.data_cursor,
                    (s32)column == job->table->rowid_column ? COLUMN_ROWID : (int)column, reg);
}

static void item_code(struct compile *c, struct update_job *job, int item, int reg)
{
    if (job->stmt->from)
        emit(c, OP_Column, job->ephemeral, job->item_offset + item, reg);
    else
        expr_code(c, job->stmt->set->items[item].expr, reg);
}

static void old_row_code(struct compile *c, struct update_job *job)
{
    const struct table *t = job->table;
    bool all = job->triggers.count || job->returning || job->foreign_keys;
    for (u32 i = 0; i < t->column_count; i++) {
        int reg = job->reg_old + 1 + t->columns[i].storage;
        if (all || is_primary_key_column(t, (s32)i)) old_column_code(c, job, i, reg);
    }
    if (job->is_view || !table_has_rowid(t)) emit(c, OP_Null, 0, job->reg_old, 0);
    if (job->rowid_item < 0) emit(c, table_has_rowid(t) && !job->is_view ? OP_IntCopy : OP_Copy, job->reg_old, job->reg_new, 0);
}

static void new_row_code(struct compile *c, struct update_job *job)
{
    const struct table *t = job->table;
    for (u32 i = 0; i < t->column_count; i++) {
        int reg = job->reg_new + 1 + t->columns[i].storage;
        if ((s32)i == t->rowid_column)
            emit(c, OP_Null, 0, reg, 0);
        else if (t->columns[i].flags & COLUMN_GENERATED)
            continue;
        else if (job->changes[i] >= 0)
            item_code(c, job, job->changes[i], reg);
        else
            old_column_code(c, job, i, reg);
    }
    if (!job->is_view && table_has_generated(t)) generated_code(c, t, job->reg_new + 1);
}

static void seek_again(struct compile *c, struct update_job *job)
{
    if (table_has_rowid(job->table)) {
        emit(c, OP_NotExists, job->target.data_cursor, job->next_row, job->reg_old);
    } else {
        emit(c, OP_NotFound, job->target.data_cursor, job->next_row, job->reg_key);
        set_p4_int(c, job->key_count);
    }
}

static void before_triggers_code(struct compile *c, struct update_job *job)
{
    const struct table *t = job->table;
    if (!job->triggers.before) return;
    row_affinity(c, t, job->reg_new + 1, false);
    trigger_fire(c, &job->triggers, TRIGGER_BEFORE, t, job->target.database, job->reg_old, job->conflict,
                 job->next_row);
    if (job->is_view) return;
    // They may have deleted the row, or changed columns that this statement does not.
    seek_again(c, job);
    for (u32 i = 0; i < t->column_count; i++) {
        if ((s32)i == t->rowid_column || (t->columns[i].flags & COLUMN_GENERATED) || job->changes[i] >= 0) continue;
        column_code(c, t, job->target.data_cursor, (int)i, job->reg_new + 1 + t->columns[i].storage);
    }
    if (table_has_generated(t)) generated_code(c, t, job->reg_new + 1);
}

static void write_code(struct compile *c, struct update_job *job)
{
    const struct table *t = job->table;
    int database = job->target.database;
    struct constraint_job checks = {.target = &job->target,
                                    .reg_new = job->reg_new,
                                    .reg_old = job->reg_old,
                                    .key_changes = job->key_changes,
                                    .conflict = job->conflict,
                                    .ignore_label = job->next_row,
                                    .changes = job->changes};
    constraint_checks(c, &checks);
    if (checks.may_replace || job->key_changes || job->may_replace) seek_again(c, job);
    if (job->foreign_keys)
        foreign_key_check(c, t, database, job->reg_old, 0, job->changes, job->key_changes);
    index_entries_delete(c, &job->target, job->target.index_regs, -1);
    if (!job->upsert) emit(c, OP_FinishSeek, job->target.data_cursor, 0, 0);
    if (job->foreign_keys > 1 || job->key_changes) emit(c, OP_Delete, job->target.data_cursor, 0, 0);
    if (job->foreign_keys)
        foreign_key_check(c, t, database, 0, job->reg_new, job->changes, job->key_changes);
    row_write(c, &job->target, job->reg_new,
              ROW_WRITE_UPDATE | (job->mode == ONE_PASS_MULTI ? ROW_WRITE_SAVE_POSITION : 0));
    if (job->foreign_keys)
        foreign_key_actions(c, t, database, true, job->reg_old, job->changes, job->key_changes);
}

static void row_code(struct compile *c, struct update_job *job)
{
    const struct table *t = job->table;
    if (job->rowid_item >= 0) {
        item_code(c, job, job->rowid_item, job->reg_new);
        emit(c, OP_MustBeInt, job->reg_new, 0, 0);
    }
    if (job->foreign_keys) foreign_key_require_parents(c, t, job->target.database);
    old_row_code(c, job);
    new_row_code(c, job);
    trigger_programs(c, &job->triggers, t, job->target.database, job->conflict);
    before_triggers_code(c, job);
    if (!job->is_view) write_code(c, job);
    if (!job->upsert) compile_row_count(c);
    trigger_fire_after(c, &job->triggers, job->returning, job->reg_new, t, job->target.database, job->reg_old, job->conflict,
                       job->next_row);
}

// ---- the statement -------------------------------------------------------------------------------------------

static void registers_alloc(struct compile *c, struct update_job *job)
{
    int columns = job->table->column_count;
    job->reg_old = reg_alloc_range(c, 2 * (columns + 1));
    job->reg_new = job->reg_old + columns + 1;
    if (table_has_rowid(job->table) || job->is_view) {
        job->reg_key = job->reg_old;
        job->key_count = 1;
    } else {
        job->key_count = job->table->primary_key->key_count;
        job->reg_key = reg_alloc_range(c, job->key_count);
    }
}

static void where_resolve(struct compile *c, struct update_job *job, struct source_list *sources)
{
    if (job->stmt->from) return;
    struct name_context names = names_begin(c, job, sources);
    // The values are computed with the row at hand: they do not say what the search must read.
    job->source->columns_used = 0;
    if (job->stmt->where) resolve_expr(&names, job->stmt->where);
}

static void view_update(struct compile *c, struct update_job *job, struct source_list *sources)
{
    rows_from_select(c, job);
    if (!job->stmt->from) {
        explain_row(c, "SCAN %s", job->source->alias ? job->source->alias : job->table->name);
        job->source->cursor = job->ephemeral;
        struct name_context names = {.c = c, .sources = sources};
        for (u32 i = 0; i < job->stmt->set->count; i++) resolve_expr(&names, job->stmt->set->items[i].expr);
    }
    job->next_row = label_new(c);
    emit(c, OP_Rewind, job->ephemeral, job->done, 0);
    int loop = here(c);
    row_code(c, job);
    label_place(c, job->next_row);
    emit(c, OP_Next, job->ephemeral, loop, 0);
}

static void cursors_alloc(struct compile *c, struct update_job *job)
{
    const struct table *t = job->table;
    struct write_target *target = &job->target;
    u32 n = 0;
    target->index_count = table_index_count(t);
    job->base_cursor = c->cursor_count;
    c->cursor_count += 1 + (int)target->index_count;
    target->data_cursor = job->base_cursor;
    target->index_cursor = job->base_cursor + 1;
    for (const struct index *i = t->indexes; i; i = i->next, n++)
        if (i == t->primary_key) target->data_cursor = target->index_cursor + (int)n;
}

static void update_run(struct compile *c, struct update_job *job)
{
    struct stmt_update *s = job->stmt;
    struct source_list *sources = s->target;
    job->source = &sources->items[0];
    job->table = locate_source(c, job->source);
    job->is_view = table_is_view(job->table);
    int database = job->source->database;
    trigger_set_find(c, &job->triggers, job->table, database, TRIGGER_UPDATE, s->set);
    job->named = job->table;
    if (job->is_view) job->source->table = job->table = view_columns(c, job->table, database);
    table_require_writable(c, job->named, &job->triggers);
    if (job->upsert) {
        job->target = *job->upsert->target;
    } else {
        job->target = (struct write_target){.table = job->table, .database = database};
        if (!job->is_view) cursors_alloc(c, job);
    }
    job->source->cursor = job->target.data_cursor;
    if (!job->is_view && !s->from)
        s->where = limit_where(c, job->source, s->where, s->order_by, s->limit, s->limit_offset, "UPDATE");
    set_resolve(c, job, sources);
    if (job->table->kind == TABLE_VIRTUAL) {
        compile_write_database(c, database, true);
        if (!c->top->nested) c->program->changes_counted = true;
        c->row_count_reg = 0; // SQLite answers no count here
        job->returning = returning_begin(c, s->returning, job->table, database);
        int rows = s->from ? virtual_rows_from_select(c, job) : -1;
        virtual_update(c, sources, s->set, job->changes, job->rowid_item, s->where, rows, job->conflict, job->returning);
        return;
    }
    if (!job->is_view)
        job->foreign_keys = foreign_key_required(c, job->table, database, job->changes, job->key_changes);
    compile_write_database(c, database, job->triggers.count || job->foreign_keys || s->returning);
    if (!c->top->nested) c->program->changes_counted = true;
    if (!job->upsert) job->returning = returning_begin(c, s->returning, job->table, database);
    if (!job->is_view) indexes_choose(c, job);
    registers_alloc(c, job);
    job->done = label_new(c);
    if (job->is_view) {
        if (s->from) returning_check(c, s->returning);
        view_update(c, job, sources);
        label_place(c, job->done);
        return;
    }
    where_resolve(c, job, sources);
    if (!sources->items[0].indexed_by || s->from) returning_check(c, s->returning); // that the index is of no use is told before
    if (job->upsert) {
        job->mode = ONE_PASS_SINGLE;
        job->next_row = job->done;
        if (s->where) expr_jump_if_false(c, s->where, job->done, true);
        if (table_has_rowid(job->table)) {
            emit(c, OP_Rowid, job->target.data_cursor, job->reg_old, 0);
        } else {
            for (int i = 0; i < job->key_count; i++)
                column_code(c, job->table, job->target.data_cursor, job->table->primary_key->columns[i],
                            job->reg_key + i);
        }
        row_code(c, job);
        label_place(c, job->done);
        return;
    }
    int loop;
    struct where_info *where = rows_loop_begin(c, job, sources, &loop);
    row_code(c, job);
    if (job->mode == ONE_PASS_MULTI) {
        label_place(c, job->next_row);
        where_end(where);
    } else if (job->mode == ONE_PASS_OFF) {
        label_place(c, job->next_row);
        emit(c, OP_Next, job->ephemeral, loop, 0);
    }
    label_place(c, job->done);
}

void update_code(struct compile *c, struct stmt_update *s, enum conflict conflict)
{
    struct update_job job = {.stmt = s, .conflict = conflict};
    if (conflict == CONFLICT_DEFAULT) job.conflict = s->conflict == CONFLICT_NONE ? CONFLICT_DEFAULT : s->conflict;
    update_run(c, &job);
    autoincrement_end(c);
    returning_end(c, job.returning);
}

void update_statement(struct compile *c, struct stmt_update *s)
{
    with_push(c, s->with);
    update_code(c, s, CONFLICT_DEFAULT);
}

void upsert_update_code(struct compile *c, struct constraint_job *insertion, const struct index *index, int cursor)
{
    const struct write_target *target = insertion->target;
    const struct table *t = target->table;
    const struct upsert *clause = upsert_of_index(insertion->upsert, index);
    if (index && cursor != target->data_cursor) {
        int found = label_new(c);
        if (table_has_rowid(t)) {
            int rowid = reg_temp(c);
            emit(c, OP_IdxRowid, cursor, rowid, 0);
            emit(c, OP_SeekRowid, target->data_cursor, 0, rowid);
            reg_release(c, rowid);
        } else {
            const struct index *pk = t->primary_key;
            int key = reg_alloc_range(c, pk->key_count);
            for (int i = 0; i < pk->key_count; i++)
                emit(c, OP_Column, cursor, index_column_place(index, pk->columns[i]), key + i);
            emit(c, OP_Found, target->data_cursor, found, key);
            set_p4_int(c, pk->key_count);
            c->top->may_abort = true;
            emit(c, OP_Halt, ERR_CORRUPT, CONFLICT_ABORT, 0);
            set_p4_text(c, "corrupt database");
        }
        label_place(c, found);
    }
    for (u32 i = 0; i < t->column_count; i++)
        if (t->columns[i].affinity == AFFINITY_REAL && !(t->columns[i].flags & COLUMN_VIRTUAL))
            emit(c, OP_RealAffinity, insertion->reg_new + 1 + t->columns[i].storage, 0, 0);

    struct stmt_update s = {.set = expr_list_copy(c->arena, clause->set), .where = expr_copy(c->arena, clause->where)};
    struct update_job job = {.stmt = &s,
                             .conflict = CONFLICT_ABORT,
                             .upsert = insertion,
                             .returning = insertion->returning};
    s.stmt.kind = STMT_UPDATE;
    s.target = source_list_copy(c->arena, clause->source);
    update_run(c, &job);
}
