// LD_PRELOAD library: records what a program has SQLite's library run, for replay_diff_test.c. Into the directory $RECORD goes a
// file for each database in memory and one for each path, to which the programs that open it add in turn: statements with their
// parameters in place, each followed by a zero byte. What triggers run is not recorded, nor what cannot be prepared.
#include <dlfcn.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int statement_record(unsigned event, void *context, void *stmt, void *text)
{
    FILE *f = context;
    if (event == SQLITE_TRACE_CLOSE) return fclose(f);
    if (strncmp(text, "-- ", 3) == 0) return 0; // of a trigger, or of SQLite's own
    char *sql = sqlite3_expanded_sql(stmt);
    if (sql) {
        fwrite(sql, 1, strlen(sql) + 1, f);
        fflush(f);
    }
    sqlite3_free(sql);
    return 0;
}

static void database_record(sqlite3 *db, const char *path)
{
    static int count;
    char file[2000];
    const char *directory = getenv("RECORD");
    if (!directory || !db) return;
    if (path && *path && *path != ':') {
        int start = snprintf(file, sizeof file, "%s/", directory);
        snprintf(file + start, sizeof file - (size_t)start, "%s.sql", path);
        for (char *c = file + start; *c; c++)
            if (*c == '/') *c = '_';
    } else {
        snprintf(file, sizeof file, "%s/%d.%d.sql", directory, (int)getpid(), count++);
    }
    FILE *f = fopen(file, "a");
    if (f) sqlite3_trace_v2(db, SQLITE_TRACE_STMT | SQLITE_TRACE_CLOSE, statement_record, f);
    else perror(file);
}

int sqlite3_open_v2(const char *path, sqlite3 **db, int flags, const char *vfs)
{
    int (*open)(const char *, sqlite3 **, int, const char *) = dlsym(RTLD_NEXT, "sqlite3_open_v2");
    int code = open(path, db, flags, vfs);
    if (code == SQLITE_OK) database_record(*db, path);
    return code;
}

int sqlite3_open(const char *path, sqlite3 **db)
{
    int (*open)(const char *, sqlite3 **) = dlsym(RTLD_NEXT, "sqlite3_open");
    int code = open(path, db);
    if (code == SQLITE_OK) database_record(*db, path);
    return code;
}
