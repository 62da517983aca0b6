// FROM: tables, subqueries, CTEs and views.
#include "../connection.h"
#include "resolve.h"

// ---- tables ---------------------------------------------------------------------------------------------

static bool schema_table_alias(const char *name)
{
    if ((name[0] | 0x20) != 's') return false;
    return name_equal(name, "sqlite_master") || name_equal(name, "sqlite_schema") ||
           name_equal(name, "sqlite_temp_master") || name_equal(name, "sqlite_temp_schema");
}

static const struct table *find_in(struct compile *c, int database, const char *name)
{
    const struct schema *s = compile_schema(c, database);
    return s ? schema_table(s, name) : NULL;
}

const struct table *locate_table(struct compile *c, const char *database, const char *name, s64 offset, bool quiet,
                                 int *database_index)
{
    int count = compile_database_count(c);
    const struct table *found = NULL;
    if (database) {
        int i = compile_database_find(c, database);
        if (i >= 0 && compile_schema(c, i)) found = schema_table_qualified(compile_schema(c, i), name);
        *database_index = i;
    } else {
        // temp, main, then the attached ones.
        static const int first[2] = {1, 0};
        for (int i = 0; i < count && !found; i++) {
            *database_index = i < 2 ? first[i] : i;
            if (*database_index >= count) continue;
            // sqlite_temp_schema is temp's own; the bare names mean main's.
            if (*database_index == 1 && schema_table_alias(name) && strncasecmp(name, "sqlite_temp", 11) != 0) continue;
            found = find_in(c, *database_index, name);
        }
    }
    if (!found) {
        found = compile_eponymous_table(c, name);
        if (found) *database_index = 0;
    }
    if (found || quiet) return found;
    // SQLite gives no place for these.
    if (database) compile_fail(c, ERR_ERROR, -1, "no such table: %s.%s", database, name);
    compile_fail(c, ERR_ERROR, -1, "no such table: %s", name);
}

static void find_indexed_by(struct compile *c, struct source *s, const struct table *t)
{
    if (!s->indexed_by) return;
    for (const struct index *i = t->indexes; i; i = i->next)
        if (name_equal(i->name, s->indexed_by)) {
            s->index = i;
            return;
        }
    compile_fail(c, ERR_ERROR, s->indexed_by_offset == OFFSET_NONE ? -1 : (s64)s->indexed_by_offset,
                 "no such index: %s", s->indexed_by);
}

const struct table *locate_source(struct compile *c, struct source *s)
{
    int database;
    s->table = locate_table(c, s->schema_name, s->name, s->offset == OFFSET_NONE ? -1 : (s64)s->offset, false,
                            &database);
    s->database = database;
    virtual_table_require(c, s->table);
    if (s->cursor < 0) s->cursor = cursor_alloc(c);
    find_indexed_by(c, s, s->table);
    return s->table;
}

// ---- tables of subqueries --------------------------------------------------------------------------------

// A subquery's columns are called as its text spells them, a view's or new table's as the columns that they come from.
static const char *column_default_name(struct compile *c, const struct expr_item *item, bool spelled)
{
    struct expr *e = item->expr;
    if (item->name && item->name_kind != ITEM_TABLE && item->name_kind != ITEM_ROWID) {
        const bool long_name = !spelled && item->no_expand && e->text && (e->kind == EXPR_COLUMN || e->kind == EXPR_NAME);
        return long_name ? e->text : item->name; // PRAGMA full_column_names is no matter of tables
    }
    if (spelled)
        while (e && e->kind == EXPR_COLLATE) e = e->left;
    else
        e = expr_skip_collate(e);
    while (e && e->kind == EXPR_DOT) e = e->right;
    if (e && (e->kind == EXPR_COLUMN || e->kind == EXPR_AGG_COLUMN) && e->table) {
        if (spelled && e->text) return e->text;
        int column = e->column;
        if (column < 0) column = e->table->rowid_column;
        return column >= 0 ? e->table->columns[column].name : "rowid";
    }
    if (e && (e->kind == EXPR_NAME || (spelled && e->kind == EXPR_TEXT && e->flags & EXPR_F_QUOTED_TEXT))) return e->text;
    if (item->span.size) return arena_copy(c->arena, c->sql + item->span.offset, item->span.size);
    return NULL;
}

// The first of the columns before i that has the name; i: none.
static u32 name_find(const struct table *t, u32 i, const char *name)
{
    u32 at = 0;
    while (at < i && !name_equal(t->columns[at].name, name)) at++;
    return at;
}

// Without the number behind it.
static size_t name_length(const char *name)
{
    size_t length = strlen(name), j = length;
    while (j > 0 && name[j - 1] >= '0' && name[j - 1] <= '9') j--;
    return j > 0 && name[j - 1] == ':' ? j - 1 : length;
}

// The name, or "name:1" ... when columns before i have it. tried[column]: how many were for that column's name.
static const char *column_name_unique(struct compile *c, const struct table *t, u32 i, const char *name, u32 *tried)
{
    // A column that is called TRUE could not be read.
    if (name_equal(name, "true") || name_equal(name, "false")) name = arena_format(c->arena, "column%u", i + 1);
    u32 first = name_find(t, i, name);
    if (first == i) return name;
    size_t length = name_length(name);
    const char *numbered;
    do {
        numbered = arena_format(c->arena, "%.*s:%u", (int)length, name, ++tried[first]);
    } while (name_find(t, i, numbered) < i);
    return numbered;
}

// A column of a join in parentheses ("SCHEMA.TABLE.COLUMN"): as it is called in the table or join that it is of.
static const char *joined_column_name(const struct expr_item *item)
{
    if (!item->using_term && item->expr->kind == EXPR_COLUMN && item->expr->text) return item->expr->text;
    const char *column = strchr(item->name, '.');
    if (column) column = strchr(column + 1, '.');
    return column ? column + 1 : NULL;
}

// Whether column_name_unique() meets a column that USING joins on its way to a name: "*" leaves column i out then, as it does those
// that are joined.
static bool meets_using_term(struct compile *c, const struct expr_list *columns, const struct table *t, u32 i, const char *name)
{
    bool met = false;
    size_t length = name_length(name);
    u32 at = name_find(t, i, name);
    for (u32 number = 1; at < i; number++) {
        met |= columns->items[at].using_term;
        at = name_find(t, i, arena_format(c->arena, "%.*s:%u", (int)length, name, number));
    }
    return met;
}

static void columns_from_list(struct compile *c, struct expr_list *list, struct table *t, bool spelled)
{
    t->columns = arena_alloc(c->arena, (list->count + 1) * sizeof *t->columns);
    u32 *tried = arena_alloc(c->arena, (list->count + 1) * sizeof *tried);
    for (u32 i = 0; i < list->count; i++) {
        const char *name = column_default_name(c, &list->items[i], spelled);
        if (!name) name = arena_format(c->arena, "column%u", i + 1);
        t->columns[i] = (struct column){.name = column_name_unique(c, t, i, name, tried), .type = "", .storage = (s16)i};
    }
    t->column_count = t->stored_count = (u16)list->count;
}

// Data types that a column of a compound may have: 1 numeric, 2 text, 4 blob.
static int expr_data_types(const struct expr *e)
{
    switch (e->kind) {
    case EXPR_COLLATE:
    case EXPR_IF_NULL_ROW:
    case EXPR_PLUS:
        return expr_data_types(e->left);
    case EXPR_NULL:
        return 0;
    case EXPR_TEXT:
        return 2;
    case EXPR_BLOB:
        return 4;
    case EXPR_CONCAT:
        return 6;
    case EXPR_VARIABLE:
    case EXPR_AGG_FUNCTION:
    case EXPR_FUNCTION:
        return 7;
    case EXPR_COLUMN:
    case EXPR_AGG_COLUMN:
    case EXPR_SELECT:
    case EXPR_CAST:
    case EXPR_SELECT_COLUMN:
    case EXPR_ROW: {
        char affinity = expr_affinity(e);
        if (affinity >= AFFINITY_NUMERIC) return 5;
        if (affinity == AFFINITY_TEXT) return 6;
        return 7;
    }
    case EXPR_CASE: {
        int types = 0;
        u32 n = e->list->count;
        for (u32 i = 1; i < n; i += 2) types |= expr_data_types(e->list->items[i].expr);
        if (n & 1) types |= expr_data_types(e->list->items[n - 1].expr);
        return types;
    }
    }
    return 1;
}

static bool row_has_affinity(const struct select *row)
{
    for (u32 i = 0; i < row->columns->count; i++)
        if (expr_affinity(row->columns->items[i].expr) > AFFINITY_NONE) return true;
    return false;
}

// Whether the next row is computed with this one.
static bool row_goes_on(const struct select *row)
{
    const u32 behind = SELECT_F_COMPUTED | SELECT_F_ROW_BEHIND;
    return row->next && (row->next->flags & behind) == behind;
}

bool select_begins_rows(const struct select *s)
{
    return s->flags & SELECT_F_COMPUTED && row_goes_on(s) && !row_has_affinity(s);
}

bool select_ends_rows(const struct select *s)
{
    for (; s && s->flags & SELECT_F_COMPUTED && s->flags & SELECT_F_ROW_BEHIND; s = s->prior)
        if (s->prior && s->prior->flags & SELECT_F_COMPUTED && !row_has_affinity(s->prior)) return true;
    return false;
}

// The last row of those that are to SQLite one table, whose columns have no affinity, of whatever type the rows behind its first
// are: it begins with a row of constants. Otherwise the term itself.
static struct select *rows_end(struct select *term)
{
    if (!(term->flags & SELECT_F_COMPUTED) || row_has_affinity(term)) return term;
    while (row_goes_on(term)) term = term->next;
    return term;
}

static int term_types(const struct select *term, const struct select *end, u32 column)
{
    return term == end ? expr_data_types(term->columns->items[column].expr) : 7;
}

// The types that columns were declared with in the last term of a compound. A recursive one that gives a column of the table itself
// gives the type that it has got.
static void compound_decltypes(struct compile *c, struct table *t, const struct select *last)
{
    const char **types = arena_alloc(c->arena, t->column_count * sizeof *types);
    for (u32 i = 0; i < t->column_count; i++) t->columns[i].default_text = t->columns[i].flags & COLUMN_HAS_TYPE ? t->columns[i].type : NULL;
    for (u32 i = 0; i < t->column_count; i++) types[i] = expr_decltype(c, NULL, last->columns->items[i].expr);
    for (u32 i = 0; i < t->column_count; i++) t->columns[i].default_text = types[i];
}

// One that is not there is told once all names are known.
static const struct collation *result_collation(struct compile *c, const struct expr *e)
{
    c->collations_late = c->resolving == RESOLVING_NAMES;
    const struct collation *found = expr_collation_or_null(c, e);
    c->collations_late = false;
    return found;
}

static void subquery_types(struct compile *c, struct table *t, struct select *s, char fallback)
{
    if (c->resolving == RESOLVING_TABLES) return;
    const struct select *last = s;
    while (last->next) last = last->next;
    while (s->prior) s = s->prior;
    for (u32 i = 0; i < t->column_count; i++) { // a recursive table had those of its first terms
        t->columns[i].affinity = AFFINITY_NONE;
        t->columns[i].type = "";
        t->columns[i].flags &= (u8)~COLUMN_HAS_TYPE;
    }
    for (u32 i = 0; i < t->column_count; i++) {
        const struct expr *e = s->columns->items[i].expr;
        struct column *column = &t->columns[i];
        struct select *term = s, *end = rows_end(s);
        // A recursive term that gives the column itself gives it as it is until then.
        column->affinity = (u8)expr_affinity(e);
        int types = 0;
        while (column->affinity <= AFFINITY_NONE && end->next) {
            types |= term_types(term, end, i);
            term = end->next;
            end = rows_end(term);
            column->affinity = (u8)expr_affinity(term->columns->items[i].expr);
        }
        char affinity = (char)column->affinity;
        if (affinity <= AFFINITY_NONE) affinity = fallback;
        column->affinity = (u8)affinity;
        if (affinity >= AFFINITY_TEXT && (end->next || term != s)) {
            for (term = end->next; term; term = end->next) {
                end = rows_end(term);
                types |= term_types(term, end, i);
            }
            if (affinity == AFFINITY_TEXT && types & 1) affinity = AFFINITY_BLOB;
            else if (affinity >= AFFINITY_NUMERIC && types & 2) affinity = AFFINITY_BLOB;
            if (affinity >= AFFINITY_NUMERIC && e->kind == EXPR_CAST) affinity = AFFINITY_FLEXNUM;
        }
        column->affinity = (u8)affinity;
        const struct collation *collation = result_collation(c, e);
        if (collation) column->collation = collation->name;
        const char *type = expr_decltype(c, NULL, e);
        if (last == s) column->default_text = type;
        if (type && affinity_of_type(type) == (enum affinity)affinity) {
            column->type = type;
            column->flags |= COLUMN_HAS_TYPE;
        } else if (affinity == AFFINITY_NUMERIC || affinity == AFFINITY_FLEXNUM) {
            column->type = "NUM";
        } else if (affinity == AFFINITY_INTEGER) {
            column->type = "INT";
        } else if (affinity == AFFINITY_REAL) {
            column->type = "REAL";
        } else if (affinity == AFFINITY_TEXT) {
            column->type = "TEXT";
        } else if (affinity == AFFINITY_BLOB) {
            column->type = "BLOB";
        }
        if (column->type[0]) column->flags |= COLUMN_HAS_TYPE;
    }
    if (last != s) compound_decltypes(c, t, last);
}

// Rows of VALUES name no columns, whatever their text.
static void check_width(struct compile *c, const struct cte *cte, u32 count)
{
    if (cte->columns->count != count)
        compile_fail(c, ERR_ERROR, cte->offset, "table %s has %u values for %u columns", cte->name, count, cte->columns->count);
}

static void values_unname(struct select *first)
{
    if (!(first->flags & SELECT_F_VALUES)) return;
    for (u32 i = 0; i < first->columns->count; i++) {
        struct expr_item *item = &first->columns->items[i];
        item->span.size = 0;
    }
}

struct table *subquery_table(struct compile *c, struct expr_list *columns, const char *name, bool spelled)
{
    struct table *t = arena_alloc(c->arena, sizeof *t);
    t->name = name;
    t->kind = TABLE_ORDINARY;
    t->flags = TABLE_EPHEMERAL;
    t->rowid_column = -1;
    t->row_estimate = 1048576;
    columns_from_list(c, columns, t, spelled);
    return t;
}

struct table *select_result_table(struct compile *c, struct select *s, const char *name, bool spelled)
{
    struct select *first = s;
    while (first->prior) first = first->prior;
    values_unname(first);
    struct table *t = subquery_table(c, first->columns, name, spelled);
    subquery_types(c, t, s, AFFINITY_NONE);
    return t;
}

static void name_columns(struct compile *c, struct table *t, const struct name_list *names)
{
    u32 *tried = arena_alloc(c->arena, (t->column_count + 1u) * sizeof *tried);
    for (u32 i = 0; i < names->count && i < t->column_count; i++)
        t->columns[i].name = column_name_unique(c, t, i, names->items[i].name, tried);
}

// ---- CTEs -----------------------------------------------------------------------------------------------

// A "*" of nothing, or a USING of two columns, was found: some more tables are looked for until it is told.
static bool tables_mistaken(const struct compile *c)
{
    return c->resolving == RESOLVING_TABLES && c->mistake;
}

struct cte *cte_find(struct compile *c, const struct source *s, struct with **scope)
{
    if (s->schema_name || !s->name) return NULL;
    for (struct with *w = c->with; w; w = w->outer)
        for (u32 i = 0; i < w->count; i++)
            if (name_equal(w->items[i].name, s->name)) {
                *scope = w;
                return &w->items[i];
            }
    return NULL;
}

void with_push(struct compile *c, struct with *w)
{
    if (!w || tables_mistaken(c)) return; // behind a mistake nothing new is seen
    for (u32 i = 0; i < w->count; i++)
        for (u32 j = 0; j < i; j++)
            if (name_equal(w->items[i].name, w->items[j].name))
                compile_fail(c, ERR_ERROR, w->items[i].offset, "duplicate WITH table name: %s", w->items[i].name);
    w->outer = c->with;
    c->with = w;
}

// Names resolved so far in the contexts around: more after a subquery was resolved means that it is correlated.
static u32 outer_references(const struct name_context *n)
{
    u32 count = 0;
    for (; n; n = n->outer) count += n->reference_count;
    return count;
}

// A column is called as it is spelled, also where that comes to mean a result of a query around.
static void columns_spell(struct select *first)
{
    if (first->flags & SELECT_F_VALUES) return;
    for (u32 i = 0; i < first->columns->count; i++) {
        struct expr_item *item = &first->columns->items[i];
        const struct expr *e = item->expr;
        while (e->kind == EXPR_COLLATE) e = e->left;
        if (item->name || e->kind != EXPR_NAME) continue;
        item->name = e->text;
        item->name_kind = ITEM_SPELLED;
    }
}

static void subquery_expand(struct compile *c, struct source *s, struct name_context *outer)
{
    u32 before = outer_references(outer);
    struct select *first = s->select;
    while (first->prior) first = first->prior;
    columns_spell(first);
    resolve_select(c, s->select, outer);
    if (tables_mistaken(c)) mistake_tell(c);
    s->correlated = outer_references(outer) != before;
    const bool join = first->flags & SELECT_F_NESTED_FROM;
    const char *name = s->alias ? s->alias : arena_format(c->arena, join ? "(join-%u)" : "(subquery-%u)", s->select->id);
    if (join) {
        struct table *t = subquery_table(c, first->columns, name, true);
        subquery_types(c, t, s->select, AFFINITY_NONE);
        u32 *tried = arena_alloc(c->arena, (t->column_count + 1u) * sizeof *tried);
        for (u32 i = 0; i < t->column_count; i++) {
            struct expr_item *item = &first->columns->items[i];
            if (item->name_kind == ITEM_ROWID) {
                t->columns[i].name = column_name_unique(c, t, i, strrchr(item->name, '.') + 1, tried);
                t->columns[i].flags |= COLUMN_OF_ROWID;
            } else if (item->name_kind == ITEM_TABLE) {
                const char *column = joined_column_name(item);
                if (!column) continue;
                item->reusable |= meets_using_term(c, first->columns, t, i, column);
                t->columns[i].name = column_name_unique(c, t, i, column, tried);
            }
        }
        s->table = t;
    } else {
        s->table = select_result_table(c, s->select, name, true);
    }
    s->database = -1;
}

// Named as the WITH says, or as the first term's columns.
static void cte_columns(struct compile *c, const struct cte *cte, struct select *term, struct table *t)
{
    while (term->prior) term = term->prior;
    values_unname(term);
    columns_from_list(c, term->columns, t, true);
    if (!cte->columns || expr_is_star(term->columns->items[0].expr)) return; // of nothing
    check_width(c, cte, term->columns->count);
    name_columns(c, t, cte->columns);
}

// On the stack of cte_instance.
struct cte_scope {
    const struct cte *cte;
    const char *mistake; // format of what is wrong with naming it
    const struct cte_scope *outer;
};

// What is wrong in recursive terms is told before, and in ORDER BY behind. Of several terms what is wrong with the last is told, which
// may be that it is not as wide as the recursive one behind it.
static void setup_mistake(struct compile *c, const struct select *last, struct select *body, struct name_context *outer, const struct err *mistake)
{
    struct err of_body;
    struct expr_list *const order_by = body->order_by;
    body->order_by = NULL;
    const bool known = select_attempt(c, body, outer, &of_body);
    body->order_by = order_by;
    if (!known) compile_fail_again(c, &of_body);
    if (last->flags & SELECT_F_RESOLVED) select_widths_check(c, last);
    compile_fail_again(c, mistake);
}

static void cte_instance(struct compile *c, struct source *s, struct cte *cte, struct with *scope,
                         struct name_context *outer)
{
    u32 before = outer_references(outer);
    for (const struct cte_scope *around = c->ctes; around; around = around->outer)
        if (around->cte == cte) compile_fail(c, ERR_ERROR, s->offset, around->mistake, cte->name);
    if (s->arguments || s->is_function) compile_fail(c, ERR_ERROR, s->offset, "'%s' is not a function", s->name);
    if (s->indexed_by) compile_fail(c, ERR_ERROR, -1, "no such index: \"%s\"", s->indexed_by);
    struct select *body = select_copy(c->arena, cte->select);
    cte->uses++;
    s->cte = cte;
    s->select = body;
    s->database = -1;
    struct with *saved = c->with;

    // Terms that name the CTE itself make it recursive: they are the last ones.
    struct select *recursive = body;
    bool may_recurse = body->op == SELECT_UNION || body->op == SELECT_UNION_ALL;
    bool is_recursive = false;
    struct table *t = arena_alloc(c->arena, sizeof *t);
    t->name = cte->name;
    t->flags = TABLE_EPHEMERAL;
    t->rowid_column = -1;
    t->row_estimate = 1048576;
    int recursive_cursor = -1;
    while (may_recurse && recursive->op == body->op) {
        bool named = false;
        if (recursive->from)
            for (u32 i = 0; i < recursive->from->count; i++) {
                struct source *r = &recursive->from->items[i];
                if (!r->schema_name && r->name && !r->select && name_equal(r->name, cte->name)) {
                    if (named || r->recursive)
                        compile_fail(c, ERR_ERROR, r->offset, "multiple references to recursive table: %s", cte->name);
                    if (r->indexed_by) compile_fail(c, ERR_ERROR, -1, "no query solution");
                    r->table = t;
                    r->database = -1;
                    r->recursive = true;
                    named = true;
                    if (recursive_cursor < 0) recursive_cursor = cursor_alloc(c);
                    r->cursor = recursive_cursor;
                }
            }
        if (!named) break;
        is_recursive = true;
        recursive->flags |= SELECT_F_RECURSIVE;
        if (!recursive->prior) break;
        recursive = recursive->prior;
    }
    c->with = scope;
    struct cte_scope here = {cte, "circular reference: %s", c->ctes};
    c->ctes = &here;
    struct with *inner = body->with;
    if (is_recursive) {
        // The part before gives names and types; it sees the WITH of the body too.
        if (inner) with_push(c, inner);
        body->with = NULL;
        recursive->next->prior = recursive;
        struct select *last_setup = recursive, *first_recursive = recursive->next;
        last_setup->next = NULL;
        struct err mistake;
        bool known = true;
        if (c->resolving == RESOLVING_NAMES) known = select_attempt(c, last_setup, outer, &mistake);
        else resolve_select(c, last_setup, outer);
        if (!known) { // recursive terms need the columns
            select_tables(c, last_setup);
            first_recursive->prior = NULL;
        }
        cte_columns(c, cte, last_setup, t);
        if (known) subquery_types(c, t, last_setup, AFFINITY_NONE);
        // What affinities are is known behind all terms: to what a recursive one names before, columns have none.
        for (u32 i = 0; i < t->column_count; i++) t->columns[i].affinity = AFFINITY_NONE;
        last_setup->next = first_recursive;
        here.mistake = "multiple recursive references: %s";
        struct err of_body;
        if (!known) setup_mistake(c, last_setup, body, outer, &mistake);
        if (c->resolving != RESOLVING_TABLES) {
            resolve_select(c, body, outer);
        } else if (!select_attempt(c, body, outer, &of_body)) { // SQLite goes on
            mistake_keep(c, of_body.text, of_body.offset);
            s->cte = NULL; // it is found again when the query is looked at again
            s->select = NULL;
            c->ctes = here.outer;
            c->with = saved;
            return;
        }
        subquery_types(c, t, body, AFFINITY_NONE);
        body->flags |= SELECT_F_RECURSIVE;
        s->recursive = false;
    } else {
        resolve_select(c, body, outer);
        cte_columns(c, cte, body, t);
        subquery_types(c, t, body, AFFINITY_NONE);
    }
    s->table = t;
    c->ctes = here.outer;
    c->with = saved;
    s->correlated = outer_references(outer) != before;
}

// ---- views ----------------------------------------------------------------------------------------------

static enum walk_result mark_ddl(struct walker *w, struct expr *e)
{
    e->flags |= EXPR_F_FROM_DDL;
    return WALK_CONTINUE;
}

static enum walk_result mark_ddl_select(struct walker *w, struct select *s)
{
    s->flags |= SELECT_F_VIEW;
    s->id = 0; // its text was numbered on its own
    for (u32 i = 0; s->with && i < s->with->count; i++) (void)walk_select(w, s->with->items[i].select);
    return WALK_CONTINUE;
}

// On the stack of view_instance: how deep views nest is bounded as subqueries are.
struct view_scope {
    const struct table *view;
    const struct view_scope *outer;
};

struct view_use {
    struct compile *c;
    struct source *source;
};

static void view_expand(void *context)
{
    const struct view_use *use = context;
    struct compile *c = use->c;
    struct source *s = use->source;
    const struct table *view = s->table;
    struct with *saved = c->with;
    const char *sql = c->sql;
    c->with = NULL;
    for (struct compile *scan = c; scan; scan = scan->outer)
        for (const struct view_scope *around = scan->views; around; around = around->outer)
            if (around->view == view) compile_fail(c, ERR_ERROR, -1, "view %s is circularly defined", view->name);
    const struct view_scope scope = {view, c->views};
    c->views = &scope;
    struct select *body = select_copy(c->arena, view->view_select);
    struct walker w = {.expr = mark_ddl, .select = mark_ddl_select};
    walk_select(&w, body);
    c->sql = view->sql ? view->sql : "";
    int saved_database = c->view_database;
    c->view_database = s->database;
    // Offsets inside the view's text mean nothing in the statement's.
    u32 saved_quiet = c->quiet_offsets;
    c->quiet_offsets = 1;
    bool renaming = c->top->renaming;
    const int resolving = c->resolving;
    c->top->renaming = false; // a view's columns must be all right, even then and first of all
    c->resolving = RESOLVING_NOTHING;
    resolve_select(c, body, NULL);
    struct table *t = select_result_table(c, body, view->name, false);
    c->top->renaming = renaming;
    c->resolving = resolving;
    if (view->view_columns) {
        // That they are as many is looked at as code is made.
        if (view->view_columns->count != t->column_count) t = subquery_table(c, view->view_columns, view->name, false);
        u32 *tried = arena_alloc(c->arena, (t->column_count + 1u) * sizeof *tried);
        for (u32 i = 0; i < t->column_count; i++)
            t->columns[i].name = column_name_unique(c, t, i, view->view_columns->items[i].name, tried);
    }
    c->quiet_offsets = saved_quiet;
    c->view_database = saved_database;
    c->sql = sql;
    c->views = scope.outer;
    c->with = saved;
    s->was_view = true;
    s->select = body;
    s->table = t;
}

static void view_instance(struct compile *c, struct source *s)
{
    if (tables_mistaken(c)) return;
    const struct table *view = s->table;
    if (c->view_mistaken != view) {
        struct view_use use = {c, s};
        struct err mistake;
        if (compile_attempt(c, view_expand, &use, &mistake)) return;
        c->view_mistaken = view; // looked for again, with the tables of what names it
        c->view_mistake = arena_alloc(c->arena, sizeof *c->view_mistake);
        *c->view_mistake = mistake;
    }
    compile_fail_again(c, c->view_mistake);
}

const struct table *view_columns(struct compile *c, const struct table *view, int database)
{
    struct source s = {.table = view, .cursor = -1, .name = view->name, .database = database};
    view_instance(c, &s);
    return s.table;
}

// ---- one select ------------------------------------------------------------------------------------------

static void mark_right_joins(struct source_list *from)
{
    // All to the left of a RIGHT JOIN may be NULL rows.
    int last = -1;
    for (u32 i = 0; i < from->count; i++)
        if (from->items[i].join & JOIN_RIGHT) last = (int)i;
    for (int i = 0; i < last; i++) from->items[i].join |= JOIN_LEFT_OF_RIGHT;
}

// Whether a schema that came with a file may not read it: what tells of the file's pages never, what tells of the
// connection or of other tables' text when the schema is not trusted.
static bool unsafe_in_schema(const struct compile *c, const struct table *t)
{
    if (t->dbstat) return true;
    return (t->pragma || t->vocab) && !connection_flag(c->db, CONNECTION_TRUSTED_SCHEMA);
}

// A table or view of a schema.
static void table_source(struct compile *c, struct source *source)
{
    const char *schema = source->schema_name;
    if (!schema && c->views && c->view_database != DATABASE_TEMP)
        schema = compile_database_name(c, c->view_database);
    else if (!schema && c->trigger_schema)
        schema = c->trigger_schema;
    s64 offset = source->offset == OFFSET_NONE ? -1 : (s64)source->offset;
    const struct table *t = locate_table(c, schema, source->name, offset, false, &source->database);
    virtual_table_require(c, t);
    if (source->is_function && t->kind != TABLE_VIRTUAL)
        compile_fail(c, ERR_ERROR, offset, "'%s' is not a function", source->name);
    if (unsafe_in_schema(c, t) && (c->views ? c->view_database != DATABASE_TEMP : c->trigger_schema != NULL))
        compile_fail(c, ERR_ERROR, -1, "unsafe use of virtual table \"%s\"", t->name);
    if (t->kind == TABLE_VIEW && source->indexed_by) view_columns(c, t, source->database); // for its mistakes
    find_indexed_by(c, source, t);
    source->table = t;
    if (t->kind != TABLE_VIEW) return;
    compile_use_database(c, source->database); // which holds the view, if nothing that it reads
    view_instance(c, source);
}

void select_expand(struct compile *c, struct select *s, struct name_context *outer)
{
    if (s->flags & SELECT_F_EXPANDED) {
        if (tables_mistaken(c)) mistake_tell(c);
        return;
    }
    if (!s->id) s->id = ++c->top->select_id_next;
    if (outer) outer->nested++;
    if (s->from) {
        if (s->from->count > 64) compile_fail(c, ERR_ERROR, -1, "at most 64 tables in a join");
        mark_right_joins(s->from);
        for (u32 i = 0; i < s->from->count; i++) {
            struct source *source = &s->from->items[i];
            if (source->cursor < 0) source->cursor = cursor_alloc(c);
            if (tables_mistaken(c)) { // WITH is no longer seen
                if (source->cte || (!source->table && !source->select)) table_source(c, source);
                else if (source->select && source->table && !source->was_view) mistake_tell(c);
                else if (source->select && !source->table) subquery_expand(c, source, outer);
                continue;
            }
            if (source->table) {
                if (!source->recursive && source->select == NULL && source->table->kind == TABLE_VIEW) view_instance(c, source);
                continue;
            }
            if (source->select && !source->cte) {
                subquery_expand(c, source, outer);
                continue;
            }
            struct with *scope;
            struct cte *cte = cte_find(c, source, &scope);
            if (cte) {
                cte_instance(c, source, cte, scope, outer);
                continue;
            }
            table_source(c, source);
        }
    }
    if (outer) outer->nested--;
    if (tables_mistaken(c)) mistake_tell(c);
    const char *mistake = s->from && !(s->flags & SELECT_F_JOINED) ? select_joins_resolve(c, s) : NULL;
    if (!mistake) s->flags |= SELECT_F_JOINED;
    select_stars_expand(c, s);
    if (mistake) tables_mistake(c, mistake, -1);
    else s->flags |= SELECT_F_EXPANDED; // a mistake is found again when the query is looked at again
}
