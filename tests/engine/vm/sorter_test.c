// Goal: a sorter gives its records in their order, equal ones as they came, however little of them fits in memory;
// and a temporary file that fails, or a statement that ends early, does no harm.
// Method: the sorter itself with budgets of a few pages against a model (a number of few values, the order of
// arrival), on the simulated backend, where transfers take their time; then statements that outgrow the smallest
// budget against libsqlite3, with failing files, in turns with each other, and ended in the middle.
#include <sqlite3.h>

#include "engine/skerry.h"
#include "engine/vm/sorter.h"
#include "io/sim.h"
#include "tests/engine/row_text.h"
#include "tests/test.h"

// ---- the sorter ------------------------------------------------------------------------------------------------

static void no_wake(struct waiter *w) { waiter_remove(w); }

struct bench {
    struct sim *sim;
    struct io *io;
    struct op op;
};

static bool bench_open(struct bench *b, u64 seed)
{
    struct err err = ERR_CLEAR;
    b->sim = sim_create(seed);
    b->io = io_create(&(struct io_options){.backend = IO_BACKEND_SIM, .sim = b->sim, .seed = seed}, &err);
    if (!b->io) return false;
    op_init(&b->op, b->io, no_wake);
    return true;
}

static void bench_close(struct bench *b)
{
    op_deinit(&b->op);
    io_destroy(b->io);
    sim_destroy(b->sim);
}

#define AWAIT(b, call)                                                                                               \
    ({                                                                                                               \
        io_status status_;                                                                                           \
        while ((status_ = (call)) == IO_WAIT) io_step((b)->io, UINT64_MAX);                                          \
        status_;                                                                                                     \
    })

struct item {
    s64 key;
    u32 order, size;
};

static int item_compare(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

// [key, order, zeroes]; only the key counts.
static u32 item_record(const struct item *item, u8 *out, u64 capacity)
{
    struct value v[3];
    for (u32 i = 0; i < 3; i++) value_init(&v[i]);
    value_set_integer(&v[0], item->key);
    value_set_integer(&v[1], item->order);
    u8 *bytes = calloc(1, item->size + 1);
    value_borrow_blob(&v[2], bytes, item->size);
    u64 size = record_size(v, 3, 1, NULL);
    if (size > capacity || record_encode(v, 3, 1, out, size) != ERR_OK) size = 0;
    free(bytes);
    return (u32)size;
}

static const struct collation *const no_collations[1];
static u8 orders[1];

static const struct {
    u64 budget;
    u32 count, size_max, distinct;
    enum { STAYS, SPILLS, EITHER } spills;
} sizes[] = {
    {64 << 10, 1, 10, 5, STAYS},          {256 << 10, 400, 40, 50, STAYS},       {256 << 10, 1000, 40, 50, STAYS},
    {256 << 10, 2900, 40, 50, EITHER},    {256 << 10, 3100, 40, 50, EITHER},     {256 << 10, 4097, 40, 50, EITHER},
    {256 << 10, 9000, 40, 50, SPILLS},    {64 << 10, 3000, 40, 1, SPILLS},       {64 << 10, 3000, 40, 1000000, SPILLS},
    {130 << 10, 900, 300, 50, SPILLS},    {32 << 10, 20000, 60, 300, SPILLS},    {16 << 10, 20000, 20, 7, SPILLS},
    {100 << 10, 300, 20000, 20, SPILLS},  {4 << 10, 300, 9000, 20, SPILLS},      {512 << 10, 60000, 30, 4000, SPILLS},
};

TEST(sorter_order_whatever_the_budget)
{
    u64 random = test_seed();
    static u8 record[32768];
    for (u32 i = 0; i < COUNT_OF(sizes); i++) {
        struct bench b;
        REQUIRE(bench_open(&b, test_random(&random)));
        struct key_info info = {.field_count = 1, .all_count = 3, .encoding = 1,
                                .collations = (const struct collation **)no_collations, .orders = orders};
        struct sorter *s = sorter_new(&info, 1, sizes[i].budget, "/", i % 2);
        REQUIRE(s);
        struct item *items = calloc(sizes[i].count, sizeof *items);
        for (u32 round = 0; round < 2; round++) { // cleared, it is as new
            for (u32 k = 0; k < sizes[i].count; k++) {
                items[k] = (struct item){(s64)(test_random(&random) % sizes[i].distinct) - 3, k,
                                         (u32)(test_random(&random) % sizes[i].size_max)};
                u32 size = item_record(&items[k], record, sizeof record);
                REQUIRE(size);
                if (AWAIT(&b, sorter_add(s, &b.op, record, size)) != IO_DONE)
                    test_fail(__FILE__, __LINE__, "case %u: %s", i, b.op.err.text);
            }
            qsort(items, sizes[i].count, sizeof *items, item_compare);
            for (u32 again = 0; again < 2; again++) { // sorting again begins anew
                REQUIRE(AWAIT(&b, sorter_sort(s, &b.op)) == IO_DONE);
                u32 stop = again == round ? sizes[i].count : sizes[i].count / 2, k = 0;
                for (; k < stop && sorter_valid(s); k++) {
                    u32 want_size = item_record(&items[k], record, sizeof record), size;
                    const u8 *got = sorter_record(s, &size);
                    if (size != want_size || memcmp(got, record, size) != 0) {
                        test_fail(__FILE__, __LINE__, "case %u, round %u.%u: record %u of %u is another", i, round, again,
                                  k, sizes[i].count);
                        break;
                    }
                    REQUIRE(AWAIT(&b, sorter_next(s, &b.op)) == IO_DONE);
                }
                CHECK_EQ(k, stop);
                if (stop == sizes[i].count) CHECK(!sorter_valid(s));
            }
            sorter_clear(s);
        }
        struct io_counters counters;
        io_counters_get(b.io, &counters);
        if (sizes[i].spills != EITHER && (counters.written_bytes > 0) != (sizes[i].spills == SPILLS))
            test_fail(__FILE__, __LINE__, "case %u wrote %llu bytes", i, (unsigned long long)counters.written_bytes);
        free(items);
        sorter_free(s);
        bench_close(&b);
    }
}

// [first, second, order]; the first field is a text of few letters behind a beginning that many have, or anything else, or
// (kind from 36 on) one of three texts with such a field behind it.
static u32 text_record(u64 *random, u32 kind, u32 order, u8 *out, u64 capacity)
{
    static const char *const FEW[] = {"a common text", "a common text of another end", "A COMMON TEXT"};
    static const char LETTERS[] = "aAbB\0z\xc3\xff";
    struct value v[3];
    u8 text[64];
    for (u32 i = 0; i < 3; i++) value_init(&v[i]);
    u32 begin = kind % 4 == 0 ? 0 : kind % 4 == 1 ? 16 : (u32)(test_random(random) % 4) * 9, size = begin + (u32)(test_random(random) % 12);
    for (u32 i = 0; i < size; i++) text[i] = i < begin ? 'p' : (u8)LETTERS[test_random(random) % (kind % 3 ? 4 : 8)];
    switch (test_random(random) % 40) {
    case 0: break;
    case 1: value_set_integer(&v[0], (s64)(test_random(random) % 9)); break;
    case 2: value_set_real(&v[0], (double)(test_random(random) % 9) / 2); break;
    case 3: value_borrow_blob(&v[0], text, size); break;
    default: value_borrow_text(&v[0], text, size); break;
    }
    value_set_integer(&v[1], (s64)(test_random(random) % 3));
    if (kind >= 36) {
        const char *few = FEW[test_random(random) % COUNT_OF(FEW)];
        v[1] = v[0];
        value_init(&v[0]);
        if (test_random(random) % 20) value_borrow_text(&v[0], (const u8 *)few, (u32)strlen(few));
    }
    value_set_integer(&v[2], order);
    u64 encoded = record_size(v, 3, 1, NULL);
    return encoded <= capacity && record_encode(v, 3, 1, out, encoded) == ERR_OK ? (u32)encoded : 0;
}

// Each record once, none before a lesser one, equal ones as they came: by the comparison of whole records.
TEST(sorter_texts_that_begin_alike)
{
    static const struct collation *const collations[][2] = {{NULL, NULL}, {&COLLATION_BINARY, &COLLATION_RTRIM}, {&COLLATION_NOCASE, NULL}};
    u64 random = test_seed();
    static u8 record[256], last[256];
    for (u32 i = 0; i < 72; i++) {
        struct bench b;
        REQUIRE(bench_open(&b, test_random(&random)));
        u8 directions[2] = {i / 3 % 2 ? KEY_DESC : 0, i / 6 % 2 ? KEY_DESC : 0};
        if (i % 11 == 0) directions[i / 11 % 2] |= KEY_NULLS_LAST;
        struct key_info info = {.field_count = 2, .all_count = 3, .encoding = 1,
                                .collations = (const struct collation **)collations[i % 3], .orders = directions};
        u32 fields = 1 + i / 2 % 2, count = i % 5 ? 5000 : 1500, got = 0, last_size = 0, last_order = 0;
        struct sorter *s = sorter_new(&info, fields, i % 7 ? 64 << 20 : 128 << 10, "/", false);
        u8 *seen = calloc(count, 1);
        REQUIRE(s && seen);
        for (u32 k = 0; k < count; k++) {
            u32 size = text_record(&random, i, k, record, sizeof record);
            REQUIRE(size && AWAIT(&b, sorter_add(s, &b.op, record, size)) == IO_DONE);
        }
        REQUIRE(AWAIT(&b, sorter_sort(s, &b.op)) == IO_DONE);
        for (; sorter_valid(s); got++) {
            u32 size, decoded;
            struct value v[3];
            struct err err = ERR_CLEAR;
            const u8 *bytes = sorter_record(s, &size);
            REQUIRE(size <= sizeof last);
            for (u32 k = 0; k < 3; k++) value_init(&v[k]);
            REQUIRE(record_decode(bytes, size, 1, v, 3, &decoded, &err) == ERR_OK && decoded == 3);
            u32 order = (u32)v[2].integer;
            for (u32 k = 0; k < 3; k++) value_deinit(&v[k]);
            CHECK(order < count && !seen[order]);
            if (order < count) seen[order] = 1;
            int compared = got ? record_compare_records(last, last_size, bytes, size, &info, fields, &err) : -1;
            if (compared > 0 || (compared == 0 && order < last_order))
                test_fail(__FILE__, __LINE__, "case %u: record %u is in front of one that comes before it", i, got - 1);
            memcpy(last, bytes, size);
            last_size = size;
            last_order = order;
            REQUIRE(AWAIT(&b, sorter_next(s, &b.op)) == IO_DONE);
        }
        CHECK_EQ(got, count);
        free(seen);
        sorter_free(s);
        bench_close(&b);
    }
}

// Records of few values, some of which are equal and not the same (1 and 1.0, texts of other case): with repeats left out each is
// there yet, in order, of those that are equal the same one comes first and the same one last, and few are written.
TEST(sorter_leaves_out_what_comes_again)
{
    static const struct collation *const collations[][1] = {{NULL}, {&COLLATION_NOCASE}};
    static u8 records[40][400], last_equal[2][400];
    u32 sizes_of[40];
    u64 random = test_seed();
    for (u32 i = 0; i < 60; i++) {
        struct bench b;
        REQUIRE(bench_open(&b, test_random(&random)));
        // Numbers alone; with a real among them from somewhere on; texts.
        const bool texts = i % 3 == 2, nocase = i % 6 == 5;
        const u32 distinct = i % 2 ? 40 : 5, count = 6000, reals_from = i % 3 == 1 ? (u32)(test_random(&random) % count) : count;
        struct key_info info = {.field_count = 1, .all_count = 1, .encoding = 1,
                                .collations = (const struct collation **)collations[nocase], .orders = orders};
        for (u32 k = 0; k < distinct; k++) {
            struct value v;
            value_init(&v);
            u8 text[300];
            memset(text, 'a', sizeof text);
            text[299] = (u8)((k & 1 ? 'A' : 'a') + k / 2);
            if (texts) value_borrow_text(&v, text, sizeof text);
            else if (k & 1 && reals_from < count) value_set_real(&v, k / 2);
            else value_set_integer(&v, k & 1 ? 100 + k : k / 2);
            u64 size = record_size(&v, 1, 1, NULL);
            REQUIRE(size <= sizeof records[k] && record_encode(&v, 1, 1, records[k], size) == ERR_OK);
            sizes_of[k] = (u32)size;
        }
        struct sorter *all = sorter_new(&info, 1, 1 << 30, "/", false), *few = sorter_new(&info, 1, i % 4 < 2 ? 128 << 10 : 64 << 10, "/", i % 7 == 0);
        REQUIRE(all && few);
        sorter_drop_repeats(few);
        for (u32 k = 0; k < count; k++) {
            u32 which = (u32)(test_random(&random) % distinct);
            if (k < reals_from) which &= ~1u;
            REQUIRE(sorter_add(all, &b.op, records[which], sizes_of[which]) == IO_DONE);
            REQUIRE(AWAIT(&b, sorter_add(few, &b.op, records[which], sizes_of[which])) == IO_DONE);
        }
        struct sorter *both[2] = {all, few};
        for (u32 k = 0; k < 2; k++) REQUIRE(AWAIT(&b, sorter_sort(both[k], &b.op)) == IO_DONE);
        u32 groups = 0, given = 0;
        while (sorter_valid(all) && sorter_valid(few)) {
            u8 first[400];
            u32 first_size = 0, last_sizes[2], members[2] = {0};
            u64 seen[2] = {0};
            for (u32 k = 0; k < 2; k++) {
                for (; sorter_valid(both[k]); members[k]++) {
                    u32 size;
                    struct err err = ERR_CLEAR;
                    const u8 *bytes = sorter_record(both[k], &size);
                    if (!k && !members[k]) memcpy(first, bytes, first_size = size);
                    if (members[k] && record_compare_records(bytes, size, last_equal[k], last_sizes[k], &info, 1, &err) != 0) break;
                    if (!members[k]) CHECK(size == first_size && memcmp(bytes, first, size) == 0);
                    memcpy(last_equal[k], bytes, last_sizes[k] = size);
                    for (u32 j = 0; j < distinct; j++)
                        if (sizes_of[j] == size && memcmp(records[j], bytes, size) == 0) seen[k] |= 1ull << j;
                    REQUIRE(AWAIT(&b, sorter_next(both[k], &b.op)) == IO_DONE);
                }
            }
            CHECK_EQ(seen[0], seen[1]);
            CHECK(last_sizes[0] == last_sizes[1] && memcmp(last_equal[0], last_equal[1], last_sizes[0]) == 0);
            CHECK(members[1] <= members[0]);
            groups++;
            given += members[1];
        }
        if (sorter_valid(all) || sorter_valid(few) || groups < 3)
            test_fail(__FILE__, __LINE__, "case %u: %u groups, then %s", i, groups, sorter_valid(all) ? "records are missing" : "more of them");
        struct io_counters counters;
        io_counters_get(b.io, &counters);
        if (!nocase && reals_from == count && (given != groups || counters.written_bytes))
            test_fail(__FILE__, __LINE__, "case %u: %u records of %u values, %llu bytes written", i, given, groups,
                      (unsigned long long)counters.written_bytes);
        if (texts && counters.written_bytes >= count * 300u / 2)
            test_fail(__FILE__, __LINE__, "case %u: %llu bytes written", i, (unsigned long long)counters.written_bytes);
        sorter_free(all);
        sorter_free(few);
        bench_close(&b);
    }
}

// Rows of several fields, of which many have the same first one: what is left out changes nothing else, with few values and with many.
TEST(sorter_leaves_out_rows_of_several_fields)
{
    enum { FIELDS = 3, ROWS = 1500, ROW_SIZE = 300 };
    static const struct collation *const binary[FIELDS];
    static u8 ascending[FIELDS];
    static u8 rows[ROWS][ROW_SIZE];
    u32 sizes_of[ROWS];
    u64 random = test_seed();
    for (u32 i = 0; i < 60; i++) {
        struct bench b;
        REQUIRE(bench_open(&b, test_random(&random)));
        struct key_info info = {.field_count = FIELDS, .all_count = FIELDS, .encoding = 1,
                                .collations = (const struct collation **)binary, .orders = ascending};
        const u32 distinct = i % 2 ? ROWS : 60, firsts = 1 + i % 5;
        for (u32 k = 0; k < distinct; k++) {
            struct value v[FIELDS];
            u8 text[200];
            const u32 size = (u32)(test_random(&random) % sizeof text);
            for (u32 j = 0; j < FIELDS; j++) value_init(&v[j]);
            const u32 first = (u32)(test_random(&random) % firsts);
            if (first) value_set_integer(&v[0], first);
            memset(text, 'x', size);
            if (size && k % 3) text[size - 1] = (u8)('a' + test_random(&random) % 26);
            if (k % 4) value_borrow_text(&v[1], text, size);
            else value_set_integer(&v[1], (s64)(test_random(&random) % 5));
            value_set_integer(&v[2], (s64)(test_random(&random) % 2));
            sizes_of[k] = (u32)record_size(v, FIELDS, 1, NULL);
            REQUIRE(sizes_of[k] <= ROW_SIZE && record_encode(v, FIELDS, 1, rows[k], sizes_of[k]) == ERR_OK);
        }
        struct sorter *both[2] = {sorter_new(&info, FIELDS, 1 << 30, "/", false), sorter_new(&info, FIELDS, 64 << 10, "/", false)};
        REQUIRE(both[0] && both[1]);
        sorter_drop_repeats(both[1]);
        for (u32 k = 0; k < 6000; k++) {
            const u32 which = (u32)(test_random(&random) % distinct);
            for (u32 j = 0; j < 2; j++) REQUIRE(AWAIT(&b, sorter_add(both[j], &b.op, rows[which], sizes_of[which])) == IO_DONE);
        }
        for (u32 k = 0; k < 2; k++) REQUIRE(AWAIT(&b, sorter_sort(both[k], &b.op)) == IO_DONE);
        u32 given = 0;
        for (; sorter_valid(both[0]) && sorter_valid(both[1]); given++) {
            u8 row[2][ROW_SIZE];
            u32 size[2];
            for (u32 k = 0; k < 2; k++) { // each row once
                const u8 *at = sorter_record(both[k], &size[k]);
                memcpy(row[k], at, size[k]);
                for (bool again = true; again;) {
                    u32 next;
                    REQUIRE(AWAIT(&b, sorter_next(both[k], &b.op)) == IO_DONE);
                    again = sorter_valid(both[k]) && (at = sorter_record(both[k], &next), next == size[k]) && memcmp(at, row[k], next) == 0;
                }
            }
            if (size[0] == size[1] && memcmp(row[0], row[1], size[0]) == 0) continue;
            test_fail(__FILE__, __LINE__, "case %u: row %u is another", i, given);
            return;
        }
        CHECK(!sorter_valid(both[0]) && !sorter_valid(both[1]) && given >= distinct / 2);
        sorter_free(both[0]);
        sorter_free(both[1]);
        bench_close(&b);
    }
}

// Freed at any moment, transfers under way or not, nothing leaks and nothing is touched afterwards (asan's to see).
TEST(sorter_freed_at_any_moment)
{
    u64 random = test_seed();
    static u8 record[4096];
    struct key_info info = {.field_count = 1, .all_count = 3, .encoding = 1,
                            .collations = (const struct collation **)no_collations, .orders = orders};
    for (u32 i = 0; i < 150; i++) {
        struct bench b;
        REQUIRE(bench_open(&b, test_random(&random)));
        if (i % 3 == 0) sim_fault_rate(b.sim, SIM_OPEN_ERROR, 300000);
        struct sorter *s = sorter_new(&info, 1, 8 << 10, "/", true);
        REQUIRE(s);
        u64 waits = test_random(&random) % 200;
        io_status status = IO_DONE;
        u32 k = 0;
        for (; k < 3000 && waits && status != IO_FAIL; ) {
            struct item item = {(s64)(test_random(&random) % 100), k, 10};
            u32 size = item_record(&item, record, sizeof record);
            while ((status = sorter_add(s, &b.op, record, size)) == IO_WAIT && --waits) io_step(b.io, UINT64_MAX);
            if (status == IO_DONE) k++;
        }
        while (waits && status != IO_FAIL && (status = sorter_sort(s, &b.op)) == IO_WAIT && --waits)
            io_step(b.io, UINT64_MAX);
        sorter_free(s);
        if (i % 2) io_step(b.io, 0);
        bench_close(&b);
    }
}

static const struct {
    enum sim_fault fault;
    int code;
    const char *text;
} faults[] = {
    {SIM_OPEN_ERROR, ERR_CANTOPEN, "no temporary file can be made in /tmp-here"},
    {SIM_WRITE_ERROR, ERR_IOERR, "writing a temporary file in /tmp-here"},
    {SIM_WRITE_FULL, ERR_FULL, "no room for a temporary file in /tmp-here"},
    {SIM_READ_ERROR, ERR_IOERR, "reading a temporary file in /tmp-here"},
};

TEST(sorter_failing_file)
{
    u64 random = test_seed();
    static u8 record[4096];
    struct key_info info = {.field_count = 1, .all_count = 3, .encoding = 1,
                            .collations = (const struct collation **)no_collations, .orders = orders};
    for (u32 i = 0; i < COUNT_OF(faults); i++) {
        // Every operation of its kind in turn, until a run meets none.
        u32 failed = 0;
        for (u64 nth = 1;; nth += 1 + nth / 4) {
            struct bench b;
            REQUIRE(bench_open(&b, test_random(&random)));
            REQUIRE(sim_file_put(b.sim, "/tmp-here/x", "", 0));
            sim_fault_at(b.sim, faults[i].fault, nth);
            struct sorter *s = sorter_new(&info, 1, 16 << 10, "/tmp-here", false);
            REQUIRE(s);
            io_status status = IO_DONE;
            u32 taken = 0, count = 4000;
            for (u32 k = 0; k < count && status == IO_DONE; k++) {
                struct item item = {(s64)(test_random(&random) % 100), k, 10};
                u32 size = item_record(&item, record, sizeof record);
                status = AWAIT(&b, sorter_add(s, &b.op, record, size));
            }
            if (status == IO_DONE) status = AWAIT(&b, sorter_sort(s, &b.op));
            while (status == IO_DONE && sorter_valid(s)) {
                taken++;
                status = AWAIT(&b, sorter_next(s, &b.op));
            }
            bool over = status == IO_DONE;
            if (over) {
                CHECK_EQ(taken, count);
            } else {
                failed++;
                CHECK_EQ(err_primary(b.op.err.code), faults[i].code);
                if (!strstr(b.op.err.text, faults[i].text))
                    test_fail(__FILE__, __LINE__, "%s", b.op.err.text);
            }
            sorter_free(s);
            bench_close(&b);
            if (over) break;
        }
        CHECK(failed > 0);
    }
}

// ---- statements --------------------------------------------------------------------------------------------------

// 12000 rows of about 250 bytes: three times the smallest budget.
static const char *const table =
    "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, b TEXT, c, d BLOB);"
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000) INSERT INTO t SELECT i, "
    "(i * 7919) % 997, CASE i % 3 WHEN 0 THEN 'Text ' WHEN 1 THEN 'tEXT ' ELSE 'x' END || (i * 31 % 211) || "
    "CASE WHEN i % 5 = 0 THEN '   ' ELSE '' END, "
    "CASE i % 6 WHEN 0 THEN NULL WHEN 1 THEN i * 17 % 1000 WHEN 2 THEN (i * 13 % 1000) / 7.0 WHEN 3 THEN 's' || (i % 77) "
    "WHEN 4 THEN CAST('b' || (i % 91) AS BLOB) ELSE -9223372036854775807 + i % 50 END, zeroblob(200 + i % 40) FROM n;";

static const char *const statements[] = {
    "SELECT id, a, length(d) FROM t ORDER BY a",
    "SELECT id, a, length(d), d FROM t ORDER BY a DESC, b",
    "SELECT id, b, d FROM t ORDER BY b",
    "SELECT id, b, d FROM t ORDER BY b COLLATE NOCASE, c",
    "SELECT id, b, d FROM t ORDER BY b COLLATE RTRIM DESC",
    "SELECT id, c, d FROM t ORDER BY c",
    "SELECT id, c, d FROM t ORDER BY c DESC NULLS LAST",
    "SELECT id, c, d FROM t ORDER BY c NULLS LAST, a DESC",
    "SELECT id, d FROM t ORDER BY d, id DESC",
    "SELECT c, count(*), sum(a), max(length(b || d)) FROM t GROUP BY c, b COLLATE NOCASE",
    "SELECT a, group_concat(id), max(d) FROM (SELECT * FROM t ORDER BY b, d) GROUP BY a",
    "SELECT id, d FROM t UNION ALL SELECT -id, d FROM t ORDER BY 1",
    "SELECT a, id, row_number() OVER (PARTITION BY a ORDER BY b, id), d FROM t",
    "CREATE INDEX td ON t(d, b DESC, c); CREATE UNIQUE INDEX tu ON t(d, id); PRAGMA integrity_check",
    "SELECT id FROM t INDEXED BY td ORDER BY d, b DESC, c, id LIMIT 500",
    "CREATE UNIQUE INDEX te ON t(c, b, d)",
};

struct world {
    struct sim *sim;
    struct io *io;
    struct skerry_engine *engine;
    struct skerry *db;
};

static bool world_open(struct world *w, u64 seed)
{
    struct err err = ERR_CLEAR;
    w->sim = sim_create(seed);
    w->io = io_create(&(struct io_options){.backend = IO_BACKEND_SIM, .sim = w->sim, .seed = seed}, &err);
    struct skerry_engine_options options = {.io = w->io, .cache_bytes = 1 << 20, .temp_dir = "/temporary"};
    return w->io && sim_file_put(w->sim, "/temporary/x", "", 0) && skerry_engine_create(&options, &w->engine, &err) &&
           skerry_open(w->engine, ":memory:", SKERRY_OPEN_CREATE, &w->db, &err);
}

static void world_close(struct world *w)
{
    struct err err = ERR_CLEAR;
    while (skerry_close(w->db, &err) == SKERRY_WAIT) io_step(w->io, UINT64_MAX);
    skerry_engine_destroy(w->engine);
    io_destroy(w->io);
    sim_destroy(w->sim);
}

static u64 written(const struct world *w)
{
    struct io_counters counters;
    io_counters_get(w->io, &counters);
    return counters.written_bytes;
}

TEST(sorter_statements_beyond_the_budget)
{
    struct world w;
    REQUIRE(world_open(&w, test_seed()));
    sqlite3 *oracle;
    REQUIRE(sqlite3_open(":memory:", &oracle) == SQLITE_OK);
    REQUIRE(sqlite3_exec(oracle, table, NULL, NULL, NULL) == SQLITE_OK);
    REQUIRE(skerry_exec(w.db, table, NULL, NULL) == SKERRY_OK);
    CHECK_EQ(written(&w), 0);
    struct text want = {0}, got = {0};
    u32 spilled = 0;
    for (size_t i = 0; i < COUNT_OF(statements); i++) {
        want.size = got.size = 0;
        text_add(&want, "");
        text_add(&got, "");
        u64 before = written(&w);
        int want_code = sqlite3_exec(oracle, statements[i], oracle_row, &want, NULL);
        CHECK_EQ(skerry_exec(w.db, statements[i], row, &got), want_code);
        if (want_code) CHECK_STR(skerry_error(w.db)->text, sqlite3_errmsg(oracle));
        if (want.size != got.size || memcmp(want.bytes, got.bytes, want.size) != 0)
            test_fail(__FILE__, __LINE__, "%s\ngives\n%.300s\nwant\n%.300s", statements[i], got.bytes, want.bytes);
        spilled += written(&w) > before;
    }
    CHECK(spilled >= 10);
    // 120000 rows of 222 values: who gives each once needs room for those alone.
    static const char *const once[] = {
        "SELECT count(*), sum(length(x)), min(x), max(x) FROM (SELECT d AS x FROM t, json_each('[1,2,3,4,5,6,7,8,9,10]') UNION SELECT b FROM t)",
        "SELECT count(*), sum(length(x)), min(x) FROM (SELECT d AS x FROM t, json_each('[1,2,3,4,5]') EXCEPT SELECT b FROM t UNION SELECT d || 1.5 FROM t)",
        "SELECT count(*), sum(length(x)) FROM (SELECT d AS x FROM t UNION ALL SELECT d FROM t INTERSECT SELECT t.d FROM t, t AS u WHERE u.id < 9)"};
    u64 before = written(&w);
    for (size_t i = 0; i < COUNT_OF(once); i++) {
        want.size = got.size = 0;
        REQUIRE(sqlite3_exec(oracle, once[i], oracle_row, &want, NULL) == SQLITE_OK && skerry_exec(w.db, once[i], row, &got) == SKERRY_OK);
        if (want.size != got.size || memcmp(want.bytes, got.bytes, want.size) != 0)
            test_fail(__FILE__, __LINE__, "%s\ngives\n%.300s\nwant\n%.300s", once[i], got.bytes, want.bytes);
    }
    CHECK_EQ(written(&w), before);
    before = written(&w);
    REQUIRE(skerry_exec(w.db, "PRAGMA temp_store = memory; SELECT id, d FROM t ORDER BY c, id", NULL, NULL) == SKERRY_OK);
    CHECK_EQ(written(&w), before);
    free(want.bytes);
    free(got.bytes);
    sqlite3_close(oracle);
    world_close(&w);
}

static struct skerry_stmt *prepared(struct world *w, const char *sql)
{
    struct skerry_stmt *s = NULL;
    size_t used;
    int result;
    while ((result = skerry_prepare(w->db, sql, strlen(sql), &s, &used)) == SKERRY_WAIT) skerry_wait(w->db);
    return result == SKERRY_OK ? s : NULL;
}

TEST(sorter_statements_in_turns)
{
    u64 random = test_seed();
    struct world w;
    REQUIRE(world_open(&w, random));
    REQUIRE(skerry_exec(w.db, table, NULL, NULL) == SKERRY_OK);
    enum { MANY = 6 };
    struct text alone[MANY] = {0}, got[MANY] = {0};
    struct skerry_stmt *s[MANY];
    for (u32 i = 0; i < MANY; i++) {
        REQUIRE(skerry_exec(w.db, statements[i], row, &alone[i]) == SKERRY_OK);
        s[i] = prepared(&w, statements[i]);
        REQUIRE(s[i]);
    }
    for (u32 left = MANY; left;) {
        u32 i = (u32)(test_random(&random) % MANY);
        if (!s[i]) continue;
        int result = skerry_step(s[i]);
        if (result == SKERRY_ROW) {
            row(&got[i], s[i]);
        } else if (result == SKERRY_WAIT) {
            io_step(w.io, 0);
        } else {
            CHECK_EQ(result, SKERRY_DONE);
            skerry_finalize(s[i]);
            s[i] = NULL;
            left--;
        }
    }
    for (u32 i = 0; i < MANY; i++) {
        CHECK(alone[i].size == got[i].size && memcmp(alone[i].bytes, got[i].bytes, got[i].size) == 0);
        free(alone[i].bytes);
        free(got[i].bytes);
    }
    world_close(&w);
}

TEST(sorter_statements_ended_early)
{
    u64 random = test_seed();
    struct world w;
    REQUIRE(world_open(&w, random));
    REQUIRE(skerry_exec(w.db, table, NULL, NULL) == SKERRY_OK);
    for (u32 i = 0; i < 24; i++) {
        struct skerry_stmt *s = prepared(&w, statements[i % 9]);
        REQUIRE(s);
        u64 stop = test_random(&random) % 60, rows = test_random(&random) % 5000;
        int result = SKERRY_ROW;
        while (stop && rows && ((result = skerry_step(s)) == SKERRY_WAIT || result == SKERRY_ROW)) {
            if (result == SKERRY_WAIT) {
                stop--;
                io_step(w.io, UINT64_MAX);
            } else {
                rows--;
            }
        }
        CHECK(result == SKERRY_WAIT || result == SKERRY_ROW);
        if (i % 2) {
            while (skerry_reset(s) == SKERRY_WAIT) io_step(w.io, UINT64_MAX);
            result = skerry_step(s);
            CHECK(result == SKERRY_WAIT || result == SKERRY_ROW);
        }
        skerry_finalize(s);
    }
    world_close(&w);
}

// Transfers of a statement that ended go on until they are over; the next fault is not for them.
static void settle(struct world *w)
{
    while (io_busy(w->io)) io_step(w->io, UINT64_MAX);
}

TEST(sorter_statements_full_disk)
{
    struct world w;
    REQUIRE(world_open(&w, test_seed()));
    REQUIRE(skerry_exec(w.db, table, NULL, NULL) == SKERRY_OK);
    REQUIRE(skerry_exec(w.db, "BEGIN; INSERT INTO t(id) VALUES(-1)", NULL, NULL) == SKERRY_OK);
    for (u64 nth = 1; nth < 4; nth++) {
        sim_fault_at(w.sim, SIM_WRITE_FULL, nth);
        CHECK_EQ(skerry_exec(w.db, "SELECT id, d FROM t ORDER BY c", NULL, NULL), ERR_FULL);
        CHECK(strstr(skerry_error(w.db)->text, "/temporary"));
        settle(&w);
        sim_fault_at(w.sim, SIM_READ_ERROR, nth);
        CHECK_EQ(skerry_exec(w.db, "SELECT id, d FROM t ORDER BY c", NULL, NULL), ERR_IOERR);
        CHECK(strstr(skerry_error(w.db)->text, "/temporary"));
        settle(&w);
    }
    // The transaction goes on.
    struct text got = {0};
    CHECK_EQ(skerry_exec(w.db, "COMMIT; SELECT id FROM (SELECT * FROM t ORDER BY c, d, id) LIMIT 1", row, &got), SKERRY_OK);
    CHECK_STR(got.bytes, "-1\n");
    free(got.bytes);
    world_close(&w);
}

int main(int argc, char **argv) { return test_main(argc, argv); }
