// The SQL shell: what sqlite3's does, as far as scripts written for it rely on it. Internal to
// shell*.c.
#pragma once

#include "../engine/skerry.h"
#include "buffer.h"

enum shell_mode {
    MODE_LIST,
    MODE_CSV,
    MODE_TABS,
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
    MODE_COUNT,
};

#define SHELL_WIDTHS_MAX 100

struct shell {
    struct skerry_engine *engine;
    struct skerry *db;
    char *path;
    bool read_only;
    enum shell_mode mode;
    bool headers, headers_set, echo, bail, timer, changes, interactive, done;
    int exit_status;
    char column_separator[64], row_separator[64], null_text[64], insert_table[200];
    int widths[SHELL_WIDTHS_MAX];
    FILE *out;
    bool out_once;
    int line; // of the input that is being read
    u32 errors, depth;
};

// shell.c
bool shell_open(struct shell *s, const char *path);
// Runs every statement of a text, printing rows; prefix_line > 0: errors name that line. False: an
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
    u8 *numeric;
    size_t cell_count, cell_capacity;
    bool failed;
};
bool shell_mode_set(struct shell *s, const char *name);
const char *shell_mode_name(enum shell_mode mode);
void printer_begin(struct printer *p, struct shell *s, struct skerry_stmt *stmt);
void printer_row(struct printer *p, struct skerry_stmt *stmt);
void printer_end(struct printer *p, struct skerry_stmt *stmt);
void print_sql_literal(FILE *out, struct skerry_stmt *stmt, u32 column);
void print_csv_field(FILE *out, const char *text, size_t size, const char *separator);

// shell_dot.c
void shell_dot_command(struct shell *s, char *line);

// shell_dump.c
void shell_dump(struct shell *s, const char *pattern);
void shell_import(struct shell *s, int argc, char **argv);
// Quotes an identifier when it needs it, into out.
const char *shell_identifier(const char *name, char *out, size_t out_size);
