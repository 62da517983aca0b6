// The transaction of a connection over its databases.
#include "connection.h"
#include "fts/fts_table.h"
#include "sql/ast.h"
#include "sql/schema.h"
#include "store/pager.h"
#include "vm/vm.h"

static io_status commit_wait(struct skerry *db, struct op *op)
{
    wait_list_add(&db->commit_waiters, &op->waiter);
    return IO_WAIT;
}

// Between BEGIN CONCURRENT and its end. What is this connection's alone has nobody to be concurrent with.
static bool concurrent(const struct skerry *db, u32 index)
{
    return !db->autocommit && db->begin == BEGIN_CONCURRENT && index != DATABASE_TEMP;
}

io_status connection_begin_read(struct skerry *db, struct op *op, u32 index)
{
    if (UNLIKELY(db->committing)) return commit_wait(db, op);
    struct txn *t = db->databases[index].txn;
    return concurrent(db, index) ? txn_begin_concurrent(t, op, false, 0) : txn_begin_read(t, op);
}

io_status connection_begin_write(struct skerry *db, struct op *op, u32 index, u64 deadline_ns)
{
    if (UNLIKELY(db->committing)) return commit_wait(db, op);
    struct txn *t = db->databases[index].txn;
    if (concurrent(db, index))
        IO_TRY(txn_begin_concurrent(t, op, true, deadline_ns));
    else
        IO_TRY(txn_begin_write(t, op, deadline_ns)); // also when it has waited: it may not be prepared yet
    while (txn_savepoint_count(t) < db->savepoint_count) {
        u32 number;
        if (txn_savepoint_open(t, &number, &op->err) != ERR_OK) return IO_FAIL;
    }
    return IO_DONE;
}

// ---- cursors of other statements ---------------------------------------------------------------------------------

// A commit ends the snapshot under the feet of statements that are reading: their cursors' positions are saved, and
// found again in the new one.
static void cursors_keep(struct skerry *db, u32 index, bool restore)
{
    for (struct skerry_stmt *s = db->statements; s; s = s->next) {
        for (struct vm_frame *f = s->frame; f; f = f->parent) {
            for (s32 i = 0; i < f->program->cursor_count; i++) {
                struct vm_cursor *c = f->cursors[i];
                if (!c || c->kind != VM_CURSOR_TREE || c->database != (s8)index) continue;
                if (restore) {
                    if (c->kept) {
                        c->c.state = CURSOR_SAVED;
                        c->c.skip = c->kept_skip;
                        c->row_valid = false;
                    }
                    c->kept = false;
                } else {
                    c->kept = c->c.state == CURSOR_SAVED;
                    c->kept_skip = c->c.skip;
                }
            }
        }
    }
}

static io_status commit_one(struct skerry *db, struct op *op, u32 index, bool readers)
{
    struct database *d = &db->databases[index];
    if (!d->txn) return IO_DONE;
    if (!readers) return txn_commit(d->txn, op);
    switch (d->commit_step) {
    case COMMIT_BEGIN:
        if (txn_state_get(d->txn) != TXN_WRITE) return IO_DONE;
        IO_TRY(txn_cursors_save(d->txn, op, 0, NULL));
        op_settle(op);
        cursors_keep(db, index, false);
        d->commit_step = COMMIT_WRITE;
        // fall through
    case COMMIT_WRITE: {
        io_status status = txn_commit(d->txn, op);
        if (status == IO_FAIL) d->commit_step = COMMIT_BEGIN;
        IO_TRY(status);
        d->commit_step = COMMIT_READ;
    }
        // fall through
    case COMMIT_READ:
        IO_TRY(txn_begin_read(d->txn, op));
        cursors_keep(db, index, true);
        d->commit_step = COMMIT_BEGIN;
        break;
    }
    return IO_DONE;
}

// Concurrent transactions: the write slots of all databases, then whether all of them may be committed. Until then
// nothing has changed.
static io_status commit_prepare(struct skerry *db, struct op *op, u64 deadline_ns)
{
    io_status status = IO_DONE;
    for (u32 i = 0; i < db->database_count && status == IO_DONE; i++)
        if (db->databases[i].txn) status = txn_commit_slot(db->databases[i].txn, op, deadline_ns);
    for (u32 i = 0; i < db->database_count && status == IO_DONE; i++) {
        if (!db->databases[i].txn || txn_commit_check(db->databases[i].txn, &op->err) == ERR_OK) continue;
        connection_conflict_tell(db, i, &op->err);
        status = IO_FAIL;
    }
    if (status == IO_FAIL) {
        for (u32 i = 0; i < db->database_count; i++)
            if (db->databases[i].txn) txn_commit_slot_give(db->databases[i].txn);
    }
    return status;
}

static io_status commit_all(struct skerry *db, struct op *op, const struct skerry_stmt *by, u64 deadline_ns)
{
    bool readers = db->active_count > (by && by->active ? 1u : 0u);
    if (!db->autocommit && db->begin == BEGIN_CONCURRENT) IO_TRY(commit_prepare(db, op, deadline_ns));
    for (u32 i = 0; i < db->database_count; i++) {
        io_status status = commit_one(db, op, i, readers);
        if (status == IO_WAIT) return status;
        if (status == IO_DONE) continue;
        if (op->err.code == ERR_BUSY_SNAPSHOT) connection_conflict_tell(db, i, &op->err);
        if (err_primary(op->err.code) == ERR_BUSY) {
            connection_rollback(db);
            db->autocommit = true;
        }
        return status;
    }
    for (u32 i = 0; i < db->database_count; i++) db->databases[i].schema_own = false;
    return IO_DONE;
}

static void committing_end(struct skerry *db)
{
    db->committing = NULL;
    wait_list_wake_all(&db->commit_waiters);
}

io_status connection_commit(struct skerry *db, struct op *op, const struct skerry_stmt *by, u64 deadline_ns)
{
    // What is pending is written by statements, which a commit under way would keep waiting.
    if (db->committing != by) {
        IO_TRY(fts_connection_flush(db, op));
        if (connection_commit_refused(db))
            return IO_ERROR(&op->err, ERR_CONSTRAINT_COMMITHOOK, "%s", err_default_text(ERR_CONSTRAINT));
    }
    db->committing = by;
    io_status status = commit_all(db, op, by, deadline_ns);
    if (status != IO_WAIT) committing_end(db);
    return status;
}

void connection_commit_abandon(struct skerry *db)
{
    committing_end(db);
    connection_rollback(db);
    db->autocommit = true;
}

void connection_cursors_aborted(struct skerry *db, const struct skerry_stmt *by, bool writers_only)
{
    for (struct skerry_stmt *s = db->statements; s; s = s->next)
        if (s != by && s->active && s->state != STMT_STATE_HALTING && (s->active_write || !writers_only))
            s->aborted = true;
}

static struct txn *txn_with_savepoint(const struct skerry *db, u32 index, u32 savepoint)
{
    struct txn *t = db->databases[index].txn;
    return t && txn_state_get(t) == TXN_WRITE && txn_savepoint_count(t) >= savepoint ? t : NULL;
}

io_status connection_cursors_save(struct skerry *db, struct op *op, u32 savepoint)
{
    for (u32 i = 0; i < db->database_count; i++) {
        struct txn *t = txn_with_savepoint(db, i, savepoint);
        if (t) IO_TRY(txn_cursors_save(t, op, 0, NULL));
    }
    op_settle(op);
    return IO_DONE;
}

void connection_cursors_let_go(struct skerry *db, struct op *op, const struct skerry_stmt *by, u32 savepoint)
{
    struct err before = op->err;
    err_clear(&op->err);
    io_status status = connection_cursors_save(db, op, savepoint);
    op->err = before;
    if (status == IO_DONE) return;
    op_settle(op);
    for (u32 i = 0; i < db->database_count; i++) {
        struct txn *t = txn_with_savepoint(db, i, savepoint);
        if (t) txn_cursors_invalidate(t);
    }
    connection_cursors_aborted(db, by, false);
}

io_status connection_readers_save(struct skerry *db, struct op *op)
{
    struct err before = op->err;
    err_clear(&op->err);
    io_status status = IO_DONE;
    for (u32 i = 0; i < db->database_count && status == IO_DONE; i++)
        if (db->databases[i].txn) status = txn_cursors_save(db->databases[i].txn, op, 0, NULL);
    op->err = before;
    op_settle(op);
    return status == IO_WAIT ? status : IO_DONE;
}

// Whether all its positions are saved: it can go on in another snapshot.
static bool reader_is_saved(const struct skerry_stmt *s)
{
    for (const struct vm_frame *f = s->frame; f; f = f->parent)
        for (s32 i = 0; i < f->program->cursor_count; i++) {
            const struct vm_cursor *c = f->cursors[i];
            if (!c) continue;
            if (c->kind == VM_CURSOR_VIRTUAL && !c->rows) return false;
            if (c->kind == VM_CURSOR_TREE && c->database >= 0 && (c->c.state == CURSOR_VALID || c->c.state == CURSOR_SKIP)) return false;
        }
    return !s->active_write;
}

void connection_rollback(struct skerry *db)
{
    connection_rolling_back(db);
    fts_connection_forget(db);
    bool schema_changed = false;
    for (u32 i = 0; i < db->database_count; i++) schema_changed |= db->databases[i].schema_own;
    for (struct skerry_stmt *s = db->statements; s; s = s->next) {
        if (!s->active || s->state == STMT_STATE_HALTING) continue;
        if (schema_changed || !reader_is_saved(s))
            s->aborted = true;
        else
            s->rolled_back = true;
    }
    for (u32 i = 0; i < db->database_count; i++) {
        struct database *d = &db->databases[i];
        if (d->txn) {
            cursors_keep(db, i, false);
            txn_rollback(d->txn);
            cursors_keep(db, i, true);
        }
        d->commit_step = COMMIT_BEGIN;
    }
    connection_schemas_stale(db);
    for (u32 i = 0; i < db->database_count; i++) db->databases[i].schema_own = false;
    connection_keys_settled(db);
    connection_savepoints_free(db);
    for (struct skerry_stmt *s = db->statements; s; s = s->next) s->savepoint = 0;
    db->statement_savepoint_count = 0;
}

void connection_end_read(struct skerry *db)
{
    if (!db->autocommit || db->active_count > 0 || db->load) return;
    for (u32 i = 0; i < db->database_count; i++) {
        struct database *d = &db->databases[i];
        if (d->txn && txn_state_get(d->txn) != TXN_NONE) txn_rollback(d->txn); // writing: a BEGIN that came to nothing
    }
}

void connection_savepoints_free(struct skerry *db)
{
    while (db->savepoints) {
        struct named_savepoint *n = db->savepoints;
        db->savepoints = n->outer;
        free(n);
    }
    db->savepoint_count = 0;
}
