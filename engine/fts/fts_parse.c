// MATCH: the query's text to a tree of phrases. Errors have FTS5's texts.
//
//   OR binds loosest, then AND, then NOT, then "a b" (an AND too), which holds phrases, NEAR(...) and column filters.
#include "fts_query.h"

#include <stdarg.h>
#include <strings.h>

enum query_token { QUERY_END, QUERY_STRING, QUERY_AND, QUERY_OR, QUERY_NOT, QUERY_CHARACTER };

struct query_parse {
    const struct fts_config *config;
    struct fts_expr *expr;
    const u8 *text, *end, *at;
    // The token in hand.
    enum query_token token;
    const u8 *token_text;
    u32 token_size;
    bool bare; // QUERY_STRING without quotes
    u8 character;
    u32 depth;
    struct err *err;
    bool failed;
};

static void *fail(struct query_parse *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void *fail(struct query_parse *p, const char *format, ...)
{
    char text[256];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (!p->failed) err_set(p->err, ERR_ERROR, __func__, "%s", text);
    p->failed = true;
    return NULL;
}

static void *no_memory(struct query_parse *p)
{
    if (!p->failed) err_set(p->err, ERR_NOMEM, __func__, "out of memory");
    p->failed = true;
    return NULL;
}

static void *syntax_error(struct query_parse *p)
{
    return fail(p, "fts5: syntax error near \"%.*s\"", (int)MIN(p->token_size, 128u), (const char *)p->token_text);
}

static void advance(struct query_parse *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r')) p->at++;
    const u8 *begin = p->token_text = p->at;
    p->token_size = 0;
    if (p->at >= p->end || *p->at == 0) {
        p->token = QUERY_END;
        return;
    }
    u8 c = *p->at;
    if (strchr("(){}:,+*-^", c)) {
        p->token = QUERY_CHARACTER;
        p->character = c;
        p->token_size = 1;
        p->at++;
        return;
    }
    p->token = QUERY_STRING;
    p->bare = c != '"';
    if (c == '"') {
        const u8 *q = begin + 1;
        for (;; q++) {
            if (q >= p->end) {
                p->token = QUERY_END;
                (void)fail(p, "unterminated string");
                return;
            }
            if (*q != '"') continue;
            if (q + 1 >= p->end || q[1] != '"') break;
            q++;
        }
        p->at = q + 1;
        p->token_size = (u32)(p->at - begin);
        return;
    }
    while (p->at < p->end && fts_is_bare((char)*p->at)) p->at++;
    p->token_size = (u32)(p->at - begin);
    if (!p->token_size) {
        p->token_size = 1;
        p->token = QUERY_END;
        (void)fail(p, "fts5: syntax error near \"%.1s\"", (const char *)begin);
        return;
    }
    if (p->token_size == 2 && memcmp(begin, "OR", 2) == 0) p->token = QUERY_OR;
    if (p->token_size == 3 && memcmp(begin, "AND", 3) == 0) p->token = QUERY_AND;
    if (p->token_size == 3 && memcmp(begin, "NOT", 3) == 0) p->token = QUERY_NOT;
}

static bool is_character(const struct query_parse *p, u8 c) { return p->token == QUERY_CHARACTER && p->character == c; }

static u8 peek(const struct query_parse *p)
{
    const u8 *q = p->at;
    while (q < p->end && (*q == ' ' || *q == '\t' || *q == '\n' || *q == '\r')) q++;
    return q < p->end ? *q : 0;
}

// The string's text, quotes undone, NUL-terminated.
static char *string_text(struct query_parse *p, u32 *size)
{
    char *out = arena_alloc(&p->expr->arena, p->token_size + 1u), *at = out;
    if (!out) return no_memory(p);
    if (p->bare) {
        memcpy(out, p->token_text, p->token_size);
        at += p->token_size;
    } else {
        for (u32 i = 1; i + 1 < p->token_size; i++) {
            *at++ = (char)p->token_text[i];
            if (p->token_text[i] == '"') i++;
        }
    }
    *size = (u32)(at - out);
    return out;
}

// ---- phrases -------------------------------------------------------------------------------------------------------------

static struct fts_phrase *phrase_new(struct query_parse *p)
{
    struct fts_phrase *x = arena_alloc(&p->expr->arena, sizeof *x);
    if (!x) return no_memory(p);
    if (!fts_expr_phrase_add(p->expr, x)) return no_memory(p);
    return x;
}

struct term_add {
    struct query_parse *parse;
    struct fts_phrase *phrase;
};

static bool term_sink(void *context, const u8 *token, u32 size, u32 begin, u32 end)
{
    struct term_add *t = context;
    struct arena *a = &t->parse->expr->arena;
    struct fts_phrase *x = t->phrase;
    x->terms = arena_grow(a, x->terms, x->term_count, &x->term_capacity, sizeof *x->terms);
    if (!x->terms) return false;
    u8 *copy = arena_alloc(a, size + 1u);
    if (!copy) return false;
    copy[0] = FTS_MAIN_PREFIX;
    memcpy(copy + 1, token, size);
    x->terms[x->term_count++] = (struct fts_query_term){.text = copy, .size = size + 1};
    return true;
}

static bool string_into(struct query_parse *p, struct fts_phrase *x)
{
    u32 size;
    char *text = string_text(p, &size);
    if (!text) return false;
    struct term_add t = {p, x};
    if (p->config->tokenizer_missing) return fail(p, "%s", p->config->tokenizer_missing) != NULL;
    if (!fts_tokenize(p->config->tokenizer, (const u8 *)text, size, term_sink, &t)) {
        (void)no_memory(p);
        return false;
    }
    advance(p);
    // Of the last word so far, even when this string had none.
    bool prefix = is_character(p, '*');
    if (x->term_count) x->terms[x->term_count - 1].prefix = prefix;
    if (prefix) advance(p);
    return true;
}

static struct fts_phrase *phrase(struct query_parse *p)
{
    if (p->token != QUERY_STRING) return syntax_error(p);
    struct fts_phrase *x = phrase_new(p);
    if (!x || !string_into(p, x)) return NULL;
    while (is_character(p, '+')) {
        advance(p);
        if (p->token != QUERY_STRING) return syntax_error(p);
        if (!string_into(p, x)) return NULL;
    }
    return x;
}

static struct fts_node *node_new(struct query_parse *p, enum fts_node_kind kind)
{
    struct fts_node *n = arena_alloc(&p->expr->arena, sizeof *n);
    if (!n) return no_memory(p);
    n->kind = (u8)kind;
    n->near = 10;
    return n;
}

static bool near_add(struct query_parse *p, struct fts_node *n, struct fts_phrase *x)
{
    if (!x) return false;
    n->phrases = arena_grow(&p->expr->arena, n->phrases, n->phrase_count, &n->phrase_capacity, sizeof *n->phrases);
    if (!n->phrases) {
        (void)no_memory(p);
        return false;
    }
    n->phrases[n->phrase_count++] = x;
    return true;
}

// Without positions in the index a phrase is one word.
static struct fts_node *detail_allows(struct query_parse *p, struct fts_node *n)
{
    const struct fts_phrase *x = n->phrases[0];
    if (p->config->detail == FTS_DETAIL_FULL) return n;
    if (n->phrase_count == 1 && x->term_count <= 1 && !(x->first && x->term_count)) return n;
    return fail(p, "fts5: %s queries are not supported (detail!=full)", n->phrase_count == 1 ? "phrase" : "NEAR");
}

static struct fts_node *near_set(struct query_parse *p)
{
    struct fts_node *n = node_new(p, FTS_NODE_NEAR);
    if (!n) return NULL;
    if (is_character(p, '^')) {
        advance(p);
        struct fts_phrase *x = phrase(p);
        if (x) x->first = true;
        return near_add(p, n, x) ? detail_allows(p, n) : NULL;
    }
    bool near = p->token == QUERY_STRING && p->bare && p->token_size == 4 && memcmp(p->token_text, "NEAR", 4) == 0;
    if (p->token == QUERY_STRING && peek(p) == '(' ) {
        const u8 *name = p->token_text;
        const u32 name_size = p->token_size;
        advance(p);
        advance(p);
        do {
            if (!near_add(p, n, phrase(p))) return NULL;
            // A phrase without words says nothing among others.
            struct fts_phrase **x = n->phrases;
            u32 last = n->phrase_count - 1;
            if (last && (!x[last]->term_count || !x[last - 1]->term_count)) {
                if (!x[last - 1]->term_count) x[last - 1] = x[last];
                n->phrase_count--;
            }
        } while (p->token == QUERY_STRING);
        if (is_character(p, ',')) {
            advance(p);
            if (p->token != QUERY_STRING) return syntax_error(p);
            u64 distance = 0;
            for (u32 i = 0; i < p->token_size; i++) {
                u8 c = p->token_text[i];
                if (near && (c < '0' || c > '9'))
                    return fail(p, "expected integer, got \"%.*s\"", (int)MIN(p->token_size, 128u), (const char *)p->token_text);
                if (distance < 214748363) distance = distance * 10 + (c - '0');
            }
            n->near = distance;
            advance(p);
        }
        if (!is_character(p, ')')) return syntax_error(p);
        if (!near) return fail(p, "fts5: syntax error near \"%.*s\"", (int)MIN(name_size, 128u), (const char *)name);
        advance(p);
        return detail_allows(p, n);
    }
    return near_add(p, n, phrase(p)) ? detail_allows(p, n) : NULL;
}

// ---- columns -------------------------------------------------------------------------------------------------------------

static bool column_add(struct query_parse *p, struct fts_columns *set)
{
    if (p->token != QUERY_STRING) return syntax_error(p) != NULL;
    u32 size;
    char *name = string_text(p, &size);
    if (!name) return false;
    advance(p); // its mistake would come first
    for (u32 i = 0; !p->failed && i < p->config->column_count; i++) {
        if (strcasecmp(p->config->columns[i], name) != 0) continue;
        set->bits[i / 64] |= 1ull << i % 64;
        return true;
    }
    (void)fail(p, "no such column: %s", name);
    return false;
}

// "a:", "{a b}:", "-a:", "-{a b}:"; NULL without a failure: there is no filter here.
static struct fts_columns *columns_filter(struct query_parse *p)
{
    bool minus = is_character(p, '-'), list = is_character(p, '{');
    if (!minus && !list && !(p->token == QUERY_STRING && peek(p) == ':')) return NULL;
    u32 words = (p->config->column_count + 63) / 64;
    struct fts_columns *set = arena_alloc(&p->expr->arena, sizeof *set + words * sizeof(u64));
    if (!set) return no_memory(p);
    set->words = words;
    if (minus) advance(p);
    if (is_character(p, '{')) {
        advance(p);
        do {
            if (!column_add(p, set)) return NULL;
        } while (!is_character(p, '}'));
        advance(p);
    } else if (!column_add(p, set)) {
        return NULL;
    }
    if (minus)
        for (u32 i = 0; i < words; i++) set->bits[i] = ~set->bits[i];
    if (!is_character(p, ':')) return syntax_error(p);
    advance(p);
    return set;
}

// What the filter lets through of what the node's own filters do.
static bool columns_apply(struct query_parse *p, struct fts_node *n, const struct fts_columns *set)
{
    if (n->kind == FTS_NODE_NEAR) {
        if (p->config->detail == FTS_DETAIL_NONE && n->phrase_count) {
            (void)fail(p, "fts5: column queries are not supported (detail=none)");
            return false;
        }
        if (!n->columns) {
            size_t size = sizeof *set + set->words * sizeof(u64);
            n->columns = arena_copy(&p->expr->arena, set, size);
            if (!n->columns) {
                (void)no_memory(p);
                return false;
            }
        } else {
            for (u32 i = 0; i < set->words; i++) n->columns->bits[i] &= set->bits[i];
        }
        return true;
    }
    for (u32 i = 0; i < n->child_count; i++)
        if (!columns_apply(p, n->children[i], set)) return false;
    return true;
}

// ---- expressions -----------------------------------------------------------------------------------------------------------

static struct fts_node *expression(struct query_parse *p);

static bool node_empty(const struct fts_node *n)
{
    return n->kind == FTS_NODE_NEAR && n->phrase_count == 1 && n->phrases[0]->term_count == 0;
}

static bool child_add(struct query_parse *p, struct fts_node *n, struct fts_node *child)
{
    n->children = arena_grow(&p->expr->arena, n->children, n->child_count, &n->child_capacity, sizeof *n->children);
    if (!n->children) return no_memory(p) != NULL;
    n->children[n->child_count++] = child;
    n->height = MAX(n->height, child->height + 1);
    return true;
}

// AND in AND, and OR in OR, are one node.
static struct fts_node *join(struct query_parse *p, enum fts_node_kind kind, struct fts_node *left, struct fts_node *right)
{
    if (!left || !right) return NULL;
    const bool flat = kind != FTS_NODE_NOT;
    struct fts_node *n = flat && left->kind == kind ? left : node_new(p, kind);
    if (!n || (n != left && !child_add(p, n, left))) return NULL;
    if (flat && right->kind == kind) {
        for (u32 i = 0; i < right->child_count; i++)
            if (!child_add(p, n, right->children[i])) return NULL;
    } else if (!child_add(p, n, right)) {
        return NULL;
    }
    if (n->height > 256) return fail(p, "fts5 expression tree is too large (maximum depth 256)");
    return n;
}

static bool filter_begins(const struct query_parse *p)
{
    return is_character(p, '-') || is_character(p, '{') || (p->token == QUERY_STRING && peek(p) == ':');
}

static struct fts_node *in_parentheses(struct query_parse *p)
{
    if (++p->depth > 256) return fail(p, "fts5: parser stack overflow");
    advance(p);
    struct fts_node *n = expression(p);
    p->depth--;
    if (!n) return NULL;
    if (!is_character(p, ')')) return syntax_error(p);
    advance(p);
    return n;
}

static struct fts_node *filtered(struct query_parse *p)
{
    if (!filter_begins(p)) return near_set(p);
    struct fts_columns *set = columns_filter(p);
    if (!set) return NULL;
    struct fts_node *n = is_character(p, '(') ? in_parentheses(p) : near_set(p);
    return n && columns_apply(p, n, set) ? n : NULL;
}

static bool primary_begins(const struct query_parse *p)
{
    return p->token == QUERY_STRING || is_character(p, '^') || is_character(p, '{') || is_character(p, '-');
}

// A parenthesis, or phrases side by side.
static struct fts_node *sequence(struct query_parse *p)
{
    if (is_character(p, '(')) return in_parentheses(p);
    if (!primary_begins(p)) return syntax_error(p);
    struct fts_node *n = filtered(p);
    while (n && primary_begins(p)) {
        struct fts_node *next = filtered(p);
        if (!next) return NULL;
        // A phrase without words says nothing among others.
        if (node_empty(next)) continue;
        n = node_empty(n) ? next : join(p, FTS_NODE_AND, n, next);
    }
    return n;
}

static struct fts_node *not_level(struct query_parse *p)
{
    struct fts_node *n = sequence(p);
    while (n && p->token == QUERY_NOT) {
        advance(p);
        n = join(p, FTS_NODE_NOT, n, sequence(p));
    }
    return n;
}

static struct fts_node *and_level(struct query_parse *p)
{
    struct fts_node *n = not_level(p);
    while (n && p->token == QUERY_AND) {
        advance(p);
        n = join(p, FTS_NODE_AND, n, not_level(p));
    }
    return n;
}

static struct fts_node *expression(struct query_parse *p)
{
    struct fts_node *n = and_level(p);
    while (n && p->token == QUERY_OR) {
        advance(p);
        n = join(p, FTS_NODE_OR, n, and_level(p));
    }
    return n;
}

struct fts_expr *fts_expr_parse(const struct fts_config *c, s32 column, const u8 *text, u32 size, struct err *err)
{
    struct fts_expr *e = fts_expr_new(c);
    struct query_parse p = {.config = c, .expr = e, .text = text, .end = text + size, .at = text, .err = err};
    if (!e) return no_memory(&p);
    advance(&p);
    e->root = expression(&p);
    if (!p.failed && p.token != QUERY_END) (void)syntax_error(&p);
    if (!p.failed && e->root && column >= 0) {
        u32 words = (c->column_count + 63) / 64;
        struct fts_columns *set = arena_alloc(&e->arena, sizeof *set + words * sizeof(u64));
        if (!set) {
            (void)no_memory(&p);
        } else {
            set->words = words;
            set->bits[column / 64] |= 1ull << column % 64;
            (void)columns_apply(&p, e->root, set);
        }
    }
    if (!p.failed) return e;
    fts_expr_free(e);
    return NULL;
}
