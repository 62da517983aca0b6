// Functions about values, the connection and the library itself.
#include "fn_internal.h"

#define ARGUMENTS struct function_context *ctx, u32 argc, const struct value **argv

static void typeof_fn(ARGUMENTS)
{
    static const char *const NAMES[] = {[VALUE_INTEGER] = "integer", [VALUE_REAL] = "real", [VALUE_TEXT] = "text",
                                        [VALUE_BLOB] = "blob", [VALUE_NULL] = "null"};
    const char *name = NAMES[argv[0]->type];
    value_borrow_text(&ctx->result, name, (u32)strlen(name));
}

static void subtype_fn(ARGUMENTS)
{
    result_integer(ctx, argv[0]->flags & VALUE_SUBTYPE ? argv[0]->subtype : 0);
}

static void coalesce_fn(ARGUMENTS)
{
    for (u32 i = 0; i < argc; i++) {
        if (argv[i]->type == VALUE_NULL) continue;
        result_value(ctx, argv[i]);
        return;
    }
}

// iif(condition, value, condition, value, ..., otherwise)
static void iif_fn(ARGUMENTS)
{
    u32 i = 0;
    for (; i + 1 < argc; i += 2) {
        if (!value_to_bool_in(argv[i], false, ctx->encoding)) continue;
        result_value(ctx, argv[i + 1]);
        return;
    }
    if (i < argc) result_value(ctx, argv[i]);
}

static void first_argument_fn(ARGUMENTS)
{
    result_value(ctx, argv[0]);
}

static void nullif_fn(ARGUMENTS)
{
    if (function_compare(ctx, argv[0], argv[1]) != 0) result_value(ctx, argv[0]);
}

static void min_max_fn(ARGUMENTS)
{
    u32 best = 0;
    for (u32 i = 0; i < argc; i++) {
        if (argv[i]->type == VALUE_NULL) return;
        if (i == 0) continue;
        int c = function_compare(ctx, argv[best], argv[i]);
        if (ctx->def->user ? c < 0 : c >= 0) best = i;
    }
    result_value(ctx, argv[best]);
}

static void random_fn(ARGUMENTS)
{
    s64 r;
    io_random(ctx->io, &r, sizeof r);
    // abs() of it must exist.
    if (r < 0) r = -(r & INT64_MAX);
    result_integer(ctx, r);
}

static void randomblob_fn(ARGUMENTS)
{
    struct text_buffer b = {0};
    s64 n = MAX(function_integer(ctx, argv[0]), 1);
    if (n > function_limit(ctx, SKERRY_LIMIT_LENGTH)) {
        result_toobig(ctx);
        return;
    }
    if (text_reserve(&b, (size_t)n)) {
        io_random(ctx->io, b.bytes, (size_t)n);
        b.size = (size_t)n;
    }
    result_blob_buffer(ctx, &b);
}

static void last_insert_rowid_fn(ARGUMENTS)
{
    result_integer(ctx, skerry_last_insert_rowid(ctx->db));
}

static void changes_fn(ARGUMENTS)
{
    result_integer(ctx, skerry_changes(ctx->db));
}

static void total_changes_fn(ARGUMENTS)
{
    result_integer(ctx, skerry_total_changes(ctx->db));
}

static void sqlite_version_fn(ARGUMENTS)
{
    const char *version = skerry_sqlite_version();
    result_text(ctx, version, strlen(version));
}

// Which build answers; clients only show it.
static void sqlite_source_id_fn(ARGUMENTS)
{
    char text[100];
    int n = snprintf(text, sizeof text, "skerry %s", skerry_version());
    result_text(ctx, text, (size_t)n);
}

// SQLite's options as which this build behaves, in SQLite's order.
static const char *const COMPILE_OPTIONS[] = {
    "DEFAULT_CACHE_SIZE=-2000",
    "DEFAULT_FILE_FORMAT=4",
    "DEFAULT_MMAP_SIZE=0",
    "DEFAULT_PAGE_SIZE=4096",
    "DEFAULT_SYNCHRONOUS=2",
    "DEFAULT_WAL_AUTOCHECKPOINT=1000",
    "DEFAULT_WORKER_THREADS=0",
    "ENABLE_COLUMN_METADATA",
    "ENABLE_DBSTAT_VTAB",
    "ENABLE_FTS5",
    "ENABLE_JSON1",
    "ENABLE_MATH_FUNCTIONS",
    "ENABLE_OFFSET_SQL_FUNC",
    "ENABLE_PERCENTILE",
    "ENABLE_UPDATE_DELETE_LIMIT",
    "LIKE_DOESNT_MATCH_BLOBS",
    "MAX_ATTACHED=30",
    "MAX_COLUMN=2000",
    "MAX_COMPOUND_SELECT=500",
    "MAX_EXPR_DEPTH=1000",
    "MAX_FUNCTION_ARG=1000",
    "MAX_LENGTH=1000000000",
    "MAX_LIKE_PATTERN_LENGTH=50000",
    "MAX_PAGE_SIZE=65536",
    "MAX_SQL_LENGTH=1000000000",
    "MAX_TRIGGER_DEPTH=1000",
    "MAX_VARIABLE_NUMBER=250000",
    "MAX_VDBE_OP=250000000",
    "SOUNDEX",
    "TEMP_STORE=1",
    "THREADSAFE=0",
    "USE_URI",
};

const char *fn_compile_option(u32 index)
{
    return index < COUNT_OF(COMPILE_OPTIONS) ? COMPILE_OPTIONS[index] : NULL;
}

static void compileoption_get_fn(ARGUMENTS)
{
    s64 n = function_integer(ctx, argv[0]);
    if (n >= 0 && n < (s64)COUNT_OF(COMPILE_OPTIONS)) {
        result_text(ctx, COMPILE_OPTIONS[n], strlen(COMPILE_OPTIONS[n]));
    }
}

static void compileoption_used_fn(ARGUMENTS)
{
    struct value scratch = {.type = VALUE_NULL};
    u32 size;
    const u8 *z = function_text(ctx, argv[0], &scratch, &size);
    if (z) {
        if (size >= 7 && strncasecmp((const char *)z, "SQLITE_", 7) == 0) z += 7, size -= 7;
        bool used = false;
        for (u32 i = 0; i < COUNT_OF(COMPILE_OPTIONS); i++) {
            const char *option = COMPILE_OPTIONS[i];
            if (strlen(option) >= size && strncasecmp(option, (const char *)z, size) == 0 &&
                (option[size] == 0 || option[size] == '=')) used = true;
        }
        result_integer(ctx, used);
    }
    value_deinit(&scratch);
}

static void load_extension_fn(ARGUMENTS)
{
    result_error(ctx, "not authorized");
}

static void sqlite_log_fn(ARGUMENTS)
{
    result_null(ctx);
}

// Only a column read straight from a table has one, and that the compiler knows.
static void sqlite_offset_fn(ARGUMENTS)
{
    result_null(ctx);
}

#define PURE FN_DETERMINISTIC
const struct fn_def FN_MISC[] = {
    {"typeof", 1, PURE | FN_TYPE, 0, typeof_fn},
    {"subtype", 1, PURE | FN_READS_SUBTYPE, 0, subtype_fn},
    {"coalesce", FN_AT_LEAST(2), PURE | FN_INLINE, 0, coalesce_fn},
    {"ifnull", 2, PURE | FN_INLINE, 0, coalesce_fn},
    {"iif", FN_AT_LEAST(2), PURE | FN_INLINE, 0, iif_fn},
    {"if", FN_AT_LEAST(2), PURE | FN_INLINE, 0, iif_fn},
    {"likely", 1, PURE | FN_INLINE, 0, first_argument_fn},
    {"unlikely", 1, PURE | FN_INLINE, 0, first_argument_fn},
    {"likelihood", 2, PURE | FN_INLINE, 0, first_argument_fn},
    {"nullif", 2, PURE | FN_NEEDS_COLLATION, 0, nullif_fn},
    {"min", FN_AT_LEAST(1), PURE | FN_NEEDS_COLLATION, 0, min_max_fn},
    {"max", FN_AT_LEAST(1), PURE | FN_NEEDS_COLLATION, 1, min_max_fn},
    {"random", 0, 0, 0, random_fn},
    {"randomblob", 1, 0, 0, randomblob_fn},
    {"last_insert_rowid", 0, FN_CONNECTION, 0, last_insert_rowid_fn},
    {"changes", 0, FN_CONNECTION, 0, changes_fn},
    {"total_changes", 0, FN_CONNECTION, 0, total_changes_fn},
    {"sqlite_version", 0, FN_SLOW_CHANGE, 0, sqlite_version_fn},
    {"sqlite_source_id", 0, FN_SLOW_CHANGE, 0, sqlite_source_id_fn},
    {"sqlite_compileoption_get", 1, FN_SLOW_CHANGE, 0, compileoption_get_fn},
    {"sqlite_compileoption_used", 1, FN_SLOW_CHANGE, 0, compileoption_used_fn},
    {"sqlite_log", 2, 0, 0, sqlite_log_fn},
    {"sqlite_offset", 1, FN_INLINE, 0, sqlite_offset_fn},
    {"load_extension", 1, FN_DIRECT_ONLY, 0, load_extension_fn},
    {"load_extension", 2, FN_DIRECT_ONLY, 0, load_extension_fn},
    {0},
};
