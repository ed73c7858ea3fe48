/* The incarnations of devices that a collector knows, in a table that grows. */
#ifndef EXAMPLES_SOURCES_H
#define EXAMPLES_SOURCES_H

#include "store.h"

/* So many incarnations of one device are known; those before them are forgotten: what they might
 * still send would be taken for new. */
enum { SOURCE_EPOCHS = 16 };

/* So many of all devices are known; then no new one is let in. */
extern size_t sources_most;

/* The one with this name and epoch. Where it is missing it is added for the peer at this address
 * ("host:port"; NULL: nobody's), as long as the peer has brought fewer than there are places left:
 * no peer alone takes them all. NULL: there is no room. */
source *sources_find(const char *device, size_t len, uint64_t epoch, const char *peer);

/* Takes it out of the table when no call uses it and nothing of it was stored. */
void sources_release(source *s);

/* Forgets those of which nothing was heard since, but for those that are in use: these are heard
 * now. 0, or -1 when the store fails. */
int sources_expire(uint64_t before_ms);

/* One that the store knows. */
void sources_known(const source *row);

/* All of them, in the order in which they came: the first, and the one behind another. */
source *sources_first(void);
source *sources_after(const source *s);
size_t sources_count(void);

/* Forgets them all, and what they have counted. */
void sources_clear(void);

#endif
