// Goal: errors have SQLite's numbers, names and texts, the first cause wins, and every code has an
// entry. Method: sqlite3_errstr and sqlite3.h are the oracle.
#include "../../io/err.h"
#include "../test.h"

#include <errno.h>
#include <sqlite3.h>

#define ROW(name)                                                                                  \
    {                                                                                              \
        ERR_##name, SQLITE_##name, "SQLITE_" #name                                                 \
    }
static const struct {
    err_code code;
    int sqlite;
    const char *name;
} sqlite_rows[] = {
    ROW(OK),
    ROW(ERROR),
    ROW(INTERNAL),
    ROW(PERM),
    ROW(ABORT),
    ROW(BUSY),
    ROW(LOCKED),
    ROW(NOMEM),
    ROW(READONLY),
    ROW(INTERRUPT),
    ROW(IOERR),
    ROW(CORRUPT),
    ROW(NOTFOUND),
    ROW(FULL),
    ROW(CANTOPEN),
    ROW(PROTOCOL),
    ROW(SCHEMA),
    ROW(TOOBIG),
    ROW(CONSTRAINT),
    ROW(MISMATCH),
    ROW(MISUSE),
    ROW(AUTH),
    ROW(RANGE),
    ROW(NOTADB),
    ROW(ERROR_MISSING_COLLSEQ),
    ROW(ABORT_ROLLBACK),
    ROW(BUSY_RECOVERY),
    ROW(BUSY_SNAPSHOT),
    ROW(BUSY_TIMEOUT),
    ROW(IOERR_READ),
    ROW(IOERR_SHORT_READ),
    ROW(IOERR_WRITE),
    ROW(IOERR_FSYNC),
    ROW(IOERR_TRUNCATE),
    ROW(CORRUPT_INDEX),
    ROW(READONLY_DBMOVED),
    ROW(CONSTRAINT_CHECK),
    ROW(CONSTRAINT_FOREIGNKEY),
    ROW(CONSTRAINT_NOTNULL),
    ROW(CONSTRAINT_PRIMARYKEY),
    ROW(CONSTRAINT_TRIGGER),
    ROW(CONSTRAINT_UNIQUE),
    ROW(CONSTRAINT_VTAB),
    ROW(CONSTRAINT_ROWID),
    ROW(CONSTRAINT_DATATYPE),
};

TEST(err_sqlite_codes)
{
    for (u32 i = 0; i < COUNT_OF(sqlite_rows); i++) {
        CHECK_EQ(sqlite_rows[i].code, sqlite_rows[i].sqlite);
        CHECK_STR(err_name(sqlite_rows[i].code), sqlite_rows[i].name);
        CHECK_EQ(err_primary(sqlite_rows[i].code), sqlite_rows[i].sqlite & 0xff);
        // SQLite has no public text for a code that it uses inside.
        if (sqlite_rows[i].code != ERR_INTERNAL)
            CHECK_STR(err_default_text(sqlite_rows[i].code), sqlite3_errstr(sqlite_rows[i].sqlite));
    }
    // An extended code without a row has its primary's.
    CHECK_STR(err_name((err_code)SQLITE_IOERR_LOCK), "SQLITE_IOERR");
    CHECK_STR(err_default_text((err_code)SQLITE_IOERR_LOCK), sqlite3_errstr(SQLITE_IOERR_LOCK));
    CHECK_STR(err_default_text((err_code)77), "unknown error");
}

TEST(err_own_codes)
{
    for (int code = ERR_OWN + 1; code <= ERR_LIMIT; code++) {
        CHECK(strcmp(err_name((err_code)code), "UNKNOWN") != 0);
        CHECK(strcmp(err_default_text((err_code)code), "unknown error") != 0);
        CHECK(err_primary((err_code)code) > 0 && err_primary((err_code)code) < 27);
    }
    CHECK_EQ(err_primary(ERR_CANCELLED), ERR_INTERRUPT);
    CHECK_STR(err_name((err_code)(ERR_LIMIT + 1000)), "UNKNOWN");
}

TEST(err_first_cause_wins)
{
    struct err err = ERR_CLEAR;
    err_set_errno(&err, ERR_IOERR_READ, EIO, "here", "page %d cannot be read: %s", 7,
                  strerror(EIO));
    err_set(&err, ERR_NOMEM, "there", "later");
    CHECK_EQ(err.code, ERR_IOERR_READ);
    CHECK_EQ(err.sys_errno, EIO);
    CHECK_STR(err.where, "here");
    CHECK_STR(err.text, "page 7 cannot be read: Input/output error");
    CHECK_EQ(err.offset, -1);
    err_clear(&err);
    CHECK_EQ(err.code, ERR_OK);
    CHECK_EQ(err.sys_errno, 0);
    CHECK_STR(err.text, "");
    char longer[ERR_TEXT_MAX * 2];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    err_set(&err, ERR_ERROR, "here", "%s", longer);
    CHECK_EQ(strlen(err.text), ERR_TEXT_MAX - 1);
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
