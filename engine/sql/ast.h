// The syntax tree: every statement and expression of the dialect (SQLite's, 3.50).
//
// The parser makes it in the arena of the compile; the resolver then fills in what names mean, in place, and
// the code generator reads it. Trees kept in a schema (defaults, checks, generated columns, index
// expressions, views, triggers) belong to their table's arena and are never changed: compile copies them
// (expr_copy and its kin) before it resolves them.
//
// Names are dequoted, NUL-terminated and keep their case. Offsets and spans are bytes into the SQL text that
// was parsed, so that errors can point at it and ALTER TABLE can edit it.
#pragma once

#include "../arena.h"
#include "../value.h"

struct table;
struct index;
struct trigger;
struct fn_def;
struct select;
struct expr_list;
struct source_list;
struct window;
struct with;
struct cte;
struct stmt;
struct aggregate_info;

#define OFFSET_NONE UINT32_MAX
struct text_span {
    u32 offset, size; // size 0: not there
};

// What to do about a violated constraint; SQLite's OE_ numbers (they are p2/p5 of OP_Halt and others).
enum conflict {
    CONFLICT_NONE = 0, // not said; for a column: no NOT NULL
    CONFLICT_ROLLBACK = 1,
    CONFLICT_ABORT = 2,
    CONFLICT_FAIL = 3,
    CONFLICT_IGNORE = 4,
    CONFLICT_REPLACE = 5,
    CONFLICT_UPDATE = 6, // ON CONFLICT DO UPDATE
    CONFLICT_DEFAULT = 11,
};
enum foreign_key_action { FK_NO_ACTION = 0, FK_RESTRICT = 7, FK_SET_NULL = 8, FK_SET_DEFAULT = 9, FK_CASCADE = 10 };

// ---- expressions --------------------------------------------------------------------------------------

enum expr_kind {
    // literals
    EXPR_NULL,
    EXPR_INTEGER,  // integer; a hex literal of more than 64 bits has EXPR_F_BIG_INTEGER
    EXPR_REAL,     // real; text is the literal (an integer too large for 64 bits is one: EXPR_F_BIG_INTEGER)
    EXPR_TEXT,     // text, text_size: 'x', unquoted
    EXPR_BLOB,     // text, text_size: the bytes
    EXPR_BOOLEAN,  // integer 0/1: true, false (made by the resolver out of EXPR_NAME)
    EXPR_CURRENT,  // current_time / current_date / current_timestamp: text is the lower-case function name
    EXPR_VARIABLE, // variable: its number, from 1; text its name ("?", "?7", ":a")

    // names
    EXPR_NAME, // text; EXPR_F_DOUBLE_QUOTED when it was "x": a string if no such column
    EXPR_DOT,  // left . right; right may be another EXPR_DOT (schema.table.column)
    EXPR_STAR, // * in a result list (T.* is EXPR_DOT with right EXPR_STAR)

    // resolved names
    EXPR_COLUMN,     // cursor, column (-1: rowid), table
    EXPR_AGG_COLUMN, // column inside an aggregate query: aggregate, aggregate_index too
    EXPR_TRIGGER,    // NEW / OLD in a trigger: cursor 1 = new, 0 = old; column, table
    EXPR_REGISTER,   // value is in reg
    EXPR_SELECT_COLUMN, // column `column` of the row value in left; right, if any: in which register its values are by now (0: none)
    EXPR_IF_NULL_ROW,   // left, but NULL when cursor is on its null row
    EXPR_FIXED,         // a column (cursor, column, table) that WHERE says is equal to left, a constant

    // operators with left and right
    EXPR_OR,
    EXPR_AND,
    EXPR_EQ,
    EXPR_NE,
    EXPR_LT,
    EXPR_LE,
    EXPR_GT,
    EXPR_GE,
    EXPR_IS,     // IS, IS NOT DISTINCT FROM
    EXPR_IS_NOT, // IS NOT, IS DISTINCT FROM
    EXPR_BIT_AND,
    EXPR_BIT_OR,
    EXPR_SHIFT_LEFT,
    EXPR_SHIFT_RIGHT,
    EXPR_ADD,
    EXPR_SUBTRACT,
    EXPR_MULTIPLY,
    EXPR_DIVIDE,
    EXPR_REMAINDER,
    EXPR_CONCAT,

    // operators with left only
    EXPR_NOT,
    EXPR_BIT_NOT,
    EXPR_NEGATE,
    EXPR_PLUS,     // unary +
    EXPR_IS_NULL,  // ISNULL, IS NULL
    EXPR_NOT_NULL, // NOTNULL, NOT NULL, IS NOT NULL
    EXPR_TRUTH,    // left IS [NOT] TRUE/FALSE (made by the resolver): kind2 is EXPR_IS or EXPR_IS_NOT, right the constant
    EXPR_COLLATE,  // left COLLATE text
    EXPR_CAST,     // left, text is the type name

    EXPR_BETWEEN, // left BETWEEN list[0] AND list[1]  (NOT BETWEEN: EXPR_NOT around it)
    EXPR_IN,      // left IN list or select (EXPR_F_SELECT); IN table becomes a select  (NOT IN: EXPR_NOT around it)
    EXPR_CASE,    // left or NULL; list: when, then, when, then, ... [else]
    EXPR_EXISTS,  // select
    EXPR_SELECT,  // scalar (or row-valued) subquery: select
    EXPR_ROW,     // row value: list (at least 2)
    EXPR_RAISE,   // conflict (IGNORE / ROLLBACK / ABORT / FAIL), left: the message expression

    // text(list); list may be NULL, EXPR_F_DISTINCT, EXPR_F_STAR for count(*). LIKE, GLOB, MATCH and REGEXP are
    // functions of (pattern, left[, escape]) with EXPR_F_INFIX, -> and ->> of (left, right) with EXPR_F_INFIX.
    EXPR_FUNCTION,
    EXPR_AGG_FUNCTION, // resolved as an aggregate of the query aggregate_level levels out
};

enum expr_flags {
    // the parser's
    EXPR_F_DOUBLE_QUOTED = 1 << 0,
    EXPR_F_QUOTED = 1 << 1, // the name was quoted in any way
    EXPR_F_DISTINCT = 1 << 2,
    EXPR_F_STAR = 1 << 3,
    EXPR_F_INFIX = 1 << 4,
    EXPR_F_SELECT = 1 << 5,      // EXPR_IN with select
    EXPR_F_BIG_INTEGER = 1 << 6, // EXPR_REAL whose literal has only digits
    EXPR_F_PARENTHESES = 1 << 7, // was written within parentheses
    EXPR_F_HAS_FUNCTION = 1 << 8, // of the subtree
    EXPR_F_HAS_SELECT = 1 << 9,
    EXPR_F_HAS_COLLATE = 1 << 10,
    EXPR_F_HAS_WINDOW = 1 << 11,
    EXPR_F_TABLE_IN = 1 << 12, // x IN table
    // the resolver's and code generator's
    EXPR_F_OUTER_ON = 1 << 13, // from the ON or USING of an outer join with right-hand cursor on_cursor
    EXPR_F_INNER_ON = 1 << 14, // likewise of an inner join
    EXPR_F_HAS_AGGREGATE = 1 << 15,
    EXPR_F_CORRELATED = 1 << 16, // subquery that reads outer columns
    EXPR_F_CONSTANT_FUNCTION = 1 << 17,
    EXPR_F_CAN_BE_NULL = 1 << 18,
    EXPR_F_WINDOW_FUNCTION = 1 << 19,
    EXPR_F_COMMUTED = 1 << 20,
    EXPR_F_SKIP = 1 << 21, // COLLATE or likely() that comparisons look through
    EXPR_F_UNLIKELY = 1 << 22,
    EXPR_F_SUBROUTINE = 1 << 23, // the subquery is coded as one: subroutine_address, subroutine_return
    EXPR_F_FROM_DDL = 1 << 24,   // from a view, trigger or schema expression: direct-only functions are refused
    EXPR_F_SIMPLE = 1 << 25, // AND, OR: no side of it comes to a constant; INTEGER: not taken for one (expr_jump.c)
    EXPR_F_LEAF = 1 << 26,
    EXPR_F_ALIAS = 1 << 27,     // came from a result alias
    EXPR_F_SUBTYPE_WANTED = 1 << 30, // argument of a function that looks at subtypes, or below it
    EXPR_F_KEPT = 1 << 29,      // column of a virtual table that UPDATE leaves as it is
    EXPR_F_QUOTED_TEXT = 1 << 28, // "x" that became a string for want of a column
};

enum { AFFINITY_OF_FIRST = 'X' }; // of the coalesce() that USING makes: affinity and collation are its first argument's
struct expr {
    u8 kind;  // enum expr_kind
    u8 kind2; // another one: see EXPR_TRUTH; EXPR_REGISTER: what it was
    u8 affinity; // enum affinity; 0: not computed. EXPR_CAST and table columns; AFFINITY_OF_FIRST
    u8 conflict; // EXPR_RAISE
    u32 flags;
    u32 offset;      // of its first significant token (name, literal, operator's operand), or OFFSET_NONE
    u32 name_offset; // EXPR_NAME, EXPR_FUNCTION, ...: of the name token itself (kept when a.b becomes EXPR_COLUMN)
    u32 height;      // of the tree, for the depth limit
    u32 text_size;
    const char *text; // NUL-terminated
    union {
        s64 integer;
        double real;
        u32 variable;
    };
    struct expr *left, *right;
    struct expr_list *list;
    struct select *select;
    struct expr_list *order_by; // inside an aggregate's parentheses
    struct expr *filter;        // FILTER (WHERE ...)
    struct window *window;      // OVER

    // the resolver's and code generator's
    const struct table *table;
    const struct fn_def *function;
    struct aggregate_info *aggregate;
    s32 aggregate_index; // into aggregate's columns or functions; -1
    s32 cursor;          // -1
    s16 column;
    s16 aggregate_level;
    s32 on_cursor; // see EXPR_F_OUTER_ON
    s32 reg;       // EXPR_REGISTER; also a cache of where the value is (0 none)
    s32 subroutine_address, subroutine_return;
    s32 in_cursor; // EXPR_IN: ephemeral table
    s32 database;  // of table, index into the connection's databases
};

enum item_name_kind {
    ITEM_UNNAMED,
    ITEM_ALIAS, // AS x
    ITEM_SPELLED, // the item is this name, whatever that means
    ITEM_TABLE, // "db.table.column" of an expanded *
    ITEM_ROWID, // a hidden rowid column of a view
};
struct expr_item {
    struct expr *expr;
    const char *name; // alias, or NULL; UPDATE SET: the column
    struct text_span span; // the expression's text
    u32 name_offset;       // of the alias or SET column, or OFFSET_NONE
    u8 name_kind;
    bool descending;
    bool nulls_said, nulls_last; // NULLS FIRST / LAST was written; its meaning
    bool order_said;             // ASC or DESC was written
    // the resolver's and code generator's
    bool done, reusable, sorter_reference, no_expand, using_term;
    u16 order_by_column; // ORDER BY, GROUP BY: 1-based result column it stands for
    s32 const_register;
};
// NULLs come after everything else, counted in the direction of ascending order.
static inline bool expr_item_nulls_big(const struct expr_item *i) { return i->nulls_said && i->nulls_last != i->descending; }
struct expr_list {
    u32 count, capacity;
    struct expr_item *items;
};

struct name_item {
    const char *name;
    u32 offset;
    s32 column; // resolved
};
struct name_list {
    u32 count, capacity;
    struct name_item *items;
};

enum frame_unit { FRAME_RANGE, FRAME_ROWS, FRAME_GROUPS };
enum frame_bound {
    BOUND_UNBOUNDED_PRECEDING,
    BOUND_PRECEDING,
    BOUND_CURRENT_ROW,
    BOUND_FOLLOWING,
    BOUND_UNBOUNDED_FOLLOWING,
};
enum frame_exclude { EXCLUDE_NO_OTHERS, EXCLUDE_CURRENT_ROW, EXCLUDE_GROUP, EXCLUDE_TIES };
// OVER name, OVER (...), or WINDOW name AS (...).
struct window {
    const char *name; // of the definition, or of what OVER refers to (OVER name)
    const char *base; // OVER (base ...)
    u32 offset;
    bool reference; // OVER name: all else comes from there
    bool frame_said;
    u8 unit, start, end, exclude;
    struct expr_list *partition, *order_by;
    struct expr *start_expr, *end_expr;
    struct window *next; // of the select's definitions
    // the resolver's and code generator's
    struct expr *owner; // the function call
    struct expr *filter;
    const struct fn_def *function;
    struct window *next_function; // windows of one select that are computed together
    s32 cursor, cursor_app, cursor_start, cursor_end; // ephemeral table and its copies
    s32 reg_accumulator, reg_result, reg_partition, reg_one, reg_app, reg_start_rowid, reg_end_rowid;
    s32 argument_column, buffer_columns;
};

// ---- SELECT ---------------------------------------------------------------------------------------------

enum join_kind { // bits
    JOIN_INNER = 1,
    JOIN_CROSS = 2,
    JOIN_NATURAL = 4,
    JOIN_LEFT = 8,
    JOIN_RIGHT = 16,
    JOIN_OUTER = 32, // LEFT, RIGHT and FULL (LEFT | RIGHT) have it
    JOIN_LEFT_OF_RIGHT = 64, // some RIGHT JOIN follows (resolver)
    JOIN_COMMA = 128,        // joined by a comma
};
// One term of FROM, or the target of INSERT, UPDATE, DELETE.
struct source {
    const char *schema_name; // or NULL
    const char *name;        // NULL for a subquery
    const char *alias;       // or NULL
    u32 offset, schema_offset, alias_offset;
    struct select *select;       // subquery, (VALUES ...), parenthesized join (SELECT_F_NESTED_FROM)
    struct expr_list *collations; // of a compound's term: the columns of the first, whose collations count; or NULL
    struct expr_list *arguments; // name(arguments)
    bool is_function;            // name(...) was written
    bool not_indexed;
    const char *indexed_by;
    u32 indexed_by_offset;
    u8 join; // enum join_kind, with what stands to its left; 0 for the first
    bool left_of_or; // in an alternative of an OR: EXPLAIN tells of the LEFT JOIN around it
    struct expr *on;
    struct name_list *using;
    // the resolver's and code generator's
    const struct table *table;
    s32 database;
    s32 cursor; // -1
    u64 columns_used; // bit 63: column 63 or later
    struct cte *cte;
    const struct index *index; // INDEXED BY
    s32 reg_return, address_fill, reg_result; // coroutine or subroutine of a subquery
    s16 rows_estimate; // of a subquery whose code is made (rows_estimated): 10 * log2
    const struct view_estimate *view; // of a view: an estimate for all places that name it, which goes before
    bool rows_estimated, via_coroutine, correlated, materialized, recursive, rowid_used, synthetic_using, was_view, null_row;
    bool rows_elsewhere; // its rows are those of another place that names the same common table expression
    u8 from_ddl;
};
struct view_estimate {
    struct view_estimate *next;
    const char *name;
    s32 database;
    s16 rows; // 10 * log2
};
struct source_list {
    u32 count, capacity;
    struct source *items;
};

// Rows of literals and parameters alone, a tenth of the size of expressions. They are never changed: copies of a select share them.
struct constant {
    u8 kind;  // EXPR_NULL, EXPR_INTEGER, EXPR_REAL, EXPR_TEXT, EXPR_BLOB, EXPR_VARIABLE
    u32 size; // of the text
    union {
        s64 integer;
        double real;
        u32 variable;
        const char *text;
    };
};
struct constant_rows {
    u32 count, width;
    u32 capacity; // of values
    u32 id; // of the SELECT that the last row is of
    bool has_variables;
    struct constant *values; // row by row
};
bool expr_to_constant(const struct expr *e, struct constant *k); // false: it is none
void expr_from_constant(struct expr *e, const struct constant *k);

enum select_op { SELECT_SIMPLE, SELECT_UNION, SELECT_UNION_ALL, SELECT_INTERSECT, SELECT_EXCEPT };
const char *select_op_name(u8 op); // as it is written
enum select_flags {
    SELECT_F_DISTINCT = 1 << 0,
    SELECT_F_VALUES = 1 << 2,       // a row of VALUES
    SELECT_F_MULTI_VALUE = 1 << 3,  // one of several rows: the compound has no limit of terms
    SELECT_F_NESTED_FROM = 1 << 4,  // SELECT * made for a parenthesized FROM clause
    SELECT_F_COMPOUND = 1 << 5,     // part of a compound
    // the resolver's and code generator's
    SELECT_F_RESOLVED = 1 << 6,
    SELECT_F_JOINED = 1 << 1, // its joins are terms of WHERE
    SELECT_F_EXPANDED = 1 << 7,
    SELECT_F_AGGREGATE = 1 << 8,
    SELECT_F_TABLES = 1 << 9, // all its tables are known (select_tables)
    SELECT_F_RECURSIVE = 1 << 10,
    SELECT_F_USES_EPHEMERAL = 1 << 11,
    SELECT_F_MIN_MAX = 1 << 12,
    SELECT_F_FIXED_LIMIT = 1 << 13,
    SELECT_F_CONVERTED = 1 << 14,
    SELECT_F_WINDOW_REWRITTEN = 1 << 15,
    SELECT_F_HAS_TYPES = 1 << 16,
    SELECT_F_VIEW = 1 << 17,
    SELECT_F_CORRELATED = 1 << 18,
    SELECT_F_PUSHED = 1 << 19, // filters of the query around were pushed down into it, or columns dropped
    SELECT_F_WINDOW_ROWS = 1 << 20, // the inner query of window functions: its rows keep the order that they came in
    SELECT_F_ORDER_COUNTS = 1 << 21, // an aggregate of it depends on the order of rows
    SELECT_F_UPDATE_FROM = 1 << 24, // the rows of UPDATE ... FROM
    SELECT_F_DISTINCT_GROUPED = 1 << 26, // GROUP BY stands for DISTINCT
    SELECT_F_ONE_ROW = 1 << 25, // its LIMIT is made: a scalar subquery, EXISTS
    SELECT_F_COMPUTED = 1 << 27, // a row of constants, of several: SQLite has computed it when it reads the next
    SELECT_F_ROW_BEHIND = 1 << 22, // a row behind another of the same VALUES, where rows are computed
    SELECT_F_LAST_EQUAL = 1 << 28, // a side of a merge: of equal rows the last one is given
    SELECT_F_ARRIVAL = 1 << 29, // which of equal rows comes last is seen: the order of the plan is that without ORDER BY
    SELECT_F_ROWS_APART = 1 << 30, // the last of VALUES of which SQLite has computed rows: the others are queries, with aggregates
    SELECT_F_COMPUTED_ROWS = 1 << 23, // its `rows` are both
};
// A compound is the chain of its terms from the last to the first (prior); ORDER BY, LIMIT and WITH stand at
// the last. `op` joins a term with its prior.
struct select {
    u8 op;
    u32 flags;
    u32 id;
    u32 offset; // of SELECT or VALUES
    struct expr_list *columns;
    struct constant_rows *rows; // of VALUES, behind this one; resolve_select makes terms of them (select_expand_rows)
    struct source_list *from; // NULL: none
    struct expr *where;
    struct expr_list *group_by;
    struct expr *having;
    struct window *windows; // WINDOW definitions
    struct expr_list *order_by;
    struct expr *limit, *limit_offset;
    struct with *with;
    struct select *prior, *next; // compound: term to the left / right
    // the resolver's and code generator's
    struct window *functions; // window functions of this select, by next_function
    struct expr_list *order_dropped; // an ORDER BY that sorts nothing; its window functions are computed, as in SQLite
    s32 limit_register, offset_register;
    s32 ephemeral_cursors[2];
    s16 rows_estimate;
    bool repeats_merged; // a side of a merge: identical rows of it are given once
    bool having_misused; // HAVING has no aggregate once window functions are put aside: told as code is made
};

enum cte_materialize { CTE_ANY, CTE_MATERIALIZED, CTE_NOT_MATERIALIZED };
struct cte {
    const char *name;
    u32 offset;
    struct name_list *columns; // or NULL
    struct select *select;
    u8 materialize;
    // the resolver's and code generator's
    struct with *with;
    s32 uses, copies; // named in the statement; in copies made of its parts
    s32 cursor, reg_return, address, reg_result;
    s16 rows_estimate;
    bool materialized_already;
    const struct table *table;
};
struct with {
    bool recursive;
    u32 count, capacity;
    struct cte *items;
    struct with *outer; // enclosing scope (resolver)
};

// ---- statements -------------------------------------------------------------------------------------------

enum stmt_kind {
    STMT_SELECT,
    STMT_INSERT,
    STMT_UPDATE,
    STMT_DELETE,
    STMT_CREATE_TABLE,
    STMT_CREATE_INDEX,
    STMT_CREATE_VIEW,
    STMT_CREATE_TRIGGER,
    STMT_CREATE_VIRTUAL_TABLE,
    STMT_DROP, // table, index, view, trigger
    STMT_ALTER,
    STMT_BEGIN,
    STMT_COMMIT,   // COMMIT, END
    STMT_ROLLBACK, // ROLLBACK without TO
    STMT_SAVEPOINT, // SAVEPOINT, RELEASE, ROLLBACK TO
    STMT_PRAGMA,
    STMT_ATTACH,
    STMT_DETACH,
    STMT_VACUUM,
    STMT_REINDEX,
    STMT_ANALYZE,
};
enum explain_kind { EXPLAIN_NO, EXPLAIN_PROGRAM, EXPLAIN_QUERY_PLAN };

// Every statement begins with this.
struct stmt {
    u8 kind;    // enum stmt_kind
    u8 explain; // enum explain_kind; trigger steps: no
    struct text_span span; // without the semicolon
    struct stmt *next;     // trigger steps
};

struct stmt_select {
    struct stmt stmt;
    struct select *select;
};

// ON CONFLICT clauses of an INSERT, in order.
struct upsert {
    struct expr_list *target; // columns or expressions of the conflict, NULL: any
    struct expr *target_where;
    bool update; // DO UPDATE; else DO NOTHING
    struct expr_list *set;
    struct expr *where;
    struct upsert *next;
    // the code generator's
    const struct index *index;
    bool is_rowid;
    s32 data_cursor, index_cursor, reg_data;
    struct source_list *source;
    void *to_free;
};

struct stmt_insert {
    struct stmt stmt;
    struct with *with;
    u8 conflict; // INSERT OR x; REPLACE is INSERT OR REPLACE
    struct source_list *target; // one entry, maybe with alias
    struct name_list *columns;  // or NULL
    struct select *select;      // NULL: DEFAULT VALUES
    struct upsert *upsert;
    struct expr_list *returning; // or NULL
};

// In `set` a row assignment (a,b) = expr is one item for each column, whose expr is EXPR_SELECT_COLUMN of the
// shared right-hand side (or the element itself when that is a row value in parentheses).
struct stmt_update {
    struct stmt stmt;
    struct with *with;
    u8 conflict;
    struct source_list *target; // one entry: table, alias, INDEXED BY
    struct expr_list *set;
    struct source_list *from; // or NULL
    struct expr *where;
    struct expr_list *order_by;
    struct expr *limit, *limit_offset;
    struct expr_list *returning;
};

struct stmt_delete {
    struct stmt stmt;
    struct with *with;
    struct source_list *target;
    struct expr *where;
    struct expr_list *order_by;
    struct expr *limit, *limit_offset;
    struct expr_list *returning;
};

// A possibly qualified object name.
struct object_name {
    const char *schema; // or NULL
    const char *name;
    u32 schema_offset, offset;
};

// Constraints of a column or of the table, in the order written.
enum constraint_kind {
    CONSTRAINT_PRIMARY_KEY, // list (NULL: the column), descending (column), autoincrement, conflict
    CONSTRAINT_UNIQUE,      // list (NULL: the column), conflict
    CONSTRAINT_NOT_NULL,    // conflict
    CONSTRAINT_NULL,
    CONSTRAINT_CHECK,   // expr, span, conflict (parsed, without effect)
    CONSTRAINT_DEFAULT, // expr, span
    CONSTRAINT_COLLATE, // collation
    CONSTRAINT_FOREIGN_KEY, // columns (NULL: the column), parent, parent_columns, on_delete, on_update
    CONSTRAINT_DEFERRABLE,  // of the foreign key before it: deferred
    CONSTRAINT_GENERATED,   // expr, span, stored
};
struct constraint {
    u8 kind;
    u8 conflict;
    bool descending, autoincrement, deferred, stored;
    u8 on_delete, on_update; // enum foreign_key_action
    const char *name;        // CONSTRAINT name, or NULL
    const char *generated_type; // GENERATED ... AS (...) TYPE: "stored", "virtual", anything else, NULL
    struct text_span span;
    u32 offset, behind; // behind: of the token after it
    struct expr *expr;
    struct expr_list *list;
    const char *collation;
    const char *parent;
    u32 parent_offset;
    struct name_list *columns, *parent_columns;
    struct constraint *next;
};
struct column_def {
    const char *name;
    u32 offset, behind; // behind: of the token after its name and type
    const char *type; // "VARCHAR(10)", "" of a column c [], NULL when none
    struct constraint *constraints;
    struct column_def *next;
};

struct stmt_create_table {
    struct stmt stmt;
    bool temporary, if_not_exists;
    struct object_name name;
    struct column_def *columns;
    u32 column_count;
    struct constraint *constraints;
    bool without_rowid, strict;
    struct select *select; // CREATE TABLE AS: columns is then NULL
    struct text_span sql;  // from the name on: "CREATE TABLE " goes before it in sqlite_schema
    u32 columns_end;       // of the comma before the table's constraints, or the closing parenthesis
};

struct stmt_create_index {
    struct stmt stmt;
    bool unique, if_not_exists;
    struct object_name name;
    const char *table;
    u32 table_offset;
    struct expr_list *columns; // EXPR_NAME, EXPR_COLLATE or expressions; sort flags
    struct expr *where;
    struct text_span sql; // from the name on
};

struct stmt_create_view {
    struct stmt stmt;
    bool temporary, if_not_exists;
    struct object_name name;
    struct expr_list *columns; // names only, or NULL
    struct select *select;
    struct text_span sql; // from the name on
};

enum trigger_time { TRIGGER_BEFORE = 1, TRIGGER_AFTER = 2, TRIGGER_INSTEAD_OF = 3 };
enum trigger_event { TRIGGER_DELETE = 1, TRIGGER_INSERT = 2, TRIGGER_UPDATE = 3 };
struct stmt_create_trigger {
    struct stmt stmt;
    bool temporary, if_not_exists;
    struct object_name name;
    u8 time;  // nothing said is TRIGGER_BEFORE
    u8 event;
    struct name_list *columns; // UPDATE OF
    struct object_name table;
    struct expr *when;
    struct stmt *steps; // stmt_select, stmt_insert, stmt_update, stmt_delete, by stmt.next
    struct text_span sql; // from the name on
};

struct stmt_create_virtual_table {
    struct stmt stmt;
    bool if_not_exists;
    struct object_name name;
    const char *module;
    u32 module_offset;
    u32 argument_count;
    const char **arguments; // raw text, trimmed
    struct text_span sql;   // from the name on
};

enum object_kind { OBJECT_TABLE, OBJECT_INDEX, OBJECT_VIEW, OBJECT_TRIGGER };
struct stmt_drop {
    struct stmt stmt;
    u8 object; // enum object_kind
    bool if_exists;
    struct object_name name;
};

enum alter_kind { ALTER_RENAME_TABLE, ALTER_RENAME_COLUMN, ALTER_ADD_COLUMN, ALTER_DROP_COLUMN };
struct stmt_alter {
    struct stmt stmt;
    u8 alter;
    struct object_name table;
    const char *column;   // RENAME / DROP COLUMN
    u32 column_offset;
    const char *new_name; // RENAME
    struct text_span new_name_span; // as written (quotes tell how to write it back)
    struct column_def *add;
    struct text_span add_span; // text of the new column's definition
};

enum begin_kind {
    BEGIN_DEFERRED,
    BEGIN_IMMEDIATE,
    BEGIN_EXCLUSIVE,
    BEGIN_CONCURRENT,
    BEGIN_READONLY, // libSQL: BEGIN TRANSACTION READONLY
};
struct stmt_begin {
    struct stmt stmt;
    u8 begin;
};
struct stmt_commit {
    struct stmt stmt;
};
struct stmt_rollback {
    struct stmt stmt;
};
enum savepoint_kind { SAVEPOINT_BEGIN = 0, SAVEPOINT_RELEASE = 1, SAVEPOINT_ROLLBACK = 2 };
struct stmt_savepoint {
    struct stmt stmt;
    u8 savepoint;
    const char *name;
};

struct stmt_pragma {
    struct stmt stmt;
    struct object_name name;
    const char *value; // after = or within (), unquoted, with its sign ("-2000"); NULL: none
    bool quoted;       // the value was: 'value', "value"
    bool call;         // PRAGMA name(value)
};
struct stmt_attach {
    struct stmt stmt;
    struct expr *file, *name, *key; // EXPR_NAME stands for its text
};
struct stmt_detach {
    struct stmt stmt;
    struct expr *name;
};
struct stmt_vacuum {
    struct stmt stmt;
    const char *schema; // or NULL
    u32 schema_offset;
    struct expr *into; // or NULL
};
struct stmt_reindex {
    struct stmt stmt;
    struct object_name name; // name.name NULL: everything; a collation, table or index
};
struct stmt_analyze {
    struct stmt stmt;
    struct object_name name; // name.name NULL: everything; a schema, table or index
};

// ---- making and copying -----------------------------------------------------------------------------------

// A zeroed expression with cursor, reg and offset set to "none".
struct expr *expr_new(struct arena *a, enum expr_kind kind, u32 offset);
struct expr *expr_binary(struct arena *a, enum expr_kind kind, struct expr *left, struct expr *right);
struct expr *expr_integer(struct arena *a, s64 integer);
struct expr *expr_name(struct arena *a, const char *name);
// Recomputes height and the flags of the subtree (EXPR_F_HAS_*) from the children.
void expr_summarize(struct expr *e);
struct expr_item *expr_list_add(struct arena *a, struct expr_list **list, struct expr *e);
struct name_item *name_list_add(struct arena *a, struct name_list **list, const char *name, u32 offset);
struct source *source_list_add(struct arena *a, struct source_list **list);
void select_expand_rows(struct arena *a, struct select *s); // its rows become terms of their own, to its left

// Deep copies; NULL gives NULL. Resolved fields are copied as they are.
struct expr *expr_copy(struct arena *a, const struct expr *e);
struct expr_list *expr_list_copy(struct arena *a, const struct expr_list *list);
struct name_list *name_list_copy(struct arena *a, const struct name_list *list);
struct source_list *source_list_copy(struct arena *a, const struct source_list *list);
struct window *window_copy(struct arena *a, const struct window *w);
struct select *select_copy(struct arena *a, const struct select *s);
struct with *with_copy(struct arena *a, const struct with *w);
struct upsert *upsert_copy(struct arena *a, const struct upsert *u);
// A list of trigger steps.
struct stmt *steps_copy(struct arena *a, const struct stmt *steps);

// Calls enter on each expression and select, children after parents. WALK_PRUNE: not into this one's children;
// WALK_ABORT: stop altogether (the walk gives it back).
enum walk_result { WALK_CONTINUE, WALK_PRUNE, WALK_ABORT };
struct walker {
    enum walk_result (*expr)(struct walker *w, struct expr *e);       // NULL: continue
    enum walk_result (*select)(struct walker *w, struct select *s);   // NULL: do not enter subqueries
    void (*select_done)(struct walker *w, struct select *s);          // or NULL
    u32 depth; // of selects
    void *context;
};
enum walk_result walk_expr(struct walker *w, struct expr *e);
enum walk_result walk_expr_list(struct walker *w, struct expr_list *list);
enum walk_result walk_into_select(struct walker *w, struct select *s); // for `select`: enters subqueries, does no more
enum walk_result walk_select(struct walker *w, struct select *s); // with its compound's priors
enum walk_result walk_select_expressions(struct walker *w, struct select *s);
enum walk_result walk_select_from(struct walker *w, struct select *s);

// ASCII only, as SQLite compares names.
bool name_equal(const char *a, const char *b);
bool expr_is_true_or_false(const struct expr *e); // a name, not resolved yet
u32 name_hash(const char *name);
