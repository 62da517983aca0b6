// Goal: numbers as text are read as the C library reads them, and written so that fifteen digits come back.
// libFuzzer; the input is the text, and its first eight bytes are a double.
#include "../../engine/value.h"
#include "fuzz.h"

#include <math.h>

void fuzz_seeds(void)
{
    static const char *const TEXTS[] = {"9223372036854775808", " -0012.5e-10 ", "1.7976931348623157e308", "4.9e-324", "0x7f", "12abc"};
    for (u32 i = 0; i < COUNT_OF(TEXTS); i++) fuzz_seed(TEXTS[i], strlen(TEXTS[i]));
}

static void check_read(const u8 *data, size_t size)
{
    char text[1000];
    if (size >= sizeof text) return;
    if (size) memcpy(text, data, size);
    text[size] = 0;
    struct number_text n = number_parse((const u8 *)text, (u32)size);
    ASSERT(!isnan(n.real));
    if (n.kind == NUMBER_NONE || !n.whole || strpbrk(text, "xXpPnN")) return;
    double want = strtod(text, NULL);
    ASSERT(n.real == want);
    if (n.kind == NUMBER_INTEGER) ASSERT((double)n.integer == n.real);
}

static void check_write(double r)
{
    char text[32];
    if (isnan(r)) return;
    u32 size = real_to_text(r, text);
    ASSERT(size < sizeof text && text[size] == 0);
    if (isinf(r)) return;
    struct number_text n = number_parse((const u8 *)text, size);
    ASSERT(n.whole && n.kind == NUMBER_REAL);
    // Half a unit of the fifteenth digit.
    ASSERT(fabs(n.real - r) <= fabs(r) * 5.1e-15 || fabs(r) < 1e-300 || isinf(n.real));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    check_read(data, size);
    if (size >= 8) {
        double r;
        memcpy(&r, data, 8);
        check_write(r);
    }
    return 0;
}
