// Doing a transaction's row changes again on the newest tree, one tree operation at a time.
//
// The transaction has the write slot and was found free of conflicts: what it changed is as it was in its snapshot. Its
// private pages are thrown away and it starts again from the newest commit; from there on it either commits or is
// rolled back.
#include "btree_cursor.h"
#include "change.h"
#include "store_private.h"

static io_status no_memory(struct op *op)
{
    return IO_ERROR(&op->err, ERR_NOMEM, "%s", err_default_text(ERR_NOMEM));
}

static io_status tree_cursor(struct txn *t, struct op *op, const struct change *change, struct cursor **out)
{
    struct change_tree *tree = &t->changes.trees[change->tree];
    if (!tree->replay) {
        struct cursor *c = malloc(sizeof *c);
        if (!c) return no_memory(op);
        cursor_init(c, t, tree->root, tree->info, true);
        tree->replay = c;
    }
    *out = tree->replay;
    return IO_DONE;
}

// The entry is there in the transaction's snapshot, and nobody has changed it since.
static io_status missing(const struct cursor *c, struct op *op)
{
    return IO_ERROR(&op->err, ERR_CORRUPT,
                    "database disk image is malformed: an entry of the tree of page %u is not there to be deleted",
                    c->root);
}

// Somebody's row or unique key is where this transaction put one of its own. The check of conflicts has seen to it
// that it is not; an index that became corrupt, say, still does not become worse.
static io_status taken(struct txn *t, const struct cursor *c, struct op *op, const struct change *change)
{
    t->conflict = (struct txn_conflict){.kind = TXN_CONFLICT_KEY,
                                        .root = c->root,
                                        .rowid = (s64)change->key,
                                        .key = change_payload(change),
                                        .key_size = change->size,
                                        .info = c->key_info};
    return IO_ERROR(&op->err, ERR_BUSY_SNAPSHOT, "%s", err_default_text(ERR_BUSY));
}

static io_status replay_insert(struct txn *t, struct op *op, const struct change *change)
{
    struct cursor *c;
    int compare;
    IO_TRY(tree_cursor(t, op, change, &c));
    struct btree_entry e = {.rowid = (s64)change->key, .data = change_payload(change), .size = change->size};
    if (c->key_info) {
        u32 unique = c->key_info->unique_count;
        if (unique && change->keyed && !change->replaces) {
            IO_TRY(cursor_seek_record(c, op, e.data, e.size, unique, &compare));
            if (c->state == CURSOR_VALID && compare == 0) return taken(t, c, op, change);
        }
        IO_TRY(cursor_seek_record(c, op, e.data, e.size, c->key_info->field_count, &compare));
    } else {
        IO_TRY(cursor_seek_rowid(c, op, e.rowid, &compare));
        if (c->state == CURSOR_VALID && compare == 0 && !change->replaces) return taken(t, c, op, change);
    }
    return cursor_insert(c, op, &e, CURSOR_SEEK_DONE, compare);
}

static io_status replay_delete(struct txn *t, struct op *op, const struct change *change)
{
    struct cursor *c;
    int compare;
    IO_TRY(tree_cursor(t, op, change, &c));
    if (c->key_info)
        IO_TRY(cursor_seek_record(c, op, change_payload(change), change->size, c->key_info->field_count, &compare));
    else
        IO_TRY(cursor_seek_rowid(c, op, (s64)change->key, &compare));
    if (c->state != CURSOR_VALID || compare != 0) return missing(c, op);
    return cursor_delete(c, op, 0);
}

// ---- sqlite_sequence -------------------------------------------------------------------------------------

// Name and number of a row of sqlite_sequence; the name is borrowed from the record or owned.
static io_status sequence_decode(struct op *op, u8 encoding, const u8 *record, u64 size, struct value out[2])
{
    u32 count;
    value_init(&out[0]);
    value_init(&out[1]);
    if (record_decode(record, size, encoding, out, 2, &count, &op->err) == ERR_OK) return IO_DONE;
    value_deinit(&out[0]);
    value_deinit(&out[1]);
    return IO_FAIL;
}

static bool same_text(const struct value *a, const struct value *b)
{
    return a->type == VALUE_TEXT && b->type == VALUE_TEXT && a->size == b->size &&
           memcmp(a->bytes, b->bytes, a->size) == 0;
}

// The row of the table's name, if there is one, has its number raised; else it is added. The table is as small as the
// schema, so that looking again from its beginning after a wait costs little.
static io_status replay_sequence(struct txn *t, struct op *op, const struct change *change)
{
    struct cursor *c;
    IO_TRY(tree_cursor(t, op, change, &c));
    u32 encoding;
    IO_TRY(txn_meta_get(t, op, META_TEXT_ENCODING, &encoding));
    struct value mine[2];
    IO_TRY(sequence_decode(op, text_encoding(encoding), change_payload(change), change->size, mine));
    struct btree_entry e = {.rowid = 1, .data = change_payload(change), .size = change->size};
    bool found = false, raise = true;
    u8 *record = NULL;
    io_status status = cursor_first(c, op);
    while (status == IO_DONE && !found && c->state == CURSOR_VALID) {
        status = cursor_entry(c, op);
        if (status != IO_DONE) break;
        e.rowid = c->rowid;
        u8 *grown = realloc(record, c->payload_size + 1);
        if (!grown) {
            status = no_memory(op);
            break;
        }
        record = grown;
        status = cursor_read(c, op, 0, c->payload_size, record);
        if (status != IO_DONE) break;
        struct value theirs[2];
        status = sequence_decode(op, text_encoding(encoding), record, c->payload_size, theirs);
        if (status != IO_DONE) break;
        found = same_text(&mine[0], &theirs[0]);
        raise = !found || value_to_integer(&mine[1]) > value_to_integer(&theirs[1]);
        value_deinit(&theirs[0]);
        value_deinit(&theirs[1]);
        if (found) break;
        e.rowid++; // behind the last one, in the end
        status = cursor_next(c, op);
    }
    free(record);
    value_deinit(&mine[0]);
    value_deinit(&mine[1]);
    IO_TRY(status);
    return raise ? cursor_insert(c, op, &e, 0, 0) : IO_DONE;
}

// ---- all of it -------------------------------------------------------------------------------------------

static io_status replay_clear(struct txn *t, struct op *op, const struct change *change)
{
    struct change_list *l = &t->changes;
    IO_TRY(btree_clear(t, op, l->trees[change->tree].root, &l->walk));
    btree_walk_deinit(&l->walk);
    return IO_DONE;
}

static io_status replay_change(struct txn *t, struct op *op, const struct change *change)
{
    switch ((enum change_kind)change->kind) {
    case CHANGE_INSERT: return replay_insert(t, op, change);
    case CHANGE_DELETE: return replay_delete(t, op, change);
    case CHANGE_CLEAR: return replay_clear(t, op, change);
    case CHANGE_SEQUENCE: return replay_sequence(t, op, change);
    case CHANGE_READ: return IO_DONE;
    }
    return IO_DONE;
}

io_status change_replay(struct txn *t, struct op *op)
{
    struct store *s = t->store;
    struct change_list *l = &t->changes;
    ASSERT(s->writer == t && l->full);
    switch (l->replay_step) {
    case REPLAY_BEGIN:
        if (s->appended.lsn == t->snapshot.lsn) return IO_DONE;
        if (t->doomed) return IO_DONE; // the commit says why
        ASSERT(!l->whole);
        txn_restart(t);
        l->recording = false;
        l->replay_at = 0;
        l->replay_step = REPLAY_PREPARE;
        // fall through
    case REPLAY_PREPARE:
        IO_TRY(txn_write_prepare(t, op));
        l->replay_step = REPLAY_CHANGES;
        // fall through
    case REPLAY_CHANGES:
        while (l->replay_at < l->size) {
            IO_TRY(replay_change(t, op, change_at(l, l->replay_at)));
            l->replay_at += change_size(change_at(l, l->replay_at));
        }
        for (u32 i = 0; i < l->tree_count; i++) {
            if (l->trees[i].replay) cursor_reset(l->trees[i].replay);
        }
        l->recording = true; // its keys are published
        l->replay_step = REPLAY_DONE;
        // fall through
    case REPLAY_DONE: return IO_DONE;
    }
    return IO_DONE;
}
