// Goal: every store keeps the same contract. Method: one suite over a directory (each backend of
// io) and over S3 (tests/s3/fakes3.py started for the purpose, which checks signatures;
// SKERRY_TEST_S3=endpoint,key,secret runs the suite against another server too), with the server's
// faults: lost answers, 503, cut bodies.
#include "../../sync/object_store.h"
#include "../test.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

struct world {
    struct io *io;
    struct io_http *http;
    struct object_store *store;
};

static void wait_done(struct world *w, struct object_request *r)
{
    for (u32 i = 0; i < 100000 && object_request_busy(r); i++) io_step(w->io, 100000000);
    CHECK(!object_request_busy(r));
}

static err_code run(struct world *w, struct object_request *r, enum object_kind kind,
                    const char *key, const void *body, size_t size)
{
    r->kind = kind;
    snprintf(r->key, sizeof r->key, "%s", key);
    r->body = body;
    r->body_size = size;
    object_start(w->store, r);
    wait_done(w, r);
    return r->err.code;
}

static void suite(struct world *w)
{
    struct object_request r;
    object_request_init(&r, NULL, NULL);
    CHECK_EQ(run(w, &r, OBJECT_GET, "d/none", NULL, 0), ERR_STORE_MISSING);
    CHECK_EQ(run(w, &r, OBJECT_PUT_IF_ABSENT, "d/log/0002", "two", 3), ERR_OK);
    CHECK_EQ(run(w, &r, OBJECT_PUT_IF_ABSENT, "d/log/0002", "TWO", 3), ERR_STORE_EXISTS);
    CHECK_EQ(run(w, &r, OBJECT_GET, "d/log/0002", NULL, 0), ERR_OK);
    CHECK_EQ(r.answer_size, 3);
    CHECK(r.answer_size == 3 && memcmp(r.answer, "two", 3) == 0);
    CHECK_EQ(run(w, &r, OBJECT_PUT, "d/head", "first", 5), ERR_OK);
    CHECK_EQ(run(w, &r, OBJECT_PUT, "d/head", "second!", 7), ERR_OK);
    CHECK_EQ(run(w, &r, OBJECT_GET, "d/head", NULL, 0), ERR_OK);
    CHECK(r.answer_size == 7 && memcmp(r.answer, "second!", 7) == 0);
    CHECK_EQ(run(w, &r, OBJECT_PUT, "d/empty", "", 0), ERR_OK);
    CHECK_EQ(run(w, &r, OBJECT_GET, "d/empty", NULL, 0), ERR_OK);
    CHECK_EQ(r.answer_size, 0);
    r.range_offset = 2;
    r.range_size = 3;
    CHECK_EQ(run(w, &r, OBJECT_GET, "d/head", NULL, 0), ERR_OK);
    CHECK(r.answer_size == 3 && memcmp(r.answer, "con", 3) == 0);
    r.range_offset = r.range_size = 0;
    for (u32 i = 1; i < 6; i++) {
        char key[64];
        snprintf(key, sizeof key, "d/log/%04u", i * 10);
        CHECK_EQ(run(w, &r, OBJECT_PUT_IF_ABSENT, key, key, strlen(key)), ERR_OK);
    }
    CHECK_EQ(run(w, &r, OBJECT_LIST, "d/log/", NULL, 0), ERR_OK);
    REQUIRE(r.entry_count == 6);
    CHECK_STR(r.entries[0].key, "d/log/0002");
    CHECK_STR(r.entries[5].key, "d/log/0050");
    CHECK_EQ(r.entries[5].size, 10);
    snprintf(r.after, sizeof r.after, "d/log/0020");
    CHECK_EQ(run(w, &r, OBJECT_LIST, "d/log/", NULL, 0), ERR_OK);
    CHECK_EQ(r.entry_count, 3);
    r.after[0] = 0;
    CHECK_EQ(run(w, &r, OBJECT_LIST, "nothing/here/", NULL, 0), ERR_OK);
    CHECK_EQ(r.entry_count, 0);
    CHECK_EQ(run(w, &r, OBJECT_DELETE, "d/log/0010", NULL, 0), ERR_OK);
    CHECK_EQ(run(w, &r, OBJECT_DELETE, "d/log/0010", NULL, 0), ERR_OK);
    CHECK_EQ(run(w, &r, OBJECT_GET, "d/log/0010", NULL, 0), ERR_STORE_MISSING);
    // Keys with what has to be escaped.
    CHECK_EQ(run(w, &r, OBJECT_PUT, "d/a b+c%d&e=f~\xc3\xa9", "x", 1), ERR_OK);
    CHECK_EQ(run(w, &r, OBJECT_GET, "d/a b+c%d&e=f~\xc3\xa9", NULL, 0), ERR_OK);
    CHECK_EQ(run(w, &r, OBJECT_LIST, "d/", NULL, 0), ERR_OK);
    CHECK(r.entry_count == 3);
    if (r.entry_count == 3) CHECK_STR(r.entries[0].key, "d/a b+c%d&e=f~\xc3\xa9");
    // A big one, whole.
    size_t size = 9u << 20;
    u8 *big = malloc(size);
    for (size_t i = 0; i < size; i++) big[i] = (u8)(i * 2654435761u >> 13);
    CHECK_EQ(run(w, &r, OBJECT_PUT_IF_ABSENT, "d/big", big, size), ERR_OK);
    CHECK_EQ(run(w, &r, OBJECT_GET, "d/big", NULL, 0), ERR_OK);
    CHECK(r.answer_size == size && memcmp(r.answer, big, size) == 0);
    r.answer_size_max = 1000;
    CHECK_EQ(run(w, &r, OBJECT_GET, "d/big", NULL, 0), ERR_LIMIT);
    free(big);
    object_request_deinit(&r);
}

static bool world_open(struct world *w, enum io_backend_kind backend,
                       const struct object_store_options *options)
{
    struct err err = ERR_CLEAR;
    w->io = io_create(&(struct io_options){.backend = backend, .fallback = true}, &err);
    w->http = w->io ? io_http_create(w->io, &err) : NULL;
    w->store = w->http ? object_store_open(w->io, w->http, options, &err) : NULL;
    if (!w->store) test_fail(__FILE__, __LINE__, "%s", err.text);
    return w->store != NULL;
}

static void world_close(struct world *w)
{
    object_store_close(w->store);
    io_http_destroy(w->http);
    io_destroy(w->io);
}

TEST(directory_store_over_posix)
{
    struct world w;
    if (!world_open(&w, IO_BACKEND_POSIX, &(struct object_store_options){.url = test_dir()}))
        return;
    suite(&w);
    world_close(&w);
}

TEST(directory_store_over_ring)
{
    struct world w;
    char url[300];
    snprintf(url, sizeof url, "file://%s", test_dir());
    if (!world_open(&w, IO_BACKEND_RING, &(struct object_store_options){.url = url})) return;
    suite(&w);
    world_close(&w);
}

TEST(directory_store_memory)
{
    struct world w;
    if (!world_open(&w, IO_BACKEND_MEMORY, &(struct object_store_options){.url = "/store"})) return;
    suite(&w);
    world_close(&w);
}

TEST(store_urls_that_are_refused)
{
    static const struct {
        const char *url, *access_key;
    } CASES[] = {{"", "k"},
                 {NULL, "k"},
                 {"ftp://x/y", "k"},
                 {"file://relative", "k"},
                 {"s3://", "k"},
                 {"s3:///prefix", "k"},
                 {"s3://bucket/prefix", NULL}};
    struct err err = ERR_CLEAR;
    struct io *io = io_create(&(struct io_options){.backend = IO_BACKEND_POSIX}, &err);
    for (u32 i = 0; i < COUNT_OF(CASES); i++) {
        err = ERR_CLEAR;
        struct object_store_options o = {
            .url = CASES[i].url, .access_key = CASES[i].access_key, .secret_key = "s"};
        struct object_store *s = object_store_open(io, NULL, &o, &err);
        if (s || err.code != ERR_USAGE) test_fail(__FILE__, __LINE__, "case %u is not refused", i);
    }
    io_destroy(io);
}

// ---- S3
// -----------------------------------------------------------------------------------------------

static pid_t fake_pid;
static char fake_endpoint[64];

static bool fake_start(void)
{
    int port = 20000 + getpid() % 20000;
    char port_text[16];
    snprintf(port_text, sizeof port_text, "%d", port);
    snprintf(fake_endpoint, sizeof fake_endpoint, "http://127.0.0.1:%d", port);
    fake_pid = fork();
    if (fake_pid == 0) {
        execlp("python3", "python3", "tests/s3/fakes3.py", port_text, NULL);
        _exit(127);
    }
    char command[200];
    snprintf(command, sizeof command,
             "curl -fs -o /dev/null --retry 50 --retry-delay 0 --retry-max-time 10 "
             "--retry-connrefused %s/_stats",
             fake_endpoint);
    for (u32 i = 0; i < 100; i++) {
        if (system(command) == 0) return true;
        usleep(100000);
    }
    return false;
}

static void fake_stop(void)
{
    kill(fake_pid, SIGKILL);
    waitpid(fake_pid, NULL, 0);
}

static void fake_admin(const char *path)
{
    char command[300];
    snprintf(command, sizeof command, "curl -fs -o /dev/null -X POST '%s%s'", fake_endpoint, path);
    CHECK_EQ(system(command), 0);
}

// Buckets are not what a store makes; the test does, with a store whose key is the bucket itself.
static void bucket_make(struct world *w, const char *endpoint, const char *key, const char *secret)
{
    struct err err = ERR_CLEAR;
    struct object_request r;
    object_request_init(&r, NULL, NULL);
    struct object_store_options o = {
        .url = "s3://skerry-test", .endpoint = endpoint, .access_key = key, .secret_key = secret};
    struct world maker = *w;
    maker.store = object_store_open(w->io, w->http, &o, &err);
    (void)run(&maker, &r, OBJECT_PUT, "", "", 0);
    object_request_deinit(&r);
    object_store_close(maker.store);
}

TEST(s3_store_over_fake)
{
    if (!fake_start()) {
        test_skip("tests/s3/fakes3.py does not start (python3 and curl are needed)");
        return;
    }
    struct world w;
    struct object_store_options o = {.url = "s3://skerry-test/some/prefix",
                                     .endpoint = fake_endpoint,
                                     .access_key = "testak",
                                     .secret_key = "testsk1234567890"};
    if (!world_open(&w, IO_BACKEND_RING, &o)) return;
    struct object_request r;
    object_request_init(&r, NULL, NULL);
    CHECK_EQ(run(&w, &r, OBJECT_PUT, "d/x", "x", 1), ERR_USAGE); // no such bucket
    CHECK(strstr(r.err.text, "NoSuchBucket") != NULL);
    bucket_make(&w, fake_endpoint, "testak", "testsk1234567890");
    suite(&w);

    // A lost answer: the put was done, the next try says so.
    fake_admin("/_fault?match=PUT&do=lost&n=1");
    err_code code = run(&w, &r, OBJECT_PUT_IF_ABSENT, "d/lost", "x", 1);
    CHECK(object_error_passes(&r.err));
    CHECK(code != ERR_OK);
    CHECK_EQ(run(&w, &r, OBJECT_PUT_IF_ABSENT, "d/lost", "x", 1), ERR_STORE_EXISTS);
    fake_admin("/_fault?match=GET&do=503&n=1");
    CHECK_EQ(run(&w, &r, OBJECT_GET, "d/lost", NULL, 0), ERR_STORE_UNAVAILABLE);
    CHECK(object_error_passes(&r.err));
    fake_admin("/_fault?match=GET&do=trunc&n=1");
    CHECK(run(&w, &r, OBJECT_GET, "d/big", NULL, 0) != ERR_OK);
    CHECK(object_error_passes(&r.err));
    fake_admin("/_fault?match=GET&do=drop&n=1");
    code = run(&w, &r, OBJECT_GET, "d/big", NULL,
               0); // libcurl tries a dropped kept-alive connection again by itself
    CHECK(code == ERR_OK || object_error_passes(&r.err));
    CHECK_EQ(run(&w, &r, OBJECT_GET, "d/big", NULL, 0), ERR_OK);
    object_request_deinit(&r);
    world_close(&w);

    o.secret_key = "wrong";
    if (!world_open(&w, IO_BACKEND_RING, &o)) return;
    object_request_init(&r, NULL, NULL);
    CHECK_EQ(run(&w, &r, OBJECT_GET, "d/lost", NULL, 0), ERR_STORE_DENIED);
    object_request_deinit(&r);
    world_close(&w);
    fake_stop();
    o.secret_key = "testsk1234567890";
    if (!world_open(&w, IO_BACKEND_RING, &o)) return;
    object_request_init(&r, NULL, NULL);
    CHECK_EQ(run(&w, &r, OBJECT_GET, "d/lost", NULL, 0), ERR_NETWORK);
    object_request_deinit(&r);
    world_close(&w);
}

TEST(s3_store_over_named_server)
{
    const char *given = getenv("SKERRY_TEST_S3");
    REQUIRE(given != NULL);
    char endpoint[200], key[100], secret[100];
    REQUIRE(sscanf(given, "%199[^,],%99[^,],%99s", endpoint, key, secret) == 3);
    struct world w;
    char url[100];
    u64 seed = test_seed();
    snprintf(url, sizeof url, "s3://skerry-test/t%016llx", (unsigned long long)test_random(&seed));
    struct object_store_options o = {
        .url = url, .endpoint = endpoint, .access_key = key, .secret_key = secret};
    if (!world_open(&w, IO_BACKEND_RING, &o)) return;
    bucket_make(&w, endpoint, key, secret);
    suite(&w);
    world_close(&w);
}

// The suite over a named server is part of the s3 suite of tests/run.sh, not of the unit tests.
int main(int argc, char **argv)
{
    static char *without_server[] = {"object_store_test", "directory_store", "store_urls",
                                     "s3_store_over_fake", NULL};
    if (argc < 2 && !getenv("SKERRY_TEST_S3")) return test_main(4, without_server);
    return test_main(argc, argv);
}
