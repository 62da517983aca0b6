// EXPLAIN QUERY PLAN: a line for each loop, in SQLite's words.
#include "../fts/fts_table.h"
#include "where.h"

const char *index_column_name(const struct where_index *x, int i)
{
    int column = x->columns[i];
    if (column == COLUMN_EXPR) return "<expr>";
    if (column == COLUMN_ROWID) return "rowid";
    return x->table->columns[column].name;
}

struct text {
    char bytes[800];
    u32 size;
};
static void text_add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void text_add(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(t->bytes + t->size, sizeof t->bytes - t->size, format, args);
    va_end(args);
    t->size += (u32)n;
    if (t->size >= sizeof t->bytes) t->size = sizeof t->bytes - 1;
}

// The number that SQLite's functions give a plan: a bit for each argument, and generate_series one for each bound.
static u32 function_plan(const struct source *s, const struct where_loop *loop)
{
    static const struct {
        u16 operators;
        u32 bit;
    } bounds[] = {{WO_EQ, 0x80}, {WO_GE, 0x100}, {WO_GT, 0x200}, {WO_LE, 0x1000}, {WO_LT, 0x2000}};
    u32 arguments = 0, plan = 0;
    for (u32 i = 0; i < loop->term_count; i++) {
        const struct where_term *t = loop->terms[i];
        if (s->table->columns[t->left_column].flags & COLUMN_HIDDEN) {
            arguments++;
            continue;
        }
        for (u32 k = 0; k < COUNT_OF(bounds); k++)
            if (t->operators & bounds[k].operators) plan |= bounds[k].bit;
    }
    return plan | ((1u << arguments) - 1);
}

static void explain_range_term(struct text *t, const struct where_index *x, int count, int from, bool and, const char *op)
{
    if (and) text_add(t, " AND ");
    if (count > 1) text_add(t, "(");
    for (int i = 0; i < count; i++) text_add(t, "%s%s", i ? "," : "", index_column_name(x, from + i));
    if (count > 1) text_add(t, ")");
    text_add(t, "%s", op);
    if (count > 1) text_add(t, "(");
    for (int i = 0; i < count; i++) text_add(t, "%s?", i ? "," : "");
    if (count > 1) text_add(t, ")");
}

static void explain_index_range(struct text *t, const struct where_loop *loop)
{
    const struct where_index *x = loop->index;
    int eq = loop->eq_count;
    if (eq == 0 && !(loop->flags & (LOOP_BOTTOM | LOOP_TOP))) return;
    text_add(t, " (");
    int i;
    for (i = 0; i < eq; i++) {
        if (i) text_add(t, " AND ");
        text_add(t, i >= loop->skip_count ? "%s=?" : "ANY(%s)", index_column_name(x, i));
    }
    int j = i;
    if (loop->flags & LOOP_BOTTOM) {
        explain_range_term(t, x, loop->bottom_count, j, i, ">");
        i = 1;
    }
    if (loop->flags & LOOP_TOP) explain_range_term(t, x, loop->top_count, j, i, "<");
    text_add(t, ")");
}

void source_label(const struct source *s, char *out, size_t size)
{
    if (s->alias) snprintf(out, size, "%s", s->alias);
    else if (s->name) snprintf(out, size, "%s%s%s", s->schema_name ? s->schema_name : "", s->schema_name ? "." : "", s->name);
    else if (s->select && s->select->flags & SELECT_F_NESTED_FROM) snprintf(out, size, "(join-%u)", s->select->id);
    else if (s->select) snprintf(out, size, "(subquery-%u)", s->select->id);
    else snprintf(out, size, "%s", s->table ? s->table->name : "");
}

// The level's line; empty: it has none.
static void level_describe(const struct where_info *w, const struct where_level *level, struct text *t)
{
    const struct where_loop *loop = level->loop;
    const struct source *s = &w->sources->items[level->source];
    if (loop->flags & LOOP_MULTI_OR) return;
    u32 flags = w->flags;
    bool search = loop->flags & (LOOP_BOTTOM | LOOP_TOP) || (!(loop->flags & LOOP_VIRTUAL) && loop->eq_count > 0) ||
                  flags & (WHERE_ORDER_BY_MIN | WHERE_ORDER_BY_MAX);
    char name[300];
    source_label(s, name, sizeof name);
    text_add(t, "%s %s", search ? "SEARCH" : "SCAN", name);
    if (!(loop->flags & (LOOP_ROWID | LOOP_VIRTUAL))) {
        const struct where_index *x = loop->index;
        const char *kind = NULL;
        if (x->kind == WHERE_INDEX_PRIMARY) kind = search ? "PRIMARY KEY" : NULL;
        else if (loop->flags & LOOP_PARTIAL) kind = "AUTOMATIC PARTIAL COVERING INDEX";
        else if (loop->flags & LOOP_AUTO_INDEX) kind = "AUTOMATIC COVERING INDEX";
        else if (loop->flags & (LOOP_INDEX_ONLY | LOOP_EXPR_INDEX)) kind = "COVERING INDEX ";
        else kind = "INDEX ";
        if (kind) {
            text_add(t, " USING %s%s", kind, kind[strlen(kind) - 1] == ' ' ? x->name : "");
            explain_index_range(t, loop);
        }
    } else if (loop->flags & LOOP_ROWID && loop->flags & LOOP_CONSTRAINT) {
        text_add(t, " USING INTEGER PRIMARY KEY (rowid");
        if (loop->flags & (LOOP_COLUMN_EQ | LOOP_COLUMN_IN)) text_add(t, "=?)");
        else if ((loop->flags & LOOP_BOTH) == LOOP_BOTH) text_add(t, ">? AND rowid<?)");
        else text_add(t, loop->flags & LOOP_BOTTOM ? ">?)" : "<?)");
    } else if (loop->flags & LOOP_VIRTUAL && s->table->fts) {
        text_add(t, " VIRTUAL TABLE INDEX %u:", (loop->fts_plan & FTS_PLAN_BY_RANK ? 32u : 0) + (loop->fts_plan & FTS_PLAN_IN_ORDER ? 64u : 0) +
                                                   (loop->fts_plan & FTS_PLAN_DOWN ? 128u : 0));
        for (u32 i = 0; i < loop->term_count; i++) {
            u32 kind = where_fts_kind(s, loop->terms[i]);
            s32 pattern = where_fts_pattern(loop->terms[i]);
            if (kind == FTS_PLAN_MATCH)
                text_add(t, "%c%d", !pattern ? 'M' : pattern == FTS_MATCH_LIKE ? 'L' : 'G', loop->terms[i]->left_column);
            else
                text_add(t, kind == FTS_PLAN_RANK ? "r" : kind == FTS_PLAN_ROWID_EQ ? "=" : kind & FTS_PLAN_ROWID_LOW ? ">" : "<");
        }
    } else if (loop->flags & LOOP_VIRTUAL && s->table->dbstat) {
        text_add(t, " VIRTUAL TABLE INDEX 0x%x:", loop->fts_plan);
    } else if (loop->flags & LOOP_VIRTUAL && s->table->vocab) {
        text_add(t, " VIRTUAL TABLE INDEX %u:", loop->fts_plan);
    } else if (loop->flags & LOOP_VIRTUAL) {
        text_add(t, " VIRTUAL TABLE INDEX %u:", s->table->pragma ? 0 : function_plan(s, loop));
    }
    if (s->join & JOIN_LEFT || s->left_of_or) text_add(t, " LEFT-JOIN");
}

void where_level_explain(struct where_info *w, struct where_level *level)
{
    struct text t = {.size = 0};
    if (!w->c->explain_query_plan) return;
    level_describe(w, level, &t);
    if (t.size) level->explained = explain_row(w->c, "%s", t.bytes);
}

void where_level_explain_again(struct where_info *w, struct where_level *level)
{
    struct text t = {.size = 0};
    if (!level->explained) return;
    level_describe(w, level, &t);
    program_p4_text(w->c->program, level->explained, t.bytes, -1);
}
