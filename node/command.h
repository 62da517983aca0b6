// The program's commands. Each gets the arguments behind its name and gives the exit status: 0
// done, 1 failed (with a sentence on standard error), 2 usage.
#pragma once

#include "../engine/store/store.h"
#include "config.h"

#define EXIT_FAILED 1
#define EXIT_USAGE  2

int serve_command(int argc, char **argv);
int restore_command(int argc, char **argv);
int backup_command(int argc, char **argv);
int promote_command(int argc, char **argv);
int health_command(int argc, char **argv);
int sql_command(int argc, char **argv);

// Prints "skerry: " and the error's sentence; gives the exit status that fits.
int command_failed(const struct err *err);

// Of every command that opens the store.
#define STORE_SETTINGS                                                                             \
    SETTING_STORE, SETTING_S3_ENDPOINT, SETTING_S3_REGION, SETTING_S3_ACCESS_KEY,                  \
        SETTING_S3_SECRET_KEY, SETTING_S3_SESSION_TOKEN, SETTING_S3_VIRTUAL_HOST,                  \
        SETTING_STORE_CA_FILE, SETTING_STORE_TOKEN, SETTING_STORE_UPLOAD_RATE,                     \
        SETTING_STORE_DOWNLOAD_RATE, SETTING_STORE_REQUEST_RATE, SETTING_KEY, SETTING_PASSPHRASE

struct io;
struct io_http;
struct object_store;
struct master_key;
struct object_store *config_store_open(const struct config *c, const char *url, struct io *io,
                                       struct io_http *http, struct err *err);
// The passphrase, if that is what is given, is the config's memory.
bool config_key(const struct config *c, struct master_key *out, struct err *err);
bool config_master_key(const char *key, const char *passphrase, struct master_key *out, struct err *err);
// Of every command that opens databases.
#define DATABASE_SETTINGS \
    SETTING_DB_KEY, SETTING_DB_PASSPHRASE, SETTING_DB_KEY_PREVIOUS, SETTING_DB_PASSPHRASE_PREVIOUS, SETTING_DB_CHECKSUMS
// What those say of database files. The owner wipes it.
struct database_config {
    struct store_key key, previous;
    bool checksums;
};
bool config_database(const struct config *c, struct database_config *out, struct err *err);
struct io *config_io_open(const struct config *c, struct err *err);
