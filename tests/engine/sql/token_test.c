// Goal: text is cut into tokens where SQLite cuts it, and complete statements are told from parts.
// Method: tables of text and expected kinds and sizes (tokenize.c's rules as documented in lang_expr.html), and
// sqlite3_complete as oracle.
#include "../../test.h"

#include <sqlite3.h>

#include "../../../engine/skerry.h"
#include "../../../engine/sql/token.h"

TEST(token_kinds_and_sizes)
{
    static const struct {
        const char *text;
        enum token_kind kind;
        u32 size;
    } cases[] = {
        {"select 1", TOKEN_SELECT, 6},
        {"SeLeCt", TOKEN_SELECT, 6},
        {"selectx", TOKEN_ID, 7},
        {"_a$1 ", TOKEN_ID, 4},
        {"\xc3\xa9t\xc3\xa9 ", TOKEN_ID, 5},
        {"\"a\"\"b\"c", TOKEN_ID, 6},
        {"[a]]", TOKEN_ID, 3},
        {"`a``b`", TOKEN_ID, 6},
        {"'it''s'x", TOKEN_STRING, 7},
        {"'open", TOKEN_ILLEGAL, 5},
        {"[open", TOKEN_ILLEGAL, 5},
        {"x'00fF'", TOKEN_BLOB, 7},
        {"X'0'", TOKEN_ILLEGAL, 4},
        {"x'0g'", TOKEN_ILLEGAL, 5},
        {"xyz", TOKEN_ID, 3},
        {"0x1F ", TOKEN_INTEGER, 4},
        {"0x", TOKEN_ILLEGAL, 2},
        {"12.5e-3,", TOKEN_FLOAT, 7},
        {".5", TOKEN_FLOAT, 2},
        {"5.", TOKEN_FLOAT, 2},
        {"1e", TOKEN_ILLEGAL, 2},
        {"1_000", TOKEN_QUOTED_NUMBER, 5},
        {"12abc", TOKEN_ILLEGAL, 5},
        {"?", TOKEN_VARIABLE, 1},
        {"?12a", TOKEN_VARIABLE, 3},
        {":abc", TOKEN_VARIABLE, 4},
        {"@a", TOKEN_VARIABLE, 2},
        {"$a::b(c d)", TOKEN_ILLEGAL, 7},
        {"$a::b(cd)e", TOKEN_VARIABLE, 9},
        {":", TOKEN_ILLEGAL, 1},
        {"->>x", TOKEN_ARROW, 3},
        {"->x", TOKEN_ARROW, 2},
        {"--x\ny", TOKEN_SPACE, 3},
        {"/* x */y", TOKEN_SPACE, 7},
        {"/* open", TOKEN_SPACE, 7},
        {"/*", TOKEN_SLASH, 1},
        {"<>", TOKEN_NE, 2},
        {"!=", TOKEN_NE, 2},
        {"!", TOKEN_ILLEGAL, 1},
        {"==", TOKEN_EQ, 2},
        {"||", TOKEN_CONCAT, 2},
        {"<<", TOKEN_SHIFT_LEFT, 2},
        {"", TOKEN_END_OF_TEXT, 0},
        {"\xef\xbb\xbfselect", TOKEN_SPACE, 3},
        {"\x01", TOKEN_ILLEGAL, 1},
    };
    for (u32 i = 0; i < COUNT_OF(cases); i++) {
        enum token_kind kind;
        u32 size = token_scan(cases[i].text, &kind);
        if (kind != cases[i].kind || size != cases[i].size)
            test_fail(__FILE__, __LINE__, "%s: kind %d size %u, want %d and %u", cases[i].text, kind, size,
                      cases[i].kind, cases[i].size);
    }
}

TEST(every_keyword_of_sqlite_is_known)
{
    int count = sqlite3_keyword_count();
    for (int i = 0; i < count; i++) {
        const char *word;
        int size;
        sqlite3_keyword_name(i, &word, &size);
        if (token_keyword(word, (u32)size) == TOKEN_ID)
            test_fail(__FILE__, __LINE__, "%.*s is not a keyword", size, word);
    }
    CHECK_EQ(token_keyword("selecta", 7), TOKEN_ID);
    CHECK_EQ(token_keyword("s", 1), TOKEN_ID);
    CHECK_EQ(token_keyword("current_timestampx", 18), TOKEN_ID);
}

TEST(complete_statements)
{
    static const char *const cases[] = {
        "", ";", "select 1", "select 1;", "select 1; ", "select 1; -- x", "select ';", "select ';';",
        "/* open ;", "/* x */;", "create trigger a begin select 1;", "create trigger a begin select 1; end",
        "create trigger a begin select 1; end;", "create temp trigger a begin; end;", "explain create trigger x ; ; end;",
        "create table trigger(a);", "-- x\n;", "[a;", "\"x\";", "select 1;x", "create  /*y*/ trigger b;end;",
        "end;", "explain select;", "create temporary trigger q; select; end ; ", "`", "$a;", "select 1;\n",
    };
    for (u32 i = 0; i < COUNT_OF(cases); i++) {
        bool got = skerry_complete(cases[i], strlen(cases[i])), want = sqlite3_complete(cases[i]);
        if (got != want) test_fail(__FILE__, __LINE__, "%s: %d, SQLite says %d", cases[i], got, want);
    }
}

int main(int argc, char **argv) { return test_main(argc, argv); }
