// Small files beside a database, read or replaced as a whole. Cooperative: called again after a wake.
// Internal to sync.
#pragma once

#include "../io/io.h"

struct small_file {
    struct io *io;
    struct completion c;
    struct io_file *file;
    u32 step;
    bool submitted;
    u64 size; // of what was read
    u8 *bytes;
    char aside[4200];
    struct err failed;
    void (*wake)(void *context);
    void *context;
};
void small_file_init(struct small_file *f, struct io *io, void (*wake)(void *), void *context);
void small_file_deinit(struct small_file *f); // not while busy
bool small_file_busy(const struct small_file *f);
// On IO_DONE bytes and size are there. ERR_NOTFOUND: no such file; ERR_TOOBIG.
io_status small_file_read(struct small_file *f, const char *path, u64 size_max, struct err *err);
// Written aside, synced and renamed: readers find the old file or the new one. path's directory is not synced.
io_status small_file_write(struct small_file *f, const char *path, const void *bytes, u64 size, struct err *err);
