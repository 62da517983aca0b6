// Goal: no document, path or blob leads JSON functions astray. libFuzzer; the input is a path up to the first
// newline, then a document or JSONB. Besides memory: what json() gives is JSON again and stays as it is.
#include "../../engine/fn/json.h"
#include "fuzz.h"

void fuzz_seeds(void)
{
    static const char *const TEXTS[] = {
        "$.a[#-1].\"b c\"\n{\"a\":[1,2.5e3,\"x\\u00e9\\n\",null,true,{\"b c\":[]}],\"d\":-1}",
        "$[0]\n[0x1F,+.5,Infinity,'q\\x41',/*c*/{k:1,},]",
    };
    for (u32 i = 0; i < COUNT_OF(TEXTS); i++) fuzz_seed(TEXTS[i], strlen(TEXTS[i]));
    static const u8 JSONB[] = {'$', '.', 'a', '\n', 0x7c, 0x17, 'a', 0x4b, 0x13, '1', 0x23, '2', '3'};
    fuzz_seed(JSONB, sizeof JSONB);
}

// foreign: its JSON5 texts may have escapes that SQLite takes for good, \xzz among them, and are no JSON then.
static void check_view(struct json_view v, const u8 *path, u32 path_size, bool foreign)
{
    struct text_buffer text = {0}, edited = {0}, pretty = {0}, again = {0};
    u32 at, label;
    json_check(v, 0, v.size, 1);
    json_lookup(v, path, path_size, &at, &label);
    static const u8 ONE[] = {0x13, '1'};
    for (u32 edit = JSON_EDIT_INSERT; edit <= JSON_EDIT_REMOVE; edit++) {
        edited.size = 0;
        json_edit(v, path, path_size, edit, (struct json_view){ONE, sizeof ONE}, &edited);
    }
    edited.size = 0;
    json_merge_patch(v, v, &edited);
    json_render_pretty(v, &pretty, (const u8 *)" ", 1);
    if (json_render(v, 0, &text) == JSON_FOUND && json_check(v, 0, v.size, 1) == 0) {
        struct json_parse p = {0};
        json_parse_text(&p, text.bytes, (u32)text.size);
        ASSERT(foreign || !p.failed);
        if (!p.failed) {
            ASSERT(json_render((struct json_view){p.blob.bytes, (u32)p.blob.size}, 0, &again) == JSON_FOUND);
            ASSERT(again.size == text.size && memcmp(again.bytes, text.bytes, text.size) == 0);
        }
        text_buffer_deinit(&p.blob);
    }
    text_buffer_deinit(&text);
    text_buffer_deinit(&edited);
    text_buffer_deinit(&pretty);
    text_buffer_deinit(&again);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    const u8 *newline = size ? memchr(data, '\n', size) : NULL;
    if (!newline || size > 100000) return 0;
    u32 path_size = (u32)(newline - data), document_size = (u32)(size - path_size - 1);
    const u8 *document = newline + 1;
    struct json_parse p = {0};
    json_parse_text(&p, document, document_size);
    if (!p.failed) {
        struct json_view v = {p.blob.bytes, (u32)p.blob.size};
        ASSERT(json_check(v, 0, v.size, 1) == 0);
        check_view(v, data, path_size, false);
    }
    text_buffer_deinit(&p.blob);
    struct value blob;
    struct json_view v;
    value_init(&blob);
    value_borrow_blob(&blob, document, document_size);
    if (json_is_blob(&blob, &v)) check_view(v, data, path_size, true);
    return 0;
}
