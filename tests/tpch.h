// TPC-H: its tables filled by a generator of our own, which follows the specification's distributions (revision 3.0,
// clause 4.2.3), and its 22 queries with the parameters of the specification's validation runs, in SQLite's dialect.
// Comments are words of the specification's lists without its grammar. The same scale gives the same rows.
#pragma once

#include "../io/base.h"

enum tpch_type { TPCH_INTEGER, TPCH_REAL, TPCH_TEXT };
struct tpch_value {
    enum tpch_type type;
    s64 integer;
    double real;
    char text[200];
};
struct tpch_table {
    const char *name, *create;
    u32 columns;
};
extern const struct tpch_table tpch_tables[8];
struct tpch_query {
    const char *name, *sql;
};
extern const struct tpch_query tpch_queries[22];

// Calls row for every row of every table, table after table (but orders and lineitem are mixed).
typedef void tpch_row(void *context, u32 table, const struct tpch_value *values, u32 count);
void tpch_generate(double scale, tpch_row *row, void *context);
