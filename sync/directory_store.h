// The directory store's inside. An object is a file of its key's name. What is not an object yet
// lies flat in the folder .tmp:
//   t-INSTANCE-N           a put under way; whoever writes it holds a lock on its first byte, so one
//                          that can be locked was left by a crash and is removed at the next start
//   u-ID.key, u-ID.data,   an upload: its part size and key as text, its bytes, and for each part
//   u-ID.pNNNNN-SIZE       that is whole on the disk an empty file
//   lock                   where neither RENAME_NOREPLACE nor link(2) is to be had: held while a
//                          put-if-absent looks for the name and renames
//
// A request is a chain of operations: each sets d->next to what takes its result. It ends in
// directory_end, which removes and closes what is left of it.
#pragma once

#include "object_backend.h"

#define DIRECTORY_PATH_MAX   2048
#define DIRECTORY_PIECE_SIZE 65536
#define DIRECTORY_ID_SIZE    16

enum directory_naming { NAMING_RENAME_NEW, NAMING_LINK, NAMING_LOCKED };

struct directory_store {
    struct object_store store;
    char root[1024], temporary[1040];
    u64 instance; // random: tells our temporary files from another process's
    u64 temporary_count;
    enum directory_naming naming; // what the file system turned out to know
    bool swept;                   // .tmp is there, and free of what others left
};

struct directory_request;
typedef void (*directory_step)(struct directory_request *d, s64 result);

struct directory_request {
    struct object_request *request;
    directory_step next, after;
    struct completion c;
    struct io_file *file, *lock;
    struct io_path_info info;
    struct iovec body;
    u64 size;
    char path[DIRECTORY_PATH_MAX], folder[DIRECTORY_PATH_MAX]; // of the object, and what it is in
    char other[DIRECTORY_PATH_MAX];                            // a file in .tmp
    struct io_dir_listing listing;
    u32 index, lock_tries;
    u64 offset; // bytes written so far
    u8 *piece;  // of a source, or a small file's text
    bool unlink_other, folder_made, exists;
};

static inline struct directory_store *directory_of(const struct directory_request *d)
{
    return CONTAINER_OF(d->request->store, struct directory_store, store);
}

// Sets the request's error from a result of io (what could not be done, to what), and ends it.
void directory_fail(struct directory_request *d, s64 result, const char *what, const char *path);
void directory_end(struct directory_request *d);
void directory_version(const struct io_path_info *info, char out[OBJECT_VERSION_MAX]);

void directory_put_start(struct directory_request *d);
// d->file is open: writes the body or what the source gives at `offset`, syncs it, and goes on with
// `after`.
void directory_write(struct directory_request *d, u64 offset, directory_step after);
// Gives d->other, which is written and synced, the object's name, syncs the folders, and goes on
// with `after` (or fails).
void directory_name(struct directory_request *d, directory_step after);
// Makes .tmp and clears it of what crashes left there, once a store; then `after`.
void directory_sweep(struct directory_request *d, directory_step after);
void directory_upload_start(struct directory_request *d);
