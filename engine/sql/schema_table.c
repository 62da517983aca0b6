// Tables, indexes, views and triggers out of their CREATE statements.
#include "parse.h"
#include "schema.h"

#include <strings.h>

#define ALLOC(b, count, type) ((type *)arena_alloc((b)->parse->arena, (size_t)(count) * sizeof(type)))
#define FAIL(b, ...)          parse_fail((b)->parse, ERR_ERROR, OFFSET_NONE, __VA_ARGS__)

enum affinity affinity_of_type(const char *type)
{
    enum affinity affinity = AFFINITY_NUMERIC;
    u32 h = 0;
    if (!type) return AFFINITY_BLOB;
    for (; *type; type++) {
        u8 c = (u8)*type;
        h = h << 8 | (c >= 'A' && c <= 'Z' ? c | 0x20 : c);
#define WORD(a, b, c, d) ((u32)(a) << 24 | (u32)(b) << 16 | (u32)(c) << 8 | (u32)(d))
        if (h == WORD('c', 'h', 'a', 'r') || h == WORD('c', 'l', 'o', 'b') || h == WORD('t', 'e', 'x', 't'))
            affinity = AFFINITY_TEXT;
        else if (h == WORD('b', 'l', 'o', 'b') && (affinity == AFFINITY_NUMERIC || affinity == AFFINITY_REAL))
            affinity = AFFINITY_BLOB;
        else if ((h == WORD('r', 'e', 'a', 'l') || h == WORD('f', 'l', 'o', 'a') || h == WORD('d', 'o', 'u', 'b')) &&
                 affinity == AFFINITY_NUMERIC)
            affinity = AFFINITY_REAL;
        else if ((h & 0xffffff) == WORD(0, 'i', 'n', 't'))
            return AFFINITY_INTEGER;
#undef WORD
    }
    return affinity;
}

enum affinity affinity_of_cast(const char *type)
{
    return type ? affinity_of_type(type) : AFFINITY_NUMERIC;
}

void column_set_type(struct column *c, const char *type)
{
    static const char *const names[] = {NULL, "ANY", "BLOB", "INT", "INTEGER", "REAL", "TEXT"};
    c->type = type ? type : "";
    c->affinity = (u8)affinity_of_type(type);
    c->strict_type = COLUMN_TYPE_OTHER;
    if (!type) return;
    c->flags |= COLUMN_HAS_TYPE;
    for (u32 i = 1; i < COUNT_OF(names); i++)
        if (strcasecmp(type, names[i]) == 0) {
            c->strict_type = (u8)i;
            c->type = names[i]; // as SQLite, which keeps the number alone
        }
}

void column_hide(struct column *c)
{
    column_set_type(c, "");
    c->flags |= COLUMN_HIDDEN;
}

const char *column_decltype(const struct column *c) { return c->flags & COLUMN_HAS_TYPE ? c->type : NULL; }

static bool is_truth_word(const struct expr *e)
{
    return !(e->flags & EXPR_F_QUOTED) && (strcasecmp(e->text, "true") == 0 || strcasecmp(e->text, "false") == 0);
}

static struct expr *skip_collate(struct expr *e)
{
    while (e->kind == EXPR_COLLATE) e = e->left;
    return e;
}

// The column that a term of a key names: its number, or COLUMN_EXPR.
static s32 key_column(const struct table *t, const struct expr *e)
{
    if (e->kind != EXPR_NAME && e->kind != EXPR_TEXT) return COLUMN_EXPR;
    s32 column = table_column(t, e->text);
    return column >= 0 ? column : COLUMN_EXPR;
}

// ---- indexes ----------------------------------------------------------------------------------------------

static void index_allocate(struct schema_build *b, struct index *i, u16 capacity)
{
    i->columns = ALLOC(b, capacity, s16);
    i->collations = ALLOC(b, capacity, const char *);
    i->descending = ALLOC(b, capacity, u8);
}

void index_link(struct table *t, struct index *i)
{
    struct index **at = &t->indexes;
    if (i->conflict == CONFLICT_REPLACE)
        while (*at) at = &(*at)->next;
    i->next = *at;
    *at = i;
}

static bool same_collation(const char *a, const char *b)
{
    return name_equal(a ? a : "BINARY", b ? b : "BINARY");
}

static bool index_has_column(const struct index *i, u16 count, s16 column, const char *collation)
{
    for (u16 k = 0; k < count; k++)
        if (i->columns[k] == column && same_collation(i->collations[k], collation)) return true;
    return false;
}

// Puts what identifies the row behind the key: the rowid, or the primary key's columns that are missing.
static void index_add_row_key(struct schema_build *b, struct table *t, struct index *i)
{
    u16 extra = t->primary_key ? t->primary_key->key_count : 1;
    u16 capacity = (u16)(i->key_count + extra);
    s16 *columns = i->columns;
    const char **collations = i->collations;
    u8 *descending = i->descending;
    index_allocate(b, i, capacity);
    memcpy(i->columns, columns, i->key_count * sizeof *columns);
    memcpy(i->collations, collations, i->key_count * sizeof *collations);
    memcpy(i->descending, descending, i->key_count);
    i->column_count = i->key_count;
    if (!t->primary_key) {
        i->columns[i->column_count++] = COLUMN_ROWID;
    } else {
        const struct index *pk = t->primary_key;
        for (u16 k = 0; k < pk->key_count; k++) {
            if (index_has_column(i, i->key_count, pk->columns[k], pk->collations[k])) continue;
            i->columns[i->column_count] = pk->columns[k];
            i->collations[i->column_count] = pk->collations[k];
            // Constraints are made before the primary key's order is known, which SQLite's files have kept ever since.
            i->descending[i->column_count] = i->kind == INDEX_CREATED && pk->descending[k];
            i->column_count++;
        }
    }
}

// What the planner assumes until ANALYZE has looked: 1000000 rows, 10 per value of the first column, then 9...
static void index_guess(struct schema_build *b, const struct table *t, struct index *i)
{
    static const u64 guesses[] = {10, 9, 8, 7, 6};
    i->stat = ALLOC(b, i->key_count + 1, u64);
    i->stat[0] = t->has_stat ? t->row_estimate : 1048576;
    if (i->where) i->stat[0] /= 2;
    for (u16 k = 0; k < i->key_count; k++) i->stat[k + 1] = k < COUNT_OF(guesses) ? guesses[k] : 5;
    if (i->conflict != CONFLICT_NONE && i->key_count > 0) i->stat[i->key_count] = 1;
}

static u32 column_width(const struct table *t, int i)
{
    if (i < 0) return 1;
    const char *type = t->columns[i].type;
    if (!type || !*type || t->columns[i].affinity >= AFFINITY_NUMERIC) return 1;
    if (strcasecmp(type, "text") == 0) return 5;
    const char *open = strchr(type, '(');
    if (strcasestr(type, "char") || (strcasestr(type, "blob") && open)) {
        const char *p = strpbrk(type, "0123456789");
        int v = p ? atoi(p) / 4 + 1 : 1;
        return (u32)MIN(MAX(v, 1), 255);
    }
    return 5;
}

u32 table_row_width(const struct table *t)
{
    u32 width = t->rowid_column < 0;
    for (u16 i = 0; i < t->column_count; i++) width += column_width(t, i);
    return width;
}

static u32 index_row_width(const struct table *t, const struct index *i)
{
    u32 width = 0;
    for (u16 k = 0; k < i->column_count; k++) width += column_width(t, i->columns[k]);
    return width;
}

static void index_complete(struct schema_build *b, struct table *t, struct index *i)
{
    i->columns_not_indexed = ~(u64)0;
    // That constraints' indexes have the primary key behind their own columns is not made use of, as in SQLite.
    u16 count = t->primary_key && i->kind == INDEX_UNIQUE ? i->key_count : i->column_count;
    for (u16 k = 0; k < count; k++) {
        s16 column = i->columns[k];
        if (column >= 0 && column < 63 && !(t->columns[column].flags & COLUMN_VIRTUAL))
            i->columns_not_indexed &= ~((u64)1 << column);
    }
    i->covering_all = i->kind == INDEX_CREATED && i->column_count >= t->column_count;
    for (int column = 0; column < t->column_count && i->covering_all; column++) {
        bool there = column == t->rowid_column;
        for (u16 k = 0; k < i->column_count && !there; k++) there = i->columns[k] == column;
        i->covering_all = there;
    }
    i->unique_not_null = i->conflict != CONFLICT_NONE;
    for (u16 k = 0; k < i->key_count; k++) {
        s16 column = i->columns[k];
        if (column == COLUMN_EXPR || (column >= 0 && t->columns[column].not_null == CONFLICT_NONE &&
                                      column != t->rowid_column))
            i->unique_not_null = false;
    }
    i->row_width = index_row_width(t, i);
    index_guess(b, t, i);
}

static void refuse_explicit_nulls(struct schema_build *b, const struct expr_list *list)
{
    for (u32 k = 0; k < list->count; k++)
        if (list->items[k].nulls_said)
            FAIL(b, "unsupported use of NULLS %s", list->items[k].nulls_last ? "LAST" : "FIRST");
}

static const char *check_collation(struct schema_build *b, const char *name)
{
    if (!b->load && b->collation_known && !b->collation_known(b->context, name))
        parse_fail(b->parse, ERR_ERROR_MISSING_COLLSEQ, OFFSET_NONE, "no such collation sequence: %s", name);
    return name_equal(name, "BINARY") ? NULL : name;
}

static bool is_wrapped_twice(const struct expr *e)
{
    return e->kind == EXPR_COLLATE && e->left->kind == EXPR_COLLATE;
}

bool index_column_missing(const struct table *t, const struct expr *column)
{
    const struct expr *e = skip_collate((struct expr *)column);
    if (key_column(t, e) != COLUMN_EXPR) return false;
    if (e->kind == EXPR_TEXT) return !is_wrapped_twice(column); // a string stays one
    return e->kind == EXPR_NAME && !is_truth_word(e) && !(e->flags & EXPR_F_DOUBLE_QUOTED);
}

static void index_fill(struct schema_build *b, struct table *t, struct index *i, const struct expr_list *list,
                       bool constraint)
{
    refuse_explicit_nulls(b, list);
    if (list->count > b->parse->column_max) FAIL(b, "too many columns in index");
    i->key_count = i->column_count = (u16)list->count;
    index_allocate(b, i, i->key_count);
    for (u32 k = 0; k < list->count; k++) {
        const struct expr_item *item = &list->items[k];
        struct expr *e = skip_collate(item->expr);
        s32 column = is_wrapped_twice(item->expr) && e->kind == EXPR_TEXT ? COLUMN_EXPR : key_column(t, e);
        const char *collation = NULL;
        if (column == COLUMN_EXPR) {
            if (index_column_missing(t, item->expr)) parse_fail(b->parse, ERR_ERROR, e->offset, "no such column: %s", e->text);
            if (constraint && b->expression_check) b->expression_check(b->context, t, e);
            if (constraint) FAIL(b, "expressions prohibited in PRIMARY KEY and UNIQUE constraints");
            if (!i->exprs) i->exprs = ALLOC(b, i->key_count, struct expr *);
            i->exprs[k] = e;
        } else if (column >= 0) {
            collation = t->columns[column].collation;
        }
        i->columns[k] = (s16)column;
        if (item->expr->kind == EXPR_COLLATE) {
            collation = check_collation(b, item->expr->text);
            i->collations[k] = collation;
        } else {
            i->collations[k] = collation;
        }
        i->descending[k] = item->descending && b->file_format >= 4;
    }
}

// Indexes that replace on conflict go last: what they delete must have passed all other checks. The first one of them may be out
// of its place.
static void replacing_last(struct table *t)
{
    struct index **at = &t->indexes;
    while (*at && (*at)->conflict != CONFLICT_REPLACE) at = &(*at)->next;
    struct index *replacing = *at;
    if (!replacing) return;
    *at = replacing->next;
    while (*at && (*at)->conflict != CONFLICT_REPLACE) at = &(*at)->next;
    replacing->next = *at;
    *at = replacing;
}

// The index of a UNIQUE or PRIMARY KEY constraint, or nothing when an equal one is there.
static struct index *constraint_index(struct schema_build *b, struct table *t, const struct expr_list *list,
                                      enum index_kind kind, u8 conflict)
{
    struct index *i = ALLOC(b, 1, struct index);
    i->table = t;
    i->kind = kind;
    i->conflict = conflict == CONFLICT_NONE ? CONFLICT_DEFAULT : conflict;
    index_fill(b, t, i, list, true);
    u32 number = 1;
    for (struct index *other = t->indexes; other; other = other->next) {
        number++;
        bool same = other->key_count == i->key_count;
        for (u16 k = 0; same && k < i->key_count; k++)
            same = other->columns[k] == i->columns[k] && same_collation(other->collations[k], i->collations[k]);
        if (!same) continue;
        if (other->conflict != i->conflict) {
            if (other->conflict != CONFLICT_DEFAULT && i->conflict != CONFLICT_DEFAULT)
                FAIL(b, "conflicting ON CONFLICT clauses specified");
            if (other->conflict == CONFLICT_DEFAULT) other->conflict = i->conflict;
        }
        if (kind == INDEX_PRIMARY_KEY) other->kind = kind;
        replacing_last(t);
        return other;
    }
    i->name = arena_format(b->parse->arena, "sqlite_autoindex_%s_%u", t->name, number);
    i->next = t->indexes;
    t->indexes = i;
    replacing_last(t);
    return i;
}

struct index_names {
    struct schema_build *b;
    const struct table *table;
};

static enum walk_result name_check(struct walker *w, struct expr *e)
{
    const struct index_names *n = w->context;
    if (e->kind == EXPR_DOT) return WALK_PRUNE;
    if (e->kind == EXPR_NAME && !(e->flags & EXPR_F_DOUBLE_QUOTED) && !is_truth_word(e) && !name_is_rowid(e->text) && key_column(n->table, e) == COLUMN_EXPR)
        parse_fail(n->b->parse, ERR_ERROR, e->offset, "no such column: %s", e->text);
    return WALK_CONTINUE;
}

// A stored index that asks for columns which its table lacks is damaged. (CREATE INDEX says more, create_index_statement().)
static void index_names_check(struct schema_build *b, const struct table *t, const struct stmt_create_index *s)
{
    struct index_names n = {.b = b, .table = t};
    struct walker w = {.expr = name_check, .context = &n};
    walk_expr_list(&w, s->columns);
    if (s->where) walk_expr(&w, s->where);
}

struct index *index_build(struct schema_build *b, struct table *t, const struct stmt_create_index *s)
{
    if (b->load) index_names_check(b, t, s);
    struct index *i = ALLOC(b, 1, struct index);
    i->table = t;
    i->kind = INDEX_CREATED;
    i->conflict = s->unique ? CONFLICT_ABORT : CONFLICT_NONE;
    i->name = s->name.name;
    i->where = s->where;
    index_fill(b, t, i, s->columns, false);
    index_add_row_key(b, t, i);
    index_complete(b, t, i);
    return i;
}

// ---- columns ----------------------------------------------------------------------------------------------


static bool is_constant_list(const struct expr_list *list)
{
    for (u32 i = 0; list && i < list->count; i++)
        if (!default_is_constant(list->items[i].expr)) return false;
    return true;
}

bool default_is_constant(const struct expr *e)
{
    if (!e) return true;
    switch ((enum expr_kind)e->kind) {
    case EXPR_NAME:
        return !(e->flags & EXPR_F_QUOTED) && (strcasecmp(e->text, "true") == 0 || strcasecmp(e->text, "false") == 0);
    case EXPR_VARIABLE:
    case EXPR_DOT:
    case EXPR_STAR:
    case EXPR_SELECT:
    case EXPR_EXISTS:
    case EXPR_RAISE: return false;
    case EXPR_FUNCTION:
        if (e->window || e->filter) return false;
        break;
    default: break;
    }
    if (e->select) return false;
    return default_is_constant(e->left) && default_is_constant(e->right) && is_constant_list(e->list);
}

static const char *span_text(struct schema_build *b, struct text_span span)
{
    return arena_copy(b->parse->arena, b->parse->sql + span.offset, span.size);
}

static void add_check(struct schema_build *b, struct table *t, u32 *capacity, const struct constraint *k)
{
    t->checks = arena_grow(b->parse->arena, t->checks, t->check_count, capacity, sizeof *t->checks);
    t->checks[t->check_count++] = (struct check_constraint){k->name, k->expr, span_text(b, k->span)};
}

static void add_foreign_key(struct schema_build *b, struct table *t, s16 column, const struct constraint *k)
{
    struct foreign_key *f = ALLOC(b, 1, struct foreign_key);
    f->child = t;
    f->parent = k->parent;
    f->on_delete = k->on_delete;
    f->on_update = k->on_update;
    f->deferred = k->deferred;
    u32 count = k->columns ? k->columns->count : 1;
    if (!k->columns && k->parent_columns && k->parent_columns->count != 1)
        parse_fail(b->parse, ERR_ERROR, k->parent_offset, "foreign key on %s should reference only one column of table %s",
                   t->columns[column].name, k->parent);
    if (k->columns && k->parent_columns && k->parent_columns->count != count)
        FAIL(b, "number of columns in foreign key does not match the number of columns in the referenced table");
    f->column_count = (u16)count;
    f->columns = ALLOC(b, count, struct foreign_key_column);
    for (u32 i = 0; i < count; i++) {
        s32 child = column;
        if (k->columns) {
            child = table_column(t, k->columns->items[i].name);
            if (child < 0) FAIL(b, "unknown column \"%s\" in foreign key definition", k->columns->items[i].name);
        }
        f->columns[i].child = (s16)child;
        f->columns[i].parent = k->parent_columns ? k->parent_columns->items[i].name : NULL;
    }
    f->next = t->foreign_keys;
    t->foreign_keys = f;
}

static void add_primary_key(struct schema_build *b, struct table *t, s32 column, const struct constraint *k)
{
    struct expr_list *list = k->list;
    if (t->flags & TABLE_HAS_PRIMARY_KEY) FAIL(b, "table \"%s\" has more than one primary key", t->name);
    t->flags |= TABLE_HAS_PRIMARY_KEY;
    bool descending = k->descending, generated = false;
    u32 terms = 1;
    if (list) {
        terms = list->count;
        column = -1;
        for (u32 i = 0; i < list->count; i++) {
            struct expr *e = skip_collate(list->items[i].expr);
            if (e->kind != EXPR_NAME && e->kind != EXPR_TEXT) continue;
            s32 c = table_column(t, e->text);
            if (c < 0) continue;
            t->columns[c].flags |= COLUMN_PRIMARY_KEY;
            generated |= t->columns[c].flags & COLUMN_GENERATED;
            if (terms == 1) column = c;
        }
        descending = false; // DESC matters in the column's own PRIMARY KEY alone
    } else {
        t->columns[column].flags |= COLUMN_PRIMARY_KEY;
        generated = t->columns[column].flags & COLUMN_GENERATED;
    }
    const bool rowid = terms == 1 && column >= 0 && strcasecmp(t->columns[column].type, "INTEGER") == 0 && !descending;
    if (k->autoincrement && !rowid) FAIL(b, "AUTOINCREMENT is only allowed on an INTEGER PRIMARY KEY");
    if (generated) FAIL(b, "generated columns cannot be part of the PRIMARY KEY");
    if (rowid) {
        if (list) refuse_explicit_nulls(b, list);
        t->rowid_column = (s16)column;
        t->rowid_conflict = k->conflict == CONFLICT_NONE ? CONFLICT_DEFAULT : k->conflict;
        if (k->autoincrement) t->flags |= TABLE_AUTOINCREMENT;
        return;
    }
    if (!list) {
        expr_list_add(b->parse->arena, &list, expr_name(b->parse->arena, t->columns[column].name));
        list->items[0].descending = descending;
    }
    constraint_index(b, t, list, INDEX_PRIMARY_KEY, k->conflict);
}

static void add_unique(struct schema_build *b, struct table *t, s32 column, const struct constraint *k)
{
    struct expr_list *list = k->list;
    if (!list) {
        expr_list_add(b->parse->arena, &list, expr_name(b->parse->arena, t->columns[column].name));
        t->columns[column].flags |= COLUMN_UNIQUE;
    }
    constraint_index(b, t, list, INDEX_UNIQUE, k->conflict);
}

bool generated_type_is_known(const struct constraint *k)
{
    return !k->generated_type || strcasecmp(k->generated_type, "stored") == 0 || strcasecmp(k->generated_type, "virtual") == 0;
}

static void add_generated(struct schema_build *b, struct table *t, struct column *c, const struct constraint *k)
{
    if (c->default_value || c->generated || !generated_type_is_known(k)) FAIL(b, "error in generated column \"%s\"", c->name);
    const u8 flag = k->stored ? COLUMN_STORED : COLUMN_VIRTUAL;
    c->flags |= flag;
    t->flags |= flag == COLUMN_STORED ? TABLE_HAS_STORED : TABLE_HAS_VIRTUAL;
    if (c->flags & COLUMN_PRIMARY_KEY) FAIL(b, "generated columns cannot be part of the PRIMARY KEY");
    // A bare name must not be taken for a string.
    c->generated = k->expr;
}

static void add_column(struct schema_build *b, struct table *t, const struct column_def *d, u32 *check_capacity)
{
    if (table_column(t, d->name) >= 0) FAIL(b, "duplicate column name: %s", d->name);
    s32 number = t->column_count++;
    struct column *c = &t->columns[number];
    c->name = d->name;
    column_set_type(c, d->type);
    for (const struct constraint *k = d->constraints; k; k = k->next) {
        switch ((enum constraint_kind)k->kind) {
        case CONSTRAINT_PRIMARY_KEY: add_primary_key(b, t, number, k); break;
        case CONSTRAINT_UNIQUE: add_unique(b, t, number, k); break;
        case CONSTRAINT_NOT_NULL:
            c->not_null = k->conflict == CONFLICT_NONE ? CONFLICT_ABORT : k->conflict;
            t->flags |= TABLE_HAS_NOT_NULL;
            break;
        case CONSTRAINT_NULL: break;
        case CONSTRAINT_CHECK: add_check(b, t, check_capacity, k); break;
        case CONSTRAINT_DEFAULT:
            if (!default_is_constant(k->expr) && !(b->load && k->expr->kind == EXPR_VARIABLE))
                FAIL(b, "default value of column [%s] is not constant", c->name);
            if (c->flags & COLUMN_GENERATED) FAIL(b, "cannot use DEFAULT on a generated column");
            c->default_value = k->expr;
            c->default_text = span_text(b, k->span);
            break;
        case CONSTRAINT_COLLATE:
            c->collation = check_collation(b, k->collation);
            for (struct index *i = t->indexes; i; i = i->next)
                if (i->key_count > 0 && i->columns[0] == number) i->collations[0] = c->collation;
            break;
        case CONSTRAINT_FOREIGN_KEY: add_foreign_key(b, t, (s16)number, k); break;
        case CONSTRAINT_DEFERRABLE:
            if (t->foreign_keys) t->foreign_keys->deferred = k->deferred;
            break;
        case CONSTRAINT_GENERATED: add_generated(b, t, c, k); break;
        }
    }
}

// ---- the whole table --------------------------------------------------------------------------------------

static void check_strict(struct schema_build *b, struct table *t)
{
    for (u16 i = 0; i < t->column_count; i++) {
        struct column *c = &t->columns[i];
        if (c->strict_type == COLUMN_TYPE_OTHER) {
            if (c->flags & COLUMN_HAS_TYPE) FAIL(b, "unknown datatype for %s.%s: \"%s\"", t->name, c->name, c->type);
            FAIL(b, "missing datatype for %s.%s", t->name, c->name);
        }
        if (c->strict_type == COLUMN_TYPE_ANY) c->affinity = AFFINITY_BLOB;
        if (c->flags & COLUMN_PRIMARY_KEY && t->rowid_column != i && c->not_null == CONFLICT_NONE) {
            c->not_null = CONFLICT_ABORT;
            t->flags |= TABLE_HAS_NOT_NULL;
        }
    }
}

// Stored columns keep their order; virtual ones get places behind them.
static void assign_storage(struct table *t)
{
    s16 place = 0;
    for (u16 i = 0; i < t->column_count; i++)
        if (!(t->columns[i].flags & COLUMN_VIRTUAL)) t->columns[i].storage = place++;
    t->stored_count = (u16)place;
    for (u16 i = 0; i < t->column_count; i++)
        if (t->columns[i].flags & COLUMN_VIRTUAL) t->columns[i].storage = place++;
}

// The primary key's index becomes the table: duplicates leave its key, all other columns follow.
static void make_without_rowid(struct schema_build *b, struct table *t)
{
    for (u16 i = 0; i < t->column_count; i++) {
        struct column *c = &t->columns[i];
        if (!(c->flags & COLUMN_PRIMARY_KEY) || c->not_null != CONFLICT_NONE) continue;
        c->not_null = CONFLICT_ABORT;
        t->flags |= TABLE_HAS_NOT_NULL;
    }
    struct index *pk = NULL;
    if (t->rowid_column >= 0) {
        struct expr_list *list = NULL;
        expr_list_add(b->parse->arena, &list, expr_name(b->parse->arena, t->columns[t->rowid_column].name));
        t->rowid_column = -1;
        pk = constraint_index(b, t, list, INDEX_PRIMARY_KEY, t->rowid_conflict);
    } else {
        for (struct index *i = t->indexes; i; i = i->next)
            if (i->kind == INDEX_PRIMARY_KEY) pk = i;
    }
    if (!pk) FAIL(b, "PRIMARY KEY missing on table %s", t->name);
    u16 keys = 1;
    for (u16 k = 1; k < pk->key_count; k++) {
        if (index_has_column(pk, keys, pk->columns[k], pk->collations[k])) continue;
        pk->columns[keys] = pk->columns[k];
        pk->collations[keys] = pk->collations[k];
        pk->descending[keys] = pk->descending[k];
        keys++;
    }
    pk->key_count = pk->column_count = keys;
    t->primary_key = pk;
    s16 *columns = pk->columns;
    const char **collations = pk->collations;
    u8 *descending = pk->descending;
    index_allocate(b, pk, (u16)(keys + t->column_count));
    memcpy(pk->columns, columns, keys * sizeof *columns);
    memcpy(pk->collations, collations, keys * sizeof *collations);
    memcpy(pk->descending, descending, keys);
    for (u16 i = 0; i < t->column_count; i++) {
        bool there = t->columns[i].flags & COLUMN_VIRTUAL;
        for (u16 k = 0; k < keys && !there; k++) there = pk->columns[k] == i;
        if (!there) pk->columns[pk->column_count++] = (s16)i;
    }
    pk->covering_all = true;
}

void table_items_build(struct schema_build *b, struct table *t, const struct stmt_create_table *s)
{
    u32 check_capacity = 0;
    t->name = s->name.name;
    t->kind = TABLE_ORDINARY;
    t->rowid_column = -1;
    if (s->column_count > b->parse->column_max) FAIL(b, "too many columns on %s", t->name);
    t->columns = ALLOC(b, s->column_count, struct column);
    for (const struct column_def *d = s->columns; d; d = d->next) add_column(b, t, d, &check_capacity);
    for (const struct constraint *k = s->constraints; k; k = k->next) {
        switch ((enum constraint_kind)k->kind) {
        case CONSTRAINT_PRIMARY_KEY: add_primary_key(b, t, -1, k); break;
        case CONSTRAINT_UNIQUE: add_unique(b, t, -1, k); break;
        case CONSTRAINT_CHECK: add_check(b, t, &check_capacity, k); break;
        case CONSTRAINT_FOREIGN_KEY: add_foreign_key(b, t, -1, k); break;
        case CONSTRAINT_NOT_NULL:
        case CONSTRAINT_NULL:
        case CONSTRAINT_DEFAULT:
        case CONSTRAINT_COLLATE:
        case CONSTRAINT_DEFERRABLE:
        case CONSTRAINT_GENERATED: break;
        }
    }
}

void table_build(struct schema_build *b, struct table *t, const struct stmt_create_table *s)
{
    table_items_build(b, t, s);
    if (s->strict) {
        t->flags |= TABLE_STRICT;
        check_strict(b, t);
    }
    if (s->without_rowid) {
        if (t->flags & TABLE_AUTOINCREMENT) FAIL(b, "AUTOINCREMENT not allowed on WITHOUT ROWID tables");
        if (!(t->flags & TABLE_HAS_PRIMARY_KEY)) FAIL(b, "PRIMARY KEY missing on table %s", t->name);
        t->flags |= TABLE_WITHOUT_ROWID;
    }
    if (t->flags & (TABLE_HAS_VIRTUAL | TABLE_HAS_STORED)) {
        u32 plain = 0;
        for (u16 i = 0; i < t->column_count; i++) plain += !(t->columns[i].flags & COLUMN_GENERATED);
        if (plain == 0) FAIL(b, "must have at least one non-generated column");
    }
    assign_storage(t);
    if (s->without_rowid) make_without_rowid(b, t);
    for (struct index *i = t->indexes; i; i = i->next) {
        if (i->conflict == CONFLICT_DEFAULT) i->conflict = CONFLICT_ABORT;
        if (i != t->primary_key) index_add_row_key(b, t, i);
        index_complete(b, t, i);
    }
    t->row_estimate = 1048576;
    t->row_width = table_row_width(t);
    if (strncasecmp(t->name, "sqlite_", 7) == 0) t->flags |= TABLE_SYSTEM;
}

void view_build(struct schema_build *b, struct table *t, const struct stmt_create_view *s)
{
    if (b->parse->variable_count) FAIL(b, "parameters are not allowed in views");
    t->name = s->name.name;
    t->kind = TABLE_VIEW;
    t->rowid_column = -1;
    t->view_select = s->select;
    t->view_columns = s->columns;
    t->row_estimate = 1048576;
}

void virtual_table_build(struct table *t, const struct stmt_create_virtual_table *s)
{
    t->name = s->name.name;
    t->kind = TABLE_VIRTUAL;
    t->rowid_column = -1;
    t->module = s->module;
    t->module_arguments = s->arguments;
    t->module_argument_count = s->argument_count;
    t->row_estimate = 1048576;
}

struct trigger *trigger_build(struct schema_build *b, const struct stmt_create_trigger *s)
{
    struct trigger *t = ALLOC(b, 1, struct trigger);
    t->name = s->name.name;
    t->table = s->table.name;
    t->table_schema = s->table.schema;
    t->time = s->time;
    t->event = s->event;
    t->columns = s->columns;
    t->when = s->when;
    t->steps = s->steps;
    return t;
}
