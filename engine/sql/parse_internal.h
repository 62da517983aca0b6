// What the parser's files share.
#pragma once

#include "parse.h"
#include "token.h"

void parse_advance(struct parse *p);
_Noreturn void parse_syntax_error(struct parse *p);

static inline bool parse_at(const struct parse *p, enum token_kind k) { return p->token == k; }
static inline bool parse_accept(struct parse *p, enum token_kind k)
{
    if (p->token != k) return false;
    parse_advance(p);
    return true;
}
static inline void parse_expect(struct parse *p, enum token_kind k)
{
    if (p->token != k) parse_syntax_error(p);
    parse_advance(p);
}
// The kind of the token after the one under the eye.
enum token_kind parse_peek(const struct parse *p);

static inline bool parse_at_id(const struct parse *p) // ID or a keyword that falls back
{
    return p->token == TOKEN_ID || token_falls_back(p->token);
}
static inline bool parse_at_name(const struct parse *p) // nm
{
    return parse_at_id(p) || p->token == TOKEN_STRING || p->token == TOKEN_INDEXED || p->token == TOKEN_JOIN_KW;
}
const char *parse_token_name(struct parse *p); // of the token under the eye, dequoted
const char *parse_name(struct parse *p);       // nm
const char *parse_id_or_string(struct parse *p);
void parse_object_name(struct parse *p, struct object_name *out); // nm dbnm
bool parse_if_not_exists(struct parse *p);
u8 parse_on_conflict(struct parse *p); // ON CONFLICT x, or CONFLICT_NONE
u8 parse_or_conflict(struct parse *p); // OR x, or CONFLICT_NONE

struct expr *parse_expr(struct parse *p);
struct expr *parse_term(struct parse *p); // a literal, as DEFAULT takes it; NULL: there is none
struct expr_list *parse_expr_list(struct parse *p); // at least one
struct expr_list *parse_sort_list(struct parse *p);
struct expr_list *parse_order_by(struct parse *p); // ORDER BY ..., or NULL
struct select *parse_select_number(struct parse *p, struct select *s); // gives s its number
void parse_limit(struct parse *p, struct expr **limit, struct expr **offset);
struct name_list *parse_name_list(struct parse *p); // nm, nm
struct name_list *parse_column_list(struct parse *p); // nm [COLLATE x] [ASC], ... as old schemas have it
struct window *parse_window_definitions(struct parse *p);
void parse_signed_number(struct parse *p); // of a type's size
struct expr *parse_operand(struct parse *p); // what operators stand between
struct expr *parse_summed(struct parse *p, struct expr *e); // its height and flags taken from its operands
struct expr *parse_unary(struct parse *p, enum expr_kind kind, struct expr *left);
struct expr *parse_binary(struct parse *p, enum expr_kind kind, struct expr *left, struct expr *right);
struct text_span parse_span_from(const struct parse *p, u32 offset); // to the token under the eye, trimmed

bool parse_at_select(const struct parse *p);
struct select *parse_select(struct parse *p);
struct with *parse_with(struct parse *p); // WITH ..., or NULL
struct expr_list *parse_result_list(struct parse *p);
struct source_list *parse_from(struct parse *p);
struct stmt *parse_dml(struct parse *p, struct with *with, bool in_trigger);

struct stmt *parse_create(struct parse *p);
struct stmt *parse_alter(struct parse *p);

void *parse_stmt_new(struct parse *p, enum stmt_kind kind, size_t size);
#define PARSE_NEW(p, type)                  ((struct type *)arena_alloc((p)->arena, sizeof(struct type)))
#define PARSE_STMT(p, kind, type) ((struct type *)parse_stmt_new((p), (kind), sizeof(struct type)))

// Guards the C stack; every recursion passes through here.
void parse_enter(struct parse *p);
static inline void parse_leave(struct parse *p) { p->depth--; }
