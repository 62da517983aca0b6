// Expressions by precedence climbing. The levels are those of SQLite's grammar, lowest first:
// OR; AND; NOT; = == <> IS IN LIKE BETWEEN ISNULL ...; < <= > >=; (ESCAPE); & | << >>; + -; * / %;
// || -> ->>; COLLATE; unary ~ + -. A NOT that follows an operand (NOT IN, NOT NULL) has NOT's level.
#include "parse_internal.h"

#include <errno.h>
#include <strings.h>

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

void parse_height_check(struct parse *p, struct expr *e)
{
    if (e->height > p->depth_max)
        parse_fail(p, ERR_ERROR, OFFSET_NONE, "Expression tree is too large (maximum depth %u)", p->depth_max);
}

static struct expr *summed(struct parse *p, struct expr *e)
{
    expr_summarize(e);
    parse_height_check(p, e);
    return e;
}

static struct expr *unary(struct parse *p, enum expr_kind kind, struct expr *left)
{
    struct expr *e = expr_new(p->arena, kind, left->offset);
    e->left = left;
    return summed(p, e);
}

static struct expr *binary(struct parse *p, enum expr_kind kind, struct expr *left, struct expr *right)
{
    struct expr *e = expr_binary(p->arena, kind, left, right);
    parse_height_check(p, e);
    return e;
}

static bool is_literal_false(const struct expr *e)
{
    return (e->kind == EXPR_INTEGER || e->kind == EXPR_BOOLEAN) && e->integer == 0;
}

// What is false by its text alone is the literal 0 from here on: GROUP BY x AND 0 means the 0th column, for instance.
static struct expr *conjunction(struct parse *p, struct expr *left, struct expr *right)
{
    if (!(is_literal_false(left) || is_literal_false(right)) || p->rename || (left->flags | right->flags) & EXPR_F_HAS_FUNCTION)
        return binary(p, EXPR_AND, left, right);
    struct expr *zero = expr_new(p->arena, EXPR_INTEGER, OFFSET_NONE);
    zero->text = "0";
    zero->text_size = 1;
    return summed(p, zero);
}

static struct expr *negated(struct parse *p, bool negate, struct expr *e)
{
    return negate ? unary(p, EXPR_NOT, e) : e;
}

static struct expr *token_expr(struct parse *p, enum expr_kind kind)
{
    struct expr *e = expr_new(p->arena, kind, p->token_offset);
    e->name_offset = p->token_offset;
    return e;
}

// ---- literals ---------------------------------------------------------------------------------------------

static struct expr *integer_literal(struct parse *p, struct expr *e, const char *text, u32 size)
{
    e->text = text;
    e->text_size = size;
    if (size > 2 && text[0] == '0' && (text[1] | 0x20) == 'x') {
        u64 v = 0;
        u32 digits = 0;
        for (u32 i = 2; i < size; i++) {
            if (digits || text[i] != '0') digits++;
            v = v << 4 | (u64)hex_digit((u8)text[i]);
        }
        // An error once it is computed, not before.
        if (digits > 16) e->flags |= EXPR_F_BIG_INTEGER;
        e->integer = (s64)v;
        return e;
    }
    u64 v = 0;
    for (u32 i = 0; i < size; i++) {
        u32 digit = (u32)(text[i] - '0');
        if (v > (u64)(INT64_MAX - digit) / 10 && (v * 10 + digit > (u64)INT64_MAX || v > (u64)INT64_MAX / 10)) {
            e->kind = EXPR_REAL;
            e->flags |= EXPR_F_BIG_INTEGER;
            e->real = strtod(text, NULL);
            return e;
        }
        v = v * 10 + digit;
    }
    e->integer = (s64)v;
    return e;
}

// Digits with separators: each must stand between two digits.
static struct expr *separated_literal(struct parse *p)
{
    const char *z = p->sql + p->token_offset;
    u32 size = p->token_size, out_size = 0;
    char *out = arena_alloc(p->arena, size + 1);
    bool hex = size > 1 && z[0] == '0' && (z[1] | 0x20) == 'x', real = false;
    for (u32 i = 0; i < size; i++) {
        if (z[i] != '_') {
            out[out_size++] = z[i];
            if (!hex && (z[i] == '.' || z[i] == 'e' || z[i] == 'E')) real = true;
            continue;
        }
        char before = i ? z[i - 1] : 0, after = i + 1 < size ? z[i + 1] : 0;
        bool good = hex ? strchr("0123456789abcdefABCDEF", before) && after && strchr("0123456789abcdefABCDEF", after)
                        : before >= '0' && before <= '9' && after >= '0' && after <= '9';
        if (!good)
            parse_fail(p, ERR_ERROR, OFFSET_NONE, "unrecognized token: \"%.*s\"", (int)size, z);
    }
    struct expr *e = token_expr(p, real ? EXPR_REAL : EXPR_INTEGER);
    if (!real) return integer_literal(p, e, out, out_size);
    e->text = out;
    e->text_size = out_size;
    e->real = number_parse((const u8 *)out, out_size).real;
    return e;
}

struct expr *parse_term(struct parse *p)
{
    const char *z = p->sql + p->token_offset;
    struct expr *e;
    switch ((enum token_kind)p->token) {
    case TOKEN_NULL: e = token_expr(p, EXPR_NULL); break;
    case TOKEN_INTEGER:
        e = integer_literal(p, token_expr(p, EXPR_INTEGER), arena_copy(p->arena, z, p->token_size), p->token_size);
        break;
    case TOKEN_FLOAT:
        e = token_expr(p, EXPR_REAL);
        e->text = arena_copy(p->arena, z, p->token_size);
        e->text_size = p->token_size;
        e->real = number_parse((const u8 *)e->text, e->text_size).real;
        break;
    case TOKEN_QUOTED_NUMBER: e = separated_literal(p); break;
    case TOKEN_STRING:
        e = token_expr(p, EXPR_TEXT);
        e->text = parse_token_name(p);
        e->text_size = (u32)strlen(e->text);
        break;
    case TOKEN_BLOB: {
        e = token_expr(p, EXPR_BLOB);
        e->text_size = (p->token_size - 3) / 2;
        u8 *bytes = arena_alloc(p->arena, e->text_size + 1);
        for (u32 i = 0; i < e->text_size; i++)
            bytes[i] = (u8)(hex_digit((u8)z[2 + 2 * i]) << 4 | hex_digit((u8)z[3 + 2 * i]));
        e->text = (char *)bytes;
        break;
    }
    case TOKEN_CTIME: {
        e = token_expr(p, EXPR_CURRENT);
        char *name = arena_copy(p->arena, z, p->token_size);
        for (char *c = name; *c; c++)
            if (*c >= 'A' && *c <= 'Z') *c |= 0x20;
        e->text = name;
        e->text_size = p->token_size;
        e->flags |= EXPR_F_HAS_FUNCTION;
        break;
    }
    default: return NULL;
    }
    e->height = 1;
    parse_advance(p);
    return e;
}

// ---- variables --------------------------------------------------------------------------------------------

static void variable_name_add(struct parse *p, const char *name, u32 number)
{
    p->variables = arena_grow(p->arena, p->variables, p->variables_count, &p->variables_capacity,
                              sizeof *p->variables);
    p->variables[p->variables_count++] = (struct parse_variable){name, number};
}

static struct expr *parse_variable(struct parse *p)
{
    const char *z = p->sql + p->token_offset;
    u32 size = p->token_size, number = 0;
    if (z[0] == '#' && size > 1 && z[1] >= '0' && z[1] <= '9') parse_syntax_error(p);
    struct expr *e = token_expr(p, EXPR_VARIABLE);
    e->height = 1;
    e->text = arena_copy(p->arena, z, size);
    e->text_size = size;
    if (size == 1) {
        number = p->variable_count + 1;
    } else {
        bool known = false;
        if (z[0] == '?') {
            u64 v = 0;
            for (u32 i = 1; i < size && v <= UINT32_MAX; i++) v = v * 10 + (u32)(z[i] - '0');
            if (v < 1 || v > p->variable_max)
                parse_fail(p, ERR_ERROR, p->token_offset, "variable number must be between ?1 and ?%u", p->variable_max);
            number = (u32)v;
            for (u32 i = 0; i < p->variables_count && !known; i++) known = p->variables[i].number == number;
        } else {
            for (u32 i = 0; i < p->variables_count && !known; i++) {
                known = strcmp(p->variables[i].name, e->text) == 0;
                if (known) number = p->variables[i].number;
            }
            if (!known) number = p->variable_count + 1;
        }
        if (!known) variable_name_add(p, e->text, number);
    }
    if (number > p->variable_max) parse_fail(p, ERR_ERROR, p->token_offset, "too many SQL variables");
    if (number > p->variable_count) p->variable_count = number;
    e->variable = number;
    parse_advance(p);
    return e;
}

// ---- functions and windows --------------------------------------------------------------------------------

static void parse_frame_bound(struct parse *p, bool is_start, u8 *bound, struct expr **e)
{
    if (parse_accept(p, TOKEN_UNBOUNDED)) {
        parse_expect(p, is_start ? TOKEN_PRECEDING : TOKEN_FOLLOWING);
        *bound = is_start ? BOUND_UNBOUNDED_PRECEDING : BOUND_UNBOUNDED_FOLLOWING;
    } else if (parse_accept(p, TOKEN_CURRENT)) {
        parse_expect(p, TOKEN_ROW);
        *bound = BOUND_CURRENT_ROW;
    } else {
        *e = parse_expr(p);
        if (parse_accept(p, TOKEN_PRECEDING))
            *bound = BOUND_PRECEDING;
        else if (parse_accept(p, TOKEN_FOLLOWING))
            *bound = BOUND_FOLLOWING;
        else
            parse_syntax_error(p);
    }
}

static void parse_frame(struct parse *p, struct window *w)
{
    w->unit = FRAME_RANGE;
    w->start = BOUND_UNBOUNDED_PRECEDING;
    w->end = BOUND_CURRENT_ROW;
    if (parse_accept(p, TOKEN_RANGE))
        w->unit = FRAME_RANGE;
    else if (parse_accept(p, TOKEN_ROWS))
        w->unit = FRAME_ROWS;
    else if (parse_accept(p, TOKEN_GROUPS))
        w->unit = FRAME_GROUPS;
    else
        return;
    w->frame_said = true;
    if (parse_accept(p, TOKEN_BETWEEN)) {
        parse_frame_bound(p, true, &w->start, &w->start_expr);
        parse_expect(p, TOKEN_AND);
        parse_frame_bound(p, false, &w->end, &w->end_expr);
    } else {
        parse_frame_bound(p, true, &w->start, &w->start_expr);
    }
    if (parse_accept(p, TOKEN_EXCLUDE)) {
        if (parse_accept(p, TOKEN_NO)) {
            parse_expect(p, TOKEN_OTHERS);
            w->exclude = EXCLUDE_NO_OTHERS;
        } else if (parse_accept(p, TOKEN_CURRENT)) {
            parse_expect(p, TOKEN_ROW);
            w->exclude = EXCLUDE_CURRENT_ROW;
        } else if (parse_accept(p, TOKEN_GROUP)) {
            w->exclude = EXCLUDE_GROUP;
        } else if (parse_accept(p, TOKEN_TIES)) {
            w->exclude = EXCLUDE_TIES;
        } else {
            parse_syntax_error(p);
        }
    }
    if ((w->start == BOUND_CURRENT_ROW && w->end == BOUND_PRECEDING) ||
        (w->start == BOUND_FOLLOWING && (w->end == BOUND_PRECEDING || w->end == BOUND_CURRENT_ROW)))
        parse_fail(p, ERR_ERROR, OFFSET_NONE, "unsupported frame specification");
}

// What stands between the parentheses of OVER (...) and WINDOW x AS (...).
static struct window *parse_window_body(struct parse *p)
{
    struct window *w = PARSE_NEW(p, window);
    w->offset = p->token_offset;
    bool keyword = p->token == TOKEN_PARTITION || p->token == TOKEN_RANGE || p->token == TOKEN_ROWS ||
                   p->token == TOKEN_GROUPS;
    if (!keyword && parse_at_name(p)) w->base = parse_name(p);
    if (parse_accept(p, TOKEN_PARTITION)) {
        parse_expect(p, TOKEN_BY);
        w->partition = parse_expr_list(p);
    }
    w->order_by = parse_order_by(p);
    parse_frame(p, w);
    return w;
}

struct window *parse_window_definitions(struct parse *p)
{
    struct window *first = NULL, **last = &first;
    do {
        u32 offset = p->token_offset;
        const char *name = parse_name(p);
        parse_expect(p, TOKEN_AS);
        parse_expect(p, TOKEN_LEFT_PAREN);
        struct window *w = parse_window_body(p);
        parse_expect(p, TOKEN_RIGHT_PAREN);
        w->name = name;
        w->offset = offset;
        *last = w;
        last = &w->next;
    } while (parse_accept(p, TOKEN_COMMA));
    return first;
}

static struct expr *parse_function(struct parse *p)
{
    struct expr *e = token_expr(p, EXPR_FUNCTION);
    e->text = parse_token_name(p);
    e->text_size = (u32)strlen(e->text);
    if (p->sql[p->token_offset] == '"' || p->sql[p->token_offset] == '`' || p->sql[p->token_offset] == '[')
        e->flags |= EXPR_F_QUOTED;
    u32 name_size = p->token_size;
    parse_advance(p);
    parse_expect(p, TOKEN_LEFT_PAREN);
    if (parse_accept(p, TOKEN_STAR)) {
        e->flags |= EXPR_F_STAR;
    } else {
        if (parse_accept(p, TOKEN_DISTINCT))
            e->flags |= EXPR_F_DISTINCT;
        else
            parse_accept(p, TOKEN_ALL);
        if (p->token != TOKEN_RIGHT_PAREN && p->token != TOKEN_ORDER) e->list = parse_expr_list(p);
        e->order_by = parse_order_by(p);
        if (!e->list) e->order_by = NULL; // nothing to put in order: SQLite does not even look at its names
    }
    if (e->list && e->list->count > p->argument_max)
        parse_fail(p, ERR_ERROR, e->offset, "too many arguments on function %.*s", (int)name_size, p->sql + e->offset);
    parse_expect(p, TOKEN_RIGHT_PAREN);
    if (parse_accept(p, TOKEN_FILTER)) {
        parse_expect(p, TOKEN_LEFT_PAREN);
        parse_expect(p, TOKEN_WHERE);
        e->filter = parse_expr(p);
        parse_expect(p, TOKEN_RIGHT_PAREN);
    }
    if (parse_accept(p, TOKEN_OVER)) {
        if (parse_accept(p, TOKEN_LEFT_PAREN)) {
            e->window = parse_window_body(p);
            parse_expect(p, TOKEN_RIGHT_PAREN);
        } else {
            struct window *w = PARSE_NEW(p, window);
            w->offset = p->token_offset;
            w->name = parse_name(p);
            w->reference = true;
            e->window = w;
        }
        if (e->flags & EXPR_F_DISTINCT)
            parse_fail(p, ERR_ERROR, OFFSET_NONE, "DISTINCT is not supported for window functions");
    }
    return summed(p, e);
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
    return summed(p, e);
}

// ---- operands ---------------------------------------------------------------------------------------------

static struct expr *subquery(struct parse *p, enum expr_kind kind)
{
    // It has no place of its own for errors, as SQLite has it; nor have rows, CASE, CAST.
    struct expr *e = expr_new(p->arena, kind, OFFSET_NONE);
    e->select = parse_select(p);
    parse_expect(p, TOKEN_RIGHT_PAREN);
    return summed(p, e);
}

static struct expr *name_expr(struct parse *p)
{
    struct expr *e = token_expr(p, EXPR_NAME);
    char c = p->sql[p->token_offset];
    if (c == '"') e->flags |= EXPR_F_DOUBLE_QUOTED;
    if (c == '"' || c == '`' || c == '[' || c == '\'') e->flags |= EXPR_F_QUOTED;
    e->text = parse_name(p);
    e->text_size = (u32)strlen(e->text);
    e->height = 1;
    return e;
}

static struct expr *parse_dotted(struct parse *p)
{
    struct expr *e = name_expr(p);
    if (!parse_accept(p, TOKEN_DOT)) return e;
    struct expr *second = name_expr(p);
    u32 column_offset = second->name_offset;
    if (p->token == TOKEN_DOT) {
        parse_advance(p);
        column_offset = p->token_offset;
        second = binary(p, EXPR_DOT, second, name_expr(p));
    }
    e = binary(p, EXPR_DOT, e, second);
    e->name_offset = column_offset;
    return e;
}

static struct expr *parse_case(struct parse *p)
{
    struct expr *e = token_expr(p, EXPR_CASE);
    parse_advance(p);
    if (p->token != TOKEN_WHEN) e->left = parse_expr(p);
    e->offset = e->left ? e->left->offset : OFFSET_NONE;
    if (p->token != TOKEN_WHEN) parse_syntax_error(p);
    while (parse_accept(p, TOKEN_WHEN)) {
        expr_list_add(p->arena, &e->list, parse_expr(p));
        parse_expect(p, TOKEN_THEN);
        expr_list_add(p->arena, &e->list, parse_expr(p));
    }
    if (parse_accept(p, TOKEN_ELSE)) expr_list_add(p->arena, &e->list, parse_expr(p));
    parse_expect(p, TOKEN_END);
    return summed(p, e);
}

static struct expr *parse_cast(struct parse *p)
{
    struct expr *e = token_expr(p, EXPR_CAST);
    parse_advance(p);
    parse_expect(p, TOKEN_LEFT_PAREN);
    e->left = parse_expr(p);
    e->offset = e->left->offset;
    parse_expect(p, TOKEN_AS);
    u32 begin = p->token_offset;
    if (parse_at_id(p) || p->token == TOKEN_STRING) {
        while (parse_at_id(p) || p->token == TOKEN_STRING) parse_advance(p);
        if (parse_accept(p, TOKEN_LEFT_PAREN)) {
            parse_signed_number(p);
            if (parse_accept(p, TOKEN_COMMA)) parse_signed_number(p);
            parse_expect(p, TOKEN_RIGHT_PAREN);
        }
        e->text_size = p->previous_end - begin;
    }
    e->text = arena_copy(p->arena, p->sql + begin, e->text_size);
    parse_expect(p, TOKEN_RIGHT_PAREN);
    return summed(p, e);
}

static struct expr *parse_raise(struct parse *p)
{
    struct expr *e = expr_new(p->arena, EXPR_RAISE, OFFSET_NONE);
    parse_advance(p);
    parse_expect(p, TOKEN_LEFT_PAREN);
    if (parse_accept(p, TOKEN_IGNORE)) {
        e->conflict = CONFLICT_IGNORE;
    } else {
        if (parse_accept(p, TOKEN_ROLLBACK))
            e->conflict = CONFLICT_ROLLBACK;
        else if (parse_accept(p, TOKEN_ABORT))
            e->conflict = CONFLICT_ABORT;
        else if (parse_accept(p, TOKEN_FAIL))
            e->conflict = CONFLICT_FAIL;
        else
            parse_syntax_error(p);
        parse_expect(p, TOKEN_COMMA);
        e->left = parse_expr(p);
    }
    parse_expect(p, TOKEN_RIGHT_PAREN);
    return summed(p, e);
}

static struct expr *parse_parenthesized(struct parse *p)
{
    parse_advance(p);
    if (parse_at_select(p)) return subquery(p, EXPR_SELECT);
    struct expr *e = parse_expr(p);
    if (p->token == TOKEN_COMMA) {
        struct expr *row = expr_new(p->arena, EXPR_ROW, OFFSET_NONE);
        expr_list_add(p->arena, &row->list, e);
        while (parse_accept(p, TOKEN_COMMA)) expr_list_add(p->arena, &row->list, parse_expr(p));
        e = summed(p, row);
    }
    parse_expect(p, TOKEN_RIGHT_PAREN);
    e->flags |= EXPR_F_PARENTHESES;
    return e;
}

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
    e = unary(p, EXPR_NEGATE, e);
    return e;
}

static struct expr *parse_operand(struct parse *p)
{
    u32 offset = p->token_offset;
    switch ((enum token_kind)p->token) {
    case TOKEN_LEFT_PAREN: return parse_parenthesized(p);
    case TOKEN_NULL:
    case TOKEN_INTEGER:
    case TOKEN_FLOAT:
    case TOKEN_QUOTED_NUMBER:
    case TOKEN_BLOB:
    case TOKEN_CTIME: return parse_term(p);
    case TOKEN_STRING: return parse_peek(p) == TOKEN_DOT ? parse_dotted(p) : parse_term(p);
    case TOKEN_VARIABLE: return parse_variable(p);
    case TOKEN_NOT:
        parse_advance(p);
        return unary(p, EXPR_NOT, parse_level(p, LEVEL_NOT));
    case TOKEN_BIT_NOT:
        parse_advance(p);
        return unary(p, EXPR_BIT_NOT, parse_level(p, LEVEL_UNARY));
    case TOKEN_MINUS:
        parse_advance(p);
        return negate(p, parse_level(p, LEVEL_UNARY), offset);
    case TOKEN_PLUS: {
        parse_advance(p);
        struct expr *e = parse_level(p, LEVEL_UNARY);
        return e->kind == EXPR_PLUS ? e : unary(p, EXPR_PLUS, e);
    }
    case TOKEN_CASE: return parse_case(p);
    case TOKEN_CAST: return parse_cast(p);
    case TOKEN_RAISE: return parse_raise(p);
    case TOKEN_EXISTS:
        parse_advance(p);
        parse_expect(p, TOKEN_LEFT_PAREN);
        if (!parse_at_select(p)) parse_syntax_error(p);
        return subquery(p, EXPR_EXISTS);
    default:
        if (!parse_at_name(p)) parse_syntax_error(p);
        if (parse_peek(p) == TOKEN_LEFT_PAREN) return parse_function(p);
        return parse_dotted(p);
    }
}

// ---- operators --------------------------------------------------------------------------------------------

static bool is_literal_value(const struct expr *e)
{
    while (e->kind == EXPR_PLUS || e->kind == EXPR_NEGATE) e = e->left;
    return e->kind == EXPR_INTEGER || e->kind == EXPR_TEXT || e->kind == EXPR_REAL || e->kind == EXPR_BLOB;
}

static struct expr *null_test(struct parse *p, enum expr_kind kind, struct expr *e)
{
    if (!p->rename && is_literal_value(e)) {
        struct expr *constant = expr_integer(p->arena, kind == EXPR_NOT_NULL);
        constant->offset = e->offset;
        return constant;
    }
    return unary(p, kind, e);
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
    if (right->kind == EXPR_NULL) return null_test(p, negative ? EXPR_NOT_NULL : EXPR_IS_NULL, left);
    return binary(p, negative ? EXPR_IS_NOT : EXPR_IS, left, right);
}

static struct expr *parse_like(struct parse *p, struct expr *left, bool not)
{
    u32 offset = p->token_offset, size = p->token_size;
    parse_advance(p);
    struct expr *pattern = parse_level(p, LEVEL_EQUAL + 1), *escape = NULL;
    if (parse_accept(p, TOKEN_ESCAPE)) escape = parse_level(p, LEVEL_EQUAL + 1);
    struct expr *e = infix_function(p, offset, size, pattern, left, escape);
    if (not) {
        e = unary(p, EXPR_NOT, e);
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
    while (parse_accept(p, TOKEN_OR)) low = binary(p, EXPR_OR, low, parse_level(p, LEVEL_OR + 1));
    parse_expect(p, TOKEN_AND);
    expr_list_add(p->arena, &e->list, low);
    expr_list_add(p->arena, &e->list, parse_level(p, LEVEL_EQUAL + 1));
    return negated(p, not, summed(p, e));
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
        if (!(left->flags & EXPR_F_HAS_FUNCTION)) return constant;
        return binary(p, not ? EXPR_OR : EXPR_AND, constant, left);
    }
    struct expr *first = list->items[0].expr, *e;
    if (list->count == 1 && left->kind != EXPR_ROW && is_constant(first)) {
        e = binary(p, EXPR_EQ, left, first->kind == EXPR_PLUS ? first : unary(p, EXPR_PLUS, first));
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
            if (x->kind == EXPR_SELECT) continue;
            if (width != left->list->count)
                parse_fail(p, ERR_ERROR, OFFSET_NONE, "IN(...) element has %u term%s - expected %u", width,
                           width == 1 ? "" : "s", left->list->count);
        }
        e->select = list_to_values(p, list);
        e->flags |= EXPR_F_SELECT;
    } else {
        e->list = list;
    }
    return negated(p, not, summed(p, e));
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
            return negated(p, not, summed(p, e));
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
    return negated(p, not, summed(p, e));
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
                left = null_test(p, EXPR_NOT_NULL, left);
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
            left = null_test(p, token == TOKEN_ISNULL ? EXPR_IS_NULL : EXPR_NOT_NULL, left);
            break;
        case TOKEN_COLLATE: {
            struct expr *e = expr_new(p->arena, EXPR_COLLATE, left->offset);
            parse_advance(p);
            e->left = left;
            e->name_offset = p->token_offset;
            e->text = parse_id_or_string(p);
            e->text_size = (u32)strlen(e->text);
            e->flags |= EXPR_F_HAS_COLLATE | EXPR_F_SKIP;
            left = summed(p, e);
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
            left = token == TOKEN_AND ? conjunction(p, left, right) : binary(p, operators[token].kind, left, right);
            break;
        }
    }
}

static struct expr *parse_level(struct parse *p, u32 level)
{
    parse_enter(p);
    struct expr *e = parse_operators(p, parse_operand(p), level);
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
