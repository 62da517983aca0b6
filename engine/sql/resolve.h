// Names, between the files of resolving.
#pragma once

#include "expr.h"

// The expression becomes what the name means, maybe of a table, maybe of a schema's; fails when it means nothing, or several things.
void resolve_name(struct name_context *n, struct expr *e, const char *schema, const char *table, const char *column);
// A WITH clause's entry that the name means here, or NULL.
struct cte *cte_find(struct compile *c, const struct source *s, struct with **scope);
// Makes the tables of FROM known, expands views, CTEs, joins and "*" of this select, and resolves the subqueries in FROM.
void select_expand(struct compile *c, struct select *s, struct name_context *outer);
// Rows that are distinct by one collation are not merged in the order of another: such a compound becomes
// SELECT * FROM (compound) ORDER BY ... The compound, which is returned, keeps the terms until they are resolved, as they mean its
// columns. NULL: it is none.
struct select *select_order_outside(struct compile *c, struct select *s);
// ON, USING and NATURAL become terms of WHERE.
// What is wrong with the tables of the next query is told in its place.
void tables_mistake(struct compile *c, const char *text, s64 offset);
// A mistake that is told when "*" is none, or NULL.
const char *select_joins_resolve(struct compile *c, struct select *s);
// Each "*" becomes the columns that it stands for.
void select_stars_expand(struct compile *c, struct select *s);
// Terms of ORDER BY that are numbers of columns become what the columns are.
void select_order_by_results(struct compile *c, struct select *s);
void select_relink_windows(struct compile *c, struct select *s, struct expr *e);
const char *expr_decltype(struct compile *c, struct name_context *n, const struct expr *e);
bool rowid_visible(const struct table *t); // it has one that names may mean
bool nested_item_matches(const struct expr_item *item, const char *column, const char *table, const char *schema);
void select_link_window(struct compile *c, struct select *s, struct expr *call);
void window_definitions_chain(struct compile *c, struct window *definitions);
// What is wrong with the frame or the FILTER of a call; NULL: nothing.
const char *window_mistake(const struct window *w, const struct fn_def *def, const struct expr *filter);
void window_update(struct compile *c, struct window *w, const struct fn_def *def);
void window_assemble(struct compile *c, struct window *definitions, struct window *w);
// Column j of the source is read.
void source_column_used(struct source *s, const struct expr *e);
// The table of a subquery's result: names from its leftmost term, as they are spelled there or as the columns are called.
struct table *subquery_table(struct compile *c, struct expr_list *columns, const char *name, bool spelled);
// Rows of constants begin with this term, which are one table to SQLite.
bool select_begins_rows(const struct select *s);
// The last term of a compound is such a row: the columns have no affinity, of whatever type its values are.
bool select_ends_rows(const struct select *s);
const struct table *source_view_table(struct compile *c, const struct table *view);
bool expr_resolve_position(struct compile *c, struct select *s, struct expr *e, int *position);
// A mistake that is told when others had their chance to be told before.
void mistake_keep(struct compile *c, const char *text, s64 offset);
void mistake_tell(struct compile *c);
// Makes tables and columns of the query and of all within it known, without names: fails when something is wrong with them. The
// query may be resolved in part.
void select_tables(struct compile *c, struct select *s);
void expr_list_tables(struct compile *c, struct expr_list *list); // of the queries in it
void select_widths_check(struct compile *c, const struct select *term); // against the term behind it
void select_enter(struct compile *c); // one query deeper: fails when it is too deep; c->select_depth goes down again
// resolve_select of a query that is part of one being resolved. False: *mistake is in it.
bool select_attempt(struct compile *c, struct select *s, struct name_context *outer, struct err *mistake);
int name_list_find(const struct name_list *list, const char *name);
