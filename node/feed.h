// What a node tells its replicas: the pages that changed since a position in its log.
//
// GET /replica/pages?follower=H&instance=H&lsn=N&salt1=N&salt2=N&frame=N&sum1=N&sum2=N&wait_ms=N
//   200: a segment (docs/backup-format.md, not encrypted) with these pages as of now, and a header
//        X-Skerry-Position: INSTANCE LSN SALT1 SALT2 FRAME SUM1 SUM2 EPOCH BY_START, the position to ask from next;
//        with X-Skerry-More: ID there are more parts of the same state.
//        A position that is not known (any more) gives all pages.
//   204: nothing has changed for wait_ms.
// POST /replica/pages?...&page_size=N&group=N, with a body: the same from who has some of all pages already, of a copy that
//   was cut off. The body is a big-endian u64 for each group of so many pages, from page 1 on, at most 32,768 of them: the
//   XOR of the sums of its pages (segment_page_sum). When all pages are to be sent, groups whose sum is this node's are
//   left out.
// GET /replica/more?id=ID&part=N: the next part, from 1 on; or the newest once more, when its answer was lost.
//
// instance names this opening of the database, in which lsn counts; salts and frame find the place in the log after a
// restart. The frame's checksum, which goes over all before it, must be the same there: else the file was put back to an
// earlier state, and went on otherwise. The segment's tx_max - 1, lineage, epoch, parent, sum_before say up to where
// this node has pushed to its store, and of which epochs all pushes are of states that it had; EPOCH, BY_START: its sole_epoch,
// and 1 when that is claimed by this start (struct backup_place). The log is kept for followers that have asked lately.
#pragma once

#include "buffer.h"
#include "http_server.h"

#include "../sync/sync.h"

struct feed;

// part_size: bytes of pages in an answer, about; 0 = 4 MiB.
struct feed *feed_create(struct io *io, struct store *store, u32 part_size, struct err *err);
bool feed_takes(const char *path);
// backup: what this node pushes with, or NULL.
void feed_handle(struct feed *f, struct http_exchange *x, const struct backup *backup);
void feed_metrics(const struct feed *f, struct buffer *out); // in Prometheus's format
void feed_stop(struct feed *f); // answers who waits; turns the loop; before the database is closed
void feed_destroy(struct feed *f);
