#include "object_suite.h"

bool world_open(struct world *w, enum io_backend_kind backend,
                const struct object_store_options *options)
{
    struct err err = ERR_CLEAR;
    w->io = io_create(&(struct io_options){.backend = backend, .fallback = true}, &err);
    w->http = w->io ? io_http_create(w->io, &err) : NULL;
    w->store = w->http ? object_store_open(w->io, w->http, options, &err) : NULL;
    if (!w->store) test_fail(__FILE__, __LINE__, "%s", err.text);
    return w->store != NULL;
}

void world_close(struct world *w)
{
    object_store_close(w->store);
    io_http_destroy(w->http);
    io_destroy(w->io);
}

void wait_done(struct world *w, struct object_request *r)
{
    for (u32 i = 0; i < 100000 && object_request_busy(r); i++) io_step(w->io, 100000000);
    CHECK(!object_request_busy(r));
}

err_code run(struct world *w, struct object_request *r, enum object_kind kind, const char *key,
             const void *body, size_t size)
{
    r->kind = kind;
    snprintf(r->key, sizeof r->key, "%s", key);
    r->body = body;
    r->body_size = size;
    object_start(w->store, r);
    wait_done(w, r);
    return r->err.code;
}

static bool answer_is(const struct object_request *r, const char *want)
{
    return r->answer_size == strlen(want) && memcmp(r->answer, want, r->answer_size) == 0;
}

static void put_and_get(struct world *w, struct object_request *r)
{
    CHECK_EQ(run(w, r, OBJECT_GET, "d/none", NULL, 0), ERR_STORE_MISSING);
    CHECK_EQ(run(w, r, OBJECT_HEAD, "d/none", NULL, 0), ERR_STORE_MISSING);
    CHECK_EQ(run(w, r, OBJECT_PUT_IF_ABSENT, "d/log/0002", "two", 3), ERR_OK);
    CHECK_EQ(run(w, r, OBJECT_PUT_IF_ABSENT, "d/log/0002", "TWO", 3), ERR_STORE_EXISTS);
    CHECK_EQ(run(w, r, OBJECT_GET, "d/log/0002", NULL, 0), ERR_OK);
    CHECK(answer_is(r, "two"));
    // Tried more than once, its own bytes there are a success, others are not.
    r->tries_max = 2;
    CHECK_EQ(run(w, r, OBJECT_PUT_IF_ABSENT, "d/log/0002", "two", 3), ERR_OK);
    CHECK_EQ(run(w, r, OBJECT_PUT_IF_ABSENT, "d/log/0002", "tw", 2), ERR_STORE_EXISTS);
    CHECK_EQ(run(w, r, OBJECT_PUT_IF_ABSENT, "d/log/0002", "twoo", 4), ERR_STORE_EXISTS);
    r->tries_max = 0;
    CHECK_EQ(run(w, r, OBJECT_PUT, "d/head", "first", 5), ERR_OK);
    CHECK_EQ(run(w, r, OBJECT_PUT, "d/head", "second!", 7), ERR_OK);
    CHECK_EQ(run(w, r, OBJECT_GET, "d/head", NULL, 0), ERR_OK);
    CHECK(answer_is(r, "second!"));
    CHECK_EQ(r->size, 7);
    CHECK_EQ(run(w, r, OBJECT_PUT, "d/empty", "", 0), ERR_OK);
    CHECK_EQ(run(w, r, OBJECT_GET, "d/empty", NULL, 0), ERR_OK);
    CHECK_EQ(r->answer_size, 0);
    CHECK_EQ(run(w, r, OBJECT_HEAD, "d/head", NULL, 0), ERR_OK);
    CHECK_EQ(r->size, 7);
    CHECK(r->version[0] != 0);
    s64 age_ms = io_wall_ms(w->io) - r->modified_ms;
    CHECK(age_ms > -60000 && age_ms < 600000);
}

static void ranges(struct world *w, struct object_request *r)
{
    static const struct {
        u64 offset, size;
        const char *want;
    } CASES[] = {{2, 3, "con"}, {0, 1, "s"}, {5, 0, "d!"}, {5, 100, "d!"}, {6, 1, "!"},
                 {7, 1, ""},    {7, 0, ""},  {100, 5, ""}, {0, 7, "second!"}};
    for (u32 i = 0; i < COUNT_OF(CASES); i++) {
        r->range_offset = CASES[i].offset;
        r->range_size = CASES[i].size;
        CHECK_EQ(run(w, r, OBJECT_GET, "d/head", NULL, 0), ERR_OK);
        if (!answer_is(r, CASES[i].want))
            test_fail(__FILE__, __LINE__, "range %u gave %zu bytes", i, r->answer_size);
        if (CASES[i].want[0]) CHECK_EQ(r->size, 7); // not all tell it behind the end
    }
    r->range_offset = 0;
    r->range_size = 5;
    CHECK_EQ(run(w, r, OBJECT_GET, "d/empty", NULL, 0), ERR_OK);
    CHECK_EQ(r->answer_size, 0);
    CHECK_EQ(run(w, r, OBJECT_GET, "d/none", NULL, 0), ERR_STORE_MISSING);
    r->range_offset = r->range_size = 0;
}

static void conditional_gets(struct world *w, struct object_request *r)
{
    CHECK_EQ(run(w, r, OBJECT_PUT, "d/watched", "one", 3), ERR_OK);
    char put_version[OBJECT_VERSION_MAX];
    memcpy(put_version, r->version, sizeof put_version);
    CHECK_EQ(run(w, r, OBJECT_GET, "d/watched", NULL, 0), ERR_OK);
    CHECK(!r->unchanged && r->version[0]);
    CHECK_STR(r->version, put_version);
    memcpy(r->if_version, r->version, sizeof r->if_version);
    CHECK_EQ(run(w, r, OBJECT_GET, "d/watched", NULL, 0), ERR_OK);
    CHECK(r->unchanged);
    CHECK_EQ(r->answer_size, 0);
    CHECK_STR(r->version, r->if_version);
    CHECK_EQ(run(w, r, OBJECT_PUT, "d/watched", "two", 3), ERR_OK);
    CHECK_EQ(run(w, r, OBJECT_GET, "d/watched", NULL, 0), ERR_OK);
    CHECK(!r->unchanged && answer_is(r, "two"));
    CHECK(strcmp(r->version, r->if_version) != 0);
    CHECK_EQ(run(w, r, OBJECT_DELETE, "d/watched", NULL, 0), ERR_OK);
    CHECK_EQ(run(w, r, OBJECT_GET, "d/watched", NULL, 0), ERR_STORE_MISSING);
    r->if_version[0] = 0;
}

static void lists(struct world *w, struct object_request *r)
{
    for (u32 i = 1; i < 6; i++) {
        char key[64];
        snprintf(key, sizeof key, "d/log/%04u", i * 10);
        CHECK_EQ(run(w, r, OBJECT_PUT_IF_ABSENT, key, key, strlen(key)), ERR_OK);
    }
    CHECK_EQ(run(w, r, OBJECT_LIST, "d/log/", NULL, 0), ERR_OK);
    CHECK_EQ(r->entry_count, 6);
    if (r->entry_count == 6) {
        CHECK_STR(r->entries[0].key, "d/log/0002");
        CHECK_STR(r->entries[5].key, "d/log/0050");
        CHECK_EQ(r->entries[5].size, 10);
        s64 age_ms = io_wall_ms(w->io) - r->entries[5].modified_ms;
        CHECK(age_ms > -60000 && age_ms < 600000);
    }
    CHECK(!r->more);
    snprintf(r->after, sizeof r->after, "d/log/0020");
    CHECK_EQ(run(w, r, OBJECT_LIST, "d/log/", NULL, 0), ERR_OK);
    CHECK_EQ(r->entry_count, 3);
    r->after[0] = 0;
    // In pages of the caller's: every key once, in order.
    u32 seen = 0, pages = 0;
    char last[OBJECT_KEY_MAX] = "";
    r->list_limit = 4;
    do {
        CHECK_EQ(run(w, r, OBJECT_LIST, "d/log/", NULL, 0), ERR_OK);
        CHECK(r->entry_count <= 4);
        for (u32 i = 0; i < r->entry_count; i++, seen++) {
            CHECK(strcmp(r->entries[i].key, last) > 0);
            snprintf(last, sizeof last, "%s", r->entries[i].key);
        }
        snprintf(r->after, sizeof r->after, "%s", last);
    } while (r->more && ++pages < 10);
    CHECK_EQ(seen, 6);
    CHECK_EQ(pages, 1);
    r->list_limit = 0;
    r->after[0] = 0;
    CHECK_EQ(run(w, r, OBJECT_LIST, "nothing/here/", NULL, 0), ERR_OK);
    CHECK_EQ(r->entry_count, 0);
    // Folders only for who asks.
    CHECK_EQ(run(w, r, OBJECT_LIST, "d/", NULL, 0), ERR_OK);
    CHECK_EQ(r->entry_count, 2);
    r->list_folders = true;
    CHECK_EQ(run(w, r, OBJECT_LIST, "d/", NULL, 0), ERR_OK);
    CHECK_EQ(r->entry_count, 3);
    if (r->entry_count == 3) CHECK_STR(r->entries[2].key, "d/log/");
    CHECK_EQ(run(w, r, OBJECT_LIST, "", NULL, 0), ERR_OK);
    CHECK_EQ(r->entry_count, 1);
    if (r->entry_count == 1) CHECK_STR(r->entries[0].key, "d/");
    r->list_folders = false;
}

static void deletes(struct world *w, struct object_request *r)
{
    static const char *const KEYS[] = {"d/log/0020", "d/log/none", "d/log/0030", "e/x", "d/log/0040"};
    CHECK_EQ(run(w, r, OBJECT_DELETE, "d/log/0010", NULL, 0), ERR_OK);
    CHECK_EQ(run(w, r, OBJECT_DELETE, "d/log/0010", NULL, 0), ERR_OK);
    CHECK_EQ(run(w, r, OBJECT_GET, "d/log/0010", NULL, 0), ERR_STORE_MISSING);
    CHECK_EQ(run(w, r, OBJECT_PUT, "e/x", "x", 1), ERR_OK);
    r->keys = KEYS;
    r->key_count = COUNT_OF(KEYS);
    CHECK_EQ(run(w, r, OBJECT_DELETE_MANY, "", NULL, 0), ERR_OK);
    for (u32 i = 0; i < COUNT_OF(KEYS); i++)
        CHECK_EQ(run(w, r, OBJECT_GET, KEYS[i], NULL, 0), ERR_STORE_MISSING);
    CHECK_EQ(run(w, r, OBJECT_LIST, "d/log/", NULL, 0), ERR_OK);
    CHECK_EQ(r->entry_count, 2);
    r->key_count = 0;
    CHECK_EQ(run(w, r, OBJECT_DELETE_MANY, "", NULL, 0), ERR_OK);
}

static void keys(struct world *w, struct object_request *r)
{
    static const char *const ODD[] = {"k/a b+c%d&e=f~\xc3\xa9", "k/'\"<>;,!@$()*[]{}|^`#?",
                                      "k/%41%2F", "k/\xe2\x82\xac\xf0\x9f\x92\xbe", "k/-._~",
                                      "k/..a", "k/a..", "k/a=b"};
    static const char *const REFUSED[] = {"", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", ".tmp/x",
                                          ".tmp", "a\nb", "a/\x7f"};
    for (u32 i = 0; i < COUNT_OF(ODD); i++) {
        CHECK_EQ(run(w, r, OBJECT_PUT_IF_ABSENT, ODD[i], ODD[i], strlen(ODD[i])), ERR_OK);
        CHECK_EQ(run(w, r, OBJECT_PUT_IF_ABSENT, ODD[i], "x", 1), ERR_STORE_EXISTS);
        CHECK_EQ(run(w, r, OBJECT_GET, ODD[i], NULL, 0), ERR_OK);
        if (!answer_is(r, ODD[i])) test_fail(__FILE__, __LINE__, "key %s has other bytes", ODD[i]);
        // A listing goes on behind an odd key.
        snprintf(r->after, sizeof r->after, "%s", ODD[i]);
        CHECK_EQ(run(w, r, OBJECT_LIST, "k/", NULL, 0), ERR_OK);
        for (u32 j = 0; j < r->entry_count; j++) CHECK(strcmp(r->entries[j].key, ODD[i]) > 0);
        r->after[0] = 0;
    }
    CHECK_EQ(run(w, r, OBJECT_LIST, "k/", NULL, 0), ERR_OK);
    CHECK_EQ(r->entry_count, COUNT_OF(ODD));
    for (u32 i = 0; i < COUNT_OF(ODD); i++) {
        bool found = false;
        for (u32 j = 0; j < r->entry_count; j++) found |= strcmp(r->entries[j].key, ODD[i]) == 0;
        if (!found) test_fail(__FILE__, __LINE__, "key %s is not listed", ODD[i]);
    }
    r->keys = ODD;
    r->key_count = COUNT_OF(ODD);
    CHECK_EQ(run(w, r, OBJECT_DELETE_MANY, "", NULL, 0), ERR_OK);
    CHECK_EQ(run(w, r, OBJECT_LIST, "k/", NULL, 0), ERR_OK);
    CHECK_EQ(r->entry_count, 0);
    for (u32 i = 0; i < COUNT_OF(REFUSED); i++)
        if (run(w, r, OBJECT_PUT, REFUSED[i], "x", 1) != ERR_USAGE)
            test_fail(__FILE__, __LINE__, "key '%s' is not refused", REFUSED[i]);
}

static void fill(u8 *bytes, size_t size, u32 salt)
{
    for (size_t i = 0; i < size; i++) bytes[i] = (u8)((i + salt) * 2654435761u >> 13);
}

static void large_objects(struct world *w, struct object_request *r)
{
    size_t size = 9u << 20;
    u8 *big = malloc(size);
    fill(big, size, 0);
    CHECK_EQ(run(w, r, OBJECT_PUT_IF_ABSENT, "d/big", big, size), ERR_OK);
    CHECK_EQ(run(w, r, OBJECT_GET, "d/big", NULL, 0), ERR_OK);
    CHECK(r->answer_size == size && memcmp(r->answer, big, size) == 0);
    r->range_offset = 5000000;
    r->range_size = 1000000;
    CHECK_EQ(run(w, r, OBJECT_GET, "d/big", NULL, 0), ERR_OK);
    CHECK(r->answer_size == 1000000 && memcmp(r->answer, big + 5000000, 1000000) == 0);
    r->range_offset = r->range_size = 0;
    r->answer_size_max = 1000;
    CHECK_EQ(run(w, r, OBJECT_GET, "d/big", NULL, 0), ERR_LIMIT);
    r->answer_size_max = 0;
    free(big);
}

static void uploads(struct world *w, struct object_request *r, u64 part_size)
{
    size_t size = (size_t)part_size * 2 + part_size / 3, last = part_size / 3;
    u8 *big = malloc(size);
    fill(big, size, 7);
    struct object_upload u = {.part_size = part_size};
    r->upload = &u;
    CHECK_EQ(run(w, r, OBJECT_PUT, "u/object", "old", 3), ERR_OK);
    CHECK_EQ(run(w, r, OBJECT_UPLOAD_BEGIN, "u/object", NULL, 0), ERR_OK);
    // Out of order, and the first one twice.
    r->part = 2;
    CHECK_EQ(run(w, r, OBJECT_UPLOAD_PART, "u/object", big + 2 * part_size, last), ERR_OK);
    r->part = 0;
    CHECK_EQ(run(w, r, OBJECT_UPLOAD_PART, "u/object", big, part_size), ERR_OK);
    CHECK_EQ(run(w, r, OBJECT_UPLOAD_PART, "u/object", big, part_size), ERR_OK);
    // A restart: the id, the key and the size of the parts is all that was kept.
    struct object_upload resumed = {.part_size = part_size};
    memcpy(resumed.id, u.id, sizeof resumed.id);
    object_upload_deinit(&u);
    r->upload = &resumed;
    CHECK_EQ(run(w, r, OBJECT_UPLOAD_PARTS, "u/object", NULL, 0), ERR_OK);
    CHECK_EQ(resumed.part_count, 3);
    if (resumed.part_count == 3) {
        CHECK_EQ(resumed.parts[0].size, part_size);
        CHECK_EQ(resumed.parts[1].size, 0);
        CHECK_EQ(resumed.parts[2].size, last);
    }
    CHECK_EQ(run(w, r, OBJECT_UPLOAD_LIST, "u/", NULL, 0), ERR_OK);
    CHECK_EQ(r->entry_count, 1);
    if (r->entry_count == 1) {
        CHECK_STR(r->entries[0].key, "u/object");
        CHECK_STR(r->entries[0].upload, resumed.id);
    }
    r->part = 1;
    CHECK_EQ(run(w, r, OBJECT_UPLOAD_PART, "u/object", big + part_size, part_size), ERR_OK);
    CHECK_EQ(run(w, r, OBJECT_GET, "u/object", NULL, 0), ERR_OK);
    CHECK(answer_is(r, "old")); // not there before it is whole
    CHECK_EQ(run(w, r, OBJECT_UPLOAD_FINISH, "u/object", NULL, 0), ERR_OK);
    CHECK_EQ(run(w, r, OBJECT_GET, "u/object", NULL, 0), ERR_OK);
    CHECK(r->answer_size == size && memcmp(r->answer, big, size) == 0);
    // The answer was lost, and it is finished again.
    CHECK_EQ(run(w, r, OBJECT_UPLOAD_FINISH, "u/object", NULL, 0), ERR_OK);
    CHECK_EQ(run(w, r, OBJECT_UPLOAD_LIST, "u/", NULL, 0), ERR_OK);
    CHECK_EQ(r->entry_count, 0);
    object_upload_deinit(&resumed);

    struct object_upload dropped = {.part_size = part_size};
    r->upload = &dropped;
    CHECK_EQ(run(w, r, OBJECT_UPLOAD_BEGIN, "u/dropped", NULL, 0), ERR_OK);
    r->part = 0;
    CHECK_EQ(run(w, r, OBJECT_UPLOAD_PART, "u/dropped", big, part_size), ERR_OK);
    CHECK_EQ(run(w, r, OBJECT_UPLOAD_ABORT, "u/dropped", NULL, 0), ERR_OK);
    CHECK_EQ(run(w, r, OBJECT_UPLOAD_ABORT, "u/dropped", NULL, 0), ERR_OK);
    CHECK_EQ(run(w, r, OBJECT_UPLOAD_PART, "u/dropped", big, part_size), ERR_STORE_MISSING);
    // Ceph RGW 16 takes it for one that is being finished by another (500).
    err_code code = run(w, r, OBJECT_UPLOAD_FINISH, "u/dropped", NULL, 0);
    if (code != ERR_STORE_MISSING && !strstr(r->err.text, "already in progress"))
        test_fail(__FILE__, __LINE__, "%s: %s", err_name(code), r->err.text);
    CHECK_EQ(run(w, r, OBJECT_UPLOAD_PARTS, "u/dropped", NULL, 0), ERR_STORE_MISSING);
    CHECK_EQ(run(w, r, OBJECT_GET, "u/dropped", NULL, 0), ERR_STORE_MISSING);
    CHECK_EQ(run(w, r, OBJECT_UPLOAD_LIST, "u/", NULL, 0), ERR_OK);
    CHECK_EQ(r->entry_count, 0);
    object_upload_deinit(&dropped);
    r->upload = NULL;
    free(big);
}

// Of many put-if-absent of one name at the same time exactly one wins, and its bytes are there.
static void races(struct world *w, struct object_request *r)
{
    struct object_request racers[8];
    char bodies[8][8];
    for (u32 round = 0; round < 5; round++) {
        u32 won = 0, winner = 0;
        for (u32 i = 0; i < 8; i++) {
            object_request_init(&racers[i], NULL, NULL);
            racers[i].kind = OBJECT_PUT_IF_ABSENT;
            snprintf(racers[i].key, sizeof racers[i].key, "race/%u", round);
            snprintf(bodies[i], sizeof bodies[i], "%u", i);
            racers[i].body = bodies[i];
            racers[i].body_size = 1;
            object_start(w->store, &racers[i]);
        }
        for (u32 i = 0; i < 8; i++) {
            wait_done(w, &racers[i]);
            if (racers[i].err.code == ERR_OK)
                won++, winner = i;
            else
                CHECK_EQ(racers[i].err.code, ERR_STORE_EXISTS);
            object_request_deinit(&racers[i]);
        }
        CHECK_EQ(won, 1);
        char key[20];
        snprintf(key, sizeof key, "race/%u", round);
        CHECK_EQ(run(w, r, OBJECT_GET, key, NULL, 0), ERR_OK);
        CHECK(answer_is(r, bodies[winner]));
    }
    struct object_probe probe = {0};
    completion_init(&probe.done, NULL, NULL);
    object_probe_start(w->store, &probe, "race/", "", NULL, 0);
    for (u32 i = 0; i < 10000 && probe.done.state != COMPLETION_DONE; i++) io_step(w->io, 100000000);
    CHECK_EQ(probe.err.code, ERR_OK);
    CHECK_STR(object_conditions_name(probe.conditions), "honoured");
    CHECK_EQ(object_store_conditions(w->store), OBJECT_CONDITIONS_HONOURED);
    object_probe_deinit(&probe);
    CHECK_EQ(run(w, r, OBJECT_LIST, "race/", NULL, 0), ERR_OK);
    CHECK_EQ(r->entry_count, 5); // the probe leaves nothing
}

void object_suite(struct world *w, u64 part_size)
{
    struct object_request r;
    object_request_init(&r, NULL, NULL);
    put_and_get(w, &r);
    ranges(w, &r);
    conditional_gets(w, &r);
    lists(w, &r);
    deletes(w, &r);
    keys(w, &r);
    large_objects(w, &r);
    uploads(w, &r, part_size);
    races(w, &r);
    object_request_deinit(&r);
}
