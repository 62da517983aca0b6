#include "fts_porter.h"

static bool is_vowel_at(const u8 *w, u32 i)
{
    switch (w[i]) {
    case 'a':
    case 'e':
    case 'i':
    case 'o':
    case 'u': return true;
    case 'y': return i > 0 && !is_vowel_at(w, i - 1);
    }
    return false;
}

// m of [C](VC)^m[V].
static u32 measure(const u8 *w, u32 size)
{
    u32 m = 0, i = 0;
    while (i < size && !is_vowel_at(w, i)) i++;
    for (;;) {
        while (i < size && is_vowel_at(w, i)) i++;
        if (i >= size) return m;
        m++;
        while (i < size && !is_vowel_at(w, i)) i++;
        if (i >= size) return m;
    }
}

static bool has_vowel(const u8 *w, u32 size)
{
    for (u32 i = 0; i < size; i++)
        if (is_vowel_at(w, i)) return true;
    return false;
}

// consonant, vowel, consonant that is none of w, x, y
static bool ends_cvc(const u8 *w, u32 size)
{
    if (size < 3) return false;
    u8 last = w[size - 1];
    return last != 'w' && last != 'x' && last != 'y' && !is_vowel_at(w, size - 1) && is_vowel_at(w, size - 2) &&
           !is_vowel_at(w, size - 3);
}

static inline bool ends_with(const u8 *w, u32 size, const char *suffix)
{
    u32 n = (u32)strlen(suffix);
    return size > n && memcmp(w + size - n, suffix, n) == 0;
}

struct rule {
    const char *from, *to;
    u8 from_size, to_size;
};
#define R(from, to) {from, to, sizeof from - 1, sizeof to - 1}

// The first rule whose suffix fits decides; it is applied when the stem's measure is above m.
static void rules_apply(const struct rule *rules, u32 count, u8 *w, u32 *size, u32 m)
{
    for (u32 i = 0; i < count; i++) {
        const struct rule *r = &rules[i];
        u32 n = r->from_size;
        if (*size <= n || r->from[n - 1] != w[*size - 1] || r->from[0] != w[*size - n]) continue;
        u32 stem = *size - n;
        if (memcmp(w + stem, r->from, n) != 0) continue;
        if (measure(w, stem) <= m) return;
        memcpy(w + stem, r->to, r->to_size);
        *size = stem + r->to_size;
        return;
    }
}
// Of a step, those with the same letter before the last one.
#define RULES(m, ...)                                         \
    {                                                         \
        static const struct rule rules[] = {__VA_ARGS__};     \
        rules_apply(rules, COUNT_OF(rules), w, size, m);      \
        break;                                                \
    }

static void step_1a(const u8 *w, u32 *size)
{
    if (!ends_with(w, *size, "s")) return;
    if (ends_with(w, *size, "sses") || ends_with(w, *size, "ies"))
        *size -= 2;
    else if (!ends_with(w, *size, "ss"))
        *size -= 1;
}

static void step_1b(u8 *w, u32 *size)
{
    if (ends_with(w, *size, "eed")) {
        if (measure(w, *size - 3) > 0) *size -= 1;
        return;
    }
    u32 cut = ends_with(w, *size, "ed") ? 2 : ends_with(w, *size, "ing") ? 3 : 0;
    if (!cut || !has_vowel(w, *size - cut)) return;
    *size -= cut;
    if (ends_with(w, *size, "at") || ends_with(w, *size, "bl") || ends_with(w, *size, "iz")) {
        w[(*size)++] = 'e';
        return;
    }
    u8 last = w[*size - 1];
    if (*size >= 2 && last == w[*size - 2] && !is_vowel_at(w, *size - 1)) {
        if (last != 'l' && last != 's' && last != 'z') *size -= 1;
    } else if (measure(w, *size) == 1 && ends_cvc(w, *size)) {
        w[(*size)++] = 'e';
    }
}

static void step_2(u8 *w, u32 *size)
{
    if (*size < 3) return;
    switch (w[*size - 2]) {
    case 'a': RULES(0, R("ational", "ate"), R("tional", "tion"))
    case 'c': RULES(0, R("enci", "ence"), R("anci", "ance"))
    case 'e': RULES(0, R("izer", "ize"))
    case 'g': RULES(0, R("logi", "log"))
    case 'l': RULES(0, R("bli", "ble"), R("alli", "al"), R("entli", "ent"), R("eli", "e"), R("ousli", "ous"))
    case 'o': RULES(0, R("ization", "ize"), R("ation", "ate"), R("ator", "ate"))
    case 's': RULES(0, R("alism", "al"), R("iveness", "ive"), R("fulness", "ful"), R("ousness", "ous"))
    case 't': RULES(0, R("aliti", "al"), R("iviti", "ive"), R("biliti", "ble"))
    }
}

static void step_3(u8 *w, u32 *size)
{
    if (*size < 3) return;
    switch (w[*size - 2]) {
    case 'a': RULES(0, R("ical", "ic"))
    case 's': RULES(0, R("ness", ""))
    case 't': RULES(0, R("icate", "ic"), R("iciti", "ic"))
    case 'u': RULES(0, R("ful", ""))
    case 'v': RULES(0, R("ative", ""))
    case 'z': RULES(0, R("alize", "al"))
    }
}

static void step_4(u8 *w, u32 *size)
{
    if (*size < 3) return;
    switch (w[*size - 2]) {
    case 'a': RULES(1, R("al", ""))
    case 'c': RULES(1, R("ance", ""), R("ence", ""))
    case 'e': RULES(1, R("er", ""))
    case 'i': RULES(1, R("ic", ""))
    case 'l': RULES(1, R("able", ""), R("ible", ""))
    case 'n': RULES(1, R("ant", ""), R("ement", ""), R("ment", ""), R("ent", ""))
    case 'o':
        if (ends_with(w, *size, "ion")) {
            u32 stem = *size - 3;
            if ((w[stem - 1] == 's' || w[stem - 1] == 't') && measure(w, stem) > 1) *size = stem;
            break;
        }
        RULES(1, R("ou", ""))
    case 's': RULES(1, R("ism", ""))
    case 't': RULES(1, R("ate", ""), R("iti", ""))
    case 'u': RULES(1, R("ous", ""))
    case 'v': RULES(1, R("ive", ""))
    case 'z': RULES(1, R("ize", ""))
    }
}

u32 fts_porter_stem(u8 *w, u32 size)
{
    step_1a(w, &size);
    step_1b(w, &size);
    if (w[size - 1] == 'y' && has_vowel(w, size - 1)) w[size - 1] = 'i';
    step_2(w, &size);
    step_3(w, &size);
    step_4(w, &size);
    if (w[size - 1] == 'e') {
        u32 m = measure(w, size - 1);
        if (m > 1 || (m == 1 && !ends_cvc(w, size - 1))) size--;
    }
    if (size >= 2 && w[size - 1] == 'l' && w[size - 2] == 'l' && measure(w, size - 1) > 1) size--;
    return size;
}
