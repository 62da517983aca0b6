#include "session.h"

static u64 text_hash(const char *text, size_t size)
{
    u64 h = 0xcbf29ce484222325ull;
    for (size_t i = 0; i < size; i++) h = (h ^ (u8)text[i]) * 0x100000001b3ull;
    return h;
}

static void on_db_wake(void *context)
{
    struct session *s = context;
    if (s->wake) s->wake(s->context);
}

struct session *session_open(struct skerry_engine *e, const char *path, u32 busy_timeout_ms,
                             struct err *err)
{
    struct session *s = calloc(1, sizeof *s);
    if (!s || !skerry_open(e, path, SKERRY_OPEN_CREATE, &s->db, err)) {
        free(s);
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return NULL;
    }
    skerry_busy_timeout(s->db, busy_timeout_ms);
    skerry_on_wake(s->db, on_db_wake, s);
    return s;
}

static void statement_drop(struct session_statement *st)
{
    skerry_finalize(st->stmt);
    free(st->sql);
    *st = (struct session_statement){0};
}

// Statements after which a connection is not like a new one.
static bool taints(const char *sql, size_t size)
{
    static const char *const WORDS[] = {"pragma", "attach", "detach", "temp", "temporary"};
    for (size_t i = 0; i < size; i++) {
        bool starts = i == 0 || !((sql[i - 1] | 32) >= 'a' && (sql[i - 1] | 32) <= 'z');
        if (!starts) continue;
        for (u32 w = 0; w < COUNT_OF(WORDS); w++) {
            size_t n = strlen(WORDS[w]);
            if (size - i >= n && strncasecmp(sql + i, WORDS[w], n) == 0) return true;
        }
    }
    return false;
}

void session_note(struct session *s, const char *sql, size_t size)
{
    if (!s->tainted) s->tainted = taints(sql, size);
}

static bool only_space_and_comments(const char *p, const char *end)
{
    while (p < end) {
        if (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r' || *p == '\f' || *p == ';') {
            p++;
        } else if (end - p >= 2 && p[0] == '-' && p[1] == '-') {
            while (p < end && *p != '\n') p++;
        } else if (end - p >= 2 && p[0] == '/' && p[1] == '*') {
            const char *close = memmem(p + 2, (size_t)(end - p - 2), "*/", 2);
            p = close ? close + 2 : end;
        } else {
            return false;
        }
    }
    return true;
}

int session_prepare(struct session *s, const char *sql, size_t size, struct session_statement **out,
                    bool *tail)
{
    u64 hash = text_hash(sql, size);
    struct session_statement *oldest = NULL;
    *out = NULL;
    *tail = false;
    for (u32 i = 0; i < SESSION_STATEMENTS; i++) {
        struct session_statement *st = &s->statements[i];
        if (st->stmt && !st->busy && st->hash == hash && st->size == size &&
            memcmp(st->sql, sql, size) == 0) {
            st->busy = true;
            st->used_at = ++s->clock;
            *out = st;
            return SKERRY_OK;
        }
        if (!st->busy && (!oldest || st->used_at < oldest->used_at)) oldest = st;
    }
    size_t used = 0;
    struct skerry_stmt *stmt = NULL;
    int rc = skerry_prepare(s->db, sql, size, &stmt, &used);
    if (rc != SKERRY_OK || !stmt) return rc;
    *tail = !only_space_and_comments(sql + used, sql + size);
    char *copy = oldest && !*tail ? malloc(size + 1) : NULL;
    if (!copy) {
        skerry_finalize(stmt);
        return *tail ? SKERRY_OK : ERR_NOMEM;
    }
    memcpy(copy, sql, size);
    copy[size] = 0;
    session_note(s, sql, size);
    statement_drop(oldest);
    *oldest = (struct session_statement){copy, size, hash, ++s->clock, stmt, true};
    *out = oldest;
    return SKERRY_OK;
}

void session_release(struct session_statement *st)
{
    skerry_clear_bindings(st->stmt);
    st->busy = false;
}

bool session_clear(struct session *s)
{
    for (u32 i = 0; i < SESSION_STATEMENTS; i++)
        if (s->statements[i].busy) statement_drop(&s->statements[i]);
    skerry_rollback(s->db);
    s->wake = NULL;
    return !s->tainted;
}

int session_close(struct session *s)
{
    for (u32 i = 0; i < SESSION_STATEMENTS; i++)
        if (s->statements[i].stmt) statement_drop(&s->statements[i]);
    if (skerry_close(s->db, NULL) == SKERRY_WAIT) return SKERRY_WAIT;
    free(s);
    return SKERRY_OK;
}
