#include "err.h"

#include <stdarg.h>

struct err_row {
    err_code code;
    u8 primary; // 0: the low byte of the code
    const char *name, *text;
};

// SQLite's texts are those of sqlite3_errstr; an extended code without its own text has its
// primary's.
static const struct err_row err_rows[] = {
    {ERR_OK, 0, "SQLITE_OK", "not an error"},
    {ERR_ERROR, 0, "SQLITE_ERROR", "SQL logic error"},
    {ERR_INTERNAL, 0, "SQLITE_INTERNAL", "unknown error"},
    {ERR_PERM, 0, "SQLITE_PERM", "access permission denied"},
    {ERR_ABORT, 0, "SQLITE_ABORT", "query aborted"},
    {ERR_BUSY, 0, "SQLITE_BUSY", "database is locked"},
    {ERR_LOCKED, 0, "SQLITE_LOCKED", "database table is locked"},
    {ERR_NOMEM, 0, "SQLITE_NOMEM", "out of memory"},
    {ERR_READONLY, 0, "SQLITE_READONLY", "attempt to write a readonly database"},
    {ERR_INTERRUPT, 0, "SQLITE_INTERRUPT", "interrupted"},
    {ERR_IOERR, 0, "SQLITE_IOERR", "disk I/O error"},
    {ERR_CORRUPT, 0, "SQLITE_CORRUPT", "database disk image is malformed"},
    {ERR_NOTFOUND, 0, "SQLITE_NOTFOUND", "unknown operation"},
    {ERR_FULL, 0, "SQLITE_FULL", "database or disk is full"},
    {ERR_CANTOPEN, 0, "SQLITE_CANTOPEN", "unable to open database file"},
    {ERR_PROTOCOL, 0, "SQLITE_PROTOCOL", "locking protocol"},
    {ERR_SCHEMA, 0, "SQLITE_SCHEMA", "database schema has changed"},
    {ERR_TOOBIG, 0, "SQLITE_TOOBIG", "string or blob too big"},
    {ERR_CONSTRAINT, 0, "SQLITE_CONSTRAINT", "constraint failed"},
    {ERR_MISMATCH, 0, "SQLITE_MISMATCH", "datatype mismatch"},
    {ERR_MISUSE, 0, "SQLITE_MISUSE", "bad parameter or other API misuse"},
    {ERR_AUTH, 0, "SQLITE_AUTH", "authorization denied"},
    {ERR_RANGE, 0, "SQLITE_RANGE", "column index out of range"},
    {ERR_NOTADB, 0, "SQLITE_NOTADB", "file is not a database"},

    {ERR_ERROR_MISSING_COLLSEQ, 0, "SQLITE_ERROR_MISSING_COLLSEQ", "SQL logic error"},
    {ERR_ABORT_ROLLBACK, 0, "SQLITE_ABORT_ROLLBACK", "abort due to ROLLBACK"},
    {ERR_BUSY_RECOVERY, 0, "SQLITE_BUSY_RECOVERY", "database is locked"},
    {ERR_BUSY_SNAPSHOT, 0, "SQLITE_BUSY_SNAPSHOT", "database is locked"},
    {ERR_BUSY_TIMEOUT, 0, "SQLITE_BUSY_TIMEOUT", "database is locked"},
    {ERR_IOERR_READ, 0, "SQLITE_IOERR_READ", "disk I/O error"},
    {ERR_IOERR_SHORT_READ, 0, "SQLITE_IOERR_SHORT_READ", "disk I/O error"},
    {ERR_IOERR_WRITE, 0, "SQLITE_IOERR_WRITE", "disk I/O error"},
    {ERR_IOERR_FSYNC, 0, "SQLITE_IOERR_FSYNC", "disk I/O error"},
    {ERR_IOERR_TRUNCATE, 0, "SQLITE_IOERR_TRUNCATE", "disk I/O error"},
    {ERR_CORRUPT_VTAB, 0, "SQLITE_CORRUPT_VTAB", "database disk image is malformed"},
    {ERR_CORRUPT_INDEX, 0, "SQLITE_CORRUPT_INDEX", "database disk image is malformed"},
    {ERR_READONLY_DBMOVED, 0, "SQLITE_READONLY_DBMOVED",
     "attempt to write a readonly database"},
    {ERR_CONSTRAINT_CHECK, 0, "SQLITE_CONSTRAINT_CHECK", "constraint failed"},
    {ERR_CONSTRAINT_COMMITHOOK, 0, "SQLITE_CONSTRAINT_COMMITHOOK", "constraint failed"},
    {ERR_CONSTRAINT_FUNCTION, 0, "SQLITE_CONSTRAINT_FUNCTION", "constraint failed"},
    {ERR_CONSTRAINT_FOREIGNKEY, 0, "SQLITE_CONSTRAINT_FOREIGNKEY", "constraint failed"},
    {ERR_CONSTRAINT_NOTNULL, 0, "SQLITE_CONSTRAINT_NOTNULL", "constraint failed"},
    {ERR_CONSTRAINT_PRIMARYKEY, 0, "SQLITE_CONSTRAINT_PRIMARYKEY", "constraint failed"},
    {ERR_CONSTRAINT_TRIGGER, 0, "SQLITE_CONSTRAINT_TRIGGER", "constraint failed"},
    {ERR_CONSTRAINT_UNIQUE, 0, "SQLITE_CONSTRAINT_UNIQUE", "constraint failed"},
    {ERR_CONSTRAINT_VTAB, 0, "SQLITE_CONSTRAINT_VTAB", "constraint failed"},
    {ERR_CONSTRAINT_ROWID, 0, "SQLITE_CONSTRAINT_ROWID", "constraint failed"},
    {ERR_CONSTRAINT_PINNED, 0, "SQLITE_CONSTRAINT_PINNED", "constraint failed"},
    {ERR_CONSTRAINT_DATATYPE, 0, "SQLITE_CONSTRAINT_DATATYPE", "constraint failed"},

    {ERR_OWN, ERR_ERROR, "OWN", "unknown error"},
    {ERR_USAGE, ERR_MISUSE, "USAGE", "wrong usage"},
    {ERR_CANCELLED, ERR_INTERRUPT, "CANCELLED", "the operation was cancelled"},
    {ERR_TIMEOUT, ERR_BUSY, "TIMEOUT", "the time allowed is over"},
    {ERR_NETWORK, ERR_IOERR, "NETWORK", "the network failed"},
    {ERR_STORE_MISSING, ERR_CANTOPEN, "STORE_MISSING", "the store does not have it"},
    {ERR_STORE_EMPTY, ERR_CANTOPEN, "STORE_EMPTY", "the store holds no backup of that name"},
    {ERR_STORE_EXISTS, ERR_CONSTRAINT, "STORE_EXISTS", "the store has it already"},
    {ERR_STORE_DENIED, ERR_AUTH, "STORE_DENIED", "the store refused the credentials"},
    {ERR_STORE_UNAVAILABLE, ERR_BUSY, "STORE_UNAVAILABLE", "the store is not available now"},
    {ERR_STORE_CORRUPT, ERR_CORRUPT, "STORE_CORRUPT", "an object in the store is damaged"},
    {ERR_STORE_KEY, ERR_AUTH, "STORE_KEY", "wrong or missing encryption key"},
    {ERR_STORE_FOREIGN, ERR_MISMATCH, "STORE_FOREIGN",
     "the prefix holds another database's backup"},
    {ERR_STORE_FENCED, ERR_BUSY, "STORE_FENCED", "another writer has claimed the prefix"},
    {ERR_LIMIT, ERR_TOOBIG, "LIMIT", "a limit was reached"},
};

static const struct err_row *err_find(err_code code)
{
    for (u32 i = 0; i < COUNT_OF(err_rows); i++)
        if (err_rows[i].code == code) return &err_rows[i];
    return NULL;
}

static void err_fill(struct err *err, err_code code, int sys_errno, const char *where,
                     const char *format, va_list args)
{
    if (err->code != ERR_OK) return;
    err->code = code;
    err->sys_errno = sys_errno;
    err->where = where;
    vsnprintf(err->text, sizeof err->text, format, args);
}

void err_set(struct err *err, err_code code, const char *where, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    err_fill(err, code, 0, where, format, args);
    va_end(args);
}

void err_set_errno(struct err *err, err_code code, int sys_errno, const char *where,
                   const char *format, ...)
{
    va_list args;
    va_start(args, format);
    err_fill(err, code, sys_errno, where, format, args);
    va_end(args);
}

void err_clear(struct err *err)
{
    err->code = ERR_OK;
    err->sys_errno = err->peer_status = 0;
    err->offset = -1;
    err->where = NULL;
    err->text[0] = 0;
}

const char *err_name(err_code code)
{
    const struct err_row *row = err_find(code);
    if (!row && code < ERR_OWN) row = err_find((err_code)(code & 0xff));
    return row ? row->name : "UNKNOWN";
}

const char *err_default_text(err_code code)
{
    const struct err_row *row = err_find(code);
    if (!row && code < ERR_OWN) row = err_find((err_code)(code & 0xff));
    return row ? row->text : "unknown error";
}

int err_primary(err_code code)
{
    const struct err_row *row = err_find(code);
    if (row && row->primary) return row->primary;
    return code < ERR_OWN ? (int)code & 0xff : ERR_ERROR;
}

void assert_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "skerry: internal error at %s:%d: %s\n", file, line, condition);
    abort();
}
