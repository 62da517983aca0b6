// Any bytes open as a database, or do not: reading and writing end, with rows or an error.
#include "database_seeds.h"
#include "fuzz.h"

void fuzz_seeds(void)
{
    for (u32 i = 0; i < COUNT_OF(DATABASE_SEEDS); i++) {
        size_t size;
        u8 *bytes = database_make(DATABASE_SEEDS[i], &size);
        fuzz_seed(bytes, size);
        free(bytes);
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    static const char WRITES[] = "DELETE FROM t WHERE rowid % 3 = 0; INSERT INTO t SELECT * FROM t LIMIT 20; UPDATE t SET b = "
                                 "hex(randomblob(20)); DELETE FROM w; CREATE TABLE new(a); DROP TABLE t; VACUUM";
    struct io *io = fuzz_io();
    struct fuzz f;
    fuzz_file_write(io, "/fuzz.db", data, size);
    fuzz_open(&f, io, "/fuzz.db");
    fuzz_read_all(&f);
    fuzz_run(&f, WRITES, sizeof WRITES - 1, 100);
    fuzz_close(&f);
    return 0;
}
