#include "command.h"

#include "../sync/restore.h"
#include "progress.h"

#include <signal.h>
#include <sodium.h>
#include <time.h>
#include <unistd.h>

static const enum setting RESTORE_SETTINGS[] = {
    STORE_SETTINGS, SETTING_DATABASE, SETTING_AT, SETTING_TX, SETTING_LINEAGE, SETTING_OVERWRITE, SETTING_DECRYPT, SETTING_DB_KEY, SETTING_DB_PASSPHRASE,
    SETTING_VFS, SETTING_SQPOLL,
};
static const struct config_command RESTORE = {
    "usage: skerry restore --store URL [--database NAME] [--at TIME | --tx N] [--NAME VALUE]... OUT\n\n"
    "Writes a state of the backup in the store to the file OUT: a plain SQLite database. Without --at and --tx it is\n"
    "the newest. Interrupted, the same command goes on where it was.\n",
    RESTORE_SETTINGS, COUNT_OF(RESTORE_SETTINGS)};

static volatile sig_atomic_t interrupted;

static void on_signal(int signal_number)
{
    interrupted = 1;
}

static void progress_print(const struct restore *r, struct progress *progress, u64 now_ns, bool terminal)
{
    char line[200];
    const struct progress_state state = {r->pages_total, r->pages_done, r->pages_resumed, r->bytes_done, r->page_size};
    progress_line(progress, &state, now_ns, time(NULL), line, sizeof line);
    fprintf(stderr, "%sskerry: %s%s", terminal ? "\r" : "", line, terminal ? "    " : "\n");
}

static void result_print(const struct restore *r, const char *path, u64 elapsed_ns)
{
    char when[40];
    time_t made = (time_t)(r->time_ms / 1000);
    struct tm tm;
    gmtime_r(&made, &tm);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
    double mb = (double)r->page_count * r->page_size / 1e6, seconds = (double)elapsed_ns / 1e9;
    printf("restored %s: %u pages, transaction %llu, as of %s; %.1f MB in %.1f s (%.0f MB/s)", path, r->page_count,
           (unsigned long long)r->tx, when, mb, seconds, seconds > 0 ? mb / seconds : 0);
    if (r->pages_resumed) printf(", %llu pages of it were there already", (unsigned long long)r->pages_resumed);
    printf("\n");
}

static void restore_wait(struct restore *r, struct io *io)
{
    bool terminal = isatty(STDERR_FILENO), told_once = false;
    struct progress progress = {0};
    u64 told = io_now_ns(io);
    while (r->done.state != COMPLETION_DONE) {
        if (io_step(io, 200000000) < 0) break;
        if (interrupted) restore_cancel(r);
        if (io_now_ns(io) - told < (terminal ? 500000000u : 5000000000u) || !r->pages_total) continue;
        told = io_now_ns(io);
        told_once = true;
        progress_print(r, &progress, told, terminal);
    }
    if (told_once && terminal) fprintf(stderr, "\n");
}

static bool options_read(const struct config *c, struct restore_options *o, struct store_key *database_key, struct err *err)
{
    struct database_config d;
    bool good = config_database(c, &d, err);
    *database_key = d.key;
    sodium_memzero(&d, sizeof d);
    if (!good) return false;
    o->database_key = database_key;
    const char *lineage = config_text(c, SETTING_LINEAGE);
    char *end = NULL;
    if (!config_key(c, &o->key, err) || !config_time(c, SETTING_AT, &o->time_ms, err) ||
        !config_number(c, SETTING_TX, 0, UINT64_MAX >> 1, &o->tx, err) || !config_bool(c, SETTING_OVERWRITE, &o->overwrite, err) ||
        !config_bool(c, SETTING_DECRYPT, &o->decrypt, err))
        return false;
    if (o->tx && o->time_ms) {
        err_set(err, ERR_USAGE, __func__, "both --at and --tx are given; give one");
        return false;
    }
    if (lineage[0]) o->lineage = strtoull(lineage, &end, 16);
    if (lineage[0] && (*end || !o->lineage)) {
        err_set(err, ERR_USAGE, __func__, "--lineage is '%s'; it must be the 16 hexadecimal digits of a folder in the store", lineage);
        return false;
    }
    o->name = config_text(c, SETTING_DATABASE);
    o->out_path = c->arguments[0];
    o->threads = (u32)MAX(sysconf(_SC_NPROCESSORS_ONLN), 1L);
    return true;
}

static int restore_run_command(const struct config *c, struct err *err)
{
    struct io *io = config_io_open(c, err);
    const char *url = config_text(c, SETTING_STORE);
    struct io_http *http = io && object_url_needs_http(url) ? io_http_create(io, err) : NULL;
    struct object_store *objects = io && err->code == ERR_OK ? config_store_open(c, url, io, http, err) : NULL;
    struct restore_options o = {.io = io, .objects = objects};
    struct store_key database_key = {0};
    if (objects && options_read(c, &o, &database_key, err)) {
        struct restore r = {0};
        struct sigaction action = {.sa_handler = on_signal};
        sigaction(SIGINT, &action, NULL);
        sigaction(SIGTERM, &action, NULL);
        u64 started = io_now_ns(io);
        completion_init(&r.done, NULL, NULL);
        restore_start(&r, &o);
        restore_wait(&r, io);
        *err = r.err;
        if (r.err.code == ERR_OK) result_print(&r, o.out_path, io_now_ns(io) - started);
        if (r.err.code == ERR_CANCELLED && r.pages_done)
            fprintf(stderr, "skerry: interrupted; the same command goes on from here\n");
        restore_deinit(&r);
    }
    sodium_memzero(&o.key, sizeof o.key);
    sodium_memzero(&database_key, sizeof database_key);
    object_store_close(objects);
    io_http_destroy(http);
    if (io) io_destroy(io);
    return err->code == ERR_OK ? 0 : command_failed(err);
}

int restore_command(int argc, char **argv)
{
    struct config c;
    struct err err = ERR_CLEAR;
    int status;
    if (sodium_init() < 0) return EXIT_FAILED;
    if (!config_load(&c, &RESTORE, argc, argv, &err)) {
        status = command_failed(&err);
    } else if (c.help) {
        config_help(&RESTORE);
        status = 0;
    } else if (c.argument_count != 1) {
        err_set(&err, ERR_USAGE, __func__, "restore takes one argument, the file to write; see skerry restore --help");
        status = command_failed(&err);
    } else {
        status = restore_run_command(&c, &err);
    }
    config_deinit(&c);
    return status;
}
