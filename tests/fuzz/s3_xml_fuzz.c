// A bucket may answer anything: elements are found or not, within the bytes.
#include "../../sync/s3_xml.h"
#include "fuzz.h"

void fuzz_seeds(void)
{
    static const char *const TEXTS[] = {
        "<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>a+b/c=</NextContinuationToken>"
        "<Contents><Key>main/log/00%2F1</Key><Size>123</Size></Contents><Contents><Key>x&amp;y&lt;</Key><Size>0</Size></Contents>"
        "</ListBucketResult>",
        "<Error><Code>SlowDown</Code><Message>Please reduce &quot;your&apos; rate &gt;</Message></Error>",
        "<Key></Key><Key>%zz%4</Key><Size>99999999999999999999</Size>",
    };
    for (u32 i = 0; i < COUNT_OF(TEXTS); i++) fuzz_seed(TEXTS[i], strlen(TEXTS[i]));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    static const char *const NAMES[] = {"Key", "Size", "Contents", "Code", "Message", "IsTruncated", "NextContinuationToken"};
    char *exact = malloc(size ? size : 1);
    memcpy(exact, data, size);
    for (u32 i = 0; i < COUNT_OF(NAMES); i++) {
        for (size_t out_size = 1; out_size <= 1024; out_size *= 4) {
            const char *at = exact, *end = exact + size;
            char *out = malloc(out_size);
            while (s3_xml_element(&at, end, NAMES[i], out, out_size)) {
                FUZZ_CHECK(at > exact && at <= end);
                size_t length = strlen(out);
                FUZZ_CHECK(length < out_size);
                s3_percent_decode(out);
                FUZZ_CHECK(strlen(out) <= length);
            }
            free(out);
        }
    }
    free(exact);
    return 0;
}
