// "bm25(10.0, 5.0)": the function that the hidden column rank asks, as the setting 'rank' or rank MATCH '...' names it.
// Its arguments are literals.
#include "../fn/fn.h"
#include "../vm/vm.h"
#include "fts_cursor.h"

#include <strings.h>

void fts_rank_free(struct fts_rank *r)
{
    free(r->name);
    for (u32 i = 0; i < r->argc; i++) value_deinit(&r->argv[i]);
    free(r->argv);
    *r = (struct fts_rank){0};
}

static const char *space_skip(const char *s)
{
    while (*s == ' ') s++;
    return s;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

// x'...': the bytes go to *out. NULL: it is not that, or memory ran out.
static const char *blob_read(const char *s, struct value *out)
{
    if (s[1] != '\'') return NULL;
    struct fts_buffer b = {0};
    bool ok = true;
    for (s += 2; ok && hex_digit((u8)s[0]) >= 0 && hex_digit((u8)s[1]) >= 0; s += 2) {
        u8 byte = (u8)(hex_digit((u8)s[0]) << 4 | hex_digit((u8)s[1]));
        ok = fts_buffer_add(&b, &byte, 1);
    }
    ok = ok && *s == '\'' && value_set_blob(out, b.data ? b.data : (const u8 *)"", b.size) == ERR_OK;
    fts_buffer_free(&b);
    return ok ? s + 1 : NULL;
}

static const char *text_read(const char *s, struct value *out)
{
    struct fts_buffer b = {0};
    bool ok = true;
    for (s++; ok && *s && !(*s == '\'' && s[1] != '\''); s++) {
        if (*s == '\'') s++;
        ok = fts_buffer_add(&b, s, 1);
    }
    ok = ok && *s == '\'' && value_set_text(out, b.data ? b.data : (const u8 *)"", b.size) == ERR_OK;
    fts_buffer_free(&b);
    return ok ? s + 1 : NULL;
}

static const char *number_read(const char *s, struct value *out)
{
    const char *begin = s;
    if (*s == '+' || *s == '-') s++;
    while (is_digit(*s)) s++;
    if (*s == '.' && is_digit(s[1]))
        for (s++; is_digit(*s);) s++;
    if (s == begin || value_set_text(out, begin, (size_t)(s - begin)) != ERR_OK) return NULL;
    value_to_numeric(out, 0);
    return s;
}

static const char *literal_read(const char *s, struct value *out)
{
    switch (*s) {
    case 'n':
    case 'N':
        value_set_null(out);
        return strncasecmp(s, "null", 4) == 0 ? s + 4 : NULL;
    case 'x':
    case 'X': return blob_read(s, out);
    case '\'': return text_read(s, out);
    default: return number_read(s, out);
    }
}

static bool argument_add(struct fts_rank *r, const char **s)
{
    struct value *grown = realloc(r->argv, (r->argc + 1) * sizeof *grown);
    if (!grown) return false;
    r->argv = grown;
    value_init(&r->argv[r->argc]);
    *s = literal_read(space_skip(*s), &r->argv[r->argc++]);
    return *s != NULL;
}

static bool rank_read(struct fts_rank *r, const char *text)
{
    const char *s = space_skip(text), *name = s;
    while (fts_is_bare(*s)) s++;
    if (s == name) return false;
    r->name = strndup(name, (size_t)(s - name));
    s = space_skip(s);
    if (!r->name || *s != '(') return false;
    s = space_skip(s + 1);
    if (*s == ')') return true;
    for (;; s++) {
        if (!argument_add(r, &s)) return false;
        s = space_skip(s);
        if (*s == ')') return true; // what follows is not looked at
        if (*s != ',') return false;
    }
}

bool fts_rank_parse(struct fts_rank *out, const char *text)
{
    fts_rank_free(out);
    if (rank_read(out, text)) return true;
    fts_rank_free(out);
    return false;
}

io_status fts_cursor_call(struct fts_cursor *c, struct op *op, const struct fn_def *f, const struct value *argv, u32 argc,
                          struct value *out)
{
    struct full_text_row row;
    value_set_null(out);
    IO_TRY(fts_cursor_row(c, op, f->flags & FN_FULL_TEXT_COLUMNS, &row));
    return vm_full_text_call(CONTAINER_OF(op, struct skerry_stmt, op), f, &row, argv, argc, out);
}

io_status fts_cursor_rank_find(struct fts_cursor *c, struct op *op)
{
    const char *setting = c->x->settings.rank;
    enum fts_function f;
    if (!c->rank.name && !fts_rank_parse(&c->rank, setting ? setting : "bm25()")) return fts_no_memory(op);
    if (connection_full_text_function(c->db, c->rank.name) || fts_function_find(c->rank.name, &f)) return IO_DONE;
    return IO_ERROR(&op->err, ERR_ERROR, "no such function: %s", c->rank.name);
}

io_status fts_cursor_rank(struct fts_cursor *c, struct op *op, struct value *out)
{
    IO_TRY(fts_cursor_rank_find(c, op));
    const struct fn_def *own = connection_full_text_function(c->db, c->rank.name);
    if (own) return fts_cursor_call(c, op, own, c->rank.argv, c->rank.argc, out);
    enum fts_function f = FTS_BM25;
    (void)fts_function_find(c->rank.name, &f);
    return fts_cursor_function(c, op, f, c->rank.argv, c->rank.argc, out);
}
