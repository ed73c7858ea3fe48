/* lwIP as the other end of a board's PPP, on this machine. */
#define MOTE_LWIP_PPP
#include "../../../port/lwip/lwipopts.h"

#define PPP_SERVER 1
#define LWIP_DONT_PROVIDE_BYTEORDER_FUNCTIONS
#undef MEM_ALIGNMENT
#define MEM_ALIGNMENT 8
#undef MEM_SIZE
#define MEM_SIZE 65536
#undef MEMP_NUM_TCP_PCB
#define MEMP_NUM_TCP_PCB 16
#undef MEMP_NUM_TCP_SEG
#define MEMP_NUM_TCP_SEG 64
#undef MEMP_NUM_PBUF
#define MEMP_NUM_PBUF 64
#undef PBUF_POOL_SIZE
#define PBUF_POOL_SIZE 64
#undef TCP_SND_QUEUELEN
#define TCP_SND_QUEUELEN 32
