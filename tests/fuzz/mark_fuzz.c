// The mark beside a database, the names and the head in a store: what decodes encodes to the same again. The first
// byte says whether the mark's hash is put right first.
#include "../../sync/log_names.h"
#include "fuzz.h"

#include <sodium.h>

#define MARK_HASH_OFFSET 496u

void fuzz_seeds(void)
{
    u8 bytes[1 + BACKUP_MARK_SIZE] = {1};
    struct backup_mark m = {.serial = 3, .sequence = 9, .epoch = 2, .wal_salt = {1, 2}, .wal_frame = 3, .clean = true, .file_size = 4096};
    backup_mark_encode(&m, bytes + 1);
    fuzz_seed(bytes, sizeof bytes);
    char text[OBJECT_KEY_MAX + 1] = {0};
    log_key("main", 0x123, text + 1);
    fuzz_seed(text, 1 + strlen(text + 1));
    fuzz_seed(text, 1 + log_head_encode(77, text + 1));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    if (size < 1) return 0;
    u8 *bytes = calloc(1, BACKUP_MARK_SIZE);
    memcpy(bytes, data + 1, MIN(size - 1, BACKUP_MARK_SIZE));
    if (data[0] & 1)
        crypto_generichash(bytes + MARK_HASH_OFFSET, BACKUP_MARK_SIZE - MARK_HASH_OFFSET, bytes, MARK_HASH_OFFSET, NULL, 0);
    struct backup_mark m, again;
    if (backup_mark_decode(bytes, &m)) {
        backup_mark_encode(&m, bytes);
        FUZZ_CHECK(backup_mark_decode(bytes, &again));
        FUZZ_CHECK(m.serial == again.serial && m.sequence == again.sequence && m.epoch == again.epoch &&
                   m.clean == again.clean && m.file_size == again.file_size && m.wal_frame == again.wal_frame);
        FUZZ_CHECK(backup_mark_offset(&m) <= BACKUP_MARK_SIZE);
    }
    free(bytes);
    u64 number;
    char head[64], key[OBJECT_KEY_MAX], *text = malloc(size);
    memcpy(text, data + 1, size - 1);
    if (log_head_decode((const u8 *)text, size - 1, &number)) {
        FUZZ_CHECK(log_head_encode(number, head) == size - 1 && memcmp(head, text, size - 1) == 0);
    }
    text[size - 1] = 0;
    if (log_key_parse("main", text, &number)) {
        log_key("main", number, key);
        FUZZ_CHECK(strcmp(key, text) == 0);
    }
    free(text);
    return 0;
}
