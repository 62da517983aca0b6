#include "session.h"

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

int session_prepare(struct session *s, const char *sql, size_t size, struct skerry_stmt **out, bool *tail)
{
    size_t used = 0;
    *tail = false;
    int rc = skerry_prepare(s->db, sql, size, out, &used);
    if (rc != SKERRY_OK || !*out) return rc;
    *tail = !only_space_and_comments(sql + used, sql + size);
    if (*tail) {
        skerry_finalize(*out);
        *out = NULL;
    } else {
        session_note(s, sql, size);
    }
    return SKERRY_OK;
}

bool session_clear(struct session *s)
{
    for (struct skerry_stmt *stmt; (stmt = skerry_stmt_next(s->db, NULL));) skerry_finalize(stmt);
    skerry_rollback(s->db);
    s->wake = NULL;
    return !s->tainted;
}

int session_close(struct session *s)
{
    for (struct skerry_stmt *stmt; (stmt = skerry_stmt_next(s->db, NULL));) skerry_finalize(stmt);
    if (skerry_close(s->db, NULL) == SKERRY_WAIT) return SKERRY_WAIT;
    free(s);
    return SKERRY_OK;
}
