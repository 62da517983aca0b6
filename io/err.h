// Errors: one struct, one table of codes.
//
// A code that SQLite knows has SQLite's number (extended result codes included), so that no
// translation stands between the engine and its clients. Skerry's own start at ERR_OWN. The table in
// err.c gives each its name ("SQLITE_CONSTRAINT_UNIQUE"), SQLite's default text and an HTTP status.
#pragma once

#include "base.h"

typedef enum MUST_USE {
    ERR_OK = 0,
    ERR_ERROR = 1, // SQL error: the text says what
    ERR_INTERNAL = 2,
    ERR_PERM = 3,
    ERR_ABORT = 4,
    ERR_BUSY = 5,
    ERR_LOCKED = 6,
    ERR_NOMEM = 7,
    ERR_READONLY = 8,
    ERR_INTERRUPT = 9,
    ERR_IOERR = 10,
    ERR_CORRUPT = 11,
    ERR_NOTFOUND = 12,
    ERR_FULL = 13,
    ERR_CANTOPEN = 14,
    ERR_PROTOCOL = 15,
    ERR_SCHEMA = 17,
    ERR_TOOBIG = 18,
    ERR_CONSTRAINT = 19,
    ERR_MISMATCH = 20,
    ERR_MISUSE = 21,
    ERR_AUTH = 23,
    ERR_RANGE = 25,
    ERR_NOTADB = 26,

    ERR_ERROR_MISSING_COLLSEQ = 1 | 1 << 8,
    ERR_ABORT_ROLLBACK = 4 | 2 << 8,
    ERR_BUSY_RECOVERY = 5 | 1 << 8,
    ERR_BUSY_SNAPSHOT = 5 | 2 << 8,
    ERR_BUSY_TIMEOUT = 5 | 3 << 8,
    ERR_IOERR_READ = 10 | 1 << 8,
    ERR_IOERR_SHORT_READ = 10 | 2 << 8,
    ERR_IOERR_WRITE = 10 | 3 << 8,
    ERR_IOERR_FSYNC = 10 | 4 << 8,
    ERR_IOERR_TRUNCATE = 10 | 6 << 8,
    ERR_CORRUPT_VTAB = 11 | 1 << 8,
    ERR_CORRUPT_INDEX = 11 | 3 << 8,
    ERR_READONLY_DBMOVED = 8 | 4 << 8,
    ERR_CONSTRAINT_CHECK = 19 | 1 << 8,
    ERR_CONSTRAINT_COMMITHOOK = 19 | 2 << 8,
    ERR_CONSTRAINT_FOREIGNKEY = 19 | 3 << 8,
    ERR_CONSTRAINT_FUNCTION = 19 | 4 << 8,
    ERR_CONSTRAINT_NOTNULL = 19 | 5 << 8,
    ERR_CONSTRAINT_PRIMARYKEY = 19 | 6 << 8,
    ERR_CONSTRAINT_TRIGGER = 19 | 7 << 8,
    ERR_CONSTRAINT_UNIQUE = 19 | 8 << 8,
    ERR_CONSTRAINT_VTAB = 19 | 9 << 8,
    ERR_CONSTRAINT_ROWID = 19 | 10 << 8,
    ERR_CONSTRAINT_PINNED = 19 | 11 << 8,
    ERR_CONSTRAINT_DATATYPE = 19 | 12 << 8,

    ERR_OWN = 100000,
    ERR_USAGE,             // the command line or a setting is off
    ERR_CANCELLED,         // the operation was cancelled by its owner
    ERR_TIMEOUT,           // a peer or a limit in time
    ERR_NETWORK,           // no connection, reset, name not found
    ERR_STORE_MISSING,     // object, bucket or directory is not there
    ERR_STORE_EMPTY,       // no database of that name was ever backed up there
    ERR_STORE_EXISTS,      // put-if-absent met an object of that name
    ERR_STORE_DENIED,      // credentials refused
    ERR_STORE_UNAVAILABLE, // 5xx, slow down: worth another try
    ERR_STORE_CORRUPT,     // an object does not match its checksum or format
    ERR_STORE_KEY,         // wrong or missing encryption key
    ERR_STORE_FOREIGN,     // the prefix holds another database's backup
    ERR_STORE_FENCED,      // another writer has claimed the prefix
    ERR_LIMIT,             // a limit of ours: rows, size, depth
} err_code;

#define ERR_TEXT_MAX 1000

struct err {
    err_code code;
    int sys_errno;     // or 0
    int peer_status;   // HTTP status of a peer, or 0
    s64 offset;        // byte offset in the file or the SQL text, or -1
    const char *where; // function that noticed
    char text[ERR_TEXT_MAX];
};

#define ERR_CLEAR ((struct err){.offset = -1})

// Sets *err unless it holds an error already (the first cause wins); text is one sentence that says
// what happened and, where someone can act, what to do.
void err_set(struct err *err, err_code code, const char *where, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void err_set_errno(struct err *err, err_code code, int sys_errno, const char *where,
                   const char *format, ...) __attribute__((format(printf, 5, 6)));
void err_clear(struct err *err);
// "SQLITE_CONSTRAINT_UNIQUE", "STORE_DENIED"; never NULL.
const char *err_name(err_code code);
// SQLite's default text for a code ("constraint failed"), or ours; never NULL.
const char *err_default_text(err_code code);
// SQLite's primary code: 2067 -> 19; our own codes map to the nearest of SQLite's.
int err_primary(err_code code);

#define IO_ERROR(err, code, ...) (err_set((err), (code), __func__, __VA_ARGS__), IO_FAIL)
