// 10 * log2, in integers.
#include "compile.h"

logest logest_of(u64 x)
{
    static const logest eighth[8] = {0, 2, 3, 5, 6, 7, 8, 9}; // 10 * log2(1 + i/8)
    logest y = 40;
    if (x < 8) {
        if (x < 2) return 0;
        while (x < 8) {
            y -= 10;
            x <<= 1;
        }
    } else {
        while (x > 255) {
            y += 40;
            x >>= 4;
        }
        while (x > 15) {
            y += 10;
            x >>= 1;
        }
    }
    return eighth[x & 7] + y - 10;
}

logest logest_add(logest a, logest b)
{
    static const u8 gain[32] = {10, 10, 9, 9, 8, 8, 7, 7, 7, 6, 6, 6, 5, 5, 5, 4,
                                4,  4,  4, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2}; // 10*log2(1+2^(-i/10))
    if (a < b) {
        logest t = a;
        a = b;
        b = t;
    }
    if (a > b + 49) return a;
    if (a > b + 31) return a + 1;
    return a + gain[a - b];
}

logest logest_log(logest n)
{
    return n <= 10 ? 0 : (logest)(logest_of((u64)n) - 33);
}
