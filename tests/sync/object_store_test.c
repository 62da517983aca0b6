// Goal: every store keeps the same contract. Method: one suite (object_suite.c) over a directory (each backend of
// io), over the hub (in this process, or SKERRY_TEST_HUB=hub+http://host:port,token) and over S3
// (tests/s3/fakes3.py started for the purpose, which checks signatures; SKERRY_TEST_S3=endpoint,key,secret
// runs the suite against another server too), with the server's faults: lost answers, 503, cut bodies.
#include "fake_s3.h"
#include "object_suite.h"
#include "../sim/cloud.h"

#include "../../io/sim.h"
#include "../../node/hub.h"

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

// A limit is a lower bound of the time that requests take: so much must have passed when they are done.
TEST(limits_are_kept)
{
    static const struct {
        u64 upload, download, requests;
        u32 puts, gets;
        u64 ms_min;
    } CASES[] = {
        {0, 0, 0, 4, 4, 0},
        {1000000, 0, 0, 4, 4, 300}, // of four puts the last begins when three are paid for
        {0, 1000000, 0, 4, 4, 300},
        {0, 0, 20, 15, 12, 300}, // a second's worth at once, then 7 more at 50 ms each
    };
    static u8 body[100000];
    for (u32 i = 0; i < COUNT_OF(CASES); i++) {
        struct world w;
        struct object_store_options o = {.url = "/store", .upload_bytes_per_s = CASES[i].upload, .requests_per_s = CASES[i].requests,
                                         .download_bytes_per_s = CASES[i].download};
        if (!world_open(&w, IO_BACKEND_MEMORY, &o)) return;
        struct object_request r;
        struct object_store_stats stats;
        object_request_init(&r, NULL, NULL);
        u64 began = io_now_ns(w.io);
        for (u32 k = 0; k < CASES[i].puts; k++) CHECK_EQ(run(&w, &r, OBJECT_PUT, "x", body, sizeof body), ERR_OK);
        for (u32 k = 0; k < CASES[i].gets; k++) CHECK_EQ(run(&w, &r, OBJECT_GET, "x", NULL, 0), ERR_OK);
        u64 ms = (io_now_ns(w.io) - began) / 1000000;
        object_store_stats_get(w.store, &stats);
        if (ms < CASES[i].ms_min || (CASES[i].ms_min ? stats.limited_ms == 0 : stats.limited_ms != 0))
            test_fail(__FILE__, __LINE__, "row %u took %llu ms, %llu of them for the limits", i, (unsigned long long)ms,
                      (unsigned long long)stats.limited_ms);
        object_request_deinit(&r);
        world_close(&w);
    }
}

// Of n values between 0 and max: a hundredth of them at each end, about as many in each eighth, and half of max as their mean.
static void full_jitter(const u64 *values, u32 n, u64 max, const char *what)
{
    u32 eighths[8] = {0};
    u64 sum = 0, least = UINT64_MAX, most = 0;
    for (u32 i = 0; i < n; i++) {
        u64 eighth = values[i] * 8 / (max + 1);
        if (values[i] > max) {
            test_fail(__FILE__, __LINE__, "%s: %llu ms, at most %llu are right", what, (unsigned long long)values[i], (unsigned long long)max);
            return;
        }
        eighths[eighth]++;
        sum += values[i];
        least = MIN(least, values[i]);
        most = MAX(most, values[i]);
    }
    if (least > max / 50 || most < max - max / 50) test_fail(__FILE__, __LINE__, "%s: from %llu to %llu ms, want 0 to %llu", what, (unsigned long long)least, (unsigned long long)most, (unsigned long long)max);
    if (sum / n < max * 45 / 100 || sum / n > max * 55 / 100) test_fail(__FILE__, __LINE__, "%s: mean %llu of at most %llu ms", what, (unsigned long long)(sum / n), (unsigned long long)max);
    for (u32 i = 0; i < 8; i++)
        if (eighths[i] < n / 8 * 7 / 10 || eighths[i] > n / 8 * 13 / 10) test_fail(__FILE__, __LINE__, "%s: %u of %u values are in eighth %u", what, eighths[i], n, i);
}

// Waits before a try are drawn from all between nothing and a bound that doubles, so that nodes which lost a store at the same
// moment do not come back at the same moment.
TEST(retries_wait_with_full_jitter)
{
    enum { DRAWS = 4000 };
    static u64 values[DRAWS];
    struct sim *sim = sim_create(976);
    struct err err = ERR_CLEAR;
    struct io *io = io_create(&(struct io_options){.backend = IO_BACKEND_SIM, .sim = sim}, &err);
    REQUIRE(io != NULL);
    static const u32 ATTEMPTS[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 40, UINT32_MAX};
    for (u32 a = 0; a < COUNT_OF(ATTEMPTS); a++) {
        char what[40];
        u64 max = 500;
        for (u32 i = 0; i < ATTEMPTS[a] && max < 60000; i++) max *= 2;
        for (u32 i = 0; i < DRAWS; i++) values[i] = object_backoff_ms(io, ATTEMPTS[a]);
        snprintf(what, sizeof what, "after try %u", ATTEMPTS[a]);
        full_jitter(values, DRAWS, MIN(max, 60000u), what);
    }
    io_destroy(io);
    sim_destroy(sim);
}

struct waits {
    u64 *ms;
    u32 count;
};

static void note_wait(struct object_request *r, u64 wait_ms)
{
    struct waits *w = r->context;
    w->ms[w->count++] = wait_ms;
}

// And requests take what was drawn: of a store that answers 503 each time, on a clock that does not pass by itself.
TEST(requests_wait_as_long_as_was_drawn)
{
    enum { TRIES = 3000 };
    static u64 ms[TRIES];
    struct waits waits = {.ms = ms};
    struct sim *sim = sim_create(977);
    struct err err = ERR_CLEAR;
    struct cloud cloud;
    struct io *io = io_create(&(struct io_options){.backend = IO_BACKEND_SIM, .sim = sim}, &err);
    REQUIRE(io != NULL);
    cloud_init(&cloud, 5);
    cloud.unavailable = 1000;
    struct object_store *store = cloud_open(&cloud, io);
    struct object_request r;
    object_request_init(&r, NULL, &waits);
    r.kind = OBJECT_PUT;
    strcpy(r.key, "x");
    r.body = "y", r.body_size = 1;
    r.tries_max = TRIES + 1;
    r.on_retry = note_wait;
    u64 began = io_now_ns(io), sum = 0;
    object_start(store, &r);
    while (r.done.state != COMPLETION_DONE && io_step(io, 1000000000) >= 0) continue;
    CHECK_EQ(r.err.code, ERR_STORE_UNAVAILABLE);
    CHECK_EQ(waits.count, TRIES);
    for (u32 i = 0; i < waits.count; i++) sum += ms[i];
    CHECK((io_now_ns(io) - began) / 1000000 >= sum);
    full_jitter(ms + 10, TRIES - 10, 60000, "a store that is away"); // the bound has grown to its most
    object_request_deinit(&r);
    object_store_close(store);
    io_destroy(io);
    sim_destroy(sim);
    cloud_deinit(&cloud);
}

// A probe that begins again is not done until it is, and one that is cancelled asks for nothing more.
TEST(probes_begin_again)
{
    struct sim *sim = sim_create(978);
    struct err err = ERR_CLEAR;
    struct cloud cloud;
    struct io *io = io_create(&(struct io_options){.backend = IO_BACKEND_SIM, .sim = sim}, &err);
    REQUIRE(io != NULL);
    cloud_init(&cloud, 6);
    cloud.unavailable = 1000;
    struct object_store *store = cloud_open(&cloud, io);
    struct object_store_stats stats;
    struct object_probe p = {0};
    completion_init(&p.done, NULL, NULL);
    for (u32 i = 0; i < 3; i++) {
        object_probe_start(store, &p, "probe/", "claim", "x", 1);
        CHECK(p.done.state != COMPLETION_DONE);
        object_store_stats_get(store, &stats);
        u64 before = stats.requests[OBJECT_PUT_IF_ABSENT];
        if (i == 1) object_probe_cancel(&p);
        while (p.done.state != COMPLETION_DONE && io_step(io, 1000000000) >= 0) continue;
        object_store_stats_get(store, &stats);
        CHECK_EQ(p.err.code, i == 1 ? ERR_CANCELLED : ERR_STORE_UNAVAILABLE);
        CHECK_EQ(stats.requests[OBJECT_PUT_IF_ABSENT] > before, i != 1);
        object_probe_deinit(&p);
    }
    object_store_close(store);
    io_destroy(io);
    sim_destroy(sim);
    cloud_deinit(&cloud);
}

static void note_order(struct completion *c)
{
    struct object_request *r = c->context;
    u32 **next = r->context;
    *(*next)++ = (u32)r->range_offset;
}

// Of ranges that are asked for in this order, by who is patient: the others come first, each in the order of asking.
TEST(patient_requests_let_others_go_first)
{
    static const bool PATIENT[] = {false, true, true, false, true, false};
    static const u32 WANT[] = {0, 3, 5};
    static u8 body[100000];
    struct world w;
    struct object_request r[COUNT_OF(PATIENT)], put;
    u32 order[COUNT_OF(PATIENT)], *next = order;
    if (!world_open(&w, IO_BACKEND_MEMORY, &(struct object_store_options){.url = "/store", .download_bytes_per_s = 500000})) return;
    object_request_init(&put, NULL, NULL);
    CHECK_EQ(run(&w, &put, OBJECT_PUT, "x", body, sizeof body), ERR_OK);
    object_request_deinit(&put);
    for (u32 i = 0; i < COUNT_OF(PATIENT); i++) {
        object_request_init(&r[i], note_order, &next);
        r[i].kind = OBJECT_GET;
        strcpy(r[i].key, "x");
        r[i].range_offset = i;
        r[i].range_size = 20000;
        r[i].patient = PATIENT[i];
        object_start(w.store, &r[i]);
        CHECK_EQ(object_request_yields(&r[i]), PATIENT[i]);
    }
    object_cancel(&r[4]);
    while (next < order + COUNT_OF(PATIENT) && io_step(w.io, 1000000000) >= 0) continue;
    u32 found = 0;
    for (u32 i = 0; i < COUNT_OF(PATIENT); i++)
        if (!PATIENT[order[i]]) CHECK_EQ(order[i], WANT[found++]);
    CHECK(!PATIENT[order[3]]);
    for (u32 i = 0; i < COUNT_OF(PATIENT); i++) {
        CHECK_EQ(r[i].err.code, i == 4 ? ERR_CANCELLED : ERR_OK);
        object_request_deinit(&r[i]);
    }
    CHECK_EQ(object_store_piece(w.store, 65536, 1 << 20), 125000);
    world_close(&w);
}

// What waits for its turn and what comes later end at once, and none of it with an answer.
TEST(interrupted_stores_keep_nobody)
{
    static u8 body[100000];
    struct world w;
    struct object_request r[4], put;
    if (!world_open(&w, IO_BACKEND_MEMORY, &(struct object_store_options){.url = "/store", .download_bytes_per_s = 1})) return;
    object_request_init(&put, NULL, NULL);
    CHECK_EQ(run(&w, &put, OBJECT_PUT, "x", body, sizeof body), ERR_OK);
    object_request_deinit(&put);
    for (u32 i = 0; i < COUNT_OF(r); i++) {
        object_request_init(&r[i], NULL, NULL);
        r[i].kind = OBJECT_GET;
        strcpy(r[i].key, "x");
        r[i].patient = i == 2;
        if (i == 3) object_store_interrupt(w.store);
        object_start(w.store, &r[i]);
    }
    for (u32 turn = 0; turn < 100; turn++) io_step(w.io, 0);
    for (u32 i = 0; i < COUNT_OF(r); i++) {
        CHECK(!object_request_busy(&r[i]));
        CHECK_EQ(r[i].err.code, ERR_CANCELLED);
        object_request_deinit(&r[i]);
    }
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
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    for (u32 i = 0; i < COUNT_OF(CASES); i++) {
        err = ERR_CLEAR;
        struct object_store_options o = {
            .url = CASES[i].url, .access_key = CASES[i].access_key, .secret_key = "s"};
        struct object_store *s = object_store_open(io, NULL, &o, &err);
        if (s || err.code != ERR_USAGE) test_fail(__FILE__, __LINE__, "case %u is not refused", i);
    }
    io_destroy(io);
}

// ---- hub
// ----------------------------------------------------------------------------------------------

static struct hub *the_hub;

static void hub_handler(struct http_exchange *x)
{
    hub_handle(the_hub, x);
}

static bool hub_streams(struct http_exchange *x)
{
    return hub_takes(http_path(x));
}

static struct http_server *hub_serve(struct io *io, u64 size_max)
{
    struct err err = ERR_CLEAR;
    struct http_server_options o = {.address = "127.0.0.1:0",
                                    .connections_max = 100,
                                    .header_size_max = 65536,
                                    .body_size_max = 1000,
                                    .header_timeout_ms = 10000,
                                    .body_timeout_ms = 10000,
                                    .idle_timeout_ms = 10000,
                                    .send_timeout_ms = 10000,
                                    .streams = hub_streams,
                                    .stream_size_max = size_max,
                                    .handle = hub_handler};
    the_hub = hub_create(
        &(struct hub_options){.io = io, .directory = test_dir(), .token = "a token of the hub's"}, &err);
    struct http_server *s = the_hub ? http_server_open(io, &o, &err) : NULL;
    if (s && !http_server_start(s, &err)) abort();
    return s;
}

static void hub_end(struct io *io, struct http_server *server)
{
    struct completion done;
    completion_init(&done, NULL, NULL);
    http_server_stop(server, io_now_ns(io) + 1000000000, &done);
    while (done.state != COMPLETION_DONE) io_step(io, 100000000);
    http_server_close(server);
    while (hub_busy(the_hub)) io_step(io, 100000000);
    hub_destroy(the_hub);
}

TEST(hub_in_process)
{
    struct err err = ERR_CLEAR;
    struct world w = {.io = io_create(&(struct io_options){.backend = IO_BACKEND_RING, .fallback = true},
                                      &err)};
    REQUIRE(w.io);
    w.http = io_http_create(w.io, &err);
    struct http_server *server = hub_serve(w.io, 10u << 20);
    REQUIRE(server);
    char url[100];
    snprintf(url, sizeof url, "hub+http://127.0.0.1:%u/nodes/one", http_server_port(server));
    struct object_store_options o = {.url = url, .token = "a token of the hub's"};
    w.store = object_store_open(w.io, w.http, &o, &err);
    REQUIRE(w.store);
    object_suite(&w, 100000);
    // More than the hub takes at once.
    struct object_request r;
    object_request_init(&r, NULL, NULL);
    u8 *big = calloc(1, 11u << 20);
    CHECK_EQ(run(&w, &r, OBJECT_PUT, "too-big", big, 11u << 20), ERR_USAGE);
    CHECK_EQ(run(&w, &r, OBJECT_GET, "too-big", NULL, 0), ERR_STORE_MISSING);
    free(big);
    object_request_deinit(&r);
    object_store_close(w.store);

    o.token = "a token of another";
    w.store = object_store_open(w.io, w.http, &o, &err);
    REQUIRE(w.store);
    object_request_init(&r, NULL, NULL);
    CHECK_EQ(run(&w, &r, OBJECT_GET, "d/head", NULL, 0), ERR_STORE_DENIED);
    CHECK_EQ(run(&w, &r, OBJECT_PUT, "d/head", "xxx", 3), ERR_STORE_DENIED);
    CHECK_EQ(run(&w, &r, OBJECT_LIST, "d/", NULL, 0), ERR_STORE_DENIED);
    object_request_deinit(&r);
    object_store_close(w.store);
    io_http_destroy(w.http);
    hub_end(w.io, server);
    io_destroy(w.io);
}

// A hub that is asked by hand: paths that lead out of it, digests that do not match, bodies that
// are not whole.
TEST(hub_refuses)
{
    static const struct {
        const char *method, *target, *header, *body;
        int status;
    } CASES[] = {
        {"GET", "/store/../secret", NULL, NULL, 400},
        {"GET", "/store/%2e%2e/secret", NULL, NULL, 400},
        {"GET", "/store/a/..%2f..%2fsecret", NULL, NULL, 400},
        {"GET", "/store/a%00b", NULL, NULL, 400},
        {"GET", "/store/.tmp/lock", NULL, NULL, 400},
        {"GET", "/store//etc/passwd", NULL, NULL, 400},
        {"PUT", "/store/x", "Content-MD5: AAAAAAAAAAAAAAAAAAAAAA==", "hello", 400},
        {"GET", "/store/x", NULL, NULL, 404},
        {"PUT", "/store/x", "Content-MD5: XUFAKrxLKna5cZ2REBfFkg==", "hello", 200},
        {"GET", "/store/x", "Range: bytes=1-3", NULL, 206},
        {"GET", "/store/x", "Range: bytes=9-", NULL, 416},
        {"GET", "/store/x", "Range: bytes=-3", NULL, 200},
        {"GET", "/store/?list-type=2&delimiter=/&prefix=../", NULL, NULL, 400},
        {"GET", "/store/?list-type=2&prefix=", NULL, NULL, 400},
        {"POST", "/store/?delete", NULL, "<Delete><Key>../../x</Key></Delete>", 400},
        {"POST", "/store/x?uploads", NULL, "", 400},
        {"PUT", "/store/x?uploadId=../x&partNumber=1", "x-skerry-part-size: 5", "hello", 404},
        {"PUT", "/store/x?uploadId=0123456789abcdef&partNumber=10001", NULL, "hello", 400},
        {"POST", "/store/x?uploadId=0123456789abcdef", NULL, "<Part></Part>", 404},
        {"DELETE", "/store/x", NULL, NULL, 204},
        {"PATCH", "/store/x", NULL, "hello", 400},
    };
    struct err err = ERR_CLEAR;
    struct io *io = io_create(&(struct io_options){.backend = IO_BACKEND_POSIX}, &err);
    REQUIRE(io);
    struct io_http *http = io_http_create(io, &err);
    struct http_server *server = hub_serve(io, 1000);
    REQUIRE(server);
    for (u32 i = 0; i < COUNT_OF(CASES); i++) {
        char url[200], name[60] = "", value[100] = "";
        snprintf(url, sizeof url, "http://127.0.0.1:%u%s", http_server_port(server), CASES[i].target);
        struct io_http_header headers[2] = {{"Authorization", "Bearer a token of the hub's"},
                                            {name, value}};
        if (CASES[i].header)
            CHECK_EQ(sscanf(CASES[i].header, "%59[^:]: %99[^\n]", name, value), 2);
        struct io_http_request r = {.method = CASES[i].method,
                                    .url = url,
                                    .headers = headers,
                                    .header_count = CASES[i].header ? 2 : 1,
                                    .body = CASES[i].body,
                                    .body_size = CASES[i].body ? strlen(CASES[i].body) : 0};
        completion_init(&r.done, NULL, NULL);
        io_http_start(http, &r);
        for (u32 j = 0; j < 1000 && r.done.state != COMPLETION_DONE; j++) io_step(io, 100000000);
        if (r.status != CASES[i].status)
            test_fail(__FILE__, __LINE__, "%s %s: status %d (%s), want %d", CASES[i].method,
                      CASES[i].target, r.status, r.err.text, CASES[i].status);
        io_http_request_deinit(&r);
    }
    io_http_destroy(http);
    hub_end(io, server);
    io_destroy(io);
}

TEST(hub_store_over_named_server)
{
    const char *given = getenv("SKERRY_TEST_HUB");
    REQUIRE(given != NULL);
    char base[200], token[100], url[300];
    REQUIRE(sscanf(given, "%199[^,],%99s", base, token) == 2);
    u64 seed = test_seed();
    snprintf(url, sizeof url, "%s/t%016llx", base, (unsigned long long)test_random(&seed));
    struct world w;
    if (!world_open(&w, IO_BACKEND_RING, &(struct object_store_options){.url = url, .token = token}))
        return;
    object_suite(&w, 3000000);
    world_close(&w);
}

// ---- S3
// -----------------------------------------------------------------------------------------------

TEST(s3_store_over_fake)
{
    if (!fake_s3_start(NULL)) {
        test_skip("tests/s3/fakes3.py needs python3 and curl");
        return;
    }
    struct world w;
    struct object_store_options o = {.url = "s3://skerry-test/some/prefix",
                                     .endpoint = fake_s3_endpoint,
                                     .access_key = "testak",
                                     .secret_key = "testsk1234567890"};
    if (!world_open(&w, IO_BACKEND_RING, &o)) return;
    struct object_request r;
    object_request_init(&r, NULL, NULL);
    CHECK_EQ(run(&w, &r, OBJECT_PUT, "d/x", "x", 1), ERR_USAGE); // no such bucket
    CHECK(strstr(r.err.text, "NoSuchBucket") != NULL);
    fake_s3_admin("/_bucket?name=skerry-test");
    object_suite(&w, OBJECT_PART_SIZE_MIN);

    // A lost answer: the put was done, the next try says so (libcurl tries by itself on a
    // connection that was open already).
    fake_s3_admin("/_fault?match=PUT&do=lost&n=1");
    err_code code = run(&w, &r, OBJECT_PUT_IF_ABSENT, "d/lost", "x", 1);
    CHECK(object_error_passes(&r.err) || code == ERR_STORE_EXISTS);
    fake_s3_admin("/_fault?match=PUT&do=lost&n=2");
    r.tries_max = 4;
    CHECK_EQ(run(&w, &r, OBJECT_PUT_IF_ABSENT, "d/lost-twice", "x", 1), ERR_OK);
    r.tries_max = 0;
    CHECK_EQ(run(&w, &r, OBJECT_PUT_IF_ABSENT, "d/lost", "x", 1), ERR_STORE_EXISTS);
    fake_s3_admin("/_fault?match=GET&do=503&n=1");
    CHECK_EQ(run(&w, &r, OBJECT_GET, "d/lost", NULL, 0), ERR_STORE_UNAVAILABLE);
    CHECK(object_error_passes(&r.err));
    fake_s3_admin("/_fault?match=GET&do=trunc&n=1");
    CHECK(run(&w, &r, OBJECT_GET, "d/big", NULL, 0) != ERR_OK);
    CHECK(object_error_passes(&r.err));
    fake_s3_admin("/_fault?match=GET&do=drop&n=1");
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
    fake_s3_stop();
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
    static char *without_server[] = {"object_store_test", "directory_store", "limits", "retries", "requests_wait", "patient", "probes", "interrupted",
                                     "store_urls", "s3_store_over_fake", "hub_in_process", "hub_refuses"};
    if (argc < 2) return test_main(COUNT_OF(without_server), without_server);
    return test_main(argc, argv);
}
