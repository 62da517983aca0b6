// Past states as databases that SQL can attach: ATTACH 'NAME@2026-03-01T12:00:00Z' AS past, or 'NAME@tx=42'.
//
// Opening such a name opens that state of the backup (sync/remote.h): nothing is restored, pages come when they are asked
// for. It is read-only, is shared by all who attach it, and is let go a minute after the last has detached it.
#pragma once

#include "../sync/remote.h"

struct past;

struct past_options {
    struct io *io;
    struct object_store *objects;
    const char *name;   // of the database
    const char *folder; // for what has come
    struct master_key key;
    const struct store_key *database_key; // as remote_options has it
    sync_log log;
};
struct past *past_create(const struct past_options *options, struct err *err);
void past_turn(struct past *p); // now and then, outside of the loop's callbacks: lets go of what nobody has open
void past_destroy(struct past *p); // after all is closed; turns the loop
