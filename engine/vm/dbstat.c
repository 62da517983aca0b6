// dbstat: pages of trees as rows. A walk keeps the pages from the root down to where it is, as copies; a step that met a
// wait is made again from there.
#include "dbstat.h"

#include "../fts/fts.h"
#include "../store/pager.h"
#include "statement.h"

#define DEPTH_MAX 32
#define TURN_PAGES 256

enum page_kind { KIND_INDEX_INTERIOR = 2, KIND_TABLE_INTERIOR = 5, KIND_INDEX_LEAF = 10, KIND_TABLE_LEAF = 13 };

// A page of the path to the one at hand.
struct stat_page {
    pgno no;
    u8 kind; // 0: it makes no sense
    u8 *bytes;
    char path[DEPTH_MAX * 6];
    u32 cell_count, head_size; // up to the cells' offsets
    pgno right;                // below the last cell; 0: none
    u32 cell;                  // the next to be gone into
    // Of that cell:
    bool cell_known;
    pgno child, overflow; // the next of its overflow pages
    u32 overflow_count, overflow_at, overflow_last; // pages; bytes in the last one
};

struct stat_row {
    char path[DEPTH_MAX * 6 + 32];
    const char *kind;
    pgno no;
    s64 pages, cells, payload, unused, payload_max, size;
};

struct dbstat_cursor {
    struct skerry *db;
    const struct dbstat *def;
    u32 database;
    struct skerry_stmt *trees; // their names and roots
    bool filtering, aggregate, eof, tree_known;
    u32 page_size, depth;
    u64 visited;
    struct stat_page pages[DEPTH_MAX];
    u8 *next_bytes; // of the overflow page at hand
    char *name;     // of the tree
    struct stat_row row;
};

static const struct {
    const char *name, *type;
} columns[] = {{"name", "TEXT"},      {"path", "TEXT"},       {"pageno", "INTEGER"},     {"pagetype", "TEXT"},
               {"ncell", "INTEGER"},  {"payload", "INTEGER"}, {"unused", "INTEGER"},     {"mx_payload", "INTEGER"},
               {"pgoffset", "INTEGER"}, {"pgsize", "INTEGER"}, {"schema", "TEXT"}, {"aggregate", "BOOLEAN"}};
enum { COLUMN_NAME, COLUMN_PATH, COLUMN_NO, COLUMN_KIND, COLUMN_CELLS, COLUMN_PAYLOAD, COLUMN_UNUSED, COLUMN_PAYLOAD_MAX,
       COLUMN_OFFSET, COLUMN_SIZE, COLUMN_SCHEMA, COLUMN_AGGREGATE };

struct dbstat *dbstat_parse(struct arena *a, const char *const *arguments, u32 count, const char **error)
{
    *error = NULL;
    struct dbstat *d = arena_alloc(a, sizeof *d);
    if (d) d->database = count ? fts_dequoted(a, arguments[0]) : NULL;
    return d && count && !d->database ? NULL : d;
}

const char *dbstat_column(u32 index, const char **type)
{
    if (index >= COUNT_OF(columns)) return NULL;
    *type = columns[index].type;
    return columns[index].name;
}

static io_status no_memory(struct op *op) { return IO_ERROR(&op->err, ERR_NOMEM, "out of memory"); }

io_status dbstat_open(struct skerry *db, const struct dbstat *d, struct op *op, struct dbstat_cursor **out)
{
    int at = d->database ? connection_database_find(db, d->database) : 0;
    if (at < 0) return IO_ERROR(&op->err, ERR_ERROR, "no such database: %s", d->database);
    struct dbstat_cursor *c = calloc(1, sizeof *c);
    if (!c) return no_memory(op);
    c->db = db;
    c->def = d;
    c->database = (u32)at;
    c->eof = true;
    *out = c;
    return IO_DONE;
}

static void pages_free(struct dbstat_cursor *c)
{
    for (u32 i = 0; i < DEPTH_MAX; i++) {
        free(c->pages[i].bytes);
        c->pages[i].bytes = NULL;
    }
    free(c->next_bytes);
    c->next_bytes = NULL;
    c->depth = 0;
}

void dbstat_close(struct dbstat_cursor *c)
{
    if (!c) return;
    skerry_finalize(c->trees);
    pages_free(c);
    free(c->name);
    free(c);
}

// ---- a page ------------------------------------------------------------------------------------------------------------------

static bool is_leaf(const struct stat_page *p) { return p->kind == KIND_INDEX_LEAF || p->kind == KIND_TABLE_LEAF; }

// The cell: what of its payload is in the page, how much there is in all. False: it makes no sense.
static bool cell_read(const struct stat_page *p, u32 index, u32 page_size, u32 usable, u32 *local, u64 *payload, pgno *child, pgno *overflow)
{
    u32 at = be16_get(p->bytes + p->head_size + 2 * index);
    u64 v;
    *local = 0;
    *payload = 0;
    *child = *overflow = 0;
    if (at < p->head_size || at >= page_size) return false;
    if (!is_leaf(p)) {
        if (at + 4 > page_size) return false;
        *child = be32_get(p->bytes + at);
        at += 4;
    }
    if (p->kind == KIND_TABLE_INTERIOR) return true;
    const u8 *end = p->bytes + page_size;
    u32 n = varint_get_checked(p->bytes + at, end, payload);
    if (!n || *payload > INT32_MAX) return false;
    at += n;
    if (p->kind == KIND_TABLE_LEAF) {
        if (!(n = varint_get_checked(p->bytes + at, end, &v))) return false;
        at += n;
    }
    s64 least = ((s64)usable - 12) * 32 / 255 - 23, most = p->kind == KIND_TABLE_LEAF ? (s64)usable - 35 : ((s64)usable - 12) * 64 / 255 - 23;
    s64 here = least + ((s64)*payload - least) % ((s64)usable - 4);
    if (here > most) here = least;
    if (here < 0) return false;
    *local = (u32)here;
    if (*payload == (u64)here) return true;
    if (at + *local + 4 > usable) return false;
    *overflow = be32_get(p->bytes + at + *local);
    return true;
}

// Bytes that nothing uses; false: the page makes no sense.
static bool unused_read(const struct stat_page *p, const u8 *head, u32 page_size, s64 *out)
{
    s64 unused = (s64)be16_get(head + 5) - p->head_size - 2 * (s64)p->cell_count + head[7];
    for (u32 at = be16_get(head + 1), next; at; at = next) {
        if (at + 4 > page_size) return false;
        unused += be16_get(p->bytes + at + 2);
        next = be16_get(p->bytes + at);
        if (next && next < at + 4) return false;
    }
    *out = unused;
    return true;
}

// Counts what is in the page; false: it makes no sense.
static bool page_count(struct stat_page *p, u32 page_size, u32 usable, struct stat_row *row)
{
    const u8 *head = p->bytes + (p->no == 1 ? 100 : 0);
    p->kind = head[0];
    bool known = p->kind == KIND_INDEX_INTERIOR || p->kind == KIND_TABLE_INTERIOR || is_leaf(p);
    if (!known) return false;
    p->head_size = (p->no == 1 ? 100 : 0) + (is_leaf(p) ? 8u : 12u);
    p->cell_count = be16_get(head + 3);
    p->right = is_leaf(p) ? 0 : be32_get(head + 8);
    s64 unused, payload = 0, payload_max = 0;
    if (p->head_size + 2 * p->cell_count > page_size || !unused_read(p, head, page_size, &unused)) return false;
    for (u32 i = 0; i < p->cell_count; i++) {
        u32 local;
        u64 all;
        pgno child, overflow;
        if (!cell_read(p, i, page_size, usable, &local, &all, &child, &overflow)) return false;
        payload += local;
        payload_max = MAX(payload_max, (s64)all);
    }
    row->cells += p->cell_count;
    row->payload += payload;
    row->unused += unused;
    row->payload_max = MAX(row->payload_max, payload_max);
    return true;
}

static struct txn *txn_of(const struct dbstat_cursor *c) { return c->db->databases[c->database].txn; }

static void row_clear(struct dbstat_cursor *c)
{
    struct stat_row *r = &c->row;
    r->pages = r->cells = r->payload = r->unused = r->payload_max = r->size = 0;
}

// Goes down to a page and counts it.
static io_status page_enter(struct dbstat_cursor *c, struct op *op, pgno no, const char *above, u32 index)
{
    struct txn *t = txn_of(c);
    if (c->depth == DEPTH_MAX) return IO_ERROR(&op->err, ERR_CORRUPT, "%s", err_default_text(ERR_CORRUPT));
    struct stat_page *p = &c->pages[c->depth];
    if (!p->bytes && !(p->bytes = malloc(c->page_size))) return no_memory(op);
    IO_TRY(txn_page_copy(t, op, no, p->bytes));
    u8 *bytes = p->bytes;
    *p = (struct stat_page){.no = no, .bytes = bytes};
    if (above)
        snprintf(p->path, sizeof p->path, "%s%.3x/", above, index);
    else
        snprintf(p->path, sizeof p->path, "/");
    c->depth++;
    c->visited++;
    struct stat_row *r = &c->row;
    if (!c->aggregate || !above) row_clear(c);
    if (page_count(p, c->page_size, txn_usable_size(t), r)) {
        r->kind = is_leaf(p) ? "leaf" : "internal";
    } else {
        r->kind = "corrupted";
        p->kind = 0;
        p->cell_count = 0;
        p->right = 0;
    }
    r->pages++;
    r->size += c->page_size;
    r->no = no;
    snprintf(r->path, sizeof r->path, "%s", p->path);
    return IO_DONE;
}

static bool cell_open(struct dbstat_cursor *c, struct stat_page *p)
{
    u32 local, usable = txn_usable_size(txn_of(c));
    u64 all;
    if (!cell_read(p, p->cell, c->page_size, usable, &local, &all, &p->child, &p->overflow)) return false;
    u64 rest = all - local, room = usable - 4;
    p->overflow_count = (u32)((rest + room - 1) / room);
    p->overflow_last = p->overflow_count ? (u32)(rest - (p->overflow_count - 1) * room) : 0;
    p->overflow_at = 0;
    p->cell_known = true;
    return true;
}

// The cell's overflow pages all at once.
static void overflow_count_all(struct dbstat_cursor *c, struct stat_page *p)
{
    struct stat_row *r = &c->row;
    u32 room = txn_usable_size(txn_of(c)) - 4;
    r->pages += p->overflow_count;
    r->size += (s64)p->overflow_count * c->page_size;
    r->payload += (s64)(p->overflow_count - 1) * room + p->overflow_last;
    r->unused += room - p->overflow_last;
    p->overflow_at = p->overflow_count;
}

// The next of them as a row. Where the one after it is stands in it.
static io_status overflow_row(struct dbstat_cursor *c, struct op *op, struct stat_page *p)
{
    struct stat_row *r = &c->row;
    u32 room = txn_usable_size(txn_of(c)) - 4;
    bool last = p->overflow_at + 1 == p->overflow_count;
    if (!c->next_bytes && !(c->next_bytes = malloc(c->page_size))) return no_memory(op);
    if (!last) IO_TRY(txn_page_copy(txn_of(c), op, p->overflow, c->next_bytes));
    row_clear(c);
    r->pages = 1;
    r->size = c->page_size;
    r->no = p->overflow;
    r->kind = "overflow";
    r->payload = last ? p->overflow_last : room;
    r->unused = room - r->payload;
    snprintf(r->path, sizeof r->path, "%s%.3x+%.6x", p->path, p->cell, p->overflow_at);
    if (!last) p->overflow = be32_get(c->next_bytes);
    p->overflow_at++;
    c->visited++;
    return IO_DONE;
}

// ---- the walk ----------------------------------------------------------------------------------------------------------------

static io_status tree_next(struct dbstat_cursor *c, struct op *op, bool *found)
{
    *found = true;
    if (!c->tree_known) {
        switch (statement_step(c->trees)) {
        case VM_ROW: break;
        case VM_DONE: *found = false; return IO_DONE;
        case VM_WAIT: return IO_WAIT;
        case VM_FAIL: op->err = c->trees->op.err; return IO_FAIL;
        }
        const struct value *name = skerry_column(c->trees, 0);
        free(c->name);
        c->name = strndup(name->type == VALUE_TEXT ? (const char *)name->bytes : "", name->type == VALUE_TEXT ? name->size : 0);
        if (!c->name) return no_memory(op);
        c->tree_known = true;
    }
    struct txn *t = txn_of(c);
    if (!txn_page_count(t)) {
        *found = false;
        return IO_DONE;
    }
    if (c->page_size != txn_page_size(t)) {
        pages_free(c);
        c->page_size = txn_page_size(t);
    }
    s64 root = value_to_integer(skerry_column(c->trees, 1));
    IO_TRY(page_enter(c, op, root > 0 && root <= UINT32_MAX ? (pgno)root : 0, NULL, 0));
    c->tree_known = false;
    return IO_DONE;
}

// To the next page, or overflow page, of the tree; *ended: there is none.
static io_status page_next(struct dbstat_cursor *c, struct op *op, bool *ended)
{
    *ended = false;
    for (;;) {
        struct stat_page *p = &c->pages[c->depth - 1];
        if (p->cell < p->cell_count) {
            if (!p->cell_known && !cell_open(c, p)) return IO_ERROR(&op->err, ERR_CORRUPT, "%s", err_default_text(ERR_CORRUPT));
            if (p->overflow_at < p->overflow_count) {
                if (!c->aggregate) return overflow_row(c, op, p);
                overflow_count_all(c, p);
            }
        }
        pgno below = p->cell < p->cell_count ? p->child : p->cell == p->cell_count ? p->right : 0;
        if (p->cell <= p->cell_count && p->right) {
            IO_TRY(page_enter(c, op, below, p->path, p->cell));
            p->cell++;
            p->cell_known = false;
            return IO_DONE;
        }
        if (p->cell < p->cell_count) {
            p->cell++;
            p->cell_known = false;
            continue;
        }
        c->depth--;
        *ended = !c->depth;
        if (*ended) return IO_DONE;
    }
}

io_status dbstat_next(struct dbstat_cursor *c, struct op *op)
{
    for (;;) {
        bool ended = false;
        if (!c->depth) {
            bool found;
            IO_TRY(tree_next(c, op, &found));
            if (!found) {
                c->eof = true;
                return IO_DONE;
            }
        } else {
            IO_TRY(page_next(c, op, &ended));
            if (ended && !c->aggregate) continue;
        }
        c->eof = false;
        if (!c->aggregate || ended) return IO_DONE;
        if (c->visited % TURN_PAGES == 0) {
            c->visited++;
            vm_turn(CONTAINER_OF(op, struct skerry_stmt, op));
            return IO_WAIT;
        }
    }
}

// ---- starting ----------------------------------------------------------------------------------------------------------------

// The text of an argument; NULL: out of memory, or *none: nothing is equal to it.
static char *text_of(const struct value *v, bool *none)
{
    struct value text;
    value_init(&text);
    *none = v->type == VALUE_NULL || v->type == VALUE_BLOB;
    char *out = NULL;
    if (!*none && value_copy(&text, v) == ERR_OK && (text.type == VALUE_TEXT || value_to_text(&text) == ERR_OK))
        out = strndup((const char *)text.bytes, text.size);
    value_deinit(&text);
    return out;
}

static bool aggregate_of(const struct value *v, bool *none)
{
    struct value n;
    value_init(&n);
    if (value_copy(&n, v) == ERR_OK) (void)value_apply_affinity(&n, AFFINITY_NUMERIC);
    double r = n.type == VALUE_INTEGER ? (double)n.integer : n.type == VALUE_REAL ? n.real : -1;
    *none = r != 0 && r != 1;
    value_deinit(&n);
    return r == 1;
}

static const char *quoted(struct arena *a, const char *name)
{
    char *out = arena_alloc(a, 2 * strlen(name) + 3), *at = out;
    if (!out) return NULL;
    *at++ = '"';
    for (; *name; name++) {
        if (*name == '"') *at++ = '"';
        *at++ = *name;
    }
    *at = '"';
    return out;
}

static io_status trees_prepare(struct dbstat_cursor *c, struct op *op, bool by_name, const char *name)
{
    struct arena a;
    arena_init(&a, NULL, NULL);
    const char *database = quoted(&a, c->db->databases[c->database].name);
    const char *sql = !database ? NULL
                                : arena_format(&a,
                                               "SELECT * FROM (SELECT 'sqlite_schema' AS name, 1 AS rootpage UNION ALL "
                                               "SELECT name, rootpage FROM %s.sqlite_schema WHERE rootpage != 0)%s%s",
                                               database, name ? " WHERE name = ?1" : "", by_name ? " ORDER BY name" : "");
    size_t used;
    io_status status = sql ? statement_prepare(c->db, op, sql, strlen(sql), true, &c->trees, &used) : no_memory(op);
    arena_deinit(&a);
    if (status == IO_DONE && name && skerry_bind_text(c->trees, 1, name, strlen(name))) status = no_memory(op);
    return status;
}

static io_status filter_begin(struct dbstat_cursor *c, struct op *op, u32 plan, const struct value *argv, bool *none)
{
    int at = c->def->database ? connection_database_find(c->db, c->def->database) : 0;
    bool nothing;
    *none = at < 0;
    if (plan & DBSTAT_SCHEMA) {
        char *schema = text_of(argv++, &nothing);
        if (!schema && !nothing) return no_memory(op);
        at = schema ? connection_database_find(c->db, schema) : -1;
        *none = at < 0;
        free(schema);
    }
    char *name = NULL;
    if (plan & DBSTAT_NAME) {
        name = text_of(argv++, &nothing);
        if (!name && !nothing) return no_memory(op);
        *none |= nothing;
    }
    c->aggregate = plan & DBSTAT_AGGREGATE ? aggregate_of(argv, &nothing) : false;
    if (plan & DBSTAT_AGGREGATE) *none |= nothing;
    if (!*none) c->database = (u32)at;
    io_status status = *none ? IO_DONE : trees_prepare(c, op, plan & DBSTAT_IN_ORDER, name);
    free(name);
    return status;
}

io_status dbstat_filter(struct dbstat_cursor *c, struct op *op, u32 plan, const struct value *argv)
{
    if (!c->filtering) {
        bool none;
        skerry_finalize(c->trees);
        c->trees = NULL;
        c->depth = 0;
        c->tree_known = false;
        c->eof = true;
        IO_TRY(filter_begin(c, op, plan, argv, &none));
        if (none) return IO_DONE;
        c->filtering = true;
    }
    io_status status = dbstat_next(c, op);
    if (status != IO_WAIT) c->filtering = false;
    return status;
}

bool dbstat_eof(const struct dbstat_cursor *c) { return c->eof; }
s64 dbstat_rowid(const struct dbstat_cursor *c) { return c->row.no; }

static err_code text_set(struct value *out, const char *text) { return value_set_text(out, text, strlen(text)); }

io_status dbstat_column_get(const struct dbstat_cursor *c, struct op *op, u32 column, struct value *out)
{
    const struct stat_row *r = &c->row;
    err_code code = ERR_OK;
    value_set_null(out);
    switch (column) {
    case COLUMN_NAME: code = text_set(out, c->name ? c->name : ""); break;
    case COLUMN_PATH:
        if (!c->aggregate) code = text_set(out, r->path);
        break;
    case COLUMN_NO: value_set_integer(out, c->aggregate ? r->pages : r->no); break;
    case COLUMN_KIND:
        if (!c->aggregate) code = text_set(out, r->kind);
        break;
    case COLUMN_CELLS: value_set_integer(out, r->cells); break;
    case COLUMN_PAYLOAD: value_set_integer(out, r->payload); break;
    case COLUMN_UNUSED: value_set_integer(out, r->unused); break;
    case COLUMN_PAYLOAD_MAX: value_set_integer(out, r->payload_max); break;
    case COLUMN_OFFSET:
        if (!c->aggregate) value_set_integer(out, (s64)c->page_size * ((s64)r->no - 1));
        break;
    case COLUMN_SIZE: value_set_integer(out, r->size); break;
    case COLUMN_SCHEMA: code = text_set(out, c->db->databases[c->database].name); break;
    case COLUMN_AGGREGATE: value_set_integer(out, c->aggregate); break;
    }
    return code == ERR_OK ? IO_DONE : no_memory(op);
}
