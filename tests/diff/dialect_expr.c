#include "dialect.h"

#include <stdarg.h>

u32 dialect_pick(struct dialect *d, u32 n) { return (u32)(test_random(&d->state) % n); }
bool dialect_chance(struct dialect *d, u32 percent) { return dialect_pick(d, 100) < percent; }

void dialect_add(struct dialect *d, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(d->text + d->size, sizeof d->text - d->size, format, args);
    va_end(args);
    d->size = MIN(d->size + (size_t)MAX(n, 0), sizeof d->text - 1);
}

const char *dialect_table_name(const struct dialect *d, const struct dialect_table *t, bool in_trigger)
{
    static char name[40];
    if (!t->other || in_trigger || d->in_trigger_new || d->in_trigger_old) return t->name;
    snprintf(name, sizeof name, "other.%s", t->name);
    return name;
}

void dialect_value(struct dialect *d)
{
    static const char *const values[] = {
        "NULL", "NULL", "0",     "1",      "2",     "3",       "-1",    "10",      "7",           "1.5",         "-0.5",
        "2.0",  "100",  "'a'",   "'b'",    "'B'",   "''",      "'abc'", "'ABC'",   "'1'",         "'2.0'",       "' 3'",
        "'1e2'", "x'61'", "x''", "x'00ff'", "'abc '", "'a_c%'", "'é'",   "'10'",    "'2024-02-29'", "'12:30:45.678'",
        "TRUE", "FALSE", "0x1F", "1e3", "'{\"a\":1,\"b\":[1,2,{\"c\":null}]}'", "'[1,\"x\",2.5,true,null]'"};
    static const char *const rare[] = {"9223372036854775807", "-9223372036854775808", "9223372036854775808", "1e300",
                                       "-1e-308", "0.1", "'0x10'", "'-'", "'+5'", "'5 x'", "'1e500'", "1e500", "'Infinity'",
                                       "x'31'", "'\n'", "4611686018427387904", "2147483648", "'9223372036854775807'",
                                       "123456789.987654321", "1e-5", "1e15", "1e16", "'a''b'", "1_000"};
    // Texts with a NUL in them, and such as are none.
    static const char *const bytes[] = {"CAST(x'ff41' AS TEXT)", "CAST(x'610062' AS TEXT)", "char(0)", "'a' || char(0) || 'b'", "x'610062'",
                                        "CAST(x'c328' AS TEXT)", "CAST(x'f09f' AS TEXT)", "'\xf0\x9f\x98\x80'", "x'0000'"};
    // Rows that take several pages, and a name that is none.
    static const char *const large[] = {"printf('%.700c', 'a')", "zeroblob(900)", "hex(zeroblob(2500))", "printf('%.9000c', 'Z')", "(\"a text\" || '')"};
    if (dialect_chance(d, 2) && d->newest && !d->wide) {
        dialect_add(d, "%s", dialect_one(d, bytes));
        return;
    }
    if (dialect_chance(d, 1) || (d->large && dialect_chance(d, 10))) {
        u32 i = dialect_pick(d, COUNT_OF(large));
        dialect_add(d, "%s", large[i + (d->wide && i == 1)]);
        return;
    }
    // Not 1e308: SQLite 3.50 writes 9999999999999999 and so on for it, 3.53 does not. Numbers of more than 15 digits were other ones in 3.40.
    if (d->newest && dialect_chance(d, 4) && d->constant_only) {
        dialect_add(d, "%s", dialect_one(d, rare));
        return;
    }
    const char *value = dialect_one(d, values);
    // As a character above U+00FF it makes SQLite take '-0.5' before it for 0.
    dialect_add(d, "%s", d->wide && strcmp(value, "x'00ff'") == 0 ? "x'c3'" : value);
}

bool dialect_has_rowid(const struct dialect_source *s) { return !s->table->without_rowid && !s->table->view; }

void dialect_column(struct dialect *d)
{
    if ((d->in_trigger_new || d->in_trigger_old) && dialect_chance(d, 35)) {
        const struct dialect_table *t = &d->tables[d->trigger_table];
        bool new = d->in_trigger_new && (!d->in_trigger_old || dialect_chance(d, 50));
        dialect_add(d, "%s.%s", new ? "new" : "old", t->columns[dialect_pick(d, t->count)]);
        return;
    }
    if (!d->scope_count) {
        dialect_value(d);
        return;
    }
    // The innermost sources most of the time.
    u32 at = dialect_chance(d, 75) ? d->scope_count - 1 - dialect_pick(d, MIN(d->scope_count, 2)) : dialect_pick(d, d->scope_count);
    const struct dialect_source *s = &d->scope[at];
    const char *column = s->table->columns[dialect_pick(d, s->table->count)];
    if (dialect_chance(d, 3) && dialect_has_rowid(s))
        dialect_add(d, "%s.rowid", s->name);
    else if (dialect_chance(d, 93))
        dialect_add(d, "%s.%s", s->name, column);
    else
        dialect_add(d, "%s", column);
}

static void arguments(struct dialect *d, int depth, u32 count)
{
    for (u32 i = 0; i < count; i++) {
        if (i) dialect_add(d, ", ");
        dialect_expr(d, depth);
    }
}

static void function(struct dialect *d, int depth)
{
    static const struct {
        const char *name;
        u32 min, max;
    } functions[] = {
        {"abs", 1, 1}, {"coalesce", 2, 3}, {"ifnull", 2, 2}, {"nullif", 2, 2}, {"length", 1, 1}, {"lower", 1, 1},
        {"upper", 1, 1}, {"substr", 2, 3}, {"instr", 2, 2}, {"replace", 3, 3}, {"trim", 1, 2}, {"ltrim", 1, 2},
        {"rtrim", 1, 2}, {"hex", 1, 1}, {"quote", 1, 1}, {"typeof", 1, 1}, {"unicode", 1, 1}, {"char", 0, 2},
        {"min", 2, 3}, {"max", 2, 3}, {"round", 1, 2}, {"sign", 1, 1}, {"iif", 3, 3}, {"likely", 1, 1},
        {"unlikely", 1, 1}, {"zeroblob", 1, 1}, {"soundex", 1, 1}, {"ceil", 1, 1},
        {"floor", 1, 1}, {"trunc", 1, 1}, {"mod", 2, 2}, {"sqrt", 1, 1}, {"json", 1, 1}, {"json_array", 0, 3},
        {"json_type", 1, 1}, {"json_quote", 1, 1}, {"json_array_length", 1, 1}, {"date", 1, 1},
        {"time", 1, 1}, {"datetime", 1, 1}, {"abs", 1, 1}, {"total_changes", 0, 0}, {"json_object", 0, 0},
        {"likelihood", 1, 1}, {"changes", 0, 0}, {"format", 1, 3}, {"substring", 2, 3}, {"ceiling", 1, 1}, {"json_object", 2, 2},
        {"exp", 1, 1}, {"pow", 2, 2}, {"sin", 1, 1}, {"atan2", 2, 2}, {"pi", 0, 0}, {"acosh", 1, 1}, {"last_insert_rowid", 0, 0},
        // since 3.41
        {"ln", 1, 1}, {"log", 1, 2}, {"log10", 1, 1}, {"log2", 1, 1}, {"degrees", 1, 1}, {"radians", 1, 1}, {"unhex", 1, 2}, {"octet_length", 1, 1}, {"concat", 1, 3}, {"concat_ws", 2, 3}, {"jsonb", 1, 1},
        {"json_error_position", 1, 1}, {"jsonb_array", 0, 3}, {"if", 2, 5}, {"unistr_quote", 1, 1}, {"unistr", 1, 1}, {"json_valid", 1, 2}, {"json_pretty", 1, 2}, {"glob", 2, 2}, {"like", 2, 3}};
    u32 count = COUNT_OF(functions) - (d->newest ? 0 : 20), i = dialect_pick(d, count);
    if (!d->newest && strcmp(functions[i].name, "replace") == 0) i--; // 3.40 leaves numbers as they are
    // It also adds reals up in another way.
    static const char *const reals[] = {"sqrt", "exp", "pow", "sin", "atan2", "pi", "acosh"};
    for (u32 k = 0; k < COUNT_OF(reals) && !d->newest; k++)
        if (strcmp(functions[i].name, reals[k]) == 0) i = 0;
    if (!d->concat && strcmp(functions[i].name, "concat_ws") == 0) i--;
    if (d->wide && strncmp(functions[i].name, "concat", 6) == 0) i = 0; // SQLite cuts what a blob is as text at the blob's size
    if (d->wide && strcmp(functions[i].name, "instr") == 0) i = 0; // it finds the end of the text in a blob that is no text
    if (strcmp(functions[i].name, "likelihood") == 0) {
        dialect_add(d, "likelihood(");
        dialect_expr(d, depth);
        dialect_add(d, ", 0.25)");
        return;
    }
    if (strcmp(functions[i].name, "zeroblob") == 0) {
        // To SQLite its bytes are UTF-8 in CAST, those of any other blob are of the database's encoding.
        dialect_add(d, d->wide ? "substr(x'000000', 1, %u)" : "zeroblob(%u)", dialect_pick(d, 4));
        return;
    }
    dialect_add(d, "%s(", functions[i].name);
    u32 min = functions[i].min + (!d->newest && strcmp(functions[i].name, "char") == 0); // nothing in replace() was another case
    arguments(d, depth, min + dialect_pick(d, functions[i].max - min + 1));
    dialect_add(d, ")");
}

static void json_function(struct dialect *d, int depth)
{
    static const char *const names[] = {"json_extract", "json_set", "json_insert", "json_replace", "json_remove", "json_patch",
                                        "json_type", "json_array_length", "->", "->>"};
    static const char *const paths[] = {"'$'", "'$.a'", "'$.b'", "'$.b[0]'", "'$.b[#-1]'", "'$[1]'", "'$.b[2].c'", "'$.z'",
                                        "'$[#]'", "'$.\"a\"'", "'$.'", "'a'", "'$.b[9]'", "'$.b[#]'"};
    static const char *const documents[] = {
        "'{\"a\":1,\"b\":[1,2,{\"c\":null}]}'", "'[1,\"x\",2.5,true,null]'", "'{}'", "'[]'", "'\"s\"'", "'12'", "'nope'",
        "'{\"a\":{\"b\":[]},\"a\":2}'", "'[[1],[2,[3]]]'", "NULL", "'{\"b\":\"q\\u00e9\\n\"}'", "'{a:1,b:[+2,.5,0x10],}'"};
    u32 n = dialect_pick(d, COUNT_OF(names));
    if (!d->newest && n >= 1 && n <= 5) n = 0; // 3.40 is another JSON
    // To SQLite the text that a function makes of JSON5 stays JSON5 within other functions: it keeps the binary form by the text.
    u32 known = d->newest && (n == 0 || n > 5) ? COUNT_OF(documents) : COUNT_OF(documents) - 1;
    bool document = dialect_chance(d, 80);
    if (n >= 8 && dialect_chance(d, 20)) {
        dialect_add(d, "(");
        dialect_column(d);
        dialect_add(d, " %s %d)", names[n], (int)dialect_pick(d, 4) - 1);
        return;
    }
    if (n >= 8) {
        dialect_add(d, "(");
        if (document) dialect_add(d, "%s", documents[dialect_pick(d, known)]);
        else dialect_expr(d, depth);
        dialect_add(d, " %s %s)", names[n], dialect_one(d, paths));
        return;
    }
    bool binary = d->newest && n <= 5 && dialect_chance(d, 20);
    if (binary) dialect_add(d, "json(jsonb%s(", names[n] + 4);
    else dialect_add(d, "%s(", names[n]);
    if (document) dialect_add(d, "%s", documents[dialect_pick(d, known)]);
    else dialect_expr(d, depth);
    dialect_add(d, ", ");
    if (n == 5) {
        dialect_add(d, "%s", documents[dialect_pick(d, known)]);
    } else {
        dialect_add(d, "%s", dialect_one(d, paths));
        if (n == 1 || n == 2 || n == 3) {
            dialect_add(d, ", ");
            dialect_expr(d, depth);
        }
    }
    dialect_add(d, binary ? "))" : ")");
}

static void date_function(struct dialect *d, int depth)
{
    static const char *const names[] = {"date", "time", "datetime", "julianday", "strftime", "unixepoch", "timediff"};
    static const char *const formats[] = {"'%Y-%m-%d %H:%M:%f'", "'%j %w %W %s'", "'%J'", "'%d/%m/%%'", "'%H%M%S'", "'%q'"};
    static const char *const new_formats[] = {"'%e|%F|%I|%k|%l|%p|%P|%R|%T|%u|%G-%g-%V|%U'"};
    static const char *const times[] = {"'2024-02-29'", "'2024-02-29 23:59:59.999'", "'2023-12-31T12:00Z'", "'12:34'",
                                        "2460000.5", "1700000000", "'1970-01-01 00:00:00+05:30'", "'bad'", "NULL",
                                        "'-0044-03-15'", "'9999-12-31'", "0", "'2024-13-01'", "-1", "'2024-02-30'"};
    u32 time_count = COUNT_OF(times) - !d->newest; // 3.40 lets that day stand
    static const char *const modifiers[] = {"'+1 day'", "'-1 month'", "'+13 months'", "'start of month'", "'start of year'",
                                            "'start of day'", "'weekday 0'", "'weekday 5'", "'unixepoch'", "'auto'",
                                            "'julianday'", "'+1.5 hours'", "'-90 minutes'", "'+12:34'", "'-0000-01-01'",
                                            "'utc'", "'+1 year'", "'nonsense'", "'+1 fortnight'", "'subsec'", "'ceiling'", "'floor'",
                                            "'-0001-02-03 04:05'"};
    u32 n = dialect_pick(d, d->newest ? 7 : 6);
    if (n == 3 && !d->newest) n = 0; // 3.40 adds reals up in another way
    dialect_add(d, "%s(", names[n]);
    if (n == 4) dialect_add(d, "%s, ", d->newest && dialect_chance(d, 30) ? dialect_one(d, new_formats) : dialect_one(d, formats));
    if (dialect_chance(d, 90)) dialect_add(d, "%s", times[dialect_pick(d, time_count)]);
    else dialect_expr(d, depth);
    if (n == 6) dialect_add(d, ", %s", dialect_one(d, times));
    u32 last = d->newest ? COUNT_OF(modifiers) : COUNT_OF(modifiers) - 4;
    for (u32 i = n == 6 ? 0 : dialect_pick(d, 3); i; i--) {
        u32 m = dialect_pick(d, last);
        if (!d->newest && (m == 14 || m == 15)) m = 0;
        dialect_add(d, ", %s", modifiers[m]);
    }
    dialect_add(d, ")");
}

static void printf_function(struct dialect *d, int depth)
{
    static const char *const formats[] = {"%d", "%5d|", "%-5d|", "%05d", "%+d", "% d", "%,d", "%x", "%X", "%#x", "%o", "%c",
                                          "%s", "%10s|", "%-10s|", "%.2s", "%q", "%Q", "%w", "%f", "%.3f", "%10.2f|", "%e",
                                          "%.0e", "%g", "%G", "%!g", "%#g", "%%", "%i", "%u", "%z", "%.15g", "%*d",
                                          "%.*f", "%+.3e", "%lld", "%p", "%n%d", "%!s", "%!.3s", "%,5d", "%015.4f", "%!.20f", "%,.2f"}; // the last two since 3.41
    const char *format = formats[dialect_pick(d, COUNT_OF(formats) - (d->newest ? 0 : 2))];
    if (d->wide && strcmp(format, "%.2s") == 0) format = "%s"; // bytes of UTF-8: SQLite takes half a character for another one
    dialect_add(d, "printf('%s'", format);
    bool width = strchr(format, '*') != NULL; // or texts of 100 MB, several times in both engines
    for (u32 i = dialect_pick(d, 3); i; i--) {
        dialect_add(d, width ? ", (" : ", ");
        dialect_expr(d, depth);
        if (width) dialect_add(d, ") %% 5000");
        width = false;
    }
    dialect_add(d, ")");
}

static void subquery(struct dialect *d, int depth, u32 columns)
{
    bool ordered;
    dialect_add(d, "(");
    dialect_select(d, depth, columns, &ordered);
    dialect_add(d, ")");
}

static void row(struct dialect *d, int depth)
{
    dialect_add(d, "(");
    arguments(d, depth, 2);
    dialect_add(d, ")");
}

// TRUE and FALSE, written last, are no words for IS here.
static void no_truth(struct dialect *d, size_t from)
{
    const char *text = d->text + from;
    if (!d->no_truth || (strcmp(text, "TRUE") != 0 && strcmp(text, "FALSE") != 0)) return;
    d->size = from;
    dialect_add(d, "1");
}

void dialect_expr(struct dialect *d, int depth)
{
    static const char *const binary[] = {"+", "-", "*", "/", "%", "||", "&", "|", "<<", ">>", "=", "<>", "<", "<=", ">", ">=",
                                         "AND", "OR", "IS", "IS NOT", "==", "!=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"};
    static const char *const types[] = {"INTEGER", "TEXT", "REAL", "NUMERIC", "BLOB", "", "VARCHAR(3)"};
    static const char *const collations[] = {"NOCASE", "RTRIM", "BINARY"};
    if (depth <= 0 || d->size > sizeof d->text / 2) {
        if (dialect_chance(d, 60)) dialect_column(d);
        else dialect_value(d);
        return;
    }
    depth--;
    size_t right;
    bool subqueries = depth > 0 && !d->constant_only && d->table_count;
    switch (dialect_pick(d, 26)) {
    case 0: case 1: case 2: dialect_column(d); break;
    case 3: dialect_value(d); break;
    case 4: case 5: case 6: case 7:
        dialect_add(d, "(");
        dialect_expr(d, depth);
        dialect_add(d, " %s ", dialect_one(d, binary));
        right = d->size;
        dialect_expr(d, depth);
        // What IS NULL makes of literals when it is read changed with 3.51.
        if (strcmp(d->text + right, "NULL") == 0) {
            d->size = right;
            dialect_add(d, "0");
        }
        no_truth(d, right);
        dialect_add(d, ")");
        break;
    case 8:
        dialect_add(d, "%s(", dialect_chance(d, 50) ? "-" : dialect_chance(d, 50) ? "NOT " : "~");
        dialect_expr(d, depth);
        dialect_add(d, ")");
        break;
    case 9:
        dialect_add(d, "CAST(");
        dialect_expr(d, depth);
        dialect_add(d, " AS %s)", dialect_one(d, types));
        break;
    case 10: case 11: function(d, depth); break;
    case 12: json_function(d, depth); break;
    case 13: date_function(d, depth); break;
    case 14: printf_function(d, depth); break;
    case 15:
        dialect_add(d, "(");
        dialect_expr(d, depth);
        dialect_add(d, " COLLATE %s)", dialect_one(d, collations));
        break;
    case 16:
        dialect_add(d, "CASE");
        if (dialect_chance(d, 50)) {
            dialect_add(d, " ");
            dialect_expr(d, depth);
        }
        for (u32 i = 1 + dialect_pick(d, 2); i; i--) {
            dialect_add(d, " WHEN ");
            dialect_expr(d, depth);
            dialect_add(d, " THEN ");
            dialect_expr(d, depth);
        }
        if (dialect_chance(d, 50)) {
            dialect_add(d, " ELSE ");
            dialect_expr(d, depth);
        }
        dialect_add(d, " END");
        break;
    case 17:
        if (subqueries) subquery(d, depth, 1);
        else dialect_column(d);
        break;
    case 18:
        dialect_add(d, "%sEXISTS ", dialect_chance(d, 50) ? "NOT " : "");
        if (subqueries) subquery(d, depth, 0);
        else dialect_add(d, "(SELECT 1)");
        break;
    default: dialect_condition(d, depth); break;
    }
}

// Debian builds SQLite so that blobs match no pattern.
static void pattern_operand(struct dialect *d)
{
    if (!d->newest) dialect_add(d, "quote(");
    dialect_column(d);
    if (!d->newest) dialect_add(d, ")");
}

void dialect_condition(struct dialect *d, int depth)
{
    static const char *const compare[] = {"=", "<>", "<", "<=", ">", ">=", "IS", "IS NOT"};
    bool subqueries = depth > 0 && !d->constant_only && d->table_count;
    size_t right;
    depth--;
    switch (dialect_pick(d, 16)) {
    case 0: case 1: case 2: case 3: case 4:
        dialect_column(d);
        dialect_add(d, " %s ", dialect_one(d, compare));
        right = d->size;
        dialect_expr(d, depth);
        no_truth(d, right);
        break;
    case 5:
        dialect_column(d);
        dialect_add(d, " %sBETWEEN ", dialect_chance(d, 30) ? "NOT " : "");
        dialect_expr(d, depth);
        dialect_add(d, " AND ");
        dialect_expr(d, depth);
        break;
    case 6:
        dialect_column(d);
        dialect_add(d, " %sIN (", dialect_chance(d, 30) ? "NOT " : "");
        arguments(d, depth, 1 + dialect_pick(d, 3)); // IN () is a constant that is left out here and there
        dialect_add(d, ")");
        break;
    case 7:
        dialect_column(d);
        dialect_add(d, " %sIN ", dialect_chance(d, 30) ? "NOT " : "");
        if (subqueries) subquery(d, depth, 1);
        else dialect_add(d, "(1, 2)");
        break;
    case 8:
        dialect_column(d);
        dialect_add(d, " %s", dialect_chance(d, 50) ? "IS NULL" : dialect_chance(d, 50) ? "NOTNULL" : "IS NOT NULL");
        break;
    case 9:
        pattern_operand(d);
        if (d->no_pattern) {
            dialect_add(d, " NOTNULL");
            break;
        }
        if (d->newest && dialect_chance(d, 15)) {
            dialect_add(d, dialect_chance(d, 50) ? " LIKE " : " GLOB ");
            dialect_expr(d, depth);
            break;
        }
        dialect_add(d, " %s %s", dialect_chance(d, 50) ? "LIKE" : "NOT LIKE",
                    dialect_chance(d, 50) ? "'a%'" : dialect_chance(d, 50) ? "'_b%'" : "'a\\_%' ESCAPE '\\'");
        break;
    case 10:
        pattern_operand(d);
        if (d->no_pattern) dialect_add(d, " = 'a'");
        else dialect_add(d, " GLOB %s", dialect_chance(d, 50) ? "'a*'" : "'[^a]?*'");
        break;
    case 11:
        dialect_add(d, "(");
        dialect_condition(d, depth);
        dialect_add(d, dialect_chance(d, 60) ? " AND " : " OR ");
        if (depth > 0) dialect_condition(d, depth);
        else dialect_column(d);
        dialect_add(d, ")");
        break;
    case 12:
        row(d, depth);
        if (dialect_chance(d, 12)) {
            dialect_add(d, " %sBETWEEN ", dialect_chance(d, 30) ? "NOT " : "");
            row(d, depth);
            dialect_add(d, " AND ");
            row(d, depth);
            break;
        }
        dialect_add(d, " %s ", dialect_one(d, compare));
        if (subqueries && dialect_chance(d, 25)) dialect_row_query(d, depth, 2);
        else row(d, depth);
        break;
    case 13:
        row(d, depth);
        dialect_add(d, " IN ");
        if (subqueries) {
            subquery(d, depth, 2);
        } else {
            dialect_add(d, "(VALUES ");
            row(d, depth);
            dialect_add(d, ")");
        }
        break;
    case 14:
        if (d->no_truth) {
            dialect_column(d);
            return;
        }
        dialect_expr(d, depth);
        dialect_add(d, " IS %s%s", dialect_chance(d, 30) ? "NOT " : "", dialect_chance(d, 50) ? "TRUE" : "FALSE");
        break;
    default:
        dialect_column(d);
        dialect_add(d, " = ");
        dialect_column(d);
    }
}
