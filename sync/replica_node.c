#include "replica_private.h"
bool replica_node_begin(struct replica *r, struct err *err)
{
    (void)r;
    err_set(err, ERR_USAGE, __func__, "nodes cannot be followed yet");
    return false;
}
io_status replica_ask(struct replica *r, struct err *err)
{
    (void)r;
    return IO_ERROR(err, ERR_USAGE, "nodes cannot be followed yet");
}
