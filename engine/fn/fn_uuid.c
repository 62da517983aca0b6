// UUIDs of RFC 9562, as 16-byte blobs and as text: names as in Turso.
#include "fn_internal.h"

#define ARGUMENTS struct function_context *ctx, u32 argc, const struct value **argv

enum { UUID_SIZE = 16, UUID_TEXT_SIZE = 36 };

static void uuid_mark(u8 uuid[UUID_SIZE], u8 version)
{
    uuid[6] = (u8)((uuid[6] & 0x0f) | version << 4);
    uuid[8] = (u8)((uuid[8] & 0x3f) | 0x80);
}

static void uuid_to_text(const u8 uuid[UUID_SIZE], char out[UUID_TEXT_SIZE + 1])
{
    char *z = out;
    for (u32 i = 0; i < UUID_SIZE; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *z++ = '-';
        *z++ = "0123456789abcdef"[uuid[i] >> 4];
        *z++ = "0123456789abcdef"[uuid[i] & 15];
    }
    *z = 0;
}

static bool uuid_from_text(const u8 *z, u32 size, u8 uuid[UUID_SIZE])
{
    const u8 *end = z + size;
    if (size >= 2 && z[0] == '{' && end[-1] == '}') z++, end--;
    for (u32 i = 0; i < UUID_SIZE; i++) {
        if (i && z < end && *z == '-') z++;
        if (end - z < 2 || hex_digit(z[0]) < 0 || hex_digit(z[1]) < 0) return false;
        uuid[i] = (u8)(hex_digit(z[0]) << 4 | hex_digit(z[1]));
        z += 2;
    }
    return z == end;
}

// A blob of 16 bytes or text in one of the usual forms.
static bool uuid_of(const struct value *v, u8 uuid[UUID_SIZE])
{
    if (v->type == VALUE_BLOB && v->size == UUID_SIZE && !(v->flags & VALUE_ZERO_TAIL)) {
        memcpy(uuid, v->bytes, UUID_SIZE);
        return true;
    }
    return v->type == VALUE_TEXT && uuid_from_text(v->bytes, v->size, uuid);
}

static void uuid4_fn(ARGUMENTS)
{
    u8 uuid[UUID_SIZE];
    char text[UUID_TEXT_SIZE + 1];
    io_random(ctx->io, uuid, sizeof uuid);
    uuid_mark(uuid, 4);
    if (ctx->def->user) {
        uuid_to_text(uuid, text);
        result_text(ctx, text, UUID_TEXT_SIZE);
    } else {
        result_blob(ctx, uuid, sizeof uuid);
    }
}

// Milliseconds, then 12 bits that count within one, then random ones: those of one thread are in order.
static void uuid7_fn(ARGUMENTS)
{
    static _Thread_local u64 last;
    u8 uuid[UUID_SIZE];
    char text[UUID_TEXT_SIZE + 1];
    io_random(ctx->io, uuid, sizeof uuid);
    u64 now = (u64)MAX(io_wall_ms(ctx->io), 0) << 12 | (uuid[6] & 0x07) << 8 | uuid[7];
    last = now >> 12 > last >> 12 ? now : last + 1;
    for (u32 i = 0; i < 6; i++) uuid[i] = (u8)(last >> (52 - 8 * i));
    uuid[6] = (u8)(last >> 8 & 0x0f);
    uuid[7] = (u8)last;
    uuid_mark(uuid, 7);
    if (ctx->def->user) {
        uuid_to_text(uuid, text);
        result_text(ctx, text, UUID_TEXT_SIZE);
    } else {
        result_blob(ctx, uuid, sizeof uuid);
    }
}

static void uuid7_timestamp_fn(ARGUMENTS)
{
    u8 uuid[UUID_SIZE];
    if (uuid_of(argv[0], uuid) && uuid[6] >> 4 == 7) result_integer(ctx, (s64)(be64_get(uuid) >> 16));
}

static void uuid_str_fn(ARGUMENTS)
{
    u8 uuid[UUID_SIZE];
    char text[UUID_TEXT_SIZE + 1];
    if (!uuid_of(argv[0], uuid)) return;
    uuid_to_text(uuid, text);
    result_text(ctx, text, UUID_TEXT_SIZE);
}

static void uuid_blob_fn(ARGUMENTS)
{
    u8 uuid[UUID_SIZE];
    if (uuid_of(argv[0], uuid)) result_blob(ctx, uuid, sizeof uuid);
}

const struct fn_def FN_UUID[] = {
    {"uuid4", 0, 0, 0, uuid4_fn},
    {"uuid4_str", 0, 0, 1, uuid4_fn},
    {"gen_random_uuid", 0, 0, 1, uuid4_fn},
    {"uuid7", 0, 0, 0, uuid7_fn},
    {"uuid7_str", 0, 0, 1, uuid7_fn},
    {"uuid7_timestamp_ms", 1, FN_DETERMINISTIC, 0, uuid7_timestamp_fn},
    {"uuid_str", 1, FN_DETERMINISTIC, 0, uuid_str_fn},
    {"uuid_blob", 1, FN_DETERMINISTIC, 0, uuid_blob_fn},
    {0},
};
