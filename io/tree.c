#include "tree.h"
#include "backend.h"

#include <errno.h>

// ---- nodes

void tree_node_hold(struct tree_node *node)
{
    if (node) node->holders++;
}

void tree_node_release(struct tree_node *node)
{
    if (!node || --node->holders > 0) return;
    free(node->bytes);
    if (node->free)
        node->free(node);
    else
        free(node);
}

bool tree_node_reserve(struct tree_node *node, u64 size)
{
    if (size <= node->capacity) return true;
    if (size > SIZE_MAX / 2) return false;
    u64 capacity = MAX(size, node->capacity + node->capacity / 2);
    capacity = (capacity + 4095) & ~(u64)4095;
    u8 *bytes = realloc(node->bytes, capacity);
    if (!bytes) return false;
    memset(bytes + node->capacity, 0, capacity - node->capacity);
    node->bytes = bytes;
    node->capacity = capacity;
    return true;
}

bool tree_node_resize(struct tree_node *node, u64 size)
{
    if (!tree_node_reserve(node, size)) return false;
    if (size < node->size) memset(node->bytes + size, 0, node->size - size);
    node->size = size;
    return true;
}

bool tree_node_write(struct tree_node *node, const void *bytes, u64 size, u64 offset)
{
    if (size == 0) return true;
    if (offset > (u64)INT64_MAX - size || !tree_node_reserve(node, offset + size)) return false;
    memcpy(node->bytes + offset, bytes, size);
    node->size = MAX(node->size, offset + size);
    return true;
}

// ---- paths

bool tree_path_normalize(const char *path, char *out)
{
    size_t size = 0;
    if (path[0] == '/') out[size++] = '/';
    while (*path) {
        size_t length = strcspn(path, "/");
        if (length > 0 && !(length == 1 && path[0] == '.')) {
            if (size + length + 2 > PATH_MAX) return false;
            if (size > 0 && out[size - 1] != '/') out[size++] = '/';
            memcpy(out + size, path, length);
            size += length;
        }
        path += length;
        while (*path == '/') path++;
    }
    out[size] = 0;
    return true;
}

void tree_path_parent(const char *path, char *out)
{
    const char *slash = strrchr(path, '/');
    size_t size = !slash ? 0 : slash == path ? 1 : (size_t)(slash - path);
    memcpy(out, path, size);
    out[size] = 0;
}

static bool path_is_under(const char *path, const char *dir)
{
    size_t size = strlen(dir);
    if (size == 0) return path[0] != '/';
    if (strncmp(path, dir, size) != 0) return false;
    return dir[size - 1] == '/' ? path[size] != 0 : path[size] == '/';
}

// ---- names

// The index of path, or of the first name after it.
static u32 tree_search(const struct tree *tree, const char *path)
{
    u32 low = 0, high = tree->count;
    while (low < high) {
        u32 middle = (low + high) / 2;
        if (strcmp(tree->names[middle].path, path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct tree_name *tree_find(const struct tree *tree, const char *path)
{
    u32 index = tree_search(tree, path);
    if (index == tree->count || strcmp(tree->names[index].path, path) != 0) return NULL;
    return &tree->names[index];
}

bool tree_set(struct tree *tree, const char *path, struct tree_node *node)
{
    struct tree_name *known = tree_find(tree, path);
    if (node && !node->serial) node->serial = ++tree->serial;
    if (known) {
        tree_node_hold(node);
        tree_node_release(known->node);
        known->node = node;
        return true;
    }
    if (tree->count == tree->capacity) {
        u32 capacity = tree->capacity ? tree->capacity * 2 : 16;
        struct tree_name *names = realloc(tree->names, capacity * sizeof *names);
        if (!names) return false;
        tree->names = names;
        tree->capacity = capacity;
    }
    char *copy = strdup(path);
    if (!copy) return false;
    u32 index = tree_search(tree, path);
    memmove(&tree->names[index + 1], &tree->names[index],
            (tree->count - index) * sizeof *tree->names);
    tree->names[index] = (struct tree_name){.path = copy, .node = node};
    tree->count++;
    tree_node_hold(node);
    return true;
}

void tree_delete(struct tree *tree, const char *path)
{
    struct tree_name *name = tree_find(tree, path);
    if (!name) return;
    u32 index = (u32)(name - tree->names);
    free(name->path);
    tree_node_release(name->node);
    tree->count--;
    memmove(&tree->names[index], &tree->names[index + 1],
            (tree->count - index) * sizeof *tree->names);
}

void tree_clear(struct tree *tree)
{
    for (u32 i = 0; i < tree->count; i++) {
        free(tree->names[i].path);
        tree_node_release(tree->names[i].node);
    }
    free(tree->names);
    *tree = (struct tree){0};
}

bool tree_dir_exists(const struct tree *tree, const char *path, bool implied)
{
    if (path[0] == 0 || strcmp(path, "/") == 0) return true;
    const struct tree_name *name = tree_find(tree, path);
    if (name) return !name->node;
    for (u32 i = 0; implied && i < tree->count; i++)
        if (path_is_under(tree->names[i].path, path)) return true;
    return false;
}

s64 tree_dir_missing(const struct tree *tree, const char *path, char *out)
{
    size_t size = strlen(path);
    for (size_t i = 1; i <= size; i++) {
        if (path[i] != '/' && path[i] != 0) continue;
        memcpy(out, path, i);
        out[i] = 0;
        const struct tree_name *name = tree_find(tree, out);
        if (name && name->node) return -ENOTDIR;
        if (!tree_dir_exists(tree, out, false)) return 1;
    }
    return 0;
}

s64 tree_may_move(const struct tree *tree, const char *from, const char *to, bool keep, bool new)
{
    const struct tree_name *source = tree_find(tree, from), *target = tree_find(tree, to);
    if (!source) return -ENOENT;
    if (!source->node) return keep ? -EPERM : -EISDIR;
    if (target && new) return -EEXIST;
    if (target && !target->node) return -EISDIR;
    return !target || target->node != source->node;
}

s64 tree_list(const struct tree *tree, const char *path, bool implied, struct io_dir_listing *out)
{
    const struct tree_name *self = tree_find(tree, path);
    if (self && self->node) return -ENOTDIR;
    if (!tree_dir_exists(tree, path, implied)) return -ENOENT;
    size_t skip = strlen(path);
    if (skip > 0 && path[skip - 1] != '/') skip++;
    u32 capacity = 0;
    for (u32 i = 0; i < tree->count; i++) {
        const struct tree_name *name = &tree->names[i];
        if (!path_is_under(name->path, path)) continue;
        char first[PATH_MAX];
        size_t size = strcspn(name->path + skip, "/");
        memcpy(first, name->path + skip, size);
        first[size] = 0;
        bool is_dir = name->path[skip + size] == '/' || !name->node, known = false;
        for (u32 j = 0; j < out->count && !known; j++)
            known = strcmp(out->entries[j].name, first) == 0;
        if (known) continue;
        if (!io_dir_listing_add(out, &capacity, first, is_dir ? 0 : name->node->size,
                                is_dir ? 0 : name->node->modified_ms, is_dir)) {
            io_dir_listing_free(out);
            return -ENOMEM;
        }
    }
    io_dir_listing_sort(out);
    return out->count;
}

s64 tree_stat(const struct tree *tree, const char *path, bool implied, struct io_path_info *out)
{
    const struct tree_name *name = tree_find(tree, path);
    if (!name || !name->node) {
        *out = (struct io_path_info){.is_dir = true};
        return tree_dir_exists(tree, path, implied) ? 0 : -ENOENT;
    }
    *out = (struct io_path_info){.size = name->node->size,
                                 .identity = name->node->serial,
                                 .modified_ns = name->node->modified_ms * 1000000};
    return 0;
}
