// Goal: retention lets nothing go that a restore within its rules needs.
// Method: catalogs by seed are pruned again and again, by retain_plan, and each moment that the rules promise must have a chain.
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

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
