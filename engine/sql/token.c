#include "token.h"


enum char_class { CLASS_DIGIT = 1, CLASS_HEX = 2, CLASS_ID = 4, CLASS_SPACE = 8 };

#define D (CLASS_DIGIT | CLASS_HEX | CLASS_ID)
#define H (CLASS_HEX | CLASS_ID)
#define I CLASS_ID
#define S CLASS_SPACE
static const u8 classes[256] = {
    ['\t'] = S, ['\n'] = S, ['\f'] = S, ['\r'] = S, [' '] = S, ['0' ... '9'] = D, ['A' ... 'F'] = H,
    ['G' ... 'Z'] = I, ['a' ... 'f'] = H, ['g' ... 'z'] = I, ['_'] = I, ['$'] = I, [0x80 ... 0xff] = I,
    ['\v'] = S,
};
#undef D
#undef H
#undef I
#undef S

bool token_is_id_char(u8 c) { return classes[c] & CLASS_ID; }
static inline bool is_digit(u8 c) { return classes[c] & CLASS_DIGIT; }
static inline bool is_hex(u8 c) { return classes[c] & CLASS_HEX; }
static inline bool is_id(u8 c) { return classes[c] & CLASS_ID; }
static inline bool is_space(u8 c) { return classes[c] & CLASS_SPACE; }

// Digits and separators from z[i] on.
static u32 scan_digits(const u8 *z, u32 i, enum token_kind *kind)
{
    for (;; i++) {
        if (is_digit(z[i])) continue;
        if (z[i] != '_') return i;
        *kind = TOKEN_QUOTED_NUMBER;
    }
}

static u32 scan_number(const u8 *z, enum token_kind *kind)
{
    u32 i;
    *kind = TOKEN_INTEGER;
    if (z[0] == '0' && (z[1] | 0x20) == 'x' && is_hex(z[2])) {
        for (i = 3;; i++) {
            if (is_hex(z[i])) continue;
            if (z[i] != '_') break;
            *kind = TOKEN_QUOTED_NUMBER;
        }
    } else {
        i = scan_digits(z, 0, kind);
        if (z[i] == '.') {
            if (*kind == TOKEN_INTEGER) *kind = TOKEN_FLOAT;
            i = scan_digits(z, i + 1, kind);
        }
        if ((z[i] | 0x20) == 'e' &&
            (is_digit(z[i + 1]) || ((z[i + 1] == '+' || z[i + 1] == '-') && is_digit(z[i + 2])))) {
            if (*kind == TOKEN_INTEGER) *kind = TOKEN_FLOAT;
            i = scan_digits(z, i + 2, kind);
        }
    }
    while (is_id(z[i])) {
        *kind = TOKEN_ILLEGAL;
        i++;
    }
    return i;
}

static u32 scan_quoted(const u8 *z, enum token_kind *kind)
{
    u8 quote = z[0];
    u32 i = 1;
    for (; z[i]; i++) {
        if (z[i] != quote) continue;
        if (z[i + 1] != quote) break;
        i++;
    }
    if (!z[i]) {
        *kind = TOKEN_ILLEGAL;
        return i;
    }
    *kind = quote == '\'' ? TOKEN_STRING : TOKEN_ID;
    return i + 1;
}

static u32 scan_variable(const u8 *z, enum token_kind *kind)
{
    u32 i = 1, name_size = 0;
    *kind = TOKEN_VARIABLE;
    for (; z[i]; i++) {
        if (is_id(z[i])) {
            name_size++;
        } else if (z[i] == '(' && name_size > 0) {
            do i++;
            while (z[i] && !is_space(z[i]) && z[i] != ')');
            if (z[i] == ')')
                i++;
            else
                *kind = TOKEN_ILLEGAL;
            break;
        } else if (z[i] == ':' && z[i + 1] == ':') {
            i++;
        } else {
            break;
        }
    }
    if (name_size == 0) *kind = TOKEN_ILLEGAL;
    return i;
}

u32 token_scan(const char *text, enum token_kind *kind)
{
    const u8 *z = (const u8 *)text;
    u32 i;
#define ONE(k) (*kind = (k), 1)
#define TWO(k) (*kind = (k), 2)
    switch (z[0]) {
    case 0:
        *kind = TOKEN_END_OF_TEXT;
        return 0;
    case ' ':
    case '\t':
    case '\n':
    case '\f':
    case '\r':
        for (i = 1; is_space(z[i]); i++) {}
        *kind = TOKEN_SPACE;
        return i;
    case '-':
        if (z[1] == '-') {
            for (i = 2; z[i] && z[i] != '\n'; i++) {}
            *kind = TOKEN_SPACE;
            return i;
        }
        if (z[1] == '>') return *kind = TOKEN_ARROW, 2u + (z[2] == '>');
        return ONE(TOKEN_MINUS);
    case '/':
        if (z[1] != '*' || z[2] == 0) return ONE(TOKEN_SLASH);
        for (i = 2; z[i] && !(z[i] == '*' && z[i + 1] == '/'); i++) {}
        *kind = TOKEN_SPACE;
        return z[i] ? i + 2 : i;
    case '(': return ONE(TOKEN_LEFT_PAREN);
    case ')': return ONE(TOKEN_RIGHT_PAREN);
    case ';': return ONE(TOKEN_SEMICOLON);
    case '+': return ONE(TOKEN_PLUS);
    case '*': return ONE(TOKEN_STAR);
    case '%': return ONE(TOKEN_PERCENT);
    case ',': return ONE(TOKEN_COMMA);
    case '&': return ONE(TOKEN_BIT_AND);
    case '~': return ONE(TOKEN_BIT_NOT);
    case '=': return *kind = TOKEN_EQ, 1u + (z[1] == '=');
    case '<':
        if (z[1] == '=') return TWO(TOKEN_LE);
        if (z[1] == '>') return TWO(TOKEN_NE);
        if (z[1] == '<') return TWO(TOKEN_SHIFT_LEFT);
        return ONE(TOKEN_LT);
    case '>':
        if (z[1] == '=') return TWO(TOKEN_GE);
        if (z[1] == '>') return TWO(TOKEN_SHIFT_RIGHT);
        return ONE(TOKEN_GT);
    case '!':
        if (z[1] == '=') return TWO(TOKEN_NE);
        return ONE(TOKEN_ILLEGAL);
    case '|':
        if (z[1] == '|') return TWO(TOKEN_CONCAT);
        return ONE(TOKEN_BIT_OR);
    case '\'':
    case '"':
    case '`': return scan_quoted(z, kind);
    case '[':
        for (i = 1; z[i] && z[i] != ']'; i++) {}
        *kind = z[i] ? TOKEN_ID : TOKEN_ILLEGAL;
        return z[i] ? i + 1 : i;
    case '.':
        if (!is_digit(z[1])) return ONE(TOKEN_DOT);
        return scan_number(z, kind);
    case '0' ... '9': return scan_number(z, kind);
    case '?':
        for (i = 1; is_digit(z[i]); i++) {}
        *kind = TOKEN_VARIABLE;
        return i;
    case '$':
    case '@':
    case '#':
    case ':': return scan_variable(z, kind);
    case 'x':
    case 'X':
        if (z[1] == '\'') {
            *kind = TOKEN_BLOB;
            for (i = 2; is_hex(z[i]); i++) {}
            if (z[i] != '\'' || i % 2) {
                *kind = TOKEN_ILLEGAL;
                while (z[i] && z[i] != '\'') i++;
            }
            return z[i] ? i + 1 : i;
        }
        break;
    case 0xef:
        if (z[1] == 0xbb && z[2] == 0xbf) {
            *kind = TOKEN_SPACE;
            return 3;
        }
        break;
    default:
        if (!is_id(z[0])) return ONE(TOKEN_ILLEGAL);
        break;
    }
#undef ONE
#undef TWO
    for (i = 1; is_id(z[i]); i++) {}
    *kind = token_keyword(text, i);
    return i;
}

u32 token_unquote(const char *token, u32 size, char *out)
{
    char quote = token[0] == '[' ? ']' : token[0];
    u32 count = 0;
    for (u32 i = 1; i + 1 < size; i++) {
        bool doubled = token[i] == quote && token[i + 1] == quote;
        out[count++] = token[i];
        if (doubled) i++;
    }
    out[count] = 0;
    return count;
}

u32 token_blob(const char *token, u32 size, u8 *out)
{
    u32 count = (size - 3) / 2;
    for (u32 i = 0; i < count; i++) out[i] = (u8)(hex_digit((u8)token[2 + 2 * i]) << 4 | hex_digit((u8)token[3 + 2 * i]));
    return count;
}
