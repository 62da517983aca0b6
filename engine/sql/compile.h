// Compiling one statement: syntax tree in, program out.
//
// Everything here runs without waiting, in one arena, and reports errors by compile_fail, which jumps to
// the statement's single exit: no function below needs its result checked. The order of work is
//   resolve_*   names in expressions become (cursor, column), function definitions, registers
//   where_begin / where_end   loops over the sources of a FROM, code for one row goes in between
//   expr_code*  code that leaves an expression's value in a register, or jumps on its truth
//   select_code a whole SELECT, its rows going to a struct select_dest
//
// The tree is annotated in place by resolving, so an expression that belongs to a shared schema object
// (defaults, CHECKs, index expressions, view and trigger bodies) is copied first (expr_copy, select_copy).
//
// Registers number from 1, cursors from 0; both belong to a program, so a trigger's sub-program has a
// struct compile of its own, whose `top` is the statement's. Labels are negative numbers made by the
// program builder and may be used as p2 of any jump before they are placed.
#pragma once

#include <setjmp.h>

#include "../arena.h"
#include "../skerry.h"
#include "ast.h"
#include "parse.h"
#include "../vm/program.h"
#include "schema.h"

struct aggregate_info;
struct where_info;

// ---- the statement being compiled ---------------------------------------------------------------------

// What sits where old.x and new.x of a trigger program, or the columns of a RETURNING clause, come from.
struct trigger_context {
    const struct table *table; // NULL: names old and new mean nothing
    bool has_old, has_new;
    int registers[2];          // first column's register of the old [0] and new [1] row when they are in this very
                               // program (RETURNING), the rowid before it; 0: parameters of the sub-program
    u64 old_mask, new_mask;    // columns used, as source_column_mask counts them; set by resolving
    bool old_rowid_used, new_rowid_used;
};

struct factored_constant {
    struct expr *expr;
    int reg;
    bool reusable; // an equal expression elsewhere may use the register
};

// Where values of a table's cursor are to be taken from while a loop by one of its indexes is under way: an indexed expression
// from the index, a column that a partial index's WHERE fixes from the constant.
struct column_source {
    struct column_source *next;
    struct expr *expr; // the indexed expression; the constant
    int table_cursor, index_cursor, index_column;
    bool may_be_null_row;
    u8 affinity;
};

// Numbers of rows and costs of plans: 10 * log2.
typedef s16 logest;
#define LOGEST_ROWS_UNKNOWN 200 // of a table that nothing is known of: a million rows
logest logest_of(u64 x);
logest logest_add(logest a, logest b);
logest logest_log(logest n); // log of the number itself: cost of a search

struct compile {
    struct arena *arena;
    struct skerry *db;
    struct program *program;     // being built: the statement's or a trigger's
    struct compile *top;         // the statement's own compile: itself unless this is a sub-program
    struct compile *outer;       // the one that fires this trigger, or NULL
    const char *sql;             // text of the statement, for names of columns and offsets of errors
    size_t sql_size;

    int register_count;          // highest register in use
    int cursor_count;            // next free cursor number
    int *temp_regs;              // released temporary registers
    u32 temp_reg_count, temp_reg_capacity;
    int temp_range_start, temp_range_count;

    struct factored_constant *constants; // to be computed once, at the program's start
    u32 constant_count, constant_capacity;
    bool factoring;              // constants may be factored out here
    int once_depth;

    struct trigger_context trigger;
    struct autoincrement *autoincrements; // of the top: AUTOINCREMENT tables that are inserted into
    bool triggers_disabled;      // DROP TABLE's own DELETE
    struct with *with;           // innermost WITH in sight
    struct column_source *index_exprs, *index_constants;
    // Where columns with cursor -1 (resolve_self) are: > 0: cursor self_cursor - 1; < 0: registers, the first column
    // (by its place in the record) in -self_cursor, the rowid before it.
    int self_cursor;
    const char *self_what; // they are read for: "a CHECK constraint", "a generated column"; NULL: an index
    const struct generated_scope *generated; // virtual columns that are being computed, innermost first
    bool factoring_once;         // code outside of loops that OP_Once can guard

    const struct view_scope *views; // being expanded, innermost first
    const struct cte_scope *ctes;   // the same of CTEs
    const struct table *view_mistaken; // the last that was not all right, as view_mistake says
    struct err *view_mistake;
    int view_database;           // of the innermost
    const char *trigger_schema;  // names in a trigger's body mean tables of that database, or NULL
    u32 quiet_offsets;           // errors are at no place of the statement's text
    bool renaming;               // of the top: ALTER TABLE looks where names stand, functions need not be known
    u32 nested;                  // of the top: compiling SQL of the engine's own (ddl.h), which may change sqlite_schema

    const struct parse *parse;   // for its parameters; NULL when the text is the engine's own

    u32 schema_used, schema_written; // bit per database: OP_Transaction is emitted for it
    // Of the top, PRAGMA count_changes: rows inserted, updated, or to be deleted, a view's as well; 0: not counted. They are
    // no changes(): an upsert's update is a change, but no row inserted.
    int row_count_reg;
    bool multi_row_write, may_abort; // a statement savepoint is needed when both
    bool may_write; // of the top: nothing is to be written as things are (IF EXISTS), but it is no reading statement
    bool read_only_schema;       // compiling what the schema holds (views, triggers): see names' rules
    bool collations_late;          // what is not there goes into collation_missing and is told by resolve_select, behind names
    const char *collation_missing; // the last, or NULL
    s64 collation_offset;
    const char *mistake; // what the resolver has found wrong at mistake_offset, to be told at the expression's end
    s64 mistake_offset;
    struct err *coding_mistake;  // the last that was found as code was made, told by coding_mistake_tell(), or NULL
    bool short_names;            // of the top: of a new table, whatever PRAGMA full_column_names says
    enum {
        RESOLVING_NOTHING,
        RESOLVING_NAMES,  // of a query, with its tables; what is wrong with the tables is looked for again
        RESOLVING_TABLES, // and only with them (select_tables)
    } resolving;
    bool mistake_final; // what stands behind it in the same arguments is not looked at
    u32 expr_height, select_depth;
    s16 query_loops;             // rows that the loops around are estimated to give (log2 * 10)
    u32 select_id_next;          // for EXPLAIN QUERY PLAN and "(subquery-N)"
    u32 select_copies;           // made of queries over compounds
    struct in_subroutine *in_subroutines; // of the program (expr_in.c)
    struct view_estimate *view_estimates; // of the program (select_source.c)
    int explain_parent;          // address of the EXPLAIN row under which new ones go
    bool explain_query_plan;

    jmp_buf *exit;
    struct err *err;
};

// Ends compiling with that error. offset: byte in the SQL text, or -1.
_Noreturn void compile_fail(struct compile *c, err_code code, s64 offset, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
// With what an attempt has failed with.
_Noreturn void compile_fail_again(struct compile *c, const struct err *mistake);
// The same at an expression's token.
_Noreturn void compile_fail_at(struct compile *c, const struct expr *e, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// What SQLite goes on behind, as code is made: the last of several is told, at the end of a query or program.
void coding_mistake(struct compile *c, const struct expr *e, const char *format, ...) __attribute__((format(printf, 3, 4)));
void coding_mistake_tell(struct compile *c);

// Runs `work`; false: it failed by a mistake in the statement, which *mistake tells and nothing else does. Other failures
// end compiling.
bool compile_attempt(struct compile *c, void (*work)(void *context), void *context, struct err *mistake);

// Parses the first statement of sql (NUL behind it) and compiles it. *used: the bytes it took; *out NULL: there
// was none. The schema of every attached database is loaded and stays as it is meanwhile. *err on failure. `own`: the engine
// runs it for itself, and gets no rows that PRAGMA count_changes makes.
err_code compile_sql(struct skerry *db, struct arena *arena, const char *sql, size_t size, bool own, size_t *used,
                     struct program **out, struct err *err);
// Runs `work` with a compile of its own that makes no program; the schemas are loaded. *err on failure.
err_code compile_run(struct skerry *db, void (*work)(struct compile *c, void *context), void *context, struct err *err);
// ALTER TABLE (alter_check.c): do the views and triggers of the database, and of temp, make sense?
err_code alteration_check(struct skerry *db, int database, const char *when, struct err *err);
// Emits the code of one parsed statement: dispatches to select_statement, insert_statement, ...
void compile_statement(struct compile *c, struct stmt *s);
// A compile for a trigger's sub-program: registers, cursors and constants of its own.
void compile_init_sub(struct compile *sub, struct compile *outer, struct program *program);
// Emits what every program ends with (Halt, Transaction per used database, factored constants, Goto to the
// body); the builder's first instruction must be the Init that compile_begin emitted.
void compile_begin(struct compile *c);
void compile_finish(struct compile *c);

// The statement reads (writes) database `index`.
void compile_use_database(struct compile *c, int index);
void compile_use_named(struct compile *c, const char *schema); // that of the name, or all of them: NULL
void compile_write_database(struct compile *c, int index, bool multi_row);
void compile_may_write(struct compile *c);
void compile_row_count(struct compile *c); // counts one for PRAGMA count_changes
// The result columns of the program (SELECT, RETURNING, PRAGMA). names and decltypes may be NULL strings.
void compile_result_columns(struct compile *c, u32 count);
void compile_result_column(struct compile *c, u32 column, const char *name, const char *decltype);
// That it is column `origin` of the table (negative: the rowid), whose declared type it has.
void compile_result_origin(struct compile *c, u32 column, s32 database, const struct table *t, s32 origin);
// A row of EXPLAIN QUERY PLAN; gives its address, which push makes the parent of those that follow.
int explain_row(struct compile *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
int explain_push(struct compile *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
void explain_pop(struct compile *c);

// ---- the connection ------------------------------------------------------------------------------------

// The table of an eponymous table-valued function (json_each, pragma_table_info, ...), or NULL.
const struct table *connection_eponymous_table(struct skerry *db, const char *name);

int compile_database_count(const struct compile *c);
int compile_database_find(const struct compile *c, const char *name); // -1: none
const char *compile_database_name(const struct compile *c, int index);
const struct schema *compile_schema(struct compile *c, int index); // fails when schemas could not be read
const struct fn_def *compile_function(struct compile *c, const char *name, s32 count, bool *name_exists);
// What an EXPR_FUNCTION calls, looked up once and kept in it; NULL: none, and whether one has other arguments is in *name_exists.
const struct fn_def *compile_call_function(struct compile *c, struct expr *call, bool *name_exists);
const struct table *compile_eponymous_table(struct compile *c, const char *name);
bool compile_connection_flag(const struct compile *c, int flag); // enum connection_flag of connection.h
s64 compile_limit(const struct compile *c, enum skerry_limit limit);

// ---- emitting ----------------------------------------------------------------------------------------

// The builder of vm/program.h on c->program. The setters are about the newest instruction.
static inline int emit(struct compile *c, enum opcode op, int p1, int p2, int p3)
{
    return program_emit(c->program, op, p1, p2, p3);
}
static inline int label_new(struct compile *c) { return program_label_new(c->program); }
static inline void label_place(struct compile *c, int label) { program_label_place(c->program, label); }
static inline int here(struct compile *c) { return program_address(c->program); }
static inline void jump_here(struct compile *c, int address) { program_jump_here(c->program, address); }
static inline struct instruction *instruction_at(struct compile *c, int address)
{
    return program_at(c->program, address);
}
static inline void set_p5(struct compile *c, int p5) { program_p5_set(c->program, -1, (u16)p5); }
static inline void set_p4_text(struct compile *c, const char *text) { program_p4_text(c->program, -1, text, -1); }
static inline void set_p4_int(struct compile *c, s64 v) { program_p4_integer(c->program, -1, v); }
static inline void set_p4_collation(struct compile *c, const struct collation *collation)
{
    program_p4_collation(c->program, -1, collation);
}
static inline void set_p4_key_info(struct compile *c, const struct key_info *info)
{
    program_p4_key_info(c->program, -1, info);
}
static inline void set_p4_table(struct compile *c, const struct table *t) { program_p4_table(c->program, -1, t); }
static inline void set_p4_program(struct compile *c, struct program *sub)
{
    program_p4_program(c->program, -1, sub);
}

int reg_alloc(struct compile *c);                 // a register for good
int reg_alloc_range(struct compile *c, int count);
int reg_temp(struct compile *c);                  // until reg_release
void reg_release(struct compile *c, int reg);     // no-op for 0 and for registers that are not temporary
int reg_temp_range(struct compile *c, int count);
void reg_release_range(struct compile *c, int first, int count);
int cursor_alloc(struct compile *c);

// ---- names -------------------------------------------------------------------------------------------

enum name_flags {
    NAME_AGGREGATE_OK = 1 << 0,    // aggregates are allowed here
    NAME_WINDOW_OK = 1 << 1,       // window functions too
    NAME_NO_SUBQUERY = 1 << 2,
    NAME_CHECK = 1 << 3,           // "... prohibited in CHECK constraints"
    NAME_PARTIAL_INDEX = 1 << 4,   // "... prohibited in partial index WHERE clauses"
    NAME_INDEX_EXPR = 1 << 5,      // "... prohibited in index expressions"
    NAME_GENERATED = 1 << 6,       // "... prohibited in generated columns"
    NAME_FROM_SCHEMA = 1 << 7,     // the expression comes out of the schema
    NAME_RESULT_ALIAS = 1 << 8,    // names may be aliases of result columns (WHERE, GROUP BY, HAVING, ORDER BY)
    NAME_NO_DOUBLE_QUOTED = 1 << 9,
    NAME_WHERE = 1 << 11,     // of a query's WHERE or ON
    NAME_REGISTERS = 1 << 10, // columns become registers: no aggregate belongs to such a row
    NAME_SELF_TABLE = NAME_CHECK | NAME_PARTIAL_INDEX | NAME_INDEX_EXPR | NAME_GENERATED,
    // set by resolving
    NAME_HAS_AGGREGATE = 1 << 16,
    NAME_HAS_WINDOW = 1 << 17,
    NAME_HAS_MIN_MAX = 1 << 18,
    NAME_HAS_SUBQUERY = 1 << 19,
    NAME_IN_AGGREGATE = 1 << 20,
    NAME_ORDERED_AGGREGATE = 1 << 21,
    NAME_ORDER_COUNTS = 1 << 22, // an aggregate depends on the order of rows
    NAME_PLAIN_AGGREGATE = 1 << 23, // there is one that is neither within a window function nor in a subquery
};

struct name_context {
    struct compile *c;
    struct source_list *sources;    // tables whose columns are in sight; may be NULL
    struct expr_list *results;      // NAME_RESULT_ALIAS
    struct aggregate_info *aggregates; // of expr_analyze_aggregates
    struct select *select;          // that the window functions belong to
    struct name_context *outer;
    // excluded.x of an upsert: registers of the row that was to be inserted, column order as the table's
    const struct table *excluded_table;
    int excluded_cursor;
    bool *excluded_rowid_read;      // set when excluded's rowid is; may be NULL
    u32 nested;                     // subqueries of FROM between this context and the one that is resolved in it
    u32 reference_count;            // names resolved here: >0 for an outer context means correlated
    u32 flags;                      // enum name_flags
};
// Resolves every name in place; fails with SQLite's text.
void resolve_expr(struct name_context *n, struct expr *e);
void resolve_expr_list(struct name_context *n, struct expr_list *list);
// Resolves (and expands "*", views, CTEs, NATURAL/USING in) a whole select. outer may be NULL.
void resolve_select(struct compile *c, struct select *s, struct name_context *outer);
// A copy of the list, resolved: RETURNING, of which the same mistakes are told first as of a query.
struct expr_list *resolve_result(struct name_context *n, const struct expr_list *list);
// Names in rows of VALUES, which are no query: the terms up to s.
void resolve_rows(struct compile *c, struct select *s);
// For what belongs to one table and sees only its columns: CHECK, partial index WHERE, index expressions,
// generated columns, DEFAULT (table NULL). Columns come out with cursor c->self_cursor (-1 unless set).
void resolve_self(struct compile *c, const struct table *table, u32 flags, struct expr *e,
                  struct expr_list *list);
// The same for expressions one after the other, as those of a new table: a mistake is told by resolve_self_end(), of several the last.
void resolve_self_next(struct compile *c, const struct table *table, u32 flags, struct expr *e);
void resolve_self_end(struct compile *c);
// The table that a name means: schema tables, temp first, then main, then attached; views too.
// Fails "no such table: %s" at `offset`; with quiet gives NULL instead.
const struct table *locate_table(struct compile *c, const char *database, const char *name, s64 offset,
                                 bool quiet, int *database_index);
// Fails with what keeps a virtual table from having columns (table.unusable).
void virtual_table_require(struct compile *c, const struct table *t);
// Makes the tables of a WITH clause (may be NULL) known; c->with is put back by the caller.
void with_push(struct compile *c, struct with *w);
// Looks up the table of a DML statement's only source, sets its cursor and database.
const struct table *locate_source(struct compile *c, struct source *s);

// ---- expressions -------------------------------------------------------------------------------------

// Code that leaves the value in register target.
void expr_code(struct compile *c, struct expr *e, int target);
// The same, for an expression of the schema that must stay as it is (works on a copy).
void expr_code_copy(struct compile *c, const struct expr *e, int target);
// Leaves it wherever it is cheapest; gives that register. *temp is what to reg_release, or 0.
int expr_code_temp(struct compile *c, struct expr *e, int *temp);
int expr_null_code(struct compile *c, struct expr *e, int *temp); // when only whether it is NULL is asked of it
// Of what was coded from that address on into a register of its own only its length or type (enum column_get_flags) will be asked.
void column_read_less(struct compile *c, s32 from, int reg, u16 flags);
// Gives the register that holds the value: target, unless it is somewhere already.
int expr_code_target(struct compile *c, struct expr *e, int target);
// The value in target, computed at the program's start when it is constant.
void expr_code_factor(struct compile *c, struct expr *e, int target);
// A register with the value of a constant expression, computed once.
int expr_code_once(struct compile *c, struct expr *e);
enum list_code_flags { LIST_CODE_FACTOR = 1, LIST_CODE_DUP = 2, LIST_CODE_REF = 4, LIST_CODE_OMIT_REF = 8 };
// Values of a list in consecutive registers from target on; gives how many.
int expr_list_code(struct compile *c, struct expr_list *list, int target, int source_regs, u32 flags);
// Jump when true (false); jump_if_null: NULL jumps too.
void expr_jump_if_true(struct compile *c, struct expr *e, int label, bool jump_if_null);
void expr_jump_if_false(struct compile *c, struct expr *e, int label, bool jump_if_null);
// Column `column` of table at cursor (index -1: the rowid) into reg: default values, generated columns,
// the primary key's place in WITHOUT ROWID tables and REAL stored as integer are taken care of.
void column_code(struct compile *c, const struct table *t, int cursor, int column, int reg);
// Jumps (to where the caller says: the address is given) when the type of a stored column is in the mask; its value is not read.
int column_type_code(struct compile *c, const struct table *t, int cursor, int column, u16 types);
char table_column_affinity(const struct table *t, int column);

char expr_affinity_given(const struct expr *e); // 0: none, while a column of a query that has none is AFFINITY_NONE
char expr_affinity(const struct expr *e);
const struct collation *expr_collation(struct compile *c, const struct expr *e);    // never NULL
char compare_affinity(const struct expr *e, char other);
const struct collation *compare_collation(struct compile *c, const struct expr *left, const struct expr *right);
const struct collation *find_collation(struct compile *c, const char *name); // fails when there is none
const struct collation *column_collation(struct compile *c, const struct table *t, int column);

bool expr_is_constant(struct compile *c, const struct expr *e);          // no columns, deterministic
bool expr_is_constant_for(struct compile *c, const struct expr *e, int cursor); // columns of cursor allowed? see .c
bool expr_is_integer(const struct expr *e, int *value);
bool expr_can_be_null(const struct expr *e);
int expr_vector_size(const struct expr *e);
struct expr *expr_vector_field(struct compile *c, struct expr *e, int field);
bool expr_is_vector(const struct expr *e);
bool expr_is_star(const struct expr *e); // "*" or "table.*", not resolved
_Noreturn void expr_row_fail(struct compile *c, const struct expr *e); // a vector where a value should be
void expr_row_mistake(struct compile *c, const struct expr *e);        // the same as a coding_mistake

// Copies: expr_copy, select_copy, ... of ast.h with c->arena; comparison: expr_compare.
// 0: the same; 1: but for an explicit COLLATE at the top of one; 2: different. cursor: columns of `a` with that
// cursor equal those of `b` with cursor -1.
int expr_compare(struct compile *c, const struct expr *a, const struct expr *b, int cursor);
// 0: the same.
int expr_list_compare(struct compile *c, const struct expr_list *a, const struct expr_list *b, int cursor);
struct expr *expr_and(struct arena *a, struct expr *left, struct expr *right); // either may be NULL; 0 where one is that
bool expr_implies(struct compile *c, const struct expr *premise, const struct expr *conclusion, int cursor);

// ---- SELECT ------------------------------------------------------------------------------------------

enum select_dest_kind {
    DEST_OUTPUT,    // ResultRow
    DEST_DISCARD,   // rows are computed for their side effects
    DEST_EXISTS,    // register parm becomes 1
    DEST_SCALAR,    // first row into registers parm..
    DEST_SET,       // keys of the ephemeral index parm, with `affinity` (IN); parm2: EXPLAIN says that it has a filter
    DEST_EPHEMERAL, // rows of the ephemeral table parm, which is opened here
    DEST_TABLE,     // rows of the table open at cursor parm, automatic rowids
    DEST_COROUTINE, // registers reg.. then Yield parm
    DEST_QUEUE,     // recursive CTE: appended to the queue parm (by order_by when it is not NULL)
    DEST_DISTINCT_QUEUE, // the same unless in ephemeral index parm2 already
};
struct select_dest {
    enum select_dest_kind kind;
    int parm, parm2;
    const char *affinity;   // per column, or NULL
    int reg, reg_count;     // where rows are left; 0: select_code chooses
    struct expr_list *order_by;
};
static inline void select_dest_init(struct select_dest *d, enum select_dest_kind kind, int parm)
{
    *d = (struct select_dest){.kind = kind, .parm = parm};
}
// Resolves when that has not been done, then emits the code.
void select_code(struct compile *c, struct select *s, struct select_dest *dest);
// Column names and declared types of a resolved select become the program's.
void select_result_columns(struct compile *c, struct select *s);
void select_result_list(struct compile *c, const struct source_list *sources, const struct expr_list *list);
const char *result_name(struct compile *c, const struct expr_item *item, u32 i); // what result column i is called
// The columns of a select (a view, a subquery, CREATE TABLE AS): names made unique, types, affinities.
// Names are as spelled (a subquery), or those of the columns.
struct table *select_result_table(struct compile *c, struct select *s, const char *name, bool spelled);
// Names and types of a view's columns, filled in at first use for this statement.
const struct table *view_columns(struct compile *c, const struct table *view, int database);

// ---- WHERE loops --------------------------------------------------------------------------------------

enum where_flags {
    WHERE_ORDER_BY_MIN = 1,      // min(): only the first row of that order matters
    WHERE_ORDER_BY_MAX = 2,
    WHERE_ONE_PASS = 4,          // UPDATE/DELETE of the single source: see where_one_pass
    WHERE_ONE_PASS_MULTI = 8,    // ... of more than one row
    WHERE_DUPLICATES_OK = 16,    // rows may come twice (the caller collects rowids in a set)
    WHERE_GROUP_BY = 32,         // order_by is a GROUP BY
    WHERE_DISTINCT_BY = 64,      // order_by is a DISTINCT
    WHERE_WANT_DISTINCT = 128,
    WHERE_SORT_BY_GROUP = 256,   // the groups must come in the order asked
    WHERE_USE_LIMIT = 512,
    WHERE_KEEP_ALL_EQUALS = 1024, // constants must not be propagated
    WHERE_AGGREGATE = 2048,
    WHERE_RIGHT_JOIN = 4096,     // inner loop of a RIGHT JOIN's unmatched rows
    WHERE_OR_SUBCLAUSE = 8192,   // inner loop of a multi-index OR
    WHERE_ORDER_LIMIT_INNER = 16384, // inside planning: does the innermost loop alone give the order?
    WHERE_ARRIVAL = 32768,       // the plan is that without order_by, which holds where rows come in that order anyway
};
// Opens loops over sources; the code that follows runs once for each row for which `where` (may be NULL)
// holds. select may be NULL. The sources' cursors are set (source.cursor); tables are opened here, also for
// UPDATE/DELETE in one-pass mode (for writing, with the indexes at cursors aux.. following the table's).
struct where_info *where_begin(struct compile *c, struct source_list *sources, struct expr *where,
                               struct expr_list *order_by, struct expr_list *results, struct select *select,
                               u32 flags, int aux);
void where_end(struct where_info *w);
int where_continue_label(const struct where_info *w);
int where_break_label(const struct where_info *w);
int where_ordered_count(const struct where_info *w); // leading ORDER BY terms that the loops deliver
enum where_distinct { DISTINCT_NONE, DISTINCT_UNIQUE, DISTINCT_ORDERED, DISTINCT_UNORDERED };
enum where_distinct where_distinct(const struct where_info *w);
// Whether the rows may be changed while the loops run: at most one row, or rows that the loop will not see
// again. cursors: the table's and the index's that the loop uses for writing (-1: none); both are the primary key's, WITHOUT
// ROWID, where the loop goes by it.
enum one_pass { ONE_PASS_OFF, ONE_PASS_SINGLE, ONE_PASS_MULTI };
enum one_pass where_one_pass(const struct where_info *w, int cursors[2]);
bool where_uses_deferred_seek(const struct where_info *w);
s16 where_row_estimate(const struct where_info *w); // log2 * 10
s16 where_table_row_size(const struct table *t);    // of bytes, estimated; log2 * 10
s16 where_index_row_size(const struct index *i);

// ---- statements (each in the file of its noun) -----------------------------------------------------------
// AUTOINCREMENT: what a program does before its body: reads sqlite_sequence (autoincrement.c).
void autoincrement_begin(struct compile *c);
void select_statement(struct compile *c, struct stmt_select *s);
void insert_statement(struct compile *c, struct stmt_insert *s);
void update_statement(struct compile *c, struct stmt_update *s);
void delete_statement(struct compile *c, struct stmt_delete *s);
void create_table_statement(struct compile *c, struct stmt_create_table *s);
void ddl_begun(struct parse *p, const struct stmt *stmt); // parse.begun: the context is a struct compile
void ddl_broken_off(struct compile *c, const struct parse *p); // parse.table cannot be read further: fails when something before is wrong
void create_index_statement(struct compile *c, struct stmt_create_index *s);
void create_view_statement(struct compile *c, struct stmt_create_view *s);
void create_trigger_statement(struct compile *c, struct stmt_create_trigger *s);
void create_virtual_table_statement(struct compile *c, struct stmt_create_virtual_table *s);
void drop_statement(struct compile *c, struct stmt_drop *s);
void alter_statement(struct compile *c, struct stmt_alter *s);
// The table that ALTER TABLE ... ADD is about; fails where nothing can be added.
const struct table *alter_adds_to(struct compile *c, const struct stmt_alter *s, int *database);
void begin_statement(struct compile *c, struct stmt_begin *s);
void commit_statement(struct compile *c);
void rollback_statement(struct compile *c);
void savepoint_statement(struct compile *c, struct stmt_savepoint *s);
void pragma_statement(struct compile *c, struct stmt_pragma *s);
void attach_statement(struct compile *c, struct stmt_attach *s);
void detach_statement(struct compile *c, struct stmt_detach *s);
void vacuum_statement(struct compile *c, struct stmt_vacuum *s);
void reindex_statement(struct compile *c, struct stmt_reindex *s);
void analyze_statement(struct compile *c, struct stmt_analyze *s);
