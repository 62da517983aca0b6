#include "shell.h"

#include <ctype.h>
#include <math.h>

static const char *const MODE_NAMES[MODE_COUNT] = {"list",   "csv",  "tcl",      "ascii", "quote",
                                                   "insert", "line", "json",     "html",  "column",
                                                   "table",  "box",  "markdown", "off"};

const char *shell_mode_name(enum shell_mode mode)
{
    return MODE_NAMES[mode];
}

void shell_separators_set(struct shell *s, const char *column, const char *row)
{
    if (column) snprintf(s->column_separator, sizeof s->column_separator, "%s", column);
    if (row) snprintf(s->row_separator, sizeof s->row_separator, "%s", row);
}

bool shell_mode_set(struct shell *s, const char *name)
{
    // The order decides what an abbreviation means.
    static const struct {
        const char *name;
        enum shell_mode mode;
        const char *column, *row;
    } MODES[] = {
        {"lines", MODE_LINE, NULL, "\n"},
        {"columns", MODE_COLUMN, NULL, NULL},
        {"list", MODE_LIST, "|", "\n"},
        {"html", MODE_HTML, NULL, NULL},
        {"tcl", MODE_TCL, " ", "\n"},
        {"csv", MODE_CSV, ",", "\r\n"},
        {"tabs", MODE_LIST, "\t", NULL},
        {"insert", MODE_INSERT, NULL, NULL},
        {"quote", MODE_QUOTE, ",", "\n"},
        {"ascii", MODE_ASCII, "\x1f", "\x1e"},
        {"markdown", MODE_MARKDOWN, NULL, NULL},
        {"table", MODE_TABLE, NULL, NULL},
        {"box", MODE_BOX, NULL, NULL},
        {"off", MODE_OFF, NULL, NULL},
        {"json", MODE_JSON, NULL, NULL},
    };
    for (u32 i = 0; i < COUNT_OF(MODES); i++) {
        if (!name[0] || strncmp(MODES[i].name, name, strlen(name)) != 0) continue;
        s->mode = MODES[i].mode;
        shell_separators_set(s, MODES[i].column, MODES[i].row);
        if (s->mode == MODE_COLUMN && !s->headers_set) s->headers = true;
        return true;
    }
    return false;
}

void print_quoted_text(FILE *out, const char *text)
{
    fputc('\'', out);
    for (; *text; text++) {
        if (*text == '\'') fputc('\'', out);
        fputc(*text, out);
    }
    fputc('\'', out);
}

// A text that does not occur in another one.
static const char *text_unused(const char *in, const char *first, const char *second, char *out,
                               size_t size)
{
    if (!strstr(in, first)) return first;
    if (!strstr(in, second)) return second;
    for (u32 i = 0;; i++) {
        snprintf(out, size, "(%s%u)", first, i);
        if (!strstr(in, out)) return out;
    }
}

// A literal on one line: ends of lines are put in by replace().
static void print_one_line_text(FILE *out, const char *text)
{
    char feed_space[24], return_space[24];
    const char *feed = NULL, *carriage = NULL;
    if (strchr(text, '\n')) feed = text_unused(text, "\\n", "\\012", feed_space, sizeof feed_space);
    if (strchr(text, '\r'))
        carriage = text_unused(text, "\\r", "\\015", return_space, sizeof return_space);
    fprintf(out, "%s%s'", feed ? "replace(" : "", carriage ? "replace(" : "");
    for (; *text; text++) {
        if (*text == '\n')
            fputs(feed, out);
        else if (*text == '\r')
            fputs(carriage, out);
        else
            fprintf(out, *text == '\'' ? "''" : "%c", *text);
    }
    fputc('\'', out);
    if (carriage) fprintf(out, ",'%s',char(13))", carriage);
    if (feed) fprintf(out, ",'%s',char(10))", feed);
}

// Twenty digits, as sqlite3's shell writes a real in SQL: enough to come back as the same number.
static void print_real(FILE *out, double real)
{
    char text[40];
    if (isnan(real) || isinf(real)) {
        fputs(isnan(real) ? "NaN" : real < 0 ? "-Inf" : "Inf", out);
        return;
    }
    snprintf(text, sizeof text, "%.20g", real == 0 ? 0 : real); // -0.0 is 0.0
    int digits = (int)strcspn(text, "e");
    bool whole = !memchr(text, '.', (size_t)digits);
    fprintf(out, "%.*s%s%s", digits, text, whole ? ".0" : "", text + digits);
}

void print_sql_literal(FILE *out, struct skerry_stmt *stmt, u32 column, bool one_line)
{
    size_t size;
    switch (skerry_column_type(stmt, column)) {
    case VALUE_NULL: fputs("NULL", out); break;
    case VALUE_INTEGER: fprintf(out, "%lld", (long long)skerry_column_integer(stmt, column)); break;
    case VALUE_REAL: {
        double real = skerry_column_real(stmt, column);
        if (one_line && isinf(real))
            fputs(real > 0 ? "1e999" : "-1e999", out);
        else
            print_real(out, real);
        break;
    }
    case VALUE_TEXT: {
        const char *text = skerry_column_text(stmt, column, &size);
        if (one_line)
            print_one_line_text(out, text ? text : "");
        else
            print_quoted_text(out, text ? text : "");
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

static void print_csv_field(FILE *out, const char *text, size_t size, const char *separator)
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

static void print_escaped(FILE *out, const char *text, size_t size, bool json)
{
    static const char FROM[] = "\b\f\n\r\t\\\"", TO[] = "bfnrt\\\"";
    fputc('"', out);
    for (size_t i = 0; i < size; i++) {
        u8 c = (u8)text[i];
        const char *at = c ? strchr(FROM, c) : NULL;
        if (at && (json || at > FROM + 1))
            fprintf(out, "\\%c", TO[at - FROM]);
        else if (json && c < 0x20)
            fprintf(out, "\\u%04x", c);
        else if (!json && (c < 0x20 || c >= 0x7f))
            fprintf(out, "\\%03o", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

void print_c_string(FILE *out, const char *text, size_t size)
{
    print_escaped(out, text, size, false);
}

static bool gathers(enum shell_mode mode)
{
    return mode == MODE_COLUMN || mode == MODE_TABLE || mode == MODE_BOX || mode == MODE_MARKDOWN;
}

// Takes the text, which was malloc'ed.
static void cell_add(struct printer *p, char *text)
{
    if (text && p->cell_count == p->cell_capacity) {
        size_t capacity = p->cell_capacity ? p->cell_capacity * 2 : 256;
        char **bigger = realloc(p->cells, capacity * sizeof *bigger);
        if (bigger) {
            p->cells = bigger;
            p->cell_capacity = capacity;
        }
    }
    if (!text || p->cell_count == p->cell_capacity) {
        p->failed = true;
        free(text);
        return;
    }
    p->cells[p->cell_count++] = text;
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
            print_quoted_text(s->out, name);
        else if (s->mode == MODE_TCL)
            print_c_string(s->out, name, strlen(name));
        else
            fputs(name, s->out);
    }
    fputs(s->mode == MODE_HTML ? "</TR>\n" : s->row_separator, s->out);
}

// Part of a text that goes on one line of a cell: up to a control character or the width; tabs
// become spaces. *rest: what goes on the next line, or NULL.
static char *line_of_text(const char *text, const char **rest, int width, bool at_words)
{
    const u8 *z = (const u8 *)text;
    int in = 0, columns = 0, taken;
    if (width <= 0) width = 1000000;
    while (columns < width && (z[in] >= ' ' || z[in] == '\t')) {
        if (z[in] == '\t') {
            do columns++;
            while ((columns & 7) != 0 && columns < width);
            in++;
        } else {
            columns++;
            do in++;
            while ((z[in] & 0xc0) == 0x80);
        }
    }
    taken = in;
    if (columns >= width && at_words) {
        int cut = in;
        while (cut > in / 2 && !isspace(z[cut - 1])) cut--;
        if (cut <= in / 2)
            for (cut = in; cut > in / 2; cut--)
                if (!isalnum(z[cut - 1]) != !isalnum(z[cut]) && (z[cut] & 0xc0) != 0x80) break;
        if (cut > in / 2) {
            taken = in = cut;
            while (z[in] == ' ') in++;
        }
    }
    if (columns >= width && z[in] >= ' ')
        *rest = text + in;
    else if (z[in] == '\r' && z[in + 1] == '\n')
        *rest = z[in + 2] ? text + in + 2 : NULL;
    else
        *rest = z[in] == 0 || z[in + 1] == 0 ? NULL : text + in + 1;
    char *out = malloc((size_t)columns * 4 + (size_t)taken + 8);
    int n = 0;
    columns = 0;
    for (in = 0; out && in < taken;) {
        if (z[in] == '\t') {
            do columns++, out[n++] = ' ';
            while ((columns & 7) != 0 && columns < width);
            in++;
        } else {
            columns++;
            do out[n++] = (char)z[in++];
            while ((z[in] & 0xc0) == 0x80);
        }
    }
    if (out) out[n] = 0;
    return out;
}

static int wrap_width(const struct shell *s, u32 column)
{
    int width = column < SHELL_WIDTHS_MAX ? abs(s->widths[column]) : 0;
    return width ? width : s->wrap;
}

void printer_begin(struct printer *p, struct shell *s, struct skerry_stmt *stmt)
{
    *p = (struct printer){.s = s, .columns = skerry_column_count(stmt)};
    if (gathers(s->mode)) {
        const char *rest;
        for (u32 i = 0; i < p->columns; i++)
            cell_add(p, line_of_text(column_name(stmt, i), &rest, wrap_width(s, i), s->word_wrap));
    } else if (s->mode == MODE_JSON) {
        fputc('[', s->out);
    } else if (s->headers && s->mode != MODE_LINE && s->mode != MODE_INSERT &&
               s->mode != MODE_OFF) {
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
    FILE *out = p->s->out;
    fputs(p->rows ? ",\n{" : "{", out);
    for (u32 i = 0; i < p->columns; i++) {
        size_t size;
        const char *name = column_name(stmt, i), *text;
        if (i) fputc(',', out);
        print_escaped(out, name, strlen(name), true);
        fputc(':', out);
        switch (skerry_column_type(stmt, i)) {
        case VALUE_NULL: fputs("null", out); break;
        case VALUE_INTEGER: fprintf(out, "%lld", (long long)skerry_column_integer(stmt, i)); break;
        case VALUE_REAL: {
            double real = skerry_column_real(stmt, i);
            if (isinf(real))
                fputs(real > 0 ? "1e999" : "-1e999", out);
            else
                print_real(out, real);
            break;
        }
        case VALUE_TEXT:
            text = skerry_column_text(stmt, i, &size);
            print_escaped(out, text ? text : "", text ? strlen(text) : 0, true);
            break;
        case VALUE_BLOB:
            text = skerry_column_blob(stmt, i, &size);
            print_escaped(out, text ? text : "", text ? size : 0, true);
            break;
        }
    }
    fputc('}', out);
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
            print_sql_literal(s->out, stmt, i, true);
            break;
        case MODE_QUOTE:
            if (i) fputs(s->column_separator, s->out);
            print_sql_literal(s->out, stmt, i, false);
            break;
        case MODE_CSV:
            if (i) fputs(s->column_separator, s->out);
            if (skerry_column_type(stmt, i) == VALUE_NULL)
                fputs(s->null_text, s->out);
            else
                print_csv_field(s->out, text, strlen(text), s->column_separator);
            break;
        case MODE_TCL:
            if (i) fputs(s->column_separator, s->out);
            print_c_string(s->out, text, strlen(text));
            break;
        case MODE_LIST:
        case MODE_ASCII:
            if (i) fputs(s->column_separator, s->out);
            fputs(text, s->out); // up to the first NUL, as sqlite3 prints it
            break;
        case MODE_JSON:
        case MODE_COLUMN:
        case MODE_TABLE:
        case MODE_BOX:
        case MODE_MARKDOWN:
        case MODE_OFF:
        case MODE_COUNT: break;
        }
    }
    if (s->mode == MODE_INSERT)
        fputs(");\n", s->out);
    else if (s->mode == MODE_HTML)
        fputs("</TR>\n", s->out);
    else if (s->mode != MODE_LINE && s->mode != MODE_OFF)
        fputs(s->row_separator, s->out);
}

// The text of a cell in a mode that gathers; quoted ones are malloc'ed, into *own.
static const char *gathered_text(struct printer *p, struct skerry_stmt *stmt, u32 column,
                                 char **own)
{
    size_t size = 0;
    enum value_type type = skerry_column_type(stmt, column);
    *own = NULL;
    if (!p->s->quote || type == VALUE_INTEGER || type == VALUE_REAL)
        return cell_text(p, stmt, column, &size);
    FILE *out = open_memstream(own, &size);
    if (!out) return NULL;
    print_sql_literal(out, stmt, column, false);
    fclose(out);
    if (*own && type == VALUE_BLOB) **own = 'x';
    return *own;
}

static void row_gather(struct printer *p, struct skerry_stmt *stmt)
{
    const char **rests = calloc(p->columns + 1, sizeof *rests);
    char **own = calloc(p->columns + 1, sizeof *own);
    bool more = rests && own;
    p->failed |= !more;
    for (u32 i = 0; more && i < p->columns; i++) {
        rests[i] = gathered_text(p, stmt, i, &own[i]);
        if (!rests[i]) p->failed = true;
    }
    while (more) {
        more = false;
        for (u32 i = 0; i < p->columns; i++) {
            const char *text = rests[i] ? rests[i] : "";
            cell_add(p, line_of_text(text, &rests[i], wrap_width(p->s, i), p->s->word_wrap));
            more |= rests[i] != NULL;
        }
        p->tall |= more;
        // A cell of its own after each line tells whether the row ends with it.
        cell_add(p, strdup(more ? "" : "end"));
    }
    for (u32 i = 0; own && i < p->columns; i++) free(own[i]);
    free(own);
    free(rests);
}

void printer_row(struct printer *p, struct skerry_stmt *stmt)
{
    if (gathers(p->s->mode))
        row_gather(p, stmt);
    else if (p->s->mode == MODE_JSON)
        json_print(p, stmt);
    else
        row_print(p, stmt);
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

static void rule_print(struct printer *p, const int *widths, int place)
{
    static const char *const BOX[3][3] = {{"┌", "┬", "┐"}, {"├", "┼", "┤"}, {"└", "┴", "┘"}};
    switch (p->s->mode) {
    case MODE_BOX:
        print_rule(p->s->out, widths, p->columns, BOX[place][0], BOX[place][1], BOX[place][2], "─");
        break;
    case MODE_TABLE: print_rule(p->s->out, widths, p->columns, "+", "+", "+", "-"); break;
    case MODE_MARKDOWN:
        if (place == 1) print_rule(p->s->out, widths, p->columns, "|", "|", "|", "-");
        break;
    case MODE_LIST:
    case MODE_CSV:
    case MODE_TCL:
    case MODE_ASCII:
    case MODE_QUOTE:
    case MODE_INSERT:
    case MODE_LINE:
    case MODE_JSON:
    case MODE_HTML:
    case MODE_COLUMN:
    case MODE_OFF:
    case MODE_COUNT: break;
    }
}

static void cells_line_print(struct printer *p, char *const *cells, const int *widths, bool head)
{
    struct shell *s = p->s;
    bool column = s->mode == MODE_COLUMN;
    const char *bar = s->mode == MODE_BOX ? "│" : "|";
    for (u32 i = 0; i < p->columns; i++) {
        if (!column) fprintf(s->out, "%s ", bar);
        bool right = i < SHELL_WIDTHS_MAX && s->widths[i] < 0 && (column || !head);
        print_padded(s->out, cells[i], widths[i], right, head && !column);
        fputs(column ? (i + 1 == p->columns ? "\n" : "  ") : " ", s->out);
    }
    if (!column) fprintf(s->out, "%s\n", bar);
}

static void cells_print(struct printer *p, const int *widths)
{
    struct shell *s = p->s;
    bool column = s->mode == MODE_COLUMN;
    rule_print(p, widths, 0);
    if (!column || s->headers) cells_line_print(p, p->cells, widths, true);
    for (u32 i = 0; column && s->headers && i < p->columns; i++) {
        for (int n = 0; n < widths[i]; n++) fputc('-', s->out);
        fputs(i + 1 == p->columns ? "\n" : "  ", s->out);
    }
    rule_print(p, widths, 1);
    for (size_t at = p->columns; at < p->cell_count; at += p->columns + 1) {
        cells_line_print(p, p->cells + at, widths, false);
        if (!p->tall || !p->cells[at + p->columns][0] || at + p->columns + 1 >= p->cell_count)
            continue;
        if (column)
            fputc('\n', s->out);
        else if (s->mode != MODE_MARKDOWN)
            rule_print(p, widths, 1);
    }
    rule_print(p, widths, 2);
}

void printer_end(struct printer *p)
{
    if (p->s->mode == MODE_JSON) fputs("]\n", p->s->out);
    int *widths = gathers(p->s->mode) ? calloc(p->columns + 1, sizeof *widths) : NULL;
    if (widths && !p->failed) {
        for (u32 i = 0; i < p->columns; i++) {
            widths[i] =
                MAX(i < SHELL_WIDTHS_MAX ? abs(p->s->widths[i]) : 0, text_width(p->cells[i]));
            for (size_t at = p->columns + i; at < p->cell_count; at += p->columns + 1)
                widths[i] = MAX(widths[i], text_width(p->cells[at]));
        }
        cells_print(p, widths);
    } else if (p->failed) {
        shell_error(p->s, "Error: out of memory\n");
    }
    free(widths);
    for (size_t i = 0; i < p->cell_count; i++) free(p->cells[i]);
    free(p->cells);
}
