#include "keyring.h"

#include <sodium.h>

// Half a second and 32 MiB on a small device, once at start.
#define KDF_OPERATIONS 4
#define KDF_MEMORY     (32u << 20)
#define KDF_MEMORY_MAX (1u << 30)
#define NONCE_AT       48
#define SEALED_AT      72

static const char MAGIC[8] = {'S', 'K', 'R', 'Y', 'K', 'E', 'Y', '1'};

void keyring_fresh(struct segment_key *data)
{
    data->given = true;
    randombytes_buf(data->bytes, sizeof data->bytes);
}

static bool master_derive(const struct master_key *master, const u8 *object, u8 out[32], struct err *err)
{
    if (be32_get(object + 8) == 0) {
        memcpy(out, master->bytes, 32);
        return true;
    }
    u64 operations = be64_get(object + 16), memory = be64_get(object + 24);
    if (operations < 1 || operations > 100 || memory < 8192 || memory > KDF_MEMORY_MAX ||
        crypto_pwhash(out, 32, master->passphrase, strlen(master->passphrase), object + 32, operations,
                      (size_t)memory, crypto_pwhash_ALG_ARGON2ID13) != 0) {
        err_set(err, ERR_NOMEM, __func__, "the passphrase cannot be turned into a key: it takes %llu bytes of memory",
                (unsigned long long)memory);
        return false;
    }
    return true;
}

static void associated_make(const u8 *object, u64 lineage, u8 out[NONCE_AT + 8])
{
    memcpy(out, object, NONCE_AT);
    be64_put(out + NONCE_AT, lineage);
}

err_code keyring_wrap(const struct master_key *master, const struct segment_key *data, u64 lineage,
                      u8 out[KEYRING_OBJECT_SIZE], struct err *err)
{
    u8 key[32], associated[NONCE_AT + 8];
    memset(out, 0, KEYRING_OBJECT_SIZE);
    memcpy(out, MAGIC, 8);
    be32_put(out + 8, master->is_passphrase);
    if (master->is_passphrase) {
        be64_put(out + 16, KDF_OPERATIONS);
        be64_put(out + 24, KDF_MEMORY);
        randombytes_buf(out + 32, 16);
    }
    randombytes_buf(out + NONCE_AT, SEALED_AT - NONCE_AT);
    if (!master_derive(master, out, key, err)) return ERR_NOMEM;
    associated_make(out, lineage, associated);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out + SEALED_AT, NULL, data->bytes, 32, associated,
                                               sizeof associated, NULL, out + NONCE_AT, key);
    sodium_memzero(key, sizeof key);
    return ERR_OK;
}

err_code keyring_unwrap(const struct master_key *master, u64 lineage, const u8 *bytes, size_t size,
                        const char *name, struct segment_key *data, struct err *err)
{
    u8 key[32], associated[NONCE_AT + 8];
    if (size != KEYRING_OBJECT_SIZE || memcmp(bytes, MAGIC, 8) != 0 || be32_get(bytes + 8) > 1 ||
        be32_get(bytes + 12) != 0 || be64_get(bytes + 120) != 0) {
        err_set(err, ERR_STORE_CORRUPT, __func__, "object %s is damaged: it is no wrapped key; restore it from another copy of the store", name);
        return ERR_STORE_CORRUPT;
    }
    bool passphrase = be32_get(bytes + 8) == 1;
    if (!master->given) {
        err_set(err, ERR_STORE_KEY, __func__, "the backup is encrypted (object %s); give %s", name,
                passphrase ? "its passphrase with --passphrase-file or SKERRY_PASSPHRASE_FILE"
                           : "its key with --key-file or SKERRY_KEY_FILE");
        return ERR_STORE_KEY;
    }
    if (passphrase != master->is_passphrase) {
        err_set(err, ERR_STORE_KEY, __func__, "the backup's key (object %s) is wrapped with a %s, and a %s was given", name,
                passphrase ? "passphrase" : "key", passphrase ? "key" : "passphrase");
        return ERR_STORE_KEY;
    }
    if (!master_derive(master, bytes, key, err)) return err->code;
    associated_make(bytes, lineage, associated);
    int bad = crypto_aead_xchacha20poly1305_ietf_decrypt(data->bytes, NULL, NULL, bytes + SEALED_AT, 48, associated,
                                                         sizeof associated, bytes + NONCE_AT, key);
    sodium_memzero(key, sizeof key);
    data->given = !bad;
    if (bad) {
        err_set(err, ERR_STORE_KEY, __func__,
                "the backup was encrypted with another %s (or object %s is damaged)",
                passphrase ? "passphrase" : "key", name);
        return ERR_STORE_KEY;
    }
    return ERR_OK;
}
