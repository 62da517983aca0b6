// What the statements that change schemas share.
//
// They write rows of sqlite_schema, step the schema cookie and have the schema read again (OP_ParseSchema).
// What SQL can do, SQL of the engine's own does, compiled into the same program (nested_sql).
#pragma once

#include "dml.h"
#include "../connection.h"

// Compiles a statement of the engine's own: no rows, changes not counted, sqlite_schema may be written.
void nested_sql(struct compile *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *sql_quoted(struct compile *c, const char *text);     // 'it''s'
const char *sql_name_quoted(struct compile *c, const char *name); // "a b"
const char *sql_identifier(struct compile *c, const char *name); // "a b", or bare when it can be

// The database that a name stands in; fails "unknown database x".
int ddl_database(struct compile *c, const struct object_name *name, int otherwise);
// Fails for names that begin with sqlite_.
void ddl_check_name(struct compile *c, const char *name);
// Whether there is a table or index of that name already; fails unless if_not_exists.
bool ddl_name_taken(struct compile *c, const struct object_name *name, int database, bool if_not_exists);
// The token of the name as it was written.
const char *ddl_name_text(struct compile *c, u32 offset, const char *name);

// Writing sqlite_schema: opens it at a new cursor.
int schema_open(struct compile *c, int database);
// Adds a row; sql NULL: NULL. reg_root 0: root page 0.
void schema_row_add(struct compile *c, int cursor, const char *type, const char *name, const char *table,
                    int reg_root, const char *sql);
// The text must be readable when the schema is read again (CREATE VIEW IF NOT EXISTS if ... is not).
void ddl_check_text(struct compile *c, const char *name, const char *sql);
// The cookie steps and the schema is read again.
void schema_changed(struct compile *c, int database);
// Makes sure that the file has a format and an encoding.
void schema_format_set(struct compile *c, int database);


struct schema_build;
// A build whose errors and memory are the compile's.
void ddl_build_init(struct compile *c, struct schema_build *b, struct parse *p, int database);
// The tree's pages are given back; a root that moved into its place is written into sqlite_schema.
void ddl_destroy(struct compile *c, pgno root, int database);

// ---- virtual tables (virtual_table.c) -----------------------------------------------------------------------

// Drops its shadow tables.
void virtual_table_drop(struct compile *c, const struct table *t, int database);
// SQL that renames its shadow tables.
const char *virtual_table_rename(struct compile *c, const struct table *t, int database, const char *name);
