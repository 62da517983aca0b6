// Looking into JSON text without parsing it: one pass that checks the text and finds where a path leads.
//
// It knows plain JSON alone. Whatever is not that (JSON5, escapes in labels, errors) is left to the parser, which then
// also finds what is wrong. The text ends with a NUL behind its last byte: every loop stops there.
#include "json.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

struct scan {
    const u8 *end;
    const struct json_step *steps;
    u32 step_count;
    bool checked; // the text is known to be plain JSON: it ends where the path does
    bool over;
    struct json_span *found;
};

static inline const u8 *space(const u8 *p)
{
    while (UNLIKELY(*p <= ' ') && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r')) p++;
    return p;
}

// The first byte from p on that is not plain in a string.
static inline const u8 *plain_skip(const u8 *p, const u8 *end)
{
#ifdef __SSE2__
    for (; end - p >= 16; p += 16) {
        __m128i b = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i special = _mm_or_si128(_mm_cmpeq_epi8(b, _mm_set1_epi8('"')), _mm_cmpeq_epi8(b, _mm_set1_epi8('\\')));
        __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(b, _mm_set1_epi8(0x1f)), b);
        u32 hit = (u32)_mm_movemask_epi8(_mm_or_si128(special, control));
        if (hit) return p + __builtin_ctz(hit);
    }
#endif
    while (*p >= 0x20 && *p != '"' && *p != '\\') p++;
    return p;
}

// p is behind the opening quote. All of these: behind what was skipped, or NULL.
static const u8 *string_skip(const u8 *p, const u8 *end, bool *escaped)
{
    for (;;) {
        p = plain_skip(p, end);
        if (LIKELY(*p == '"')) return p + 1;
        if (*p != '\\') return NULL;
        *escaped = true;
        u8 c = p[1];
        if (c == 'u') {
            for (u32 i = 2; i < 6; i++) {
                if (hex_digit(p[i]) < 0) return NULL;
            }
            p += 6;
        } else if (c && memchr("\"\\/bfnrt", c, 8)) {
            p += 2;
        } else {
            return NULL;
        }
    }
}

static const u8 *number_skip(const u8 *p, bool *real)
{
    p += *p == '-';
    if (*p == '0') {
        if (is_digit(*++p)) return NULL;
    } else {
        if (!is_digit(*p)) return NULL;
        while (is_digit(*p)) p++;
    }
    if (*p == '.') {
        *real = true;
        if (!is_digit(*++p)) return NULL;
        while (is_digit(*p)) p++;
    }
    if ((*p | 0x20) == 'e') {
        *real = true;
        p++;
        p += *p == '+' || *p == '-';
        if (!is_digit(*p)) return NULL;
        while (is_digit(*p)) p++;
    }
    return p;
}

static const u8 *word_skip(const u8 *p, const u8 *end, const char *word, u32 size)
{
    return (size_t)(end - p) >= size && memcmp(p, word, size) == 0 ? p + size : NULL;
}

// Behind a label, its colon and the space after that; the label's end in *label_end.
static const u8 *label_skip(const u8 *p, const u8 *end, const u8 **label_end, bool *escaped)
{
    if (*p != '"') return NULL;
    p = string_skip(p + 1, end, escaped);
    if (!p) return NULL;
    *label_end = p - 1;
    p = space(p);
    return *p == ':' ? space(p + 1) : NULL;
}

// Behind the comma, in an object or array that goes on, or the bracket, when *more is false.
static inline const u8 *separator_skip(const u8 *p, u8 close, bool *more)
{
    p = space(p);
    *more = *p == ',';
    if (*more) return space(p + 1);
    return *p == close ? p + 1 : NULL;
}

static const u8 *value_skip(const u8 *p, const u8 *end, u32 depth)
{
    bool ignored = false, more = true;
    const u8 *label_end;
    switch (*p) {
    case '"': return string_skip(p + 1, end, &ignored);
    case '{':
        if (depth >= JSON_DEPTH_MAX) return NULL;
        p = space(p + 1);
        if (*p == '}') return p + 1;
        while (more) {
            if (!(p = label_skip(p, end, &label_end, &ignored))) return NULL;
            if (!(p = value_skip(p, end, depth + 1))) return NULL;
            if (!(p = separator_skip(p, '}', &more))) return NULL;
        }
        return p;
    case '[':
        if (depth >= JSON_DEPTH_MAX) return NULL;
        p = space(p + 1);
        if (*p == ']') return p + 1;
        while (more) {
            if (!(p = value_skip(p, end, depth + 1))) return NULL;
            if (!(p = separator_skip(p, ']', &more))) return NULL;
        }
        return p;
    case 't': return word_skip(p, end, "true", 4);
    case 'f': return word_skip(p, end, "false", 5);
    case 'n': return word_skip(p, end, "null", 4);
    default: return number_skip(p, &ignored);
    }
}

// As value_skip, with what was skipped.
static const u8 *span_skip(const u8 *p, const u8 *end, u32 depth, struct json_span *out)
{
    const u8 *from = p;
    bool flag = false;
    enum json_type type;
    switch (*p) {
    case '"':
        p = string_skip(p + 1, end, &flag);
        type = flag ? JSON_TEXTJ : JSON_TEXT;
        break;
    case '{':
    case '[':
    case 't':
    case 'f':
    case 'n':
        type = *p == '{' ? JSON_OBJECT : *p == '[' ? JSON_ARRAY : *p == 't' ? JSON_TRUE : *p == 'f' ? JSON_FALSE : JSON_NULL;
        p = value_skip(p, end, depth);
        break;
    default:
        p = number_skip(p, &flag);
        type = flag ? JSON_FLOAT : JSON_INT;
        break;
    }
    if (p) *out = (struct json_span){from, (u32)(p - from), type};
    return p;
}

// As value_skip, and follows the path from its step `step` on.
static const u8 *path_walk(struct scan *s, const u8 *p, u32 step)
{
    if (step == s->step_count) {
        s->over = true;
        return span_skip(p, s->end, step, s->found);
    }
    const struct json_step *want = &s->steps[step];
    if (*p != (want->key ? '{' : '[') || step >= JSON_DEPTH_MAX) {
        s->over = true; // it is of another kind
        return value_skip(p, s->end, step);
    }
    u8 close = want->key ? '}' : ']';
    bool more = true, met = false;
    p = space(p + 1);
    if (*p == close) {
        s->over = true;
        return p + 1;
    }
    for (u64 index = 0; more; index++) {
        bool here = !met && !want->key && index == want->index, escaped = false;
        if (want->key) {
            const u8 *label = p + 1, *label_end;
            if (!(p = label_skip(p, s->end, &label_end, &escaped))) return NULL;
            if (UNLIKELY(escaped) && !met) return NULL;
            here = !met && (size_t)(label_end - label) == want->label_size && memcmp(label, want->label, want->label_size) == 0;
        }
        p = here ? path_walk(s, p, step + 1) : value_skip(p, s->end, step + 1);
        if (!p || (s->over && s->checked)) return p;
        met |= here; // of labels that are the same the first counts
        if (!(p = separator_skip(p, close, &more))) return NULL;
    }
    s->over = true;
    return p;
}

enum json_scan_result json_scan(const u8 *text, u32 size, bool checked, const struct json_step *steps, u32 step_count,
                                struct json_span *found)
{
    struct scan s = {.end = text + size, .steps = steps, .step_count = step_count, .checked = checked, .found = found};
    *found = (struct json_span){0};
    const u8 *p = path_walk(&s, space(text), 0);
    if (!p) return JSON_SCAN_UNSURE;
    if (!checked && space(p) != s.end) return JSON_SCAN_UNSURE;
    return found->bytes ? JSON_SCAN_FOUND : JSON_SCAN_MISSING;
}

// ---- the elements of an array or object ---------------------------------------------------------------------

static void walk_element(struct json_walk *w, const u8 *p)
{
    const u8 *label_end;
    bool escaped = false;
    if (w->object) {
        const u8 *label = p + 1;
        p = label_skip(p, w->end, &label_end, &escaped);
        if (p) w->label = (struct json_span){label, (u32)(label_end - label), escaped ? JSON_TEXTJ : JSON_TEXT};
    }
    if (p) p = span_skip(p, w->end, 0, &w->value);
    w->next = p;
    w->over = !p;
}

void json_walk_begin(struct json_walk *w, const struct json_span *container)
{
    *w = (struct json_walk){.end = container->bytes + container->size - 1, .object = container->type == JSON_OBJECT};
    const u8 *p = space(container->bytes + 1);
    w->over = p == w->end;
    if (!w->over) walk_element(w, p);
}

void json_walk_next(struct json_walk *w)
{
    bool more;
    const u8 *p = separator_skip(w->next, w->object ? '}' : ']', &more);
    w->over = !p || !more;
    if (!w->over) walk_element(w, p);
}
