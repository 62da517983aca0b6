// Settings of `skerry serve` and `skerry restore`: one table of names, defaults and what they mean.
// A setting is given by flag (--name VALUE), variable (SKERRY_NAME; secrets also as a file named by
// SKERRY_NAME_FILE, as Docker has its secrets), or the config file (name = value); the first of
// these that is there counts.
#pragma once

#include "../io/err.h"

enum setting {
    SETTING_DATA,
    SETTING_LISTEN,
    SETTING_STORE,
    SETTING_DATABASE,
    SETTING_RESTORE,
    SETTING_HYDRATE,
    SETTING_FOLLOW,
    SETTING_FOLLOW_TOKEN,
    SETTING_FOLLOW_POLL_MS,
    SETTING_VFS,
    SETTING_SQPOLL,
    SETTING_AUTH_TOKEN,
    SETTING_KEY,
    SETTING_PASSPHRASE,
    SETTING_DB_KEY,
    SETTING_DB_PASSPHRASE,
    SETTING_DB_KEY_PREVIOUS,
    SETTING_DB_PASSPHRASE_PREVIOUS,
    SETTING_DB_CHECKSUMS,
    SETTING_AT,
    SETTING_TX,
    SETTING_LINEAGE,
    SETTING_OVERWRITE,
    SETTING_DECRYPT,
    SETTING_S3_ENDPOINT,
    SETTING_S3_REGION,
    SETTING_S3_ACCESS_KEY,
    SETTING_S3_SECRET_KEY,
    SETTING_S3_SESSION_TOKEN,
    SETTING_S3_VIRTUAL_HOST,
    SETTING_STORE_CA_FILE,
    SETTING_STORE_TOKEN,
    SETTING_STORE_UPLOAD_RATE,
    SETTING_STORE_DOWNLOAD_RATE,
    SETTING_STORE_REQUEST_RATE,
    SETTING_HUB_DIR,
    SETTING_HUB_TOKEN,
    SETTING_HUB_OBJECT_SIZE_MAX,
    SETTING_PUSH_INTERVAL_MS,
    SETTING_ZSTD_LEVEL,
    SETTING_PUSH_ZSTD_LEVEL,
    SETTING_WAL_BYTES_MAX,
    SETTING_WAL_FULL,
    SETTING_HEAD_INTERVAL_MS,
    SETTING_LEVEL_PERIODS,
    SETTING_KEEP,
    SETTING_HISTORY_FACTOR,
    SETTING_MERGE_CPU,
    SETTING_YES,
    SETTING_RESTORED,
    SETTING_NEW_KEY,
    SETTING_NEW_PASSPHRASE,
    SETTING_CACHE_BYTES,
    SETTING_BUSY_TIMEOUT_MS,
    SETTING_STATEMENT_MS_MAX,
    SETTING_STREAM_IDLE_MS,
    SETTING_STREAMS_MAX,
    SETTING_CONNECTIONS_MAX,
    SETTING_HEADER_SIZE_MAX,
    SETTING_BODY_SIZE_MAX,
    SETTING_ANSWER_SIZE_MAX,
    SETTING_HEADER_TIMEOUT_MS,
    SETTING_BODY_TIMEOUT_MS,
    SETTING_IDLE_TIMEOUT_MS,
    SETTING_SEND_TIMEOUT_MS,
    SETTING_SHUTDOWN_MS,
    SETTING_LOG_LEVEL,
    SETTING_COUNT,
};

struct config {
    char *values[SETTING_COUNT]; // never NULL after config_load; "" = unset
    char *files[SETTING_COUNT];  // a secret's file, where the value came from one
    char **arguments;            // what is not a flag
    int argument_count;
    bool help;
};

// Which settings a command takes: others on its command line are refused.
struct config_command {
    const char *usage; // "skerry serve [--NAME VALUE]...\n\nwhat it does\n"
    const enum setting *settings;
    u32 setting_count;
};
// False with *err (ERR_USAGE). argv starts behind the command's name.
bool config_load(struct config *c, const struct config_command *command, int argc, char **argv,
                 struct err *err);
// Of a flag without its dashes: a setting of the command, or its "-file".
bool config_takes(const struct config_command *command, const char *name);
void config_deinit(struct config *c); // wipes secrets
void config_help(const struct config_command *command);

const char *config_file(const struct config *c, enum setting s); // that the value came from; or NULL
const char *config_name(enum setting s); // its flag without dashes
const char *config_text(const struct config *c, enum setting s);
// Numbers take the suffixes k, m, g (times 1024). False with *err.
bool config_number(const struct config *c, enum setting s, u64 min, u64 max, u64 *out,
                   struct err *err);
bool config_bool(const struct config *c, enum setting s, bool *out, struct err *err);
bool time_parse(const char *text, s64 *out_ms); // 2026-03-01T12:00:00Z, '2026-03-01 12:00', Unix seconds
// Unix ms; 0 when unset. UTC.
bool config_time(const struct config *c, enum setting s, s64 *out_ms, struct err *err);
// "30s,5m,1h,24h": exactly `count` spans of time (s, m, h, d; without a letter: ms), ascending.
bool config_spans(const struct config *c, enum setting s, u64 *out_ms, u32 count, struct err *err);
