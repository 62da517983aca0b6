// Tokenizers: text to words, as FTS5's unicode61, ascii, porter and trigram give them.
#pragma once

#include "../arena.h"

#define FTS_TOKEN_SIZE_MAX 32768u

struct fts_tokenizer;

// words: the tokenizer's name and its arguments; count 0: unicode61. Memory is the arena's. NULL: *error says why, or
// is NULL when memory ran out.
struct fts_tokenizer *fts_tokenizer_create(struct arena *a, const char *const *words, u32 count, const char **error);

// Whether x LIKE y (GLOB alone: like false) can ask the index for the trigrams of y.
bool fts_tokenizer_patterns(const struct fts_tokenizer *t, bool like);

// One token: its text as it is indexed and the bytes of the input that it stands for. False ends the run.
typedef bool (*fts_token_sink)(void *context, const u8 *token, u32 size, u32 begin, u32 end);
// False: out of memory, or the sink ended it.
bool fts_tokenize(const struct fts_tokenizer *t, const u8 *text, u32 size, fts_token_sink sink, void *context);

// Characters (fts_unicode.c), as utf8_read gives them: any number, if the text is no UTF-8.
u32 fts_character_category(s32 c); // utf8proc_category_t
bool fts_character_mark(s32 c);    // one that is dropped with remove_diacritics
// The letter without its marks (remove_diacritics 1: without one, 2: without several), in lower case.
s32 fts_character_fold(s32 c, u8 remove_diacritics);
