// What operators stand between: literals, variables, names, function calls with their windows, CASE, CAST, subqueries.
#include "parse_internal.h"

static void parse_height_check(struct parse *p, struct expr *e)
{
    if (e->height > p->depth_max)
        parse_fail(p, ERR_ERROR, OFFSET_NONE, "Expression tree is too large (maximum depth %u)", p->depth_max);
}

struct expr *parse_summed(struct parse *p, struct expr *e)
{
    expr_summarize(e);
    parse_height_check(p, e);
    return e;
}

struct expr *parse_unary(struct parse *p, enum expr_kind kind, struct expr *left)
{
    struct expr *e = expr_new(p->arena, kind, left->offset);
    e->left = left;
    return parse_summed(p, e);
}

struct expr *parse_binary(struct parse *p, enum expr_kind kind, struct expr *left, struct expr *right)
{
    struct expr *e = expr_binary(p->arena, kind, left, right);
    parse_height_check(p, e);
    return e;
}

// At the token under the eye.
static struct expr *parse_token_expr(struct parse *p, enum expr_kind kind)
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
    struct expr *e = parse_token_expr(p, real ? EXPR_REAL : EXPR_INTEGER);
    e->flags |= EXPR_F_SIMPLE; // SQLite does not take a number with separators for a constant
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
    case TOKEN_NULL: e = parse_token_expr(p, EXPR_NULL); break;
    case TOKEN_INTEGER:
        e = integer_literal(p, parse_token_expr(p, EXPR_INTEGER), arena_copy(p->arena, z, p->token_size), p->token_size);
        break;
    case TOKEN_FLOAT:
        e = parse_token_expr(p, EXPR_REAL);
        e->text = arena_copy(p->arena, z, p->token_size);
        e->text_size = p->token_size;
        e->real = number_parse((const u8 *)e->text, e->text_size).real;
        break;
    case TOKEN_QUOTED_NUMBER: e = separated_literal(p); break;
    case TOKEN_STRING:
        e = parse_token_expr(p, EXPR_TEXT);
        e->text = parse_token_name(p);
        e->text_size = (u32)strlen(e->text);
        break;
    case TOKEN_BLOB: {
        e = parse_token_expr(p, EXPR_BLOB);
        u8 *bytes = arena_alloc(p->arena, p->token_size);
        e->text_size = token_blob(z, p->token_size, bytes);
        e->text = (char *)bytes;
        break;
    }
    case TOKEN_CTIME: {
        e = parse_token_expr(p, EXPR_CURRENT);
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
    struct expr *e = parse_token_expr(p, EXPR_VARIABLE);
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
        if (p->left_out) {
            p->left_out(p, *e);
            *e = expr_new(p->arena, EXPR_NULL, OFFSET_NONE);
        }
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
        (w->start == BOUND_FOLLOWING && (w->end == BOUND_PRECEDING || w->end == BOUND_CURRENT_ROW))) {
        if (p->token != TOKEN_RIGHT_PAREN) parse_syntax_error(p); // what SQLite tells first
        parse_fail(p, ERR_ERROR, OFFSET_NONE, "unsupported frame specification");
    }
}

// Names of windows are what is written, with the quotes.
static const char *window_name(struct parse *p)
{
    if (!parse_at_name(p)) parse_syntax_error(p);
    const char *name = arena_copy(p->arena, p->sql + p->token_offset, p->token_size);
    parse_advance(p);
    return name;
}

// What stands between the parentheses of OVER (...) and WINDOW x AS (...).
static struct window *parse_window_body(struct parse *p)
{
    struct window *w = PARSE_NEW(p, window);
    w->offset = p->token_offset;
    bool keyword = p->token == TOKEN_PARTITION || p->token == TOKEN_RANGE || p->token == TOKEN_ROWS ||
                   p->token == TOKEN_GROUPS;
    if (!keyword && parse_at_name(p)) w->base = window_name(p);
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
        const char *name = window_name(p);
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
    struct expr *e = parse_token_expr(p, EXPR_FUNCTION);
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
            w->name = window_name(p);
            w->reference = true;
            e->window = w;
        }
        if (e->flags & EXPR_F_DISTINCT)
            parse_fail(p, ERR_ERROR, OFFSET_NONE, "DISTINCT is not supported for window functions");
        if (e->order_by) parse_fail(p, ERR_ERROR, e->offset, "ORDER BY may not be used with non-aggregate %s()", e->text);
    }
    return parse_summed(p, e);
}

// ---- operands ---------------------------------------------------------------------------------------------

static struct expr *subquery(struct parse *p, enum expr_kind kind)
{
    // It has no place of its own for errors, as SQLite has it; nor have rows, CASE, CAST.
    struct expr *e = expr_new(p->arena, kind, OFFSET_NONE);
    e->select = parse_select(p);
    parse_expect(p, TOKEN_RIGHT_PAREN);
    return parse_summed(p, e);
}

static struct expr *name_expr(struct parse *p)
{
    struct expr *e = parse_token_expr(p, EXPR_NAME);
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
        second = parse_binary(p, EXPR_DOT, second, name_expr(p));
    }
    e = parse_binary(p, EXPR_DOT, e, second);
    e->name_offset = column_offset;
    return e;
}

static struct expr *parse_case(struct parse *p)
{
    struct expr *e = parse_token_expr(p, EXPR_CASE);
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
    return parse_summed(p, e);
}

static struct expr *parse_cast(struct parse *p)
{
    struct expr *e = parse_token_expr(p, EXPR_CAST);
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
    return parse_summed(p, e);
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
    return parse_summed(p, e);
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
        e = parse_summed(p, row);
    }
    parse_expect(p, TOKEN_RIGHT_PAREN);
    e->flags |= EXPR_F_PARENTHESES;
    return e;
}

struct expr *parse_operand(struct parse *p)
{
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
