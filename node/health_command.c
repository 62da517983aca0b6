#include "command.h"

#include "../io/http_client.h"

#define HEALTH_TIMEOUT_MS 3000

int health_command(int argc, char **argv)
{
    const char *url = "http://127.0.0.1:8080";
    struct err err = ERR_CLEAR;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            printf("usage: skerry health [--url URL]\n\nAsks a node whether it is well: exit "
                   "status 0 when it is.\n\n"
                   "  --url URL   of the node; default: %s\n",
                   url);
            return 0;
        }
        if (strcmp(argv[i], "--url") == 0 && i + 1 < argc) {
            url = argv[++i];
        } else if (strncmp(argv[i], "--url=", 6) == 0) {
            url = argv[i] + 6;
        } else {
            err_set(&err, ERR_USAGE, __func__, "'%s' is not known; see skerry health --help",
                    argv[i]);
            return command_failed(&err);
        }
    }
    char whole[2048];
    size_t size = strlen(url);
    while (size && url[size - 1] == '/') size--;
    snprintf(whole, sizeof whole, "%.*s/health", (int)MIN(size, sizeof whole - 10), url);
    struct io *io = io_create(&(struct io_options){.backend = IO_BACKEND_POSIX}, &err);
    struct io_http *http = io ? io_http_create(io, &err) : NULL;
    if (!http) return command_failed(&err);
    struct io_http_request r = {.method = "GET",
                                .url = whole,
                                .connect_timeout_ms = HEALTH_TIMEOUT_MS,
                                .total_timeout_ms = HEALTH_TIMEOUT_MS,
                                .answer_size_max = 65536};
    completion_init(&r.done, NULL, NULL);
    io_http_start(http, &r);
    while (r.done.state != COMPLETION_DONE)
        if (io_step(io, 100000000) < 0) break;
    bool well = r.done.result == 0 && r.status == 200;
    if (well)
        printf("%s", r.answer ? (char *)r.answer : "ok\n");
    else if (r.done.result == 0)
        fprintf(stderr, "skerry: %s answers %d: %s\n", whole, r.status,
                r.answer ? (char *)r.answer : "");
    else
        fprintf(stderr, "skerry: %s\n", r.err.text);
    io_http_request_deinit(&r);
    io_http_destroy(http);
    io_destroy(io);
    return well ? 0 : EXIT_FAILED;
}
