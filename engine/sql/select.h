// Inside SELECT: sorting, DISTINCT, aggregates, subqueries in FROM.
//
//   select.c            one SELECT from its clauses to its loops
//   select_row.c        what is done with a row: DISTINCT, the sorter, the destination
//   select_aggregate.c  GROUP BY and aggregates
//   select_flatten.c    subqueries in FROM: merged into the query, their filters pushed down
//   select_propagate.c  constants in the place of columns
//   select_source.c     ... or computed: coroutines, temporary tables
//   compound.c          UNION and its kin;  compound_merge.c  ... with ORDER BY
//   cte.c               recursive ones;  window.c  window functions
#pragma once

#include "../fn/fn.h"
#include "emit.h"
#include "expr.h"
#include "resolve.h"

enum { SELECT_ROWS_UNKNOWN = 320 }; // logest: four billion

struct sort {
    struct expr_list *order_by; // NULL: no sorting
    int ordered;                // leading terms that the loops deliver: rows equal in these are sorted as a block
    int block_label, block_return, done_label; // of blocks: the subroutine that gives a block's rows; behind the last row
    int cursor;
    int open_address;           // of the OpenEphemeral, which may become SorterOpen or Noop; -1: done without
    bool use_sorter;
    int order_limit_label;      // where to go when no later row of the inner loop can be in the result; 0: none
    int *source;                // per result column: key that holds it, or -1 - its place behind the keys
    int payload_count;
    int row_cursor_count;
};
enum distinct_kind { ROW_DISTINCT_NONE, ROW_DISTINCT_UNIQUE, ROW_DISTINCT_ORDERED, ROW_DISTINCT_UNORDERED };
struct distinct {
    bool wanted;
    enum distinct_kind kind;
    int cursor, open_address; // the temporary index; -1: it is not opened beforehand
    int previous;             // rows in order: the last one's values, of which the caller says that there are none yet
    int hash;                 // keys in a hash table, opened by the instruction after the index's; or -1
};

void select_row_code(struct compile *c, struct select *s, int source_cursor, struct sort *sort, struct distinct *d,
                     struct select_dest *dest, int continue_label, int break_label);
void select_sort_tail(struct compile *c, struct select *s, struct sort *sort, int columns, struct select_dest *dest);
// Once the loops are known: which terms are left to sort by.
void select_sort_begin(struct compile *c, struct select *s, struct sort *sort);
// The values in dest's registers go where dest says; limit and offset have been seen to.
void select_row_deliver(struct compile *c, struct select *s, struct select_dest *dest, int reg, int count, int break_label);
void select_offset_code(struct compile *c, int offset_register, int continue_label);
void select_limit_code(struct compile *c, struct select *s, int break_label);
void select_source_init(struct sort *sort, struct compile *c, struct select *s);
struct expr *limit_less(struct compile *c, struct expr *e);

void select_compound(struct compile *c, struct select *s, struct select_dest *dest);
void select_merge(struct compile *c, struct select *s, struct select_dest *dest); // all but UNION ALL without ORDER BY
// With the register that counts its LIMIT down, or 0; then it has no LIMIT of its own.
void select_code_limited(struct compile *c, struct select *s, struct select_dest *dest, int limit_register);
void select_recursive(struct compile *c, struct select *s, struct select_dest *dest);
bool select_flatten(struct compile *c, struct select *s, u32 from, bool aggregate);
// Columns of WHERE that WHERE says are equal to a constant become it.
void select_propagate_constants(struct compile *c, struct select *s);
// CTEs named in s are used once more: by a copy of it, in SQLite at least.
void select_ctes_count(struct select *s);
bool select_push_down(struct compile *c, struct select *sub, struct expr *where, struct source_list *from, u32 index);
void select_sources_code(struct compile *c, struct select *s);
void select_aggregate(struct compile *c, struct select *s, struct select_dest *dest, struct sort *sort,
                      struct distinct *d, int end);
// "SELECT count(*) FROM t" answered by the tree alone: whether it has been coded.
bool select_count_shortcut(struct compile *c, struct select *s, struct aggregate_info *a, struct select_dest *dest);
bool windows_same(struct compile *c, const struct window *a, const struct window *b);
// Copies of a select have no list of window functions until they are coded: this looks at its columns.
bool select_has_window(const struct select *s);
// sorted_once: what ORDER BY has computed of the columns is what its rows are.
void select_window_rewrite(struct compile *c, struct select *s, bool sorted_once);
// Whether its arguments are computed from the columns of a row as it is stepped: a temporary table keeps no subtypes.
static inline bool window_computes(const struct window *w) { return w->function->flags & FN_READS_SUBTYPE; }
void select_window_rows(struct compile *c, struct select *s, struct where_info *w, struct select_dest *dest, struct sort *sort,
                        struct distinct *d, int end);
// Whether keys like these can be in a hash table.
bool keys_hashable(const struct key_info *key);
// Goes to `seen` when the key in the registers is not new. Keys are kept in the hash table as long as there is room,
// then in the temporary index.
void distinct_key_code(struct compile *c, int cursor, int hash, int reg, int count, int seen);
// Goes to continue_label when the list's values in the registers are not new, found out as d says.
void distinct_code(struct compile *c, const struct expr_list *list, struct distinct *d, int reg, int continue_label);
void explain_temp_btree(struct compile *c, const char *what);
int where_order_limit_label(const struct where_info *w);
int where_min_max_label(const struct where_info *w);
bool where_sorted(const struct where_info *w);
bool select_is_values(const struct select *s); // of one row or several, nothing else about it
const struct collation *compound_collation(struct compile *c, struct select *s, u32 column);

// Replaces columns of the subquery at `cursor` by the expressions of its result.
struct substitution {
    struct compile *c;
    int cursor, new_cursor;
    bool outer_join;
    struct expr_list *columns, *collations;
};
void substitute_select(struct substitution *x, struct select *s, bool priors);
void substitute_list(struct substitution *x, struct expr_list *list);
