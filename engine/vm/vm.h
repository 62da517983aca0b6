// The interpreter's state: a statement, its frames, cursors and what hangs off them. Internal to engine/.
//
// A statement is stepped: vm_run goes on until there is a row, a wait, the end or an error. An instruction that
// gave IO_WAIT is run again from its top. The end (vm_halt) is itself cooperative, because a commit waits for
// the disk; its steps are enum halt_step.
#pragma once

#include "../connection.h"
#include "../store/btree.h"
#include "group.h"
#include "program.h"
#include "row_set.h"
#include "sorter.h"

struct check;
struct vacuum;
struct table_function;
struct table_rows;
struct fts_cursor;
struct fts_vocab_cursor;
struct dbstat_cursor;

// ---- cursors ---------------------------------------------------------------------------------------------

enum vm_cursor_kind { VM_CURSOR_TREE, VM_CURSOR_SORTER, VM_CURSOR_PSEUDO, VM_CURSOR_VIRTUAL, VM_CURSOR_GROUPS, VM_CURSOR_FILTER };

// Cursors made by OpenDup share the tree and count its users.
struct vm_ephemeral {
    u32 references;
    pgno root;
    struct key_filter *filter; // of a set that is only asked for what is in it; else NULL
};

#define LAST_TEXT_MAX 64
struct vm_cursor {
    struct vm_cursor *next_free;
    u32 field_capacity;
    u8 kind; // enum vm_cursor_kind
    bool table;     // rowids
    bool null_row;
    bool gone; // null_row for its entry was deleted: the next step leads to what is behind that
    bool deferred;  // a seek to deferred_rowid is to be done
    bool writable;
    bool row_valid; // row, and the columns below parsed_count, are those of the entry it is on
    bool kept;      // its position is saved over a commit
    s8 kept_skip;
    u8 encoding;
    s8 database;    // -1: ephemeral
    int seek_result;
    u64 sequence;
    u64 last_prefix; // of a tree that holds the first rows of an order: sorter_value_prefix of its last entry
    bool last_known, last_exact;
    u8 last_text_size; // ... and as many bytes as are kept of its first field, when that is a text
    u8 last_text[LAST_TEXT_MAX];
    u8 seek_misses, seek_pause; // of a set of IN: how often SeekIn found nothing to pass over, and for how many values it does not look
    s64 deferred_rowid;
    struct vm_cursor *alternative; // index cursor to take columns from while the seek is deferred
    const s32 *alternative_map;    // P4_INT_ARRAY: index column + 1 per table column, 0: none
    const struct instruction *deferred_by; // the DeferredSeek
    // Of a cursor that is walked: how far rows that its entries name are read ahead (vm_ahead.c), and where it was.
    struct read_ahead lookups;
    pgno lookups_page;
    u16 lookups_index;
    bool lookups_backward;
    // Of a cursor that rows are looked up in: the SeekRowid that had to wait, and the column that it looks for.
    const struct instruction *lookup_by;
    s32 lookup_walk, lookup_column;
    const struct key_info *key_info;
    const struct instruction *opened_by; // OpenRead or OpenWrite that it is of, else NULL
    struct cursor c;
    // The record: row[0..row_available) is in hand, of row_size bytes.
    const u8 *row;
    u32 row_available, row_size;
    u32 field_count;  // of the arrays
    u32 parsed_count; // fields whose type and offset are known
    u32 header_at, header_size;
    u32 columns_wanted; // of a tree: as many as were asked for of any row
    struct vm_field {
        u32 type, offset; // serial type; place in the row, up to where the next begins
    } *fields;            // [field_count + 1], offset also of the one behind the last that is parsed
    u64 header_head[2]; // the first bytes of the header that the first head_count fields were parsed from
    u32 head_count;     // all with types of one byte
    u8 *row_buffer; // header of a row that overflows
    u32 row_buffer_size;

    struct vm_ephemeral *ephemeral;
    struct btree_walk *walk; // clearing, counting
    struct row_queue *queue; // of a recursive query
    struct sorter *sorter;
    s32 pseudo_register; // VM_CURSOR_GROUPS: the first accumulator
    struct group_table *groups;
    struct key_filter *filter; // VM_CURSOR_FILTER
    const struct table_function *function;
    struct table_rows *rows;
    const struct table *virtual_table;
    struct fts_cursor *fts;
    struct fts_vocab_cursor *vocab;
    struct dbstat_cursor *dbstat;
    struct skerry_stmt *inner; // of a pragma_X
    bool filtering;
    struct value pragma_arguments[2]; // the hidden columns, in their order
};

// ---- frames ----------------------------------------------------------------------------------------------

struct vm_aux { // what a call of a function keeps
    void *data;
    void (*free)(void *);
    s16 argument;
};
struct vm_frame {
    struct vm_frame *parent, *next_free;
    struct program *program;
    struct value *registers;     // [register_count + 1], number 0 unused
    struct vm_cursor **cursors;  // [cursor_count]
    struct vm_cursor **parked;   // [cursor_count]: closed, for the next run in this transaction; their trees' cursors are idle
    struct vm_aux *aux;          // [call_count]
    u8 *once;                    // bit per instruction
    s32 pc;                      // of the parent: the Program instruction
    s64 last_insert_rowid, changes, db_changes; // as they were when it was entered
    u32 depth;
};

// ---- aggregates ------------------------------------------------------------------------------------------

struct vm_aggregate {
    struct vm_aggregate *next, *prev;
    const struct fn_def *def;
    struct aggregate_state state;
};

struct vm_ephemeral_store {
    struct vm_ephemeral_store *next;
    struct store *store;
    struct txn *txn;
};

// ---- the statement ---------------------------------------------------------------------------------------

enum stmt_state {
    STMT_STATE_READY,
    STMT_STATE_RUNNING,
    STMT_STATE_ROW,
    STMT_STATE_HALTING, // vm_halt is under way
    STMT_STATE_DONE,    // ended well; the next step begins anew
    STMT_STATE_FAILED,
};
enum halt_step { HALT_BEGIN, HALT_SAVE, HALT_COMMIT, HALT_END };

struct skerry_stmt {
    struct skerry *db;
    struct skerry_stmt *next, *prev;
    struct arena arena;
    struct program *program;
    size_t sql_size;
    u32 generation, shape; // the connection's when it was compiled

    // Memory that it has from the statement before it, and leaves to the next one (statement_spare).
    struct op op;
    char *sql; // NUL-terminated
    size_t sql_capacity;
    struct value *parameters; // [program->parameter_count + 1]
    u32 parameter_capacity;
    struct vm_cursor *free_cursors; // for its next runs
    struct statement_literals {     // where others than the program was compiled with came from
        char *text, *spare; // with a NUL behind; those of the program, and memory for the next text
        size_t text_capacity, spare_capacity;
        size_t end; // where the parenthesis after them is in `sql`; 0: not known
        struct literal_token *tokens; // [program->literal_count]
        u32 token_capacity;
    } literals;

    u8 state;
    bool active, active_write; // counted in the connection
    bool expired;
    bool aborted;     // the transaction that it read in was rolled back
    bool rolled_back; // the same, but it goes on in another one
    bool nested;   // runs for a SqlExec
    bool cached;   // finalized, and kept in the connection's cache
    bool repeats;  // came from there
    bool schema_mismatch;
    bool registers_used; // the main frame's, since vm_release
    u8 encoding;   // of the main database's text
    u32 reprepare_count;
    struct completion slice; // wakes the statement after a slice of instructions
    bool slice_pending;
    u64 slice_bytes; // of large arguments and results of functions in this slice
    bool finalized; // to be freed when the slice's completion is done

    const struct value *row;  // columns, while state is ROW
    struct value *scratch;    // [column_count]: converted columns
    u32 scratch_count;

    struct vm_frame *frame;
    struct vm_frame *main_frame;
    s32 pc;
    s64 changes;
    s64 foreign_violations; // immediate ones of this statement
    s64 deferred_before, deferred_immediate_before; // the connection's counts of violations at its start
    u32 savepoint;          // statement savepoint, 0: none
    s64 now_ms;
    u64 sorter_bytes;       // that its sorters hold
    u64 deadline_ns;        // of SKERRY_LIMIT_STATEMENT_MS
    u64 busy_deadline_ns;   // 0: not waiting for the write slot
    u32 checkpoint_next;    // database whose turn it is in a PRAGMA wal_checkpoint
    struct skerry_stmt_counters counters;

    u8 halt_step;     // enum halt_step
    u8 error_action;  // enum conflict
    u8 statement_op;  // what vm_halt does with the statement savepoint
    u32 halt_database;

    // What an instruction leaves for the next one.
    int compare_result;
    const s32 *permutation;
    const struct collation *collation;
    s32 min_max_register;
    struct vm_aggregate *aggregates, *aggregates_spare;
    u32 aggregates_spare_count;
    struct row_sets row_sets;
    struct function_context *function;
    struct vm_ephemeral_store *ephemeral;
    bool ephemeral_begun;
    struct skerry_stmt *inner; // of SqlExec
    u64 inner_used, inner_size;
    struct btree_walk walk; // of Clear, Destroy
    struct check *check;    // of IntegrityCk, or NULL
    struct vacuum *vacuum;  // of Vacuum, or NULL
    struct value record;    // MakeRecord of seeks
    u32 explain_at, explain_frame;
    struct value *explain_row;
    u8 *cell;               // RowCell
    u64 cell_size, cell_capacity;
};

enum vm_result { VM_ROW, VM_DONE, VM_WAIT, VM_FAIL };

// vm_run.c. The error is in s->op.err.
enum vm_result vm_run(struct skerry_stmt *s);
void vm_turn(struct skerry_stmt *s); // others have theirs: it waits now, and is woken soon
// vm_halt.c: ends the run; op.err tells how it went. IO_FAIL: committing failed (op.err).
io_status vm_halt(struct skerry_stmt *s);
// Abandons a run without waiting: what it wrote as an autocommit is rolled back.
void vm_abandon(struct skerry_stmt *s);
void vm_release(struct skerry_stmt *s); // cursors, frames, sets: after the run
io_status vm_autocommit(struct skerry_stmt *s, const struct instruction *in);
io_status vm_savepoint(struct skerry_stmt *s, const struct instruction *in);
bool vm_foreign_keys_hold(struct skerry_stmt *s, bool deferred);
// vm_frame.c
struct vm_frame *vm_frame_new(struct skerry_stmt *s, struct program *p);
void vm_frame_free(struct skerry_stmt *s, struct vm_frame *f);
io_status vm_frame_enter(struct skerry_stmt *s, const struct instruction *in, bool *skipped);
void vm_frame_leave(struct skerry_stmt *s);
// vm_cursor.c
struct vm_cursor *vm_cursor_new(struct skerry_stmt *s, s32 number, enum vm_cursor_kind kind, u32 field_count);
void vm_cursor_free(struct skerry_stmt *s, struct vm_cursor *c); // kept for vm_cursor_new
void vm_cursors_release(struct skerry_stmt *s);
io_status vm_open(struct skerry_stmt *s, const struct instruction *in);
io_status vm_open_ephemeral(struct skerry_stmt *s, const struct instruction *in);
io_status vm_open_dup(struct skerry_stmt *s, const struct instruction *in);
io_status vm_seek(struct skerry_stmt *s, const struct instruction *in, bool *jump);
io_status vm_seek_in(struct skerry_stmt *s, const struct instruction *in, bool *jump);
io_status vm_found(struct skerry_stmt *s, const struct instruction *in, bool *jump);
io_status vm_seek_rowid(struct skerry_stmt *s, const struct instruction *in, bool *jump);
io_status vm_last_compare(struct skerry_stmt *s, const struct instruction *in, bool *jump);
io_status vm_index_compare(struct skerry_stmt *s, const struct instruction *in, bool *jump);
io_status vm_index_rowid(struct skerry_stmt *s, struct vm_cursor *c, s64 *rowid);
io_status vm_reset_sorter(struct skerry_stmt *s, const struct instruction *in);
io_status vm_count(struct skerry_stmt *s, const struct instruction *in);
io_status vm_deferred_seek(struct skerry_stmt *s, struct vm_cursor *c);
// vm_queue.c
io_status vm_queue_put(struct skerry_stmt *s, const struct instruction *in);
io_status vm_queue_get(struct skerry_stmt *s, const struct instruction *in, bool *jump);
void vm_queue_free(struct skerry_stmt *s, struct vm_cursor *c);
// vm_ahead.c
// A row is looked up in table `rows` for the entry that `walk` is on, by its last field, or by another with
// column >= 0; `waits`: it has to be waited for. Reads rows of the next entries ahead when that is worth it.
void vm_lookup_ahead(struct skerry_stmt *s, struct vm_cursor *walk, const struct instruction *in, s32 column,
                     const struct cursor *rows, bool waits);
// Remembers in c whose column a SeekRowid looks for. False: it is something else.
bool vm_lookup_find(struct skerry_stmt *s, struct vm_cursor *c, const struct instruction *seek);
// vm_column.c
bool vm_column_quick(struct skerry_stmt *s, struct vm_cursor *c, u32 column); // see vm_column.h
io_status vm_column_row(struct skerry_stmt *s, struct vm_cursor *c); // makes row valid
// The first `size` bytes of a row that is valid, of which its page may have fewer, in one piece. Good until the next gathering.
io_status vm_row_gather(struct skerry_stmt *s, struct vm_cursor *c, u32 size, const u8 **out);
io_status vm_column(struct skerry_stmt *s, const struct instruction *in);
io_status vm_row_data(struct skerry_stmt *s, const struct instruction *in);
io_status vm_is_type(struct skerry_stmt *s, const struct instruction *in, bool *jump);
// vm_write.c
io_status vm_new_rowid(struct skerry_stmt *s, const struct instruction *in);
io_status vm_insert(struct skerry_stmt *s, const struct instruction *in);
io_status vm_delete(struct skerry_stmt *s, const struct instruction *in);
io_status vm_index_insert(struct skerry_stmt *s, const struct instruction *in);
io_status vm_index_delete(struct skerry_stmt *s, const struct instruction *in);
io_status vm_foreign_key_refer(struct skerry_stmt *s, const struct instruction *in);
io_status vm_row_cell(struct skerry_stmt *s, const struct instruction *in);
io_status vm_make_record(struct skerry_stmt *s, const struct instruction *in);
io_status vm_type_check(struct skerry_stmt *s, const struct instruction *in);
// vm_function.c
io_status vm_function(struct skerry_stmt *s, const struct instruction *in);
io_status vm_aggregate_step(struct skerry_stmt *s, const struct instruction *in, bool inverse);
io_status vm_aggregate_value(struct skerry_stmt *s, const struct instruction *in, bool final);
struct vm_aggregate *vm_aggregate_new(struct skerry_stmt *s, struct value *v, const struct fn_def *def); // NULL: no memory
void vm_pointer_release(struct skerry_stmt *s, struct value *v);
void vm_aggregates_free(struct skerry_stmt *s);
u64 vm_accumulator_bytes(const struct value *v); // of a plain column or of min() and max()
void vm_groups_free(struct skerry_stmt *s, struct group_table *t); // with the states of groups that were not asked for
void vm_function_free(struct skerry_stmt *s);
void vm_aux_free(struct vm_frame *f);
// vm_schema.c
io_status vm_transaction(struct skerry_stmt *s, const struct instruction *in);
u64 vm_busy_deadline(struct skerry_stmt *s); // until when the statement waits for the write slot; 0: it does not
io_status vm_schema_op(struct skerry_stmt *s, const struct instruction *in);
void vm_check_free(struct skerry_stmt *s); // lets go of an integrity check under way
void vm_vacuum_free(struct skerry_stmt *s);
// vm_virtual.c
io_status vm_virtual_open(struct skerry_stmt *s, const struct instruction *in);
io_status vm_virtual_filter(struct skerry_stmt *s, const struct instruction *in, bool *jump);
io_status vm_virtual_column(struct skerry_stmt *s, const struct instruction *in);
struct full_text_row;
io_status vm_full_text_call(struct skerry_stmt *s, const struct fn_def *def, const struct full_text_row *row, const struct value *arguments,
                            u32 argc, struct value *out);
io_status vm_virtual_function(struct skerry_stmt *s, const struct instruction *in);
io_status vm_virtual_check(struct skerry_stmt *s, const struct instruction *in);
io_status vm_virtual_update(struct skerry_stmt *s, const struct instruction *in);
io_status vm_virtual_next(struct skerry_stmt *s, const struct instruction *in, bool *jump);
// vm_explain.c
enum vm_result vm_explain(struct skerry_stmt *s);

// As value_apply_affinity, which most values do not need; *code is set when it fails.
static inline void vm_affinity_apply(struct value *v, char affinity, err_code *code)
{
    switch (affinity) {
    case AFFINITY_INTEGER:
    case AFFINITY_NUMERIC:
        if (v->type == VALUE_INTEGER || v->type == VALUE_NULL) return;
        break;
    case AFFINITY_REAL:
        if (v->type == VALUE_NULL) return;
        if (v->type == VALUE_REAL) {
            value_set_column_real(v, v->real);
            return;
        }
        if (v->type == VALUE_INTEGER) {
            value_set_column_real(v, (double)v->integer);
            return;
        }
        break;
    case AFFINITY_TEXT:
        if (v->type == VALUE_TEXT || v->type == VALUE_NULL) return;
        break;
    case AFFINITY_FLEXNUM:
        if (v->type != VALUE_TEXT) return;
        break;
    default: return;
    }
    err_code applied = value_apply_affinity(v, (enum affinity)affinity);
    if (applied != ERR_OK) *code = applied;
}

io_status vm_no_memory(struct skerry_stmt *s);
io_status vm_memory_check(struct skerry_stmt *s); // SKERRY_LIMIT_STATEMENT_MEMORY
io_status vm_value_error(struct skerry_stmt *s, err_code code); // of a value function
#define VALUE_TRY(s, call)                                                                         \
    do {                                                                                           \
        err_code value_try_ = (call);                                                              \
        if (UNLIKELY(value_try_ != ERR_OK)) return vm_value_error((s), value_try_);                \
    } while (0)
