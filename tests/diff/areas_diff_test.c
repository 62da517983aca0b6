// Goal: where a few names can be said in many ways (joins, aggregates and aliases, changes with their RETURNING, common table
// expressions, windows, functions) Skerry says what SQLite says.
// Method: each file of tests/diff/areas is a schema and, behind a line "%%", a grammar (rule_read has its form); random sentences of
// its rule "statement" run on both, each within a savepoint that is then rolled back. One that differs is cut down word by
// word and printed.
// ROUNDS=n statements of each area, SECONDS=n looks for longer, SEED=n begins elsewhere, AREA=name is one area, ROUND=n one of its
// statements, SQL=text that one instead, SHOW=1 prints them. LENIENT=1: of several mistakes any may be told, as beside older releases.
// Beside 3.50 rows come in the same order, also where nothing says in which.
// As in dialect_diff_test, what SQLite's own plans disagree about, or NEWER=directory's release with it, is counted, not failed, and
// beside other releases than 3.50 the statements are the same each time.
#include "../oracle.h"

#include <ctype.h>
#include <dirent.h>
#include <sqlite3.h>
#include <stdlib.h>

#define RULES 120
#define ALTERNATIVES 240
#define DEPTH 14
#define STATEMENT_MAX 6000
#define FRESH_EVERY 200 // statements on the same pair of databases

struct rule {
    char name[24];
    char *alternatives[ALTERNATIVES];
    u32 weights[ALTERNATIVES], count, weight;
};
struct area {
    char name[40];
    char *setup;
    struct rule rules[RULES];
    u32 count;
};
struct sentence {
    const struct area *area;
    u64 state;
    char text[STATEMENT_MAX * 2];
    size_t size;
};

static void alternative_add(struct area *a, const char *name, u32 weight, const char *text, size_t size)
{
    struct rule *r = a->rules;
    while (r < a->rules + a->count && strcmp(r->name, name) != 0) r++;
    if (r == a->rules + a->count) {
        if (++a->count > RULES) abort();
        snprintf(r->name, sizeof r->name, "%s", name);
    }
    if (r->count == ALTERNATIVES) abort();
    r->alternatives[r->count] = strndup(text, size);
    r->weights[r->count++] = weight;
    r->weight += weight;
}

// A line "name = text" gives the rule `name` one more alternative, "name := a b c" three, "name 5 = text" one that is taken five
// times as often. "{rule}" in a text stands for one of its alternatives, "{rule?30}" does so in 30 of 100 cases, "{rule*3}" for one to
// three of them with commas. Deep within others a rule's first alternative is taken. "name@ = text" is for releases from 3.50 on: what
// SQLite 3.40, which Debian has, says otherwise.
static void rule_read(struct area *a, const char *line)
{
    char name[24];
    u32 weight = 1;
    int n = 0;
    if (sscanf(line, "%23[a-z_] %n", name, &n) != 1) return;
    line += n;
    const bool newest = *line == '@';
    line += newest;
    if (newest && sqlite3_libversion_number() < 3050000) return;
    line += strspn(line, " ");
    if (isdigit(*line)) weight = (u32)strtoul(line, (char **)&line, 10);
    line += strspn(line, " ");
    const bool words = *line == ':';
    line += words;
    if (*line++ != '=') return test_fail(__FILE__, __LINE__, "%s: no \"=\" behind %s", a->name, name);
    line += strspn(line, " ");
    size_t size = strcspn(line, "\n");
    if (!words) return alternative_add(a, name, weight, line, size);
    while ((size = strcspn(line, " \n"))) {
        alternative_add(a, name, weight, line, size);
        line += size;
        line += strspn(line, " ");
    }
}

static struct area *area_read(const char *path, const char *name)
{
    FILE *in = fopen(path, "r");
    if (!in) return NULL;
    struct area *a = calloc(1, sizeof *a);
    snprintf(a->name, sizeof a->name, "%.*s", (int)strcspn(name, "."), name);
    char *line = NULL;
    size_t capacity = 0, size = 0;
    ssize_t got;
    a->setup = calloc(1, 1);
    while ((got = getline(&line, &capacity, in)) > 0 && strncmp(line, "%%", 2) != 0) {
        a->setup = realloc(a->setup, size + (size_t)got + 1);
        memcpy(a->setup + size, line, (size_t)got + 1);
        size += (size_t)got;
    }
    while (getline(&line, &capacity, in) > 0) rule_read(a, line);
    free(line);
    fclose(in);
    return a;
}

static void area_free(struct area *a)
{
    for (u32 i = 0; i < a->count; i++)
        for (u32 k = 0; k < a->rules[i].count; k++) free(a->rules[i].alternatives[k]);
    free(a->setup);
    free(a);
}

static u32 pick(struct sentence *s, u32 n) { return (u32)(test_random(&s->state) % n); }

static void text_expand(struct sentence *s, const char *text, u32 depth);

static void rule_expand(struct sentence *s, const char *name, size_t size, u32 depth)
{
    const struct area *a = s->area;
    const struct rule *r = a->rules;
    while (r < a->rules + a->count && (strlen(r->name) != size || memcmp(r->name, name, size) != 0)) r++;
    if (r == a->rules + a->count) return test_fail(__FILE__, __LINE__, "%s: no rule %.*s", a->name, (int)size, name);
    u32 n = pick(s, r->weight), i = 0;
    while (n >= r->weights[i]) n -= r->weights[i++];
    if (depth >= DEPTH || s->size > STATEMENT_MAX / 2) i = 0;
    text_expand(s, r->alternatives[i], depth + 1);
}

static void text_expand(struct sentence *s, const char *text, u32 depth)
{
    while (*text && s->size < STATEMENT_MAX) {
        const size_t size = strspn(text + 1, "abcdefghijklmnopqrstuvwxyz_");
        if (*text != '{' || !size || !strchr("}?*", text[1 + size])) {
            s->text[s->size++] = *text++;
            s->text[s->size] = 0;
            continue;
        }
        const char *name = text + 1;
        u32 times = 1;
        text = name + size;
        char *end = (char *)text;
        if (*text == '?') times = pick(s, 100) < strtoul(text + 1, &end, 10);
        else if (*text == '*') times = 1 + pick(s, (u32)strtoul(text + 1, &end, 10));
        text = end + 1;
        for (u32 i = 0; i < times; i++) {
            if (i) s->size += (size_t)sprintf(s->text + s->size, ", ");
            rule_expand(s, name, size, depth);
        }
    }
}

static bool both_open(struct oracle *o, const struct area *a)
{
    if (!oracle_open(o, a->name)) return false;
    o->context = a->name;
    o->columns = o->documented = true;
    o->any_order = sqlite3_libversion_number() < 3050000; // whose plans are others
    o->reopened = strstr(a->setup, "USING fts5"); // SQLite counts changes of the tables below, too
    o->several_mistakes = getenv("LENIENT") || sqlite3_libversion_number() < 3050000; // of which 3.40 tells others
    if (!oracle_run(o, a->setup)) return false;
    o->quiet = true;
    return true;
}

enum run {
    RUN_SAME,
    RUN_REFUSED,       // by both
    RUN_UNKNOWN,       // neither answer says anything: it takes too long, or SQLite is in doubt itself
    RUN_DIFFERS,       // and the kinds of differences
    RUN_ONE_REFUSES,
    RUN_OTHER_REFUSES,
    RUN_OTHER_MISTAKE,
};

static enum run statement_run(struct oracle *o, const char *sql)
{
    oracle_limit(o, 3000000);
    (void)oracle_run(o, "SAVEPOINT area");
    bool same = oracle_run(o, sql);
    enum run run = same ? (o->refused ? RUN_REFUSED : RUN_SAME) : (enum run)(RUN_DIFFERS + o->refused + 2 * o->ours_refused);
    if (o->gave_up) run = RUN_UNKNOWN;
    o->gave_up = o->doubted = o->timed_out = false;
    (void)oracle_run(o, "ROLLBACK TO area");
    (void)oracle_run(o, "RELEASE area");
    o->gave_up = false;
    return run;
}

static enum run statement_run_afresh(const struct area *a, const char *sql, bool quiet, enum oracle_doubt doubt)
{
    struct oracle o;
    enum run run = RUN_UNKNOWN;
    if (both_open(&o, a)) {
        o.quiet = quiet;
        o.doubt = doubt;
        run = statement_run(&o, sql);
    }
    oracle_close(&o);
    return run;
}

// Words are names, numbers, strings and single characters; EXPLAIN QUERY PLAN is one.
static size_t word_size(const char *p)
{
    size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    if (*p == '\'' || *p == '"') n = strcspn(p + 1, *p == '"' ? "\"" : "'") + 2;
    if (strncmp(p, "EXPLAIN QUERY PLAN", 18) == 0) n = 18;
    if (!n) n = 1;
    n = MIN(n, strlen(p));
    return n + strspn(p + n, " \n");
}

static void statement_shrink(const struct area *a, char *sql, enum run kind)
{
    char *shorter = malloc(strlen(sql) + 1);
    for (u32 span = 40; span; span = span > 8 ? span / 2 : span - 1)
        for (char *at = sql; *at;) {
            char *end = at;
            for (u32 i = 0; i < span && *end; i++) end += word_size(end);
            memcpy(shorter, sql, (size_t)(at - sql));
            strcpy(shorter + (at - sql), end);
            if (statement_run_afresh(a, shorter, true, ORACLE_NO_DOUBT) == kind) strcpy(sql, shorter);
            else at += word_size(at);
        }
    free(shorter);
}

static bool newer_agrees(const struct area *a, const char *sql)
{
    char settings[60];
    setenv("SQL", sql, 1);
    snprintf(settings, sizeof settings, "AREA=%s", a->name);
    const bool agrees = oracle_newer_agrees(settings);
    unsetenv("SQL");
    return agrees;
}

static bool still_differs(const struct area *a, const char *sql)
{
    return statement_run_afresh(a, sql, true, ORACLE_NO_DOUBT) >= RUN_DIFFERS &&
           statement_run_afresh(a, sql, true, ORACLE_DOUBT_PLANS) >= RUN_DIFFERS && !newer_agrees(a, sql);
}

struct count {
    u32 statements, refused, unknown, disputed, differ;
};

static void difference(const struct area *a, const char *sql, u64 round, struct count *n)
{
    char least[STATEMENT_MAX * 2];
    if (!still_differs(a, sql)) {
        n->disputed++;
        return;
    }
    strcpy(least, sql);
    statement_shrink(a, least, statement_run_afresh(a, sql, true, ORACLE_NO_DOUBT));
    if (!still_differs(a, least)) strcpy(least, sql); // cut down to another one that is known
    n->differ++;
    fprintf(stderr, "-- AREA=%s ROUND=%llu\n%s;\n", a->name, (unsigned long long)round, least);
    if (statement_run_afresh(a, least, false, ORACLE_NO_DOUBT) < RUN_DIFFERS)
        test_fail(__FILE__, __LINE__, "%s: round %llu differs now and then", a->name, (unsigned long long)round);
}

static void area_run(const struct area *a, u64 seed, u32 rounds, time_t end, bool one)
{
    struct oracle o = {0};
    struct count n = {0};
    bool any = false;
    for (u32 i = 0; i < a->count; i++) any |= strcmp(a->rules[i].name, "statement") == 0;
    if (!any) {
        printf("%s: nothing for release %s\n", a->name, sqlite3_libversion());
        return;
    }
    const char *sql = getenv("SQL");
    for (u32 i = 0; i < rounds && time(NULL) < end && n.differ < 20; i++) {
        if (i % FRESH_EVERY == 0) {
            if (i) oracle_close(&o);
            if (!both_open(&o, a)) break;
        }
        struct sentence s = {.area = a, .state = seed + i};
        if (sql) snprintf(s.text, sizeof s.text, "%s", sql);
        else rule_expand(&s, "statement", 9, 0);
        if (getenv("SHOW")) printf("%s;\n", s.text);
        const enum run run = statement_run(&o, s.text);
        n.statements++;
        n.refused += run == RUN_REFUSED;
        n.unknown += run == RUN_UNKNOWN;
        if (run < RUN_DIFFERS) continue;
        oracle_close(&o);
        difference(a, s.text, seed + i, &n);
        if (!both_open(&o, a)) break;
    }
    oracle_close(&o);
    printf("%s: %u statements from round %llu on, %u refused by both, %u differ, %u where SQLite's releases or its plans differ, %u not compared\n",
           a->name, n.statements, (unsigned long long)seed, n.refused, n.differ, n.disputed, n.unknown);
    CHECK((n.refused + n.unknown) * 10 < n.statements * 9 || one); // else the grammar says little
}

TEST(areas)
{
    const char *seconds = getenv("SECONDS"), *rounds = getenv("ROUNDS"), *one = getenv("ROUND"), *area = getenv("AREA");
    const bool fixed = !getenv("SEED") && sqlite3_libversion_number() / 1000 != 3050;
    const u64 seed = one ? strtoull(one, NULL, 10) : (fixed ? 7 : test_seed()) % 1000000000 * 1000000;
    const u32 most = one || getenv("SQL") ? 1 : rounds ? (u32)atoi(rounds) : seconds ? UINT32_MAX : 1500 / TEST_STRIDE;
    struct dirent **entries;
    int count = scandir("tests/diff/areas", &entries, NULL, alphasort), files = 0;
    REQUIRE(count > 2);
    for (int i = 0; i < count; i++) files += strstr(entries[i]->d_name, ".area") && (!area || strncmp(entries[i]->d_name, area, strlen(area)) == 0);
    CHECK(files > 0);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        char path[400];
        snprintf(path, sizeof path, "tests/diff/areas/%s", name);
        struct area *a = strstr(name, ".area") && (!area || strncmp(name, area, strlen(area)) == 0) ? area_read(path, name) : NULL;
        if (a) {
            area_run(a, seed, most, time(NULL) + (seconds ? atoi(seconds) / files : 100), one || getenv("SQL"));
            area_free(a);
        }
        free(entries[i]);
    }
    free(entries);
}

int main(int argc, char **argv) { return test_main(argc, argv); }
