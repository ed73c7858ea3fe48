#ifndef MOTE_REFLECTION_INTERNAL_H
#define MOTE_REFLECTION_INTERNAL_H

#include "../../pb/pb.h"

/* Whether the file's descriptor defines something of this full name, members included: a method, a
 * field, a oneof, an extension, a value of an enum. */
bool mote_reflection_describes(const mote_pb_file *file, mote_pb_string name);

#endif
