// Two databases side by side: Skerry's and SQLite's. Each statement runs on both; codes, error texts, rows,
// change counts and last rowids must be the same. Expected values are SQLite's by construction.
#pragma once

#include "test.h"

#include "../engine/skerry.h"

#include <time.h>

struct sqlite3;
struct sim;
#define ORACLE_BESIDE 3
struct oracle {
    struct skerry_engine *engine;
    struct io *io;     // of oracle_open_deferring
    struct sim *sim;
    struct skerry_stmt *beside[ORACLE_BESIDE]; // queries under way on the same connection
    u32 beside_count;
    struct skerry *db;
    struct sqlite3 *sqlite;
    char path[512];
    u32 statements, differences;
    const char *context; // printed with a difference (a row of a table, a seed)
    bool reopened;       // counts of changes started anew: they are not compared
    bool quiet_texts;    // only that both fail counts, not the text
    bool gave_up;        // SQLite ran into a limit of its own: nothing is compared any more
    bool timed_out;      // ours took longer than oracle_limit lets it, on a machine that others use too: as gave_up
    bool any_order;      // rows are compared as sets
    bool several_mistakes; // statements may have them: which of them is told is not compared
    bool documented; // but where it is one of the pairs of mistakes that docs/sql.md has; nor are plans and names that it has
    bool roots_vary;     // trees of several pages came and went: roots of others may lie elsewhere
    bool quiet;          // differences are counted, not reported
    bool rows_misused;   // a row in a value's place is told of where SQLite, which leaves it out of the code, does not
    bool lenient_order;  // what depends on the order of evaluation alone is no difference
    bool either_number;  // a compound query has been run: of 1 and 1.0 in its terms either may have stayed
    bool long_digits;    // texts of numbers with more digits than both agree on were made, and perhaps stored
    bool windows;        // a window function was in a statement, perhaps of a view
    bool columns;        // names of columns and places of errors are compared as well
    enum oracle_doubt {
        ORACLE_NO_DOUBT,
        ORACLE_DOUBT_SELECTED, // SQLite is asked in another way for what it selects for an INSERT or a table; `doubted` if it says other things
        ORACLE_DOUBT_PLANS,    // SQLite runs without its optimizations
    } doubt;
    bool doubted;
    bool interleaved;    // queries stay under way on Skerry's connection, a row for each statement that runs
    bool vacuumed;       // SQLite has numbered rows anew
    bool rowids_stored;  // and a statement since has written some of them
    bool rowid_unknown;  // since a VACUUM, which leaves SQLite's last_insert_rowid somewhere
    bool refused, ours_refused; // the last statement, by SQLite and by ours: it makes no sense
    bool rolled_back;    // by the statement before: SQLite may read the schema again
    int instructions_left; // of oracle_limit, in thousands
    clock_t gives_up_at;
};

// Opens both on fresh files of the test's directory; false: the test has failed.
bool oracle_open(struct oracle *o, const char *name);
bool oracle_open_cached(struct oracle *o, const char *name, u64 cache_bytes); // Skerry's page cache; 0: the default
// On a simulated disk that completes everything later, with a cache of a few pages: Skerry's file is nowhere but there.
bool oracle_open_deferring(struct oracle *o, u64 seed);
// Runs all statements of the text on both; false when something differed (reported by test_fail).
bool oracle_run(struct oracle *o, const char *sql);
// Skerry's answer to a statement that both run: its rows, or "error: " and the text.
void oracle_answer(struct oracle *o, const char *sql, char *out, size_t size);
bool oracle_in_transaction(struct oracle *o);
// Statements that take SQLite more than that many instructions are given up, and those that take ours minutes.
void oracle_limit(struct oracle *o, int instructions);
// Every table's contents must be the same, in whatever order they come.
bool oracle_compare_contents(struct oracle *o);
// Closes Skerry's, has SQLite check the file ("PRAGMA integrity_check") and compares what it finds in it with
// its own; opens it again with the same settings.
bool oracle_check_file(struct oracle *o);
void oracle_close(struct oracle *o);
// Whether this program, with these settings ("ROUND=1 KEEP=3"), passes beside the release that NEWER=directory has, if there is one.
bool oracle_newer_agrees(const char *settings);
bool oracle_has_table(struct oracle *o, const char *name); // SQLite's has it, or a view of that name

// A table of scripts: each on fresh databases, contents and file checked at its end.
// want: the rows of release 3.50 ("I:1|T:a|\n" each), for scripts that older ones answer otherwise: these are not asked then.
struct oracle_script {
    const char *name, *sql, *want;
};
void oracle_run_scripts(const struct oracle_script *scripts, u32 count);
