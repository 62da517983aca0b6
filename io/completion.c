#include "backend.h"

#include <errno.h>

void completion_init(struct completion *c, void (*callback)(struct completion *), void *context)
{
    *c = (struct completion){.callback = callback, .context = context};
    c->op.fd = -1;
}

void completion_hold(struct io *io, struct completion *c)
{
    ASSERT(c->state != COMPLETION_PENDING);
    c->state = COMPLETION_PENDING;
    c->io = io;
    c->op.kind = OP_POST;
    c->op.place = PLACE_NONE;
    io->pending_count++;
}

void completion_release(struct io *io, struct completion *c, s64 result)
{
    io_finish(io, c, result);
}

void completion_post(struct io *io, struct completion *c, s64 result)
{
    completion_hold(io, c);
    io_finish(io, c, result);
}

void completion_list_add(struct completion_list *list, struct completion *c)
{
    c->op.next = NULL;
    c->op.prev = list->last;
    if (list->last)
        list->last->op.next = c;
    else
        list->first = c;
    list->last = c;
}

void completion_list_remove(struct completion_list *list, struct completion *c)
{
    if (c->op.prev)
        c->op.prev->op.next = c->op.next;
    else
        list->first = c->op.next;
    if (c->op.next)
        c->op.next->op.prev = c->op.prev;
    else
        list->last = c->op.prev;
    c->op.next = c->op.prev = NULL;
}

// ---- groups

void completion_group_init(struct completion_group *g, struct io *io, bool cancel_on_error,
                           void (*callback)(struct completion *), void *context)
{
    *g = (struct completion_group){.outstanding = 1, .cancel_on_error = cancel_on_error};
    completion_init(&g->completion, callback, context);
    g->completion.io = io;
    g->completion.op.kind = OP_GROUP;
}

void completion_group_join(struct completion_group *g, struct completion *child)
{
    ASSERT(g->outstanding > 0);
    ASSERT(!child->group);
    ASSERT(child->state != COMPLETION_PENDING);
    child->group = g;
    child->group_prev = NULL;
    child->group_next = g->children;
    if (g->children) g->children->group_prev = child;
    g->children = child;
    g->outstanding++;
    if (g->cancelled && child->op.kind == OP_GROUP && child->state == COMPLETION_IDLE)
        completion_group_cancel(CONTAINER_OF(child, struct completion_group, completion));
}

void completion_group_leave(struct completion_group *g, struct completion *child)
{
    if (child->group_prev)
        child->group_prev->group_next = child->group_next;
    else
        g->children = child->group_next;
    if (child->group_next) child->group_next->group_prev = child->group_prev;
    child->group_next = child->group_prev = NULL;
    child->group = NULL;
}

static void group_count_down(struct completion_group *g)
{
    ASSERT(g->outstanding > 0);
    if (--g->outstanding == 0) io_finish(g->completion.io, &g->completion, g->completion.result);
}

void completion_group_child_done(struct completion_group *g, s64 result)
{
    if (result < 0 && g->completion.result == 0) {
        g->completion.result = result;
        if (g->cancel_on_error) completion_group_cancel(g);
    }
    group_count_down(g);
}

void completion_group_seal(struct completion_group *g)
{
    ASSERT(!g->sealed);
    g->sealed = true;
    g->completion.state = COMPLETION_PENDING;
    g->completion.io->pending_count++;
    group_count_down(g);
}

void completion_group_cancel(struct completion_group *g)
{
    g->cancelled = true;
    for (struct completion *child = g->children; child; child = child->group_next)
        io_cancel(g->completion.io, child);
}

// ---- waiters

void wait_list_add(struct wait_list *list, struct waiter *w)
{
    waiter_remove(w);
    w->list = list;
    w->next = NULL;
    w->prev = list->last;
    if (list->last)
        list->last->next = w;
    else
        list->first = w;
    list->last = w;
}

void waiter_remove(struct waiter *w)
{
    if (!w->list) return;
    if (w->prev)
        w->prev->next = w->next;
    else
        w->list->first = w->next;
    if (w->next)
        w->next->prev = w->prev;
    else
        w->list->last = w->prev;
    w->list = NULL;
    w->next = w->prev = NULL;
}

void wait_list_wake_first(struct wait_list *list)
{
    struct waiter *w = list->first;
    if (!w) return;
    waiter_remove(w);
    w->wake(w);
}

void wait_list_wake_all(struct wait_list *list)
{
    // Who waits again from its wake() joins the original list, not this round.
    struct wait_list round = *list;
    *list = (struct wait_list){0};
    for (struct waiter *w = round.first; w; w = w->next) w->list = &round;
    while (round.first) wait_list_wake_first(&round);
}
