// INSERT of one row of literals, as scripts of them have it: a text that differs from one that was compiled in the literals
// alone is run by the same program, with these in place of those. To read so much of the text takes a tenth of compiling it.
#include "statement.h"

#include "../sql/token.h"

struct literal_token {
    u32 offset, size;
    u8 kind; // enum token_kind: NULL, INTEGER, FLOAT, STRING, BLOB
    bool negative;
};

void statement_literals_free(struct skerry_stmt *s)
{
    free(s->literals.text);
    free(s->literals.spare);
    free(s->literals.tokens);
    s->literals = (struct statement_literals){0};
}

static bool tokens_reserve(struct statement_literals *l, u32 count)
{
    if (l->token_capacity >= count) return true;
    struct literal_token *grown = realloc(l->tokens, count * sizeof *grown);
    if (!grown) return false;
    l->tokens = grown;
    l->token_capacity = count;
    return true;
}

// What the parser itself has to look at is left to it: numbers that may be too large, or are written in another way.
static bool token_usable(const struct literal_token *t, const char *text)
{
    enum { DIGITS_MAX = 18 };
    switch ((enum token_kind)t->kind) {
    case TOKEN_INTEGER: return t->size <= DIGITS_MAX && !(t->size > 1 && (text[1] | 0x20) == 'x');
    case TOKEN_FLOAT: return true;
    case TOKEN_NULL:
    case TOKEN_STRING:
    case TOKEN_BLOB: return !t->negative;
    default: return false;
    }
}

static size_t token_next(const char *text, size_t at, enum token_kind *kind, u32 *token_size)
{
    while ((*token_size = token_scan(text + at, kind)) && *kind == TOKEN_SPACE) at += *token_size;
    return at;
}

// The literals from `at` on and where the parenthesis after them is; 0: something else stands there.
static size_t tokens_read(const struct program *p, struct literal_token *tokens, const char *text, size_t at)
{
    enum token_kind kind;
    u32 size;
    for (u32 i = 0; i < p->literal_count; i++) {
        struct literal_token *t = &tokens[i];
        at = token_next(text, at, &kind, &size);
        t->negative = kind == TOKEN_MINUS;
        if (t->negative) at = token_next(text, at + size, &kind, &size);
        t->offset = (u32)at;
        t->size = size;
        t->kind = (u8)kind;
        if (!token_usable(t, text + at)) return 0;
        if (p->literals[i] == LITERAL_NULL && kind != TOKEN_NULL) return 0;
        at = token_next(text, at + size, &kind, &size);
        if (kind != (i + 1 < p->literal_count ? TOKEN_COMMA : TOKEN_RIGHT_PAREN)) return 0;
        if (i + 1 < p->literal_count) at += size;
    }
    return at;
}

static s64 digits_value(const char *z, u32 size)
{
    s64 v = 0;
    for (u32 i = 0; i < size; i++) v = v * 10 + (z[i] - '0');
    return v;
}

static void instruction_set(struct instruction *in, const struct literal_token *t, char *z)
{
    if (t->kind == TOKEN_INTEGER) {
        s64 v = digits_value(z, t->size);
        instruction_integer_set(in, t->negative ? -v : v);
    } else if (t->kind == TOKEN_FLOAT) {
        double v = number_parse((const u8 *)z, t->size).real;
        instruction_real_set(in, t->negative ? -v : v);
    } else if (t->kind == TOKEN_NULL) {
        *in = (struct instruction){.opcode = OP_Null, .p2 = in->p2};
    } else {
        bool text = t->kind == TOKEN_STRING;
        u32 bytes = text ? token_unquote(z, t->size, z) : token_blob(z, t->size, (u8 *)z);
        *in = (struct instruction){.opcode = text ? OP_String8 : OP_Blob, .p4_kind = P4_TEXT, .p1 = (s32)bytes, .p2 = in->p2, .p4.text = z};
    }
}

bool statement_literals_set(struct skerry_stmt *s, const char *sql, size_t size)
{
    enum { SIZE_MAX_READ = 1 << 16 };
    struct program *p = s->program;
    struct statement_literals *l = &s->literals;
    if (size <= p->literals_at || memcmp(sql, s->sql, p->literals_at) != 0) return false;
    size_t part = statement_text_part(sql, size, 0);
    if (part > SIZE_MAX_READ || !statement_text_set(&l->spare, &l->spare_capacity, sql, part) || !tokens_reserve(l, p->literal_count)) return false;
    if (!l->end) l->end = tokens_read(p, l->tokens, s->sql, p->literals_at);
    size_t end = tokens_read(p, l->tokens, l->spare, p->literals_at), rest = s->sql_size - l->end;
    if (!l->end || !end || part - end < rest || (size - end > rest && !p->semicolon)) return false;
    if (memcmp(sql + end, s->sql + l->end, rest) != 0 || !statement_text_set(&s->sql, &s->sql_capacity, sql, end + rest)) return false;
    s->sql_size = end + rest;
    l->end = end;
    for (u32 i = 0; i < p->literal_count; i++)
        if (p->literals[i] != LITERAL_NULL) instruction_set(&p->code[p->literals[i]], &l->tokens[i], l->spare + l->tokens[i].offset);
    char *text = l->text;
    size_t capacity = l->text_capacity;
    l->text = l->spare;
    l->text_capacity = l->spare_capacity;
    l->spare = text;
    l->spare_capacity = capacity;
    return true;
}
