// The shell's .import takes any file: rows come, and lines are told of what is odd. The first byte says whether the table is
// there already, whether the format is --csv, --ascii or the mode's, and how many rows are skipped.
#include "../../node/shell.h"
#include "fuzz.h"

#include <unistd.h>

void fuzz_seeds(void)
{
#define SEED(text) fuzz_seed(text, sizeof text - 1)
    SEED("\x00"
         "a,b,c\n1,\"two \"\"quoted\"\"\nlines\",3\r\n4,5\n6,7,8,9\n");
    SEED("\x01"
         "1,2\n\"x\"y,\"\n");
    SEED("\x02"
         "a\x1f"
         "b\x1e"
         "1\x1f"
         "2\x1e");
    SEED("\x04"
         "a|b\n1|2\n");
    SEED("\x00"
         "\xef\xbb\xbf\"a\",A,a_1,\n,,,\n");
    SEED("\x0b"
         "skipped\n\n1,2\n");
    SEED("\x00"
         "\"\r\n\",\"\"\r\n\"unterminated");
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    static const char MAKE[] = "CREATE TABLE t(a, b INTEGER UNIQUE)",
                      ALL[] = "SELECT * FROM t; SELECT count(*), sum(b) FROM t";
    if (size < 1) return 0;
    struct fuzz f;
    fuzz_open(&f, fuzz_io(), ":memory:");
    char path[64], skip[8], *argv[8] = {(char *)"import"};
    snprintf(path, sizeof path, "/tmp/import_fuzz.%d", (int)getpid());
    snprintf(skip, sizeof skip, "%d", data[0] >> 3 & 3);
    FILE *file = fopen(path, "we");
    FUZZ_CHECK(file && fwrite(data + 1, 1, size - 1, file) == size - 1 && fclose(file) == 0);
    struct shell s = {.engine = f.engine,
                      .db = f.db,
                      .mode = MODE_LIST,
                      .out = fopen("/dev/null", "we"),
                      .column_separator = "|",
                      .row_separator = "\n"};
    FUZZ_CHECK(s.out);
    int argc = 1;
    if (!(data[0] & 4)) argv[argc++] = (char *)(data[0] & 2 ? "--ascii" : "--csv");
    argv[argc++] = (char *)"--skip";
    argv[argc++] = skip;
    argv[argc++] = path;
    argv[argc++] = (char *)"t";
    if (data[0] & 1) fuzz_run(&f, MAKE, sizeof MAKE - 1, 1);
    (void)shell_import(&s, argc, argv);
    fuzz_run(&f, ALL, sizeof ALL - 1, 100);
    FUZZ_CHECK(skerry_autocommit(f.db));
    fclose(s.out);
    unlink(path);
    fuzz_close(&f);
    return 0;
}
