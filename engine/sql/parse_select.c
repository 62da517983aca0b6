// SELECT, VALUES, WITH and FROM.
#include "parse_internal.h"

#include <strings.h>

bool parse_at_select(const struct parse *p)
{
    return p->token == TOKEN_SELECT || p->token == TOKEN_VALUES || p->token == TOKEN_WITH;
}

static struct expr *star_expr(struct parse *p, u32 offset)
{
    struct expr *e = expr_new(p->arena, EXPR_STAR, offset);
    e->height = 1;
    return e;
}

// [AS] name; without AS neither INDEXED nor the join words may be an alias.
static const char *parse_alias(struct parse *p, u32 *offset)
{
    *offset = OFFSET_NONE;
    if (parse_accept(p, TOKEN_AS)) {
        *offset = p->token_offset;
        return parse_name(p);
    }
    if (!parse_at_id(p) && p->token != TOKEN_STRING) return NULL;
    *offset = p->token_offset;
    return parse_id_or_string(p);
}

struct expr_list *parse_result_list(struct parse *p)
{
    struct expr_list *list = NULL;
    do {
        u32 offset = p->token_offset;
        if (parse_accept(p, TOKEN_STAR)) {
            expr_list_add(p->arena, &list, star_expr(p, offset))->span = (struct text_span){offset, 1};
            continue;
        }
        if (parse_at_name(p) && parse_peek(p) == TOKEN_DOT) {
            // name.* needs a third token to be told from name.column.
            enum token_kind kind;
            u32 at = p->token_offset + p->token_size, dots = 0;
            do {
                at += token_scan(p->sql + at, &kind);
                dots += kind == TOKEN_DOT;
            } while (kind == TOKEN_SPACE || (kind == TOKEN_DOT && dots == 1));
            if (kind == TOKEN_STAR) {
                struct expr *name = expr_new(p->arena, EXPR_NAME, offset);
                name->name_offset = offset;
                name->height = 1;
                name->text = parse_name(p);
                name->text_size = (u32)strlen(name->text);
                parse_advance(p);
                struct expr *e = expr_binary(p->arena, EXPR_DOT, name, star_expr(p, p->token_offset));
                parse_advance(p);
                expr_list_add(p->arena, &list, e)->span = parse_span_from(p, offset);
                continue;
            }
        }
        struct expr_item *item = expr_list_add(p->arena, &list, parse_expr(p));
        item->span = parse_span_from(p, offset);
        item->name = parse_alias(p, &item->name_offset);
        if (item->name) item->name_kind = ITEM_ALIAS;
    } while (parse_accept(p, TOKEN_COMMA));
    return list;
}

// ---- FROM -------------------------------------------------------------------------------------------------

static u8 join_word(const char *word, u32 size)
{
    static const struct {
        const char *word;
        u8 join;
    } words[] = {
        {"natural", JOIN_NATURAL},
        {"left", JOIN_LEFT | JOIN_OUTER},
        {"outer", JOIN_OUTER},
        {"right", JOIN_RIGHT | JOIN_OUTER},
        {"full", JOIN_LEFT | JOIN_RIGHT | JOIN_OUTER},
        {"inner", JOIN_INNER},
        {"cross", JOIN_INNER | JOIN_CROSS},
    };
    for (u32 i = 0; i < COUNT_OF(words); i++)
        if (strlen(words[i].word) == size && strncasecmp(word, words[i].word, size) == 0) return words[i].join;
    return 0;
}

// Gives the kind of join, 0 when the list ends.
static u8 parse_join_operator(struct parse *p)
{
    if (parse_accept(p, TOKEN_COMMA)) return JOIN_INNER | JOIN_COMMA;
    if (parse_accept(p, TOKEN_JOIN)) return JOIN_INNER;
    if (p->token != TOKEN_JOIN_KW) return 0;
    struct text_span words[3];
    u32 count = 0;
    u8 join = 0;
    bool bad = false;
    do {
        words[count] = (struct text_span){p->token_offset, p->token_size};
        u8 bits = join_word(p->sql + p->token_offset, p->token_size);
        if (!bits) bad = true;
        join |= bits;
        count++;
        parse_advance(p);
    } while (count < 3 && p->token != TOKEN_JOIN && parse_at_name(p));
    parse_expect(p, TOKEN_JOIN);
    if (bad || (join & JOIN_INNER && join & JOIN_OUTER) ||
        (join & (JOIN_OUTER | JOIN_LEFT | JOIN_RIGHT)) == JOIN_OUTER) {
#define WORD(i) (int)(count > (i) ? words[i].size : 0), p->sql + (count > (i) ? words[i].offset : 0)
        parse_fail(p, ERR_ERROR, words[0].offset, "unknown join type: %.*s%s%.*s%s%.*s", WORD(0),
                   count > 1 ? " " : "", WORD(1), count > 2 ? " " : "", WORD(2));
#undef WORD
    }
    return join;
}

static void parse_on_using(struct parse *p, struct source *s, bool first)
{
    const char *which = NULL;
    if (parse_accept(p, TOKEN_ON)) {
        s->on = parse_expr(p);
        which = "ON";
    } else if (parse_accept(p, TOKEN_USING)) {
        parse_expect(p, TOKEN_LEFT_PAREN);
        s->using = parse_name_list(p);
        parse_expect(p, TOKEN_RIGHT_PAREN);
        which = "USING";
    }
    if (!which || !first) return;
    // The clause does not end here: that is the mistake that counts.
    if (token_falls_back(p->token) || (p->token >= TOKEN_ID && p->token <= TOKEN_VARIABLE) || p->token == TOKEN_ON || p->token == TOKEN_USING)
        parse_syntax_error(p);
    parse_fail(p, ERR_ERROR, OFFSET_NONE, "a JOIN clause is required before %s", which);
}

// A parenthesized list: a lone table without alias or ON stands for itself, anything else becomes
// (SELECT * FROM list).
static void source_from_nested(struct parse *p, struct source *s, struct source_list *nested)
{
    if (nested->count == 1) {
        struct source inner = nested->items[0];
        const char *alias = s->alias;
        u32 alias_offset = s->alias_offset;
        struct expr *on = s->on;
        struct name_list *using = s->using;
        u8 join = s->join;
        *s = inner;
        s->join = join;
        s->indexed_by = NULL; // SQLite forgets it
        s->not_indexed = false;
        s->on = on;
        s->using = using;
        if (alias) {
            s->alias = alias;
            s->alias_offset = alias_offset;
        }
        return;
    }
    struct select *select = PARSE_NEW(p, select);
    select->flags = SELECT_F_NESTED_FROM;
    select->offset = OFFSET_NONE;
    expr_list_add(p->arena, &select->columns, star_expr(p, OFFSET_NONE));
    select->from = nested;
    s->select = parse_select_number(p, select);
}

static void parse_source_name(struct parse *p, struct source *s)
{
    struct object_name name;
    parse_object_name(p, &name);
    s->schema_name = name.schema;
    s->schema_offset = name.schema_offset;
    s->name = name.name;
    s->offset = name.offset;
}

static bool parse_indexed(struct parse *p, struct source *s)
{
    if (parse_accept(p, TOKEN_INDEXED)) {
        parse_expect(p, TOKEN_BY);
        s->indexed_by_offset = p->token_offset;
        s->indexed_by = parse_name(p);
        return true;
    }
    if (parse_accept(p, TOKEN_NOT)) {
        parse_expect(p, TOKEN_INDEXED);
        s->not_indexed = true;
        return true;
    }
    return false;
}

static struct source_list *parse_source_list(struct parse *p)
{
    parse_enter(p);
    struct source_list *list = NULL;
    u8 join = 0, all = 0;
    do {
        bool first = list == NULL;
        // Filled in apart: the list may move while subqueries are parsed.
        struct source s = {.offset = OFFSET_NONE, .schema_offset = OFFSET_NONE, .alias_offset = OFFSET_NONE,
                           .cursor = -1, .join = join};
        all |= join;
        if (p->token == TOKEN_LEFT_PAREN) {
            s.offset = p->token_offset;
            parse_advance(p);
            struct source_list *nested = NULL;
            if (parse_at_select(p))
                s.select = parse_select(p);
            else
                nested = parse_source_list(p);
            parse_expect(p, TOKEN_RIGHT_PAREN);
            s.alias = parse_alias(p, &s.alias_offset);
            parse_on_using(p, &s, first);
            if (nested && first && !s.alias && !s.on && !s.using) {
                // ((a JOIN b) ...) : the parentheses change nothing.
                list = nested;
                for (u32 i = 0; i < list->count; i++) all |= list->items[i].join;
                continue;
            }
            if (nested) source_from_nested(p, &s, nested);
        } else {
            parse_source_name(p, &s);
            if (p->token == TOKEN_LEFT_PAREN) {
                parse_advance(p);
                s.is_function = true;
                if (p->token != TOKEN_RIGHT_PAREN) s.arguments = parse_expr_list(p);
                parse_expect(p, TOKEN_RIGHT_PAREN);
                s.alias = parse_alias(p, &s.alias_offset);
            } else {
                s.alias = parse_alias(p, &s.alias_offset);
                parse_indexed(p, &s);
            }
            parse_on_using(p, &s, first);
        }
        if (list && list->count == 200) parse_fail(p, ERR_ERROR, OFFSET_NONE, "too many FROM clause terms, max: 200");
        *source_list_add(p->arena, &list) = s;
    } while ((join = parse_join_operator(p)) != 0);
    if (all & JOIN_RIGHT) {
        u32 i = list->count - 1;
        while (i > 0 && !(list->items[i].join & JOIN_RIGHT)) i--;
        while (i-- > 0) list->items[i].join |= JOIN_LEFT_OF_RIGHT;
    }
    parse_leave(p);
    return list;
}

struct source_list *parse_from(struct parse *p)
{
    return parse_accept(p, TOKEN_FROM) ? parse_source_list(p) : NULL;
}

// ---- SELECT -----------------------------------------------------------------------------------------------

static enum walk_result constant_expr(struct walker *w, struct expr *e)
{
    switch (e->kind) {
    case EXPR_NAME: return expr_is_true_or_false(e) ? WALK_CONTINUE : WALK_ABORT;
    case EXPR_DOT:
    case EXPR_STAR:
    case EXPR_EXISTS:
    case EXPR_SELECT:
    case EXPR_RAISE: return WALK_ABORT;
    case EXPR_FUNCTION: {
        struct parse *p = w->context;
        return !e->window && !e->filter && !e->order_by && p->deterministic && p->deterministic(p, e) ? WALK_CONTINUE : WALK_ABORT;
    }
    default: return e->select ? WALK_ABORT : WALK_CONTINUE;
    }
}

static bool row_is_constant(struct parse *p, const struct select *row)
{
    struct walker w = {.expr = constant_expr, .context = p};
    return walk_expr_list(&w, row->columns) != WALK_ABORT;
}

// SQLite computes rows of constants while it reads them.
static bool values_computed(const struct parse *p) { return !p->has_with && !p->schema && !p->rename; }

// So it tells that one has another width before any name is looked up.
static void parse_values_width_check(struct parse *p, const struct select *s)
{
    if (!values_computed(p)) return;
    switch (p->token) {
    case TOKEN_COMMA:
    case TOKEN_RIGHT_PAREN:
    case TOKEN_SEMICOLON:
    case TOKEN_END_OF_TEXT:
    case TOKEN_UNION:
    case TOKEN_EXCEPT:
    case TOKEN_INTERSECT:
    case TOKEN_ON:
    case TOKEN_RETURNING: break;
    default: return; // an error of syntax
    }
    for (const struct select *row = s; row; row = row->prior)
        if (!row_is_constant(p, row)) return;
    parse_fail(p, ERR_ERROR, OFFSET_NONE, "all VALUES must have the same number of terms");
}

// As SQLite counts them, which EXPLAIN QUERY PLAN shows: a SELECT is counted where it ends, its subqueries before it.
struct select *parse_select_number(struct parse *p, struct select *s)
{
    s->id = ++p->select_count;
    return s;
}

static void constants_reserve(struct parse *p, struct constant_rows *rows, u32 width)
{
    rows->width = width;
    while (rows->capacity - rows->count * width < width)
        rows->values = arena_grow_array(p->arena, rows->values, &rows->capacity, sizeof *rows->values);
}

// Makes constants of the row, for which there is place; false: it is something else. `from` is the row's memory.
static bool constants_take(struct parse *p, struct constant_rows *rows, const struct expr_list *columns, u8 *from)
{
    struct constant *row = rows->values + rows->count * rows->width;
    if (columns->count != rows->width) return false;
    for (u32 i = 0; i < columns->count; i++)
        if (!expr_to_constant(columns->items[i].expr, &row[i])) return false;
    for (u32 i = 0; i < rows->width; i++) rows->has_variables |= row[i].kind == EXPR_VARIABLE;
    rows->count++;
    if (!from || !arena_in_newest(p->arena, from)) return true;
    // The texts move to its beginning; the rest is given back.
    for (u32 i = 0; i < rows->width; i++) {
        if (row[i].kind != EXPR_TEXT && row[i].kind != EXPR_BLOB) continue;
        ASSERT((const u8 *)row[i].text >= from);
        row[i].text = memmove(from, row[i].text, row[i].size + 1);
        from += row[i].size + 1;
    }
    arena_give_back(p->arena, from);
    return true;
}

// Whether the rows behind it are computed when they are constants.
static bool begins_rows(struct parse *p, const struct select *row)
{
    if (!values_computed(p) || !row_is_constant(p, row)) return false;
    for (u32 i = 0; i < row->columns->count; i++) {
        const struct expr *e = row->columns->items[i].expr;
        while (e->kind == EXPR_COLLATE) e = e->left;
        if (e->kind == EXPR_CAST) return false;
    }
    return true;
}

// They are one SELECT.
static bool values_are_one(struct parse *p, const struct select *values)
{
    const struct select *row = values;
    while (row->prior && row_is_constant(p, row)) row = row->prior;
    return !row->prior && begins_rows(p, row);
}

static struct select *parse_values(struct parse *p)
{
    struct select *s = NULL;
    struct constant_rows *rows = NULL; // for those behind s, whose they are from the first on
    u32 offset = p->token_offset;
    bool told = false, computed = false, computing = false; // computing: rows are one SELECT to SQLite, which it counts with the first behind another
    parse_advance(p);
    do {
        if (s) {
            if (!rows) rows = PARSE_NEW(p, constant_rows);
            constants_reserve(p, rows, s->columns->count);
        }
        parse_expect(p, TOKEN_LEFT_PAREN);
        u8 *from = p->arena->next;
        u32 names = p->variables_count;
        struct expr_list *columns = parse_expr_list(p);
        parse_expect(p, TOKEN_RIGHT_PAREN);
        if (s && constants_take(p, rows, columns, p->variables_count == names ? from : NULL)) {
            s->rows = rows;
            s->flags |= SELECT_F_MULTI_VALUE;
            rows->id = computing ? p->select_count : ++p->select_count;
            computing = computing || rows->count > 1 ? values_computed(p) : begins_rows(p, s);
            computed |= computing;
            continue;
        }
        struct select *row = PARSE_NEW(p, select);
        row->offset = offset;
        row->flags = SELECT_F_VALUES;
        row->columns = columns;
        if (s) {
            if (s->rows) rows = NULL;
            s->flags &= ~(u32)SELECT_F_MULTI_VALUE;
            row->flags |= SELECT_F_MULTI_VALUE;
            row->op = SELECT_UNION_ALL;
            row->prior = s;
        }
        bool differs = s && s->columns->count != row->columns->count, counted = computing;
        computing = s && row_is_constant(p, row) && (computing || (s->rows ? values_computed(p) : begins_rows(p, s)));
        counted &= computing;
        computed |= computing;
        row->id = counted ? p->select_count : ++p->select_count;
        s = row;
        if (differs && !told) parse_values_width_check(p, s);
        told |= differs;
    } while (parse_accept(p, TOKEN_COMMA));
    if (computed) s->flags |= SELECT_F_ROWS_APART;
    return s;
}

static struct select *parse_simple_select(struct parse *p)
{
    if (p->token == TOKEN_VALUES) {
        bool computed = values_computed(p);
        struct select *s = parse_values(p);
        for (struct select *row = computed && s->flags & SELECT_F_MULTI_VALUE ? s : NULL; row; row = row->prior) {
            if (row->rows) row->flags |= SELECT_F_COMPUTED_ROWS;
            if (row->prior) row->flags |= SELECT_F_ROW_BEHIND;
            if (row_is_constant(p, row)) row->flags |= SELECT_F_COMPUTED;
        }
        return s;
    }
    struct select *s = PARSE_NEW(p, select);
    s->offset = p->token_offset;
    parse_expect(p, TOKEN_SELECT);
    if (parse_accept(p, TOKEN_DISTINCT)) s->flags |= SELECT_F_DISTINCT;
    else parse_accept(p, TOKEN_ALL);
    s->columns = parse_result_list(p);
    s->from = parse_from(p);
    if (parse_accept(p, TOKEN_WHERE)) s->where = parse_expr(p);
    if (parse_accept(p, TOKEN_GROUP)) {
        parse_expect(p, TOKEN_BY);
        s->group_by = parse_expr_list(p);
    }
    if (parse_accept(p, TOKEN_HAVING)) s->having = parse_expr(p);
    if (parse_accept(p, TOKEN_WINDOW)) s->windows = parse_window_definitions(p);
    s->order_by = parse_order_by(p);
    parse_limit(p, &s->limit, &s->limit_offset);
    return parse_select_number(p, s);
}

// Whether a query may end where the parser is.
static bool query_ends(const struct parse *p, bool enclosed)
{
    if (enclosed) return p->token == TOKEN_RIGHT_PAREN;
    return p->token == TOKEN_END_OF_TEXT || p->token == TOKEN_SEMICOLON || p->token == TOKEN_ON ||
           p->token == TOKEN_RETURNING;
}

// Links the terms of a compound both ways and checks what may stand between them.
static void compound_link(struct parse *p, struct select *last, bool enclosed)
{
    if (!last->prior) return;
    u32 count = 1;
    struct select *next = NULL, *s = last;
    for (;;) {
        s->next = next;
        s->flags |= SELECT_F_COMPOUND;
        next = s;
        s = s->prior;
        if (!s) break;
        count += 1 + (s->rows ? s->rows->count : 0);
        if ((s->order_by || s->limit) && !query_ends(p, enclosed)) parse_syntax_error(p);
        if (s->order_by || s->limit)
            parse_fail(p, ERR_ERROR, OFFSET_NONE, "%s clause should come after %s not before",
                       s->order_by ? "ORDER BY" : "LIMIT", select_op_name(next->op));
    }
    if (!(last->flags & (SELECT_F_MULTI_VALUE | SELECT_F_VALUES)) && count > 500)
        parse_fail(p, ERR_ERROR, OFFSET_NONE, "too many terms in compound SELECT");
}

// VALUES of several rows is one term of a compound: SELECT * FROM (VALUES ...).
static struct select *values_outside(struct parse *p, struct select *values, bool enclosed)
{
    const bool one = values_are_one(p, values);
    if (one && values->rows) values->rows->id = values->id;
    else if (one) values->id--;
    compound_link(p, values, enclosed);
    struct select *outer = PARSE_NEW(p, select);
    outer->offset = values->offset;
    expr_list_add(p->arena, &outer->columns, star_expr(p, OFFSET_NONE));
    struct source *source = source_list_add(p->arena, &outer->from);
    source->select = values;
    outer->id = one ? p->select_count : ++p->select_count;
    return outer;
}

static struct select *parse_compound(struct parse *p, bool enclosed)
{
    struct select *const first = parse_simple_select(p), *s = first;
    for (;;) {
        u8 op;
        if (parse_accept(p, TOKEN_UNION))
            op = parse_accept(p, TOKEN_ALL) ? SELECT_UNION_ALL : SELECT_UNION;
        else if (parse_accept(p, TOKEN_EXCEPT))
            op = SELECT_EXCEPT;
        else if (parse_accept(p, TOKEN_INTERSECT))
            op = SELECT_INTERSECT;
        else
            break;
        if (s == first && (s->prior || s->rows) && values_are_one(p, s)) s = values_outside(p, s, enclosed);
        struct select *right = parse_simple_select(p);
        if (right->prior || right->rows) right = values_outside(p, right, enclosed);
        right->op = op;
        right->prior = s;
        s->flags &= ~(u32)SELECT_F_MULTI_VALUE;
        right->flags &= ~(u32)SELECT_F_MULTI_VALUE;
        s = right;
    }
    compound_link(p, s, enclosed);
    return s;
}

struct with *parse_with(struct parse *p)
{
    if (!parse_accept(p, TOKEN_WITH)) return NULL;
    struct with *with = PARSE_NEW(p, with);
    p->has_with = true;
    if (parse_accept(p, TOKEN_RECURSIVE)) with->recursive = true;
    do {
        struct cte cte = {.offset = p->token_offset};
        cte.name = parse_name(p);
        if (parse_accept(p, TOKEN_LEFT_PAREN)) {
            cte.columns = parse_column_list(p);
            parse_expect(p, TOKEN_RIGHT_PAREN);
        }
        parse_expect(p, TOKEN_AS);
        if (parse_accept(p, TOKEN_MATERIALIZED)) {
            cte.materialize = CTE_MATERIALIZED;
        } else if (parse_accept(p, TOKEN_NOT)) {
            parse_expect(p, TOKEN_MATERIALIZED);
            cte.materialize = CTE_NOT_MATERIALIZED;
        }
        parse_expect(p, TOKEN_LEFT_PAREN);
        if (!parse_at_select(p)) parse_syntax_error(p);
        cte.select = parse_select(p);
        parse_expect(p, TOKEN_RIGHT_PAREN);
        for (u32 i = 0; i < with->count; i++)
            if (name_equal(with->items[i].name, cte.name))
                parse_fail(p, ERR_ERROR, OFFSET_NONE, "duplicate WITH table name: %s", cte.name);
        with->items = arena_grow(p->arena, with->items, with->count, &with->capacity, sizeof *with->items);
        with->items[with->count++] = cte;
    } while (parse_accept(p, TOKEN_COMMA));
    return with;
}

struct select *parse_select(struct parse *p)
{
    bool enclosed = p->previous == TOKEN_LEFT_PAREN;
    parse_enter(p);
    struct with *with = parse_with(p);
    if (p->token != TOKEN_SELECT && p->token != TOKEN_VALUES) parse_syntax_error(p);
    struct select *s = parse_compound(p, enclosed);
    s->with = with;
    parse_leave(p);
    return s;
}
