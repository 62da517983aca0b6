// Goal: the S3 store finds its keys wherever AWS's tools would, has new ones before the old ones end, gets along with a
// clock that is off, and trusts the certificates that it is told to trust and no others. Method: tests/s3/fakes3.py,
// which issues keys of every kind, ends them when told to, checks each signature, and counts.
#include "fake_s3.h"
#include "object_suite.h"

#include "../../sync/s3_credentials_parse.h"

#include <unistd.h>

static const char *const VARIABLES[] = {
    "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN",
    "AWS_ENDPOINT_URL_STS", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_EC2_METADATA_DISABLED", "HOME"};

static void variables_clear(void)
{
    for (u32 i = 0; i < COUNT_OF(VARIABLES); i++) unsetenv(VARIABLES[i]);
}

static const char *file_make(const char *name, const char *text)
{
    static char path[8][300];
    static u32 next;
    char *out = path[next++ % 8];
    snprintf(out, sizeof path[0], "%s/%s", test_dir(), name);
    FILE *f = fopen(out, "w");
    CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0);
    return out;
}

static void variable_at(const char *name, const char *tail)
{
    char url[200];
    snprintf(url, sizeof url, "%s%s", fake_s3_endpoint, tail);
    setenv(name, url, 1);
}

static struct object_store_options options(void)
{
    return (struct object_store_options){.url = "s3://skerry-test/c", .endpoint = fake_s3_endpoint};
}

static err_code get(struct world *w, struct object_request *r)
{
    return run(w, r, OBJECT_GET, "object", NULL, 0);
}

static bool serve(void)
{
    variables_clear();
    if (!fake_s3_start(NULL)) {
        test_skip("tests/s3/fakes3.py needs python3 and curl");
        return false;
    }
    fake_s3_admin("/_bucket?name=skerry-test");
    return true;
}

// Keys of a service: asked for once and kept, asked for again when they have ended or are about to.
static void service(struct world *w, u32 requests_of_a_renewal)
{
    struct object_request r;
    object_request_init(&r, NULL, NULL);
    u64 asked = fake_s3_count("creds");
    CHECK_EQ(run(w, &r, OBJECT_PUT, "object", "x", 1), ERR_OK);
    for (u32 i = 0; i < 5; i++) CHECK_EQ(get(w, &r), ERR_OK);
    CHECK_EQ(fake_s3_count("creds") - asked, requests_of_a_renewal);
    fake_s3_admin("/_expire");
    CHECK_EQ(get(w, &r), ERR_OK);
    CHECK_EQ(fake_s3_count("creds") - asked, 2 * requests_of_a_renewal);
    // Refused: an error that passes, and then it goes on.
    fake_s3_admin("/_expire");
    fake_s3_admin("/_refuse?n=1");
    CHECK_EQ(get(w, &r), ERR_STORE_UNAVAILABLE);
    CHECK(object_error_passes(&r.err));
    CHECK_EQ(get(w, &r), ERR_OK);
    // Many at once ask once.
    struct object_request many[10];
    fake_s3_admin("/_expire");
    asked = fake_s3_count("creds");
    for (u32 i = 0; i < COUNT_OF(many); i++) {
        object_request_init(&many[i], NULL, NULL);
        many[i].kind = OBJECT_GET;
        snprintf(many[i].key, sizeof many[i].key, "object");
        object_start(w->store, &many[i]);
    }
    for (u32 i = 0; i < COUNT_OF(many); i++) {
        wait_done(w, &many[i]);
        CHECK_EQ(many[i].err.code, ERR_OK);
        object_request_deinit(&many[i]);
    }
    CHECK_EQ(fake_s3_count("creds") - asked, requests_of_a_renewal);
    // Cancelled while keys are on their way.
    fake_s3_admin("/_expire");
    CHECK_EQ(run(w, &r, OBJECT_HEAD, "object", NULL, 0), ERR_OK); // whose error says no reason
    fake_s3_admin("/_expire");
    r.kind = OBJECT_GET;
    object_start(w->store, &r);
    object_cancel(&r);
    wait_done(w, &r);
    CHECK_EQ(get(w, &r), ERR_OK);
    object_request_deinit(&r);
}

TEST(container)
{
    if (!serve()) return;
    variable_at("AWS_CONTAINER_CREDENTIALS_FULL_URI", "/_creds/container");
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file_make("token", "secret\n"), 1);
    struct world w;
    struct object_store_options o = options();
    if (!world_open(&w, IO_BACKEND_RING, &o)) return;
    service(&w, 1);
    world_close(&w);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file_make("token", "wrong"), 1);
    if (!world_open(&w, IO_BACKEND_POSIX, &o)) return;
    struct object_request r;
    object_request_init(&r, NULL, NULL);
    CHECK_EQ(get(&w, &r), ERR_STORE_DENIED);
    CHECK(strstr(r.err.text, "the container's role") != NULL);
    object_request_deinit(&r);
    world_close(&w);
    // Not over the open net.
    struct err err = ERR_CLEAR;
    struct io *io = io_create(&(struct io_options){.backend = IO_BACKEND_POSIX}, &err);
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1.example.com/x", 1);
    CHECK(!object_store_open(io, NULL, &o, &err));
    CHECK_EQ(err.code, ERR_USAGE);
    io_destroy(io);
    fake_s3_stop();
}

TEST(instance)
{
    if (!serve()) return;
    variable_at("AWS_EC2_METADATA_SERVICE_ENDPOINT", "/_creds/");
    struct world w;
    struct object_store_options o = options();
    if (!world_open(&w, IO_BACKEND_RING, &o)) return;
    service(&w, 3);
    world_close(&w);
    fake_s3_stop();
}

TEST(web_identity)
{
    if (!serve()) return;
    variable_at("AWS_ENDPOINT_URL_STS", "/_creds");
    setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/x", 1);
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", file_make("jwt", "jwt\n"), 1);
    struct world w;
    struct object_store_options o = options();
    if (!world_open(&w, IO_BACKEND_RING, &o)) return;
    service(&w, 1);
    world_close(&w);
    fake_s3_stop();
}

// Keys that end within five minutes are fetched again while they are still good, and used when nobody gives others.
TEST(renewed_before_the_end)
{
    if (!serve()) return;
    fake_s3_admin("/_life?s=10"); // under the minute that new keys are used at least
    variable_at("AWS_CONTAINER_CREDENTIALS_FULL_URI", "/_creds/container");
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "secret", 1);
    struct world w;
    struct object_store_options o = options();
    if (!world_open(&w, IO_BACKEND_RING, &o)) return;
    struct object_request r;
    object_request_init(&r, NULL, NULL);
    CHECK_EQ(run(&w, &r, OBJECT_PUT, "object", "x", 1), ERR_OK);
    for (u32 i = 0; i < 20; i++) CHECK_EQ(get(&w, &r), ERR_OK);
    CHECK_EQ(fake_s3_count("creds"), 1);
    object_request_deinit(&r);
    world_close(&w);
    fake_s3_stop();
}

TEST(profile)
{
    if (!serve()) return;
    char good[] = "[default]\naws_access_key_id=x\naws_secret_access_key=y\n\n[ field ]\r\n aws_access_key_id = no\n"
                  "aws_access_key_id = testak\r\naws_secret_access_key=testsk1234567890\r\n";
    setenv("AWS_SHARED_CREDENTIALS_FILE", file_make("credentials", good), 1);
    setenv("AWS_PROFILE", "field", 1);
    struct world w;
    struct object_store_options o = options();
    if (!world_open(&w, IO_BACKEND_RING, &o)) return;
    struct object_request r;
    object_request_init(&r, NULL, NULL);
    CHECK_EQ(run(&w, &r, OBJECT_PUT, "object", "x", 1), ERR_OK);
    object_request_deinit(&r);
    world_close(&w);
    // Rotated while the node runs.
    setenv("AWS_PROFILE", "default", 1);
    if (!world_open(&w, IO_BACKEND_RING, &o)) return;
    CHECK_EQ(get(&w, &r), ERR_STORE_DENIED);
    file_make("credentials", "[default]\naws_access_key_id = testak\naws_secret_access_key = testsk1234567890\n");
    CHECK_EQ(get(&w, &r), ERR_OK);
    object_request_deinit(&r);
    world_close(&w);
    fake_s3_stop();
}

TEST(files_are_read_again)
{
    if (!serve()) return;
    struct world w;
    struct object_store_options o = options();
    o.access_key = "old";
    o.secret_key = "testsk1234567890";
    o.access_key_file = file_make("access", "old\n");
    if (!world_open(&w, IO_BACKEND_RING, &o)) return;
    struct object_request r;
    object_request_init(&r, NULL, NULL);
    CHECK_EQ(run(&w, &r, OBJECT_PUT, "object", "x", 1), ERR_STORE_DENIED);
    file_make("access", "testak\n");
    CHECK_EQ(run(&w, &r, OBJECT_PUT, "object", "x", 1), ERR_OK);
    unlink(o.access_key_file);
    CHECK_EQ(get(&w, &r), ERR_OK); // nobody says that these ran out
    object_request_deinit(&r);
    world_close(&w);
    fake_s3_stop();
}

// A device without a clock's battery starts in the past, or is set to the future.
TEST(clock)
{
    static const char *const OFFSETS[] = {"/_clock?offset=100000000", "/_clock?offset=-3000", "/_clock?offset=0"};
    if (!serve()) return;
    struct world w;
    struct object_store_options o = options();
    o.access_key = "testak";
    o.secret_key = "testsk1234567890";
    if (!world_open(&w, IO_BACKEND_RING, &o)) return;
    struct object_request r;
    object_request_init(&r, NULL, NULL);
    CHECK_EQ(run(&w, &r, OBJECT_PUT, "object", "x", 1), ERR_OK);
    for (u32 i = 0; i < COUNT_OF(OFFSETS); i++) {
        fake_s3_admin(OFFSETS[i]);
        u64 gets = fake_s3_count("GET"), heads = fake_s3_count("HEAD");
        CHECK_EQ(run(&w, &r, OBJECT_HEAD, "object", NULL, 0), ERR_OK); // whose error says no reason
        CHECK_EQ(fake_s3_count("HEAD") - heads, 2);
        CHECK_EQ(get(&w, &r), ERR_OK);
        CHECK_EQ(get(&w, &r), ERR_OK);
        CHECK_EQ(fake_s3_count("GET") - gets, 2); // corrected once for all
    }
    object_request_deinit(&r);
    world_close(&w);
    // Keys whose end the device's clock puts into the past are used.
    fake_s3_admin("/_clock?offset=-100000000");
    variable_at("AWS_CONTAINER_CREDENTIALS_FULL_URI", "/_creds/container");
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "secret", 1);
    o.access_key = o.secret_key = NULL;
    if (!world_open(&w, IO_BACKEND_RING, &o)) return;
    object_request_init(&r, NULL, NULL);
    for (u32 i = 0; i < 3; i++) CHECK_EQ(get(&w, &r), ERR_OK);
    CHECK_EQ(fake_s3_count("creds"), 1);
    object_request_deinit(&r);
    world_close(&w);
    fake_s3_stop();
}

TEST(certificates)
{
    char command[2000], pem[300], other[300];
    variables_clear();
    snprintf(pem, sizeof pem, "%s/own.pem", test_dir());
    snprintf(other, sizeof other, "%s/other.pem", test_dir());
    snprintf(command, sizeof command,
             "for f in %s %s; do openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost "
             "-addext subjectAltName=IP:127.0.0.1 -keyout $f.key -out $f.crt 2>/dev/null && cat $f.key $f.crt >$f || exit 1; done",
             pem, other);
    if (system(command) != 0 || !fake_s3_start(pem)) {
        test_skip("openssl, python3 and curl are needed");
        return;
    }
    fake_s3_admin("/_bucket?name=skerry-test");
    struct world w;
    struct object_request r;
    struct object_store_options o = options();
    o.access_key = "testak";
    o.secret_key = "testsk1234567890";
    o.ca_file = pem;
    if (!world_open(&w, IO_BACKEND_RING, &o)) return;
    object_suite(&w, OBJECT_PART_SIZE_MIN);
    world_close(&w);
    const char *const WRONG[] = {NULL, other, "/nonexistent"};
    for (u32 i = 0; i < COUNT_OF(WRONG); i++) {
        o.ca_file = WRONG[i];
        if (!world_open(&w, IO_BACKEND_RING, &o)) return;
        object_request_init(&r, NULL, NULL);
        CHECK(get(&w, &r) != ERR_OK && get(&w, &r) != ERR_STORE_MISSING);
        if (i < 2) CHECK(strstr(r.err.text, "certificate") != NULL);
        object_request_deinit(&r);
        world_close(&w);
    }
    fake_s3_stop();
}

TEST(settings_that_are_refused)
{
    static const struct {
        const char *access, *secret, *name, *value, *word;
    } CASES[] = {{"k", NULL, NULL, NULL, "SKERRY_S3_SECRET_KEY"},
                 {NULL, "s", NULL, NULL, "SKERRY_S3_ACCESS_KEY"},
                 {NULL, NULL, NULL, NULL, "SKERRY_S3_ACCESS_KEY"},
                 {NULL, NULL, "AWS_PROFILE", "nobody", "nobody"},
                 {NULL, NULL, "AWS_PROFILE", "role", "not supported"},
                 {NULL, NULL, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "ftp://x", "https"}};
    struct err err = ERR_CLEAR;
    struct io *io = io_create(&(struct io_options){.backend = IO_BACKEND_POSIX}, &err);
    for (u32 i = 0; i < COUNT_OF(CASES); i++) {
        variables_clear();
        setenv("AWS_CONFIG_FILE", file_make("config", "[profile role]\nrole_arn = arn:aws:iam::1:role/x\n"), 1);
        if (CASES[i].name) setenv(CASES[i].name, CASES[i].value, 1);
        struct object_store_options o = {.url = "s3://b/p", .endpoint = "http://127.0.0.1:1", .access_key = CASES[i].access,
                                         .secret_key = CASES[i].secret};
        err = ERR_CLEAR;
        struct object_store *s = object_store_open(io, NULL, &o, &err);
        if (s || err.code != ERR_USAGE || !strstr(err.text, CASES[i].word))
            test_fail(__FILE__, __LINE__, "case %u: %s", i, err.text);
    }
    io_destroy(io);
}

TEST(texts)
{
    static const struct {
        const char *json, *access;
        s64 expires_ms;
    } CASES[] = {
        {"{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\"}", "a", 0},
        {"{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\",\"Token\":\"t\",\"Expiration\":\"2001-09-09T01:46:40Z\"}", "a",
         1000000000000},
        {"{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\",\"Token\":null,\"Expiration\":null}", "a", 0},
        {"{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"\"}", NULL, 0},
        {"{\"AccessKeyId\":\"a\\r\\nX: y\",\"SecretAccessKey\":\"b\"}", NULL, 0},
        {"{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\",\"Expiration\":\"soon\"}", NULL, 0},
        {"{\"AccessKeyId\":1,\"SecretAccessKey\":\"b\"}", NULL, 0},
        {"{\"Code\":\"Failed\"}", NULL, 0},
        {"[]", NULL, 0},
        {"", NULL, 0}};
    for (u32 i = 0; i < COUNT_OF(CASES); i++) {
        struct s3_key_texts t;
        bool good = s3_keys_of_json(CASES[i].json, strlen(CASES[i].json), &t);
        if (good != (CASES[i].access != NULL) || (good && strcmp(t.access_key, CASES[i].access) != 0) ||
            (good && t.expires_ms != CASES[i].expires_ms))
            test_fail(__FILE__, __LINE__, "case %u: %d %s %lld", i, good, t.access_key, (long long)t.expires_ms);
    }
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
