// Expressions by precedence climbing. The levels are those of SQLite's grammar, lowest first:
// OR; AND; NOT; = == <> IS IN LIKE BETWEEN ISNULL ...; < <= > >=; (ESCAPE); & | << >>; + -; * / %;
// || -> ->>; COLLATE; unary ~ + -. A NOT that follows an operand (NOT IN, NOT NULL) has NOT's level.
#include "parse_internal.h"

enum level {
    LEVEL_OR = 1,
    LEVEL_AND,
    LEVEL_NOT,
    LEVEL_EQUAL,
    LEVEL_LESS,
    LEVEL_ESCAPE,
    LEVEL_BIT,
    LEVEL_ADD,
    LEVEL_MULTIPLY,
    LEVEL_CONCAT,
    LEVEL_COLLATE,
    LEVEL_UNARY,
};

static const struct {
    u8 level;
    u8 kind; // of plain binary operators
} operators[] = {
    [TOKEN_OR] = {LEVEL_OR, EXPR_OR},
    [TOKEN_AND] = {LEVEL_AND, EXPR_AND},
    [TOKEN_NOT] = {LEVEL_NOT, 0},
    [TOKEN_IS] = {LEVEL_EQUAL, 0},
    [TOKEN_MATCH] = {LEVEL_EQUAL, 0},
    [TOKEN_LIKE] = {LEVEL_EQUAL, 0},
    [TOKEN_BETWEEN] = {LEVEL_EQUAL, 0},
    [TOKEN_IN] = {LEVEL_EQUAL, 0},
    [TOKEN_ISNULL] = {LEVEL_EQUAL, 0},
    [TOKEN_NOTNULL] = {LEVEL_EQUAL, 0},
    [TOKEN_NE] = {LEVEL_EQUAL, EXPR_NE},
    [TOKEN_EQ] = {LEVEL_EQUAL, EXPR_EQ},
    [TOKEN_GT] = {LEVEL_LESS, EXPR_GT},
    [TOKEN_LE] = {LEVEL_LESS, EXPR_LE},
    [TOKEN_LT] = {LEVEL_LESS, EXPR_LT},
    [TOKEN_GE] = {LEVEL_LESS, EXPR_GE},
    [TOKEN_BIT_AND] = {LEVEL_BIT, EXPR_BIT_AND},
    [TOKEN_BIT_OR] = {LEVEL_BIT, EXPR_BIT_OR},
    [TOKEN_SHIFT_LEFT] = {LEVEL_BIT, EXPR_SHIFT_LEFT},
    [TOKEN_SHIFT_RIGHT] = {LEVEL_BIT, EXPR_SHIFT_RIGHT},
    [TOKEN_PLUS] = {LEVEL_ADD, EXPR_ADD},
    [TOKEN_MINUS] = {LEVEL_ADD, EXPR_SUBTRACT},
    [TOKEN_STAR] = {LEVEL_MULTIPLY, EXPR_MULTIPLY},
    [TOKEN_SLASH] = {LEVEL_MULTIPLY, EXPR_DIVIDE},
    [TOKEN_PERCENT] = {LEVEL_MULTIPLY, EXPR_REMAINDER},
    [TOKEN_CONCAT] = {LEVEL_CONCAT, EXPR_CONCAT},
    [TOKEN_ARROW] = {LEVEL_CONCAT, 0},
    [TOKEN_COLLATE] = {LEVEL_COLLATE, 0},
    [TOKEN_FILTER] = {0, 0},
};

static struct expr *parse_level(struct parse *p, u32 level);

static bool is_literal_false(const struct expr *e)
{
    return (e->kind == EXPR_INTEGER || e->kind == EXPR_BOOLEAN) && e->integer == 0;
}

// What is false by its text alone is the literal 0 from here on: GROUP BY x AND 0 means the 0th column, for instance.
static struct expr *conjunction(struct parse *p, struct expr *left, struct expr *right)
{
    if (!(is_literal_false(left) || is_literal_false(right)) || p->rename || (left->flags | right->flags) & EXPR_F_HAS_FUNCTION)
        return parse_binary(p, EXPR_AND, left, right);
    struct expr *zero = expr_new(p->arena, EXPR_INTEGER, OFFSET_NONE);
    zero->text = "0";
    zero->text_size = 1;
    return parse_summed(p, zero);
}

static struct expr *negated(struct parse *p, bool negate, struct expr *e)
{
    return negate ? parse_unary(p, EXPR_NOT, e) : e;
}

// ---- operators --------------------------------------------------------------------------------------------

// The smallest integer has no positive counterpart: its minus belongs to the literal.
static struct expr *negate(struct parse *p, struct expr *e, u32 offset)
{
    if (e->kind == EXPR_PLUS) {
        e->kind = EXPR_NEGATE;
        return e;
    }
    if (e->kind == EXPR_REAL && e->flags & EXPR_F_BIG_INTEGER) {
        const char *digits = e->text;
        while (*digits == '0') digits++;
        if (strcmp(digits, "9223372036854775808") == 0) {
            e->kind = EXPR_INTEGER;
            e->flags &= ~(u32)EXPR_F_BIG_INTEGER;
            e->integer = INT64_MIN;
            e->offset = offset;
            return e;
        }
    }
    e = parse_unary(p, EXPR_NEGATE, e);
    return e;
}

static struct expr *parse_prefix(struct parse *p)
{
    u32 offset = p->token_offset;
    switch ((enum token_kind)p->token) {
    case TOKEN_NOT:
        parse_advance(p);
        return parse_unary(p, EXPR_NOT, parse_level(p, LEVEL_NOT));
    case TOKEN_BIT_NOT:
        parse_advance(p);
        return parse_unary(p, EXPR_BIT_NOT, parse_level(p, LEVEL_UNARY));
    case TOKEN_MINUS:
        parse_advance(p);
        return negate(p, parse_level(p, LEVEL_UNARY), offset);
    case TOKEN_PLUS: {
        parse_advance(p);
        struct expr *e = parse_level(p, LEVEL_UNARY);
        return e->kind == EXPR_PLUS ? e : parse_unary(p, EXPR_PLUS, e);
    }
    default: return parse_operand(p);
    }
}

static struct expr *infix_function(struct parse *p, u32 name_offset, u32 name_size, struct expr *first,
                                   struct expr *second, struct expr *third)
{
    struct expr *e = expr_new(p->arena, EXPR_FUNCTION, name_offset);
    e->name_offset = name_offset;
    e->text = arena_copy(p->arena, p->sql + name_offset, name_size);
    e->text_size = name_size;
    expr_list_add(p->arena, &e->list, first);
    expr_list_add(p->arena, &e->list, second);
    if (third) expr_list_add(p->arena, &e->list, third);
    e->flags |= EXPR_F_INFIX;
    return parse_summed(p, e);
}

static struct expr *parse_is(struct parse *p, struct expr *left)
{
    parse_advance(p);
    bool not = parse_accept(p, TOKEN_NOT), distinct = false;
    if (parse_accept(p, TOKEN_DISTINCT)) {
        parse_expect(p, TOKEN_FROM);
        distinct = true;
    }
    struct expr *right = parse_level(p, LEVEL_EQUAL + 1);
    bool negative = not != distinct;
    if (right->kind == EXPR_NULL) return parse_unary(p, negative ? EXPR_NOT_NULL : EXPR_IS_NULL, left);
    return parse_binary(p, negative ? EXPR_IS_NOT : EXPR_IS, left, right);
}

static struct expr *parse_like(struct parse *p, struct expr *left, bool not)
{
    u32 offset = p->token_offset, size = p->token_size;
    parse_advance(p);
    struct expr *pattern = parse_level(p, LEVEL_EQUAL + 1), *escape = NULL;
    if (parse_accept(p, TOKEN_ESCAPE)) escape = parse_level(p, LEVEL_EQUAL + 1);
    struct expr *e = infix_function(p, offset, size, pattern, left, escape);
    if (not) {
        e = parse_unary(p, EXPR_NOT, e);
        e->flags |= EXPR_F_INFIX;
    }
    return e;
}

static struct expr *parse_between(struct parse *p, struct expr *left, bool not)
{
    parse_advance(p);
    struct expr *e = expr_new(p->arena, EXPR_BETWEEN, left->offset);
    e->left = left;
    // The first AND that no OR has claimed belongs to BETWEEN.
    struct expr *low = parse_level(p, LEVEL_AND + 1);
    while (parse_accept(p, TOKEN_OR)) low = parse_binary(p, EXPR_OR, low, parse_level(p, LEVEL_OR + 1));
    parse_expect(p, TOKEN_AND);
    expr_list_add(p->arena, &e->list, low);
    expr_list_add(p->arena, &e->list, parse_level(p, LEVEL_EQUAL + 1));
    e = parse_summed(p, e);
    // SQLite does not see functions in its bounds: "AND 0" takes them away too. (Once names are resolved they are seen again.)
    if (!(left->flags & EXPR_F_HAS_FUNCTION)) e->flags &= ~(u32)EXPR_F_HAS_FUNCTION;
    return negated(p, not, e);
}

static bool is_constant(const struct expr *e)
{
    switch ((enum expr_kind)e->kind) {
    case EXPR_NULL:
    case EXPR_INTEGER:
    case EXPR_REAL:
    case EXPR_TEXT:
    case EXPR_BLOB:
    case EXPR_VARIABLE: return true;
    case EXPR_PLUS:
    case EXPR_NEGATE:
    case EXPR_BIT_NOT:
    case EXPR_NOT:
    case EXPR_IS_NULL:
    case EXPR_NOT_NULL:
    case EXPR_CAST:
    case EXPR_COLLATE: return is_constant(e->left);
    case EXPR_OR:
    case EXPR_AND:
    case EXPR_EQ:
    case EXPR_NE:
    case EXPR_LT:
    case EXPR_LE:
    case EXPR_GT:
    case EXPR_GE:
    case EXPR_IS:
    case EXPR_IS_NOT:
    case EXPR_BIT_AND:
    case EXPR_BIT_OR:
    case EXPR_SHIFT_LEFT:
    case EXPR_SHIFT_RIGHT:
    case EXPR_ADD:
    case EXPR_SUBTRACT:
    case EXPR_MULTIPLY:
    case EXPR_DIVIDE:
    case EXPR_REMAINDER:
    case EXPR_CONCAT: return is_constant(e->left) && is_constant(e->right);
    default: return false;
    }
}

static struct select *list_to_values(struct parse *p, struct expr_list *list)
{
    struct select *s = NULL;
    for (u32 i = 0; i < list->count; i++) {
        struct select *row = PARSE_NEW(p, select);
        row->flags = SELECT_F_VALUES | (list->count > 1 ? SELECT_F_MULTI_VALUE | SELECT_F_COMPOUND : 0);
        struct expr *e = list->items[i].expr;
        if (e->kind == EXPR_ROW)
            row->columns = e->list;
        else
            expr_list_add(p->arena, &row->columns, e);
        if (s) {
            row->op = SELECT_UNION_ALL;
            row->prior = s;
            s->next = row;
        }
        s = parse_select_number(p, row);
    }
    return s;
}

static struct expr *parse_in_list(struct parse *p, struct expr *left, bool not, struct expr_list *list)
{
    if (!list) {
        struct expr *constant = expr_new(p->arena, EXPR_BOOLEAN, left->offset);
        constant->integer = not;
        constant->text = not ? "true" : "false";
        constant->text_size = (u32)strlen(constant->text);
        constant->height = 1;
        const struct expr *asked = left; // of a row only the first value
        while (asked->kind == EXPR_ROW) asked = asked->list->items[0].expr;
        if (!(asked->flags & EXPR_F_HAS_FUNCTION)) {
            if (p->left_out) p->left_out(p, left);
            return constant;
        }
        return parse_binary(p, not ? EXPR_OR : EXPR_AND, constant, left);
    }
    struct expr *first = list->items[0].expr, *e;
    if (list->count == 1 && left->kind != EXPR_ROW && is_constant(first)) {
        e = parse_binary(p, EXPR_EQ, left, first->kind == EXPR_PLUS ? first : parse_unary(p, EXPR_PLUS, first));
        return negated(p, not, e);
    }
    e = expr_new(p->arena, EXPR_IN, left->offset);
    e->left = left;
    if (list->count == 1 && first->kind == EXPR_SELECT) {
        e->select = first->select;
        e->flags |= EXPR_F_SELECT;
    } else if (left->kind == EXPR_ROW) {
        for (u32 i = 0; i < list->count; i++) {
            struct expr *x = list->items[i].expr;
            u32 width = x->kind == EXPR_ROW ? x->list->count : 1;
            if (width != left->list->count)
                parse_fail(p, ERR_ERROR, OFFSET_NONE, "IN(...) element has %u term%s - expected %u", width,
                           width == 1 ? "" : "s", left->list->count);
        }
        e->select = list_to_values(p, list);
        e->flags |= EXPR_F_SELECT;
    } else {
        e->list = list;
    }
    return negated(p, not, parse_summed(p, e));
}

static struct expr *parse_in(struct parse *p, struct expr *left, bool not)
{
    parse_advance(p);
    if (parse_accept(p, TOKEN_LEFT_PAREN)) {
        if (parse_at_select(p)) {
            struct expr *e = expr_new(p->arena, EXPR_IN, left->offset);
            e->left = left;
            e->select = parse_select(p);
            e->flags |= EXPR_F_SELECT;
            parse_expect(p, TOKEN_RIGHT_PAREN);
            return negated(p, not, parse_summed(p, e));
        }
        struct expr_list *list = p->token == TOKEN_RIGHT_PAREN ? NULL : parse_expr_list(p);
        parse_expect(p, TOKEN_RIGHT_PAREN);
        return parse_in_list(p, left, not, list);
    }
    struct object_name name;
    parse_object_name(p, &name);
    struct select *s = PARSE_NEW(p, select);
    s->offset = name.offset;
    struct source *source = source_list_add(p->arena, &s->from);
    source->schema_name = name.schema;
    source->schema_offset = name.schema_offset;
    source->name = name.name;
    source->offset = name.offset;
    if (parse_accept(p, TOKEN_LEFT_PAREN)) {
        source->is_function = true;
        if (p->token != TOKEN_RIGHT_PAREN) source->arguments = parse_expr_list(p);
        parse_expect(p, TOKEN_RIGHT_PAREN);
    }
    struct expr *star = expr_new(p->arena, EXPR_STAR, OFFSET_NONE);
    star->height = 1;
    expr_list_add(p->arena, &s->columns, star);
    struct expr *e = expr_new(p->arena, EXPR_IN, left->offset);
    e->left = left;
    e->select = parse_select_number(p, s);
    e->flags |= EXPR_F_SELECT | EXPR_F_TABLE_IN;
    return negated(p, not, parse_summed(p, e));
}

// What follows an operand and binds at least as tightly as level.
static struct expr *parse_operators(struct parse *p, struct expr *left, u32 level)
{
    for (;;) {
        enum token_kind token = p->token;
        u32 at = token < COUNT_OF(operators) ? operators[token].level : 0;
        if (at == 0 || at < level) return left;
        switch (token) {
        case TOKEN_NOT:
            parse_advance(p);
            if (p->token == TOKEN_LIKE || p->token == TOKEN_MATCH) {
                left = parse_like(p, left, true);
            } else if (p->token == TOKEN_BETWEEN) {
                left = parse_between(p, left, true);
            } else if (p->token == TOKEN_IN) {
                left = parse_in(p, left, true);
            } else {
                parse_expect(p, TOKEN_NULL);
                left = parse_unary(p, EXPR_NOT_NULL, left);
            }
            break;
        case TOKEN_LIKE:
        case TOKEN_MATCH: left = parse_like(p, left, false); break;
        case TOKEN_BETWEEN: left = parse_between(p, left, false); break;
        case TOKEN_IN: left = parse_in(p, left, false); break;
        case TOKEN_IS: left = parse_is(p, left); break;
        case TOKEN_ISNULL:
        case TOKEN_NOTNULL:
            parse_advance(p);
            left = parse_unary(p, token == TOKEN_ISNULL ? EXPR_IS_NULL : EXPR_NOT_NULL, left);
            break;
        case TOKEN_COLLATE: {
            struct expr *e = expr_new(p->arena, EXPR_COLLATE, left->offset);
            parse_advance(p);
            e->left = left;
            e->name_offset = p->token_offset;
            e->text = parse_id_or_string(p);
            e->text_size = (u32)strlen(e->text);
            e->flags |= EXPR_F_HAS_COLLATE | EXPR_F_SKIP;
            left = parse_summed(p, e);
            break;
        }
        case TOKEN_ARROW: {
            u32 offset = p->token_offset, size = p->token_size;
            parse_advance(p);
            left = infix_function(p, offset, size, left, parse_level(p, LEVEL_CONCAT + 1), NULL);
            break;
        }
        default:
            parse_advance(p);
            struct expr *right = parse_level(p, at + 1);
            left = token == TOKEN_AND ? conjunction(p, left, right) : parse_binary(p, operators[token].kind, left, right);
            break;
        }
    }
}

static struct expr *parse_level(struct parse *p, u32 level)
{
    parse_enter(p);
    struct expr *e = parse_operators(p, parse_prefix(p), level);
    parse_leave(p);
    return e;
}

struct expr *parse_expr(struct parse *p) { return parse_level(p, LEVEL_OR); }

// ---- lists ------------------------------------------------------------------------------------------------

struct expr_list *parse_expr_list(struct parse *p)
{
    struct expr_list *list = NULL;
    do {
        u32 offset = p->token_offset;
        struct expr *e = parse_expr(p);
        expr_list_add(p->arena, &list, e)->span = parse_span_from(p, offset);
    } while (parse_accept(p, TOKEN_COMMA));
    return list;
}

struct expr_list *parse_sort_list(struct parse *p)
{
    struct expr_list *list = NULL;
    do {
        u32 offset = p->token_offset;
        struct expr_item *item = expr_list_add(p->arena, &list, parse_expr(p));
        item->span = parse_span_from(p, offset);
        item->descending = p->token == TOKEN_DESC;
        if (p->token == TOKEN_ASC || p->token == TOKEN_DESC) {
            item->order_said = true;
            parse_advance(p);
        }
        if (parse_accept(p, TOKEN_NULLS)) {
            item->nulls_said = true;
            if (parse_accept(p, TOKEN_LAST))
                item->nulls_last = true;
            else
                parse_expect(p, TOKEN_FIRST);
        }
    } while (parse_accept(p, TOKEN_COMMA));
    return list;
}

struct expr_list *parse_order_by(struct parse *p)
{
    if (!parse_accept(p, TOKEN_ORDER)) return NULL;
    parse_expect(p, TOKEN_BY);
    return parse_sort_list(p);
}

void parse_limit(struct parse *p, struct expr **limit, struct expr **offset)
{
    if (!parse_accept(p, TOKEN_LIMIT)) return;
    *limit = parse_expr(p);
    if (parse_accept(p, TOKEN_OFFSET)) {
        *offset = parse_expr(p);
    } else if (parse_accept(p, TOKEN_COMMA)) {
        *offset = *limit;
        *limit = parse_expr(p);
    }
}
