// Rows of either library as text, a line each, fields between '|'. Included by each test program that compares them so.
#pragma once

#include "engine/skerry.h"

struct text {
    char *bytes; // malloc'ed
    size_t size, capacity;
};

static void text_add(struct text *t, const char *s)
{
    size_t size = strlen(s);
    if (t->size + size + 1 > t->capacity) {
        t->capacity = (t->size + size + 1) * 2;
        t->bytes = realloc(t->bytes, t->capacity);
    }
    memcpy(t->bytes + t->size, s, size + 1);
    t->size += size;
}

// For sqlite3_exec.
static int oracle_row(void *context, int count, char **values, char **names)
{
    for (int i = 0; i < count; i++) {
        text_add(context, i ? "|" : "");
        text_add(context, values[i] ? values[i] : "NULL");
    }
    text_add(context, "\n");
    return 0;
}

// For skerry_exec.
static int row(void *context, struct skerry_stmt *s)
{
    for (u32 i = 0; i < skerry_column_count(s); i++) {
        const char *text = skerry_column_text(s, i, NULL);
        text_add(context, i ? "|" : "");
        text_add(context, text ? text : "NULL");
    }
    text_add(context, "\n");
    return 0;
}
