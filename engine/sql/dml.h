// Statements that change rows: INSERT, UPDATE, DELETE, and what they set off.
//
// A row on its way into a table lies in consecutive registers: the rowid (NULL in WITHOUT ROWID tables), then
// the columns by their place in the record (column.storage; virtual columns stand last). The order of work is
// SQLite's, and shows in which error is reported:
//   INSERT  values, defaults; BEFORE triggers; rowid, generated columns; constraints (NOT NULL, CHECK, rowid,
//           unique indexes); foreign keys of the new row; index entries and row; RETURNING, AFTER triggers
//   UPDATE  old row, new row; BEFORE triggers, and what they changed read again; constraints; foreign keys of
//           the old row; old index entries; foreign keys of the new one; entries and row; foreign key actions;
//           RETURNING, AFTER triggers
//   DELETE  old row; BEFORE triggers; foreign keys; index entries and row; actions; RETURNING, AFTER triggers
// Triggers and foreign key actions are sub-programs (OP_Program), compiled once per statement, trigger and
// conflict action, by compiles of their own.
//
// | file | what |
// |---|---|
// | insert.c, update.c, delete.c, upsert.c | the statements |
// | dml_rows.c | which rows LIMIT leaves, and which of a view |
// | constraint.c | checks of a new row |
// | index_write.c | opening a table for writing, index keys, the last step of writing a row |
// | generated.c | defaults, generated columns, affinities of a row in registers |
// | autoincrement.c | sqlite_sequence |
// | trigger.c, foreign_key.c, returning.c | what runs for each row |
#pragma once

#include "compile.h"
#include "emit.h"
#include "schema.h"

// A table open for writing.
struct write_target {
    const struct table *table;
    int database;
    int data_cursor;  // the table's tree, or its primary key's (WITHOUT ROWID)
    int index_cursor; // of the first index; the others follow in the order of table->indexes
    u32 index_count;
    int *index_regs;  // [index_count + 1] register of the new entry's record, followed by its fields; 0: the index
                      // is not touched. The last is for the row's record.
};

// The triggers that a change of a table's rows fires.
struct trigger_set {
    u32 count;
    const struct trigger **triggers; // in the order in which they fire
    u32 foreign;                     // the first so many are temp's, on a table of another database
    bool before, after;              // there are such (INSTEAD OF counts as before)
};

// RETURNING of the statement: rows are collected in an ephemeral table and given when all is done.
struct returning {
    const struct expr_list *given; // as it is written
    struct expr_list *list;
    const struct table *table;
    int database;
    int cursor;
    u32 column_count;
};

// ---- statements ------------------------------------------------------------------------------------------

void insert_statement(struct compile *c, struct stmt_insert *s);
void update_statement(struct compile *c, struct stmt_update *s);
void delete_statement(struct compile *c, struct stmt_delete *s);

// The same inside of a trigger program; conflict: the firing statement's, which goes before their own.
void insert_code(struct compile *c, struct stmt_insert *s, enum conflict conflict);
void update_code(struct compile *c, struct stmt_update *s, enum conflict conflict);
void delete_code(struct compile *c, struct stmt_delete *s);

// ---- rows ------------------------------------------------------------------------------------------------

// Fails unless rows of the table may be changed: "table %s may not be modified", "cannot modify %s because it
// is a view".
void table_require_writable(struct compile *c, const struct table *t, const struct trigger_set *triggers);

u32 table_index_count(const struct table *t);
// Gives the target cursors from `base` on (-1: new ones) and opens those for which open[0] (table), open[1 + i]
// (index i) is set, all when open is NULL. opcode: OP_OpenRead or OP_OpenWrite.
void target_open(struct compile *c, struct write_target *target, enum opcode opcode, int base, const bool *open);
// Key of an ephemeral index of a WITHOUT ROWID table's primary keys, `columns` fields in all.
struct key_info *primary_key_info(struct compile *c, const struct table *t, int columns);
// Affinities of an index's key columns, one letter each.
const char *index_affinities(struct compile *c, const struct index *i);
// Fields of the index entry of the row under data_cursor into consecutive temporary registers (released already
// on return: use them at once); gives the first. prefix_only: no more than identifies the entry; *field_count is
// how many. skip_label receives a label, to be placed by the caller, that is jumped to when the row is not in a
// partial index (0: every row is).
int index_key_code(struct compile *c, const struct index *i, int data_cursor, bool prefix_only, int *field_count,
                   int *skip_label);
// The record of an index's entry out of `count` fields. Columns of reals are in it as they are in the table.
void index_record(struct compile *c, const struct index *i, int first, int count, int record);
// Removes the entries of the row under the data cursor from all indexes (regs not NULL: those with regs[i] != 0);
// the index at cursor `except` (-1: none) is left to the caller.
void index_entries_delete(struct compile *c, const struct write_target *target, const int *regs, int except);

enum row_write_flags {
    ROW_WRITE_UPDATE = 1,        // not an INSERT
    ROW_WRITE_SAVE_POSITION = 2, // the data cursor goes on with its loop
    ROW_WRITE_APPEND = 4,        // the rowid is likely to be the largest
    ROW_WRITE_USE_SEEK = 8,      // the cursors stand where the constraint checks left them
};
// Writes what constraint_checks prepared: index entries and row.
void row_write(struct compile *c, const struct write_target *target, int reg_new, u32 flags);

// What WHERE, ORDER BY and LIMIT of an UPDATE or DELETE mean together: "key IN (SELECT key ...)".
struct expr *limit_where(struct compile *c, struct source *source, struct expr *where, struct expr_list *order_by,
                         struct expr *limit, struct expr *offset, const char *statement);
// The rows of a view that a DELETE or UPDATE changes, `select`, into *dest. view: the statement's target with its table and
// `where` its WHERE, for a second look at what is wrong there.
void view_rows_code(struct compile *c, struct select *select, struct select_dest *dest, struct source_list *view, struct expr *where);
// Deletes the row whose key is in reg_key..: key_count registers, 0: one record (as OP_NotFound takes them).
// mode ONE_PASS_OFF: seeks it first. no_seek: an index cursor that stands on the row's entry, or -1.
void row_delete(struct compile *c, const struct write_target *target, const struct trigger_set *triggers,
                struct returning *returning, int reg_key, int key_count, bool count, enum conflict conflict,
                enum one_pass mode, int no_seek);

// ---- virtual tables (virtual_table.c) ----------------------------------------------------------------------

// Gives the module a row: reg: old rowid or NULL, new rowid, columns; count 1: the row of that rowid goes. Afterwards
// reg + 1 has the new row's rowid.
void virtual_update_emit(struct compile *c, const struct table *t, int database, int reg, int count,
                         enum conflict conflict);
void virtual_delete(struct compile *c, struct source_list *sources, struct expr *condition, struct returning *returning);
// changes: number of the SET item per column, or -1; rowid_item: of the rowid, or -1. rows: the cursor of a table that
// holds the rows as they shall be (rowid, new rowid, columns), or -1: they are those that meet the condition.
void virtual_update(struct compile *c, struct source_list *sources, struct expr_list *set, const int *changes,
                    int rowid_item, struct expr *condition, int rows, enum conflict conflict, struct returning *returning);

// ---- constraints -----------------------------------------------------------------------------------------

struct constraint_job {
    struct write_target *target;
    int reg_new;            // the new row
    int reg_old;            // the old one (rowid first); 0: INSERT
    bool key_changes;       // INSERT: a rowid was given; UPDATE: rowid or primary key may change
    enum conflict conflict; // of the statement; CONFLICT_DEFAULT: each constraint's own
    int ignore_label;
    const int *changes;     // UPDATE: per column, >= 0 when it may change; else NULL
    struct upsert *upsert;
    struct returning *returning; // of an upsert's update
    bool rowid_later;       // INSERT: the new rowid is to be made once nothing conflicts, or where it is read before
    bool excluded_rowid_read; // out: by an upsert's update
    bool may_replace;       // out: rows may have been deleted, cursors moved
};
void constraint_checks(struct compile *c, struct constraint_job *job);
// Ends the statement with a constraint's error (text: what OP_Halt puts behind "... constraint failed: ").
void constraint_halt(struct compile *c, err_code code, enum conflict conflict, const char *text, int kind);
// The same for a duplicate in a unique index.
void unique_halt(struct compile *c, const struct index *i, enum conflict conflict);
// Whether the expression (of the schema, not resolved) reads a changing column.
bool expr_reads_changed(struct compile *c, const struct table *t, const struct expr *e, const int *changes,
                        bool rowid_changes);

// ---- generated columns, defaults -------------------------------------------------------------------------

// The row's affinities (STRICT: type checks) on the columns from reg_first on. generated_later: the generated
// columns are not there yet.
// The record of a row's stored columns, with their affinities unless these were applied.
void row_record(struct compile *c, const struct table *t, int reg_first, bool affinity_done, int record);
void row_affinity(struct compile *c, const struct table *t, int reg_first, bool generated_later);
// Computes the generated columns of the row whose columns start at reg_first.
void generated_code(struct compile *c, const struct table *t, int reg_first);
void generated_loop_check(struct compile *c, const struct table *t); // fails when columns are computed from one another in a circle
void column_default_code(struct compile *c, const struct table *t, u32 column, int reg);
// A copy of a schema expression about one row of t, resolved; its columns are read as self_code says.
struct expr *self_expr(struct compile *c, const struct table *t, const struct expr *e, u32 flags);
static inline bool table_has_generated(const struct table *t)
{
    return (t->flags & (TABLE_HAS_VIRTUAL | TABLE_HAS_STORED)) != 0;
}

// ---- AUTOINCREMENT ---------------------------------------------------------------------------------------

// The register with the table's largest rowid so far, 0 when it is no AUTOINCREMENT table.
int autoincrement_register(struct compile *c, const struct table *t, int database);
// At the end of the statement, not of a trigger or of SQL of the engine's own: writes sqlite_sequence.
void autoincrement_end(struct compile *c);

// ---- triggers --------------------------------------------------------------------------------------------

// changes: the SET list of an UPDATE, else NULL.
void trigger_set_find(struct compile *c, struct trigger_set *set, const struct table *t, int database,
                      enum trigger_event event, const struct expr_list *changes);
// Fires those of that time. reg: first of the old row's registers (rowid, columns), directly followed by the new
// row's; INSERT needs only the latter, DELETE only the former.
void trigger_fire(struct compile *c, const struct trigger_set *set, enum trigger_time time, const struct table *t,
                  int database, int reg, enum conflict conflict, int ignore_label);
// Fires those of AFTER; the row at reg_row is returned (returning may be NULL) behind temp's triggers and before the table's own.
void trigger_fire_after(struct compile *c, const struct trigger_set *set, struct returning *returning, int reg_row,
                        const struct table *t, int database, int reg, enum conflict conflict, int ignore_label);
// Makes the programs of all of them: what is wrong with one is told before what is coded behind this.
void trigger_programs(struct compile *c, const struct trigger_set *set, const struct table *t, int database, enum conflict conflict);
// A program made by the caller's statement list, for foreign key actions; key identifies it.
void trigger_fire_steps(struct compile *c, const void *key, const struct trigger *made, const struct table *t,
                        int database, int reg);

// ---- foreign keys ----------------------------------------------------------------------------------------

// 0: none is concerned; 1: checks are needed; 2: the row must be deleted and written anew (actions, references to
// itself). changes NULL: DELETE or INSERT.
int foreign_key_required(struct compile *c, const struct table *t, int database, const int *changes,
                         bool key_changes);
// Counts violations that the row's end (reg_old) or coming (reg_new; the other one is 0) makes or mends.
void foreign_key_check(struct compile *c, const struct table *t, int database, int reg_old, int reg_new,
                       const int *changes, bool key_changes);
// Fails "foreign key mismatch" unless every key that refers to t finds its columns there.
void foreign_key_require_parents(struct compile *c, const struct table *t, int database);
// CASCADE, SET NULL, SET DEFAULT, RESTRICT on the children. update: the SET list, NULL for DELETE; old row at
// reg_old, new one behind it.
void foreign_key_actions(struct compile *c, const struct table *t, int database, bool update, int reg_old,
                         const int *changes, bool key_changes);
// DROP TABLE: an implicit DELETE FROM without triggers, when keys refer to the table.
void foreign_key_drop_table(struct compile *c, const struct table *t, int database);
// Foreign keys of the same database that refer to t; NULL at the end. Start with zeroed *place.
struct foreign_key_place {
    u32 table;
    const struct foreign_key *key;
};

// ---- upsert ----------------------------------------------------------------------------------------------

// Finds the constraint that each clause means; fails when there is none.
void upsert_resolve(struct compile *c, struct upsert *upsert, struct source_list *target);
// The clause for that index (NULL: the rowid), or NULL.
struct upsert *upsert_of_index(struct upsert *upsert, const struct index *i);
// The UPDATE of the row that conflicts in `index` (NULL: rowid), on whose entry `cursor` stands.
void upsert_update_code(struct compile *c, struct constraint_job *job, const struct index *index, int cursor);

// ---- RETURNING -------------------------------------------------------------------------------------------

// Opens the collecting table. list NULL: gives NULL.
struct returning *returning_begin(struct compile *c, struct expr_list *list, const struct table *t, int database);
void returning_check(struct compile *c, const struct expr_list *list); // fails when it has a wildcard; so does returning_collect
// Collects the row whose rowid is in reg, its columns behind it.
void returning_collect(struct compile *c, struct returning *r, int reg);
// Gives the collected rows.
void returning_end(struct compile *c, struct returning *r);
