// Types, colours and assertions that every part of Skerry shares.
//
// A function's return type is its colour:
//   io_status       may fail and may wait; after IO_WAIT it is called again from its top
//   err_code, bool  may fail, never waits
//   void, a value   neither
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#ifdef __clang__
#define MUST_USE __attribute__((warn_unused_result))
#else
#define MUST_USE
#endif

typedef enum MUST_USE {
    IO_DONE, // finished, the results are there
    IO_WAIT, // something was asked for; call again after the operation's waiter is woken
    IO_FAIL, // the operation's struct err says why
} io_status;

#define IO_TRY(call)                                                                               \
    do {                                                                                           \
        io_status io_try_ = (call);                                                                \
        if (io_try_ != IO_DONE) return io_try_;                                                    \
    } while (0)

// Assertions guard our own invariants and are on in every build; never use them on bytes from a
// file, a peer or a user.
#define ASSERT(condition)                                                                          \
    do {                                                                                           \
        if (__builtin_expect(!(condition), 0)) assert_failed(#condition, __FILE__, __LINE__);      \
    } while (0)
_Noreturn void assert_failed(const char *condition, const char *file, int line);

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define COUNT_OF(array)                 (sizeof(array) / sizeof((array)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
#define MIN(a, b)                       ((a) < (b) ? (a) : (b))
#define MAX(a, b)                       ((a) > (b) ? (a) : (b))

static inline s32 hex_digit(u8 c) // -1: none
{
    if ((u8)(c - '0') < 10) return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Big-endian loads and stores: SQLite's file formats.
static inline u16 be16_get(const u8 *p) { return (u16)(p[0] << 8 | p[1]); }
static inline u32 be32_get(const u8 *p)
{
    u32 v;
    memcpy(&v, p, 4);
    return __builtin_bswap32(v);
}
static inline u64 be64_get(const u8 *p)
{
    u64 v;
    memcpy(&v, p, 8);
    return __builtin_bswap64(v);
}
static inline void be16_put(u8 *p, u16 v)
{
    p[0] = (u8)(v >> 8);
    p[1] = (u8)v;
}
static inline void be32_put(u8 *p, u32 v)
{
    v = __builtin_bswap32(v);
    memcpy(p, &v, 4);
}
static inline void be64_put(u8 *p, u64 v)
{
    v = __builtin_bswap64(v);
    memcpy(p, &v, 8);
}
