#include "vacuum.h"

#include "btree_page.h"
#include "store_private.h"

#define ENTRIES_PER_TURN 2000u

static io_status no_memory(struct op *op)
{
    return IO_ERROR(&op->err, ERR_NOMEM, "%s", err_default_text(ERR_NOMEM));
}

// ---- an entry ----------------------------------------------------------------------------------

static io_status entry_read(struct vacuum *v, struct op *op)
{
    IO_TRY(cursor_entry(&v->from, op));
    if (v->from.payload_size > v->entry_capacity || !v->entry) {
        u64 capacity = MAX(v->from.payload_size, 4096u);
        u8 *grown = realloc(v->entry, capacity);
        if (!grown) return no_memory(op);
        v->entry = grown;
        v->entry_capacity = capacity;
    }
    v->entry_size = v->from.payload_size;
    return cursor_read(&v->from, op, 0, v->entry_size, v->entry);
}

static io_status entry_insert(struct vacuum *v, struct op *op, s64 rowid, const u8 *data, u64 size)
{
    struct btree_entry e = {.rowid = rowid, .data = data, .size = size};
    return cursor_insert(&v->to, op, &e, CURSOR_APPEND | CURSOR_SEEK_DONE, -1);
}

static void cursors_open(struct vacuum *v, pgno from, pgno to, const struct key_info *info)
{
    cursor_init(&v->from, v->txn, from, info, false);
    cursor_init(&v->to, v->image_txn, to, info, true);
    v->cursors_open = true;
    v->copy_step = VACUUM_FIRST;
}

static void cursors_close(struct vacuum *v)
{
    if (!v->cursors_open) return;
    cursor_deinit(&v->from);
    cursor_deinit(&v->to);
    v->cursors_open = false;
}

// ---- the schema --------------------------------------------------------------------------------

static bool text_is(const struct value *x, const char *text)
{
    return x->type == VALUE_TEXT && x->size == strlen(text) && memcmp(x->bytes, text, x->size) == 0;
}

// In which of the passes over sqlite_schema the row is copied.
static enum vacuum_step row_pass(const struct value *fields)
{
    bool tree = fields[3].type == VALUE_INTEGER && fields[3].integer > 0;
    if (!tree) return VACUUM_OTHERS;
    return text_is(&fields[0], "index") && fields[4].type != VALUE_NULL ? VACUUM_INDEXES
                                                                        : VACUUM_TABLES;
}

static io_status tree_create(struct vacuum *v, struct op *op, pgno from)
{
    if (v->tree_count == v->tree_capacity) {
        u32 capacity = v->tree_capacity ? 2 * v->tree_capacity : 64;
        struct vacuum_tree *grown = realloc(v->trees, capacity * sizeof *grown);
        if (!grown) return no_memory(op);
        v->trees = grown;
        v->tree_capacity = capacity;
    }
    struct page *p;
    IO_TRY(txn_page(v->txn, op, from, &p));
    bool sound = from > 1 && page_check(p, txn_usable_size(v->txn), &op->err) == ERR_OK;
    bool rowids = p->node.rowid_tree;
    page_unpin(p);
    if (!sound)
        return IO_ERROR(&op->err, ERR_CORRUPT, "database disk image is malformed: root page %u",
                        from);
    IO_TRY(btree_create(v->image_txn, op, rowids ? BTREE_TABLE : BTREE_INDEX, &v->root));
    v->trees[v->tree_count++] = (struct vacuum_tree){from, v->root};
    return IO_DONE;
}

// The row in hand, when it belongs to this pass, with its tree's new root, in v->record;
// v->record_size = 0: not now.
static io_status row_make(struct vacuum *v, struct op *op)
{
    struct value fields[5];
    u32 count = 0;
    for (u32 i = 0; i < 5; i++) value_init(&fields[i]);
    free(v->record);
    v->record = NULL;
    v->record_size = 0;
    io_status status = IO_DONE;
    if (record_decode(v->entry, v->entry_size, (u8)v->encoding, fields, 5, &count, &op->err) !=
        ERR_OK)
        status = IO_FAIL;
    else if (count != 5)
        status = IO_ERROR(&op->err, ERR_CORRUPT,
                          "database disk image is malformed: a row of sqlite_schema");
    else if (row_pass(fields) == v->step &&
             !(v->without_sequence && v->step == VACUUM_TABLES && text_is(&fields[1], "sqlite_sequence"))) {
        if (v->step != VACUUM_OTHERS) {
            status = tree_create(v, op, (pgno)MIN(fields[3].integer, (s64)UINT32_MAX));
            value_set_integer(&fields[3], v->root);
        }
        if (status == IO_DONE) {
            v->record_size = record_size(fields, 5, (u8)v->encoding, NULL);
            v->record = malloc(v->record_size);
            if (!v->record ||
                record_encode(fields, 5, (u8)v->encoding, v->record, v->record_size) != ERR_OK)
                status = no_memory(op);
        }
    }
    for (u32 i = 0; i < 5; i++) value_deinit(&fields[i]);
    return status;
}

static io_status schema_pass(struct vacuum *v, struct op *op)
{
    if (!v->cursors_open) cursors_open(v, 1, 1, NULL);
    for (;;) {
        switch (v->copy_step) {
        case VACUUM_FIRST:
            IO_TRY(cursor_first(&v->from, op));
            v->copy_step = VACUUM_READ;
            break;
        case VACUUM_READ:
            if (!cursor_valid(&v->from)) {
                cursors_close(v);
                v->step++;
                return IO_DONE;
            }
            IO_TRY(entry_read(v, op));
            v->copy_step = VACUUM_ROOT;
            break;
        case VACUUM_ROOT:
            IO_TRY(row_make(v, op));
            v->copy_step = v->record_size ? VACUUM_LAST : VACUUM_NEXT;
            break;
        case VACUUM_LAST:
            IO_TRY(cursor_last(&v->to, op));
            v->copy_step = VACUUM_INSERT;
            break;
        case VACUUM_INSERT:
            IO_TRY(entry_insert(v, op, v->schema_rows + 1, v->record, v->record_size));
            v->schema_rows++;
            v->copy_step = VACUUM_NEXT;
            break;
        case VACUUM_NEXT:
            IO_TRY(cursor_next(&v->from, op));
            v->copy_step = VACUUM_READ;
            break;
        }
    }
}

// ---- the trees ---------------------------------------------------------------------------------

// Entries come in their order and go to the end: nothing is compared, so that no collation is
// needed.
static io_status trees_copy(struct vacuum *v, struct op *op)
{
    static const struct key_info any_key = {.encoding = 1};
    for (u32 entries = 0; entries < ENTRIES_PER_TURN;) {
        if (!v->cursors_open) {
            if (v->tree_next == v->tree_count) {
                IO_TRY(txn_vacuum(v->image_txn, op, UINT32_MAX)); // sharing out may have left a page over
                IO_TRY(txn_map_sync(v->image_txn, op));
                v->step = VACUUM_DONE;
                return IO_DONE;
            }
            const struct vacuum_tree *tree = &v->trees[v->tree_next];
            struct page *p;
            IO_TRY(txn_page(v->image_txn, op, tree->to, &p));
            bool rowids = p->data[0] == PAGE_TABLE_LEAF;
            page_unpin(p);
            cursors_open(v, tree->from, tree->to, rowids ? NULL : &any_key);
        }
        switch (v->copy_step) {
        case VACUUM_FIRST:
            IO_TRY(cursor_first(&v->from, op));
            v->copy_step = VACUUM_READ;
            break;
        case VACUUM_READ:
            if (!cursor_valid(&v->from)) {
                cursors_close(v);
                v->tree_next++;
                break;
            }
            entries += cursor_append_cells(&v->to, &v->from);
            IO_TRY(entry_read(v, op));
            v->copy_step = VACUUM_LAST;
            break;
        case VACUUM_ROOT:
        case VACUUM_LAST:
            IO_TRY(cursor_last(&v->to, op));
            v->copy_step = VACUUM_INSERT;
            break;
        case VACUUM_INSERT:
            IO_TRY(entry_insert(v, op, v->from.rowid, v->entry, v->entry_size));
            entries++;
            v->copy_step = VACUUM_NEXT;
            break;
        case VACUUM_NEXT:
            IO_TRY(cursor_next(&v->from, op));
            v->copy_step = VACUUM_READ;
            break;
        }
    }
    return IO_DONE;
}

// The schema cookie counts up: whoever knows the old roots reads the schema again.
static io_status meta_copy(struct vacuum *v, struct op *op)
{
    static const struct {
        enum txn_meta field;
        u32 add;
    } fields[] = {{META_SCHEMA_COOKIE, 1}, {META_FILE_FORMAT, 0},  {META_DEFAULT_CACHE_SIZE, 0},
                  {META_TEXT_ENCODING, 0}, {META_USER_VERSION, 0}, {META_APPLICATION_ID, 0}};
    for (; v->meta_next < COUNT_OF(fields); v->meta_next++) {
        u32 value;
        IO_TRY(txn_meta_get(v->txn, op, fields[v->meta_next].field, &value));
        IO_TRY(txn_meta_set(v->image_txn, op, fields[v->meta_next].field,
                            value + fields[v->meta_next].add));
        if (fields[v->meta_next].field == META_TEXT_ENCODING)
            v->encoding = text_encoding(value);
    }
    v->step = VACUUM_TABLES;
    return IO_DONE;
}

// What pages of the copy will be on the disk.
static enum codec_kind target_kind(const struct vacuum *v, const struct store *s)
{
    if (!v->target_path) return s->codec.kind;
    bool sealed = v->target_key ? v->target_key->kind != STORE_KEY_NONE : s->codec.kind == CODEC_SEALED;
    if (sealed) return CODEC_SEALED;
    return v->target_checksums || s->codec.kind == CODEC_CHECKSUM ? CODEC_CHECKSUM : CODEC_PLAIN;
}

io_status vacuum_copy(struct vacuum *v, struct op *op)
{
    const struct store *s = txn_store(v->txn);
    for (;;) {
        switch (v->step) {
        case VACUUM_OPEN: {
            u32 largest, incremental;
            IO_TRY(txn_meta_get(v->txn, op, META_LARGEST_ROOT_PAGE, &largest));
            IO_TRY(txn_meta_get(v->txn, op, META_INCREMENTAL_VACUUM, &incremental));
            u32 mode = !largest ? AUTO_VACUUM_NONE : incremental ? AUTO_VACUUM_INCREMENTAL : AUTO_VACUUM_FULL;
            if (v->auto_vacuum >= 0) mode = (u32)v->auto_vacuum;
            bool other_size = v->target_path && v->target_page_size;
            u32 page_size = other_size ? v->target_page_size : s->page_size;
            struct store_options options = {
                .in_memory = true, .create = true, .page_size = page_size, .auto_vacuum = (u8)mode,
                .cache_bytes = s->options.cache_bytes,
                .temp_dir = s->options.temp_dir};
            IO_TRY(store_open(s->io, ":memory:", &options, op, &v->image));
            // What another extension has reserved stays as much as it is.
            enum codec_kind kind = target_kind(v, s);
            bool same = kind == s->codec.kind;
            v->image->usable_size = page_size - (same ? s->page_size - s->usable_size : codec_reserved(kind));
            // Its temporary file gives away no more than the database does.
            if (same) v->image->codec = s->codec;
            v->image->codec.page_size = page_size;
            v->image_txn = txn_create(v->image);
            if (!v->image_txn) return no_memory(op);
            v->step = VACUUM_BEGIN;
            break;
        }
        case VACUUM_BEGIN:
            IO_TRY(txn_begin_write(v->image_txn, op, 0));
            v->step = VACUUM_META;
            break;
        case VACUUM_META: IO_TRY(meta_copy(v, op)); break;
        case VACUUM_TABLES:
        case VACUUM_INDEXES:
        case VACUUM_OTHERS: IO_TRY(schema_pass(v, op)); break;
        case VACUUM_TREES: return trees_copy(v, op);
        case VACUUM_DONE:
        case VACUUM_TARGET_BEGIN:
        case VACUUM_TARGET_COMMIT:
        case VACUUM_TARGET_CLOSE:
        case VACUUM_TARGET_DONE: return IO_DONE;
        }
    }
}

// ---- what becomes of the image -----------------------------------------------------------------

io_status vacuum_replace(struct vacuum *v, struct op *op)
{
    return txn_replace(v->txn, op, v->image_txn);
}

static io_status target_exists(struct op *op)
{
    err_clear(&op->err);
    return IO_ERROR(&op->err, ERR_ERROR, "output file already exists");
}

io_status vacuum_write_into(struct vacuum *v, struct op *op)
{
    const struct store *s = v->image, *source = txn_store(v->txn);
    for (;;) {
        switch (v->step) {
        case VACUUM_DONE: {
            enum codec_kind kind = target_kind(v, source);
            struct store_options options = {.create = true,
                                            .page_size = s->page_size,
                                            .key = v->target_key,
                                            .key_of = kind == CODEC_SEALED && !v->target_key ? source : NULL,
                                            .checksums = kind == CODEC_CHECKSUM};
            io_status status = store_open(s->io, v->target_path, &options, op, &v->target);
            if (status == IO_FAIL && op->err.code == ERR_NOTADB) return target_exists(op);
            IO_TRY(status);
            if (v->target->file_size || v->target->appended.page_count || v->target->writer)
                return target_exists(op);
            v->target->usable_size = s->usable_size;
            v->target_txn = txn_create(v->target);
            if (!v->target_txn) return no_memory(op);
            v->step = VACUUM_TARGET_BEGIN;
            break;
        }
        case VACUUM_TARGET_BEGIN:
            IO_TRY(txn_begin_write(v->target_txn, op, 0));
            IO_TRY(txn_replace(v->target_txn, op, v->image_txn));
            v->step = VACUUM_TARGET_COMMIT;
            break;
        case VACUUM_TARGET_COMMIT:
            IO_TRY(txn_commit(v->target_txn, op));
            txn_destroy(v->target_txn);
            v->target_txn = NULL;
            v->step = VACUUM_TARGET_CLOSE;
            break;
        case VACUUM_TARGET_CLOSE: {
            io_status status = store_close(v->target, op);
            if (status == IO_WAIT) return status;
            v->target = NULL;
            v->step = VACUUM_TARGET_DONE;
            return status;
        }
        case VACUUM_OPEN:
        case VACUUM_BEGIN:
        case VACUUM_META:
        case VACUUM_TABLES:
        case VACUUM_INDEXES:
        case VACUUM_OTHERS:
        case VACUUM_TREES:
        case VACUUM_TARGET_DONE: return IO_DONE;
        }
    }
}

void vacuum_deinit(struct vacuum *v)
{
    cursors_close(v);
    txn_destroy(v->image_txn);
    txn_destroy(v->target_txn);
    v->image_txn = v->target_txn = NULL;
    store_key_free(&v->target_key);
    free(v->target_path);
    v->target_path = NULL;
    free(v->trees);
    free(v->entry);
    free(v->record);
    v->trees = NULL;
    v->entry = v->record = NULL;
}
