// The program's commands. Each gets the arguments behind its name and gives the exit status: 0
// done, 1 failed (with a sentence on standard error), 2 usage.
#pragma once

#include "config.h"

#define EXIT_FAILED 1
#define EXIT_USAGE  2

int serve_command(int argc, char **argv);
int restore_command(int argc, char **argv);
int health_command(int argc, char **argv);
int sql_command(int argc, char **argv);

// Prints "skerry: " and the error's sentence; gives the exit status that fits.
int command_failed(const struct err *err);

struct io;
struct io_http;
struct object_store;
struct segment_key;
struct object_store *config_store_open(const struct config *c, const char *url, struct io *io,
                                       struct io_http *http, struct err *err);
bool config_key(const struct config *c, struct segment_key *out, struct err *err);
struct io *config_io_open(const struct config *c, struct err *err);
