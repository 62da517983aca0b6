#include "shell.h"

#include <ctype.h>

static bool is_plain_identifier(const char *name)
{
    static const char *const RESERVED[] = {
        "table", "index",       "select", "from",       "where",      "group",   "order",
        "by",    "values",      "insert", "update",     "delete",     "set",     "create",
        "drop",  "primary",     "key",    "default",    "check",      "unique",  "not",
        "null",  "and",         "or",     "in",         "is",         "as",      "on",
        "join",  "limit",       "having", "union",      "case",       "when",    "then",
        "else",  "transaction", "to",     "references", "constraint", "collate", "commit"};
    if (!isalpha((u8)name[0]) && name[0] != '_') return false;
    for (const char *p = name; *p; p++)
        if (!isalnum((u8)*p) && *p != '_') return false;
    for (u32 i = 0; i < COUNT_OF(RESERVED); i++)
        if (strcasecmp(name, RESERVED[i]) == 0) return false;
    return true;
}

const char *shell_identifier(const char *name, char *out, size_t out_size)
{
    if (is_plain_identifier(name)) {
        snprintf(out, out_size, "%s", name);
        return out;
    }
    size_t n = 0;
    out[n++] = '"';
    for (; *name && n + 4 < out_size; name++) {
        if (*name == '"') out[n++] = '"';
        out[n++] = *name;
    }
    out[n++] = '"';
    out[n] = 0;
    return out;
}

// ---- .dump
// --------------------------------------------------------------------------------------------

static bool dump_rows(struct shell *s, const char *table)
{
    char sql[700], quoted[500];
    struct skerry_stmt *stmt = NULL;
    size_t used;
    int rc;
    snprintf(sql, sizeof sql, "SELECT * FROM %s", shell_identifier(table, quoted, sizeof quoted));
    while ((rc = skerry_prepare(s->db, sql, strlen(sql), &stmt, &used)) == SKERRY_WAIT)
        skerry_wait(s->db);
    if (rc != SKERRY_OK || !stmt) return false;
    while ((rc = skerry_step(stmt)) == SKERRY_ROW || rc == SKERRY_WAIT) {
        if (rc == SKERRY_WAIT) {
            skerry_wait(s->db);
            continue;
        }
        fprintf(s->out, "INSERT INTO %s VALUES(", quoted);
        for (u32 i = 0; i < skerry_column_count(stmt); i++) {
            if (i) fputc(',', s->out);
            print_sql_literal(s->out, stmt, i);
        }
        fputs(");\n", s->out);
    }
    skerry_finalize(stmt);
    return rc == SKERRY_DONE;
}

struct dump_state {
    struct shell *s;
    const char *pattern;
    bool tables, sequence;
};

static int dump_object(void *context, struct skerry_stmt *stmt)
{
    struct dump_state *d = context;
    struct shell *s = d->s;
    const char *name = skerry_column_text(stmt, 0, NULL), *sql = skerry_column_text(stmt, 1, NULL);
    if (!name || !sql) return 0;
    if (!d->tables) {
        fprintf(s->out, "%s;\n", sql);
        return 0;
    }
    if (strcmp(name, "sqlite_sequence") == 0) {
        d->sequence = true;
        return 0;
    }
    if (strncmp(name, "sqlite_stat", 11) == 0)
        fputs("ANALYZE sqlite_schema;\n", s->out);
    else
        fprintf(s->out, "%s;\n", sql);
    if (strncasecmp(sql, "CREATE VIRTUAL TABLE", 20) == 0) return 0;
    if (!dump_rows(s, name))
        fprintf(s->out, "/****** ERROR: %s ******/\n", skerry_error(s->db)->text);
    return 0;
}

void shell_dump(struct shell *s, const char *pattern)
{
    struct dump_state d = {s, pattern, true, false};
    struct buffer sql = {0};
    fputs("PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n", s->out);
    buffer_text(&sql, "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql NOT NULL ");
    struct buffer like = {0};
    if (pattern) {
        buffer_text(&like, "AND name LIKE '");
        for (const char *p = pattern; *p; p++)
            buffer_add(&like, *p == '\'' ? "''" : p, *p == '\'' ? 2 : 1);
        buffer_text(&like, "' ESCAPE '\\' ");
        buffer_add(&sql, like.bytes, like.size);
    }
    buffer_text(&sql, "ORDER BY tbl_name = 'sqlite_sequence', rowid");
    buffer_add(&sql, "", 1);
    skerry_exec(s->db, sql.bytes, dump_object, &d);
    if (d.sequence) {
        fputs("DELETE FROM sqlite_sequence;\n", s->out);
        dump_rows(s, "sqlite_sequence");
    }
    sql.size = 0;
    d.tables = false;
    buffer_text(&sql, "SELECT name, sql FROM sqlite_schema WHERE sql NOT NULL AND type IN "
                      "('index','trigger','view') ");
    if (like.size) buffer_add(&sql, like.bytes, like.size);
    buffer_text(&sql, "ORDER BY type COLLATE NOCASE DESC");
    buffer_add(&sql, "", 1);
    skerry_exec(s->db, sql.bytes, dump_object, &d);
    fputs("COMMIT;\n", s->out);
    buffer_deinit(&sql);
    buffer_deinit(&like);
}

// ---- .import
// ------------------------------------------------------------------------------------------

struct reader {
    FILE *in;
    int column_end, row_end;
    bool quotes;
    struct buffer field;
    int terminator;
    int line;
};

// The next field; false at the end of the file. The terminator tells whether the row ended with it.
static bool field_read(struct reader *r)
{
    int c = fgetc(r->in);
    r->field.size = 0;
    if (c == EOF) {
        r->terminator = EOF;
        return false;
    }
    if (r->quotes && c == '"') {
        for (;;) {
            c = fgetc(r->in);
            if (c == '\n') r->line++;
            if (c == '"') {
                c = fgetc(r->in);
                if (c != '"') break;
            } else if (c == EOF) {
                break;
            }
            buffer_add(&r->field, &(char){(char)c}, 1);
        }
        if (c == '\r') c = fgetc(r->in);
    }
    while (c != EOF && c != r->column_end && c != r->row_end) {
        buffer_add(&r->field, &(char){(char)c}, 1);
        c = fgetc(r->in);
    }
    if (c == r->row_end) {
        r->line++;
        if (r->field.size && r->field.bytes[r->field.size - 1] == '\r' && r->row_end == '\n')
            r->field.size--;
    }
    r->terminator = c;
    buffer_add(&r->field, "", 1);
    r->field.size--;
    return true;
}

// Makes the table from the names in the first row; gives the number of columns, 0 on failure.
static u32 table_make(struct shell *s, struct reader *r, const char *table)
{
    struct buffer sql = {0};
    char quoted[500];
    u32 columns = 0;
    buffer_format(&sql, "CREATE TABLE %s(", shell_identifier(table, quoted, sizeof quoted));
    while (field_read(r)) {
        buffer_format(&sql, "%s\n\"", columns++ ? "," : "");
        for (size_t i = 0; i < r->field.size; i++)
            buffer_add(&sql, r->field.bytes[i] == '"' ? "\"\"" : r->field.bytes + i,
                       r->field.bytes[i] == '"' ? 2 : 1);
        buffer_text(&sql, "\" TEXT");
        if (r->terminator != r->column_end) break;
    }
    buffer_text(&sql, ")");
    buffer_add(&sql, "", 1);
    if (!columns || skerry_exec(s->db, sql.bytes, NULL, NULL) != SKERRY_OK) {
        shell_error(s, "CREATE TABLE %s failed: %s\n", quoted,
                    columns ? skerry_error(s->db)->text : "the file is empty");
        columns = 0;
    }
    buffer_deinit(&sql);
    return columns;
}

static int count_row(void *context, struct skerry_stmt *stmt)
{
    (void)stmt;
    ++*(u32 *)context;
    return 0;
}

static bool row_insert(struct shell *s, struct skerry_stmt *insert)
{
    int rc;
    while ((rc = skerry_step(insert)) == SKERRY_WAIT) skerry_wait(s->db);
    bool good = rc == SKERRY_DONE;
    if (!good) fprintf(stderr, "INSERT failed: %s\n", skerry_error(s->db)->text);
    while (skerry_reset(insert) == SKERRY_WAIT) skerry_wait(s->db);
    return good;
}

static void rows_import(struct shell *s, struct reader *r, struct skerry_stmt *insert, u32 columns,
                        const char *file)
{
    while (field_read(r)) {
        int line = r->line;
        u32 got = 0;
        for (;;) {
            if (got < columns) skerry_bind_text(insert, got + 1, r->field.bytes, r->field.size);
            got++;
            if (r->terminator != r->column_end || !field_read(r)) break;
        }
        if (got == 1 && columns > 1 && r->field.size == 0 && r->terminator == EOF) break;
        for (u32 i = got; i < columns; i++) skerry_bind_null(insert, i + 1);
        if (got < columns)
            fprintf(stderr,
                    "%s:%d: expected %u columns but found %u - filling the rest with NULL\n", file,
                    line, columns, got);
        if (got > columns)
            fprintf(stderr, "%s:%d: expected %u columns but found %u - extras ignored\n", file,
                    line, columns, got);
        if (!row_insert(s, insert)) s->errors++;
    }
}

void shell_import(struct shell *s, int argc, char **argv)
{
    const char *file = NULL, *table = NULL;
    struct reader r = {.column_end = (u8)s->column_separator[0],
                       .row_end = (u8)s->row_separator[0],
                       .quotes = s->mode == MODE_CSV || s->mode == MODE_LIST,
                       .line = 1};
    if (s->mode == MODE_CSV) r.row_end = '\n';
    long skip = 0;
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i][0] == '-' && argv[i][1] == '-' ? argv[i] + 1 : argv[i];
        if (strcmp(a, "-csv") == 0)
            r.column_end = ',', r.row_end = '\n', r.quotes = true;
        else if (strcmp(a, "-ascii") == 0)
            r.column_end = 0x1f, r.row_end = 0x1e, r.quotes = false;
        else if (strcmp(a, "-skip") == 0 && i + 1 < argc)
            skip = strtol(argv[++i], NULL, 10);
        else if (!file)
            file = argv[i];
        else if (!table)
            table = argv[i];
    }
    if (!table) {
        shell_error(s, "ERROR: missing FILE or TABLE argument. Usage: .import [--csv] [--ascii] "
                       "[--skip N] FILE TABLE\n");
        return;
    }
    r.in = fopen(file, "rbe");
    if (!r.in) {
        shell_error(s, "Error: cannot open \"%s\"\n", file);
        return;
    }
    while (skip-- > 0)
        while (field_read(&r) && r.terminator == r.column_end) continue;
    char sql[900], quoted[500];
    u32 columns = 0;
    shell_identifier(table, quoted, sizeof quoted);
    snprintf(sql, sizeof sql, "PRAGMA table_info(%s)", quoted);
    skerry_exec(s->db, sql, count_row, &columns);
    if (!columns) columns = table_make(s, &r, table);
    struct buffer insert_sql = {0};
    struct skerry_stmt *insert = NULL;
    size_t used;
    int rc;
    buffer_format(&insert_sql, "INSERT INTO %s VALUES(?", quoted);
    for (u32 i = 1; i < columns; i++) buffer_text(&insert_sql, ",?");
    buffer_text(&insert_sql, ")");
    bool own = columns && skerry_autocommit(s->db);
    if (own) skerry_exec(s->db, "BEGIN", NULL, NULL);
    if (columns) {
        while ((rc = skerry_prepare(s->db, insert_sql.bytes, insert_sql.size, &insert, &used)) ==
               SKERRY_WAIT)
            skerry_wait(s->db);
        if (rc == SKERRY_OK)
            rows_import(s, &r, insert, columns, file);
        else
            shell_error(s, "Error: %s\n", skerry_error(s->db)->text);
        skerry_finalize(insert);
    }
    if (own && skerry_exec(s->db, "COMMIT", NULL, NULL) != SKERRY_OK)
        shell_error(s, "Error: COMMIT failed: %s\n", skerry_error(s->db)->text);
    buffer_deinit(&insert_sql);
    buffer_deinit(&r.field);
    fclose(r.in);
}
