// Statements: preparing, stepping, ending. Internal to engine/: what skerry.h offers stands on it.
#pragma once

#include "vm.h"

// A statement without a program; NULL: out of memory. skerry_finalize or statement_destroy frees it.
struct skerry_stmt *statement_new(struct skerry *db, bool nested);
// Takes over a finished program and the arena it is in.
err_code statement_program_set(struct skerry_stmt *s, const struct arena *arena, struct program *p, struct err *err);
// Compiles the first statement of sql; *out stays NULL when there is none. nested: it runs inside of another
// statement of the connection, in its transaction.
io_status statement_prepare(struct skerry *db, struct op *op, const char *sql, size_t size, bool nested,
                            struct skerry_stmt **out, size_t *used);
void statement_destroy(struct skerry_stmt *s); // abandons a run; it is not kept for another prepare
void statement_spare_free(struct skerry *db);
// What it holds between runs: its program, parameters, registers.
u64 statement_bytes(const struct skerry_stmt *s);
// Prepares anew where the schema has changed. The error is in s->op.err.
enum vm_result statement_step(struct skerry_stmt *s);

// statement_cache.c. A connection keeps finalized statements that ran no more and whose text had been finalized before,
// newest texts first, at most STATEMENT_CACHE_COUNT of them and SKERRY_LIMIT_STATEMENT_CACHE bytes. Those are queries,
// changes of rows and transactions' ends; they stay in the connection's list as idle ones do. One is taken for the same text, or
// one that differs in the literals of an INSERT, while everything is as it was compiled for: schemas, flags, limits, functions.
bool statement_cache_keep(struct skerry_stmt *s); // the run is over. False: it is not one to be kept
// NULL: there is none. The schemas are loaded.
struct skerry_stmt *statement_cache_take(struct skerry *db, const char *sql, size_t size);
void statement_cache_clear(struct skerry *db);

// statement_literals.c. Makes of a kept statement one of the text, where that differs from its own in the literals of the row
// that it inserts, and sets its text. False, with nothing changed: it does so in more, or memory is out.
bool statement_literals_set(struct skerry_stmt *s, const char *sql, size_t size);
void statement_literals_free(struct skerry_stmt *s);
// Copies a text, with a NUL behind it, into memory that grows. False, with nothing changed: out of memory.
bool statement_text_set(char **text, size_t *capacity, const char *sql, size_t size);
// How much of a text is taken for its first statement, when `tried` bytes were too little (0: at first).
size_t statement_text_part(const char *sql, size_t size, size_t tried);
