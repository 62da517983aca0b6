// Porter's stemmer (M. F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980) as FTS5 applies it.
#pragma once

#include "../../io/base.h"

#define FTS_PORTER_SIZE_MAX 64u

// Stems a lower-case word of 3 to FTS_PORTER_SIZE_MAX bytes in place; gives its new size.
u32 fts_porter_stem(u8 *word, u32 size);
