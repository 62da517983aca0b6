// Functions that only a full-text table can answer: the compiler knows the calls that have one (OP_VFunction); what
// comes here has none.
#include "fn_internal.h"

static void no_context_fn(struct function_context *ctx, u32 argc, const struct value **argv)
{
    result_error(ctx, "unable to use function %s in the requested context",
                 ctx->def->flags & FN_FULL_TEXT ? ctx->def->name : "MATCH");
}

const struct fn_def FN_FTS[] = {
    {"match", 2, 0, 0, no_context_fn},
    {"bm25", -1, FN_FULL_TEXT, 0, no_context_fn},
    {"highlight", -1, FN_FULL_TEXT, 0, no_context_fn},
    {"snippet", -1, FN_FULL_TEXT, 0, no_context_fn},
    {0},
};
