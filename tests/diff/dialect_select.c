#include "dialect.h"

// Tables of queries: subqueries and common table expressions.
static struct dialect_table locals[200];
static u32 local_count;
static const struct dialect_table each_table = {
    .columns = {"key", "value", "type", "atom", "fullkey", "path"}, .count = 6, .view = true};
static const struct dialect_table info_table = {
    .columns = {"cid", "name", "type", "pk"}, .count = 4, .view = true};
static const struct dialect_table values_table = {.columns = {"column1", "column2"}, .count = 2, .view = true};

static struct dialect_table *local_new(struct dialect *d, u32 columns)
{
    struct dialect_table *t = &locals[local_count++ % COUNT_OF(locals)];
    *t = (struct dialect_table){.count = columns, .view = true};
    for (u32 i = 0; i < columns; i++) snprintf(t->columns[i], sizeof t->columns[i], "c%u", i);
    return t;
}

static void scope_add(struct dialect *d, const char *name, const struct dialect_table *t)
{
    if (d->scope_count == DIALECT_SCOPE) return;
    struct dialect_source *s = &d->scope[d->scope_count++];
    s->table = t;
    memmove(s->name, name, strnlen(name, sizeof s->name - 1) + 1);
}

// A query in FROM or WITH, which sees nothing of its neighbours.
static void select_apart(struct dialect *d, int depth, u32 columns)
{
    struct dialect_source scope[DIALECT_SCOPE];
    u32 count = d->scope_count;
    bool ordered;
    memcpy(scope, d->scope, sizeof scope);
    d->scope_count = 0;
    dialect_select(d, depth, columns, &ordered);
    memcpy(d->scope, scope, sizeof scope);
    d->scope_count = count;
}

// A query in FROM of another that sees what is around it, but for columns of queries: what names one there has its affinity or none,
// as SQLite takes the query in between apart or does not.
static void core(struct dialect *d, int depth, u32 columns, bool scalar);
static void core_within(struct dialect *d, int depth, u32 columns)
{
    struct dialect_source scope[DIALECT_SCOPE];
    const u32 count = d->scope_count;
    memcpy(scope, d->scope, sizeof scope);
    d->scope_count = 0;
    for (u32 i = 0; i < count; i++)
        if (!scope[i].table->view) d->scope[d->scope_count++] = scope[i];
    core(d, depth, columns, false);
    memcpy(d->scope, scope, sizeof scope);
    d->scope_count = count;
}

static void values(struct dialect *d, u32 columns)
{
    dialect_add(d, "VALUES ");
    for (u32 i = 1 + dialect_pick(d, 3); i; i--) {
        dialect_add(d, "(");
        for (u32 k = 0; k < columns; k++) {
            if (k) dialect_add(d, ", ");
            dialect_value(d);
        }
        dialect_add(d, i > 1 ? "), " : ")");
    }
}

bool dialect_has_pattern(const struct dialect *d, size_t from)
{
    const char *text = d->text + from;
    if (strstr(text, " LIKE ") || strstr(text, " GLOB ")) return true;
    for (u32 i = 0; i < d->table_count; i++) {
        char name[40];
        snprintf(name, sizeof name, "%s AS ", d->tables[i].name);
        if (d->tables[i].pattern && strstr(text, name)) return true;
    }
    return false;
}

static void indexed_by(struct dialect *d, const struct dialect_table *t)
{
    for (u32 i = 0; i < MIN(d->index_count, COUNT_OF(d->indexes)); i++)
        if (strcmp(d->indexes[i].table, t->name) == 0) {
            dialect_add(d, " INDEXED BY %s", d->indexes[i].name);
            return;
        }
}

const struct dialect_table *dialect_source_add(struct dialect *d, int depth)
{
    char alias[24];
    snprintf(alias, sizeof alias, "q%u", d->alias_count++);
    const struct dialect_table *t;
    u32 kind = dialect_pick(d, 22);
    // Before 3.45 rows of json_each have other ids.
    if (kind == 20 && d->scope_count && d->newest) {
        dialect_add(d, "%s(json_array(", dialect_chance(d, 50) ? "json_each" : "json_tree");
        dialect_column(d);
        dialect_add(d, ", 'x')) AS %s", alias);
        t = &each_table;
    } else if (kind == 21 || (!d->newest && (!d->table_count || kind == 0))) {
        dialect_add(d, "(");
        values(d, 2);
        dialect_add(d, ") AS %s", alias);
        t = &values_table;
    } else if (!d->table_count || kind == 0) {
        dialect_add(d, "%s(%s) AS %s", dialect_chance(d, 50) ? "json_each" : "json_tree",
                    dialect_chance(d, 50) ? "'[1,\"a\",[2],{\"k\":null}]'" : "'{\"a\":1,\"b\":{\"c\":[true]}}'", alias);
        t = &each_table;
    } else if (kind == 1 && !d->in_trigger_new && !d->in_trigger_old) {
        const struct dialect_table *of = &d->tables[dialect_pick(d, d->table_count)];
        if (of->view) of = &info_table; // a view may fail, now or later
        dialect_add(d, "pragma_table_info('%s') AS %s", of->name, alias);
        t = &info_table;
    } else if (kind < 5 && depth > 0) {
        u32 columns = 1 + dialect_pick(d, 3);
        dialect_add(d, "(");
        select_apart(d, depth - 1, columns);
        dialect_add(d, ") AS %s", alias);
        t = local_new(d, columns);
    } else {
        t = &d->tables[dialect_pick(d, d->table_count)];
        for (u32 i = 0; i < d->table_count && d->no_pattern && t->pattern; i++) t = &d->tables[i];
        dialect_add(d, "%s AS %s", dialect_table_name(d, t, false), alias);
        if (dialect_chance(d, 2)) dialect_add(d, " NOT INDEXED");
        else if (dialect_chance(d, 5)) indexed_by(d, t);
    }
    scope_add(d, alias, t);
    return t;
}

static void from(struct dialect *d, int depth, bool inner);

// inner: within the parentheses of a join.
static void source(struct dialect *d, int depth, bool inner)
{
    if (inner || !d->newest || !dialect_chance(d, 4)) {
        dialect_source_add(d, depth);
        return;
    }
    const bool before = d->no_pattern;
    d->no_pattern = true;
    dialect_add(d, "(");
    from(d, depth, true);
    dialect_add(d, ")");
    d->no_pattern = before;
}

static void from(struct dialect *d, int depth, bool inner)
{
    static const char *const joins[] = {", ", " JOIN ", " LEFT JOIN ", " INNER JOIN ", " CROSS JOIN ", " NATURAL JOIN ",
                                        " NATURAL LEFT JOIN ", " RIGHT JOIN ", " FULL JOIN ", " LEFT OUTER JOIN "};
    u32 first = d->scope_count;
    source(d, depth, inner);
    for (u32 i = inner ? 1 : dialect_chance(d, 55) ? 0 : 1 + dialect_pick(d, 2); i; i--) {
        u32 j = dialect_pick(d, d->newest ? COUNT_OF(joins) : 7);
        dialect_add(d, "%s", joins[j]);
        const bool before = d->no_pattern;
        d->no_pattern |= !d->concat && (j == 2 || j >= 6);
        source(d, depth, inner);
        d->no_pattern = before;
        if (j == 0 || j == 4 || j == 5 || j == 6) continue;
        if (dialect_chance(d, 20)) {
            const struct dialect_source *a = &d->scope[first], *b = &d->scope[d->scope_count - 1];
            const char *name = a->table->columns[dialect_pick(d, a->table->count)];
            for (u32 k = 0; k < b->table->count; k++)
                if (strcmp(b->table->columns[k], name) == 0) {
                    dialect_add(d, " USING(%s)", name);
                    name = NULL;
                    break;
                }
            if (!name) continue;
        }
        if (dialect_chance(d, 90)) {
            dialect_add(d, " ON ");
            d->no_pattern |= !d->concat && (j == 2 || j > 6);
            dialect_condition(d, depth);
            d->no_pattern = before;
        }
    }
}

// An order of the rows of the sources that leaves nothing open.
static void total_order(struct dialect *d, u32 first)
{
    bool any = false;
    for (u32 i = first; i < d->scope_count; i++) {
        const struct dialect_source *s = &d->scope[i];
        for (u32 k = 0; k < s->table->count; k++) {
            dialect_add(d, "%squote(%s.%s)", any ? ", " : "", s->name, s->table->columns[k]);
            any = true;
        }
        if (dialect_has_rowid(s)) dialect_add(d, ", %s.rowid", s->name);
    }
}

static void aggregate(struct dialect *d, int depth, bool window)
{
    static const char *const names[] = {"count", "sum", "total", "avg", "min", "max"};
    u32 n = dialect_pick(d, d->newest && !window ? 8 : 7);
    if (n < 6) {
        dialect_add(d, "%s(%s", names[n], !window && dialect_chance(d, 15) ? "DISTINCT " : "");
        dialect_expr(d, depth);
        dialect_add(d, ")");
    } else if (n == 6) {
        dialect_add(d, "count(*)");
    } else {
        static const char *const lists[] = {"group_concat", "string_agg", "json_group_array", "json(jsonb_group_array", "json_group_object"};
        const char *list = dialect_one(d, lists);
        size_t at = d->size;
        dialect_add(d, "%s(%s", list, strstr(list, "object") ? "'k', " : "");
        size_t start = d->size;
        dialect_expr(d, 1);
        char piece[2000];
        snprintf(piece, sizeof piece, "%.*s", (int)MIN(d->size - start, sizeof piece - 1), d->text + start);
        if (d->size - start >= sizeof piece) {
            d->size = at;
            dialect_add(d, "count(*)");
            return;
        }
        if (list[0] != 'j') dialect_add(d, ", '/'");
        dialect_add(d, " ORDER BY quote(%s))", piece);
        if (strchr(list, '(')) {
            dialect_add(d, ")"); // of no rows SQLite 3.50 makes text
            return;
        }
    }
    // 3.40 forgets the condition of min and max in frames.
    if (dialect_chance(d, 15) && (d->newest || !window)) {
        dialect_add(d, " FILTER (WHERE ");
        dialect_condition(d, 1);
        dialect_add(d, ")");
    }
}

static void window_function(struct dialect *d, u32 first)
{
    static const char *const ranked[] = {"rank()", "dense_rank()", "percent_rank()", "cume_dist()"};
    static const char *const placed[] = {"row_number()", "ntile(3)", "lag(%s)", "lead(%s, 2)", "first_value(%s)", "last_value(%s)",
                                         "nth_value(%s, 2)", "lag(%s, 1, 'none')", "group_concat(quote(%s))", "json_group_array(%s)"};
    static const char *const bounds[] = {"UNBOUNDED PRECEDING", "2 PRECEDING", "CURRENT ROW", "1 FOLLOWING", "UNBOUNDED FOLLOWING",
                                         "0 PRECEDING", "0.5 PRECEDING"};
    static const char *const exclude[] = {"EXCLUDE NO OTHERS", "EXCLUDE CURRENT ROW", "EXCLUDE GROUP", "EXCLUDE TIES"};
    bool total = dialect_chance(d, 60), named = d->window[0] && dialect_chance(d, 50);
    if (named) total = d->window_total;
    if (total && dialect_chance(d, 60)) {
        const struct dialect_source *s = &d->scope[first + dialect_pick(d, d->scope_count - first)];
        char column[60];
        snprintf(column, sizeof column, "%s.%s", s->name, s->table->columns[dialect_pick(d, s->table->count)]);
        const char *f = dialect_one(d, placed), *hole = strstr(f, "%s");
        if (hole) dialect_add(d, "%.*s%s%s", (int)(hole - f), f, column, hole + 2);
        else dialect_add(d, "%s", f);
    } else if (dialect_chance(d, 40)) {
        dialect_add(d, "%s", dialect_one(d, ranked));
    } else {
        aggregate(d, 1, true);
    }
    if (named) {
        dialect_add(d, " OVER %s", dialect_chance(d, 80) ? "w" : "(w)");
        return;
    }
    dialect_add(d, " OVER ");
    size_t start = d->size;
    dialect_add(d, "(");
    if (dialect_chance(d, 50)) {
        dialect_add(d, "PARTITION BY ");
        dialect_expr(d, 1);
    }
    dialect_add(d, " ORDER BY ");
    bool one = !total;
    if (total) {
        if (dialect_chance(d, 40)) {
            dialect_expr(d, 1);
            dialect_add(d, "%s, ", dialect_chance(d, 30) ? " DESC" : "");
        }
        total_order(d, first);
    } else {
        dialect_column(d);
        if (dialect_chance(d, 40)) dialect_add(d, " DESC");
        if (dialect_chance(d, 20)) dialect_add(d, " NULLS %s", dialect_chance(d, 50) ? "FIRST" : "LAST");
    }
    if (dialect_chance(d, 60)) {
        u32 unit = one ? dialect_pick(d, 2) : dialect_pick(d, 3);
        static const char *const units[] = {" RANGE", " GROUPS", " ROWS"};
        u32 a = dialect_pick(d, 4), b = MAX(a, dialect_pick(d, 5));
        if (dialect_chance(d, 5)) a = dialect_pick(d, 7);
        if (a < 3 && dialect_chance(d, 15)) dialect_add(d, "%s %s", units[unit], bounds[a]);
        else dialect_add(d, "%s BETWEEN %s AND %s", units[unit], bounds[a], bounds[b]);
        if (dialect_chance(d, 40)) dialect_add(d, " %s", exclude[one && dialect_chance(d, 90) ? 0 : dialect_pick(d, 4)]);
    }
    dialect_add(d, ")");
    if (d->window[0] || d->size - start >= sizeof d->window || !dialect_chance(d, 30)) return;
    snprintf(d->window, sizeof d->window, "%s", d->text + start);
    d->window_total = total;
    d->size = start;
    dialect_add(d, "w");
}

// One SELECT of a compound.
static void core(struct dialect *d, int depth, u32 columns, bool scalar)
{
    u32 scope = d->scope_count;
    char items[6][600], *body = d->text, around[sizeof d->window];
    const bool around_total = d->window_total;
    memcpy(around, d->window, sizeof around);
    d->window[0] = 0;
    u32 kind = scalar ? 1 : dialect_pick(d, 8); // 0..1 aggregate, 2..3 grouped, 4 windows
    // FROM stands behind what needs its names: it is made first, then put behind.
    size_t start = d->size;
    dialect_add(d, " FROM ");
    from(d, depth, false);
    if (dialect_chance(d, 65)) {
        dialect_add(d, " WHERE ");
        dialect_condition(d, depth);
    }
    char group[2][400] = {"", ""};
    if (kind == 2 || kind == 3) {
        u32 n = 1 + dialect_pick(d, 2);
        dialect_add(d, " GROUP BY ");
        for (u32 i = 0; i < n; i++) {
            size_t at = d->size;
            if (dialect_chance(d, 70)) dialect_column(d);
            else dialect_expr(d, 1);
            snprintf(group[i], sizeof group[i], "%.*s", (int)(d->size - at), body + at);
            if (i + 1 < n) dialect_add(d, ", ");
        }
        if (!group[1][0]) memcpy(group[1], group[0], sizeof group[1]);
    }
    if (kind == 2 || kind == 3 ? dialect_chance(d, 30) : kind < 2 && !scalar && dialect_chance(d, 10)) {
        dialect_add(d, " HAVING ");
        aggregate(d, 1, false);
        dialect_add(d, dialect_chance(d, 70) ? " > 0" : " IS NOT NULL");
    }
    size_t end = d->size;
    char *tail = strndup(body + start, end - start);
    for (u32 i = 0; i < columns; i++) {
        size_t at = d->size;
        if (kind < 2) {
            aggregate(d, depth, false);
        } else if (kind < 4) {
            if (dialect_chance(d, 50)) dialect_add(d, "%s", group[dialect_pick(d, 2)]);
            else aggregate(d, 1, false);
        } else if (kind == 4 && dialect_chance(d, 70)) {
            window_function(d, scope);
        } else {
            dialect_expr(d, depth);
        }
        if (d->size - at >= sizeof items[i]) {
            d->size = at;
            dialect_add(d, "%u", i);
        }
        snprintf(items[i], sizeof items[i], "%.*s", (int)(d->size - at), body + at);
    }
    d->size = start;
    dialect_add(d, "SELECT %s", kind != 4 && dialect_chance(d, 12) ? "DISTINCT " : "");
    for (u32 i = 0; i < columns; i++) dialect_add(d, "%s%s AS c%u", i ? ", " : "", items[i], i);
    dialect_add(d, "%s", tail);
    if (d->window[0]) dialect_add(d, " WINDOW w AS %s", d->window);
    free(tail);
    memcpy(d->window, around, sizeof around);
    d->window_total = around_total;
    d->scope_count = scope;
}

void dialect_row_query(struct dialect *d, int depth, u32 columns)
{
    dialect_add(d, "(");
    core(d, depth - 1, columns, true);
    dialect_add(d, ")");
}

// All columns of all sources.
static void star(struct dialect *d, int depth)
{
    u32 scope = d->scope_count;
    dialect_add(d, "SELECT %s FROM ", dialect_chance(d, 85) ? "*" : "DISTINCT *");
    from(d, depth, false);
    if (dialect_chance(d, 65)) {
        dialect_add(d, " WHERE ");
        dialect_condition(d, depth);
    }
    d->scope_count = scope;
}

static void recursive_query(struct dialect *d, const struct dialect_table *made)
{
    const char *operator = dialect_chance(d, 50) ? "UNION ALL" : "UNION";
    dialect_add(d, "SELECT 1");
    for (u32 i = 1; i < made->count; i++) {
        dialect_add(d, ", ");
        dialect_value(d);
    }
    u32 terms = dialect_chance(d, 15) ? 2 : 1, scope = d->scope_count;
    bool open = terms > 1; // which rows come first
    for (u32 term = 1; term <= terms; term++) {
        dialect_add(d, " %s SELECT %s.a + %u", operator, made->name, term);
        scope_add(d, made->name, made);
        for (u32 i = 1; i < made->count; i++) {
            dialect_add(d, ", ");
            dialect_expr(d, 1);
        }
        dialect_add(d, " FROM %s", made->name);
        bool joined = dialect_chance(d, 10);
        if (joined) {
            open = true;
            dialect_add(d, dialect_chance(d, 70) ? " JOIN " : " LEFT JOIN ");
            dialect_source_add(d, 0);
            dialect_add(d, " ON ");
            dialect_condition(d, 0);
        }
        dialect_add(d, " WHERE %s.a < %u", made->name, (joined ? 1 : 2) + dialect_pick(d, joined ? 2 : 6));
        d->scope_count = scope;
    }
    if (dialect_chance(d, 25)) dialect_add(d, " ORDER BY 1%s", dialect_chance(d, 50) ? " DESC" : "");
    if (open) return;
    if (dialect_chance(d, 25)) dialect_add(d, " LIMIT %u", 1 + dialect_pick(d, 5));
    else if (dialect_chance(d, 10)) dialect_add(d, " LIMIT 3 OFFSET 1");
}

void dialect_with(struct dialect *d, int depth)
{
    if (d->table_count + 2 >= DIALECT_TABLES) return;
    bool first = true;
    for (u32 more = dialect_chance(d, 25) ? 2 : 1; more; more--, first = false) {
        // The common table expression is one more table for what follows; it may have the name of another, which it hides.
        u32 n = 1 + dialect_pick(d, 3);
        struct dialect_table made = {.count = n, .view = true};
        snprintf(made.name, sizeof made.name, "w%u", d->alias_count++);
        bool recursive = dialect_chance(d, 30);
        if (more == 1 && !recursive && d->table_count && dialect_chance(d, 4))
            memcpy(made.name, d->tables[dialect_pick(d, d->table_count)].name, sizeof made.name);
        dialect_add(d, "%s%s(", first ? recursive ? "WITH RECURSIVE " : "WITH " : "", made.name);
        for (u32 i = 0; i < n; i++) {
            snprintf(made.columns[i], sizeof made.columns[i], "%c", "abcdef"[i]);
            dialect_add(d, "%s%s", i ? ", " : "", made.columns[i]);
        }
        dialect_add(d, ") AS %s(", dialect_chance(d, 20) ? "MATERIALIZED " : dialect_chance(d, 10) ? "NOT MATERIALIZED " : "");
        size_t start = d->size;
        if (recursive) recursive_query(d, &made);
        else select_apart(d, depth - 1, n);
        made.pattern = dialect_has_pattern(d, start);
        dialect_add(d, ")%s", more > 1 ? ", " : " ");
        d->tables[d->table_count++] = made;
    }
}

void dialect_select(struct dialect *d, int depth, u32 columns, bool *ordered)
{
    static const char *const operators[] = {" UNION ALL ", " UNION ", " INTERSECT ", " EXCEPT "};
    *ordered = false;
    bool any = !columns, scalar = columns == 1 && d->scope_count && dialect_chance(d, 100) && depth < d->depth;
    if (!columns) columns = 1 + dialect_pick(d, 3);
    if (d->size > sizeof d->text / 2 || (!d->table_count && dialect_chance(d, 50))) {
        dialect_add(d, "SELECT ");
        for (u32 i = 0; i < columns; i++) {
            if (i) dialect_add(d, ", ");
            dialect_expr(d, 1);
            dialect_add(d, " AS c%u", i);
        }
        return;
    }
    if (scalar) {
        core(d, depth - 1, columns, true);
        return;
    }
    u32 tables = d->table_count;
    bool wrap = dialect_chance(d, 15);
    if (!d->in_trigger_new && !d->in_trigger_old && dialect_chance(d, 12)) dialect_with(d, depth);
    if (d->depth == depth && !d->scope_count && any && dialect_chance(d, 5)) {
        star(d, depth - 1);
        d->table_count = tables;
        return;
    }
    if (wrap) dialect_add(d, "SELECT * FROM (");
    if (dialect_chance(d, 4)) values(d, columns);
    else if (wrap) core_within(d, depth - 1, columns);
    else core(d, depth - 1, columns, false);
    bool plain = true;
    if (dialect_chance(d, 15)) {
        for (u32 i = 1 + dialect_pick(d, 2); i; i--) {
            dialect_add(d, "%s", dialect_one(d, operators));
            if (dialect_chance(d, 15)) values(d, columns);
            else if (wrap) core_within(d, depth - 1, columns);
            else core(d, depth - 1, columns, false);
        }
        plain = false;
    }
    if (wrap) {
        dialect_add(d, ")");
        if (dialect_chance(d, 90)) {
            dialect_add(d, " ORDER BY ");
            for (u32 i = 0; i < columns; i++)
                dialect_add(d, "%squote(c%u)%s", i ? ", " : "", i, dialect_chance(d, 30) ? " DESC" : "");
            *ordered = true;
            if (dialect_chance(d, 60)) dialect_add(d, " LIMIT %u", dialect_pick(d, 5));
            else if (dialect_chance(d, 20)) dialect_add(d, " LIMIT 3 OFFSET 1");
        }
    } else if (dialect_chance(d, 25)) {
        dialect_add(d, " ORDER BY ");
        u32 n = 1 + dialect_pick(d, columns);
        for (u32 i = 0; i < n; i++)
            dialect_add(d, "%s%u%s%s", i ? ", " : "", 1 + dialect_pick(d, columns), plain && dialect_chance(d, 10) ? " COLLATE NOCASE" : "",
                        dialect_chance(d, 30) ? dialect_chance(d, 20) ? " DESC NULLS FIRST" : " DESC" : dialect_chance(d, 6) ? " NULLS LAST" : "");
    }
    d->table_count = tables;
}
