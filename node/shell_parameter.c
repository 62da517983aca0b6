#include "shell.h"

// Values of parameters live where sqlite3's shell keeps them, so that scripts can read them.
static const char TABLE_MAKE[] =
    "CREATE TABLE IF NOT EXISTS temp.sqlite_parameters(key TEXT PRIMARY KEY, value) WITHOUT ROWID";

static bool table_make(struct shell *s)
{
    // Names that start with sqlite_ are reserved.
    skerry_exec(s->db, "PRAGMA writable_schema=ON", NULL, NULL);
    bool good = skerry_exec(s->db, TABLE_MAKE, NULL, NULL) == SKERRY_OK;
    skerry_exec(s->db, "PRAGMA writable_schema=OFF", NULL, NULL);
    s->parameters = true;
    return good;
}

static struct skerry_stmt *statement_prepare(struct shell *s, const char *sql)
{
    struct skerry_stmt *stmt = NULL;
    size_t used;
    int rc;
    while ((rc = skerry_prepare(s->db, sql, strlen(sql), &stmt, &used)) == SKERRY_WAIT)
        skerry_wait(s->db);
    return rc == SKERRY_OK ? stmt : NULL;
}

static int statement_step(struct shell *s, struct skerry_stmt *stmt)
{
    int rc;
    while ((rc = skerry_step(stmt)) == SKERRY_WAIT) skerry_wait(s->db);
    return rc;
}

void shell_parameters_bind(struct shell *s, struct skerry_stmt *stmt)
{
    u32 count = skerry_parameter_count(stmt);
    struct skerry_stmt *find =
        count ? statement_prepare(s, "SELECT value FROM temp.sqlite_parameters WHERE key = ?1")
              : NULL;
    for (u32 i = 1; find && i <= count; i++) {
        const char *name = skerry_parameter_name(stmt, i);
        if (!name) continue;
        skerry_bind_text(find, 1, name, strlen(name));
        if (statement_step(s, find) == SKERRY_ROW)
            skerry_bind(stmt, i, skerry_column(find, 0));
        else
            skerry_bind_null(stmt, i);
        while (skerry_reset(find) == SKERRY_WAIT) skerry_wait(s->db);
    }
    if (find) skerry_finalize(find);
}

static int longest_key(void *context, struct skerry_stmt *stmt)
{
    *(s64 *)context = skerry_column_integer(stmt, 0);
    return 0;
}

struct list_state {
    struct shell *s;
    s64 width;
};

static int parameter_print(void *context, struct skerry_stmt *stmt)
{
    struct list_state *l = context;
    const char *key = skerry_column_text(stmt, 0, NULL), *value = skerry_column_text(stmt, 1, NULL);
    fprintf(l->s->out, "%-*s %s\n", (int)l->width, key ? key : "", value ? value : "");
    return 0;
}

// The value is an expression when it is one, and a text otherwise.
static bool parameter_set(struct shell *s, const char *key, const char *value)
{
    struct buffer sql = {0};
    table_make(s);
    buffer_format(&sql, "REPLACE INTO temp.sqlite_parameters(key, value) VALUES(?1, %s)", value);
    buffer_add(&sql, "", 1);
    struct skerry_stmt *stmt = sql.failed ? NULL : statement_prepare(s, sql.bytes);
    bool text = !stmt;
    if (text)
        stmt =
            statement_prepare(s, "REPLACE INTO temp.sqlite_parameters(key, value) VALUES(?1, ?2)");
    buffer_deinit(&sql);
    bool good = stmt != NULL;
    if (good) {
        skerry_bind_text(stmt, 1, key, strlen(key));
        if (text) skerry_bind_text(stmt, 2, value, strlen(value));
        good = statement_step(s, stmt) == SKERRY_DONE;
    }
    if (!good) shell_error(s, "Error: %s\n", skerry_error(s->db)->text);
    if (stmt) skerry_finalize(stmt);
    return good;
}

bool shell_parameter_command(struct shell *s, int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";
    if (strcmp(command, "init") == 0 && argc == 2) return table_make(s);
    if (strcmp(command, "set") == 0 && argc == 4) return parameter_set(s, argv[2], argv[3]);
    if (strcmp(command, "clear") == 0 && argc == 2) {
        skerry_exec(s->db, "DROP TABLE IF EXISTS temp.sqlite_parameters", NULL, NULL);
        return true;
    }
    if (strcmp(command, "unset") == 0 && argc == 3) {
        struct skerry_stmt *stmt =
            statement_prepare(s, "DELETE FROM temp.sqlite_parameters WHERE key = ?1");
        if (!stmt) return true;
        skerry_bind_text(stmt, 1, argv[2], strlen(argv[2]));
        (void)statement_step(s, stmt);
        skerry_finalize(stmt);
        return true;
    }
    if (strcmp(command, "list") == 0 && argc == 2) {
        struct list_state l = {s, 0};
        if (skerry_exec(s->db, "SELECT max(length(key)) FROM temp.sqlite_parameters", longest_key,
                        &l.width) != SKERRY_OK)
            return true;
        skerry_exec(s->db, "SELECT key, quote(value) FROM temp.sqlite_parameters", parameter_print,
                    &l);
        return true;
    }
    fprintf(s->out, ".parameter CMD ...       Manage SQL parameter bindings\n"
                    "   clear                   Erase all bindings\n"
                    "   init                    Initialize the TEMP table that holds bindings\n"
                    "   list                    List the current parameter bindings\n"
                    "   set PARAMETER VALUE     Given SQL parameter PARAMETER a value of VALUE\n"
                    "                           PARAMETER should start with one of: $ : @ ?\n"
                    "   unset PARAMETER         Remove PARAMETER from the binding table\n");
    return false;
}
