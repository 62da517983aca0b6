// Finds out whether a store's put-if-absent can be relied on.
#include "object_backend.h"

#include <errno.h>

#define PROBE_TRIES 5

enum probe_step {
    PROBE_TAKEN,  // a put of a name that is taken
    PROBE_FIRST,  // a put of a free name
    PROBE_SECOND, // of the same name, other bytes
    PROBE_RACE,   // two at the same time
    PROBE_CLEAN,
    PROBE_DONE,
};

struct object_probe_private {
    struct object_store *store;
    struct object_probe *probe;
    struct object_request requests[2];
    enum probe_step step;
    u32 running;
    char keys[2][OBJECT_KEY_MAX], bodies[3][40];
    const char *delete_keys[2];
    enum object_conditions found;
};

static void probe_next(struct object_probe_private *p);

static void request_run(struct object_probe_private *p, u32 i, const char *key, const void *body, size_t size)
{
    struct object_request *r = &p->requests[i];
    r->kind = OBJECT_PUT_IF_ABSENT;
    snprintf(r->key, sizeof r->key, "%s", key);
    r->body = body;
    r->body_size = size;
    r->tries_max = p->step == PROBE_TAKEN ? 1 : PROBE_TRIES;
    p->running++;
    object_start(p->store, r);
}

static void on_request(struct completion *c)
{
    struct object_request *r = c->context;
    struct object_probe_private *p = r->context;
    if (--p->running == 0) probe_next(p);
}

static void clean(struct object_probe_private *p, enum object_conditions found)
{
    struct object_request *r = &p->requests[0];
    p->found = found;
    p->step = PROBE_CLEAN;
    p->delete_keys[0] = p->keys[0];
    p->delete_keys[1] = p->keys[1];
    r->kind = OBJECT_DELETE_MANY;
    r->key[0] = 0;
    r->keys = p->delete_keys;
    r->key_count = 2;
    p->running++;
    object_start(p->store, r);
}

// What the store said when it did not take a put-if-absent for itself.
static bool is_refusal(const struct err *err)
{
    return err->code == ERR_USAGE && (err->peer_status == 400 || err->peer_status == 501);
}

static void probe_next(struct object_probe_private *p)
{
    struct object_probe *probe = p->probe;
    const struct err *a = &p->requests[0].err, *b = &p->requests[1].err;
    switch (p->step) {
    case PROBE_TAKEN:
        if (a->code == ERR_STORE_EXISTS) {
            p->found = OBJECT_CONDITIONS_HONOURED;
            probe->conditions = p->store->conditions = p->found;
            break;
        }
        if (a->code == ERR_CANCELLED) {
            probe->err = *a;
            break;
        }
        p->step = PROBE_FIRST;
        request_run(p, 0, p->keys[0], p->bodies[0], strlen(p->bodies[0]));
        return;
    case PROBE_FIRST:
        if (is_refusal(a)) {
            clean(p, OBJECT_CONDITIONS_REFUSED);
        } else if (a->code != ERR_OK) {
            probe->err = *a;
            break;
        } else {
            p->step = PROBE_SECOND;
            request_run(p, 0, p->keys[0], p->bodies[1], strlen(p->bodies[1]));
        }
        return;
    case PROBE_SECOND:
        if (a->code == ERR_OK) {
            clean(p, OBJECT_CONDITIONS_IGNORED);
        } else if (is_refusal(a)) {
            clean(p, OBJECT_CONDITIONS_REFUSED);
        } else if (a->code != ERR_STORE_EXISTS) {
            probe->err = *a;
            break;
        } else {
            p->step = PROBE_RACE;
            request_run(p, 0, p->keys[1], p->bodies[1], strlen(p->bodies[1]));
            request_run(p, 1, p->keys[1], p->bodies[2], strlen(p->bodies[2]));
        }
        return;
    case PROBE_RACE:
        if (a->code == ERR_OK && b->code == ERR_OK) {
            clean(p, OBJECT_CONDITIONS_RACY);
        } else if ((a->code == ERR_OK && b->code == ERR_STORE_EXISTS) ||
                   (b->code == ERR_OK && a->code == ERR_STORE_EXISTS)) {
            clean(p, OBJECT_CONDITIONS_HONOURED);
        } else {
            probe->err = a->code != ERR_OK && a->code != ERR_STORE_EXISTS ? *a : *b;
            break;
        }
        return;
    case PROBE_CLEAN: // what is left behind by a store that does not let us delete does no harm
        probe->conditions = p->store->conditions = p->found;
        break;
    case PROBE_DONE: return;
    }
    p->step = PROBE_DONE;
    completion_post(p->store->io, &probe->done, probe->err.code == ERR_OK ? 0 : -EIO);
}

void object_probe_start(struct object_store *s, struct object_probe *probe, const char *folder, const char *taken, const void *body,
                        size_t size)
{
    struct object_probe_private *p = calloc(1, sizeof *p);
    probe->private_ = p;
    probe->err = ERR_CLEAR;
    completion_init(&probe->done, probe->done.callback, probe->done.context); // it is not done any more
    probe->conditions = s->conditions;
    if (!p) err_set(&probe->err, ERR_NOMEM, __func__, "out of memory");
    if (!p || s->conditions != OBJECT_CONDITIONS_UNKNOWN) {
        completion_post(s->io, &probe->done, p ? 0 : -ENOMEM);
        return;
    }
    p->store = s;
    p->probe = probe;
    u64 random[4];
    io_random(s->io, random, sizeof random);
    for (u32 i = 0; i < 2; i++) {
        object_request_init(&p->requests[i], on_request, p);
        snprintf(p->keys[i], sizeof p->keys[i], "%sprobe-%016llx-%u", folder,
                 (unsigned long long)random[0], i);
    }
    for (u32 i = 0; i < 3; i++)
        snprintf(p->bodies[i], sizeof p->bodies[i], "skerry probe %016llx",
                 (unsigned long long)random[i + 1]);
    p->step = taken[0] ? PROBE_TAKEN : PROBE_FIRST;
    if (taken[0])
        request_run(p, 0, taken, body, size);
    else
        request_run(p, 0, p->keys[0], p->bodies[0], strlen(p->bodies[0]));
}

void object_probe_cancel(struct object_probe *probe)
{
    struct object_probe_private *p = probe->private_;
    if (!p || !p->store || p->step == PROBE_DONE) return;
    for (u32 i = 0; i < 2; i++) object_cancel(&p->requests[i]);
}

void object_probe_deinit(struct object_probe *probe)
{
    struct object_probe_private *p = probe->private_;
    if (p && p->store)
        for (u32 i = 0; i < 2; i++) object_request_deinit(&p->requests[i]);
    free(p);
    probe->private_ = NULL;
}
