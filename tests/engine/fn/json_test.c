// Goal: JSON functions answer as SQLite does, in text, JSON5 and JSONB.
// Method: random documents, paths and values through every function that libsqlite3 (3.40) has, the answers the
// same; tables of documented answers for what came later (JSON5 in 3.42, JSONB in 3.45, json_pretty in 3.46).
#include "fn_oracle.h"

#include <sqlite3.h>

struct maker {
    char *at, *end;
    u64 seed;
};

static u64 roll(struct maker *m, u64 n)
{
    return test_random(&m->seed) % n;
}

static void put(struct maker *m, const char *s)
{
    size_t n = strlen(s);
    if ((size_t)(m->end - m->at) <= n) return;
    memcpy(m->at, s, n + 1);
    m->at += n;
}

static const char *LABELS[] = {"a", "b", "c", "a b", "", "A", "é", "0", "long label that takes more than one byte of size"};

static void put_document(struct maker *m, u32 depth)
{
    static const char *SCALARS[] = {"null", "true", "false", "0", "-1", "12345678901234567890", "1.5", "-2e10", "1E-3", "\"\"",
                                    "\"text\"", "\"q\\\"\\\\ \\u00e9\\n\"", "\"\\ud83d\\ude00\"", "9223372036854775807", "\"\\/\""};
    u64 kind = roll(m, depth > 4 ? 2 : 5);
    if (kind < 2) {
        put(m, SCALARS[roll(m, COUNT_OF(SCALARS))]);
        return;
    }
    u64 count = roll(m, 5), first = roll(m, COUNT_OF(LABELS));
    put(m, kind == 2 ? "[" : "{");
    for (u64 i = 0; i < count; i++) {
        if (i) put(m, roll(m, 2) ? "," : " , ");
        if (kind != 2) {
            put(m, "\"");
            put(m, LABELS[(first + i) % COUNT_OF(LABELS)]);
            put(m, "\":");
        }
        put_document(m, depth + 1);
    }
    put(m, kind == 2 ? "]" : "}");
}

static void put_path(struct maker *m)
{
    static const char *STEPS[] = {".a", ".b", ".c", "[0]", "[1]", "[#]", "[#-1]", "[2]", ".\"a b\"", ".A", ".\"\""};
    put(m, "$");
    for (u64 i = roll(m, 4); i; i--) put(m, STEPS[roll(m, COUNT_OF(STEPS))]);
}

// 3.40 gave a replaced root as an SQL value, and did not make [#] in what it had just made.
static void put_edit_path(struct maker *m)
{
    static const char *STEPS[] = {".a", ".b", ".c", "[0]", "[1]", "[2]", ".\"a b\"", ".A", ".\"\""};
    put(m, "$");
    for (u64 i = 1 + roll(m, 3); i; i--) put(m, STEPS[roll(m, COUNT_OF(STEPS))]);
}

static void put_quoted(struct maker *m, void (*what)(struct maker *m))
{
    char inner[4000];
    struct maker x = {inner, inner + sizeof inner, test_random(&m->seed)};
    inner[0] = 0;
    what(&x);
    put(m, "'");
    for (char *c = inner; *c; c++) {
        char one[3] = {*c, *c == '\'' ? '\'' : 0, 0};
        put(m, one);
    }
    put(m, "'");
}

static void document(struct maker *m)
{
    put_document(m, 0);
}

static void value(struct maker *m)
{
    static const char *VALUES[] = {"1", "NULL", "'x'", "2.5", "'[1]'", "'it''s \"q\"'", "1e300", "-7"};
    put(m, VALUES[roll(m, COUNT_OF(VALUES))]);
}

TEST(json_random_documents)
{
    sqlite3 *db = fn_oracle_open();
    struct maker m = {.seed = test_seed()};
    for (u32 n = 0; n < 20000; n++) {
        static const char *ONE[] = {"json", "json_valid", "json_type", "json_array_length"};
        static const char *PATH[] = {"json_extract", "json_type", "json_array_length", "json_remove"};
        static const char *SET[] = {"json_set", "json_insert", "json_replace"};
        char arguments[12000] = "";
        m.at = arguments;
        m.end = arguments + sizeof arguments;
        put_quoted(&m, document);
        u64 kind = roll(&m, 12);
        if (kind < 2) {
            fn_oracle_same(db, ONE[roll(&m, COUNT_OF(ONE))], arguments);
        } else if (kind < 6) {
            put(&m, ", ");
            put_quoted(&m, put_path);
            const char *name = PATH[roll(&m, COUNT_OF(PATH))];
            fn_oracle_same(db, name, arguments);
        } else if (kind < 10) {
            put(&m, ", ");
            put_quoted(&m, put_edit_path);
            put(&m, ", ");
            value(&m);
            fn_oracle_same(db, SET[roll(&m, COUNT_OF(SET))], arguments);
        } else if (kind == 10) {
            put(&m, ", ");
            put_quoted(&m, document);
            fn_oracle_same(db, "json_patch", arguments);
        } else {
            put(&m, ", ");
            put_quoted(&m, put_path);
            put(&m, ", ");
            put_quoted(&m, put_path);
            fn_oracle_same(db, "json_extract", arguments);
        }
    }
    sqlite3_close(db);
}

TEST(json_making)
{
    static const char *CALLS[][2] = {
        {"json_array", ""}, {"json_array", "1, 2.5, 'a\"b', NULL"}, {"json_object", ""}, {"json_object", "'a', 1, 'b', NULL"},
        {"json_object", "'a'"}, {"json_object", "1, 2"}, {"json_quote", "'a'"}, {"json_quote", "1"}, {"json_quote", "NULL"},
        {"json_quote", "char(1,9,10,13,34,92,127)"}, {"json_quote", "3.5"}, {"json_quote", "x'41'"}, {"json_array", "x'00ff'"},
        {"json", "NULL"}, {"json", "'[1,'"}, {"json_extract", "'{\"a\":1}', '$.a', '$.b'"}, {"json_set", "'{}', '$.a'"}, {"json_extract", "NULL, '$'"}, {"json_extract", "'{}', NULL"}, {"json_patch", "'{}', NULL"},
        {"json_remove", "'[1,2]', '$'"}, {"json_remove", "'[1,2]', NULL"}, {"json_valid", "'x'"},
    };
    sqlite3 *db = fn_oracle_open();
    for (u32 i = 0; i < COUNT_OF(CALLS); i++) fn_oracle_same(db, CALLS[i][0], CALLS[i][1]);
    sqlite3_close(db);
}

TEST(json_newer_than_the_library)
{
    static const struct {
        const char *name, *arguments, *want;
    } CASES[] = {
        // JSON5, 3.42
        {"json", "'{a:5,b:6,}'", "'{\"a\":5,\"b\":6}'"},
        {"json", "'[ 1, /* two */ 2, // three\n 0x10, +4, .5, 6., ''x'', Infinity, -Infinity, NaN, ]'",
         "'[1,2,16,4,0.5,6.0,\"x\",9e999,-9e999,null]'"},
        {"json", "'''a\\x41\\v\\0b'''", "'\"a\\u0041\\u000b\\u0000b\"'"},
        {"json_valid", "'{a:5}'", "0"},
        {"json_valid", "'{a:5}', 2", "1"},
        {"json_valid", "'{\"a\":5}', 6", "1"},
        {"json_valid", "x'7c2761'", "0"},
        {"json_valid", "'{', 16", "error: FLAGS parameter to json_valid() must be between 1 and 15"},
        {"json_error_position", "'{\"a\":[1,2,x]}'", "11"},
        {"json_error_position", "'[1,2]'", "0"},
        {"json_error_position", "NULL", "NULL"},
        {"json_extract", "'{a:0x10}', '$.a'", "16"},
        // JSONB, 3.45: the layout of its documentation
        {"jsonb", "'[1,\"a\",null,true,{\"b\":2.5}]'", "X'CB0D1331176100016C176235322E35'"},
        {"jsonb", "'[]'", "X'0B'"},
        {"jsonb", "'{}'", "X'0C'"},
        {"jsonb", "'\"0123456789ab\"'", "X'C70C303132333435363738396162'"},
        {"json", "x'0b'", "'[]'"},
        {"json", "x'4b13311332'", "'[1,2]'"},
        {"json", "x'5b13311332'", "error: malformed JSON"},
        {"json_valid", "x'4b13311332', 4", "1"},
        {"json_valid", "x'4b13311332', 8", "1"},
        {"json_valid", "x'4b13311378', 8", "0"},
        {"json_valid", "x'4b13311332'", "0"},
        {"json_extract", "x'4b13311332', '$[1]'", "2"},
        {"jsonb_extract", "'{\"a\":[1]}', '$.a'", "X'2B1331'"},
        {"jsonb_set", "'{}', '$.a', 1", "X'4C1A611331'"},
        {"->", "'{\"a\":[1]}', 'a'", "'[1]'"},
        {"->>", "'{\"a\":[1]}', '$.a[0]'", "1"},
        {"->", "'[1,2,3]', -1", "'3'"},
        {"->>", "'{\"a.b\":7}', 'a.b'", "7"},
        {"json_set", "'[]', '$[0].a[0]', 5", "'[{\"a\":[5]}]'"},
        {"json_set", "'{}', '$.\"x y\"', x'2b1331'", "'{\"x y\":[1]}'"},
        {"json_extract", "'{}', 'a'", "error: bad JSON path: 'a'"},
        {"json_extract", "'{}', '$.'", "error: bad JSON path: '$.'"},
        {"json_set", "'{}', 'it''s', 1", "error: bad JSON path: 'it''s'"},
        {"json_valid", "NULL", "NULL"},
        {"json_patch", "'{\"a\":1,\"a\":2}', '{\"a\":3}'", "'{\"a\":3,\"a\":2}'"},
        // several edits, each of the result of the one before
        {"json_set", "'[]', '$[0]', 1, '$[1]', 2, '$[0]', 3", "'[3,2]'"},
        // json_pretty, 3.46
        {"json_pretty", "'{\"a\":[1,{}],\"b\":[]}'", "'{\n    \"a\": [\n        1,\n        {}\n    ],\n    \"b\": []\n}'"},
        {"json_pretty", "'[1]', char(9)", "'[\n\t1\n]'"},
    };
    for (u32 i = 0; i < COUNT_OF(CASES); i++) fn_oracle_expect(CASES[i].name, CASES[i].arguments, CASES[i].want);
}

TEST(json_depth_is_limited)
{
    static char text[9000];
    memset(text, '[', 2000);
    memset(text + 2000, ']', 2000);
    char arguments[9100];
    snprintf(arguments, sizeof arguments, "'%s'", text);
    fn_oracle_expect("json", arguments, "error: malformed JSON");
    text[2999] = 0;
    snprintf(arguments, sizeof arguments, "'%s'", text + 1000);
    fn_oracle_expect("json_valid", arguments, "0");
    snprintf(arguments, sizeof arguments, "'%.1000s%.1000s'", text, text + 2000);
    memset(text + 2000, ']', 2000);
    snprintf(arguments, sizeof arguments, "'%.1000s%.1000s'", text, text + 2000);
    fn_oracle_expect("json_valid", arguments, "1");
}

TEST(json_aggregates)
{
    sqlite3 *db = fn_oracle_open();
    fn_oracle_same_aggregate(db, "json_group_array", 1, "(1),(NULL),('a\"b'),(2.5)");
    fn_oracle_same_aggregate(db, "json_group_object", 2, "('a',1),('b',NULL),('c','x')");
    CHECK_STR(fn_oracle_aggregate_answer(db, "jsonb_group_array", 1, "(1),(2)"), "X'4B13311332'");
    sqlite3_close(db);
}

// Blobs that are not JSONB but may look like it: every function says so or answers, none goes astray.
TEST(json_hostile_blobs)
{
    static const char *NAMES[] = {"json", "json_type", "json_array_length", "json_error_position", "json_pretty"};
    sqlite3 *db = fn_oracle_open();
    u64 seed = test_seed();
    for (u32 n = 0; n < 20000; n++) {
        char arguments[200] = "x'";
        u32 size = (u32)(1 + test_random(&seed) % 12);
        char *at = arguments + 2;
        for (u32 i = 0; i < size; i++) {
            static const u8 LIKELY_BYTES[] = {0x0b, 0x0c, 0x1b, 0x2b, 0x4b, 0xcb, 0xdb, 0xeb, 0xfb, 0x13, 0x31, 0x17, 0x61, 0x4c, 0x2c, 0xc7, 0x29, 0x5c};
            u8 c = test_random(&seed) % 4 ? LIKELY_BYTES[test_random(&seed) % COUNT_OF(LIKELY_BYTES)] : (u8)test_random(&seed);
            at += sprintf(at, "%02x", c);
        }
        sprintf(at, "'");
        fn_oracle_answer(db, NAMES[test_random(&seed) % COUNT_OF(NAMES)], arguments);
        at += sprintf(at, "', '$.a[0].b', 5");
        fn_oracle_answer(db, n % 2 ? "json_set" : "jsonb_remove", arguments);
        sprintf(at - 5, "[0]'");
        const char *got = fn_oracle_answer(db, "json_extract", arguments);
        CHECK(got[0] != 0);
    }
    sqlite3_close(db);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
