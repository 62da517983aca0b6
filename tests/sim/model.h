// What a database may hold, whatever happened: the transactions of one life, what each wrote over what, and a check
// of a state of the database (as a snapshot or a recovery shows it) against them.
//
// The database: log(txn) has a row for each committed transaction; KEYS keys, each with the number of the transaction
// and of the value that it wrote last. A transaction notes for each key which writer it saw before it wrote, so that
// the order of commits need not be known: the writers of a key are chains, and what is found must be the one end of
// them that is not a deletion. That holds for concurrent transactions as for plain ones; plain ones moreover became
// durable in the order in which they had the write slot.
#pragma once

#include "../test.h"

#define MODEL_KEYS 160u

enum model_state {
    MODEL_ACTIVE,       // COMMIT was not asked for: must not be there
    MODEL_COMMITTING,   // asked for, not answered: there or not, whole
    MODEL_ACKNOWLEDGED, // must be there
    MODEL_FAILED,       // COMMIT failed: there or not, whole
    MODEL_ABORTED,      // rolled back or refused: must not be there
};
struct model_change {
    u32 key, seen, value; // value 0: deleted; seen 0: the key was not there
};
struct model_txn {
    enum model_state state;
    bool concurrent;
    bool seen; // by a reader: it must be there from then on
    u64 slot; // plain: when it had the write slot; 0: not yet
    struct model_change *changes;
    u32 change_count, change_capacity;
};
struct model {
    u32 first; // number of the first transaction of this life
    u32 count;
    struct model_txn *txns; // [number - first]
    u32 capacity;
    u64 slots;
    u32 value_last;
    u32 base_txn[MODEL_KEYS], base_value[MODEL_KEYS]; // at the beginning of this life; 0: not there
    u32 base_log;                                     // rows of log then
};
// A state of the database as somebody reads it.
struct model_view {
    u8 *there; // transactions of this life whose row in log was found
    u32 there_count;
    u32 log_before; // rows of log of earlier lives
    u32 txn[MODEL_KEYS], value[MODEL_KEYS];
    u32 rows;
    u8 *must; // acknowledged when the reader began
    u32 must_count;
    bool all;   // of what survived a life: what readers saw must be there as well
    bool wrong; // a row that nobody wrote; reported already
};

void model_deinit(struct model *m);
u32 model_txn_begin(struct model *m, bool concurrent); // its number
struct model_txn *model_txn(struct model *m, u32 number);
void model_slot_had(struct model *m, u32 number);
void model_change_add(struct model *m, u32 number, u32 key, u32 seen, u32 value);

void model_view_begin(const struct model *m, struct model_view *v);
void model_view_deinit(struct model_view *v);
void model_view_log(const struct model *m, struct model_view *v, s64 txn);
// A reader of this life saw the transaction.
void model_seen(struct model *m, s64 txn);
void model_view_row(const struct model *m, struct model_view *v, s64 key, s64 txn, s64 value, const void *body,
                    size_t size);
// Whether such a state may be; says by test_fail what is wrong with it.
bool model_view_check(struct model *m, const struct model_view *v, const char *who);
// The next life begins with that state.
void model_rebase(struct model *m, const struct model_view *v);

// Bytes of a value, in all lives the same.
u32 model_body(u32 value, u8 *out); // at most MODEL_BODY_MAX
#define MODEL_BODY_MAX 9000u
