// Goal: scalar functions and aggregates answer as SQLite does.
// Method: every function over all pairs and triples of awkward arguments, against libsqlite3 (3.40); what newer
// releases brought is compared with the answers that their documentation gives.
#include "fn_oracle.h"

#include <math.h>
#include <sqlite3.h>

static const char *VALUES[] = {
    "NULL", "0", "1", "-1", "2", "5", "-3", "9223372036854775807", "-9223372036854775807-1", "0.0", "1.5", "-2.5", "1e300",
    "1e-5", "9e999", "-9e999", "3.14159", "''", "'a'", "'abc'", "'ABCabc'", "' x '", "'12'", "'1.5e3x'", "'0x1F'", "'aé漢字😀z'",
    "'it''s'", "'a%b_c'", "char(97,0,98)", "x''", "x'00'", "x'414243'", "x'e697a5ff'", "'%'", "'_'", "'ééé'", "'-'", "'4A4b'",
};

// Positions beyond 32 bits are cut by releases before 3.49; blobs match where the library was built without
// SQLITE_LIKE_DOESNT_MATCH_BLOBS.
static bool library_differs(const char *name, const char *arguments)
{
    if (strncmp(name, "substr", 6) == 0 || strcmp(name, "round") == 0) {
        return strstr(arguments, "922") || strstr(arguments, "e300") || strstr(arguments, "e999");
    }
    // replace() of nothing gave its argument as it was, since 3.43 as text.
    if (strcmp(name, "replace") == 0) {
        return strstr(arguments, ", '',") || strstr(arguments, ", x'',") || strstr(arguments, ", x'00',");
    }
    return (strcmp(name, "like") == 0 || strcmp(name, "glob") == 0) && strstr(arguments, "x'") &&
           !sqlite3_compileoption_used("LIKE_DOESNT_MATCH_BLOBS");
}

TEST(scalar_one_argument)
{
    static const char *NAMES[] = {
        "abs", "char", "hex", "length", "lower", "upper", "ltrim", "rtrim", "trim", "quote", "round", "sign",
        "typeof", "unicode", "zeroblob", "likely", "unlikely", "acos", "asin", "atan", "cos", "sin", "tan", "acosh",
        "asinh", "atanh", "cosh", "sinh", "tanh", "ceil", "ceiling", "floor", "trunc", "ln", "exp", "sqrt", "radians",
        "degrees", "soundex", "printf",
    };
    sqlite3 *db = fn_oracle_open();
    for (u32 f = 0; f < COUNT_OF(NAMES); f++) {
        for (u32 i = 0; i < COUNT_OF(VALUES); i++) {
            if (strcmp(NAMES[f], "quote") == 0 && strstr(VALUES[i], "e999")) continue; // 9.0e+999 since 3.41
            if (strcmp(NAMES[f], "soundex") == 0 && !sqlite3_compileoption_used("SOUNDEX")) continue;
            fn_oracle_same(db, NAMES[f], VALUES[i]);
        }
    }
    sqlite3_close(db);
}

TEST(scalar_two_arguments)
{
    static const char *NAMES[] = {"coalesce", "glob", "ifnull", "instr", "like", "ltrim", "rtrim", "trim", "max", "min",
                                  "nullif", "round", "substr", "substring", "atan2", "pow", "power", "mod", "log", "char",
                                  "printf"};
    sqlite3 *db = fn_oracle_open();
    for (u32 f = 0; f < COUNT_OF(NAMES); f++) {
        for (u32 i = 0; i < COUNT_OF(VALUES); i++) {
            for (u32 j = 0; j < COUNT_OF(VALUES); j++) {
                char arguments[200];
                snprintf(arguments, sizeof arguments, "%s, %s", VALUES[i], VALUES[j]);
                if (library_differs(NAMES[f], arguments)) continue;
                fn_oracle_same(db, NAMES[f], arguments);
            }
        }
    }
    sqlite3_close(db);
}

TEST(scalar_three_arguments)
{
    static const char *NAMES[] = {"substr", "replace", "max", "min", "coalesce", "iif", "like"};
    sqlite3 *db = fn_oracle_open();
    u64 seed = test_seed();
    for (u32 f = 0; f < COUNT_OF(NAMES); f++) {
        for (u32 n = 0; n < 4000; n++) {
            char arguments[300];
            snprintf(arguments, sizeof arguments, "%s, %s, %s", VALUES[test_random(&seed) % COUNT_OF(VALUES)],
                     VALUES[test_random(&seed) % COUNT_OF(VALUES)], VALUES[test_random(&seed) % COUNT_OF(VALUES)]);
            if (library_differs(NAMES[f], arguments)) continue;
            fn_oracle_same(db, NAMES[f], arguments);
        }
    }
    sqlite3_close(db);
}

TEST(scalar_newer_than_the_library)
{
    static const struct {
        const char *name, *arguments, *want;
    } CASES[] = {
        {"octet_length", "'aé'", "3"}, // 3.43
        {"octet_length", "12.5", "4"},
        {"octet_length", "NULL", "NULL"},
        {"concat", "'a', NULL, 1, 2.5, x'42'", "'a12.5B'"}, // 3.44
        {"concat", "NULL", "''"},
        {"concat_ws", "'-', 'a', NULL, 'b', ''", "'a-b-'"},
        {"concat_ws", "NULL, 'a'", "NULL"},
        {"unhex", "'4a4B'", "X'4A4B'"}, // 3.41
        {"unhex", "'4a4'", "NULL"},
        {"unhex", "'4a-4B', '-'", "X'4A4B'"},
        {"unhex", "'4-a', '-'", "NULL"},
        {"unhex", "' '", "NULL"},
        {"unhex", "''", "X''"},
        {"unhex", "'ab', NULL", "NULL"},
        {"iif", "0, 1, 0, 2, 3", "3"}, // 3.48
        {"if", "1, 2", "2"},
        {"iif", "0, 2", "NULL"},
        {"unistr", "'\\0041\\u00e9\\+01F600\\U0001F600\\\\'", "'Aé😀😀\\'"}, // 3.50
        {"unistr", "'\\zz'", "error: invalid Unicode escape"},
        {"unistr", "'\\u00'", "error: invalid Unicode escape"},
        {"unistr_quote", "'abc'", "'''abc'''"},
        {"unistr_quote", "char(97,10,92,39)", "'unistr(''a\\u000a\\\\'''''')'"},
        {"subtype", "1", "0"},
        {"soundex", "'Robert'", "'R163'"}, // the documented code of these names
        {"soundex", "'Rupert'", "'R163'"},
        {"soundex", "'Tymczak'", "'T522'"},
        {"soundex", "'123'", "'?000'"},
        {"soundex", "NULL", "'?000'"},
        {"concat", "", "error: wrong number of arguments"},
        {"nosuch", "", "error: no such function"},
        {"format", "'%,d|%,.2f', 1234567, 9876.5", "'1,234,567|9,876.50'"}, // 3.40 knows the first, 3.44 both
        {"abs", "-9223372036854775807-1", "error: integer overflow"},
    };
    for (u32 i = 0; i < COUNT_OF(CASES); i++) fn_oracle_expect(CASES[i].name, CASES[i].arguments, CASES[i].want);
}

TEST(printf_formats)
{
    static const char *ARGUMENTS[] = {"NULL", "0", "1", "-1", "42", "-9223372036854775807-1", "1234567", "0.0", "1.5", "-2.5",
                                      "123456.789", "1e20", "-1e-7", "9e999", "'text'", "'it''s \"x\"'", "'漢字é'", "''", "x'41'", "111", "12", "0.0001"};
    static const char CONVERSIONS[] = "diuxXofeEgGscqQwzpr%";
    sqlite3 *db = fn_oracle_open();
    u64 seed = test_seed();
    for (u32 n = 0; n < 30000; n++) {
        char format[64], arguments[300];
        u32 at = 0;
        format[at++] = '[';
        format[at++] = '%';
        u64 r = test_random(&seed);
        if (r & 1) format[at++] = '-';
        if ((r & 6) == 6) format[at++] = '+';
        if ((r & 0x18) == 0x18) format[at++] = ' ';
        if ((r & 0x60) == 0x60) format[at++] = '0';
        if ((r & 0x180) == 0x180) format[at++] = '#';
        if ((r & 0x600) == 0x600) format[at++] = '!';
        if ((r & 0x3800) == 0x3800) format[at++] = ',';
        if (r & 0x4000) at += (u32)sprintf(format + at, "%u", (u32)(r >> 20 & 15));
        if ((r & 0x18000) == 0x18000) at += (u32)sprintf(format + at, ".%u", (u32)(r >> 24 & 15));
        char c = CONVERSIONS[(r >> 32) % (sizeof CONVERSIONS - 1)];
        if (strchr("di", c) && r >> 60 == 3) format[at++] = 'l', format[at++] = 'l';
        format[at++] = c;
        format[at++] = ']';
        format[at] = 0;
        const char *argument = ARGUMENTS[(r >> 40) % COUNT_OF(ARGUMENTS)];
        // Known to be better since: thousands in reals (3.44), sign of -0 (3.42), NUL of %c, '#' with %q and %Q
        // (3.50), control of digits that 3.40 takes from long double.
        if (strchr(format, ',') || (strchr("qQ", c) && strchr(format, '#'))) continue;
        if (strchr("feEgG", c) && (strchr(format, '#') || strchr(format, '!'))) continue;
        if (c == 'c' && (strcmp(argument, "''") == 0 || strcmp(argument, "NULL") == 0)) continue;
        if (strchr("feEgG", c) && (strstr(argument, "e999") || strstr(argument, "922"))) continue;
        snprintf(arguments, sizeof arguments, "'%s', %s", format, argument);
        fn_oracle_same(db, "printf", arguments);
    }
    sqlite3_close(db);
}

TEST(printf_known)
{
    static const struct {
        const char *arguments, *want;
    } CASES[] = {
        {"'%d %s'", "'0 '"},
        {"'%'", "'%'"},
        {"'100%% %y after'", "'100% '"},
        {"'%*d|%-*d|%.*f', 5, 42, 5, 42, 2, 3.14159", "'   42|42   |3.14'"},
        {"'%.15g|%!.15g', 2.0, 2.0", "'2|2.0'"},
        {"'%.3c|%5.2c', 'x', 'y'", "'xxx|   yy'"},
        {"'%#x %#o %#X', 255, 8, 255", "'0xff 010 0XFF'"},
        {"'%f', 9e999", "'Inf'"},
        {"'%+f|%5g', 9e999, -9e999", "'+Inf| -Inf'"},
        {"'%#q|%#Q', char(97,10), 'plain\\'", "'a\\u000a|''plain\\'''"}, // 3.50
        {"'%#Q', char(9)", "'unistr(''\\u0009'')'"},
        {"'%!5s|%!.2s', 'é', 'éàü'", "'    é|éà'"},
        {"'%#f', -0.0000001", "'0.000000'"},
        {"'%r %r %r %r %r', 1, 2, 3, 11, 112", "'1st 2nd 3rd 11th 112th'"},
        {"'%5%|'", "'    %|'"},
    };
    for (u32 i = 0; i < COUNT_OF(CASES); i++) fn_oracle_expect("printf", CASES[i].arguments, CASES[i].want);
}

TEST(like_and_glob_random)
{
    static const char *ATOMS[] = {"a", "b", "A", "B", "%", "_", "*", "?", "[ab]", "[^a]", "[a-c]", "]", "é", "É", "漢", "x", "ab", "\\", "%%", "["};
    static const char *LETTERS[] = {"a", "b", "A", "B", "c", "é", "É", "漢", "x", "%", "_", "]", "-", "\\", "[", "ab"};
    sqlite3 *db = fn_oracle_open();
    u64 seed = test_seed();
    for (u32 n = 0; n < 60000; n++) {
        char arguments[400] = "'";
        for (u32 i = (u32)(test_random(&seed) % 7); i; i--) strcat(arguments, ATOMS[test_random(&seed) % COUNT_OF(ATOMS)]);
        strcat(arguments, "', '");
        for (u32 i = (u32)(test_random(&seed) % 25); i; i--) strcat(arguments, LETTERS[test_random(&seed) % COUNT_OF(LETTERS)]);
        strcat(arguments, "'");
        fn_oracle_same(db, n & 1 ? "glob" : "like", arguments);
        if (n % 4 == 0) {
            static const char *ESCAPES[] = {", '\\'", ", 'a'", ", '%'", ", '_'", ", 'é'", ", ''", ", 'ab'", ", NULL"};
            strcat(arguments, ESCAPES[test_random(&seed) % COUNT_OF(ESCAPES)]);
            fn_oracle_same(db, "like", arguments);
        }
    }
    sqlite3_close(db);
}

TEST(like_finds_in_long_text)
{
    // Every place of a plain substring around the steps of the search.
    sqlite3 *db = fn_oracle_open();
    for (u32 size = 0; size < 70; size++) {
        for (u32 at = 0; at + 4 <= size; at += 3) {
            char arguments[200];
            snprintf(arguments, sizeof arguments, "'%%nEeD%%', '%.*sNeEd%.*s'", (int)at, "eeeeeeeeeeeeeeeeeeeeddddddddddddddnnnnnnnnnnnnnnnnnnnnnnneeeeeeeeeeeeeeeeeeeee",
                     (int)(size - 4 - at), "dddddddddddeeeeeeeeeeeennnnnnnnnnnnnnnnnneeeeeeeeeeeedddddddddddddddddddd");
            fn_oracle_same(db, "like", arguments);
        }
    }
    sqlite3_close(db);
}

TEST(aggregates)
{
    static const char *ROWS[] = {
        "(NULL)", "(1)", "(1),(2),(3)", "(1),(NULL),(2.5)", "(9223372036854775807),(1)",
        "('a'),('b')", "('12'),('x'),(3)", "(x'31'),(2)", "(9e999),(1)",
        "(9e999),(-9e999)", "('2'),('3')", "(1),('abc'),(x'00'),(NULL),(-5.5)", "(''),('a'),('')",
        "(-9223372036854775807-1),(-1)", "(0.0),(-0.0)",
    };
    static const char *NAMES[] = {"count", "sum", "total", "avg", "min", "max", "group_concat"};
    sqlite3 *db = fn_oracle_open();
    for (u32 f = 0; f < COUNT_OF(NAMES); f++) {
        for (u32 i = 0; i < COUNT_OF(ROWS); i++) fn_oracle_same_aggregate(db, NAMES[f], 1, ROWS[i]);
    }
    fn_oracle_same_aggregate(db, "group_concat", 2, "('a','-'),('b','--'),(NULL,'x'),('c',NULL),('d',5)");
    // Since 3.43 a real takes the overflow back.
    CHECK_STR(fn_oracle_aggregate_answer(db, "sum", 1, "(9223372036854775807),(1),(1.5)"), "9.22337203685477581e+18");
    // Since 3.43 sums of doubles carry their error along.
    CHECK_STR(fn_oracle_aggregate_answer(db, "sum", 1, "(1e100),(1.0),(-1e100)"), "1.0");
    CHECK_STR(fn_oracle_aggregate_answer(db, "string_agg", 2, "('a',','),('b',', ')"), "'a, b'");
    CHECK_STR(fn_oracle_aggregate_answer(db, "median", 1, "(3),(1),(NULL),(2),(10)"), "2.5");
    CHECK_STR(fn_oracle_aggregate_answer(db, "percentile", 2, "(1,25),(2,25),(3,25),(4,25)"), "1.75");
    CHECK_STR(fn_oracle_aggregate_answer(db, "percentile_cont", 2, "(1,0.25),(2,0.25),(3,0.25),(4,0.25)"), "1.75");
    CHECK_STR(fn_oracle_aggregate_answer(db, "percentile_disc", 2, "(1,0.25),(2,0.25),(3,0.25),(4,0.25)"), "1.0");
    CHECK_STR(fn_oracle_aggregate_answer(db, "percentile", 2, "(1,101)"),
              "error: the fraction argument to percentile() is not between 0.0 and 100.0");
    CHECK_STR(fn_oracle_aggregate_answer(db, "percentile", 2, "(1,50),(1,60)"),
              "error: the fraction argument to percentile() is not the same for all input rows");
    CHECK_STR(fn_oracle_aggregate_answer(db, "median", 1, "('x')"), "error: input to median() is not numeric");
    sqlite3_close(db);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
