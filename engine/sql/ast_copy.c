// Deep copies of trees. Names and literals are copied too, for a copy may outlive its original.
#include "ast.h"

static const char *text_copy(struct arena *a, const char *text)
{
    return text ? arena_copy(a, text, strlen(text)) : NULL;
}

#define COPY_OF(a, x) memcpy(arena_alloc((a), sizeof *(x)), (x), sizeof *(x))

struct expr *expr_copy(struct arena *a, const struct expr *e)
{
    if (!e) return NULL;
    struct expr *copy = COPY_OF(a, e);
    if (e->text) copy->text = arena_copy(a, e->text, e->text_size);
    copy->left = expr_copy(a, e->left);
    copy->right = expr_copy(a, e->right);
    copy->list = expr_list_copy(a, e->list);
    copy->select = select_copy(a, e->select);
    copy->order_by = expr_list_copy(a, e->order_by);
    copy->filter = expr_copy(a, e->filter);
    copy->window = window_copy(a, e->window);
    if (copy->window) copy->window->owner = copy;
    return copy;
}

struct expr_list *expr_list_copy(struct arena *a, const struct expr_list *list)
{
    if (!list) return NULL;
    struct expr_list *copy = arena_alloc(a, sizeof *copy);
    copy->count = copy->capacity = list->count;
    copy->items = arena_alloc(a, (size_t)list->count * sizeof *copy->items);
    const struct expr *shared = NULL; // the right-hand side of a row assignment
    struct expr *shared_copy = NULL;
    for (u32 i = 0; i < list->count; i++) {
        const struct expr_item *from = &list->items[i];
        struct expr_item *to = &copy->items[i];
        *to = *from;
        to->name = text_copy(a, from->name);
        if (from->expr && from->expr->kind == EXPR_SELECT_COLUMN) {
            struct expr *e = COPY_OF(a, from->expr);
            if (e->left != shared) {
                shared = e->left;
                shared_copy = expr_copy(a, shared);
            }
            e->left = shared_copy;
            to->expr = e;
        } else {
            to->expr = expr_copy(a, from->expr);
        }
    }
    return copy;
}

struct name_list *name_list_copy(struct arena *a, const struct name_list *list)
{
    if (!list) return NULL;
    struct name_list *copy = arena_alloc(a, sizeof *copy);
    copy->count = copy->capacity = list->count;
    copy->items = arena_alloc(a, (size_t)list->count * sizeof *copy->items);
    for (u32 i = 0; i < list->count; i++) {
        copy->items[i] = list->items[i];
        copy->items[i].name = text_copy(a, list->items[i].name);
    }
    return copy;
}

struct source_list *source_list_copy(struct arena *a, const struct source_list *list)
{
    if (!list) return NULL;
    struct source_list *copy = arena_alloc(a, sizeof *copy);
    copy->count = copy->capacity = list->count;
    copy->items = arena_alloc(a, (size_t)list->count * sizeof *copy->items);
    for (u32 i = 0; i < list->count; i++) {
        const struct source *from = &list->items[i];
        struct source *to = &copy->items[i];
        *to = *from;
        to->schema_name = text_copy(a, from->schema_name);
        to->name = text_copy(a, from->name);
        to->alias = text_copy(a, from->alias);
        to->indexed_by = text_copy(a, from->indexed_by);
        to->select = select_copy(a, from->select);
        to->arguments = expr_list_copy(a, from->arguments);
        to->on = expr_copy(a, from->on);
        to->using = name_list_copy(a, from->using);
    }
    return copy;
}

struct window *window_copy(struct arena *a, const struct window *w)
{
    if (!w) return NULL;
    struct window *copy = COPY_OF(a, w);
    copy->name = text_copy(a, w->name);
    copy->base = text_copy(a, w->base);
    copy->partition = expr_list_copy(a, w->partition);
    copy->order_by = expr_list_copy(a, w->order_by);
    copy->start_expr = expr_copy(a, w->start_expr);
    copy->end_expr = expr_copy(a, w->end_expr);
    copy->filter = expr_copy(a, w->filter);
    copy->next = window_copy(a, w->next);
    copy->next_function = NULL;
    return copy;
}

// A compound is copied term by term, without recursion over its length.
struct select *select_copy(struct arena *a, const struct select *s)
{
    struct select *last = NULL, *right = NULL;
    for (; s; s = s->prior) {
        struct select *copy = COPY_OF(a, s);
        copy->columns = expr_list_copy(a, s->columns);
        copy->from = source_list_copy(a, s->from);
        copy->where = expr_copy(a, s->where);
        copy->group_by = expr_list_copy(a, s->group_by);
        copy->having = expr_copy(a, s->having);
        copy->windows = window_copy(a, s->windows);
        copy->order_by = expr_list_copy(a, s->order_by);
        copy->order_dropped = expr_list_copy(a, s->order_dropped);
        copy->limit = expr_copy(a, s->limit);
        copy->limit_offset = expr_copy(a, s->limit_offset);
        copy->with = with_copy(a, s->with);
        copy->prior = NULL;
        copy->next = right;
        copy->functions = NULL;
        if (right) right->prior = copy;
        if (!last) last = copy;
        right = copy;
    }
    return last;
}

struct with *with_copy(struct arena *a, const struct with *w)
{
    if (!w) return NULL;
    struct with *copy = COPY_OF(a, w);
    copy->capacity = w->count;
    copy->items = arena_alloc(a, (size_t)w->count * sizeof *copy->items);
    for (u32 i = 0; i < w->count; i++) {
        copy->items[i] = w->items[i];
        copy->items[i].name = text_copy(a, w->items[i].name);
        copy->items[i].columns = name_list_copy(a, w->items[i].columns);
        copy->items[i].select = select_copy(a, w->items[i].select);
        copy->items[i].with = NULL;
    }
    return copy;
}

struct upsert *upsert_copy(struct arena *a, const struct upsert *u)
{
    if (!u) return NULL;
    struct upsert *copy = COPY_OF(a, u);
    copy->target = expr_list_copy(a, u->target);
    copy->target_where = expr_copy(a, u->target_where);
    copy->set = expr_list_copy(a, u->set);
    copy->where = expr_copy(a, u->where);
    copy->next = upsert_copy(a, u->next);
    return copy;
}

static struct stmt *step_copy(struct arena *a, const struct stmt *step)
{
    switch ((enum stmt_kind)step->kind) {
    case STMT_SELECT: {
        struct stmt_select *copy = COPY_OF(a, (const struct stmt_select *)step);
        copy->select = select_copy(a, copy->select);
        return &copy->stmt;
    }
    case STMT_INSERT: {
        struct stmt_insert *copy = COPY_OF(a, (const struct stmt_insert *)step);
        copy->with = with_copy(a, copy->with);
        copy->target = source_list_copy(a, copy->target);
        copy->columns = name_list_copy(a, copy->columns);
        copy->select = select_copy(a, copy->select);
        copy->upsert = upsert_copy(a, copy->upsert);
        copy->returning = expr_list_copy(a, copy->returning);
        return &copy->stmt;
    }
    case STMT_UPDATE: {
        struct stmt_update *copy = COPY_OF(a, (const struct stmt_update *)step);
        copy->with = with_copy(a, copy->with);
        copy->target = source_list_copy(a, copy->target);
        copy->set = expr_list_copy(a, copy->set);
        copy->from = source_list_copy(a, copy->from);
        copy->where = expr_copy(a, copy->where);
        copy->order_by = expr_list_copy(a, copy->order_by);
        copy->limit = expr_copy(a, copy->limit);
        copy->limit_offset = expr_copy(a, copy->limit_offset);
        copy->returning = expr_list_copy(a, copy->returning);
        return &copy->stmt;
    }
    case STMT_DELETE: {
        struct stmt_delete *copy = COPY_OF(a, (const struct stmt_delete *)step);
        copy->with = with_copy(a, copy->with);
        copy->target = source_list_copy(a, copy->target);
        copy->where = expr_copy(a, copy->where);
        copy->order_by = expr_list_copy(a, copy->order_by);
        copy->limit = expr_copy(a, copy->limit);
        copy->limit_offset = expr_copy(a, copy->limit_offset);
        copy->returning = expr_list_copy(a, copy->returning);
        return &copy->stmt;
    }
    case STMT_CREATE_TABLE:
    case STMT_CREATE_INDEX:
    case STMT_CREATE_VIEW:
    case STMT_CREATE_TRIGGER:
    case STMT_CREATE_VIRTUAL_TABLE:
    case STMT_DROP:
    case STMT_ALTER:
    case STMT_BEGIN:
    case STMT_COMMIT:
    case STMT_ROLLBACK:
    case STMT_SAVEPOINT:
    case STMT_PRAGMA:
    case STMT_ATTACH:
    case STMT_DETACH:
    case STMT_VACUUM:
    case STMT_REINDEX:
    case STMT_ANALYZE: break;
    }
    ASSERT(!"a trigger step is a SELECT, INSERT, UPDATE or DELETE");
    return NULL;
}

struct stmt *steps_copy(struct arena *a, const struct stmt *steps)
{
    struct stmt *first = NULL, **last = &first;
    for (; steps; steps = steps->next) {
        *last = step_copy(a, steps);
        (*last)->next = NULL;
        last = &(*last)->next;
    }
    return first;
}
