#include "regexp.h"

#include "fn_internal.h"

enum regexp_op {
    OP_CHARACTER,  // a = it
    OP_ANY,
    OP_ANY_STAR,   // stays, whatever comes
    OP_SET,        // ranges[a .. a+b), inverted when c
    OP_CLASS,      // a = letter of \d \s \w and their opposites
    OP_SPLIT,      // to a and to b
    OP_JUMP,       // to a
    OP_START, OP_END, OP_BOUNDARY,
    OP_ACCEPT,
};

struct instruction {
    enum regexp_op op;
    u32 a, b;
    bool c;
};

struct range {
    u32 low, high;
};

enum { REGEXP_INSTRUCTIONS_MAX = 5000, REGEXP_REPEAT_MAX = 1000, REGEXP_DEPTH_MAX = 200 };

struct regexp {
    struct instruction *code;
    u32 count, capacity;
    struct range *ranges;
    u32 range_count, range_capacity;
    bool fold;
    u32 size;
    u8 *pattern;
};

struct compiler {
    struct regexp *r;
    const u8 *z, *end;
    const char *error;
    bool no_memory;
    u32 depth;
};

static bool failed(const struct compiler *c)
{
    return c->error || c->no_memory;
}

static bool fail(struct compiler *c, const char *error)
{
    if (!failed(c)) c->error = error;
    return false;
}

static u32 peek(const struct compiler *c)
{
    return c->z < c->end ? *c->z : 0;
}

static u32 fold(const struct regexp *r, u32 ch)
{
    return r->fold && ch < 0x80 ? ascii_lower((u8)ch) : ch;
}

static u32 emit(struct compiler *c, enum regexp_op op, u32 a, u32 b, bool inverted)
{
    struct regexp *r = c->r;
    if (failed(c)) return 0;
    if (r->count >= REGEXP_INSTRUCTIONS_MAX) {
        fail(c, "REGEXP pattern too big");
        return 0;
    }
    if (r->count == r->capacity) {
        u32 capacity = r->capacity * 2 + 32;
        struct instruction *grown = realloc(r->code, capacity * sizeof *grown);
        if (!grown) {
            c->no_memory = true;
            return 0;
        }
        r->code = grown;
        r->capacity = capacity;
    }
    r->code[r->count] = (struct instruction){op, a, b, inverted};
    return r->count++;
}

// Copies code[from..to) to the end; its jumps are all inside and move along.
static void copy_code(struct compiler *c, u32 from, u32 to)
{
    u32 shift = c->r->count - from;
    for (u32 i = from; i < to && !failed(c); i++) {
        struct instruction x = c->r->code[i];
        if (x.op == OP_SPLIT || x.op == OP_JUMP) x.a += shift;
        if (x.op == OP_SPLIT) x.b += shift;
        emit(c, x.op, x.a, x.b, x.c);
    }
}

// Makes room for one instruction at `at`.
static void insert_code(struct compiler *c, u32 at, enum regexp_op op)
{
    emit(c, OP_JUMP, 0, 0, false);
    if (failed(c)) return;
    struct instruction *code = c->r->code;
    memmove(code + at + 1, code + at, (c->r->count - 1 - at) * sizeof *code);
    for (u32 i = at + 1; i < c->r->count; i++) {
        if (code[i].op != OP_SPLIT && code[i].op != OP_JUMP) continue;
        if (code[i].a >= at) code[i].a++;
        if (code[i].op == OP_SPLIT && code[i].b >= at) code[i].b++;
    }
    code[at] = (struct instruction){.op = op};
}

static u32 hex_read(struct compiler *c, u32 digits)
{
    u32 v = 0;
    for (u32 i = 0; i < digits; i++, c->z++) {
        s32 h = c->z < c->end ? hex_digit(*c->z) : -1;
        if (h < 0) {
            fail(c, "unknown \\ escape");
            return 0;
        }
        v = v << 4 | (u32)h;
    }
    return v;
}

// The character behind a backslash, which is not the pattern's last.
static u32 escape_read(struct compiler *c)
{
    static const char NAMES[] = "afnrtv\\()*.+?[$^{|}]-/", VALUES[] = "\a\f\n\r\t\v\\()*.+?[$^{|}]-/";
    u8 ch = *c->z++;
    if (ch == 'u') return hex_read(c, 4);
    if (ch == 'x') return hex_read(c, 2);
    const char *at = ch ? strchr(NAMES, ch) : NULL;
    if (!at) {
        fail(c, "unknown \\ escape");
        return 0;
    }
    return (u8)VALUES[at - NAMES];
}

static void range_add(struct compiler *c, u32 low, u32 high)
{
    struct regexp *r = c->r;
    if (r->range_count == r->range_capacity) {
        u32 capacity = r->range_capacity * 2 + 16;
        struct range *grown = realloc(r->ranges, capacity * sizeof *grown);
        if (!grown) {
            c->no_memory = true;
            return;
        }
        r->ranges = grown;
        r->range_capacity = capacity;
    }
    r->ranges[r->range_count++] = (struct range){low, high};
}

static u32 set_character(struct compiler *c)
{
    u32 ch = utf8_read(&c->z, c->end);
    if (ch != '\\') return ch;
    if (c->z < c->end) return escape_read(c);
    fail(c, "unclosed '['");
    return 0;
}

static void parse_set(struct compiler *c)
{
    u32 first = c->r->range_count;
    bool inverted = peek(c) == '^';
    if (inverted) c->z++;
    bool any = false;
    while (!failed(c)) {
        if (c->z == c->end) {
            fail(c, "unclosed '['");
            return;
        }
        if (*c->z == ']' && any) break;
        if (*c->z == '[' && c->z + 1 < c->end && c->z[1] == ':') {
            fail(c, "POSIX character classes not supported");
            return;
        }
        any = true;
        u32 low = set_character(c), high = low;
        if (c->z + 1 < c->end && c->z[0] == '-' && c->z[1] != ']') {
            c->z++;
            high = set_character(c);
        }
        range_add(c, low, high);
    }
    c->z++;
    emit(c, OP_SET, first, c->r->range_count - first, inverted);
}

static void parse_alternatives(struct compiler *c);

static bool number_read(struct compiler *c, u32 *out)
{
    u32 n = 0, digits = 0;
    for (; c->z < c->end && is_digit(*c->z); c->z++, digits++) {
        n = n * 10 + (u32)(*c->z - '0');
        if (n > REGEXP_REPEAT_MAX) return fail(c, "REGEXP pattern too big");
    }
    *out = n;
    return digits > 0;
}

// x{m}, x{m,}, x{m,n}; code[from..) is x.
static void parse_repeat(struct compiler *c, u32 from)
{
    u32 least = 0, most = 0;
    bool open = false;
    number_read(c, &least);
    most = least;
    if (peek(c) == ',') {
        c->z++;
        open = !number_read(c, &most);
    }
    if (peek(c) != '}') {
        fail(c, "unmatched '{'");
        return;
    }
    c->z++;
    if (!open && most < least) {
        fail(c, "n less than m in '{m,n}'");
        return;
    }
    if (!open && most == 0) {
        fail(c, "both m and n are zero in '{m,n}'");
        return;
    }
    u32 to = c->r->count, size = to - from;
    for (u32 i = 1; i < least && !failed(c); i++) copy_code(c, from, to);
    if (open) {
        u32 last = c->r->count - size;
        if (least == 0) {
            insert_code(c, from, OP_SPLIT);
            emit(c, OP_JUMP, from, 0, false);
            if (failed(c)) return;
            c->r->code[from].a = from + 1;
            c->r->code[from].b = c->r->count;
        } else {
            u32 at = emit(c, OP_SPLIT, last, 0, false);
            if (!failed(c)) c->r->code[at].b = c->r->count;
        }
        return;
    }
    // The optional copies behind the needed ones; each may leave to the end, where the next begins.
    for (u32 i = MAX(least, 1); i < most && !failed(c); i++) {
        u32 at = emit(c, OP_SPLIT, 0, 0, false);
        copy_code(c, from, to);
        if (failed(c)) return;
        c->r->code[at].a = at + 1;
        c->r->code[at].b = c->r->count;
    }
    if (least == 0 && !failed(c)) {
        insert_code(c, from, OP_SPLIT);
        if (failed(c)) return;
        c->r->code[from].a = from + 1;
        c->r->code[from].b = c->r->count;
    }
}

static void parse_sequence(struct compiler *c)
{
    u32 previous = UINT32_MAX; // where the last operand starts
    while (c->z < c->end && !failed(c)) {
        u32 here = c->r->count;
        u32 ch = utf8_read(&c->z, c->end);
        switch (ch) {
        case '|':
        case ')': c->z--; return;
        case '(':
            if (++c->depth > REGEXP_DEPTH_MAX) {
                fail(c, "REGEXP pattern too big");
                return;
            }
            parse_alternatives(c);
            c->depth--;
            if (peek(c) != ')') {
                fail(c, "unmatched '('");
                return;
            }
            c->z++;
            previous = here;
            continue;
        case '.':
            if (peek(c) == '*') {
                c->z++;
                emit(c, OP_ANY_STAR, 0, 0, false);
                previous = UINT32_MAX;
                continue;
            }
            emit(c, OP_ANY, 0, 0, false);
            break;
        case '^': emit(c, OP_START, 0, 0, false); break;
        case '$': emit(c, OP_END, 0, 0, false); break;
        case '[': parse_set(c); break;
        case '*':
        case '+':
        case '?':
            if (previous == UINT32_MAX) {
                fail(c, ch == '*' ? "'*' without operand" : ch == '+' ? "'+' without operand" : "'?' without operand");
                return;
            }
            if (ch == '+') {
                u32 at = emit(c, OP_SPLIT, previous, 0, false);
                if (!failed(c)) c->r->code[at].b = c->r->count;
                continue;
            }
            insert_code(c, previous, OP_SPLIT);
            if (ch == '*') emit(c, OP_JUMP, previous, 0, false);
            if (failed(c)) return;
            c->r->code[previous].a = previous + 1;
            c->r->code[previous].b = c->r->count;
            continue;
        case '{':
            if (previous == UINT32_MAX) {
                fail(c, "'{m,n}' without operand");
                return;
            }
            parse_repeat(c, previous);
            continue;
        case '\\': {
            u32 class = peek(c);
            if (c->z == c->end) {
                emit(c, OP_END, 0, 0, false); // SQLite's: it escapes the end
            } else if (class && strchr("bdDsSwW", (int)class)) {
                c->z++;
                emit(c, class == 'b' ? OP_BOUNDARY : OP_CLASS, class, 0, false);
            } else {
                emit(c, OP_CHARACTER, fold(c->r, escape_read(c)), 0, false);
            }
            break;
        }
        default: emit(c, OP_CHARACTER, fold(c->r, ch), 0, false); break;
        }
        previous = here;
    }
}

static void parse_alternatives(struct compiler *c)
{
    u32 start = c->r->count;
    parse_sequence(c);
    while (peek(c) == '|' && !failed(c)) {
        c->z++;
        // start: split to the first and to the rest; the first ends in a jump behind the rest.
        insert_code(c, start, OP_SPLIT);
        u32 jump = emit(c, OP_JUMP, 0, 0, false);
        if (failed(c)) return;
        c->r->code[start].a = start + 1;
        c->r->code[start].b = c->r->count;
        parse_sequence(c);
        if (failed(c)) return;
        c->r->code[jump].a = c->r->count;
    }
}

struct regexp *regexp_compile(const u8 *pattern, u32 size, bool fold_case, const char **error)
{
    *error = NULL;
    struct regexp *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    struct compiler c = {.r = r, .z = pattern, .end = pattern + size};
    r->fold = fold_case;
    r->pattern = malloc(size + 1);
    if (!r->pattern) {
        regexp_free(r);
        return NULL;
    }
    if (size) memcpy(r->pattern, pattern, size);
    r->size = size;
    emit(&c, OP_ANY_STAR, 0, 0, false);
    parse_alternatives(&c);
    if (!failed(&c) && c.z < c.end) fail(&c, "unrecognized character");
    emit(&c, OP_ACCEPT, 0, 0, false);
    if (failed(&c)) {
        *error = c.error;
        regexp_free(r);
        return NULL;
    }
    return r;
}

void regexp_free(struct regexp *r)
{
    if (!r) return;
    free(r->code);
    free(r->ranges);
    free(r->pattern);
    free(r);
}

bool regexp_is(const struct regexp *r, const u8 *pattern, u32 size)
{
    return r->size == size && memcmp(r->pattern, pattern, size) == 0;
}

// ---- matching ------------------------------------------------------------------------------------------

static bool word(u32 c)
{
    return (c < 0x80 && (is_digit((u8)c) || (u8)((c | 0x20) - 'a') < 26)) || c == '_';
}

static bool class_has(u32 class, u32 c)
{
    switch (class | 0x20) {
    case 'd': return (c - '0' < 10) == (class == 'd');
    case 's': return (c < 0x80 && is_space((u8)c)) == (class == 's');
    default: return word(c) == (class == 'w');
    }
}

static bool set_has(const struct regexp *r, const struct instruction *x, u32 c)
{
    bool found = false;
    for (u32 i = 0; i < x->b && !found; i++) {
        struct range g = r->ranges[x->a + i];
        found = (c >= g.low && c <= g.high);
        // Without case a letter is in the set when either of its cases is.
        if (!found && r->fold && c < 0x80 && (u8)((c | 0x20) - 'a') < 26) {
            found = (c ^ 0x20) >= g.low && (c ^ 0x20) <= g.high;
        }
    }
    return found != x->c;
}

// A set of places in the code, in order of arrival.
struct places {
    u32 count;
    u32 *list;
    u32 *mark; // mark[i] == stamp: i is in the set
};

struct matcher {
    const struct regexp *r;
    u32 stamp;
    u32 *stack;
    u32 previous, next; // the characters around this point; NO_CHARACTER at the ends
};
#define NO_CHARACTER UINT32_MAX

// Adds a place and all that it leads to without reading; true when that accepts.
static bool places_add(struct matcher *m, struct places *set, u32 place)
{
    u32 depth = 0;
    m->stack[depth++] = place;
    while (depth) {
        u32 i = m->stack[--depth];
        if (set->mark[i] == m->stamp) continue;
        set->mark[i] = m->stamp;
        const struct instruction *x = &m->r->code[i];
        switch (x->op) {
        case OP_ACCEPT: return true;
        case OP_JUMP: m->stack[depth++] = x->a; break;
        case OP_SPLIT:
            m->stack[depth++] = x->a;
            m->stack[depth++] = x->b;
            break;
        case OP_START:
            if (m->previous == NO_CHARACTER) m->stack[depth++] = i + 1;
            break;
        case OP_END:
            if (m->next == NO_CHARACTER) m->stack[depth++] = i + 1;
            break;
        case OP_BOUNDARY:
            if ((m->previous != NO_CHARACTER && word(m->previous)) != (m->next != NO_CHARACTER && word(m->next))) {
                m->stack[depth++] = i + 1;
            }
            break;
        case OP_ANY_STAR:
            set->list[set->count++] = i;
            m->stack[depth++] = i + 1;
            break;
        case OP_CHARACTER:
        case OP_ANY:
        case OP_SET:
        case OP_CLASS: set->list[set->count++] = i; break;
        }
    }
    return false;
}

bool regexp_match(const struct regexp *r, const u8 *text, u32 size, bool *no_memory)
{
    // Two lists, two mark arrays, and a stack on which each instruction is at most twice.
    u32 *room = calloc((size_t)r->count * 6 + 2, sizeof *room);
    *no_memory = !room;
    if (!room) return false;
    struct places now = {0, room, room + r->count}, then = {0, room + 2 * r->count, room + 3 * r->count};
    struct matcher m = {.r = r, .stamp = 1, .stack = room + 4 * r->count, .previous = NO_CHARACTER};
    const u8 *z = text, *end = text + size;
    const u8 *ahead = z;
    m.next = z < end ? utf8_read(&ahead, end) : NO_CHARACTER;
    bool accepted = places_add(&m, &now, 0);
    while (!accepted && m.next != NO_CHARACTER && now.count) {
        u32 c = m.next, folded = fold(r, c);
        z = ahead;
        m.previous = c;
        m.next = z < end ? utf8_read(&ahead, end) : NO_CHARACTER;
        m.stamp++;
        then.count = 0;
        for (u32 i = 0; i < now.count && !accepted; i++) {
            u32 place = now.list[i];
            const struct instruction *x = &r->code[place];
            bool reads = x->op == OP_ANY || (x->op == OP_CHARACTER && x->a == folded) ||
                         (x->op == OP_SET && set_has(r, x, c)) || (x->op == OP_CLASS && class_has(x->a, c));
            if (x->op == OP_ANY_STAR) accepted = places_add(&m, &then, place);
            if (reads) accepted = places_add(&m, &then, place + 1);
        }
        struct places swap = now;
        now = then;
        then = swap;
    }
    free(room);
    return accepted;
}
