#include "s3_xml.h"

static bool entity_decode(const char **p, const char *end, char *out)
{
    static const struct {
        const char *text;
        char c;
    } ENTITIES[] = {
        {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    for (u32 i = 0; i < COUNT_OF(ENTITIES); i++) {
        size_t size = strlen(ENTITIES[i].text);
        if ((size_t)(end - *p) >= size && memcmp(*p, ENTITIES[i].text, size) == 0) {
            *out = ENTITIES[i].c;
            *p += size;
            return true;
        }
    }
    return false;
}

bool s3_xml_element(const char **at, const char *end, const char *name, char *out, size_t out_size)
{
    char open[64], close[64];
    int open_size = snprintf(open, sizeof open, "<%s>", name);
    int close_size = snprintf(close, sizeof close, "</%s>", name);
    const char *start = memmem(*at, (size_t)(end - *at), open, (size_t)open_size);
    if (!start) return false;
    start += open_size;
    const char *stop = memmem(start, (size_t)(end - start), close, (size_t)close_size);
    if (!stop) return false;
    size_t n = 0;
    for (const char *p = start; p < stop;) {
        if (n + 1 >= out_size) return false;
        if (*p == '&' && entity_decode(&p, stop, &out[n]))
            n++;
        else
            out[n++] = *p++;
    }
    out[n] = 0;
    *at = stop + close_size;
    return true;
}

void s3_percent_decode(char *text)
{
    char *out = text;
    for (char *p = text; *p; p++) {
        if (*p == '%' && hex_digit((u8)p[1]) >= 0 && hex_digit((u8)p[2]) >= 0) {
            *out++ = (char)(hex_digit((u8)p[1]) << 4 | hex_digit((u8)p[2]));
            p += 2;
        } else {
            *out++ = *p;
        }
    }
    *out = 0;
}
