/* A double of what the samples for Zephyr use of it. */
#ifndef ZEPHYR_DOUBLE_KERNEL_H
#define ZEPHYR_DOUBLE_KERNEL_H

#include "../../double.h"

#define printk       double_say
#define k_uptime_get double_ms
#define k_msleep     double_sleep

int sample_main(void);

int main(int argc, char **argv)
{
    double_take(argc, argv);
    return sample_main();
}
#define main   sample_main
#define SERVER double_host
#define PORT   double_port

#endif
