// A file of plain pages that seals them into another as they are written, and unseals them as they are read: what a
// restore writes to, and where pages go that come from a store one by one. Pages are written and read whole; the key slots
// come with the truncation to the final size, the last thing before the file is synced.
#include "store_private.h"

#include <errno.h>
#include <sodium.h>

struct sealed_file {
    struct io_file file;
    struct io_file *inner;
    struct codec codec;
    // Of truncating.
    u8 *header;
    u64 size;
    struct completion step, *outer;
};
struct sealed_write {
    struct sealed_file *owner;
    struct completion inner, *outer;
    u8 data[];
};
struct sealed_read {
    struct sealed_file *owner;
    struct completion inner, *outer;
    u8 *pages;
    pgno first;
};

static struct sealed_file *sealed_of(struct io_file *f)
{
    return CONTAINER_OF(f, struct sealed_file, file);
}

static void write_done(struct completion *c)
{
    struct sealed_write *w = c->context;
    completion_release(w->owner->file.io, w->outer, c->result);
    free(w);
}

static void write_start(struct io_file *f, const struct iovec *iov, u32 count, u64 offset, bool sync, struct completion *c)
{
    struct sealed_file *s = sealed_of(f);
    u32 page_size = s->codec.page_size;
    u64 size = 0, at = 0;
    for (u32 i = 0; i < count; i++) size += iov[i].iov_len;
    struct sealed_write *w = malloc(sizeof *w + size);
    if (!w || offset % page_size || size % page_size) {
        free(w);
        completion_post(f->io, c, w ? -EINVAL : -ENOMEM);
        return;
    }
    w->owner = s;
    w->outer = c;
    completion_init(&w->inner, write_done, w);
    completion_hold(f->io, c);
    for (u32 i = 0; i < count; at += iov[i++].iov_len) memcpy(w->data + at, iov[i].iov_base, iov[i].iov_len);
    pgno no = (pgno)(offset / page_size) + 1;
    for (at = 0; at < size; at += page_size) codec_encode(&s->codec, no++, w->data + at, w->data + at);
    offset += codec_offset(&s->codec, 1);
    if (sync)
        io_file_writev_sync(s->inner, &(struct iovec){.iov_base = w->data, .iov_len = size}, 1, offset, &w->inner);
    else
        io_file_write(s->inner, w->data, size, offset, &w->inner);
}

static void read_done(struct completion *c)
{
    struct sealed_read *r = c->context;
    const struct codec *codec = &r->owner->codec;
    s64 result = c->result;
    for (s64 at = 0; at < c->result && result >= 0; at += codec->page_size)
        if (c->result - at < codec->page_size || !codec_decode(codec, r->first + (pgno)(at / codec->page_size), r->pages + at)) result = -EIO;
    completion_release(r->owner->file.io, r->outer, result);
    free(r);
}

static void op_readv(struct io_file *f, const struct iovec *iov, u32 count, u64 offset, struct completion *c)
{
    struct sealed_file *s = sealed_of(f);
    u32 page_size = s->codec.page_size;
    struct sealed_read *r = malloc(sizeof *r);
    if (!r || count != 1 || offset % page_size || iov->iov_len % page_size) {
        free(r);
        completion_post(f->io, c, r ? -EINVAL : -ENOMEM);
        return;
    }
    *r = (struct sealed_read){.owner = s, .outer = c, .pages = iov->iov_base, .first = (pgno)(offset / page_size) + 1};
    completion_init(&r->inner, read_done, r);
    completion_hold(f->io, c);
    io_file_read(s->inner, iov->iov_base, iov->iov_len, offset + codec_offset(&s->codec, 1), &r->inner);
}

static void op_writev(struct io_file *f, const struct iovec *iov, u32 count, u64 offset, struct completion *c)
{
    write_start(f, iov, count, offset, false, c);
}

static void op_writev_sync(struct io_file *f, const struct iovec *iov, u32 count, u64 offset, struct completion *c)
{
    write_start(f, iov, count, offset, true, c);
}

static void op_sync(struct io_file *f, enum io_sync_kind kind, struct completion *c)
{
    io_file_sync(sealed_of(f)->inner, kind, c);
}

static void truncated(struct completion *c)
{
    struct sealed_file *s = c->context;
    completion_release(s->file.io, s->outer, c->result);
}

static void header_written(struct completion *c)
{
    struct sealed_file *s = c->context;
    free(s->header);
    s->header = NULL;
    if (c->result < 0) {
        completion_release(s->file.io, s->outer, c->result);
        return;
    }
    completion_init(&s->step, truncated, s);
    io_file_truncate(s->inner, s->size + codec_offset(&s->codec, 1), &s->step);
}

static void op_truncate(struct io_file *f, u64 size, struct completion *c)
{
    struct sealed_file *s = sealed_of(f);
    s->header = calloc(1, SEALED_HEADER_SIZE);
    if (!s->header) {
        completion_post(f->io, c, -ENOMEM);
        return;
    }
    for (s->codec.slot.sequence = 1; s->codec.slot.sequence <= 2; s->codec.slot.sequence++)
        key_slot_encode(&s->codec.slot, f->io, s->header + key_slot_offset(&s->codec.slot));
    s->size = size;
    s->outer = c;
    completion_hold(f->io, c);
    completion_init(&s->step, header_written, s);
    io_file_write(s->inner, s->header, SEALED_HEADER_SIZE, 0, &s->step);
}

static void op_allocate(struct io_file *f, u64 offset, u64 size, struct completion *c)
{
    io_file_allocate(sealed_of(f)->inner, offset, size + codec_offset(&sealed_of(f)->codec, 1), c);
}

static void op_size(struct io_file *f, u64 *out, struct completion *c)
{
    completion_post(f->io, c, -EINVAL);
}

static void op_close(struct io_file *f, struct completion *c)
{
    struct sealed_file *s = sealed_of(f);
    io_file_close(s->inner, c);
    key_slot_wipe(&s->codec.slot);
    free(s);
}

static int op_lock(struct io_file *f, u64 offset, u64 size, enum io_lock_kind kind)
{
    return io_file_lock(sealed_of(f)->inner, offset, size, kind);
}

static const struct io_file_ops sealed_file_ops = {
    .readv = op_readv,
    .writev = op_writev,
    .writev_sync = op_writev_sync,
    .sync = op_sync,
    .truncate = op_truncate,
    .allocate = op_allocate,
    .size = op_size,
    .close = op_close,
    .lock = op_lock,
};

static struct sealed_file *sealed_create(struct io_file *inner, u32 page_size, struct err *err)
{
    struct sealed_file *s = calloc(1, sizeof *s);
    if (!s) {
        err_set(err, ERR_NOMEM, "store_sealed_file", "out of memory");
        return NULL;
    }
    s->file = (struct io_file){.ops = &sealed_file_ops, .io = inner->io};
    s->inner = inner;
    s->codec = (struct codec){.kind = CODEC_SEALED, .io = inner->io, .page_size = page_size};
    return s;
}

static struct io_file *sealed_keyed(struct sealed_file *s, err_code code)
{
    if (code == ERR_OK) return &s->file;
    key_slot_wipe(&s->codec.slot);
    free(s);
    return NULL;
}

struct io_file *store_sealed_file(struct io_file *inner, u32 page_size, const struct store_key *key, struct err *err)
{
    struct sealed_file *s = sealed_create(inner, page_size, err);
    if (!s) return NULL;
    key_slot_fresh(&s->codec.slot, page_size, inner->io);
    return sealed_keyed(s, key_slot_master(&s->codec.slot, key, inner->io, err));
}

bool store_sealed_header(const u8 header[STORE_SEALED_HEADER])
{
    return key_slots_there(header);
}

struct io_file *store_sealed_file_again(struct io_file *inner, const u8 header[STORE_SEALED_HEADER], const char *path,
                                        const struct store_key *key, const struct store_key *previous, struct err *err)
{
    bool used_previous;
    struct sealed_file *s = sealed_create(inner, 0, err);
    if (!s) return NULL;
    err_code code = key_slots_open(header, path, key, previous, &s->codec.slot, &used_previous, err);
    s->codec.page_size = s->codec.slot.page_size;
    return sealed_keyed(s, code);
}

u32 store_sealed_page_size(const struct io_file *sealed)
{
    return CONTAINER_OF(sealed, const struct sealed_file, file)->codec.page_size;
}
