// Expressions: their values in registers.
#include "emit.h"
#include "expr.h"

// ---- comparisons ------------------------------------------------------------------------------------------

static int compare_opcode(enum expr_kind kind)
{
    switch ((int)kind) {
    case EXPR_EQ:
    case EXPR_IS:
        return OP_Eq;
    case EXPR_NE:
    case EXPR_IS_NOT:
        return OP_Ne;
    case EXPR_LT:
        return OP_Lt;
    case EXPR_LE:
        return OP_Le;
    case EXPR_GT:
        return OP_Gt;
    default: // EXPR_GE
        return OP_Ge;
    }
}

void compare_code(struct compile *c, const struct expr *left, const struct expr *right, enum expr_kind kind, int r1,
                  int r2, int label, int p5, bool commuted)
{
    const struct collation *collation =
        commuted ? compare_collation_or_null(c, right, left) : compare_collation_or_null(c, left, right);
    char affinity = compare_affinity(right, expr_affinity(left));
    emit_collation(c, compare_opcode(kind), r2, label, r1, collation);
    emit_set_p5(c, (u16)(affinity | p5));
}

int expr_vector_register(struct compile *c, struct expr *e, int field, int subselect_reg, struct expr **field_expr,
                         int *temp)
{
    u8 kind = e->kind;
    if (kind == EXPR_REGISTER) {
        *field_expr = expr_vector_field_subexpr(e, field);
        return e->reg + field;
    }
    if (kind == EXPR_SELECT) {
        *field_expr = e->select->columns->items[field].expr;
        return subselect_reg + field;
    }
    if (kind == EXPR_ROW) {
        *field_expr = e->list->items[field].expr;
        return expr_code_temp(c, *field_expr, temp);
    }
    *field_expr = e;
    return expr_code_temp(c, e, temp);
}

static int vector_subselect(struct compile *c, struct expr *e)
{
    return e->kind == EXPR_SELECT ? subselect_code(c, e) : 0;
}

// Row comparison into dest: 1, 0 or NULL.
static void vector_value_code(struct compile *c, struct expr *e, int dest, u8 kind, int p5)
{
    struct expr *left = e->left, *right = e->right;
    int count = expr_vector_size(left);
    // Fields of rows that WHERE took apart may be rows of another size.
    if (expr_vector_size(right) != count) return coding_mistake(c, NULL, "row value misused");
    int r1 = vector_subselect(c, left), r2 = vector_subselect(c, right);
    int is_true = emit_label(c), is_false = emit_label(c), is_null = emit_label(c), done = emit_label(c);
    bool commuted = e->flags & EXPR_F_COMMUTED;
    bool equality = kind == EXPR_EQ || kind == EXPR_NE || kind == EXPR_IS || kind == EXPR_IS_NOT;
    int null_seen = 0;
    if (equality && !(p5 & COMPARE_NULL_EQUAL)) {
        null_seen = reg_temp(c);
        emit(c, OP_Integer, 0, null_seen, 0);
    }
    for (int i = 0; i < count; i++) {
        int t1 = 0, t2 = 0;
        struct expr *el, *er;
        int a = expr_vector_register(c, left, i, r1, &el, &t1);
        int b = expr_vector_register(c, right, i, r2, &er, &t2);
        if (equality) {
            compare_code(c, el, er, EXPR_NE, a, b, is_false, p5, commuted);
            if (null_seen) {
                // Here they are equal or one is NULL.
                int skip1 = emit(c, OP_IsNull, a, 0, 0);
                int skip2 = emit(c, OP_NotNull, b, 0, 0);
                emit_jump_here(c, skip1);
                emit(c, OP_Integer, 1, null_seen, 0);
                emit_jump_here(c, skip2);
            }
        } else {
            bool less = kind == EXPR_LT || kind == EXPR_LE;
            emit(c, OP_IsNull, a, is_null, 0);
            emit(c, OP_IsNull, b, is_null, 0);
            compare_code(c, el, er, less ? EXPR_LT : EXPR_GT, a, b, is_true, 0, commuted);
            compare_code(c, el, er, less ? EXPR_GT : EXPR_LT, a, b, is_false, 0, commuted);
        }
        reg_release(c, t1);
        reg_release(c, t2);
    }
    if (equality) {
        if (null_seen) emit(c, OP_If, null_seen, is_null, 0);
        emit_goto(c, is_true);
    } else {
        emit_goto(c, kind == EXPR_LE || kind == EXPR_GE ? is_true : is_false);
    }
    bool inverted = kind == EXPR_NE || kind == EXPR_IS_NOT;
    emit_place(c, is_true);
    emit(c, OP_Integer, !inverted, dest, 0);
    emit_goto(c, done);
    emit_place(c, is_false);
    emit(c, OP_Integer, inverted, dest, 0);
    emit_goto(c, done);
    emit_place(c, is_null);
    emit(c, OP_Null, 0, dest, 0);
    emit_place(c, done);
    reg_release(c, null_seen);
}

// ---- the parts ------------------------------------------------------------------------------------------------

static void integer_code(struct compile *c, s64 value, int target)
{
    program_emit_integer(c->program, target, value);
}

static int case_code(struct compile *c, struct expr *e, int target)
{
    int end = emit_label(c);
    struct expr_list *list = e->list;
    u32 pairs = list->count / 2 * 2;
    struct expr operand, test = {0};
    int temp = 0;
    bool factoring = c->factoring;
    if (e->left) {
        struct expr *copy = expr_copy(c->arena, e->left);
        int size = expr_vector_size(copy), reg;
        if (size > 1) {
            if (copy->kind == EXPR_SELECT) {
                reg = subselect_code(c, copy);
            } else {
                reg = reg_alloc_range(c, size);
                for (int i = 0; i < size; i++) expr_code(c, copy->list->items[i].expr, reg + i);
            }
            temp = -1;
        } else {
            reg = expr_code_temp(c, copy, &temp);
        }
        operand = *copy;
        if (operand.kind != EXPR_REGISTER) {
            operand.kind2 = operand.kind;
            operand.kind = EXPR_REGISTER;
        }
        // Its value must survive the WHEN expressions.
        if (!temp) {
            temp = reg_temp(c);
            emit(c, OP_SCopy, reg, temp, 0);
            reg = temp;
        }
        operand.reg = reg;
        temp = 0;
        test.kind = EXPR_EQ;
        test.left = &operand;
        test.on_cursor = -1;
        test.flags = operand.flags & EXPR_F_HAS_COLLATE;
    }
    for (u32 i = 0; i < pairs; i += 2) {
        int next = emit_label(c);
        struct expr *when = list->items[i].expr;
        if (e->left) {
            test.right = when;
            test.flags = (operand.flags | when->flags) & EXPR_F_HAS_COLLATE;
            expr_jump_if_false(c, &test, next, true);
        } else {
            expr_jump_if_false(c, when, next, true);
        }
        c->factoring = false;
        expr_code(c, list->items[i + 1].expr, target);
        c->factoring = factoring;
        emit_goto(c, end);
        emit_place(c, next);
    }
    if (list->count & 1) {
        c->factoring = false;
        expr_code(c, list->items[list->count - 1].expr, target);
        c->factoring = factoring;
    } else {
        emit(c, OP_Null, 0, target, 0);
    }
    emit_place(c, end);
    return target;
}

// x BETWEEN y AND z as x >= y AND x <= z with x computed once.
static void between_code(struct compile *c, struct expr *e, int label, int target, bool jump_true, bool jump_if_null)
{
    int temp = 0;
    struct expr *x = expr_copy(c->arena, e->left);
    struct expr ge = {.kind = EXPR_GE, .left = x, .right = e->list->items[0].expr, .on_cursor = -1};
    struct expr le = {.kind = EXPR_LE, .left = x, .right = e->list->items[1].expr, .on_cursor = -1};
    struct expr and = {.kind = EXPR_AND, .left = &ge, .right = &le, .on_cursor = -1};
    int size = expr_vector_size(x);
    bool factoring = c->factoring;
    int reg;
    if (size == 1) {
        reg = expr_code_temp(c, x, &temp);
    } else {
        reg = reg_alloc_range(c, size);
        if (x->kind == EXPR_SELECT) {
            reg = subselect_code(c, x);
        } else {
            for (int i = 0; i < size; i++) expr_code(c, x->list->items[i].expr, reg + i);
        }
    }
    if (x->kind != EXPR_REGISTER) {
        x->kind2 = x->kind;
        x->kind = EXPR_REGISTER;
    }
    x->reg = reg;
    c->factoring = factoring;
    if (target) expr_code(c, &and, target);
    else if (jump_true) expr_jump_if_true(c, &and, label, jump_if_null);
    else expr_jump_if_false(c, &and, label, jump_if_null);
    reg_release(c, temp);
}

static void comparison_value(struct compile *c, struct expr *e, u8 kind, int target, int p5)
{
    if (expr_is_vector(e->left)) {
        vector_value_code(c, e, target, kind, p5);
        return;
    }
    int t1 = 0, t2 = 0;
    int r1 = expr_code_temp(c, e->left, &t1);
    int r2 = expr_code_temp(c, e->right, &t2);
    // target may be one of the operands' registers: the verdict goes elsewhere first.
    emit(c, OP_Integer, 1, target, 0);
    int label = emit_label(c);
    compare_code(c, e->left, e->right, kind, r1, r2, label, p5, e->flags & EXPR_F_COMMUTED);
    if (p5 & COMPARE_NULL_EQUAL) emit(c, OP_Integer, 0, target, 0);
    else emit(c, OP_ZeroOrNull, r1, target, r2);
    emit_place(c, label);
    reg_release(c, t1);
    reg_release(c, t2);
}

static int binary_opcode(u8 kind)
{
    switch (kind) {
    case EXPR_AND:
        return OP_And;
    case EXPR_OR:
        return OP_Or;
    case EXPR_ADD:
        return OP_Add;
    case EXPR_SUBTRACT:
        return OP_Subtract;
    case EXPR_MULTIPLY:
        return OP_Multiply;
    case EXPR_DIVIDE:
        return OP_Divide;
    case EXPR_REMAINDER:
        return OP_Remainder;
    case EXPR_BIT_AND:
        return OP_BitAnd;
    case EXPR_BIT_OR:
        return OP_BitOr;
    case EXPR_SHIFT_LEFT:
        return OP_ShiftLeft;
    case EXPR_SHIFT_RIGHT:
        return OP_ShiftRight;
    }
    return OP_Concat;
}

static int raise_code(struct compile *c, struct expr *e)
{
    if (!c->outer && !c->trigger.table) {
        coding_mistake(c, e, "RAISE() may only be used within a trigger-program");
        return 0;
    }
    if (e->conflict == CONFLICT_ABORT) c->top->may_abort = true;
    if (e->conflict == CONFLICT_IGNORE) {
        emit(c, OP_Halt, 0, CONFLICT_IGNORE, 0);
    } else {
        int temp = 0;
        int reg = 0;
        if (e->left) reg = expr_code_temp(c, e->left, &temp);
        emit(c, OP_Halt, c->outer ? ERR_CONSTRAINT_TRIGGER : ERR_ERROR, e->conflict, reg);
        reg_release(c, temp);
    }
    return 0;
}

struct subselect_trial {
    struct compile *c;
    struct expr *query;
    int reg;
};

static void subselect_try(void *context)
{
    struct subselect_trial *t = context;
    t->reg = subselect_code(t->c, t->query);
}

// A row value's subquery that fails is one value to SQLite, and this is what it tells.
static int row_subselect_code(struct compile *c, struct expr *query)
{
    struct subselect_trial t = {c, query, 0};
    struct err mistake;
    const int size = expr_vector_size(query);
    coding_mistake_tell(c);
    if (!compile_attempt(c, subselect_try, &t, &mistake) || c->coding_mistake) compile_fail(c, ERR_ERROR, -1, "%d columns assigned 1 values", size);
    return t.reg;
}

// The value of a row's field from a subquery coded once.
static int select_column_code(struct compile *c, struct expr *e, int target)
{
    struct expr *row = e->left;
    // Of an assignment: told once all names are known.
    if (e->integer && expr_vector_size(row) != e->integer)
        compile_fail(c, ERR_ERROR, -1, "%d columns assigned %d values", (int)e->integer, expr_vector_size(row));
    if (row->kind == EXPR_SELECT) {
        // An assignment's fields are computed one after another: the first one's code has run the subquery.
        bool has_run = e->integer && row->flags & EXPR_F_SUBROUTINE;
        struct expr *values = e->right; // of a comparison's fields
        if (values && values->reg) return values->reg + e->column;
        int reg = has_run ? row->reg : row_subselect_code(c, row);
        if (values) values->reg = reg;
        return reg + e->column;
    }
    if (row->kind == EXPR_REGISTER) return row->reg + e->column;
    return expr_code_target(c, row->list->items[e->column].expr, target);
}

int expr_code_target(struct compile *c, struct expr *e, int target)
{
    int t1 = 0, t2 = 0, r1, r2, in_reg = target;
    if (!e) {
        emit(c, OP_Null, 0, target, 0);
        return target;
    }
    if (c->index_exprs && !(e->flags & EXPR_F_LEAF)) {
        int found = indexed_expression(c, e, target);
        if (found >= 0) return found;
    }
    switch ((enum expr_kind)e->kind) {
    case EXPR_AGG_COLUMN:
        return aggregate_column_code(c, e, target);
    case EXPR_COLUMN:
        return column_expr_code(c, e, target);
    case EXPR_FIXED: {
        expr_code(c, e->left, target);
        char affinity = expr_affinity(e);
        if (affinity > AFFINITY_BLOB) emit_text_n(c, OP_Affinity, target, 1, 0, &affinity, 1);
        return target;
    }
    case EXPR_INTEGER:
        if (e->flags & EXPR_F_BIG_INTEGER) coding_mistake(c, e, "hex literal too big: %s", e->text);
        integer_code(c, e->integer, target);
        return target;
    case EXPR_BOOLEAN:
        integer_code(c, e->integer, target);
        return target;
    case EXPR_REAL:
        program_emit_real(c->program, target, e->real);
        return target;
    case EXPR_TEXT:
        emit_string(c, e->text, e->text_size, target);
        return target;
    case EXPR_BLOB:
        emit_blob(c, e->text, e->text_size, target);
        return target;
    case EXPR_NULL:
        emit(c, OP_Null, 0, target, 0);
        return target;
    case EXPR_VARIABLE:
        // In a trigger that was written into the schema by hand it is NULL.
        emit(c, c->outer ? OP_Null : OP_Variable, c->outer ? 0 : (int)e->variable, target, 0);
        return target;
    case EXPR_REGISTER:
        return e->reg;
    case EXPR_CURRENT:
        return current_time_code(c, e, target);
    case EXPR_CAST:
        expr_code(c, e->left, target);
        emit(c, OP_Cast, target, affinity_of_cast(e->text), 0);
        return target;
    case EXPR_IS:
    case EXPR_IS_NOT:
        comparison_value(c, e, e->kind == EXPR_IS ? EXPR_EQ : EXPR_NE, target, COMPARE_NULL_EQUAL);
        return target;
    case EXPR_LT:
    case EXPR_LE:
    case EXPR_GT:
    case EXPR_GE:
    case EXPR_NE:
    case EXPR_EQ:
        comparison_value(c, e, e->kind, target, 0);
        return target;
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_ADD:
    case EXPR_SUBTRACT:
    case EXPR_MULTIPLY:
    case EXPR_DIVIDE:
    case EXPR_REMAINDER:
    case EXPR_BIT_AND:
    case EXPR_BIT_OR:
    case EXPR_SHIFT_LEFT:
    case EXPR_SHIFT_RIGHT:
    case EXPR_CONCAT: {
        // A subquery on the right is skipped where the left side decides.
        r1 = expr_code_temp(c, e->left, &t1);
        if ((e->kind == EXPR_AND || e->kind == EXPR_OR) && e->right->flags & EXPR_F_HAS_SELECT) {
            int done = emit_label(c);
            int other = reg_temp(c);
            emit(c, OP_Copy, r1, other, 0);
            emit(c, e->kind == EXPR_AND ? OP_IfNot : OP_If, other, done, 0);
            bool factoring = c->factoring;
            c->factoring = false;
            r2 = expr_code_temp(c, e->right, &t2);
            c->factoring = factoring;
            emit(c, binary_opcode(e->kind), r2, other, other);
            emit_place(c, done);
            int one = reg_temp(c);
            emit(c, OP_Integer, e->kind == EXPR_AND, one, 0);
            emit(c, e->kind == EXPR_AND ? OP_And : OP_Or, other, one, target);
            reg_release(c, one);
            reg_release(c, other);
            reg_release(c, t1);
            reg_release(c, t2);
            return target;
        }
        r2 = expr_code_temp(c, e->right, &t2);
        emit(c, binary_opcode(e->kind), r2, r1, target);
        reg_release(c, t1);
        reg_release(c, t2);
        return target;
    }
    case EXPR_NEGATE: {
        struct expr *left = e->left;
        s64 value;
        bool is_hex = left->kind == EXPR_INTEGER && left->text_size > 2 && (left->text[1] | 0x20) == 'x';
        if (is_hex && (left->flags & EXPR_F_BIG_INTEGER || left->integer == INT64_MIN))
            coding_mistake(c, e, "hex literal too big: -%s", left->text);
        if (left->kind == EXPR_INTEGER && expr_is_integer64(e, &value)) {
            integer_code(c, value, target);
        } else if (left->kind == EXPR_REAL) {
            double value_real = -left->real;
            if (left->flags & EXPR_F_BIG_INTEGER && left->real == 9223372036854775808.0 &&
                strcmp(left->text, "9223372036854775808") == 0)
                integer_code(c, INT64_MIN, target);
            else
                program_emit_real(c->program, target, value_real);
        } else {
            int zero = reg_temp(c);
            emit(c, OP_Integer, 0, zero, 0);
            r2 = expr_code_temp(c, left, &t2);
            emit(c, OP_Subtract, r2, zero, target);
            reg_release(c, zero);
            reg_release(c, t2);
        }
        return target;
    }
    case EXPR_BIT_NOT:
    case EXPR_NOT:
        r1 = expr_code_temp(c, e->left, &t1);
        emit(c, e->kind == EXPR_NOT ? OP_Not : OP_BitNot, r1, target, 0);
        reg_release(c, t1);
        return target;
    case EXPR_TRUTH: {
        r1 = expr_code_temp(c, e->left, &t1);
        bool is_true = e->right->integer != 0;
        bool normal = e->kind2 == EXPR_IS;
        // xor with p4: IS NOT TRUE and IS FALSE give the opposite.
        emit_int(c, OP_IsTrue, r1, target, is_true ? 0 : 1, normal == is_true ? 0 : 1);
        reg_release(c, t1);
        return target;
    }
    case EXPR_IS_NULL:
    case EXPR_NOT_NULL: {
        r1 = expr_null_code(c, e->left, &t1);
        if (r1 == target) {
            // Never so: a temporary is another register. Guard for the row in registers.
            in_reg = reg_temp(c);
            emit(c, OP_SCopy, r1, in_reg, 0);
            r1 = in_reg;
            t2 = in_reg;
        }
        emit(c, OP_Integer, 1, target, 0);
        int jump = emit(c, e->kind == EXPR_IS_NULL ? OP_IsNull : OP_NotNull, r1, 0, 0);
        emit(c, OP_Integer, 0, target, 0);
        emit_jump_here(c, jump);
        reg_release(c, t1);
        reg_release(c, t2);
        return target;
    }
    case EXPR_AGG_FUNCTION: {
        struct aggregate_info *a = e->aggregate;
        if (!a || e->aggregate_index < 0 || (u32)e->aggregate_index >= a->function_count) {
            coding_mistake(c, e, "misuse of aggregate: %s()", e->text);
            return target;
        }
        return a->functions[e->aggregate_index].reg;
    }
    case EXPR_FUNCTION:
        return function_code(c, e, target);
    case EXPR_EXISTS:
    case EXPR_SELECT:
        if (e->kind == EXPR_EXISTS || e->select->columns->count == 1) return subselect_code(c, e);
        expr_row_mistake(c, e);
        return target;
    case EXPR_SELECT_COLUMN:
        return select_column_code(c, e, target);
    case EXPR_IN: {
        int is_false = emit_label(c), is_null = emit_label(c);
        emit(c, OP_Null, 0, target, 0);
        in_code(c, e, is_false, is_null);
        emit(c, OP_Integer, 1, target, 0);
        emit_place(c, is_false);
        emit(c, OP_AddImm, target, 0, 0);
        emit_place(c, is_null);
        return target;
    }
    case EXPR_BETWEEN:
        between_code(c, e, 0, target, false, false);
        return target;
    case EXPR_COLLATE:
        // A column of a subquery that was merged: subtypes do not come out of subqueries.
        if (!(e->flags & EXPR_F_HAS_COLLATE)) {
            expr_code(c, e->left, target);
            emit(c, OP_ClrSubtype, target, 0, 0);
            return target;
        }
        return expr_code_target(c, e->left, target);
    case EXPR_PLUS:
        return expr_code_target(c, e->left, target);
    case EXPR_TRIGGER: {
        const struct table *t = e->table;
        int place = e->column < 0 ? -1 : t->columns[e->column].storage;
        if (c->trigger.registers[e->cursor]) {
            int reg = c->trigger.registers[e->cursor] + place;
            return place < 0 ? c->trigger.registers[e->cursor] - 1 : reg;
        }
        emit(c, OP_Param, e->cursor * (t->column_count + 1) + 1 + place, target, 0);
        if (e->column >= 0 && t->columns[e->column].affinity == AFFINITY_REAL) emit(c, OP_RealAffinity, target, 0, 0);
        return target;
    }
    case EXPR_ROW:
        expr_row_mistake(c, e);
        return target;
    case EXPR_IF_NULL_ROW: {
        const struct aggregate_info *a = e->aggregate;
        if (a && !a->direct_mode) return a->columns[e->aggregate_index].reg;
        if (a && a->use_sorting) {
            emit(c, OP_Column, a->sorting_cursor_pseudo, a->columns[e->aggregate_index].sorter_column, target);
            return target;
        }
        bool factoring = c->factoring;
        int jump = emit(c, OP_IfNullRow, e->cursor, 0, target);
        c->factoring = false;
        int reg = expr_code_target(c, e->left, target);
        c->factoring = factoring;
        if (reg != target) emit(c, OP_SCopy, reg, target, 0);
        emit_jump_here(c, jump);
        return target;
    }
    case EXPR_CASE:
        return case_code(c, e, target);
    case EXPR_RAISE:
        raise_code(c, e);
        return target;
    case EXPR_NAME:
    case EXPR_DOT:
    case EXPR_STAR:
        break;
    }
    compile_fail_at(c, e, "no such column: %s", e->text ? e->text : "*");
}

void expr_code(struct compile *c, struct expr *e, int target)
{
    int reg = expr_code_target(c, e, target);
    if (reg == target) return;
    struct expr *bare = expr_skip_collate(e);
    bool copy = bare && (bare->flags & EXPR_F_HAS_SELECT || bare->kind == EXPR_REGISTER || bare->kind == EXPR_SELECT);
    emit(c, copy ? OP_Copy : OP_SCopy, reg, target, 0);
}

void expr_code_copy(struct compile *c, const struct expr *e, int target)
{
    expr_code(c, expr_copy(c->arena, e), target);
}

// ---- constants --------------------------------------------------------------------------------------------

static void once_here(struct compile *c, struct expr *e, int target)
{
    int jump = emit(c, OP_Once, 0, 0, 0);
    c->factoring = false;
    expr_code_copy(c, e, target);
    c->factoring = true;
    emit_jump_here(c, jump);
}

int expr_code_once(struct compile *c, struct expr *e)
{
    for (u32 i = 0; i < c->constant_count; i++)
        if (c->constants[i].reusable && expr_compare(c, c->constants[i].expr, e, -1) == 0) return c->constants[i].reg;
    if (e->flags & EXPR_F_HAS_FUNCTION) {
        // A function may fail: only where it is reached, though once.
        int result = reg_alloc(c);
        once_here(c, e, result);
        return result;
    }
    c->constants = arena_grow(c->arena, c->constants, c->constant_count, &c->constant_capacity, sizeof *c->constants);
    int reg = reg_alloc(c);
    c->constants[c->constant_count++] = (struct factored_constant){expr_copy(c->arena, e), reg, true};
    return reg;
}

void expr_code_factor(struct compile *c, struct expr *e, int target)
{
    if (c->factoring && expr_is_constant_not_join(c, e)) {
        if (e->flags & EXPR_F_HAS_FUNCTION) {
            once_here(c, e, target);
            return;
        }
        c->constants =
            arena_grow(c->arena, c->constants, c->constant_count, &c->constant_capacity, sizeof *c->constants);
        c->constants[c->constant_count++] = (struct factored_constant){expr_copy(c->arena, e), target, false};
        return;
    }
    expr_code_copy(c, e, target);
}

int expr_code_temp(struct compile *c, struct expr *e, int *temp)
{
    e = expr_skip_collate(e);
    if (c->factoring && e && e->kind != EXPR_REGISTER && expr_is_constant_not_join(c, e)) {
        *temp = 0;
        return expr_code_once(c, e);
    }
    int own = reg_temp(c);
    int reg = expr_code_target(c, e, own);
    if (reg == own) {
        *temp = own;
    } else {
        reg_release(c, own);
        *temp = 0;
    }
    return reg;
}

void column_read_less(struct compile *c, s32 from, int reg, u16 flags)
{
    s32 last = program_address(c->program) - 1;
    if (last < from) return;
    const struct instruction *in = &c->program->code[last];
    if (in->opcode == OP_Column && in->p3 == reg) emit_set_p5(c, flags);
}

int expr_null_code(struct compile *c, struct expr *e, int *temp)
{
    s32 from = program_address(c->program);
    int reg = expr_code_temp(c, e, temp);
    if (*temp) column_read_less(c, from, reg, COLUMN_TYPE_ONLY);
    return reg;
}

int expr_list_code(struct compile *c, struct expr_list *list, int target, int source_regs, u32 flags)
{
    u8 copy = flags & LIST_CODE_DUP ? OP_Copy : OP_SCopy;
    if (!c->factoring) flags &= ~(u32)LIST_CODE_FACTOR;
    int count = (int)list->count;
    for (u32 i = 0; i < list->count; i++) {
        struct expr_item *item = &list->items[i];
        struct expr *e = item->expr;
        int column = item->order_by_column;
        if (flags & LIST_CODE_REF && column > 0) {
            if (flags & LIST_CODE_OMIT_REF) {
                target--;
                count--;
            } else {
                emit(c, copy, column + source_regs - 1, target + (int)i, 0);
            }
        } else if (flags & LIST_CODE_FACTOR && expr_is_constant_not_join(c, e)) {
            expr_code_factor(c, e, target + (int)i);
        } else {
            int reg = expr_code_target(c, e, target + (int)i);
            if (reg != target + (int)i) emit(c, copy, reg, target + (int)i, 0);
        }
    }
    return count;
}

void between_jump(struct compile *c, struct expr *e, int label, bool jump_true, bool jump_if_null)
{
    between_code(c, e, label, 0, jump_true, jump_if_null);
}
