#include "command.h"

#include "../sync/inspect.h"
#include "../sync/restore.h"

#include <sodium.h>
#include <time.h>
#include <unistd.h>

typedef unsigned long long ull;

static const enum setting BACKUP_SETTINGS[] = {
    STORE_SETTINGS,  SETTING_DATABASE, SETTING_LINEAGE, SETTING_LEVEL_PERIODS, SETTING_KEEP,           SETTING_HISTORY_FACTOR,
    SETTING_YES,     SETTING_RESTORED, SETTING_NEW_KEY, SETTING_NEW_PASSPHRASE, SETTING_VFS,           SETTING_SQPOLL,
};
static const struct config_command BACKUP = {
    "usage: skerry backup list|status|verify|prune|rekey --store URL [--database NAME] [--NAME VALUE]...\n\n"
    "list    what is in the store: segments, with the transactions and moments that restores can go back to\n"
    "status  the newest state, its age, the oldest moment, sizes\n"
    "verify  reads every byte: checksums, and that states follow each other; --restored: by a restore too\n"
    "prune   shows what the rules (--keep) let go, parts that were never finished, and lineages that were left long ago;\n"
    "        deletes them with --yes\n"
    "rekey   the data key is wrapped with --new-key or --new-passphrase; nothing else is written again\n",
    BACKUP_SETTINGS, COUNT_OF(BACKUP_SETTINGS)};

struct session {
    const struct config *c;
    struct io *io;
    struct io_http *http;
    struct object_store *objects;
    struct inspect *x;
    struct inspect_options o;
    u64 told_ns;
};

static void on_report(void *context, bool bad, const char *text)
{
    if (isatty(STDERR_FILENO) && bad) fprintf(stderr, "\r\033[K");
    fprintf(bad ? stderr : stdout, "%s%s\n", bad ? "skerry: " : "", text);
}

static void on_progress(void *context, u64 done, u64 total, u64 bytes)
{
    struct session *s = context;
    u64 now = io_now_ns(s->io);
    if (!isatty(STDERR_FILENO) || (now - s->told_ns < 300000000 && done != total)) return;
    s->told_ns = now;
    fprintf(stderr, "\rskerry: %llu of %llu objects, %.1f MB read%s", (ull)done, (ull)total, (double)bytes / 1e6, done == total ? "\n" : "");
}

static void time_format(s64 ms, char out[40])
{
    time_t t = (time_t)(ms / 1000);
    struct tm tm;
    if (!ms || !gmtime_r(&t, &tm)) {
        snprintf(out, 40, "-");
        return;
    }
    strftime(out, 40, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static bool list_run(struct session *s)
{
    static const char *const LEVELS[] = {"push", "level 1", "level 2", "level 3", "image"};
    printf("%-8s %12s %12s  %-20s  %-20s %14s\n", "what", "from tx", "to tx", "from", "to", "bytes");
    for (u32 i = 0; i < inspect_count(s->x); i++) {
        struct inspect_segment g;
        char from[40], to[40];
        inspect_segment_get(s->x, i, &g);
        time_format(g.time_min_ms, from);
        time_format(g.time_max_ms, to);
        printf("%-8s %12llu %12llu  %-20s  %-20s %14llu\n", LEVELS[g.level], (ull)g.tx_min, (ull)g.tx_max, g.level == 4 ? "" : from, to, (ull)g.bytes);
    }
    return true;
}

static bool status_run(struct session *s)
{
    struct inspect_summary m;
    char newest[40], oldest[40];
    inspect_summary_get(s->x, &m);
    time_format(m.time_ms, newest);
    time_format(m.oldest_ms, oldest);
    printf("store        %s\ndatabase     %s\nlineage      %016llx, epoch %llu\n", object_store_url(s->objects), s->o.database, (ull)m.lineage, (ull)m.epoch);
    printf("newest       transaction %llu, %s, %lld s ago\n", (ull)m.tx, newest, (long long)((io_wall_ms(s->io) - m.time_ms) / 1000));
    printf("oldest       %s\n", oldest);
    printf("stored       %llu bytes in %llu objects: %u images; %u, %u and %u merged; %u pushes\n", (ull)m.bytes, (ull)m.objects, m.segments[4], m.segments[3],
           m.segments[2], m.segments[1], m.segments[0]);
    printf("a restore    reads %u segments\nencrypted    %s\n", m.chain, m.encrypted ? "yes" : "no");
    return true;
}

static bool verify_run(struct session *s, struct err *err)
{
    bool restored;
    struct inspect_summary m;
    if (!config_bool(s->c, SETTING_RESTORED, &restored, err)) return false;
    u64 faults = inspect_verify(s->x);
    inspect_summary_get(s->x, &m);
    if (restored) {
        struct restore r = {0};
        completion_init(&r.done, NULL, NULL);
        restore_start(&r, &(struct restore_options){.io = s->io, .objects = s->objects, .name = s->o.database, .key = s->o.key, .lineage = s->o.lineage,
                                                    .discard = true, .threads = (u32)MAX(sysconf(_SC_NPROCESSORS_ONLN), 1L)});
        while (r.done.state != COMPLETION_DONE)
            if (io_step(s->io, 1000000000) < 0) break;
        if (r.err.code != ERR_OK) {
            on_report(NULL, true, r.err.text);
            faults++;
        } else {
            printf("restored transaction %llu: %u pages, the database's sum is right\n", (ull)r.tx, r.page_count);
        }
        restore_deinit(&r);
    }
    if (!faults) {
        printf("%llu objects, %llu bytes: sound\n", (ull)m.objects, (ull)m.bytes);
        return true;
    }
    err_set(err, ERR_STORE_CORRUPT, __func__, "%llu faults in %llu objects", (ull)faults, (ull)m.objects);
    return false;
}

static bool prune_run(struct session *s, struct err *err)
{
    struct inspect_rules rules = {0};
    u64 periods[4], objects, bytes;
    if (!config_bool(s->c, SETTING_YES, &rules.carry_out, err) || !config_spans(s->c, SETTING_LEVEL_PERIODS, periods, 4, err) ||
        !config_spans(s->c, SETTING_KEEP, rules.keep_ms, 5, err) || !config_number(s->c, SETTING_HISTORY_FACTOR, 1, 1000000, &rules.history_factor, err))
        return false;
    rules.image_ms = periods[3];
    if (!inspect_prune(s->x, &rules, &objects, &bytes, err)) return false;
    printf(rules.carry_out ? "deleted %llu objects, %llu bytes\n" : "%llu objects, %llu bytes would be deleted; --yes does it\n", (ull)objects, (ull)bytes);
    return true;
}

static bool rekey_run(struct session *s, struct err *err)
{
    struct master_key to;
    if (!config_master_key(config_text(s->c, SETTING_NEW_KEY), config_text(s->c, SETTING_NEW_PASSPHRASE), &to, err)) return false;
    if (!to.given) {
        err_set(err, ERR_USAGE, __func__, "rekey needs --new-key-file or --new-passphrase-file");
        return false;
    }
    bool good = inspect_rekey(s->x, &to, err);
    sodium_memzero(&to, sizeof to);
    if (good) printf("the backup opens with the new %s from now on; start the node with it\n", config_text(s->c, SETTING_NEW_KEY)[0] ? "key" : "passphrase");
    return good;
}

static bool command_run(struct session *s, const char *what, struct err *err)
{
    const char *lineage = config_text(s->c, SETTING_LINEAGE);
    s->o = (struct inspect_options){.io = s->io, .objects = s->objects, .database = config_text(s->c, SETTING_DATABASE), .report = on_report, .progress = on_progress, .context = s};
    s->o.lineage = lineage[0] ? strtoull(lineage, NULL, 16) : 0;
    if (!config_key(s->c, &s->o.key, err)) return false;
    s->x = inspect_open(&s->o, err);
    if (!s->x) return false;
    if (strcmp(what, "list") == 0) return list_run(s);
    if (strcmp(what, "status") == 0) return status_run(s);
    if (strcmp(what, "verify") == 0) return verify_run(s, err);
    if (strcmp(what, "prune") == 0) return prune_run(s, err);
    return rekey_run(s, err);
}

static bool what_known(const char *what)
{
    static const char *const KNOWN[] = {"list", "status", "verify", "prune", "rekey"};
    for (u32 i = 0; i < COUNT_OF(KNOWN); i++)
        if (strcmp(what, KNOWN[i]) == 0) return true;
    return false;
}

int backup_command(int argc, char **argv)
{
    struct config c;
    struct err err = ERR_CLEAR;
    struct session s = {.c = &c};
    int status = 0;
    if (sodium_init() < 0) return EXIT_FAILED;
    if (!config_load(&c, &BACKUP, argc, argv, &err)) {
        status = command_failed(&err);
    } else if (c.help) {
        config_help(&BACKUP);
    } else if (c.argument_count != 1 || !what_known(c.arguments[0])) {
        err_set(&err, ERR_USAGE, __func__, "backup takes one of list, status, verify, prune and rekey; see skerry backup --help");
        status = command_failed(&err);
    } else {
        const char *url = config_text(&c, SETTING_STORE);
        s.io = config_io_open(&c, &err);
        if (s.io && object_url_needs_http(url)) s.http = io_http_create(s.io, &err);
        if (s.io && err.code == ERR_OK) s.objects = config_store_open(&c, url, s.io, s.http, &err);
        if (!s.objects || !command_run(&s, c.arguments[0], &err)) status = command_failed(&err);
        inspect_close(s.x);
        sodium_memzero(&s.o.key, sizeof s.o.key);
        object_store_close(s.objects);
        io_http_destroy(s.http);
        if (s.io) io_destroy(s.io);
    }
    config_deinit(&c);
    return status;
}
