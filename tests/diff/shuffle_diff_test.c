// Goal: statements that nobody would write, next to those that people do write, never harm: no crash, no sanitizer's
// finding; and where SQLite 3.50 or later is the oracle they have its answers.
// Method: the statements of tests/diff/answers run in their order, and after each of them variants of it: a token in
// another's place, a group in parentheses of another statement, another operator, join or literal, the whole query within
// another one. SEED=n says which variants, ROUNDS=n for how many seeds; usually a fourth of the sections takes part. With
// older oracles answers are not compared: they differ by releases too often. What answers_diff_test knows ("--= ") SQLite to
// answer otherwise is not compared if it does, and has no variants then.
#include "../oracle.h"

#include <dirent.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>

enum { TOKENS_MAX = 400, TEXT_MAX = 4000, POOL_MAX = 64, VARIANTS = 3 };

enum kind { KIND_SPACE, KIND_LITERAL, KIND_WORD, KIND_NAME, KIND_OTHER };
struct token {
    const char *at;
    u32 size;
    enum kind kind;
};

// A statement in pieces, which change and are put together again.
struct pieces {
    struct token tokens[TOKENS_MAX];
    u32 count;
};

struct shuffle {
    u64 state;
    struct oracle oracle;
    bool open, compares, skipping;
    char *pool[POOL_MAX]; // queries of the section, to take pieces from
    u32 pool_count;
    char made[20][80]; // pieces that were made up
    u32 made_count;
    u64 statements, timeouts;
};

static u32 pick(struct shuffle *s, u32 count) { return (u32)(test_random(&s->state) % count); }
#define ONE_OF(s, array) (array)[pick(s, COUNT_OF(array))]

static const char *const words[] = {
    "SELECT", "FROM", "WHERE", "GROUP", "BY", "ORDER", "HAVING", "LIMIT", "OFFSET", "JOIN", "LEFT", "RIGHT", "FULL", "INNER", "CROSS", "NATURAL", "ON",
    "USING", "AS", "AND", "OR", "NOT", "IN", "IS", "NULL", "LIKE", "GLOB", "BETWEEN", "CASE", "WHEN", "THEN", "ELSE", "END", "UNION", "ALL", "EXCEPT",
    "INTERSECT", "DISTINCT", "VALUES", "INSERT", "INTO", "UPDATE", "SET", "DELETE", "CREATE", "TABLE", "INDEX", "VIEW", "TRIGGER", "WITH", "RECURSIVE",
    "DESC", "ASC", "COLLATE", "EXISTS", "CAST", "OVER", "PARTITION", "ROWS", "RANGE", "FILTER", "UNIQUE", "PRIMARY", "KEY", "REPLACE", "IGNORE", "ABORT",
    "FAIL", "ROLLBACK", "BEFORE", "AFTER", "INSTEAD", "FOR", "EACH", "ROW", "BEGIN", "TEMP", "DEFAULT", "CHECK", "REFERENCES", "ADD", "COLUMN", "RENAME",
    "TO", "DROP", "ALTER", "IF", "RETURNING", "CONFLICT", "DO", "NOTHING"};
static const char *const literals[] = {"0", "1", "-1", "2", "NULL", "''", "'a'", "'1'", "1.5", "x'31'", "9223372036854775807", "-9223372036854775808", "1e300", "TRUE", "'A '"};
static const char *const operators[] = {"=", "<", ">=", "<>", "IS", "IS NOT", "+", "-", "*", "/", "%", "||", "&", "<<", "AND", "OR", "LIKE", "GLOB", "->", "->>"};
static const char *const functions[] = {"abs", "length", "upper", "typeof", "hex", "quote", "dbstat", "sum", "count", "avg", "min", "max", "group_concat", "coalesce", "round", "trim", "+", "-", "NOT ", "~"};
static const char *const collations[] = {"NOCASE", "BINARY", "RTRIM"};
static const char *const types[] = {"INTEGER", "TEXT", "REAL", "NUMERIC", "BLOB"};
static const char *const joins[] = {"LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN", "JOIN", "NATURAL JOIN"};
static const char *const compounds[] = {"UNION", "EXCEPT", "INTERSECT", "UNION ALL"};
static const char *const tests[] = {"AND", "OR", "LIKE", "GLOB", "IS", "IN", "IS NOT", "NOT IN", "=", "<"};
static const char *const policies[] = {"IGNORE", "REPLACE", "ABORT", "FAIL", "ROLLBACK"};
static const char *const selects[] = {"SELECT DISTINCT", "SELECT ALL", "SELECT 1,", "SELECT *,", "SELECT count(*),"};
static const char *const wheres[] = {"WHERE NOT", "WHERE 1 OR", "WHERE 0 OR", "WHERE 1 AND", "GROUP BY", "ORDER BY"};

// ---- pieces -----------------------------------------------------------------------------------------------------

static bool is_word(const char *at, u32 size)
{
    for (u32 i = 0; i < COUNT_OF(words); i++)
        if (strlen(words[i]) == size && strncasecmp(words[i], at, size) == 0) return true;
    return false;
}

static bool is_name_byte(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

static struct token token_read(const char *z)
{
    struct token t = {z, 1, KIND_OTHER};
    static const char *const pairs[] = {"||", "<<", ">>", "<=", ">=", "<>", "!=", "=="};
    if (z[0] == ' ' || z[0] == '\n' || z[0] == '\t') {
        t.kind = KIND_SPACE;
        t.size = (u32)strspn(z, " \n\t");
    } else if (z[0] == '\'' || ((z[0] == 'x' || z[0] == 'X') && z[1] == '\'') || z[0] == '"' || z[0] == '[' || z[0] == '`') {
        const char *open = z[0] == 'x' || z[0] == 'X' ? z + 1 : z, *close = strchr(open + 1, *open == '[' ? ']' : *open);
        t.kind = *open == '\'' ? KIND_LITERAL : KIND_NAME;
        t.size = close ? (u32)(close + 1 - z) : (u32)strlen(z);
    } else if (z[0] >= '0' && z[0] <= '9') {
        t.kind = KIND_LITERAL;
        while (is_name_byte(z[t.size]) || z[t.size] == '.') t.size++;
    } else if (is_name_byte(z[0])) {
        while (is_name_byte(z[t.size])) t.size++;
        t.kind = is_word(z, t.size) ? KIND_WORD : KIND_NAME;
    } else {
        for (u32 i = 0; i < COUNT_OF(pairs); i++)
            if (strncmp(z, pairs[i], 2) == 0) t.size = 2;
    }
    return t;
}

static bool pieces_read(const char *sql, struct pieces *p)
{
    for (p->count = 0; *sql; sql += p->tokens[p->count++].size) {
        if (p->count == TOKENS_MAX / 2) return false; // what comes in needs room
        p->tokens[p->count] = token_read(sql);
    }
    return p->count > 2;
}

static bool pieces_write(const struct pieces *p, char *out)
{
    size_t size = 0;
    for (u32 i = 0; i < p->count; i++) {
        if (size + p->tokens[i].size >= TEXT_MAX) return false;
        memcpy(out + size, p->tokens[i].at, p->tokens[i].size);
        size += p->tokens[i].size;
    }
    out[size] = 0;
    return true;
}

// A made-up piece in a token's place.
__attribute__((format(printf, 3, 4))) static void replace(struct shuffle *s, struct token *t, const char *format, ...)
{
    if (s->made_count == COUNT_OF(s->made)) return;
    char *out = s->made[s->made_count];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(out, sizeof s->made[0], format, arguments);
    va_end(arguments);
    if (size < 0 || (size_t)size >= sizeof s->made[0]) return;
    s->made_count++;
    t->at = out;
    t->size = (u32)size;
}

// A token of the same kind.
static const struct token *alike(struct shuffle *s, const struct pieces *p, enum kind kind)
{
    u32 count = 0, nth;
    for (u32 i = 0; i < p->count; i++) count += p->tokens[i].kind == kind;
    nth = pick(s, count);
    for (u32 i = 0;; i++)
        if (p->tokens[i].kind == kind && nth-- == 0) return &p->tokens[i];
}

// A group in parentheses: its first and last token.
static bool group_pick(struct shuffle *s, const struct pieces *p, u32 *first, u32 *last)
{
    u32 count = 0;
    for (u32 i = 0; i < p->count; i++) count += p->tokens[i].at[0] == '(' && p->tokens[i].kind == KIND_OTHER;
    if (!count) return false;
    u32 nth = pick(s, count);
    for (*first = 0;; ++*first)
        if (p->tokens[*first].at[0] == '(' && p->tokens[*first].kind == KIND_OTHER && nth-- == 0) break;
    u32 depth = 0;
    for (*last = *first; *last < p->count; ++*last) {
        if (p->tokens[*last].kind != KIND_OTHER) continue;
        if (p->tokens[*last].at[0] == '(') depth++;
        if (p->tokens[*last].at[0] == ')' && --depth == 0) return true;
    }
    return false;
}

// A group of another statement in place of one of this.
static void group_change(struct shuffle *s, struct pieces *p)
{
    struct pieces other;
    u32 first, last, from, to;
    if (!s->pool_count || !pieces_read(s->pool[pick(s, s->pool_count)], &other)) return;
    if (!group_pick(s, p, &first, &last) || !group_pick(s, &other, &from, &to)) return;
    u32 before = last - first + 1, after = to - from + 1;
    if (p->count - before + after > TOKENS_MAX) return;
    memmove(p->tokens + first + after, p->tokens + last + 1, (p->count - last - 1) * sizeof *p->tokens);
    memcpy(p->tokens + first, other.tokens + from, after * sizeof *p->tokens);
    p->count += after - before;
}

static void name_change(struct shuffle *s, const struct pieces *p, struct token *t)
{
    int size = (int)MIN(t->size, 40u);
    const struct token *other = alike(s, p, KIND_NAME);
    switch (pick(s, 10)) {
    case 0:
    case 1:
    case 2: *t = *other; break;
    case 3: replace(s, t, "%s(%.*s)", ONE_OF(s, functions), size, t->at); break;
    case 4: replace(s, t, "%.*s COLLATE %s", size, t->at, ONE_OF(s, collations)); break;
    case 5: replace(s, t, "%.*s %s %.*s", size, t->at, ONE_OF(s, operators), (int)MIN(other->size, 20u), other->at); break;
    case 6: replace(s, t, "CAST(%.*s AS %s)", size, t->at, ONE_OF(s, types)); break;
    case 7: replace(s, t, "%.*s, %.*s", size, t->at, (int)MIN(other->size, 20u), other->at); break;
    case 8: replace(s, t, "(SELECT %.*s)", size, t->at); break;
    default: replace(s, t, "%s", ONE_OF(s, literals)); break;
    }
}

static bool token_is(const struct token *t, const char *word) { return strlen(word) == t->size && strncasecmp(t->at, word, t->size) == 0; }

static void word_change(struct shuffle *s, const struct pieces *p, struct token *t)
{
    if (token_is(t, "JOIN")) replace(s, t, "%s", ONE_OF(s, joins));
    else if (token_is(t, "SELECT")) replace(s, t, "%s", ONE_OF(s, selects));
    else if (token_is(t, "UNION") || token_is(t, "EXCEPT") || token_is(t, "INTERSECT")) replace(s, t, "%s", ONE_OF(s, compounds));
    else if (token_is(t, "AND") || token_is(t, "OR") || token_is(t, "IS") || token_is(t, "IN") || token_is(t, "LIKE")) replace(s, t, "%s", ONE_OF(s, tests));
    else if (token_is(t, "WHERE")) replace(s, t, "%s", ONE_OF(s, wheres));
    else if (token_is(t, "IGNORE") || token_is(t, "REPLACE") || token_is(t, "ABORT") || token_is(t, "FAIL")) replace(s, t, "%s", ONE_OF(s, policies));
    else if (pick(s, 2)) *t = *alike(s, p, KIND_WORD);
    else t->size = 0;
}

static bool variant(struct shuffle *s, const char *sql, char *out)
{
    static struct pieces p;
    if (!pieces_read(sql, &p)) return false;
    s->made_count = 0;
    for (u32 changes = 1 + pick(s, 3); changes > 0; changes--) {
        struct token *t = &p.tokens[pick(s, p.count)];
        switch (t->kind) {
        case KIND_SPACE: group_change(s, &p); break;
        case KIND_LITERAL: replace(s, t, "%s", ONE_OF(s, literals)); break;
        case KIND_NAME: name_change(s, &p, t); break;
        case KIND_WORD: word_change(s, &p, t); break;
        case KIND_OTHER:
            if (!strchr("(),.;", t->at[0])) replace(s, t, " %s ", ONE_OF(s, operators));
            break;
        }
    }
    return pieces_write(&p, out);
}

// A query within another one, or beside one of the section.
static bool within(struct shuffle *s, const char *sql, char *out)
{
    static const char *const frames[] = {
        "SELECT count(*) FROM (%1$s)", "SELECT DISTINCT * FROM (%1$s)", "WITH w AS (%1$s) SELECT * FROM w",
        "WITH w AS MATERIALIZED (%1$s) SELECT * FROM w, w AS v", "%1$s UNION ALL %2$s", "%1$s EXCEPT %2$s", "SELECT EXISTS (%1$s), (%1$s)",
        "SELECT * FROM (%1$s) AS a LEFT JOIN (%2$s) AS b ON 1", "SELECT 1 IN (%1$s), (SELECT 1) IN (%2$s)", "SELECT *, count(*) OVER () FROM (%1$s)",
        "SELECT max(x), min(x), sum(x) FROM (SELECT 1 AS x UNION ALL %1$s)", "SELECT * FROM (%1$s) NATURAL JOIN (%2$s)"};
    const char *other = s->pool_count ? s->pool[pick(s, s->pool_count)] : sql;
    return (size_t)snprintf(out, TEXT_MAX, ONE_OF(s, frames), sql, other) < TEXT_MAX;
}

// ---- statements ------------------------------------------------------------------------------------------------

static void anew(struct shuffle *s)
{
    if (s->open) oracle_close(&s->oracle);
    s->open = oracle_open(&s->oracle, "shuffle");
    struct oracle *o = &s->oracle;
    o->lenient_order = o->several_mistakes = o->any_order = o->reopened = o->rows_misused = true;
    o->quiet = !s->compares;
    s->skipping = false;
}

static bool is_query(const char *sql) { return strncasecmp(sql, "SELECT", 6) == 0 || strncasecmp(sql, "WITH", 4) == 0 || strncasecmp(sql, "VALUES", 6) == 0; }

// Whether both answered the same.
static bool run(struct shuffle *s, const char *sql)
{
    if (s->skipping || !s->open) return true;
    u32 before = s->oracle.differences;
    s->oracle.gave_up = s->oracle.timed_out = false;
    s->oracle.context = sql;
    oracle_limit(&s->oracle, 5000000);
    (void)oracle_run(&s->oracle, sql);
    s->statements++;
    s->timeouts += s->oracle.timed_out;
    bool same = s->oracle.differences == before;
    // From here on the two may hold other things; beyond the largest rowid each takes one at random.
    if (!is_query(sql) && (s->oracle.gave_up || !same || strcasestr(sql, "random(") ||
                           skerry_last_insert_rowid(s->oracle.db) != sqlite3_last_insert_rowid(s->oracle.sqlite)))
        s->skipping = true;
    return same;
}

static bool has_rowid_column(struct shuffle *s)
{
    sqlite3_stmt *stmt = NULL;
    static const char query[] = "SELECT 1 FROM sqlite_schema AS s, pragma_table_info(s.name) AS c WHERE s.type = 'table' AND c.name = '_rowid_'";
    bool any = s->open && sqlite3_prepare_v2(s->oracle.sqlite, query, -1, &stmt, NULL) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW;
    sqlite3_finalize(stmt);
    return any;
}

// What no two runs, connections or releases answer alike, or what looks at files.
static bool left_alone(struct shuffle *s, const char *sql)
{
    static const char *const parts[] = {"random", "sqlite_version", "CURRENT_", "now", "PRAGMA", "ATTACH", "DETACH", "VACUUM", "changes(", "last_insert_rowid",
                                        "sqlite_", "EXPLAIN", "pragma_", "LIMIT", "group_concat", "string_agg", "row_number", "json_group", "julianday", "load_extension",
                                        "printf", "format", "quote", "dbstat", "\\v", "e-30", "ORDER BY 1 COLLATE"};
    // Digits are 3.53's; \v: 3.50 makes it \t; a compound in a CTE that is ordered by another collation is merged by that.
    for (u32 i = 0; i < COUNT_OF(parts); i++)
        if (strcasestr(sql, parts[i])) return true;
    // Of tables joined in parentheses SQLite takes the rowids for columns _rowid_, which NATURAL joins with one that has the name.
    if (strcasestr(sql, "NATURAL") && strchr(sql, '(') && has_rowid_column(s)) return true;
    const char *order = strcasestr(sql, "ORDER BY"); // as ORDER BY 1
    if (order && strcasestr(order, "COLLATE") && (strcasestr(sql, "UNION ") || strcasestr(sql, "EXCEPT") || strcasestr(sql, "INTERSECT"))) return true;
    return strlen(sql) > TEXT_MAX / 4;
}

static void statement(struct shuffle *s, char *sql, bool may_differ)
{
    static char text[TEXT_MAX], framed[TEXT_MAX];
    size_t size = strlen(sql);
    while (size && (sql[size - 1] == ';' || sql[size - 1] == '\n')) sql[--size] = 0;
    bool query = is_query(sql), alone = left_alone(s, sql);
    if (!query && !alone && pick(s, 6) == 0 && variant(s, sql, text) && !left_alone(s, text)) run(s, text);
    // UPDATE and DELETE with LIMIT are not in every build of SQLite.
    bool asks = strncasecmp(sql, "EXPLAIN", 7) == 0 || (strncasecmp(sql, "PRAGMA", 6) == 0 && !strchr(sql, '='));
    bool limited = strcasestr(sql, "LIMIT") && (strncasecmp(sql, "UPDATE", 6) == 0 || strncasecmp(sql, "DELETE", 6) == 0);
    if (query ? !alone : !limited && !asks && !strcasestr(sql, "ATTACH")) {
        s->oracle.quiet = !s->compares || may_differ;
        bool same = run(s, sql);
        s->oracle.quiet = !s->compares;
        if (may_differ && !same) return;
    }
    if (query && !alone && s->pool_count < POOL_MAX) s->pool[s->pool_count++] = strdup(sql);
    for (u32 i = 0; i < VARIANTS && query && !alone; i++) {
        if (!variant(s, sql, text) || left_alone(s, text)) continue;
        run(s, text);
        if (pick(s, 4) == 0 && within(s, text, framed)) run(s, framed);
    }
}

static void section_end(struct shuffle *s)
{
    while (s->pool_count) free(s->pool[--s->pool_count]);
    anew(s);
}

static void file_run(struct shuffle *s, const char *path, bool all)
{
    FILE *in = fopen(path, "r");
    CHECK(in != NULL);
    char *line = NULL, *sql = NULL;
    size_t capacity = 0, size = 0;
    ssize_t got;
    section_end(s);
    bool taken = all || pick(s, 4) == 0, may_differ = false;
    while ((got = getline(&line, &capacity, in)) > 0) {
        if (!size && strncmp(line, "%%", 2) == 0) {
            section_end(s);
            taken = all || pick(s, 4) == 0;
            continue;
        }
        if (!size && strncmp(line, "--= ", 4) == 0) may_differ = taken;
        if (!taken || (!size && (line[0] == '\n' || line[0] == '#' || strncmp(line, "--", 2) == 0))) continue;
        sql = realloc(sql, size + (size_t)got + 1);
        memcpy(sql + size, line, (size_t)got + 1);
        size += (size_t)got;
        if (!skerry_complete(sql, size)) continue;
        statement(s, sql, may_differ);
        size = 0;
        may_differ = false;
    }
    free(line);
    free(sql);
    fclose(in);
}

TEST(variants)
{
    const char *seed = getenv("SEED"), *rounds = getenv("ROUNDS");
    u64 first = seed ? strtoull(seed, NULL, 10) : 1, count = rounds ? strtoull(rounds, NULL, 10) : 1;
    struct shuffle *s = calloc(1, sizeof *s);
    s->compares = sqlite3_libversion_number() >= 3050000;
    struct dirent **entries;
    int files = scandir("tests/diff/answers", &entries, NULL, alphasort);
    CHECK(files > 2);
    for (u64 i = 0; i < count && !test_failed(); i++) {
        s->state = first + i;
        for (int f = 0; f < files; f++) {
            const char *name = entries[f]->d_name;
            size_t size = strlen(name);
            char path[400];
            snprintf(path, sizeof path, "tests/diff/answers/%s", name);
            // Files of pragmas, databases beside and encodings are about a connection, not about what a statement says.
            if (size < 4 || strcmp(name + size - 4, ".sql") != 0 || strstr(name, "pragma") || strstr(name, "attach") || strstr(name, "full_text")) continue;
            file_run(s, path, rounds != NULL);
        }
        if (test_failed()) fprintf(stderr, "  rerun with SEED=%llu ROUNDS=1\n", (unsigned long long)(first + i));
    }
    fprintf(stderr, "  %llu statements, %s; %llu took too long to be compared\n", (unsigned long long)s->statements,
            s->compares ? "answers compared" : "answers not compared", (unsigned long long)s->timeouts);
    CHECK(s->statements > 1000);
    section_end(s);
    oracle_close(&s->oracle);
    for (int f = 0; f < files; f++) free(entries[f]);
    free(entries);
    free(s);
}

int main(int argc, char **argv) { return test_main(argc, argv); }
