#include "s3_sign.h"

#include <sodium.h>

#define DIGEST_SIZE crypto_auth_hmacsha256_BYTES

// A buffer that notices when it overflows.
struct text {
    char *at, *end;
    bool full;
};

static void text_add(struct text *t, const char *s)
{
    size_t size = strlen(s);
    if (t->full || (size_t)(t->end - t->at) <= size) {
        t->full = true;
        return;
    }
    memcpy(t->at, s, size + 1);
    t->at += size;
}

static void hmac(const u8 *key, size_t key_size, const char *message, u8 out[DIGEST_SIZE])
{
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key, key_size);
    crypto_auth_hmacsha256_update(&state, (const u8 *)message, strlen(message));
    crypto_auth_hmacsha256_final(&state, out);
    sodium_memzero(&state, sizeof state);
}

void s3_sha256_hex(const void *bytes, size_t size, char out[65])
{
    u8 digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(digest, bytes, size);
    sodium_bin2hex(out, 65, digest, sizeof digest);
}

bool s3_percent_encode(const char *text, bool keep_slash, char *out, size_t out_size)
{
    static const char HEX[] = "0123456789ABCDEF";
    size_t n = 0;
    for (const u8 *p = (const u8 *)text; *p; p++) {
        bool plain = (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z') ||
                     (*p >= '0' && *p <= '9') || *p == '-' || *p == '.' || *p == '_' || *p == '~' ||
                     (*p == '/' && keep_slash);
        if (n + 4 > out_size) return false;
        if (plain) {
            out[n++] = (char)*p;
        } else {
            out[n++] = '%';
            out[n++] = HEX[*p >> 4];
            out[n++] = HEX[*p & 15];
        }
    }
    out[n] = 0;
    return true;
}

bool s3_sign(const struct s3_request_to_sign *r, char out[S3_AUTHORIZATION_MAX])
{
    char canonical[8192], signed_headers[512], to_sign[512], scope[128], digest_hex[65];
    struct text names = {signed_headers, signed_headers + sizeof signed_headers, false};
    struct text t = {canonical, canonical + sizeof canonical, false};
    signed_headers[0] = 0;
    text_add(&t, r->method);
    text_add(&t, "\n");
    text_add(&t, r->path);
    text_add(&t, "\n");
    text_add(&t, r->query);
    text_add(&t, "\n");
    for (u32 i = 0; i < r->header_count; i++) {
        text_add(&t, r->headers[i].name);
        text_add(&t, ":");
        text_add(&t, r->headers[i].value);
        text_add(&t, "\n");
        if (i) text_add(&names, ";");
        text_add(&names, r->headers[i].name);
    }
    text_add(&t, "\n");
    text_add(&t, signed_headers);
    text_add(&t, "\n");
    text_add(&t, r->payload_sha256);
    if (t.full || names.full || strlen(r->timestamp) != 16) return false;

    int n = snprintf(scope, sizeof scope, "%.8s/%s/s3/aws4_request", r->timestamp, r->region);
    if (n < 0 || (size_t)n >= sizeof scope) return false;
    s3_sha256_hex(canonical, (size_t)(t.at - canonical), digest_hex);
    n = snprintf(to_sign, sizeof to_sign, "AWS4-HMAC-SHA256\n%s\n%s\n%s", r->timestamp, scope,
                 digest_hex);
    if (n < 0 || (size_t)n >= sizeof to_sign) return false;

    char first_key[256], date[9];
    n = snprintf(first_key, sizeof first_key, "AWS4%s", r->secret_key);
    if (n < 0 || (size_t)n >= sizeof first_key) return false;
    snprintf(date, sizeof date, "%.8s", r->timestamp);
    u8 key[DIGEST_SIZE];
    hmac((const u8 *)first_key, (size_t)n, date, key);
    hmac(key, sizeof key, r->region, key);
    hmac(key, sizeof key, "s3", key);
    hmac(key, sizeof key, "aws4_request", key);
    hmac(key, sizeof key, to_sign, key);
    sodium_memzero(first_key, sizeof first_key);
    char signature[2 * DIGEST_SIZE + 1];
    sodium_bin2hex(signature, sizeof signature, key, sizeof key);
    n = snprintf(out, S3_AUTHORIZATION_MAX,
                 "AWS4-HMAC-SHA256 Credential=%s/%s,SignedHeaders=%s,Signature=%s", r->access_key,
                 scope, signed_headers, signature);
    return n > 0 && n < S3_AUTHORIZATION_MAX;
}
