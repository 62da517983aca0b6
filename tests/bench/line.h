// SQLite's writers of a benchmark queue for the file here, since its own waiting starves most of them.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

// A line: the lock goes to who has waited longest.
struct turn {
    pthread_cond_t mine;
    bool has;
    struct turn *next;
};
static pthread_mutex_t line_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct turn *line_first, **line_last = &line_first;

static void line_enter(struct turn *t)
{
    pthread_mutex_lock(&line_mutex);
    t->next = NULL;
    t->has = line_first == NULL;
    *line_last = t;
    line_last = &t->next;
    while (!t->has) pthread_cond_wait(&t->mine, &line_mutex);
    pthread_mutex_unlock(&line_mutex);
}

static void line_leave(struct turn *t)
{
    pthread_mutex_lock(&line_mutex);
    line_first = t->next;
    if (!line_first) line_last = &line_first;
    else {
        line_first->has = true;
        pthread_cond_signal(&line_first->mine);
    }
    pthread_mutex_unlock(&line_mutex);
}
