// Goal: what programs that were written for SQLite have it run gets the same answers here.
// Method: record.c records the statements of programs in tests/diff/programs, which use SQLite's library; each recording is
// run on both. RECORDINGS=directory: those of other programs, recorded with
// RECORD=directory LD_PRELOAD=$PWD/build/release/tests/diff/record.so PROGRAM. Left out is what hangs on chance or on other files,
// and calls of functions and collations that a program brought along.
#include "tests/oracle.h"

#include <dirent.h>
#include <sqlite3.h>
#include <sys/stat.h>

static u32 recordings, statements, refused;

static bool says(const char *sql, const char *word)
{
    return strcasestr(sql, word) != NULL;
}

// Names of files: both would use them at once.
static bool names_file(const char *sql)
{
    return (strncasecmp(sql, "ATTACH", 6) == 0 && !says(sql, ":memory:")) || (strncasecmp(sql, "VACUUM", 6) == 0 && says(sql, "INTO"));
}

// How its file is kept is the program's choice, and what there is besides; chance is another one each time.
static bool hangs_on_surroundings(const char *sql)
{
    if (says(sql, "random(") || says(sql, "randomblob(")) return true;
    return says(sql, "PRAGMA") && (says(sql, "_mode") || says(sql, "wal_checkpoint") || says(sql, "compile_options") ||
                                  says(sql, "database_list") || says(sql, "function_list") || says(sql, "module_list"));
}

// What SQLite cannot prepare as the program's own functions are not here.
static bool is_foreign(struct oracle *o, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(o->sqlite, sql, -1, &stmt, NULL);
    sqlite3_finalize(stmt);
    if (code == SQLITE_OK) return false;
    refused++;
    return says(sqlite3_errmsg(o->sqlite), "no such function") || says(sqlite3_errmsg(o->sqlite), "no such collation");
}

// Until something differs.
static void recording_replay(const char *path)
{
    struct oracle o = {0};
    FILE *f = fopen(path, "rb");
    char *text = NULL;
    size_t capacity = 0;
    bool same = f && oracle_open(&o, "replay");
    if (!same) test_fail(__FILE__, __LINE__, "%s: cannot be replayed", path);
    o.context = path;
    o.columns = o.documented = o.roots_vary = true;
    recordings++;
    while (same && getdelim(&text, &capacity, 0, f) > 0) { // the zero byte ends it
        const char *sql = text + strspn(text, " \t\r\n");
        if (hangs_on_surroundings(sql) || names_file(sql) || is_foreign(&o, sql)) continue;
        if (says(sql, "USING fts")) o.reopened = true; // SQLite counts changes of the tables below, too
        statements++;
        same = oracle_run(&o, sql);
        o.gave_up = o.timed_out = false;
    }
    if (same && oracle_in_transaction(&o)) same = oracle_run(&o, "ROLLBACK");
    if (same && !o.reopened) (void)(oracle_compare_contents(&o) && oracle_check_file(&o)); // segments of FTS5 are merged at other times
    oracle_close(&o);
    free(text);
    if (f) fclose(f);
}

static void directory_replay(const char *directory)
{
    struct dirent **names = NULL;
    int count = scandir(directory, &names, NULL, alphasort);
    recordings = statements = refused = 0;
    for (int i = 0; i < count; i++) {
        char path[1000];
        snprintf(path, sizeof path, "%s/%s", directory, names[i]->d_name);
        if (names[i]->d_name[0] != '.') recording_replay(path);
        free(names[i]);
    }
    free(names);
    if (statements) printf("%s: %u statements of %u recordings, %u refused by SQLite\n", directory, statements, recordings, refused);
    else test_fail(__FILE__, __LINE__, "%s: no recording is in it", directory);
}

// Runs tests/diff/programs/NAME in the test's directory and replays what it had SQLite run.
static void program_replay(const char *name, const char *needs)
{
    char command[16000], directory[700], sought[200];
    snprintf(sought, sizeof sought, "command -v %s >/dev/null", needs);
    if (system(sought) != 0) return test_skip("%s is not installed", needs);
    snprintf(directory, sizeof directory, "%s/recordings", test_dir());
    REQUIRE(mkdir(directory, 0700) == 0);
    char program[4096], self[4096];
    REQUIRE(realpath("tests/diff/programs", program) && realpath("/proc/self/exe", self));
    *strrchr(self, '/') = 0;
    snprintf(command, sizeof command, "cd %s && RECORD=%s RECORDER=%s/record.so '%s/%s' >log 2>&1 || { tail -n 5 log; false; }", test_dir(), directory, self, program, name);
    CHECK_EQ(system(command), 0);
    if (!test_failed()) directory_replay(directory);
}

TEST(subversion)
{
    program_replay("subversion.sh", "svn");
}

TEST(recordings)
{
    const char *directory = getenv("RECORDINGS");
    if (directory && *directory) directory_replay(directory);
    else program_replay("till.py", "/usr/bin/python3");
}

int main(int argc, char **argv) { return test_main(argc, argv); }
