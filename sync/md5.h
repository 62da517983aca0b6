// MD5 (RFC 1321), for S3's Content-MD5: against accidents on the way, not against people.
#pragma once

#include "../io/base.h"

#define MD5_SIZE 16

struct md5 {
    u32 state[4];
    u64 size;
    u8 block[64];
};
void md5_init(struct md5 *m);
void md5_update(struct md5 *m, const void *bytes, size_t size);
void md5_final(struct md5 *m, u8 out[MD5_SIZE]);
void md5_base64(const u8 digest[MD5_SIZE], char out[25]);
