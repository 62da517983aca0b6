// Any text is parsed to its end or to an error, within bounds, in time; a second parse says the same.
#include <setjmp.h>

#include "../../engine/sql/parse.h"
#include "fuzz.h"
#include "parse_seeds.h"

static jmp_buf out;

static void fail(struct parse *p, err_code code, u32 offset, const char *text)
{
    if (offset != OFFSET_NONE && offset > p->size) abort();
    if (code == ERR_OK || !text) abort();
    longjmp(out, 1);
}

void fuzz_seeds(void)
{
    for (u32 i = 0; i < COUNT_OF(SQL_SEEDS); i++) fuzz_seed(SQL_SEEDS[i], strlen(SQL_SEEDS[i]));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct arena arena;
    arena_init(&arena, NULL, NULL);
    char *sql = arena_copy(&arena, data, size);
    size_t length = strlen(sql);
    volatile u32 at = 0;
    while (at < length) {
        struct parse p = {.arena = &arena, .sql = sql + at, .size = (u32)(length - at), .fail = fail};
        if (setjmp(out)) break;
        parse_statement(&p);
        if (p.used > p.size || (p.stmt && p.used == 0)) abort();
        if (!p.stmt) break;
        at += p.used;
    }
    arena_deinit(&arena);
    return 0;
}
