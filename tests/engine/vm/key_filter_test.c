// Goal: a filter of keys never denies one that was added, nor one that compares equal to it, and denies most others.
// Method: random values of few kinds, added one by one; each of those before, and what equals it (an integer as a real, letters of
// the other case), must be had at any size. Values that were never added must mostly be denied.
#include "engine/vm/key_filter.h"
#include "tests/test.h"

static const struct collation *const collations[] = {NULL, &COLLATION_NOCASE};
static u8 orders[2];
static const struct key_info info = {.field_count = 2, .all_count = 2, .encoding = 1,
                                     .collations = (const struct collation **)collations, .orders = orders};

// A key of number i; equal ones of another look with `other`.
static void key_make(u32 i, bool other, u8 text[2][24], struct value v[2])
{
    for (u32 k = 0; k < 2; k++) value_init(&v[k]);
    u32 size = (u32)snprintf((char *)text[1], 24, other ? "KEY%u" : "key%u", i);
    switch (i % 4) {
    case 0:
        if (other) value_set_real(&v[0], i);
        else value_set_integer(&v[0], i);
        break;
    case 1: value_set_real(&v[0], i + 0.5); break;
    case 2: value_borrow_blob(&v[0], text[0], (u32)snprintf((char *)text[0], 24, "%u", i)); break;
    default: value_borrow_text(&v[0], text[0], (u32)snprintf((char *)text[0], 24, "t%u", i)); break;
    }
    value_borrow_text(&v[1], text[1], size);
}

TEST(filter_has_what_was_added)
{
    struct key_filter *f = key_filter_new(&info, 0);
    REQUIRE(f);
    u8 text[2][24];
    struct value v[2];
    for (u32 round = 0; round < 2; round++) {
        u32 missing = 0, had = 0, count = 0;
        for (u32 size = 1; size <= 200000; size = size * 3 + 1) {
            for (; count < size; count++) {
                key_make(count, false, text, v);
                key_filter_add(f, v);
            }
            for (u32 i = 0; i < size; i++) {
                key_make(i, i % 3 == 0, text, v);
                missing += !key_filter_may_have(f, v);
            }
            if (size > 100000) break; // larger than it grows for: it only must not deny
            for (u32 i = had = 0; i < 2000; i++) {
                key_make(1000000 + i, false, text, v);
                had += key_filter_may_have(f, v);
            }
            CHECK(had < 2000 / 4);
        }
        CHECK_EQ(missing, 0);
        key_filter_clear(f); // as new
        for (u32 i = had = 0; i < 2000; i++) {
            key_make(i, false, text, v);
            had += key_filter_may_have(f, v);
        }
        CHECK_EQ(had, 0);
    }
    key_filter_free(f);
}

TEST(filter_of_a_blob_of_zeroes_has_everything)
{
    struct key_filter *f = key_filter_new(&info, 0);
    REQUIRE(f);
    u8 text[2][24];
    struct value v[2];
    key_make(2, false, text, v);
    CHECK(!key_filter_may_have(f, v));
    v[0].flags |= VALUE_ZERO_TAIL; // its bytes are not written out
    v[0].zero_count = 100;
    CHECK(key_filter_may_have(f, v));
    key_filter_add(f, v);
    key_make(5, false, text, v);
    CHECK(key_filter_may_have(f, v));
    key_filter_free(f);
}

TEST(filter_made_for_many_denies_most_others)
{
    const u32 rows = 300000;
    struct key_filter *f = key_filter_new(&info, rows);
    REQUIRE(f);
    u8 text[2][24];
    struct value v[2];
    for (u32 i = 0; i < rows; i++) {
        key_make(i, false, text, v);
        key_filter_add(f, v);
    }
    u32 missing = 0, had = 0;
    for (u32 i = 0; i < rows; i++) {
        key_make(i, i % 3 == 0, text, v);
        missing += !key_filter_may_have(f, v);
    }
    CHECK_EQ(missing, 0);
    for (u32 i = 0; i < 2000; i++) {
        key_make(1000000 + i, false, text, v);
        had += key_filter_may_have(f, v);
    }
    CHECK(had < 2000 / 4);
    key_filter_free(f);
}

static int by_length(void *context, const u8 *a, u32 a_size, const u8 *b, u32 b_size)
{
    return (a_size > b_size) - (a_size < b_size);
}

TEST(filter_of_an_unknown_collation_has_everything)
{
    const struct collation length = {.name = "length", .compare = by_length}, *of[2] = {NULL, &length};
    const struct key_info odd = {.field_count = 2, .all_count = 2, .encoding = 1, .collations = (const struct collation **)of, .orders = orders};
    struct key_filter *f = key_filter_new(&odd, 0);
    REQUIRE(f);
    u8 text[2][24];
    struct value v[2];
    key_make(1, false, text, v);
    CHECK(key_filter_may_have(f, v));
    key_filter_clear(f);
    CHECK(key_filter_may_have(f, v));
    key_filter_free(f);
}

int main(int argc, char **argv) { return test_main(argc, argv); }
