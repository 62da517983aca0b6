// Flushing: what is pending becomes a segment of level 0; levels with many segments are merged into the next.
#include "fts_internal.h"

enum flush_step {
    FLUSH_STRUCTURE,
    FLUSH_SETTINGS,
    FLUSH_ERASE,
    FLUSH_REWRITE,
    FLUSH_TERMS,
    FLUSH_FINISH,
    FLUSH_MERGE,
    FLUSH_STRUCTURE_PUT,
    FLUSH_TOTALS_PUT,
    FLUSH_DONE,
};

struct fts_flush {
    enum flush_step step;
    struct fts_reader reader;
    struct fts_structure structure;
    bool structure_changed;
    struct fts_writer writer;
    bool writing;
    bool merging; // levels that have `automerge` segments: many pages were written since the last time
    struct fts_term **terms;
    u32 term_count, term, doclist_at;
    s64 doclist_rowid; // of the entry before
    bool term_written;
    struct fts_erase erase;
    struct fts_merge *merge;
    u32 merge_level;
    bool optimized;
    struct fts_buffer block;
    struct skerry_stmt *put;
};

void fts_flush_abandon(struct fts_table *x)
{
    struct fts_flush *f = x->flush;
    if (!f) return;
    x->flush = NULL;
    fts_reader_free(&f->reader);
    fts_structure_free(&f->structure);
    if (f->writing) fts_writer_free(&f->writer);
    fts_merge_free(f->merge);
    fts_erase_free(&f->erase, x);
    fts_buffer_free(&f->block);
    fts_sql_give(x, FTS_SQL_DATA_PUT, &f->put);
    free(f);
}

// secure-delete: what was deleted leaves the segments.
static io_status terms_erase(struct fts_table *x, struct fts_flush *f, struct op *op)
{
    for (; f->term < f->term_count; f->term++) {
        const struct fts_term *t = f->terms[f->term];
        while (f->doclist_at < t->doclist.size) {
            u32 next = f->doclist_at;
            struct fts_pending_entry e = fts_pending_entry(t, &next, f->doclist_rowid);
            if (e.deleted) IO_TRY(fts_erase_entry(&f->erase, x, op, &f->structure, t->bytes, t->size, e.rowid));
            f->doclist_at = next;
            f->doclist_rowid = e.rowid;
        }
        f->doclist_at = 0;
    }
    f->term = 0;
    return IO_DONE;
}

static io_status segments_rewrite(struct fts_table *x, struct fts_flush *f, struct op *op)
{
    for (u32 i = f->structure.level_count; i-- > 0;) // a level that is emptied may be dropped with those above
        for (u32 k = f->structure.levels[i].count; k-- > 0;) {
            if (!f->structure.levels[i].segments[k].rewrite) continue;
            IO_TRY(fts_merge_rewrite(&f->merge, x, op, &f->structure, i, k, &x->pending));
            f->structure_changed = true;
        }
    return IO_DONE;
}

// The entry, and all behind it that go on the page. Moves *next behind them.
static bool entries_write(struct fts_flush *f, const struct fts_term *t, const struct fts_pending_entry *e, u32 *next)
{
    u32 rest = t->doclist.size - *next, room = fts_writer_room(&f->writer);
    if (!room || e->size > room) return fts_writer_entry(&f->writer, e->rowid, e->deleted, e->positions, e->size);
    struct fts_run last = {e->positions + e->size, e->rowid, e->size, e->deleted};
    if (rest <= room - e->size) {
        last.end += rest;
        last.rowid = t->rowid;
    } else {
        fts_run_extend(&last, e->positions + room, INT64_MAX, true);
    }
    *next = (u32)(last.end - t->doclist.data);
    f->doclist_rowid = last.rowid;
    return fts_writer_run(&f->writer, e->rowid, e->deleted, e->positions, e->size, &last);
}

// Fills pages from the terms, a stretch at a time.
static io_status terms_write(struct fts_table *x, struct fts_flush *f, struct op *op)
{
    bool as_they_are = !x->pending.secure && x->config->detail != FTS_DETAIL_NONE;
    for (;;) {
        IO_TRY(fts_writer_drain(&f->writer, op));
        if (f->term == f->term_count) return IO_DONE;
        while (f->term < f->term_count && !f->writer.out_first) {
            const struct fts_term *t = f->terms[f->term];
            u32 next = f->doclist_at;
            struct fts_pending_entry e = fts_pending_entry(t, &next, f->doclist_rowid);
            f->doclist_rowid = e.rowid;
            bool ok = true, deleted = e.deleted && !x->pending.secure;
            if (e.size || deleted) { // else it was erased
                if (!f->term_written) ok = fts_writer_term(&f->writer, t->bytes, t->size);
                ok = ok && (as_they_are ? entries_write(f, t, &e, &next)
                                        : fts_writer_entry(&f->writer, e.rowid, deleted, e.positions, e.size));
                f->term_written = true;
            }
            if (!ok) return fts_no_memory(op);
            f->doclist_at = next;
            if (f->doclist_at == t->doclist.size) {
                f->term++;
                f->doclist_at = 0;
                f->term_written = false;
            }
        }
    }
}

// Where too many of the rows are gone; level_count: nowhere.
static u32 level_with_tombstones(const struct fts_table *x, const struct fts_structure *s)
{
    u32 found = s->level_count;
    u64 most = 0;
    if (!s->origin_next || !x->settings.delete_merge) return found;
    for (u32 i = 0; i < s->level_count; i++) {
        u64 entries = 0, tombstones = 0;
        for (u32 k = 0; k < s->levels[i].count; k++) {
            entries += s->levels[i].segments[k].entries;
            tombstones += s->levels[i].segments[k].tombstones;
        }
        u64 percent = entries ? tombstones * 100 / entries : 0;
        if (percent < x->settings.delete_merge || percent <= most) continue;
        most = percent;
        found = i;
    }
    return found;
}

// The level to be merged next; level_count: none.
static u32 level_to_merge(const struct fts_table *x, const struct fts_flush *f, enum fts_flush_kind kind)
{
    const struct fts_structure *s = &f->structure;
    u32 least = x->settings.crisismerge;
    if (x->settings.automerge && f->merging) least = MIN(least, x->settings.automerge);
    if (kind == FTS_FLUSH_MERGE) least = 2;
    for (u32 i = 0; i < s->level_count; i++)
        if (s->levels[i].count >= MAX(least, 2u)) return i;
    return level_with_tombstones(x, s);
}

static io_status merges(struct fts_table *x, struct fts_flush *f, struct op *op, enum fts_flush_kind kind)
{
    for (;;) {
        if (!f->merge) {
            if (kind == FTS_FLUSH_OPTIMIZE) {
                if (f->optimized || fts_structure_segments(&f->structure) < 2) return IO_DONE;
                f->merge_level = UINT32_MAX;
            } else {
                f->merge_level = level_to_merge(x, f, kind);
                if (f->merge_level == f->structure.level_count) return IO_DONE;
            }
        }
        IO_TRY(fts_merge_run(&f->merge, x, op, &f->structure, f->merge_level));
        f->structure_changed = true;
        f->optimized = true;
    }
}

static io_status block_put(struct fts_table *x, struct fts_flush *f, struct op *op, s64 id)
{
    if (!f->put) IO_TRY(fts_sql_take(x, op, FTS_SQL_DATA_PUT, &f->put));
    if (!skerry_stmt_busy(f->put) &&
        (skerry_bind_integer(f->put, 1, id) || skerry_bind_blob(f->put, 2, f->block.data, f->block.size)))
        return fts_no_memory(op);
    bool row;
    return fts_sql_step(f->put, op, &row);
}

static bool totals_encode(const struct fts_table *x, struct fts_buffer *out)
{
    out->size = 0;
    bool ok = fts_buffer_varint(out, x->totals.rows);
    for (u32 i = 0; ok && i < x->config->column_count; i++) ok = fts_buffer_varint(out, x->totals.tokens[i]);
    return ok;
}

static io_status flush_steps(struct fts_table *x, struct op *op, enum fts_flush_kind kind)
{
    struct fts_flush *f = x->flush;
    switch (f->step) {
    case FLUSH_STRUCTURE:
        IO_TRY(fts_structure_read(x, op, &f->reader, &f->structure));
        f->step = FLUSH_SETTINGS;
        // fall through
    case FLUSH_SETTINGS:
        IO_TRY(fts_settings_read(x, op, f->structure.cookie));
        f->terms = fts_pending_sorted(&x->pending, &f->term_count);
        if (!f->terms) return fts_no_memory(op);
        f->step = FLUSH_ERASE;
        // fall through
    case FLUSH_ERASE:
        if (x->pending.secure) IO_TRY(terms_erase(x, f, op));
        f->step = FLUSH_REWRITE;
        // fall through
    case FLUSH_REWRITE:
        IO_TRY(segments_rewrite(x, f, op));
        if (f->term_count) {
            u32 id = fts_structure_free_id(&f->structure);
            if (!id) return IO_ERROR(&op->err, ERR_FULL, "the full-text index of %s has too many segments", x->config->name);
            fts_writer_init(&f->writer, x, id);
            f->writing = true;
        }
        f->step = FLUSH_TERMS;
        // fall through
    case FLUSH_TERMS:
        if (f->writing) {
            IO_TRY(terms_write(x, f, op));
            if (!fts_writer_finish(&f->writer)) return fts_no_memory(op);
        }
        f->step = FLUSH_FINISH;
        // fall through
    case FLUSH_FINISH:
        if (f->writing) IO_TRY(fts_writer_drain(&f->writer, op));
        if (f->writing && f->writer.page_no > 1) {
            struct fts_segment g = {.id = f->writer.segment, .first = 1, .last = f->writer.page_no - 1};
            if (f->structure.origin_next) {
                g.origin_first = g.origin_last = f->structure.origin_next++;
                g.entries = x->pending.rows;
            }
            if (!fts_structure_add(&f->structure, 0, &g)) return fts_no_memory(op);
            u64 *written = &f->structure.write_count, before = *written;
            *written += f->writer.pages_written;
            f->merging = *written / FTS_WORK_PAGES > before / FTS_WORK_PAGES;
            f->structure_changed = true;
        }
        if (f->writing) fts_writer_free(&f->writer); // its statements go to the merges
        f->writing = false;
        f->step = FLUSH_MERGE;
        // fall through
    case FLUSH_MERGE:
        IO_TRY(merges(x, f, op, kind));
        if (f->structure_changed && !fts_structure_encode(&f->structure, &f->block)) return fts_no_memory(op);
        f->step = FLUSH_STRUCTURE_PUT;
        // fall through
    case FLUSH_STRUCTURE_PUT:
        if (f->structure_changed) IO_TRY(block_put(x, f, op, FTS_ID_STRUCTURE));
        if (x->totals_changed && !totals_encode(x, &f->block)) return fts_no_memory(op);
        f->step = FLUSH_TOTALS_PUT;
        // fall through
    case FLUSH_TOTALS_PUT:
        if (x->totals_changed) IO_TRY(block_put(x, f, op, FTS_ID_TOTALS));
        f->step = FLUSH_DONE;
        // fall through
    case FLUSH_DONE: break;
    }
    if (f->structure_changed) x->generation++;
    x->totals_changed = false;
    x->tombstones_changed = false;
    return IO_DONE;
}

io_status fts_flush_run(struct fts_table *x, struct op *op, enum fts_flush_kind kind)
{
    if (!x->flush) {
        if (kind == FTS_FLUSH_PENDING && !fts_changed(x)) return IO_DONE;
        x->flush = calloc(1, sizeof *x->flush);
        if (!x->flush) return fts_no_memory(op);
    }
    IO_TRY(flush_steps(x, op, kind)); // a failure's transaction is rolled back, and this forgotten with it
    fts_pending_clear(&x->pending);
    fts_flush_abandon(x);
    return IO_DONE;
}
