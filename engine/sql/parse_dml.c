// INSERT, UPDATE and DELETE, alone and as steps of triggers.
#include "parse_internal.h"

static struct source_list *parse_target(struct parse *p, bool in_trigger)
{
    struct source_list *list = NULL;
    struct object_name name;
    parse_object_name(p, &name);
    if (in_trigger && name.schema && !p->schema)
        parse_fail(p, ERR_ERROR, OFFSET_NONE,
                   "qualified table names are not allowed on INSERT, UPDATE, and DELETE statements within triggers");
    struct source *s = source_list_add(p->arena, &list);
    s->schema_name = name.schema;
    s->schema_offset = name.schema_offset;
    s->name = name.name;
    s->offset = name.offset;
    if (!in_trigger && parse_accept(p, TOKEN_AS)) {
        s->alias_offset = p->token_offset;
        s->alias = parse_name(p);
    }
    return list;
}

static void parse_target_index(struct parse *p, struct source *s, bool update, bool in_trigger)
{
    const char *which = NULL;
    if (parse_accept(p, TOKEN_INDEXED)) {
        parse_expect(p, TOKEN_BY);
        s->indexed_by_offset = p->token_offset;
        s->indexed_by = parse_name(p);
        which = "INDEXED BY";
    } else if (parse_accept(p, TOKEN_NOT)) {
        parse_expect(p, TOKEN_INDEXED);
        s->not_indexed = true;
        which = "NOT INDEXED";
    }
    if (!which || !in_trigger) return;
    // What comes next has been read by then.
    if (update ? p->token != TOKEN_SET : p->token != TOKEN_WHERE && p->token != TOKEN_SEMICOLON) parse_syntax_error(p);
    parse_fail(p, ERR_ERROR, OFFSET_NONE, "the %s clause is not allowed on UPDATE or DELETE statements within triggers", which);
}

static struct expr_list *parse_returning(struct parse *p, bool in_trigger)
{
    if (!parse_accept(p, TOKEN_RETURNING)) return NULL;
    struct expr_list *list = parse_result_list(p);
    // What comes next has been read by then.
    if (in_trigger && p->trigger_new && p->token == TOKEN_SEMICOLON) parse_fail(p, ERR_ERROR, OFFSET_NONE, "cannot use RETURNING in a trigger");
    return list;
}

// What may come behind an assignment, besides what always may.
enum set_of { SET_OF_UPDATE, SET_OF_UPSERT, SET_OF_LAST_UPSERT };

static bool assignment_ends(const struct parse *p, enum set_of of)
{
    switch (p->token) {
    case TOKEN_COMMA:
    case TOKEN_WHERE:
    case TOKEN_RETURNING:
    case TOKEN_SEMICOLON:
    case TOKEN_END_OF_TEXT: return true;
    case TOKEN_FROM:
    case TOKEN_ORDER:
    case TOKEN_LIMIT: return of == SET_OF_UPDATE;
    case TOKEN_ON: return of == SET_OF_UPSERT;
    default: return false;
    }
}

static void parse_row_assignment(struct parse *p, struct expr_list **set, enum set_of of)
{
    struct name_list *names = parse_name_list(p);
    parse_expect(p, TOKEN_RIGHT_PAREN);
    parse_expect(p, TOKEN_EQ);
    struct expr *value = parse_expr(p);
    u32 width = value->kind == EXPR_ROW ? value->list->count : 1;
    if (value->kind != EXPR_SELECT && width != names->count && !assignment_ends(p, of)) parse_syntax_error(p); // has been read by then
    if (value->kind != EXPR_SELECT && width != names->count)
        parse_fail(p, ERR_ERROR, OFFSET_NONE, "%u columns assigned %u values", names->count, width);
    for (u32 i = 0; i < names->count; i++) {
        struct expr *e = value;
        if (value->kind == EXPR_ROW) {
            e = value->list->items[i].expr;
        } else if (value->kind == EXPR_SELECT) {
            e = expr_new(p->arena, EXPR_SELECT_COLUMN, value->offset);
            e->left = value;
            e->column = (s16)i;
            e->integer = names->count;
            expr_summarize(e);
        }
        struct expr_item *item = expr_list_add(p->arena, set, e);
        item->name = names->items[i].name;
        item->name_offset = names->items[i].offset;
    }
}

static struct expr_list *parse_set_list(struct parse *p, enum set_of of)
{
    struct expr_list *set = NULL;
    do {
        if (parse_accept(p, TOKEN_LEFT_PAREN)) {
            parse_row_assignment(p, &set, of);
            continue;
        }
        u32 offset = p->token_offset;
        const char *name = parse_name(p);
        parse_expect(p, TOKEN_EQ);
        struct expr_item *item = expr_list_add(p->arena, &set, parse_expr(p));
        item->name = name;
        item->name_offset = offset;
    } while (parse_accept(p, TOKEN_COMMA));
    if (set->count > p->column_max) parse_fail(p, ERR_ERROR, OFFSET_NONE, "too many columns in set list");
    return set;
}

// ON CONFLICT clauses and RETURNING. A clause without a target must be the last.
static void parse_upserts(struct parse *p, struct stmt_insert *s, bool in_trigger)
{
    struct upsert **last = &s->upsert;
    while (parse_accept(p, TOKEN_ON)) {
        parse_expect(p, TOKEN_CONFLICT);
        struct upsert *u = PARSE_NEW(p, upsert);
        if (parse_accept(p, TOKEN_LEFT_PAREN)) {
            u->target = parse_sort_list(p);
            parse_expect(p, TOKEN_RIGHT_PAREN);
            if (parse_accept(p, TOKEN_WHERE)) u->target_where = parse_expr(p);
        }
        parse_expect(p, TOKEN_DO);
        if (parse_accept(p, TOKEN_UPDATE)) {
            u->update = true;
            parse_expect(p, TOKEN_SET);
            u->set = parse_set_list(p, u->target ? SET_OF_UPSERT : SET_OF_LAST_UPSERT);
            if (parse_accept(p, TOKEN_WHERE)) u->where = parse_expr(p);
        } else {
            parse_expect(p, TOKEN_NOTHING);
        }
        *last = u;
        last = &u->next;
        if (!u->target) break;
    }
    s->returning = parse_returning(p, in_trigger);
}

static struct stmt *parse_insert(struct parse *p, struct with *with, bool in_trigger)
{
    struct stmt_insert *s = PARSE_STMT(p, STMT_INSERT, stmt_insert);
    s->with = with;
    if (parse_accept(p, TOKEN_REPLACE)) {
        s->conflict = CONFLICT_REPLACE;
    } else {
        parse_expect(p, TOKEN_INSERT);
        s->conflict = parse_or_conflict(p);
    }
    parse_expect(p, TOKEN_INTO);
    s->target = parse_target(p, in_trigger);
    if (parse_accept(p, TOKEN_LEFT_PAREN)) {
        s->columns = parse_name_list(p);
        parse_expect(p, TOKEN_RIGHT_PAREN);
    }
    if (!in_trigger && parse_accept(p, TOKEN_DEFAULT)) {
        parse_expect(p, TOKEN_VALUES);
        s->returning = parse_returning(p, in_trigger);
        return &s->stmt;
    }
    if (!parse_at_select(p)) parse_syntax_error(p);
    s->select = parse_select(p);
    parse_upserts(p, s, in_trigger);
    // Elsewhere it is told after what is wrong with names.
    const struct expr_list *target = in_trigger && s->upsert && p->token == TOKEN_SEMICOLON ? s->upsert->target : NULL;
    for (u32 i = 0; target && i < target->count; i++)
        if (target->items[i].nulls_said) parse_fail(p, ERR_ERROR, OFFSET_NONE, "unsupported use of NULLS %s", target->items[i].nulls_last ? "LAST" : "FIRST");
    return &s->stmt;
}

static struct stmt *parse_update(struct parse *p, struct with *with, bool in_trigger)
{
    struct stmt_update *s = PARSE_STMT(p, STMT_UPDATE, stmt_update);
    s->with = with;
    parse_expect(p, TOKEN_UPDATE);
    s->conflict = parse_or_conflict(p);
    s->target = parse_target(p, in_trigger);
    parse_target_index(p, &s->target->items[0], true, in_trigger);
    parse_expect(p, TOKEN_SET);
    s->set = parse_set_list(p, SET_OF_UPDATE);
    s->from = parse_from(p);
    if (parse_accept(p, TOKEN_WHERE)) s->where = parse_expr(p);
    if (in_trigger) return &s->stmt;
    s->returning = parse_returning(p, false);
    s->order_by = parse_order_by(p);
    parse_limit(p, &s->limit, &s->limit_offset);
    return &s->stmt;
}

static struct stmt *parse_delete(struct parse *p, struct with *with, bool in_trigger)
{
    struct stmt_delete *s = PARSE_STMT(p, STMT_DELETE, stmt_delete);
    s->with = with;
    parse_expect(p, TOKEN_DELETE);
    parse_expect(p, TOKEN_FROM);
    s->target = parse_target(p, in_trigger);
    parse_target_index(p, &s->target->items[0], false, in_trigger);
    if (parse_accept(p, TOKEN_WHERE)) s->where = parse_expr(p);
    if (in_trigger) return &s->stmt;
    s->returning = parse_returning(p, false);
    s->order_by = parse_order_by(p);
    parse_limit(p, &s->limit, &s->limit_offset);
    return &s->stmt;
}

struct stmt *parse_dml(struct parse *p, struct with *with, bool in_trigger)
{
    switch ((enum token_kind)p->token) {
    case TOKEN_INSERT:
    case TOKEN_REPLACE: return parse_insert(p, with, in_trigger);
    case TOKEN_UPDATE: return parse_update(p, with, in_trigger);
    case TOKEN_DELETE: return parse_delete(p, with, in_trigger);
    default: parse_syntax_error(p);
    }
}
