// fts5vocab: the terms of a full-text table as a table that is only read.
//
//   CREATE VIRTUAL TABLE v USING fts5vocab(mail, row)                 term, doc (rows with it), cnt (how often in all)
//   CREATE VIRTUAL TABLE v USING fts5vocab(mail, col)                 term, col, doc, cnt
//   CREATE VIRTUAL TABLE v USING fts5vocab(mail, instance)            term, doc (rowid), col, offset (token)
//   CREATE VIRTUAL TABLE temp.v USING fts5vocab(main, mail, row)      of another database
#pragma once

#include "../arena.h"
#include "../connection.h"

enum fts_vocab_kind { FTS_VOCAB_ROW, FTS_VOCAB_COLUMN, FTS_VOCAB_INSTANCE };
struct fts_vocab {
    const char *database; // NULL: its own
    const char *table;
    u8 kind; // enum fts_vocab_kind
};
struct fts_vocab_cursor;
struct table;

// What of a WHERE clause a cursor takes: bits of the plan's number, with an argument each in this order. The lower bits are
// FTS5's own business: the columns that are wanted.
enum fts_vocab_plan {
    FTS_VOCAB_TERM_EQ = 256,
    FTS_VOCAB_TERM_GE = 512,
    FTS_VOCAB_TERM_LE = 1024,
};

// All memory is the arena's. temp: it is a table of the temp database. NULL: *error says why, or is NULL when memory ran
// out.
struct fts_vocab *fts_vocab_parse(struct arena *a, bool temp, const char *const *arguments, u32 count, const char **error);
const char *fts_vocab_column(const struct fts_vocab *v, u32 index); // NULL: there are no more

io_status fts_vocab_open(struct skerry *db, u32 database, const struct table *own, struct op *op, struct fts_vocab_cursor **out);
void fts_vocab_close(struct fts_vocab_cursor *c); // NULL is fine
// argv: what the plan's bits compare terms with, in their order. Terms come in their order.
io_status fts_vocab_filter(struct fts_vocab_cursor *c, struct op *op, u32 plan, const struct value *argv);
io_status fts_vocab_next(struct fts_vocab_cursor *c, struct op *op);
bool fts_vocab_eof(const struct fts_vocab_cursor *c);
s64 fts_vocab_rowid(const struct fts_vocab_cursor *c);
io_status fts_vocab_column_get(struct fts_vocab_cursor *c, struct op *op, u32 column, struct value *out);
