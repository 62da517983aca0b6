// A state of a backup for a command to read: `skerry sql --store URL`. Pages come from the store as
// they are asked for, into a temporary file.
#pragma once

#include "config.h"

#include "../sync/remote.h"

// "store", "at", "s3-endpoint", "key-file" ...: of the settings that say which store and which state.
bool store_view_takes(const char *name);

struct store_view {
    struct config config;
    struct io_http *http;
    struct object_store *objects;
    struct remote *remote;
    char path[300]; // to be opened through io
};
// argv: flags as "--NAME" "VALUE"; database_key: what the file is kept encrypted with, and opened by the engine. False
// with *err; store_view_close either way.
bool store_view_open(struct store_view *v, struct io *io, int argc, char **argv, const struct store_key *database_key, struct err *err);
void store_view_close(struct store_view *v); // after the file was closed
