// Database files as bytes, made by libsqlite3. Included by test programs.
#pragma once

#include "tests/test.h"

#include <sqlite3.h>

static inline sqlite3 *sqlite_open_sized(u32 page_size, u32 reserved)
{
    sqlite3 *db;
    char pragma[100];
    int reserve = (int)reserved;
    sqlite3_open(":memory:", &db);
    sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve);
    snprintf(pragma, sizeof pragma, "PRAGMA page_size=%u", page_size);
    sqlite3_exec(db, pragma, NULL, NULL, NULL);
    return db;
}

static inline void sqlite_run(sqlite3 *db, const char *sql)
{
    char *message = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) test_fail(__FILE__, __LINE__, "%s", message);
    sqlite3_free(message);
}

static inline u8 *sqlite_bytes(sqlite3 *db, size_t *size)
{
    sqlite3_int64 bytes;
    u8 *image = sqlite3_serialize(db, "main", &bytes, 0);
    *size = (size_t)bytes;
    u8 *copy = malloc(*size);
    memcpy(copy, image, *size);
    sqlite3_free(image);
    return copy;
}

static inline u8 *sqlite_image(u32 page_size, u32 reserved, const char *sql, size_t *size)
{
    sqlite3 *db = sqlite_open_sized(page_size, reserved);
    sqlite_run(db, sql);
    u8 *image = sqlite_bytes(db, size);
    sqlite3_close(db);
    return image;
}

static inline sqlite3 *sqlite_open_image(const u8 *image, size_t size)
{
    sqlite3 *db;
    sqlite3_open(":memory:", &db);
    u8 *owned = sqlite3_malloc64(size);
    memcpy(owned, image, size);
    sqlite3_deserialize(db, "main", owned, (sqlite3_int64)size, (sqlite3_int64)size,
                        SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE);
    return db;
}
