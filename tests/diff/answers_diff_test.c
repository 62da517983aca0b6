// Goal: statements of every topic of SQLite's documentation have SQLite's answers: rows and their types, names of columns,
// texts of errors, result codes, the byte of the mistake, counts of changes.
// Method: the files of tests/diff/answers hold statements, topic by topic; each runs on both. Where newer releases than the
// library at hand answer otherwise, "--= " before the statement has their answer, as rows (I:1|T:x|) or "error: TEXT", and
// says why behind "because". "%%" begins anew with empty databases.
#include "../oracle.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

struct answers {
    const char *file;
    u32 line, statements;
    struct oracle oracle;
    char *sql; // of the statement that is not complete yet
    size_t size, capacity;
    char newer[1000]; // what a newer release answers to the next statement; empty: the library is right
};

static void anew(struct answers *a)
{
    if (a->oracle.engine) oracle_close(&a->oracle);
    (void)oracle_open(&a->oracle, "answers");
    a->oracle.columns = true;
    a->oracle.reopened = strstr(a->file, "full_text") != NULL; // SQLite counts changes of the tables below too
}

static void newer_check(struct answers *a)
{
    char *because = strstr(a->newer, " because ");
    if (because) *because = 0;
    if (!because) test_fail(__FILE__, __LINE__, "%s:%u: the reason is missing", a->file, a->line);
    char got[1000];
    oracle_answer(&a->oracle, a->sql, got, sizeof got);
    if (strcmp(got, a->newer) != 0)
        test_fail(__FILE__, __LINE__, "%s:%u: %s\n  %s\n  instead of %s", a->file, a->line, a->sql, got, a->newer);
    a->newer[0] = 0;
}

static void statement_run(struct answers *a)
{
    char where[300];
    snprintf(where, sizeof where, "%s:%u", a->file, a->line);
    a->oracle.context = where;
    if (a->newer[0])
        newer_check(a);
    else
        (void)oracle_run(&a->oracle, a->sql);
    a->statements++;
    a->size = 0;
}

static void line_add(struct answers *a, const char *line, size_t size)
{
    if (a->size + size + 1 > a->capacity) {
        a->capacity = (a->capacity + size + 1) * 2;
        a->sql = realloc(a->sql, a->capacity);
    }
    memcpy(a->sql + a->size, line, size);
    a->size += size;
    a->sql[a->size] = 0;
}

static void file_run(const char *path)
{
    struct answers a = {.file = path};
    FILE *in = fopen(path, "r");
    CHECK(in != NULL);
    anew(&a);
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    u32 number = 0;
    while ((size = getline(&line, &capacity, in)) > 0) {
        number++;
        if (!a.size && strncmp(line, "%%", 2) == 0) {
            anew(&a);
            continue;
        }
        if (!a.size && strncmp(line, "--= ", 4) == 0) {
            snprintf(a.newer, sizeof a.newer, "%.*s", (int)strcspn(line + 4, "\n"), line + 4);
            continue;
        }
        if (!a.size && (line[0] == '\n' || line[0] == '#')) continue;
        if (!a.size) a.line = number;
        line_add(&a, line, (size_t)size);
        if (skerry_complete(a.sql, a.size)) {
            a.sql[a.size - 1] = 0; // the line's end
            statement_run(&a);
        }
    }
    CHECK_EQ(a.size, 0);
    fprintf(stderr, "  %s: %u statements\n", path, a.statements);
    oracle_close(&a.oracle);
    free(a.sql);
    free(line);
    fclose(in);
}

TEST(topics)
{
    struct dirent **entries;
    int count = scandir("tests/diff/answers", &entries, NULL, alphasort);
    CHECK(count > 2);
    // Files that statements name, as ATTACH does, are the test's.
    char *folder = realpath("tests/diff/answers", NULL), *home = getcwd(NULL, 0);
    REQUIRE(folder && home && chdir(test_dir()) == 0);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        size_t size = strlen(name);
        char path[400];
        snprintf(path, sizeof path, "%s/%s", folder, name);
        if (size > 4 && strcmp(name + size - 4, ".sql") == 0) file_run(path);
        free(entries[i]);
    }
    free(entries);
    CHECK(chdir(home) == 0);
    free(folder);
    free(home);
}

int main(int argc, char **argv) { return test_main(argc, argv); }
