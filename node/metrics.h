// What /metrics tells, in Prometheus's text format 0.0.4.
#pragma once

#include "buffer.h"
#include "hrana.h"

#include "../sync/object_store.h"
#include "../sync/sync.h"

struct metrics {
    struct io *io;
    struct store_stats store;
    struct backup_status backup;
    bool has_backup;
    struct object_store_stats objects;
    bool has_objects;
    struct object_store_stats hub;
    bool has_hub;
    struct hrana_stats hrana;
    struct http_server_stats http;
};
void metrics_write(const struct metrics *m, struct buffer *out);
