/*
 * The version of the library. What may change with which part of it is in docs/compatibility.md.
 *
 * MOTE_VERSION is that of the headers, mote_version() that of the library that was linked: a
 * program that compares them at its start notices that it was built for another one.
 */
#ifndef MOTE_VERSION_H
#define MOTE_VERSION_H

#ifdef __cplusplus
extern "C" {
#endif

#define MOTE_VERSION_MAJOR 0
#define MOTE_VERSION_MINOR 1
#define MOTE_VERSION_PATCH 0

/* For comparisons: 1.2.3 is 10203. */
#define MOTE_VERSION_NUMBER                                                                        \
    (MOTE_VERSION_MAJOR * 10000 + MOTE_VERSION_MINOR * 100 + MOTE_VERSION_PATCH)

#define MOTE_VERSION_TEXT_(major, minor, patch) #major "." #minor "." #patch
#define MOTE_VERSION_TEXT(major, minor, patch)  MOTE_VERSION_TEXT_(major, minor, patch)
#define MOTE_VERSION                            MOTE_VERSION_TEXT(MOTE_VERSION_MAJOR, MOTE_VERSION_MINOR, MOTE_VERSION_PATCH)

/* MOTE_VERSION of the library, "0.1.0". Static storage, never NULL. */
const char *mote_version(void);

#ifdef __cplusplus
}
#endif
#endif
