#include "past.h"
#include "config.h"

#include <errno.h>
#include <unistd.h>

#define VIEWS_MAX 8
#define IDLE_NS   60000000000ull

struct opening {
    struct io_file **out;
    struct completion *done;
    u32 flags;
    struct opening *next;
};

struct view {
    struct past *past;
    bool used;
    char state[80]; // what follows the '@'
    char path[4200];
    struct remote *remote; // NULL: it is being opened
    struct completion opened;
    struct err err;
    struct opening *openings; // who waits for that
    u64 idle_ns;              // since when nobody has it open; 0: somebody has
};

struct past {
    struct past_options options;
    struct io_mount mount;
    struct view views[VIEWS_MAX];
    char why[ERR_TEXT_MAX]; // the newest opening failed
};

static const char *state_of(const struct past *p, const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    size_t size = strlen(p->options.name);
    if (strncmp(base, p->options.name, size) != 0 || base[size] != '@') return NULL;
    const char *state = base + size + 1;
    return strchr(state, '-') && strstr(state, "-wal") ? NULL : strstr(state, "-journal") || strstr(state, "-shm") ? NULL : state;
}

static bool takes(struct io_mount *m, const char *path)
{
    return state_of(CONTAINER_OF(m, struct past, mount), path) != NULL;
}

static const char *why(struct io_mount *m)
{
    const struct past *p = CONTAINER_OF(m, struct past, mount);
    return p->why[0] ? p->why : NULL;
}

static void on_opened(struct completion *c)
{
    struct view *v = c->context;
    struct past *p = v->past;
    snprintf(p->why, sizeof p->why, "%s", v->err.code != ERR_OK ? v->err.text : "");
    if (v->err.code != ERR_OK && p->options.log) p->options.log(NULL, SYNC_LOG_WARN, "past.failed", v->err.text);
    for (struct opening *o; (o = v->openings);) {
        v->openings = o->next;
        // From here on it is the mount of its own path.
        completion_release(p->options.io, o->done, v->remote ? remote_file_take(v->remote, o->out) : -ENOENT);
        free(o);
    }
    if (!v->remote) v->used = false;
}

static bool view_begin(struct view *v, const char *state)
{
    struct past *p = v->past;
    struct remote_options o = {.io = p->options.io, .objects = p->options.objects, .name = p->options.name, .path = v->path,
                               .key = p->options.key, .database_key = p->options.database_key, .log = p->options.log};
    if (strlen(state) >= sizeof v->state) return false;
    if (strncmp(state, "tx=", 3) == 0) {
        char *end;
        o.tx = strtoull(state + 3, &end, 10);
        if (!o.tx || *end) return false;
    } else if (!time_parse(state, &o.time_ms)) {
        return false;
    }
    snprintf(v->state, sizeof v->state, "%s", state);
    unlink(v->path); // of a node that was killed
    v->used = true;
    v->remote = NULL;
    v->idle_ns = 0;
    err_clear(&v->err);
    completion_init(&v->opened, on_opened, v);
    remote_open(&v->remote, &o, &v->opened, &v->err);
    return true;
}

static void open_view(struct io_mount *m, const char *path, u32 flags, struct io_file **out, struct completion *c)
{
    struct past *p = CONTAINER_OF(m, struct past, mount);
    const char *state = state_of(p, path);
    struct view *v = NULL, *free_one = NULL;
    if (flags & (IO_OPEN_WRITE | IO_OPEN_CREATE)) { // it is opened again, to be read
        completion_post(p->options.io, c, -EROFS);
        return;
    }
    for (u32 i = 0; i < VIEWS_MAX && !v; i++) {
        if (!p->views[i].used)
            free_one = &p->views[i];
        else if (strcmp(p->views[i].state, state) == 0)
            v = &p->views[i];
    }
    if (v && v->remote) {
        v->idle_ns = 0;
        completion_post(p->options.io, c, remote_file_take(v->remote, out));
        return;
    }
    struct opening *o = v || free_one ? calloc(1, sizeof *o) : NULL;
    if (!o || (!v && !view_begin(free_one, state))) {
        if (!o && !v && !free_one)
            snprintf(p->why, sizeof p->why, "%u past states are open already; DETACH one, and wait for a minute", VIEWS_MAX);
        else if (o)
            snprintf(p->why, sizeof p->why, "'%.100s' is no moment and no transaction: write 2026-03-01T12:00:00Z or tx=42", state);
        completion_post(p->options.io, c, !o && !v && !free_one ? -EMFILE : -ENOENT);
        free(o);
        return;
    }
    if (!v) v = free_one;
    *o = (struct opening){.out = out, .done = c, .flags = flags, .next = v->openings};
    v->openings = o;
    completion_hold(p->options.io, c);
}

struct past *past_create(const struct past_options *options, struct err *err)
{
    struct past *p = calloc(1, sizeof *p);
    if (!p) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return NULL;
    }
    p->options = *options;
    for (u32 i = 0; i < VIEWS_MAX; i++) {
        p->views[i].past = p;
        snprintf(p->views[i].path, sizeof p->views[i].path, "%.4000s/%.128s.past-%u", options->folder, options->name, i);
    }
    p->mount = (struct io_mount){.takes = takes, .open = open_view, .why = why};
    io_mount(options->io, &p->mount);
    return p;
}

void past_turn(struct past *p)
{
    u64 now = io_now_ns(p->options.io);
    for (u32 i = 0; i < VIEWS_MAX; i++) {
        struct view *v = &p->views[i];
        if (!v->used || !v->remote || v->openings) continue;
        if (remote_in_use(v->remote)) {
            v->idle_ns = 0;
        } else if (!v->idle_ns) {
            v->idle_ns = now;
        } else if (now - v->idle_ns > IDLE_NS) {
            remote_close(v->remote);
            v->remote = NULL;
            v->used = false;
        }
    }
}

void past_destroy(struct past *p)
{
    if (!p) return;
    io_unmount(p->options.io, &p->mount);
    for (u32 i = 0; i < VIEWS_MAX; i++) {
        struct view *v = &p->views[i];
        while (v->used && !v->remote)
            if (io_step(p->options.io, 10000000) < 0) break;
        if (v->used) remote_close(v->remote);
    }
    free(p);
}
