// Goal: what is written into answers is valid JSON and base64 whatever the bytes. Method: tables
// with answers from the JSON grammar (RFC 8259) and RFC 4648's test vectors; random bytes read back
// with jansson.
#include "../../node/buffer.h"
#include "../test.h"

#include <jansson.h>

TEST(json_strings)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *want;
    } CASES[] = {
        {"", 0, "\"\""},
        {"plain", 5, "\"plain\""},
        {"q\"b\\", 4, "\"q\\\"b\\\\\""},
        {"a\nb\tc\0d", 7, "\"a\\nb\\u0009c\\u0000d\""},
        {"\x7f", 1, "\"\x7f\""},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x8e", 9, "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x8e\""},
        {"\xff", 1, "\"\xef\xbf\xbd\""},
        {"\xc3", 1, "\"\xef\xbf\xbd\""},                                 // cut off
        {"\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, // a surrogate
        {"\xc0\x80", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\""},                 // overlong
        {"\xf4\x90\x80\x80", 4,
         "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, // above U+10FFFF
    };
    for (u32 i = 0; i < COUNT_OF(CASES); i++) {
        struct buffer b = {0};
        buffer_json_string(&b, CASES[i].bytes, CASES[i].size);
        buffer_add(&b, "", 1);
        CHECK_STR(b.bytes, CASES[i].want);
        buffer_deinit(&b);
    }
}

TEST(json_strings_of_random_bytes_are_json)
{
    u64 seed = test_seed();
    for (u32 round = 0; round < 5000; round++) {
        u8 bytes[40];
        size_t size = test_random(&seed) % sizeof bytes;
        for (size_t i = 0; i < size; i++) bytes[i] = (u8)test_random(&seed);
        struct buffer b = {0};
        json_error_t e;
        buffer_text(&b, "[");
        buffer_json_string(&b, bytes, size);
        buffer_text(&b, "]");
        json_t *read = json_loadb(b.bytes, b.size, JSON_ALLOW_NUL, &e);
        if (!read) test_fail(__FILE__, __LINE__, "round %u: %s", round, e.text);
        json_decref(read);
        buffer_deinit(&b);
    }
}

TEST(base64_vectors)
{
    static const struct {
        const char *plain, *coded;
    } CASES[] = {{"", ""},           {"f", "Zg"},          {"fo", "Zm8"},         {"foo", "Zm9v"},
                 {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}};
    for (u32 i = 0; i < COUNT_OF(CASES); i++) {
        struct buffer b = {0};
        u8 out[32];
        char padded[32];
        size_t size = 99;
        buffer_base64(&b, (const u8 *)CASES[i].plain, strlen(CASES[i].plain));
        buffer_add(&b, "", 1);
        CHECK_STR(b.bytes, CASES[i].coded);
        CHECK(base64_decode(CASES[i].coded, strlen(CASES[i].coded), out, &size));
        CHECK(size == strlen(CASES[i].plain) && memcmp(out, CASES[i].plain, size) == 0);
        snprintf(padded, sizeof padded, "%s%.*s", CASES[i].coded,
                 (int)((4 - strlen(CASES[i].coded) % 4) % 4), "===");
        CHECK(base64_decode(padded, strlen(padded), out, &size));
        CHECK_EQ(size, strlen(CASES[i].plain));
        buffer_deinit(&b);
    }
    u8 out[16];
    size_t size;
    CHECK(base64_decode("-_-_", 4, out, &size) && size == 3 && memcmp(out, "\xfb\xff\xbf", 3) == 0);
    CHECK(!base64_decode("a!bc", 4, out, &size));
    CHECK(!base64_decode("a", 1, out, &size));
}

TEST(buffer_limit_is_remembered)
{
    struct buffer b = {.max = 10};
    buffer_text(&b, "123456789");
    CHECK(!b.failed);
    buffer_text(&b, "0123");
    CHECK(b.failed);
    CHECK_EQ(b.size, 9);
    buffer_deinit(&b);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
