// A statement's text with the values of its parameters.
#include <inttypes.h>

#include "sql/token.h"
#include "vm/statement.h"

struct expanded {
    char *text;
    size_t size, capacity, size_max;
    bool failed;
};

static void add(struct expanded *x, const void *bytes, size_t size)
{
    if (x->failed || size > x->size_max - x->size) {
        x->failed = true;
        return;
    }
    if (x->size + size >= x->capacity) {
        size_t capacity = (x->size + size + 1) * 2;
        char *grown = realloc(x->text, capacity);
        if (!grown) {
            x->failed = true;
            return;
        }
        x->text = grown;
        x->capacity = capacity;
    }
    memcpy(x->text + x->size, bytes, size);
    x->size += size;
}

static void add_value(struct expanded *x, const struct value *v)
{
    char number[64];
    switch ((enum value_type)v->type) {
    case VALUE_NULL: add(x, "NULL", 4); return;
    case VALUE_INTEGER: add(x, number, integer_to_text(v->integer, number)); return;
    case VALUE_REAL: add(x, number, real_to_text(v->real, number)); return;
    case VALUE_TEXT:
        add(x, "'", 1);
        for (u32 i = 0, from = 0; i <= v->size; i++) {
            if (i < v->size && v->bytes[i] != '\'') continue;
            add(x, v->bytes + from, i - from);
            if (i < v->size) add(x, "''", 2);
            from = i + 1;
        }
        add(x, "'", 1);
        return;
    case VALUE_BLOB:
        if (v->flags & VALUE_ZERO_TAIL && !v->size) {
            add(x, number, (size_t)snprintf(number, sizeof number, "zeroblob(%" PRIu32 ")", v->zero_count));
            return;
        }
        add(x, "x'", 2);
        for (u32 i = 0; i < v->size; i++) add(x, number, (size_t)snprintf(number, sizeof number, "%02x", v->bytes[i]));
        for (u32 i = 0; v->flags & VALUE_ZERO_TAIL && i < v->zero_count; i++) add(x, "00", 2);
        add(x, "'", 1);
        return;
    }
}

// The number of a parameter as it is written.
static u32 parameter_number(const struct skerry_stmt *s, const char *token, u32 size, u32 next)
{
    if (token[0] == '?') return size > 1 ? (u32)strtoul(token + 1, NULL, 10) : next;
    const struct program *p = s->program;
    for (u32 i = 0; i < p->named_parameter_count; i++) {
        const char *name = p->parameters[i].name;
        if (name && strlen(name) == size && memcmp(name, token, size) == 0) return p->parameters[i].number;
    }
    return 0;
}

char *skerry_sql_expanded(const struct skerry_stmt *s)
{
    struct expanded x = {.size_max = (size_t)s->db->limits[SKERRY_LIMIT_LENGTH]};
    const char *at = s->sql;
    u32 next = 1, size;
    enum token_kind kind;
    add(&x, "", 0);
    for (; (size = token_scan(at, &kind)); at += size) {
        u32 number = kind == TOKEN_VARIABLE ? parameter_number(s, at, size, next) : 0;
        if (number >= 1 && number <= s->program->parameter_count) {
            add_value(&x, &s->parameters[number]);
            next = MAX(next, number + 1);
        } else {
            add(&x, at, size);
        }
    }
    if (x.failed) {
        free(x.text);
        return NULL;
    }
    x.text[x.size] = 0;
    return x.text;
}
