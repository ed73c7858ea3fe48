/*
 * services: health checking and reflection for a server, from flash. Each costs nothing unless it
 * is linked. They stand beside your own services in the table of the server:
 *
 *     static mote_health_entry entries[] = {{"", MOTE_HEALTH_SERVING}};
 *     static const mote_health health = {entries, 1};
 *     static const mote_grpc_method health_methods[] = MOTE_HEALTH_METHODS(&health);
 *
 *     static const mote_pb_file *const files[] = {&tour_file, &mote_health_file};
 *     static const mote_reflection reflection = {services, 3, files, 2};
 *     static const mote_grpc_method reflection_methods[] = MOTE_REFLECTION_METHODS(&reflection);
 *
 *     static const mote_grpc_service services[] = {mote_tour_Tour_SERVICE(methods),
 *                                                  MOTE_HEALTH_SERVICE(health_methods),
 *                                                  MOTE_REFLECTION_SERVICE(reflection_methods)};
 *
 * Conventions: see grpc/grpc.h.
 */
#ifndef MOTE_SERVICES_H
#define MOTE_SERVICES_H

#include "../../pb/pb.h"
#include "../grpc.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- grpc.health.v1.Health (the gRPC document health-checking.md) -------------------------- */

enum mote_health_status {
    MOTE_HEALTH_UNKNOWN = 0,
    MOTE_HEALTH_SERVING = 1,
    MOTE_HEALTH_NOT_SERVING = 2,
    MOTE_HEALTH_SERVICE_UNKNOWN = 3 /* told to watchers of a service that has no entry */
};

/* A service and its state; "" is the server as a whole. The state may be changed at any time: see
 * mote_health_push(). List() tells of the first 16. */
typedef struct {
    const char *service;
    int status; /* enum mote_health_status */
} mote_health_entry;

typedef struct {
    const mote_health_entry *entries;
    size_t count;
} mote_health;

/* Tells the watchers of a connection what has changed; to be called for each connection after
 * entries were changed, and followed by the connection's output. */
void mote_health_push(mote_grpc *g);

mote_grpc_handler mote_health_check, mote_health_watch, mote_health_list;
#define MOTE_HEALTH_METHODS(health)                                                                \
    {                                                                                              \
        {"Check", mote_health_check, health, mote_pb_strerror, NULL, true, true},                  \
            {"List", mote_health_list, health, mote_pb_strerror, NULL, true, true},                \
            {"Watch", mote_health_watch, health, mote_pb_strerror, NULL, true, false},             \
    }
#define MOTE_HEALTH_SERVICE(methods)                                                               \
    {                                                                                              \
        "grpc.health.v1.Health", methods, 3, true                                                  \
    }
#ifndef HEALTH_MOTE_H /* which declares it as well */
extern const mote_pb_file mote_health_file;
#endif

/* ---- grpc.reflection.v1 and v1alpha (the gRPC document server-reflection.md) --------------- */

/* The services that are listed (the first 32), and the files that describe them. */
typedef struct {
    const mote_grpc_service *services;
    size_t service_count;
    const mote_pb_file *const *files; /* what they import is found by itself */
    size_t file_count;
} mote_reflection;

mote_grpc_handler mote_reflection_info;
#define MOTE_REFLECTION_METHODS(reflection)                                                        \
    {                                                                                              \
        {"ServerReflectionInfo",                                                                   \
         mote_reflection_info,                                                                     \
         reflection,                                                                               \
         mote_pb_strerror,                                                                         \
         false,                                                                                    \
         false,                                                                                    \
         false},                                                                                   \
    }
#define MOTE_REFLECTION_SERVICE(methods)                                                           \
    {                                                                                              \
        "grpc.reflection.v1.ServerReflection", methods, 1, true                                    \
    }
#define MOTE_REFLECTION_SERVICE_V1ALPHA(methods)                                                   \
    {                                                                                              \
        "grpc.reflection.v1alpha.ServerReflection", methods, 1, true                               \
    }
#ifndef REFLECTION_MOTE_H
extern const mote_pb_file mote_reflection_file;
#endif
#ifndef REFLECTION_V1ALPHA_MOTE_H /* the descriptor only: the messages are those of v1 */
extern const mote_pb_file mote_reflection_v1alpha_file;
#endif

#ifdef __cplusplus
}
#endif
#endif
