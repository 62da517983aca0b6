// The mark beside a database, the names and the head in a store: what decodes encodes to the same again. The first
// byte says whether the mark's hash is put right first.
#include "../../sync/names.h"
#include "fuzz.h"

#include <sodium.h>

#define MARK_HASH_OFFSET 496u

void fuzz_seeds(void)
{
    u8 bytes[1 + BACKUP_MARK_SIZE] = {1};
    struct backup_mark m = {.serial = 3, .tx = 9, .epoch = 2, .wal_salt = {1, 2}, .wal_frame = 3, .clean = true, .file_size = 4096};
    backup_mark_encode(&m, bytes + 1);
    fuzz_seed(bytes, sizeof bytes);
    char text[OBJECT_KEY_MAX + 1] = {0};
    name_segment("main", 5, 2, 0x123, 0x125, text + 1);
    fuzz_seed(text, 1 + strlen(text + 1));
    struct segment_shard shard = {.shard = 3, .level = 2, .tx_min = 1, .tx_max = 9, .epoch = 4};
    name_shard("main", 5, &shard, text + 1);
    fuzz_seed(text, 1 + strlen(text + 1));
    struct head_segment segments[2] = {{4, 1, 1, 7, 4096, 1000}, {0, 0, 8, 8, 900, 2000}};
    struct head head = {.lineage = 5, .epoch = 2, .tx = 8, .time_ms = 2000, .page_size = 4096, .page_count = 3, .segments = segments, .segment_count = 2};
    size_t size;
    char *encoded = head_encode(&head, NULL, &size);
    char *seed = calloc(1, size + 1);
    memcpy(seed + 1, encoded, size);
    fuzz_seed(seed, size + 1);
    free(seed);
    free(encoded);
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
        FUZZ_CHECK(m.serial == again.serial && m.tx == again.tx && m.lineage == again.lineage && m.sum == again.sum && m.epoch == again.epoch &&
                   m.clean == again.clean && m.file_size == again.file_size && m.wal_frame == again.wal_frame);
        FUZZ_CHECK(backup_mark_offset(&m) <= BACKUP_MARK_SLOT && backup_mark_offset_durable(&m) < BACKUP_MARK_SLOTS * BACKUP_MARK_SLOT);
    }
    free(bytes);
    struct head head;
    if (head_decode(data + 1, size - 1, &head)) {
        // What was written by head_encode comes out the same.
        size_t encoded_size;
        char *encoded = head_encode(&head, NULL, &encoded_size);
        struct head twice;
        FUZZ_CHECK(head_check((u8 *)encoded, encoded_size, NULL) && head_decode((u8 *)encoded, encoded_size, &twice));
        FUZZ_CHECK(twice.tx == head.tx && twice.lineage == head.lineage && twice.segment_count == head.segment_count);
        head_deinit(&twice);
        free(encoded);
        (void)head_check(data + 1, size - 1, NULL);
    }
    head_deinit(&head);
    char key[OBJECT_KEY_MAX], *text = malloc(size);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = 0;
    struct segment_name n;
    const char *slash = strrchr(text, '/');
    if (name_parse(text, 3, &n)) {
        struct segment_shard shard = {.shard = n.shard, .level = 3, .tx_min = n.tx_min, .tx_max = n.tx_max, .epoch = n.epoch};
        if (n.is_shard)
            name_shard("main", 5, &shard, key);
        else
            name_segment("main", 5, 3, n.tx_min, n.tx_max, key);
        FUZZ_CHECK(strcmp(strrchr(key, '/') + 1, slash ? slash + 1 : text) == 0);
    }
    free(text);
    return 0;
}
