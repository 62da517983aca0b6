// What concurrent transactions should see and do: states of a small database by the commits that made them, what each
// transaction has written, and when two conflict. Nothing in here knows how the engine does it.
//
//   p(id INTEGER PRIMARY KEY, v, k UNIQUE)                 ids and keys from small ranges: they meet often
//   c(id INTEGER PRIMARY KEY, p REFERENCES p, v), cp(p)
//   w(a PRIMARY KEY, v) WITHOUT ROWID
//   a(id INTEGER PRIMARY KEY, n), s(id ... AUTOINCREMENT, n): automatic rowids; known by their counts and sums
// Rows of p, c and w are padded, and pages small, so that trees have several.
#pragma once

#include "../test.h"

#define P_IDS  8
#define P_KEYS 10
#define C_IDS  10
#define W_KEYS 8
#define TEXT_SIZE 1000

struct state {
    struct {
        bool there;
        s64 v, k; // k 0: NULL
    } p[P_IDS + 1];
    struct {
        bool there;
        s64 p, v;
    } c[C_IDS + 1];
    struct {
        bool there;
        s64 v;
    } w[W_KEYS + 1];
    s64 a_count, a_sum, s_count, s_sum; // of n
    s64 user_version;
};

// What a transaction has written, or made sure of.
struct writes {
    bool p[P_IDS + 1], k[P_KEYS + 1], c[C_IDS + 1], w[W_KEYS + 1];
    bool refers[P_IDS + 1];
    bool w_any, w_cleared, header;
    s64 a_count, a_sum, s_count, s_sum;
};

static bool any_of(const bool *flags, size_t count)
{
    bool any = false;
    for (size_t i = 0; i < count; i++) any |= flags[i];
    return any;
}

// Rows were changed. (Emptying w changes nothing when it was empty.)
static bool writes_rows(const struct writes *w)
{
    return any_of(w->p, COUNT_OF(w->p)) || any_of(w->c, COUNT_OF(w->c)) || any_of(w->w, COUNT_OF(w->w)) || w->header ||
           w->a_count || w->s_count;
}

// A transaction's view: its snapshot with its own changes.
struct view {
    struct state state;
    struct writes writes;
};

struct version {
    u64 lsn;
    struct state state;
    struct writes writes; // of the commit that made it
    bool acknowledged;
};
struct history {
    struct version *versions;
    u32 count, capacity;
};

static struct version *history_last(const struct history *h)
{
    return &h->versions[h->count - 1];
}

static struct version *history_add(struct history *h, u64 lsn, const struct state *s, const struct writes *w)
{
    if (h->count == h->capacity) {
        h->capacity = h->capacity ? h->capacity * 2 : 64;
        h->versions = realloc(h->versions, h->capacity * sizeof *h->versions);
        if (!h->versions) abort();
    }
    h->versions[h->count] = (struct version){.lsn = lsn, .state = *s, .writes = *w};
    return &h->versions[h->count++];
}

// What a snapshot at lsn sees.
static const struct version *history_at(const struct history *h, u64 lsn)
{
    u32 i = h->count;
    while (i > 1 && h->versions[i - 1].lsn > lsn) i--;
    return &h->versions[i - 1];
}

// What of `mine` meets what was committed after the snapshot at lsn; NULL: nothing.
static const char *history_conflict(const struct history *h, u64 lsn, const struct view *mine)
{
    const struct state *now = &history_last(h)->state;
    const struct writes *m = &mine->writes;
    for (u32 i = 0; i < h->count; i++) {
        const struct writes *o = &h->versions[i].writes;
        if (h->versions[i].lsn <= lsn) continue;
        if (m->header || o->header) return "header";
        for (u32 k = 1; k <= P_IDS; k++) {
            if (m->p[k] && o->p[k]) return "row of p";
            if (m->refers[k] && o->p[k] && !now->p[k].there) return "parent gone";
            if (m->p[k] && !mine->state.p[k].there && o->refers[k]) return "parent referred to";
        }
        for (u32 k = 1; k <= P_KEYS; k++)
            if (m->k[k] && o->k[k]) return "key of p";
        for (u32 k = 1; k <= C_IDS; k++)
            if (m->c[k] && o->c[k]) return "row of c";
        for (u32 k = 1; k <= W_KEYS; k++)
            if (m->w[k] && o->w[k]) return "row of w";
        if ((m->w_cleared && o->w_any) || (m->w_any && o->w_cleared)) return "w as a whole";
    }
    return NULL;
}

// The newest state with the transaction's changes.
static struct state history_merge(const struct history *h, const struct view *mine)
{
    struct state s = history_last(h)->state;
    const struct writes *m = &mine->writes;
    for (u32 k = 1; k <= P_IDS; k++)
        if (m->p[k]) s.p[k] = mine->state.p[k];
    for (u32 k = 1; k <= C_IDS; k++)
        if (m->c[k]) s.c[k] = mine->state.c[k];
    for (u32 k = 1; k <= W_KEYS; k++)
        if (m->w[k] || m->w_cleared) s.w[k] = mine->state.w[k];
    if (m->header) s.user_version = mine->state.user_version;
    s.a_count += m->a_count;
    s.a_sum += m->a_sum;
    s.s_count += m->s_count;
    s.s_sum += m->s_sum;
    return s;
}

// ---- operations ------------------------------------------------------------------------------------------------

enum operation_kind {
    READ_P, READ_K, READ_C, READ_W, READ_COUNTS,
    INSERT_P, UPDATE_P, UPDATE_K, DELETE_P,
    INSERT_C, UPDATE_C, MOVE_C, DELETE_C,
    PUT_W, UPDATE_W, DELETE_W, CLEAR_W,
    INSERT_A, INSERT_S, SET_HEADER,
    OPERATION_COUNT,
};
struct operation {
    enum operation_kind kind;
    s64 id, v, k;
};

static bool operation_reads(const struct operation *o) { return o->kind <= READ_COUNTS; }

static struct operation operation_random(u64 *seed)
{
    struct operation o = {.kind = (enum operation_kind)(test_random(seed) % OPERATION_COUNT)};
    // What conflicts with everything is to be rare.
    if (o.kind == SET_HEADER && test_random(seed) % 8) o.kind = READ_K;
    if (o.kind == CLEAR_W && test_random(seed) % 3) o.kind = PUT_W;
    u32 ids = o.kind >= PUT_W ? W_KEYS : o.kind >= INSERT_C ? C_IDS : P_IDS;
    o.id = (s64)(test_random(seed) % ids) + 1;
    o.v = (s64)(test_random(seed) % 90) + 10;
    o.k = (s64)(test_random(seed) % (P_KEYS + 1));
    if (o.kind == INSERT_C || o.kind == MOVE_C) o.k = (s64)(test_random(seed) % P_IDS) + 1;
    return o;
}

static void operation_sql(const struct operation *o, char *out, size_t size)
{
    long long id = o->id, v = o->v, k = o->k;
    char key[8] = "NULL";
    if (k) snprintf(key, sizeof key, "%lld", k);
    switch (o->kind) {
    case READ_P: snprintf(out, size, "SELECT id || ':' || v || ':' || ifnull(k, 0) FROM p ORDER BY id"); break;
    case READ_K: snprintf(out, size, "SELECT k || ':' || id FROM p WHERE k > 0 ORDER BY k"); break;
    case READ_C: snprintf(out, size, "SELECT id || ':' || p || ':' || v FROM c ORDER BY p, id"); break;
    case READ_W: snprintf(out, size, "SELECT a || ':' || v FROM w ORDER BY a"); break;
    case READ_COUNTS:
        snprintf(out, size, "SELECT count(*) || ':' || ifnull(sum(n), 0) FROM a UNION ALL SELECT count(*) || ':' || ifnull(sum(n), 0) FROM s");
        break;
    case INSERT_P: snprintf(out, size, "INSERT INTO p(id, v, k) VALUES (%lld, %lld, %s)", id, v, key); break;
    case UPDATE_P: snprintf(out, size, "UPDATE p SET v = v + %lld WHERE id = %lld", v, id); break;
    case UPDATE_K: snprintf(out, size, "UPDATE p SET k = %s WHERE id = %lld", key, id); break;
    case DELETE_P: snprintf(out, size, "DELETE FROM p WHERE id = %lld", id); break;
    case INSERT_C: snprintf(out, size, "INSERT INTO c(id, p, v) VALUES (%lld, %lld, %lld)", id, k, v); break;
    case UPDATE_C: snprintf(out, size, "UPDATE c SET v = v + %lld WHERE id = %lld", v, id); break;
    case MOVE_C: snprintf(out, size, "UPDATE c SET p = %lld WHERE id = %lld", k, id); break;
    case DELETE_C: snprintf(out, size, "DELETE FROM c WHERE id = %lld", id); break;
    case PUT_W: snprintf(out, size, "REPLACE INTO w(a, v) VALUES (%lld, %lld)", id, v); break;
    case UPDATE_W: snprintf(out, size, "UPDATE w SET v = v + %lld WHERE a = %lld", v, id); break;
    case DELETE_W: snprintf(out, size, "DELETE FROM w WHERE a = %lld", id); break;
    case CLEAR_W: snprintf(out, size, "DELETE FROM w"); break;
    case INSERT_A: snprintf(out, size, "INSERT INTO a(n) VALUES (%lld), (%lld)", v, id); break;
    case INSERT_S: snprintf(out, size, "INSERT INTO s(n) VALUES (%lld)", v); break;
    case SET_HEADER: snprintf(out, size, "PRAGMA user_version = %lld", v); break;
    case OPERATION_COUNT: break;
    }
}

static void line_add(char *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void line_add(char *out, const char *format, ...)
{
    size_t at = strlen(out);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out + at, TEXT_SIZE - at, format, arguments);
    va_end(arguments);
}

static void state_read(const struct state *s, enum operation_kind kind, char *out)
{
    out[0] = 0;
    if (kind == READ_P)
        for (s64 i = 1; i <= P_IDS; i++)
            if (s->p[i].there) line_add(out, "%lld:%lld:%lld ", (long long)i, (long long)s->p[i].v, (long long)s->p[i].k);
    if (kind == READ_K)
        for (s64 k = 1; k <= P_KEYS; k++)
            for (s64 i = 1; i <= P_IDS; i++)
                if (s->p[i].there && s->p[i].k == k) line_add(out, "%lld:%lld ", (long long)k, (long long)i);
    if (kind == READ_C)
        for (s64 p = 1; p <= P_IDS; p++)
            for (s64 i = 1; i <= C_IDS; i++)
                if (s->c[i].there && s->c[i].p == p)
                    line_add(out, "%lld:%lld:%lld ", (long long)i, (long long)p, (long long)s->c[i].v);
    if (kind == READ_W)
        for (s64 i = 1; i <= W_KEYS; i++)
            if (s->w[i].there) line_add(out, "%lld:%lld ", (long long)i, (long long)s->w[i].v);
    if (kind == READ_COUNTS)
        line_add(out, "%lld:%lld %lld:%lld ", (long long)s->a_count, (long long)s->a_sum, (long long)s->s_count,
                 (long long)s->s_sum);
}

static bool key_taken(const struct state *s, s64 k, s64 except)
{
    for (s64 i = 1; i <= P_IDS; i++)
        if (k && i != except && s->p[i].there && s->p[i].k == k) return true;
    return false;
}

static bool has_children(const struct state *s, s64 p)
{
    for (s64 i = 1; i <= C_IDS; i++)
        if (s->c[i].there && s->c[i].p == p) return true;
    return false;
}

#define ERROR_UNIQUE      2067
#define ERROR_PRIMARY_KEY 1555
#define ERROR_FOREIGN_KEY 787

// Carries the operation out. *out: the rows it gives. The result code.
static int view_apply(struct view *view, const struct operation *o, char *out)
{
    struct state *s = &view->state;
    struct writes *w = &view->writes;
    s64 id = o->id;
    out[0] = 0;
    switch (o->kind) {
    case READ_P: case READ_K: case READ_C: case READ_W: case READ_COUNTS: state_read(s, o->kind, out); break;
    case INSERT_P:
        if (s->p[id].there) return ERROR_PRIMARY_KEY;
        if (key_taken(s, o->k, id)) return ERROR_UNIQUE;
        s->p[id].there = w->p[id] = true;
        s->p[id].v = o->v;
        s->p[id].k = o->k;
        w->k[o->k] = true;
        break;
    case UPDATE_P:
        if (!s->p[id].there) break;
        s->p[id].v += o->v;
        w->p[id] = true;
        break;
    case UPDATE_K:
        if (!s->p[id].there) break;
        if (key_taken(s, o->k, id)) return ERROR_UNIQUE;
        w->p[id] = w->k[o->k] = w->k[s->p[id].k] = true;
        s->p[id].k = o->k;
        break;
    case DELETE_P:
        if (!s->p[id].there) break;
        if (has_children(s, id)) return ERROR_FOREIGN_KEY;
        s->p[id].there = false;
        w->p[id] = w->k[s->p[id].k] = true;
        break;
    case INSERT_C:
        if (s->c[id].there) return ERROR_PRIMARY_KEY;
        if (!s->p[o->k].there) return ERROR_FOREIGN_KEY;
        s->c[id].there = w->c[id] = w->refers[o->k] = true;
        s->c[id].p = o->k;
        s->c[id].v = o->v;
        break;
    case UPDATE_C:
        if (!s->c[id].there) break;
        s->c[id].v += o->v;
        w->c[id] = true;
        break;
    case MOVE_C:
        if (!s->c[id].there) break;
        if (!s->p[o->k].there) return ERROR_FOREIGN_KEY;
        s->c[id].p = o->k;
        w->c[id] = w->refers[o->k] = true;
        break;
    case DELETE_C:
        w->c[id] |= s->c[id].there;
        s->c[id].there = false;
        break;
    case PUT_W:
        s->w[id].there = w->w[id] = w->w_any = true;
        s->w[id].v = o->v;
        break;
    case UPDATE_W:
        if (!s->w[id].there) break;
        s->w[id].v += o->v;
        w->w[id] = w->w_any = true;
        break;
    case DELETE_W:
        if (!s->w[id].there) break;
        s->w[id].there = false;
        w->w[id] = w->w_any = true;
        break;
    case CLEAR_W:
        w->w_cleared = w->w_any = true;
        for (u32 i = 1; i <= W_KEYS; i++) s->w[i].there = false;
        break;
    case INSERT_A:
        s->a_count += 2, w->a_count += 2;
        s->a_sum += o->v + id, w->a_sum += o->v + id;
        break;
    case INSERT_S:
        s->s_count++, w->s_count++;
        s->s_sum += o->v, w->s_sum += o->v;
        break;
    case SET_HEADER:
        s->user_version = o->v;
        w->header = true;
        break;
    case OPERATION_COUNT: break;
    }
    w->k[0] = false; // NULLs do not meet
    return 0;
}
