// Threads for what takes only time of a processor: jobs are run by any of them, and end in the loop as
// completions. Internal to sync.
#pragma once

#include "../io/io.h"

struct worker_job {
    void (*run)(struct worker_job *job, u32 thread); // on a thread; touches nothing that others write
    struct completion done;                          // in the loop; the owner initialises it
    struct worker_job *next;
};
struct workers;

// threads 0: jobs run inside workers_submit, as thread 0. NULL with *err set.
struct workers *workers_create(struct io *io, u32 threads, struct err *err);
void workers_submit(struct workers *w, struct worker_job *job);
// No job may be under way.
void workers_destroy(struct workers *w);
