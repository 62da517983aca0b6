// S3 as a store, and the hub, which speaks the same protocol. A request of the store becomes one
// HTTP request or several, each prepared in s3_request.c and understood in s3_answer.c.
#include "s3_store.h"

#include <errno.h>
#include <sodium.h>

static void s3_next(struct s3_request *q)
{
    struct object_request *r = q->request;
    struct s3_store *s = s3_of(r);
    if (s->credentials && !s3_credentials_ready(s->credentials, &q->credentials)) return;
    if (s3_prepare(q))
        io_http_start(s->http, &q->http);
    else
        object_finish(r);
}

static void on_credentials(struct s3_waiter *w, const struct err *err)
{
    struct s3_request *q = CONTAINER_OF(w, struct s3_request, credentials);
    if (err->code == ERR_OK) {
        s3_next(q);
        return;
    }
    q->request->err = *err;
    object_finish(q->request);
}

static void on_answer(struct completion *c)
{
    struct s3_request *q = c->context;
    struct object_request *r = q->request;
    if (c->result < 0) {
        r->err = q->http.err;
        object_finish(r);
    } else if (s3_answer(q)) {
        object_continue(r);
    } else {
        object_finish(r);
    }
}

static void s3_start(struct object_store *s, struct object_request *r)
{
    struct s3_request *q = r->private_;
    if (q) {
        s3_next(q);
        return;
    }
    q = malloc(sizeof *q);
    if (!q) {
        err_set(&r->err, ERR_NOMEM, __func__, "out of memory");
        object_finish(r);
        return;
    }
    // All but its long texts, which are written before they are read.
    memset(q, 0, offsetof(struct s3_request, url));
    q->continuation[0] = q->continuation_upload[0] = 0;
    q->document = NULL;
    q->index = q->batch = q->part_marker = 0;
    q->credentials_serial = 0;
    q->clock_corrected = q->credentials_renewed = q->finish_check = false;
    r->private_ = q;
    q->request = r;
    q->credentials.wake = on_credentials;
    completion_init(&q->http.done, on_answer, q);
    if (r->source) {
        err_set(&r->err, ERR_MISUSE, __func__, "a bucket takes bodies from memory only");
        object_finish(r);
    } else if (r->kind == OBJECT_DELETE_MANY && !r->key_count) {
        object_finish(r);
    } else {
        s3_next(q);
    }
}

static void s3_cancel(struct object_request *r)
{
    struct s3_request *q = r->private_;
    if (q->credentials.waiting) {
        s3_credentials_forget(s3_of(r)->credentials, &q->credentials);
        err_set(&r->err, ERR_CANCELLED, __func__, "%s: cancelled", r->key);
        object_finish(r);
    } else {
        io_http_cancel(s3_of(r)->http, &q->http);
    }
}

static void s3_drop(struct object_request *r)
{
    struct s3_request *q = r->private_;
    io_http_request_deinit(&q->http);
    free(q->document);
    sodium_memzero(q->token, sizeof q->token);
    free(q);
}

static void s3_close(struct object_store *store)
{
    struct s3_store *s = CONTAINER_OF(store, struct s3_store, store);
    s3_credentials_destroy(s->credentials);
    if (s->bearer) sodium_memzero(s->bearer, strlen(s->bearer));
    free(s->bearer);
    free(s->scheme_host);
    free(s->host);
    free(s->path_prefix);
    free(s->key_prefix);
    free(s->bucket);
    free(s->region);
    free(s->ca_file);
    free(s);
}

static const struct object_store_ops S3_OPS = {s3_start, s3_cancel, s3_drop, s3_close};

// ---- opening
// ------------------------------------------------------------------------------------------

static bool prefix_valid(const char *prefix, size_t size)
{
    char text[OBJECT_KEY_MAX];
    snprintf(text, sizeof text, "%.*s", (int)size, prefix);
    return object_key_valid(text);
}

static struct s3_store *s3_create(struct io_http *http, const struct object_store_options *options,
                                  const char *prefix, struct err *err)
{
    struct s3_store *s = calloc(1, sizeof *s);
    if (!s) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return NULL;
    }
    s->store.ops = &S3_OPS;
    s->http = http;
    while (*prefix == '/') prefix++;
    size_t size = strlen(prefix);
    while (size && prefix[size - 1] == '/') size--;
    bool ca = options->ca_file && options->ca_file[0];
    if (asprintf(&s->key_prefix, "%.*s%s", (int)size, prefix, size ? "/" : "") < 0)
        s->key_prefix = NULL;
    s->ca_file = ca ? strdup(options->ca_file) : NULL;
    if (!s->key_prefix || (ca && !s->ca_file)) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
    } else if (size > 300) {
        err_set(err, ERR_USAGE, __func__, "the prefix in store '%s' is longer than 300 bytes",
                options->url);
    } else if (size && !prefix_valid(prefix, size)) {
        err_set(err, ERR_USAGE, __func__, "the prefix in store '%s' cannot be part of a name",
                options->url);
    } else {
        return s;
    }
    s3_close(&s->store);
    return NULL;
}

// The Host header of a default port carries no port (libcurl leaves it out too).
static void host_trim(char *host, bool tls)
{
    const char *port = tls ? ":443" : ":80";
    size_t size = strlen(host), port_size = strlen(port);
    if (size > port_size && strcmp(host + size - port_size, port) == 0) host[size - port_size] = 0;
}

// "https://host[:port]" and the Host header from the endpoint, bucket and style.
static bool s3_place(struct s3_store *s, const char *endpoint, struct err *err)
{
    char aws[300];
    if (!endpoint || !endpoint[0]) {
        snprintf(aws, sizeof aws, "https://s3.%s.amazonaws.com%s", s->region,
                 strncmp(s->region, "cn-", 3) == 0 ? ".cn" : "");
        endpoint = aws;
        // A bucket with dots in its name has no certificate of its own.
        s->virtual_host_style = !strchr(s->bucket, '.');
    }
    bool tls = strncmp(endpoint, "https://", 8) == 0;
    if (!tls && strncmp(endpoint, "http://", 7) != 0) {
        err_set(err, ERR_USAGE, __func__, "S3 endpoint '%s' is not of the form https://host[:port]",
                endpoint);
        return false;
    }
    const char *host = endpoint + (tls ? 8 : 7);
    size_t host_size = strcspn(host, "/");
    const char *tail = host + host_size;
    if (tail[0] == '/' && tail[1]) {
        err_set(err, ERR_USAGE, __func__,
                "S3 endpoint '%s' has a path; give https://host[:port] only", endpoint);
        return false;
    }
    int n, k;
    if (s->virtual_host_style) {
        n = asprintf(&s->host, "%s.%.*s", s->bucket, (int)host_size, host);
        k = asprintf(&s->path_prefix, "/");
    } else {
        n = asprintf(&s->host, "%.*s", (int)host_size, host);
        k = asprintf(&s->path_prefix, "/%s/", s->bucket);
    }
    int m = n < 0 ? -1 : asprintf(&s->scheme_host, "%s://%s", tls ? "https" : "http", s->host);
    if (n < 0 || m < 0 || k < 0) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return false;
    }
    host_trim(s->host, tls);
    return true;
}

struct object_store *object_s3_open(struct io *io, struct io_http *http,
                                    const struct object_store_options *options, struct err *err)
{
    const char *bucket = options->url + 5;
    size_t bucket_size = strcspn(bucket, "/");
    struct s3_store *s = s3_create(http, options, bucket + bucket_size, err);
    if (!s) return NULL;
    s->bucket = strndup(bucket, bucket_size);
    s->region = strdup(options->region && options->region[0] ? options->region : "us-east-1");
    s->virtual_host_style = options->virtual_host_style;
    bool good = false;
    if (!s->bucket || !s->region) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
    } else if (!bucket_size) {
        err_set(err, ERR_USAGE, __func__, "store '%s' names no bucket: s3://bucket/prefix",
                options->url);
    } else if (s3_place(s, options->endpoint, err)) {
        s->credentials = s3_credentials_create(
            io, http,
            &(struct s3_credentials_options){.access_key = options->access_key,
                                             .secret_key = options->secret_key,
                                             .session_token = options->session_token,
                                             .access_key_file = options->access_key_file,
                                             .secret_key_file = options->secret_key_file,
                                             .session_token_file = options->session_token_file,
                                             .region = s->region,
                                             .ask_instance = !options->endpoint || !options->endpoint[0]},
            err);
        good = s->credentials != NULL;
    }
    if (good) return &s->store;
    s3_close(&s->store);
    return NULL;
}

struct object_store *object_hub_open(struct io *io, struct io_http *http,
                                     const struct object_store_options *options, struct err *err)
{
    const char *base = options->url + 4, *host = strstr(base, "://") + 3;
    size_t host_size = strcspn(host, "/");
    struct s3_store *s = s3_create(http, options, host + host_size, err);
    if (!s) return NULL;
    bool given = options->token && options->token[0];
    s->scheme_host = strndup(base, (size_t)(host - base) + host_size);
    s->path_prefix = strdup("/store/");
    s->region = strdup("");
    if (asprintf(&s->bearer, "Bearer %s", given ? options->token : "") < 0) s->bearer = NULL;
    bool memory = s->scheme_host && s->path_prefix && s->region && s->bearer;
    if (!memory)
        err_set(err, ERR_NOMEM, __func__, "out of memory");
    else if (!host_size || memchr(host, '@', host_size))
        err_set(err, ERR_USAGE, __func__,
                "store '%s' is not of the form hub+https://host:port/prefix", options->url);
    else if (!given)
        err_set(err, ERR_USAGE, __func__,
                "store '%s' needs the hub's token: name its file with --store-token-file",
                options->url);
    else
        return &s->store;
    s3_close(&s->store);
    return NULL;
}
