// Goal: numbers, text and their comparisons are SQLite's to the bit.
// Method: tables of known answers; libsqlite3 as oracle for casts, affinities and comparisons over all pairs of
// awkward values; the C library (correctly rounded) for doubles both ways, which is what SQLite from 3.43 on
// aims at, with ties of the 15th digit rounded away from zero.
#include "../test.h"
#include "engine/value.h"

#include <math.h>
#include <sqlite3.h>

static const char *real_text(double r)
{
    static char out[32];
    u32 n = real_to_text(r, out);
    CHECK_EQ(strlen(out), n);
    return out;
}

TEST(real_to_text_known)
{
    static const struct {
        double real;
        const char *want;
    } CASES[] = {
        {0.0, "0.0"}, {-0.0, "0.0"}, {1.0, "1.0"}, {-1.5, "-1.5"}, {0.1, "0.1"}, {1e15, "1.0e+15"},
        {123456789012345.0, "123456789012345.0"}, {1e14, "100000000000000.0"}, {1.5e300, "1.5e+300"},
        {1e-5, "1.0e-05"}, {0.0001, "0.0001"}, {-1e-100, "-1.0e-100"}, {1.0 / 3, "0.333333333333333"},
        {9223372036854775807.0, "9.22337203685478e+18"}, {5e-324, "4.94065645841247e-324"},
        {1.7976931348623157e308, "1.79769313486232e+308"}, {HUGE_VAL, "Inf"}, {-HUGE_VAL, "-Inf"},
        {1234567890123455.0, "1.23456789012346e+15"}, {1e22, "1.0e+22"}, {1e23, "1.0e+23"},
        {4294967296.0, "4294967296.0"}, {-2147483648.0, "-2147483648.0"}, {999999999999999.5, "1.0e+15"},
    };
    for (u32 i = 0; i < COUNT_OF(CASES); i++) CHECK_STR(real_text(CASES[i].real), CASES[i].want);
}

static double random_real(u64 *seed)
{
    u64 bits = test_random(seed);
    double r;
    switch (test_random(seed) % 4) {
    case 0: break;
    case 1: bits = (bits & 0x800fffffffffffffull) | (1023 - 60 + test_random(seed) % 120) << 52; break;
    case 2: return (double)(s64)(bits >> test_random(seed) % 63);
    case 3: return (double)(s64)(bits >> (20 + test_random(seed) % 40)) / 1000.0;
    }
    memcpy(&r, &bits, 8);
    return isfinite(r) ? r : 1.0;
}

TEST(real_to_text_random)
{
    u64 seed = test_seed();
    for (u32 i = 0; i < 300000; i++) {
        double r = random_real(&seed);
        char want[64], exact[1200], got[32];
        snprintf(want, sizeof want, "%.14e", r);
        real_to_text(r, got);
        if (strtod(got, NULL) == strtod(want, NULL)) continue;
        // A tie: the C library rounds to even, SQLite away from zero.
        snprintf(exact, sizeof exact, "%.1080e", r);
        const char *tail = exact + (exact[0] == '-') + 16;
        bool tie = tail[0] == '5' && strspn(tail + 1, "0") == strcspn(tail + 1, "e");
        if (!tie) test_fail(__FILE__, __LINE__, "%.17g: got %s, want %s", r, got, want);
    }
}

TEST(integer_to_text_as_printf)
{
    u64 random = test_seed();
    char got[24], want[24];
    for (u32 i = 0; i < 100000; i++) {
        s64 power = 1;
        for (u32 n = i % 20; n > 1; n--) power *= 10;
        s64 edge = power + (s64)(i / 20 % 5) - 2, any = (s64)(test_random(&random) >> test_random(&random) % 64);
        s64 integers[] = {edge, -edge, any, ~any, INT64_MAX - (s64)i, INT64_MIN + (s64)i, (s64)i};
        for (u32 n = 0; n < COUNT_OF(integers); n++) {
            u32 size = integer_to_text(integers[n], got);
            CHECK_EQ(size, (u32)snprintf(want, sizeof want, "%lld", (long long)integers[n]));
            CHECK_STR(got, want);
        }
    }
}

TEST(number_parse_random)
{
    u64 seed = test_seed();
    for (u32 i = 0; i < 300000; i++) {
        double r = random_real(&seed);
        char text[1200];
        static const char *FORMATS[] = {"%.15g", "%.16e", "%.17g", "%.20g", "%.40e", "%.15f"};
        int n = snprintf(text, sizeof text, FORMATS[test_random(&seed) % COUNT_OF(FORMATS)], r);
        struct number_text t = number_parse((u8 *)text, (u32)n);
        double want = strtod(text, NULL);
        if (t.kind == NUMBER_NONE || !t.whole || memcmp(&t.real, &want, 8) != 0)
            test_fail(__FILE__, __LINE__, "%s: got %.17g, want %.17g", text, t.real, want);
    }
}

TEST(number_parse_halfway)
{
    // From 2^53 to 2^54 doubles are two apart: an odd integer is half way, and the hair above it comes after
    // more digits than any fast path reads.
    u64 seed = test_seed();
    for (u32 i = 0; i < 2000; i++) {
        u64 even = (1ull << 53) + ((test_random(&seed) >> 12) << 1);
        char text[100];
        int n = snprintf(text, sizeof text, "%llu", (unsigned long long)even + 1);
        struct number_text t = number_parse((u8 *)text, (u32)n);
        CHECK(t.real == (double)(even + 1));
        n = snprintf(text, sizeof text, "%llu.%050d1", (unsigned long long)even + 1, 0);
        t = number_parse((u8 *)text, (u32)n);
        CHECK(t.real == (double)(even + 2));
    }
}

static const char *AWKWARD[] = {
    "NULL", "0", "1", "-1", "9223372036854775807", "-9223372036854775808", "9223372036854775806", "4503599627370497",
    "0.0", "-0.0", "1.0", "1.5", "-1.5", "1e15", "9223372036854775807.0", "-9223372036854775808.0", "9e18", "1e19",
    "1e300", "-1e300", "9e999", "-9e999", "1e-300", "2251799813685248.0", "2251799813685247.0", "9007199254740993",
    "''", "' '", "'0'", "'1'", "' 1 '", "'1 x'", "'x'", "'-'", "'+'", "'.'", "'1.'", "'.5'", "'-.5'", "'+5'", "'--5'",
    "'1e'", "'1e+'", "'1e5'", "'1e5x'", "'1E-5'", "'0x10'", "'12abc'", "'12.5abc'", "'1.0'", "'48.00'", "'Inf'", "'nan'",
    "'9223372036854775807'", "'9223372036854775808'", "'-9223372036854775808'", "'-9223372036854775809'",
    "'9223372036854775808x'", "'99999999999999999999'", "'1e400'", "'-1e400'", "'1e-400'", "'00000000000000000000001'",
    "'0.00000000000000000000000001'", "'a'", "'A'", "'a '", "'b'", "'aB'", "'Ab'", "'\u00e9'", "'\u00c9'", "'1_0'",
    "char(9)||'7'||char(10)", "'5' || char(0)", "'a' || char(0) || 'b'", "'A' || char(0) || 'c'",
    "x''", "x'00'", "x'31'", "x'3132'", "x'61'", "x'ff'", "zeroblob(3)", "x'000000'", "x'312e35'", "x'2d39'",
};

static sqlite3 *oracle_open(void)
{
    sqlite3 *db;
    CHECK_EQ(sqlite3_open(":memory:", &db), SQLITE_OK);
    return db;
}

static void oracle_get(sqlite3 *db, const char *sql, struct value *out)
{
    sqlite3_stmt *s;
    value_init(out);
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK || sqlite3_step(s) != SQLITE_ROW) {
        test_fail(__FILE__, __LINE__, "%s: %s", sql, sqlite3_errmsg(db));
        sqlite3_finalize(s);
        return;
    }
    err_code code = ERR_OK;
    switch (sqlite3_column_type(s, 0)) {
    case SQLITE_INTEGER: value_set_integer(out, sqlite3_column_int64(s, 0)); break;
    case SQLITE_FLOAT: value_set_real(out, sqlite3_column_double(s, 0)); break;
    case SQLITE_TEXT:
        code = value_set_text(out, sqlite3_column_text(s, 0), (size_t)sqlite3_column_bytes(s, 0));
        break;
    case SQLITE_BLOB:
        code = value_set_blob(out, sqlite3_column_blob(s, 0), (size_t)sqlite3_column_bytes(s, 0));
        break;
    }
    CHECK_EQ(code, ERR_OK);
    sqlite3_finalize(s);
}

static void check_same(const char *what, const char *input, const struct value *got, const struct value *want)
{
    if (got->type == want->type && value_compare(got, want, NULL) == 0) return;
    test_fail(__FILE__, __LINE__, "%s of %s: type %d (%lld, %g), want type %d (%lld, %g)", what, input, got->type,
              (long long)got->integer, got->real, want->type, (long long)want->integer, want->real);
}

TEST(value_cast_as_sqlite)
{
    static const struct {
        const char *type;
        enum affinity affinity;
    } TYPES[] = {{"INTEGER", AFFINITY_INTEGER}, {"REAL", AFFINITY_REAL}, {"NUMERIC", AFFINITY_NUMERIC},
                 {"TEXT", AFFINITY_TEXT}, {"BLOB", AFFINITY_BLOB}};
    sqlite3 *db = oracle_open();
    for (u32 i = 0; i < COUNT_OF(AWKWARD); i++) {
        for (u32 t = 0; t < COUNT_OF(TYPES); t++) {
            struct value got, want;
            char sql[200];
            snprintf(sql, sizeof sql, "SELECT %s", AWKWARD[i]);
            oracle_get(db, sql, &got);
            snprintf(sql, sizeof sql, "SELECT CAST(%s AS %s)", AWKWARD[i], TYPES[t].type);
            oracle_get(db, sql, &want);
            CHECK_EQ(value_cast(&got, TYPES[t].affinity, 0), ERR_OK);
            check_same(TYPES[t].type, AWKWARD[i], &got, &want);
            value_deinit(&got);
            value_deinit(&want);
        }
    }
    sqlite3_close(db);
}

TEST(value_affinity_as_sqlite)
{
    static const struct {
        const char *type;
        enum affinity affinity;
    } TYPES[] = {{"INTEGER", AFFINITY_INTEGER}, {"REAL", AFFINITY_REAL}, {"NUMERIC", AFFINITY_NUMERIC},
                 {"TEXT", AFFINITY_TEXT}, {"BLOB", AFFINITY_BLOB}};
    sqlite3 *db = oracle_open();
    for (u32 t = 0; t < COUNT_OF(TYPES); t++) {
        char sql[200];
        snprintf(sql, sizeof sql, "DROP TABLE IF EXISTS t; CREATE TABLE t(x %s)", TYPES[t].type);
        CHECK_EQ(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
        for (u32 i = 0; i < COUNT_OF(AWKWARD); i++) {
            struct value got, want;
            snprintf(sql, sizeof sql, "SELECT %s", AWKWARD[i]);
            oracle_get(db, sql, &got);
            snprintf(sql, sizeof sql, "DELETE FROM t; INSERT INTO t VALUES(%s)", AWKWARD[i]);
            CHECK_EQ(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
            oracle_get(db, "SELECT x FROM t", &want);
            CHECK_EQ(value_apply_affinity(&got, TYPES[t].affinity), ERR_OK);
            check_same(TYPES[t].type, AWKWARD[i], &got, &want);
            value_deinit(&got);
            value_deinit(&want);
        }
    }
    sqlite3_close(db);
}

TEST(value_numeric_as_sqlite)
{
    sqlite3 *db = oracle_open();
    for (u32 i = 0; i < COUNT_OF(AWKWARD); i++) {
        struct value got, want;
        char sql[200];
        snprintf(sql, sizeof sql, "SELECT %s", AWKWARD[i]);
        oracle_get(db, sql, &got);
        snprintf(sql, sizeof sql, "SELECT (%s) * 1", AWKWARD[i]);
        oracle_get(db, sql, &want);
        bool boolean = value_to_bool_in(&got, false, 0);
        value_to_numeric(&got, 0);
        check_same("* 1", AWKWARD[i], &got, &want);
        value_deinit(&want);
        snprintf(sql, sizeof sql, "SELECT iif(%s, 1, 0)", AWKWARD[i]);
        oracle_get(db, sql, &want);
        if (boolean != want.integer) test_fail(__FILE__, __LINE__, "truth of %s", AWKWARD[i]);
        value_deinit(&got);
        value_deinit(&want);
    }
    sqlite3_close(db);
}

TEST(value_compare_as_sqlite)
{
    static const struct {
        const char *name;
        const struct collation *collation;
    } COLLATIONS[] = {{"BINARY", &COLLATION_BINARY}, {"NOCASE", &COLLATION_NOCASE}, {"RTRIM", &COLLATION_RTRIM}};
    sqlite3 *db = oracle_open();
    sqlite3_stmt *s[3];
    for (u32 c = 0; c < 3; c++) {
        char sql[200];
        snprintf(sql, sizeof sql, "SELECT (?1 COLLATE %s) < ?2, (?1 COLLATE %s) = ?2", COLLATIONS[c].name,
                 COLLATIONS[c].name);
        REQUIRE(sqlite3_prepare_v2(db, sql, -1, &s[c], NULL) == SQLITE_OK);
    }
    struct value v[COUNT_OF(AWKWARD)];
    for (u32 i = 0; i < COUNT_OF(AWKWARD); i++) {
        char sql[200];
        snprintf(sql, sizeof sql, "SELECT %s", AWKWARD[i]);
        oracle_get(db, sql, &v[i]);
    }
    for (u32 i = 0; i < COUNT_OF(AWKWARD); i++) {
        for (u32 j = 0; j < COUNT_OF(AWKWARD); j++) {
            if (v[i].type == VALUE_NULL || v[j].type == VALUE_NULL) continue;
            for (u32 c = 0; c < 3; c++) {
                const struct value *pair[] = {&v[i], &v[j]};
                for (int p = 0; p < 2; p++) {
                    const struct value *x = pair[p];
                    switch (x->type) {
                    case VALUE_INTEGER: sqlite3_bind_int64(s[c], p + 1, x->integer); break;
                    case VALUE_REAL: sqlite3_bind_double(s[c], p + 1, x->real); break;
                    case VALUE_TEXT: sqlite3_bind_text(s[c], p + 1, (const char *)x->bytes, (int)x->size, NULL); break;
                    case VALUE_BLOB: sqlite3_bind_blob(s[c], p + 1, x->size ? x->bytes : (const u8 *)"", (int)x->size, NULL); break;
                    }
                }
                REQUIRE(sqlite3_step(s[c]) == SQLITE_ROW);
                int want = sqlite3_column_int(s[c], 0) ? -1 : !sqlite3_column_int(s[c], 1);
                sqlite3_reset(s[c]);
                int got = value_compare(&v[i], &v[j], COLLATIONS[c].collation);
                if ((got > 0) - (got < 0) != want)
                    test_fail(__FILE__, __LINE__, "%s against %s, %s: got %d, want %d", AWKWARD[i], AWKWARD[j],
                              COLLATIONS[c].name, got, want);
            }
        }
    }
    for (u32 i = 0; i < COUNT_OF(AWKWARD); i++) value_deinit(&v[i]);
    for (u32 c = 0; c < 3; c++) sqlite3_finalize(s[c]);
    sqlite3_close(db);
}

TEST(value_zero_tails_compare_unwritten)
{
    static const struct {
        const char *bytes;
        u32 size, zeros;
    } BLOBS[] = {{"", 0, 0}, {"", 0, 3}, {"\0\0", 2, 0}, {"\0\0", 2, 1}, {"\0\1", 2, 0}, {"a", 1, 0}, {"a", 1, 5},
                 {"a\0\0", 3, 0}, {"a\0\1", 3, 0}, {"a\0", 2, 9}};
    for (u32 i = 0; i < COUNT_OF(BLOBS); i++) {
        for (u32 j = 0; j < COUNT_OF(BLOBS); j++) {
            struct value v[2];
            u32 index[2] = {i, j};
            for (u32 k = 0; k < 2; k++) {
                value_init(&v[k]);
                value_borrow_blob(&v[k], BLOBS[index[k]].bytes, BLOBS[index[k]].size);
                if (BLOBS[index[k]].zeros) {
                    v[k].flags |= VALUE_ZERO_TAIL;
                    v[k].zero_count = BLOBS[index[k]].zeros;
                }
            }
            int got = value_compare(&v[0], &v[1], NULL);
            CHECK_EQ(value_expand(&v[0]), ERR_OK);
            CHECK_EQ(value_expand(&v[1]), ERR_OK);
            int want = value_compare(&v[0], &v[1], NULL);
            CHECK_EQ((got > 0) - (got < 0), (want > 0) - (want < 0));
            value_deinit(&v[0]);
            value_deinit(&v[1]);
        }
    }
}

TEST(value_copies_and_moves)
{
    struct value a, b;
    value_init(&a);
    value_init(&b);
    CHECK_EQ(value_set_text(&a, "hello, world", 12), ERR_OK);
    CHECK_EQ(value_copy(&b, &a), ERR_OK);
    CHECK(b.bytes != a.bytes && b.size == 12 && memcmp(b.bytes, "hello, world", 13) == 0);
    // From its own buffer, growing.
    CHECK_EQ(value_set_text(&b, b.bytes + 7, 5), ERR_OK);
    CHECK_STR((const char *)b.bytes, "world");
    value_borrow(&b, &a);
    CHECK(b.bytes == a.bytes && (b.flags & VALUE_BORROWED));
    CHECK_EQ(value_own(&b), ERR_OK);
    CHECK(b.bytes != a.bytes && !(b.flags & VALUE_BORROWED));
    value_move(&b, &a);
    CHECK_EQ(a.type, VALUE_NULL);
    CHECK_STR((const char *)b.bytes, "hello, world");
    CHECK_EQ(value_set_zero_blob(&a, 1000000001ull), ERR_TOOBIG);
    CHECK_EQ(value_set_zero_blob(&a, 5), ERR_OK);
    CHECK_EQ(value_cast(&a, AFFINITY_TEXT, 0), ERR_OK);
    CHECK_EQ(a.size, 5);
    value_set_real(&a, NAN);
    CHECK_EQ(a.type, VALUE_NULL);
    value_deinit(&a);
    value_deinit(&b);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
