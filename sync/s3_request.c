// What a request of the store is as an HTTP request: method, path, query, headers, body, signature.
#include "md5.h"
#include "s3_store.h"

#include <time.h>

struct query {
    char *out;
    size_t size, used;
    bool full;
};

// Parameters are added in the order of their names, as the signature wants them.
static void query_add(struct query *q, const char *name, const char *value)
{
    int n = snprintf(q->out + q->used, q->size - q->used, "%s%s=", q->used ? "&" : "", name);
    if (n < 0 || (size_t)n >= q->size - q->used) {
        q->full = true;
        return;
    }
    q->used += (size_t)n;
    if (s3_percent_encode(value, false, q->out + q->used, q->size - q->used))
        q->used += strlen(q->out + q->used);
    else
        q->full = true;
}

static void query_number(struct query *q, const char *name, u64 value)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    query_add(q, name, text);
}

static bool query_build(struct s3_request *q)
{
    struct object_request *r = q->request;
    struct s3_store *s = s3_of(r);
    struct query query = {q->query, sizeof q->query, 0, false};
    char prefix[2 * OBJECT_KEY_MAX], after[2 * OBJECT_KEY_MAX];
    snprintf(prefix, sizeof prefix, "%s%s", s->key_prefix, r->key);
    snprintf(after, sizeof after, "%s%s", s->key_prefix, r->after);
    q->query[0] = 0;
    if (q->finish_check) return true;
    switch (r->kind) {
    case OBJECT_PUT:
    case OBJECT_PUT_IF_ABSENT:
    case OBJECT_GET:
    case OBJECT_HEAD:
    case OBJECT_DELETE: break;
    case OBJECT_LIST:
        if (q->continuation[0]) query_add(&query, "continuation-token", q->continuation);
        query_add(&query, "delimiter", "/");
        query_add(&query, "encoding-type", "url");
        query_add(&query, "list-type", "2");
        if (r->list_limit)
            query_number(&query, "max-keys", MIN(r->list_limit - r->entry_count, 1000u));
        query_add(&query, "prefix", prefix);
        if (r->after[0] && !q->continuation[0]) query_add(&query, "start-after", after);
        break;
    case OBJECT_DELETE_MANY:
        if (!s->deletes_singly) query_add(&query, "delete", "");
        break;
    case OBJECT_UPLOAD_BEGIN: query_add(&query, "uploads", ""); break;
    case OBJECT_UPLOAD_PART:
        query_number(&query, "partNumber", r->part + 1);
        query_add(&query, "uploadId", r->upload->id);
        break;
    case OBJECT_UPLOAD_PARTS:
        if (q->part_marker) query_number(&query, "part-number-marker", q->part_marker);
        query_add(&query, "uploadId", r->upload->id);
        break;
    case OBJECT_UPLOAD_FINISH:
    case OBJECT_UPLOAD_ABORT: query_add(&query, "uploadId", r->upload->id); break;
    case OBJECT_UPLOAD_LIST:
        query_add(&query, "encoding-type", "url");
        if (q->continuation[0]) query_add(&query, "key-marker", q->continuation);
        query_add(&query, "prefix", prefix);
        if (q->continuation[0]) query_add(&query, "upload-id-marker", q->continuation_upload);
        query_add(&query, "uploads", "");
        break;
    case OBJECT_KIND_COUNT: ASSERT(false);
    }
    return !query.full;
}

const char *s3_method(const struct s3_request *q)
{
    struct object_request *r = q->request;
    if (q->finish_check) return "HEAD";
    switch (r->kind) {
    case OBJECT_PUT:
    case OBJECT_PUT_IF_ABSENT:
    case OBJECT_UPLOAD_PART: return "PUT";
    case OBJECT_GET:
    case OBJECT_LIST:
    case OBJECT_UPLOAD_PARTS:
    case OBJECT_UPLOAD_LIST: return "GET";
    case OBJECT_HEAD: return "HEAD";
    case OBJECT_DELETE_MANY: return s3_of(r)->deletes_singly ? "DELETE" : "POST";
    case OBJECT_DELETE:
    case OBJECT_UPLOAD_ABORT: return "DELETE";
    case OBJECT_UPLOAD_BEGIN:
    case OBJECT_UPLOAD_FINISH: return "POST";
    case OBJECT_KIND_COUNT: break;
    }
    ASSERT(false);
}

static bool path_build(struct s3_request *q)
{
    struct object_request *r = q->request;
    struct s3_store *s = s3_of(r);
    char plain[2 * OBJECT_KEY_MAX + 512];
    const char *key = r->key, *prefix = s->key_prefix;
    if (r->kind == OBJECT_DELETE_MANY && s->deletes_singly)
        key = r->keys[q->index];
    else if (r->kind == OBJECT_LIST || r->kind == OBJECT_DELETE_MANY || r->kind == OBJECT_UPLOAD_LIST)
        key = prefix = ""; // of the bucket: "/bucket/" is what every server takes
    int n = snprintf(plain, sizeof plain, "%s%s%s", s->path_prefix, prefix, key);
    return n > 0 && (size_t)n < sizeof plain &&
           s3_percent_encode(plain, true, q->path, sizeof q->path);
}

static void xml_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '&')
            fputs("&amp;", out);
        else if (*text == '<')
            fputs("&lt;", out);
        else if (*text == '>')
            fputs("&gt;", out);
        else
            fputc(*text, out);
    }
}

static void delete_document(struct s3_request *q, FILE *out)
{
    struct object_request *r = q->request;
    q->batch = MIN(r->key_count - q->index, (u32)S3_DELETES_MAX);
    fputs("<Delete><Quiet>true</Quiet>", out);
    for (u32 i = 0; i < q->batch; i++) {
        fputs("<Object><Key>", out);
        xml_text(out, s3_of(r)->key_prefix);
        xml_text(out, r->keys[q->index + i]);
        fputs("</Key></Object>", out);
    }
    fputs("</Delete>", out);
}

static void finish_document(struct s3_request *q, FILE *out)
{
    struct object_upload *u = q->request->upload;
    fputs("<CompleteMultipartUpload>", out);
    for (u32 i = 0; i < u->part_count; i++) {
        fprintf(out, "<Part><PartNumber>%u</PartNumber><ETag>\"", i + 1);
        xml_text(out, u->parts[i].version);
        fputs("\"</ETag></Part>", out);
    }
    fputs("</CompleteMultipartUpload>", out);
}

// Sets body and size of what is sent.
static bool body_build(struct s3_request *q)
{
    struct object_request *r = q->request;
    bool document = !q->finish_check &&
                    (r->kind == OBJECT_UPLOAD_FINISH ||
                     (r->kind == OBJECT_DELETE_MANY && !s3_of(r)->deletes_singly));
    q->http.body = NULL;
    q->http.body_size = 0;
    if (r->kind == OBJECT_PUT || r->kind == OBJECT_PUT_IF_ABSENT || r->kind == OBJECT_UPLOAD_PART) {
        q->http.body = r->body;
        q->http.body_size = r->body_size;
    }
    q->batch = 1;
    if (!document) return true;
    free(q->document);
    q->document = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&q->document, &size);
    if (!out) return false;
    if (r->kind == OBJECT_UPLOAD_FINISH)
        finish_document(q, out);
    else
        delete_document(q, out);
    if (fclose(out) != 0 || !q->document) return false;
    q->http.body = q->document;
    q->http.body_size = size;
    return true;
}

static void header_add(struct s3_request *q, const char *name, const char *value)
{
    ASSERT(q->http.header_count < COUNT_OF(q->headers));
    q->headers[q->http.header_count++] = (struct io_http_header){name, value};
}

// Signs anew each time: time passes between tries, and credentials change.
static bool sign(struct s3_request *q)
{
    struct s3_store *s = s3_of(q->request);
    const struct s3_keys *keys = s3_credentials_keys(s->credentials);
    time_t now = (time_t)((io_wall_ms(s->store.io) + s->clock_offset_ms) / 1000);
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(q->timestamp, sizeof q->timestamp, "%Y%m%dT%H%M%SZ", &tm);
    s3_sha256_hex(q->http.body_size ? q->http.body : "", q->http.body_size, q->payload_hash);
    snprintf(q->token, sizeof q->token, "%s", keys->session_token);
    q->credentials_serial = keys->serial;
    struct s3_header headers[4] = {{"host", s->host},
                                   {"x-amz-content-sha256", q->payload_hash},
                                   {"x-amz-date", q->timestamp},
                                   {"x-amz-security-token", q->token}};
    struct s3_request_to_sign to_sign = {
        .method = s3_method(q),
        .path = q->path,
        .query = q->query,
        .headers = headers,
        .header_count = q->token[0] ? 4 : 3,
        .payload_sha256 = q->payload_hash,
        .timestamp = q->timestamp,
        .region = s->region,
        .access_key = keys->access_key,
        .secret_key = keys->secret_key,
    };
    if (!s3_sign(&to_sign, q->authorization)) return false;
    header_add(q, "Authorization", q->authorization);
    for (u32 i = 1; i < to_sign.header_count; i++) header_add(q, headers[i].name, headers[i].value);
    return true;
}

static void conditions_build(struct s3_request *q)
{
    struct object_request *r = q->request;
    if (r->kind == OBJECT_PUT_IF_ABSENT) header_add(q, "If-None-Match", "*");
    if (r->kind != OBJECT_GET) return;
    if (r->if_version[0]) {
        snprintf(q->if_none_match, sizeof q->if_none_match, "\"%s\"", r->if_version);
        header_add(q, "If-None-Match", q->if_none_match);
    }
    if (!r->range_offset && !r->range_size) return;
    if (r->range_size)
        snprintf(q->range, sizeof q->range, "bytes=%llu-%llu", (unsigned long long)r->range_offset,
                 (unsigned long long)(r->range_offset + r->range_size - 1));
    else
        snprintf(q->range, sizeof q->range, "bytes=%llu-", (unsigned long long)r->range_offset);
    header_add(q, "Range", q->range);
}

bool s3_prepare(struct s3_request *q)
{
    struct object_request *r = q->request;
    struct s3_store *s = s3_of(r);
    q->http.header_count = 0;
    int n = -1;
    if (path_build(q) && query_build(q))
        n = snprintf(q->url, sizeof q->url, "%s%s%s%s", s->scheme_host, q->path,
                     q->query[0] ? "?" : "", q->query);
    if (n < 0 || (size_t)n >= sizeof q->url) {
        err_set(&r->err, ERR_LIMIT, "s3", "key '%s' is too long", r->key);
        return false;
    }
    if (!body_build(q)) {
        err_set(&r->err, ERR_NOMEM, "s3", "out of memory");
        return false;
    }
    if (s->bearer) {
        header_add(q, "Authorization", s->bearer);
    } else if (!sign(q)) {
        err_set(&r->err, ERR_USAGE, "s3",
                "%s cannot be signed: the region, the access key or the token is too long", r->key);
        return false;
    }
    conditions_build(q);
    if (s->bearer && r->upload && r->upload->part_size) {
        snprintf(q->part_size, sizeof q->part_size, "%llu", (unsigned long long)r->upload->part_size);
        header_add(q, "x-skerry-part-size", q->part_size);
    }
    if (q->http.body_size || r->kind == OBJECT_PUT || r->kind == OBJECT_PUT_IF_ABSENT) {
        struct md5 md5;
        u8 digest[MD5_SIZE];
        md5_init(&md5);
        if (q->http.body_size) md5_update(&md5, q->http.body, q->http.body_size);
        md5_final(&md5, digest);
        md5_base64(digest, q->md5);
        header_add(q, "Content-MD5", q->md5);
        header_add(q, "Content-Type", q->document ? "application/xml" : "application/octet-stream");
    }
    size_t wanted = r->kind != OBJECT_GET ? S3_LIST_ANSWER_MAX
                    : r->answer_size_max  ? r->answer_size_max
                                          : 256u << 20;
    q->http.method = s3_method(q);
    q->http.url = q->url;
    q->http.headers = q->headers;
    q->http.answer_size_max = MAX(wanted, (size_t)S3_ERROR_SIZE_MAX); // an error's text has to fit
    q->http.room = r->kind == OBJECT_GET ? r->room : NULL;
    q->http.room_size = q->http.room ? r->room_size : 0;
    q->http.ca_file = s->ca_file;
    q->http.send_rate_max = s->store.upload.per_s;
    q->http.receive_rate_max = s->store.download.per_s;
    return true;
}
