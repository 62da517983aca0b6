// What making schemas needs of their inside.
#pragma once

#include "schema.h"

struct schema *schema_new(bool is_temp, u32 table_capacity); // with its schema table alone; NULL: no memory
bool schema_index_names(struct schema *s); // fills the hash tables; false: out of memory
struct table *schema_table_new(void);      // with an empty arena and one reference; NULL: no memory
