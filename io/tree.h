// Files in memory and their names: what the memory and the simulated backends are made of. Private
// to this folder.
//
// A name is a normalized path (no empty or "." components); the order is that of bytes, so a
// directory comes before what is in it. Nodes are counted by who holds them: names, open files, and
// others.
#pragma once

#include "base.h"

#include <limits.h>

struct io_dir_listing;
struct io_path_info;

struct tree_node {
    u32 holders;
    void (*free)(struct tree_node *node);
    u8 *bytes;
    u64 size, capacity; // bytes from size to capacity are zero
    s64 modified_ms;
    u64 serial; // set when it gets its first name: tells it from its predecessors
};

struct tree_name {
    char *path;
    struct tree_node *node; // NULL: a directory
};

struct tree {
    struct tree_name *names;
    u32 count, capacity;
    u64 serial; // of the newest node
};

void tree_node_hold(struct tree_node *node);
void tree_node_release(struct tree_node *node);
bool tree_node_reserve(struct tree_node *node, u64 size);
bool tree_node_resize(struct tree_node *node, u64 size); // false: out of memory
bool tree_node_write(struct tree_node *node, const void *bytes, u64 size, u64 offset);

// False when the path is too long for out (PATH_MAX bytes).
bool tree_path_normalize(const char *path, char *out);
// The directory that a normalized path is in: "a/b" -> "a", "/a" -> "/", "a" -> "".
void tree_path_parent(const char *path, char *out);

struct tree_name *tree_find(const struct tree *tree, const char *path); // or NULL
// Sets a name (node NULL: a directory), replacing what it meant. False: out of memory.
bool tree_set(struct tree *tree, const char *path, struct tree_node *node);
void tree_delete(struct tree *tree, const char *path); // no-op when missing
void tree_clear(struct tree *tree);
// True for the roots "" and "/", for directories, and with `implied` for whatever has names under
// it.
bool tree_dir_exists(const struct tree *tree, const char *path, bool implied);
// The first folder of a path, or the path itself, that is not there: 1 with its path in out (PATH_MAX bytes), 0: all are,
// -ENOTDIR: one is a file.
s64 tree_dir_missing(const struct tree *tree, const char *path, char *out);
// Whether a file may be linked (keep) or renamed, as POSIX has it: 1, 0: both names are its own already, or -errno. `new`: nothing
// may have the name. Directories stay where they are.
s64 tree_may_move(const struct tree *tree, const char *from, const char *to, bool keep, bool new);
// Number of entries or -errno.
s64 tree_list(const struct tree *tree, const char *path, bool implied, struct io_dir_listing *out);
s64 tree_stat(const struct tree *tree, const char *path, bool implied, struct io_path_info *out);
