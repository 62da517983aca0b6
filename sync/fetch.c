#include "fetch.h"

static void on_done(struct completion *c)
{
    struct object_request *r = c->context;
    struct fetch *f = r->context;
    f->state = FETCH_ARRIVED;
    f->wake(f->context);
}

void fetch_init(struct fetch *f, struct object_store *objects, u32 tries, void (*wake)(void *), void *context)
{
    *f = (struct fetch){.objects = objects, .wake = wake, .context = context};
    object_request_init(&f->request, on_done, f);
    f->request.tries_max = tries;
}

bool fetch_busy(const struct fetch *f)
{
    return f->objects && object_request_busy(&f->request);
}

void fetch_deinit(struct fetch *f)
{
    if (f->objects) object_request_deinit(&f->request);
    f->objects = NULL;
}

void fetch_cancel(struct fetch *f)
{
    f->cancelled = true;
    if (f->objects) object_cancel(&f->request);
}

io_status fetch_run(struct fetch *f, struct err *err)
{
    switch (f->state) {
    case FETCH_IDLE:
        if (f->cancelled) return IO_ERROR(err, ERR_CANCELLED, "cancelled");
        f->state = FETCH_RUNNING;
        object_start(f->objects, &f->request);
        return IO_WAIT;
    case FETCH_RUNNING: return IO_WAIT;
    case FETCH_ARRIVED: break;
    }
    f->state = FETCH_IDLE;
    if (f->request.err.code == ERR_OK) return IO_DONE;
    if (err->code == ERR_OK) *err = f->request.err;
    return IO_FAIL;
}

void fetch_head(struct fetch *f, const char *key)
{
    f->request.kind = OBJECT_HEAD;
    snprintf(f->request.key, sizeof f->request.key, "%s", key);
}

void fetch_get(struct fetch *f, const char *key, u64 offset, u64 size, u64 size_max)
{
    f->request.kind = OBJECT_GET;
    snprintf(f->request.key, sizeof f->request.key, "%s", key);
    f->request.range_offset = offset;
    f->request.range_size = size;
    f->request.answer_size_max = size_max;
}

void fetch_put(struct fetch *f, const char *key, const void *body, size_t size, bool if_absent)
{
    f->request.kind = if_absent ? OBJECT_PUT_IF_ABSENT : OBJECT_PUT;
    snprintf(f->request.key, sizeof f->request.key, "%s", key);
    f->request.body = body;
    f->request.body_size = size;
    f->request.patient = false;
}

void fetch_list(struct fetch *f, const char *folder)
{
    f->request.kind = OBJECT_LIST;
    snprintf(f->request.key, sizeof f->request.key, "%s", folder);
    f->request.after[0] = 0;
    f->request.list_limit = 0;
}
