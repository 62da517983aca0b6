// What begins a sealed file, and the object of a store's key: they are opened with a key or refused with a sentence.
// The first byte says: 1: sums are put right first; 4: the object.
#include "../../engine/store/key_slot.h"
#include "../../engine/store/store.h"
#include "../../sync/keyring.h"
#include "fuzz.h"

#include <sodium.h>

static const struct store_key KEY = {.kind = STORE_KEY_BYTES, .bytes = {1, 2, 3}};

void fuzz_seeds(void)
{
    u8 bytes[1 + SEALED_HEADER_SIZE] = {1};
    struct err err = ERR_CLEAR;
    struct io *io = fuzz_io();
    struct key_slot slot = {0};
    key_slot_fresh(&slot, 4096, io);
    slot.sequence = 1;
    FUZZ_CHECK(key_slot_master(&slot, &KEY, io, &err) == ERR_OK);
    key_slot_encode(&slot, io, bytes + 1);
    slot.sequence = 2;
    key_slot_encode(&slot, io, bytes + 1 + SEALED_HEADER_SIZE / 2);
    fuzz_seed(bytes, sizeof bytes);
    bytes[1 + 52 + 3] = 1; // by a passphrase
    fuzz_seed(bytes, sizeof bytes);
    io_destroy(io);
    struct segment_key data;
    keyring_fresh(&data);
    u8 object[1 + KEYRING_OBJECT_SIZE] = {4};
    FUZZ_CHECK(keyring_wrap(&(struct master_key){.given = true, .bytes = {1, 2, 3}}, &data, 5, object + 1, &err) == ERR_OK);
    fuzz_seed(object, sizeof object);
}

static void object_open(const u8 *data, size_t size)
{
    struct master_key master = {.given = true, .bytes = {1, 2, 3}};
    struct segment_key key;
    struct err err = ERR_CLEAR;
    if (keyring_unwrap(&master, 5, data, size, "key", &key, &err) != ERR_OK) FUZZ_CHECK(err.text[0]);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    if (size < 1) return 0;
    if (data[0] & 4) {
        object_open(data + 1, size - 1);
        return 0;
    }
    u8 *header = calloc(1, SEALED_HEADER_SIZE);
    memcpy(header, data + 1, MIN(size - 1, SEALED_HEADER_SIZE));
    for (u32 i = 0; i < 2 && data[0] & 1; i++) {
        u8 *slot = header + i * SEALED_HEADER_SIZE / 2;
        crypto_generichash(slot + 480, 32, slot, 480, NULL, 0);
    }
    struct key_slot slot = {0};
    struct err err = ERR_CLEAR;
    bool used;
    if (key_slots_there(header)) {
        if (key_slots_open(header, "/fuzz.db", &KEY, NULL, &slot, &used, &err) != ERR_OK)
            FUZZ_CHECK(err.text[0]);
        else
            (void)key_slots_agree(header, &slot);
        key_slot_wipe(&slot);
    }
    free(header);
    return 0;
}
