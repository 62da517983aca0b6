// What the SELECT side of the compiler shares about expressions beyond compile.h.
#pragma once

#include "compile.h"

struct expr *expr_skip_collate(struct expr *e); // without COLLATE and likely() around it
bool expr_make_truth(struct expr *e); // x IS [NOT] TRUE or FALSE, once that is not a column's name, becomes EXPR_TRUTH
// A column, or a constant in its place.
static inline bool expr_stands_for_column(const struct expr *e) { return e->kind == EXPR_COLUMN || e->kind == EXPR_FIXED; }
const struct collation *expr_collation_or_null(struct compile *c, const struct expr *e);
const struct collation *compare_collation_or_null(struct compile *c, const struct expr *left,
                                                  const struct expr *right);
const struct collation *expr_compare_collation(struct compile *c, const struct expr *e);
const struct collation *find_collation_at(struct compile *c, const char *name, const struct expr *at);
bool expr_index_affinity_ok(const struct expr *e, u32 field, char index_affinity); // field of a row's IN, from 0
bool expr_is_constant_not_join(struct compile *c, const struct expr *e);
bool expr_is_integer64(const struct expr *e, s64 *value);
bool expr_needs_no_affinity(const struct expr *e, char affinity);
struct expr *expr_vector_field_subexpr(struct expr *e, int field);
bool expr_implies_not_null_row(const struct expr *e, int cursor, bool right_join);
void expr_set_join(struct expr *e, int cursor, u32 flag);
void expr_unset_join(struct expr *e, int cursor, bool nullable);
bool expr_always_true(const struct expr *e);
bool expr_always_false(const struct expr *e);

// ---- code -----------------------------------------------------------------------------------------------

// Emits a comparison of registers that jumps to label.
void compare_code(struct compile *c, const struct expr *left, const struct expr *right, enum expr_kind kind, int r1,
                  int r2, int label, int p5, bool commuted);
int expr_vector_register(struct compile *c, struct expr *e, int field, int subselect_reg, struct expr **field_expr,
                         int *temp);
// The rows of a subquery expression (scalar, EXISTS); gives the register of the result.
int subselect_code(struct compile *c, struct expr *e);

// IN: how its right-hand side can be searched.
enum in_kind { IN_ROWID = 1, IN_EPHEMERAL, IN_INDEX_ASC, IN_INDEX_DESC, IN_NOOP };
enum in_flags { IN_LOOP = 1, IN_MEMBERSHIP = 2, IN_NOOP_OK = 4 };
enum in_kind in_index_find(struct compile *c, struct expr *e, u32 flags, int *rhs_has_null, int *map, int *cursor);
bool in_width_check(struct compile *c, const struct expr *e); // false, a coding_mistake: its subquery has more or fewer columns than its left side
void in_code(struct compile *c, struct expr *e, int false_label, int null_label);
// Columns (expr_column.c): the register that has the value, target unless it is in one already.
int column_expr_code(struct compile *c, struct expr *e, int target);
int aggregate_column_code(struct compile *c, struct expr *e, int target);
// The value from an expression index that the loop under way reads; -1: none has it.
int indexed_expression(struct compile *c, struct expr *e, int target);

// ---- aggregates --------------------------------------------------------------------------------------------

struct aggregate_column {
    const struct table *table;
    struct expr *expr;
    int cursor, column;
    int sorter_column;
    int reg;
};
struct aggregate_function {
    struct expr *expr;
    const struct fn_def *def;
    int reg;
    int distinct_cursor; // DISTINCT: ephemeral index of the arguments seen, or -1
    int distinct_hash;   // DISTINCT: those of them that are in a hash table, or -1
    int order_cursor; // ORDER BY inside: sorter of the arguments, or -1
    bool order_payload, order_unique, use_subtype;
};
struct distinct;
struct aggregate_info {
    struct distinct *distinct; // the loops bring the only function's DISTINCT arguments in order; or NULL
    bool direct_mode;    // columns come from the table's cursor
    bool use_sorting;    // or from the sorter
    bool no_subtypes;    // rows bring what they would if they came through the sorter
    int sorting_cursor, sorting_cursor_pseudo, sorting_columns;
    struct expr_list *group_by;
    struct aggregate_column *columns;
    u32 column_count, column_capacity;
    u32 accumulator_count; // columns that are set with each row; those after are for outer queries' arguments
    struct aggregate_function *functions;
    u32 function_count, function_capacity;
    u16 *keys; // terms of GROUP BY that are results: those have the values of the group's first row
    u32 key_count;
    int first_reg, first_key;
};
void expr_analyze_aggregates(struct name_context *n, struct expr *e);
void expr_list_analyze_aggregates(struct name_context *n, struct expr_list *list);
