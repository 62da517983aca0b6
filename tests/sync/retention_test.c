// Goal: retention lets nothing go that a restore within its rules needs, and no push that has not been there for as long as an
// earlier writer may take to find out that it was replaced; what that one has put late does not stay.
// Method: catalogs by seed are pruned again and again, by retain_plan, and each moment that the rules promise must have a chain.
// A node of backup_node.h writes more than the history may be, and its clock is put forward, while the names of its pushes are
// watched. An object is put under the name of one that was let go.
#include "../../sync/backup_compact.h"
#include "backup_node.h"

static struct catalog_segment *segment(struct catalog *c, u32 level, u64 tx_min, u64 tx_max, s64 time_ms)
{
    struct catalog_segment *s = catalog_add(c, level, tx_min, tx_max, 1000);
    s->known = true;
    s->time_max_ms = time_ms;
    return s;
}

// Removes what is to go; says whether the state as of tx can still be put together.
static bool reachable(struct catalog *c, u64 tx)
{
    struct catalog_segment **chain;
    u32 count = catalog_chain(c, tx, &chain);
    bool good = count && chain[count - 1]->tx_max == tx;
    free(chain);
    return good;
}

TEST(retention_keeps_what_it_promises)
{
    enum { PUSH_MS = 5000, PUSHES = 4000 };
    const struct retain_rules rules = {.keep_ms = {60000, 300000, 900000, 3600000, 36000000}, .image_ms = 7200000, .history_factor = 1000000};
    static const s64 periods[] = {0, 30000, 120000, 600000};
    u64 seed = test_seed();
    for (u32 round = 0; round < 6; round++) {
        struct catalog c = {0};
        s64 times[PUSHES + 1] = {0}, now = 1700000000000;
        u64 image_last = 0, merged[4] = {0};
        u32 checked = 0, let_go = 0;
        segment(&c, LEVEL_IMAGE, 1, 1, now);
        segment(&c, 0, 1, 1, now)->flags = SEGMENT_BASE;
        times[1] = now;
        merged[1] = merged[2] = merged[3] = 1;
        for (u64 tx = 2; tx <= PUSHES && !test_failed(); tx++) {
            now += 1 + (s64)(test_random(&seed) % (2 * PUSH_MS));
            times[tx] = now;
            segment(&c, 0, tx, tx, now);
            bool image = now - times[MAX(image_last, 1)] > 3000000;
            // Merges as the compaction makes them: whole windows, never over an image's end.
            for (u32 level = 1; level <= 3; level++) {
                u64 end = level == 1 ? tx - 1 : merged[level - 1];
                if (merged[level] < end && (times[end + 1] / periods[level] != times[merged[level] + 1] / periods[level] || image)) {
                    u64 last = end;
                    while (last > merged[level] && times[last] / periods[level] != times[merged[level] + 1] / periods[level]) last--;
                    if (image) last = end;
                    if (last > merged[level] + 1) segment(&c, level, merged[level] + 1, last, times[last]);
                    if (last > merged[level]) merged[level] = last;
                }
            }
            if (image) {
                // All is merged up to the push before; the image is of that.
                merged[1] = merged[2] = merged[3] = tx - 1;
                segment(&c, LEVEL_IMAGE, 1, tx - 1, times[tx - 1]);
                image_last = tx - 1;
            }
            if (tx % 7) continue;
            bool *gone = calloc(c.count, sizeof *gone);
            retain_plan(&c, &rules, now, gone);
            for (u32 i = c.count; i-- > 0;)
                if (gone[i]) catalog_remove(&c, &c.segments[i]), let_go++;
            free(gone);
            // Each push of the last minute, and the newest.
            for (u64 t = tx; t > 1 && now - times[t] <= (s64)rules.keep_ms[0]; t--, checked++)
                if (!reachable(&c, t)) test_fail(__FILE__, __LINE__, "seed %llu: push %llu of %llu cannot be restored", (unsigned long long)test_seed(), (unsigned long long)t, (unsigned long long)tx);
            // Any moment of the last hour: some state not much older.
            for (u32 k = 0; k < 5; k++) {
                s64 moment = now - (s64)(test_random(&seed) % rules.keep_ms[3]);
                if (moment < times[1] + (s64)rules.keep_ms[3]) continue;
                u64 t = tx;
                while (times[t] > moment) t--;
                u64 best = t;
                while (best && !reachable(&c, best)) best--;
                if (!best || moment - times[best] > periods[3] + 2 * PUSH_MS + 3000000 / 10)
                    test_fail(__FILE__, __LINE__, "seed %llu: nothing near %lld ms ago at push %llu; nearest is %lld ms older", (unsigned long long)test_seed(), (long long)(now - moment),
                              (unsigned long long)tx, (long long)(moment - times[best]));
                checked++;
            }
        }
        CHECK(let_go > PUSHES / 2);
        CHECK(checked > 1000);
        catalog_deinit(&c);
    }
}

// ---- clocks that are wrong for a while

// A device begins in 1970, or far ahead, pushes an image there, and is then told the time: what was made before is not older for that,
// and goes when it would have gone.
TEST(a_start_before_the_time_is_known)
{
    static const s64 HOUR = 3600000, DAY = 24 * HOUR, now = 20000 * DAY, wrong[] = {5000, 40000 * DAY};
    const struct retain_rules rules = {.keep_ms = {300000, (u64)HOUR, 6 * (u64)HOUR, 2 * (u64)DAY, 14 * (u64)DAY}, .image_ms = (u64)DAY, .history_factor = 1000000};
    for (u32 i = 0; i < COUNT_OF(wrong); i++)
        for (s64 later = 0; later <= 40 * DAY; later += 40 * DAY) {
            struct catalog c = {0};
            u64 tx = 1;
            segment(&c, 0, 1, 1, now - 10 * DAY)->flags = SEGMENT_BASE;
            for (s64 at = now - 10 * DAY; at < now; at += HOUR, tx++) {
                if (at > now - 10 * DAY) segment(&c, 3, tx, tx, at);
                if ((at - now) % DAY == 0) segment(&c, LEVEL_IMAGE, 1, tx, at);
            }
            segment(&c, 0, tx, tx, wrong[i])->flags = SEGMENT_BASE;
            segment(&c, LEVEL_IMAGE, 1, tx, wrong[i]);
            u64 before = tx - 1;
            for (s64 at = now; at <= now + later; at += HOUR) {
                segment(&c, 3, tx + 1, tx + 1, at);
                if ((++tx - before) % 24 == 0) segment(&c, LEVEL_IMAGE, 1, tx, at);
            }
            bool *gone = calloc(c.count, sizeof *gone);
            retain_plan(&c, &rules, now + later, gone);
            for (u32 k = c.count; k-- > 0;)
                if (gone[k]) catalog_remove(&c, &c.segments[k]);
            free(gone);
            for (u64 t = before; t > before - 47; t--)
                if (reachable(&c, t) != !later) test_fail(__FILE__, __LINE__, "begun at %lld: push %llu, %llu h before: %s, %lld days later", (long long)wrong[i], (unsigned long long)t, (unsigned long long)(before - t), later ? "there" : "gone", (long long)(later / DAY));
            for (u64 t = tx; t > tx - MIN(tx - before - 1, 47); t--)
                if (!reachable(&c, t)) test_fail(__FILE__, __LINE__, "begun at %lld: push %llu is gone", (long long)wrong[i], (unsigned long long)t);
            u32 images = 0;
            for (u32 k = 0; k < c.count; k++) images += c.segments[k].level == LEVEL_IMAGE;
            CHECK(images >= 10 && images <= 17);
            catalog_deinit(&c);
        }
}

// ---- how long pushes stay

struct watched {
    char key[OBJECT_KEY_MAX];
    u64 since_ns;
    bool there;
};

// Follows the names of pushes for so long; the wall clock is put forward every 7 s. The shortest time that one was there, from the
// look before it was first seen on; how many went.
static u64 pushes_watch(struct node *n, u64 ns, u64 commit_every_ns, s64 jump_ms, u32 *gone)
{
    enum { MOST = 4000 };
    struct watched *all = calloc(MOST, sizeof *all);
    u32 count = 0;
    u64 shortest = UINT64_MAX, commit_ns = 0, jump_ns = 0, looked_ns = io_now_ns(n->io);
    if (!all) abort();
    for (u64 end = io_now_ns(n->io) + ns, now; (now = io_now_ns(n->io)) < end;) {
        if (now >= commit_ns) {
            exec(n, "UPDATE t SET v = randomblob(10000)");
            commit_ns = now + commit_every_ns;
        }
        if (jump_ms && now >= jump_ns) {
            sim_wall_jump(n->sim, jump_ms);
            jump_ns = now + 7 * SECOND_NS;
        }
        turn(n, SECOND_NS / 10);
        now = io_now_ns(n->io);
        for (u32 i = 0; i < count; i++) all[i].there = false;
        for (u32 i = 0; i < n->cloud.count; i++) {
            const char *key = n->cloud.objects[i].key;
            u32 k = 0;
            if (!strstr(key, "/L0/")) continue;
            while (k < count && strcmp(all[k].key, key) != 0) k++;
            if (k == count && count < MOST) snprintf(all[count++].key, OBJECT_KEY_MAX, "%s", key), all[k].since_ns = looked_ns;
            all[k].there = true;
        }
        for (u32 i = 0; i < count; i++) {
            if (all[i].there) continue;
            shortest = MIN(shortest, now - all[i].since_ns);
            all[i--] = all[--count];
            ++*gone;
        }
        looked_ns = now;
    }
    free(all);
    return shortest;
}

static void on_history(void *context, enum sync_log_level level, const char *event, const char *text)
{
    *(u32 *)context += level == SYNC_LOG_WARN && strcmp(event, "backup.history") == 0 && strstr(text, "--history-factor");
}

TEST(a_push_stays_whatever_the_history_factor_says)
{
    struct node n = {0};
    char text[ERR_TEXT_MAX];
    u32 gone = 0, told = 0;
    node_begin(&n, &(struct backup_options){.interval_ms = 200, .history_factor = 1, .log = on_history, .log_context = &told});
    exec(&n, "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 100) INSERT INTO t SELECT i, randomblob(10000) FROM s");
    // A megabyte a second, of which four may be beside the newest image.
    u64 shortest = pushes_watch(&n, 240 * SECOND_NS, SECOND_NS, 0, &gone);
    printf("  %u went, the first after %.1f s\n", gone, (double)shortest / 1e9);
    CHECK(gone > 100 && shortest >= FENCE_MS * 1000000ull);
    CHECK(told > 0);
    CHECK(cloud_bytes(&n.cloud) < 80 << 20); // 30 s between two looks, and what stays
    CHECK_EQ(restore(&n, text), ERR_OK);
    node_stop(&n);
    node_end(&n);
}

TEST(a_push_stays_when_the_clock_is_put_forward)
{
    struct node n = {0};
    u32 gone = 0;
    node_begin(&n, &(struct backup_options){.interval_ms = 200, .history_factor = 1000000, .period_ms = {0, 5000, 60000, 3600000, 86400000}});
    exec(&n, "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 3) INSERT INTO t SELECT i, randomblob(10000) FROM s");
    u64 shortest = pushes_watch(&n, 420 * SECOND_NS, SECOND_NS / 2, 3600000, &gone);
    printf("  %u went, the first after %.1f s\n", gone, (double)shortest / 1e9);
    CHECK(gone > 100 && shortest >= FENCE_MS * 1000000ull);
    node_stop(&n);
    node_end(&n);
}

static void object_put(struct node *n, const char *key, const void *bytes, size_t size)
{
    struct object_request r;
    object_request_init(&r, NULL, NULL);
    r.kind = OBJECT_PUT;
    snprintf(r.key, sizeof r.key, "%s", key);
    r.body = bytes;
    r.body_size = size;
    object_start(n->store, &r);
    while (r.done.state != COMPLETION_DONE) io_step(n->io, SECOND_NS);
    CHECK_EQ(r.err.code, ERR_OK);
    object_request_deinit(&r);
}

// As from a node that stood still in a push while another took over: a push under a name that is free again, and a part of one.
TEST(what_was_put_late_goes)
{
    struct node n = {0};
    char key[OBJECT_KEY_MAX] = "", part[OBJECT_KEY_MAX + 40], text[ERR_TEXT_MAX];
    u8 *bytes = NULL;
    size_t size = 0;
    node_begin(&n, &(struct backup_options){.interval_ms = 200, .period_ms = {0, 2000, 8000, 120000, 86400000}, .keep_ms = {5000, 60000, 120000, 600000, 3600000}});
    for (u32 i = 0; i < 120; i++) {
        exec(&n, "INSERT INTO t(v) VALUES (randomblob(30))");
        turn(&n, SECOND_NS);
        for (u32 k = 0; i == 10 && k < n.cloud.count; k++) {
            const struct cloud_object *o = &n.cloud.objects[k];
            if (!strstr(o->key, "/L0/")) continue; // the last of them
            snprintf(key, sizeof key, "%s", o->key);
            free(bytes);
            bytes = malloc(size = o->size);
            REQUIRE(bytes);
            memcpy(bytes, o->bytes, size);
        }
    }
    REQUIRE(bytes && !cloud_find(&n.cloud, key)); // it was let go
    snprintf(part, sizeof part, "%s.00000001.%016llx", key, 0ull);
    object_put(&n, key, bytes, size);
    object_put(&n, part, bytes, size);
    for (u32 i = 0; i < 300 && (cloud_find(&n.cloud, key) || cloud_find(&n.cloud, part)); i++) {
        exec(&n, "INSERT INTO t(v) VALUES (randomblob(30))");
        turn(&n, SECOND_NS);
    }
    CHECK(!cloud_find(&n.cloud, key));
    CHECK(!cloud_find(&n.cloud, part));
    CHECK_EQ(restore(&n, text), ERR_OK);
    free(bytes);
    node_stop(&n);
    node_end(&n);
}

// A store that is full, with merges to be made, is made room in as time goes by.
TEST(a_full_store_is_made_room_in)
{
    struct node n = {0};
    struct backup_status s;
    node_begin(&n, &(struct backup_options){.interval_ms = 200, .period_ms = {0, 4000, 20000, 80000, 100000}, .keep_ms = {10000, 20000, 60000, 100000, 200000}, .cpu_percent = 100});
    for (u32 i = 0; i < 300; i++) {
        exec(&n, "INSERT OR REPLACE INTO t VALUES (1, randomblob(10000))");
        turn(&n, SECOND_NS);
    }
    n.cloud.bytes_max = cloud_bytes(&n.cloud);
    u64 refused = n.cloud.counters.full;
    exec(&n, "INSERT OR REPLACE INTO t VALUES (2, randomblob(10000))");
    turn(&n, 20 * SECOND_NS);
    CHECK(n.cloud.counters.full > refused);
    for (u32 i = 0; i < 100; i++) turn(&n, 10 * SECOND_NS);
    backup_status_get(n.backup, &s);
    if (s.state != BACKUP_IDLE || s.behind_since_ms) test_fail(__FILE__, __LINE__, "what was let go made no room: %s", s.error);
    n.cloud.bytes_max = 0;
    node_stop(&n);
    node_end(&n);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
