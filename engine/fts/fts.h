// Full-text search: FTS5's tables, on SQLite's own shadow tables, so that sqlite3 reads and writes them too. The
// façade of this folder, together with fts_table.h (cursors and changes, for the interpreter).
//
//   CREATE VIRTUAL TABLE mail USING fts5(subject, body, prefix='2 3', tokenize='porter unicode61')
//
// A table NAME is kept in ordinary tables:
//   NAME_content(id, c0, c1, ...)  the rows; not with content='' or content=TABLE; contentless_unindexed=1: some columns;
//                                  locale=1: l0, l1, ... of indexed columns too
//   NAME_docsize(id, sz)           tokens per column; not with columnsize=0; contentless_delete=1: also the origin
//   NAME_config(k, v)              settings, and the version of all this
//   NAME_data(id, block)           the index: segments of sorted terms, and what there is of them (fts_format.h)
//   NAME_idx(segid, term, pgno)    which page of a segment holds a term
#pragma once

#include "../arena.h"
#include "fts_token.h"

#define FTS_COLUMNS_MAX  1998
#define FTS_PREFIXES_MAX 31

enum fts_content {
    FTS_CONTENT_NORMAL,
    FTS_CONTENT_NONE,
    FTS_CONTENT_EXTERNAL,
    FTS_CONTENT_UNINDEXED, // only columns that are not indexed are kept
};
enum fts_detail { FTS_DETAIL_FULL, FTS_DETAIL_COLUMN, FTS_DETAIL_NONE };

// What CREATE VIRTUAL TABLE says. It belongs to the schema: it does not change.
struct fts_config {
    const char *name; // of the table
    u32 column_count;
    const char **columns;
    bool *unindexed; // [column_count]
    u8 content;      // enum fts_content
    u8 detail;       // enum fts_detail
    bool column_size;
    bool contentless_delete, contentless_unindexed;
    bool locale;    // columns may have one: fts5_locale()
    bool tokendata; // behind a zero byte tokens may have data; those of the tokenizers here have none
    const char *content_table, *content_rowid; // external content
    u32 prefix_count;
    u32 prefixes[FTS_PREFIXES_MAX]; // lengths in characters
    struct fts_tokenizer *tokenizer;  // NULL: what needs it fails, the rest of the table is there
    const char *tokenizer_missing;    // says why, then
};

static inline bool fts_contentless(const struct fts_config *c)
{
    return c->content == FTS_CONTENT_NONE || c->content == FTS_CONTENT_UNINDEXED;
}
// Whether there is NAME_content.
static inline bool fts_content_own(const struct fts_config *c)
{
    return c->content == FTS_CONTENT_NORMAL || c->content == FTS_CONTENT_UNINDEXED;
}
// Whether NAME_content has the column.
static inline bool fts_column_kept(const struct fts_config *c, u32 column)
{
    return c->content == FTS_CONTENT_NORMAL || (c->content == FTS_CONTENT_UNINDEXED && c->unindexed[column]);
}
// Whether NAME_content has the column's locale.
static inline bool fts_locale_kept(const struct fts_config *c, u32 column)
{
    return c->locale && c->content == FTS_CONTENT_NORMAL && !c->unindexed[column];
}

// The blob that fts5_locale() gives; NULL: out of memory. The caller frees it.
u8 *fts_locale_make(const u8 *locale, u32 locale_size, const u8 *text, u32 text_size, u64 *size);

// Reads the arguments of USING fts5(...); all memory is the arena's. NULL: *error says why, or is NULL when
// its columns cannot be those of one table, or memory ran out.
struct fts_config *fts_config_parse(struct arena *a, const char *name, const char *const *arguments, u32 count,
                                    const char **error);

// A character of words that need no quotes.
bool fts_is_bare(char c);
// A word of the arguments without its quotes. NULL: out of memory.
const char *fts_dequoted(struct arena *a, const char *text);

// The columns of a shadow table, as CREATE TABLE has them behind the name; NULL at the end of the suffixes.
const char *fts_shadow_columns(struct arena *a, const struct fts_config *config, u32 index);
// The suffixes of the shadow tables that this table has; NULL at the end.
const char *fts_shadow_suffix(const struct fts_config *config, u32 index);
