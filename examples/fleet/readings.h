/* Readings of this machine, from /proc and /sys. */
#ifndef EXAMPLES_READINGS_H
#define EXAMPLES_READINGS_H

enum { READINGS = 5 };

extern const char *const reading_names[READINGS];

/* Fills values[] with the load, the memory in use (MiB), the CPU in use (%), and network bytes
 * received and sent since the last call. Returns a bit for each reading that could be taken, the
 * first being 1. The first call begins the counts of those that are since the last one. */
unsigned take_readings(double values[READINGS]);

#endif
