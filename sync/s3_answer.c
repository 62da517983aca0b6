// What the server's answers mean: errors, listings, parts. Bytes of a peer: anything may come.
#include "s3_store.h"
#include "s3_xml.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <time.h>

static const char *header(const struct s3_request *q, const char *name)
{
    return io_http_answer_header(&q->http, name);
}

// ---- errors
// -------------------------------------------------------------------------------------------

static void error_codes(const struct s3_request *q, char code[100], char message[300])
{
    const char *at = (const char *)q->http.answer, *end = at ? at + q->http.answer_size : at;
    const char *from = at;
    code[0] = message[0] = 0;
    if (at && !s3_xml_element(&at, end, "Code", code, 100)) code[0] = 0;
    if (from && !s3_xml_element(&from, end, "Message", message, 300)) message[0] = 0;
}

static bool is_one_of(const char *code, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(code, *names) == 0) return true;
    return false;
}

static void error_set(struct s3_request *q)
{
    static const char *const PASSES[] = {"RequestTimeout", "SlowDown", "InternalError",
                                         "ServiceUnavailable", "ConditionalRequestConflict",
                                         "OperationAborted", "BadDigest", "IncompleteBody",
                                         "XAmzContentSHA256Mismatch", NULL};
    struct object_request *r = q->request;
    struct s3_store *s = s3_of(r);
    char code[100], message[300], hint[300] = "";
    error_codes(q, code, message);
    int status = q->http.status;
    err_code error = ERR_STORE_UNAVAILABLE;
    const char *region = header(q, "x-amz-bucket-region"), *after = header(q, "retry-after");
    if (after) r->retry_after_ms = (u64)MIN(strtoul(after, NULL, 10), 86400ul) * 1000;
    if (is_one_of(code, PASSES) || status == 408 || status == 409 || status == 429) {
        error = ERR_STORE_UNAVAILABLE;
    } else if (strcmp(code, "NoSuchBucket") == 0) {
        error = ERR_USAGE;
        snprintf(hint, sizeof hint, "; create the bucket, or correct the store's URL");
    } else if (status == 404) {
        error = ERR_STORE_MISSING;
    } else if (status == 412) {
        error = ERR_STORE_EXISTS;
    } else if (status == 507) {
        error = ERR_FULL;
        snprintf(hint, sizeof hint, "; make room in the store");
    } else if (status == 401 || status == 403 || strcmp(code, "ExpiredToken") == 0) {
        error = ERR_STORE_DENIED;
        snprintf(hint, sizeof hint, "; check %s",
                 s->bearer ? "the hub's token (--hub-token-file there, --store-token-file here)"
                           : s3_credentials_source(s->credentials));
    } else if (status == 501 || (status >= 300 && status < 500)) {
        error = ERR_USAGE;
        if (region && strcmp(region, s->region) != 0)
            snprintf(hint, sizeof hint, "; the bucket is in the region %s: set it with --s3-region",
                     region);
        else
            snprintf(hint, sizeof hint, "; check the endpoint, region and bucket");
    }
    err_set(&r->err, error, "s3", "%s %s: HTTP status %d%s%s%s%s%s", s3_method(q), r->key, status,
            code[0] ? " " : "", code, message[0] ? ": " : "", message, hint);
    r->err.peer_status = status;
}

static void error_malformed(struct s3_request *q, const char *what)
{
    err_set(&q->request->err, ERR_STORE_UNAVAILABLE, "s3", "%s %s: %s", s3_method(q),
            q->request->key, what);
}

// A clock that is off by more than 15 minutes is refused; the answer's Date tells by how much.
static bool clock_correct(struct s3_request *q)
{
    struct s3_store *s = s3_of(q->request);
    const char *date = header(q, "date");
    bool head = strcmp(s3_method(q), "HEAD") == 0; // says 403 without a reason
    if (q->clock_corrected || !date || s->bearer || (q->http.status != 403 && q->http.status != 400))
        return false;
    if (!head && (!q->http.answer || !memmem(q->http.answer, q->http.answer_size,
                                             "RequestTimeTooSkewed", 20)))
        return false;
    time_t server = curl_getdate(date, NULL);
    if (server < 0) return false;
    s64 offset_ms = (s64)server * 1000 - io_wall_ms(s->store.io);
    if (head && llabs(offset_ms - s->clock_offset_ms) < 900000) return false;
    s->clock_offset_ms = offset_ms;
    q->clock_corrected = true;
    return true;
}

// Credentials that ran out before their time are fetched anew, once a request.
static bool credentials_renew(struct s3_request *q)
{
    static const char *const CODES[] = {"ExpiredToken", "ExpiredTokenException",
                                        "InvalidAccessKeyId", "InvalidToken",
                                        "TokenRefreshRequired", NULL};
    struct s3_store *s = s3_of(q->request);
    char code[100], message[300];
    if (s->bearer || q->credentials_renewed ||
        (q->http.status != 400 && q->http.status != 401 && q->http.status != 403))
        return false;
    error_codes(q, code, message);
    bool head = q->http.status == 400 && strcmp(s3_method(q), "HEAD") == 0; // says no reason
    if ((!head && !is_one_of(code, CODES)) || !s3_credentials_can_renew(s->credentials)) return false;
    q->credentials_renewed = true;
    s3_credentials_expire(s->credentials, q->credentials_serial);
    return true;
}

// ---- objects
// ------------------------------------------------------------------------------------------

static void version_copy(char out[OBJECT_VERSION_MAX], const char *etag)
{
    if (!etag) etag = "";
    size_t n = strlen(etag);
    if (n >= 2 && etag[0] == '"' && etag[n - 1] == '"') {
        etag++;
        n -= 2;
    }
    if (n >= OBJECT_VERSION_MAX) n = 0;
    memcpy(out, etag, n);
    out[n] = 0;
}

static void object_take(struct s3_request *q)
{
    struct object_request *r = q->request;
    const char *modified = header(q, "last-modified"), *size = header(q, "content-length");
    version_copy(r->version, header(q, "etag"));
    time_t at = modified ? curl_getdate(modified, NULL) : -1;
    r->modified_ms = at < 0 ? 0 : (s64)at * 1000;
    r->size = size ? strtoull(size, NULL, 10) : q->http.answer_size;
}

// "bytes 5-9/100", "bytes */100".
static bool content_range(const char *text, u64 *from, u64 *to, u64 *size)
{
    *from = *to = 0;
    return text && (sscanf(text, "bytes %" SCNu64 "-%" SCNu64 "/%" SCNu64, from, to, size) == 3 ||
                    sscanf(text, "bytes */%" SCNu64, size) == 1);
}

static void get_take(struct s3_request *q)
{
    struct object_request *r = q->request;
    bool ranged = r->range_offset || r->range_size;
    u64 from, to, size;
    object_take(q);
    if (ranged) {
        if (q->http.status != 206 || !content_range(header(q, "content-range"), &from, &to, &size)) {
            error_malformed(q, "the server ignored the range");
            return;
        }
        if (from != r->range_offset || to < from || to - from + 1 != q->http.answer_size ||
            (r->range_size && q->http.answer_size > r->range_size)) {
            error_malformed(q, "the server gave another range");
            return;
        }
        r->size = size;
    }
    if (q->http.answer_size > (r->answer_size_max ? r->answer_size_max : 256u << 20)) {
        err_set(&r->err, ERR_LIMIT, "s3", "GET %s: the object is larger than expected", r->key);
        return;
    }
    r->answer = q->http.answer ? q->http.answer : calloc(1, 1);
    r->answer_size = q->http.answer_size;
    q->http.answer = NULL;
    q->http.answer_size = 0;
}

// A range that begins behind the end has no bytes.
static void get_beyond(struct s3_request *q)
{
    struct object_request *r = q->request;
    u64 from, to;
    if (!content_range(header(q, "content-range"), &from, &to, &r->size)) r->size = 0;
    r->answer = calloc(1, 1);
}

// ---- listings
// -----------------------------------------------------------------------------------------

struct xml {
    const char *at, *end;
};

// The next <name>...</name> of *in; moves behind it.
static bool xml_next(struct xml *in, const char *name, struct xml *out)
{
    char open[40], close[40];
    int n = snprintf(open, sizeof open, "<%s>", name);
    int m = snprintf(close, sizeof close, "</%s>", name);
    const char *start = memmem(in->at, (size_t)(in->end - in->at), open, (size_t)n);
    if (!start) return false;
    start += n;
    const char *stop = memmem(start, (size_t)(in->end - start), close, (size_t)m);
    if (!stop) return false;
    *out = (struct xml){start, stop};
    in->at = stop + m;
    return true;
}

static bool xml_value(const struct xml *in, const char *name, char *out, size_t out_size)
{
    const char *at = in->at;
    return s3_xml_element(&at, in->end, name, out, out_size);
}

// A document whose end is there: what was cut off is no answer.
static bool document(struct s3_request *q, const char *root, struct xml *out)
{
    const char *at = (const char *)q->http.answer;
    char close[60];
    int n = snprintf(close, sizeof close, "</%s>", root);
    if (!at || !memmem(at, q->http.answer_size, close, (size_t)n)) {
        error_malformed(q, "the answer is cut off, or not what was asked for");
        return false;
    }
    *out = (struct xml){at, at + q->http.answer_size};
    return true;
}

static s64 time_parse(const char *text)
{
    struct tm tm = {0};
    if (!strptime(text, "%Y-%m-%dT%H:%M:%S", &tm)) return 0;
    return (s64)timegm(&tm) * 1000;
}

// The key relative to the store, or NULL when it is not of the store.
static const char *key_relative(struct s3_request *q, char *key)
{
    const char *prefix = s3_of(q->request)->key_prefix;
    s3_percent_decode(key);
    return strncmp(key, prefix, strlen(prefix)) == 0 ? key + strlen(prefix) : NULL;
}

static bool entry_take(struct s3_request *q, const char *key, u64 size, s64 modified_ms)
{
    struct object_request *r = q->request;
    if (!key || strcmp(key, r->after) <= 0 || strcmp(key, r->key) == 0) return true;
    if (strlen(key) >= OBJECT_KEY_MAX) return true; // none of ours
    if (object_entry_add(r, key, size, modified_ms, NULL)) return true;
    err_set(&r->err, ERR_NOMEM, "s3", "out of memory");
    return false;
}

static bool list_take(struct s3_request *q)
{
    struct object_request *r = q->request;
    struct xml whole, at, entry;
    char key[4 * OBJECT_KEY_MAX], size[32], modified[64], truncated[16];
    if (!document(q, "ListBucketResult", &whole)) return false;
    if (!xml_value(&whole, "IsTruncated", truncated, sizeof truncated)) {
        error_malformed(q, "the answer is not a listing");
        return false;
    }
    for (at = whole; xml_next(&at, "Contents", &entry);) {
        if (!xml_value(&entry, "Key", key, sizeof key) ||
            !xml_value(&entry, "Size", size, sizeof size)) {
            error_malformed(q, "an entry of the listing is malformed");
            return false;
        }
        if (!xml_value(&entry, "LastModified", modified, sizeof modified)) modified[0] = 0;
        if (!entry_take(q, key_relative(q, key), strtoull(size, NULL, 10), time_parse(modified)))
            return false;
    }
    for (at = whole; r->list_folders && xml_next(&at, "CommonPrefixes", &entry);)
        if (xml_value(&entry, "Prefix", key, sizeof key) &&
            !entry_take(q, key_relative(q, key), 0, 0))
            return false;
    bool more = strcmp(truncated, "true") == 0;
    if (r->list_limit && r->entry_count >= r->list_limit) {
        r->more = more || r->entry_count > r->list_limit;
        more = false;
    } else if (more && !xml_value(&whole, "NextContinuationToken", q->continuation,
                                  sizeof q->continuation)) {
        error_malformed(q, "a truncated listing names no continuation");
        return false;
    }
    if (more) return true;
    object_entries_sort(r);
    while (r->list_limit && r->entry_count > r->list_limit) free(r->entries[--r->entry_count].key);
    return false;
}

static bool uploads_take(struct s3_request *q)
{
    struct object_request *r = q->request;
    struct xml whole, at, entry;
    char key[4 * OBJECT_KEY_MAX], id[OBJECT_UPLOAD_ID_MAX], time[64], truncated[16];
    if (!document(q, "ListMultipartUploadsResult", &whole)) return false;
    for (at = whole; xml_next(&at, "Upload", &entry);) {
        if (!xml_value(&entry, "Key", key, sizeof key) ||
            !xml_value(&entry, "UploadId", id, sizeof id))
            continue;
        if (!xml_value(&entry, "Initiated", time, sizeof time)) time[0] = 0;
        const char *relative = key_relative(q, key);
        if (!relative || strncmp(relative, r->key, strlen(r->key)) != 0) continue;
        if (!object_entry_add(r, relative, 0, time_parse(time), id)) {
            err_set(&r->err, ERR_NOMEM, "s3", "out of memory");
            return false;
        }
    }
    if (xml_value(&whole, "IsTruncated", truncated, sizeof truncated) &&
        strcmp(truncated, "true") == 0 &&
        xml_value(&whole, "NextKeyMarker", q->continuation, sizeof q->continuation) &&
        xml_value(&whole, "NextUploadIdMarker", q->continuation_upload,
                  sizeof q->continuation_upload)) {
        s3_percent_decode(q->continuation);
        return true;
    }
    object_entries_sort(r);
    return false;
}

// ---- uploads
// ------------------------------------------------------------------------------------------

static bool parts_take(struct s3_request *q)
{
    struct object_upload *u = q->request->upload;
    struct xml whole, at, entry;
    char number[16], size[32], etag[OBJECT_VERSION_MAX + 16], truncated[16], marker[16];
    if (!document(q, "ListPartsResult", &whole)) return false;
    if (!q->part_marker) {
        u->part_count = 0;
        if (u->parts) memset(u->parts, 0, u->part_capacity * sizeof *u->parts);
    }
    for (at = whole; xml_next(&at, "Part", &entry);) {
        if (!xml_value(&entry, "PartNumber", number, sizeof number) ||
            !xml_value(&entry, "Size", size, sizeof size) ||
            !xml_value(&entry, "ETag", etag, sizeof etag)) {
            error_malformed(q, "a part is malformed");
            return false;
        }
        u32 n = (u32)strtoul(number, NULL, 10);
        struct object_part *p = n >= 1 && n <= OBJECT_PARTS_MAX ? object_part_at(u, n - 1) : NULL;
        if (!p) {
            error_malformed(q, "a part has an impossible number");
            return false;
        }
        p->size = strtoull(size, NULL, 10);
        version_copy(p->version, etag);
    }
    if (xml_value(&whole, "IsTruncated", truncated, sizeof truncated) &&
        strcmp(truncated, "true") == 0 &&
        xml_value(&whole, "NextPartNumberMarker", marker, sizeof marker)) {
        u32 next = (u32)strtoul(marker, NULL, 10);
        if (next <= q->part_marker) {
            error_malformed(q, "the list of parts does not go on");
            return false;
        }
        q->part_marker = next;
        return true;
    }
    return false;
}

static void part_take(struct s3_request *q)
{
    struct object_request *r = q->request;
    struct object_part *p = object_part_at(r->upload, r->part);
    version_copy(r->version, header(q, "etag"));
    if (!r->version[0]) {
        error_malformed(q, "the part has no ETag");
    } else if (!p) {
        err_set(&r->err, ERR_NOMEM, "s3", "out of memory");
    } else {
        p->size = r->body_size;
        memcpy(p->version, r->version, sizeof p->version);
    }
}

static void begin_take(struct s3_request *q)
{
    struct object_request *r = q->request;
    struct xml whole;
    if (!document(q, "InitiateMultipartUploadResult", &whole)) return;
    if (!xml_value(&whole, "UploadId", r->upload->id, sizeof r->upload->id) || !r->upload->id[0])
        error_malformed(q, "the upload has no id");
    r->upload->part_count = 0;
}

// Status 200 may still carry an error: only an ETag says that the object is there.
static void finish_take(struct s3_request *q)
{
    char etag[OBJECT_VERSION_MAX + 16];
    struct xml whole = {(const char *)q->http.answer,
                        (const char *)q->http.answer + q->http.answer_size};
    if (q->http.answer && xml_value(&whole, "ETag", etag, sizeof etag))
        version_copy(q->request->version, etag);
    else
        error_set(q);
}

// The upload is not there: it was finished and the answer lost, or it never was. The object tells:
// of this size, and made of so many parts as far as its ETag says.
static void finish_checked(struct s3_request *q)
{
    struct object_request *r = q->request;
    u64 size = 0;
    for (u32 i = 0; i < r->upload->part_count; i++) size += r->upload->parts[i].size;
    object_take(q);
    const char *dash = s3_of(r)->bearer ? NULL : strrchr(r->version, '-');
    if (q->http.status == 200 && r->size == size &&
        (!dash || strtoul(dash + 1, NULL, 10) == r->upload->part_count))
        return;
    err_set(&r->err, ERR_STORE_MISSING, "s3", "%s: the upload is not there any more", r->key);
}

static bool deletes_take(struct s3_request *q)
{
    struct object_request *r = q->request;
    struct xml whole, at, entry;
    char key[4 * OBJECT_KEY_MAX] = "", code[100] = "";
    if (!s3_of(r)->deletes_singly) {
        if (q->http.answer_size && !document(q, "DeleteResult", &whole) &&
            !memmem(q->http.answer, q->http.answer_size, "<DeleteResult", 13))
            return false;
        err_clear(&r->err); // "<DeleteResult/>" has nothing to say
        whole = (struct xml){(const char *)q->http.answer,
                             (const char *)q->http.answer + q->http.answer_size};
        for (at = whole; q->http.answer && xml_next(&at, "Error", &entry);) {
            if (!xml_value(&entry, "Key", key, sizeof key)) key[0] = 0;
            if (!xml_value(&entry, "Code", code, sizeof code)) code[0] = 0;
            if (strcmp(code, "NoSuchKey") == 0) continue;
            err_set(&r->err,
                    strcmp(code, "AccessDenied") == 0 ? ERR_STORE_DENIED : ERR_STORE_UNAVAILABLE,
                    "s3", "DELETE %.200s: %s", key, code);
            return false;
        }
    }
    q->index += q->batch;
    return q->index < r->key_count;
}

// ---- dispatch
// -----------------------------------------------------------------------------------------

bool s3_answer(struct s3_request *q)
{
    struct object_request *r = q->request;
    int status = q->http.status;
    if (clock_correct(q) || credentials_renew(q)) return true;
    if (q->finish_check) {
        if (status == 200 || status == 404)
            finish_checked(q);
        else
            error_set(q);
        return false;
    }
    if (r->kind == OBJECT_GET && status == 304 && r->if_version[0]) {
        r->unchanged = true;
        object_take(q);
        if (!r->version[0]) memcpy(r->version, r->if_version, sizeof r->version);
        return false;
    }
    if (r->kind == OBJECT_GET && status == 416) {
        get_beyond(q);
        return false;
    }
    bool deletes = r->kind == OBJECT_DELETE || r->kind == OBJECT_UPLOAD_ABORT ||
                   (r->kind == OBJECT_DELETE_MANY && s3_of(r)->deletes_singly);
    bool good = (status >= 200 && status < 300) || (deletes && status == 404);
    if (!good) {
        error_set(q);
        if (r->kind == OBJECT_UPLOAD_FINISH && status == 404 && r->err.code == ERR_STORE_MISSING) {
            err_clear(&r->err);
            q->finish_check = true;
            return true;
        }
        if (r->kind == OBJECT_DELETE_MANY && !s3_of(r)->deletes_singly && status == 501) {
            err_clear(&r->err);
            s3_of(r)->deletes_singly = true;
            return true;
        }
        return false;
    }
    switch (r->kind) {
    case OBJECT_PUT:
    case OBJECT_PUT_IF_ABSENT: version_copy(r->version, header(q, "etag")); return false;
    case OBJECT_GET: get_take(q); return false;
    case OBJECT_HEAD: object_take(q); return false;
    case OBJECT_LIST: return list_take(q);
    case OBJECT_DELETE: return false;
    case OBJECT_DELETE_MANY: return deletes_take(q);
    case OBJECT_UPLOAD_BEGIN: begin_take(q); return false;
    case OBJECT_UPLOAD_PART: part_take(q); return false;
    case OBJECT_UPLOAD_PARTS: return parts_take(q);
    case OBJECT_UPLOAD_FINISH: finish_take(q); return false;
    case OBJECT_UPLOAD_ABORT: return false;
    case OBJECT_UPLOAD_LIST: return uploads_take(q);
    case OBJECT_KIND_COUNT: break;
    }
    ASSERT(false);
}
