// Ranges of an index that LIKE and GLOB with a known beginning ask for.
#include "../fn/fn.h"
#include "where.h"

// "x LIKE 'abc%'": the prefix before the first wildcard, when there is one an index can use.
static bool like_prefix(struct compile *c, struct expr *e, struct expr **left_out, const char **prefix_out, u32 *prefix_size,
                        bool *complete, bool *no_case)
{
    if (e->kind != EXPR_FUNCTION || !(e->flags & EXPR_F_INFIX) || !e->list || !e->function ||
        !(e->function->flags & FN_LIKE))
        return false;
    bool glob = name_equal(e->text, "glob");
    if (!glob && !name_equal(e->text, "like")) return false;
    char all = glob ? '*' : '%', one = glob ? '?' : '_', set = glob ? '[' : 0;
    u32 escape = 0;
    if (e->list->count > 2) {
        const struct expr *x = e->list->items[2].expr;
        if (x->kind != EXPR_TEXT || x->text_size != 1 || x->text[0] == all || x->text[0] == one) return false;
        escape = (u8)x->text[0];
    }
    // What is between two texts by the bytes of UTF-16LE is so by the characters only where these are ASCII, and what begins otherwise
    // may be between them too; in UTF-16BE, surrogates are before other characters.
    const bool little = connection_encoding(c->db) == 2, big = connection_encoding(c->db) == 3;
    *no_case = !glob && !compile_connection_flag(c, CONNECTION_CASE_SENSITIVE_LIKE);
    struct expr *left = e->list->items[1].expr;
    struct expr *right = expr_skip_collate(e->list->items[0].expr);
    if (right->kind != EXPR_TEXT) return false;
    const u8 *z = (const u8 *)right->text;
    u32 n = right->text_size, count = 0;
    while (count < n && z[count] && z[count] != (u8)all && z[count] != (u8)one && (!set || z[count] != (u8)set)) {
        u8 ch = z[count];
        if (ch >= (little ? 0x80 : big ? 0xed : 0x100)) break;
        count++;
        if (ch == escape && escape && count < n && z[count]) count++;
        else if (ch >= 0x80) {
            // Ranges of half a character compare badly.
            while (count < n && (z[count] & 0xc0) == 0x80) count++;
        }
    }
    if (count == 0 || (count < n && (u8)z[count - 1] == 255) || (count <= 1 && z[0] == escape && escape)) return false;
    *complete = count < n && z[count] == (u8)all && count + 1 == n && !little;
    char *prefix = arena_alloc(c->arena, count + 1);
    u32 to = 0;
    for (u32 from = 0; from < count; from++) {
        if (escape && z[from] == escape) from++;
        prefix[to++] = (char)z[from];
    }
    // A prefix that looks like a number can only be used on a text column.
    bool text_column = expr_stands_for_column(left) && expr_affinity(left) == AFFINITY_TEXT &&
                       left->table && left->table->kind != TABLE_VIRTUAL;
    if (!text_column) {
        struct number_text number = number_parse((const u8 *)prefix, to);
        bool numeric = number.kind != NUMBER_NONE && number.whole;
        if (!numeric && to == 1 && prefix[0] == '-') numeric = true;
        if (!numeric && to > 0) {
            // The prefix with its last byte increased must not be one either.
            char last = prefix[to - 1];
            prefix[to - 1]++;
            number = number_parse((const u8 *)prefix, to);
            numeric = number.kind != NUMBER_NONE && number.whole;
            prefix[to - 1] = last;
        }
        if (numeric) return false;
    }
    *left_out = left;
    *prefix_out = prefix;
    *prefix_size = to;
    return true;
}

static struct expr *text_literal(struct compile *c, const char *text, u32 size)
{
    struct expr *e = expr_new(c->arena, EXPR_TEXT, OFFSET_NONE);
    e->text = arena_copy(c->arena, text, size);
    e->text_size = size;
    return e;
}

void where_like_analyze(struct where_clause *wc, int at)
{
    struct compile *c = wc->info->c;
    struct where_term *term = wc->terms[at];
    struct expr *e = term->expr, *left;
    const char *prefix;
    u32 size;
    bool complete, no_case;
    if (!like_prefix(c, e, &left, &prefix, &size, &complete, &no_case)) return;
    char *low = arena_copy(c->arena, prefix, size), *high = arena_copy(c->arena, prefix, size);
    if (no_case) {
        for (u32 i = 0; i < size; i++) {
            if (low[i] >= 'a' && low[i] <= 'z') low[i] = (char)(low[i] - 32);
            if (high[i] >= 'A' && high[i] <= 'Z') high[i] = (char)(high[i] + 32);
        }
    }
    // The upper bound: the last character increased.
    u8 *last = (u8 *)&high[size - 1];
    if (no_case) {
        if (*last == 'A' - 1) complete = false;
        if (*last >= 'A' && *last <= 'Z') *last = (u8)(*last + 32);
    }
    if (*last == 0xff) return;
    // A multi-byte character's last byte may carry.
    u32 i = size;
    while (i > 1 && (u8)high[i - 1] == 0xbf) {
        high[i - 1] = (char)0x80;
        i--;
    }
    high[i - 1] = (char)(high[i - 1] + 1);
    const char *collation = no_case ? "NOCASE" : "BINARY";
    struct expr *x1 = expr_new(c->arena, EXPR_COLLATE, OFFSET_NONE);
    x1->left = expr_copy(c->arena, left);
    x1->text = collation;
    x1->text_size = (u32)strlen(collation);
    expr_summarize(x1);
    struct expr *ge = expr_binary(c->arena, EXPR_GE, x1, text_literal(c, low, size));
    where_copy_join_marks(ge, e);
    u16 flags = TERM_LIKE_OPT | TERM_VIRTUAL;
    where_term_add(wc, ge, flags);
    int first = wc->count - 1;
    where_term_analyze(wc, first);
    struct expr *x2 = expr_copy(c->arena, x1);
    struct expr *lt = expr_binary(c->arena, EXPR_LT, x2, text_literal(c, high, size));
    where_copy_join_marks(lt, e);
    where_term_add(wc, lt, flags);
    int second = wc->count - 1;
    where_term_analyze(wc, second);
    if (complete) {
        where_term_mark_child(wc, first, at);
        where_term_mark_child(wc, second, at);
    }
}
