// Which keys the commits of late have changed, and whether a transaction conflicts with them.
#include "change.h"
#include "store_private.h"

#define SLOTS_MIN 1024u

static u32 slot_start(const struct change_index *x, pgno root, u8 scope, u64 key)
{
    u64 h = (key ^ (u64)root << 32 ^ scope) * 0x9e3779b97f4a7c15u;
    return (u32)(h >> 32) & x->mask;
}

static struct change_key *slot_find(const struct change_index *x, pgno root, u8 scope, u64 key)
{
    u32 i = slot_start(x, root, scope, key);
    for (;; i = (i + 1) & x->mask) {
        struct change_key *k = &x->slots[i];
        if (!k->root || (k->root == root && k->scope == scope && k->key == key)) return k;
    }
}

static struct change_key *key_find(const struct change_index *x, pgno root, u8 scope, u64 key)
{
    if (!x->slots) return NULL;
    struct change_key *k = slot_find(x, root, scope, key);
    return k->root ? k : NULL;
}

// Commits up to there are in every snapshot of a concurrent transaction, now or later.
static u64 index_horizon(const struct store *s)
{
    u64 horizon = s->durable.lsn;
    for (const struct txn *t = s->concurrent_first; t; t = t->concurrent_next) horizon = MIN(horizon, t->snapshot.lsn);
    return horizon;
}

static u64 key_lsn(const struct change_key *k)
{
    return MAX(k->write_lsn, k->read_lsn);
}

// Up to CHANGE_KEYS_MAX + 1.
static u32 list_count(const struct change_list *l)
{
    u32 count = 0;
    for (u64 at = 0; at < l->size && count <= CHANGE_KEYS_MAX; at += change_size(change_at(l, at))) count++;
    return count;
}

// Slots for so many keys, at most half of them taken.
static u64 slots_for(u64 keys)
{
    u64 slots = SLOTS_MIN;
    while (slots < keys * 2) slots *= 2;
    return slots;
}

bool change_index_reserve(struct store *s, const struct txn *t)
{
    struct change_index *x = &s->change_index;
    if (!t->changes.recording || t->changes.whole) return true;
    u32 count = list_count(&t->changes);
    u64 more = 2ull * t->changes.tree_count + (count > CHANGE_KEYS_MAX ? 0 : count);
    u64 slots = x->slots ? x->mask + 1ull : 0;
    if (slots_for(x->count + more) <= slots) return true;
    // Those that nobody asks for any more go.
    u64 horizon = index_horizon(s), kept = 0;
    for (u64 i = 0; i < slots; i++) kept += x->slots[i].root && key_lsn(&x->slots[i]) > horizon;
    if (kept + more > CHANGE_INDEX_MAX) {
        s->changes_known_from = s->appended.lsn;
        horizon = UINT64_MAX;
        kept = 0;
    }
    // Not at once again.
    u64 grown = slots_for(kept + more + kept / 2);
    struct change_key *fresh = calloc(grown, sizeof *fresh);
    if (!fresh) return false;
    struct change_key *old = x->slots;
    x->slots = fresh;
    x->mask = (u32)(grown - 1);
    x->count = 0;
    for (u64 i = 0; i < slots; i++) {
        if (!old[i].root || key_lsn(&old[i]) <= horizon) continue;
        *slot_find(x, old[i].root, old[i].scope, old[i].key) = old[i];
        x->count++;
    }
    free(old);
    return true;
}

static struct change_key *key_take(struct change_index *x, pgno root, u8 scope, u64 key)
{
    struct change_key *k = slot_find(x, root, scope, key);
    if (k->root) return k;
    *k = (struct change_key){.root = root, .scope = scope, .key = key};
    x->count++;
    return k;
}

static void change_publish_one(struct change_index *x, pgno root, const struct change *c, u64 lsn)
{
    if (c->kind == CHANGE_CLEAR) {
        key_take(x, root, SCOPE_TREE, 0)->write_lsn = lsn;
        return;
    }
    if (!c->keyed) return;
    struct change_key *k = key_take(x, root, SCOPE_KEY, c->key);
    if (c->kind == CHANGE_READ) {
        k->read_lsn = lsn;
        return;
    }
    k->write_lsn = lsn;
    k->gone = c->kind == CHANGE_DELETE;
}

void change_publish(struct txn *t, u64 lsn)
{
    struct store *s = t->store;
    struct change_index *x = &s->change_index;
    const struct change_list *l = &t->changes;
    if (l->whole) s->schema_lsn = lsn;
    if (!l->recording) {
        s->changes_known_from = lsn;
        if (!s->concurrent_first) change_index_free(s);
    }
    if (!l->recording || l->whole) return;
    bool many = list_count(l) > CHANGE_KEYS_MAX;
    for (u32 i = 0; i < l->tree_count; i++) {
        const struct change_tree *tree = &l->trees[i];
        bool whole = many || tree->whole;
        if (whole) key_take(x, tree->root, SCOPE_TREE, 0)->write_lsn = lsn;
        if (whole || tree->touched) key_take(x, tree->root, SCOPE_ANY, 0)->write_lsn = lsn;
    }
    if (many) return;
    u32 last = UINT32_MAX;
    for (u64 at = 0; at < l->size; at += change_size(change_at(l, at))) {
        const struct change *c = change_at(l, at);
        pgno root = l->trees[c->tree].root;
        if (c->tree != last) key_take(x, root, SCOPE_ANY, 0)->write_lsn = lsn;
        last = c->tree;
        change_publish_one(x, root, c, lsn);
    }
}

// What was known of a key before such a commit is lost: it is taken as changed, and removed, by the newest that stays.
void change_index_undo(struct store *s)
{
    struct change_index *x = &s->change_index;
    u64 durable = s->durable.lsn;
    for (u64 i = 0; x->slots && i <= x->mask; i++) {
        struct change_key *k = &x->slots[i];
        if (!k->root || key_lsn(k) <= durable) continue;
        if (k->write_lsn > durable) k->gone = true;
        k->write_lsn = MIN(k->write_lsn, durable);
        k->read_lsn = MIN(k->read_lsn, durable);
    }
    s->changes_known_from = MIN(s->changes_known_from, durable);
    s->schema_lsn = MIN(s->schema_lsn, durable);
}

void change_index_free(struct store *s)
{
    free(s->change_index.slots);
    free(s->rowid_counters.slots);
    s->change_index = (struct change_index){0};
    s->rowid_counters = (struct rowid_counters){0};
}

// ---- conflicts ---------------------------------------------------------------------------------------

static bool conflict_set(struct txn *t, enum txn_conflict_kind kind, const struct change *c)
{
    t->conflict = (struct txn_conflict){.kind = kind};
    if (c) {
        t->conflict.root = t->changes.trees[c->tree].root;
        t->conflict.rowid = (s64)c->key;
        t->conflict.key = c->size ? change_payload(c) : NULL;
        t->conflict.key_size = c->size;
        t->conflict.table = t->changes.trees[c->tree].info == NULL;
        t->conflict.info = t->changes.trees[c->tree].info;
    }
    return false;
}

// Whether the key that the change at `at` takes away is put back later.
static bool comes_back(const struct change_list *l, u64 at)
{
    const struct change *c = change_at(l, at);
    bool there = false;
    for (; at < l->size; at += change_size(change_at(l, at))) {
        const struct change *later = change_at(l, at);
        if (later->tree != c->tree || !later->keyed || later->key != c->key || later->kind == CHANGE_READ) continue;
        there = later->kind != CHANGE_DELETE;
    }
    return there;
}

static bool change_allowed(struct txn *t, u64 at)
{
    const struct change_index *x = &t->store->change_index;
    const struct change_list *l = &t->changes;
    const struct change *c = change_at(l, at);
    pgno root = l->trees[c->tree].root;
    u64 snapshot = t->snapshot.lsn;
    const struct change_key *tree = key_find(x, root, SCOPE_TREE, 0);
    if (c->kind == CHANGE_CLEAR) {
        const struct change_key *any = key_find(x, root, SCOPE_ANY, 0);
        return !any || any->write_lsn <= snapshot || conflict_set(t, TXN_CONFLICT_TREE, c);
    }
    if (tree && tree->write_lsn > snapshot) return conflict_set(t, TXN_CONFLICT_TREE, c);
    if (!c->keyed || c->kind == CHANGE_SEQUENCE) return true;
    const struct change_key *k = key_find(x, root, SCOPE_KEY, c->key);
    if (!k) return true;
    if (c->kind == CHANGE_READ)
        return !(k->write_lsn > snapshot && k->gone) || conflict_set(t, TXN_CONFLICT_REFERRED_GONE, c);
    if (k->write_lsn > snapshot) return conflict_set(t, TXN_CONFLICT_KEY, c);
    if (c->kind == CHANGE_DELETE && k->read_lsn > snapshot && !comes_back(l, at))
        return conflict_set(t, TXN_CONFLICT_REFERRED, c);
    return true;
}

bool change_check(struct txn *t)
{
    const struct store *s = t->store;
    const struct change_list *l = &t->changes;
    ASSERT(l->full);
    if (s->appended.lsn == t->snapshot.lsn) return true;
    if (l->whole) return conflict_set(t, TXN_CONFLICT_SCHEMA_OWN, NULL);
    if (s->schema_lsn > t->snapshot.lsn) return conflict_set(t, TXN_CONFLICT_SCHEMA, NULL);
    if (s->changes_known_from > t->snapshot.lsn) return conflict_set(t, TXN_CONFLICT_UNKNOWN, NULL);
    for (u64 at = 0; at < l->size; at += change_size(change_at(l, at)))
        if (!change_allowed(t, at)) return false;
    return true;
}

// ---- automatic rowids --------------------------------------------------------------------------------

static struct rowid_counter *counter_find(const struct rowid_counters *r, pgno root)
{
    u32 i = (root * 0x9e3779b1u >> 7) & r->mask;
    while (r->slots[i].root && r->slots[i].root != root) i = (i + 1) & r->mask;
    return &r->slots[i];
}

// NULL: out of memory.
static struct rowid_counter *counter_take(struct rowid_counters *r, pgno root)
{
    if (!r->slots || (r->count + 1) * 2 > r->mask + 1) {
        u32 slots = r->slots ? (r->mask + 1) * 2 : 64;
        struct rowid_counters grown = {.slots = calloc(slots, sizeof *grown.slots), .mask = slots - 1};
        if (!grown.slots) return NULL;
        for (u32 i = 0; r->slots && i <= r->mask; i++) {
            if (!r->slots[i].root) continue;
            *counter_find(&grown, r->slots[i].root) = r->slots[i];
            grown.count++;
        }
        free(r->slots);
        *r = grown;
    }
    struct rowid_counter *c = counter_find(r, root);
    if (!c->root) {
        *c = (struct rowid_counter){.root = root};
        r->count++;
    }
    return c;
}

s64 txn_rowid_last(struct txn *t, pgno root, s64 last)
{
    struct store *s = t->store;
    if (last == INT64_MAX || !t->changes.recording) return last;
    struct rowid_counter *c = counter_take(&s->rowid_counters, root);
    if (!c) return last; // may meet another's at commit
    // Nobody inserts that this transaction does not see: what the counter remembers is of no matter.
    bool alone = !s->concurrent_first;
    if (!alone && c->last > last) last = c->last;
    if (last < INT64_MAX) c->last = last + 1;
    return last;
}
