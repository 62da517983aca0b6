// SQL functions and conversions take any bytes, as text, as a blob and as a number: input[0] selects the statement,
// input[1] the types of its two arguments, and input[2] where one ends.
#include "fuzz.h"

static const char *const STATEMENTS[] = {
    "SELECT json(?1)", "SELECT jsonb(?1)", "SELECT json_valid(?1, 15), json_error_position(?1)", "SELECT ?1 ->> ?2, ?1 -> ?2",
    "SELECT json_extract(?1, ?2)", "SELECT json_set(?1, ?2, 1), json_remove(?1, ?2), json_insert(?1, ?2, json('[1]'))",
    "SELECT json_patch(?1, ?2)", "SELECT * FROM json_each(?1, ?2)", "SELECT * FROM json_tree(?1)", "SELECT json_pretty(?1, ?2)",
    "SELECT json_array(?1, ?2), json_object(?1, ?2), json_quote(?1)", "SELECT json(jsonb(?1)), jsonb_extract(?1, ?2)",
    "SELECT json_group_array(?1), json_group_object(?1, ?2)", "SELECT ?1 LIKE ?2, ?1 LIKE ?2 ESCAPE 'x', ?1 GLOB ?2",
    "SELECT ?1 REGEXP ?2", "SELECT printf(?1, ?2, 1, 2.5)", "SELECT format(?1, ?2, ?2, ?2)",
    "SELECT date(?1, ?2), julianday(?1), strftime(?2, ?1), timediff(?1, ?2)",
    "SELECT CAST(?1 AS INTEGER), CAST(?1 AS REAL), CAST(?1 AS NUMERIC), ?1 + ?2, ?1 || ?2, -?1",
    "SELECT substr(?1, ?2), instr(?1, ?2), replace(?1, ?2, 'ab'), trim(?1, ?2), upper(?1), unicode(?1), hex(?1), length(?1)",
    "SELECT unhex(?1, ?2), quote(?1), soundex(?1), char(?1, ?2), octet_length(?1), zeroblob(?1)",
    "SELECT round(?1, ?2), abs(?1), max(?1, ?2), sign(?1), pow(?1, ?2), mod(?1, ?2), log(?1, ?2), unistr(?1)",
    "SELECT vector32(?1), vector_distance_cos(?1, ?2)", "SELECT vector64(?1), vector_extract(?1), vector_distance_l2(?1, ?2)",
    "SELECT ?1 < ?2, ?1 = ?2 COLLATE NOCASE, ?1 = ?2 COLLATE RTRIM, ?1 IN (?2, 1), ?1 IS ?2",
    "SELECT group_concat(?1, ?2), sum(?1), avg(?1), total(?2), concat_ws(?1, ?2, ?2), string_agg(?1, ?2)",
    "SELECT uuid7(), uuid_str(?1), uuid_blob(?1)", "SELECT * FROM generate_series(?1, ?2) LIMIT 10",
};

static void seed(u32 statement, u8 types, const char *a, size_t a_size, const char *b)
{
    u8 bytes[400] = {(u8)statement, types, (u8)a_size};
    memcpy(bytes + 3, a, a_size);
    memcpy(bytes + 3 + a_size, b, strlen(b));
    fuzz_seed(bytes, 3 + a_size + strlen(b));
}

void fuzz_seeds(void)
{
    static const char *const TEXTS[][2] = {
        {"{\"a\":[1,2.5e3,\"x\\u00e9\\n\",null,true],\"b\":{\"c\":-1}}", "$.a[#-1]"},
        {"{a:0x1F,'b':+.5,/*c*/c:Infinity,d:\"\\\n\",}", "$.\"b\".c"},
        {"[[[[1]]],{},[],\"\\ud83d\\ude00\"]", "{\"a\":null}"},
        {"%-+ 08.3lf%5s%q%Q%w%c%x%%%*d%!.20g", "12.345"},
        {"2024-02-29 23:59:59.999+05:30", "+1 month"},
        {"a%b_c*[^x-z]?\xc3\xa9", "%B\\_c[a-z]*"},
        {"(a|b)+?[^c-d\\w]{2,3}$", "^ab(?:c)*\\b."},
        {" -0012.5e-10xyz", "9223372036854775808"},
        {"[1.0, -2.5, 3e3]", "[0.5,1,2]"},
    };
    for (u32 s = 0; s < COUNT_OF(STATEMENTS); s++)
        for (u32 t = s % 3; t < COUNT_OF(TEXTS); t += 3) seed(s, 0, TEXTS[t][0], strlen(TEXTS[t][0]), TEXTS[t][1]);
    // JSONB: an object of a text key and an array.
    static const char JSONB[] = {0x7c, 0x17, 'a', 0x4b, 0x13, '1', 0x23, '2', '\0'};
    for (u32 s = 0; s < 13; s++) seed(s, 1, JSONB, sizeof JSONB - 1, "$.a[0]");
}

static void bind(struct skerry_stmt *stmt, u32 index, u8 type, const u8 *data, size_t size)
{
    u64 bits = 0;
    double real;
    u8 *exact = malloc(size ? size : 1);
    memcpy(exact, data, size);
    memcpy(&bits, data, MIN(size, sizeof bits));
    memcpy(&real, &bits, sizeof real);
    int rc = SKERRY_OK;
    switch (type & 3) {
    case 0: rc = skerry_bind_text(stmt, index, exact, size); break;
    case 1: rc = skerry_bind_blob(stmt, index, exact, size); break;
    case 2: rc = skerry_bind_integer(stmt, index, (s64)bits); break;
    case 3: rc = skerry_bind_real(stmt, index, real); break;
    }
    free(exact);
    FUZZ_CHECK(rc == SKERRY_OK || skerry_parameter_count(stmt) < index || type & 2);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    if (size < 3) return 0;
    struct fuzz f;
    fuzz_open(&f, fuzz_io(), ":memory:");
    const char *sql = STATEMENTS[data[0] % COUNT_OF(STATEMENTS)];
    size_t first = MIN(data[2], size - 3), used;
    struct skerry_stmt *stmt = NULL;
    int rc;
    while ((rc = skerry_prepare(f.db, sql, strlen(sql), &stmt, &used)) == SKERRY_WAIT) skerry_wait(f.db);
    if (rc != SKERRY_OK) fprintf(stderr, "%s: %s\n", sql, skerry_error(f.db)->text);
    FUZZ_CHECK(rc == SKERRY_OK);
    bind(stmt, 1, data[1], data + 3, first);
    bind(stmt, 2, data[1] >> 2, data + 3 + first, size - 3 - first);
    fuzz_step(&f, stmt, 100);
    skerry_finalize(stmt);
    fuzz_close(&f);
    return 0;
}
