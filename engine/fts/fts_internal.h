// What the files of full-text search share. Internal to engine/fts.
//
// | file | what |
// |---|---|
// | fts_config.c, fts_token.c, fts_porter.c, fts_unicode.c | the table's definition, its tokenizers, their characters |
// | fts_locale.c | text with its language |
// | fts_structure.c | which segments there are; the totals |
// | fts_segment.c | reading one segment, entry by entry |
// | fts_writer.c | writing one |
// | fts_erase.c | taking an entry out of one (secure-delete) |
// | fts_tombstone.c | rows that are gone from a table that keeps no text |
// | fts_pending.c | terms of changed rows, in memory until they become a segment |
// | fts_merge.c | several segments into one |
// | fts_storage.c | the shadow tables: statements, blocks, settings, totals |
// | fts_flush.c, fts_change.c | what is pending becomes a segment; rows that change, commands |
// | fts_check.c | 'integrity-check' |
// | fts_vocab.c | fts5vocab: the terms as a table |
// | fts_parse.c, fts_query.c | MATCH: the syntax; finding rows |
// | fts_aux.c | bm25, highlight, snippet |
// | fts_rank.c | what the column rank asks of a row |
// | fts_sorter.c | rows by rank, or from the last rowid on |
// | fts_table.c | cursors and changes, as the interpreter asks for them |
//
// Everything that reads pages or runs SQL of its own is cooperative. Pages of the index are read with a tree cursor of
// their own; what changes tables is a nested SQL statement.
//
// The format of NAME_data's blocks is FTS5's. By id: 1 totals (varints: rows, then tokens per column), 10 structure
// (fts_structure.c), segment << 37 | page: a leaf page:
//   u16 offset of the first rowid of a doclist that goes on from the page before, or 0; u16 size without the footer;
//   terms, each followed by its doclist; footer: varints, offset of the first term, then distances
//   term     first of a page: varint size, bytes; others: varint prefix shared with the one before, varint rest, bytes
//   doclist  rowid (the first, and the first of each page, as they are, others as distance), position list; and so on
//   detail=full: varint 2 * size + deleted, then positions: varint distance + 2, or 1 and a varint column
//   detail=column: the same with columns in place of positions; detail=none: nothing, 0 deleted, 0 0 deleted and new
// Terms begin with '0', those of the i-th prefix index with '1' + i.
#pragma once

#include "../sql/schema.h"
#include "../vm/statement.h"
#include "fts.h"

#define FTS_ID_TOTALS    1
#define FTS_ID_STRUCTURE 10
#define FTS_PAGE_BITS    37
#define FTS_TOMBSTONE_IDS 65536 // added to the segment's in ids of its tombstones
#define FTS_SEGMENTS_MAX 2000u
#define FTS_LEVELS_MAX   64u
#define FTS_VERSION      4
#define FTS_DELETE_MERGE 10
#define FTS_WORK_PAGES   64 // between two looks for levels that have enough segments to be merged
#define FTS_MAIN_PREFIX  '0'

// Growing bytes.
struct fts_buffer {
    u8 *data;
    u32 size, capacity;
};
bool fts_buffer_grow(struct fts_buffer *b, u64 more);
static inline bool fts_buffer_reserve(struct fts_buffer *b, u64 more)
{
    return LIKELY(b->capacity - b->size >= more) || fts_buffer_grow(b, more);
}
static inline bool fts_buffer_add(struct fts_buffer *b, const void *bytes, u32 size)
{
    if (!fts_buffer_reserve(b, size)) return false;
    if (size) memcpy(b->data + b->size, bytes, size);
    b->size += size;
    return true;
}
static inline bool fts_buffer_varint(struct fts_buffer *b, u64 v)
{
    if (!fts_buffer_reserve(b, 9)) return false;
    b->size += varint_put(b->data + b->size, v);
    return true;
}
void fts_buffer_free(struct fts_buffer *b);

static inline u64 fts_hash_mix(u64 a, u64 b)
{
    unsigned __int128 product = (unsigned __int128)(a ^ 0x9e3779b97f4a7c15ull) * (b ^ 0xe7037ed1a0b428dbull);
    return (u64)product ^ (u64)(product >> 64);
}
static inline u64 fts_hash(u64 seed, const u8 *bytes, u32 size)
{
    u64 part, h = seed ^ (u64)size << 32;
    for (; size >= sizeof part; bytes += sizeof part, size -= (u32)sizeof part) {
        memcpy(&part, bytes, sizeof part);
        h = fts_hash_mix(h, part);
    }
    u32 first = 0, last = 0;
    if (size >= sizeof last) {
        memcpy(&first, bytes, sizeof first);
        memcpy(&last, bytes + size - sizeof last, sizeof last);
    } else if (size) {
        first = bytes[0];
        last = (u32)bytes[size / 2] << 8 | bytes[size - 1];
    }
    return fts_hash_mix(h, (u64)first << 32 | last);
}

// ---- structure and totals ----------------------------------------------------------------------------------------

struct fts_segment {
    u32 id, first, last; // pages; first 0: a merge of FTS5's that goes on has taken all of them
    // contentless_delete=1 (fts_tombstone.c):
    u64 origin_first, origin_last; // of its rows
    u32 tombstone_pages;
    u64 tombstones, entries; // rows that are gone; rows that were written
    bool rewrite; // has entries that are to leave it and could not (fts_erase.c)
};
static inline bool fts_segment_emptied(const struct fts_segment *g) { return !g->first; }
struct fts_level {
    u32 count, capacity;
    struct fts_segment *segments; // oldest first
};
// Level 0 has the newest segments.
struct fts_structure {
    u32 cookie; // counts changes of the settings
    u64 write_count; // pages of segments that were flushed
    u64 origin_next; // of the segment to be flushed next; 0: no contentless_delete
    u32 level_count;
    struct fts_level levels[FTS_LEVELS_MAX];
};
bool fts_structure_decode(const u8 *bytes, u32 size, struct fts_structure *out, struct err *err);
bool fts_structure_encode(const struct fts_structure *s, struct fts_buffer *out);
bool fts_structure_copy(struct fts_structure *to, const struct fts_structure *from);
bool fts_structure_add(struct fts_structure *s, u32 level, const struct fts_segment *segment);
void fts_structure_free(struct fts_structure *s); // becomes an empty one
u32 fts_structure_segments(const struct fts_structure *s);
u32 fts_structure_free_id(const struct fts_structure *s); // 0: there is none

struct fts_totals {
    u64 rows;
    u64 *tokens; // [column_count]
};

// ---- a table as a connection knows it ----------------------------------------------------------------------------

// NAME_data and its kin.
enum fts_shadow { FTS_SHADOW_DATA, FTS_SHADOW_IDX, FTS_SHADOW_CONTENT, FTS_SHADOW_DOCSIZE, FTS_SHADOW_CONFIG, FTS_SHADOW_COUNT };

enum fts_sql {
    FTS_SQL_DATA_PUT,
    FTS_SQL_DATA_DELETE, // pages of segments
    FTS_SQL_IDX_PUT,
    FTS_SQL_IDX_DELETE, // of segments
    FTS_SQL_CONTENT_GET,
    FTS_SQL_CONTENT_SCAN,
    FTS_SQL_CONTENT_SCAN_DOWN,
    FTS_SQL_CONTENT_PUT,
    FTS_SQL_CONTENT_REPLACE,
    FTS_SQL_CONTENT_DELETE,
    FTS_SQL_DOCSIZE_PUT,
    FTS_SQL_DOCSIZE_DELETE,
    FTS_SQL_DOCSIZE_SCAN,
    FTS_SQL_DOCSIZE_SCAN_DOWN,
    FTS_SQL_DOCSIZE_ORIGIN,
    FTS_SQL_IDX_CLEAR,
    FTS_SQL_DOCSIZE_CLEAR,
    FTS_SQL_CONTENT_CLEAR,
    FTS_SQL_CONFIG_PUT,
    FTS_SQL_CONFIG_SCAN,
    FTS_SQL_COUNT,
};

struct fts_settings { // NAME_config
    u32 page_size, automerge, crisismerge, usermerge;
    u32 delete_merge; // percent of a segment's rows that may be gone before it is merged; 0: never for that
    u64 hash_size;
    bool secure_delete;
    char *rank; // function and arguments, or NULL: bm25()
};

struct fts_term;
struct fts_pending {
    struct arena arena;    // terms and doclists
    u32 slot_count, count; // slots: power of 2
    struct fts_term **slots;
    u64 bytes;
    s64 rowid;      // of the row under way
    bool deleting;
    bool any;
    bool secure; // what was deleted is to leave the index
    u64 rows; // written
};

struct fts_table {
    struct fts_table *next;
    struct skerry *db;
    u32 database;
    struct table *table; // a reference
    char *shadow_names[FTS_SHADOW_COUNT];
    const struct fts_config *config;
    const struct schema *prepared_for; // the statements fit it
    struct skerry_stmt *statements[FTS_SQL_COUNT]; // idle ones; a user takes one out
    u64 reads;      // blocks of NAME_data: MATCH '*reads'
    u32 content_steps; // steps of a statement that reads the content, on the stack now
    u64 generation; // counts changes of the segments: cursors find their place again

    bool settings_known;
    u32 settings_cookie;
    s64 version;
    struct skerry_stmt *settings_scan; // under way
    struct fts_settings settings;

    struct fts_pending pending;
    bool totals_known, totals_changed;
    struct fts_totals totals;

    bool tombstones_changed; // since the last flush

    struct fts_flush *flush;   // under way
    struct fts_change *change; // a row's, under way
};

// Since the last flush.
static inline bool fts_changed(const struct fts_table *x)
{
    return x->pending.any || x->totals_changed || x->tombstones_changed;
}

static inline const struct fts_config *fts_config_of(const struct table *t) { return t->fts; }

// ---- text with its language (fts_locale.c) -----------------------------------------------------------------------------

struct fts_localized {
    const u8 *locale, *text;
    u32 locale_size, text_size;
};
bool fts_locale_split(const struct value *v, struct fts_localized *out); // false: it is none
// The text of a column's value, as fts_value_text; of a table with locales without its own.
bool fts_column_text(const struct fts_config *c, const struct value *v, struct value *scratch, const u8 **text, u32 *size);

// ---- shadow tables (fts_storage.c) ---------------------------------------------------------------------------------

io_status fts_corrupt(struct op *op, const struct fts_table *x, const char *what);
io_status fts_no_memory(struct op *op);
io_status fts_tokenizer_require(const struct fts_config *c, struct op *op); // an error where the table's is not there
// The connection's view of a table; made when first asked for.
io_status fts_table_get(struct skerry *db, u32 database, const struct table *table, struct op *op,
                        struct fts_table **out);
// NULL: it is not there.
const struct table *fts_shadow_table(const struct fts_table *x, enum fts_shadow shadow);
// A statement of that kind, idle. Given back with fts_sql_give.
io_status fts_sql_take(struct fts_table *x, struct op *op, enum fts_sql kind, struct skerry_stmt **out);
void fts_sql_give(struct fts_table *x, enum fts_sql kind, struct skerry_stmt **stmt);
// Of a statement that has gone through that many rows in one instruction: others have their turn (IO_WAIT).
#define FTS_TURN_ROWS 256
io_status fts_turn(struct op *op);
bool fts_nested(const struct op *op); // of a statement that one of these tables runs
// Steps; *row false: it is at its end. Errors go to op.
io_status fts_sql_step(struct skerry_stmt *s, struct op *op, bool *row);
// The same of one that reads the content, which must not ask this table again.
io_status fts_content_step(struct fts_table *x, struct skerry_stmt *s, struct op *op, bool *row);

// Reads a block or a docsize record: the blob in the second column of the row `id`. size 0, *found
// false: there is no such row. The reader keeps the place; it is given back with fts_reader_free.
struct fts_reader {
    struct cursor cursor;
    bool open;
    u8 *record;
    u32 record_capacity;
    u64 record_size;
};
io_status fts_block_read(struct fts_table *x, struct op *op, struct fts_reader *r, enum fts_shadow shadow, s64 id,
                         const u8 **bytes, u32 *size, bool *found);
void fts_reader_free(struct fts_reader *r);

io_status fts_structure_read(struct fts_table *x, struct op *op, struct fts_reader *r, struct fts_structure *out);
io_status fts_settings_read(struct fts_table *x, struct op *op, u32 cookie);
void fts_settings_free(struct fts_table *x);
// False: the value is not allowed, or memory ran out.
bool fts_setting_apply(struct fts_settings *s, const struct value *key, const struct value *v, bool *known);
io_status fts_totals_read(struct fts_table *x, struct op *op, struct fts_reader *r);

// ---- flushing (fts_flush.c) ------------------------------------------------------------------------------------------

// What is pending becomes a segment, and the totals are written. merge: also all segments into one (FTS_FLUSH_OPTIMIZE),
// or those of levels with at least two (FTS_FLUSH_MERGE).
enum fts_flush_kind { FTS_FLUSH_PENDING, FTS_FLUSH_MERGE, FTS_FLUSH_OPTIMIZE };
io_status fts_flush_run(struct fts_table *x, struct op *op, enum fts_flush_kind kind);
void fts_flush_abandon(struct fts_table *x);

// ---- changes of rows (fts_change.c) ----------------------------------------------------------------------------------

void fts_change_abandon(struct fts_table *x);
void fts_change_abandon_by(struct fts_table *x, const void *by);
// Gives the terms of a row's columns to `add`; sizes[column]: how many tokens. False: `add` did, or out of memory.
typedef bool (*fts_term_add)(void *context, const struct fts_config *c, u8 prefix, const u8 *token, u32 size, u32 column,
                             u32 position);
bool fts_row_terms(fts_term_add add, void *context, const struct fts_config *config, const struct value *columns, u64 *sizes);
// The text that is indexed and shown of a value; *scratch holds it when it had to be made. False: out of memory.
bool fts_value_text(const struct value *v, struct value *scratch, const u8 **text, u32 *size);

// ---- one segment (fts_segment.c) --------------------------------------------------------------------------------------

struct fts_page {
    u8 *data;
    u32 size, leaf_size, capacity;
};
struct fts_iter {
    struct fts_table *table;
    struct fts_segment segment;
    struct fts_reader reader;
    struct fts_page *pages; // from page_no on; [0] is where it stands
    u32 page_count, page_capacity, page_no;
    bool valid;      // on an entry
    bool term_ended; // the doclist of `term` is through
    bool bare;       // detail=none: entries have no positions
    struct fts_buffer term;
    u64 term_head; // its first bytes, for comparing
    u32 doclist_last; // up to that page nothing but the term's doclist follows; 0: not known yet
    u32 footer_at;   // place in the footer of pages[0], behind term_next
    u32 term_next;   // offset of the next term of pages[0]; its leaf_size: none
    bool term_first; // that one is the page's first
    s64 rowid;
    bool deleted;
    u32 positions_size, positions_at; // of the entry: bytes in pages[0] and the pages that follow
    struct fts_buffer *tombstones; // [segment.tombstone_pages], as they are asked for
};
// The offset of the page's first term, its leaf_size when it has none; *footer is the place behind it. Then of the term
// behind the one at `term`. False: the page is damaged.
bool fts_page_term_first(const struct fts_page *p, u32 *offset, u32 *footer);
bool fts_page_term_next(const struct fts_page *p, u32 term, u32 *offset, u32 *footer);
void fts_iter_init(struct fts_iter *i, struct fts_table *x, const struct fts_segment *segment);
void fts_iter_free(struct fts_iter *i);
io_status fts_iter_first(struct fts_iter *i, struct op *op);
// To the first entry of the first term >= `term`; not valid: there is none.
io_status fts_iter_seek(struct fts_iter *i, struct op *op, const u8 *term, u32 size);
// To the next entry of the same term and on to the first whose rowid is at least that, as far as they are on the same page
// and their heads take two bytes, as nearly all do. Whether it is there; else it has gone as far as that.
static inline bool fts_iter_forward_short(struct fts_iter *i, s64 rowid)
{
    if (UNLIKELY(i->bare)) return false;
    const u8 *data = i->pages[0].data;
    u64 at = i->positions_at, size = i->positions_size, end = i->term_next;
    s64 here = i->rowid;
    u8 head = 0;
    bool moved = false;
    while (LIKELY(at + size + 2 <= end)) {
        const u8 *p = data + at + size;
        if (UNLIKELY((p[0] | p[1]) & 0x80)) break;
        here = (s64)((u64)here + p[0]);
        head = p[1];
        at += size + 2;
        size = head / 2;
        moved = true;
        if (here >= rowid) break;
    }
    if (!moved) return false;
    i->rowid = here;
    i->deleted = head & 1;
    i->positions_size = (u32)size;
    i->positions_at = (u32)at;
    return here >= rowid;
}
// To the next entry of the same term, or !valid with term_ended.
io_status fts_iter_next_far(struct fts_iter *i, struct op *op);
static inline io_status fts_iter_next(struct fts_iter *i, struct op *op)
{
    u64 at = (u64)i->positions_at + i->positions_size;
    const u8 *p = i->pages[0].data + at;
    if (UNLIKELY(i->bare || at + 2 > i->term_next || p[1] >= 0x80)) return fts_iter_next_far(i, op);
    u64 distance = *p++;
    if (distance >= 0x80) {
        if (UNLIKELY(at + 3 > i->term_next || p[1] >= 0x80)) return fts_iter_next_far(i, op);
        distance = (distance & 0x7f) << 7 | *p++;
    }
    i->rowid = (s64)((u64)i->rowid + distance);
    i->deleted = *p & 1;
    i->positions_size = *p / 2;
    i->positions_at = (u32)(p + 1 - i->pages[0].data);
    return IO_DONE;
}
// To the first entry of the next term.
io_status fts_iter_next_term(struct fts_iter *i, struct op *op);
// To the first entry of the same term whose rowid is at least that.
io_status fts_iter_forward(struct fts_iter *i, struct op *op, s64 rowid);
io_status fts_iter_page(struct fts_iter *i, struct op *op, u32 k); // brings pages[k] into memory
// The entry's position list, good until the iterator moves; scratch has it where it goes on over pages.
io_status fts_iter_positions_long(struct fts_iter *i, struct op *op, struct fts_buffer *scratch, const u8 **out);
static inline io_status fts_iter_positions(struct fts_iter *i, struct op *op, struct fts_buffer *scratch, const u8 **out)
{
    if (UNLIKELY(i->positions_size > i->pages[0].leaf_size - i->positions_at)) return fts_iter_positions_long(i, op, scratch, out);
    *out = i->pages[0].data + i->positions_at;
    return IO_DONE;
}

// ---- rows that are gone without their terms (fts_tombstone.c) -----------------------------------------------------------

// Whether the row of the entry is.
io_status fts_tombstone_find(struct fts_iter *i, struct op *op, bool *found);
struct fts_tombstone;
// The row of that origin is gone from now on.
io_status fts_tombstone_add(struct fts_tombstone **job, struct fts_table *x, struct op *op, s64 origin, s64 rowid);
void fts_tombstone_free(struct fts_tombstone *t); // NULL is fine

// ---- entries that leave their pages (fts_erase.c) ------------------------------------------------------------------------

struct fts_erase {
    u32 level, segment; // under way
    bool open;
    struct fts_iter iter;
    struct fts_reader reader;
    bool begins; // the entry is its doclist's first
    struct fts_buffer scratch;
    struct fts_buffer pages[2]; // from the iterator's on, as they are to be
    u32 page_count, page_next;
    struct skerry_stmt *put, *version_put;
};
// The row's entry of the term leaves all segments, or they are to be written again.
io_status fts_erase_entry(struct fts_erase *e, struct fts_table *x, struct op *op, struct fts_structure *s,
                          const u8 *term, u32 size, s64 rowid);
void fts_erase_free(struct fts_erase *e, struct fts_table *x);

// ---- writing one (fts_writer.c) ------------------------------------------------------------------------------------

struct fts_out_page {
    struct fts_out_page *next;
    bool index; // a row of NAME_idx
    s64 id;     // of the block; NAME_idx: page << 1
    u32 size;
    u8 bytes[];
};
struct fts_writer {
    struct fts_table *table;
    u32 segment, page_size, page_no;
    struct fts_buffer page, footer, term, separator;
    u32 footer_last; // offset of the last term in the footer
    u32 index_page;  // whose separator is not written yet; 0: none
    bool first_term_in_page, first_rowid_in_page, first_rowid_in_doclist, failed;
    s64 rowid;
    u32 pages_written;
    struct fts_out_page *out_first, *out_last;
    struct skerry_stmt *put, *put_index;
};
void fts_writer_init(struct fts_writer *w, struct fts_table *x, u32 segment);
// These only fill pages; fts_writer_drain writes those that are full. False: out of memory.
bool fts_writer_term(struct fts_writer *w, const u8 *term, u32 size);
bool fts_writer_entry(struct fts_writer *w, s64 rowid, bool deleted, const u8 *positions, u32 size);
// Entries that follow each other in a doclist of pages, and what of the last one is known: copied as they are, where they
// have positions and go on one page.
struct fts_run {
    const u8 *end; // behind it
    s64 rowid;
    u32 positions_size;
    bool deleted;
};
// On to the last one that ends before `limit`, whose row is before row_end, and which is not deleted unless `deleted`.
static inline void fts_run_extend(struct fts_run *r, const u8 *limit, s64 row_end, bool deleted)
{
    for (const u8 *p = r->end; limit - p >= 2; r->end = p) {
        // Distances take one or two bytes, and so do heads.
        u64 distance = *p++, head;
        if (distance >= 0x80) {
            if (*p >= 0x80) return;
            distance = (distance & 0x7f) << 7 | *p++;
        }
        s64 rowid = (s64)((u64)r->rowid + distance);
        if (p == limit || rowid >= row_end) return;
        head = *p++;
        if (head >= 0x80) {
            if (p == limit || *p >= 0x80) return;
            head = (head & 0x7f) << 7 | *p++;
        }
        if (head / 2 > (u64)(limit - p) || (head & 1 ? !deleted : !head)) return;
        p += head / 2;
        r->rowid = rowid;
        r->positions_size = (u32)(head / 2);
        r->deleted = head & 1;
    }
}
// How many bytes of a run's positions and further entries the page takes; 0: none.
static inline u32 fts_writer_room(const struct fts_writer *w)
{
    enum { HEAD_MAX = 9 + 5 };
    u32 used = w->page.size + w->footer.size + HEAD_MAX;
    return used < w->page_size ? w->page_size - used : 0;
}
// The first entry and those behind it, up to `last`; they have the room.
bool fts_writer_run(struct fts_writer *w, s64 rowid, bool deleted, const u8 *positions, u32 size, const struct fts_run *last);
bool fts_writer_finish(struct fts_writer *w);
io_status fts_writer_drain(struct fts_writer *w, struct op *op);
void fts_writer_free(struct fts_writer *w);

// ---- pending terms (fts_pending.c) -----------------------------------------------------------------------------------

struct fts_term {
    struct fts_term *next;
    struct fts_buffer doclist; // varint rowid (then distances), varint 2 * size + deleted, positions; in the arena
    s64 rowid;
    u32 hash;
    u32 size_at; // where the size of the row under way goes
    u32 column, position;
    u32 size;
    bool deleted, closed;
    u8 bytes[];
};
void fts_pending_begin(struct fts_pending *p, bool deleting, s64 rowid);
// column, position: of the token. Adds the term with its prefix byte.
bool fts_pending_add(void *pending, const struct fts_config *c, u8 prefix, const u8 *token, u32 size, u32 column,
                     u32 position);
// All terms in order, closed; NULL: out of memory. The array is in the arena.
struct fts_term **fts_pending_sorted(struct fts_pending *p, u32 *count);
// The entry at `*at` of a closed doclist, which is moved behind it; `before`: the rowid of the one before.
struct fts_pending_entry {
    s64 rowid;
    bool deleted;
    const u8 *positions;
    u32 size; // of the position list
};
struct fts_pending_entry fts_pending_entry(const struct fts_term *t, u32 *at, s64 before);
const struct fts_term *fts_pending_find(const struct fts_pending *p, const u8 *term, u32 size); // NULL: it is not there
void fts_pending_clear(struct fts_pending *p);

// ---- merging (fts_merge.c) ---------------------------------------------------------------------------------------------

struct fts_merge;
// All segments of `level` (UINT32_MAX: of all levels) become one in the level below. Changes *s when done.
io_status fts_merge_run(struct fts_merge **merge, struct fts_table *x, struct op *op, struct fts_structure *s,
                        u32 level);
// What the whole index says, as one number: fts_place_hash of all places of its entries, each with all by exclusive or.
io_status fts_merge_sum(struct fts_merge **merge, struct fts_table *x, struct op *op, const struct fts_structure *s,
                        u64 *sum);
// Rows with terms that begin with a prefix, by rowid.
struct fts_hit {
    s64 rowid;
    const u8 *positions;
    u32 positions_size;
};
struct fts_hits {
    struct arena arena;
    struct fts_hit *hits;
    u32 count, capacity;
    u8 *positions; // room for more of them
    u32 positions_room;
};
// The segment again, without the rows of terms that are deleted in `without`.
io_status fts_merge_rewrite(struct fts_merge **merge, struct fts_table *x, struct op *op, struct fts_structure *s, u32 level,
                            u32 index, const struct fts_pending *without);
io_status fts_merge_prefix(struct fts_merge **merge, struct fts_table *x, struct op *op, const struct fts_structure *s,
                           const u8 *prefix, u32 size, struct fts_hits **out);
void fts_hits_free(struct fts_hits *h); // NULL is fine
// One entry after another, from the first term >= `from` on (looked at when *merge is NULL). What *out points to is good
// until the next call; term NULL: there are no more.
struct fts_entry {
    const u8 *term, *positions;
    u32 term_size, positions_size;
    s64 rowid;
    bool starts; // the first of its term
};
io_status fts_merge_next(struct fts_merge **merge, struct fts_table *x, struct op *op, const struct fts_structure *s,
                         const u8 *from, u32 size, struct fts_entry *out);
void fts_merge_free(struct fts_merge *m);

// ---- 'integrity-check' (fts_check.c) -----------------------------------------------------------------------------------

// entry: the term's fts_hash (its prefix byte is the seed) and the rowid, mixed; place: where in the row the term is, as far
// as the index says it.
static inline u64 fts_place_hash(u64 entry, u64 place) { return fts_hash_mix(entry, place); }
struct fts_check;
// external: rows of an external content table are compared too. ERR_CORRUPT_VTAB: index and rows differ.
io_status fts_check_run(struct fts_check **check, struct fts_table *x, struct op *op, bool external);
void fts_check_free(struct fts_check *c); // NULL is fine

// ---- position lists (fts_query.c) ----------------------------------------------------------------------------------------

struct fts_position_reader {
    u64 column, position;
};
void fts_positions_sort(u64 *positions, u32 *count); // each stays once
bool fts_position_add(u64 **positions, u32 *count, u32 *capacity, u64 v); // to a growing array; false: out of memory
// The next position (column << 32 | token) of the list at *at, which ends at `end`; false: it is damaged. Not for
// detail=none.
bool fts_position_next_long(const struct fts_config *c, struct fts_position_reader *r, const u8 **at, const u8 *end,
                            u64 *out);
static inline bool fts_position_next(const struct fts_config *c, struct fts_position_reader *r, const u8 **at,
                                     const u8 *end, u64 *out)
{
    const u8 *p = *at;
    if (p[0] == 1 && end - p > 2 && p[1] < 0x80) { // of another column; p[0]: a list that is not empty
        r->column = p[1];
        r->position = 0;
        p += 2;
    }
    if (UNLIKELY(c->detail != FTS_DETAIL_FULL || p[0] < 2 || p[0] >= 0x80 || r->position > INT32_MAX - 0x80))
        return fts_position_next_long(c, r, at, end, out);
    r->position += p[0] - 2u;
    *at = p + 1;
    *out = r->column << 32 | r->position;
    return true;
}

// ---- queries -------------------------------------------------------------------------------------------------------------

struct fts_expr;
// NULL: *error (ERR_ERROR) or out of memory.
struct fts_expr *fts_expr_parse(const struct fts_config *c, s32 column, const u8 *text, u32 size, struct err *err);
void fts_expr_free(struct fts_expr *e);
u32 fts_expr_phrase_count(const struct fts_expr *e);
u32 fts_expr_phrase_size(const struct fts_expr *e, u32 phrase); // tokens
// Whether a token at (column, first token of the column or not) is what the phrase, of one term, asks for.
bool fts_expr_token_matches(const struct fts_expr *e, u32 phrase, u32 column, u32 position, const u8 *token, u32 size);
// The query of one phrase alone; it must not outlive e.
struct fts_expr *fts_expr_phrase_clone(const struct fts_expr *e, u32 phrase);
// Makes iterators over these segments. The structure must outlive them.
void fts_expr_open(struct fts_expr *e, struct fts_table *x, const struct fts_structure *s);
// To the first row >= rowid; *found false: there is none.
io_status fts_expr_seek(struct fts_expr *e, struct op *op, s64 rowid, bool *found, s64 *out);
// Gathers the positions of the row it stands on, for what follows.
io_status fts_expr_positions_load(struct fts_expr *e, struct op *op);
// Positions of a phrase in that row: column << 32 | token, ascending (detail=full).
u32 fts_expr_positions(const struct fts_expr *e, u32 phrase, const u64 **out);
