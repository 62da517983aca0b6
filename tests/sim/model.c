#include "model.h"

void model_deinit(struct model *m)
{
    for (u32 i = 0; i < m->count; i++) free(m->txns[i].changes);
    free(m->txns);
    m->txns = NULL;
    m->count = m->capacity = 0;
}

struct model_txn *model_txn(struct model *m, u32 number)
{
    ASSERT(number >= m->first && number - m->first < m->count);
    return &m->txns[number - m->first];
}

u32 model_txn_begin(struct model *m, bool concurrent)
{
    if (m->count == m->capacity) {
        m->capacity = MAX(m->capacity * 2, 64);
        m->txns = realloc(m->txns, m->capacity * sizeof *m->txns);
        if (!m->txns) abort();
    }
    m->txns[m->count] = (struct model_txn){.concurrent = concurrent};
    return m->first + m->count++;
}

void model_slot_had(struct model *m, u32 number)
{
    struct model_txn *t = model_txn(m, number);
    if (!t->concurrent) t->slot = ++m->slots;
}

void model_change_add(struct model *m, u32 number, u32 key, u32 seen, u32 value)
{
    struct model_txn *t = model_txn(m, number);
    if (t->change_count == t->change_capacity) {
        t->change_capacity = MAX(t->change_capacity * 2, 8);
        t->changes = realloc(t->changes, t->change_capacity * sizeof *t->changes);
        if (!t->changes) abort();
    }
    t->changes[t->change_count++] = (struct model_change){.key = key, .seen = seen, .value = value};
}

u32 model_body(u32 value, u8 *out)
{
    u64 state = value;
    u64 kind = test_random(&state);
    u32 size = (u32)(kind % 16 == 0 ? test_random(&state) % MODEL_BODY_MAX : test_random(&state) % 300);
    for (u32 i = 0; i < size; i++) out[i] = (u8)(value * 31 + i * 7 + (i >> 8));
    return size;
}

// ---- views

void model_view_begin(const struct model *m, struct model_view *v)
{
    *v = (struct model_view){.must_count = m->count};
    v->must = calloc(m->count + 1, 1);
    if (!v->must) abort();
    for (u32 i = 0; i < m->count; i++) v->must[i] = m->txns[i].state == MODEL_ACKNOWLEDGED;
}

void model_view_deinit(struct model_view *v)
{
    free(v->there);
    free(v->must);
    v->there = v->must = NULL;
}

void model_view_log(const struct model *m, struct model_view *v, s64 txn)
{
    if (txn < m->first) {
        v->log_before++;
        return;
    }
    if (txn - m->first >= m->count) {
        test_fail(__FILE__, __LINE__, "log has transaction %lld, which never was", (long long)txn);
        v->wrong = true;
        return;
    }
    if (v->there_count < m->count) { // more may have begun since
        v->there = realloc(v->there, m->count);
        if (!v->there) abort();
        memset(v->there + v->there_count, 0, m->count - v->there_count);
        v->there_count = m->count;
    }
    v->there[txn - m->first] = 1;
}

void model_seen(struct model *m, s64 txn)
{
    if (txn >= m->first && txn - m->first < m->count) model_txn(m, (u32)txn)->seen = true;
}

void model_view_row(const struct model *m, struct model_view *v, s64 key, s64 txn, s64 value, const void *body,
                    size_t size)
{
    u8 expected[MODEL_BODY_MAX];
    if (key < 0 || key >= MODEL_KEYS || txn <= 0 || value <= 0 || value > m->value_last || v->value[key]) {
        test_fail(__FILE__, __LINE__, "a row of key %lld, transaction %lld, value %lld", (long long)key,
                  (long long)txn, (long long)value);
        v->wrong = true;
        return;
    }
    if (model_body((u32)value, expected) != size || (size > 0 && memcmp(expected, body, size) != 0)) {
        test_fail(__FILE__, __LINE__, "the body of key %lld, value %lld, is not what was written", (long long)key,
                  (long long)value);
        v->wrong = true;
    }
    v->txn[key] = (u32)txn;
    v->value[key] = (u32)value;
    v->rows++;
}

// ---- the check

static bool there(const struct model_view *v, u32 i)
{
    return i < v->there_count && v->there[i];
}

static bool log_check(struct model *m, const struct model_view *v, const char *who)
{
    bool sound = true;
    u64 last_slot = 0;
    for (u32 i = 0; i < m->count; i++) {
        const struct model_txn *t = &m->txns[i];
        const char *wrong = NULL;
        if (there(v, i) && (t->state == MODEL_ACTIVE || t->state == MODEL_ABORTED)) wrong = "is there, uncommitted";
        if (!there(v, i) && i < v->must_count && v->must[i]) wrong = "was acknowledged and is not there";
        if (t->seen && t->state == MODEL_FAILED) wrong = "was seen by a reader, and then failed";
        if (!there(v, i) && i < v->must_count && t->seen && v->all) wrong = "was seen by a reader and is not there";
        if (wrong) {
            test_fail(__FILE__, __LINE__, "%s: transaction %u %s", who, m->first + i, wrong);
            sound = false;
        }
        if (there(v, i)) last_slot = MAX(last_slot, t->slot);
    }
    for (u32 i = 0; i < m->count; i++) {
        const struct model_txn *t = &m->txns[i];
        bool in_line = t->state == MODEL_COMMITTING || t->state == MODEL_ACKNOWLEDGED;
        if (there(v, i) || t->slot == 0 || !in_line || t->slot > last_slot) continue;
        test_fail(__FILE__, __LINE__, "%s: transaction %u is not there, but one that followed it is", who,
                  m->first + i);
        sound = false;
    }
    if (v->log_before != m->base_log) {
        test_fail(__FILE__, __LINE__, "%s: %u transactions of earlier lives, which had %u", who, v->log_before,
                  m->base_log);
        sound = false;
    }
    return sound;
}

// One writer of a key: what its transaction saw first and left last.
struct writer {
    u32 txn, seen, value;
    bool followed;
};

static u32 writers_gather(const struct model *m, const struct model_view *v, u32 key, struct writer *out)
{
    u32 count = 0;
    if (m->base_value[key])
        out[count++] = (struct writer){.txn = m->base_txn[key], .value = m->base_value[key]};
    for (u32 i = 0; i < m->count; i++) {
        if (!there(v, i)) continue;
        const struct model_txn *t = &m->txns[i];
        struct writer *w = NULL;
        for (u32 k = 0; k < t->change_count; k++) {
            const struct model_change *change = &t->changes[k];
            if (change->key != key) continue;
            if (!w) {
                w = &out[count++];
                *w = (struct writer){.txn = m->first + i, .seen = change->seen};
            }
            w->value = change->value;
        }
    }
    return count;
}

static bool key_check(const struct model *m, const struct model_view *v, u32 key, struct writer *writers,
                      const char *who)
{
    u32 count = writers_gather(m, v, key, writers);
    for (u32 i = 0; i < count; i++) {
        u32 seen = writers[i].seen;
        if (seen == 0) continue;
        struct writer *before = NULL;
        for (u32 k = 0; k < count; k++)
            if (writers[k].txn == seen) before = &writers[k];
        if (!before || before->followed) {
            test_fail(__FILE__, __LINE__, "%s: key %u: transaction %u wrote over %u, %s", who, key, writers[i].txn, seen,
                      before ? "as another did: an update is lost" : "which is not there");
            return false;
        }
        before->followed = true;
    }
    u32 txn = 0, value = 0;
    for (u32 i = 0; i < count; i++) {
        if (writers[i].followed || !writers[i].value) continue;
        if (value) {
            test_fail(__FILE__, __LINE__, "%s: key %u: transactions %u and %u both wrote last", who, key, txn,
                      writers[i].txn);
            return false;
        }
        txn = writers[i].txn;
        value = writers[i].value;
    }
    if (v->txn[key] == txn && v->value[key] == value) return true;
    test_fail(__FILE__, __LINE__, "%s: key %u has value %u of transaction %u, not value %u of %u", who, key,
              v->value[key], v->txn[key], value, txn);
    return false;
}

bool model_view_check(struct model *m, const struct model_view *v, const char *who)
{
    if (v->wrong || !log_check(m, v, who)) return false;
    struct writer *writers = calloc(m->count + 2, sizeof *writers);
    if (!writers) abort();
    bool sound = true;
    for (u32 key = 0; key < MODEL_KEYS && sound; key++) sound = key_check(m, v, key, writers, who);
    free(writers);
    return sound;
}

void model_rebase(struct model *m, const struct model_view *v)
{
    for (u32 i = 0; i < m->count; i++) m->base_log += there(v, i);
    memcpy(m->base_txn, v->txn, sizeof m->base_txn);
    memcpy(m->base_value, v->value, sizeof m->base_value);
    m->first += m->count;
    for (u32 i = 0; i < m->count; i++) free(m->txns[i].changes);
    m->count = 0;
    m->slots = 0;
}
