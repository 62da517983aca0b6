#include "dml.h"
#include "resolve.h"

struct delete_job {
    struct stmt_delete *stmt;
    const struct table *table;
    struct source *source;
    struct write_target target;
    struct trigger_set triggers;
    struct returning *returning;
    bool complex; // triggers, foreign keys: rows must be deleted one by one, and not while they are sought
};

void row_delete(struct compile *c, const struct write_target *target, const struct trigger_set *triggers,
                struct returning *returning, int reg_key, int key_count, bool count, enum conflict conflict,
                enum one_pass mode, int no_seek)
{
    const struct table *t = target->table;
    int gone = label_new(c), seek = table_has_rowid(t) ? OP_NotExists : OP_NotFound, reg_old = 0;
    if (mode == ONE_PASS_OFF) {
        emit(c, seek, target->data_cursor, gone, reg_key);
        if (!table_has_rowid(t)) set_p4_int(c, key_count);
    }
    bool keys = foreign_key_required(c, t, target->database, NULL, false);
    if (keys || triggers->count || returning) {
        foreign_key_require_parents(c, t, target->database);
        trigger_programs(c, triggers, t, target->database, conflict);
        reg_old = reg_alloc_range(c, t->column_count + 1);
        if (table_has_rowid(t))
            emit(c, OP_Copy, reg_key, reg_old, 0);
        else
            emit(c, OP_Null, 0, reg_old, 0);
        for (u32 i = 0; i < t->column_count; i++)
            column_code(c, t, target->data_cursor, (s32)i == t->rowid_column ? COLUMN_ROWID : (int)i,
                        reg_old + 1 + t->columns[i].storage);
        if (triggers->before) {
            trigger_fire(c, triggers, TRIGGER_BEFORE, t, target->database, reg_old, conflict, gone);
            // They may have moved the cursor or deleted the row.
            emit(c, seek, target->data_cursor, gone, reg_key);
            if (!table_has_rowid(t)) set_p4_int(c, key_count);
            no_seek = -1;
        }
        foreign_key_check(c, t, target->database, reg_old, 0, NULL, false);
    }
    index_entries_delete(c, target, NULL, no_seek);
    bool by_index = no_seek >= 0 && no_seek != target->data_cursor;
    // The scan goes on from there; the entry that replaces the one of an index comes in its place.
    int p5 = mode == ONE_PASS_MULTI || by_index ? WRITE_SAVE_POSITION : 0;
    emit(c, OP_Delete, target->data_cursor, count ? WRITE_COUNT_CHANGE : 0, 0);
    set_p4_table(c, t);
    if (by_index) {
        if (mode != ONE_PASS_OFF) set_p5(c, WRITE_AUXILIARY);
        emit(c, OP_Delete, no_seek, 0, 0);
    }
    set_p5(c, p5);
    if (keys) foreign_key_actions(c, t, target->database, false, reg_old, NULL, false);
    trigger_fire_after(c, triggers, returning, reg_old, t, target->database, reg_old, conflict, gone);
    label_place(c, gone);
}

static void truncate_code(struct compile *c, struct delete_job *job)
{
    const struct table *t = job->table;
    if (table_has_rowid(t)) {
        emit(c, OP_Clear, (int)t->root, job->target.database, -1);
        set_p4_text(c, t->name);
    }
    for (const struct index *i = t->indexes; i; i = i->next)
        emit(c, OP_Clear, (int)i->root, job->target.database, i == t->primary_key ? -1 : 0);
    if (c->row_count_reg) emit(c, OP_ChangeCount, 0, c->row_count_reg, 0);
}

// Only INSTEAD OF triggers run, for the view's rows as they are at first.
static void view_code(struct compile *c, struct delete_job *job)
{
    struct stmt_delete *s = job->stmt;
    const struct table *t = job->table;
    struct select *select = arena_alloc(c->arena, sizeof(*select));
    struct source *source = source_list_add(c->arena, &select->from);
    *source = *job->source;
    source->table = NULL;
    source->cursor = -1;
    source->schema_name = compile_database_name(c, job->target.database); // no CTE of that name hides it
    expr_list_add(c->arena, &select->columns, expr_new(c->arena, EXPR_STAR, OFFSET_NONE));
    if (s->order_by && !s->limit) compile_fail(c, ERR_ERROR, -1, "ORDER BY without LIMIT on DELETE");
    select->where = expr_copy(c->arena, s->where);
    select->order_by = s->order_by;
    select->limit = s->limit;
    select->limit_offset = s->limit_offset;
    int cursor = cursor_alloc(c), none = label_new(c), next = label_new(c);
    struct select_dest dest;
    select_dest_init(&dest, DEST_EPHEMERAL, cursor);
    job->source->table = t;
    view_rows_code(c, select, &dest, s->target, s->where);
    explain_row(c, "SCAN %s", job->source->alias ? job->source->alias : t->name);
    int reg_old = reg_alloc_range(c, t->column_count + 1);
    emit(c, OP_Rewind, cursor, none, 0);
    int loop = here(c);
    compile_row_count(c);
    emit(c, OP_Null, 0, reg_old, 0);
    for (u32 i = 0; i < t->column_count; i++)
        emit(c, OP_Column, cursor, (int)i, reg_old + 1 + t->columns[i].storage);
    trigger_fire(c, &job->triggers, TRIGGER_BEFORE, t, job->target.database, reg_old, CONFLICT_DEFAULT, next);
    foreign_key_actions(c, t, job->target.database, false, reg_old, NULL, false);
    if (job->returning) returning_collect(c, job->returning, reg_old);
    label_place(c, next);
    emit(c, OP_Next, cursor, loop, 0);
    label_place(c, none);
}

static void rows_code(struct compile *c, struct delete_job *job)
{
    struct stmt_delete *s = job->stmt;
    const struct table *t = job->table;
    struct write_target *target = &job->target;
    struct source_list *sources = s->target;
    bool rowid = table_has_rowid(t);
    int base = c->cursor_count;
    target->index_count = table_index_count(t);
    c->cursor_count += 1 + (int)target->index_count;
    u32 n = 0;
    target->data_cursor = base;
    for (const struct index *i = t->indexes; i; i = i->next, n++)
        if (i == t->primary_key) target->data_cursor = base + 1 + (int)n;
    // WITHOUT ROWID: what the search reads may come from another index; what the deletion reads must not.
    job->source->cursor = base;

    struct name_context names = {.c = c, .sources = sources};
    if (s->where) resolve_expr(&names, s->where);
    if (!job->source->indexed_by) returning_check(c, s->returning); // that the index is of no use is told before
    if (names.flags & NAME_HAS_SUBQUERY) job->complex = true;
    int key_fields = rowid ? 1 : t->primary_key->key_count;
    int reg_key = reg_alloc_range(c, key_fields);
    int ephemeral = -1, open_address = -1, set = 0;
    if (rowid) {
        set = reg_alloc(c);
        emit(c, OP_Null, 0, set, 0);
    } else {
        ephemeral = cursor_alloc(c);
        open_address = emit(c, OP_OpenEphemeral, ephemeral, key_fields, 0);
        set_p4_key_info(c, primary_key_info(c, t, key_fields));
    }
    u32 flags = WHERE_ONE_PASS | WHERE_DUPLICATES_OK | (job->complex ? 0 : WHERE_ONE_PASS_MULTI);
    struct where_info *where = where_begin(c, sources, s->where, NULL, NULL, NULL, flags, base + 1);
    int cursors[2] = {-1, -1};
    enum one_pass mode = where_one_pass(where, cursors);
    if (mode != ONE_PASS_SINGLE) c->top->multi_row_write = true;
    if (where_uses_deferred_seek(where)) emit(c, OP_FinishSeek, base, 0, 0);
    compile_row_count(c);
    for (int i = 0; i < key_fields; i++)
        column_code(c, t, base, rowid ? COLUMN_ROWID : t->primary_key->columns[i], reg_key + i);

    bool *open = NULL, primary = !rowid && mode != ONE_PASS_OFF && cursors[1] == base;
    int gone = label_new(c), loop = 0;
    if (mode != ONE_PASS_OFF) {
        open = arena_alloc(c->arena, target->index_count + 1);
        memset(open, true, target->index_count + 1);
        if (cursors[0] >= 0) open[cursors[0] - base] = false;
        if (cursors[1] >= 0) open[cursors[1] - base] = false;
        if (primary) open[target->data_cursor - base] = false;
        if (open_address >= 0) program_noop(c->program, open_address);
    } else if (rowid) {
        emit(c, OP_RowSetAdd, set, reg_key, 0);
    } else {
        int record = reg_temp(c);
        emit(c, OP_MakeRecord, reg_key, key_fields, record);
        set_p4_text(c, arena_format(c->arena, "%.*s", key_fields, index_affinities(c, t->primary_key)));
        emit(c, OP_IdxInsert, ephemeral, record, reg_key);
        set_p4_int(c, key_fields);
        reg_release(c, record);
    }
    if (mode == ONE_PASS_OFF) where_end(where);

    int once = 0;
    if (mode == ONE_PASS_MULTI) {
        once = label_new(c);
        emit(c, OP_Once, 0, once, 0);
    }
    target_open(c, target, OP_OpenWrite, base, open);
    if (once) label_place(c, once);
    if (primary) target->data_cursor = base; // the search's cursor is on the row

    if (mode != ONE_PASS_OFF) {
        if (open[target->data_cursor - base]) {
            emit(c, OP_NotFound, target->data_cursor, gone, reg_key);
            set_p4_int(c, key_fields);
        }
    } else if (rowid) {
        loop = here(c);
        emit(c, OP_RowSetRead, set, gone, reg_key);
    } else {
        emit(c, OP_Rewind, ephemeral, gone, 0);
        loop = here(c);
        for (int i = 0; i < key_fields; i++) emit(c, OP_Column, ephemeral, i, reg_key + i);
    }
    row_delete(c, target, &job->triggers, job->returning, reg_key, key_fields, true, CONFLICT_DEFAULT, mode,
               mode == ONE_PASS_OFF ? -1 : cursors[1]);
    if (mode != ONE_PASS_OFF) {
        label_place(c, gone);
        where_end(where);
    } else if (rowid) {
        emit(c, OP_Goto, 0, loop, 0);
        label_place(c, gone);
    } else {
        emit(c, OP_Next, ephemeral, loop, 0);
        label_place(c, gone);
    }
}

void delete_code(struct compile *c, struct stmt_delete *s)
{
    struct delete_job job = {.stmt = s, .source = &s->target->items[0]};
    job.table = locate_source(c, job.source);
    int database = job.source->database;
    bool is_view = table_is_view(job.table);
    job.target = (struct write_target){.table = job.table, .database = database};
    trigger_set_find(c, &job.triggers, job.table, database, TRIGGER_DELETE, NULL);
    const struct table *named = job.table;
    if (is_view) job.table = job.target.table = view_columns(c, job.table, database);
    table_require_writable(c, named, &job.triggers);
    bool keys = !is_view && foreign_key_required(c, job.table, database, NULL, false);
    job.complex = job.triggers.count || keys || s->returning || job.table->kind == TABLE_VIRTUAL;
    compile_write_database(c, database, job.complex);
    if (!c->top->nested) c->program->changes_counted = true;
    job.returning = returning_begin(c, s->returning, job.table, database);
    if (!is_view) s->where = limit_where(c, job.source, s->where, s->order_by, s->limit, s->limit_offset, "DELETE");
    if (job.table->kind == TABLE_VIRTUAL)
        virtual_delete(c, s->target, s->where, job.returning);
    else if (is_view)
        view_code(c, &job);
    else if (!s->where && !job.complex)
        truncate_code(c, &job);
    else
        rows_code(c, &job);
    autoincrement_end(c);
    returning_end(c, job.returning);
}

void delete_statement(struct compile *c, struct stmt_delete *s)
{
    with_push(c, s->with);
    delete_code(c, s);
}
