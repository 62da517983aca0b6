#include "pragma.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#define THREADS_MAX   8   // PRAGMA threads
#define PAGE_OVERHEAD 136 // that SQLite reckons for a page in its cache

#define ROWS(name, flags, columns)      {name, PRAGMA_ROWS, PRAGMA_F_TABLE | (flags), 0, columns}
#define FLAG(name, flag)                {name, PRAGMA_FLAG, PRAGMA_F_TABLE, CONNECTION_##flag, NULL}
#define SETTING(name, setting, flags)   {name, PRAGMA_SETTING, flags, SETTING_##setting, NULL}
#define OF_SCHEMA                       (PRAGMA_F_TABLE | PRAGMA_F_SCHEMA)
#define OF_OBJECT                       (PRAGMA_F_TABLE | PRAGMA_F_ARGUMENT | PRAGMA_F_SCHEMA)
#define HEADER(name, meta, flags)       {name, PRAGMA_HEADER, PRAGMA_F_TABLE | (flags), META_##meta, NULL}
#define OTHER(name, flags, columns)     {name, PRAGMA_OTHER, flags, 0, columns}
#define NOTHING(name)                   {name, PRAGMA_NOTHING, 0, 0, NULL}
// Sorted by name.
static const struct pragma_def pragmas[] = {
    SETTING("analysis_limit", ANALYSIS_LIMIT, PRAGMA_F_RETURNS | PRAGMA_F_TABLE),
    HEADER("application_id", APPLICATION_ID, 0),
    OTHER("auto_vacuum", OF_SCHEMA, NULL),
    FLAG("automatic_index", AUTOMATIC_INDEX),
    {"busy_timeout", PRAGMA_SETTING, PRAGMA_F_RETURNS | PRAGMA_F_TABLE, SETTING_BUSY_TIMEOUT, "timeout"},
    OTHER("cache_size", OF_SCHEMA, NULL),
    SETTING("cache_spill", CACHE_SPILL, OF_SCHEMA),
    {"case_sensitive_like", PRAGMA_FLAG, PRAGMA_F_NO_QUESTION, CONNECTION_CASE_SENSITIVE_LIKE, NULL},
    FLAG("cell_size_check", CELL_SIZE_CHECK),
    FLAG("checkpoint_fullfsync", CHECKPOINT_FULL_FSYNC),
    ROWS("collation_list", 0, "seq name"),
    ROWS("compile_options", 0, NULL),
    FLAG("count_changes", COUNT_CHANGES),
    HEADER("data_version", DATA_VERSION, PRAGMA_F_READ_ONLY),
    ROWS("database_list", 0, "seq name file"),
    OTHER("default_cache_size", OF_SCHEMA, "cache_size"),
    FLAG("defer_foreign_keys", DEFER_FOREIGN_KEYS),
    FLAG("empty_result_callbacks", EMPTY_RESULT_CALLBACKS),
    OTHER("encoding", PRAGMA_F_TABLE, NULL),
    OTHER("foreign_key_check", OF_OBJECT, "table rowid parent fkid"),
    ROWS("foreign_key_list", OF_OBJECT, "id seq table from to on_update on_delete match"),
    FLAG("foreign_keys", FOREIGN_KEYS),
    HEADER("freelist_count", FREE_PAGE_COUNT, PRAGMA_F_READ_ONLY),
    FLAG("full_column_names", FULL_COLUMN_NAMES),
    FLAG("fullfsync", FULL_FSYNC),
    ROWS("function_list", 0, "name builtin type enc narg flags"),
    SETTING("hard_heap_limit", HARD_HEAP_LIMIT, PRAGMA_F_RETURNS | PRAGMA_F_TABLE),
    OTHER("hexrekey", PRAGMA_F_NO_QUESTION, NULL),
    FLAG("ignore_check_constraints", IGNORE_CHECKS),
    OTHER("incremental_vacuum", PRAGMA_F_NO_QUESTION, NULL),
    ROWS("index_info", OF_OBJECT, "seqno cid name"),
    ROWS("index_list", OF_OBJECT, "seq name unique origin partial"),
    ROWS("index_xinfo", OF_OBJECT, "seqno cid name desc coll key"),
    OTHER("integrity_check", OF_OBJECT, NULL),
    OTHER("journal_mode", PRAGMA_F_RETURNS | OF_SCHEMA, NULL),
    OTHER("journal_size_limit", PRAGMA_F_RETURNS | OF_SCHEMA, NULL),
    FLAG("legacy_alter_table", LEGACY_ALTER_TABLE),
    NOTHING("legacy_file_format"),
    OTHER("locking_mode", PRAGMA_F_RETURNS | OF_SCHEMA, NULL),
    OTHER("max_page_count", PRAGMA_F_RETURNS | OF_SCHEMA, NULL),
    SETTING("mmap_size", MMAP_SIZE, PRAGMA_F_RETURNS),
    ROWS("module_list", 0, "name"),
    OTHER("optimize", PRAGMA_F_TABLE | PRAGMA_F_ARGUMENT | PRAGMA_F_RETURNS, NULL),
    OTHER("page_count", PRAGMA_F_RETURNS | OF_SCHEMA, NULL),
    OTHER("page_size", OF_SCHEMA, NULL),
    ROWS("pragma_list", 0, "name"),
    FLAG("query_only", QUERY_ONLY),
    OTHER("quick_check", OF_OBJECT, NULL),
    FLAG("read_uncommitted", READ_UNCOMMITTED),
    FLAG("recursive_triggers", RECURSIVE_TRIGGERS),
    OTHER("rekey", 0, NULL),
    FLAG("reverse_unordered_selects", REVERSE_UNORDERED_SELECTS),
    HEADER("schema_version", SCHEMA_COOKIE, 0),
    OTHER("secure_delete", PRAGMA_F_RETURNS | PRAGMA_F_TABLE, NULL),
    FLAG("short_column_names", SHORT_COLUMN_NAMES),
    NOTHING("shrink_memory"),
    SETTING("soft_heap_limit", SOFT_HEAP_LIMIT, PRAGMA_F_RETURNS | PRAGMA_F_TABLE),
    OTHER("synchronous", OF_SCHEMA, NULL),
    ROWS("table_info", OF_OBJECT, "cid name type notnull dflt_value pk"),
    ROWS("table_list", PRAGMA_F_ARGUMENT, "schema name type ncol wr strict"),
    ROWS("table_xinfo", OF_OBJECT, "cid name type notnull dflt_value pk hidden"),
    OTHER("temp_store", PRAGMA_F_TABLE, NULL),
    {"temp_store_directory", PRAGMA_NOTHING, PRAGMA_F_COLUMN, 0, NULL},
    SETTING("threads", THREADS, PRAGMA_F_RETURNS | PRAGMA_F_TABLE),
    FLAG("trusted_schema", TRUSTED_SCHEMA),
    HEADER("user_version", USER_VERSION, 0),
    SETTING("wal_autocheckpoint", WAL_AUTOCHECKPOINT, PRAGMA_F_RETURNS),
    OTHER("wal_checkpoint", PRAGMA_F_RETURNS, "busy log checkpointed"),
    FLAG("writable_schema", WRITABLE_SCHEMA),
};

const struct pragma_def *pragma_find(const char *name)
{
    u32 low = 0, high = COUNT_OF(pragmas);
    while (low < high) {
        u32 middle = (low + high) / 2;
        int order = strcasecmp(name, pragmas[middle].name);
        if (order == 0) return &pragmas[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const struct pragma_def *pragma_at(u32 index) { return index < COUNT_OF(pragmas) ? &pragmas[index] : NULL; }

u32 pragma_column_count(const struct pragma_def *def)
{
    u32 count = 1;
    for (const char *z = def->columns ? def->columns : ""; *z; z++) count += *z == ' ';
    return count;
}

const char *pragma_column_name(struct arena *a, const struct pragma_def *def, u32 column)
{
    if (!def->columns) return def->name;
    const char *z = def->columns;
    for (; column > 0; column--) z = strchr(z, ' ') + 1;
    return arena_copy(a, z, strcspn(z, " "));
}

// ---- values -----------------------------------------------------------------------------------------------

bool pragma_int32(const char *text, s32 *out)
{
    bool negative = *text == '-';
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X') && isxdigit((u8)text[2])) {
        u64 v = strtoull(text + 2, NULL, 16);
        if (v > INT32_MAX) return false;
        *out = (s32)v;
        return true;
    }
    if (*text == '-' || *text == '+') text++;
    if (!isdigit((u8)*text)) return false;
    s64 v = 0;
    for (; isdigit((u8)*text); text++)
        if ((v = v * 10 + (*text - '0')) - negative > INT32_MAX) return false;
    *out = (s32)(negative ? -v : v);
    return true;
}

s32 pragma_int(const char *text)
{
    s32 v = 0;
    return pragma_int32(text, &v) ? v : 0;
}

bool pragma_boolean(const char *text, bool otherwise)
{
    static const char *const yes[] = {"on", "yes", "true"}, *const no[] = {"off", "no", "false"};
    if (isdigit((u8)*text)) return (u8)pragma_int(text) != 0;
    for (u32 i = 0; i < COUNT_OF(yes); i++)
        if (strcasecmp(text, yes[i]) == 0) return true;
    for (u32 i = 0; i < COUNT_OF(no); i++)
        if (strcasecmp(text, no[i]) == 0) return false;
    return otherwise;
}

// The whole text as a number of 64 bits, decimal or hexadecimal.
static s64 value_int64(const char *text, s64 otherwise)
{
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        char *end;
        const char *digits = text + 2 + strspn(text + 2, "0");
        s64 v = (s64)strtoull(text + 2, &end, 16);
        return *end == 0 && end - digits <= 16 ? v : otherwise;
    }
    struct number_text n = number_parse((const u8 *)text, (u32)strlen(text));
    return n.kind == NUMBER_INTEGER && n.whole ? n.integer : otherwise;
}

static void result_int(struct compile *c, s64 v)
{
    int reg = reg_alloc(c);
    program_emit_integer(c->program, reg, v);
    emit(c, OP_ResultRow, reg, 1, 0);
}

static void result_string(struct compile *c, const char *text)
{
    int reg = reg_alloc(c);
    emit_string(c, text, (u32)strlen(text), reg);
    emit(c, OP_ResultRow, reg, 1, 0);
}

static void setting_set(struct compile *c, enum connection_setting setting, s64 v)
{
    int reg = reg_alloc(c);
    program_emit_integer(c->program, reg, v);
    emit(c, OP_Setting, setting, reg, 0);
    set_p5(c, 1);
}

static void database_setting_set(struct compile *c, int database, enum database_setting setting, s64 v)
{
    int reg = reg_alloc(c);
    program_emit_integer(c->program, reg, v);
    emit(c, OP_DatabaseSetting, database, setting, reg);
}

static s64 page_size_of(const struct compile *c, int database)
{
    s64 size = c->db->settings[SETTING_PAGE_SIZE];
    struct store *store = c->db->databases[database].store;
    if (store) {
        struct store_stats stats;
        store_stats_get(store, &stats);
        size = stats.page_size;
    }
    return size > 0 ? size : 4096;
}

// ---- kinds ------------------------------------------------------------------------------------------------

static void emit_rows(struct compile *c, const struct pragma_rows *rows)
{
    int reg = reg_alloc_range(c, (int)rows->column_count);
    for (u32 i = 0; i < rows->row_count; i++) {
        for (u32 k = 0; k < rows->column_count; k++) {
            const struct value *v = &rows->values[(size_t)i * rows->column_count + k];
            if (v->type == VALUE_INTEGER)
                program_emit_integer(c->program, reg + (int)k, v->integer);
            else if (v->type == VALUE_TEXT)
                emit_string(c, (const char *)v->bytes, v->size, reg + (int)k);
            else
                emit(c, OP_Null, 0, reg + (int)k, 0);
        }
        emit(c, OP_ResultRow, reg, (int)rows->column_count, 0);
    }
}

static void flag_pragma(struct compile *c, const struct pragma_def *def, const char *value)
{
    enum connection_flag flag = (enum connection_flag)def->detail;
    if (!value) {
        if (!(def->flags & PRAGMA_F_NO_QUESTION)) result_int(c, connection_flag(c->db, flag));
        return;
    }
    // Inside of a transaction, foreign keys stay as they are.
    if (flag == CONNECTION_FOREIGN_KEYS && !c->db->autocommit) return;
    emit(c, OP_SetFlag, (int)flag, pragma_boolean(value, false), 0);
    if (flag == CONNECTION_CASE_SENSITIVE_LIKE) emit(c, OP_SetFlag, CONNECTION_LIKE_REPLACED, true, 0);
    emit(c, OP_Expire, 0, 0, 0);
    // Schemas that were changed by hand are read again.
    if (flag == CONNECTION_WRITABLE_SCHEMA && strcasecmp(value, "reset") == 0)
        for (int i = 0; i < compile_database_count(c); i++) emit(c, OP_ParseSchema, i, 0, 0);
}

// Of a cache's size as PRAGMAs say it: negative ones are in KiB.
static s64 cache_pages(struct compile *c, int database, s64 size)
{
    return size < 0 ? -size * 1024 / (page_size_of(c, database) + PAGE_OVERHEAD) : size;
}

// 0 when transactions do not spill, else from how many pages on they do, which is the cache's size at least.
static void cache_spill_pragma(struct compile *c, int database, const char *value)
{
    s64 spill = c->db->settings[SETTING_CACHE_SPILL];
    if (value) {
        s32 pages = 1;
        if (!pragma_int32(value, &pages) || pages == 0) pages = (s32)MAX(spill < 0 ? -spill : spill, (s64)1);
        s32 said = 1;
        (void)pragma_int32(value, &said);
        const s64 least = MAX(cache_pages(c, database, pages), 1);
        setting_set(c, SETTING_CACHE_SPILL, pragma_boolean(value, said != 0) ? least : -least);
        return;
    }
    s64 size = c->db->databases[database].settings[DATABASE_CACHE_SIZE];
    if (!size && database == DATABASE_TEMP) size = -2000; // of temporary tables: said to be 0
    result_int(c, spill < 0 ? 0 : MAX(spill, cache_pages(c, database, size)));
}

static void setting_pragma(struct compile *c, const struct pragma_def *def, int database, const char *value)
{
    enum connection_setting setting = (enum connection_setting)def->detail;
    if (setting == SETTING_CACHE_SPILL) {
        cache_spill_pragma(c, database, value);
        return;
    }
    s64 now = c->db->settings[setting];
    if (value) {
        s64 v = value_int64(value, -1);
        if (v >= 0 && (setting == SETTING_ANALYSIS_LIMIT || setting == SETTING_THREADS)) v &= 0x7fffffff;
        if (setting == SETTING_THREADS) v = MIN(v, (s64)THREADS_MAX);
        if (setting == SETTING_BUSY_TIMEOUT) v = MAX(pragma_int(value), 0);
        if (setting == SETTING_WAL_AUTOCHECKPOINT) v = MAX(pragma_int(value), 0);
        if (setting == SETTING_MMAP_SIZE) v = 0;
        if (setting == SETTING_HARD_HEAP_LIMIT && now > 0) v = v > 0 ? MIN(v, now) : now; // may be lowered
        s64 hard = c->db->settings[SETTING_HARD_HEAP_LIMIT], soft = c->db->settings[SETTING_SOFT_HEAP_LIMIT];
        if (setting == SETTING_SOFT_HEAP_LIMIT && hard > 0 && (v == 0 || v > hard)) v = hard;
        if (setting == SETTING_HARD_HEAP_LIMIT && v > 0 && (soft == 0 || v < soft))
            setting_set(c, SETTING_SOFT_HEAP_LIMIT, v);
        if (v >= 0) {
            setting_set(c, setting, v);
            if (setting == SETTING_ANALYSIS_LIMIT) emit(c, OP_Expire, 0, 0, 0); // ANALYZE has it in its program
            now = v;
        }
        if (!(def->flags & PRAGMA_F_RETURNS)) return;
    }
    result_int(c, now);
}

static void header_pragma(struct compile *c, const struct pragma_def *def, int database, const char *value)
{
    if (value && !(def->flags & PRAGMA_F_READ_ONLY)) {
        compile_write_database(c, database, false);
        emit(c, OP_SetCookie, database, def->detail, pragma_int(value));
        return;
    }
    int reg = reg_alloc(c);
    compile_use_database(c, database);
    emit(c, OP_ReadCookie, database, reg, def->detail);
    emit(c, OP_ResultRow, reg, 1, 0);
}

// ---- the others -------------------------------------------------------------------------------------------

static void encoding_pragma(struct compile *c, const char *value)
{
    static const char *const names[] = {"", "UTF-8", "UTF-16le", "UTF-16be"};
    const struct schema *s = compile_schema(c, DATABASE_MAIN), *temp = compile_schema(c, DATABASE_TEMP);
    if (!value) {
        result_string(c, names[connection_encoding(c->db)]);
        return;
    }
    if ((s && s->encoding) || (temp && temp->encoding)) return; // what has something in it keeps what it has
    // UTF-16 without more is that of the machines that this runs on: little-endian.
    static const struct {
        const char *name;
        u8 encoding;
    } known[] = {{"UTF8", 1},    {"UTF-8", 1},   {"UTF-16le", 2}, {"UTF-16be", 3},
                 {"UTF16le", 2}, {"UTF16be", 3}, {"UTF-16", 2},   {"UTF16", 2}};
    for (u32 i = 0; i < COUNT_OF(known); i++) {
        if (strcasecmp(value, known[i].name) != 0) continue;
        setting_set(c, SETTING_ENCODING, known[i].encoding);
        emit(c, OP_Expire, 0, 0, 0);
        return;
    }
    compile_fail(c, ERR_ERROR, -1, "unsupported encoding: %s", value);
}

static void synchronous_pragma(struct compile *c, int database, const char *value)
{
    if (!value) {
        result_int(c, c->db->databases[database].settings[DATABASE_SYNCHRONOUS]);
        return;
    }
    if (!c->db->autocommit)
        compile_fail(c, ERR_ERROR, -1, "Safety level may not be changed inside a transaction");
    static const struct {
        const char *name;
        s64 level;
    } levels[] = {{"on", 1}, {"no", 0}, {"off", 0}, {"false", 0}, {"yes", 1}, {"true", 1}, {"extra", 3}, {"full", 2}};
    s64 level = 1;
    if (*value >= '0' && *value <= '9') level = ((pragma_int(value) + 1) & 7) ? ((pragma_int(value) + 1) & 7) - 1 : 0;
    for (u32 i = 0; i < COUNT_OF(levels); i++)
        if (strcasecmp(value, levels[i].name) == 0) level = levels[i].level;
    if (database != DATABASE_TEMP) database_setting_set(c, database, DATABASE_SYNCHRONOUS, level);
}

static void temp_store_pragma(struct compile *c, const char *value)
{
    if (!value) {
        result_int(c, c->db->settings[SETTING_TEMP_STORE]);
        return;
    }
    s64 v = 0;
    if (*value >= '0' && *value <= '2')
        v = *value - '0';
    else if (strcasecmp(value, "file") == 0)
        v = 1;
    else if (strcasecmp(value, "memory") == 0)
        v = 2;
    if (v == c->db->settings[SETTING_TEMP_STORE]) return;
    const struct database *temp = &c->db->databases[DATABASE_TEMP];
    if (temp->txn && (!c->db->autocommit || txn_state_get(temp->txn) != TXN_NONE))
        compile_fail(c, ERR_ERROR, -1, "temporary storage cannot be changed from within a transaction");
    setting_set(c, SETTING_TEMP_STORE, v);
}

// Until it is set, it is what default_cache_size has left in the file.
static void cache_size_pragma(struct compile *c, int database, const char *value)
{
    if (value) {
        database_setting_set(c, database, DATABASE_CACHE_SIZE, pragma_int(value));
        return;
    }
    s64 size = c->db->databases[database].settings[DATABASE_CACHE_SIZE];
    const struct schema *schema = compile_schema(c, database);
    if (size == CACHE_SIZE_DEFAULT && schema && schema->cache_size) size = llabs((s64)schema->cache_size);
    result_int(c, size);
}

// Is kept in the file's header; how large the cache is goes by it when it is set alone.
static void default_cache_size_pragma(struct compile *c, int database, const char *value)
{
    if (value) {
        s64 v = pragma_int(value);
        compile_write_database(c, database, false);
        emit(c, OP_SetCookie, database, META_DEFAULT_CACHE_SIZE, (int)(v < 0 ? -v : v));
        database_setting_set(c, database, DATABASE_CACHE_SIZE, v < 0 ? -v : v);
        return;
    }
    int reg = reg_alloc(c), zero = reg_alloc(c);
    compile_use_database(c, database);
    emit(c, OP_ReadCookie, database, reg, META_DEFAULT_CACHE_SIZE);
    int said = emit(c, OP_IfPos, reg, 0, 0);
    emit(c, OP_Integer, 0, zero, 0);
    emit(c, OP_Subtract, reg, zero, reg);
    int negative = emit(c, OP_IfPos, reg, 0, 0);
    program_emit_integer(c->program, reg, CACHE_SIZE_DEFAULT);
    emit_jump_here(c, said);
    emit_jump_here(c, negative);
    emit(c, OP_ResultRow, reg, 1, 0);
}

// What the digits at the text's beginning say, or its hexadecimal ones; kept within 64 bits.
static s64 value_digits(const char *text)
{
    while (isspace((unsigned char)*text)) text++;
    bool negative = *text == '-';
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) return (s64)strtoull(text + 2, NULL, 16);
    if (*text == '-' || *text == '+') text++;
    u64 v = 0, most = (u64)INT64_MAX + negative;
    for (; isdigit((unsigned char)*text); text++) v = v > (most - (u64)(*text - '0')) / 10 ? most : v * 10 + (u64)(*text - '0');
    return negative ? (s64)(0 - v) : (s64)v;
}

static void journal_size_limit_pragma(struct compile *c, int database, const char *value)
{
    s64 limit = c->db->databases[database].settings[DATABASE_JOURNAL_SIZE_LIMIT];
    if (value) {
        limit = MAX(value_digits(value), (s64)-1);
        database_setting_set(c, database, DATABASE_JOURNAL_SIZE_LIMIT, limit);
    }
    result_int(c, limit);
}

// Without a schema's name it is about all databases, and those to come.
static void locking_mode_pragma(struct compile *c, int database, bool said, const char *value)
{
    s64 mode = -1;
    if (value && strcasecmp(value, "exclusive") == 0) mode = 1;
    if (value && strcasecmp(value, "normal") == 0) mode = 0;
    const bool of_file = said || mode >= 0; // otherwise of those to come
    if (!said && mode >= 0) {
        setting_set(c, SETTING_LOCKING_MODE, mode);
        for (int i = 0; i < compile_database_count(c); i++) database_setting_set(c, i, DATABASE_LOCKING_MODE, mode);
    } else if (mode >= 0) {
        database_setting_set(c, database, DATABASE_LOCKING_MODE, mode);
    } else if (!said) {
        mode = c->db->settings[SETTING_LOCKING_MODE];
    } else {
        mode = c->db->databases[database].settings[DATABASE_LOCKING_MODE];
    }
    if (of_file && connection_in_memory(c->db, (u32)database)) mode = 1; // nobody else comes in there
    result_string(c, mode ? "exclusive" : "normal");
}

static void secure_delete_pragma(struct compile *c, int database, bool said, const char *value)
{
    s64 mode = c->db->databases[database].settings[DATABASE_SECURE_DELETE];
    if (value) {
        mode = strcasecmp(value, "fast") == 0 ? 2 : pragma_boolean(value, false);
        for (int i = 0; i < compile_database_count(c); i++)
            if (!said || i == database) database_setting_set(c, i, DATABASE_SECURE_DELETE, mode);
    }
    result_int(c, mode);
}

static void auto_vacuum_pragma(struct compile *c, int database, const char *value)
{
    struct store *store = c->db->databases[database].store;
    if (value) {
        s64 mode = pragma_int(value);
        if (mode < 0 || mode > 2) mode = 0;
        if (strcasecmp(value, "full") == 0) mode = 1;
        if (strcasecmp(value, "incremental") == 0) mode = 2;
        // As in SQLite at once: a new database is made by the transaction that follows.
        c->db->settings[SETTING_AUTO_VACUUM] = mode;
        if (store) store_auto_vacuum_set(store, (enum auto_vacuum)mode);
        if (mode == 0) return;
        compile_write_database(c, database, false);
        int root = reg_alloc(c);
        emit(c, OP_ReadCookie, database, root, META_LARGEST_ROOT_PAGE);
        int not = emit(c, OP_IfNot, root, 0, 1);
        emit(c, OP_SetCookie, database, META_INCREMENTAL_VACUUM, (int)mode - 1);
        jump_here(c, not);
        return;
    }
    int largest = reg_alloc(c), incremental = reg_alloc(c);
    compile_use_database(c, database);
    emit(c, OP_Pagecount, database, largest, 0);
    int pages = emit(c, OP_If, largest, 0, 0);
    result_int(c, store ? store_auto_vacuum(store) : 0);
    int done = label_new(c);
    emit_goto(c, done);
    jump_here(c, pages);
    emit(c, OP_ReadCookie, database, largest, META_LARGEST_ROOT_PAGE);
    emit(c, OP_ReadCookie, database, incremental, META_INCREMENTAL_VACUUM);
    int none = emit(c, OP_IfNot, largest, 0, 1);
    emit(c, OP_Integer, 1, largest, 0);
    int full = emit(c, OP_IfNot, incremental, 0, 1);
    emit(c, OP_Integer, 2, largest, 0);
    jump_here(c, full);
    jump_here(c, none);
    emit(c, OP_ResultRow, largest, 1, 0);
    label_place(c, done);
}

static void page_size_pragma(struct compile *c, int database, const char *value)
{
    if (value) {
        s64 v = pragma_int(value);
        if (v >= 512 && v <= 65536 && (v & (v - 1)) == 0) setting_set(c, SETTING_PAGE_SIZE, v);
        return;
    }
    result_int(c, page_size_of(c, database));
}

static void checkpoint_pragma(struct compile *c, int database, bool said, const char *value)
{
    static const char *const modes[] = {[CHECKPOINT_NOOP] = "noop", [CHECKPOINT_PASSIVE] = "passive",
                                        [CHECKPOINT_FULL] = "full", [CHECKPOINT_RESTART] = "restart",
                                        [CHECKPOINT_TRUNCATE] = "truncate"};
    int mode = CHECKPOINT_PASSIVE;
    for (int i = 0; value && i < (int)COUNT_OF(modes); i++)
        if (strcasecmp(value, modes[i]) == 0) mode = i;
    int reg = reg_alloc_range(c, 3);
    emit(c, OP_Checkpoint, said ? database : -1, mode, reg);
    emit(c, OP_ResultRow, reg, 3, 0);
}

static void other_pragma(struct compile *c, const struct pragma_def *def, int database, const struct stmt_pragma *s)
{
    const char *name = def->name, *value = s->value;
    const bool said = s->name.schema != NULL;
    int reg;
    if (strcmp(name, "journal_mode") == 0) {
        reg = reg_alloc(c);
        emit(c, OP_JournalMode, database, reg, 0);
        emit(c, OP_ResultRow, reg, 1, 0);
    } else if (strcmp(name, "page_count") == 0) {
        reg = reg_alloc(c);
        compile_use_database(c, database);
        emit(c, OP_Pagecount, database, reg, 0);
        emit(c, OP_ResultRow, reg, 1, 0);
    } else if (strcmp(name, "max_page_count") == 0) {
        reg = reg_alloc(c);
        compile_use_database(c, database);
        emit(c, OP_MaxPgcnt, database, reg, value ? (int)(u32)MIN(MAX(value_int64(value, 0), (s64)0), (s64)PAGE_COUNT_MAX) : 0);
        emit(c, OP_ResultRow, reg, 1, 0);
    } else if (strcmp(name, "incremental_vacuum") == 0) {
        s64 limit = value ? pragma_int(value) : 0;
        reg = reg_alloc(c);
        compile_write_database(c, database, true);
        c->top->may_abort = true;
        program_emit_integer(c->program, reg, limit > 0 ? limit : INT32_MAX);
        emit(c, OP_IncrVacuum, database, reg, 0);
    } else if (strcmp(name, "rekey") == 0 || strcmp(name, "hexrekey") == 0) {
        reg = reg_alloc(c);
        if (value) emit_string(c, value, (u32)strlen(value), reg);
        emit(c, OP_Rekey, database, value ? reg : 0, value ? 0 : reg);
        if (name[0] == 'h') set_p5(c, 1);
        if (!value) emit(c, OP_ResultRow, reg, 1, 0);
    } else if (strcmp(name, "encoding") == 0) {
        encoding_pragma(c, value);
    } else if (strcmp(name, "synchronous") == 0) {
        synchronous_pragma(c, database, value);
    } else if (strcmp(name, "temp_store") == 0) {
        temp_store_pragma(c, value);
    } else if (strcmp(name, "cache_size") == 0) {
        cache_size_pragma(c, database, value);
    } else if (strcmp(name, "default_cache_size") == 0) {
        default_cache_size_pragma(c, database, value);
    } else if (strcmp(name, "journal_size_limit") == 0) {
        journal_size_limit_pragma(c, database, value);
    } else if (strcmp(name, "locking_mode") == 0) {
        locking_mode_pragma(c, database, said, value);
    } else if (strcmp(name, "secure_delete") == 0) {
        secure_delete_pragma(c, database, said, value);
    } else if (strcmp(name, "auto_vacuum") == 0) {
        auto_vacuum_pragma(c, database, value);
    } else if (strcmp(name, "page_size") == 0) {
        page_size_pragma(c, database, value);
    } else if (strcmp(name, "wal_checkpoint") == 0) {
        checkpoint_pragma(c, database, said, value);
    } else if (strcmp(name, "integrity_check") == 0) {
        pragma_integrity_check(c, said ? database : -1, s, false);
    } else if (strcmp(name, "quick_check") == 0) {
        pragma_integrity_check(c, said ? database : -1, s, true);
    } else if (strcmp(name, "optimize") == 0) {
        pragma_optimize(c, database, said, value);
    } else if (strcmp(name, "foreign_key_check") == 0) {
        pragma_foreign_key_check(c, said ? database : -1, value);
    }
}

void pragma_statement(struct compile *c, struct stmt_pragma *s)
{
    const struct pragma_def *def = pragma_find(s->name.name);
    int database = ddl_database(c, &s->name, DATABASE_MAIN);
    if (!def) return;
    // To be named is to be opened.
    if (database == DATABASE_TEMP && (def->kind == PRAGMA_ROWS || def->kind == PRAGMA_FLAG)) compile_use_database(c, database);
    c->program->run_once = true;
    bool rows = !s->value || def->flags & PRAGMA_F_RETURNS || def->kind == PRAGMA_ROWS ||
                (def->kind == PRAGMA_OTHER && def->flags & PRAGMA_F_ARGUMENT) ||
                (def->kind == PRAGMA_HEADER && def->flags & PRAGMA_F_READ_ONLY);
    if (def->kind == PRAGMA_NOTHING && !(def->flags & (PRAGMA_F_TABLE | PRAGMA_F_COLUMN))) rows = false;
    if (!s->value && def->flags & PRAGMA_F_NO_QUESTION) rows = false;
    if (rows) {
        u32 count = pragma_column_count(def);
        compile_result_columns(c, count);
        for (u32 i = 0; i < count; i++)
            compile_result_column(c, i, pragma_column_name(c->arena, def, i), NULL);
    }
    switch ((enum pragma_kind)def->kind) {
    case PRAGMA_ROWS: {
        struct pragma_rows collected = {.arena = c->arena};
        pragma_collect(c, def, s->name.schema, s->value, &collected);
        emit_rows(c, &collected);
        break;
    }
    case PRAGMA_FLAG: flag_pragma(c, def, s->value); break;
    case PRAGMA_SETTING: setting_pragma(c, def, database, s->value); break;
    case PRAGMA_HEADER: header_pragma(c, def, database, s->value); break;
    case PRAGMA_OTHER: other_pragma(c, def, database, s); break;
    case PRAGMA_NOTHING: break;
    }
}
