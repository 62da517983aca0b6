// SQLite's write-ahead log: its format and what this process knows of its frames. No I/O in here.
//
// File: a header of 32 bytes, then frames. All integers big-endian.
//   header   magic 0x377f0682 (checksums over little-endian words) or ...83 (big-endian), version
//   3007000,
//            page size, checkpoint number, salt 1, salt 2, checksum (2 words) of the 24 bytes
//            before
//   frame    24 bytes: page number; database size in pages after the commit that this frame ends,
//   or 0;
//            salt 1, salt 2; checksum (2 words); then the page. The checksum goes over the first 8
//            bytes of the frame and the page, and continues that of the frame before (of the header
//            for the first).
// A frame counts when its salts are the header's, its checksum holds, and a commit frame at or
// after it counts.
//
// Frames are numbered from 1; lsn = base + number, where base grows by the number of frames at each
// restart.
#pragma once

#include "codec.h"

#define WAL_HEADER_SIZE       32u
#define WAL_FRAME_HEADER_SIZE 24u
#define WAL_MAGIC             0x377f0682u
#define WAL_VERSION           3007000u

struct wal_sum {
    u32 s1, s2;
};
struct wal_frame {
    pgno no;
    u32 previous;    // frame that held the page before, or 0
    pgno page_count; // of a commit frame, else 0
    struct wal_sum sum; // up to this frame, as it was written last or found
};
struct wal_slot {
    pgno no; // 0: empty
    u32 frame;
};

struct wal {
    const struct codec *codec; // of the pages in frames
    u32 foreign;               // frames up to there were recovered: pages in them may not have the codec's sums
    struct io_file *file; // NULL until there is one
    struct io_file *direct; // the same for writing, past the kernel's cache; NULL until the first flush
    u64 allocated;          // bytes that the file has
    bool header_written;
    bool unsynced; // recovered: its frames may not have reached the disk yet
    bool big_endian;
    u32 page_size;
    u32 checkpoint_number;
    u32 salt[2];
    bool begun; // a header with nothing behind it was found: the first log of this run begins where that one did
    u32 begun_salt[2];
    struct wal_sum sum; // of the last durable frame, or of the header
    u64 base;

    struct wal_frame *frames; // frames[i] is number i + 1
    u32 frame_count, frame_capacity;
    struct wal_slot *slots; // page number -> newest frame, open addressing
    u32 slot_mask, slot_count;
    // Contents of the appended frames that are not durable yet, pinned; in the order of the frames. Without data: in
    // the temporary file of spilled pages (store.spilled).
    struct page **pending;
    u32 pending_count, pending_capacity;
};

void wal_deinit(struct wal *w);
void wal_sum_add(struct wal_sum *sum, const u8 *bytes, size_t size,
                 bool big_endian); // size: a multiple of 8
// Starts the log anew in memory: the first salt counts up, the second is random; base takes in the
// old frames.
void wal_restart(struct wal *w, u32 random_salt);
void wal_header_encode(struct wal *w, u8 *out); // sets w->sum
bool wal_header_decode(struct wal *w, const u8 *in, u32 *page_size);
void wal_frame_encode(struct wal *w, struct wal_sum *sum, u32 number, const u8 *page,
                      u8 *out); // header and page
// False when the frame does not continue the log.
bool wal_frame_decode(const struct wal *w, struct wal_sum *sum, const u8 *in, pgno *no,
                      pgno *page_count);
static inline u64 wal_frame_offset(const struct wal *w, u32 number)
{
    return WAL_HEADER_SIZE + (u64)(number - 1) * (WAL_FRAME_HEADER_SIZE + w->page_size);
}

// Makes room for `more` frames: what follows cannot fail.
bool wal_reserve(struct wal *w, u32 more, bool pending);
void wal_append(struct wal *w, pgno no, pgno page_count);
void wal_truncate(struct wal *w, u32 frame_count); // forgets the frames after
// Newest frame of a page with number <= limit, or 0.
u32 wal_find(const struct wal *w, pgno no, u32 limit);
// Oldest frame of a page with number > after, or 0.
u32 wal_find_after(const struct wal *w, pgno no, u32 after);
