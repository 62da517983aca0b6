// printf() and format(): SQLite's conversions, taking their arguments from SQL values; SQL literals.
#include "../decimal.h"
#include "fn_internal.h"

#include <math.h>

struct format_arguments {
    u32 count, used;
    u8 encoding; // of blobs
    const struct value **values;
};

static const struct value *argument_next(struct format_arguments *a)
{
    return a->used < a->count ? a->values[a->used++] : NULL;
}

static s64 argument_integer(struct format_arguments *a)
{
    const struct value *v = argument_next(a);
    return v ? value_to_integer_in(v, a->encoding) : 0;
}

static double argument_real(struct format_arguments *a)
{
    const struct value *v = argument_next(a);
    return v ? value_to_real_in(v, a->encoding) : 0.0;
}

struct conversion {
    bool left, alternate, alternate2, zero_pad, thousands;
    char prefix; // of numbers that are not negative: '+', ' ' or 0
    s64 width, precision; // precision -1: none given
    u8 kind;
};

static void pad(struct text_buffer *b, s64 count)
{
    if (count > 0) text_append_repeated(b, ' ', (size_t)count);
}

// ---- integers ----------------------------------------------------------------------------------------

static void format_integer(struct text_buffer *b, const struct conversion *c, struct format_arguments *a)
{
    s64 value = argument_integer(a);
    u64 v = (u64)value;
    char prefix = 0;
    bool is_signed = c->kind == 'd' || c->kind == 'i' || c->kind == 'r';
    if (is_signed) {
        prefix = c->prefix;
        if (value < 0) {
            v = -v;
            prefix = '-';
        }
    }
    bool hex_prefix = c->alternate && v != 0;
    s64 precision = c->precision;
    if (c->zero_pad && precision < c->width - (prefix != 0)) precision = c->width - (prefix != 0);

    char room[80], *end = room + sizeof room, *z = end;
    u64 base = c->kind == 'o' ? 8 : c->kind == 'x' || c->kind == 'X' || c->kind == 'p' ? 16 : 10;
    const char *set = c->kind == 'x' ? "0123456789abcdef" : "0123456789ABCDEF";
    if (c->kind == 'r') {
        u64 last = v % 10;
        if (last >= 4 || v / 10 % 10 == 1) last = 0;
        *--z = "thstndrd"[last * 2 + 1];
        *--z = "thstndrd"[last * 2];
    }
    do {
        *--z = set[v % base];
        v /= base;
    } while (v);
    s64 length = end - z;
    s64 zeros = MAX(precision - length, 0), digits = length + zeros;
    bool thousands = c->thousands && (base == 10 && c->kind != 'r');
    s64 commas = thousands ? (digits - 1) / 3 : 0;
    const char *radix = !hex_prefix ? "" : c->kind == 'o' ? "0" : c->kind == 'X' ? "0X" : base == 16 ? "0x" : "";
    s64 total = (s64)strlen(radix) + (prefix != 0) + digits + commas;

    if (!text_reserve(b, (size_t)MAX(total, (s64)c->width))) return; // before it is written a digit at a time
    if (!c->left) pad(b, c->width - total);
    text_append_string(b, radix);
    if (prefix) text_append_char(b, (u8)prefix);
    if (!thousands) {
        text_append_repeated(b, '0', (size_t)zeros);
        text_append(b, z, (size_t)length);
    } else {
        for (s64 i = 0; i < digits && b->failed == ERR_OK; i++) {
            if (i && (digits - i) % 3 == 0) text_append_char(b, ',');
            text_append_char(b, i < zeros ? '0' : (u8)z[i - zeros]);
        }
    }
    if (c->left) pad(b, c->width - total);
}

// ---- reals -------------------------------------------------------------------------------------------

static void format_real_digits(struct text_buffer *b, const struct conversion *c, struct decimal *d, char prefix,
                               s64 precision, bool exponential, bool strip_zeros)
{
    bool point = precision > 0 || c->alternate || c->alternate2;
    s64 e = exponential ? 0 : d->point - 1;
    s32 used = 0;
    if (prefix) text_append_char(b, (u8)prefix);
    if (e < 0) {
        text_append_char(b, '0');
    } else if (c->thousands) {
        for (; e >= 0; e--) {
            text_append_char(b, used < d->count ? (u8)d->digits[used++] : '0');
            if (e % 3 == 0 && e > 1) text_append_char(b, ',');
        }
    } else {
        used = (s32)MIN(e + 1, d->count);
        text_append(b, d->digits, (size_t)used);
        text_append_repeated(b, '0', (size_t)(e + 1 - used));
        e = -1;
    }
    size_t point_at = b->size;
    if (point) text_append_char(b, '.');
    if (e < -1 && precision > 0) {
        s64 zeros = MIN(-1 - e, precision);
        text_append_repeated(b, '0', (size_t)zeros);
        precision -= zeros;
    }
    if (precision > 0 && used < d->count) {
        s64 n = MIN(d->count - used, precision);
        text_append(b, d->digits + used, (size_t)n);
        precision -= n;
    }
    if (precision > 0 && !strip_zeros) text_append_repeated(b, '0', (size_t)precision);
    if (strip_zeros && point && b->failed == ERR_OK) {
        while (b->bytes[b->size - 1] == '0' && b->size - 1 > point_at) b->size--;
        if (b->size - 1 == point_at) {
            if (c->alternate2) {
                text_append_char(b, '0');
            } else {
                b->size--;
            }
        }
    }
    if (exponential) {
        s32 exponent = d->point - 1;
        text_append_char(b, c->kind == 'E' || c->kind == 'G' ? 'E' : 'e');
        text_append_char(b, exponent < 0 ? '-' : '+');
        if (exponent < 0) exponent = -exponent;
        if (exponent >= 100) text_append_char(b, (u8)('0' + exponent / 100));
        text_append_char(b, (u8)('0' + exponent / 10 % 10));
        text_append_char(b, (u8)('0' + exponent % 10));
    }
}

enum { REAL_PRECISION_MAX = 100000000 };

static void format_real(struct text_buffer *b, const struct conversion *c, double r)
{
    s64 precision = c->precision < 0 ? 6 : MIN(c->precision, REAL_PRECISION_MAX);
    bool fixed = c->kind == 'f', general = c->kind == 'g' || c->kind == 'G';
    if (general && precision == 0) precision = 1;
    s32 round = (s32)(fixed ? -precision : general ? precision : precision + 1);
    struct decimal d;
    decimal_from_real(&d, r, round, c->alternate2 ? 20 : 16);
    char prefix = d.negative ? '-' : c->prefix;
    if (d.special != DECIMAL_FINITE && !(d.special == DECIMAL_INFINITE && c->zero_pad)) {
        char text[8];
        int n = d.special == DECIMAL_NAN ? snprintf(text, sizeof text, c->zero_pad ? "null" : "NaN")
                                         : snprintf(text, sizeof text, "%.*sInf", prefix != 0, &prefix);
        if (!c->left) pad(b, c->width - n);
        text_append(b, text, (size_t)n);
        if (c->left) pad(b, c->width - n);
        return;
    }
    if (d.special == DECIMAL_INFINITE) {
        d.room[0] = '9';
        d.digits = d.room;
        d.count = 1;
        d.point = 1000;
    }
    // "%#f" does not show the sign of what it shows as zero.
    if (d.negative && c->alternate && !c->prefix && fixed && d.point <= round) prefix = 0;

    s32 exponent = d.point - 1;
    bool exponential = !fixed && !general, strip_zeros = c->alternate2;
    if (general) {
        precision--;
        strip_zeros = !c->alternate;
        exponential = exponent < -4 || exponent > precision;
        if (!exponential) precision -= exponent;
    }
    size_t start = b->size;
    format_real_digits(b, c, &d, prefix, precision, exponential, strip_zeros);
    s64 length = (s64)(b->size - start), missing = c->width - length;
    if (missing <= 0) return;
    size_t at = c->left ? b->size : c->zero_pad ? start + (prefix != 0) : start;
    if (!text_reserve(b, (size_t)missing)) return;
    memmove(b->bytes + at + missing, b->bytes + at, b->size - at);
    memset(b->bytes + at, c->left || !c->zero_pad ? ' ' : '0', (size_t)missing);
    b->size += (size_t)missing;
}

// "%!.15g" that reads back as the same double, else "%!.20e"; infinities as 9.0e+999.
static void text_append_real_exact(struct text_buffer *b, double r)
{
    struct conversion c = {.alternate2 = true, .zero_pad = true, .precision = 15, .kind = 'g'};
    size_t start = b->size;
    format_real(b, &c, r);
    if (b->failed != ERR_OK || isinf(r)) return;
    if (number_parse(b->bytes + start, (u32)(b->size - start)).real == r) return;
    b->size = start;
    c.precision = 20;
    c.kind = 'e';
    format_real(b, &c, r);
}

// ---- text --------------------------------------------------------------------------------------------

static s64 continuation_bytes(const u8 *z, size_t size)
{
    s64 n = 0;
    for (size_t i = 0; i < size; i++) n += (z[i] & 0xc0) == 0x80;
    return n;
}

static void append_padded(struct text_buffer *b, const struct conversion *c, const u8 *z, size_t size, s64 width,
                          bool characters)
{
    if (characters && width > 0) width += continuation_bytes(z, size);
    if (!c->left) pad(b, width - (s64)size);
    text_append(b, z, size);
    if (c->left) pad(b, width - (s64)size);
}

// How much of the text counts: `precision` bytes or, with '!', characters.
static u32 text_cut(const struct conversion *c, const u8 *z, u32 size)
{
    if (c->precision < 0) return size;
    if (!c->alternate2) return (u32)MIN((s64)size, c->precision);
    const u8 *end = z + size, *stop = z;
    for (s64 n = c->precision; n > 0 && stop < end; n--) stop = utf8_skip(stop, end);
    return (u32)(stop - z);
}

// %q, %Q, %w and, with '#', the escapes of unistr().
static void append_escaped(struct text_buffer *b, u8 kind, bool alternate, const u8 *z, u32 size, bool null)
{
    u8 quote = kind == 'w' ? '"' : '\'';
    bool enclose = kind == 'Q' && !null;
    u32 controls = 0;
    if (kind == 'w') alternate = false;
    if (alternate) {
        for (u32 i = 0; i < size; i++) controls += z[i] < 0x20;
        alternate = controls || kind == 'q';
    }
    bool unistr = alternate && enclose;
    if (unistr) text_append_string(b, "unistr(");
    if (enclose) text_append_char(b, '\'');
    u32 from = 0;
    for (u32 i = 0; i < size; i++) {
        bool control = alternate && z[i] < 0x20;
        if (z[i] != quote && !control && !(alternate && z[i] == '\\')) continue;
        text_append(b, z + from, i - from);
        from = i;
        if (control) {
            char escape[8];
            text_append(b, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", z[i]));
            from++;
        } else {
            text_append_char(b, z[i]);
        }
    }
    text_append(b, z + from, size - from);
    if (enclose) text_append_char(b, '\'');
    if (unistr) text_append_char(b, ')');
}

void text_append_quoted(struct text_buffer *b, const struct value *v, bool escape_controls)
{
    switch ((enum value_type)v->type) {
    case VALUE_NULL: text_append_string(b, "NULL"); break;
    case VALUE_INTEGER: text_append_value(b, v, 0); break;
    case VALUE_REAL: text_append_real_exact(b, v->real); break;
    case VALUE_TEXT:
        append_escaped(b, 'Q', escape_controls, v->bytes, text_length(v->bytes, v->size), false);
        break;
    case VALUE_BLOB: {
        text_append_string(b, "X'");
        u64 tail = v->flags & VALUE_ZERO_TAIL ? v->zero_count : 0;
        if (text_reserve(b, ((u64)v->size + tail) * 2 + 1)) {
            for (u32 i = 0; i < v->size; i++) {
                b->bytes[b->size++] = (u8) "0123456789ABCDEF"[v->bytes[i] >> 4];
                b->bytes[b->size++] = (u8) "0123456789ABCDEF"[v->bytes[i] & 15];
            }
            text_append_repeated(b, '0', tail * 2);
        }
        text_append_char(b, '\'');
        break;
    }
    }
}

static void format_text(struct text_buffer *b, const struct conversion *c, struct format_arguments *a)
{
    const struct value *v = argument_next(a);
    struct text_buffer text = {0};
    bool null = !v || v->type == VALUE_NULL;
    if (!null) text_append_value(&text, v, a->encoding);
    u32 size = text_length(text.bytes, (u32)text.size);
    const u8 *z = text.bytes ? text.bytes : (const u8 *)"";
    struct text_buffer escaped = {0};
    s64 width = c->width;
    switch (c->kind) {
    case 'c': {
        size_t n = 1;
        u8 nul = 0;
        if (size == 0) z = &nul;
        if (size && z[0] >= 0xc0) {
            while (n < 4 && n < size && (z[n] & 0xc0) == 0x80) n++;
        }
        if (c->precision > 1) {
            width -= c->precision - 1;
            if (width > 1 && !c->left) {
                pad(b, width - 1);
                width = 0;
            }
            if (text_reserve(b, n * (size_t)(c->precision - 1))) {
                for (s64 i = 1; i < c->precision; i++) text_append(b, z, n);
            }
        }
        append_padded(b, c, z, n, width, true);
        break;
    }
    case 'q':
    case 'Q':
    case 'w':
        if (null) {
            z = (const u8 *)(c->kind == 'Q' ? "NULL" : "(NULL)");
            size = (u32)strlen((const char *)z);
        }
        append_escaped(&escaped, c->kind, c->alternate, z, text_cut(c, z, size), null);
        append_padded(b, c, escaped.bytes, escaped.size, width, c->alternate2);
        break;
    default: append_padded(b, c, z, text_cut(c, z, size), width, c->alternate2); break;
    }
    if (b->failed == ERR_OK) b->failed = text.failed != ERR_OK ? text.failed : escaped.failed;
    text_buffer_deinit(&text);
    text_buffer_deinit(&escaped);
}

// ---- the format --------------------------------------------------------------------------------------

static s64 number_read(const u8 **z, const u8 *end)
{
    u32 n = 0; // wraps as SQLite's does
    for (; *z < end && is_digit(**z); (*z)++) n = n * 10 + (u32)(**z - '0');
    return n & 0x7fffffff;
}

// Reads flags, width, precision and the letter; *z is behind '%'. kind is 0 at the end of the format.
static void conversion_read(struct conversion *c, const u8 **z, const u8 *end, struct format_arguments *a)
{
    *c = (struct conversion){.precision = -1};
    for (;; (*z)++) {
        u8 ch = *z < end ? **z : 0;
        switch (ch) {
        case '-': c->left = true; continue;
        case '+': c->prefix = '+'; continue;
        case ' ': c->prefix = ' '; continue;
        case '#': c->alternate = true; continue;
        case '!': c->alternate2 = true; continue;
        case '0': c->zero_pad = true; continue;
        case ',': c->thousands = true; continue;
        default: break;
        }
        break;
    }
    if (*z < end && **z == '*') {
        (*z)++;
        c->width = (s32)argument_integer(a);
        if (c->width < 0) {
            c->left = true;
            c->width = c->width >= -2147483647 ? -c->width : 0;
        }
    } else {
        c->width = number_read(z, end);
    }
    if (*z < end && **z == '.') {
        (*z)++;
        if (*z < end && **z == '*') {
            (*z)++;
            c->precision = (s32)argument_integer(a);
            if (c->precision < 0) c->precision = c->precision >= -2147483647 ? -c->precision : -1;
        } else {
            c->precision = number_read(z, end);
        }
    }
    for (int i = 0; i < 2 && *z < end && **z == 'l'; i++) (*z)++;
    c->kind = *z < end ? *(*z)++ : 0;
}

void text_append_format(struct text_buffer *b, const u8 *format, u32 format_size, u32 argc, const struct value **argv,
                        u8 encoding)
{
    struct format_arguments a = {.count = argc, .encoding = encoding, .values = argv};
    const u8 *z = format, *end = format + text_length(format, format_size);
    while (z < end && b->failed == ERR_OK) {
        const u8 *percent = memchr(z, '%', (size_t)(end - z));
        if (!percent) percent = end;
        text_append(b, z, (size_t)(percent - z));
        if (percent == end) break;
        z = percent + 1;
        if (z == end) {
            text_append_char(b, '%');
            break;
        }
        struct conversion c;
        conversion_read(&c, &z, end, &a);
        switch (c.kind) {
        case 'd':
        case 'i':
        case 'r':
        case 'u':
        case 'o':
        case 'x':
        case 'X':
        case 'p': format_integer(b, &c, &a); break;
        case 'f':
        case 'e':
        case 'E':
        case 'g':
        case 'G': format_real(b, &c, argument_real(&a)); break;
        case 's':
        case 'z':
        case 'c':
        case 'q':
        case 'Q':
        case 'w': format_text(b, &c, &a); break;
        case '%': append_padded(b, &c, (const u8 *)"%", 1, c.width, false); break;
        case 'n': break;
        default: return; // an unknown conversion ends the output
        }
        text_reserve(b, 1);
    }
}

static void printf_fn(struct function_context *ctx, u32 argc, const struct value **argv)
{
    struct value scratch = {.type = VALUE_NULL};
    struct text_buffer b = {0};
    u32 size;
    const u8 *format = argc ? function_text(ctx, argv[0], &scratch, &size) : NULL;
    if (format) {
        text_append_format(&b, format, size, argc - 1, argv + 1, ctx->encoding);
        // A format without any conversion or text gives NULL, as SQLite's does, and so does what is too long.
        bool too_long = b.failed == ERR_TOOBIG || (s64)b.size >= function_limit(ctx, SKERRY_LIMIT_LENGTH);
        if (too_long) text_buffer_deinit(&b);
        else if (b.bytes || b.failed != ERR_OK) result_text_buffer(ctx, &b);
    }
    value_deinit(&scratch);
}

const struct fn_def FN_PRINTF[] = {
    {"printf", -1, FN_DETERMINISTIC, 0, printf_fn},
    {"format", -1, FN_DETERMINISTIC, 0, printf_fn},
    {0},
};
