// Uploads in parts in a directory: parts are written to their places in one file, so finishing is a
// rename whatever the size. directory_store.h has the names.
#include "directory_store.h"

#include <errno.h>
#include <inttypes.h>

#define UPLOAD_KEY_TEXT_MAX (OBJECT_KEY_MAX + 64)

static bool id_valid(const char *id)
{
    return strlen(id) == DIRECTORY_ID_SIZE &&
           strspn(id, "0123456789abcdef") == DIRECTORY_ID_SIZE;
}

static void upload_file(struct directory_request *d, const char *suffix)
{
    snprintf(d->other, sizeof d->other, "%s/u-%.16s.%s", directory_of(d)->temporary,
             d->request->upload->id, suffix);
}

// "u-ID.pNNNNN-SIZE" of this upload.
static bool part_parse(const char *name, const char *id, u32 *part, u64 *size)
{
    int end = 0;
    return strncmp(name, "u-", 2) == 0 && strncmp(name + 2, id, DIRECTORY_ID_SIZE) == 0 &&
           sscanf(name + 2 + DIRECTORY_ID_SIZE, ".p%5" SCNu32 "-%" SCNu64 "%n", part, size, &end) == 2 &&
           name[2 + DIRECTORY_ID_SIZE + end] == 0 && *part < OBJECT_PARTS_MAX;
}

// ---- begin
// --------------------------------------------------------------------------------------------

static void begin_synced(struct directory_request *d, s64 result)
{
    if (result < 0 && result != -EINVAL)
        directory_fail(d, result, "sync the folder", directory_of(d)->temporary);
    else
        directory_end(d);
}

static void begin_data_opened(struct directory_request *d, s64 result)
{
    if (result < 0) {
        d->file = NULL;
        directory_fail(d, result, "create", d->other);
        return;
    }
    d->next = begin_synced;
    io_path_sync_dir(d->request->store->io, directory_of(d)->temporary, &d->c);
}

static void begin_key_closed(struct directory_request *d, s64 result)
{
    upload_file(d, "data");
    d->next = begin_data_opened;
    io_file_open(d->request->store->io, d->other,
                 IO_OPEN_WRITE | IO_OPEN_CREATE | IO_OPEN_EXCLUSIVE, &d->file, &d->c);
}

static void begin_key_synced(struct directory_request *d, s64 result)
{
    if (result < 0) {
        directory_fail(d, result, "sync", d->other);
        return;
    }
    struct io_file *f = d->file;
    d->file = NULL;
    d->next = begin_key_closed;
    io_file_close(f, &d->c);
}

static void begin_key_written(struct directory_request *d, s64 result)
{
    if (result < 0) {
        directory_fail(d, result, "write", d->other);
        return;
    }
    d->next = begin_key_synced;
    io_file_sync(d->file, IO_SYNC_FULL, &d->c);
}

static void begin_key_opened(struct directory_request *d, s64 result)
{
    struct object_request *r = d->request;
    if (result < 0) {
        d->file = NULL;
        directory_fail(d, result, "create", d->other);
        return;
    }
    d->piece = malloc(UPLOAD_KEY_TEXT_MAX);
    if (!d->piece) {
        directory_fail(d, -ENOMEM, "write", d->other);
        return;
    }
    int size = snprintf((char *)d->piece, UPLOAD_KEY_TEXT_MAX, "%" PRIu64 " %s\n",
                        r->upload->part_size, r->key);
    d->next = begin_key_written;
    io_file_write(d->file, d->piece, (size_t)size, 0, &d->c);
}

static void begin(struct directory_request *d, s64 result)
{
    u64 random;
    io_random(d->request->store->io, &random, sizeof random);
    snprintf(d->request->upload->id, sizeof d->request->upload->id, "%016" PRIx64, random);
    upload_file(d, "key");
    d->next = begin_key_opened;
    io_file_open(d->request->store->io, d->other,
                 IO_OPEN_WRITE | IO_OPEN_CREATE | IO_OPEN_EXCLUSIVE, &d->file, &d->c);
}

// ---- part
// ---------------------------------------------------------------------------------------------

static void part_noted(struct directory_request *d, s64 result)
{
    struct object_request *r = d->request;
    if (result < 0) {
        d->file = NULL;
        directory_fail(d, result, "create", d->other);
        return;
    }
    struct object_part *p = object_part_at(r->upload, r->part);
    if (p) {
        p->size = r->body_size;
        snprintf(p->version, sizeof p->version, "%zu", r->body_size);
        snprintf(r->version, sizeof r->version, "%zu", r->body_size);
    } else {
        err_set(&r->err, ERR_NOMEM, "store", "out of memory");
    }
    directory_end(d);
}

static void part_closed(struct directory_request *d, s64 result)
{
    char suffix[40];
    snprintf(suffix, sizeof suffix, "p%05u-%zu", d->request->part, d->request->body_size);
    upload_file(d, suffix);
    d->next = part_noted;
    io_file_open(d->request->store->io, d->other, IO_OPEN_WRITE | IO_OPEN_CREATE, &d->file, &d->c);
}

static void part_written(struct directory_request *d, s64 result)
{
    struct io_file *f = d->file;
    d->file = NULL;
    d->next = part_closed;
    io_file_close(f, &d->c);
}

static void part_opened(struct directory_request *d, s64 result)
{
    struct object_request *r = d->request;
    if (result < 0) {
        d->file = NULL;
        directory_fail(d, result, "find the upload", d->other);
        return;
    }
    directory_write(d, (u64)r->part * r->upload->part_size, part_written);
}

static void part_start(struct directory_request *d)
{
    struct object_request *r = d->request;
    if (!r->body_size || r->body_size > r->upload->part_size) {
        err_set(&r->err, ERR_USAGE, "store", "%s: a part of %zu bytes does not fit into parts of %llu",
                r->key, r->body_size, (unsigned long long)r->upload->part_size);
        directory_end(d);
        return;
    }
    upload_file(d, "data");
    d->next = part_opened;
    io_file_open(r->store->io, d->other, IO_OPEN_WRITE, &d->file, &d->c);
}

// ---- what is there
// ------------------------------------------------------------------------------------

static void parts_listed(struct directory_request *d, s64 result)
{
    struct object_request *r = d->request;
    char data[64];
    bool found = false;
    if (result < 0) {
        directory_fail(d, result, "list", directory_of(d)->temporary);
        return;
    }
    snprintf(data, sizeof data, "u-%.16s.data", r->upload->id);
    r->upload->part_count = 0;
    if (r->upload->parts)
        memset(r->upload->parts, 0, r->upload->part_capacity * sizeof *r->upload->parts);
    for (u32 i = 0; i < d->listing.count; i++) {
        const struct io_dir_entry *e = &d->listing.entries[i];
        u32 part;
        u64 size;
        found |= strcmp(e->name, data) == 0;
        if (!part_parse(e->name, r->upload->id, &part, &size)) continue;
        struct object_part *p = object_part_at(r->upload, part);
        if (!p) {
            directory_fail(d, -ENOMEM, "list", directory_of(d)->temporary);
            return;
        }
        p->size = size;
        snprintf(p->version, sizeof p->version, "%" PRIu64, size);
    }
    if (!found)
        err_set(&r->err, ERR_STORE_MISSING, "store", "%s: the upload %s is not there", r->key,
                r->upload->id);
    directory_end(d);
}

static void list_next(struct directory_request *d, s64 result);

static void list_closed(struct directory_request *d, s64 result)
{
    d->index++;
    list_next(d, 0);
}

static void list_read(struct directory_request *d, s64 result)
{
    struct object_request *r = d->request;
    const struct io_dir_entry *e = &d->listing.entries[d->index];
    if (result > 0) {
        char *text = (char *)d->piece, *space, *end;
        text[result] = 0;
        space = strchr(text, ' ');
        end = space ? strchr(space, '\n') : NULL;
        if (end) {
            char id[DIRECTORY_ID_SIZE + 1];
            *end = 0;
            snprintf(id, sizeof id, "%s", e->name + 2);
            if (strncmp(space + 1, r->key, strlen(r->key)) == 0 && object_key_valid(space + 1) &&
                !object_entry_add(r, space + 1, 0, e->modified_ms, id))
                err_set(&r->err, ERR_NOMEM, "store", "out of memory");
        }
    }
    struct io_file *f = d->file;
    d->file = NULL;
    d->next = list_closed;
    io_file_close(f, &d->c);
}

static void list_opened(struct directory_request *d, s64 result)
{
    if (result < 0) {
        d->file = NULL;
        list_closed(d, 0);
        return;
    }
    d->next = list_read;
    io_file_read(d->file, d->piece, UPLOAD_KEY_TEXT_MAX - 1, 0, &d->c);
}

static bool listing_has_data(struct directory_request *d, const char *key_name)
{
    char data[64];
    snprintf(data, sizeof data, "%.*s.data", 2 + DIRECTORY_ID_SIZE, key_name);
    for (u32 i = 0; i < d->listing.count; i++)
        if (strcmp(d->listing.entries[i].name, data) == 0) return true;
    return false;
}

static void list_next(struct directory_request *d, s64 result)
{
    for (; d->index < d->listing.count; d->index++) {
        const char *name = d->listing.entries[d->index].name;
        if (strncmp(name, "u-", 2) != 0 || strlen(name) != 2 + DIRECTORY_ID_SIZE + 4 ||
            strcmp(name + 2 + DIRECTORY_ID_SIZE, ".key") != 0 || !listing_has_data(d, name))
            continue;
        snprintf(d->other, sizeof d->other, "%s/%s", directory_of(d)->temporary, name);
        d->next = list_opened;
        io_file_open(d->request->store->io, d->other, IO_OPEN_READ, &d->file, &d->c);
        return;
    }
    object_entries_sort(d->request);
    directory_end(d);
}

static void list_listed(struct directory_request *d, s64 result)
{
    if (result < 0 && result != -ENOENT) {
        directory_fail(d, result, "list", directory_of(d)->temporary);
        return;
    }
    d->piece = malloc(UPLOAD_KEY_TEXT_MAX);
    if (d->piece)
        list_next(d, 0);
    else
        directory_fail(d, -ENOMEM, "list", directory_of(d)->temporary);
}

// ---- finish and abort
// ---------------------------------------------------------------------------------

static void remove_next(struct directory_request *d, s64 result)
{
    char prefix[40];
    snprintf(prefix, sizeof prefix, "u-%.16s.", d->request->upload->id);
    while (d->index < d->listing.count) {
        const char *name = d->listing.entries[d->index++].name;
        if (strncmp(name, prefix, strlen(prefix)) != 0) continue;
        snprintf(d->other, sizeof d->other, "%s/%s", directory_of(d)->temporary, name);
        d->next = remove_next;
        io_path_unlink(d->request->store->io, d->other, &d->c);
        return;
    }
    directory_end(d);
}

static void remove_listed(struct directory_request *d, s64 result)
{
    remove_next(d, 0); // what cannot be listed is removed by a later sweep
}

static void remove_all(struct directory_request *d, s64 result)
{
    d->next = remove_listed;
    io_path_list(d->request->store->io, directory_of(d)->temporary, &d->listing, &d->c);
}

static u64 parts_size(const struct object_upload *u, bool *whole)
{
    u64 size = 0;
    *whole = u->part_count > 0;
    for (u32 i = 0; i < u->part_count; i++) {
        if (!u->parts[i].size || (i + 1 < u->part_count && u->parts[i].size != u->part_size))
            *whole = false;
        size += u->parts[i].size;
    }
    return size;
}

static void finish_synced(struct directory_request *d, s64 result)
{
    if (result < 0) {
        directory_fail(d, result, "sync", d->other);
        return;
    }
    // What its notes said was synced: only the name is left to give.
    directory_name(d, remove_all);
}

static void finish_cut(struct directory_request *d, s64 result)
{
    if (result < 0) {
        directory_fail(d, result, "set the size of", d->other);
        return;
    }
    d->next = finish_synced;
    io_file_sync(d->file, IO_SYNC_FULL, &d->c);
}

static void finish_sized(struct directory_request *d, s64 result)
{
    struct object_request *r = d->request;
    bool whole;
    u64 size = parts_size(r->upload, &whole);
    if (result < 0) {
        directory_fail(d, result, "read the size of", d->other);
    } else if (d->size < size) {
        err_set(&r->err, ERR_STORE_MISSING, "store", "%s: the upload lacks bytes", r->key);
        directory_end(d);
    } else {
        d->next = finish_cut;
        io_file_truncate(d->file, size, &d->c);
    }
}

static void finish_found(struct directory_request *d, s64 result)
{
    struct object_request *r = d->request;
    bool whole;
    if (result == 0 && d->info.size == parts_size(r->upload, &whole)) {
        remove_all(d, 0); // it was finished before, and its answer was lost
        return;
    }
    err_set(&r->err, ERR_STORE_MISSING, "store", "%s: the upload %s is not there", r->key,
            r->upload->id);
    directory_end(d);
}

static void finish_opened(struct directory_request *d, s64 result)
{
    if (result == 0) {
        d->next = finish_sized;
        io_file_size(d->file, &d->size, &d->c);
        return;
    }
    d->file = NULL;
    if (result == -ENOENT) {
        d->next = finish_found;
        io_path_stat(d->request->store->io, d->path, &d->info, &d->c);
        return;
    }
    directory_fail(d, result, "open", d->other);
}

static void finish_start(struct directory_request *d)
{
    struct object_request *r = d->request;
    bool whole;
    (void)parts_size(r->upload, &whole);
    if (!whole) {
        err_set(&r->err, ERR_USAGE, "store", "%s: a part is missing, or of another size", r->key);
        directory_end(d);
        return;
    }
    upload_file(d, "data");
    d->next = finish_opened;
    io_file_open(r->store->io, d->other, IO_OPEN_WRITE, &d->file, &d->c);
}

void directory_upload_start(struct directory_request *d)
{
    struct object_request *r = d->request;
    bool named = r->kind != OBJECT_UPLOAD_BEGIN && r->kind != OBJECT_UPLOAD_LIST;
    if (named && !id_valid(r->upload->id)) {
        err_set(&r->err, ERR_STORE_MISSING, "store", "%s: there is no such upload", r->key);
        directory_end(d);
        return;
    }
    switch (r->kind) {
    case OBJECT_UPLOAD_BEGIN: directory_sweep(d, begin); break;
    case OBJECT_UPLOAD_PART: part_start(d); break;
    case OBJECT_UPLOAD_PARTS:
        d->next = parts_listed;
        io_path_list(r->store->io, directory_of(d)->temporary, &d->listing, &d->c);
        break;
    case OBJECT_UPLOAD_FINISH: finish_start(d); break;
    case OBJECT_UPLOAD_ABORT: remove_all(d, 0); break;
    case OBJECT_UPLOAD_LIST:
        d->next = list_listed;
        io_path_list(r->store->io, directory_of(d)->temporary, &d->listing, &d->c);
        break;
    case OBJECT_PUT:
    case OBJECT_PUT_IF_ABSENT:
    case OBJECT_GET:
    case OBJECT_HEAD:
    case OBJECT_LIST:
    case OBJECT_DELETE:
    case OBJECT_DELETE_MANY:
    case OBJECT_KIND_COUNT: ASSERT(false);
    }
}
