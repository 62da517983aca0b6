#include "metrics.h"

#include <sys/resource.h>

static void metric(struct buffer *out, const char *name, const char *type, const char *help,
                   double value)
{
    buffer_format(out, "# HELP skerry_%s %s\n# TYPE skerry_%s %s\nskerry_%s %.17g\n", name, help,
                  name, type, name, value);
}

static void backup_write(const struct metrics *m, struct buffer *out)
{
    const struct backup_status *b = &m->backup;
    s64 behind_ms = b->behind_since_ms ? io_wall_ms(m->io) - b->behind_since_ms : 0;
    metric(out, "backup_up_to_date", "gauge", "1 when every commit is in the store.",
           b->behind_since_ms == 0);
    metric(out, "backup_refused", "gauge", "1 when the backup needs a person.",
           b->state == BACKUP_REFUSED);
    metric(out, "backup_lag_seconds", "gauge", "Age of the oldest commit that is not in the store.",
           (double)behind_ms / 1000);
    metric(out, "backup_lag_bytes", "gauge", "Bytes of WAL that are not in the store.", (double)b->lag_bytes);
    metric(out, "backup_last_push_timestamp_seconds", "gauge", "Unix time of the newest push.",
           (double)b->pushed_at_ms / 1000);
    metric(out, "backup_refusing_commits", "gauge", "1 when commits are refused because too much waits for the store.", b->refusing);
    metric(out, "backup_wal_bytes_total", "counter", "Bytes of WAL whose pages were pushed.", (double)b->wal_bytes);
    metric(out, "backup_merges_total", "counter", "Merges of segments into larger ones.", (double)b->merges);
    metric(out, "backup_merged_bytes_total", "counter", "Bytes that merges and images wrote.", (double)b->merged_bytes);
    metric(out, "backup_images_total", "counter", "Images of the whole database that were pushed.", (double)b->images);
    metric(out, "backup_deleted_objects_total", "counter", "Objects that retention let go.", (double)b->deleted_objects);
    metric(out, "backup_segments_total", "counter", "Segments pushed.", (double)b->pushed_segments);
    metric(out, "backup_bytes_total", "counter", "Bytes pushed.", (double)b->pushed_bytes);
    metric(out, "backup_failures_total", "counter", "Tries that failed.", (double)b->failures);
}

static void family(struct buffer *out, const char *prefix, const char *name, const char *help)
{
    buffer_format(out, "# HELP skerry_%s_%s %s\n# TYPE skerry_%s_%s counter\n", prefix, name, help,
                  prefix, name);
}

// Of a store that this node uses (prefix "store"), and of the one that it is to others ("hub").
static void objects_write(const struct object_store_stats *s, const char *prefix, struct buffer *out)
{
    family(out, prefix, "requests_total", "Requests to the store, repeated ones included.");
    for (u32 i = 0; i < OBJECT_KIND_COUNT; i++)
        buffer_format(out, "skerry_%s_requests_total{kind=\"%s\"} %llu\n", prefix,
                      object_kind_name((enum object_kind)i), (unsigned long long)s->requests[i]);
    family(out, prefix, "errors_total", "Requests that failed, by what was wrong.");
    for (u32 i = 0; i < OBJECT_ERROR_CLASS_COUNT; i++)
        buffer_format(out, "skerry_%s_errors_total{kind=\"%s\"} %llu\n", prefix,
                      object_error_class_name((enum object_error_class)i),
                      (unsigned long long)s->errors[i]);
    family(out, prefix, "retries_total", "Requests that were repeated.");
    buffer_format(out, "skerry_%s_retries_total %llu\n", prefix, (unsigned long long)s->retries);
    family(out, prefix, "uploaded_bytes_total", "Bytes of objects put.");
    buffer_format(out, "skerry_%s_uploaded_bytes_total %llu\n", prefix,
                  (unsigned long long)s->uploaded_bytes);
    family(out, prefix, "downloaded_bytes_total", "Bytes of objects got.");
    buffer_format(out, "skerry_%s_downloaded_bytes_total %llu\n", prefix,
                  (unsigned long long)s->downloaded_bytes);
    family(out, prefix, "limited_seconds_total", "Waited for the limits of bandwidth and requests.");
    buffer_format(out, "skerry_%s_limited_seconds_total %.3f\n", prefix, (double)s->limited_ms / 1000);
}

void metrics_write(const struct metrics *m, struct buffer *out)
{
    struct io_counters io;
    struct rusage usage;
    io_counters_get(m->io, &io);
    getrusage(RUSAGE_SELF, &usage);
    metric(out, "http_connections", "gauge", "HTTP connections open.", m->http.connections);
    metric(out, "http_requests_total", "counter", "HTTP requests.", (double)m->http.requests);
    metric(out, "http_malformed_total", "counter", "Requests that were not HTTP.",
           (double)m->http.malformed);
    metric(out, "http_timeouts_total", "counter", "Connections closed for a timeout.",
           (double)m->http.timeouts);
    metric(out, "http_refused_total", "counter", "Connections over the limit.",
           (double)m->http.refused);
    metric(out, "streams", "gauge", "Hrana streams open.", m->hrana.streams);
    metric(out, "sessions", "gauge", "Connections to the database.", m->hrana.sessions);
    metric(out, "statements_total", "counter", "SQL statements run.", (double)m->hrana.statements);
    metric(out, "statement_errors_total", "counter", "SQL statements that failed.",
           (double)m->hrana.errors);
    metric(out, "rows_sent_total", "counter", "Rows sent.", (double)m->hrana.rows_sent);
    metric(out, "commits_total", "counter", "Commits made durable.", (double)m->store.commits);
    metric(out, "wal_syncs_total", "counter", "Syncs of the WAL.", (double)m->store.syncs);
    metric(out, "wal_frames", "gauge", "Frames in the WAL.", (double)m->store.wal_frames);
    metric(out, "wal_bytes", "gauge", "Size of the WAL.", (double)m->store.wal_bytes);
    metric(out, "wal_held_by_reader", "gauge", "1 when an old reader keeps a long WAL from starting again.",
           m->store.wal_held == STORE_WAL_HELD_READER);
    metric(out, "wal_held_by_backup", "gauge", "1 when what is not pushed yet keeps a long WAL from starting again.",
           m->store.wal_held == STORE_WAL_HELD_BACKUP);
    metric(out, "wal_held_seconds", "gauge", "Since when the WAL is held.", (double)m->store.wal_held_ns / 1e9);
    metric(out, "wal_readers_let_go_total", "counter", "Transactions whose snapshot was given up at --wal-bytes-max.",
           (double)m->store.readers_let_go);
    metric(out, "wal_failed", "gauge", "1 when a sync failed and writes are refused.",
           m->store.wal_failed);
    metric(out, "checkpoints_total", "counter", "Checkpoints.", (double)m->store.checkpoints);
    metric(out, "cache_bytes", "gauge", "Page cache.", (double)m->store.cache_bytes);
    metric(out, "cache_hits_total", "counter", "Pages found in the cache.",
           (double)m->store.cache_hits);
    metric(out, "cache_misses_total", "counter", "Pages read.", (double)m->store.cache_misses);
    metric(out, "io_submissions_total", "counter", "Operations given to the kernel.",
           (double)io.submissions);
    metric(out, "io_enters_total", "counter", "io_uring_enter calls.", (double)io.enters);
    metric(out, "io_read_bytes_total", "counter", "Bytes read from files.", (double)io.read_bytes);
    metric(out, "io_written_bytes_total", "counter", "Bytes written to files.",
           (double)io.written_bytes);
    metric(out, "resident_bytes_max", "gauge", "Largest resident size so far.",
           (double)usage.ru_maxrss * 1024);
    if (m->has_backup) backup_write(m, out);
    if (m->has_objects) objects_write(&m->objects, "store", out);
    if (m->has_hub) objects_write(&m->hub, "hub", out);
}
