#include "dml.h"

#include "../connection.h"

static bool columns_overlap(const struct name_list *columns, const struct expr_list *changes)
{
    if (!columns || !changes) return true;
    for (u32 i = 0; i < changes->count; i++)
        for (u32 k = 0; k < columns->count; k++)
            if (name_equal(changes->items[i].name, columns->items[k].name)) return true;
    return false;
}

static bool temp_trigger_is_on(struct compile *c, const struct trigger *trigger, const struct table *t, int database)
{
    if (!name_equal(trigger->table, t->name)) return false;
    if (trigger->table_schema) return name_equal(trigger->table_schema, compile_database_name(c, database));
    int found;
    return locate_table(c, trigger->table_schema, trigger->table, -1, true, &found) == t && found == database;
}

// Whether a trigger that hangs on a table of that database is meant for it.
static bool trigger_is_own(struct compile *c, const struct trigger *trigger, int database)
{
    return database != 1 || !trigger->table_schema || name_equal(trigger->table_schema, compile_database_name(c, 1));
}

static void trigger_set_add(struct compile *c, struct trigger_set *set, u32 *capacity, const struct trigger *trigger)
{
    set->triggers = arena_grow(c->arena, set->triggers, set->count, capacity, sizeof(*set->triggers));
    set->triggers[set->count++] = trigger;
    if (trigger->time == TRIGGER_AFTER)
        set->after = true;
    else
        set->before = true;
}

void trigger_set_find(struct compile *c, struct trigger_set *set, const struct table *t, int database,
                      enum trigger_event event, const struct expr_list *changes)
{
    *set = (struct trigger_set){0};
    if (c->triggers_disabled) return;
    u32 capacity = 0;
    // Temp triggers on tables of other databases come first; those on a table that temp has too hang on that.
    const struct schema *temp = compile_schema(c, 1);
    for (const struct trigger *k = temp && database != 1 ? temp->foreign_triggers : NULL; k; k = k->next)
        if (k->event == event && columns_overlap(k->columns, changes) && temp_trigger_is_on(c, k, t, database))
            trigger_set_add(c, set, &capacity, k);
    const struct table *namesake = temp && database != 1 ? schema_table(temp, t->name) : NULL;
    for (const struct trigger *k = namesake ? namesake->triggers : NULL; k; k = k->next)
        if (k->event == event && columns_overlap(k->columns, changes) && k->table_schema &&
            temp_trigger_is_on(c, k, t, database))
            trigger_set_add(c, set, &capacity, k);
    u32 first = set->foreign = set->count;
    for (const struct trigger *k = t->triggers; k; k = k->next)
        if (k->event == event && columns_overlap(k->columns, changes) && trigger_is_own(c, k, database))
            trigger_set_add(c, set, &capacity, k);
    // The table's own: the newest fires first.
    for (u32 i = first, last = set->count; i + 1 < last; i++) {
        const struct trigger *swap = set->triggers[i];
        set->triggers[i] = set->triggers[--last];
        set->triggers[last] = swap;
    }
}

// ---- programs ------------------------------------------------------------------------------------------------

// Tables of a trigger's statements are those of its own database, whatever hides them.
static void target_fix(struct compile *c, struct source_list *target)
{
    struct source *s = &target->items[0];
    if (s->schema_name || !c->trigger_schema) return;
    s->schema_name = c->trigger_schema;
    s->from_ddl = true;
}

static void step_code(struct compile *c, struct stmt *step, enum conflict conflict)
{
    switch ((enum stmt_kind)step->kind) {
    case STMT_SELECT: {
        struct select_dest dest;
        struct select *select = ((struct stmt_select *)step)->select;
        select_dest_init(&dest, DEST_DISCARD, 0);
        // As SQLite does, before it looks at names, even beside a LIMIT.
        select->order_by = NULL;
        for (struct select *term = select; term && (term == select || term->next->op == SELECT_UNION_ALL); term = term->prior)
            term->flags &= ~(u32)SELECT_F_DISTINCT;
        select_code(c, select, &dest);
        return;
    }
    case STMT_INSERT:
        target_fix(c, ((struct stmt_insert *)step)->target);
        insert_code(c, (struct stmt_insert *)step, conflict);
        break;
    case STMT_UPDATE:
        target_fix(c, ((struct stmt_update *)step)->target);
        update_code(c, (struct stmt_update *)step, conflict);
        break;
    case STMT_DELETE:
        target_fix(c, ((struct stmt_delete *)step)->target);
        delete_code(c, (struct stmt_delete *)step);
        break;
    case STMT_CREATE_TABLE:
    case STMT_CREATE_INDEX:
    case STMT_CREATE_VIEW:
    case STMT_CREATE_TRIGGER:
    case STMT_CREATE_VIRTUAL_TABLE:
    case STMT_DROP:
    case STMT_ALTER:
    case STMT_BEGIN:
    case STMT_COMMIT:
    case STMT_ROLLBACK:
    case STMT_SAVEPOINT:
    case STMT_PRAGMA:
    case STMT_ATTACH:
    case STMT_DETACH:
    case STMT_VACUUM:
    case STMT_REINDEX:
    case STMT_ANALYZE:
        compile_fail(c, ERR_CORRUPT, -1, "malformed trigger body");
    }
    emit(c, OP_ResetCount, 0, 0, 0);
}

// Each trigger is compiled once for a conflict action; a recursive one meets itself here.
static struct program *trigger_program(struct compile *c, const void *key, const struct trigger *trigger,
                                       const struct table *t, int database, enum conflict conflict)
{
    struct program *program = program_find_sub(c->program, key, conflict);
    if (program) return program;
    program = program_add_sub(c->program, key, conflict);
    program->name = trigger->name;

    struct compile sub;
    compile_init_sub(&sub, c, program);
    sub.trigger = (struct trigger_context){
        .table = t, .has_old = trigger->event != TRIGGER_INSERT, .has_new = trigger->event != TRIGGER_DELETE};
    sub.sql = trigger->sql ? trigger->sql : ""; // what names of columns are taken from
    sub.sql_size = strlen(sub.sql);
    sub.trigger_schema = trigger->of_temp ? NULL : compile_database_name(c, database);
    compile_begin(&sub);
    int end = label_new(&sub);
    if (trigger->when) {
        struct name_context names = {.c = &sub};
        struct expr *when = expr_copy(c->arena, trigger->when);
        resolve_expr(&names, when);
        expr_jump_if_false(&sub, when, end, true);
    }
    for (struct stmt *step = steps_copy(c->arena, trigger->steps); step; step = step->next)
        step_code(&sub, step, conflict);
    label_place(&sub, end);
    compile_finish(&sub);
    return program;
}

static void program_call(struct compile *c, struct program *program, int reg, int ignore_label, bool once)
{
    emit(c, OP_Program, reg, ignore_label, reg_alloc(c));
    set_p4_program(c, program);
    set_p5(c, once);
}

static void fire(struct compile *c, const struct trigger *trigger, const struct table *t, int database, int reg,
                 enum conflict conflict, int ignore_label)
{
    struct program *program = trigger_program(c, trigger, trigger, t, database, conflict);
    program_call(c, program, reg, ignore_label, !connection_flag(c->db, CONNECTION_RECURSIVE_TRIGGERS));
}

void trigger_fire(struct compile *c, const struct trigger_set *set, enum trigger_time time, const struct table *t,
                  int database, int reg, enum conflict conflict, int ignore_label)
{
    for (u32 i = 0; i < set->count; i++)
        if ((set->triggers[i]->time == TRIGGER_AFTER) == (time == TRIGGER_AFTER))
            fire(c, set->triggers[i], t, database, reg, conflict, ignore_label);
}

void trigger_fire_after(struct compile *c, const struct trigger_set *set, struct returning *returning, int reg_row,
                        const struct table *t, int database, int reg, enum conflict conflict, int ignore_label)
{
    for (u32 i = 0; i <= set->count; i++) {
        if (i == set->foreign && returning) returning_collect(c, returning, reg_row);
        if (i < set->count && set->triggers[i]->time == TRIGGER_AFTER)
            fire(c, set->triggers[i], t, database, reg, conflict, ignore_label);
    }
}

void trigger_programs(struct compile *c, const struct trigger_set *set, const struct table *t, int database, enum conflict conflict)
{
    for (u32 i = 0; i < set->count; i++) (void)trigger_program(c, set->triggers[i], set->triggers[i], t, database, conflict);
}

void trigger_fire_steps(struct compile *c, const void *key, const struct trigger *made, const struct table *t,
                        int database, int reg)
{
    struct program *program = trigger_program(c, key, made, t, database, CONFLICT_ABORT);
    program_call(c, program, reg, 0, false);
}
