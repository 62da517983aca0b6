// What an application adds to a connection: functions, collations, table-valued functions, and what it wants to hear of.
#include "connection.h"

#include "fn/table_function.h"
#include "sql/schema.h"

#define FUNCTION_NAME_MAX     255
#define FUNCTION_ARGUMENTS_MAX 1000

static int own_failed(struct skerry *db, err_code code, const char *text)
{
    err_clear(&db->err);
    err_set(&db->err, code, __func__, "%s", text);
    return err_primary(code);
}

static bool name_fits(const char *name)
{
    return name && *name && strlen(name) <= FUNCTION_NAME_MAX;
}

// ---- functions ---------------------------------------------------------------------------------------------------

static void function_free(struct own_function *f)
{
    if (f->destroy) f->destroy(f->def.user_pointer);
    free((char *)(uintptr_t)f->def.name);
    free(f);
}

static bool function_fits(const struct skerry_function *f)
{
    if (!name_fits(f->name) || f->argument_count < -1 || f->argument_count > FUNCTION_ARGUMENTS_MAX) return false;
    if (!f->step != !f->final || !f->value != !f->inverse) return false; // one needs the other
    if (f->full_text && (f->step || f->argument_count != -1)) return false;
    return !(f->scalar && f->step) && !(f->value && !f->step);
}

// The one of that name and number of arguments; a link to the list's end when there is none.
static struct own_function **function_find(struct skerry *db, const char *name, s32 argument_count)
{
    struct own_function **link = &db->functions;
    while (*link && ((*link)->def.argument_count != argument_count || !name_equal((*link)->def.name, name)))
        link = &(*link)->next;
    return link;
}

static void function_unlink(struct skerry *db, struct own_function **link)
{
    struct own_function *old = *link;
    *link = old->next;
    function_free(old);
    db->generation++;
}

static int function_refused(struct skerry *db, const struct skerry_function *f, err_code code, const char *text)
{
    if (f->destroy) f->destroy(f->user);
    return own_failed(db, code, text);
}

int skerry_create_function(struct skerry *db, const struct skerry_function *f)
{
    if (!function_fits(f)) return function_refused(db, f, ERR_MISUSE, err_default_text(ERR_MISUSE));
    struct own_function **before = function_find(db, f->name, f->argument_count);
    if (*before && db->active_count > 0)
        return function_refused(db, f, ERR_BUSY, "unable to delete/modify user-function due to active statements");
    if (!f->scalar && !f->step) {
        if (*before) function_unlink(db, before);
        if (f->destroy) f->destroy(f->user);
        return SKERRY_OK;
    }
    struct own_function *own = calloc(1, sizeof *own);
    char *name = strdup(f->name);
    if (!own || !name) {
        free(own);
        free(name);
        return function_refused(db, f, ERR_NOMEM, err_default_text(ERR_NOMEM));
    }
    own->destroy = f->destroy;
    own->def = (struct fn_def){
        .name = name,
        .argument_count = (s16)f->argument_count,
        .flags = (f->deterministic ? FN_DETERMINISTIC : 0u) | (f->direct_only ? FN_DIRECT_ONLY : 0u) |
                 (f->innocuous ? 0u : FN_UNSAFE) | (f->reads_subtype ? FN_READS_SUBTYPE : 0u) |
                 (f->result_subtype ? FN_RESULT_SUBTYPE : 0u) | (f->step ? FN_AGGREGATE | FN_ORDERED : 0u) |
                 (f->value ? FN_WINDOW : 0u) | (f->full_text ? FN_FULL_TEXT : 0u) |
                 (f->full_text && f->full_text_columns ? FN_FULL_TEXT_COLUMNS : 0u),
        .scalar = f->scalar,
        .step = f->step,
        .inverse = f->inverse,
        .final = f->final,
        .value = f->value,
        .user_pointer = f->user,
    };
    if (*before) function_unlink(db, before);
    own->next = db->functions;
    db->functions = own;
    db->generation++;
    return SKERRY_OK;
}

// ---- collations --------------------------------------------------------------------------------------------------

static void collation_free(struct own_collation *c)
{
    if (c->destroy) c->destroy(c->collation.context);
    free((char *)(uintptr_t)c->collation.name);
    free(c);
}

int skerry_create_collation(struct skerry *db, const struct collation *c, void (*destroy)(void *context))
{
    struct own_collation **link = &db->collations, *own = NULL;
    if (!c->name || !*c->name) return own_failed(db, ERR_MISUSE, err_default_text(ERR_MISUSE));
    while (*link && !name_equal((*link)->collation.name, c->name)) link = &(*link)->next;
    if (*link && db->active_count > 0)
        return own_failed(db, ERR_BUSY, "unable to delete/modify collation sequence due to active statements");
    if (c->compare) {
        own = calloc(1, sizeof *own);
        char *name = strdup(c->name);
        if (!own || !name) {
            free(own);
            free(name);
            return own_failed(db, ERR_NOMEM, err_default_text(ERR_NOMEM));
        }
        own->collation = (struct collation){.name = name, .compare = c->compare, .context = c->context};
        own->destroy = destroy;
    }
    struct own_collation *old = *link;
    if (old) {
        *link = old->next;
        collation_free(old);
    }
    if (own) {
        own->next = db->collations;
        db->collations = own;
    }
    db->generation++;
    return SKERRY_OK;
}

// ---- table-valued functions ----------------------------------------------------------------------------------------

int skerry_create_table_function(struct skerry *db, const struct table_function *f)
{
    if (!name_fits(f->name) || f->hidden_count > TABLE_FUNCTION_ARGUMENTS_MAX || f->hidden_count >= f->column_count ||
        f->needed_count > f->hidden_count)
        return own_failed(db, ERR_MISUSE, err_default_text(ERR_MISUSE));
    if (connection_table_function(db, f->name))
        return own_failed(db, ERR_BUSY, "there is a table-valued function of that name");
    struct own_table_function *own = malloc(sizeof *own);
    if (!own) return own_failed(db, ERR_NOMEM, err_default_text(ERR_NOMEM));
    *own = (struct own_table_function){.next = db->table_functions, .function = f};
    db->table_functions = own;
    db->generation++;
    return SKERRY_OK;
}

const struct table_function *connection_table_function(const struct skerry *db, const char *name)
{
    for (const struct own_table_function *f = db->table_functions; f; f = f->next)
        if (name_equal(f->function->name, name)) return f->function;
    return table_function_find(name, strlen(name));
}

void connection_own_free(struct skerry *db)
{
    while (db->functions) {
        struct own_function *f = db->functions;
        db->functions = f->next;
        function_free(f);
    }
    while (db->collations) {
        struct own_collation *c = db->collations;
        db->collations = c->next;
        collation_free(c);
    }
    while (db->table_functions) {
        struct own_table_function *f = db->table_functions;
        db->table_functions = f->next;
        free(f);
    }
}

// ---- what it wants to hear of --------------------------------------------------------------------------------------

void skerry_on_progress(struct skerry *db, u32 loops, bool (*progress)(void *context), void *context)
{
    db->hooks.progress_loops = loops && progress ? loops : 0;
    db->hooks.progress = progress;
    db->hooks.progress_context = context;
}

void skerry_on_change(struct skerry *db,
                      void (*changed)(void *context, enum skerry_change kind, const char *database, const char *table, s64 rowid),
                      void *context)
{
    db->hooks.changed = changed;
    db->hooks.changed_context = context;
}

void skerry_on_commit(struct skerry *db, bool (*refuse)(void *context), void *context)
{
    db->hooks.refuse_commit = refuse;
    db->hooks.commit_context = context;
}

void skerry_on_rollback(struct skerry *db, void (*rolled_back)(void *context), void *context)
{
    db->hooks.rolled_back = rolled_back;
    db->hooks.rollback_context = context;
}

void connection_changed(struct skerry *db, u32 database, pgno root, enum skerry_change kind, s64 rowid)
{
    const struct schema *schema = db->databases[database].schema;
    const struct table *t = NULL;
    for (u32 i = 0; !t && i < schema->table_count; i++)
        if (schema->tables[i]->kind == TABLE_ORDINARY && schema->tables[i]->root == root) t = schema->tables[i];
    if (t && strncasecmp(t->name, "sqlite_", 7) != 0)
        db->hooks.changed(db->hooks.changed_context, kind, db->databases[database].name, t->name, rowid);
}

static bool writes(const struct skerry *db)
{
    for (u32 i = 0; i < db->database_count; i++) {
        const struct txn *t = db->databases[i].txn;
        if (t && txn_state_get(t) == TXN_WRITE) return true;
    }
    return false;
}

bool connection_commit_refused(struct skerry *db)
{
    return db->hooks.refuse_commit && writes(db) && db->hooks.refuse_commit(db->hooks.commit_context);
}

void connection_rolling_back(struct skerry *db)
{
    if (db->hooks.rolled_back && (!db->autocommit || writes(db))) db->hooks.rolled_back(db->hooks.rollback_context);
}
