#include "machine.h"

#include "../../sync/object_store.h"

#define SECOND_NS 1000000000ull

static const char *const FILES[VOLUME_FILES] = {MACHINE_PATH, MACHINE_PATH "-wal", MACHINE_PATH "-replica", MACHINE_PATH "-backup",
                                                MACHINE_PATH ".following"};

static void await(struct machine *m, struct completion *c)
{
    while (c->state == COMPLETION_PENDING) io_step(m->io, SECOND_NS);
}

void machine_up(struct machine *m, u64 now_ns)
{
    struct err err = ERR_CLEAR;
    struct completion c;
    m->io = io_create(&(struct io_options){.backend = IO_BACKEND_SIM, .sim = m->sim}, &err);
    if (!m->io) abort();
    m->at_ns = now_ns;
    m->begun_ns = io_now_ns(m->io);
    completion_init(&c, NULL, NULL);
    for (u32 i = 0; i < 3; i++) {
        if (i < 2) io_path_mkdir(m->io, i ? "/tmp" : "/data", &c);
        else io_path_sync_dir(m->io, "/", &c);
        await(m, &c);
    }
}

void machine_open(struct machine *m)
{
    struct err err = ERR_CLEAR;
    struct skerry_engine_options engine = {.io = m->io, .cache_bytes = 100 * 4096, .checkpoint_frames = 40, .temp_dir = "/tmp"};
    if (!skerry_engine_create(&engine, &m->engine, &err) || !skerry_open(m->engine, MACHINE_PATH, SKERRY_OPEN_CREATE, &m->db, &err)) abort();
}

void machine_close(struct machine *m)
{
    struct err err = ERR_CLEAR;
    struct completion done;
    completion_init(&done, NULL, NULL);
    if (m->backup) {
        backup_stop(m->backup, io_now_ns(m->io), &done);
        while (done.state != COMPLETION_DONE) io_step(m->io, SECOND_NS);
    }
    if (m->engine) {
        while (skerry_close(m->db, &err) == SKERRY_WAIT) io_step(m->io, SECOND_NS);
        skerry_engine_destroy(m->engine);
    }
    if (m->backup) backup_destroy(m->backup);
    m->engine = NULL;
    m->db = NULL;
    m->backup = NULL;
}

void machine_down(struct machine *m)
{
    machine_close(m);
    if (m->objects) object_store_close(m->objects);
    io_destroy(m->io);
    m->objects = NULL;
    m->io = NULL;
}

u64 machine_now(const struct machine *m)
{
    return io_now_ns(m->io) - m->begun_ns + m->at_ns;
}

void machine_turn(struct machine *m, u64 until_ns)
{
    for (u64 now; m->io && !sim_is_down(m->io) && (now = machine_now(m)) < until_ns;) io_step(m->io, until_ns - now);
}

void volume_free(struct volume *v)
{
    for (u32 i = 0; i < VOLUME_FILES; i++) free(v->bytes[i]);
    *v = (struct volume){0};
}

void volume_take(const struct machine *m, struct volume *v, u32 at)
{
    volume_free(v);
    for (u32 i = 0; i < VOLUME_FILES; i++) v->bytes[i] = sim_file_get(m->sim, FILES[i], &v->size[i]);
    v->at = at;
    v->there = true;
}

void volume_clear(struct machine *m)
{
    struct completion c;
    completion_init(&c, NULL, NULL);
    sim_fault_at(m->sim, SIM_CRASH, 0);
    machine_up(m, 0);
    for (u32 i = 0; i < VOLUME_FILES; i++) {
        io_path_unlink(m->io, FILES[i], &c);
        await(m, &c);
    }
    io_path_sync_dir(m->io, "/data", &c);
    await(m, &c);
    io_destroy(m->io);
    m->io = NULL;
}

void volume_put(struct machine *m, const struct volume *v)
{
    volume_clear(m);
    for (u32 i = 0; i < VOLUME_FILES; i++)
        if (v->bytes[i]) sim_file_put(m->sim, FILES[i], v->bytes[i], v->size[i]);
}
