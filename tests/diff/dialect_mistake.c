#include "dialect.h"

// T: a table, V: one of its columns, W: another.
static const char *const anywhere[] = {
    "SELECT nosuch FROM T", "SELECT T.nosuch FROM T", "SELECT x.V FROM T AS x, T AS y WHERE V = 1", "SELECT T.* FROM T AS x",
    "SELECT abs() FROM T", "SELECT abs(1, 2)", "SELECT nofunction(V) FROM T", "SELECT * FROM nosuch", "SELECT * FROM nodb.nosuch",
    "UPDATE nosuch SET V = 1", "DELETE FROM T WHERE nosuch", "DELETE FROM T WHERE V = x.V", "SELECT V FROM T GROUP BY 0",
    "SELECT V FROM T ORDER BY 9", "SELECT V FROM T ORDER BY 1, 2, 3, 4", "SELECT V FROM T UNION SELECT 1, 2",
    "SELECT V FROM T ORDER BY V UNION SELECT 1", "SELECT V FROM T LIMIT 1 UNION SELECT 2", "SELECT (1, 2)", "SELECT 1 = (1, 2)",
    "SELECT (1, 2) = (1, 2, 3)", "SELECT (SELECT 1, 2)", "SELECT 1 IN (SELECT 1, 2)", "SELECT (1, 2) IN (SELECT 1)",
    "SELECT (1, 2) IN ((1, 2), (1, 2, 3))", "SELECT sum(sum(V)) FROM T", "SELECT V FROM T WHERE sum(V)", "SELECT row_number()",
    "SELECT V FROM T WHERE row_number() OVER () > 1", "SELECT sum(V) OVER (ROWS BETWEEN CURRENT ROW AND 1 PRECEDING) FROM T",
    "SELECT row_number() FILTER (WHERE 1) OVER () FROM T", "SELECT count(DISTINCT V, 1) FROM T", "SELECT count(DISTINCT V) OVER () FROM T",
    "SELECT V COLLATE nosuch FROM T", "SELECT V FROM T ORDER BY V COLLATE nosuch", "SELECT x'1'", "SELECT 1e", "SELECT 'abc", "SELECT [abc",
    "SELECT FROM T", "SELEC 1", "SELECT 1 1 1", "SELECT * FROM T NATURAL JOIN T AS y USING (V)", "SELECT * FROM T JOIN T AS y USING(nosuch)",
    "SELECT * FROM T NATURAL JOIN T AS y ON 1", "CREATE INDEX ix ON T(nosuch)", "DROP TABLE nosuch", "DROP INDEX nosuch", "DROP VIEW nosuch",
    "DROP TRIGGER nosuch", "ALTER TABLE nosuch RENAME TO x", "RELEASE nosuch", "ROLLBACK TO nosuch", "ATTACH ':memory:' AS main",
    "DETACH nosuch", "DETACH main", "REINDEX nosuch", "ANALYZE nosuch", "SELECT raise(abort, 'x')", "SELECT new.V", "SELECT old.V FROM T",
    "WITH w AS (SELECT 1) SELECT * FROM w, nosuch", "WITH w(a, b) AS (SELECT 1) SELECT * FROM w", "WITH w(a) AS (SELECT 1), w(b) AS (SELECT 2) SELECT 1",
    "WITH RECURSIVE w(a) AS (SELECT a FROM w) SELECT * FROM w", "WITH RECURSIVE w(a) AS (SELECT 1 UNION SELECT a FROM w, w AS v) SELECT * FROM w",
    "WITH RECURSIVE w(a) AS (SELECT 1 UNION ALL SELECT sum(a) FROM w) SELECT * FROM w",
    "SELECT * FROM T INDEXED BY nosuch", "SELECT 1 WHERE", "VALUES (1), (1, 2)", "SELECT json('{')", "SELECT abs(-9223372036854775808)",
    "SELECT 1 LIKE 2 ESCAPE 'ab'", "SELECT sum(1) OVER w FROM T", "SELECT sum(1) OVER (w ROWS CURRENT ROW) FROM T WINDOW w AS (ROWS CURRENT ROW)",
    "SELECT sum(1) OVER (w PARTITION BY 1) FROM T WINDOW w AS (ORDER BY 1)", "SELECT sum(1) OVER (w ORDER BY 1) FROM T WINDOW w AS (ORDER BY 1)",
    "SELECT group_concat() FROM T", "SELECT substr(1)", "SELECT likelihood(1, 2)", "SELECT likelihood(1, V) FROM T", "SELECT zeroblob(9999999999)",
    "CREATE TRIGGER rx BEFORE INSERT ON nosuch BEGIN SELECT 1; END", "CREATE VIEW vx AS SELECT ?1", "CREATE TABLE x(a, a)", "CREATE TABLE x(a, A)",
    "CREATE TABLE x(a INTEGER PRIMARY KEY, b PRIMARY KEY)", "CREATE TABLE x(a) WITHOUT ROWID", "CREATE TABLE x(a TEXT PRIMARY KEY AUTOINCREMENT)",
    "CREATE TABLE x(a NOPE) STRICT", "CREATE TABLE x(a) STRICT", "CREATE TABLE x(a) NOPE", "CREATE TABLE x(a AS (b))", "CREATE TABLE x(a AS (a), b)",
    "CREATE TABLE x(a AS (1))", "CREATE TABLE x(a CHECK (a IN (SELECT 1)))", "CREATE TABLE x(a DEFAULT (b))", "CREATE TABLE x(a REFERENCES y(b, c))",
    "CREATE TABLE x(a, FOREIGN KEY(b) REFERENCES y)", "CREATE TABLE x(a, FOREIGN KEY(a) REFERENCES y(b, c))", "CREATE TABLE sqlite_x(a)",
    "CREATE TABLE x(a, UNIQUE(b))", "CREATE TABLE x(a, PRIMARY KEY(b))", "CREATE TABLE x(a, UNIQUE(a + 1))", "CREATE TABLE x(a, CHECK(b))",
    "CREATE TABLE x(a UNIQUE ON CONFLICT IGNORE ON CONFLICT FAIL, UNIQUE(a) ON CONFLICT FAIL)", "CREATE TABLE x(a COLLATE nosuch)",
    "CREATE TABLE x(a INT DEFAULT (random(1)))", "CREATE TABLE x(a, b AS (a) PRIMARY KEY)", "CREATE TABLE x(a AS (a + nofunction(1)), b)",
    "CREATE INDEX sqlite_i ON T(V)", "INSERT INTO sqlite_schema VALUES(1)", "DROP TABLE sqlite_schema", "UPDATE sqlite_schema SET sql = 1",
    "CREATE INDEX ix ON T(V) WHERE random()", "CREATE INDEX ix ON T(random())", "CREATE INDEX ix ON T((SELECT 1))", "CREATE INDEX ix ON T(V COLLATE nosuch)",
    "CREATE INDEX ix ON T(?1)", "CREATE INDEX ix ON T(sum(V))", "CREATE TABLE nodb.x(a)", "CREATE TEMP TABLE main.x(a)", "SELECT * FROM T AS x(a)",
    "SELECT ALL DISTINCT V FROM T", "SELECT V AS FROM T", "SELECT V FROM T WHERE V IN", "SELECT CASE END", "SELECT CASE V END FROM T",
    "SELECT CAST(V TEXT) FROM T", "SELECT V NOT 1 FROM T", "SELECT 1 BETWEEN 2", "SELECT -", "SELECT (1", "SELECT 1)", "SELECT V FROM T HAVING 1",
    "SELECT count(*) FROM T HAVING nosuch", "SELECT * FROM", "SELECT * FROM T,", "SELECT * FROM T LEFT T", "SELECT * FROM (SELECT 1", "PRAGMA nodb.table_info",
    "SELECT * FROM json_each()", "SELECT * FROM json_each(1, 2, 3)", "SELECT * FROM pragma_table_info", "SELECT nosuch FROM json_each('[]')",
    "SELECT 9223372036854775808 + 'x' || nosuch", "SELECT 0x10000000000000000", "SELECT 1 -> nosuch", "SELECT max() FROM T", "SELECT min(DISTINCT)",
    "SELECT count(*, 1) FROM T", "SELECT abs(*) FROM T", "SELECT abs(DISTINCT 1)", "SELECT abs(1) FILTER (WHERE 1)", "SELECT abs(1 ORDER BY 1)",
    "SELECT abs(1) OVER () FROM T", "SELECT lag() OVER () FROM T", "SELECT V FROM T WHERE max(V) OVER () > 1", "SELECT EXISTS (1)", "SELECT ?0", "SELECT ?99999",
    "SELECT \"\"\"", "SELECT `", "SELECT 1;;SELECT", "EXPLAIN", "BEGIN NOPE", "SAVEPOINT", "COMMIT TO x", "VACUUM nosuch", "SELECT * FROM T WHERE (V, W) = 1",
    "SELECT 1 ORDER BY (1, 2)", "SELECT 1 GROUP BY (1, 2)", "SELECT 1 LIMIT (1, 2)", "SELECT 1 LIMIT 'x'", "SELECT 1 LIMIT nosuch", "SELECT 1 LIMIT 1 OFFSET 'y'"};
static const char *const of_tables[] = {
    "INSERT INTO T VALUES(1, 2, 3, 4, 5, 6, 7, 8)", "INSERT INTO T(V) VALUES(1, 2)", "INSERT INTO T(nosuch) VALUES(1)", "INSERT INTO T(V) SELECT 1, 2",
    "UPDATE T SET nosuch = 1", "UPDATE T SET V = nosuch", "UPDATE T SET (V, W) = (1, 2, 3)", "UPDATE T SET (V, W) = 1", "UPDATE T SET (V, W) = (SELECT 1)",
    "INSERT INTO T DEFAULT VALUES RETURNING nosuch", "DELETE FROM T RETURNING T.*", "UPDATE T SET V = 1 RETURNING sum(V)",
    "INSERT INTO T(V) VALUES(1) ON CONFLICT(nosuch) DO NOTHING", "INSERT INTO T(V) VALUES(1) ON CONFLICT DO UPDATE SET nosuch = 1",
    "INSERT INTO T(V) VALUES(1) ON CONFLICT DO UPDATE SET V = excluded.nosuch", "DROP VIEW T", "CREATE TABLE T(a)", "CREATE VIEW T AS SELECT 1",
    "CREATE TRIGGER rx INSTEAD OF INSERT ON T BEGIN SELECT 1; END", "CREATE TRIGGER rx AFTER UPDATE OF nosuch ON T BEGIN SELECT nosuch; END",
    "CREATE TRIGGER rx AFTER INSERT ON T BEGIN SELECT 1 END", "CREATE TRIGGER rx AFTER INSERT ON T BEGIN END", "CREATE TRIGGER rx AFTER INSERT ON T BEGIN INSERT INTO main.x VALUES(1); END",
    "CREATE TRIGGER rx AFTER INSERT ON T BEGIN SELECT ?1; END", "INSERT INTO T AS x(V) VALUES(1) RETURNING T.V", "UPDATE T SET V = 1 FROM nosuch",
    "UPDATE T AS x SET V = T.V", "UPDATE T SET V = 1 WHERE sum(V)", "UPDATE T INDEXED BY nosuch SET V = 1", "DELETE FROM T INDEXED BY nosuch", "INSERT INTO T(V, V, nosuch) VALUES(1, 2, 3)",
    "REPLACE INTO T(V) VALUES(1), (1, 2)", "INSERT INTO T(V) VALUES(nosuch)", "INSERT INTO T(V) VALUES(sum(1))", "UPDATE OR NOPE T SET V = 1"};

void dialect_mistake(struct dialect *d)
{
    const struct dialect_table *t = NULL;
    for (u32 i = 0; i < 10 && (!t || t->view); i++) t = &d->tables[dialect_pick(d, d->table_count)];
    const char *text = t->view || dialect_chance(d, 75) ? dialect_one(d, anywhere) : dialect_one(d, of_tables);
    u32 first = dialect_pick(d, t->count);
    memcpy(d->mistake_table, t->name, sizeof t->name);
    for (const char *c = text; *c; c++) {
        bool word = (c == text || !strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_", c[-1])) &&
                    (!c[1] || !strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_", c[1]));
        if (word && *c == 'T') dialect_add(d, "%s", t->name);
        else if (word && *c == 'V') dialect_add(d, "%s", t->columns[first]);
        else if (word && *c == 'W') dialect_add(d, "%s", t->columns[(first + 1) % t->count]);
        else dialect_add(d, "%c", *c);
    }
}

// ---- several mistakes in one query, of which one is told ---------------------------------------------------------

static const char *const column_unknown[] = {"nox", "noy", "noz", "nox.y"};
static const char *const table_unknown[] = {"nosuch", "nothere", "nodb.t", "w1", "w2"};

static const struct dialect_table *mistakes_table(struct dialect *d)
{
    for (u32 i = 0; i < 10; i++) {
        const struct dialect_table *t = &d->tables[dialect_pick(d, d->table_count)];
        if (!t->view) return t;
    }
    return &d->tables[0];
}

static void mistakes_select(struct dialect *d, int depth);

// D: one level down, E: an expression, Q: a query, N: a name that nothing has, C: a column of some table.
static const char *const mistakes_shapes[] = {
    "1", "'x'", "NULL", "C", "C", "N", "N", "(Q)", "(Q)", "EXISTS (Q)", "E IN (Q)", "E IN (E, E)", "E + E", "(E, E) = (Q)", "(E) = (E)", "abs(E)",
    "coalesce(E, E)", "nosuch(E)", "CASE E WHEN E THEN E END", "E BETWEEN E AND E", "E IS NULL", "E IS E", "NOT E", "E COLLATE nocase"};

static void mistakes_expr(struct dialect *d, int depth)
{
    const char *shape = mistakes_shapes[dialect_pick(d, depth > 0 ? COUNT_OF(mistakes_shapes) : 7)];
    for (const char *s = shape; *s; s++) {
        const bool word = (s == shape || s[-1] == ' ' || s[-1] == '(') && (!s[1] || strchr(" ,)", s[1]));
        const struct dialect_table *t = mistakes_table(d);
        if (word && *s == 'E') mistakes_expr(d, depth - 1);
        else if (word && *s == 'Q') mistakes_select(d, depth - 1);
        else if (word && *s == 'N') dialect_add(d, "%s", dialect_one(d, column_unknown));
        else if (word && *s == 'C') dialect_add(d, "%s", t->columns[dialect_pick(d, t->count)]);
        else dialect_add(d, "%c", *s);
    }
}

static void mistakes_source(struct dialect *d, int depth)
{
    const struct dialect_table *t = mistakes_table(d);
    u32 kind = dialect_pick(d, 20);
    if (kind < 3) dialect_add(d, "%s", dialect_one(d, table_unknown));
    else if (kind == 3) dialect_add(d, "%s INDEXED BY nosuch", t->name);
    else if (kind == 4) dialect_add(d, "%s('x')", t->name);
    else if (kind == 5) dialect_add(d, "(%s)", t->name);
    else if (kind < 12 && depth > 0) {
        dialect_add(d, "(");
        mistakes_select(d, depth - 1);
        dialect_add(d, ") AS q%u", dialect_pick(d, 3));
    } else dialect_add(d, "%s", t->name);
}

static void mistakes_from(struct dialect *d, int depth)
{
    static const char *const joins[] = {", ", " JOIN ", " LEFT JOIN ", " NATURAL JOIN ", " RIGHT JOIN "};
    dialect_add(d, " FROM ");
    mistakes_source(d, depth);
    while (dialect_chance(d, 30)) {
        dialect_add(d, "%s", dialect_one(d, joins));
        mistakes_source(d, depth);
        if (dialect_chance(d, 20)) {
            dialect_add(d, " ON ");
            mistakes_expr(d, depth - 1);
        } else if (dialect_chance(d, 15)) {
            const struct dialect_table *t = mistakes_table(d);
            dialect_add(d, " USING (%s)", dialect_chance(d, 50) ? t->columns[0] : "nou");
        }
    }
}

// Whether it has GROUP BY or HAVING.
static bool mistakes_term(struct dialect *d, int depth)
{
    bool grouped = false;
    dialect_add(d, "SELECT ");
    const bool from = dialect_chance(d, 60);
    for (u32 i = 0; i == 0 || (i == 1 && dialect_chance(d, 20)); i++) {
        if (i) dialect_add(d, ", ");
        if (from && dialect_chance(d, 10)) dialect_add(d, "*");
        else mistakes_expr(d, depth);
    }
    if (from) mistakes_from(d, depth);
    static const char *const clauses[] = {" WHERE ", " GROUP BY ", " HAVING "};
    for (u32 i = 0; i < COUNT_OF(clauses); i++)
        if (dialect_chance(d, i == 0 ? 20 : 8)) {
            dialect_add(d, "%s", clauses[i]);
            mistakes_expr(d, depth - 1);
            grouped |= i > 0;
        }
    return grouped;
}

static void mistakes_unlimited(struct dialect *d, int depth)
{
    static const char *const operators[] = {" UNION ", " UNION ALL ", " EXCEPT ", " INTERSECT "};
    if (depth > 0 && dialect_chance(d, 10)) {
        dialect_add(d, "WITH w1%s AS (", dialect_chance(d, 50) ? "(p)" : "");
        mistakes_select(d, depth - 1);
        dialect_add(d, ") ");
    }
    // GROUP BY of a compound's last term is that of the whole to SQLite, if ORDER BY has COLLATE (docs/sql.md).
    bool grouped = mistakes_term(d, depth);
    while (dialect_chance(d, 20)) {
        dialect_add(d, "%s", dialect_one(d, operators));
        grouped = mistakes_term(d, depth);
    }
    if (dialect_chance(d, 20)) {
        dialect_add(d, " ORDER BY ");
        if (grouped || dialect_chance(d, 50)) dialect_add(d, "%u", 1 + dialect_pick(d, 3));
        else mistakes_expr(d, depth - 1);
    }
}

static void mistakes_select(struct dialect *d, int depth)
{
    mistakes_unlimited(d, depth);
    if (!dialect_chance(d, 12)) return;
    dialect_add(d, " LIMIT ");
    mistakes_expr(d, depth - 1);
}

// If there is none after all, no row is looked for: which comes first does not matter.
void dialect_mistakes(struct dialect *d)
{
    memcpy(d->mistake_table, mistakes_table(d)->name, sizeof d->mistake_table);
    mistakes_unlimited(d, (int)dialect_pick(d, 4));
    dialect_add(d, " LIMIT 0");
}
