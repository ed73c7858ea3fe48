#ifndef MOTE_REFLECTION_INTERNAL_H
#define MOTE_REFLECTION_INTERNAL_H

#include "../../pb/pb.h"

/* Whether the file defines something of this full name: a service, message or enum, or a member of
 * one: a method, a field, a oneof, an extension, a value. The steps are those of the name times the
 * logarithm of how many names there are. */
bool mote_reflection_describes(const mote_pb_file *file, mote_pb_string name);

#endif
