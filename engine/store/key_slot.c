#include "key_slot.h"
#include "../../io/io.h"
#include "store.h"

#include <sodium.h>

#define SEQUENCE_AT   16
#define PAGE_SIZE_AT  20
#define ID_AT         24
#define GENERATION_AT 40
#define PREVIOUS_AT   44
#define PROGRESS_AT   48
#define KIND_AT       52
#define OPERATIONS_AT 56
#define MEMORY_AT     64
#define SALT_AT       72
#define NONCE_AT      88
#define SEALED_AT     112
#define SEALED_SIZE   80
#define SUM_AT        480

// About a quarter of a second on a small device, once at opening.
#define KDF_OPERATIONS 3
#define KDF_MEMORY     (32u << 20)
#define KDF_MEMORY_MAX (1u << 30)

static const char MAGIC[16] = "Skerry sealed 1";
_Static_assert(SEALED_AT + SEALED_SIZE <= SUM_AT && SUM_AT + 32 == KEY_SLOT_SIZE, "layout of a key slot");

static const u8 *slot_at(const u8 *header, u32 index)
{
    return header + index * (SEALED_HEADER_SIZE / 2);
}

static bool slot_there(const u8 *slot)
{
    return memcmp(slot, MAGIC, sizeof MAGIC) == 0;
}

bool key_slots_there(const u8 *header)
{
    return slot_there(header) || (memcmp(header, "SQLite format 3", 16) != 0 && slot_there(slot_at(header, 1)));
}

static void sum_make(const u8 *slot, u8 out[32])
{
    crypto_generichash(out, 32, slot, SUM_AT, NULL, 0);
}

static bool slot_sound(const u8 *slot)
{
    u8 sum[32];
    if (!slot_there(slot)) return false;
    sum_make(slot, sum);
    u32 size = be32_get(slot + PAGE_SIZE_AT);
    return memcmp(sum, slot + SUM_AT, sizeof sum) == 0 && size >= 1024 && size <= 65536 && (size & (size - 1)) == 0 &&
           be32_get(slot + SEQUENCE_AT) > 0 && be32_get(slot + GENERATION_AT) > 0 && be32_get(slot + KIND_AT) <= 1;
}

static err_code master_derive(struct key_slot *slot, const struct store_key *key, struct err *err)
{
    if (!slot->passphrase) {
        memcpy(slot->master, key->bytes, sizeof slot->master);
        return ERR_OK;
    }
    if (slot->kdf_operations < 1 || slot->kdf_operations > 100 || slot->kdf_memory < 8192 ||
        slot->kdf_memory > KDF_MEMORY_MAX ||
        crypto_pwhash(slot->master, sizeof slot->master, key->passphrase, strlen(key->passphrase), slot->salt,
                      slot->kdf_operations, (size_t)slot->kdf_memory, crypto_pwhash_ALG_ARGON2ID13) != 0) {
        err_set(err, ERR_NOMEM, __func__, "the passphrase cannot be turned into a key: that takes %llu bytes of memory",
                (unsigned long long)slot->kdf_memory);
        return ERR_NOMEM;
    }
    return ERR_OK;
}

// False: another master key.
static bool slot_unseal(const u8 *bytes, struct key_slot *slot)
{
    u8 keys[64];
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(keys, NULL, NULL, bytes + SEALED_AT, SEALED_SIZE, bytes, NONCE_AT,
                                                   bytes + NONCE_AT, slot->master) != 0)
        return false;
    memcpy(slot->keys, keys, sizeof keys);
    sodium_memzero(keys, sizeof keys);
    return true;
}

static void slot_decode(const u8 *bytes, struct key_slot *slot)
{
    *slot = (struct key_slot){
        .sequence = be32_get(bytes + SEQUENCE_AT),
        .page_size = be32_get(bytes + PAGE_SIZE_AT),
        .generation = be32_get(bytes + GENERATION_AT),
        .previous = be32_get(bytes + PREVIOUS_AT),
        .progress = be32_get(bytes + PROGRESS_AT),
        .passphrase = be32_get(bytes + KIND_AT) == 1,
        .kdf_operations = be64_get(bytes + OPERATIONS_AT),
        .kdf_memory = be64_get(bytes + MEMORY_AT),
    };
    memcpy(slot->id, bytes + ID_AT, sizeof slot->id);
    memcpy(slot->salt, bytes + SALT_AT, sizeof slot->salt);
}

// True when it fits; *err only when that could not be found out.
static bool key_fits(const u8 *bytes, const struct store_key *key, struct key_slot *slot, struct err *err)
{
    if (!key || key->kind == STORE_KEY_NONE || (key->kind == STORE_KEY_PASSPHRASE) != slot->passphrase) return false;
    return master_derive(slot, key, err) == ERR_OK && slot_unseal(bytes, slot);
}

err_code key_slots_open(const u8 *header, const char *path, const struct store_key *key,
                        const struct store_key *previous, struct key_slot *out, bool *used_previous, struct err *err)
{
    const u8 *best = NULL;
    for (u32 i = 0; i < 2; i++) {
        const u8 *slot = slot_at(header, i);
        if (slot_sound(slot) && (!best || be32_get(slot + SEQUENCE_AT) > be32_get(best + SEQUENCE_AT))) best = slot;
    }
    *used_previous = false;
    if (!best) {
        err_set(err, ERR_CORRUPT, __func__, "database disk image is malformed: the key slots of %s (offsets 0 and %u) are damaged",
                path, SEALED_HEADER_SIZE / 2);
        return ERR_CORRUPT;
    }
    slot_decode(best, out);
    if (!key || key->kind == STORE_KEY_NONE) {
        err_set(err, ERR_NOTADB, __func__, "%s is encrypted: give its %s", path, out->passphrase ? "passphrase" : "key");
        return ERR_NOTADB;
    }
    if (key_fits(best, key, out, err)) return ERR_OK;
    if (err->code == ERR_OK && key_fits(best, previous, out, err)) {
        *used_previous = true;
        return ERR_OK;
    }
    bool passphrase = out->passphrase;
    key_slot_wipe(out);
    if (err->code != ERR_OK) return err->code;
    if ((key->kind == STORE_KEY_PASSPHRASE) != passphrase)
        err_set(err, ERR_NOTADB, __func__, "%s is encrypted with a %s, and a %s was given", path,
                passphrase ? "passphrase" : "key", passphrase ? "key" : "passphrase");
    else
        err_set(err, ERR_NOTADB, __func__, "%s is encrypted with another %s", path, passphrase ? "passphrase" : "key");
    return ERR_NOTADB;
}

bool key_slots_agree(const u8 *header, const struct key_slot *newest)
{
    for (u32 i = 0; i < 2; i++) {
        const u8 *bytes = slot_at(header, i);
        struct key_slot slot;
        if (!slot_sound(bytes) || be32_get(bytes + SEQUENCE_AT) == newest->sequence) continue;
        slot_decode(bytes, &slot);
        memcpy(slot.master, newest->master, sizeof slot.master);
        bool agree = slot.generation == newest->generation && slot_unseal(bytes, &slot) &&
                     sodium_memcmp(slot.keys[0], newest->keys[0], sizeof slot.keys[0]) == 0;
        key_slot_wipe(&slot);
        return agree;
    }
    return false;
}

err_code key_slot_master(struct key_slot *slot, const struct store_key *key, struct io *io, struct err *err)
{
    slot->passphrase = key->kind == STORE_KEY_PASSPHRASE;
    slot->kdf_operations = slot->passphrase ? KDF_OPERATIONS : 0;
    slot->kdf_memory = slot->passphrase ? KDF_MEMORY : 0;
    memset(slot->salt, 0, sizeof slot->salt);
    if (slot->passphrase) io_random(io, slot->salt, sizeof slot->salt);
    return master_derive(slot, key, err);
}

void key_slot_fresh(struct key_slot *slot, u32 page_size, struct io *io)
{
    slot->sequence = slot->previous = slot->progress = 0;
    slot->page_size = page_size;
    slot->generation = 1;
    io_random(io, slot->id, sizeof slot->id);
    io_random(io, slot->keys[0], sizeof slot->keys[0]);
    memset(slot->keys[1], 0, sizeof slot->keys[1]);
}

void key_slot_encode(const struct key_slot *slot, struct io *io, u8 out[KEY_SLOT_SIZE])
{
    u8 keys[64];
    memset(out, 0, KEY_SLOT_SIZE);
    memcpy(out, MAGIC, sizeof MAGIC);
    be32_put(out + SEQUENCE_AT, slot->sequence);
    be32_put(out + PAGE_SIZE_AT, slot->page_size);
    memcpy(out + ID_AT, slot->id, sizeof slot->id);
    be32_put(out + GENERATION_AT, slot->generation);
    be32_put(out + PREVIOUS_AT, slot->previous);
    be32_put(out + PROGRESS_AT, slot->progress);
    be32_put(out + KIND_AT, slot->passphrase);
    be64_put(out + OPERATIONS_AT, slot->kdf_operations);
    be64_put(out + MEMORY_AT, slot->kdf_memory);
    memcpy(out + SALT_AT, slot->salt, sizeof slot->salt);
    io_random(io, out + NONCE_AT, SEALED_AT - NONCE_AT);
    memcpy(keys, slot->keys, sizeof keys);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out + SEALED_AT, NULL, keys, sizeof keys, out, NONCE_AT, NULL,
                                               out + NONCE_AT, slot->master);
    sodium_memzero(keys, sizeof keys);
    sum_make(out, out + SUM_AT);
}

void key_slot_write(struct key_slot *slot, struct io *io, struct io_file *file, u8 *buffer, struct iovec *iov, struct completion *c)
{
    slot->sequence++;
    key_slot_encode(slot, io, buffer);
    *iov = (struct iovec){.iov_base = buffer, .iov_len = KEY_SLOT_SIZE};
    io_file_writev_sync(file, iov, 1, key_slot_offset(slot), c);
}

void key_slot_wipe(struct key_slot *slot)
{
    sodium_memzero(slot, sizeof *slot);
}
