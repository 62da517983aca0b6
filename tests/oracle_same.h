// What counts as the same though SQLite says otherwise (outcomes_same, oracle_same.c), by topic; each with its reason where it stands.
// Where it can be, SQLite itself is asked in another way: with other optimizations, of the view itself, what the schema has.
#pragma once

#include "oracle_outcome.h"

#define OTHER_SCHEMA "other\".\"sqlite_schema" // of the attached database, as a name in quotes

#define EXCLUDE_NO_OTHERS " EXCLUDE NO OTHERS"

// oracle_rows.c
char *without_kinds(const char *rows);
char *without_types(const char *rows);
char *without_real(const char *rows);
char *without_last_digits(const char *rows);
bool same_but_neighbours(const char *ours, const char *theirs);
char *without_far_digits(const char *rows);
char *without_numbers(const char *names);
bool numbered_at_random(const char *names); // see without_numbers
char *without_rowid_search(const char *rows);
char *without_reused_lists(const char *rows);
char *without_scale(const char *rows);
char *without_view_widths(const char *rows);
char *without_fts_version(const char *rows);
bool same_without(char *(*without)(const char *rows), const char *a, const char *b);
bool has_more(const char *rows, const char *others);
u32 line_count(const char *rows);

// oracle.c: SQLite's deferring of keys, which ends with a query outside of transactions
bool keys_deferred(struct oracle *o);
void keys_defer(struct oracle *o);

// oracle_ask.c
bool sqlite_has_rows(struct oracle *o, const char *query);
bool schema_has(struct oracle *o, const char *text);
const char *parentheses_end(const char *open);
bool query_is_wrong(struct oracle *o, const char *sql, bool in_view);
bool refuses_unoptimized(struct oracle *o, const char *sql, const char *error);
bool a_view_is_wrong(struct oracle *o, const char *error);
bool same_without_rowids(struct oracle *o, const char *sql, const char *ours);
bool same_unoptimized(struct oracle *o, const char *sql, size_t size, const char *ours);
bool same_without_ties(struct oracle *o, const char *sql);
bool same_without_memory(struct oracle *o, const char *sql, const char *ours);
bool same_without_empty_indexes(struct oracle *o, const char *sql, const char *ours);
bool same_without_order(struct oracle *o, const char *sql, const char *ours);
bool same_without_text(struct oracle *o, const char *sql, const char *left_out, const char *ours);
bool selected_is_disputed(struct oracle *o, const char *sql);

// oracle_alter.c
bool rename_misses_join(struct oracle *o, const char *sql, const struct outcome *ours, const struct outcome *theirs);
bool alter_takes_string(struct oracle *o, const char *sql, const struct outcome *theirs);
bool rename_left_with(struct oracle *o, const char *sql);
bool alter_makes_string_of_name(struct oracle *o, const char *sql);
bool rename_left_table(const char *sql, const struct outcome *theirs);
bool alter_misses_column(struct oracle *o, const char *sql, const struct outcome *theirs);

// oracle_query.c
bool distinct_misses_pass(struct oracle *o, const char *sql, const char *ours, const char *theirs);
bool count_asks_index(struct oracle *o, const char *sql, const struct outcome *theirs);
bool alter_lost_names(struct oracle *o, const char *sql, const struct outcome *theirs);
bool values_lost_names(struct oracle *o, const struct outcome *theirs);
bool view_is_lost(struct oracle *o, const struct outcome *ours);
bool aggregate_beside_window(const char *sql);
bool has_long_blobs(struct oracle *o);

// oracle_change.c
bool view_misses_alias(struct oracle *o, const char *sql, const struct outcome *ours, const struct outcome *theirs);
bool returning_from_view(const char *sql, const char *ours, const char *theirs);
bool keys_have_types(struct oracle *o, const char *sql);
bool update_loses_old(struct oracle *o, const char *sql);
bool takes_row_for_rowid(struct oracle *o, const char *sql);
bool triggers_reordered(struct oracle *o);
bool trigger_replaces(struct oracle *o);
bool keeps_replaced(struct oracle *o, const char *sql);
bool stops_elsewhere(struct oracle *o, const char *sql, const struct outcome *ours, const struct outcome *theirs);
bool view_is_changed(struct oracle *o, const char *sql, const struct outcome *ours);
bool rows_out_of_order(struct oracle *o);
bool rows_were_out_of_order(struct oracle *o, const char *sql);
bool update_meets_itself(struct oracle *o, const char *sql, size_t size, const struct outcome *ours, const struct outcome *theirs);
bool index_lost_entries(struct oracle *o);
bool trigger_has_both(struct oracle *o, const char *sql, const struct outcome *ours, const struct outcome *theirs);
bool lets_orphans_in(struct oracle *o);
bool lets_own_parents_in(struct oracle *o);
