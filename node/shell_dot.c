#include "shell.h"

#include <ctype.h>
#include <unistd.h>

#define ARGUMENTS_MAX 52

// Splits a line into words; "double" quotes take C escapes, 'single' ones nothing.
static int words_split(char *line, char **argv)
{
    int argc = 0;
    char *p = line;
    while (argc < ARGUMENTS_MAX) {
        while (isspace((u8)*p)) p++;
        if (!*p) break;
        char quote = *p == '"' || *p == '\'' ? *p++ : 0;
        char *word = p, *out = p;
        while (*p && (quote ? *p != quote : !isspace((u8)*p))) {
            if (quote != '"' || *p != '\\' || !p[1]) {
                *out++ = *p++;
                continue;
            }
            p++;
            if (*p >= '0' && *p <= '7') {
                int n = 0;
                for (int i = 0; i < 3 && *p >= '0' && *p <= '7'; i++) n = n * 8 + *p++ - '0';
                *out++ = (char)n;
                continue;
            }
            static const char FROM[] = "abfnrtv\\\"'", TO[] = "\a\b\f\n\r\t\v\\\"'";
            const char *at = strchr(FROM, *p);
            *out++ = at ? TO[at - FROM] : *p;
            p++;
        }
        if (*p) p++;
        *out = 0;
        argv[argc++] = word;
    }
    argv[argc] = NULL;
    return argc;
}

static bool on_off(struct shell *s, const char *text)
{
    if (strcasecmp(text, "on") == 0 || strcasecmp(text, "yes") == 0 || strcmp(text, "1") == 0)
        return true;
    if (strcasecmp(text, "off") == 0 || strcasecmp(text, "no") == 0 || strcmp(text, "0") == 0)
        return false;
    shell_error(s, "ERROR: Not a boolean value: \"%s\". Assuming \"no\".\n", text);
    return false;
}

// ---- commands
// -------------------------------------------------------------------------------------------

static void dot_quit(struct shell *s, int argc, char **argv)
{
    s->done = true;
    if (argc > 1) s->exit_status = (int)strtol(argv[1], NULL, 10);
}

static void dot_mode(struct shell *s, int argc, char **argv)
{
    if (argc < 2) {
        fprintf(s->out, "current output mode: %s\n", shell_mode_name(s->mode));
        return;
    }
    const char *name = strcmp(argv[1], "columns") == 0 ? "column"
                       : strcmp(argv[1], "lines") == 0 ? "line"
                                                       : argv[1];
    if (!shell_mode_set(s, name)) {
        shell_error(s, "Error: mode should be one of: ascii box column csv html insert json line "
                       "list markdown quote "
                       "table tabs\n");
        return;
    }
    if (s->mode == MODE_INSERT)
        snprintf(s->insert_table, sizeof s->insert_table, "%s", argc > 2 ? argv[2] : "table");
}

static void dot_separator(struct shell *s, int argc, char **argv)
{
    if (argc < 2 || argc > 3) {
        shell_error(s, "Usage: .separator COL ?ROW?\n");
        return;
    }
    snprintf(s->column_separator, sizeof s->column_separator, "%s", argv[1]);
    if (argc > 2) snprintf(s->row_separator, sizeof s->row_separator, "%s", argv[2]);
}

static void dot_nullvalue(struct shell *s, int argc, char **argv)
{
    if (argc == 2)
        snprintf(s->null_text, sizeof s->null_text, "%s", argv[1]);
    else
        shell_error(s, "Usage: .nullvalue STRING\n");
}

static void dot_headers(struct shell *s, int argc, char **argv)
{
    if (argc != 2) {
        shell_error(s, "Usage: .headers on|off\n");
        return;
    }
    s->headers = on_off(s, argv[1]);
    s->headers_set = true;
}

static void dot_print(struct shell *s, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) fprintf(s->out, "%s%s", i > 1 ? " " : "", argv[i]);
    fputc('\n', s->out);
    fflush(s->out);
}

static void dot_echo(struct shell *s, int argc, char **argv)
{
    if (argc == 2) s->echo = on_off(s, argv[1]);
}

static void dot_bail(struct shell *s, int argc, char **argv)
{
    if (argc == 2) s->bail = on_off(s, argv[1]);
}

static void dot_timer(struct shell *s, int argc, char **argv)
{
    if (argc == 2)
        s->timer = on_off(s, argv[1]);
    else
        shell_error(s, "Usage: .timer on|off\n");
}

static void dot_changes(struct shell *s, int argc, char **argv)
{
    if (argc == 2)
        s->changes = on_off(s, argv[1]);
    else
        shell_error(s, "Usage: .changes on|off\n");
}

static void dot_width(struct shell *s, int argc, char **argv)
{
    memset(s->widths, 0, sizeof s->widths);
    for (int i = 1; i < argc && i <= SHELL_WIDTHS_MAX; i++)
        s->widths[i - 1] = (int)strtol(argv[i], NULL, 10);
}

static void dot_read(struct shell *s, int argc, char **argv)
{
    FILE *in = argc == 2 ? fopen(argv[1], "re") : NULL;
    if (argc != 2) {
        shell_error(s, "Usage: .read FILE\n");
    } else if (!in) {
        shell_error(s, "Error: cannot open \"%s\"\n", argv[1]);
    } else {
        shell_run_input(s, in, false);
        fclose(in);
    }
}

static void dot_open(struct shell *s, int argc, char **argv)
{
    if (argc == 2 || argc == 1)
        shell_open(s, argc == 2 ? argv[1] : ":memory:");
    else
        shell_error(s, "Usage: .open ?FILE?\n");
}

static void output_to(struct shell *s, int argc, char **argv, bool once)
{
    if (s->out != stdout) fclose(s->out);
    s->out = stdout;
    s->out_once = false;
    if (argc < 2 || strcmp(argv[1], "stdout") == 0) return;
    FILE *out = fopen(argv[1], "we");
    if (!out) {
        shell_error(s, "Error: cannot open \"%s\"\n", argv[1]);
        return;
    }
    s->out = out;
    s->out_once = once;
}

static void dot_output(struct shell *s, int argc, char **argv)
{
    output_to(s, argc, argv, false);
}

static void dot_once(struct shell *s, int argc, char **argv)
{
    output_to(s, argc, argv, true);
}

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

static void pattern_add(struct buffer *sql, const char *pattern)
{
    buffer_text(sql, "'");
    for (const char *p = pattern; *p; p++)
        buffer_add(sql, *p == '\'' ? "''" : p, *p == '\'' ? 2 : 1);
    buffer_text(sql, "'");
}

// Names in columns, down before across, as sqlite3 lays them out on 80 columns.
static void names_list(struct shell *s, const char *sql)
{
    struct names *n = calloc(1, sizeof *n);
    if (!n) return;
    if (skerry_exec(s->db, sql, name_gather, n) != SKERRY_OK)
        shell_error(s, "Error: %s\n", skerry_error(s->db)->text);
    size_t widest = 0;
    for (u32 i = 0; i < n->count; i++) widest = MAX(widest, strlen(n->names[i]));
    u32 across = MAX(1u, (u32)(80 / (widest + 2))), down = (n->count + across - 1) / across;
    for (u32 row = 0; row < down; row++) {
        for (u32 i = row; i < n->count; i += down)
            fprintf(s->out, "%s%-*s", i < down ? "" : "  ", (int)widest, n->names[i]);
        fputc('\n', s->out);
    }
    for (u32 i = 0; i < n->count; i++) free(n->names[i]);
    free(n);
}

static void dot_tables(struct shell *s, int argc, char **argv)
{
    struct buffer sql = {0};
    buffer_text(
        &sql,
        "SELECT name FROM (SELECT name, type FROM sqlite_schema UNION ALL SELECT name, type FROM "
        "sqlite_temp_schema) WHERE type IN ('table','view') AND name NOT LIKE 'sqlite\\_%' ESCAPE "
        "'\\'");
    if (argc > 1) {
        buffer_text(&sql, " AND name LIKE ");
        pattern_add(&sql, argv[1]);
    }
    buffer_text(&sql, " ORDER BY 1");
    buffer_add(&sql, "", 1);
    names_list(s, sql.bytes);
    buffer_deinit(&sql);
}

static void dot_indexes(struct shell *s, int argc, char **argv)
{
    struct buffer sql = {0};
    buffer_text(&sql, "SELECT name FROM sqlite_schema WHERE type = 'index'");
    if (argc > 1) {
        buffer_text(&sql, " AND tbl_name LIKE ");
        pattern_add(&sql, argv[1]);
    }
    buffer_text(&sql, " ORDER BY 1");
    buffer_add(&sql, "", 1);
    names_list(s, sql.bytes);
    buffer_deinit(&sql);
}

static int schema_print(void *context, struct skerry_stmt *stmt)
{
    struct shell *s = context;
    fprintf(s->out, "%s;\n", skerry_column_text(stmt, 0, NULL));
    return 0;
}

static void dot_schema(struct shell *s, int argc, char **argv)
{
    const char *pattern = NULL;
    for (int i = 1; i < argc; i++)
        if (argv[i][0] != '-') pattern = argv[i];
    struct buffer sql = {0};
    buffer_text(
        &sql,
        "SELECT sql FROM (SELECT sql, tbl_name, name, type, rowid AS r, 1 AS d FROM sqlite_schema "
        "UNION ALL "
        "SELECT sql, tbl_name, name, type, rowid, 2 FROM sqlite_temp_schema) WHERE sql NOT NULL ");
    if (pattern) {
        buffer_text(&sql, "AND lower(tbl_name) LIKE lower(");
        pattern_add(&sql, pattern);
        buffer_text(&sql, ") ");
    } else {
        // sqlite3 shows sqlite_sequence and its kin too, when they have SQL.
        buffer_text(&sql, "AND type != 'meta' ");
    }
    buffer_text(&sql, "ORDER BY d, r");
    buffer_add(&sql, "", 1);
    if (skerry_exec(s->db, sql.bytes, schema_print, s) != SKERRY_OK)
        shell_error(s, "Error: %s\n", skerry_error(s->db)->text);
    buffer_deinit(&sql);
}

static void dot_dump(struct shell *s, int argc, char **argv)
{
    shell_dump(s, argc > 1 ? argv[1] : NULL);
}

static int database_print(void *context, struct skerry_stmt *stmt)
{
    struct shell *s = context;
    const char *name = skerry_column_text(stmt, 1, NULL), *path = skerry_column_text(stmt, 2, NULL);
    fprintf(s->out, "%s: %s %s\n", name ? name : "", path && path[0] ? path : "\"\"",
            s->read_only ? "r/o" : "r/w");
    return 0;
}

static void dot_databases(struct shell *s, int argc, char **argv)
{
    (void)argc, (void)argv;
    skerry_exec(s->db, "PRAGMA database_list", database_print, s);
}

static void dot_show(struct shell *s, int argc, char **argv)
{
    (void)argc, (void)argv;
    fprintf(s->out, "        echo: %s\n     headers: %s\n        mode: %s\n   nullvalue: \"%s\"\n",
            s->echo ? "on" : "off", s->headers ? "on" : "off", shell_mode_name(s->mode),
            s->null_text);
    fprintf(s->out, "colseparator: \"%s\"\n       timer: %s\n    filename: %s\n",
            s->column_separator, s->timer ? "on" : "off", s->path);
}

static void dot_cd(struct shell *s, int argc, char **argv)
{
    if (argc != 2 || chdir(argv[1]) != 0)
        shell_error(s, "Cannot change to directory \"%s\"\n", argc == 2 ? argv[1] : "");
}

static void dot_version(struct shell *s, int argc, char **argv)
{
    (void)argc, (void)argv;
    fprintf(s->out, "Skerry %s\nSQLite %s\n", skerry_version(), skerry_sqlite_version());
}

static void dot_timeout(struct shell *s, int argc, char **argv)
{
    skerry_busy_timeout(s->db, argc > 1 ? (u32)strtoul(argv[1], NULL, 10) : 0);
}

static void dot_import(struct shell *s, int argc, char **argv)
{
    shell_import(s, argc, argv);
}

static void dot_help(struct shell *s, int argc, char **argv);

static const struct {
    const char *name, *arguments, *help;
    void (*run)(struct shell *s, int argc, char **argv);
} COMMANDS[] = {
    {"bail", "on|off", "stop after an error", dot_bail},
    {"cd", "DIR", "change the working directory", dot_cd},
    {"changes", "on|off", "show the number of rows changed", dot_changes},
    {"databases", "", "list the attached databases", dot_databases},
    {"dump", "?PATTERN?", "the database as SQL text", dot_dump},
    {"echo", "on|off", "print what is run", dot_echo},
    {"exit", "?CODE?", "leave", dot_quit},
    {"headers", "on|off", "names of columns", dot_headers},
    {"help", "", "this list", dot_help},
    {"import", "FILE TABLE", "rows of a file into a table (--csv, --ascii, --skip N)", dot_import},
    {"indexes", "?TABLE?", "names of indexes", dot_indexes},
    {"mode", "MODE ?TABLE?",
     "ascii box column csv html insert json line list markdown quote table tabs", dot_mode},
    {"nullvalue", "TEXT", "print this for NULL", dot_nullvalue},
    {"once", "FILE", "output of the next statement into a file", dot_once},
    {"open", "?FILE?", "close this database and open another", dot_open},
    {"output", "?FILE?", "output into a file, or back to the terminal", dot_output},
    {"print", "TEXT...", "print the text", dot_print},
    {"quit", "", "leave", dot_quit},
    {"read", "FILE", "run a file", dot_read},
    {"schema", "?PATTERN?", "CREATE statements", dot_schema},
    {"separator", "COL ?ROW?", "between columns and rows", dot_separator},
    {"show", "", "current settings", dot_show},
    {"tables", "?PATTERN?", "names of tables", dot_tables},
    {"timeout", "MS", "wait so long for another writer", dot_timeout},
    {"timer", "on|off", "time of each statement", dot_timer},
    {"version", "", "versions", dot_version},
    {"width", "N...", "widths of columns; negative: to the right", dot_width},
};

static void dot_help(struct shell *s, int argc, char **argv)
{
    (void)argc, (void)argv;
    for (u32 i = 0; i < COUNT_OF(COMMANDS); i++)
        fprintf(s->out, ".%-10s %-14s %s\n", COMMANDS[i].name, COMMANDS[i].arguments,
                COMMANDS[i].help);
}

void shell_dot_command(struct shell *s, char *line)
{
    char *argv[ARGUMENTS_MAX + 1];
    int argc = words_split(line + 1, argv), found = -1, matches = 0;
    if (argc == 0) return;
    // An abbreviation will do when it fits one command.
    size_t size = strlen(argv[0]);
    for (u32 i = 0; i < COUNT_OF(COMMANDS); i++) {
        if (strncmp(COMMANDS[i].name, argv[0], size) != 0) continue;
        if (strlen(COMMANDS[i].name) == size) {
            found = (int)i;
            matches = 1;
            break;
        }
        if (found < 0) found = (int)i;
        matches++;
    }
    if (found < 0 || (matches > 1 && size < 3)) {
        shell_error(
            s, "Error: unknown command or invalid arguments:  \"%s\". Enter \".help\" for help\n",
            argv[0]);
        return;
    }
    COMMANDS[found].run(s, argc, argv);
}
