// LIKE and GLOB. A pattern is compiled once per call site (a constant pattern: once per statement) into one of
// a few plain shapes that need no matcher (abc, abc%, %abc, %abc%), or else is matched character by character.
#include "fn_internal.h"

struct like_rules {
    u32 all, one; // 0: has none
    bool sets, fold;
};
static const struct like_rules LIKE_RULES = {'%', '_', false, true}, LIKE_CASE_RULES = {'%', '_', false, false},
                               GLOB_RULES = {'*', '?', true, false};

enum like_shape { SHAPE_GENERAL, SHAPE_EXACT, SHAPE_PREFIX, SHAPE_SUFFIX, SHAPE_CONTAINS, SHAPE_ANY };

struct like_pattern {
    struct like_rules rules;
    u32 escape; // or 0
    enum like_shape shape;
    u32 size, literal_size;
    u8 *literal; // of the plain shapes: lower case when case is folded
    struct like_byte {
        u8 either[2]; // both cases
        u32 at;       // in the literal
    } rare[2];        // of `contains`: the bytes that are searched for first
    u8 text[];   // the pattern itself, then the literal
};

// ---- matching character by character -------------------------------------------------------------------

enum match { MATCH, NO_MATCH, NO_WILDCARD_MATCH }; // the last: no longer start of the text can match either

static u32 next_or_zero(const u8 **z, const u8 *end)
{
    return *z < end ? utf8_read(z, end) : 0;
}

static bool fold_equal(u32 a, u32 b)
{
    return a < 0x80 && b < 0x80 && ascii_lower((u8)a) == ascii_lower((u8)b);
}

// A set's body behind '['; true when c is in it and it is well-formed.
static bool set_match(const u8 **pattern, const u8 *end, u32 c)
{
    bool seen = false, invert = false;
    u32 prior = 0, p = next_or_zero(pattern, end);
    if (p == '^') {
        invert = true;
        p = next_or_zero(pattern, end);
    }
    if (p == ']') {
        seen = c == ']';
        p = next_or_zero(pattern, end);
    }
    while (p && p != ']') {
        if (p == '-' && *pattern < end && **pattern != ']' && prior > 0) {
            p = next_or_zero(pattern, end);
            if (c >= prior && c <= p) seen = true;
            prior = 0;
        } else {
            if (c == p) seen = true;
            prior = p;
        }
        p = next_or_zero(pattern, end);
    }
    return p != 0 && seen != invert;
}

static enum match pattern_match(const struct like_pattern *l, const u8 *p, const u8 *p_end, const u8 *z,
                                const u8 *end)
{
    const struct like_rules *r = &l->rules;
    while (p < p_end) {
        u32 c = utf8_read(&p, p_end);
        if (r->all && c == r->all) {
            do {
                c = next_or_zero(&p, p_end);
                if (r->one && c == r->one && next_or_zero(&z, end) == 0) return NO_WILDCARD_MATCH;
            } while (c && (c == r->all || (r->one && c == r->one)));
            if (c == 0) return MATCH;
            if (r->sets && c == '[') {
                for (; z < end; z = utf8_skip(z, end)) {
                    enum match m = pattern_match(l, p - 1, p_end, z, end);
                    if (m != NO_MATCH) return m;
                }
                return NO_WILDCARD_MATCH;
            }
            if (l->escape && c == l->escape) {
                c = next_or_zero(&p, p_end);
                if (c == 0) return NO_WILDCARD_MATCH;
            }
            while (z < end) {
                u32 t = utf8_read(&z, end);
                if (t != c && !(r->fold && fold_equal(t, c))) continue;
                enum match m = pattern_match(l, p, p_end, z, end);
                if (m != NO_MATCH) return m;
            }
            return NO_WILDCARD_MATCH;
        }
        bool escaped = false;
        if (r->sets && c == '[') {
            u32 t = next_or_zero(&z, end);
            if (t == 0 || !set_match(&p, p_end, t)) return NO_MATCH;
            continue;
        }
        if (l->escape && c == l->escape) {
            c = next_or_zero(&p, p_end);
            if (c == 0) return NO_MATCH;
            escaped = true;
        }
        u32 t = next_or_zero(&z, end);
        if (t == c && t) continue;
        if (r->fold && t && fold_equal(c, t)) continue;
        if (r->one && c == r->one && !escaped && t) continue;
        return NO_MATCH;
    }
    return z == end ? MATCH : NO_MATCH;
}

// ---- plain shapes --------------------------------------------------------------------------------------

// How rare a byte is in text, roughly: the higher the better to look for.
static u32 rarity(u8 c)
{
    static const char COMMON[] = "zqxjkvbpygfwmucldrhsnioate ";
    const char *at = c ? strchr(COMMON, c) : NULL;
    if (at) return 200 - (u32)(at - COMMON) * 5;
    return is_digit(c) ? 150 : 220;
}

static struct like_byte rare_byte(const struct like_pattern *l, u32 at)
{
    u8 c = l->literal[at];
    return (struct like_byte){{c, l->rules.fold && (u8)(c - 'a') < 26 ? c - 0x20 : c}, at};
}

static void shape_find(struct like_pattern *l)
{
    const u8 *p = l->text, *end = p + l->size;
    bool front = false, back = false;
    while (p < end && l->rules.all && *p == l->rules.all) {
        front = true;
        p++;
    }
    u32 n = 0;
    u8 *literal = l->text + l->size;
    while (p < end) {
        const u8 *from = p;
        u32 c = utf8_read(&p, end);
        if (l->rules.all && c == l->rules.all) {
            while (p < end && *p == l->rules.all) p++;
            if (p < end) return; // in the middle
            back = true;
            break;
        }
        if ((l->rules.one && c == l->rules.one) || (l->rules.sets && c == '[')) return;
        if (l->escape && c == l->escape) {
            if (p == end) return;
            from = p;
            c = utf8_read(&p, end);
        }
        // Malformed characters match more than their own bytes.
        u8 canonical[4];
        u32 size = utf8_write(canonical, c);
        if (size != (u32)(p - from) || memcmp(canonical, from, size) != 0 || c == 0xfffd) return;
        if (l->rules.fold && size == 1) canonical[0] = ascii_lower(canonical[0]);
        memcpy(literal + n, canonical, size);
        n += size;
    }
    l->literal = literal;
    l->literal_size = n;
    l->shape = front && back ? SHAPE_CONTAINS : front ? SHAPE_SUFFIX : back ? SHAPE_PREFIX : SHAPE_EXACT;
    if (n == 0) {
        l->shape = front || back ? SHAPE_ANY : SHAPE_EXACT;
        return;
    }
    u32 first = 0, second = n - 1;
    for (u32 i = 1; i < n; i++) {
        if (rarity(literal[i]) > rarity(literal[first])) first = i;
    }
    if (second == first) second = 0;
    for (u32 i = 0; i < n; i++) {
        if (i != first && rarity(literal[i]) > rarity(literal[second])) second = i;
    }
    l->rare[0] = rare_byte(l, first);
    l->rare[1] = rare_byte(l, second);
}

static bool literal_equal(const struct like_pattern *l, const u8 *z)
{
    if (!l->rules.fold) return memcmp(z, l->literal, l->literal_size) == 0;
    for (u32 i = 0; i < l->literal_size; i++) {
        if (ascii_lower(z[i]) != l->literal[i]) return false;
    }
    return true;
}

// Sixteen bytes of 0xff where the byte is one of the two.
typedef u8 bytes16 __attribute__((vector_size(16)));

ALWAYS_INLINE bytes16 bytes_hit(const u8 *at, bytes16 a, bytes16 b)
{
    bytes16 text;
    memcpy(&text, at, 16);
    return (bytes16)((text == a) | (text == b));
}

// Where the literal is; NULL: nowhere. It is looked at where two of its rare bytes are.
static const u8 *literal_find(const struct like_pattern *l, const u8 *z, u32 size)
{
    u32 n = l->literal_size;
    if (size < n) return NULL;
    if (!l->rules.fold) return memmem(z, size, l->literal, n);
    u32 places = size - n + 1;
    const struct like_byte *x = &l->rare[0], *y = &l->rare[1];
    if (places < 16) {
        for (u32 i = 0; i < places; i++) {
            u8 c = z[i + x->at];
            if ((c == x->either[0] || c == x->either[1]) && literal_equal(l, z + i)) return z + i;
        }
        return NULL;
    }
    bytes16 a, b, c, d;
    memset(&a, x->either[0], 16);
    memset(&b, x->either[1], 16);
    memset(&c, y->either[0], 16);
    memset(&d, y->either[1], 16);
    for (u32 i = 0;;) {
        bytes16 hit = bytes_hit(z + i + x->at, a, b) & bytes_hit(z + i + y->at, c, d);
        u64 half[2];
        memcpy(half, &hit, 16);
        for (u32 h = 0; UNLIKELY((half[0] | half[1]) != 0) && h < 2; h++) {
            for (u64 bits = half[h]; bits;) {
                u32 byte = (u32)__builtin_ctzll(bits) / 8; // little-endian: the lowest byte comes first
                if (literal_equal(l, z + i + 8 * h + byte)) return z + i + 8 * h + byte;
                bits &= ~(0xffull << (8 * byte));
            }
        }
        if (i == places - 16) return NULL;
        i = MIN(i + 16, places - 16); // some places a second time, rather than one by one
    }
}

static bool like_match(const struct like_pattern *l, const u8 *z, u32 size)
{
    const u8 *at;
    switch (l->shape) {
    case SHAPE_ANY: return true;
    case SHAPE_EXACT: return size >= l->literal_size && literal_equal(l, z) && (size == l->literal_size || z[l->literal_size] == 0);
    case SHAPE_PREFIX: return size >= l->literal_size && literal_equal(l, z);
    case SHAPE_SUFFIX:
        size = text_length(z, size);
        return size >= l->literal_size && literal_equal(l, z + size - l->literal_size);
    case SHAPE_CONTAINS: // text ends at its first NUL
        at = literal_find(l, z, size);
        return at && text_length(z, (u32)(at - z)) == (u32)(at - z);
    case SHAPE_GENERAL: break;
    }
    return pattern_match(l, l->text, l->text + l->size, z, z + text_length(z, size)) == MATCH;
}

// ---- the functions -------------------------------------------------------------------------------------

static struct like_pattern *pattern_compile(const struct like_rules *rules, u32 escape, const u8 *text, u32 size)
{
    struct like_pattern *l = calloc(1, sizeof *l + 2 * (size_t)size + 1);
    if (!l) return NULL;
    l->rules = *rules;
    l->escape = escape;
    l->size = size;
    if (size) memcpy(l->text, text, size);
    if (escape && escape == l->rules.all) l->rules.all = 0;
    if (escape && escape == l->rules.one) l->rules.one = 0;
    shape_find(l);
    return l;
}

enum { USER_LIKE, USER_GLOB, USER_LIKE_CASE };

static const struct like_rules *rules_of(u32 user)
{
    return user == USER_GLOB ? &GLOB_RULES : user == USER_LIKE_CASE ? &LIKE_CASE_RULES : &LIKE_RULES;
}

// The pattern's compiled form: the call site's, or a fresh one. NULL: *ctx has the error.
static struct like_pattern *pattern_get(struct function_context *ctx, const u8 *pattern, u32 size, u32 escape)
{
    struct like_pattern *l = ctx->aux ? *ctx->aux : NULL;
    if (l && l->size == size && l->escape == escape && memcmp(l->text, pattern, size) == 0) return l;
    struct like_pattern *fresh = pattern_compile(rules_of(ctx->def->user), escape, pattern, size);
    if (!fresh) {
        result_nomem(ctx);
    } else if (ctx->aux) {
        free(l);
        *ctx->aux = fresh;
        *ctx->aux_free = free;
    }
    return fresh;
}

// The escape character; 0: there is none, and what that means is in *ctx (NULL or an error).
static u32 escape_get(struct function_context *ctx, const struct value *v)
{
    struct value scratch = {.type = VALUE_NULL};
    u32 size, escape = 0;
    const u8 *z = function_text(ctx, v, &scratch, &size);
    if (z && utf8_length(z, size) != 1) {
        result_error(ctx, "ESCAPE expression must be a single character");
    } else if (z) {
        escape = utf8_read(&z, z + size);
    }
    value_deinit(&scratch);
    return escape;
}

static void like_run(struct function_context *ctx, const u8 *pattern, u32 pattern_size, const u8 *text, u32 size,
                     u32 escape)
{
    struct like_pattern *l = pattern_get(ctx, pattern, text_length(pattern, pattern_size), escape);
    if (!l) return;
    result_integer(ctx, like_match(l, text, size));
    if (!ctx->aux) free(l);
}

// like(pattern, text [, escape])
static void like_fn(struct function_context *ctx, u32 argc, const struct value **argv)
{
    if (LIKELY(argc == 2 && argv[0]->type == VALUE_TEXT && argv[1]->type == VALUE_TEXT && argv[0]->size <= FUNCTION_LENGTH_MIN)) {
        like_run(ctx, argv[0]->bytes, argv[0]->size, argv[1]->bytes, argv[1]->size, 0);
        return;
    }
    // As where SQLite is built with SQLITE_LIKE_DOESNT_MATCH_BLOBS, which it recommends: ranges of an index need not look
    // for blobs then.
    if (argv[0]->type == VALUE_BLOB || argv[1]->type == VALUE_BLOB) {
        result_integer(ctx, 0);
        return;
    }
    struct value scratch[2] = {{.type = VALUE_NULL}, {.type = VALUE_NULL}};
    u32 pattern_size = 0, size, escape = 0;
    const u8 *pattern = function_text(ctx, argv[0], &scratch[0], &pattern_size);
    if (pattern && pattern_size > function_limit(ctx, SKERRY_LIMIT_LIKE_PATTERN_LENGTH)) {
        result_error(ctx, "LIKE or GLOB pattern too complex");
        goto done;
    }
    if (argc == 3 && !(escape = escape_get(ctx, argv[2]))) goto done;
    const u8 *text = pattern ? function_text(ctx, argv[1], &scratch[1], &size) : NULL;
    if (text) like_run(ctx, pattern, pattern_size, text, size, escape);
done:
    value_deinit(&scratch[0]);
    value_deinit(&scratch[1]);
}

static bool like_quick(const void *kept, u32 constant, u32 argc, const struct value *arguments, struct value *out)
{
    u32 needed = argc == 3 ? 5 : 1; // the pattern and the escape
    if ((constant & needed) != needed || arguments[1].type != VALUE_TEXT) return false;
    value_set_integer(out, like_match(kept, arguments[1].bytes, arguments[1].size));
    return true;
}

const struct fn_def FN_LIKE_TABLE[] = {
    {"like", 2, FN_DETERMINISTIC | FN_LIKE, USER_LIKE, like_fn, .quick_scalar = like_quick},
    {"like", 3, FN_DETERMINISTIC | FN_LIKE, USER_LIKE, like_fn, .quick_scalar = like_quick},
    {"glob", 2, FN_DETERMINISTIC | FN_LIKE, USER_GLOB, like_fn, .quick_scalar = like_quick},
    {0},
};

const struct fn_def FN_LIKE_REPLACED[2][2] = {
    {{"like", 2, FN_LIKE, USER_LIKE, like_fn, .quick_scalar = like_quick}, {"like", 3, FN_LIKE, USER_LIKE, like_fn, .quick_scalar = like_quick}},
    {{"like", 2, FN_LIKE, USER_LIKE_CASE, like_fn, .quick_scalar = like_quick},
     {"like", 3, FN_LIKE, USER_LIKE_CASE, like_fn, .quick_scalar = like_quick}},
};
