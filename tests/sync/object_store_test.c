// Goal: every store keeps the same contract. Method: one suite (object_suite.c) over a directory (each backend of
// io) and over S3 (tests/s3/fakes3.py started for the purpose, which checks signatures;
// SKERRY_TEST_S3=endpoint,key,secret runs the suite against another server too), with the server's
// faults: lost answers, 503, cut bodies.
#include "object_suite.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

TEST(directory_store_over_posix)
{
    struct world w;
    if (!world_open(&w, IO_BACKEND_POSIX, &(struct object_store_options){.url = test_dir()}))
        return;
    object_suite(&w, 100000);
    world_close(&w);
}

TEST(directory_store_over_ring)
{
    struct world w;
    char url[300];
    snprintf(url, sizeof url, "file://%s", test_dir());
    if (!world_open(&w, IO_BACKEND_RING, &(struct object_store_options){.url = url})) return;
    object_suite(&w, 100000);
    world_close(&w);
}

TEST(directory_store_memory)
{
    struct world w;
    if (!world_open(&w, IO_BACKEND_MEMORY, &(struct object_store_options){.url = "/store"})) return;
    object_suite(&w, 100000);
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
    fake_admin("/_bucket?name=skerry-test");
    object_suite(&w, OBJECT_PART_SIZE_MIN);

    // A lost answer: the put was done, the next try says so (libcurl tries by itself on a
    // connection that was open already).
    fake_admin("/_fault?match=PUT&do=lost&n=1");
    err_code code = run(&w, &r, OBJECT_PUT_IF_ABSENT, "d/lost", "x", 1);
    CHECK(object_error_passes(&r.err) || code == ERR_STORE_EXISTS);
    fake_admin("/_fault?match=PUT&do=lost&n=2");
    r.tries_max = 4;
    CHECK_EQ(run(&w, &r, OBJECT_PUT_IF_ABSENT, "d/lost-twice", "x", 1), ERR_OK);
    r.tries_max = 0;
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
    object_suite(&w, OBJECT_PART_SIZE_MIN);
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
