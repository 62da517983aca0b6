// The parser: one statement of SQL text to its tree.
//
// Recursive descent with precedence climbing; depth-limited; no waiting. Verdicts and error texts are
// SQLite's. The text must have a NUL behind it (a struct compile's copy has).
#pragma once

#include "ast.h"

struct parse_variable {
    const char *name; // ":a", "?5"; NULL for "?"
    u32 number;
};

#define PARSE_VARIABLE_MAX 250000 // as many as Debian's SQLite has

struct parse {
    struct arena *arena;
    const char *sql;
    u32 size;
    u32 depth_max;    // of expressions; 0: 1000
    u32 variable_max; // 0: PARSE_VARIABLE_MAX
    u32 column_max;   // 0: 2000
    u32 argument_max; // 0: 1000
    bool schema;      // the text of a sqlite_schema row: bad legacy constructs are let pass
    bool rename;      // for ALTER TABLE: no node is dropped or folded
    // Must not return (longjmp). offset is OFFSET_NONE when the error has no place.
    void (*fail)(struct parse *p, err_code code, u32 offset, const char *text);
    // The head of a CREATE TABLE or CREATE TRIGGER has been read: what is wrong with it is told before mistakes further on. May be NULL.
    void (*begun)(struct parse *p, const struct stmt *stmt);
    // Whether the function gives the same for the same arguments, is no aggregate and is there. May be NULL: none does.
    bool (*deterministic)(struct parse *p, struct expr *call);
    // An expression that nobody looks at again: left of IN (), or the bound of a frame. May be NULL.
    void (*left_out)(struct parse *p, struct expr *e);
    void *context;

    // Results.
    struct stmt *stmt; // NULL: white space and comments only
    struct stmt_create_table *table; // `begun`: what has been read of it
    u32 used;          // bytes taken, the semicolon included
    u32 variable_count; // the largest number
    bool has_with;             // a WITH clause has been read
    bool trigger_new;          // set by `begun`: a CREATE TRIGGER is not of one that is there
    struct parse_variable *variables; // those with names, and ?NNN
    u32 variables_count, variables_capacity;
    u32 select_count; // SELECTs number from 1 in the order of their ends

    // The token under the eye and what precedes it.
    u8 token, previous; // enum token_kind
    u32 token_offset, token_size, previous_end;
    u32 depth;
};

// Parses the first statement of p->sql; fails through p->fail.
void parse_statement(struct parse *p);
_Noreturn void parse_fail(struct parse *p, err_code code, u32 offset, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
