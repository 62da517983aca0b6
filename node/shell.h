// The SQL shell: what sqlite3's does, as far as scripts written for it rely on it. Internal to
// shell*.c.
#pragma once

#include "../engine/skerry.h"
#include "buffer.h"

enum shell_mode {
    MODE_LIST,
    MODE_CSV,
    MODE_TCL,
    MODE_ASCII,
    MODE_QUOTE,
    MODE_INSERT,
    MODE_LINE,
    MODE_JSON,
    MODE_HTML,
    MODE_COLUMN,
    MODE_TABLE,
    MODE_BOX,
    MODE_MARKDOWN,
    MODE_OFF,
    MODE_COUNT,
};

#define SHELL_WIDTHS_MAX 100

struct shell {
    struct skerry_engine *engine;
    struct skerry *db;
    char *path;
    bool read_only;
    enum shell_mode mode;
    bool headers, headers_set, echo, bail, timer, changes, interactive, done, in_memory, query_plan, query_program;
    bool parameters; // .parameter was used: statements look their values up
    int exit_status;
    int code; // SQLite's result code of the newest failed statement
    char column_separator[64], row_separator[64], null_text[64], insert_table[200];
    int widths[SHELL_WIDTHS_MAX];
    char prompts[2][40]; // of a statement's first line, of the others
    int wrap; // width at which cells are broken in modes with columns; 0: nowhere
    bool word_wrap, quote;
    FILE *out;
    char out_name[256];
    u32 out_count; // after so many commands output goes back to the terminal; 0: it stays
    int line;      // of the input that is being read
    u32 depth;
    struct buffer plan; // rows of EXPLAIN QUERY PLAN: id, parent, text
};

// shell.c
bool shell_open(struct shell *s,
                const char *path); // false: told, and an empty database is open instead
// Runs the statements of a text, printing rows; stops at the first error, which is told. False: an
// error.
bool shell_run_sql(struct shell *s, const char *sql, size_t size, int start_line,
                   bool from_argument);
bool shell_run_input(struct shell *s, FILE *in, bool terminal);
void shell_error(struct shell *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

// shell_print.c
struct printer {
    struct shell *s;
    u32 columns;
    u64 rows;
    char **cells; // column modes: all of them, headers first
    size_t cell_count, cell_capacity;
    bool tall, failed; // tall: some row takes several lines
};
bool shell_mode_set(struct shell *s, const char *name);
void shell_separators_set(struct shell *s, const char *column, const char *row); // NULL: as it is
const char *shell_mode_name(enum shell_mode mode);
void printer_begin(struct printer *p, struct shell *s, struct skerry_stmt *stmt);
void printer_row(struct printer *p, struct skerry_stmt *stmt);
void printer_end(struct printer *p);
// one_line: for INSERT statements, ends of lines by way of replace().
void print_sql_literal(FILE *out, struct skerry_stmt *stmt, u32 column, bool one_line);
void print_quoted_text(FILE *out, const char *text);
void print_c_string(FILE *out, const char *text, size_t size);

// shell_dot.c
enum shell_dot_result { SHELL_DOT_DONE, SHELL_DOT_FAILED, SHELL_DOT_LEAVE };
enum shell_dot_result shell_dot_command(struct shell *s, char *line);
void shell_output_reset(struct shell *s); // to standard output

// shell_parameter.c
void shell_parameters_bind(struct shell *s, struct skerry_stmt *stmt);
bool shell_parameter_command(struct shell *s, int argc, char **argv);

// shell_plan.c
void shell_plan_row(struct shell *s, struct skerry_stmt *stmt);
void shell_plan_print(struct shell *s);

// shell_schema.c
bool shell_names_list(struct shell *s, const char *what,
                      const char *pattern); // what: tables or indexes
bool shell_schema(struct shell *s, int argc, char **argv);
void shell_quoted_add(struct buffer *sql, const char *text, char quote); // between quotes, those within doubled
bool shell_is_option(const char *argument, const char *name); // "-name" or "--name"
void shell_create_print(FILE *out, const char *sql, const char *database,
                        bool indent); // database: named in the statement, or NULL; indent: long ones on several lines

// shell_dump.c
// Quotes an identifier when it needs it, into out.
const char *shell_identifier(const char *name, char *out, size_t out_size);
bool shell_dump(struct shell *s, int argc, char **argv);

// shell_inspect.c
bool shell_fullschema(struct shell *s, int argc, char **argv);
bool shell_dbinfo(struct shell *s, int argc, char **argv);
bool shell_limit(struct shell *s, int argc, char **argv);
bool shell_lint(struct shell *s, int argc, char **argv);
bool shell_backup(struct shell *s, int argc, char **argv);

// shell_import.c
bool shell_import(struct shell *s, int argc, char **argv);
