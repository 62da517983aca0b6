#include "uri.h"

#include <string.h>
#include <stdlib.h>
#include <strings.h>

#include "../io/base.h"

// Copies what precedes one of `stop`, %HH decoded; gives where it stopped. What follows a NUL is left out.
static const char *decode(const char *z, const char *stop, char *out)
{
    bool ended = false;
    while (*z && !strchr(stop, *z)) {
        char c = *z++;
        if (c == '%' && hex_digit((u8)z[0]) >= 0 && hex_digit((u8)z[1]) >= 0) {
            c = (char)(hex_digit((u8)z[0]) << 4 | hex_digit((u8)z[1]));
            z += 2;
        }
        ended |= c == 0;
        if (!ended) *out++ = c;
    }
    *out = 0;
    return z;
}

static bool option_set(const char *key, const char *value, bool may_write, bool *memory, struct database_name *out,
                       struct err *err)
{
    if (strcmp(key, "vfs") == 0 && strcmp(value, "unix") != 0) {
        err_set(err, ERR_ERROR, __func__, "no such vfs: %s", value);
        return false;
    }
    if (strcmp(key, "cache") == 0 && strcmp(value, "shared") != 0 && strcmp(value, "private") != 0) {
        err_set(err, ERR_ERROR, __func__, "no such cache mode: %s", value);
        return false;
    }
    if (strcmp(key, "key") == 0 || strcmp(key, "hexkey") == 0) {
        if (!out->key && !(out->key = calloc(1, sizeof *out->key))) {
            err_set(err, ERR_NOMEM, __func__, "out of memory");
            return false;
        }
        return key[0] == 'k' ? store_key_passphrase(value, out->key, err)
                             : store_key_hex(value, strlen(value), out->key, err);
    }
    if (strcmp(key, "mode") != 0) return true;
    *memory = strcmp(value, "memory") == 0;
    out->read_only = strcmp(value, "ro") == 0;
    out->no_create = strcmp(value, "rw") == 0;
    bool all = strcmp(value, "rwc") == 0;
    if (!*memory && !out->read_only && !out->no_create && !all) {
        err_set(err, ERR_ERROR, __func__, "no such access mode: %s", value);
        return false;
    }
    if ((out->no_create || all) && !may_write) {
        err_set(err, ERR_PERM, __func__, "access mode not allowed: %s", value);
        return false;
    }
    return true;
}

bool database_name_parse(const char *name, bool may_write, struct database_name *out, struct err *err)
{
    *out = (struct database_name){0};
    size_t size = strlen(name);
    char *path = malloc(size + sizeof ":memory:"), *key = malloc(size + 1), *value = malloc(size + 1);
    bool good = path && key && value, memory = false;
    if (!good) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
    } else if (strncasecmp(name, "file:", 5) != 0) {
        memcpy(path, name, size + 1);
    } else {
        const char *z = name + 5;
        if (z[0] == '/' && z[1] == '/') {
            z += 2;
            size_t host = strcspn(z, "/");
            if (host && (host != 9 || strncmp(z, "localhost", 9) != 0)) {
                err_set(err, ERR_ERROR, __func__, "invalid uri authority: %.*s", (int)MIN(host, 200), z);
                good = false;
            }
            z += host;
        }
        z = decode(z, "?#", path);
        while (good && (*z == '?' || *z == '&')) {
            z = decode(z + 1, "=&#", key);
            *value = 0;
            if (*z == '=') z = decode(z + 1, "&#", value);
            good = option_set(key, value, may_write, &memory, out, err);
        }
        if (memory) strcpy(path, ":memory:");
    }
    free(key);
    free(value);
    if (!good) {
        store_key_free(&out->key);
        free(path);
        return false;
    }
    out->path = path;
    return true;
}
