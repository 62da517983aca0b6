// Random SQL over the whole dialect: a schema, its rows, and statements of every kind, all from one seed.
// It keeps track of tables and columns loosely: statements that fail are as good as those that do not, as long as both
// engines say the same.
#pragma once

#include "../test.h"

#define DIALECT_TABLES 12
#define DIALECT_COLUMNS 6
#define DIALECT_SCOPE 64

struct dialect_table {
    char name[24];
    char columns[DIALECT_COLUMNS][12];
    u32 count;
    bool view, without_rowid, strict, temp, other; // other: in the attached database
    bool pattern; // a query with LIKE or GLOB in it
    bool no_excluded; // SQLite takes another column's value for excluded.x: a REAL one behind a VIRTUAL one (docs/sql.md)
    bool generated; // has, or may have, generated columns, of which SQLite makes NULL before an update of others (docs/sql.md)
    bool fixed_key; // SQLite cannot rename its first column: an INTEGER PRIMARY KEY WITHOUT ROWID in a further constraint
};
struct dialect_index {
    char name[24], table[24];
};
struct dialect_source { // what names may mean within an expression
    char name[24];
    const struct dialect_table *table;
};

struct dialect {
    u64 state;
    bool newest; // the oracle knows what came after release 3.40
    bool concat; // it is of release 3.51 or later, whose concat_ws keeps empty texts
    struct dialect_table tables[DIALECT_TABLES];
    u32 table_count, object_count, alias_count;
    struct dialect_index indexes[DIALECT_TABLES]; // those made last
    u32 index_count; // made so far
    struct dialect_source scope[DIALECT_SCOPE];
    u32 scope_count;
    bool in_trigger_new, in_trigger_old, constant_only;
    bool attached, many_savepoints, excluded_in_trigger, wide, large; // of this script
    // What SQLite does by accident (docs/sql.md): it gives rows that temporary triggers ignore, once, and changes new.x of a row that
    // references its own table.
    bool temp_ignores, own_reference;
    char window[700]; // what the query's window w is; empty: there is none
    bool window_total; // its order leaves nothing open
    bool no_truth; // SQLite 3.50 takes IS TRUE in a second row of VALUES for a comparison with 1
    bool no_pattern; // SQLite loses rows of outer joins to the range that LIKE stands for: before 3.51, and later where the join is in parentheses
    u32 trigger_table;
    char mistake_table[24]; // of dialect_mistake
    int depth;
    char text[16000];
    size_t size;
};

// The table's name where statements name tables: with its schema, unless a trigger's.
const char *dialect_table_name(const struct dialect *d, const struct dialect_table *t, bool in_trigger);
u32 dialect_pick(struct dialect *d, u32 n);
bool dialect_chance(struct dialect *d, u32 percent);
void dialect_add(struct dialect *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define dialect_one(d, words) (words[dialect_pick(d, COUNT_OF(words))])

// dialect_expr.c
void dialect_value(struct dialect *d);
void dialect_column(struct dialect *d);
bool dialect_has_rowid(const struct dialect_source *s);
void dialect_expr(struct dialect *d, int depth);
void dialect_condition(struct dialect *d, int depth);
// dialect_select.c: a query of `columns` result columns (0: any). ordered: its rows have one order only.
void dialect_select(struct dialect *d, int depth, u32 columns, bool *ordered);
const struct dialect_table *dialect_source_add(struct dialect *d, int depth);
bool dialect_has_pattern(const struct dialect *d, size_t from); // LIKE or GLOB, in the text from there on or in views that it names
// One row of that many columns, as a value's place wants it, in parentheses.
void dialect_row_query(struct dialect *d, int depth, u32 columns);
// "WITH ..." before a statement; its tables stay known until table_count is what it was.
void dialect_with(struct dialect *d, int depth);
// dialect_schema.c
void dialect_create(struct dialect *d);
void dialect_alter(struct dialect *d);
void dialect_trigger(struct dialect *d);
// dialect_change.c
void dialect_insert(struct dialect *d, bool in_trigger);
void dialect_update(struct dialect *d, bool in_trigger);
void dialect_delete(struct dialect *d, bool in_trigger);
// One statement into d->text. *ordered: the order of its rows counts. *one_mistake: its error's text does, too.
void dialect_statement(struct dialect *d, u32 number, bool *ordered, bool *one_mistake);
// dialect_mistake.c: a statement that is wrong in one way.
void dialect_mistake(struct dialect *d);
void dialect_mistakes(struct dialect *d); // a query that is wrong in several
