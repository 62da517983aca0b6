// Reading pages into the cache: one for who waits for it, many for who will.
//
// A read that was asked for tells its failure to all who wait for its page. One that was made ahead (txn_pages_prefetch)
// fails without a word: its frames are let go, and who comes to need such a page reads it again, alone, and is told.
// So a bad sector beside what a statement needs does not fail it.
//
// Reads ahead take pages that lie together in the database file in one go. They are bounded by the cache: never
// more than a quarter of it is on its way, they take no frame beyond its limit, and what came for nothing goes first.
#include "btree.h"
#include "store_private.h"

#include <errno.h>

#define RUN_PAGES_MAX  64u
#define RUN_BYTES_MAX  262144u
#define RUNS_IDLE_MAX  8u
#define AHEAD_PAGES    256u    // on their way, of all transactions
#define WINDOW_BYTES   524288u

static void page_read_done(struct completion *c);

static struct page_read *page_read_take(struct store *s, bool run)
{
    struct page_read **idle = run ? &s->runs_idle : &s->reads_idle, *r = *idle;
    if (r) {
        *idle = r->next;
        s->runs_idle_count -= run;
        return r;
    }
    u32 capacity = run ? RUN_PAGES_MAX : 1;
    r = calloc(1, sizeof *r + capacity * (sizeof(struct iovec) + sizeof(struct pager_frame *)));
    if (!r) return NULL;
    completion_init(&r->completion, page_read_done, NULL);
    r->store = s;
    r->capacity = capacity;
    r->frames = (struct pager_frame **)(void *)(r->iov + capacity);
    return r;
}

static void page_read_give(struct page_read *r)
{
    struct store *s = r->store;
    bool run = r->capacity > 1;
    if (run && s->runs_idle_count == RUNS_IDLE_MAX) {
        free(r);
        return;
    }
    struct page_read **idle = run ? &s->runs_idle : &s->reads_idle;
    r->next = *idle;
    *idle = r;
    s->runs_idle_count += run;
}

void store_reads_free(struct store *s)
{
    struct page_read **lists[] = {&s->reads_idle, &s->runs_idle};
    for (u32 i = 0; i < COUNT_OF(lists); i++) {
        while (*lists[i]) {
            struct page_read *r = *lists[i];
            *lists[i] = r->next;
            free(r);
        }
    }
    s->runs_idle_count = 0;
}

static void page_read_submit(struct page_read *r)
{
    struct store *s = r->store;
    const struct page *first = &r->frames[0]->page;
    u64 offset = codec_offset(&s->codec, first->no);
    if (r->from_wal) offset = wal_frame_offset(&s->wal, (u32)(first->version - s->wal.base)) + WAL_FRAME_HEADER_SIZE;
    s->reads_pending++;
    s->wal_reads_pending += r->from_wal;
    if (r->ahead) s->ahead_pending += r->count;
    for (u32 i = 0; i < r->count; i++)
        r->iov[i] = (struct iovec){.iov_base = r->frames[i]->page.data, .iov_len = s->page_size};
    io_file_readv(r->from_wal ? s->wal.file : s->file, r->iov, r->count, offset, &r->completion);
}

// The frame of the version that the snapshot sees, findable and about to be loaded. NULL: out of memory, or with
// `ahead` none is to spare.
static struct pager_frame *frame_begin(struct store *s, u64 snapshot, pgno no, bool ahead)
{
    const struct wal *w = &s->wal;
    struct pager_frame *f = ahead ? cache_frame_take_spare(&s->cache) : cache_frame_take(&s->cache);
    if (!f) return NULL;
    ASSERT(snapshot >= w->base);
    u32 frame = wal_find(w, no, (u32)MIN(snapshot - w->base, w->frame_count));
    u32 newer = wal_find_after(w, no, frame);
    f->page.no = no;
    f->page.version = frame ? w->base + frame : 0;
    f->superseded = newer ? w->base + newer : FRAME_NEWEST;
    cache_insert(&s->cache, f, FRAME_LOADING);
    s->cache.misses++;
    return f;
}

// One page, for who waits. NULL when out of memory.
static struct pager_frame *page_read_start(struct store *s, u64 snapshot, pgno no)
{
    struct page_read *r = page_read_take(s, false);
    if (!r) return NULL;
    struct pager_frame *f = frame_begin(s, snapshot, no, false);
    if (!f) {
        page_read_give(r);
        return NULL;
    }
    r->from_wal = f->page.version > 0;
    r->ahead = false;
    r->count = 1;
    r->frames[0] = f;
    page_read_submit(r);
    return f;
}

// ---- what came -----------------------------------------------------------------------------------

static void frame_drop(struct store *s, struct pager_frame *f)
{
    f->state = FRAME_FAILED;
    cache_remove(&s->cache, f);
    cache_frame_give(&s->cache, f);
}

static void frame_fail(struct pager_frame *f, s64 result)
{
    f->result = result;
    f->state = FRAME_FAILED;
    wait_list_wake_all(&f->loaders);
}

// A run failed, and somebody waits for this page of it: it is read alone.
static void frame_read_again(struct store *s, struct pager_frame *f, s64 result)
{
    struct page_read *r = page_read_take(s, false);
    if (!r) {
        frame_fail(f, result);
        return;
    }
    r->from_wal = r->ahead = false;
    r->count = 1;
    r->frames[0] = f;
    page_read_submit(r);
}

static void frame_arrived(const struct page_read *r, struct pager_frame *f, s64 result)
{
    struct store *s = r->store;
    if (f->page.no == 1 && !r->from_wal && result > 0 && result < s->page_size) {
        // SQLite reads a torn first page of a new file as zero-padded.
        memset(f->page.data + result, 0, s->page_size - (size_t)result);
        result = s->page_size;
    }
    // Frames that were recovered may be another's: their own sums were checked then.
    bool unsummed = r->from_wal && s->codec.kind == CODEC_CHECKSUM && f->page.version <= s->wal.base + s->wal.foreign;
    if (result == s->page_size && codec_active(&s->codec) && !unsummed &&
        !codec_decode(&s->codec, f->page.no, f->page.data))
        result = -EBADMSG;
    bool wanted = f->loaders.first != NULL;
    if (result == s->page_size) {
        cache_loaded(&s->cache, f, r->ahead && !wanted);
        wait_list_wake_all(&f->loaders);
    } else if (!r->ahead || f->orphan) {
        frame_fail(f, result);
    } else if (wanted) {
        if (r->count > 1 && result < 0 && result != -EBADMSG)
            frame_read_again(s, f, result);
        else
            frame_fail(f, result);
    } else {
        frame_drop(s, f);
    }
}

static void page_read_done(struct completion *c)
{
    struct page_read *r = CONTAINER_OF(c, struct page_read, completion);
    struct store *s = r->store;
    s64 left = c->result;
    s->reads_pending--;
    s->wal_reads_pending -= r->from_wal;
    if (r->ahead) s->ahead_pending -= r->count;
    for (u32 i = 0; i < r->count; i++) {
        s64 part = MIN(left, (s64)s->page_size);
        frame_arrived(r, r->frames[i], part);
        if (left >= 0) left -= part;
    }
    bool from_wal = r->from_wal;
    page_read_give(r);
    if (from_wal && s->wal_reads_pending == 0) store_slot_offer(s);
    if (s->reads_pending == 0 || (from_wal && s->wal_reads_pending == 0)) wait_list_wake_all(&s->waiters);
}

// ---- pages that are wanted -------------------------------------------------------------------------

static io_status page_read_error(struct store *s, struct pager_frame *f, struct op *op)
{
    const struct wal *w = &s->wal;
    pgno no = f->page.no;
    s64 result = f->result;
    bool in_wal = f->page.version > w->base;
    u64 offset = in_wal ? wal_frame_offset(w, (u32)(f->page.version - w->base))
                        : codec_offset(&s->codec, no);
    const char *path = in_wal ? s->path_wal : s->path;
    cache_remove(&s->cache, f);
    cache_frame_give(&s->cache, f);
    op->err.offset = (s64)offset;
    if (result == -EBADMSG && codec_active(&s->codec))
        return IO_ERROR(&op->err, ERR_CORRUPT,
                        s->codec.kind == CODEC_SEALED
                            ? "database disk image is malformed: page %u of %s at offset %llu is not what was sealed there"
                            : "database disk image is malformed: page %u of %s at offset %llu does not match its checksum",
                        no, path, (unsigned long long)offset);
    const char *why = result < 0 && !in_wal && s->file->ops->why ? s->file->ops->why(s->file) : NULL;
    if (why) {
        err_set_errno(&op->err, ERR_IOERR_READ, (int)-result, __func__, "page %u of %s: %s", no, path, why);
        return IO_FAIL;
    }
    if (result < 0) {
        err_set_errno(&op->err, ERR_IOERR_READ, (int)-result, __func__,
                      "reading page %u of %s at offset %llu failed", no, path,
                      (unsigned long long)offset);
        return IO_FAIL;
    }
    return IO_ERROR(
        &op->err, ERR_CORRUPT,
        "database disk image is malformed: %s ends before page %u at offset %llu is complete", path,
        no, (unsigned long long)offset);
}

static io_status page_load(struct store *s, u64 snapshot, pgno no, struct op *op,
                           struct pager_frame **found)
{
    struct pager_frame *f = *found;
    if (!f) {
        if (s->in_memory)
            return IO_ERROR(&op->err, ERR_CORRUPT,
                            "database disk image is malformed: page %u was never written", no);
        f = page_read_start(s, snapshot, no);
        if (!f) return IO_ERROR(&op->err, ERR_NOMEM, "out of memory for page %u", no);
    }
    if (f->state == FRAME_FAILED) return page_read_error(s, f, op);
    if (f->state == FRAME_AHEAD) {
        cache_wanted(&s->cache, f);
        return IO_DONE;
    }
    ASSERT(f->state == FRAME_LOADING);
    wait_list_add(&f->loaders, &op->waiter);
    return IO_WAIT;
}

io_status store_page(struct store *s, u64 snapshot, pgno no, struct op *op, struct page **out)
{
    struct pager_frame *f = cache_find(&s->cache, no, snapshot);
    if (UNLIKELY(!f || f->state != FRAME_READY)) IO_TRY(page_load(s, snapshot, no, op, &f));
    cache_hit(&s->cache, f);
    page_pin(&f->page);
    *out = &f->page;
    return IO_DONE;
}

// ---- pages that will be wanted ---------------------------------------------------------------------

u32 txn_ahead_max(const struct txn *t)
{
    const struct store *s = t->store;
    if (s->in_memory || t->doomed) return 0;
    u32 window = MIN(READ_AHEAD_MAX, MAX(WINDOW_BYTES / s->page_size, 8u));
    return MIN(window, s->cache.frames_max / (4 * MAX(s->snapshot_count, 1u)));
}

struct page *txn_page_peek(struct txn *t, pgno no)
{
    struct store *s = t->store;
    if (t->private_count > 0) {
        struct pager_frame *f = txn_private_find(t, no);
        if (f) return f->stub ? NULL : &f->page;
    }
    struct pager_frame *f = cache_find(&s->cache, no, t->snapshot.lsn);
    return f && (f->state == FRAME_READY || f->state == FRAME_AHEAD) ? &f->page : NULL;
}

static bool page_is_missing(const struct txn *t, pgno no)
{
    struct store *s = t->store;
    if (no - 1 >= t->page_count || no == txn_lock_page(t)) return false;
    if (cache_find(&s->cache, no, t->snapshot.lsn)) return false;
    return t->private_count == 0 || !txn_private_find(t, no);
}

static int pgno_compare(const void *a, const void *b)
{
    pgno x = *(const pgno *)a, y = *(const pgno *)b;
    return x < y ? -1 : x > y;
}

static void run_flush(struct page_read **run)
{
    if (*run) page_read_submit(*run);
    *run = NULL;
}

u32 txn_pages_prefetch(struct txn *t, pgno *pages, u32 count)
{
    struct store *s = t->store;
    u32 room = MIN(AHEAD_PAGES, s->cache.frames_max / 4), run_max = MIN(RUN_PAGES_MAX, MAX(RUN_BYTES_MAX / s->page_size, 1u));
    u32 started = 0;
    struct page_read *run = NULL;
    if (s->in_memory || t->doomed || count == 0) return 0;
    qsort(pages, count, sizeof *pages, pgno_compare);
    for (u32 i = 0; i < count && s->ahead_pending + (run ? run->count : 0) < room; i++) {
        pgno no = pages[i];
        if (!page_is_missing(t, no)) continue;
        struct pager_frame *f = frame_begin(s, t->snapshot.lsn, no, true);
        if (!f) break;
        bool in_wal = f->page.version > 0;
        bool follows = run && !in_wal && run->count < MIN(run_max, run->capacity) &&
                       run->frames[run->count - 1]->page.no + 1 == no;
        if (!follows) {
            run_flush(&run);
            run = page_read_take(s, !in_wal && i + 1 < count && pages[i + 1] == no + 1);
            if (!run) {
                frame_drop(s, f);
                break;
            }
            run->from_wal = in_wal;
            run->ahead = true;
            run->count = 0;
        }
        run->frames[run->count++] = f;
        started++;
    }
    run_flush(&run);
    return started;
}
