#include "wire.h"

#include "../test.h"

#include <errno.h>

#define MS        1000000ull
#define SECOND_NS 1000000000ull

struct http_exchange {
    struct wire_call *call; // NULL: who asked is gone
    char method[8], path[64], query[400];
    u8 *body;
    size_t size;
    void (*on_gone)(void *context);
    void *gone_context;
    void (*replied)(void *context, int status, const void *body, size_t size);
    void *replied_context;
};
struct wire_call {
    struct io_http_request *r;
    struct http_exchange *x;
    struct completion tick;
    u64 deliver_ns, reply_ns, timeout_ns;
    bool delivered, replied, lost, cut, cancelled;
    int status;
    u8 *body;
    size_t size;
    char position[200], more[60];
};
static struct wire *the_wire; // of the functions that stand in for the server's and the client's

void wire_init(struct wire *w)
{
    the_wire = w;
}

void wire_deinit(struct wire *w)
{
    for (u32 i = 0; i < COUNT_OF(w->ghosts); i++) free(w->ghosts[i].body);
    the_wire = NULL;
}

static u64 chance(struct wire *w, u64 n)
{
    return test_random(w->seed) % n;
}

static bool happens(struct wire *w, u32 per_thousand, u64 *counter)
{
    if (chance(w, 1000) >= per_thousand) return false;
    ++*counter;
    return true;
}

static u64 delay(struct wire *w)
{
    if (w->slow && chance(w, 1000) < w->slow) return chance(w, 8 * SECOND_NS);
    return 1 + chance(w, 20 * MS);
}

static u8 *copied(const void *bytes, size_t size)
{
    u8 *out = malloc(size + 1);
    if (!out) abort();
    if (size) memcpy(out, bytes, size);
    return out;
}

static struct http_exchange *exchange(struct wire *w, const char *method, const char *path, const char *query, u8 *body,
                                      size_t size)
{
    struct http_exchange *x = calloc(1, sizeof *x);
    if (!x) abort();
    snprintf(x->method, sizeof x->method, "%s", method);
    snprintf(x->path, sizeof x->path, "%s", path);
    snprintf(x->query, sizeof x->query, "%s", query);
    x->body = body;
    x->size = size;
    w->exchanges++;
    return x;
}

struct http_exchange *wire_exchange(struct wire *w, const char *method, const char *path,
                                    void (*replied)(void *context, int status, const void *body, size_t size), void *context)
{
    struct http_exchange *x = exchange(w, method, path, "", NULL, 0);
    w->exchanges--; // not this connection's
    x->replied = replied;
    x->replied_context = context;
    return x;
}

static void gone(struct wire_call *call)
{
    struct http_exchange *x = call->x;
    if (!x) return;
    x->call = NULL;
    call->x = NULL;
    if (x->on_gone) x->on_gone(x->gone_context);
}

void wire_server_down(struct wire *w)
{
    if (w->call) gone(w->call);
    w->listens = false;
}

// ---- the client
// -----------------------------------------------------------------------------------------------

static void call_end(struct wire_call *call, s64 result, const char *why)
{
    struct wire *w = the_wire;
    struct io_http_request *r = call->r;
    gone(call);
    if (w->call == call) w->call = NULL;
    if (result < 0) err_set(&r->err, result == -ECANCELED ? ERR_CANCELLED : ERR_NETWORK, "wire", "%s", why);
    completion_release(w->client(w->context), &r->done, result);
}

// What was sent twice comes a second time.
static void ghosts_come(struct wire *w, u64 now)
{
    for (u32 i = 0; i < COUNT_OF(w->ghosts) && w->listens && !w->away; i++) {
        struct wire_ghost *g = &w->ghosts[i];
        if (!g->due_ns || now < g->due_ns) continue;
        g->due_ns = 0;
        w->counters->late_ghosts++;
        w->serve(w->context, exchange(w, g->method, g->path, g->query, g->body, g->size));
        g->body = NULL;
    }
}

static void ghost_add(struct wire *w, const struct io_http_request *r, const char *path, const char *query, u64 due_ns)
{
    struct wire_ghost *g = &w->ghosts[chance(w, COUNT_OF(w->ghosts))];
    w->counters->repeated++;
    free(g->body);
    *g = (struct wire_ghost){.due_ns = due_ns, .body = copied(r->body, r->body_size), .size = r->body_size};
    snprintf(g->method, sizeof g->method, "%s", r->method);
    snprintf(g->path, sizeof g->path, "%s", path);
    snprintf(g->query, sizeof g->query, "%s", query);
}

// False: nobody listens.
static bool deliver(struct wire *w, struct wire_call *call, u64 now)
{
    const struct io_http_request *r = call->r;
    char path[64] = "";
    const char *url = r->url + strlen("http://writer"), *query = strchr(url, '?');
    snprintf(path, sizeof path, "%.*s", (int)(query - url), url);
    call->delivered = true;
    call->lost = happens(w, w->lost_request, &w->counters->lost_requests);
    if (!call->lost && !w->listens) return false;
    if (w->repeat && chance(w, 1000) < w->repeat) ghost_add(w, r, path, query + 1, now + 1 + chance(w, 20 * SECOND_NS));
    w->counters->asked++;
    if (call->lost) return true;
    struct http_exchange *x = exchange(w, r->method, path, query + 1, copied(r->body, r->body_size), r->body_size);
    x->call = call;
    call->x = x;
    w->serve(w->context, x);
    return true;
}

static void arrived(struct wire *w, struct wire_call *call)
{
    call->r->status = call->status;
    call->r->answer = call->body;
    call->r->answer_size = call->size;
    call->body = NULL;
    w->counters->answered += call->status == 200;
    w->counters->no_news += call->status == 204;
    call_end(call, 0, "");
}

static void on_tick(struct completion *c)
{
    struct wire_call *call = c->context;
    struct wire *w = the_wire;
    if (c->result < 0 && c->result != -ECANCELED) {
        call_end(call, -EIO, "the machine is down");
        return;
    }
    if (call->cancelled) {
        w->counters->cancelled++;
        call_end(call, -ECANCELED, "cancelled");
        return;
    }
    w->server_turn(w->context);
    u64 now = w->client_now_ns(w->context);
    ghosts_come(w, now);
    if (w->away && !call->replied) {
        w->counters->away++;
        call_end(call, -ENETUNREACH, "no network");
    } else if (!call->delivered && now >= call->deliver_ns && !deliver(w, call, now)) {
        call_end(call, -ECONNREFUSED, "nobody listens");
    } else if (call->replied && now >= call->reply_ns && call->cut) {
        call_end(call, -ECONNRESET, "the reply was cut off");
    } else if (call->replied && now >= call->reply_ns) {
        arrived(w, call);
    } else if (!call->replied && !call->lost && call->delivered && !call->x) { // its server is gone
        call_end(call, -ECONNRESET, "connection reset");
    } else if (now >= call->timeout_ns) {
        w->counters->timed_out++;
        call_end(call, -ETIMEDOUT, "no answer in time");
    } else {
        io_timeout(w->client(w->context), call->delivered ? 15 * MS : MS, &call->tick);
    }
}

void io_http_start(struct io_http *http, struct io_http_request *r)
{
    struct wire *w = the_wire;
    struct wire_call *call = calloc(1, sizeof *call);
    u64 now = w->client_now_ns(w->context);
    if (!call) abort();
    ASSERT(!w->call);
    r->private_ = (struct io_http_private *)call;
    completion_hold(w->client(w->context), &r->done);
    *call = (struct wire_call){.r = r, .deliver_ns = now + delay(w), .timeout_ns = now + r->idle_timeout_ms * MS};
    w->call = call;
    completion_init(&call->tick, on_tick, call);
    io_timeout(w->client(w->context), MS, &call->tick);
}

void io_http_cancel(struct io_http *http, struct io_http_request *r)
{
    struct wire_call *call = (struct wire_call *)r->private_;
    if (!call || r->done.state != COMPLETION_PENDING) return;
    call->cancelled = true;
    if (call->tick.state == COMPLETION_PENDING) io_cancel(the_wire->client(the_wire->context), &call->tick);
}

const char *io_http_answer_header(const struct io_http_request *r, const char *name)
{
    const struct wire_call *call = (const struct wire_call *)r->private_;
    const char *value = strcmp(name, "x-skerry-position") == 0 ? call->position : call->more;
    return value[0] ? value : NULL;
}

void io_http_request_deinit(struct io_http_request *r)
{
    struct wire_call *call = (struct wire_call *)r->private_;
    if (call) free(call->body);
    free(call);
    free(r->answer);
    r->private_ = NULL;
    r->answer = NULL;
}

// ---- the server
// -----------------------------------------------------------------------------------------------

const char *http_method(const struct http_exchange *x)
{
    return x->method;
}

const char *http_path(const struct http_exchange *x)
{
    return x->path;
}

const char *http_query(const struct http_exchange *x)
{
    return x->query;
}

const char *http_body(const struct http_exchange *x, size_t *size)
{
    *size = x->size;
    return (const char *)x->body;
}

void http_on_gone(struct http_exchange *x, void (*on_gone)(void *context), void *context)
{
    x->on_gone = on_gone;
    x->gone_context = context;
}

static void header_take(const char *lines, const char *name, char *out, size_t size)
{
    const char *at = strstr(lines, name);
    if (!at) return;
    at += strlen(name);
    snprintf(out, size, "%.*s", (int)strcspn(at, "\r"), at);
}

void http_reply_headers(struct http_exchange *x, int status, const char *content_type, const char *lines, const void *body,
                        size_t size, u64 body_size)
{
    struct wire *w = the_wire;
    struct wire_call *call = x->call;
    if (x->replied)
        x->replied(x->replied_context, status, body, size);
    else
        w->exchanges--;
    free(x->body);
    free(x);
    if (!call) return;
    call->x = NULL;
    if (happens(w, w->lost_reply, &w->counters->lost_replies)) {
        call->lost = true;
        return;
    }
    call->replied = true;
    call->cut = happens(w, w->cut, &w->counters->cut_replies); // anywhere: the client is told that bytes are missing
    call->reply_ns = w->client_now_ns(w->context) + delay(w);
    call->status = status;
    call->body = copied(body, size);
    call->size = size;
    header_take(lines, "X-Skerry-Position: ", call->position, sizeof call->position);
    header_take(lines, "X-Skerry-More: ", call->more, sizeof call->more);
    w->counters->more_parts += call->more[0] != 0;
}

void http_reply(struct http_exchange *x, int status, const char *content_type, const void *body, size_t size)
{
    http_reply_headers(x, status, content_type, "", body, size, size);
}
