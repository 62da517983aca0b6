#include "parse_internal.h"

#include <stdarg.h>
#include <strings.h>

#define PARSE_DEPTH_MAX 2400

void parse_fail(struct parse *p, err_code code, u32 offset, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    char *text = NULL;
    int size = vsnprintf(NULL, 0, format, list);
    va_end(list);
    if (size >= 0) text = arena_alloc(p->arena, (size_t)size + 1);
    if (text) {
        va_start(list, format);
        vsnprintf(text, (size_t)size + 1, format, list);
        va_end(list);
    }
    p->fail(p, text ? code : ERR_NOMEM, offset, text ? text : "out of memory");
    __builtin_unreachable();
}

// "near ...: syntax error" at a token that was taken already.
_Noreturn static void parse_near(struct parse *p, u32 offset, u32 size)
{
    parse_fail(p, ERR_ERROR, offset, "near \"%.*s\": syntax error", (int)size, p->sql + offset);
}

void parse_syntax_error(struct parse *p)
{
    if (p->token == TOKEN_END_OF_TEXT) parse_fail(p, ERR_ERROR, OFFSET_NONE, "incomplete input");
    parse_near(p, p->token_offset, p->token_size);
}

void parse_enter(struct parse *p)
{
    if (++p->depth > PARSE_DEPTH_MAX) parse_fail(p, ERR_ERROR, OFFSET_NONE, "parser stack overflow");
}

// The token at or after offset that is not white space. A vertical tab is, behind other.
static inline u32 token_at(const char *sql, u32 offset, enum token_kind *kind, u32 *size)
{
    const u32 from = offset;
    for (;;) {
        while (sql[offset] == ' ') offset++;
        *size = token_scan(sql + offset, kind);
        if (UNLIKELY(*kind == TOKEN_ILLEGAL) && sql[offset] == '\v' && offset > from && sql[offset - 1] == ' ')
            *size = token_scan(sql + offset - 1, kind) - 1;
        if (LIKELY(*kind != TOKEN_SPACE)) return offset;
        offset += *size;
    }
}

static bool kind_is_name(enum token_kind k)
{
    return k == TOKEN_ID || k == TOKEN_STRING || k == TOKEN_JOIN_KW || k == TOKEN_WINDOW || k == TOKEN_OVER ||
           token_falls_back(k);
}

// WINDOW, OVER and FILTER are keywords only where what surrounds them fits.
static enum token_kind contextual_keyword(const char *sql, u32 after, enum token_kind kind,
                                          enum token_kind previous)
{
    enum token_kind next;
    u32 size;
    u32 offset = token_at(sql, after, &next, &size);
    if (kind == TOKEN_WINDOW) {
        if (!kind_is_name(next)) return TOKEN_ID;
        token_at(sql, offset + size, &next, &size);
        return next == TOKEN_AS ? TOKEN_WINDOW : TOKEN_ID;
    }
    if (previous != TOKEN_RIGHT_PAREN) return TOKEN_ID;
    if (next == TOKEN_LEFT_PAREN) return kind;
    return kind == TOKEN_OVER && kind_is_name(next) ? TOKEN_OVER : TOKEN_ID;
}

static void scan(struct parse *p, u32 offset)
{
    enum token_kind kind;
    u32 size;
    offset = token_at(p->sql, offset, &kind, &size);
    p->token_offset = offset;
    p->token_size = size;
    if (UNLIKELY(kind == TOKEN_ILLEGAL))
        parse_fail(p, ERR_ERROR, offset, "unrecognized token: \"%.*s\"", (int)size, p->sql + offset);
    _Static_assert(TOKEN_OVER == TOKEN_WINDOW + 1 && TOKEN_FILTER == TOKEN_WINDOW + 2, "the last kinds");
    if (UNLIKELY(kind >= TOKEN_WINDOW))
        kind = contextual_keyword(p->sql, offset + size, kind, p->previous);
    p->token = (u8)kind;
}

void parse_advance(struct parse *p)
{
    p->previous = p->token;
    p->previous_end = p->token_offset + p->token_size;
    scan(p, p->previous_end);
}

enum token_kind parse_peek(const struct parse *p)
{
    enum token_kind kind;
    u32 size;
    token_at(p->sql, p->token_offset + p->token_size, &kind, &size);
    return kind;
}

static bool is_quote(char c) { return c == '"' || c == '\'' || c == '`' || c == '['; }

const char *parse_token_name(struct parse *p)
{
    const char *z = p->sql + p->token_offset;
    if (!is_quote(z[0])) return arena_copy(p->arena, z, p->token_size);
    char *out = arena_alloc(p->arena, p->token_size);
    token_unquote(z, p->token_size, out);
    return out;
}

const char *parse_name(struct parse *p)
{
    if (!parse_at_name(p)) parse_syntax_error(p);
    const char *name = parse_token_name(p);
    parse_advance(p);
    return name;
}

const char *parse_id_or_string(struct parse *p)
{
    if (!parse_at_id(p) && p->token != TOKEN_STRING) parse_syntax_error(p);
    const char *name = parse_token_name(p);
    parse_advance(p);
    return name;
}

void parse_object_name(struct parse *p, struct object_name *out)
{
    out->schema = NULL;
    out->schema_offset = OFFSET_NONE;
    out->offset = p->token_offset;
    out->name = parse_name(p);
    if (!parse_accept(p, TOKEN_DOT)) return;
    out->schema = out->name;
    out->schema_offset = out->offset;
    out->offset = p->token_offset;
    out->name = parse_name(p);
}

bool parse_if_not_exists(struct parse *p)
{
    if (!parse_accept(p, TOKEN_IF)) return false;
    parse_expect(p, TOKEN_NOT);
    parse_expect(p, TOKEN_EXISTS);
    return true;
}

static u8 parse_resolution(struct parse *p)
{
    static const struct {
        u8 token, conflict;
    } table[] = {{TOKEN_IGNORE, CONFLICT_IGNORE},     {TOKEN_REPLACE, CONFLICT_REPLACE},
                 {TOKEN_ROLLBACK, CONFLICT_ROLLBACK}, {TOKEN_ABORT, CONFLICT_ABORT},
                 {TOKEN_FAIL, CONFLICT_FAIL}};
    for (u32 i = 0; i < COUNT_OF(table); i++)
        if (parse_accept(p, table[i].token)) return table[i].conflict;
    parse_syntax_error(p);
}

u8 parse_on_conflict(struct parse *p)
{
    if (!parse_accept(p, TOKEN_ON)) return CONFLICT_NONE;
    parse_expect(p, TOKEN_CONFLICT);
    return parse_resolution(p);
}

u8 parse_or_conflict(struct parse *p)
{
    return parse_accept(p, TOKEN_OR) ? parse_resolution(p) : CONFLICT_NONE;
}

static bool is_white(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

struct text_span parse_span_from(const struct parse *p, u32 offset)
{
    u32 end = p->token_offset;
    while (end > offset && is_white(p->sql[end - 1])) end--;
    while (offset < end && is_white(p->sql[offset])) offset++;
    return (struct text_span){offset, end - offset};
}

struct name_list *parse_name_list(struct parse *p)
{
    struct name_list *list = NULL;
    do {
        u32 offset = p->token_offset;
        name_list_add(p->arena, &list, parse_name(p), offset);
    } while (parse_accept(p, TOKEN_COMMA));
    return list;
}

struct name_list *parse_column_list(struct parse *p)
{
    struct name_list *list = NULL;
    do {
        u32 offset = p->token_offset, size = p->token_size;
        const char *name = parse_name(p);
        bool extra = false;
        if (parse_accept(p, TOKEN_COLLATE)) {
            parse_id_or_string(p);
            extra = true;
        }
        if (parse_accept(p, TOKEN_ASC) || parse_accept(p, TOKEN_DESC)) extra = true;
        if (extra && !p->schema)
            parse_fail(p, ERR_ERROR, OFFSET_NONE, "syntax error after column name \"%.*s\"", (int)size, p->sql + offset);
        name_list_add(p->arena, &list, name, offset);
    } while (parse_accept(p, TOKEN_COMMA));
    return list;
}

void *parse_stmt_new(struct parse *p, enum stmt_kind kind, size_t size)
{
    struct stmt *s = arena_alloc(p->arena, size);
    s->kind = kind;
    return s;
}

// ---- small statements -------------------------------------------------------------------------------------

static void parse_transaction_name(struct parse *p)
{
    if (parse_accept(p, TOKEN_TRANSACTION) && parse_at_name(p)) parse_name(p);
}

static bool token_is_word(const struct parse *p, const char *word)
{
    size_t size = strlen(word);
    return p->token == TOKEN_ID && p->token_size == size && strncasecmp(p->sql + p->token_offset, word, size) == 0;
}

static struct stmt *parse_begin(struct parse *p)
{
    struct stmt_begin *s = PARSE_STMT(p, STMT_BEGIN, stmt_begin);
    parse_advance(p);
    if (parse_accept(p, TOKEN_DEFERRED)) {
        s->begin = BEGIN_DEFERRED;
    } else if (parse_accept(p, TOKEN_IMMEDIATE)) {
        s->begin = BEGIN_IMMEDIATE;
    } else if (parse_accept(p, TOKEN_EXCLUSIVE)) {
        s->begin = BEGIN_EXCLUSIVE;
    } else if (token_is_word(p, "concurrent")) {
        parse_advance(p);
        s->begin = BEGIN_CONCURRENT;
    } else if (token_is_word(p, "readonly")) {
        parse_advance(p);
        s->begin = BEGIN_READONLY;
    }
    if (parse_accept(p, TOKEN_TRANSACTION)) {
        if (token_is_word(p, "readonly")) s->begin = BEGIN_READONLY;
        if (parse_at_name(p)) parse_name(p);
    }
    return &s->stmt;
}

static struct stmt *parse_savepoint(struct parse *p, enum savepoint_kind kind)
{
    struct stmt_savepoint *s = PARSE_STMT(p, STMT_SAVEPOINT, stmt_savepoint);
    s->savepoint = kind;
    if (kind != SAVEPOINT_BEGIN) parse_accept(p, TOKEN_SAVEPOINT);
    s->name = parse_name(p);
    return &s->stmt;
}

static struct stmt *parse_rollback(struct parse *p)
{
    parse_advance(p);
    parse_transaction_name(p);
    if (parse_accept(p, TOKEN_TO)) return parse_savepoint(p, SAVEPOINT_ROLLBACK);
    return &PARSE_STMT(p, STMT_ROLLBACK, stmt_rollback)->stmt;
}

static struct stmt *parse_drop(struct parse *p)
{
    struct stmt_drop *s = PARSE_STMT(p, STMT_DROP, stmt_drop);
    parse_advance(p);
    if (parse_accept(p, TOKEN_TABLE))
        s->object = OBJECT_TABLE;
    else if (parse_accept(p, TOKEN_VIEW))
        s->object = OBJECT_VIEW;
    else if (parse_accept(p, TOKEN_INDEX))
        s->object = OBJECT_INDEX;
    else if (parse_accept(p, TOKEN_TRIGGER))
        s->object = OBJECT_TRIGGER;
    else
        parse_syntax_error(p);
    if (parse_accept(p, TOKEN_IF)) {
        parse_expect(p, TOKEN_EXISTS);
        s->if_exists = true;
    }
    parse_object_name(p, &s->name);
    return &s->stmt;
}

// The value of a pragma: a name, a keyword that SQLite lets pass, or a number with its sign.
static const char *parse_pragma_value(struct parse *p)
{
    if (p->token == TOKEN_PLUS || p->token == TOKEN_MINUS) {
        bool minus = p->token == TOKEN_MINUS;
        parse_advance(p);
        if (p->token != TOKEN_INTEGER && p->token != TOKEN_FLOAT) parse_syntax_error(p);
        const char *text = arena_format(p->arena, "%s%.*s", minus ? "-" : "", (int)p->token_size,
                                        p->sql + p->token_offset);
        parse_advance(p);
        return text;
    }
    if (p->token == TOKEN_INTEGER || p->token == TOKEN_FLOAT || p->token == TOKEN_ON || p->token == TOKEN_DELETE ||
        p->token == TOKEN_DEFAULT) {
        const char *text = arena_copy(p->arena, p->sql + p->token_offset, p->token_size);
        parse_advance(p);
        return text;
    }
    return parse_name(p);
}

static void parse_pragma_set(struct parse *p, struct stmt_pragma *s)
{
    s->quoted = strchr("'\"`[", p->sql[p->token_offset]) != NULL;
    s->value = parse_pragma_value(p);
}

static struct stmt *parse_pragma(struct parse *p)
{
    struct stmt_pragma *s = PARSE_STMT(p, STMT_PRAGMA, stmt_pragma);
    parse_advance(p);
    parse_object_name(p, &s->name);
    if (parse_accept(p, TOKEN_EQ)) {
        parse_pragma_set(p, s);
    } else if (parse_accept(p, TOKEN_LEFT_PAREN)) {
        s->call = true;
        parse_pragma_set(p, s);
        parse_expect(p, TOKEN_RIGHT_PAREN);
    }
    return &s->stmt;
}

static struct stmt *parse_attach(struct parse *p)
{
    struct stmt_attach *s = PARSE_STMT(p, STMT_ATTACH, stmt_attach);
    parse_advance(p);
    parse_accept(p, TOKEN_DATABASE);
    s->file = parse_expr(p);
    parse_expect(p, TOKEN_AS);
    s->name = parse_expr(p);
    if (parse_accept(p, TOKEN_KEY)) s->key = parse_expr(p);
    return &s->stmt;
}

static struct stmt *parse_detach(struct parse *p)
{
    struct stmt_detach *s = PARSE_STMT(p, STMT_DETACH, stmt_detach);
    parse_advance(p);
    parse_accept(p, TOKEN_DATABASE);
    s->name = parse_expr(p);
    return &s->stmt;
}

static struct stmt *parse_vacuum(struct parse *p)
{
    struct stmt_vacuum *s = PARSE_STMT(p, STMT_VACUUM, stmt_vacuum);
    parse_advance(p);
    s->schema_offset = p->token_offset;
    if (parse_at_name(p)) s->schema = parse_name(p);
    if (parse_accept(p, TOKEN_INTO)) s->into = parse_expr(p);
    return &s->stmt;
}

static struct stmt *parse_command(struct parse *p)
{
    switch ((enum token_kind)p->token) {
    case TOKEN_SELECT:
    case TOKEN_VALUES: {
        struct stmt_select *s = PARSE_STMT(p, STMT_SELECT, stmt_select);
        s->select = parse_select(p);
        return &s->stmt;
    }
    case TOKEN_WITH: {
        struct with *with = parse_with(p);
        if (p->token == TOKEN_SELECT || p->token == TOKEN_VALUES) {
            struct stmt_select *s = PARSE_STMT(p, STMT_SELECT, stmt_select);
            s->select = parse_select(p);
            s->select->with = with;
            return &s->stmt;
        }
        return parse_dml(p, with, false);
    }
    case TOKEN_INSERT:
    case TOKEN_REPLACE:
    case TOKEN_UPDATE:
    case TOKEN_DELETE: return parse_dml(p, NULL, false);
    case TOKEN_CREATE: return parse_create(p);
    case TOKEN_DROP: return parse_drop(p);
    case TOKEN_ALTER: return parse_alter(p);
    case TOKEN_BEGIN: return parse_begin(p);
    case TOKEN_COMMIT:
    case TOKEN_END:
        parse_advance(p);
        parse_transaction_name(p);
        return &PARSE_STMT(p, STMT_COMMIT, stmt_commit)->stmt;
    case TOKEN_ROLLBACK: return parse_rollback(p);
    case TOKEN_SAVEPOINT: parse_advance(p); return parse_savepoint(p, SAVEPOINT_BEGIN);
    case TOKEN_RELEASE: parse_advance(p); return parse_savepoint(p, SAVEPOINT_RELEASE);
    case TOKEN_PRAGMA: return parse_pragma(p);
    case TOKEN_ATTACH: return parse_attach(p);
    case TOKEN_DETACH: return parse_detach(p);
    case TOKEN_VACUUM: return parse_vacuum(p);
    case TOKEN_REINDEX: {
        struct stmt_reindex *s = PARSE_STMT(p, STMT_REINDEX, stmt_reindex);
        parse_advance(p);
        if (parse_at_name(p)) parse_object_name(p, &s->name);
        return &s->stmt;
    }
    case TOKEN_ANALYZE: {
        struct stmt_analyze *s = PARSE_STMT(p, STMT_ANALYZE, stmt_analyze);
        parse_advance(p);
        if (parse_at_name(p)) parse_object_name(p, &s->name);
        return &s->stmt;
    }
    default: parse_syntax_error(p);
    }
}

static void parse_start(struct parse *p)
{
    if (!p->depth_max) p->depth_max = 1000;
    if (!p->variable_max) p->variable_max = PARSE_VARIABLE_MAX;
    if (!p->column_max) p->column_max = 2000;
    if (!p->argument_max) p->argument_max = 1000;
    p->previous = TOKEN_SEMICOLON;
    p->depth = 0;
    scan(p, 0);
}

void parse_statement(struct parse *p)
{
    p->stmt = NULL;
    parse_start(p);
    // Empty statements are passed over.
    while (p->token == TOKEN_SEMICOLON) parse_advance(p);
    if (p->token == TOKEN_END_OF_TEXT) {
        p->used = p->token_offset;
        return;
    }
    u32 begin = p->token_offset;
    u8 explain = EXPLAIN_NO;
    if (parse_accept(p, TOKEN_EXPLAIN)) {
        explain = EXPLAIN_PROGRAM;
        if (parse_accept(p, TOKEN_QUERY)) {
            parse_expect(p, TOKEN_PLAN);
            explain = EXPLAIN_QUERY_PLAN;
        }
    }
    struct stmt *s = parse_command(p);
    if (p->token != TOKEN_SEMICOLON && p->token != TOKEN_END_OF_TEXT) parse_syntax_error(p);
    s->explain = explain;
    s->span = (struct text_span){begin, p->previous_end - begin};
    p->used = p->token_offset + p->token_size;
    p->stmt = s;
}
