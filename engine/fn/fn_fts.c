// Functions that only a full-text table can answer: the compiler knows the calls that have one (OP_VFunction); what
// comes here has none.
#include "../fts/fts.h"
#include "fn_internal.h"

static void no_context_fn(struct function_context *ctx, u32 argc, const struct value **argv)
{
    result_error(ctx, "unable to use function %s in the requested context",
                 ctx->def->flags & FN_FULL_TEXT ? ctx->def->name : "MATCH");
}

static void locale_fn(struct function_context *ctx, u32 argc, const struct value **argv)
{
    struct value scratch[2];
    u32 locale_size = 0, text_size = 0;
    for (u32 i = 0; i < 2; i++) value_init(&scratch[i]);
    const u8 *locale = argv[0]->type == VALUE_NULL ? NULL : function_text(ctx, argv[0], &scratch[0], &locale_size);
    const u8 *text = argv[1]->type == VALUE_NULL ? NULL : function_text(ctx, argv[1], &scratch[1], &text_size);
    if (locale_size && locale[0]) {
        u64 size;
        u8 *made = fts_locale_make(locale, locale_size, text, text_size, &size);
        if (made)
            result_blob(ctx, made, size);
        else
            result_nomem(ctx);
        free(made);
    } else if (text) {
        result_text(ctx, text, text_size);
    } else {
        result_null(ctx);
    }
    for (u32 i = 0; i < 2; i++) value_deinit(&scratch[i]);
}

// FTS5 keeps tokens of prefixes for its extension functions then; nothing that SQL sees.
static void insttoken_fn(struct function_context *ctx, u32 argc, const struct value **argv) { result_value(ctx, argv[0]); }

const struct fn_def FN_FTS[] = {
    {"fts5_locale", 2, 0, 0, locale_fn},
    {"fts5_insttoken", 1, 0, 0, insttoken_fn},
    {"fts5_get_locale", -1, FN_FULL_TEXT, 0, no_context_fn},
    {"match", 2, 0, 0, no_context_fn},
    {"bm25", -1, FN_FULL_TEXT, 0, no_context_fn},
    {"highlight", -1, FN_FULL_TEXT, 0, no_context_fn},
    {"snippet", -1, FN_FULL_TEXT, 0, no_context_fn},
    {0},
};
