// Any text runs on a database in memory to its end or to an error, and leaves a database that is whole.
#include "fuzz.h"
#include "parse_seeds.h"

void fuzz_seeds(void)
{
    for (u32 i = 0; i < COUNT_OF(SQL_SEEDS); i++) fuzz_seed(SQL_SEEDS[i], strlen(SQL_SEEDS[i]));
}

// Whether the text may have written the schema table by hand, or closed an eye on constraints.
static bool meddles(const char *text, size_t size)
{
    return memmem(text, size, "_schema", 7) || memmem(text, size, "_SCHEMA", 7) || memmem(text, size, "agma", 4) ||
           memmem(text, size, "AGMA", 4) || memmem(text, size, "CHECK", 5) || memmem(text, size, "check", 5);
}

static int row_check(void *context, struct skerry_stmt *stmt)
{
    const char *text = skerry_column_text(stmt, 0, NULL);
    FUZZ_CHECK(text);
    if (*(const bool *)context && strcmp(text, "ok") != 0) {
        fprintf(stderr, "integrity_check: %s\n", text);
        FUZZ_CHECK(!"the database is whole");
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct fuzz f;
    bool whole = !meddles((const char *)data, size);
    fuzz_open(&f, fuzz_io(), "/fuzz.db");
    char *text = malloc(size ? size : 1); // exactly as large, so that reading behind it is seen
    memcpy(text, data, size);
    fuzz_run(&f, text, size, 200);
    skerry_complete(text, size);
    skerry_rollback(f.db);
    if (skerry_exec(f.db, "PRAGMA integrity_check", row_check, &whole) != SKERRY_OK)
        FUZZ_CHECK(skerry_error(f.db)->text[0]);
    free(text);
    fuzz_close(&f);
    return 0;
}
