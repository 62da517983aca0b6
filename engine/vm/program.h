// Programs: what compiling makes of a statement and the interpreter runs; and the builder for them.
//
// A program lives in the arena of its statement. Registers number from 1, cursors from 0. A trigger's
// sub-program has registers and cursors of its own; it belongs to the statement's program, which keeps it by
// a key so that it is made once.
//
// Labels are negative numbers; they stand in p2 of jumps (opcode.h: J) until program_finish puts addresses
// in their places. The builder never fails: the arena's out_of_memory jumps out of the compile.
#pragma once

#include "../arena.h"
#include "../store/record.h"
#include "../value.h"
#include "opcode.h"

struct fn_def;
struct schema;
struct table;
struct program;

enum p4_kind {
    P4_NONE,
    P4_INTEGER,   // integer, 64 bits
    P4_REAL,
    P4_TEXT,      // NUL-terminated; text of String8 and Blob has its size in p1
    P4_COLLATION,
    P4_FUNCTION,  // function, and call: a number of the program, for what the call keeps between rows
    P4_KEY_INFO,
    P4_TABLE,
    P4_PROGRAM,
    P4_INT_ARRAY, // [0] is the count of those that follow
    P4_VALUE,     // a constant of any type
    P4_POINTER,   // anything else that the opcode knows
};

struct function_call {
    const struct fn_def *def;
    u32 number; // among the calls of this program
    const char *pure_where; // PureFunc: what its result is stored for ("an index"), as function_context has it
};

struct instruction {
    u8 opcode; // enum opcode
    u8 p4_kind;
    u16 p5;
    s32 p1, p2, p3;
    union {
        s64 integer;
        double real;
        const char *text;
        const struct collation *collation;
        const struct function_call *call;
        const struct key_info *key_info;
        const struct table *table;
        struct program *program;
        const s32 *ints;
        const struct value *value;
        const void *pointer;
    } p4;
};

// ---- p5 (and p2 of Delete) ---------------------------------------------------------------------------------

enum compare_flags { // with an enum affinity letter in the bits of COMPARE_AFFINITY_MASK
    COMPARE_AFFINITY_MASK = 0x47,
    COMPARE_JUMP_IF_NULL = 0x10, // NULL on a side jumps
    COMPARE_NULL_EQUAL = 0x80,   // NULL equals NULL (IS, IS NOT)
};
enum write_flags {
    WRITE_COUNT_CHANGE = 0x01,     // counts as a change (sqlite3_changes)
    WRITE_SAVE_POSITION = 0x02,    // the cursor goes on from here (Delete; Insert of an UPDATE)
    WRITE_IS_UPDATE = 0x04,        // Insert, Delete: part of an UPDATE
    WRITE_APPEND = 0x08,           // likely the largest key
    WRITE_USE_SEEK_RESULT = 0x10,  // the cursor stands where NotExists, NoConflict, ... left it
    WRITE_LAST_ROWID = 0x20,       // sets last_insert_rowid
    WRITE_NO_OP = 0x40,            // Delete: only the bookkeeping (the row goes away otherwise)
    WRITE_PREFORMATTED = 0x80,     // Insert: what RowCell took
    WRITE_AUXILIARY = 0x100,       // Delete, IdxInsert: not the statement's main row
    WRITE_SEQUENCE = 0x200,        // Insert: a row of sqlite_sequence that says how far rowids have come
};
enum sql_exec_flags {
    SQL_EXEC_OWN = 1,     // as by the engine itself: no authorizer, sqlite_schema may be written
    SQL_EXEC_LIMITED = 2, // with p2 as analysis_limit, if that is not 0
};
enum open_flags { // Open*
    OPEN_ROOT_IN_REGISTER = 0x10,
    OPEN_SEEK_EQUAL = 0x02,  // hint: only equality seeks
    OPEN_BULK = 0x01,        // hint: bulk load
    OPEN_FOR_DELETE = 0x08,
    OPEN_UNORDERED = 0x20,   // OpenEphemeral: order of keys does not matter
    OPEN_WITH_FILTER = 0x40, // OpenEphemeral: a set that Found and NotFound ask; IdxInsert has its keys in registers
};
enum sorter_flags { // SorterOpen
    SORTER_REPEATS = 1, // identical records need not be given as often as they come: sorter_drop_repeats
};
enum filter_flags { // Filter
    FILTER_ROWID = 1, // the key is a value that is to be a rowid
};
enum column_get_flags {
    COLUMN_LENGTH_ONLY = 0x40, // length() or octet_length of it is all that is wanted
    COLUMN_TYPE_ONLY = 0x80,   // typeof() likewise
};
enum halt_kind { // Halt with p4: the words before the text, "NOT NULL constraint failed: p4"
    HALT_TEXT = 0,
    HALT_NOT_NULL = 1,
    HALT_UNIQUE = 2,
    HALT_CHECK = 3,
    HALT_FOREIGN_KEY = 4,
};

// ---- the program -------------------------------------------------------------------------------------------

struct program_column {
    const char *name;
    const char *decltype; // or NULL
    const char *database, *table, *origin; // where it comes from, or NULL
};
struct program_parameter {
    const char *name; // ":a", "?5"; NULL for "?"
    u32 number;
};
struct vm_frame;
struct program_sub {
    const void *key; // what the sub-program is made of (trigger and conflict action, foreign key)
    s32 variant;
    struct program *program;
    struct program_sub *next;
};

#define PROGRAM_DATABASES_MAX 32

struct program {
    struct arena *arena;
    struct instruction *code;
    u32 count, capacity;
    s32 *labels; // address per label, -1: not placed
    u32 label_count, label_capacity;
    s32 register_count, cursor_count;
    u32 call_count;      // function calls
    u32 parameter_count; // the largest number
    struct program_parameter *parameters; // those with names
    u32 named_parameter_count;
    u32 column_count;
    struct program_column *columns;
    struct program_sub *subs; // of a statement's program
    struct vm_frame *free_frames; // of a sub-program: those that do not run
    struct program *parent;   // of a sub-program: the statement's, else NULL
    const void *key;          // of a sub-program: recursive triggers are told by it
    const char *name;         // of a sub-program: of the trigger, for EXPLAIN ("-- trigger x")
    // Schemas that the program was compiled against, or has names from, by database number; referenced by it.
    struct schema *schemas[PROGRAM_DATABASES_MAX];
    u32 held;                 // bit per database: it has one there
    u32 reads, writes;        // bit per database
    u8 explain;               // enum explain_kind (ast.h)
    bool read_only;           // writes no database file
    bool multi_row_write, may_abort; // both: a statement savepoint is opened
    bool uses_savepoint;      // needs a statement savepoint (set by program_finish)
    bool changes_counted;     // its changes are given by skerry_changes
    bool run_once;            // prepared anew for the next run: what was set is in the program (PRAGMA)
    bool finished;
    bool reusable;            // may be run again for another prepare of its text
    bool semicolon;           // ends its text
    // INSERT of one row of literals: another text that differs in them alone is run by the same program
    // (vm/statement_literals.c). The instruction that holds each, in the text's order; LITERAL_NULL: it has to be NULL.
    s32 *literals;
    u32 literal_count; // 0: it is no such program
    u32 literals_at;   // where the first begins in the text
};
enum { LITERAL_NULL = -1 };

struct program *program_new(struct arena *a);
// The sub-program for that key and variant, or NULL.
struct program *program_find_sub(struct program *p, const void *key, s32 variant);
// A new, empty one (p: any program of the statement; it is kept with the statement's).
struct program *program_add_sub(struct program *p, const void *key, s32 variant);
// Resolves labels and computes what depends on all instructions. Registers and cursors: how many there are.
void program_finish(struct program *p, s32 register_count, s32 cursor_count);
void program_columns_set(struct program *p, u32 count); // all without names
// References the schema: what hangs on it lives as long as the program. False: it cannot.
bool program_hold_schema(struct program *p, u32 database, struct schema *s);
// Releases the schemas; the arena keeps the rest.
void program_release(struct program *p);

// ---- the builder ---------------------------------------------------------------------------------------------

static inline s32 program_address(const struct program *p) { return (s32)p->count; } // of the next instruction
// Gives the instruction's address.
s32 program_emit(struct program *p, enum opcode op, s32 p1, s32 p2, s32 p3);
s32 program_emit_text(struct program *p, s32 target, const char *text, size_t size); // String8, copied
s32 program_emit_blob(struct program *p, s32 target, const void *bytes, size_t size); // Blob, copied
s32 program_emit_integer(struct program *p, s32 target, s64 integer); // Integer or Int64
s32 program_emit_real(struct program *p, s32 target, double real);
// Becomes what these emit, into its register (p2).
void instruction_integer_set(struct instruction *in, s64 integer);
void instruction_real_set(struct instruction *in, double real);
s32 program_emit_int4(struct program *p, enum opcode op, s32 p1, s32 p2, s32 p3, s64 p4);
// Function, PureFunc, AggStep, AggInverse, AggValue, AggFinal: sets p4 (and p5 to argc).
// Names what a PureFunc at that address is evaluated for; static text.
void program_function_pure(struct program *p, s32 at, const char *where);
s32 program_emit_function(struct program *p, enum opcode op, s32 p1, s32 p2, s32 p3, const struct fn_def *def,
                          u32 argc);

s32 program_label_new(struct program *p);
void program_label_place(struct program *p, s32 label); // here

// address < 0: the newest instruction.
struct instruction *program_at(struct program *p, s32 address);
struct instruction *program_last(struct program *p); // the newest; NULL: none
static inline void program_p1_set(struct program *p, s32 address, s32 v) { program_at(p, address)->p1 = v; }
static inline void program_p2_set(struct program *p, s32 address, s32 v) { program_at(p, address)->p2 = v; }
static inline void program_p3_set(struct program *p, s32 address, s32 v) { program_at(p, address)->p3 = v; }
static inline void program_p5_set(struct program *p, s32 address, u16 v) { program_at(p, address)->p5 = v; }
static inline void program_jump_here(struct program *p, s32 address)
{
    program_at(p, address)->p2 = program_address(p);
}
void program_noop(struct program *p, s32 address);              // becomes Noop
void program_p4_text(struct program *p, s32 address, const char *text, s64 size); // copies; -1: strlen
void program_p4_integer(struct program *p, s32 address, s64 v);
void program_p4_collation(struct program *p, s32 address, const struct collation *c);
void program_p4_key_info(struct program *p, s32 address, const struct key_info *info);
void program_p4_table(struct program *p, s32 address, const struct table *t);
void program_p4_program(struct program *p, s32 address, struct program *sub);
void program_p4_ints(struct program *p, s32 address, const s32 *ints, u32 count); // copies
void program_p4_value(struct program *p, s32 address, const struct value *v);     // copies
void program_p4_pointer(struct program *p, s32 address, const void *pointer);
void program_p4_function(struct program *p, s32 address, const struct fn_def *def);

// Zeroed collations (BINARY) and orders; all_count >= field_count.
struct key_info *key_info_new(struct arena *a, u32 field_count, u32 all_count, u8 encoding);

// One line of EXPLAIN's p4 column; "" when there is none.
const char *instruction_p4_text(struct arena *a, const struct instruction *i);
