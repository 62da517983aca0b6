// Regular expressions of the REGEXP operator, matched in time linear in text times pattern: all alternatives are
// followed at once, none is tried again.
//
//   a|b  (x)  x* x+ x? x{m} x{m,} x{m,n}  .  [a-z] [^a-z]  ^ $  \b \d \D \s \S \w \W
//   \f \n \r \t \v  \xHH  \uHHHH  and a backslash before any of \()*.+?[$^{|}]
//
// As SQLite's own REGEXP, it has no back references and no captures.
#pragma once

#include "../../io/base.h"

struct regexp;

// NULL with *error (static text) when the pattern is malformed or too large, or with NULL *error when out of memory.
struct regexp *regexp_compile(const u8 *pattern, u32 size, bool fold_case, const char **error);
// Whether the text contains a match. False with *failed when out of memory.
bool regexp_match(const struct regexp *r, const u8 *text, u32 size, bool *failed);
void regexp_free(struct regexp *r);
// The pattern that it was made from.
bool regexp_is(const struct regexp *r, const u8 *pattern, u32 size);
