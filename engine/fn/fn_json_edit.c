// JSON functions that change documents, and the aggregates that gather them.
#include "json.h"

#define ARGUMENTS struct function_context *ctx, u32 argc, const struct value **argv

enum { USER_JSONB = 1, USER_KIND_SHIFT = 8 };
enum { FIRST_ROOM_MAX = 1 << 16, ROOM_SIZE = 1024 }; // bytes

static enum json_edit edit_of(const struct function_context *ctx)
{
    return ctx->def->user >> USER_KIND_SHIFT;
}

static bool document_open(struct function_context *ctx, const struct value *v, struct json_document *d)
{
    enum json_argument a = json_document_open(ctx, v, d);
    if (a == JSON_ARGUMENT_MALFORMED) result_error(ctx, "malformed JSON");
    if (a != JSON_ARGUMENT_OK) json_document_close(d);
    return a == JSON_ARGUMENT_OK;
}

static void result_document(struct function_context *ctx, struct json_view v)
{
    if (ctx->def->user & USER_JSONB) {
        result_blob(ctx, v.bytes, v.size);
        return;
    }
    struct text_buffer b = text_buffer_of_result(ctx);
    text_reserve(&b, MIN(v.size + v.size / 2, (u32)FIRST_ROOM_MAX));
    enum json_status status = json_render(v, 0, &b);
    if (status == JSON_FOUND) {
        result_text_buffer(ctx, &b);
        if (!ctx->failed) result_subtype(ctx, JSON_SUBTYPE);
    } else {
        json_result_error(ctx, status, NULL, 0);
    }
    text_buffer_deinit(&b);
}

// Replaces the document under edit by `next`, unless there was nothing to do. False: *ctx has the error.
static bool edited(struct function_context *ctx, enum json_status status, const u8 *path, u32 path_size,
                   struct json_view *view, struct text_buffer *current, struct text_buffer *next)
{
    if (status == JSON_FOUND && next->failed == ERR_OK) {
        text_buffer_deinit(current);
        *current = *next;
        *view = (struct json_view){current->bytes, (u32)current->size};
        return true;
    }
    if (status == JSON_FOUND && next->failed == ERR_TOOBIG) {
        result_toobig(ctx);
    } else if (status == JSON_FOUND) {
        result_nomem(ctx);
    } else {
        json_result_error(ctx, status, path, path_size);
    }
    text_buffer_deinit(next);
    return status == JSON_MISSING;
}

// json_insert, json_replace, json_set: (document, path, value, path, value, ...)
static void json_set_fn(ARGUMENTS)
{
    static const char *const NAMES[] = {"insert", "replace", "set", "remove"};
    if (argc == 0) return;
    if (argc % 2 == 0) {
        result_error(ctx, "json_%s() needs an odd number of arguments", NAMES[edit_of(ctx)]);
        return;
    }
    struct json_document d;
    u8 rooms[2][ROOM_SIZE], value_room[64];
    struct text_buffer current = {0};
    struct value scratch = {.type = VALUE_NULL};
    if (!document_open(ctx, argv[0], &d)) return;
    struct json_view view = d.view;
    for (u32 i = 1; i + 1 < argc; i += 2) {
        if (argv[i]->type == VALUE_NULL) continue;
        u32 size;
        const u8 *path = function_text(ctx, argv[i], &scratch, &size);
        if (!path) goto done;
        size = text_length(path, size);
        struct text_buffer value = TEXT_BUFFER_ON(value_room), next = TEXT_BUFFER_ON(rooms[current.bytes == rooms[0]]);
        if (size == 0 || path[0] != '$') {
            json_result_error(ctx, JSON_PATH_ERROR, path, size);
            goto done;
        }
        if (!json_value_element(ctx, argv[i + 1], &value)) {
            text_buffer_deinit(&value);
            goto done;
        }
        struct json_view element = {value.bytes, (u32)value.size};
        text_reserve(&next, MIN((size_t)view.size + value.size + size + 32, (size_t)FIRST_ROOM_MAX)); // for all of it, mostly
        enum json_status status = json_edit(view, path + 1, size - 1, edit_of(ctx), element, &next);
        if (value.failed != ERR_OK) next.failed = value.failed;
        bool went_well = edited(ctx, status, path, size, &view, &current, &next);
        text_buffer_deinit(&value);
        if (!went_well) goto done;
    }
    result_document(ctx, view);
done:
    text_buffer_deinit(&current);
    value_deinit(&scratch);
    json_document_close(&d);
}

// json_remove(document, path, ...); without paths it is json().
static void json_remove_fn(ARGUMENTS)
{
    if (argc == 0) return;
    struct json_document d;
    u8 rooms[2][ROOM_SIZE];
    struct text_buffer current = {0};
    struct value scratch = {.type = VALUE_NULL};
    if (!document_open(ctx, argv[0], &d)) return;
    struct json_view view = d.view;
    for (u32 i = 1; i < argc; i++) {
        u32 size;
        const u8 *path = function_text(ctx, argv[i], &scratch, &size);
        if (!path) goto done;
        size = text_length(path, size);
        if (size == 0 || path[0] != '$') {
            json_result_error(ctx, JSON_PATH_ERROR, path, size);
            goto done;
        }
        if (size == 1) goto done; // without its root nothing is left
        struct text_buffer next = TEXT_BUFFER_ON(rooms[current.bytes == rooms[0]]);
        enum json_status status = json_edit(view, path + 1, size - 1, JSON_EDIT_REMOVE, (struct json_view){0}, &next);
        if (!edited(ctx, status, path, size, &view, &current, &next)) goto done;
    }
    result_document(ctx, view);
done:
    text_buffer_deinit(&current);
    value_deinit(&scratch);
    json_document_close(&d);
}

static void json_patch_fn(ARGUMENTS)
{
    struct json_document target, patch;
    if (!document_open(ctx, argv[0], &target)) return;
    if (document_open(ctx, argv[1], &patch)) {
        struct text_buffer b = {0};
        enum json_status status = json_merge_patch(target.view, patch.view, &b);
        if (status != JSON_FOUND) {
            json_result_error(ctx, status, NULL, 0);
        } else if (b.failed != ERR_OK) {
            result_nomem(ctx);
        } else {
            result_document(ctx, (struct json_view){b.bytes, (u32)b.size});
        }
        text_buffer_deinit(&b);
        json_document_close(&patch);
    }
    json_document_close(&target);
}

// ---- aggregates ------------------------------------------------------------------------------------------

// Text up to the closing bracket.
struct json_group {
    struct text_buffer text;
};

static struct json_group *group_next(struct function_context *ctx, u8 open)
{
    struct json_group *g = function_aggregate(ctx, sizeof *g);
    if (!g) return NULL;
    if (g->text.size == 0) {
        text_append_char(&g->text, open);
    } else if (g->text.size > 1) {
        text_append_char(&g->text, ',');
    }
    return g;
}

static void group_array_step(ARGUMENTS)
{
    struct json_group *g = group_next(ctx, '[');
    if (g) json_append_value(ctx, &g->text, argv[0]);
}

static void group_object_step(ARGUMENTS)
{
    struct value scratch = {.type = VALUE_NULL};
    u32 size;
    const u8 *label = function_text(ctx, argv[0], &scratch, &size);
    if (!label) return; // a member without a name
    struct json_group *g = group_next(ctx, '{');
    if (g) {
        json_append_string(&g->text, label, text_length(label, size));
        text_append_char(&g->text, ':');
        json_append_value(ctx, &g->text, argv[1]);
    }
    value_deinit(&scratch);
}

// Drops the first entry: up to the first comma that is in no string or container.
static void group_inverse(ARGUMENTS)
{
    struct json_group *g = function_aggregate(ctx, 0);
    if (!g || g->text.failed != ERR_OK || (argc == 2 && argv[0]->type == VALUE_NULL)) return;
    u8 *z = g->text.bytes;
    size_t i = 1;
    bool in_string = false;
    u32 nested = 0;
    for (; i < g->text.size; i++) {
        if (z[i] == ',' && !in_string && !nested) break;
        if (z[i] == '"') {
            in_string = !in_string;
        } else if (z[i] == '\\') {
            i++;
        } else if (!in_string) {
            nested += z[i] == '{' || z[i] == '[';
            nested -= z[i] == '}' || z[i] == ']';
        }
    }
    if (i < g->text.size) {
        memmove(z + 1, z + i + 1, g->text.size - i - 1);
        g->text.size -= i;
    } else {
        g->text.size = 1;
    }
}

static void group_result(struct function_context *ctx, u8 open, u8 close)
{
    struct json_group *g = function_aggregate(ctx, 0);
    struct text_buffer b = {0};
    if (g && g->text.size) {
        text_append(&b, g->text.bytes, g->text.size);
        if (g->text.failed != ERR_OK) b.failed = g->text.failed;
    } else {
        text_append_char(&b, open);
    }
    text_append_char(&b, close);
    if (ctx->def->user & USER_JSONB && b.failed == ERR_OK) {
        struct json_parse p = {0};
        json_parse_text(&p, b.bytes, (u32)b.size);
        result_blob_buffer(ctx, &p.blob);
        text_buffer_deinit(&b);
    } else {
        result_text_buffer(ctx, &b);
        if (!ctx->failed) result_subtype(ctx, JSON_SUBTYPE);
    }
}

static void group_free(struct function_context *ctx)
{
    struct json_group *g = function_aggregate(ctx, 0);
    if (g) text_buffer_deinit(&g->text);
}

static void group_array_value(struct function_context *ctx)
{
    group_result(ctx, '[', ']');
}

static void group_array_final(struct function_context *ctx)
{
    group_result(ctx, '[', ']');
    group_free(ctx);
}

static void group_object_value(struct function_context *ctx)
{
    group_result(ctx, '{', '}');
}

static void group_object_final(struct function_context *ctx)
{
    group_result(ctx, '{', '}');
    group_free(ctx);
}

#define PURE FN_DETERMINISTIC
#define READS (FN_DETERMINISTIC | FN_READS_SUBTYPE)
#define GIVES (FN_DETERMINISTIC | FN_RESULT_SUBTYPE)
#define KIND(kind) ((kind) << USER_KIND_SHIFT)
#define GROUP (FN_DETERMINISTIC | FN_AGGREGATE | FN_WINDOW | FN_READS_SUBTYPE | FN_RESULT_SUBTYPE | FN_ORDERED)
const struct fn_def FN_JSON_EDIT[] = {
    {"json", 1, GIVES, 0, json_remove_fn},
    {"jsonb", 1, PURE, USER_JSONB, json_remove_fn},
    {"json_remove", -1, GIVES, 0, json_remove_fn},
    {"jsonb_remove", -1, PURE, USER_JSONB, json_remove_fn},
    {"json_insert", -1, READS | GIVES, KIND(JSON_EDIT_INSERT), json_set_fn},
    {"jsonb_insert", -1, READS, KIND(JSON_EDIT_INSERT) | USER_JSONB, json_set_fn},
    {"json_replace", -1, READS | GIVES, KIND(JSON_EDIT_REPLACE), json_set_fn},
    {"jsonb_replace", -1, READS, KIND(JSON_EDIT_REPLACE) | USER_JSONB, json_set_fn},
    {"json_set", -1, READS | GIVES, KIND(JSON_EDIT_SET), json_set_fn},
    {"jsonb_set", -1, READS, KIND(JSON_EDIT_SET) | USER_JSONB, json_set_fn},
    {"json_patch", 2, GIVES, 0, json_patch_fn},
    {"jsonb_patch", 2, PURE, USER_JSONB, json_patch_fn},
    {"json_group_array", 1, GROUP, 0, NULL, group_array_step, group_inverse, group_array_final, group_array_value},
    {"jsonb_group_array", 1, GROUP, USER_JSONB, NULL, group_array_step, group_inverse, group_array_final,
     group_array_value},
    {"json_group_object", 2, GROUP, 0, NULL, group_object_step, group_inverse, group_object_final,
     group_object_value},
    {"jsonb_group_object", 2, GROUP, USER_JSONB, NULL, group_object_step, group_inverse, group_object_final,
     group_object_value},
    {0},
};
