#include "hub.h"
#include "buffer.h"

#include "../sync/md5.h"
#include "../sync/s3_sign.h"
#include "../sync/s3_xml.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <time.h>

#define HUB_PIECE_SIZE        262144u
#define HUB_DOCUMENT_SIZE_MAX (2u << 20) // 10,000 parts, 1,000 keys
#define HUB_DELETES_MAX       1000
#define HUB_LIST_MAX          1000

struct hub {
    struct io *io;
    struct object_store *objects;
    u8 token_hash[crypto_generichash_BYTES];
    u32 calls;
};

// One request of a peer. It lives until its answer is given.
struct hub_call {
    struct hub *hub;
    struct http_exchange *x;
    struct object_request r;
    struct object_upload upload;
    void (*then)(struct hub_call *c); // takes r's result

    // A body: into an object by way of `source`, or gathered.
    struct object_source source;
    struct completion piece_done, *source_done;
    struct md5 md5;
    bool md5_bad;
    u8 *document;
    size_t document_size;
    char **keys;
    u32 key_count;

    // An object on its way out.
    struct completion drained;
    u64 offset, end;
    char version[OBJECT_VERSION_MAX];
    bool ranged, head_sent;

    char query[4096];
};

// ---- answers
// ------------------------------------------------------------------------------------------

static void call_free(struct hub_call *c)
{
    c->hub->calls--;
    object_request_deinit(&c->r);
    object_upload_deinit(&c->upload);
    for (u32 i = 0; i < c->key_count; i++) free(c->keys[i]);
    free(c->keys);
    free(c->document);
    free(c);
}

static void xml_text(struct buffer *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '&')
            buffer_text(out, "&amp;");
        else if (*text == '<')
            buffer_text(out, "&lt;");
        else if (*text == '>')
            buffer_text(out, "&gt;");
        else
            buffer_add(out, text, 1);
    }
}

static void answer(struct hub_call *c, int status, const char *lines, struct buffer *body)
{
    bool good = !body || !body->failed;
    http_reply_headers(c->x, good ? status : 503, "application/xml", lines,
                       body && good ? body->bytes : "", body && good ? body->size : 0,
                       body && good ? body->size : 0);
    if (body) buffer_deinit(body);
    call_free(c);
}

static void answer_error(struct hub_call *c, int status, const char *code, const char *message)
{
    struct buffer out = {0};
    buffer_format(&out, "<Error><Code>%s</Code><Message>", code);
    xml_text(&out, message);
    buffer_text(&out, "</Message></Error>");
    answer(c, status, status == 503 ? "Retry-After: 5\r\n" : "", &out);
}

static void answer_failed(struct hub_call *c)
{
    const struct err *err = &c->r.err;
    bool upload = c->r.kind == OBJECT_UPLOAD_PART || c->r.kind == OBJECT_UPLOAD_PARTS ||
                  c->r.kind == OBJECT_UPLOAD_FINISH;
    if (c->md5_bad)
        answer_error(c, 400, "BadDigest", "the body is not what its Content-MD5 says");
    else if (err->code == ERR_STORE_MISSING)
        answer_error(c, 404, upload ? "NoSuchUpload" : "NoSuchKey", "it is not there");
    else if (err->code == ERR_STORE_EXISTS)
        answer_error(c, 412, "PreconditionFailed", "the name is taken");
    else if (err->code == ERR_FULL)
        answer_error(c, 507, "InsufficientStorage", "the hub's disk is full");
    else if (err->code == ERR_STORE_DENIED)
        answer_error(c, 403, "AccessDenied", err->text);
    else if (err->code == ERR_USAGE || err->code == ERR_LIMIT)
        answer_error(c, 400, "InvalidRequest", err->text);
    else if (err->code == ERR_NETWORK)
        answer_error(c, 400, "IncompleteBody", "the body ended early");
    else
        answer_error(c, 503, "ServiceUnavailable", err->text);
}

static void on_request(struct completion *done)
{
    struct object_request *r = done->context;
    struct hub_call *c = r->context;
    if (r->err.code == ERR_OK)
        c->then(c);
    else
        answer_failed(c);
}

static void start(struct hub_call *c, enum object_kind kind, void (*then)(struct hub_call *c))
{
    c->r.kind = kind;
    c->then = then;
    object_start(c->hub->objects, &c->r);
}

static void time_text(s64 ms, bool iso, char out[64])
{
    time_t at = (time_t)(ms / 1000);
    struct tm tm;
    gmtime_r(&at, &tm);
    strftime(out, 64, iso ? "%Y-%m-%dT%H:%M:%S.000Z" : "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

// ---- queries
// ------------------------------------------------------------------------------------------

// The decoded value of a parameter of the query; false: not there, too long, or with a NUL.
static bool query_value(const struct hub_call *c, const char *name, char *out, size_t out_size)
{
    size_t name_size = strlen(name);
    for (const char *at = c->query; *at;) {
        size_t size = strcspn(at, "&"), key = MIN(strcspn(at, "="), size);
        if (key == name_size && strncmp(at, name, key) == 0) {
            size_t value = size - MIN(size, key + 1);
            if (value >= out_size) return false;
            memcpy(out, at + size - value, value);
            out[value] = 0;
            if (strstr(out, "%00")) return false;
            s3_percent_decode(out);
            return true;
        }
        at += size;
        if (*at == '&') at++;
    }
    return false;
}

static bool query_has(const struct hub_call *c, const char *name)
{
    char value[S3_AUTHORIZATION_MAX];
    return query_value(c, name, value, sizeof value);
}

static u64 query_number(const struct hub_call *c, const char *name, u64 fallback)
{
    char text[24];
    return query_value(c, name, text, sizeof text) ? strtoull(text, NULL, 10) : fallback;
}

// ---- bodies
// -------------------------------------------------------------------------------------------

static bool md5_matches(struct hub_call *c)
{
    const char *want = http_header(c->x, "content-md5");
    u8 digest[MD5_SIZE];
    char text[25];
    md5_final(&c->md5, digest);
    md5_base64(digest, text);
    return !want || strcmp(want, text) == 0;
}

static void on_source_piece(struct completion *done)
{
    struct hub_call *c = done->context;
    s64 result = done->result;
    if (result > 0) md5_update(&c->md5, c->document, (size_t)result);
    if (result == 0 && !md5_matches(c)) {
        c->md5_bad = true;
        result = -EBADMSG;
    }
    completion_post(c->hub->io, c->source_done, result);
}

static void source_read(struct object_source *source, void *buffer, size_t size,
                        struct completion *done)
{
    struct hub_call *c = CONTAINER_OF(source, struct hub_call, source);
    c->document = buffer; // the store's, for on_source_piece
    c->source_done = done;
    completion_init(&c->piece_done, on_source_piece, c);
    http_body_read(c->x, buffer, size, &c->piece_done);
}

static void put_done(struct hub_call *c)
{
    char lines[OBJECT_VERSION_MAX + 20];
    c->document = NULL;
    snprintf(lines, sizeof lines, "ETag: \"%s\"\r\n", c->r.version);
    answer(c, 200, lines, NULL);
}

static void on_put(struct completion *done)
{
    struct hub_call *c = ((struct object_request *)done->context)->context;
    c->document = NULL; // was the store's
    on_request(done);
}

static void put(struct hub_call *c, enum object_kind kind)
{
    u64 size;
    if (!http_content_length(c->x, &size)) {
        answer_error(c, 411, "MissingContentLength", "a put needs a Content-Length");
        return;
    }
    md5_init(&c->md5);
    c->source.read = source_read;
    c->r.source = &c->source;
    c->r.body_size = size;
    c->r.done.callback = on_put;
    start(c, kind, put_done);
}

static void document_read(struct hub_call *c);

static void on_document_piece(struct completion *done)
{
    struct hub_call *c = done->context;
    s64 result = done->result;
    if (result > 0) {
        md5_update(&c->md5, c->document + c->document_size, (size_t)result);
        c->document_size += (size_t)result;
        document_read(c);
        return;
    }
    c->md5_bad = result == 0 && !md5_matches(c);
    if (result < 0 || c->md5_bad) {
        err_set(&c->r.err, ERR_NETWORK, __func__, "the body ended early");
        answer_failed(c);
        return;
    }
    c->document[c->document_size] = 0;
    c->then(c);
}

static void document_read(struct hub_call *c)
{
    if (c->document_size + HTTP_PIECE_SIZE > HUB_DOCUMENT_SIZE_MAX) {
        answer_error(c, 413, "EntityTooLarge", "the list is too long");
        return;
    }
    u8 *bigger = realloc(c->document, c->document_size + HTTP_PIECE_SIZE + 1);
    if (!bigger) {
        answer_error(c, 503, "ServiceUnavailable", "out of memory");
        return;
    }
    c->document = bigger;
    http_body_read(c->x, c->document + c->document_size, HTTP_PIECE_SIZE, &c->piece_done);
}

static void document(struct hub_call *c, void (*then)(struct hub_call *c))
{
    md5_init(&c->md5);
    completion_init(&c->piece_done, on_document_piece, c);
    c->then = then;
    document_read(c);
}

// ---- get and head
// -------------------------------------------------------------------------------------

static void object_lines(struct hub_call *c, u64 from, u64 end, char *out, size_t out_size)
{
    char modified[64], range[100] = "";
    time_text(c->r.modified_ms, false, modified);
    if (c->ranged)
        snprintf(range, sizeof range, "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n",
                 from, end - 1, c->r.size);
    snprintf(out, out_size, "ETag: \"%s\"\r\nLast-Modified: %s\r\nAccept-Ranges: bytes\r\n%s",
             c->r.version, modified, range);
}

static void get_piece(struct hub_call *c);

static void on_drained(struct completion *done)
{
    struct hub_call *c = done->context;
    if (done->result < 0 || c->offset == c->end) {
        http_stream_end(c->x);
        call_free(c);
        return;
    }
    get_piece(c);
}

// Each piece is of the object whose head was sent, or the answer breaks off.
static void get_more(struct hub_call *c)
{
    bool same = strcmp(c->version, c->r.version) == 0 && c->r.answer_size == c->r.range_size;
    if (!same) {
        http_stream_abort(c->x);
        call_free(c);
        return;
    }
    c->offset += c->r.answer_size;
    completion_init(&c->drained, on_drained, c);
    http_stream_write(c->x, c->r.answer, c->r.answer_size, &c->drained);
}

static void on_get_more(struct completion *done)
{
    struct hub_call *c = ((struct object_request *)done->context)->context;
    if (c->r.err.code == ERR_OK) {
        get_more(c);
        return;
    }
    http_stream_abort(c->x);
    call_free(c);
}

static void get_piece(struct hub_call *c)
{
    c->r.done.callback = on_get_more;
    c->r.if_version[0] = 0;
    c->r.range_offset = c->offset;
    c->r.range_size = MIN(c->end - c->offset, (u64)HUB_PIECE_SIZE);
    object_start(c->hub->objects, &c->r);
}

static void get_first(struct hub_call *c)
{
    struct object_request *r = &c->r;
    char lines[500];
    if (r->unchanged) {
        snprintf(lines, sizeof lines, "ETag: \"%s\"\r\n", r->version);
        answer(c, 304, lines, NULL);
        return;
    }
    if (c->ranged && c->offset >= r->size) {
        snprintf(lines, sizeof lines, "Content-Range: bytes */%" PRIu64 "\r\n", r->size);
        answer(c, 416, lines, NULL);
        return;
    }
    u64 from = c->offset;
    c->end = MIN(c->end, r->size);
    object_lines(c, from, c->end, lines, sizeof lines);
    memcpy(c->version, r->version, sizeof c->version);
    c->offset += r->answer_size;
    if (c->offset == c->end) {
        http_reply_headers(c->x, c->ranged ? 206 : 200, "application/octet-stream", lines, r->answer,
                           r->answer_size, r->answer_size);
        call_free(c);
        return;
    }
    http_stream_begin_sized(c->x, c->ranged ? 206 : 200, "application/octet-stream", lines,
                            c->end - from);
    completion_init(&c->drained, on_drained, c);
    http_stream_write(c->x, r->answer, r->answer_size, &c->drained);
}

static void version_header(struct hub_call *c)
{
    const char *given = http_header(c->x, "if-none-match");
    size_t n = given ? strlen(given) : 0;
    if (n < 2 || given[0] != '"' || given[n - 1] != '"' || n - 2 >= OBJECT_VERSION_MAX) return;
    memcpy(c->r.if_version, given + 1, n - 2);
    c->r.if_version[n - 2] = 0;
}

static void get(struct hub_call *c)
{
    const char *range = http_header(c->x, "range");
    u64 from = 0, to = UINT64_MAX - 1;
    // Other forms of a range may be answered with the whole.
    bool plain = range && strncmp(range, "bytes=", 6) == 0 && range[6] >= '0' && range[6] <= '9';
    if (plain && sscanf(range + 6, "%" SCNu64 "-%" SCNu64, &from, &to) >= 1 && from <= to) {
        c->ranged = true;
        to = MIN(to, UINT64_MAX - 1);
    } else {
        from = 0;
        to = UINT64_MAX - 1;
    }
    c->offset = from;
    c->end = to + 1;
    version_header(c);
    c->r.range_offset = from;
    c->r.range_size = MIN(c->end - from, (u64)HUB_PIECE_SIZE);
    start(c, OBJECT_GET, get_first);
}

static void head_done(struct hub_call *c)
{
    char lines[500];
    object_lines(c, 0, 0, lines, sizeof lines);
    http_reply_headers(c->x, 200, "application/octet-stream", lines, "", 0, c->r.size);
    call_free(c);
}

// ---- lists
// --------------------------------------------------------------------------------------------

static void key_text(struct buffer *out, const char *key, bool encode)
{
    char encoded[3 * OBJECT_KEY_MAX + 8];
    if (encode && s3_percent_encode(key, true, encoded, sizeof encoded))
        buffer_text(out, encoded);
    else
        xml_text(out, key);
}

static void list_done(struct hub_call *c)
{
    struct object_request *r = &c->r;
    struct buffer out = {0};
    char time[64];
    buffer_format(&out,
                  "<ListBucketResult><KeyCount>%u</KeyCount><IsTruncated>%s</IsTruncated>"
                  "<EncodingType>url</EncodingType>",
                  r->entry_count, r->more ? "true" : "false");
    for (u32 i = 0; i < r->entry_count; i++) {
        const struct object_entry *e = &r->entries[i];
        bool folder = e->key[strlen(e->key) - 1] == '/';
        if (folder) {
            buffer_text(&out, "<CommonPrefixes><Prefix>");
            key_text(&out, e->key, true);
            buffer_text(&out, "</Prefix></CommonPrefixes>");
            continue;
        }
        time_text(e->modified_ms, true, time);
        buffer_text(&out, "<Contents><Key>");
        key_text(&out, e->key, true);
        buffer_format(&out, "</Key><Size>%" PRIu64 "</Size><LastModified>%s</LastModified></Contents>",
                      e->size, time);
    }
    if (r->more && r->entry_count) {
        buffer_text(&out, "<NextContinuationToken>");
        xml_text(&out, r->entries[r->entry_count - 1].key);
        buffer_text(&out, "</NextContinuationToken>");
    }
    buffer_text(&out, "</ListBucketResult>");
    answer(c, 200, "", &out);
}

static void list(struct hub_call *c)
{
    char delimiter[8] = "";
    if (!query_value(c, "delimiter", delimiter, sizeof delimiter) || strcmp(delimiter, "/") != 0) {
        answer_error(c, 400, "InvalidRequest", "only folders are listed: delimiter=/");
        return;
    }
    if (!query_value(c, "prefix", c->r.key, sizeof c->r.key)) c->r.key[0] = 0;
    if (!query_value(c, "continuation-token", c->r.after, sizeof c->r.after) &&
        !query_value(c, "start-after", c->r.after, sizeof c->r.after))
        c->r.after[0] = 0;
    c->r.list_folders = true;
    c->r.list_limit = (u32)MAX(MIN(query_number(c, "max-keys", HUB_LIST_MAX), (u64)HUB_LIST_MAX), 1u);
    start(c, OBJECT_LIST, list_done);
}

static void uploads_done(struct hub_call *c)
{
    struct buffer out = {0};
    char time[64];
    buffer_text(&out, "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>");
    for (u32 i = 0; i < c->r.entry_count; i++) {
        time_text(c->r.entries[i].modified_ms, true, time);
        buffer_text(&out, "<Upload><Key>");
        key_text(&out, c->r.entries[i].key, true);
        buffer_format(&out, "</Key><UploadId>%s</UploadId><Initiated>%s</Initiated></Upload>",
                      c->r.entries[i].upload, time);
    }
    buffer_text(&out, "</ListMultipartUploadsResult>");
    answer(c, 200, "", &out);
}

static void deleted(struct hub_call *c)
{
    struct buffer out = {0};
    buffer_text(&out, "<DeleteResult></DeleteResult>");
    answer(c, 200, "", &out);
}

static void delete_many(struct hub_call *c)
{
    const char *at = (const char *)c->document, *end = at + c->document_size;
    char key[OBJECT_KEY_MAX];
    c->keys = calloc(HUB_DELETES_MAX, sizeof *c->keys);
    while (c->keys && c->key_count < HUB_DELETES_MAX && s3_xml_element(&at, end, "Key", key, sizeof key))
        if (!(c->keys[c->key_count++] = strdup(key))) break;
    if (!c->keys || (c->key_count && !c->keys[c->key_count - 1])) {
        answer_error(c, 503, "ServiceUnavailable", "out of memory");
        return;
    }
    if (memmem(at, (size_t)(end - at), "<Key>", 5)) {
        answer_error(c, 400, "MalformedXML", "a key is too long, or there are more than 1000");
        return;
    }
    c->r.keys = (const char *const *)c->keys;
    c->r.key_count = c->key_count;
    start(c, OBJECT_DELETE_MANY, deleted);
}

// ---- uploads
// ------------------------------------------------------------------------------------------

static void begin_done(struct hub_call *c)
{
    struct buffer out = {0};
    buffer_format(&out,
                  "<InitiateMultipartUploadResult><UploadId>%s</UploadId>"
                  "</InitiateMultipartUploadResult>",
                  c->upload.id);
    answer(c, 200, "", &out);
}

static void parts_done(struct hub_call *c)
{
    struct buffer out = {0};
    buffer_text(&out, "<ListPartsResult><IsTruncated>false</IsTruncated>");
    for (u32 i = 0; i < c->upload.part_count; i++)
        if (c->upload.parts[i].size)
            buffer_format(&out,
                          "<Part><PartNumber>%u</PartNumber><ETag>\"%s\"</ETag><Size>%" PRIu64
                          "</Size></Part>",
                          i + 1, c->upload.parts[i].version, c->upload.parts[i].size);
    buffer_text(&out, "</ListPartsResult>");
    answer(c, 200, "", &out);
}

static void finish_done(struct hub_call *c)
{
    struct buffer out = {0};
    buffer_format(&out,
                  "<CompleteMultipartUploadResult><ETag>\"%u-%u\"</ETag>"
                  "</CompleteMultipartUploadResult>",
                  c->upload.part_count, c->upload.part_count);
    answer(c, 200, "", &out);
}

// The parts that the peer named must be those that are here.
static void finish_known(struct hub_call *c)
{
    const char *at = (const char *)c->document, *end = at + c->document_size;
    char number[16], etag[OBJECT_VERSION_MAX + 8];
    u32 count = 0;
    bool same = true;
    while (same && s3_xml_element(&at, end, "PartNumber", number, sizeof number)) {
        char quoted[OBJECT_VERSION_MAX + 2];
        same = s3_xml_element(&at, end, "ETag", etag, sizeof etag) && count < c->upload.part_count &&
               strtoul(number, NULL, 10) == count + 1;
        if (!same) break;
        snprintf(quoted, sizeof quoted, "\"%s\"", c->upload.parts[count].version);
        same = strcmp(etag, quoted) == 0;
        count++;
    }
    if (!same || count != c->upload.part_count || !count)
        answer_error(c, 400, "InvalidPart", "the parts named are not those that are here");
    else
        start(c, OBJECT_UPLOAD_FINISH, finish_done);
}

static void finish(struct hub_call *c)
{
    start(c, OBJECT_UPLOAD_PARTS, finish_known);
}

static void aborted(struct hub_call *c)
{
    answer(c, 204, "", NULL);
}

static void upload_handle(struct hub_call *c, const char *method)
{
    u64 number = query_number(c, "partNumber", 0);
    if (strcmp(method, "PUT") == 0 && number >= 1 && number <= OBJECT_PARTS_MAX) {
        c->r.part = (u32)number - 1;
        put(c, OBJECT_UPLOAD_PART);
    } else if (strcmp(method, "GET") == 0) {
        start(c, OBJECT_UPLOAD_PARTS, parts_done);
    } else if (strcmp(method, "POST") == 0) {
        document(c, finish);
    } else if (strcmp(method, "DELETE") == 0) {
        start(c, OBJECT_UPLOAD_ABORT, aborted);
    } else {
        answer_error(c, 400, "InvalidRequest", "there is no such request");
    }
}

// ---- the hub
// ------------------------------------------------------------------------------------------

static bool authorized(const struct hub *h, const struct http_exchange *x)
{
    const char *header = http_header(x, "authorization");
    if (!header || strncasecmp(header, "bearer ", 7) != 0) return false;
    u8 hash[crypto_generichash_BYTES];
    crypto_generichash(hash, sizeof hash, (const u8 *)header + 7, strlen(header + 7), NULL, 0);
    return sodium_memcmp(hash, h->token_hash, sizeof hash) == 0;
}

static void folder_handle(struct hub_call *c, const char *method)
{
    bool is_get = strcmp(method, "GET") == 0, post = strcmp(method, "POST") == 0;
    if (is_get && query_has(c, "list-type")) {
        list(c);
    } else if (is_get && query_has(c, "uploads")) {
        if (!query_value(c, "prefix", c->r.key, sizeof c->r.key)) c->r.key[0] = 0;
        start(c, OBJECT_UPLOAD_LIST, uploads_done);
    } else if (post && query_has(c, "delete")) {
        document(c, delete_many);
    } else {
        answer_error(c, 400, "InvalidRequest", "there is no such request");
    }
}

static void key_handle(struct hub_call *c, const char *method)
{
    bool upload = query_value(c, "uploadId", c->upload.id, sizeof c->upload.id);
    const char *part_size = http_header(c->x, "x-skerry-part-size");
    const char *condition = http_header(c->x, "if-none-match");
    c->r.upload = &c->upload;
    c->upload.part_size = part_size ? strtoull(part_size, NULL, 10) : 0;
    if (upload) {
        upload_handle(c, method);
    } else if (strcmp(method, "GET") == 0) {
        get(c);
    } else if (strcmp(method, "HEAD") == 0) {
        start(c, OBJECT_HEAD, head_done);
    } else if (strcmp(method, "PUT") == 0) {
        put(c, condition && strcmp(condition, "*") == 0 ? OBJECT_PUT_IF_ABSENT : OBJECT_PUT);
    } else if (strcmp(method, "DELETE") == 0) {
        start(c, OBJECT_DELETE, aborted);
    } else if (strcmp(method, "POST") == 0 && query_has(c, "uploads") && c->upload.part_size) {
        start(c, OBJECT_UPLOAD_BEGIN, begin_done);
    } else {
        answer_error(c, 400, "InvalidRequest", "there is no such request");
    }
}

bool hub_takes(const char *path)
{
    return strncmp(path, "/store/", 7) == 0;
}

void hub_handle(struct hub *h, struct http_exchange *x)
{
    struct hub_call *c = calloc(1, sizeof *c);
    if (!c) {
        http_reply(x, 503, "application/xml", "", 0);
        return;
    }
    c->hub = h;
    c->x = x;
    h->calls++;
    object_request_init(&c->r, on_request, c);
    const char *path = http_path(x) + 7, *query = http_query(x);
    bool fits = strlen(path) < 3 * OBJECT_KEY_MAX && !strstr(path, "%00") &&
                (size_t)snprintf(c->query, sizeof c->query, "%s", query) < sizeof c->query;
    char key[3 * OBJECT_KEY_MAX];
    snprintf(key, sizeof key, "%s", fits ? path : "");
    s3_percent_decode(key);
    if (!authorized(h, x)) {
        answer_error(c, 401, "AccessDenied", "send the hub's token as 'Authorization: Bearer TOKEN'");
    } else if (!fits || strlen(key) >= OBJECT_KEY_MAX) {
        answer_error(c, 400, "KeyTooLongError", "the key is too long, or malformed");
    } else if (!key[0]) {
        folder_handle(c, http_method(x));
    } else {
        memcpy(c->r.key, key, strlen(key) + 1);
        key_handle(c, http_method(x));
    }
}

bool hub_busy(const struct hub *h)
{
    return h->calls > 0;
}

struct hub *hub_create(const struct hub_options *options, struct err *err)
{
    struct hub *h = calloc(1, sizeof *h);
    if (!h) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return NULL;
    }
    h->io = options->io;
    crypto_generichash(h->token_hash, sizeof h->token_hash, (const u8 *)options->token,
                       strlen(options->token), NULL, 0);
    h->objects = object_store_open(
        options->io, NULL, &(struct object_store_options){.url = options->directory}, err);
    if (h->objects) return h;
    free(h);
    return NULL;
}

void hub_destroy(struct hub *h)
{
    if (!h) return;
    ASSERT(!hub_busy(h));
    object_store_close(h->objects);
    sodium_memzero(h, sizeof *h);
    free(h);
}

void hub_stats_get(const struct hub *h, struct object_store_stats *out)
{
    object_store_stats_get(h->objects, out);
}
