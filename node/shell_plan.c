#include "shell.h"

struct shell_plan_row {
    s64 id, parent;
    char *text;
};

void shell_plan_row(struct shell *s, struct skerry_stmt *stmt)
{
    const char *text = skerry_column_text(stmt, 3, NULL);
    struct shell_plan_row row = {skerry_column_integer(stmt, 0), skerry_column_integer(stmt, 1),
                                 strdup(text ? text : "")};
    buffer_add(&s->plan, (const char *)&row, sizeof row);
    if (s->plan.failed) free(row.text);
}

static void children_print(FILE *out, const struct shell_plan_row *rows, size_t count, s64 parent,
                           char *indent, size_t depth)
{
    size_t last = count;
    for (size_t i = 0; i < count; i++)
        if (rows[i].parent == parent) last = i;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].parent != parent) continue;
        fprintf(out, "%.*s%s%s\n", (int)depth, indent, i == last ? "`--" : "|--",
                rows[i].text ? rows[i].text : "");
        if (depth + 3 > 90 || rows[i].id == parent) continue;
        memcpy(indent + depth, i == last ? "   " : "|  ", 3);
        children_print(out, rows, count, rows[i].id, indent, depth + 3);
    }
}

void shell_plan_print(struct shell *s)
{
    struct shell_plan_row *rows = (struct shell_plan_row *)(void *)s->plan.bytes;
    size_t count = s->plan.size / sizeof *rows;
    char indent[100];
    if (count) {
        fputs("QUERY PLAN\n", s->out);
        children_print(s->out, rows, count, 0, indent, 0);
    }
    for (size_t i = 0; i < count; i++) free(rows[i].text);
    buffer_deinit(&s->plan);
}
