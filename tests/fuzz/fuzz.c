#include "fuzz.h"

#include <fcntl.h>
#include <unistd.h>

#define VALUE_MAX (1 << 20)

static const char *seeds_dir;
static u32 seeds_count;

_Noreturn void fuzz_failed(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: %s does not hold\n", file, line, condition);
    abort();
}

void fuzz_seed(const void *bytes, size_t size)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/seed%03u", seeds_dir, seeds_count++);
    FILE *f = fopen(path, "we");
    FUZZ_CHECK(f && fwrite(bytes, 1, size, f) == size && fclose(f) == 0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    if (*argc == 3 && strcmp((*argv)[1], "--seeds") == 0) {
        seeds_dir = (*argv)[2];
        fuzz_seeds();
        exit(0);
    }
    return 0;
}

struct io *fuzz_io(void)
{
    struct err err = ERR_CLEAR;
    struct io *io = io_create(&(struct io_options){.backend = IO_BACKEND_MEMORY, .seed = 1}, &err);
    FUZZ_CHECK(io);
    return io;
}

static s64 wait_for(struct io *io, struct completion *c)
{
    while (c->state == COMPLETION_PENDING) io_step(io, UINT64_MAX);
    return c->result;
}

void fuzz_file_write(struct io *io, const char *path, const void *bytes, size_t size)
{
    struct completion c;
    struct io_file *f = NULL;
    completion_init(&c, NULL, NULL);
    io_file_open(io, path, IO_OPEN_WRITE | IO_OPEN_CREATE | IO_OPEN_TRUNCATE, &f, &c);
    FUZZ_CHECK(wait_for(io, &c) == 0);
    io_file_write(f, bytes, size, 0, &c);
    FUZZ_CHECK(wait_for(io, &c) == (s64)size);
    io_file_close(f, &c);
    FUZZ_CHECK(wait_for(io, &c) == 0);
}

u8 *fuzz_file_read(struct io *io, const char *path, size_t *size)
{
    struct completion c;
    struct io_file *f = NULL;
    u64 bytes_size = 0;
    completion_init(&c, NULL, NULL);
    io_file_open(io, path, IO_OPEN_READ, &f, &c);
    if (wait_for(io, &c) < 0) return NULL;
    io_file_size(f, &bytes_size, &c);
    FUZZ_CHECK(wait_for(io, &c) == 0);
    u8 *bytes = malloc(bytes_size + 1);
    io_file_read(f, bytes, bytes_size, 0, &c);
    FUZZ_CHECK(wait_for(io, &c) == (s64)bytes_size);
    io_file_close(f, &c);
    FUZZ_CHECK(wait_for(io, &c) == 0);
    *size = bytes_size;
    return bytes;
}

void fuzz_open(struct fuzz *f, struct io *io, const char *path)
{
    struct err err = ERR_CLEAR;
    *f = (struct fuzz){.io = io};
    FUZZ_CHECK(skerry_engine_create(&(struct skerry_engine_options){.io = io, .cache_bytes = 1 << 18}, &f->engine, &err));
    FUZZ_CHECK(skerry_open(f->engine, path, SKERRY_OPEN_CREATE, &f->db, &err));
    skerry_limit(f->db, SKERRY_LIMIT_LENGTH, VALUE_MAX);
    skerry_limit(f->db, SKERRY_LIMIT_STATEMENT_MS, 1000);
    skerry_limit(f->db, SKERRY_LIMIT_STATEMENT_MEMORY, 16 << 20);
}

static void error_check(const struct fuzz *f)
{
    const struct err *err = skerry_error(f->db);
    FUZZ_CHECK(err->code != ERR_OK);
    FUZZ_CHECK(err->text[0]);
}

static void columns_read(struct skerry_stmt *stmt)
{
    static volatile u64 sink; // reads every byte, so that one out of bounds is seen
    for (u32 i = 0; i < skerry_column_count(stmt); i++) {
        size_t size = 0;
        const u8 *text = (const u8 *)skerry_column_text(stmt, i, &size);
        if (!text) continue;
        FUZZ_CHECK(text[size] == 0);
        for (size_t at = 0; at < size; at++) sink += text[at];
    }
    (void)sink;
}

void fuzz_step(struct fuzz *f, struct skerry_stmt *stmt, u32 rows_max)
{
    int rc;
    u32 rows = 0;
    for (;;) {
        rc = skerry_step(stmt);
        if (rc == SKERRY_WAIT) {
            skerry_wait(f->db);
        } else if (rc == SKERRY_ROW) {
            columns_read(stmt);
            if (++rows >= rows_max) break;
        } else {
            break;
        }
    }
    if (rc != SKERRY_ROW && rc != SKERRY_DONE) error_check(f);
    while (skerry_reset(stmt) == SKERRY_WAIT) skerry_wait(f->db);
}

void fuzz_run(struct fuzz *f, const char *sql, size_t size, u32 rows_max)
{
    while (size > 0) {
        struct skerry_stmt *stmt = NULL;
        size_t used = 0;
        int rc;
        while ((rc = skerry_prepare(f->db, sql, size, &stmt, &used)) == SKERRY_WAIT) skerry_wait(f->db);
        if (rc != SKERRY_OK) {
            error_check(f);
            const struct err *err = skerry_error(f->db);
            if (err->offset > (s64)size) fprintf(stderr, "%.*s: %s at %lld\n", (int)size, sql, err->text, (long long)err->offset);
            FUZZ_CHECK(err->offset <= (s64)size);
            return;
        }
        FUZZ_CHECK(used <= size);
        if (stmt) fuzz_step(f, stmt, rows_max);
        skerry_finalize(stmt);
        if (used == 0) return;
        sql += used;
        size -= used;
    }
}

struct names {
    char *sql[64];
    u32 count;
};

static int name_add(void *context, struct skerry_stmt *stmt)
{
    struct names *n = context;
    const char *name = skerry_column_text(stmt, 0, NULL);
    if (!name || n->count == COUNT_OF(n->sql)) return 0;
    size_t size = strlen(name) * 2 + 64;
    char *sql = malloc(size), *out = sql + sprintf(sql, "SELECT * FROM \"");
    for (; *name; name++) {
        if (*name == '"') *out++ = '"';
        *out++ = *name;
    }
    memcpy(out, "\"", 2);
    n->sql[n->count++] = sql;
    return 0;
}

void fuzz_read_all(struct fuzz *f)
{
    static const char CHECKS[] = "PRAGMA integrity_check; PRAGMA foreign_key_check";
    struct names names = {.count = 0};
    if (skerry_exec(f->db, "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')", name_add, &names) != SKERRY_OK)
        error_check(f);
    fuzz_run(f, CHECKS, sizeof CHECKS - 1, 1000);
    for (u32 i = 0; i < names.count; i++) {
        char order[2100];
        fuzz_run(f, names.sql[i], strlen(names.sql[i]), 1000);
        int size = snprintf(order, sizeof order, "%s ORDER BY 2 DESC", names.sql[i]);
        if (size < (int)sizeof order) fuzz_run(f, order, (size_t)size, 1000);
        free(names.sql[i]);
    }
}

void fuzz_close(struct fuzz *f)
{
    while (skerry_close(f->db, NULL) == SKERRY_WAIT) skerry_wait(f->db);
    skerry_engine_destroy(f->engine);
    io_destroy(f->io);
}
