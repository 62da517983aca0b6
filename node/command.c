#include "command.h"

#include "../sync/sync.h"

int command_failed(const struct err *err)
{
    fprintf(stderr, "skerry: %s\n", err->text[0] ? err->text : err_default_text(err->code));
    return err->code == ERR_USAGE ? EXIT_USAGE : EXIT_FAILED;
}

struct object_store *config_store_open(const struct config *c, const char *url, struct io *io,
                                       struct io_http *http, struct err *err)
{
    struct object_store_options o = {
        .url = url,
        .endpoint = config_text(c, SETTING_S3_ENDPOINT),
        .region = config_text(c, SETTING_S3_REGION),
        .access_key = config_text(c, SETTING_S3_ACCESS_KEY),
        .secret_key = config_text(c, SETTING_S3_SECRET_KEY),
        .session_token = config_text(c, SETTING_S3_SESSION_TOKEN),
        .access_key_file = config_file(c, SETTING_S3_ACCESS_KEY),
        .secret_key_file = config_file(c, SETTING_S3_SECRET_KEY),
        .session_token_file = config_file(c, SETTING_S3_SESSION_TOKEN),
        .ca_file = config_text(c, SETTING_STORE_CA_FILE),
        .token = config_text(c, SETTING_STORE_TOKEN),
    };
    if (!config_number(c, SETTING_STORE_UPLOAD_RATE, 0, 1ull << 40, &o.upload_bytes_per_s, err) ||
        !config_number(c, SETTING_STORE_DOWNLOAD_RATE, 0, 1ull << 40, &o.download_bytes_per_s, err) ||
        !config_number(c, SETTING_STORE_REQUEST_RATE, 0, 1 << 20, &o.requests_per_s, err))
        return NULL;
    if (!config_bool(c, SETTING_S3_VIRTUAL_HOST, &o.virtual_host_style, err)) return NULL;
    return object_store_open(io, http, &o, err);
}

bool config_key(const struct config *c, struct master_key *out, struct err *err)
{
    return config_master_key(config_text(c, SETTING_KEY), config_text(c, SETTING_PASSPHRASE), out, err);
}

bool config_master_key(const char *text, const char *passphrase, struct master_key *out, struct err *err)
{
    struct segment_key key = {0};
    *out = (struct master_key){0};
    if (text[0] && passphrase[0]) {
        err_set(err, ERR_USAGE, __func__, "both a key and a passphrase are given; give one");
        return false;
    }
    if (passphrase[0]) {
        *out = (struct master_key){.given = true, .is_passphrase = true, .passphrase = passphrase};
        return true;
    }
    if (!text[0]) return true;
    if (segment_key_parse(text, strlen(text), &key)) {
        out->given = true;
        memcpy(out->bytes, key.bytes, sizeof out->bytes);
        return true;
    }
    err_set(err, ERR_USAGE, __func__, "the key is not 64 hexadecimal digits; make one with: openssl rand -hex 32");
    return false;
}

static bool database_key(const struct config *c, enum setting hex, enum setting words, struct store_key *out, struct err *err)
{
    const char *text = config_text(c, hex), *passphrase = config_text(c, words);
    if (text[0] && passphrase[0]) {
        err_set(err, ERR_USAGE, __func__, "both --%s and --%s are given; give one", config_name(hex), config_name(words));
        return false;
    }
    if (!text[0]) return store_key_passphrase(passphrase, out, err);
    if (store_key_hex(text, strlen(text), out, err)) return true;
    err_clear(err);
    err_set(err, ERR_USAGE, __func__, "--%s is not 64 hexadecimal digits; make a key with: openssl rand -hex 32", config_name(hex));
    return false;
}

bool config_database(const struct config *c, struct database_config *out, struct err *err)
{
    *out = (struct database_config){0};
    if (!database_key(c, SETTING_DB_KEY, SETTING_DB_PASSPHRASE, &out->key, err) ||
        !database_key(c, SETTING_DB_KEY_PREVIOUS, SETTING_DB_PASSPHRASE_PREVIOUS, &out->previous, err) ||
        !config_bool(c, SETTING_DB_CHECKSUMS, &out->checksums, err))
        return false;
    if (out->previous.kind == STORE_KEY_NONE || out->key.kind != STORE_KEY_NONE) return true;
    err_set(err, ERR_USAGE, __func__, "a previous key of the database is given, and no new one: --db-key or --db-passphrase");
    return false;
}

struct io *config_io_open(const struct config *c, struct err *err)
{
    static const struct {
        const char *name;
        enum io_backend_kind kind;
    } BACKENDS[] = {
        {"io_uring", IO_BACKEND_RING}, {"posix", IO_BACKEND_POSIX}, {"memory", IO_BACKEND_MEMORY}};
    const char *name = config_text(c, SETTING_VFS);
    struct io_options o = {.fallback = true};
    if (!config_bool(c, SETTING_SQPOLL, &o.sqpoll, err)) return NULL;
    for (u32 i = 0; i < COUNT_OF(BACKENDS); i++) {
        if (strcmp(name, BACKENDS[i].name) != 0) continue;
        o.backend = BACKENDS[i].kind;
        return io_create(&o, err);
    }
    err_set(err, ERR_USAGE, __func__, "--vfs is '%s'; it must be io_uring, posix or memory", name);
    return NULL;
}
