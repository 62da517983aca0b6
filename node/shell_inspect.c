// Dot commands that look at a database as a whole: its schema with statistics, its header, its limits, foreign keys that no
// index helps; and the one that copies it.
#include "shell.h"

#include <unistd.h>

static bool told(struct shell *s)
{
    shell_error(s, "Error: %s\n", skerry_error(s->db)->text);
    return false;
}

// The first column of the only row; `out` as it is when there is none.
static int text_keep(void *context, struct skerry_stmt *stmt)
{
    const char *text = skerry_column_text(stmt, 0, NULL);
    snprintf(context, 100, "%s", text ? text : "");
    return 0;
}

// ---- .fullschema -----------------------------

struct schema_rows {
    struct shell *s;
    bool indent;
    const char *table;
};

static int create_print(void *context, struct skerry_stmt *stmt)
{
    struct schema_rows *r = context;
    const char *sql = skerry_column_text(stmt, 0, NULL);
    shell_create_print(r->s->out, sql ? sql : "", NULL, r->indent);
    fputs(";\n", r->s->out);
    return 0;
}

static int statistics_print(void *context, struct skerry_stmt *stmt)
{
    struct schema_rows *r = context;
    fprintf(r->s->out, "INSERT INTO %s VALUES(", r->table);
    for (u32 i = 0; i < skerry_column_count(stmt); i++) {
        if (i) fputc(',', r->s->out);
        print_sql_literal(r->s->out, stmt, i, true);
    }
    fputs(");\n", r->s->out);
    return 0;
}

bool shell_fullschema(struct shell *s, int argc, char **argv)
{
    static const char SCHEMA[] = "SELECT sql FROM (SELECT sql, type, name, rowid AS at FROM sqlite_schema UNION ALL "
                                 "SELECT sql, type, name, rowid FROM sqlite_temp_schema) WHERE type != 'meta' AND sql "
                                 "NOTNULL AND name NOT LIKE 'sqlite_%' ORDER BY at";
    static const char FOUND[] = "SELECT name FROM sqlite_schema WHERE name GLOB 'sqlite_stat[134]' ORDER BY name DESC";
    struct schema_rows r = {.s = s, .indent = argc == 2 && shell_is_option(argv[1], "indent"), .table = "sqlite_stat1"};
    char found[100] = "";
    if (argc > 1 + r.indent) {
        fputs("Usage: .fullschema ?--indent?\n", stderr);
        return false;
    }
    if (skerry_exec(s->db, SCHEMA, create_print, &r) != SKERRY_OK ||
        skerry_exec(s->db, FOUND, text_keep, found) != SKERRY_OK)
        return told(s);
    if (!found[0]) {
        fputs("/* No STAT tables available */\n", s->out);
        return true;
    }
    fputs("ANALYZE sqlite_schema;\n", s->out);
    if (strcmp(found, r.table) == 0 && skerry_exec(s->db, "SELECT * FROM sqlite_stat1", statistics_print, &r) != SKERRY_OK)
        return told(s);
    fputs("ANALYZE sqlite_schema;\n", s->out);
    return true;
}

// ---- .dbinfo -----------------------------

bool shell_dbinfo(struct shell *s, int argc, char **argv)
{
    static const struct {
        const char *what, *sql; // %s: the database's name
    } LINES[] = {
        {"database page size:", "PRAGMA %s.page_size"},
        {"database page count:", "PRAGMA %s.page_count"},
        {"freelist page count:", "PRAGMA %s.freelist_count"},
        {"schema cookie:", "PRAGMA %s.schema_version"},
        {"auto vacuum:", "PRAGMA %s.auto_vacuum"},
        {"journal mode:", "PRAGMA %s.journal_mode"},
        {"text encoding:", "PRAGMA encoding"},
        {"user version:", "PRAGMA %s.user_version"},
        {"application id:", "PRAGMA %s.application_id"},
        {"number of tables:", "SELECT count(*) FROM %s.sqlite_schema WHERE type = 'table'"},
        {"number of indexes:", "SELECT count(*) FROM %s.sqlite_schema WHERE type = 'index'"},
        {"number of triggers:", "SELECT count(*) FROM %s.sqlite_schema WHERE type = 'trigger'"},
        {"number of views:", "SELECT count(*) FROM %s.sqlite_schema WHERE type = 'view'"},
        {"schema size:", "SELECT total(length(sql)) || '' FROM %s.sqlite_schema"},
        {"data version:", "PRAGMA %s.data_version"},
    };
    if (argc > 2) {
        fputs("Usage: .dbinfo ?DB?\n", stderr);
        return false;
    }
    struct buffer name = {0};
    bool good = true;
    shell_quoted_add(&name, argc > 1 ? argv[1] : "main", '"');
    buffer_add(&name, "", 1);
    for (u32 i = 0; i < COUNT_OF(LINES) && good; i++) {
        struct buffer sql = {0};
        char value[100] = "";
        if (!name.failed) buffer_format(&sql, LINES[i].sql, name.bytes);
        buffer_add(&sql, "", 1);
        good = !name.failed && !sql.failed && skerry_exec(s->db, sql.bytes, text_keep, value) == SKERRY_OK;
        buffer_deinit(&sql);
        if (!good) break;
        if (strcmp(LINES[i].what, "schema size:") == 0 && strchr(value, '.')) *strchr(value, '.') = 0;
        fprintf(s->out, "%-20s %s\n", LINES[i].what, value);
    }
    buffer_deinit(&name);
    return good || told(s);
}

// ---- .limit -----------------------------

bool shell_limit(struct shell *s, int argc, char **argv)
{
    static const char *const NAMES[SKERRY_LIMIT_COUNT] = {
        [SKERRY_LIMIT_LENGTH] = "length",
        [SKERRY_LIMIT_SQL_LENGTH] = "sql_length",
        [SKERRY_LIMIT_COLUMN] = "column",
        [SKERRY_LIMIT_EXPR_DEPTH] = "expr_depth",
        [SKERRY_LIMIT_COMPOUND_SELECT] = "compound_select",
        [SKERRY_LIMIT_VDBE_OP] = "vdbe_op",
        [SKERRY_LIMIT_FUNCTION_ARG] = "function_arg",
        [SKERRY_LIMIT_ATTACHED] = "attached",
        [SKERRY_LIMIT_LIKE_PATTERN_LENGTH] = "like_pattern_length",
        [SKERRY_LIMIT_VARIABLE_NUMBER] = "variable_number",
        [SKERRY_LIMIT_TRIGGER_DEPTH] = "trigger_depth",
        [SKERRY_LIMIT_STATEMENT_MS] = "statement_ms",
        [SKERRY_LIMIT_STATEMENT_MEMORY] = "statement_memory",
        [SKERRY_LIMIT_STATEMENT_CACHE] = "statement_cache",
    };
    int chosen = -1;
    if (argc > 3) {
        fputs("Usage: .limit NAME ?NEW-VALUE?\n", stderr);
        return false;
    }
    for (int i = 0; argc > 1 && i < SKERRY_LIMIT_COUNT; i++) {
        if (strncasecmp(NAMES[i], argv[1], strlen(argv[1])) != 0) continue;
        if (chosen >= 0) {
            fprintf(stderr, "ambiguous limit: \"%s\"\n", argv[1]);
            return false;
        }
        chosen = i;
    }
    if (argc > 1 && chosen < 0) {
        fprintf(stderr, "unknown limit: \"%s\"\nenter \".limits\" with no arguments for a list.\n", argv[1]);
        return false;
    }
    if (argc == 3) skerry_limit(s->db, (enum skerry_limit)chosen, strtoll(argv[2], NULL, 0));
    for (int i = 0; i < SKERRY_LIMIT_COUNT; i++)
        if (chosen < 0 || chosen == i)
            fprintf(s->out, "%20s %lld\n", NAMES[i], (long long)skerry_limit(s->db, (enum skerry_limit)i, -1));
    return true;
}

// ---- .lint fkey-indexes -----------------------------

struct lint {
    struct shell *s;
    bool verbose, by_parent, found; // found: the plan looks its rows up by all columns of the key
    s64 columns;
    char parent[100]; // whose heading was printed last
};

static int plan_look(void *context, struct skerry_stmt *stmt)
{
    struct lint *l = context;
    const char *detail = skerry_column_text(stmt, 3, NULL), *p = detail ? detail : "";
    s64 equal = 0;
    if (strncmp(p, "SEARCH", 6) != 0) return 0;
    for (const char *at = p; (at = strstr(at, "=?")); at += 2) equal++;
    l->found = equal == l->columns;
    return 0;
}

static int key_look(void *context, struct skerry_stmt *stmt)
{
    struct lint *l = context;
    const char *query = skerry_column_text(stmt, 0, NULL), *index = skerry_column_text(stmt, 1, NULL);
    const char *parent = skerry_column_text(stmt, 2, NULL);
    const char *table = skerry_column_text(stmt, 5, NULL), *indent = l->by_parent ? "    " : "";
    l->columns = skerry_column_integer(stmt, 3);
    l->found = false;
    if (!query || !index || !parent || !table) return 0;
    if (skerry_exec(l->s->db, query, plan_look, l) != SKERRY_OK) {
        shell_error(l->s, "Error: %s\n", skerry_error(l->s->db)->text);
        return 0;
    }
    if (l->found && !l->verbose) return 0;
    if (l->by_parent && strncmp(table, l->parent, sizeof l->parent - 1) != 0) {
        fprintf(l->s->out, "-- Parent table %s\n", table);
        snprintf(l->parent, sizeof l->parent, "%s", table);
    }
    if (l->found)
        fprintf(l->s->out, "%s/* no extra indexes required for %s -> %s */\n", indent, skerry_column_text(stmt, 4, NULL),
                parent);
    else
        fprintf(l->s->out, "%s%s --> %s\n", indent, index, parent);
    return 0;
}

bool shell_lint(struct shell *s, int argc, char **argv)
{
    // A row per foreign key: what looks its children up, the index that would help, the parent, columns, the child.
    static const char KEYS[] =
        "WITH k AS (SELECT s.name AS child, f.id, f.seq, f.\"table\" AS parent, f.\"from\" AS c, "
        "coalesce(f.\"to\", p.name) AS d FROM sqlite_schema s, pragma_foreign_key_list(s.name) f "
        "LEFT JOIN pragma_table_info(f.\"table\") p ON p.pk = f.seq + 1 ORDER BY s.name, f.id, f.seq) SELECT 'EXPLAIN QUERY "
        "PLAN SELECT 1 FROM ' || quote(child) || ' WHERE ' || "
        "group_concat(quote(child) || '.' || quote(c) || '=?', ' AND '), 'CREATE INDEX ' || quote(child || '_' || "
        "group_concat(c, '_')) || ' ON ' || quote(child) || '(' || group_concat(quote(c), ', ') || ');', "
        "coalesce(parent || '(' || group_concat(d) || ')', parent), count(*), "
        "child || '(' || group_concat(c, ', ') || ')', parent FROM k GROUP BY child, id ORDER BY %s";
    struct lint l = {.s = s};
    bool right = argc > 1 && strncasecmp(argv[1], "fkey-indexes", strlen(argv[1])) == 0;
    for (int i = 2; i < argc && right; i++) {
        l.verbose |= shell_is_option(argv[i], "verbose");
        l.by_parent |= shell_is_option(argv[i], "groupbyparent");
        right = shell_is_option(argv[i], "verbose") || shell_is_option(argv[i], "groupbyparent");
    }
    if (!right) {
        fputs("Usage: .lint fkey-indexes ?-verbose? ?-groupbyparent?\n", stderr);
        return false;
    }
    struct buffer sql = {0};
    buffer_format(&sql, KEYS, l.by_parent ? "parent" : "child");
    buffer_add(&sql, "", 1);
    bool good = !sql.failed && skerry_exec(s->db, sql.bytes, key_look, &l) == SKERRY_OK;
    buffer_deinit(&sql);
    return good || told(s);
}

// ---- .backup -----------------------------

// The copy is made beside FILE and then takes its place, so that there is a whole one at any time.
bool shell_backup(struct shell *s, int argc, char **argv)
{
    const char *database = argc == 3 ? argv[1] : "main", *path = argv[argc - 1];
    char old_log[4096], copy[4096];
    if (argc < 2) {
        fprintf(stderr, "missing FILENAME argument on .%s\n", argv[0]);
        return false;
    }
    if (argc > 3 || argv[1][0] == '-') {
        fprintf(stderr, "Usage: .%s ?DB? FILE\n", argv[0]);
        return false;
    }
    if (snprintf(old_log, sizeof old_log, "%s-wal", path) >= (int)sizeof old_log ||
        snprintf(copy, sizeof copy, "%s-copy", path) >= (int)sizeof copy) {
        fprintf(stderr, "Error: the name is too long: %s\n", path);
        return false;
    }
    if (access(old_log, F_OK) == 0) {
        fprintf(stderr, "Error: %s is there: another program has %s open, or left it so; choose another name\n", old_log,
                path);
        return false;
    }
    struct buffer sql = {0};
    buffer_text(&sql, "VACUUM \"");
    for (; *database; database++) buffer_add(&sql, *database == '"' ? "\"\"" : database, *database == '"' ? 2 : 1);
    buffer_text(&sql, "\" INTO '");
    for (const char *p = copy; *p; p++) buffer_add(&sql, *p == '\'' ? "''" : p, *p == '\'' ? 2 : 1);
    buffer_add(&sql, "'", 2);
    (void)unlink(copy);
    bool good = !sql.failed && skerry_exec(s->db, sql.bytes, NULL, NULL) == SKERRY_OK;
    buffer_deinit(&sql);
    if (!good) {
        told(s);
    } else if (rename(copy, path) != 0) {
        fprintf(stderr, "Error: cannot open \"%s\"\n", path);
        good = false;
    }
    if (!good) (void)unlink(copy);
    return good;
}
