#include "worker.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define THREADS_MAX 64

struct job_list {
    struct worker_job *first, *last;
};

struct workers {
    struct io *io;
    u32 thread_count;
    pthread_t threads[THREADS_MAX];
    u32 started;
    u32 running; // submitted and not yet completed; the loop's
    int fd;      // counts what is finished
    struct completion ready;
    pthread_mutex_t lock; // guards what follows
    pthread_cond_t work;
    struct job_list waiting, finished;
    bool stopping;
};

static void list_add(struct job_list *l, struct worker_job *job)
{
    job->next = NULL;
    if (l->last)
        l->last->next = job;
    else
        l->first = job;
    l->last = job;
}

static struct worker_job *list_take(struct job_list *l)
{
    struct worker_job *job = l->first;
    if (job) l->first = job->next;
    if (!l->first) l->last = NULL;
    return job;
}

static void *thread_main(void *context)
{
    struct workers *w = context;
    pthread_mutex_lock(&w->lock);
    u32 number = w->started++;
    while (!w->stopping) {
        struct worker_job *job = list_take(&w->waiting);
        if (!job) {
            pthread_cond_wait(&w->work, &w->lock);
            continue;
        }
        pthread_mutex_unlock(&w->lock);
        job->run(job, number);
        pthread_mutex_lock(&w->lock);
        list_add(&w->finished, job);
        u64 one = 1;
        ssize_t ignored = write(w->fd, &one, sizeof one);
        (void)ignored;
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static void on_ready(struct completion *c)
{
    struct workers *w = c->context;
    u64 count;
    ssize_t ignored = read(w->fd, &count, sizeof count);
    (void)ignored;
    pthread_mutex_lock(&w->lock);
    struct worker_job *job = w->finished.first;
    w->finished = (struct job_list){0};
    pthread_mutex_unlock(&w->lock);
    while (job) {
        struct worker_job *next = job->next;
        w->running--;
        completion_post(w->io, &job->done, 0);
        job = next;
    }
    if (w->running && c->state != COMPLETION_PENDING) io_poll(w->io, w->fd, POLLIN, &w->ready);
}

struct workers *workers_create(struct io *io, u32 threads, struct err *err)
{
    struct workers *w = calloc(1, sizeof *w);
    if (!w) {
        err_set(err, ERR_NOMEM, __func__, "out of memory");
        return NULL;
    }
    w->io = io;
    w->fd = -1;
    completion_init(&w->ready, on_ready, w);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->work, NULL);
    if (!threads) return w;
    w->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    // Signals are the loop's.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (w->fd >= 0 && w->thread_count < MIN(threads, (u32)THREADS_MAX) &&
           pthread_create(&w->threads[w->thread_count], NULL, thread_main, w) == 0)
        w->thread_count++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return w; // with no thread at all, jobs run in the loop
}

void workers_submit(struct workers *w, struct worker_job *job)
{
    if (!w->thread_count) {
        job->run(job, 0);
        completion_post(w->io, &job->done, 0);
        return;
    }
    w->running++;
    pthread_mutex_lock(&w->lock);
    list_add(&w->waiting, job);
    pthread_cond_signal(&w->work);
    pthread_mutex_unlock(&w->lock);
    if (w->ready.state != COMPLETION_PENDING) io_poll(w->io, w->fd, POLLIN, &w->ready);
}

void workers_destroy(struct workers *w)
{
    if (!w) return;
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_broadcast(&w->work);
    pthread_mutex_unlock(&w->lock);
    for (u32 i = 0; i < w->thread_count; i++) pthread_join(w->threads[i], NULL);
    if (w->ready.state == COMPLETION_PENDING) io_cancel(w->io, &w->ready);
    while (w->ready.state == COMPLETION_PENDING)
        if (io_step(w->io, 10000000) < 0) break;
    if (w->fd >= 0) close(w->fd);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->work);
    free(w);
}
