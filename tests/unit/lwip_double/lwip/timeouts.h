#include "../lwip_double.h"
