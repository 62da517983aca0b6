#include "shell.h"

#include <ctype.h>

struct names {
    char *names[4096];
    u32 count;
};

static int name_gather(void *context, struct skerry_stmt *stmt)
{
    struct names *n = context;
    const char *text = skerry_column_text(stmt, 0, NULL);
    if (text && n->count < COUNT_OF(n->names) && (n->names[n->count] = strdup(text))) n->count++;
    return 0;
}

static int database_gather(void *context, struct skerry_stmt *stmt)
{
    struct names *n = context;
    const char *text = skerry_column_text(stmt, 1, NULL);
    if (text && n->count < COUNT_OF(n->names) && (n->names[n->count] = strdup(text))) n->count++;
    return 0;
}

static void names_free(struct names *n)
{
    for (u32 i = 0; n && i < n->count; i++) free(n->names[i]);
    free(n);
}

void shell_quoted_add(struct buffer *sql, const char *text, char quote)
{
    buffer_add(sql, &quote, 1);
    for (; *text; text++) {
        if (*text == quote) buffer_add(sql, &quote, 1);
        buffer_add(sql, text, 1);
    }
    buffer_add(sql, &quote, 1);
}

static struct names *databases(struct shell *s)
{
    struct names *n = calloc(1, sizeof *n);
    if (n && skerry_exec(s->db, "PRAGMA database_list", database_gather, n) != SKERRY_OK) {
        shell_error(s, "Error: %s\n", skerry_error(s->db)->text);
        names_free(n);
        n = NULL;
    }
    return n;
}

// In columns, down before across, as sqlite3 lays them out on 80 columns.
static void names_print(FILE *out, const struct names *n)
{
    size_t widest = 0;
    for (u32 i = 0; i < n->count; i++) widest = MAX(widest, strlen(n->names[i]));
    u32 across = MAX(1u, (u32)(80 / (widest + 2))), down = (n->count + across - 1) / across;
    for (u32 row = 0; row < down; row++) {
        for (u32 i = row; i < n->count; i += down)
            fprintf(out, "%s%-*s", i < down ? "" : "  ", (int)widest, n->names[i]);
        fputc('\n', out);
    }
}

bool shell_names_list(struct shell *s, const char *what, const char *pattern)
{
    struct names *all = databases(s), *n = calloc(1, sizeof *n);
    struct buffer sql = {0};
    bool good = all && n;
    for (u32 i = 0; good && i < all->count; i++) {
        buffer_text(&sql, i ? " UNION ALL SELECT " : "SELECT ");
        if (strcasecmp(all->names[i], "main") != 0) {
            shell_quoted_add(&sql, all->names[i], '\'');
            buffer_text(&sql, "||'.'||");
        }
        buffer_text(&sql, "name FROM ");
        shell_quoted_add(&sql, all->names[i], '"');
        buffer_text(&sql, what[0] == 't' ? ".sqlite_schema WHERE type IN ('table','view') AND name "
                                           "NOT LIKE 'sqlite_%' AND name "
                                         : ".sqlite_schema WHERE type = 'index' AND tbl_name ");
        buffer_text(&sql, "LIKE ");
        shell_quoted_add(&sql, pattern ? pattern : "%", '\'');
    }
    buffer_text(&sql, " ORDER BY 1");
    buffer_add(&sql, "", 1);
    if (good && skerry_exec(s->db, sql.bytes, name_gather, n) != SKERRY_OK) {
        shell_error(s, "Error: %s\n", skerry_error(s->db)->text);
        good = false;
    }
    if (good) names_print(s->out, n);
    buffer_deinit(&sql);
    names_free(all);
    names_free(n);
    return good;
}

// ---- CREATE statements -----------------------------

struct schema_state {
    struct shell *s;
    const char *database;
    bool indent;
};

struct column_state {
    FILE *out;
    u32 count;
};

static int view_column(void *context, struct skerry_stmt *stmt)
{
    struct column_state *c = context;
    char quoted[300];
    const char *name = skerry_column_text(stmt, 1, NULL);
    fprintf(c->out, "%s%s", c->count++ ? "," : "(",
            shell_identifier(name ? name : "", quoted, sizeof quoted));
    return 0;
}

// What a view or a virtual table gives is not to be seen in its SQL, so a comment tells.
static void columns_print(struct schema_state *d, const char *name, bool main)
{
    char quoted[300];
    char *text = NULL;
    size_t size = 0;
    struct column_state c = {open_memstream(&text, &size), 0};
    struct buffer sql = {0};
    buffer_text(&sql, "PRAGMA ");
    shell_quoted_add(&sql, d->database, '"');
    buffer_text(&sql, ".table_info=");
    shell_quoted_add(&sql, name, '"');
    buffer_add(&sql, "", 1);
    if (c.out) {
        skerry_exec(d->s->db, sql.bytes, view_column, &c);
        fclose(c.out);
        if (c.count && !main)
            fprintf(d->s->out, "\n/* %s.", shell_identifier(d->database, quoted, sizeof quoted));
        if (c.count && main) fputs("\n/* ", d->s->out);
        if (c.count)
            fprintf(d->s->out, "%s%s) */", shell_identifier(name, quoted, sizeof quoted), text);
        free(text);
    }
    buffer_deinit(&sql);
}

static void create_write(FILE *out, const char *sql, const char *database)
{
    static const char *const KINDS[] = {"TABLE", "INDEX",   "UNIQUE INDEX",
                                        "VIEW",  "TRIGGER", "VIRTUAL TABLE"};
    char quoted[300];
    bool create = strncmp(sql, "CREATE ", 7) == 0;
    for (u32 i = 0; create && database && i < COUNT_OF(KINDS); i++) {
        size_t size = strlen(KINDS[i]);
        if (strncmp(sql + 7, KINDS[i], size) != 0 || sql[7 + size] != ' ') continue;
        fprintf(out, "CREATE %s %s.%s", KINDS[i], shell_identifier(database, quoted, sizeof quoted),
                sql + 8 + size);
        return;
    }
    if (strncmp(sql, "CREATE TABLE '", 14) == 0 || strncmp(sql, "CREATE TABLE \"", 14) == 0)
        fprintf(out, "CREATE TABLE IF NOT EXISTS %s", sql + 13);
    else
        fputs(sql, out);
}

// ---- --indent -----------------------------

// White space becomes what it has to be: none around parentheses' insides, one elsewhere.
static void squeeze(char *text)
{
    size_t size = 0;
    const char *p = text;
    while (isspace((u8)*p)) p++;
    for (; *p; p++) {
        if (isspace((u8)*p) && size && (isspace((u8)text[size - 1]) || text[size - 1] == '(')) {
            if (text[size - 1] == '\r') text[size - 1] = '\n';
            continue;
        }
        if ((*p == '(' || *p == ')') && size && isspace((u8)text[size - 1])) size--;
        text[size++] = *p;
    }
    while (size && isspace((u8)text[size - 1])) size--;
    text[size] = 0;
}

// Whether what follows up to the line's end is white space or a comment.
static bool line_is_over(const char *p)
{
    while (isspace((u8)*p) && *p != '\n') p++;
    return *p == '\n' || !*p || (p[0] == '-' && p[1] == '-');
}

// What stands in the outermost parentheses, a line for each part.
static void lines_write(FILE *out, const char *p)
{
    int depth = 0, lines = 0;
    char closing = 0; // of the quoted text or comment that p is in
    size_t written = 0; // on this line
    for (; *p; p++) {
        if (*p == closing)
            closing = 0;
        else if (*p == '"' || *p == '\'' || *p == '`')
            closing = *p;
        else if (*p == '[')
            closing = ']';
        else if (p[0] == '-' && p[1] == '-')
            closing = '\n';
        else if (*p == '(')
            depth++;
        else if (*p == ')' && --depth == 0 && lines && written) {
            fputc('\n', out);
            written = 0;
        }
        bool ends = depth == 1 && !closing && (*p == '(' || *p == '\n' || (*p == ',' && !line_is_over(p + 1)));
        if (!ends || *p != '\n') fputc(*p, out), written++;
        if (!ends) continue;
        fputs("\n  ", out);
        written = 0;
        lines++;
        while (isspace((u8)p[1])) p++;
    }
}

void shell_create_print(FILE *out, const char *sql, const char *database, bool indent)
{
    char *text = NULL;
    size_t size = 0;
    bool whole = strncasecmp(sql, "CREATE VIEW", 11) == 0 || strncasecmp(sql, "CREATE TRIG", 11) == 0;
    FILE *memory = indent && !whole ? open_memstream(&text, &size) : NULL;
    create_write(memory ? memory : out, sql, database);
    if (!memory) return;
    if (fclose(memory) == 0) {
        squeeze(text);
        if (strlen(text) >= 79)
            lines_write(out, text);
        else
            fputs(text, out);
    }
    free(text);
}

// ---- .schema -----------------------------

static int schema_print(void *context, struct skerry_stmt *stmt)
{
    struct schema_state *d = context;
    const char *sql = skerry_column_text(stmt, 0, NULL), *name = skerry_column_text(stmt, 1, NULL);
    const char *type = skerry_column_text(stmt, 2, NULL);
    bool main = strcasecmp(d->database, "main") == 0;
    if (!sql || !name || !type) return 0;
    shell_create_print(d->s->out, sql, main ? NULL : d->database, d->indent);
    if (strcmp(type, "view") == 0 || strncasecmp(sql, "CREATE VIRTUAL", 14) == 0)
        columns_print(d, name, main);
    fputs(";\n", d->s->out);
    return 0;
}

bool shell_schema(struct shell *s, int argc, char **argv)
{
    const char *pattern = NULL;
    bool system = true, indent = false;
    for (int i = 1; i < argc; i++) {
        if (shell_is_option(argv[i], "nosys")) {
            system = false;
        } else if (shell_is_option(argv[i], "indent")) {
            indent = true;
        } else if (argv[i][0] == '-') {
            fprintf(stderr, "Unknown option: \"%s\"\n", argv[i]);
            return false;
        } else if (pattern) {
            fputs("Usage: .schema ?--indent? ?--nosys? ?LIKE-PATTERN?\n", stderr);
            return false;
        } else {
            pattern = argv[i];
        }
    }
    static const char *const TABLES[] = {"sqlite_master", "sqlite_schema", "sqlite_temp_master",
                                         "sqlite_temp_schema"};
    for (u32 i = 0; pattern && i < COUNT_OF(TABLES); i++)
        if (strcasecmp(pattern, TABLES[i]) == 0)
            fprintf(s->out,
                    "CREATE TABLE %s (\n  type text,\n  name text,\n  tbl_name text,\n  rootpage "
                    "integer,\n  sql text\n);\n",
                    TABLES[i]);
    struct names *all = databases(s);
    bool good = all != NULL;
    for (u32 i = 0; good && i < all->count; i++) {
        struct schema_state d = {s, all->names[i], indent};
        struct buffer sql = {0};
        buffer_text(&sql, "SELECT sql, name, type FROM ");
        shell_quoted_add(&sql, all->names[i], '"');
        buffer_text(&sql, ".sqlite_schema WHERE sql IS NOT NULL");
        if (!system) buffer_text(&sql, " AND name NOT LIKE 'sqlite__%'");
        if (pattern) {
            buffer_text(&sql, " AND lower(");
            if (strchr(pattern, '.')) {
                shell_quoted_add(&sql, all->names[i], '\'');
                buffer_text(&sql, "||'.'||");
            }
            buffer_text(&sql, strpbrk(pattern, "*?[") ? "tbl_name) GLOB lower("
                                                      : "tbl_name) LIKE lower(");
            shell_quoted_add(&sql, pattern, '\'');
            buffer_text(&sql, ")");
        }
        buffer_text(&sql, " ORDER BY rowid");
        buffer_add(&sql, "", 1);
        good = skerry_exec(s->db, sql.bytes, schema_print, &d) == SKERRY_OK;
        if (!good) shell_error(s, "Error: %s\n", skerry_error(s->db)->text);
        buffer_deinit(&sql);
    }
    names_free(all);
    return good;
}
