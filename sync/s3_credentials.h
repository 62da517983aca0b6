// Where the keys that sign S3 requests come from, and their renewal.
//
// Tried in this order, the first that is there counts: the settings (--s3-access-key and friends,
// which also take the AWS_* variables); a web identity (AWS_WEB_IDENTITY_TOKEN_FILE and
// AWS_ROLE_ARN); a profile of ~/.aws/credentials or ~/.aws/config with keys in it; the container's
// address (AWS_CONTAINER_CREDENTIALS_...); the instance's (IMDSv2; where the store is AWS's own, or
// AWS_EC2_METADATA_SERVICE_ENDPOINT says where to ask). Those with an end are fetched again five
// minutes before it, and all of them when the store says that they ran out: files are read again.
// Not here: roles that a profile takes on, credential_process, SSO.
#pragma once

#include "../io/http_client.h"

struct s3_credentials;

struct s3_credentials_options {
    const char *access_key, *secret_key, *session_token; // NULL or "": unset
    // Where these came from, to be read again; NULL: not from files.
    const char *access_key_file, *secret_key_file, *session_token_file;
    const char *region;  // for the web identity's token service
    bool ask_instance;   // the store is AWS's
};
struct s3_keys {
    const char *access_key, *secret_key, *session_token; // "" = none
    u64 serial;                                          // of this set
};
// Who waits for keys. `wake` runs from the loop; err->code is ERR_OK when they are there.
struct s3_waiter {
    void (*wake)(struct s3_waiter *w, const struct err *err);
    struct s3_waiter *next, *prev;
    bool waiting;
};

// NULL with *err (ERR_USAGE) when it is certain that there are none. Contacts nothing.
struct s3_credentials *s3_credentials_create(struct io *io, struct io_http *http,
                                             const struct s3_credentials_options *options,
                                             struct err *err);
void s3_credentials_destroy(struct s3_credentials *c);
// True: the keys are there. False: `w` is woken later.
bool s3_credentials_ready(struct s3_credentials *c, struct s3_waiter *w);
void s3_credentials_forget(struct s3_credentials *c, struct s3_waiter *w); // no wake any more
const struct s3_keys *s3_credentials_keys(const struct s3_credentials *c);
bool s3_credentials_can_renew(const struct s3_credentials *c);
// The store says that these have run out: the next s3_credentials_ready fetches others.
void s3_credentials_expire(struct s3_credentials *c, u64 serial);
const char *s3_credentials_source(const struct s3_credentials *c); // for messages
