#ifndef MOTE_DIFFER_INTERNAL_H
#define MOTE_DIFFER_INTERNAL_H

#include "differ.h"

/* Sets open, section and reason where a rule has this difference. */
void mote_differ_look_up(const char *rules, mote_difference *d);

#endif
