// Goal: in UTF-16 databases, made by PRAGMA encoding, SQL gives what SQLite gives: text is ordered by its bytes, hex() and
// CAST tell them, blobs are text in that encoding, temporary and attached tables share it; the files are SQLite's.
// Method: scripts run on Skerry and SQLite side by side, little-endian, big-endian and UTF-8; then SQLite reads and checks the
// file. Random texts of all lengths of UTF-8 and UTF-16 characters are sorted, sought and grouped. SEED=n repeats a run.
#include "../oracle.h"

#include <sqlite3.h>

#define ENCODINGS 4
static const char *const encodings[ENCODINGS] = {"UTF-16le", "UTF-16be", "UTF-16", "UTF-8"};

static const char TABLE[] =
    "CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b TEXT COLLATE NOCASE); CREATE INDEX ta ON t(a); CREATE INDEX tb ON t(b);"
    "INSERT INTO t(a, b) VALUES('abc', 'ABC'), ('\u0101', 'x'), ('', ''), ('\U0001f600', '\U0001f600'), ('\uff5a', '\uff5a'), ('z', 'Z'),"
    "('\u03a9', '\u03c9'), (NULL, 1), (5, 5), (x'6100', x'6100'), ('a' || char(0) || 'b', 'q'), ('\u00e9t\u00e9', '\u00c9')";

static const char *const scripts[] = {
    "SELECT id FROM t ORDER BY a, id; SELECT id FROM t ORDER BY +a DESC, id; SELECT id FROM t ORDER BY b, id",
    "SELECT id FROM t WHERE a > 'abc' ORDER BY id; SELECT id FROM t WHERE +a > 'abc' ORDER BY id; SELECT id FROM t WHERE a BETWEEN 'a' AND 'z' ORDER BY id",
    "SELECT id, hex(a), hex(b), length(a), unicode(a), quote(upper(a)), quote(substr(a, 1, 1)), quote(substr(a, -1)) FROM t ORDER BY id",
    "SELECT id, hex(CAST(a AS BLOB)), length(CAST(a AS BLOB)), typeof(CAST(a AS BLOB)) FROM t ORDER BY id",
    "SELECT CAST(x'61006200' AS TEXT), hex(CAST(x'61006200' AS TEXT)), quote(x'6100' || 'b'), CAST(x'36003500' AS INTEGER), CAST(x'36003500' AS NUMERIC) FROM t WHERE id = 1",
    "SELECT hex(CAST(65 AS BLOB)), CAST(CAST(65 AS BLOB) AS INTEGER), CAST('65' AS BLOB) = x'36003500', hex(12), hex(1.5), hex(''), hex(char(960)) FROM t WHERE id = 1",
    "SELECT quote(upper(x'6100')), quote(trim(x'61002000')), quote(replace(x'61006200', 'b', 'c')), unicode(x'6100'), instr(x'616263', x'62'), quote(substr(x'616263', 2)), "
    "quote(x'4f006b00' || 1), lower(x'41004200') FROM t WHERE id = 1",
    "SELECT quote(max(a)), quote(min(a)), count(DISTINCT a) FROM t; SELECT quote(max(a, 'zz')), quote(min(a, 'b')), nullif(a, 'z') FROM t WHERE id < 8 ORDER BY id",
    "SELECT '\u00e9' < 'z', 'z' < '\U0001f600', '\U0001f600' < '\uff5a', '\u0100' < 'a', x'00' > 'a', '\u0101' IN (SELECT a FROM t) FROM t WHERE id = 2",
    "SELECT quote(a), count(*) FROM t GROUP BY a HAVING a < 'z'; SELECT quote(a) FROM t UNION SELECT '\u0101' ORDER BY 1 DESC",
    "CREATE TEMP TABLE tt(x TEXT, y); CREATE INDEX temp.ttx ON tt(x); INSERT INTO tt SELECT a, b FROM t; SELECT count(*), quote(max(x)), quote(min(x)) FROM tt; "
    "SELECT hex(x) FROM tt ORDER BY x, rowid; SELECT count(*) FROM tt JOIN t ON tt.x = t.a",
    "SELECT a FROM t WHERE a GLOB 'a*' AND typeof(a) = 'text' ORDER BY id; SELECT id FROM t WHERE b LIKE 'x%' AND typeof(b) = 'text'; SELECT id FROM t WHERE a GLOB '\u00e9*' AND typeof(a) = 'text'",
    "UPDATE t SET a = a || '\u0436' WHERE id < 5; SELECT hex(a) FROM t ORDER BY a, id; DELETE FROM t WHERE a BETWEEN 'a' AND 'b'; SELECT count(*) FROM t; PRAGMA integrity_check",
    "CREATE TABLE w(k TEXT PRIMARY KEY, v) WITHOUT ROWID; INSERT INTO w SELECT a, id FROM t WHERE a IS NOT NULL; SELECT quote(k), v FROM w ORDER BY k DESC; "
    "DELETE FROM w WHERE k > 'b'; SELECT count(*) FROM w; INSERT OR REPLACE INTO w VALUES('abc', 'new'); SELECT v FROM w WHERE k = 'abc'",
    "CREATE TABLE u(x UNIQUE, y); INSERT OR IGNORE INTO u SELECT a, b FROM t ORDER BY id; INSERT OR REPLACE INTO u SELECT b, a FROM t ORDER BY id; SELECT quote(x), quote(y) FROM u ORDER BY x; "
    "CREATE INDEX ux ON u(hex(x)); SELECT hex(x) FROM u WHERE hex(x) > '6' ORDER BY hex(x); ANALYZE; REINDEX; VACUUM; PRAGMA integrity_check; PRAGMA encoding",
    "ALTER TABLE t ADD COLUMN \"\u00f1\u00e9\" TEXT DEFAULT '\u017e'; SELECT quote(\"\u00f1\u00e9\"), hex(\"\u00f1\u00e9\") FROM t; SELECT sql FROM sqlite_schema WHERE name = 't'",
    "PRAGMA encoding='UTF-8'; PRAGMA encoding; PRAGMA encoding='UTF-16be'; CREATE TABLE v(a); INSERT INTO v VALUES('\u00e4'); SELECT hex(a) FROM v",
    "PRAGMA encoding='UTF-7'",
    "ATTACH ':memory:' AS m; CREATE TABLE m.t(a); INSERT INTO m.t SELECT a FROM main.t; SELECT hex(a) FROM m.t ORDER BY a",
    "CREATE TABLE s(a INTEGER PRIMARY KEY AUTOINCREMENT, b UNIQUE); INSERT INTO s(b) VALUES('\u00e4'), ('\u00f6'); INSERT INTO s(b) VALUES('\u00e4'); SELECT * FROM sqlite_sequence; "
    "SELECT group_concat(b, '\u2013') FROM s; SELECT printf('%s|%5s|%c', b, b, b) FROM s",
};

TEST(statements_in_utf16_databases)
{
    for (u32 e = 0; e < ENCODINGS; e++) {
        struct oracle o;
        char text[64];
        if (!oracle_open(&o, "a.db")) return;
        o.context = encodings[e];
        snprintf(text, sizeof text, "PRAGMA encoding='%s'; PRAGMA encoding", encodings[e]);
        oracle_run(&o, text);
        oracle_run(&o, TABLE);
        for (u32 i = 0; i < COUNT_OF(scripts); i++) oracle_run(&o, scripts[i]);
        oracle_compare_contents(&o);
        oracle_check_file(&o);
        oracle_close(&o);
    }
}

TEST(the_length_of_a_result_is_that_of_its_utf16)
{
    for (u32 e = 0; e < ENCODINGS; e++) {
        struct oracle o;
        char text[64];
        if (!oracle_open(&o, "a.db")) return;
        o.context = encodings[e];
        snprintf(text, sizeof text, "PRAGMA encoding='%s'; CREATE TABLE t(a)", encodings[e]);
        oracle_run(&o, text);
        skerry_limit(o.db, SKERRY_LIMIT_LENGTH, 100);
        sqlite3_limit(o.sqlite, SQLITE_LIMIT_LENGTH, 100);
        oracle_run(&o, "SELECT hex(zeroblob(25)); SELECT hex(zeroblob(26)); SELECT lower(hex(zeroblob(49))); SELECT printf('%50s', 'x'); SELECT printf('%51s', 'x');"
                       "SELECT json_array(printf('%46s', 'x')); SELECT json_array(printf('%47s', 'x')); SELECT length(replace('aaaaaaaaaa', 'a', '\u03a9\u03a9\u03a9\u03a9\u03a9'))");
        oracle_close(&o);
    }
}

static u32 character(u64 *random)
{
    static const u32 ranges[][2] = {{'a', 'f'}, {'A', 'C'}, {0x80, 0xff}, {0x100, 0x103}, {0x3b1, 0x3b4}, {0x6101, 0x6103}, {0xfee0, 0xfffd}, {0x10000, 0x10002}, {0x1f600, 0x1f603}};
    const u32 *r = ranges[test_random(random) % COUNT_OF(ranges)];
    return r[0] + (u32)(test_random(random) % (r[1] - r[0] + 1));
}

// An expression that makes a text.
static void text_make(u64 *random, char *out, size_t size)
{
    size_t at = (size_t)snprintf(out, size, "char(");
    u32 count = 1 + (u32)(test_random(random) % 4);
    for (u32 i = 0; i < count; i++) at += (size_t)snprintf(out + at, size - at, "%s%u", i ? "," : "", character(random));
    snprintf(out + at, size - at, ")");
}

TEST(random_texts_in_order)
{
    u64 random = test_seed();
    for (u32 e = 0; e < ENCODINGS; e++) {
        struct oracle o;
        char text[1000], a[120], b[120];
        if (!oracle_open(&o, "a.db")) return;
        o.context = encodings[e];
        snprintf(text, sizeof text, "PRAGMA encoding='%s'", encodings[e]);
        oracle_run(&o, text);
        oracle_run(&o, "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b COLLATE NOCASE, c COLLATE RTRIM, UNIQUE(a, b)); CREATE INDEX tb ON t(b DESC, a); CREATE INDEX tc ON t(c)");
        for (u32 i = 0; i < 300; i++) {
            text_make(&random, a, sizeof a);
            text_make(&random, b, sizeof b);
            snprintf(text, sizeof text, "INSERT OR REPLACE INTO t(a, b, c) VALUES(%s, %s, %s || '  ')", a, b, a);
            oracle_run(&o, text);
        }
        oracle_run(&o, "SELECT id FROM t ORDER BY a, b; SELECT id FROM t ORDER BY b, a DESC; SELECT id FROM t ORDER BY c, id; SELECT id FROM t ORDER BY +a, +b; "
                       "SELECT quote(a), count(*), quote(max(b)), quote(min(a || b)) FROM t GROUP BY a; SELECT DISTINCT quote(b) FROM t ORDER BY b");
        for (u32 i = 0; i < 60; i++) {
            text_make(&random, a, sizeof a);
            text_make(&random, b, sizeof b);
            snprintf(text, sizeof text, "SELECT count(*), min(id), max(id) FROM t WHERE a %s %s; SELECT count(*), sum(id) FROM t WHERE b %s %s AND +a > %s",
                     i % 3 ? ">" : "<=", a, i % 2 ? ">=" : "<", b, a);
            oracle_run(&o, text);
        }
        oracle_compare_contents(&o);
        oracle_check_file(&o);
        oracle_close(&o);
    }
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
