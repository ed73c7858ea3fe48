/*
 * What is left out at compile time, for flash. The layout of no struct depends on it.
 *
 *   -DMOTE_CLIENT_ONLY     connections are clients; mote_h2_init() refuses a server
 *   -DMOTE_SERVER_ONLY     and the other way round
 *   -DMOTE_NO_TEXTS        errors have codes only; texts and names are empty
 *   -DMOTE_NO_COMPRESSION  no codecs: mote_grpc_init() refuses them
 *   -DMOTE_NO_DOOR         a server has no door for other protocols than gRPC (grpc/door.h):
 *                          mote_grpc_init() refuses one
 *   -DMOTE_NO_METADATA     calls send no metadata of their own: where some is given, the answer is
 *                          MOTE_GRPC_ERR_CONFIG; it is still received
 *   -DMOTE_SMALL_TX        all that fits the transmit buffer fits one frame, so no header
 *                          section is cut: mote_h2_init() refuses one above 16,393 bytes
 *   -DMOTE_HPACK_SMALL     small tables of hpack, slower for strings (hpack_*_small.c); what a
 *                          field means is not remembered, nor header blocks that repeat:
 *                          it is found out each time
 */
#ifndef MOTE_FEATURES_H
#define MOTE_FEATURES_H

#include "../hpack/mote_apart.h"

/* MOTE_SERVES: the role of a connection. MOTE_MAY_SERVE, MOTE_MAY_CALL: whether a role is built at
 * all; they stand before a state that connections of this role alone reach, of which nothing is
 * left where it is not built, and the role itself need not be looked at. */
#if defined MOTE_CLIENT_ONLY && defined MOTE_SERVER_ONLY
#error "MOTE_CLIENT_ONLY and MOTE_SERVER_ONLY leave nothing"
#elif defined MOTE_CLIENT_ONLY
#define MOTE_MAY_SERVE   0
#define MOTE_MAY_CALL    1
#define MOTE_SERVES(c)   ((void)(c), 0)
#define MOTE_HAS_ROLE(c) (!(c)->server)
#elif defined MOTE_SERVER_ONLY
#define MOTE_MAY_SERVE   1
#define MOTE_MAY_CALL    0
#define MOTE_SERVES(c)   ((void)(c), 1)
#define MOTE_HAS_ROLE(c) ((c)->server)
#else
#define MOTE_MAY_SERVE   1
#define MOTE_MAY_CALL    1
#define MOTE_SERVES(c)   ((c)->server)
#define MOTE_HAS_ROLE(c) 1
#endif

/* As MOTE_SMALL_APART, where both roles are built: one role alone leaves less of such a function.
 */
#if MOTE_MAY_SERVE && MOTE_MAY_CALL
#define MOTE_ROLES_APART MOTE_SMALL_APART
#else
#define MOTE_ROLES_APART
#endif

/* Whether what a field means is remembered with its entry of the dynamic table: worth its
 * flash where the same requests come again and again, and fast. */
#if defined MOTE_CLIENT_ONLY || defined MOTE_HPACK_SMALL
#define MOTE_MEMO_OF(field) ((mote_hpack_memo *)NULL)
#else
#define MOTE_MEMO_OF(field) ((field)->memo)
#endif

/* Whether a server's header blocks that repeat are recognised as a whole (h2_repeat.c): on hosts.
 */
#if defined MOTE_CLIENT_ONLY || defined MOTE_HPACK_SMALL
#define MOTE_HAS_REPEATS 0
#else
#define MOTE_HAS_REPEATS 1
#endif

/* Whether a connection may have many calls, of which few are used, with deadlines that its peer
 * gave (grpc_deadline.c, grpc_init.c): on hosts. */
#define MOTE_HAS_MANY_CALLS MOTE_HAS_REPEATS

#ifdef MOTE_NO_TEXTS
#define MOTE_HAS_TEXTS  0
#define MOTE_TEXT(text) NULL
#else
#define MOTE_HAS_TEXTS  1
#define MOTE_TEXT(text) text
#endif

/* A text by which a server tells its peer something: it is kept where other texts are left out. */
#ifdef MOTE_CLIENT_ONLY
#define MOTE_SERVER_TEXT(text) MOTE_TEXT(text)
#else
#define MOTE_SERVER_TEXT(text) text
#endif

#ifdef MOTE_NO_COMPRESSION
#define MOTE_COMPRESSES 0
#else
#define MOTE_COMPRESSES 1
#endif

#if defined MOTE_NO_DOOR || defined MOTE_CLIENT_ONLY
#define MOTE_HAS_DOOR 0
#else
#define MOTE_HAS_DOOR 1
#endif

/* Whether what is sent may be longer than a frame may be. */
#ifdef MOTE_SMALL_TX
#define MOTE_CUTS 0
#else
#define MOTE_CUTS 1
#endif

#ifdef MOTE_NO_METADATA
#define MOTE_SENDS_METADATA 0
#else
#define MOTE_SENDS_METADATA 1
#endif

#endif
