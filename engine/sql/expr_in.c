// Subqueries in expressions, and IN.
#include "emit.h"
#include "expr.h"
#include "select.h"

// ---- scalar subqueries and EXISTS --------------------------------------------------------------------------

// A subroutine, for several places may use it: those of a RIGHT JOIN's matched and unmatched rows. One without outer references
// runs once.
int subselect_code(struct compile *c, struct expr *e)
{
    struct select *s = e->select;
    if (e->flags & EXPR_F_SUBROUTINE) {
        explain_row(c, "REUSE SUBQUERY %u", s->id);
        emit(c, OP_Gosub, e->subroutine_return, e->subroutine_address, 0);
        return e->reg;
    }
    e->flags |= EXPR_F_SUBROUTINE;
    e->subroutine_return = reg_alloc(c);
    e->subroutine_address = emit(c, OP_BeginSubrtn, 0, e->subroutine_return, 0) + 1;
    int once = e->flags & EXPR_F_CORRELATED ? 0 : emit(c, OP_Once, 0, 0, 0);
    explain_push(c, "%sSCALAR SUBQUERY %u", once ? "" : "CORRELATED ", s->id);
    int count = e->kind == EXPR_SELECT ? (int)s->columns->count : 1;
    struct select_dest dest;
    int reg = reg_alloc_range(c, count);
    select_dest_init(&dest, DEST_SCALAR, reg);
    if (e->kind == EXPR_SELECT) {
        dest.reg = reg;
        dest.reg_count = count;
        emit(c, OP_Null, 0, reg, reg + count - 1);
    } else {
        dest.kind = DEST_EXISTS;
        emit(c, OP_Integer, 0, reg, 0);
    }
    // Only the first row counts.
    struct expr *one = expr_integer(c->arena, 1);
    if (s->limit) {
        // LIMIT 0 gives none, any other at least one: (limit <> 0).
        struct expr *zero = expr_integer(c->arena, 0);
        struct expr *limit = s->limit;
        if (!(s->flags & SELECT_F_ONE_ROW)) s->limit = expr_binary(c->arena, EXPR_NE, limit, zero);
    } else {
        s->limit = one;
    }
    s->flags |= SELECT_F_ONE_ROW;
    s->limit_register = 0;
    select_code(c, s, &dest);
    e->reg = reg;
    explain_pop(c);
    if (once) emit_jump_here(c, once);
    emit(c, OP_Return, e->subroutine_return, e->subroutine_address, 1);
    reg_forget_temps(c);
    return reg;
}

// ---- the right-hand side of IN --------------------------------------------------------------------------------

// What says how values of the column compare.
static struct expr *in_column(struct compile *c, const struct select *s, int column)
{
    return select_ends_rows(s) ? expr_new(c->arena, EXPR_NULL, OFFSET_NONE) : s->columns->items[column].expr;
}

static char *in_affinity(struct compile *c, const struct expr *e)
{
    const struct expr *left = e->left;
    int count = expr_vector_size(left);
    char *out = arena_alloc(c->arena, (size_t)count + 1);
    for (int i = 0; i < count; i++) {
        char affinity = expr_affinity(expr_vector_field_subexpr((struct expr *)left, i));
        if (e->flags & EXPR_F_SELECT)
            out[i] = compare_affinity(in_column(c, e->select, i), affinity);
        else
            out[i] = affinity;
        if (out[i] <= AFFINITY_NONE) out[i] = AFFINITY_BLOB;
    }
    return out;
}

// Subroutines that fill one with a subquery's rows: a copy of the subquery, made where a condition was copied, uses the same.
struct in_subroutine {
    u32 select_id;
    int address, return_register, cursor;
    const char *affinity;
    const struct key_info *key;
    struct in_subroutine *next;
};

static void in_key_collations(struct compile *c, const struct expr *e, const struct select *s, struct key_info *key)
{
    for (int i = 0; i < expr_vector_size(e->left); i++) {
        struct expr *field = expr_vector_field_subexpr(e->left, i);
        key->collations[i] = compare_collation_or_null(c, field, in_column(c, s, i));
    }
}

static bool keys_collate_alike(const struct key_info *a, const struct key_info *b, int count)
{
    for (u32 i = 0; i < (u32)count; i++)
        if (!key_fields_alike(a, i, b, i)) return false;
    return true;
}

static void in_subroutine_find(struct compile *c, struct expr *e)
{
    int count = expr_vector_size(e->left);
    struct key_info *key = key_info_make(c, (u32)count, 0);
    in_key_collations(c, e, e->select, key);
    const char *affinity = in_affinity(c, e);
    for (struct in_subroutine *r = c->in_subroutines; r; r = r->next) {
        if (r->select_id != e->select->id || strcmp(r->affinity, affinity) != 0) continue;
        if (!keys_collate_alike(r->key, key, count)) continue;
        e->flags |= EXPR_F_SUBROUTINE;
        e->subroutine_return = r->return_register;
        e->subroutine_address = r->address;
        e->in_cursor = r->cursor;
        return;
    }
}

// Fills the ephemeral index `cursor` with the values of the right-hand side.
static void in_rhs_code(struct compile *c, struct expr *e, int cursor)
{
    struct expr *left = e->left;
    int count = expr_vector_size(left);
    int once = 0;
    bool is_select = e->flags & EXPR_F_SELECT;
    bool correlated = e->flags & EXPR_F_CORRELATED;
    if (!correlated && c->factoring_once) {
        if (is_select && !(e->flags & EXPR_F_SUBROUTINE)) in_subroutine_find(c, e);
        if (e->flags & EXPR_F_SUBROUTINE) {
            int skip = emit(c, OP_Once, 0, 0, 0);
            if (is_select) explain_row(c, "REUSE LIST SUBQUERY %u", e->select->id);
            emit(c, OP_Gosub, e->subroutine_return, e->subroutine_address, 0);
            emit(c, OP_OpenDup, cursor, e->in_cursor, 0);
            emit_jump_here(c, skip);
            return;
        }
        e->flags |= EXPR_F_SUBROUTINE;
        e->subroutine_return = reg_alloc(c);
        e->subroutine_address = emit(c, OP_BeginSubrtn, 0, e->subroutine_return, 0) + 1;
        once = emit(c, OP_Once, 0, 0, 0);
    }
    e->in_cursor = cursor;
    int open = emit(c, OP_OpenEphemeral, cursor, count, 0);
    struct key_info *key = key_info_make(c, (u32)count, 0);
    if (is_select) {
        struct select *s = e->select;
        explain_push(c, "%sLIST SUBQUERY %u", once ? "" : "CORRELATED ", s->id);
        struct select_dest dest;
        select_dest_init(&dest, DEST_SET, cursor);
        dest.parm2 = once != 0;
        dest.affinity = in_affinity(c, e);
        s->limit_register = 0;
        // Whatever is done for one coding leaves the tree changed: another place codes a copy.
        struct select *copy = once ? s : select_copy(c->arena, s);
        select_ctes_count(s);
        select_code(c, copy, &dest);
        in_key_collations(c, e, copy, key);
        explain_pop(c);
        if (once) {
            struct in_subroutine *r = arena_alloc(c->arena, sizeof *r);
            *r = (struct in_subroutine){s->id, e->subroutine_address, e->subroutine_return, cursor, dest.affinity, key, c->in_subroutines};
            c->in_subroutines = r;
        }
    } else if (e->list) {
        char affinity = expr_affinity(left);
        if (affinity <= AFFINITY_NONE) affinity = AFFINITY_BLOB;
        if (affinity == AFFINITY_REAL) affinity = AFFINITY_NUMERIC; // large integers stay what they are
        key->collations[0] = expr_collation_or_null(c, left);
        int r1 = reg_temp(c), r2 = reg_temp(c);
        bool factoring = c->factoring;
        for (u32 i = 0; i < e->list->count; i++) {
            struct expr *value = e->list->items[i].expr;
            if (once && !expr_is_constant(c, value)) {
                // Its values differ from one time to the next.
                emit_nop(c, once);
                emit_nop(c, e->subroutine_address - 1);
                e->flags &= ~(u32)EXPR_F_SUBROUTINE;
                once = 0;
            }
            c->factoring = factoring;
            expr_code(c, value, r1);
            emit_text_n(c, OP_MakeRecord, r1, 1, r2, &affinity, 1);
            emit_int(c, OP_IdxInsert, cursor, r2, r1, 1);
        }
        c->factoring = factoring;
        reg_release(c, r1);
        reg_release(c, r2);
    }
    emit_set_key(c, open, key);
    if (keys_hashable(key)) program_p5_set(c->program, open, OPEN_WITH_FILTER);
    if (once) {
        emit(c, OP_NullRow, cursor, 0, 0);
        emit_jump_here(c, once);
        emit(c, OP_Return, e->subroutine_return, e->subroutine_address, 1);
        reg_forget_temps(c);
    }
}

static bool in_select_is_table(const struct expr *e, const struct select **out)
{
    if (!(e->flags & EXPR_F_SELECT) || e->flags & EXPR_F_CORRELATED) return false;
    const struct select *s = e->select;
    if (s->prior || s->flags & (SELECT_F_DISTINCT | SELECT_F_AGGREGATE) || s->limit || s->where || !s->from ||
        s->from->count != 1 || s->group_by)
        return false;
    const struct source *source = &s->from->items[0];
    if (source->select || !source->table || source->table->kind != TABLE_ORDINARY ||
        source->table->flags & TABLE_EPHEMERAL)
        return false;
    for (u32 i = 0; i < s->columns->count; i++) {
        const struct expr *column = s->columns->items[i].expr;
        if (column->kind != EXPR_COLUMN || column->cursor != source->cursor) return false;
    }
    *out = s;
    return true;
}

static void set_has_null(struct compile *c, int cursor, int reg)
{
    emit(c, OP_Integer, 0, reg, 0);
    int empty = emit(c, OP_Rewind, cursor, 0, 0);
    emit(c, OP_Column, cursor, 0, reg);
    emit_set_p5(c, COLUMN_TYPE_ONLY);
    emit_jump_here(c, empty);
}

static bool list_all_constant(struct compile *c, const struct expr *e)
{
    for (u32 i = 0; i < e->list->count; i++)
        if (!expr_is_constant(c, e->list->items[i].expr)) return false;
    return true;
}

enum in_kind in_index_find(struct compile *c, struct expr *e, u32 flags, int *rhs_has_null, int *map, int *cursor)
{
    int tab = cursor_alloc(c);
    bool must_be_unique = flags & IN_LOOP;
    *cursor = tab;
    const struct select *s;
    if (rhs_has_null && e->flags & EXPR_F_SELECT) {
        bool nullable = false;
        for (u32 i = 0; i < e->select->columns->count; i++)
            nullable |= expr_can_be_null(e->select->columns->items[i].expr);
        if (!nullable || e->select->prior) {
            if (!nullable && !e->select->prior) rhs_has_null = NULL;
        }
    }
    if (in_select_is_table(e, &s)) {
        const struct source *source = &s->from->items[0];
        const struct table *t = source->table;
        int count = (int)s->columns->count;
        compile_use_database(c, source->database);
        if (count == 1 && s->columns->items[0].expr->column < 0) {
            int once = emit(c, OP_Once, 0, 0, 0);
            open_table(c, tab, source->database, t, OP_OpenRead);
            explain_row(c, "USING ROWID SEARCH ON TABLE %s FOR IN-OPERATOR", t->name);
            emit_jump_here(c, once);
            if (map) map[0] = 0;
            return IN_ROWID;
        }
        bool affinity_ok = true;
        for (int i = 0; i < count && affinity_ok; i++) {
            struct expr *field = expr_vector_field_subexpr(e->left, i);
            int column = s->columns->items[i].expr->column;
            char index_affinity = table_column_affinity(t, column);
            char affinity = compare_affinity(field, index_affinity);
            if (affinity == AFFINITY_BLOB || affinity == AFFINITY_NONE) continue;
            if (affinity == AFFINITY_TEXT) continue;
            affinity_ok = index_affinity >= AFFINITY_NUMERIC;
        }
        if (affinity_ok)
            for (const struct index *index = t->indexes; index; index = index->next) {
                if (index->column_count < count || index->where || index->column_count >= 63) continue;
                if (must_be_unique &&
                    (index->key_count > count ||
                     (index->column_count > count && index->conflict == CONFLICT_NONE)))
                    continue;
                u64 used = 0;
                int i;
                for (i = 0; i < count; i++) {
                    struct expr *field = expr_vector_field_subexpr(e->left, i);
                    struct expr *right = s->columns->items[i].expr;
                    const struct collation *wanted = compare_collation(c, field, right);
                    int j;
                    for (j = 0; j < count; j++) {
                        if (index->columns[j] != right->column) continue;
                        const char *name = index->collations[j] ? index->collations[j] : "BINARY";
                        if (!name_equal(wanted->name, name)) continue;
                        break;
                    }
                    if (j == count || used & 1ull << j) break;
                    used |= 1ull << j;
                    if (map) map[i] = j;
                }
                if (i < count || used != (1ull << count) - 1) continue;
                int once = emit(c, OP_Once, 0, 0, 0);
                explain_row(c, "USING INDEX %s FOR IN-OPERATOR", index->name);
                open_index(c, tab, source->database, index, OP_OpenRead);
                enum in_kind kind = index->descending && index->descending[0] ? IN_INDEX_DESC : IN_INDEX_ASC;
                if (rhs_has_null) {
                    *rhs_has_null = reg_alloc(c);
                    if (count == 1) set_has_null(c, tab, *rhs_has_null);
                }
                emit_jump_here(c, once);
                return kind;
            }
    }
    if (flags & IN_NOOP_OK && !(e->flags & EXPR_F_SELECT) && e->list &&
        (!list_all_constant(c, e) || e->list->count <= 2)) {
        c->cursor_count--;
        *cursor = -1;
        return IN_NOOP;
    }
    if (flags & IN_NOOP_OK && !(e->flags & EXPR_F_SELECT) && !e->list) {
        c->cursor_count--;
        *cursor = -1;
        return IN_NOOP;
    }
    if (rhs_has_null) *rhs_has_null = reg_alloc(c);
    const s16 query_loops = c->query_loops;
    if (flags & IN_LOOP) c->query_loops = 0; // computed once, before the loop that it drives
    in_rhs_code(c, e, tab);
    c->query_loops = query_loops;
    if (rhs_has_null && *rhs_has_null && expr_vector_size(e->left) == 1) set_has_null(c, tab, *rhs_has_null);
    if (map)
        for (int i = 0; i < expr_vector_size(e->left); i++) map[i] = i;
    return IN_EPHEMERAL;
}

bool in_width_check(struct compile *c, const struct expr *e)
{
    int count = expr_vector_size(e->left), columns = e->flags & EXPR_F_SELECT ? (int)e->select->columns->count : 1;
    if (columns == count) return true;
    if (!(e->flags & EXPR_F_SELECT)) expr_row_mistake(c, e->left);
    else if (!c->coding_mistake) coding_mistake(c, e, "sub-select returns %d columns - expected %d", columns, count);
    return false;
}

// Falls through when the left side is in the set; else jumps: the two labels may be the same.
void in_code(struct compile *c, struct expr *e, int false_label, int null_label)
{
    struct expr *left = e->left;
    int count = expr_vector_size(left);
    if (!in_width_check(c, e)) return;
    int has_null = 0, cursor = -1;
    int *map = arena_alloc(c->arena, sizeof(int) * (size_t)count);
    char *affinity = in_affinity(c, e);
    bool saved_factoring = c->factoring;
    enum in_kind kind = in_index_find(c, e, IN_MEMBERSHIP | IN_NOOP_OK,
                                      false_label == null_label ? NULL : &has_null, map, &cursor);
    // The left side, its fields in the order of the index.
    c->factoring = saved_factoring;
    int lhs, lhs_temp = 0;
    int own = 0;
    if (count == 1) {
        if (kind == IN_NOOP) {
            lhs = expr_code_temp(c, left, &lhs_temp);
        } else {
            // Affinities are applied to it: a register of its own.
            lhs = own = reg_temp(c);
            bool factoring = c->factoring;
            c->factoring = false;
            expr_code(c, left, lhs);
            c->factoring = factoring;
        }
    } else {
        lhs = reg_alloc_range(c, count);
        int sub = left->kind == EXPR_SELECT ? subselect_code(c, left) : 0;
        for (int i = 0; i < count; i++) {
            int temp = 0;
            struct expr *field;
            int reg = expr_vector_register(c, left, i, sub, &field, &temp);
            emit(c, OP_Copy, reg, lhs + map[i], 0);
            reg_release(c, temp);
        }
    }

    if (kind == IN_NOOP) {
        int found = emit_label(c);
        const struct collation *collation = expr_collation_or_null(c, left);
        int check_null = 0;
        if (!e->list || e->list->count == 0) {
            emit_goto(c, false_label);
            emit_place(c, found);
            reg_release(c, lhs_temp);
            return;
        }
        if (null_label != false_label) {
            check_null = reg_temp(c);
            emit(c, OP_BitAnd, lhs, lhs, check_null);
        }
        for (u32 i = 0; i < e->list->count; i++) {
            int temp = 0;
            struct expr *value = e->list->items[i].expr;
            int reg = expr_code_temp(c, value, &temp);
            if (check_null && expr_can_be_null(value)) emit(c, OP_BitAnd, check_null, reg, check_null);
            bool last = i + 1 == e->list->count;
            if (!last || null_label != false_label) {
                emit_collation(c, lhs != reg ? OP_Eq : OP_NotNull, lhs, found, reg, collation);
                emit_set_p5(c, lhs != reg ? (u16)affinity[0] : 0);
            } else {
                emit_collation(c, lhs != reg ? OP_Ne : OP_IsNull, lhs, false_label, reg, collation);
                emit_set_p5(c, lhs != reg ? (u16)(affinity[0] | COMPARE_JUMP_IF_NULL) : 0);
            }
            reg_release(c, temp);
        }
        if (check_null) {
            emit(c, OP_IsNull, check_null, null_label, 0);
            emit_goto(c, false_label);
        }
        emit_place(c, found);
        reg_release(c, check_null);
        reg_release(c, lhs_temp);
        return;
    }

    int step2 = null_label == false_label ? false_label : emit_label(c);
    for (int i = 0; i < count; i++) {
        struct expr *field = expr_vector_field_subexpr(left, i);
        if (expr_can_be_null(field)) emit(c, OP_IsNull, lhs + map[i], step2, 0);
    }
    int truth = 0;
    if (kind == IN_ROWID) {
        emit(c, OP_SeekRowid, cursor, false_label, lhs);
        truth = emit(c, OP_Goto, 0, 0, 0);
    } else {
        char *mapped = arena_alloc(c->arena, (size_t)count + 1);
        for (int i = 0; i < count; i++) mapped[map[i]] = affinity[i];
        emit_text_n(c, OP_Affinity, lhs, count, 0, mapped, (u32)count);
        if (false_label == null_label) {
            emit_int(c, OP_NotFound, cursor, false_label, lhs, count);
            reg_release(c, own);
            return;
        }
        truth = emit_int(c, OP_Found, cursor, 0, lhs, count);
    }
    // Not found: false, unless a NULL on the right makes it unknown.
    if (has_null && count == 1) emit(c, OP_NotNull, has_null, false_label, 0);
    if (false_label == null_label) emit_goto(c, false_label);
    if (step2 != false_label) emit_place(c, step2);
    if (false_label != null_label || count > 1) {
        int top = emit(c, OP_Rewind, cursor, false_label, 0);
        int not_null_row = count > 1 ? emit_label(c) : false_label;
        for (int i = 0; i < count; i++) {
            int reg = reg_temp(c);
            struct expr *field = expr_vector_field_subexpr(left, i);
            const struct collation *collation = expr_collation_or_null(c, field);
            if (kind == IN_ROWID) emit(c, OP_Rowid, cursor, reg, 0);
            else emit(c, OP_Column, cursor, map[i], reg);
            emit_collation(c, OP_Ne, lhs + map[i], not_null_row, reg, collation);
            reg_release(c, reg);
        }
        emit_goto(c, null_label);
        if (count > 1) {
            emit_place(c, not_null_row);
            emit(c, OP_Next, cursor, top + 1, 0);
            emit_goto(c, false_label);
        }
    }
    emit_jump_here(c, truth);
    reg_release(c, own);
}
