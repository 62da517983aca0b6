#include "http_client.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>

#define HTTP_ANSWER_SIZE_MAX_DEFAULT (64u << 20)
#define HTTP_CONNECTIONS_MAX         32
#define HTTP_RECEIVE_SIZE_LARGE      (256u << 10) // at a time, of an answer that is large

struct io_http {
    struct io *io;
    CURLM *multi;
    struct completion timer;
    bool timer_again; // libcurl changed its mind while the timer was pending
    long timer_ms;    // -1: none
    struct http_socket *sockets;
    struct io_http_private *requests;
    bool closing;
};

struct http_socket {
    struct io_http *http;
    struct completion poll;
    curl_socket_t fd;
    int what; // CURL_POLL_*
    bool dead, in_action;
    struct http_socket *next, *prev;
};

struct io_http_private {
    struct io_http *http;
    struct io_http_request *request;
    CURL *easy;
    struct curl_slist *headers;
    struct answer_header {
        struct answer_header *next;
        char *value;
        char name[];
    } * answer_headers;
    size_t answer_capacity;
    bool too_large, stopped, running;
    char error_text[CURL_ERROR_SIZE];
    struct io_http_private *next, *prev;
};

static void http_check_finished(struct io_http *http);

// ---- sockets and the timer
// ------------------------------------------------------------------------

static void socket_free(struct http_socket *s)
{
    if (s->prev)
        s->prev->next = s->next;
    else
        s->http->sockets = s->next;
    if (s->next) s->next->prev = s->prev;
    free(s);
}

static void socket_arm(struct http_socket *s)
{
    u32 events = 0;
    if (s->what == CURL_POLL_IN || s->what == CURL_POLL_INOUT) events |= POLLIN;
    if (s->what == CURL_POLL_OUT || s->what == CURL_POLL_INOUT) events |= POLLOUT;
    if (events) io_poll(s->http->io, s->fd, events, &s->poll);
}

static void socket_ready(struct completion *c)
{
    struct http_socket *s = c->context;
    struct io_http *http = s->http;
    if (s->dead) {
        socket_free(s);
        return;
    }
    if (c->result >= 0) {
        int events = 0, running;
        if (c->result & POLLIN) events |= CURL_CSELECT_IN;
        if (c->result & POLLOUT) events |= CURL_CSELECT_OUT;
        if (c->result & (POLLERR | POLLHUP)) events |= CURL_CSELECT_IN | CURL_CSELECT_ERR;
        s->in_action = true;
        curl_multi_socket_action(http->multi, s->fd, events, &running);
        s->in_action = false;
    }
    if (s->dead)
        socket_free(s);
    else if (!http->closing && s->poll.state != COMPLETION_PENDING)
        socket_arm(s);
    http_check_finished(http);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *socket_context)
{
    struct io_http *http = context;
    struct http_socket *s = socket_context;
    if (what == CURL_POLL_REMOVE) {
        if (!s) return 0;
        s->dead = true;
        if (s->poll.state == COMPLETION_PENDING)
            io_cancel(http->io, &s->poll);
        else if (!s->in_action)
            socket_free(s);
        return 0;
    }
    if (!s) {
        s = calloc(1, sizeof *s);
        if (!s) return -1;
        s->http = http;
        s->fd = fd;
        completion_init(&s->poll, socket_ready, s);
        s->next = http->sockets;
        if (s->next) s->next->prev = s;
        http->sockets = s;
        curl_multi_assign(http->multi, fd, s);
    }
    if (s->what == what && s->poll.state == COMPLETION_PENDING) return 0;
    s->what = what;
    if (s->poll.state == COMPLETION_PENDING)
        io_cancel(http->io, &s->poll); // its callback arms it for the new events
    else if (!s->in_action)
        socket_arm(s);
    return 0;
}

static void timer_arm(struct io_http *http)
{
    if (http->timer_ms >= 0) io_timeout(http->io, (u64)http->timer_ms * 1000000, &http->timer);
}

static void timer_fired(struct completion *c)
{
    struct io_http *http = c->context;
    if (http->closing) return;
    if (http->timer_again) {
        http->timer_again = false;
        timer_arm(http);
        return;
    }
    if (c->result < 0) return;
    int running;
    http->timer_ms = -1;
    curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    http_check_finished(http);
}

static int on_timer(CURLM *multi, long timeout_ms, void *context)
{
    struct io_http *http = context;
    http->timer_ms = timeout_ms;
    if (http->timer.state == COMPLETION_PENDING) {
        http->timer_again = true;
        io_cancel(http->io, &http->timer);
    } else {
        timer_arm(http);
    }
    return 0;
}

struct io_http *io_http_create(struct io *io, struct err *err)
{
    static bool global_ready;
    if (!global_ready && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        err_set(err, ERR_INTERNAL, __func__, "libcurl cannot be initialised");
        return NULL;
    }
    global_ready = true;
    struct io_http *http = calloc(1, sizeof *http);
    CURLM *multi = http ? curl_multi_init() : NULL;
    if (!multi) {
        free(http);
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return NULL;
    }
    http->io = io;
    http->multi = multi;
    http->timer_ms = -1;
    completion_init(&http->timer, timer_fired, http);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, http);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, http);
    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)HTTP_CONNECTIONS_MAX);
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    return http;
}

void io_http_destroy(struct io_http *http)
{
    if (!http) return;
    while (http->requests) io_http_cancel(http, http->requests->request);
    curl_multi_cleanup(http->multi); // on_socket removes what is left of the sockets
    http->closing = true;
    if (http->timer.state == COMPLETION_PENDING) io_cancel(http->io, &http->timer);
    for (struct http_socket *s = http->sockets; s; s = s->next) {
        s->dead = true;
        if (s->poll.state == COMPLETION_PENDING) io_cancel(http->io, &s->poll);
    }
    // Cancelled polls come back within a turn or two.
    while (http->timer.state == COMPLETION_PENDING || http->sockets)
        if (io_step(http->io, 10000000) < 0) break;
    free(http);
}

// ---- requests
// -------------------------------------------------------------------------------------

static size_t on_answer_body(char *bytes, size_t one, size_t size, void *context)
{
    struct io_http_private *p = context;
    struct io_http_request *r = p->request;
    if (r->on_body) {
        if (r->on_body(r, bytes, size) < 0) {
            p->stopped = true;
            return 0;
        }
        return size;
    }
    size_t max = r->answer_size_max ? r->answer_size_max : HTTP_ANSWER_SIZE_MAX_DEFAULT;
    if (size > max - MIN(max, r->answer_size)) {
        p->too_large = true;
        return 0;
    }
    if (r->answer_size + size + 1 > p->answer_capacity) {
        size_t capacity = MAX(p->answer_capacity * 2, r->answer_size + size + 1);
        bool fits = r->answer_size + size < r->room_size, inside = r->answer && r->answer == r->room;
        u8 *bigger = fits ? r->room : realloc(inside ? NULL : r->answer, capacity);
        if (!bigger) return 0;
        if (inside) memcpy(bigger, r->answer, r->answer_size);
        r->answer = bigger;
        p->answer_capacity = fits ? r->room_size : capacity;
    }
    memcpy(r->answer + r->answer_size, bytes, size);
    r->answer_size += size;
    r->answer[r->answer_size] = 0;
    return size;
}

static void answer_headers_free(struct io_http_private *p)
{
    for (struct answer_header *h = p->answer_headers, *next; h; h = next) {
        next = h->next;
        free(h);
    }
    p->answer_headers = NULL;
}

static size_t on_answer_header(char *line, size_t one, size_t size, void *context)
{
    struct io_http_private *p = context;
    if (size >= 5 && memcmp(line, "HTTP/", 5) == 0) answer_headers_free(p); // after a 100 Continue
    const char *colon = memchr(line, ':', size);
    if (!colon) return size;
    size_t name_size = (size_t)(colon - line);
    const char *value = colon + 1, *end = line + size;
    while (value < end && (*value == ' ' || *value == '\t')) value++;
    while (end > value && (end[-1] == '\n' || end[-1] == '\r' || end[-1] == ' ')) end--;
    struct answer_header *h = malloc(sizeof *h + name_size + 1 + (size_t)(end - value) + 1);
    if (!h) return 0;
    for (size_t i = 0; i < name_size; i++)
        h->name[i] = (char)(line[i] >= 'A' && line[i] <= 'Z' ? line[i] + 32 : line[i]);
    h->name[name_size] = 0;
    h->value = h->name + name_size + 1;
    memcpy(h->value, value, (size_t)(end - value));
    h->value[end - value] = 0;
    h->next = p->answer_headers;
    p->answer_headers = h;
    return size;
}

const char *io_http_answer_header(const struct io_http_request *r, const char *name)
{
    for (struct answer_header *h = r->private_ ? r->private_->answer_headers : NULL; h; h = h->next)
        if (strcmp(h->name, name) == 0) return h->value;
    return NULL;
}

static bool header_add(struct io_http_private *p, const char *name, const char *value)
{
    char line[4096];
    int size = snprintf(line, sizeof line, value[0] ? "%s: %s" : "%s;", name, value);
    if (size < 0 || (size_t)size >= sizeof line) return false;
    struct curl_slist *longer = curl_slist_append(p->headers, line);
    if (longer) p->headers = longer;
    return longer != NULL;
}

// What is on this machine is not behind a proxy, whatever the variables say.
static void no_proxy_set(CURL *e)
{
    const char *lower = getenv("no_proxy"), *upper = getenv("NO_PROXY");
    const char *given = lower && lower[0] ? lower : upper && upper[0] ? upper : "";
    char text[2048] = "*";
    if (strcmp(given, "*") != 0)
        snprintf(text, sizeof text,
                 "localhost,127.0.0.1,::1,169.254.169.254,169.254.170.2,169.254.170.23%s%s",
                 given[0] ? "," : "", given);
    curl_easy_setopt(e, CURLOPT_NOPROXY, text);
}

// Everything that libcurl would add by itself and that a signed request must not carry is switched
// off.
static bool easy_setup(struct io_http_private *p)
{
    struct io_http_request *r = p->request;
    CURL *e = p->easy;
    bool typed = false, ok = true;
    for (u32 i = 0; i < r->header_count; i++) {
        typed |= strcasecmp(r->headers[i].name, "content-type") == 0;
        ok = ok && header_add(p, r->headers[i].name, r->headers[i].value);
    }
    struct curl_slist *more = curl_slist_append(p->headers, "Expect:");
    if (more) p->headers = more;
    if (more && !typed) more = curl_slist_append(p->headers, "Content-Type:");
    if (!ok || !more) return false;
    p->headers = more;
    bool head = strcmp(r->method, "HEAD") == 0, get = strcmp(r->method, "GET") == 0;
    bool sends = strcmp(r->method, "PUT") == 0 || strcmp(r->method, "POST") == 0;
    u32 connect_ms = r->connect_timeout_ms ? r->connect_timeout_ms : 10000;
    u32 idle_ms = r->idle_timeout_ms ? r->idle_timeout_ms : 30000;
    ok = curl_easy_setopt(e, CURLOPT_URL, r->url) == CURLE_OK;
    if (head)
        ok = ok && curl_easy_setopt(e, CURLOPT_NOBODY, 1L) == CURLE_OK;
    else if (get)
        ok = ok && curl_easy_setopt(e, CURLOPT_HTTPGET, 1L) == CURLE_OK;
    if (sends || r->body_size) {
        ok = ok &&
             curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_size) == CURLE_OK;
        ok = ok && curl_easy_setopt(e, CURLOPT_POSTFIELDS, r->body ? r->body : "") == CURLE_OK;
    }
    if (!head && !get) ok = ok && curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, r->method) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_HTTPHEADER, p->headers) == CURLE_OK;
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    if (r->room_size >= HTTP_RECEIVE_SIZE_LARGE) curl_easy_setopt(e, CURLOPT_BUFFERSIZE, (long)HTTP_RECEIVE_SIZE_LARGE);
    curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
    no_proxy_set(e);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
    curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, (long)MAX(idle_ms / 1000, 1u));
    if (r->total_timeout_ms) curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)r->total_timeout_ms);
    if (r->send_rate_max)
        curl_easy_setopt(e, CURLOPT_MAX_SEND_SPEED_LARGE, (curl_off_t)r->send_rate_max);
    if (r->receive_rate_max)
        curl_easy_setopt(e, CURLOPT_MAX_RECV_SPEED_LARGE, (curl_off_t)r->receive_rate_max);
    if (r->ca_file) curl_easy_setopt(e, CURLOPT_CAINFO, r->ca_file);
    if (r->insecure) {
        curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_answer_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, p);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_answer_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, p);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, p->error_text);
    curl_easy_setopt(e, CURLOPT_PRIVATE, p);
    return ok;
}

void io_http_start(struct io_http *http, struct io_http_request *r)
{
    io_http_request_deinit(r);
    r->status = 0;
    r->err = ERR_CLEAR;
    struct io_http_private *p = calloc(1, sizeof *p);
    CURL *easy = p ? curl_easy_init() : NULL;
    if (!easy) {
        free(p);
        err_set(&r->err, ERR_NOMEM, __func__, "out of memory");
        completion_post(http->io, &r->done, -ENOMEM);
        return;
    }
    p->http = http;
    p->request = r;
    p->easy = easy;
    r->private_ = p;
    if (!easy_setup(p) || curl_multi_add_handle(http->multi, easy) != CURLM_OK) {
        err_set(&r->err, ERR_USAGE, __func__, "request to %s cannot be made", r->url);
        completion_post(http->io, &r->done, -EINVAL);
        return;
    }
    p->running = true;
    p->next = http->requests;
    if (p->next) p->next->prev = p;
    http->requests = p;
}

static void request_unlink(struct io_http_private *p)
{
    if (!p->running) return;
    p->running = false;
    curl_multi_remove_handle(p->http->multi, p->easy);
    if (p->prev)
        p->prev->next = p->next;
    else
        p->http->requests = p->next;
    if (p->next) p->next->prev = p->prev;
    p->next = p->prev = NULL;
}

static s64 request_result(struct io_http_private *p, CURLcode code)
{
    struct io_http_request *r = p->request;
    if (code == CURLE_OK) return 0;
    const char *why = p->error_text[0] ? p->error_text : curl_easy_strerror(code);
    if (p->too_large) {
        err_set(&r->err, ERR_LIMIT, "http", "%s: the answer is larger than expected", r->url);
        return -EMSGSIZE;
    }
    if (p->stopped) {
        err_set(&r->err, ERR_CANCELLED, "http", "%s: stopped by the receiver", r->url);
        return -ECANCELED;
    }
    if (code == CURLE_OUT_OF_MEMORY) {
        err_set(&r->err, ERR_NOMEM, "http", "out of memory");
        return -ENOMEM;
    }
    bool timeout = code == CURLE_OPERATION_TIMEDOUT;
    err_set(&r->err, timeout ? ERR_TIMEOUT : ERR_NETWORK, "http", "%s: %s", r->url, why);
    return timeout ? -ETIMEDOUT : -ECONNRESET;
}

static void http_check_finished(struct io_http *http)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(http->multi, &left))) {
        if (message->msg != CURLMSG_DONE) continue;
        CURLcode code = message->data.result;
        struct io_http_private *p = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&p);
        long status = 0;
        curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &status);
        p->request->status = (int)status;
        request_unlink(p);
        completion_post(http->io, &p->request->done, request_result(p, code));
    }
}

void io_http_cancel(struct io_http *http, struct io_http_request *r)
{
    struct io_http_private *p = r->private_;
    if (!p || !p->running) return;
    request_unlink(p);
    err_set(&r->err, ERR_CANCELLED, __func__, "%s: cancelled", r->url);
    completion_post(http->io, &r->done, -ECANCELED);
}

void io_http_request_deinit(struct io_http_request *r)
{
    struct io_http_private *p = r->private_;
    if (p) {
        request_unlink(p);
        answer_headers_free(p);
        curl_easy_cleanup(p->easy);
        curl_slist_free_all(p->headers);
        free(p);
    }
    r->private_ = NULL;
    if (r->answer != r->room) free(r->answer);
    r->answer = NULL;
    r->answer_size = 0;
}
