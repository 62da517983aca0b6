#include "shell.h"

struct reader {
    FILE *in;
    const char *path;
    int column_end, row_end;
    bool quotes, later; // later: past the first field, so that a byte order mark is one no more
    struct buffer field;
    int terminator;
    int line;
};

static void quoted_field_read(struct reader *r)
{
    int start = r->line, c, before = 0, before_that = 0;
    for (;; before_that = before, before = c) {
        c = fgetc(r->in);
        if (c == r->row_end) r->line++;
        if (c == '"' && before == '"') {
            c = 0; // a pair: one of them is in the field already
            continue;
        }
        if (before == '"' && (c == r->column_end || c == r->row_end || c == EOF)) break;
        if (before == '\r' && before_that == '"' && c == r->row_end) break;
        if (before == '"' && c != '\r')
            fprintf(stderr, "%s:%d: unescaped %c character\n", r->path, r->line, '"');
        if (c == EOF) {
            fprintf(stderr, "%s:%d: unterminated %c-quoted field\n", r->path, start, '"');
            r->terminator = c;
            return;
        }
        buffer_add(&r->field, &(char){(char)c}, 1);
    }
    // The closing quote, and what came after it, is not the field's.
    while (r->field.size && r->field.bytes[--r->field.size] != '"') continue;
    r->terminator = c;
}

// The next field, ended by a NUL; false at the end of the file. The terminator tells whether the
// row ended with it.
static bool field_read(struct reader *r)
{
    int c = fgetc(r->in);
    r->field.size = 0;
    if (c == EOF) {
        r->terminator = EOF;
        return false;
    }
    bool quoted = r->quotes && c == '"';
    if (quoted) quoted_field_read(r);
    while (!quoted) {
        if (c == EOF || c == r->column_end || c == r->row_end) {
            r->terminator = c;
            break;
        }
        buffer_add(&r->field, &(char){(char)c}, 1);
        c = fgetc(r->in);
        if (!r->later && r->quotes && r->field.size == 3 &&
            memcmp(r->field.bytes, "\xef\xbb\xbf", 3) == 0) {
            r->field.size = 0;
            r->later = true;
            if (c == '"') {
                quoted_field_read(r);
                break;
            }
        }
    }
    if (!quoted && r->terminator == r->row_end) {
        r->line++;
        if (r->quotes && r->field.size && r->field.bytes[r->field.size - 1] == '\r')
            r->field.size--;
    }
    r->later = true;
    buffer_add(&r->field, "", 1);
    if (r->field.size) r->field.size--;
    return true;
}

// ---- a table for the rows -----------------------------

#define NAMES_MAX 2000

// Whether a name with a suffix (digits > 0) is another's, too.
static bool names_clash(char *const *names, const u8 *twice, u32 count, int digits)
{
    char a[300], b[300];
    for (u32 i = 0; i < count; i++) {
        for (u32 j = i + 1; j < count; j++) {
            snprintf(a, sizeof a, twice[i] ? "%s_%0*u" : "%s", names[i], digits, i + 1);
            snprintf(b, sizeof b, twice[j] ? "%s_%0*u" : "%s", names[j], digits, j + 1);
            if (strcasecmp(a, b) == 0) return true;
        }
    }
    return false;
}

static void columns_format(struct buffer *sql, char *const *names, const u8 *twice, u32 count,
                           int digits)
{
    for (u32 i = 0; i < count; i++) {
        buffer_text(sql, i == 0 ? "\"" : i % 4 == 0 ? ",\n \"" : ", \"");
        for (const char *p = names[i]; *p; p++)
            buffer_add(sql, *p == '"' ? "\"\"" : p, *p == '"' ? 2 : 1);
        if (twice[i]) buffer_format(sql, "_%0*u", digits, i + 1);
        buffer_text(sql, "\" TEXT");
    }
}

// Makes the table from the names in the first row.
static bool table_make(struct shell *s, struct reader *r, const char *target, bool verbose)
{
    char **names = calloc(NAMES_MAX, sizeof *names);
    u8 *twice = calloc(NAMES_MAX, 1);
    struct buffer sql = {0};
    u32 count = 0, renamed = 0;
    int digits = 1;
    bool good = false;
    while (names && twice && count < NAMES_MAX && field_read(r)) {
        names[count] = strdup(r->field.size ? r->field.bytes : "?");
        if (!names[count]) break;
        count++;
        if (r->terminator != r->column_end) break;
    }
    for (u32 i = 0; i < count; i++)
        for (u32 j = 0; j < count; j++)
            if (i != j && strcasecmp(names[i], names[j]) == 0 && !twice[i]) twice[i] = 1, renamed++;
    while (renamed && digits < 9 && names_clash(names, twice, count, digits)) digits++;
    if (renamed) fprintf(stderr, "Columns renamed during .import %s due to duplicates:\n", r->path);
    for (u32 i = 0, told = 0; i < count; i++)
        if (twice[i])
            fprintf(stderr, "\"%s\" to \"%s_%0*u\"%s\n", names[i], names[i], digits, i + 1,
                    ++told < renamed ? "," : "");
    if (!count) {
        fprintf(stderr, "%s: empty file\n", r->path);
    } else {
        buffer_format(&sql, "CREATE TABLE %s(\n", target);
        columns_format(&sql, names, twice, count, digits);
        buffer_text(&sql, ")\n");
        buffer_add(&sql, "", 1);
        if (verbose) fprintf(s->out, "%s\n", sql.bytes);
        good = !sql.failed && skerry_exec(s->db, sql.bytes, NULL, NULL) == SKERRY_OK;
        if (!good) fprintf(stderr, "%s failed:\n%s\n", sql.bytes, skerry_error(s->db)->text);
    }
    for (u32 i = 0; i < count; i++) free(names[i]);
    free(names);
    free(twice);
    buffer_deinit(&sql);
    return good;
}

// ---- rows -----------------------------

struct import_counts {
    u32 rows, errors;
};

static void row_insert(struct shell *s, struct reader *r, struct skerry_stmt *insert, int line,
                       struct import_counts *n)
{
    int rc;
    while ((rc = skerry_step(insert)) == SKERRY_WAIT) skerry_wait(s->db);
    if (rc == SKERRY_DONE) {
        n->rows++;
    } else {
        fprintf(stderr, "%s:%d: INSERT failed: %s\n", r->path, line, skerry_error(s->db)->text);
        n->errors++;
    }
    while (skerry_reset(insert) == SKERRY_WAIT) skerry_wait(s->db);
}

static void rows_import(struct shell *s, struct reader *r, struct skerry_stmt *insert, u32 columns,
                        struct import_counts *n)
{
    do {
        int line = r->line;
        u32 i = 0;
        for (; i < columns; i++) {
            bool got = field_read(r);
            if (i == 0 && (!got || (!r->quotes && !r->field.size))) break;
            // The end of the file will do as the end of the last field, when that is empty.
            if (!got && r->quotes && i + 1 == columns)
                skerry_bind_text(insert, i + 1, "", 0);
            else if (!got)
                skerry_bind_null(insert, i + 1);
            else
                skerry_bind_text(insert, i + 1, r->field.bytes, strlen(r->field.bytes));
            if (i + 1 < columns && r->terminator != r->column_end) {
                fprintf(stderr,
                        "%s:%d: expected %u columns but found %u - filling the rest with NULL\n",
                        r->path, line, columns, i + 1);
                while (++i < columns) skerry_bind_null(insert, i + 1);
            }
        }
        if (i && r->terminator == r->column_end) {
            do {
                (void)field_read(r);
                i++;
            } while (r->terminator == r->column_end);
            fprintf(stderr, "%s:%d: expected %u columns but found %u - extras ignored\n", r->path,
                    line, columns, i);
        }
        if (i >= columns) row_insert(s, r, insert, line, n);
    } while (r->terminator != EOF);
}

static bool import_usage(struct shell *s, const char *what, const char *which)
{
    fprintf(s->out, "ERROR: %s%s%s Usage:\n", what, which ? which : "", which ? "\". " : "");
    fputs(".import FILE TABLE       Import data from FILE into TABLE\n"
          "   Options:\n"
          "     --ascii               Use \\037 and \\036 as column and row separators\n"
          "     --csv                 Use , and \\n as column and row separators\n"
          "     --skip N              Skip the first N rows of input\n"
          "     --schema S            Target table to be S.TABLE\n"
          "     -v                    \"Verbose\" - increase auxiliary output\n"
          "   Notes:\n"
          "     *  If TABLE does not exist, it is created.  The first row of input\n"
          "        determines the column names.\n"
          "     *  If neither --csv or --ascii are used, the input mode is derived\n"
          "        from the \".mode\" output mode\n"
          "     *  If FILE begins with \"|\" then it is a command that generates the\n"
          "        input text.\n",
          s->out);
    return false;
}

static bool separators_take(struct shell *s, struct reader *r)
{
    size_t column = strlen(s->column_separator), row = strlen(s->row_separator);
    if (row == 2 && s->mode == MODE_CSV && strcmp(s->row_separator, "\r\n") == 0) {
        shell_separators_set(s, NULL, "\n");
        row = 1;
    }
    const char *wrong = column == 0  ? "non-null column separator required for import"
                        : column > 1 ? "multi-character column separators not allowed for import"
                        : row == 0   ? "non-null row separator required for import"
                        : row > 1    ? "multi-character row separators not allowed for import"
                                     : NULL;
    if (wrong) fprintf(stderr, "Error: %s\n", wrong);
    r->column_end = (u8)s->column_separator[0];
    r->row_end = (u8)s->row_separator[0];
    return !wrong;
}

static struct skerry_stmt *statement_prepare(struct shell *s, const char *sql)
{
    struct skerry_stmt *stmt = NULL;
    size_t used;
    int rc;
    while ((rc = skerry_prepare(s->db, sql, strlen(sql), &stmt, &used)) == SKERRY_WAIT)
        skerry_wait(s->db);
    return rc == SKERRY_OK ? stmt : NULL;
}

static bool into_table(struct shell *s, struct reader *r, const char *target, bool verbose)
{
    struct buffer sql = {0};
    buffer_format(&sql, "SELECT * FROM %s", target);
    buffer_add(&sql, "", 1);
    struct skerry_stmt *stmt = statement_prepare(s, sql.bytes);
    bool good = true;
    if (!stmt && strncmp(skerry_error(s->db)->text, "no such table:", 14) == 0) {
        good = table_make(s, r, target, verbose);
        stmt = good ? statement_prepare(s, sql.bytes) : NULL;
    }
    if (!stmt) {
        if (good) fprintf(stderr, "Error: %s\n", skerry_error(s->db)->text);
        buffer_deinit(&sql);
        return false;
    }
    u32 columns = skerry_column_count(stmt);
    skerry_finalize(stmt);
    sql.size = 0;
    buffer_format(&sql, "INSERT INTO %s VALUES(?", target);
    for (u32 i = 1; i < columns; i++) buffer_text(&sql, ",?");
    buffer_text(&sql, ")");
    buffer_add(&sql, "", 1);
    stmt = statement_prepare(s, sql.bytes);
    buffer_deinit(&sql);
    if (!stmt) {
        fprintf(stderr, "Error: %s\n", skerry_error(s->db)->text);
        return false;
    }
    struct import_counts n = {0};
    bool own = skerry_autocommit(s->db);
    if (own) skerry_exec(s->db, "BEGIN", NULL, NULL);
    rows_import(s, r, stmt, columns, &n);
    skerry_finalize(stmt);
    if (own && skerry_exec(s->db, "COMMIT", NULL, NULL) != SKERRY_OK) {
        fprintf(stderr, "Error: %s\n", skerry_error(s->db)->text);
        return false;
    }
    if (verbose)
        fprintf(s->out, "Added %u rows with %u errors using %d lines of input\n", n.rows, n.errors,
                r->line - 1);
    return true;
}

bool shell_import(struct shell *s, int argc, char **argv)
{
    const char *table = NULL, *schema = NULL;
    struct reader r = {.quotes = s->mode != MODE_ASCII, .line = 1};
    bool from_mode = true, verbose = false;
    long skip = 0;
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i][0] == '-' && argv[i][1] == '-' ? argv[i] + 1 : argv[i];
        if (a[0] != '-') {
            if (r.path && table) return import_usage(s, "extra argument: \"", a);
            *(r.path ? &table : &r.path) = a;
        } else if (strcmp(a, "-v") == 0) {
            verbose = true;
        } else if (strcmp(a, "-csv") == 0) {
            r.column_end = ',', r.row_end = '\n', r.quotes = true, from_mode = false;
        } else if (strcmp(a, "-ascii") == 0) {
            r.column_end = 0x1f, r.row_end = 0x1e, r.quotes = false, from_mode = false;
        } else if (strcmp(a, "-skip") == 0 && i + 1 < argc) {
            skip = strtol(argv[++i], NULL, 10);
        } else if (strcmp(a, "-schema") == 0 && i + 1 < argc) {
            schema = argv[++i];
        } else {
            return import_usage(s, "unknown option: \"", a);
        }
    }
    if (!table)
        return import_usage(s, r.path ? "missing TABLE argument." : "missing FILE argument.", NULL);
    if (from_mode && !separators_take(s, &r)) return false;
    bool pipe = r.path[0] == '|';
    r.in = pipe ? popen(r.path + 1, "re") : fopen(r.path, "rbe");
    if (!r.in) {
        fprintf(stderr, "Error: cannot open \"%s\"\n", r.path);
        return false;
    }
    if (verbose && from_mode) {
        fputs("Column separator ", s->out);
        print_c_string(s->out, s->column_separator, strlen(s->column_separator));
        fputs(", row separator ", s->out);
        print_c_string(s->out, s->row_separator, strlen(s->row_separator));
        fputc('\n', s->out);
    }
    while (skip-- > 0)
        while (field_read(&r) && r.terminator == r.column_end) continue;
    struct buffer target = {0};
    for (const char *part = schema ? schema : table; part; part = part == schema ? table : NULL) {
        buffer_text(&target, target.size ? ".\"" : "\"");
        for (const char *p = part; *p; p++)
            buffer_add(&target, *p == '"' ? "\"\"" : p, *p == '"' ? 2 : 1);
        buffer_text(&target, "\"");
    }
    buffer_add(&target, "", 1);
    bool good = !target.failed && into_table(s, &r, target.bytes, verbose);
    buffer_deinit(&target);
    buffer_deinit(&r.field);
    if (pipe)
        pclose(r.in);
    else
        fclose(r.in);
    return good;
}
