#include "shell.h"
#include "../engine/connection.h"

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
            if (quote == '\'' || *p != '\\' || !p[1]) {
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

static bool on_off(const char *text)
{
    if (strcasecmp(text, "on") == 0 || strcasecmp(text, "yes") == 0) return true;
    if (strcasecmp(text, "off") == 0 || strcasecmp(text, "no") == 0) return false;
    char *end;
    long n = strtol(text, &end, 0);
    if (*text && !*end) return n != 0;
    fprintf(stderr, "ERROR: Not a boolean value: \"%s\". Assuming \"no\".\n", text);
    return false;
}

// ---- commands -----------------------------

bool shell_is_option(const char *argument, const char *name)
{
    return argument[0] == '-' && strcmp(argument + 1 + (argument[1] == '-'), name) == 0;
}

static enum shell_dot_result usage(const char *text)
{
    fprintf(stderr, "Usage: %s\n", text);
    return SHELL_DOT_FAILED;
}

static enum shell_dot_result dot_quit(struct shell *s, int argc, char **argv)
{
    s->exit_status = argv[0][0] == 'e' && argc > 1 ? (int)strtol(argv[1], NULL, 0) : 0;
    // As sqlite3: without a status only the file that is being read ends.
    if (s->exit_status) s->done = true;
    return SHELL_DOT_LEAVE;
}

static enum shell_dot_result mode_show(struct shell *s)
{
    fprintf(s->out, "current output mode: %s", shell_mode_name(s->mode));
    if (s->mode == MODE_COLUMN || s->mode == MODE_TABLE || s->mode == MODE_BOX ||
        s->mode == MODE_MARKDOWN)
        fprintf(s->out, " --wrap %d --wordwrap %s --%squote", s->wrap, s->word_wrap ? "on" : "off",
                s->quote ? "" : "no");
    fputc('\n', s->out);
    return SHELL_DOT_DONE;
}

static enum shell_dot_result dot_mode(struct shell *s, int argc, char **argv)
{
    const char *name = NULL, *table = NULL;
    int wrap = 60;
    bool words = false, quote = false;
    for (int i = 1; i < argc; i++) {
        const char *option = argv[i][0] == '-' ? argv[i] + 1 + (argv[i][1] == '-') : "";
        if (strcmp(option, "wrap") == 0 && i + 1 < argc)
            wrap = (int)strtol(argv[++i], NULL, 10);
        else if (strcmp(option, "ww") == 0)
            words = true;
        else if (strcmp(option, "wordwrap") == 0 && i + 1 < argc)
            words = on_off(argv[++i]);
        else if (strcmp(option, "quote") == 0 || strcmp(option, "noquote") == 0)
            quote = option[0] == 'q';
        else if (!name && argv[i][0] != '-') {
            name = argv[i];
            if (strcmp(name, "qbox") == 0) name = "box", quote = true;
        } else if (!table && argv[i][0] != '-')
            table = argv[i];
        else {
            if (argv[i][0] == '-')
                fprintf(stderr,
                        "unknown option: %s\noptions:\n  --noquote\n  --quote\n  --wordwrap "
                        "on/off\n  --wrap N\n"
                        "  --ww\n",
                        argv[i]);
            else
                fprintf(stderr, "extra argument: \"%s\"\n", argv[i]);
            return SHELL_DOT_FAILED;
        }
    }
    if (!name && argc == 1) return mode_show(s);
    if (!shell_mode_set(s, name ? name : shell_mode_name(s->mode))) {
        fprintf(stderr, "Error: mode should be one of: ascii box column csv html insert json line "
                        "list markdown qbox quote "
                        "table tabs tcl\n");
        return SHELL_DOT_FAILED;
    }
    if (s->mode == MODE_INSERT)
        snprintf(s->insert_table, sizeof s->insert_table, "%s", table ? table : "table");
    s->wrap = wrap;
    s->word_wrap = words;
    s->quote = quote;
    return SHELL_DOT_DONE;
}

static enum shell_dot_result dot_separator(struct shell *s, int argc, char **argv)
{
    if (argc < 2 || argc > 3) return usage(".separator COL ?ROW?");
    shell_separators_set(s, argv[1], argc > 2 ? argv[2] : NULL);
    return SHELL_DOT_DONE;
}

static enum shell_dot_result dot_nullvalue(struct shell *s, int argc, char **argv)
{
    if (argc != 2) return usage(".nullvalue STRING");
    snprintf(s->null_text, sizeof s->null_text, "%s", argv[1]);
    return SHELL_DOT_DONE;
}

static enum shell_dot_result dot_headers(struct shell *s, int argc, char **argv)
{
    if (argc != 2) return usage(".headers on|off");
    s->headers = on_off(argv[1]);
    s->headers_set = true;
    return SHELL_DOT_DONE;
}

static enum shell_dot_result dot_print(struct shell *s, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) fprintf(s->out, "%s%s", i > 1 ? " " : "", argv[i]);
    fputc('\n', s->out);
    fflush(s->out);
    return SHELL_DOT_DONE;
}

static enum shell_dot_result flag_set(bool *flag, int argc, char **argv, const char *how)
{
    if (argc != 2) return usage(how);
    *flag = on_off(argv[1]);
    return SHELL_DOT_DONE;
}

static enum shell_dot_result dot_echo(struct shell *s, int argc, char **argv)
{
    return flag_set(&s->echo, argc, argv, ".echo on|off");
}

static enum shell_dot_result dot_bail(struct shell *s, int argc, char **argv)
{
    return flag_set(&s->bail, argc, argv, ".bail on|off");
}

static enum shell_dot_result dot_timer(struct shell *s, int argc, char **argv)
{
    return flag_set(&s->timer, argc, argv, ".timer on|off");
}

static enum shell_dot_result dot_changes(struct shell *s, int argc, char **argv)
{
    return flag_set(&s->changes, argc, argv, ".changes on|off");
}

static enum shell_dot_result dot_dbconfig(struct shell *s, int argc, char **argv)
{
    static const struct {
        const char *name;
        enum connection_flag flag;
    } SETTINGS[] = {
        {"dqs_ddl", CONNECTION_DQS_DDL},
        {"dqs_dml", CONNECTION_DQS_DML},
        {"enable_fkey", CONNECTION_FOREIGN_KEYS},
        {"trusted_schema", CONNECTION_TRUSTED_SCHEMA},
        {"writable_schema", CONNECTION_WRITABLE_SCHEMA},
    };
    bool known = argc == 1;
    for (u32 i = 0; i < COUNT_OF(SETTINGS); i++) {
        if (argc > 1 && strcmp(argv[1], SETTINGS[i].name) != 0) continue;
        known = true;
        if (argc > 2) connection_flag_set(s->db, SETTINGS[i].flag, on_off(argv[2]));
        fprintf(s->out, "%19s %s\n", SETTINGS[i].name, connection_flag(s->db, SETTINGS[i].flag) ? "on" : "off");
    }
    return known ? SHELL_DOT_DONE : usage(".dbconfig ?SETTING? ?on|off?");
}

static enum shell_dot_result dot_eqp(struct shell *s, int argc, char **argv)
{
    if (argc != 2) return usage(".eqp off|on|trigger|full");
    s->query_program = strcmp(argv[1], "full") == 0;
    s->query_plan = s->query_program || strcmp(argv[1], "trigger") == 0 || on_off(argv[1]);
    return SHELL_DOT_DONE;
}

static enum shell_dot_result dot_width(struct shell *s, int argc, char **argv)
{
    memset(s->widths, 0, sizeof s->widths);
    for (int i = 1; i < argc && i <= SHELL_WIDTHS_MAX; i++)
        s->widths[i - 1] = (int)strtol(argv[i], NULL, 10);
    return SHELL_DOT_DONE;
}

static enum shell_dot_result dot_read(struct shell *s, int argc, char **argv)
{
    if (argc != 2) return usage(".read FILE");
    bool pipe = argv[1][0] == '|';
    FILE *in = pipe ? popen(argv[1] + 1, "re") : fopen(argv[1], "re");
    if (!in) {
        fprintf(stderr, "Error: cannot open \"%s\"\n", argv[1]);
        return SHELL_DOT_FAILED;
    }
    bool good = shell_run_input(s, in, false);
    if (pipe)
        pclose(in);
    else
        fclose(in);
    return good ? SHELL_DOT_DONE : SHELL_DOT_FAILED;
}

static enum shell_dot_result dot_open(struct shell *s, int argc, char **argv)
{
    const char *path = ":memory:";
    for (int i = 1; i < argc; i++) {
        if (shell_is_option(argv[i], "readonly")) {
            s->read_only = true;
        } else if (argv[i][0] == '-') {
            fprintf(stderr, "unknown option: %s\n", argv[i]);
            return SHELL_DOT_FAILED;
        } else {
            path = argv[i];
        }
    }
    shell_open(s, path);
    return SHELL_DOT_DONE;
}

void shell_output_reset(struct shell *s)
{
    fflush(s->out);
    if (s->out != stdout && s->out_name[0] == '|')
        pclose(s->out);
    else if (s->out != stdout)
        fclose(s->out);
    s->out = stdout;
    s->out_count = 0;
    snprintf(s->out_name, sizeof s->out_name, "stdout");
}

static enum shell_dot_result output_to(struct shell *s, int argc, char **argv, u32 count)
{
    if (argc > 1 && (strcmp(argv[1], "-e") == 0 || strcmp(argv[1], "-x") == 0)) {
        fprintf(stderr, "Error: no editor and no spreadsheet is opened here: name a FILE\n");
        return SHELL_DOT_FAILED;
    }
    bool mark = argc > 1 && shell_is_option(argv[1], "bom");
    if (mark) argv++, argc--;
    if (argc > 2) {
        fprintf(stderr, "ERROR: extra parameter: \"%s\".  Usage:\n.%s ?FILE?\n", argv[2],
                count ? "once" : "output");
        return SHELL_DOT_FAILED;
    }
    shell_output_reset(s);
    if (argc < 2 || strcmp(argv[1], "stdout") == 0 || strcmp(argv[1], "off") == 0) {
        if (argc == 2 && argv[1][0] == 'o') s->out = fopen("/dev/null", "we");
        if (!s->out) s->out = stdout;
        return SHELL_DOT_DONE;
    }
    FILE *out = argv[1][0] == '|' ? popen(argv[1] + 1, "we") : fopen(argv[1], "we");
    if (!out) {
        fprintf(stderr, "Error: cannot open \"%s\"\nError: cannot write to \"%s\"\n", argv[1],
                argv[1]);
        return SHELL_DOT_FAILED;
    }
    if (mark) fputs("\xef\xbb\xbf", out);
    s->out = out;
    s->out_count = count;
    snprintf(s->out_name, sizeof s->out_name, "%s", argv[1]);
    return SHELL_DOT_DONE;
}

static enum shell_dot_result dot_output(struct shell *s, int argc, char **argv)
{
    return output_to(s, argc, argv, 0);
}

static enum shell_dot_result dot_once(struct shell *s, int argc, char **argv)
{
    // Of this command's own end, and the end of the next.
    return output_to(s, argc, argv, 2);
}

// Commands that are done elsewhere.
#define DOT_BY(name, act)                                                               \
    static enum shell_dot_result name(struct shell *s, int argc, char **argv)           \
    {                                                                                   \
        return act(s, argc, argv) ? SHELL_DOT_DONE : SHELL_DOT_FAILED;                  \
    }
DOT_BY(dot_dump, shell_dump)
DOT_BY(dot_import, shell_import)
DOT_BY(dot_parameter, shell_parameter_command)
DOT_BY(dot_fullschema, shell_fullschema)
DOT_BY(dot_dbinfo, shell_dbinfo)
DOT_BY(dot_limit, shell_limit)
DOT_BY(dot_lint, shell_lint)
DOT_BY(dot_backup, shell_backup)
DOT_BY(dot_schema, shell_schema)

static enum shell_dot_result dot_tables(struct shell *s, int argc, char **argv)
{
    return shell_names_list(s, "tables", argc > 1 ? argv[1] : NULL) ? SHELL_DOT_DONE
                                                                    : SHELL_DOT_FAILED;
}

static enum shell_dot_result dot_indexes(struct shell *s, int argc, char **argv)
{
    if (argc > 2) return usage(".indexes ?LIKE-PATTERN?");
    return shell_names_list(s, "indexes", argc > 1 ? argv[1] : NULL) ? SHELL_DOT_DONE
                                                                     : SHELL_DOT_FAILED;
}

static enum shell_dot_result dot_prompt(struct shell *s, int argc, char **argv)
{
    for (int i = 1; i < argc && i <= 2; i++) snprintf(s->prompts[i - 1], sizeof s->prompts[0], "%s", argv[i]);
    return SHELL_DOT_DONE;
}

static int database_print(void *context, struct skerry_stmt *stmt)
{
    struct shell *s = context;
    const char *name = skerry_column_text(stmt, 1, NULL), *path = skerry_column_text(stmt, 2, NULL);
    if (path && !path[0]) path = NULL;
    char *full = path ? realpath(path, NULL) : NULL;
    fprintf(s->out, "%s: %s %s\n", name ? name : "",
            full   ? full
            : path ? path
                   : "\"\"",
            s->read_only ? "r/o" : "r/w");
    free(full);
    return 0;
}

static enum shell_dot_result dot_databases(struct shell *s, int argc, char **argv)
{
    if (skerry_exec(s->db, "PRAGMA database_list", database_print, s) == SKERRY_OK)
        return SHELL_DOT_DONE;
    shell_error(s, "Error: %s\n", skerry_error(s->db)->text);
    return SHELL_DOT_FAILED;
}

static void show_text(struct shell *s, const char *name, const char *text)
{
    static const char FROM[] = "\n\r\t\"\\", TO[] = "nrt\"\\";
    fprintf(s->out, "%12s: \"", name);
    for (; *text; text++) {
        const char *at = strchr(FROM, *text);
        if (at)
            fprintf(s->out, "\\%c", TO[at - FROM]);
        else if ((u8)*text < 0x20 || (u8)*text >= 0x7f)
            fprintf(s->out, "\\%03o", (u8)*text);
        else
            fputc(*text, s->out);
    }
    fputs("\"\n", s->out);
}

static enum shell_dot_result dot_show(struct shell *s, int argc, char **argv)
{
    static const char *const ON[] = {"off", "on"};
    if (argc != 1) return usage(".show");
    fprintf(s->out, "%12s: %s\n%12s: %s\n%12s: auto\n%12s: %s\n%12s: ", "echo", ON[s->echo], "eqp",
            ON[s->query_plan], "explain", "headers", ON[s->headers], "mode");
    fputs(shell_mode_name(s->mode), s->out);
    if (s->mode == MODE_COLUMN || s->mode == MODE_TABLE || s->mode == MODE_BOX ||
        s->mode == MODE_MARKDOWN)
        fprintf(s->out, " --wrap %d --wordwrap %s --%squote", s->wrap, ON[s->word_wrap],
                s->quote ? "" : "no");
    fputc('\n', s->out);
    show_text(s, "nullvalue", s->null_text);
    fprintf(s->out, "%12s: %s\n", "output", s->out_name[0] ? s->out_name : "stdout");
    show_text(s, "colseparator", s->column_separator);
    show_text(s, "rowseparator", s->row_separator);
    fprintf(s->out, "%12s: off\n%12s: ", "stats", "width");
    int last = SHELL_WIDTHS_MAX;
    while (last > 0 && !s->widths[last - 1]) last--;
    for (int i = 0; i < last; i++) fprintf(s->out, "%d ", s->widths[i]);
    fprintf(s->out, "\n%12s: %s\n", "filename", s->path);
    return SHELL_DOT_DONE;
}

static enum shell_dot_result dot_cd(struct shell *s, int argc, char **argv)
{
    if (argc != 2) return usage(".cd DIRECTORY");
    if (chdir(argv[1]) == 0) return SHELL_DOT_DONE;
    fprintf(stderr, "Cannot change to directory \"%s\"\n", argv[1]);
    return SHELL_DOT_FAILED;
}

static enum shell_dot_result dot_version(struct shell *s, int argc, char **argv)
{
    fprintf(s->out, "Skerry %s\nSQLite %s\n", skerry_version(), skerry_sqlite_version());
    return SHELL_DOT_DONE;
}

static enum shell_dot_result dot_timeout(struct shell *s, int argc, char **argv)
{
    skerry_busy_timeout(s->db, argc > 1 ? (u32)strtoul(argv[1], NULL, 10) : 0);
    return SHELL_DOT_DONE;
}

static enum shell_dot_result dot_system(struct shell *s, int argc, char **argv)
{
    if (argc < 2) return usage(".system COMMAND");
    struct buffer command = {0};
    for (int i = 1; i < argc; i++) {
        bool quote = strchr(argv[i], ' ') != NULL;
        buffer_format(&command, quote ? "%s\"%s\"" : "%s%s", i > 1 ? " " : "", argv[i]);
    }
    buffer_add(&command, "", 1);
    fflush(s->out);
    int status = command.failed ? -1 : system(command.bytes);
    if (status != 0) fprintf(stderr, "System command returns %d\n", status);
    buffer_deinit(&command);
    return SHELL_DOT_DONE;
}

// Settings that change nothing here, taken so that scripts with them run.
static enum shell_dot_result dot_accepted(struct shell *s, int argc, char **argv)
{
    return SHELL_DOT_DONE;
}

static enum shell_dot_result dot_help(struct shell *s, int argc, char **argv);

// The first that an abbreviation fits is meant.
static const struct {
    const char *name, *arguments, *help;
    enum shell_dot_result (*run)(struct shell *s, int argc, char **argv);
} COMMANDS[] = {
    {"backup", "?DB? FILE", "a copy of the database into a file", dot_backup},
    {"bail", "on|off", "stop after an error", dot_bail},
    {"binary", "on|off", "changes nothing", dot_accepted},
    {"cd", "DIRECTORY", "change the working directory", dot_cd},
    {"changes", "on|off", "show the number of rows changed", dot_changes},
    {"dump", "?PATTERN?...", "the database as SQL text (--data-only, --newlines, --nosys)",
     dot_dump},
    {"databases", "", "list the attached databases", dot_databases},
    {"dbinfo", "?DB?", "what the database's header says, and what is in it", dot_dbinfo},
    {"dbconfig", "?SETTING? ?on|off?", "settings of the connection", dot_dbconfig},
    {"echo", "on|off", "print what is run", dot_echo},
    {"eqp", "on|off|full", "show the plan of each query; full: its program, too", dot_eqp},
    {"exit", "?CODE?", "leave", dot_quit},
    {"explain", "?on|off|auto?", "changes nothing", dot_accepted},
    {"fullschema", "", "CREATE statements and what ANALYZE found (--indent)", dot_fullschema},
    {"headers", "on|off", "names of columns", dot_headers},
    {"help", "?PATTERN?", "this list", dot_help},
    {"import", "FILE TABLE", "rows of a file into a table (--csv, --ascii, --skip N, -v)",
     dot_import},
    {"indexes", "?TABLE?", "names of indexes", dot_indexes},
    {"indices", "?TABLE?", "names of indexes", dot_indexes},
    {"limit", "?NAME? ?VALUE?", "limits of the connection", dot_limit},
    {"lint", "fkey-indexes", "indexes that foreign keys lack (-verbose, -groupbyparent)", dot_lint},
    {"log", "off", "changes nothing", dot_accepted},
    {"mode", "MODE ?TABLE?",
     "ascii box column csv html insert json line list markdown qbox quote table tabs tcl",
     dot_mode},
    {"nullvalue", "TEXT", "print this for NULL", dot_nullvalue},
    {"output", "?FILE?", "output into a file or a program (|COMMAND), or back to the terminal", dot_output},
    {"once", "FILE", "output of the next statement into a file", dot_once},
    {"open", "?FILE?", "close this database and open another (--readonly)", dot_open},
    {"parameter", "CMD...", "values of parameters: init, set, unset, list, clear", dot_parameter},
    {"print", "TEXT...", "print the text", dot_print},
    {"prompt", "MAIN CONTINUE", "other prompts", dot_prompt},
    {"quit", "", "leave", dot_quit},
    {"read", "FILE", "run a file, or what a program writes (|COMMAND)", dot_read},
    {"save", "?DB? FILE", "a copy of the database into a file", dot_backup},
    {"schema", "?PATTERN?", "CREATE statements (--indent, --nosys)", dot_schema},
    {"separator", "COL ?ROW?", "between columns and rows", dot_separator},
    {"shell", "COMMAND...", "run a program", dot_system},
    {"show", "", "current settings", dot_show},
    {"stats", "off", "changes nothing", dot_accepted},
    {"system", "COMMAND...", "run a program", dot_system},
    {"tables", "?PATTERN?", "names of tables", dot_tables},
    {"timeout", "MS", "wait so long for another writer", dot_timeout},
    {"timer", "on|off", "time of each statement", dot_timer},
    {"version", "", "versions", dot_version},
    {"width", "N...", "widths of columns; negative: to the right", dot_width},
};

// What sqlite3 has and this shell has not, and what does instead.
static const struct {
    const char *name, *instead;
} ABSENT[] = {
    {"archive", "use tar, or store the files as blobs"},
    {"auth", "a node's tokens say who may do what"},
    {"clone", "use .backup FILE, which makes a copy, or .dump"},
    {"connection", "a shell has one connection; ATTACH opens further databases"},
    {"excel", "use .mode csv and .once FILE"},
    {"expert", "use .eqp on, and .lint fkey-indexes"},
    {"filectrl", "PRAGMAs set what is to be set"},
    {"load", "no code is loaded into the process; programs that embed Skerry add functions by skerry.h"},
    {"progress", "Ctrl-C stops a statement"},
    {"recover", "a backup is restored by skerry restore; what can be read of a damaged file comes by .dump"},
    {"restore", "open FILE itself; a backup in a store is restored by skerry restore"},
    {"scanstats", "use .timer on and .eqp on"},
    {"selftest", "use PRAGMA integrity_check"},
    {"session", "there are no changesets"},
    {"sha3sum", "compare what .dump writes"},
    {"testcase", "compare what is written to a file by .output"},
    {"trace", "use .echo on"},
    {"vfsinfo", "use --vfs"},
};

static enum shell_dot_result dot_help(struct shell *s, int argc, char **argv)
{
    u32 shown = 0;
    const char *pattern = argc > 1 ? argv[1] + (argv[1][0] == '.') : "";
    for (u32 i = 0; i < COUNT_OF(COMMANDS); i++) {
        if (strncmp(COMMANDS[i].name, pattern, strlen(pattern)) != 0) continue;
        fprintf(s->out, ".%-10s %-14s %s\n", COMMANDS[i].name, COMMANDS[i].arguments,
                COMMANDS[i].help);
        shown++;
    }
    if (!shown) fprintf(s->out, "Nothing matches '%s'\n", argv[1]);
    return SHELL_DOT_DONE;
}

static u32 absent_find(const char *name)
{
    u32 i = 0;
    while (i < COUNT_OF(ABSENT) && strcmp(ABSENT[i].name, name) != 0) i++;
    return i;
}

enum shell_dot_result shell_dot_command(struct shell *s, char *line)
{
    char *argv[ARGUMENTS_MAX + 1];
    int argc = words_split(line + 1, argv);
    enum shell_dot_result result = SHELL_DOT_FAILED;
    if (argc == 0) return SHELL_DOT_DONE;
    u32 i = 0;
    size_t size = strlen(argv[0]);
    while (i < COUNT_OF(COMMANDS) && (size == 0 || strncmp(COMMANDS[i].name, argv[0], size) != 0))
        i++;
    if (i < COUNT_OF(COMMANDS))
        result = COMMANDS[i].run(s, argc, argv);
    else if ((i = absent_find(argv[0])) < COUNT_OF(ABSENT))
        shell_error(s, "Error: there is no .%s here: %s\n", ABSENT[i].name, ABSENT[i].instead);
    else
        shell_error(
            s, "Error: unknown command or invalid arguments:  \"%s\". Enter \".help\" for help\n",
            argv[0]);
    if (s->out_count && --s->out_count == 0) shell_output_reset(s);
    return result;
}
