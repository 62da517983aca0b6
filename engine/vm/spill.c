#include "spill.h"

#include <errno.h>
#include <sodium.h>

// ---- the file ------------------------------------------------------------------------------------------------

struct spill *spill_new(struct io *io, const char *directory, bool sealed)
{
    struct spill *f = calloc(1, sizeof *f);
    if (!f) return NULL;
    f->io = io;
    f->directory = strdup(directory);
    if (f->directory && sealed && (f->key = malloc(crypto_stream_xchacha20_KEYBYTES)))
        io_random(io, f->key, crypto_stream_xchacha20_KEYBYTES);
    if (!f->directory || (sealed && !f->key)) {
        free(f->directory);
        free(f);
        return NULL;
    }
    return f;
}

void spill_buffers_free(struct spill *f)
{
    ASSERT(!f->pending);
    for (struct spill_buffer *b = f->buffers, *next; b; b = next) {
        next = b->next;
        free(b->data);
        free(b);
    }
    f->buffers = NULL;
}

static void spill_delete(struct spill *f)
{
    spill_buffers_free(f);
    if (f->key) sodium_memzero(f->key, crypto_stream_xchacha20_KEYBYTES);
    free(f->key);
    free(f->directory);
    free(f);
}

static void close_done(struct completion *c)
{
    spill_delete(c->context);
}

static void spill_close(struct spill *f)
{
    if (!f->file) {
        spill_delete(f);
        return;
    }
    completion_init(&f->completion, close_done, f);
    io_file_close(f->file, &f->completion);
}

void spill_free(struct spill *f)
{
    if (!f) return;
    f->abandoned = true;
    while (f->waiters.first) waiter_remove(f->waiters.first);
    if (!f->pending) spill_close(f);
}

static void transfer_over(struct spill *f, s64 failure, u8 at)
{
    f->pending--;
    if (failure && !f->failure) {
        f->failure = failure;
        f->failed_at = at;
    }
    if (!f->abandoned)
        wait_list_wake_all(&f->waiters);
    else if (!f->pending)
        spill_close(f);
}

static void open_done(struct completion *c)
{
    struct spill *f = c->context;
    f->state = c->result < 0 ? SPILL_FAILED : SPILL_OPEN;
    if (c->result < 0) f->file = NULL;
    transfer_over(f, MIN(c->result, 0), SPILL_OPENS);
}

static io_status spill_failed(struct spill *f, struct op *op)
{
    int number = (int)-f->failure;
    if (f->failed_at == SPILL_OPENS)
        err_set_errno(&op->err, ERR_CANTOPEN, number, __func__,
                      "unable to open database file: no temporary file can be made in %s; SQLITE_TMPDIR may name another "
                      "directory", f->directory);
    else if (f->failed_at == SPILL_READS)
        err_set_errno(&op->err, ERR_IOERR_READ, number, __func__, "disk I/O error: reading a temporary file in %s failed", f->directory);
    else if (number == ENOSPC || number == EDQUOT || number == EFBIG)
        err_set_errno(&op->err, ERR_FULL, number, __func__,
                      "database or disk is full: no room for a temporary file in %s; free some space there, or let "
                      "SQLITE_TMPDIR name another directory",
                      f->directory);
    else
        err_set_errno(&op->err, ERR_IOERR_WRITE, number, __func__, "disk I/O error: writing a temporary file in %s failed", f->directory);
    return IO_FAIL;
}

io_status spill_open(struct spill *f, struct op *op)
{
    switch (f->state) {
    case SPILL_NEW:
        completion_init(&f->completion, open_done, f);
        f->state = SPILL_OPENING;
        f->pending++;
        io_file_open(f->io, f->directory, IO_OPEN_TEMPORARY, &f->file, &f->completion);
        break;
    case SPILL_OPENING: break;
    case SPILL_OPEN: return IO_DONE;
    case SPILL_FAILED: return spill_failed(f, op);
    }
    wait_list_add(&f->waiters, &op->waiter);
    return IO_WAIT;
}

// ---- transfers -----------------------------------------------------------------------------------------------

// The same to seal and to open. The stream goes by blocks of 64 bytes.
static void buffer_stream(struct spill_buffer *b)
{
    enum { BLOCK = 64 };
    static const u8 nonce[crypto_stream_xchacha20_NONCEBYTES]; // the key is the file's own
    u32 lead = (u32)(b->offset % BLOCK), first = MIN(lead ? BLOCK - lead : 0, b->size);
    const u8 *key = b->spill->key;
    if (!key) return;
    if (first) {
        u8 block[BLOCK] = {0};
        memcpy(block + lead, b->data, first);
        crypto_stream_xchacha20_xor_ic(block, block, BLOCK, nonce, b->offset / BLOCK, key);
        memcpy(b->data, block + lead, first);
        sodium_memzero(block, sizeof block);
    }
    crypto_stream_xchacha20_xor_ic(b->data + first, b->data + first, b->size - first, nonce, (b->offset + first) / BLOCK, key);
}

static void read_done(struct completion *c)
{
    struct spill_buffer *b = c->context;
    s64 failure = c->result < 0 ? c->result : c->result != b->size ? -EIO : 0;
    if (!failure) buffer_stream(b);
    transfer_over(b->spill, failure, SPILL_READS);
}

static void write_done(struct completion *c)
{
    struct spill_buffer *b = c->context;
    s64 failure = c->result < 0 ? c->result : c->result != b->size ? -EIO : 0;
    transfer_over(b->spill, failure, SPILL_WRITES);
}

struct spill_buffer *spill_buffer_new(struct spill *f, u32 capacity)
{
    struct spill_buffer *b = calloc(1, sizeof *b);
    if (b) b->data = malloc(capacity);
    if (!b || !b->data) {
        free(b);
        return NULL;
    }
    b->spill = f;
    b->capacity = capacity;
    completion_init(&b->completion, NULL, b);
    b->next = f->buffers;
    f->buffers = b;
    return b;
}

void spill_read(struct spill_buffer *b, u32 size, u64 offset)
{
    ASSERT(size <= b->capacity);
    b->size = size;
    b->offset = offset;
    b->spill->pending++;
    completion_init(&b->completion, read_done, b);
    io_file_read(b->spill->file, b->data, size, offset, &b->completion);
}

void spill_write(struct spill_buffer *b, u32 size, u64 offset)
{
    ASSERT(size <= b->capacity);
    b->size = size;
    b->offset = offset;
    buffer_stream(b);
    b->spill->pending++;
    completion_init(&b->completion, write_done, b);
    io_file_write(b->spill->file, b->data, size, offset, &b->completion);
}

io_status spill_wait_slow(struct spill_buffer *b, struct op *op)
{
    if (b->spill->failure) return spill_failed(b->spill, op);
    if (b->completion.state != COMPLETION_PENDING) return IO_DONE;
    wait_list_add(&b->spill->waiters, &op->waiter);
    return IO_WAIT;
}

io_status spill_drain(struct spill *f, struct op *op)
{
    if (f->failure) return spill_failed(f, op);
    if (!f->pending) return IO_DONE;
    wait_list_add(&f->waiters, &op->waiter);
    return IO_WAIT;
}

// ---- writing in sequence -------------------------------------------------------------------------------------

bool spill_writer_init(struct spill_writer *w, struct spill *f, u32 buffer_size)
{
    *w = (struct spill_writer){.spill = f};
    for (u32 i = 0; i < 2; i++) {
        w->buffers[i] = spill_buffer_new(f, buffer_size);
        if (!w->buffers[i]) return false;
    }
    return true;
}

static void writer_send(struct spill_writer *w)
{
    spill_write(w->buffers[w->current], w->fill, w->offset);
    w->offset += w->fill;
    w->current ^= 1;
    w->fill = 0;
}

io_status spill_writer_put(struct spill_writer *w, struct op *op, const u8 *record, u32 size)
{
    u64 total = (u64)size + 4;
    while (w->put < total) {
        struct spill_buffer *b = w->buffers[w->current];
        IO_TRY(spill_wait(b, op));
        u64 room = b->capacity - w->fill;
        bool head = w->put < 4;
        const u8 *from = head ? (const u8 *)&size + w->put : record + w->put - 4;
        u64 n = MIN(room, (head ? 4 : total) - w->put);
        memcpy(b->data + w->fill, from, n);
        w->fill += (u32)n;
        w->put += n;
        if (w->fill == b->capacity) writer_send(w);
    }
    w->put = 0;
    return IO_DONE;
}

io_status spill_writer_flush(struct spill_writer *w, struct op *op)
{
    if (w->fill) {
        IO_TRY(spill_wait(w->buffers[w->current], op));
        writer_send(w);
    }
    return spill_drain(w->spill, op);
}
