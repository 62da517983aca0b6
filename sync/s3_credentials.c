#include "s3_credentials.h"
#include "s3_credentials_parse.h"
#include "s3_sign.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <sodium.h>

#define FILE_SIZE_MAX   262144
#define ANSWER_SIZE_MAX 65536
#define EARLY_MS        300000 // keys are renewed so long before their end
#define AGAIN_MS        30000  // after a renewal that failed while the keys are still good
#define LEAST_MS        60000  // keys that have just come are used so long, whatever the clocks say
#define INSTANCE_TTL_S  "21600"

enum source { SOURCE_SETTINGS, SOURCE_WEB_IDENTITY, SOURCE_PROFILE, SOURCE_CONTAINER, SOURCE_INSTANCE };
enum instance_step { INSTANCE_TOKEN, INSTANCE_ROLE, INSTANCE_KEYS };

struct s3_credentials {
    struct io *io;
    struct io_http *client;
    enum source source;
    bool have, fetching;
    struct s3_key_texts texts;
    struct s3_keys keys;
    u64 renew_ns, end_ns; // monotonic; 0 = never
    struct s3_waiter *waiters, *last_waiter; // in the order they came
    struct err err;        // of the fetch that is being told
    struct completion told; // a fetch that did not need the network ended

    char *access_key_file, *secret_key_file, *session_token_file; // settings
    char *profile, *profile_files[2];
    char *role, *session_name, *token_file; // web identity
    char *url;                              // the service's address
    char *authorization, *authorization_file;
    enum instance_step step;
    struct io_http_request http;
    struct io_http_header headers[2];
    char request_url[1024], token[S3_TOKEN_TEXT_MAX];
    char *body;
};

// ---- texts
// --------------------------------------------------------------------------------------------

static void secret_free(char *text)
{
    if (text) sodium_memzero(text, strlen(text));
    free(text);
}

static const char *variable(const char *name)
{
    const char *text = getenv(name);
    return text && text[0] ? text : NULL;
}

static char *copy_of(const char *text)
{
    return text && text[0] ? strdup(text) : NULL;
}

// Local and small, as the settings' own files, so it is read at once. NULL: it cannot be.
static char *file_read(const char *path, size_t *size)
{
    FILE *f = fopen(path, "re");
    char *text = f ? malloc(FILE_SIZE_MAX + 1) : NULL;
    *size = text ? fread(text, 1, FILE_SIZE_MAX, f) : 0;
    bool good = text && !ferror(f);
    if (f) fclose(f);
    if (good) {
        text[*size] = 0;
        return text;
    }
    free(text);
    return NULL;
}

static bool secret_read(const char *path, char *out, size_t out_size, struct err *err)
{
    size_t size;
    char *text = file_read(path, &size);
    while (text && size && isspace((u8)text[size - 1])) text[--size] = 0;
    bool good = text && size && size < out_size && strlen(text) == size;
    if (good)
        memcpy(out, text, size + 1);
    else
        err_set(err, ERR_STORE_UNAVAILABLE, "s3", "the credentials in %s cannot be read", path);
    secret_free(text);
    return good;
}

// ---- the end of a fetch
// -------------------------------------------------------------------------------------

static void waiter_leave(struct s3_credentials *c, struct s3_waiter *w)
{
    if (w->prev)
        w->prev->next = w->next;
    else
        c->waiters = w->next;
    if (w->next)
        w->next->prev = w->prev;
    else
        c->last_waiter = w->prev;
    w->next = w->prev = NULL;
    w->waiting = false;
}

// Those who wait now are told; whoever comes meanwhile starts anew.
static void tell(struct s3_credentials *c)
{
    struct s3_waiter *w;
    struct err err = c->err;
    c->fetching = false;
    if (err.code != ERR_OK && c->have && io_now_ns(c->io) < c->end_ns) {
        c->renew_ns = io_now_ns(c->io) + AGAIN_MS * 1000000ull;
        err = ERR_CLEAR;
    }
    u32 count = 0;
    for (w = c->waiters; w; w = w->next) count++;
    while (count-- && (w = c->waiters)) {
        waiter_leave(c, w);
        w->wake(w, &err);
    }
}

// life_ms: until their end, 0 = for ever.
static void keys_set(struct s3_credentials *c, const struct s3_key_texts *texts, s64 life_ms)
{
    u64 now = io_now_ns(c->io);
    c->texts = *texts;
    c->keys = (struct s3_keys){c->texts.access_key, c->texts.secret_key, c->texts.session_token,
                               c->keys.serial + 1};
    c->have = true;
    c->renew_ns = c->end_ns = 0;
    if (!texts->expires_ms) return;
    c->end_ns = now + (u64)MAX(life_ms, (s64)LEAST_MS) * 1000000;
    c->renew_ns = now + (u64)MAX(life_ms - EARLY_MS, (s64)LEAST_MS) * 1000000;
}

static void on_told(struct completion *done)
{
    tell(done->context);
}

static void fetch_end(struct s3_credentials *c)
{
    completion_post(c->io, &c->told, 0);
}

// ---- files
// -------------------------------------------------------------------------------------------

static bool settings_read(struct s3_credentials *c, struct s3_key_texts *t, struct err *err)
{
    *t = c->texts;
    return (!c->access_key_file ||
            secret_read(c->access_key_file, t->access_key, sizeof t->access_key, err)) &&
           (!c->secret_key_file ||
            secret_read(c->secret_key_file, t->secret_key, sizeof t->secret_key, err)) &&
           (!c->session_token_file ||
            secret_read(c->session_token_file, t->session_token, sizeof t->session_token, err));
}

static enum s3_profile_found profile_read(struct s3_credentials *c, struct s3_key_texts *t)
{
    enum s3_profile_found found = S3_PROFILE_NONE;
    for (u32 i = 0; i < COUNT_OF(c->profile_files) && found != S3_PROFILE_KEYS; i++) {
        size_t size;
        char *text = c->profile_files[i] ? file_read(c->profile_files[i], &size) : NULL;
        if (!text) continue;
        enum s3_profile_found here = s3_keys_of_profile(text, size, c->profile, t);
        if (here != S3_PROFILE_NONE) found = here;
        secret_free(text);
    }
    return found;
}

static void files_fetch(struct s3_credentials *c)
{
    struct s3_key_texts t;
    if (c->source == SOURCE_SETTINGS) {
        if (settings_read(c, &t, &c->err)) keys_set(c, &t, 0);
    } else if (profile_read(c, &t) == S3_PROFILE_KEYS) {
        keys_set(c, &t, 0);
    } else {
        err_set(&c->err, ERR_STORE_UNAVAILABLE, "s3", "the profile '%s' is no longer in %s", c->profile,
                c->profile_files[0] ? c->profile_files[0] : "~/.aws/credentials");
    }
    sodium_memzero(&t, sizeof t);
    fetch_end(c);
}

// ---- services
// -----------------------------------------------------------------------------------------

static void request_start(struct s3_credentials *c, const char *method, u32 header_count)
{
    c->http.method = method;
    c->http.url = c->request_url;
    c->http.headers = c->headers;
    c->http.header_count = header_count;
    c->http.body = c->body;
    c->http.body_size = c->body ? strlen(c->body) : 0;
    c->http.answer_size_max = ANSWER_SIZE_MAX;
    c->http.connect_timeout_ms = c->source == SOURCE_INSTANCE ? 2000 : 10000;
    c->http.total_timeout_ms = 20000;
    io_http_start(c->client, &c->http);
}

static bool url_set(struct s3_credentials *c, const char *base, const char *tail)
{
    int n = snprintf(c->request_url, sizeof c->request_url, "%s%s", base, tail);
    if (n > 0 && (size_t)n < sizeof c->request_url) return true;
    err_set(&c->err, ERR_USAGE, "s3", "the address of the credentials is too long");
    return false;
}

static bool instance_start(struct s3_credentials *c, const char *role)
{
    char tail[400] = "/latest/api/token";
    if (c->step != INSTANCE_TOKEN)
        snprintf(tail, sizeof tail, "/latest/meta-data/iam/security-credentials/%s", role);
    if (!url_set(c, c->url, tail)) return false;
    c->headers[0] = c->step == INSTANCE_TOKEN
                        ? (struct io_http_header){"X-aws-ec2-metadata-token-ttl-seconds", INSTANCE_TTL_S}
                        : (struct io_http_header){"X-aws-ec2-metadata-token", c->token};
    request_start(c, c->step == INSTANCE_TOKEN ? "PUT" : "GET", 1);
    return true;
}

static bool container_start(struct s3_credentials *c)
{
    if (!url_set(c, c->url, "")) return false;
    if (c->authorization_file &&
        !secret_read(c->authorization_file, c->token, sizeof c->token, &c->err))
        return false;
    if (c->authorization) snprintf(c->token, sizeof c->token, "%s", c->authorization);
    c->headers[0] = (struct io_http_header){"Authorization", c->token};
    request_start(c, "GET", c->token[0] ? 1 : 0);
    return true;
}

static bool web_identity_start(struct s3_credentials *c)
{
    char role[1024], session[256];
    size_t size;
    char *token = file_read(c->token_file, &size), *encoded = NULL;
    while (token && size && isspace((u8)token[size - 1])) token[--size] = 0;
    secret_free(c->body);
    c->body = NULL;
    if (token && size) encoded = malloc(3 * size + 1);
    bool good = encoded && s3_percent_encode(token, false, encoded, 3 * size + 1) &&
                s3_percent_encode(c->role, false, role, sizeof role) &&
                s3_percent_encode(c->session_name, false, session, sizeof session) &&
                asprintf(&c->body,
                         "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=%s"
                         "&RoleSessionName=%s&WebIdentityToken=%s",
                         role, session, encoded) >= 0 &&
                url_set(c, c->url, "/");
    secret_free(token);
    free(encoded);
    if (!good) {
        err_set(&c->err, ERR_STORE_UNAVAILABLE, "s3", "the web identity's token in %s cannot be read",
                c->token_file);
        return false;
    }
    c->headers[0] = (struct io_http_header){"Content-Type", "application/x-www-form-urlencoded"};
    request_start(c, "POST", 1);
    return true;
}

static void fetch(struct s3_credentials *c)
{
    bool good = true;
    c->fetching = true;
    c->err = ERR_CLEAR;
    c->step = INSTANCE_TOKEN;
    switch (c->source) {
    case SOURCE_SETTINGS:
    case SOURCE_PROFILE: files_fetch(c); return;
    case SOURCE_WEB_IDENTITY: good = web_identity_start(c); break;
    case SOURCE_CONTAINER: good = container_start(c); break;
    case SOURCE_INSTANCE: good = instance_start(c, ""); break;
    }
    if (!good) fetch_end(c);
}

static void keys_take(struct s3_credentials *c)
{
    struct s3_key_texts t;
    const char *text = (const char *)c->http.answer, *date = io_http_answer_header(&c->http, "date");
    bool good = text && (c->source == SOURCE_WEB_IDENTITY
                             ? s3_keys_of_xml(text, c->http.answer_size, &t)
                             : s3_keys_of_json(text, c->http.answer_size, &t));
    if (good) {
        // By the service's clock, where it tells: the device's may be far off.
        time_t now = date ? curl_getdate(date, NULL) : -1;
        keys_set(c, &t, t.expires_ms - (now < 0 ? io_wall_ms(c->io) : (s64)now * 1000));
        sodium_memzero(&t, sizeof t);
    } else {
        err_set(&c->err, ERR_STORE_UNAVAILABLE, "s3", "%s gives no credentials", c->request_url);
    }
}

// The first line of the list of roles.
static bool role_take(struct s3_credentials *c, char role[200])
{
    const char *text = c->http.answer ? (const char *)c->http.answer : "";
    size_t size = strcspn(text, "\r\n");
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)MIN(size, sizeof name), text);
    if (size && size < sizeof name && s3_percent_encode(name, false, role, 200)) return true;
    err_set(&c->err, ERR_STORE_DENIED, "s3", "this machine has no role: %s names none", c->request_url);
    return false;
}

static bool token_take(struct s3_credentials *c)
{
    const char *text = c->http.answer ? (const char *)c->http.answer : "";
    size_t size = strlen(text);
    bool good = size && size < sizeof c->token;
    for (size_t i = 0; good && i < size; i++) good = (u8)text[i] > ' ' && (u8)text[i] < 127;
    if (good)
        memcpy(c->token, text, size + 1);
    else
        err_set(&c->err, ERR_STORE_UNAVAILABLE, "s3", "%s gives no token", c->request_url);
    return good;
}

static void on_answer(struct completion *done)
{
    struct s3_credentials *c = done->context;
    int status = c->http.status;
    char role[200] = "";
    bool more = false;
    if (done->result < 0) {
        c->err = c->http.err;
    } else if (status != 200) {
        bool refused = status >= 400 && status < 500 && status != 408 && status != 429;
        err_set(&c->err, refused ? ERR_STORE_DENIED : ERR_STORE_UNAVAILABLE, "s3",
                "%s: HTTP status %d; check %s", c->request_url, status, s3_credentials_source(c));
    } else if (c->source != SOURCE_INSTANCE || c->step == INSTANCE_KEYS) {
        keys_take(c);
    } else if (c->step == INSTANCE_TOKEN) {
        c->step = INSTANCE_ROLE;
        more = token_take(c) && instance_start(c, "");
    } else {
        c->step = INSTANCE_KEYS;
        more = role_take(c, role) && instance_start(c, role);
    }
    if (!more) tell(c);
}

// ---- which source
// -----------------------------------------------------------------------------------

// Plain HTTP shows the keys to whoever is on the way: only to addresses of this machine.
static bool url_is_near(const char *url)
{
    static const char *const HOSTS[] = {"127.0.0.1", "localhost", "[::1]", "169.254.170.2",
                                        "169.254.170.23", "[fd00:ec2::23]"};
    if (strncmp(url, "https://", 8) == 0) return true;
    if (strncmp(url, "http://", 7) != 0) return false;
    for (u32 i = 0; i < COUNT_OF(HOSTS); i++) {
        size_t size = strlen(HOSTS[i]);
        char after = strncmp(url + 7, HOSTS[i], size) == 0 ? url[7 + size] : 'x';
        if (after == 0 || after == '/' || after == ':') return true;
    }
    return false;
}

static bool container_choose(struct s3_credentials *c, struct err *err)
{
    const char *relative = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
               *full = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (!relative && !full) return false;
    c->source = SOURCE_CONTAINER;
    if (asprintf(&c->url, "%s%s", relative ? "http://169.254.170.2" : "", relative ? relative : full) < 0)
        c->url = NULL;
    c->authorization = copy_of(variable("AWS_CONTAINER_AUTHORIZATION_TOKEN"));
    c->authorization_file = copy_of(variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"));
    if (c->url && !url_is_near(c->url))
        err_set(err, ERR_USAGE, __func__,
                "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or http at an address of this machine");
    return true;
}

static bool profile_choose(struct s3_credentials *c, struct err *err)
{
    const char *name = variable("AWS_PROFILE"), *home = variable("HOME"),
               *files[2] = {variable("AWS_SHARED_CREDENTIALS_FILE"), variable("AWS_CONFIG_FILE")};
    static const char *const PLACES[2] = {".aws/credentials", ".aws/config"};
    c->profile = strdup(name ? name : "default");
    for (u32 i = 0; i < 2; i++) {
        c->profile_files[i] = copy_of(files[i]);
        if (!files[i] && home && asprintf(&c->profile_files[i], "%s/%s", home, PLACES[i]) < 0)
            c->profile_files[i] = NULL;
    }
    struct s3_key_texts t;
    enum s3_profile_found found = c->profile ? profile_read(c, &t) : S3_PROFILE_NONE;
    if (found == S3_PROFILE_KEYS) {
        c->source = SOURCE_PROFILE;
        keys_set(c, &t, 0);
        sodium_memzero(&t, sizeof t);
    } else if (name) {
        err_set(err, ERR_USAGE, __func__,
                found == S3_PROFILE_NONE
                    ? "AWS_PROFILE is '%s', which is in neither ~/.aws/credentials nor ~/.aws/config"
                    : "the profile '%s' (AWS_PROFILE) has no aws_access_key_id and "
                      "aws_secret_access_key; roles, commands and SSO are not supported",
                name);
    }
    return found == S3_PROFILE_KEYS || name;
}

static bool web_identity_choose(struct s3_credentials *c, const char *region)
{
    const char *file = variable("AWS_WEB_IDENTITY_TOKEN_FILE"), *role = variable("AWS_ROLE_ARN"),
               *session = variable("AWS_ROLE_SESSION_NAME"), *at = variable("AWS_ENDPOINT_URL_STS");
    if (!file || !role) return false;
    c->source = SOURCE_WEB_IDENTITY;
    c->token_file = strdup(file);
    c->role = strdup(role);
    c->session_name = strdup(session ? session : "skerry");
    int n = at ? asprintf(&c->url, "%s", at)
               : asprintf(&c->url, "https://sts.%s.amazonaws.com%s", region,
                          strncmp(region, "cn-", 3) == 0 ? ".cn" : "");
    if (n < 0) c->url = NULL;
    size_t size = c->url ? strlen(c->url) : 0;
    if (size && c->url[size - 1] == '/') c->url[size - 1] = 0;
    return true;
}

static bool instance_choose(struct s3_credentials *c, bool ask)
{
    const char *off = variable("AWS_EC2_METADATA_DISABLED"),
               *at = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    if ((off && strcasecmp(off, "true") == 0) || (!ask && !at)) return false;
    c->source = SOURCE_INSTANCE;
    c->url = strdup(at ? at : "http://169.254.169.254");
    size_t size = c->url ? strlen(c->url) : 0;
    if (size && c->url[size - 1] == '/') c->url[size - 1] = 0;
    return true;
}

static void settings_choose(struct s3_credentials *c, const struct s3_credentials_options *o,
                            struct err *err)
{
    struct s3_key_texts t = {0};
    const char *token = o->session_token ? o->session_token : "";
    c->source = SOURCE_SETTINGS;
    c->access_key_file = copy_of(o->access_key_file);
    c->secret_key_file = copy_of(o->secret_key_file);
    c->session_token_file = copy_of(o->session_token_file);
    if (strlen(o->access_key) >= sizeof t.access_key || strlen(o->secret_key) >= sizeof t.secret_key ||
        strlen(token) >= sizeof t.session_token) {
        err_set(err, ERR_USAGE, __func__, "the S3 access key, secret key or session token is too long");
        return;
    }
    snprintf(t.access_key, sizeof t.access_key, "%s", o->access_key);
    snprintf(t.secret_key, sizeof t.secret_key, "%s", o->secret_key);
    snprintf(t.session_token, sizeof t.session_token, "%s", token);
    keys_set(c, &t, 0);
    sodium_memzero(&t, sizeof t);
}

struct s3_credentials *s3_credentials_create(struct io *io, struct io_http *http,
                                             const struct s3_credentials_options *o,
                                             struct err *err)
{
    struct s3_credentials *c = calloc(1, sizeof *c);
    if (!c) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return NULL;
    }
    c->io = io;
    c->client = http;
    completion_init(&c->told, on_told, c);
    completion_init(&c->http.done, on_answer, c);
    bool access = o->access_key && o->access_key[0], secret = o->secret_key && o->secret_key[0];
    if (access && secret)
        settings_choose(c, o, err);
    else if (access || secret)
        err_set(err, ERR_USAGE, __func__,
                "S3 needs both keys, and SKERRY_S3_%s_KEY is not set (nor AWS_%s)",
                access ? "SECRET" : "ACCESS", access ? "SECRET_ACCESS_KEY" : "ACCESS_KEY_ID");
    else if (!web_identity_choose(c, o->region) && !profile_choose(c, err) &&
             !container_choose(c, err) && !instance_choose(c, o->ask_instance))
        err_set(err, ERR_USAGE, __func__,
                "S3 needs credentials: set SKERRY_S3_ACCESS_KEY and SKERRY_S3_SECRET_KEY (or name "
                "files with SKERRY_S3_ACCESS_KEY_FILE and SKERRY_S3_SECRET_KEY_FILE); AWS's own "
                "variables, profiles and container credentials serve as well");
    bool asks = c->source != SOURCE_SETTINGS && c->source != SOURCE_PROFILE;
    if (err->code == ERR_OK && asks && !c->url) err_set(err, ERR_NOMEM, __func__, "out of memory");
    if (err->code == ERR_OK) return c;
    s3_credentials_destroy(c);
    return NULL;
}

void s3_credentials_destroy(struct s3_credentials *c)
{
    if (!c) return;
    ASSERT(!c->waiters);
    if (c->fetching && c->http.done.state == COMPLETION_PENDING) io_http_cancel(c->client, &c->http);
    // What was cancelled comes back in a turn of the loop.
    while (c->fetching && io_step(c->io, 10000000) >= 0) continue;
    io_http_request_deinit(&c->http);
    free(c->access_key_file);
    free(c->secret_key_file);
    free(c->session_token_file);
    free(c->profile);
    free(c->profile_files[0]);
    free(c->profile_files[1]);
    free(c->role);
    free(c->session_name);
    free(c->token_file);
    free(c->url);
    secret_free(c->authorization);
    free(c->authorization_file);
    secret_free(c->body);
    sodium_memzero(c, sizeof *c);
    free(c);
}

bool s3_credentials_ready(struct s3_credentials *c, struct s3_waiter *w)
{
    if (!c->fetching && c->have && (!c->renew_ns || io_now_ns(c->io) < c->renew_ns)) return true;
    ASSERT(!w->waiting);
    w->waiting = true;
    w->next = NULL;
    w->prev = c->last_waiter;
    if (w->prev)
        w->prev->next = w;
    else
        c->waiters = w;
    c->last_waiter = w;
    if (!c->fetching) fetch(c);
    return false;
}

void s3_credentials_forget(struct s3_credentials *c, struct s3_waiter *w)
{
    if (w->waiting) waiter_leave(c, w);
}

const struct s3_keys *s3_credentials_keys(const struct s3_credentials *c)
{
    return &c->keys;
}

bool s3_credentials_can_renew(const struct s3_credentials *c)
{
    return c->source != SOURCE_SETTINGS || c->access_key_file || c->secret_key_file ||
           c->session_token_file;
}

void s3_credentials_expire(struct s3_credentials *c, u64 serial)
{
    if (c->keys.serial == serial) c->have = false;
}

const char *s3_credentials_source(const struct s3_credentials *c)
{
    switch (c->source) {
    case SOURCE_SETTINGS: return "SKERRY_S3_ACCESS_KEY, SKERRY_S3_SECRET_KEY and what they may do";
    case SOURCE_WEB_IDENTITY: return "what the role in AWS_ROLE_ARN may do";
    case SOURCE_PROFILE: return "the profile in ~/.aws and what its keys may do";
    case SOURCE_CONTAINER: return "what the container's role may do";
    case SOURCE_INSTANCE: return "what this machine's role may do";
    }
    ASSERT(false);
}
