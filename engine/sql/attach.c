// ATTACH, DETACH and VACUUM.
#include "ddl.h"

// A bare name stands for its text.
static void code_operand(struct compile *c, struct expr *e, int reg)
{
    if (!e) {
        emit(c, OP_Null, 0, reg, 0);
        return;
    }
    if (e->kind == EXPR_NAME) e->kind = EXPR_TEXT;
    struct name_context n = {.c = c};
    resolve_expr(&n, e);
    expr_code(c, e, reg);
}

void attach_statement(struct compile *c, struct stmt_attach *s)
{
    int reg = reg_alloc_range(c, 3);
    code_operand(c, s->file, reg);
    code_operand(c, s->name, reg + 1);
    code_operand(c, s->key, reg + 2);
    emit(c, OP_Attach, reg, reg + 1, reg + 2);
}

void detach_statement(struct compile *c, struct stmt_detach *s)
{
    int reg = reg_alloc(c);
    code_operand(c, s->name, reg);
    emit(c, OP_Detach, reg, 0, 0);
}

void vacuum_statement(struct compile *c, struct stmt_vacuum *s)
{
    int database = DATABASE_MAIN;
    if (s->schema) {
        database = compile_database_find(c, s->schema);
        if (database < 0) compile_fail(c, ERR_ERROR, s->schema_offset, "unknown database %s", s->schema);
    }
    if (database == DATABASE_TEMP) return;
    int reg = 0;
    if (s->into) {
        reg = reg_alloc(c);
        struct name_context n = {.c = c};
        resolve_expr(&n, s->into);
        expr_code(c, s->into, reg);
    }
    if (s->into)
        compile_use_database(c, database);
    else
        compile_write_database(c, database, false);
    emit(c, OP_Vacuum, database, reg, 0);
}
