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
    const char *new_name; // NULL: nothing is edited, uses of a dropped column are errors
    bool quote;           // write the new name in quotes always
};

// Edits (or, for a dropped column, checks) the texts of all tables, indexes, triggers and views that may use it,
// and emits the UPDATEs of sqlite_schema.
void alteration_apply(struct alteration *a);
