// unicode61, ascii and trigram; fts_porter.c stems what one of them gives.
#include "fts_token.h"

#include <strings.h>

#include "../utf8.h"
#include "fts_porter.h"

enum tokenizer_kind { TOKENIZER_UNICODE61, TOKENIZER_ASCII, TOKENIZER_TRIGRAM };

struct fts_tokenizer {
    u8 kind;
    bool porter;
    // unicode61, ascii
    u8 remove_diacritics; // 0, 1: from Latin letters with one mark, 2: with several too
    bool ascii_token[128];
    u32 categories; // bit per utf8proc category
    u32 exception_count, exception_capacity;
    s32 *exceptions; // characters that are what their category is not
    // trigram
    bool fold_case;
};

// ---- making them -----------------------------------------------------------------------------------------------------

static const char category_names[][3] = {"Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd",
                                         "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm",
                                         "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co"};

static u32 categories_of(char first, char second)
{
    u32 bits = 0;
    for (u32 i = 0; i < COUNT_OF(category_names); i++)
        if (category_names[i][0] == first && (second == '*' || category_names[i][1] == second)) bits |= 1u << i;
    return bits;
}

static bool category_token(const struct fts_tokenizer *t, s32 c)
{
    return t->categories >> fts_character_category(c) & 1;
}

static void ascii_set(struct fts_tokenizer *t)
{
    for (s32 c = 1; c < 128; c++) t->ascii_token[c] = category_token(t, c); // NUL is never one
}

static bool character_token(const struct fts_tokenizer *t, s32 c)
{
    if ((u32)c < 128) return t->ascii_token[c];
    if (t->kind == TOKENIZER_ASCII) return true;
    bool is = category_token(t, c);
    for (u32 i = 0; i < t->exception_count; i++)
        if (t->exceptions[i] == c) return !is;
    return is;
}

static bool exceptions_add(struct arena *a, struct fts_tokenizer *t, const char *text, bool token)
{
    const u8 *p = (const u8 *)text, *end = p + strlen(text);
    while (p < end) {
        s32 c = (s32)utf8_read(&p, end);
        if ((u32)c < 128) {
            t->ascii_token[c] = token;
        } else if (t->kind == TOKENIZER_UNICODE61 && !fts_character_mark(c) && character_token(t, c) != token) {
            t->exceptions =
                arena_grow(a, t->exceptions, t->exception_count, &t->exception_capacity, sizeof *t->exceptions);
            if (!t->exceptions) return false;
            t->exceptions[t->exception_count++] = c;
        }
    }
    return true;
}

static bool categories_read(struct fts_tokenizer *t, const char *text)
{
    t->categories = categories_of('C', 'n');
    for (const char *p = text; *p;) {
        if (*p == ' ' || *p == '\t') {
            p++;
            continue;
        }
        if (!p[1]) return false;
        u32 bits = categories_of(p[0], p[1]);
        if (!bits) return false;
        t->categories |= bits;
        p += 2;
        if (*p && *p != ' ' && *p != '\t') return false;
    }
    ascii_set(t);
    return true;
}

static bool arguments_read(struct arena *a, struct fts_tokenizer *t, const char *const *words, u32 count)
{
    if (count % 2) return false;
    for (u32 i = 0; i < count; i += 2)
        if (t->kind == TOKENIZER_UNICODE61 && strcasecmp(words[i], "categories") == 0 &&
            !categories_read(t, words[i + 1]))
            return false;
    for (u32 i = 0; i < count; i += 2) {
        const char *name = words[i], *value = words[i + 1];
        bool digit = value[0] >= '0' && value[0] <= '2' && !value[1];
        if (t->kind == TOKENIZER_TRIGRAM) {
            if (!digit) return false;
            if (strcasecmp(name, "case_sensitive") == 0 && value[0] != '2')
                t->fold_case = value[0] == '0';
            else if (strcasecmp(name, "remove_diacritics") == 0)
                t->remove_diacritics = value[0] != '0' ? 2 : 0;
            else
                return false;
        } else if (strcasecmp(name, "tokenchars") == 0 || strcasecmp(name, "separators") == 0) {
            if (!exceptions_add(a, t, value, strcasecmp(name, "tokenchars") == 0)) return false;
        } else if (t->kind == TOKENIZER_UNICODE61 && strcasecmp(name, "remove_diacritics") == 0) {
            if (!digit) return false;
            t->remove_diacritics = (u8)(value[0] - '0');
        } else if (t->kind != TOKENIZER_UNICODE61 || strcasecmp(name, "categories") != 0) {
            return false;
        }
    }
    return t->kind != TOKENIZER_TRIGRAM || t->fold_case || !t->remove_diacritics;
}

struct fts_tokenizer *fts_tokenizer_create(struct arena *a, const char *const *words, u32 count, const char **error)
{
    struct fts_tokenizer *t = arena_alloc(a, sizeof *t);
    if (!t) return NULL;
    t->remove_diacritics = 1;
    t->fold_case = true;
    if (count && strcasecmp(words[0], "porter") == 0) {
        t->porter = true;
        words++;
        count--;
    }
    const char *name = count ? words[0] : "unicode61";
    if (strcasecmp(name, "unicode61") == 0) {
        t->kind = TOKENIZER_UNICODE61;
    } else if (strcasecmp(name, "ascii") == 0) {
        t->kind = TOKENIZER_ASCII;
    } else if (strcasecmp(name, "trigram") == 0) {
        t->kind = TOKENIZER_TRIGRAM;
        t->remove_diacritics = 0;
    } else {
        *error = t->porter ? "error in tokenizer constructor" : arena_format(a, "no such tokenizer: %s", name);
        return NULL;
    }
    t->categories = categories_of('C', 'n') | categories_of('L', '*') | categories_of('N', '*') | categories_of('C', 'o');
    ascii_set(t);
    if (!arguments_read(a, t, count ? words + 1 : NULL, count ? count - 1 : 0)) {
        *error = "error in tokenizer constructor";
        return NULL;
    }
    return t;
}

bool fts_tokenizer_patterns(const struct fts_tokenizer *t, bool like)
{
    return t->kind == TOKENIZER_TRIGRAM && !t->porter && !t->remove_diacritics && (t->fold_case || !like);
}

// ---- tokens ----------------------------------------------------------------------------------------------------------

struct stemmed {
    fts_token_sink sink;
    void *context;
};

static bool stem(void *context, const u8 *token, u32 size, u32 begin, u32 end)
{
    struct stemmed *s = context;
    u8 word[FTS_PORTER_SIZE_MAX];
    if (size < 3 || size > FTS_PORTER_SIZE_MAX) return s->sink(s->context, token, size, begin, end);
    memcpy(word, token, size);
    return s->sink(s->context, word, fts_porter_stem(word, size), begin, end);
}

// A character takes any number of bytes that go on with it, where text is no UTF-8; ASCII's are bytes.
static const u8 *character_next(const struct fts_tokenizer *t, const u8 *p, const u8 *end, s32 *c)
{
    *c = t->kind == TOKENIZER_ASCII ? *p++ : (s32)utf8_read(&p, end);
    return p;
}

static bool words_tokenize(const struct fts_tokenizer *t, const u8 *text, u32 size, fts_token_sink sink, void *context)
{
    u8 local[256], *word = local, *end_of_word = local + sizeof local - 8;
    u32 capacity = sizeof local;
    const u8 *end = text + size;
    bool going = true;
    for (const u8 *p = text; going;) {
        s32 c = 0;
        for (const u8 *next; p < end; p = next) {
            next = character_next(t, p, end, &c);
            if (character_token(t, c)) break;
        }
        if (p >= end) break;
        const u8 *begin = p;
        u8 *out = word;
        for (const u8 *next; p < end; p = next) {
            while (p < end && *p < 128 && t->ascii_token[*p] && out < end_of_word) {
                *out++ = (u8)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
                p++;
            }
            if (p == end) break;
            next = character_next(t, p, end, &c);
            bool mark = t->kind == TOKENIZER_UNICODE61 && fts_character_mark(c);
            if (!mark && !character_token(t, c)) break;
            if (out >= end_of_word) {
                size_t used = (size_t)(out - word);
                u8 *grown = malloc(2u * capacity);
                if (!grown) {
                    if (word != local) free(word);
                    return false;
                }
                memcpy(grown, word, used);
                if (word != local) free(word);
                word = grown;
                capacity *= 2;
                end_of_word = word + capacity - 8;
                out = word + used;
            }
            if (t->kind == TOKENIZER_ASCII) {
                *out++ = (u8)(c >= 'A' && c <= 'Z' ? c + 32 : c);
            } else if (!mark || !t->remove_diacritics) {
                s32 folded = fts_character_fold(c, t->remove_diacritics);
                out += utf8_write(out, (u32)folded);
            }
        }
        u32 length = (u32)(out - word);
        if (length > FTS_TOKEN_SIZE_MAX) length = FTS_TOKEN_SIZE_MAX;
        going = sink(context, word, length, (u32)(begin - text), (u32)(p - text));
    }
    if (word != local) free(word);
    return going;
}

// The next character as it is indexed; 0: it is not.
static inline s32 trigram_character(const struct fts_tokenizer *t, const u8 **p, const u8 *end)
{
    s32 c = (s32)utf8_read(p, end);
    if (c < 0x80) return t->fold_case && c >= 'A' && c <= 'Z' ? c + 32 : c;
    if (t->remove_diacritics && fts_character_mark(c)) return 0;
    return t->fold_case ? fts_character_fold(c, t->remove_diacritics) : c;
}

// Every run of three characters. A trigram reaches to the next character that is indexed.
static bool trigrams_tokenize(const struct fts_tokenizer *t, const u8 *text, u32 size, fts_token_sink sink, void *context)
{
    enum { CHARACTER_MAX = 4 };
    u8 folded[256];
    u32 used = 0, count = 0, starts[3], begins[3]; // of the last characters: in `folded`, in the text
    const u8 *end = text + size;
    for (const u8 *p = text; p < end;) {
        u32 here = (u32)(p - text);
        s32 f = trigram_character(t, &p, end);
        if (!f) continue;
        if (count == 3) {
            if (!sink(context, folded + starts[0], used - starts[0], begins[0], here)) return false;
            begins[0] = begins[1];
            begins[1] = begins[2];
            starts[0] = starts[1];
            starts[1] = starts[2];
            count = 2;
        }
        if (used > sizeof folded - CHARACTER_MAX) {
            used -= starts[0];
            memmove(folded, folded + starts[0], used);
            starts[1] -= starts[0];
            starts[0] = 0;
        }
        begins[count] = here;
        starts[count++] = used;
        used += utf8_write(folded + used, (u32)f);
    }
    return count < 3 || sink(context, folded + starts[0], used - starts[0], begins[0], size);
}

bool fts_tokenize(const struct fts_tokenizer *t, const u8 *text, u32 size, fts_token_sink sink, void *context)
{
    struct stemmed s = {sink, context};
    if (t->porter) {
        sink = stem;
        context = &s;
    }
    if (t->kind == TOKENIZER_TRIGRAM) return trigrams_tokenize(t, text, size, sink, context);
    return words_tokenize(t, text, size, sink, context);
}
