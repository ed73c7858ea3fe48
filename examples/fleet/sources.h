/* The incarnations of devices that a collector knows, in a table that grows. */
#ifndef EXAMPLES_SOURCES_H
#define EXAMPLES_SOURCES_H

#include "store.h"

/* Limits. Of one device so many incarnations are known; older ones are forgotten, and what they
 * might still send would be taken for new. Of all devices so many; then no new one is let in. */
enum { SOURCE_EPOCHS = 16, SOURCES_MOST = 1000000 };

/* The one with this name and epoch, which is added where it is missing; NULL: there is no room. */
source *sources_find(const char *device, size_t len, uint64_t epoch);

/* Takes it out of the table when no call uses it and nothing of it was stored. */
void sources_release(source *s);

/* One that the store knows. */
void sources_known(const source *row);

/* All of them, in the order in which they came: the first, and the one behind another. */
source *sources_first(void);
source *sources_after(const source *s);
size_t sources_count(void);

/* Forgets them all. */
void sources_clear(void);

#endif
