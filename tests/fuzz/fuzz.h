// What the fuzzers share: a loop with its files in memory, a connection, and seeds.
//
// A fuzzer defines LLVMFuzzerTestOneInput and fuzz_seeds; `NAME_fuzz --seeds DIR` writes the seeds there. The same
// input gives the same run: each makes its own loop, files and connection, and lets go of all of it.
#pragma once

#include "../../engine/skerry.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);
// Calls fuzz_seed for every input that is worth starting from.
void fuzz_seeds(void);
void fuzz_seed(const void *bytes, size_t size);

// What must hold, whatever the bytes are.
#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) fuzz_failed(__FILE__, __LINE__, #condition);                             \
    } while (0)
_Noreturn void fuzz_failed(const char *file, int line, const char *condition);

struct io *fuzz_io(void);
void fuzz_file_write(struct io *io, const char *path, const void *bytes, size_t size);
u8 *fuzz_file_read(struct io *io, const char *path, size_t *size); // NULL: it is not there

struct fuzz {
    struct io *io;
    struct skerry_engine *engine;
    struct skerry *db;
};
// Limits keep a run short: steps take a second at most, values a megabyte.
void fuzz_open(struct fuzz *f, struct io *io, const char *path);
// Runs one statement, at most rows_max rows of it, and resets it.
void fuzz_step(struct fuzz *f, struct skerry_stmt *stmt, u32 rows_max);
// Runs all statements of a text, at most rows_max rows of each; an error ends one statement, or all when it does
// not parse. Every error has a text.
void fuzz_run(struct fuzz *f, const char *sql, size_t size, u32 rows_max);
// Opens path and reads all of it that can be read: integrity_check, and every table and index of the schema.
void fuzz_read_all(struct fuzz *f);
void fuzz_close(struct fuzz *f);
