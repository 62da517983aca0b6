// Goal: what is looked up in JSON text without parsing it is what the parser finds, and what the parser refuses is refused.
// Method: random documents, most of them plain JSON, some of JSON5, and damaged by a byte, in a table. Each path of a list is
// followed in the text (json_extract, ->, ->>, json_each, their first to fourth call for a row) and in jsonb() of it,
// which goes through the parser; both must give the same value, type and subtype. A text is refused exactly where
// json_error_position() sees an error. LIKE with a constant pattern, which is compiled once, against the same
// pattern out of a column.
#include "tests/engine/engine_driver.h"

static u64 random_state;

static u32 pick(u32 below)
{
    return (u32)(test_random(&random_state) % below);
}

static char document[4096];

static void put(const char *s)
{
    size_t at = strlen(document), n = strlen(s);
    if (at + n < sizeof document) memcpy(document + at, s, n + 1);
}

static void space_put(void)
{
    static const char *const SPACES[] = {"", "", "", "", " ", "\n\t", "  ", "/**/"};
    put(SPACES[pick(pick(20) ? 7 : 8)]);
}

static void value_put(u32 depth)
{
    static const char *const SCALARS[] = {"null", "true", "false", "0", "-0", "17", "-123456789012345678901", "9223372036854775807",
                                          "1.5", "-0.25e-3", "1E5", "\"\"", "\"text\"", "\"a longer text of more than sixteen bytes\"",
                                          "\"q\\\"\\\\ \\u00e9\\n\"", "\"\\ud83d\\ude00/\\/\"", "\"\xc3\xa9\""};
    static const char *const OTHERS[] = {"'x'", ".5", "5.", "+1", "0x1F", "Infinity", "NaN", "01", "1.", "tru", "\"\\x41\"", "nullx"};
    static const char *const LABELS[] = {"\"a\"", "\"b\"", "\"c\"", "\"a b\"", "\"\"", "\"a\\u0062\"", "\"\xc3\xa9\"", "\"d1\""};
    u32 kind = pick(depth > 4 ? 2 : 5);
    space_put();
    if (kind < 2) {
        put(pick(60) ? SCALARS[pick(COUNT_OF(SCALARS))] : OTHERS[pick(COUNT_OF(OTHERS))]);
    } else {
        u32 count = pick(5);
        put(kind == 2 ? "[" : "{");
        for (u32 i = 0; i < count; i++) {
            if (i) put(",");
            space_put();
            if (kind != 2) {
                put(pick(80) ? LABELS[pick(COUNT_OF(LABELS))] : "bare");
                space_put();
                put(":");
            }
            value_put(depth + 1);
        }
        if (count && !pick(80)) put(",");
        put(kind == 2 ? "]" : "}");
    }
    space_put();
}

static void run(struct skerry *db, const char *sql)
{
    out[0] = 0;
    if (skerry_exec(db, sql, row_append, NULL)) test_fail(__FILE__, __LINE__, "%s: %s", sql, skerry_error(db)->text);
}

// The statement with the document bound; its first column goes to out.
static int run_document(struct skerry *db, const char *sql)
{
    struct skerry_stmt *s = NULL;
    size_t used;
    int rc;
    out[0] = 0;
    while ((rc = skerry_prepare(db, sql, strlen(sql), &s, &used)) == SKERRY_WAIT) skerry_wait(db);
    if (rc) {
        test_fail(__FILE__, __LINE__, "%s: %s", sql, skerry_error(db)->text);
        return rc;
    }
    skerry_bind_text(s, 1, document, strlen(document));
    while ((rc = skerry_step(s)) == SKERRY_WAIT || rc == SKERRY_ROW) {
        if (rc == SKERRY_WAIT)
            skerry_wait(db);
        else
            row_append(NULL, s);
    }
    skerry_finalize(s);
    return rc;
}

static struct skerry *open_paths(void)
{
    struct err err = ERR_CLEAR;
    struct skerry_engine_options options = {0};
    if (!skerry_engine_create(&options, &engine, &err)) test_fail(__FILE__, __LINE__, "%s", err.text);
    struct skerry *db = open_at("");
    run(db, "CREATE TABLE d(id INTEGER PRIMARY KEY, doc TEXT); CREATE TABLE p(path TEXT);"
            "INSERT INTO p VALUES ('$'), ('$.a'), ('$.b'), ('$.c'), ('$.a.b'), ('$[0]'), ('$[1].a'), ('$.a[2]'), ('$[#-1]'), ('$.\"a b\"'),"
            "('$.\"\"'), ('$.ab'), ('$[0][0]'), ('$.a.a.a'), ('$.d1'), ('$.\"a\\u0062\"'), ('$.c[1].b'), ('$[12345678901]'), ('$.\xc3\xa9')");
    return db;
}

TEST(json_text_as_parsed)
{
    random_state = test_seed();
    struct skerry *db = open_paths();
    for (u32 round = 0; round < 3000; round++) {
        document[0] = 0;
        value_put(0);
        if (!pick(8) && document[0]) document[pick((u32)strlen(document))] = "{}[]:,\"\\x0 -.e"[pick(14)];
        // Whether the text is refused.
        if (run_document(db, "SELECT json_error_position(?1) > 0") != SKERRY_DONE) continue;
        bool bad = out[0] == '1';
        static const char *const READS[] = {"SELECT json_extract(?1, '$.a')", "SELECT ?1 -> 'a'", "SELECT ?1 ->> 1", "SELECT count(*) FROM json_each(?1)",
                                            "SELECT count(*) FROM json_each(?1, '$.a')"};
        for (u32 i = 0; i < COUNT_OF(READS); i++) {
            bool failed = run_document(db, READS[i]) != SKERRY_DONE;
            if (failed != bad) test_fail(__FILE__, __LINE__, "%s is %s for %s", READS[i], failed ? "refused" : "taken", document);
        }
        if (bad) continue;
        run_document(db, "INSERT INTO d(doc) VALUES (?1)");
    }
    run(db, "SELECT count(*) > 1000 FROM d");
    CHECK_STR(out, "1 ");
    // No label is a label of -> by itself, not even the empty one that an object may have.
    snprintf(document, sizeof document, "{\"\":1}");
    CHECK(run_document(db, "SELECT ?1 ->> ''") != SKERRY_DONE);
    CHECK_STR(skerry_error(db)->text, "bad JSON path: ''");
    // Each expression is a call of its own: the first two look into the text, those behind them parse it.
    run(db, "SELECT doc || ' ' || path FROM d, p WHERE json_array(json_extract(doc, path), typeof(json_extract(doc, path)), doc -> path, doc ->> path)"
            " IS NOT json_array(json_extract(jsonb(doc), path), typeof(json_extract(jsonb(doc), path)), jsonb(doc) -> path, jsonb(doc) ->> path)");
    CHECK_STR(out, "");
    run(db, "SELECT doc || ' ' || path FROM d, p WHERE json_array(doc -> path, jsonb_extract(doc, path)) IS NOT json_array(jsonb(doc) -> path,"
            " jsonb_extract(jsonb(doc), path))");
    CHECK_STR(out, "");
    run(db, "SELECT doc FROM d WHERE json_array(doc -> 'a', doc ->> 'b', doc -> 0, doc ->> 1, doc -> 'a b') IS NOT json_array(jsonb(doc) -> 'a',"
            " jsonb(doc) ->> 'b', jsonb(doc) -> 0, jsonb(doc) ->> 1, jsonb(doc) -> 'a b')");
    CHECK_STR(out, "");
    // Rows, in several orders of columns: ids need the parsed form.
    static const char *const COLUMNS[] = {"e.key, e.value, e.type, e.atom, e.path, json_array(e.value)", "e.value, e.id, e.key, e.atom",
                                          "e.fullkey, e.type, e.parent, e.id", "e.type, e.root, e.id, e.value"};
    for (u32 i = 0; i < COUNT_OF(COLUMNS); i++) {
        char sql[1000];
        for (u32 turn = 0; turn < 2; turn++) {
            snprintf(sql, sizeof sql,
                     "WITH x AS (SELECT d.id, p.path, %1$s FROM d, p, json_each(d.doc, p.path) AS e), y AS (SELECT d.id, p.path, %1$s FROM d, p,"
                     "json_each(jsonb(d.doc), p.path) AS e) SELECT * FROM %2$s EXCEPT SELECT * FROM %3$s",
                     COLUMNS[i], turn ? "y" : "x", turn ? "x" : "y");
            run(db, sql);
            if (out[0]) test_fail(__FILE__, __LINE__, "columns %s: %s", COLUMNS[i], out);
        }
    }
    shut(db);
    skerry_engine_destroy(engine);
}

TEST(like_constant_as_computed)
{
    random_state = test_seed();
    struct skerry *db = open_paths();
    static const char *const PARTS[] = {"a", "b", "B", "ab", "%", "_", "77c", "0", "x", "\xc3\xa9", " ", "k\xe2\x84\xaa", "the text of a row"};
    run(db, "CREATE TABLE s(t); CREATE TABLE pattern(p)");
    for (u32 i = 0; i < 300; i++) {
        document[0] = 0;
        for (u32 k = pick(12); k; k--) put(PARTS[pick(COUNT_OF(PARTS))]);
        run_document(db, "INSERT INTO s VALUES (?1), (?1 || char(0) || 'ab77c')");
    }
    for (u32 i = 0; i < 150; i++) {
        char sql[2000];
        document[0] = 0;
        for (u32 k = pick(6); k; k--) put(PARTS[pick(COUNT_OF(PARTS))]);
        run(db, "DELETE FROM pattern");
        run_document(db, "INSERT INTO pattern VALUES (?1)");
        snprintf(sql, sizeof sql,
                 "SELECT hex(t) FROM s, pattern WHERE (t LIKE '%1$.200s') IS NOT (t LIKE p) OR (t LIKE '%1$.200s' ESCAPE 'x') IS NOT (t LIKE p ESCAPE 'x') OR "
                 "(t GLOB '%1$.200s') IS NOT (t GLOB p) OR (t LIKE '%%%1$.200s%%') IS NOT (t LIKE '%%' || p || '%%')",
                 document);
        run(db, sql);
        if (out[0]) test_fail(__FILE__, __LINE__, "%s: %s", document, out);
    }
    shut(db);
    skerry_engine_destroy(engine);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
