#include "shell.h"
#include "store_view.h"
#include "command.h"

#include <ctype.h>
#include <editline/readline.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SHELL_DEPTH_MAX     25 // .read inside .read
#define SHELL_HISTORY_LINES 2000

static struct shell *interrupted_shell;

static void on_interrupt(int signal_number)
{
    if (interrupted_shell && interrupted_shell->db) skerry_interrupt(interrupted_shell->db);
}

void shell_error(struct shell *s, const char *format, ...)
{
    va_list args;
    fflush(s->out);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
}

// Whether the file is there or can be made, asked before the engine reads it: sqlite3 tells at
// once, too.
static bool file_reachable(const char *path, bool read_only)
{
    if (!path[0] || strcmp(path, ":memory:") == 0 || strncmp(path, "file:", 5) == 0) return true;
    struct stat st;
    if (stat(path, &st) == 0) return !S_ISDIR(st.st_mode) && access(path, R_OK) == 0;
    if (read_only) return false;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

static bool database_open(struct shell *s, const char *path)
{
    struct err err = ERR_CLEAR;
    while (s->db && skerry_close(s->db, NULL) == SKERRY_WAIT) skerry_wait(s->db);
    s->db = NULL;
    char *copy = strdup(path);
    bool reachable = s->in_memory || file_reachable(path, s->read_only);
    if (!copy || !reachable ||
        !skerry_open(s->engine, path, s->read_only ? SKERRY_OPEN_READ_ONLY : SKERRY_OPEN_CREATE,
                     &s->db, &err)) {
        free(copy);
        shell_error(s, "Error: unable to open database \"%s\": %s\n", path,
                    reachable ? err.text : "unable to open database file");
        return false;
    }
    free(s->path);
    s->path = copy;
    return true;
}

bool shell_open(struct shell *s, const char *path)
{
    if (database_open(s, path)) return true;
    // The shell goes on with an empty database.
    if (!database_open(s, ":memory:")) s->done = true;
    return false;
}

// Two lines that show where in the SQL an error lies, as sqlite3 prints them.
static void error_context(const char *sql, size_t size, s64 offset)
{
    if (offset < 0 || (size_t)offset >= size) return;
    while (offset > 50) {
        offset--, sql++, size--;
        while (size && (*sql & 0xc0) == 0x80) sql++, size--, offset--;
    }
    size_t shown = MIN(size, (size_t)78);
    while (shown < size && shown && (sql[shown] & 0xc0) == 0x80) shown--;
    fprintf(stderr, "  ");
    for (size_t i = 0; i < shown; i++) fputc(isspace((u8)sql[i]) ? ' ' : sql[i], stderr);
    if (offset < 25)
        fprintf(stderr, "\n  %*s^--- error here\n", (int)offset, "");
    else
        fprintf(stderr, "\n  %*serror here ---^\n", (int)offset - 14, "");
}

static void sql_failed(struct shell *s, bool preparing, const char *sql, size_t size,
                       int start_line, bool from_argument)
{
    const struct err *err = skerry_error(s->db);
    const char *text = err->text[0] ? err->text : err_default_text(err->code);
    int code = err_primary(err->code);
    char where[40] = "", suffix[20] = "";
    if (code > 1) snprintf(suffix, sizeof suffix, " (%d)", code);
    if (!s->interactive) snprintf(where, sizeof where, " near line %d", start_line);
    if (from_argument)
        shell_error(s, "Error: %s, %s%s\n", preparing ? "in prepare" : "stepping", text, suffix);
    else
        shell_error(s, "%s error%s: %s%s\n", preparing ? "Parse" : "Runtime", where, text, suffix);
    s->code = code;
    if (preparing) error_context(sql, size, err->offset);
}

static bool statement_run(struct shell *s, struct skerry_stmt *stmt)
{
    struct printer p;
    bool begun = false, plan = skerry_stmt_explain(stmt) == SKERRY_EXPLAIN_QUERY_PLAN;
    int rc;
    if (s->parameters) shell_parameters_bind(s, stmt);
    while ((rc = skerry_step(stmt)) == SKERRY_ROW || rc == SKERRY_WAIT) {
        if (rc == SKERRY_WAIT) {
            skerry_wait(s->db);
            continue;
        }
        if (plan) {
            shell_plan_row(s, stmt);
            continue;
        }
        if (!begun) printer_begin(&p, s, stmt);
        begun = true;
        printer_row(&p, stmt);
    }
    if (begun) printer_end(&p);
    if (plan) shell_plan_print(s);
    if (rc != SKERRY_DONE) return false;
    while ((rc = skerry_reset(stmt)) == SKERRY_WAIT) skerry_wait(s->db);
    return rc == SKERRY_OK;
}

// What .eqp shows before the statement runs: what `how` and the statement give.
static void plan_show(struct shell *s, struct skerry_stmt *stmt, const char *how)
{
    if (skerry_stmt_explain(stmt) != SKERRY_EXPLAIN_NO) return;
    size_t size, used;
    const char *text = skerry_sql(stmt, &size);
    struct buffer sql = {0};
    struct skerry_stmt *explain = NULL;
    int rc;
    buffer_text(&sql, how);
    buffer_add(&sql, text, size);
    while ((rc = skerry_prepare(s->db, sql.bytes, sql.size, &explain, &used)) == SKERRY_WAIT)
        skerry_wait(s->db);
    if (rc == SKERRY_OK && explain) {
        (void)statement_run(s, explain);
        skerry_finalize(explain);
    }
    buffer_deinit(&sql);
}

static void program_show(struct shell *s, struct skerry_stmt *stmt)
{
    enum shell_mode mode = s->mode;
    bool headers = s->headers;
    s->mode = MODE_COLUMN;
    s->headers = true;
    plan_show(s, stmt, "EXPLAIN ");
    s->mode = mode;
    s->headers = headers;
}

struct run_clock {
    struct timespec real;
    struct rusage usage;
};

static void clock_read(struct run_clock *c)
{
    clock_gettime(CLOCK_MONOTONIC, &c->real);
    getrusage(RUSAGE_SELF, &c->usage);
}

static double seconds_between(struct timeval a, struct timeval b)
{
    return (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_usec - a.tv_usec) / 1e6;
}

static void clock_print(struct shell *s, const struct run_clock *a)
{
    struct run_clock b;
    clock_read(&b);
    fprintf(s->out, "Run Time: real %.3f user %.6f sys %.6f\n",
            (double)(b.real.tv_sec - a->real.tv_sec) +
                (double)(b.real.tv_nsec - a->real.tv_nsec) / 1e9,
            seconds_between(a->usage.ru_utime, b.usage.ru_utime),
            seconds_between(a->usage.ru_stime, b.usage.ru_stime));
}

bool shell_run_sql(struct shell *s, const char *sql, size_t size, int start_line,
                   bool from_argument)
{
    bool good = true;
    struct run_clock before;
    clock_read(&before);
    while (size && good) {
        struct skerry_stmt *stmt = NULL;
        size_t used = 0;
        int rc;
        if (isspace((u8)*sql)) {
            sql++, size--;
            continue;
        }
        while ((rc = skerry_prepare(s->db, sql, size, &stmt, &used)) == SKERRY_WAIT)
            skerry_wait(s->db);
        if (rc != SKERRY_OK) {
            sql_failed(s, true, sql, size, start_line, from_argument);
            good = false;
            break;
        }
        if (stmt && s->query_plan) plan_show(s, stmt, "EXPLAIN QUERY PLAN ");
        if (stmt && s->query_program) program_show(s, stmt);
        if (stmt && !statement_run(s, stmt)) {
            sql_failed(s, false, sql, size, start_line, from_argument);
            good = false;
        }
        if (stmt) skerry_finalize(stmt);
        sql += used;
        size -= used;
    }
    if (s->timer) clock_print(s, &before);
    if (s->changes && good)
        fprintf(s->out, "changes: %lld   total_changes: %lld\n", (long long)skerry_changes(s->db),
                (long long)skerry_total_changes(s->db));
    fflush(s->out);
    if (s->out_count) shell_output_reset(s);
    return good;
}

// ---- input -----------------------------

static bool only_space(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!isspace((u8)text[i])) return false;
    return true;
}

// One line without its end; NULL at the end of the input. The line is malloc'ed.
static char *line_read(struct shell *s, FILE *in, bool terminal, bool continued)
{
    if (terminal) {
        char *line = readline(s->prompts[continued]);
        if (line && *line) add_history(line);
        return line;
    }
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size = getline(&line, &capacity, in);
    if (size < 0) {
        free(line);
        return NULL;
    }
    if (size && line[size - 1] == '\n') line[--size] = 0;
    if (size && line[size - 1] == '\r') line[--size] = 0;
    return line;
}

static bool line_is(const char *line, const char *word)
{
    while (isspace((u8)*line)) line++;
    size_t n = strlen(word);
    return strncasecmp(line, word, n) == 0 && only_space(line + n, strlen(line + n));
}

bool shell_run_input(struct shell *s, FILE *in, bool terminal)
{
    if (s->depth >= SHELL_DEPTH_MAX) {
        shell_error(s, "Input nesting limit (%d) reached at line %d. Check recursion.\n",
                    SHELL_DEPTH_MAX, s->line);
        return false;
    }
    struct buffer sql = {0};
    int start_line = 0, line_before = s->line;
    bool left = false, good = true;
    char *line;
    s->depth++;
    s->line = 0;
    while (!s->done && !left && (good || !s->bail || terminal) &&
           (line = line_read(s, in, terminal, sql.size > 0))) {
        s->line++;
        size_t size = strlen(line);
        if (!sql.size && (only_space(line, size) || line[0] == '.' || line[0] == '#')) {
            if (s->echo) fprintf(s->out, "%s\n", line);
            if (line[0] == '.') {
                enum shell_dot_result result = shell_dot_command(s, line);
                good &= result != SHELL_DOT_FAILED;
                left = result == SHELL_DOT_LEAVE;
            }
            free(line);
            continue;
        }
        bool go = sql.size && (line_is(line, "/") || line_is(line, "go")) &&
                  skerry_complete(sql.bytes, sql.size) == false;
        if (sql.size)
            buffer_add(&sql, "\n", 1);
        else
            start_line = s->line;
        if (go)
            buffer_text(&sql, ";");
        else
            buffer_add(&sql, line, size);
        bool semicolon = go || memchr(line, ';', size);
        free(line);
        if (sql.failed) {
            shell_error(s, "Error: out of memory\n");
            good = false;
            break;
        }
        if (!semicolon || !skerry_complete(sql.bytes, sql.size)) continue;
        if (s->echo) fprintf(s->out, "%.*s\n", (int)sql.size, sql.bytes);
        good &= shell_run_sql(s, sql.bytes, sql.size, start_line, false);
        sql.size = 0;
    }
    if (sql.size && !s->done && !left && (good || !s->bail) && !only_space(sql.bytes, sql.size)) {
        if (s->echo) fprintf(s->out, "%.*s\n", (int)sql.size, sql.bytes);
        good &= shell_run_sql(s, sql.bytes, sql.size, start_line, false);
    }
    buffer_deinit(&sql);
    s->depth--;
    s->line = line_before;
    return good;
}

// ---- the command -----------------------------

static const char SQL_USAGE[] =
    "usage: skerry sql [OPTION]... [FILE [SQL]...]\n"
    "       skerry sql --store URL [--database NAME] [--at TIME | --tx N] [OPTION]... [SQL]...\n\n"
    "Runs SQL on a database file, from arguments, from standard input, or at a prompt. FILE is "
    "made when it is\n"
    "missing; without FILE the database is in memory. With --store it is a state of the backup there, "
    "to be read\n"
    "only: pages come as they are asked for (settings of the store as for skerry restore). Lines that start with a dot are the shell's "
    "own (.help).\n\n"
    "  -batch             read standard input without a prompt\n"
    "  -cmd SQL           run this before anything else\n"
    "  -bail              stop at the first error\n"
    "  -echo              print what is run\n"
    "  -readonly          open the file for reading only\n"
    "  -header, -noheader names of columns, or not\n"
    "  -MODE              ascii box column csv html json line list markdown quote table tabs\n"
    "  -separator TEXT    between columns; -newline TEXT between rows; -nullvalue TEXT for NULL\n"
    "  --vfs NAME         io_uring (falls back to posix), posix or memory\n"
    "  --db-key HEX, --db-passphrase TEXT, or --db-key-file, --db-passphrase-file FILE: of an encrypted FILE\n"
    "                     (SKERRY_DB_KEY_FILE ...); --db-key-previous, --db-passphrase-previous: it is taken from that key\n"
    "                     to the other\n"
    "  --db-checksums on  a new FILE has page checksums\n"
    "  -version, -help\n";

struct sql_arguments {
    enum io_backend_kind backend;
    const char *path;
    const char *commands[32], *texts[64];
    u32 command_count, text_count;
    char *store[64]; // flags of a store and a state in it, with their values
    int store_count;
    char *database[16]; // the same of keys and checksums
    int database_count;
    bool batch;
    int status; // -1: go on
};

static const enum setting SQL_SETTINGS[] = {DATABASE_SETTINGS};
static const struct config_command SQL_CONFIG = {"", SQL_SETTINGS, COUNT_OF(SQL_SETTINGS)};

static bool backend_parse(const char *name, enum io_backend_kind *out)
{
    *out = strcmp(name, "posix") == 0    ? IO_BACKEND_POSIX
           : strcmp(name, "memory") == 0 ? IO_BACKEND_MEMORY
                                         : IO_BACKEND_RING;
    return *out != IO_BACKEND_RING || strcmp(name, "io_uring") == 0;
}

// Unlike .mode: whole names only, headers and the end of rows stay as they are.
static bool mode_option(struct shell *s, const char *option)
{
    static const char *const MODES[] = {"list", "csv",  "tabs",   "ascii", "quote", "line",
                                        "json", "html", "column", "table", "box",   "markdown"};
    bool headers = s->headers;
    char row[sizeof s->row_separator];
    snprintf(row, sizeof row, "%s", s->row_separator);
    for (u32 i = 0; i < COUNT_OF(MODES); i++) {
        if (strcmp(option, MODES[i]) != 0) continue;
        shell_mode_set(s, option);
        s->headers = headers;
        if (s->mode == MODE_CSV) shell_separators_set(s, NULL, row);
        return true;
    }
    return false;
}

static bool option_read(struct shell *s, struct sql_arguments *a, const char *option,
                        const char *value, bool *took)
{
    *took = true;
    if (strcmp(option, "cmd") == 0 && value && a->command_count < COUNT_OF(a->commands))
        a->commands[a->command_count++] = value;
    else if (strcmp(option, "separator") == 0 && value)
        snprintf(s->column_separator, sizeof s->column_separator, "%s", value);
    else if (strcmp(option, "newline") == 0 && value)
        snprintf(s->row_separator, sizeof s->row_separator, "%s", value);
    else if (strcmp(option, "nullvalue") == 0 && value)
        snprintf(s->null_text, sizeof s->null_text, "%s", value);
    else if (store_view_takes(option) && value && a->store_count + 2 <= (int)COUNT_OF(a->store)) {
        a->store[a->store_count++] = (char *)option - 2;
        a->store[a->store_count++] = (char *)value;
    } else if (config_takes(&SQL_CONFIG, option) && value && a->database_count + 2 <= (int)COUNT_OF(a->database)) {
        a->database[a->database_count++] = (char *)option - 2;
        a->database[a->database_count++] = (char *)value;
    } else if (strcmp(option, "vfs") == 0 && value)
        return backend_parse(value, &a->backend);
    else {
        *took = false;
        if (strcmp(option, "batch") == 0) return a->batch = true;
        if (strcmp(option, "bail") == 0) return s->bail = true;
        if (strcmp(option, "echo") == 0) return s->echo = true;
        if (strcmp(option, "readonly") == 0) return s->read_only = true;
        if (strcmp(option, "header") == 0) return s->headers = true;
        if (strcmp(option, "noheader") == 0) return s->headers = false, true;
        if (strcmp(option, "interactive") == 0) return true;
        return mode_option(s, option);
    }
    return true;
}

static bool arguments_read(struct shell *s, struct sql_arguments *a, int argc, char **argv)
{
    a->status = -1;
    for (int i = 0; i < argc; i++) {
        const char *option = argv[i];
        if (option[0] != '-' || !option[1]) {
            if (!a->path)
                a->path = option;
            else if (a->text_count < COUNT_OF(a->texts))
                a->texts[a->text_count++] = option;
            continue;
        }
        bool dashes = option[1] == '-', took;
        option += dashes ? 2 : 1;
        if (!dashes && (store_view_takes(option) || config_takes(&SQL_CONFIG, option))) option = ""; // these are the node's, with two dashes
        if (strcmp(option, "help") == 0 || strcmp(option, "h") == 0) {
            printf("%s", SQL_USAGE);
            a->status = 0;
            return true;
        }
        if (strcmp(option, "version") == 0) {
            printf("skerry %s (SQLite %s)\n", skerry_version(), skerry_sqlite_version());
            a->status = 0;
            return true;
        }
        if (!option_read(s, a, option, i + 1 < argc ? argv[i + 1] : NULL, &took)) {
            fprintf(
                stderr,
                "skerry: option '%s' is not known or its value is missing; see skerry sql --help\n",
                argv[i]);
            a->status = EXIT_USAGE;
            return false;
        }
        i += took;
    }
    return true;
}

// True: go on with the next one. Gives the status in s->exit_status otherwise.
static bool text_run(struct shell *s, const char *text, bool ends_at_error)
{
    char *copy = strdup(text);
    bool good = false;
    if (copy && copy[0] == '.') {
        enum shell_dot_result result = shell_dot_command(s, copy);
        good = result == SHELL_DOT_DONE;
        if (!s->exit_status && result == SHELL_DOT_FAILED && ends_at_error)
            s->exit_status = EXIT_FAILED;
    } else if (copy) {
        good = shell_run_sql(s, copy, strlen(copy), 1, true);
        if (!good && ends_at_error) s->exit_status = s->code;
    }
    free(copy);
    s->done |= !good && ends_at_error;
    return !s->done;
}

static void shell_work(struct shell *s, const struct sql_arguments *a)
{
    for (u32 i = 0; i < a->command_count; i++)
        if (!text_run(s, a->commands[i], s->bail)) return;
    for (u32 i = 0; i < a->text_count; i++)
        if (!text_run(s, a->texts[i], true)) return;
    if (a->text_count || s->done) return;
    s->interactive = !a->batch && isatty(STDIN_FILENO);
    char history[1024];
    const char *home = getenv("HOME");
    snprintf(history, sizeof history, "%s/.skerry_history", home ? home : ".");
    if (s->interactive) {
        printf("Skerry %s (SQLite %s)\nEnter \".help\" for usage hints.\n", skerry_version(),
               skerry_sqlite_version());
        read_history(history);
        stifle_history(SHELL_HISTORY_LINES);
    }
    if (!shell_run_input(s, stdin, s->interactive) && !s->exit_status && !s->interactive)
        s->exit_status = EXIT_FAILED;
    if (s->interactive) write_history(history);
}

// Taking a file to another key goes on in the background, which ends with the shell.
static void rekey_await(struct shell *s, struct io *io)
{
    struct store *store = s->db ? skerry_store(s->db) : NULL;
    if (!store || s->read_only || !skerry_autocommit(s->db)) return;
    for (u32 left, before = UINT32_MAX, still = 0; (left = store_rekey_left(store)) && still < 100; before = left) {
        still = left < before ? 0 : still + 1; // it has failed: the next life tries again
        io_step(io, 100000000);
    }
}

static bool engine_open(struct shell *s, const struct sql_arguments *a, struct io *io, struct database_config *d, struct err *err)
{
    struct config config = {0};
    bool good = config_load(&config, &SQL_CONFIG, a->database_count, (char **)a->database, err) && config_database(&config, d, err);
    config_deinit(&config);
    struct skerry_engine_options o = {.io = io, .key = &d->key, .key_previous = &d->previous, .checksums = d->checksums};
    return good && skerry_engine_create(&o, &s->engine, err);
}

int sql_command(int argc, char **argv)
{
    struct shell s = {.mode = MODE_LIST,
                      .out = stdout,
                      .column_separator = "|",
                      .prompts = {"skerry> ", "   ...> "},
                      .row_separator = "\n",
                      .insert_table = "table"};
    struct sql_arguments a = {.backend = IO_BACKEND_RING};
    struct err err = ERR_CLEAR;
    setvbuf(stderr, NULL, _IONBF, 0);
    arguments_read(&s, &a, argc, argv);
    if (a.status >= 0) return a.status;
    struct io *io = io_create(&(struct io_options){.backend = a.backend, .fallback = true}, &err);
    struct database_config database = {0};
    if (!io || !engine_open(&s, &a, io, &database, &err)) {
        if (io) io_destroy(io);
        sodium_memzero(&database, sizeof database);
        return command_failed(&err);
    }
    interrupted_shell = &s;
    signal(SIGINT, on_interrupt);
    int status = EXIT_FAILED;
    struct store_view view = {0};
    s.in_memory = a.backend == IO_BACKEND_MEMORY;
    bool good = true;
    if (a.store_count) {
        if (a.path) memmove(a.texts + 1, a.texts, sizeof a.texts - sizeof a.texts[0]);
        if (a.path) a.texts[0] = a.path;
        if (a.path) a.text_count = MIN(a.text_count + 1, (u32)COUNT_OF(a.texts));
        a.path = view.path;
        s.read_only = true;
        good = store_view_open(&view, io, a.store_count, a.store, &database.key, &err);
        if (!good) status = command_failed(&err);
        err_clear(&err);
    }
    sodium_memzero(&database, sizeof database);
    if (good && database_open(&s, a.path ? a.path : ":memory:")) {
        shell_work(&s, &a);
        status = s.exit_status;
    }
    shell_output_reset(&s);
    rekey_await(&s, io);
    while (s.db && skerry_close(s.db, &err) == SKERRY_WAIT) skerry_wait(s.db);
    if (err.code != ERR_OK) status = command_failed(&err);
    skerry_engine_destroy(s.engine);
    store_view_close(&view);
    io_destroy(io);
    free(s.path);
    return status;
}
