// AWS Signature Version 4 for S3 requests, on libsodium.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
#pragma once

#include "../io/base.h"

struct s3_header {
    const char *name; // lower case
    const char *value;
};
struct s3_request_to_sign {
    const char *method;
    const char *path;                // percent-encoded, starts with '/'
    const char *query;               // encoded and sorted by name, without '?'; "" for none
    const struct s3_header *headers; // sorted by name; "host" among them; all are signed
    u32 header_count;
    const char *payload_sha256; // hex
    const char *timestamp;      // "20130524T000000Z"
    const char *region;
    const char *access_key, *secret_key;
};

#define S3_AUTHORIZATION_MAX 1024

// Writes the Authorization header's value; false when it does not fit.
bool s3_sign(const struct s3_request_to_sign *r, char out[S3_AUTHORIZATION_MAX]);
void s3_sha256_hex(const void *bytes, size_t size, char out[65]);
// Percent-encodes as S3 wants it (unreserved characters stay; '/' stays when keep_slash). False:
// does not fit.
bool s3_percent_encode(const char *text, bool keep_slash, char *out, size_t out_size);
