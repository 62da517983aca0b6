// Databases that the fuzzers of files start from, made by the engine itself.
#pragma once

#include "fuzz.h"

static const char *const DATABASE_SEEDS[] = {
    "PRAGMA page_size=512; CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT, c REAL); CREATE INDEX i ON t(b, c);"
    "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60) INSERT INTO t SELECT i, 'text ' || i, i / 3.0 FROM n;",
    "PRAGMA page_size=512; CREATE TABLE t(a, b); INSERT INTO t VALUES(1, zeroblob(3000)), (x'00', hex(zeroblob(400))), (NULL, 5);"
    "CREATE TABLE w(k TEXT PRIMARY KEY, v) WITHOUT ROWID; INSERT INTO w VALUES('a', 1), ('b', hex(zeroblob(300))), ('c', -1.5);",
    "PRAGMA page_size=1024; CREATE TABLE t(a INTEGER PRIMARY KEY AUTOINCREMENT, b UNIQUE); INSERT INTO t(b) VALUES(1), (2), (3);"
    "CREATE VIEW v AS SELECT b FROM t; CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END; DELETE FROM t WHERE b = 2; ANALYZE;"
    "CREATE TABLE u(x REFERENCES t(b), y AS (x + 1), CHECK(x > 0)) STRICT; CREATE TABLE dropped(a); DROP TABLE dropped;",
    "PRAGMA page_size=512; PRAGMA encoding='UTF-16le'; CREATE TABLE t(a, b COLLATE NOCASE); INSERT INTO t VALUES('x', 'caf\xc3\xa9'),"
    "('\xf0\x9f\x98\x80', 'B'); CREATE INDEX i ON t(b DESC) WHERE a IS NOT NULL; CREATE INDEX e ON t(lower(a));",
    "PRAGMA page_size=512; CREATE TABLE t(a, b); WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) "
    "INSERT INTO t SELECT i, hex(zeroblob(90)) FROM n; DELETE FROM t WHERE a > 20;",
};

// The file after the statements ran and everything was checkpointed; malloc'ed.
static inline u8 *database_make(const char *sql, size_t *size)
{
    struct io *io = fuzz_io();
    struct fuzz f;
    static const char CHECKPOINT[] = "PRAGMA wal_checkpoint(TRUNCATE)";
    fuzz_open(&f, io, "/seed.db");
    fuzz_run(&f, sql, strlen(sql), UINT32_MAX);
    fuzz_run(&f, CHECKPOINT, sizeof CHECKPOINT - 1, 10);
    u8 *bytes = fuzz_file_read(io, "/seed.db", size);
    FUZZ_CHECK(bytes && *size > 0);
    fuzz_close(&f);
    return bytes;
}
