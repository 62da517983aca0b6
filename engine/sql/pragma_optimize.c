// PRAGMA optimize: ANALYZE of the tables of which statistics are missing or old, with SQLite's choice of tables.
#include "pragma.h"

#include <strings.h>

#define OPTIMIZE_LIMIT  2000 // rows of an index that are looked at, as PRAGMA analysis_limit
#define SIZE_CHANGE     33   // 10 log2 of the growth or shrinking after which statistics are old: ten times
#define TREES_MANY      100  // from so many trees on the limit is less, down to LIMIT_LEAST
#define LIMIT_LEAST     100

enum optimize_mask {
    OPTIMIZE_SHOW = 1,           // rows say what would be run
    OPTIMIZE_ANALYZE = 2,
    OPTIMIZE_LIMITED = 0x10,
    OPTIMIZE_ALL_TABLES = 0x10000, // not only those that queries have used
    OPTIMIZE_DEFAULT = 0xfffe,
};

// 10 log2 of its rows when ANALYZE last looked; -1: an index has no statistics yet.
static logest size_analyzed(const struct table *t)
{
    for (const struct index *i = t->indexes; i; i = i->next)
        if (!i->has_stat) return -1;
    return t->has_stat ? logest_of(t->row_estimate) : LOGEST_ROWS_UNKNOWN;
}

static bool wants_analysis(const struct table *t, u32 mask, logest size)
{
    if (t->kind != TABLE_ORDINARY || strncasecmp(t->name, "sqlite_", 7) == 0) return false;
    return t->statistics_wanted || mask & OPTIMIZE_ALL_TABLES || (t->indexes && size < 0);
}

static u32 tree_count(const struct table *t)
{
    u32 count = 1;
    for (const struct index *i = t->indexes; i; i = i->next) count++;
    return count;
}

// Runs ANALYZE, or shows it, unless the table has about the size that it had. Gives the instruction's address, -1: none.
static int table_code(struct compile *c, int cursor, int database, const struct table *t, logest size, bool show)
{
    int done = label_new(c), address = -1;
    open_table(c, cursor, database, t, OP_OpenRead);
    if (size >= 0) {
        emit(c, OP_IfSizeBetween, cursor, done, size >= SIZE_CHANGE ? size - SIZE_CHANGE : -1);
        set_p4_int(c, size + SIZE_CHANGE);
    } else {
        emit(c, OP_Rewind, cursor, done, 0);
    }
    const char *schema = sql_name_quoted(c, compile_database_name(c, database));
    const char *sql = arena_format(c->arena, "ANALYZE %s.%s", schema, sql_name_quoted(c, t->name));
    if (show) {
        int reg = reg_alloc(c);
        emit_string(c, sql, (u32)strlen(sql), reg);
        emit(c, OP_ResultRow, reg, 1, 0);
    } else {
        address = emit(c, OP_SqlExec, SQL_EXEC_LIMITED, 0, 0);
        program_p4_text(c->program, address, sql, -1);
    }
    label_place(c, done);
    return address;
}

void pragma_optimize(struct compile *c, int database, bool said, const char *value)
{
    u32 mask = value ? (u32)pragma_int(value) : OPTIMIZE_DEFAULT;
    if (!(mask & OPTIMIZE_ANALYZE)) return;
    s64 limit = c->db->settings[SETTING_ANALYSIS_LIMIT], own = 0;
    if (mask & OPTIMIZE_LIMITED && (limit <= 0 || limit >= OPTIMIZE_LIMIT)) own = OPTIMIZE_LIMIT;
    u32 trees = 0, runs = 0, capacity = 0;
    int *addresses = NULL, cursor = cursor_alloc(c);
    for (int d = said ? database : 0; d <= (said ? database : compile_database_count(c) - 1); d++) {
        const struct schema *schema = compile_schema(c, d);
        const struct store *store = c->db->databases[d].store;
        if (d == DATABASE_TEMP || !schema) continue;
        // Where nothing can be kept there is nothing to do.
        if (!(mask & OPTIMIZE_SHOW) && store && store_read_only(store)) continue;
        compile_use_database(c, d);
        u32 count;
        const struct table **tables = schema_tables_ordered(schema, c->arena, &count);
        for (u32 i = 0; i < count; i++) {
            const struct table *t = tables[i];
            logest size = size_analyzed(t);
            if (!wants_analysis(t, mask, size)) continue;
            if (!(mask & OPTIMIZE_SHOW)) compile_write_database(c, d, true);
            trees += tree_count(t);
            int address = table_code(c, cursor, d, t, size, mask & OPTIMIZE_SHOW);
            if (address < 0) continue;
            addresses = arena_grow(c->arena, addresses, runs, &capacity, sizeof *addresses);
            addresses[runs++] = address;
        }
    }
    if (runs) emit(c, OP_Expire, 0, 0, 0);
    if (own && trees > TREES_MANY) own = MAX(own * TREES_MANY / trees, (s64)LIMIT_LEAST);
    for (u32 i = 0; i < runs; i++) emit_set_p2(c, addresses[i], (int)own);
}
