// JSON and JSON5 text to JSONB.
#include "json.h"

struct parser {
    const u8 *z;
    u32 size;
    u32 error_at;
    u32 depth;
    bool no_value; // what failed is that no value begins there, but the text ends or goes on with what stands behind values
    bool json5;
    struct text_buffer *out;
};

static inline u8 at(const struct parser *p, u32 i)
{
    return i < p->size ? p->z[i] : 0;
}

static bool fail(struct parser *p, u32 i)
{
    p->error_at = i;
    return false;
}

static bool json_space(u8 c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// The size of JSON5's white space and comments at i.
static u32 space5(const struct parser *p, u32 i)
{
    u32 start = i;
    for (;;) {
        u8 c = at(p, i), d = at(p, i + 1), e = at(p, i + 2);
        if ((c >= 0x09 && c <= 0x0d) || c == ' ') {
            i++;
        } else if (c == '/' && d == '*' && e) {
            u32 j = i + 3;
            while (j < p->size && !(p->z[j] == '/' && p->z[j - 1] == '*')) j++;
            if (j >= p->size) break;
            i = j + 1;
        } else if (c == '/' && d == '/') {
            u32 j = i + 2;
            for (; j < p->size; j++) {
                if (p->z[j] == '\n' || p->z[j] == '\r') break;
                if (p->z[j] == 0xe2 && at(p, j + 1) == 0x80 && (at(p, j + 2) | 1) == 0xa9) {
                    j += 2;
                    break;
                }
            }
            i = j < p->size ? j + 1 : j;
        } else if (c == 0xc2 && d == 0xa0) {
            i += 2;
        } else if ((c == 0xe1 && d == 0x9a && e == 0x80) || (c == 0xe3 && d == 0x80 && e == 0x80) ||
                   (c == 0xef && d == 0xbb && e == 0xbf) || (c == 0xe2 && d == 0x81 && e == 0x9f) ||
                   (c == 0xe2 && d == 0x80 &&
                    ((e >= 0x80 && e <= 0x8a) || e == 0xa8 || e == 0xa9 || e == 0xaf))) {
            i += 3;
        } else {
            break;
        }
    }
    return i - start;
}

static u32 skip_space_long(struct parser *p, u32 i)
{
    while (i < p->size && json_space(p->z[i])) i++;
    u8 c = at(p, i);
    if (c == '/' || c == 0x0b || c == 0x0c || c >= 0xc2) {
        u32 n = space5(p, i);
        if (n) p->json5 = true;
        i += n;
    }
    return i;
}

static inline u32 skip_space(struct parser *p, u32 i)
{
    u8 c = at(p, i);
    return c > ' ' && c < 0xc2 && c != '/' ? i : skip_space_long(p, i);
}

static bool hex_at(const struct parser *p, u32 i, u32 count)
{
    for (u32 k = 0; k < count; k++) {
        if (hex_digit(at(p, i + k)) < 0) return false;
    }
    return true;
}

static bool alphanumeric(u8 c)
{
    return is_digit(c) || (u8)((c | 0x20) - 'a') < 26;
}

static bool word_at(const struct parser *p, u32 i, const char *word, u32 size, bool any_case)
{
    if (p->size - i < size) return false;
    const char *z = (const char *)p->z + i;
    return (any_case ? strncasecmp(z, word, size) : strncmp(z, word, size)) == 0 && !alphanumeric(at(p, i + size));
}

// Bytes that stand for themselves in strings of either quotes.
static const bool PLAIN[256] = {[0x20 ... '"' - 1] = true, ['"' + 1 ... '\'' - 1] = true, ['\'' + 1 ... '\\' - 1] = true,
                                ['\\' + 1 ... 0xff] = true};

// Behind the closing quote; 0 on failure.
static u32 parse_string(struct parser *p, u32 i)
{
    u8 quote = p->z[i];
    enum json_type type = JSON_TEXT;
    u32 start = i + 1, j = start;
    if (quote == '\'') p->json5 = true;
    for (;; j++) {
        while (j < p->size && PLAIN[p->z[j]]) j++;
        u8 c = at(p, j);
        if (c == quote) break;
        if (c == '\\') {
            c = at(p, ++j);
            if ((c && memchr("\"\\/bfnrt", c, 8)) || (c == 'u' && hex_at(p, j + 1, 4))) {
                if (type == JSON_TEXT) type = JSON_TEXTJ;
                continue;
            }
            if (c == '\r' && at(p, j + 1) == '\n') j++;
            if (c == '\'' || c == 'v' || c == '\n' || c == '\r' || (c == '0' && !is_digit(at(p, j + 1))) ||
                (c == 0xe2 && at(p, j + 1) == 0x80 && (at(p, j + 2) | 1) == 0xa9) ||
                (c == 'x' && hex_at(p, j + 1, 2))) {
                type = JSON_TEXT5;
                p->json5 = true;
                continue;
            }
            fail(p, j);
            return 0;
        }
        if (c < 0x20) {
            if (j >= p->size) {
                fail(p, j);
                return 0;
            }
            type = JSON_TEXT5;
            p->json5 = true;
        } else if (c == '"') {
            type = JSON_TEXT5;
        }
    }
    json_append_element(p->out, type, p->z + start, j - start);
    return j + 1;
}

static u32 parse_number(struct parser *p, u32 i)
{
    u32 from = i, j = i;
    bool float_ = false, five = false, exponent = false;
    u8 c = at(p, j);
    if (c == '+') five = true;
    if (c == '+' || c == '-') j++;
    u8 d = at(p, j);
    if (c == '+') from = j;
    if (d == '0') {
        if ((at(p, j + 1) | 0x20) == 'x' && hex_digit(at(p, j + 2)) >= 0) {
            p->json5 = true;
            for (j += 2; hex_digit(at(p, j)) >= 0;) j++;
            json_append_element(p->out, JSON_INT5, p->z + from, j - from);
            return j;
        }
        if (is_digit(at(p, j + 1))) {
            fail(p, i + 1);
            return 0;
        }
    } else if (d == '.') {
        if (!is_digit(at(p, j + 1))) {
            fail(p, j > i ? j + 1 : i);
            return 0;
        }
        p->json5 = true;
    } else if (!is_digit(d)) {
        if (j > i && strncasecmp((const char *)p->z + j, "inf", MIN(3, p->size - j)) == 0 && p->size - j >= 3) {
            p->json5 = true;
            const char *text = c == '-' ? "-9e999" : "9e999";
            json_append_element(p->out, JSON_FLOAT, text, (u32)strlen(text));
            bool whole = p->size - j >= 8 && strncasecmp((const char *)p->z + j, "infinity", 8) == 0;
            return j + (whole ? 8 : 3);
        }
        fail(p, i);
        return 0;
    }
    bool lone_point = d == '.'; // JSON5's ".5" and "5."
    for (;; j++) {
        d = at(p, j);
        if (is_digit(d)) continue;
        if (d == '.') {
            if (float_) {
                fail(p, j);
                return 0;
            }
            float_ = true;
        } else if (d == 'e' || d == 'E') {
            if (p->z[j - 1] == '.') lone_point = true;
            if (exponent) {
                fail(p, j);
                return 0;
            }
            float_ = exponent = true;
            if (at(p, j + 1) == '+' || at(p, j + 1) == '-') j++;
            if (!is_digit(at(p, j + 1))) {
                fail(p, j);
                return 0;
            }
        } else {
            break;
        }
    }
    if (p->z[j - 1] == '.') lone_point = true;
    if (lone_point || five) p->json5 = true;
    json_append_element(p->out, float_ ? (lone_point ? JSON_FLOAT5 : JSON_FLOAT) : JSON_INT, p->z + from, j - from);
    return j;
}

static bool identifier_start(u8 c)
{
    return (u8)((c | 0x20) - 'a') < 26 || c == '_' || c == '$' || c >= 0x80;
}

// An object's label without quotes.
static u32 parse_identifier(struct parser *p, u32 i)
{
    enum json_type type = JSON_TEXT;
    u32 j = i;
    for (;;) {
        u8 c = at(p, j);
        if (c == '\\' && at(p, j + 1) == 'u' && hex_at(p, j + 2, 4)) {
            type = JSON_TEXTJ;
            j++;
        } else if (!(identifier_start(c) || (j > i && is_digit(c))) || (j > i && space5(p, j))) {
            break;
        }
        j++;
    }
    if (j == i) {
        fail(p, i);
        return 0;
    }
    p->json5 = true;
    json_append_element(p->out, type, p->z + i, j - i);
    return j;
}

struct word {
    const char *name;
    u32 size;
    enum json_type type;
    bool any_case;
};

// The value that is a word at i, or NULL.
static const struct word *word_find(const struct parser *p, u32 i)
{
    static const struct word words[] = {
        {"true", 4, JSON_TRUE, false},    {"false", 5, JSON_FALSE, false}, {"null", 4, JSON_NULL, false},
        {"inf", 3, JSON_FLOAT, true},     {"infinity", 8, JSON_FLOAT, true}, {"nan", 3, JSON_NULL, true},
        {"qnan", 4, JSON_NULL, true},     {"snan", 4, JSON_NULL, true},
    };
    for (u32 k = 0; i < p->size && k < COUNT_OF(words); k++)
        if (word_at(p, i, words[k].name, words[k].size, words[k].any_case)) return &words[k];
    return NULL;
}

static u32 parse_value(struct parser *p, u32 i);

// The value that must follow at i, behind white space. Where there is none, SQLite tells the place before the white space.
static u32 parse_needed(struct parser *p, u32 i)
{
    u32 j = parse_value(p, skip_space(p, i));
    if (!j && p->no_value) fail(p, i);
    if (!j) p->no_value = false;
    return j;
}

// The place of the comma or the closing bracket behind a value that ends at i; 0 on failure. SQLite remembers as the place of an
// error where it was last in doubt, should text follow the whole value.
static u32 parse_behind(struct parser *p, u32 i, u8 close)
{
    while (json_space(at(p, i))) i++;
    u8 c = at(p, i);
    if (c == ',' || c == close) return i;
    u32 j = skip_space(p, i);
    c = at(p, j);
    bool found = c == ',' || c == close;
    fail(p, found ? j : i);
    return found ? j : 0;
}

// Behind the label that must follow at i; 0 on failure.
static u32 parse_label(struct parser *p, u32 i)
{
    u32 j = skip_space(p, i);
    u8 c = at(p, j);
    if (c == '"' || c == '\'') return parse_string(p, j);
    if (identifier_start(c) || c == '\\') {
        fail(p, word_find(p, j) ? i : j);
        return word_find(p, j) ? 0 : parse_identifier(p, j);
    }
    if (parse_value(p, j)) fail(p, i); // a value, and no text
    else if (p->no_value) fail(p, j);
    p->no_value = false;
    return 0;
}

// Behind the colon that must follow at i; 0 on failure.
static u32 parse_colon(struct parser *p, u32 i)
{
    while (json_space(at(p, i))) i++;
    if (at(p, i) == ':') return i + 1;
    u32 j = skip_space(p, i);
    if (at(p, j) == ':') {
        fail(p, j);
        return j + 1;
    }
    if (parse_value(p, j) || p->no_value) fail(p, i);
    p->no_value = false;
    return 0;
}

// The closing bracket where a value could begin, of a container that has none or behind a comma; 0: something else is there.
static u32 parse_end(struct parser *p, u32 i, u8 close, bool first)
{
    u32 j = skip_space(p, i);
    if (at(p, j) != close) return 0;
    fail(p, j);
    if (!first) p->json5 = true;
    return j;
}

static u32 parse_object(struct parser *p, u32 i)
{
    size_t place = json_container_begin(p->out, JSON_OBJECT);
    u32 end = parse_end(p, i + 1, '}', true);
    for (u32 j = i; !end;) {
        j = parse_label(p, j + 1);
        if (j) j = parse_colon(p, j);
        if (j) j = parse_needed(p, j);
        if (j) j = parse_behind(p, j, '}');
        if (!j) return 0;
        end = at(p, j) == '}' ? j : parse_end(p, j + 1, '}', false);
    }
    json_container_end(p->out, place);
    return end + 1;
}

static u32 parse_array(struct parser *p, u32 i)
{
    size_t place = json_container_begin(p->out, JSON_ARRAY);
    u32 end = parse_end(p, i + 1, ']', true);
    for (u32 j = i; !end;) {
        j = parse_needed(p, j + 1);
        if (j) j = parse_behind(p, j, ']');
        if (!j) return 0;
        end = at(p, j) == ']' ? j : parse_end(p, j + 1, ']', false);
    }
    json_container_end(p->out, place);
    return end + 1;
}

// Behind the value at i; 0 on failure, error_at set.
static u32 parse_value(struct parser *p, u32 i)
{
    u8 c = at(p, i);
    u32 j;
    switch (c) {
    case '{':
    case '[':
        if (++p->depth > JSON_DEPTH_MAX) {
            fail(p, i);
            return 0;
        }
        j = c == '{' ? parse_object(p, i) : parse_array(p, i);
        p->depth--;
        return j;
    case '"':
    case '\'': return parse_string(p, i);
    case '+':
    case '-':
    case '.':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9': return parse_number(p, i);
    default: break;
    }
    const struct word *w = word_find(p, i);
    if (!w) {
        if (i < p->size) fail(p, i);
        p->no_value = i >= p->size || c == '}' || c == ']' || c == ',' || c == ':';
        return 0;
    }
    if (w->any_case) p->json5 = true;
    if (w->type == JSON_FLOAT)
        json_append_element(p->out, JSON_FLOAT, "9e999", 5);
    else
        json_append_element(p->out, w->type, NULL, 0);
    return i + w->size;
}

void json_parse_text(struct json_parse *result, const u8 *text, u32 size)
{
    struct parser p = {.z = text, .size = text_length(text, size), .out = &result->blob};
    result->blob.size = 0;
    if (p.size < (1u << 20)) text_reserve(&result->blob, p.size + 16); // most blobs are smaller than their text
    u32 i = parse_value(&p, skip_space(&p, 0));
    if (i) {
        i = skip_space(&p, i);
        if (i < p.size) i = 0;
    }
    result->json5 = p.json5;
    result->failed = i == 0;
    result->error_at = p.error_at;
}

// What JSONB of elsewhere says there may be no hex digits: they count as SQLite counts them.
static u32 hex_read(const u8 *z, u32 count)
{
    u32 v = 0;
    for (u32 i = 0; i < count; i++) v = v << 4 | ((z[i] + 9u * (1u & z[i] >> 6)) & 15);
    return v;
}

u32 json_unescape(const u8 **at_, const u8 *end)
{
    const u8 *z = *at_;
    size_t n = (size_t)(end - z);
    if (n < 2) {
        *at_ = end;
        return JSON_NO_CHARACTER;
    }
    *at_ = z + 2;
    switch (z[1]) {
    case 'u': {
        if (n < 6) {
            *at_ = end;
            return JSON_NO_CHARACTER;
        }
        u32 v = hex_read(z + 2, 4);
        *at_ = z + 6;
        if ((v & 0xfc00) == 0xd800 && n >= 12 && z[6] == '\\' && z[7] == 'u') {
            u32 low = hex_read(z + 8, 4);
            if ((low & 0xfc00) == 0xdc00) {
                *at_ = z + 12;
                return ((v & 0x3ff) << 10) + (low & 0x3ff) + 0x10000;
            }
        }
        return v;
    }
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'v': return '\v';
    case '0': return n > 2 && is_digit(z[2]) ? JSON_NO_CHARACTER : 0;
    case '\'':
    case '"':
    case '/':
    case '\\': return z[1];
    case 'x':
        if (n < 4) {
            *at_ = end;
            return JSON_NO_CHARACTER;
        }
        *at_ = z + 4;
        return hex_read(z + 2, 2);
    case '\n':
    case '\r':
    case 0xe2: {
        // A line goes on behind its end: the character is the next one.
        const u8 *next = z;
        while (next + 1 < end && next[0] == '\\') {
            if (next[1] == '\n') {
                next += 2;
            } else if (next[1] == '\r') {
                next += next + 2 < end && next[2] == '\n' ? 3 : 2;
            } else if (next[1] == 0xe2 && next + 3 < end && next[2] == 0x80 && (next[3] | 1) == 0xa9) {
                next += 4;
            } else {
                break;
            }
        }
        *at_ = end;
        if (next == z) return JSON_NO_CHARACTER;
        if (next == end) return 0;
        *at_ = next;
        return *next == '\\' ? json_unescape(at_, end) : utf8_read(at_, end);
    }
    default: return JSON_NO_CHARACTER;
    }
}
