#include "ast.h"

static inline u8 lower(u8 c) { return c >= 'A' && c <= 'Z' ? c | 0x20 : c; }

bool name_equal(const char *a, const char *b)
{
    const u8 *x = (const u8 *)a, *y = (const u8 *)b;
    for (; *x == *y || lower(*x) == lower(*y); x++, y++)
        if (!*x) return true;
    return false;
}

bool expr_is_true_or_false(const struct expr *e)
{
    return e->kind == EXPR_NAME && !(e->flags & EXPR_F_QUOTED) &&
           (name_equal(e->text, "true") || name_equal(e->text, "false"));
}

u32 name_hash(const char *name)
{
    u32 hash = 2166136261u;
    for (const u8 *c = (const u8 *)name; *c; c++) hash = (hash ^ lower(*c)) * 16777619u;
    return hash;
}

struct expr *expr_new(struct arena *a, enum expr_kind kind, u32 offset)
{
    struct expr *e = arena_alloc(a, sizeof *e);
    e->kind = kind;
    e->offset = offset;
    e->name_offset = OFFSET_NONE;
    e->height = 1;
    e->cursor = -1;
    e->aggregate_index = -1;
    e->on_cursor = -1;
    e->in_cursor = -1;
    return e;
}

#define INHERITED                                                                                  \
    (EXPR_F_HAS_FUNCTION | EXPR_F_HAS_SELECT | EXPR_F_HAS_COLLATE | EXPR_F_HAS_WINDOW)

static void summarize_child(struct expr *e, const struct expr *child)
{
    if (!child) return;
    if (child->height + 1 > e->height) e->height = child->height + 1;
    e->flags |= child->flags & INHERITED;
}

static void summarize_list(struct expr *e, const struct expr_list *list)
{
    if (!list) return;
    for (u32 i = 0; i < list->count; i++) summarize_child(e, list->items[i].expr);
}

static u32 height_of(const struct expr *e) { return e ? e->height : 0; }

static u32 height_of_list(const struct expr_list *list)
{
    u32 height = 0;
    for (u32 i = 0; list && i < list->count; i++) height = MAX(height, height_of(list->items[i].expr));
    return height;
}

// FROM clauses do not count, as in SQLite.
static u32 height_of_select(const struct select *s)
{
    u32 height = 0;
    for (; s; s = s->prior) {
        height = MAX(height, height_of(s->where));
        height = MAX(height, height_of(s->having));
        height = MAX(height, height_of(s->limit));
        height = MAX(height, height_of_list(s->columns));
        height = MAX(height, height_of_list(s->group_by));
        height = MAX(height, height_of_list(s->order_by));
    }
    return height;
}

void expr_summarize(struct expr *e)
{
    e->height = 1;
    e->flags &= ~(u32)(INHERITED & ~EXPR_F_HAS_COLLATE);
    if (e->kind != EXPR_COLLATE) e->flags &= ~(u32)EXPR_F_HAS_COLLATE;
    summarize_child(e, e->left);
    if (e->kind == EXPR_COLLATE) e->flags &= ~(u32)EXPR_F_HAS_FUNCTION; // to SQLite, there is none below it
    summarize_child(e, e->right);
    summarize_list(e, e->list);
    const u32 collate = e->flags & EXPR_F_HAS_COLLATE;
    summarize_list(e, e->order_by);
    summarize_child(e, e->filter);
    e->flags = (e->flags & ~(u32)EXPR_F_HAS_COLLATE) | collate; // of arguments alone
    if (e->select) {
        e->height = MAX(e->height, height_of_select(e->select) + 1);
        e->flags |= EXPR_F_HAS_SELECT;
    }
    if (e->kind == EXPR_FUNCTION || e->kind == EXPR_AGG_FUNCTION || e->kind == EXPR_CURRENT)
        e->flags |= EXPR_F_HAS_FUNCTION;
    if (e->window) e->flags |= EXPR_F_HAS_WINDOW;
}

bool expr_to_constant(const struct expr *e, struct constant *k)
{
    bool negative = e->kind == EXPR_NEGATE;
    if (negative) e = e->left;
    *k = (struct constant){.kind = e->kind, .size = e->text_size};
    switch (e->kind) {
    case EXPR_INTEGER:
        if (e->flags & EXPR_F_BIG_INTEGER || e->integer == INT64_MIN) return false;
        k->integer = negative ? -e->integer : e->integer;
        return true;
    case EXPR_REAL:
        k->real = negative ? -e->real : e->real;
        return !(negative && e->flags & EXPR_F_BIG_INTEGER);
    case EXPR_NULL: return !negative;
    case EXPR_TEXT:
    case EXPR_BLOB:
        k->text = e->text;
        return !negative;
    case EXPR_VARIABLE:
        k->variable = e->variable;
        return !negative;
    }
    return false;
}

void expr_from_constant(struct expr *e, const struct constant *k)
{
    e->kind = k->kind;
    e->text_size = k->size;
    switch (k->kind) {
    case EXPR_INTEGER: e->integer = k->integer; break;
    case EXPR_REAL: e->real = k->real; break;
    case EXPR_VARIABLE: e->variable = k->variable; break;
    case EXPR_TEXT:
    case EXPR_BLOB: e->text = k->text; break;
    }
}

struct expr *expr_binary(struct arena *a, enum expr_kind kind, struct expr *left, struct expr *right)
{
    struct expr *e = expr_new(a, kind, left ? left->offset : OFFSET_NONE);
    e->left = left;
    e->right = right;
    summarize_child(e, left);
    summarize_child(e, right);
    return e;
}

struct expr *expr_integer(struct arena *a, s64 integer)
{
    struct expr *e = expr_new(a, EXPR_INTEGER, OFFSET_NONE);
    e->integer = integer;
    e->text = arena_format(a, "%lld", (long long)integer);
    e->text_size = (u32)strlen(e->text);
    return e;
}

struct expr *expr_name(struct arena *a, const char *name)
{
    struct expr *e = expr_new(a, EXPR_NAME, OFFSET_NONE);
    e->text = name;
    e->text_size = (u32)strlen(name);
    return e;
}

struct expr_item *expr_list_add(struct arena *a, struct expr_list **list, struct expr *e)
{
    if (!*list) *list = arena_alloc(a, sizeof **list);
    struct expr_list *l = *list;
    l->items = arena_grow(a, l->items, l->count, &l->capacity, sizeof *l->items);
    struct expr_item *item = &l->items[l->count++];
    *item = (struct expr_item){.expr = e, .name_offset = OFFSET_NONE};
    return item;
}

struct name_item *name_list_add(struct arena *a, struct name_list **list, const char *name, u32 offset)
{
    if (!*list) *list = arena_alloc(a, sizeof **list);
    struct name_list *l = *list;
    l->items = arena_grow(a, l->items, l->count, &l->capacity, sizeof *l->items);
    struct name_item *item = &l->items[l->count++];
    *item = (struct name_item){name, offset, -1};
    return item;
}

struct source *source_list_add(struct arena *a, struct source_list **list)
{
    if (!*list) *list = arena_alloc(a, sizeof **list);
    struct source_list *l = *list;
    l->items = arena_grow(a, l->items, l->count, &l->capacity, sizeof *l->items);
    struct source *s = &l->items[l->count++];
    *s = (struct source){.offset = OFFSET_NONE, .schema_offset = OFFSET_NONE, .alias_offset = OFFSET_NONE, .cursor = -1};
    return s;
}

void select_expand_rows(struct arena *a, struct select *s)
{
    const struct constant_rows *rows = s->rows;
    struct select *row = arena_alloc(a, sizeof *row);
    *row = (struct select){.op = s->op, .flags = s->flags & ~(u32)SELECT_F_MULTI_VALUE, .id = s->id, .offset = s->offset,
                           .columns = s->columns, .prior = s->prior};
    for (u32 i = 0; i < rows->count; i++) {
        struct select *next = s;
        if (i + 1 < rows->count) next = memcpy(arena_alloc(a, sizeof *next), row, sizeof *next);
        next->id = s->flags & SELECT_F_VIEW ? 0 : rows->id; // a view's are numbered with the statement's
        next->op = SELECT_UNION_ALL;
        if (s->flags & SELECT_F_COMPUTED_ROWS) next->flags |= SELECT_F_COMPUTED | SELECT_F_ROW_BEHIND;
        next->columns = NULL;
        for (u32 k = 0; k < rows->width; k++) {
            struct expr *e = expr_new(a, EXPR_NULL, OFFSET_NONE);
            expr_from_constant(e, &rows->values[i * rows->width + k]);
            expr_list_add(a, &next->columns, e);
        }
        next->prior = row;
        row = next;
    }
    s->rows = NULL;
}

const char *select_op_name(u8 op)
{
    switch ((enum select_op)op) {
    case SELECT_UNION_ALL: return "UNION ALL";
    case SELECT_INTERSECT: return "INTERSECT";
    case SELECT_EXCEPT: return "EXCEPT";
    case SELECT_UNION: return "UNION";
    case SELECT_SIMPLE: break;
    }
    return "SELECT";
}
