// Keys as people give them.
#include "store.h"

#include <sodium.h>

void store_key_free(struct store_key **key)
{
    if (*key) sodium_memzero(*key, sizeof **key);
    free(*key);
    *key = NULL;
}

bool store_key_passphrase(const char *text, struct store_key *out, struct err *err)
{
    size_t size = strlen(text);
    *out = (struct store_key){0};
    if (size >= STORE_PASSPHRASE_MAX) {
        err_set(err, ERR_USAGE, __func__, "the passphrase is too long: it may have %u bytes", STORE_PASSPHRASE_MAX - 1);
        return false;
    }
    out->kind = size ? STORE_KEY_PASSPHRASE : STORE_KEY_NONE;
    memcpy(out->passphrase, text, size + 1);
    return true;
}

bool store_key_hex(const char *text, size_t size, struct store_key *out, struct err *err)
{
    *out = (struct store_key){0};
    bool good = size == 64 || size == 0;
    for (u32 i = 0; good && i < size / 2; i++) {
        int high = hex_digit((u8)text[2 * i]), low = hex_digit((u8)text[2 * i + 1]);
        good = high >= 0 && low >= 0;
        out->bytes[i] = (u8)(high << 4 | low);
    }
    out->kind = good && size ? STORE_KEY_BYTES : STORE_KEY_NONE;
    if (good) return true;
    err_set(err, ERR_USAGE, __func__, "the key is not 64 hexadecimal digits; make one with: openssl rand -hex 32");
    return false;
}

bool store_key_of_file(const u8 *bytes, size_t size, struct store_key *out, struct err *err)
{
    *out = (struct store_key){0};
    if (size == 32) {
        out->kind = STORE_KEY_BYTES;
        memcpy(out->bytes, bytes, 32);
        return true;
    }
    while (size > 64 && (bytes[size - 1] == '\n' || bytes[size - 1] == '\r' || bytes[size - 1] == ' ')) size--;
    if (size == 64) return store_key_hex((const char *)bytes, size, out, err);
    err_set(err, ERR_USAGE, __func__,
            "the key file holds %zu bytes: a key is 32 bytes, or 64 hexadecimal digits; make one with: openssl rand -hex 32",
            size);
    return false;
}
