// CREATE and ALTER.
#include "parse_internal.h"

#include <strings.h>

// ---- columns and constraints ------------------------------------------------------------------------------

void parse_signed_number(struct parse *p)
{
    if (p->token == TOKEN_PLUS || p->token == TOKEN_MINUS) parse_advance(p);
    if (p->token != TOKEN_INTEGER && p->token != TOKEN_FLOAT) parse_syntax_error(p);
    parse_advance(p);
}

static bool ends_with(const char *text, u32 size, const char *word)
{
    u32 n = (u32)strlen(word);
    return size >= n && strncasecmp(text + size - n, word, n) == 0;
}

static u32 trimmed(const char *text, u32 size)
{
    while (size && strchr(" \t\n\f\r\v", text[size - 1])) size--;
    return size;
}

// The words of a type, as written, NULL when there are none; "GENERATED ALWAYS" at its end, or "ALWAYS", belongs to what follows.
static const char *parse_type(struct parse *p)
{
    u32 begin = p->token_offset;
    if (!parse_at_id(p) && p->token != TOKEN_STRING) return NULL;
    bool quoted = strchr("'\"`[", p->sql[begin]) != NULL;
    const char *first = quoted ? parse_token_name(p) : NULL;
    u32 words = 0;
    while (parse_at_id(p) || p->token == TOKEN_STRING) {
        parse_advance(p);
        words++;
    }
    if (parse_accept(p, TOKEN_LEFT_PAREN)) {
        parse_signed_number(p);
        if (parse_accept(p, TOKEN_COMMA)) parse_signed_number(p);
        parse_expect(p, TOKEN_RIGHT_PAREN);
        words++;
    }
    if (quoted && words >= 1) {
        // SQLite takes the first byte and the last one for the quotes, when none opens between them: [x](1,2) is "x](1,2".
        for (u32 i = begin + 1; i + 1 < p->previous_end; i++)
            if (strchr("'\"`[", p->sql[i])) return first; // which loses its quotes, and what follows the closing one
        return arena_copy(p->arena, p->sql + begin + 1, p->previous_end - begin - 2);
    }
    const char *text = p->sql + begin;
    u32 size = p->previous_end - begin;
    if (size >= 16 && ends_with(text, size, "always")) {
        size = trimmed(text, size - 6);
        if (ends_with(text, size, "generated")) size = trimmed(text, size - 9);
    }
    return size ? arena_copy(p->arena, text, size) : NULL;
}

static struct constraint *constraint_new(struct parse *p, enum constraint_kind kind, const char *name)
{
    struct constraint *k = PARSE_NEW(p, constraint);
    k->kind = kind;
    k->name = name;
    k->offset = p->token_offset;
    return k;
}

static u8 parse_reference_action(struct parse *p)
{
    if (parse_accept(p, TOKEN_SET)) {
        if (parse_accept(p, TOKEN_NULL)) return FK_SET_NULL;
        parse_expect(p, TOKEN_DEFAULT);
        return FK_SET_DEFAULT;
    }
    if (parse_accept(p, TOKEN_CASCADE)) return FK_CASCADE;
    if (parse_accept(p, TOKEN_RESTRICT)) return FK_RESTRICT;
    parse_expect(p, TOKEN_NO);
    parse_expect(p, TOKEN_ACTION);
    return FK_NO_ACTION;
}

// REFERENCES was taken.
static void parse_references(struct parse *p, struct constraint *k)
{
    k->parent_offset = p->token_offset;
    k->parent = parse_name(p);
    if (parse_accept(p, TOKEN_LEFT_PAREN)) {
        k->parent_columns = parse_column_list(p);
        parse_expect(p, TOKEN_RIGHT_PAREN);
    }
    for (;;) {
        if (parse_accept(p, TOKEN_MATCH)) {
            parse_name(p);
        } else if (parse_accept(p, TOKEN_ON)) {
            if (parse_accept(p, TOKEN_DELETE))
                k->on_delete = parse_reference_action(p);
            else if (parse_accept(p, TOKEN_UPDATE))
                k->on_update = parse_reference_action(p);
            else {
                parse_expect(p, TOKEN_INSERT);
                parse_reference_action(p);
            }
        } else {
            return;
        }
    }
}

// DEFERRABLE was taken.
static bool parse_deferrable(struct parse *p)
{
    if (!parse_accept(p, TOKEN_INITIALLY)) return false;
    if (parse_accept(p, TOKEN_DEFERRED)) return true;
    parse_expect(p, TOKEN_IMMEDIATE);
    return false;
}

static void parse_default(struct parse *p, struct constraint *k)
{
    u32 begin = p->token_offset;
    if (parse_accept(p, TOKEN_LEFT_PAREN)) {
        u32 inner = p->previous_end;
        k->expr = parse_expr(p);
        k->span = parse_span_from(p, inner);
        parse_expect(p, TOKEN_RIGHT_PAREN);
        return;
    }
    bool sign = p->token == TOKEN_PLUS || p->token == TOKEN_MINUS, minus = p->token == TOKEN_MINUS;
    if (sign) parse_advance(p);
    struct expr *e = parse_term(p);
    if (!e) {
        if (sign || (!parse_at_id(p) && p->token != TOKEN_INDEXED)) parse_syntax_error(p);
        e = expr_new(p->arena, EXPR_TEXT, p->token_offset);
        e->height = 1;
        e->text = parse_name(p);
        e->text_size = (u32)strlen(e->text);
        bool is_true = strcasecmp(e->text, "true") == 0;
        bool quoted = strchr("'\"`[", p->sql[begin]) != NULL;
        if (!quoted && (is_true || strcasecmp(e->text, "false") == 0)) {
            e->kind = EXPR_BOOLEAN;
            e->integer = is_true;
        }
    }
    if (minus) {
        // As in an expression: the smallest integer is a literal with its sign.
        if (e->kind == EXPR_REAL && e->flags & EXPR_F_BIG_INTEGER && strcmp(e->text, "9223372036854775808") == 0) {
            e->kind = EXPR_INTEGER;
            e->flags &= ~(u32)EXPR_F_BIG_INTEGER;
            e->integer = INT64_MIN;
        } else {
            struct expr *negative = expr_new(p->arena, EXPR_NEGATE, begin);
            negative->left = e;
            expr_summarize(negative);
            e = negative;
        }
    }
    k->expr = e;
    k->span = (struct text_span){begin, p->previous_end - begin};
}

static struct expr *parse_parenthesized_expr(struct parse *p, struct text_span *span)
{
    parse_expect(p, TOKEN_LEFT_PAREN);
    u32 inner = p->previous_end;
    struct expr *e = parse_expr(p);
    *span = parse_span_from(p, inner);
    parse_expect(p, TOKEN_RIGHT_PAREN);
    return e;
}

static void parse_generated(struct parse *p, struct constraint *k)
{
    k->expr = parse_parenthesized_expr(p, &k->span);
    if (parse_at_id(p)) { // GENERATED as well, and what stands in quotes, which is no type
        k->generated_type = arena_copy(p->arena, p->sql + p->token_offset, p->token_size);
        parse_advance(p);
    }
    k->stored = k->generated_type && strcasecmp(k->generated_type, "stored") == 0;
}

// One constraint of a column, NULL when there is none. *name is the CONSTRAINT name in force.
static struct constraint *parse_column_constraint(struct parse *p, const char **name)
{
    while (parse_accept(p, TOKEN_CONSTRAINT)) *name = parse_name(p);
    struct constraint *k;
    switch ((enum token_kind)p->token) {
    case TOKEN_DEFAULT:
        k = constraint_new(p, CONSTRAINT_DEFAULT, *name);
        parse_advance(p);
        parse_default(p, k);
        return k;
    case TOKEN_NULL:
        k = constraint_new(p, CONSTRAINT_NULL, *name);
        parse_advance(p);
        k->conflict = parse_on_conflict(p);
        return k;
    case TOKEN_NOT:
        k = constraint_new(p, CONSTRAINT_NOT_NULL, *name);
        parse_advance(p);
        if (parse_accept(p, TOKEN_DEFERRABLE)) {
            k->kind = CONSTRAINT_DEFERRABLE;
            parse_deferrable(p);
            return k;
        }
        parse_expect(p, TOKEN_NULL);
        k->conflict = parse_on_conflict(p);
        return k;
    case TOKEN_PRIMARY:
        k = constraint_new(p, CONSTRAINT_PRIMARY_KEY, *name);
        parse_advance(p);
        parse_expect(p, TOKEN_KEY);
        k->descending = parse_accept(p, TOKEN_DESC);
        if (!k->descending) parse_accept(p, TOKEN_ASC);
        k->conflict = parse_on_conflict(p);
        k->autoincrement = parse_accept(p, TOKEN_AUTOINCREMENT);
        return k;
    case TOKEN_UNIQUE:
        k = constraint_new(p, CONSTRAINT_UNIQUE, *name);
        parse_advance(p);
        k->conflict = parse_on_conflict(p);
        return k;
    case TOKEN_CHECK:
        k = constraint_new(p, CONSTRAINT_CHECK, *name);
        parse_advance(p);
        k->expr = parse_parenthesized_expr(p, &k->span);
        return k;
    case TOKEN_REFERENCES:
        k = constraint_new(p, CONSTRAINT_FOREIGN_KEY, *name);
        parse_advance(p);
        parse_references(p, k);
        return k;
    case TOKEN_DEFERRABLE:
        k = constraint_new(p, CONSTRAINT_DEFERRABLE, *name);
        parse_advance(p);
        k->deferred = parse_deferrable(p);
        return k;
    case TOKEN_COLLATE:
        k = constraint_new(p, CONSTRAINT_COLLATE, *name);
        parse_advance(p);
        k->offset = p->token_offset;
        k->collation = parse_id_or_string(p);
        return k;
    case TOKEN_GENERATED:
        k = constraint_new(p, CONSTRAINT_GENERATED, *name);
        parse_advance(p);
        parse_expect(p, TOKEN_ALWAYS);
        parse_expect(p, TOKEN_AS);
        parse_generated(p, k);
        return k;
    case TOKEN_AS:
        k = constraint_new(p, CONSTRAINT_GENERATED, *name);
        parse_advance(p);
        parse_generated(p, k);
        return k;
    default: return NULL;
    }
}

// *name: that of the CONSTRAINT that was in force at its end, or NULL. *out is set, and its constraints are, as each has been read.
static void parse_column_definition(struct parse *p, const char **name, struct column_def **out)
{
    struct column_def *column = PARSE_NEW(p, column_def);
    column->offset = p->token_offset;
    column->name = parse_name(p);
    column->type = parse_type(p);
    column->behind = p->token_offset;
    *out = column;
    *name = NULL;
    struct constraint **last = &column->constraints, *k;
    while ((k = parse_column_constraint(p, name))) {
        k->behind = p->token_offset;
        *last = k;
        last = &k->next;
    }
}

// One constraint of the table, NULL when there is none.
static struct constraint *parse_table_constraint(struct parse *p, const char **name, bool *named)
{
    *named = false;
    while (parse_accept(p, TOKEN_CONSTRAINT)) {
        *name = parse_name(p);
        *named = true;
    }
    struct constraint *k;
    switch ((enum token_kind)p->token) {
    case TOKEN_PRIMARY:
        k = constraint_new(p, CONSTRAINT_PRIMARY_KEY, *name);
        parse_advance(p);
        parse_expect(p, TOKEN_KEY);
        parse_expect(p, TOKEN_LEFT_PAREN);
        k->list = parse_sort_list(p);
        k->autoincrement = parse_accept(p, TOKEN_AUTOINCREMENT);
        parse_expect(p, TOKEN_RIGHT_PAREN);
        k->conflict = parse_on_conflict(p);
        return k;
    case TOKEN_UNIQUE:
        k = constraint_new(p, CONSTRAINT_UNIQUE, *name);
        parse_advance(p);
        parse_expect(p, TOKEN_LEFT_PAREN);
        k->list = parse_sort_list(p);
        parse_expect(p, TOKEN_RIGHT_PAREN);
        k->conflict = parse_on_conflict(p);
        return k;
    case TOKEN_CHECK:
        k = constraint_new(p, CONSTRAINT_CHECK, *name);
        parse_advance(p);
        k->expr = parse_parenthesized_expr(p, &k->span);
        k->conflict = parse_on_conflict(p);
        return k;
    case TOKEN_FOREIGN:
        k = constraint_new(p, CONSTRAINT_FOREIGN_KEY, *name);
        parse_advance(p);
        parse_expect(p, TOKEN_KEY);
        parse_expect(p, TOKEN_LEFT_PAREN);
        k->columns = parse_column_list(p);
        parse_expect(p, TOKEN_RIGHT_PAREN);
        parse_expect(p, TOKEN_REFERENCES);
        parse_references(p, k);
        if (parse_accept(p, TOKEN_NOT)) {
            parse_expect(p, TOKEN_DEFERRABLE);
            parse_deferrable(p);
        } else if (parse_accept(p, TOKEN_DEFERRABLE)) {
            k->deferred = parse_deferrable(p);
        }
        return k;
    default: return NULL;
    }
}

static bool at_table_constraint(const struct parse *p)
{
    return p->token == TOKEN_CONSTRAINT || p->token == TOKEN_PRIMARY || p->token == TOKEN_UNIQUE ||
           p->token == TOKEN_CHECK || p->token == TOKEN_FOREIGN;
}

static void parse_table_options(struct parse *p, struct stmt_create_table *s)
{
    // The list may begin with a comma.
    parse_accept(p, TOKEN_COMMA);
    do {
        bool without = parse_accept(p, TOKEN_WITHOUT);
        const char *z = p->sql + p->token_offset;
        u32 size = p->token_size;
        parse_name(p);
        if (without && size == 5 && strncasecmp(z, "rowid", 5) == 0)
            s->without_rowid = true;
        else if (!without && size == 6 && strncasecmp(z, "strict", 6) == 0)
            s->strict = true;
        else if (p->token == TOKEN_COMMA || p->token == TOKEN_SEMICOLON || p->token == TOKEN_END_OF_TEXT)
            parse_fail(p, ERR_ERROR, OFFSET_NONE, "unknown table option: %.*s", (int)size, z);
        else
            parse_syntax_error(p);
    } while (parse_accept(p, TOKEN_COMMA));
}

// From the object's name to the end of the statement, as sqlite_schema keeps it.
static struct text_span sql_from(const struct parse *p, u32 offset, bool trim)
{
    u32 end = p->token_offset;
    if (trim) end = offset + trimmed(p->sql + offset, end - offset);
    return (struct text_span){offset, end - offset};
}

static struct stmt *parse_create_table(struct parse *p, bool temporary)
{
    struct stmt_create_table *s = PARSE_STMT(p, STMT_CREATE_TABLE, stmt_create_table);
    s->temporary = temporary;
    parse_advance(p);
    s->if_not_exists = parse_if_not_exists(p);
    parse_object_name(p, &s->name);
    if (p->begun && (p->token == TOKEN_AS || p->token == TOKEN_LEFT_PAREN)) {
        p->begun(p, &s->stmt);
        p->table = s;
    }
    if (parse_accept(p, TOKEN_AS)) {
        if (!parse_at_select(p)) parse_syntax_error(p);
        s->select = parse_select(p);
        s->sql = sql_from(p, s->name.offset, true);
        return &s->stmt;
    }
    parse_expect(p, TOKEN_LEFT_PAREN);
    struct column_def **last_column = &s->columns;
    struct constraint **last = &s->constraints;
    bool comma = true;
    const char *name; // of CONSTRAINT; the last column's is that of the first constraint behind it as well
    do {
        // The first item is a column always.
        if (s->column_count > 0 && at_table_constraint(p)) {
            comma = false;
            break;
        }
        s->column_count++;
        parse_column_definition(p, &name, last_column);
        last_column = &(*last_column)->next;
        s->columns_end = p->token_offset;
    } while (parse_accept(p, TOKEN_COMMA));
    if (!comma) {
        for (;;) {
            bool named;
            struct constraint *k = parse_table_constraint(p, &name, &named);
            if (k) {
                k->behind = p->token_offset;
                *last = k;
                last = &k->next;
            }
            // Constraints may follow one another without a comma.
            if (parse_accept(p, TOKEN_COMMA)) {
                name = NULL;
                if (!at_table_constraint(p)) parse_syntax_error(p);
            } else if (!at_table_constraint(p)) {
                break;
            }
        }
    }
    u32 close_end = p->token_offset + p->token_size;
    parse_expect(p, TOKEN_RIGHT_PAREN);
    s->sql = (struct text_span){s->name.offset, close_end - s->name.offset};
    if (p->token != TOKEN_SEMICOLON && p->token != TOKEN_END_OF_TEXT) {
        parse_table_options(p, s);
        s->sql = sql_from(p, s->name.offset, false);
    }
    return &s->stmt;
}

static struct stmt *parse_create_index(struct parse *p, bool unique)
{
    struct stmt_create_index *s = PARSE_STMT(p, STMT_CREATE_INDEX, stmt_create_index);
    s->unique = unique;
    parse_expect(p, TOKEN_INDEX);
    s->if_not_exists = parse_if_not_exists(p);
    parse_object_name(p, &s->name);
    parse_expect(p, TOKEN_ON);
    s->table_offset = p->token_offset;
    s->table = parse_name(p);
    parse_expect(p, TOKEN_LEFT_PAREN);
    s->columns = parse_sort_list(p);
    parse_expect(p, TOKEN_RIGHT_PAREN);
    if (parse_accept(p, TOKEN_WHERE)) s->where = parse_expr(p);
    s->sql = sql_from(p, s->name.offset, false);
    return &s->stmt;
}

static struct stmt *parse_create_view(struct parse *p, bool temporary)
{
    struct stmt_create_view *s = PARSE_STMT(p, STMT_CREATE_VIEW, stmt_create_view);
    s->temporary = temporary;
    parse_advance(p);
    s->if_not_exists = parse_if_not_exists(p);
    parse_object_name(p, &s->name);
    if (parse_accept(p, TOKEN_LEFT_PAREN)) {
        struct name_list *names = parse_column_list(p);
        parse_expect(p, TOKEN_RIGHT_PAREN);
        for (u32 i = 0; i < names->count; i++) {
            struct expr_item *item = expr_list_add(p->arena, &s->columns, NULL);
            item->name = names->items[i].name;
            item->name_offset = names->items[i].offset;
            item->name_kind = ITEM_ALIAS;
        }
    }
    parse_expect(p, TOKEN_AS);
    if (!parse_at_select(p)) parse_syntax_error(p);
    s->select = parse_select(p);
    s->sql = sql_from(p, s->name.offset, true);
    return &s->stmt;
}

static struct stmt *parse_trigger_step(struct parse *p)
{
    u32 begin = p->token_offset;
    struct stmt *step;
    if (parse_at_select(p)) {
        struct stmt_select *s = PARSE_STMT(p, STMT_SELECT, stmt_select);
        s->select = parse_select(p);
        step = &s->stmt;
    } else {
        step = parse_dml(p, NULL, true);
    }
    step->span = parse_span_from(p, begin);
    parse_expect(p, TOKEN_SEMICOLON);
    return step;
}

static struct stmt *parse_create_trigger(struct parse *p, bool temporary)
{
    struct stmt_create_trigger *s = PARSE_STMT(p, STMT_CREATE_TRIGGER, stmt_create_trigger);
    s->temporary = temporary;
    parse_advance(p);
    s->if_not_exists = parse_if_not_exists(p);
    parse_object_name(p, &s->name);
    s->time = TRIGGER_BEFORE;
    if (parse_accept(p, TOKEN_AFTER)) {
        s->time = TRIGGER_AFTER;
    } else if (parse_accept(p, TOKEN_INSTEAD)) {
        parse_expect(p, TOKEN_OF);
        s->time = TRIGGER_INSTEAD_OF;
    } else {
        parse_accept(p, TOKEN_BEFORE);
    }
    if (parse_accept(p, TOKEN_DELETE)) {
        s->event = TRIGGER_DELETE;
    } else if (parse_accept(p, TOKEN_INSERT)) {
        s->event = TRIGGER_INSERT;
    } else {
        parse_expect(p, TOKEN_UPDATE);
        s->event = TRIGGER_UPDATE;
        if (parse_accept(p, TOKEN_OF)) s->columns = parse_name_list(p);
    }
    parse_expect(p, TOKEN_ON);
    parse_object_name(p, &s->table);
    if (parse_accept(p, TOKEN_FOR)) {
        parse_expect(p, TOKEN_EACH);
        parse_expect(p, TOKEN_ROW);
    }
    if (parse_accept(p, TOKEN_WHEN)) s->when = parse_expr(p);
    parse_expect(p, TOKEN_BEGIN);
    if (p->begun) p->begun(p, &s->stmt);
    struct stmt **last = &s->steps;
    do {
        *last = parse_trigger_step(p);
        last = &(*last)->next;
    } while (p->token != TOKEN_END);
    parse_advance(p);
    s->sql = (struct text_span){s->name.offset, p->previous_end - s->name.offset};
    return &s->stmt;
}

static struct stmt *parse_create_virtual_table(struct parse *p)
{
    struct stmt_create_virtual_table *s = PARSE_STMT(p, STMT_CREATE_VIRTUAL_TABLE, stmt_create_virtual_table);
    u32 capacity = 0;
    parse_advance(p);
    parse_expect(p, TOKEN_TABLE);
    s->if_not_exists = parse_if_not_exists(p);
    parse_object_name(p, &s->name);
    parse_expect(p, TOKEN_USING);
    s->module_offset = p->token_offset;
    s->module = parse_name(p);
    if (parse_accept(p, TOKEN_LEFT_PAREN)) {
        u32 depth = 0, begin = 0, end = 0;
        bool any = false;
        for (;;) {
            if (p->token == TOKEN_END_OF_TEXT) parse_syntax_error(p);
            bool close = p->token == TOKEN_RIGHT_PAREN && depth == 0;
            if (close || (p->token == TOKEN_COMMA && depth == 0)) {
                if (any) {
                    s->arguments = arena_grow(p->arena, s->arguments, s->argument_count, &capacity,
                                              sizeof *s->arguments);
                    s->arguments[s->argument_count++] = arena_copy(p->arena, p->sql + begin, end - begin);
                }
                any = false;
                parse_advance(p);
                if (close) break;
                continue;
            }
            if (p->token == TOKEN_LEFT_PAREN) depth++;
            if (p->token == TOKEN_RIGHT_PAREN) depth--;
            if (!any) begin = p->token_offset;
            any = true;
            end = p->token_offset + p->token_size;
            parse_advance(p);
        }
    }
    s->sql = (struct text_span){s->name.offset, p->previous_end - s->name.offset};
    return &s->stmt;
}

struct stmt *parse_create(struct parse *p)
{
    parse_advance(p);
    if (parse_accept(p, TOKEN_UNIQUE)) return parse_create_index(p, true);
    if (p->token == TOKEN_INDEX) return parse_create_index(p, false);
    if (p->token == TOKEN_VIRTUAL) return parse_create_virtual_table(p);
    bool temporary = parse_accept(p, TOKEN_TEMP);
    switch ((enum token_kind)p->token) {
    case TOKEN_TABLE: return parse_create_table(p, temporary && !p->schema);
    case TOKEN_VIEW: return parse_create_view(p, temporary && !p->schema);
    case TOKEN_TRIGGER: return parse_create_trigger(p, temporary && !p->schema);
    default: parse_syntax_error(p);
    }
}

struct stmt *parse_alter(struct parse *p)
{
    struct stmt_alter *s = PARSE_STMT(p, STMT_ALTER, stmt_alter);
    parse_advance(p);
    parse_expect(p, TOKEN_TABLE);
    parse_object_name(p, &s->table);
    if (parse_accept(p, TOKEN_RENAME)) {
        if (parse_accept(p, TOKEN_TO)) {
            s->alter = ALTER_RENAME_TABLE;
        } else {
            s->alter = ALTER_RENAME_COLUMN;
            parse_accept(p, TOKEN_COLUMN);
            s->column_offset = p->token_offset;
            s->column = parse_name(p);
            parse_expect(p, TOKEN_TO);
        }
        s->new_name_span = (struct text_span){p->token_offset, p->token_size};
        s->new_name = parse_name(p);
    } else if (parse_accept(p, TOKEN_ADD)) {
        s->alter = ALTER_ADD_COLUMN;
        if (p->begun) p->begun(p, &s->stmt);
        parse_accept(p, TOKEN_COLUMN);
        u32 begin = p->token_offset;
        const char *name;
        parse_column_definition(p, &name, &s->add);
        s->add_span = parse_span_from(p, begin);
    } else {
        parse_expect(p, TOKEN_DROP);
        s->alter = ALTER_DROP_COLUMN;
        parse_accept(p, TOKEN_COLUMN);
        s->column_offset = p->token_offset;
        s->column = parse_name(p);
    }
    return &s->stmt;
}
