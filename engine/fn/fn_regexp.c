// regexp(pattern, text): what the operator X REGEXP Y calls; regexpi() ignores ASCII case.
#include "fn_internal.h"
#include "regexp.h"

static void pattern_free(void *pattern)
{
    regexp_free(pattern);
}

static void regexp_fn(struct function_context *ctx, u32 argc, const struct value **argv)
{
    struct value scratch[2] = {{.type = VALUE_NULL}, {.type = VALUE_NULL}};
    u32 pattern_size, size;
    const u8 *pattern = function_text(ctx, argv[0], &scratch[0], &pattern_size);
    const u8 *text = pattern ? function_text(ctx, argv[1], &scratch[1], &size) : NULL;
    if (text) {
        struct regexp *r = ctx->aux ? *ctx->aux : NULL;
        if (!r || !regexp_is(r, pattern, pattern_size)) {
            const char *error;
            struct regexp *fresh = regexp_compile(pattern, pattern_size, ctx->def->user, &error);
            if (ctx->aux && fresh) {
                regexp_free(r);
                *ctx->aux = fresh;
                *ctx->aux_free = pattern_free;
            }
            r = fresh;
            if (error) {
                result_error(ctx, "%s", error);
            } else if (!fresh) {
                result_nomem(ctx);
            }
        }
        if (r) {
            bool failed;
            bool found = regexp_match(r, text, size, &failed);
            if (failed) result_nomem(ctx);
            result_integer(ctx, found);
            if (!ctx->aux) regexp_free(r);
        }
    }
    value_deinit(&scratch[0]);
    value_deinit(&scratch[1]);
}

const struct fn_def FN_REGEXP[] = {
    {"regexp", 2, FN_DETERMINISTIC, 0, regexp_fn},
    {"regexpi", 2, FN_DETERMINISTIC, 1, regexp_fn},
    {0},
};
