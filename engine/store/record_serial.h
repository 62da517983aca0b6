// Numbers as records hold them. Internal to engine/store.
#pragma once

#include "record.h"

static inline s64 serial_integer(const u8 *p, u64 serial_type)
{
    switch (serial_type) {
    case 1: return (s8)p[0];
    case 2: return (s16)be16_get(p);
    case 3: return (s32)((u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8) >> 8;
    case 4: return (s32)be32_get(p);
    case 5: return (s64)(s16)be16_get(p) * 0x100000000 + be32_get(p + 2);
    case 6: return (s64)be64_get(p);
    default: return serial_type == 9; // 8 is 0, 9 is 1
    }
}

static inline double serial_real(const u8 *p)
{
    u64 bits = be64_get(p);
    double r;
    memcpy(&r, &bits, 8);
    return r;
}
