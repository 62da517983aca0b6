// fts5_locale(locale, text): text that says in which language it is. In SQL it is a blob: a mark, the locale, a zero byte, the
// text. FTS5's mark is another one in each process, so such blobs are of no use in a file to anybody.
#include "fts_internal.h"

static const u8 mark[16] = {0x8e, 0x1d, 0xf5, 0x6b, 0x02, 0xc9, 0x74, 0xaa, 0x37, 0xe0, 0x5c, 0x91, 0xdb, 0x46, 0x23, 0xb8};

u8 *fts_locale_make(const u8 *locale, u32 locale_size, const u8 *text, u32 text_size, u64 *size)
{
    *size = sizeof mark + (u64)locale_size + 1 + text_size;
    u8 *out = malloc(*size);
    if (!out) return NULL;
    memcpy(out, mark, sizeof mark);
    memcpy(out + sizeof mark, locale, locale_size);
    out[sizeof mark + locale_size] = 0;
    if (text_size) memcpy(out + sizeof mark + locale_size + 1, text, text_size);
    return out;
}

bool fts_locale_split(const struct value *v, struct fts_localized *out)
{
    if (v->type != VALUE_BLOB || v->size <= sizeof mark || v->flags & VALUE_ZERO_TAIL) return false;
    if (memcmp(v->bytes, mark, sizeof mark) != 0) return false;
    const u8 *locale = v->bytes + sizeof mark, *end = v->bytes + v->size, *zero = memchr(locale, 0, (size_t)(end - locale));
    if (!zero) return false;
    *out = (struct fts_localized){.locale = locale, .locale_size = (u32)(zero - locale), .text = zero + 1, .text_size = (u32)(end - zero - 1)};
    return true;
}

bool fts_column_text(const struct fts_config *c, const struct value *v, struct value *scratch, const u8 **text, u32 *size)
{
    struct fts_localized l;
    if (!c->locale || !fts_locale_split(v, &l)) return fts_value_text(v, scratch, text, size);
    *text = l.text;
    *size = l.text_size;
    return true;
}
