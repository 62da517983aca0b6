// The few answers of S3 that are XML: listings and errors. Bytes of a peer: anything may come.
#pragma once

#include "../io/base.h"

// Finds <name>text</name> in [*at, end), behind *at; copies the text with entities decoded and
// moves *at behind the element. False: no such element, or its text does not fit.
bool s3_xml_element(const char **at, const char *end, const char *name, char *out, size_t out_size);
// Decodes %XX in place (listings are asked for with encoding-type=url).
void s3_percent_decode(char *text);
