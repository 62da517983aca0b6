#include "s3_credentials.h"

#include <sodium.h>

struct s3_credentials {
    struct s3_keys keys;
    char *access_key, *secret_key, *session_token;
};

static void secret_free(char *text)
{
    if (text) sodium_memzero(text, strlen(text));
    free(text);
}

struct s3_credentials *s3_credentials_create(struct io *io, struct io_http *http,
                                             const struct s3_credentials_options *options,
                                             struct err *err)
{
    if (!options->access_key || !options->access_key[0] || !options->secret_key ||
        !options->secret_key[0]) {
        err_set(err, ERR_USAGE, __func__,
                "S3 needs credentials: set SKERRY_S3_ACCESS_KEY and SKERRY_S3_SECRET_KEY (or name "
                "files with SKERRY_S3_ACCESS_KEY_FILE and SKERRY_S3_SECRET_KEY_FILE)");
        return NULL;
    }
    struct s3_credentials *c = calloc(1, sizeof *c);
    if (c) c->access_key = strdup(options->access_key);
    if (c) c->secret_key = strdup(options->secret_key);
    if (c) c->session_token = strdup(options->session_token ? options->session_token : "");
    if (!c || !c->access_key || !c->secret_key || !c->session_token) {
        s3_credentials_destroy(c);
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return NULL;
    }
    c->keys = (struct s3_keys){c->access_key, c->secret_key, c->session_token, 1};
    return c;
}

void s3_credentials_destroy(struct s3_credentials *c)
{
    if (!c) return;
    secret_free(c->access_key);
    secret_free(c->secret_key);
    secret_free(c->session_token);
    free(c);
}

bool s3_credentials_ready(struct s3_credentials *c, struct s3_waiter *w)
{
    return true;
}

void s3_credentials_forget(struct s3_credentials *c, struct s3_waiter *w)
{
}

const struct s3_keys *s3_credentials_keys(const struct s3_credentials *c)
{
    return &c->keys;
}

bool s3_credentials_can_renew(const struct s3_credentials *c)
{
    return false;
}

void s3_credentials_expire(struct s3_credentials *c, u64 serial)
{
}

const char *s3_credentials_source(const struct s3_credentials *c)
{
    return "SKERRY_S3_ACCESS_KEY, SKERRY_S3_SECRET_KEY and what they may do";
}
