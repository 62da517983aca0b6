// What making schemas needs of their inside.
#pragma once

#include "schema.h"

struct schema *schema_new(bool is_temp, u32 table_capacity); // with its schema table alone; NULL: no memory
bool schema_index_names(struct schema *s); // fills the hash tables; false: out of memory
// Fills them with the names that `previous` has, but for those of the tables `gone`, and those of `made`.
bool schema_index_names_from(struct schema *s, const struct schema *previous, struct table *const *gone, u32 gone_count,
                             struct table *const *made, u32 made_count);
struct table *schema_table_new(void);      // with an empty arena and one reference; NULL: no memory
