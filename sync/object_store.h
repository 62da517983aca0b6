// Object stores: named runs of bytes in a directory, a bucket or another node.
//
// Keys are '/'-separated and relative to the store's prefix: no empty, "." or ".." component, no
// control character, and nothing under ".tmp", which is the directory store's own. What a store
// does: put (plain or only when the name is free), get (whole or a range, or only when it changed),
// head, list (what is in a folder, after a key, in byte order), delete (one or many), and uploads
// in parts for what is too large for one put.
//
// One request is one struct object_request: the owner fills it in, starts it, keeps it until `done`
// completes, and may start it again. tries_max says how often a failed try is repeated; the waits
// in between, the limits of bandwidth and of requests, and the counters are the same for all stores
// (object_store.c), and are shared by all who use the store.
//
// Stores: "file:///path" or a plain path: a directory; an object appears whole or not at all
// (written aside, synced, linked into place, folder synced). "s3://bucket/prefix": S3 and what
// speaks it. "hub+http://host:port/prefix" and "hub+https://...": the /store routes of another
// node (node/hub.c).
#pragma once

#include "../io/http_client.h"
#include "../io/io.h"

struct object_store;

#define OBJECT_KEY_MAX        512
#define OBJECT_VERSION_MAX    128
#define OBJECT_UPLOAD_ID_MAX  1024
#define OBJECT_PARTS_MAX      10000
#define OBJECT_PART_SIZE_MIN  (5u << 20) // of all parts but the last: S3's rule
#define OBJECT_TRIES_ENDLESS  UINT32_MAX
#define OBJECT_SMALL_PUT_MAX  (5ull << 30) // one put's size in S3

struct object_store_options {
    const char *url;
    // S3. Empty strings and NULL mean unset.
    const char *endpoint; // "https://s3.eu-central-1.amazonaws.com"; NULL: AWS's, by region
    const char *region;   // NULL: us-east-1
    const char *access_key, *secret_key, *session_token; // unset: see s3_credentials.h
    // The files these came from, read again when the store says that they ran out; NULL: none.
    const char *access_key_file, *secret_key_file, *session_token_file;
    bool virtual_host_style; // bucket in the host name; default for AWS itself
    const char *ca_file;     // S3 and hub
    const char *token;       // hub: its bearer token
    // Limits; 0 = none.
    u64 upload_bytes_per_s, download_bytes_per_s, requests_per_s;
};

enum object_kind {
    OBJECT_PUT,
    OBJECT_PUT_IF_ABSENT, // ERR_STORE_EXISTS when the name is taken
    OBJECT_GET,
    OBJECT_HEAD,
    OBJECT_LIST,
    OBJECT_DELETE, // of what is not there succeeds
    OBJECT_DELETE_MANY,
    OBJECT_UPLOAD_BEGIN,
    OBJECT_UPLOAD_PART,
    OBJECT_UPLOAD_PARTS, // fills upload->parts with what the store has
    OBJECT_UPLOAD_FINISH,
    OBJECT_UPLOAD_ABORT,
    OBJECT_UPLOAD_LIST, // uploads under key (a prefix) that were neither finished nor aborted
    OBJECT_KIND_COUNT,
};

// An object in the making, for what is too large for memory or for one put. Begin it, put its parts
// (numbered from 0; any order, several at a time, each again with the same bytes if need be), finish it: only then the
// object is there, in place of what had its name. To go on after a restart, keep key, id and
// part_size on disk before the first part, and ask for OBJECT_UPLOAD_PARTS. A plain name only:
// stores ignore conditions here.
struct object_part {
    u64 size; // 0: not there yet
    char version[OBJECT_VERSION_MAX];
};
struct object_upload {
    char id[OBJECT_UPLOAD_ID_MAX];
    u64 part_size; // of every part but the last, which may be smaller
    struct object_part *parts;
    u32 part_count, part_capacity;
};
void object_upload_deinit(struct object_upload *u);

struct object_entry {
    char *key; // relative to the store, whole; a folder's ends in '/'
    u64 size;
    s64 modified_ms;    // Unix time; 0 for folders
    const char *upload; // UPLOAD_LIST: its id
};

// Bytes that come piece by piece; read completes with their number, 0 at the end, or -errno. Taken
// by the directory store only, for the hub.
struct object_source {
    void (*read)(struct object_source *source, void *buffer, size_t size, struct completion *done);
};

struct object_request {
    // Filled in by the owner.
    enum object_kind kind;
    char key[OBJECT_KEY_MAX]; // LIST: the folder, "" or ending in '/'
    const void *body;         // PUT, UPLOAD_PART: the caller's until done
    size_t body_size;
    struct object_source *source; // instead of body
    u64 range_offset, range_size; // GET: range_size 0 = from the offset to the end; what lies
                                  // beyond the end is left out
    size_t answer_size_max;       // GET: more is an error; 0 = 256 MiB
    u8 *room;                     // GET: the caller's memory of room_size, where an answer goes that is smaller; or NULL
    size_t room_size;
    char if_version[OBJECT_VERSION_MAX]; // GET: no answer but `unchanged` when it still is this
    char after[OBJECT_KEY_MAX];          // LIST: only keys behind this one ("" = all)
    u32 list_limit;                      // LIST: at most so many, then `more`; 0 = all
    bool list_folders;                   // LIST: folders in the folder too
    const char *const *keys;             // DELETE_MANY
    u32 key_count;
    struct object_upload *upload;
    u32 part;
    u32 tries_max; // 0 = 1. With more, a put-if-absent that meets its own bytes has succeeded (a
                   // reply that was lost): let claims carry something random.
    // Before each wait for another try, with err set; may be NULL.
    void (*on_retry)(struct object_request *r, u64 wait_ms);
    bool patient; // takes what the limits leave: others that come while it waits go first
    void *context;

    // Filled in by the store.
    struct completion done; // 0, or negative with err set
    struct err err;         // ERR_STORE_MISSING, _EXISTS, _DENIED, _UNAVAILABLE, ERR_NETWORK, ...
    u8 *answer;             // GET; freed by object_request_deinit, unless it is room
    size_t answer_size;
    char version[OBJECT_VERSION_MAX]; // PUT, GET, HEAD: changes with the object; "" = not told
    u64 size;                         // GET, HEAD: of the whole object
    s64 modified_ms;                  // GET, HEAD: Unix time
    bool unchanged;
    struct object_entry *entries; // LIST, UPLOAD_LIST: in order
    u32 entry_count, entry_capacity;
    bool more;   // LIST: the limit cut it short; go on after the last entry
    u32 attempt; // tries that failed
    // The stores' own.
    struct object_store *store;
    struct object_request *next, **link; // of those that are under way
    bool running; // started and not finished
    bool cancelled;
    u32 step;
    u64 retry_after_ms; // what the store asked for with its error
    struct completion timer;
    enum { OBJECT_TIMER_NONE, OBJECT_TIMER_ADMISSION, OBJECT_TIMER_PATIENCE, OBJECT_TIMER_RETRY } timer_for;
    struct object_request *check; // reads what has the name
    void *private_;
};

// NULL with *err set (ERR_USAGE) when the URL or the settings are off. Contacts nothing.
struct object_store *object_store_open(struct io *io, struct io_http *http,
                                       const struct object_store_options *options, struct err *err);
void object_store_close(struct object_store *s);            // nothing may be under way
// All that is under way ends soon, with ERR_CANCELLED, and so does what is started from now on: nothing waits for the store.
void object_store_interrupt(struct object_store *s);
const char *object_store_url(const struct object_store *s); // without secrets, for messages
// What a patient request fetches at most at a time, so that others wait for it a quarter of a second.
u64 object_store_piece(const struct object_store *s, u64 size_min, u64 size_max);
bool object_url_needs_http(const char *url);                // a directory does without a client

void object_request_init(struct object_request *r, void (*callback)(struct completion *),
                         void *context);
// Starts (again) what the owner filled in; the answer of an earlier start is dropped.
void object_start(struct object_store *s, struct object_request *r);
void object_request_deinit(struct object_request *r); // not while it is under way
// Started, and its callback has not run yet.
bool object_request_busy(const struct object_request *r);
bool object_request_yields(const struct object_request *r); // is patient, and waits for others
// Makes a request that is under way complete soon, with an error unless it was done already.
void object_cancel(struct object_request *r);

bool object_key_valid(const char *key);
// True when another try may succeed without anybody doing anything.
bool object_error_passes(const struct err *err);
// Full jitter between 0 and min(300 s, 0.5 s * 2^attempt).
u64 object_backoff_ms(struct io *io, u32 attempt);

// ---- what it has done
// -----------------------------------------------------------------------------------------

enum object_error_class {
    OBJECT_ERROR_NETWORK, // no connection, resets
    OBJECT_ERROR_TIMEOUT,
    OBJECT_ERROR_UNAVAILABLE, // 5xx, slow down
    OBJECT_ERROR_DENIED,
    OBJECT_ERROR_FULL,
    OBJECT_ERROR_OTHER,
    OBJECT_ERROR_CLASS_COUNT,
};
struct object_store_stats {
    u64 requests[OBJECT_KIND_COUNT]; // tries, not counting pages of a listing
    u64 uploaded_bytes, downloaded_bytes;
    u64 retries;
    u64 errors[OBJECT_ERROR_CLASS_COUNT]; // missing and existing objects are answers, not errors
    u64 limited_ms;                       // waited for the limits
};
void object_store_stats_get(const struct object_store *s, struct object_store_stats *out);
const char *object_kind_name(enum object_kind kind);               // "put", "upload_part"
const char *object_error_class_name(enum object_error_class kind); // "network"

// ---- what it does with conditions
// -----------------------------------------------------------------------------

// Whether put-if-absent can be relied on is found out by trying, in `folder` ("NAME/"): a second
// put must be refused, and of two at the same time one must win. What is found is kept.
enum object_conditions {
    OBJECT_CONDITIONS_UNKNOWN, // not tried, or the store could not be reached
    OBJECT_CONDITIONS_HONOURED,
    OBJECT_CONDITIONS_IGNORED, // the second put replaced the first
    OBJECT_CONDITIONS_RACY,    // of two at the same time both won
    OBJECT_CONDITIONS_REFUSED, // the store does not take such requests
};
struct object_probe {
    struct completion done; // 0, or negative with err set; the owner initialises it
    struct err err;
    enum object_conditions conditions;
    struct object_probe_private *private_;
};
// `taken` names an object that is there and that a writer made who relied on put-if-absent ("": none): when the store
// refuses `body` in its place, that is enough.
void object_probe_start(struct object_store *s, struct object_probe *p, const char *folder, const char *taken, const void *body,
                        size_t size);
void object_probe_cancel(struct object_probe *p);
void object_probe_deinit(struct object_probe *p);
enum object_conditions object_store_conditions(const struct object_store *s);
const char *object_conditions_name(enum object_conditions conditions); // "honoured"
