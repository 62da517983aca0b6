// Statements: preparing, stepping, ending. Internal to engine/: what skerry.h offers stands on it.
#pragma once

#include "vm.h"

// A statement without a program; NULL: out of memory. skerry_finalize frees it.
struct skerry_stmt *statement_new(struct skerry *db, bool nested);
// Takes over a finished program and the arena it is in.
err_code statement_program_set(struct skerry_stmt *s, const struct arena *arena, struct program *p, struct err *err);
// Compiles the first statement of sql; *out stays NULL when there is none. nested: it runs inside of another
// statement of the connection, in its transaction.
io_status statement_prepare(struct skerry *db, struct op *op, const char *sql, size_t size, bool nested,
                            struct skerry_stmt **out, size_t *used);
// Of its program, parameters and registers, between runs.
u64 statement_bytes(const struct skerry_stmt *s);
// Prepares anew where the schema has changed. The error is in s->op.err.
enum vm_result statement_step(struct skerry_stmt *s);
