// Goal: two key slots agree when both are sound and name the same data key under the same master key, and else do not.
// Method: slots that are made one after the other as a change of keys makes them, put in their places and looked at in every state in
// which a power loss or a failed write may leave them.
#include "engine/store/key_slot.h"
#include "engine/store/store.h"
#include "io/io.h"
#include "tests/test.h"

struct slots {
    struct io *io;
    u8 header[SEALED_HEADER_SIZE];
    struct store_key key, other;
};

static bool slots_open(struct slots *s)
{
    struct err err = ERR_CLEAR;
    *s = (struct slots){.key = {.kind = STORE_KEY_BYTES}, .other = {.kind = STORE_KEY_BYTES, .bytes = {9}}};
    s->io = io_create(&(struct io_options){.backend = IO_BACKEND_MEMORY}, &err);
    return s->io != NULL;
}

static void slot_put(struct slots *s, struct key_slot *slot, u32 sequence)
{
    slot->sequence = sequence;
    key_slot_encode(slot, s->io, s->header + key_slot_offset(slot));
}

static bool agree(struct slots *s, const struct store_key *key)
{
    struct key_slot newest;
    struct err err = ERR_CLEAR;
    bool used_previous;
    CHECK_EQ(key_slots_open(s->header, "x", key, NULL, &newest, &used_previous, &err), ERR_OK);
    return key_slots_agree(s->header, &newest);
}

TEST(slots_agree_when_both_have_the_key)
{
    struct slots s;
    struct err err = ERR_CLEAR;
    REQUIRE(slots_open(&s));
    struct key_slot slot = {0};
    key_slot_fresh(&slot, 4096, s.io);
    CHECK_EQ(key_slot_master(&slot, &s.key, s.io, &err), ERR_OK);
    slot_put(&s, &slot, 1);
    slot_put(&s, &slot, 2);
    CHECK(agree(&s, &s.key));
    slot.progress = 7; // says how far a change of keys is, which need not be known
    slot_put(&s, &slot, 3);
    CHECK(agree(&s, &s.key));

    // Another master key: only in the newer one, then in both.
    CHECK_EQ(key_slot_master(&slot, &s.other, s.io, &err), ERR_OK);
    slot_put(&s, &slot, 4);
    CHECK(!agree(&s, &s.other));
    slot_put(&s, &slot, 5);
    CHECK(agree(&s, &s.other));

    // A new data key.
    memcpy(slot.keys[1], slot.keys[0], sizeof slot.keys[0]);
    io_random(s.io, slot.keys[0], sizeof slot.keys[0]);
    slot.previous = slot.generation++;
    slot_put(&s, &slot, 6);
    CHECK(!agree(&s, &s.other));
    slot_put(&s, &slot, 7);
    CHECK(agree(&s, &s.other));

    // The other one is damaged, or of a write that did not end.
    s.header[key_slot_offset(&slot) + 100] ^= 1;
    CHECK(!agree(&s, &s.other));
    io_destroy(s.io);
}

int main(int argc, char **argv) { return test_main(argc, argv); }
