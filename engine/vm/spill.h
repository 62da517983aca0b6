// Temporary files of statements: what does not fit in memory goes there, through buffers of the file's own.
//
// A file belongs to one statement. Its transfers are completions; who has to wait for one gets IO_WAIT and is woken
// when any of the file's is done. A file that is freed while transfers are under way lives on by itself until they
// are done, and is closed then: freeing never waits. The first failure stays: everything after it fails.
#pragma once

#include "../op.h"

struct spill;
struct spill_buffer {
    struct spill *spill;
    struct spill_buffer *next;
    struct completion completion;
    u8 *data;
    u32 capacity;
    u32 size; // of the newest transfer
    u64 offset;
};
struct spill {
    struct io *io;
    struct io_file *file;
    char *directory;
    struct completion completion; // of opening and closing
    enum { SPILL_NEW, SPILL_OPENING, SPILL_OPEN, SPILL_FAILED } state;
    enum { SPILL_OPENS, SPILL_READS, SPILL_WRITES } failed_at;
    s64 failure; // -errno, or 0
    u32 pending;
    bool abandoned;
    struct wait_list waiters;
    struct spill_buffer *buffers;
    u8 *key; // of 32 bytes that nobody else ever has; NULL: not encrypted
};

// NULL: out of memory. Sealed: what is in the file is XChaCha20's stream by a key at random; no place is written twice.
struct spill *spill_new(struct io *io, const char *directory, bool sealed);
void spill_free(struct spill *f);                              // NULL is fine
io_status spill_open(struct spill *f, struct op *op);
struct spill_buffer *spill_buffer_new(struct spill *f, u32 capacity); // NULL: out of memory
void spill_buffers_free(struct spill *f);                             // nothing is under way
// Start a transfer of `size` bytes; the buffer's last one is over.
void spill_read(struct spill_buffer *b, u32 size, u64 offset);
void spill_write(struct spill_buffer *b, u32 size, u64 offset);
io_status spill_wait_slow(struct spill_buffer *b, struct op *op);
// Until the buffer's transfer is over.
static inline io_status spill_wait(struct spill_buffer *b, struct op *op)
{
    if (LIKELY(b->completion.state != COMPLETION_PENDING && !b->spill->failure)) return IO_DONE;
    return spill_wait_slow(b, op);
}
io_status spill_drain(struct spill *f, struct op *op); // until all are over

// Writes a stream of bytes through two buffers: one is filled while the other is written.
struct spill_writer {
    struct spill *spill;
    struct spill_buffer *buffers[2];
    u32 current, fill;
    u64 offset; // of the current buffer's start
    u64 put;    // bytes of the piece under way that were taken
};
bool spill_writer_init(struct spill_writer *w, struct spill *f, u32 buffer_size); // false: out of memory
// Appends a record with its size before it; after IO_WAIT called again with the same one.
io_status spill_writer_put(struct spill_writer *w, struct op *op, const u8 *record, u32 size);
io_status spill_writer_flush(struct spill_writer *w, struct op *op); // waits until all is written
static inline u64 spill_writer_end(const struct spill_writer *w) { return w->offset + w->fill; }
