// Whether a text ends in a complete statement: a small automaton over words, as sqlite3_complete's
// documentation describes it.
#include "token.h"

#include "../skerry.h"

enum complete_word { WORD_SEMICOLON, WORD_SPACE, WORD_OTHER, WORD_EXPLAIN, WORD_CREATE, WORD_TEMP, WORD_TRIGGER, WORD_END };

static bool word_is(const char *z, size_t size, const char *word)
{
    for (size_t i = 0; i < size; i++)
        if ((z[i] | 0x20) != word[i]) return false;
    return word[size] == 0;
}

static enum complete_word word_of(const char *z, size_t size)
{
    if (word_is(z, size, "create")) return WORD_CREATE;
    if (word_is(z, size, "trigger")) return WORD_TRIGGER;
    if (word_is(z, size, "temp") || word_is(z, size, "temporary")) return WORD_TEMP;
    if (word_is(z, size, "end")) return WORD_END;
    if (word_is(z, size, "explain")) return WORD_EXPLAIN;
    return WORD_OTHER;
}

bool skerry_complete(const char *sql, size_t size)
{
    enum { INVALID, START, NORMAL, EXPLAIN, CREATE, TRIGGER, SEMICOLON, END };
    static const u8 next[8][8] = {
        //            ;          space      other    explain  create   temp     trigger  end
        [INVALID] = {START, INVALID, NORMAL, EXPLAIN, CREATE, NORMAL, NORMAL, NORMAL},
        [START] = {START, START, NORMAL, EXPLAIN, CREATE, NORMAL, NORMAL, NORMAL},
        [NORMAL] = {START, NORMAL, NORMAL, NORMAL, NORMAL, NORMAL, NORMAL, NORMAL},
        [EXPLAIN] = {START, EXPLAIN, EXPLAIN, NORMAL, CREATE, NORMAL, NORMAL, NORMAL},
        [CREATE] = {START, CREATE, NORMAL, NORMAL, NORMAL, CREATE, TRIGGER, NORMAL},
        [TRIGGER] = {SEMICOLON, TRIGGER, TRIGGER, TRIGGER, TRIGGER, TRIGGER, TRIGGER, TRIGGER},
        [SEMICOLON] = {SEMICOLON, SEMICOLON, TRIGGER, TRIGGER, TRIGGER, TRIGGER, TRIGGER, END},
        [END] = {START, END, TRIGGER, TRIGGER, TRIGGER, TRIGGER, TRIGGER, TRIGGER},
    };
    u8 state = INVALID;
    size_t i = 0;
    while (i < size && sql[i]) {
        enum complete_word word;
        char c = sql[i];
        switch (c) {
        case ';':
            word = WORD_SEMICOLON;
            i++;
            break;
        case ' ':
        case '\r':
        case '\t':
        case '\n':
        case '\f':
            word = WORD_SPACE;
            i++;
            break;
        case '/':
            if (i + 1 >= size || sql[i + 1] != '*') {
                word = WORD_OTHER;
                i++;
                break;
            }
            for (i += 2; i < size && sql[i] && !(sql[i] == '*' && i + 1 < size && sql[i + 1] == '/'); i++) {}
            if (i >= size || !sql[i]) return false;
            i += 2;
            word = WORD_SPACE;
            break;
        case '-':
            if (i + 1 >= size || sql[i + 1] != '-') {
                word = WORD_OTHER;
                i++;
                break;
            }
            while (i < size && sql[i] && sql[i] != '\n') i++;
            if (i >= size || !sql[i]) return state == START;
            word = WORD_SPACE;
            break;
        case '[':
        case '`':
        case '"':
        case '\'': {
            char close = c == '[' ? ']' : c;
            for (i++; i < size && sql[i] && sql[i] != close; i++) {}
            if (i >= size || !sql[i]) return false;
            i++;
            word = WORD_OTHER;
            break;
        }
        default:
            if (token_is_id_char((u8)c)) {
                size_t from = i;
                while (i < size && token_is_id_char((u8)sql[i])) i++;
                word = word_of(sql + from, i - from);
            } else {
                word = WORD_OTHER;
                i++;
            }
            break;
        }
        state = next[state][word];
    }
    return state == START;
}
