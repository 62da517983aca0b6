// Any bytes lie as a rollback journal beside a good database in rollback-journal mode: a hot one is rolled back as far
// as it counts, and everything is read. The first byte says whether the records' checksums are put right first.
#include "database_seeds.h"
#include "fuzz.h"

#define PAGE_SIZE   512u
#define SECTOR_SIZE 512u

static const u8 MAGIC[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
static u8 *database;
static size_t database_size;

static void base_make(void)
{
    if (database) return;
    database = database_make(DATABASE_SEEDS[0], &database_size);
    database[18] = database[19] = 1; // read and write versions: rollback journal
}

// https://sqlite.org/fileformat2.html#the_rollback_journal
static u32 record_checksum(u32 nonce, const u8 *page)
{
    for (u32 at = PAGE_SIZE - 200; at > 0; at -= MIN(at, 200)) nonce += page[at];
    return nonce;
}

static void checksums_fix(u8 *journal, size_t size)
{
    if (size < SECTOR_SIZE) return;
    memcpy(journal, MAGIC, sizeof MAGIC);
    u32 nonce = be32_get(journal + 12);
    for (size_t at = SECTOR_SIZE; at + PAGE_SIZE + 8 <= size; at += PAGE_SIZE + 8)
        be32_put(journal + at + 4 + PAGE_SIZE, record_checksum(nonce, journal + at + 4));
}

void fuzz_seeds(void)
{
    base_make();
    u32 pages = (u32)(database_size / PAGE_SIZE);
    for (u32 count = 0; count < 5; count++) {
        size_t size = SECTOR_SIZE + count * (PAGE_SIZE + 8);
        u8 *seed = calloc(1, size + 1), *journal = seed + 1;
        memcpy(journal, MAGIC, sizeof MAGIC);
        be32_put(journal + 8, count == 3 ? UINT32_MAX : count); // "as many as there are"
        be32_put(journal + 12, 12345);
        be32_put(journal + 16, count == 4 ? pages - 1 : pages);
        be32_put(journal + 20, SECTOR_SIZE);
        be32_put(journal + 24, PAGE_SIZE);
        for (u32 i = 0; i < count; i++) {
            u8 *record = journal + SECTOR_SIZE + i * (PAGE_SIZE + 8);
            be32_put(record, i + 1);
            memcpy(record + 4, database + i * PAGE_SIZE, PAGE_SIZE);
        }
        checksums_fix(journal, size);
        for (u8 fix = 0; fix < 2; fix++) {
            seed[0] = fix;
            fuzz_seed(seed, size + 1);
        }
        free(seed);
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    if (size < 1) return 0;
    base_make();
    struct io *io = fuzz_io();
    struct fuzz f;
    static const char WRITES[] = "INSERT INTO t(b) VALUES('after'); PRAGMA integrity_check";
    u8 *journal = malloc(size);
    memcpy(journal, data + 1, size - 1);
    if (data[0] & 1) checksums_fix(journal, size - 1);
    fuzz_file_write(io, "/fuzz.db", database, database_size);
    fuzz_file_write(io, "/fuzz.db-journal", journal, size - 1);
    free(journal);
    fuzz_open(&f, io, "/fuzz.db");
    fuzz_read_all(&f);
    fuzz_run(&f, WRITES, sizeof WRITES - 1, 100);
    fuzz_close(&f);
    return 0;
}
