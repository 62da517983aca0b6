// ALTER TABLE: the texts that sqlite_schema keeps are edited where names stand, and keep their form otherwise.
#pragma once

#include "ddl.h"

// A table or a column of it that is being renamed or dropped.
struct alteration {
    struct compile *c;
    const struct table *table;
    int database;
    s32 column;           // -1: the table itself
    const char *name;     // as it is now
    const char *new_name; // NULL: the column is dropped, only strings in double quotes are edited
    const char *duplicate; // the name of a column that another one has now, or NULL
    bool quote;           // write the new name in quotes always
};

// A table, index, view or trigger. table: its own, of tables and indexes.
struct schema_object {
    const char *type, *name, *sql;
    const struct table *table;
    s64 rowid;
};
// All of a schema, in the order of its rows, the temp schema's triggers of other databases' tables behind them: of several that a
// change harms, the first is told.
const struct schema_object *schema_objects(struct compile *c, const struct schema *s, u32 *count);

// Edits the texts of all tables, indexes, triggers and views that may use it,
// and emits the UPDATEs of sqlite_schema.
void alteration_apply(struct alteration *a);
// The altered table's own text, edited.
const char *alteration_table_text(struct alteration *a);
// Resolves the names of a trigger of that database, in place.
void alter_resolve_trigger(struct compile *c, int database, struct stmt_create_trigger *s);
// CREATE leaves unread what "0 AND" makes void; here it is read, and told. The trees stay as they are.
void alter_resolve_constraints(struct compile *c, const struct table *t, const struct constraint *k);
void alter_resolve_index(struct compile *c, const struct table *t, const struct stmt_create_index *s);
// What the parser leaves out (parse.h). All that SQLite looks at there is CTEs, as it reads the text: they know no names around them.
void alter_left_out(struct parse *p, struct expr *e);
