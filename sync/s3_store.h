// The S3 store's inside; the hub's is the same with a bearer token in place of the signature. Private
// to this folder.
#pragma once

#include "object_backend.h"
#include "s3_credentials.h"
#include "s3_sign.h"

#define S3_URL_MAX         8192
#define S3_QUERY_MAX       6144
#define S3_TOKEN_MAX       2048
#define S3_LIST_ANSWER_MAX (16u << 20)
#define S3_ERROR_SIZE_MAX  65536
#define S3_DELETES_MAX     1000

struct s3_store {
    struct object_store store;
    struct io_http *http;
    char *scheme_host; // "https://host:port", without a slash at the end
    char *host;        // of the Host header
    char *path_prefix; // "/bucket/", "/" or the hub's "/store/"
    char *key_prefix;  // "" or "prefix/"
    char *bucket, *region, *ca_file;
    char *bearer; // hub: "Bearer TOKEN"
    struct s3_credentials *credentials; // S3
    s64 clock_offset_ms;
    bool virtual_host_style;
    bool deletes_singly; // the server has no way to delete many
};

struct s3_request {
    struct object_request *request;
    struct s3_waiter credentials; // for them to come
    struct io_http_request http;
    struct io_http_header headers[12];
    char url[S3_URL_MAX], path[3 * OBJECT_KEY_MAX + 1024], query[S3_QUERY_MAX];
    char timestamp[20], authorization[S3_AUTHORIZATION_MAX], payload_hash[65], md5[25];
    char range[64], part_size[24], if_none_match[OBJECT_VERSION_MAX + 4], token[S3_TOKEN_MAX + 1];
    char continuation[S3_TOKEN_MAX], continuation_upload[S3_TOKEN_MAX]; // of the next page
    char *document; // an XML body of ours
    u32 index, batch; // DELETE_MANY: done, and under way
    u32 part_marker;
    u64 credentials_serial; // of those that signed it
    bool clock_corrected, credentials_renewed, finish_check;
};

static inline struct s3_store *s3_of(const struct object_request *r)
{
    return CONTAINER_OF(r->store, struct s3_store, store);
}

const char *s3_method(const struct s3_request *q);
// Fills in URL, headers and body of the next HTTP request; false with the error set.
bool s3_prepare(struct s3_request *q);
// Takes the answer in: true when the request goes on with another HTTP request.
bool s3_answer(struct s3_request *q);
