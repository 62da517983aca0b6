// Where a table or column is named: in CREATE TABLE and CREATE INDEX by the words themselves, in views and
// triggers by what the resolver makes of them.
#include "alter.h"

#include "parse.h"
#include "token.h"

struct edit {
    u32 offset, size;
    const char *text; // what comes there; NULL: the new name
};

// A name in an expression, noted before it is resolved in place.
struct name_use {
    struct expr *e;
    const char *column, *qualifier;
    u32 column_offset, qualifier_offset;
};

// "t.*", which is gone once the query's names are known.
struct star_use {
    const struct source_list *from;
    const struct expr *qualifier;
};

// A text under way.
struct text_edit {
    struct alteration *a;
    const char *type, *name, *sql;
    u32 size;
    int database; // it is of
    const struct table *table; // of tables and indexes: their own
    bool foreign;              // which is another than the altered one: only its strings are edited
    bool legacy;  // PRAGMA legacy_alter_table: a table's name is changed in its own objects alone
    struct stmt *stmt;
    struct name_use *uses;
    u32 use_count, use_capacity;
    struct star_use *stars;
    u32 star_count, star_capacity;
    const struct with **withs; // as they were before anything was resolved
    u32 with_count, with_capacity;
    struct source **sources;
    u32 source_count, source_capacity;
    struct source **resolved; // those that queries were found to have, of CTEs in copies
    u32 resolved_count, resolved_capacity;
    struct edit *edits;
    u32 edit_count, edit_capacity;
};

// ---- edits ------------------------------------------------------------------------------------------------

// A string that was written "x" is written 'x': the name might come to mean a column.
static void edit_string(struct text_edit *t, const struct expr *e)
{
    enum token_kind kind;
    u32 offset = e->name_offset;
    if (t->a->column < 0 || offset >= t->size || t->sql[offset] != '"') return;
    for (u32 i = 0; i < t->edit_count; i++)
        if (t->edits[i].offset == offset) return;
    struct compile *c = t->a->c;
    t->edits = arena_grow(c->arena, t->edits, t->edit_count, &t->edit_capacity, sizeof *t->edits);
    u32 size = token_scan(t->sql + offset, &kind);
    t->edits[t->edit_count++] = (struct edit){offset, size, sql_quoted(c, e->text)};
}

static void edit_add(struct text_edit *t, u32 offset)
{
    enum token_kind kind;
    if (offset >= t->size || !t->a->new_name) return;
    for (u32 i = 0; i < t->edit_count; i++)
        if (t->edits[i].offset == offset) return;
    struct arena *arena = t->a->c->arena;
    t->edits = arena_grow(arena, t->edits, t->edit_count, &t->edit_capacity, sizeof *t->edits);
    t->edits[t->edit_count++] = (struct edit){offset, token_scan(t->sql + offset, &kind), NULL};
}

static int compare_edits(const void *x, const void *y)
{
    u32 a = ((const struct edit *)x)->offset, b = ((const struct edit *)y)->offset;
    return a < b ? -1 : a > b;
}

static const char *in_quotes(struct compile *c, const char *name)
{
    char *out = arena_alloc(c->arena, strlen(name) * 2 + 3), *p = out;
    *p++ = '"';
    for (const char *z = name; *z; z++) {
        if (*z == '"') *p++ = '"';
        *p++ = *z;
    }
    *p++ = '"';
    return out;
}

static const char *edited(struct text_edit *t)
{
    struct alteration *a = t->a;
    const char *quoted = a->new_name ? in_quotes(a->c, a->new_name) : "";
    size_t quoted_size = strlen(quoted), new_size = a->new_name ? strlen(a->new_name) : 0;
    qsort(t->edits, t->edit_count, sizeof *t->edits, compare_edits);
    size_t room = t->size + 1;
    for (u32 i = 0; i < t->edit_count; i++)
        room += t->edits[i].text ? strlen(t->edits[i].text) : quoted_size + 1;
    char *out = arena_alloc(a->c->arena, room), *p = out;
    u32 at = 0;
    for (u32 i = 0; i < t->edit_count; i++) {
        const struct edit *e = &t->edits[i];
        memcpy(p, t->sql + at, e->offset - at);
        p += e->offset - at;
        if (e->text) {
            memcpy(p, e->text, strlen(e->text));
            p += strlen(e->text);
        } else if (!a->quote && token_is_id_char((u8)t->sql[e->offset])) {
            memcpy(p, a->new_name, new_size);
            p += new_size;
        } else {
            memcpy(p, quoted, quoted_size);
            p += quoted_size;
            if (t->sql[e->offset + e->size] == '"') *p++ = ' ';
        }
        at = e->offset + e->size;
    }
    memcpy(p, t->sql + at, t->size - at);
    return out;
}

static bool is_table(const struct alteration *a, const char *name) { return name && name_equal(name, a->table->name); }
// Whether a trigger, which is in `database`, is the table's; its name alone may be another database's table's.
static bool is_table_of_trigger(const struct alteration *a, int database, const struct stmt_create_trigger *s)
{
    int found;
    const char *schema = database == DATABASE_TEMP ? s->table.schema : compile_database_name(a->c, database);
    return is_table(a, s->table.name) && locate_table(a->c, schema, s->table.name, -1, true, &found) == a->table;
}
static bool is_column(const struct alteration *a, const char *name) { return name && name_equal(name, a->name); }

// In expressions the rowid's other names mean the INTEGER PRIMARY KEY as well.
static bool means_column(const struct alteration *a, const char *name)
{
    if (is_column(a, name)) return true;
    return a->column >= 0 && a->column == a->table->rowid_column && name && name_is_rowid(name) &&
           table_column(a->table, name) < 0;
}

// ---- noting uses ------------------------------------------------------------------------------------------

static void use_add(struct text_edit *t, struct expr *e, const struct expr *qualifier, const struct expr *column)
{
    t->uses = arena_grow(t->a->c->arena, t->uses, t->use_count, &t->use_capacity, sizeof *t->uses);
    struct name_use *u = &t->uses[t->use_count++];
    *u = (struct name_use){.e = e, .qualifier_offset = OFFSET_NONE, .column_offset = OFFSET_NONE};
    if (qualifier) {
        u->qualifier = qualifier->text;
        u->qualifier_offset = qualifier->name_offset;
    }
    if (column->kind == EXPR_NAME) {
        u->column = column->text;
        u->column_offset = column->name_offset;
    }
}

static enum walk_result note_expr(struct walker *w, struct expr *e)
{
    struct text_edit *t = w->context;
    if (e->kind == EXPR_NAME) {
        use_add(t, e, NULL, e);
        return WALK_CONTINUE;
    }
    if (e->kind != EXPR_DOT) return WALK_CONTINUE;
    if (e->right->kind == EXPR_DOT)
        use_add(t, e, e->right->left, e->right->right);
    else
        use_add(t, e, e->left, e->right);
    return WALK_PRUNE;
}

static void note_sources(struct text_edit *t, struct source_list *list)
{
    for (u32 i = 0; list && i < list->count; i++) {
        t->sources = arena_grow(t->a->c->arena, t->sources, t->source_count, &t->source_capacity, sizeof *t->sources);
        t->sources[t->source_count++] = &list->items[i];
    }
}

static void walk_with(struct walker *w, struct with *with)
{
    for (u32 i = 0; with && i < with->count; i++) walk_select(w, with->items[i].select);
}

static enum walk_result note_select(struct walker *w, struct select *s)
{
    struct text_edit *t = w->context;
    struct arena *arena = t->a->c->arena;
    note_sources(t, s->from);
    for (u32 i = 0; s->from && i < s->columns->count; i++) {
        const struct expr *e = s->columns->items[i].expr;
        if (e->kind != EXPR_DOT || e->right->kind != EXPR_STAR) continue;
        t->stars = arena_grow(arena, t->stars, t->star_count, &t->star_capacity, sizeof *t->stars);
        t->stars[t->star_count++] = (struct star_use){s->from, e->left};
    }
    if (s->with) {
        t->withs = arena_grow(arena, t->withs, t->with_count, &t->with_capacity, sizeof *t->withs);
        t->withs[t->with_count++] = with_copy(arena, s->with);
    }
    walk_with(w, s->with);
    return WALK_CONTINUE;
}

static void note_step(struct walker *w, struct stmt *step)
{
    struct text_edit *t = w->context;
    switch ((enum stmt_kind)step->kind) {
    case STMT_SELECT: walk_select(w, ((struct stmt_select *)step)->select); break;
    case STMT_INSERT: {
        struct stmt_insert *s = (struct stmt_insert *)step;
        note_sources(t, s->target);
        walk_select(w, s->select);
        for (struct upsert *u = s->upsert; u; u = u->next) {
            walk_expr_list(w, u->target);
            walk_expr(w, u->target_where);
            walk_expr_list(w, u->set);
            walk_expr(w, u->where);
        }
        break;
    }
    case STMT_UPDATE: {
        struct stmt_update *s = (struct stmt_update *)step;
        note_sources(t, s->target);
        note_sources(t, s->from);
        for (u32 i = 0; s->from && i < s->from->count; i++) {
            walk_select(w, s->from->items[i].select);
            walk_expr(w, s->from->items[i].on);
        }
        walk_expr_list(w, s->set);
        walk_expr(w, s->where);
        break;
    }
    case STMT_DELETE: {
        struct stmt_delete *s = (struct stmt_delete *)step;
        note_sources(t, s->target);
        walk_expr(w, s->where);
        break;
    }
    default: break;
    }
}

// A CTE is resolved in copies, one for each use: what the copies say of a token is noted for the token.
static void find_token(struct text_edit *t, struct expr *e)
{
    if (e->name_offset == OFFSET_NONE) return;
    for (u32 i = 0; i < t->use_count; i++) {
        struct name_use *u = &t->uses[i];
        if (u->column_offset == e->name_offset && (u->e->kind == EXPR_NAME || u->e->kind == EXPR_DOT)) u->e = e;
    }
}

static bool is_resolved(const struct expr *e)
{
    return e->kind == EXPR_COLUMN || e->kind == EXPR_AGG_COLUMN || e->kind == EXPR_TRIGGER;
}

static enum walk_result find_string(struct walker *w, struct expr *e)
{
    if (e->kind == EXPR_TEXT && e->flags & EXPR_F_QUOTED_TEXT) find_token(w->context, e);
    return WALK_CONTINUE;
}

static enum walk_result find_expr(struct walker *w, struct expr *e)
{
    if (is_resolved(e)) find_token(w->context, e);
    return find_string(w, e);
}

// In parentheses; one that has a name is a query to those who use it.
static bool is_join(const struct source *s) { return s->select && !s->alias && s->select->flags & SELECT_F_NESTED_FROM; }

static enum walk_result find_select(struct walker *w, struct select *s)
{
    struct text_edit *t = w->context;
    walk_select_expressions(w, s);
    for (u32 i = 0; s->from && i < s->from->count; i++) {
        struct source *source = &s->from->items[i];
        t->resolved = arena_grow(t->a->c->arena, t->resolved, t->resolved_count, &t->resolved_capacity, sizeof *t->resolved);
        t->resolved[t->resolved_count++] = source;
        // A view's copy has offsets of its own text.
        if (!source->was_view) walk_select(w, source->select);
        walk_expr_list(w, source->arguments);
        walk_expr(w, source->on);
    }
    return WALK_PRUNE;
}

static void find_step(struct walker *w, struct stmt *step)
{
    switch ((enum stmt_kind)step->kind) {
    case STMT_SELECT: walk_select(w, ((struct stmt_select *)step)->select); break;
    case STMT_INSERT: walk_select(w, ((struct stmt_insert *)step)->select); break;
    case STMT_UPDATE: {
        struct stmt_update *s = (struct stmt_update *)step;
        walk_expr_list(w, s->set);
        walk_expr(w, s->where);
        break;
    }
    case STMT_DELETE: walk_expr(w, ((struct stmt_delete *)step)->where); break;
    default: break;
    }
}

// ---- what the uses mean -----------------------------------------------------------------------------------

// The object that failed, told in SQLite's words.
static _Noreturn void fail_in(struct text_edit *t, const char *when, const char *text)
{
    compile_fail(t->a->c, ERR_ERROR, -1, "error in %s %s%s: %s", t->type, t->name, when, text);
}

static const struct source *join_of(const struct text_edit *t, const struct table *table)
{
    for (u32 i = 0; table && i < t->resolved_count; i++)
        if (t->resolved[i]->table == table && is_join(t->resolved[i])) return t->resolved[i];
    for (u32 i = 0; table && i < t->source_count; i++)
        if (t->sources[i]->table == table && is_join(t->sources[i])) return t->sources[i];
    return NULL;
}

// The column of a table that one of a join in parentheses is.
static const struct expr *joined_column(const struct text_edit *t, const struct expr *e)
{
    const struct source *join;
    while (is_resolved(e) && e->column >= 0 && (join = join_of(t, e->table))) e = join->select->columns->items[e->column].expr;
    return e;
}

// Whether the source is the table: one that nothing has resolved is it by its name.
static bool is_source(const struct text_edit *t, const struct source *s)
{
    const struct alteration *a = t->a;
    if (!is_table(a, s->name)) return false;
    for (u32 i = 0; i < t->resolved_count && !s->table; i++)
        if (t->resolved[i]->offset == s->offset && t->resolved[i]->table) s = t->resolved[i];
    if (s->table) return s->table == a->table;
    return !s->cte && !s->select && (!s->schema_name || name_equal(s->schema_name, compile_database_name(a->c, a->database)));
}

static bool names_table(const struct text_edit *t, const struct source_list *from)
{
    for (u32 i = 0; from && i < from->count; i++) {
        const struct source *s = &from->items[i];
        if (is_join(s) ? names_table(t, s->select->from) : !s->alias && is_source(t, s)) return true;
    }
    return false;
}

// Whether it is a column of a source that has a name of its own, which may be the table's.
static bool is_of_alias(const struct text_edit *t, const struct expr *e)
{
    if (e->kind == EXPR_TRIGGER) return false;
    for (u32 i = 0; i < t->resolved_count; i++)
        if (t->resolved[i]->table == e->table && t->resolved[i]->cursor == e->cursor) return t->resolved[i]->alias != NULL;
    return false;
}

static void edit_uses(struct text_edit *t)
{
    struct alteration *a = t->a;
    for (u32 i = 0; i < t->use_count; i++) {
        const struct name_use *u = &t->uses[i];
        const struct expr *e = joined_column(t, u->e);
        if (e->kind == EXPR_TEXT && e->flags & EXPR_F_QUOTED_TEXT) edit_string(t, e);
        if (!a->new_name) continue; // a column is dropped: the name may mean another from now on, which alteration_check sees
        bool excluded = e->kind == EXPR_REGISTER && a->column >= 0; // of an upsert
        if (!(excluded || is_resolved(e)) || e->table != a->table) continue;
        if (a->column < 0) {
            if (is_table(a, u->qualifier) && !is_of_alias(t, e)) edit_add(t, u->qualifier_offset);
            continue;
        }
        s32 column = e->column == COLUMN_ROWID ? a->table->rowid_column : e->column;
        if (!means_column(a, u->column) || column != a->column) continue;
        edit_add(t, u->column_offset);
    }
    for (u32 i = 0; a->column < 0 && i < t->star_count; i++) {
        const struct star_use *star = &t->stars[i];
        if (is_table(a, star->qualifier->text) && names_table(t, star->from)) edit_add(t, star->qualifier->name_offset);
    }
    // Names in USING stay as they are, as in SQLite: a column that one names cannot be renamed.
    for (u32 i = 0; a->column < 0 && i < t->source_count; i++)
        if (is_source(t, t->sources[i])) edit_add(t, t->sources[i]->offset);
}

static void edit_names(struct text_edit *t, const struct name_list *names)
{
    for (u32 i = 0; names && i < names->count; i++) {
        if (is_column(t->a, names->items[i].name)) edit_add(t, names->items[i].offset);
    }
}

// Column names that stand bare in a trigger's statements.
static void edit_step_names(struct text_edit *t, struct stmt *step)
{
    switch ((enum stmt_kind)step->kind) {
    case STMT_INSERT: {
        struct stmt_insert *s = (struct stmt_insert *)step;
        if (s->target->items[0].table != t->a->table) return;
        edit_names(t, s->columns);
        for (struct upsert *u = s->upsert; u; u = u->next) {
            for (u32 i = 0; u->set && i < u->set->count; i++)
                if (is_column(t->a, u->set->items[i].name)) edit_add(t, u->set->items[i].name_offset);
        }
        return;
    }
    case STMT_UPDATE: {
        struct stmt_update *s = (struct stmt_update *)step;
        if (s->target->items[0].table != t->a->table) return;
        for (u32 i = 0; i < s->set->count; i++) {
            if (is_column(t->a, s->set->items[i].name)) edit_add(t, s->set->items[i].name_offset);
        }
        return;
    }
    default: return;
    }
}

// ---- tables and indexes: names are words -------------------------------------------------------------------

static enum walk_result edit_word(struct walker *w, struct expr *e)
{
    struct text_edit *t = w->context;
    struct alteration *a = t->a;
    if (e->kind == EXPR_DOT) {
        const struct expr *qualifier = e->right->kind == EXPR_DOT ? e->right->left : e->left;
        const struct expr *column = e->right->kind == EXPR_DOT ? e->right->right : e->right;
        if (t->foreign) return WALK_PRUNE;
        if (a->column < 0 && is_table(a, qualifier->text) && t->legacy) { // left as it is, it makes no sense any more
            if (is_table(a, t->name)) t->name = a->new_name;
            fail_in(t, " after rename", arena_format(a->c->arena, "no such column: %s.%s", qualifier->text, column->text));
        } else if (a->column < 0) {
            if (is_table(a, qualifier->text)) edit_add(t, qualifier->name_offset);
        } else if (column->kind == EXPR_NAME && means_column(a, column->text)) {
            edit_add(t, column->name_offset);
        }
        return WALK_PRUNE;
    }
    if (e->kind == EXPR_NAME && e->flags & EXPR_F_DOUBLE_QUOTED && w->depth == 0 &&
        table_column(t->table, e->text) < 0 && !name_is_rowid(e->text))
        edit_string(t, e);
    if (t->foreign) return WALK_CONTINUE;
    bool word = e->kind == EXPR_NAME || (e->kind == EXPR_TEXT && w->depth == 1);
    if (word && a->column >= 0 && (e->kind == EXPR_NAME ? means_column(a, e->text) : is_column(a, e->text))) edit_add(t, e->name_offset);
    return WALK_CONTINUE;
}

// Lists of key columns take 'x' for a name, too.
static void edit_key_list(struct text_edit *t, struct expr_list *list)
{
    for (u32 i = 0; list && i < list->count; i++) {
        const struct expr *bare = list->items[i].expr;
        if (bare->kind == EXPR_COLLATE) bare = bare->left; // 'x' below two of them is a string
        struct walker w = {.expr = edit_word, .context = t, .depth = bare->kind == EXPR_NAME || bare->kind == EXPR_TEXT};
        walk_expr(&w, list->items[i].expr);
    }
}

static void edit_parent(struct text_edit *t, const struct constraint *k)
{
    if (!is_table(t->a, k->parent) || t->database != t->a->database) return; // a key's parent is of its own schema
    if (t->legacy && !connection_flag(t->a->c->db, CONNECTION_FOREIGN_KEYS)) return;
    if (t->a->column < 0)
        edit_add(t, k->parent_offset);
    else if (t->a->new_name)
        edit_names(t, k->parent_columns);
}

static void edit_constraints(struct text_edit *t, struct constraint *k, bool own)
{
    struct walker w = {.expr = edit_word, .context = t};
    alter_resolve_constraints(t->a->c, t->table, k);
    for (; k; k = k->next) {
        if (k->kind == CONSTRAINT_FOREIGN_KEY) {
            edit_parent(t, k);
            if (own && t->a->column >= 0 && t->a->new_name) edit_names(t, k->columns);
        }
        if (own) edit_key_list(t, k->list);
        if (k->kind == CONSTRAINT_CHECK || k->kind == CONSTRAINT_GENERATED) walk_expr(&w, k->expr);
    }
}

static void edit_create_table(struct text_edit *t, struct stmt_create_table *s)
{
    struct alteration *a = t->a;
    bool own = is_table(a, s->name.name) && t->database == a->database;
    if (own && a->column < 0) edit_add(t, s->name.offset);
    for (struct column_def *d = s->columns; d; d = d->next) {
        if (own && a->column >= 0 && is_column(a, d->name)) edit_add(t, d->offset);
        edit_constraints(t, d->constraints, own);
    }
    edit_constraints(t, s->constraints, own);
}

static void edit_create_index(struct text_edit *t, struct stmt_create_index *s)
{
    struct walker w = {.expr = edit_word, .context = t};
    if (t->a->column < 0 && !t->foreign) edit_add(t, s->table_offset);
    alter_resolve_index(t->a->c, t->table, s);
    edit_key_list(t, s->columns);
    walk_expr(&w, s->where);
}

struct cte_trial {
    struct compile *c;
    struct select *query;
};

static void resolve_cte(void *context)
{
    const struct cte_trial *trial = context;
    resolve_select(trial->c, trial->query, NULL);
}

static struct select *cte_query(struct compile *c, const struct with *with, const char *name)
{
    struct select *query = arena_alloc(c->arena, sizeof *query);
    query->with = with_copy(c->arena, with);
    source_list_add(c->arena, &query->from)->name = name;
    expr_list_add(c->arena, &query->columns, expr_integer(c->arena, 1));
    return query;
}

// A CTE that nothing uses is resolved all the same, in a query of its own, as far as it makes sense. false: it makes none.
static bool find_cte(struct walker *find, struct compile *c, const struct with *with, const char *name)
{
    struct cte_trial trial = {c, cte_query(c, with, name)};
    struct err mistake;
    const bool known = compile_attempt(c, resolve_cte, &trial, &mistake);
    walk_select(find, trial.query);
    return known;
}

// What of them names a column that is dropped is no mistake.
static void find_ctes(struct text_edit *t)
{
    struct walker find = {.expr = t->a->new_name ? find_expr : find_string, .select = find_select, .context = t};
    bool known = true;
    for (u32 i = 0; i < t->with_count; i++) // behind a mistake SQLite looks at no more of them
        for (u32 k = 0; k < t->withs[i]->count && known; k++)
            known = find_cte(&find, t->a->c, t->withs[i], t->withs[i]->items[k].name);
}

// ---- one text ---------------------------------------------------------------------------------------------

static void edit_text(struct text_edit *t)
{
    struct alteration *a = t->a;
    struct walker w = {.expr = note_expr, .select = note_select, .context = t};
    switch ((enum stmt_kind)t->stmt->kind) {
    case STMT_CREATE_TABLE: edit_create_table(t, (struct stmt_create_table *)t->stmt); break;
    case STMT_CREATE_INDEX: edit_create_index(t, (struct stmt_create_index *)t->stmt); break;
    case STMT_CREATE_VIRTUAL_TABLE: {
        struct stmt_create_virtual_table *s = (struct stmt_create_virtual_table *)t->stmt;
        if (a->column < 0 && is_table(a, s->name.name) && t->database == a->database) edit_add(t, s->name.offset);
        break;
    }
    case STMT_CREATE_VIEW: {
        if (t->legacy) break;
        struct stmt_create_view *s = (struct stmt_create_view *)t->stmt;
        walk_select(&w, s->select);
        int saved = a->c->view_database;
        const char *schema = a->c->trigger_schema;
        a->c->view_database = t->database;
        a->c->trigger_schema = t->database == DATABASE_TEMP ? NULL : compile_database_name(a->c, t->database);
        resolve_select(a->c, s->select, NULL);
        a->c->view_database = saved;
        a->c->trigger_schema = schema;
        struct walker find = {.expr = find_expr, .select = find_select, .context = t};
        walk_select(&find, s->select);
        find_ctes(t);
        edit_uses(t);
        break;
    }
    case STMT_CREATE_TRIGGER: {
        struct stmt_create_trigger *s = (struct stmt_create_trigger *)t->stmt;
        walk_expr(&w, s->when);
        for (struct stmt *step = s->steps; step; step = step->next) note_step(&w, step);
        if (t->legacy) {
            if (is_table_of_trigger(a, t->database, s)) edit_add(t, s->table.offset);
            break;
        }
        alter_resolve_trigger(a->c, t->database, s);
        struct walker find = {.expr = find_expr, .select = find_select, .context = t};
        for (struct stmt *step = s->steps; step; step = step->next) find_step(&find, step);
        find_ctes(t);
        if (is_table_of_trigger(a, t->database, s)) {
            if (a->column < 0) edit_add(t, s->table.offset);
            if (a->column >= 0 && a->new_name) edit_names(t, s->columns);
        }
        edit_uses(t);
        if (a->column >= 0)
            for (struct stmt *step = s->steps; step; step = step->next) edit_step_names(t, step);
        break;
    }
    default: break;
    }
}

static void text_parse_failed(struct parse *p, err_code code, u32 offset, const char *text)
{
    compile_fail(p->context, code, -1, "%s", text);
}

static enum walk_result resolve_ctes(struct walker *w, struct select *s)
{
    struct compile *c = w->context;
    for (u32 i = 0; s->with && i < s->with->count; i++) resolve_select(c, cte_query(c, s->with, s->with->items[i].name), NULL);
    walk_with(w, s->with);
    return WALK_CONTINUE;
}

void alter_left_out(struct parse *p, struct expr *e)
{
    struct walker w = {.select = resolve_ctes, .context = p->context};
    walk_expr(&w, e);
}

static void read_text(void *context)
{
    struct text_edit *t = context;
    struct parse p = {.arena = t->a->c->arena, .sql = t->sql, .size = t->size, .schema = true, .rename = true,
                      .fail = text_parse_failed, .left_out = alter_left_out, .context = t->a->c};
    parse_statement(&p);
    t->stmt = p.stmt;
    if (t->stmt) edit_text(t);
}

// Runs edit_text so that what fails in it is told as an error of the object.
static void guarded(struct text_edit *t)
{
    struct compile *c = t->a->c;
    const char *const statement = c->sql;
    struct err mistake;
    c->sql = t->sql; // what names of columns are taken from
    c->quiet_offsets++;
    c->top->renaming = true;
    const bool known = compile_attempt(c, read_text, t, &mistake);
    c->sql = statement;
    c->quiet_offsets--;
    c->top->renaming = false;
    if (known) return;
    if (connection_flag(c->db, CONNECTION_WRITABLE_SCHEMA)) { // what cannot be understood stays as it is
        t->edit_count = 0;
        return;
    }
    // Nobody has looked at views and triggers before they are read for their strings.
    if (t->a->column >= 0 && !t->table && connection_flag(c->db, CONNECTION_LEGACY_ALTER_TABLE))
        compile_fail(c, ERR_ERROR, -1, "SQL logic error");
    if (strncmp(mistake.text, "error in ", 9) == 0) compile_fail(c, ERR_ERROR, -1, "%s", mistake.text);
    fail_in(t, "", mistake.text);
}

const char *alteration_table_text(struct alteration *a)
{
    const char *sql = a->table->sql;
    struct text_edit t = {.a = a, .type = "table", .name = a->table->name, .sql = sql, .size = (u32)strlen(sql),
                          .database = a->database, .table = a->table};
    guarded(&t);
    return t.edit_count ? edited(&t) : sql;
}

static void alter_object(struct alteration *a, int database, const struct table *table, const char *type,
                         const char *name, const char *sql)
{
    if (!sql) return;
    struct text_edit t = {.a = a, .type = type, .name = name, .sql = sql, .size = (u32)strlen(sql), .database = database,
                         .table = table, .foreign = table && (database != a->database || !is_table(a, table->name)),
                         .legacy = a->column < 0 && connection_flag(a->c->db, CONNECTION_LEGACY_ALTER_TABLE)};
    guarded(&t);
    if (t.edit_count == 0) return;
    const char *text = edited(&t);
    if (a->column >= 0 && strcmp(type, "table") == 0 && database == a->database && name_equal(name, a->table->name)) {
        s32 other = table_column(a->table, a->new_name);
        if (other >= 0 && other != a->column) // the one behind the other is told
            a->duplicate = other > a->column ? a->table->columns[other].name : a->new_name;
    }
    if (a->column >= 0 && a->new_name && a->database == DATABASE_TEMP && strcmp(type, "table") != 0 && strcmp(type, "index") != 0) {
        // SQLite goes over the temp schema's views and triggers once more, which fails where the new name stands.
        struct text_edit again = {.a = a, .type = type, .name = name, .sql = text, .size = (u32)strlen(text),
                                  .database = database};
        guarded(&again);
    }
    nested_sql(a->c, "UPDATE %s.sqlite_%smaster SET sql=%s WHERE type=%s AND name=%s",
               sql_quoted(a->c, compile_database_name(a->c, database)), database == DATABASE_TEMP ? "temp_" : "",
               sql_quoted(a->c, text), sql_quoted(a->c, type), sql_quoted(a->c, name));
}

void alteration_apply(struct alteration *a)
{
    struct compile *c = a->c;
    for (int d = 0; d < compile_database_count(c); d++) {
        const struct schema *s = compile_schema(c, d);
        if (!s || (d != a->database && d != DATABASE_TEMP)) continue;
        bool temp_only = d != a->database;
        u32 count;
        const struct schema_object *objects = schema_objects(c, s, &count);
        for (u32 i = 0; i < count; i++) {
            const struct schema_object *o = &objects[i];
            const struct table *t = o->table;
            if (t && temp_only && a->column < 0) continue;
            // The text of the table that loses a column is the caller's.
            if (t && t == a->table && !a->new_name && strcmp(o->type, "table") == 0) continue;
            alter_object(a, d, t, o->type, o->name, o->sql);
        }
    }
    if (a->duplicate) compile_fail(c, ERR_ERROR, -1, "error in table %s after rename: duplicate column name: %s", a->table->name, a->duplicate);
}
