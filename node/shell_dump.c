#include "shell.h"

#include <ctype.h>

static bool is_plain_identifier(const char *name)
{
    static const char *const RESERVED[] = {
        "table", "index",       "select", "from",       "where",      "group",   "order",
        "by",    "values",      "insert", "update",     "delete",     "set",     "create",
        "drop",  "primary",     "key",    "default",    "check",      "unique",  "not",
        "null",  "and",         "or",     "in",         "is",         "as",      "on",
        "join",  "limit",       "having", "union",      "case",       "when",    "then",
        "else",  "transaction", "to",     "references", "constraint", "collate", "commit"};
    if (!isalpha((u8)name[0]) && name[0] != '_') return false;
    for (const char *p = name; *p; p++)
        if (!isalnum((u8)*p) && *p != '_') return false;
    for (u32 i = 0; i < COUNT_OF(RESERVED); i++)
        if (strcasecmp(name, RESERVED[i]) == 0) return false;
    return true;
}

const char *shell_identifier(const char *name, char *out, size_t out_size)
{
    if (is_plain_identifier(name)) {
        snprintf(out, out_size, "%s", name);
        return out;
    }
    size_t n = 0;
    out[n++] = '"';
    for (; *name && n + 4 < out_size; name++) {
        if (*name == '"') out[n++] = '"';
        out[n++] = *name;
    }
    out[n++] = '"';
    out[n] = 0;
    return out;
}

// ---- .dump -----------------------------

struct dump_state {
    struct shell *s;
    bool tables, sequence, data_only, newlines, rowids, writable_schema;
    u32 errors;
};

struct table_columns {
    struct buffer list; // of names, for SELECT and for INSERT
    u32 count;
    bool key; // there is an INTEGER PRIMARY KEY
};

static int column_gather(void *context, struct skerry_stmt *stmt)
{
    struct table_columns *c = context;
    const char *name = skerry_column_text(stmt, 1, NULL), *type = skerry_column_text(stmt, 2, NULL);
    char quoted[500];
    c->key |= skerry_column_integer(stmt, 5) == 1 && type && strcasecmp(type, "INTEGER") == 0;
    buffer_text(&c->list, c->count++ ? "," : "");
    buffer_text(&c->list, shell_identifier(name ? name : "", quoted, sizeof quoted));
    return 0;
}

static bool dump_failed(struct dump_state *d)
{
    const struct err *err = skerry_error(d->s->db);
    fprintf(d->s->out, "/**** ERROR: (%d) %s *****/\n", err_primary(err->code), err->text);
    d->errors++;
    return false;
}

static bool dump_rows(struct dump_state *d, const char *table)
{
    struct shell *s = d->s;
    struct table_columns c = {0};
    struct buffer sql = {0};
    struct skerry_stmt *stmt = NULL;
    char quoted[500];
    size_t used;
    int rc;
    shell_identifier(table, quoted, sizeof quoted);
    buffer_format(&sql, "PRAGMA table_info(%s)", quoted);
    buffer_add(&sql, "", 1);
    // Generated columns are not among them: they cannot be inserted.
    rc = skerry_exec(s->db, sql.bytes, column_gather, &c);
    buffer_add(&c.list, "", 1);
    bool rowid = d->rowids && !c.key;
    for (int attempt = rowid ? 0 : 1; rc == SKERRY_OK && !stmt && attempt < 2; attempt++) {
        rowid &= attempt == 0; // a table without rowids, at the second
        sql.size = 0;
        buffer_format(&sql, "SELECT %s%s FROM %s", rowid ? "rowid," : "",
                      c.count ? c.list.bytes : "*", quoted);
        int prepared;
        while ((prepared = skerry_prepare(s->db, sql.bytes, sql.size, &stmt, &used)) == SKERRY_WAIT)
            skerry_wait(s->db);
        if (prepared != SKERRY_OK) stmt = NULL;
    }
    buffer_deinit(&sql);
    while (stmt && ((rc = skerry_step(stmt)) == SKERRY_ROW || rc == SKERRY_WAIT)) {
        if (rc == SKERRY_WAIT) {
            skerry_wait(s->db);
            continue;
        }
        fprintf(s->out, rowid ? "INSERT INTO %s(rowid,%s) VALUES(" : "INSERT INTO %s VALUES(",
                quoted, c.list.bytes);
        for (u32 i = 0; i < skerry_column_count(stmt); i++) {
            if (i) fputc(',', s->out);
            if (d->newlines && skerry_column_type(stmt, i) == VALUE_TEXT) {
                const char *text = skerry_column_text(stmt, i, NULL);
                print_quoted_text(s->out, text ? text : "");
            } else {
                print_sql_literal(s->out, stmt, i, true);
            }
        }
        fputs(");\n", s->out);
    }
    bool good = stmt && rc == SKERRY_DONE;
    if (!good) dump_failed(d);
    if (stmt) skerry_finalize(stmt);
    buffer_deinit(&c.list);
    return good;
}

// A virtual table's row of the schema is written as it is, since to create it would make its tables
// anew.
static void dump_virtual(struct dump_state *d, const char *name, const char *sql)
{
    if (!d->writable_schema) fputs("PRAGMA writable_schema=ON;\n", d->s->out);
    d->writable_schema = true;
    fputs("INSERT INTO sqlite_schema(type,name,tbl_name,rootpage,sql)VALUES('table',", d->s->out);
    print_quoted_text(d->s->out, name);
    fputc(',', d->s->out);
    print_quoted_text(d->s->out, name);
    fputs(",0,", d->s->out);
    print_quoted_text(d->s->out, sql);
    fputs(");\n", d->s->out);
}

static int dump_object(void *context, struct skerry_stmt *stmt)
{
    struct dump_state *d = context;
    struct shell *s = d->s;
    const char *name = skerry_column_text(stmt, 0, NULL), *sql = skerry_column_text(stmt, 1, NULL);
    if (!name || !sql) return 0;
    if (!d->tables) {
        if (!d->data_only) fprintf(s->out, "%s;\n", sql);
        return 0;
    }
    if (strcmp(name, "sqlite_sequence") == 0) {
        if (!d->data_only) fputs("DELETE FROM sqlite_sequence;\n", s->out);
    } else if (strncmp(name, "sqlite_stat", 11) == 0) {
        if (!d->data_only) fputs("ANALYZE sqlite_schema;\n", s->out);
    } else if (strncmp(name, "sqlite_", 7) == 0) {
        return 0;
    } else if (strncasecmp(sql, "CREATE VIRTUAL TABLE", 20) == 0) {
        if (!d->data_only) dump_virtual(d, name, sql);
        return 0;
    } else if (!d->data_only) {
        shell_create_print(s->out, sql, NULL, false);
        fputs(";\n", s->out);
    }
    dump_rows(d, name);
    return 0;
}

static void pattern_add(struct buffer *like, const char *pattern)
{
    buffer_text(like, "name LIKE '");
    for (const char *p = pattern; *p; p++)
        buffer_add(like, *p == '\'' ? "''" : p, *p == '\'' ? 2 : 1);
    buffer_text(like, "' ESCAPE '\\'");
}

static bool dump_options(struct dump_state *d, struct buffer *like, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *option = argv[i][0] == '-' ? argv[i] + 1 + (argv[i][1] == '-') : "";
        if (strcmp(option, "data-only") == 0) {
            d->data_only = true;
        } else if (strcmp(option, "newlines") == 0) {
            d->newlines = true;
        } else if (strcmp(option, "preserve-rowids") == 0) {
            d->rowids = true;
        } else if (strcmp(option, "nosys") == 0) {
            buffer_text(like, " AND name NOT LIKE 'sqlite__%'");
        } else if (argv[i][0] == '-') {
            fprintf(stderr, "Unknown option \"%s\" on \".dump\"\n", argv[i]);
            return false;
        }
    }
    u32 patterns = 0;
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-') continue;
        buffer_text(like, patterns++ ? " OR " : " AND (");
        pattern_add(like, argv[i]);
        // The tables of a virtual one of that name hold its rows.
        buffer_text(like, " OR EXISTS(SELECT 1 FROM sqlite_schema WHERE ");
        pattern_add(like, argv[i]);
        buffer_text(like, " AND sql LIKE 'CREATE VIRTUAL TABLE%' AND substr(o.name, 1, length(name) + 1) = name || '_')");
    }
    if (patterns) buffer_text(like, ")");
    buffer_add(like, "", 1);
    return !like->failed;
}

bool shell_dump(struct shell *s, int argc, char **argv)
{
    struct dump_state d = {.s = s, .tables = true};
    struct buffer like = {0}, sql = {0};
    if (!dump_options(&d, &like, argc, argv)) {
        buffer_deinit(&like);
        return false;
    }
    if (!d.data_only) fputs("PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n", s->out);
    buffer_format(&sql,
                  "SELECT name, sql FROM sqlite_schema AS o WHERE type = 'table' AND sql NOT NULL%s "
                  "ORDER BY tbl_name = 'sqlite_sequence', rowid",
                  like.bytes);
    buffer_add(&sql, "", 1);
    if (skerry_exec(s->db, sql.bytes, dump_object, &d) != SKERRY_OK && !d.errors) dump_failed(&d);
    sql.size = 0;
    d.tables = false;
    buffer_format(&sql,
                  "SELECT name, sql FROM sqlite_schema AS o WHERE sql NOT NULL AND type IN "
                  "('index','trigger','view')%s "
                  "ORDER BY rowid",
                  like.bytes);
    buffer_add(&sql, "", 1);
    if (skerry_exec(s->db, sql.bytes, dump_object, &d) != SKERRY_OK && !d.errors) dump_failed(&d);
    if (d.writable_schema) fputs("PRAGMA writable_schema=OFF;\n", s->out);
    if (!d.data_only) fputs(d.errors ? "ROLLBACK; -- due to errors\n" : "COMMIT;\n", s->out);
    buffer_deinit(&sql);
    buffer_deinit(&like);
    return true;
}
