/* A file as the storage of an outbox: samples outlive the process, and the power. */
#ifndef EXAMPLES_SPOOL_FILE_H
#define EXAMPLES_SPOOL_FILE_H

#include "../../grpc/services/outbox.h"

/* The file is made where it is missing, and belongs to one process at a time. NULL: see errno;
 * EWOULDBLOCK: another process has it. */
const mote_outbox_storage *spool_file(const char *path);

#endif
