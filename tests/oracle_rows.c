// Rows that are the same to us though their text is not.
#include "oracle_same.h"

#include <math.h>

// "R:1" is as good as "I:1".
char *without_kinds(const char *rows)
{
    struct rows r = {0};
    rows_add(&r, "%s", "");
    for (const char *line = rows, *end; *line; line = end + 1) {
        end = strchr(line, '\n');
        for (const char *c = line; c <= end; c++) rows_add(&r, "%c", c[0] == 'R' && c[1] == ':' ? 'I' : c[0]);
    }
    rows_sort(&r);
    return r.text;
}

// Nor are they of "T:1".
char *without_types(const char *rows)
{
    struct rows r = {0};
    char *kinds = without_kinds(rows);
    rows_add(&r, "%s", "");
    for (const char *c = kinds; *c; c++) rows_add(&r, "%c", c[0] == 'T' && c[1] == ':' ? 'I' : c[0]);
    free(kinds);
    return r.text;
}

// Nor is "T:1.0" of "T:1".
char *without_real(const char *rows)
{
    struct rows r = {0};
    char *kinds = without_kinds(rows);
    rows_add(&r, "%s", "");
    for (const char *c = kinds; *c; c++) {
        if (strncmp(c, ".0", 2) == 0 && !(c[2] >= '0' && c[2] <= '9')) c += 2;
        rows_add(&r, "%c", *c);
    }
    free(kinds);
    return r.text;
}

// Digits behind the 17th of a number are those of an approximation in SQLite (docs/sql.md).
char *without_last_digits(const char *rows)
{
    struct rows r = {0};
    u32 digits = 0;
    rows_add(&r, "%s", "");
    for (const char *c = rows; *c; c++) {
        bool digit = *c >= '0' && *c <= '9';
        if (digit ? ++digits > 17 : *c != '.') {
            if (digit) continue;
            digits = 0;
        }
        rows_add(&r, "%c", *c);
    }
    return r.text;
}

// Whether they differ in reals alone, and by their last bits: of a text of more than 19 digits SQLite takes 19 (docs/sql.md).
bool same_but_neighbours(const char *ours, const char *theirs)
{
    const char *field = ours, *c = ours, *d = theirs;
    while (*c || *d) {
        if (*c == *d) {
            if (*c == '|' || *c == '\n') field = c + 1;
            c++, d++;
            continue;
        }
        if (strncmp(field, "R:", 2) != 0 && strncmp(field, "T:", 2) != 0) return false; // quote() makes a text of it
        char *c_end, *d_end;
        const double a = strtod(field + 2, &c_end), b = strtod(d - (c - field) + 2, &d_end);
        if (!(fabs(a - b) <= 1e-15 * fabs(a)) || *c_end != '|' || *d_end != '|') return false;
        c = c_end;
        d = d_end;
    }
    return true;
}

// Of numbers as large or small as 1e100, whose 15 digits are rounded just here or there, SQLite's approximation may go the wrong way.
char *without_far_digits(const char *rows)
{
    struct rows r = {0};
    bool any = false; // then the length of a text that was cut off may be another
    rows_add(&r, "%s", "");
    for (const char *c = rows; *c;) {
        if (any && c - rows > 3 && strncmp(c - 3, "...(", 4) == 0) {
            c += strspn(c, "(0123456789)");
            continue;
        }
        size_t size = strspn(c, "0123456789.");
        const char *e = c + size;
        if (size && *e == 'e' && (e[1] == '+' || e[1] == '-') && strspn(e + 2, "0123456789") == 3) {
            rows_add(&r, "%.12e", strtod(c, NULL));
            any = true;
            c = e + 5;
            continue;
        }
        size = MAX(size, 1u);
        rows_add(&r, "%.*s", (int)size, c);
        c += size;
    }
    return r.text;
}

// "a:5", the name of a further column that is called a: behind a few SQLite takes a random number.
char *without_numbers(const char *names)
{
    char *out = strdup(names), *to = out;
    for (const char *c = names; *c; c++) {
        *to++ = *c;
        if (*c == ':') c += strspn(c + 1, "0123456789");
    }
    *to = 0;
    return out;
}

bool numbered_at_random(const char *names)
{
    for (const char *c = names; (c = strchr(c, ':')); c++)
        if (strspn(c + 1, "0123456789") > 4) return true;
    return false;
}

// Plans: the rowid behind the columns of an index, which SQLite looks for among their rows where it is IN a list.
char *without_rowid_search(const char *rows)
{
    static const char *const searches[] = {" AND rowid=?)|", " AND rowid>?)|", " AND rowid<?)|"};
    const size_t size = strlen(searches[0]) - 2;
    char *out = strdup(rows);
    for (u32 i = 0; i < COUNT_OF(searches); i++)
        for (char *at; (at = strstr(out, searches[i]));) memmove(at, at + size, strlen(at + size) + 1);
    return out;
}

// Plans: what an IN of a subquery that was computed before is computed by once more, or that it is not. Lines are numbered from 1 on.
char *without_reused_lists(const char *rows)
{
    enum { LINES_MAX = 500, LISTS_MAX = 64 };
    u32 numbers[LINES_MAX] = {0}, lists[LISTS_MAX], line = 0, kept = 0, list_count = 0;
    struct rows r = {0};
    rows_add(&r, "%s", "");
    for (const char *at = rows, *end; *at && line + 1 < LINES_MAX; at = end + 1) {
        unsigned id, parent, list;
        int text = 0;
        end = strchr(at, '\n');
        if (sscanf(at, "I:%u|I:%u|T:%n", &id, &parent, &text) < 2 || !text || parent > line) break;
        line++;
        bool again = parent && !numbers[parent];
        if (sscanf(at + text, "REUSE LIST SUBQUERY %u", &list) == 1) again = true;
        else if (!again && sscanf(at + text, "LIST SUBQUERY %u", &list) == 1) {
            for (u32 i = 0; i < list_count; i++) again |= lists[i] == list;
            if (!again && list_count < LISTS_MAX) lists[list_count++] = list;
        }
        if (again) continue;
        numbers[line] = ++kept;
        rows_add(&r, "I:%u|I:%u|T:%.*s\n", kept, parent ? numbers[parent] : 0, (int)(end - at) - text, at + text);
    }
    return r.text;
}

// printf('%!.20f') of 1e300 is 1000 and so on or 9999: the first 15 digits of numbers, rounded.
char *without_scale(const char *rows)
{
    struct rows r = {0};
    rows_add(&r, "%s", "");
    for (const char *c = rows; *c;) {
        char digits[32] = "";
        u32 count = 0, size = (u32)strspn(c, "0123456789.");
        for (u32 i = 0; i < size && count < 16; i++)
            if (c[i] != '.' && (count || c[i] != '0')) digits[count++] = c[i];
        if (count < 16) { // a short number
            size = MAX(size, 1);
            rows_add(&r, "%.*s", (int)size, c);
            c += size;
            continue;
        }
        snprintf(digits, sizeof digits, "%.14e", strtod(digits, NULL));
        rows_add(&r, "%.16s", digits);
        c += size;
        unsigned length;
        int used = 0;
        if (sscanf(c, "(%u)%n", &length, &used) == 1 || sscanf(c, "e+%u%n", &length, &used) == 1) c += used;
    }
    return r.text;
}

// PRAGMA table_list looks at views until it meets one that makes no sense: which those are is a matter of SQLite's hash table.
char *without_view_widths(const char *rows)
{
    static const char view[] = "|T:view|I:";
    struct rows r = {0};
    rows_add(&r, "%s", "");
    for (const char *c = rows; *c; c++) {
        rows_add(&r, "%c", *c);
        if (strncmp(c, view, sizeof view - 1) != 0) continue;
        rows_add(&r, "%s", view + 1);
        c += sizeof view - 1;
        c += strspn(c, "0123456789") - 1;
    }
    rows_sort(&r);
    return r.text;
}

char *without_fts_version(const char *rows)
{
    char *copy = strdup(rows), *at = strstr(copy, "T:version|I:5|");
    if (at) memcpy(at, "T:version|I:4", 13);
    return copy;
}

bool same_without(char *(*without)(const char *rows), const char *a, const char *b)
{
    char *x = without(a), *y = without(b);
    bool same = strcmp(x, y) == 0;
    free(x);
    free(y);
    return same;
}

// A row of the first that the second has not.
bool has_more(const char *rows, const char *others)
{
    for (const char *line = rows, *end; *line; line = end + 1) {
        end = strchr(line, '\n');
        const char *at = others;
        while ((at = memmem(at, strlen(at), line, (size_t)(end + 1 - line))) && at > others && at[-1] != '\n') at++;
        if (!at) return true;
    }
    return false;
}

u32 line_count(const char *rows)
{
    u32 count = 0;
    for (const char *c = rows; *c; c++) count += *c == '\n';
    return count;
}

// Plans are trees: lines are numbered by where they stand, each program has its own addresses. as_old: without the filters that
// automatic indexes have since 3.41, and that IN has later.
void plan_number(struct rows *r, bool as_old)
{
    enum { LINES_MAX = 200 };
    int ids[LINES_MAX], count = 0;
    struct rows out = {0};
    for (const char *line = r->text, *end; line && *line && count < LINES_MAX; line = end + 1) {
        end = strchr(line, '\n');
        int parent, used = 0, place = 0;
        if (sscanf(line, "I:%d|I:%d|I:%*d|%n", &ids[count], &parent, &used) < 2 || !used) break;
        const char *automatic = strstr(end, " USING AUTOMATIC "), *next = strchr(end + 1, '\n');
        if (as_old && strncmp(line + used, "T:BLOOM FILTER", 14) == 0 && automatic && automatic < next) continue;
        if (as_old && strncmp(line + used, "T:CREATE BLOOM FILTER", 21) == 0) continue;
        count++;
        for (int i = 0; i < count; i++)
            if (ids[i] == parent) place = i + 1;
        rows_add(&out, "I:%d|I:%d|%.*s\n", count, place, (int)(end - line) - used, line + used);
    }
    free(r->text);
    *r = out;
}
