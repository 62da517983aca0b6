// The schema: what tables, indexes, views and triggers a database holds.
//
// A struct schema is immutable and reference-counted: one per (store, schema cookie), shared by the
// connections that see that cookie. It is made of tables, which own their indexes, triggers, foreign keys and
// expressions, and which are reference-counted on their own, so that a reload takes over those whose rows in
// sqlite_schema (and sqlite_stat1) are unchanged. All of it belongs to the one thread of its loop.
//
// Nothing here knows which database of a connection it is: that is the connection's.
#pragma once

#include "ast.h"
#include "../store/btree.h"

struct dbstat;
struct fts_config;
struct skerry;
struct schema;
struct op;

#define ROOT_SCHEMA 1     // sqlite_schema's tree
#define COLUMN_ROWID (-1) // as a column number
#define COLUMN_EXPR (-2)  // index key that is an expression
#define COLUMN_MAX 2000

enum column_flags {
    COLUMN_PRIMARY_KEY = 1,
    COLUMN_HIDDEN = 2, // of virtual tables
    COLUMN_OF_ROWID = 16, // of a join in parentheses: the rowid of one of its tables, which "*" leaves out
    COLUMN_UNIQUE = 8, // UNIQUE or PRIMARY KEY alone on it
    COLUMN_VIRTUAL = 32,
    COLUMN_STORED = 64,
    COLUMN_GENERATED = 96,
    COLUMN_HAS_TYPE = 4,
};
enum column_type { // of STRICT tables
    COLUMN_TYPE_OTHER,
    COLUMN_TYPE_ANY,
    COLUMN_TYPE_BLOB,
    COLUMN_TYPE_INT,
    COLUMN_TYPE_INTEGER,
    COLUMN_TYPE_REAL,
    COLUMN_TYPE_TEXT,
};
struct column {
    const char *name;
    const char *type;      // as declared; "" when none
    const char *collation; // NULL: BINARY
    u8 affinity;           // enum affinity
    u8 not_null;           // enum conflict; CONFLICT_NONE: may be NULL
    u8 flags;
    u8 strict_type;  // enum column_type
    s16 storage;     // its place in the table's record (rowid tables); virtual columns stand after the stored ones
    struct expr *default_value;
    const char *default_text; // as written (PRAGMA table_info)
    struct expr *generated;
};

struct check_constraint {
    const char *name; // CONSTRAINT x, or NULL
    struct expr *expr;
    const char *text; // of the expression
};

struct foreign_key_column {
    s16 child;          // column of this table
    const char *parent; // NULL: the parent's primary key
};
struct foreign_key {
    struct table *child;
    const char *parent;
    bool deferred;
    u8 on_delete, on_update; // enum foreign_key_action
    u16 column_count;
    struct foreign_key_column *columns;
    struct foreign_key *next; // of the table; last declared first
};

enum index_kind { INDEX_CREATED, INDEX_UNIQUE, INDEX_PRIMARY_KEY };
struct index {
    const char *name;
    struct table *table;
    pgno root;
    u8 kind;     // enum index_kind
    u8 conflict; // what to do on a duplicate; CONFLICT_NONE: not unique
    bool unique_not_null; // unique, and no key column can be NULL
    bool covering_all;    // holds every column of its table (WITHOUT ROWID primary key)
    u16 key_count;        // columns that were named
    u16 column_count;     // with the rowid or primary key columns that follow
    s16 *columns;             // [column_count] column number, COLUMN_ROWID, COLUMN_EXPR
    const char **collations;  // [column_count] NULL: BINARY
    u8 *descending;           // [column_count]
    struct expr **exprs;      // [key_count] for COLUMN_EXPR, else NULL; NULL: it has none
    struct expr *where;       // partial index
    u64 columns_not_indexed;  // bit per table column (63: it and all later) that is not in the index
    // sqlite_stat1: rows in all, then rows per distinct value of the first 1, 2, ... key columns.
    bool has_stat, unordered, no_skip_scan;
    u64 *stat;      // [key_count + 1]; guesses when !has_stat
    u32 size_row;   // sz=N: bytes of a row, estimated
    u32 row_width;  // in units of 4 bytes, guessed from declared types
    u64 measured[8]; // !has_stat: rows per value of the first 1, 2, ... columns; while the table's measured_rows counts
    const char *sql; // NULL for automatic ones
    struct index *next;
};

struct trigger {
    const char *name;
    const char *table; // name of its table
    const char *table_schema; // temp triggers: schema name in ON, or NULL
    u8 time, event; // enum trigger_time, trigger_event
    struct name_list *columns; // UPDATE OF
    struct expr *when;
    struct stmt *steps;
    const char *sql;
    bool of_temp; // stands in the temp schema
    struct trigger *next; // of the table
};

enum table_kind { TABLE_ORDINARY, TABLE_VIEW, TABLE_VIRTUAL };
enum table_flags {
    TABLE_WITHOUT_ROWID = 1,
    TABLE_STRICT = 2,
    TABLE_AUTOINCREMENT = 4,
    TABLE_HAS_VIRTUAL = 8, // generated columns
    TABLE_HAS_STORED = 16,
    TABLE_HAS_PRIMARY_KEY = 32,
    TABLE_SYSTEM = 64,      // sqlite_...: read-only to users, but for sqlite_stat1, sqlite_sequence contents
    TABLE_SCHEMA_TABLE = 128, // sqlite_schema itself
    TABLE_HAS_NOT_NULL = 256,
    TABLE_EPHEMERAL = 512,  // made by compile for a subquery or CTE
    TABLE_EPONYMOUS = 1024, // table-valued function
    TABLE_TEMP = 2048,      // in the temp database
};
struct table {
    const char *name;
    u32 references;
    u8 kind; // enum table_kind
    s64 row; // the rowid of its row in sqlite_schema
    u32 flags;
    pgno root;
    u16 column_count;
    u16 stored_count; // columns that are in the record (not virtual ones)
    s16 rowid_column; // INTEGER PRIMARY KEY, or -1
    u8 rowid_conflict; // its ON CONFLICT
    u32 row_width;    // in units of 4 bytes, guessed from declared types; 0: not guessed (ask table_row_width)
    struct column *columns;
    struct index *indexes; // newest first, those with ON CONFLICT REPLACE last
    struct index *primary_key; // WITHOUT ROWID: the index whose tree is the table
    struct foreign_key *foreign_keys;
    u32 check_count;
    struct check_constraint *checks;
    struct trigger *triggers;
    // views
    struct select *view_select;
    struct expr_list *view_columns; // names in CREATE VIEW v(a,b), or NULL
    // virtual tables
    const char *module;
    const char **module_arguments;
    u32 module_argument_count;
    const struct table_function *function; // eponymous ones
    const struct pragma_def *pragma;       // pragma_X
    const struct fts_config *fts;          // USING fts5
    const struct fts_vocab *vocab;         // USING fts5vocab
    const struct dbstat *dbstat;           // dbstat, or USING dbstat
    const char *unusable; // why it stands in the schema without columns: a module that is not there, or refused its arguments
    // sqlite_stat1
    bool has_stat;
    bool statistics_wanted; // a query was prepared, on whatever connection, that they would have helped
    u64 row_estimate;
    u32 row_size_estimate;
    // !has_stat: what connection_measure.c found, when the file had so many pages; 0: nothing
    u64 measured_rows;
    pgno measured_pages;
    const char *sql; // of its sqlite_schema row
    struct arena arena; // holds all of the above
    struct schema_row *rows; // what it was made of
    u32 row_count;
};

// A row of sqlite_schema.
struct schema_row {
    const char *type, *name, *table;
    const char *sql; // or NULL
    s64 root, rowid;
};

struct schema_slot;
struct schema_names { // open addressing, half full at most
    struct schema_slot *slots;
    u32 mask, count;
};
struct schema {
    u32 references;
    u32 cookie;      // PRAGMA schema_version
    u8 file_format;  // 1..4; 4: DESC indexes are honoured
    u8 encoding;     // 0: the database has none yet, 1 UTF-8, 2 UTF-16le, 3 UTF-16be
    s32 cache_size;
    bool is_temp, lenient;
    s64 row_last; // the largest rowid that its rows had
    u32 table_count;
    struct table **tables; // in the order of sqlite_schema; [0] is sqlite_schema
    // Triggers of the temp schema that stand on tables of other databases; by trigger.next.
    struct trigger *foreign_triggers;
    struct schema_names table_names, index_names, trigger_names;
    struct arena arena; // tables, slots
};

// Lookups by name, any case; NULL: not there. The schema table is found as sqlite_master and sqlite_schema,
// in the temp schema as sqlite_temp_master and sqlite_temp_schema.
struct table *schema_table(const struct schema *s, const char *name);
// The one that owns the temp schema's triggers of other databases' tables: no table that a name could mean.
static inline bool table_owns_foreign_triggers(const struct table *t) { return t->kind == TABLE_VIEW && !t->view_select; }
// Tables, views and virtual tables, the schema table too, in the order in which SQLite (3.40) goes through all of them.
const struct table **schema_tables_ordered(const struct schema *s, struct arena *arena, u32 *count);
// For names that say their database: temp.sqlite_master is there too.
struct table *schema_table_qualified(const struct schema *s, const char *name);
struct index *schema_index(const struct schema *s, const char *name);
struct trigger *schema_trigger(const struct schema *s, const char *name);
// Number of the column, -1: none. (rowid names are the resolver's matter.)
s32 table_column(const struct table *t, const char *name);
bool name_is_rowid(const char *name); // "rowid", "oid", "_rowid_"
static inline bool table_has_rowid(const struct table *t) { return !(t->flags & TABLE_WITHOUT_ROWID); }
static inline bool table_is_view(const struct table *t) { return t->kind == TABLE_VIEW; }
// Place of a table column in an index's record (-1: not there); for WITHOUT ROWID's primary key: in the row.
s32 index_column_place(const struct index *i, s32 column);
// The column at that place of the table's record; the inverse of column.storage.
s32 table_storage_column(const struct table *t, s32 storage);

struct table *table_ref(struct table *t);
void table_unref(struct table *t);
struct schema *schema_ref(struct schema *s);
void schema_unref(struct schema *s); // NULL is fine
// The schema of an empty database.
struct schema *schema_empty(bool is_temp);

// The rows of sqlite_schema that a connection has written since it loaded the schema: so much is read again.
struct schema_changes {
    bool unknown; // or more than these
    u32 cookie;   // that the schema has with them
    u32 count;
    s64 rowids[32];
};
void schema_changes_add(struct schema_changes *changes, s64 rowid);

// Reads sqlite_schema in the transaction (which has a snapshot), sharing what `previous` (may be NULL) and
// what is unchanged. lenient (PRAGMA writable_schema): rows that make no sense are left out instead of failing.
// `changes` is all that was done to `previous`, when the cookie is its; else everything is read.
// Cooperative; the load keeps the place: zero it before, deinit it after.
struct schema_load;
io_status schema_load_run(struct schema_load **load, struct txn *t, struct op *op, bool is_temp, bool lenient,
                          struct schema *previous, const struct schema_changes *changes, struct schema **out);
void schema_load_free(struct schema_load *load); // NULL is fine

// ---- out of CREATE statements -----------------------------------------------------------------------------

struct parse;
struct schema_build {
    struct parse *parse; // the text; memory comes from its arena, errors go to its fail
    bool load;           // from sqlite_schema: what was let in once is not doubted
    u8 file_format;
    // Not asked while loading; NULL: all are.
    bool (*collation_known)(void *context, const char *name);
    // An expression is about to be refused where a column of the table should be: fails when more is wrong with it.
    void (*expression_check)(void *context, const struct table *t, const struct expr *e);
    void *context;
};
// Fills in a zeroed table with all that CREATE TABLE says, automatic indexes included (root 0).
bool default_is_constant(const struct expr *e); // what DEFAULT takes
bool generated_type_is_known(const struct constraint *k); // GENERATED ... AS (...): VIRTUAL, STORED or nothing
void table_build(struct schema_build *b, struct table *t, const struct stmt_create_table *s);
void table_items_build(struct schema_build *b, struct table *t, const struct stmt_create_table *s); // its first part: columns and constraints
void view_build(struct schema_build *b, struct table *t, const struct stmt_create_view *s);
void virtual_table_build(struct table *t, const struct stmt_create_virtual_table *s);
// The columns that the module gives it. False: t->unusable.
bool virtual_table_columns(struct arena *a, struct table *t, bool temp); // temp: of the temp database
// A table of a virtual table's own.
bool table_is_shadow(const struct schema *s, const struct table *t);
// An index of an existing table; expressions are not resolved here.
struct index *index_build(struct schema_build *b, struct table *t, const struct stmt_create_index *s);
// A column of CREATE INDEX that is a name, but of no column: no string, nor a truth word.
bool index_column_missing(const struct table *t, const struct expr *column);
struct trigger *trigger_build(struct schema_build *b, const struct stmt_create_trigger *s);
void index_link(struct table *t, struct index *i); // where it belongs in t->indexes
void column_set_type(struct column *c, const char *type); // and the affinity that follows from it; NULL: there is none
void column_hide(struct column *c);                        // as SQLite, to whom "x HIDDEN" is a column with a type, which is then empty
const char *column_decltype(const struct column *c);       // NULL: it has no type
u32 table_row_width(const struct table *t);                // in units of 4 bytes, guessed from declared types
enum affinity affinity_of_type(const char *type);
// The same in CAST(x AS type), where no type at all is a numeric one.
enum affinity affinity_of_cast(const char *type);
