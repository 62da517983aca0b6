// What the contract tests share: every test runs once for each backend, as "NAME/BACKEND".
#pragma once

#include "../../io/io.h"
#include "../test.h"

#include <errno.h>

struct contract {
    struct io *io; // a test that destroys it sets it to NULL
    enum io_backend_kind kind;
    const char *dir; // exists on this backend
};

#define CONTRACT_ON(id, backend, backend_kind)                                                     \
    static void contract_##backend##_##id(void)                                                    \
    {                                                                                              \
        contract_run(backend_kind, contract_##id);                                                 \
    }                                                                                              \
    __attribute__((constructor)) static void contract_register_##backend##_##id(void)              \
    {                                                                                              \
        static struct test t = {#id "/" #backend, contract_##backend##_##id, NULL};                \
        test_register(&t);                                                                         \
    }
// CONTRACT: every backend. CONTRACT_REAL: those that use the system's own sockets and clock.
#define CONTRACT_REAL(id)                                                                          \
    static void contract_##id(struct contract *t);                                                 \
    CONTRACT_ON(id, ring, IO_BACKEND_RING)                                                         \
    CONTRACT_ON(id, posix, IO_BACKEND_POSIX)                                                       \
    CONTRACT_ON(id, memory, IO_BACKEND_MEMORY)                                                     \
    static void contract_##id(struct contract *t)
#define CONTRACT(id)                                                                               \
    static void contract_##id(struct contract *t);                                                 \
    CONTRACT_ON(id, simulated, IO_BACKEND_SIM)                                                     \
    CONTRACT_ON(id, ring, IO_BACKEND_RING)                                                         \
    CONTRACT_ON(id, posix, IO_BACKEND_POSIX)                                                       \
    CONTRACT_ON(id, memory, IO_BACKEND_MEMORY)                                                     \
    static void contract_##id(struct contract *t)

// Completes the operation under way; -ETIME when nothing comes for long.
static inline s64 await(struct io *io, struct completion *c)
{
    for (u32 i = 0; c->state == COMPLETION_PENDING; i++) {
        s64 n = io_step(io, 10000000000ull);
        if (n < 0) return n;
        if (i > 100000) return -ETIME;
    }
    return c->result;
}

// The result of an operation on `c`, waited for: DO(t, io_file_write(f, "x", 1, 0, &c)).
#define DO(t, call)                                                                                \
    ({                                                                                             \
        struct completion c;                                                                       \
        completion_init(&c, NULL, NULL);                                                           \
        call;                                                                                      \
        await((t)->io, &c);                                                                        \
    })

static inline const char *contract_path(struct contract *t, const char *name)
{
    static char paths[8][400];
    static u32 turn;
    char *path = paths[turn++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", t->dir, name);
    return path;
}

static inline struct io_file *contract_open(struct contract *t, const char *name, u32 flags)
{
    struct io_file *f = NULL;
    CHECK_EQ(DO(t, io_file_open(t->io, contract_path(t, name), flags, &f, &c)), 0);
    return f;
}

static inline void contract_close(struct contract *t, struct io_file *f)
{
    CHECK_EQ(DO(t, io_file_close(f, &c)), 0);
}

static inline void contract_fill(u8 *bytes, size_t size, u64 seed)
{
    for (size_t i = 0; i < size; i += 8) {
        u64 word = test_random(&seed);
        memcpy(bytes + i, &word, MIN(8, size - i));
    }
}

static inline void contract_run(enum io_backend_kind kind, void (*run)(struct contract *t))
{
    struct io_options options = {.backend = kind, .seed = kind == IO_BACKEND_SIM ? test_seed() : 0};
    struct err err = ERR_CLEAR;
    struct contract t = {.kind = kind, .dir = test_dir(), .io = io_create(&options, &err)};
    if (!t.io && kind == IO_BACKEND_RING) {
        test_skip("%s", err.text);
        return;
    }
    REQUIRE(t.io);
    CHECK_EQ(DO(&t, io_path_mkdir(t.io, t.dir, &c)), 0);
    run(&t);
    if (t.io) {
        CHECK(!io_busy(t.io));
        io_destroy(t.io);
    }
}
