// The arguments of CREATE VIRTUAL TABLE ... USING fts5(...).
#include "fts.h"

#include <strings.h>

struct config_parse {
    struct arena *arena;
    struct fts_config *config;
    const char **words; // tokenize=
    u32 word_count;
    bool tokenize_seen, content_seen, prefix_seen;
    const char *error;
    bool no_memory;
};

static bool fail(struct config_parse *p, const char *format, const char *what)
{
    p->error = arena_format(p->arena, format, what);
    if (!p->error) p->no_memory = true;
    return false;
}

static bool is_space(char c) { return c == ' '; }
bool fts_is_bare(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (u8)c >= 0x80 ||
           c == 0x1a;
}

static const char *skip_space(const char *s)
{
    while (is_space(*s)) s++;
    return s;
}

// The end of a quoted literal that begins at s, its text undone into *out; NULL: it has no end.
static const char *quoted(struct config_parse *p, const char *s, const char **out)
{
    char quote = *s == '[' ? ']' : *s;
    char *text = arena_alloc(p->arena, strlen(s) + 1), *at = text;
    if (!text) {
        p->no_memory = true;
        return NULL;
    }
    for (s++; *s; s++) {
        if (*s == quote) {
            if (quote == ']' || s[1] != quote) {
                *out = text;
                return s + 1;
            }
            s++;
        }
        *at++ = *s;
    }
    return NULL;
}

static bool is_quote(char c) { return c == '"' || c == '\'' || c == '[' || c == '`'; }

// A bare word or a quoted one; NULL: neither.
static const char *word(struct config_parse *p, const char *s, const char **out, bool *was_quoted)
{
    s = skip_space(s);
    *was_quoted = is_quote(*s);
    if (*was_quoted) return quoted(p, s, out);
    const char *end = s;
    while (fts_is_bare(*end)) end++;
    if (end == s) return NULL;
    *out = arena_copy(p->arena, s, (size_t)(end - s));
    if (!*out) p->no_memory = true;
    return *out ? end : NULL;
}

const char *fts_dequoted(struct arena *a, const char *text)
{
    struct config_parse p = {.arena = a};
    const char *out = text;
    if (is_quote(*text) && !quoted(&p, text, &out) && !p.no_memory) out = text;
    return p.no_memory ? NULL : out;
}

// ---- options -----------------------------------------------------------------------------------------------------

static bool option_prefix(struct config_parse *p, const char *value)
{
    struct fts_config *c = p->config;
    const char *s = value;
    bool first = true;
    for (;;) {
        s = skip_space(s);
        if (!first && *s == ',') {
            s = skip_space(s + 1);
        } else if (*s == 0) {
            break;
        }
        if (*s < '0' || *s > '9') return fail(p, "malformed prefix=... directive", "");
        if (c->prefix_count == FTS_PREFIXES_MAX) return fail(p, "too many prefix indexes (max 31)", "");
        u32 n = 0;
        while (*s >= '0' && *s <= '9' && n < 1000) n = n * 10 + (u32)(*s++ - '0');
        if (n == 0 || n >= 1000) return fail(p, "prefix length out of range (max 999)", "");
        c->prefixes[c->prefix_count++] = n;
        first = false;
    }
    return true;
}

static bool option_tokenize(struct config_parse *p, const char *value)
{
    if (p->tokenize_seen) return fail(p, "multiple tokenize=... directives", "");
    p->tokenize_seen = true;
    u32 capacity = 0;
    const char *s = value;
    while (*(s = skip_space(s))) {
        const char *text = NULL;
        bool was_quoted;
        const char *end = *s == '\'' ? quoted(p, s, &text) : is_quote(*s) ? NULL : word(p, s, &text, &was_quoted);
        if (!end) return p->no_memory ? false : fail(p, "parse error in tokenize directive", "");
        p->words = arena_grow(p->arena, p->words, p->word_count, &capacity, sizeof *p->words);
        if (!p->words) {
            p->no_memory = true;
            return false;
        }
        p->words[p->word_count++] = text;
        s = end;
    }
    return true;
}

static bool option_bool(struct config_parse *p, const char *value, const char *problem, bool *out)
{
    if ((value[0] != '0' && value[0] != '1') || value[1]) return fail(p, problem, "");
    *out = value[0] == '1';
    return true;
}

static bool option_detail(struct config_parse *p, const char *value)
{
    static const char *const names[] = {"full", "columns", "none"};
    size_t size = strlen(value);
    for (u32 i = 0; size && i < COUNT_OF(names); i++) {
        if (strncasecmp(value, names[i], size) != 0) continue;
        p->config->detail = (u8)i;
        return true;
    }
    return fail(p, "malformed detail=... directive", "");
}

static bool option(struct config_parse *p, const char *name, const char *value)
{
    struct fts_config *c = p->config;
    size_t size = strlen(name);
    if (strncasecmp("prefix", name, size) == 0) return option_prefix(p, value);
    if (strncasecmp("tokenize", name, size) == 0) return option_tokenize(p, value);
    if (strncasecmp("content", name, size) == 0) {
        if (p->content_seen) return fail(p, "multiple content=... directives", "");
        p->content_seen = true;
        c->content = *value ? FTS_CONTENT_EXTERNAL : FTS_CONTENT_NONE;
        if (*value) c->content_table = value;
        return true;
    }
    if (strncasecmp("contentless_delete", name, size) == 0)
        return option_bool(p, value, "malformed contentless_delete=... directive", &c->contentless_delete);
    if (strncasecmp("contentless_unindexed", name, size) == 0)
        return option_bool(p, value, "malformed contentless_delete=... directive", &c->contentless_unindexed);
    if (strncasecmp("content_rowid", name, size) == 0) {
        if (c->content_rowid) return fail(p, "multiple content_rowid=... directives", "");
        c->content_rowid = value;
        return true;
    }
    if (strncasecmp("columnsize", name, size) == 0)
        return option_bool(p, value, "malformed columnsize=... directive", &c->column_size);
    if (strncasecmp("locale", name, size) == 0) return option_bool(p, value, "malformed locale=... directive", &c->locale);
    if (strncasecmp("detail", name, size) == 0) return option_detail(p, value);
    if (strncasecmp("tokendata", name, size) == 0)
        return option_bool(p, value, "malformed tokendata=... directive", &c->tokendata);
    return fail(p, "unrecognized option: \"%s\"", name);
}

// ---- columns -----------------------------------------------------------------------------------------------------

static bool column(struct config_parse *p, const char *name, const char *what)
{
    struct fts_config *c = p->config;
    if (strcasecmp(name, "rank") == 0 || strcasecmp(name, "rowid") == 0)
        return fail(p, "reserved fts5 column name: %s", name);
    if (what && strcasecmp(what, "unindexed") == 0)
        c->unindexed[c->column_count] = true;
    else if (what)
        return fail(p, "unrecognized column option: %s", what);
    c->columns[c->column_count++] = name;
    return true;
}

static bool argument(struct config_parse *p, const char *text)
{
    const char *first = NULL, *second = NULL;
    bool first_quoted, second_quoted = false;
    const char *s = word(p, text, &first, &first_quoted);
    if (s) s = skip_space(s);
    bool is_option = s && *s == '=' && !first_quoted;
    if (is_option) {
        s = skip_space(s + 1);
        second = "";
        // content=main.tbl is not a bare word; content=x is.
        if (*s) s = word(p, s, &second, &second_quoted);
    } else if (s && *s) {
        s = word(p, s, &second, &second_quoted);
    }
    if (p->no_memory) return false;
    if (!s || *skip_space(s)) return fail(p, "parse error in \"%s\"", text);
    return is_option ? option(p, first, second) : column(p, first, second);
}

static void contentless_check(struct config_parse *p)
{
    struct fts_config *c = p->config;
    bool contentless = c->content == FTS_CONTENT_NONE;
    if (c->contentless_delete && !contentless)
        (void)fail(p, "contentless_delete=1 requires a contentless table", "");
    else if (c->contentless_delete && !c->column_size)
        (void)fail(p, "contentless_delete=1 is incompatible with columnsize=0", "");
    else if (c->contentless_unindexed && !contentless)
        (void)fail(p, "contentless_unindexed=1 requires a contentless table", "");
    for (u32 i = 0; contentless && c->contentless_unindexed && i < c->column_count; i++)
        if (c->unindexed[i]) c->content = FTS_CONTENT_UNINDEXED;
}

// FTS5 declares its columns, one of the table's own name and "rank" as those of a table: each can be there once.
static bool is_declarable(const struct fts_config *c)
{
    for (u32 i = 0; i < c->column_count; i++) {
        if (strcasecmp(c->columns[i], c->name) == 0) return false;
        for (u32 k = 0; k < i; k++)
            if (strcasecmp(c->columns[i], c->columns[k]) == 0) return false;
    }
    return c->column_count > 0;
}

struct fts_config *fts_config_parse(struct arena *a, const char *name, const char *const *arguments, u32 count,
                                    const char **error)
{
    struct fts_config *c = arena_alloc(a, sizeof *c);
    struct config_parse p = {.arena = a, .config = c};
    *error = NULL;
    if (!c) return NULL;
    c->name = name;
    c->column_size = true;
    c->columns = arena_alloc(a, (count + 1) * sizeof *c->columns);
    c->unindexed = arena_alloc(a, count + 1);
    if (!c->columns || !c->unindexed) return NULL;
    if (strcasecmp(name, "rank") == 0) (void)fail(&p, "reserved fts5 table name: %s", name);
    for (u32 i = 0; i < count && !p.error && !p.no_memory; i++)
        if (!argument(&p, arguments[i])) break;
    if (!p.error && !p.no_memory && c->column_count > FTS_COLUMNS_MAX) (void)fail(&p, "too many columns on %s", name);
    if (!p.error && !p.no_memory) contentless_check(&p);
    if (!p.error && !p.no_memory) {
        bool own = fts_content_own(c);
        if (own) c->content_table = arena_format(a, "%s_content", name);
        if (own || !c->content_rowid) c->content_rowid = own ? "id" : "rowid";
        c->tokenizer = fts_tokenizer_create(a, p.words, p.word_count, &c->tokenizer_missing);
    }
    *error = p.error;
    return p.error || p.no_memory || (!c->tokenizer && !c->tokenizer_missing) || !is_declarable(c) ? NULL : c;
}

const char *fts_shadow_suffix(const struct fts_config *c, u32 index)
{
    const char *all[5];
    u32 count = 0;
    all[count++] = "data";
    all[count++] = "idx";
    if (fts_content_own(c)) all[count++] = "content";
    if (c->column_size) all[count++] = "docsize";
    all[count++] = "config";
    return index < count ? all[index] : NULL;
}

const char *fts_shadow_columns(struct arena *a, const struct fts_config *c, u32 index)
{
    const char *suffix = fts_shadow_suffix(c, index);
    if (!suffix) return NULL;
    if (strcmp(suffix, "data") == 0) return "(id INTEGER PRIMARY KEY, block BLOB)";
    if (strcmp(suffix, "idx") == 0) return "(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID";
    if (strcmp(suffix, "docsize") == 0)
        return c->contentless_delete ? "(id INTEGER PRIMARY KEY, sz BLOB, origin INTEGER)" : "(id INTEGER PRIMARY KEY, sz BLOB)";
    if (strcmp(suffix, "config") == 0) return "(k PRIMARY KEY, v) WITHOUT ROWID";
    const char *list = "(id INTEGER PRIMARY KEY";
    for (u32 i = 0; list && i < c->column_count; i++)
        if (fts_column_kept(c, i)) list = arena_format(a, "%s, c%u", list, i);
    for (u32 i = 0; list && i < c->column_count; i++)
        if (fts_locale_kept(c, i)) list = arena_format(a, "%s, l%u", list, i);
    return list ? arena_format(a, "%s)", list) : NULL;
}
