// A node that is followed says anything: the replica takes it, or says what is wrong, and its database can be asked all the
// while. The first byte says how it begins: 1: without a file, so that the first answer is the copy; 2: what it knows of its
// place is not to be trusted. Then come answers: a byte that says how (the low three bits: the status; 8: no position; 16:
// more parts follow; 32: the position is text of the input; 64: what follows is an object as it is, else pages, of which one is made),
// two bytes of size, and so many bytes.
#include "../../node/http_server.h"
#include "../../sync/replica.h"
#include "../../sync/segment.h"
#include "fuzz.h"
#include "http_peer.h"

#define ANSWERS_MAX 16u
#define PAGE_SIZE   1024u

static const int STATUS[8] = {200, 200, 200, 200, 204, 401, 404, 500};

struct input {
    const u8 *data;
    size_t size;
    u32 answers;
};
static struct input input;

static u64 take(struct input *in, u32 bytes)
{
    u64 v = 0;
    for (u32 i = 0; i < bytes; i++) {
        v = v << 8 | (in->size ? *in->data : 0);
        if (in->size) in->data++, in->size--;
    }
    return v;
}

// A header, and pages: a byte of distance from the page before, and its first bytes with their count.
static void object_make(struct input *in, struct segment_writer *w)
{
    static const u32 SIZES[4] = {PAGE_SIZE, PAGE_SIZE, 512, 4096};
    u8 page[4096], hash[SEGMENT_HASH_SIZE], flags = (u8)take(in, 1);
    struct segment_header h = {.page_size = SIZES[flags & 3], .level = flags >> 2 & 1 ? 4 : 0, .flags = flags & 8 ? (u32)take(in, 1) & SEGMENT_BASE : 0};
    h.page_count = flags & 16 ? (u32)take(in, 4) : (u32)take(in, 1);
    h.tx_max = flags & 32 ? take(in, 8) : take(in, 1);
    h.tx_min = h.tx_max;
    h.lineage = take(in, 1);
    h.epoch = take(in, 1);
    h.sum_before = take(in, 1);
    FUZZ_CHECK(segment_writer_begin(w, &h, NULL, 1) == ERR_OK);
    for (u32 number = 0, i = 0; in->size && i < 64; i++) {
        number += 1 + (u32)take(in, 1) % 64;
        u32 given = (u32)take(in, 2) % (h.page_size + 1);
        memset(page, 0, sizeof page);
        for (u32 at = 0; at < given && in->size; at++) page[at] = (u8)take(in, 1);
        FUZZ_CHECK(segment_writer_page(w, number, page) == ERR_OK);
    }
    FUZZ_CHECK(segment_writer_finish(w, hash) == ERR_OK);
}

static void handle(struct http_exchange *x)
{
    if (!input.size || input.answers == ANSWERS_MAX) {
        http_reply(x, 401, "text/plain", "", 0);
        return;
    }
    u8 how = (u8)take(&input, 1);
    u64 body_size = take(&input, 2);
    struct input body = {.size = MIN(body_size, input.size)};
    bool copy = input.answers++ == 0;
    body.data = input.data;
    input.data += body.size;
    input.size -= body.size;
    char position[64] = "1 2 3 4 5 6 7 8 1", lines[200];
    if (how & 32)
        for (u32 i = 0; i < 40; i++) position[i] = (char)(32 + take(&body, 1) % 95);
    position[40] = 0;
    snprintf(lines, sizeof lines, "%s%s%s%s", how & 8 ? "" : "X-Skerry-Position: ", how & 8 ? "" : position, how & 8 ? "" : "\r\n",
             how & 16 ? "X-Skerry-More: 0000000000000001\r\n" : "");
    int status = copy ? 200 : STATUS[how & 7];
    if (how & 64) {
        http_reply_headers(x, status, "application/octet-stream", lines, body.data, body.size, body.size);
        return;
    }
    struct segment_writer w;
    object_make(&body, &w);
    http_reply_headers(x, status, "application/octet-stream", lines, w.bytes, w.size, w.size);
    segment_writer_deinit(&w);
}

static void database_close(struct fuzz *f)
{
    while (skerry_close(f->db, NULL) == SKERRY_WAIT) skerry_wait(f->db);
    skerry_engine_destroy(f->engine);
}

// What the database is before anything comes.
static u8 *database(size_t *size)
{
    static u8 *bytes;
    static size_t bytes_size;
    if (!bytes) {
        struct fuzz f;
        struct io *io = fuzz_io();
        static const char SQL[] = "PRAGMA page_size = 1024; CREATE TABLE t(a INTEGER PRIMARY KEY, b); INSERT INTO t VALUES (1, 'x'), (2, hex(zeroblob(2000)))";
        fuzz_open(&f, io, "/m.db");
        fuzz_run(&f, SQL, sizeof SQL - 1, 10);
        database_close(&f);
        bytes = fuzz_file_read(io, "/m.db", &bytes_size);
        FUZZ_CHECK(bytes && bytes_size % PAGE_SIZE == 0);
        io_destroy(io);
    }
    *size = bytes_size;
    return bytes;
}

// All pages of it, cut behind their last byte that is not zero; behind the answer's head.
static size_t pages_seed(u8 *out, u8 how)
{
    size_t size, at = 3;
    const u8 *bytes = database(&size);
    u8 head[] = {0, (u8)(size / PAGE_SIZE), 3, 1, 1, 0};
    memcpy(out + at, head, sizeof head);
    at += sizeof head;
    for (size_t page = 0; page < size / PAGE_SIZE; page++) {
        const u8 *p = bytes + page * PAGE_SIZE;
        u32 given = PAGE_SIZE;
        while (given && !p[given - 1]) given--;
        out[at++] = 0;
        out[at++] = (u8)(given >> 8);
        out[at++] = (u8)given;
        memcpy(out + at, p, given);
        at += given;
    }
    out[0] = how;
    out[1] = (u8)((at - 3) >> 8);
    out[2] = (u8)(at - 3);
    return at;
}

void fuzz_seeds(void)
{
    static u8 seed[65536];
    for (u32 kind = 0; kind < 8; kind++) {
        size_t size = 1;
        seed[0] = (u8)(kind & 3);
        size += pages_seed(seed + size, kind & 4 ? 16 : 0);
        size += pages_seed(seed + size, 0);
        memcpy(seed + size, "\x04\x00\x00", 3); // 204
        size += 3;
        size += pages_seed(seed + size, kind & 1 ? 32 : 0);
        fuzz_seed(seed, size);
    }
    fuzz_seed("\x00\x40\x00\x03""abc\x05\x00\x00", 10);
}

static void asked(struct fuzz *f)
{
    static const char SQL[] = "SELECT count(*), max(a), max(b) FROM t; PRAGMA integrity_check";
    fuzz_run(f, SQL, sizeof SQL - 1, 100);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    if (size < 2) return 0;
    struct io *io = fuzz_io();
    struct err err = ERR_CLEAR;
    struct http_server_options o = {.address = http_peer_address(), .connections_max = 4, .header_size_max = 2048, .body_size_max = 4096,
                                    .header_timeout_ms = 60000, .body_timeout_ms = 60000, .idle_timeout_ms = 60000,
                                    .send_timeout_ms = 60000, .handle = handle};
    struct http_server *s = http_server_open(io, &o, &err);
    struct io_http *http = io_http_create(io, &err);
    FUZZ_CHECK(s && http && http_server_start(s, &err));
    char url[64];
    snprintf(url, sizeof url, "http://127.%u.%u.%u:%u", http_peer_host >> 16 & 255, http_peer_host >> 8 & 255, http_peer_host & 255, http_server_port(s));
    input = (struct input){.data = data + 1, .size = size - 1};
    if (!(data[0] & 1)) {
        size_t bytes_size;
        const u8 *bytes = database(&bytes_size);
        fuzz_file_write(io, "/r.db", bytes, bytes_size);
        fuzz_file_write(io, "/r.db-replica", data, data[0] & 2 ? MIN(size, 1024u) : 0);
        input.answers = 1;
    }
    struct replica *r = replica_create(&(struct replica_options){.io = io, .http = http, .node = url, .token = "", .name = "db", .path = "/r.db"}, &err);
    if (r) {
        struct fuzz f;
        struct replica_status status = {0};
        fuzz_open(&f, io, "/r.db");
        asked(&f);
        struct store *store = skerry_store(f.db);
        if (store) {
            replica_start(r, store);
            for (u32 i = 0, last = 0; i < 300 && !status.error[0] && !status.failed; i++) {
                io_step(io, 1000000);
                replica_status_get(r, &status);
                if (!input.size && ++last > 20) break;
            }
            asked(&f);
            replica_stop(r);
        }
        database_close(&f);
        replica_destroy(r);
    } else {
        FUZZ_CHECK(err.code != ERR_OK && err.text[0]);
    }
    io_http_destroy(http);
    http_peer_stop(io, s);
    io_destroy(io);
    return 0;
}
