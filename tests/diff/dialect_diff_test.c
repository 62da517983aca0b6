// Goal: over the whole dialect Skerry says what SQLite says: rows, types, column names, codes, texts and places of
// errors, counts of changes, and a file that SQLite finds whole.
// Method: scripts of random statements (dialect_*.c) run on both; the rows of a statement are compared as a set unless
// its ORDER BY leaves nothing open. A script that differs is cut down to the statements that are needed for it, and
// printed. A third of the scripts runs on a disk that defers every completion, with a cache of a few pages; another third with
// queries under way on the same connection. SEED=n begins with the rounds from n * 1000 on, ROUNDS=n and SECONDS=n look for longer,
// ROUND=n is that one alone, SHOW=1 prints it. Whatever libsqlite3 is found serves as the oracle; from release 3.50 on more of the dialect is tried.
// A script that differs, but not where SQLite itself is asked in another way, is counted, not failed; likewise, where
// NEWER=directory has the library of a later release, one that does not differ beside that. Such a script
// is this program's own ROUND=n with KEEP=bits, the statements needed.
// Beside other releases than 3.50 the scripts are the same each time, if SEED does not say otherwise: in one of 700 at random 3.40
// has a fault that was mended since (INDEXED BY finds no plan, IN beside a compound gives rows too many).
#include "../oracle_same.h"

#include <sqlite3.h>
#include <time.h>

#include "dialect.h"

#define STATEMENTS 60
#define LENGTH_MAX 10500000 // bytes of a value: recursive triggers double theirs up to a gigabyte; SQLite has Bloom filters of 10 MB

struct script {
    char *statements[STATEMENTS];
    bool ordered[STATEMENTS];
    bool constant[STATEMENTS]; // of constants alone, without subqueries
    bool one_mistake[STATEMENTS];
    char table[STATEMENTS][24]; // that the mistake is about: if it is not there, that is another
    u32 count;
    u64 seed;
    bool deferring, interleaved;
};

static u64 statements_run, timeouts;

static void script_make(struct script *s, u64 seed)
{
    struct dialect *d = calloc(1, sizeof *d);
    d->state = seed;
    d->newest = sqlite3_libversion_number() >= 3050000;
    d->concat = sqlite3_libversion_number() >= 3051000 && !getenv("KEEP");
    *s = (struct script){.seed = seed, .deferring = seed % 3 == 1, .interleaved = seed % 3 == 2};
    while (s->count < STATEMENTS) {
        bool ordered;
        bool one_mistake;
        dialect_statement(d, s->count, &ordered, &one_mistake);
        if (!d->size) continue;
        s->ordered[s->count] = ordered;
        s->one_mistake[s->count] = one_mistake;
        memcpy(s->table[s->count], d->mistake_table, sizeof d->mistake_table);
        s->constant[s->count] = d->constant_only && !strstr(d->text, "(SELECT") && !strstr(d->text, "(VALUES");
        s->statements[s->count++] = strdup(d->text);
    }
    free(d);
}

static void script_free(struct script *s)
{
    for (u32 i = 0; i < s->count; i++) free(s->statements[i]);
}

// The number of the statement that differed (count: the contents or the file at the end), or -1, or -2 in doubt. keep: those to run.
static int script_run(const struct script *s, const bool *keep, bool quiet, enum oracle_doubt doubt)
{
    struct oracle o;
    if (!(s->deferring ? oracle_open_deferring(&o, s->seed) : oracle_open(&o, "dialect"))) return -1;
    int at = -1;
    o.interleaved = s->interleaved;
    o.quiet = true;
    o.doubt = doubt;
    o.context = "";
    o.columns = true;
    oracle_limit(&o, 3000000);
    skerry_limit(o.db, SKERRY_LIMIT_LENGTH, LENGTH_MAX);
    sqlite3_limit(o.sqlite, SQLITE_LIMIT_LENGTH, LENGTH_MAX);
    for (u32 i = 0; i < s->count && !o.gave_up; i++) {
        if (keep && !keep[i]) continue;
        o.any_order = !s->ordered[i];
        const bool one_mistake = s->one_mistake[i] && oracle_has_table(&o, s->table[i]) && !schema_has(&o, "CREATE TRIGGER"); // which has its own
        o.several_mistakes = !one_mistake && !getenv("STRICT");
        o.lenient_order = !s->constant[i] || sqlite3_libversion_number() < 3050000;
        o.quiet = quiet;
        if (!oracle_run(&o, s->statements[i]) && !o.gave_up) {
            at = (int)i;
            break;
        }
        if (o.timed_out) fprintf(stderr, "-- round %llu: took too long: %s;\n", (unsigned long long)s->seed, s->statements[i]);
    }
    o.quiet = quiet;
    o.columns = false; // as PRAGMAs of the connections wanted them, which are closed now
    if (at < 0 && !o.gave_up && !oracle_in_transaction(&o) && (!oracle_compare_contents(&o) || !oracle_check_file(&o)))
        at = (int)s->count;
    if (o.gave_up) at = o.doubted ? -2 : -1;
    timeouts += o.timed_out;
    statements_run += o.statements;
    oracle_close(&o);
    return at;
}

// Leaves out whatever is not needed for a difference.
static void script_shrink(const struct script *s, bool *keep, int at)
{
    for (u32 size = STATEMENTS / 2; size; size /= 2)
        for (u32 i = 0; i < s->count; i += size) {
            bool before[STATEMENTS], any = false;
            memcpy(before, keep, sizeof before);
            for (u32 k = i; k < MIN(i + size, s->count); k++) {
                any |= keep[k];
                keep[k] = false;
            }
            if (any && script_run(s, keep, true, ORACLE_NO_DOUBT) != at) memcpy(keep, before, sizeof before);
        }
}

static u64 bits_of(const bool *keep)
{
    u64 bits = 0;
    for (u32 i = 0; i < STATEMENTS; i++) bits |= (u64)keep[i] << i;
    return bits;
}

// In what it selects for an INSERT or a table, which came to light later, or by how it plans.
static bool contradicts_itself(const struct script *s, const bool *keep, int at)
{
    return script_run(s, keep, true, ORACLE_NO_DOUBT) == at &&
           (script_run(s, keep, true, ORACLE_DOUBT_SELECTED) == -2 || script_run(s, keep, true, ORACLE_DOUBT_PLANS) == -1);
}

// Beside the later release of SQLite, if there is one.
static bool newer_agrees(u64 round, const bool *keep)
{
    char settings[60];
    snprintf(settings, sizeof settings, "ROUND=%llu KEEP=%llx", (unsigned long long)round, (unsigned long long)bits_of(keep));
    return oracle_newer_agrees(settings);
}

TEST(random_scripts)
{
    const char *seconds = getenv("SECONDS"), *rounds = getenv("ROUNDS"), *one = getenv("ROUND"), *needed = getenv("KEEP");
    bool kept[STATEMENTS];
    for (u32 i = 0; i < STATEMENTS; i++) kept[i] = !needed || strtoull(needed, NULL, 16) >> i & 1;
    time_t end = time(NULL) + (seconds ? atoi(seconds) : 100);
    u32 last = one ? 1 : rounds ? (u32)atoi(rounds) : seconds ? UINT32_MAX : 60;
    const bool fixed = !getenv("SEED") && sqlite3_libversion_number() / 1000 != 3050;
    u64 seed = one ? strtoull(one, NULL, 10) : (fixed ? 7 : test_seed()) % 1000000000 * 1000;
    u32 failed = 0, scripts = 0, disputed = 0;
    statements_run = timeouts = 0;
    for (u32 round = 0; time(NULL) < end && failed < 5 && round < last; round++) {
        struct script s;
        script_make(&s, seed + round);
        for (u32 i = 0; i < s.count && getenv("SHOW"); i++) printf("%s;\n", s.statements[i]);
        int at = script_run(&s, kept, true, ORACLE_NO_DOUBT);
        scripts++;
        if (at >= 0) {
            bool keep[STATEMENTS];
            for (u32 i = 0; i < STATEMENTS; i++) keep[i] = kept[i] && (int)i <= at && i < s.count;
            script_shrink(&s, keep, at);
            const char *known = contradicts_itself(&s, keep, at) ? ": SQLite contradicts itself" : newer_agrees(s.seed, keep) ? ": SQLite's releases differ" : "";
            *(known[0] ? &disputed : &failed) += 1;
            fprintf(stderr, "-- round %llu%s\n", (unsigned long long)s.seed, known);
            for (u32 i = 0; i < s.count; i++)
                if (keep[i]) fprintf(stderr, "%s;\n", s.statements[i]);
            if (!known[0] && script_run(&s, keep, false, ORACLE_NO_DOUBT) < 0) test_fail(__FILE__, __LINE__, "round %llu differs now and then", (unsigned long long)s.seed);
        }
        script_free(&s);
    }
    if (seconds || timeouts)
        printf("%u scripts, %llu statements from seed %llu on, %u differ, and %u where SQLite's releases differ or one contradicts itself; %llu took too long to be compared\n",
               scripts, (unsigned long long)statements_run, (unsigned long long)seed, failed, disputed, (unsigned long long)timeouts);
}

int main(int argc, char **argv) { return test_main(argc, argv); }
