// Goal: regexp, UUIDs and vectors do what their documentation says, regexp in linear time.
// Method: regexp against a backtracking matcher of the same syntax on short random inputs, and on a pattern that
// takes backtrackers forever; UUIDs by RFC 9562; vectors by arithmetic.
#include "fn_oracle.h"

#include "engine/fn/regexp.h"

// Patterns of single characters, '.', groups, '|', '*', '+', '?': gives the ends of all matches from z in *ends (a
// set of bits), the plain way.
static u32 ends_of(const char *p, const char *stop, const char *z, u32 from);

static const char *group_end(const char *p)
{
    u32 depth = 0;
    for (;; p++) {
        if (*p == '(') depth++;
        if (*p == ')' && --depth == 0) return p + 1;
    }
}

static u32 ends_of_one(const char *p, const char *next, const char *z, u32 from)
{
    if (*p == '(') return ends_of(p + 1, next - 1, z, from);
    if (!z[from] || (*p != '.' && *p != z[from])) return 0;
    return 1u << (from + 1);
}

static u32 ends_of_sequence(const char *p, const char *stop, const char *z, u32 set)
{
    while (p < stop) {
        const char *next = *p == '(' ? group_end(p) : p + 1;
        char repeat = next < stop && strchr("*+?", *next) ? *next : 0;
        u32 reached = 0, all = repeat == '*' || repeat == '?' ? set : 0, front = set;
        do {
            reached = 0;
            for (u32 i = 0; i < 31; i++) {
                if (front >> i & 1) reached |= ends_of_one(p, next, z, i);
            }
            front = reached & ~all;
            all |= reached;
        } while (front && (repeat == '*' || repeat == '+'));
        set = all;
        p = next + (repeat != 0);
    }
    return set;
}

static u32 ends_of(const char *p, const char *stop, const char *z, u32 from)
{
    u32 set = 0, depth = 0;
    const char *start = p;
    for (;; p++) {
        if (p == stop || (*p == '|' && depth == 0)) {
            set |= ends_of_sequence(start, p, z, 1u << from);
            start = p + 1;
            if (p == stop) return set;
        }
        if (*p == '(') depth++;
        if (*p == ')') depth--;
    }
}

static void put_pattern(char *out, u64 *seed, u32 depth)
{
    for (u64 i = 1 + test_random(seed) % 3; i; i--) {
        u64 kind = test_random(seed) % (depth > 2 ? 4 : 6);
        if (kind < 3) strcat(out, kind == 0 ? "a" : kind == 1 ? "b" : "c");
        if (kind == 3) strcat(out, ".");
        if (kind > 3) {
            strcat(out, "(");
            put_pattern(out, seed, depth + 1);
            if (kind == 5) {
                strcat(out, "|");
                put_pattern(out, seed, depth + 1);
            }
            strcat(out, ")");
        }
        u64 repeat = test_random(seed) % 6;
        if (repeat < 3) strcat(out, repeat == 0 ? "*" : repeat == 1 ? "+" : "?");
    }
}

TEST(regexp_random_patterns)
{
    u64 seed = test_seed();
    for (u32 n = 0; n < 20000; n++) {
        char pattern[2000] = "", text[12] = "";
        put_pattern(pattern, &seed, 0);
        if (strstr(pattern, ".*")) continue; // an operand of its own
        for (u64 i = test_random(&seed) % 8; i; i--) strcat(text, test_random(&seed) % 2 ? "a" : test_random(&seed) % 2 ? "b" : "c");
        bool want = false;
        for (u32 i = 0; i <= strlen(text); i++) want |= ends_of(pattern, pattern + strlen(pattern), text, i) != 0;
        const char *error;
        bool failed;
        struct regexp *r = regexp_compile((u8 *)pattern, (u32)strlen(pattern), false, &error);
        if (!r) {
            test_fail(__FILE__, __LINE__, "%s: %s", pattern, error);
            continue;
        }
        bool got = regexp_match(r, (u8 *)text, (u32)strlen(text), &failed);
        if (got != want) test_fail(__FILE__, __LINE__, "'%s' REGEXP '%s': got %d", text, pattern, got);
        regexp_free(r);
    }
}

TEST(regexp_known)
{
    static const struct {
        const char *arguments, *want;
    } CASES[] = {
        {"'^abc$', 'abc'", "1"}, {"'^abc$', 'xabc'", "0"}, {"'b', 'abc'", "1"}, {"'', 'abc'", "1"}, {"'a.c', 'a漢c'", "1"},
        {"'^[a-c]+$', 'abcabc'", "1"}, {"'^[^a-c]+$', 'xyz'", "1"}, {"'^[]x]$', ']'", "1"}, {"'\\d{3}-\\d{4}', 'call 555-1234'", "1"},
        {"'^\\w+@\\w+\\.com$', 'me@here.com'", "1"}, {"'\\bcat\\b', 'a cat sat'", "1"}, {"'\\bcat\\b', 'concat'", "0"},
        {"'a{2,3}b', 'ab'", "0"}, {"'a{2,3}b', 'aaab'", "1"}, {"'^a{2,3}$', 'aaaa'", "0"}, {"'^a{0,2}$', ''", "1"},
        {"'^(a|bc){2}$', 'abc'", "1"}, {"'^a{2,}$', 'aaaaa'", "1"}, {"'^(ab){0,}$', 'abab'", "1"}, {"'\\u00e9', 'é'", "1"},
        {"'\\x41', 'A'", "1"}, {"'ABC', 'abc'", "0"}, {"'a|b|^c', 'xc'", "0"}, {"'\\S+\\s\\D', 'ab 1'", "0"}, {"NULL, 'a'", "NULL"},
        {"'a', NULL", "NULL"}, {"'*a', 'a'", "error: '*' without operand"}, {"'(a', 'a'", "error: unmatched '('"},
        {"'a)', 'a'", "error: unrecognized character"}, {"'[a', 'a'", "error: unclosed '['"}, {"'\\q', 'a'", "error: unknown \\ escape"},
        {"'a{3,2}', 'a'", "error: n less than m in '{m,n}'"}, {"'a{0}', 'a'", "error: both m and n are zero in '{m,n}'"},
        {"'(a{1000}){1000}', 'a'", "error: REGEXP pattern too big"}, {"12, 3124", "1"},
        {"'a\\', 'ba'", "1"}, {"'a\\', 'a\\'", "0"}, {"'(a\\', 'a'", "error: unmatched '('"}, {"'[a\\', 'a'", "error: unclosed '['"},
    };
    for (u32 i = 0; i < COUNT_OF(CASES); i++) fn_oracle_expect("regexp", CASES[i].arguments, CASES[i].want);
    fn_oracle_expect("regexpi", "'ABC[x-z]', 'abcY'", "1");
}

TEST(regexp_is_linear)
{
    // A backtracker tries 2^30 ways here.
    char text[31], pattern[200] = "";
    const char *error;
    bool failed;
    memset(text, 'a', 30);
    for (u32 i = 0; i < 30; i++) strcat(pattern, "a?");
    strcat(pattern, "(a*)*b");
    struct regexp *r = regexp_compile((u8 *)pattern, (u32)strlen(pattern), false, &error);
    REQUIRE(r != NULL);
    CHECK(!regexp_match(r, (u8 *)text, 30, &failed));
    regexp_free(r);
}

TEST(uuid_forms)
{
    fn_oracle_expect("uuid_blob", "'01945ca0-3189-76c0-9a8f-caf310fc8b8e'", "X'01945CA0318976C09A8FCAF310FC8B8E'");
    fn_oracle_expect("uuid_str", "x'01945ca0318976c09a8fcaf310fc8b8e'", "'01945ca0-3189-76c0-9a8f-caf310fc8b8e'");
    fn_oracle_expect("uuid_str", "'{01945CA0318976C09A8FCAF310FC8B8E}'", "'01945ca0-3189-76c0-9a8f-caf310fc8b8e'");
    fn_oracle_expect("uuid7_timestamp_ms", "'01945ca0-3189-76c0-9a8f-caf310fc8b8e'", "1736720789897");
    fn_oracle_expect("uuid_str", "'01945ca0'", "NULL");
    fn_oracle_expect("uuid_blob", "NULL", "NULL");
}

TEST(vector_functions)
{
    static const struct {
        const char *name, *arguments, *want;
    } CASES[] = {
        {"vector32", "'[1,2]'", "X'0000803F00000040'"},
        {"vector", "' [ 1 , 2 ] '", "X'0000803F00000040'"},
        {"vector64", "'[1]'", "X'000000000000F03F02'"},
        {"vector32", "'[]'", "X''"},
        {"vector_extract", "x'0000803f00000040'", "'[1,2]'"},
        {"vector_extract", "x'0000803f0000004001'", "'[1,2]'"},
        {"vector_extract", "x'000000000000f03f02'", "'[1]'"},
        {"vector_extract", "x'cdcccc3d'", "'[0.1]'"},
        {"vector_distance_l2", "'[0,0]', '[3,4]'", "5.0"},
        {"vector_distance_cos", "'[1,0]', '[0,1]'", "1.0"},
        {"vector_distance_cos", "'[1,2,3,4,5,6,7,8,9]', '[1,2,3,4,5,6,7,8,9]'", "0.0"},
        {"vector_distance_l2", "'[1,2]', '[1]'", "error: vector_distance_l2: vectors must have the same length: 2 != 1"},
        {"vector32", "'[1,x]'", "error: invalid vector: element 2 is not a finite number"},
        {"vector32", "'[1,]'", "error: invalid vector: element 1 is not a finite number"},
        {"vector32", "'1,2'", "error: invalid vector: it must look like [1, 2, 3]"},
        {"vector_extract", "x'000000'", "error: invalid vector: unknown type 0"},
        {"vector_extract", "x'0000'", "error: invalid vector: 2 bytes are not whole elements"},
        {"vector32", "NULL", "NULL"},
    };
    for (u32 i = 0; i < COUNT_OF(CASES); i++) fn_oracle_expect(CASES[i].name, CASES[i].arguments, CASES[i].want);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
