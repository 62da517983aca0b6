// Any bytes lie as a WAL beside a good database: it is recovered as far as it counts, and everything is read. The
// first byte says whether the checksums are put right first, so that what they guard is met as well.
#include "database_seeds.h"
#include "fuzz.h"

#define WAL_HEADER_SIZE   32u
#define FRAME_HEADER_SIZE 24u

static u8 *database;
static size_t database_size;

static void base_make(void)
{
    if (!database) database = database_make(DATABASE_SEEDS[0], &database_size);
}

static void checksum_add(u32 sum[2], const u8 *bytes, size_t size, bool big_endian)
{
    for (size_t i = 0; i + 8 <= size; i += 8) {
        u32 a = be32_get(bytes + i), b = be32_get(bytes + i + 4);
        if (!big_endian) a = __builtin_bswap32(a), b = __builtin_bswap32(b);
        sum[0] += a + sum[1];
        sum[1] += b + sum[0];
    }
}

// https://sqlite.org/fileformat2.html#the_write_ahead_log
static void checksums_fix(u8 *wal, size_t size)
{
    if (size < WAL_HEADER_SIZE) return;
    u32 sum[2] = {0, 0}, page_size = be32_get(wal + 8);
    bool big_endian = wal[3] & 1;
    checksum_add(sum, wal, 24, big_endian);
    be32_put(wal + 24, sum[0]);
    be32_put(wal + 28, sum[1]);
    if (page_size < 512 || page_size > 65536 || page_size % 8) return;
    for (size_t at = WAL_HEADER_SIZE; at + FRAME_HEADER_SIZE + page_size <= size; at += FRAME_HEADER_SIZE + page_size) {
        memcpy(wal + at + 8, wal + 16, 8);
        checksum_add(sum, wal + at, 8, big_endian);
        checksum_add(sum, wal + at + FRAME_HEADER_SIZE, page_size, big_endian);
        be32_put(wal + at + 16, sum[0]);
        be32_put(wal + at + 20, sum[1]);
    }
}

void fuzz_seeds(void)
{
    static const char *const WRITES[] = {
        "INSERT INTO t VALUES(1000, 'new', 1); UPDATE t SET b = 'x' WHERE a < 5;",
        "CREATE TABLE w(k PRIMARY KEY) WITHOUT ROWID; INSERT INTO w VALUES(1); DROP TABLE t;",
        "DELETE FROM t; VACUUM;",
    };
    base_make();
    for (u32 i = 0; i < COUNT_OF(WRITES); i++) {
        struct io *io = fuzz_io();
        struct fuzz f;
        size_t size;
        fuzz_file_write(io, "/fuzz.db", database, database_size);
        fuzz_open(&f, io, "/fuzz.db");
        fuzz_run(&f, WRITES[i], strlen(WRITES[i]), 10);
        u8 *wal = fuzz_file_read(io, "/fuzz.db-wal", &size), *seed = malloc(size + 1);
        FUZZ_CHECK(wal && size > WAL_HEADER_SIZE);
        memcpy(seed + 1, wal, size);
        for (u8 fix = 0; fix < 2; fix++) {
            seed[0] = fix;
            fuzz_seed(seed, size + 1);
        }
        free(seed);
        free(wal);
        fuzz_close(&f);
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    if (size < 1) return 0;
    base_make();
    struct io *io = fuzz_io();
    struct fuzz f;
    static const char WRITES[] = "INSERT INTO t(b) VALUES('after'); PRAGMA wal_checkpoint(TRUNCATE); PRAGMA integrity_check";
    u8 *wal = malloc(size);
    memcpy(wal, data + 1, size - 1);
    if (data[0] & 1) checksums_fix(wal, size - 1);
    fuzz_file_write(io, "/fuzz.db", database, database_size);
    fuzz_file_write(io, "/fuzz.db-wal", wal, size - 1);
    free(wal);
    fuzz_open(&f, io, "/fuzz.db");
    fuzz_read_all(&f);
    fuzz_run(&f, WRITES, sizeof WRITES - 1, 100);
    fuzz_close(&f);
    return 0;
}
