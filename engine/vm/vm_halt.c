// The end of a run, and transactions as statements see them.
//
// An error undoes what the statement did, as its conflict action says: ABORT rolls back to the statement's
// savepoint, FAIL keeps what was done, ROLLBACK ends the transaction. Before the savepoint is rolled back the
// positions of other statements' cursors are saved, which may read (HALT_SAVE). With autocommit on, the end of the
// last statement that writes commits; that waits for the disk, so vm_halt is called again (HALT_COMMIT).
#include "vm.h"

#include "../fts/fts_table.h"

#include "../sql/schema.h"

bool vm_foreign_keys_hold(struct skerry_stmt *s, bool deferred)
{
    struct skerry *db = s->db;
    if ((deferred && db->deferred_violations + db->deferred_immediate_violations > 0) ||
        (!deferred && s->foreign_violations > 0)) {
        s->error_action = CONFLICT_ABORT;
        err_clear(&s->op.err); // of a FAIL, whose changes cannot stay either
        err_set(&s->op.err, ERR_CONSTRAINT_FOREIGNKEY, __func__, "FOREIGN KEY constraint failed");
        return false;
    }
    return true;
}

static io_status commit(struct skerry_stmt *s)
{
    struct skerry *db = s->db;
    bool concurrent = !db->autocommit && db->begin == BEGIN_CONCURRENT;
    io_status status = connection_commit(db, &s->op, s, concurrent ? vm_busy_deadline(s) : 0);
    if (status != IO_WAIT) s->busy_deadline_ns = 0;
    return status;
}

// COMMIT, or RELEASE of the savepoint that began the transaction. One that fails is rolled back, but for BUSY.
static io_status transaction_commit(struct skerry_stmt *s)
{
    struct skerry *db = s->db;
    if (!vm_foreign_keys_hold(s, true)) return IO_FAIL;
    io_status status = commit(s);
    if (status == IO_FAIL && err_primary(s->op.err.code) != ERR_BUSY) {
        connection_rollback(db);
        db->autocommit = true;
    }
    if (status == IO_DONE) db->autocommit = true;
    return status;
}

enum { STATEMENT_NOTHING, STATEMENT_RELEASE, STATEMENT_ROLLBACK };

// Rolling back: the cursors are saved.
static void statement_savepoint_end(struct skerry_stmt *s, bool rollback)
{
    if (!s->savepoint) return;
    struct skerry *db = s->db;
    for (u32 i = 0; i < db->database_count; i++) {
        struct txn *t = db->databases[i].txn;
        if (!t || txn_state_get(t) != TXN_WRITE || txn_savepoint_count(t) < s->savepoint) continue;
        if (rollback) txn_savepoint_rollback(t, s->savepoint);
        txn_savepoint_release(t, s->savepoint);
    }
    if (rollback) {
        if (!s->nested) fts_connection_forget(db);
        db->deferred_violations = s->deferred_before;
        db->deferred_immediate_violations = s->deferred_immediate_before;
        connection_schemas_stale(db);
    }
    s->savepoint = 0;
    db->statement_savepoint_count--;
}

static bool error_special(err_code code)
{
    int primary = err_primary(code);
    return primary == ERR_NOMEM || primary == ERR_IOERR || primary == ERR_INTERRUPT || primary == ERR_FULL;
}

static void rollback_everything(struct skerry_stmt *s)
{
    connection_rollback(s->db);
    s->db->autocommit = true;
    s->changes = 0;
    s->savepoint = 0;
}

// PRAGMA max_page_count
static void page_counts_check(struct skerry_stmt *s)
{
    for (u32 i = 0; i < s->db->database_count && s->op.err.code == ERR_OK; i++) {
        const struct txn *t = s->db->databases[i].txn;
        if (t && txn_page_count_exceeded(t))
            err_set(&s->op.err, ERR_FULL, __func__, "%s", err_default_text(ERR_FULL));
    }
}

// What is to be done about the changes; gives whether to commit.
static bool halt_decide(struct skerry_stmt *s)
{
    struct skerry *db = s->db;
    err_code code = s->op.err.code;
    bool special = error_special(code);
    s->statement_op = STATEMENT_NOTHING;
    if (s->nested) {
        // The statement around it decides about the transaction.
        s->statement_op = code == ERR_OK || s->error_action == CONFLICT_FAIL ? STATEMENT_RELEASE : STATEMENT_ROLLBACK;
        return false;
    }
    if (special && (s->program->writes || code != ERR_INTERRUPT)) {
        if ((code == ERR_NOMEM || code == ERR_FULL) && s->savepoint) {
            s->statement_op = STATEMENT_ROLLBACK;
        } else if (s->active_write || db->autocommit) {
            rollback_everything(s);
            return false;
        }
    }
    if (code == ERR_OK || (s->error_action == CONFLICT_FAIL && !special)) {
        if (!vm_foreign_keys_hold(s, false)) code = s->op.err.code;
    }
    u32 other_writers = db->active_write_count - (s->active_write ? 1 : 0);
    if (db->autocommit && other_writers == 0) {
        if (code == ERR_OK || (s->error_action == CONFLICT_FAIL && !special)) {
            if (vm_foreign_keys_hold(s, true)) return true;
            if (!s->program->writes) return false;
        }
        if (s->program->writes) rollback_everything(s);
        else if (s->program->reads) connection_keys_settled(db);
        return false;
    }
    if (s->statement_op == STATEMENT_NOTHING) {
        if (code == ERR_OK || s->error_action == CONFLICT_FAIL)
            s->statement_op = STATEMENT_RELEASE;
        else if (s->error_action == CONFLICT_ABORT)
            s->statement_op = STATEMENT_ROLLBACK;
        else
            rollback_everything(s);
    }
    return false;
}

static void halt_end(struct skerry_stmt *s)
{
    struct skerry *db = s->db;
    bool rolled_back = s->statement_op == STATEMENT_ROLLBACK;
    statement_savepoint_end(s, rolled_back);
    if (s->program->changes_counted && !s->nested) {
        db->changes = rolled_back ? 0 : s->changes;
        db->total_changes += db->changes;
    }
    s->changes = 0;
    if (s->active_write) db->active_write_count--;
    if (s->active) db->active_count--;
    s->active = s->active_write = false;
    connection_end_read(db);
}

io_status vm_halt(struct skerry_stmt *s)
{
    struct skerry *db = s->db;
    s->state = STMT_STATE_HALTING;
    switch ((enum halt_step)s->halt_step) {
    case HALT_BEGIN:
        vm_release(s);
        if (!s->active && !s->savepoint) {
            s->halt_step = HALT_BEGIN;
            return s->op.err.code == ERR_OK ? IO_DONE : IO_FAIL;
        }
        if (s->active_write) page_counts_check(s);
        if (s->active_write && db->active_count > 1 && (s->op.err.code != ERR_OK || s->foreign_violations > 0))
            IO_TRY(connection_readers_save(db, &s->op));
        if (!halt_decide(s)) {
            s->halt_step = HALT_SAVE;
            return vm_halt(s);
        }
        statement_savepoint_end(s, false);
        s->halt_step = HALT_COMMIT;
        // fall through
    case HALT_COMMIT: {
        struct err before = s->op.err; // FAIL commits with an error in hand
        err_clear(&s->op.err);
        io_status status = commit(s);
        if (status == IO_WAIT) {
            s->op.err = before;
            return status;
        }
        if (status == IO_FAIL) {
            if (err_primary(s->op.err.code) == ERR_BUSY && !s->program->writes) {
                s->halt_step = HALT_END;
                break;
            }
            rollback_everything(s);
        } else {
            s->op.err = before;
            if (s->program->reads) connection_keys_settled(db);
        }
        s->halt_step = HALT_END;
        break;
    }
    case HALT_SAVE: {
        if (s->statement_op != STATEMENT_ROLLBACK || !s->savepoint) break;
        struct err before = s->op.err;
        err_clear(&s->op.err);
        io_status status = connection_cursors_save(db, &s->op, s->savepoint);
        s->op.err = before;
        if (status == IO_WAIT) return status;
        if (status == IO_FAIL) connection_cursors_let_go(db, &s->op, s, s->savepoint);
        break;
    }
    case HALT_END: break;
    }
    halt_end(s);
    s->halt_step = HALT_BEGIN;
    return s->op.err.code == ERR_OK ? IO_DONE : IO_FAIL;
}

void vm_abandon(struct skerry_stmt *s)
{
    struct skerry *db = s->db;
    if (s->halt_step == HALT_BEGIN) vm_release(s);
    if (db->committing == s) connection_commit_abandon(db);
    // It may have waited for a write slot.
    for (u32 i = 0; s->active && i < db->database_count; i++)
        if (db->databases[i].txn) txn_line_leave(db->databases[i].txn);
    if (s->active || s->savepoint) {
        s->statement_op = STATEMENT_ROLLBACK;
        u32 other_writers = db->active_write_count - (s->active_write ? 1 : 0);
        if (s->active_write && db->autocommit && other_writers == 0) {
            rollback_everything(s);
            s->statement_op = STATEMENT_NOTHING;
        }
        if (s->savepoint) connection_cursors_let_go(db, &s->op, s, s->savepoint);
        halt_end(s);
    }
    s->halt_step = HALT_BEGIN;
}

// ---- BEGIN, COMMIT, ROLLBACK -----------------------------------------------------------------------------------

// Of transactions, where none is: a transaction of its own, which has failed.
static void statement_misplaced(struct skerry *db)
{
    if (db->autocommit && db->active_write_count == 0) connection_keys_settled(db);
}

io_status vm_autocommit(struct skerry_stmt *s, const struct instruction *in)
{
    struct skerry *db = s->db;
    bool on = in->p1 != 0, rollback = in->p2 != 0;
    if (on == db->autocommit) {
        statement_misplaced(db);
        return IO_ERROR(&s->op.err, ERR_ERROR, "%s",
                        !on ? "cannot start a transaction within a transaction"
                        : rollback ? "cannot rollback - no transaction is active"
                                   : "cannot commit - no transaction is active");
    }
    if (rollback) {
        IO_TRY(connection_readers_save(db, &s->op));
        connection_rollback(db);
        db->autocommit = true;
    } else if (on) {
        if (db->active_write_count > 0)
            return IO_ERROR(&s->op.err, ERR_BUSY, "cannot commit transaction - SQL statements in progress");
        IO_TRY(transaction_commit(s));
    } else {
        db->autocommit = false;
        db->begin = (u8)in->p3;
        return IO_DONE;
    }
    connection_keys_settled(db);
    connection_savepoints_free(db);
    return IO_DONE;
}

// ---- savepoints ----------------------------------------------------------------------------------------------

static io_status savepoint_begin(struct skerry_stmt *s, const char *name)
{
    struct skerry *db = s->db;
    if (db->active_write_count > 0)
        return IO_ERROR(&s->op.err, ERR_BUSY, "cannot open savepoint - SQL statements in progress");
    IO_TRY(fts_connection_flush(db, &s->op));
    size_t size = strlen(name) + 1;
    struct named_savepoint *n = malloc(sizeof *n + size);
    if (!n) return vm_no_memory(s);
    for (u32 i = 0; i < db->database_count; i++) {
        struct txn *t = db->databases[i].txn;
        if (!t || txn_state_get(t) != TXN_WRITE) continue;
        u32 number;
        if (txn_savepoint_open(t, &number, &s->op.err) != ERR_OK) {
            for (u32 k = 0; k < i; k++) {
                struct txn *u = db->databases[k].txn;
                if (u && txn_state_get(u) == TXN_WRITE) txn_savepoint_release(u, db->savepoint_count + 1);
            }
            free(n);
            return IO_FAIL;
        }
    }
    memcpy(n->name, name, size);
    n->is_transaction = db->autocommit;
    if (n->is_transaction) db->begin = BEGIN_DEFERRED;
    n->deferred_violations = db->deferred_violations;
    n->deferred_immediate_violations = db->deferred_immediate_violations;
    n->outer = db->savepoints;
    db->savepoints = n;
    db->savepoint_count++;
    db->autocommit = false;
    return IO_DONE;
}

static void savepoint_pop(struct skerry *db)
{
    struct named_savepoint *n = db->savepoints;
    db->savepoints = n->outer;
    db->savepoint_count--;
    free(n);
}

io_status vm_savepoint(struct skerry_stmt *s, const struct instruction *in)
{
    struct skerry *db = s->db;
    const char *name = in->p4.text;
    enum savepoint_kind kind = (enum savepoint_kind)in->p1;
    if (kind == SAVEPOINT_BEGIN) return savepoint_begin(s, name);
    struct named_savepoint *n = db->savepoints;
    u32 number = db->savepoint_count;
    for (; n && !name_equal(n->name, name); n = n->outer) number--;
    if (!n) {
        statement_misplaced(db);
        return IO_ERROR(&s->op.err, ERR_ERROR, "no such savepoint: %s", name);
    }
    if (db->active_write_count > 0 && kind == SAVEPOINT_RELEASE)
        return IO_ERROR(&s->op.err, ERR_BUSY, "cannot release savepoint - SQL statements in progress");
    if (kind == SAVEPOINT_RELEASE && n->is_transaction) {
        IO_TRY(transaction_commit(s));
        connection_keys_settled(db);
        connection_savepoints_free(db);
        return IO_DONE;
    }
    bool schema_changed = false;
    for (u32 i = 0; i < db->database_count; i++) schema_changed |= db->databases[i].schema_own;
    if (kind == SAVEPOINT_ROLLBACK) IO_TRY(connection_cursors_save(db, &s->op, number));
    for (u32 i = 0; i < db->database_count; i++) {
        struct txn *t = db->databases[i].txn;
        if (!t || txn_state_get(t) != TXN_WRITE || txn_savepoint_count(t) < number) continue;
        if (kind == SAVEPOINT_ROLLBACK)
            txn_savepoint_rollback(t, number);
        else
            txn_savepoint_release(t, number);
    }
    if (kind == SAVEPOINT_ROLLBACK) {
        fts_connection_forget(db);
        while (db->savepoints != n) savepoint_pop(db);
        db->deferred_violations = n->deferred_violations;
        db->deferred_immediate_violations = n->deferred_immediate_violations;
        connection_schemas_stale(db);
        connection_cursors_aborted(db, s, !schema_changed);
    } else {
        struct named_savepoint *outer = n->outer;
        while (db->savepoints != outer) savepoint_pop(db);
    }
    return IO_DONE;
}
