#include "command.h"

#include "../io/http_client.h"

#define PROMOTE_TIMEOUT_MS 90000

static const enum setting SETTINGS[] = {SETTING_AUTH_TOKEN};
static const struct config_command PROMOTE = {
    "usage: skerry promote [URL]\n\n"
    "Makes the replica at URL (default http://127.0.0.1:8080) the writer: it applies what is still to come, claims the backup, so\n"
    "that an earlier writer can push no more, and takes writes. Exit status 0 when it does.\n",
    SETTINGS, COUNT_OF(SETTINGS)};

int promote_command(int argc, char **argv)
{
    struct config config = {0};
    struct err err = ERR_CLEAR;
    bool good = config_load(&config, &PROMOTE, argc, argv, &err);
    if (good && config.argument_count > 1) err_set(&err, ERR_USAGE, __func__, "promote takes one URL; see skerry promote --help");
    if (err.code != ERR_OK) {
        config_deinit(&config);
        return command_failed(&err);
    }
    if (config.help) {
        config_help(&PROMOTE);
        config_deinit(&config);
        return 0;
    }
    const char *base = config.argument_count ? config.arguments[0] : "http://127.0.0.1:8080";
    const char *token = config_text(&config, SETTING_AUTH_TOKEN);
    char url[2048], authorization[1024];
    size_t size = strlen(base);
    while (size && base[size - 1] == '/') size--;
    snprintf(url, sizeof url, "%.*s/promote", (int)MIN(size, sizeof url - 16), base);
    snprintf(authorization, sizeof authorization, "Bearer %.1000s", token);
    struct io *io = io_create(&(struct io_options){.backend = IO_BACKEND_POSIX}, &err);
    struct io_http *http = io ? io_http_create(io, &err) : NULL;
    if (!http) return command_failed(&err);
    struct io_http_header header = {"Authorization", authorization};
    struct io_http_request r = {.method = "POST",
                                .url = url,
                                .headers = &header,
                                .header_count = token[0] ? 1 : 0,
                                .idle_timeout_ms = PROMOTE_TIMEOUT_MS,
                                .total_timeout_ms = PROMOTE_TIMEOUT_MS,
                                .answer_size_max = 65536};
    completion_init(&r.done, NULL, NULL);
    io_http_start(http, &r);
    while (r.done.state != COMPLETION_DONE)
        if (io_step(io, 100000000) < 0) break;
    bool done = r.done.result == 0 && r.status == 200;
    if (r.done.result != 0)
        fprintf(stderr, "skerry: %s\n", r.err.text);
    else if (!done)
        fprintf(stderr, "skerry: %s answers %d: %.*s\n", url, r.status, (int)r.answer_size, r.answer ? (char *)r.answer : "");
    io_http_request_deinit(&r);
    io_http_destroy(http);
    io_destroy(io);
    config_deinit(&config);
    return done ? 0 : EXIT_FAILED;
}
