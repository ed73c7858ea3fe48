/* Readings of this machine, from /proc and /sys. */
#ifndef EXAMPLES_READINGS_H
#define EXAMPLES_READINGS_H

enum { READINGS = 5 };

extern const char *const reading_names[READINGS];

/* Fills values[] with the load, the memory in use (MiB), the CPU in use (%), and network bytes
 * received and sent since the last call. */
void take_readings(double values[READINGS]);

#endif
