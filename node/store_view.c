#include "store_view.h"
#include "command.h"

#include <sodium.h>
#include <unistd.h>

static const enum setting VIEW_SETTINGS[] = {STORE_SETTINGS, SETTING_DATABASE, SETTING_AT, SETTING_TX};
static const struct config_command VIEW = {"", VIEW_SETTINGS, COUNT_OF(VIEW_SETTINGS)};

bool store_view_takes(const char *name)
{
    return config_takes(&VIEW, name);
}

bool store_view_open(struct store_view *v, struct io *io, int argc, char **argv, const struct store_key *database_key, struct err *err)
{
    struct remote_options o = {.io = io, .path = v->path, .database_key = database_key};
    const char *folder = getenv("TMPDIR");
    *v = (struct store_view){0};
    if (sodium_init() < 0) err_set(err, ERR_INTERNAL, __func__, "libsodium cannot be initialised");
    if (err->code != ERR_OK || !config_load(&v->config, &VIEW, argc, argv, err) || !config_key(&v->config, &o.key, err) ||
        !config_number(&v->config, SETTING_TX, 0, UINT64_MAX >> 1, &o.tx, err) ||
        !config_time(&v->config, SETTING_AT, &o.time_ms, err))
        return false;
    const char *url = config_text(&v->config, SETTING_STORE);
    if (!url[0]) {
        err_set(err, ERR_USAGE, __func__, "a state of a backup needs --store URL");
        return false;
    }
    if (object_url_needs_http(url) && !(v->http = io_http_create(io, err))) return false;
    v->objects = config_store_open(&v->config, url, io, v->http, err);
    if (!v->objects) return false;
    o.objects = v->objects;
    o.name = config_text(&v->config, SETTING_DATABASE);
    snprintf(v->path, sizeof v->path, "%.200s/skerry-view-%d.db", folder && folder[0] ? folder : "/tmp", (int)getpid());
    struct completion done;
    completion_init(&done, NULL, NULL);
    remote_open(&v->remote, &o, &done, err);
    while (done.state != COMPLETION_DONE) io_step(io, 1000000000);
    sodium_memzero(&o.key, sizeof o.key);
    return v->remote != NULL;
}

void store_view_close(struct store_view *v)
{
    remote_close(v->remote);
    object_store_close(v->objects);
    io_http_destroy(v->http);
    config_deinit(&v->config);
}
