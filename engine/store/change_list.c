// The list of a transaction's row changes.
#include "change.h"
#include "store_private.h"

#define LIST_BYTES_KEPT 65536u // between transactions
#define FIELDS_ON_STACK 16u

static io_status no_memory(struct op *op)
{
    return IO_ERROR(&op->err, ERR_NOMEM, "%s", err_default_text(ERR_NOMEM));
}

// ---- keys --------------------------------------------------------------------------------------------

static u64 mix(u64 h, u64 v)
{
    h = (h ^ v) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 29;
}

enum fold { FOLD_NONE, FOLD_CASE };

static u64 bytes_hash(u64 h, const u8 *bytes, u64 size, enum fold fold)
{
    for (u64 at = 0; at < size;) {
        u64 word = 0;
        for (u32 k = 0; k < 8 && at < size; k++, at++) {
            u8 b = bytes[at];
            if (fold == FOLD_CASE && b >= 'A' && b <= 'Z') b += 'a' - 'A';
            word |= (u64)b << 8 * k;
        }
        h = mix(h, word);
    }
    return mix(h, size);
}

static u64 text_hash(u64 h, const struct value *v, const struct collation *collation)
{
    h = mix(h, VALUE_TEXT);
    if (!collation || collation == &COLLATION_BINARY) return bytes_hash(h, v->bytes, v->size, FOLD_NONE);
    if (collation == &COLLATION_NOCASE) return bytes_hash(h, v->bytes, v->size, FOLD_CASE);
    if (collation == &COLLATION_RTRIM) {
        u32 size = v->size;
        while (size && v->bytes[size - 1] == ' ') size--;
        return bytes_hash(h, v->bytes, size, FOLD_NONE);
    }
    return h; // what an application's collation takes as equal is its own matter: all texts may be
}

// Equal values give equal hashes, integers and reals among each other too.
static u64 value_hash(u64 h, const struct value *v, const struct collation *collation)
{
    switch ((enum value_type)v->type) {
    case VALUE_INTEGER: return mix(mix(h, VALUE_INTEGER), (u64)v->integer);
    case VALUE_REAL: {
        u64 bits;
        if (v->real >= -9.2e18 && v->real <= 9.2e18 && v->real == (double)(s64)v->real)
            return mix(mix(h, VALUE_INTEGER), (u64)(s64)v->real);
        memcpy(&bits, &v->real, sizeof bits);
        return mix(mix(h, VALUE_REAL), bits);
    }
    case VALUE_TEXT: return text_hash(h, v, collation);
    case VALUE_BLOB: {
        // Zeros at the end count by their number alone, so that a tail of zeros hashes as if it were written out.
        u64 whole = v->size + (v->flags & VALUE_ZERO_TAIL ? (u64)v->zero_count : 0);
        u32 size = v->size;
        while (size && v->bytes[size - 1] == 0) size--;
        return mix(bytes_hash(mix(h, VALUE_BLOB), v->bytes, size, FOLD_NONE), whole);
    }
    case VALUE_NULL: break;
    }
    return h;
}

static u64 values_hash(const struct value *values, u32 count, const struct key_info *info, bool *null)
{
    u64 h = count;
    *null = false;
    for (u32 i = 0; i < count; i++) {
        *null |= values[i].type == VALUE_NULL;
        h = value_hash(h, &values[i], info->collations && i < info->all_count ? info->collations[i] : NULL);
    }
    return h;
}

// Hash of the first `count` fields; *null when one of them is NULL.
static err_code change_key_hash(const u8 *record, u64 size, const struct key_info *info, u32 count, u64 *out, bool *null,
                                struct err *err)
{
    struct value on_stack[FIELDS_ON_STACK], *values = on_stack;
    if (count > FIELDS_ON_STACK) values = malloc(count * sizeof *values);
    if (!values) {
        err_set(err, ERR_NOMEM, __func__, "%s", err_default_text(ERR_NOMEM));
        return ERR_NOMEM;
    }
    for (u32 i = 0; i < count; i++) value_init(&values[i]);
    u32 found;
    err_code code = record_decode(record, size, info->encoding, values, count, &found, err);
    if (code == ERR_OK) {
        *out = values_hash(values, found, info, null);
        *null |= found < count;
    }
    for (u32 i = 0; i < count; i++) value_deinit(&values[i]);
    if (values != on_stack) free(values);
    return code;
}

// ---- trees -------------------------------------------------------------------------------------------

static struct key_info *info_copy(const struct key_info *from)
{
    u32 count = from->all_count;
    struct key_info *info = calloc(1, sizeof *info + count * sizeof(struct collation *) + count);
    if (!info) return NULL;
    *info = *from;
    const struct collation **collations = (const struct collation **)(info + 1);
    u8 *orders = (u8 *)(collations + count);
    if (from->collations) memcpy(collations, from->collations, count * sizeof *collations);
    if (from->orders) memcpy(orders, from->orders, count);
    info->collations = collations;
    info->orders = orders;
    return info;
}

// The tree's place in the list; false: out of memory.
static bool tree_find(struct change_list *l, pgno root, const struct key_info *info, u32 *out)
{
    u32 i = l->tree_last;
    if (i >= l->tree_count || l->trees[i].root != root)
        for (i = 0; i < l->tree_count && l->trees[i].root != root;) i++;
    if (i == l->tree_count) {
        if (l->tree_count == l->tree_capacity) {
            u32 capacity = l->tree_capacity ? l->tree_capacity * 2 : 8;
            struct change_tree *trees = realloc(l->trees, capacity * sizeof *trees);
            if (!trees) return false;
            l->trees = trees;
            l->tree_capacity = capacity;
        }
        l->trees[l->tree_count++] = (struct change_tree){.root = root};
    }
    l->tree_last = *out = i;
    if (!l->full || !info || l->trees[i].info) return true; // asked for when it is replayed, or conflicts
    l->trees[i].info = info_copy(info);
    return l->trees[i].info != NULL;
}

// A plain transaction need not say more of the tree than that something in it has changed.
static bool tree_touched(struct change_list *l, u32 tree, const struct key_info *info)
{
    bool keyed = l->full || !info || info->unique_count;
    if (!keyed) l->trees[tree].touched = true;
    return !keyed || l->trees[tree].whole;
}

// ---- the list ----------------------------------------------------------------------------------------

bool change_recording(const struct txn *t)
{
    return UNLIKELY(t->changes.recording) && !t->changes.whole;
}

void change_begin(struct txn *t)
{
    t->changes.pending = 0;
}

void change_keep(struct txn *t)
{
    t->changes.size += t->changes.pending;
    t->changes.pending = 0;
}

void change_replaces(struct txn *t, bool replaces)
{
    if (t->changes.pending) change_at(&t->changes, t->changes.size)->replaces = replaces;
}

void change_whole(struct txn *t)
{
    t->changes.whole = true;
}

void change_list_start(struct txn *t, bool full)
{
    ASSERT(t->changes.size == 0);
    t->changes.recording = true;
    t->changes.full = full;
}

static void trees_reset(struct change_list *l)
{
    for (u32 i = 0; i < l->tree_count; i++) {
        free(l->trees[i].info);
        if (l->trees[i].replay) {
            cursor_deinit(l->trees[i].replay);
            free(l->trees[i].replay);
        }
    }
    l->tree_count = 0;
}

void change_list_reset(struct txn *t)
{
    struct change_list *l = &t->changes;
    trees_reset(l);
    btree_walk_deinit(&l->walk);
    struct change_list fresh = {.trees = l->trees, .tree_capacity = l->tree_capacity};
    if (l->capacity <= LIST_BYTES_KEPT) {
        fresh.bytes = l->bytes;
        fresh.capacity = l->capacity;
    } else {
        free(l->bytes);
    }
    *l = fresh;
}

void change_list_truncate(struct txn *t, u64 size, bool whole)
{
    // Shorter already: the keys were too many to be kept.
    t->changes.size = MIN(t->changes.size, size);
    t->changes.whole = whole;
}

// The keys are too many: their trees are taken as changed everywhere.
static void list_coarsen(struct change_list *l)
{
    for (u64 at = 0; at < l->size; at += change_size(change_at(l, at))) l->trees[change_at(l, at)->tree].whole = true;
    l->size = 0;
}

// Room behind the list for a change with that payload.
static io_status list_reserve(struct txn *t, struct op *op, u64 payload, struct change **out)
{
    struct change_list *l = &t->changes;
    u64 want = l->size + sizeof(struct change) + payload + 8;
    if (l->full && (want > CHANGE_LIST_BYTES_MAX || t->private_count > CHANGE_PAGES_MAX))
        return IO_ERROR(&op->err, ERR_TOOBIG,
                        "a concurrent transaction may change %u MiB of rows in %u pages at most; use BEGIN IMMEDIATE "
                        "for this one",
                        CHANGE_LIST_BYTES_MAX >> 20, CHANGE_PAGES_MAX);
    if (!l->full && l->size >= (u64)CHANGE_KEYS_MAX * sizeof(struct change)) {
        list_coarsen(l);
        want = sizeof(struct change) + payload + 8;
    }
    if (want > l->capacity) {
        u64 capacity = MAX(want, MAX(l->capacity * 2, 1024));
        u8 *bytes = realloc(l->bytes, capacity);
        if (!bytes) return no_memory(op);
        l->bytes = bytes;
        l->capacity = capacity;
    }
    *out = change_at(l, l->size);
    **out = (struct change){.size = payload};
    return IO_DONE;
}

io_status change_insert_gather(struct cursor *c, struct op *op, const struct btree_entry *e, u32 flags)
{
    struct txn *t = c->txn;
    struct change_list *l = &t->changes;
    const struct key_info *info = c->key_info;
    u32 unique = info ? info->unique_count : 0, tree;
    u64 payload = l->full ? e->size + e->zero_tail : 0;
    struct change *change;
    if (!tree_find(l, c->root, info, &tree)) return no_memory(op);
    if (tree_touched(l, tree, info)) return IO_DONE;
    IO_TRY(list_reserve(t, op, payload, &change));
    change->tree = tree;
    change->kind = flags & CURSOR_SEQUENCE ? CHANGE_SEQUENCE : CHANGE_INSERT;
    change->keyed = !info || unique;
    change->key = (u64)e->rowid;
    if (unique) {
        bool null;
        if (change_key_hash(e->data, e->size, info, unique, &change->key, &null, &op->err) != ERR_OK) return IO_FAIL;
        change->keyed = !null;
    }
    if (payload) {
        u8 *out = (u8 *)(change + 1);
        if (e->size) memcpy(out, e->data, e->size);
        memset(out + e->size, 0, e->zero_tail);
    }
    l->pending = change_size(change);
    return IO_DONE;
}

// The whole key of the cursor's entry.
static io_status entry_key(struct cursor *c, struct op *op, const u8 **out)
{
    IO_TRY(cursor_entry(c, op));
    *out = c->local;
    if (c->local_size == c->payload_size) return IO_DONE;
    if (!c->saved_key || c->saved_size != c->payload_size) {
        u8 *grown = realloc(c->saved_key, c->payload_size + 1);
        if (!grown) return no_memory(op);
        c->saved_key = grown;
        c->saved_size = c->payload_size;
    }
    IO_TRY(cursor_read(c, op, 0, c->payload_size, c->saved_key));
    *out = c->saved_key;
    return IO_DONE;
}

io_status change_delete_gather(struct cursor *c, struct op *op)
{
    struct txn *t = c->txn;
    struct change_list *l = &t->changes;
    const struct key_info *info = c->key_info;
    u32 unique = info ? info->unique_count : 0, tree;
    const u8 *key = NULL;
    if (!tree_find(l, c->root, info, &tree)) return no_memory(op);
    if (tree_touched(l, tree, info)) return IO_DONE;
    if (info)
        IO_TRY(entry_key(c, op, &key));
    else
        IO_TRY(cursor_entry(c, op));
    struct change *change;
    IO_TRY(list_reserve(t, op, l->full && info ? c->payload_size : 0, &change));
    change->tree = tree;
    change->kind = CHANGE_DELETE;
    change->keyed = !info || unique;
    change->key = (u64)c->rowid;
    if (unique) {
        bool null;
        if (change_key_hash(key, c->payload_size, info, unique, &change->key, &null, &op->err) != ERR_OK)
            return IO_FAIL;
        change->keyed = !null;
    }
    if (change->size) memcpy(change + 1, key, change->size);
    l->pending = change_size(change);
    return IO_DONE;
}

io_status change_clear_gather(struct txn *t, struct op *op, pgno root)
{
    struct change_list *l = &t->changes;
    u32 tree;
    struct change *change;
    if (!tree_find(l, root, NULL, &tree)) return no_memory(op);
    IO_TRY(list_reserve(t, op, 0, &change));
    change->tree = tree;
    change->kind = CHANGE_CLEAR;
    l->pending = change_size(change);
    return IO_DONE;
}

io_status txn_key_refer(struct txn *t, struct op *op, pgno root, s64 rowid, const struct search_key *key)
{
    struct change_list *l = &t->changes;
    if (!change_recording(t) || (key && !key->info->unique_count)) return IO_DONE;
    u32 tree;
    struct change *change;
    u64 size = l->full && key ? record_size(key->values, key->count, key->info->encoding, NULL) : 0;
    if (!tree_find(l, root, key ? key->info : NULL, &tree)) return no_memory(op);
    if (l->trees[tree].whole) return IO_DONE;
    change_begin(t);
    IO_TRY(list_reserve(t, op, size, &change));
    bool null = false;
    change->tree = tree;
    change->kind = CHANGE_READ;
    change->keyed = true;
    change->key = key ? values_hash(key->values, key->count, key->info, &null) : (u64)rowid;
    if (null) return IO_DONE;
    if (size && record_encode(key->values, key->count, key->info->encoding, (u8 *)(change + 1), size) != ERR_OK)
        return no_memory(op);
    l->pending = change_size(change);
    change_keep(t);
    return IO_DONE;
}
