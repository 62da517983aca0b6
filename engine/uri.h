// Names of databases that are URIs, as SQLite reads them: "file:PATH?mode=ro|rw|rwc|memory&cache=...". Of our own:
// key=PASSPHRASE, hexkey=DIGITS (of an encrypted database; empty: not encrypted).
#pragma once

#include "store/store.h"

struct database_name {
    char *path;     // owned; ":memory:" for mode=memory
    bool read_only; // mode=ro
    bool no_create; // mode=rw
    struct store_key *key; // owned; NULL: nothing was said of one
};
// Takes a name apart; one that is no URI is a path. may_write: mode=rw and rwc are allowed. False with *err.
bool database_name_parse(const char *name, bool may_write, struct database_name *out, struct err *err);
