#include "shell.h"

#include <math.h>

static const char *const MODE_NAMES[MODE_COUNT] = {"list",   "csv",  "tabs",    "ascii", "quote",
                                                   "insert", "line", "json",    "html",  "column",
                                                   "table",  "box",  "markdown"};

const char *shell_mode_name(enum shell_mode mode)
{
    return MODE_NAMES[mode];
}

bool shell_mode_set(struct shell *s, const char *name)
{
    for (u32 i = 0; i < MODE_COUNT; i++) {
        if (strcmp(name, MODE_NAMES[i]) != 0) continue;
        s->mode = (enum shell_mode)i;
        const char *column = "|", *row = "\n";
        if (s->mode == MODE_CSV) column = ",", row = "\r\n";
        if (s->mode == MODE_TABS) column = "\t";
        if (s->mode == MODE_ASCII) column = "\x1f", row = "\x1e";
        if (s->mode == MODE_QUOTE) column = ",";
        snprintf(s->column_separator, sizeof s->column_separator, "%s", column);
        snprintf(s->row_separator, sizeof s->row_separator, "%s", row);
        bool with_headers = s->mode == MODE_COLUMN || s->mode == MODE_TABLE ||
                            s->mode == MODE_BOX || s->mode == MODE_MARKDOWN;
        if (!s->headers_set) s->headers = with_headers;
        return true;
    }
    return false;
}

static void print_quoted_text(FILE *out, const char *text, size_t size)
{
    fputc('\'', out);
    for (size_t i = 0; i < size && text[i]; i++) {
        if (text[i] == '\'') fputc('\'', out);
        fputc(text[i], out);
    }
    fputc('\'', out);
}

void print_sql_literal(FILE *out, struct skerry_stmt *stmt, u32 column)
{
    size_t size;
    switch (skerry_column_type(stmt, column)) {
    case VALUE_NULL: fputs("NULL", out); break;
    case VALUE_INTEGER: fprintf(out, "%lld", (long long)skerry_column_integer(stmt, column)); break;
    case VALUE_REAL: {
        double r = skerry_column_real(stmt, column);
        char text[60];
        if (isinf(r)) {
            fputs(r > 0 ? "1e999" : "-1e999", out);
            break;
        }
        // Enough digits to come back as the same number, and always a sign of being real.
        snprintf(text, sizeof text, "%.15g", r);
        if (strtod(text, NULL) != r) snprintf(text, sizeof text, "%.17g", r);
        char *e = strchr(text, 'e');
        bool point = strchr(text, '.') != NULL;
        if (e && !point)
            fprintf(out, "%.*s.0%s", (int)(e - text), text, e);
        else
            fprintf(out, "%s%s", text, point ? "" : ".0");
        break;
    }
    case VALUE_TEXT: {
        const char *text = skerry_column_text(stmt, column, &size);
        print_quoted_text(out, text ? text : "", size);
        break;
    }
    case VALUE_BLOB: {
        const u8 *bytes = skerry_column_blob(stmt, column, &size);
        fputs("X'", out);
        for (size_t i = 0; i < size; i++) fprintf(out, "%02x", bytes[i]);
        fputc('\'', out);
        break;
    }
    }
}

void print_csv_field(FILE *out, const char *text, size_t size, const char *separator)
{
    bool quote = size == 0 || strstr(text, separator) != NULL;
    for (size_t i = 0; i < size; i++) {
        u8 c = (u8)text[i];
        quote |= c <= ' ' || c == '"' || c == '\'' || c >= 0x7f;
    }
    if (!quote) {
        fwrite(text, 1, size, out);
        return;
    }
    fputc('"', out);
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '"') fputc('"', out);
        fputc(text[i], out);
    }
    fputc('"', out);
}

static void print_html(FILE *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '&': fputs("&amp;", out); break;
        case '"': fputs("&quot;", out); break;
        case '\'': fputs("&#39;", out); break;
        default: fputc(*text, out);
        }
    }
}

static bool gathers(enum shell_mode mode)
{
    return mode == MODE_COLUMN || mode == MODE_TABLE || mode == MODE_BOX || mode == MODE_MARKDOWN;
}

static void cell_add(struct printer *p, const char *text, bool numeric)
{
    if (p->cell_count == p->cell_capacity) {
        size_t capacity = p->cell_capacity ? p->cell_capacity * 2 : 256;
        char **bigger = realloc(p->cells, capacity * sizeof *bigger);
        if (bigger) p->cells = bigger;
        u8 *more = realloc(p->numeric, capacity);
        if (more) p->numeric = more;
        if (!bigger || !more) {
            p->failed = true;
            return;
        }
        p->cell_capacity = capacity;
    }
    char *copy = strdup(text);
    if (!copy) {
        p->failed = true;
        return;
    }
    p->numeric[p->cell_count] = numeric;
    p->cells[p->cell_count++] = copy;
}

static const char *column_name(struct skerry_stmt *stmt, u32 column)
{
    const char *name = skerry_column_name(stmt, column);
    return name ? name : "";
}

static void headers_print(struct printer *p, struct skerry_stmt *stmt)
{
    struct shell *s = p->s;
    for (u32 i = 0; i < p->columns; i++) {
        const char *name = column_name(stmt, i);
        if (s->mode == MODE_HTML) {
            fprintf(s->out, "%s<TH>", i ? "" : "<TR>");
            print_html(s->out, name);
            fputs("</TH>\n", s->out);
            continue;
        }
        if (i) fputs(s->column_separator, s->out);
        if (s->mode == MODE_CSV)
            print_csv_field(s->out, name, strlen(name), s->column_separator);
        else if (s->mode == MODE_QUOTE)
            print_quoted_text(s->out, name, strlen(name));
        else
            fputs(name, s->out);
    }
    fputs(s->mode == MODE_HTML ? "</TR>\n" : s->row_separator, s->out);
}

void printer_begin(struct printer *p, struct shell *s, struct skerry_stmt *stmt)
{
    *p = (struct printer){.s = s, .columns = skerry_column_count(stmt)};
    if (gathers(s->mode)) {
        for (u32 i = 0; i < p->columns; i++) cell_add(p, column_name(stmt, i), false);
    } else if (s->mode == MODE_JSON) {
        fputc('[', s->out);
    } else if (s->headers && s->mode != MODE_LINE && s->mode != MODE_INSERT) {
        headers_print(p, stmt);
    }
}

static const char *cell_text(struct printer *p, struct skerry_stmt *stmt, u32 column, size_t *size)
{
    *size = strlen(p->s->null_text);
    if (skerry_column_type(stmt, column) == VALUE_NULL) return p->s->null_text;
    const char *text = skerry_column_text(stmt, column, size);
    if (!text) *size = 0;
    return text ? text : "";
}

static void json_print(struct printer *p, struct skerry_stmt *stmt)
{
    struct buffer out = {0};
    buffer_text(&out, p->rows ? ",\n{" : "{");
    for (u32 i = 0; i < p->columns; i++) {
        size_t size;
        const char *name = column_name(stmt, i);
        if (i) buffer_text(&out, ",");
        buffer_json_string(&out, name, strlen(name));
        buffer_text(&out, ":");
        switch (skerry_column_type(stmt, i)) {
        case VALUE_NULL: buffer_text(&out, "null"); break;
        case VALUE_INTEGER:
            buffer_format(&out, "%lld", (long long)skerry_column_integer(stmt, i));
            break;
        case VALUE_REAL: {
            const char *text = skerry_column_text(stmt, i, &size);
            bool infinite = text && strstr(text, "Inf");
            buffer_text(&out, infinite ? (text[0] == '-' ? "-1e999" : "1e999")
                              : text   ? text
                                       : "null");
            break;
        }
        case VALUE_TEXT:
        case VALUE_BLOB: {
            const char *text = skerry_column_text(stmt, i, &size);
            buffer_json_string(&out, text ? text : "", size);
            break;
        }
        }
    }
    buffer_text(&out, "}");
    fwrite(out.bytes, 1, out.size, p->s->out);
    buffer_deinit(&out);
}

static void row_print(struct printer *p, struct skerry_stmt *stmt)
{
    struct shell *s = p->s;
    int widest = 5;
    for (u32 i = 0; s->mode == MODE_LINE && i < p->columns; i++)
        widest = MAX(widest, (int)strlen(column_name(stmt, i)));
    if (s->mode == MODE_LINE && p->rows) fputs(s->row_separator, s->out);
    if (s->mode == MODE_INSERT) {
        char quoted[400];
        fprintf(s->out, "INSERT INTO %s", shell_identifier(s->insert_table, quoted, sizeof quoted));
        for (u32 i = 0; s->headers && i < p->columns; i++)
            fprintf(s->out, "%s%s%s", i ? "," : "(",
                    shell_identifier(column_name(stmt, i), quoted, sizeof quoted),
                    i + 1 == p->columns ? ")" : "");
        fputs(" VALUES(", s->out);
    }
    for (u32 i = 0; i < p->columns; i++) {
        size_t size;
        const char *text = cell_text(p, stmt, i, &size);
        switch (s->mode) {
        case MODE_LINE:
            fprintf(s->out, "%*s = %s%s", widest, column_name(stmt, i), text, s->row_separator);
            break;
        case MODE_HTML:
            fprintf(s->out, "%s<TD>", i ? "" : "<TR>");
            print_html(s->out, text);
            fputs("</TD>\n", s->out);
            break;
        case MODE_INSERT:
            if (i) fputc(',', s->out);
            print_sql_literal(s->out, stmt, i);
            break;
        case MODE_QUOTE:
            if (i) fputs(s->column_separator, s->out);
            print_sql_literal(s->out, stmt, i);
            break;
        case MODE_CSV:
            if (i) fputs(s->column_separator, s->out);
            if (skerry_column_type(stmt, i) == VALUE_NULL)
                fputs(s->null_text, s->out);
            else
                print_csv_field(s->out, text, strlen(text), s->column_separator);
            break;
        case MODE_LIST:
        case MODE_TABS:
        case MODE_ASCII:
            if (i) fputs(s->column_separator, s->out);
            fputs(text, s->out); // up to the first NUL, as sqlite3 prints it
            break;
        case MODE_JSON:
        case MODE_COLUMN:
        case MODE_TABLE:
        case MODE_BOX:
        case MODE_MARKDOWN:
        case MODE_COUNT: break;
        }
    }
    if (s->mode == MODE_INSERT)
        fputs(");\n", s->out);
    else if (s->mode == MODE_HTML)
        fputs("</TR>\n", s->out);
    else if (s->mode != MODE_LINE)
        fputs(s->row_separator, s->out);
}

void printer_row(struct printer *p, struct skerry_stmt *stmt)
{
    if (gathers(p->s->mode)) {
        for (u32 i = 0; i < p->columns; i++) {
            size_t size;
            enum value_type type = skerry_column_type(stmt, i);
            cell_add(p, cell_text(p, stmt, i, &size), type == VALUE_INTEGER || type == VALUE_REAL);
        }
    } else if (p->s->mode == MODE_JSON) {
        json_print(p, stmt);
    } else {
        row_print(p, stmt);
    }
    p->rows++;
}

// Characters, not bytes: what does not start a UTF-8 sequence has no width.
static int text_width(const char *text)
{
    int n = 0;
    for (; *text; text++) n += (*text & 0xc0) != 0x80;
    return n;
}

static void print_padded(FILE *out, const char *text, int width, bool right, bool center)
{
    int fill = MAX(0, width - text_width(text));
    int left = right ? fill : center ? fill / 2 : 0;
    fprintf(out, "%*s%s%*s", left, "", text, fill - left, "");
}

static void print_rule(FILE *out, const int *widths, u32 columns, const char *left,
                       const char *middle, const char *right, const char *line)
{
    for (u32 i = 0; i < columns; i++) {
        fputs(i ? middle : left, out);
        for (int n = 0; n < widths[i] + 2; n++) fputs(line, out);
    }
    fprintf(out, "%s\n", right);
}

static void cells_print(struct printer *p, const int *widths)
{
    struct shell *s = p->s;
    bool column = s->mode == MODE_COLUMN, box = s->mode == MODE_BOX,
         markdown = s->mode == MODE_MARKDOWN;
    const char *bar = box ? "│" : "|";
    if (box) print_rule(s->out, widths, p->columns, "┌", "┬", "┐", "─");
    if (s->mode == MODE_TABLE) print_rule(s->out, widths, p->columns, "+", "+", "+", "-");
    for (size_t at = 0; at < p->cell_count; at += p->columns) {
        bool head = at == 0;
        if (head && column && !s->headers) continue;
        for (u32 i = 0; i < p->columns; i++) {
            if (!column) fprintf(s->out, "%s ", bar);
            bool last = i + 1 == p->columns;
            int width = column && last && s->widths[i] >= 0 ? 0 : widths[i];
            print_padded(s->out, p->cells[at + i], width, s->widths[i] < 0, head && !column);
            fputs(column ? (last ? "\n" : "  ") : " ", s->out);
        }
        if (!column) fprintf(s->out, "%s\n", bar);
        if (!head) continue;
        if (column) {
            for (u32 i = 0; i < p->columns; i++) {
                for (int n = 0; n < widths[i]; n++) fputc('-', s->out);
                fputs(i + 1 == p->columns ? "\n" : "  ", s->out);
            }
        }
        if (box) print_rule(s->out, widths, p->columns, "├", "┼", "┤", "─");
        if (markdown) print_rule(s->out, widths, p->columns, "|", "|", "|", "-");
        if (s->mode == MODE_TABLE) print_rule(s->out, widths, p->columns, "+", "+", "+", "-");
    }
    if (box) print_rule(s->out, widths, p->columns, "└", "┴", "┘", "─");
    if (s->mode == MODE_TABLE) print_rule(s->out, widths, p->columns, "+", "+", "+", "-");
}

void printer_end(struct printer *p, struct skerry_stmt *stmt)
{
    (void)stmt;
    if (p->s->mode == MODE_JSON) fputs("]\n", p->s->out);
    int *widths = gathers(p->s->mode) ? calloc(p->columns + 1, sizeof *widths) : NULL;
    if (widths && !p->failed) {
        for (size_t i = 0; i < p->cell_count; i++) {
            u32 column = (u32)(i % p->columns);
            int asked = column < SHELL_WIDTHS_MAX ? abs(p->s->widths[column]) : 0;
            widths[column] = asked ? asked : MAX(widths[column], text_width(p->cells[i]));
        }
        cells_print(p, widths);
    } else if (p->failed) {
        shell_error(p->s, "Error: out of memory\n");
    }
    free(widths);
    for (size_t i = 0; i < p->cell_count; i++) free(p->cells[i]);
    free(p->cells);
    free(p->numeric);
}
