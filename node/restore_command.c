#include "command.h"

#include "../sync/sync.h"

#include <sodium.h>
#include <time.h>
#include <unistd.h>

static const enum setting RESTORE_SETTINGS[] = {
    STORE_SETTINGS, SETTING_DATABASE, SETTING_KEY, SETTING_VFS, SETTING_SQPOLL,
};
static const struct config_command RESTORE = {
    "usage: skerry restore --store URL [--database NAME] [--NAME VALUE]... OUT\n\n"
    "Writes the newest state of the backup in the store to the file OUT, which must not exist: a "
    "plain SQLite\n"
    "database.\n",
    RESTORE_SETTINGS, COUNT_OF(RESTORE_SETTINGS)};

static void progress_print(const struct restore *r, u64 elapsed_ns, bool last)
{
    double seconds = (double)elapsed_ns / 1e9,
           rate = seconds > 0 ? (double)r->bytes_done / seconds : 0;
    double share = r->bytes_total ? (double)r->bytes_done / (double)r->bytes_total : 0;
    double left = rate > 0 ? (double)(r->bytes_total - r->bytes_done) / rate : 0;
    fprintf(
        stderr,
        "\rskerry: %3.0f %%  %llu of %llu segments, %.1f of %.1f MB, %.1f MB/s, %.0f s left   %s",
        share * 100, (unsigned long long)r->objects_done, (unsigned long long)r->objects_total,
        (double)r->bytes_done / 1e6, (double)r->bytes_total / 1e6, rate / 1e6, left,
        last ? "\n" : "");
}

static int restore_run_command(const struct config *c, struct err *err)
{
    struct segment_key key;
    struct io *io = config_io_open(c, err);
    struct io_http *http = io ? io_http_create(io, err) : NULL;
    struct object_store *objects =
        http && config_key(c, &key, err)
            ? config_store_open(c, config_text(c, SETTING_STORE), io, http, err)
            : NULL;
    if (objects) {
        struct restore r = {0};
        u64 started = io_now_ns(io), told = started;
        bool told_once = false, terminal = isatty(STDERR_FILENO);
        completion_init(&r.done, NULL, NULL);
        restore_start(&r, &(struct restore_options){.io = io,
                                                    .objects = objects,
                                                    .key = key,
                                                    .name = config_text(c, SETTING_DATABASE),
                                                    .out_path = c->arguments[0]});
        while (r.done.state != COMPLETION_DONE) {
            if (io_step(io, 200000000) < 0) break;
            if (io_now_ns(io) - told < (terminal ? 200000000u : 5000000000u) || !r.bytes_total)
                continue;
            told = io_now_ns(io);
            told_once = true;
            progress_print(&r, told - started, !terminal);
        }
        if (told_once && terminal) progress_print(&r, io_now_ns(io) - started, true);
        *err = r.err;
        if (r.err.code == ERR_OK) {
            char when[40];
            time_t made = (time_t)(r.time_ms / 1000);
            struct tm tm;
            gmtime_r(&made, &tm);
            strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
            printf("restored %s: %u pages, segment %llu, as of %s\n", c->arguments[0], r.page_count,
                   (unsigned long long)r.sequence, when);
        }
        restore_deinit(&r);
    }
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
        err_set(&err, ERR_USAGE, __func__,
                "restore takes one argument, the file to write; see skerry restore --help");
        status = command_failed(&err);
    } else {
        status = restore_run_command(&c, &err);
    }
    config_deinit(&c);
    return status;
}
