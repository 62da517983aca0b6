// Table-valued functions that need nothing of the database: json_each, json_tree, generate_series, and those that an
// application brings (skerry.h: skerry_create_table_function). Plain iterators in memory, which never wait; the SQL
// engine makes tables of them.
//
//   table_rows_open(f, argv, &rows, err) -> while (!table_rows_eof(rows)) { table_rows_column(...); table_rows_next(...); }
//
// The last columns are hidden: they are the arguments, by position or by WHERE column = value.
#pragma once

#include "../value.h"

#define TABLE_FUNCTION_ARGUMENTS_MAX 32

// The first member of each function's own iterator.
struct table_rows {
    const struct table_function *function;
};

// False, or NULL, with *err.
struct table_function_methods {
    // argv as in table_rows_open below. Stands on the first row.
    struct table_rows *(*open)(const struct table_function *f, const struct value *const *argv, struct err *err);
    bool (*next)(struct table_rows *r, struct err *err);
    bool (*eof)(const struct table_rows *r);
    bool (*column)(struct table_rows *r, u32 column, struct value *out, struct err *err);
    s64 (*rowid)(const struct table_rows *r);
    void (*close)(struct table_rows *r);
    // Opens again in the same memory; NULL: there is no gain. False: closed.
    bool (*again)(struct table_rows *r, const struct value *const *argv, struct err *err);
};

struct table_function {
    const char *name; // lower case
    u32 column_count, hidden_count;
    const char *const *columns; // the hidden ones at the end
    u32 needed_count;           // arguments that there must be
    // The open, next, eof, ... of this function.
    const struct table_function_methods *methods;
    void *user; // an application's own
    bool by_rowid; // its rows come in the order of their rowids
    bool bounded;  // its first column's least and greatest value that is wanted stand in argv behind the arguments; others may come
};

// NULL: none of that name (any case).
const struct table_function *table_function_find(const char *name, size_t size);
// Walks them; NULL at the end.
const struct table_function *table_function_table(u32 index);

// argv has hidden_count entries, and two more of a bounded function; NULL where none is given. Values are copied. False with *err.
bool table_rows_open(const struct table_function *f, const struct value *const *argv, struct table_rows **out,
                     struct err *err);
// The same function with other arguments, in the memory that the rows have. False with *err, and *rows are closed.
bool table_rows_again(struct table_rows **rows, const struct value *const *argv, struct err *err);
bool table_rows_next(struct table_rows *r, struct err *err);
bool table_rows_eof(const struct table_rows *r);
bool table_rows_column(struct table_rows *r, u32 column, struct value *out, struct err *err);
s64 table_rows_rowid(const struct table_rows *r);
void table_rows_close(struct table_rows *r); // NULL is fine
