// S3 as a store: Signature V4, path style for endpoints of one's own, the clock taken from the
// server's Date header when it refuses ours (a device without a clock battery would never get in
// otherwise).
#include "object_store.h"
#include "s3_sign.h"
#include "s3_xml.h"

#include <curl/curl.h>
#include <errno.h>
#include <time.h>

#define S3_URL_MAX  4096
#define S3_LIST_MAX (16u << 20)

struct s3_store {
    struct object_store store;
    struct io_http *http;
    char *scheme_host; // "https://host:port", without a slash at the end
    char *host;        // of the Host header
    char *path_prefix; // "/bucket/" or "/"
    char *key_prefix;  // "" or "prefix/"
    char *bucket, *region, *access_key, *secret_key, *session_token, *ca_file;
    s64 clock_offset_ms;
    bool virtual_host_style;
};

struct s3_request {
    struct object_request *request;
    struct io_http_request http;
    struct io_http_header headers[8];
    char url[S3_URL_MAX], timestamp[20], authorization[S3_AUTHORIZATION_MAX], payload_hash[65];
    char range[64], continuation[2048];
    bool clock_corrected;
};

static struct s3_store *s3_of(struct object_request *r)
{
    return CONTAINER_OF(r->store, struct s3_store, store);
}

static const char *method_of(enum object_kind kind)
{
    switch (kind) {
    case OBJECT_PUT:
    case OBJECT_PUT_IF_ABSENT: return "PUT";
    case OBJECT_GET:
    case OBJECT_LIST: return "GET";
    case OBJECT_DELETE: return "DELETE";
    }
    return "GET";
}

// Parameters in the order of their names, as the signature wants them.
static bool list_query(struct s3_request *q, char *out, size_t out_size)
{
    struct object_request *r = q->request;
    struct s3_store *s = s3_of(r);
    char plain[2 * OBJECT_KEY_MAX], prefix[6 * OBJECT_KEY_MAX], after[6 * OBJECT_KEY_MAX],
        token[4096];
    snprintf(plain, sizeof plain, "%s%s", s->key_prefix, r->key);
    if (!s3_percent_encode(plain, false, prefix, sizeof prefix)) return false;
    snprintf(plain, sizeof plain, "%s%s", s->key_prefix, r->after);
    if (!s3_percent_encode(plain, false, after, sizeof after)) return false;
    if (!s3_percent_encode(q->continuation, false, token, sizeof token)) return false;
    int n;
    if (q->continuation[0])
        n = snprintf(out, out_size,
                     "continuation-token=%s&delimiter=%%2F&encoding-type=url&list-type=2&prefix=%s",
                     token, prefix);
    else if (r->after[0])
        n = snprintf(out, out_size,
                     "delimiter=%%2F&encoding-type=url&list-type=2&prefix=%s&start-after=%s",
                     prefix, after);
    else
        n = snprintf(out, out_size, "delimiter=%%2F&encoding-type=url&list-type=2&prefix=%s",
                     prefix);
    return n > 0 && (size_t)n < out_size;
}

// Signs the request anew (time passes between tries) and fills in URL and headers.
static bool s3_prepare(struct s3_request *q)
{
    struct object_request *r = q->request;
    struct s3_store *s = s3_of(r);
    char path[3 * OBJECT_KEY_MAX + 256] = "", query[S3_URL_MAX] = "", plain[2 * OBJECT_KEY_MAX];
    if (r->kind == OBJECT_LIST) {
        // "/bucket" and "/bucket/" are signed as they stand; the latter is what every server takes.
        if (!s3_percent_encode(s->path_prefix, true, path, sizeof path)) return false;
        if (!list_query(q, query, sizeof query)) return false;
    } else {
        int n = snprintf(plain, sizeof plain, "%s%s%s", s->path_prefix, s->key_prefix, r->key);
        if (n < 0 || (size_t)n >= sizeof plain ||
            !s3_percent_encode(plain, true, path, sizeof path))
            return false;
    }
    int n = snprintf(q->url, sizeof q->url, "%s%s%s%s", s->scheme_host, path, query[0] ? "?" : "",
                     query);
    if (n < 0 || (size_t)n >= sizeof q->url) return false;

    bool put = r->kind == OBJECT_PUT || r->kind == OBJECT_PUT_IF_ABSENT;
    time_t now = (time_t)((io_wall_ms(s->store.io) + s->clock_offset_ms) / 1000);
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(q->timestamp, sizeof q->timestamp, "%Y%m%dT%H%M%SZ", &tm);
    s3_sha256_hex(put ? r->body : "", put ? r->body_size : 0, q->payload_hash);
    struct s3_header signed_headers[4] = {{"host", s->host},
                                          {"x-amz-content-sha256", q->payload_hash},
                                          {"x-amz-date", q->timestamp},
                                          {"x-amz-security-token", s->session_token}};
    struct s3_request_to_sign to_sign = {
        .method = method_of(r->kind),
        .path = path,
        .query = query,
        .headers = signed_headers,
        .header_count = s->session_token ? 4 : 3,
        .payload_sha256 = q->payload_hash,
        .timestamp = q->timestamp,
        .region = s->region,
        .access_key = s->access_key,
        .secret_key = s->secret_key,
    };
    if (!s3_sign(&to_sign, q->authorization)) return false;

    u32 count = 0;
    q->headers[count++] = (struct io_http_header){"Authorization", q->authorization};
    for (u32 i = 1; i < to_sign.header_count; i++)
        q->headers[count++] =
            (struct io_http_header){signed_headers[i].name, signed_headers[i].value};
    if (r->kind == OBJECT_PUT_IF_ABSENT)
        q->headers[count++] = (struct io_http_header){"If-None-Match", "*"};
    if (put)
        q->headers[count++] = (struct io_http_header){"Content-Type", "application/octet-stream"};
    if (r->kind == OBJECT_GET && (r->range_offset || r->range_size)) {
        if (r->range_size)
            snprintf(q->range, sizeof q->range, "bytes=%llu-%llu",
                     (unsigned long long)r->range_offset,
                     (unsigned long long)(r->range_offset + r->range_size - 1));
        else
            snprintf(q->range, sizeof q->range, "bytes=%llu-", (unsigned long long)r->range_offset);
        q->headers[count++] = (struct io_http_header){"Range", q->range};
    }
    q->http.method = to_sign.method;
    q->http.url = q->url;
    q->http.headers = q->headers;
    q->http.header_count = count;
    q->http.body = put ? r->body : NULL;
    q->http.body_size = put ? r->body_size : 0;
    q->http.answer_size_max = r->kind == OBJECT_LIST ? S3_LIST_MAX
                              : r->answer_size_max   ? r->answer_size_max
                                                     : 256u << 20;
    q->http.ca_file = s->ca_file;
    return true;
}

static void s3_send(struct s3_request *q)
{
    if (s3_prepare(q)) {
        io_http_start(s3_of(q->request)->http, &q->http);
        return;
    }
    err_set(&q->request->err, ERR_LIMIT, __func__, "key '%s' is too long", q->request->key);
    object_finish(q->request);
}

static void s3_error(struct s3_request *q)
{
    struct object_request *r = q->request;
    char code[100] = "", message[300] = "";
    const char *at = (const char *)q->http.answer, *end = at ? at + q->http.answer_size : at;
    const char *from = at;
    if (at) s3_xml_element(&at, end, "Code", code, sizeof code);
    if (from) s3_xml_element(&from, end, "Message", message, sizeof message);
    int status = q->http.status;
    err_code error = ERR_STORE_UNAVAILABLE;
    const char *hint = "";
    if (strcmp(code, "NoSuchBucket") == 0) {
        error = ERR_USAGE;
        hint = "; create the bucket, or correct the store's URL";
    } else if (status == 404) {
        error = ERR_STORE_MISSING;
    } else if (status == 412) {
        error = ERR_STORE_EXISTS;
    } else if (status == 401 || status == 403) {
        error = ERR_STORE_DENIED;
        hint = "; check SKERRY_S3_ACCESS_KEY, SKERRY_S3_SECRET_KEY and what they may do";
    } else if (status >= 300 && status < 500 && status != 408 && status != 409 && status != 429 &&
               strcmp(code, "RequestTimeout") != 0) {
        error = ERR_USAGE;
        hint = "; check the endpoint, region and bucket";
    }
    err_set(&r->err, error, "s3", "%s %s: HTTP status %d%s%s%s%s%s", method_of(r->kind), r->key,
            status, code[0] ? " " : "", code, message[0] ? ": " : "", message, hint);
    r->err.peer_status = status;
}

// Adds a page of a listing; true when there is another.
static bool list_page(struct s3_request *q)
{
    struct object_request *r = q->request;
    struct s3_store *s = s3_of(r);
    const char *at = (const char *)q->http.answer, *end = at + q->http.answer_size, *from = at;
    size_t prefix_size = strlen(s->key_prefix);
    char key[4 * OBJECT_KEY_MAX], size[32], truncated[16] = "";
    if (!s3_xml_element(&from, end, "IsTruncated", truncated, sizeof truncated)) {
        err_set(&r->err, ERR_STORE_UNAVAILABLE, "s3", "LIST %s: the answer is not a listing",
                r->key);
        return false;
    }
    for (const char *c = at; (c = memmem(c, (size_t)(end - c), "<Contents>", 10));) {
        c += 10;
        const char *stop = memmem(c, (size_t)(end - c), "</Contents>", 11);
        const char *a = c, *b = c;
        if (!stop || !s3_xml_element(&a, stop, "Key", key, sizeof key) ||
            !s3_xml_element(&b, stop, "Size", size, sizeof size)) {
            err_set(&r->err, ERR_STORE_UNAVAILABLE, "s3", "LIST %s: an entry is malformed", r->key);
            return false;
        }
        s3_percent_decode(key);
        c = stop;
        if (strncmp(key, s->key_prefix, prefix_size) != 0 ||
            strcmp(key + prefix_size, r->after) <= 0)
            continue;
        if (!object_entry_add(r, key + prefix_size, strtoull(size, NULL, 10))) {
            err_set(&r->err, ERR_NOMEM, "s3", "out of memory");
            return false;
        }
    }
    if (strcmp(truncated, "true") != 0) return false;
    from = at;
    if (!s3_xml_element(&from, end, "NextContinuationToken", q->continuation,
                        sizeof q->continuation)) {
        err_set(&r->err, ERR_STORE_UNAVAILABLE, "s3",
                "LIST %s: a truncated listing names no continuation", r->key);
        return false;
    }
    return true;
}

// A clock that is off by more than 15 minutes is refused; the answer's Date tells by how much.
static bool clock_correct(struct s3_request *q)
{
    struct s3_store *s = s3_of(q->request);
    const char *date = io_http_answer_header(&q->http, "date");
    if (q->clock_corrected || q->http.status != 403 || !date || !q->http.answer ||
        !memmem(q->http.answer, q->http.answer_size, "RequestTimeTooSkewed", 20))
        return false;
    time_t server = curl_getdate(date, NULL);
    if (server < 0) return false;
    s->clock_offset_ms = (s64)server * 1000 - io_wall_ms(s->store.io);
    q->clock_corrected = true;
    return true;
}

static void s3_answered(struct completion *c)
{
    struct s3_request *q = c->context;
    struct object_request *r = q->request;
    if (c->result < 0) {
        r->err = q->http.err;
        object_finish(r);
        return;
    }
    if (clock_correct(q)) {
        s3_send(q);
        return;
    }
    bool good = q->http.status >= 200 && q->http.status < 300;
    if (r->kind == OBJECT_DELETE && q->http.status == 404) good = true;
    if (!good) {
        s3_error(q);
    } else if (r->kind == OBJECT_LIST) {
        if (list_page(q)) {
            s3_send(q);
            return;
        }
    } else if (r->kind == OBJECT_GET) {
        bool ranged = r->range_offset || r->range_size;
        if (ranged && q->http.status != 206) {
            err_set(&r->err, ERR_STORE_UNAVAILABLE, "s3", "GET %s: the server ignored the range",
                    r->key);
        } else {
            r->answer = q->http.answer ? q->http.answer : calloc(1, 1);
            r->answer_size = q->http.answer_size;
            q->http.answer = NULL;
        }
    }
    object_finish(r);
}

static void s3_start(struct object_store *s, struct object_request *r)
{
    struct s3_request *q = calloc(1, sizeof *q);
    if (!q) {
        err_set(&r->err, ERR_NOMEM, __func__, "out of memory");
        object_finish(r);
        return;
    }
    (void)s;
    r->private_ = q;
    q->request = r;
    completion_init(&q->http.done, s3_answered, q);
    s3_send(q);
}

static void s3_cancel(struct object_request *r)
{
    struct s3_request *q = r->private_;
    io_http_cancel(s3_of(r)->http, &q->http);
}

static void s3_drop(struct object_request *r)
{
    struct s3_request *q = r->private_;
    io_http_request_deinit(&q->http);
    free(q);
}

static void s3_close(struct object_store *store)
{
    struct s3_store *s = CONTAINER_OF(store, struct s3_store, store);
    free(s->scheme_host);
    free(s->host);
    free(s->path_prefix);
    free(s->key_prefix);
    free(s->bucket);
    free(s->region);
    free(s->access_key);
    free(s->secret_key);
    free(s->session_token);
    free(s->ca_file);
    free(s);
}

static const struct object_store_ops S3_OPS = {s3_start, s3_cancel, s3_drop, s3_close};

static char *copy_or_null(const char *text)
{
    return text && text[0] ? strdup(text) : NULL;
}

// "https://host[:port]" and the Host header from the endpoint, bucket and style.
static bool s3_place(struct s3_store *s, const char *endpoint, struct err *err)
{
    char aws[300];
    if (!endpoint || !endpoint[0]) {
        snprintf(aws, sizeof aws, "https://s3.%s.amazonaws.com", s->region);
        endpoint = aws;
        s->virtual_host_style = true;
    }
    const char *host = strstr(endpoint, "://");
    if (!host || (strncmp(endpoint, "http://", 7) != 0 && strncmp(endpoint, "https://", 8) != 0)) {
        err_set(err, ERR_USAGE, __func__, "S3 endpoint '%s' is not of the form https://host[:port]",
                endpoint);
        return false;
    }
    host += 3;
    size_t host_size = strcspn(host, "/");
    const char *tail = host + host_size;
    if (tail[0] == '/' && tail[1]) {
        err_set(err, ERR_USAGE, __func__,
                "S3 endpoint '%s' has a path; give https://host[:port] only", endpoint);
        return false;
    }
    int scheme_size = (int)(host - endpoint);
    int n, m, k;
    if (s->virtual_host_style) {
        n = asprintf(&s->host, "%s.%.*s", s->bucket, (int)host_size, host);
        k = asprintf(&s->path_prefix, "/");
    } else {
        n = asprintf(&s->host, "%.*s", (int)host_size, host);
        k = asprintf(&s->path_prefix, "/%s/", s->bucket);
    }
    m = n < 0 ? -1 : asprintf(&s->scheme_host, "%.*s%s", scheme_size, endpoint, s->host);
    if (n < 0 || m < 0 || k < 0) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return false;
    }
    // The Host header of a default port carries no port (libcurl leaves it out too).
    const char *port = scheme_size == 8 ? ":443" : ":80";
    size_t size = strlen(s->host), port_size = strlen(port);
    if (size > port_size && strcmp(s->host + size - port_size, port) == 0)
        s->host[size - port_size] = 0;
    return true;
}

struct object_store *object_s3_open(struct io *io, struct io_http *http,
                                    const struct object_store_options *options, struct err *err)
{
    (void)io;
    struct s3_store *s = calloc(1, sizeof *s);
    if (!s) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return NULL;
    }
    s->store.ops = &S3_OPS;
    s->http = http;
    const char *bucket = options->url + 5;
    size_t bucket_size = strcspn(bucket, "/");
    const char *prefix = bucket + bucket_size;
    while (*prefix == '/') prefix++;
    size_t prefix_size = strlen(prefix);
    while (prefix_size && prefix[prefix_size - 1] == '/') prefix_size--;
    s->bucket = strndup(bucket, bucket_size);
    if (asprintf(&s->key_prefix, "%.*s%s", (int)prefix_size, prefix, prefix_size ? "/" : "") < 0)
        s->key_prefix = NULL;
    s->region = strdup(options->region && options->region[0] ? options->region : "us-east-1");
    s->access_key = copy_or_null(options->access_key);
    s->secret_key = copy_or_null(options->secret_key);
    s->session_token = copy_or_null(options->session_token);
    s->ca_file = copy_or_null(options->ca_file);
    s->virtual_host_style = options->virtual_host_style;
    bool good = false;
    if (!s->bucket || !s->key_prefix || !s->region)
        err_set(err, ERR_NOMEM, __func__, "out of memory");
    else if (!bucket_size)
        err_set(err, ERR_USAGE, __func__, "store '%s' names no bucket: s3://bucket/prefix",
                options->url);
    else if (prefix_size > 300)
        err_set(err, ERR_USAGE, __func__, "the prefix in store '%s' is longer than 300 bytes",
                options->url);
    else if (!s->access_key || !s->secret_key)
        err_set(err, ERR_USAGE, __func__,
                "store '%s' needs credentials: set SKERRY_S3_ACCESS_KEY and SKERRY_S3_SECRET_KEY "
                "(or name files "
                "with SKERRY_S3_ACCESS_KEY_FILE and SKERRY_S3_SECRET_KEY_FILE)",
                options->url);
    else
        good = s3_place(s, options->endpoint, err);
    if (good) return &s->store;
    s3_close(&s->store);
    return NULL;
}
