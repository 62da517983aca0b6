// The hub: keeps other nodes' objects in a directory of this one, under /store. It speaks the part
// of S3's protocol that sync/object_s3.c uses, with a bearer token in place of the signature:
//
//   PUT, GET, HEAD, DELETE /store/KEY      put (If-None-Match: * = only when the name is free), get
//                                          (Range, If-None-Match), head, delete
//   GET  /store/?list-type=2               a folder's keys (prefix, delimiter=/, start-after,
//                                          continuation-token, max-keys)
//   POST /store/?delete                    many keys
//   POST /store/KEY?uploads, PUT ...?partNumber=N&uploadId=ID, GET, POST, DELETE ...?uploadId=ID,
//   GET  /store/?uploads                   uploads in parts; x-skerry-part-size says how large the
//                                          parts are
//
// Bodies go to the disk and come from it piece by piece; Content-MD5 is checked before an object
// gets its name.
#pragma once

#include "http_server.h"

#include "../sync/object_store.h"

struct hub;

struct hub_options {
    struct io *io;
    const char *directory, *token;
};
struct hub *hub_create(const struct hub_options *options, struct err *err);
bool hub_takes(const char *path); // "/store/..."
void hub_handle(struct hub *h, struct http_exchange *x);
bool hub_busy(const struct hub *h);
void hub_destroy(struct hub *h); // not while it is busy
void hub_stats_get(const struct hub *h, struct object_store_stats *out);
