// What tests of one engine at a time share: connections driven to their end, rows as text. Included by each test program.
#pragma once

#include "engine/skerry.h"
#include "tests/test.h"

static struct skerry_engine *engine;
static char out[65536]; // what the last statements gave: first columns, each followed by a space

static struct skerry *open_at(const char *path)
{
    struct err err = ERR_CLEAR;
    struct skerry *db = NULL;
    if (!skerry_open(engine, path, SKERRY_OPEN_CREATE, &db, &err)) test_fail(__FILE__, __LINE__, "%s", err.text);
    return db;
}

static void shut(struct skerry *db)
{
    struct err err = ERR_CLEAR;
    while (skerry_close(db, &err) == SKERRY_WAIT) io_step(skerry_engine_io(engine), UINT64_MAX);
}

static int row_append(void *context, struct skerry_stmt *s)
{
    size_t at = strlen(out);
    const char *text = skerry_column_text(s, 0, NULL);
    snprintf(out + at, sizeof out - at, "%s ", text ? text : "NULL");
    return 0;
}
